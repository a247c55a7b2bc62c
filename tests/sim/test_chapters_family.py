"""Transfers between main and sub-accounts on the simulated exchange, spot and futures, and what each side sees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DAY_MS, DESK1, DESK2, MAIN, OTHER, House

SPOT = "/account/sub-account"
FUTURES = "/account/contract/sub-account"
SUB, SUB2 = "desk1@example.com", "desk2@example.com"
LIST = {"moveType": "spot to spot", "N": 100}


@pytest.fixture
def house() -> House:
    return House()


def money(house: House, base: str) -> list[Decimal]:
    """The USDT of main, desk1 and desk2."""
    accounts = [house.account(who) for who in (MAIN, DESK1, DESK2)]
    return [(item.spot if base == SPOT else item.futures).available("USDT") for item in accounts]


def send(house: House, path: str, who: str = MAIN, **members: Any) -> Any:
    form = {"requestNo": house.number(), "amount": "10", "currency": "USDT"} | members
    return house.post(path, who, **form)


@pytest.mark.parametrize("base", [SPOT, FUTURES])
def test_transfers(house: House, base: str) -> None:
    """Money goes down, up and up again, as main or as sub-account, and everybody's lists agree."""
    before = house.money()
    main, desk1, desk2 = money(house, base)
    house.ok(send(house, f"{base}/main/v1/main-to-sub", subAccount=SUB, amount="100.5"))
    house.ok(send(house, f"{base}/main/v1/sub-to-main", subAccount=SUB, amount="0.5"))
    house.ok(send(house, f"{base}/sub/v1/sub-to-main", DESK1, amount="1"))
    assert money(house, base) == [main - 99, desk1 + 99, desk2]
    assert house.money() == before
    kind, limit = ("spot", LIST) if base == SPOT else ("future", {"limit": 100})
    extra = {} if base == SPOT else {"subAccount": SUB}
    seen = house.ok(house.get(f"{base}/main/v1/transfer-list", **limit, **extra))
    for who in (MAIN, DESK1):
        assert house.ok(house.get(f"{base}/v1/transfer-history", who, **limit)) == seen
    rows = seen["historyList"] if base == SPOT else seen
    assert [(row["fromAccount"], row["toAccount"], row["amount"]) for row in rows] == [
        (SUB, "main@example.com", "1"),
        (SUB, "main@example.com", "0.5"),
        ("main@example.com", SUB, "100.5"),
    ]
    assert {row["fromWalletType"] for row in rows} == {row["toWalletType"] for row in rows} == {kind}
    assert rows[0]["submissionTime"] == house.exchange.now_ms() // 1000
    other = house.ok(house.get(f"{base}/v1/transfer-history", DESK2, **limit))
    assert (other["historyList"] if base == SPOT else other) == []
    house.exchange.clock.step(91 * DAY_MS)
    old = house.ok(house.get(f"{base}/v1/transfer-history", **limit))
    assert (old["historyList"] if base == SPOT else old) == []


def test_between_two_sub_accounts(house: House) -> None:
    """The main account moves spot money from one sub-account to another; it is in its list once."""
    path = f"{SPOT}/main/v1/sub-to-sub"
    house.ok(send(house, path, fromAccount=SUB, toAccount=SUB2))
    assert money(house, SPOT) == [100_000, 990, 1_010]
    assert house.ok(house.get(f"{SPOT}/main/v1/transfer-list", **LIST))["total"] == 1
    assert house.ok(house.get(f"{SPOT}/main/v1/transfer-list", **LIST, accountName=SUB2))["total"] == 1
    assert house.ok(house.get(f"{SPOT}/v1/transfer-history", **LIST))["total"] == 0
    assert send(house, path, fromAccount=SUB, toAccount=SUB).code == 60065
    assert send(house, path, fromAccount=SUB, toAccount="nobody").code == 61002
    assert send(house, path, fromAccount="nobody", toAccount=SUB).code == 61003


@pytest.mark.parametrize("base", [SPOT, FUTURES])
def test_a_request_number_works_once(house: House, base: str) -> None:
    """A repeated number is refused and nothing moves twice; a refused transfer has not used its number up."""
    form = {"requestNo": "4e2adcff", "subAccount": SUB}
    path = f"{base}/main/v1/main-to-sub"
    assert send(house, path, **form, amount="999999999").code == 61001
    house.ok(send(house, path, **form))
    after = money(house, base)
    repeated = send(house, path, **form)
    assert (repeated.status, repeated.code) == (400, 61004)
    assert money(house, base) == after
    house.ok(send(house, f"{base}/sub/v1/sub-to-main", DESK1, requestNo="4e2adcff"))


@pytest.mark.parametrize("base", [SPOT, FUTURES])
@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"requestNo": None}, 400, 60000),
        ({"requestNo": "x" * 65}, 400, 60000),
        ({"currency": "DOGE"}, 400, 60002),
        ({"amount": None}, 400, 60000),
        ({"amount": "ten"}, 400, 60000),
        ({"amount": "-1"}, 400, 61000),
        ({"amount": "0.123456789"}, 400, 60006),
        ({"subAccount": "other@example.com"}, 400, 61003),
        ({"subAccount": None}, 400, 60000),
    ],
)
def test_refusals(house: House, base: str, members: dict[str, Any], status: int, code: int) -> None:
    """Each mistake has its own code."""
    answer = send(house, f"{base}/main/v1/main-to-sub", **{"subAccount": SUB} | members)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("base", [SPOT, FUTURES])
