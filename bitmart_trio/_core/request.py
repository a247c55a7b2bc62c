"""Endpoint and arguments to the exact bytes that are signed and sent; every check that needs no network.

Query and body are built once, here. Nothing downstream encodes them again, so the signature covers what goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Final, cast
from urllib.parse import quote, urlencode

import attrs

from ..errors import InvalidRequest
from ..models import _numbers
from ..models._enums import by_word, spelled
from ..text import encodable
from . import codec
from .endpoint import AtLeastOne, Auth, Endpoint, Entry, ExactlyOne, Kind, Ordered, Param, Rule, When
from .suggest import did_you_mean, suggest

RECV_WINDOW: Final = Param("recv_window", Kind.INT, wire="recvWindow", least=1, most=60_000)
"""Milliseconds a signed request stays valid. Every signed call accepts it; only endpoints that list it send it."""

# A time in seconds reaches this number in the year 5138, one in milliseconds passed it in 1973: it separates the two.
_MILLIS_FROM: Final = 100_000_000_000

_LONGEST_TEXT: Final = 1_000
"""The most characters of a text whose row gives no limit: more than any name, id, address or memo has."""
_LONGEST_TARGET: Final = 8_000
"""The most characters of path and query: what servers commonly accept."""


@attrs.frozen
class WireRequest:
    """The parts of a request on the wire, apart from headers."""

    method: str
    target: str
    """Path, and for a GET the query, percent-encoded."""
    body: bytes
    """Exactly what is sent, and what is signed."""
    client_order_id: str | None = None
    """The client order id of a write that carries one, for a look-up when the outcome stays unknown."""


def build(endpoint: Endpoint[object], arguments: Mapping[str, object], recv_window: int | None = None) -> WireRequest:
    """Check the arguments against the row and spell them.

    Args:
        endpoint: the row.
        arguments: by Python keyword; None means left out, 0 does not.
        recv_window: the value to send where the endpoint lists it and the call gives none.

    Raises:
        InvalidRequest: an argument is wrong; the message names it.
        TypeError: a float was given where an exact amount is required.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    names = {param.name for param in endpoint.params}
    listed = RECV_WINDOW.name in names
    if endpoint.auth is Auth.SIGNED:
        if listed and recv_window is not None:
            given.setdefault(RECV_WINDOW.name, recv_window)
        elif not listed and RECV_WINDOW.name in given:
            _spell(RECV_WINDOW, given.pop(RECV_WINDOW.name), as_query=False)
    else:
        for name in given.keys() - names:
            if suggest(name, (RECV_WINDOW.name,)):
                raise InvalidRequest(
                    f"{endpoint} takes no {name}: only signed calls have a time window, and this one is not signed",
                    argument=name,
                )
    as_query = endpoint.method == "GET"
    params = endpoint.params if listed or endpoint.auth is not Auth.SIGNED else (*endpoint.params, RECV_WINDOW)
    fields = _fields(params, endpoint.rules, given, str(endpoint), as_query)
    order_id = given.get("client_order_id")
    if as_query:
        return WireRequest(endpoint.method, _target(endpoint.path, fields), b"")
    return WireRequest(endpoint.method, endpoint.path, codec.dumps(fields), None if order_id is None else str(order_id))


def build_raw(method: str, path: str, params: Mapping[str, object] | None, *, known: Iterable[str] = ()) -> WireRequest:
    """A request to any path, with parameters spelled as given: only Decimals, enums, datetimes-free JSON values.

    Args:
        method: GET or POST.
        path: the path without a query.
        params: the parameters of the query of a GET, or of the body of a POST.
        known: the existing paths, for the suggestion in an error message.

    Raises:
        InvalidRequest: not a path, or a method other than GET and POST.
        TypeError: a float.
    """
    if method not in ("GET", "POST"):
        raise InvalidRequest(f"method must be GET or POST, not {_excerpt(method)}", argument="method")
    if not path.startswith("/") or any(character in path for character in "?# \r\n"):
        hint = did_you_mean(path, known) if "?" not in path else "give the query as params"
        raise InvalidRequest(
            f"path must start with / and hold no query: {_excerpt(path)}{hint and '; ' + hint}", argument="path"
        )
    _sendable("path", path)
    for name in params or {}:
        _sendable(ascii(name)[1:-1], name)
    fields = {name: _plain(name, value) for name, value in (params or {}).items() if value is not None}
    if method == "GET":
        return WireRequest(method, _target(path, fields), b"")
    return WireRequest(method, path, codec.dumps(fields))


