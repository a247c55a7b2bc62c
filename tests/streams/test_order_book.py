"""Order books over the whole stack: right while live, honest while not, and set right again by themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import attrs
import pytest
import trio
from book_kit import Truth
from stream_kit import drained, wait_for
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.faults import Duplicate, Gap, MuteTopic
from bitmart_trio.sim.venue import Venue, open_exchange
from bitmart_trio.testing import sweep

SPOT: Final = "spot/depth/increase100:BTC_USDT"


# ---- reading -------------------------------------------------------------------------------------------------------


async def test_a_book_can_be_read_once_it_is_live(autojump_clock: MockClock) -> None:
    """All views agree with the exchange's book; none of them changes under the reader's hands."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        truth = Truth(exchange, SPOT, "BTC_USDT", 100)
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            assert (book.symbol, book.state) == ("BTC_USDT", bm.BookState.LIVE)
            truth.check(book)
            bids, asks = book.bids, book.asks
            assert (book.best_bid, book.best_ask) == (bids[0], asks[0])
            assert book.depth(3) == bm.BookDepth(bids[:3], asks[:3])
            assert book.depth(1000) == bm.BookDepth(bids, asks)
            assert book.spread == asks[0].price - bids[0].price
            assert book.mid == (asks[0].price + bids[0].price) / 2
            assert book.time == exchange.exchange.now_ms()
            before = list(bids)
            exchange.exchange.spot.markets["BTC_USDT"].book.cancel(
                next(exchange.exchange.spot.markets["BTC_USDT"].book.candidates("sell", None)).order_id
            )
            await trio.sleep(1)
            exchange.exchange.tick()
            await wait_all_tasks_blocked()
            assert book.bids != bids
            assert list(bids) == before
            truth.check(book)


async def test_the_average_price_of_a_market_order(autojump_clock: MockClock) -> None:
    """Over as many levels as it takes; None when the book is too thin; never a float."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        async with client.streams.futures.order_book("BTCUSDT", level=5) as book:
            await book.wait_live()
            asks, bids = book.asks, book.bids
            first, second = asks[0], asks[1]
            assert book.vwap("buy", first.size) == first.price
            paid = first.price * first.size + second.price
            assert book.vwap("buy", first.size + 1) == pytest.approx(paid / (first.size + 1), rel=Decimal("1E-20"))
            assert book.vwap("sell", "1") == book.vwap("sell", 1) == bids[0].price
            everything = sum((level.size for level in bids), Decimal(0))
            assert book.vwap("sell", everything) is not None
            assert book.vwap("sell", everything + 1) is None
            for size in (0, -1, "x", "NaN", "Infinity"):
                with pytest.raises(bm.InvalidRequest, match="size"):
                    book.vwap("buy", size)
            with pytest.raises(TypeError):
                book.vwap("buy", 1.5)  # type: ignore[arg-type]
            with pytest.raises(bm.InvalidRequest, match="side"):
                book.vwap("bid", 1)  # type: ignore[arg-type]
            with pytest.raises(bm.InvalidRequest):
                book.depth(0)


async def test_a_book_that_is_not_live_cannot_be_read(autojump_clock: MockClock) -> None:
    """Syncing before its first snapshot, stale without a connection: every view raises, the rest does not."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        mute = exchange.faults.add(MuteTopic(topic=SPOT))
        async with client.streams.spot.order_book("BTC_USDT") as book:

            def refused(state: str) -> None:
                assert book.state.value == state
                for name in ("best_bid", "best_ask", "bids", "asks", "spread", "mid", "version", "time"):
                    with pytest.raises(bm.BookNotLive, match=state) as raised:
                        getattr(book, name)
                    assert (raised.value.symbol, raised.value.state) == ("BTC_USDT", state)
                with pytest.raises(bm.BookNotLive):
                    book.depth(1)
                with pytest.raises(bm.BookNotLive):
                    book.vwap("buy", 1)
                assert state in repr(book)
                book.statistics()

            refused("syncing")
            mute.remove()
            await book.wait_live()
            exchange.drop_connections("spot/public")
            await book.wait_stale()
            refused("stale")
            await book.wait_live()
            assert book.statistics().reconnects == book.statistics().resyncs == 1
        assert "closed" in repr(book)
        with pytest.raises(trio.ClosedResourceError):
            book.best_bid  # noqa: B018
        with pytest.raises(trio.ClosedResourceError):
            await book.wait_live()
        with pytest.raises(trio.ClosedResourceError):
            await anext(book)
        await book.wait_stale()


