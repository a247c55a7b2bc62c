"""Tests of a bot, in virtual time: run them with ``python -m pytest examples/test_a_bot.py``."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Venue


async def buy_the_dip(client: bm.Client, *, below: str) -> bm.trading.OrderStatus:
    """The bot: buys 0.01 BTC when somebody trades below a price."""
    async with (
        bm.trading.open_spot_session(client, "BTC_USDT") as session,
        client.streams.spot.trade("BTC_USDT") as trades,
    ):
        async for trade in trades:
            if trade.price < Decimal(below):
                order = await session.submit(side="buy", type="ioc", size="0.01", price=below)
                return await order.wait_closed()
    raise AssertionError("a stream of trades has no end")


@pytest.mark.bitmart(seed=7, market="scripted")
async def test_it_buys_below_its_price(
    bitmart_exchange: Venue, bitmart_client: bm.Client, autojump_clock: MockClock
) -> None:
    """A market made by hand: two trades above, one below."""
    bitmart_exchange.book.set("BTC_USDT", bids=[("59990", "1")], asks=[("59995", "1")])

    async def play() -> None:
        for price in ("60010", "60005", "59994"):
            await trio.sleep(1)
            bitmart_exchange.market.trade("BTC_USDT", price=price, size="0.1", side="sell")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(play)
        done = await buy_the_dip(bitmart_client, below="60000")
    assert str(done.filled_size.normalize()) == "0.01"


@pytest.mark.bitmart(seed=7, faults=["LoseReply:path=/spot/v2/submit_order,times=1"])
async def test_a_lost_reply_is_no_second_order(bitmart_client: bm.Client, autojump_clock: MockClock) -> None:
    """The order was placed although its answer was lost: it is found, not sent again."""
    await buy_the_dip(bitmart_client, below="1000000")
    assert len({fill.order_id for fill in await bitmart_client.spot.trading.trades(symbol="BTC_USDT")}) == 1
