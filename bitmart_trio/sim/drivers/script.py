"""Script a market: trades, prices and whole books, exactly as a test sets them.

    async with open_exchange(market="scripted") as exchange:
        exchange.book.set("BTC_USDT", bids=[("59999", "1")], asks=[("60001", "2")])
        exchange.market.trade("BTC_USDT", price="60001", size="0.5", side="buy")

On a scripted exchange nothing moves unless it is set: books are empty until they are set, prices stay where they were
put, and users' orders trade with the orders in the book. Pushes follow as on any exchange.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import TypeAlias

from ..._scopes import own_decimals, protected
from ..futures.listing import Listing
from ..futures.market import FuturesMarket
from ..kernel.book import Book, Resting, Side
from ..kernel.clock import Clock
from ..kernel.encoding import Json
from ..kernel.eventlog import EventLog
from ..kernel.pairs import PairMarket
from ..kernel.symbols import Amount, exact
from ..models.market import MarketModel
from ..spot.market import SpotMarket

Level: TypeAlias = "tuple[Amount, Amount]"
"""A price and a size."""


class _Scripted:
    """The common base of both scripts: the markets of symbols, and their grids."""

    def __init__(
        self, spot: SpotMarket, futures: FuturesMarket, model: MarketModel, clock: Clock, log: EventLog
    ) -> None:
        self._spot = spot
        self._futures = futures
        self._model = model
        self._clock = clock
        self._log = log

    def _found(self, symbol: str) -> PairMarket | Listing:
        found = self._spot.markets.get(symbol) or self._futures.listings.get(symbol)
        if found is None:
            listed = ", ".join([*self._spot.markets, *self._futures.listings])
            raise ValueError(f"{symbol!r} is not listed here; there are {listed}")
        return found

    def _steps(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return the steps of prices and sizes."""
        market = self._spot.markets.get(symbol)
        if market is not None:
            return market.pair.tick, market.pair.lot
        return self._futures.listings[symbol].contract.tick, Decimal(1)

    def _price(self, symbol: str, price: Amount) -> Decimal:
        return _on_grid(exact(price, "price"), self._steps(symbol)[0], f"the price step of {symbol}")

    def _size(self, symbol: str, size: Amount) -> Decimal:
        return _on_grid(exact(size, "size"), self._steps(symbol)[1], f"the size step of {symbol}")


@protected
class MarketScript(_Scripted):
    """Sets trades and prices of a market."""

    @own_decimals
    def trade(self, symbol: str, *, price: Amount, size: Amount, side: Side = "buy") -> None:
        """Make a trade between two strangers at exactly this price.

        Users' orders that the price reaches are filled first, best price first, each at its own price. The rest of the
        size is a trade between strangers, and is removed from the level that was set at that price.

        Args:
            symbol: a pair or contract.
            price: a multiple of the symbol's price step.
            size: base currency on spot, contracts on futures.
            side: the taker's side.

        Raises:
            ValueError: the symbol is not listed, or a number is not on its grid.
            TypeError: a number is a float.
        """
        self._found(symbol)
        if side not in ("buy", "sell"):
            raise ValueError(f"side is buy or sell, not {side!r}")
        self.show(symbol, self._price(symbol, price), self._size(symbol, size), side)

    @own_decimals
    def show(self, symbol: str, price: Decimal, size: Decimal, side: Side) -> None:
        """`trade` without the checks."""
        market = self._spot.markets.get(symbol)
        if market is not None:
            self._spot.engine.show(market, side, price, size)
        else:
            self._futures.show(self._futures.listings[symbol], side, price, size)

    @own_decimals
    def price(self, symbol: str, price: Amount) -> None:
        """Set the last price of a symbol, without a trade, and with it the price of its coin.

        Mark and index prices of all contracts of the coin follow at once. Triggers and liquidations follow at the next
        tick. On a synthetic market the walk continues from there instead, and last prices follow at the next tick.

        Raises:
            ValueError: the symbol is not listed, or the price is not on its grid.
            TypeError: the price is a float.
        """
        self._found(symbol)
        number = self._price(symbol, price)
        market = self._spot.markets.get(symbol)
        if market is not None:
            self.pin(market.pair.base, number * self._model.price(market.pair.quote))
            if not self._model.moves:
                market.mark(number, self._clock.steady_ms())
                self._spot.market_moved(market)
            return
        listing = self._futures.listings[symbol]
        self.pin(listing.contract.base, number)
        if not self._model.moves:
            listing.last = number
            listing.series.note(self._clock.steady_ms(), number)

    @own_decimals
    def pin(self, coin: str, dollars: Decimal) -> None:
        """Set the price of a coin and the index of its contracts."""
        if self._model.moves:
            self._model.push(coin, dollars)
            return
        self._model.pin(coin, dollars)
        for listing in self._futures.listings.values():
            if listing.contract.base == coin:
                listing.set_index(self._clock.steady_ms(), dollars)


