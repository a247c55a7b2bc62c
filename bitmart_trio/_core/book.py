"""A local order book: snapshots and increments in, a book that is right or knows that it is not.

No socket, no clock. Rules (spot chapter of 2025-06, futures chapter of 2025-11, and what was seen of both):

* A snapshot replaces both sides, whatever the version was. It may be empty.
* Every size is the total at its price; 0 takes the level away, held or not. Prices are compared as numbers: the
  exchange writes one price with and without trailing zeros.
* An update of the next version is applied, also when it is empty (a quiet futures book counts on). One of the same or
  an older version is dropped without a word: a quiet spot book repeats its version as a sign of life.
* An update from further ahead means that one is missing; best bid at or above best ask means that something is wrong.
  Either way the book is out of sync until the next snapshot. There is no checksum.
* Until then updates are held back, and replayed on top of it. Normally the snapshot comes first.

An exchange that starts to count anew without a snapshot would look like endless repeats. A row of them that are not
empty is therefore taken for a gap.
"""

from __future__ import annotations

import enum
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from ..models._fields import Millis
from ..models._rows import Level

HELD_BACK: Final = 256
"""Updates that are kept while a snapshot is awaited; above it the oldest goes, which the replay notices."""

_KEPT: Final = 4
# Whether spot says that a level has left its window is not documented: what has not been heard of again may pile up
# below the published levels, up to so many times their number.

_REPEATS: Final = 20


class Step(enum.Enum):
    """What a message did to a book."""

    SNAPSHOT = enum.auto()
    """It is the book now, with what was held back on top of it."""
    UPDATED = enum.auto()
    DROPPED = enum.auto()
    """Old news."""
    HELD = enum.auto()
    """Kept for the replay: the book is out of sync already."""
    GAP = enum.auto()
    """A version is missing: the book is out of sync."""
    CROSSED = enum.auto()
    """Best bid at or above best ask: the book is out of sync."""


class Change(NamedTuple):
    """What one message said: levels that changed, or for a snapshot all there are."""

    version: int
    bids: Sequence[Level]
    asks: Sequence[Level]
    time: Millis | None = None


class Side:
    """One side of a book: sizes by price, and the prices in order."""

    __slots__ = ("levels", "prices")

    def __init__(self) -> None:
        self.levels: dict[Decimal, Level] = {}
        self.prices: list[Decimal] = []
        """Ascending. A sorted list: below a few thousand entries its moves cost less than any tree's pointers."""

    def replace(self, levels: Iterable[Level]) -> None:
        """Hold these levels and no others."""
        self.levels = {level.price: level for level in levels if level.size}
        self.prices = sorted(self.levels)

    def apply(self, changes: Iterable[Level]) -> None:
        """Set each listed price to its size."""
        levels, prices = self.levels, self.prices
        # Hashing a Decimal is what costs here: one look-up a level.
        for level in changes:
            price = level.price
            if level.size:
                count = len(levels)
                levels[price] = level
                if len(levels) != count:
                    insort(prices, price)
            elif levels.pop(price, None) is not None:
                del prices[bisect_left(prices, price)]

    def forget(self, prices: Iterable[Decimal]) -> None:
        """Let go of levels that are held."""
        for price in prices:
            del self.levels[price]


class LocalBook:
    """See the head of this file.

    Args:
        level: how many levels a side the exchange vouches for; more are never published.
    """

    def __init__(self, level: int) -> None:
        self.level = level
        self.synced: bool = False
        """Whether the book is right; what it holds means nothing otherwise."""
        self.version: int = 0
        self.time: Millis | None = None
        """When the exchange pushed this version; nothing goes by it."""
        self.updates: int = 0
        """Updates that were applied."""
        self.snapshots: int = 0
        self.gaps: int = 0
        """How often a version was missing."""
        self.stale: int = 0
        """Updates that were dropped as old."""
        self.crossed: int = 0
        """How often the sides crossed."""
        self._bids = Side()
        self._asks = Side()
        self._held: deque[Change] = deque(maxlen=HELD_BACK)
        self._repeats: int = 0

    # ---- messages in ------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Throw everything away: versions of two connections have nothing to do with each other."""
        self.synced = False
        self._held.clear()
        self._repeats = 0
        self._bids = Side()
        self._asks = Side()

    def snapshot(self, whole: Change) -> Step:
        """Take a snapshot and replay what was held back."""
        self.snapshots += 1
        self._bids.replace(whole.bids)
        self._asks.replace(whole.asks)
        self.version = whole.version
        self.time = whole.time
        self._repeats = 0
        self.synced = True
        if self._is_crossed():
            # What was held back stays: the next snapshot may need it.
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
        """Take an update."""
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
        self._bids.apply(change.bids)
        self._asks.apply(change.asks)
        self.version = change.version
        self.time = change.time
        self.updates += 1
        self._repeats = 0
        if self._is_crossed():
            return Step.CROSSED
        most = _KEPT * self.level
        bids, asks = self._bids, self._asks
        if len(bids.prices) > most:
            bids.forget(bids.prices[:-most])
            del bids.prices[:-most]
        if len(asks.prices) > most:
            asks.forget(asks.prices[most:])
            del asks.prices[most:]
        return Step.UPDATED

    def _gap(self) -> Step:
        self.gaps += 1
        self.synced = False
        return Step.GAP

    def _is_crossed(self) -> bool:
        bids, asks = self._bids.prices, self._asks.prices
        if not bids or not asks or bids[-1] < asks[0]:
            return False
        self.crossed += 1
        self.synced = False
        return True

    # ---- the book ---------------------------------------------------------------------------------------------------

    def best_bid(self) -> Level | None:
        """The highest bid, None when there is none."""
        side = self._bids
        return side.levels[side.prices[-1]] if side.prices else None

    def best_ask(self) -> Level | None:
        """The lowest ask, None when there is none."""
        side = self._asks
        return side.levels[side.prices[0]] if side.prices else None

    def bids(self, count: int | None = None) -> tuple[Level, ...]:
        """The best bids, best first: at most `level` of them."""
        side = self._bids
        count = self.level if count is None else min(count, self.level)
        return tuple([side.levels[price] for price in side.prices[: -count - 1 : -1]])

    def asks(self, count: int | None = None) -> tuple[Level, ...]:
        """The best asks, best first: at most `level` of them."""
        side = self._asks
        count = self.level if count is None else min(count, self.level)
        return tuple([side.levels[price] for price in side.prices[:count]])
