"""Place a limit order far from the market, and take it back, whatever happens in between."""

from __future__ import annotations

import os
from decimal import Decimal

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTC_USDT"


async def main() -> None:
    """Show a refusal, an order that rests, and its cancel."""
    async with bm.open_spot(bm.Credentials.from_env(), environment=ENVIRONMENT) as spot:
        try:
            await spot.trading.submit_order(symbol=SYMBOL, side="sell", type="limit", size="99999", price="70000")
        except bm.InsufficientBalance as refusal:
            print(f"refused with code {refusal.code}, trace {refusal.trace}")

        ticker = await spot.market.ticker(SYMBOL)
        price = (ticker.last_price * Decimal("0.8")).quantize(Decimal("0.01"))
        placed = await spot.trading.submit_order(symbol=SYMBOL, side="buy", type="limit", size="0.01", price=price)
        try:
            waiting = await spot.trading.open_orders(symbol=SYMBOL)
            print("waiting:", ", ".join(f"{order.side} {order.size} at {order.price}" for order in waiting))
        finally:
            # Also when this task is being cancelled, so in a shield; with a deadline, so that nothing can hang here.
            with trio.move_on_after(5, shield=True):
                await spot.trading.cancel_order(symbol=SYMBOL, order_id=placed.order_id)
                print("cancelled")


if __name__ == "__main__":
    trio.run(main)
