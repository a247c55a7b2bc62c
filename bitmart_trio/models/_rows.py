"""Records that travel as arrays. Longer rows than these are accepted: the exchange adds columns."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec


class Row(msgspec.Struct, array_like=True, frozen=True):
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
