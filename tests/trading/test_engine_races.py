"""Moments that only bad luck brings about, scripted: news that arrive while a look-up is under way."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.config import Market
from bitmart_trio.trading import MemoryJournal, OrderState
from bitmart_trio.trading._engine import Engine
from bitmart_trio.trading._evidence import FORGOTTEN_AFTER, OrderRecord, OrderReport, Sent, Source
from bitmart_trio.trading._ids import OrderIds
from bitmart_trio.trading._order import Intent, OrderFill
from bitmart_trio.trading._placing import Placer

INTENT = Intent(
    client_order_id="bt1", market="spot", symbol="S", side="buy", type="limit", price=Decimal(1), size=Decimal(2)
)


class Scripted:
    """A market whose every answer takes a second, and says what the script says."""

    market: Market = "spot"
    forgets = True

    def __init__(self, *looks: OrderReport | None) -> None:
        self.looks = list(looks)
        self.refusal: Exception | None = None
        self.no_cancel: Exception | None = None
        self.fill_reads = 0
        self.cancels = 0

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
        """Refused as scripted, or taken in, and nothing comes of it."""
        self.cancels += 1
        await trio.sleep(1)
        if self.no_cancel is not None:
            raise self.no_cancel

    async def look_up(self, intent: Intent, order_id: str | None) -> OrderReport | None:
        """The next line of the script; the last one for ever."""
        await trio.sleep(1)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    async def open_orders(self, symbols: Iterable[str]) -> list[OrderReport]:
        """None."""
        await trio.sleep(1)
        return []

    async def fills(self, intent: Intent, order_id: str, known: Decimal) -> list[OrderFill]:
        """None, although there are some."""
        self.fill_reads += 1
        await trio.sleep(1)
        return []

    async def named(self, intent: Intent, order_id: str) -> str | None:
        """As it was sent."""
        await trio.sleep(1)
        return intent.client_order_id

    def pushes(self) -> AbstractAsyncContextManager[Any]:
        """Not here."""
        raise AssertionError("nobody follows")

    def read(self, item: object) -> OrderReport | None:
        """Not here."""
        raise AssertionError("nobody follows")


def engine(venue: Scripted) -> Engine:
    """One that runs nothing by itself."""
    return Engine(venue, MemoryJournal(), OrderIds(0), ("S",), 30)


def seen(state: OrderState, filled: int = 0) -> OrderReport:
    """News of the order."""
    return OrderReport(client_order_id="bt1", order_id="77", state=state, filled_size=Decimal(filled))


NOT_FOUND = bm.errors.OrderNotFound("no such order", code=50005, endpoint="POST /x")


def cut_off(record: OrderRecord) -> None:
    """Its request was signed at 0, by both clocks."""
    record.lose(Sent(0, 0.0), None)


async def test_no_number_of_misses_withdraws_an_acceptance(autojump_clock: MockClock) -> None:
    """Look-ups do not find it, before and after it was accepted: it is open, and its cancel goes on."""
    ours = engine(Scripted(None))
    tracked = ours.adopt(INTENT)
    ours.update(tracked, cut_off)
    for _ in range(10):
        await ours.look(tracked)
    ours.update(tracked, lambda record: record.accept("77", trio.current_time()))
    with trio.move_on_after(1000) as patience:
        await ours.cancel(tracked)
    assert patience.cancelled_caught
    assert tracked.record.state is OrderState.OPEN


@pytest.mark.parametrize("forgets", [True, False])
async def test_a_push_ends_the_look_up_after_a_cancel_that_found_nothing(
    autojump_clock: MockClock, forgets: bool
) -> None:
    """An answer "no such order", and while it is looked up the push of its end arrives: `cancel` returns at once."""
    venue = Scripted(seen(OrderState.OPEN))
    venue.no_cancel, venue.forgets = NOT_FOUND, forgets
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    ours.update(tracked, lambda record: record.accept("77", trio.current_time()))
    pushed = attrs.evolve(seen(OrderState.FILLED, 2), source=Source.PUSH)

    async def push() -> None:
        await trio.sleep(1.5)  # the cancel takes a second, and the look-up another
        ours.update(tracked, lambda record: record.see(pushed, trio.current_time()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(push)
        status = await ours.cancel(tracked)
    assert (status.state, status.filled_size, trio.current_time()) == (OrderState.FILLED, Decimal(2), 1.5)


async def test_look_ups_that_were_seen_to_lag_prove_no_absence(autojump_clock: MockClock) -> None:
    """An accepted order was missing for two minutes: another one that is missing as long may be there as well."""
    venue = Scripted(None)
    ours = engine(venue)
    accepted, lost = ours.adopt(INTENT), ours.adopt(attrs.evolve(INTENT, client_order_id="bt2"))
    ours.update(accepted, lambda record: record.accept("77", trio.current_time()))
    await trio.sleep(120)
    await ours.look(accepted)
    began = trio.current_time()
    ours.update(lost, lambda record: record.lose(Sent(int(began * 1000), began), None))
    venue.no_cancel = NOT_FOUND
    assert await Placer(ours).resolve(lost)
    assert trio.current_time() - began >= 60 + 2 * 120


async def test_spot_forgets_an_order_that_was_cancelled_long_ago(autojump_clock: MockClock) -> None:
    """Only by the cancel's word, and twenty minutes after it was last shown; contracts are never forgotten."""
    venue = Scripted(None)
    venue.no_cancel = NOT_FOUND
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    ours.update(tracked, lambda record: record.accept("77", trio.current_time()))
    with trio.fail_after(2000):
        assert (await ours.cancel(tracked)).state is OrderState.CANCELLED
    assert trio.current_time() >= FORGOTTEN_AFTER
    venue.forgets = False
    tracked = ours.adopt(attrs.evolve(INTENT, client_order_id="bt2"))
    ours.update(tracked, lambda record: record.accept("78", trio.current_time()))
    with trio.move_on_after(2000):
        await ours.cancel(tracked)
    assert tracked.record.state is OrderState.OPEN


