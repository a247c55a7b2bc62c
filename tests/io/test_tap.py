"""The tap as a stream: what it hands over, what it passes on, and how it ends."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MemoryReceiveStream, MockClock, assert_checkpoints, check_two_way_stream, memory_stream_pair

from bitmart_trio._core.frames import Message
from bitmart_trio._io.tap import READ_BYTES, TapStream

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PING = b"\x89\x01?"
CLOSE = b"\x88\x02\x03\xe8"


def text(payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes([0x81, len(payload)]) + payload


class Bench:
    """A tap, the server's end of its stream, and the batches that were handed over."""

    def __init__(self, *, ceiling: int = 1000, active: bool = True) -> None:
        self.inner, self.server = memory_stream_pair()
        self.batches: list[list[Message]] = []
        self.passed = b""
        self.error: Exception | None = None
        self.tap = TapStream(self.inner, self.deliver, ceiling=ceiling, active=active)

    def deliver(self, batch: list[Message]) -> None:
        self.batches.append(batch)
        if self.error is not None:
            raise self.error

    async def past_handshake(self) -> Bench:
        await self.server.send_all(SWITCH)
        assert await self.tap.receive_some(READ_BYTES) == SWITCH
        return self

    async def drain(self) -> bytes:
        """Everything that is passed on until the end."""
        while data := await self.tap.receive_some(READ_BYTES):
            self.passed += data
        return self.passed


async def test_messages_are_handed_over_and_the_rest_is_passed_on() -> None:
    """One read is one batch; a read of messages alone wakes nobody, for b"" would mean the end."""
    bench = await Bench().past_handshake()
    async with trio.open_nursery() as nursery:
        got: list[bytes] = []

        async def read() -> None:
            got.append(bytes(await bench.tap.receive_some(READ_BYTES)))

        nursery.start_soon(read)
        await bench.server.send_all(text(b"one") + text(b"two"))
        await trio.testing.wait_all_tasks_blocked()
        assert bench.batches == [[(False, b"one"), (False, b"two")]]
        assert got == []
        await bench.server.send_all(text(b"three") + PING)
    assert got == [PING]
    assert bench.batches[1:] == [[(False, b"three")]]


async def test_frames_that_came_with_the_head_wait_for_the_next_call() -> None:
    """Until then the head has not been looked at: a forged handshake delivers nothing."""
    bench = Bench()
    await bench.server.send_all(SWITCH + text(b"early") + PING)
    assert await bench.tap.receive_some(READ_BYTES) == SWITCH
    assert bench.batches == []
    with assert_checkpoints():
        assert await bench.tap.receive_some(READ_BYTES) == PING
    assert bench.batches == [[(False, b"early")]]


async def test_a_cancelled_call_loses_nothing() -> None:
    """Neither frames that wait behind the head nor bytes that were not asked for."""
    bench = Bench()
    await bench.server.send_all(SWITCH + text(b"early") + PING)
    await bench.server.aclose()
    await bench.tap.receive_some(READ_BYTES)
    for _ in range(3):
        with trio.CancelScope() as scope:
            scope.cancel()
            await bench.tap.receive_some(READ_BYTES)
        assert scope.cancelled_caught
    assert await bench.drain() == PING
    assert bench.batches == [[(False, b"early")]]


async def test_no_more_is_returned_than_was_asked_for() -> None:
    """As a stream promises, though held fragments may come out all at once."""
    bench = await Bench().past_handshake()
    held = b"\x01\x05hello" + b"\x00\x05there"
    await bench.server.send_all(held + CLOSE + b"behind")
    await bench.server.aclose()
    pieces: list[bytes] = []
    while data := await bench.tap.receive_some(4):
        pieces.append(bytes(data))
    assert b"".join(pieces) == held + CLOSE + b"behind"
    assert max(map(len, pieces)) == 4
    assert bench.batches == []


async def test_after_a_close_frame_it_is_a_plain_pipe() -> None:
    """Nothing is handed over behind it."""
    bench = await Bench().past_handshake()
    await bench.server.send_all(text(b"last") + CLOSE)
    assert await bench.tap.receive_some(READ_BYTES) == CLOSE
    assert bench.tap.plain
    await bench.server.send_all(text(b"too late"))
    assert await bench.tap.receive_some(READ_BYTES) == text(b"too late")
    assert bench.batches == [[(False, b"last")]]


async def test_a_refusal_is_passed_on_as_it_is() -> None:
    """Also a body that looks like frames."""
    bench = Bench()
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n" + text(b"body")
    passed = b""
    for at, byte in enumerate(refusal):
        await bench.server.send_all(bytes([byte]))
        if at >= len("HTTP/1.1 403"):  # until then it may be an interim reply
            passed += await bench.tap.receive_some(READ_BYTES)
    assert passed == refusal
    assert bench.batches == []
    assert bench.tap.answer.startswith("HTTP/1.1 403 Forbidden")
    await bench.tap.aclose()


