"""The sweep finds what a cancellation leaves behind, says where it was, and finds nothing where nothing is."""

from __future__ import annotations

import gc
import io
import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

import bitmart_trio as bm
from bitmart_trio.testing import SweepFailure, _census, sweep, sweep_here

kept: list[object] = []
"""What keeps a leak alive, as a forgotten reference in a program would."""


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    for item in kept:
        if isinstance(item, socket.socket | tempfile._TemporaryFileWrapper | io.IOBase):
            item.close()
    kept.clear()


async def three() -> None:
    """Three checkpoints and nothing to leave."""
    await trio.sleep(1)
    await trio.lowlevel.checkpoint()
    await trio.sleep(1)


@asynccontextmanager
async def nursery_around() -> AsyncGenerator[trio.Nursery, None]:
    """Something that lives longer than the body and can hold what it leaves."""
    async with trio.open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


# ---- what it counts ------------------------------------------------------------------------------------------------


def test_every_checkpoint_has_its_turn() -> None:
    """Undisturbed, cancelled while it waits at 1, 2, 3, as it goes on from 0, 1, 2, 3, and once more after each."""
    report = sweep(three)
    assert report.checkpoints == 3
    assert report.runs == 1 + (3 + 1) + (4 + 1)
    assert [place.function for place in report.places] == ["three", "three", "three"]
    assert "trio.sleep(1)" in str(report.places[0])
    assert report.places[0].line + 1 == report.places[1].line


def test_it_is_cancelled_there_and_nowhere_else() -> None:
    """What the body has done when it is cancelled grows by one step from run to run."""
    reached: list[int] = []

    async def body() -> None:
        step = 0
        try:
            for step in range(4):  # noqa: B007  # looked at when it is over
                await trio.sleep(1)
            step = 4
        finally:
            reached.append(step)

    assert sweep(body, moments=["waiting"]).checkpoints == 4
    assert reached == [4, 0, 1, 2, 3, 4]
    reached.clear()
    sweep(body, moments=["resuming"])
    assert reached == [4, 0, 0, 1, 2, 3, 4], "a sleep that is over still notices"


def test_a_body_without_a_checkpoint() -> None:
    """It is struck before it begins, and that is all."""

    async def body() -> None:
        pass

    assert sweep(body).checkpoints == 0


def test_a_cancellation_that_is_shielded_off_does_not_end_the_sweep() -> None:
    """Checkpoints behind a shield are swept, and those that follow them."""

    async def body() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
            await trio.sleep(1)
        await trio.sleep(1)

    assert sweep(body).runs == 10


