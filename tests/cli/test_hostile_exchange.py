"""Every command against an exchange that works and whose every word is an attack: each stays text."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
import trio
from cli_process import KEYS, child_environment
from hostile_exchange import MARK, RAW, HostileWords, hostile, hostile_exchange
from markdown_it import MarkdownIt
from rich.console import Console
from test_hostile_text import ALONE, ASKING
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli import app as commands
from bitmart_trio.cli import guide
from bitmart_trio.cli.account import Account, Wanted, What
from bitmart_trio.cli.app import app
from bitmart_trio.history.archive._export import FORMATS

openpyxl, pq = import_module("openpyxl"), import_module("pyarrow.parquet")  # these have no types

Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with hostile_exchange() as url:
        yield url


@pytest.fixture
def ran(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Run a command in an empty folder; its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        variables = {**child_environment({}, str(tmp_path)), **KEYS, "BITMART_URL": url, "COLUMNS": "1000"}
        ended = CliRunner().invoke(app, list(arguments), env=variables)
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return ended.exit_code, ended.stdout, ended.stderr

    return run


PLAIN: Final = {
    "watch": (
        ("watch", "spot/user/balance:BALANCE_UPDATE", "spot/ticker:BTC_USDT", "--limit", "1"),
        ("watch", "futures/ticker:BTCUSDT", "--limit", "1"),
    ),
    "book": (("book", "BTC_USDT", "--limit", "2"), ("book", "BTCUSDT", "--limit", "2", "--json")),
    "call": (
        ("call", "spot.market.symbols"),
        ("call", "spot.market.tickers", "--json"),
        ("call", "spot.account.spot_balances"),
        ("call", "futures.market.contracts"),
        ("call", "futures.trading.open_orders", "--json"),
    ),
    "orders": (("orders", "--once"), ("orders", "--once", "--json")),
    "balances": (("balances", "--once", "--all"), ("balances", "--once", "--json")),
    "positions": (("positions", "--once"), ("positions", "--once", "--json")),
    "doctor": (("doctor", "--samples", "1"), ("doctor", "--samples", "1", "--json")),
    "klines": (
        ("klines", "BTC_USDT", "--from", "2025-01-01", "--to", "2025-01-02", "--step", "1h", "--out", "k.csv"),
        ("klines", "BTC_USDT", "--from", "2025-01-01", "--to", "2025-01-02", "--step", "1h", "--plot"),
    ),
    "trades": (
        ("trades", "BTC_USDT", "--out", "t.csv"),
        ("trades", "BTCUSDT", "--out", "t.jsonl"),
        ("trades", "BTCUSDT", "--mine", "--from", "2025-01-01", "--out", "m.csv"),
    ),
    "order submit": (
        ("order", "submit", "BTC_USDT", "buy", "--size", "0.001", "--price", "10000", "--yes"),
        ("order", "submit", "BTC_USDT", "buy", "--size", "0.001", "--price", "10000", "--yes", "--json"),
    ),
    "order cancel": (
        ("order", "cancel", "BTC_USDT", "999", "--yes"),
        ("order", "cancel", "BTC_USDT", "--all", "--yes"),
    ),
}
"""The commands that ask an exchange, each in its forms; `archive` has a test of its own."""

SHOWN: Final = {"watch", "call", "order submit", "orders", "positions", "doctor"}
"""Those that show words of the exchange, whatever it does; the others show numbers, or their own words."""


def test_every_command_that_asks_is_here() -> None:
    assert PLAIN.keys() | {"archive"} == ASKING.keys()
    assert not PLAIN.keys() & ALONE


def _harmless(text: str) -> bool:
    return text.replace("\n", "").isprintable()


@pytest.mark.parametrize("command", PLAIN)
def test_no_output_is_more_than_text(ran: Ran, command: str, tmp_path: Path) -> None:
    """Tables, lines, JSON and errors: every line is printable, and what a command writes, too."""
    seen = ""
    for arguments in PLAIN[command]:
        code, out, err = ran(*arguments)
        assert code in (0, 1), (arguments, out, err)
        assert _harmless(out), repr(out)
        assert _harmless(err), repr(err)
        seen += out + err
    assert (MARK in seen) >= (command in SHOWN)
    for file in tmp_path.glob("*.csv"):
        _check_csv(file)


@pytest.mark.parametrize("command", ["watch", "book", "call", "orders", "balances", "positions"])
def test_no_view_of_a_terminal_is_more_than_text(
    ran: Ran, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a terminal, with colours and a screen of its own."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=1000, height=60, color_system="truecolor")

    def terminal(json: bool) -> Console | None:
        return None if json else console

    monkeypatch.setattr(commands, "_terminal", terminal)
    for arguments in PLAIN[command]:
        code, out, err = ran(*arguments)
        assert code == 0, (arguments, err)
        assert _harmless(out), repr(out)
    _check_screen(screen.getvalue())


class _Screen(io.StringIO):
    """A terminal; the event is set once a live account with this text in it was drawn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.drawn = trio.Event()
        self._text = text

    def write(self, text: str, /) -> int:
        if "live" in text and self._text in text:
            self.drawn.set()
        return super().write(text)


