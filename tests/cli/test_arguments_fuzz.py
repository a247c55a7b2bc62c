"""Whatever stands on the command line ends in an exit code and words that can be written."""

from __future__ import annotations

import tempfile
from typing import Any, Final, NoReturn

import pytest
from cli_process import KEYS, child_environment
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from proof_sizes import FUZZ
from test_hostile_text import ALONE, ASKING
from typer.testing import CliRunner

from bitmart_trio.cli import _archive
from bitmart_trio.cli import app as commands
from bitmart_trio.cli.app import app

ODD: Final = (
    "", "-", "--", "\udcff", "BTC\udc80_USDT", "\x1b[31m", "\u202e", "[/x][bold red]", "$(id)", "=1+1", "NaN",
    "1e999999999",
    "9" * 5000, "-1", "\u0661", "9999-12-31T23:59:59+00:00", "0001-01-01", "10000-01-01", "2025-01-01T00:00:00+23:59",
    "inf", "1e400", "symbol=\udcff", "\udcff=1", "step=\u0661", "limit=99999999999999999999", "orders=[{]",
    "spot/ticker:\udcff", "http://h:99999", "http://a..b", "LoseReply:\udcff", "x" * 300, "BTC_USDT", "BTCUSDT",
)  # fmt: skip
OPTIONS: Final = (
    "--env", "--profile", "--json", "--limit", "--levels", "--size", "--price", "--notional", "--leverage", "--yes",
    "--client-order-id", "--all", "--from", "--to", "--since", "--step", "--mark", "--mine", "--resume", "--settle",
    "--without", "--symbol", "--digest", "--format", "--list", "--market", "--once", "--samples", "--type", "--fault",
    "--tape", "--tick", "--host", "--allow-host", "--seed", "--seconds", "--port", "--help",
    "--out", "--only", "--unit", "--trades", "--every",
)  # fmt: skip
NAMES: Final = (*ASKING, *sorted(ALONE - {"key set"}))
"""`key set` asks the terminal itself."""

# Paths stay below the test's own folder.
WORDS: Final = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_characters="\0/."), max_size=12),
)
LINES: Final = st.tuples(
    st.sampled_from(NAMES),
    st.lists(st.one_of(WORDS, WORDS, st.sampled_from(OPTIONS)), max_size=6),
)


def _ended(code: int) -> NoReturn:
    raise SystemExit(code)


def _served(_: Any) -> NoReturn:
    """Instead of the work."""
    _ended(0)


@pytest.mark.proof
@settings(
    max_examples=FUZZ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@example(("klines", ["BTC_USDT", "--from", "0001-01-01", "--out", "k.csv"]))
@example(("klines", ["BTC\udc80_USDT", "--from", "2025-01-01", "--out", "k.csv"]))
@example(("klines", ["BTC_USDT", "--out", "\udcff.csv"]))
@example(("call", ["spot.market.ticker", "symbol=\udcff"]))
@example(("call", ["spot.market.klines", "symbol=BTC_USDT", "step=" + "9" * 5000]))
@example(("call", ["spot.market.klines", "symbol=BTC_USDT", "step=60", "after=\u0661"]))
@example(("call", ["spot.market.klines", "symbol=BTC_USDT", "step=60", "after=\xb2"]))
@example(("call", ["spot.trading.submit_batch_orders", "symbol=BTC_USDT", "orders=" + "[" * 100_000]))
@example(("call", ["spot.trading.submit_batch_orders", "symbol=BTC_USDT", 'orders=[{"size":1e999999999}]']))
@example(("watch", ["spot/ticker:\udcff"]))
@example(("order submit", ["BTC_USDT", "buy", "--size", "1e999999", "--price", "1e999999", "--yes"]))
@example(("order submit", ["BTC\udcff_USDT", "buy", "--size", "1", "--price", "1", "--yes"]))
@example(("order submit", ["BTCUSDT", "buy", "--size", "1e400", "--price", "1", "--yes"]))
@example(("archive", ["--out", "a", "--since", "0001-01-01", "--to", "9999-12-31T23:59:59-23:59"]))
@example(("archive", ["--out", "\udcff" * 300]))
@example(("archive verify", ["\udcff"]))
@example(("sim", ["--symbol", "\udcff", "--host", "\udcff"]))
@example(("sim", ["--fault", "LoseReply:\udcff", "--fault", "Delay:seconds=" + "9" * 5000]))
@example(("sim", ["--tape", "x" * 300]))
@example(("tape import", ["\udcff", "--out", "\udcff.jsonl", "--symbol", "\udcff"]))
@example(("tape import", [".", "--out", "tape.jsonl"]))
@example(("tape info", ["x" * 300]))
@example(("book", ["BTC_USDT", "--env", "http://a..b"]))
@given(LINES)
def test_any_command_line_ends_in_an_exit_code(monkeypatch: pytest.MonkeyPatch, line: tuple[str, list[str]]) -> None:
    """Up to where the command begins its work."""
    name, words = line
    with tempfile.TemporaryDirectory() as folder, monkeypatch.context() as patched:
        patched.chdir(folder)
        for module in (commands, _archive):
            patched.setattr(module, "run", _served)
        variables = {**child_environment({}, folder), **KEYS, "BITMART_URL": "http://127.0.0.1:9"}
        ended = CliRunner().invoke(app, [*name.split(), *words], env=variables, input="")
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code in (0, 1, 2, 3, 4), ended.stderr
    assert ended.exit_code == 0 or ended.stderr or ended.stdout
    for text in (ended.stdout, ended.stderr):
        text.encode()  # typer says the person's own words back
