"""Order books that are right, or say that they are not: what users hold, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from decimal import Context, Decimal
from typing import Final, Literal, TypeAlias

import trio

from .._io.connections import Connections
from .._scopes import open_nursery, opener, protected, start_soon
from ..errors import InvalidRequest
from ..models._fields import Millis
from ..models._numbers import exact, excerpt
from ..models._rows import Level
from ._book_sync import BookSink
from ._book_views import BookChange, BookDepth, BookState, BookStatistics

_EXACT: Final = Context(prec=40)


@protected
class OrderBook:
    """A live order book: ``async with client.streams.spot.order_book("BTC_USDT") as book: ...``.

    The book is kept up to date while the block is open, even if nobody reads it. Reading it raises `BookNotLive` while
    `state` is not ``LIVE``: a wrong price is worse than none. The block is entered once the exchange has acknowledged
    the topic; the book itself comes a moment later, so begin with `wait_live`.

    ``async for change in book`` yields a `BookChange` whenever something has changed; the first is the complete book.
    It yields only while the book is live, so that the book can be read until the next ``await``. A slow reader gets all
    missed changes merged into one, with the newest size per price. After a gap the next change is the complete book
    again. One task iterates; others may read the book, or open it again, which shares the subscription.
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
        """Return the symbol of the book."""
        return self._sink.symbol

    @property
    def state(self) -> BookState:
        """Return the state of the book."""
        return self._sink.state

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest push of the book; None before the first.

        A quiet market makes a book old, not wrong: it is probed after 15 seconds, and the answer makes it young again.
        """
        return self._sink.age

    def statistics(self) -> BookStatistics:
        """Return the counts of messages and resyncs."""
        return self._sink.statistics()

    # ---- while it is live -------------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Return the exchange's version of this book; versions of two connections are unrelated."""
        return self._sink.right().version

    @property
    def time(self) -> Millis | None:
        """Return the time when the exchange pushed the newest state; None if it has none."""
        return self._sink.right().time

    @property
    def best_bid(self) -> Level | None:
        """Return the highest bid; None if there is none."""
        return self._sink.right().best_bid()

    @property
    def best_ask(self) -> Level | None:
        """Return the lowest ask; None if there is none."""
        return self._sink.right().best_ask()

    @property
    def bids(self) -> tuple[Level, ...]:
        """Return all bids as a tuple, best first: at most 100 on spot, ``level`` on futures."""
        return self._sink.right().bids()

    @property
    def asks(self) -> tuple[Level, ...]:
        """Return all asks as a tuple, best first; see `bids`."""
        return self._sink.right().asks()

    @property
    def spread(self) -> Decimal | None:
        """Return best ask minus best bid, in quote currency; None if a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else _EXACT.subtract(ask.price, bid.price)

    @property
    def mid(self) -> Decimal | None:
        """Return the price halfway between best bid and best ask; None if a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else _EXACT.divide(_EXACT.add(bid.price, ask.price), 2)

    def depth(self, count: int) -> BookDepth:
        """Return the best ``count`` levels of each side, or all if there are fewer.

        Raises:
            InvalidRequest: ``count`` is less than 1.
        """
        if count < 1:
            raise InvalidRequest(f"depth must be at least 1, not {count!r}", argument="count")
        book = self._sink.right()
        return BookDepth(book.bids(count), book.asks(count))

    def vwap(self, side: Literal["buy", "sell"], size: Decimal | int | str) -> Decimal | None:
        """Return the average price at which this book would fill a market order.

        Args:
            side: ``"buy"`` takes asks, ``"sell"`` takes bids.
            size: base units on spot, contracts on futures.

        Returns:
            Quote currency for one base unit; None if the known book is too thin.

        Raises:
            InvalidRequest: the side is another word, or the size is not above 0.
            TypeError: the size is a float.
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
        """Wait until the book is live.

        Raises:
            ConnectionLost, SubscriptionRefused: the book has ended for good.
        """
        await trio.lowlevel.checkpoint()
        while self.state is not BookState.LIVE:
            self._sink.raise_if_over()
            await self._sink.turns.park()

    async def wait_stale(self) -> None:
        """Wait until the book is not live; return at once if it is not.

        For instance, for a task that then cancels orders.
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
                if self._sink.changes.merged:
                    return self._sink.take()
                await self._sink.readers.park()
        finally:
            self._iterated = False


def _amount(size: object) -> Decimal:
    if isinstance(size, bool) or not isinstance(size, Decimal | int | str):
        raise TypeError(f"size must be a Decimal, an int or a str, not {type(size).__name__}")
    try:
        amount = exact(size)
    except ValueError as error:
        raise InvalidRequest(f"size: {error}", argument="size") from None
    if amount <= 0:
        raise InvalidRequest(f"size must be above 0, not {excerpt(size)}", argument="size")
    return amount


OpeningBook: TypeAlias = AbstractAsyncContextManager[OrderBook]
"""The context manager that an opener returns."""


@opener
async def open_order_book(
    connections: Connections, topic: str, *, symbol: str, level: int, max_age: float | None = None
) -> AsyncGenerator[OrderBook]:
    """Keep an order book while inside the block.

    Args:
        connections: holds the topic.
        topic: a topic of an incremental channel.
        symbol: the topic's symbol.
        level: levels per side that the channel keeps up to date.
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
