"""One item of every public channel, spot and futures, on as few connections as it takes."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from typing import Any

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def show(name: str, opening: AbstractAsyncContextManager[bm.Subscription[Any]]) -> None:
    """Print the type of the first item."""
    async with opening as subscription:
        item = await subscription.receive()
        print(f"{name}: {type(item).__name__}")


async def main() -> None:
    """A task a channel; all of them share the client's sockets."""
    async with bm.open_streams(environment=ENVIRONMENT) as streams:
        spot, futures = streams.spot, streams.futures
        openings: dict[str, AbstractAsyncContextManager[bm.Subscription[Any]]] = {
            "spot ticker": spot.ticker("BTC_USDT"),
            "spot kline": spot.kline("BTC_USDT", interval="1m"),
            "spot depth": spot.depth("BTC_USDT", level=20),
            "spot depth increase": spot.depth_increase("BTC_USDT"),
            "spot trade": spot.trade("BTC_USDT"),
            "spot book ticker": spot.book_ticker("BTC_USDT"),
            "futures ticker": futures.ticker("BTCUSDT"),
            "futures tickers": futures.tickers(),
            "futures depth": futures.depth("BTCUSDT", level=20),
            "futures depth all": futures.depth_all("BTCUSDT", level=20),
            "futures depth increase": futures.depth_increase("BTCUSDT", level=20),
            "futures book ticker": futures.book_ticker("BTCUSDT"),
            "futures trade": futures.trade("BTCUSDT"),
            "futures kline": futures.kline("BTCUSDT", interval="1m"),
            "futures mark price kline": futures.mark_price_kline("BTCUSDT", interval="1m"),
        }
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for name, opening in openings.items():
                    nursery.start_soon(show, name, opening)
        print(f"{streams.statistics().connections} connections")


if __name__ == "__main__":
    trio.run(main)
