"""Spot orders over REST: placing, cancelling, looking up.

If the sources leave a case open, this is the choice made here. A batch with one malformed entry is refused as a whole.
An entry of a well-formed batch that cannot be paid for gets an order id like the others and the state ``failed``. The
refusal to cancel a closed order names its state (50030, 50031). Unknown parameters are ignored, as by the exchange.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal

import attrs

from ...kernel.accounts import ZERO
from ...kernel.book import Side
from ...kernel.calls import Call, Refusal
from ...kernel.encoding import Json
from ...kernel.pairs import MAX_PRICE, MONEY, PairMarket, money
from ...spot.market import SpotMarket
from ...spot.orders import Fill, Form, OrderType, SpotOrder, Stp
from .. import models as rules
from ..wire import Chapter

routes: Chapter[SpotMarket] = Chapter()

BATCH_MAX = 10
LIST_MAX = 200
WINDOW_MS = 7 * 24 * 3_600_000
CLIENT_ORDER_ID_MAX = 32
_CLIENT_ORDER_ID = re.compile(r"[0-9A-Za-z]+")

_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_TYPES: dict[str, OrderType] = {"limit": "limit", "market": "market", "limit_maker": "limit_maker", "ioc": "ioc"}
_STP_MODES: dict[str, Stp] = {
    "none": "none", "cancel_maker": "cancel_maker", "cancel_taker": "cancel_taker", "cancel_both": "cancel_both"
}  # fmt: skip


# -- placing ---------------------------------------------------------------------------------------


@routes.post("/spot/v2/submit_order", limit=(40, 2, "uid"))
def submit_order(spot: SpotMarket, call: Call) -> Json:
    """Place one spot order."""
    form = read_form(spot, call, pair_market(spot, call.need("symbol")), "client_order_id", set())
    return {"order_id": spot.engine.submit(call.owner.account_id, call.owner.spot, form).order_id}


@routes.post("/spot/v4/batch_orders", limit=(40, 2, "uid"), recv_window=True)
def submit_orders(spot: SpotMarket, call: Call) -> Json:
    """Place up to ten orders on one pair; the answer contains an envelope of its own."""
    market = pair_market(spot, call.need("symbol"))
    entries = call.params.get("orderParams")
    if not isinstance(entries, list) or not 1 <= len(entries) <= BATCH_MAX:
        raise Refusal(50033, "The number of orders must be between 1 and 10")
    taken: set[str] = set()
    forms: list[Form] = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise Refusal(50000, "Bad Request")
        forms.append(read_form(spot, attrs.evolve(call, params=entry), market, "clientOrderId", taken))
    engine = spot.engine
    orders = [engine.submit_or_fail(call.owner.account_id, call.owner.spot, form) for form in forms]
    return {"code": 0, "msg": "success", "data": {"orderIds": [order.order_id for order in orders]}}


def pair_market(spot: SpotMarket, symbol: str) -> PairMarket:
    """Return the market of a symbol; `Refusal` 50001 if there is none."""
    market = spot.look(symbol)
    if market is None:
        raise Refusal(50001, "Symbol not found")
    return market


def read_form(spot: SpotMarket, call: Call, market: PairMarket, id_name: str, taken: set[str]) -> Form:
    """Check everything but the funds of an order; ``taken`` collects the client order ids of a batch."""
    side, kind = _SIDES.get(call.need("side")), _TYPES.get(call.need("type"))
    if side is None:
        raise Refusal(52002, "Unsupported side")
    if kind is None:
        raise Refusal(52001, "Unsupported order type")
    stp = _STP_MODES.get(call.text("stpMode", "none") or "")
    if stp is None:
        raise Refusal(50021, "Invalid parameter stpMode")
    size = price = notional = None
    if kind == "market" and side == "buy":
        notional = _notional(call, market)
    else:
        size = _size(call, market)
        if kind != "market":
            price = read_price(call, market)
        value = size * (market.last if price is None else price)
        # Too small a limit_maker is accepted and then cancelled by the system.
        if value < market.pair.min_value and kind != "limit_maker":
            raise Refusal(51014 if kind == "market" else 51011, "The order value is below the minimum")
    client_order_id = _client_order_id(spot, call, id_name, taken)
    return Form(market, side, kind, size, price, notional, client_order_id, stp)


def _notional(call: Call, market: PairMarket) -> Decimal:
    notional = call.decimal("notional")
    if notional is None:
        if call.text("size") is not None:
            raise Refusal(50021, "Invalid parameter: a market buy takes notional, not size")
        raise Refusal(50012, "Parameter notional is required")
    if notional < market.pair.min_value:
        raise Refusal(51012, "The notional is below the minimum")
    if notional > MAX_PRICE * MAX_PRICE:
        raise Refusal(50020, "Balance not enough")
    return notional.quantize(MONEY, ROUND_DOWN)


def _size(call: Call, market: PairMarket) -> Decimal:
    size, pair = call.decimal("size"), market.pair
    if size is None:
        raise Refusal(50010, "Parameter size is required")
    if size < pair.lot:
        raise Refusal(50006, "The size is below the minimum")
    if size > pair.max_size:
        raise Refusal(50007, "The size is above the maximum")
    if size % pair.lot:
        raise Refusal(50021, f"Invalid parameter: size must be a multiple of {pair.lot:f}")
    return size.quantize(pair.lot)


def read_price(call: Call, market: PairMarket, name: str = "price") -> Decimal:
    """Return a required price on the pair's grid."""
    price, pair = call.decimal(name), market.pair
    if price is None:
        raise Refusal(50011, f"Parameter {name} is required")
    if price > MAX_PRICE:
        raise Refusal(50025, "The price is above the maximum")
    # Digits beyond the pair's precision are cut off without an error.
    price = price.quantize(pair.tick, ROUND_DOWN)
    if price <= 0:
        raise Refusal(50008, "The price is below the minimum")
    return price