async def test_wrong_symbols_levels_and_speeds(autojump_clock: MockClock) -> None:
    """Found at once, or said by the exchange where the book was opened; then nothing is held."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        with pytest.raises(bm.InvalidRequest):
            client.streams.spot.order_book("BTC:USDT")
        with pytest.raises(bm.InvalidRequest):
            client.streams.futures.order_book("BTCUSDT", level=7)  # type: ignore[arg-type]
        with pytest.raises(bm.InvalidRequest):
            client.streams.futures.order_book("BTCUSDT", speed="1ms")  # type: ignore[arg-type]
        for opening in (client.streams.spot.order_book("NO_SUCH"), client.streams.futures.order_book("NOSUCH")):
            with pytest.raises(bm.SubscriptionRefused):
                async with opening:
                    pytest.fail("it opened")
        assert [list(connection.topics) for connection in exchange.connections] == [[], []]


# ---- changes -------------------------------------------------------------------------------------------------------


async def test_changes_rebuild_the_book(autojump_clock: MockClock) -> None:
    """The first is the whole book; what a reader keeps from them is the book itself, whatever happens on the way."""
    async with open_exchange(seed=2) as exchange, exchange.open_client() as client:
        async with client.streams.futures.order_book("BTCUSDT", level=20, speed="200ms") as book:
            mirror: tuple[dict[Decimal, models.Level], dict[Decimal, models.Level]] = ({}, {})
            wholes = count = last = 0
            async for change in book:
                if change.snapshot:
                    wholes += 1
                    mirror = ({}, {})
                else:
                    assert change.version == last + change.merged
                last = change.version
                for side, levels in zip(mirror, (change.bids, change.asks), strict=True):
                    for level in levels:
                        side.pop(level.price, None)
                        if level.size:
                            side[level.price] = level
                assert tuple(sorted(mirror[0].values(), key=lambda level: -level.price)) == book.bids
                assert tuple(sorted(mirror[1].values(), key=lambda level: level.price)) == book.asks
                assert (change.symbol, change.version, change.time) == ("BTCUSDT", book.version, book.time)
                count += 1
                if count in (40, 60):
                    exchange.faults.add(Gap(topic="futures/depthIncrease20:*"))
                elif count in (80, 100):
                    exchange.drop_connections()
                elif 110 <= count <= 150:
                    await trio.sleep(0.7)
                elif count > 200:
                    break
            statistics = book.statistics()
            assert wholes >= 3
            assert statistics.conflated > 0
            assert statistics.gaps > 0
            assert statistics.reconnects > 0


async def test_a_slow_reader_gets_the_newest_sizes_and_breaks_nothing(autojump_clock: MockClock) -> None:
    """A minute's changes are one; when they are too many, the whole book is."""
    async with open_exchange(seed=2) as exchange, exchange.open_client() as client:
        truth = Truth(exchange, SPOT, "BTC_USDT", 100)
        async with client.streams.spot.order_book("BTC_USDT") as book:
            first = await anext(book)
            assert (first.snapshot, first.merged, first.version) == (True, 1, book.version)
            await trio.sleep(1)
            second = await anext(book)
            assert not second.snapshot
            assert second.merged == second.version - first.version > 3
            held = {level.price: level.size for level in book.bids}
            assert [level.price for level in second.bids] == sorted(
                (level.price for level in second.bids), reverse=True
            )
            assert all(held.get(level.price, Decimal(0)) == level.size for level in second.bids)
            await trio.sleep(60)
            third = await anext(book)
            assert third.snapshot
            assert third.merged == third.version - second.version > 100
            assert (third.bids, third.asks) == (book.bids, book.asks)
            truth.check(book)
            statistics = book.statistics()
            assert statistics.conflated == third.merged + second.merged - 2
            assert (statistics.gaps, statistics.reconnects, statistics.snapshots) == (0, 0, 1)


