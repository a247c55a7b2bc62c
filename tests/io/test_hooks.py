"""Hooks are told what leaves, what comes back and what happens to connections; they can break nothing."""

from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.models import CallReplied, CallSent, StreamEvent
from bitmart_trio.sim import Delay, Fail5xx, LoseReply, open_exchange

TICKER = "/spot/quotation/v3/ticker"
ORDER = "/spot/v2/submit_order"


class Record:
    def __init__(self) -> None:
        self.sent: list[CallSent] = []
        self.replied: list[CallReplied] = []
        self.events: list[StreamEvent] = []

    @property
    def config(self) -> bm.Config:
        return bm.Config(
            hooks=bm.Hooks(
                on_request=self.sent.append,
                on_reply=self.replied.append,
                on_event=self.events.append,
            )
        )


async def test_a_call_is_told_twice(autojump_clock: MockClock) -> None:
    """Once when it leaves, once when it is over, with status, size, time and quota."""
    record = Record()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=record.config) as client:
        await client.spot.market.ticker("BTC_USDT")
    (sent,), (replied,) = record.sent, record.replied
    assert replied.request is sent
    assert sent.endpoint == f"GET {TICKER}"
    assert (sent.attempt, sent.size, sent.client_order_id) == (1, 0, None)
    assert (replied.status, replied.error, replied.cancelled, replied.code) == (200, None, False, None)
    assert replied.size > 100
    assert replied.seconds >= 0
    assert (replied.quota_used, replied.quota_limit, replied.quota_window) == (1, 15, 2.0)


async def test_each_try_is_told(autojump_clock: MockClock) -> None:
    """A call that was repeated is one pair a try."""
    record = Record()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=record.config) as client:
        exchange.faults.add(Fail5xx(path=TICKER, times=1))
        await client.spot.market.ticker("BTC_USDT")
    assert [sent.attempt for sent in record.sent] == [1, 2]
    assert [reply.status for reply in record.replied] == [503, 200]
    assert isinstance(record.replied[0].error, bm.ApiError)


async def test_a_refusal_has_its_code_and_the_order_its_id(autojump_clock: MockClock) -> None:
    record = Record()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=record.config) as client:
        with pytest.raises(bm.InsufficientBalance):
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="1000", price="30000", client_order_id="big1"
            )
    assert record.sent[0].client_order_id == "big1"
    assert record.replied[0].code == 50020
    assert isinstance(record.replied[0].error, bm.InsufficientBalance)


async def test_what_gets_no_reply_is_told_too(autojump_clock: MockClock) -> None:
    """A lost reply is an error without a status; a cancelled call says that it was cancelled."""
    record = Record()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=record.config) as client:
        exchange.faults.add(LoseReply(path=ORDER, times=1))
        with pytest.raises(bm.OutcomeUnknown):
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000"
            )
        exchange.faults.add(Delay(path=TICKER, seconds=5))
        with trio.move_on_after(1) as scope:
            await client.spot.market.ticker("BTC_USDT")
        assert scope.cancelled_caught
    lost, cancelled = record.replied
    assert lost.status is None
    assert isinstance(lost.error, bm.ConnectionLost)
    assert not lost.cancelled
    assert (cancelled.status, cancelled.error, cancelled.cancelled, cancelled.seconds) == (None, None, True, 1)


async def test_events_are_those_of_the_events_stream(autojump_clock: MockClock) -> None:
    """In the same order, as the same objects."""
    record = Record()
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=record.config) as client:
        async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT"):
            exchange.drop_connections()
            await trio.sleep(5)
            seen = [events.receive_nowait() for _ in range(events.statistics().buffer_used)]
        assert len(seen) == 5
        assert record.events[: len(seen)] == seen
    names = [type(event).__name__ for event in record.events]
    assert names == ["Opened", "Subscribed", "Lost", "Reconnected", "Subscribed", "Closed"]


async def test_a_hook_that_raises_breaks_nothing(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """Its error is logged; the call succeeds and the stream lives."""

    def broken(event: object) -> None:
        raise RuntimeError("the hook is broken")

    config = bm.Config(hooks=bm.Hooks(on_request=broken, on_reply=broken, on_event=broken))
    with caplog.at_level(logging.ERROR, "bitmart_trio"):
        async with open_exchange(seed=1) as exchange, exchange.open_client(config=config) as client:
            assert (await client.spot.market.ticker("BTC_USDT")).symbol == "BTC_USDT"
            async with client.streams.spot.trade("BTC_USDT") as trades:
                assert (await trades.receive()).symbol == "BTC_USDT"
    assert {record.name for record in caplog.records} == {"bitmart_trio._io.hooks"}
    assert len(caplog.records) >= 4


async def test_the_streams_sums_outlive_their_subscriptions(autojump_clock: MockClock) -> None:
    """Levels fall back, sums do not; together they are what the subscriptions themselves counted."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with (
            client.streams.spot.trade("BTC_USDT") as trades,
            client.streams.spot.trade("BTC_USDT", buffer=1, overflow="drop_oldest") as few,
        ):
            await trio.sleep(20)
            await trades.receive()
            during = client.streams.statistics()
            ends = [trades.statistics(), few.statistics()]
        after = client.streams.statistics()
    assert (during.connections, during.topics, during.subscriptions) == (1, 1, 2)
    assert (after.topics, after.subscriptions) == (0, 0)
    assert during.received == after.received == sum(end.received for end in ends) > 20
    assert during.dropped == ends[1].dropped > 0
    assert after.delivered == 1
    assert after.gaps == 0
