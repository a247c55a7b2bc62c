"""Deposits, withdrawals, the funding wallet and the account's own data on the simulated exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DAY_MS, DESK1, MAIN, OTHER, House

APPLY = "/account/v1/withdraw/apply"
HISTORY = "/account/v2/deposit-withdraw/history"


@pytest.fixture
def house() -> House:
    return House()


def address(house: House, remark: str) -> str:
    rows = house.ok(house.get("/account/v1/withdraw/address/list"))["list"]
    found: str = next(row["address"] for row in rows if row["remark"] == remark)
    return found


def history(house: House, kind: str, who: str = MAIN, **more: Any) -> Any:
    return house.ok(house.get(HISTORY, who, **{"operation_type": kind, "N": 100} | more))["records"]


def test_chain_withdrawal_passes_through_its_states(house: House) -> None:
    """The money leaves at once, the fee comes out of the amount, and the state follows the exchange's clock."""
    before = house.money()
    vault = address(house, "vault")
    made = house.ok(house.post(APPLY, currency="BTC", amount="1.5", address=vault))
    assert house.account().spot.available("BTC") == Decimal("8.5")
    seen = []
    record: Any = None
    for pause in (0, 6_000, 30_000):
        house.exchange.clock.step(pause)
        record = house.ok(house.get("/account/v1/deposit-withdraw/detail", id=made["withdraw_id"]))["record"]
        seen.append((record["status"], bool(record["tx_id"])))
    assert seen == [(1, False), (2, False), (3, True)]
    assert (record["arrival_amount"], record["fee"]) == ("1.499800000000", "0.000200000000")
    assert (record["currency"], record["address"], record["deposit_id"]) == ("BTC", vault, "")
    assert history(house, "withdraw") == [record]
    assert house.money() == before
    quota = house.ok(house.get("/account/v1/withdraw/charge", currency="BTC"))
    assert quota["today_available_withdraw_BTC"] == "98.5000"
    house.exchange.clock.step(DAY_MS)
    quota = house.ok(house.get("/account/v1/withdraw/charge", currency="BTC"))
    assert quota["today_available_withdraw_BTC"] == "100.0000"


def test_withdrawal_uses_spot_first_then_funding(house: House) -> None:
    """Without a source the spot wallet is used up before the funding wallet is touched."""
    account = house.account()
    account.fund.credit("BMX", Decimal(500))
    house.ok(house.post(APPLY, currency="BMX", amount="10200", address=address(house, "any token")))
    assert [account.spot.available("BMX"), account.fund.available("BMX")] == [0, 300]
    answer = house.post(APPLY, currency="BMX", amount="60", address=address(house, "any token"), sourceAccount="SPOT")
    assert answer.code == 60008
    house.ok(house.post(APPLY, currency="BMX", amount="60", address=address(house, "any token"), sourceAccount="FUND"))
    assert account.fund.available("BMX") == 240


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"currency": "DOGE"}, 400, 60002),
        ({"currency": None}, 400, 60000),
        ({"amount": None}, 400, 60000),
        ({"amount": "much"}, 400, 60000),
        ({"amount": "0"}, 400, 60005),
        ({"amount": "0.0004"}, 400, 60005),
        ({"amount": "0.123456789"}, 400, 60006),
        ({"amount": "11"}, 400, 60008),
        ({"amount": "101"}, 400, 60009),
        ({"address": "not an address"}, 400, 60011),
        ({"address": "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"}, 400, 60007),
        ({"address_memo": "77"}, 400, 60014),
        ({"address": None}, 400, 60000),
        ({"sourceAccount": "MARGIN"}, 400, 60001),
    ],
)
def test_refused_chain_withdrawals(house: House, members: dict[str, Any], status: int, code: int) -> None:
    """Each mistake has its own code, and nothing moves."""
    before = house.account().spot.rows()
    form = {"currency": "BTC", "amount": "1", "address": address(house, "vault")} | members
    answer = house.post(APPLY, **form)
    assert (answer.status, answer.code) == (status, code)
    assert house.account().spot.rows() == before


