"""A push that cannot be read leaves a gap wherever gaps are reported."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from websocket_kit import Peer, frame

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim import open_exchange
from bitmart_trio.sim.faults import Garbage


def drained(subscription: bm.Subscription[Any]) -> list[Any]:
    """All items that are ready."""
    found: list[Any] = []
    with suppress(trio.WouldBlock):
        while True:
            found.append(subscription.receive_nowait())
    return found


async def test_a_message_that_names_no_topic_is_a_gap_of_every_topic_of_its_connection(
    autojump_clock: MockClock,
) -> None:
    """Nobody can tell whose push it was; a row of them is one gap more, not a hundred."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with (
            client.streams.spot.trade("BTC_USDT", gaps="mark", overflow="drop_oldest") as trades,
            client.streams.spot.depth_increase("ETH_USDT", gaps="mark", overflow="drop_oldest") as book,
            client.streams.futures.trade("BTCUSDT", gaps="mark", overflow="drop_oldest") as other,
        ):
            await trio.sleep(3)
            exchange.faults.add(Garbage("spot/ticker:*", times=20))
            async with client.streams.spot.ticker("BTC_USDT"):
                before = trio.current_time()
                await trio.sleep(60)
            unreadable = [event for event in drained(events) if isinstance(event, models.Malformed)]
            assert unreadable
            for topic, subscription in (("spot/trade:BTC_USDT", trades), ("spot/depth/increase100:ETH_USDT", book)):
                gaps = [item for item in drained(subscription) if isinstance(item, bm.Gap)]
                assert {gap.topic for gap in gaps} == {topic}
                assert before - 1 <= gaps[0].since <= unreadable[0].time <= gaps[0].until
                assert 1 <= len(gaps) <= len(unreadable)
            assert other.statistics().gaps == 0


@pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])
async def test_a_push_that_is_cut_off_is_a_gap_of_its_topic_alone(tap: bool, autojump_clock: MockClock) -> None:
    """Its beginning says whose it is."""

    async def serve(peer: Peer) -> None:
        await peer.hear_request()
        await peer.say(peer.switch())
        for topic in ("trade", "ticker"):
            await peer.stream.receive_some(65536)  # the subscription
            await peer.say(frame(b'{"event":"subscribe","topic":"spot/%b:BTC_USDT"}' % topic.encode()))
        await trio.sleep(5)
        await peer.say(frame(b'{"table":"spot/trade","data":[{"symbol":"BTC_USDT","pri'))

    async def connect(_: str) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        inner, outer = memory_stream_pair()
        nursery.start_soon(serve, Peer(outer))
        return inner

    nobody = bm.Environment.at("http://127.0.0.1:9")
    async with trio.open_nursery() as nursery:
        async with (
            bm.open_streams(environment=nobody, config=bm.Config(tap=tap), connect=connect) as streams,
            streams.spot.trade("BTC_USDT", gaps="mark") as trades,
            streams.spot.ticker("BTC_USDT", gaps="mark") as tickers,
        ):
            await trio.sleep(6)
            assert (trades.statistics().gaps, tickers.statistics().gaps) == (1, 0)
            assert streams.statistics().malformed == 1
