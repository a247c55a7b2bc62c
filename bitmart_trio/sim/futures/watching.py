"""Watchers of the futures market: each overrides the methods that it needs; the others do nothing."""

from __future__ import annotations

from ..kernel.contracts import Terms
from .listing import Listing, Print
from .orders import Order, Plan, Trader
from .positions import Position


class Watcher:
    """A watcher whose methods are called when a change happens."""

    def matched(self, listing: Listing, trade: Print, maker: str | None, taker: str | None) -> None:
        """Handle a trade; the ids are those of users' orders."""

    def order_event(self, order: Order, action: int) -> None:
        """Handle a change of an order."""

    def plan_event(self, plan: Plan, action: int) -> None:
        """Handle a change of a conditional order."""

    def asset_changed(self, trader: Trader, currency: str) -> None:
        """Handle a change of a balance."""

    def position_changed(self, trader: Trader, contract: Terms) -> None:
        """Handle a change of a contract's position."""

    def position_closed(self, trader: Trader, held: Position) -> None:
        """Handle a position that has become empty."""


class EngineWatcher(Watcher):
    """A watcher of the engine: the market, which passes every call on."""

    def order_finished(self, order: Order) -> None:
        """Handle an order that has filled or been cancelled."""


class MarketWatcher(Watcher):
    """A watcher of the market, such as the pushes of a venue."""

    def settled(self) -> None:
        """Handle the end of a call or tick: changed balances and positions may be pushed."""

    def ticked(self, now_ms: int) -> None:
        """Handle the end of a tick."""
