"""Faults on request: each is a small frozen object that says what goes wrong, and where, how often and how likely.

Faults compose: any number is active at once, each counts its own hits and ends by itself when it is used up. The faces
(HTTP and sockets) consult them; handlers and engines never do, so what the exchange *did* stays true whatever its
clients were told.

    handle = exchange.faults.add(LoseReply("/spot/v2/submit_order"))      # handled, never answered, once
    exchange.faults.add(parse_fault("LatePong:seconds=30"))               # as text: see faulttext.py
    handle.remove()

Where a fault happens is a pattern with ``*``: of request paths (``/spot/*``), of topics (``spot/ticker:*``), or of
connections. A connection is named by its kind (``spot/public``, ``spot/private``, ``futures/public``,
``futures/private``, ``http``) and by its number (``ws-3``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

import attrs
import trio

if TYPE_CHECKING:
    from .wire import Json

SOCKETS = "*/*"
"""The pattern of every WebSocket connection."""


class FaultError(ValueError):
    """A fault that does not exist or makes no sense, with the reason."""


LEAST: dict[str, float] = {
    "after": 0, "chance": 0, "lasting": 0, "times": 1, "seconds": 0, "status": 400, "bytes_per_second": 1,
}  # fmt: skip
"""The lowest value of each number a fault can have."""


@attrs.frozen
class Fault:
    """What all faults have in common; use one of the subclasses."""

    after: int = attrs.field(default=0, kw_only=True)
    """Let so many occasions pass before the first hit."""
    chance: float = attrs.field(default=1.0, kw_only=True)
    """The likelihood of a hit at each occasion, drawn from the exchange's seed."""
    lasting: float | None = attrs.field(default=None, kw_only=True)
    """The fault ends so many seconds after it was added; None: when it is used up or removed."""
    place: ClassVar[str] = ""
    """The field that holds the pattern."""

    def __attrs_post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        for name, least in LEAST.items():
            value = getattr(self, name, None)
            if value is not None and value < least:
                raise FaultError(f"{type(self).__name__}: {name} must be at least {least:g}")

    @property
    def pattern(self) -> str:
        """Where it happens."""
        return str(getattr(self, self.place)) if self.place else "*"

    @property
    def limit(self) -> int | None:
        """How many hits it has; None: no end."""
        times: int | None = getattr(self, "times", None)
        return times


@attrs.frozen
class _AtPath(Fault):
    place: ClassVar[str] = "path"
    path: str = "*"
    """The pattern of request paths."""
    times: int | None = 1
    """How many hits it has; None: no end."""


@attrs.frozen
class _AtTopic(Fault):
    place: ClassVar[str] = "topic"
    topic: str = "*"
    """The pattern of topics."""
    times: int | None = 1
    """How many hits it has; None: no end."""


@attrs.frozen
class _AtConnection(Fault):
    place: ClassVar[str] = "connection"
    connection: str = SOCKETS
    """The pattern of connections' kinds and numbers."""
    times: int | None = 1
    """How many hits it has; None: no end."""


# --- requests ---


@attrs.frozen
class LoseRequest(_AtPath):
    """The request never reaches the exchange.

    The connection breaks. A client must treat a write as unknown, look it up, and find nothing.
    """


@attrs.frozen
class LoseReply(_AtPath):
    """The request is carried out and the connection breaks before any answer.

    A client must not repeat a write: look it up, and find it.
    """


@attrs.frozen
class HalfReply(_AtPath):
    """The request is carried out and the connection ends in the middle of the reply's body.

    A client must treat it as `LoseReply`.
    """


@attrs.frozen
class Delay(_AtPath):
    """The exchange sits on the request for so many seconds and then carries it out.

    A client that gave up waiting has still placed its order.
    """

    seconds: float = 1.0
    before: bool = True
    """Wait before carrying it out; else carry it out at once and answer late."""


