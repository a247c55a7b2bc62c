"""What is looked at in JSON before an engine reads it: how deep it nests, and numbers that no decoder is to make.

The bounds are ours, not the interpreter's: its recursion limit differs between versions, and so does the number of
digits that it reads. The rule for a single number is in ``models/_numbers.py``; here is what finds, in bytes and
without reading them, that there may be one that breaks it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Container
from typing import Final

from ..models._numbers import MOST_DIGITS

MOST_NESTED: Final = 64
"""Levels of arrays and objects in each other. No reply of the exchange has more than eight."""

_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

# Every so many bytes one is looked at: a longer run of digits covers a row of them.
_STRIDE: Final = 20
_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_ROW: Final = b"0" * (MOST_DIGITS // _STRIDE)
_SHORT_ROW: Final = b"0" * (MOST_DIGITS // (2 * _STRIDE))
_RUN: Final = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))
_LONG: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")|(-?[0-9][-+.0-9eE]{%d,})' % MOST_DIGITS, re.DOTALL)

_SURROGATES: Final = re.compile(
    rb"\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

# Python reads 1_000, and digits and spaces of any script, as numbers. (The patterns begin with the character that the
# engine can search for fast, and then look back.)
_UNDERSCORE: Final = re.compile(rb'_(?:(?<=[-+".0-9_]_)[-+".0-9]|(?<=[eE]_)[-+0-9_]+"(?!\s*:))')
_FOREIGN: Final = re.compile(r"(?![\x00-\x7f])[\d\s]")
# Of text in lower case.
_EXPONENT: Final = re.compile(rb"e(?<=[0-9.]e)[-+]?[0-9]")
_NOT_LETTERS: Final = bytes(set(range(256)) - set(string.ascii_letters.encode()))
_NOT_FINITE: Final = re.compile(rb'"\s*[+-]?(?:s?nan\d*|inf(?:inity)?)\s*"')


def is_too_deep(data: bytes) -> bool:
    """Return whether JSON nests deeper than `MOST_NESTED`."""
    if len(data) <= MOST_NESTED or data.count(b"[") + data.count(b"{") <= MOST_NESTED:
        return False
    left = data.translate(_ALIKE, _NO_BRACKETS)
    for _ in range(MOST_NESTED):  # each turn takes the innermost level away
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    # What is left nests too deep, is not JSON, or holds brackets in its texts.
    return bool(left) and _depth(data) > MOST_NESTED


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(data):
        match token[0]:
            case b"[" | b"{":
                depth += 1
                deepest = max(deepest, depth)
            case b"]" | b"}":
                depth -= 1
            case _:
                pass
    return deepest


def has_long_run(data: bytes) -> bool:
    """Return whether more than `MOST_DIGITS` digits stand in a row."""
    if len(data) <= MOST_DIGITS or _SHORT_ROW not in data[:: 2 * _STRIDE].translate(_ZEROS):
        return False
    return _ROW in data[::_STRIDE].translate(_ZEROS) and _RUN.search(data) is not None


def without_long_numbers(data: bytes) -> bytes:
    """Return JSON with its very long numbers as texts of the same characters."""
    if not has_long_run(data):
        return data
    return _LONG.sub(lambda found: found[1] or b'"' + found[2] + b'"', data)


def without_lone_surrogates(data: bytes) -> bytes:
    """Return JSON with escapes that are half a character replaced: engines refuse the whole text for one."""
    return _SURROGATES.sub(lambda found: rb"\ufffd" if found[1] else found[0], data) if b"\\u" in data else data


def has_odd_digits(data: bytes) -> bool:
    """Return whether JSON may spell a number in a way that Python reads and no exchange writes."""
    if _UNDERSCORE.search(data) is not None or (b"\\" in data and b"\\u" in data):
        return True
    return not data.isascii() and _FOREIGN.search(data.decode(errors="replace")) is not None


def has_odd_numbers(data: bytes) -> bool:
    """Return whether JSON may spell NaN, Infinity or a number with an exponent."""
    # The letters alone are few, and mostly say that there is nothing to look for.
    letters = data.translate(None, _NOT_LETTERS).lower()
    if (b"nan" in letters or b"inf" in letters) and _NOT_FINITE.search(data.lower()) is not None:
        return True
    return b"e" in letters and _EXPONENT.search(data.lower()) is not None


DIGITS: Final = b"0123456789."
"""What a message is without is its shape: a few of them make up all that a channel sends."""
_MOST_SHAPES: Final = 1024
_LONGEST_SHAPED: Final = 2048
# In a shape: a value that would be a number with other digits in it. Names that differ in digits have one shape.
_RISKY: Final = re.compile(
    rb'[:,\[]\s*(?:"[-+ ]*(?:[-+ e_]*[e_][-+ e_]*|s?nan|inf(?:inity)?)\s*"|[-+]*e)', re.IGNORECASE
)


def number_guard() -> tuple[Container[bytes], Callable[[bytes], bool]]:
    """Return a function that tells JSON in which every number is sure to keep to the rule, from what needs a look.

    Before it the shapes that it remembers: JSON of at most `MOST_DIGITS` bytes which, without `DIGITS`, is one of them
    needs no call of it.

    Looking at each number of a message costs as much as reading it. But messages of one channel differ in their digits
    only. So the shape of a message that was looked at is remembered: where the shape is the same, numbers consist of
    digits and points wherever they did in that one, and only their length is left to ask for.
    """
    known: set[bytes] = set()

    def is_plain(data: bytes) -> bool:
        if len(data) <= _LONGEST_SHAPED:
            shape = data.translate(None, DIGITS)
            if shape in known:
                return len(data) - len(shape) <= MOST_DIGITS or not has_long_run(data)
        else:
            shape = b""
        if has_long_run(data) or has_odd_digits(data) or has_odd_numbers(data):
            return False
        if shape and data.isascii() and _RISKY.search(shape) is None:
            if len(known) >= _MOST_SHAPES:
                known.clear()
            known.add(shape)
        return True

    return known, is_plain


def has_no_long_run(data: bytes) -> bool:
    """Return whether whole numbers are sure to keep to the rule: engines read them in ASCII digits alone."""
    return len(data) <= MOST_DIGITS or not has_long_run(data)
