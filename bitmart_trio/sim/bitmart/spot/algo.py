"""Algo orders over REST; waiting and firing are in ``sim/spot/algo.py``.

The queries do not show the trigger price: no recorded answer has it.
"""

from __future__ import annotations

import attrs

from ...kernel.calls import Call, Refusal
from ...kernel.encoding import Json
from ...kernel.pairs import money
from ...spot.algo import AlgoOrder, AlgoType, TriggerType
from ...spot.market import SpotMarket
from ...spot.orders import FORGOTTEN_MS
from ..wire import Chapter
from .trading import Selection, pair_market, read_form, read_price

routes: Chapter[SpotMarket] = Chapter()


_TYPES: dict[str, AlgoType] = {"trigger": "trigger", "tp/sl": "tp/sl"}
_TRIGGERS: dict[str, TriggerType] = {"limit": "limit", "market": "market"}


def _type(call: Call, name: str = "type") -> AlgoType:
    found = _TYPES.get(call.need(name))
    if found is None:
        raise Refusal(52001, "Unsupported order type")
    return found


@routes.post("/spot/v4/algo/submit_order", limit=(10, 2, "key"))
def submit_order(spot: SpotMarket, call: Call) -> Json:
    """Place a trigger or a TP/SL order; without ``trigger_type`` a price makes it a limit order."""
    market, kind = pair_market(spot, call.need("symbol")), _type(call)
    trigger = _TRIGGERS.get(call.text("trigger_type", "market" if call.text("price") is None else "limit") or "")
    if trigger is None:
        raise Refusal(52001, "Unsupported trigger_type")
    call.need("trigger_price")
    price = read_price(call, market, "trigger_price")
    algo, account = spot.algo, call.owner
    members = attrs.evolve(call, params={**call.params, "type": trigger})
    form = read_form(spot, members, market, "client_order_id", algo.client_ids(account.account_id))
    return {"order_id": algo.submit(account, kind, trigger, price, form).order_id}


@routes.post("/spot/v4/algo/cancel_order", limit=(10, 2, "key"))
def cancel_order(spot: SpotMarket, call: Call) -> Json:
    """Cancel one algo order; the result is false if it was finished already."""
    market, kind = pair_market(spot, call.need("symbol")), _type(call)
    order = spot.algo.find(call.owner.account_id, order_id=call.need("order_id"))
    if order is None or order.form.market is not market or order.type != kind:
        raise Refusal(50005, "Order Id not found")
    return {"result": spot.algo.cancel(order)}


@routes.post("/spot/v4/algo/cancel_all", limit=(5, 2, "key"))
def cancel_all_orders(spot: SpotMarket, call: Call) -> Json:
    """Cancel every waiting algo order of one type, of one pair if one is named."""
    kind, symbol = _type(call), call.text("symbol")
    market = None if symbol is None else pair_market(spot, symbol)
    for order in spot.algo.of_account(call.owner.account_id):
        if order.type == kind and market in (None, order.form.market):
            spot.algo.cancel(order)
    return {}


def _in_state(call: Call, found: AlgoOrder | None) -> Json:
    state = call.text("queryState")
    if state not in (None, "open", "history"):
        raise Refusal(52003, "Unsupported queryState")
    if found is None or (state is not None and (found.state == "new") != (state == "open")):
        raise Refusal(50005, "Order Id not found")
    if found.state == "canceled" and call.now_ms - found.updated_ms > FORGOTTEN_MS:
        raise Refusal(50005, "Order Id not found")
    return _row(found)


@routes.post("/spot/v4/query/algo/order", limit=(40, 2, "key"), recv_window=True, writes=False)
def order(spot: SpotMarket, call: Call) -> Json:
    """Return one algo order by its id."""
    order_id = call.need("orderId", 50005)
    return _in_state(call, spot.algo.find(call.owner.account_id, order_id=order_id))


@routes.post("/spot/v4/query/algo/client-order", limit=(40, 2, "key"), recv_window=True, writes=False)
def order_by_client_id(spot: SpotMarket, call: Call) -> Json:
    """Return one algo order by the client's id."""
    client_order_id = call.need("clientOrderId", 50005)
    return _in_state(call, spot.algo.find(call.owner.account_id, client_order_id=client_order_id))


@routes.post("/spot/v4/query/algo/open-orders", limit=(20, 2, "key"), recv_window=True, writes=False)
def open_orders(spot: SpotMarket, call: Call) -> Json:
    """Return waiting algo orders, newest first."""
    return _orders(spot, call, waiting=True)


@routes.post("/spot/v4/query/algo/history-orders", limit=(20, 2, "key"), recv_window=True, writes=False)
def order_history(spot: SpotMarket, call: Call) -> Json:
    """Return finished algo orders, newest first."""
    return _orders(spot, call, waiting=False)


def _orders(spot: SpotMarket, call: Call, *, waiting: bool) -> Json:
    selected = Selection(spot, call, _TYPES)
    rows = [
        _row(item)
        for item in spot.algo.of_account(call.owner.account_id)
        if (item.state == "new") == waiting
        and selected.fits(item.form, item.type)
        and selected.since <= item.created_ms <= selected.until
    ]
    return rows[: selected.limit]


def _row(order: AlgoOrder) -> Json:
    """Return an algo order as the queries show it."""
    form, pair = order.form, order.form.market.pair
    notional = form.notional if form.size is None or form.price is None else form.size * form.price
    return {
        "orderId": order.order_id,
        "clientOrderId": form.client_order_id,
        "symbol": pair.symbol,
        "side": form.side,
        "orderMode": order.type,
        "trigger_type": order.trigger_type,
        "state": order.state,
        "cancelSource": order.cancel_source,
        "price": "" if form.price is None else pair.price_text(form.price),
        "size": "" if form.size is None else pair.size_text(form.size),
        "notional": "" if notional is None else money(notional),
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
    }
