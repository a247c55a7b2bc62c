"""A ladder of ten limit orders in one call, and one call that takes them all back."""

from __future__ import annotations

import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))
SYMBOL = "BTC_USDT"


async def main() -> None:
    """Each order has a client order id, so that a reply which never comes can be looked up."""
    async with bm.open_spot(bm.Credentials.from_env(), environment=ENVIRONMENT) as spot:
        rules = await spot.rules(SYMBOL)
        last = (await spot.market.ticker(SYMBOL)).last_price
        ladder = [
            bm.models.BatchOrderParam(
                side="buy",
                type="limit",
                size="0.001",
                price=rules.round_price(last * (80 - step) / 100),
                client_order_id=f"ladder{step}",
            )
            for step in range(10)
        ]
        placed = await spot.trading.submit_orders(SYMBOL, ladder)
        print(f"{len(placed.order_ids)} orders placed")
        cancelled = await spot.trading.cancel_orders(SYMBOL, order_ids=placed.order_ids)
        print(f"{cancelled.total_count} asked for, {cancelled.success_count} cancelled")


if __name__ == "__main__":
    trio.run(main)
