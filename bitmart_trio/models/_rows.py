"""Records that travel as arrays. Longer rows than these are accepted: the exchange adds columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final, overload

import msgspec

from ._model import Model


class Row(Model, msgspec.Struct, array_like=True, frozen=True):
    """The base of array-shaped records: fields in the order of the wire, iterable like the tuple they arrive as."""

    def __iter__(self) -> Iterator[object]:
        return (getattr(self, name) for name in self.__struct_fields__)


class Level(Row, array_like=True, frozen=True):
    """One price level of a book."""

    price: Decimal
    """Quote currency."""
    size: Decimal
    """The total resting at that price: base units on spot, contracts on futures; 0 in an increment removes the
    level.
    """


_level: Final = msgspec.json.Decoder(Level)
_all_levels: Final = msgspec.json.Decoder(tuple[Level, ...])
_all_texts: Final = msgspec.json.Decoder(list[tuple[str, str]])

# What is left of a side without its digits: the same few characters for each level. Comparing them with what they must
# be takes a fraction of the time of the regular expression, which looks at whatever does not fit.
_UNITS: Final = {
    b"[" + price + gap + size + b"]": gap
    for gap in (b",", b", ")
    for price in (b'"."', b'""')
    for size in (b'"."', b'""')
}
_PATTERNS: Final = {unit: b"[" + (unit + gap) * 1024 for unit, gap in _UNITS.items()}
# What was left of the last side of each length that fitted by these characters alone: the next is the same, mostly.
_LONGEST_KEPT: Final = 2048
_passed: dict[int, bytes] = {}
_TEXT: Final = rb'\s*+"(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)"\s*+'
_LEVEL: Final = rb"\s*+\[" + _TEXT + rb"," + _TEXT + rb"\]\s*+"
_SIDE: Final = re.compile(rb"\s*+\[(?:\s*+|" + _LEVEL + rb"(?:," + _LEVEL + rb")*+)\]\s*+")


def _check(side: bytes) -> None:
    """Raise `ValueError` unless a side is a list of pairs of plain numbers in quotes.

    (In its short way it takes a dot without any digit for a number. Nobody sends one; `Levels` refuses it on access.)
    """
    bare = side.translate(None, b"0123456789")
    if _passed.get(len(bare)) == bare:
        return
    unit = bare[1 : bare.find(b"]") + 1]
    pattern = _PATTERNS.get(unit)
    if (
        pattern is None
        or not pattern.startswith(bare[:-1])
        or not bare.endswith(b"]]")
        or (b'""' in unit and b'""' in side)
    ):
        if _SIDE.fullmatch(side) is None:
            raise ValueError("not a list of levels, each a price and a size in quotes")
    elif b'""' not in unit and len(bare) <= _LONGEST_KEPT:
        _passed[len(bare)] = bare


def _with_digits(text: bytes) -> bytes:
    """What has passed the check, unless it holds what the check does not see."""
    if b'"."' in text:
        raise ValueError("not a number: '.'")
    return text


class Levels(Model, Sequence[Level]):
    """One side of a book as pushed: a sequence of `Level` that is converted when it is looked at.

    Most readers want the best level or none at all, and converting is most of what a depth message costs. So the text
    of the message is kept, its form already checked, and the numbers are made of it on access: the first level by
    itself, all of them for anything else, once. Otherwise it is like the tuple of its levels: equal to it (and to a
    list of the same), hashable, printed and pickled as such.

    Looking at a level raises `ValueError` where the exchange has sent a dot without any digit for a number. Everything
    else that is no number makes the whole message a malformed one.

    Args:
        levels: of a side that did not come as text.
    """

    __slots__ = ("_first", "_levels", "_text")

    def __init__(self, levels: Iterable[Level] = ()) -> None:
        self._text: bytes = b""
        self._levels: tuple[Level, ...] | None = tuple(levels)
        self._first: Level | None = None

    @classmethod
    def of(cls, text: bytes) -> Levels:
        """A side as it stands in a message: a JSON array of pairs of texts.

        Raises:
            ValueError: another form; numbers without quotes, or longer rows, are for the decoder.
        """
        _check(text)
        new = object.__new__(cls)
        new._text = text
        new._levels = new._first = None
        return new

    def texts(self) -> list[tuple[str, str]]:
        """Price and size of each level, as written.

        Raises:
            ValueError: one of them is a lone dot.
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
