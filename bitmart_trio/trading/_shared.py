"""One read for all who ask for the same list while the last one is under way.

Many orders that were cut off together are looked for together. A list is as good for all of them, but only one that was
asked for after they began to look: what is missing from an older one proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import trio

T = TypeVar("T")

LATELY_MS: Final = 900_000
"""How far back lists that are shared go."""
ROOM_MS: Final = 60_000
"""How far the times of orders may be off when a list of those since some time is asked for."""
_ROUND: Final = 10


def cut_off(rows: Sequence[object]) -> str:
    """Why a list may not be whole; blank when it looks whole."""
    return f"are {len(rows)} in one list, which may have been cut off" if rows and len(rows) % _ROUND == 0 else ""


class SharedRead(Generic[T]):
    """A list that several tasks want.

    Args:
        read: reads it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._turn = trio.Lock()
        self._asked = 0
        self._served = 0
        """Up to which question the kept answer is good: it was read after they were asked."""
        self._kept: list[T] = []

    async def __call__(self) -> T:
        """The list, read after this was called. Raises what reading raises; others who ask then read for themselves."""
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._served < mine:
                upto = self._asked
                self._kept = [await self._read()]
                self._served = upto
            return self._kept[0]


class Lately(Generic[T]):
    """Lists of what happened lately, one for each symbol, shared by all who ask at a time.

    Args:
        read: reads those of a symbol between two times (milliseconds).
        now: about the exchange's time (milliseconds).
    """

    def __init__(self, read: Callable[[str, int, int], Awaitable[list[T] | None]], now: Callable[[], int]) -> None:
        self._read = read
        self._now = now
        self._lists: dict[str, SharedRead[tuple[int, list[T] | None]]] = {}

    async def since(self, symbol: str, made: int | None) -> list[T] | None:
        """All of a symbol since some time (milliseconds); None where the list may not have them all."""
        if made is None:
            await trio.lowlevel.checkpoint()
            return None
        if symbol not in self._lists:
            self._lists[symbol] = SharedRead(lambda: self._lately(symbol))
        since, rows = await self._lists[symbol]()
        return None if rows is None or cut_off(rows) or since >= made - ROOM_MS else rows

    async def _lately(self, symbol: str) -> tuple[int, list[T] | None]:
        now = self._now()
        return now - LATELY_MS, await self._read(symbol, now - LATELY_MS, now + ROOM_MS)
