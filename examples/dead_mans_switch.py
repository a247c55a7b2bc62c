"""A dead man's switch: if this program dies, the exchange cancels its futures orders."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTCUSDT"


async def main() -> None:
    """The timer is renewed while the block is open, and switched off when it is left in peace."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        async with bm.trading.dead_mans_switch(client, SYMBOL, after=6) as switch:
            await client.futures.trading.submit_order(
                symbol=SYMBOL, side=1, type="limit", size=1, price="30000", leverage="5", open_type="isolated"
            )
            await trio.sleep(3)  # long enough for a renewal
            print(f"fires in {switch.fires_in:.0f} s unless renewed: {switch.fires_in > 3}")
            print("open orders:", len(await client.futures.trading.open_orders(SYMBOL)))
            await client.futures.trading.cancel_all_orders(SYMBOL)
        print("switched off")


if __name__ == "__main__":
    trio.run(main)