def _check_screen(drawn: str) -> None:
    """Nothing but what rich itself draws: colours, movements of the cursor, its screen."""
    assert not set(RAW) & set(drawn.replace("\r\n", "\n")), repr(drawn)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert "\x1b" not in text, repr(text)
    assert "second line" not in text or "\\nsecond line" in text


@pytest.mark.parametrize("what", ["orders", "balances", "positions"])
async def test_no_live_view_of_an_account_is_more_than_text(what: What) -> None:
    """Once the account is known; it is left as Ctrl-C would."""
    screen = _Screen(MARK if what == "orders" else "")
    console = Console(file=screen, force_terminal=True, width=1000, height=40)
    async with bm.sim.open_server(seed=7) as server, server.open_client() as client:
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=4, type="limit", size=3, price="90000", leverage="5", open_type="isolated"
        )
        server.faults.add(HostileWords())
        view = Account(Wanted(what, empty=True), console, follow=True)
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(view.run, bm.Credentials("sim-key", "sim-secret", "sim-memo"), server.environment)
                await screen.drawn.wait()
                nursery.cancel_scope.cancel()
    _check_screen(screen.getvalue())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("words", [("book", ""), ("watch", "spot/ticker:"), ("call", "spot.market.ticker", "symbol="),
                                   ("orders", "=1+1")])  # fmt: skip
def test_tab_offers_no_hostile_word(url: str, tmp_path: Path, shell: str, words: tuple[str, ...]) -> None:
    """Asked first, then out of the cache."""
    line = " ".join(["bitmart-trio", *words])
    variables: dict[str, str | None] = {
        **child_environment({}, str(tmp_path)),
        "_BITMART_TRIO_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": "\n".join(["bitmart-trio", *words]),
        "COMP_CWORD": str(len(words)),
        "BITMART_URL": url,
    }
    for _ in range(2):
        offered = CliRunner().invoke(app, [], env=variables, prog_name="bitmart-trio").stdout
        assert _harmless(offered)
        assert not any(bad in offered for bad in (MARK, "$(", "`", "<img", "=1+1")), offered
    (file,) = (tmp_path / "cache" / "bitmart-trio").iterdir()
    assert "$(id)" in file.read_text(encoding="utf-8")  # it was asked, and is not believed
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


# ---- files -----------------------------------------------------------------------------------------------------------


def _check_csv(file: Path) -> None:
    """Rows as long as the head, and no cell a formula."""
    text = file.read_bytes().decode("utf-8-sig")
    assert _harmless(text.replace("\r\n", "")), file
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    for row in rows:
        assert len(row) == len(head), (file, row)
        for each in row:
            assert each.lstrip()[:1] not in ("=", "+", "@"), (file, each)


