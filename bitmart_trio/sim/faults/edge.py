"""Faults of the network in front of the exchange: answers that the exchange did not give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from ..kernel.encoding import encode
from ..kernel.faults import AtConnection, AtPath, StandIn, Voice
from ..kernel.messages import Response, phrase

__all__ = ["EdgePage", "Fail5xx", "GarbageReply", "GatewayJson", "RefuseUpgrade"]

_PAGE: Final = (
    b"<!DOCTYPE html><html><head><title>%d %s</title></head>"
    b"<body><h1>%d</h1><p>Ray ID: 0000000000000000</p></body></html>"
)


def edge_page(status: int, headers: Mapping[str, str] | None = None, *, html: bool = True) -> Response:
    """A page of the edge network, or its line of plain text."""
    if html:
        body, kind = _PAGE % (status, phrase(status).encode(), status), "text/html"
    else:
        body, kind = b"error code: %d" % status, "text/plain; charset=UTF-8"
    return Response(status, {"Content-Type": kind, **(headers or {})}, body)


@attrs.frozen
class Fail5xx(StandIn):
    """The exchange fails with this status.

    A client may repeat a read; the outcome of a write is unknown and must be looked up.
    """

    status: int = 503
    html: bool = False
    """Answer with a page of the edge network instead of the JSON envelope."""
    handled: bool = False
    """Carry the request out before failing."""

    def response(self, voice: Voice) -> Response:
        """A page or an envelope."""
        if self.html:
            return edge_page(self.status)
        return voice.trouble("unavailable" if self.status == 503 else "broken", self.status)


@attrs.frozen
class EdgePage(StandIn):
    """The edge network answers in the exchange's place: a challenge, a block (403, 404, 405, 451), or 520 to 530.

    Nothing in the answer comes from the exchange. A client must take it neither for a refusal nor for "there are no
    records": it may repeat a read, after ``Retry-After`` where that is given, and must look a write up.
    """

    status: int = 520
    html: bool = True
    """A web page; else a line of plain text."""
    retry_after: int | None = None
    """Seconds in the header ``Retry-After``; None: no such header."""
    handled: bool = False
    """The request reached the exchange and was carried out; its answer got lost."""

    def response(self, voice: Voice) -> Response:
        """The page, with the headers of the edge network."""
        headers = {"Server": "cloudflare", "CF-RAY": f"{voice.trace().replace('-', '')[:16]}-FRA"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return edge_page(self.status, headers, html=self.html)


@attrs.frozen
class GatewayJson(StandIn):
    """A gateway answers with JSON of its own: a status, and a code that stands in no table of the exchange.

    The exchange may have carried the request out. A client must not take the unknown code for a refusal: the outcome of
    a write is unknown and must be looked up.
    """

    status: int = 500
    code: int = 408
    text: str = "timeout"
    handled: bool = True
    """The exchange carries the request out before; else it never sees it."""

    def response(self, voice: Voice) -> Response:
        """A small object; a gateway knows nothing of traces and data."""
        body = encode({"code": self.code, "message": self.text})
        return Response(self.status, {"Content-Type": "application/json", "Server": "gateway"}, body)


@attrs.frozen
class GarbageReply(AtPath):
    """The request is carried out and answered with 200 and a body that is not JSON.

    A client must not take a write as failed.
    """


@attrs.frozen
class RefuseUpgrade(AtConnection):
    """The WebSocket handshake is answered with this status and a page.

    A client must read it, report it, back off and try again.
    """

    status: int = 403
