"""Rows of JSON lines as a Parquet file, amounts as exact decimals. Needs pyarrow (the ``parquet`` extra).

A decimal column of Parquet has one scale for all its values, so the rows are looked through first for the greatest
number of digits on either side of the point.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, NewType, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from ..models._numbers import exact
from ._files import ExportError, open_beside
from ._values import columns

Row: TypeAlias = dict[str, object]

_BATCH: Final = 10_000
_DIGITS_128: Final = 38
_DIGITS_256: Final = 76


def load() -> tuple[types.ModuleType, types.ModuleType]:
    """Both parts of pyarrow that are needed.

    Raises:
        ExportError: it is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise ExportError("Parquet needs pyarrow: install bitmart-trio[parquet]") from None


def write(rows: Path, path: Path, kind: type[object]) -> None:
    """Make the Parquet file of some rows, whole or not at all.

    Raises:
        ExportError: pyarrow is missing, or a row has an amount that is no number or too long for Parquet.
    """
    pa, pq = load()
    hints = get_type_hints(kind)
    names = columns(kind)
    amounts = [name for name in names if _kind(hints[name]) == "amount"]
    widths = _widths(rows, amounts)
    for name, (before, behind) in widths.items():
        if before + behind > _DIGITS_256:
            raise ExportError(f"{name} takes {before + behind} digits, and Parquet holds {_DIGITS_256}")
    schema = pa.schema([(name, _arrow_type(pa, hints[name], widths.get(name))) for name in names])
    new = path.with_name(f"{path.name}.new")
    with open_beside(new) as file, pq.ParquetWriter(file, schema) as writer:
        for batch in _batches(rows):
            writer.write_table(pa.Table.from_pylist([_converted(row, amounts) for row in batch], schema=schema))
    new.replace(path)


def _kind(hint: object) -> Literal["amount", "bool", "int", "text"]:
    """What a field holds, None apart."""
    kind = hint
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    while isinstance(kind, NewType):
        kind = cast("object", kind.__supertype__)
    if kind is Decimal:
        return "amount"
    if kind is bool:
        return "bool"
    # Enumerations are of numbers or of words; what is neither is written as JSON.
    return "int" if isinstance(kind, type) and issubclass(kind, int) else "text"


def _arrow_type(pa: types.ModuleType, hint: object, width: tuple[int, int] | None) -> object:
    kind = _kind(hint)
    if kind == "amount":
        before, behind = width or (1, 0)
        if before + behind <= _DIGITS_128:
            return pa.decimal128(_DIGITS_128, behind)
        return pa.decimal256(_DIGITS_256, behind)
    if kind == "bool":
        return pa.bool_()
    return pa.int64() if kind == "int" else pa.string()


def _widths(rows: Path, amounts: list[str]) -> dict[str, tuple[int, int]]:
    """The greatest number of digits before and behind the point, of each column of amounts."""
    widths = dict[str, tuple[int, int]]()
    for batch in _batches(rows):
        for row in batch:
            for name in amounts:
                text = row[name]
                if isinstance(text, str):
                    whole, _, fraction = text.lstrip("-").partition(".")
                    before, behind = widths.get(name, (1, 0))
                    widths[name] = max(before, len(whole)), max(behind, len(fraction))
    return widths


def _converted(row: Row, amounts: list[str]) -> Row:
    made: Row = {}
    for name, value in row.items():
        if name in amounts and isinstance(value, str):
            try:
                made[name] = exact(value)
            except ValueError as error:
                raise ExportError(f"{name} is {error}") from None
        elif isinstance(value, list | dict):
            made[name] = json.dumps(value, separators=(",", ":"))
        else:
            made[name] = value
    return made


def _batches(rows: Path) -> Iterator[list[Row]]:
    batch: list[Row] = []
    with rows.open("rb") as file:
        for line in file:
            batch.append(cast("Row", json.loads(line)))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch
