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
                if self._sink.changes.merged:
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
