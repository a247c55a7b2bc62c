"""Define the layouts of public files, and detect the layout of a file.

A file with column names is detected by these names, in any order. A file without names is detected by the number of its
columns and their content; `--format` names the layout where that is not enough.

Sources:
    binance-*   https://github.com/binance/binance-public-data (tables of columns; times of spot files in microseconds
                from 2025 on; files without names on spot, with names on futures)
    tardis-*    https://docs.tardis.dev/downloadable-csv-files/data-types (times in microseconds; files with names, in
                the order of local_timestamp)
    ccxt-ohlcv  https://docs.ccxt.com (OHLCV structure: [timestamp in ms, open, high, low, close, volume]), as its
                examples write them with and without names
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import attrs

from ..moments import TapeError

Kind: TypeAlias = Literal["trades", "candles", "books", "changes"]
"""``books`` are whole ones; ``changes`` are single levels of a book."""
Format: TypeAlias = Literal[
    "auto",
    "binance-trades",
    "binance-aggtrades",
    "binance-klines",
    "tardis-trades",
    "tardis-incremental",
    "tardis-snapshot",
    "ccxt-ohlcv",
    "own-trades",
    "own-klines",
]
"""Names of layouts; ``auto`` detects the layout. The commands of this package write the last two."""


@attrs.frozen
class Layout:
    """The meaning of each column."""

    kind: Kind
    names: tuple[str, ...]
    """The names of the columns in order, as letters and digits only; blank for unused columns."""
    shape: str = ""
    """The kinds of cells in a row without names: n a number, b true or false; the last ones, in brackets, are
    optional."""

    def column(self, *names: str) -> int | None:
        """Return the column with the first of these names that exists."""
        return next((self.names.index(name) for name in names if name in self.names), None)

    def needed(self, *names: str) -> int:
        """Return a `column` that is required.

        Raises:
            TapeError: the column is missing.
        """
        found = self.column(*names)
        if found is None:
            raise TapeError(f"there is no column {' or '.join(names)} (the columns are {', '.join(self.names)})")
        return found


_KLINE: Final = ("opentime", "open", "high", "low", "close", "volume", "closetime", "", "", "", "", "")
LAYOUTS: Final[dict[Format, Layout]] = {
    "binance-trades": Layout("trades", ("id", "price", "qty", "", "time", "isbuyermaker", ""), "nnnnnb[b]"),
    "binance-aggtrades": Layout("trades", ("id", "price", "qty", "", "", "time", "isbuyermaker", ""), "nnnnnnb[b]"),
    "binance-klines": Layout("candles", _KLINE, "nnnnnnnnnnnn"),
    "tardis-trades": Layout(
        "trades", ("exchange", "symbol", "timestamp", "localtimestamp", "id", "side", "price", "amount")
    ),
    "tardis-incremental": Layout(
        "changes", ("exchange", "symbol", "timestamp", "localtimestamp", "issnapshot", "side", "price", "amount")
    ),
    "tardis-snapshot": Layout("books", ("exchange", "symbol", "timestamp", "localtimestamp")),
    "ccxt-ohlcv": Layout("candles", ("timestamp", "open", "high", "low", "close", "volume"), "nnnnnn"),
    "own-trades": Layout("trades", ("symbol", "timestamp", "price", "size", "side")),
    "own-klines": Layout("candles", ("timestamp", "open", "high", "low", "close", "volume")),
}
TIMES: Final = ("localtimestamp", "ms", "time", "timestamp", "opentime", "transacttime", "datetime", "date")
"""Names of the column of times. Tardis' files are in the order of the first; their other one is not always in order."""
OPENS: Final = ("open", "openprice")
_NUMBER: Final = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
_LEVEL: Final = re.compile(r"(asks|bids)[0-9]+(price|amount)")


def has_names(row: Sequence[str]) -> bool:
    """Return True if the first row of a file names its columns: none of its cells is a number."""
    return not any(_NUMBER.fullmatch(cell.strip()) for cell in row)


def named(row: Sequence[str]) -> Layout:
    """Return the layout that has these column names.

    Raises:
        TapeError: the names are not those of market data.
    """
    names = [re.sub("[^a-z0-9]", "", cell.lower()) for cell in row]
    if names and names[0] in ("", "indexlevel0") and not any(name in TIMES for name in names):
        names[0] = "time"  # the index of a data frame, which pandas writes without a name
    # Parquet has its index last.
    elif "indexlevel0" in names and not any(name in TIMES for name in names):
        names[names.index("indexlevel0")] = "time"
    kind: Kind | None = None
    if any(_LEVEL.fullmatch(name) for name in names):
        kind = "books"
    elif "price" in names:
        kind = "changes" if "issnapshot" in names else "trades"
    elif any(name in names for name in OPENS):
        kind = "candles"
    if kind is None:
        shown = ", ".join(cell.strip() for cell in row)[:200]
        raise TapeError(f"the columns are neither those of trades nor those of candles or books: {shown}")
    return Layout(kind, tuple(names))


def shaped(row: Sequence[str]) -> Layout:
    """Return the layout of a row without names.

    Raises:
        TapeError: no layout has this shape.
    """
    shape = "".join(_letter(cell.strip()) for cell in row)
    for layout in LAYOUTS.values():
        whole = layout.shape.replace("[", "").replace("]", "")
        if shape and shape in (whole, layout.shape.partition("[")[0]):
            return layout
    raise TapeError(f"the file has no names of columns, and none of the known formats has {len(row)} such columns")


def _letter(cell: str) -> str:
    if cell.lower() in ("true", "false"):
        return "b"
    # A blank is a missing number, as pandas writes it.
    return "n" if not cell or _NUMBER.fullmatch(cell) else "?"


def layout_of(first: Sequence[str], format: Format) -> Layout:
    """Return the layout of a file that begins with this row.

    Raises:
        TapeError: the layout is unknown, or not the requested one.
    """
    asked = LAYOUTS.get(format)
    if has_names(first):
        found = named(first)
        if asked is not None and asked.kind != found.kind:
            raise TapeError(f"the columns are those of {found.kind}, not of {format}")
        return found
    if asked is None:
        return shaped(first)
    if not asked.shape:
        raise TapeError(f"the columns have no names; a file in the format {format} has")
    return asked