def _excerpt(value: object) -> str:
    return _numbers.excerpt(value, 100)


def _target(path: str, fields: Mapping[str, object]) -> str:
    query = urlencode({name: _query_text(value) for name, value in fields.items()}, quote_via=quote)
    target = f"{path}?{query}" if fields else path
    if len(target) > _LONGEST_TARGET:
        raise InvalidRequest(
            f"a request line has at most {_LONGEST_TARGET:,} characters, not {len(target):,}: {_excerpt(target)}",
            argument=max(fields, key=lambda name: len(_query_text(fields[name])), default="path"),
        )
    return target


def _query_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_query_text(each) for each in cast("list[object]", value))
    return str(value)


def _sendable(name: str, text: str) -> str:
    if not encodable(text):
        raise InvalidRequest(f"{name} has characters that cannot be sent: {_excerpt(text)}", argument=name)
    return text


def _plain(name: str, value: object) -> object:
    if isinstance(value, float):
        raise TypeError(_no_float(name))
    if isinstance(value, Enum):
        return _plain(name, cast("object", value.value))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        members = cast("Mapping[object, object]", value)
        return {_sendable(name, str(key)): _plain(f"{name}.{key}", each) for key, each in members.items()}
    if isinstance(value, list | tuple):
        return [_plain(f"{name}[{index}]", each) for index, each in enumerate(cast("Sequence[object]", value))]
    if isinstance(value, str):
        return _sendable(name, value)
    if isinstance(value, int):
        return value
    raise InvalidRequest(f"{name} cannot be sent: {type(value).__name__}", argument=name)


def _fields(
    params: tuple[Param, ...], rules: tuple[Rule, ...], given: Mapping[str, object], where: str, as_query: bool
) -> dict[str, object]:
    names = {param.name for param in params}
    for name in given:
        if name not in names:
            raise InvalidRequest(f"{where} takes no argument {name}; {_right(name, params)}", argument=name)
    given = {param.name: _number_of(param, given[param.name]) for param in params if param.name in given}
    fields: dict[str, object] = {}
    for param in params:
        if param.name in given:
            fields[param.wire_name] = _spell(param, given[param.name], as_query)
        elif param.required:
            raise InvalidRequest(f"{where} needs {param.name}", argument=param.name)
    times = {
        param.name: fields[param.wire_name]
        for param in params
        if param.kind in (Kind.MILLIS, Kind.SECONDS) and param.name in given
    }
    for rule in rules:
        _check_rule(rule, given, times, where)
    return fields


def _right(name: str, params: tuple[Param, ...]) -> str:
    """What to write instead of an argument that a call does not take."""
    names = [param.name for param in params]
    hint = did_you_mean(name, names)
    return f"it takes {', '.join(names) or 'none'}{'; ' if hint else ''}{hint}"


