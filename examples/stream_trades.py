"""Follow the trades of two pairs, and stop after ten."""

from __future__ import annotations

import os
from decimal import Decimal

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
WANTED = 10


async def main() -> None:
    """Print trades and the value they add up to."""
    turnover = Decimal(0)
    async with bm.open_streams(environment=ENVIRONMENT) as streams:
        async with streams.spot.trade("BTC_USDT", "ETH_USDT") as trades:
            with trio.fail_after(30):
                async for trade in trades:
                    turnover += trade.price * trade.size
                    print(f"{trade.symbol} {trade.side} {trade.size} at {trade.price}")
                    if trades.statistics().delivered == WANTED:
                        break
            print(f"{trades.statistics().delivered} trades, {turnover:.2f} USDT")


if __name__ == "__main__":
    trio.run(main)
