"""Combine the futures market's contracts with their books, the engine, conditional orders and upkeep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial

from ..kernel.accounts import Account
from ..kernel.book import Side
from ..kernel.contracts import Terms
from ..kernel.rota import Rota
from ..models.fees import FuturesFees
from ..models.funding import FundingModel
from ..models.ground import Ground
from ..models.margin import MarginModel
from .affiliate import Affiliates
from .engine import Engine
from .listing import Listing, Print
from .orders import Order, Plan, Trader
from .plans import Plans
from .positions import Position
from .upkeep import Upkeep
from .watching import EngineWatcher, MarketWatcher


class FuturesMarket(EngineWatcher):
    """All contracts of one exchange.

    Args:
        ground: time, random streams and prices.
        contracts: every traded contract.
        new_id: makes the ids of orders.
        fees: the fees of fills.
        margin: the margin that positions need.
        funding: the source of funding rates.
    """

    def __init__(
        self,
        ground: Ground,
        contracts: Iterable[Terms],
        *,
        new_id: Callable[[], str],
        fees: FuturesFees,
        margin: MarginModel,
        funding: FundingModel,
    ) -> None:
        clock, random, model = ground.clock, ground.random, ground.model
        now = clock.steady_ms()
        self.listings: dict[str, Listing] = {
            contract.symbol: Listing(
                contract,
                seed=random.seed,
                dice=random(f"futures/{contract.symbol}/funding"),
                now_ms=now,
                price=model.price(contract.base),
                path=ground.paths.of(contract.base, ""),
                funding=funding,
            )
            for contract in contracts
        }
        self.watchers: list[MarketWatcher] = []
        """The watchers of the market, such as the pushes of a venue."""
        self.engine: Engine = Engine(
            self.listings,
            clock.steady_ms,
            new_id,
            self,
            fees=fees,
            fills=ground.fills,
            dice=random("fills/futures"),
            margin=margin,
            enter=ground.delays.to_books(self.look),
        )
        self.plans: Plans = Plans(self.engine)
        self.upkeep: Upkeep = Upkeep(self.engine)
        self.affiliates: Affiliates = Affiliates(random, clock.start, model.first)
        self._clock = clock
        self._log = ground.log
        self._model = model
        self._listened = ground.listened
        self._rota = Rota(self.listings, self._observed, ground.tick_ms)
        self._in_use: set[str] = set()
        steps = {
            symbol: model.on_contract(listing, partial(self.engine.sweep, listing))
            for symbol, listing in self.listings.items()
        }
        self._makers = {symbol: step for symbol, step in steps.items() if step is not None}

    def look(self, symbol: str) -> Listing | None:
        """Return a contract by name, brought up to date if it has waited for its turn; None when there is none."""
        found = self.listings.get(symbol)
        if found is not None and self._rota.behind(symbol):
            self._live_on(found, self._clock.steady_ms())
        return found

    def tick(self, now_ms: int) -> None:
        """Advance to the present: prices, quotes, trades, triggers, funding, liquidations, timers, pushes."""
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
        for watcher in self.watchers:
            watcher.ticked(now_ms)

    def _live_on(self, listing: Listing, now_ms: int) -> None:
        listing.set_index(now_ms, self._model.price(listing.contract.base))
        step = self._makers.get(listing.contract.symbol)
        if step is not None:
            step()

    def show(self, listing: Listing, side: Side, price: Decimal, size: Decimal) -> None:
        """Record an outside trade, see `Engine.show`, and its immediate effects."""
        self.engine.show(listing, side, price, size)
        self.settled()

    def _observed(self, symbol: str) -> bool:
        return symbol in self._in_use or bool(self._listened[symbol])

    def balance_moved(self, owner: Account, currency: str, amount: Decimal) -> None:
        """Record a transfer already made into (or, negative, out of) the futures wallet, and push the balance."""
        trader = self.engine.trader(owner)
        self.engine.ledger.note_transfer(trader, currency, amount, self.engine.now())
        self.asset_changed(trader, currency)
        self.settled()

    def settled(self) -> None:
        """Handle the end of a call or tick: changed balances and positions may be pushed."""
        for watcher in self.watchers:
            watcher.settled()

    # Reports of the engine, passed on to the conditional orders and to all watchers.

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """A trade has been printed."""
        self._log.write(
            "match",
            symbol=listing.contract.symbol,
            price=trade.price,
            size=trade.size,
            side="sell" if trade.buyer_is_maker else "buy",
            maker=maker,
            taker=taker,
        )
        for watcher in self.watchers:
            watcher.matched(listing, trade, maker, taker)

    def order_event(self, order: Order, action: int) -> None:
        """An order has changed."""
        self._log.write(
            "futures_order",
            account=order.owner.account.account_id,
            order_id=order.order_id,
            symbol=order.contract.symbol,
            action=action,
            state=order.state,
        )
        for watcher in self.watchers:
            watcher.order_event(order, action)

    def plan_event(self, plan: Plan, action: int) -> None:
        """A conditional order has changed."""
        for watcher in self.watchers:
            watcher.plan_event(plan, action)

    def order_finished(self, order: Order) -> None:
        """An order has filled or been cancelled."""
        self.plans.order_finished(order)

    def asset_changed(self, trader: Trader, currency: str) -> None:
        """A balance has changed."""
        for watcher in self.watchers:
            watcher.asset_changed(trader, currency)

    def position_changed(self, trader: Trader, contract: Terms) -> None:
        """A position of a contract has changed."""
        for watcher in self.watchers:
            watcher.position_changed(trader, contract)

    def position_closed(self, trader: Trader, held: Position) -> None:
        """Report a position that has become empty."""
        self.plans.position_closed(trader, held)
        for watcher in self.watchers:
            watcher.position_closed(trader, held)
