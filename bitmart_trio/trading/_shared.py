"""One read for all who ask for the same list while the last one is under way.

Many orders that were cut off together are looked for together. A list is as good for all of them, but only one that was
asked for after they began to look: what is missing from an older one proves nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


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
