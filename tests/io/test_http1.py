"""One HTTP/1.1 connection: replies of every legal form, connections used again or not, errors that say what left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from http_loopback import Loopback, open_loopback, whole

from bitmart_trio._io.http1 import Http1Transport
from bitmart_trio._io.transport import NOTHING_SENT
from bitmart_trio.config import Config


class Bench:
    """A server that gives one answer after the other, and a connection to it."""

    def __init__(self, server: Loopback, transport: Http1Transport, seen: list[bytes]) -> None:
        self.server = server
        self.transport = transport
        self.seen = seen

    async def ask(self, body: bytes = b"", *, read: float = 10.0, method: str = "POST") -> tuple[int, bytes]:
        reply = await self.begin(body, read=read, method=method)
        try:
            assert isinstance(reply.stream, httpx.AsyncByteStream)
            return reply.status_code, b"".join([piece async for piece in reply.stream])
        finally:
            await reply.aclose()

    async def begin(self, body: bytes = b"", *, read: float = 10.0, method: str = "POST") -> httpx.Response:
        waits = {"connect": 10.0, "read": read, "write": 10.0, "pool": 10.0}
        url = httpx.URL(self.server.url + "/path?a=b%20c")
        request = httpx.Request(method, url, content=body, extensions={"timeout": waits})
        return await self.transport.handle_async_request(request)


@asynccontextmanager
async def bench(*answers: Any) -> AsyncGenerator[Bench, None]:
    """Answers are bytes, or functions that get the stream and say whether it stays open."""
    left, seen = list(answers), list[bytes]()

    async def answer(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        seen.append(head + b"\r\n\r\n" + body)
        given = left.pop(0)
        if callable(given):
            return bool(await given(stream))
        await stream.send_all(given)
        return True

    async with open_loopback(answer) as server:
        transport = Http1Transport(Config())
        try:
            yield Bench(server, transport, seen)
        finally:
            await transport.aclose()


async def test_head_and_body_arrive_as_they_were_given() -> None:
    """The target untouched, httpx's headers, and the exact body."""
    async with bench(whole(b"{}")) as at:
        assert await at.ask(b'{"a":1}') == (200, b"{}")
        (seen,) = at.seen
    head, _, body = seen.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /path?a=b%20c HTTP/1.1"
    assert b"Host: " + at.server.url.removeprefix("http://").encode() in lines
    assert b"Content-Length: 7" in lines
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    "reply",
    [
        whole(b"hello"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"hello"),
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + whole(b"hello"),
    ],
)
async def test_a_connection_serves_again_after_a_whole_reply(reply: bytes) -> None:
    """With a length, in chunks, after interim replies: the next request goes over the same connection."""
    async with bench(reply, reply, whole(b"", "204 No Content")) as at:
        assert await at.ask() == (200, b"hello")
        assert await at.ask(method="GET") == (200, b"hello")
        assert (await at.ask())[0] == 204
        assert at.server.accepted == 1


async def test_what_ends_with_the_connection_is_read_to_its_end() -> None:
    """A reply without a length; the next request opens another connection."""

    async def until_the_end(stream: trio.SocketStream) -> bool:
        await stream.send_all(b"HTTP/1.0 200 OK\r\n\r\nhel")
        await stream.send_all(b"lo")
        return False

    async with bench(until_the_end, whole(b"again")) as at:
        assert await at.ask() == (200, b"hello")
        assert await at.ask() == (200, b"again")
        assert at.server.accepted == 2


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    """Nor one that says it will be closed."""

    async def answer_and_close(stream: trio.SocketStream) -> bool:
        await stream.send_all(whole(b"bye"))
        return False

    async with bench(answer_and_close, whole(b"here", "200 OK", "Connection: close"), whole(b"there")) as at:
        assert await at.ask() == (200, b"bye")
        with trio.fail_after(10):
            while at.server.open:  # noqa: ASYNC110  # a real socket: nothing tells when the server has closed it
                await trio.lowlevel.checkpoint()
        assert await at.ask() == (200, b"here")
        assert await at.ask() == (200, b"there")
        assert at.server.accepted == 3