def test_address_book_rules(house: House) -> None:
    """An unverified address, the wrong network and a missing memo are refused."""
    form = {"currency": "ETH", "amount": "1"}
    assert house.post(APPLY, **form, address=address(house, "new")).code == 60015
    assert house.post(APPLY, **form, address=address(house, "vault")).code == 60007
    assert house.post(APPLY, **form, address=address(house, "cold wallet")).code == 60014
    house.ok(house.post(APPLY, **form, address=address(house, "cold wallet"), address_memo="12"))


def test_daily_quota(house: House) -> None:
    """What left today counts; the rest of the quota is all that may still go."""
    house.account().spot.credit("BTC", Decimal(200))
    house.exchange.accounts.outside.debit("BTC", Decimal(200))
    form = {"currency": "BTC", "address": address(house, "vault")}
    house.ok(house.post(APPLY, **form, amount="60"))
    refused = house.post(APPLY, **form, amount="60")
    assert (refused.status, refused.code) == (403, 60064)
    house.ok(house.post(APPLY, **form, amount="40"))


def test_internal_withdrawal(house: House) -> None:
    """Money for another account arrives at once and free of charge, and both sides list and hear of it."""
    before = house.money()
    topic = "spot/user/balance:BALANCE_UPDATE"
    with house.heard(topic) as sent, house.heard(topic, OTHER) as came:
        house.ok(house.post(APPLY, currency="USDT", amount="25", type=2, value="other@example.com"))
        house.ok(house.post(APPLY, currency="USDT", amount="5", type=1, value="7"))
    assert house.account(OTHER).spot.available("USDT") == 30
    assert [row["arrival_amount"] for row in history(house, "deposit", OTHER)] == ["5.000000000000", "25.000000000000"]
    assert [row["status"] for row in history(house, "withdraw")] == [3, 3]
    assert house.money() == before
    assert [frame["data"][0]["event_type"].strip() for frame in sent] == ["ACCOUNT_WITHDRAWAL"] * 2
    assert [frame["data"][0]["event_type"].strip() for frame in came] == ["ACCOUNT_RECHARGE"] * 2
    assert came[-1]["data"][0]["balance_details"][0]["av_bal"] == "30.00000000"


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"value": "nobody@example.com"}, 403, 60053),
        ({"type": 3, "value": "5550100", "areaCode": "61"}, 403, 60053),
        ({"type": 3, "value": "5550100"}, 400, 60000),
        ({"type": 4}, 400, 60000),
        ({"value": "main@example.com"}, 403, 60065),
    ],
)
def test_refused_internal_withdrawals(house: House, members: dict[str, Any], status: int, code: int) -> None:
    """A receiver that is nobody, or oneself, is refused."""
    answer = house.post(
        APPLY, **{"currency": "USDT", "amount": "25", "type": 2, "value": "other@example.com"} | members
    )
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("/account/v1/deposit/address", {"currency": "BTC"}, 60026),
        ("/account/v1/withdraw/charge", {"currency": "BTC"}, 30012),
        (HISTORY, {"operation_type": "deposit", "N": 1}, 60026),
        ("/account/v1/deposit-withdraw/detail", {"id": "1"}, 60026),
    ],
)
def test_not_for_sub_accounts(house: House, path: str, params: dict[str, Any], code: int) -> None:
    """Sub-accounts neither deposit nor withdraw; these are refused with HTTP 403."""
    answer = house.get(path, DESK1, **params)
    assert (answer.status, answer.code) == (403, code)


def test_sub_account_key_with_the_permission_may_still_not_withdraw(house: House) -> None:
    """It is the account that may not withdraw, not only its key."""
    key = house.exchange.accounts.keys_of(house.account(DESK1))[0]
    key.permissions |= {"withdraw"}
    answer = house.post(APPLY, DESK1, currency="USDT", amount="20", type=1, value="7")
    assert (answer.status, answer.code) == (403, 60054)
    answer = house.post("/account/v1/set-deposit-account", DESK1, account_type="FUND")
    assert (answer.status, answer.code) == (403, 60026)


