"""Check every number that reaches the simulated exchange from a request, a file or a caller.

A valid number is written in ASCII digits, is finite, and has at most `MOST_DIGITS` digits on either side of its point.
The check is needed because Python also reads ``1_000`` and Arabic digits, and because ``1e999999999`` is eleven bytes
to send and a gigabyte to write out.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

MOST_DIGITS: Final = 400
"""The maximum number of digits before the point, and after it."""

_FORM: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,400}")
_LONGEST: Final = 2 * MOST_DIGITS + 20


class NumberError(ValueError):
    """The value is not a number that an exchange accepts."""


def read_decimal(value: Decimal | int | str) -> Decimal:
    """Return a number exactly as given.

    Raises:
        NumberError: the value is not a number, is not finite, or has too many digits.
    """
    if isinstance(value, str) and (len(value) > _LONGEST or _FORM.fullmatch(value) is None):
        raise NumberError("that is no number")
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise NumberError("that number has too many digits")
    number = Decimal(value)
    if not number.is_finite():
        raise NumberError("that is no number")
    exponent = number.as_tuple().exponent
    # The exponent matters for zero too: 0e999999999 is written out as a gigabyte of zeros.
    if not isinstance(exponent, int) or max(number.adjusted() + 1, exponent + 1, -exponent) > MOST_DIGITS:
        raise NumberError("that number has too many digits")
    return number


def read_integer(text: str) -> int:
    """Return a whole number, written without point or exponent.

    Raises:
        NumberError: the value is not a whole number, or has too many digits.
    """
    if _WHOLE.fullmatch(text) is None:
        raise NumberError("that is no whole number")
    return int(text)
