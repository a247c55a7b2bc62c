"""What JSON is made of here, and how it is written."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Decimal | list[Json] | dict[str, Json] | None"
"""What an answer is made of. A Decimal travels as text; a float, as a number, only in the affiliate chapter."""


def encode(value: Json) -> bytes:
    """Compact JSON; Decimals become strings in plain notation, as everywhere on this wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} does not belong into JSON")
