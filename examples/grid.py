"""A grid on a contract: buys below, sells above, and each fill puts up its counterpart one step away.

It begins with a ladder of buys below the price. A filled buy (one step of a long) puts up a reduce-only sell one step
above it; a filled sell puts the buy back. When it ends, whatever the way, its orders are cancelled and the long that it
holds is closed at market; if the program dies instead, the exchange cancels its orders within GRID_SWITCH seconds.

    GRID_SECONDS=3600 GRID_STEP=0.002 python examples/grid.py
"""

from __future__ import annotations

import logging
import os
from decimal import Decimal

import trio

import bitmart_trio as bm
from bitmart_trio.trading import FuturesSession, Order, OrderState

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = os.environ.get("GRID_SYMBOL", "BTCUSDT")
SECONDS = float(os.environ.get("GRID_SECONDS", "5"))
JOURNAL = os.environ.get("GRID_JOURNAL")  # None: nothing is remembered; set it for anything but a trial
LEVELS = int(os.environ.get("GRID_LEVELS", "6"))
SIZE = int(os.environ.get("GRID_SIZE", "1"))
"""Contracts a level."""
STEP = Decimal(os.environ.get("GRID_STEP", "0.0001"))
"""Distance of two levels, as a fraction of the price at the start."""
SWITCH = int(os.environ.get("GRID_SWITCH", "30"))

OPEN_LONG, CLOSE_LONG = 1, 3

LATER = (
    bm.InsufficientBalance,
    bm.PositionRefused,
    bm.RateLimited,
    bm.ServiceUnavailable,
    bm.ExchangeFault,
    bm.TransportError,
    bm.errors.OrderNotPlaced,
)
"""What keeps an order from being placed now, and may be over soon: maintenance, a ban, a line that is down."""

log = logging.getLogger("grid")


class Grid:
    """The bot: one task a level, each with one order in the market at a time."""

    def __init__(self, rules: bm.models.FuturesRules, start: Decimal) -> None:
        self.session: FuturesSession | None = None
        self.rules = rules
        self.start = start
        self.bought = self.sold = 0
        self.profit = Decimal(0)
        """Of finished rounds, quote currency, before fees."""

    def price(self, level: int) -> Decimal:
        """The price of a level; level 0 is where we began, the others lie below."""
        return self.rules.round_price(self.start * (1 - STEP * level), side="buy")

    async def run(self, session: FuturesSession) -> None:
        """Work all levels until cancelled."""
        self.session = session
        async with trio.open_nursery() as nursery:
            for level in range(1, LEVELS + 1):
                nursery.start_soon(self.level, level)

    async def level(self, level: int) -> None:
        """Buy at this level, sell one above, and again."""
        while True:
            bought = await self.filled(OPEN_LONG, self.price(level))
            self.bought += 1
            sold = await self.filled(CLOSE_LONG, self.price(level - 1))
            self.sold += 1
            self.profit += (sold - bought) * SIZE * self.rules.contract_size

    async def filled(self, side: int, price: Decimal) -> Decimal:
        """Have one order filled whole, placed again for as long as it takes; the average price."""
        await trio.lowlevel.checkpoint()
        left, value = Decimal(SIZE), Decimal(0)
        while left:
            order = await self.placed(side, price, left)
            if order is None:
                await trio.sleep(1)
                continue
            ended = await order.wait_closed()
            if ended.filled_size and ended.average_price is not None:
                left -= ended.filled_size
                value += ended.filled_size * ended.average_price
            if ended.state is not OrderState.FILLED:
                # Not by us: by hand, by another program, or by the exchange.
                log.warning("%s ended as %s", order, ended.state)
                await trio.sleep(1)
        return value / SIZE

    async def placed(self, side: int, price: Decimal, size: Decimal) -> Order | None:
        """Place an order, or say why not."""
        await trio.lowlevel.checkpoint()
        assert self.session is not None
        try:
            if side == OPEN_LONG:
                return await self.session.submit(side=side, size=size, price=price, leverage=5, open_type="cross")
            return await self.session.submit(side=side, size=size, price=price)
        except LATER as refusal:
            log.warning("nothing placed at %s for now: %s", price, refusal)
            return None


async def main() -> None:
    """Run the grid for a while, leave it, and say what came of it."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        rules = await client.futures.rules(SYMBOL)
        trades = await client.futures.market.trades(SYMBOL, limit=1)
        grid = Grid(rules, trades[0].price)
        with trio.move_on_after(SECONDS):
            while True:
                try:
                    async with bm.trading.open_futures_session(
                        client, SYMBOL, journal=JOURNAL, on_exit="close", dead_mans_switch=SWITCH
                    ) as session:
                        await grid.run(session)
                except* bm.errors.SwitchFailed as failure:  # the star: time may be up as well
                    # Nothing is guarded now, so all was cancelled and closed. Begin again once the exchange is back.
                    log.warning("begun again in 10 s: %s", failure.exceptions)
                    await trio.sleep(10)
        assert grid.session is not None
        print(f"{grid.bought} bought, {grid.sold} sold again, {grid.profit:.4f} made before fees")
        print(f"left: {grid.session.report}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    bm.trading.run(main)
