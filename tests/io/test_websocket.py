"""Using and closing a trio-websocket connection over the tap: every end comes in bounded time and says what it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_sizes import EXAMPLES
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream
from websocket_kit import CLOSE_SECONDS, Client, Peer, client_over, frame, scripted, served, shake

from bitmart_trio._core.frames import Message
from bitmart_trio._io.tap import TapStream
from bitmart_trio._io.websocket import close_socket, open_socket

# While it is open


async def test_messages_arrive_in_order() -> None:
    """Text and binary, small and large, handed over without a task in between."""
    async with served(ceiling=100_000) as (client, server):
        sent: list[str | bytes] = ["one", b"two", "é" * 40_000, b"", b"\x00" * 70_000, "six"]
        for message in sent:
            await server.send_message(message)
        await wait_all_tasks_blocked()
        expected = [(True, one) if isinstance(one, bytes) else (False, one.encode()) for one in sent]
        assert client.messages == expected
        assert client.passed == []


async def test_the_client_can_send() -> None:
    """Sending is trio-websocket's as ever."""
    async with served() as (client, server):
        await client.open.send_message("subscribe")
        assert await server.get_message() == "subscribe"


async def test_pings_are_answered_while_nobody_reads(autojump_clock: MockClock) -> None:
    """Messages between the pings never come in the way of the pongs, nor do half messages."""
    async with scripted() as (client, peer):
        await peer.say(frame(b"one") + frame(b"two") * 500)
        await peer.say(frame(b"ha", first=0x01) + frame(b"?", 9) + frame(b"lf", first=0x00))
        pong = bytes(await peer.stream.receive_some(1000))
        assert pong[:2] == b"\x8a\x81"
        assert len(client.messages) == 501
    async with served() as (client, server):
        for _ in range(20):
            await server.send_message("news")
            with trio.fail_after(1):
                await server.ping()
        assert len(client.messages) == 20


async def test_the_clients_own_pings_work() -> None:
    """Pongs reach trio-websocket."""
    async with served() as (client, _):
        await client.open.ping()


async def test_switched_off_messages_come_from_get_message() -> None:
    """The plain path: the same connection without the short cut."""
    async with served(active=False) as (client, server):
        for message in ("one", b"two"):
            await server.send_message(message)
        await wait_all_tasks_blocked()
        assert client.passed == ["one", b"two"]
        assert client.messages == []


async def test_a_message_too_large_for_the_tap_may_suit_trio_websocket() -> None:
    """It counts letters, not bytes. What it accepts, and all that follows, comes from ``get_message``."""
    async with served(ceiling=100) as (client, server):
        for message in ("one", "é" * 60, "three"):
            await server.send_message(message)
        await wait_all_tasks_blocked()
        assert client.messages == [(False, b"one")]
        assert client.passed == ["é" * 60, "three"]


# How it ends


async def test_the_server_closes() -> None:
    """The last messages come first, the code is told, and the answer goes out."""
    async with served() as (client, server):
        await server.send_message("last")
        await server.aclose(1001, "going away")
        await client.over.wait()
        assert client.end == 1001
        assert client.messages == [(False, b"last")]
        assert server.closed is not None


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("half", [b"", frame(b"half")[:3], frame(b"fragment", first=0x01)])
async def test_the_connection_drops(half: bytes, active: bool) -> None:
    """Between frames, in a frame, in a fragmented message: an abnormal end."""
    async with scripted(active=active) as (client, peer):
        await peer.say(frame(b"whole") + half)
        await peer.hang_up()
        await client.over.wait()
        assert client.end == 1006
        assert client.messages == ([(False, b"whole")] if active else [])


async def test_too_large_a_message_closes_the_connection() -> None:
    """With 1009, as the protocol has it."""
    async with scripted(ceiling=1000) as (client, peer):
        await peer.say(frame(b"fits") + frame(bytes(1001), 2))
        await client.over.wait()
        assert client.end == 1009
        assert client.messages == [(False, b"fits")]
        assert (await peer.stream.receive_some(1000))[0] == 0x88


async def test_fragments_above_the_ceiling_close_the_connection() -> None:
    """Held ones are passed on first, so trio-websocket can count them."""
    async with scripted(ceiling=1000) as (client, peer):
        await peer.say(frame(bytes(600), first=0x01))
        await peer.say(frame(bytes(600), first=0x00))
        await client.over.wait()
        assert client.end == 1009
        assert client.messages == []