async def test_one_task_iterates(autojump_clock: MockClock) -> None:
    """A second one is told so; being cancelled while waiting loses nothing; waiting ends when the book closes."""
    async with open_exchange(seed=2, live=False) as exchange, exchange.open_client() as client:
        async with trio.open_nursery() as nursery:
            async with client.streams.spot.order_book("BTC_USDT") as book:
                whole = await anext(book)
                with trio.move_on_after(3) as scope:
                    await anext(book)
                assert scope.cancelled_caught
                ended = trio.Event()

                async def wait() -> None:
                    with pytest.raises(trio.ClosedResourceError):
                        await anext(book)
                    ended.set()

                nursery.start_soon(wait)
                await wait_all_tasks_blocked()
                with pytest.raises(trio.BusyResourceError):
                    await anext(book)
                assert whole.snapshot
            with trio.fail_after(1):
                await ended.wait()


async def test_everything_async_is_a_checkpoint(autojump_clock: MockClock) -> None:
    """Also when there is nothing to wait for."""
    async with open_exchange(seed=2) as exchange, exchange.open_client() as client:
        opening = client.streams.spot.order_book("BTC_USDT")
        with assert_checkpoints():
            book = await opening.__aenter__()
        try:
            await book.wait_live()
            with assert_checkpoints():
                await book.wait_live()
            with assert_checkpoints():
                await anext(book)
            exchange.drop_connections()
            await book.wait_stale()
            with assert_checkpoints():
                await book.wait_stale()
        finally:
            with assert_checkpoints():
                await opening.__aexit__(None, None, None)  # noqa: ASYNC102  # the virtual clock bounds it


async def test_the_users_error_leaves_as_it_was(autojump_clock: MockClock) -> None:
    """Not in a group of ours."""
    async with open_exchange(seed=2) as exchange, exchange.open_client() as client:
        with pytest.raises(KeyError, match="mine"):
            async with client.streams.spot.order_book("BTC_USDT"):
                raise KeyError("mine")


# ---- sharing -------------------------------------------------------------------------------------------------------


async def test_books_and_subscriptions_share_the_wire(autojump_clock: MockClock) -> None:
    """A book on a topic that is held asks for its snapshot at once; letting it go leaves the topic to others."""
    async with open_exchange(seed=2, live=False) as exchange, exchange.open_client() as client:
        async with client.streams.spot.depth_increase("BTC_USDT") as changes:
            assert (await changes.receive()).type is models.BookUpdateType.SNAPSHOT
            started = trio.current_time()
            async with (
                client.streams.spot.order_book("BTC_USDT") as one,
                client.streams.spot.order_book("BTC_USDT") as two,
            ):
                await one.wait_live()
                await two.wait_live()
                assert trio.current_time() == started
                assert one.bids == two.bids
                assert len(exchange.connections) == 1
            await trio.sleep(1)
            assert list(exchange.connections[0].topics) == [SPOT]
        await trio.sleep(1)
        assert list(exchange.connections[0].topics) == []


async def test_a_book_that_is_opened_anew_at_once(autojump_clock: MockClock) -> None:
    """Closed and opened again before the exchange has let the topic go: it comes all the same."""
    async with open_exchange(seed=2) as exchange, exchange.open_client() as client:
        truth = Truth(exchange, SPOT, "BTC_USDT", 100)
        for _ in range(5):
            async with client.streams.spot.order_book("BTC_USDT") as book:
                with trio.fail_after(6):
                    await book.wait_live()
                truth.check(book)


# ---- recovery ------------------------------------------------------------------------------------------------------


