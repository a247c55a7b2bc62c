"""A program or a machine that stood still: said so, believed nothing that is old, and nothing of it lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest
import trio
from stream_kit import drained, names, wait_for
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim import Venue, open_exchange
from bitmart_trio.sim.faults import MuteTopic

BOOK: Final = "spot/depth/increase100:BTC_USDT"


def machine(exchange: Venue) -> bm.Config:
    """A machine whose wall clock is right: a step of the exchange's clock is a sleep of the machine."""
    return bm.Config(clock=exchange.clock)


async def test_a_stalled_loop_is_an_event_and_no_reconnect(autojump_clock: MockClock) -> None:
    """Its length is said, once a connection; counted once; and short turns are nothing to speak of."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client, client.streams.events() as events:
        async with client.streams.spot.trade("BTC_USDT") as trades, client.streams.futures.trade("BTCUSDT"):
            await trio.sleep(10.2)
            autojump_clock.jump(0.9)
            await trio.sleep(5)
            assert not [event for event in drained(events) if isinstance(event, models.Stalled)]
            autojump_clock.jump(15)
            await trio.sleep(30)
            told = drained(events)
            assert names(told) == ["Stalled", "Stalled"]
            assert {(event.market, event.connection) for event in told} == {("spot", 1), ("futures", 2)}
            assert all(isinstance(event, models.Stalled) and 14.4 < event.seconds <= 15 for event in told)
            assert (client.streams.statistics().stalls, client.streams.statistics().suspensions) == (1, 0)
            assert trades.statistics().reconnects == 0


async def test_what_counts_as_a_stall_is_the_users_to_say(autojump_clock: MockClock) -> None:
    """As little as a tenth of a second, or nothing ever."""
    for after, found in ((0.1, 1), (float("inf"), 0)):
        async with open_exchange(seed=1) as exchange:
            config = bm.Config(stalled_after=after)
            async with exchange.open_client(config=config) as client, client.streams.spot.trade("BTC_USDT"):
                await trio.sleep(1)
                autojump_clock.jump(0.3)
                await trio.sleep(1)
                assert client.streams.statistics().stalls == found


async def test_a_short_sleep_is_a_gap_and_the_connection_is_proved(autojump_clock: MockClock) -> None:
    """Ten seconds: no reconnect, a ping at once; book and account are stale until confirmed."""
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=machine(exchange)) as client:
        streams = client.streams
        async with (
            streams.events() as events,
            streams.spot.trade("BTC_USDT", gaps="mark", overflow="drop_oldest") as trades,
            streams.spot.order_book("BTC_USDT") as book,
            streams.spot.account() as account,
        ):
            await book.wait_live()
            await account.wait_live()
            await trio.sleep(2)
            drained(events)
            drained(trades)
            exchange.exchange.clock.step(10_000)
            stale: list[str] = []
            async with trio.open_nursery() as nursery:

                async def note(what: bm.OrderBook | bm.SpotAccountView) -> None:
                    await what.wait_stale()
                    stale.append(type(what).__name__)

                nursery.start_soon(note, book)
                nursery.start_soon(note, account)
                with trio.fail_after(1):
                    slept = await wait_for(events, models.Suspended)
            assert slept.seconds == pytest.approx(10)
            assert sorted(stale) == ["OrderBook", "SpotAccountView"]
            with trio.fail_after(2):
                await book.wait_live()
                await account.wait_live()
            (gap,) = [item for item in drained(trades) if isinstance(item, bm.Gap)]
            assert gap.until - gap.since == pytest.approx(10, abs=2)
            assert "suspended for 10 s" in gap.reason
            await trio.sleep(10)
            assert set(names(drained(events))) <= {"Suspended"}
            assert streams.statistics().suspensions == 1
            assert (book.statistics().resyncs, account.statistics().resyncs) == (1, 2)


async def test_after_a_long_sleep_connections_are_replaced_at_once_and_gaps_are_filled(
    autojump_clock: MockClock,
) -> None:
    """What ended while the machine slept is in the order stream: a gap is as long as the world saw, not Trio."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=machine(exchange)) as client:
        trading = client.spot.trading
        placed = await trading.submit_order(
            symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="20000", client_order_id="a1"
        )
        async with (
            client.streams.events() as events,
            client.streams.spot.user_order("BTC_USDT", backfill=True, gaps="mark") as orders,
        ):
            await trio.sleep(30)
            drained(events)
            mute = exchange.faults.add(MuteTopic(topic="spot/user/*", times=None))
            await trading.cancel_order(symbol="BTC_USDT", order_id=placed.order_id)
            exchange.exchange.clock.step(600_000)
            mute.remove()
            with trio.fail_after(5):
                slept = await wait_for(events, models.Suspended)
                lost = await wait_for(events, models.Lost)
                await wait_for(events, models.Subscribed)
                filled = await orders.receive()
                missed = await orders.receive()
            assert slept.seconds == pytest.approx(600)
            assert lost.time == slept.time
            assert "suspended" in lost.reason
            assert isinstance(filled, bm.Backfilled)
            assert filled.until - filled.since > 600
            assert isinstance(missed, models.SpotOrderUpdate)
            assert missed.order_id == placed.order_id


async def test_a_session_reconciles_when_the_machine_wakes(autojump_clock: MockClock) -> None:
    """An order that was cancelled from elsewhere while it slept is known to be closed a few seconds later."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client(config=machine(exchange)) as client:
        async with bm.trading.open_spot_session(client, "BTC_USDT", journal=None, reconcile=1e6) as session:
            order = await session.submit(side="buy", type="limit", size="0.001", price="20000")
            await trio.sleep(100)
            mute = exchange.faults.add(MuteTopic(topic="spot/user/*", times=None))
            await client.spot.trading.cancel_all_orders(symbol="BTC_USDT")
            exchange.exchange.clock.step(30_000)
            mute.remove()
            with trio.fail_after(15):
                await order.wait_closed()
            assert order.filled_size == Decimal(0)


async def test_signed_calls_are_right_after_a_sleep(autojump_clock: MockClock) -> None:
    """The exchange's time, measured before the machine slept, has gone on meanwhile: nothing is refused for it."""
    replies: list[models.CallReplied] = []
    async with open_exchange(seed=1, live=False) as exchange:
        config = bm.Config(clock=exchange.clock, hooks=bm.Hooks(on_reply=replies.append))
        async with exchange.open_client(config=config) as client, client.streams.spot.trade("BTC_USDT"):
            await client.spot.system.latency()
            await trio.sleep(5)
            exchange.exchange.clock.step(7_200_000)
            await trio.sleep(0.6)
            await client.spot.account.spot_balances()
    assert [reply.status for reply in replies] == [200] * len(replies)
    assert sum(reply.request.endpoint.endswith("/system/time") for reply in replies) == 2


async def test_a_clock_that_fails_or_is_set_back_harms_nobody(autojump_clock: MockClock) -> None:
    """What a clock of the user's raises is logged, and only a gain is a sleep."""
    async with open_exchange(seed=1, live=False) as exchange:
        calls = 0

        def clock() -> float:
            nonlocal calls
            calls += 1
            if calls % 3 == 0:
                raise OSError("no clock")
            return exchange.clock() - 1000 * (calls > 10)

        async with exchange.open_client(config=bm.Config(clock=clock)) as client, client.streams.events() as events:
            async with client.streams.spot.trade("BTC_USDT"):
                await trio.sleep(20)
            assert "Suspended" not in names(drained(events))
            assert calls > 20
