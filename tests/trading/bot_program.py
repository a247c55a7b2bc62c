"""A bot as a program of its own, for ``test_kill.py``: trades on both markets of a simulated exchange until stopped.

Takes the exchange's URL, a folder for its journals, and perhaps ``plain`` for plain ``trio.run``.
"""

from __future__ import annotations

import random
import signal
import sys
from pathlib import Path

import trio

import bitmart_trio as bm

AFTER = 30


async def trade(session: bm.trading.SpotSession | bm.trading.FuturesSession) -> None:
    """Place, replace and cancel, without end."""
    while True:
        with trio.move_on_after(random.choice((0.002, 0.01, 0.1, 1))):
            if isinstance(session, bm.trading.SpotSession):
                order = await session.submit(side="buy", type="limit", size="0.001", price=random.randint(20000, 40000))
            else:
                order = await session.submit(
                    side=1, size=1, price=random.randint(20000, 40000), leverage=5, open_type="cross"
                )
            if random.random() < 0.3:
                order = await order.replace(price=25000)
            if random.random() < 0.4:
                await order.cancel()
        await trio.sleep(random.choice((0, 0.01, 0.05)))


async def main(url: str, folder: str) -> None:
    """Hold both sessions."""
    key = bm.Credentials("sim-key", "sim-secret", "sim-memo")
    async with (
        bm.open_client(key, environment=bm.Environment.at(url)) as client,
        bm.trading.open_spot_session(client, "BTC_USDT", journal=Path(folder) / "spot.journal") as spot,
        bm.trading.open_futures_session(
            client, "BTCUSDT", journal=Path(folder) / "futures.journal", dead_mans_switch=AFTER
        ) as futures,
        trio.open_nursery() as nursery,
    ):
        for _ in range(2):
            nursery.start_soon(trade, spot)
            nursery.start_soon(trade, futures)


if __name__ == "__main__":
    if "plain" in sys.argv:
        # As on a terminal: a shell that starts a job in the background has it ignore SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        trio.run(main, sys.argv[1], sys.argv[2])
    else:
        bm.trading.run(main, sys.argv[1], sys.argv[2])
