"""What a client sees on the HTTP face of the simulated exchange."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import trio
from faces_support import SUBMIT, TICKER, open_floor
from trio.testing import MockClock, wait_all_tasks_blocked

from bitmart_trio.sim.faces.pipe import Pipe
from bitmart_trio.sim.faces.websocket import Limits


async def read_all(pipe: Pipe) -> bytes:
    data = b""
    while part := await pipe.receive_some():
        data += part
    return data


async def test_requests_share_a_connection() -> None:
    """Keep-alive: many requests, one connection; each reply is the exchange's own bytes."""
    async with open_floor() as floor, floor.http() as client:
        for _ in range(5):
            reply = await client.get(TICKER)
            assert reply.status_code == 200
            assert reply.json()["data"] == {"last": "1.5", "rows": [["1", "2"], ["3", "4"]]}
            assert reply.headers["content-type"].startswith("application/json")
        assert len(floor.sockets.links) == 1
        reply = await client.post(SUBMIT, json={"id": "a"})
        assert reply.json()["data"] == {"order_id": "a"}
        assert floor.small.orders == ["a"]


async def test_a_body_in_pieces_and_pipelined_requests() -> None:
    """Requests may come in any pieces and several at a time; they are answered in order."""
    async with open_floor() as floor:
        pipe = floor.dial()
        body = b'{"id":"a"}'
        post = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            SUBMIT.encode(),
            len(body),
            body,
        )
        get = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % TICKER.encode()
        for byte in post:
            await pipe.send_all(bytes([byte]))
        await pipe.send_all(post.replace(b'"a"', b'"b"') + get)
        replies = await read_all(pipe)
        assert replies.count(b"HTTP/1.1 200 OK") == 3
        assert floor.small.orders == ["a", "b"]
        assert replies.index(b"order_id") < replies.index(b'"last"')


async def test_chunked_bodies_and_expect_100() -> None:
    """A chunked body is put together; a client that asks first is told to go on."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n" % SUBMIT.encode()
        )
        assert (await pipe.receive_some()).startswith(b"HTTP/1.1 100")
        await pipe.send_all(b'4\r\n{"id\r\n6\r\n":"c"}\r\n0\r\n\r\n')
        assert b'"order_id":"c"' in await read_all(pipe)


async def test_an_absolute_target_is_understood() -> None:
    """Some clients write the whole URL into the request line."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(b"GET http://x%s?a=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % TICKER.encode())
        assert b'"last":"1.5"' in await read_all(pipe)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GARBAGE\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000,
    ],
)
async def test_malformed_requests_get_a_4xx_and_the_end(data: bytes, autojump_clock: MockClock) -> None:
    """What is no HTTP is answered as such, and the exchange lives on."""
    async with open_floor() as floor:
        pipe = floor.dial()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_quietly, pipe, data)
            reply = await read_all(pipe)
        assert reply.startswith(b"HTTP/1.1 4")
        assert json.loads(reply.partition(b"\r\n\r\n")[2])["message"] == "Bad request"
        assert not [line for line in floor.small.log.lines if line["kind"] == "bug"]
        async with floor.http() as client:
            assert (await client.get(TICKER)).status_code == 200


async def send_quietly(pipe: Pipe, data: bytes) -> None:
    with contextlib.suppress(trio.BrokenResourceError):
        await pipe.send_all(data)


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_above_1_mib_is_413(chunked: bool, autojump_clock: MockClock) -> None:
    """A body has a ceiling, announced or not; the connection ends with the answer."""
    async with open_floor() as floor, floor.http() as client:
        content = b"x" * (1024 * 1024 + 1)
        if chunked:
            reply = await client.post(SUBMIT, content=Chunks(content))
        else:
            reply = await client.post(SUBMIT, content=content)
        assert reply.status_code == 413
        assert reply.headers["connection"] == "close"
        exact = await client.post(SUBMIT, content=b"x" * (1024 * 1024))
        assert exact.status_code != 413
        assert floor.small.orders == []


