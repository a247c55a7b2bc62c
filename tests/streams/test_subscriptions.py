"""Opening, sharing, changing and leaving subscriptions, as a user sees it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import trio
from stream_kit import drained, names
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio._bitmart.sockets import LIMITS
from bitmart_trio._io.connection_limits import ConnectionSlot
from bitmart_trio.sim.faults import Garbage, LoseAck, RefuseTopic
from bitmart_trio.sim.venue import open_exchange


async def test_it_is_open_once_the_exchange_has_acknowledged_it(autojump_clock: MockClock) -> None:
    """Every topic of the call is held by the server when the block is entered."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.kline("BTC_USDT", "ETH_USDT", interval="1m") as klines:
            assert set(exchange.connections[0].topics) == set(klines.topics)
            assert {(await klines.receive()).symbol for _ in range(2)} == {"BTC_USDT", "ETH_USDT"}


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_refused_topic_names_itself_and_nothing_of_the_call_is_left(
    autojump_clock: MockClock, market: str
) -> None:
    """Also in the middle of a batch, where spot's error names no topic."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        good, bad = (
            ("spot/trade:BTC_USDT", "spot/trade:NO_SUCH")
            if market == "spot"
            else ("futures/trade:BTCUSDT", "futures/trade:NOPE")
        )
        async with client.streams.subscribe(good):
            with pytest.raises(bm.SubscriptionRefused) as refused:
                async with client.streams.subscribe(good.replace("trade", "ticker"), bad, good):
                    pytest.fail("it opened")
            assert refused.value.topic == bad
            assert refused.value.code == (92001 if market == "spot" else 0)
            await trio.sleep(1)
            assert set(exchange.connections[0].topics) == {good}


async def test_two_subscriptions_share_the_wire(autojump_clock: MockClock) -> None:
    """One topic at the server; the last to close lets it go; both get everything."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT") as first:
            async with client.streams.spot.trade("BTC_USDT", "ETH_USDT") as second:
                assert len(exchange.connections) == 1
                await trio.sleep(10)
                mine = [trade for trade in (await anext(second.batches())) if trade.symbol == "BTC_USDT"]
                assert mine == (await anext(first.batches()))[-len(mine) :]
            await trio.sleep(1)
            assert list(exchange.connections[0].topics) == ["spot/trade:BTC_USDT"]
        await trio.sleep(1)
        assert list(exchange.connections[0].topics) == []


async def test_topics_of_a_live_subscription_change(autojump_clock: MockClock) -> None:
    """Add and remove take what the opener takes; a refused one is not held and the subscription goes on."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.futures.depth("BTCUSDT", level=20, speed="200ms") as books:
            await books.add("ETHUSDT")
            assert books.topics == ("futures/depth20:BTCUSDT@200ms", "futures/depth20:ETHUSDT@200ms")
            with pytest.raises(bm.SubscriptionRefused):
                await books.add("NOPE")
            with pytest.raises(bm.InvalidRequest):
                await books.add("no symbol")
            await books.remove("BTCUSDT")
            await trio.sleep(1)
            assert list(exchange.connections[0].topics) == ["futures/depth20:ETHUSDT@200ms"]
            with assert_checkpoints():
                await books.add("ETHUSDT")
            with assert_checkpoints():
                await books.remove("NOPE")


async def test_a_missing_acknowledgement_is_a_broken_connection(autojump_clock: MockClock) -> None:
    """A first connection raises; it does not wait for ever."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.events() as events:
            exchange.faults.add(LoseAck())
            async with client.streams.spot.trade("BTC_USDT"):  # acknowledged on the second connection
                assert names(drained(events))[:3] == ["Opened", "Lost", "Reconnected"]


async def test_a_topic_refused_after_a_reconnect_ends_its_subscription_only(autojump_clock: MockClock) -> None:
    """A delisted symbol: the error reaches the loop, the neighbour goes on."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        streams = client.streams.spot
        async with streams.trade("BTC_USDT") as gone, streams.trade("ETH_USDT") as stays:
            exchange.faults.add(RefuseTopic(topic="spot/trade:BTC_USDT", code="90004", times=None))
            exchange.drop_connections()
            with pytest.raises(bm.SubscriptionRefused, match="90004"):
                async for _ in gone:
                    pass
            await trio.sleep(5)
            received = stays.statistics().received
            await trio.sleep(5)
            assert stays.statistics().received > received


async def test_a_slow_reader_harms_only_itself(autojump_clock: MockClock) -> None:
    """Each policy does what it says, the counts add up, and nobody reconnects."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        streams = client.streams.spot
        async with (
            streams.trade("BTC_USDT", buffer=5) as failing,
            streams.trade("BTC_USDT", buffer=5, overflow="drop_oldest") as dropping,
            streams.ticker("BTC_USDT", "ETH_USDT") as conflating,
            streams.trade("BTC_USDT") as quick,
        ):
            quick_count = 0
            with trio.move_on_after(60):
                async for _ in quick:
                    quick_count += 1
            assert quick_count > 50
            for _ in range(5):
                await failing.receive()
            for _ in range(2):
                with pytest.raises(bm.SubscriberTooSlow) as slow:
                    await failing.receive()
                assert slow.value.buffered == 5
            assert dropping.statistics().dropped == quick_count - 5 + quick.statistics().buffer_used
            newest = {item.symbol: item for item in await anext(conflating.batches())}
            assert set(newest) == {"BTC_USDT", "ETH_USDT"}
            for subscription in (failing, dropping, conflating, quick):
                statistics = subscription.statistics()
                assert statistics.received == (
                    statistics.delivered + statistics.conflated + statistics.dropped + statistics.buffer_used
                )
                assert statistics.reconnects == 0
            assert "spot/trade:BTC_USDT" in exchange.connections[0].topics


