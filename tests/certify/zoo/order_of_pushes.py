"""Counts its fills by the pushes of its order, and takes the last push for the newest."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import trio

import bitmart_trio as bm

CERTIFY = {"positions": {"BTC_USDT": "0.002"}, "symbols": ["BTC_USDT"]}


async def main(client: bm.Client, journal: str) -> None:
    """Buy and sell the same amount in turn, as far as the pushes say that it was filled."""
    held = Decimal(0)
    filled: dict[str, Decimal] = {}

    async def follow(*, task_status: trio.TaskStatus[None]) -> None:
        nonlocal held
        async with client.streams.spot.user_order("BTC_USDT") as orders:
            task_status.started()
            async for order in orders:
                size = order.filled_size
                change = size - filled.get(order.order_id, Decimal(0))
                filled[order.order_id] = size
                held += change if order.side == "buy" else -change

    async with trio.open_nursery() as nursery:
        await nursery.start(follow)
        async with bm.trading.open_spot_session(client, "BTC_USDT", journal=journal) as session:
            while True:
                with suppress(bm.errors.BitMartError):
                    if held < Decimal("0.002"):
                        await session.submit(side="buy", type="ioc", size="0.001", price="70000")
                    else:
                        await session.submit(side="sell", type="market", size="0.002")
                await trio.sleep(3)