def _check_rule(rule: Rule, given: Mapping[str, object], times: Mapping[str, object], where: str) -> None:
    match rule:
        case ExactlyOne(names):
            present = [name for name in names if name in given]
            if len(present) != 1:
                got = " and ".join(present) or "none of them"
                raise InvalidRequest(
                    f"{where} needs exactly one of {', '.join(names)}, got {got}",
                    argument=present[1] if len(present) > 1 else names[0],
                )
        case AtLeastOne(names):
            if not any(name in given for name in names):
                raise InvalidRequest(f"{where} needs at least one of {', '.join(names)}", argument=names[0])
        case When(conditions, needs, refuses):
            if all(_wire_value(given.get(name)) in values for name, values in conditions):
                because = " and ".join(
                    f"{name} is {_wire_value(given.get(name)) or 'left out'}" for name, _ in conditions
                )
                for name in needs:
                    if name not in given:
                        raise InvalidRequest(f"{where} needs {name} when {because}", argument=name)
                for name in refuses:
                    if name in given:
                        raise InvalidRequest(f"{where} takes no {name} when {because}", argument=name)
        case Ordered(first, second):
            if first in times and second in times:
                # Compare the spelled values: the caller may mix datetimes and numbers.
                ahead = int(str(times[second])) - int(str(times[first]))
                if ahead < 0 or (ahead == 0 and not rule.or_equal):
                    raise InvalidRequest(f"{where}: {first} must lie before {second}", argument=second)


def _wire_value(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def _no_float(name: str) -> str:
    return f"{name}: a float is not exact; give a Decimal, an int or a str"


def _spell(param: Param, value: object, as_query: bool) -> object:
    """One argument as its wire value."""
    name = param.name
    if param.choices is not None:
        return _choice(param, param.choices, value, as_query)
    match param.kind:
        case Kind.TEXT:
            return _text(param, value)
        case Kind.INT:
            whole = _whole(name, value)
            _bounds(param, whole)
            return str(whole) if param.text and not as_query else whole
        case Kind.DECIMAL:
            return _amount(param, value, as_query)
        case Kind.BOOL:
            if not isinstance(value, bool):
                raise InvalidRequest(f"{name} must be True or False, not {_excerpt(value)}", argument=name)
            return value
        case Kind.MILLIS | Kind.SECONDS:
            time = _time(param, value)
            return str(time) if param.text and not as_query else time
        case Kind.TEXTS:
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise InvalidRequest(f"{name} must be a list of texts", argument=name)
            texts = [_text(param, each) for each in cast("Iterable[object]", value)]
            _bounds(param, len(texts), "entries")
            return texts
        case Kind.ENTRIES:
            return _entries(param, value)


def _number_of(param: Param, value: object) -> object:
    """The value, or the number that it is a word for: 1 for the side ``buy_open_long``."""
    if param.kind is not Kind.INT or param.choices is None or not isinstance(value, str):
        return value
    return by_word(param.choices, value)


@cache
def _members(choices: type[Enum] | tuple[Enum, ...]) -> tuple[tuple[Enum, ...], tuple[object, ...]]:
    members = tuple(choices)
    return members, tuple(member.value for member in members)


def _choice(param: Param, choices: type[Enum] | tuple[Enum, ...], value: object, as_query: bool) -> object:
    name, (members, values) = param.name, _members(choices)
    # A word means the same in every enumeration (a limit order is "limit"), a number does not.
    if isinstance(value, Enum) and not isinstance(value, (type(members[0]), str)):
        raise InvalidRequest(f"{name} must be a {type(members[0]).__name__}, not {_excerpt(value)}", argument=name)
    wire = _wire_value(value)
    made_from_a_reply = isinstance(choices, type) and isinstance(value, choices)  # its value may be unknown to us
    if not made_from_a_reply and (isinstance(wire, bool) or wire not in values):
        raise InvalidRequest(f"{name} must be one of {spelled(members)}, not {_excerpt(value)}", argument=name)
    if isinstance(wire, str):
        return _sendable(name, wire)
    return str(wire) if param.text and not as_query else wire


def _text(param: Param, value: object) -> object:
    name = param.name
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidRequest(f"{name} must be a str, not {type(value).__name__}", argument=name)
    text = _sendable(name, str(value))
    if not text:
        raise InvalidRequest(f"{name} must not be blank", argument=name)
    longest = _LONGEST_TEXT if param.max_length is None else param.max_length
    if len(text) > longest:
        raise InvalidRequest(f"{name} may have at most {longest:,} characters, not {len(text):,}", argument=name)
    if param.pattern is not None and re.fullmatch(param.pattern, text) is None:
        raise InvalidRequest(f"{name} must match {param.pattern}: {_excerpt(text)}", argument=name)
    if param.number:
        if not (text.isascii() and text.isdigit()):
            raise InvalidRequest(f"{name} must be digits: {_excerpt(text)}", argument=name)
        return int(text)
    return text


def _whole(name: str, value: object) -> int:
    if isinstance(value, float):
        raise TypeError(_no_float(name))
    try:
        if isinstance(value, int | Decimal) or (isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value)):
            return _numbers.whole(value)
    except ValueError:
        pass
    raise InvalidRequest(f"{name} must be a whole number, not {_excerpt(value)}", argument=name)


