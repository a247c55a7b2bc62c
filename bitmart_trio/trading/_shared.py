"""Share one read among all tasks that ask for the same list while another read is in flight.

Orders that were cut off together are looked up together. One list serves all of them, but only if it was requested
after they began to look: being missing from an older list proves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import trio

T = TypeVar("T")

LATELY_MS: Final = 900_000
"""The span of shared lists, in milliseconds."""
ROOM_MS: Final = 60_000
"""The largest error of order times when a list since some time is requested."""
_ROUND: Final = 10


def cut_off(rows: Sequence[object]) -> str:
    """Return why a list may be incomplete; blank if it looks complete."""
    return f"are {len(rows)} in one list, which may have been cut off" if rows and len(rows) % _ROUND == 0 else ""


class SharedRead(Generic[T]):
    """A list that several tasks read together.

    Args:
        read: reads it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._turn = trio.Lock()
        self._asked = 0
        self._served = 0
        """The last question that the kept answer serves: it was read after those were asked."""
        self._kept: list[T] = []

    async def __call__(self) -> T:
        """Return the list, read after this call; raise what reading raises, and others then read for themselves."""
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._served < mine:
                upto = self._asked
                self._kept = [await self._read()]
                self._served = upto
            return self._kept[0]


class Lately(Generic[T]):
    """Lists of recent records, one per symbol, shared by all concurrent callers.

    Args:
        read: reads the records of a symbol between two times (milliseconds).
        now: the exchange's estimated time (milliseconds).
        furthest: how far back (milliseconds) a list may begin where a caller needs older records.
    """

    def __init__(
        self,
        read: Callable[[str, int, int], Awaitable[list[T] | None]],
        now: Callable[[], int],
        furthest: int = LATELY_MS,
    ) -> None:
        self._read = read
        self._now = now
        self._furthest = furthest
        self._wanted: defaultdict[str, list[int]] = defaultdict(list)
        """From when on records are needed, by symbol, for each caller that waits."""
        self._lists: dict[str, SharedRead[tuple[int, list[T] | None]]] = {}

    async def since(self, symbol: str, made: int | None) -> list[T] | None:
        """Return a symbol's records since some time (milliseconds); None if the list may be incomplete."""
        if made is None:
            await trio.lowlevel.checkpoint()
            return None
        if symbol not in self._lists:
            self._lists[symbol] = SharedRead(lambda: self._lately(symbol))
        self._wanted[symbol].append(made)
        try:
            since, rows = await self._lists[symbol]()
        finally:
            self._wanted[symbol].remove(made)
        return None if rows is None or cut_off(rows) or since >= made - ROOM_MS else rows

    async def _lately(self, symbol: str) -> tuple[int, list[T] | None]:
        now = self._now()
        since = min(now - LATELY_MS, *(made - 2 * ROOM_MS for made in self._wanted[symbol]))
        since = max(since, now - self._furthest)
        return since, await self._read(symbol, since, now + ROOM_MS)