async def test_a_gap_is_mended_by_a_request(autojump_clock: MockClock) -> None:
    """Stale from the moment it is seen, right again with the answer, on the same connection."""
    async with open_exchange(seed=3) as exchange, exchange.open_client() as client:
        truth = Truth(exchange, SPOT, "BTC_USDT", 100)
        async with client.streams.spot.order_book("BTC_USDT") as book, client.streams.events() as events:
            for _ in range(5):
                await book.wait_live()
                exchange.faults.add(Gap(topic=SPOT))
                await book.wait_stale()
                broken = trio.current_time()
                await book.wait_live()
                assert trio.current_time() - broken <= 1
                truth.check(book)
                await trio.sleep(2)
            statistics = book.statistics()
            assert (statistics.gaps, statistics.resyncs, statistics.snapshots) == (5, 5, 6)
            assert drained(events) == []


async def test_repeats_are_dropped_in_silence(autojump_clock: MockClock) -> None:
    """A duplicated push is no reason for anything."""
    async with open_exchange(seed=3) as exchange, exchange.open_client() as client:
        truth = Truth(exchange, SPOT, "BTC_USDT", 100)
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            exchange.faults.add(Duplicate(topic=SPOT, times=None))
            await trio.sleep(10)
            truth.check(book)
            statistics = book.statistics()
            assert statistics.stale_dropped > 50
            assert (statistics.gaps, statistics.snapshots) == (0, 1)


async def test_a_quiet_spot_book_stays_live(autojump_clock: MockClock) -> None:
    """Its signs of life repeat the version: dropped, for hours."""
    async with open_exchange(seed=3, live=False) as exchange, exchange.open_client() as client:
        async with (
            client.streams.spot.order_book("BTC_USDT") as book,
            client.streams.futures.order_book("BTCUSDT") as other,
        ):
            await book.wait_live()
            await other.wait_live()
            for _ in range(600):
                await trio.sleep(6)
                exchange.exchange.spot.watchers[0].pairs_ticked(exchange.exchange.spot.markets)
                exchange.exchange.futures.watchers[0].ticked(exchange.exchange.clock.steady_ms())
            assert (book.state, other.state) == (bm.BookState.LIVE, bm.BookState.LIVE)
            assert book.statistics().stale_dropped > 500
            assert other.statistics().updates > 500
            assert (book.statistics().gaps, other.statistics().gaps) == (0, 0)


async def test_a_request_without_an_answer_leads_to_a_new_subscription(autojump_clock: MockClock) -> None:
    """And the other topics of the connection notice nothing."""
    config = bm.Config(timeouts=bm.Timeouts(snapshot=4))
    async with open_exchange(seed=3) as exchange, exchange.open_client(config=config) as client:
        async with (
            client.streams.spot.order_book("BTC_USDT") as book,
            client.streams.spot.order_book("ETH_USDT") as other,
            client.streams.events() as events,
        ):
            await book.wait_live()
            await other.wait_live()
            # The update that makes the gap, then the answer to the request, which may come among updates.
            name = "spot/depth/increase100"
            channel = exchange.exchange.feed.channels[name]
            exchange.exchange.feed.channels[name] = attrs.evolve(channel, asked=lambda rest, account: ())
            exchange.faults.add(Gap(topic=SPOT))
            await book.wait_stale()
            broken = trio.current_time()
            await book.wait_live()
            assert 4 <= trio.current_time() - broken <= 5
            assert [type(event) for event in drained(events)] == [models.Subscribed]
            assert (other.state, other.statistics().snapshots) == (bm.BookState.LIVE, 1)


async def test_a_topic_that_stays_mute_replaces_the_connection_once(autojump_clock: MockClock) -> None:
    """Request, subscribe anew, a new connection; after that it is asked for again and again, with growing patience."""
    async with open_exchange(seed=3, live=False) as exchange, exchange.open_client() as client:
        mute = exchange.faults.add(MuteTopic(topic=SPOT))
        async with client.streams.events() as events, client.streams.spot.order_book("BTC_USDT") as book:
            lost = await wait_for(events, models.Lost)
            assert f"no snapshot of {SPOT}" in lost.reason
            assert 15 <= lost.time <= 16
            await trio.sleep(600)
            assert not any(isinstance(event, models.Lost) and "snapshot" in event.reason for event in drained(events))
            before = exchange.connections[0].received
            await trio.sleep(600)
            assert not any(isinstance(event, models.Lost) for event in drained(events))
            # Pings, and no more than three messages a minute: a request, letting the topic go, taking it up again.
            assert exchange.connections[0].received - before < 60 + 3 * 10
            assert book.state is bm.BookState.SYNCING
            mute.remove()
            with trio.fail_after(130):
                await book.wait_live()
            assert book.statistics().resyncs == 0


