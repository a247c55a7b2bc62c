"""Algo orders: trigger orders and one-way take-profit or stop-loss orders that wait for the last price.

Algo orders hold no money. A trigger above the last price fires when the price rises to it, a trigger below when the
price falls to it; prices are checked after every tick. The algo order then sends an ordinary order, under its own
client order id if that is still free, and becomes ``filled``; if that order is refused, ``failed``. Both types work
alike. The queries do not show the trigger price, since no source of the real answers does.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from ..kernel.accounts import Account
from ..kernel.clock import Clock
from .orders import Engine, Form, Source

AlgoType: TypeAlias = Literal["trigger", "tp/sl"]
TriggerType: TypeAlias = Literal["limit", "market"]
AlgoState: TypeAlias = Literal["new", "filled", "canceled", "failed"]


@attrs.define(eq=False)
class AlgoOrder:
    """One algo order, waiting or finished."""

    order_id: str
    owner: Account
    type: AlgoType
    trigger_type: TriggerType
    trigger_price: Decimal
    rising: bool
    form: Form
    created_ms: int
    updated_ms: int
    state: AlgoState = "new"
    cancel_source: Source = ""
    sent_id: str = ""
    """The order that the algo order sent."""


class Algo:
    """The algo orders of all accounts."""

    def __init__(self, engine: Engine, clock: Clock, new_id: Callable[[], str]) -> None:
        self._engine = engine
        self._clock = clock
        self._new_id = new_id
        self._orders: dict[str, AlgoOrder] = {}
        self._waiting: dict[str, dict[str, AlgoOrder]] = {}
        """The waiting algo orders, by symbol and id."""
        self._client_ids: dict[tuple[str, str], AlgoOrder] = {}

    def client_ids(self, account_id: str) -> set[str]:
        """The client order ids that an account has used for algo orders."""
        return {client_id for owner, client_id in self._client_ids if owner == account_id}

    def of_account(self, account_id: str) -> list[AlgoOrder]:
        """Return every algo order of an account, newest first."""
        return [order for order in reversed(self._orders.values()) if order.owner.account_id == account_id]

    def find(
        self, account_id: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> AlgoOrder | None:
        """Return one algo order of an account."""
        found = (
            self._orders.get(order_id)
            if order_id is not None
            else self._client_ids.get((account_id, client_order_id or ""))
        )
        return found if found is not None and found.owner.account_id == account_id else None

    def submit(self, owner: Account, kind: AlgoType, trigger: TriggerType, price: Decimal, form: Form) -> AlgoOrder:
        """Accept an order, which then waits for its price."""
        market, now = form.market, self._clock.now_ms()
        order = AlgoOrder(self._new_id(), owner, kind, trigger, price, price > market.last, form, now, now)
        self._orders[order.order_id] = order
        self._waiting.setdefault(market.pair.symbol, {})[order.order_id] = order
        if form.client_order_id:
            self._client_ids[owner.account_id, form.client_order_id] = order
        return order

    def cancel(self, order: AlgoOrder) -> bool:
        """Cancel a waiting order; return False if it is finished."""
        if order.state != "new":
            return False
        order.cancel_source = "user"
        self._finish(order, "canceled")
        return True

    def waits_on(self, symbol: str) -> bool:
        """Return True if an order waits for the price of a pair."""
        return bool(self._waiting.get(symbol))

    def tick(self) -> None:
        """Fire the orders that the last prices have reached."""
        for waiting in self._waiting.values():
            for order in list(waiting.values()):
                last = order.form.market.last
                if order.state == "new" and (
                    last >= order.trigger_price if order.rising else last <= order.trigger_price
                ):
                    self._fire(order)

    def _fire(self, order: AlgoOrder) -> None:
        engine, account_id, form = self._engine, order.owner.account_id, order.form
        if engine.used(account_id, form.client_order_id):
            form = attrs.evolve(form, client_order_id="")
        sent = engine.submit_or_fail(account_id, order.owner.spot, form)
        order.sent_id = sent.order_id
        self._finish(order, "failed" if sent.state == "failed" else "filled")

    def _finish(self, order: AlgoOrder, state: AlgoState) -> None:
        order.state = state
        order.updated_ms = self._clock.now_ms()
        self._waiting[order.form.market.pair.symbol].pop(order.order_id, None)
