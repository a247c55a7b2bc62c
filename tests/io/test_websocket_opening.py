"""A WebSocket handshake that fails: always `ConnectionLost` with the reason, at once, and nothing is left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import ConnectionRejected
from websocket_kit import Client, Peer, client_over, frame, shake

from bitmart_trio._io.websocket import open_socket
from bitmart_trio.errors import ConnectionLost


@attrs.define
class Attempt:
    """A handshake that is under way."""

    client: Client
    peer: Peer
    error: ConnectionLost | None = None


@asynccontextmanager
async def attempt(*, active: bool = True) -> AsyncIterator[Attempt]:
    """Opens against a scripted server that has heard the request; the attempt must then fail, at once."""
    inner, outer = memory_stream_pair()
    trial = Attempt(client_over(inner, active=active), Peer(outer))

    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with pytest.raises(ConnectionLost) as caught:
                await shake(nursery, trial.client)
            trial.error = caught.value

        nursery.start_soon(run)
        await trial.peer.hear_request()
        yield trial
        await wait_all_tasks_blocked()
        assert trial.error is not None, "still waiting"
        assert trial.client.messages == []
        # Nothing is left behind: no task in the nursery, no open stream.
        assert not nursery.child_tasks
        with pytest.raises(trio.ClosedResourceError):
            await inner.send_all(b"x")


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1", b"HTTP/1.1 101 Switching\r\n", b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"]
)
async def test_the_server_hangs_up_within_the_handshake(sent: bytes, active: bool) -> None:
    """Before the reply, in the status line, in the headers."""
    async with attempt(active=active) as trial:
        await trial.peer.say(sent)
        await trial.peer.hang_up()
    assert "ended during the WebSocket handshake" in str(trial.error)
    assert sent.split(b"\r\n")[0].decode() in str(trial.error)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Content-Length: 16\r\n", b"error code: 1010"),
        (b"Transfer-Encoding: chunked\r\n", b"10\r\nerror code: 1010\r\n0\r\n\r\n"),
    ],
)
async def test_a_refusal_says_why(headers: bytes, body: bytes, active: bool) -> None:
    """Status and body, though each byte comes by itself."""
    async with attempt(active=active) as trial:
        for byte in b"HTTP/1.1 403 Forbidden\r\n" + headers + b"\r\n" + body:
            await trial.peer.say(bytes([byte]))
    assert str(trial.error) == "the server refused the WebSocket: HTTP 403: error code: 1010"
    assert trial.error is not None
    assert isinstance(trial.error.__cause__, ConnectionRejected)


async def test_a_refusal_without_body() -> None:
    """The status alone."""
    async with attempt() as trial:
        await trial.peer.say(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
    assert str(trial.error) == "the server refused the WebSocket: HTTP 429"


async def test_a_refusal_that_ends_with_the_connection() -> None:
    """A body without length: trio-websocket alone would wait for ever."""
    async with attempt() as trial:
        await trial.peer.say(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nback soon")
        await trial.peer.hang_up()
    assert "HTTP/1.1 503 Service Unavailable: back soon" in str(trial.error)


async def test_a_refusal_without_end() -> None:
    """It is cut off after some 64 KiB."""
    async with attempt() as trial:
        await trial.peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n<html>" + b" " * 100_000)
    assert "HTTP/1.1 200 OK: <html>" in str(trial.error)
    assert trial.error is not None
    assert isinstance(trial.error.__cause__, trio.BrokenResourceError)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"220 smtp.example.test ESMTP\r\n\r\n", "illegal status line"),
        (b"\x15\x03\x01\x00\x02\x02\x46\n\n", "illegal status line"),
        (b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 9000, "too long"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "Connection: Upgrade"),
        (b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n", "accept"),
        (b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: \xff\r\n\r\n", "ascii"),
        (b"HTTP/1.1 100 Continue\r\n\r\nno reply\r\n\r\n", "illegal status line"),
    ],
    ids=["not HTTP", "TLS alert", "endless head", "no upgrade", "wrong token", "not ASCII", "continue"],
)
@pytest.mark.parametrize("active", [True, False])
async def test_a_bad_reply_is_told_apart(reply: bytes, reason: str, active: bool) -> None:
    """What crashes trio-websocket's reader is a failed attempt here; frames behind such a reply are not delivered."""
    async with attempt(active=active) as trial:
        await trial.peer.say(reply + frame(b"forged"))
    assert reason in str(trial.error)


class Broken(trio.abc.Stream):
    """A stream that breaks where a test wants it to."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self.where == "send":
            raise trio.BrokenResourceError("reset by peer")

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        raise trio.BrokenResourceError("reset by peer")

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("where", ["send", "receive"])
async def test_the_connection_breaks_within_the_handshake(where: str) -> None:
    """While the request is sent, or the reply is awaited."""
    stream = Broken(where)
    async with trio.open_nursery() as nursery:
        with pytest.raises(ConnectionLost, match=r"broke during the WebSocket handshake \(reset by peer\)") as caught:
            await shake(nursery, client_over(stream))
        assert isinstance(caught.value.__cause__, trio.BrokenResourceError)
    assert stream.closed


async def test_a_handshake_that_hangs_is_the_callers_to_end(autojump_clock: MockClock) -> None:
    """The caller's deadline holds, and cuts the connection."""
    inner, outer = memory_stream_pair()
    peer = Peer(outer)
    async with trio.open_nursery() as nursery:
        start = trio.current_time()
        with pytest.raises(trio.TooSlowError), trio.fail_after(5):
            await shake(nursery, client_over(inner))
        assert trio.current_time() == start + 5
        assert not nursery.child_tasks
        await peer.hear_request()
        assert await outer.receive_some(1) == b""


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_refusal_in_the_moment_of_the_deadline(cancelled_first: bool, autojump_clock: MockClock) -> None:
    """One or the other comes out, never a group."""
    inner, outer = memory_stream_pair()
    peer, scope = Peer(outer), trio.CancelScope()
    async with trio.open_nursery() as nursery:
        refused = False

        async def run() -> None:
            nonlocal refused
            await trio.lowlevel.checkpoint()
            try:
                with scope:
                    await shake(nursery, client_over(inner))
            except ConnectionLost:
                refused = True

        nursery.start_soon(run)
        await peer.hear_request()
        await wait_all_tasks_blocked()
        if cancelled_first:
            scope.cancel()
        await peer.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        scope.cancel()
    assert scope.cancelled_caught != refused
    assert await outer.receive_some(1000) == b""


async def test_opening_when_already_cancelled_closes_the_stream() -> None:
    """The stream belongs to the connection from the call on, so it cannot be forgotten."""
    inner, outer = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            await shake(nursery, client_over(inner))
        assert scope.cancelled_caught
    assert b"HTTP" not in bytes(await outer.receive_some(1000))


async def test_a_header_that_cannot_be_sent_is_the_callers_fault() -> None:
    """Not a lost connection, which one would try again; the stream is closed all the same."""
    inner, outer = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        with pytest.raises(UnicodeEncodeError):
            await open_socket(
                nursery, client_over(inner).tap, "example.test", "/", headers={"User-Agent": "é€"}, close_seconds=1
            )
    assert await outer.receive_some(1) == b""
