"""Moments that only bad luck brings about, scripted: news that arrive while a look-up is under way."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.config import Market
from bitmart_trio.trading import MemoryJournal, OrderState
from bitmart_trio.trading._engine import Engine
from bitmart_trio.trading._ids import OrderIds
from bitmart_trio.trading._order import Intent, OrderFill, OrderRecord, Sighting

INTENT = Intent(
    client_order_id="bt1", market="spot", symbol="S", side="buy", type="limit", price=Decimal(1), size=Decimal(2)
)


class Scripted:
    """A market whose every answer takes a second, and says what the script says."""

    market: Market = "spot"

    def __init__(self, *looks: Sighting | None) -> None:
        self.looks = list(looks)
        self.refusal: Exception | None = None
        self.fill_reads = 0

    async def now(self) -> int:
        """Trio's."""
        await trio.sleep(1)
        return int(trio.current_time() * 1000)

    async def place(self, intent: Intent) -> str:
        """Refused as scripted."""
        await trio.sleep(1)
        if self.refusal is not None:
            raise self.refusal
        return "77"

    async def cancel(self, intent: Intent, order_id: str | None) -> None:
        """Taken in, and nothing comes of it."""
        await trio.sleep(1)

    async def look_up(self, intent: Intent, order_id: str | None) -> Sighting | None:
        """The next line of the script; the last one for ever."""
        await trio.sleep(1)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def open_orders(self, symbols: Iterable[str]) -> list[Sighting]:
        """None."""
        await trio.sleep(1)
        return []

    async def fills(self, intent: Intent, order_id: str) -> list[OrderFill]:
        """None, although there are some."""
        self.fill_reads += 1
        await trio.sleep(1)
        return []

    def pushes(self) -> AbstractAsyncContextManager[Any]:
        """Not here."""
        raise AssertionError("nobody follows")

    def read(self, item: object) -> Sighting | None:
        """Not here."""
        raise AssertionError("nobody follows")


def engine(venue: Scripted) -> Engine:
    """One that runs nothing by itself."""
    return Engine(venue, MemoryJournal(), OrderIds(0), ("S",), 30)


def seen(state: OrderState, filled: int = 0) -> Sighting:
    """News of the order."""
    return Sighting(client_order_id="bt1", order_id="77", state=state, filled_size=Decimal(filled))


async def test_a_look_up_that_was_overtaken_by_the_acceptance_misses_nothing(autojump_clock: MockClock) -> None:
    """Look-ups that did not find it before it arrived do not count against it afterwards."""
    ours = engine(Scripted(None))
    tracked = ours.adopt(INTENT)
    tracked.record.lose(0, None)
    for _ in range(10):
        await ours.look(tracked)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.look, tracked)
        await trio.sleep(0.5)
        ours.tell(tracked, lambda record: record.see(seen(OrderState.OPEN)))
    assert tracked.record.state is OrderState.OPEN
    await ours.look(tracked)
    await ours.look(tracked)
    assert tracked.record.state is OrderState.OPEN, "two misses within seconds are no proof"


async def test_an_order_that_the_exchange_forgot_is_over(autojump_clock: MockClock) -> None:
    """Accepted once, and missing again and again for seconds: it was cancelled, long ago."""
    ours = engine(Scripted(None))
    tracked = ours.adopt(INTENT)
    ours.tell(tracked, lambda record: record.accept("77"))
    with trio.fail_after(60):
        assert (await ours.cancel(tracked)).state is OrderState.CANCELLED
    assert trio.current_time() >= 5


async def test_a_duplicate_is_there_however_long_it_hides(autojump_clock: MockClock) -> None:
    """The exchange says that the id was used, so the order exists: it is never declared absent, nor sent again."""
    venue = Scripted(None)
    venue.refusal = bm.DuplicateRequest("used before", code=50042, endpoint="POST /x")
    ours = engine(venue)
    tracked = ours.adopt(INTENT, resend=5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.place, tracked)
        await trio.sleep(1000)
        assert tracked.record.state is OrderState.UNKNOWN
        venue.looks = [seen(OrderState.OPEN)]
        await tracked.until(lambda: tracked.record.decided)
    assert str(tracked.record.state) == "open"


async def test_an_order_that_disappears_in_the_last_second_was_not_absent(autojump_clock: MockClock) -> None:
    """What was found once is there: the horizon applies to what was never seen."""
    ours = engine(Scripted(*[None] * 12, seen(OrderState.CANCELLED, 1)))
    tracked = ours.adopt(INTENT)
    tracked.record.lose(0, None)
    assert not await ours.resolve(tracked)
    assert tracked.record.state is OrderState.CANCELLED


async def test_fills_that_cannot_be_had_end_the_wait(autojump_clock: MockClock) -> None:
    """After a while; the order's own figures stand, and `complete` says what is missing."""
    venue = Scripted(seen(OrderState.CANCELLED, 1))
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    async with trio.open_nursery() as nursery:
        ours.work = nursery
        ours.tell(tracked, lambda record: record.see(seen(OrderState.CANCELLED, 1)))
        fills = bm.trading.Fills(tracked)
        assert [fill async for fill in fills] == []
    assert not fills.complete
    assert 5 < venue.fill_reads < 100
    assert not ours.orders


async def test_what_an_earlier_run_filled_is_not_this_ones(autojump_clock: MockClock) -> None:
    """Of a leftover only what is filled from now on counts for closing positions."""
    ours = engine(Scripted(seen(OrderState.OPEN, 1)))
    tracked = ours.adopt(INTENT)
    tracked.counts = False
    tracked.record.lose(0, None)
    await ours.look(tracked)
    assert not ours.net
    ours.tell(tracked, lambda record: record.see(seen(OrderState.FILLED, 2)))
    assert ours.net == {("S", "buy"): 1}


async def test_without_a_session_nothing_is_started(autojump_clock: MockClock) -> None:
    """A handle that outlives its session says so."""
    ours = engine(Scripted(None))
    tracked = ours.adopt(INTENT)
    with pytest.raises(trio.ClosedResourceError):
        ours.start(ours.place, tracked)
    assert isinstance(tracked.record, OrderRecord)
    ours.stop()
    with pytest.raises(trio.ClosedResourceError):
        await tracked.until(lambda: tracked.record.decided)