@attrs.frozen
class Refuse429(_AtPath):
    """Too many requests (code 30013), nothing was done. A client must pause and may repeat."""


@attrs.frozen
class Refuse418(_AtPath):
    """The address is banned for a while (code 30017), nothing was done.

    A client must stop sending everything for a good while.
    """


@attrs.frozen
class Fail5xx(_AtPath):
    """The exchange fails with this status.

    A client may repeat a read; the outcome of a write is unknown and must be looked up.
    """

    status: int = 503
    html: bool = False
    """Answer with a page of the edge network instead of the JSON envelope."""
    handled: bool = False
    """Carry the request out before failing."""


@attrs.frozen
class Maintenance(_AtPath):
    """Maintenance: HTTP 200 with code 30016, nothing done.

    Sockets are refused with 503. A client must look at the code, not the status.
    """

    times: int | None = None


@attrs.frozen
class GarbageReply(_AtPath):
    """The request is carried out and answered with 200 and a body that is not JSON.

    A client must not take a write as failed.
    """


@attrs.frozen
class UnknownField(_AtPath):
    """Objects in replies, or in pushes when ``path`` matches their topic, bear a field nobody has heard of.

    A client must not mind.
    """

    times: int | None = None
    name: str = "sim_unknown_field"


@attrs.frozen
class LongerRow(_AtPath):
    """Rows in replies, or in pushes when ``path`` matches their topic, have one more column at their end.

    A client must not mind.
    """

    times: int | None = None


# --- connections ---


@attrs.frozen
class RefuseConnect(_AtConnection):
    """The connection is refused.

    Over TCP the kind of a connection is not known yet when it is refused, so any pattern refuses the next connection
    there. A client must back off and try again.
    """

    connection: str = "*"
    times: int | None = 1


@attrs.frozen
class RefuseUpgrade(_AtConnection):
    """The WebSocket handshake is answered with this status and a page.

    A client must read it, report it, back off and try again.
    """

    status: int = 403


@attrs.frozen
class HangHandshake(_AtConnection):
    """The WebSocket handshake is never answered, and the connection stays open.

    A client must give up by its own deadline and try again.
    """


@attrs.frozen
class Drop(_AtConnection):
    """The connection breaks without a closing handshake.

    Without ``after`` all connections that match are reset at once, unread data included, and the fault is used up. With
    ``after=n`` n more frames are sent and arrive, then the connection ends. A client must reconnect, log in anew, and
    subscribe to what is wanted now.
    """

    code: int | None = None
    """End with a close frame of this code instead, as a server does that is restarted."""


@attrs.frozen
class Stall(Fault):
    """Nothing more is sent, pongs included, while the connection stays open.

    It goes on when the fault is removed or has lasted its time. A client must notice the silence by its own deadline
    and replace the connection.
    """

    place: ClassVar[str] = "connection"
    connection: str = SOCKETS


@attrs.frozen
class SlowLink(_AtConnection):
    """What the exchange sends trickles.

    A client must stay alive as long as bytes come, and not hold up its other connections.
    """

    times: int | None = None
    bytes_per_second: int = 1000


@attrs.frozen
class LatePong(_AtConnection):
    """Pongs come so many seconds late; all else is on time. A client must not drop a link on which data flows."""

    times: int | None = None
    seconds: float = 5.0


@attrs.frozen
class RefuseLogin(_AtConnection):
    """A correct login is refused with this code (spot) or text (futures), then the connection closes.

    A client must report it with the exchange's own words, and stop for good when the key is bad.
    """

    times: int | None = None
    code: str = "91002"
    text: str = ""
    """Blank: the documented text."""


@attrs.frozen
class DropDuringLogin(_AtConnection):
    """The connection breaks after the login was sent and before its reply.

    A client must log in again on the next connection.
    """


# --- topics ---


@attrs.frozen
class RefuseTopic(_AtTopic):
    """A subscription is refused with this code (spot) or text (futures).

    A client must say so where it was asked for.
    """

    code: str = "95000"
    text: str = ""
    """Blank: the documented text."""


