"""Define the entries of an archive's journal, one per line, from the first reply to the last decision.

Each line is a JSON object in ASCII. It begins with its number, the SHA-256 of the line before it, and its kind; then
follow the members of one of the classes below, under their names.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeAlias, cast

import attrs

from .._plan import HistoryGap
from .._values import Plain

FORMAT: Final = "2"
_MOST: Final = 1 << 53
"""The bound of the integers in an entry."""


class State(StrEnum):
    """The final state of a window, a look or a history."""

    RUNNING = "running"
    """Not finished."""
    ANSWERED = "answered"
    """The exchange listed it completely."""
    NOT_OFFERED = "not_offered"
    """A documented code says that there is no such account or product: there is nothing to list."""
    NOT_PERMITTED = "not_permitted"
    """A documented code says that the key or its address may not read it."""
    FAILED = "failed"
    """The exchange did not answer; another run asks again."""
    UNREADABLE = "unreadable"
    """An answer came that cannot be read; it is kept unchanged."""

    @property
    def complete(self) -> bool:
        """Return True if there is nothing left to read."""
        return self in (State.ANSWERED, State.NOT_OFFERED)


class NotAnEntry(ValueError):
    """A line is no entry of an archive."""


def _of_mapping(value: Mapping[str, Plain]) -> dict[str, Plain]:
    return dict(value)


@attrs.frozen
class Begin:
    """The first line: whose archive it is, and of which time."""

    kind: ClassVar[str] = "begin"
    account: str
    """The account's id; blank if the exchange did not report it."""
    since: int
    until: int
    library: str
    """The version of the library that began the archive."""
    format: str = FORMAT


@attrs.frozen
class RunBegan:
    """A run, or another one that goes on."""

    kind: ClassVar[str] = "run"
    at: int
    library: str


@attrs.frozen
class RunEnded:
    """A run has ended: everything was asked."""

    kind: ClassVar[str] = "run_ended"
    at: int


@attrs.frozen
class HistoryPlanned:
    """A history that will be asked."""

    kind: ClassVar[str] = "history"
    name: str
    """The endpoint and its arguments."""
    endpoint: str
    """Its name, such as ``spot.trading.trades``."""
    arguments: Mapping[str, Plain] = attrs.field(converter=_of_mapping)
    since: int
    until: int


@attrs.frozen
class Asked:
    """The window that a request asked for, in milliseconds, both bounds included, and its page."""

    since: int
    until: int
    page: int = 1


@attrs.frozen
class ReplyCame:
    """A reply as it came, whatever it is."""

    kind: ClassVar[str] = "reply"
    of: str
    """The history or look that sent the request."""
    endpoint: str
    """Its name, such as ``spot.trading.trades``."""
    method: str
    target: str
    """Path and query as sent."""
    request: str | None
    """The body as sent."""
    at: int
    """When the reply came, in milliseconds."""
    status: int
    headers: Mapping[str, str]
    """The relevant headers, with names in lower case."""
    body: bytes = attrs.field(repr=False)
    asked: Asked | None = None


@attrs.frozen
class WindowDecided:
    """The decision on a window; a later decision replaces earlier ones where it covers them."""

    kind: ClassVar[str] = "window"
    of: str
    since: int
    until: int
    """The end of the window, exclusive."""
    state: State
    replies: tuple[int, ...]
    """The numbers of the replies on which the decision rests."""
    reason: str = ""
    code: int = 0
    """The code of the exchange's refusal; 0 for none."""
    total: int | None = None
    """The number of records that the exchange reports."""
    gap: HistoryGap | None = None
    """The part of it that the exchange did not list."""
    cursor: Mapping[str, Any] | None = None
    """The cursor that continues after it."""


@attrs.frozen
class LookTaken:
    """The result of a look at the account's present state; a later one of the same name replaces it."""

    kind: ClassVar[str] = "look"
    name: str
    endpoint: str
    arguments: Mapping[str, Plain] = attrs.field(converter=_of_mapping)
    state: State
    replies: tuple[int, ...]
    """The numbers of its pages' replies, in order."""
    reason: str = ""
    code: int = 0