@pytest.mark.parametrize(("counted", "checkpoints"), [("task", 1), ("subtree", 2), ("all", 3)])
def test_checkpoints_of_other_tasks(counted: str, checkpoints: int) -> None:
    """Only the body's own, those of tasks that it started too, or those of all tasks."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[None, None]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 0.5)
            yield

    async def body(_: None) -> None:
        async with trio.open_nursery() as nursery:  # noqa: ASYNC112  # a second task is the point
            nursery.start_soon(trio.sleep, 1)

    report = sweep(body, around=around, counted=counted)  # type: ignore[call-overload]
    assert report.checkpoints == checkpoints


def test_what_around_yields_is_handed_on() -> None:
    """To the body and to the invariants; and its end is reached after each run."""
    ends: list[int] = []

    @asynccontextmanager
    async def around() -> AsyncGenerator[list[int], None]:
        numbers = [0]
        yield numbers
        await trio.sleep(1)
        ends.extend(numbers)

    async def body(numbers: list[int]) -> None:
        await trio.sleep(1)
        numbers[0] += 1

    async def holds(numbers: list[int]) -> None:
        await trio.sleep(1)
        assert numbers[0] in (0, 1)

    report = sweep(body, around=around, invariants=[holds])
    assert len(ends) == report.runs


# ---- each kind of leak ---------------------------------------------------------------------------------------------


async def _leaky_task(nursery: trio.Nursery) -> None:
    done = trio.Event()
    nursery.start_soon(done.wait, name="forgotten")
    await trio.sleep(1)
    done.set()


async def _leaky_socket(_: trio.Nursery) -> None:
    one, other = socket.socketpair()
    kept.append(one)
    await trio.sleep(1)
    one.close()
    other.close()


async def _leaky_file(_: trio.Nursery) -> None:
    file = tempfile.TemporaryFile()  # noqa: SIM115, ASYNC230
    kept.append(file)
    await trio.sleep(1)
    file.close()


async def _leaky_channel(_: trio.Nursery) -> None:
    send, receive = trio.open_memory_channel[int](0)
    kept.append(send)
    await trio.sleep(1)
    send.close()
    receive.close()


async def _leaky_stream(_: trio.Nursery) -> None:
    one, other = memory_stream_pair()
    kept.append(one)
    await trio.sleep(1)
    await one.aclose()
    await other.aclose()


async def _leaky_lock(_: trio.Nursery) -> None:
    lock = trio.Lock()
    kept.append(lock)
    await lock.acquire()
    await trio.sleep(1)
    lock.release()


async def _leaky_slot(_: trio.Nursery) -> None:
    limiter = trio.CapacityLimiter(3)
    kept.append(limiter)
    await limiter.acquire_on_behalf_of(object())
    await limiter.acquire_on_behalf_of(borrower := object())
    limiter.release_on_behalf_of(borrower)
    await trio.sleep(1)
    kept.clear()


async def _leaky_semaphore(_: trio.Nursery) -> None:
    semaphore = trio.Semaphore(1, max_value=1)
    kept.append(semaphore)
    await semaphore.acquire()
    await trio.sleep(1)
    semaphore.release()


async def _leaky_generator(_: trio.Nursery) -> None:
    async def numbers() -> AsyncGenerator[int, None]:  # noqa: ASYNC124, ASYNC900  # forgotten half-way on purpose
        yield 1

    generator = numbers()
    kept.append(generator)
    await anext(generator)
    await trio.sleep(1)
    await generator.aclose()


async def _dropped_socket(_: trio.Nursery) -> None:
    one, other = socket.socketpair()
    await trio.sleep(1)
    one.close()
    other.close()


async def _never_awaited(_: trio.Nursery) -> None:
    coroutine = trio.sleep(1)  # noqa: ASYNC105
    await trio.sleep(1)
    await coroutine


LEAKS: list[tuple[Callable[[trio.Nursery], Awaitable[None]], str]] = [
    (_leaky_task, "task: forgotten"),
    (_leaky_socket, "socket: "),
    (_leaky_file, "file: "),
    (_leaky_channel, "channel: an open MemorySendChannel"),
    (_leaky_stream, "stream: an open MemorySendStream"),
    (_leaky_lock, "lock: a Lock held by "),
    (_leaky_slot, "slot: a token of a CapacityLimiter"),
    (_leaky_semaphore, "slot: a token of a Semaphore"),
    (_leaky_generator, "generator: _leaky_generator.<locals>.numbers"),
    (_dropped_socket, "warning: unclosed <socket"),
    (_never_awaited, "warning: coroutine 'sleep' was never awaited"),
]


@pytest.mark.parametrize(("body", "what"), LEAKS, ids=[body.__name__ for body, _ in LEAKS])
def test_what_is_left_is_found(body: Callable[[trio.Nursery], Awaitable[None]], what: str) -> None:
    """Each of these cleans up unless it is cancelled where it waits."""
    with pytest.raises(SweepFailure) as caught:
        sweep(body, around=nursery_around)
    assert any(what in line for line in caught.value.left)
    assert f"in {body.__name__}: await " in str(caught.value)
    assert caught.value.stack[-1].function == body.__name__


@pytest.mark.parametrize(("body", "what"), LEAKS, ids=[body.__name__ for body, _ in LEAKS])
async def test_what_is_left_is_found_in_a_loop_that_goes_on(
    body: Callable[[trio.Nursery], Awaitable[None]], what: str, autojump_clock: MockClock
) -> None:
    """The same by `sweep_here`."""
    async with trio.open_nursery() as nursery:
        with pytest.raises(SweepFailure) as caught:
            await sweep_here(partial(body, nursery))
        nursery.cancel_scope.cancel()
    assert any(what in line for line in caught.value.left)


def test_what_always_stays_is_found_when_all_is_closed() -> None:
    """A body that cleans up in no run, not even undisturbed."""

    async def body() -> None:
        kept.append(trio.open_memory_channel[int](0))
        await trio.sleep(1)

    with pytest.raises(SweepFailure, match="ran through undisturbed; left behind when all was closed"):
        sweep(body)


def test_what_an_undisturbed_run_leaves_may_be_left() -> None:
    """A connection that is kept for the next call, say."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[list[trio.abc.AsyncResource], None]:
        pool: list[trio.abc.AsyncResource] = []
        yield pool
        for item in pool:
            await item.aclose()

    async def body(pool: list[trio.abc.AsyncResource]) -> None:
        pool.extend(trio.open_memory_channel[int](0))
        await trio.sleep(1)

    assert sweep(body, around=around).checkpoints == 1


