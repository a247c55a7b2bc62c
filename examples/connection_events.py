"""What happens to the connections, as a log of its own."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def main() -> None:
    """The events are a subscription too; one task reads them, another uses the streams."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        async with client.streams.events() as events:
            async with client.streams.spot.ticker("BTC_USDT", "ETH_USDT"), client.streams.futures.order():
                pass
            for _ in range(events.statistics().buffer_used):
                event = events.receive_nowait()
                kind = "private" if event.private else "public"
                topic = f" {event.topic}" if isinstance(event, bm.models.Subscribed) else ""
                print(f"{event.market} {kind}: {type(event).__name__}{topic}")


if __name__ == "__main__":
    trio.run(main)