@attrs.frozen
class LoseAck(_AtTopic):
    """The subscription takes effect but is never acknowledged. A client must give up by its own deadline."""


@attrs.frozen
class MuteTopic(_AtTopic):
    """The topic goes silent while the connection lives.

    A client must notice by the topic's cadence, for pongs still come.
    """

    times: int | None = None


@attrs.frozen
class Gap(_AtTopic):
    """A push is lost. A client must see the hole where versions allow it, and never show a wrong book."""


@attrs.frozen
class Duplicate(_AtTopic):
    """A push is sent twice. A client must not apply it twice where versions or ids tell."""


@attrs.frozen
class Reorder(_AtTopic):
    """A push is held back and sent after the topic's next one.

    A client must see the hole, and never show a wrong book.
    """


@attrs.frozen
class Garbage(_AtTopic):
    """A push is followed by a frame that cannot be read.

    Broken deflate or cut-off JSON. A client must count it and go on.
    """


# --- the whole exchange ---


@attrs.frozen
class ClockSkew(Fault):
    """The exchange's clock is off by so many milliseconds.

    A client must measure that, and sign with the exchange's time.
    """

    ms: int = 0


FAULTS: dict[str, type[Fault]] = {
    kind.__name__: kind
    for kind in (
        LoseRequest, LoseReply, HalfReply, Delay, Refuse429, Refuse418, Fail5xx, Maintenance, GarbageReply,
        UnknownField, LongerRow, RefuseConnect, RefuseUpgrade, HangHandshake, Drop, Stall, SlowLink, LatePong,
        RefuseLogin, DropDuringLogin, RefuseTopic, LoseAck, MuteTopic, Gap, Duplicate, Reorder, Garbage, ClockSkew,
    )
}  # fmt: skip
"""Every fault by its name."""

F = TypeVar("F", bound=Fault)


class HasSkew(Protocol):
    """The exchange's clock: `ClockSkew` turns it, and ``lasting`` is counted by it."""

    skew_ms: int

    def steady_ms(self) -> int:
        """The time without the skew."""
        ...


class HasEvents(Protocol):
    """What hits are told to: the exchange's event log."""

    def write(self, kind: str, **fields: Json) -> None:
        """Add one event."""


@attrs.define(eq=False)
class FaultHandle:
    """An added fault: how often it hit, whether it is still active, and the way to take it back."""

    fault: Fault
    _faults: Faults = attrs.field(repr=False)
    id: int = 0
    """Its number among all faults that its exchange was ever given, from 1."""
    hits: int = 0
    seen: int = 0
    """Occasions that matched, hits or not."""
    since: float | None = None
    active: bool = True

    def remove(self) -> None:
        """End the fault; does nothing when it has ended."""
        self._faults.end(self)


