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

import bitmart_trio as bm
from bitmart_trio.history.archive import (
    ArchiveError,
    Progress,
    Reader,
    UnsafeKey,
    archive,
    read_report,
    verify,
)
from bitmart_trio.history.archive import _store as store_module
from bitmart_trio.sim.exchange import START_MS, Exchange
from bitmart_trio.sim.faults import Fail5xx, Refuse429
from bitmart_trio.sim.glue import Venue
from bitmart_trio.sim.wire import Call, Json, Refusal

T = TypeVar("T")

READER = bm.Credentials("read-key", "read-secret", "read-memo")
SMALL = Past(
    spot_orders=260, algo_orders=12, deposits=12, withdrawals=8, loans=8, repayments=8, savings=30, family=6,
    futures_orders=230, transactions=60, transfers=25, days=100,
)  # fmt: skip


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
    """The keys of all records, by the endpoint that told them."""
    reader = Reader(directory)
    found: dict[str, set[str]] = {}
    for walk in reader.walks():
        keys = [str(record["record_key"]) for record in reader.records(walk)]
        told = found.setdefault(walk.endpoint, set())
        # Users are the keys of an affiliate's rebates, and told once a currency.
        assert walk.endpoint == "futures.affiliate.rebates" or told.isdisjoint(keys), "a record is in two walks"
        told.update(keys)
    reader.close()
    return found


def assert_equal_to_the_ledger(directory: Path, ledger: dict[str, set[str]]) -> None:
    found = archived(directory)
    assert {name: found.get(name) for name in ledger} == ledger
    verification = verify(directory)
    assert verification.problems == ()
    assert verification.complete


