"""Where blocking work is done: SQLite and files, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio

T = TypeVar("T")


class Runner(Protocol):
    """Runs what blocks."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Run it somewhere and wait for it, also while being cancelled."""
        ...


class Thread:
    """Runs one thing at a time in a worker thread, which is never abandoned."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Run it in the thread."""
        return await trio.to_thread.run_sync(call, limiter=self._limiter)
