"""A reader that takes twenty messages a second, and an exchange that pushes several times as many, for long."""

from __future__ import annotations

import gc
import itertools
import sys
from typing import Any, Final

import pytest
import trio
from proof_sizes import FLOOD_SECONDS
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.models.stream_events import Lost
from bitmart_trio.sim.kernel.eventlog import EventLog
from bitmart_trio.sim.venue import Venue, open_exchange

TOPICS: Final = [f"spot/trade:{symbol}" for symbol in ("BTC_USDT", "ETH_USDT", "BMX_USDT")]
ROWS: Final = 10
"""Trades in a push, each pushed once for each topic every half second."""
READ: Final = 20
"""Trades that a reader takes in a second."""
BLOCKS: Final = 3000
"""Objects by which the process may grow from the first quarter of the time to its end: noise, no message among them."""


async def _flood(exchange: Venue, published: list[int]) -> None:
    numbers = itertools.count(1)
    for _ in range(2 * FLOOD_SECONDS):
        for topic in TOPICS:
            rows: list[Any] = [
                {"symbol": topic.partition(":")[2], "price": str(next(numbers)), "size": "1", "side": "buy", "ms_t": 1}
                for _ in range(ROWS)
            ]
            exchange.exchange.feed.publish(topic, {"table": "spot/trade", "data": rows})
            published[0] += ROWS
        await trio.sleep(0.5)


async def _read(subscription: bm.Subscription[Any], taken: dict[str, int], name: str) -> None:
    newest: dict[str, int] = {}
    async with subscription:
        while True:
            for _ in range(READ):
                item = await subscription.receive()
                number = int(item.price)
                assert number > newest.get(item.symbol, 0), "out of order, or twice"
                newest[item.symbol] = number
                taken[name] += 1
            await trio.sleep(1)


@pytest.mark.proof
@pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])
async def test_a_flood(autojump_clock: MockClock, tap: bool) -> None:
    """No reconnect; memory does not grow; what the reader did not get is counted, to the last trade.

    `conflate` keeps the newest of each topic, `drop_oldest` the newest of all, and `fail` says that it cannot go on:
    that one opens again, and again.
    """
    # Above the tap the machinery is the same: a tenth of the time shows it.
    seconds = FLOOD_SECONDS if tap else max(FLOOD_SECONDS // 10, 120)
    published, taken = [0], dict.fromkeys(("conflate", "drop_oldest", "fail"), 0)
    failed: list[int] = []
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=bm.Config(tap=tap)) as client:
        # The exchange remembers its last frames, and would grow by them.
        exchange.exchange.log = EventLog(exchange.exchange.clock, size=100)
        trade = client.streams.spot.trade
        symbols = [topic.partition(":")[2] for topic in TOPICS]

        async def impatient() -> None:
            while True:
                async with trade(*symbols, overflow="fail", buffer=500) as trades:
                    try:
                        await _read(trades, taken, "fail")
                    except bm.SubscriberTooSlow as error:
                        failed.append(error.buffered)
                        counts = trades.statistics()
                        assert (counts.dropped, counts.buffer_used) == (1, 0)
                        assert counts.received == counts.delivered + 1

        async with (
            client.streams.events() as events,
            trade(*symbols, overflow="conflate") as conflating,
            trade(*symbols, overflow="drop_oldest", buffer=500) as dropping,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(_flood, exchange, published)
            nursery.start_soon(_read, conflating, taken, "conflate")
            nursery.start_soon(_read, dropping, taken, "drop_oldest")
            nursery.start_soon(impatient)
            await trio.sleep(seconds / 4 + 0.25)
            gc.collect()
            before = sys.getallocatedblocks()
            await trio.sleep(seconds * 3 / 4)
            gc.collect()
            assert sys.getallocatedblocks() - before < BLOCKS
            for subscription in (conflating, dropping):
                counts = subscription.statistics()
                assert counts.received == published[0]
                assert counts.received == counts.delivered + counts.conflated + counts.dropped + counts.buffer_used
                assert (counts.gaps, counts.reconnects) == (0, 0)
            assert conflating.statistics().delivered == taken["conflate"]
            assert conflating.statistics().dropped == 0
            assert conflating.statistics().conflated > published[0] / 2
            assert dropping.statistics().delivered == taken["drop_oldest"] > READ * seconds * 0.9
            assert dropping.statistics().dropped > published[0] / 2
            assert len(failed) > seconds // 60
            assert set(failed) == {500}
            assert taken["fail"] > 500 * (seconds // 60)
            assert len(exchange.connections) == 1
            while True:
                try:
                    assert not isinstance(events.receive_nowait(), Lost)
                except trio.WouldBlock:
                    break
            nursery.cancel_scope.cancel()
