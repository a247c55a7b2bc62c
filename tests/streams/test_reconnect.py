"""A connection that breaks is replaced, what is wanted is put back, and the gap is told."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from stream_kit import drained, names, wait_for
from trio.testing import MockClock, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.faults import (
    Drop,
    DropDuringLogin,
    HangHandshake,
    LatePong,
    LoseAck,
    RefuseConnect,
    RefuseLogin,
    RefuseUpgrade,
    Stall,
)
from bitmart_trio.sim.venue import open_exchange


async def _ready(subscription: bm.Subscription[Any]) -> list[Any]:
    await wait_all_tasks_blocked()
    return drained(subscription)


both_paths = pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])


@both_paths
async def test_a_dropped_connection_is_replaced_and_the_gap_is_in_the_data(
    autojump_clock: MockClock, tap: bool
) -> None:
    """With gaps="mark" the Gap stands between what came before and after.

    Skip only counts; raise raises once and goes on.
    """
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=bm.Config(tap=tap)) as client:
        spot = client.streams.spot
        async with (
            spot.trade("BTC_USDT", gaps="mark") as marked,
            spot.trade("BTC_USDT", gaps="raise") as raising,
            spot.trade("BTC_USDT") as skipping,
            client.streams.events() as events,
        ):
            await marked.receive()
            assert exchange.drop_connections("spot/public") == 1
            lost = await wait_for(events, models.Lost)
            reconnected = await wait_for(events, models.Reconnected)
            assert (lost.connection, reconnected.epoch) == (1, 1)
            await trio.sleep(5)

            items = [marked.receive_nowait() for _ in range(marked.statistics().buffer_used + 1)]
            gaps = [item for item in items if isinstance(item, bm.Gap)]
            assert len(gaps) == 1
            assert gaps[0].topic == "spot/trade:BTC_USDT"
            assert lost.time == gaps[0].since <= gaps[0].until <= trio.current_time()
            hole = items.index(gaps[0])
            before = [item.time or 0 for item in items[:hole] if isinstance(item, models.SpotTrade)]
            after = [item.time or 0 for item in items[hole:] if isinstance(item, models.SpotTrade)]
            assert after
            start = exchange.exchange.clock.now_ms() - round(trio.current_time() * 1000)
            assert all(time <= start + gaps[0].since * 1000 for time in before)
            assert all(time >= start + gaps[0].until * 1000 - 1 for time in after)

            raised: list[object] = []
            received = 0
            for _ in range(len(items)):
                try:
                    await raising.receive()
                    received += 1
                except bm.StreamGap as gap:
                    raised.append(gap.gap)
            assert (raised, received) == (gaps, len(items) - 1)

            statistics = skipping.statistics()
            assert (statistics.gaps, statistics.reconnects) == (1, 1)
            assert statistics.received == len(items)


async def test_what_is_wanted_now_is_put_back_and_nothing_else(autojump_clock: MockClock) -> None:
    """Subscribe, let go, subscribe again, let another go: after a break exactly the wanted topics are held."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.events() as events, client.streams.spot.ticker("BTC_USDT") as ticker:
            async with client.streams.spot.trade("BTC_USDT"):
                pass
            async with client.streams.spot.trade("ETH_USDT", "BTC_USDT") as trades:
                await trades.remove("ETH_USDT")
                await trades.add("BMX_USDT")
                await trio.sleep(1)
                exchange.drop_connections("spot/public")
                await wait_for(events, models.Reconnected)
                await trio.sleep(1)
                assert set(exchange.connections[0].topics) == {
                    "spot/ticker:BTC_USDT",
                    "spot/trade:BTC_USDT",
                    "spot/trade:BMX_USDT",
                }
                assert trades.topics == ("spot/trade:BTC_USDT", "spot/trade:BMX_USDT")
            await trio.sleep(1)
            assert set(exchange.connections[0].topics) == {"spot/ticker:BTC_USDT"}
            assert ticker.statistics().reconnects == 1


@both_paths
async def test_a_dead_peer_is_noticed_by_its_missing_pong(autojump_clock: MockClock, tap: bool) -> None:
    """Silence, no pong.

    The connection is replaced ping_interval + pong_timeout after the last message at the latest.
    """
    config = bm.Config(ping_interval=7, pong_timeout=3, tap=tap)
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.events() as events, client.streams.futures.trade("BTCUSDT") as trades:
            await trades.receive()
            exchange.faults.add(Stall(connection="futures/public", lasting=15))
            stalled = trio.current_time()
            lost = await wait_for(events, models.Lost)
            assert "ping" in lost.reason
            assert stalled + 3 <= lost.time <= stalled + 7 + 3 + 0.01
            await wait_for(events, models.Reconnected)


