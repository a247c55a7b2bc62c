"""Thousands of topics within the exchange's limits: packed, paced, packed again as they close, and closed in time."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import attrs
import pytest
import trio
from proof_sizes import PACKINGS
from stream_kit import drained, names
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.faces import websocket as sockets
from bitmart_trio.sim.faults import HangHandshake, Stall
from bitmart_trio.sim.kernel.feed import FeedChannel
from bitmart_trio.sim.venue import Venue, open_exchange

SPOT = [f"spot/any:T{number}" for number in range(1000)]
# As long as topics come, so that the bytes of a frame are what limits it.
FUTURES = [f"futures/any:AVERYLONGCONTRACTNAMEINDEED{number}USDT@100ms" for number in range(1000)]


@attrs.define
class Record:
    """What the server heard: when, on which connection, which message."""

    heard: list[tuple[float, str, str]] = attrs.field(factory=list)
    connects: list[float] = attrs.field(factory=list)

    def check_limits(self, venue: Venue) -> None:
        """Whatever happened, no limit was broken."""
        assert sum(venue._sockets.refused.values()) == 0  # pyright: ignore[reportPrivateUsage]
        for speaker in {name for _, name, _ in self.heard}:
            times = [time for time, name, _ in self.heard if name == speaker]
            assert most_within(times, 10) <= 100
        assert most_within(self.connects, 60) <= 30
        for connection in venue.connections:
            assert len(connection.topics) <= (115 if connection.kind == "spot/public" else 100)

    def frames(self, verb: str) -> list[list[str]]:
        """The topics of each frame with this verb."""
        messages = [json.loads(text) for _, _, text in self.heard if text != "ping"]
        return [message["args"] for message in messages if verb in (message.get("op"), message.get("action"))]


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of events within any stretch of this length."""
    most, recent = 0, deque[float]()
    for time in sorted(times):
        recent.append(time)
        while recent[0] <= time - seconds:
            recent.popleft()
        most = max(most, len(recent))
    return most


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    """Listens in on every connection of the simulated exchange."""
    record = Record()
    hear, run = sockets.Connection._hear, sockets.Connection.run  # pyright: ignore[reportPrivateUsage]

    def _hear(self: sockets.Connection, message: str | bytes) -> None:
        assert isinstance(message, str)
        record.heard.append((trio.current_time(), self.name, message))
        hear(self, message)

    async def _run(self: sockets.Connection) -> None:
        record.connects.append(trio.current_time())
        await run(self)

    monkeypatch.setattr(sockets.Connection, "_hear", _hear)
    monkeypatch.setattr(sockets.Connection, "run", _run)
    return record


@asynccontextmanager
async def open_anything() -> AsyncGenerator[Venue, None]:
    """An exchange that accepts any ``spot/any:...`` and ``futures/any:...``."""
    async with open_exchange(seed=1, live=False) as exchange:
        for kind in ("spot/public", "futures/public"):
            name = f"{kind.partition('/')[0]}/any"
            exchange.exchange.feed.add(FeedChannel(name, kind, lambda rest: True))
        yield exchange


def loads(exchange: Venue) -> list[int]:
    return sorted((len(connection.topics) for connection in exchange.connections), reverse=True)


def carrier(exchange: Venue, topic: str) -> sockets.Connection:
    """The connection that holds a topic, which is not numbered there as here."""
    (connection,) = (connection for connection in exchange.connections if topic in connection.topics)
    return connection


def held(exchange: Venue) -> Counter[str]:
    return Counter(topic for connection in exchange.connections for topic in connection.topics)


@pytest.mark.parametrize(("topics", "most"), [(SPOT, 115), (FUTURES, 100)], ids=["spot", "futures"])
async def test_a_thousand_topics(autojump_clock: MockClock, record: Record, topics: list[str], most: int) -> None:
    """Filled connection by connection, in frames of at most 20 (spot) and below 2,000 bytes (futures)."""
    async with open_anything() as exchange, exchange.open_client() as client:
        async with client.streams.subscribe(*topics):
            full, rest = divmod(1000, most)
            assert loads(exchange) == [most] * full + ([rest] if rest else [])
            assert held(exchange) == Counter(topics)
            frames = record.frames("subscribe")
            assert sum(map(len, frames)) == 1000
            if most == 115:
                assert max(map(len, frames)) == 20
                assert len(frames) == 8 * 6 + 4
            sizes = [len(text) for _, _, text in record.heard]
            assert max(sizes) < 2000
            assert len(frames) < 60
        await trio.sleep(5)
        assert held(exchange) == {}
        await trio.sleep(60)
        assert len(exchange.connections) == 1
        record.check_limits(exchange)


