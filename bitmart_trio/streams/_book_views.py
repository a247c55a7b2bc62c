"""Define what a reader sees of an order book: its state, its counts, and its changes."""

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
"""The most changed levels kept for a reader, in sizes of the book; above it the change is the complete book."""


class BookState(enum.Enum):
    """The state of an order book: whether it may be trusted."""

    SYNCING = "syncing"
    """The first snapshot has not come yet."""
    LIVE = "live"
    """The book is the exchange's at its version, as far as messages have arrived."""
    STALE = "stale"
    """The book may be wrong: a version is missing, the sides crossed, the connection is gone, its topic fell silent,
    the machine was suspended, or no message has come for longer than ``max_age``.
    """


@attrs.frozen(kw_only=True)
class BookChange(Model):
    """The changes of an order book since the previous change."""

    symbol: str
    """The symbol of the book."""
    version: int
    """The book's version, including this change."""
    bids: tuple[Level, ...]
    """New sizes by price, best first; 0 removes the level."""
    asks: tuple[Level, ...]
    """The changed levels; size 0 removes one."""
    snapshot: bool
    """True if the levels are the complete book: discard everything derived from earlier changes."""
    merged: int
    """The number of messages in it: 1 for a reader that keeps up."""
    time: Millis | None
    """The time when the exchange pushed the newest of them."""


class BookDepth(NamedTuple):
    """The best levels of both sides of one moment, best first."""

    bids: tuple[Level, ...]
    """Best first."""
    asks: tuple[Level, ...]
    """Best first."""


@attrs.frozen(kw_only=True)
class BookStatistics(Model):
    """The counts of an order book's messages and resyncs."""

    updates: int
    """Applied."""
    snapshots: int
    """Complete books that were received."""
    gaps: int
    """The number of missing versions."""
    stale_dropped: int
    """Messages with nothing new: repeats, and a quiet book's signs of life."""
    crossed: int
    """The number of times that the best bid was not below the best ask."""
    resyncs: int
    """The number of times that the book became live again."""
    reconnects: int
    """Lost connections after which the topic was acknowledged again."""
    conflated: int
    """Messages that reached the reader merged into another change."""
    last_message: float | None
    """``trio.current_time()`` of the newest message, None before the first."""


class Changes:
    """The changes of a live book since its reader's last one.

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
        """Add the changes of an update."""
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
    """Return the newest size per price, best first."""
    newest = {level.price: level for part in parts for level in part}
    return tuple([newest[price] for price in sorted(newest, reverse=bids)])
