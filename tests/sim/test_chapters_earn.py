"""Savings on the simulated exchange: subscriptions, interest by exchange time, redemption, renewal, automation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from chapters_kit import DAY_MS, HOUR_MS, OTHER, House

BASE = "/newearn/cloud/v1"
SAVING = f"{BASE}/saving"
PAGE = {"currentPage": 1, "sizePage": 100}


@pytest.fixture
def house() -> House:
    return House()


def subscribe(house: House, product: str = "1001", amount: str = "1000") -> str:
    """Subscribe to a flexible product; the id of the holding."""
    form = {"productId": product, "amount": amount, "requestNo": house.number()}
    assert house.ok(house.post(f"{SAVING}/subscribe", **form)) is True
    holdings = house.ok(house.get(f"{SAVING}/earn", **PAGE, productId=product))["list"]
    found: str = holdings[0]["earnId"]
    return found


def lock(house: House, product: str = "2002", amount: str = "1000", renewal: str = "OFF") -> str:
    """Subscribe to a fixed-term product; the id of the holding."""
    form = {"productId": product, "amount": amount, "requestNo": house.number(), "autoSubscribe": renewal}
    assert house.ok(house.post(f"{SAVING}/fixed/subscribe", **form)) is True
    found: str = house.ok(house.get(f"{SAVING}/fixed/earn", **PAGE))["list"][-1]["earnId"]
    return found


def records(house: House, kind: str, fixed: bool = False) -> Any:
    path = f"{SAVING}/fixed/record" if fixed else f"{SAVING}/record"
    return house.ok(house.get(path, **PAGE, type=kind))["list"]


def usdt(house: House) -> Decimal:
    return house.account().spot.available("USDT")


def test_flexible_interest(house: House) -> None:
    """Interest runs by the clock, in tiers, and is paid at midnight from the exchange's savings wallet."""
    before = house.money()
    house.exchange.clock.step(12 * HOUR_MS)
    subscribe(house)
    assert usdt(house) == 99_000
    a_year = Decimal(200) * Decimal("0.10") + Decimal(800) * Decimal("0.03")
    house.tick(ms=12 * HOUR_MS)
    half_day = (a_year / 730).quantize(Decimal("1E-8"), "ROUND_DOWN")
    assert usdt(house) == 99_000 + half_day
    house.tick(ms=3 * DAY_MS)
    paid = [Decimal(row["amount"]) for row in records(house, "interest")]
    assert len(paid) == 4
    assert abs(sum(paid) - a_year * Decimal("3.5") / 365) < Decimal("1E-7")
    (holding,) = house.ok(house.get(f"{SAVING}/earn", **PAGE))["list"]
    assert (holding["amount"], Decimal(holding["totalProfit"])) == ("1000", sum(paid))
    (coin,) = house.ok(house.get(f"{BASE}/earn"))
    assert (coin["coinName"], coin["totalUserSum"], Decimal(coin["previousProfit"])) == ("USDT", "1000", paid[0])
    assert house.exchange.accounts.savings.total("USDT") == 1000 - sum(paid)
    assert house.money() == before


def test_interest_does_not_wait_for_the_market(house: House) -> None:
    """What has fallen due is settled when somebody asks, even if the market stands still."""
    subscribe(house)
    house.exchange.clock.step(10 * DAY_MS)
    assert len(records(house, "interest")) == 10
    times = [row["time"] for row in records(house, "interest")]
    assert all(time % DAY_MS == 0 for time in times)
    assert times == sorted(times, reverse=True)


def test_flexible_redemption(house: House) -> None:
    """A part can be taken out; with the rest comes the interest so far, and the holding is gone."""
    before = house.money()
    earn_id = subscribe(house)
    house.exchange.clock.step(6 * HOUR_MS)
    form = {"earnId": earn_id, "amount": "400", "requestNo": house.number()}
    house.ok(house.post(f"{SAVING}/redeem", **form))
    assert usdt(house) == 99_400
    answer = house.post(f"{SAVING}/redeem", **form | {"amount": "601", "requestNo": house.number()})
    assert answer.code == 50020
    house.ok(house.post(f"{SAVING}/redeem", **form | {"amount": "600", "requestNo": house.number()}))
    assert usdt(house) == 100_000 + Decimal("0.03013698")
    assert house.ok(house.get(f"{SAVING}/earn", **PAGE))["total"] == 0
    assert [row["amount"] for row in records(house, "redeem")] == ["600", "400"]
    assert house.money() == before


