"""Order books that are right, or say that they are not.

A book is fed by the router itself, push by push, whether anybody looks at it or not: a slow reader cannot break it. The
rules are in ``_core/book.py``; here is what needs time and a connection: who is woken, and how a book that is out of
sync gets right again. For that it has one task, which

* waits for the snapshot that follows every acknowledgement, asks for one when a gap was seen or none has come,
* subscribes afresh when the answer stays away, and after that replaces the connection, once,
* and then goes on asking with growing patience, since the connection has other topics too;
* asks as well when a live book has been quiet for a while, ever more rarely as long as nothing but answers come. An
  answer that is newer than the book says that the exchange has forgotten the subscription: then it is made afresh.

A book is in doubt, and STALE, from the `Silent` event on and when such a question is not answered, until a push
confirms it. With ``max_age`` it is STALE as well when the newest push is older than that.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Context, Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

import attrs
import trio

from .._core.book import Change, LocalBook, Step
from .._io.connections import Connections
from .._scopes import open_nursery, opener, protected, start_soon
from ..errors import AbsentMember, BookNotLive, InvalidRequest
from ..models._fields import Millis
from ..models._model import Model
from ..models._numbers import exact, excerpt
from ..models._rows import Level
from ..models.futures_streams import FuturesDepthIncrease
from ..models.spot_streams import BookUpdateType, SpotDepthIncrease
from ..models.stream_events import Gap

_PACE: Final = 1.0
"""Seconds between two requests for a snapshot, however often a book breaks: all topics share one allowance."""
_MOST_PATIENCE: Final = 60.0
_QUIET: Final = 15.0
"""Seconds without a push after which a live book is asked for. Books of futures were seen to pause for 10 s at most."""
_LONGEST_QUIET: Final = 3600.0
_PENDING: Final = 4
"""Changed levels that are kept for a reader, in sizes of the book; above it the whole book is what has changed."""
_EXACT: Final = Context(prec=40)


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


_NOTHING: Final = Change(0, (), ())


@protected
class BookSink:
    """What the router feeds: one book, its state, and who waits for it. See the head of this file.

    Args:
        connections: holds the topic.
        topic: as on the wire.
        symbol: its market.
        level: levels a side.
        patience: seconds that a snapshot may take.
        max_age: seconds without a push after which the book is stale; None has no such bound.
    """

    def __init__(
        self,
        connections: Connections,
        topic: str,
        *,
        symbol: str,
        level: int,
        patience: float,
        max_age: float | None = None,
    ) -> None:
        if max_age is not None and not max_age > 0:
            raise InvalidRequest(f"max_age must be above 0 seconds, not {max_age!r}", argument="max_age")
        self.topics: dict[str, None] = {}
        self.symbol = symbol
        self.local: LocalBook = LocalBook(level)
        self._takes: dict[BookUpdateType, Callable[[Change], Step]] = {
            BookUpdateType.UPDATE: self.local.update,
            BookUpdateType.SNAPSHOT: self.local.snapshot,
        }
        self.closed: bool = False
        self.error: Exception | None = None
        self.turns: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        """Tasks that wait for the book to become live, or not."""
        self.readers: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        self._connections = connections
        self._topic = topic
        self._first_patience = self._patience = patience
        self._was_live: bool = False
        self._resyncs: int = 0
        self._reconnects: int = 0
        self._conflated: int = 0
        self._last: float | None = None
        self._max_age = max_age
        self._doubted: bool = False
        self._expired: bool = False
        """The waiters know that it is older than `max_age`."""
        self._quiet = _QUIET
        """Seconds without a push after which it is asked for."""
        # For the reader: what has changed since it last looked.
        self._pending: list[Change] = []
        self._pending_levels: int = 0
        self._merged: int = 0
        self._whole: bool = False
        # For the recovery.
        self._opened: bool = False
        self._down: bool = False
        self._expected: bool = False
        self._again: bool = False
        self._replaced: bool = False
        self._asked = float("-inf")
        self._turned = trio.Event()

    # ---- the router's side -------------------------------------------------------------------------------------------

    def put(self, item: SpotDepthIncrease | FuturesDepthIncrease, key: Hashable, now: float) -> None:
        """Apply a push."""
        if self.closed or self.error is not None:
            return
        self._last = now
        was_right = self.local.synced and not self._doubted  # `_right` without the call: this is done for each push
        # Of a live book that was asked for because it was quiet.
        shown = self._shown() if self._quiet > _QUIET and was_right else None
        try:
            take = self._takes.get(item.type)
            change = Change(item.version, item.bids, item.asks, getattr(item, "time", None))
        except AbsentMember:  # a book that goes on without knowing what has changed is wrong
            take, change = self._missed, _NOTHING
        if take is None:
            return  # a word that nobody has heard of: if it meant anything, the next version is a gap
        match take(change):
            case Step.UPDATED:
                self._quiet = _QUIET
                self._note(change)
            case Step.SNAPSHOT:
                if shown is None:
                    self._become_right(was_right)
                elif shown != self._shown():
                    self._mute(was_right)
            case Step.GAP:
                # Also seen right behind a snapshot: then another one is needed, and will not come by itself.
                self._expected, self._again = False, True
                self._become_wrong()
            case Step.CROSSED:
                self._become_wrong()
            case Step.DROPPED:
                self._quiet = _QUIET
            case Step.HELD:
                pass
        if (self._doubted or self._expired) and self.local.synced:
            self._become_right(was_right)

    def _shown(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        return self.local.bids(), self.local.asks()

    def _mute(self, was_right: bool) -> None:
        """The answer to a question differs from the book, and no push had said so: the exchange pushes it no longer.

        The levels count and not the version, which on futures rises with each push.
        """
        renewed, self._quiet = self._expected, _QUIET
        self._become_right(was_right)
        if not renewed:
            self._connections.renew(self._topic)

    def _missed(self, _: Change) -> Step:
        return self.local.missed()

    def lost(self, topic: str, gap: Gap | None) -> None:
        """The connection is gone, and with it the meaning of versions."""
        self._down = gap is not None
        self._doubted = False
        self.local.reset()
        self._become_wrong()

    def doubt(self, topic: str) -> None:
        """The topic fell silent, or the machine slept. Whoever says so has asked for a snapshot, or will be asked."""
        if self._right:
            self._doubted = self._expected = True
            self._become_wrong()

    def renewed(self, topic: str) -> None:
        """The topic was acknowledged afresh: its snapshot follows."""
        self._expected = True
        self._turn()

    def gap(self, gap: Gap, connection: int | None) -> None:
        """A new connection has taken the topic up, and sends its snapshot."""
        self._reconnects += connection is not None
        self._down = False
        self._expected = True
        self._turn()

    def end(self, error: Exception) -> None:
        """There will be no more."""
        if self.error is None and not self.closed:
            self.error = error
            self.local.reset()
            self._become_wrong()
            self._connections.forget(self)

    # ---- turns ------------------------------------------------------------------------------------------------------

    def _become_right(self, was_right: bool) -> None:
        if self._was_live and not was_right:
            self._resyncs += 1
        self._was_live = True
        turned = not was_right or self._expired
        self._expected = self._doubted = self._expired = False
        self._patience = self._first_patience
        self._replaced = False
        self._pending.clear()
        self._whole = True
        self._merged += 1
        self.readers.unpark_all()
        if turned:
            self._turn()

    def _become_wrong(self) -> None:
        self._pending.clear()
        self._pending_levels = self._merged = 0
        self._whole = False
        self._turn()
        if self.error is not None or self.closed:
            self.readers.unpark_all()

    def _turn(self) -> None:
        self._turned.set()
        self.turns.unpark_all()

    @property
    def state(self) -> BookState:
        """Whether the book can be believed."""
        if self._right and not self._too_old:
            return BookState.LIVE
        return BookState.STALE if self._was_live else BookState.SYNCING

    @property
    def _right(self) -> bool:
        return self.local.synced and not self._doubted

    @property
    def _too_old(self) -> bool:
        if self._max_age is None or self._last is None:
            return False
        return self._expired or trio.current_time() >= self._last + self._max_age

    @property
    def age(self) -> float | None:
        """Seconds since the newest push, None before the first."""
        return None if self._last is None else trio.current_time() - self._last

    # ---- the reader's side ------------------------------------------------------------------------------------------

    def _note(self, change: Change) -> None:
        self._merged += 1
        if not self._whole:
            self._pending.append(change)
            self._pending_levels += 1 + len(change.bids) + len(change.asks)
            if self._pending_levels > _PENDING * self.local.level:
                self._pending.clear()
                self._whole = True
        if self.readers:
            self.readers.unpark_all()

    @property
    def changed(self) -> bool:
        """Whether there is something for the reader."""
        return self._merged > 0

    def take(self) -> BookChange:
        """All that has changed since the last time, as one."""
        local, merged, whole = self.local, self._merged, self._whole
        if whole:
            bids, asks = local.bids(), local.asks()
        else:
            bids = _merge((change.bids for change in self._pending), bids=True)
            asks = _merge((change.asks for change in self._pending), bids=False)
        self._conflated += merged - 1
        self._pending.clear()
        self._pending_levels = self._merged = 0
        self._whole = False
        return BookChange(
            symbol=self.symbol,
            version=local.version,
            bids=bids,
            asks=asks,
            snapshot=whole,
            merged=merged,
            time=local.time,
        )

    def right(self) -> LocalBook:
        """The book, if it can be believed.

        Raises:
            BookNotLive: it cannot.
        """
        self.raise_if_closed()
        if self.state is not BookState.LIVE:
            state, age = self.state.value, ""
            if self._right and self.age is not None:
                age = f", its newest push is {self.age:.1f} s old (max_age={self._max_age:g})"
            raise BookNotLive(
                f"the book of {self.symbol} is {state}{age}; wait_live() waits until it is right",
                symbol=self.symbol,
                state=state,
            ) from self.error
        return self.local

    def raise_if_over(self) -> None:
        """Raise what ended the book, if anything did."""
        self.raise_if_closed()
        if self.error is not None:
            raise self.error.with_traceback(None)

    def raise_if_closed(self) -> None:
        """Raise for a book whose ``async with`` was left."""
        if self.closed:
            raise trio.ClosedResourceError("this order book is closed")

    def statistics(self) -> BookStatistics:
        """See `BookStatistics`."""
        local = self.local
        return BookStatistics(
            updates=local.updates,
            snapshots=local.snapshots,
            gaps=local.gaps,
            stale_dropped=local.stale,
            crossed=local.crossed,
            resyncs=self._resyncs,
            reconnects=self._reconnects,
            conflated=self._conflated,
            last_message=self._last,
        )

    # ---- the opener's side ------------------------------------------------------------------------------------------

    def opened(self, *, shared: bool) -> None:
        """The topic was acknowledged; one that others held before sends no snapshot by itself."""
        self._opened = True
        self._expected = not shared

    def close(self) -> None:
        """Nobody looks any more."""
        self.closed = True
        self.local.reset()
        self._become_wrong()

    async def recover(self) -> None:
        """Set the book right whenever it is not, until cancelled."""
        while True:
            while not self._in_need:
                self._turned = trio.Event()
                with trio.move_on_at(self._look_at()):
                    await self._turned.wait()
                    continue
                self._look()
            self._again = False
            if self._expected and await self._settled(self._patience):
                continue
            self._expected = False
            if await self._settled(self._asked + _PACE - trio.current_time()):
                continue
            self._asked = trio.current_time()
            self._connections.request(self._topic)
            if await self._settled(self._patience):
                continue
            self._connections.renew(self._topic)
            if await self._settled(self._patience):
                continue
            if not self._replaced:
                self._replaced = True
                self._connections.replace(self._topic, f"no snapshot of {self._topic} could be had")
                await self._settled(self._patience)
            self._patience = min(2 * self._patience, max(_MOST_PATIENCE, self._first_patience))

    def _look_at(self) -> float:
        """When a live book must be looked at, should nothing come until then."""
        if self._last is None or not self._right:
            return float("inf")
        if self._asked > self._last:  # it has been asked for, and the answer is due then
            times = [self._asked + self._patience]
        else:
            times = [self._asked + _PACE if self._expired else self._last + self._quiet]
        if self._max_age is not None and not self._expired:
            times.append(self._last + self._max_age)
        return max(min(times), trio.current_time() + 0.001)  # a rounded sum must not make the loop spin

    def _look(self) -> None:
        """See to a live book of which nothing has come for a while."""
        now = trio.current_time()
        assert self._last is not None
        if self._max_age is not None and not self._expired and now >= self._last + self._max_age:
            self._expired = True
            self._turn()
            if now < self._asked + _PACE:
                return
        elif now < self._look_at() - 0.01:
            return
        elif self._asked > self._last:
            self._doubted, self._expected = True, False
            self._become_wrong()
            return
        self._asked = now
        self._quiet = min(2 * self._quiet, _LONGEST_QUIET)
        self._connections.request(self._topic)

    @property
    def _in_need(self) -> bool:
        return self._opened and not self._down and not self._right and self.error is None and not self.closed

    async def _settled(self, seconds: float) -> bool:
        """Wait; whether within that time the book was set right, lost its connection, or called for another try."""
        with trio.move_on_after(max(seconds, 0)):  # noqa: ASYNC912  # there may be nothing to wait for
            while self._in_need and not self._again:
                self._turned = trio.Event()
                await self._turned.wait()
        return self._again or not self._in_need  # noqa: ASYNC910  # part of a task of ours


def _merge(parts: Iterable[Iterable[Level]], *, bids: bool) -> tuple[Level, ...]:
    """The newest size a price, best first."""
    newest = {level.price: level for part in parts for level in part}
    return tuple([newest[price] for price in sorted(newest, reverse=bids)])


@protected
class OrderBook:
    """A live order book: ``async with client.streams.spot.order_book("BTC_USDT") as book: ...``.

    It is kept while the block is open, whether or not anybody reads it. Everything that looks into the book raises
    `BookNotLive` while `state` is not ``LIVE``: a wrong price is worse than none. Entering the block returns when the
    exchange has acknowledged the topic; the book itself comes a moment later, so begin with `wait_live`.

    ``async for change in book`` yields a `BookChange` whenever something has changed; the first is the whole book. It
    yields while the book is live only, so that the book can be read without a care until the next ``await``. A reader
    that is slow gets what it missed merged into one change, with the newest size a price. After a gap the next change
    is the whole book again. One task iterates; others may look at the book, or open one of their own: it shares the
    wire.
    """

    __slots__ = ("_iterated", "_sink")

    def __init__(self, sink: BookSink) -> None:
        self._sink = sink
        self._iterated: bool = False

    def __repr__(self) -> str:
        return f"<OrderBook {self.symbol} {'closed' if self._sink.closed else self.state.value}>"

    # ---- always there -----------------------------------------------------------------------------------------------

    @property
    def symbol(self) -> str:
        """Whose book it is."""
        return self._sink.symbol

    @property
    def state(self) -> BookState:
        """Whether it can be believed."""
        return self._sink.state

    @property
    def age(self) -> float | None:
        """Seconds since the exchange pushed anything of it, by Trio's clock; None before the first push.

        A quiet market makes a book old, not wrong: it is asked for after 15 seconds, and an answer makes it new again.
        """
        return self._sink.age

    def statistics(self) -> BookStatistics:
        """Counts of its messages, and of how often it had to be set right."""
        return self._sink.statistics()

    # ---- while it is live -------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The exchange's count of this book's states. Those of two connections have nothing to do with each other."""
        return self._sink.right().version

    @property
    def time(self) -> Millis | None:
        """When the exchange pushed the newest state; None where it does not say."""
        return self._sink.right().time

    @property
    def best_bid(self) -> Level | None:
        """The highest bid, None when there is none."""
        return self._sink.right().best_bid()

    @property
    def best_ask(self) -> Level | None:
        """The lowest ask, None when there is none."""
        return self._sink.right().best_ask()

    @property
    def bids(self) -> tuple[Level, ...]:
        """All bids, best first: at most 100 on spot, the asked ``level`` on futures. It does not change afterwards."""
        return self._sink.right().bids()

    @property
    def asks(self) -> tuple[Level, ...]:
        """All asks, as `bids`."""
        return self._sink.right().asks()

    @property
    def spread(self) -> Decimal | None:
        """Best ask minus best bid, in the quote currency; None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else _EXACT.subtract(ask.price, bid.price)

    @property
    def mid(self) -> Decimal | None:
        """The price halfway between best bid and best ask; None when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else _EXACT.divide(_EXACT.add(bid.price, ask.price), 2)

    def depth(self, count: int) -> BookDepth:
        """The best ``count`` levels of each side, fewer where there are no more.

        Raises:
            InvalidRequest: less than one level.
        """
        if count < 1:
            raise InvalidRequest(f"depth must be at least 1, not {count!r}", argument="count")
        book = self._sink.right()
        return BookDepth(book.bids(count), book.asks(count))

    def vwap(self, side: Literal["buy", "sell"], size: Decimal | int | str) -> Decimal | None:
        """The average price of a market order, were it filled by this book.

        Args:
            side: ``"buy"`` takes asks, ``"sell"`` takes bids.
            size: base units on spot, contracts on futures.

        Returns:
            Quote currency for one base unit; None when the book is too thin, as far as it is known.

        Raises:
            InvalidRequest: another word for the side, or a size that is not above 0.
            TypeError: a float.
        """
        if side not in ("buy", "sell"):
            raise InvalidRequest(f'side must be "buy" or "sell", not {side!r}', argument="side")
        left = wanted = _amount(size)
        paid = Decimal(0)
        for level in self.asks if side == "buy" else self.bids:
            taken = min(left, level.size)
            paid = _EXACT.fma(taken, level.price, paid)
            left = _EXACT.subtract(left, taken)
            if not left:
                return _EXACT.divide(paid, wanted)
        return None

    # ---- waiting ----------------------------------------------------------------------------------------------------

    async def wait_live(self) -> None:
        """Wait until the book can be believed.

        Raises:
            ConnectionLost, SubscriptionRefused: it cannot come any more.
        """
        await trio.lowlevel.checkpoint()
        while self.state is not BookState.LIVE:
            self._sink.raise_if_over()
            await self._sink.turns.park()

    async def wait_stale(self) -> None:
        """Wait until the book cannot be believed any more; at once when it cannot now.

        For a task that takes orders out of the market then.
        """
        await trio.lowlevel.checkpoint()
        while self.state is BookState.LIVE:
            await self._sink.turns.park()

    def __aiter__(self) -> OrderBook:
        return self

    async def __anext__(self) -> BookChange:
        if self._iterated:
            raise trio.BusyResourceError("another task iterates over this order book")
        self._iterated = True
        try:
            await trio.lowlevel.checkpoint()
            while True:
                self._sink.raise_if_over()
                if self._sink.changed:
                    return self._sink.take()
                await self._sink.readers.park()
        finally:
            self._iterated = False


