"""Open a futures position at the market, look at it, and close it again."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTCUSDT"
OPEN_LONG, CLOSE_LONG = 1, 3


async def main() -> None:
    """Sizes are contracts: how much of the coin one is stands in the contract's details."""
    async with bm.open_futures(bm.Credentials.from_env(), environment=ENVIRONMENT) as futures:
        (details,) = await futures.market.contracts(SYMBOL)
        print(f"one contract is {details.contract_size} {details.base_currency}")
        await futures.trading.submit_order(
            symbol=SYMBOL, side=OPEN_LONG, type="market", size=3, leverage="5", open_type="isolated"
        )
        for position in await futures.position.positions_v2(SYMBOL):
            if position.current_amount:
                print(f"{position.position_side}: {position.current_amount} contracts at {position.entry_price}")
        await futures.trading.submit_order(symbol=SYMBOL, side=CLOSE_LONG, type="market", size=3)
        left = [position for position in await futures.position.positions_v2(SYMBOL) if position.current_amount]
        print("closed" if not left else f"still open: {left}")


if __name__ == "__main__":
    trio.run(main)
