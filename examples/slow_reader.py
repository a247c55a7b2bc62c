"""A reader that is too slow for its stream: three policies, and the count of what each did."""

from __future__ import annotations

import trio
from trio.testing import MockClock

import bitmart_trio as bm


async def main() -> None:
    """Half a minute of market passes while nobody reads."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        trade, ticker = client.streams.spot.trade, client.streams.spot.ticker
        async with (
            ticker("BTC_USDT") as newest,
            trade("BTC_USDT", buffer=5, overflow="drop_oldest") as latest,
            trade("BTC_USDT", buffer=5, overflow="fail") as strict,
        ):
            await trio.sleep(30)
            for name, stream in (("conflate", newest), ("drop_oldest", latest)):
                counts = stream.statistics()
                print(f"{name}: {counts.received} came, {counts.conflated + counts.dropped} gone, {counts.gaps} gaps")
            try:
                async for _ in strict:
                    pass
            except bm.SubscriberTooSlow as error:
                print("fail:", error)


if __name__ == "__main__":
    trio.run(main, clock=MockClock(autojump_threshold=0))
