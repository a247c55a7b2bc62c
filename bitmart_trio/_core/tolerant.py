"""JSON that does not fit its model, read member by member: what can be read is read, the rest is absent.

The engines of ``codec.py`` are tried first and read JSON that fits. This module handles JSON that they refuse. The
rules:

* a member that is missing, null where there must be a value, or unreadable leaves its attribute absent; all other
  members are read. A list that is null is empty, a list that is missing is absent;
* an element of a list is kept with absent members; the columns of a record that travels as an array have no names, so a
  record with an unreadable column is left out and listed;
* an object that lacks what identifies it is refused: see `lacks_identity`.

A model states what identifies it in ``_identity_``, beside its fields: the names of members that its replies or pushes
must have. An object of a model without ``_identity_`` must have at least one readable member.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs

from ..models._absent import absent, model_of, partial
from ..models._fields import ALIASES, WIRE, ZERO_IS_NONE
from ..models._model import Model
from ..models._rows import Level, Levels
from . import codec

T = TypeVar("T")
_Type: TypeAlias = Any
"""A type as annotations spell it; Python has no narrower type for that."""

_LONGEST: Final = 1000
"""The most characters of unreadable JSON that are kept."""
_MOST_KEPT: Final = 1000
"""The most deviations of one reply that are kept."""
_MOST_READ: Final = 10_000
"""The most values of one reply that are read member by member: the loop is blocked meanwhile."""


@attrs.frozen
class Unreadable(Model):
    """An element of a list that was left out, because a column of it cannot be read."""

    path: str
    """The path of the element, such as ``[3]`` or ``asks[0]``."""
    raw: str
    """Its JSON."""


@attrs.define
class Reading:
    """The deviations of a reply or push."""

    source: str
    """``"GET /path"`` or the channel."""
    members: dict[str, str | None] = attrs.field(factory=dict)
    """Absent members by path, without indices (``items[].fee``), each with the first JSON seen in its place."""
    unreadable: list[Unreadable] = attrs.field(factory=list)
    """Elements that were left out."""
    took: int = 0
    """The number of values that did not fit."""


def read(type_: type[T], data: bytes, source: str) -> tuple[T, Reading | None]:
    """Read a type from JSON bytes as well as it can be read.

    Returns:
        The value, and its deviations; None instead of those where everything fits, which is nearly always the case.

    Raises:
        codec.DecodeError: the bytes are not JSON, are of another kind altogether, or lack what identifies the object.
    """
    hashable: Any = type_
    try:
        return codec.attempt(hashable)(data), None
    except Exception:  # noqa: BLE001, S110  # whichever error an engine raised: read member by member instead
        pass
    reading = Reading(source)
    try:
        value = _read(codec.loads(data), type_, "", reading)
    except ValueError as error:
        raise codec.DecodeError(str(error)) from None
    lacks = lacks_identity(value)
    if lacks is not None:
        raise codec.DecodeError(lacks)
    return cast("T", value), reading


def lacks_identity(value: object) -> str | None:
    """Return what of a model's identity an object lacks, for a message; None where it has it all, or is no model."""
    missing = absent(value)
    model: Any = model_of(value)
    identity = cast("tuple[str, ...] | None", getattr(model, "_identity_", None))
    if identity is None:
        if not missing or any(f.default is attrs.NOTHING and f.name not in missing for f in attrs.fields(model)):
            return None
        return f"no readable member of {model.__name__}"
    for name in identity:
        if name in missing:
            return f"no readable {name} in {model.__name__}"
        inner = lacks_identity(getattr(value, name))
        if inner is not None:
            return inner
    return None


def _json(value: object) -> str:
    return codec.text_of(value)[:_LONGEST]


