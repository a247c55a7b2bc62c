"""The types of REST handlers: the call, the refusal, and the table of routes.

A handler is a plain function ``handler(market, call) -> Json``: it gets the market (or the treasury) of its chapter,
and returns the content of ``data`` or raises `Refusal`. Caller, signature, timestamp and quota are checked before it
runs (see ``gate.py``), so a handler has only the rules and format of its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar, Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from ..kernel.calls import Call, Onward
from ..kernel.encoding import Json, encode
from ..kernel.messages import Response

M = TypeVar("M")

Auth: TypeAlias = Literal["none", "keyed", "signed"]
Scope: TypeAlias = Literal["ip", "key", "uid"]
Envelope: TypeAlias = Literal["standard", "affiliate", "errno", "info", "bare"]
"""The members around the data: the usual ones, a textual code, ``errno``, ``msg`` in place of ``message``, none."""


Between: TypeAlias = "Callable[[Route, Call, Onward], Json]"
"""A function between the gate and a handler, which answers a call with or without the handler."""


@attrs.frozen
class BitMartCall(Call):
    """A call with BitMart's codes for missing and invalid parameters."""

    missing: ClassVar[int] = 50028
    unreadable: ClassVar[int] = 50021


JSON_HEADERS: Final = {"Content-Type": "application/json;charset=utf-8"}


def json_response(
    status: int, code: int, text: str, headers: Mapping[str, str] | None = None, *, trace: str = ""
) -> Response:
    """An answer in the usual envelope with only a code and its text."""
    body: dict[str, Json] = {"message": text, "code": code, "trace": trace, "data": {}}
    return Response(status, {**JSON_HEADERS, **(headers or {})}, encode(body))


@attrs.frozen
class Limit:
    """A documented quota: ``count`` calls in ``seconds``, counted per address, key or account."""

    count: int
    seconds: float
    by: Scope


@attrs.frozen
class Route:
    """An endpoint of the exchange."""

    method: str
    path: str
    auth: Auth
    limit: Limit | None
    handler: Onward
    recv_window: bool = False
    """True if the endpoint documents ``recvWindow``; others accept a timestamp up to a minute off."""
    envelope: Envelope = "standard"
    writes: bool = False


class Chapter(Generic[M]):
    """The endpoints of one chapter of the documentation, added by decorators; all concern one market."""

    def __init__(self) -> None:
        self._rows: list[Callable[[M], Route]] = []

    def of(self, market: M) -> list[Route]:
        """Return the routes, with their handlers bound to the market."""
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
        """Register a POST handler; ``writes=False`` for reads that use POST."""
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
        """Add the routes of a chapter."""
        for route in routes:
            if (route.method, route.path) in self.table:
                raise ValueError(f"two handlers for {route.method} {route.path}")
            self.table[route.method, route.path] = route
