"""The simulated spot market: pairs, engine, REST chapters and pushes, put together."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import partial
from operator import mul
from typing import TYPE_CHECKING

from ..bitmart.spot import account, broker, savings, sub_accounts, trading
from ..bitmart.spot import market as market_data
from ..bitmart.spot.feed import SpotFeed
from ..bitmart.wire import Routes
from ..drivers.synthetic import Quoter, Rota
from ..kernel.book import Book
from ..kernel.candles import Candles
from ..kernel.pairs import PairMarket, PublicTrade
from ..kernel.prehistory import Market, Prehistory
from . import algo, funding, margin
from .algo import Algo
from .earn import Earn
from .funding import Funding
from .margin import Margin
from .orders import Engine

if TYPE_CHECKING:
    from ..exchange import Exchange

CHAPTERS: tuple[Routes, ...] = (
    market_data.routes,
    account.routes,
    funding.routes,
    trading.routes,
    algo.routes,
    margin.routes,
    sub_accounts.routes,
    broker.routes,
    savings.routes,
)


class SpotMarket:
    """All pairs of one exchange, with its routes and channels registered."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.markets: dict[str, PairMarket] = {}
        self.currencies: dict[str, str] = exchange.listed.names()
        """Every currency with its full name."""
        for pair in exchange.listed.pairs:
            last = pair.on_grid(exchange.flow.rate(pair.base, pair.quote))
            shown = Market(
                f"{exchange.seed}/{pair.symbol}",
                pair.on_grid,
                unit=pair.lot,
                worth=partial(mul, pair.lot),
                pace=8 * sum(pair.lots),
            )
            past = Prehistory(exchange.paths.of(pair.base, pair.quote), shown)
            candles = Candles(past, last, opens_at_trade=True)
            self.markets[pair.symbol] = PairMarket(pair, Book(), candles, last)
        self.feed: SpotFeed = SpotFeed(exchange, self.markets)
        self.engine: Engine = Engine(exchange, self.feed)
        self.funding: Funding = Funding(exchange)
        self.algo: Algo = Algo(exchange)
        self.margin: Margin = Margin(exchange)
        self.earn: Earn = Earn(exchange)
        self._rota = Rota(self.markets, self._minded, exchange.tick_ms)
        # Without a synthetic market there are no makers: books are what somebody makes them.
        self._quoters = {
            symbol: Quoter(
                market.book,
                exchange.random(f"quotes/{symbol}"),
                spacing=market.pair.spacing,
                lot=market.pair.lot,
                lots=market.pair.lots,
                take=partial(self.engine.take, market),
            )
            for symbol, market in (self.markets.items() if exchange.flow.market else ())
        }
        for symbol, quoter in self._quoters.items():
            quoter.step(self.markets[symbol].last)
            _invent_trades(self.markets[symbol], exchange.random(f"trades/{symbol}"), exchange.clock.start)
        for chapter in CHAPTERS:
            exchange.routes.include(chapter)

    def price(self, currency: str) -> Decimal | None:
        """The last price of a currency in USDT; None when nobody knows it."""
        found = self.markets.get(f"{currency}_USDT")
        if found is not None:
            return found.last
        flow = self._exchange.flow
        return flow.price(currency) if flow.knows(currency) else None

    def tick(self, now_ms: int) -> None:
        """One step of the synthetic market, then the pushes that are due."""
        turn = self._rota.turn()
        for symbol in turn:
            self._live_on(self.markets[symbol], now_ms)
        self.algo.tick()
        self.margin.tick()
        self.earn.settle()
        self.feed.tick(turn)

    def look(self, symbol: str) -> PairMarket | None:
        """The market of a pair, up to date even if it has waited for its turn; None when there is none."""
        market = self.markets.get(symbol)
        if market is not None and self._rota.behind(symbol):
            self._live_on(market, self._exchange.clock.steady_ms())
        return market

    def _live_on(self, market: PairMarket, now_ms: int) -> None:
        market.candles.roll(now_ms)
        pair, flow = market.pair, self._exchange.flow
        quoter = self._quoters.get(pair.symbol)
        if quoter is not None:
            quoter.step(flow.rate(pair.base, pair.quote), flow.trade_chance(pair.base))

    def _minded(self, symbol: str) -> bool:
        return bool(
            self._exchange.feed.symbols[symbol] or self.markets[symbol].book.owned or self.algo.waits_on(symbol)
        )


def _invent_trades(market: PairMarket, stream: random.Random, until_ms: int) -> None:
    """Give the list of latest trades a past; candles and volumes have one of their own."""
    pair, most = market.pair, market.trades.maxlen or 0
    for number in range(most, 0, -1):
        price = market.last + stream.randint(-2, 2) * pair.tick
        size = stream.randint(*pair.lots) * pair.lot
        market.trades.append(
            PublicTrade(until_ms - 300 * number, price, size, "buy" if stream.randrange(2) else "sell")
        )
