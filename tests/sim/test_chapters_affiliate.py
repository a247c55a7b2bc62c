"""The invented books of affiliates and brokers on the simulated exchange: their answers agree with each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DESK1, OTHER, House

BASE = "/contract/private/affiliate"
BROKER = "/spot/v1/broker/rebate"
DAY_S = 86_400
OPENED_S = 1_767_225_600
PERIOD = {"start_time": OPENED_S - 60 * DAY_S, "end_time": OPENED_S}
SHEET = {"page": 1, "size": 50}


@pytest.fixture
def house() -> House:
    return House()


def call(house: House, name: str, **params: Any) -> Any:
    return house.ok(house.get(f"{BASE}/{name}", **params))


def users(house: House) -> list[Any]:
    found: list[Any] = call(house, "rebate-inviteUser", **PERIOD, **SHEET)["list"]
    return found


def test_a_users_figures_agree(house: House) -> None:
    """Trades, the user's rebate, the list of users and the API part are counted from the same book."""
    for user in users(house):
        cid = user["cid"]
        one = call(house, "rebate-user", cid=cid, **PERIOD)
        assert (one["rebate"], one["trading_vol"]) == (user["rebateTotal"], user["tradingVolTotal"])
        assert Decimal(one["back_rate"]) == Decimal(user["backRate"])
        assert Decimal(one["rebate_total"]) >= Decimal(one["rebate"]) > 0
        deals = []
        for kind in (1, 2):
            for page in (1, 2):
                sheet = {"page": page, "size": 50}
                deals += call(house, "trade-list", user_id=cid, type=kind, **sheet, **PERIOD)["list"]
        fees = sum(
            Decimal(deal["fee"]) * (Decimal(deal["deal_price"]) if deal["symbol"] == "BTCUSD" else 1) for deal in deals
        )
        assert abs(fees - Decimal(one["trading_fee"])) < Decimal("0.0001")
        assert abs(fees * Decimal(user["backRate"]) / 100 - Decimal(one["rebate"])) < Decimal("0.0001")
        api = call(house, "rebate-api", cid=cid, **PERIOD)
        assert 0 < Decimal(api["api_trading_fee_total"]) < Decimal(one["trading_fee"])
        info = call(house, "aff-customer-info", userId=cid)
        assert info["futuresAccountAssetTotalUsdt"] == user["accountAssetTotal"]


def test_rebate_list(house: House) -> None:
    """The rows of a currency add up to its sum; a user and a registration time narrow it down."""
    sums: dict[str, Decimal] = {}
    for coin in ("USDT", "BTC", "ETH"):
        sheet = call(house, "rebate-list", **SHEET, currency=coin)
        sums = {name: Decimal(sheet[f"{name.lower()}_rebate_sum"]) for name in ("USDT", "BTC", "ETH")}
        assert abs(
            sum(Decimal(row["total_rebate_amount"]) for row in sheet["rebate_detail_page_data"]) - sums[coin]
        ) < (Decimal("1E-7"))
    assert sums["USDT"] > 0
    assert sums["BTC"] > 0
    cid = users(house)[1]["cid"]
    (row,) = call(house, "rebate-list", **SHEET, currency="USDT", user_id=cid)["rebate_detail_page_data"]
    assert row["trade_user_id"] == cid
    assert call(house, "rebate-list", **SHEET, currency="USDT", register_start_time=OPENED_S)["total"] == 0
    assert call(house, "rebate-list", **SHEET, currency="USDT", rebate_end_time=1)["total"] == 0


def test_the_same_seed_gives_the_same_book() -> None:
    """The book comes from the seed; another seed has another, and another account other users."""
    first, again, other = House(1), House(1), House(2)
    assert users(first) == users(again) != users(other)


def test_invite_check_and_unknown_users(house: House) -> None:
    """One's own users are told from others, of whom nothing is said."""
    assert call(house, "invite-check", cid=users(house)[0]["cid"]) == {"isInviteUser": True}
    assert call(house, "invite-check", cid=5) == {"isInviteUser": False}
    refused = house.get(f"{BASE}/rebate-user", cid=5, **PERIOD)
    assert (refused.status, refused.body["code"], refused.body["success"]) == (400, "40011", False)


def test_payments(house: House) -> None:
    """Deposits and withdrawals come bare, newest first, and can be told apart; a refusal has the usual envelope."""
    cid = users(house)[0]["cid"]
    paths = {"cid": cid, **SHEET, "start_time": OPENED_S - 55 * DAY_S, "end_time": OPENED_S}
    body: Any = house.get(f"{BASE}/deposit-withdrawal-list", **paths).body
    assert body["total"] == len(body["list"])
    kinds = [house.get(f"{BASE}/deposit-withdrawal-list", **paths, type=kind).body["total"] for kind in (1, 2)]
    assert sum(kinds) == body["total"]  # type: ignore[arg-type]
    refused = house.get(f"{BASE}/deposit-withdrawal-list", **paths | {"size": 51})
    assert (refused.code, set(refused.body)) == (40011, {"code", "message", "trace", "data"})


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("rebate-list", {**SHEET}, "40011"),
        ("rebate-list", {**SHEET, "currency": "DOGE"}, "40011"),
        ("rebate-list", {"currency": "USDT", "page": 0, "size": 5}, "40011"),
        ("trade-list", {"user_id": 5, **SHEET, "type": 1}, "40011"),
        ("rebate-inviteUser", {**SHEET, "start_time": 1, "end_time": OPENED_S}, "40039"),
        ("rebate-inviteUser", {**SHEET, "start_time": 1}, "40011"),
        ("invite-check", {}, "40011"),
        ("invite-check", {"cid": "x"}, "40011"),
    ],
)
def test_refusals(house: House, name: str, params: dict[str, Any], code: str) -> None:
    """Mistakes are refused inside the affiliate envelope, with a textual code."""
    answer = house.get(f"{BASE}/{name}", **params)
    assert (answer.status, answer.body["code"], answer.body["data"]) == (400, code, None)


def test_who_is_an_affiliate(house: House) -> None:
    """A key without the permission is refused, and so is a sub-account that has it."""
    answer = house.get(f"{BASE}/invite-check", OTHER, cid=1)
    assert (answer.status, answer.body["code"]) == (403, "30012")
    key = house.exchange.accounts.keys_of(house.account(DESK1))[0]
    key.permissions |= {"contract_agent"}
    answer = house.get(f"{BASE}/invite-check", DESK1, cid=1)
    assert (answer.status, answer.body["code"]) == (200, "30019")


def test_broker(house: House) -> None:
    """Whole past days are listed, a day has the same rebates in any range, and today is not over."""
    every = house.ok(house.get(BROKER))["rebates"]
    assert 100 < len(every) <= 180
    assert max(every) < "2026-01-01"
    some = house.ok(house.get(BROKER, start_time=OPENED_S - 5 * DAY_S, end_time=OPENED_S - 2 * DAY_S))["rebates"]
    assert some.items() <= every.items()
    assert house.ok(house.get(BROKER, start_time=OPENED_S))["rebates"] == {}
    assert house.ok(house.get(BROKER, start_time=5, end_time=6))["rebates"] == {}
    assert house.get(BROKER, start_time=OPENED_S - 181 * DAY_S, end_time=OPENED_S).code == 50041
    assert house.get(BROKER, start_time=6, end_time=5).code == 52004
    refused = house.get(BROKER, OTHER)
    assert (refused.status, refused.code) == (403, 53005)
