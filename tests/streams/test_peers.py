"""What other clients get wrong and no other file shows: order of frames, leaving while waiting, late ends."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from stream_kit import drained, wait_for
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.faults import RefuseConnect, RefuseUpgrade
from bitmart_trio.sim.kernel.encoding import Json
from bitmart_trio.sim.venue import open_exchange


@pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])
async def test_deflated_frames_stay_in_order_whatever_their_size(autojump_clock: MockClock, tap: bool) -> None:
    """A large frame is not overtaken by the small ones behind it."""
    async with (
        open_exchange(seed=1, live=False) as exchange,
        exchange.open_client(config=bm.Config(tap=tap)) as client,
        client.streams.spot.trade("BTC_USDT") as trades,
    ):
        for number in range(200):
            padding = "x" * (60_000 if number % 20 == 0 else 1)
            item: dict[str, Json] = {
                "symbol": "BTC_USDT",
                "price": str(number + 1),
                "size": "1",
                "side": "buy",
                "ms_t": 1,
                "note": padding,
            }
            exchange.exchange.feed.publish("spot/trade:BTC_USDT", {"table": "spot/trade", "data": [item]})
        received = [await trades.receive() for _ in range(200)]
        assert [trade.price for trade in received] == [Decimal(number + 1) for number in range(200)]


async def test_leaving_while_a_reconnect_is_awaited_is_prompt(autojump_clock: MockClock) -> None:
    """Nothing is waited for, nothing is left, and a new client starts afresh."""
    config = bm.Config(backoff=bm.Backoff(first=20, maximum=30))
    async with open_exchange(seed=1) as exchange:
        async with exchange.open_client(config=config) as client, client.streams.events() as events:
            async with client.streams.spot.trade("BTC_USDT"):
                handle = exchange.faults.add(RefuseUpgrade(times=None))
                exchange.drop_connections()
                await wait_for(events, models.Lost)
                left = trio.current_time()
        assert trio.current_time() - left < 0.1
        handle.remove()
        async with exchange.open_client() as client, client.streams.spot.trade("BTC_USDT") as trades:
            await trades.receive()


async def test_the_end_of_an_old_connection_does_not_touch_its_successor(autojump_clock: MockClock) -> None:
    """Broken off again and again, half of the time while connecting: each Lost has its Reconnected, in turns."""
    config = bm.Config(backoff=bm.Backoff(first=0.1, maximum=0.1))
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT") as trades:
            for turn in range(8):
                if turn % 2:
                    exchange.faults.add(RefuseConnect())
                exchange.drop_connections()
                await wait_for(events, models.Reconnected)
                await wait_for(events, models.Subscribed)
                await trades.receive()
            assert trades.statistics().reconnects == 8
            await trio.sleep(5)
            assert [event for event in drained(events) if isinstance(event, models.Lost)] == []


async def test_a_frame_that_means_nothing_is_delivered_to_nobody(autojump_clock: MockClock) -> None:
    """An unknown table is counted, not handed out as an update."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT") as trades:
            frame: dict[str, Json] = {"table": "spot/weather", "data": [{"symbol": "BTC_USDT"}]}
            exchange.exchange.feed.publish("spot/trade:BTC_USDT", frame)
            await trio.sleep(1)
            with pytest.raises(trio.WouldBlock):
                trades.receive_nowait()
            assert client.streams.statistics().unasked == 1
