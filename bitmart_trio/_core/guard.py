"""Check JSON before an engine reads it: its nesting, its number of values, and odd numbers.

The bounds are ours, not the interpreter's: its recursion limit differs between versions, and so does the number of
digits that it reads. The rule for a single number is in ``models/_numbers.py``; the functions here detect, in bytes and
without parsing them, that some number may break this rule.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from ..models._numbers import MOST_DIGITS

MOST_NESTED: Final = 64
"""The most levels of nested arrays and objects. No reply of the exchange has more than eight."""

MOST_PARTS: Final = 100_000
"""The most arrays and objects in one reply or frame. The longest list of the exchange has a few thousand."""
MOST_VALUES: Final = 1_000_000
"""The most values in one reply or frame: bytes have a ceiling, but three of them (``{},``) make an object of a hundred.
"""
_SURELY_FEW: Final = 65_536
"""Bytes that hold too few values to be counted."""

_NEITHER_BRACKETS_NOR_QUOTES: Final = bytes(set(range(256)) - set(b'[]{}"'))
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_TOKENS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
"""Turns a message into its shape: most messages of a channel have one of a few shapes."""

# Only one byte in so many is checked: a longer run of digits covers several checked bytes in a row.
_STRIDE: Final = 20
_ROW: Final = b"0" * (MOST_DIGITS // _STRIDE)
_SHORT_ROW: Final = b"0" * (MOST_DIGITS // (2 * _STRIDE))
_RUN: Final = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))
_LONG: Final = re.compile(rb'("(?:[^"\\]++|\\.)*+")|(-?[0-9][-+.0-9eE]{%d,})' % MOST_DIGITS, re.DOTALL)

_SURROGATES: Final = re.compile(
    rb"\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)

# Python reads 1_000, and digits and spaces of any script, as numbers. (The patterns begin with the character that the
# engine can search for fast, and then look back.)
_UNDERSCORE: Final = re.compile(rb'_(?:(?<=[-+".0-9_\s]_)[-+".0-9eE\s]|(?<=[eE]_)[-+0-9_]+"(?!\s*:))')
_FOREIGN: Final = re.compile(r"(?![\x00-\x7f])[\d\s]")
# For text in lower case.
_EXPONENT: Final = re.compile(rb"e(?<=[0-9.]e)[-+]?[0-9]")
_NOT_LETTERS: Final = bytes(set(range(256)) - set(string.ascii_letters.encode()))
_NOT_FINITE: Final = re.compile(rb'"\s*[+-]?(?:s?nan\d*|inf(?:inity)?)\s*"')


def is_too_deep(data: bytes) -> bool:
    """Return whether JSON nests deeper than `MOST_NESTED`."""
    if len(data) <= MOST_NESTED or data.count(b"[") + data.count(b"{") <= MOST_NESTED:
        return False
    left = data.translate(_ALIKE, _NEITHER_BRACKETS_NOR_QUOTES).replace(b'""', b"")
    if b"\\" in data or b'"' in left:  # a bracket may be inside a text: then an odd number of quotes follows it
        return _depth(data) > MOST_NESTED
    for _ in range(MOST_NESTED):  # each pass removes the innermost level
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    # What is left nests too deep, or is not JSON.
    return bool(left) and _depth(data) > MOST_NESTED


def has_too_many_values(data: bytes) -> bool:
    """Return whether JSON has more than `MOST_PARTS` arrays and objects or `MOST_VALUES` values, texts read as JSON."""
    if len(data) <= _SURELY_FEW:
        return False
    return data.count(b"[") + data.count(b"{") > MOST_PARTS or data.count(b",") >= MOST_VALUES


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
    if len(data) <= MOST_DIGITS or _SHORT_ROW not in data[:: 2 * _STRIDE].translate(ZEROS):
        return False
    return _ROW in data[::_STRIDE].translate(ZEROS) and _RUN.search(data) is not None


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
    if _UNDERSCORE.search(data) is not None or (b"\\" in data and (b"\\u" in data or b"_" in data)):
        return True
    return not data.isascii() and _FOREIGN.search(data.decode(errors="replace")) is not None


def has_odd_numbers(data: bytes) -> bool:
    """Return whether JSON may spell NaN, Infinity or a number with an exponent."""
    # A fast check first: few messages contain these letters at all.
    letters = data.translate(None, _NOT_LETTERS).lower()
    if (b"nan" in letters or b"inf" in letters) and _NOT_FINITE.search(data.lower()) is not None:
        return True
    return b"e" in letters and _EXPONENT.search(data.lower()) is not None


_DIGITS: Final = b"0123456789."
_MOST_SHAPES: Final = 1024
_LONGEST_SHAPED: Final = 2048
# In a shape: a value that would be a number with other digits in it. Names that differ in digits share one shape.
_RISKY: Final = re.compile(
    rb'(?:\A|[:,\[])\s*(?:"[-+ ]*(?:[-+ e_]*[e_][-+ e_]*|s?nan|inf(?:inity)?)\s*"|[-+]*[e_])', re.IGNORECASE
)


class Shapes(NamedTuple):
    """The shapes of messages in which every number kept to the rule: a message of a known shape needs no check.

    The shape of a message is the message with a zero for each digit. Two messages of one shape have numbers in the same
    places, with as many digits and points.
    """

    first: dict[int, bytes]
    """The first shape of each length, so that one comparison is enough for most messages."""
    others: set[bytes]


def number_guard(names: Collection[bytes] = (), shapes: Shapes | None = None) -> Callable[[bytes], bool]:
    """Return a function that tells JSON in which every number is sure to keep to the rule, from what needs a look.

    Checking each number of a message costs as much as parsing the message. But messages of one channel differ only in
    their digits. So the function remembers what remains of a checked message without `_DIGITS`: for a message with the
    same remainder it checks only the length of numbers.

    Args:
        names: texts whose presence in the JSON also requires a check.
        shapes: the shapes to fill, for a caller that compares with them before it calls the function.
    """
    known: set[bytes] = set()
    zeroed_names = [name.translate(ZEROS) for name in names]

    def is_plain(data: bytes) -> bool:
        if any(name in data for name in names):
            return False
        if len(data) > _LONGEST_SHAPED:
            return not (
                has_too_many_values(data) or has_long_run(data) or has_odd_digits(data) or has_odd_numbers(data)
            )
        left = data.translate(None, _DIGITS)
        if left in known:
            if len(data) - len(left) > MOST_DIGITS and has_long_run(data):
                return False
        elif has_long_run(data) or has_odd_digits(data) or has_odd_numbers(data):
            return False
        elif not data.isascii() or _RISKY.search(left) is not None:
            return True
        else:
            if len(known) >= _MOST_SHAPES:
                known.clear()
            known.add(left)
        if shapes is not None:
            remember(data.translate(ZEROS), shapes)
        return True

    def remember(shape: bytes, shapes: Shapes) -> None:
        if any(name in shape for name in zeroed_names):
            return
        if len(shapes.others) >= _MOST_SHAPES:
            shapes.first.clear()
            shapes.others.clear()
        if shapes.first.setdefault(len(shape), shape) != shape:
            shapes.others.add(shape)

    return is_plain


def has_no_long_run(data: bytes) -> bool:
    """Return whether JSON can be read at once if it holds no decimals: engines read whole numbers in ASCII digits."""
    return len(data) <= MOST_DIGITS or not (has_too_many_values(data) or has_long_run(data))
