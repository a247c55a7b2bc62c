"""Whatever text an exchange sends, no command gives it to the terminal as more than text."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, cast

import pytest
import typer
from cli_process import KEYS, child_environment
from every_case import every_case
from rich.console import Console
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio._bitmart.rest import READER
from bitmart_trio.cli._run import one_line
from bitmart_trio.cli._show import as_json, as_table
from bitmart_trio.cli.app import app
from bitmart_trio.history.archive._kinds import find_endpoint

HOSTILE: Final = "\x1b[2J\x1b]0;x\x07\x9b31m\r\u202e\u200b[/x][bold red]\nsecond line"
TRANSCRIPTS: Final = sorted((Path(__file__).parent.parent / "transcripts" / "rest").glob("*.txt"))


def _spoilt(value: object) -> object:
    """The same reply with every word in it hostile; numbers stay, so that it is read."""
    if isinstance(value, dict):
        return {name: _spoilt(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_spoilt(each) for each in cast("list[object]", value)]
    if isinstance(value, str) and not value.replace(".", "", 1).lstrip("-").isdecimal():
        return f"{value}{HOSTILE}"
    return value


def _seen(file: Path) -> str:
    """What the terminal gets of a reply whose words are hostile: table and JSON, or the error that it is."""
    reply = file.read_text(encoding="utf-8").partition("\nreply: ")[2].partition("\n")[2]
    members = cast("dict[str, object]", json.loads(reply))
    body = json.dumps({**members, "data": _spoilt(members.get("data")), "message": HOSTILE, "trace": HOSTILE})
    try:
        data = READER.parse(find_endpoint(file.stem.partition("~")[0]), 200, {}, body.encode()).data
    except bm.BitMartError as error:
        return one_line(error)
    shown = io.StringIO()
    Console(file=shown, width=400, color_system=None).print(as_table(data))
    return shown.getvalue() + as_json(data, indent=2)


@every_case("file", TRANSCRIPTS, ids=lambda file: file.stem)
def test_the_reply_of_no_endpoint_reaches_the_terminal_as_it_is(file: Path) -> None:
    assert _seen(file).replace("\n", "").isprintable()


def test_hostile_words_are_shown_and_not_left_out() -> None:
    assert sum("[/x][bold red]" in _seen(file) for file in TRANSCRIPTS) > 80


class _Refuses(BaseHTTPRequestHandler):
    """An exchange that refuses everything, in its own words."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"code": 30002, "message": HOSTILE, "trace": HOSTILE, "data": {}}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refuses) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


ASKING: Final = {
    "watch": ("watch", "spot/ticker:BTC_USDT"),
    "book": ("book", "BTC_USDT"),
    "call": ("call", "spot.market.ticker", "symbol=BTC_USDT"),
    "orders": ("orders", "--once"),
    "balances": ("balances", "--once"),
    "positions": ("positions", "--once"),
    "doctor": ("doctor", "--samples", "1"),
    "klines": ("klines", "BTC_USDT", "--from", "2025-01-01", "--out", "out.csv"),
    "trades": ("trades", "BTC_USDT", "--from", "2025-01-01", "--out", "out.csv"),
    "order submit": ("order", "submit", "BTC_USDT", "buy", "--size", "1", "--price", "1", "--yes"),
    "order cancel": ("order", "cancel", "BTC_USDT", "1", "--yes"),
    "archive": ("archive", "--out", "archive"),
}
"""The commands that ask an exchange."""
ALONE: Final = {
    "certify", "demo", "sim", "key set", "key forget", "archive verify", "archive rebuild", "archive export",
    "tape import", "tape info",
}  # fmt: skip
"""Those that talk to no exchange, or only to one of their own; the archive's reports have tests of their own."""


def test_every_command_is_walked() -> None:
    group = typer.main.get_command(app)
    names = set[str]()
    for name, command in getattr(group, "commands", {}).items():
        inner = getattr(command, "commands", {})
        names |= {f"{name} {each}" for each in inner} or {name}
    assert names | {"archive"} == {*ASKING, *ALONE}


@pytest.mark.parametrize("command", ASKING)
def test_a_refusal_in_hostile_words_is_one_harmless_line(
    refusing: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {**child_environment({}, str(tmp_path)), **KEYS, "BITMART_URL": refusing}
    ended = CliRunner().invoke(app, list(ASKING[command]), env=variables)
    assert ended.exit_code in (1, 3)
    for text in (ended.stdout, ended.stderr):
        assert text.replace("\n", "").isprintable(), repr(text)
    assert ended.stderr.count("\n") >= 1
    if command not in ("watch", "book"):  # those show that a socket did not open
        assert "[/x][bold red]" in ended.stderr + ended.stdout