def test_two_subscriptions_are_one_holding(house: House) -> None:
    """More money for the same flexible product joins what is there."""
    assert subscribe(house) == subscribe(house)
    (holding,) = house.ok(house.get(f"{SAVING}/earn", **PAGE))["list"]
    assert holding["amount"] == "2000"


def test_fixed_term_is_paid_out(house: House) -> None:
    """At maturity principal and interest come back into the spot wallet."""
    before = house.money()
    lock(house)
    (holding,) = house.ok(house.get(f"{SAVING}/fixed/earn", **PAGE))["list"]
    interest = (Decimal(1000) * Decimal("0.04") * 7 / 365).quantize(Decimal("1E-8"), "ROUND_DOWN")
    assert Decimal(holding["estimatedInterest"]) == interest
    assert holding["expiredDate"] == house.exchange.now_ms() + 7 * DAY_MS
    house.tick(ms=7 * DAY_MS - 200)
    assert usdt(house) == 99_000
    house.tick(3)
    assert usdt(house) == 100_000 + interest
    assert house.ok(house.get(f"{SAVING}/fixed/earn", **PAGE))["total"] == 0
    assert [row["lockDay"] for row in records(house, "redeem", fixed=True)] == [7]
    assert records(house, "interest", fixed=True)[0]["amount"] == holding["estimatedInterest"]
    assert house.money() == before


def test_fixed_term_ended_early(house: House) -> None:
    """An early redemption brings the principal and nothing else."""
    earn_id = lock(house)
    house.exchange.clock.step(5 * DAY_MS)
    house.ok(house.post(f"{SAVING}/fixed/redeem", earnId=earn_id, requestNo=house.number()))
    assert usdt(house) == 100_000
    assert house.post(f"{SAVING}/fixed/redeem", earnId=earn_id, requestNo=house.number()).code == 50021


@pytest.mark.parametrize("renewal", ["REINVEST_FIXED", "REINVEST_FLEXIBLE", "OFF"])
def test_renewal(house: House, renewal: str) -> None:
    """What happens at maturity can be chosen until then; a renewed term matures again."""
    before = house.money()
    earn_id = lock(house)
    form = {"earnId": earn_id, "autoSubscribe": renewal}
    assert house.ok(house.post(f"{SAVING}/fixed/subscribe/operate", **form)) is True
    house.tick(ms=15 * DAY_MS)
    fixed = house.ok(house.get(f"{SAVING}/fixed/earn", **PAGE))["list"]
    flexible = house.ok(house.get(f"{SAVING}/earn", **PAGE))["list"]
    terms = len(records(house, "interest", fixed=True))
    assert (len(fixed), len(flexible), terms) == {
        "REINVEST_FIXED": (1, 0, 2),
        "REINVEST_FLEXIBLE": (0, 1, 1),
        "OFF": (0, 0, 1),
    }[renewal]
    assert usdt(house) < 100_000 + (1000 if renewal == "OFF" else -900)
    assert house.money() == before


def test_automatic_subscription(house: House) -> None:
    """Free spot money goes into the product at midnight, up to its limit; off means off."""
    status = f"{SAVING}/subscribe/status"
    assert house.ok(house.get(status, productId="1001")) == {"subscribeStatus": "OFF"}
    operate = f"{SAVING}/subscribe/operate"
    assert house.ok(house.post(operate, productId="1001", autoSubscribe="open")) is True
    assert house.ok(house.get(status, productId="1001")) == {"subscribeStatus": "ON"}
    assert house.ok(house.get(f"{SAVING}/subscribe/batch")) == {"batchSubscribeStatus": "OFF"}
    house.tick(ms=DAY_MS)
    (entry,) = records(house, "subscribe")
    assert (entry["amount"], entry["subscribeType"], entry["requestNo"]) == ("10000", "AUTO", "")
    (holding,) = house.ok(house.get(f"{SAVING}/earn", **PAGE))["list"]
    assert holding["autoSubscribe"] is True
    house.ok(house.post(operate, productId="1001", autoSubscribe="close"))
    assert house.ok(house.get(status, productId="1001")) == {"subscribeStatus": "OFF"}


