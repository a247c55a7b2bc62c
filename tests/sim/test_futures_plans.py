"""Conditional futures orders: they wait without holding money, fire on their price, can be changed and cancelled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from futures_kit import Venue

PLAN: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": 1,
    "type": "market",
    "leverage": "10",
    "open_type": "cross",
    "size": 5,
    "trigger_price": "61000",
    "price_way": 1,
    "price_type": 2,
}


def amount(venue: Venue, side: str = "long") -> str:
    rows = venue.ok(venue.get("position-v2", symbol="BTCUSDT"))
    return str(next(row["current_amount"] for row in rows if row["position_side"] == side))


def test_plan_order_waits_and_fires() -> None:
    """Listed while it waits, nothing held; at its price it becomes an order, and is then found in the history."""
    venue = Venue()
    venue.move(60_000)
    placed = venue.ok(venue.post("submit-plan-order", **PLAN))
    assert isinstance(placed["order_id"], int)
    waiting = venue.ok(venue.get("current-plan-order", symbol="BTCUSDT"))
    assert [(p["order_id"], p["type"], p["state"], p["executive_price"]) for p in waiting] == [
        (str(placed["order_id"]), "plan", 2, "0")
    ]
    assert venue.asset()["frozen_balance"] == 0
    venue.move(60_990)
    assert amount(venue) == "0"
    venue.move(61_010)
    assert amount(venue) == "5"
    assert venue.ok(venue.get("current-plan-order")) == []
    order, plan = venue.ok(venue.get("order-history", symbol="BTCUSDT"))
    assert (plan["type"], plan["trigger_price"], plan["execution_price"]) == ("planorder", "61000", "Market")
    assert plan["executive_order_id"] == order["order_id"]
    assert order["client_order_id"] == f"PLAN_{placed['order_id']}"


def test_limit_plan_on_the_way_down() -> None:
    """It sends a limit order at its own price, which then rests."""
    venue = Venue()
    venue.move(60_000)
    venue.ok(
        venue.post(
            "submit-plan-order",
            **{**PLAN, "type": "limit", "price_way": 2, "trigger_price": "59500", "executive_price": "59000"},
        )
    )
    venue.move(59_400)
    rows = venue.ok(venue.get("get-open-orders"))
    assert [(row["price"], row["size"], row["type"]) for row in rows] == [("59000", "5", "limit")]


def test_plan_that_cannot_be_paid_ends_without_an_order() -> None:
    """The trigger comes, the money is not there: the plan is finished and names no order."""
    venue = Venue()
    venue.move(60_000)
    venue.ok(venue.post("submit-plan-order", **{**PLAN, "size": 50_000}))
    venue.move(61_100)
    history = venue.ok(venue.get("order-history", symbol="BTCUSDT"))
    assert [(row["type"], row["executive_order_id"]) for row in history] == [("planorder", "")]
    assert amount(venue) == "0"


def test_modify_and_cancel_plan_orders() -> None:
    """Trigger and price can be changed; cancelling by symbol takes all."""
    venue = Venue()
    first = venue.ok(venue.post("submit-plan-order", **PLAN))["order_id"]
    venue.ok(venue.post("submit-plan-order", **{**PLAN, "trigger_price": "65000"}))
    change = {"trigger_price": "62000", "executive_price": "62100", "price_type": 1, "type": "limit"}
    answer = venue.ok(venue.post("modify-plan-order", symbol="BTCUSDT", order_id=str(first), **change))
    assert answer == {"order_id": str(first)}
    rows = {row["order_id"]: row for row in venue.ok(venue.get("current-plan-order"))}
    assert (rows[str(first)]["trigger_price"], rows[str(first)]["executive_price"]) == ("62000", "62100")
    assert len(venue.ok(venue.get("current-plan-order", type="market"))) == 1
    assert len(venue.ok(venue.get("current-plan-order", plan_type="profit_loss"))) == 0
    venue.ok(venue.post("cancel-plan-order", symbol="BTCUSDT", order_id=str(first)))
    assert venue.post("cancel-plan-order", symbol="BTCUSDT", order_id=str(first))[:2] == (400, 40036)
    assert venue.post("cancel-plan-order", symbol="BTCUSDT", order_id="5")[:2] == (400, 40035)
    venue.ok(venue.post("cancel-plan-order", symbol="BTCUSDT"))
    assert venue.ok(venue.get("current-plan-order")) == []


def test_take_profit_and_stop_loss_of_a_position() -> None:
    """Two orders wait; the one that fires closes the whole position and takes the other with it."""
    venue = Venue()
    venue.move(60_000)
    venue.order(1, 8)
    common = {"symbol": "BTCUSDT", "side": 3, "executive_price": "0", "price_type": 2}
    profit = venue.post(
        "submit-tp-sl-order", type="take_profit", trigger_price="61000", client_order_id="tp1", **common
    )
    assert venue.ok(profit)["client_order_id"] == "tp1"
    venue.ok(venue.post("submit-tp-sl-order", type="stop_loss", trigger_price="59000", **common))
    waiting = venue.ok(venue.get("current-plan-order", plan_type="profit_loss"))
    assert [(p["type"], p["plan_category"], p["size"]) for p in waiting] == [
        ("stop_loss", 2, "8"),
        ("take_profit", 2, "8"),
    ]
    venue.order(1, 2)
    blocking = venue.order(3, 10, "70000")
    venue.move(58_900)
    assert amount(venue) == "0"
    assert venue.ok(venue.get("current-plan-order")) == []
    assert venue.ok(venue.get("order", symbol="BTCUSDT", order_id=blocking["order_id"]))["state"] == 4


def test_partial_take_profit_as_a_limit_order() -> None:
    """With plan_category 1 part of the position is closed, by an order at the given price."""
    venue = Venue()
    venue.move(60_000)
    venue.order(4, 8)
    venue.ok(
        venue.post(
            "submit-tp-sl-order",
            symbol="BTCUSDT",
            side=2,
            type="take_profit",
            size=3,
            trigger_price="59000",
            executive_price="58000",
            price_type=1,
            plan_category=1,
            category="limit",
        )
    )
    venue.move(58_900)
    rows = venue.ok(venue.get("get-open-orders"))
    assert [(row["side"], row["size"], row["price"]) for row in rows] == [(2, "3", "58000")]
    venue.move(57_900)
    assert amount(venue, "short") == "5"


def test_modify_tp_sl_order() -> None:
    """By client id, to another trigger and price type."""
    venue = Venue()
    venue.move(60_000)
    venue.order(1, 8)
    common = {"symbol": "BTCUSDT", "price_type": 2, "client_order_id": "sl1"}
    placed = venue.ok(
        venue.post("submit-tp-sl-order", side=3, type="stop_loss", trigger_price="50000", executive_price="0", **common)
    )
    changed = venue.ok(venue.post("modify-tp-sl-order", trigger_price="59500", **common))
    assert changed == {"order_id": placed["order_id"]}
    assert venue.post("modify-tp-sl-order", trigger_price="59500", plan_category=1, **common)[:2] == (400, 40011)
    venue.move(59_400)
    assert amount(venue) == "0"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": 1}, 40041),
        ({"side": 2}, 40021),
        ({"type": "plan"}, 40042),
        ({"trigger_price": "400000"}, 40031),
        ({"trigger_price": "50000"}, 40011),
        ({"size": 9}, 40020),
        ({"price_type": None}, 40011),
    ],
)
def test_tp_sl_refusals(changes: dict[str, Any], code: int) -> None:
    """Wrong side, no position, trigger too far or on the wrong side, more than there is."""
    venue = Venue()
    venue.order(1, 8)
    params = {
        "symbol": "BTCUSDT",
        "side": 3,
        "type": "take_profit",
        "trigger_price": "70000",
        "executive_price": "0",
        "price_type": 1,
        **changes,
    }
    assert venue.post("submit-tp-sl-order", **params)[:2] == (400, code)


def test_presets_become_tp_sl_orders() -> None:
    """They can be changed while the order rests, and wait as TP/SL orders once it has filled."""
    venue = Venue()
    venue.move(60_000)
    placed = venue.order(
        1, 4, "59500", preset_take_profit_price="65000", preset_stop_loss_price="58000", preset_stop_loss_price_type=2
    )
    row = venue.ok(venue.get("get-open-orders"))[0]
    assert (row["preset_take_profit_price"], row["preset_stop_loss_price_type"]) == ("65000", 2)
    venue.ok(
        venue.post(
            "modify-preset-plan-order",
            symbol="BTCUSDT",
            order_id=str(placed["order_id"]),
            preset_take_profit_price="66000",
        )
    )
    venue.move(59_400)
    plans = {p["type"]: p for p in venue.ok(venue.get("current-plan-order"))}
    assert plans["take_profit"]["trigger_price"] == "66000"
    assert (plans["stop_loss"]["trigger_price"], plans["stop_loss"]["size"]) == ("58000", "4")
    venue.move(57_900)
    assert amount(venue) == "0"
    assert venue.ok(venue.get("current-plan-order")) == []


def test_trailing_order() -> None:
    """After its activation price it follows the best price and sells at market on the way back."""
    venue = Venue()
    venue.move(60_000)
    venue.order(1, 6)
    params = {"symbol": "BTCUSDT", "side": 3, "leverage": "10", "open_type": "cross", "size": 6}
    trail = {"activation_price": "61000", "callback_rate": "1", "activation_price_type": 2}
    placed = venue.ok(venue.post("submit-trail-order", **params, **trail))
    row = venue.ok(venue.get("get-open-orders", type="trailing"))[0]
    assert (row["order_id"], row["callback_rate"], row["activation_price"]) == (str(placed["order_id"]), "1", "61000")
    venue.move(60_500)
    venue.move(59_500)
    assert amount(venue) == "6"
    venue.move(61_500)
    venue.move(61_000)
    assert amount(venue) == "6"
    venue.move(60_800)
    assert amount(venue) == "0"
    order, plan = venue.ok(venue.get("order-history", symbol="BTCUSDT"))[:2]
    assert (order["type"], order["callback_rate"], plan["type"]) == ("trailing", "1", "trailing")
    assert Decimal(order["deal_avg_price"]) < 60_900


def test_trailing_refusals_and_cancel() -> None:
    """The callback rate is bounded; cancelling without an id takes the trailing orders only."""
    venue = Venue()
    params = {"symbol": "BTCUSDT", "side": 1, "leverage": "10", "open_type": "cross", "size": 6}
    trail = {"activation_price": "50000", "activation_price_type": 1}
    for rate in ("0.05", "6"):
        assert venue.post("submit-trail-order", callback_rate=rate, **params, **trail)[:2] == (400, 40044)
    assert venue.post("submit-trail-order", **params, **trail)[:2] == (400, 40011)
    venue.ok(venue.post("submit-trail-order", callback_rate="1", **params, **trail))
    venue.ok(venue.post("submit-plan-order", **PLAN))
    venue.ok(venue.post("cancel-trail-order", symbol="BTCUSDT"))
    assert venue.ok(venue.get("get-open-orders", type="trailing")) == []
    assert len(venue.ok(venue.get("current-plan-order"))) == 1


def test_too_many_plan_orders() -> None:
    """There is an end to how many may wait: 40028."""
    venue = Venue()
    for _ in range(100):
        venue.ok(venue.post("submit-plan-order", **PLAN))
    assert venue.post("submit-plan-order", **PLAN)[:2] == (400, 40028)


def test_take_profit_by_way_of_a_plan_order() -> None:
    """The older way to close: kind take_profit or stop_loss, at market without a price; it needs a position."""
    venue = Venue()
    venue.move(60_000)
    closing = {**PLAN, "side": 3, "type": "take_profit", "leverage": "3", "open_type": "isolated"}
    assert venue.post("submit-plan-order", **closing)[:2] == (400, 40021)
    assert venue.post("submit-plan-order", **{**closing, "side": 1})[:2] == (400, 40041)
    venue.order(1, 5, leverage="10", open_type="cross")
    venue.ok(venue.post("submit-plan-order", **closing))
    waiting = venue.ok(venue.get("current-plan-order", plan_type="profit_loss"))
    assert [(p["type"], p["executive_price"]) for p in waiting] == [("take_profit", "0")]
    venue.move(61_100)
    assert amount(venue) == "0"
