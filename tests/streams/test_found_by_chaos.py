"""What the chaos run has found, one test each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pytest
import trio
from stream_kit import drained, wait_for
from tape_kit import order_heard
from trio.testing import MockClock, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.faults import ClockSkew, Delay, Drop, Fail5xx, HangHandshake, LoseAck, MuteTopic, RefuseUpgrade
from bitmart_trio.sim.venue import Venue, open_exchange

Market = Literal["spot", "futures"]


async def _ready(subscription: bm.Subscription[Any]) -> list[Any]:
    await wait_all_tasks_blocked()
    return drained(subscription)


def _buy(exchange: Venue, market: Market) -> None:
    """An order that is filled at once, past all faults of REST."""
    direct = Direct(exchange.simulation.bitmart, address="10.0.0.9")
    if market == "spot":
        answer = direct.post("/spot/v2/submit_order", symbol="BTC_USDT", side="buy", type="market", notional="100")
    else:
        answer = direct.post("/contract/private/submit-order", symbol="BTCUSDT", side=1, type="market", size=5)
    assert answer.code == 1000, answer.body


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_an_order_that_is_filled_between_two_reads_keeps_its_fill(
    autojump_clock: MockClock, market: Market
) -> None:
    """The fills had been read when it came, the orders had not: it was told as closed, and its fill was lost."""
    slow = "/spot/v4/query/open-orders" if market == "spot" else "/contract/private/get-open-orders"
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for _ in range(3):
            exchange.exchange.tick()
        streams: Any = getattr(client.streams, market)
        opening = streams.user_orders if market == "spot" else streams.order
        async with opening(gaps="mark", backfill=True) as orders:
            await trio.sleep(15)  # a pong has been heard since the open orders were read
            handle = exchange.faults.add(Delay(slow, seconds=1.0))
            exchange.drop_connections(f"{market}/private")
            async with client.streams.events() as events:
                await wait_for(events, models.Subscribed)
            await trio.sleep(0.5)
            assert handle.hits
            _buy(exchange, market)
            await trio.sleep(10)
            items = [item for item in await _ready(orders) if not isinstance(item, bm.Gap | bm.Backfilled)]
            assert [order_heard(item).trade for item in items if order_heard(item).closed] != [None]
            assert any(order_heard(item).trade is not None for item in items)
            assert orders.statistics().gaps == (market == "futures")


async def test_an_order_placed_in_a_gap_that_was_not_filled_is_not_forgotten(autojump_clock: MockClock) -> None:
    """Cancelled in the next gap it leaves no trace: that one was said to be filled whole, and is no more."""
    reads = "/spot/v4/query/*"
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for _ in range(3):
            exchange.exchange.tick()
        direct = Direct(exchange.simulation.bitmart, address="10.0.0.9")

        async def break_off() -> None:
            async with client.streams.events() as events:
                exchange.drop_connections("spot/private")
                await wait_for(events, models.Lost)

        async with client.streams.spot.user_orders(gaps="mark", backfill=True) as orders:
            await trio.sleep(15)
            failing = exchange.faults.add(Fail5xx(reads, times=None))
            await break_off()
            rest = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.01", "price": "30000"}
            answer: Any = direct.post("/spot/v2/submit_order", **rest).data
            await trio.sleep(30)
            failing.remove()
            assert [type(item) for item in await _ready(orders)] == [bm.Gap]
            await break_off()
            direct.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=answer["order_id"])
            await trio.sleep(30)
            *_, gap = await _ready(orders)
            assert isinstance(gap, bm.Gap)
            assert "earlier gap" in gap.reason
            await break_off()
            await trio.sleep(30)
            assert [type(item) for item in await _ready(orders)] == [bm.Backfilled]


async def test_a_topic_removed_while_it_is_down_tells_its_gap(autojump_clock: MockClock) -> None:
    """What was missed until then is missed, although nobody will hear of the topic again."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", "ETH_USDT", gaps="mark") as trades:
            await trio.sleep(5)
            last = trades.statistics().last_message
            exchange.faults.add(RefuseUpgrade(connection="spot/public", times=3))
            exchange.drop_connections("spot/public")
            await trio.sleep(0.1)
            await trades.remove("ETH_USDT")
            gone = trio.current_time()
            (gap,) = [item for item in await _ready(trades) if isinstance(item, bm.Gap)]
            assert (gap.topic, gap.since, gap.until) == ("spot/trade:ETH_USDT", last, gone)


