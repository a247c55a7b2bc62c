"""The archive of a simulated account: equal to the exchange's ledger, however often it is interrupted."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
import trio.testing
from history_kit import Past, write_past
from proof_sizes import ARCHIVE_KILLS

import bitmart_trio as bm
from bitmart_trio.history.archive import (
    ArchiveError,
    ArchiveReport,
    Progress,
    Reader,
    UnsafeKey,
    _tasks,
    archive,
    look_at_key,
    read_report,
    verify,
)
from bitmart_trio.models import FuturesKline, SpotFill
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.sim.faults import Fail5xx, Refuse429
from bitmart_trio.sim.kernel.calls import Call, Refusal
from bitmart_trio.sim.kernel.encoding import Json
from bitmart_trio.sim.venue import Venue

T = TypeVar("T")

READER = bm.Credentials("read-key", "read-secret", "read-memo")
BETTER = bm.Credentials("better-key", "read-secret", "read-memo")
SMALL = Past(
    spot_orders=260, algo_orders=12, deposits=12, withdrawals=8, loans=8, repayments=8, savings=30, family=6,
    futures_orders=230, transactions=60, transfers=25, days=100,
)  # fmt: skip
FEW = Past(
    spot_orders=40, algo_orders=4, deposits=4, withdrawals=2, loans=2, repayments=2, savings=6, family=6,
    futures_orders=40, transactions=10, transfers=5, days=100,
)  # fmt: skip
"""For what does not depend on how many there are: no list is as long as a page."""


async def inline(call: Callable[[], T], /) -> T:
    """Blocks the loop instead of a thread, so that virtual time cannot run away."""
    await trio.lowlevel.checkpoint()
    return call()


def add_reader(venue: Venue, *permissions: str, key: bm.Credentials = READER) -> None:
    account = venue.exchange.accounts.get("1")
    assert account is not None
    venue.exchange.accounts.add_key(
        account,
        key=key.api_key,
        secret="read-secret",
        memo="read-memo",
        permissions=permissions or ("read", "sub_transfer", "broker", "contract_agent"),
    )


def archived(directory: Path) -> dict[str, set[str]]:
    """The ids of all records that count, by the endpoint that listed them."""
    with Reader(directory) as reader:
        return {kind: {record.id for record in reader.records(kind)} for kind in reader.kinds()}


def assert_equal_to_the_ledger(directory: Path, ledger: dict[str, set[str]], *, complete: bool = True) -> None:
    found = archived(directory)
    assert {name: found.get(name) for name in ledger} == ledger
    assert verify(directory).problems == ()
    with Reader(directory) as reader:
        assert read_report(reader).complete is complete


@attrs.frozen
class Made:
    """An archive of everything, what the exchange knows of it, and what our other ways of reading find."""

    directory: Path
    report: ArchiveReport
    told: list[Progress]
    ledger: dict[str, set[str]]
    days: list[FuturesKline]
    fills: list[SpotFill]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made once: the tests that take it only read."""
    directory = tmp_path_factory.mktemp("made") / "a"

    async def main() -> Made:
        async with bm.sim.open_exchange(seed=7, live=False) as venue:
            ledger = write_past(venue.exchange, SMALL)
            add_reader(venue)
            await trio.sleep(1)
            told: list[Progress] = []
            async with venue.open_client(READER) as client:
                report = await archive(client, directory, since=SMALL.since, progress=told.append, run=inline)
                days = [
                    each async for each in bm.history.futures_klines(client, "BTCUSDT", step=1440, since=SMALL.since)
                ]
                fills = [each async for each in bm.history.spot_fills(client, since=SMALL.since)]
        return Made(directory, report, told, ledger, days, fills)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_an_archive_equals_the_ledger(made: Made) -> None:
    """Every record of every history, no gap but the named ones, proven offline."""
    assert made.report.complete
    assert_equal_to_the_ledger(made.directory, made.ledger)
    with Reader(made.directory) as reader:
        assert {row.state for row in reader.histories()} == {"answered"}
        assert not any(window.gap for row in reader.histories() for window in reader.windows(row.name))
        for name in ("spot.sub_account.transfers", "spot.sub_account.transfer_history"):
            first = reader.windows(name)[0]
            assert (first.state, first.since) == ("not_offered", SMALL.since)
            assert first.reason.startswith("documented: nothing before ")
        assert {row.name for row in reader.histories()} >= {
            "futures.trading.order_history account=futures symbol=BTCUSDT",
            "spot.margin.borrow_records symbol=BTC_USDT",
            "futures.sub_account.transfers sub_account=desk1@example.com",
            "spot.earn.fixed_records type=interest",
        }
        assert {look.name for look in reader.looks()} >= {
            "spot.account.balances",
            "spot.sub_account.balances sub_account=desk2@example.com",
            "futures.trading.open_orders limit=100 (before)",
            "futures.trading.open_orders limit=100 (after)",
        }
    assert {each.state for each in made.told if each.name != "the newest hour"} == {"running", "answered"}


