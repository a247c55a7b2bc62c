"""A sound bot, as small as one can be: an order that rests, and is moved now and then, in a session with a journal."""

from __future__ import annotations

from decimal import Decimal

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"], "sizes": {"BTC_USDT": "0.002"}}
LATER = (bm.errors.BitMartError,)


async def main(client: bm.Client, journal: str) -> None:
    """Keep one order a little below the market."""
    while True:
        try:
            async with bm.trading.open_spot_session(client, "BTC_USDT", journal=journal) as session:
                while True:
                    last = (await client.spot.market.ticker("BTC_USDT")).last_price
                    price = (last * Decimal("0.99")).quantize(Decimal("0.01"))
                    order = await session.submit(side="buy", type="limit", size="0.001", price=price)
                    await trio.sleep(10)
                    await order.cancel()
        except LATER:
            await trio.sleep(2)
