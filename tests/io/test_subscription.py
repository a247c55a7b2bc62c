"""What a subscription has beyond a memory channel: policies for slow readers, gaps, batches, ends, honest counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import hypothesis.strategies as st
import pytest
import trio
from hypothesis import given
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from bitmart_trio._core.channel import Overflow
from bitmart_trio._io.gate import Gate
from bitmart_trio._io.receivers import Gaps
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.errors import InvalidRequest, StreamGap, SubscriberTooSlow
from bitmart_trio.models.stream_events import Gap

POLICIES: tuple[Overflow, ...] = ("conflate", "drop_oldest", "fail")

each_policy = pytest.mark.parametrize("overflow", POLICIES)


class Owner:
    """Notes what a subscription asks of whoever holds its topics."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    async def add(self, buffer: Gate[Any], subjects: tuple[str, ...]) -> None:
        await trio.lowlevel.checkpoint()
        self.calls.append(("add", subjects))

    async def remove(self, buffer: Gate[Any], subjects: tuple[str, ...]) -> None:
        await trio.lowlevel.checkpoint()
        self.calls.append(("remove", subjects))

    def release(self, buffer: Gate[Any]) -> None:
        self.calls.append(("release", ()))


def make(overflow: Overflow = "fail", gaps: Gaps = "skip", size: int = 3) -> tuple[Gate[Any], Subscription[Any]]:
    buffer: Gate[Any] = Gate(size=size, overflow=overflow, gaps=gaps)
    buffer.owner = Owner()
    buffer.topics["spot/x:A"] = None
    return buffer, Subscription(buffer)


def calls(buffer: Gate[Any], owner: Any) -> list[tuple[str, tuple[str, ...]]]:
    assert isinstance(owner, Owner)
    return owner.calls


def broken_gap(epoch: int = 1, topic: str = "spot/x:A", since: float = 1.0, until: float = 3.0) -> Gap:
    return Gap(since, until, "the line broke", epoch, topic)


def ready(subscription: Subscription[Any]) -> Iterator[object]:
    """All that can be had without waiting; gaps that raise as the exception's gap."""
    while True:
        try:
            yield subscription.receive_nowait()
        except trio.WouldBlock:
            return
        except StreamGap as error:
            yield ("raised", error.gap)


def balanced(subscription: Subscription[Any]) -> bool:
    figures = subscription.statistics()
    return figures.received == figures.delivered + figures.conflated + figures.dropped + figures.buffer_used


# ---- policies -------------------------------------------------------------------------------------------------------


def test_conflate_keeps_the_newest_of_each_state() -> None:
    """In the order in which the states first appeared; the replaced ones are counted."""
    buffer, subscription = make("conflate")
    for item, key in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("c1", "c"), ("a3", "a"), ("b2", "b")]:
        buffer.put(item, key, 5.0)
    assert list(ready(subscription)) == ["a3", "b2", "c1"]
    figures = subscription.statistics()
    assert (figures.received, figures.delivered, figures.conflated, figures.dropped) == (6, 3, 3, 0)
    buffer.put("a4", "a", 6.0)
    assert list(ready(subscription)) == ["a4"]


def test_conflate_with_more_states_than_room_drops_the_oldest() -> None:
    """The bound holds, and the loss is counted as a loss."""
    buffer, subscription = make("conflate")
    for key in "abcd":
        buffer.put(key, key, 0.0)
    assert subscription.statistics().dropped == 1
    assert list(ready(subscription)) == ["b", "c", "d"]


def test_drop_oldest_keeps_the_newest_items() -> None:
    """And counts the others."""
    buffer, subscription = make("drop_oldest")
    for item in range(7):
        buffer.put(item, "k", 0.0)
    figures = subscription.statistics()
    assert (figures.received, figures.dropped, figures.buffer_used) == (7, 4, 3)
    assert list(ready(subscription)) == [4, 5, 6]


