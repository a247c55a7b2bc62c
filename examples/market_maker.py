"""A market maker: quotes both sides of one pair around its own idea of the price, and leaves nothing behind.

It holds at most one bid and one ask, moves a quote only when it is off by more than a few ticks, leans against what it
has bought or sold, and stops quoting a side at its limit. Ctrl-C or SIGTERM end it; every order is cancelled first. Run
it again with the same journal after a crash, and it first cancels what the crash left.

    MAKER_SECONDS=60 MAKER_SIZE=0.001 python examples/market_maker.py
"""

from __future__ import annotations

import logging
import os
from decimal import Decimal

import trio

import bitmart_trio as bm
from bitmart_trio.trading import Order, SpotSession

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = os.environ.get("MAKER_SYMBOL", "BTC_USDT")
SECONDS = float(os.environ.get("MAKER_SECONDS", "5"))
JOURNAL = os.environ.get("MAKER_JOURNAL")  # None: nothing is remembered; set it for anything but a trial
SIZE = Decimal(os.environ.get("MAKER_SIZE", "0.001"))
MOST = 5 * SIZE
"""How much it may be long or short before it quotes one side only."""
HALF_SPREAD = Decimal("0.00003")
"""Distance of a quote from the middle, as a fraction of the price."""
TOLERANCE = Decimal("0.00002")
"""A quote that is off by no more than this fraction stays where it is: moving costs its place in the queue."""

LATER = (
    bm.InsufficientBalance,
    bm.RateLimited,
    bm.ServiceUnavailable,
    bm.ExchangeFault,
    bm.TransportError,
    bm.errors.OrderNotPlaced,
)
"""What keeps an order from being placed now, and may be over soon: maintenance, a ban, a line that is down."""

log = logging.getLogger("maker")


class Maker:
    """The bot: two quotes, and what they have brought."""

    def __init__(self, session: SpotSession, rules: bm.models.SpotRules) -> None:
        self.session = session
        self.rules = rules
        self.quotes: dict[str, Order | None] = {"buy": None, "sell": None}
        self.position = Decimal(0)
        """Base currency bought, less what was sold."""
        self.cash = Decimal(0)
        self.quoted = self.fills = 0

    async def follow(self, book: bm.OrderBook) -> None:
        """Quote again at most ten times a second, and only while the book is known to be right."""
        while True:
            await book.wait_live()
            bid, ask = book.best_bid, book.best_ask
            if bid is not None and ask is not None:
                middle = (bid.price + ask.price) / 2
                # Lean: the longer we are, the lower both quotes, so that the position comes back by itself.
                middle -= middle * HALF_SPREAD * self.position / MOST
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.quote, "buy", middle * (1 - HALF_SPREAD))
                    nursery.start_soon(self.quote, "sell", middle * (1 + HALF_SPREAD))
            await trio.sleep(0.1)

    async def quote(self, side: str, price: Decimal) -> None:
        """See that there is one quote on a side, near this price, unless that side is at its limit."""
        await trio.lowlevel.checkpoint()
        price = self.rules.round_price(price, side=side)
        order = self.quotes[side]
        full = self.position >= MOST if side == "buy" else self.position <= -MOST
        if order is not None and not order.is_closed:
            old = order.status.price or price
            if not full and abs(old - price) <= price * TOLERANCE:
                return
            await order.cancel()
        if order is not None:
            self.book_fills(side, order)
            self.quotes[side] = None
        if full:
            return
        try:
            # limit_maker: the exchange drops it rather than letting it take.
            self.quotes[side] = await self.session.submit(side=side, type="limit_maker", size=SIZE, price=price)
            self.quoted += 1
        except LATER as refusal:
            log.warning("no %s quote for now: %s", side, refusal)
            await trio.sleep(refusal.retry_after if isinstance(refusal, bm.RateLimited) else 1)

    def book_fills(self, side: str, order: Order) -> None:
        """Take a finished quote into the accounts. It is closed, so what is filled now is all."""
        status = order.status
        if status.filled_size and status.average_price is not None:
            sign = 1 if side == "buy" else -1
            self.position += sign * status.filled_size
            self.cash -= sign * status.filled_size * status.average_price
            self.fills += 1


async def main() -> None:
    """Make a market for a while, leave it, and say what came of it."""
    async with bm.open_client(bm.Credentials.from_env(), environment=ENVIRONMENT) as client:
        rules = await client.spot.rules(SYMBOL)
        async with bm.trading.open_spot_session(client, SYMBOL, journal=JOURNAL) as session:
            maker = Maker(session, rules)
            async with client.streams.spot.order_book(SYMBOL) as book:
                with trio.move_on_after(SECONDS):
                    await maker.follow(book)
        # The session has closed both quotes and knows what was filled of them to the last.
        for side, order in maker.quotes.items():
            if order is not None:
                maker.book_fills(side, order)
        last = (await client.spot.market.ticker(SYMBOL)).last_price
        worth = maker.cash + maker.position * last
        print(f"{maker.quoted} quotes, {maker.fills} filled, position {maker.position}, worth {worth:.4f} before fees")
        print(f"left: {session.report}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    bm.trading.run(main)
