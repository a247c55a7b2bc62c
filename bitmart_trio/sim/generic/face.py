"""The generic face on an exchange: its routes, who is calling, and errors that say what is wrong.

Whoever calls says so by HTTP Basic authentication, with a key and its secret. Amounts are texts, times milliseconds,
and an error is ``{"error": word, "message": text}``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import attrs

from ..exchange import Exchange
from ..kernel.accounts import Account
from ..kernel.calls import Call, Onward, Refusal
from ..kernel.encoding import Json, encode, read_object
from ..kernel.faults import Trouble
from ..kernel.feed import Frame, SocketKind
from ..kernel.messages import Request, Response
from ..kernel.refusal import Refused
from ..kernel.talk import Line, Spoiler
from .rest import Rest
from .stream import Pushes, StreamDialect

logger: logging.Logger = logging.getLogger(__name__)

HEADERS: Final = {"Content-Type": "application/json"}
WORDS: Final = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "not_allowed", 413: "too_large"}
"""What is wrong, by HTTP status; anything else with a request is ``invalid``."""
TROUBLES: Final[dict[Trouble, int]] = {
    "too_many": 429, "banned": 418, "maintenance": 503, "no_data": 200, "unavailable": 503, "broken": 500
}  # fmt: skip


@attrs.frozen
class Route:
    """One endpoint."""

    method: str
    path: str
    handler: Onward
    private: bool = False
    writes: bool = False


class Generic:
    """A plain venue.

    Args:
        exchange: Whose markets and accounts they are; it knows nothing of this.
    """

    kinds: tuple[SocketKind, ...] = ("stream",)
    """The socket that it has."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Exchange = exchange
        self.spoiler: Spoiler | None = None
        """What goes wrong with requests that come in by a face, and with pushes; `handle` knows none of it."""
        self._traces = exchange.random("trace")
        rest = Rest(exchange.spot, exchange.futures)
        Pushes(exchange.feed, rest)
        routes = (
            Route("GET", "/v1/time", lambda call: {"time": call.now_ms}),
            Route("GET", "/v1/markets", rest.markets),
            Route("GET", "/v1/book", rest.book),
            Route("GET", "/v1/trades", rest.trades),
            Route("GET", "/v1/balances", rest.balances, private=True),
            Route("GET", "/v1/positions", rest.positions, private=True),
            Route("GET", "/v1/fills", rest.fills, private=True),
            Route("GET", "/v1/orders", rest.orders, private=True),
            Route("POST", "/v1/orders", rest.submit, private=True, writes=True),
            Route("DELETE", "/v1/orders", rest.cancel, private=True, writes=True),
        )
        self._routes: dict[tuple[str, str], Route] = {(route.method, route.path): route for route in routes}

    @property
    def endpoints(self) -> int:
        """How many REST endpoints there are."""
        return len(self._routes)

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        return self._respond(request, None)

    def serve(self, request: Request) -> Response:
        """The same, with the faults that concern answers."""
        return self._respond(request, self.spoiler)

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Say that something is wrong with a request before it is one."""
        body: dict[str, Json] = {"error": WORDS.get(status, "invalid"), "message": text}
        return Response(status, {**HEADERS, **(headers or {})}, encode(body))

    def trace(self) -> str:
        """The next request id."""
        return f"{self._traces.getrandbits(64):016x}"

    def trouble(self, what: Trouble, status: int | None = None) -> Response:
        """The answer of an exchange in trouble."""
        body: Json = {} if what == "no_data" else {"error": what, "message": what.replace("_", " ")}
        return Response(TROUBLES[what] if status is None else status, HEADERS, encode(body))

    def spoil(self, topic: str, connection: str, frame: Frame) -> Frame:
        """A push with the faults that concern what is in it."""
        return frame if self.spoiler is None else self.spoiler.push(topic, connection, frame)

    def dialect(self, line: Line) -> StreamDialect:
        """What is spoken on the socket."""
        return StreamDialect(line, self.exchange.feed, self._account)

    def _respond(self, request: Request, spoiler: Spoiler | None) -> Response:
        account: Account | None = None
        try:
            route = self._route(request)
            account = self._caller(request) if route.private else None
            call = Call(_params(request), account, self.exchange.now_ms())
            answer = route.handler(call) if spoiler is None else spoiler.answer(route, call, route.handler)
            response = Response(200, HEADERS, encode(answer))
        except Refusal as refusal:
            headers = {"WWW-Authenticate": 'Basic realm="exchange"'} if refusal.http == 401 else None
            response = self.error(refusal.http, refusal.message, headers)
        except Refused as refused:
            body: Json = {"error": refused.reason, "message": "the exchange refuses it"}
            response = Response(409, HEADERS, encode(body))
        except Exception:
            logger.exception("bug in the simulated exchange: %s %s", request.method, request.path)
            response = self.trouble("broken")
        self.exchange.futures.settled()
        whose, what = None if account is None else account.account_id, (request.method, request.path)
        self.exchange.log.write("request", method=what[0], path=what[1], account=whose, status=response.status)
        return response

    def _route(self, request: Request) -> Route:
        found = self._routes.get((request.method, request.path))
        if found is None:
            paths = {path for _, path in self._routes}
            if request.path in paths:
                raise Refusal(405, f"{request.path} does not take {request.method}", http=405)
            raise Refusal(404, f"there are {', '.join(sorted(paths))}", http=404)
        return found

    def _caller(self, request: Request) -> Account:
        scheme, _, words = request.headers.get("authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(words, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            key = secret = ""
        account = self._account(key, secret) if scheme.lower() == "basic" else None
        if account is None:
            raise Refusal(401, "send a key and its secret by HTTP Basic authentication", http=401)
        return account

    def _account(self, key: str, secret: str) -> Account | None:
        """The account of a key, if the secret is the key's."""
        found = self.exchange.accounts.by_key(key)
        if found is None or found[1].frozen or not hmac.compare_digest(found[1].secret.encode(), secret.encode()):
            return None
        return found[0]


def _params(request: Request) -> dict[str, Json]:
    """What was asked: the query, or the JSON object in the body of a POST."""
    if request.method != "POST":
        return dict(parse_qsl(request.query, keep_blank_values=True))
    members = read_object(request.body.decode(errors="replace"))
    if members is None:
        raise Refusal(400, "the body is not a JSON object")
    return members