def test_what_goes_away_in_time_may_stay_a_while() -> None:
    """A farewell of ten seconds is fine with thirty seconds' grace, and not with five."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[trio.Nursery, None]:
        async with trio.open_nursery() as nursery:
            yield nursery

    async def body(nursery: trio.Nursery) -> None:
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            nursery.start_soon(trio.sleep, 10)
            raise

    sweep(body, around=around)
    with pytest.raises(SweepFailure, match=r"task: trio\.sleep"):
        sweep(body, around=around, grace=5)


def test_kinds_can_be_left_out() -> None:
    """Who hands a channel to somebody else says so."""

    async def body() -> None:
        kept.append(trio.open_memory_channel[int](0))
        await trio.sleep(1)

    assert sweep(body, ignore=["channel"]).checkpoints == 1


# ---- other failures ------------------------------------------------------------------------------------------------


def test_a_failure_can_be_repeated_alone() -> None:
    """It names number and moment; with them only that run is made."""
    runs: list[str] = []

    async def body() -> None:
        runs.append("")
        await trio.sleep(1)
        await trio.sleep(2)
        lock = trio.Lock()
        kept[:] = [lock]
        async with lock:
            await trio.sleep(3)
        await trio.sleep(4)

    async def bad() -> None:
        runs.append("")
        await trio.sleep(1)
        lock = trio.Lock()
        kept[:] = [lock]
        await lock.acquire()
        await trio.sleep(3)
        lock.release()

    sweep(body)
    runs.clear()
    with pytest.raises(SweepFailure) as caught:
        sweep(bad, seed=5)
    assert (caught.value.checkpoint, caught.value.moment) == (2, "waiting")
    assert "again: sweep(..., only=2, moments=['waiting'], seed=5)" in str(caught.value)
    assert len(runs) == 3
    runs.clear()
    with pytest.raises(SweepFailure, match="at checkpoint 2 "):
        sweep(bad, only=2, moments=["waiting"], seed=5)
    assert len(runs) == 2
    assert sweep(bad, only=1, moments=["waiting"]).runs == 2
    with pytest.raises(ValueError, match="there are 3 checkpoints"):
        sweep(bad, only=9)


def test_an_invariant_that_does_not_hold() -> None:
    """Its own error is the cause."""
    money = [0]

    async def body() -> None:
        money[0] -= 1
        await trio.sleep(1)
        money[0] += 1

    def kept_together() -> None:
        assert money[0] == 0, "money is missing"

    with pytest.raises(SweepFailure, match="kept_together does not hold: AssertionError: money is missing") as caught:
        sweep(body, invariants=[kept_together], moments=["waiting"])
    assert isinstance(caught.value.__cause__, AssertionError)


def test_what_is_behind_the_yield_counts_as_a_check() -> None:
    """An error there is a failure that names the checkpoint, too."""
    done: list[int] = []

    @asynccontextmanager
    async def around() -> AsyncGenerator[None, None]:
        done.clear()
        async with trio.open_nursery():
            yield
            assert done == [1]

    async def body(_: None) -> None:
        await trio.sleep(1)
        done.append(1)

    with pytest.raises(SweepFailure, match=r"at checkpoint 1 \(waiting\); what is around it failed"):
        sweep(body, around=around)


def test_another_error_instead_of_the_cancellation() -> None:
    """A failure, unless it is expected; alone or in a group."""

    async def body() -> None:
        try:
            await trio.sleep(1)
        except trio.Cancelled:
            raise LookupError("what now?") from None  # noqa: ASYNC104

    async def group() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(body)
            await trio.sleep(1)

    with pytest.raises(SweepFailure, match=r"ended with LookupError: what now\?"):
        sweep(body)
    with pytest.raises(SweepFailure, match="ended with ExceptionGroup"):
        sweep(group)
    assert sweep(body, expected=(LookupError,)).checkpoints == 1
    assert sweep(group, expected=(LookupError,)).checkpoints == 2


def test_an_error_without_any_disturbance_is_the_bodys_own() -> None:
    """It leaves as it is."""

    async def body() -> None:
        await trio.sleep(1)
        raise LookupError

    with pytest.raises(LookupError):
        sweep(body)


def test_a_body_that_does_not_end_behind_a_shield() -> None:
    """It is freed and reported, with the line that it waits on."""

    async def body() -> None:
        try:
            await trio.sleep(1)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(100)

    with pytest.raises(SweepFailure, match=r"had not ended 30 s later.*trio\.sleep\(100\)"):
        sweep(body)


def test_a_body_that_swallows_its_cancellation_for_ever() -> None:
    """It is interrupted and reported."""

    async def body() -> None:
        for _ in range(3):
            await trio.sleep(1)
        for _ in range(10**9):
            try:
                await trio.sleep(1)
            except trio.Cancelled:  # noqa: ASYNC103  # the mistake that is looked for
                continue  # noqa: ASYNC104
            else:
                return

    with pytest.raises(SweepFailure, match="or spins"):
        sweep(body)


def test_a_body_with_too_many_checkpoints() -> None:
    """The guard says so."""

    async def body() -> None:
        for _ in range(20):
            await trio.sleep(1)

    with pytest.raises(SweepFailure, match="not through after 10 checkpoints"):
        sweep(body, most=10)


# ---- fixtures, the same again ------------------------------------------------------------------------------


async def test_resources_of_the_callers_own_loop(autojump_clock: MockClock) -> None:
    """`sweep_here` uses what is open already, and sees what is lost of it."""
    limiter = trio.CapacityLimiter(5)

    async def good() -> None:
        async with limiter:
            await trio.sleep(1)

    async def bad() -> None:
        borrower = object()
        await limiter.acquire_on_behalf_of(borrower)
        await trio.sleep(1)
        limiter.release_on_behalf_of(borrower)

    report = await sweep_here(good)
    assert (report.checkpoints, report.seed) == (2, None)
    with pytest.raises(SweepFailure, match="1 x slot: a token of a CapacityLimiter"):
        await sweep_here(bad)
    with pytest.raises(ValueError, match="none has number 7"):
        await sweep_here(good, only=7)


def test_the_same_seed_gives_the_same_sweep() -> None:
    """Places and numbers repeat, with tasks that race."""

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            for delay in range(5):
                nursery.start_soon(trio.sleep, delay % 2)

    reports = [sweep(body, counted="subtree", seed=3) for _ in range(2)]
    assert reports[0] == reports[1]


def test_with_real_sockets() -> None:
    """On the real clock, over loopback."""

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port = listener.socket.getsockname()[1]

            async def echo(stream: trio.SocketStream) -> None:
                async for chunk in stream:
                    await stream.send_all(chunk)

            async with listener:
                nursery.start_soon(trio.serve_listeners, echo, [listener])
                async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
                    await stream.send_all(b"hello")
                    assert await stream.receive_some() == b"hello"
                nursery.cancel_scope.cancel()

    assert sweep(body, real_time=True, grace=5).checkpoints > 3


async def test_one_sweep_after_another(autojump_clock: MockClock) -> None:
    """What a program opened before, or during, an earlier sweep is looked at by the next one all the same."""
    frozen = gc.get_freeze_count()  # by conftest.py: without it all later sweeps would look through thousands of tests
    gc.collect()
    gc.freeze()  # as a program may do for its own reasons; then nothing is unfrozen between the sweeps
    try:
        limiters = [trio.CapacityLimiter(5)]

        async def good() -> None:
            limiters.append(trio.CapacityLimiter(5))
            await trio.sleep(1)

        async def bad() -> None:
            borrower = object()
            await limiters[place].acquire_on_behalf_of(borrower)
            await trio.sleep(1)
            limiters[place].release_on_behalf_of(borrower)

        await sweep_here(good)
        await sweep_here(good)
        for place in (0, 1, -1):  # noqa: B007  # the body looks at it
            with pytest.raises(SweepFailure, match="1 x slot"):
                await sweep_here(bad)
    finally:
        if not frozen:
            gc.unfreeze()


def test_the_classes_that_are_looked_for_exist() -> None:
    """They are known by name; a renamed one would be overlooked in silence."""
    for name in _census._BY_NAME:
        if name != "builtins.async_generator":
            module, _, kind = name.rpartition(".")
            assert isinstance(getattr(import_module(module), kind), type)


async def test_idle_connections_are_no_leak(autojump_clock: MockClock) -> None:
    """How many a client keeps for its next calls is chance; one that is stuck is found as before."""
    async with bm.sim.open_exchange(live=False) as exchange, exchange.open_client() as client:

        async def body() -> None:
            try:
                await client.spot.system.time()
                await trio.sleep(1)
            except trio.Cancelled:
                with trio.move_on_after(5, shield=True):
                    async with trio.open_nursery() as nursery:
                        for _ in range(3):
                            nursery.start_soon(client.spot.system.time)
                raise

        await sweep_here(body)

        async def stuck() -> None:
            stream = await exchange.connect(exchange.environment.rest_url("spot"))
            await client.spot.system.time()
            await stream.aclose()

        with pytest.raises(SweepFailure, match=r"\d x stream: an open bitmart_trio\.sim\.faces\.pipe\.Pipe"):
            await sweep_here(stuck)
