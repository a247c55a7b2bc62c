"""A sweep of cancellations: at the first, second, ... checkpoint of an async function, each time checked for leaks.

    def test_a_bot_can_be_cancelled_anywhere() -> None:
        @asynccontextmanager
        async def around():
            async with bm.sim.open_exchange(seed=1) as exchange:
                yield exchange

        async def body(exchange):
            async with exchange.open_client() as client:
                await my_bot(client)

        report = sweep(body, around=around, invariants=[no_open_orders])
        assert report.checkpoints > 10

Nothing is sampled: the sweep cancels at every single checkpoint, each time in a fresh event loop on virtual time and in
an order of events that only the seed decides. So a failure can be repeated, and its message names the checkpoint and
how to run it alone.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from functools import partial
from itertools import count as counting
from typing import Final, TypeVar, cast, overload

import attrs
import trio
from trio.testing import MockClock

from ..models._model import Model
from ._census import OURS, Count, Kind, Watch, complaining, more, remembering
from ._guard import Guard
from ._schedule import deterministic
from ._shot import Counted, How, Moment, Place, Shot, innermost

T = TypeVar("T")
S = TypeVar("S", bound=Shot)

Errors = tuple[type[Exception], ...]

MOMENTS: Final[tuple[Moment, ...]] = ("waiting", "resuming")

LIMIT: Final = 120.0
"""The default limit of real time for a single run, in seconds: many times what a long run takes."""
_LAST_STEPS: Final = 5
"""Steps to wait for a signal: a receiver that was just closed forwards a signal a step or two later."""


class SweepFailure(AssertionError):
    """Something was wrong after the body was cancelled at one of its checkpoints.

    Attributes:
        checkpoint: the number of the checkpoint; None if the body was not cancelled and ran to its end.
        moment: the moment at the checkpoint.
        left: the objects that were left behind, one line each; empty if something else was wrong.
        stack: the stack of the body's task, innermost line last.
    """

    checkpoint: int | None = None
    moment: Moment | None = None
    left: tuple[str, ...] = ()
    stack: tuple[Place, ...] = ()


@attrs.frozen
class SweepReport(Model):
    """The report of a sweep that found no error."""

    checkpoints: int
    """The number of checkpoints of the undisturbed body."""
    runs: int
    """The number of runs of the body."""
    places: tuple[Place, ...]
    """The line of each checkpoint, in order: the innermost line that is not Trio's."""
    seed: int | None
    """The seed of the order of events; None if the caller decided."""


