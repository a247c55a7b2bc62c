"""Read a history page by page, stop in the middle, and go on from the cursor."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTC_USDT"


async def main() -> None:
    """Ten hours of one-minute klines, oldest first, each once."""
    async with bm.open_client(environment=ENVIRONMENT) as client:
        now = bm.from_millis((await client.spot.system.time()).server_time)
        since, until = now - timedelta(hours=10), now
        count = 0
        walker = bm.history.spot_klines(client, SYMBOL, step=1, since=since, until=until)
        async for _ in walker:
            count += 1
            if count == 100:
                break
        kept = json.dumps(walker.cursor)  # what a file would keep until the next run
        print("100 klines, then a break")
        again = bm.history.spot_klines(client, SYMBOL, step=1, since=since, until=until, cursor=json.loads(kept))
        async for batch in again.batches():
            count += len(batch)
        print(f"{count} klines in all")


if __name__ == "__main__":
    trio.run(main)
