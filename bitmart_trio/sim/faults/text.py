"""Read and write faults as text and JSON, for command lines and for ``/sim/faults``."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Final, cast, get_args

import attrs

from ..kernel.encoding import Json
from ..kernel.faults import LEAST, Fault, FaultError
from ..kernel.numbers import read_decimal, read_integer
from .kinds import FAULTS

PLACES: Final = {"path": "requests", "connection": "connections", "topic": "topics", "": "the whole exchange"}
"""The kinds of places of faults, by the name of the field that holds the pattern."""

HELP: Final[Mapping[str, str]] = {
    "path": "pattern of request paths (or, for pushes, topics): /spot/*",
    "topic": "pattern of topics: spot/ticker:*",
    "connection": "pattern of kinds or numbers of connections: spot/private, http, ws-3",
    "times": "how many hits until it ends; blank or none: no end",
    "after": "let so many occasions pass before the first hit",
    "chance": "likelihood of a hit at each occasion, 0 to 1",
    "lasting": "ends so many seconds after it was added; blank or none: when used up or removed",
    "seconds": "for how long",
    "before": "wait before carrying the request out; else carry it out at once and answer late",
    "status": "the HTTP status of the answer",
    "html": "answer with a page of the edge network instead of JSON or plain text",
    "retry_after": "seconds in the header Retry-After; blank or none: no such header",
    "handled": "carry the request out before failing",
    "name": "the name of the unknown field",
    "code": "the code in the refusal; of a drop: that of the close frame, blank or none for a break without one",
    "text": "the text of the refusal; blank: the documented one",
    "bytes_per_second": "how fast the exchange sends",
    "ms": "how far the clock is off: minus for behind",
    "unit_ms": "the unit that bounds are rounded to, in milliseconds",
    "inwards": "round the start up and the end down; else the start down and the end up",
    "burnt": "how many ids are burnt, the first that come",
    "n": "how many records at most",
    "how": "in which way",
    "every": "one record in so many, on average",
    "member": "the member that is spoiled; blank: any",
    "days": "how far back records are shown",
    "spread": "each record has a delay of its own, up to the longest; else all have the longest",
}
"""One line for each field that a fault can have, for forms and command lines."""


def fault_kinds() -> list[Json]:
    """Return every kind of fault as JSON: its effect, a client's proper reaction, and its fields with type and default.

    Types are ``text``, ``integer``, ``number`` and ``flag``; ``optional`` means that null is allowed, ``least`` is a
    number's lower bound. The first field is the pattern, if the kind has one.
    """
    return [_described_kind(name, kind) for name, kind in FAULTS.items()]


def _described_kind(name: str, kind: type[Fault]) -> Json:
    does, advice, rest = " ".join((inspect.getdoc(kind) or "").replace("`", "").split()).partition("A client ")
    fields: list[attrs.Attribute[object]] = [*attrs.fields(attrs.resolve_types(kind))]
    first = (kind.place, "ms", "seconds", "status")
    fields.sort(key=lambda field: (field.kw_only, first.index(field.name) if field.name in first else len(first)))
    return {
        "fault": name,
        "concerns": PLACES[kind.place],
        "does": does.strip(),
        "client": advice + rest,
        "fields": [_described_field(kind, field) for field in fields],
    }


def _described_field(kind: type[Fault], field: attrs.Attribute[object]) -> Json:
    choices = get_args(field.type) or (field.type,)
    word = next(word for type_, word in _WORDS.items() if type_ in choices)
    return {
        "name": field.name,
        "type": word,
        "optional": type(None) in choices,
        "default": cast("Json", field.default),
        "least": LEAST.get(field.name),
        "words": list(kind.words.get(field.name, ())) or None,
        "help": HELP[field.name],
    }


_WORDS: Final[dict[type, str]] = {bool: "flag", int: "integer", float: "number", str: "text"}


def parse_fault(text: str) -> Fault:
    """Read a fault from text: ``Name``, ``Name:pattern``, ``Name:field=value,field=value``, or a JSON object.

    Raises:
        FaultError: there is no such fault or field, or a value is invalid.
    """
    text = text.strip()
    if text.startswith("{"):
        try:
            members = json.loads(text, parse_float=read_decimal, parse_int=read_integer)
        except (ValueError, RecursionError) as error:
            raise FaultError(f"not JSON: {error}") from None
        return fault_from({str(name): value for name, value in members.items()})
    name, _, rest = text.partition(":")
    fields: dict[str, object] = {"fault": name.strip()}
    # A pattern without a field name may contain colons (topics do), but never an equals sign.
    for part in filter(None, rest.split(",") if "=" in rest else ()):
        field, equals, value = part.partition("=")
        if not equals:
            raise FaultError(f"expected field=value, not {part!r}")
        fields[field.strip()] = value.strip()
    if rest and "=" not in rest:
        fields[_kind(name.strip()).place or "ms"] = rest.strip()
    return fault_from(fields)


def fault_from(members: Mapping[str, object]) -> Fault:
    """Return a fault from its name (member ``fault``) and fields, as `describe_fault` has them; raises `FaultError`."""
    kind = _kind(str(members.get("fault", "")))
    known = {field.name: field for field in attrs.fields(attrs.resolve_types(kind))}
    given: dict[str, object] = {}
    for name, value in members.items():
        if name in ("fault", "id", "hits"):
            continue
        if name not in known:
            raise FaultError(f"{kind.__name__} has no field {name!r}; it has {', '.join(known)}")
        given[name] = _fit(kind, name, known[name].type, value)
    # The fields were checked against their declared types one by one, which type checkers cannot follow.
    return cast("Callable[..., Fault]", kind)(**given)


def _kind(name: str) -> type[Fault]:
    plain = name.replace("-", "").replace("_", "").lower()
    for known, kind in FAULTS.items():
        if known.lower() == plain:
            return kind
    raise FaultError(f"no fault named {name!r}; there are {', '.join(FAULTS)}")


def _fit(kind: type[Fault], name: str, wanted: object, value: object) -> object:
    """Return the value in the field's declared type; text is converted, so that a command line can set every field."""
    choices = get_args(wanted) or (wanted,)
    word = str(value).strip(" \t\r\n").lower()
    if type(None) in choices and (value is None or word in ("none", "null")):
        return None
    try:
        if bool in choices:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[word]
        if isinstance(value, bool):
            raise ValueError
        if int in choices:
            return read_integer(word)
        if float in choices:
            number = float(read_decimal(word))
            if not isfinite(number):
                raise ValueError
            return number
        if not isinstance(value, str | int):
            raise ValueError
    except (KeyError, ValueError):
        raise FaultError(f"{kind.__name__}: {value!r} does not fit {name}") from None
    return str(value)


def describe_fault(fault: Fault) -> dict[str, Json]:
    """Return a fault as JSON that `parse_fault` can read."""
    described: dict[str, Json] = {"fault": type(fault).__name__}
    for field in attrs.fields(type(fault)):
        value = getattr(fault, field.name)
        described[field.name] = Decimal(repr(value)) if isinstance(value, float) else value
    return described
