"""Faults as text and JSON, for command lines and for ``/sim/faults``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, cast, get_args

import attrs

from .faults import FAULTS, Fault, FaultError

if TYPE_CHECKING:
    from .wire import Json


def parse_fault(text: str) -> Fault:
    """Read a fault from text: ``Name``, ``Name:pattern``, ``Name:field=value,field=value``, or a JSON object.

    Raises:
        FaultError: no such fault or field, or a value that does not fit.
    """
    text = text.strip()
    if text.startswith("{"):
        try:
            members = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FaultError(f"not JSON: {error}") from None
        return fault_from({str(name): value for name, value in members.items()})
    name, _, rest = text.partition(":")
    fields: dict[str, object] = {"fault": name.strip()}
    # A pattern on its own may hold colons (topics do), never an equals sign.
    for part in filter(None, rest.split(",") if "=" in rest else ()):
        field, equals, value = part.partition("=")
        if not equals:
            raise FaultError(f"expected field=value, not {part!r}")
        fields[field.strip()] = value.strip()
    if rest and "=" not in rest:
        fields[_kind(name.strip()).place or "ms"] = rest.strip()
    return fault_from(fields)


def fault_from(members: Mapping[str, object]) -> Fault:
    """A fault from its name (member ``fault``) and fields, as `describe_fault` writes them; raises `FaultError`."""
    kind = _kind(str(members.get("fault", "")))
    known = {field.name: field for field in attrs.fields(attrs.resolve_types(kind))}
    given: dict[str, object] = {}
    for name, value in members.items():
        if name in ("fault", "hits"):
            continue
        if name not in known:
            raise FaultError(f"{kind.__name__} has no field {name!r}; it has {', '.join(known)}")
        given[name] = _fit(kind, name, known[name].type, value)
    # The fields were checked against their declared types one by one, which no type checker can follow.
    return cast("Callable[..., Fault]", kind)(**given)


def _kind(name: str) -> type[Fault]:
    plain = name.replace("-", "").replace("_", "").lower()
    for known, kind in FAULTS.items():
        if known.lower() == plain:
            return kind
    raise FaultError(f"no fault named {name!r}; there are {', '.join(FAULTS)}")


def _fit(kind: type[Fault], name: str, wanted: object, value: object) -> object:
    """The value as the field's declared type; text is converted, so that a command line can say everything."""
    choices = get_args(wanted) or (wanted,)
    word = str(value).strip().lower()
    if type(None) in choices and (value is None or word in ("none", "null")):
        return None
    try:
        if bool in choices:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[word]
        if isinstance(value, bool):
            raise ValueError
        if int in choices:
            return int(str(value))
        if float in choices:
            number = float(str(value))
            if not isfinite(number):
                raise ValueError
            return number
        if not isinstance(value, str | int):
            raise ValueError
    except (KeyError, ValueError):
        raise FaultError(f"{kind.__name__}: {value!r} does not fit {name}") from None
    return str(value)


def describe_fault(fault: Fault) -> dict[str, Json]:
    """A fault as JSON that `parse_fault` reads back."""
    described: dict[str, Json] = {"fault": type(fault).__name__}
    for field in attrs.fields(type(fault)):
        value = getattr(fault, field.name)
        described[field.name] = Decimal(repr(value)) if isinstance(value, float) else value
    return described
