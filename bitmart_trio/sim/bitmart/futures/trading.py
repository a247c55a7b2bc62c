"""REST chapter: ordinary orders, and all reads of orders and fills."""

from __future__ import annotations

from ...futures.market import FuturesMarket
from ...futures.orders import MAKER_ONLY, Order, Plan, Trader
from ...kernel.calls import Call, Refusal
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params
from .orders import (
    fill_row,
    finished_row,
    order_detail,
    order_row,
    plan_history,
    plan_row,
    preset_rows,
    trailing_detail,
    trailing_row,
)

routes: Chapter[FuturesMarket] = Chapter()

MAX_ROWS = 200
MIN_TIMER_S = 5


@routes.post("/contract/private/submit-order", limit=(24, 2, "key"))
def submit_order(futures: FuturesMarket, call: Call) -> Json:
    """Place a limit or market order; the answer's price for the latter is the text 'market price'."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    engine = futures.engine
    side, kind = params.side(call), params.order_type(call)
    size = params.size(call, contract, market=kind == "market")
    price = params.price(call, contract) if kind == "limit" else None
    mode = params.whole(call, "mode", 1, (1, 2, 3, 4))
    if kind == "market" and mode == MAKER_ONLY:
        raise Refusal(40011, "A market order cannot be maker only")
    stp_mode = params.whole(call, "stp_mode", 1, (1, 2, 3))
    client_order_id = params.client_id(call, trader)
    presets = params.presets(call, contract)
    if side in (2, 3):
        setting = trader.setting(contract.symbol)
        leverage, open_type = setting.leverage, setting.open_type
    else:
        leverage, open_type = params.terms(call, trader, contract)
    order = Order(
        engine.new_id(),
        client_order_id,
        trader,
        contract,
        side,
        kind,
        price,
        size,
        leverage,
        open_type,
        engine.now(),
        mode=mode,
        stp_mode=stp_mode,
        presets=presets,
    )
    engine.submit(order)
    return {"order_id": int(order.order_id), "price": "market price" if price is None else call.text("price")}


def _named(trader: Trader, call: Call, symbol: str) -> Order:
    """Return the live order that a call names by either id."""
    order_id = call.text("order_id") or trader.client_ids.get(call.text("client_order_id") or "", "")
    order = trader.orders.get(order_id)
    if order is not None and order.contract.symbol == symbol:
        return order
    if any(done.order_id == order_id and done.contract.symbol == symbol for done in trader.finished):
        raise Refusal(40036, "The order status is invalid")
    raise Refusal(40035, "The order does not exist")


@routes.post("/contract/private/modify-limit-order", limit=(24, 2, "uid"))
def modify_limit_order(futures: FuturesMarket, call: Call) -> Json:
    """Change price or size of a resting order; the size is the order's whole size, including the filled part."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    if call.text("order_id") is None and call.text("client_order_id") is None:
        raise params.missing("order_id or client_order_id")
    if call.text("price") is None and call.text("size") is None:
        raise params.missing("price or size")
    order = _named(trader, call, contract.symbol)
    if order.price is None:
        raise Refusal(40036, "Only limit orders can be modified")
    price = params.price(call, contract, required=False) or order.price
    size = order.size if call.text("size") is None else params.size(call, contract, market=False)
    if size <= order.deal_size:
        raise Refusal(40044, "size must be above what is already filled")
    futures.engine.modify(order, price, size)
    return {"order_id": int(order.order_id), "client_order_id": order.client_order_id}


@routes.post("/contract/private/cancel-order", limit=(40, 2, "key"))
def cancel_order(futures: FuturesMarket, call: Call) -> Json:
    """Cancel one order, or, without an id, every order of the symbol."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    engine = futures.engine
    if call.text("order_id") is None and call.text("client_order_id") is None:
        for order in trader.live(contract.symbol):
            engine.request_cancel(order)
    else:
        engine.request_cancel(_named(trader, call, contract.symbol))
    return {}


@routes.post("/contract/private/cancel-orders", limit=(2, 2, "key"))
def cancel_orders(futures: FuturesMarket, call: Call) -> Json:
    """Cancel every order of the symbol."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    for order in trader.live(contract.symbol):
        futures.engine.request_cancel(order)
    return {}