def _bounds(param: Param, value: int | Decimal, unit: str = "") -> None:
    what = f"{param.name} must have" if unit else f"{param.name} must be"
    if param.least is not None and value < param.least and not (param.zero and value == 0):
        raise InvalidRequest(
            f"{what} {'0 or ' if param.zero else ''}at least {param.least} {unit}".rstrip() + f", not {value}",
            argument=param.name,
        )
    if param.most is not None and value > param.most:
        raise InvalidRequest(f"{what} at most {param.most} {unit}".rstrip() + f", not {value}", argument=param.name)


def decimal(name: str, value: object) -> Decimal:
    """An exact amount from what a caller may give.

    Raises:
        TypeError: a float.
        InvalidRequest: not a finite number.
    """
    if isinstance(value, float):
        raise TypeError(_no_float(name))
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise InvalidRequest(f"{name} must be a Decimal, int or str, not {type(value).__name__}", argument=name)
    try:
        return _numbers.exact(value)
    except ValueError as error:
        raise InvalidRequest(f"{name}: {error}", argument=name) from None


def _amount(param: Param, value: object, as_query: bool) -> object:
    amount = decimal(param.name, value)
    if param.positive and amount <= 0:
        raise InvalidRequest(f"{param.name} must be above 0, not {amount}", argument=param.name)
    _bounds(param, amount)
    # Not str(): it writes 0.00000001 as 1E-8.
    return codec.number(amount) if param.number and not as_query else format(amount, "f")


def _time(param: Param, value: object) -> int:
    name = param.name
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidRequest(f"{name}: the datetime has no time zone", argument=name)
        elapsed = value - datetime(1970, 1, 1, tzinfo=UTC)
        millis = (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
        return millis if param.kind is Kind.MILLIS else millis // 1000
    time = _whole(name, value)
    if param.kind is Kind.MILLIS and 0 < time < _MILLIS_FROM:
        raise InvalidRequest(f"{name} is in milliseconds; {time} looks like seconds", argument=name)
    if param.kind is Kind.SECONDS and time >= _MILLIS_FROM:
        raise InvalidRequest(f"{name} is in seconds; {time} looks like milliseconds", argument=name)
    if time < 0:
        raise InvalidRequest(f"{name} must not be negative", argument=name)
    return time


def _entries(param: Param, value: object) -> list[dict[str, object]]:
    entry: Entry = param.entry if param.entry is not None else Entry(())
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise InvalidRequest(f"{param.name} must be a list", argument=param.name)
    spelled: list[dict[str, object]] = []
    for index, each in enumerate(cast("Iterable[object]", value)):
        where = f"{param.name}[{index}]"
        model = type(each)
        if isinstance(each, Mapping):
            given = {str(name): item for name, item in cast("Mapping[object, object]", each).items()}
        elif attrs.has(model):
            given = {field.name: getattr(each, field.name) for field in attrs.fields(model)}
        else:
            raise InvalidRequest(
                f"{where} must be a request object or a mapping, not {model.__name__}", argument=param.name
            )
        members = {name: item for name, item in given.items() if item is not None}
        spelled.append(_fields(entry.params, entry.rules, members, where, as_query=False))
    _bounds(param, len(spelled), "entries")
    return spelled
