"""A day of trading in seconds: a bot and its exchange in one process, on virtual time."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from proof_sizes import DAY_HOURS
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import open_exchange
from bitmart_trio.sim.exchange import START_MS

BTC = "BTC_USDT"


class Bot:
    """Quotes a little above and below the last price, anew every five minutes, and counts what it hears."""

    def __init__(self, client: bm.Client) -> None:
        self.client = client
        self.tickers = 0
        self.fills = 0
        self.rounds = 0
        self.resting: list[str] = []

    async def count_fills(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Listen to one's own orders."""
        async with self.client.streams.spot.user_orders() as orders:
            task_status.started()
            async for order in orders:
                self.fills += order.order_state == "filled"

    async def trade(self) -> None:
        """Follow the ticker until cancelled."""
        due = trio.current_time()
        async with self.client.streams.spot.ticker(BTC) as tickers:
            async for ticker in tickers:
                self.tickers += 1
                if trio.current_time() >= due:
                    due += 300
                    await self.quote(ticker.last_price)

    async def quote(self, price: Decimal) -> None:
        """Replace both orders."""
        self.rounds += 1
        trading = self.client.spot.trading
        if self.resting:
            await trading.cancel_all_orders(symbol=BTC)
        self.resting = []
        for side, off in (("buy", "-2"), ("sell", "2")):
            placed = await trading.submit_order(
                symbol=BTC, side=side, type="limit", size="0.01", price=price + Decimal(off)
            )
            self.resting.append(placed.order_id)


@pytest.mark.proof
def test_a_virtual_day() -> None:
    """Hours of exchange time pass in seconds, with ticks of a second; no connection is lost, the money is all there."""

    async def main() -> None:
        async with open_exchange(seed=11, tick_seconds=1.0) as venue, venue.open_client() as client:
            account = venue.exchange.accounts.get("1")
            assert account is not None
            bot = Bot(client)
            async with trio.open_nursery() as nursery:
                await nursery.start(bot.count_fills)
                with trio.move_on_after(DAY_HOURS * 3600):
                    await bot.trade()
                nursery.cancel_scope.cancel()
            assert venue.exchange.now_ms() == START_MS + DAY_HOURS * 3_600_000
            assert bot.rounds == DAY_HOURS * 12
            assert bot.tickers > DAY_HOURS * 2_000
            assert bot.fills > DAY_HOURS * 5
            opened = [line for line in venue.exchange.log.lines if line["kind"] == "overflow"]
            assert opened == []
            bars = await client.spot.market.klines(BTC, step=60, limit=DAY_HOURS)
            assert len(bars) == DAY_HOURS
            await client.spot.trading.cancel_all_orders(symbol=BTC)
            assert account.spot.frozen("USDT") == account.spot.frozen("BTC") == 0
            worth = account.spot.available("USDT") + (account.spot.available("BTC") - 10) * bars[0].close
            assert abs(worth - 100_000) < 1_000 * DAY_HOURS

    trio.run(main, clock=MockClock(autojump_threshold=0))
