"""The whole account, as far as the exchange tells it, in SQLite and JSON lines, with a report and an offline proof."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import trio

import bitmart_trio as bm
from bitmart_trio.history.archive import archive, verify

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SETTLE = float(os.environ.get("ARCHIVE_SETTLE", "60"))  # seconds until the exchange lists its newest records


async def main() -> None:
    """A day of it here, so that the example is short; without ``since`` it begins when the account was opened."""
    directory = Path(tempfile.mkdtemp()) / "my-account"
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        await client.spot.trading.submit_order(symbol="BTC_USDT", side="buy", type="market", notional="100")
        now = bm.from_millis((await client.spot.system.time()).server_time)
        # A real archive is made with a key that can only read; the simulated exchange's can do everything.
        report = await archive(client, directory, since=now - timedelta(days=1), allow_trading_key=True, settle=SETTLE)
        print("records were read:", report.records > 0)
    print("proven offline:", verify(directory).proven)
    with closing(sqlite3.connect(directory / "archive.sqlite")) as database:
        (fills,) = database.execute("select count(*) from spot_trading_trades").fetchone()
        print("spot fills:", fills)
    print(", ".join(sorted(path.name for path in directory.iterdir() if path.suffix)))


if __name__ == "__main__":
    trio.run(main)
