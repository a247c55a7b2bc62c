"""Combine the spot market's pairs with their books and candles, the engine, algo orders, margin and savings."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from operator import mul

from ..kernel.accounts import Account, Accounts, Wallet
from ..kernel.book import Book
from ..kernel.candles import Candles
from ..kernel.pairs import Pair, PairMarket, PublicTrade
from ..kernel.prehistory import Market, Prehistory
from ..kernel.rota import Rota
from ..models.fees import SpotFees
from ..models.ground import Ground
from .algo import Algo
from .earn import Earn
from .margin import Margin
from .orders import Engine, EngineWatcher, SpotOrder, Watcher


class SpotMarket(EngineWatcher):
    """All pairs of one exchange.

    Args:
        ground: time, random streams and prices.
        pairs: every traded pair.
        currencies: every currency that wallets may hold.
        accounts: the owners of the money.
        new_id: makes the ids of orders and fills.
        fees: the fees of fills.
    """

    def __init__(
        self,
        ground: Ground,
        pairs: Iterable[Pair],
        currencies: Iterable[str],
        *,
        accounts: Accounts,
        new_id: Callable[[], str],
        fees: SpotFees,
    ) -> None:
        clock, log, random, model = ground.clock, ground.log, ground.random, ground.model
        self.markets: dict[str, PairMarket] = {}
        self.currencies: tuple[str, ...] = tuple(currencies)
        """Every currency."""
        self.watchers: list[Watcher] = []
        """The watchers of the market, such as the pushes of a venue."""
        self._clock = clock
        self._model = model
        self._listened = ground.listened
        for pair in pairs:
            last = pair.on_grid(model.rate(pair.base, pair.quote))
            shown = Market(
                f"{random.seed}/{pair.symbol}",
                pair.on_grid,
                unit=pair.lot,
                worth=partial(mul, pair.lot),
                pace=8 * sum(pair.lots),
            )
            candles = Candles(Prehistory(ground.paths.of(pair.base, pair.quote), shown), last, opens_at_trade=True)
            self.markets[pair.symbol] = PairMarket(pair, Book(), candles, last)
        self.engine: Engine = Engine(
            clock=clock,
            log=log,
            new_id=new_id,
            house=accounts.house,
            takings=accounts.fees,
            fees=fees,
            fills=ground.fills,
            dice=random("fills/spot"),
            dollars=model.price,
            enter=ground.delays.to_books(self.look),
            watcher=self,
        )
        self.algo: Algo = Algo(self.engine, clock, new_id)
        self.margin: Margin = Margin(self.engine, accounts.lender, accounts.house, clock, log, new_id, model.first)
        self.earn: Earn = Earn(accounts.savings, clock, new_id, self.balance_moved)
        self._rota = Rota(self.markets, self._observed, ground.tick_ms)
        steps = {
            symbol: model.on_pair(market.pair, market.book, market.last, partial(self.engine.take, market))
            for symbol, market in self.markets.items()
        }
        self._makers = {symbol: step for symbol, step in steps.items() if step is not None}
        for symbol in self._makers:
            _invent_trades(self.markets[symbol], random(f"trades/{symbol}"), clock.start)

    def price(self, currency: str) -> Decimal | None:
        """Return the last price of a currency in USDT; None if it has none."""
        found = self.markets.get(f"{currency}_USDT")
        if found is not None:
            return found.last
        return self._model.price(currency) if self._model.knows(currency) else None

    def tick(self, now_ms: int) -> None:
        """Run one step of the market, then send the pushes that are due."""
        turn = self._rota.turn()
        for symbol in turn:
            self._live_on(self.markets[symbol], now_ms)
        self.algo.tick()
        self.margin.tick()
        self.earn.settle()
        for watcher in self.watchers:
            watcher.pairs_ticked(turn)

    def look(self, symbol: str) -> PairMarket | None:
        """Return the market of a pair, brought up to date if it has waited for its turn; None when there is none."""
        market = self.markets.get(symbol)
        if market is not None and self._rota.behind(symbol):
            self._live_on(market, self._clock.steady_ms())
        return market

    def _live_on(self, market: PairMarket, now_ms: int) -> None:
        market.candles.roll(now_ms)
        step = self._makers.get(market.pair.symbol)
        if step is not None:
            step()

    def _observed(self, symbol: str) -> bool:
        return bool(self._listened[symbol] or self.markets[symbol].book.owned or self.algo.waits_on(symbol))

    def balance_moved(self, account: Account, currency: str, event: str) -> None:
        """Report a spot balance that changed without a fill, and the cause (such as ``ACCOUNT_TRANSFER``)."""
        for watcher in self.watchers:
            watcher.balances_moved(account.account_id, account.spot, (currency,), event)

    # Reports of the engine, passed on to all watchers.

    def traded(self, market: PairMarket, trade: PublicTrade) -> None:
        """A trade has been recorded."""
        for watcher in self.watchers:
            watcher.traded(market, trade)

    def order_changed(self, order: SpotOrder) -> None:
        """An order was accepted, filled or closed."""
        for watcher in self.watchers:
            watcher.order_changed(order)

    def money_moved(self, account_id: str, wallet: Wallet, currencies: tuple[str, ...]) -> None:
        """A fill changed these balances of an account."""
        for watcher in self.watchers:
            watcher.money_moved(account_id, wallet, currencies)

    def market_moved(self, market: PairMarket) -> None:
        """A book changed, and there may be new trades."""
        for watcher in self.watchers:
            watcher.market_moved(market)


def _invent_trades(market: PairMarket, stream: random.Random, until_ms: int) -> None:
    """Fill the list of latest trades with a past; candles and volumes have their own."""
    pair, most = market.pair, market.trades.maxlen or 0
    for number in range(most, 0, -1):
        price = market.last + stream.randint(-2, 2) * pair.tick
        size = stream.randint(*pair.lots) * pair.lot
        market.trades.append(
            PublicTrade(until_ms - 300 * number, price, size, "buy" if stream.randrange(2) else "sell")
        )
