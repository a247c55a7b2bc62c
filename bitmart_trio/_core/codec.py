"""Turn bytes into models and back. With ``models/_rows.py`` the only place that knows msgspec or cattrs.

Two engines give one result. A model whose fields carry their wire names goes straight from bytes through msgspec; if
msgspec refuses (a number where text was documented, a blank instead of a number), and for models with renamed fields,
the bytes are read without types, with exact decimals, and structured by cattrs hooks. The hooks accept what the
exchange really sends:

* numbers as text and text as numbers, for ids, codes, times and amounts;
* blank, a dash or null for "no value" in optional fields; null for an empty list;
* unknown words in enumerations, unknown fields anywhere, rows with additional columns.

Never accepted are NaN, Infinity, a boolean for a number, and a number that breaks the rule of ``models/_numbers.py``.
"""

from __future__ import annotations

import inspect
import itertools
import types
import typing
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from ..models import _numbers
from ..models._enums import OpenInt, OpenStr
from ..models._fields import ALIASES, WIRE, ZERO_IS_NONE
from ..models._rows import Level, Levels, Row
from . import guard

T = TypeVar("T")

Raw = msgspec.Raw


class DecodeError(Exception):
    """The bytes are not JSON, or not of the wanted shape; the text says where."""


def dumps(value: object) -> bytes:
    """Compact JSON. Decimals must have been turned into text or `number` before."""
    return msgspec.json.encode(value)


_texts: Final = msgspec.json.Encoder(decimal_format="number")


def text_of(value: object) -> str:
    """Return a value of `loads` as JSON text, numbers digit for digit."""
    return _texts.encode(value).decode()


def number(value: Decimal) -> object:
    """A decimal as a JSON number, digit for digit."""
    return msgspec.Raw(format(value, "f").encode())


# What msgspec raises for bytes that are not JSON: also for bad UTF-8, and for brackets nested a thousand deep.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _exact(digits: str) -> Decimal | str:
    try:
        return _numbers.exact(digits)
    except ValueError:
        return digits


_untyped: Final = msgspec.json.Decoder(float_hook=_exact)


def _check_values(data: bytes | msgspec.Raw) -> None:
    """Raise `DecodeError` for JSON whose values would take far more memory and time than its bytes have."""
    if guard.has_too_many_values(bytes(data)):
        raise DecodeError(f"more than {guard.MOST_PARTS:,} arrays and objects, or {guard.MOST_VALUES:,} values")


def loads(data: bytes) -> object:
    """Read JSON without a model: fractions become `Decimal`, never ``float``.

    A number beyond all bounds becomes the text of its digits, so that the rest of the JSON can still be read.
    """
    if len(data) > guard.MOST_NESTED:  # shorter JSON, such as one member, breaks no bound
        _check_values(data)
        if guard.is_too_deep(data):
            raise DecodeError(f"nested more than {guard.MOST_NESTED} levels deep")
        data = guard.without_long_numbers(data)
    try:
        return _untyped.decode(data)
    except _UNREADABLE as error:
        raise DecodeError(str(error)) from None


def frame_decoder(type_: type[T]) -> Callable[[bytes], T]:
    """The function that reads the outer object of a socket frame, leaving its `Raw` members undecoded."""
    native = msgspec.json.Decoder(type_, strict=False)

    def decode(data: bytes) -> T:
        try:
            return native.decode(data)
        except _UNREADABLE as error:
            raise DecodeError(str(error)) from None

    return decode