async def test_a_malformed_frame_ends_it_and_nothing_is_forged() -> None:
    """What stands in and behind the frame is never taken for messages."""
    async with scripted() as (client, peer):
        await peer.say(frame(b"true") + b"\x81\x8f" + frame(b"forged") * 3)
        await peer.say(frame(b"forged"))
        await client.over.wait()
        assert client.end == 1002
        await wait_all_tasks_blocked()
        assert client.messages == [(False, b"true")]
        assert client.passed == []


async def test_a_failing_session_ends_it() -> None:
    """What ``deliver`` raises stays in the tap; no nursery sees it."""
    failure = ValueError("bug in the session")

    def fail(_: list[Message]) -> None:
        raise failure

    inner, outer = memory_stream_pair()
    client, peer = Client(TapStream(inner, fail, ceiling=1000), []), Peer(outer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shake, nursery, client)
        await peer.hear_request()
        await peer.say(peer.switch() + frame(b"one"))
        await wait_all_tasks_blocked()
        await client.listen()
        assert client.end == 1006
        assert client.tap.failure is failure
        await client.close()


@pytest.mark.proof
@settings(max_examples=EXAMPLES)
@given(data=st.data())
async def test_same_with_and_without_the_tap(data: st.DataObject) -> None:
    """Any script of a server: trio-websocket alone and behind the tap gives the same messages and the same end."""
    pieces = st.sampled_from(
        [
            frame(b"text"), frame("é€".encode() * 30), frame(b"binary" * 30, 2), frame(bytes(150), 2), frame(b"", 2),
            frame(b"?", 9), frame(b"first", first=0x01), frame(b"more", first=0x00), frame(b"last", first=0x80),
            frame(b"\x03\xe9bye", 8), b"\x81\x84abcdtext", frame(b"", first=0xC1), frame(b"", first=0x83),
        ]
    )  # fmt: skip
    too_large = frame(bytes(400), 2)  # only at the end: behind it trio-websocket may give one reason or the other
    script = b"".join(data.draw(st.lists(pieces, max_size=12))) + data.draw(st.sampled_from((b"", too_large)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(script)), max_size=5)))
    results: list[tuple[list[str | bytes], object]] = []
    for active in (True, False):
        async with scripted(ceiling=200, active=active) as (client, peer):
            with suppress(trio.BrokenResourceError):  # too large a message has made the client hang up
                for one, two in zip([0, *cuts], [*cuts, len(script)], strict=True):
                    await peer.say(script[one:two])
                    await wait_all_tasks_blocked()
            await peer.hang_up()
            await client.over.wait()
            taken = [payload if binary else payload.decode() for binary, payload in client.messages]
            results.append((taken + client.passed, client.end))
    assert results[0] == results[1]


# Closing


async def test_closing_is_polite_and_quick(autojump_clock: MockClock) -> None:
    """Close frames go both ways, and no time passes. Once more does no harm."""
    async with served() as (client, server):
        start = trio.current_time()
        await client.close()
        await client.close()
        assert trio.current_time() == start
        assert server.closed is not None
        assert server.closed.code == 1000
        await client.over.wait()


@pytest.mark.parametrize("flood", [True, False])
async def test_a_peer_that_does_not_answer_the_close(flood: bool, autojump_clock: MockClock) -> None:
    """It is given the seconds, then the stream is cut; a flood of messages changes nothing."""

    async def spam(peer: Peer) -> None:
        await trio.lowlevel.checkpoint()
        with suppress(trio.BrokenResourceError):
            while True:
                await peer.say(frame(b"spam") * 100)
                await trio.sleep(0.1)

    async with trio.open_nursery() as nursery, scripted() as (client, peer):
        if flood:
            nursery.start_soon(spam, peer)
        start = trio.current_time()
        await client.close()
        assert trio.current_time() == start + CLOSE_SECONDS
        received = bytearray()
        while data := await peer.stream.receive_some(1000):
            received += data
        assert received[0] == 0x88


async def test_a_peer_that_does_not_even_read(autojump_clock: MockClock) -> None:
    """The close frame cannot be sent: the same deadline holds."""
    inner, outer = lockstep_stream_pair()
    client, peer = client_over(inner), Peer(outer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shake, nursery, client)
        await peer.hear_request()
        await peer.say(peer.switch())
        await wait_all_tasks_blocked()
        start = trio.current_time()
        await client.close()
        assert trio.current_time() == start + CLOSE_SECONDS