def _client_order_id(spot: SpotMarket, call: Call, name: str, taken: set[str]) -> str:
    client_order_id = call.text(name)
    if client_order_id is None:
        return ""
    if len(client_order_id) > CLIENT_ORDER_ID_MAX:
        raise Refusal(50037, "The client order id is longer than 32 characters")
    if not _CLIENT_ORDER_ID.fullmatch(client_order_id):
        raise Refusal(50038, "The client order id may hold letters and digits only")
    if client_order_id in taken or spot.engine.used(call.owner.account_id, client_order_id):
        raise Refusal(50042, "The client order id has been used before")
    taken.add(client_order_id)
    return client_order_id


# -- cancelling ------------------------------------------------------------------------------------


@routes.post("/spot/v3/cancel_order", limit=(40, 2, "uid"))
def cancel_order(spot: SpotMarket, call: Call) -> Json:
    """Cancel one order by either id."""
    market = pair_market(spot, call.need("symbol"))
    order_id, client_order_id = call.text("order_id"), call.text("client_order_id")
    if order_id is None and client_order_id is None:
        raise Refusal(50039, "Order id and client order id are both empty")
    if order_id is not None and client_order_id is not None:
        raise Refusal(50029, "Give either order id or client order id")
    engine = spot.engine
    order = engine.find(call.owner.account_id, order_id=order_id, client_order_id=client_order_id)
    if order is None or order.form.market is not market:
        raise Refusal(50005, "Order Id not found")
    if not engine.request_cancel(order):
        if order.state == "filled":
            raise Refusal(50031, "The order has been filled")
        raise Refusal(50030, "The order has been cancelled")
    return {"result": True}


