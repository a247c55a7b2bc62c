"""A guard that ends a run that hangs, so that every run of a sweep has a time limit.

A run can hang in three ways:

- A deadlock on virtual time: all tasks wait and nothing is due. The event loop spins, and the guard detects it there.
- A program that never ends, or that waits on the real clock: a thread counts real seconds and makes the loop end it.
- A task that blocks the loop: no cancellation can reach it, so the thread raises Ctrl-C, in the main thread only.
"""

from __future__ import annotations

import _thread
import math
import threading
import time
from types import TracebackType
from typing import Final, Self

import trio
from trio.testing import MockClock

from ._census import OURS
from ._shot import Place, drop_shields, stack_of

PAUSE = 0.5
"""Seconds between two checks of the loop."""
_LOOKS: Final = 4
"""Checks in a row with nothing due that mean a deadlock: a thread that the guard cannot see may still answer."""
ANSWER = 10.0
"""Seconds without an answer after which the loop counts as blocked."""


class Guard(trio.abc.Instrument):
    """A context manager that cancels its block when the block hangs, in a running event loop.

    Args:
        limit: real seconds that the block may take.

    Attributes:
        why: a description of how the block hung; None if it did not.
        stack: the stack of the block's task at that time, innermost line last.
    """

    def __init__(self, limit: float) -> None:
        self.why: str | None = None
        self.stack: tuple[Place, ...] = ()
        self._limit = limit
        self._can_break = threading.current_thread() is threading.main_thread()
        self._scope = trio.CancelScope()
        self._task = trio.lowlevel.current_task()
        self._token = trio.lowlevel.current_trio_token()
        self._virtual = isinstance(trio.lowlevel.current_clock(), MockClock)
        self._over = threading.Event()
        self._answered = threading.Event()
        self._idle = 0
        self._next_look = 0.0

    def __enter__(self) -> Self:
        self._scope.__enter__()
        if self._virtual:
            trio.lowlevel.add_instrument(self)
        threading.Thread(target=self._count, name=f"{OURS}guard", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._over.set()
        if self._virtual:
            trio.lowlevel.remove_instrument(self)
        return self._scope.__exit__(kind, error, traceback)

    def before_io_wait(self, timeout: float) -> None:
        """Check for a deadlock (called by Trio after it has run all tasks that could run)."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + PAUSE
        state = trio.lowlevel.current_statistics()
        threads = trio.to_thread.current_default_thread_limiter().borrowed_tokens
        dead = not state.tasks_runnable and math.isinf(state.seconds_to_next_deadline) and not threads
        self._idle = self._idle + 1 if dead else 0
        if self._idle == _LOOKS:
            self._idle = 0
            self._end("it is in a deadlock: every task waits, and nothing is due that could wake one")

    def _count(self) -> None:
        """Count real seconds, in a thread that no task can block."""
        while not self._over.wait(self._limit):
            self._answered.clear()
            try:
                self._token.run_sync_soon(self._end, f"it had not ended after {self._limit:g} s of real time")
            except trio.RunFinishedError:
                return
            if not self._answered.wait(ANSWER) and not self._over.is_set() and self._can_break:
                self.why = self.why or f"a task kept the loop busy for {self._limit:g} s of real time"
                _thread.interrupt_main()

    def _end(self, why: str) -> None:
        """Cancel the block, in the loop; called again after each further period if the block still waits."""
        self._answered.set()
        if self._over.is_set():
            return
        if self.why is None:
            self.why, self.stack = why, stack_of(self._task)
        self._scope.cancel()
        drop_shields()
