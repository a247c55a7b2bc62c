"""Starts its watcher outside of any nursery of its own, and never ends it."""

from __future__ import annotations

from contextlib import suppress

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"]}


async def main(client: bm.Client) -> None:
    """Look at the price, beside a task that nobody owns."""
    trio.lowlevel.spawn_system_task(trio.sleep_forever, name="watcher")
    while True:
        with suppress(bm.errors.BitMartError):
            await client.spot.market.ticker("BTC_USDT")
        await trio.sleep(5)
