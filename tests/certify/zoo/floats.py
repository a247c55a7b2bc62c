"""Calculates prices and sizes in floats."""

from __future__ import annotations

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"]}


async def main(client: bm.Client, journal: str) -> None:
    """Quote a little below the last price."""
    async with bm.trading.open_spot_session(client, "BTC_USDT", journal=journal, rules=None) as session:
        size = 0.0
        while True:
            size = size + 0.0001 if size < 0.001 else 0.0005
            try:
                last = float((await client.spot.market.ticker("BTC_USDT")).last_price)
                order = await session.submit(side="buy", type="limit", size=str(size), price=str(last * 0.97))
                await trio.sleep(3)
                await order.cancel()
            except bm.errors.BitMartError:
                await trio.sleep(1)