def test_automatic_savings_for_all(house: House) -> None:
    """The batch switch sets every flexible product at once."""
    house.ok(house.post(f"{SAVING}/subscribe/batch/operate", autoSubscribe="open"))
    assert house.ok(house.get(f"{SAVING}/subscribe/batch")) == {"batchSubscribeStatus": "ON"}
    house.tick(ms=DAY_MS)
    coins = {row["coinName"] for row in house.ok(house.get(f"{SAVING}/earn", **PAGE))["list"]}
    assert coins == {"USDT", "BTC", "ETH"}
    house.ok(house.post(f"{SAVING}/subscribe/batch/operate", autoSubscribe="close"))
    assert house.ok(house.get(f"{SAVING}/subscribe/batch")) == {"batchSubscribeStatus": "OFF"}


@pytest.mark.parametrize("fixed", [False, True])
def test_a_repeated_request_is_carried_out_once(house: House, fixed: bool) -> None:
    """The same call again is answered alike and does nothing; the number for another call is refused."""
    path = f"{SAVING}/fixed/subscribe" if fixed else f"{SAVING}/subscribe"
    form = {"productId": "2001", "autoSubscribe": "OFF"} if fixed else {"productId": "1001"}
    form |= {"amount": "50", "requestNo": "20000009000000300000"}
    assert [house.ok(house.post(path, **form)) for _ in range(3)] == [True] * 3
    assert usdt(house) == 99_950
    assert house.post(path, **form | {"amount": "51"}).code == 61004
    assert usdt(house) == 99_950


@pytest.mark.parametrize(
    ("path", "members", "code"),
    [
        ("subscribe", {"productId": "9"}, 50021),
        ("subscribe", {"productId": "2001"}, 50021),
        ("subscribe", {"productId": None}, 50028),
        ("subscribe", {"amount": "0.5"}, 60005),
        ("subscribe", {"amount": "10001"}, 60009),
        ("subscribe", {"amount": "-1"}, 61000),
        ("subscribe", {"amount": "1.123456789"}, 60006),
        ("subscribe", {"productId": "1002", "amount": "4.9"}, 50020),
        ("subscribe", {"requestNo": "123"}, 50021),
        ("subscribe", {"requestNo": None}, 50028),
        ("redeem", {"earnId": "1"}, 50021),
        ("fixed/subscribe", {"productId": "2001", "autoSubscribe": "MAYBE"}, 50021),
        ("fixed/redeem", {"earnId": "1"}, 50021),
        ("fixed/subscribe/operate", {"earnId": "1", "autoSubscribe": "OFF"}, 50021),
        ("subscribe/operate", {"autoSubscribe": "yes"}, 50021),
    ],
)
def test_refusals(house: House, path: str, members: dict[str, Any], code: int) -> None:
    """Each mistake has its own code, and nothing moves."""
    house.account().spot.hold("BTC", Decimal(6))
    form = {"productId": "1001", "amount": "100", "requestNo": house.number()} | members
    answer = house.post(f"{SAVING}/{path}", **form)
    assert (answer.status, answer.code) == (400, code)
    assert usdt(house) == 100_000


def test_lists_page_and_filter(house: House) -> None:
    """Products and records are paged; a coin narrows them down; page parameters have to be there."""
    for _ in range(5):
        subscribe(house, amount="10")
    page = house.ok(house.get(f"{SAVING}/record", type="subscribe", currentPage=3, sizePage=2))
    assert (page["total"], len(page["list"])) == (5, 1)
    assert house.ok(house.get(f"{SAVING}/record", **PAGE, type="subscribe", coinName="BTC"))["total"] == 0
    assert house.ok(house.get(f"{SAVING}/record", **PAGE, type="subscribe", startTime=0, endTime=5))["total"] == 0
    assert house.ok(house.get(f"{SAVING}/fixed/product", **PAGE, coinName="BTC"))["total"] == 1
    assert house.ok(house.get(f"{SAVING}/product", **PAGE))["total"] == 3
    assert house.get(f"{SAVING}/product", currentPage=1).code == 50021
    assert house.get(f"{SAVING}/product", currentPage=1, sizePage=101).code == 50021
    assert house.get(f"{SAVING}/product", **PAGE, coinName="DOGE").code == 51000
    assert house.get(f"{SAVING}/record", **PAGE, type="gift").code == 50021
    assert house.get(f"{SAVING}/record", **PAGE, type="redeem", startTime=5, endTime=4).code == 52004


def test_permission(house: House) -> None:
    """Reading needs no more than reading, moving money the permission for finance."""
    assert house.get(f"{SAVING}/product", OTHER, **PAGE).code == 1000
    answer = house.post(f"{SAVING}/subscribe", OTHER, productId="1001", amount="5", requestNo=house.number())
    assert (answer.status, answer.code) == (403, 30012)