async def test_fail_ends_the_subscription_behind_what_is_buffered() -> None:
    """What was there is still read, then the same error every time; the topics are let go at once."""
    buffer, subscription = make("fail")
    owner = buffer.owner
    for item in range(5):
        buffer.put(item, "k", 0.0)
    assert calls(buffer, owner) == [("release", ())]
    assert list(zip(range(3), ready(subscription), strict=False)) == [(0, 0), (1, 1), (2, 2)]
    for _ in range(3):
        with pytest.raises(SubscriberTooSlow) as caught:
            await subscription.receive()
        assert caught.value.buffered == 3
        with pytest.raises(SubscriberTooSlow):
            subscription.receive_nowait()
        with pytest.raises(SubscriberTooSlow):
            await anext(subscription.batches())
    figures = subscription.statistics()
    assert (figures.received, figures.delivered, figures.dropped) == (4, 3, 1)
    assert balanced(subscription)


@each_policy
async def test_a_waiting_reader_never_overflows(overflow: Overflow) -> None:
    """Items go straight to it, whatever the policy."""
    buffer, subscription = make(overflow, size=1)
    got: list[object] = []

    async def read() -> None:
        for _ in range(5):
            got.append(await subscription.receive())  # noqa: PERF401  # one wait at a time is the point

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for item in range(5):
            await wait_all_tasks_blocked()
            buffer.put(item, "k", 0.0)
    assert got == [0, 1, 2, 3, 4]
    figures = subscription.statistics()
    assert (figures.delivered, figures.conflated, figures.dropped) == (5, 0, 0)


def test_the_time_of_the_last_message() -> None:
    """None before the first, then the newest item's."""
    buffer, subscription = make()
    assert subscription.statistics().last_message is None
    buffer.put(1, "k", 7.5)
    assert subscription.statistics().last_message == 7.5


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"size": 0}, "buffer"),
        ({"size": -1}, "buffer"),
        ({"overflow": "oldest"}, "overflow"),
        ({"gaps": "ignore"}, "gaps"),
    ],
)
def test_a_policy_that_does_not_exist_is_refused(options: dict[str, Any], argument: str) -> None:
    """By the name of the keyword, before anything is opened."""
    with pytest.raises(InvalidRequest) as caught:
        Gate(**{"size": 1, "overflow": "fail", "gaps": "skip", **options})
    assert caught.value.argument == argument


# ---- gaps -----------------------------------------------------------------------------------------------------------


@each_policy
def test_a_skipped_gap_is_only_counted(overflow: Overflow) -> None:
    """The default: nothing in the stream, one more in the statistics."""
    buffer, subscription = make(overflow, "skip")
    buffer.put(1, "a", 0.0)
    buffer.gap(broken_gap(), connection=1)
    buffer.put(2, "b", 0.0)
    assert list(ready(subscription)) == [1, 2]
    assert subscription.statistics().gaps == 1


@each_policy
def test_a_marked_gap_is_in_its_place(overflow: Overflow) -> None:
    """Between what came before the gap and what came behind it; it takes no room and counts as no item."""
    buffer, subscription = make(overflow, "mark")
    buffer.put(1, "a", 0.0)
    buffer.gap(broken_gap(), connection=1)
    buffer.put(2, "b", 0.0)
    buffer.put(3, "c", 0.0)
    figures = subscription.statistics()
    assert (figures.buffer_used, figures.gaps, figures.received) == (3, 1, 3)
    assert list(ready(subscription)) == [1, broken_gap(), 2, 3]
    assert balanced(subscription)


@each_policy
async def test_a_raised_gap_is_in_its_place(overflow: Overflow) -> None:
    """The exception comes where the gap is, once, and the next receive goes on behind it."""
    buffer, subscription = make(overflow, "raise")
    buffer.put(1, "a", 0.0)
    buffer.gap(broken_gap(), connection=1)
    buffer.put(2, "b", 0.0)
    assert await subscription.receive() == 1
    with pytest.raises(StreamGap, match="the line broke") as caught:
        await subscription.receive()
    assert caught.value.gap == broken_gap()
    assert await subscription.receive() == 2
    assert balanced(subscription)


def test_a_newer_state_is_read_behind_the_gap_that_it_came_behind() -> None:
    """Conflating must not move an item before a gap: it would look as if it had been seen without interruption."""
    buffer, subscription = make("conflate", "mark")
    buffer.put("a1", "a", 0.0)
    buffer.put("b1", "b", 0.0)
    buffer.gap(broken_gap(), connection=1)
    buffer.put("a2", "a", 0.0)
    assert list(ready(subscription)) == ["b1", broken_gap(), "a2"]
    assert balanced(subscription)


