"""Everything that came with a reply: its headers, its quota, fields without a model, and paths without a method."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def main() -> None:
    """`call` gives the whole reply of an endpoint, `request` sends to any path."""
    async with bm.open_spot(environment=ENVIRONMENT) as spot:
        reply = await spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT")
        print(f"{reply.data.symbol}, HTTP {reply.http_status}, quota {reply.quota}")
        print("fields without a model:", bm.extras(reply))
        raw = await spot.request("GET", "/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"})
        print("as it came:", raw.data)


if __name__ == "__main__":
    trio.run(main)
