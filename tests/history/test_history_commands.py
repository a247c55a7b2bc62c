"""``klines``, ``trades`` and ``archive`` as a person uses them: real processes on loopback."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
import trio
from forked import Ended, Forked, forked
from history_kit import Past, write_past
from rich.console import Console
from test_archive import add_reader
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli.app import app
from bitmart_trio.cli.archive import Screen
from bitmart_trio.history.archive import Progress
from bitmart_trio.sim.exchange import START_MS

pq = import_module("pyarrow.parquet")  # it has no types

READ_KEY = {"BITMART_API_KEY": "read-key", "BITMART_API_SECRET": "read-secret", "BITMART_API_MEMO": "read-memo"}
FULL_KEY = {"BITMART_API_KEY": "sim-key", "BITMART_API_SECRET": "sim-secret", "BITMART_API_MEMO": "sim-memo"}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    modules = ("bitmart_trio.client", "bitmart_trio.cli.app", "bitmart_trio.history.archive")
    with forked(tmp_path_factory.mktemp("programs"), *modules) as programs:
        yield programs


class Command:
    """The command line of a person, each command a process.

    Args:
        programs: they begin there.
        home: of the person.
    """

    def __init__(self, programs: Forked, home: Path) -> None:
        self._programs = programs
        self._home = home

    async def __call__(self, *arguments: str, key: Mapping[str, str] | None = None) -> Ended:
        environment = {**os.environ, "HOME": str(self._home), "COLUMNS": "200", **(key or {})}
        run = partial(self._programs.run, "-m", "bitmart_trio", *arguments, environment=environment)
        return await trio.to_thread.run_sync(run)


@pytest.fixture
def command(programs: Forked, tmp_path: Path) -> Command:
    return Command(programs, tmp_path)


@asynccontextmanager
async def exchange(*, held: bool = False) -> AsyncIterator[bm.sim.Server]:
    """An exchange whose time passes, or is ``held`` where a trade between two requests would change what is counted."""
    async with bm.sim.open_server(port=0, seed=7, start=START_MS, live=False) as server:
        if not held:
            server.exchange.clock.release()
        yield server


async def test_klines_to_a_file_and_on(tmp_path: Path, command: Command) -> None:
    """Written, and extended by --resume."""
    out = tmp_path / "btc.csv"
    async with exchange() as server:
        arguments = (
            "klines",
            "BTC_USDT",
            "--step",
            "1h",
            "--from",
            "2025-12-31",
            "--out",
            str(out),
            "--env",
            server.url,
        )
        first = await command(*arguments, "--to", "2025-12-31T12:00Z")
        assert (first.code, first.err) == (0, f"12 rows in {out}\n")
        more = await command(*arguments, "--resume", "--to", "2026-01-01")
        assert (more.code, more.err) == (0, f"24 rows in {out}\n")
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["open_time"]) * 1000 for row in rows] == list(range(START_MS - 86_400_000, START_MS, 3_600_000))


async def test_klines_of_the_mark_price_to_parquet(tmp_path: Path, command: Command) -> None:
    """A contract, by its spelling."""
    out = tmp_path / "mark.parquet"
    async with exchange() as server:
        ended = await command(
            "klines", "BTCUSDT", "--mark", "--step", "1d", "--from", "2025-12-01", "--out", str(out),
            "--decimals", "float", "--env", server.url,
        )  # fmt: skip
    assert (ended.code, ended.out) == (0, "")
    table = pq.read_table(out)
    assert table.num_rows == 31
    assert str(table.schema.field("timestamp").type) == "timestamp[ms, tz=UTC]"
    assert str(table.schema.field("close_price").type) == "double"


async def test_klines_from_the_first_one_on(tmp_path: Path, command: Command) -> None:
    """Without --from the file begins with the first kline that there is, and the command says when that was."""
    out = tmp_path / "all.csv"
    async with exchange() as server:
        arguments = ("klines", "BTC_USDT", "--step", "1d", "--out", str(out), "--env", server.url)
        ended = await command(*arguments)
    assert ended.code == 0, ended.err
    with out.open(newline="") as file:
        first, *_ = csv.DictReader(file)
    begins = datetime.fromtimestamp(int(first["open_time"]), UTC)
    assert f"the klines of BTC_USDT begin at {begins:%Y-%m-%dT%H:%M:%SZ}" in ended.err


async def test_public_trades_say_what_is_not_told(tmp_path: Path, command: Command) -> None:
    """Fifty, and a line about the rest."""
    out = tmp_path / "latest.jsonl"
    async with exchange(held=True) as server:  # the walk leaves out what happens after it has begun
        arguments = ("trades", "BTC_USDT", "--from", "2025-12-31", "--out", str(out), "--env", server.url)
        ended = await command(*arguments)
    assert ended.code == 0
    assert re.search(r"missing: 2025-12-31T00:00:00Z to .*: only the newest 50 records are listed", ended.err)
    assert len([json.loads(line) for line in out.read_text().splitlines()]) == 50


async def test_own_trades(tmp_path: Path, command: Command) -> None:
    """With a key, between two dates."""
    out = tmp_path / "mine.csv"
    async with exchange() as server:
        ledger = write_past(server.exchange, Past(days=20))
        add_reader(server, "read")
        arguments = ("trades", "BTCUSDT", "--mine", "--from", "2025-12-12", "--out", str(out), "--env", server.url)
        ended = await command(*arguments, key=READ_KEY)
    assert ended.code == 0, ended.err
    with out.open(newline="") as file:
        found = {row["trade_id"] for row in csv.DictReader(file)}
    assert found
    assert found <= ledger["futures.trading.trades"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("klines", "BTC_USDT", "--from", "yesterday", "--out", "a.csv"), "'yesterday' is not a date"),
        (("klines", "BTC_USDT", "--step", "7m", "--from", "2025-01-01", "--out", "a.csv"), "'7m' is not one of 1m"),
        (("klines", "BTC_USDT", "--mark", "--from", "2025-01-01", "--out", "a.csv"), "only contracts have a mark"),
        (("trades", "BTC_USDT", "--mine", "--out", "a.csv"), "the account's own trades need --from"),
        (("archive",), "the guide needs a terminal"),
    ],
)
def test_wrong_usage_is_said_at_once(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, [*arguments, "--env", "http://127.0.0.1:9"], env={"COLUMNS": "200"})
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert not list(tmp_path.iterdir())


async def test_an_archive_is_made_proven_and_resumed(tmp_path: Path, command: Command) -> None:
    """Refused with a trading key, interrupted, proven as far as it is, resumed, proven; and a changed byte is found."""
    out = tmp_path / "account"
    async with exchange() as server:
        write_past(server.exchange, Past(spot_orders=100, savings=20, transfers=5, days=20))
        add_reader(server)
        arguments = ("archive", "--out", str(out), "--since", "2025-12-12", "--settle", "0", "--env", server.url)
        refused = await command(*arguments, key=FULL_KEY)
        assert refused.code == 1
        assert refused.err.startswith("bitmart-trio: this key may do more than read: ")
        assert "--allow-trading-key accepts it all the same" in refused.err
        process = await trio.lowlevel.open_process(
            [sys.executable, "-m", "bitmart_trio", *arguments],
            env={**os.environ, **READ_KEY, "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        err = bytearray()
        with trio.fail_after(60):
            while b"spot.trading.order_history" not in err:
                err += await process.stderr.receive_some()
            process.send_signal(signal.SIGINT)
            async for data in process.stderr:
                err += data
            assert await process.wait() == 130
        await process.stdout.aclose()
        await process.stderr.aclose()
        assert f"interrupted; to continue: bitmart-trio archive --out {out} --resume" in err.decode()
        assert "Traceback" not in err.decode()
        verified = CliRunner().invoke(app, ["archive", "verify", str(out)])
        assert verified.exit_code == 4
        assert verified.stdout.startswith("proven: ")
        assert "complete: no" in verified.stdout
        ended = await command(*arguments, "--resume", "--json", key=READ_KEY)
        assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report["complete"]
    verified = CliRunner().invoke(app, ["archive", "verify", str(out), "--json", "--digest", report["digest"]])
    assert verified.exit_code == 0
    assert json.loads(verified.stdout)["proven"]
    other = CliRunner().invoke(app, ["archive", "verify", str(out), "--digest", "0" * 64])
    assert other.exit_code == 1
    assert (out / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
async def test_a_folder_that_was_open_to_others_is_closed_and_the_person_is_informed(
    tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "account"
    out.mkdir()
    out.chmod(0o755)
    async with exchange() as server:
        add_reader(server)
        since = ("--since", "2025-12-31T23:00Z", "--settle", "0", "--without", "affiliate")
        ended = await command("archive", "--out", str(out), *since, "--env", server.url, key=READ_KEY)
    assert ended.code == 0, ended.err
    assert "was open to others (mode 0755); only you can open it now (0700)" in ended.err
    assert out.stat().st_mode & 0o777 == 0o700


async def test_an_archive_with_gaps_ends_with_four_and_gives_its_tables_all_the_same(
    tmp_path: Path, command: Command
) -> None:
    """A history that fails is named; the rest can be exported, and made again from the replies."""
    out, tables = tmp_path / "account", tmp_path / "tables"
    async with exchange() as server:
        ledger = write_past(server.exchange, Past(spot_orders=60, days=5))
        add_reader(server, "read")  # no broker, no affiliate, no sub-accounts
        arguments = ("archive", "--out", str(out), "--since", "2025-12-27", "--settle", "0", "--env", server.url)
        ended = await command(*arguments, key=READ_KEY)
    assert ended.code == 4, ended.err
    assert "finished with gaps" in ended.err
    assert "complete: no" in ended.out
    before = {file.name: file.read_bytes() for file in out.glob("report.*")}
    again = CliRunner().invoke(app, ["archive", "rebuild", str(out)])
    assert again.exit_code == 0, again.stderr
    assert "complete: no" in again.stdout
    assert {file.name: file.read_bytes() for file in out.glob("report.*")} == before
    verified = CliRunner().invoke(app, ["archive", "verify", str(out)])
    assert verified.exit_code == 4, verified.stdout
    exported = CliRunner().invoke(app, ["archive", "export", str(out), "--to", str(tables)])
    assert exported.exit_code == 0, exported.stderr
    with (tables / "spot_trading_trades.csv").open(newline="") as file:
        assert {row["trade_id"] for row in csv.DictReader(file)} == ledger["spot.trading.trades"]
    wish = ["archive", "export", str(out), "--to", str(tables), "--format", "parquet", "--decimals"]
    for decimals, kind in (("exact", "decimal128"), ("float", "double")):
        assert CliRunner().invoke(app, [*wish, decimals]).exit_code == 0
        assert str(pq.read_schema(tables / "spot_trading_trades.parquet").field("size").type).startswith(kind)


def test_what_an_archive_shows() -> None:
    """In a terminal a bar for what is being read and a line for what is done; elsewhere the lines alone."""
    steps = [
        Progress("spot.trading.trades", "running", 0.25, 150, 2, 0),
        Progress("spot.trading.trades", "waiting", 0.0, 0, 0, 0, "too many requests"),
        Progress("spot.trading.trades", "running", 0.5, 180, 3, 1),
        Progress("spot.trading.trades", "answered", 1.0, 200, 4, 1),
        Progress("spot.broker.rebates", "not_permitted", 0.0, 0, 0, 0, "no \x1b[/x] permission"),
        Progress("spot.earn.holdings", "answered", 1.0, 0, 0, 0),
    ]
    done = "spot.trading.trades: 200 records, 4 requests, 1 gap (answered)"
    refused = "spot.broker.rebates: 0 records, 0 requests (not permitted: no \\x1b[/x] permission)"
    plain, drawn = io.StringIO(), io.StringIO()
    with Screen(Console(file=plain, width=120)) as screen:
        for step in steps:
            screen.show(step)
    assert plain.getvalue().splitlines() == [done, refused]
    with Screen(Console(file=drawn, width=120, force_terminal=True, color_system=None)) as screen:
        for step in steps:
            screen.show(step)
    assert done in drawn.getvalue()
    assert "3 parts done, 200 records" in drawn.getvalue()
