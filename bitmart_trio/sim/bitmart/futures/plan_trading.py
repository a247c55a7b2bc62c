"""REST chapter: plan, take-profit/stop-loss and trailing orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from ...futures.listing import Listing
from ...futures.market import FuturesMarket
from ...futures.orders import Order, Plan, Trader
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params

routes: Chapter[FuturesMarket] = Chapter()

CALLBACK_RANGE = (Decimal("0.1"), Decimal(5))
_GUARDS: dict[str, Literal["take_profit", "stop_loss"]] = {"take_profit": "take_profit", "stop_loss": "stop_loss"}
PLAN_KINDS = ("plan", "take_profit", "stop_loss")


@routes.post("/contract/private/submit-plan-order", limit=(24, 2, "uid"))
def submit_plan_order(futures: FuturesMarket, call: Call) -> Json:
    """Place an order that is sent when a price is reached."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    engine = futures.engine
    guard = _GUARDS.get(call.text("type") or "")
    side = params.side(call)
    if guard and side not in (2, 3):
        raise Refusal(40041, "A take-profit or stop-loss order closes a position")
    # Without its own price, a take-profit or stop-loss sends a market order.
    if guard is None:
        order_type = params.order_type(call)
    else:
        order_type = "limit" if call.decimal("executive_price", code=40007) else "market"
    leverage, open_type = params.plan_terms(call, trader, contract, side)
    plan = Plan(
        engine.new_id(),
        "",
        trader,
        contract,
        guard or "plan",
        side,
        order_type,
        params.size(call, contract, market=order_type == "market"),
        params.needed_price(call, contract, "trigger_price"),
        params.price(call, contract, "executive_price") if order_type == "limit" else None,
        params.whole(call, "price_type", None, (1, 2)),
        params.whole(call, "price_way", None, (1, 2)),
        leverage,
        open_type,
        engine.now(),
        mode=params.whole(call, "mode", 1, (1, 2, 3, 4)),
        plan_category=params.whole(call, "plan_category", 1, (1, 2)),
        presets=params.presets(call, contract),
    )
    if guard and trader.position(contract.symbol, plan.direction) is None:
        raise Refusal(40021, "The position does not exist")
    futures.plans.submit(plan)
    return {"order_id": int(plan.order_id)}


@routes.post("/contract/private/modify-plan-order", limit=(24, 2, "uid"))
def modify_plan_order(futures: FuturesMarket, call: Call) -> Json:
    """Change trigger, price and kind of a waiting plan order."""
    trader, listing = params.trader_of(futures, call), params.listing_of(futures, call)
    plan = params.plan_of(call, trader, listing.contract.symbol, ("plan",), params.needed(call, "order_id"))
    order_type = params.order_type(call, default=None)
    trigger, price_type = _trigger(futures, call, listing)
    price = params.price(call, listing.contract, "executive_price") if order_type == "limit" else None
    plan.type, plan.trigger_price, plan.price_type, plan.executive_price = order_type, trigger, price_type, price
    futures.plans.changed(plan)
    return {"order_id": plan.order_id}


def _trigger(futures: FuturesMarket, call: Call, listing: Listing) -> tuple[Decimal, int]:
    trigger = params.needed_price(call, listing.contract, "trigger_price")
    futures.plans.check_trigger(listing, trigger)
    return trigger, params.whole(call, "price_type", None, (1, 2))


