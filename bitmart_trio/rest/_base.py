"""Define the bases of chapters, and the `Caller` that they need. Any object with its methods will do, even a fake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal, Protocol, TypeAlias, TypeVar, cast

from .._core.endpoint import Auth, Endpoint
from .._core.reply import RawReply, Reply
from .._core.suggest import Helpful, public_names
from ..models.system import Latency

T = TypeVar("T")
C = TypeVar("C", bound="Chapter")

Amount: TypeAlias = Decimal | int | str
"""An exact amount or price; never a float."""

TimeMs: TypeAlias = int | datetime
"""Milliseconds since 1970 UTC, or an aware datetime."""

TimeS: TypeAlias = int | datetime
"""Seconds since 1970 UTC, or an aware datetime."""


@cache
def load_chapters() -> None:
    """Import every chapter, so that all rows are in the registry."""
    package = __name__.rpartition(".")[0]
    for module in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")


@cache
def method_names() -> tuple[str, ...]:
    """Return every method of both markets below ``client.``, such as ``spot.market.ticker``."""
    from .futures import Futures  # these two import this module
    from .spot import Spot

    found = list[str]()
    for market, kind in (("spot", Spot), ("futures", Futures)):
        api = kind(cast("Caller", None))  # nothing is called
        for chapter, each in vars(kind).items():
            if isinstance(each, property):
                found += [
                    f"{market}.{chapter}.{name}" for name in public_names(type(cast("object", getattr(api, chapter))))
                ]
    return tuple(found)


class Caller(Protocol):
    """An object that sends the calls of one market."""

    async def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        """Check, sign and send one call, and read its reply."""
        ...

    async def request(
        self, method: str, path: str, *, params: Mapping[str, object] | None = None, auth: Auth = Auth.NONE
    ) -> RawReply:
        """Send a request to any path."""
        ...

    async def latency(self) -> Latency:
        """Measure round trip and clock offset."""
        ...


class Chapter(Helpful):
    """The base of the objects like ``client.spot.market``: methods of one chapter of the documentation."""

    __slots__ = ("_caller",)

    _elsewhere = (method_names,)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def _call(self, endpoint: Endpoint[T], /, **arguments: object) -> T:
        return (await self._caller.call(endpoint, **arguments)).data


class MarketApi(Helpful):
    """The base of ``client.spot`` and ``client.futures``: one market's chapters, and two ways to call without them."""

    _elsewhere = (method_names,)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._chapters: dict[type, Chapter] = {}

    def _chapter(self, kind: type[C]) -> C:
        """Return the object of a chapter, made on first access."""
        found = self._chapters.get(kind)
        if not isinstance(found, kind):
            found = self._chapters[kind] = kind(self._caller)
        return found

    async def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        """Call an endpoint by its row, and return the payload with trace id, headers, quota and exact bytes.

        Args:
            endpoint: such as ``bm.endpoints.spot.market.ticker``.
            arguments: those of the method of that name, all by keyword.

        Raises:
            InvalidRequest: an argument is wrong; nothing was sent.
            ApiError: the exchange refused the call.
            ConnectionLost, OutcomeUnknown, MalformedReply, ReplyTooLarge: as for the methods.
        """
        return await self._caller.call(endpoint, **arguments)

    async def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        auth: Literal["none", "keyed", "signed"] = "none",
    ) -> RawReply:
        """Send a request to any path of this market's host, for endpoints that the library does not know.

        It uses the same limits, signing and error table as every call. A POST counts as a write and is never repeated.

        Args:
            method: GET sends ``params`` as the query, POST as the JSON body.
            path: such as ``/spot/quotation/v3/ticker``, without a query.
            params: str, int, bool, Decimal, enum members, and for a POST lists and mappings of them; None is dropped.
            auth: the authentication that the path needs.

        Returns:
            The payload as plain JSON values with exact decimals, and the other parts of the reply.
        """
        load_chapters()  # a row may know the path's quota
        return await self._caller.request(method, path, params=params, auth=Auth(auth))