async def test_an_archive_equals_the_ledger(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Every record of every history, no gap but the named ones, proven offline."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        told: list[Progress] = []
        async with venue.open_client(READER) as client:
            report = await archive(client, tmp_path / "a", since=SMALL.since, progress=told.append, run=inline)
    assert report.complete
    assert_equal_to_the_ledger(tmp_path / "a", ledger)
    assert {walk.state for walk in report.walks} == {"done"}
    gaps = {walk.name: [gap.reason for gap in walk.gaps] for walk in report.walks if walk.gaps}
    assert gaps == {
        "spot.sub_account.transfers": ["it is longer ago than the exchange tells"],
        "spot.sub_account.transfer_history": ["it is longer ago than the exchange tells"],
    }
    assert {each.state for each in told} == {"running", "done"}
    assert {walk.name for walk in report.walks} >= {
        "futures.trading.order_history account=futures symbol=BTCUSDT",
        "spot.margin.borrow_records symbol=BTC_USDT",
        "futures.sub_account.transfers sub_account=desk1@example.com",
        "spot.earn.fixed_records type=interest",
    }
    assert {look.name for look in report.snapshots} >= {
        "spot.account.balances",
        "spot.sub_account.balances sub_account=desk2@example.com",
    }


async def test_amounts_are_exact_text(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """What sqlite3 reads back are the digits of the exchange, and the whole numbers are numbers."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        write_past(venue.exchange, SMALL)
        add_reader(venue)
        account = venue.exchange.accounts.get("1")
        assert account is not None
        venue.exchange.spot.funding.deposit(account, "ETH", Decimal("12345678.00000001"))
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            await archive(client, tmp_path, since=SMALL.since, run=inline)
            fills = [each async for each in bm.history.spot_fills(client, since=SMALL.since)]
    db = sqlite3.connect(tmp_path / "archive.sqlite")
    rows = db.execute(
        "SELECT trade_id, price, fee, create_time, typeof(price), typeof(fee), typeof(create_time) "
        "FROM spot_trading_trades ORDER BY create_time, length(trade_id), trade_id"
    ).fetchall()
    assert [row[:4] for row in rows] == [
        (fill.trade_id, format(fill.price, "f"), format(fill.fee, "f"), fill.create_time) for fill in fills
    ]
    assert {row[4:] for row in rows} == {("text", "text", "integer")}
    deposit = db.execute(
        "SELECT arrival_amount FROM spot_account_deposit_withdraw_history WHERE currency LIKE 'ETH%' "
        "ORDER BY record_time DESC, record_key DESC"
    ).fetchone()
    assert Decimal(deposit[0]) == Decimal("12345678.00000001")
    db.close()


async def test_the_exact_bytes_are_kept(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Each line has one reply, to the byte, those that had to be read again included."""
    sent: dict[str, bytes] = {}
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        write_past(venue.exchange, Past(spot_orders=300, days=100))
        add_reader(venue)
        await trio.sleep(1)
        handle = venue.exchange.gate.answer

        def noted(request: bm.sim.wire.Request) -> bm.sim.wire.Response:
            response = handle(request)
            told = json.loads(response.body)
            trace = told.get("trace") or told.get("requestId")
            if trace is not None:
                sent[trace] = response.body
            return response

        venue.exchange.gate.answer = noted  # type: ignore[method-assign]
        async with venue.open_client(READER) as client:
            await archive(client, tmp_path, since=SMALL.since, run=inline)
    lines = [json.loads(line) for line in (tmp_path / "replies.jsonl").read_bytes().splitlines()]
    traced = [line for line in lines if line["trace"] is not None]
    assert len(traced) > 100
    assert all(sent[line["trace"]] == line["body"].encode() for line in traced)
    assert any(not line["used"] for line in lines)


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

    The places: lines written and not durable yet, lines durable and nothing in SQLite, amid a transaction.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.countdown = 0
        self.living = self.grave = Path()
        fsync, insert = os.fsync, store_module.Store._insert

        def durable(number: int) -> None:
            self.maybe()
            fsync(number)
            self.maybe()

        def inserted(store: store_module.Store, row: store_module.WalkRow, window: store_module.WindowCommit) -> None:
            insert(store, row, window)
            self.maybe()

        monkeypatch.setattr(os, "fsync", durable)
        monkeypatch.setattr(store_module.Store, "_insert", inserted)

    def maybe(self) -> None:
        self.countdown -= 1
        if self.countdown == 0:
            shutil.copytree(self.living, self.grave)
            raise Killed


@pytest.mark.parametrize("seed", range(2))
async def test_killed_anywhere_it_goes_on(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    """Killed ten times, before, amid and after commits: the resumed archive has every record once."""
    dice, killer, kills = random.Random(seed), Killer(monkeypatch), 0
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        directory = tmp_path / "0"
        for number in range(1, 12):
            killer.countdown = dice.randrange(1, 45) if number < 11 else 0
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
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            with trio.move_on_after(4):
                await archive(client, tmp_path, since=SMALL.since, run=inline)
            verification = verify(tmp_path)
            assert verification.problems == ()
            assert not verification.complete
            assert "not complete: resume it" in (tmp_path / "report.md").read_text()
            with pytest.raises(ArchiveError, match="there is an archive in"):
                await archive(client, tmp_path, since=SMALL.since, run=inline)
            await archive(client, tmp_path, resume=True, run=inline)
    assert_equal_to_the_ledger(tmp_path, ledger)


@pytest.mark.parametrize("permission", ["spot_trade", "withdraw", "futures_trade", "margin_trade", "finance"])
async def test_a_key_that_can_do_harm_is_refused(
    permission: str, tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Before anything is written, unless it is allowed by name."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        add_reader(venue, "read", permission)
        async with venue.open_client(READER) as client:
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
            with pytest.raises(UnsafeKey, match="does not tell what this key may do"):
                await archive(client, tmp_path / "a", since=START_MS - 1000, run=inline)


async def test_what_is_refused_is_said(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A plain read key sees neither sub-accounts nor rebates: the report names both, with the exchange's reason."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue, "read")
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            report = await archive(client, tmp_path, since=SMALL.since, run=inline)
    refused = {walk.name: walk.note for walk in report.walks if walk.state == "refused"}
    assert "spot.sub_account.transfers" in refused
    assert "spot.broker.rebates" in refused
    assert "30012" in refused["spot.sub_account.transfers"]
    assert {look.name for look in report.snapshots if look.state == "refused"} == {"spot.sub_account.accounts"}
    assert "refused:" in (tmp_path / "report.md").read_text()
    assert_equal_to_the_ledger(tmp_path, ledger)


async def test_windows_that_are_too_old_are_gaps(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """An endpoint that refuses what is long ago is read as far back as it goes, and what it refuses is named."""
    oldest = START_MS - 40 * 86_400_000
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        ledger = write_past(venue.exchange, SMALL)
        add_reader(venue)
        await trio.sleep(1)
        table, key = venue.exchange.routes.table, ("POST", "/spot/v4/query/trades")
        route = table[key]

        def forgetful(exchange: Exchange, call: Call) -> Json:
            if call.integer("startTime", 0) < oldest:
                raise Refusal(50041, "Outside the range of time that can be queried")
            return route.handler(exchange, call)

        table[key] = attrs.evolve(route, handler=forgetful)
        async with venue.open_client(READER) as client:
            report = await archive(client, tmp_path, since=SMALL.since, run=inline)
            [walk] = [each for each in report.walks if each.endpoint == "spot.trading.trades"]
            [gap] = walk.gaps
            assert walk.state == "done"
            assert gap.since == SMALL.since
            assert oldest <= gap.until < oldest + 7 * 86_400_000
            assert gap.reason.startswith("the exchange refuses it: 50041 ")
            told = {each.trade_id async for each in bm.history.spot_fills(client, since=gap.until)}
    assert verify(tmp_path).proven
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


def test_only_one_process_writes(tmp_path: Path) -> None:
    """A second writer is told so, and the first is none the worse."""
    store = store_module.Store(tmp_path, resume=False)
    with pytest.raises(ArchiveError, match="another process is writing"):
        store_module.Store(tmp_path, resume=True)
    store.close()
    store_module.Store(tmp_path, resume=True).close()


async def make_small(path: Path) -> None:
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        write_past(
            venue.exchange, Past(spot_orders=30, futures_orders=5, transactions=5, transfers=5, savings=5, days=100)
        )
        add_reader(venue, "read")
        await trio.sleep(1)
        async with venue.open_client(READER) as client:
            await archive(client, path, since=SMALL.since, run=inline)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive")
    trio.run(make_small, path, clock=trio.testing.MockClock(autojump_threshold=0))
    assert verify(path).proven
    return path


@pytest.fixture
def directory(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "copy"))


class TestVerify:
    """What the proof finds."""

    def change(self, directory: Path, statement: str) -> tuple[str, ...]:
        db = sqlite3.connect(directory / "archive.sqlite")
        with db:
            assert db.execute(statement).rowcount
        db.close()
        return verify(directory).problems

    def test_a_changed_amount(self, directory: Path) -> None:
        """One digit."""
        [problem] = self.change(
            directory,
            "UPDATE spot_trading_trades SET fee = fee || '1' "
            "WHERE rowid = (SELECT max(rowid) FROM spot_trading_trades)",
        )
        assert "differs from its reply in fee" in problem

    def test_a_lost_record(self, directory: Path) -> None:
        """Counted, and named."""
        problems = self.change(
            directory, "DELETE FROM spot_trading_trades WHERE rowid = (SELECT max(rowid) FROM spot_trading_trades)"
        )
        assert any("1 records of the replies are missing" in problem for problem in problems)

    def test_a_record_from_nowhere(self, directory: Path) -> None:
        """In no reply."""
        problems = self.change(
            directory,
            "UPDATE spot_trading_trades SET record_key = 'x' "
            "WHERE rowid = (SELECT max(rowid) FROM spot_trading_trades)",
        )
        assert any("records are in no reply (x)" in problem for problem in problems)

    def test_a_missing_window(self, directory: Path) -> None:
        """A hole in the range."""
        problems = self.change(
            directory,
            "DELETE FROM windows WHERE rowid = (SELECT max(windows.rowid) FROM windows JOIN walks USING (walk) "
            "WHERE endpoint = 'spot.trading.trades')",
        )
        assert any("the windows end at" in problem for problem in problems)

    def test_a_changed_reply(self, directory: Path) -> None:
        """One byte."""
        path = directory / "replies.jsonl"
        data = bytearray(path.read_bytes())
        at = data.index(b'\\"price\\":\\"') + len(b'\\"price\\":\\"')
        data[at] = ord("9") if data[at] != ord("9") else ord("8")
        path.write_bytes(data)
        assert any("has been changed" in problem for problem in verify(directory).problems)

    def test_lines_behind_the_last_commit(self, directory: Path) -> None:
        """What a killed process leaves; resuming cuts it off."""
        path = directory / "replies.jsonl"
        with path.open("ab") as file:
            file.write(b'{"reply":')
        [problem] = verify(directory).problems
        assert problem == "9 bytes behind the last committed reply: the archive was cut off, resume it"
        store_module.Store(directory, resume=True).close()
        assert verify(directory).proven

    def test_a_shortened_file(self, directory: Path) -> None:
        """Lines that are gone."""
        path = directory / "replies.jsonl"
        path.write_bytes(path.read_bytes()[:-5])
        assert any("5 bytes short" in problem for problem in verify(directory).problems)
        with pytest.raises(ArchiveError, match="is shorter than"):
            store_module.Store(directory, resume=True)

    def test_no_archive(self, directory: Path) -> None:
        """Nothing to prove."""
        with pytest.raises(ArchiveError, match="no archive in"):
            verify(directory / "elsewhere")

    def test_the_report_is_what_is_there(self, directory: Path) -> None:
        """Both forms say the same as the files."""
        reader = Reader(directory)
        report = read_report(reader)
        reader.close()
        told = json.loads((directory / "report.json").read_text())
        assert told["records"] == report.records == verify(directory).records
        assert f"{report.records} records in {len(report.walks)} histories" in (directory / "report.md").read_text()
        assert len(told["never_told"]) > 3
