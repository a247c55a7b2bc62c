"""Conditional orders: plan orders, take-profit and stop-loss of a position, and trailing orders.

Conditional orders hold no money. Each watches the last or the mark price of its contract, which is checked after every
tick. When its price is reached it sends an ordinary order (client order id ``PLAN_<id>``) and is finished. If that
order is refused, for lack of money or of a position, the plan is finished without one. Once an opening order is
finished, each of its presets becomes a TP/SL order for the filled size. TP/SL orders are cancelled with their position.
"""

from __future__ import annotations

from decimal import Decimal

from ..kernel.refusal import Refused
from .engine import CANCELLED, SUBMITTED, Engine
from .listing import Listing
from .orders import DONE, IOC, Order, Plan, Trader
from .positions import Position

MAX_WAITING = 100
"""The maximum number of an account's waiting conditional orders on one contract."""
FARTHEST = 5
"""The factor of the price, up or down, within which a trigger must be."""


class Plans:
    """All conditional orders of all accounts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def submit(self, plan: Plan) -> None:
        """Accept a conditional order, which then waits for its price.

        Raises:
            Refused: too many are waiting already, or the trigger is too far from the price.
        """
        trader, listing = plan.owner, self._engine.listings[plan.contract.symbol]
        if sum(other.contract is plan.contract for other in trader.plans.values()) >= MAX_WAITING:
            raise Refused("plans")
        self.check_trigger(listing, plan.trigger_price)
        plan.updated_ms = plan.created_ms
        trader.plans[plan.order_id] = plan
        if plan.client_order_id:
            trader.client_ids[plan.client_order_id] = plan.order_id
        self._engine.watcher.plan_event(plan, SUBMITTED)

    def check_trigger(self, listing: Listing, price: Decimal) -> None:
        """Refuse a trigger price that is out of all proportion."""
        if not listing.last / FARTHEST <= price <= listing.last * FARTHEST:
            raise Refused("trigger")

    def changed(self, plan: Plan) -> None:
        """Report that a waiting order has been modified."""
        plan.updated_ms = self._engine.now()
        self._engine.watcher.plan_event(plan, SUBMITTED)

    def cancel(self, plan: Plan) -> None:
        """Cancel a waiting order."""
        self._finish(plan)
        self._engine.watcher.plan_event(plan, CANCELLED)

    def check(self, listing: Listing) -> None:
        """Fire the orders that the prices of a contract have reached."""
        for trader in self._engine.traders.values():
            for plan in [plan for plan in trader.plans.values() if plan.contract is listing.contract]:
                if plan.state != DONE and self._reached(plan, listing.trigger_price(plan.price_type)):
                    self._fire(plan)

    def order_finished(self, order: Order) -> None:
        """Turn the presets of a finished opening order into TP/SL orders."""
        presets = order.presets
        if order.closing or not order.deal_size or order.owner.position(order.contract.symbol, order.direction) is None:
            return
        long = order.direction == "long"
        for kind, price, price_type, up in (
            ("take_profit", presets.take_profit, presets.take_profit_type, long),
            ("stop_loss", presets.stop_loss, presets.stop_loss_type, not long),
        ):
            if price is not None:
                plan = Plan(
                    self._engine.new_id(),
                    "",
                    order.owner,
                    order.contract,
                    "take_profit" if kind == "take_profit" else "stop_loss",
                    3 if long else 2,
                    "market",
                    order.deal_size,
                    price,
                    None,
                    price_type,
                    1 if up else 2,
                    order.leverage,
                    order.open_type,
                    self._engine.now(),
                )
                try:
                    self.submit(plan)
                except Refused:
                    # The order itself was valid; a preset that cannot be placed is reported as cancelled.
                    plan.state = DONE
                    self._engine.watcher.plan_event(plan, CANCELLED)

    def position_closed(self, trader: Trader, held: Position) -> None:
        """Cancel the TP/SL orders of a position that is gone."""
        for plan in [
            plan
            for plan in trader.plans.values()
            if plan.contract is held.contract
            and plan.direction == held.direction
            and plan.kind in ("take_profit", "stop_loss")
        ]:
            self.cancel(plan)

    def _reached(self, plan: Plan, price: Decimal) -> bool:
        up = plan.price_way == 1
        if plan.kind != "trailing":
            return price >= plan.trigger_price if up else price <= plan.trigger_price
        if plan.extreme is None:
            if price >= plan.trigger_price if up else price <= plan.trigger_price:
                plan.extreme = price
            return False
        plan.extreme = max(plan.extreme, price) if up else min(plan.extreme, price)
        back = plan.extreme * plan.callback_rate / 100
        return price <= plan.extreme - back if up else price >= plan.extreme + back

    def _fire(self, plan: Plan) -> None:
        engine, trader = self._engine, plan.owner
        self._finish(plan)
        size = plan.size
        if plan.kind in ("take_profit", "stop_loss"):
            held = trader.position(plan.contract.symbol, plan.direction)
            if held is None:
                engine.watcher.plan_event(plan, CANCELLED)
                return
            size = held.size if plan.plan_category == 2 else min(size, held.size)
            self._make_way(trader, held, size)
        market = plan.type == "market"
        order = Order(
            engine.new_id(),
            f"PLAN_{plan.order_id}",
            trader,
            plan.contract,
            plan.side,
            "trailing" if plan.kind == "trailing" else plan.type,
            None if market else plan.executive_price,
            size,
            plan.leverage,
            plan.open_type,
            engine.now(),
            mode=IOC if market else plan.mode,
            presets=plan.presets,
            plan=plan,
        )
        plan.executive_order_id = order.order_id
        engine.watcher.plan_event(plan, SUBMITTED)
        try:
            engine.submit(order)
        except Refused:
            plan.executive_order_id = ""
            engine.watcher.plan_event(plan, CANCELLED)

    def _make_way(self, trader: Trader, held: Position, size: Decimal) -> None:
        """Cancel resting closing orders, newest first, until ``size`` contracts are free to be closed."""
        for order in reversed(self._engine.closing_orders(trader, held)):
            if held.size - trader.frozen_size(held) >= size:
                break
            self._engine.cancel(order)

    def _finish(self, plan: Plan) -> None:
        plan.state = DONE
        plan.updated_ms = self._engine.now()
        if plan.owner.plans.pop(plan.order_id, None) is not None:
            plan.owner.finished_plans.append(plan)