def _amount(size: object) -> Decimal:
    if isinstance(size, bool) or not isinstance(size, Decimal | int | str):
        raise TypeError(f"size takes Decimal, int or str, not {type(size).__name__}")
    try:
        amount = exact(size)
    except ValueError as error:
        raise InvalidRequest(f"size: {error}", argument="size") from None
    if amount <= 0:
        raise InvalidRequest(f"size must be above 0, not {excerpt(size)}", argument="size")
    return amount


OpeningBook: TypeAlias = AbstractAsyncContextManager[OrderBook]
"""``async with`` it."""


@opener
async def open_order_book(
    connections: Connections, topic: str, *, symbol: str, level: int, max_age: float | None = None
) -> AsyncGenerator[OrderBook]:
    """Keep a book while inside.

    Args:
        connections: holds the topic.
        topic: an incremental channel's.
        symbol: the topic's.
        level: levels a side that the channel keeps up to date.
        max_age: seconds without a push after which the book is stale; None has no such bound.
    """
    patience = connections.config.timeouts.snapshot
    sink = BookSink(connections, topic, symbol=symbol, level=level, patience=patience, max_age=max_age)
    try:
        sink.opened(shared=await connections.follow(sink, topic))
        async with open_nursery() as nursery:
            start_soon(nursery, sink.recover)
            try:
                yield OrderBook(sink)
            finally:
                nursery.cancel_scope.cancel()
    finally:
        sink.close()
        connections.forget(sink)
