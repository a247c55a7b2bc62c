"""Write models as plain values: this module alone defines how each kind of member is written.

A `Writer` writes in one form. It remembers what it has learnt of a class: its members, their names, and which of them
are times.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from operator import attrgetter
from pathlib import PurePath
from typing import Any, Final, Literal, NewType, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

import attrs

from ._absent import absent, is_partial, model_of
from ._fields import WIRE, Millis, Seconds, from_millis, from_seconds
from ._model import Model

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | Decimal | bool | None"
"""The results of `bm.to_dict` and `bm.to_rows`; with a `Decimal` only for ``decimals="number"``."""

Names: TypeAlias = Literal["python", "wire"]
Decimals: TypeAlias = Literal["text", "number", "float"]
Times: TypeAlias = Literal["number", "millis", "iso"]
Kind: TypeAlias = Literal["time", "decimal", "bool", "int", "float", "text"]
"""The kind of a table's column. Values of no other kind are written as text."""

ABSENT: Final = "_absent"
"""The key of an object's absent members."""

_OF_ERRORS: Final = ("code", "message", "trace", "http_status", "endpoint")


class Column:
    """A member of a class.

    Args:
        name: its name in Python.
        wire: its name on the wire.
        hint: its type, without None.
    """

    __slots__ = ("hint", "name", "unit", "wire")

    def __init__(self, name: str, wire: str, hint: object) -> None:
        self.name = name
        self.wire = wire
        self.hint = hint
        self.unit: Literal[1, 1000] | None = 1000 if hint is Millis else 1 if hint is Seconds else None
        """The number of its units per second; None if it is not a time."""

    @property
    def kind(self) -> Kind:
        """Return the kind of the column's cells."""
        if self.unit is not None:
            return "time"
        hint = self.hint
        while isinstance(hint, NewType):
            hint = cast("object", hint.__supertype__)
        for base, kind in _KINDS:
            if isinstance(hint, type) and issubclass(hint, base):
                return kind
        return "text"


_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (Decimal, "decimal"),
    (bool, "bool"),
    (int, "int"),  # includes enumerations of numbers
    (float, "float"),
)


def is_record(kind: type) -> bool:
    """Return True for a class with named members: a model, an array row or a named tuple."""
    return attrs.has(kind) or hasattr(kind, "__struct_fields__") or hasattr(kind, "_fields")


@cache
def columns(model: type) -> tuple[Column, ...]:
    """Return the members of a class that `is_record`, in order, without those whose names begin with ``_``."""
    hints = _hints(model)
    if attrs.has(model):
        fields = [(field.name, str(field.metadata.get(WIRE) or field.name)) for field in attrs.fields(model)]
    else:  # arrays have no names on the wire
        names = cast("tuple[str, ...]", getattr(model, "__struct_fields__", None) or getattr(model, "_fields"))  # noqa: B009  # a tuple has it or not
        fields = [(name, name) for name in names]
    return tuple(Column(name, wire, without_none(hints.get(name))) for name, wire in fields if name[0] != "_")


def _hints(model: type) -> dict[str, Any]:
    try:
        return get_type_hints(model)
    except (NameError, TypeError):  # names that only type checkers import: models have none
        return {}


def without_none(hint: object) -> object:
    """Return a type without its ``| None``; a union of several other types unchanged."""
    if get_origin(hint) in (Union, types.UnionType):
        others = [each for each in get_args(hint) if each is not type(None)]
        if len(others) == 1:
            return cast("object", others[0])
    return hint


