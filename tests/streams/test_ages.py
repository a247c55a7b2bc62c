"""How old a book or an account view is: asked for early, stale from the Silent event on, bounded by max_age."""

from __future__ import annotations

from typing import Any, Final

import pytest
import trio
from stream_kit import drained, names, wait_for
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim import Venue, open_exchange
from bitmart_trio.sim.faults import MuteTopic

BOOK: Final = "spot/depth/increase100:BTC_USDT"


def forget(exchange: Venue, topic: str) -> None:
    """The server loses a subscription, and goes on as if nothing had happened."""
    (connection,) = (connection for connection in exchange.connections if topic in connection.topics)
    connection.topics.pop(topic)()


async def test_a_mute_book_is_stale_long_before_its_topic_is_given_up(autojump_clock: MockClock) -> None:
    """Asked for 15 s after its last push, in doubt 5 s later; and live again as soon as it speaks."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            await trio.sleep(10)
            fault = exchange.faults.add(MuteTopic(topic=BOOK))
            last = book.statistics().last_message
            assert last is not None
            await book.wait_stale()
            assert trio.current_time() == pytest.approx(last + 20, abs=0.1)
            assert book.age == pytest.approx(20, abs=0.1)
            with pytest.raises(bm.BookNotLive, match="stale"):
                book.best_bid  # noqa: B018
            fault.remove()
            with trio.fail_after(6):
                await book.wait_live()


async def test_a_book_is_stale_at_the_silent_event_at_the_latest(autojump_clock: MockClock) -> None:
    """Also where its silence has a deadline of the user's that is shorter."""
    config = bm.Config(silence={"spot/depth/increase100": 4})
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.events() as events, client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            await trio.sleep(3)
            exchange.faults.add(MuteTopic(topic=BOOK))
            await wait_for(events, models.Silent)
            assert book.state.value == "stale"


async def test_a_quiet_book_is_asked_ever_more_rarely_and_stays_live(autojump_clock: MockClock) -> None:
    """The answers show that nothing has changed: no change for the reader, no gap, no reconnect."""
    config = bm.Config(silence={"spot/depth/increase100": None})
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.events() as events, client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            await anext(book)
            drained(events)
            asked = book.statistics().snapshots
            with trio.move_on_after(2000) as quiet:
                await book.wait_stale()
            assert quiet.cancelled_caught
            assert 5 <= book.statistics().snapshots - asked <= 8  # after 15, 30, 60, ... seconds
            assert drained(events) == []
            with trio.move_on_after(0.01):
                pytest.fail(f"a change: {await anext(book)}")


async def test_a_subscription_that_the_server_lost_is_noticed_by_the_first_answer(autojump_clock: MockClock) -> None:
    """A snapshot newer than the book, of a topic that pushed nothing: it is subscribed to afresh."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.events() as events, client.streams.spot.order_book("BTC_USDT") as book:
            await book.wait_live()
            await trio.sleep(10)
            drained(events)
            forget(exchange, BOOK)
            await trio.sleep(16)
            assert names(drained(events)) == ["Subscribed"]
            before = book.statistics().updates
            await trio.sleep(10)
            assert book.statistics().updates > before


async def test_a_book_that_is_older_than_max_age_cannot_be_read(autojump_clock: MockClock) -> None:
    """To the moment, for those who wait and those who look; a push makes it new again."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.order_book("BTC_USDT", max_age=2.5) as book:
            assert book.age is None or book.age == 0
            await book.wait_live()
            await trio.sleep(10)
            assert book.state.value == "live"
            fault = exchange.faults.add(MuteTopic(topic=BOOK))
            last = book.statistics().last_message
            assert last is not None
            await book.wait_stale()
            assert trio.current_time() == pytest.approx(last + 2.5)
            with pytest.raises(bm.BookNotLive, match=r"2\.5 s old \(max_age=2\.5\)"):
                book.depth(1)
            fault.remove()
            with trio.fail_after(2):
                await book.wait_live()
            autojump_clock.jump(3)  # the program's own computation: what it knows is as old
            assert book.state.value == "stale"
            with trio.fail_after(2):
                await trio.sleep(0.2)
                await book.wait_live()


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_quiet_book_with_max_age_is_asked_in_time(autojump_clock: MockClock, market: str) -> None:
    """Stale for the time of a question and its answer at most."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        streams = client.streams
        opening = (
            streams.spot.order_book("BTC_USDT", max_age=5)
            if market == "spot"
            else streams.futures.order_book("BTCUSDT", max_age=5)
        )
        async with opening as book:
            await book.wait_live()
            for _ in range(200):
                await trio.sleep(0.5)
                with trio.fail_after(0.1):
                    await book.wait_live()
            assert 15 <= book.statistics().snapshots <= 22


@pytest.mark.parametrize("age", [0, -1, float("nan")])
async def test_a_max_age_that_makes_no_sense(autojump_clock: MockClock, age: float) -> None:
    """It must be above 0."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for opening in (
            client.streams.spot.order_book("BTC_USDT", max_age=age),
            client.streams.spot.account(max_age=age),
            client.streams.futures.account(max_age=age),
        ):
            with pytest.raises(bm.InvalidRequest, match="max_age"):
                async with opening:
                    pytest.fail("it opened")


async def test_a_view_with_max_age_is_read_in_time_and_refuses_to_show_what_is_old(autojump_clock: MockClock) -> None:
    """Read at half its age; when reading fails it is stale to the moment, and then looking at it raises."""
    down: Any = None
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        async with client.streams.futures.account(max_age=20) as account:
            with pytest.raises(bm.AccountNotLive, match="syncing"):
                account.balances  # noqa: B018
            await account.wait_live()
            with trio.move_on_after(200) as quiet:
                await account.wait_stale()
            assert quiet.cancelled_caught
            assert account.age is not None
            assert account.age <= 10.1
            assert account.positions == {}
            down = exchange.faults.add(bm.sim.LoseRequest("/contract/private/*", times=None))
            confirmed = trio.current_time() - account.age
            await account.wait_stale()
            assert trio.current_time() == pytest.approx(confirmed + 20)
            for look in (
                lambda: account.orders,
                lambda: account.balances,
                lambda: account.positions,
                lambda: account.order_by_client_id("x"),
            ):
                with pytest.raises(
                    bm.AccountNotLive, match=r"stale, its newest complete read is 20\.0 s old"
                ) as raised:
                    look()
                assert raised.value.state == "stale"
            down.remove()
            with trio.fail_after(60):
                await account.wait_live()
            assert account.orders == {}


async def test_a_view_is_stale_at_the_silent_event(autojump_clock: MockClock) -> None:
    """And live again once the topic was acknowledged afresh and everything was read."""
    config = bm.Config(silence={"spot/user/orders:ALL_SYMBOLS": 30})
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=config) as client:
        async with client.streams.events() as events, client.streams.spot.account() as account:
            await account.wait_live()
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="20000"
            )
            await trio.sleep(5)
            assert account.state.value == "live"
            await wait_for(events, models.Silent)
            assert account.state.value == "stale"
            with trio.fail_after(5):
                await account.wait_live()
            assert len(account.orders) == 1