def _check_workbook(file: Path) -> None:
    """Cells of text or numbers, none a formula, and sheets whose names a person can read."""
    book = openpyxl.load_workbook(file)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert any(MARK in str(cell.value) for cell in cells)
    for sheet in book.worksheets:
        assert _harmless(sheet.title)
    for cell in cells:
        assert cell.data_type != "f", cell
        assert cell.hyperlink is None
        if isinstance(cell.value, str):
            assert _harmless(cell.value), repr(cell.value)
            assert cell.value.lstrip()[:1] not in ("=", "+", "@"), cell.value
    with zipfile.ZipFile(file) as parts:
        assert not any("externalLink" in name or name.endswith("vbaProject.bin") for name in parts.namelist())


def _check_parquet(files: list[Path]) -> None:
    """Text as the exchange gave it: no program takes a cell of Parquet for a formula."""
    words = [
        value
        for file in files
        for row in pq.read_table(file).to_pylist()
        for value in row.values()
        if isinstance(value, str) and MARK in value
    ]
    assert words


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def test_an_archive_of_hostile_records_is_proven_and_none_of_its_files_acts(ran: Ran, tmp_path: Path) -> None:
    """Made, proven, rebuilt and exported: what the terminal, a browser, a spreadsheet and a reader of Markdown get."""
    printed = ""
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    without = (f"--without={each}" for each in ("sub_accounts", "broker", "affiliate"))
    options = ("--since", yesterday, "--settle", "0", "--allow-trading-key", *without)
    code, out, err = ran("archive", "--out", "archive", *options)
    assert code in (0, 4), err
    printed += out + err
    for arguments in (
        ("archive", "verify", "archive"),
        ("archive", "verify", "archive", "--json"),
        ("archive", "rebuild", "archive"),
        *(("archive", "export", "archive", "--to", kind, "--format", kind) for kind in FORMATS),
    ):
        code, out, err = ran(*arguments)
        assert code in (0, 4), (arguments, out, err)
        printed += out + err
    assert _harmless(printed), repr(printed)

    files = [*tmp_path.rglob("*.csv")]
    assert len(files) > 5
    for file in files:
        _check_csv(file)
    assert sum(MARK in file.read_text(encoding="utf-8-sig") for file in files) > 3
    _check_workbook(tmp_path / "xlsx" / "bitmart-account.xlsx")
    _check_parquet([*(tmp_path / "parquet").glob("*.parquet")])

    report = (tmp_path / "archive" / "report.md").read_text(encoding="utf-8")
    assert _harmless(report)
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    kinds = {each.type for token in reader.parse(report) for each in (token, *(token.children or ()))}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "s_open"}
    page = (tmp_path / "archive" / "report.html").read_text(encoding="utf-8")
    assert _harmless(page)
    assert "&lt;img src=x" in page
    assert "\\<img src=x" in report
    tags = _Tags(page).found
    assert not {tag for tag, _ in tags} & {"img", "script", "iframe", "object", "embed", "form"}
    assert not any(name.startswith("on") for _, attributes in tags for name, _ in attributes)
    assert _harmless((tmp_path / "archive" / "report.json").read_text(encoding="utf-8"))


def test_the_guide_shows_no_hostile_word(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All five steps: the key that can do too much, the folder, the archive with its report, the spreadsheet."""
    asked: list[str] = []
    answers = {"Use this key": "y", "Folder": str(tmp_path / "out"), "rebates": "n", "Start?": "y", "spreadsheet": "y"}

    async def answer(question: str) -> str:
        await trio.lowlevel.checkpoint()
        asked.append(question)
        return next(text for begin, text in answers.items() if begin in question)

    def anywhere() -> None:
        """CliRunner is no terminal."""

    monkeypatch.setattr(guide, "need_terminal", anywhere)
    monkeypatch.setattr(guide, "_answer", answer)
    code, out, err = ran("archive", "--settle", "0")
    assert code in (0, 4), (out, err)
    assert len(asked) == len(answers), asked
    assert _harmless(out + err + "".join(asked)), repr(out + err)
    assert MARK in out + err
    _check_workbook(tmp_path / "out-export" / "bitmart-account.xlsx")


def test_the_words_are_hostile() -> None:
    """So that none of these tests is true of nothing."""
    word = hostile("x")
    assert not word.isprintable()
    assert json.loads(json.dumps(word)) == word