def _read(value: object, type_: _Type, path: str, reading: Reading) -> object:
    """Read a value of `codec.loads`.

    Raises:
        ValueError: no part of the value can be read.
    """
    try:
        return codec.hook(type_)(value)
    except Exception as error:  # noqa: BLE001  # whichever error a hook raised, the value does not fit
        reason = error
    reading.took += 1
    if reading.took > _MOST_READ:
        raise codec.DecodeError(f"more than {_MOST_READ:,} values of it do not fit")
    if codec.is_optional(type_):
        type_ = codec.inner_of(type_)
    if codec.is_list(type_):
        return _read_list(value, type_, path, reading)
    origin: Any = get_origin(type_)
    if origin is dict and isinstance(value, dict):
        return _read_dict(cast("dict[str, object]", value), type_, path, reading)
    if type_ is Levels and isinstance(value, list):
        side = cast("list[object]", value)
        return Levels(cast("list[Level]", _read_list(side, list[Level], path, reading)))
    if isinstance(type_, type) and attrs.has(type_):
        return _read_model(value, type_, path, reading)
    raise ValueError(f"{path or 'the payload'}: {reason}")


def _read_list(value: object, type_: _Type, path: str, reading: Reading) -> object:
    if not isinstance(value, list):
        raise ValueError(f"{path or 'the payload'} is not a list")
    item = get_args(type_)[0]
    elements = cast("list[object]", value)
    spread = getattr(item, "_spread_", None)
    if spread is not None:
        elements = [part for each in elements for part in spread(each)]
    found: list[object] = []
    for index, each in enumerate(elements):
        try:
            found.append(_read(each, item, f"{path}[]", reading))
        except ValueError:
            _note(reading, f"{path}[]", _json(each))
            if len(reading.unreadable) < _MOST_KEPT:
                reading.unreadable.append(Unreadable(f"{path}[{index}]", _json(each)))
    build: Any = get_origin(type_)
    return build(found)


def _read_dict(value: dict[str, object], type_: _Type, path: str, reading: Reading) -> object:
    item = get_args(type_)[1]
    found: dict[str, object] = {}
    for key, each in value.items():
        try:
            found[key] = _read(each, item, f"{path}.*", reading)
        except ValueError:
            _note(reading, f"{path}.*", _json(each))
            reading.unreadable.append(Unreadable(f"{path}.{key}", _json(each)))
    return found


@cache
def _fields(model: type) -> tuple[tuple[Any, tuple[str, ...]], ...]:
    """Return the fields of a model, each with the names that it may bear on the wire."""
    attrs.resolve_types(model)
    return tuple(
        (field, (field.metadata.get(WIRE) or field.name, *field.metadata.get(ALIASES, ())))
        for field in attrs.fields(model)
    )


def _default(field: attrs.Attribute[Any]) -> object:
    factory = getattr(field.default, "factory", None)  # attrs wraps one
    return field.default if factory is None else factory()


def _read_model(value: object, model: type, path: str, reading: Reading) -> object:
    shape = getattr(model, "_shape_", None)
    if shape is not None:
        with suppress(Exception):  # it shapes the values that it knows; other values are read unchanged
            value = shape(value)
    if not isinstance(value, dict):
        raise ValueError(f"{path or 'the payload'} is not an object")
    wire = cast("Mapping[str, object]", value)
    values: dict[str, object] = {}
    lacks: dict[str, str | None] = {}
    for field, spellings in _fields(model):
        name = field.name
        where = f"{path}.{name}" if path else name
        spelling = next((each for each in spellings if each in wire), None)
        if spelling is None:
            if field.default is attrs.NOTHING:
                lacks[name] = None
                _note(reading, where, None)
            else:
                values[name] = _default(field)
        elif field.metadata.get(ZERO_IS_NONE) and wire[spelling] in (0, "0"):
            values[name] = None
        else:
            try:
                values[name] = _read(wire[spelling], field.type, where, reading)
            except ValueError:
                lacks[name] = _json(wire[spelling])
                _note(reading, where, lacks[name])
    made: object = partial(cast("type[object]", model), values, lacks, reading.source)
    return made


def _note(reading: Reading, path: str, raw: str | None) -> None:
    if len(reading.members) < _MOST_KEPT:
        reading.members.setdefault(path, raw)
