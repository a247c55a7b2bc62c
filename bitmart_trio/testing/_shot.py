"""The cancellation of one run: an instrument that counts the pauses of a task and strikes at one of them."""

from __future__ import annotations

import gc
import linecache
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final, Literal, TypeAlias

import attrs
import trio

from .._io.pace import Pace

Moment: TypeAlias = Literal["waiting", "resuming"]
"""The moment at a checkpoint: while the task waits there, or when the wait is over and the task is about to continue.

``resuming`` takes effect at the next place where the task checks for cancellation, and so catches work that is done but
not yet reported. Its number 0 is before the task has begun.
"""

Counted: TypeAlias = Literal["task", "subtree", "all"]
"""The checkpoints that count: of the task that runs the body, also of the tasks that it starts, or of all tasks."""

How: TypeAlias = Literal["cancel", "interrupt"]
"""The way to strike: by cancelling a scope, or by Ctrl-C."""

Task: TypeAlias = trio.lowlevel.Task

_NOT_SHOWN: Final = (
    str(Path(__file__).parent),
    str(Path(trio.__file__).parent),
    str(Path(linecache.__file__).parent / "contextlib.py"),
)
"""Files whose lines are not shown, since they do not help to locate a failure."""
_ENOUGH: Final = 20_000
"""Steps after which a cancelled body that never waits counts as one that does not end."""


@attrs.frozen
class Place:
    """A line of source at which a task waits."""

    file: str
    """The path of the file."""
    line: int
    """The number of the line, from 1."""
    function: str
    """The function that the line is in."""

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        return f"{self.file}:{self.line} in {self.function}" + (f": {text}" if text else "")