_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def members(data: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each still undecoded."""
    _check_values(data)
    try:
        return _members.decode(data)
    except _UNREADABLE as error:
        repaired = guard.without_lone_surrogates(bytes(data))
        if repaired != data:
            return members(repaired)
        raise DecodeError(str(error)) from None


def is_missing(data: bytes | msgspec.Raw) -> bool:
    """Return whether the bytes are those of a member that is not there."""
    return not bytes(data).strip()


def is_null(data: bytes | msgspec.Raw) -> bool:
    """Return whether the bytes are nothing or the JSON null."""
    return bytes(data).strip() in (b"", b"null")


# --------------------------------------------------------------------------------------------------------------------
# Untyped values to models
# --------------------------------------------------------------------------------------------------------------------


def _decimal(value: object, _: object = None) -> Decimal:
    return _numbers.exact(value.strip(_numbers.BLANKS) if isinstance(value, str) else value)


def _int(value: object, _: object = None) -> int:
    return _numbers.whole(value.strip(_numbers.BLANKS) if isinstance(value, str) else value)


def _text(value: object, _: object = None) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise ValueError(f"not text: {value!r}")


_BOOLS: Final[Mapping[object, bool]] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


def _bool(value: object, _: object = None) -> bool:
    key = value.strip().lower() if isinstance(value, str) else value
    try:
        return _BOOLS[key]
    except (KeyError, TypeError):
        raise ValueError(f"not true or false: {value!r}") from None


def _enum(value: object, type_: Any) -> object:
    if issubclass(type_, OpenInt):
        return type_(_int(value))
    return type_(_text(value))


def _row(value: object, type_: Any) -> object:
    row = msgspec.convert(value, type_, strict=False)
    for item, wire in zip(row, cast("list[object]", value), strict=False):
        if isinstance(item, Decimal):
            _decimal(wire)
    return row


def _levels(value: object, _: object = None) -> Levels:
    if value is None:
        return Levels()
    if not isinstance(value, list):
        raise ValueError(f"not a list: {type(value).__name__}")
    return Levels(cast("Level", _row(each, Level)) for each in cast("list[object]", value))


def is_optional(type_: Any) -> bool:
    """Return whether a type is that of a value which may be missing."""
    return get_origin(type_) in (Union, types.UnionType) and type(None) in get_args(type_) and len(get_args(type_)) == 2


def inner_of(type_: Any) -> Any:
    """Return the type of an optional value that is there."""
    return next(arg for arg in get_args(type_) if arg is not type(None))


def _optional_hook(type_: Any, converter: cattrs.Converter) -> Callable[[object, object], object]:
    inner = inner_of(type_)
    found = converter.get_structure_hook(inner)
    blanks = ("",) if inner is str else ("", "-")

    def structure(value: object, _: object) -> object:
        if value is None or (isinstance(value, str) and value.strip() in blanks):
            return None
        return found(value, inner)

    return structure


def is_list(type_: Any) -> bool:
    """Return whether a type is a list or a tuple of one kind."""
    return get_origin(type_) in (list, tuple)


def _list_hook(type_: Any, converter: cattrs.Converter) -> Callable[[object, object], object]:
    item = get_args(type_)[0]
    found = converter.get_structure_hook(item)
    build = get_origin(type_)
    spread: Callable[[object], list[object]] | None = getattr(item, "_spread_", None)

    def structure(value: object, _: object) -> object:
        if value is None:
            return build()
        if not isinstance(value, list):
            raise ValueError(f"not a list: {type(value).__name__}")
        values = cast("list[object]", value)
        if spread is not None:
            values = [part for each in values for part in spread(each)]
        return build([found(each, item) for each in values])

    return structure


def _model_hook(type_: Any, converter: cattrs.Converter) -> Callable[[object, object], object]:
    """The structuring function of one attrs class, with its renames, aliases and odd shapes."""
    attrs.resolve_types(type_)
    overrides: dict[str, Any] = {}
    aliases: list[tuple[str, tuple[str, ...]]] = []
    for field in attrs.fields(type_):
        name = field.metadata.get(WIRE) or field.name
        hook: Callable[[object, object], object] | None = None
        if field.metadata.get(ZERO_IS_NONE):
            hook = _zero_is_none(converter.get_structure_hook(field.type), field.type)
        if name != field.name or hook is not None:
            overrides[field.name] = override(rename=name, struct_hook=hook)
        if ALIASES in field.metadata:
            aliases.append((name, field.metadata[ALIASES]))
    plain = make_dict_structure_fn(type_, converter, **overrides)
    shape: Callable[[object], object] | None = getattr(type_, "_shape_", None)

    def structure(value: object, _: object) -> object:
        shaped = value if shape is None else shape(value)
        if not isinstance(shaped, dict):
            raise ValueError(f"not an object: {type(shaped).__name__}")
        members = cast("dict[str, object]", shaped)
        for name, others in aliases:
            if name not in members:
                found = next((other for other in others if other in members), None)
                if found is not None:
                    members = {**members, name: members[found]}
        return plain(members, type_)

    return structure


def _zero_is_none(hook: Callable[[Any, Any], Any], type_: Any) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        return None if value in (0, "0") else hook(value, type_)

    return structure


@cache
def _converter(*, detailed: bool) -> cattrs.Converter:
    # The converter is made when it is first needed: that takes as long as importing ten of our files.
    converter = cattrs.Converter(detailed_validation=detailed)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(int, _int)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _bool)
    converter.register_structure_hook(Levels, _levels)
    converter.register_structure_hook_func(lambda t: t is object, lambda value, _: value)
    # These are registered by class: their bases str and int would win over a predicate.
    converter.register_structure_hook(OpenStr, _enum)
    converter.register_structure_hook(OpenInt, _enum)
    converter.register_structure_hook_func(lambda t: isinstance(t, type) and issubclass(t, Row), _row)
    converter.register_structure_hook_factory(is_list, _list_hook)
    converter.register_structure_hook_factory(is_optional, _optional_hook)
    converter.register_structure_hook_factory(attrs.has, _model_hook)
    return converter


@cache
def hook(type_: Any) -> Callable[[object], Any]:
    """Return what makes an untyped value (of `loads`) one of a type; it raises whatever it stumbles over."""
    found = _converter(detailed=False).get_structure_hook(type_)
    return lambda value: found(value, type_)


def structure(value: object, type_: type[T]) -> T:
    """An untyped value (of `loads`) as a model.

    Raises:
        DecodeError: with the path to what does not fit.
    """
    try:
        return _converter(detailed=False).structure(value, type_)
    except Exception as error:  # whichever error a hook raised, the bytes do not fit
        try:
            _converter(detailed=True).structure(value, type_)
        except Exception as detailed:  # noqa: BLE001  # as above
            messages = cattrs.transform_error(detailed)
            raise DecodeError("; ".join(messages[:3])) from error
        raise DecodeError(str(error)) from error


# --------------------------------------------------------------------------------------------------------------------
# Straight from bytes
# --------------------------------------------------------------------------------------------------------------------


def is_native(type_: Any) -> bool:
    """Return True if msgspec reads the type from bytes with the same result as the hooks above, or refuses."""
    if get_origin(type_) is list:
        return is_native(get_args(type_)[0])
    if is_optional(type_):
        # A blank must become None: msgspec refuses a blank for a number (then the hooks read it) but keeps a blank
        # for text and for the words of an enumeration.
        inner: Any = inner_of(type_)
        if isinstance(inner, typing.NewType):
            return is_native(inner)
        if not isinstance(inner, type):
            return False
        return inner in (Decimal, int, bool) or issubclass(inner, OpenInt) or _is_native_model(inner)
    if isinstance(type_, typing.NewType):
        return type_.__supertype__ is int
    if not isinstance(type_, type):
        return False
    return type_ in (Decimal, int, str, bool, Levels) or issubclass(type_, Enum | Row) or _is_native_model(type_)


def _is_native_model(model: Any) -> bool:
    if not attrs.has(model):
        return False
    odd_shape = hasattr(model, "_shape_") or hasattr(model, "_spread_")
    if odd_shape and not getattr(model, "_plain_is_exact_", False):
        return False
    attrs.resolve_types(model)
    return all(ZERO_IS_NONE not in field.metadata and is_native(field.type) for field in attrs.fields(model))


def _spellings(type_: Any) -> set[bytes]:
    """The further names that fields of a type may bear on the wire, as they would stand there."""
    if get_args(type_):
        return set[bytes]().union(*(_spellings(each) for each in get_args(type_)))
    if not (isinstance(type_, type) and attrs.has(type_)):
        return set()
    fields = attrs.fields(type_)
    own = {f'"{name}"'.encode() for field in fields for name in field.metadata.get(ALIASES, ())}
    return own.union(*(_spellings(field.type) for field in fields))


def _native(type_: Any) -> Any:
    """Return the type that msgspec reads instead of a type."""
    if get_origin(type_) is list:
        return list[_native(get_args(type_)[0])]  # type: ignore[misc]  # made at run time
    if is_optional(type_):
        return _native(inner_of(type_)) | None
    if type_ is Levels:
        return msgspec.Raw
    return _twin(type_) if isinstance(type_, type) and attrs.has(type_) else type_


@cache
def _twin(model: Any, *, finished: bool = True) -> Any:
    """Return a class that msgspec can fill although a model's fields have other names on the wire.

    msgspec decodes straight into an attrs class, but supports no renames for it: msgspec looks the fields up in
    ``__attrs_attrs__`` and the annotations, makes an empty object, sets each field under its own name with ``setattr``,
    and calls ``__attrs_post_init__`` at the end, never ``__init__``.

    So the twin is a subclass of the model whose list of fields and annotations have the wire names. Where the two names
    differ, the wire name is a second name of the same slot: setting ``ms_t`` of a twin sets ``time`` of the model. The
    twin adds no slots, so Python lets a filled twin become an object of the model by ``__class__ = model``. The model
    is frozen, so the twin restores Python's own ``__setattr__``. ``finished`` twins change their class themselves, in
    ``__attrs_post_init__``; others leave that to the reader.

    `test_what_the_twin_needs_of_msgspec_and_attrs` tests each of these points.
    """
    attrs.resolve_types(model)
    members: dict[str, Any] = {"__slots__": (), "__module__": model.__module__, "__annotations__": {}}
    # With both methods in place Python sets attributes without calling either, as fast as for any class.
    members["__setattr__"], members["__delattr__"] = object.__setattr__, object.__delattr__
    fields: list[Any] = []
    sides: list[str] = []
    for field in attrs.fields(model):
        name = field.metadata.get(WIRE) or field.name
        fields.append(field.evolve(name=name))
        members["__annotations__"][name] = _native(field.type)
        if name != field.name:
            members[name] = inspect.getattr_static(model, field.name)
        if field.type is Levels:
            sides.append(field.name)
    members["__attrs_attrs__"] = tuple(fields)
    if finished:
        members["__attrs_post_init__"] = _finisher(model, sides)
    return type(model.__name__, (model,), members)


def _finisher(model: Any, sides: list[str]) -> Callable[[Any], None]:
    """Return what turns a twin into its model. A ValueError of it is msgspec's own refusal."""
    slots = [inspect.getattr_static(model, name) for name in sides]
    accesses = [(slot.__get__, slot.__set__) for slot in slots]

    def finish(twin: Any) -> None:
        twin.__class__ = model

    def finish_with_sides(twin: Any) -> None:
        twin.__class__ = model
        for get, put in accesses:
            put(twin, Levels.of(bytes(get(twin))))

    return finish_with_sides if sides else finish


def _holds_decimals(type_: Any) -> bool:
    """Return whether msgspec makes decimals for a type; the levels of a side check themselves."""
    if get_args(type_):
        return any(_holds_decimals(each) for each in get_args(type_))
    if isinstance(type_, type) and attrs.has(type_):
        return any(_holds_decimals(field.type) for field in attrs.fields(type_))
    return type_ is Decimal or (isinstance(type_, type) and issubclass(type_, Row))


def _is_plain(type_: Any, shapes: guard.Shapes | None = None) -> Callable[[bytes], bool]:
    """Return what tells bytes that msgspec reads as the hooks would, from such as may hold more.

    Args:
        type_: the type to read.
        shapes: see `guard.number_guard`; stays empty for a type without decimals.
    """
    spellings = tuple(_spellings(type_))
    if _holds_decimals(type_):
        return guard.number_guard(spellings, shapes)
    plain = guard.has_no_long_run
    if not spellings:
        return plain
    return lambda data: plain(data) and not any(spelling in data for spelling in spellings)


def decoder(type_: type[T]) -> Callable[[bytes | msgspec.Raw], T]:
    """The function that reads a type from JSON bytes; it raises `DecodeError`. For ``NoneType`` it reads nothing."""
    hashable: Any = type_
    made: Callable[[bytes | msgspec.Raw], T] = _decoder(hashable)
    return made


@cache
def _decoder(type_: Any) -> Callable[[bytes | msgspec.Raw], Any]:
    quick = attempt(type_)

    def decode(data: bytes | msgspec.Raw) -> Any:
        try:
            return quick(data)
        except DecodeError:
            raise
        except Exception:  # noqa: BLE001  # whichever error a hook raised: read once more, to find out where
            return structure(loads(bytes(data)), type_)

    return decode


@cache
def attempt(type_: Any) -> Callable[[bytes | msgspec.Raw], Any]:
    """Return the function that reads a type from JSON bytes if they fit.

    The function raises `DecodeError` for bytes that are not JSON, and any exception for JSON that does not fit:
    `decoder` reports where, and ``tolerant.py`` reads the parts that fit.
    """

    def by_hooks(data: bytes | msgspec.Raw) -> Any:
        return hook(type_)(loads(bytes(data)))

    if type_ is type(None):
        return lambda data: None

    if not is_native(type_):
        return by_hooks
    if get_origin(type_) is list and hasattr(get_args(type_)[0], "_columns_"):
        decode = _table_decoder(get_args(type_)[0])
    else:
        # strict=False because exchanges send integers as strings.
        decode = msgspec.json.Decoder(_native(type_), strict=False).decode
    is_plain = _is_plain(type_)

    def by_msgspec(data: bytes | msgspec.Raw) -> Any:
        if is_plain(data if type(data) is bytes else bytes(data)):
            try:
                return decode(data)
            except _UNREADABLE:
                pass  # the hooks accept more, and report errors more precisely
        return by_hooks(data)

    return by_msgspec


def _table_decoder(model: Any) -> Callable[[bytes | msgspec.Raw], list[Any]]:
    """The function that reads a list of records which travel as arrays of exactly the model's columns.

    msgspec reads no arrays into attrs classes. So it reads plain rows, and the objects are filled column by column.
    """
    attrs.resolve_types(model)
    fields = {field.metadata.get(WIRE) or field.name: field for field in attrs.fields(model)}
    columns = [fields[name] for name in model._columns_]
    row: Any = tuple[tuple(field.type for field in columns)]  # type: ignore[misc]  # made at run time
    list_of: Any = list
    rows: Any = msgspec.json.Decoder(list_of[row], strict=False)
    fill: list[Callable[[Any, Any], None]] = [inspect.getattr_static(model, field.name).__set__ for field in columns]

    def read(data: bytes | msgspec.Raw) -> list[Any]:
        found: list[Any] = rows.decode(data)
        made = list(map(object.__new__, itertools.repeat(model, len(found))))
        for write, values in zip(fill, zip(*found, strict=True), strict=False):
            deque[None](map(write, made, values), maxlen=0)
        return made

    return read


def _is_bare(type_: Any) -> bool:
    """Return whether an object of a type is whole when its fields are set."""
    if not attrs.has(type_) or hasattr(type_, "__attrs_post_init__"):
        return False
    return not any(field.type is Levels for field in attrs.fields(type_))


def push_decoder(type_: type[T], name: str) -> Callable[[bytes], list[T] | None] | None:
    """The function that reads the items of a whole push at once, ``{"<name>": topic, "data": item or items}``.

    The function returns None for a push that it cannot read, or that has any other member: such a push is not wrong,
    but must be read in steps. There is no such function for types that only the hooks read.
    """
    item: Any = type_
    if not is_native(item):
        return None
    # A call for each object, only to change its class, would be a large part of the cost of reading a small object.
    bare = _is_bare(item)
    twin = _twin(item, finished=False) if bare else _native(item)
    one_or_more: Any = list[twin] | twin  # type: ignore[valid-type]  # made at run time
    # The object is dropped as soon as its members are taken, so the garbage collector need not track it.
    whole: Any = msgspec.defstruct("Push", [(name, str), ("data", one_or_more)], forbid_unknown_fields=True, gc=False)
    decode = msgspec.json.Decoder(whole, strict=False).decode
    shapes = guard.Shapes({}, set())
    is_plain = _is_plain(item, shapes)
    first, others, zeros, shaped = shapes.first.get, shapes.others, guard.ZEROS, _holds_decimals(item)

    def read(frame: bytes) -> list[T] | None:
        if not shaped:
            if not is_plain(frame):
                return None
        else:
            # The check that `is_plain` would make for most frames, inlined: the call is a large part of its cost.
            shape = frame.translate(zeros)
            if shape != first(len(frame)) and shape not in others and not is_plain(frame):
                return None
        try:
            data: Any = decode(frame).data
        except _UNREADABLE:
            return None
        items: list[Any] = data if type(data) is list else [data]  # pyright: ignore[reportUnknownVariableType]
        if bare:
            for each in items:
                each.__class__ = item
        return items

    return read


# --------------------------------------------------------------------------------------------------------------------
# What the models do not know
# --------------------------------------------------------------------------------------------------------------------


def unknown_fields(value: object, type_: Any, path: str = "") -> dict[str, object]:
    """Members of an untyped value that its model has no field for, as ``{"[0].new_field": value}``."""
    if value is None:
        return {}
    if type_ is Levels:
        type_ = list[Level]
    if is_optional(type_):
        return unknown_fields(value, inner_of(type_), path)
    if is_list(type_) and isinstance(value, list):
        found: dict[str, object] = {}
        for index, each in enumerate(cast("list[object]", value)):
            found |= unknown_fields(each, get_args(type_)[0], f"{path}[{index}]")
        return found
    if get_origin(type_) is dict and isinstance(value, dict):
        found = {}
        for key, each in cast("dict[str, object]", value).items():
            found |= unknown_fields(each, get_args(type_)[1], f"{path}.{key}" if path else str(key))
        return found
    if isinstance(type_, type) and issubclass(type_, Row) and isinstance(value, list):
        known = len(type_.__struct_fields__)
        columns = cast("list[object]", value)
        return {f"{path}[{index}]": each for index, each in enumerate(columns) if index >= known}
    if isinstance(type_, type) and attrs.has(type_):
        attrs.resolve_types(type_)
        shape = getattr(type_, "_shape_", None)
        value = shape(value) if shape is not None else value
        if not isinstance(value, dict):
            return {}
        known_fields: dict[str, Any] = {}
        for field in attrs.fields(type_):
            for name in (field.metadata.get(WIRE) or field.name, *field.metadata.get(ALIASES, ())):
                known_fields[name] = field.type
        found = {}
        for name, each in cast("dict[str, object]", value).items():
            where = f"{path}.{name}" if path else str(name)
            if name in known_fields:
                found |= unknown_fields(each, known_fields[name], where)
            else:
                found[where] = each
        return found
    return {}
