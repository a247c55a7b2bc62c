"""What an archive asks, and what it makes of odd answers, from an exchange that is empty but for what a test adds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
import trio.testing
from test_archive import READER, add_reader, inline

import bitmart_trio as bm
from bitmart_trio.history.archive import ArchiveReport, Reader, archive, estimate, look_at_key, verify
from bitmart_trio.history.archive._judge import judge
from bitmart_trio.history.archive._key import counted
from bitmart_trio.sim.exchange import START_MS

NOW = 1_734_500_000_000
DAY = 86_400_000
SINCE = NOW - 400 * DAY

Args = Mapping[str, Any]
Route = Callable[[Args], object]


class Desert:
    """An exchange on which every history is empty but those that have a route."""

    def __init__(self, **routes: Route) -> None:
        self.routes = {path.replace("__", "/").replace("_x_", "-"): route for path, route in routes.items()}
        self.asked: list[tuple[str, Args]] = []

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/system/time":
            return good({"server_time": NOW + int(trio.current_time() * 1000)})
        args = {**dict(request.url.params), **json.loads(request.content or b"{}")}
        self.asked.append((path, args))
        if path in self.routes:
            found = self.routes[path](args)
            return found if isinstance(found, httpx.Response) else good(found)
        return httpx.Response(200, json={"code": 70000, "message": "no data", "trace": "t", "data": None})

    async def archived(self, directory: Path, *, resume: bool = False, **arguments: Any) -> ArchiveReport:
        transport = httpx.MockTransport(self.handle)
        async with bm.open_client(READER, http_transport=transport) as client:
            return await archive(
                client, directory, since=SINCE, resume=resume, allow_trading_key=True, run=inline, **arguments
            )


def good(data: object) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"code": 1000, "message": "OK", "trace": "t", "data": data}))


EDGE = httpx.Response(521, text="<html><title>Web server is down</title></html>")

SPOT_OPEN, SPOT_HISTORY, SPOT_FILLS = (
    "/spot/v4/query/open-orders",
    "/spot/v4/query/history-orders",
    "/spot/v4/query/trades",
)
CONTRACT_OPEN = "/contract/private/get-open-orders"
DEPOSITS = "/account/v2/deposit-withdraw/history"
SUBS = "/account/sub-account/main/v1/subaccount-list"


def spot_order(number: int, time: int, state: str = "new") -> dict[str, Any]:
    return {
        "orderId": str(number), "clientOrderId": "", "symbol": "BTC_USDT", "side": "buy", "orderMode": "spot",
        "type": "limit", "state": state, "price": "1", "priceAvg": "1", "size": "1", "filledSize": "1",
        "notional": "1", "filledNotional": "1", "createTime": time, "updateTime": time,
    }  # fmt: skip


def fill(number: int, time: int) -> dict[str, Any]:
    return {
        "tradeId": str(number), "orderId": "1", "clientOrderId": "", "symbol": "BTC_USDT", "side": "buy",
        "orderMode": "spot", "type": "limit", "price": "1", "size": "1", "notional": "1", "fee": "0",
        "feeCoinName": "USDT", "tradeRole": "maker", "createTime": time, "updateTime": time,
    }  # fmt: skip


def contract_order(number: int, symbol: str) -> dict[str, Any]:
    return {
        "order_id": str(number), "client_order_id": "", "symbol": symbol, "side": 1, "type": "limit", "state": 2,
        "price": "1", "size": "1", "leverage": "1", "open_type": "cross", "deal_avg_price": "0", "deal_size": "0",
        "create_time": NOW - DAY, "update_time": NOW - DAY,
    }  # fmt: skip


def within(rows: list[dict[str, Any]], args: Args, time: str = "createTime") -> list[dict[str, Any]]:
    return [row for row in rows if int(args["startTime"]) <= row[time] <= int(args["endTime"])]


def open_parts(report: ArchiveReport) -> dict[str, str]:
    return {part.name: str(part.state) for part in report.parts if not part.complete}


async def test_an_empty_account_is_complete(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Nothing anywhere: every part is answered, with wide windows where no source names a limit."""
    desert = Desert()
    report = await desert.archived(tmp_path)
    assert report.complete, open_parts(report)
    assert report.records == 0
    assert desert.count(SPOT_FILLS) < 10
    assert verify(tmp_path).problems == ()


