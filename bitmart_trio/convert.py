"""Convert results for other programs: to dicts, JSON, rows of a table and data frames.

In use::

    bm.to_dict(ticker)["last_price"]           # "67012.35": every digit
    bm.to_json(klines, times="iso")            # one JSON text, whatever it holds
    bm.to_frame(klines, decimals="float")      # a pandas DataFrame with UTC timestamps
    json.dumps(ticker, default=bm.to_builtins)

They accept every object of the library that holds data: models, array rows, levels, pushes, events, statistics and
reports. Three arguments choose the form: ``names`` of members as in Python or as on the wire, ``decimals`` as text,
exact numbers or floats, ``times`` as the object's own number, in milliseconds, or as text (ISO 8601, UTC).

Nothing is rounded unless ``"float"`` is asked for. An enumeration becomes its value on the wire, an exception its
class, message and code, bytes their text. Array rows have no names on the wire and keep ours.

**Absent members** (see `bm.absent`) are not in the dict, and never become null, which the exchange writes for "none".
An object that lacks members has an extra key ``"_absent"``, with each absent member's name and the JSON that came in
its place (null if nothing came). In rows and frames, where each record has each column, the cell is empty and a column
``"_absent"`` names the members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast, overload

from ._core import codec
from .errors import ConfigurationError, InvalidRequest
from .models._absent import model_of
from .models._numbers import width
from .models._plain import ABSENT, Column, Decimals, Names, Plain, Times, Writer, is_record, plain

if TYPE_CHECKING:
    import pandas as pd  # pyright: ignore[reportMissingTypeStubs]  # it has types, of its own and no others
    import polars as pl

__all__ = ["Decimals", "Names", "Plain", "Times", "to_builtins", "to_dict", "to_frame", "to_json", "to_rows"]

Engine: TypeAlias = Literal["pandas", "polars", "arrow"]

_writer: Final = cache(Writer)

_CLASS: Final = "class"
"""The column that distinguishes records of several classes."""

_USUAL_DIGITS: Final = 18
_DIGITS_128: Final = 38
_DIGITS_256: Final = 76


def to_dict(
    obj: object, *, names: Names = "python", decimals: Decimals = "text", times: Times = "number"
) -> dict[str, Plain]:
    """Return an object as a dict, with nested objects as nested dicts.

    Args:
        obj: anything of the library with members: a model, an array row, a push, an event, statistics, a report.
        names: of members: ours, or those on the wire.
        decimals: ``"text"`` has every digit; ``"number"`` leaves the ``Decimal``; ``"float"`` rounds to the nearest.
        times: ``"number"`` is what the object holds, milliseconds or seconds; ``"millis"`` makes all of them
            milliseconds; ``"iso"`` writes ``2026-01-01T00:00:00.000Z``. (Moments of ``trio.current_time()`` are not
            times of day and stay numbers.)

    Raises:
        TypeError: the object has no members, or holds something that is not data.
        InvalidRequest: with ``"iso"``, a time is beyond the calendar.
    """
    plain = _writer(names, decimals, times).value(obj)
    if not isinstance(plain, dict):
        raise TypeError(f"{type(obj).__name__} has no members; bm.to_rows takes lists, bm.to_json anything")
    return plain


def to_json(obj: object, *, names: Names = "python", decimals: Decimals = "text", times: Times = "number") -> str:
    """Return any data object of the library, or lists and mappings of them, as compact JSON text.

    The arguments are those of `to_dict`; ``decimals="number"`` writes JSON numbers with every digit, which many readers
    round.

    Raises:
        TypeError, InvalidRequest: see `to_dict`.
    """
    return codec.text_of(_writer(names, decimals, times).value(obj))


def to_builtins(obj: object) -> Plain:
    """Return the default form of an object, for encoders that ask what to do with one.

    In use::

        json.dumps(ticker, default=bm.to_builtins)
        msgspec.json.encode(depth, enc_hook=bm.to_builtins)

    msgspec encodes what it knows and calls this for the rest. It omits absent members; `to_json` does not.

    Raises:
        TypeError: the object does not belong to the library.
    """
    return plain(obj)


def to_rows(
    objs: Iterable[object], *, names: Names = "python", decimals: Decimals = "text", times: Times = "number"
) -> list[dict[str, Plain]]:
    """Return records as flat dicts with the same keys in the same order: the rows of a table.

    A member of a nested object has a dotted name (``order.price``). If records of several classes are mixed, the column
    ``class`` comes first, and a cell is None if a record's class has no such member.

    Args:
        objs: records, such as models, or the levels of a book's side.
        names: see `to_dict`.
        decimals: see `to_dict`.
        times: see `to_dict`.

    Raises:
        TypeError: the objects are not records; put a single one into a list.
        InvalidRequest: see `to_dict`.
    """
    rows, columns = _table(objs, _writer(names, decimals, times))
    return [{name: row.get(name) for name in columns} for row in rows]


@overload
def to_frame(
    objs: Iterable[object], engine: Literal["pandas"] = "pandas", *, decimals: Literal["exact", "float"] = "exact"
) -> pd.DataFrame: ...
@overload
def to_frame(
    objs: Iterable[object], engine: Literal["polars"], *, decimals: Literal["exact", "float"] = "exact"
) -> pl.DataFrame: ...
@overload
def to_frame(
    objs: Iterable[object], engine: Literal["arrow"], *, decimals: Literal["exact", "float"] = "exact"
) -> Any: ...  # noqa: ANN401  # pyarrow has no types
def to_frame(
    objs: Iterable[object], engine: Engine = "pandas", *, decimals: Literal["exact", "float"] = "exact"
) -> object:
    """Return records as a data frame, with the columns of `to_rows`.

    Times are timestamps in UTC, in milliseconds. Exact decimals have Arrow's decimal type, in pandas too: sums and
    comparisons are exact, and a product of too many factors raises instead of rounding. Statistics and plots want
    floats. Integers and booleans may be missing, so in pandas they are ``Int64`` and ``boolean``. Lists and mappings
    within records are JSON text.

    Args:
        objs: see `to_rows`. Without any the frame has no columns.
        engine: ``"pandas"`` (extra ``pandas``), ``"polars"`` (extra ``polars``) or ``"arrow"``, a pyarrow table
            (extra ``parquet``).
        decimals: every digit, or the nearest floats.

    Raises:
        ConfigurationError: the engine's library is not installed.
        InvalidRequest: a column has more digits than its engine holds (76; polars 38).
        TypeError: see `to_rows`.
    """
    for needed in ("pyarrow",) if engine == "arrow" else ("pyarrow", engine):
        _load(needed, engine)
    rows, columns = _table(objs, _writer("python", "number", "number"))
    arrow = _load("pyarrow", engine)
    most = _DIGITS_128 if engine == "polars" else _DIGITS_256
    arrays = {
        name: _array(arrow, name, column, [row.get(name) for row in rows], decimals == "exact", most)
        for name, column in columns.items()
    }
    table = arrow.table(arrays)
    if engine == "pandas":
        return _pandas(table)
    return cast("object", _load("polars", engine).from_arrow(table)) if engine == "polars" else table


def _table(objs: Iterable[object], writer: Writer) -> tuple[list[dict[str, Plain]], dict[str, Column]]:
    """Return the rows, each with its own columns, and all columns in order."""
    given = type(objs)
    if is_record(given) or issubclass(given, str | bytes | Mapping):
        raise TypeError(f"objs must be a list of records, not one {given.__name__}")
    records = list(objs)
    for record in records:
        if not is_record(type(record)):
            raise TypeError(f"objs must be a list of records, not of {type(record).__name__}")
    rows = list[dict[str, Plain]]()
    columns = dict[str, Column]()
    mixed = len({model_of(record) for record in records}) > 1
    if mixed:
        columns[_CLASS] = _text_column(_CLASS)
    lacking = False
    for record in records:
        row: dict[str, Plain] = {_CLASS: model_of(record).__name__} if mixed else {}
        gone = list[str]()
        for name, column, value in writer.row(record, gone):
            columns.setdefault(name, column)
            row[name] = value
        if gone:
            row[ABSENT] = ", ".join(gone)
            lacking = True
        rows.append(row)
    if lacking:
        columns[ABSENT] = _text_column(ABSENT)
    return rows, columns


def _text_column(name: str) -> Column:
    return Column(name, name, str)


def _load(module: str, engine: Engine) -> Any:  # noqa: ANN401  # untyped here: they are extras
    try:
        return import_module(module)
    except ImportError:
        extra = "parquet" if engine == "arrow" else engine
        raise ConfigurationError(f'engine="{engine}" needs {module}: pip install "bitmart-trio[{extra}]"') from None


def _array(arrow: Any, name: str, column: Column, values: list[Plain], exactly: bool, most: int) -> object:  # noqa: ANN401  # as above
    """Return a column as an Arrow array."""
    kind = column.kind
    if kind == "time":
        return _times(arrow, name, values, column.unit or 1000)
    if kind == "decimal":
        amounts = [Decimal(value) if isinstance(value, int | Decimal) else None for value in values]
        if exactly:
            return _exact(arrow, name, amounts, most)
        return arrow.array([None if value is None else float(value) for value in amounts], arrow.float64())
    if kind == "int":
        whole = [value if isinstance(value, int) else None for value in values]
        if all(value is None or value.bit_length() <= _BITS for value in whole):
            return arrow.array(whole, arrow.int64())
        return _exact(arrow, name, [None if value is None else Decimal(value) for value in whole], most)
    if kind == "text":
        texts = [value if value is None or isinstance(value, str) else to_json(value) for value in values]
        return arrow.array(texts, arrow.string())
    return arrow.array(values, arrow.bool_() if kind == "bool" else arrow.float64())


_BITS: Final = 63


def _times(arrow: Any, name: str, values: list[Plain], unit: int) -> object:  # noqa: ANN401  # as above
    millis = [value * 1000 // unit if isinstance(value, int) else None for value in values]
    if any(value is not None and value.bit_length() > _BITS for value in millis):
        raise InvalidRequest(f"{name} has a time that no timestamp can hold", argument="objs")
    return arrow.array(millis, arrow.timestamp("ms", tz="UTC"))


def _exact(arrow: Any, name: str, values: list[Decimal | None], most: int) -> object:  # noqa: ANN401  # as above
    """Return a column of decimals in the narrowest usual type that holds all their digits."""
    before, behind = _width(name, values)
    if before + behind > most:
        values = [None if value is None else _without_zeros(value) for value in values]
        before, behind = _width(name, values)
    if before + behind > most:
        raise InvalidRequest(
            f'{name} takes {before + behind} digits, more than {most}; decimals="float" rounds them', argument="objs"
        )
    if before + behind <= _DIGITS_128:
        return arrow.array(values, arrow.decimal128(max(before + behind, _USUAL_DIGITS), behind))
    return arrow.array(values, arrow.decimal256(before + behind, behind))


def _width(name: str, values: list[Decimal | None]) -> tuple[int, int]:
    """Return the greatest number of digits before and after the point."""
    try:
        widths = [width(value) for value in values if value is not None]
    except ValueError as error:
        raise InvalidRequest(f"{name} has {error}", argument="objs") from None
    return max((each[0] for each in widths), default=0), max((each[1] for each in widths), default=0)


def _without_zeros(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros; unlike ``normalize()``, never rounded."""
    text = format(value, "f")
    return Decimal(text.rstrip("0") if "." in text else text)


def _pandas(table: Any) -> object:  # noqa: ANN401  # as above
    pandas, arrow = import_module("pandas"), import_module("pyarrow")
    nullable = {arrow.int64(): pandas.Int64Dtype(), arrow.bool_(): pandas.BooleanDtype()}

    def dtype(kind: object) -> object:
        if kind in nullable:
            return nullable[kind]
        return pandas.ArrowDtype(kind) if arrow.types.is_decimal(kind) else None

    return cast("object", table.to_pandas(types_mapper=dtype))
