"""The command line as a person uses it: what it prints, how it ends, and its exit codes. Real processes on loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, cast

import pytest
import trio
import trio.testing
import typer
from cli_process import KEYS, Running, bitmart_trio, started
from documented import ENDPOINTS
from every_case import every_case
from in_process import Cli
from number_cases import BAD, label
from typer.testing import CliRunner

import bitmart_trio as bm
from bitmart_trio.cli.app import app
from bitmart_trio.cli.call import arguments as call_arguments
from bitmart_trio.cli.call import find


@asynccontextmanager
async def _exchange() -> AsyncIterator[str]:
    async with bm.sim.open_server(port=0, seed=7) as server:
        yield server.url


async def test_the_demo_streams_trades_and_ends(home: str) -> None:
    """Trades, ticker and book come in; one order is filled, one cancelled; the last line counts them."""
    ended = await bitmart_trio("demo", "--seconds", "3", home=home)
    assert ended.err == ""
    assert ended.code == 0
    kinds = {line.split()[0] for line in ended.out.splitlines()}
    assert {"trade", "ticker", "book", "limit", "market", "private"} <= kinds
    last = ended.out.splitlines()[-1]
    assert re.fullmatch(
        r"done: [1-9]\d* trades, [1-9]\d* tickers, [1-9]\d* books; 2 orders placed, 1 filled, 1 cancelled", last
    )


async def test_sim_prints_exactly_one_line_when_ready(home: str) -> None:
    """The line names the address; a client can use it at once, and nothing follows."""
    async with started("sim", "--port", "0", "--seed", "7", home=home) as sim:
        line = await sim.line()
        match = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)", line)
        assert match
        async with bm.open_spot(environment=bm.Environment.at(match[1])) as spot:
            assert (await spot.market.ticker("BTC_USDT")).last_price > 0
        ended = await sim.interrupt()
    assert (ended.code, ended.out, ended.err) == (130, "", "")


async def test_sim_misbehaves_on_request(home: str) -> None:
    """A fault given on the command line happens."""
    async with started("sim", "--port", "0", "--fault", "RefuseLogin", home=home) as sim:
        environment = bm.Environment.at((await sim.line()).removeprefix("listening on "))
        async with bm.open_streams(bm.Credentials(*KEYS.values()), environment=environment) as streams:
            with pytest.raises(bm.AuthenticationError):
                async with streams.spot.user_balance():
                    pass


async def test_a_taken_port_is_one_line(home: str) -> None:
    """It names the port, and is no traceback: this is not a bug."""
    async with _exchange() as url:
        port = url.rpartition(":")[2]
        ended = await bitmart_trio("sim", "--port", port, home=home)
    assert ended.code == 1
    assert (
        ended.err == f"bitmart-trio: port {port} of 127.0.0.1 is in use by another program; --port 0 takes a free one\n"
    )


@pytest.mark.parametrize(
    "command", [[], ["call"], ["klines"], ["watch"], ["order"], ["order", "submit"], ["archive"], ["archive", "verify"]]
)
def test_help_names_no_type_of_the_language(command: list[str]) -> None:
    """``--resume``, not ``--resume <bool>``."""
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "--help" in shown.stdout
    assert re.search(r"<\w|\bbool\b|\bBOOLEAN\b|\bTEXT\b", shown.stdout) is None


def test_call_prints_json(cli: Cli) -> None:
    """The whole payload, amounts as exact text."""
    ticker = cast("dict[str, str]", cli.json("call", "spot.market.ticker", "symbol=BTC_USDT"))
    assert ticker["symbol"] == "BTC_USDT"
    assert re.fullmatch(r"\d+(\.\d+)?", ticker["last_price"])


def test_call_prints_a_table(cli: Cli) -> None:
    """One row a record, one column a field; arguments are read as the endpoint wants them (``limit`` is an integer)."""
    ended = cli("call", "spot.market.trades", "symbol=BTC_USDT", "limit=3", keyed=False)
    assert (ended.code, ended.err) == (0, "")
    assert "price" in ended.out
    assert ended.out.count("BTC_USDT") == 3
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d\d", ended.out)


def test_call_signs_with_the_key_of_the_environment(cli: Cli) -> None:
    """Credentials come from environment variables; the order that was asked for is placed."""
    words = ("symbol=BTC_USDT", "side=buy", "type=limit", "size=0.01", "price=30000")
    placed = cast("dict[str, str]", cli.json("call", "spot.trading.submit_order", *words))
    waiting = cli.rows("call", "spot.trading.open_orders")
    assert [row["order_id"] for row in waiting] == [placed["order_id"]]


def test_call_signs_with_the_key_of_a_file(cli: Cli) -> None:
    """A profile of ``~/.bitmart/config.toml`` serves as well."""
    folder = cli.home / ".bitmart"
    folder.mkdir()
    (folder / "config.toml").write_text(
        f'[play]\napi_key = "{cli.key}"\napi_secret = "sim-secret"\nmemo = "sim-memo"\n'
    )
    arguments = ("call", "spot.account.spot_balances", "--json")
    with_key = cli(*arguments, "--profile", "play", keyed=False)
    by_variable = cli(*arguments, keyed=False, environment={"BITMART_PROFILE": "play"})
    without = cli(*arguments, "--profile", "absent", keyed=False)
    assert with_key.code == by_variable.code == 0
    assert "USDT" in with_key.out
    assert without.code == 1
    assert without.err.startswith("bitmart-trio: MissingCredentials: ")


def test_the_variable_decides_where_a_command_goes_and_the_option_before_it(cli: Cli) -> None:
    """``BITMART_URL`` without ``--env``; ``--env`` before it; a blank ``--env`` is refused, never the live host."""
    time = ("call", "spot.system.time")
    nowhere = "http://127.0.0.1:1"
    by_variable = cli(*time)
    by_option = cli(*time, "--env", cli.url, environment={"BITMART_URL": nowhere})
    unreachable = cli(*time, environment={"BITMART_URL": nowhere})
    blank = cli(*time, "--env", "")
    wrong = cli(*time, environment={"BITMART_URL": "ftp:/x"})
    assert (by_variable.code, by_option.code, unreachable.code) == (0, 0, 1)
    assert unreachable.err.startswith("bitmart-trio: ConnectionLost: ")
    assert (blank.code, wrong.code) == (2, 2)
    assert "--env" in blank.err
    assert "BITMART_URL" in wrong.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"BITMART_API_SECRET": None}, "BITMART_API_KEY, BITMART_API_MEMO set without BITMART_API_SECRET"),
        ({"BITMART_API_KEY": None}, "without BITMART_API_KEY"),
        ({"BITMART_PROFILE": "mine"}, "BITMART_PROFILE and BITMART_API_KEY both name a key"),
    ],
)
def test_half_a_key_or_two_are_refused(cli: Cli, variables: dict[str, str], words: str) -> None:
    """Nothing is sent, and the line names the variables."""
    ended = cli("call", "spot.account.spot_balances", environment=variables)
    assert ended.code == 2
    assert words in ended.err


def test_a_key_in_plain_text_to_another_machine_is_refused(cli: Cli) -> None:
    """The host and the key are named first."""
    ended = cli("call", "spot.account.spot_balances", "--env", "http://exchange.test")
    assert ended.code == 1
    assert "the key *** is used at http://exchange.test" in ended.err
    assert "without TLS" in ended.err
    assert cli.key not in ended.err


def test_a_refusal_is_one_line_and_code_1(cli: Cli) -> None:
    """The exchange's own words, no traceback, no secret."""
    words = ("symbol=BTC_USDT", "side=sell", "type=limit", "size=99999", "price=70000")
    ended = cli("call", "spot.trading.submit_order", *words)
    assert ended.code == 1
    assert ended.out == ""
    assert re.fullmatch(r"bitmart-trio: InsufficientBalance: 50020 .*\n", ended.err)
    assert "sim-secret" not in ended.err


