"""Every example runs, as the program that it is, against a simulated exchange, and prints what it promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest
import trio
from example_kit import EXAMPLES, OUTPUTS, TESTS, run_test_example, settings
from forked import Forked, forked

import bitmart_trio as bm

PRINTS: Final = {
    "tickers": r"(?:(?:BTC|ETH|BMX)_USDT: last \d+\.\d+, spread 0\.\d+\n){3}",
    "stream_trades": r"(?s)(?:(BTC|ETH)_USDT (buy|sell) \S+ at \S+\n){10}10 trades, \d+\.\d\d USDT\n",
    "place_and_cancel": r"refused with code 50020, trace \S+\nwaiting: buy 0\.01\d* at \d+\.\d+\ncancelled\n",
    "own_orders": r"(?s)example1: .*1 of 1 contracts\n",
    "account_summary": (
        r"(?s)(?=.*fees on BTC_USDT: maker 0\.001, taker 0\.001\n)(?=.*futures USDT: \d+ free, equity \d+\n)"
        r"(?=.*spot USDT: \d+\.\d+ free, \S+ held\n).*"
    ),
    "account_view": (
        r"100000\.0+ USDT free, 0 open orders\n99969\.970+ USDT free, 1 open orders\n"
        r"100000\.0+ USDT free, 0 open orders\n"
    ),
    "batch_orders": r"10 orders placed\n10 asked for, 10 cancelled\n",
    "connection_events": (
        r"spot public: Opened\nspot public: Subscribed spot/ticker:BTC_USDT\n"
        r"spot public: Subscribed spot/ticker:ETH_USDT\n"
        r"futures private: Opened\nfutures private: Authenticated\nfutures private: Subscribed futures/order\n"
    ),
    "custom_signer": r"0 open orders\nlogged in\n2 signatures\n",
    "every_stream": r"(?:(?:spot|futures) [a-z ]+: (?:Spot|Futures)\w+\n){15}2 connections\n",
    "futures_position": r"one contract is 0\.001 BTC\nlong: 3 contracts at \d+\.\d+\nclosed\n",
    "hooks": (
        r"GET /spot/quotation/v3/ticker: 3 calls, worst \d+\.\d ms, quota 3 of 15\n"
        r"GET /spot/quotation/v3/tickers: 1 calls, worst \d+\.\d ms, quota 1 of 10\n"
    ),
    "mind_the_gap": r"10 trades, then the line breaks\nthe line was down: \d+ trades were read over REST\n",
    "order_book": r"(?: *\S+ +\S+ \| \S+ +\S+ *\n){5}one would cost \d+\.\d\d\n10 changes later: version \d+, 0 gaps\n",
    "raw_request": (
        r"BTC_USDT, HTTP 200, quota QuotaUse\(used=\d+, limit=15, window=2\.0, mode='IP'\)\n"
        r"fields without a model: \{\}\nas it came: \{'symbol': 'BTC_USDT', .*\}\n"
    ),
    "archive_account": (
        r"records were read: True\nproven offline: True\nspot fills: [1-9]\d*\n"
        r"archive\.lock, archive\.sqlite, replies\.jsonl, report\.html, report\.json, report\.md\n"
    ),
    "dead_mans_switch": r"fires in \d s unless renewed: True\nopen orders: 1\nswitched off\n",
    "download_history": r"100 klines, then a break\n(?:599|600) klines in all\n",
    "order_session": r"bought \d\S* in [1-9]\d* fills\nresting: OPEN\nleft: 1 cancelled, confirmed: True\n",
    "sim_faults": (r"nobody knows yet; its client order id is mine1\nfound: new\nafter a 429: BTC_USDT\n"),
    "slow_reader": (
        r"conflate: \d+ came, \d+ gone, 0 gaps\ndrop_oldest: \d+ came, \d+ gone, 0 gaps\n"
        r"fail: 5 items were waiting and another arrived \(topics: spot/trade:BTC_USDT\)\n"
    ),
    "through_a_proxy": r"(?:a tunnel to 127\.0\.0\.1:\d+\n[BE]T[CH]_USDT\n){2}",
    "market_maker": (
        r"\d+ quotes, \d+ filled, position -?\d\S*, worth -?\d+\.\d{4} before fees\n"
        r"left: .+ in \d\.\d s\n"
    ),
    "grid": r"\d+ bought, \d+ sold again, -?\d+\.\d{4} made before fees\nleft: .+ in \d\.\d s\n",
    "without_trio": r"(?:\d{4}-\d\d-\d\dT\d\d:00:00Z \d+\.\d+\n){2}(?:(?:BTC|ETH)_USDT (?:buy|sell) \d+\.\d+\n){3}",
    "recorded_day": (
        r"24 h of BTC_USDT: 61200\.00 to 63200\.45, 1140 trades\nbought 3 times, result 257\.41 USDT after fees\n"
    ),
    "virtual_time": r"ten minutes later: bought \d+ times, holding \d\S* BTC and \d\S* USDT\n",
}
"""What each program prints, as a pattern of its whole output."""


def test_every_example_is_known_here() -> None:
    """An example that is not run is not kept."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*PRINTS, *TESTS}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    modules = ("client", "endpoints", "history", "sim.venue", "streams.futures", "streams.spot", "trading")
    with forked(tmp_path_factory.mktemp("examples"), *(f"bitmart_trio.{each}" for each in modules)) as programs:
        yield programs


@pytest.mark.parametrize("name", PRINTS)
async def test_an_example_prints_what_it_promises(name: str, programs: Forked) -> None:
    """It ends by itself, with success, nothing on standard error, and the expected output."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        run = partial(programs.run, str(EXAMPLES / f"{name}.py"), environment=settings(server.url))
        ended = await trio.to_thread.run_sync(run)
    assert ended.err == ""
    assert ended.code == 0
    assert re.fullmatch(PRINTS[name], ended.out), ended.out


@pytest.mark.parametrize("name", TESTS)
def test_an_example_that_is_a_test_passes(name: str) -> None:
    """As a user would run it, in a project of its own."""
    ended = run_test_example(name)
    assert ended.returncode == 0, ended.stdout
    assert re.search(r"\b[1-9]\d* passed", ended.stdout)


@pytest.mark.parametrize("name", PRINTS)
def test_the_output_on_the_site_is_what_an_example_prints(name: str) -> None:
    """What docs/make_examples.py has recorded is what the example promises today."""
    recorded = (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")
    assert re.fullmatch(PRINTS[name], recorded), recorded


def test_the_site_has_no_output_of_an_example_that_is_gone() -> None:
    assert {path.stem for path in OUTPUTS.iterdir()} == {*PRINTS, *TESTS}
