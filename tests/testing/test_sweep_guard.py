"""A run that does not end by itself is ended, in every sort of sweep, and the message says which run it was."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.testing import SweepFailure, _guard, interrupt_sweep, interrupt_sweep_here, sweep, sweep_here

DEADLOCK: Final = "it is in a deadlock: every task waits, and nothing is due that could wake one"
Body = Callable[[], Awaitable[None]]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_guard, "PAUSE", 0.02)
    monkeypatch.setattr(_guard, "ANSWER", 0.2)


async def shielded() -> None:
    """Waits for what never happens, and hears of nothing."""
    with trio.CancelScope(shield=True):
        await trio.Event().wait()


async def shielded_again() -> None:
    """The same, and once more after the first shield is gone."""
    try:
        await shielded()
    finally:
        await shielded()  # noqa: ASYNC102  # what is tested


async def endless() -> None:
    """Something is always due."""
    while True:  # noqa: ASYNC110  # what is tested
        await trio.sleep(1)


async def spinning() -> None:
    """No time passes, and the loop goes on."""
    while True:  # noqa: ASYNC110  # what is tested
        await trio.lowlevel.checkpoint()


def hangs_in_run(number: int, hang: Body) -> Body:
    """Five checkpoints, and in one of the runs a hang at the first."""
    runs = 0

    async def body() -> None:
        nonlocal runs
        runs += 1
        if runs == number:
            await hang()
        for _ in range(5):
            await trio.sleep(1)

    return body


@pytest.mark.parametrize("hang", [shielded, shielded_again])
@pytest.mark.parametrize("way", [sweep, interrupt_sweep])
def test_a_deadlock_is_noticed_long_before_the_limit(way: Callable[[Body], object], hang: Body) -> None:
    """Nothing is due on virtual time: it says so, and where the body waits."""
    with pytest.raises(SweepFailure) as caught:
        way(hang)
    assert str(caught.value).startswith(f"{hang.__name__} was run undisturbed; {DEADLOCK}\nit hung at {__file__}:")


@pytest.mark.parametrize("hang", [endless, spinning])
@pytest.mark.parametrize("way", [sweep, interrupt_sweep])
def test_a_run_has_its_limit_of_real_time(way: Callable[..., object], hang: Body) -> None:
    """Where something is always due, virtual time passes for ever."""
    with pytest.raises(SweepFailure, match=f"{hang.__name__} was run undisturbed; it had not ended after 0.2 s"):
        way(hang, limit=0.2)


def test_on_the_real_clock_too() -> None:
    """Nobody can know there whether something is due."""
    with pytest.raises(
        SweepFailure, match=r"it had not ended after 0.1 s of real time\nit hung at .*test_sweep_guard.py"
    ):
        sweep(shielded, limit=0.1, real_time=True)


def test_the_run_that_hangs_is_named() -> None:
    """The one in which the second checkpoint was to be struck."""
    with pytest.raises(SweepFailure) as caught:
        sweep(hangs_in_run(3, shielded))
    assert f"was to be cancelled at checkpoint 2 (waiting), and did not get there; {DEADLOCK}\nit hung at" in str(
        caught.value
    )
    assert "again: sweep(..., only=2, moments=['waiting'], seed=0)" in str(caught.value)
    with pytest.raises(SweepFailure, match=r"to be interrupted at checkpoint 2 \(waiting\), and did not get there; "):
        interrupt_sweep(hangs_in_run(4, shielded))


def test_what_hangs_after_it_was_struck() -> None:
    """A loop in which no time passes: ``grace`` is of the virtual clock."""

    async def stubborn() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await trio.sleep(1)
            nursery.cancel_scope.cancel()

    async def child() -> None:
        try:
            await trio.sleep(2)
        finally:
            with trio.CancelScope(shield=True) as scope:
                while scope.shield and trio.current_time() < 1:  # noqa: ASYNC110  # what is tested
                    await trio.lowlevel.checkpoint()

    with pytest.raises(SweepFailure, match=r"was cancelled at checkpoint 1 \(waiting\); it had not ended after 0.2 s"):
        sweep(stubborn, limit=0.2)


def test_what_is_around_the_body_has_the_same_bound() -> None:
    """Before it, behind it, and the invariants."""

    @asynccontextmanager
    async def before() -> AsyncGenerator[None]:
        await shielded()
        yield

    @asynccontextmanager
    async def behind() -> AsyncGenerator[None]:
        yield
        await shielded()

    async def body(_: None) -> None:
        await trio.sleep(1)

    for around in (before, behind):
        with pytest.raises(SweepFailure, match="every task waits") as caught:
            sweep(body, around=around)
        assert f"in {around.__name__}" in str(caught.value)
    with pytest.raises(SweepFailure, match="every task waits"):
        sweep(trio.lowlevel.checkpoint, invariants=[shielded])


def test_a_loop_that_is_blocked_is_interrupted() -> None:
    """In Python's main thread: no cancellation would ever be looked at."""

    async def blocked() -> None:  # noqa: ASYNC124  # what is tested
        while True:
            time.monotonic()

    for way in (sweep, interrupt_sweep):
        with pytest.raises(SweepFailure, match=r"blocked was run undisturbed; a task kept the loop busy") as caught:
            way(blocked, limit=0.1)
        assert isinstance(caught.value.__cause__, KeyboardInterrupt), "its traceback says where"


def test_in_another_thread() -> None:
    """Nothing of it needs signals."""
    caught: list[BaseException] = []

    def run() -> None:
        for hang in (shielded, endless):
            try:
                sweep(hang, limit=0.2)
            except SweepFailure as failure:
                caught.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ["every task waits" in str(failure) for failure in caught] == [True, False]


def test_a_wait_for_a_thread_is_no_deadlock() -> None:
    """It will answer, at a time that no clock knows."""

    async def body() -> None:
        await trio.to_thread.run_sync(time.sleep, 0.3)

    assert sweep(body, moments=[]).runs == 1


def test_in_the_loop_of_the_caller() -> None:
    """What the caller has open lives on."""

    async def main() -> None:
        async with bm.sim.open_exchange(live=False) as exchange, exchange.open_spot() as spot:
            with pytest.raises(SweepFailure, match=r"to be cancelled at checkpoint 2 \(waiting\), and did not get"):
                await sweep_here(hangs_in_run(3, shielded))
            with pytest.raises(SweepFailure, match=r"was run undisturbed; it had not ended after 0\.2 s"):
                await interrupt_sweep_here(endless, limit=0.2)
            assert (await spot.system.time()).server_time

    trio.run(main, clock=MockClock(autojump_threshold=0))
