"""Format orders, conditional orders and fills for REST and pushes."""

from __future__ import annotations

from ...futures.orders import Fill, Order, Plan, Presets, Trader
from ...kernel.contracts import ZERO, plain
from ...kernel.encoding import Json
from .. import models as rules


def preset_rows(presets: Presets) -> dict[str, Json]:
    """Return the four wire fields of presets; 0 and blank for unset ones."""
    return {
        "preset_take_profit_price_type": 0 if presets.take_profit is None else presets.take_profit_type,
        "preset_stop_loss_price_type": 0 if presets.stop_loss is None else presets.stop_loss_type,
        "preset_take_profit_price": "" if presets.take_profit is None else plain(presets.take_profit),
        "preset_stop_loss_price": "" if presets.stop_loss is None else plain(presets.stop_loss),
    }


def fill_row(fill: Fill) -> dict[str, Json]:
    """Return a fill as the list of own trades has it."""
    return {
        "order_id": fill.order_id,
        "trade_id": str(fill.trade_id),
        "symbol": fill.symbol,
        "side": fill.side,
        "price": plain(fill.price),
        "vol": plain(fill.size),
        "exec_type": "Maker" if fill.maker else "Taker",
        "profit": fill.closes,
        "realised_profit": plain(fill.profit),
        "paid_fees": plain(fill.fee),
        "account": "futures",
        "create_time": fill.time_ms,
    }


def order_row(order: Order | Plan, kind: str = "") -> dict[str, Json]:
    """Return the common fields of all reads of orders; a conditional order has the given ``kind``."""
    if isinstance(order, Order):
        price, average, done = order.price or order.protective_price, order.deal_average, order.deal_size
    else:
        price, average, done = order.executive_price, ZERO, ZERO
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "price": plain(price or ZERO),
        "size": plain(order.size),
        "symbol": order.contract.symbol,
        "state": order.state,
        "side": order.side,
        "type": kind or order.type,
        "position_mode": mode_name(order.owner),
        "leverage": plain(order.leverage),
        "open_type": order.open_type,
        "deal_avg_price": plain(average),
        "deal_size": plain(done),
        "create_time": order.created_ms,
        "update_time": order.updated_ms,
    }


def order_detail(order: Order) -> dict[str, Json]:
    """Return an order as a look-up by id has it."""
    return {**order_row(order), "account": "futures", **_trail(order), **preset_rows(order.presets)}


def finished_row(order: Order) -> dict[str, Json]:
    """Return an order as the order history has it."""
    return {
        **order_row(order),
        "account": "futures",
        "trigger_price": "0",
        "execution_price": "0",
        **_trail(order),
        **preset_rows(order.presets),
    }


def _trail(order: Order) -> dict[str, Json]:
    trail = order.plan if order.plan is not None and order.plan.kind == "trailing" else None
    return {
        "activation_price_type": 0 if trail is None else trail.price_type,
        "activation_price": "0" if trail is None else plain(trail.trigger_price),
        "callback_rate": "0" if trail is None else plain(trail.callback_rate),
        "executive_order_id": "",
    }


def plan_row(plan: Plan) -> dict[str, Json]:
    """Return a waiting plan order as the list has it."""
    return {
        "order_id": plan.order_id,
        "client_order_id": plan.client_order_id,
        "executive_price": plain(plan.executive_price or ZERO),
        "trigger_price": plain(plan.trigger_price),
        "size": plain(plan.size),
        "symbol": plan.contract.symbol,
        "state": plan.state,
        "side": plan.side,
        "mode": plan.mode,
        "position_mode": mode_name(plan.owner),
        "price_way": plan.price_way,
        "price_type": plan.price_type,
        "plan_category": plan.plan_category,
        "type": plan.kind,
        "leverage": plain(plan.leverage),
        "open_type": plan.open_type,
        "create_time": plan.created_ms,
        "update_time": plan.updated_ms,
        **preset_rows(plan.presets),
    }


def trailing_row(plan: Plan) -> dict[str, Json]:
    """Return a trailing order as the list of open orders has it."""
    return {
        **order_row(plan, rules.ORDER_FINDS_TRAILING.value),
        "activation_price_type": plan.price_type,
        "activation_price": plain(plan.trigger_price),
        "callback_rate": plain(plan.callback_rate),
        **preset_rows(plan.presets),
    }


def trailing_detail(plan: Plan) -> dict[str, Json]:
    """Return a trailing order as a look-up by id has it."""
    return {**trailing_row(plan), "account": "futures", "executive_order_id": plan.executive_order_id}


def plan_history(plan: Plan) -> dict[str, Json]:
    """Return a finished conditional order as the order history has it."""
    trailing = plan.kind == "trailing"
    return {
        **order_row(plan, "trailing" if trailing else "planorder"),
        "account": "futures",
        "trigger_price": "0" if trailing else plain(plan.trigger_price),
        "execution_price": "Market" if plan.executive_price is None else plain(plan.executive_price),
        "activation_price_type": plan.price_type if trailing else 0,
        "activation_price": plain(plan.trigger_price) if trailing else "0",
        "callback_rate": plain(plan.callback_rate) if trailing else "0",
        "executive_order_id": plan.executive_order_id,
        **preset_rows(plan.presets),
    }


def mode_name(trader: Trader) -> str:
    """Return the wire's word for an account's position mode."""
    return "one_way_mode" if trader.one_way else "hedge_mode"
