"""A live order book: best prices, what an order would cost, and what changed."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTC_USDT"


async def main() -> None:
    """A book is right, or says that it is not: reading a stale one raises `BookNotLive`."""
    async with bm.open_streams(environment=ENVIRONMENT) as streams, streams.spot.order_book(SYMBOL) as book:
        with trio.fail_after(30):
            await book.wait_live()
            for bid, ask in zip(book.bids[:5], book.asks[:5], strict=True):
                print(f"{bid.size:>12} {bid.price:>12} | {ask.price:<12} {ask.size:<12}")
            average = book.vwap("buy", "1")
            print("too little is offered" if average is None else f"one would cost {average:.2f}")
            changes = 0
            async for change in book:
                changes += 1
                if changes == 10:
                    print(f"10 changes later: version {change.version}, {book.statistics().gaps} gaps")
                    break


if __name__ == "__main__":
    trio.run(main)