def test_what_is_needed_to_read_it_later_is_there(made: Made) -> None:
    """What a contract is worth, the coins, the fees, and daily candles of whatever was traded."""
    with Reader(made.directory) as reader:
        contracts = {str(each["symbol"]): each for each in _tasks.entries(reader, "futures.market.contracts")}
        assert Decimal(str(contracts["BTCUSDT"]["contract_size"])) > 0
        assert contracts["BTCUSDT"]["quote_currency"] == "USDT"
        for endpoint in ("spot.market.symbol_details", "spot.market.currencies", "spot.account.currencies"):
            assert [*_tasks.entries(reader, endpoint)], endpoint
        names = {look.name for look in reader.looks() if look.state == "answered"}
        traded, held = _tasks.pairs(reader), _tasks.contracts(reader)
        assert len(traded) == 3
        assert len(held) == 2
        for pair in traded:
            assert f"spot.account.trade_fee_rate symbol={pair}" in names
            assert {each.state for each in reader.windows(f"spot.market.klines step=1440 symbol={pair}")} == {
                "answered"
            }
        for contract in held:
            assert f"futures.account.trade_fee_rate symbol={contract}" in names
        candles = reader.records("futures.market.klines", history="futures.market.klines step=1440 symbol=BTCUSDT")
        assert [each.time for each in candles] == [each.timestamp * 1000 for each in made.days]


def test_amounts_are_exact_text(made: Made) -> None:
    """What sqlite3 reads back are the digits of the exchange, and the whole numbers are numbers."""
    db = sqlite3.connect(made.directory / "archive.sqlite")
    rows = db.execute(
        "SELECT trade_id, price, fee, create_time, typeof(price), typeof(fee), typeof(create_time) "
        "FROM spot_trading_trades ORDER BY create_time, length(trade_id), trade_id"
    ).fetchall()
    assert [row[:4] for row in rows] == [
        (fill.trade_id, format(fill.price, "f"), format(fill.fee, "f"), fill.create_time) for fill in made.fills
    ]
    assert {row[4:] for row in rows} == {("text", "text", "integer")}
    db.close()


async def test_no_digit_of_a_large_amount_is_lost(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """More of them than a float holds."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue)
        account = venue.exchange.accounts.get("1")
        assert account is not None
        venue.exchange.treasury.funding.deposit(account, "ETH", Decimal("12345678.00000001"))
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            await archive(client, tmp_path, since=START_MS - 1000, run=inline)
    db = sqlite3.connect(tmp_path / "archive.sqlite")
    deposit = db.execute(
        "SELECT arrival_amount FROM spot_account_deposit_withdraw_history WHERE currency LIKE 'ETH%' "
        "ORDER BY record_time DESC, length(record_id) DESC, record_id DESC"
    ).fetchone()
    assert Decimal(deposit[0]) == Decimal("12345678.00000001")
    db.close()


async def test_the_exact_bytes_are_kept(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Each line has one reply, to the byte, those that had to be read again included."""
    sent: dict[str, bytes] = {}
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        write_past(venue.exchange, FEW)
        add_reader(venue)
        await trio.sleep(1)
        handle = venue.simulation.bitmart.serve

        def noted(request: bm.sim.Request) -> bm.sim.Response:
            response = handle(request)
            told = json.loads(response.body)
            trace = told.get("trace") or told.get("requestId")
            if trace is not None:
                sent[trace] = response.body
            return response

        venue.simulation.bitmart.serve = noted  # type: ignore[method-assign]
        async with venue.open_client(READER) as client:
            await archive(client, tmp_path, since=FEW.since, run=inline)
    lines = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_bytes().splitlines()]
    kept = {json.loads(line["body"]).get("trace"): line["body"] for line in lines if line["entry"] == "reply"}
    traced = [trace for trace in kept if trace in sent]
    assert len(traced) > 100
    assert all(sent[trace] == kept[trace].encode() for trace in traced)
    assert "read-secret" not in (tmp_path / "replies.jsonl").read_text()


