"""The in-process transport of the simulated exchange's HTTP face, whose connections are pipes in memory.

httpcore handles HTTP exactly as over TCP, so clients see genuine keep-alive, partial replies and broken connections.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Final, cast

import httpcore
import httpx
import trio

from ..._scopes import finish
from .pipe import Pipe

_CLOSING: Final = 3.0

_EXCEPTIONS: Final[dict[type[Exception], type[httpx.TransportError]]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout, httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout, httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError, httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError, httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError, httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}  # fmt: skip


@contextmanager
def _as_httpx() -> Generator[None, None, None]:
    try:
        yield
    except tuple(_EXCEPTIONS) as error:
        raise _EXCEPTIONS[type(error)](str(error)) from error


class MemoryTransport(httpx.AsyncBaseTransport):
    """An httpx transport over pipes that takes the last used idle connection, or a new one, and never waits for one.

    httpcore's pool keeps a connection forever if its first request is cancelled before it began, and loses places in
    its queue; a single httpcore connection does neither.

    Args:
        dial: returns a new connection to the exchange, or raises `OSError`.
    """

    def __init__(self, dial: Callable[[], Pipe]) -> None:
        self._backend = _Backend(dial)
        self._idle: list[httpcore.AsyncHTTPConnection] = []
        self._busy: set[httpcore.AsyncHTTPConnection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; return the response, whose body is read as it arrives."""
        url = request.url
        # Read completely: a generator that a cancelled send leaves unfinished is collected by Trio with a warning.
        content = b"".join([part async for part in cast("httpx.AsyncByteStream", request.stream)])
        outgoing = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=_Once(content),
            extensions=request.extensions,
        )
        connection = await self._take(outgoing.url.origin)
        response: httpcore.Response | None = None
        try:
            with _as_httpx():
                response = await connection.handle_async_request(outgoing)
        finally:
            if response is None:
                await self._give_back(connection)  # noqa: ASYNC102  # it shields itself
        assert response is not None
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response, partial(self._give_back, connection)),
            # httpcore leaves the type of this one half open.
            extensions=response.extensions,  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        )

    async def aclose(self) -> None:
        """Close all connections of the transport."""
        connections = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in connections:
            await finish(_CLOSING, connection.aclose)

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        # Idle connections do not expire here: httpcore would measure it in real time. The exchange closes them in its
        # own.
        connection = httpcore.AsyncHTTPConnection(origin, keepalive_expiry=None, network_backend=self._backend)
        while self._idle:
            idle = self._idle.pop()
            if not idle.has_expired():
                connection = idle
                break
            await finish(_CLOSING, idle.aclose)
        self._busy.add(connection)
        return connection

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._busy.discard(connection)
        if connection.is_idle():
            self._idle.append(connection)
        else:
            await finish(_CLOSING, connection.aclose)


class _Once:
    """An iterable of one part that is not a generator."""

    def __init__(self, part: bytes) -> None:
        self._parts = [part] if part else []

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if not self._parts:
            raise StopAsyncIteration
        return self._parts.pop()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, give_back: Callable[[], Awaitable[None]]) -> None:
        self._response = response
        self._give_back: Callable[[], Awaitable[None]] | None = give_back
        self._parts = aiter(cast("AsyncIterable[bytes]", response.stream))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with _as_httpx():
            return await anext(self._parts)

    async def aclose(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            # httpcore loses a connection whose close is interrupted.
            await finish(_CLOSING, self._response.aclose)
            await give_back()


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, dial: Callable[[], Pipe]) -> None:
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's interface, here and below
        local_address: str | None = None,
        socket_options: object = None,
    ) -> httpcore.AsyncNetworkStream:
        await trio.lowlevel.checkpoint()
        try:
            return _Wire(self._dial())
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error

    async def sleep(self, seconds: float) -> None:
        await trio.sleep(seconds)


class _Wire(httpcore.AsyncNetworkStream):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        try:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                return await self._pipe.receive_some(max_bytes)
        except trio.TooSlowError as error:
            raise httpcore.ReadTimeout from error
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        try:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                await self._pipe.send_all(buffer)
        except trio.TooSlowError as error:
            raise httpcore.WriteTimeout from error
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await self._pipe.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        await trio.lowlevel.checkpoint()
        raise httpcore.ConnectError("the simulated exchange speaks plain HTTP")

    def get_extra_info(self, info: str) -> object:
        # The pool asks this before it reuses a connection: an idle one with something to read is being closed.
        return self._pipe.readable if info == "is_readable" else None