async def test_an_account_with_funds_is_read_in_usual_windows(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """An endpoint that searches only the last week of a wide window hides nothing: what is there is found."""
    fills = [fill(1, NOW - 200 * DAY), fill(2, NOW - 199 * DAY)]

    def forgetful(args: Args) -> object:
        since = max(int(args["startTime"]), int(args["endTime"]) - 7 * DAY - 200_000)
        return within(fills, {**args, "startTime": since})

    desert = Desert()
    desert.routes |= {SPOT_FILLS: forgetful, "/spot/v1/wallet": lambda _: {"wallet": [{"id": "BTC", "available": "1"}]}}
    report = await desert.archived(tmp_path)
    with Reader(tmp_path) as reader:
        assert [each.id for each in reader.records("spot.trading.trades")] == ["1", "2"]
    assert report.complete, open_parts(report)
    assert desert.count(SPOT_FILLS) > 400 / 7


async def test_wide_windows_that_are_proven_are_used(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A reply whose records lie two months apart shows that windows of two months are searched whole."""
    fills = [fill(number, SINCE + number * 20 * DAY) for number in range(1, 20)]
    desert = Desert()
    desert.routes[SPOT_FILLS] = lambda args: within(fills, args)
    report = await desert.archived(tmp_path)
    with Reader(tmp_path) as reader:
        assert reader.count("spot.trading.trades") == 19
    assert report.complete, open_parts(report)
    assert desert.count(SPOT_FILLS) < 20


async def test_an_order_that_ended_in_the_meantime_is_followed_up(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Open before the histories were read, done before the open orders were read again: its end is asked for."""
    time = NOW - 30 * DAY
    desert = Desert()
    lists = Counter[str]()

    def opened(args: Args) -> object:
        lists["open"] += trio.current_time() < 30
        return within([spot_order(7, time)], args) if trio.current_time() < 30 else []

    def finished(args: Args) -> object:
        return within([spot_order(7, time, "filled")], args) if trio.current_time() > 30 else []

    desert.routes |= {SPOT_OPEN: opened, SPOT_HISTORY: finished}
    report = await desert.archived(tmp_path)
    assert lists["open"]
    with Reader(tmp_path) as reader:
        assert [each.values["state"] for each in reader.records("spot.trading.order_history")] == ["filled"]
        assert [each.id for each in reader.records("spot.trading.open_orders")] == ["7"]
    assert report.complete, open_parts(report)


async def test_an_order_that_left_no_trace_is_named(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Cancelled without a fill, it is forgotten; with a fill and in no history, something is missing."""
    for filled in (False, True):
        time = NOW - 30 * DAY
        desert = Desert()
        desert.routes[SPOT_OPEN] = lambda args, time=time: (  # type: ignore[misc]
            within([spot_order(1, time)], args) if trio.current_time() % 1000 < 30 else []
        )
        if filled:
            desert.routes[SPOT_FILLS] = lambda args, time=time: within([fill(5, time + 5)], args)  # type: ignore[misc]
        await trio.sleep(1000 - trio.current_time() % 1000)
        report = await desert.archived(tmp_path / str(filled))
        with Reader(tmp_path / str(filled)) as reader:
            notes = {note.what: note.resolved for note in reader.notes("spot.trading.order_history")}
        assert notes == ({"filled_in_no_history": False} if filled else {"forgotten": True})
        assert report.complete is not filled


@pytest.mark.parametrize("own_lists", [False, True])
async def test_a_full_list_of_open_orders_is_a_gap(
    own_lists: bool, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """100 of 120: the limit is named, unless each contract's own list is shorter."""
    orders = [contract_order(number, f"C{number % 3}USDT") for number in range(120)]

    def opened(args: Args) -> object:
        if own_lists and "symbol" in args:
            return [order for order in orders if order["symbol"] == args["symbol"]][:100]
        return orders[:100]

    contracts = {"symbols": [{"symbol": f"C{number}USDT"} for number in range(3)]}
    desert = Desert()
    desert.routes |= {CONTRACT_OPEN: opened, "/contract/public/details": lambda _: contracts}
    report = await desert.archived(tmp_path)
    limits = [part for part in report.looks if part.name.startswith("futures.trading.open_") and not part.complete]
    if own_lists:
        assert not limits
        with Reader(tmp_path) as reader:
            rows = [row.name for row in reader.looks() if "symbol=C" in row.name and "open_orders" in row.name]
            assert len(rows) == 6
    else:
        assert not report.complete
        assert "100 entries are listed, and the exchange lists no more than 100" in limits[0].missing[0].reason


@pytest.mark.parametrize(
    "trouble",
    [EDGE, httpx.Response(503, text="{"), good({}), httpx.Response(403, text="<title>Attention Required!</title>")],
)
async def test_a_look_that_fails_is_no_refusal(
    trouble: httpx.Response, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """The list of sub-accounts cannot be had: not complete. Resumed, their histories are read too."""
    desert = Desert()
    desert.routes[SUBS] = lambda _: httpx.Response(trouble.status_code, content=trouble.content)
    report = await desert.archived(tmp_path)
    assert open_parts(report) == {"spot.sub_account.accounts": "failed"}
    desert.routes[SUBS] = lambda _: {"subAccountList": [{"accountName": "desk", "status": 1}]}
    report = await desert.archived(tmp_path, resume=True)
    assert report.complete, open_parts(report)
    assert "futures.sub_account.transfers sub_account=desk" in {part.name for part in report.histories}
    assert verify(tmp_path).problems == ()


async def test_a_history_that_fails_goes_on_where_it_failed(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Pages of the edge from one window on: what is before stays, and only the rest is asked again."""
    down = [True]

    def deposits(args: Args) -> object:
        if down[0] and int(args["startTime"]) > NOW - 200 * DAY:
            return httpx.Response(520, text="<title>Unknown error</title>")
        return {"records": []}

    desert = Desert()
    desert.routes[DEPOSITS] = deposits
    report = await desert.archived(tmp_path)
    assert set(open_parts(report).values()) == {"failed"}
    assert "HTTP 520 with what is no reply of the API: Unknown error" in report.as_markdown()
    down[0] = False
    desert.asked.clear()
    assert (await desert.archived(tmp_path, resume=True)).complete
    earliest = min(int(args["startTime"]) for path, args in desert.asked if path == DEPOSITS)
    assert earliest > NOW - 300 * DAY


async def test_what_was_refused_for_its_age_is_read_to_the_hour(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Older windows are refused: everything that the exchange answers is read, and the rest is a named gap."""
    oldest = NOW - 123 * DAY - 7_000_000
    rows = [
        {"deposit_id": str(number), "withdraw_id": "", "operation_type": "deposit", "apply_time": NOW - number * DAY}
        for number in range(1, 200)
    ]

    def deposits(args: Args) -> object:
        if int(args["startTime"]) < oldest:
            return httpx.Response(200, json={"code": 60067, "message": "too old", "trace": "t"})
        return {"records": within(rows, args, "apply_time") if args["operation_type"] == "deposit" else []}

    desert = Desert()
    desert.routes[DEPOSITS] = deposits
    report = await desert.archived(tmp_path)
    assert not report.complete
    with Reader(tmp_path) as reader:
        found = {each.id for each in reader.records("spot.account.deposit_withdraw_history")}
    assert found == {str(number) for number in range(1, 124)}
    [part] = [part for part in report.histories if part.name.endswith("type=deposit")]
    assert part.missing[-1].until - oldest < 4_000_000
    assert "60067 too old" in part.missing[0].reason


async def test_a_name_that_no_request_can_carry_ends_nothing(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """A fill of a pair with an absurd name: what would be asked of it fails, and everything else is read."""
    names = ("", "A" * 5000, "../../x?y=1&z#", "\u0000\u001b[31m", "\ud800")
    fills = [{**fill(number, NOW - DAY * (number + 1)), "symbol": name} for number, name in enumerate(names)]
    desert = Desert()
    desert.routes[SPOT_FILLS] = lambda args: within(fills, args)
    report = await desert.archived(tmp_path)
    with Reader(tmp_path) as reader:
        assert reader.count("spot.trading.trades") == len(names)
    assert {name.split()[0] for name in open_parts(report)} <= {"spot.market.klines", "spot.account.trade_fee_rate"}
    assert verify(tmp_path).problems == ()


async def test_the_oldest_record_is_named(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Old windows that are answered with [] prove nothing: from when on something was listed stands in the report."""
    rows = [{"deposit_id": "1", "withdraw_id": "", "operation_type": "deposit", "apply_time": NOW - 50 * DAY}]
    desert = Desert()
    desert.routes[DEPOSITS] = lambda args: {"records": within(rows, args, "apply_time")}
    report = await desert.archived(tmp_path)
    assert report.complete
    [part] = [part for part in report.histories if part.name.endswith("type=deposit")]
    assert part.oldest == NOW - 50 * DAY


async def test_what_a_key_may_do_and_how_long_it_takes(autojump_clock: trio.testing.MockClock) -> None:
    """A dry look: nothing is written, and the estimate counts what an account without records takes."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue)
        async with venue.open_client(READER) as client:
            key = await look_at_key(client)
            assert (key.account, key.harmless, key.problems) == ("1", True, ())
            assert "read" in key.permissions
            guess = await estimate(client, since=START_MS - 365 * DAY)
        async with venue.open_client() as client:
            key = await look_at_key(client)
            assert not key.harmless
            assert "this key may do more than read" in key.problems[0]
    assert 100 < guess.requests < 300
    assert guess.seconds > 10
    assert counted(SINCE, NOW, ["sub_accounts", "broker", "affiliate"]).requests < counted(SINCE, NOW, []).requests


async def test_an_empty_account_of_eight_years_takes_minutes(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Hundreds of requests, not thousands."""
    desert = Desert()
    transport = httpx.MockTransport(desert.handle)
    began = trio.current_time()
    async with bm.open_client(READER, http_transport=transport) as client:
        report = await archive(client, tmp_path, since=NOW - 8 * 365 * DAY, allow_trading_key=True, run=inline)
    assert report.complete, open_parts(report)
    assert len(desert.asked) < 1000
    assert trio.current_time() - began < 300


def deposits_with(odd: bytes, *, deaf: bool = False) -> Route:
    """Forty deposits, a day apart; the address of the sixth is what a test wants on the wire."""
    records = [
        {
            "withdraw_id": "", "deposit_id": str(1000 + number), "operation_type": "deposit", "currency": "USDT",
            "apply_time": NOW - (50 - number) * DAY, "arrival_amount": "10.5", "fee": "0", "status": 3,
            "address": "ODD" if number == 5 else "0x1", "address_memo": "", "tx_id": f"0x{number:064x}",
        }
        for number in range(40)
    ]  # fmt: skip

    def route(args: Args) -> httpx.Response:
        found = [
            each
            for each in records
            if args["operation_type"] == "deposit"
            and (deaf or int(args["startTime"]) <= int(str(each["apply_time"])) <= int(args["endTime"]))
        ]
        return httpx.Response(200, content=good({"records": found}).content.replace(b'"ODD"', odd))

    return route


DEPOSIT_ROUTE = "__account__v2__deposit_x_withdraw__history"


ODD = {
    "no UTF-8": b'"\xff\xfe"',
    "control": b'"\x1b[31m\x00"',
    "half a pair": b'"\\ud800"',
    "NaN": b"NaN",
    "a gigabyte": b"1e999999999",
    "no exponent": b"1e99999999999999999999",
    "digits": b"9" * 4500,
    "nested": b"[" * 500 + b"]" * 500,
    "nested far": b'{"a":' * 60_000 + b"1" + b"}" * 60_000,
}
"""What JSON readers refuse, or die of, as a member of a record."""


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_member_is_readable(odd: bytes) -> None:
    """What is odd in one member of one record leaves the record and its neighbours where they belong."""
    body = deposits_with(odd)({"operation_type": "deposit", "startTime": 0, "endTime": NOW})
    assert isinstance(body, httpx.Response)
    found = judge("spot.account.deposit_withdraw_history", 200, body.content)
    assert (found.state, len(found.records)) == ("answered", 40)


async def test_odd_members_lose_no_record(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """All of them in one reply neither end the run nor leave a gap."""
    members = b",".join(b'"%d":%s' % (number, odd) for number, odd in enumerate(ODD.values()))
    odd = b'"0x1",%s,"address":1e999999999' % members
    report = await Desert(**{DEPOSIT_ROUTE: deposits_with(odd)}).archived(tmp_path)
    assert report.complete
    with Reader(tmp_path) as reader:
        assert reader.count("spot.account.deposit_withdraw_history") == 40
    assert verify(tmp_path).problems == ()


async def test_bounds_that_are_not_heeded_are_a_gap(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """An endpoint that lists the same whatever time is asked for is not asked in ever narrower windows."""
    desert = Desert(**{DEPOSIT_ROUTE: deposits_with(b'"0x1"', deaf=True)})
    report = await desert.archived(tmp_path)
    assert not report.complete
    assert desert.count("/account/v2/deposit-withdraw/history") < 100
    with Reader(tmp_path) as reader:
        assert reader.count("spot.account.deposit_withdraw_history") == 40
        gaps = [window.gap.reason for each in reader.histories() for window in reader.windows(each.name) if window.gap]
    assert set(gaps) == {"the same 40 records are listed for any time"}


@pytest.mark.parametrize("status", [429, 503])
async def test_no_data_from_a_service_in_trouble_is_no_answer(
    status: int, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """The code for "no records" counts in a reply of the API, not in one that says that the service is down."""

    def route(_: Args) -> httpx.Response:
        return httpx.Response(status, json={"code": 70000, "message": "no data", "trace": "t", "data": None})

    report = await Desert(**{DEPOSIT_ROUTE: route}).archived(tmp_path)
    assert not report.complete


async def test_no_such_account_is_not_believed_where_it_has_records(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """A history that has listed records and then says that there is no such account has not been read whole."""
    heard = deposits_with(b'"0x1"')

    def route(args: Args) -> object:
        if int(args["endTime"]) < NOW - 20 * DAY or args["operation_type"] == "withdraw":
            return heard(args)
        return httpx.Response(403, json={"code": 53008, "message": "gone", "trace": "t", "data": {}})

    report = await Desert(**{DEPOSIT_ROUTE: route}).archived(tmp_path)
    assert not report.complete
    assert verify(tmp_path).problems == ()


@pytest.mark.parametrize("searched", [30 * DAY, 2 * DAY])
async def test_an_empty_wide_window_is_not_believed_alone(
    searched: int, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Should the exchange list nothing of a window that is wider than it searches, narrow ones bring what is there."""
    rows: list[dict[str, Any]] = [
        {"time": str(SINCE + number * 3 * DAY), "type": "Funding Fee", "amount": "1", "asset": "USDT", "symbol": "",
         "tran_id": str(number), "flow_type": 3}
        for number in range(5, 100)
    ]  # fmt: skip

    def narrow_only(args: Args) -> object:
        since, until = int(args["start_time"]), int(args["end_time"])
        return [row for row in rows if since <= int(row["time"]) <= until] if until - since <= searched else []

    desert = Desert()
    desert.routes |= {
        "/contract/private/transaction-history": narrow_only,
        "/contract/private/trades": lambda args: [
            {"order_id": "1", "trade_id": "1", "symbol": "BTCUSDT", "side": 1, "price": "1", "vol": "1",
             "exec_type": "Maker", "profit": False, "realised_profit": "0", "paid_fees": "0", "account": "futures",
             "create_time": SINCE + 150 * DAY}
        ],
    }  # fmt: skip
    report = await desert.archived(tmp_path)
    with Reader(tmp_path) as reader:
        assert {each.id for each in reader.records("futures.account.transaction_history")} == {
            row["tran_id"] for row in rows
        }
    assert verify(tmp_path).problems == ()
    assert "futures.account.transaction_history account=futures" not in open_parts(report)


async def test_no_such_account_is_not_believed_where_its_other_histories_have_records(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """A futures account with fills and, it says, no futures account: the ledger is open. Copy trading is another."""
    refused = httpx.Response(400, json={"code": 40001, "message": "Cloud account not found", "trace": "t", "data": {}})
    desert = Desert()
    desert.routes |= {
        "/contract/private/transaction-history": lambda _: refused,
        "/contract/private/trades": lambda args: [] if args["account"] == "copy_trading" else [
            {"order_id": "1", "trade_id": "1", "symbol": "BTCUSDT", "side": 1, "price": "1", "vol": "1",
             "exec_type": "Maker", "profit": False, "realised_profit": "0", "paid_fees": "0", "account": "futures",
             "create_time": NOW - 5 * DAY}
        ],
    }  # fmt: skip
    report = await desert.archived(tmp_path)
    assert open_parts(report) == {"futures.account.transaction_history account=futures": "failed"}
    assert verify(tmp_path).problems == ()
    desert.routes["/contract/private/transaction-history"] = lambda _: []
    report = await desert.archived(tmp_path, resume=True)
    assert report.complete, open_parts(report)