def test_nobody_there_is_one_line_and_code_1(cli: Cli) -> None:
    """A connection that cannot be made is told as what it is."""
    ended = cli("call", "spot.system.time", "--env", "http://127.0.0.1:1")
    assert ended.code == 1
    assert re.fullmatch(r"bitmart-trio: ConnectionLost: .*\n", ended.err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Usage"),
        (("call",), "GROUP.METHOD"),
        (("call", "spot.market.tickr"), "no endpoint"),
        (("call", "spot.market.klines", "symbol=BTC_USDT", "step=sixty"), "int"),
        (("call", "spot.market.ticker", "symbol"), "key=value"),
        (("call", "spot.market.ticker"), "symbol"),
        (("call", "spot.market.ticker", "symbol=BTC_USDT", "colour=red"), "colour"),
        (("call", "spot.market.ticker", "--env", "mars"), "mars"),
        (("watch",), "TOPIC"),
        (("watch", "nonsense", "--env", "http://127.0.0.1:1"), "nonsense"),
        (("sim", "--fault", "Nonsense"), "Nonsense"),
        (("demo", "--seconds", "0"), "seconds"),
        (("call", "spot.trading.submit_order", "symbol=BTC_USDT", "--env", "http://exchange.invalid"), "side"),
        (("call", "spot.trading.cancel_all_orders", "--env", "http://exchange.invalid"), "--yes"),
        (("book", "BTC_USDT", "--levels", "0"), "levels"),
        (("orders", "BTC_USDT", "--env", "demo"), "no orders of spot"),
        (("order", "submit", "BTC_USDT", "hold"), "hold"),
        (("order", "submit", "BTC_USDT", "buy", "--size", "1e"), "1e"),
        (("order", "submit", "BTC_USDT", "buy", "--size", "-1"), "-1"),
        (("order", "submit", "BTC_USDT", "buy", "--size", "1", "--leverage", "5"), "leverage"),
        (("order", "submit", "BTCUSDT", "buy", "--size", "1.5", "--price", "1"), "whole number"),
        (("order", "submit", "BTCUSDT", "buy", "--notional", "5"), "notional"),
        (("order", "submit", "BTC_USDT", "buy", "--size", "1", "--price", "1"), "--yes"),
        (("order", "cancel", "BTC_USDT"), "ORDER_ID"),
        (("order", "cancel", "BTC_USDT", "1", "--all"), "ORDER_ID"),
        (("doctor", "--samples", "0"), "samples"),
    ],
)
def test_wrong_usage_is_code_2(arguments: tuple[str, ...], words: str) -> None:
    """It says what is wrong, on standard error, before anything is sent."""
    ended = CliRunner().invoke(app, list(arguments))
    assert ended.exit_code == 2
    assert words in (ended.stderr if arguments else ended.stdout)