async def test_a_late_pong_is_no_reason_while_data_flows(autojump_clock: MockClock) -> None:
    """Any message counts as life."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        exchange.faults.add(LatePong(seconds=60))
        async with client.streams.spot.ticker("BTC_USDT") as tickers, client.streams.events() as events:
            await trio.sleep(120)
            assert tickers.statistics().gaps == 0
            assert drained(events) == []


async def test_a_quiet_private_connection_is_kept_by_pings(autojump_clock: MockClock) -> None:
    """A quiet account receives nothing.

    The pings keep the link, at an exchange that drops silent clients after 20 s.
    """
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.user_orders() as orders, client.streams.futures.order() as more:
            await trio.sleep(90)
            assert orders.statistics().reconnects == more.statistics().reconnects == 0


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_drop_during_login_logs_in_again(autojump_clock: MockClock, market: str) -> None:
    """The connection breaks between login and reply, twice: the third login brings the stream back."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        opener = client.streams.spot.user_orders() if market == "spot" else client.streams.futures.order()
        async with client.streams.events() as events, opener as orders:
            await wait_for(events, models.Subscribed)
            exchange.faults.add(DropDuringLogin(times=2))
            exchange.drop_connections(f"{market}/private")
            reconnected = await wait_for(events, models.Reconnected)
            assert reconnected.attempts == 3
            await wait_for(events, models.Subscribed)
            if market == "spot":
                await client.spot.trading.submit_order(
                    symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000"
                )
            else:
                await client.futures.trading.submit_order(symbol="BTCUSDT", side=1, size=1, type="limit", price="30000")
            await orders.receive()


async def test_a_first_connection_that_fails_says_so(autojump_clock: MockClock) -> None:
    """Refused TCP, refused upgrade, drop during login.

    ConnectionLost where the stream was opened, and the next try works.
    """
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        for fault, words in (
            (RefuseConnect(), "refuses"),
            (RefuseUpgrade(status=403), "403"),
            (DropDuringLogin(), "the connection broke"),
        ):
            exchange.faults.add(fault)
            with pytest.raises(bm.ConnectionLost, match=words):
                async with client.streams.spot.user_orders():
                    pytest.fail("it opened")
        async with client.streams.spot.user_orders():
            pass


async def test_a_handshake_that_hangs_ends_at_the_connect_timeout(autojump_clock: MockClock) -> None:
    """First time it raises; once open, the next try is made."""
    config = bm.Config(timeouts=bm.Timeouts(connect=4))
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        exchange.faults.add(HangHandshake())
        started = trio.current_time()
        with pytest.raises(bm.ConnectionLost, match="4 s"):
            async with client.streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
        assert trio.current_time() - started == pytest.approx(4, abs=0.01)
        async with client.streams.spot.trade("BTC_USDT") as trades, client.streams.events() as events:
            exchange.faults.add(HangHandshake())
            exchange.drop_connections()
            assert (await wait_for(events, models.Reconnected)).attempts == 2
            await trades.receive()


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_refused_login_raises_and_does_not_loop(autojump_clock: MockClock, market: str) -> None:
    """At the async with the first time; after a reconnect from the loop. Either way the key is not tried again."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:

        def opener() -> object:
            return client.streams.spot.user_orders() if market == "spot" else client.streams.futures.order()

        handle = exchange.faults.add(RefuseLogin(code="91002"))
        with pytest.raises(bm.AuthenticationError) as refused:
            async with opener():  # type: ignore[attr-defined]
                pytest.fail("it opened")
        if market == "spot":
            assert refused.value.code == 91002
        await trio.sleep(90)
        assert handle.hits == 1
        assert exchange.connections == []
        handle.remove()

        async with client.streams.events() as events, opener() as orders:  # type: ignore[attr-defined]
            handle = exchange.faults.add(RefuseLogin(code="91003"))
            exchange.drop_connections()
            with pytest.raises(bm.AuthenticationError):
                await orders.receive()
            with pytest.raises(bm.AuthenticationError):
                await orders.receive()
            await trio.sleep(90)
            assert handle.hits == 1
            assert names(drained(events))[-2:] == ["Refused", "Closed"]


async def test_connects_keep_to_thirty_a_minute(autojump_clock: MockClock) -> None:
    """However eager the backoff is set, and although every connection dies at once."""
    config = bm.Config(backoff=bm.Backoff(first=0.01, maximum=0.01))
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.spot.trade("BTC_USDT"):
            handle = exchange.faults.add(RefuseUpgrade(times=None))
            exchange.drop_connections()
            await trio.sleep(59)
            first = handle.hits
            await trio.sleep(60)
            assert 20 <= first <= 30
            assert handle.hits - first <= 30


async def test_backoff_attempts_gives_up(autojump_clock: MockClock) -> None:
    """The stream ends with ConnectionLost, whose cause is the last failure; opening again starts anew."""
    config = bm.Config(backoff=bm.Backoff(attempts=3))
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.spot.user_orders() as orders:
            handle = exchange.faults.add(RefuseUpgrade(times=None))
            exchange.drop_connections()
            with pytest.raises(bm.ConnectionLost, match="3 failures") as lost:
                await orders.receive()
            assert isinstance(lost.value.__cause__, bm.ConnectionLost)
            assert handle.hits == 3
            handle.remove()
        async with client.streams.spot.user_orders():
            pass


async def test_a_connection_that_nobody_needs_is_let_go_quietly(autojump_clock: MockClock) -> None:
    """connect() proves it; without a topic it is not put back when the exchange closes it."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client, client.streams.events() as events:
        await client.streams.connect("spot", private=True)
        assert names(drained(events)) == ["Opened", "Authenticated"]
        exchange.drop_connections()
        await trio.sleep(60)
        assert names(drained(events)) == ["Closed"]
        assert exchange.connections == []


async def test_the_server_side_close_frame_is_told(autojump_clock: MockClock) -> None:
    """A server that restarts says so with a close frame: its code is in the reason."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT"), client.streams.events() as events:
            exchange.faults.add(Drop(code=1012))
            lost = await wait_for(events, models.Lost)
            assert "1012" in lost.reason


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
    """A buffer too small to hold it back: the gap is reported at once, in front of it, and only once."""
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