@pytest.mark.parametrize("active", [True, False])
async def test_a_cancelled_client_still_closes_politely_and_at_once(active: bool, autojump_clock: MockClock) -> None:
    """The reader outlives the cancellation just as long as the close needs it."""
    inner, outer = memory_stream_pair()
    client = client_over(inner, active=active)
    async with trio.open_nursery() as outside:
        servers: list[WebSocketConnection] = []

        async def serve() -> None:
            request = await wrap_server_stream(outside, outer)
            servers.append(await request.accept())

        outside.start_soon(serve)
        with trio.move_on_after(7) as scope:
            async with trio.open_nursery() as nursery:
                await shake(nursery, client)
                nursery.start_soon(client.listen)
                async with AsyncExitStack() as stack:
                    stack.push_async_callback(client.close)
                    await trio.sleep_forever()
        assert scope.cancelled_caught
        assert trio.current_time() == 7
        await wait_all_tasks_blocked()
        assert servers[0].closed is not None
        assert servers[0].closed.code == 1000


async def test_a_cancelled_client_that_forgets_to_close(autojump_clock: MockClock) -> None:
    """The connection is cut after the seconds of a close: nothing outlives its nursery, and nothing stays open."""
    inner, outer = memory_stream_pair()
    client, peer = client_over(inner), Peer(outer)
    with trio.move_on_after(7):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shake, nursery, client)
            await peer.hear_request()
            await peer.say(peer.switch())
    assert trio.current_time() == 7 + CLOSE_SECONDS
    assert await outer.receive_some(1000) == b""


class Watched(trio.abc.ReceiveStream):
    """A stream that tells when it is about to be read for the second time."""

    def __init__(self, inner: trio.abc.ReceiveStream, tell: Callable[[], None]) -> None:
        self.inner = inner
        self.tell = tell
        self.reads = 0

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        self.reads += 1
        if self.reads == 2:
            self.tell()
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.inner.aclose()


async def test_a_deadline_in_the_moment_of_success(autojump_clock: MockClock) -> None:
    """Cancelled when the handshake has been read but the opener has not run: nothing lingers, nothing stays open."""
    one, outer = memory_stream_pair()
    scope = trio.CancelScope()
    inner = trio.StapledStream(one.send_stream, Watched(one.receive_stream, scope.cancel))
    client, peer = client_over(inner), Peer(outer)
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with scope:
                await shake(nursery, client)

        nursery.start_soon(run)
        await peer.hear_request()
        await peer.say(peer.switch())
    assert trio.current_time() == 0
    assert scope.cancelled_caught
    assert await outer.receive_some(1000) == b""


async def test_a_ping_while_closing_hurts_nobody(autojump_clock: MockClock) -> None:
    """It crashes trio-websocket's reader (issue 184): the close ends there and then, and no nursery hears of it."""
    async with scripted() as (client, peer):
        async with trio.open_nursery() as nursery:
            start = trio.current_time()
            nursery.start_soon(client.close)
            await wait_all_tasks_blocked()
            await peer.say(frame(b"?", 9))
        assert trio.current_time() == start


async def test_closing_after_the_peer_has_closed_cuts_the_stream(autojump_clock: MockClock) -> None:
    """trio-websocket's aclose() does nothing then, and the server may wait for us to go."""
    async with scripted() as (client, peer):
        await peer.say(frame(b"\x03\xe9", 8))
        await client.over.wait()
        await client.close()
        assert trio.current_time() == 0
        answer = b""
        while data := await peer.stream.receive_some(1000):
            answer += data
        assert answer[0] == 0x88


async def test_a_full_turn_on_a_real_socket() -> None:
    """Over TCP on loopback, by the real clock: handshake, messages, a ping, a polite close."""
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

        async def serve(stream: trio.SocketStream) -> None:
            async with trio.open_nursery() as inner:
                server = await (await wrap_server_stream(inner, stream)).accept()
                for index in range(1000):
                    await server.send_message(f"message {index}")
                await server.ping()
                with pytest.raises(ConnectionClosed):
                    await server.get_message()

        nursery.start_soon(trio.serve_listeners, serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        arrived = trio.Event()

        def deliver(batch: list[Message]) -> None:
            batches.append(batch)
            if batch[-1] == (False, b"message 999"):
                arrived.set()

        batches: list[list[Message]] = []
        tap = TapStream(await trio.open_tcp_stream("127.0.0.1", port), deliver, ceiling=1000)
        connection = await open_socket(nursery, tap, f"127.0.0.1:{port}", "/", headers={}, close_seconds=CLOSE_SECONDS)
        with trio.fail_after(30):
            await arrived.wait()
            await connection.ping()
            await close_socket(connection, tap, CLOSE_SECONDS)
        arrivals = [payload for batch in batches for _, payload in batch]
        assert arrivals == [b"message %d" % index for index in range(1000)]
        nursery.cancel_scope.cancel()
