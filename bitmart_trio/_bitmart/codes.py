"""Map BitMart's codes to exceptions and to the actions of the REST pipeline. The tables are in `errors`."""

from __future__ import annotations

from typing import Final

from .._core.dialect import Codes
from ..errors import CODES, ApiError, InsufficientBalance, InvalidSymbol, PositionRefused

# 40012 is the catch-all code of futures: only its message says what happened (recorded 2023 to 2026).
_CATCH_ALL: Final = 40012
_CATCH_ALL_WORDS: Final[tuple[tuple[str, type[ApiError]], ...]] = (
    ("symbol_not_exist", InvalidSymbol),
    ("balance", InsufficientBalance),
    ("leverage", PositionRefused),
    ("margin", PositionRefused),
)


def _named(code: int, message: str) -> type[ApiError] | None:
    if code == _CATCH_ALL:
        words = message.lower()
        for word, error in _CATCH_ALL_WORDS:
            if word in words:
                return error
    row = CODES.get(code)
    return None if row is None else row.error


MEANINGS: Final = Codes(documented=CODES, clock=frozenset({30007}), too_many=frozenset({30013}), named=_named)
"""The meanings of the codes of both markets."""
