"""What a REST handler of the simulated exchange sees and says: the call, the refusal, and the table of routes.

A handler is a plain function ``handler(exchange, call) -> Json``: it returns what goes under ``data`` or raises
`Refusal`. Who calls,
signatures, timestamps and quotas are settled before it runs (see ``gate.py``), so a handler holds trading rules and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ..kernel.eventlog import encode
from ..kernel.numbers import NumberError, read_decimal, read_integer

if TYPE_CHECKING:
    from ..exchange import Exchange
    from ..kernel.accounts import Account, ApiKey

Json: TypeAlias = "bool | int | float | str | Decimal | list[Json] | dict[str, Json] | None"
"""What an answer is made of. A Decimal travels as text; a float, as a number, only in the affiliate chapter."""
Auth: TypeAlias = Literal["none", "keyed", "signed"]
Scope: TypeAlias = Literal["ip", "key", "uid"]
Envelope: TypeAlias = Literal["standard", "affiliate", "errno", "info", "bare"]
"""What is around the data: the usual members, a textual code, ``errno``, ``msg`` in place of ``message``, nothing."""


Onward: TypeAlias = "Callable[[Call], Json]"
"""A handler with its exchange bound, or what stands before it."""
Between: TypeAlias = "Callable[[Route, Call, Onward], Json]"
"""What may stand between the gate and a handler: it answers a call that passed the gate, by asking onward or not."""


@attrs.frozen
class Request:
    """One HTTP request as it came in; header names are lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    between: Between | None = attrs.field(default=None, eq=False, repr=False)
    """What the face that took the request in puts between the gate and the handler: its faults."""


@attrs.frozen
class Response:
    """One HTTP answer: status, headers (names as sent) and the exact body bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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


def phrase(status: int) -> str:
    """The reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # such as the edge network's 520 to 530
        return "Error"


class Refusal(Exception):
    """The exchange says no: a documented code, its text, and the HTTP status that goes with it (400 unless told)."""

    def __init__(self, code: int, message: str, *, http: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http = http


Handler: TypeAlias = "Callable[[Exchange, Call], Json]"


@attrs.frozen
class Limit:
    """A documented quota: ``count`` calls in ``seconds``, counted by address, key or account."""

    count: int
    seconds: float
    by: Scope


@attrs.frozen
class Route:
    """One endpoint of the simulated exchange."""

    method: str
    path: str
    auth: Auth
    limit: Limit | None
    handler: Handler
    recv_window: bool = False
    """Whether the endpoint documents ``recvWindow``; others accept a timestamp up to a minute off."""
    envelope: Envelope = "standard"
    writes: bool = False


class Routes:
    """The table of endpoints, filled by decorators in the chapter files."""

    def __init__(self) -> None:
        self.table: dict[tuple[str, str], Route] = {}

    def include(self, other: Routes) -> None:
        """Take over a chapter's table."""
        for key, route in other.table.items():
            if key in self.table:
                raise ValueError(f"two handlers for {route.method} {route.path}")
            self.table[key] = route

    def get(
        self,
        path: str,
        *,
        auth: Auth = "none",
        limit: tuple[int, float, Scope] | None = None,
        envelope: Envelope = "standard",
    ) -> Callable[[Handler], Handler]:
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
    ) -> Callable[[Handler], Handler]:
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
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            if (method, path) in self.table:
                raise ValueError(f"two handlers for {method} {path}")
            quota = None if limit is None else Limit(*limit)
            self.table[method, path] = Route(method, path, auth, quota, handler, recv_window, envelope, writes)
            return handler

        return register
