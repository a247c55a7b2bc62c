"""Catches everything, so its own cancellation too, and goes on."""

from __future__ import annotations

import trio

import bitmart_trio as bm


async def main(client: bm.Client) -> None:
    """Look at the price for ever."""
    while True:
        try:
            await client.spot.market.ticker("BTC_USDT")
            await trio.sleep(5)
        except BaseException:  # noqa: ASYNC103, BLE001  # this is what is wrong with it
            pass
