"""An archive as files for a spreadsheet, a program or a tax tool.

    exported = export("my-account", "my-export", format="xlsx")
    print(exported.files, exported.rows)

``csv`` and ``parquet`` make one file per kind of record, ``xlsx`` one workbook with a sheet per kind; ``koinly``,
``cointracker`` and ``cryptotaxcalculator`` make one CSV file in the tool's generic layout. All are made from the
archive alone, offline, and memory does not grow with its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final, Literal, Protocol, TypeAlias, cast

import attrs

from ...models._model import Model
from ...models._numbers import exact
from ...models._plain import Kind
from ...text import csv_cell, csv_line
from .. import _parquet
from .._files import ExportError
from .._parquet import Decimals
from ._account import movements_of
from ._folder import Folder
from ._kinds import kinds
from ._movements import LeftOut, Movements
from ._reader import Reader
from ._tables import Cell, Column, Role, Table, look_table, movement_table, record_table
from ._tax import LAYOUTS, Tool

Format: TypeAlias = Literal["csv", "xlsx", "parquet", "koinly", "cointracker", "cryptotaxcalculator"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "xlsx", "parquet", "koinly", "cointracker", "cryptotaxcalculator")

WORKBOOK: Final = "bitmart-account.xlsx"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHEET_ROWS: Final = 1_048_576
_SHEET_NAME: Final = 31
_CELL: Final = 32_767
"""The most characters in a cell of a workbook."""


@attrs.frozen
class Exports(Model):
    """The result of an export."""

    files: tuple[Path, ...]
    """The files in the folder; files of an earlier export with the same names were replaced."""
    rows: int
    """The number of rows in all files, without headers."""
    left_out: tuple[LeftOut, ...]
    """Records that have no place in the layout of a tax tool; the plain formats have every record."""


def export(
    directory: Path | str,
    folder: Path | str,
    *,
    format: Format,
    formulas: bool = False,
    decimals: Decimals = "exact",
) -> Exports:
    """Write what an archive holds to files for people. It blocks, and needs no network.

    Args:
        directory: the directory of the archive.
        folder: the folder for the files; if missing it is created so that only its owner can open it.
        format: ``csv``, ``xlsx`` (extra ``xlsx``), ``parquet`` (extra ``parquet``), or the name of a tax tool.
        formulas: True to leave texts unchanged that a spreadsheet would take for a formula. Otherwise they are prefixed
            with an apostrophe, in every format that a spreadsheet opens.
        decimals: the amounts of Parquet files: ``"exact"`` decimals, or the nearest floats (``"float"``). In the other
            formats they are text with every digit.

    Raises:
        ArchiveError: there is no archive, or a file cannot be written.
        ExportError: the format needs a package that is not installed, has no floats, or cannot hold an amount.
    """
    if format not in FORMATS:
        raise ExportError(f"there is no format {format!r}; choose one of {', '.join(FORMATS)}")
    _parquet.check(decimals, parquet=format == "parquet")
    write = _loaded(format, decimals)
    to = Path(folder)
    with Reader(Path(directory)) as reader, Folder(to, create=not to.exists()) as place:
        if format in LAYOUTS:
            return _tax(reader, place, cast("Tool", format), formulas)
        movements = movements_of(reader)
        names, rows = write(place, tables(reader, movements), formulas)
        return Exports(tuple(place.path / name for name in names), rows, movements.left_out)


def can_export(format: Format) -> bool:
    """Return True if the package that a format needs is installed."""
    try:
        _loaded(format)
    except ExportError:
        return False
    return True


def tables(reader: Reader, movements: Movements) -> Iterator[Table]:
    """Every table of an archive: what moved, the kinds of records, the looks at the present."""
    yield movement_table(movements)
    for kind in reader.kinds():
        yield record_table(kind, kinds()[kind].record, partial(reader.records, kind))
    looks = dict[str, list[tuple[str, Callable[[], Iterator[object]]]]]()
    for look in reader.looks():
        looks.setdefault(look.endpoint, []).append((look.name, partial(_pages, reader, look.name)))
    for endpoint, group in looks.items():
        table = look_table(endpoint, group)
        if table is not None:
            yield table


def _pages(reader: Reader, name: str) -> Iterator[object]:
    yield from reader.look(name)


# ---- the formats ----------------------------------------------------------------------------------------------------

_Writer: TypeAlias = Callable[[Folder, Iterator[Table], bool], tuple[list[str], int]]


def _loaded(format: Format, decimals: Decimals = "exact") -> _Writer:
    """What writes a plain format, its package loaded: a missing one is said before anything is read."""
    if format == "parquet":
        _parquet.load()
        return partial(_parquet_files, decimals)
    if format == "xlsx":
        try:
            return partial(_xlsx, import_module("xlsxwriter"))
        except ImportError:
            raise ExportError("a workbook needs XlsxWriter: pip install 'bitmart-trio[xlsx]'") from None
    return _csv


def _tax(reader: Reader, place: Folder, tool: Tool, formulas: bool) -> Exports:
    layout, movements, rows = LAYOUTS[tool], movements_of(reader), 0
    name = f"{tool}.csv"
    with place.replacing(name) as file:
        file.write(csv_line(layout.header).encode())
        for movement in movements:
            file.write(csv_line(layout.row(movement), formulas=formulas).encode())
            rows += 1
    return Exports((place.path / name,), rows, movements.left_out)


def _csv(place: Folder, found: Iterator[Table], formulas: bool) -> tuple[list[str], int]:
    names, count = list[str](), 0
    for table in found:
        names.append(f"{table.name}.csv")
        with place.replacing(names[-1]) as file:
            file.write(csv_line([column.name for column in table.columns], formulas=formulas, quoted=True).encode())
            for row in table.rows():
                file.write(csv_line(row, formulas=formulas, quoted=True).encode())
                count += 1
    return names, count


_KINDS: Final[dict[Role, Kind]] = {
    Role.TEXT: "text",
    Role.AMOUNT: "decimal",
    Role.TIME: "time",
    Role.NUMBER: "int",
    Role.TRUTH: "bool",
}


def _parquet_files(decimals: Decimals, place: Folder, found: Iterator[Table], formulas: bool) -> tuple[list[str], int]:
    names, count = list[str](), 0
    for table in found:
        names.append(f"{table.name}.parquet")
        fields = [_parquet.Field(column.name, _KINDS[column.role]) for column in table.columns]
        with place.replacing(names[-1]) as file:
            count += _parquet.write(file, fields, partial(_typed_rows, table), decimals)
    return names, count


def _typed_rows(table: Table) -> Iterator[list[_parquet.Cell]]:
    for row in table.rows():
        yield [_typed(column, row[at]) for at, column in enumerate(table.columns)]


def _typed(column: Column, value: Cell) -> _parquet.Cell:
    """A cell for a typed column; None for what is not of its type (the CSV has it as text)."""
    if value is None:
        return None
    try:
        match column.role:
            case Role.TRUTH:
                return {"true": True, "false": False}.get(str(value))
            case Role.NUMBER:
                return value if isinstance(value, int) else None
            case Role.AMOUNT:
                return exact(value)
            case Role.TIME:
                return (datetime.fromisoformat(str(value)) - _EPOCH) // timedelta(milliseconds=1)
            case _:
                return str(value)
    except ValueError:
        return None


class _Sheet(Protocol):
    """What is needed of a sheet of XlsxWriter."""

    def freeze_panes(self, row: int, column: int, /) -> object:
        """Keep the cells above and left of this one in sight."""
        ...

    def set_column(self, first: int, last: int, width: float, /) -> object:
        """Make columns so wide."""
        ...

    def ignore_errors(self, options: dict[str, str], /) -> object:
        """Put no green triangles there."""
        ...

    def write_string(self, row: int, column: int, text: str, format: object, /) -> object:
        """Fill a cell with text, whatever it looks like."""
        ...

    def write_number(self, row: int, column: int, number: int, /) -> object:
        """Fill a cell with a number."""
        ...


def _xlsx(xlsxwriter: ModuleType, place: Folder, found: Iterator[Table], formulas: bool) -> tuple[list[str], int]:
    count, taken = 0, set[str]()
    options = {
        "constant_memory": True,
        "tmpdir": str(place.path),
        # Every cell is plain text.
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with place.replacing(WORKBOOK) as file, xlsxwriter.Workbook(file, options) as book:
        bold, plain = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        for table in found:
            rows = table.rows()
            part = 0
            while True:
                part += 1
                sheet = book.add_worksheet(_sheet_name(table.name, part, taken))
                written = _sheet(sheet, table, rows, bold, plain, formulas)
                count += written
                if written < _SHEET_ROWS - 1:
                    break
    return [WORKBOOK], count


def _sheet_name(name: str, part: int, taken: set[str]) -> str:
    """A name of at most 31 characters that no other sheet has; of a long one the chapter is left out."""
    market, _, rest = name.partition("_")
    shorter = name if len(name) <= _SHEET_NAME else f"{market}_{rest.partition('_')[2] or rest}"
    number = 1
    while True:
        mark = (f" {part}" if part > 1 else "") + (f" ({number})" if number > 1 else "")
        chosen = shorter[: _SHEET_NAME - len(mark)] + mark
        if chosen.lower() not in taken:
            taken.add(chosen.lower())
            return chosen
        number += 1


def _sheet(
    sheet: _Sheet, table: Table, rows: Iterator[Sequence[Cell]], bold: object, plain: object, formulas: bool
) -> int:
    """Fill one sheet, as far as one goes; how many rows it got."""
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(table.columns) - 1, 24)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, _fitting(column.name, formulas), bold)
    written = 0
    while written < _SHEET_ROWS - 1:
        row = next(rows, None)
        if row is None:
            break
        written += 1
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(written, at, value)
            elif value is not None:
                sheet.write_string(written, at, _fitting(value, formulas), plain)
    return written


def _fitting(text: str, formulas: bool) -> str:
    """A text as a cell of a workbook can hold it."""
    shown = csv_cell(text, formulas=formulas)
    if len(shown) <= _CELL:
        return shown
    rest = f"... ({len(text)} characters: the CSV export has them all)"
    return shown[: _CELL - len(rest)] + rest