async def test_busy_quotas_and_failures_are_waited_out(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A tenth of the requests refused with 429, some with 503: slower, and not a record less."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        venue.faults.add(Refuse429(chance=0.1, times=None))
        venue.faults.add(Fail5xx(chance=0.05, times=None))
        told: list[Progress] = []
        async with venue.open_client(READER, config=bm.Config(retry=bm.Retry(attempts=1))) as client:
            report = await archive(client, tmp_path, since=SMALL.since, progress=told.append, run=inline)
    assert report.complete
    assert "waiting" in {each.state for each in told}
    assert_equal_to_the_ledger(tmp_path, ledger)


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills the process at the n-th dangerous place: what its files hold at that moment is all that is left of it.

    The places: a line written and not durable yet, and durable but in no table.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.countdown = 0
        self.living = self.grave = Path()
        fsync = os.fsync

        def durable(number: int) -> None:
            self.maybe()
            fsync(number)
            self.maybe()

        monkeypatch.setattr(os, "fsync", durable)

    def maybe(self) -> None:
        self.countdown -= 1
        if self.countdown == 0:
            shutil.copytree(self.living, self.grave)
            raise Killed


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(ARCHIVE_KILLS))
async def test_killed_anywhere_it_goes_on(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """Killed ten times, before and after lines are durable: the resumed archive has every record once."""
    dice, killer, kills = random.Random(seed), Killer(monkeypatch), 0
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        directory = tmp_path / "0"
        for number in range(1, 12):
            killer.countdown = dice.randrange(40, 160) if number < 11 else 0
            killer.living, killer.grave = directory, tmp_path / str(number)
            try:
                async with venue.open_client(READER) as client:
                    await archive(client, directory, since=SMALL.since, resume=number > 1, run=inline)
            except Killed:
                kills += 1
                directory = killer.grave
    assert kills >= 8
    assert_equal_to_the_ledger(directory, ledger)


async def test_cancelled_it_has_written_its_report(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Ctrl-C: what was committed is proven, the report says that it is not complete, and it can be resumed."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, FEW)
        add_reader(venue)
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            with trio.move_on_after(4):
                await archive(client, tmp_path, since=FEW.since, run=inline)
            verification = verify(tmp_path)
            assert verification.problems == ()
            assert not verification.complete
            assert not json.loads((tmp_path / "report.json").read_text())["complete"]
            with pytest.raises(ArchiveError, match="there is an archive in"):
                await archive(client, tmp_path, since=FEW.since, run=inline)
            await archive(client, tmp_path, resume=True, run=inline)
    assert_equal_to_the_ledger(tmp_path, ledger)


@pytest.mark.parametrize("permission", ["spot_trade", "withdraw", "futures_trade", "margin_trade", "finance"])
async def test_a_key_that_can_do_harm_is_refused(
    permission: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Before anything is written, unless it is allowed by name."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue, "read", "sub_transfer", "broker", "contract_agent", permission)
        async with venue.open_client(READER) as client:
            assert not (await look_at_key(client)).harmless
            with pytest.raises(UnsafeKey, match=f"this key may do more than read: {permission}"):
                await archive(client, tmp_path / "a", since=START_MS - 1000, run=inline)
            assert not (tmp_path / "a").exists()
            await trio.sleep(1)
            report = await archive(client, tmp_path / "a", since=START_MS - 1000, allow_trading_key=True, run=inline)
    assert report.complete


async def test_a_key_that_may_not_ask_what_it_may(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """What cannot be known is not taken for harmless."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue, "sub_transfer")
        async with venue.open_client(READER) as client:
            with pytest.raises(UnsafeKey, match="does not say what this key may do"):
                await archive(client, tmp_path / "a", since=START_MS - 1000, run=inline)


async def test_what_the_key_may_not_see_is_said_and_left_open(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """A plain read key sees neither sub-accounts nor rebates: not complete, and the reasons say what to add."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, FEW)
        add_reader(venue, "read")
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            report = await archive(client, tmp_path / "a", since=FEW.since, run=inline)
            with Reader(tmp_path / "a") as reader:
                refused = {row.name: row for row in reader.histories() if row.state == "not_permitted"}
                assert [look.name for look in reader.looks() if look.state == "not_permitted"] == [
                    "spot.sub_account.accounts"
                ]
            assert not report.complete
            assert {"spot.sub_account.transfers", "spot.broker.rebates"} <= set(refused)
            assert refused["spot.sub_account.transfers"].code == 30012
            assert "add the permission for sub-accounts (sub_transfer)" in refused["spot.sub_account.transfers"].reason
            assert "add the permission for brokers (broker)" in refused["spot.broker.rebates"].reason
            assert_equal_to_the_ledger(tmp_path / "a", ledger, complete=False)
            # An owner who has none of it says so, and the archive is complete without.
            without = ("sub_accounts", "broker", "affiliate")
            report = await archive(client, tmp_path / "b", since=FEW.since, without=without, run=inline)
            assert report.complete
            with Reader(tmp_path / "b") as reader:
                assert [note.of for note in reader.notes() if note.what == "left_out"] == sorted(without)
            with pytest.raises(bm.InvalidRequest, match="without is of"):
                await archive(client, tmp_path / "c", without=["spot"], run=inline)


async def test_a_permission_that_was_added_is_used_when_resumed(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """What was refused is asked again, and nothing else."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        write_past(venue.exchange, FEW)
        add_reader(venue, "read")
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            assert not (await archive(client, tmp_path, since=FEW.since, run=inline)).complete
        add_reader(venue, key=BETTER)
        async with venue.open_client(BETTER) as client:
            fills = (tmp_path / "replies.jsonl").read_text().count('"call":"spot.trading.trades"')
            assert (await archive(client, tmp_path, resume=True, run=inline)).complete
            again = (tmp_path / "replies.jsonl").read_text().count('"call":"spot.trading.trades"')
            assert again - fills <= 3  # the newest hour


async def test_windows_that_are_too_old_are_gaps(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """An endpoint that refuses what is long ago is read as far back as it goes, and what it refuses is named."""
    oldest = START_MS - 40 * 86_400_000
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, FEW)
        add_reader(venue)
        await trio.sleep(1)
        table, key = venue.simulation.bitmart.routes.table, ("POST", "/spot/v4/query/trades")
        route = table[key]

        def forgetful(call: Call) -> Json:
            if call.integer("startTime", 0) < oldest:
                raise Refusal(50041, "Outside the range of time that can be queried")
            return route.handler(call)

        table[key] = attrs.evolve(route, handler=forgetful)
        async with venue.open_client(READER) as client:
            report = await archive(client, tmp_path, since=FEW.since, run=inline)
            assert not report.complete
            with Reader(tmp_path) as reader:
                failed = [each for each in reader.windows("spot.trading.trades") if each.state == "failed"]
            assert failed[0].since == FEW.since
            assert oldest <= failed[-1].until < oldest + 8 * 86_400_000
            assert all(each.reason.startswith("the exchange refuses what is so long ago: 50041 ") for each in failed)
            told = {each.trade_id async for each in bm.history.spot_fills(client, since=failed[-1].until)}
    assert archived(tmp_path)["spot.trading.trades"] == told < ledger["spot.trading.trades"]


async def test_another_accounts_archive_is_refused(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Resuming with the wrong key mixes nothing."""
    sub = bm.Credentials("sub-read", "read-secret", "sub-memo")
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue, "read")
        account = venue.exchange.accounts.get("1001")
        assert account is not None
        venue.exchange.accounts.add_key(
            account, key="sub-read", secret="read-secret", memo="sub-memo", permissions=("read",)
        )
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            await archive(client, tmp_path, since=START_MS - 1000, run=inline)
        async with venue.open_client(sub) as client:
            with pytest.raises(ArchiveError, match="archive of account 1, and the key is of 1001"):
                await archive(client, tmp_path, resume=True, run=inline)
