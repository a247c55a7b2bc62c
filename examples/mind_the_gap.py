"""A connection breaks: the gap is in the data, where it happened, and is filled over REST."""

from __future__ import annotations

import trio

import bitmart_trio as bm


async def main() -> None:
    """In a process of its own, since it breaks the line on purpose."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades:
            with trio.fail_after(60):
                seen = 0
                async for item in trades:
                    match item:
                        case bm.Backfilled(count=count):
                            print(f"the line was down: {count} trades were read over REST")
                            break
                        case bm.Gap(since=since, until=until):
                            print(f"{until - since:.1f} s are missing")
                            break
                        case _:
                            seen += 1
                            if seen == 10:
                                print("10 trades, then the line breaks")
                                exchange.drop_connections()


if __name__ == "__main__":
    trio.run(main)
