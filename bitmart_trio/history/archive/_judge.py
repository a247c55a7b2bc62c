"""Judge one reply: answered, refused, failed or unreadable. Pure, so that a verification judges like the run.

A reply is an answer only if it is JSON of the API with code 1000 (or a documented "no data") and contains the requested
list: null and [] are empty lists, a missing list is no answer. Only a documented code in a JSON reply of the API
refuses. Everything else, above all pages of the network in front of the exchange, counts as failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast, get_origin

import attrs

from ..._bitmart.rest import GOOD
from ..._core.endpoint import Auth, Endpoint
from ...errors import (
    CODES,
    ApiError,
    AuthenticationError,
    ClockOutOfSync,
    ExchangeFault,
    InvalidSymbol,
    RateLimited,
    ServiceUnavailable,
)
from ...models._fields import WIRE
from .._futures_table import WALKS as FUTURES_WALKS
from .._spot_table import OPEN
from .._spot_table import WALKS as SPOT_WALKS
from .._walk import Walk
from ._codes import Refusal, advice, refusal
from ._entries import State
from ._kinds import find_endpoint, kinds
from ._wire import Answer, NotReadable, Wire, answer, below

_TITLE: Final = re.compile(rb"<title[^>]*>(.{0,200}?)</title>", re.IGNORECASE | re.DOTALL)
_PASSING: Final = (RateLimited, ServiceUnavailable, ExchangeFault, ClockOutOfSync)
"""Transient refusals: a later try may be answered."""


@attrs.frozen
class Judgement:
    """The judgement of a reply."""

    state: State
    code: int = 0
    """The exchange's code; 0 if there is none."""
    reason: str = ""
    """Why the reply is no answer, and what the owner can do; for the user."""
    records: tuple[Wire, ...] = attrs.field(default=(), repr=False)
    """The records in the order of the reply; for a look that is not a list, its data."""
    total: int | None = None
    """The number of records that fit the request, if the reply has it."""
    too_old: bool = False
    """True if the window is too old: a retry would not help, but newer windows may well be answered."""
    again: bool = True
    """True if a later try may be answered."""
    key_refused: bool = False
    """True if the key does not work at all."""


def find_walk(name: str) -> Walk[object, object]:
    """The row of a history by its endpoint's name."""
    rows = (*SPOT_WALKS, *FUTURES_WALKS, *OPEN)
    return next(row for row in rows if row.name == name)


def judge(name: str, status: int | None, body: bytes, error: str = "") -> Judgement:
    """Judge one reply of the exchange.

    Args:
        name: the name of the endpoint, such as ``spot.trading.trades``.
        status: the HTTP status; None when no whole reply came.
        body: the exact body.
        error: why no whole reply came.
    """
    if status is None:
        return Judgement(State.FAILED, reason=error or "no whole reply came")
    endpoint = find_endpoint(name)
    try:
        found = answer(endpoint, status, body)
    except NotReadable:
        return Judgement(State.FAILED, reason=_not_the_api(status, body))
    if found.code == GOOD:
        if not found.good or status >= 300:
            return Judgement(State.FAILED, found.code, f"HTTP {status} with a good code is no answer")
        return _answered(name, endpoint, found)
    return _refused(name, endpoint, status, found)


def _refused(name: str, endpoint: Endpoint[object], status: int, found: Answer) -> Judgement:
    code = found.code
    row = CODES.get(code)
    reason = f"{code} {found.message} ({'a code that no source documents' if row is None else row.meaning})"
    meaning = refusal(code, name)
    troubled = status in (418, 429) or status >= 500
    if meaning is Refusal.NO_DATA and not troubled:
        return Judgement(State.ANSWERED, code)
    error: type[ApiError] = ApiError if row is None else row.error
    if meaning is None and endpoint.auth is Auth.NONE and issubclass(error, InvalidSymbol):
        meaning = Refusal.NOT_OFFERED  # the market is gone, and with it all of its records
    if meaning is None or troubled:
        again = row is None or meaning is not None or issubclass(error, _PASSING)
        key_refused = issubclass(error, AuthenticationError) and status < 500
        return Judgement(State.FAILED, code, f"HTTP {status}: {reason}", again=again, key_refused=key_refused)
    if meaning is Refusal.TOO_OLD:
        return Judgement(
            State.FAILED, code, f"the exchange refuses what is so long ago: {reason}", too_old=True, again=False
        )
    state = State.NOT_OFFERED if meaning is Refusal.NOT_OFFERED else State.NOT_PERMITTED
    what = advice(code, name)
    return Judgement(state, code, f"{reason}: {what}" if what else reason, again=False)


def _not_the_api(status: int, body: bytes) -> str:
    title = _TITLE.search(body[:4096])
    said = " ".join(title[1].decode(errors="replace").split()) if title else ""
    if not body.strip():
        return f"HTTP {status} with an empty body"
    return f"HTTP {status} with what is no reply of the API" + (f": {said}" if said else "")


def _answered(name: str, endpoint: Endpoint[object], found: Answer) -> Judgement:
    kind = kinds().get(name)
    said = f" ({found.message})" if found.message else ""
    if found.missing:
        return Judgement(State.FAILED, found.code, f"code 1000 without data{said}")
    try:
        if kind is not None:
            records, total = kind.records(found.data), kind.said_total(found.data)
        else:
            records, total = _looked(endpoint, found.data)
    except NotReadable as error:
        # The exchange sends {} when a service is down.
        state = State.FAILED if isinstance(found.data, Mapping) and not found.data else State.UNREADABLE
        return Judgement(state, found.code, f"code 1000 without what was asked for: {error}{said}")
    odd = sum(not isinstance(each, Mapping | list) for each in records) if kind is not None else 0
    if odd:
        reason = f"{odd} of {len(records)} records are no objects"
        return Judgement(State.UNREADABLE, found.code, reason, tuple(records), total)
    return Judgement(State.ANSWERED, found.code, records=tuple(records), total=total)


@attrs.frozen
class _Shape:
    """Where in the payload of a look its list is."""

    path: tuple[str, ...]
    listed: bool
    total: bool
    """Whether its neighbour ``total`` counts the entries."""


@cache
def _shape(endpoint: Endpoint[object]) -> _Shape:
    returns: Any = endpoint.returns
    if get_origin(returns) is list:
        return _Shape(endpoint.at, listed=True, total=False)
    if isinstance(returns, type) and attrs.has(returns):
        attrs.resolve_types(returns)
        fields = attrs.fields(returns)
        lists = [field for field in fields if get_origin(field.type) is list]
        if len(lists) == 1 and any(field.name == "total" for field in fields):
            member = str(lists[0].metadata.get(WIRE) or lists[0].name)
            return _Shape((*endpoint.at, member), listed=True, total=True)
    return _Shape(endpoint.at, listed=False, total=False)


def _looked(endpoint: Endpoint[object], data: Wire) -> tuple[list[Wire], int | None]:
    """The entries of a look, or its one object.

    Raises:
        NotReadable: the requested data is missing.
    """
    shape = _shape(endpoint)
    within = below(data, shape.path)
    if shape.listed:
        if within is not None and not isinstance(within, list):
            raise NotReadable("there is no list in it")
        count = data.get("total") if shape.total and isinstance(data, Mapping) else None
        text = str(count)
        return list(within or ()), int(text) if text.isdecimal() and len(text) < 16 else None
    if not isinstance(within, Mapping) or not within:
        raise NotReadable("there is no object in it")
    return [cast("Wire", within)], None