NO_AMOUNTS: Final = [each for each in BAD if each]


@every_case(
    "option, text",
    [
        *(("--size", text) for text in NO_AMOUNTS),
        *((option, text) for option in ("--price", "--notional") for text in NO_AMOUNTS[::7]),
    ],
    ids=label,
)
def test_an_option_takes_no_number_that_an_exchange_would_not(option: str, text: str) -> None:
    """It is refused in few words before anything is sent."""
    ended = CliRunner().invoke(app, ["order", "submit", "BTC_USDT", "buy", f"{option}={text}"])
    assert ended.exit_code == 2
    assert "is not an amount above 0" in " ".join(ended.stderr.replace("\u2502", " ").split())
    assert len(ended.stderr) < 1500


@pytest.mark.parametrize(
    "arguments",
    [
        ("futures.trading.submit_order", "size=1_000"),
        ("futures.trading.submit_order", "size=\u0661"),
        ("spot.market.klines", "after=\u0661\u0662"),
        ("spot.trading.submit_orders", 'orders=[{"size": 1e999999999}]'),
    ],
)
def test_arguments_of_a_call_keep_the_same_rule(arguments: tuple[str, ...]) -> None:
    """Whole numbers, times and numbers inside of JSON."""
    endpoint, word = arguments
    with pytest.raises(typer.BadParameter, match="is not"):
        call_arguments(find(endpoint), [word])


def test_call_lists_every_endpoint() -> None:
    """With path, authority and arguments, the needed ones marked; or those of a chapter; or one with what it takes."""
    every = CliRunner().invoke(app, ["call", "--list"])
    assert every.exit_code == 0
    assert re.search(r"spot\.market\.ticker .*GET /spot/quotation/v3/ticker +\(none\) +symbol\*", every.stdout)
    assert len(every.stdout.splitlines()) >= ENDPOINTS
    chapter = CliRunner().invoke(app, ["call", "futures.trading", "--list"]).stdout.splitlines()
    assert all(line.startswith("futures.trading.") for line in chapter)
    one = CliRunner().invoke(app, ["call", "spot.trading.submit_order", "--list"]).stdout
    assert one.startswith("spot.trading.submit_order: POST /spot/v2/submit_order (signed)\n")
    assert re.search(r"  type +\* limit \| market \| limit_maker \| ioc\n", one)
    assert CliRunner().invoke(app, ["call", "nonsense", "--list"]).exit_code == 2
    found = CliRunner().invoke(app, ["call", "Funding-Rate", "--list"]).stdout.splitlines()
    assert {line.split()[0] for line in found} >= {"futures.market.funding_rate", "futures.market.funding_rates"}


def test_a_retired_endpoint_is_said_to_be_one(cli: Cli) -> None:
    """On standard error, with what to use instead, whether or not the exchange still answers."""
    ended = cli("call", "spot.market.tickers_v2", "--json", keyed=False)
    assert "use " in ended.err
    assert "Traceback" not in ended.err


def test_watch_prints_json_lines(cli: Cli) -> None:
    """Several topics of both markets at once, each line with its topic; exactly as many as the limit says."""
    topics = ("spot/trade:BTC_USDT", "futures/ticker:BTCUSDT", "spot/depth20:BTC_USDT")
    ended = cli("watch", *topics, "--limit", "8", keyed=False)
    assert (ended.code, ended.err) == (0, "")
    messages = [json.loads(line) for line in ended.out.splitlines()]
    assert len(messages) == 8
    assert {message["topic"] for message in messages} <= set(topics)
    for message in messages:
        assert set(message) == {"topic", "data"}
        if message["topic"] == "spot/depth20:BTC_USDT":
            assert set(message["data"]["asks"][0]) == {"price", "size"}


