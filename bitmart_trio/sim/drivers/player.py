"""Play a tape on an exchange: each trade and each book at its time, with users' orders in between."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal
from typing import Final, cast

from ..exchange import Exchange
from ..kernel.book import Side
from .moments import Moment, TapeBook, TapeError, TapeTrade
from .script import BookScript, MarketScript
from .tape import Tape

LADDER: Final = 20
"""The number of invented levels per side."""


class Player:
    """A tape that plays on an exchange, through the scripts."""

    def __init__(self, exchange: Exchange, tape: Tape, market: MarketScript, book: BookScript) -> None:
        listed = {*exchange.spot.markets, *exchange.futures.listings}
        missing = [symbol for symbol in tape.symbols if symbol not in listed]
        if missing:
            raise TapeError(f"the tape has {', '.join(missing)}, the exchange has not")
        self._spot = exchange.spot
        self._futures = exchange.futures
        self._flow = exchange.flow
        self._market = market
        self._book = book
        self._shift = exchange.clock.start - tape.start_ms
        self._moments = iter(tape)
        self._next: Moment | None = next(self._moments, None)
        self._booked = {symbol for symbol, part in tape.parts.items() if part.books}
        self._ladders: dict[str, tuple[Decimal, int]] = {}
        """Price and age (in trades of the book) of the invented books."""
        spot = {pair.base for pair in (market.pair for market in exchange.spot.markets.values())}
        self._leads = {
            symbol: coin
            for symbol in tape.symbols
            if "_" in symbol or _coin(exchange, symbol) not in spot
            for coin in (_coin(exchange, symbol),)
        }
        """The symbols whose trades set the price of a coin: the pair before the contract."""
        for symbol, part in tape.parts.items():
            if part.first is not None:
                market.price(symbol, part.first)
                self._ladder(symbol, part.first)

    @property
    def next_ms(self) -> int | None:
        """Return the time of the next event; None when the tape has ended."""
        return None if self._next is None else self._next.ms + self._shift

    def play(self, now_ms: int) -> None:
        """Play the events that are due."""
        while self._next is not None and self._next.ms + self._shift <= now_ms:
            moment, self._next = self._next, next(self._moments, None)
            if isinstance(moment, TapeBook):
                self._show(moment)
            else:
                self._trade(moment)

    def close(self) -> None:
        """Stop playing, and close the tape's file."""
        self._next = None
        if isinstance(self._moments, Generator):
            cast("Generator[Moment]", self._moments).close()

    def _trade(self, moment: TapeTrade) -> None:
        self._market.show(moment.symbol, moment.price, moment.size, moment.side)
        coin = self._leads.get(moment.symbol)
        if coin is not None:
            market = self._spot.markets.get(moment.symbol)
            quote = "USDT" if market is None else market.pair.quote
            self._market.pin(coin, moment.price * self._flow.price(quote))
        self._ladder(moment.symbol, moment.price)

    def _show(self, moment: TapeBook) -> None:
        sides: dict[Side, dict[Decimal, Decimal]] = {}
        if moment.bids is not None:
            sides["buy"] = dict(moment.bids)
        if moment.asks is not None:
            sides["sell"] = dict(moment.asks)
        self._book.put(moment.symbol, sides)

    def _ladder(self, symbol: str, price: Decimal) -> None:
        """Invent a book around a price, unless the tape has one or one is there already."""
        if symbol in self._booked:
            return
        market = self._spot.markets.get(symbol)
        if market is not None:
            book, spacing, size = market.book, market.pair.spacing, sum(market.pair.lots) // 4 * market.pair.lot
        else:
            listing = self._futures.listings[symbol]
            book, spacing, size = listing.book, listing.contract.tick, Decimal(500)
        if self._ladders.get(symbol) == (price, book.takes):
            return
        steps = range(1, LADDER + 1)
        self._book.put(
            symbol,
            {
                "buy": {price - step * spacing: size for step in steps if price > step * spacing},
                "sell": {price + step * spacing: size for step in steps},
            },
        )
        self._ladders[symbol] = (price, book.takes)


def _coin(exchange: Exchange, symbol: str) -> str:
    market = exchange.spot.markets.get(symbol)
    return exchange.futures.listings[symbol].contract.base if market is None else market.pair.base
