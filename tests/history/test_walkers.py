"""Walkers against the simulated exchange: whole, oldest first, resumable, cancellable, polite."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import trio
import trio.testing
from history_kit import DAY, SINCE, Past, write_past

import bitmart_trio as bm
from bitmart_trio import history
from bitmart_trio.history import _futures_table, _spot_table, _units
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import Fail5xx

MINUTE = 60_000

OWN: dict[str, Callable[[bm.Client], list[history.Walker[Any]]]] = {
    "spot.trading.order_history": lambda client: [history.spot_orders(client, since=SINCE)],
    "spot.trading.trades": lambda client: [history.spot_fills(client, since=SINCE)],
    "spot.algo.order_history": lambda client: [history.spot_algo_orders(client, since=SINCE)],
    "spot.account.deposit_withdraw_history": lambda client: [
        history.deposits(client, since=SINCE),
        history.withdrawals(client, since=SINCE),
    ],
    "spot.margin.borrow_records": lambda client: [history.margin_borrows(client, "BTC_USDT", since=SINCE)],
    "spot.margin.repay_records": lambda client: [history.margin_repays(client, "BTC_USDT", since=SINCE)],
    "spot.earn.flexible_records": lambda client: [
        history.flexible_savings(client, kind, since=SINCE) for kind in ("subscribe", "redeem", "interest")
    ],
    "spot.earn.fixed_records": lambda client: [
        history.fixed_savings(client, kind, since=SINCE) for kind in ("subscribe", "redeem", "interest")
    ],
    "futures.trading.order_history": lambda client: [
        history.futures_orders(client, symbol, since=SINCE) for symbol in ("BTCUSDT", "ETHUSDT")
    ],
    "futures.trading.trades": lambda client: [history.futures_fills(client, since=SINCE)],
    "futures.account.transaction_history": lambda client: [history.futures_transactions(client, since=SINCE)],
    "futures.account.transfers": lambda client: [history.futures_transfers(client, since=SINCE)],
}
KEYS: dict[str, str] = {
    "spot.trading.trades": "trade_id",
    "spot.margin.borrow_records": "borrow_id",
    "spot.margin.repay_records": "repay_id",
    "spot.earn.flexible_records": "record_id",
    "spot.earn.fixed_records": "record_id",
    "futures.trading.trades": "trade_id",
    "futures.account.transaction_history": "tran_id",
    "futures.account.transfers": "transfer_id",
}
TIMES = ("create_time", "apply_time", "repay_time", "time", "timestamp")


def _time(record: object) -> int:
    value: int = next(getattr(record, name) for name in TIMES if hasattr(record, name))
    return value


def _key(name: str, record: Any) -> str:
    if name == "spot.account.deposit_withdraw_history":
        return str(record.deposit_id or record.withdraw_id)
    return str(getattr(record, KEYS.get(name, "order_id")))


@pytest.mark.parametrize("name", OWN)
async def test_every_record_once_and_oldest_first(name: str, autojump_clock: trio.testing.MockClock) -> None:
    """More records than a reply holds, many of one hour and some of one moment: all come, each once, in order."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        ledger = write_past(venue.exchange, Past())
        await trio.sleep(0.01)  # the account was opened at this very moment, and the present is not part of a walk
        found: list[str] = []
        for walker in OWN[name](client):
            records = [record async for record in walker]
            assert [_time(record) for record in records] == sorted(_time(record) for record in records)
            found += [_key(name, record) for record in records]
            assert walker.gaps == ()
            assert walker.position == walker.until
        assert len(found) == len(set(found))
        assert set(found) == ledger[name]


async def test_klines_of_a_pair_are_whole(autojump_clock: trio.testing.MockClock) -> None:
    """Every finished minute of the exchange's memory, none twice, and not the one in progress."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        bars = [bar async for bar in history.spot_klines(client, "BTC_USDT", since=START_MS - 2 * DAY)]
        times = [bar.open_time * 1000 for bar in bars]
        assert times == list(range(START_MS - 2 * DAY, START_MS - MINUTE + 1, MINUTE))
        some = history.spot_klines(
            client, "BTC_USDT", since=START_MS - 30 * MINUTE, until=START_MS - 20 * MINUTE, step=5
        )
        assert [(START_MS - bar.open_time * 1000) // MINUTE for bar in [each async for each in some]] == [30, 25]


@pytest.mark.parametrize("step", [1, 60, 1440])
async def test_klines_of_a_contract_are_whole(step: int, autojump_clock: trio.testing.MockClock) -> None:
    """Both prices, over several windows of 500."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client(None) as client:
        since = START_MS - 1200 * step * MINUTE
        for walk in (history.futures_klines, history.futures_mark_price_klines):
            bars = [bar async for bar in walk(client, "BTCUSDT", step=step, since=since)]
            times = [bar.timestamp * 1000 for bar in bars]
            assert times == list(range(since, START_MS - step * MINUTE + 1, step * MINUTE))


