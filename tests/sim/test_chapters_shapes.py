"""Every endpoint of the account chapters answers in its documented shape: the same keys, the same JSON types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chapters_kit import DAY_MS, DESK1, MAIN, House, differences

LINES = Path(__file__).with_name("chapters_answers.txt").read_text().splitlines()
DOCUMENTED = [line.split(" ", 2) for line in LINES if not line.startswith("#")]
OPENED_S = 1_767_225_600

Params = Callable[[House], dict[str, Any]]
SUB = "desk1@example.com"
PAIR = {"symbol": "BTC_USDT"}
PAGE = {"currentPage": 1, "sizePage": 10}


def busy() -> House:
    """A house in which something has happened in every chapter."""
    house = House()
    post, ok = house.post, house.ok
    key = house.exchange.accounts.keys_of(house.account())[0]
    key.ips = frozenset({"127.0.0.1"})
    chain = house.exchange.treasury.funding.saved(house.account())[3].address
    ok(post("/account/v1/withdraw/apply", currency="BMX", amount="60", address=chain))
    for amount in ("2", "3"):
        for path in ("/account/sub-account/main/v1/main-to-sub", "/account/contract/sub-account/main/v1/main-to-sub"):
            ok(post(path, requestNo=house.number(), amount=amount, currency="USDT", subAccount=SUB))
        ok(post("/account/v1/transfer-contract", currency="USDT", amount=amount, type="contract_to_spot"))
    ok(post("/account/v1/transfer", currency="USDT", amount="100", type="spot_to_fund"))
    for currency, amount in (("USDT", "5000"), ("BTC", "0.1")):
        ok(post("/spot/v1/margin/isolated/transfer", **PAIR, currency=currency, amount=amount, side="in"))
        ok(post("/spot/v1/margin/isolated/borrow", **PAIR, currency=currency, amount="0.05"))
        ok(post("/spot/v1/margin/isolated/repay", **PAIR, currency=currency, amount="0.01"))
    ok(post("/spot/v4/algo/submit_order", **algo("kept")))
    made = ok(post("/spot/v4/algo/submit_order", **algo("gone")))
    ok(post("/spot/v4/algo/cancel_order", **PAIR, type="trigger", order_id=made["order_id"]))
    saving = "/newearn/cloud/v1/saving"
    ok(post(f"{saving}/subscribe", productId="1001", amount="1000", requestNo=house.number()))
    fixed = {"productId": "2002", "amount": "700", "autoSubscribe": "OFF"}
    ok(post(f"{saving}/fixed/subscribe", **fixed, requestNo=house.number()))
    house.tick(ms=10 * DAY_MS)
    ok(post(f"{saving}/fixed/subscribe", **fixed, requestNo=house.number()))
    return house


@pytest.fixture(scope="module")
def shared() -> House:
    """For the endpoints that only read."""
    return busy()


def algo(client_id: str) -> dict[str, Any]:
    return {
        **PAIR,
        "side": "buy",
        "type": "trigger",
        "trigger_price": "30000",
        "trigger_type": "limit",
        "price": "29000",
        "size": "0.1",
        "client_order_id": client_id,
    }


def moved(**more: Any) -> Params:
    return lambda house: {"requestNo": house.number(), "amount": "1", "currency": "USDT", **more}


def held(kind: str) -> Params:
    return lambda house: {
        "earnId": next(
            earn_id
            for earn_id, item in house.exchange.spot.earn.saver(house.account()).holdings.items()
            if bool(item.product.days) == (kind == "fixed")
        ),
        "requestNo": house.number(),
        **({"amount": "1"} if kind == "flexible" else {}),
    }


def user(name: str, **more: Any) -> Params:
    return lambda house: {name: next(iter(house.exchange.futures.affiliates.users(house.account()))), **more}


def order_id(house: House) -> dict[str, Any]:
    return {"orderId": house.exchange.spot.algo.of_account("1")[1].order_id}


PERIOD: dict[str, Any] = {"start_time": OPENED_S - 60 * 86_400, "end_time": OPENED_S}
SHEET: dict[str, Any] = {"page": 1, "size": 50}

PARAMS: dict[str, Params | dict[str, Any]] = {
    "/account/v1/deposit/address": {"currency": "USDT-TRC20"},
    "/account/v1/withdraw/charge": {"currency": "BTC"},
    "/account/v1/withdraw/apply": {"currency": "USDT", "amount": "12.5", "type": 2, "value": SUB},
    "/account/v2/deposit-withdraw/history": {"operation_type": "withdraw", "N": 10},
    "/account/v1/deposit-withdraw/detail": lambda house: {
        "id": house.exchange.treasury.funding.records(house.account())[-1].record_id
    },
    "/account/v1/transfer": {"currency": "USDT", "amount": "1", "type": "fund_to_spot"},
    "/spot/v4/algo/submit_order": algo("new"),
    "/spot/v4/algo/cancel_order": lambda house: {
        **PAIR,
        "type": "trigger",
        "order_id": order_id(house)["orderId"],
    },
    "/spot/v4/algo/cancel_all": {"type": "trigger"},
    "/spot/v4/query/algo/order": order_id,
    "/spot/v4/query/algo/client-order": {"clientOrderId": "kept"},
    "/spot/v4/query/algo/open-orders": {"startTime": 0},
    "/spot/v4/query/algo/history-orders": {"startTime": 0},
    "/spot/v1/margin/isolated/account": PAIR,
    "/spot/v1/margin/isolated/pairs": PAIR,
    "/spot/v1/margin/isolated/transfer": {**PAIR, "currency": "USDT", "amount": "1", "side": "in"},
    "/spot/v1/margin/submit_order": {**PAIR, "side": "buy", "type": "limit", "size": "0.001", "price": "30000"},
    "/spot/v1/margin/isolated/borrow": {**PAIR, "currency": "USDT", "amount": "1"},
    "/spot/v1/margin/isolated/repay": {**PAIR, "currency": "USDT", "amount": "0.01"},
    "/spot/v1/margin/isolated/borrow_record": PAIR,
    "/spot/v1/margin/isolated/repay_record": PAIR,
    "/account/sub-account/main/v1/sub-to-main": moved(subAccount=SUB),
    "/account/sub-account/sub/v1/sub-to-main": moved(),
    "/account/sub-account/main/v1/main-to-sub": moved(subAccount=SUB),
    "/account/sub-account/main/v1/sub-to-sub": moved(fromAccount=SUB, toAccount="desk2@example.com"),
    "/account/sub-account/main/v1/transfer-list": {"moveType": "spot to spot", "N": 10},
    "/account/sub-account/v1/transfer-history": {"moveType": "spot to spot", "N": 10},
    "/account/sub-account/main/v1/wallet": {"subAccount": SUB},
    "/newearn/cloud/v1/saving/product": {**PAGE, "coinName": "USDT"},
    "/newearn/cloud/v1/saving/subscribe": lambda house: {
        "productId": "1001",
        "amount": "1",
        "requestNo": house.number(),
    },
    "/newearn/cloud/v1/saving/redeem": held("flexible"),
    "/newearn/cloud/v1/saving/earn": PAGE,
    "/newearn/cloud/v1/saving/record": {**PAGE, "type": "interest"},
    "/newearn/cloud/v1/saving/fixed/product": PAGE,
    "/newearn/cloud/v1/saving/fixed/subscribe": lambda house: {
        "productId": "2001",
        "amount": "10",
        "autoSubscribe": "REINVEST_FIXED",
        "requestNo": house.number(),
    },
    "/newearn/cloud/v1/saving/fixed/earn": PAGE,
    "/newearn/cloud/v1/saving/fixed/record": {**PAGE, "type": "subscribe"},
    "/newearn/cloud/v1/saving/fixed/redeem": held("fixed"),
    "/newearn/cloud/v1/saving/fixed/subscribe/operate": lambda house: {
        "earnId": held("fixed")(house)["earnId"],
        "autoSubscribe": "REINVEST_FLEXIBLE",
    },
    "/newearn/cloud/v1/saving/subscribe/batch/operate": {"autoSubscribe": "open"},
    "/newearn/cloud/v1/saving/subscribe/operate": {"productId": "1001", "autoSubscribe": "open"},
    "/newearn/cloud/v1/saving/subscribe/status": {"productId": "1001"},
    "/account/v1/transfer-contract-list": {"page": 1, "limit": 10},
    "/account/v1/transfer-contract": {"currency": "USDT", "amount": "10", "type": "spot_to_contract"},
    "/contract/private/account/v1/transfer": {"currency": "USDT", "amount": "10", "type": "fund_to_contract"},
    "/contract/private/auto_repayment": {"start_time": OPENED_S - 20 * 86_400, "end_time": OPENED_S},
    "/contract/private/cross_collateral/interest_log": {"start_time": OPENED_S - 20 * 86_400, "end_time": OPENED_S},
    "/account/contract/sub-account/main/v1/sub-to-main": moved(subAccount=SUB),
    "/account/contract/sub-account/main/v1/main-to-sub": moved(subAccount=SUB),
    "/account/contract/sub-account/sub/v1/sub-to-main": moved(),
    "/account/contract/sub-account/main/v1/wallet": {"subAccount": SUB},
    "/account/contract/sub-account/main/v1/transfer-list": {"subAccount": SUB, "limit": 5},
    "/account/contract/sub-account/v1/transfer-history": {"limit": 5},
    "/contract/private/affiliate/rebate-list": {**SHEET, "currency": "USDT"},
    "/contract/private/affiliate/trade-list": user("user_id", **SHEET, type=1),
    "/contract/private/affiliate/rebate-user": user("cid", **PERIOD),
    "/contract/private/affiliate/rebate-api": user("cid", **PERIOD),
    "/contract/private/affiliate/invite-check": user("cid"),
    "/contract/private/affiliate/rebate-inviteUser": {**PERIOD, **SHEET},
    "/contract/private/affiliate/deposit-withdrawal-list": user("cid", **SHEET, **PERIOD),
    "/contract/private/affiliate/aff-customer-info": user("userId"),
}
AS_SUB = {"/account/sub-account/sub/v1/sub-to-main", "/account/contract/sub-account/sub/v1/sub-to-main"}
OURS = {"/newearn/cloud/v1/saving/earn": "$.data.list[]: ['amount']"}
"""Where a field is sent that the documented sample lacks, on purpose."""


@pytest.mark.parametrize(("method", "path", "text"), DOCUMENTED, ids=[row[1] for row in DOCUMENTED])
def test_shape(shared: House, method: str, path: str, text: str) -> None:
    """The whole answer has the keys and JSON types of the documented one, envelope included."""
    house = busy() if shared.bitmart.routes.table[method, path].writes else shared
    params = PARAMS.get(path, {})
    members = params(house) if callable(params) else params
    who = DESK1 if path in AS_SUB else MAIN
    answer = house.get(path, who, **members) if method == "GET" else house.post(path, who, **members)
    house.ok(answer)
    found = differences(json.loads(text), answer.body)
    assert set(found) == ({OURS[path]} if path in OURS else set()), answer.body


def test_undocumented_answers() -> None:
    """The wallet that deposits go into can be chosen and read; how that is spelt is this exchange's choice."""
    house = House()
    assert house.ok(house.get("/account/v1/get-deposit-account")) == {"account_type": "SPOT"}
    assert house.ok(house.post("/account/v1/set-deposit-account", account_type="FUND")) == {"account_type": "FUND"}
    assert house.ok(house.get("/account/v1/get-deposit-account")) == {"account_type": "FUND"}
