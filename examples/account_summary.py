"""What an account holds and what it pays: private REST calls, all at once."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def main() -> None:
    """Ask for everything at the same time; each answer is printed as a whole."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:

        async def spot() -> None:
            for row in await client.spot.account.spot_balances():
                print(f"spot {row.currency}: {row.available:f} free, {row.frozen:f} held")

        async def futures() -> None:
            for asset in await client.futures.account.assets():
                print(f"futures {asset.currency}: {asset.available_balance} free, equity {asset.equity}")

        async def fees() -> None:
            fee = await client.spot.account.trade_fee_rate("BTC_USDT")
            print(f"fees on BTC_USDT: maker {fee.buy_maker_fee_rate}, taker {fee.buy_taker_fee_rate}")

        async with trio.open_nursery() as nursery:
            for each in (spot, futures, fees):
                nursery.start_soon(each)


if __name__ == "__main__":
    trio.run(main)
