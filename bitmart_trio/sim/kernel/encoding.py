"""JSON values, and how they are written."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TypeAlias, cast

from .numbers import read_decimal, read_integer

Json: TypeAlias = "bool | int | float | str | Decimal | list[Json] | dict[str, Json] | None"
"""The values of an answer. A Decimal travels as text; a float, as a number, only in the affiliate chapter."""


def encode(value: Json) -> bytes:
    """Compact JSON; Decimals become strings in plain notation, as everywhere on this wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


MOST_BRACKETS = 200
"""Deeper messages than any honest one, and shallower than what Python cannot write."""


def read_object(text: str) -> dict[str, Json] | None:
    """A text as a JSON object that can be sent back as it is; None when it is none."""
    if text.count("{") + text.count("[") > MOST_BRACKETS:
        return None
    try:
        message = json.loads(text, parse_float=read_decimal, parse_int=read_integer, parse_constant=_no_constant)
        encode(message)  # half a surrogate pair can be read, but not be sent back
    except ValueError:
        return None
    return cast("dict[str, Json]", message) if isinstance(message, dict) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} does not belong into JSON")
