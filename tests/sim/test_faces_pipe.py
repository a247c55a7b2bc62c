"""The in-memory pipe: what it shares with TCP."""

from __future__ import annotations

import pytest
import trio
from trio.testing import assert_checkpoints, check_half_closeable_stream, wait_all_tasks_blocked

from bitmart_trio.sim.faces.pipe import Pipe, open_pipe


async def test_a_pipe_is_a_trio_stream() -> None:
    """Trio's own conformance test passes, with back-pressure."""

    async def roomy() -> tuple[Pipe, Pipe]:  # noqa: ASYNC124  # Trio's check wants async makers
        return open_pipe()

    async def full() -> tuple[Pipe, Pipe]:
        near, far = open_pipe(100)
        await near.send_all(b"x" * 100)
        await far.send_all(b"x" * 100)
        return near, far

    await check_half_closeable_stream(roomy, full)


async def test_a_sender_waits_for_a_reader_that_is_behind() -> None:
    """A full pipe holds its sender until somebody reads."""
    near, far = open_pipe(10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, b"x" * 25)
        await wait_all_tasks_blocked()
        assert far.readable
        received = b""
        while len(received) < 25:
            with assert_checkpoints():
                received += await far.receive_some()
    assert not far.readable


async def test_a_reset_loses_what_was_not_read() -> None:
    """The other side gets an error, not an end; our own side is closed."""
    near, far = open_pipe()
    await near.send_all(b"unread")
    near.reset()
    assert far.readable
    with pytest.raises(trio.BrokenResourceError):
        await far.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await far.send_all(b"x")
    with pytest.raises(trio.ClosedResourceError):
        await near.receive_some()


async def test_a_close_lets_the_other_side_read_to_the_end() -> None:
    """What was sent arrives, then the end; those who wait are woken."""
    near, far = open_pipe()
    await near.send_all(b"last words")
    await near.aclose()
    assert await far.receive_some() == b"last words"
    assert await far.receive_some() == b""


async def test_waiting_sides_notice_a_reset() -> None:
    """A receiver and a sender that wait are woken with an error."""
    near, far = open_pipe(1)

    async def receive() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await near.receive_some()

    async def send() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await near.send_all(b"xyz")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        far.reset()
