"""Metrics without a framework: how long calls take and how much of each quota is used."""

from __future__ import annotations

import os
from collections import defaultdict

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


class Meter:
    """Collects what the hooks tell."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.quota: dict[str, str] = {}

    def replied(self, reply: bm.models.CallReplied) -> None:
        """Called at the end of every try; must not block."""
        self.seconds[reply.request.endpoint].append(reply.seconds)
        self.quota[reply.request.endpoint] = f"{reply.quota_used} of {reply.quota_limit}"


async def main() -> None:
    """Some calls, then the figures."""
    meter = Meter()
    config = bm.Config(hooks=bm.Hooks(on_reply=meter.replied))
    async with bm.open_spot(environment=ENVIRONMENT, config=config) as spot:
        for symbol in ("BTC_USDT", "ETH_USDT", "BMX_USDT"):
            await spot.market.ticker(symbol)
        await spot.market.tickers()
    for endpoint, seconds in meter.seconds.items():
        print(f"{endpoint}: {len(seconds)} calls, worst {max(seconds) * 1000:.1f} ms, quota {meter.quota[endpoint]}")


if __name__ == "__main__":
    trio.run(main)
