"""What an archive of many records takes: ``python -m tests.bench.archive_size [--records 100000]``.

Each stage is a process of its own over the same archive: time, processor time, and the most memory that it ever had.
The stage ``nothing`` has only imported what the others import. No network, no exchange: the replies are made here.
"""

# ruff: noqa: T201  # a program: it prints
from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bitmart_trio.history.archive._check import verify
from bitmart_trio.history.archive._entries import Asked, HistoryEnded, ReplyCame, State, WindowDecided
from bitmart_trio.history.archive._export import export
from bitmart_trio.history.archive._reader import Reader
from bitmart_trio.history.archive._writer import Store, rebuild

KINDS: Final = ("spot.trading.trades", "futures.account.transaction_history")
SINCE: Final = 1_600_000_000_000
A_REPLY: Final = 190
A_RECORD: Final = 1000
"""Milliseconds from one record to the next."""


def fill(number: int) -> dict[str, object]:
    """A spot fill on the wire."""
    return {
        "tradeId": str(10**17 + number), "orderId": str(2 * 10**17 + number // 3), "clientOrderId": f"bot{number}",
        "symbol": ("BTC_USDT", "ETH_USDT", "LTC_USDT")[number % 3], "side": "buy" if number % 2 else "sell",
        "orderMode": "spot", "type": "limit", "stpMode": "none", "price": f"{30_000 + number % 977}.25",
        "size": f"0.{number % 9999:05}1", "notional": "39.99900000", "fee": "0.03999900", "feeCoinName": "USDT",
        "tradeRole": "taker", "createTime": SINCE + number * A_RECORD, "updateTime": SINCE + number * A_RECORD,
    }  # fmt: skip


def entry(number: int) -> dict[str, object]:
    """A futures ledger entry on the wire; every third shares its id with the next."""
    time_ = SINCE + number * A_RECORD
    return {
        "time": str(time_), "type": "Funding Fee", "amount": f"-0.{number % 9999:06}1", "asset": "USDT",
        "symbol": "BTCUSDT", "tran_id": str(SINCE + number // 3), "flow_type": 3,
    }  # fmt: skip


def write(directory: Path, records: int) -> None:
    """Half fills, half ledger entries, through the store as a run does it."""
    with Store(directory, resume=False) as store:
        until = SINCE + records * A_RECORD
        store.begin("1", SINCE, until)
        store.run_began(until)
        for name, make in zip(KINDS, (fill, entry), strict=True):
            store.plan_history(name, name, {}, SINCE, until)
            half = records // 2
            for first in range(0, half, A_REPLY):
                last = min(first + A_REPLY, half)
                since, stop = SINCE + first * A_RECORD, until if last == half else SINCE + last * A_RECORD
                body = json.dumps(
                    {"code": 1000, "message": "OK", "trace": "t", "data": [make(each) for each in range(first, last)]}
                )
                came = ReplyCame(name, name, "GET", "/x", None, until, 200, {}, body.encode(), Asked(since, stop))
                told = store.reply(came)
                store.decide(WindowDecided(name, since, stop, State.ANSWERED, (told,), cursor={"at": stop}))
            store.end_history(HistoryEnded(name, State.ANSWERED))
        # No end of the run: it would have asked for much more than these two.


def read(directory: Path) -> None:
    """Every record of every kind, as the exports do it."""
    with Reader(directory) as reader:
        for kind in reader.kinds():
            for _ in reader.records(kind):
                pass


def prove(directory: Path) -> None:
    """A verification that finds nothing."""
    found = verify(directory)
    if found.problems:
        raise SystemExit(f"not proven: {found.problems[:3]}")


def stages(records: int) -> dict[str, Callable[[Path], object]]:
    """What is measured, in this order."""
    return {
        "nothing": lambda directory: None,
        "write": lambda directory: write(directory, records),
        "read": read,
        "rebuild": rebuild,
        "verify": prove,
        "export": lambda directory: export(directory, directory.parent / "tables", format="csv"),
    }


def measure(stage: str, directory: Path, records: int) -> dict[str, float]:
    """One stage in a process of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bench.archive_size",
            "--records",
            str(records),
            "--stage",
            stage,
            "--directory",
            str(directory),
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(arguments: list[str]) -> None:
    """Measure all stages and print them, or run one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.stage:
        wall, cpu = time.perf_counter(), time.process_time()
        stages(given.records)[given.stage](given.directory)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "memory": most}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "archive"
        print(f"{given.records} records\n{'stage':10}{'seconds':>10}{'processor':>11}{'most memory':>13}")
        for stage in stages(given.records):
            found = measure(stage, directory, given.records)
            print(f"{stage:10}{found['wall']:10.1f}{found['cpu']:11.1f}{found['memory']:10.0f} MB")
        for path in sorted(directory.iterdir()):
            print(f"{path.name:20}{path.stat().st_size / 1e6:8.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