@each_policy
@pytest.mark.parametrize("gaps", ["mark", "raise"])
def test_dropping_keeps_the_gaps(overflow: Overflow, gaps: Gaps) -> None:
    """Items make room, gaps stay where they were."""
    buffer, subscription = make(overflow, gaps)
    buffer.gap(broken_gap(), connection=1)
    for item in range(5):
        buffer.put(item, item, 0.0)
    first, *rest = zip(range(4), ready(subscription), strict=False)
    assert first[1] == (broken_gap() if gaps == "mark" else ("raised", broken_gap()))
    assert [item for _, item in rest] == ([0, 1, 2] if overflow == "fail" else [2, 3, 4])
    assert balanced(subscription)


@each_policy
@pytest.mark.parametrize("gaps", ["mark", "raise"])
async def test_a_gap_reaches_whoever_waits(overflow: Overflow, gaps: Gaps) -> None:
    """One of the waiting tasks gets it, the next item goes to the next."""
    buffer, subscription = make(overflow, gaps)
    got: list[object] = []

    async def read() -> None:
        try:
            got.append(await subscription.receive())
        except StreamGap as error:
            got.append(error.gap)

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(read)
        await wait_all_tasks_blocked()
        buffer.gap(broken_gap(), connection=1)
        await wait_all_tasks_blocked()
        assert got == [broken_gap()]
        buffer.put(1, "a", 0.0)
    assert got == [broken_gap(), 1]
    assert balanced(subscription)


@each_policy
def test_gaps_with_nothing_between_are_one(overflow: Overflow) -> None:
    """A bad line and a reader that is away do not fill the memory; the gap is as long as both, and each is counted."""
    buffer, subscription = make(overflow, "mark")
    for epoch in range(1, 1001):
        for topic in ("spot/x:A", "spot/x:B"):
            buffer.gap(broken_gap(epoch, topic, since=epoch, until=epoch + 0.5), connection=1)
    buffer.put(1, "a", 0.0)
    buffer.gap(broken_gap(1001, since=1001, until=1002), connection=1)
    whole = Gap(1, 1000.5, "the line broke", 1000, "spot/x:A")
    assert list(ready(subscription)) == [
        whole,
        whole._replace(topic="spot/x:B"),
        1,
        broken_gap(1001, since=1001, until=1002),
    ]
    assert subscription.statistics().gaps == 2001


def test_reconnects_are_counted_once_a_connection() -> None:
    """Each topic has its own gap, also when the topics of two connections come back in turns."""
    buffer, subscription = make()
    for connection, epoch in [(1, 1), (2, 1), (1, 1), (2, 1), (1, 2), (2, 2), (1, 2)]:
        buffer.gap(broken_gap(epoch), connection=connection)
    figures = subscription.statistics()
    assert (figures.gaps, figures.reconnects) == (7, 4)


# ---- batches --------------------------------------------------------------------------------------------------------


@each_policy
async def test_a_batch_is_all_that_is_ready(overflow: Overflow) -> None:
    """In order, at one checkpoint; an empty one never comes."""
    buffer, subscription = make(overflow)
    batches = subscription.batches()
    for item in range(3):
        buffer.put(item, item, 0.0)
    with assert_checkpoints():
        assert await anext(batches) == [0, 1, 2]
    with trio.move_on_after(0):
        await anext(batches)
        raise AssertionError("there was nothing to give")
    buffer.put(3, 3, 0.0)
    async for batch in batches:
        assert batch == [3]
        break
    assert balanced(subscription)


@pytest.mark.parametrize("overflow", ["drop_oldest", "fail"])
async def test_a_batch_that_is_waited_for_has_all_that_comes_before_it_is_read(overflow: Overflow) -> None:
    """What arrives between the first item and the moment when the task runs goes along, however small the buffer."""
    buffer, subscription = make(overflow, size=1)
    got: list[list[object]] = []

    async def read() -> None:
        async for batch in subscription.batches():
            got.append(batch)
            if len(got) == 2:
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        for item in range(3):
            buffer.put(item, item, 0.0)
        assert balanced(subscription)
        await wait_all_tasks_blocked()
        buffer.put(3, 3, 0.0)
    assert got == [[0, 1, 2], [3]]
    assert balanced(subscription)


