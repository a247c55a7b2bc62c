"""Cancels its order at the end of each round, but not when it is asked to end in the middle of one."""

from __future__ import annotations

import trio

import bitmart_trio as bm


async def main(client: bm.Client) -> None:
    """Rest an order, take it back, and again."""
    trading = client.spot.trading
    while True:
        try:
            placed = await trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000"
            )
            await trio.sleep(10)
            await trading.cancel_order(symbol="BTC_USDT", order_id=placed.order_id)
        except bm.errors.BitMartError:
            await trio.sleep(2)
