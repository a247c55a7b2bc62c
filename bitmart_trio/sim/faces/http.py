"""The HTTP/1.1 face: reads requests from any stream, passes them to the exchange, and applies faults.

A request that was received completely is carried out even if its sender is gone: nothing between its last byte and
``Venue.handle`` looks at the connection. No input of a peer raises an error here.
"""

from __future__ import annotations

import base64
import gzip
import logging
from email.utils import formatdate
from typing import Final, cast

import h11
import trio

from ..._scopes import close_now
from ..faults import HangHandshake, Maintenance, RefuseUpgrade, edge_page
from ..kernel.encoding import encode
from ..kernel.feed import SocketKind
from ..kernel.messages import Request, Response, phrase
from . import control
from .answering import Answering, kind_at
from .hosts import stranger
from .link import Link, SocketLink
from .websocket import RECEIVE_BYTES, Sockets

log: logging.Logger = logging.getLogger(__name__)

HEAD_BYTES: Final = 32 * 1024
KEY_BYTES: Final = 16
ZIPPED_FROM: Final = 1024
"""Shorter bodies are not compressed."""


async def serve_stream(sockets: Sockets, stream: trio.abc.Stream, *, address: str) -> None:
    """Serve one connection until it ends; the connection is always closed.

    Args:
        sockets: the exchange and its venue, and the registry of WebSocket connections with their limits.
        stream: carries HTTP/1.1; a WebSocket handshake turns it into a WebSocket.
        address: the client's address, for limits counted by address.
    """
    exchange = sockets.exchange
    patience = sockets.limits.http_send_seconds
    link = Link(stream, exchange.faults, ("http", f"http-{sockets.number()}"), patience=patience)
    crowded = sockets.full
    sockets.links.append(link)
    face = _Face(sockets, link, address)
    try:
        upgrade = await (face.refuse(503, "Too many connections") if crowded else face.serve())
        sockets.links.remove(link)
        if upgrade is not None:
            await sockets.serve(upgrade, SocketLink(stream, exchange.faults, (upgrade,), *face.handshake()), address)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the peer is gone, or a fault cut the connection
    except Exception:
        # The edge of a supervised task: one connection's error must not end the exchange.
        log.exception("bug in the simulated exchange's faces")
        exchange.log.write("bug", connection=link.names[-1])
    finally:
        if link in sockets.links:
            sockets.links.remove(link)
        with trio.move_on_after(1, shield=True):
            await close_now(stream)


