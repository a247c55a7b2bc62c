"""Make the exchange misbehave on purpose, and see what a client receives."""

from __future__ import annotations

import trio
from trio.testing import MockClock

import bitmart_trio as bm

ORDER = "/spot/v2/submit_order"


async def main() -> None:
    """The answer to an order is lost; the order itself is not."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        exchange.faults.add(bm.sim.LoseReply(path=ORDER, times=1))
        try:
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id="mine1"
            )
        except bm.OutcomeUnknown as unknown:
            print("nobody knows yet; its client order id is", unknown.client_order_id)
            order = await client.spot.trading.order_by_client_id("mine1")
            print("found:", order.state)

        exchange.faults.add(bm.sim.Refuse429(times=1))
        ticker = await client.spot.market.ticker("BTC_USDT")  # waits for the window, and is repeated
        print("after a 429:", ticker.symbol)


if __name__ == "__main__":
    trio.run(main, clock=MockClock(autojump_threshold=0))
