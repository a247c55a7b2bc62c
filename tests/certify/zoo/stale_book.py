"""Keeps the best prices that it saw last, and trades on them whether or not the book is live."""

from __future__ import annotations

from decimal import Decimal

import trio

import bitmart_trio as bm

CERTIFY = {"positions": {}, "symbols": ["BTC_USDT"]}


async def main(client: bm.Client, journal: str) -> None:
    """Buy a little below the best bid, and take it back."""
    async with (
        client.streams.spot.order_book("BTC_USDT") as book,
        bm.trading.open_spot_session(client, "BTC_USDT", journal=journal) as session,
    ):
        await book.wait_live()
        best = Decimal(0)
        while True:
            if book.state is bm.BookState.LIVE and book.best_bid is not None:
                best = book.best_bid.price
            try:
                order = await session.submit(
                    side="buy", type="limit", size="0.001", price=(best * Decimal("0.99")).quantize(Decimal("0.01"))
                )
                await trio.sleep(1)
                await order.cancel()
            except bm.errors.BitMartError:
                await trio.sleep(1)
