"""Press Ctrl-C at each checkpoint of an async function and at each line of the library that it runs through, in turn.

    def test_my_bot_can_be_interrupted_anywhere() -> None:
        report = interrupt_sweep(body, around=exchange, invariants=[no_open_orders], sample=50)
        assert report.lines > 100

A signal comes between any two lines, in whatever task runs: the reader of a connection as likely as the function that
waits. So each line of this package that is run through has its turn, whichever task runs it, in a fresh event loop, in
an order of events that only the seed decides. What Trio's own handler makes of the signal there is what happens: the
interrupt is raised at the line, or kept until the main task waits next.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, MutableSet, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeAlias, TypeVar, cast, overload

import attrs
import trio

from ..models._model import Model
from ._census import Kind, Watch, remembering
from ._shot import Counted, Moment, Place, Shot
from ._sweep import LIMIT, MOMENTS, OwnLoop, Runner, ThisLoop, interruptible

T = TypeVar("T")
Line: TypeAlias = tuple[str, int]

_PACKAGE: Final = str(Path(__file__).parent.parent)
_OURS: Final = str(Path(__file__).parent)


@attrs.frozen
class InterruptReport(Model):
    """The report of a sweep of interrupts that found no error."""

    checkpoints: int
    """The number of checkpoints of the undisturbed body."""
    lines: int
    """The number of lines of the library that run meanwhile, in any task."""
    runs: int
    """The number of runs of the body."""
    seed: int | None
    """The seed of the order of events and of the sample; None if the caller decided."""


@overload
def interrupt_sweep(
    body: Callable[[], Awaitable[object]],
    *,
    around: None = None,
    invariants: Iterable[Callable[[], object]] = (),
    nurseries: int = 0,
    handled: bool = False,
    moments: Collection[Moment] = MOMENTS,
    lines: bool = True,
    struck: MutableSet[str] | None = None,
    sample: int | None = None,
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | str | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> InterruptReport: ...
@overload
def interrupt_sweep(
    body: Callable[[T], Awaitable[object]],
    *,
    around: Callable[[], AbstractAsyncContextManager[T]],
    invariants: Iterable[Callable[[T], object]] = (),
    nurseries: int = 0,
    handled: bool = False,
    moments: Collection[Moment] = MOMENTS,
    lines: bool = True,
    struck: MutableSet[str] | None = None,
    sample: int | None = None,
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | str | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> InterruptReport: ...
def interrupt_sweep(
    body: Callable[..., Awaitable[object]],
    *,
    around: Callable[[], AbstractAsyncContextManager[object]] | None = None,
    invariants: Iterable[Callable[..., object]] = (),
    nurseries: int = 0,
    handled: bool = False,
    moments: Collection[Moment] = MOMENTS,
    lines: bool = True,
    struck: MutableSet[str] | None = None,
    sample: int | None = None,
    ignore: Collection[Kind] = (),
    seed: int = 0,
    only: int | str | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
    real_time: bool = False,
) -> InterruptReport:
    """Run ``body`` again and again in fresh event loops, with Ctrl-C at another place each time.

    It runs once undisturbed, in the main task, then interrupted at each of its checkpoints, and at each line of the
    library that was run through. Each run must end with ``KeyboardInterrupt`` within ``grace`` seconds, and leave
    nothing, as after a cancellation by `sweep`.

    Only in Python's main thread, and not from inside a running event loop (`interrupt_sweep_here` is for that).

    Args:
        body: what is interrupted. It is given what ``around`` yields, if there is an ``around``.
        around: as of `sweep`: set-up and take-down, and the place for checks that need to wait.
        invariants: as of `sweep`.
        nurseries: how many nurseries of its own the body opens, one inside the other: out of so many groups, of one
            error each, the interrupt may come. 0 wants it bare.
        handled: the body handles signals itself, by ``trading.cancel_on_signals`` for example: it may end without an
            error then.
        moments: when at each checkpoint, as of `sweep`; empty for lines only.
        lines: whether lines of the library are struck too.
        struck: lines that are not struck, as ``"folder/file.py:123"``; those that this sweep strikes are added to it.
            So the sweeps of many bodies that share one strike each line once. None strikes every line.
        sample: strike no more than so many checkpoints and so many lines, drawn by the seed; None strikes all.
        ignore: kinds of things that may be left.
        seed: decides the order in which tasks run, and the sample.
        only: the number of a single checkpoint or, as ``"file.py:123"``, a single line, to look at a failure.
        most: a guard: more checkpoints than this are an error.
        grace: seconds that an interrupted body has to end, and that what it leaves has to go away.
        limit: as of `sweep`: seconds of real time that a single run may take.
        real_time: on the real clock, for bodies that use real sockets or threads; places may vary from run to run.

    Returns:
        How many checkpoints and lines there are, and how many runs were made.

    Raises:
        SweepFailure: a run did not end, or otherwise than by ``KeyboardInterrupt``; something was left; an invariant
            did not hold. The message says where, and how to run just that.
        ValueError: ``only`` is no place that the body comes through.
        RuntimeError: this is not the main thread.
    """
    _check_thread()
    runner = _OwnLoop(body, around, tuple(invariants), ignore, seed, grace, limit, real_time, nurseries, handled)
    with interruptible(), remembering():
        runner.run(runner.line_shot(None))  # what is imported on first use is no line of the body's
        first = runner.run(runner.line_shot(None))
        _check_number(runner, first, most)
        runs = 2
        for shot in runner.shots(first, moments, lines, struck, sample, only):
            runner.run(shot)
            runs += 1
        return InterruptReport(first.pauses, len(first.lines), runs, seed)


async def interrupt_sweep_here(
    body: Callable[[], Awaitable[object]],
    *,
    invariants: Iterable[Callable[[], object]] = (),
    nurseries: int = 0,
    handled: bool = False,
    moments: Collection[Moment] = MOMENTS,
    lines: bool = True,
    struck: MutableSet[str] | None = None,
    sample: int | None = None,
    seed: int = 0,
    ignore: Collection[Kind] = (),
    only: int | str | None = None,
    most: int = 2000,
    grace: float = 30,
    limit: float = LIMIT,
) -> InterruptReport:
    """`interrupt_sweep` inside the event loop that is running: all runs share what the caller has open.

    Only in the main task, the function that was given to ``trio.run``: Trio gives the interrupt to no other.

    Args:
        body: what is interrupted; it must be repeatable.
        invariants: called after each run; what they return is awaited if it can be.
        nurseries: as of `interrupt_sweep`, like all others.
        handled: the body handles signals itself.
        moments: when at each checkpoint.
        lines: whether lines of the library are struck too.
        struck: lines that are not struck, and to which those of this sweep are added.
        sample: strike no more than so many checkpoints and so many lines.
        seed: decides the sample.
        ignore: kinds of things that may be left.
        only: a single checkpoint or line.
        most: more checkpoints than this are an error.
        grace: seconds for the body to end, and for what it leaves to go away.
        limit: seconds of real time for a single run.

    Returns:
        How many checkpoints and lines there are, and how many runs were made.

    Raises:
        SweepFailure: as of `interrupt_sweep`.
        ValueError: ``only`` is no place that the body comes through.
        RuntimeError: this is not the main task of the main thread, or SIGINT is ignored.
    """
    _check_thread()
    root, task = trio.lowlevel.current_root_task(), trio.lowlevel.current_task()
    if root is None or not any(task in nursery.child_tasks for nursery in root.child_nurseries):
        raise RuntimeError("Ctrl-C arrives in the main task, the function that trio.run was given: sweep there")
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, signal.SIG_DFL):
        raise RuntimeError("SIGINT has no handler of Python here, as in what a shell runs in the background")
    runner = _ThisLoop(body, tuple(invariants), ignore, grace, limit, nurseries, handled)
    with remembering():
        watch = Watch(old=True)
        runner.before = watch.count(ignore)
        await runner.run(runner.line_shot(None), watch)  # what is imported on first use is no line of the body's
        first = await runner.run(runner.line_shot(None), watch)
        _check_number(runner, first, most)
        runs = 2
        for shot in runner.shots(first, moments, lines, struck, sample, only, seed):
            await runner.run(shot, watch)
            runs += 1
        return InterruptReport(first.pauses, len(first.lines), runs, None)


def _check_thread() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Ctrl-C arrives in Python's main thread: sweep there")


def _check_number(runner: Runner, first: LineShot, most: int) -> None:
    if first.pauses > most:
        raise runner.too_many(most)


class LineShot(Shot):
    """Notes the lines of the library that are run through while it is armed, or strikes at one of them.

    Args:
        line: which one, the first time that it is reached; None strikes never.
        can_break: as of `Shot`.
    """

    def __init__(self, line: Line | None, *, can_break: bool) -> None:
        super().__init__(None, "waiting", "task", "interrupt", can_break=can_break)
        self.line = line
        self.lines: dict[Line, None] = {}
        self._files: dict[str, bool] = {}
        self._before: Any = None

    @property
    def undisturbed(self) -> bool:
        """True if it never strikes."""
        return self.line is None

    @property
    def where(self) -> str:
        """Where it strikes, in words."""
        return f"at line {_spelled(self.line)}"

    @property
    def again(self) -> str:
        """The arguments that repeat it."""
        return f"only={_spelled(self.line)!r}"

    def arm(self, scope: trio.CancelScope) -> None:
        """Begin with the current task."""
        super().arm(scope)
        self._before = sys.gettrace()
        sys.settrace(self._on_call)

    def disarm(self) -> None:
        """The body is over."""
        sys.settrace(self._before)
        super().disarm()

    def _on_call(self, frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401  # as sys.settrace wants it
        file = frame.f_code.co_filename
        ours = self._files.get(file)
        if ours is None:
            ours = self._files[file] = file.startswith(_PACKAGE) and not file.startswith(_OURS)
        return self._on_line if ours else None

    def _on_line(self, frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401  # as sys.settrace wants it
        if event == "line":
            line = (frame.f_code.co_filename, frame.f_lineno)
            if self.line is None:
                self.lines[line] = None
            elif line == self.line and not self.fired:
                sys.settrace(self._before)
                assert self._hit is not None
                self.fired = True
                self.stack = tuple(_stack(frame))
                self._hit.set()
                # Trio's own handler takes it, and looks at the frames below this one.
                signal.raise_signal(signal.SIGINT)
        return self._on_line


def _stack(frame: FrameType | None) -> Iterator[Place]:
    """The lines of the library that lead to a frame, the innermost last."""
    places: list[Place] = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_PACKAGE) and not code.co_filename.startswith(_OURS):
            places.append(Place(code.co_filename, frame.f_lineno, code.co_name))
        frame = frame.f_back
    yield from reversed(places)


class _Interrupts(Runner):
    """What both sorts share: which places are struck, and how a body has to end."""

    HOW = "interrupt"
    DEED = "interrupted"
    nurseries = 0
    handled = False

    def line_shot(self, line: Line | None) -> LineShot:
        """One that strikes at a line."""
        return LineShot(line, can_break=self.can_break)

    def shots(
        self,
        first: LineShot,
        moments: Collection[Moment],
        lines: bool,
        struck: MutableSet[str] | None,
        sample: int | None,
        only: int | str | None,
        seed: int = 0,
    ) -> Iterator[Shot]:
        """Everything that is struck, after an undisturbed run."""
        numbers: list[tuple[Moment, int]] = [
            (moment, number)
            for moment in moments
            for number in range(1 if moment == "waiting" else 0, first.pauses + 1)
            if only is None or only == number
        ]
        wanted = [each for each in first.lines if lines and (only is None or _is_at(each, only))]
        if only is not None and not numbers and not wanted:
            raise ValueError(f"the body has {first.pauses} checkpoints, and does not come by {only!r}")
        if struck is not None:
            wanted = [each for each in wanted if _spelled(each) not in struck]
        if sample is not None:
            dice = random.Random(self.seed if self.seed is not None else seed)  # noqa: S311  # no secret
            numbers = dice.sample(numbers, min(sample, len(numbers)))
            wanted = dice.sample(wanted, min(sample, len(wanted)))
        for moment, number in numbers:
            yield self.shot(number, moment)
        for line in wanted:
            yield self.line_shot(line)
            if struck is not None:
                struck.add(_spelled(line))

    def verdict(self, error: BaseException | None, shot: Shot) -> str | None:
        """What is wrong with the end of a body; None for an interrupt that leaves as in a plain program."""
        if shot.stuck is not None:
            return None
        if error is None:
            return None if self.handled else "the interrupt was lost: it ended as if nothing had been"
        rest, groups = error, 0
        while isinstance(rest, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", rest)
            if len(group.exceptions) != 1 or groups == self.nurseries:
                return f"it ended with a group of {len(group.exceptions)} errors: {error!r}"
            rest, groups = group.exceptions[0], groups + 1
        if isinstance(rest, KeyboardInterrupt):
            return None
        return f"it ended with {type(rest).__name__}: {rest}"


class _OwnLoop(_Interrupts, OwnLoop):
    """Every run in an event loop of its own."""

    def __init__(
        self,
        body: Callable[..., Awaitable[object]],
        around: Callable[[], AbstractAsyncContextManager[object]] | None,
        invariants: Sequence[Callable[..., object]],
        ignore: Collection[Kind],
        seed: int,
        grace: float,
        limit: float,
        real_time: bool,
        nurseries: int,
        handled: bool,
    ) -> None:
        counted: Counted = "task"
        super().__init__(
            body, around, invariants, ignore, seed, grace, limit, counted=counted, expected=(), real_time=real_time
        )
        self.function = "interrupt_sweep"
        self.nurseries = nurseries
        self.handled = handled


class _ThisLoop(_Interrupts, ThisLoop):
    """All runs in the loop of the caller."""

    def __init__(
        self,
        body: Callable[..., Awaitable[object]],
        invariants: Sequence[Callable[..., object]],
        ignore: Collection[Kind],
        grace: float,
        limit: float,
        nurseries: int,
        handled: bool,
    ) -> None:
        super().__init__(body, invariants, ignore, grace, limit, counted="task", expected=())
        self.function = "interrupt_sweep_here"
        self.nurseries = nurseries
        self.handled = handled


def _spelled(line: Line | None) -> str:
    file, number = line or ("", 0)
    return f"{file.removeprefix(_PACKAGE).lstrip('/')}:{number}"


def _is_at(line: Line, only: int | str) -> bool:
    return isinstance(only, str) and f"{line[0]}:{line[1]}".endswith(f"/{only.lstrip('/')}")
