"""The futures market of the simulated exchange: contracts, synthetic traders, engine, REST chapters and pushes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from ..bitmart.futures import account, collateral, demo, market, plan_trading, position, sub_accounts, trading
from ..bitmart.futures.feed import FuturesFeed
from ..bitmart.wire import Call, Handler, Json, Refusal, Routes
from ..drivers.makers import Makers
from ..drivers.synthetic import Rota
from ..kernel.book import Side
from ..kernel.contracts import Contract
from . import affiliate, transfers
from .affiliate import Affiliates
from .engine import Engine
from .listing import Listing, Print
from .orders import Order, Plan
from .plans import Plans
from .positions import Position, Trader
from .transfers import SpotTransfers
from .upkeep import Upkeep

if TYPE_CHECKING:
    from ..exchange import Exchange
    from ..kernel.accounts import Account

__all__ = ["FuturesMarket"]

CHAPTERS = (market, account, transfers, collateral, trading, plan_trading, position, sub_accounts, affiliate, demo)


class FuturesMarket:
    """All contracts of one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        now = exchange.clock.steady_ms()
        self.listings: dict[str, Listing] = {
            contract.symbol: Listing(
                contract,
                seed=exchange.seed,
                dice=exchange.random(f"futures/{contract.symbol}/funding"),
                now_ms=now,
                price=exchange.flow.price(contract.base),
                path=exchange.paths.of(contract.base, ""),
            )
            for contract in exchange.listed.contracts
        }
        self.engine: Engine = Engine(self.listings, exchange.clock.steady_ms, exchange.new_contract_id, self)
        self.plans: Plans = Plans(self.engine)
        self.upkeep: Upkeep = Upkeep(self.engine)
        self.feed: FuturesFeed = FuturesFeed(exchange.feed, self)
        self._rota = Rota(self.listings, self._minded, exchange.tick_ms)
        self._in_use: set[str] = set()
        # Without a synthetic market there are no makers: books are what somebody makes them.
        self._makers = {
            symbol: Makers(self.engine, listing, exchange.random(f"futures/{symbol}"))
            for symbol, listing in (self.listings.items() if exchange.flow.market else ())
        }
        self.affiliates: Affiliates = Affiliates(exchange)
        self.spot_transfers: SpotTransfers = SpotTransfers()
        for chapter in CHAPTERS:
            exchange.routes.include(self._told_after(chapter.routes))
        for makers in self._makers.values():
            makers.tick()

    def listing(self, symbol: str, code: int = 40034, message: str = "The contract does not exist") -> Listing:
        """The contract of that name, up to date even if it has waited for its turn; `Refusal` when there is none."""
        found = self.listings.get(symbol)
        if found is None:
            raise Refusal(code, message)
        if self._rota.behind(symbol):
            self._live_on(found, self._exchange.clock.steady_ms())
        return found

    def tick(self, now_ms: int) -> None:
        """Live on to the present: prices, quotes, trades, triggers, funding, liquidations, timers, pushes."""
        self.upkeep.expire()
        self._in_use = self.engine.in_use()
        turn = [self.listings[symbol] for symbol in self._rota.turn()]
        for listing in turn:
            self._live_on(listing, now_ms)
        for listing in self.listings.values():
            while listing.funding.next_ms <= now_ms:
                settled_ms, rate = listing.funding.settle()
                self.upkeep.fund(listing, rate, settled_ms)
        self.upkeep.liquidate()
        for listing in turn:
            self.plans.check(listing)
        self.feed.tick(now_ms)

    def _live_on(self, listing: Listing, now_ms: int) -> None:
        flow, makers = self._exchange.flow, self._makers.get(listing.contract.symbol)
        listing.set_index(now_ms, flow.price(listing.contract.base))
        if makers is not None and flow.market is not None:
            makers.tick(flow.market.activity)

    def show(self, listing: Listing, side: Side, price: Decimal, size: Decimal) -> None:
        """A trade of the outside world, see `Engine.show`, and what follows from it at once."""
        self.engine.show(listing, side, price, size)
        self.feed.flush()

    def _minded(self, symbol: str) -> bool:
        return symbol in self._in_use or bool(self._exchange.feed.symbols[symbol])

    def _told_after(self, routes: Routes) -> Routes:
        """The same routes, but balances and positions are pushed when a writing call is over."""
        wrapped = Routes()
        for key, route in routes.table.items():
            wrapped.table[key] = attrs.evolve(route, handler=self._flushing(route.handler)) if route.writes else route
        return wrapped

    def _flushing(self, handler: Handler) -> Handler:
        def handle(exchange: Exchange, call: Call) -> Json:
            try:
                return handler(exchange, call)
            finally:
                self.feed.flush()

        return handle

    def balance_moved(self, owner: Account, currency: str, amount: Decimal) -> None:
        """List a transfer that was just made into (or, negative, out of) the futures wallet, and push the balance."""
        trader = self.engine.trader(owner)
        self.engine.ledger.note_transfer(trader, currency, amount, self.engine.now())
        self.asset_changed(trader, currency)
        self.feed.flush()

    # What the engine tells, passed on to the pushes and the conditional orders.

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """A trade has been printed."""
        self._exchange.log.write(
            "match",
            symbol=listing.contract.symbol,
            price=trade.price,
            size=trade.size,
            side="sell" if trade.buyer_is_maker else "buy",
            maker=maker,
            taker=taker,
        )

    def order_event(self, order: Order, action: int) -> None:
        """An order has changed."""
        self._exchange.log.write(
            "futures_order",
            account=order.owner.account.account_id,
            order_id=order.order_id,
            symbol=order.contract.symbol,
            action=action,
            state=order.state,
        )
        self.feed.order_event(order, action)

    def plan_event(self, plan: Plan, action: int) -> None:
        """A conditional order has changed."""
        self.feed.plan_event(plan, action)

    def order_finished(self, order: Order) -> None:
        """An order has filled or been cancelled."""
        self.plans.order_finished(order)

    def asset_changed(self, trader: Trader, currency: str) -> None:
        """A balance has changed."""
        self.feed.asset_changed(trader, currency)

    def position_changed(self, trader: Trader, contract: Contract) -> None:
        """A position of a contract has changed."""
        self.feed.position_changed(trader, contract)

    def position_closed(self, trader: Trader, held: Position) -> None:
        """There is nothing left of a position."""
        self.plans.position_closed(trader, held)
        self.feed.position_closed(trader, held)
