"""Pushes behind a gap: held back until its end is known, then behind its mark; nothing of it is lost uncounted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bitmart_trio._io.gate import Gate
from bitmart_trio._io.pending_gap import PendingGap
from bitmart_trio._io.receivers import Gaps
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.errors import ConnectionLost
from bitmart_trio.models.stream_events import Backfilled, Gap

A, B = "spot/x:A", "spot/x:B"


def make(size: int = 10, gaps: Gaps = "mark") -> tuple[Gate[Any], Subscription[Any]]:
    buffer: Gate[Any] = Gate(size=size, overflow="fail", gaps=gaps)
    buffer.topics |= {A: None, B: None}
    return buffer, Subscription(buffer)


def gap(epoch: int = 1, topic: str = A) -> Gap:
    return Gap(float(epoch), epoch + 0.5, "it broke", epoch, topic)


def ready(subscription: Subscription[Any]) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            found.append(subscription.receive_nowait())
        except trio.WouldBlock:
            return found


class Fill:
    """A filler that does what a test says."""

    def __init__(self, act: Callable[[PendingGap[Any]], Awaitable[str | None]]) -> None:
        self.act = act
        self.repeats: set[object] = set()
        self.missing: list[str] = []

    async def begin(self) -> None:
        await trio.lowlevel.checkpoint()

    def notice(self, topic: str, item: Any) -> bool:
        return item not in self.repeats

    def missed(self, topic: str) -> None:
        self.missing.append(topic)

    def state(self, topic: str, item: Any) -> Hashable:
        return topic

    async def fill(self, pending: PendingGap[Any]) -> str | None:
        return await self.act(pending)


def check(subscription: Subscription[Any]) -> None:
    counts = subscription.statistics()
    assert counts.received + counts.backfilled == (
        counts.delivered + counts.conflated + counts.dropped + counts.repeated + counts.buffer_used
    )


# ---- without a filler -----------------------------------------------------------------------------------------------


async def test_what_precedes_the_acknowledgement_stands_behind_the_gap() -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """A new connection may push before it acknowledges; another topic waits for nobody."""
    buffer, subscription = make()
    buffer.put(1, A, 0)
    buffer.lost(A, gap())
    buffer.put(2, A, 0)
    buffer.put("b", B, 0)
    assert ready(subscription) == [1, "b"]
    assert subscription.statistics().buffer_used == 1
    buffer.gap(gap(), 1)
    assert ready(subscription) == [gap(), 2]
    check(subscription)


async def test_a_topic_that_was_never_acknowledged_has_no_gap() -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """Its first connection broke before it could answer: nothing follows that would end a gap."""
    buffer, subscription = make()
    buffer.lost(A, None)
    buffer.put(1, A, 0)
    assert ready(subscription) == [1]


async def test_the_end_of_a_stream_leaves_out_what_waits_behind_an_open_gap() -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """It would look as if nothing had been missed before it. It is counted as dropped."""
    buffer, subscription = make()
    buffer.lost(A, gap())
    buffer.put(1, A, 0)
    buffer.end(ConnectionLost("given up"))
    with pytest.raises(ConnectionLost):
        subscription.receive_nowait()
    assert subscription.statistics().dropped == 1
    check(subscription)


async def test_too_much_before_the_acknowledgement_is_let_through(autojump_clock: MockClock) -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """Half of the buffer is the bound. The gap is told then, so that it stands before them, and not once more."""
    buffer, subscription = make(size=4)
    buffer.lost(A, gap())
    for number in range(3):
        buffer.put(number, A, 0)
    assert ready(subscription) == [gap()._replace(until=trio.current_time()), 0, 1, 2]
    buffer.gap(gap(), 1)
    assert ready(subscription) == []
    assert (subscription.statistics().gaps, subscription.statistics().reconnects) == (1, 1)
    check(subscription)


async def test_a_break_behind_a_gap_told_early_is_a_gap_of_its_own(autojump_clock: MockClock) -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """It begins where the other one ended, for what came between was received."""
    buffer, subscription = make(size=2)
    buffer.lost(A, gap())
    buffer.put(1, A, 0)
    buffer.put(2, A, 0)
    early, *_ = ready(subscription)
    buffer.lost(A, gap())
    buffer.gap(gap(2), 1)
    assert ready(subscription) == [gap(2)._replace(since=early.until)]
    assert subscription.statistics().gaps == 2


async def test_a_topic_that_is_let_go_while_it_is_down_leaves_its_gap(autojump_clock: MockClock) -> None:  # noqa: ASYNC124  # it runs in Trio for its clock
    """Until then something was missed, whatever becomes of the topic; what waits behind it is delivered."""
    buffer, subscription = make()
    buffer.put(1, A, 0)
    buffer.lost(A, gap())
    buffer.put(2, A, 0)
    del buffer.topics[A]
    buffer.prune()
    assert ready(subscription) == [1, gap()._replace(until=trio.current_time()), 2]
    check(subscription)


# ---- with one -------------------------------------------------------------------------------------------------------


async def test_what_is_filled_in_stands_before_what_was_pushed(autojump_clock: MockClock) -> None:
    """Also in parts; a push that the reader had already is left out."""

    async def act(pending: PendingGap[Any]) -> str | None:
        pending.deliver(["a"])
        await pending.more(1)
        pending.deliver(["b", "c"])
        return None

    buffer, subscription = make()
    buffer.backfiller = fill = Fill(act)
    fill.repeats = {3}
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.lost(A, gap())
        buffer.gap(gap(), 1)
        await wait_all_tasks_blocked()
        buffer.put(3, A, 0)
        buffer.put(4, A, 0)
    marks = Backfilled(1, 1, 1.5, 1, A), Backfilled(2, 1, 1.5, 1, A)
    assert ready(subscription) == [marks[0], "a", marks[1], "b", "c", 4]
    counts = subscription.statistics()
    assert (counts.backfilled, counts.repeated, counts.gaps) == (3, 1, 0)
    assert fill.missing == []
    check(subscription)


@pytest.mark.parametrize("failure", [ConnectionLost("no REST"), ValueError("a bug")], ids=["expected", "bug"])
async def test_a_filler_that_fails_leaves_a_gap_and_the_stream(failure: Exception) -> None:
    """The reason is in the gap; what was filled before it counts."""

    async def act(pending: PendingGap[Any]) -> str | None:
        pending.deliver(["a"])
        await trio.lowlevel.checkpoint()
        raise failure

    buffer, subscription = make()
    buffer.backfiller = fill = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.gap(gap(), 1)
        buffer.put(1, A, 0)
    mark, first, pending, second = ready(subscription)
    assert (mark.count, first, second) == (1, "a", 1)
    assert pending.reason.startswith("it broke; not filled: ")
    assert str(failure) in pending.reason
    assert fill.missing == [A]
    check(subscription)


async def test_a_gap_becomes_longer_when_the_line_breaks_again(autojump_clock: MockClock) -> None:
    """With nothing pushed between, it is one gap: from the first break to the last acknowledgement."""
    begun: list[Gap | None] = []

    async def act(pending: PendingGap[Any]) -> str | None:
        begun.append(pending.gap)
        if len(begun) == 1:
            await trio.sleep_forever()
        return None

    buffer, subscription = make()
    buffer.backfiller = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.lost(A, gap())
        buffer.gap(gap(1), 1)
        await wait_all_tasks_blocked()
        buffer.lost(A, gap())
        buffer.gap(gap(2), 1)
    assert begun == [gap(1), gap(2)._replace(since=1.0)]
    assert ready(subscription) == [Backfilled(0, 1, 2.5, 2, A)]
    assert subscription.statistics().reconnects == 2


async def test_pushes_of_two_connections_behind_one_gap_are_not_taken_for_one_run() -> None:
    """The first was never acknowledged, and broke: between its pushes and the next ones may be a gap."""

    async def act(pending: PendingGap[Any]) -> str | None:  # noqa: ASYNC124  # it runs in Trio for its clock
        raise AssertionError("must not be filled")

    buffer, subscription = make()
    buffer.backfiller = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.lost(A, gap())
        buffer.put(1, A, 0)
        buffer.lost(A, gap())
        buffer.put(2, A, 0)
        buffer.gap(gap(), 1)
    assert [type(item) for item in ready(subscription)] == [Gap, int, int]


async def test_a_flood_before_the_acknowledgement_cannot_be_joined_on() -> None:
    """It was let through, so what is missing lies before it: a gap in front of it, and no fill."""

    async def act(pending: PendingGap[Any]) -> str | None:  # noqa: ASYNC124  # it runs in Trio for its clock
        raise AssertionError("must not be filled")

    buffer, subscription = make(size=4)
    buffer.backfiller = fill = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.lost(A, gap())
        for number in range(3):
            buffer.put(number, A, 0)
        early, *items = ready(subscription)
        assert "2 pushes were waiting for it" in early.reason
        assert items == [0, 1, 2]
        buffer.gap(gap(), 1)
    assert ready(subscription) == []
    assert fill.missing == [A]
    check(subscription)


async def test_a_gap_that_is_told_again_is_filled_once(autojump_clock: MockClock) -> None:
    """A topic can fall silent while its gap is filled: the fill begins anew, over both."""
    ran: list[str] = []

    async def act(pending: PendingGap[Any]) -> str | None:
        await trio.sleep(1)
        ran.append(pending.topic)
        pending.deliver(["a"])
        return None

    buffer, subscription = make()
    buffer.backfiller = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.gap(gap(1), 1)
        await wait_all_tasks_blocked()
        buffer.gap(gap(2), 1)
    assert ran == [A]
    assert ready(subscription) == [Backfilled(1, 1, 2.5, 2, A), "a"]


async def test_an_ending_stream_says_which_gaps_were_not_filled(autojump_clock: MockClock) -> None:
    """What waits behind them can still be read, then the error comes."""

    async def act(pending: PendingGap[Any]) -> str | None:
        await trio.sleep(1000)
        return None

    buffer, subscription = make()
    buffer.backfiller = Fill(act)
    async with trio.open_nursery() as nursery:
        buffer.start = nursery.start_soon
        buffer.gap(gap(), 1)
        await wait_all_tasks_blocked()
        buffer.put(1, A, 0)
        buffer.end(ConnectionLost("given up"))
    pending, item = subscription.receive_nowait(), subscription.receive_nowait()
    assert isinstance(pending, Gap)
    assert item == 1
    with pytest.raises(ConnectionLost):
        subscription.receive_nowait()
    check(subscription)