async def test_a_conflated_batch_holds_no_state_twice() -> None:
    """A newer state comes with the next batch: none is handed out in two versions at once."""
    buffer, subscription = make("conflate")
    got: list[list[object]] = []

    async def read() -> None:
        async for batch in subscription.batches():
            got.append(batch)
            if len(got) == 2:
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        for item in range(3):
            buffer.put(item, "state", 0.0)
    assert got == [[0], [2]]
    assert balanced(subscription)


async def test_a_gap_that_raises_ends_the_batch_before_it() -> None:
    """What comes behind it is read behind it, though all of it came before the task ran."""
    buffer, subscription = make(gaps="raise")
    got: list[object] = []

    async def read() -> None:
        batches = subscription.batches()
        for _ in range(3):
            try:
                got.append(await anext(batches))
            except StreamGap:
                got.append("gap")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        buffer.put(0, "t", 0.0)
        buffer.put(1, "t", 0.0)
        buffer.gap(Gap(1.0, 2.0, "lost", 1, "t"), 1)
        buffer.put(2, "t", 0.0)
    assert got == [[0, 1], "gap", [2]]


@each_policy
async def test_gaps_in_batches(overflow: Overflow) -> None:
    """Marked ones are items of the batch; one that raises ends the batch before it, and starts the next."""
    for gaps, expected in (("mark", [[1, broken_gap(), 2, 3]]), ("raise", [[1], "raised", [2, 3]])):
        buffer, subscription = make(overflow, gaps)  # type: ignore[arg-type]  # a loop over literals
        buffer.put(1, 1, 0.0)
        buffer.gap(broken_gap(), connection=1)
        buffer.put(2, 2, 0.0)
        buffer.put(3, 3, 0.0)
        got: list[object] = []
        for _ in expected:
            try:
                got.append(await anext(subscription.batches()))
            except StreamGap:
                got.append("raised")
        assert got == expected
        assert subscription.statistics().delivered == 3
        assert balanced(subscription)


async def test_batches_of_a_closed_subscription() -> None:
    """As for receive; the iterator is its own iterator."""
    _, subscription = make()
    batches = subscription.batches()
    assert batches.__aiter__() is batches
    subscription.close()
    with pytest.raises(trio.ClosedResourceError):
        await anext(batches)


# ---- ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ConnectionError("gone"), trio.ClosedResourceError("the client was closed")])
@each_policy
async def test_an_end_wakes_all_who_wait(overflow: Overflow, error: Exception) -> None:
    """In receive, in batches, on every handle; later calls get the same; only the first end counts."""
    buffer, subscription = make(overflow)
    owner = buffer.owner
    clone = subscription.clone()
    got: list[Exception] = []

    async def wait(how: Callable[[], Any]) -> None:
        try:
            await how()
        except (ConnectionError, trio.ClosedResourceError) as caught:
            got.append(caught)

    async with trio.open_nursery() as nursery:
        for how in (subscription.receive, clone.receive, clone.batches().__anext__):
            nursery.start_soon(wait, how)
        await wait_all_tasks_blocked()
        buffer.end(error)
        buffer.end(ValueError("another"))
    assert got == [error] * 3
    with pytest.raises(type(error)):
        clone.receive_nowait()
    buffer.put(1, "k", 0.0)
    buffer.gap(broken_gap(), connection=1)
    with pytest.raises(type(error)):
        await subscription.receive()
    assert calls(buffer, owner) == [("release", ())]
    assert balanced(subscription)


async def test_what_is_buffered_survives_the_end() -> None:
    """Gaps too, then the error."""
    buffer, subscription = make("fail", "raise")
    buffer.put(1, "k", 0.0)
    buffer.gap(broken_gap(), connection=1)
    buffer.put(2, "k", 0.0)
    buffer.end(ConnectionError("gone"))
    assert await subscription.receive() == 1
    with pytest.raises(StreamGap):
        await subscription.receive()
    assert await subscription.receive() == 2
    with pytest.raises(ConnectionError):
        await subscription.receive()