@routes.post("/spot/v4/cancel_orders", limit=(40, 2, "uid"), recv_window=True)
def cancel_orders(spot: SpotMarket, call: Call) -> Json:
    """Cancel up to ten orders of one pair; the answer separates the ids into cancelled and not cancelled."""
    market = pair_market(spot, call.need("symbol"))
    order_ids, client_order_ids = call.params.get("orderIds"), call.params.get("clientOrderIds")
    if order_ids and client_order_ids:
        raise Refusal(50029, "Give either orderIds or clientOrderIds")
    ids = order_ids or client_order_ids
    if not ids:
        raise Refusal(50039, "Order ids and client order ids are both empty")
    if not isinstance(ids, list) or len(ids) > BATCH_MAX:
        raise Refusal(50033, "The number of orders must be between 1 and 10")
    engine = spot.engine
    done: list[Json] = []
    failed: list[Json] = []
    for item in ids:
        text = str(item)
        named = {"order_id": text} if order_ids else {"client_order_id": text}
        order = engine.find(call.owner.account_id, **named)
        gone = order is not None and order.form.market is market and engine.request_cancel(order)
        (done if gone else failed).append(text)
    return {
        "successIds": done,
        "failIds": failed,
        "totalCount": len(ids),
        "successCount": len(done),
        "failedCount": len(failed),
    }


@routes.post("/spot/v4/cancel_all", limit=(1, 3, "uid"))
def cancel_all_orders(spot: SpotMarket, call: Call) -> Json:
    """Cancel every open order, or those of one pair or side."""
    symbol, side = call.text("symbol"), call.text("side")
    market = None if symbol is None else pair_market(spot, symbol)
    if side not in (None, "buy", "sell"):
        raise Refusal(52002, "Unsupported side")
    engine = spot.engine
    for order in engine.open_orders(call.owner.account_id):
        if market in (None, order.form.market) and side in (None, order.form.side):
            engine.request_cancel(order)
    return {}


# -- looking up ------------------------------------------------------------------------------------


@routes.post("/spot/v4/query/order", limit=(50, 2, "key"), recv_window=True, writes=False)
def order(spot: SpotMarket, call: Call) -> Json:
    """Return one order by its id."""
    found = spot.engine.find(call.owner.account_id, order_id=call.need("orderId", 50005))
    return order_row(_in_state(call, found))


@routes.post("/spot/v4/query/client-order", limit=(50, 2, "key"), recv_window=True, writes=False)
def order_by_client_id(spot: SpotMarket, call: Call) -> Json:
    """Return one order by the client's id."""
    found = spot.engine.find(call.owner.account_id, client_order_id=call.need("clientOrderId", 50005))
    return order_row(_in_state(call, found))


def _in_state(call: Call, found: SpotOrder | None) -> SpotOrder:
    state = call.text("queryState")
    if state not in (None, "open", "history"):
        raise Refusal(52003, "Unsupported queryState")
    if found is None or (state is not None and found.open != (state == "open")):
        raise Refusal(50005, "Order Id not found")
    return found


@routes.post("/spot/v4/query/open-orders", limit=(12, 2, "key"), recv_window=True, writes=False)
def open_orders(spot: SpotMarket, call: Call) -> Json:
    """Return open orders, newest first."""
    return _orders(spot, call, spot.engine.open_orders(call.owner.account_id))


@routes.post("/spot/v4/query/history-orders", limit=(12, 2, "key"), recv_window=True, writes=False)
def order_history(spot: SpotMarket, call: Call) -> Json:
    """Return finished orders, newest first."""
    return _orders(spot, call, (item for item in spot.engine.of_account(call.owner.account_id) if not item.open))


@routes.post("/spot/v4/query/trades", limit=(12, 2, "key"), recv_window=True, writes=False)
def account_trades(spot: SpotMarket, call: Call) -> Json:
    """Return the account's fills, newest first."""
    selected = Selection(spot, call)
    fills = [
        (item, fill)
        for item in spot.engine.of_account(call.owner.account_id)
        if selected.fits(item.form, item.mode)
        for fill in item.fills
        if selected.since <= fill.time_ms <= selected.until
    ]
    fills.sort(key=lambda pair: int(pair[1].trade_id), reverse=True)
    return [fill_row(item, fill) for item, fill in fills[: selected.limit]]


