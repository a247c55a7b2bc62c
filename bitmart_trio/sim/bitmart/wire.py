"""What a REST handler sees and says: the call, the refusal, and the table of routes.

A handler is a plain function ``handler(market, call) -> Json``: it gets the market (or the treasury) that its chapter
is about, and returns what goes under ``data`` or raises `Refusal`. Who calls, signatures, timestamps and quotas are
settled before it runs (see ``gate.py``), so a handler holds the rules and shapes of its path and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from ..kernel.accounts import Account, ApiKey
from ..kernel.encoding import Json, encode
from ..kernel.messages import Response
from ..kernel.numbers import NumberError, read_decimal, read_integer

M = TypeVar("M")

Auth: TypeAlias = Literal["none", "keyed", "signed"]
Scope: TypeAlias = Literal["ip", "key", "uid"]
Envelope: TypeAlias = Literal["standard", "affiliate", "errno", "info", "bare"]
"""What is around the data: the usual members, a textual code, ``errno``, ``msg`` in place of ``message``, nothing."""


Onward: TypeAlias = "Callable[[Call], Json]"
"""A handler with its market bound, or what stands before it."""
Between: TypeAlias = "Callable[[Route, Call, Onward], Json]"
"""What may stand between the gate and a handler: it answers a call that passed the gate, by asking onward or not."""


@attrs.frozen
class Call:
    """A request that passed the gate.

    Its parameters (query text or JSON body members) and the account behind its key.
    """

    params: Mapping[str, Json]
    account: Account | None
    """None on public routes; use `owner` in private handlers."""
    now_ms: int
    key: ApiKey | None = None
    """The key the call came with; None on public routes."""

    @property
    def owner(self) -> Account:
        """The account of a private call."""
        assert self.account is not None, "a private route was reached without an account"
        return self.account

    def text(self, name: str, default: str | None = None) -> str | None:
        """The parameter as text; ``default`` when missing, null or blank."""
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    def need(self, name: str, code: int = 50028) -> str:
        """The parameter as text; `Refusal` with ``code`` when it is missing."""
        value = self.text(name)
        if value is None:
            raise Refusal(code, f"Missing parameter {name}")
        return value

    def integer(self, name: str, default: int, *, code: int = 50021) -> int:
        """The parameter as a whole number."""
        value = self.text(name)
        if value is None:
            return default
        try:
            return read_integer(value)
        except NumberError:
            raise Refusal(code, f"Invalid parameter {name}") from None

    def decimal(self, name: str, *, code: int = 50021) -> Decimal | None:
        """The parameter as an exact finite decimal, None when it is missing."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return read_decimal(value)
        except NumberError:
            raise Refusal(code, f"Invalid parameter {name}") from None


JSON_HEADERS: Final = {"Content-Type": "application/json;charset=utf-8"}


def json_response(
    status: int, code: int, text: str, headers: Mapping[str, str] | None = None, *, trace: str = ""
) -> Response:
    """An answer in the usual envelope that holds nothing but a code and its text."""
    body: dict[str, Json] = {"message": text, "code": code, "trace": trace, "data": {}}
    return Response(status, {**JSON_HEADERS, **(headers or {})}, encode(body))


class Refusal(Exception):
    """The exchange says no: a documented code, its text, and the HTTP status that goes with it (400 unless told)."""

    def __init__(self, code: int, message: str, *, http: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http = http


@attrs.frozen
class Limit:
    """A documented quota: ``count`` calls in ``seconds``, counted by address, key or account."""

    count: int
    seconds: float
    by: Scope


@attrs.frozen
class Route:
    """One endpoint."""

    method: str
    path: str
    auth: Auth
    limit: Limit | None
    handler: Onward
    recv_window: bool = False
    """Whether the endpoint documents ``recvWindow``; others accept a timestamp up to a minute off."""
    envelope: Envelope = "standard"
    writes: bool = False


class Chapter(Generic[M]):
    """The endpoints of one chapter of the documentation, filled by decorators; all are about one market."""

    def __init__(self) -> None:
        self._rows: list[Callable[[M], Route]] = []

    def of(self, market: M) -> list[Route]:
        """The routes, with the market that they are about bound to their handlers."""
        return [row(market) for row in self._rows]

    def get(
        self,
        path: str,
        *,
        auth: Auth = "none",
        limit: tuple[int, float, Scope] | None = None,
        envelope: Envelope = "standard",
    ) -> Callable[[Callable[[M, Call], Json]], Callable[[M, Call], Json]]:
        """Register a GET handler."""
        return self._add("GET", path, auth, limit, False, envelope, False)

    def post(
        self,
        path: str,
        *,
        auth: Auth = "signed",
        limit: tuple[int, float, Scope] | None = None,
        recv_window: bool = False,
        writes: bool = True,
    ) -> Callable[[Callable[[M, Call], Json]], Callable[[M, Call], Json]]:
        """Register a POST handler; ``writes=False`` for the reads that travel as POST."""
        return self._add("POST", path, auth, limit, recv_window, "standard", writes)

    def _add(
        self,
        method: str,
        path: str,
        auth: Auth,
        limit: tuple[int, float, Scope] | None,
        recv_window: bool,
        envelope: Envelope,
        writes: bool,
    ) -> Callable[[Callable[[M, Call], Json]], Callable[[M, Call], Json]]:
        quota = None if limit is None else Limit(*limit)

        def register(handler: Callable[[M, Call], Json]) -> Callable[[M, Call], Json]:
            def row(market: M) -> Route:
                return Route(method, path, auth, quota, partial(handler, market), recv_window, envelope, writes)

            self._rows.append(row)
            return handler

        return register


class Routes:
    """The table of all endpoints of one exchange."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], Route] = {}

    def include(self, routes: Iterable[Route]) -> None:
        """Take over the routes of a chapter."""
        for route in routes:
            if (route.method, route.path) in self.table:
                raise ValueError(f"two handlers for {route.method} {route.path}")
            self.table[route.method, route.path] = route
