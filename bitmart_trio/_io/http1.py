"""One HTTP/1.1 connection as an httpx transport: requests go out as one piece, replies are judged by h11.

httpx's own transport takes a lock three times per request, yields to the scheduler seven times, and sends head and body
of a POST separately: most of a call's cost on a machine near the exchange. This transport does only what the pipeline
needs: one request at a time, no HTTP/2, no cookies, no redirects. It raises httpx's errors, so the layers above need
not know which transport is used.

A deadline is judged by what had arrived by then, not by what had been read: when it passes, a reply that is already in
the socket is still taken. So a call does not fail because the program kept the loop busy.

A connection is reused only if every byte received on it belonged to a reply: surplus bytes after a reply (in h11's
buffer, in TLS or in the socket) would be taken for the answer to the next request, perhaps a signed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import h11
import httpx
import trio

from .._scopes import in_time
from ..config import Config
from ..credentials import Secret
from .dial import OpenedStream, open_stream

_READ_BYTES: Final = 64 * 1024
_AT_ONCE: Final = 16
"""The number of pieces of a reply that are passed on without a checkpoint."""
_LATE_BYTES: Final = 8 * 1024 * 1024
"""The most of a reply that is read after its deadline: more than a socket holds."""
_MOST_PIECES: Final = 100_000
"""The most pieces of a reply, of whatever size: each takes some 20 microseconds, even a chunk of one byte."""
_LATE_PIECES: Final = 4_096
"""The most pieces that are read after the deadline: a socket full of chunks of the usual size."""
_MOST_INTERIM: Final = 100
"""The most interim replies (``100 Continue``) before the final one."""
_NO_WAITS: Final[Mapping[str, float | None]] = {}
# h11 must know a request before it reads the reply. The real request is serialized here instead: its parts were checked
# when they were made, and checking them again would cost more than everything else.
_ASKED: Final = {method: h11.Request(method=method, target="/", headers=[("Host", "-")]) for method in ("GET", "POST")}
_END: Final = h11.EndOfMessage()


class Http1Transport(httpx.AsyncBaseTransport):
    """A connection to one host, opened when it is needed; for one request at a time.

    Args:
        config: the proxy and what TLS trusts.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._line: OpenedStream | None = None
        self._at_once = 0
        self._due = float("inf")
        """When the whole reply must have come."""
        self._late = 0
        """The bytes that may still be read after that deadline."""
        self._pieces = 0
        """The pieces that may still be read."""
        self._http = h11.Connection(h11.CLIENT)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; its reply must be read or closed before the next.

        Raises:
            httpx.ConnectError, httpx.ConnectTimeout: nothing of the request was sent.
            httpx.TransportError: the connection broke later.
            ConfigurationError: the proxy refuses, or ``Config.tls`` is unusable; nothing was sent.
        """
        waits: Mapping[str, float | None] = request.extensions.get("timeout", _NO_WAITS)
        self._due, self._late = _deadline(waits.get("reply")), _LATE_BYTES
        self._pieces = _MOST_PIECES
        whole = _spell(request, await request.aread())
        if self._line is not None and not await self._line.is_quiet():
            # No request is pending: the server has closed the connection, or has sent surplus bytes.
            await self.aclose()
        line = self._line if self._line is not None else await self._connect(request.url, waits.get("connect"))
        asked = _ASKED.get(request.method)
        self._http.send(asked or h11.Request(method=request.method, target="/", headers=[("Host", "-")]))
        self._http.send(_END)
        head: h11.Response | None = None
        sent = False
        with trio.CancelScope(deadline=min(self._due, _deadline(waits.get("write")))):
            try:
                await line.stream.send_all(whole.reveal())
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise httpx.WriteError(str(error) or "the connection broke", request=request) from error
            sent = True
        if not sent:
            raise httpx.WriteTimeout("could not be sent in time")
        until = _deadline(waits.get("read"))
        for _ in range(_MOST_INTERIM + 1):
            event = await self._event(until)
            if isinstance(event, h11.Response):
                head = event
                break
            if not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("the server closed the connection without an answer")
        if head is None:
            raise httpx.RemoteProtocolError(f"more than {_MOST_INTERIM} interim replies before the answer")
        return httpx.Response(
            head.status_code, headers=head.headers.raw_items(), stream=_Body(self, waits.get("read")), request=request
        )

    async def _connect(self, url: httpx.URL, seconds: float | None) -> OpenedStream:
        secure = url.scheme == "https"
        host, port = url.raw_host.decode("ascii"), url.port or (443 if secure else 80)
        try:
            line = await in_time(
                lambda: min(self._due, _deadline(seconds)),
                partial(open_stream, host, port, self._config, secure=secure),
            )
        except OSError as error:
            raise httpx.ConnectError(str(error) or type(error).__name__) from error
        if line is None:
            raise httpx.ConnectTimeout(f"no connection to {host} within {seconds:g} s")
        self._line, self._http = line, h11.Connection(h11.CLIENT)
        return line  # noqa: ASYNC910  # part of a call, which waits for the network

    async def _event(self, until: float) -> object:
        """The next part of the reply, once it has come.

        Raises:
            httpx.ReadTimeout: no bytes came until then, or the whole reply did not come until its deadline.
        """
        line = self._line
        if line is None:
            raise httpx.ReadError("the connection was closed")
        while (event := self._next()) is h11.NEED_DATA:
            data: bytes | None = None
            try:
                with trio.CancelScope(deadline=min(until, self._due)):
                    data = bytes(await line.stream.receive_some(_READ_BYTES))
                if data is None and self._late > 0:
                    data = await line.take_arrived(_READ_BYTES)
                    self._late -= len(data or b"")
                    self._pieces = min(self._pieces, _LATE_PIECES)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise httpx.ReadError(str(error.__cause__ or error) or "the connection broke") from error
            if data is None:
                raise httpx.ReadTimeout("no answer in time" if until < self._due else "no whole reply in time")
            try:
                self._http.receive_data(data)
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error
        return event  # noqa: ASYNC910  # part of a call, which waits for the network

    def _next(self) -> object:
        if self._pieces == 0:
            raise httpx.RemoteProtocolError("the reply comes in too many pieces")
        self._pieces -= 1
        try:
            return self._http.next_event()
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    async def read(self, seconds: float | None) -> bytes | None:
        """The next piece of the body, None at its end."""
        event: object = self._next()
        if event is not h11.NEED_DATA:
            # A short reply has arrived whole. A reply of a thousand pieces must not starve other tasks.
            self._at_once += 1
            if self._at_once % _AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
        else:
            event = await self._event(_deadline(seconds))
        return bytes(event.data) if isinstance(event, h11.Data) else None  # noqa: ASYNC910  # part of a call, which waits for the network

    async def finish(self) -> None:  # noqa: ASYNC910  # part of a call, which waits for the network
        """The reply is done with: be ready for another request, or close what cannot be used again."""
        http = self._http
        if http.our_state is h11.DONE and http.their_state is h11.DONE and not http.trailing_data[0]:
            http.start_next_cycle()
        else:
            await self.aclose()

    async def aclose(self) -> None:  # noqa: ASYNC910  # part of a call, which waits for the network
        """Close the connection, if there is one. The next request would open another."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(trio.BrokenResourceError):  # it may be broken already
                await line.stream.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a reply, piece by piece."""

    def __init__(self, transport: Http1Transport, seconds: float | None) -> None:
        self._transport = transport
        self._seconds = seconds
        self._closed = False

    def __aiter__(self) -> _Body:
        return self

    async def __anext__(self) -> bytes:
        if self._closed:
            raise trio.ClosedResourceError("this reply is closed")
        piece = await self._transport.read(self._seconds)
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:  # noqa: ASYNC910  # part of a call, which waits for the network
        if not self._closed:
            self._closed = True
            await self._transport.finish()


def _deadline(seconds: float | None) -> float:
    return float("inf") if seconds is None else trio.current_time() + seconds


def _spell(request: httpx.Request, body: bytes) -> Secret[bytes]:
    """The bytes of a request, its head and body as one piece."""
    head = Secret(
        b"%b %b HTTP/1.1\r\n%b\r\n"
        % (
            request.method.encode("ascii"),
            request.url.raw_path,
            b"".join([b"%b: %b\r\n" % field for field in request.headers.raw]),
        )
    )
    if any(head.reveal().count(byte) != len(request.headers) + 2 for byte in (b"\r", b"\n")):
        raise httpx.LocalProtocolError("a line break in the head of a request")
    return Secret(head.reveal() + body)
