"""Write rows to a Parquet file: times as timestamps in UTC, amounts as exact decimals or as floats. Needs pyarrow.

A decimal column of Parquet has one scale for all its values. So exact rows are read twice: first for the greatest
number of digits on either side of the point, then to be written.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias, cast

import attrs

from ..models._numbers import exact, width
from ..models._plain import Column, Kind, columns
from ._files import ExportError, replacing

Decimals: TypeAlias = Literal["exact", "float"]
"""The type of amounts in Parquet: with every digit, or the nearest floats."""

Cell: TypeAlias = "str | int | float | Decimal | None"
Rows: TypeAlias = Callable[[], Iterator[Sequence[Cell]]]
"""A function that returns the rows from the beginning, each time."""

_BATCH: Final = 10_000
_DIGITS_128: Final = 38
_DIGITS_256: Final = 76
_BITS: Final = 63


@attrs.frozen
class Field:
    """A column of a table.

    Attributes:
        name: its heading.
        kind: the type of its cells that are not None: milliseconds for ``time``, a `Decimal` for ``decimal``.
    """

    name: str
    kind: Kind


def load() -> tuple[types.ModuleType, types.ModuleType]:
    """Import the needed parts of pyarrow.

    Raises:
        ExportError: pyarrow is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError("Parquet needs pyarrow: pip install 'bitmart-trio[parquet]'") from None


def check(decimals: str, *, parquet: bool) -> None:
    """Check the choice of columns for amounts, and that the format supports it.

    Raises:
        ExportError: the choice is not valid.
    """
    if decimals not in ("exact", "float"):
        raise ExportError(f'decimals must be "exact" or "float", not {decimals!r}')
    if decimals == "float" and not parquet:
        raise ExportError("only Parquet has columns of floats; the other formats have every digit of an amount")


def write(file: BinaryIO, fields: Sequence[Field], rows: Rows, decimals: Decimals = "exact") -> int:
    """Write a table, and return the number of its rows.

    Raises:
        ExportError: pyarrow is missing, or a number is too long for Parquet.
    """
    pa, pq = load()
    widths = _widths(fields, rows) if decimals == "exact" else {}
    schema = pa.schema([(field.name, _arrow_type(pa, field, widths.get(field.name))) for field in fields])
    count = 0
    with pq.ParquetWriter(file, schema) as writer:
        for batch in _batches(rows()):
            arrays = [
                pa.array([_fitting(field, row[at], decimals) for row in batch], type=schema.field(at).type)
                for at, field in enumerate(fields)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


def write_lines(lines: Path, path: Path, kind: type, decimals: Decimals = "exact") -> None:
    """Make the file of the records of one class, completely or not at all.

    Args:
        lines: one record per line, as JSON.
        path: the path of the file.
        kind: the class of the records.
        decimals: the type of amounts.

    Raises:
        ExportError: see `write`; also for an amount that is not a number.
    """
    members = columns(kind)

    def rows() -> Iterator[list[Cell]]:
        with lines.open("rb") as file:
            for line in file:
                row: dict[str, object] = json.loads(line)
                yield [_cell(column, row[column.name]) for column in members]

    with replacing(path) as file:
        write(file, [Field(column.name, column.kind) for column in members], rows, decimals)


def _cell(column: Column, value: object) -> Cell:
    """Return a value of a record as its column holds it."""
    if isinstance(value, str) and column.kind == "decimal":
        try:
            return exact(value)
        except ValueError as error:
            raise ExportError(f"{column.name} is {error}") from None
    if isinstance(value, int) and column.unit is not None:
        return value * 1000 // column.unit
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"))
    return cast("Cell", value)


def _arrow_type(pa: types.ModuleType, field: Field, digits: tuple[int, int] | None) -> object:
    match field.kind:
        case "time":
            return pa.timestamp("ms", tz="UTC")
        case "decimal" if digits is not None:
            if sum(digits) <= _DIGITS_128:
                return pa.decimal128(_DIGITS_128, digits[1])
            return pa.decimal256(_DIGITS_256, digits[1])
        case "decimal" | "float":
            return pa.float64()
        case "int":
            return pa.int64()
        case "bool":
            return pa.bool_()
        case _:
            return pa.string()


def _widths(fields: Sequence[Field], rows: Rows) -> dict[str, tuple[int, int]]:
    """Return the greatest number of digits before and after the point, per column of amounts."""
    amounts = {at: field.name for at, field in enumerate(fields) if field.kind == "decimal"}
    if not amounts:
        return {}
    widths: dict[int, tuple[int, int]] = dict.fromkeys(amounts, (1, 0))
    for row in rows():
        for at, (before, behind) in widths.items():
            value = row[at]
            if isinstance(value, Decimal):
                here = width(value)
                widths[at] = max(before, here[0]), max(behind, here[1])
    for at, digits in widths.items():
        if sum(digits) > _DIGITS_256:
            raise ExportError(
                f"{amounts[at]} takes {sum(digits)} digits, and exact columns of Parquet hold {_DIGITS_256}; "
                "columns of floats round them"
            )
    return {amounts[at]: digits for at, digits in widths.items()}


def _fitting(field: Field, value: Cell, decimals: Decimals) -> Cell:
    if isinstance(value, Decimal):
        return float(value) if decimals == "float" else value
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise ExportError(f"{field.name} has a number beyond 64 bits, which Parquet does not hold")
    return value


def _batches(rows: Iterator[Sequence[Cell]]) -> Iterator[list[Sequence[Cell]]]:
    batch: list[Sequence[Cell]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
