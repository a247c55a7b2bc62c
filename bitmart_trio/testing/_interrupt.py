"""A sweep of Ctrl-C: at each checkpoint of an async function, and at each line of the library that it runs.

    def test_my_bot_can_be_interrupted_anywhere() -> None:
        report = interrupt_sweep(body, around=exchange, invariants=[no_open_orders], sample=50)
        assert report.lines > 100

A signal can arrive between any two lines, in whatever task is running: in the reader of a connection as well as in the
function that waits. So the sweep interrupts at each line of this package that runs, in any task, each time in a fresh
event loop and in an order of events that only the seed decides. Trio's own handler receives the signal: it raises the
interrupt at the line, or keeps it until the main task waits next.
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
    """The number of lines of the library that the undisturbed run executes, in any task."""
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
    """Run ``body`` again and again in fresh event loops, with Ctrl-C at a different place each time.

    The body runs once undisturbed, in the main task. Then it is interrupted at each of its checkpoints, and at each
    line of the library that the undisturbed run executed. Each run must end with ``KeyboardInterrupt`` within
    ``grace`` seconds and leave nothing behind, as after a cancellation by `sweep`.

    Call it in Python's main thread, and not from inside a running event loop (`interrupt_sweep_here` is for that).

    Args:
        body: the function to interrupt. It receives what ``around`` yields, if there is an ``around``.
        around: as in `sweep`: set-up and tear-down, and the place for checks that need to wait.
        invariants: as in `sweep`.
        nurseries: the number of nested nurseries that the body opens itself: the interrupt may be wrapped in up to this
            many groups of one error each. 0: it must not be wrapped.
        handled: True if the body handles signals itself, by ``trading.cancel_on_signals`` for example: then it may end
            without an error.
        moments: the moments at each checkpoint, as in `sweep`; empty for lines only.
        lines: whether to interrupt at lines of the library too.
        struck: lines to skip, as ``"folder/file.py:123"``; the lines that this sweep interrupts at are added to it. So
            the sweeps of many bodies that share one set interrupt at each line once. None: no line is skipped.
        sample: interrupt at no more than this many checkpoints and this many lines, drawn by the seed; None: at all.
        ignore: kinds of objects that may be left.
        seed: decides the order in which tasks run, and the sample.
        only: the number of a single checkpoint or, as ``"file.py:123"``, a single line, to look at a failure.
        most: more checkpoints than this are an error.
        grace: seconds for an interrupted body to end, and for the objects that it leaves to be released.
        limit: seconds of real time that a single run may take, as in `sweep`.
        real_time: use the real clock, for bodies that use real sockets or threads; places may vary from run to run.

    Returns:
        A report with the numbers of checkpoints, lines and runs.

    Raises:
        SweepFailure: a run did not end, or did not end with ``KeyboardInterrupt``; something was left; or an invariant
            did not hold. The message names the place and how to run it alone.
        ValueError: the body does not reach the place ``only``.
        RuntimeError: this is not the main thread.
    """
    _check_thread()
    runner = _OwnLoop(body, around, tuple(invariants), ignore, seed, grace, limit, real_time, nurseries, handled)
    with interruptible(), remembering():
        runner.run(runner.line_shot(None))  # lines of imports on first use do not count
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
    """Do an `interrupt_sweep` inside the running event loop: all runs share the caller's open objects.

    Call it in the main task, the function passed to ``trio.run``: Trio raises the interrupt in no other task.

    Args:
        body: the function to interrupt; it must be repeatable.
        invariants: called after each run; an awaitable result is awaited.
        nurseries: as in `interrupt_sweep`, like all other arguments.
        handled: True if the body handles signals itself.
        moments: the moments at each checkpoint.
        lines: whether to interrupt at lines of the library too.
        struck: lines to skip; the lines of this sweep are added to it.
        sample: interrupt at no more than this many checkpoints and this many lines.
        seed: decides the sample.
        ignore: kinds of objects that may be left.
        only: a single checkpoint or line.
        most: more checkpoints than this are an error.
        grace: seconds for the body to end, and for the objects that it leaves to be released.
        limit: seconds of real time for a single run.

    Returns:
        A report with the numbers of checkpoints, lines and runs.

    Raises:
        SweepFailure: as in `interrupt_sweep`.
        ValueError: the body does not reach the place ``only``.
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
        await runner.run(runner.line_shot(None), watch)  # lines of imports on first use do not count
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
    """Records the lines of the library that run while it is armed, or strikes at one of them.

    Args:
        line: the line to strike at when it is first reached; None never strikes.
        can_break: as in `Shot`.
    """

    def __init__(self, line: Line | None, *, can_break: bool) -> None:
        super().__init__(None, "waiting", "task", "interrupt", can_break=can_break)
        self.line = line
        self.lines: dict[Line, None] = {}
        self._files: dict[str, bool] = {}
        self._before: Any = None

    @property
    def undisturbed(self) -> bool:
        """True if the shot never strikes."""
        return self.line is None

    @property
    def where(self) -> str:
        """The line at which the shot strikes, as a text for messages."""
        return f"at line {_spelled(self.line)}"

    @property
    def again(self) -> str:
        """The arguments of a sweep that repeat this shot alone."""
        return f"only={_spelled(self.line)!r}"

    def arm(self, scope: trio.CancelScope) -> None:
        """Start tracing in the current task."""
        super().arm(scope)
        self._before = sys.gettrace()
        sys.settrace(self._on_call)

    def disarm(self) -> None:
        """Stop tracing, after the body has ended."""
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
                # Trio's own handler receives the signal and inspects the frames below this one.
                signal.raise_signal(signal.SIGINT)
        return self._on_line


def _stack(frame: FrameType | None) -> Iterator[Place]:
    """Return the lines of the library on the stack of a frame, innermost last."""
    places: list[Place] = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_PACKAGE) and not code.co_filename.startswith(_OURS):
            places.append(Place(code.co_filename, frame.f_lineno, code.co_name))
        frame = frame.f_back
    yield from reversed(places)


class _Interrupts(Runner):
    """The common part of both sweeps: the places to strike, and the check of how a body ends."""

    HOW = "interrupt"
    DEED = "interrupted"
    nurseries = 0
    handled = False

    def line_shot(self, line: Line | None) -> LineShot:
        """Make a shot that strikes at a line."""
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
        """Return a shot for each place to strike, after an undisturbed run."""
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
        """Return what is wrong with the end of a body; None if the interrupt left it as in a plain program."""
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
    """A sweep that makes all runs in the caller's event loop."""

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
