"""HTTP connections that survive cancellation: transports of one connection each, the last one used first.

httpx's own pool loses slots when a waiting request is cancelled, and under load it rescans or reopens its
connections. Here nothing waits and nothing is scanned: whoever calls has been let in by a limiter above
(`governor.Slots`), takes the idle connection that was used last, or opens a new one. Taking the newest first lets the
rest grow old and be closed, instead of keeping them all half warm.

A connection comes back when its reply has been read to the end. After anything else (an error, a cancel, a reply left
half read) it is closed and dropped; that costs one handshake and leaves nothing in a doubtful state.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import cache, partial
from typing import Final, Protocol, cast

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
"""With these a transport says that no byte of the request has left."""


class LifoTransport(httpx.AsyncBaseTransport):
    """A stack of one-connection transports to one host.

    Args:
        make: makes one; it must be usable for one request after another.
        keepalive: seconds that an idle one is kept; 0 closes each after its reply.
        monotonic: the clock of `keepalive`.
    """

    def __init__(
        self,
        make: Callable[[], httpx.AsyncBaseTransport],
        *,
        keepalive: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
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
            httpx.TransportError: it broke later.
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
        watch = _Watch()
        request.extensions = {**request.extensions, "trace": watch}
        response: httpx.Response | None = None
        try:
            response = await connection.handle_async_request(request)
        except httpx.TransportError as error:
            if watch.tunnelling and not isinstance(error, NOTHING_SENT):
                raise httpx.ConnectError(str(error) or type(error).__name__) from error
            raise
        finally:
            if response is None:
                with trio.move_on_after(_CLOSING, shield=True):
                    await self._drop(connection)
                    for socket in watch.sockets:
                        await socket.aclose()
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
        # Not put back: httpcore has closed its connection, but whether all else is in order, wherever it was cancelled,
        # depends on its inner workings; another one costs nothing beside the handshake that is needed anyway.
        self._busy.discard(connection)
        await connection.aclose()


async def _nothing() -> None:
    """What httpcore awaits after telling us something. No cancel point: it also tells in the middle of its clean-up."""


class _Closable(Protocol):
    async def aclose(self) -> None: ...


class _Watch:
    """Listens to httpcore (its ``trace`` extension) for the two things that exceptions do not tell.

    Whether it failed while a proxy was still asked to connect: those errors look like ones of the request itself, which
    has not left then. This must be heard; what is not heard counts as sent. And the socket, which httpcore forgets when
    it is cancelled during the TLS handshake.
    """

    def __init__(self) -> None:
        self.tunnelling = False
        self.sockets: list[_Closable] = []
        """Closing one again does no harm."""

    def __call__(self, event: str, info: Mapping[str, object]) -> Coroutine[None, None, None]:
        if event.endswith(".send_request_headers.started"):
            self.tunnelling = getattr(info["request"], "method", b"") == b"CONNECT"
        elif event == "connection.connect_tcp.complete":
            self.sockets.append(cast("_Closable", info["return_value"]))
        return _nothing()


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
        with trio.move_on_after(_CLOSING, shield=True):
            try:
                await self._stream.aclose()
            finally:
                if not (self._whole and self._keep()):
                    with trio.move_on_after(_CLOSING, shield=True):
                        await self._drop()


@cache
def _tls(secure: bool) -> ssl.SSLContext:
    # Reading the trusted certificates takes 29 ms: once a process. Without TLS a context must be given all the same; an
    # empty one is cheap, and would trust nobody.
    return httpx.create_ssl_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def make_transport(root_url: str, config: Config) -> LifoTransport:
    """The transport to one REST host, as configured. It opens nothing before the first request."""
    secure = httpx.URL(root_url).scheme == "https"

    def make() -> httpx.AsyncBaseTransport:
        if config.proxy is None:
            return Http1Transport(_tls(secure=True) if secure else None)
        return httpx.AsyncHTTPTransport(
            verify=_tls(secure),
            trust_env=False,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=config.keepalive),
            proxy=httpx.Proxy(config.proxy),
        )

    return LifoTransport(make, keepalive=config.keepalive)