async def test_an_endless_refusal_is_cut_off() -> None:
    """trio-websocket would collect it for ever."""
    bench = Bench()
    await bench.server.send_all(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n" + bytes(1_000_000))
    with pytest.raises(trio.BrokenResourceError, match="too long an answer"):
        await bench.drain()
    assert bench.tap.ended.is_set()


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("sent", [b"", b"HT", SWITCH[:20], SWITCH[:-1], b"HTTP/1.1 403 Forbidden\r\n\r\nbody"])
async def test_an_end_within_the_handshake_is_an_error(sent: bytes, active: bool) -> None:
    """trio-websocket would wait for ever after a tidy one; switched off, the tap guards it all the same."""
    bench = Bench(active=active)
    await bench.server.send_all(sent)
    await bench.server.aclose()
    with pytest.raises(trio.BrokenResourceError, match="during the WebSocket handshake"):
        await bench.drain()
    assert bench.passed == (b"" if sent == b"HT" else sent)  # what may yet be an interim reply is held back
    assert bench.tap.ended.is_set()


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("sent", [b"", text(b"half a frame")[:5], b"\x01\x01a" + b"\x00\x05b"])
async def test_an_end_behind_the_handshake_is_an_end(sent: bytes, active: bool) -> None:
    """Also in the middle of a frame or of fragments: b"", and as often as one asks."""
    bench = await Bench(active=active).past_handshake()
    await bench.server.send_all(sent)
    await bench.server.aclose()
    assert await bench.drain() == (b"" if active else sent)
    assert bench.tap.ended.is_set()
    assert bench.tap.broken is None
    assert await bench.tap.receive_some(READ_BYTES) == b""


async def test_what_deliver_raises_is_kept_and_breaks_the_stream() -> None:
    """It does not pass through trio-websocket, which swallows some exceptions; there is no going on after it."""
    bench = await Bench().past_handshake()
    bench.error = KeyError("bug")
    await bench.server.send_all(text(b"one"))
    for _ in range(2):
        with assert_checkpoints(), pytest.raises(trio.BrokenResourceError) as caught:
            await bench.tap.receive_some(READ_BYTES)
        assert caught.value.__cause__ is bench.error
        await bench.server.send_all(text(b"two"))
    assert bench.tap.failure is bench.error
    assert bench.tap.ended.is_set()
    assert len(bench.batches) == 1


async def test_switched_off_it_hands_over_nothing() -> None:
    """All frames are passed on as they came."""
    bench = await Bench(active=False).past_handshake()
    assert bench.tap.plain
    await bench.server.send_all(text(b"one") + PING)
    await bench.server.aclose()
    assert await bench.drain() == text(b"one") + PING
    assert bench.batches == []


async def test_the_time_of_the_last_bytes_is_noted(autojump_clock: MockClock) -> None:
    """Messages, pings and half frames all count as signs of life; nothing else does."""
    bench = await Bench().past_handshake()
    for piece in (text(b"one") + PING, text(b"two")[:2], PING):
        await trio.sleep(5)
        sent = trio.current_time()
        await bench.server.send_all(piece)
        with trio.move_on_after(1):
            while True:
                await bench.tap.receive_some(READ_BYTES)
        assert bench.tap.last_received == sent


async def test_failures_below_are_noted_and_passed_up() -> None:
    """Reading and sending; the first of them is kept."""
    bench = await Bench().past_handshake()
    assert isinstance(bench.inner.receive_stream, MemoryReceiveStream)
    bench.server.receive_stream.close()
    with pytest.raises(trio.BrokenResourceError) as first:
        await bench.tap.send_all(b"hello")
    assert bench.tap.broken is first.value
    assert bench.tap.ended.is_set()
    bench.inner.receive_stream.close()
    with pytest.raises(trio.ClosedResourceError):
        await bench.tap.receive_some(READ_BYTES)
    assert bench.tap.broken is first.value


async def test_closing_closes_the_stream_below() -> None:
    """At once, also by force, and as often as one likes."""
    for close in (TapStream.aclose, trio.aclose_forcefully):
        bench = await Bench().past_handshake()
        await close(bench.tap)
        await close(bench.tap)
        assert bench.tap.ended.is_set()
        assert await bench.server.receive_some(1) == b""
        with pytest.raises(trio.ClosedResourceError):
            await bench.tap.receive_some(READ_BYTES)


async def test_it_keeps_the_rules_of_a_stream() -> None:
    """Trio's own conformance test, with the taps of two plain pipes as the ends."""

    async def make() -> tuple[TapStream, TapStream]:
        one, two = memory_stream_pair()
        taps: list[TapStream] = []
        for inner, peer in ((one, two), (two, one)):
            tap = TapStream(inner, lambda _: None, ceiling=1000, active=False)
            await peer.send_all(SWITCH)
            await tap.receive_some(READ_BYTES)
            taps.append(tap)
        return taps[0], taps[1]

    await check_two_way_stream(make, None)