def test_deposits(house: House) -> None:
    """Deposits go where the account wants them; the opening balances count as the first ones."""
    before, account, funding = house.money(), house.account(), house.exchange.treasury.funding
    assert [(row["currency"], row["arrival_amount"][:-13]) for row in reversed(history(house, "deposit"))] == [
        ("USDT-TRC20", "100000"),
        ("BTC", "10"),
        ("ETH", "100"),
        ("BMX", "10000"),
    ]
    funding.deposit(account, "USDT", Decimal(7))
    house.ok(house.post("/account/v1/set-deposit-account", account_type="FUND"))
    funding.deposit(account, "USDT", Decimal(8))
    house.ok(house.post("/account/v1/set-deposit-account", account_type="CONTRACT"))
    with house.heard("futures/asset:USDT") as frames:
        funding.deposit(account, "USDT", Decimal(9))
    assert [account.spot.available("USDT"), account.fund.available("USDT")] == [100_007, 8]
    assert account.futures.available("USDT") == 100_009
    assert frames[-1]["data"]["available_balance"] == "100009"
    assert house.money() == before
    newest = history(house, "deposit", currency="USDT", N=2)
    assert [row["arrival_amount"][0] for row in newest] == ["9", "8"]
    where = house.ok(house.get("/account/v1/deposit/address", currency="USDT-TRC20"))
    assert newest[0]["address"] == where["address"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"operation_type": None}, 60000),
        ({"operation_type": "both"}, 60000),
        ({"N": None}, 60000),
        ({"N": 1001}, 60000),
        ({"startTime": 1_767_225_600_000 - 95 * DAY_MS}, 60066),
        ({"startTime": 1, "endTime": 1 + 90 * DAY_MS}, 60067),
        ({"startTime": 5, "endTime": 4}, 60000),
    ],
)
def test_history_limits(house: House, params: dict[str, Any], code: int) -> None:
    """The span has to stay under 90 days, the count within 1000."""
    form = {
        name: value for name, value in ({"operation_type": "deposit", "N": 5} | params).items() if value is not None
    }
    assert house.get(HISTORY, **form).code == code


def test_unknown_record(house: House) -> None:
    """Looking up what is not there, or is another's, says so."""
    mine = history(house, "deposit")[0]["deposit_id"]
    assert house.get("/account/v1/deposit-withdraw/detail", id=mine).code == 1000
    assert house.get("/account/v1/deposit-withdraw/detail", OTHER, id=mine).code == 60010


def test_transfer_between_spot_and_funding(house: House) -> None:
    """Money goes over and back, with a push of the spot balance each time."""
    path, account = "/account/v1/transfer", house.account()
    with house.heard("spot/user/balance:BALANCE_UPDATE") as frames:
        house.ok(house.post(path, currency="ETH", amount="40", type="spot_to_fund"))
        assert [account.spot.available("ETH"), account.fund.available("ETH")] == [60, 40]
        house.ok(house.post(path, currency="ETH", amount="40", type="fund_to_spot"))
    assert [frame["data"][0]["event_type"].strip() for frame in frames] == ["ACCOUNT_TRANSFER"] * 2
    assert house.post(path, currency="ETH", amount="1", type="fund_to_spot").code == 60008
    assert house.post(path, currency="ETH", amount="-1", type="fund_to_spot").code == 61000
    assert house.post(path, currency="ETH", amount="0.000000001", type="spot_to_fund").code == 60006
    assert house.post(path, currency="XYZ", amount="1", type="fund_to_spot").code == 60002
    assert house.post(path, currency="ETH", amount="1", type="fund_to_moon").code == 60001
    assert house.post(path, currency="ETH", amount="1").code == 60000


def test_account_info(house: House) -> None:
    """The account, its kind and all its keys, masked, the calling one marked."""
    house.exchange.accounts.add_key(
        house.account(DESK1), key="second-key", secret="s", memo="second", permissions={"read"}, ips={"203.0.113.7"}
    )
    data = house.ok(house.get("/uapi-key/v1/account/info", DESK1))
    assert (data["cid"], data["account_type"], data["parent_cid"]) == ("1001", "sub", "1")
    assert [(key["is_current"], key["api_key_label"]) for key in data["api_keys"]] == [
        (True, "key 1"),
        (False, "key 2"),
    ]
    assert not any(secret in str(data) for secret in ("sim-sub-key", "sim-sub-secret", "sim-sub-memo"))
    assert data["api_keys"][1]["permissions"] == ["read"]
    assert house.ok(house.get("/uapi-key/v1/account/info"))["account_type"] == "main"
