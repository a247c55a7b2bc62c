"""Begins anew at once whenever its stream ends, and goes on beginning while nothing has changed."""

from __future__ import annotations

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTC_USDT"]}


async def main(client: bm.Client) -> None:
    """Follow the connection, and act while it is up."""
    async with client.streams.spot.order_book("BTC_USDT") as book:
        await book.wait_live()
        while True:
            if book.state is not bm.BookState.LIVE:
                await trio.lowlevel.checkpoint()  # "try again at once"
                continue
            await trio.sleep(0.5)
