"""``bitmart-trio tape``: data of others becomes a tape, and what is on one is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner, Result

from bitmart_trio.cli._tape import FormatName
from bitmart_trio.cli.app import app
from bitmart_trio.cli.sim import played
from bitmart_trio.sim import Tape, TapeError
from bitmart_trio.sim.drivers.public_data.layouts import LAYOUTS, Format

TRADES = (
    "51175358,60010.50000000,0.25000000,15002.62500000,1767225600100000,True,True\n"
    "51175359,60011.00000000,0.00500000,300.05500000,1767225602600000,False,True\n"
)


def ended(*words: str | Path) -> Result:
    """What the command said, and its exit code."""
    return CliRunner().invoke(app, ["tape", *map(str, words)], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    """A dump of trades."""
    path = tmp_path / "trades.csv"
    path.write_text(TRADES)
    return path


def test_a_dump_becomes_a_tape(trades: Path, tmp_path: Path) -> None:
    """The command says what is on it, and `tape info` says it again, as JSON too."""
    out = tmp_path / "day.jsonl.gz"
    shown = (
        "BTC_USDT: 2 trades, 0 books\n"
        "  from 2026-01-01T00:00:00.100Z to 2026-01-01T00:00:02.600Z\n"
        "  first 60010.50000000, high 60011.00000000, low 60010.50000000, last 60011.00000000, volume 0.25500000\n"
        "  longest gap 2.5 s, from 2026-01-01T00:00:00.100Z\n"
    )
    made = ended("import", trades, "--symbol", "BTC_USDT", "--out", out)
    assert (made.exit_code, made.stdout) == (0, shown)
    assert ended("info", out).stdout == shown
    row: dict[str, Any] = json.loads(ended("info", out, "--json").stdout)
    assert {name: row[name] for name in ("symbol", "trades", "books", "volume", "longest_gap_ms", "price_step")} == {
        "symbol": "BTC_USDT", "trades": 2, "books": 0, "volume": "0.25500000", "longest_gap_ms": 2_500,
        "price_step": "0.1",
    }  # fmt: skip
    assert Tape.load(out) == Tape.from_trades(trades, "BTC_USDT")


def test_options_reach_the_reader(tmp_path: Path) -> None:
    """Of candles and of books; several files become one tape."""
    candles, books = tmp_path / "candles.csv", tmp_path / "books.csv"
    candles.write_text("1767225600000,100,110,90,105,12\n")
    rows = ((1, "bid,99,1"), (1, "bid,98,1"), (1, "ask,101,1"), (30, "bid,99,2"), (90, "bid,99,3"))
    books.write_text(
        "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n"
        + "".join(f"x,X,0,17672256000{ms:02}000,{'true' if ms == 1 else 'false'},{row}\n" for ms, row in rows)
    )
    out, both = tmp_path / "one.jsonl", tmp_path / "both.jsonl"
    options = ("--step", "1h", "--seed", "5", "--trades", "6", "--levels", "1", "--every", "0.05")
    assert ended("import", candles, "--symbol", "BTC_USDT", "--out", out, *options).exit_code == 0
    assert Tape.load(out) == Tape.from_candles(candles, "BTC_USDT", step=3600, seed=5, trades=6)
    assert ended("import", out, books, "--symbol", "BTC_USDT", "--out", both, *options).exit_code == 0
    assert Tape.load(both).parts["BTC_USDT"].books == 2
    assert Tape.load(both) == Tape.merged(Tape.load(out), Tape.from_books(books, "BTC_USDT", levels=1, every=0.05))


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["import", "trades.csv", "--out", "day.jsonl"], 1, "trades.csv: the file does not name the symbol"),
        (["import", "trades.csv", "--out", "trades.csv", "--symbol", "BTC_USDT"], 2, "trades.csv exists already"),
        (["import", "trades.csv", "--out", "d.jsonl", "--symbol", "what"], 1, "'what' is not the name of a contract"),
        (["import", "trades.csv", "--out", "d.jsonl", "--format", "ccxt-ohlcv"], 1, "trades.csv: "),
        (["import", "trades.csv", "--out", "d.jsonl", "--format", "odd"], 2, "--format"),
        (["import", "bad.csv", "--out", "d.jsonl", "--symbol", "BTC_USDT"], 1, "bad.csv, line 2: the price is no"),
        (["import", "nothing.csv", "--out", "d.jsonl"], 1, "No such file"),
        (["import", "trades.csv", "--out", "no/d.jsonl", "--symbol", "BTC_USDT"], 1, "No such file"),
        (["info", "trades.csv"], 1, "trades.csv: the file does not name the symbol"),
        (["import", "trades.csv"], 2, "--out"),
    ],
)
def test_what_cannot_be_is_said(
    words: list[str], code: int, reason: str, trades: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, and no tape is left behind."""
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text(TRADES.replace("60011.00000000", "much"))
    result = ended(*words)
    assert (result.exit_code, reason in result.stderr) == (code, True), result.stderr
    assert not list(tmp_path.glob("d*"))


def test_a_table_is_played_as_the_symbol_that_is_named(trades: Path, tmp_path: Path) -> None:
    """`sim --tape trades.csv --symbol BTC_USDT`; of a tape, --symbol says what is listed."""
    tape, listed = played(trades, ["BTC_USDT"])
    assert (tape.symbols, listed) == (("BTC_USDT",), None)
    tape.save(tmp_path / "day.jsonl")
    assert played(tmp_path / "day.jsonl", ["BTC_USDT", "BTCUSDT"])[1] == ["BTC_USDT", "BTCUSDT"]
    assert played(tmp_path / "day.jsonl", [])[1] is None
    with pytest.raises(TapeError, match="does not name the symbol"):
        played(trades, [])


def test_the_command_knows_every_layout() -> None:
    """What `--format` takes is what the reader knows."""
    assert get_args(FormatName) == get_args(Format)
    assert {*LAYOUTS, "auto"} == {*get_args(Format)}
