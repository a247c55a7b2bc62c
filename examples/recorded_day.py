"""A bot on a recorded day, in virtual time: candles of any market become the market of a simulated exchange.

The candles beside this program are made up, in the layout of ccxt's OHLCV tables. For a day that once was, download one
and name it: ``python examples/recorded_day.py BTCUSDT-1m-2026-03-01.zip``.
"""

from __future__ import annotations

import sys
from collections import deque
from decimal import Decimal
from pathlib import Path

import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Tape

SYMBOL = "BTC_USDT"
MADE_UP = Path(__file__).parent / "data" / "made_day.csv"


class Trend:
    """Holds coins while the mean price of an hour is above that of four hours."""

    def __init__(self, client: bm.Client) -> None:
        self.client = client
        self.closes: deque[Decimal] = deque(maxlen=48)
        self.held = Decimal(0)
        self.bought = 0

    async def run(self) -> None:
        """Look every five minutes."""
        while True:
            await trio.sleep(300)
            ticker = await self.client.spot.market.ticker(SYMBOL)
            self.closes.append(ticker.last_price)
            hour = list(self.closes)[-12:]
            rises = sum(hour) / len(hour) > sum(self.closes) / len(self.closes)
            if rises and not self.held:
                await self.buy()
            elif self.held and not rises:
                await self.sell()

    async def buy(self) -> None:
        """Buy for 5,000 USDT."""
        trading = self.client.spot.trading
        placed = await trading.submit_order(symbol=SYMBOL, side="buy", type="market", notional="5000")
        self.held = (await trading.order(order_id=placed.order_id)).filled_size
        self.bought += 1

    async def sell(self) -> None:
        """Sell all that was bought."""
        await self.client.spot.trading.submit_order(symbol=SYMBOL, side="sell", type="market", size=self.held)
        self.held = Decimal(0)


async def main() -> None:
    """Play the day from its first trade to its last; the same file gives the same result."""
    path = sys.argv[1] if len(sys.argv) > 1 else MADE_UP
    day = Tape.read(path, SYMBOL)
    part = day.parts[SYMBOL]
    print(f"{day.seconds / 3600:.0f} h of {SYMBOL}: {part.first} to {part.last}, {part.trades} trades")
    # The market happens at the tape's own times; what the exchange does at ticks, once a minute is often enough here.
    async with bm.sim.open_exchange(market=day, tick_seconds=60) as exchange, exchange.open_client() as client:
        before = await dollars(client)
        bot = Trend(client)
        with trio.move_on_after(day.seconds):
            await bot.run()
        if bot.held:
            await bot.sell()
        print(f"bought {bot.bought} times, result {await dollars(client) - before:.2f} USDT after fees")


async def dollars(client: bm.Client) -> Decimal:
    """The account's free USDT."""
    return next(row.available for row in await client.spot.account.spot_balances() if row.currency == "USDT")


if __name__ == "__main__":
    trio.run(main, clock=MockClock(autojump_threshold=0))