@attrs.frozen
class Noted:
    """Something suspect, or what became of it; a later note on the same matter replaces it."""

    kind: ClassVar[str] = "note"
    of: str
    """The history or look."""
    what: str
    """A word for the matter."""
    text: str
    """A sentence for the user."""
    since: int = 0
    until: int = 0
    resolved: bool = False


@attrs.frozen
class HistoryEnded:
    """The present end of a history."""

    kind: ClassVar[str] = "history_ended"
    of: str
    state: State
    reason: str = ""
    code: int = 0


Entry: TypeAlias = (
    Begin | RunBegan | RunEnded | HistoryPlanned | ReplyCame | WindowDecided | LookTaken | Noted | HistoryEnded
)

_CLASSES: Final[Mapping[str, type[Any]]] = {
    each.kind: each
    for each in (
        Begin,
        RunBegan,
        RunEnded,
        HistoryPlanned,
        ReplyCame,
        WindowDecided,
        LookTaken,
        Noted,
        HistoryEnded,
    )
}


def encode(entry: Entry, number: int, before: str) -> bytes:
    """The line of an entry, without its newline."""
    members: dict[str, object] = {"n": number, "before": before, "entry": entry.kind}
    members.update(attrs.asdict(entry, value_serializer=_plain))
    if isinstance(entry, ReplyCame):
        # These members let a person grep the file for a path.
        members["call"] = entry.endpoint
        members["endpoint"] = f"{entry.method} {entry.target.partition('?')[0]}"
        del members["body"]
        try:
            members["body"] = entry.body.decode()
        except UnicodeDecodeError:
            members["body_base64"] = base64.b64encode(entry.body).decode()
    return json.dumps(members, separators=(",", ":")).encode("ascii")


def _plain(_: object, __: object, value: object) -> object:
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value


def decode(line: bytes) -> Entry:
    """The entry of a line.

    Raises:
        NotAnEntry: the line is not an entry, or is an entry of a later version.
    """
    try:
        members = json.loads(line)
        if not isinstance(members, dict):
            raise NotAnEntry("not an object")
        return _entry(cast("dict[str, Any]", members))
    except NotAnEntry:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise NotAnEntry(f"not an entry ({type(error).__name__}: {error})") from error


def _entry(members: dict[str, Any]) -> Entry:
    kind = members.pop("entry")
    if kind not in _CLASSES:
        raise NotAnEntry(f"an entry of an unknown kind, {str(kind)[:40]!r}")
    class_ = _CLASSES[kind]
    del members["n"], members["before"]
    if class_ is ReplyCame:
        members["endpoint"] = members.pop("call")
        if "body_base64" in members:
            members["body"] = base64.b64decode(members.pop("body_base64"), validate=True)
        else:
            members["body"] = members["body"].encode()
        if members["asked"] is not None:
            members["asked"] = Asked(**members["asked"])
    if "state" in members:
        members["state"] = State(members["state"])
    if "replies" in members:
        members["replies"] = tuple(int(each) for each in members["replies"])
    if members.get("gap") is not None:
        members["gap"] = HistoryGap(**members["gap"])
    entry: Entry = class_(**members)
    _check(entry)
    return entry


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "bytes": bytes,
    "str | None": (str, type(None)),
    "int | None": (int, type(None)),
    "State": State,
    "tuple[int, ...]": tuple,
    "Mapping[str, Plain]": Mapping,
    "Mapping[str, str]": Mapping,
    "Mapping[str, Any] | None": (Mapping, type(None)),
    "HistoryGap | None": (HistoryGap, type(None)),
    "Asked | None": (Asked, type(None)),
}


def _check(entry: Entry) -> None:
    """Refuse what has been changed into something else: whoever reads an entry may rely on its types."""
    for field in attrs.fields(type(entry)):
        value = getattr(entry, field.name)
        if not isinstance(value, _TYPES[str(field.type)]) or (isinstance(value, bool) and field.type != "bool"):
            raise NotAnEntry(f"its {field.name} is no {field.type}")
        if isinstance(value, int) and abs(value) > _MOST:
            raise NotAnEntry(f"its {field.name} is too large")
    nested = [each for each in (getattr(entry, "gap", None), getattr(entry, "asked", None)) if each is not None]
    for each in nested:
        if not all(isinstance(bound, int) and abs(bound) <= _MOST for bound in (each.since, each.until)):
            raise NotAnEntry("its bounds are no times")
