"""Answer a complete request: carry it out, change its answer by faults, or lose the reply.

This module does not look at the connection, so it serves both HTTP and calls that are handed over directly.
"""

from __future__ import annotations

import json
from typing import Final

import attrs
import trio

from ..exchange import Exchange
from ..faults import (
    Delay,
    GarbageReply,
    HalfReply,
    LongerRow,
    LoseReply,
    LoseRequest,
    StandIn,
    UnknownField,
    stretch,
)
from ..kernel.encoding import encode
from ..kernel.feed import SocketKind
from ..kernel.messages import Request, Response
from ..kernel.talk import Venue

_WS: Final = "/ws/"


@attrs.frozen
class Answer:
    """The answer to the client."""

    response: Response
    half: bool = False
    """True if the connection ends in the middle of the answer."""


def kind_at(venue: Venue, path: str) -> SocketKind | None:
    """Return the kind of socket at a path."""
    return next((kind for kind in venue.kinds if path == f"{_WS}{kind}"), None)


class Answering:
    """Answers requests to one exchange, and applies faults."""

    def __init__(self, exchange: Exchange, venue: Venue) -> None:
        self._exchange = exchange
        self._venue = venue

    def at_once(self, path: str) -> bool:
        """Return True if a request to this path is answered without a wait."""
        return self._exchange.delays.instant and self._exchange.faults.find(Delay, path) is None

    async def answer(self, request: Request) -> Answer | None:  # noqa: ASYNC910  # waits where a fault or model says so
        """Carry a request out; return None if the connection breaks before any answer."""
        faults, path = self._exchange.faults, request.path
        delay = faults.take(Delay, path)
        if delay is not None and delay.before:
            await trio.sleep(delay.seconds)
        if faults.take(LoseRequest, path):
            self._exchange.log.write("lost_request", method=request.method, path=path)
            return None
        response = self._stand_in(request) or self._carry_out(request)
        pause = self._exchange.delays.reply_seconds()
        if pause:
            await trio.sleep(pause)
        if delay is not None and not delay.before:
            await trio.sleep(delay.seconds)
        if faults.take(LoseReply, path):
            return None
        return Answer(response, half=faults.take(HalfReply, path) is not None)

    def _carry_out(self, request: Request) -> Response:
        if request.path.startswith(_WS):
            if kind_at(self._venue, request.path) is not None:
                return self._venue.error(426, "This path takes WebSocket handshakes only", {"Upgrade": "websocket"})
            return self._venue.error(404, "Not found")
        faults, path = self._exchange.faults, request.path
        response = self._venue.serve(request)
        unknown, longer = faults.take(UnknownField, path), faults.take(LongerRow, path)
        if unknown is not None or longer is not None:
            body = encode(
                stretch(json.loads(response.body), None if unknown is None else unknown.name, longer is not None)
            )
            response = Response(response.status, response.headers, body)
        if faults.take(GarbageReply, path):
            return Response(200, response.headers, b'{"code":1000,"data":{"')
        return response

    def _stand_in(self, request: Request) -> Response | None:
        """Return the answer of a fault that replaces the exchange's own."""
        stand_in = self._exchange.faults.take(StandIn, request.path)
        if stand_in is None:
            return None
        if stand_in.carried_out:
            self._venue.handle(request)
        return stand_in.response(self._venue)