@routes.post("/contract/private/cancel-all-after", limit=(4, 2, "uid"))
def cancel_all_after(futures: FuturesMarket, call: Call) -> Json:
    """Arm or renew (5 s and up) or disarm (0) the timer that cancels the symbol's ordinary orders, once."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    params.needed(call, "timeout")
    seconds = call.integer("timeout", 0, code=40011)
    if seconds != 0 and seconds < MIN_TIMER_S:
        raise Refusal(40011, f"timeout must be 0 or at least {MIN_TIMER_S}")
    now = futures.engine.now()
    if seconds:
        trader.timers[contract.symbol] = now + seconds * 1000
    else:
        trader.timers.pop(contract.symbol, None)
    return {"result": True, "set_time": now // 1000, "cancel_time": now // 1000 + seconds}


# ---------------------------------------------------------------- reads


@routes.get("/contract/private/order", auth="keyed", limit=(50, 2, "key"))
def order(futures: FuturesMarket, call: Call) -> Json:
    """Return one order, live or finished, by exchange id; also trailing orders, waiting or finished."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    order_id = params.needed(call, "order_id")
    waiting, live = trader.plans.get(order_id), trader.orders.get(order_id)
    done_with: list[Order | Plan] = [*trader.finished, *trader.finished_plans]
    found = waiting or live or next((done for done in done_with if done.order_id == order_id), None)
    if (
        found is None
        or found.contract is not contract
        or params.elsewhere(call)
        or (isinstance(found, Plan) and found.kind != "trailing")
    ):
        raise Refusal(40035, "The order does not exist")
    return trailing_detail(found) if isinstance(found, Plan) else order_detail(found)


@routes.get("/contract/private/order-history", auth="keyed", limit=(6, 2, "key"))
def order_history(futures: FuturesMarket, call: Call) -> Json:
    """Return finished orders of a contract, conditional ones included, newest first, at most 200."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    start, end = params.span_s(call, futures.engine.now())
    order_id, client_order_id = call.text("order_id"), call.text("client_order_id")
    rows: list[Json] = []
    if params.elsewhere(call):
        return rows
    done_with: list[Order | Plan] = [*trader.finished, *trader.finished_plans]
    found = [
        done
        for done in done_with
        if done.contract is contract
        and start * 1000 <= done.created_ms <= end * 1000
        and order_id in (None, done.order_id)
        and client_order_id in (None, done.client_order_id)
    ]
    found.sort(key=lambda done: int(done.order_id), reverse=True)
    rows.extend(plan_history(done) if isinstance(done, Plan) else finished_row(done) for done in found[:MAX_ROWS])
    return rows


@routes.get("/contract/private/get-open-orders", auth="keyed", limit=(50, 2, "key"))
def get_open_orders(futures: FuturesMarket, call: Call) -> Json:
    """Return live ordinary and waiting trailing orders, newest first."""
    trader = params.trader_of(futures, call)
    symbol, kind = params.optional_symbol(futures, call), call.text("type")
    state, count = call.text("order_state", "all"), params.limit(call, 100, 100)
    if kind not in (None, "limit", "market", "trailing"):
        raise Refusal(40042, "type is invalid")
    if state not in ("all", "partially_filled"):
        raise Refusal(40011, "Invalid parameter order_state")
    found: list[tuple[int, dict[str, Json]]] = [
        (int(live.order_id), {**order_row(live), **preset_rows(live.presets)})
        for live in trader.orders.values()
        if state == "all" or live.deal_size
    ]
    if state == "all":
        found += [(int(plan.order_id), trailing_row(plan)) for plan in trader.plans.values() if plan.kind == "trailing"]
    found.sort(key=lambda pair: pair[0], reverse=True)
    rows: list[Json] = [row for _, row in found if symbol in (None, row["symbol"]) and kind in (None, row["type"])]
    return rows[:count]


@routes.get("/contract/private/current-plan-order", auth="keyed", limit=(50, 2, "key"))
def current_plan_order(futures: FuturesMarket, call: Call) -> Json:
    """Return waiting plan and TP/SL orders, newest first; ``type`` refers to the order that they will send."""
    trader = params.trader_of(futures, call)
    symbol, plan_type, count = (
        params.optional_symbol(futures, call),
        call.text("plan_type"),
        params.limit(call, 100, 100),
    )
    kind = None if call.text("type") is None else params.order_type(call)
    if plan_type not in (None, "plan", "profit_loss"):
        raise Refusal(40011, "Invalid parameter plan_type")
    kinds = {
        None: ("plan", "take_profit", "stop_loss"),
        "plan": ("plan",),
        "profit_loss": ("take_profit", "stop_loss"),
    }[plan_type]
    rows: list[Json] = [
        plan_row(plan)
        for plan in reversed(trader.plans.values())
        if plan.kind in kinds and symbol in (None, plan.contract.symbol) and kind in (None, plan.type)
    ]
    return rows[:count]


@routes.get("/contract/private/trades", auth="keyed", limit=(6, 2, "key"))
def trades(futures: FuturesMarket, call: Call) -> Json:
    """Return the account's own fills, newest first, at most 200."""
    trader, symbol = params.trader_of(futures, call), params.optional_symbol(futures, call)
    start, end = params.span_s(call, futures.engine.now())
    order_id, client_order_id = call.text("order_id"), call.text("client_order_id")
    rows: list[Json] = []
    if params.elsewhere(call):
        return rows
    rows.extend(
        fill_row(fill)
        for fill in reversed(trader.fills)
        if start * 1000 <= fill.time_ms <= end * 1000
        and symbol in (None, fill.symbol)
        and order_id in (None, fill.order_id)
        and client_order_id in (None, fill.client_order_id)
    )
    return rows[:MAX_ROWS]
