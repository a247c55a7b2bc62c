"""Check every number that comes from outside: from the wire, a file or a caller.

A number has ASCII digits, is finite, and has at most `MOST_DIGITS` digits on either side of its point. That is far
beyond any amount or id, and a bound is needed: ``1e999999999`` takes eleven bytes to send and a gigabyte to write out,
and Python accepts ``1_000`` and Arabic digits, which no exchange writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation
from functools import reduce
from typing import Final

MOST_DIGITS: Final = 400
"""The most digits of a number before its point, and after it."""
BLANKS: Final = " \t\r\n"
"""The blanks that the wire may have around a number in a text. `exact` accepts none: readers of replies strip them."""

EXACT: Final = Context(prec=4 * MOST_DIGITS, traps=[InvalidOperation, DivisionByZero])
"""The context for sums and differences: the caller's context may have fewer digits than an amount."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII)
_LONGEST_TEXT: Final = 2 * MOST_DIGITS + 20
_BEYOND: Final = 10**MOST_DIGITS


def excerpt(value: object, most: int = 40) -> str:
    """Return a value as an error message shows it, in one short line.

    Args:
        value: any value of a caller or a peer.
        most: the most characters to show.
    """
    if isinstance(value, int) and not -_BEYOND < value < _BEYOND:
        return f"an int of {value.bit_length()} bits"  # it may have more digits than Python agrees to print
    text = repr(value[: most + 1]) if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum of amounts, whatever the caller's decimal context."""
    return reduce(EXACT.add, amounts, Decimal(0))


def is_sane(value: Decimal) -> bool:
    """Return True if a decimal is finite and has at most `MOST_DIGITS` digits on either side of its point."""
    if not value.is_finite() or value.adjusted() >= MOST_DIGITS:
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MOST_DIGITS


def width(value: Decimal) -> tuple[int, int]:
    """Return the number of digits of a decimal before its point, and after it.

    Raises:
        ValueError: the decimal is not finite.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not a finite number: {excerpt(value)}")
    return max(value.adjusted() + 1, 0), max(-exponent, 0)


def exact(value: object) -> Decimal:
    """Return a number as an exact decimal.

    Args:
        value: a ``Decimal``, an ``int`` or the text of a number.

    Raises:
        ValueError: the value has another type, is not a number, is not finite, or has too many digits.
    """
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise ValueError(f"a number of more than {MOST_DIGITS} digits: {excerpt(value)}")
        if _NUMBER.fullmatch(value) is None:
            raise ValueError(f"not a number: {excerpt(value)}")
    elif isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"not a number: {excerpt(value)}")
    elif isinstance(value, int) and not -_BEYOND < value < _BEYOND:
        raise ValueError(f"a number of more than {MOST_DIGITS} digits: {excerpt(value)}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"not a finite number: {excerpt(value)}")
    if not is_sane(number):
        raise ValueError(f"a number of more than {MOST_DIGITS} digits: {excerpt(value)}")
    return number


def whole(value: object) -> int:
    """Return a whole number as an ``int``; raises like `exact`, and for a fraction."""
    if isinstance(value, int) and not isinstance(value, bool) and -_BEYOND < value < _BEYOND:
        return int(value)
    number = exact(value)
    result = int(number)
    if result != number:
        raise ValueError(f"not a whole number: {excerpt(value)}")
    return result
