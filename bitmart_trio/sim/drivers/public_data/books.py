"""Turn the books of a table, whole ones or single levels, into the books of a tape."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import count

import attrs

from ...kernel.numbers import read_decimal
from ...kernel.symbols import exact
from ..moments import Levels, TapeBook, TapeError
from .cells import Names, Sizes, Unit, amount, read_flag, read_time
from .layouts import TIMES, Layout


@attrs.frozen
class Keep:
    """The part of a file's books that goes on the tape.

    Args:
        levels: the number of levels per side.
        every: the least number of seconds between two books; 0: every change.
    """

    levels: int = 20
    every: float = 0.1

    def __attrs_post_init__(self) -> None:
        """Refuse an invalid number of levels or interval."""
        if not 1 <= self.levels <= 1000:
            raise TapeError(f"a book has 1 to 1,000 levels, not {self.levels}")
        if not 0 <= self.every <= 3600:
            raise TapeError(f"books are 0 to 3,600 seconds apart, not {self.every}")


class _Paced:
    """Passes a book on if it differs from the last one and is not too soon after it."""

    def __init__(self, keep: Keep) -> None:
        self._apart = round(keep.every * 1000)
        self._next = 0
        self._last: tuple[Levels, Levels] | None = None

    def due(self, ms: int) -> bool:
        """Return True if another book may pass."""
        return ms >= self._next

    def show(self, ms: int, symbol: str, bids: Levels, asks: Levels) -> Iterator[TapeBook]:
        """Return the book, unless it is unchanged or crossed: a crossed book is only a moment between two messages."""
        crossed = bids and asks and bids[0][0] >= asks[0][0]
        if (bids, asks) == self._last or crossed:
            return
        self._last, self._next = (bids, asks), ms + self._apart
        yield TapeBook(ms, symbol, bids, asks)


def read_books(
    layout: Layout, names: Names, unit: Unit | None, keep: Keep
) -> Callable[[Sequence[str]], Iterator[TapeBook]]:
    """Return a function that makes books of rows with complete books.

    Raises:
        TapeError: a column is missing.
    """
    time = layout.needed(*TIMES)
    sides = [_columns(layout, side, keep.levels) for side in ("bids", "asks")]
    sizes: dict[str, Sizes] = {}
    paced: dict[str, _Paced] = {}

    def read(row: Sequence[str]) -> Iterator[TapeBook]:
        symbol = names.of(row)
        if symbol is None:
            return
        if symbol not in sizes:
            sizes[symbol], paced[symbol] = Sizes(symbol, unit), _Paced(keep)
        ms = read_time(row[time].strip())
        if not paced[symbol].due(ms):
            return
        found: list[Levels] = []
        for columns in sides:
            levels: list[tuple[Decimal, Decimal]] = []
            for price, size in columns:
                if row[price].strip() and row[size].strip():
                    at = amount(row[price], "price")
                    levels.append((at, _whole(sizes[symbol], amount(row[size], "amount"), at)))
            found.append(tuple(levels))
        yield from paced[symbol].show(ms, symbol, *found)

    return read


class Changes:
    """A book built from the single levels of a file, and emitted when all levels of a moment are in it.

    Args:
        layout: the layout of the columns.
        names: the names of the markets.
        unit: the unit of sizes.
        keep: the part of the book that is emitted.

    Raises:
        TapeError: a column is missing.
    """

    def __init__(self, layout: Layout, names: Names, unit: Unit | None, keep: Keep) -> None:
        self._time, self._side = layout.needed(*TIMES), layout.needed("side")
        self._price, self._size = layout.needed("price"), layout.needed("amount", "size", "qty", "quantity")
        self._snapshot = layout.needed("issnapshot")
        self._names, self._keep = names, keep
        self._unit: Unit | None = unit
        self._books: dict[str, _Building] = {}

    def read(self, row: Sequence[str]) -> Iterator[TapeBook]:
        """Add one level; return the book that was complete before it."""
        symbol = self._names.of(row)
        if symbol is None:
            return
        snapshot = read_flag(row[self._snapshot], "is_snapshot")
        book = self._books.get(symbol)
        if book is None:
            book = self._books[symbol] = _Building(symbol, Sizes(symbol, self._unit), self._keep)
        ms = read_time(row[self._time].strip())
        if ms != book.ms:
            yield from book.show()
            book.ms = ms
        book.take(
            snapshot, row[self._side].strip(), amount(row[self._price], "price"), read_decimal(row[self._size].strip())
        )

    def finish(self) -> Iterator[TapeBook]:
        """Return the last complete book."""
        for book in self._books.values():
            yield from book.show()


class _Building:
    """One book being built."""

    def __init__(self, symbol: str, sizes: Sizes, keep: Keep) -> None:
        self.ms = 0
        self._symbol, self._amounts, self._most = symbol, sizes, keep.levels
        self._paced = _Paced(keep)
        self._prices: dict[str, list[Decimal]] = {"bid": [], "ask": []}
        self._sizes: dict[str, dict[Decimal, Decimal]] = {"bid": {}, "ask": {}}
        self._begun = False
        self._in_snapshot = False

    def take(self, snapshot: bool, side: str, price: Decimal, size: Decimal) -> None:
        """Set one level to a size; zero removes the level."""
        if side not in self._prices:
            raise ValueError(f"side is bid or ask, not {side!r}")
        if size < 0:
            raise ValueError(f"an amount below zero: {size}")
        if snapshot and not self._in_snapshot:
            # A new beginning: the connection was interrupted, and the fate of the old levels is unknown.
            for each in self._prices:
                self._prices[each].clear()
                self._sizes[each].clear()
            self._begun = True
        self._in_snapshot = snapshot
        if not self._begun:
            return
        prices, sizes = self._prices[side], self._sizes[side]
        if size and price not in sizes:
            insort(prices, price)
        elif not size and price in sizes:
            del prices[bisect_left(prices, price)], sizes[price]
        if size:
            sizes[price] = size

    def show(self) -> Iterator[TapeBook]:
        """Return the present book."""
        if self._begun and self._paced.due(self.ms):
            bids = self._levels("bid", self._prices["bid"][: -self._most - 1 : -1])
            asks = self._levels("ask", self._prices["ask"][: self._most])
            yield from self._paced.show(self.ms, self._symbol, bids, asks)

    def _levels(self, side: str, prices: list[Decimal]) -> Levels:
        sizes = self._sizes[side]
        return tuple((price, _whole(self._amounts, sizes[price], price)) for price in prices)


def _columns(layout: Layout, side: str, most: int) -> list[tuple[int, int]]:
    """Return the columns of a side's prices and sizes, best first."""
    found: list[tuple[int, int]] = []
    for level in count():
        price, size = (layout.column(f"{side}{level}{what}") for what in ("price", "amount"))
        if price is None or size is None or level >= most:
            return found
        found.append((price, size))
    raise AssertionError("counting has no end")


def _whole(sizes: Sizes, size: Decimal, price: Decimal) -> Decimal:
    """Return the size of a level, converted on its own and not smaller than one contract."""
    return sizes.of(exact(size, "amount"), price, carry=False)
