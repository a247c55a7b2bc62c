"""Run blocking work (SQLite and files), one piece at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import trio

T = TypeVar("T")


class Runner(Protocol):
    """A runner of blocking code."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Run a function somewhere and wait for it, even when cancelled."""
        ...


class Thread:
    """A runner of one function at a time in a worker thread, which is never abandoned."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(1)

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Run a function in the worker thread."""
        return await trio.to_thread.run_sync(call, limiter=self._limiter)
