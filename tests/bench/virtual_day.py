"""What a day of virtual time costs: ``python -m tests.bench.virtual_day [--hours N] [--tick SECONDS] [--all]``.

One process holds an exchange and a bot that follows a ticker and a book and replaces two orders every minute, on
Trio's virtual clock. Shown is the CPU time of the whole, and the exchange's cost of each tick, match and push.
"""

from __future__ import annotations

import argparse
import sys
import time
from decimal import Decimal
from typing import Any

import trio
from trio.testing import MockClock

import bitmart_trio as bm

from .events import measured

BTC = "BTC_USDT"
QUOTE_SECONDS = 60


async def quote(client: bm.Client) -> None:
    """Replace an order on each side of the last price."""
    trading = client.spot.trading
    price = (await client.spot.market.ticker(BTC)).last_price
    await trading.cancel_all_orders(symbol=BTC)
    for side, off in (("buy", "-2"), ("sell", "2")):
        await trading.submit_order(symbol=BTC, side=side, type="limit", size="0.001", price=price + Decimal(off))


async def follow(subscription: Any) -> None:
    """Read what a subscription has."""
    async with subscription as items:
        async for _ in items:
            pass


async def live(seconds: float, tick_seconds: float, symbols: list[str] | None) -> None:
    """So much virtual time of the exchange and its bot."""
    async with (
        bm.sim.open_exchange(seed=7, tick_seconds=tick_seconds, symbols=symbols) as exchange,
        exchange.open_client() as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(follow, client.streams.spot.ticker(BTC))
        nursery.start_soon(follow, client.streams.spot.depth(BTC, level=20))
        until = trio.current_time() + seconds
        while trio.current_time() < until:
            await quote(client)
            await trio.sleep(QUOTE_SECONDS)
        nursery.cancel_scope.cancel()


def main(words: list[str] | None = None) -> int:
    """The command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--hours", type=float, default=1.0)
    arguments.add_argument("--tick", type=float, default=0.1, help="seconds between two ticks")
    arguments.add_argument("--all", action="store_true", help=f"the usual six symbols; else {BTC} alone")
    given = arguments.parse_args(words)
    began = time.process_time()
    with measured() as costs:
        symbols = None if given.all else [BTC]
        trio.run(live, given.hours * 3600, given.tick, symbols, clock=MockClock(autojump_threshold=0))
    spent = time.process_time() - began
    day = spent / given.hours * 24
    markets = "the usual six symbols" if given.all else BTC
    lines = [f"{given.hours:g} h of {markets} took {spent:.1f} s of CPU with its bot; a day would take {day:,.0f} s"]
    sys.stdout.write("\n".join([*lines, *costs.lines()]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
