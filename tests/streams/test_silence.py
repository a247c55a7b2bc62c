"""A topic that falls silent while its connection lives is noticed, probed and healed, and what it missed is a Gap."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import trio
from proof_sizes import QUIET_HOURS
from stream_kit import buy, drained, names, ready, wait_for
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.faults import MuteTopic, Stall
from bitmart_trio.sim.venue import Venue, open_exchange

BOOK = "spot/depth/increase100:BTC_USDT"


def silences(events: list[models.AnyStreamEvent]) -> list[models.Silent]:
    return [event for event in events if isinstance(event, models.Silent)]


def gaps_of(subscription: bm.Subscription[object]) -> list[bm.Gap]:
    """The gaps among what is buffered."""
    found: list[bm.Gap] = []
    while True:
        try:
            item = subscription.receive_nowait()
        except trio.WouldBlock:
            return found
        if isinstance(item, bm.Gap):
            found.append(item)


@asynccontextmanager
async def open_market() -> AsyncGenerator[Venue, None]:
    """An exchange whose spot books and trades of two pairs say something every second."""

    async def live(exchange: Venue) -> None:
        publish = exchange.exchange.feed.publish
        for version in itertools.count(1):
            await trio.sleep(1)
            for symbol in ("BTC_USDT", "ETH_USDT"):
                publish(f"spot/depth/increase100:{symbol}", update(symbol, version))
                publish(f"spot/trade:{symbol}", trade(symbol))

    async with open_exchange(seed=1, live=False) as exchange, trio.open_nursery() as nursery:
        nursery.start_soon(live, exchange)
        yield exchange
        nursery.cancel_scope.cancel()


def update(symbol: str, version: int = 1) -> dict[str, Any]:
    """A sign of life of a book."""
    item: dict[str, Any] = {"asks": [], "bids": [], "ms_t": 1, "symbol": symbol, "type": "update", "version": version}
    return {"table": "spot/depth/increase100", "data": [item]}


def trade(symbol: str) -> dict[str, Any]:
    item = {"symbol": symbol, "price": "1", "size": "1", "side": "buy", "s_t": 1, "ms_t": 1}
    return {"table": "spot/trade", "data": [item]}


def forget(exchange: Venue, topic: str) -> None:
    """The server loses a subscription, and goes on as if nothing had happened."""
    (connection,) = (connection for connection in exchange.connections if topic in connection.topics)
    connection.topics.pop(topic)()


async def test_a_muted_topic_is_probed_then_its_connection_replaced_and_the_gap_told(
    autojump_clock: MockClock,
) -> None:
    """Asked for its state 60 s after its last push, replaced 30 s later; the Gap begins at that last push."""
    async with open_market() as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with client.streams.spot.depth_increase("BTC_USDT", gaps="mark") as book:
            await trio.sleep(5.5)
            drained(events)
            fault = exchange.faults.add(MuteTopic(topic=BOOK))
            last = book.statistics().last_message
            assert last is not None
            probe = await wait_for(events, models.Silent)
            assert (probe.topic, probe.action, probe.connection) == (BOOK, "request", 1)
            assert probe.time == pytest.approx(last + 60, abs=0.01)
            assert probe.seconds == pytest.approx(60, abs=0.01)
            replace = await wait_for(events, models.Silent)
            assert (replace.topic, replace.action) == (BOOK, "replace")
            assert replace.time == pytest.approx(last + 90, abs=0.01)
            fault.remove()
            assert BOOK in (await wait_for(events, models.Lost)).reason
            held = await wait_for(events, models.Subscribed)
            (gap,) = gaps_of(book)
            assert (gap.since, gap.until, gap.topic) == (last, held.time, BOOK)
            assert "silent" in gap.reason
            await trio.sleep(300)
            assert silences(drained(events)) == []
            assert (book.statistics().gaps, book.statistics().reconnects) == (1, 1)


async def test_a_topic_that_speaks_again_needs_no_new_connection(autojump_clock: MockClock) -> None:
    """Muted for 70 s: probed, then pushes are back. The Gap stands before the first; no reconnect is counted."""
    async with open_market() as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with client.streams.spot.depth_increase("BTC_USDT", gaps="mark") as book:
            await trio.sleep(5.5)
            exchange.faults.add(MuteTopic(topic=BOOK, lasting=70))
            muted = trio.current_time()
            await trio.sleep(100)
            assert [event.action for event in silences(drained(events))] == ["request"]
            items: list[object] = [book.receive_nowait() for _ in range(book.statistics().buffer_used + 1)]
            (place,) = (index for index, item in enumerate(items) if isinstance(item, bm.Gap))
            gap = items[place]
            assert isinstance(gap, bm.Gap)
            assert muted - 1 < gap.since <= muted
            assert muted + 70 <= gap.until < muted + 71
            assert 0 < place < len(items) - 1
            assert (book.statistics().gaps, book.statistics().reconnects) == (1, 0)


async def test_a_subscription_that_the_server_lost_is_renewed(autojump_clock: MockClock) -> None:
    """Without a request verb the first probe heals it; with it the answer proves little, and the second probe does."""
    config = bm.Config(silence={"spot/trade": 60})
    async with open_market() as exchange, exchange.open_client(config=config) as client:
        async with (
            client.streams.events() as events,
            client.streams.spot.trade("BTC_USDT", "ETH_USDT", gaps="mark") as trades,
            client.streams.spot.depth_increase("BTC_USDT", "ETH_USDT", gaps="mark") as book,
        ):
            await trio.sleep(5.5)
            drained(events)
            forget(exchange, "spot/trade:BTC_USDT")
            await trio.sleep(1)
            forget(exchange, BOOK)
            await trio.sleep(300)
            told = drained(events)
            assert [(event.topic, event.action) for event in silences(told)] == [
                ("spot/trade:BTC_USDT", "renew"), (BOOK, "request"), (BOOK, "renew"),
            ]  # fmt: skip
            assert set(names(told)) == {"Silent", "Subscribed"}
            (gap,) = gaps_of(trades)
            assert gap.until - gap.since == pytest.approx(61, abs=1)
            first, second = gaps_of(book)
            assert first.topic == second.topic == BOOK
            assert first.until == second.since  # the answer was the only sign of life between
            assert second.until - second.since == pytest.approx(120, abs=1)


async def test_a_connection_is_replaced_once_for_a_mute_topic(autojump_clock: MockClock) -> None:
    """If the new one brings no word either, the topic is only probed, ever more rarely, until it speaks."""
    config = bm.Config(ping_interval=18)  # hours of pings are most of what this costs
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        async with (
            client.streams.events() as events,
            client.streams.spot.depth_increase("BTC_USDT", gaps="mark") as book,
        ):
            fault = exchange.faults.add(MuteTopic(topic=BOOK))
            await trio.sleep(6 * 3600)
            told = drained(events)
            assert names(told).count("Lost") == 1
            probes = silences(told)
            assert [event.action for event in probes].count("replace") == 1
            assert 8 <= len(probes) <= 16
            waits = [after.time - before.time for before, after in pairwise(probes[2:])]
            assert all(longer > wait - 0.01 for wait, longer in pairwise(waits))
            assert waits[-1] == pytest.approx(3600 + 30)
            fault.remove()
            await trio.sleep(4000)
            (gap,) = gaps_of(book)  # one from the last word to the next, whatever was tried in between
            assert gap.since < 1
            assert gap.until > 6 * 3600
            assert names(drained(events)).count("Lost") == 0


async def test_positions_are_timed_while_one_is_open(autojump_clock: MockClock) -> None:
    """They repeat themselves every 10 s, but a flat account hears nothing for hours."""

    async def live(exchange: Venue) -> None:
        while True:
            exchange.exchange.tick()
            await trio.sleep(5)

    async with (
        open_exchange(seed=1, live=False) as exchange,
        exchange.open_client() as client,
        client.streams.events() as events,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(live, exchange)
        trading = client.futures.trading
        async with client.streams.futures.position() as positions:
            await trio.sleep(200)
            await trading.submit_order(symbol="BTCUSDT", side=1, size=1, type="market", leverage="5", open_type="cross")
            await trio.sleep(100)
            assert positions.statistics().received > 5
            assert silences(drained(events)) == []
            fault = exchange.faults.add(MuteTopic(topic="futures/position"))
            assert (await wait_for(events, models.Silent)).action == "renew"
            fault.remove()
            await trio.sleep(20)
            assert positions.statistics().gaps == 1
            await trading.submit_order(symbol="BTCUSDT", side=3, size=1, type="market", leverage="5", open_type="cross")
            await trio.sleep(200)
            assert set(names(drained(events))) == {"Subscribed"}
            assert positions.statistics().reconnects == 0
        nursery.cancel_scope.cancel()


@pytest.mark.proof
async def test_hours_of_a_thin_market_are_left_in_peace(autojump_clock: MockClock) -> None:
    """A trade an hour, a sign of life a little before each deadline, quiet accounts: no probe, no reconnect, no gap."""
    config = bm.Config(ping_interval=18)
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        spot, futures = client.streams.spot, client.streams.futures
        publish = exchange.exchange.feed.publish
        async with (
            client.streams.events() as events,
            spot.trade("BTC_USDT") as trades,
            spot.ticker("BTC_USDT"),
            spot.kline("BTC_USDT", interval="1m"),
            spot.depth("BTC_USDT", level=5),
            spot.book_ticker("BTC_USDT"),
            spot.depth_increase("BTC_USDT", overflow="drop_oldest") as book,
            spot.user_orders(),
            futures.ticker("BTCUSDT"),
            futures.trade("BTCUSDT"),
            futures.depth_all("BTCUSDT", level=5),
            futures.kline("BTCUSDT", interval="1m"),
            futures.funding_rate("BTCUSDT", overflow="drop_oldest") as funding,
        ):
            drained(events)
            rate: dict[str, Any] = {
                "symbol": "BTCUSDT",
                "fundingRate": "0.0001",
                "fundingTime": 1,
                "nextFundingRate": "0.0001",
                "nextFundingTime": 2,
                "funding_upper_limit": "0.1",
                "funding_lower_limit": "-0.1",
                "ts": 1,
            }
            for minute in range(QUIET_HOURS * 3600 // 50):
                await trio.sleep(50)
                publish(BOOK, update("BTC_USDT"))
                if minute % 5 == 0:
                    publish("futures/fundingRate:BTCUSDT", {"group": "futures/fundingRate:BTCUSDT", "data": rate})
                if minute % 72 == 0:
                    publish("spot/trade:BTC_USDT", trade("BTC_USDT"))
            assert trades.statistics().received == QUIET_HOURS
            assert book.statistics().received > 70 * QUIET_HOURS
            assert funding.statistics().received > 12 * QUIET_HOURS
            assert drained(events) == []
            for subscription in (trades, book, funding):
                assert subscription.statistics().gaps == 0


@pytest.mark.proof
async def test_an_empty_book_is_asked_now_and_then(autojump_clock: MockClock) -> None:
    """A futures book without an order says nothing after its snapshot: some thirty questions a day, no reconnect."""
    config = bm.Config(ping_interval=18)
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        async with (
            client.streams.events() as events,
            client.streams.futures.depth_increase("BTCUSDT", level=20) as book,
        ):
            drained(events)
            await trio.sleep(QUIET_HOURS * 3600)
            told = drained(events)
            assert set(names(told)) == {"Silent", "Subscribed"}
            assert {event.action for event in silences(told)} == {"request", "renew"}
            assert len(silences(told)) < 5 + 30 * QUIET_HOURS // 24
            assert book.statistics().reconnects == 0


async def test_deadlines_are_the_users_to_set(autojump_clock: MockClock) -> None:
    """By topic before channel; None switches one off; a channel without a deadline gets one, once it has spoken."""
    book = "spot/depth/increase100"
    config = bm.Config(
        silence={"spot/trade": 20, "spot/trade:ETH_USDT": None, "spot/ticker": 5, book: None, f"{book}:ETH_USDT": 10}
    )
    async with open_market() as exchange, exchange.open_client(config=config) as client:
        streams = client.streams.spot
        async with (
            client.streams.events() as events,
            streams.trade("BTC_USDT", "ETH_USDT"),
            streams.depth_increase("BTC_USDT", "ETH_USDT"),
            streams.ticker("BTC_USDT"),
        ):
            await trio.sleep(2.5)
            exchange.faults.add(MuteTopic())
            await trio.sleep(100)
            told = silences(drained(events))
            first = {event.topic: event for event in reversed(told)}
            # The trades had spoken before their connection was replaced for another topic: they are timed on.
            assert set(first) == {"spot/ticker:BTC_USDT", f"{book}:ETH_USDT", "spot/trade:BTC_USDT"}
            assert first["spot/ticker:BTC_USDT"].action == "renew"
            assert first["spot/ticker:BTC_USDT"].seconds == pytest.approx(5)
            assert first[f"{book}:ETH_USDT"].action == "request"
            assert first[f"{book}:ETH_USDT"].seconds == pytest.approx(10)
            replaced = next(event for event in told if event.action == "replace")
            assert replaced.topic == "spot/ticker:BTC_USDT"
            assert replaced.seconds == pytest.approx(7.5)


@pytest.mark.parametrize(
    "silence", [{"ticker": 3}, {"spot/ticker": 0}, {"spot/ticker": -1}, {"spot/ticker": float("nan")}]
)
def test_deadlines_that_make_no_sense_are_refused(silence: dict[str, float]) -> None:
    """A name that is neither topic nor channel, and what is not above 0."""
    with pytest.raises(bm.ConfigurationError, match="silence"):
        bm.Config(silence=silence)


async def test_a_gap_begins_with_the_last_message(autojump_clock: MockClock) -> None:
    """Not when the dead connection was noticed: what was pushed between is lost too."""
    async with open_market() as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with client.streams.spot.trade("BTC_USDT", gaps="mark") as trades:
            await trio.sleep(20.5)
            drained(events)
            exchange.faults.add(Stall(lasting=60))
            stalled = trio.current_time()
            lost = await wait_for(events, models.Lost)
            assert lost.time > stalled + 5
            await wait_for(events, models.Subscribed)
            (gap,) = gaps_of(trades)
            assert gap.since == pytest.approx(stalled - 0.5)


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
                gaps = [item for item in await ready(tickers) if isinstance(item, bm.Gap)]
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
                buy(exchange, "spot")
                await trio.sleep(5)
                exchange.faults.add(MuteTopic())
                await trio.sleep(6)
                silent = [event for event in drained(events) if isinstance(event, models.Silent)]
                assert {event.topic for event in silent} == set(topics)