@protected
class BookScript(_Scripted):
    """The books of a scripted market."""

    def __init__(
        self, spot: SpotMarket, futures: FuturesMarket, model: MarketModel, clock: Clock, log: EventLog
    ) -> None:
        super().__init__(spot, futures, model, clock, log)
        self._ids = count(1)

    @own_decimals
    def set(self, symbol: str, *, bids: Iterable[Level] | None = None, asks: Iterable[Level] | None = None) -> None:
        """Set the levels of a book, in place of everything but users' orders.

        A level that meets users' orders trades with them, at their price, and only the rest of it stays.

        Args:
            symbol: a pair or contract.
            bids: (price, size) in any order; None leaves the side unchanged, an empty list empties it.
            asks: the same for the other side.

        Raises:
            ValueError: the symbol is not listed, a number is not on its grid, two levels have one price, or the sides
                would cross.
            TypeError: a number is a float.
            RuntimeError: the market is synthetic: its makers would quote over the book.
        """
        if self._model.moves:
            raise RuntimeError('the makers own this book; open the exchange with market="scripted"')
        book = self._found(symbol).book
        sides: dict[Side, dict[Decimal, Decimal]] = {}
        for side, levels in (("buy", bids), ("sell", asks)):
            if levels is not None:
                sides["buy" if side == "buy" else "sell"] = self._levels(symbol, levels)
        best_bid = max(sides["buy"] if "buy" in sides else _strangers(book, "buy"), default=None)
        best_ask = min(sides["sell"] if "sell" in sides else _strangers(book, "sell"), default=None)
        if best_bid is not None and best_ask is not None and best_bid >= best_ask:
            raise ValueError(f"the book of {symbol} would cross: {best_bid} bid, {best_ask} asked")
        self.put(symbol, sides)

    @own_decimals
    def put(self, symbol: str, sides: dict[Side, dict[Decimal, Decimal]]) -> None:
        """`set` without the checks."""
        book = self._found(symbol).book
        for side in sides:
            for order in book.orders(side, None):
                book.cancel(order.order_id)
        for side, levels in sides.items():
            for price in sorted(levels, reverse=side == "buy"):
                left = self._meet(symbol, side, price, levels[price])
                if left:
                    book.add(Resting(f"s{next(self._ids)}", side, price, left, None))
        shown: dict[str, Json] = {
            "bids" if side == "buy" else "asks": [
                [price, levels[price]] for price in sorted(levels, reverse=side == "buy")
            ]
            for side, levels in sides.items()
        }
        self._log.write("book", symbol=symbol, **shown)
        if book.queued:
            book.bound_queues()
        market = self._spot.markets.get(symbol)
        if market is not None:
            self._spot.market_moved(market)

    def bids(self, symbol: str) -> list[tuple[Decimal, Decimal]]:
        """Return all bids as (price, size), users' orders included, best first."""
        return self._found(symbol).book.levels("buy", 1_000_000)

    def asks(self, symbol: str) -> list[tuple[Decimal, Decimal]]:
        """Return all asks as (price, size), users' orders included, best first."""
        return self._found(symbol).book.levels("sell", 1_000_000)

    def _meet(self, symbol: str, side: Side, price: Decimal, size: Decimal) -> Decimal:
        """Trade a new level with the users' orders in its way; return the rest of its size."""
        market = self._spot.markets.get(symbol)
        if market is not None:
            return self._spot.engine.meet(market, side, price, size)
        return self._futures.engine.meet(self._futures.listings[symbol], side, price, size)

    def _levels(self, symbol: str, levels: Iterable[Level]) -> dict[Decimal, Decimal]:
        found: dict[Decimal, Decimal] = {}
        for price, size in levels:
            at = self._price(symbol, price)
            if at in found:
                raise ValueError(f"two levels at {price}")
            found[at] = self._size(symbol, size)
        return found


def _on_grid(number: Decimal, step: Decimal, what: str) -> Decimal:
    if number % step:
        raise ValueError(f"{number} is no multiple of {step}, {what}")
    # With the step's decimal places, so that the log has one spelling per number.
    return number.quantize(step) if step == Decimal(1).scaleb(step.adjusted()) else number


def _strangers(book: Book, side: Side) -> list[Decimal]:
    return [order.price for order in book.orders(side, None)]