async def test_a_break_of_everything_puts_everything_back(autojump_clock: MockClock, record: Record) -> None:
    """Five times in two minutes, nine connections each: every topic is held once, thirty connects a minute at most."""
    async with open_anything() as exchange, exchange.open_client() as client:
        async with client.streams.subscribe(*SPOT, gaps="mark") as pushes:
            for _ in range(5):
                assert exchange.drop_connections() == 9
                await trio.sleep(0.01)
                assert held(exchange) == {}
                with trio.fail_after(130):
                    while held(exchange) != Counter(SPOT):  # noqa: ASYNC110  # the virtual clock makes it quick
                        await trio.sleep(1)
            assert len(exchange.connections) == 9
            assert len(record.connects) == 9 * 6
            await trio.sleep(1)
            items = await anext(pushes.batches())
            assert {item.topic for item in items} == set(SPOT)  # nothing came between: one gap a topic, made longer
            statistics = pushes.statistics()
            assert (statistics.gaps, statistics.reconnects) == (5000, 45)
            record.check_limits(exchange)


async def test_closing_topics_leaves_room_that_is_filled_first(autojump_clock: MockClock, record: Record) -> None:
    """And a connection that has been empty for a while is closed in order, unless it is the only one."""
    async with open_anything() as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with client.streams.subscribe(*SPOT[:300]) as pushes:
            assert loads(exchange) == [115, 115, 70]
            await pushes.remove(*SPOT[10:60], *SPOT[230:300])
            await trio.sleep(5)
            assert loads(exchange) == [115, 65, 0]
            await pushes.add(*SPOT[300:340])
            assert loads(exchange) == [115, 105, 0]
            assert carrier(exchange, SPOT[300]) is carrier(exchange, SPOT[0])
            drained(events)
            await trio.sleep(30)
            assert loads(exchange) == [115, 105]
            (closed,) = drained(events)
            assert isinstance(closed, models.Closed)
            assert (closed.connection, closed.reason) == (3, "nobody held a topic on it")
            await pushes.add(*SPOT[400:411])
            assert loads(exchange) == [115, 115, 1]
        await trio.sleep(40)
        assert len(exchange.connections) == 1
        record.check_limits(exchange)


async def test_a_full_connection_swaps_topics(autojump_clock: MockClock, record: Record) -> None:
    """Closing some and opening as many others at once never holds more than are allowed."""
    async with open_anything() as exchange, exchange.open_client() as client:
        async with client.streams.subscribe(*SPOT[:115]) as pushes:
            for start in range(115, 700, 115):
                await pushes.remove(*pushes.topics[:100])
                await pushes.add(*SPOT[start : start + 100])
                assert loads(exchange) == [115]
                assert held(exchange) == Counter(pushes.topics)
            record.check_limits(exchange)


async def test_a_thin_connection_that_breaks_is_not_put_back(autojump_clock: MockClock, record: Record) -> None:
    """Its topics go where there is room, with their gap; had there been none, it would have been replaced."""
    async with open_anything() as exchange, exchange.open_client() as client, client.streams.events() as events:
        streams = client.streams
        async with (
            streams.subscribe(*SPOT[:115]) as first,
            streams.subscribe(*SPOT[115:125], gaps="mark") as second,
            streams.subscribe("spot/any:NEXT") as late,
        ):
            drained(events)
            exchange.drop_connections(carrier(exchange, late.topics[0]).name)
            await trio.sleep(5)
            assert "Reconnected" in names(drained(events))
            assert set(carrier(exchange, late.topics[0]).topics) == {*second.topics, *late.topics}
            await anext(second.batches())

            await first.remove(*SPOT[:40])
            await trio.sleep(5)
            drained(events)
            now = trio.current_time()
            exchange.drop_connections(carrier(exchange, late.topics[0]).name)
            await trio.sleep(5)
            closed = next(event for event in drained(events) if isinstance(event, models.Closed))
            assert "went to connection 1" in closed.reason
            assert loads(exchange) == [75 + 11]
            gaps = await anext(second.batches())
            assert {gap.topic for gap in gaps} == set(SPOT[115:125])
            assert all(gap.since <= now <= gap.until < now + 1 for gap in gaps)
            assert second.statistics().reconnects == late.statistics().reconnects == 2
            assert first.statistics().reconnects == 0
            exchange.exchange.feed.publish("spot/any:NEXT", {"table": "spot/any", "data": [{"symbol": "NEXT"}]})
            await late.receive()
            await trio.sleep(60)
            assert loads(exchange) == [86]
        record.check_limits(exchange)


