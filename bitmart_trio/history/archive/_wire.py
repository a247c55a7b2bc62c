"""Replies as JSON values, digit for digit, and one spelling for each value.

A record's identity is its content, so equal contents must have the same spelling: members sorted, no whitespace, ASCII,
and numbers by their digits (``1.50`` is not ``1.5``: the exchange may mean the difference).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Final, TypeAlias, cast

import attrs

from ..._bitmart.rest import REST
from ..._core import codec
from ..._core.dialect import Unwrapped
from ..._core.endpoint import Endpoint
from ...errors import NoData
from ...models._numbers import MOST_DIGITS, exact, whole

Wire: TypeAlias = "Mapping[str, Wire] | list[Wire] | str | int | Decimal | bool | None"
"""A JSON value: fractions are `Decimal`, whole numbers ``int``."""

_DEEPEST: Final = 64
"""The most levels of a reply: deeper values are kept as text. A reply of the exchange has fewer than ten levels."""
_TOKENS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class NotReadable(ValueError):
    """A reply is not what the API sends."""


def _fraction(digits: str) -> Decimal | str:
    try:
        return exact(digits)
    except ValueError:
        return digits


def _whole(digits: str) -> int | str:
    try:
        return whole(int(digits) if len(digits) <= MOST_DIGITS else digits)
    except ValueError:
        return digits


_READER: Final = json.JSONDecoder(parse_float=_fraction, parse_int=_whole, parse_constant=str)
_LENIENT: Final = json.JSONDecoder(parse_float=_fraction, parse_int=_whole, parse_constant=str, strict=False)


def loads(data: bytes) -> Wire:
    """A JSON value. A number beyond all bounds is the text of its digits.

    Raises:
        NotReadable: the data is not JSON, or is nested too deep.
    """
    try:
        found = cast("Wire", _READER.decode(data.decode().strip()))
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"not JSON ({type(error).__name__})") from error
    if _is_deep(found):
        raise NotReadable("nested too deep")
    return found


def _is_deep(value: Wire) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        # The reader makes only dicts, and a check for dict is much faster than one for any Mapping.
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def _mended(body: bytes) -> bytes:
    """A reply without what no reader takes, so that one odd member does not lose the other records.

    That is: a byte that is not UTF-8, a bare control character, half a surrogate pair, NaN, a value nested too deep.

    Raises:
        NotReadable: the rest is not JSON either.
    """
    text = body.decode("utf-8", "surrogateescape").strip()
    try:
        found = cast("Wire", _LENIENT.decode(_flattened(text)))
        return canonical(_tame(found)).encode("ascii")
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"not JSON ({type(error).__name__})") from error


def _flattened(text: str) -> str:
    """JSON in which what is nested too deep is a text."""
    parts: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == _DEEPEST:
                parts.append(text[start : token.start()])
                start = token.start()
        elif token[0] in ("]", "}"):
            if depth == _DEEPEST:
                parts.append(json.dumps(text[start : token.end()]))
                start = token.end()
            depth -= 1
    return "".join(parts) + text[start:]


def canonical(value: Wire) -> str:
    """The one spelling of a value.

    Raises:
        NotReadable: the value is nested too deep.
    """
    try:
        return _spelled(value)
    except RecursionError as error:
        raise NotReadable("nested too deep") from error


def _spelled(value: Wire) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, Mapping):
        members = [f"{encode_basestring_ascii(name)}:{_spelled(value[name])}" for name in sorted(value)]
        return "{" + ",".join(members) + "}"
    return "[" + ",".join(map(_spelled, value)) + "]"


def storable(text: str) -> str:
    """A text that UTF-8 can spell: half of a surrogate pair, which JSON can name, is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _tame(value: Wire) -> Wire:
    """A value whose texts every reader can read; one that is nested too deep raises `RecursionError`."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(name): _tame(each) for name, each in value.items()}
    return [_tame(each) for each in value] if isinstance(value, list) else value


@attrs.frozen
class Answer:
    """A reply out of its envelope."""

    code: int
    """The code of the reply: 1000 is good; 0 if there is none."""
    message: str
    good: bool
    empty: bool
    """True if the exchange reports that there are no such records."""
    data: Wire
    """The payload; None if it is null or missing."""
    missing: bool
    """True if the payload is missing, rather than null."""


def answer(endpoint: Endpoint[object], status: int, body: bytes) -> Answer:
    """Read a reply of the exchange.

    Raises:
        NotReadable: the reply does not come from the API, or does not match it.
    """
    try:
        found, data = _opened(endpoint, status, body)
    except (codec.DecodeError, NotReadable, RecursionError):
        try:
            found, data = _opened(endpoint, status, _mended(body))
        except (codec.DecodeError, NotReadable, RecursionError) as error:
            raise NotReadable(f"HTTP {status} without a reply of the API") from error
    good = found.ok and status < 400
    empty = not good and issubclass(REST.codes.error_class(found.code, found.message, status), NoData)
    return Answer(found.code, found.message, good, empty, data, not found.data.strip())


def _opened(endpoint: Endpoint[object], status: int, body: bytes) -> tuple[Unwrapped, Wire]:
    found = REST.unwrap(endpoint.envelope, body)
    return found, loads(found.data) if found.ok and status < 400 and found.data.strip() else None


def below(data: Wire, path: tuple[str, ...]) -> Wire:
    """Return the value at a path of members.

    Raises:
        NotReadable: a member is missing. (A null along the path counts as an empty value.)
    """
    for name in path:
        if data is None:
            return None
        if not isinstance(data, Mapping) or name not in data:
            raise NotReadable(f"there is no {name!r} in it")
        data = data[name]
    return data