def test_a_month_is_finished_when_the_next_has_begun() -> None:
    """Calendar months are no fixed number of minutes."""
    middle = int(datetime(2025, 11, 20, tzinfo=UTC).timestamp()) * 1000
    assert _units.last_finished(43_200, middle) == int(datetime(2025, 11, 1, tzinfo=UTC).timestamp()) * 1000
    assert _units.last_finished(1, middle) == middle - MINUTE + 1


async def test_what_only_tells_the_newest_says_so(autojump_clock: trio.testing.MockClock) -> None:
    """Asked for more than the exchange tells, the walk raises first, names the stretch, and goes on behind it."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past(family=150))
        await trio.sleep(0.01)
        walks: list[history.Walker[Any]] = [
            history.spot_market_trades(client, "BTC_USDT", since=START_MS - DAY),
            history.funding_rates(client, "BTCUSDT", since=SINCE),
            history.spot_transfer_history(client, since=SINCE),
            history.spot_sub_transfers(client, since=SINCE),
            history.futures_transfer_history(client, since=SINCE),
            history.futures_sub_transfers(client, "desk1@example.com", since=SINCE),
        ]
        for walk in walks:
            with pytest.raises(history.IncompleteHistory, match="is incomplete: only the newest") as caught:
                await anext(walk)
            assert caught.value.gap.since == walk.since
            assert walk.gaps == (caught.value.gap,)
            records = [record async for record in walk]
            assert len(records) in (50, 100)
        # Without a beginning, what there is is what was asked for.
        assert len([each async for each in history.funding_rates(client, "BTCUSDT")]) == 100
        noted = history.spot_transfer_history(client, since=SINCE, gaps="note")
        assert len([each async for each in noted]) == 100
        assert len(noted.gaps) == 1


async def test_transfers_of_more_than_three_months_ago_are_a_gap(autojump_clock: trio.testing.MockClock) -> None:
    """Though the reply was not full."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past(family=3))
        walk = history.spot_sub_transfers(client, since=SINCE, gaps="note")
        assert len([each async for each in walk]) == 3
        [gap] = walk.gaps
        assert gap.reason == "it is longer ago than the exchange lists"
        assert abs(gap.until - (START_MS - 90 * DAY)) < 1000


async def test_debts_savings_and_rebates(autojump_clock: trio.testing.MockClock) -> None:
    """The endpoints whose past the simulated exchange invents itself."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        since = START_MS - 30 * DAY
        interest = [each async for each in history.cross_collateral_interest(client, since=since)]
        assert len(interest) > 8
        assert [each.interest_time for each in interest] == sorted(each.interest_time for each in interest)
        repayments = [each async for each in history.auto_repayments(client, since=since)]
        assert len(repayments) == 2
        rebates = [each async for each in history.broker_rebates(client, since=START_MS - 400 * DAY)]
        assert [each.time for each in rebates] == sorted(each.time for each in rebates)
        asked = await client.spot.broker.rebates(start_time=(START_MS - 100 * DAY) // 1000, end_time=START_MS // 1000)
        recent = [each for each in rebates if each.time >= START_MS - 100 * DAY]
        assert len(recent) == sum(map(len, asked.rebates.values()))
        assert len({(each.day, each.currency) for each in rebates}) == len(rebates)


async def test_an_affiliates_books(autojump_clock: trio.testing.MockClock) -> None:
    """Users and rebates as sums over a range; trades and payments of each user by time."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        since = START_MS - 55 * DAY
        users = [each async for each in history.affiliate_users(client, since=since, until=START_MS)]
        assert len(users) == 4
        rebates = [each async for each in history.affiliate_rebates(client, "USDT", since=since)]
        assert {each.trade_user_id for each in rebates} <= {each.cid for each in users}
        total = 0
        for user in users:
            for kind in (1, 2):
                walk = history.affiliate_trades(client, user.cid, kind, since=START_MS - 100 * DAY)
                trades = [each async for each in walk]
                assert [each.create_time for each in trades] == sorted(each.create_time for each in trades)
                total += len(trades)
            funds = [each async for each in history.affiliate_funds(client, user.cid, since=START_MS - 100 * DAY)]
            assert len(funds) == 5
        assert total == 4 * 60
    with pytest.raises(bm.InvalidRequest, match="at most 60 days"):
        history.affiliate_users(client, since=START_MS - 61 * DAY, until=START_MS)