async def test_a_reply_left_half_read_closes_the_connection() -> None:
    """Nobody knows what would come next on it."""
    async with bench(whole(b"x" * 10_000_000), whole(b"ok")) as at:
        reply = await at.begin()
        assert isinstance(reply.stream, httpx.AsyncByteStream)
        async for _ in reply.stream:
            break
        await reply.aclose()
        await reply.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await anext(aiter(reply.stream))
        assert await at.ask() == (200, b"ok")
        assert at.server.accepted == 2


async def _close(stream: trio.SocketStream) -> bool:
    await trio.lowlevel.checkpoint()
    return False


async def _cut(stream: trio.SocketStream) -> bool:
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!")
    return False


async def _mute(stream: trio.SocketStream) -> bool:
    await trio.Event().wait()
    return False


async def _stop(stream: trio.SocketStream) -> bool:
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!")
    await trio.Event().wait()
    return False


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_close, httpx.RemoteProtocolError),
        (_cut, httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", httpx.RemoteProtocolError),
        (_mute, httpx.ReadTimeout),
        (_stop, httpx.ReadTimeout),
    ],
)
async def test_a_request_that_may_have_been_acted_on(answer: Any, error: type[Exception]) -> None:
    """None of these errors claims that nothing was sent."""
    async with bench(answer) as at:
        with pytest.raises(error) as caught:
            await at.ask(b"{}", read=0.05)
    assert not isinstance(caught.value, NOTHING_SENT)


async def test_nobody_there() -> None:
    """A refused connection, and one that is not made in time, are known to have sent nothing."""
    async with bench() as at:
        url = at.server.url
    transport = Http1Transport(Config())
    with pytest.raises(httpx.ConnectError):
        await transport.handle_async_request(httpx.Request("GET", url))
    request = httpx.Request("GET", url, extensions={"timeout": {"connect": 0.0}})
    with pytest.raises(httpx.ConnectTimeout):
        await transport.handle_async_request(request)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: request.headers.raw.append((b"X", b"y\r\nInjected: 1")),
        lambda request: setattr(request, "method", "GET /x HTTP/1.1\r\nInjected: 1\r\n"),
    ],
)
async def test_no_line_break_is_sent_in_a_head(spoil: Callable[[httpx.Request], object]) -> None:
    """Whatever slipped in above, nothing can be added to a request from inside a value."""
    async with bench() as at:
        request = httpx.Request("GET", at.server.url, headers={"X": "y\nInjected: 1"})
        spoil(request)
        with pytest.raises(httpx.LocalProtocolError):
            await at.transport.handle_async_request(request)
        assert at.seen == []


async def test_cancelling_anywhere_leaves_no_connection_open() -> None:
    """After closing, the server sees nobody."""
    async with bench(_mute, _stop, whole(b"ok")) as at:
        for _ in range(2):
            with trio.move_on_after(0.05):
                await at.ask(b"{}")
            await at.transport.aclose()
        assert await at.ask() == (200, b"ok")
        assert at.server.accepted == 3


POISON = whole(b"poison")


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"first") + POISON,
        b"HTTP/1.1 204 No Content\r\n\r\n" + POISON,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n" + POISON,
        whole(b"first") + b"H",
    ],
    ids=["length", "204", "chunked", "one byte"],
)
async def test_bytes_behind_a_reply_are_never_the_answer_to_the_next_request(answer: bytes) -> None:
    """The connection is closed, and the next request goes out on another."""
    async with bench(answer, whole(b"second")) as at:
        await at.ask(b"{}")
        assert await at.ask(b"{}") == (200, b"second")
        assert at.server.accepted == 2


async def test_a_reply_in_a_thousand_pieces_leaves_room_for_other_tasks() -> None:
    """Pieces that came in one read are handed on without a wait, but not without end."""
    pieces = b"1\r\nx\r\n" * 5_000
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await trio.lowlevel.checkpoint()

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with bench(head + pieces + b"0\r\n\r\n") as at, trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        assert await at.ask(b"{}") == (200, b"x" * 5_000)
        assert ticks > 100
        nursery.cancel_scope.cancel()