class Chunks(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._parts = [content[begin : begin + 10_000] for begin in range(0, len(content), 10_000)]

    async def __aiter__(self) -> AsyncIterator[bytes]:  # noqa: ASYNC900  # httpx reads it to its end
        for part in self._parts:
            await trio.lowlevel.checkpoint()
            yield part


async def test_head_and_options_and_unknown_paths() -> None:
    """HEAD is GET without the body; 405 for a wrong method names the right ones.

    404 for an unknown path, an unknown socket, an unknown control.
    """
    async with open_floor() as floor, floor.http() as client:
        head, get = await client.head(TICKER), await client.get(TICKER)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
        options = await client.options(TICKER)
        assert (options.status_code, options.headers["allow"]) == (405, "GET, HEAD")
        wrong = await client.get(SUBMIT)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
        wrong = await client.head(SUBMIT)
        assert (wrong.status_code, wrong.content) == (405, b"")
        wrong = await client.post("/sim/log")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
        assert wrong.json()["error"] == "/sim/log takes GET"
        for path in ("/nothing", "/ws/spot", "/sim/nothing"):
            reply = await client.get(path)
            assert reply.status_code == 404
            assert reply.json()
        assert (await client.get("/ws/spot/public")).status_code == 426


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (
            "GET /ws/nope/public HTTP/1.1\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13",
            b"404",
        ),
        ("GET /api HTTP/1.1\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13", b"404"),
        (
            "GET /ws/spot/public HTTP/1.1\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 8",
            b"400",
        ),
        ("GET /ws/spot/public HTTP/1.1\r\nSec-WebSocket-Version: 13", b"400"),
        (
            "POST /ws/spot/public HTTP/1.1\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13",
            b"400",
        ),
    ],
)
async def test_bad_handshakes_are_refused(lines: str, status: bytes) -> None:
    """A handshake to nowhere, or one that is none, gets an ordinary reply and the end."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(
            f"{lines}\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n".encode()
        )
        reply = await read_all(pipe)
        assert reply.split()[1] == status
        assert floor.connections == []


async def test_other_upgrades_are_not_taken_up() -> None:
    """A client that offers HTTP/2 in clear is answered in HTTP/1.1."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(
            b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AA\r\n\r\n" % TICKER.encode()
        )
        assert b'"last":"1.5"' in await pipe.receive_some()


async def test_frames_sent_with_the_handshake_are_heard() -> None:
    """A client need not wait for the 101 before its first frame."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(
            b"GET /ws/spot/public?protocol=1.1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            b"\x81\x84\x00\x00\x00\x00ping"
        )
        data = b""
        while b"pong" not in data:
            data += await pipe.receive_some()
        assert data.startswith(b"HTTP/1.1 101")


async def test_a_socket_after_requests_on_the_same_connection() -> None:
    """A connection that has served requests may still become a WebSocket."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % TICKER.encode())
        assert b'"last"' in await pipe.receive_some()
        await pipe.send_all(
            b"GET /ws/spot/public HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await pipe.receive_some()).startswith(b"HTTP/1.1 101")
        await pipe.send_all(b"\x81\x84\x00\x00\x00\x00ping")
        assert await pipe.receive_some() == b"\x81\x04pong"


async def test_a_request_received_is_carried_out_whatever_becomes_of_its_sender() -> None:
    """The sender hangs up right after its last byte; the order is placed."""
    async with open_floor() as floor:
        body = b'{"id":"gone"}'
        pipe = floor.dial()
        await pipe.send_all(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (SUBMIT.encode(), len(body), body)
        )
        pipe.close()
        await wait_all_tasks_blocked()
        assert floor.small.orders == ["gone"]


async def test_a_request_cut_short_is_not_carried_out() -> None:
    """Half a body and the end: nothing happens."""
    async with open_floor() as floor:
        pipe = floor.dial()
        await pipe.send_all(
            b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
            % SUBMIT.encode()
        )
        pipe.close()
        await wait_all_tasks_blocked()
        assert floor.small.orders == []
        assert floor.sockets.links == []


async def test_idle_connections_are_closed_and_not_reused(autojump_clock: MockClock) -> None:
    """After 75 s without a request the exchange closes; a pooled client notices and opens another one."""
    async with open_floor() as floor, floor.http() as client:
        await client.get(TICKER)
        await trio.sleep(80)
        assert floor.sockets.links == []
        assert (await client.get(TICKER)).status_code == 200


async def test_broken_links_close_after_a_limit_of_none(autojump_clock: MockClock) -> None:
    """Without that limit an idle connection stays as long as it likes."""
    async with open_floor(Limits(http_idle_seconds=None)) as floor, floor.http() as client:
        await client.get(TICKER)
        await trio.sleep(10_000)
        assert len(floor.sockets.links) == 1


async def test_many_cancelled_requests_leave_a_working_exchange() -> None:
    """Clients that give up at any moment harm nobody else."""
    async with open_floor() as floor, floor.http() as client:

        async def give_up_after(steps: int) -> None:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(client.get, TICKER)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

        async with trio.open_nursery() as nursery:
            for steps in range(40):
                nursery.start_soon(give_up_after, steps)
        assert (await client.get(TICKER)).status_code == 200
        assert not [line for line in floor.small.log.lines if line["kind"] == "bug"]
