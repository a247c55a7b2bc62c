"""Takes a time-out for "it was not placed", and places the order again."""

from __future__ import annotations

import trio

import bitmart_trio as bm


async def main(client: bm.Client) -> None:
    """Buy a little every few seconds."""
    while True:
        for _ in range(3):
            try:
                await client.spot.trading.submit_order(symbol="BTC_USDT", side="buy", type="market", notional="20")
                break
            except bm.errors.BitMartError:
                await trio.sleep(0.2)
        await trio.sleep(5)