@routes.post("/spot/v4/query/order-trades", limit=(12, 2, "key"), recv_window=True, writes=False)
def order_trades(spot: SpotMarket, call: Call) -> Json:
    """Return the fills of one order, newest first."""
    found = spot.engine.find(call.owner.account_id, order_id=call.need("orderId", 50005))
    if found is None:
        raise Refusal(50005, "Order Id not found")
    return [fill_row(found, fill) for fill in reversed(found.fills)]


class Selection:
    """The common filters of all lists."""

    def __init__(self, spot: SpotMarket, call: Call, modes: Iterable[str] = ("spot", "iso_margin")) -> None:
        symbol = call.text("symbol")
        self._market = None if symbol is None else pair_market(spot, symbol)
        self._mode = call.text("orderMode")
        if self._mode not in (None, *modes):
            raise Refusal(52000, "Unsupported orderMode")
        self.until: int = call.integer("endTime", call.now_ms)
        # Without a start the list covers the week before its end.
        self.since: int = call.integer("startTime", self.until - WINDOW_MS)
        if self.until < self.since:
            raise Refusal(52004, "The end time lies before the start time")
        self.limit: int = call.integer("limit", LIST_MAX)
        if self.limit < 1:
            raise Refusal(50015, "Parameter limit must be at least 1")
        if self.limit > LIST_MAX:
            raise Refusal(50016, "Parameter limit is too large")

    def fits(self, form: Form, mode: str) -> bool:
        """Return True if an order has the requested pair and mode."""
        return self._market in (None, form.market) and self._mode in (None, mode)


def _orders(spot: SpotMarket, call: Call, found: Iterable[SpotOrder]) -> Json:
    selected = Selection(spot, call)
    rows = [
        order_row(item)
        for item in found
        if selected.fits(item.form, item.mode) and selected.since <= item.created_ms <= selected.until
    ]
    return rows[: selected.limit]


def order_row(item: SpotOrder) -> Json:
    """Return an order as the v4 queries show it; fields without meaning for a market order are zero."""
    form, nothing = item.form, rules.MARKET_ORDER_ZERO.value
    pair = form.market.pair
    notional = form.notional if form.size is None or form.price is None else form.size * form.price
    average = item.filled_notional / item.filled_size if item.filled_size else ZERO
    return {
        "orderId": item.order_id,
        "clientOrderId": item.shown_client_order_id,
        "symbol": pair.symbol,
        "side": form.side,
        "orderMode": item.mode,
        "type": form.type,
        "state": item.state,
        "cancelSource": item.cancel_source,
        "stpMode": form.stp,
        "price": pair.price_text(nothing if form.price is None else form.price),
        "priceAvg": pair.price_text(average),
        "size": pair.size_text(nothing if form.size is None else form.size),
        "filledSize": pair.size_text(item.filled_size),
        "notional": money(nothing if notional is None else notional),
        "filledNotional": money(item.filled_notional),
        "createTime": item.created_ms,
        "updateTime": item.updated_ms,
    }


def fill_row(item: SpotOrder, fill: Fill) -> Json:
    """Return a fill as the v4 queries show it."""
    form = item.form
    pair = form.market.pair
    return {
        "tradeId": fill.trade_id,
        "orderId": item.order_id,
        "clientOrderId": item.shown_client_order_id,
        "symbol": pair.symbol,
        "side": form.side,
        "orderMode": item.mode,
        "type": form.type,
        "stpMode": form.stp,
        "price": pair.price_text(fill.price),
        "size": pair.size_text(fill.size),
        "notional": money(fill.price * fill.size),
        "fee": money(fill.fee),
        "feeCoinName": fill.fee_currency,
        "tradeRole": fill.role,
        "createTime": fill.time_ms,
        "updateTime": fill.time_ms,
    }
