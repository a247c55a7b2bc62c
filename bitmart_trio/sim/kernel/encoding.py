"""Define JSON values and their encoding."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TypeAlias, cast

from .numbers import read_decimal, read_integer

Json: TypeAlias = "bool | int | float | str | Decimal | list[Json] | dict[str, Json] | None"
"""The values of an answer. A Decimal is sent as text; a float, as a number, only in the affiliate chapter."""


def encode(value: Json) -> bytes:
    """Return compact JSON; Decimals become strings in plain notation, as everywhere on this wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


MOST_BRACKETS = 200
"""A nesting depth above that of any real message, and below the one at which Python cannot encode."""


def read_object(text: str) -> dict[str, Json] | None:
    """Return a JSON object that can be encoded again; None if the text is not one."""
    if text.count("{") + text.count("[") > MOST_BRACKETS:
        return None
    try:
        message = json.loads(text, parse_float=read_decimal, parse_int=read_integer, parse_constant=_no_constant)
        encode(message)  # half a surrogate pair can be decoded, but not encoded
    except ValueError:
        return None
    return cast("dict[str, Json]", message) if isinstance(message, dict) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} does not belong into JSON")
