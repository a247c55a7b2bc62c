"""Watch your own futures orders change while another task trades."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTCUSDT"


async def trade(client: bm.Client) -> None:
    """Open a small long position, at the market."""
    await client.futures.trading.submit_order(
        symbol=SYMBOL, side=1, type="market", size=1, leverage="10", open_type="cross", client_order_id="example1"
    )


async def main() -> None:
    """Subscribe first, then trade: nothing can be missed in between."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        async with client.streams.futures.order() as updates, trio.open_nursery() as nursery:
            nursery.start_soon(trade, client)
            with trio.fail_after(30):
                async for update in updates:
                    order = update.order
                    print(
                        f"{order.client_order_id}: {update.event.name}, {order.filled_size} of {order.size} contracts"
                    )
                    if order.filled_size == order.size:
                        break


if __name__ == "__main__":
    trio.run(main)
