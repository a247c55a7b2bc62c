"""Algo orders: trigger orders and one-way take-profit or stop-loss orders that wait for the last price.

They hold no money. One whose trigger lies above the last price fires when the price rises to it, one below when it
falls to it; prices are looked at after every tick. It then sends an ordinary order, under its own client order id if
that is still free, and counts as ``filled``; if that order is refused, as ``failed``. Both types work alike. The
queries do not show the trigger price: no source of the real answers does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from ..bitmart.spot.trading import LIST_MAX, WINDOW_MS, pair_market, read_form, read_price
from ..bitmart.wire import Call, Json, Refusal, Routes
from ..kernel.accounts import Account
from ..kernel.pairs import money
from .orders import FORGOTTEN_MS, Form, Source

if TYPE_CHECKING:
    from ..exchange import Exchange

routes: Routes = Routes()

AlgoType: TypeAlias = Literal["trigger", "tp/sl"]
TriggerType: TypeAlias = Literal["limit", "market"]
AlgoState: TypeAlias = Literal["new", "filled", "canceled", "failed"]

_TYPES: dict[str, AlgoType] = {"trigger": "trigger", "tp/sl": "tp/sl"}
_TRIGGERS: dict[str, TriggerType] = {"limit": "limit", "market": "market"}


@attrs.define(eq=False)
class AlgoOrder:
    """One algo order, waiting or done with."""

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
    """The order it has sent."""

    def row(self) -> Json:
        """As the queries show it."""
        form, pair = self.form, self.form.market.pair
        notional = form.notional if form.size is None or form.price is None else form.size * form.price
        return {
            "orderId": self.order_id,
            "clientOrderId": form.client_order_id,
            "symbol": pair.symbol,
            "side": form.side,
            "orderMode": self.type,
            "trigger_type": self.trigger_type,
            "state": self.state,
            "cancelSource": self.cancel_source,
            "price": "" if form.price is None else pair.price_text(form.price),
            "size": "" if form.size is None else pair.size_text(form.size),
            "notional": "" if notional is None else money(notional),
            "createTime": self.created_ms,
            "updateTime": self.updated_ms,
        }


class Algo:
    """All algo orders."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._orders: dict[str, AlgoOrder] = {}
        self._waiting: dict[str, dict[str, AlgoOrder]] = {}
        """By symbol and id."""
        self._client_ids: dict[tuple[str, str], AlgoOrder] = {}

    def client_ids(self, account_id: str) -> set[str]:
        """The client order ids that an account has used for algo orders."""
        return {client_id for owner, client_id in self._client_ids if owner == account_id}

    def of_account(self, account_id: str) -> list[AlgoOrder]:
        """Every algo order of an account, newest first."""
        return [order for order in reversed(self._orders.values()) if order.owner.account_id == account_id]

    def find(
        self, account_id: str, *, order_id: str | None = None, client_order_id: str | None = None
    ) -> AlgoOrder | None:
        """One algo order of an account."""
        found = (
            self._orders.get(order_id)
            if order_id is not None
            else self._client_ids.get((account_id, client_order_id or ""))
        )
        return found if found is not None and found.owner.account_id == account_id else None

    def submit(self, owner: Account, kind: AlgoType, trigger: TriggerType, price: Decimal, form: Form) -> AlgoOrder:
        """Let an order wait."""
        exchange, market = self._exchange, form.market
        now = exchange.now_ms()
        order = AlgoOrder(exchange.new_id(), owner, kind, trigger, price, price > market.last, form, now, now)
        self._orders[order.order_id] = order
        self._waiting.setdefault(market.pair.symbol, {})[order.order_id] = order
        if form.client_order_id:
            self._client_ids[owner.account_id, form.client_order_id] = order
        return order

    def cancel(self, order: AlgoOrder) -> bool:
        """Take a waiting order back; False when it is done with."""
        if order.state != "new":
            return False
        order.cancel_source = "user"
        self._finish(order, "canceled")
        return True

    def waits_on(self, symbol: str) -> bool:
        """Whether an order looks at the price of a pair."""
        return bool(self._waiting.get(symbol))

    def tick(self) -> None:
        """Fire what the last prices have reached."""
        for waiting in self._waiting.values():
            for order in list(waiting.values()):
                last = order.form.market.last
                if order.state == "new" and (
                    last >= order.trigger_price if order.rising else last <= order.trigger_price
                ):
                    self._fire(order)

    def _fire(self, order: AlgoOrder) -> None:
        engine, account_id, form = self._exchange.spot.engine, order.owner.account_id, order.form
        if engine.used(account_id, form.client_order_id):
            form = attrs.evolve(form, client_order_id="")
        sent = engine.submit_or_fail(account_id, order.owner.spot, form)
        order.sent_id = sent.order_id
        self._finish(order, "failed" if sent.state == "failed" else "filled")

    def _finish(self, order: AlgoOrder, state: AlgoState) -> None:
        order.state = state
        order.updated_ms = self._exchange.now_ms()
        self._waiting[order.form.market.pair.symbol].pop(order.order_id, None)