async def test_a_cursor_goes_on_in_another_process(autojump_clock: trio.testing.MockClock) -> None:
    """Stopped after any number of records, a walk from the cursor tells exactly the rest; JSON keeps the cursor."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past(spot_orders=250))
        whole = [each.trade_id async for each in history.spot_fills(client, since=SINCE)]
        cursor: history.Cursor = {}
        for stop in (0, 1, 7, 120, 130, len(whole) - 1, len(whole)):
            first = history.spot_fills(client, since=SINCE)
            told = [(await anext(first)).trade_id for _ in range(stop)]
            cursor = json.loads(json.dumps(first.cursor))
            rest = history.spot_fills(client, since=SINCE, cursor=cursor)
            assert told + [each.trade_id async for each in rest] == whole
        with pytest.raises(bm.InvalidRequest, match=r"not belong to spot\.trading\.trades with these arguments"):
            history.spot_fills(client, "BTC_USDT", since=SINCE, cursor=cursor)


async def test_a_finished_walk_is_extended(autojump_clock: trio.testing.MockClock) -> None:
    """A cursor at the end, with a later ``until``, tells what has happened since."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        await trio.sleep(1)
        first = history.deposits(client, since=SINCE)
        before = [each async for each in first]
        await trio.sleep(60)
        account = venue.exchange.accounts.get("1")
        assert account is not None
        venue.exchange.treasury.funding.deposit(account, "USDT", Decimal(5))
        await trio.sleep(1)
        later = history.deposits(client, since=SINCE, until=START_MS + DAY, cursor=first.cursor)
        assert [each.arrival_amount for each in [record async for record in later]] == [Decimal(5)]
        assert len(before) == 4


async def test_batches_and_windows(autojump_clock: trio.testing.MockClock) -> None:
    """The same records by lists, and by windows with the exact replies behind them."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past())
        whole = [each.trade_id async for each in history.spot_fills(client, since=SINCE)]
        batched = [each async for each in history.spot_fills(client, since=SINCE).batches()]
        assert all(batched)
        assert [each.trade_id for batch in batched for each in batch] == whole
        walker = history.spot_fills(client, since=SINCE)
        windows = [each async for each in walker.windows()]
        assert [each.trade_id for window in windows for each in window.records] == whole
        assert (windows[0].since, windows[-1].until) == (SINCE, walker.until)
        assert all(first.until == then.since for first, then in pairwise(windows))
        reads = [read for window in windows for read in window.reads]
        assert len(reads) == walker.requests
        assert any(not read.used for read in reads)
        for window in windows:
            *_, last = window.reads
            assert last.used
            assert json.loads(last.reply.raw)["code"] == 1000


async def test_a_cancelled_step_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """Cancelled at any moment, the next call tells what that one would have."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        write_past(venue.exchange, Past())
        whole = [each.transfer_id async for each in history.futures_transfers(client, since=SINCE)]
        walker = history.futures_transfers(client, since=SINCE)
        told: list[str] = []
        cancelled = 0
        while True:
            with trio.move_on_after(0.3) as scope:  # noqa: ASYNC912  # each way through it waits
                try:
                    told.append((await anext(walker)).transfer_id)
                except StopAsyncIteration:
                    break
            cancelled += scope.cancelled_caught
        assert told == whole
        assert cancelled > 5


async def test_a_failure_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """What the exchange refuses is raised, and the next call asks again."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        config = bm.Config(retry=bm.Retry(attempts=1))
        async with venue.open_client(config=config) as client:
            write_past(venue.exchange, Past())
            whole = [each.order_id async for each in history.spot_orders(client, since=SINCE)]
            walker = history.spot_orders(client, since=SINCE)
            told = [(await anext(walker)).order_id]
            venue.faults.add(Fail5xx(path="/spot/v4/query/history-orders", times=2))
            failures = 0
            while True:
                try:
                    told.append((await anext(walker)).order_id)
                except bm.ApiError:
                    failures += 1
                except StopAsyncIteration:
                    break
            assert told == whole
            assert failures == 2


async def test_a_window_that_fails_can_be_given_up(autojump_clock: trio.testing.MockClock) -> None:
    """It becomes a gap, and the walk goes on behind it."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        config = bm.Config(retry=bm.Retry(attempts=1))
        async with venue.open_client(config=config) as client:
            write_past(venue.exchange, Past())
            whole = [each async for each in history.spot_orders(client, since=SINCE)]
            walker = history.spot_orders(client, since=SINCE)
            with pytest.raises(RuntimeError, match="no failed window to skip"):
                walker.skip("impatience")
            venue.faults.add(Fail5xx(path="/spot/v4/query/history-orders", times=1))
            with pytest.raises(bm.ApiError):
                await anext(walker)
            gap = walker.skip("it failed")
            assert gap == history.HistoryGap(SINCE, SINCE + 7 * DAY, "it failed")
            assert walker.gaps == (gap,)
            told = [each async for each in walker]
            assert told == [each for each in whole if each.create_time >= gap.until]
            with pytest.raises(RuntimeError, match="no failed window to skip"):
                walker.skip("impatience")


