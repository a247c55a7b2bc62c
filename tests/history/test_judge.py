"""What one reply says to an archive: a documented refusal, an answer, or nothing of the kind."""

from __future__ import annotations

import json

import pytest
from every_case import every_case

from bitmart_trio.errors import CODES, PermissionDenied
from bitmart_trio.history.archive._codes import MEANINGS, Refusal, advice, refusal
from bitmart_trio.history.archive._judge import judge
from bitmart_trio.history.archive._wire import canonical

FILLS, DEPOSITS, SAVINGS = (
    "spot.trading.trades",
    "spot.account.deposit_withdraw_history",
    "spot.earn.flexible_records",
)
PAGE = b"<html><head><title>Just a moment\n...</title></head><body>check</body></html>"


def api(code: int, message: str = "m", **members: object) -> bytes:
    return json.dumps({"code": code, "message": message, "trace": "t", **members}).encode()


@every_case("status", [200, 301, 400, 403, 404, 405, 429, 451, 500, 503, *range(520, 531)])
@every_case("body", [PAGE, b"", b"error code: 1020", b"[]", b'{"error":"blocked"}'])
def test_what_is_no_reply_of_the_api_never_answers_and_never_refuses(status: int, body: bytes) -> None:
    """Pages of the edge with any status have failed."""
    assert judge(FILLS, status, body).state == "failed"


def test_the_title_of_a_page_is_named() -> None:
    """One line of it."""
    assert judge(FILLS, 403, PAGE).reason == "HTTP 403 with what is no reply of the API: Just a moment ..."


def test_a_connection_that_broke_has_failed() -> None:
    """With what the transport said."""
    assert judge(FILLS, None, b"", "reset").reason == "reset"


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_documented_refusal_names_what_to_add(status: int) -> None:
    """Whatever the status."""
    refused = judge("spot.sub_account.transfers", status, api(30012, "Forbidden"))
    assert (refused.state, refused.code) == ("not_permitted", 30012)
    assert "add the permission for sub-accounts (sub_transfer) to the key" in refused.reason
    assert "add the address of this machine" in judge(FILLS, status, api(30010)).reason
    assert judge("futures.trading.trades", status, api(40046)).state == "not_offered"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (FILLS, 40001), (DEPOSITS, 40046), ("spot.margin.borrow_records", 40047), (FILLS, 51001), (DEPOSITS, 60027),
        ("futures.trading.trades", 51001), ("futures.trading.trades", 53008),
    ],
)  # fmt: skip
def test_no_such_account_is_believed_of_its_own_market_only(name: str, code: int) -> None:
    """No futures account, says the spot market: that is no documented answer, and nothing to call complete."""
    assert judge(name, 403, api(code)).state == "failed"


@pytest.mark.parametrize("code", [30013, 30014, 30016, 40012, 50022, 59002, 70003, 99999, 1, 50021])
def test_other_codes_have_failed(code: int) -> None:
    """Transient ones, undocumented ones, and those that say that the request is wrong."""
    assert judge(FILLS, 200, api(code)).state == "failed"


def test_a_refusal_with_a_status_of_trouble_has_failed() -> None:
    """The same code in a page of a gateway that is out of order."""
    assert judge(FILLS, 503, api(30012)).state == "failed"
    assert judge(FILLS, 502, api(1000, data=[])).state == "failed"


def test_too_old_is_no_answer_and_said() -> None:
    """It is the window's age."""
    old = judge(FILLS, 200, api(50041, "Outside the range"))
    assert (old.state, old.too_old) == ("failed", True)


def test_no_data_is_an_answer() -> None:
    """70000."""
    assert judge(FILLS, 200, api(70000)) == judge(FILLS, 404, api(70000))
    assert judge(FILLS, 200, api(70000)).state == "answered"


@pytest.mark.parametrize(
    ("name", "data", "state"),
    [
        (FILLS, None, "answered"),
        (FILLS, [], "answered"),
        (FILLS, {}, "failed"),
        (FILLS, "x", "unreadable"),
        (DEPOSITS, {}, "failed"),
        (DEPOSITS, {"records": None}, "answered"),
        (DEPOSITS, {"records": []}, "answered"),
        (DEPOSITS, {"records": {}}, "unreadable"),
        (DEPOSITS, {"record": []}, "unreadable"),
        (DEPOSITS, None, "answered"),
        (SAVINGS, {"total": 0}, "unreadable"),
        (SAVINGS, {"list": [], "total": "0"}, "answered"),
        ("spot.broker.rebates", {}, "failed"),
        ("spot.broker.rebates", {"rebates": {}}, "answered"),
    ],
)
def test_missing_is_not_empty(name: str, data: object, state: str) -> None:
    """Null and [] are empty; a missing list is no answer."""
    assert judge(name, 200, api(1000, "This service is down", data=data)).state == state


def test_a_reply_without_data_is_no_answer() -> None:
    """Not even for a list."""
    assert judge(FILLS, 200, api(1000)).state == "failed"


def test_records_are_as_they_came() -> None:
    """Digit for digit, odd ones too."""
    body = b'{"code":1000,"trace":"t","data":[ {"a":1.10, "b":"x"} ,{"a":null}]}'
    assert [canonical(each) for each in judge(FILLS, 200, body).records] == ['{"a":1.10,"b":"x"}', '{"a":null}']
    odd = judge(FILLS, 200, api(1000, data=[{"a": 1}, "?"]))
    assert (odd.state, len(odd.records)) == ("unreadable", 2)
    assert "1 of 2 records" in odd.reason


def test_totals_and_days() -> None:
    """Where the payload says how many there are; a rebate's day is a part of the rebate."""
    told = judge(SAVINGS, 200, api(1000, data={"total": "3", "list": [{"recordId": "1"}]}))
    assert (told.total, len(told.records)) == (3, 1)
    days = {"2025-01-01": [{"currency": "BTC"}, {"currency": "ETH"}], "2025-01-02": None}
    rebates = judge("spot.broker.rebates", 200, api(1000, data={"rebates": days}))
    assert rebates.records == ({"currency": "BTC", "day": "2025-01-01"}, {"currency": "ETH", "day": "2025-01-01"})


def test_a_look_is_its_entries() -> None:
    """Or the whole of its data."""
    assert judge("spot.account.info", 200, api(1000, data={"cid": "1"})).records == ({"cid": "1"},)
    assert judge("spot.account.info", 200, api(1000, data={})).state == "failed"
    assert judge("futures.position.positions_v2", 200, api(1000, data=[{"symbol": "X"}])).records == ({"symbol": "X"},)


def test_a_market_that_is_gone_is_not_offered() -> None:
    """Its candles are missing for everybody; what the account did there is not."""
    assert judge("futures.market.klines", 200, api(40034)).state == "not_offered"
    assert judge("futures.trading.order_history", 200, api(40034)).state == "failed"


def test_the_table_covers_every_permission() -> None:
    """Each documented code that says "you may not" is in the table, and each row of the table is documented."""
    assert set(MEANINGS) <= set(CODES)
    for row in CODES.values():
        if row.error is PermissionDenied:
            assert row.code in MEANINGS, row
    assert refusal(0, FILLS) is refusal(30013, FILLS) is refusal(99_999, FILLS) is None
    for meaning in MEANINGS.values():
        if meaning.refusal is Refusal.NOT_PERMITTED:
            assert advice(meaning.code, FILLS)
            assert "{" not in advice(meaning.code, FILLS)
