"""What a reader sees of an order book: its state, its counts, and what has changed since the reader last looked."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final, NamedTuple

import attrs

from .._core.book import Change, LocalBook
from ..models._fields import Millis
from ..models._model import Model
from ..models._rows import Level

_PENDING: Final = 4
"""Changed levels that are kept for a reader, in sizes of the book; above it the whole book is what has changed."""


class BookState(enum.Enum):
    """Whether an order book can be believed."""

    SYNCING = "syncing"
    """It was never right so far: its first snapshot has not come."""
    LIVE = "live"
    """It is the exchange's book at its version, as far as anything has arrived."""
    STALE = "stale"
    """It was right, and is not any more or may not be: a version is missing, the sides crossed, the connection is gone,
    its topic fell silent, the machine was suspended, or nothing has come for longer than ``max_age``.
    """


@attrs.frozen(kw_only=True)
class BookChange(Model):
    """What has changed in an order book since the change before."""

    symbol: str
    """Of the book."""
    version: int
    """The book's, with this change in it."""
    bids: tuple[Level, ...]
    """New sizes by price, best first; 0 means that the level is gone."""
    asks: tuple[Level, ...]
    """The changed levels; size 0 removes one."""
    snapshot: bool
    """The levels are the whole book: forget what you derived from earlier changes."""
    merged: int
    """How many messages are in it: 1 for a reader that keeps up."""
    time: Millis | None
    """When the exchange pushed the newest of them."""


class BookDepth(NamedTuple):
    """The best levels of both sides of one moment, best first."""

    bids: tuple[Level, ...]
    """Best first."""
    asks: tuple[Level, ...]
    """Best first."""


@attrs.frozen(kw_only=True)
class BookStatistics(Model):
    """What has become of an order book's messages, and how often it had to be set right."""

    updates: int
    """Applied."""
    snapshots: int
    """Whole books received."""
    gaps: int
    """How often a version was missing."""
    stale_dropped: int
    """Messages that brought nothing new: repeats, and a quiet book's signs of life."""
    crossed: int
    """How often the best bid was not below the best ask."""
    resyncs: int
    """How often the book was set right after it had been live and then not."""
    reconnects: int
    """Breaks of the connection after which the topic was acknowledged again."""
    conflated: int
    """Messages that reached the reader merged into another one's change."""
    last_message: float | None
    """``trio.current_time()`` of the newest message, None before the first."""


class Changes:
    """What has changed in a book that is live since its reader last took it.

    Args:
        level: levels a side of the book.
    """

    __slots__ = ("_levels", "_most", "_pending", "conflated", "merged")

    def __init__(self, level: int) -> None:
        self.merged: int = 0
        """Messages that the reader has not seen."""
        self.conflated: int = 0
        """See `BookStatistics`."""
        self._pending: list[Change] | None = []
        """None: so much that the whole book is what has changed."""
        self._levels: int = 0
        self._most = _PENDING * level

    def add(self, change: Change) -> None:
        """Note an update."""
        self.merged += 1
        if self._pending is not None:
            self._pending.append(change)
            self._levels += 1 + len(change.bids) + len(change.asks)
            if self._levels > self._most:
                self._pending = None

    def replace(self) -> None:
        """Note that the whole book is new."""
        self.merged += 1
        self._pending = None

    def clear(self) -> None:
        """Forget what the reader has not seen."""
        self._pending = []
        self._levels = self.merged = 0

    def take(self, symbol: str, local: LocalBook) -> BookChange:
        """Return all that has changed as one change."""
        if self._pending is None:
            bids, asks = local.bids(), local.asks()
        else:
            bids = _merge((change.bids for change in self._pending), bids=True)
            asks = _merge((change.asks for change in self._pending), bids=False)
        change = BookChange(
            symbol=symbol,
            version=local.version,
            bids=bids,
            asks=asks,
            snapshot=self._pending is None,
            merged=self.merged,
            time=local.time,
        )
        self.conflated += self.merged - 1
        self.clear()
        return change


def _merge(parts: Iterable[Iterable[Level]], *, bids: bool) -> tuple[Level, ...]:
    """The newest size a price, best first."""
    newest = {level.price: level for part in parts for level in part}
    return tuple([newest[price] for price in sorted(newest, reverse=bids)])