async def test_a_flood_before_the_acknowledgement_stands_behind_its_gap(autojump_clock: MockClock) -> None:
    """A buffer too small to hold it back: the gap is told at once, in front of it, and only once."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", buffer=2, overflow="drop_oldest") as trades:
            got: list[Any] = []

            async def read() -> None:
                async for item in trades:
                    got.append(item)  # noqa: PERF401  # it is read until it is cancelled

            async with trio.open_nursery() as nursery, client.streams.events() as events:
                nursery.start_soon(read)
                await trio.sleep(5)
                exchange.faults.add(LoseAck())
                exchange.drop_connections("spot/public")
                await wait_for(events, models.Subscribed)  # of the connection after the next
                await trio.sleep(5)
                nursery.cancel_scope.cancel()
        gaps = [item for item in got if isinstance(item, bm.Gap)]
        assert len(gaps) == 2
        assert gaps[0].until <= gaps[1].since
        start = exchange.exchange.clock.now_ms() / 1000 - trio.current_time()
        seen: list[bm.Gap] = []
        for item in got:
            if isinstance(item, bm.Gap):
                seen.append(item)
            else:
                at = item.time / 1000 - start
                assert all(gap.since - 0.11 <= at for gap in seen)
                assert all(at <= gap.since + 0.11 for gap in gaps if gap not in seen)


async def test_a_book_that_subscribes_afresh_leaves_a_gap_to_others(autojump_clock: MockClock) -> None:
    """The exchange pushes nothing between letting go and taking up again, whoever has asked for it."""
    topic = "spot/depth/increase100:BTC_USDT"
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.depth_increase("BTC_USDT", gaps="mark") as changes:
            await trio.sleep(5)
            asked = trio.current_time()
            client.streams._connections.renew(topic)
            await trio.sleep(5)
            (gap,) = [item for item in await _ready(changes) if isinstance(item, bm.Gap)]
            assert (gap.since, gap.topic) == (asked, topic)
            assert (changes.statistics().gaps, changes.statistics().reconnects) == (1, 0)


async def test_a_topic_that_is_mute_on_the_next_connection_too_tells_all_of_it(autojump_clock: MockClock) -> None:
    """Its gap ends when it speaks, not when its subscription was acknowledged."""
    topic = "spot/ticker:BTC_USDT"
    async with open_exchange(seed=1) as exchange:
        async with exchange.open_client(config=bm.Config(silence={topic: 10})) as client:
            async with client.streams.spot.ticker("BTC_USDT", gaps="mark", overflow="fail") as tickers:
                await trio.sleep(5)
                muted = trio.current_time()
                exchange.faults.add(MuteTopic(topic=topic, lasting=20))
                await trio.sleep(30)
                gaps = [item for item in await _ready(tickers) if isinstance(item, bm.Gap)]
                assert gaps[0].since <= muted
                assert gaps[-1].until >= muted + 20
                assert all(before.until == after.since for before, after in pairwise(gaps))
                assert tickers.statistics().reconnects == 1


async def test_order_topics_are_timed_whichever_was_subscribed_first(autojump_clock: MockClock) -> None:
    """With one pair's orders held as well, the pushes of all pairs' orders went unheard of."""
    topics = "spot/user/order:BTC_USDT", "spot/user/orders:ALL_SYMBOLS"
    async with open_exchange(seed=1, live=False) as exchange:
        exchange.exchange.tick()
        async with exchange.open_client(config=bm.Config(silence=dict.fromkeys(topics, 10))) as client:
            spot = client.streams.spot
            async with client.streams.events() as events, spot.user_order("BTC_USDT"), spot.user_orders():
                _buy(exchange, "spot")
                await trio.sleep(5)
                exchange.faults.add(MuteTopic())
                await trio.sleep(6)
                silent = [event for event in drained(events) if isinstance(event, models.Silent)]
                assert {event.topic for event in silent} == set(topics)


async def test_connect_proves_a_connection_that_has_broken_since(autojump_clock: MockClock) -> None:
    """While it waits for its next try, it is not open."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.ticker("BTC_USDT"):
            await client.streams.connect("spot")
            exchange.faults.add(HangHandshake(connection="spot/public"))
            exchange.faults.add(Drop(connection="spot/public"))
            await trio.sleep(0.01)
            assert exchange.connections == []
            await client.streams.connect("spot")
            assert [connection.kind for connection in exchange.connections] == ["spot/public"]


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_login_that_was_refused_for_the_clock_is_tried_again(autojump_clock: MockClock, market: Market) -> None:
    """Futures does not say that it was the clock: the stream ended for good."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        streams: Any = getattr(client.streams, market)
        opening = streams.user_orders if market == "spot" else streams.order
        async with opening(gaps="mark") as orders:
            await trio.sleep(1)
            exchange.faults.add(ClockSkew(ms=90_000))
            exchange.drop_connections(f"{market}/private")
            with trio.fail_after(10):
                assert isinstance(await orders.receive(), bm.Gap)
