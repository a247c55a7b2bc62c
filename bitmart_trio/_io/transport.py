"""HTTP connections that survive cancellation: transports of one connection each, the last one used first.

httpx's own pool loses slots when a waiting request is cancelled, and under load it rescans or reopens its connections.
Here nothing waits and nothing is scanned: a limiter above (`quota_queue.Slots`) admits the call, which takes the idle
connection that was used last, or opens a new one. Taking the most recently used first lets the others age and be
closed, instead of keeping all of them half warm.

A connection is returned when its reply has been read to the end. After anything else (an error, a cancellation, a reply
left half read) it is closed and dropped; that costs one handshake and leaves nothing in an unknown state.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import httpx
import trio

from ..config import Config
from .http1 import Http1Transport

_CLOSING: Final = 3.0

NOTHING_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
"""The errors by which a transport reports that no byte of the request was sent."""


class LifoTransport(httpx.AsyncBaseTransport):
    """A stack of one-connection transports to one host.

    Args:
        make: makes a one-connection transport, usable for one request after another.
        keepalive: seconds that an idle connection is kept; 0 closes each after its reply.
        monotonic: the clock of `keepalive`.
        judges_deadlines: True if these transports enforce the deadlines of a request themselves, including that of the
            whole reply (``reply`` among its time-outs).
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        *,
        keepalive: float,
        monotonic: Callable[[], float] = time.monotonic,
        judges_deadlines: bool = False,
    ) -> None:
        self.judges_deadlines: bool = judges_deadlines
        self._make = make
        self._keepalive = keepalive
        self._monotonic = monotonic
        self._idle: list[tuple[httpx.AsyncBaseTransport, float]] = []
        self._busy: set[httpx.AsyncBaseTransport] = set()
        self._closed = False

    @property
    def idle(self) -> int:
        """Connections waiting for a request."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """Connections with a request on them."""
        return len(self._busy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; never waits for a free connection.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError: nothing of the request was sent.
            httpx.TransportError: the connection broke later.
            trio.ClosedResourceError: the transport has been closed.
        """
        if self._closed:
            raise trio.ClosedResourceError("this client has been closed")
        while self._idle and self._monotonic() - self._idle[0][1] >= self._keepalive:
            expired, _ = self._idle.pop(0)
            with trio.move_on_after(_CLOSING, shield=True):
                await expired.aclose()
        connection = self._idle.pop()[0] if self._idle else self._make()
        self._busy.add(connection)
        response: httpx.Response | None = None
        try:
            response = await connection.handle_async_request(request)
        finally:
            if response is None:
                with trio.move_on_after(_CLOSING, shield=True):
                    await self._drop(connection)
        assert response is not None
        if not isinstance(response.stream, httpx.AsyncByteStream):
            raise TypeError("the transport below gave a reply that cannot be read asynchronously")
        response.stream = _Body(response.stream, partial(self._keep, connection), partial(self._drop, connection))
        return response

    async def aclose(self) -> None:
        """Close all connections, busy ones too."""
        self._closed = True
        connections = [connection for connection, _ in self._idle] + list(self._busy)
        self._idle.clear()
        with trio.move_on_after(_CLOSING, shield=True):
            for connection in connections:
                await connection.aclose()
            await trio.lowlevel.checkpoint()

    def _keep(self, connection: httpx.AsyncBaseTransport) -> bool:
        """Take a connection back whose reply was read to the end, if idle ones are kept."""
        if self._closed or not self._keepalive:
            return False
        self._busy.discard(connection)
        self._idle.append((connection, self._monotonic()))
        return True

    async def _drop(self, connection: httpx.AsyncBaseTransport) -> None:
        # Not returned to the stack: a new one costs only the handshake that is needed anyway.
        self._busy.discard(connection)
        await connection.aclose()


class _Body(httpx.AsyncByteStream):
    """A reply's body that gives its connection back when it is closed."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        keep: Callable[[], bool],
        drop: Callable[[], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._keep = keep
        self._drop = drop
        self._chunks: AsyncIterator[bytes] | None = None
        self._whole = False
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._chunks is None:
            self._chunks = self._stream.__aiter__()
        try:
            return await self._chunks.__anext__()
        except StopAsyncIteration:
            self._whole = True
            raise

    async def aclose(self) -> None:
        if self._closed:
            await trio.lowlevel.checkpoint()
            return
        self._closed = True
        # The callers that close a reply shield and bound the close: our code has no others.
        try:
            await self._stream.aclose()
        finally:
            if not (self._whole and self._keep()):
                with trio.move_on_after(_CLOSING, shield=True):
                    await self._drop()


def make_transport(config: Config) -> LifoTransport:
    """The transport to one REST host, as configured. It opens nothing before the first request."""
    return LifoTransport(partial(Http1Transport, config), keepalive=config.keepalive, judges_deadlines=True)
