"""A local order book: snapshots and increments in, a book that is live or knows that it is not.

No socket, no clock. The rules of two kinds of market are combined, since the rules of one kind cost the other nothing:

* A snapshot replaces both sides, whatever the version was. It may be empty.
* Every size is the total at its price; 0 removes the level, whether or not the book has it. Prices are compared as
  numbers: the exchange writes one price with and without trailing zeros.
* An update of the next version is applied, even when it is empty (a quiet book may go on counting). An update of the
  same or an older version is silently dropped: a quiet book may repeat its version as a heartbeat.
* An update that skips a version means that one is missing; best bid at or above best ask means that the book is wrong.
  Either way the book is out of sync until the next snapshot. There is no checksum.
* Until then updates are held back, and replayed on top of that snapshot. Normally the snapshot comes first.

An exchange that restarts its count without a snapshot would look like endless repeats. A series of repeats that are
not empty is therefore treated as a gap.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from ..models._fields import Millis
from ..models._numbers import MOST_DIGITS
from ..models._rows import Level, Levels

HELD_BACK: Final = 256
"""The most updates kept while a snapshot is awaited; beyond it the oldest is dropped, and the replay finds the gap."""

_KEPT: Final = 4
# An exchange need not report that a level has left its window: levels without further updates may pile up below the
# published levels, up to this multiple of their number.

_REPEATS: Final = 20

_MOST_TEXTS: Final = 4096
"""The most prices whose numbers are cached."""
_MOST_GONE: Final = 64
"""The most prices that are gone from a side and still in its heap; a side with more levels allows as many as it has."""


class Step(enum.Enum):
    """The effect of a message on a book."""

    SNAPSHOT = enum.auto()
    """The snapshot is the book now, with the updates that were held back applied on top."""
    UPDATED = enum.auto()
    DROPPED = enum.auto()
    """The update was old."""
    HELD = enum.auto()
    """The update is kept for the replay: the book was already out of sync."""
    GAP = enum.auto()
    """A version is missing: the book is out of sync."""
    CROSSED = enum.auto()
    """Best bid at or above best ask: the book is out of sync."""


class Change(NamedTuple):
    """The levels of one message: changed ones or, for a snapshot, all."""

    version: int
    bids: Sequence[Level]
    asks: Sequence[Level]
    time: Millis | None = None


Pairs: TypeAlias = "list[tuple[str, str]]"
"""Levels as written: prices and sizes."""

Entry: TypeAlias = "tuple[str, str] | Level"
"""A level of the book: as written, or converted because it has been read."""


class Side:
    """One side of a book: levels by price, the best one always at hand.

    A price is stored as an integer: a count of units of the smallest decimal place seen so far, negative for bids. So
    trailing zeros do not matter, and the smaller number is the better price. Integers hash and compare several times
    faster than decimals, and a text that was seen before is only looked up.

    Args:
        sign: -1 for bids, 1 for asks.
    """

    __slots__ = ("_heap", "_known", "_order", "_places", "_sign", "levels")

    def __init__(self, sign: Literal[-1, 1]) -> None:
        self.levels: dict[int, Entry] = {}
        self._sign = sign
        self._places: int = 0
        self._known: dict[str, int] = {}
        """The numbers of prices as written."""
        self._heap: list[int] = []
        """The prices, and prices that are gone since: adding takes logarithmic time, removing takes none."""
        self._order: list[int] | None = None
        """The prices in order, until a price is added or removed."""

    def replace(self, levels: Pairs) -> None:
        """Hold these levels and no others, independently of the levels before.

        Raises:
            ValueError: a level has no price, or an absurd one.
        """
        self.levels, self._places = {}, 0
        self._known.clear()
        self._learn(levels)
        self.levels = {self._known[pair[0]]: pair for pair in levels if pair[1].strip("0.")}
        self._keep(sorted(self.levels))

    def apply(self, changes: Pairs) -> None:
        """Set each listed price to its size.

        Raises:
            ValueError: a level has no price, or an absurd one.
        """
        try:
            self._set(changes)
        except KeyError:  # a new price; starting over does no harm
            self._learn(changes)
            self._set(changes)

    def _set(self, changes: Pairs) -> None:
        held, known, heap = self.levels, self._known, self._heap
        for pair in changes:
            price, size = pair
            tick = known[price]
            if size[0] != "0" or size.strip("0."):
                if tick not in held:
                    heappush(heap, tick)
                    self._order = None
                held[tick] = pair
            elif tick in held:
                del held[tick]
                self._order = None
        if len(heap) > 2 * len(held) + _MOST_GONE:
            self._keep(sorted(held))

    def _keep(self, order: list[int]) -> None:
        self._order = order
        self._heap = order.copy()

    def _learn(self, levels: Pairs) -> None:
        """Give prices their numbers; where one needs more decimal places, all get new ones."""
        known = self._known
        if len(known) + len(levels) > _MOST_TEXTS:
            known.clear()
        if any(len(price) > MOST_DIGITS for price, _ in levels):
            raise ValueError(f"a price of more than {MOST_DIGITS} digits")
        places = max((len(price.partition(".")[2].rstrip("0")) for price, _ in levels), default=0)
        if places > self._places:
            factor = 10 ** (places - self._places)
            self._places = places
            known.clear()
            self.levels = {tick * factor: level for tick, level in self.levels.items()}
            self._keep(sorted(self.levels))
        for price, _ in levels:
            if price not in known:
                whole, _, fraction = price.partition(".")
                known[price] = self._sign * int(whole + fraction[: self._places].ljust(self._places, "0"))

    def best(self) -> Level | None:
        """The best level, None when there is none."""
        heap, held = self._heap, self.levels
        while heap:
            if heap[0] in held:
                return self._level(heap[0])
            heappop(heap)
        return None

    def top(self, count: int) -> tuple[Level, ...]:
        """The best levels, best first."""
        if self._order is None:
            self._keep(sorted(self.levels))
            assert self._order is not None
        return tuple([self._level(tick) for tick in self._order[:count]])

    def cut(self, most: int) -> None:
        """Discard all levels but the best."""
        order = sorted(self.levels)
        for tick in order[most:]:
            del self.levels[tick]
        self._keep(order[:most])

    def _level(self, tick: int) -> Level:
        entry = self.levels[tick]
        if type(entry) is not tuple:
            return cast("Level", entry)
        level = self.levels[tick] = Level(Decimal(entry[0]), Decimal(entry[1]))
        return level


def _pairs(levels: Sequence[Level]) -> Pairs:
    if isinstance(levels, Levels):
        return levels.texts()
    return [(format(level.price, "f"), format(level.size, "f")) for level in levels]


class LocalBook:
    """See the head of this file.

    Args:
        level: how many levels a side the exchange vouches for; more are never published.
    """

    def __init__(self, level: int) -> None:
        self.level = level
        self.synced: bool = False
        """True if the book is in sync; its content means nothing otherwise."""
        self.version: int = 0
        self.time: Millis | None = None
        """When the exchange pushed this version; for information only."""
        self.updates: int = 0
        """Updates that were applied."""
        self.snapshots: int = 0
        self.gaps: int = 0
        """The number of missing versions."""
        self.stale: int = 0
        """Updates that were dropped as old."""
        self.crossed: int = 0
        """The number of times that the sides crossed."""
        self._bids = Side(-1)
        self._asks = Side(1)
        self._held: deque[Change] = deque(maxlen=HELD_BACK)
        self._repeats: int = 0
        self._most = _KEPT * level

    def missed(self) -> Step:
        """Take note of a message that does not say what has changed: the book is not right any more."""
        return self._gap()

    # ---- messages in ------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Throw everything away: versions of two connections have nothing to do with each other."""
        self.synced = False
        self._held.clear()
        self._repeats = 0
        self._bids = Side(-1)
        self._asks = Side(1)

    def snapshot(self, whole: Change) -> Step:
        """Take a snapshot and replay what was held back."""
        self.snapshots += 1
        try:
            self._bids.replace(_pairs(whole.bids))
            self._asks.replace(_pairs(whole.asks))
        except ValueError:  # as bad as a missing snapshot
            return self._gap()
        self.version = whole.version
        self.time = whole.time
        self._repeats = 0
        self.synced = True
        if self._is_crossed():
            # The updates that were held back stay: the next snapshot may need them.
            return Step.CROSSED
        while self._held:
            change = self._held[0]
            if change.version > self.version + 1:
                return self._gap()
            self._held.popleft()
            if change.version <= self.version:
                self.stale += 1
            elif self._apply(change) is Step.CROSSED:
                return Step.CROSSED
        return Step.SNAPSHOT

    def update(self, change: Change) -> Step:
        """Apply an update to the book."""
        if not self.synced:
            self._held.append(change)
            return Step.HELD
        if change.version == self.version + 1:
            return self._apply(change)
        if change.version > self.version:
            self._held.append(change)
            return self._gap()
        self.stale += 1
        if change.bids or change.asks:
            self._repeats += 1
            if self._repeats >= _REPEATS:
                self._repeats = 0
                return self._gap()
        return Step.DROPPED

    def _apply(self, change: Change) -> Step:
        try:
            self._bids.apply(_pairs(change.bids))
            self._asks.apply(_pairs(change.asks))
        except ValueError:  # as bad as a missing update
            return self._gap()
        self.version = change.version
        self.time = change.time
        self.updates += 1
        self._repeats = 0
        if self._is_crossed():
            return Step.CROSSED
        for side in (self._bids, self._asks):
            if len(side.levels) > self._most:
                side.cut(self._most)
        return Step.UPDATED

    def _gap(self) -> Step:
        self.gaps += 1
        self.synced = False
        return Step.GAP

    def _is_crossed(self) -> bool:
        bid, ask = self._bids.best(), self._asks.best()
        if bid is None or ask is None or bid.price < ask.price:
            return False
        self.crossed += 1
        self.synced = False
        return True

    # ---- the book ---------------------------------------------------------------------------------------------------

    def best_bid(self) -> Level | None:
        """The highest bid, None when there is none."""
        return self._bids.best()

    def best_ask(self) -> Level | None:
        """The lowest ask, None when there is none."""
        return self._asks.best()

    def bids(self, count: int | None = None) -> tuple[Level, ...]:
        """The best bids, best first: at most `level` of them."""
        return self._bids.top(self.level if count is None else min(count, self.level))

    def asks(self, count: int | None = None) -> tuple[Level, ...]:
        """The best asks, best first: at most `level` of them."""
        return self._asks.top(self.level if count is None else min(count, self.level))
