"""Receivers of what happens on the futures market; each overrides the methods it needs, the others do nothing."""

from __future__ import annotations

from ..kernel.contracts import Terms
from .listing import Listing, Print
from .orders import Order, Plan, Trader
from .positions import Position


class Watcher:
    """Is called at every change, when it happens."""

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """A trade has been printed; the ids are those of users' orders."""

    def order_event(self, order: Order, action: int) -> None:
        """An order has changed."""

    def plan_event(self, plan: Plan, action: int) -> None:
        """A conditional order has changed."""

    def asset_changed(self, trader: Trader, currency: str) -> None:
        """A balance has changed."""

    def position_changed(self, trader: Trader, contract: Terms) -> None:
        """A position of a contract has changed."""

    def position_closed(self, trader: Trader, held: Position) -> None:
        """There is nothing left of a position."""


class EngineWatcher(Watcher):
    """Watches the engine: the market, which passes every call on."""

    def order_finished(self, order: Order) -> None:
        """An order has filled or been cancelled."""


class MarketWatcher(Watcher):
    """Watches the market, such as the pushes of a venue."""

    def settled(self) -> None:
        """A call or a tick is over: changed balances and positions may be shown."""

    def ticked(self, now_ms: int) -> None:
        """A tick is over."""
