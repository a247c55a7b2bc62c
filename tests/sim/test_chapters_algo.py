"""Trigger and TP/SL orders on the simulated spot market."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DESK1, OTHER, House

SUBMIT = "/spot/v4/algo/submit_order"
CANCEL = "/spot/v4/algo/cancel_order"
QUERY = "/spot/v4/query/algo"
PAIR = {"symbol": "BTC_USDT"}


@pytest.fixture
def house() -> House:
    return House(seed=4)


def form(house: House, away: int = 500, **more: Any) -> dict[str, Any]:
    """A stop that buys at market when the price has moved by ``away``."""
    return {
        **PAIR,
        "side": "buy",
        "type": "trigger",
        "trigger_price": str(house.last + away),
        "trigger_type": "market",
        "notional": "600",
    } | more


def place(house: House, away: int = 500, **more: Any) -> str:
    order_id: str = house.ok(house.post(SUBMIT, **form(house, away, **more)))["order_id"]
    return order_id


def look(house: House, order_id: str) -> Any:
    return house.ok(house.post(f"{QUERY}/order", orderId=order_id))


@pytest.mark.parametrize(("away", "kind"), [(500, "trigger"), (-500, "trigger"), (500, "tp/sl"), (-500, "tp/sl")])
def test_fires_when_the_last_price_gets_there(house: House, away: int, kind: str) -> None:
    """An order waits, holding nothing, until the price reaches it from where it was; then it trades."""
    order_id = place(house, away, type=kind, client_order_id="stop1")
    assert house.account().spot.frozen("USDT") == 0
    shown = look(house, order_id)
    assert (shown["state"], shown["orderMode"], shown["trigger_type"]) == ("new", kind, "market")
    assert (shown["price"], shown["size"], shown["notional"]) == ("", "", "600.00000000")
    start = house.last
    house.move(start + away // 2)
    assert look(house, order_id)["state"] == "new"
    house.move(start + away * 2)
    house.tick(2)
    assert look(house, order_id)["state"] == "filled"
    sent = house.ok(house.post("/spot/v4/query/client-order", clientOrderId="stop1"))
    assert (sent["state"], sent["type"], sent["orderMode"]) == ("partially_canceled", "market", "spot")
    assert house.account().spot.available("BTC") > 10


def test_limit_order_rests_after_the_trigger(house: House) -> None:
    """With a limit the order that is sent rests on the book when it does not trade; trigger_type may be left out."""
    members = form(house, -300, price="30000", size="0.01", notional=None, trigger_type=None)
    order_id = house.ok(house.post(SUBMIT, **members))["order_id"]
    assert look(house, order_id)["trigger_type"] == "limit"
    house.move(house.last - 600)
    house.tick(2)
    assert look(house, order_id)["state"] == "filled"
    (resting,) = house.ok(house.post("/spot/v4/query/open-orders"))
    assert (resting["price"], resting["size"]) == ("30000.00", "0.01000")


def test_fails_without_money(house: House) -> None:
    """What cannot be paid for when it fires has failed, and so has the order that it sent."""
    order_id = place(house, notional="900000")
    house.move(house.last + 1000)
    house.tick(2)
    assert look(house, order_id)["state"] == "failed"
    (failed,) = house.ok(house.post("/spot/v4/query/history-orders"))
    assert failed["state"] == "failed"


def test_cancelling(house: House) -> None:
    """One or all of a type can be cancelled; cancelling twice answers false."""
    stop, profit = place(house), place(house, type="tp/sl")
    cancel = {**PAIR, "order_id": stop, "type": "trigger"}
    assert house.post(CANCEL, **cancel | {"type": "tp/sl"}).code == 50005
    assert house.post(CANCEL, OTHER, **cancel).code == 50005
    assert house.ok(house.post(CANCEL, **cancel)) == {"result": True}
    assert house.ok(house.post(CANCEL, **cancel)) == {"result": False}
    shown = look(house, stop)
    assert (shown["state"], shown["cancelSource"]) == ("canceled", "user")
    house.ok(house.post("/spot/v4/algo/cancel_all", type="trigger"))
    assert look(house, profit)["state"] == "new"
    house.ok(house.post("/spot/v4/algo/cancel_all", type="tp/sl", symbol="ETH_USDT"))
    assert look(house, profit)["state"] == "new"
    house.ok(house.post("/spot/v4/algo/cancel_all", type="tp/sl", symbol="BTC_USDT"))
    assert look(house, profit)["state"] == "canceled"
    house.move(house.last + 1000)
    house.tick(3)
    assert house.account().spot.available("BTC") == 10


def test_looking_up(house: House) -> None:
    """Orders are found by either id, in the state asked for, and listed newest first with the usual filters."""
    ids = [place(house, client_order_id="a1"), place(house, type="tp/sl"), place(house, symbol="ETH_USDT")]
    found = house.ok(house.post(f"{QUERY}/client-order", clientOrderId="a1"))
    assert found["orderId"] == ids[0]
    assert house.post(f"{QUERY}/order", orderId=ids[0], queryState="open").code == 1000
    assert house.post(f"{QUERY}/order", orderId=ids[0], queryState="history").code == 50005
    assert house.post(f"{QUERY}/order", orderId=ids[0], queryState="maybe").code == 52003
    assert house.post(f"{QUERY}/order").code == 50005
    assert house.post(f"{QUERY}/order", DESK1, orderId=ids[0]).code == 50005
    listed = house.ok(house.post(f"{QUERY}/open-orders"))
    assert [item["orderId"] for item in listed] == ids[::-1]
    for members, expected in (
        ({"symbol": "BTC_USDT"}, [ids[1], ids[0]]),
        ({"orderMode": "tp/sl"}, [ids[1]]),
        ({"limit": 1}, [ids[2]]),
        ({"endTime": house.exchange.now_ms() - 1, "startTime": 0}, []),
    ):
        listed = house.ok(house.post(f"{QUERY}/open-orders", **members))
        assert [item["orderId"] for item in listed] == expected
    for bad, code in (
        ({"orderMode": "spot"}, 52000),
        ({"limit": 0}, 50015),
        ({"limit": 201}, 50016),
        ({"startTime": 5, "endTime": 4}, 52004),
        ({"symbol": "X_Y"}, 50001),
    ):
        assert house.post(f"{QUERY}/open-orders", **bad).code == code
    assert house.ok(house.post(f"{QUERY}/history-orders")) == []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"symbol": "X_Y"}, 50001),
        ({"type": "stop"}, 52001),
        ({"trigger_type": "Market!"}, 52001),
        ({"trigger_price": None}, 50028),
        ({"trigger_price": "0"}, 50008),
        ({"side": "hold"}, 52002),
        ({"notional": None}, 50012),
        ({"notional": "1"}, 51012),
        ({"trigger_type": "limit"}, 50010),
        ({"trigger_type": "limit", "size": "0.01"}, 50011),
        ({"client_order_id": "no spaces"}, 50038),
        ({"client_order_id": "x" * 33}, 50037),
        ({"client_order_id": "taken"}, 50042),
    ],
)
def test_refusals(house: House, members: dict[str, Any], code: int) -> None:
    """An algo order is checked like the order that it will send."""
    place(house, client_order_id="taken")
    answer = house.post(SUBMIT, **form(house) | members)
    assert (answer.status, answer.code) == (400, code)


def test_its_client_id_may_be_taken_meanwhile(house: House) -> None:
    """If an ordinary order has used the client order id before the trigger, the order that is sent goes without one."""
    order_id = place(house, client_order_id="shared")
    spot = {**PAIR, "side": "buy", "type": "limit", "size": "0.001", "price": "30000", "client_order_id": "shared"}
    resting = house.ok(house.post("/spot/v2/submit_order", **spot))["order_id"]
    house.move(house.last + Decimal(1000))
    house.tick(2)
    assert look(house, order_id)["state"] == "filled"
    assert house.ok(house.post("/spot/v4/query/client-order", clientOrderId="shared"))["orderId"] == resting
