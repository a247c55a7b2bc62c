"""The items of one subscription that wait to be read: bounded, and acting by policy when the bound is reached.

Marks (`Gap`, `Backfilled`) stand between the items. Marks take no room, and no policy drops them. With ``conflate``
there is one item per state, in the order in which the states first appeared; the other policies keep every item, in the
order of arrival. Tasks wait in ``receivers.py``, and pushes behind a gap are held back in ``gate.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeAlias, TypeVar, get_args

import attrs
import trio

from .._core.channel import Overflow
from .._scopes import protected
from ..errors import InvalidRequest
from ..models.stream_events import Backfilled, Gap
from .counts import Counts

T = TypeVar("T")

Mark: TypeAlias = Gap | Backfilled
"""A mark between items: a gap, or the start of a backfill."""


@protected
class ItemQueue(Generic[T]):
    """Items and marks in the order in which they are read.

    Args:
        size: the most items in the queue.
        overflow: the policy beyond that.
        counts: the counters of conflated and dropped items.

    Raises:
        InvalidRequest: there is no room for a single item, or the policy does not exist.
    """

    def __init__(self, size: int, overflow: Overflow, counts: Counts) -> None:
        if size < 1:
            raise InvalidRequest(f"buffer must be at least 1, not {size!r}", argument="buffer")
        if overflow not in get_args(Overflow):
            words = ", ".join(get_args(Overflow))
            raise InvalidRequest(f"overflow must be one of {words}, not {overflow!r}", argument="overflow")
        self.size: int = size
        self.overflow: Overflow = overflow
        self.reserved: int = 0
        """Places taken by pushes that wait behind a gap."""
        self.marks: int = 0
        """Marks among the items."""
        self._counts = counts
        self._items: deque[T | Mark] = deque()
        self._states: dict[Hashable, T | Mark] = {}
        self._last_mark = 0

    @property
    def used(self) -> int:
        """Places that are taken."""
        return len(self._items) + len(self._states) - self.marks + self.reserved

    def put(self, item: T, key: Hashable) -> bool:
        """Append an item; False if there is no room for it, with the policy ``fail``.

        Args:
            item: the item.
            key: the state that the item describes; ``conflate`` keeps one item per state.
        """
        if self.overflow == "conflate":
            if key in self._states:
                self._counts.conflated += 1
                if self.marks:
                    del self._states[key]  # an item that arrived after a gap is read after the gap
            elif self.used >= self.size:
                self._drop_oldest_state()
            self._states[key] = item
            return True
        if len(self._items) + self.reserved - self.marks >= self.size:
            if self.overflow == "fail":
                self._counts.dropped += 1
                return False
            self._drop_oldest()
        self._items.append(item)
        return True

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._items):
            if not isinstance(item, Mark):
                del self._items[index]
                self._counts.dropped += 1
                return

    def _drop_oldest_state(self) -> None:
        for key, item in self._states.items():
            if not isinstance(item, Mark):
                del self._states[key]
                self._counts.dropped += 1
                return

    def mark(self, mark: Mark) -> None:
        """Append a mark. It is merged with one of the same topic when no item stands between them.

        So a connection that breaks repeatedly cannot fill the memory while the reader does not read.
        """
        if self._merge(mark):
            return
        self.marks += 1
        self._last_mark += 1
        if self.overflow == "conflate":
            self._states["mark", self._last_mark] = mark
        else:
            self._items.append(mark)

    def _merge(self, mark: Mark) -> bool:
        for index in range(len(self._items) - 1, -1, -1):
            item = self._items[index]
            if not isinstance(item, Mark):
                break
            if _mergeable(item, mark):
                self._items[index] = _since(mark, item.since)
                return True
        for key in reversed(self._states):
            item = self._states[key]
            if not isinstance(item, Mark):
                break
            if _mergeable(item, mark):
                self._states[key] = _since(mark, item.since)
                return True
        return False

    def take(self) -> T | Mark:
        """Remove and return the first item or mark.

        Raises:
            trio.WouldBlock: the queue is empty.
        """
        if self._items:
            item = self._items.popleft()
        elif self._states:
            item = self._states.pop(next(iter(self._states)))
        else:
            raise trio.WouldBlock
        if isinstance(item, Mark):
            self.marks -= 1
        return item

    def take_all(self) -> list[T | Mark]:
        """Remove and return everything, possibly nothing."""
        items = [*self._items, *self._states.values()]
        self._items.clear()
        self._states.clear()
        self.marks = 0
        return items

    def first(self) -> T | Mark | None:
        """Return what `take` would return; None if there is nothing."""
        if self._items:
            return self._items[0]
        return next(iter(self._states.values()), None)


def _since(mark: Mark, since: float) -> Mark:
    return mark._replace(since=since) if isinstance(mark, Gap) else attrs.evolve(mark, since=since)


def _mergeable(old: Mark, new: Mark) -> bool:
    if old.topic != new.topic:
        return False
    if isinstance(old, Gap):
        return isinstance(new, Gap)
    return isinstance(new, Backfilled) and old.count == new.count == 0
