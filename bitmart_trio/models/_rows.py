"""Define records that travel as arrays. Longer rows are accepted: the exchange adds columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, overload

import msgspec

from ._model import Model


class Row(Model, msgspec.Struct, array_like=True, frozen=True):
    """The base of array-shaped records: fields in wire order, iterable like the arrays on the wire."""

    def __iter__(self) -> Iterator[object]:
        return (getattr(self, name) for name in self.__struct_fields__)


class Level(Row, array_like=True, frozen=True):
    """A price level of an order book."""

    price: Decimal
    """Quote currency."""
    size: Decimal
    """The total size at that price: base units on spot, contracts on futures. 0 in an increment removes the level.
    """


_level: Final = msgspec.json.Decoder(Level)
_all_levels: Final = msgspec.json.Decoder(tuple[Level, ...])
_all_texts: Final = msgspec.json.Decoder(list[tuple[str, str]])

# A side without its digits and the points of its numbers consists of the same few characters for each level, also where
# a size is "0" (a removal) or a price is round. Comparing them takes a fraction of the time of the regular expression,
# which checks what does not fit.
_UNITS: Final = {b'[""' + gap + b'""]': gap for gap in (b",", b", ")}
_PATTERNS: Final = {unit: b"[" + (unit + gap) * 1024 for unit, gap in _UNITS.items()}
# The remaining characters of the last fitting side of each length: the next side mostly has the same.
_LONGEST_KEPT: Final = 2048
_passed: dict[int, bytes] = {}
_TEXT: Final = rb'\s*+"(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)"\s*+'
_LEVEL: Final = rb"\s*+\[" + _TEXT + rb"," + _TEXT + rb"\]\s*+"
_SIDE: Final = re.compile(rb"\s*+\[(?:\s*+|" + _LEVEL + rb"(?:," + _LEVEL + rb")*+)\]\s*+")


def _check(side: bytes) -> None:
    """Raise `ValueError` unless a side is a list of pairs of plain numbers in quotes.

    (The short way accepts a dot without digits as a number. Nobody sends one; `Levels` refuses it on access.)
    """
    bare = side.translate(None, b"0123456789")
    if _passed.get(len(bare)) == bare:
        return
    whole = bare.replace(b'"."', b'""')
    pattern = _PATTERNS.get(whole[1 : whole.find(b"]") + 1])
    if pattern is None or not pattern.startswith(whole[:-1]) or not whole.endswith(b"]]") or b'""' in side:
        if _SIDE.fullmatch(side) is None:
            raise ValueError("not a list of levels, each a price and a size in quotes")
    elif b'""' not in bare and len(bare) <= _LONGEST_KEPT:
        _passed[len(bare)] = bare


def _with_digits(text: bytes) -> bytes:
    """Return the text, which passed the check, unless it holds a number without digits, which the check accepts."""
    if b'"."' in text:
        raise ValueError("not a number: '.'")
    return text


class Levels(Model, Sequence[Level]):
    """One side of a book as pushed: a sequence of `Level` that is converted on access.

    Most readers want the best level or none, and conversion is most of the cost of a depth message. So this keeps the
    text of the message, its form already checked, and converts on access: the first level by itself, or all levels
    once. Otherwise it behaves like the tuple of its levels: equal to it (and to a list of them), hashable, printed and
    pickled as such.

    Accessing a level raises `ValueError` if the exchange sent a dot without digits as a number. Anything else that is
    not a number makes the whole message malformed.

    Args:
        levels: the levels of a side that did not come as text.
    """

    __slots__ = ("_first", "_levels", "_text")

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self._text: bytes = b""
        self._levels: tuple[Level, ...] | None = tuple(levels)
        self._first: Level | None = None

    @classmethod
    def of(cls, text: bytes) -> Levels:
        """Make a side from a message: a JSON array of pairs of texts.

        Raises:
            ValueError: the text has another form; the decoder handles unquoted numbers and longer rows.
        """
        _check(text)
        new = object.__new__(cls)
        new._text = text
        new._levels = new._first = None
        return new

    def texts(self) -> list[tuple[str, str]]:
        """Return price and size of each level, as written.

        Raises:
            ValueError: a number is a lone dot.
        """
        if self._levels is not None:
            return [(format(level.price, "f"), format(level.size, "f")) for level in self._levels]
        return _all_texts.decode(_with_digits(self._text))

    def _all(self) -> tuple[Level, ...]:
        if self._levels is None:
            self._levels = _all_levels.decode(_with_digits(self._text))
        return self._levels

    def __len__(self) -> int:
        return self._text.count(b"[") - 1 if self._levels is None else len(self._levels)

    @overload
    def __getitem__(self, index: int) -> Level: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Level, ...]: ...
    def __getitem__(self, index: int | slice) -> Level | tuple[Level, ...]:
        if index == 0 and self._levels is None:
            if self._first is not None:
                return self._first
            begin = self._text.find(b"[", 1)
            if begin > 0:
                self._first = _level.decode(_with_digits(self._text[begin : self._text.find(b"]") + 1]))
                return self._first
        return self._all()[index]

    def __iter__(self) -> Iterator[Level]:
        return iter(self._all())

    def __contains__(self, value: object) -> bool:
        return value in self._all()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Levels):
            return self._all() == other._all()
        if isinstance(other, list | tuple):
            return list(self._all()) == list(other)  # pyright: ignore[reportUnknownArgumentType]
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(list(self._all()))

    def __reduce__(self) -> tuple[type[Levels], tuple[tuple[Level, ...]]]:
        return Levels, (self._all(),)
