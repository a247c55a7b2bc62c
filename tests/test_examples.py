"""Every example runs, as the program that it is, against a simulated exchange, and prints what it promises."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest
import trio

import bitmart_trio as bm

EXAMPLES: Final = Path(__file__).parent.parent / "examples"

PRINTS: Final = {
    "tickers": r"(?:(?:BTC|ETH|BMX)_USDT: last \d+\.\d+, spread 0\.\d+\n){3}",
    "stream_trades": r"(?s)(?:(BTC|ETH)_USDT (buy|sell) \S+ at \S+\n){10}10 trades, \d+\.\d\d USDT\n",
    "place_and_cancel": r"refused with code 50020, trace \S+\nwaiting: buy 0\.01\d* at \d+\.\d+\ncancelled\n",
    "own_orders": r"(?s)example1: .*1 of 1 contracts\n",
    "virtual_time": r"ten minutes later: bought \d+ times, holding \d\S* BTC and \d\S* USDT\n",
}
"""What each program prints, as a pattern of its whole output."""


def test_every_example_is_known_here() -> None:
    """An example that is not run is not kept."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(PRINTS)


@pytest.mark.parametrize("name", PRINTS)
async def test_an_example_prints_what_it_promises(name: str) -> None:
    """It ends by itself, with success, nothing on standard error, and the expected output."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        environment = {
            **os.environ,
            "BITMART_URL": server.url,
            "BITMART_API_KEY": "sim-key",
            "BITMART_API_SECRET": "sim-secret",
            "BITMART_API_MEMO": "sim-memo",
            "PYTHONWARNINGS": "error",
        }
        with trio.fail_after(120):
            ended = await trio.run_process(
                [sys.executable, str(EXAMPLES / f"{name}.py")],
                env=environment,
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
    assert ended.stderr.decode() == ""
    assert ended.returncode == 0
    assert re.fullmatch(PRINTS[name], ended.stdout.decode()), ended.stdout.decode()