async def test_more_than_one_address_may_hold_is_refused_at_once(autojump_clock: MockClock, record: Record) -> None:
    """2,300 spot topics for all clients of a run together: one more is refused, with the numbers; nothing is sent."""
    topics = [f"spot/any:T{number}" for number in range(2301)]
    async with open_anything() as exchange, exchange.open_client() as client, exchange.open_client() as other:
        with pytest.raises(bm.ConfigurationError, match=r"2301 .* need 21 more .* allows 20 .* 0 are .* 2300 more"):
            async with client.streams.subscribe(*topics):
                pytest.fail("it opened")
        await trio.sleep(1)
        assert record.connects == []
        async with other.streams.subscribe(*topics[:120]) as held_there, client.streams.subscribe(*topics[200:210]):
            heard = len(record.heard)
            with pytest.raises(bm.ConfigurationError, match=r"2091 .* need 18 more .* 3 are .* 2060 more"):
                async with client.streams.subscribe(*topics[200:]):
                    pytest.fail("it opened")
            # A topic that is held already takes no room.
            assert len(record.heard) == heard
            await held_there.remove(*topics[:119])
            async with client.streams.subscribe(*topics[200:2265]):
                assert len(exchange.connections) == 20
                record.check_limits(exchange)
                assert held(exchange) == Counter([*topics[119:120], *topics[200:2265]])


async def test_connects_of_both_kinds_of_futures_sockets_are_counted_together(autojump_clock: MockClock) -> None:
    """Nothing says that public and private ones are counted apart there."""
    config = bm.Config(backoff=bm.Backoff(first=0.01, maximum=0.01))
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        async with (
            client.streams.events() as events,
            client.streams.futures.order(),
            client.streams.futures.trade("BTCUSDT"),
        ):
            opened = 2
            for _ in range(20):
                exchange.drop_connections()
                await trio.sleep(2.5)
            opened += names(drained(events)).count("Reconnected")
            assert 20 <= opened <= 30


@pytest.mark.parametrize("cancelled", [False, True])
async def test_ten_connections_to_a_silent_server_close_as_fast_as_one(
    autojump_clock: MockClock, cancelled: bool
) -> None:
    """Within Timeouts.close, not ten times that."""
    config = bm.Config(timeouts=bm.Timeouts(close=2))
    left = 0.0
    async with open_anything() as exchange:
        with trio.CancelScope() as scope:
            async with exchange.open_client(config=config) as client, client.streams.subscribe(*FUTURES):
                assert len(exchange.connections) == 10
                exchange.faults.add(Stall())
                if cancelled:
                    scope.cancel()
                left = trio.current_time()
        assert trio.current_time() - left <= 2 + 0.1


async def test_connections_that_are_still_opening_or_answer_are_closed_at_once(autojump_clock: MockClock) -> None:
    """A handshake that hangs is cut; a server that answers gets and gives a proper farewell."""
    async with open_anything() as exchange:
        async with exchange.open_client() as client:
            async with client.streams.subscribe(*SPOT):
                assert len(exchange.connections) == 9
                left = trio.current_time()
        assert trio.current_time() - left < 0.1
        exchange.faults.add(HangHandshake(times=None))
        with trio.move_on_after(3):
            async with exchange.open_client() as client, client.streams.subscribe(*SPOT):
                pytest.fail("it opened")
        assert trio.current_time() - left < 3 + 0.1


async def test_an_only_connection_stays_for_the_next_topic(autojump_clock: MockClock, record: Record) -> None:
    """Opening and closing one topic after another costs one connection."""
    async with open_anything() as exchange, exchange.open_client() as client:
        for topic in SPOT[:5]:
            async with client.streams.subscribe(topic):
                await trio.sleep(1)
            await trio.sleep(40)
        assert len(record.connects) == 1


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(PACKINGS))
async def test_any_order_of_opening_closing_and_breaking(autojump_clock: MockClock, record: Record, seed: int) -> None:
    """In the end exactly the wanted topics are held, each once, on no more connections than needed; no limit broken."""
    random = Random(seed)
    async with open_anything() as exchange, exchange.open_client() as client:
        async with client.streams.subscribe("spot/any:FIRST") as pushes:
            for _ in range(30):
                match random.choice(("open", "open", "close", "break", "wait")):
                    case "open":
                        await pushes.add(*random.sample(SPOT, random.randint(1, 200)))
                    case "close":
                        topics = pushes.topics[1:]
                        await pushes.remove(*random.sample(topics, random.randint(0, len(topics))))
                    case "break" if exchange.connections:
                        exchange.drop_connections(random.choice([*exchange.connections]).name)
                    case _:
                        await trio.sleep(random.expovariate(0.05))
            await trio.sleep(180)
            assert held(exchange) == Counter(pushes.topics)
            for connection in [*exchange.connections][1:]:
                exchange.drop_connections(connection.name)
                await trio.sleep(10)
            assert held(exchange) == Counter(pushes.topics)
            assert len(exchange.connections) == -(-len(pushes.topics) // 115)
            assert pushes.statistics().gaps > 0
            record.check_limits(exchange)
