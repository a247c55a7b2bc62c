"""BitMart's face on an exchange: all its routes behind one gate, and the pushes of both markets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import attrs

from ..exchange import Exchange
from ..kernel.calls import Call, Onward
from ..kernel.encoding import Json
from ..kernel.faults import Trouble
from ..kernel.feed import SocketKind
from ..kernel.messages import Request, Response
from ..kernel.talk import Line, Venue
from . import futures, spot, system
from .codes import trouble_response
from .dialects import FuturesDialect, SpotDialect
from .futures.feed import FuturesFeed
from .gate import Gate
from .past import Past
from .spot.feed import SpotFeed
from .system import Notices
from .wire import Between, Route, Routes, json_response


class BitMart(Venue):
    """An exchange that answers and pushes as BitMart does.

    Args:
        exchange: the exchange with its markets and accounts; it does not know the face.
    """

    kinds: tuple[SocketKind, ...] = ("spot/public", "spot/private", "futures/public", "futures/private")
    """The sockets of the venue."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Exchange = exchange
        self.notices: Notices = Notices(exchange.clock.start)
        """The notices that the maintenance endpoint lists."""
        self.past: Past = Past(exchange)
        """The past states of accounts, recorded while a fault follows them."""
        self.routes: Routes = Routes()
        self._traces = exchange.random("trace")
        self._uuids = exchange.random("sockets")
        self._spot_feed = SpotFeed(exchange.feed, exchange.spot.markets, exchange.accounts, exchange.clock)
        self._futures_feed = FuturesFeed(exchange.feed, exchange.futures)
        exchange.spot.watchers.append(self._spot_feed)
        exchange.futures.watchers.append(self._futures_feed)
        self.gate: Gate = Gate(self.routes, exchange.accounts, exchange.clock, exchange.log, self.trace)
        self.routes.include(system.routes.of(self.notices))
        self.routes.include(spot.routes(exchange.spot, exchange.treasury))
        self.routes.include(self._settling(futures.routes(exchange.futures, exchange.treasury)))
        self.endpoints: int = len(self.routes.table)

    def handle(self, request: Request, between: Between | None = None) -> Response:
        """Answer one request. Never raises: an internal bug is answered with HTTP 500 and code 59002, and logged.

        Args:
            request: the request.
            between: runs between the gate and the handlers, such as faults.
        """
        return self.gate.answer(request, between)

    def serve(self, request: Request) -> Response:
        """Answer one request, with the faults that concern answers."""
        return self.gate.answer(request, None if self.spoiler is None else self.spoiler.answer)

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer to a malformed request."""
        return json_response(status, 50000 if status == 413 else 30000, text, headers)

    def trouble(self, what: Trouble, status: int | None = None) -> Response:
        """Return the answer of an exchange in trouble."""
        return trouble_response(what, status, self.trace())

    def dialect(self, line: Line) -> SpotDialect | FuturesDialect:
        """Return the dialect of a connection."""
        feed, accounts, now_ms = self.exchange.feed, self.exchange.accounts, self.exchange.clock.now_ms
        if line.kind.startswith("spot"):
            return SpotDialect(line, feed, accounts, now_ms)
        return FuturesDialect(line, feed, accounts, now_ms, self._uuids)

    def trace(self) -> str:
        """Return the next request id, in the format of a UUID."""
        text = f"{self._traces.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _settling(self, routes: Iterable[Route]) -> Iterable[Route]:
        """Return the same routes, but with balances and positions pushed at the end of a writing call."""
        for route in routes:
            handler = _after(route.handler, self.exchange.futures.settled) if route.writes else route.handler
            yield attrs.evolve(route, handler=handler)


def _after(handler: Onward, settled: Callable[[], None]) -> Onward:
    def handle(call: Call) -> Json:
        try:
            return handler(call)
        finally:
            settled()

    return handle