class Faults:
    """The active faults of an exchange, in the order in which they were added."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        """How often each fault hit since the exchange was made, by name."""
        self.changed: trio.Event = trio.Event()
        """Set, and replaced by a new one, whenever a fault is added or ends."""
        self._handles: list[FaultHandle] = []
        self._added = 0
        self._watchers: list[Callable[[FaultHandle], None]] = []
        self._random = Random(0)
        self._clock: HasSkew | None = None
        self._log: HasEvents | None = None

    def bind(self, clock: HasSkew, random: Random, log: HasEvents | None = None) -> None:
        """Give the faults their exchange's clock, random numbers and event log; done once, by whoever opens it."""
        self._clock = clock
        self._random = random
        self._log = log

    @property
    def active(self) -> list[FaultHandle]:
        """The faults that can still hit."""
        self._expire()
        return list(self._handles)

    def add(self, fault: Fault) -> FaultHandle:
        """Make a fault active.

        Raises:
            FaultError: a clock skew, before the faults are bound to an exchange.
        """
        handle = FaultHandle(fault, self, self._added + 1, since=self._now())
        if isinstance(fault, ClockSkew):
            if self._clock is None:
                raise FaultError("a clock skew needs an open exchange")
            self._clock.skew_ms += fault.ms
            self.count(handle)
        self._added += 1
        self._handles.append(handle)
        self._tell("fault_added", handle)
        self._notify()
        for watcher in tuple(self._watchers):
            watcher(handle)
        return handle

    def end(self, handle: FaultHandle) -> None:
        """Make a fault inactive."""
        if handle.active:
            handle.active = False
            self._handles.remove(handle)
            self._tell("fault_ended", handle)
            if isinstance(handle.fault, ClockSkew) and self._clock is not None:
                self._clock.skew_ms -= handle.fault.ms
            self._notify()

    def clear(self) -> None:
        """End all faults."""
        for handle in tuple(self._handles):
            self.end(handle)

    def find(self, kind: type[F], *subjects: str) -> F | None:
        """The first active fault of a kind at one of these places, without counting a hit."""
        for _, fault in self._matching(kind, subjects):
            return fault
        return None

    def take(self, kind: type[F], *subjects: str) -> F | None:
        """The fault of a kind that hits now at one of these places, if any does.

        It is counted, and ended when used up.
        """
        for handle, fault in self._matching(kind, subjects):
            handle.seen += 1
            if handle.seen <= fault.after or (fault.chance < 1 and self._random.random() >= fault.chance):
                continue
            self.count(handle, subjects[0])
            return fault
        return None

    def count(self, handle: FaultHandle, where: str = "") -> None:
        """Count one hit; the fault ends when it is used up."""
        handle.hits += 1
        self._tell("fault", handle, where=where, hits=handle.hits)
        self.hits[type(handle.fault).__name__] += 1
        limit = handle.fault.limit
        if limit is not None and handle.hits >= limit:
            self.end(handle)

    def watch(self, watcher: Callable[[FaultHandle], None]) -> None:
        """Call ``watcher`` with every fault that is added."""
        self._watchers.append(watcher)

    def _matching(self, kind: type[F], subjects: tuple[str, ...]) -> Iterable[tuple[FaultHandle, F]]:
        self._expire()
        for handle in tuple(self._handles):
            fault = handle.fault
            if isinstance(fault, kind) and any(fnmatchcase(subject, fault.pattern) for subject in subjects):
                yield handle, fault

    def _expire(self) -> None:
        for handle in tuple(self._handles):
            if handle.fault.lasting is not None:
                now = self._now()
                if handle.since is None:
                    handle.since = now
                elif now is not None and now >= handle.since + handle.fault.lasting:
                    self.end(handle)

    def _tell(self, kind: str, handle: FaultHandle, **fields: Json) -> None:
        if self._log is not None:
            self._log.write(kind, id=handle.id, fault=type(handle.fault).__name__, **fields)

    def _now(self) -> float | None:
        """Seconds by the exchange's clock; by Trio's before there is one, None outside Trio."""
        if self._clock is not None:
            return self._clock.steady_ms() / 1000
        try:
            return trio.current_time()
        except RuntimeError:
            return None

    def _notify(self) -> None:
        self.changed.set()
        self.changed = trio.Event()


def stretch(value: Json, name: str | None, longer: bool) -> Json:
    """JSON with one more field in each object (`UnknownField`), one more column in each row (`LongerRow`), or both."""
    if isinstance(value, dict):
        members = {key: stretch(member, name, longer) for key, member in value.items()}
        return members if name is None else {**members, name: "new"}
    if isinstance(value, list):
        # A row is a list within a list; a list of plain values elsewhere is no table.
        return [
            [*item, "new"]
            if longer and isinstance(item, list) and item and not any(isinstance(cell, dict | list) for cell in item)
            else stretch(item, name, longer)
            for item in value
        ]
    return value
