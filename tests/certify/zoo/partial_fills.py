"""Takes an order that has traded for one that is filled whole, and closes what it believes to hold."""

from __future__ import annotations

from contextlib import suppress

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTCUSDT"]}
SIZE = 5_000


async def main(client: bm.Client, journal: str) -> None:
    """Open a long with an order that takes what is there, and close the same size; whatever was filled."""
    async with bm.trading.open_futures_session(client, "BTCUSDT", journal=journal) as session:
        while True:
            with suppress(bm.errors.BitMartError):
                (contract,) = await client.futures.market.contracts("BTCUSDT")
                price = contract.last_price
                bought = await session.submit(
                    side=1, type="limit", mode=3, size=SIZE, price=price, leverage=5, open_type="cross"
                )
                done = await bought.wait_closed()
                if done.filled_size:
                    sold = await session.submit(side=3, type="market", size=SIZE)
                    await sold.wait_closed()
            await trio.sleep(5)