class _Face:
    """One HTTP connection."""

    def __init__(self, sockets: Sockets, link: Link, address: str) -> None:
        self._read = bytearray()
        """The bytes read since the last request ended, until a head is complete; handshakes are replayed from them."""
        self._exchange = sockets.exchange
        self._venue = sockets.venue
        self._sockets = sockets
        self._link = link
        self._address = address
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
        self._answering = Answering(sockets.exchange, sockets.venue)
        self._bodiless = False
        """True if the answer to the request has no body, even if the answer is a refusal."""
        self._zips = False
        """True if the client accepts gzip."""

    async def refuse(self, status: int, text: str) -> None:
        """Send one refusal without reading a request."""
        self._exchange.log.write("turned_away", status=status, address=self._address)
        await self._send(self._venue.error(status, text), closing=True)

    async def serve(self) -> SocketKind | None:
        """Answer requests until the connection ends; return the kind of socket that it has become, if any."""
        while True:
            try:
                head = await self._next(reading_head=True)
                if not isinstance(head, h11.Request):
                    return None
                self._bodiless, self._zips = head.method == b"HEAD", _takes_gzip(head)
                refusal = self._refusal(head)
                if refusal is not None:
                    await self._turn_away(refusal)
                    return None
                if _wants_socket(head):
                    return await self._upgrade(head)
                body: bytes | None = None
                with trio.move_on_after(_seconds(self._sockets.limits.http_body_seconds)) as reading:
                    body = await self._body()
                if reading.cancelled_caught:
                    await self._turn_away(self._venue.error(408, "The body takes too long"))
                    return None
            except h11.RemoteProtocolError as error:
                if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._turn_away(self._venue.error(error.error_status_hint, "Bad request"))
                return None
            if body is None:
                await self._turn_away(self._venue.error(413, "Request body too large"))
                return None
            if not await self._answer(_request(head, body, self._address)):
                return None
            if self._http.our_state is h11.MUST_CLOSE:
                return None
            self._http.start_next_cycle()
            self._bodiless = self._zips = False
            self._read = bytearray(self._http.trailing_data[0])

    def handshake(self) -> tuple[bytes, bytes]:
        """Return the bytes of the request head that asked for a WebSocket, and those after it."""
        rest = self._http.trailing_data[0]
        return bytes(self._read[: len(self._read) - len(rest)]), rest

    async def _next(self, *, reading_head: bool = False) -> h11.Event | None:
        """Return the next event of the client; None when the connection is over."""
        since: float | None = trio.current_time() if self._read else None
        """The time when the head began."""
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._receive_head(since) if reading_head else await self._receive()
                if data is None:
                    return None
                if reading_head:
                    self._read += data
                    since = trio.current_time() if since is None else since
                self._http.receive_data(data)
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return None
            else:
                return cast("h11.Event", event)

    async def _receive(self) -> bytes:
        return bytes(await self._link.receive_some(RECEIVE_BYTES))

    async def _receive_head(self, since: float | None) -> bytes | None:
        """Read more of a head that has begun, or the first bytes of one; return None if that takes too long."""
        limits = self._sockets.limits
        if since is None:
            deadline = trio.current_time() + _seconds(limits.http_idle_seconds)
        else:
            deadline = since + _seconds(limits.http_head_seconds)
        with trio.move_on_at(deadline):
            return await self._receive()
        if since is not None:
            await self._turn_away(self._venue.error(408, "The head takes too long"))
        return None

    async def _body(self) -> bytes | None:
        """Return the whole body; None if it is too long."""
        body = bytearray()
        if self._http.they_are_waiting_for_100_continue:
            await self._link.send_all(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")) or b""
            )
        while True:
            event = await self._next()
            if isinstance(event, h11.EndOfMessage):
                return bytes(body)
            if not isinstance(event, h11.Data):
                raise trio.BrokenResourceError("the client left in the middle of a request")
            body += event.data
            if len(body) > self._sockets.limits.http_body_bytes:
                return None

    async def _answer(self, request: Request) -> bool:
        """Carry a request out and answer it; return False if the connection is of no more use."""
        if control.is_below(request.path):
            response = await control.answer(self._exchange, self._sockets, request)
            return await self._send(response)
        answer = await self._answering.answer(request)
        if answer is None:
            self._link.sever()
            return False
        return await self._send(answer.response, half=answer.half)

    def _refusal(self, head: h11.Request) -> Response | None:
        """Return the refusal of a request by its head alone, before anything else is read."""
        headers, (path, _) = _headers(head), _path(head)
        why = stranger(
            head.method.decode("ascii"),
            headers,
            self._sockets.limits.allowed_hosts,
            own=self._sockets.host,
            authority=_authority(head),
            looks_only=control.is_below(path),
        )
        if why is not None:
            self._exchange.log.write("turned_away", status=403, address=self._address)
            if control.is_below(path):
                return Response(403, control.JSON_HEADERS, encode({"error": why}) + b"\n")
            return self._venue.error(403, why)
        if "transfer-encoding" in headers and ("content-length" in headers or head.http_version == b"1.0"):
            # A proxy may have seen another end of this request: no more is read from the connection.
            return self._venue.error(400, "Bad request: two lengths")
        return None

    async def _upgrade(self, head: h11.Request) -> SocketKind | None:
        """Check a WebSocket handshake; return its kind, or None after a refusal."""
        headers, faults = _headers(head), self._exchange.faults
        kind = kind_at(self._venue, _path(head)[0])
        if kind is None:
            await self._send(self._venue.error(404, "Not found"), closing=True)
            return None
        if (
            head.method != b"GET"
            or head.http_version == b"1.0"
            or headers.get("sec-websocket-version") != "13"
            or not _is_key(headers.get("sec-websocket-key", ""))
        ):
            await self._send(
                self._venue.error(400, "Bad WebSocket handshake", {"Sec-WebSocket-Version": "13"}), closing=True
            )
            return None
        if faults.take(HangHandshake, kind):
            self._link.names = (kind, *self._link.names)
            # The connection stays open as long as the client waits.
            while await self._link.receive_some(RECEIVE_BYTES):
                pass
            return None
        refusal = faults.take(RefuseUpgrade, kind)
        status = 503 if faults.take(Maintenance, f"/ws/{kind}") else None if refusal is None else refusal.status
        if status is not None:
            await self._send(edge_page(status), closing=True)
            return None
        return kind

    async def _turn_away(self, response: Response) -> None:
        """Send a last answer, and let the client finish sending.

        Closing with unread bytes would reset the connection and lose the answer.
        """
        await self._send(response, closing=True)
        with trio.move_on_after(self._sockets.limits.close_seconds):
            while await self._link.receive_some(RECEIVE_BYTES):
                pass

    async def _send(self, response: Response, *, closing: bool = False, half: bool = False) -> bool:
        """Send an answer; return False if the connection ends with it."""
        headers = [(name, value) for name, value in response.headers.items() if name.lower() != "content-length"]
        headers.append(("Date", formatdate(self._exchange.now_ms() / 1000, usegmt=True)))
        body = response.body
        if self._zips and len(body) >= ZIPPED_FROM:
            body = gzip.compress(body, 1, mtime=0)
            headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        headers.append(("Content-Length", str(len(body))))
        if closing:
            headers.append(("Connection", "close"))
        answer = h11.Response(status_code=response.status, reason=phrase(response.status).encode(), headers=headers)
        data = self._http.send(answer) or b""
        if self._bodiless:
            body = b""
        data += self._http.send(h11.Data(data=body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        if half:
            # Closed in order, so that the half arrives: the head is complete and half of the body is missing.
            await self._link.send_all(data[: len(data) - (len(body) + 1) // 2])
            return False
        await self._link.send_all(data)
        return not closing


def _headers(head: h11.Request) -> dict[str, str]:
    """Return the headers by lower-case name, repeated ones joined."""
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _takes_gzip(head: h11.Request) -> bool:
    """Return True if the client accepts gzip."""
    for word in _headers(head).get("accept-encoding", "").lower().split(","):
        name, _, weight = word.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _is_key(text: str) -> bool:
    """Return True if a ``Sec-WebSocket-Key`` is 16 bytes in base64."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _seconds(limit: float | None) -> float:
    return float("inf") if limit is None else limit


def _authority(head: h11.Request) -> str | None:
    """Return the host in the request's target, if the client sends a whole URL as to a proxy."""
    target = head.target.decode("ascii")
    return None if target[:1] in ("/", "*") else target.partition("://")[2].partition("/")[0].partition("?")[0]


def _wants_socket(head: h11.Request) -> bool:
    """Return True for a WebSocket handshake; other upgrades are ignored, as the protocol allows."""
    headers = _headers(head)
    tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return "upgrade" in tokens and headers.get("upgrade", "").lower() == "websocket"


def _path(head: h11.Request) -> tuple[str, str]:
    """Return path and query of a request, also if the client sends a whole URL as to a proxy."""
    target = head.target.decode("ascii")
    if not target.startswith("/"):
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = target.partition("?")
    return path, query


def _request(head: h11.Request, body: bytes, address: str) -> Request:
    path, query = _path(head)
    # HEAD gets the headers of GET, without the body.
    method = "GET" if head.method == b"HEAD" else head.method.decode("ascii")
    return Request(method, path, query, _headers(head), body, address)
