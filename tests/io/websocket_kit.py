"""Both ends of a WebSocket for tests: our client over a tap, and servers that behave or do not."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from bitmart_trio._core.frames import Message
from bitmart_trio._io.tap import TapStream
from bitmart_trio._io.websocket import close_socket, open_socket

CLOSE_SECONDS = 3.0


def frame(payload: bytes, opcode: int = 1, *, first: int | None = None) -> bytes:
    size = len(payload)
    if size < 126:
        length = bytes([size])
    else:
        length = b"\x7e" + size.to_bytes(2, "big") if size < 65536 else b"\x7f" + size.to_bytes(8, "big")
    return bytes([0x80 | opcode if first is None else first]) + length + payload


@attrs.define
class Client:
    """Our end: the connection over its tap, what was handed over, and what came out of ``get_message``."""

    tap: TapStream
    batches: list[list[Message]]
    connection: WebSocketConnection | None = None
    passed: list[str | bytes] = attrs.field(factory=list)
    end: object = None
    """Why the connection ended."""
    over: trio.Event = attrs.field(factory=trio.Event)

    @property
    def messages(self) -> list[Message]:
        return [message for batch in self.batches for message in batch]

    @property
    def open(self) -> WebSocketConnection:
        assert self.connection is not None
        return self.connection

    async def listen(self) -> None:
        """The one task that waits in ``get_message``."""
        await trio.lowlevel.checkpoint()
        try:
            while True:
                self.passed.append(await self.open.get_message())
        except ConnectionClosed as closed:
            self.end = closed.reason.code if closed.reason else None
            self.over.set()

    async def close(self) -> None:
        await close_socket(self.open, self.tap, CLOSE_SECONDS)


def client_over(inner: trio.abc.Stream, *, ceiling: int = 10_000, active: bool = True) -> Client:
    batches: list[list[Message]] = []
    return Client(TapStream(inner, batches.append, ceiling=ceiling, active=active), batches)


async def shake(nursery: trio.Nursery, client: Client) -> None:
    client.connection = await open_socket(
        nursery,
        client.tap,
        "example.test:8080",
        "/api?protocol=1.1",
        headers={"User-Agent": "tests"},
        close_seconds=CLOSE_SECONDS,
    )


@attrs.define
class Peer:
    """A server that says exactly what a test wants, byte by byte."""

    stream: trio.abc.Stream
    request: bytes = b""

    async def hear_request(self) -> None:
        while True:
            self.request += await self.stream.receive_some(1000)
            if b"\r\n\r\n" in self.request:
                return

    def switch(self) -> bytes:
        key = re.search(rb"(?i)sec-websocket-key: (\S+)", self.request)
        assert key is not None
        token = base64.b64encode(hashlib.sha1(key[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + token
        return b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade + b"\r\n\r\n"

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def hang_up(self) -> None:
        await self.stream.aclose()


@asynccontextmanager
async def scripted(*, ceiling: int = 10_000, active: bool = True) -> AsyncIterator[tuple[Client, Peer]]:
    """A client that is open and listens, and a scripted server past its handshake."""
    inner, outer = memory_stream_pair()
    client, peer = client_over(inner, ceiling=ceiling, active=active), Peer(outer)

    async def greet() -> None:
        await peer.hear_request()
        await peer.say(peer.switch())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(greet)
        await shake(nursery, client)
        nursery.start_soon(client.listen)
        yield client, peer
        await client.close()


@asynccontextmanager
async def served(*, ceiling: int = 10_000, active: bool = True) -> AsyncIterator[tuple[Client, WebSocketConnection]]:
    """A client that is open and listens, and trio-websocket's own server."""
    inner, outer = memory_stream_pair()
    client = client_over(inner, ceiling=ceiling, active=active)
    servers: list[WebSocketConnection] = []

    async with trio.open_nursery() as nursery:

        async def answer() -> None:
            request = await wrap_server_stream(nursery, outer)
            assert request.path == "/api?protocol=1.1"
            assert (b"user-agent", b"tests") in request.headers
            servers.append(await request.accept())

        nursery.start_soon(answer)
        await shake(nursery, client)
        nursery.start_soon(client.listen)
        await wait_all_tasks_blocked()
        yield client, servers[0]
        await client.close()
        await trio.aclose_forcefully(outer)
