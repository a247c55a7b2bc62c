"""Read a file of market data, with its reading options, as moments that can be read repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import localcontext
from pathlib import Path as FilePath
from typing import Final

import attrs

from ...._scopes import DECIMALS
from ..files import AnyPath, rows
from ..moments import Moment, TapeError
from .books import Changes, Keep, read_books
from .candles import Path, candle_length, read_candles
from .cells import Names, Unit
from .layouts import Format, Kind, Layout, has_names, layout_of
from .trades import read_trades

_LONGEST: Final = 366 * 86_400
"""The maximum length of a candle in seconds: a year."""


@attrs.frozen(kw_only=True)
class Source:
    """A file and its reading options.

    Args:
        path: the file.
        kinds: the accepted kinds of content; None: all.
        symbol: the market's name on the exchange.
        only: the market's name in the file, if the file has several.
        format: the layout of the file.
        unit: the unit of sizes.
        step: the length of a candle in seconds.
        candle_path: the path through candles.
        keep: the part of books that is kept.
    """

    path: AnyPath
    kinds: tuple[Kind, ...] | None = None
    symbol: str | None = None
    only: str | None = None
    format: Format = "auto"
    unit: Unit | None = None
    step: int | None = None
    candle_path: Path = attrs.field(factory=Path)
    keep: Keep = attrs.field(factory=Keep)

    def __attrs_post_init__(self) -> None:
        """Refuse a candle without length."""
        if self.step is not None and not 1 <= self.step <= _LONGEST:
            raise TapeError(f"a candle is 1 to {_LONGEST:,} seconds long, not {self.step}")

    def moments(self) -> Iterator[Moment]:
        """Yield the moments of the file in order; the file stays open meanwhile.

        Raises:
            OSError: the file cannot be read.
            TapeError: the layout is wrong, or a row is invalid; with the line number.
        """
        layout, named = self._layout()
        read, finish = self._reader(layout)
        lines = rows(self.path)
        if named:
            next(lines)
        for number, row in lines:
            try:
                # The reader's own decimal context must not round what is read, nor ours what callers calculate between
                # two rows.
                with localcontext(DECIMALS):
                    found = list(read(row))
            except IndexError:
                raise self._wrong(number, f"has {len(row)} columns, not {len(layout.names)}") from None
            except ArithmeticError:
                raise self._wrong(number, "a number has too many digits") from None
            except ValueError as error:
                raise self._wrong(number, str(error)) from None
            yield from found
        with localcontext(DECIMALS):
            last = list(finish())
        yield from last

    def _layout(self) -> tuple[Layout, bool]:
        """Return the layout of the file, and True if its first row names the columns."""
        first = next(rows(self.path), None)
        if first is None:
            raise TapeError(f"{self._name}: there is nothing in the file")
        number, row = first
        try:
            layout = layout_of(row, self.format)
        except TapeError as error:
            raise self._wrong(number, str(error)) from None
        if self.kinds is not None and layout.kind not in self.kinds:
            raise self._wrong(number, f"the file has {layout.kind}, not {' or '.join(self.kinds)}")
        return layout, has_names(row)

    def _reader(
        self, layout: Layout
    ) -> tuple[Callable[[Sequence[str]], Iterator[Moment]], Callable[[], Iterator[Moment]]]:
        """Return the function that makes moments of rows, and the function for the rest at the end."""
        try:
            names = Names(layout, self.symbol, self.only)
            if layout.kind == "changes":
                changes = Changes(layout, names, self.unit, self.keep)
                return changes.read, changes.finish
            if layout.kind == "trades":
                return read_trades(layout, names, self.unit), _nothing
            if layout.kind == "books":
                return read_books(layout, names, self.unit, self.keep), _nothing
            length = candle_length(layout, rows(self.path)) if self.step is None else self.step * 1000
            return read_candles(layout, names, self.unit, length, self.candle_path), _nothing
        except TapeError as error:
            raise TapeError(f"{self._name}: {error}") from None

    @property
    def _name(self) -> str:
        return FilePath(self.path).name

    def _wrong(self, number: int, what: str) -> TapeError:
        return TapeError(f"{self._name}, line {number}: {what}")


def _nothing() -> Iterator[Moment]:
    return iter(())
