"""``bitmart-trio sim``: symbols, tapes, a held clock, and a log, from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing
from typer.testing import CliRunner

from bitmart_trio.cli.app import app
from bitmart_trio.cli.sim import Wishes, serve


@contextmanager
def serving(*arguments: str) -> Iterator[httpx.Client]:
    """The command as a person starts it, and an HTTP client for it; ended by SIGINT."""
    command = [sys.executable, "-W", "error", "-m", "bitmart_trio", "sim", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with httpx.Client(base_url=process.stdout.readline().split()[-1]) as client:
                yield client
        finally:
            process.terminate()


def test_a_tape_is_played_step_by_step_and_logged(tmp_path: Path) -> None:
    """With --tape the symbols are the tape's, with --hold nothing happens before a step, and --log gets it all."""
    tape, log = tmp_path / "tape.jsonl", tmp_path / "log.jsonl"
    moments = [
        {"ms": 1_767_225_600_000 + ms, "symbol": "SOL_USDT", "price": price, "size": "2.5", "side": "buy"}
        for ms, price in ((0, "150.5"), (700, "151"), (5_000, "152.25"))
    ]
    tape.write_text("\n".join(map(json.dumps, moments)))
    with serving("--tape", str(tape), "--hold", "--log", str(log)) as client:
        assert client.get("/spot/v1/symbols").json()["data"]["symbols"] == ["SOL_USDT"]
        first = client.get("/sim/clock").json()["now_ms"]
        client.post("/sim/clock", json={"step_ms": 1_000})
        trades = client.get("/spot/quotation/v3/trades", params={"symbol": "SOL_USDT"}).json()["data"]
        assert [(int(row[1]) - first, float(row[2])) for row in trades[:2]] == [(700, 151.0), (0, 150.5)]
        assert client.get("/sim/clock").json()["now_ms"] == first + 1_000
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["price"] for line in lines if line["kind"] == "match"] == ["150.5", "151"]
    assert [line["path"] for line in lines if line["kind"] == "request"] == [
        "/spot/v1/symbols",
        "/spot/quotation/v3/trades",
    ]


def test_a_name_is_allowed() -> None:
    """With --allow-host; the others stay refused."""
    with serving("--allow-host", "Exchange.lab.example") as client:
        for host, status in (("exchange.lab.example", 200), ("other.lab.example", 403)):
            assert client.get("/system/time", headers={"Host": host}).status_code == status


async def test_symbols_are_listed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """As often as the option is given; their market lives."""
    wishes = Wishes(
        host="127.0.0.1", port=0, seed=1, faults=[], symbols=["DOGE_USDT", "DOGEUSDT"], tape=None, tick=0.5, hold=False,
        log=None,
    )  # fmt: skip
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, wishes)
        await trio.testing.wait_all_tasks_blocked(0.02)
        async with httpx.AsyncClient(base_url=capsys.readouterr().out.split()[-1]) as client:
            assert (await client.get("/spot/v1/symbols")).json()["data"]["symbols"] == ["DOGE_USDT"]
            row = (await client.get("/contract/public/details")).json()["data"]["symbols"][0]
            assert (row["symbol"], row["base_currency"]) == ("DOGEUSDT", "DOGE")
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--symbol", "nonsense"], "--symbol"),
        (["--tape", "nowhere.jsonl"], "--tape"),
        (["--tick", "0"], "--tick"),
    ],
)
def test_what_cannot_be_is_wrong_usage(arguments: list[str], option: str) -> None:
    """Exit code 2 and the option's name, before anything is opened."""
    ended = CliRunner().invoke(app, ["sim", *arguments], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert ended.exit_code == 2
    assert option in ended.output


def test_models_are_chosen_by_words() -> None:
    """Fees show, an order takes its time to the book, and a wrong word is answered with the right ones."""
    with serving("--fees", "0.0010:0.0025", "--latency", "fixed:1500ms", "--fills", "queue") as client:
        rates = client.get("/spot/v1/trade_fee", params={"symbol": "BTC_USDT"}, headers={"X-BM-KEY": "sim-key"}).json()[
            "data"
        ]
        assert (rates["buy_maker_fee_rate"], rates["buy_taker_fee_rate"]) == ("0.0010", "0.0025")
        assert client.get("/system/time").elapsed.total_seconds() > 1.4
    for option, word, says in (
        ("--fees", "cheap", "zero"),
        ("--latency", "50", "fixed:50ms"),
        ("--fills", "all", "queue"),
        ("--funding", "high", "constant:0.0001"),
        ("--margin", "none", "flat:0.005"),
    ):
        result = CliRunner().invoke(app, ["sim", option, word], env={"COLUMNS": "200"})
        assert result.exit_code == 2
        assert option in result.output
        assert says in result.output


def test_another_venue() -> None:
    """With --venue generic the same exchange speaks another protocol; its page and controls stay."""
    with serving("--venue", "generic", "--symbol", "SOL_USDT") as client:
        assert [row["symbol"] for row in client.get("/v1/markets").json()] == ["SOL_USDT"]
        assert client.get("/v1/balances", auth=("sim-key", "sim-secret")).json()["spot"][0]["currency"] == "USDT"
        assert client.get("/spot/v1/symbols").status_code == 404
        assert client.get("/sim/state").json()["symbols"] == ["SOL_USDT"]
