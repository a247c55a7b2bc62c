"""Orders of a session on a simulated exchange of its own: many cancelled at once, and one after the other submitted."""

from __future__ import annotations

import tempfile
import time
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import trio

import bitmart_trio as bm

from . import meter

PLAN = meter.plan()
BTC = "BTC_USDT"
KEYS = bm.Credentials("sim-key", "sim-secret", "sim-memo")
"""Whom every simulated exchange knows."""
PACE = 0.055
"""Seconds between two orders: the exchange takes twenty a second."""
FOLDER = Path(__file__).parents[2] / "build"
"""On the disk of the source, since the folder for temporary files is often in memory."""


async def _price(client: bm.Client) -> Decimal:
    """Far below the market: what is ordered there stays open."""
    return (await client.spot.market.ticker(BTC)).last_price.quantize(Decimal(1)) - 5_000


async def _foreign(client: bm.Client, count: int) -> None:
    """Orders that are not the session's."""
    price = str(await _price(client))
    entry = {"side": "buy", "type": "limit", "size": "0.001", "price": price}
    for _ in range(count // 10):
        await client.spot.trading.submit_orders(BTC, [entry] * 10)


async def bulk() -> None:
    """Leave a session that has orders open among those of others."""
    requests = 0

    def count(_: object) -> None:
        nonlocal requests
        requests += 1

    config = bm.Config(hooks=bm.Hooks(on_request=count))
    async with bm.open_client(KEYS, environment=bm.Environment.at(PLAN["url"]), config=config) as client:
        await _foreign(client, PLAN["foreign"])
        price = await _price(client)
        if PLAN.get("raw"):
            ids: list[str] = []
            for _ in range(PLAN["count"] // 10):
                entry = {"side": "buy", "type": "limit", "size": "0.001", "price": price}
                ids += (await client.spot.trading.submit_orders(BTC, [entry] * 10)).order_ids
            requests, began = 0, time.perf_counter()
            for first in range(0, len(ids), 10):
                await client.spot.trading.cancel_orders(BTC, order_ids=ids[first : first + 10])
            took = time.perf_counter() - began
        else:
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(bm.trading.open_spot_session(client, BTC))
                for _ in range(PLAN["count"]):
                    await session.submit(side="buy", type="limit", size="0.001", price=price)
                requests, began = 0, time.perf_counter()
                await stack.aclose()
                took = time.perf_counter() - began
            assert session.report is not None
            assert len(session.report.cancelled) == PLAN["count"]
        meter.report(elapsed=took, cpu=0.0, count=PLAN["count"], requests=requests, read="")


async def submit() -> None:
    """Submit one order after the other; what each takes until it is accepted."""
    took: list[int] = []
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        journal = Path(folder) / "bot.journal" if PLAN["journal"] else None
        async with (
            bm.open_client(KEYS, environment=bm.Environment.at(PLAN["url"])) as client,
            bm.trading.open_spot_session(client, BTC, journal=journal) as session,
        ):
            price = await _price(client)
            for number in range(PLAN["count"] + 5):
                began = time.perf_counter_ns()
                order = await session.submit(side="buy", type="limit", size="0.001", price=price)
                if number >= 5:
                    took.append(time.perf_counter_ns() - began)
                await order.cancel()
                await trio.sleep(PACE)
    meter.report(cpu=0.0, count=len(took), read="", **meter.percentiles(took, 1e-9))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    trio.run({"bulk": bulk, "submit": submit}[PLAN["do"]])
