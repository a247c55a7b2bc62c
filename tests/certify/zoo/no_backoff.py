"""Asks again at once when it was refused for asking too often."""

from __future__ import annotations

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"]}


async def main(client: bm.Client) -> None:
    """Look at the balances, twenty at a time: one of them will get through."""
    while True:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(insist, client)
        await trio.sleep(2)


async def insist(client: bm.Client) -> None:
    """Ask until there is an answer."""
    while True:
        try:
            await client.spot.account.spot_balances()
        except bm.errors.RateLimited:
            continue
        except bm.errors.BitMartError:
            return
        return
