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
from pathlib import Path

import pytest
import trio
import trio.testing
from cli_process import KEYS, Running, bitmart_trio, started

import bitmart_trio as bm


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)


@asynccontextmanager
async def _exchange() -> AsyncIterator[str]:
    async with bm.sim.open_server(port=0, seed=7) as server:
        yield server.url


async def test_the_demo_streams_trades_and_ends(home: str) -> None:
    """Trades, ticker and book come in; one order is filled, one cancelled; the last line counts them."""
    ended = await bitmart_trio("demo", "--seconds", "4", home=home)
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
        url = (await sim.line()).removeprefix("listening on ")
        ended = await bitmart_trio(
            "watch", "--env", url, "--limit", "1", "spot/user/balance:BALANCE_UPDATE", home=home, **KEYS
        )
    assert ended.code == 1
    assert ended.err.startswith("bitmart-trio: AuthenticationError: ")


async def test_a_taken_port_is_one_line(home: str) -> None:
    """No traceback for what is not a bug."""
    async with _exchange() as url:
        ended = await bitmart_trio("sim", "--port", url.rpartition(":")[2], home=home)
    assert ended.code == 1
    assert re.fullmatch(r"bitmart-trio: OSError: .*\n", ended.err)


async def test_call_prints_json(home: str) -> None:
    """The whole payload, amounts as exact text."""
    async with _exchange() as url:
        ended = await bitmart_trio("call", "spot.market.ticker", "symbol=BTC_USDT", "--json", "--env", url, home=home)
    assert (ended.code, ended.err) == (0, "")
    ticker = json.loads(ended.out)
    assert ticker["symbol"] == "BTC_USDT"
    assert re.fullmatch(r"\d+(\.\d+)?", ticker["last_price"])


async def test_call_prints_a_table(home: str) -> None:
    """One row a record, one column a field; arguments are read as the endpoint wants them (``limit`` is an integer)."""
    async with _exchange() as url:
        ended = await bitmart_trio("call", "spot.market.trades", "symbol=BTC_USDT", "limit=3", "--env", url, home=home)
    assert (ended.code, ended.err) == (0, "")
    assert "price" in ended.out
    assert ended.out.count("BTC_USDT") == 3


async def test_call_signs_with_the_key_of_the_environment(home: str) -> None:
    """Credentials come from environment variables; the order that was asked for is placed."""
    async with _exchange() as url:
        words = ("symbol=BTC_USDT", "side=buy", "type=limit", "size=0.01", "price=30000")
        placed = await bitmart_trio(
            "call", "spot.trading.submit_order", *words, "--json", "--env", url, home=home, **KEYS
        )
        waiting = await bitmart_trio("call", "spot.trading.open_orders", "--json", "--env", url, home=home, **KEYS)
    assert (placed.code, placed.err) == (0, "")
    assert [row["order_id"] for row in json.loads(waiting.out)] == [json.loads(placed.out)["order_id"]]


async def test_call_signs_with_the_key_of_a_file(home: str) -> None:
    """A profile of ``~/.bitmart/config.toml`` serves as well."""
    folder = Path(home) / ".bitmart"
    folder.mkdir()
    (folder / "config.toml").write_text('[play]\napi_key = "sim-key"\napi_secret = "sim-secret"\nmemo = "sim-memo"\n')
    async with _exchange() as url:
        arguments = ("call", "spot.account.spot_balances", "--json", "--env", url)
        with_key = await bitmart_trio(*arguments, "--profile", "play", home=home)
        without = await bitmart_trio(*arguments, "--profile", "absent", home=home)
    assert with_key.code == 0
    assert "USDT" in with_key.out
    assert without.code == 1
    assert without.err.startswith("bitmart-trio: MissingCredentials: ")


async def test_a_refusal_is_one_line_and_code_1(home: str) -> None:
    """The exchange's own words, no traceback, no secret."""
    async with _exchange() as url:
        words = ("symbol=BTC_USDT", "side=sell", "type=limit", "size=99999", "price=70000")
        ended = await bitmart_trio("call", "spot.trading.submit_order", *words, "--env", url, home=home, **KEYS)
    assert ended.code == 1
    assert ended.out == ""
    assert re.fullmatch(r"bitmart-trio: InsufficientBalance: 50020 .*\n", ended.err)
    assert "sim-secret" not in ended.err


async def test_nobody_there_is_one_line_and_code_1(home: str) -> None:
    """A connection that cannot be made is told as what it is."""
    ended = await bitmart_trio("call", "spot.system.time", "--env", "http://127.0.0.1:1", home=home)
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
    ],
)
async def test_wrong_usage_is_code_2(home: str, arguments: tuple[str, ...], words: str) -> None:
    """It says what is wrong, on standard error, before anything is sent."""
    ended = await bitmart_trio(*arguments, home=home)
    assert ended.code == 2
    assert words in ended.err + (ended.out if not arguments else "")


async def test_call_lists_every_endpoint(home: str) -> None:
    """With path, authority and arguments, the needed ones marked."""
    ended = await bitmart_trio("call", "--list", home=home)
    assert ended.code == 0
    assert re.search(r"spot\.market\.ticker .*GET /spot/quotation/v3/ticker +\(none\) +symbol\*", ended.out)
    assert re.search(
        r"futures\.trading\.submit_order .*POST /contract/private/submit-order +\(signed\) +symbol\*", ended.out
    )


async def test_watch_prints_a_line_a_message(home: str) -> None:
    """Several topics of both markets at once, each line with its topic, until the limit."""
    async with _exchange() as url:
        ended = await bitmart_trio(
            "watch", "spot/trade:BTC_USDT", "futures/ticker:BTCUSDT", "--limit", "6", "--env", url, home=home
        )
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert len(lines) == 6
    assert all(
        re.match(r"\d\d:\d\d:\d\d\.\d+ (spot/trade:BTC_USDT|futures/ticker:BTCUSDT) \w+=", line) for line in lines
    )


async def test_watch_prints_json(home: str) -> None:
    """One object a line, with the topic and the message."""
    async with _exchange() as url:
        ended = await bitmart_trio("watch", "spot/depth20:BTC_USDT", "--limit", "2", "--json", "--env", url, home=home)
    assert (ended.code, ended.err) == (0, "")
    for line in ended.out.splitlines():
        message = json.loads(line)
        assert message["topic"] == "spot/depth20:BTC_USDT"
        assert set(message["data"]["asks"][0]) == {"price", "size"}


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
            assert "price=" in await watch.line()
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
    script = "import sys; from _bitmart_trio_entry import main; sys.argv = ['bitmart-trio', 'demo']; main()"
    # Tells of every module once it is imported, so we know when we are in the midst of it.
    process = await trio.lowlevel.open_process(
        [sys.executable, "-X", "importtime", "-c", script], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stderr is not None
    said = b""
    with trio.fail_after(60):
        async for data in process.stderr:
            if b"trio._core" in data and b"trio._core" not in said:
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