@overload
def sweep(
    body: Callable[[], Awaitable[object]],
    *,
    around: None = None,
    invariants: Iterable[Callable[[], object]] = (),
    moments: Collection[Moment] = MOMENTS,
    counted: Counted = "task",
    expected: Errors = (),
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> SweepReport: ...
@overload
def sweep(
    body: Callable[[T], Awaitable[object]],
    *,
    around: Callable[[], AbstractAsyncContextManager[T]],
    invariants: Iterable[Callable[[T], object]] = (),
    moments: Collection[Moment] = MOMENTS,
    counted: Counted = "task",
    expected: Errors = (),
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> SweepReport: ...
def sweep(
    body: Callable[..., Awaitable[object]],
    *,
    around: Callable[[], AbstractAsyncContextManager[object]] | None = None,
    invariants: Iterable[Callable[..., object]] = (),
    moments: Collection[Moment] = MOMENTS,
    counted: Counted = "task",
    expected: Errors = (),
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> SweepReport:
    """Run ``body`` again and again in fresh event loops, cancelling it at each of its checkpoints in turn.

    The body runs once undisturbed; then it is cancelled at checkpoint 1, 2, and so on. After each run, inside
    ``around``, these must hold:

    - No task, socket, stream, channel, lock, slot, file, process or asynchronous generator is left that was not open
      before the run, unless the undisturbed run left it too (an idle connection, for instance).
    - Python has issued no warning about objects that were never closed.
    - The invariants hold.

    When ``around`` is closed too, nothing at all may be left.

    Call it from ordinary code, not from inside a running event loop (`sweep_here` is for that).

    Args:
        body: the function to cancel. It receives what ``around`` yields, if there is an ``around``.
        around: returns an async context manager that sets up before each run and tears down after it. It is not
            cancelled; the code after its ``yield`` is the place for checks that need to wait.
        invariants: called after each run with what ``around`` yields; an awaitable result is awaited. An exception is
            a failure.
        moments: cancel while the body waits at a checkpoint, or when it is about to continue, or both in turn.
        counted: the tasks whose checkpoints are counted; it is always the body that is cancelled.
        expected: errors that the body may raise when it is cancelled, in place of ``Cancelled``.
        ignore: kinds of objects that may be left.
        seed: decides the order in which tasks run, as in `deterministic`.
        only: the number of a single checkpoint, to look at a failure.
        most: more checkpoints than this are an error.
        grace: seconds for a cancelled body to end, and for the objects that it leaves to be released.
        limit: seconds of real time that a single run may take, cancelled or not, including ``around``. A run that takes
            longer is ended and is a failure; so is a deadlock on virtual time, after a few seconds. Outside the main
            thread, a task that blocks the event loop for ever is not ended.
        real_time: use the real clock, for bodies that use real sockets or threads; numbers may vary from run to run.

    Returns:
        A report with the number of checkpoints and their lines.

    Raises:
        SweepFailure: something was left, an invariant did not hold, or a run did not end as expected.
        ValueError: ``only`` is a checkpoint that the body does not have.
    """
    runner = OwnLoop(
        body,
        around,
        tuple(invariants),
        ignore,
        seed,
        grace,
        limit,
        counted=counted,
        expected=expected,
        real_time=real_time,
    )
    with interruptible():
        return runner.all(moments, only, most)


async def sweep_here(
    body: Callable[[], Awaitable[object]],
    *,
    invariants: Iterable[Callable[[], object]] = (),
    moments: Collection[Moment] = MOMENTS,
    counted: Counted = "task",
    expected: Errors = (),
    ignore: Collection[Kind] = (),
    only: int | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
) -> SweepReport:
    """Do a `sweep` inside the running event loop: all runs share the caller's open objects, such as fixtures.

    A run may change the shared objects for the next one: a connection that a cancelled run broke is opened again, for
    instance. The caller decides the order of events and the clock.

    Args:
        body: the function to cancel; it must be repeatable.
        invariants: called after each run; an awaitable result is awaited.
        moments: as in `sweep`, like all other arguments.
        counted: the tasks whose checkpoints are counted.
        expected: errors that the body may raise when it is cancelled.
        ignore: kinds of objects that may be left.
        only: the number of a single checkpoint.
        most: more checkpoints than this are an error.
        grace: seconds for the body to end, and for the objects that it leaves to be released.
        limit: seconds of real time for a single run.

    Returns:
        A report with the number of checkpoints and their lines.

    Raises:
        SweepFailure: as in `sweep`.
        ValueError: ``only`` is a checkpoint that the body does not have.
    """
    runner = ThisLoop(body, tuple(invariants), ignore, grace, limit, counted=counted, expected=expected)
    return await runner.all(moments, only, most)


@contextmanager
def interruptible() -> Generator[None]:
    """Install Python's own handler for Ctrl-C, which Trio replaces by its own during a run."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.default_int_handler) if main else None
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


class Runner:
    """The base class of all sweeps: it makes one attempt and reports its errors."""

    HOW: How = "cancel"
    DEED = "cancelled"

    def __init__(
        self,
        body: Callable[..., Awaitable[object]],
        invariants: Sequence[Callable[..., object]],
        ignore: Collection[Kind],
        grace: float,
        limit: float,
        *,
        counted: Counted,
        expected: Errors,
        can_break: bool,
    ) -> None:
        self.body = body
        self.invariants = invariants
        self.ignore = ignore
        self.grace = grace
        self.limit = limit
        self.seed: int | None = None
        self.function = "sweep"
        self.before: Count | None = None
        self.reference: Count | None = None
        self._counted: Counted = counted
        self._expected = expected
        self.can_break = can_break

    def shot(self, number: int | None, moment: Moment) -> Shot:
        return Shot(number, moment, self._counted, self.HOW, can_break=self.can_break)

    def plan(self, moments: Collection[Moment], only: int | None) -> Iterable[tuple[Moment, Iterable[int]]]:
        for moment in moments:
            first = 1 if moment == "waiting" else 0
            if only is None:
                yield moment, counting(first)
            elif only >= first:
                yield moment, (only,)

    async def guarded(self, shot: Shot, run: Callable[[], Awaitable[None]]) -> None:  # noqa: ASYNC910  # as the run does
        """Await a whole run, within its limit of real time.

        Raises:
            SweepFailure: the run hung, or raised this itself.
        """
        guard = Guard(self.limit)
        error: BaseException | None = None
        try:
            with guard:
                await run()
        except BaseException as raised:  # noqa: ASYNC103  # the error of a run that hung; it becomes the cause of ours
            if guard.why is None:
                raise
            error = raised
        if guard.why is not None:
            raise self.failure(shot, guard.why, hung_at=guard.stack) from error

    async def attempt(self, shot: Shot, arguments: tuple[object, ...]) -> None:  # noqa: ASYNC910  # as the body does
        """Run the body once, to its end or until it is struck.

        Raises:
            SweepFailure: the body was struck and did not end as it should.
            Exception: the body's own error, if it was not struck.
        """
        try:
            with trio.CancelScope() as scope:
                shot.arm(scope)
                trio.lowlevel.spawn_system_task(shot.watch, self.grace, name=f"{OURS}watch")
                try:
                    await self.body(*arguments)
                finally:
                    shot.disarm()
            if shot.fired and shot.how == "interrupt":
                for _ in range(_LAST_STEPS):  # the signal may arrive in the body's last step
                    await trio.lowlevel.checkpoint()
        except BaseException as error:  # noqa: ASYNC103  # the scope has absorbed its Cancelled
            if not shot.fired:
                raise
            what = self.verdict(error, shot)
            if what is not None:
                raise self.failure(shot, what) from error  # noqa: ASYNC104
        else:
            what = self.verdict(None, shot) if shot.fired and shot.stuck is None else None
            if what is not None:
                raise self.failure(shot, what)
        if shot.stuck is not None:
            where = innermost(shot.stuck)
            raise self.failure(shot, f"it had not ended {self.grace:g} s later, or spins; it was at {where}")

    def verdict(self, error: BaseException | None, shot: Shot) -> str | None:
        """Return what is wrong with the end of a body that was struck; None if nothing is."""
        if error is None:
            return None
        # Errors that the caller expects are fine; so is the Ctrl-C with which the sweep ended a body that did not end.
        fine: tuple[type[BaseException], ...] = self._expected
        if shot.stuck is not None:
            fine = (*fine, KeyboardInterrupt)
        rest: BaseException | None = error
        if isinstance(error, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", error)
            rest = group.split(fine)[1] if fine else group
        elif isinstance(error, fine):
            rest = None
        if rest is None:
            return None
        if not isinstance(rest, Exception):
            raise error
        return f"it ended with {type(rest).__name__}: {rest}"

    async def settled(self, watch: Watch, allowed: Sequence[Count], heard: list[str]) -> list[str]:
        """Return what is left after the grace period."""
        pause, waited = 0.01, 0.0
        while True:
            await trio.sleep(pause)
            waited += pause
            left = more(watch.count(self.ignore, complaints=heard), allowed)
            if not left or waited >= self.grace:
                return left
            pause = min(pause * 2, self.grace - waited)

    async def judge(self, shot: Shot, watch: Watch, heard: list[str], arguments: tuple[object, ...]) -> None:
        """Check that no more is left than after the undisturbed run, and that the caller's invariants hold.

        Raises:
            SweepFailure: something was left, or an invariant does not hold.
        """
        assert self.before is not None
        if self.reference is None:
            await self.settled(watch, (self.before,), heard)
            await self.ask(shot, arguments)
            # Counted last: objects that the invariants leave are allowed too.
            self.reference = watch.count(self.ignore, complaints=heard)
            return
        left = await self.settled(watch, (self.before, self.reference), heard)
        if left:
            raise self.failure(shot, "left behind:", left)
        await self.ask(shot, arguments)

    async def ask(self, shot: Shot, arguments: tuple[object, ...]) -> None:  # noqa: ASYNC910  # as the invariants do
        """Check that the caller's invariants hold.

        Raises:
            SweepFailure: an invariant does not hold.
        """
        for invariant in self.invariants:
            try:
                result = invariant(*arguments)
                if isinstance(result, Awaitable):
                    await cast("Awaitable[object]", result)
            except Exception as error:
                name: object = getattr(invariant, "__qualname__", invariant)
                text = f"{name} does not hold: {type(error).__name__}: {error}"
                raise self.failure(shot, text) from error

    def failure(
        self, shot: Shot, what: str, left: Sequence[str] = (), *, hung_at: tuple[Place, ...] | None = None
    ) -> SweepFailure:
        """Make the error that names the place and how to repeat the run."""
        name: object = getattr(self.body, "__qualname__", self.body)
        if shot.undisturbed:
            how = "ran through undisturbed" if hung_at is None else "was run undisturbed"
        elif shot.fired:
            how = f"was {self.DEED} {shot.where}"
        else:
            how = f"was to be {self.DEED} {shot.where}, and did not get there"
        lines = [f"{name} {how}; {what}", *(f"  {line}" for line in left)]
        if hung_at:
            lines += [f"it hung at {innermost(hung_at)}", *(f"    {place}" for place in hung_at)]
        if not shot.undisturbed:
            if shot.stack:
                lines += [f"it was at {innermost(shot.stack)}", *(f"    {place}" for place in shot.stack)]
            if shot.other is not None:
                lines.append(f"the checkpoint was one of the task {shot.other}")
            seed = "" if self.seed is None else f", seed={self.seed}"
            lines.append(f"again: {self.function}(..., {shot.again}{seed})")
        error = SweepFailure("\n".join(lines))
        error.checkpoint = shot.number
        error.moment = None if error.checkpoint is None else shot.moment
        error.left = tuple(left)
        error.stack = shot.stack
        return error

    def too_many(self, most: int) -> SweepFailure:
        return SweepFailure(f"{getattr(self.body, '__qualname__', self.body)} is not through after {most} checkpoints")

    def report(self, places: Sequence[Place], runs: int) -> SweepReport:
        return SweepReport(len(places), runs, tuple(places), self.seed)


class OwnLoop(Runner):
    """A sweep that makes each run in its own event loop."""

    def __init__(
        self,
        body: Callable[..., Awaitable[object]],
        around: Callable[[], AbstractAsyncContextManager[object]] | None,
        invariants: Sequence[Callable[..., object]],
        ignore: Collection[Kind],
        seed: int,
        grace: float,
        limit: float,
        *,
        counted: Counted,
        expected: Errors,
        real_time: bool,
    ) -> None:
        main = threading.current_thread() is threading.main_thread()
        super().__init__(body, invariants, ignore, grace, limit, counted=counted, expected=expected, can_break=main)
        self.seed = seed
        self._around = around
        self._real_time = real_time
        self._empty: Count | None = None

    def all(self, moments: Collection[Moment], only: int | None, most: int) -> SweepReport:
        with remembering():
            undisturbed = self.run(self.shot(None, "waiting"))
            if undisturbed.pauses > most:
                raise self.too_many(most)
            runs = 1
            for moment, numbers in self.plan(moments, only):
                for number in numbers:
                    shot = self.run(self.shot(number, moment))
                    runs += 1
                    if not shot.fired:
                        if only is not None:
                            raise ValueError(f"there are {undisturbed.pauses} checkpoints, none has number {only}")
                        break
                    if number > most:  # on the real clock the number may grow from run to run
                        raise self.too_many(most)
            return self.report(undisturbed.places, runs)

    def run(self, shot: S) -> S:
        watch = Watch(old=False)
        if self._empty is None:
            self._empty = watch.count(self.ignore)
        found: list[SweepFailure] = []
        clock = None if self._real_time else MockClock(autojump_threshold=0)
        with complaining() as heard:
            try:
                with deterministic(self.seed or 0):
                    trio.run(partial(self._main, shot, watch, heard, found), clock=clock, instruments=[shot])
            except Exception as error:
                if not found:
                    if not shot.fired:
                        raise
                    failure = self.failure(shot, f"what is around it failed: {type(error).__name__}: {error}")
                    failure.__cause__ = error
                    found.append(failure)
            if found:
                raise found[0]
            left = more(watch.count(self.ignore, complaints=heard), (self._empty,))
        if left:
            raise self.failure(shot, "left behind when all was closed:", left)
        return shot

    async def _main(  # noqa: ASYNC910  # as the run does
        self, shot: Shot, watch: Watch, heard: list[str], found: list[SweepFailure]
    ) -> None:
        try:
            await self.guarded(shot, partial(self._with_around, shot, watch, heard, found))
        except SweepFailure as failure:
            found.insert(0, failure)

    async def _with_around(self, shot: Shot, watch: Watch, heard: list[str], found: list[SweepFailure]) -> None:
        manager = nullcontext() if self._around is None else self._around()
        async with manager as value:
            arguments = () if self._around is None else (value,)
            try:
                if self.before is None:
                    self.before = watch.count(self.ignore, complaints=heard)
                await self.attempt(shot, arguments)
                await self.judge(shot, watch, heard, arguments)
            except SweepFailure as failure:
                # Raised at the end: the caller's nurseries would wrap it in groups.
                found.append(failure)


class ThisLoop(Runner):
    """A sweep that makes all runs in the caller's event loop."""

    def __init__(
        self,
        body: Callable[..., Awaitable[object]],
        invariants: Sequence[Callable[..., object]],
        ignore: Collection[Kind],
        grace: float,
        limit: float,
        *,
        counted: Counted,
        expected: Errors,
    ) -> None:
        super().__init__(body, invariants, ignore, grace, limit, counted=counted, expected=expected, can_break=False)
        self.function = "sweep_here"

    async def all(self, moments: Collection[Moment], only: int | None, most: int) -> SweepReport:
        with remembering():
            watch = Watch(old=True)
            self.before = watch.count(self.ignore)
            undisturbed = await self.run(self.shot(None, "waiting"), watch)
            runs = 1
            for moment, numbers in self.plan(moments, only):
                for number in numbers:
                    shot = await self.run(self.shot(number, moment), watch)
                    runs += 1
                    if not shot.fired:
                        if only is not None:
                            raise ValueError(f"there are {undisturbed.pauses} checkpoints, none has number {only}")
                        break
                    if number > most:
                        raise self.too_many(most)
            return self.report(undisturbed.places, runs)

    async def run(self, shot: S, watch: Watch) -> S:
        with complaining() as heard:
            await self.guarded(shot, partial(self._one, shot, watch, heard))
        return shot

    async def _one(self, shot: Shot, watch: Watch, heard: list[str]) -> None:  # noqa: ASYNC910  # as the body does
        trio.lowlevel.add_instrument(shot)
        try:
            await self.attempt(shot, ())
        finally:
            trio.lowlevel.remove_instrument(shot)
        await self.judge(shot, watch, heard, ())
