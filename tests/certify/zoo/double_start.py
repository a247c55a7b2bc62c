"""Starts over with a journal of another name each time, as if two of it ran on one key."""

from __future__ import annotations

import random

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"]}


async def main(client: bm.Client) -> None:
    """Rest an order; what an earlier life has left is nobody's."""
    journal = f"bot-{random.random()}.journal"  # this is what is wrong with it
    while True:
        try:
            async with bm.trading.open_spot_session(client, "BTC_USDT", journal=journal) as session:
                while True:
                    order = await session.submit(side="buy", type="limit", size="0.001", price="30000")
                    await trio.sleep(10)
                    await order.cancel()
        except bm.errors.BitMartError:
            await trio.sleep(2)
