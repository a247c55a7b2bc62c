"""The sweep of interrupts finds what is wrong with a program, and says where."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio

import bitmart_trio as bm
from bitmart_trio._io import quota_queue
from bitmart_trio.testing import InterruptReport, SweepFailure, interrupt_sweep, interrupt_sweep_here


@asynccontextmanager
async def exchange() -> AsyncGenerator[bm.sim.Venue]:
    """An exchange whose market stands still."""
    async with bm.sim.open_exchange(live=False) as venue:
        yield venue


async def ask(venue: bm.sim.Venue) -> None:
    """A client, and one call."""
    async with venue.open_spot() as spot:
        await spot.system.time()


async def wait() -> None:
    """Three checkpoints, and no line of the library."""
    for _ in range(3):
        await trio.sleep(1)


def test_it_strikes_checkpoints_and_lines() -> None:
    """So many of each, and says how many there are."""
    report = interrupt_sweep(ask, around=exchange, sample=5)
    assert report.checkpoints > 5
    assert report.lines > 300
    assert report.runs == 2 + 5 + 5
    assert report.seed == 0
    assert interrupt_sweep(wait) == InterruptReport(checkpoints=3, lines=0, runs=2 + 3 + 4, seed=0)
    assert interrupt_sweep(wait, moments=["waiting"]).runs == 2 + 3
    assert interrupt_sweep(ask, around=exchange, moments=[], sample=3).runs == 2 + 3
    assert interrupt_sweep(ask, around=exchange, lines=False, sample=3).runs == 2 + 3


class Everything(set[str]):
    """Every line has been struck."""

    def __contains__(self, line: object) -> bool:
        return True


def test_sweeps_that_share_what_they_struck_strike_each_line_once() -> None:
    """The first takes a sample, the second others; when all are struck, none is."""
    struck: set[str] = set()
    for number in (4, 8):
        assert interrupt_sweep(ask, around=exchange, moments=[], struck=struck, sample=4).runs == 2 + 4
        assert len(struck) == number
    everything = Everything()
    assert interrupt_sweep(ask, around=exchange, moments=[], struck=everything).runs == 2
    assert all(".py:" in line for line in struck)


def test_a_single_place_can_be_looked_at() -> None:
    """A checkpoint by its number, a line by its file and number."""
    take = quota_queue.Slots.take.__code__.co_firstlineno + 2
    assert interrupt_sweep(ask, around=exchange, only=f"_io/quota_queue.py:{take}").runs == 2 + 1
    assert interrupt_sweep(ask, around=exchange, only=2).runs == 2 + 2
    for only in (70, "quota_queue.py:100000"):
        with pytest.raises(ValueError, match=f"does not come by {only!r}"):
            interrupt_sweep(wait, only=only)


def test_an_interrupt_that_is_lost_is_found() -> None:
    """A program that goes on as if nothing had been."""

    async def deaf() -> None:
        try:
            await trio.sleep(1)
        except KeyboardInterrupt:
            await trio.sleep(1)

    with pytest.raises(SweepFailure, match="the interrupt was lost"):
        interrupt_sweep(deaf)
    assert interrupt_sweep(deaf, handled=True).checkpoints == 1


def test_an_interrupt_that_became_something_else_is_found() -> None:
    """Another error."""

    async def rude() -> None:
        try:
            await trio.sleep(1)
        except KeyboardInterrupt:
            raise KeyError("no") from None

    with pytest.raises(SweepFailure, match=r"at checkpoint 1 \(waiting\); it ended with KeyError: 'no'") as caught:
        interrupt_sweep(rude)
    assert "again: interrupt_sweep(..., only=1, moments=['waiting'], seed=0)" in str(caught.value)


def test_a_group_is_found_unless_the_body_has_the_nursery() -> None:
    """One group for each nursery of the body's own, and no more."""

    async def nested() -> None:
        async with trio.open_nursery(), trio.open_nursery() as nursery:  # noqa: ASYNC112  # it is what is interrupted
            nursery.start_soon(trio.sleep, 1)

    for allowed in (0, 1):
        with pytest.raises(SweepFailure, match="a group of 1 errors"):
            interrupt_sweep(nested, nurseries=allowed)
    assert interrupt_sweep(nested, nurseries=2).checkpoints

    async def two() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails)
            await trio.sleep(2)

    async def fails() -> None:
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            raise ValueError("mine") from None  # noqa: ASYNC104  # what is tested

    with pytest.raises(SweepFailure, match="a group of 2 errors"):
        interrupt_sweep(two, nurseries=1)


def test_a_body_that_does_not_end_is_found() -> None:
    """It has so many seconds."""

    async def slow() -> None:
        try:
            await trio.sleep(1)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(100)

    with pytest.raises(SweepFailure, match="it had not ended 30 s later"):
        interrupt_sweep(slow)
    assert interrupt_sweep(slow, grace=200).checkpoints


def test_a_leak_at_a_line_is_found() -> None:
    """Code of the library that an interrupt may cut in two: the message names the line, and how to see it again."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[quota_queue.Slots]:
        yield quota_queue.Slots(8)

    async def unprotected(slots: quota_queue.Slots) -> None:
        # What `take` gives is protected by the pipeline, which is not here.
        async with slots.take(urgent=True):
            await trio.lowlevel.checkpoint()

    with pytest.raises(SweepFailure, match=r"was interrupted at line _io/quota_queue.py:\d+; left behind") as caught:
        interrupt_sweep(unprotected, around=around, moments=[])
    assert "1 x slot: a token of a CapacityLimiter" in str(caught.value)
    assert "again: interrupt_sweep(..., only='_io/quota_queue.py:" in str(caught.value)


def test_what_is_open_already_is_shared() -> None:
    """`interrupt_sweep_here`, in the main task."""

    async def main() -> InterruptReport:
        async with bm.sim.open_exchange(live=False) as venue, venue.open_spot() as spot:
            return await interrupt_sweep_here(spot.system.time, sample=4)

    report = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert report.runs == 2 + 4 + 4
    assert report.seed is None


def test_an_ignored_ctrl_c_is_said_and_not_taken_for_a_lost_one() -> None:
    """A shell starts what runs in the background with SIGINT ignored; then Trio leaves it so."""

    async def main() -> None:
        await interrupt_sweep_here(wait)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(RuntimeError, match="SIGINT has no handler"):
            trio.run(main)
    finally:
        signal.signal(signal.SIGINT, before)


async def test_only_the_main_task_gets_interrupts() -> None:
    """This test is another one."""
    with pytest.raises(RuntimeError, match="the main task"):
        await interrupt_sweep_here(wait)


def test_only_the_main_thread_gets_interrupts() -> None:
    """Another thread cannot be interrupted."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            interrupt_sweep(wait)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


def test_a_body_with_too_many_checkpoints() -> None:
    """The guard says so."""
    with pytest.raises(SweepFailure, match="not through after 2 checkpoints"):
        interrupt_sweep(wait, most=2)