def stack_of(task: Task) -> tuple[Place, ...]:
    """Return the stack of a waiting task, innermost line last, without the lines of Trio and of the sweep."""
    return tuple(
        Place(frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in _frames(task)
        if not frame.f_code.co_filename.startswith(_NOT_SHOWN)
    )


def innermost(stack: tuple[Place, ...]) -> Place:
    """Return the innermost line of a task."""
    return stack[-1] if stack else Place("(in Trio)", 0, "?")


def _frames(task: Task) -> Iterator[tuple[FrameType, int]]:
    if not has_ended(task):
        yield from task.iter_await_frames()


def has_ended(task: Task) -> bool:
    """Return True if the task ended in this very step."""
    return getattr(task.coro, "cr_frame", None) is None


def drop_shields() -> None:
    """Remove all shields, so that a cancelled task that is still waiting behind one ends.

    Then the run ends and can be reported.
    """
    for item in gc.get_objects():
        if isinstance(item, trio.CancelScope) and item.shield:
            item.shield = False


class Shot(trio.abc.Instrument):
    """Counts checkpoints of a task while it is armed, and strikes at one of them.

    Args:
        number: the number of the checkpoint; None never strikes, and records the line of each checkpoint.
        moment: the moment at the checkpoint.
        counted: the tasks whose checkpoints count.
        how: a cancellation or an interrupt.
        can_break: whether to interrupt the whole run when a cancelled body spins for ever.
    """

    def __init__(self, number: int | None, moment: Moment, counted: Counted, how: How, *, can_break: bool) -> None:
        self.number = number
        self.moment: Moment = moment
        self.how: How = how
        self.pauses = 0
        self.places: list[Place] = []
        self.fired = False
        self.stack: tuple[Place, ...] = ()
        """The stack of the body's task when it was struck."""
        self.other: str | None = None
        """The name of the task that reached the checkpoint, if it is not the body's own task."""
        self.stuck: tuple[Place, ...] | None = None
        """The stack of the body when the sweep stopped waiting for its end; None if it ended in time."""
        self.task: Task | None = None
        self._counted: Counted = counted
        self._can_break = can_break
        self._scope: trio.CancelScope | None = None
        self._resumed = 0
        self._steps = 0
        self._outer: list[trio.Nursery] = []
        self._main: Task | None = None
        self._counts: dict[Task, bool] = {}
        self._hit: trio.Event | None = None
        self._over: trio.Event | None = None

    @property
    def undisturbed(self) -> bool:
        """True if the shot never strikes."""
        return self.number is None

    @property
    def where(self) -> str:
        """The place where the shot strikes, as a text for messages."""
        return f"at checkpoint {self.number} ({self.moment})" if self.number else "before it began"

    @property
    def again(self) -> str:
        """The arguments of a sweep that repeat this shot alone."""
        return f"only={self.number}, moments=[{self.moment!r}]"

    def arm(self, scope: trio.CancelScope) -> None:
        """Start counting in the current task, which is about to run the body inside ``scope``."""
        task = trio.lowlevel.current_task()
        self.task, self._scope = task, scope
        Pace.strict += 1  # so that each item of a loop has a checkpoint
        self._outer = list(task.child_nurseries)
        self._main = task
        while self._main.parent_nursery is not None:
            above = self._main.parent_nursery.parent_task
            if above.parent_nursery is None:
                break
            self._main = above
        self._counts = {task: True}
        self._hit, self._over = trio.Event(), trio.Event()
        if self.number == 0 and self.moment == "resuming":
            self._fire(task)

    def disarm(self) -> None:
        """Stop counting, after the body has ended."""
        if self._scope is not None:
            Pace.strict -= 1
        self._scope = None
        if self._hit is not None and self._over is not None:
            self._over.set()
            self._hit.set()

    async def watch(self, grace: float) -> None:
        """Wait until the body ends after it was struck, or record after ``grace`` seconds that it did not."""
        assert self._hit is not None
        assert self._over is not None
        await self._hit.wait()
        with trio.move_on_after(grace):
            await self._over.wait()
            return
        if self.task is not None:
            self.stuck = stack_of(self.task)
        drop_shields()

    def after_task_step(self, task: Task) -> None:
        """Count a pause of a task (called by Trio)."""
        if self._scope is None:
            return
        if self.fired:
            self._step(task)
        elif self._is_counted(task) and not has_ended(task):
            self.pauses += 1
            if self.number is None:
                self.places.append(innermost(stack_of(task)))
            elif self.moment == "waiting" and self.pauses == self.number:
                self._fire(task)

    def before_task_step(self, task: Task) -> None:
        """Count a task that is about to continue (called by Trio)."""
        if self._scope is None or self.fired or self.moment != "resuming" or not self._is_counted(task):
            return
        self._resumed += 1
        if self._resumed == self.number:
            self._fire(task)

    def _fire(self, task: Task) -> None:
        assert self._scope is not None
        assert self.task is not None
        assert self._hit is not None
        self.fired = True
        self.stack = stack_of(self.task)
        if task is not self.task:
            self.other = task.name
        self._hit.set()
        if self.how == "cancel":
            self._scope.cancel()
        else:
            # Trio's own handler receives the signal, as it receives a user's Ctrl-C, and raises it in the main task.
            signal.raise_signal(signal.SIGINT)

    def _step(self, task: Task) -> None:
        """Interrupt a body that swallows its cancellation in a loop: no time passes, and only Ctrl-C can end it."""
        if task is not self.task or not self._can_break:
            return
        self._steps += 1
        if self._steps == _ENOUGH and self.stuck is None:
            self.stuck = stack_of(task)
            signal.raise_signal(signal.SIGINT)

    def _is_counted(self, task: Task) -> bool:
        known = self._counts.get(task)
        if known is None:
            known = self._counts[task] = self._counted != "task" and self._descends(task)
        return known

    def _descends(self, task: Task) -> bool:
        """Return True if the task was started inside the body, or, if all tasks count, inside the program."""
        nursery = task.parent_nursery
        while nursery is not None:
            parent = nursery.parent_task
            if parent is self.task:
                return self._counted == "all" or nursery not in self._outer
            if parent is self._main:
                return self._counted == "all"
            nursery = parent.parent_nursery
        return task is self._main and self._counted == "all"
