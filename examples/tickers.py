"""Read the tickers of several pairs at once."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def main() -> None:
    """Ask for all pairs side by side; print each as its reply comes in."""
    async with bm.open_spot(environment=ENVIRONMENT) as spot:

        async def show(symbol: str) -> None:
            ticker = await spot.market.ticker(symbol)
            spread = ticker.ask_price - ticker.bid_price  # Decimal: exact
            print(f"{symbol}: last {ticker.last_price}, spread {spread}")

        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                for symbol in ("BTC_USDT", "ETH_USDT", "BMX_USDT"):
                    nursery.start_soon(show, symbol)


if __name__ == "__main__":
    trio.run(main)
