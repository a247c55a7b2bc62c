"""What one reply says: answered, refused, failed or unreadable. Pure, so that a verification judges as the run did.

A reply answers only if it is JSON of the API with code 1000 (or a documented "no data") in which the list that is asked
for is there: null and [] are empty, a missing list is no answer. Only a documented code in a JSON reply of the API
refuses. Everything else, pages of the network in front of the exchange above all, has failed.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final, Literal, TypeAlias, cast, get_origin

import attrs

from ... import endpoints
from ..._core import codec, dialect
from ..._core.endpoint import Endpoint
from ...errors import CODES
from ...models._fields import WIRE
from ...models.broker import BrokerRebates
from .._futures_table import WALKS as FUTURES_WALKS
from .._spot_table import OPEN
from .._spot_table import WALKS as SPOT_WALKS
from .._walk import Walk
from ._codes import Refusal, advice, refusal

State: TypeAlias = Literal["answered", "not_offered", "not_permitted", "failed", "unreadable"]

_TITLE: Final = re.compile(rb"<title[^>]*>(.{0,200}?)</title>", re.IGNORECASE | re.DOTALL)


@attrs.frozen
class Judgement:
    """What a reply says."""

    state: State
    code: int = 0
    """The exchange's code; 0 without one."""
    reason: str = ""
    """Why it is no answer, and what the owner can do, for a person."""
    records: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    """The records as raw JSON, exactly as they came, in the order of the reply; of a look that is no list: its data."""
    total: int | None = None
    """How many records fit the question, where the reply says so."""
    too_old: bool = False
    """The reason is the age of the window: no later try changes it, and newer windows may well be answered."""


def find_endpoint(name: str) -> Endpoint[object]:
    """The row of an endpoint by its name, such as ``spot.market.ticker``."""
    market, chapter, method = name.split(".")
    return cast("Endpoint[object]", getattr(getattr(getattr(endpoints, market), chapter), method))


def find_walk(name: str) -> Walk[object, object]:
    """The row of a history by its endpoint's name."""
    rows = (*SPOT_WALKS, *FUTURES_WALKS, *OPEN)
    return next(row for row in rows if row.name == name)


def judge(name: str, status: int | None, body: bytes, error: str = "") -> Judgement:
    """Judge one reply.

    Args:
        name: of the endpoint that was asked, such as ``spot.trading.trades``.
        status: the HTTP status; None when no whole reply came.
        body: the exact body.
        error: why no whole reply came.
    """
    if status is None:
        return Judgement("failed", reason=error or "no whole reply came")
    endpoint = find_endpoint(name)
    try:
        answer = dialect.unwrap(endpoint.envelope, body)
    except codec.DecodeError:
        return Judgement("failed", reason=_not_the_api(status, body))
    if answer.ok:
        if status >= 300:
            return Judgement("failed", answer.code, f"HTTP {status} with a good code is no answer")
        return _answered(endpoint, answer.data, answer.message)
    return _refused(name, status, answer.code, answer.message)


def _refused(name: str, status: int, code: int, message: str) -> Judgement:
    meaning = CODES[code].meaning if code in CODES else "a code that no source documents"
    reason = f"{code} {message} ({meaning})"
    found = refusal(code)
    if found is Refusal.NO_DATA:
        return Judgement("answered", code)
    if found is None or status in (418, 429) or status >= 500:
        return Judgement("failed", code, f"HTTP {status}: {reason}")
    if found is Refusal.TOO_OLD:
        return Judgement("failed", code, f"the exchange refuses it: {reason}", too_old=True)
    what = advice(code, name)
    return Judgement(
        "not_offered" if found is Refusal.NOT_OFFERED else "not_permitted",
        code,
        f"{reason}: {what}" if what else reason,
    )


def _not_the_api(status: int, body: bytes) -> str:
    title = _TITLE.search(body[:4096])
    said = " ".join(title[1].decode(errors="replace").split()) if title else ""
    if not body.strip():
        return f"HTTP {status} with an empty body"
    return f"HTTP {status} with what is no reply of the API" + (f": {said}" if said else "")


# ---- where the records are ------------------------------------------------------------------------------------------


@attrs.frozen
class _Shape:
    """Where in ``data`` the records of an endpoint are."""

    path: tuple[str, ...]
    listed: bool
    """Whether a list is there."""
    total: bool
    """Whether its neighbour ``total`` counts the records."""
    days: bool = False
    """Whether it is an object of lists by day."""


@cache
def _shape(endpoint: Endpoint[object]) -> _Shape:
    returns: object = endpoint.returns
    if get_origin(returns) is list:
        return _Shape(endpoint.at, listed=True, total=False)
    if returns is BrokerRebates:
        return _Shape((*endpoint.at, "rebates"), listed=True, total=False, days=True)
    if isinstance(returns, type) and attrs.has(returns):
        attrs.resolve_types(returns)
        fields = attrs.fields(returns)
        lists = [field for field in fields if get_origin(field.type) is list]
        counts = any(field.name == "total" for field in fields)
        if counts and len(lists) == 1:
            member = str(lists[0].metadata.get(WIRE) or lists[0].name)
            return _Shape((*endpoint.at, member), listed=True, total=True)
    return _Shape(endpoint.at, listed=False, total=False)


def _answered(endpoint: Endpoint[object], data: bytes, message: str) -> Judgement:
    shape = _shape(endpoint)
    total: int | None = None
    said = f" ({message})" if message else ""
    at = data
    try:
        for depth, member in enumerate(shape.path, 1):
            if codec.is_null(at):
                # The whole payload is null, which is one spelling of "nothing".
                at = b"null" if at.strip() else b""
                break
            within = codec.members(at)
            if member not in within:
                return Judgement("failed", dialect.GOOD, f"code 1000 without {'.'.join(shape.path[:depth])}{said}")
            if shape.total and depth == len(shape.path):
                total = _whole(within.get("total"))
            at = bytes(within[member])
        if not at.strip():
            return Judgement("failed", dialect.GOOD, f"code 1000 without data{said}")
        if not shape.listed:
            codec.loads(at)
            return Judgement("answered", dialect.GOOD, records=() if codec.is_null(at) else (bytes(at),))
        if codec.is_null(at):
            return Judgement("answered", dialect.GOOD, total=total)
        records = _days(at) if shape.days else [bytes(each) for each in codec.elements(at)]
    except codec.DecodeError as error:
        return Judgement("unreadable", dialect.GOOD, f"code 1000 with what is no list of records: {error}")
    odd = sum(not each.lstrip().startswith((b"{", b"[")) for each in records)
    if odd:
        return Judgement(
            "unreadable", dialect.GOOD, f"{odd} of {len(records)} records are no objects", tuple(records), total
        )
    return Judgement("answered", dialect.GOOD, records=tuple(records), total=total)


def _days(data: bytes) -> list[bytes]:
    """Lists by day, each record as ``[day, record]``: the day is a part of what it says."""
    return [
        b"[%s,%s]" % (json.dumps(day).encode(), bytes(each))
        for day, entries in codec.members(data).items()
        if not codec.is_null(entries)
        for each in codec.elements(bytes(entries))
    ]


def _whole(value: codec.Raw | None) -> int | None:
    try:
        told = None if value is None else codec.loads(bytes(value))
    except codec.DecodeError:
        return None
    if isinstance(told, str) and told.isascii() and told.isdigit():
        told = int(told) if len(told) < 16 else None
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None
