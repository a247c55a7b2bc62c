"""Orders, balances and positions in one live view, reconciled with the exchange."""

from __future__ import annotations

import os
from collections.abc import Callable

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def until(account: bm.SpotAccountView, condition: Callable[[], bool]) -> None:
    """Follow the view until something holds: what one has done is seen when the exchange pushes it."""
    await trio.lowlevel.checkpoint()
    while not condition():
        await anext(account)


async def main() -> None:
    """The view is read like a dictionary; iterating it yields what changed."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        async with client.streams.spot.account() as account:
            with trio.fail_after(30):
                await account.wait_live()
                print(f"{account.balances['USDT'].available} USDT free, {len(account.orders)} open orders")
                before = account.balances["USDT"].available
                placed = await client.spot.trading.submit_order(
                    symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000"
                )
                await until(account, lambda: bool(account.orders) and account.balances["USDT"].available != before)
                print(f"{account.balances['USDT'].available} USDT free, {len(account.orders)} open orders")
                await client.spot.trading.cancel_order(symbol="BTC_USDT", order_id=placed.order_id)
                await until(account, lambda: not account.orders and account.balances["USDT"].available == before)
                print(f"{account.balances['USDT'].available} USDT free, {len(account.orders)} open orders")


if __name__ == "__main__":
    trio.run(main)
