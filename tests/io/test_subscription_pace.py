"""``async for`` over items that are ready: other tasks have their turn, and nothing is lost at any item."""

from __future__ import annotations

from typing import Any

import trio
from trio.testing import MockClock, assert_checkpoints

from bitmart_trio._io.gate import Gate
from bitmart_trio._io.pace import Pace
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.testing import sweep


def filled(count: int) -> Subscription[int]:
    """So many items are ready, and no more will come."""
    gate: Gate[Any] = Gate(size=count, overflow="fail", gaps="skip")
    subscription: Subscription[int] = Subscription(gate)
    for number in range(count):
        gate.receivers.deliver(number, None)
    return subscription


async def longest_run(count: int, work: Any = lambda: None) -> int:
    """The most items that a loop takes before another task has its turn.

    That is twice as many as between two turns of the scheduler: it draws the order of tasks anew for each.
    """
    taken: list[int] = []

    async def other() -> None:
        while True:
            taken.append(0)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        seen = 0
        async for _ in filled(count):
            if taken:
                taken[-1] += 1
            work()
            seen += 1
            if seen == count:
                break
        nursery.cancel_scope.cancel()
    assert len(taken) > 1
    return max(taken)


async def test_other_tasks_run_after_a_bounded_number_of_items(autojump_clock: MockClock) -> None:
    """Also where no time passes."""
    assert 32 <= await longest_run(1_000) <= 2 * 65


async def test_other_tasks_run_by_time(mock_clock: MockClock) -> None:
    """A body that takes long gives way at every item, a shorter one at the latest when half a millisecond is over."""
    assert await longest_run(20, lambda: mock_clock.jump(0.0006)) <= 2
    assert await longest_run(50, lambda: mock_clock.jump(0.0001)) <= 2 * 6


async def test_a_cancellation_ends_the_loop_at_the_next_item() -> None:
    """What was not read is still there."""
    subscription, seen = filled(10), list[int]()
    with trio.CancelScope() as scope:
        async for item in subscription:
            seen.append(item)
            if item == 3:
                scope.cancel()
    assert scope.cancelled_caught
    assert seen == [0, 1, 2, 3]
    assert subscription.receive_nowait() == 4


async def test_receive_is_a_full_checkpoint_between_items_of_a_loop() -> None:
    """The exception is the loop alone."""
    subscription = filled(10)
    await subscription.__anext__()
    for _ in range(3):
        with assert_checkpoints():
            await subscription.receive()


def test_a_sweep_strikes_at_each_item() -> None:
    """While it runs, every item is a full checkpoint; afterwards none is that need not be."""

    async def body() -> None:
        async for item in filled(10):
            if item == 9:
                return

    assert sweep(body).checkpoints >= 10
    assert Pace.strict == 0