class Writer:
    """A writer of objects in one form; its arguments are those of `bm.to_dict`."""

    def __init__(self, names: Names = "python", decimals: Decimals = "text", times: Times = "number") -> None:
        self._on_the_wire = names == "wire"
        self._times = times
        decimal = {"text": _digits, "number": _as_it_is, "float": float}[decimals]
        self._by_class: dict[type, Callable[[Any], Plain]] = {
            **dict.fromkeys((str, int, float, bool, type(None)), _as_it_is),
            Decimal: cast("Callable[[Any], Plain]", decimal),
        }

    def value(self, value: object) -> Plain:
        """Write any value that an object of the library can hold.

        Raises:
            TypeError: the value is something else.
        """
        write = self._by_class.get(type(value))
        return write(value) if write is not None else self._learn(type(value))(value)

    def time(self, value: object, unit: Literal[1, 1000]) -> Plain:
        """Write a time with so many units per second."""
        if type(value) is not int or self._times == "number":
            return self.value(value)
        if self._times == "millis":
            return value * 1000 // unit
        if unit == 1000:
            return _utc(from_millis(Millis(value)), "milliseconds")
        return _utc(from_seconds(Seconds(value)), "seconds")

    def row(self, record: object, gone: list[str]) -> Iterator[tuple[str, Column, Plain]]:
        """Return the members of a record and of nested records, flat: dotted names, columns and written values.

        Args:
            record: the record to write.
            gone: receives the names of absent members.
        """
        yield from self._cells("", model_of(record), record, gone)

    def _cells(self, prefix: str, model: type, record: object, gone: list[str]) -> Iterator[tuple[str, Column, Plain]]:
        lacking = absent(record)
        for column in columns(model):
            name = prefix + (column.wire if self._on_the_wire else column.name)
            here: object = None
            if column.name in lacking:
                gone.append(name)
            elif record is not None:
                here = cast("object", getattr(record, column.name))
            below = model_of(here) if is_record(type(here)) else column.hint if here is None else None
            if isinstance(below, type) and is_record(below) and not _is_spelt(below):
                yield from self._cells(f"{name}.", below, here, gone)
            else:
                yield name, column, None if here is None else self._member(column, here)

    def _member(self, column: Column, value: object) -> Plain:
        return self.value(value) if column.unit is None else self.time(value, column.unit)

    def _learn(self, kind: type) -> Callable[[Any], Plain]:
        write = self._how(kind)
        if not is_partial(kind):  # the classes of objects with absent members are temporary
            self._by_class[kind] = write
        return write

    def _how(self, kind: type) -> Callable[[Any], Plain]:
        if is_partial(kind):
            return self._partial
        if is_record(kind):
            return str if _is_spelt(kind) else self._record(kind)
        for base, write in self._kinds():
            if issubclass(kind, base):
                return write
        raise TypeError(f"there is no plain form of a {kind.__module__}.{kind.__qualname__}")

    def _kinds(self) -> Iterator[tuple[type, Callable[[Any], Plain]]]:
        yield Enum, self._enum  # before the other types of its members
        yield str, str.__str__
        yield int, int.__int__
        yield Mapping, self._mapping
        yield bytes, _readable
        yield datetime, self._moment
        yield date, date.isoformat
        yield timedelta, timedelta.total_seconds
        yield PurePath, str
        yield BaseException, self._error
        yield type, _class_name
        yield Sequence, self._list
        yield AbstractSet, self._list

    def _record(self, kind: type) -> Callable[[object], Plain]:
        """Return a function for one class, which is fast mostly because it reads all members at once."""
        value, time = self.value, self.time
        known = columns(kind)
        keys = [column.wire if self._on_the_wire else column.name for column in known]
        if not keys:
            return lambda record: {}
        getter = attrgetter(*(column.name for column in known))
        if len(keys) == 1:
            only = known[0]
            return lambda record: {keys[0]: self._member(only, getter(record))}
        if self._times == "number" or not any(column.unit for column in known):
            return lambda record: dict(zip(keys, map(value, getter(record)), strict=True))
        units: list[Literal[1, 1000] | None] = [column.unit for column in known]

        def write(record: object) -> Plain:
            members = zip(keys, getter(record), units, strict=True)
            return {key: value(member) if unit is None else time(member, unit) for key, member, unit in members}

        return write

    def _partial(self, record: object) -> Plain:
        gone = absent(record)
        known = columns(model_of(record))
        written: dict[str, Plain] = {
            column.wire if self._on_the_wire else column.name: self._member(column, getattr(record, column.name))
            for column in known
            if column.name not in gone
        }
        written[ABSENT] = {
            column.wire if self._on_the_wire else column.name: gone[column.name]
            for column in known
            if column.name in gone
        }
        return written

    def _enum(self, member: Enum) -> Plain:
        return self.value(cast("object", member.value))

    def _mapping(self, mapping: Mapping[object, object]) -> Plain:
        return {str(self.value(key)): self.value(each) for key, each in mapping.items()}

    def _list(self, values: Iterable[object]) -> Plain:
        return [self.value(each) for each in values]

    def _moment(self, moment: datetime) -> Plain:
        if self._times == "millis" and moment.tzinfo is not None:
            return (moment - from_millis(Millis(0))) // timedelta(milliseconds=1)
        return moment.isoformat()

    def _error(self, error: BaseException) -> Plain:
        shown: dict[str, Plain] = {"class": type(error).__name__, "message": str(error)}
        for name in _OF_ERRORS:
            if name in vars(error):
                shown.setdefault(name, self.value(vars(error)[name]))
        return shown


def _as_it_is(value: Plain) -> Plain:
    return value


def _digits(value: Decimal) -> Plain:
    return format(value, "f")


def _class_name(value: type) -> Plain:
    return value.__name__


def _readable(value: bytes) -> Plain:
    return value.decode("utf-8", "backslashreplace")


def _utc(moment: datetime, timespec: Literal["milliseconds", "seconds"]) -> Plain:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec)}Z"


def _is_spelt(kind: type) -> bool:
    """Return True for a class that is written as its text, such as an endpoint."""
    return attrs.has(kind) and not issubclass(kind, Model) and "__str__" in vars(kind)


plain: Final = Writer().value
"""The function behind `bm.to_builtins`."""


def json_schema(hint: object) -> dict[str, object]:
    """Return the JSON schema of written values of a type."""
    hint = without_none(hint)
    while isinstance(hint, NewType):
        hint = cast("object", hint.__supertype__)
    origin = get_origin(hint)
    if isinstance(hint, type) and is_record(hint) and not _is_spelt(hint):
        members = {column.name: json_schema(column.hint) for column in columns(hint)}
        return {"type": "object", "title": hint.__name__, "properties": members}
    kind = origin if isinstance(origin, type) else hint
    if not isinstance(kind, type):
        return {}
    for base, name in _JSON_TYPES:
        if issubclass(kind, base):
            inner = get_args(hint)
            return {"type": name, "items": json_schema(inner[0])} if name == "array" and inner else {"type": name}
    return {}


_JSON_TYPES: Final = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    ((str, Decimal, bytes, date, PurePath), "string"),
    ((Mapping, BaseException), "object"),
    ((Sequence, AbstractSet), "array"),
)
