"""Whole programs in miniature: the command line's help, a virtual day, a table, an archive."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

import bitmart_trio as bm

from . import meter

PLAN = meter.plan()
BTC = "BTC_USDT"


def _processor(command: Sequence[str]) -> float:
    """The processor time of a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def help_() -> None:
    """What `bitmart-trio --help` takes more than a program that does nothing."""
    command = ["-m", "bitmart_trio", "--help"]
    _processor(command)  # compiles what is imported
    more = sum(_processor(command) - _processor(["-c", "pass"]) for _ in range(PLAN["count"]))
    meter.report(cpu=more, count=PLAN["count"], read="")


def virtual_day() -> None:
    """A bot and its exchange; a short piece of a day, and what the whole day would take."""
    pairs = None
    if PLAN["symbols"] != 6:
        pairs = [bm.sim.SpotPair(f"C{number}_USDT", price=30_000) for number in range(PLAN["symbols"])]
    symbol = BTC if pairs is None else pairs[0].symbol

    async def follow(items: Any) -> None:
        async with items as subscription:
            async for _ in subscription:
                pass

    async def live() -> None:
        async with (
            bm.sim.open_exchange(seed=7, tick_seconds=0.1, symbols=pairs) as exchange,
            exchange.open_client() as client,
            trio.open_nursery() as nursery,
        ):
            streams = client.streams.spot
            nursery.start_soon(follow, streams.ticker(symbol))
            if PLAN["follow"] == "book":
                nursery.start_soon(follow, streams.order_book(symbol))
            await trio.sleep(60)
            began = time.process_time()
            until = trio.current_time() + PLAN["hours"] * 3600
            while trio.current_time() < until:
                price = (await client.spot.market.ticker(symbol)).last_price
                await client.spot.trading.submit_order(
                    symbol=symbol,
                    side="buy",
                    type="limit",
                    size="0.001",
                    price=(price * Decimal("0.9")).quantize(Decimal("0.01")),
                )
                await trio.sleep(60)
            meter.report(cpu=(time.process_time() - began) * 24 / PLAN["hours"], count=1, read="")
            nursery.cancel_scope.cancel()

    trio.run(live, clock=MockClock(autojump_threshold=0))


def parquet() -> None:
    """Records that lie in a file of lines, to a table with exact decimals, as `history.export` ends."""
    from bitmart_trio.history import _parquet
    from bitmart_trio.models.futures_market import FuturesKline

    count = PLAN["count"]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "klines.jsonl"
        with lines.open("w") as file:
            for number in range(count):
                file.write(
                    f'{{"timestamp":{1709024640 + 60 * number},"open_price":"30000.10","high_price":"30010.20",'
                    f'"low_price":"29990.30","close_price":"{30000 + number % 500 / 100:.2f}","volume":"582"}}\n'
                )
        watch = meter.Meter()
        watch.start()
        _parquet.write_lines(lines, Path(folder) / "klines.parquet", FuturesKline)
        watch.stop(count, read="")


def verify() -> None:
    """An archive that is in order."""
    from bitmart_trio.history.archive._writer import rebuild

    from . import archive_size

    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "archive"
        archive_size.write(directory, PLAN["count"])
        rebuild(directory)
        watch = meter.Meter()
        watch.start()
        archive_size.prove(directory)
        watch.stop(PLAN["count"], read="")


if __name__ == "__main__":
    {"help": help_, "virtual_day": virtual_day, "parquet": parquet, "verify": verify}[PLAN["do"]]()