async def test_a_book_that_is_crossed_at_the_exchange_is_never_live(autojump_clock: MockClock) -> None:
    """It is asked for again, without haste, and comes when it is in order."""
    async with open_exchange(seed=3, live=False) as exchange, exchange.open_client() as client:
        name = "spot/depth/increase100"
        channel = exchange.exchange.feed.channels[name]

        def crossed(rest: str, account: Any) -> Any:
            frames = list(channel.first(rest, account))
            data: Any = frames[0]["data"]
            return [{**frames[0], "data": [{**data[0], "bids": [[data[0]["asks"][0][0], "1"]]}]}]

        exchange.exchange.feed.channels[name] = attrs.evolve(channel, first=crossed, asked=crossed)
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await trio.sleep(4)
            assert (book.state, book.statistics().crossed) == (bm.BookState.SYNCING, 1)
            await trio.sleep(100)
            assert 3 <= book.statistics().crossed <= 12
            exchange.exchange.feed.channels[name] = channel
            with trio.fail_after(130):
                await book.wait_live()


async def test_a_connection_that_is_given_up_ends_the_book(autojump_clock: MockClock) -> None:
    """wait_live and the loop raise why; what is read raises BookNotLive from it."""
    config = bm.Config(backoff=bm.Backoff(attempts=1))
    async with open_exchange(seed=3) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            exchange.faults.add(bm.sim.faults.RefuseUpgrade(times=None))
            exchange.drop_connections()
            await book.wait_stale()
            with pytest.raises(bm.ConnectionLost):
                await book.wait_live()
            with pytest.raises(bm.ConnectionLost):
                await anext(book)
            with pytest.raises(bm.BookNotLive) as raised:
                book.best_bid  # noqa: B018
            assert isinstance(raised.value.__cause__, bm.ConnectionLost)


async def test_leaving_the_client_ends_the_book(autojump_clock: MockClock) -> None:
    """A task that still iterates gets ClosedResourceError."""
    async with open_exchange(seed=3) as exchange, trio.open_nursery() as nursery:
        ended: list[type] = []

        async def iterate(client: bm.Client) -> None:
            async with client.streams.spot.order_book("BTC_USDT") as book:
                try:
                    async for _ in book:
                        pass
                except trio.ClosedResourceError as error:
                    ended.append(type(error))

        async with exchange.open_client() as client:
            nursery.start_soon(iterate, client)  # noqa: ASYNC111  # to outlive its client is the point
            await trio.sleep(3)
        await wait_all_tasks_blocked()
        assert ended == [trio.ClosedResourceError]


def test_a_book_that_is_cancelled_anywhere_leaves_nothing() -> None:
    """Opening, waiting, iterating, leaving: the topic is let go, and the next one works."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[tuple[bm.Client, Venue]]:
        async with (
            open_exchange(seed=1, symbols=["BTC_USDT", "ETH_USDT"]) as exchange,
            exchange.open_client() as client,
        ):
            async with client.streams.spot.ticker("ETH_USDT"):
                yield client, exchange
                await trio.sleep(1)
                assert set(exchange.connections[0].topics) == {"spot/ticker:ETH_USDT"}
                async with client.streams.spot.order_book("BTC_USDT") as book:
                    await book.wait_live()

    async def body(opened: tuple[bm.Client, Venue]) -> None:
        client, exchange = opened
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            await anext(book)
            exchange.faults.add(Gap(topic=SPOT))
            await book.wait_stale()
            await book.wait_live()
            await anext(book)

    assert sweep(body, around=around).checkpoints > 5
