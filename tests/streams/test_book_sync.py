"""How an order book gets right: what is asked of the connections, and when."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio._io.connections import Connections
from bitmart_trio.models import BookUpdateType, Gap, Level, SpotDepthIncrease
from bitmart_trio.streams._book import OrderBook
from bitmart_trio.streams._book_sync import BookSink

GAP = Gap(0.0, 0.0, "a break", 1, "t")


class Asked:
    """Connections that note what a book asks of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []

    def request(self, topic: str) -> None:
        self.calls.append(("request", trio.current_time()))

    def renew(self, topic: str) -> None:
        self.calls.append(("renew", trio.current_time()))

    def replace(self, topic: str, reason: str) -> None:
        self.calls.append(("replace", trio.current_time()))

    def forget(self, sink: object) -> None:
        self.calls.append(("forget", trio.current_time()))


@asynccontextmanager
async def recovering(*, max_age: float | None = None) -> AsyncGenerator[tuple[BookSink, Asked]]:
    """A book that nothing feeds but the test; times begin with it."""
    asked = Asked()
    sink = BookSink(cast(Connections, asked), "t", symbol="X", level=5, patience=5, max_age=max_age)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sink.recover)
        yield sink, asked
        nursery.cancel_scope.cancel()


def put(sink: BookSink, version: int, kind: str = "update", **sides: Any) -> None:
    """Feed a push; without sides, the same one level a side."""
    levels: Any = {
        side: [Level(Decimal(price), Decimal(1))] for side, price in {"bids": 9, "asks": 11, **sides}.items()
    }
    item = SpotDepthIncrease(symbol="X", type=BookUpdateType(kind), version=version, time=bm.Millis(0), **levels)
    sink.put(item, "t", trio.current_time())


async def spoken_to(sink: BookSink) -> None:  # noqa: ASYNC124 - a nursery takes no other
    """A push that comes as soon as another task waits."""
    put(sink, 2)


async def test_all_that_is_done_for_a_snapshot(autojump_clock: MockClock) -> None:
    """Waited for, asked for, subscribed afresh, a new connection once; then again, with twice the patience."""
    async with recovering() as (sink, asked):
        sink.opened(shared=False)
        await trio.sleep(100)
        assert asked.calls[:3] == [("request", 5), ("renew", 10), ("replace", 15)]
        assert asked.calls[3:] == [("request", 25), ("renew", 35), ("request", 45), ("renew", 65), ("request", 85)]
        put(sink, 1, "snapshot")
        put(sink, 3)
        await trio.sleep(11)
        assert asked.calls[8:] == [("request", 100), ("renew", 105), ("replace", 110)]


async def test_nothing_is_asked_of_a_connection_that_is_gone(autojump_clock: MockClock) -> None:
    """Its successor sends a snapshot by itself, and has as long for it as the first had."""
    async with recovering() as (sink, asked):
        sink.opened(shared=True)
        await wait_all_tasks_blocked()
        sink.lost("t", GAP)
        await trio.sleep(100)
        assert asked.calls == [("request", 0)]
        sink.gap(GAP, 1)
        await trio.sleep(6)
        assert asked.calls == [("request", 0), ("request", 105)]
        assert sink.statistics().reconnects == 1


async def test_an_answer_that_came_too_early_is_asked_for_again(autojump_clock: MockClock) -> None:
    """An update further on, right behind the snapshot: no more than a question a second."""
    async with recovering() as (sink, asked):
        sink.opened(shared=True)
        for version in (1, 11, 21):
            await trio.sleep(0.3)
            put(sink, version, "snapshot")
            put(sink, version + 2)
        await trio.sleep(1)
        assert asked.calls == [("request", 0), ("request", 1)]


async def test_a_snapshot_before_the_acknowledgement_leaves_nothing_behind(autojump_clock: MockClock) -> None:
    """The first question of a quiet book shows that the exchange has forgotten it, as any later one would."""
    async with recovering() as (sink, asked):
        put(sink, 1, "snapshot")
        sink.opened(shared=False)
        await trio.sleep(16)
        assert asked.calls == [("request", 15)]
        put(sink, 9, "snapshot", bids=8)
        assert asked.calls == [("request", 15), ("renew", 16)]


async def test_a_topic_that_others_had_subscribed_to_afresh_is_not_once_more(autojump_clock: MockClock) -> None:
    async with recovering() as (sink, asked):
        sink.opened(shared=False)
        put(sink, 1, "snapshot")
        await trio.sleep(16)
        sink.renewed("t")
        put(sink, 9, "snapshot", bids=8)
        assert asked.calls == [("request", 15)]


async def test_the_push_that_confirms_a_book_counts_once(autojump_clock: MockClock) -> None:
    async with recovering() as (sink, _):
        sink.opened(shared=False)
        put(sink, 1, "snapshot")
        sink.take()
        sink.doubt("t")
        assert (sink.state, sink.changes.merged) == (bm.BookState.STALE, 0)
        put(sink, 2)
        change = sink.take()
        assert (sink.state, change.snapshot, change.merged) == (bm.BookState.LIVE, True, 1)


async def test_whoever_found_a_book_too_old_hears_of_the_push_that_came_just_then(autojump_clock: MockClock) -> None:
    """Also when it is so quick that the book itself never noticed its age."""
    async with recovering(max_age=2) as (sink, _):
        sink.opened(shared=False)
        put(sink, 1, "snapshot")
        await wait_all_tasks_blocked()
        autojump_clock.jump(3)  # the program computes
        assert sink.state is bm.BookState.STALE
        with trio.fail_after(1):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(OrderBook(sink).wait_live)
                nursery.start_soon(spoken_to, sink)


@pytest.mark.parametrize("ended", [True, False])
async def test_a_book_that_is_over_stays_so(autojump_clock: MockClock, ended: bool) -> None:
    """Whatever the router still has to say to it."""
    async with recovering() as (sink, asked):
        sink.opened(shared=False)
        put(sink, 1, "snapshot")
        if ended:
            sink.end(bm.ConnectionLost("gone"))
        else:
            sink.close()
        said: tuple[Callable[[], None], ...] = (
            lambda: put(sink, 2, "snapshot"),
            lambda: sink.lost("t", GAP),
            lambda: sink.gap(GAP, 1),
            lambda: sink.renewed("t"),
            lambda: sink.doubt("t"),
            lambda: sink.end(bm.ConnectionLost("again")),
        )
        for say in said:
            say()
        await trio.sleep(100)
        assert (sink.state, sink.changes.merged) == (bm.BookState.STALE, 0)
        assert asked.calls == ([("forget", 0)] if ended else [])
        with pytest.raises(bm.ConnectionLost if ended else trio.ClosedResourceError):
            sink.raise_if_over()