@routes.post("/contract/private/modify-preset-plan-order", limit=(24, 2, "uid"))
def modify_preset_plan_order(futures: FuturesMarket, call: Call) -> Json:
    """Change the take-profit and stop-loss prices attached to a live or waiting order; prices not sent stay."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    order_id = params.needed(call, "order_id")
    there: Order | Plan | None = trader.orders.get(order_id)
    if there is None or there.contract is not contract:
        there = params.plan_of(call, trader, contract.symbol, ("plan",), order_id)
    new = params.presets(call, contract)
    if new.take_profit is not None:
        there.presets.take_profit, there.presets.take_profit_type = new.take_profit, new.take_profit_type
    if new.stop_loss is not None:
        there.presets.stop_loss, there.presets.stop_loss_type = new.stop_loss, new.stop_loss_type
    there.updated_ms = futures.engine.now()
    return {"order_id": order_id}


@routes.post("/contract/private/cancel-plan-order", limit=(40, 2, "uid"))
def cancel_plan_order(futures: FuturesMarket, call: Call) -> Json:
    """Cancel one plan or TP/SL order, or, without an id, all of the symbol."""
    return _cancel(futures, call, PLAN_KINDS)


@routes.post("/contract/private/cancel-trail-order", limit=(24, 2, "uid"))
def cancel_trail_order(futures: FuturesMarket, call: Call) -> Json:
    """Cancel one trailing order, or, without an id, all of the symbol."""
    return _cancel(futures, call, ("trailing",))


def _cancel(futures: FuturesMarket, call: Call, kinds: tuple[str, ...]) -> Json:
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    order_id = call.text("order_id")
    if order_id is None and call.text("client_order_id") is None:
        for plan in list(trader.plans.values()):
            if plan.contract is contract and plan.kind in kinds:
                futures.plans.cancel(plan)
    else:
        futures.plans.cancel(
            params.plan_of(call, trader, contract.symbol, kinds, order_id or _by_client_id(trader, call))
        )
    return {}


def _by_client_id(trader: Trader, call: Call) -> str | None:
    return trader.client_ids.get(call.text("client_order_id") or "")


@routes.post("/contract/private/submit-tp-sl-order", limit=(24, 2, "uid"))
def submit_tp_sl_order(futures: FuturesMarket, call: Call) -> Json:
    """Attach a take-profit or stop-loss to a position; the trigger must be on the right side of the price."""
    trader, listing = params.trader_of(futures, call), params.listing_of(futures, call)
    engine, contract = futures.engine, listing.contract
    kind = _GUARDS.get(params.needed(call, "type"))
    if kind is None:
        raise Refusal(40042, "type is invalid")
    side = params.side(call, (2, 3))
    trigger, price_type = _trigger(futures, call, listing)
    category = params.whole(call, "plan_category", 2, (1, 2))
    order_type, price = _execution(call, listing, category)
    client_order_id = params.client_id(call, trader)
    held = trader.position(contract.symbol, "long" if side == 3 else "short")
    if held is None:
        raise Refusal(40021, "The position does not exist")
    size = held.size
    if call.text("size") is not None:
        size = params.size(call, contract, market=order_type == "market")
        if size > held.size:
            raise Refusal(40020, "Position size insufficient to close")
    up = (kind == "take_profit") == (side == 3)
    price_now = listing.trigger_price(price_type)
    if trigger <= price_now if up else trigger >= price_now:
        raise Refusal(40011, "The trigger price lies on the wrong side of the market price")
    plan = Plan(
        engine.new_id(),
        client_order_id,
        trader,
        contract,
        kind,
        side,
        order_type,
        size,
        trigger,
        price,
        price_type,
        1 if up else 2,
        held.leverage,
        held.open_type,
        engine.now(),
        plan_category=category,
    )
    futures.plans.submit(plan)
    return {"order_id": plan.order_id, "client_order_id": plan.client_order_id}


def _execution(call: Call, listing: Listing, category: int) -> tuple[Literal["limit", "market"], Decimal | None]:
    """Return kind and price of a TP/SL's order: market for the price 0, and by default for a whole position."""
    if call.decimal("executive_price", code=40007) == 0:
        return "market", None
    if params.order_type(call, "category", "market" if category == 2 else "limit") == "market":
        return "market", None
    return "limit", params.price(call, listing.contract, "executive_price")


@routes.post("/contract/private/modify-tp-sl-order", limit=(24, 2, "uid"))
def modify_tp_sl_order(futures: FuturesMarket, call: Call) -> Json:
    """Change a waiting take-profit or stop-loss."""
    trader, listing = params.trader_of(futures, call), params.listing_of(futures, call)
    order_id = call.text("order_id") or _by_client_id(trader, call)
    if order_id is None and call.text("client_order_id") is None:
        raise params.missing("order_id or client_order_id")
    plan = params.plan_of(call, trader, listing.contract.symbol, ("take_profit", "stop_loss"), order_id)
    trigger, price_type = _trigger(futures, call, listing)
    category = params.whole(call, "plan_category", plan.plan_category, (1, 2))
    order_type, price = plan.type, plan.executive_price
    if category == 1:
        params.needed(call, "executive_price")
    if call.text("executive_price") is not None:
        order_type, price = _execution(call, listing, category)
    plan.trigger_price, plan.price_type, plan.plan_category = trigger, price_type, category
    plan.type, plan.executive_price = order_type, price
    futures.plans.changed(plan)
    return {"order_id": plan.order_id}


@routes.post("/contract/private/submit-trail-order", limit=(24, 2, "uid"))
def submit_trail_order(futures: FuturesMarket, call: Call) -> Json:
    """Place a trailing order: after activation, a reversal from the best price sends a market order."""
    trader, contract = params.trader_of(futures, call), params.listing_of(futures, call).contract
    engine, side = futures.engine, params.side(call)
    params.needed(call, "callback_rate")
    rate = params.positive(call, "callback_rate")
    assert rate is not None, "needed() has looked"
    if not CALLBACK_RANGE[0] <= rate <= CALLBACK_RANGE[1]:
        raise Refusal(40044, f"callback_rate must be between {plain(CALLBACK_RANGE[0])} and {plain(CALLBACK_RANGE[1])}")
    size = params.size(call, contract, market=True)
    leverage, open_type = params.plan_terms(call, trader, contract, side)
    plan = Plan(
        engine.new_id(),
        "",
        trader,
        contract,
        "trailing",
        side,
        "market",
        size,
        params.needed_price(call, contract, "activation_price"),
        None,
        params.whole(call, "activation_price_type", None, (1, 2)),
        1 if side in (3, 4) else 2,
        leverage,
        open_type,
        engine.now(),
        callback_rate=rate,
    )
    futures.plans.submit(plan)
    return {"order_id": int(plan.order_id)}