# -- placing and cancelling ------------------------------------------------------------------------


def _type(call: Call, name: str = "type") -> AlgoType:
    found = _TYPES.get(call.need(name))
    if found is None:
        raise Refusal(52001, "Unsupported order type")
    return found


@routes.post("/spot/v4/algo/submit_order", limit=(10, 2, "key"))
def submit_order(exchange: Exchange, call: Call) -> Json:
    """Place a trigger or a TP/SL order; without ``trigger_type`` a price makes it a limit order."""
    market, kind = pair_market(exchange, call.need("symbol")), _type(call)
    trigger = _TRIGGERS.get(call.text("trigger_type", "market" if call.text("price") is None else "limit") or "")
    if trigger is None:
        raise Refusal(52001, "Unsupported trigger_type")
    call.need("trigger_price")
    price = read_price(call, market, "trigger_price")
    algo, account = exchange.spot.algo, call.owner
    members = attrs.evolve(call, params={**call.params, "type": trigger})
    form = read_form(exchange, members, market, "client_order_id", algo.client_ids(account.account_id))
    return {"order_id": algo.submit(account, kind, trigger, price, form).order_id}


@routes.post("/spot/v4/algo/cancel_order", limit=(10, 2, "key"))
def cancel_order(exchange: Exchange, call: Call) -> Json:
    """Cancel one algo order; the result is false when it was done with already."""
    market, kind = pair_market(exchange, call.need("symbol")), _type(call)
    order = exchange.spot.algo.find(call.owner.account_id, order_id=call.need("order_id"))
    if order is None or order.form.market is not market or order.type != kind:
        raise Refusal(50005, "Order Id not found")
    return {"result": exchange.spot.algo.cancel(order)}


@routes.post("/spot/v4/algo/cancel_all", limit=(5, 2, "key"))
def cancel_all_orders(exchange: Exchange, call: Call) -> Json:
    """Cancel every waiting algo order of one type, of one pair when told."""
    kind, symbol = _type(call), call.text("symbol")
    market = None if symbol is None else pair_market(exchange, symbol)
    for order in exchange.spot.algo.of_account(call.owner.account_id):
        if order.type == kind and market in (None, order.form.market):
            exchange.spot.algo.cancel(order)
    return {}


# -- looking up ------------------------------------------------------------------------------------


def _in_state(call: Call, found: AlgoOrder | None) -> Json:
    state = call.text("queryState")
    if state not in (None, "open", "history"):
        raise Refusal(52003, "Unsupported queryState")
    if found is None or (state is not None and (found.state == "new") != (state == "open")):
        raise Refusal(50005, "Order Id not found")
    if found.state == "canceled" and call.now_ms - found.updated_ms > FORGOTTEN_MS:
        raise Refusal(50005, "Order Id not found")
    return found.row()


@routes.post("/spot/v4/query/algo/order", limit=(40, 2, "key"), recv_window=True, writes=False)
def order(exchange: Exchange, call: Call) -> Json:
    """One algo order by its id."""
    order_id = call.need("orderId", 50005)
    return _in_state(call, exchange.spot.algo.find(call.owner.account_id, order_id=order_id))


@routes.post("/spot/v4/query/algo/client-order", limit=(40, 2, "key"), recv_window=True, writes=False)
def order_by_client_id(exchange: Exchange, call: Call) -> Json:
    """One algo order by the client's id."""
    client_order_id = call.need("clientOrderId", 50005)
    return _in_state(call, exchange.spot.algo.find(call.owner.account_id, client_order_id=client_order_id))


@routes.post("/spot/v4/query/algo/open-orders", limit=(20, 2, "key"), recv_window=True, writes=False)
def open_orders(exchange: Exchange, call: Call) -> Json:
    """Waiting algo orders, newest first."""
    return _orders(exchange, call, waiting=True)


@routes.post("/spot/v4/query/algo/history-orders", limit=(20, 2, "key"), recv_window=True, writes=False)
def order_history(exchange: Exchange, call: Call) -> Json:
    """Algo orders that are done with, newest first."""
    return _orders(exchange, call, waiting=False)


def _orders(exchange: Exchange, call: Call, *, waiting: bool) -> Json:
    symbol, mode = call.text("symbol"), call.text("orderMode")
    market = None if symbol is None else pair_market(exchange, symbol)
    if mode is not None and mode not in _TYPES:
        raise Refusal(52000, "Unsupported orderMode")
    until = call.integer("endTime", call.now_ms)
    since = call.integer("startTime", until - WINDOW_MS)
    if until < since:
        raise Refusal(52004, "The end time lies before the start time")
    count = call.integer("limit", LIST_MAX)
    if count < 1:
        raise Refusal(50015, "Parameter limit must be at least 1")
    if count > LIST_MAX:
        raise Refusal(50016, "Parameter limit is too large")
    rows = [
        item.row()
        for item in exchange.spot.algo.of_account(call.owner.account_id)
        if (item.state == "new") == waiting
        and market in (None, item.form.market)
        and mode in (None, item.type)
        and since <= item.created_ms <= until
    ]
    return rows[:count]