def test_roles(house: House, base: str) -> None:
    """Main calls are for main accounts, sub calls for sub-accounts, and both for keys with the permission."""
    for path in ("main-to-sub", "sub-to-main"):
        answer = send(house, f"{base}/main/v1/{path}", DESK1, subAccount=SUB2)
        assert (answer.status, answer.code) == (403, 60026)
    answer = send(house, f"{base}/sub/v1/sub-to-main")
    assert (answer.status, answer.code) == (403, 60027)
    answer = send(house, f"{base}/main/v1/main-to-sub", OTHER, subAccount=SUB)
    assert (answer.status, answer.code) == (403, 30012)
    assert house.get(f"{base}/main/v1/wallet", DESK1, subAccount=SUB2).code == 60026


@pytest.mark.parametrize(("status", "code", "shown"), [("disabled", 60028, 0), ("frozen", 60029, 2)])
def test_status(house: House, status: Any, code: int, shown: int) -> None:
    """A disabled or frozen sub-account takes part in nothing, and the main account sees why."""
    house.account(DESK1).status = status
    answer = send(house, f"{SPOT}/main/v1/main-to-sub", subAccount=SUB)
    assert (answer.status, answer.code) == (403, code)
    rows = house.ok(house.get(f"{SPOT}/main/v1/subaccount-list"))["subAccountList"]
    assert rows == [{"accountName": SUB, "status": shown}, {"accountName": SUB2, "status": 1}]


def test_balances_of_a_sub_account(house: House) -> None:
    """The main account sees what is above zero, in either wallet; of a futures wallet, what is not in positions."""
    house.account(DESK1).spot.hold("USDT", Decimal(1))
    rows = house.ok(house.get(f"{SPOT}/main/v1/wallet", subAccount=SUB))["wallet"]
    assert rows == [{"currency": "USDT", "name": "Tether USD", "available": "999.00000000", "frozen": "1.00000000"}]
    assert house.ok(house.get(f"{SPOT}/main/v1/wallet", subAccount=SUB, currency="BTC"))["wallet"] == []
    rows = house.ok(house.get(f"{FUTURES}/main/v1/wallet", subAccount=SUB, currency="USDT"))["wallet"]
    assert rows == [{"currency": "USDT", "name": "Tether USD", "available": "1000", "frozen": "0"}]
    assert house.get(f"{SPOT}/main/v1/wallet", subAccount=SUB, currency="DOGE").code == 60002


def test_list_parameters(house: House) -> None:
    """The spot lists want a known kind of move, all of them a count from 1 to 100."""
    path = f"{SPOT}/main/v1/transfer-list"
    assert house.get(path, N=5).code == 60000
    assert house.get(path, N=5, moveType="spot to moon").code == 60000
    assert house.get(path, moveType="spot to spot").code == 60000
    assert house.get(path, N=101, moveType="spot to spot").code == 60000
    assert house.get(path, **LIST, accountName="nobody").code == 61003
    assert house.get(f"{FUTURES}/v1/transfer-history", limit=0).code == 60000
    for _ in range(3):
        house.ok(send(house, f"{SPOT}/main/v1/main-to-sub", subAccount=SUB))
    page = house.ok(house.get(path, **LIST | {"N": 2}))
    assert (page["total"], len(page["historyList"])) == (3, 2)


def test_pushes(house: House) -> None:
    """Both sides of a transfer are told their new balance."""
    topic = "spot/user/balance:BALANCE_UPDATE"
    with house.heard(topic) as main, house.heard(topic, DESK1) as desk:
        house.ok(send(house, f"{SPOT}/main/v1/main-to-sub", subAccount=SUB))
    assert main[0]["data"][0]["balance_details"][0]["av_bal"] == "99990.00000000"
    assert desk[0]["data"][0]["balance_details"][0]["av_bal"] == "1010.00000000"
    topic = "futures/asset:USDT"
    with house.heard(topic) as main, house.heard(topic, DESK1) as desk:
        house.ok(send(house, f"{FUTURES}/main/v1/main-to-sub", subAccount=SUB))
    assert main[0]["data"]["available_balance"] == "99990"
    assert desk[0]["data"]["available_balance"] == "1010"


def test_a_sub_account_trades_with_its_own_key(house: House) -> None:
    """The default sub-account is an account like any other: it reads its wallet and trades."""
    form = {"symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "500"}
    before = money(house, SPOT)[1]
    order_id = house.ok(house.post("/spot/v2/submit_order", DESK1, **form))["order_id"]
    order = house.ok(house.post("/spot/v4/query/order", DESK1, orderId=order_id))
    fills = house.ok(house.post("/spot/v4/query/order-trades", DESK1, orderId=order_id))
    assert order["state"] == "partially_canceled", "what is left buys no lot"
    assert sum(Decimal(fill["notional"]) for fill in fills) == Decimal(order["filledNotional"]) > 0
    assert before - money(house, SPOT)[1] == sum(Decimal(fill["notional"]) + Decimal(fill["fee"]) for fill in fills)
    assert house.post("/spot/v4/query/order", orderId=order_id).code == 50005
