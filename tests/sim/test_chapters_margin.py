"""Isolated margin on the simulated exchange: transfers, loans, interest, orders, liquidation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import HOUR_MS, House

BASE = "/spot/v1/margin/isolated"
PAIR = {"symbol": "BTC_USDT"}


@pytest.fixture
def house() -> House:
    return House(seed=8)


def put_in(house: House, currency: str = "USDT", amount: str = "1000", side: str = "in") -> Any:
    return house.ok(house.post(f"{BASE}/transfer", **PAIR, currency=currency, amount=amount, side=side))


def borrow(house: House, currency: str = "USDT", amount: str = "1000") -> str:
    loan_id: str = house.ok(house.post(f"{BASE}/borrow", **PAIR, currency=currency, amount=amount))["borrow_id"]
    return loan_id


def row(house: House) -> Any:
    return house.ok(house.get(f"{BASE}/account", **PAIR))["symbols"][0]


def test_transfer_in_and_out(house: House) -> None:
    """Money moves between the spot wallet and the pair's account; all pairs are listed, opened or not."""
    with house.heard("spot/user/balance:BALANCE_UPDATE") as frames:
        put_in(house)
    assert frames[0]["data"][0]["event_type"].strip() == "ACCOUNT_TRANSFER"
    assert row(house)["quote"]["available"] == "1000.00000000"
    put_in(house, amount="1000", side="out")
    assert house.account().spot.available("USDT") == 100_000
    assert len(house.ok(house.get(f"{BASE}/account"))["symbols"]) == 3
    assert (row(house)["risk_rate"], row(house)["liquidate_price"]) == (None, None)


def test_interest_is_charged_by_the_hour(house: House) -> None:
    """The first hour counts at once, a further one when it begins; repaying takes interest before principal."""
    put_in(house)
    loan_id = borrow(house, amount="100")
    record = house.ok(house.get(f"{BASE}/borrow_record", **PAIR))["records"][0]
    assert (record["borrow_id"], record["interest_amount"]) == (loan_id, "0.00229166")
    assert (record["daily_interest"], record["hourly_interest"]) == ("0.00055000", "0.00002291")
    house.tick(ms=HOUR_MS - 1000)
    assert row(house)["quote"]["interest_unpaid"] == "0.00229166"
    house.exchange.clock.step(2 * HOUR_MS + 1000)
    assert row(house)["quote"]["interest_unpaid"] == "0.00916664"
    house.ok(house.post(f"{BASE}/repay", **PAIR, currency="USDT", amount="1"))
    quote = row(house)["quote"]
    assert (quote["interest_unpaid"], quote["borrow_unpaid"]) == ("0.00000000", "99.00916664")
    assert house.post(f"{BASE}/repay", **PAIR, currency="USDT", amount="99.00916665").code == 51006
    repay_id = house.ok(house.post(f"{BASE}/repay", **PAIR, currency="USDT", amount="99.00916664"))["repay_id"]
    house.exchange.clock.step(10 * HOUR_MS)
    assert row(house)["quote"]["borrow_unpaid"] == row(house)["quote"]["interest_unpaid"] == "0.00000000"
    records = house.ok(house.get(f"{BASE}/repay_record", **PAIR))["records"]
    assert [item["repaid_amount"] for item in records] == ["99.00916664", "1"]
    assert (records[1]["repaid_interest"], records[1]["repaid_principal"]) == ("0.00916664", "0.99083336")
    only = house.ok(house.get(f"{BASE}/repay_record", **PAIR, repay_id=repay_id))["records"]
    assert only == records[:1]
    assert house.exchange.accounts.lender.available("USDT") == Decimal("0.00916664")


def test_leverage_limits_the_loan(house: House) -> None:
    """Four times one's own money may be borrowed, in either currency, and the rates endpoint says how much."""
    put_in(house)
    terms = house.ok(house.get(f"{BASE}/pairs", **PAIR))["symbols"][0]
    assert terms["quote"]["borrowable_amount"] == "4000.00000000"
    assert Decimal(terms["base"]["borrowable_amount"]) == (4000 / house.last).quantize(Decimal("1E-8"), "ROUND_DOWN")
    assert house.post(f"{BASE}/borrow", **PAIR, currency="USDT", amount="4000.00000001").code == 51004
    borrow(house, amount="4000")
    assert house.post(f"{BASE}/borrow", **PAIR, currency="BTC", amount="0.00001").code == 51004
    symbols = house.ok(house.get(f"{BASE}/pairs", symbol="BTC_USDT,ETH_USDT"))["symbols"]
    assert [item["symbol"] for item in symbols] == ["BTC_USDT", "ETH_USDT"]


@pytest.mark.parametrize(
    ("path", "members", "code"),
    [
        ("transfer", {"currency": "ETH", "amount": "1", "side": "in"}, 51000),
        ("transfer", {"currency": "USDT", "amount": "1", "side": "up"}, 50021),
        ("transfer", {"currency": "USDT", "amount": "0.000000001", "side": "in"}, 50021),
        ("transfer", {"currency": "USDT", "amount": "0", "side": "in"}, 50021),
        ("transfer", {"currency": "USDT", "amount": "999999", "side": "in"}, 50020),
        ("transfer", {"currency": "USDT", "amount": "1", "side": "out"}, 50020),
        ("transfer", {"currency": "USDT", "side": "in"}, 50028),
        ("transfer", {"symbol": "X_Y", "currency": "USDT", "amount": "1", "side": "in"}, 50001),
        ("borrow", {"currency": "USDT", "amount": "1"}, 51001),
        ("repay", {"currency": "USDT", "amount": "1"}, 51001),
    ],
)
def test_refusals(house: House, path: str, members: dict[str, Any], code: int) -> None:
    """Each mistake has its own code, with HTTP 400."""
    answer = house.post(f"{BASE}/{path}", **PAIR | members)
    assert (answer.status, answer.code) == (400, code)