async def test_quotas_are_kept(autojump_clock: trio.testing.MockClock) -> None:
    """Hundreds of requests, and none of them is refused."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        walker = history.spot_fills(client, since=START_MS - 6 * 365 * DAY)
        assert [each async for each in walker] == []
        assert walker.requests > 300
        assert not [each for each in venue.exchange.log.lines if each.get("status") == 429]


async def test_one_task_at_a_time(autojump_clock: trio.testing.MockClock) -> None:
    """A second task in the same walk is told so."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        walker = history.spot_fills(client, since=SINCE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(anext, walker, None))
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(trio.BusyResourceError):
                await anext(walker)
            nursery.cancel_scope.cancel()


def test_wrong_arguments_are_named_at_once() -> None:
    """Before anything is sent."""
    source: Any = object()
    with pytest.raises(bm.InvalidRequest, match="has no time zone"):
        history.spot_fills(source, since=datetime(2025, 1, 1))  # noqa: DTZ001  # that is the mistake
    with pytest.raises(bm.InvalidRequest, match="in milliseconds since 1970, not 1700000000"):
        history.spot_fills(source, since=1_700_000_000)
    with pytest.raises(bm.InvalidRequest, match="until must not lie before since"):
        history.spot_fills(source, since=START_MS, until=START_MS - 1)
    with pytest.raises(bm.InvalidRequest, match="gaps must be"):
        history.spot_fills(source, since=START_MS, gaps="skip")  # type: ignore[arg-type]
    with pytest.raises(bm.InvalidRequest, match="not a cursor"):
        history.deposits(
            source,
            since=START_MS,
            cursor={
                "walk": "spot.account.deposit_withdraw_history",
                "arguments": {"operation_type": "deposit"},
                "at": "noon",
            },
        )


async def test_an_aware_datetime_is_its_moment(autojump_clock: trio.testing.MockClock) -> None:
    """Whatever its zone."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_spot(None) as spot:
        since = datetime.fromtimestamp(START_MS / 1000, UTC) - timedelta(minutes=5)
        walker = history.spot_klines(spot, "BTC_USDT", since=since)
        assert walker.since == START_MS - 5 * MINUTE
        assert len([bar async for bar in walker]) == 5
        assert repr(walker).startswith("<Walker spot.market.klines(symbol='BTC_USDT', step=1) at 2025-12-31T23:59")


def test_every_history_endpoint_has_a_walker() -> None:
    """The table names each endpoint once, under the name of its row, and each has a public function."""
    rows = [*_spot_table.WALKS, *_futures_table.WALKS]
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        market, chapter, name = row.name.split(".")
        assert getattr(getattr(getattr(bm.endpoints, market), chapter), name) is row.endpoint
        known = {param.name for param in row.endpoint.params}
        assert {name for name in (row.start, row.end, row.size, row.page) if name is not None} <= known
        assert set(row.always) <= known
        assert row.endpoint.reads
    walked = {name for name in history.__all__ if inspect.isfunction(getattr(history, name))}
    assert len(walked) >= len(rows)


async def test_a_range_in_the_future_says_why_nothing_comes(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names the history, where the range begins and the exchange's clock; one that has begun needs no word."""
    opened = datetime.fromtimestamp(START_MS / 1000, UTC)
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        for since in (opened + timedelta(days=300), opened - timedelta(hours=2)):
            walk = history.spot_klines(client, "BTC_USDT", step=60, since=since)
            assert [kline async for kline in walk] == [] or since < opened
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert line.startswith("spot.market.klines: nothing to read, since=2026-10-28T00:00:00Z is later than")
    assert "the exchange's clock (2026-01-01T00:00:0" in line


async def test_a_range_takes_its_own_words_only() -> None:
    """Type checkers know them; whoever runs without one hears of the others at once."""
    async with bm.open_client() as client:
        walks: tuple[Any, ...] = (history.spot_fills, history.futures_transfers, history.spot_transfer_history)
        for walk in walks:
            for word in ("sinse", "span", "latest", "walk"):
                with pytest.raises(TypeError, match=word):
                    walk(client, since=0, **{word: 1})
        for walk in walks[:2]:
            with pytest.raises(TypeError, match="since"):
                walk(client)
