"""What Tab offers."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from in_process import Cli
from typer.testing import CliRunner

from bitmart_trio.cli.app import app

Offered = Callable[..., list[str]]


@pytest.fixture
def offered(tmp_path: Path, exchange_url: str) -> Offered:
    """Asks as bash does: its words are split at = and : too."""

    def ask(*words: str, url: str = exchange_url, shell: str = "bash") -> list[str]:
        told = {
            "bash": {"COMP_WORDS": "\n".join(["bitmart-trio", *words]), "COMP_CWORD": str(len(words))},
            "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(["bitmart-trio", *words])},
        }[shell]
        variables: dict[str, str | None] = {
            **told,
            "_BITMART_TRIO_COMPLETE": f"complete_{shell}",
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "BITMART_URL": url,
        }
        return CliRunner().invoke(app, [], env=variables, prog_name="bitmart-trio").stdout.split()

    return ask


def test_commands_and_endpoints(offered: Offered) -> None:
    """By how their names begin."""
    assert {"balances", "book"} <= set(offered("b"))
    assert offered("order", "su") == ["submit"]
    assert {"spot.market.ticker", "spot.market.tickers"} <= set(offered("call", "spot.market.tick"))
    assert offered("call", "spot.market.ticker", "--env", "d") == ["demo"]


def test_arguments_of_an_endpoint(offered: Offered) -> None:
    """Keys that are not given yet; the words that an enumeration has; symbols of that market."""
    submit = ("call", "spot.trading.submit_order")
    assert {"side=", "type=", "size="} <= set(offered(*submit, ""))
    assert "side=" not in offered(*submit, "side=buy", "")
    assert offered(*submit, "side", "=", "") == offered(*submit, "side", "=") == ["buy", "sell"]
    assert offered(*submit, "type", "=", "lim") == ["limit", "limit_maker"]
    assert "side=sell" in " ".join(offered(*submit, "side=s", shell="zsh"))
    assert offered(*submit, "symbol", "=", "ETH") == ["ETH_USDT"]
    assert "ETHUSDT" in offered("call", "futures.trading.submit_order", "symbol", "=", "ETH")
    assert offered("call", "no.such", "") == []


def test_topics_and_symbols(offered: Offered) -> None:
    """Channels up to the colon, then symbols of the right market, or the fixed word; symbols of both for a book."""
    assert {"spot/trade:", "spot/ticker:"} <= set(offered("watch", "spot/t"))
    assert "futures/klineBin1m:" in offered("watch", "futures/klineBin")
    assert offered("watch", "spot/trade", ":", "ETH") == ["ETH_USDT"]
    assert offered("watch", "spot/user/balance", ":", "") == ["BALANCE_UPDATE"]
    assert {"BTC_USDT", "BTCUSDT"} <= set(offered("book", "BTC"))


def test_symbols_are_kept_for_a_day(offered: Offered, tmp_path: Path) -> None:
    """The second Tab asks nobody; and where nobody answers there is nothing, and no error."""
    assert offered("book", "ETH_") == ["ETH_USDT"]
    (file,) = (tmp_path / "cache" / "bitmart-trio").iterdir()
    file.write_text('{"spot": ["ETH_KEPT"], "futures": []}')
    assert offered("book", "ETH_") == ["ETH_KEPT"]
    file.write_text("nonsense")
    assert offered("book", "ETH_") == ["ETH_USDT"]
    assert offered("book", "ETH_", url="http://127.0.0.1:1") == []
    assert offered("book", "ETH_", url="nonsense") == []


COMMANDS = ("$(touch /tmp/x)_USDT", "`id`", "ETH;id", "ETH\x1b[2J", "ETH_\u202eTDSU", "*", "~root", "-rf", "ETH_USDT")
"""Symbols of which the last alone is one."""


class _Hostile(BaseHTTPRequestHandler):
    """An exchange whose symbols are commands."""

    def do_GET(self) -> None:
        body = json.dumps({"code": 1000, "message": "OK", "trace": "t", "data": {"symbols": COMMANDS}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_a_symbol_that_is_a_command_is_not_offered(offered: Offered) -> None:
    """Shells evaluate what completion offers; the exchange's text must not get there."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    with server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            assert offered("book", "", url=f"http://127.0.0.1:{server.server_port}") == ["ETH_USDT"]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("kept", [{"spot": COMMANDS}, {"spot": [1, None, {}, "ETH_USDT"], "futures": "abc"}])
def test_a_cache_with_commands_in_it_offers_none(offered: Offered, tmp_path: Path, kept: object) -> None:
    """Somebody else may have written the file."""
    assert offered("book", "ETH_") == ["ETH_USDT"]
    (file,) = (tmp_path / "cache" / "bitmart-trio").iterdir()
    file.write_text(json.dumps(kept))
    assert offered("book", "") == ["ETH_USDT"]
    for text in ("[1, 2]", "[" * 100_000):
        file.write_text(text)
        assert offered("book", "ETH_") == ["ETH_USDT"]


def test_profiles_of_the_file(offered: Offered, cli: Cli) -> None:
    """By name; without a file there are none."""
    assert offered("balances", "--profile", "") == []
    (cli.home / ".bitmart").mkdir()
    (cli.home / ".bitmart" / "config.toml").write_text('[play]\napi_key = "a"\n[work]\napi_key = "b"\n')
    assert offered("balances", "--profile", "") == ["play", "work"]
    (cli.home / ".bitmart" / "config.toml").write_bytes(b'\xef\xbb\xbf[marked]\napi_key = "a"\n')
    assert offered("balances", "--profile", "") == ["marked"]
    (cli.home / ".bitmart" / "config.toml").write_text('["$(id)"]\napi_key = "a"\n[work]\napi_key = "b"\n')
    assert offered("balances", "--profile", "") == ["work"]
