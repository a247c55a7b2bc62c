"""A small HTTP server on loopback that answers as told, byte for byte; for the few tests that want real sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

import attrs
import trio

Handler: TypeAlias = "Callable[[bytes, bytes, trio.SocketStream], Awaitable[bool]]"
"""Gets request line and headers, body, and the stream to answer on; says whether the connection stays open."""


def whole(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A complete reply."""
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@attrs.define(eq=False)
class Loopback:
    """The server: what it has seen."""

    handler: Handler
    url: str = ""
    open: int = 0
    most_open: int = 0
    accepted: int = 0
    requests: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        self.open += 1
        self.accepted += 1
        self.most_open = max(self.most_open, self.open)
        try:
            async with stream:
                stays_open = True
                while stays_open:
                    stays_open = await self._one(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client was cancelled
        finally:
            self.open -= 1
        await trio.lowlevel.checkpoint()

    async def _one(self, stream: trio.SocketStream) -> bool:
        data = bytearray()
        while b"\r\n\r\n" not in data:
            more = await stream.receive_some(65536)
            if not more:
                return False
            data += more
        head, _, body = bytes(data).partition(b"\r\n\r\n")
        wanted = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                wanted = int(value)
        while len(body) < wanted:
            more = await stream.receive_some(65536)
            if not more:
                return False
            body += more
        self.requests += 1
        return await self.handler(head, body, stream)


@asynccontextmanager
async def open_loopback(handler: Handler) -> AsyncGenerator[Loopback, None]:
    """Serve until the block is left."""
    server = Loopback(handler)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, server.serve, 0, host="127.0.0.1"))
        server.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield server
        nursery.cancel_scope.cancel()
