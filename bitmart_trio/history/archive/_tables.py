"""Records as plain tables for people and programs: one table a kind, one a look at the account's present.

Times are ISO 8601 in UTC, numbers that stand for words become words (``buy_open_long``), and amounts and ids are text
with every digit that the exchange sent.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

import attrs

from ...models._enums import OpenInt
from ...models._fields import Millis, Seconds
from .._values import columns
from ._movements import Movement, Value
from ._reader import Record

Cell: TypeAlias = "str | int | None"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = 100_000_000_000
_LAST: Final = 253_402_300_800_000
"""The year 10000 in milliseconds."""
_EXACT_INTEGER: Final = 10**15
"""Spreadsheets keep fifteen digits."""


class Role(StrEnum):
    """The role of a column."""

    TEXT = "text"
    """Text, and ids: every digit is kept."""
    AMOUNT = "amount"
    """A number with every digit, as text."""
    TIME = "time"
    """ISO 8601 in UTC."""
    NUMBER = "number"
    """A count or another small integer."""
    TRUTH = "truth"


@attrs.frozen
class Column:
    """One column of a table."""

    name: str
    role: Role
    words: type[OpenInt] | None = None
    """The enumeration whose numbers become words."""


@attrs.frozen
class Table:
    """A table that can be read more than once."""

    name: str
    """The table's name, usable as a file name."""
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Sequence[Cell]]]


def iso(milliseconds: int | None) -> str | None:
    """A moment as ISO 8601 in UTC, to the millisecond; None for none, and for what is no moment of this era."""
    if milliseconds is None or not 0 <= milliseconds < _LAST:
        return None
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


def columns_of(record: type[object]) -> tuple[Column, ...]:
    """The columns of a model class, in its order."""
    hints = get_type_hints(record)
    return tuple(_column(name, hints.get(name, str)) for name in columns(record))


def _column(name: str, hint: object) -> Column:
    kind = hint
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if kind in (Millis, Seconds):
        return Column(name, Role.TIME)
    if not isinstance(kind, type):
        return Column(name, Role.TEXT)
    if issubclass(kind, OpenInt):
        return Column(name, Role.TEXT, kind)
    if issubclass(kind, bool):
        return Column(name, Role.TRUTH)
    if issubclass(kind, Decimal):
        return Column(name, Role.AMOUNT)
    if issubclass(kind, int) and not issubclass(kind, Enum) and name != "id" and not name.endswith(("_id", "cid")):
        return Column(name, Role.NUMBER)
    return Column(name, Role.TEXT)


def cell(column: Column, value: Value) -> Cell:
    """A value of a record as its column shows it. What does not fit the column's role stays as it is."""
    if value is None or value == "":
        return None
    if column.role is Role.TIME:
        return _time(value)
    if column.role is Role.TRUTH:
        return {"0": "false", "1": "true"}.get(str(value), str(value))
    if column.words is not None and str(value).lstrip("-").isdecimal():
        member = column.words(int(value))
        return member.name.lower() if member.is_known else str(value)
    if column.role is Role.NUMBER and isinstance(value, int) and abs(value) < _EXACT_INTEGER:
        return value
    return str(value)


def _time(value: str | int) -> str:
    text = str(value)
    if not text.isdecimal() or len(text) > 15:
        return text
    number = int(text)
    if number == 0:
        return text
    return iso(number if number >= _SECONDS else number * 1000) or text


TIME: Final = Column("time_utc", Role.TIME)
_BEHIND: Final = (Column("history", Role.TEXT), Column("unreadable", Role.TEXT))
"""The columns after a record's own: its history; and the whole record as JSON if a part of it could not be read."""


def record_table(kind: str, record: type[object], read: Callable[[], Iterator[Record]]) -> Table:
    """The table of one kind of records.

    Args:
        kind: the endpoint's name.
        record: the model of the records.
        read: returns the present records, oldest first.
    """
    own = columns_of(record)

    def rows() -> Iterator[Sequence[Cell]]:
        for each in read():
            own_cells = (cell(column, each.values.get(column.name)) for column in own)
            yield [iso(each.time), *own_cells, each.history, each.content if each.odd else None]

    return Table(kind.replace(".", "_"), (TIME, *own, *_BEHIND), rows)


def look_table(endpoint: str, looks: Sequence[tuple[str, Callable[[], Iterator[object]]]]) -> Table | None:
    """The table of all looks at one endpoint: the entries of each, or its one object; None where there are none.

    Args:
        endpoint: the endpoint's name.
        looks: the name of each look, and a function that reads its pages.
    """
    names = list(
        dict.fromkeys(member for _, read in looks for page in read() for each in entries_of(page) for member in each)
    )
    if not names:
        return None

    def rows() -> Iterator[Sequence[Cell]]:
        for look, read in looks:
            for page in read():
                for entry in entries_of(page):
                    yield [look, *(_plain(entry.get(name)) for name in names)]

    return Table(
        endpoint.replace(".", "_"), (Column("look", Role.TEXT), *(Column(each, Role.TEXT) for each in names)), rows
    )


MOVEMENT_COLUMNS: Final = (
    TIME,
    *(
        Column(name, Role.AMOUNT if name in ("received", "sent", "fee") else Role.TEXT)
        for name in (
            "kind", "received", "received_coin", "sent", "sent_coin", "fee", "fee_coin", "id", "hash", "text",
        )
    ),
)  # fmt: skip


def movement_table(movements: Iterable[Movement]) -> Table:
    """The table of what came in and went out."""

    def rows() -> Iterator[Sequence[Cell]]:
        for each in movements:
            yield [iso(each.time), *(_plain(getattr(each, column.name)) for column in MOVEMENT_COLUMNS[1:])]

    return Table("movements", MOVEMENT_COLUMNS, rows)


def entries_of(page: object) -> list[Mapping[str, object]]:
    if isinstance(page, Mapping):
        members = cast("Mapping[str, object]", page)
        lists = [cast("list[object]", value) for value in members.values() if isinstance(value, list)]
        # A page has one list and, at most, counts beside it.
        if len(lists) == 1 and all(isinstance(value, list | int | str | Decimal | None) for value in members.values()):
            return entries_of(lists[0])
        return [members]
    if isinstance(page, list):
        entries = cast("list[object]", page)
        return [
            cast("Mapping[str, object]", each) if isinstance(each, Mapping) else _numbered(each) for each in entries
        ]
    return []


def _numbered(entry: object) -> Mapping[str, object]:
    """An entry without names: a candle is a list of values."""
    values = cast("list[object]", entry) if isinstance(entry, list) else [entry]
    return {f"value_{number}": value for number, value in enumerate(values, 1)}


def _plain(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, default=lambda each: format(each, "f"), ensure_ascii=False, separators=(",", ":"))
