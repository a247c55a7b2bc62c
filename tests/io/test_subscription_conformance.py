"""What a memory channel's receive side does, a subscription does: each case runs on both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from bitmart_trio._io.gate import Gate
from bitmart_trio._io.subscription import Subscription

Receiver: TypeAlias = "trio.MemoryReceiveChannel[int] | Subscription[int]"


@attrs.frozen
class Pair:
    """Both ends: how an item gets in (never waiting), and the receive side."""

    put: Callable[[int], None]
    receiver: Receiver


@pytest.fixture(params=["memory channel", "subscription"])
def pair(request: pytest.FixtureRequest) -> Pair:
    if request.param == "memory channel":
        send, receive = trio.open_memory_channel[int](10)
        return Pair(send.send_nowait, receive)
    buffer: Gate[int] = Gate(size=10, overflow="fail", gaps="skip")
    return Pair(lambda item: buffer.put(item, "topic", 0.0), Subscription(buffer))


class Reader:
    """A task that waits for one item."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.got: list[Any] = []
        self.scope = trio.CancelScope()

    async def __call__(self) -> None:
        with self.scope:
            try:
                self.got.append(await self.receiver.receive())
            except trio.ClosedResourceError as error:
                self.got.append(type(error))


async def readers(nursery: trio.Nursery, *receivers: Receiver) -> list[Reader]:
    """Tasks that wait, in this order."""
    started = [Reader(receiver) for receiver in receivers]
    for reader in started:
        nursery.start_soon(reader)
        await wait_all_tasks_blocked()
    return started


async def test_items_come_in_the_order_they_were_put(pair: Pair) -> None:
    """First in, first out, whether or not one waits for them."""
    for item in range(3):
        pair.put(item)
    assert [await pair.receiver.receive() for _ in range(3)] == [0, 1, 2]
    async with trio.open_nursery() as nursery:
        (reader,) = await readers(nursery, pair.receiver)
        pair.put(3)
    assert reader.got == [3]


def test_receive_nowait(pair: Pair) -> None:
    """It never waits: an item, or WouldBlock, or ClosedResourceError."""
    with pytest.raises(trio.WouldBlock):
        pair.receiver.receive_nowait()
    pair.put(1)
    assert pair.receiver.receive_nowait() == 1
    pair.put(2)
    pair.receiver.close()
    with pytest.raises(trio.ClosedResourceError):
        pair.receiver.receive_nowait()


async def test_closing_wakes_whoever_waits(pair: Pair) -> None:
    """All tasks on this handle get ClosedResourceError."""
    async with trio.open_nursery() as nursery:
        waiting = await readers(nursery, pair.receiver, pair.receiver)
        pair.receiver.close()
    assert [reader.got for reader in waiting] == [[trio.ClosedResourceError]] * 2


async def test_a_closed_handle_gives_nothing(pair: Pair) -> None:
    """Not even what was buffered; and it cannot be cloned."""
    pair.put(1)
    await pair.receiver.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await pair.receiver.receive()
    with pytest.raises(trio.ClosedResourceError):
        await pair.receiver.__anext__()
    with pytest.raises(trio.ClosedResourceError):
        pair.receiver.clone()


async def test_clones_compete(pair: Pair) -> None:
    """An item goes to one of them; both read the same buffer."""
    clone = pair.receiver.clone()
    for item in range(4):
        pair.put(item)
    got = [await pair.receiver.receive(), await clone.receive(), clone.receive_nowait(), await pair.receiver.receive()]
    assert got == [0, 1, 2, 3]


async def test_the_buffer_lives_until_the_last_clone_closes(pair: Pair) -> None:
    """Closing one handle takes nothing from the others, and wakes nobody who waits on them."""
    clone = pair.receiver.clone()
    pair.put(1)
    pair.receiver.close()
    assert await clone.receive() == 1
    async with trio.open_nursery() as nursery:
        (reader,) = await readers(nursery, clone)
        pair.receiver.close()
        await wait_all_tasks_blocked()
        assert reader.got == []
        pair.put(2)
    assert reader.got == [2]


