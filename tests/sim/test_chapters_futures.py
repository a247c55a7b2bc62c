"""Money in and out of the simulated futures wallet, play money on request, and the past of cross collateral."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DAY_MS, DESK1, House

CONTRACT = "/account/v1/transfer-contract"
LIST = "/account/v1/transfer-contract-list"
FUND = "/contract/private/account/v1/transfer"
OPENED_S = 1_767_225_600
PAST = {"start_time": OPENED_S - 8 * 86_400, "end_time": OPENED_S + 1}


@pytest.fixture
def house() -> House:
    return House()


def test_spot_and_futures(house: House) -> None:
    """USDT moves both ways; both wallets are pushed, and both histories list it."""
    before, account = house.money(), house.account()
    with house.heard("futures/asset:USDT") as assets, house.heard("spot/user/balance:BALANCE_UPDATE") as balances:
        done = house.ok(house.post(CONTRACT, currency="USDT", amount="250.50", type="spot_to_contract"))
    assert done == {"currency": "USDT", "amount": "250.5"}
    assert assets[-1]["data"]["available_balance"] == "100250.5"
    assert balances[-1]["data"][0]["event_type"].strip() == "ACCOUNT_TRANSFER"
    house.exchange.clock.step(1000)
    house.ok(house.post(CONTRACT, currency="USDT", amount="50.5", type="contract_to_spot"))
    assert [account.spot.available("USDT"), account.futures.available("USDT")] == [99_800, 100_200]
    assert house.money() == before
    rows = house.ok(house.post(LIST, page=1, limit=10))["records"]
    assert [(row["type"], row["amount"], row["state"]) for row in rows] == [
        ("contract_to_spot", "50.5", "FINISHED"),
        ("spot_to_contract", "250.5", "FINISHED"),
    ]
    ledger = house.ok(house.get("/contract/private/transaction-history", flow_type=1))
    assert [(row["type"], row["amount"]) for row in ledger] == [("Transfer", "-50.5"), ("Transfer", "250.5")]
    assert house.ok(house.post(LIST, page=2, limit=10))["records"] == []
    assert house.ok(house.post(LIST, page=1, limit=10, currency="BTC"))["records"] == []
    newest = house.ok(house.post(LIST, page=1, limit=10, time_start=rows[0]["timestamp"]))["records"]
    assert newest == rows[:1]
    assert house.ok(house.post(LIST, DESK1, page=1, limit=10))["records"] == []


def test_funding_and_futures(house: House) -> None:
    """Any settlement currency moves between the funding and the futures wallet, and is told."""
    account = house.account()
    account.fund.credit("BTC", Decimal(2))
    with house.heard("futures/asset:BTC") as frames:
        assert house.ok(house.post(FUND, currency="BTC", amount="2", type="fund_to_contract")) == {}
    assert frames[-1]["data"]["available_balance"] == "3"
    house.ok(house.post(FUND, currency="BTC", amount="0.5", type="contract_to_fund"))
    assert (account.fund.available("BTC"), account.futures.available("BTC")) == (Decimal("0.5"), Decimal("2.5"))


@pytest.mark.parametrize(
    ("path", "members", "status", "code"),
    [
        (CONTRACT, {"currency": "BTC"}, 400, 40011),
        (CONTRACT, {"type": "spot_to_moon"}, 400, 40011),
        (CONTRACT, {"type": None}, 400, 40011),
        (CONTRACT, {"amount": None}, 400, 40011),
        (CONTRACT, {"amount": "much"}, 400, 40007),
        (CONTRACT, {"amount": "0.009"}, 400, 40011),
        (CONTRACT, {"amount": "1.123456789"}, 400, 40005),
        (CONTRACT, {"amount": "100001"}, 200, 42000),
        (CONTRACT, {"amount": "100001", "type": "contract_to_spot"}, 200, 42000),
        (FUND, {"type": "fund_to_contract"}, 200, 42000),
        (FUND, {"type": "fund_to_moon"}, 400, 40011),
        (FUND, {"type": "contract_to_fund", "currency": "BMX"}, 400, 40011),
        (LIST, {"page": 1}, 400, 40011),
        (LIST, {"page": 1, "limit": 9}, 400, 40011),
        (LIST, {"page": 1, "limit": 10, "time_start": 5, "time_end": 5}, 400, 40039),
    ],
)
def test_refusals(house: House, path: str, members: dict[str, Any], status: int, code: int) -> None:
    """Each mistake has its own code; what is missing in a wallet is told with HTTP 200."""
    form = {} if path == LIST else {"currency": "USDT", "amount": "1", "type": "spot_to_contract"}
    answer = house.post(path, **form | members)
    assert (answer.status, answer.code) == (status, code)


def test_losses_stay_covered(house: House) -> None:
    """What an unrealised loss of a cross position eats cannot be transferred out."""
    form = {"symbol": "BTCUSDT", "side": 1, "type": "market", "size": 1000, "leverage": "10", "open_type": "cross"}
    house.ok(house.post("/contract/private/submit-order", **form))
    house.move(house.exchange.flow.price("BTC") * Decimal("0.97"))
    house.tick(3)
    free = house.account().futures.available("USDT")
    answer = house.post(CONTRACT, currency="USDT", amount=str(int(free)), type="contract_to_spot")
    assert (answer.status, answer.code) == (403, 60058)
    answer = house.post(
        "/account/contract/sub-account/main/v1/main-to-sub",
        requestNo="n",
        currency="USDT",
        amount=str(int(free)),
        subAccount="desk1@example.com",
    )
    assert answer.code == 60058
    house.ok(house.post(CONTRACT, currency="USDT", amount=str(int(free) - 3000), type="contract_to_spot"))


def test_the_coin_margined_contract_can_be_traded(house: House) -> None:
    """The default account has bitcoin in its futures wallet, enough to open a position on BTCUSD."""
    form = {"symbol": "BTCUSD", "side": 1, "type": "market", "size": 10, "leverage": "10", "open_type": "cross"}
    house.ok(house.post("/contract/private/submit-order", **form))
    (position,) = house.ok(house.get("/contract/private/position", symbol="BTCUSD"))
    assert position["current_amount"] == "10"


def test_claim(house: House) -> None:
    """Play money comes from outside into the futures wallet and is told like a transfer."""
    before = house.money()
    with house.heard("futures/asset:USDT", DESK1) as frames:
        assert house.ok(house.post("/contract/private/claim", DESK1)) == {"currency": "USDT", "amount": "11000"}
    assert frames[-1]["data"]["available_balance"] == "11000"
    assert house.money() == before


def test_cross_collateral_past(house: House) -> None:
    """The hours of interest add up to what was repaid beyond the debt; the lists filter and page."""
    interest = house.ok(house.get("/contract/private/cross_collateral/interest_log", **PAST))
    repaid = house.ok(house.get("/contract/private/auto_repayment", **PAST))
    assert repaid["total"] == len(repaid["list"]) == 2
    assert interest["total"] == len(interest["items"]) > 4
    charged = sum(Decimal(row["interest"]) for row in interest["items"])
    debts = {row["liability"] for row in interest["items"]}
    assert sum(Decimal(row["to_amount"]) for row in repaid["list"]) == charged + sum(map(Decimal, debts))
    assert [row["interest_time"] for row in interest["items"]] == sorted(
        (row["interest_time"] for row in interest["items"]), reverse=True
    )
    page = house.ok(house.get("/contract/private/cross_collateral/interest_log", **PAST, page=2, size=3))
    assert page["items"] == interest["items"][3:6]
    assert house.ok(house.get("/contract/private/auto_repayment", **PAST, type="MANUAL"))["total"] == 0
    assert house.ok(house.get("/contract/private/auto_repayment", **PAST, from_coin_code="BTC"))["total"] == 2
    assert house.ok(house.get("/contract/private/cross_collateral/interest_log", **PAST, coin_code="ETH"))["total"] == 0
    assert house.ok(house.get("/contract/private/auto_repayment", DESK1, **PAST)) == {"list": [], "total": 0}
    wide = {"start_time": 1, "end_time": OPENED_S}
    assert house.get("/contract/private/auto_repayment", **wide).body["code"] == 40039
    house.exchange.clock.step(9 * DAY_MS)
    assert house.ok(house.get("/contract/private/auto_repayment"))["total"] == 0