async def test_watch_tells_a_gap_where_it_is(home: str) -> None:
    """A line with "gap" between those with "data", after the line broke."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        async with started("watch", "spot/trade:BTC_USDT", "--env", server.url, home=home) as watch:
            assert "data" in json.loads(await watch.line())
            server.drop_connections()
            while "gap" not in (message := json.loads(await watch.line())):
                pass
            assert message["gap"]["seconds"] > 0
            assert message["gap"]["reason"]
            assert "data" in json.loads(await watch.line())
            await _interrupted(watch)


@pytest.mark.parametrize("symbol", ["BTC_USDT", "BTCUSDT"])
def test_book_prints_json_lines(cli: Cli, symbol: str) -> None:
    """Best levels first, amounts as exact text, of a pair and of a contract."""
    ended = cli("book", symbol, "--limit", "2", "--levels", "3", keyed=False)
    assert (ended.code, ended.err) == (0, "")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [(line["symbol"], line["state"]) for line in lines] == [(symbol, "live")] * 2
    for line in lines:
        bids, asks = ([Decimal(price) for price, _ in line[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert len(bids) == len(asks) == 3
        assert bids[0] < asks[0]


def test_a_book_of_nothing_is_refused(cli: Cli) -> None:
    """A symbol that there is not: one line, and code 1."""
    ended = cli("book", "NO_SUCH", keyed=False)
    assert ended.code == 1
    assert ended.err.startswith("bitmart-trio: SubscriptionRefused: ")


async def test_a_reader_that_leaves_is_no_traceback(home: str) -> None:
    """As in ``bitmart-trio call --list | head -1``."""
    read, write = os.pipe()
    os.close(read)
    async with _exchange() as url:
        arguments = ["watch", "spot/trade:BTC_USDT", "--env", url]
        ended = await trio.run_process(
            [sys.executable, "-m", "bitmart_trio", *arguments], stdout=write, capture_stderr=True, check=False
        )
    os.close(write)
    assert ended.returncode == 1
    assert ended.stderr == b""


async def _interrupted(running: Running) -> None:
    ended = await running.interrupt()
    assert ended.code == 130
    assert ended.err == ""


async def test_ctrl_c_ends_the_demo_at_once(home: str) -> None:
    """In the midst of its streams: exit code 130, no traceback."""
    async with started("demo", "--seconds", "600", home=home) as demo:
        while not (await demo.line()).startswith("trade"):
            pass
        await _interrupted(demo)


async def test_ctrl_c_ends_a_watch_at_once(home: str) -> None:
    """Between two messages: exit code 130, no traceback, and the exchange sees the connection go."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        async with started("watch", "spot/trade:BTC_USDT", "--env", server.url, home=home) as watch:
            assert "price" in await watch.line()
            assert len(server.connections) == 1
            await _interrupted(watch)
        with trio.fail_after(10):
            while server.connections:
                await trio.testing.wait_all_tasks_blocked(0.01)


async def test_ctrl_c_ends_a_call_that_hangs(home: str) -> None:
    """A request that is never answered: exit code 130, no traceback."""
    async with bm.sim.open_server(
        port=0, seed=7, faults=[bm.sim.parse_fault("Delay:path=/system/time,seconds=8")]
    ) as server:
        async with started("call", "spot.system.time", "--env", server.url, home=home) as call:
            while not server.faults.hits["Delay"]:
                await server.faults.changed.wait()
            await _interrupted(call)


async def test_ctrl_c_during_the_imports_is_as_quiet() -> None:
    """Before anything runs: exit code 130, no traceback."""
    script = "import sys; from bitmart_trio.cli import main; sys.argv = ['bitmart-trio', 'demo']; main()"
    # Tells of every module once it is imported, so we know when we are in the midst of it.
    process = await trio.lowlevel.open_process(
        [sys.executable, "-X", "importtime", "-c", script], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stderr is not None
    said = b""
    with trio.fail_after(60):
        async for data in process.stderr:
            if b"typer._click" in data and b"typer._click" not in said:
                process.send_signal(signal.SIGINT)
            said += data
        code = await process.wait()
    assert code == 130
    assert b"Traceback" not in said
    assert b"bitmart_trio.cli.demo" not in said


async def test_sigterm_ends_the_server_tidily(home: str) -> None:
    """What a service manager sends: exit code 143, no traceback."""
    async with started("sim", "--port", "0", home=home) as sim:
        await sim.line()
        ended = await sim.interrupt(signal.SIGTERM)
    assert (ended.code, ended.err) == (143, "")