def test_order_needs_an_opened_account(house: House) -> None:
    """Without a margin account there is nothing to pay an order from."""
    form = {**PAIR, "side": "buy", "type": "limit", "size": "0.01", "price": "30000"}
    assert house.post("/spot/v1/margin/submit_order", **form).code == 51001


def test_margin_orders_trade_on_the_common_book(house: House) -> None:
    """An order is paid from the margin account, has a numeric id, and is queried and cancelled like a spot order."""
    before = house.money()
    put_in(house)
    borrow(house, amount="3000")
    form = {**PAIR, "side": "buy", "type": "market", "notional": "3500", "clientOrderId": "geared"}
    placed = house.ok(house.post("/spot/v1/margin/submit_order", **form))
    assert isinstance(placed["order_id"], int)
    order = house.ok(house.post("/spot/v4/query/order", orderId=str(placed["order_id"])))
    assert (order["orderMode"], order["state"], order["clientOrderId"]) == (
        "iso_margin",
        "partially_canceled",
        "geared",
    )
    assert Decimal(row(house)["base"]["available"]) > Decimal("0.05")
    assert house.account().spot.available("BTC") == 10
    form = {**PAIR, "side": "buy", "type": "limit", "size": "0.01", "price": "30000"}
    resting = house.ok(house.post("/spot/v1/margin/submit_order", **form))["order_id"]
    assert row(house)["quote"]["frozen"] == "300.30000000"  # its fee is held, too
    assert house.post("/spot/v1/margin/submit_order", **form | {"clientOrderId": "geared"}).code == 50042
    assert house.post("/spot/v1/margin/submit_order", **form | {"size": "1"}).code == 50020
    house.ok(house.post("/spot/v3/cancel_order", **PAIR, order_id=str(resting)))
    assert row(house)["quote"]["frozen"] == "0.00000000"
    modes = house.ok(house.post("/spot/v4/query/history-orders", orderMode="iso_margin"))
    assert len(modes) == 2
    assert house.money() == before


def test_what_backs_a_loan_stays(house: House) -> None:
    """Money may leave only as far as twice the debt remains."""
    put_in(house)
    borrow(house, amount="900")
    answer = house.post(f"{BASE}/transfer", **PAIR, currency="USDT", amount="200", side="out")
    assert (answer.status, answer.code) == (403, 60058)
    put_in(house, amount="90", side="out")


@pytest.mark.parametrize("fall", ["0.95", "0.5"])
def test_liquidation(house: House, fall: str) -> None:
    """When the price runs away the debts are paid from what is there; what is missing is the lender's loss."""
    before, lent = house.money(), house.exchange.accounts.lender
    put_in(house)
    borrow(house, amount="3900")
    form = {**PAIR, "side": "buy", "type": "market", "notional": "4800"}
    house.ok(house.post("/spot/v1/margin/submit_order", **form))
    shown = row(house)
    assert (shown["risk_level"], shown["risk_rate"]) == ("2", "1.26")
    at = Decimal(shown["liquidate_price"])
    house.move(at + 60)
    assert row(house)["quote"]["borrow_unpaid"] == "3900.00000000"
    house.move((house.last * Decimal(fall)).quantize(Decimal("0.01")))
    house.tick(3)
    shown = row(house)
    assert (shown["quote"]["borrow_unpaid"], shown["base"]["borrow_unpaid"]) == ("0.00000000", "0.00000000")
    assert shown["risk_rate"] is None
    assert house.money() == before
    lost = -lent.available("USDT")
    assert (lost > 0) == (fall == "0.5")
    assert house.ok(house.get(f"{BASE}/repay_record", **PAIR))["records"]


def test_short_side_is_liquidated_too(house: House) -> None:
    """Borrowed bitcoin that was sold is bought back from the proceeds when the price has risen too far."""
    before = house.money()
    put_in(house)
    borrow(house, "BTC", "0.06")
    house.ok(house.post("/spot/v1/margin/submit_order", **PAIR, side="sell", type="market", size="0.06"))
    house.move(house.last * Decimal("1.2"))
    house.tick(3)
    shown = row(house)
    assert shown["base"]["borrow_unpaid"] == "0.00000000"
    assert Decimal(shown["quote"]["available"]) > 0
    assert house.money() == before
    assert house.exchange.accounts.lender.available("BTC") > 0


def test_records_can_be_limited(house: House) -> None:
    """Records are cut by count and time, newest first."""
    put_in(house)
    ids = []
    for _ in range(3):
        ids.append(borrow(house, amount="10"))
        house.exchange.clock.step(10_000)
    found = house.ok(house.get(f"{BASE}/borrow_record", **PAIR, N=2))["records"]
    assert [item["borrow_id"] for item in found] == [ids[2], ids[1]]
    start = house.exchange.now_ms() - 15_000
    assert len(house.ok(house.get(f"{BASE}/borrow_record", **PAIR, start_time=start))["records"]) == 1
    assert house.get(f"{BASE}/borrow_record", **PAIR, N=101).code == 50021
    assert house.get(f"{BASE}/borrow_record", **PAIR, start_time=5, end_time=4).code == 52004
    assert house.get(f"{BASE}/borrow_record").code == 50028
