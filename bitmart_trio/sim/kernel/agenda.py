"""Events that happen later, each at its own time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import TypeAlias

import trio

from .clock import Clock

Lane: TypeAlias = tuple[str, ...]
"""A sequence of events that keep their order: none overtakes another."""


class Agenda:
    """Scheduled actions, by the time at which they are due.

    Args:
        clock: provides the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = count()
        self._due: list[tuple[int, int, Lane, Callable[[], object]]] = []
        self._lanes: dict[Lane, tuple[int, int]] = {}
        """For each lane that is not empty: when its last event is due, and the number of its events."""
        self._changed = trio.Event()

    @property
    def next_ms(self) -> int | None:
        """Return the time of the next event; None when none is scheduled."""
        return self._due[0][0] if self._due else None

    def after(self, ms: int, lane: Lane, deed: Callable[[], object]) -> None:
        """Schedule an action in ``ms`` milliseconds, but not before earlier actions on the same lane.

        Without anything to wait for, the action runs before this returns.
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
        """Run the action that is due next, even before its time."""
        _, _, lane, deed = heapq.heappop(self._due)
        last_ms, waiting = self._lanes[lane]
        if waiting == 1:
            del self._lanes[lane]
        else:
            self._lanes[lane] = (last_ms, waiting - 1)
        deed()

    async def wait_changed(self) -> None:
        """Wait until another event is scheduled."""
        self._changed = trio.Event()
        await self._changed.wait()