async def test_garbage_is_counted_and_told_and_the_stream_goes_on(autojump_clock: MockClock) -> None:
    """Broken deflate and cut-off JSON."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT") as spot:
            async with client.streams.futures.trade("BTCUSDT") as futures:
                exchange.faults.add(Garbage(topic="*trade*", times=6))
                for _ in range(20):
                    await spot.receive()
                    await futures.receive()
                told = [event for event in drained(events) if isinstance(event, models.Malformed)]
                assert len(told) == 6
                assert {event.market for event in told} == {"spot", "futures"}
                assert spot.statistics().reconnects == futures.statistics().reconnects == 0


async def test_leaving_the_client_closes_what_others_still_iterate(autojump_clock: MockClock) -> None:
    """ClosedResourceError, as Trio's own channels say it."""
    outcomes: list[str] = []

    async def iterate(subscription: bm.Subscription[object]) -> None:
        try:
            async for _ in subscription:
                pass
        except trio.ClosedResourceError:
            outcomes.append("closed")

    async with open_exchange(seed=1) as exchange, trio.open_nursery() as nursery:
        async with exchange.open_client() as client:
            orders = await _entered(nursery, client.streams.spot.user_orders())
            nursery.start_soon(iterate, orders)
            await wait_all_tasks_blocked()
        await wait_all_tasks_blocked()
        assert outcomes == ["closed"]
        with pytest.raises(trio.ClosedResourceError):
            async with client.streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
        with pytest.raises(trio.ClosedResourceError):
            async with client.streams.events():
                pytest.fail("it opened")
        nursery.cancel_scope.cancel()


async def _entered(nursery: trio.Nursery, opening: object) -> bm.Subscription[object]:
    """Keep a subscription open in a task of its own."""

    async def hold(*, task_status: trio.TaskStatus[bm.Subscription[object]]) -> None:
        async with opening as subscription:  # type: ignore[attr-defined]
            task_status.started(subscription)
            await trio.sleep_forever()

    subscription: bm.Subscription[object] = await nursery.start(hold)
    return subscription


async def test_errors_of_the_user_leave_as_they_are(autojump_clock: MockClock) -> None:
    """No group of ours around a KeyError, nor around a group of the user's own; context and cause untouched."""
    async with open_exchange(seed=1) as exchange:
        for error in (
            KeyError("mine"),
            ExceptionGroup("mine", [ValueError(1), ValueError(2)]),
            ExceptionGroup("lone", [ValueError(1)]),
        ):
            with pytest.raises(type(error)) as raised:
                async with exchange.open_client() as client, client.streams.spot.trade("BTC_USDT"):
                    raise error
            if isinstance(error, BaseExceptionGroup):  # Trio's own scopes rebuild groups that pass through them
                assert isinstance(raised.value, BaseExceptionGroup)
                assert (raised.value.message, raised.value.exceptions) == (error.message, error.exceptions)
            else:
                assert raised.value is error
            assert raised.value.__context__ is None
            assert raised.value.__cause__ is None


async def test_private_topics_need_credentials_that_can_sign(autojump_clock: MockClock) -> None:
    """MissingCredentials before anything is sent."""
    async with open_exchange(seed=1) as exchange:
        for credentials in (None, bm.Credentials("sim-key")):
            async with exchange.open_client(credentials) as client:
                with pytest.raises(bm.MissingCredentials):
                    async with client.streams.spot.user_orders():
                        pytest.fail("it opened")
                with pytest.raises(bm.MissingCredentials):
                    await client.streams.connect("futures", private=True)
        assert exchange.connections == []


async def test_a_topic_that_the_library_does_not_know_comes_raw(autojump_clock: MockClock) -> None:
    """And one that is no topic at all is refused before the wire."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pytest.raises(bm.InvalidRequest, match="not a topic"):
            async with client.streams.subscribe("trade:BTC_USDT"):
                pytest.fail("it opened")
        with pytest.raises(bm.InvalidRequest):
            async with client.streams.subscribe():
                pytest.fail("it opened")
        with pytest.raises(bm.SubscriptionRefused):
            async with client.streams.subscribe("spot/weather:BTC_USDT"):
                pytest.fail("it opened")


async def test_more_connections_than_the_exchange_allows_are_refused_here(autojump_clock: MockClock) -> None:
    """Counted for all clients of a process, per address and kind."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        url = exchange.environment.socket_url("spot", private=True)
        limits = LIMITS["spot", True]
        with ExitStack() as others:
            for _ in range(limits.connections):
                others.enter_context(ConnectionSlot(url, limits))
            with pytest.raises(bm.ConfigurationError, match="10"):
                async with client.streams.spot.user_orders():
                    pytest.fail("it opened")


async def test_the_demo_environment_never_falls_back(autojump_clock: MockClock) -> None:
    """Asking it for spot raises, by REST and by streams."""
    async with bm.open_client(bm.Credentials("k", "s", "m"), environment=bm.DEMO) as client:
        with pytest.raises(bm.ConfigurationError, match="demo"):
            _ = client.spot
        with pytest.raises(bm.ConfigurationError, match="demo"):
            async with client.streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
        assert client.futures is not None
    with pytest.raises(bm.ConfigurationError):
        async with bm.open_spot(environment=bm.DEMO):
            pytest.fail("it opened")
