"""The futures market of the simulated exchange: contracts, synthetic traders, engine, REST chapters and pushes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from ..wire import Call, Handler, Json, Refusal, Routes
from . import (
    account,
    affiliate,
    collateral,
    demo,
    market,
    plan_trading,
    position,
    sub_accounts,
    trading,
    transfers,
)
from .affiliate import Affiliates
from .contracts import CONTRACTS, Contract
from .engine import Engine
from .feed import FuturesFeed
from .listing import Listing
from .makers import Makers
from .orders import Order, Plan
from .plans import Plans
from .positions import Position, Trader
from .transfers import SpotTransfers
from .upkeep import Upkeep

if TYPE_CHECKING:
    from ..accounts import Account
    from ..exchange import Exchange

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
            )
            for contract in CONTRACTS
        }
        self.engine: Engine = Engine(self.listings, exchange.clock.steady_ms, exchange.new_contract_id, self)
        self.plans: Plans = Plans(self.engine)
        self.upkeep: Upkeep = Upkeep(self.engine)
        self.feed: FuturesFeed = FuturesFeed(exchange.feed, self)
        self._makers = [
            Makers(self.engine, listing, exchange.random(f"futures/{symbol}"))
            for symbol, listing in self.listings.items()
        ]
        self.affiliates: Affiliates = Affiliates(exchange)
        self.spot_transfers: SpotTransfers = SpotTransfers()
        for chapter in CHAPTERS:
            exchange.routes.include(self._told_after(chapter.routes))
        for makers in self._makers:
            makers.tick()

    def listing(self, symbol: str, code: int = 40034, message: str = "The contract does not exist") -> Listing:
        """The contract of that name; `Refusal` when there is none."""
        found = self.listings.get(symbol)
        if found is None:
            raise Refusal(code, message)
        return found

    def tick(self, now_ms: int) -> None:
        """Live on to the present: prices, quotes, trades, triggers, funding, liquidations, timers, pushes."""
        self.upkeep.expire()
        for listing, makers in zip(self.listings.values(), self._makers, strict=True):
            listing.set_index(now_ms, self._exchange.flow.price(listing.contract.base))
            makers.tick()
            while listing.funding.next_ms <= now_ms:
                settled_ms, rate = listing.funding.settle()
                self.upkeep.fund(listing, rate, settled_ms)
        self.upkeep.liquidate()
        for listing in self.listings.values():
            self.plans.check(listing)
        self.feed.tick(now_ms)

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

    def order_event(self, order: Order, action: int) -> None:
        """An order has changed."""
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