async def test_closing_wakes_only_this_handle(pair: Pair) -> None:
    """Whoever waits on a clone goes on waiting."""
    clone = pair.receiver.clone()
    async with trio.open_nursery() as nursery:
        one, other = await readers(nursery, pair.receiver, clone)
        pair.receiver.close()
        await wait_all_tasks_blocked()
        assert (one.got, other.got) == ([trio.ClosedResourceError], [])
        pair.put(1)
    assert other.got == [1]


async def test_waiters_are_served_in_their_order(pair: Pair) -> None:
    """First come, first served, over all handles."""
    clone = pair.receiver.clone()
    async with trio.open_nursery() as nursery:
        waiting = await readers(nursery, clone, pair.receiver, clone)
        for item in range(3):
            pair.put(item)
    assert [reader.got for reader in waiting] == [[0], [1], [2]]


async def test_cancelling_a_waiter_loses_nothing(pair: Pair) -> None:
    """Cancelled before an item came, it goes to the next; cancelled after, it was delivered."""
    async with trio.open_nursery() as nursery:
        first, second = await readers(nursery, pair.receiver, pair.receiver)
        first.scope.cancel()
        pair.put(1)
        pair.put(2)
        second.scope.cancel()
    got = [*first.got, *second.got]
    while True:
        try:
            got.append(pair.receiver.receive_nowait())
        except trio.WouldBlock:
            break
    assert sorted(got) == [1, 2]


async def test_a_cancelled_receive_takes_nothing(pair: Pair) -> None:
    """An item that was ready stays ready."""
    pair.put(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await pair.receiver.receive()
    assert scope.cancelled_caught
    assert pair.receiver.receive_nowait() == 1


async def test_an_item_handed_over_survives_closing(pair: Pair) -> None:
    """Put and close in one step: the waiter has its item."""
    async with trio.open_nursery() as nursery:
        (reader,) = await readers(nursery, pair.receiver)
        pair.put(1)
        pair.receiver.close()
    assert reader.got == [1]


async def test_closing_twice_is_closing_once(pair: Pair) -> None:
    """Idempotent, in both forms, and a clone is not affected."""
    clone = pair.receiver.clone()
    pair.receiver.close()
    pair.receiver.close()
    await pair.receiver.aclose()
    pair.put(1)
    assert await clone.receive() == 1


async def test_checkpoints(pair: Pair) -> None:
    """Receiving an item that is ready is a checkpoint, and so is closing, also when closed."""
    for item in range(2):
        pair.put(item)
    with assert_checkpoints():
        await pair.receiver.receive()
    with assert_checkpoints():
        await pair.receiver.__anext__()
    for _ in range(2):
        with assert_checkpoints():
            await pair.receiver.aclose()


async def test_a_cancelled_aclose_still_closes(pair: Pair) -> None:
    """Only less politely."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await pair.receiver.aclose()
    with pytest.raises(trio.ClosedResourceError):
        pair.receiver.receive_nowait()


async def test_async_for_and_with(pair: Pair) -> None:
    """Both with statements close; the loop gives item after item."""
    for item in range(3):
        pair.put(item)
    got: list[int] = []
    with pair.receiver as receiver:
        assert receiver is pair.receiver
        async for item in receiver:
            got.append(item)
            if item == 2:
                break
    assert got == [0, 1, 2]
    with pytest.raises(trio.ClosedResourceError):
        await pair.receiver.receive()
    async with pair.receiver:
        pass


async def test_statistics_that_both_have(pair: Pair) -> None:
    """Open handles and waiting tasks."""

    def counts(receiver: Receiver) -> tuple[int, int]:
        figures = receiver.statistics()
        return figures.open_receive_channels, figures.tasks_waiting_receive

    assert counts(pair.receiver) == (1, 0)
    clone = pair.receiver.clone()
    async with trio.open_nursery() as nursery:
        await readers(nursery, clone, pair.receiver)
        assert counts(clone) == (2, 2)
        pair.receiver.close()
        assert counts(clone) == (1, 1)
        clone.close()
    assert counts(clone) == (0, 0)


def test_what_comes_after_the_last_handle_closed_is_for_nobody(pair: Pair) -> None:
    """A memory channel tells the sender; a router has nobody to tell, so it just keeps nothing."""
    pair.receiver.close()
    if isinstance(pair.receiver, Subscription):
        pair.put(1)
        assert pair.receiver.statistics().received == 0
    else:
        with pytest.raises(trio.BrokenResourceError):
            pair.put(1)
