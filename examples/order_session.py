"""An order session: orders that are found when their answer is lost, and gone when the program is left."""

from __future__ import annotations

import os
import tempfile
from decimal import Decimal
from pathlib import Path

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTC_USDT"


async def main() -> None:
    """One order is filled, one rests until the block is left. A real bot keeps its journal at a fixed place."""
    journal = Path(tempfile.mkdtemp()) / "bot.journal"
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        last = (await client.spot.market.ticker(SYMBOL)).last_price
        async with bm.trading.open_spot_session(client, SYMBOL, journal=journal, rules="round") as session:
            bought = await session.submit(side="buy", type="market", notional="100")
            with trio.fail_after(30):
                done = await bought.wait_filled()
            print(f"bought {done.filled_size} in {len(bought.fills)} fills")
            resting = await session.submit(side="buy", type="limit", size="0.001", price=last * Decimal("0.8"))
            print("resting:", resting.state.name)
        assert session.report is not None
        print(f"left: {len(session.report.cancelled)} cancelled, confirmed: {session.report.confirmed}")


if __name__ == "__main__":
    bm.trading.run(main)  # SIGINT and SIGTERM leave by the same door
