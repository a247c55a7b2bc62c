"""Events that happen later, each at a moment of its own."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TypeAlias

import trio

from .clock import Clock

Lane: TypeAlias = tuple[str, ...]
"""A sequence that keeps its order: nothing overtakes on a lane."""


class Agenda:
    """Deeds by the time at which they are due.

    Args:
        clock: Says what time it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = count()
        self._due: list[tuple[int, int, Lane, Callable[[], object]]] = []
        self._lanes: dict[Lane, tuple[int, int]] = {}
        """For each lane with something on it: when the last of it is due, and how much there is."""
        self._changed = trio.Event()

    @property
    def next_ms(self) -> int | None:
        """When something happens next; None when nothing is on its way."""
        return self._due[0][0] if self._due else None

    def after(self, ms: int, lane: Lane, deed: Callable[[], object]) -> None:
        """Do something in ``ms`` milliseconds, but not before what was sent along the same lane.

        With nothing to wait for it is done before this returns.
        """
        last_ms, waiting = self._lanes.get(lane, (0, 0))
        if ms <= 0 and not waiting:
            deed()
            return
        due = max(self._clock.steady_ms() + ms, last_ms)
        self._lanes[lane] = (due, waiting + 1)
        heapq.heappush(self._due, (due, next(self._numbers), lane, deed))
        self._changed.set()

    def play(self) -> None:
        """Do what is due next, whether its time has come or not."""
        _, _, lane, deed = heapq.heappop(self._due)
        last_ms, waiting = self._lanes[lane]
        if waiting == 1:
            del self._lanes[lane]
        else:
            self._lanes[lane] = (last_ms, waiting - 1)
        deed()

    async def wait_changed(self) -> None:
        """Return once something more is on its way."""
        self._changed = trio.Event()
        await self._changed.wait()
