"""Believes the first list of positions that it reads after a trade, and never asks again."""

from __future__ import annotations

from contextlib import suppress

import trio

import bitmart_trio as bm

CERTIFY = {"symbols": ["BTCUSDT"]}


async def main(client: bm.Client, journal: str) -> None:
    """Hold a contract for a while, close what the list has said, and again."""
    held = 0
    async with bm.trading.open_futures_session(client, "BTCUSDT", journal=journal) as session:

        async def close() -> None:
            nonlocal held
            if held:
                sold = await session.submit(side=3, type="market", size=held)
                await sold.wait_closed()
                held = 0

        try:
            while True:
                with suppress(bm.errors.BitMartError):
                    await close()
                    bought = await session.submit(side=1, type="market", size=1, leverage=5, open_type="cross")
                    await bought.wait_closed()
                    held = sum(int(row.current_amount) for row in await client.futures.position.positions())
                await trio.sleep(4)
        finally:
            with trio.move_on_after(60, shield=True), suppress(bm.errors.BitMartError):
                await close()