async def test_a_burnt_id_ends_the_submit(autojump_clock: MockClock) -> None:
    """The exchange says that the id was used, and has no order under it: reported after the proof, not sent again."""
    venue = Scripted(None)
    venue.refusal = bm.DuplicateRequest("used before", code=50042, endpoint="POST /x")
    venue.no_cancel = NOT_FOUND
    ours = engine(venue)
    tracked = ours.adopt(INTENT, resend=5)
    await Placer(ours).place(tracked)
    assert 90 <= trio.current_time() < 110
    error = tracked.record.error
    assert isinstance(error, bm.errors.OrderNotPlaced)
    assert "bt1 as used" in str(error)
    assert "burnt" in str(error)
    assert error.__cause__ is venue.refusal


async def test_a_duplicate_is_found(autojump_clock: MockClock) -> None:
    """The id was used by this very order, whose first answer was lost."""
    venue = Scripted(*[None] * 5, seen(OrderState.OPEN))
    venue.refusal = bm.DuplicateRequest("used before", code=50042, endpoint="POST /x")
    ours = engine(venue)
    tracked = ours.adopt(INTENT, resend=5)
    await Placer(ours).place(tracked)
    assert tracked.record.state is OrderState.OPEN
    assert venue.cancels == 0


async def test_the_books_have_the_last_word_on_absence(autojump_clock: MockClock) -> None:
    """No look-up finds it, ever, and the cancel that asks the books does: it was there, and is taken back."""
    venue = Scripted(None)
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    ours.update(tracked, cut_off)
    assert not await Placer(ours).resolve(tracked)
    assert venue.cancels == 1
    assert trio.current_time() >= 90
    assert tracked.record.state is OrderState.OPEN
    assert tracked.unwanted


async def test_what_was_proven_absent_and_turns_up_is_taken_back(autojump_clock: MockClock) -> None:
    """It is open again for all to see, back in the journal, and cancelled."""
    venue = Scripted(seen(OrderState.OPEN))
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    ours.update(tracked, lambda record: record.reject(OSError("absent")))
    assert tracked.record.state is OrderState.REJECTED
    async with trio.open_nursery() as nursery:
        ours.work = nursery
        ours.take(seen(OrderState.OPEN))
        assert str(tracked.record.state) == "open"
        await trio.sleep(10)
        assert venue.cancels > 1
        ours.take(seen(OrderState.CANCELLED))
        ours.take(seen(OrderState.CANCELLED, 1))
        nursery.cancel_scope.cancel()
    journal = ours.journal
    assert isinstance(journal, MemoryJournal)
    await journal.close()
    assert [(entry["what"], entry.get("filled")) for entry in journal.entries] == [
        ("end", "0"),
        ("intent", None),
        ("end", "0"),
        ("end", "1"),
    ]


async def test_an_order_that_disappears_in_the_last_second_was_not_absent(autojump_clock: MockClock) -> None:
    """What was found once is there: the horizon applies to what was never seen."""
    ours = engine(Scripted(*[None] * 12, seen(OrderState.CANCELLED, 1)))
    tracked = ours.adopt(INTENT)
    ours.update(tracked, cut_off)
    assert not await Placer(ours).resolve(tracked)
    assert tracked.record.state is OrderState.CANCELLED


async def test_fills_that_cannot_be_had_end_the_wait(autojump_clock: MockClock) -> None:
    """After a while; the order's own figures stand, and `complete` says what is missing."""
    venue = Scripted(seen(OrderState.CANCELLED, 1))
    ours = engine(venue)
    tracked = ours.adopt(INTENT)
    async with trio.open_nursery() as nursery:
        ours.work = nursery
        ours.take(seen(OrderState.CANCELLED, 1))
        fills = bm.trading.Fills(tracked)
        assert [fill async for fill in fills] == []
    assert not fills.complete
    assert 5 < venue.fill_reads < 100


async def test_what_an_earlier_run_filled_is_not_this_ones(autojump_clock: MockClock) -> None:
    """Of a leftover only what is filled from now on counts for closing positions."""
    ours = engine(Scripted(seen(OrderState.OPEN, 1)))
    tracked = ours.adopt(INTENT)
    tracked.before = None
    ours.update(tracked, cut_off)
    await ours.look(tracked)
    assert not ours.net
    ours.take(seen(OrderState.FILLED, 2))
    assert ours.net == {("S", "buy"): 1}


async def test_without_a_session_nothing_is_started(autojump_clock: MockClock) -> None:
    """A handle that outlives its session says so."""
    ours = engine(Scripted(None))
    tracked = ours.adopt(INTENT)
    with pytest.raises(trio.ClosedResourceError):
        Placer(ours).send(tracked)
    assert isinstance(tracked.record, OrderRecord)
    ours.stop()
    with pytest.raises(trio.ClosedResourceError):
        await tracked.until(lambda: tracked.record.decided)