def test_the_last_handle_lets_the_topics_go() -> None:
    """Once, and not before the last."""
    buffer, subscription = make()
    owner = buffer.owner
    clone = subscription.clone()
    subscription.close()
    assert calls(buffer, owner) == []
    clone.close()
    clone.close()
    assert calls(buffer, owner) == [("release", ())]


# ---- topics ---------------------------------------------------------------------------------------------------------


async def test_adding_and_removing_topics() -> None:
    """It is the owner's business; both are checkpoints."""
    buffer, subscription = make()
    owner = buffer.owner
    with assert_checkpoints():
        await subscription.add("B", "C")
    with assert_checkpoints():
        await subscription.remove("B")
    assert calls(buffer, owner) == [("add", ("B", "C")), ("remove", ("B",))]
    assert subscription.topics == ("spot/x:A",)
    assert "spot/x:A" in repr(subscription)


@pytest.mark.parametrize("method", ["add", "remove"])
async def test_changing_the_topics_of_what_is_no_more(method: Literal["add", "remove"]) -> None:
    """A closed handle says so; an ended stream says what ended it; a stream without topics has none to change."""
    _, subscription = make()
    clone = subscription.clone()
    subscription.close()
    with pytest.raises(trio.ClosedResourceError):
        await getattr(subscription, method)("B")
    await getattr(clone, method)("B")
    buffer, ended = make()
    buffer.end(ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        await getattr(ended, method)("B")
    listener = Subscription[int](Gate(size=1, overflow="drop_oldest", gaps="skip"))
    with pytest.raises(InvalidRequest):
        await getattr(listener, method)("B")


async def test_a_cancelled_add_does_nothing() -> None:
    """The owner is not even asked."""
    buffer, subscription = make()
    owner = buffer.owner
    with trio.CancelScope() as scope:
        scope.cancel()
        await subscription.add("B")
    with trio.CancelScope() as scope:
        scope.cancel()
        await subscription.remove("B")
    assert calls(buffer, owner) == []


# ---- the promise ----------------------------------------------------------------------------------------------------

_steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcdef")),
        st.tuples(st.just("gap"), st.sampled_from("AB")),
        st.tuples(st.just("take"), st.just("")),
        st.tuples(st.just("batch"), st.just("")),
    ),
    max_size=60,
)


@given(_steps, st.sampled_from(POLICIES), st.sampled_from(["skip", "mark", "raise"]), st.integers(1, 4))
def test_every_item_is_accounted_for(steps: list[tuple[str, str]], overflow: Overflow, gaps: Gaps, size: int) -> None:
    """Whatever happens, the counts add up, no more than the size is held, and nothing comes twice or out of order.

    A marked gap stands between what came before it and what came behind it.
    """
    buffer, subscription = make(overflow, gaps, size)
    got: list[object] = []
    put = 0
    holes: list[int] = []
    for step, what in steps:
        if step == "put":
            put += 1
            buffer.put(put, what, 0.0)
        elif step == "gap":
            holes.append(put)
            buffer.gap(broken_gap(len(holes), what), connection=1)
        else:
            try:
                got += buffer.receivers.take_all() if step == "batch" else [subscription.receive_nowait()]
            except StreamGap as error:
                got.append(error.gap)
            except (trio.WouldBlock, SubscriberTooSlow):
                pass
        figures = subscription.statistics()
        assert figures.received == figures.delivered + figures.conflated + figures.dropped + figures.buffer_used
        assert 0 <= figures.buffer_used <= size
        assert figures.gaps == len(holes)
    items = [item for item in got if isinstance(item, int)]
    assert len(items) == len(set(items)) == subscription.statistics().delivered
    if overflow != "conflate":  # which reads its states in the order of their first appearance
        assert items == sorted(items)
    for index, item in enumerate(got):
        if isinstance(item, Gap):
            before = holes[item.epoch - 1]
            assert gaps != "skip"
            assert all(each <= before for each in got[:index] if isinstance(each, int))
            assert all(each > before for each in got[index:] if isinstance(each, int))
