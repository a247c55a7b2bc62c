"""The base of all faults: when and how often they hit, the pattern of their places, and the list of active faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from random import Random
from typing import ClassVar, Literal, Protocol, TypeAlias, TypeVar

import attrs
import trio

from .encoding import Json
from .messages import Response

SOCKETS = "*/*"
"""The pattern of every WebSocket connection."""


class FaultError(ValueError):
    """A fault that does not exist or is invalid, with the reason."""


LEAST: dict[str, float] = {
    "after": 0, "chance": 0, "lasting": 0, "times": 1, "seconds": 0, "status": 400, "bytes_per_second": 1, "n": 1,
    "every": 1, "burnt": 1, "unit_ms": 1, "days": 0, "retry_after": 0,
}  # fmt: skip
"""The lowest value of each number a fault can have."""


class HasSkew(Protocol):
    """The exchange's clock, which `exchange.ClockSkew` changes and ``lasting`` is measured by."""

    skew_ms: int

    def steady_ms(self) -> int:
        """Return the time without the skew."""
        ...


class HasPast(Protocol):
    """The exchange's recent past, which is recorded while anybody follows it."""

    def follow(self, ms: int) -> None:
        """Start recording the states of so many milliseconds ago."""

    def unfollow(self, ms: int) -> None:
        """Undo one call of `follow`."""


@attrs.frozen
class Stage:
    """The parts of the exchange that a fault may use when it begins."""

    clock: HasSkew | None = None
    """None before the faults are bound to an exchange."""
    past: HasPast | None = None
    """None if the exchange records none."""


@attrs.frozen
class Fault:
    """The base of all faults; use one of the subclasses."""

    after: int = attrs.field(default=0, kw_only=True)
    """Let so many occasions pass before the first hit."""
    chance: float = attrs.field(default=1.0, kw_only=True)
    """The likelihood of a hit at each occasion, drawn from the exchange's seed."""
    lasting: float | None = attrs.field(default=None, kw_only=True)
    """The fault ends so many seconds after it was added; None: when it is used up or removed."""
    place: ClassVar[str] = ""
    """The name of the field that holds the pattern."""
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The allowed values of the text fields that have a fixed set."""

    def __attrs_post_init__(self) -> None:
        """Refuse invalid numbers."""
        for name, least in LEAST.items():
            value = getattr(self, name, None)
            if value is not None and value < least:
                raise FaultError(f"{type(self).__name__}: {name} must be at least {least:g}")
        for name, known in self.words.items():
            if getattr(self, name) not in known:
                raise FaultError(f"{type(self).__name__}: {name} must be one of {', '.join(known)}")

    @property
    def pattern(self) -> str:
        """Return the pattern of the fault's places."""
        return str(getattr(self, self.place)) if self.place else "*"

    @property
    def limit(self) -> int | None:
        """Return the number of hits until the fault ends; None: no end."""
        times: int | None = getattr(self, "times", None)
        return times

    def begin(self, stage: Stage) -> bool:
        """Apply the fault's immediate effect when it is added; return True if that is a hit.

        Raises:
            FaultError: the fault cannot be added, with the reason.
        """
        return False

    def finish(self, stage: Stage) -> None:
        """Undo `begin` when the fault ends."""


@attrs.frozen
class AtPath(Fault):
    """A fault at requests."""

    place: ClassVar[str] = "path"
    path: str = "*"
    """The pattern of request paths."""
    times: int | None = 1
    """The number of hits until it ends; None: no end."""


Trouble: TypeAlias = Literal["too_many", "banned", "maintenance", "no_data", "unavailable", "broken"]
"""The kinds of answers that apply to any request: too many requests; the address is banned; maintenance; success
without content; unavailable for now; an internal error."""


class Voice(Protocol):
    """The format of a venue's answers to any request."""

    def trace(self) -> str:
        """Return the next request id."""
        ...

    def trouble(self, what: Trouble, status: int | None = None) -> Response:
        """Return the answer of an exchange in trouble, with another HTTP status than the usual one if one is given."""
        ...


@attrs.frozen
class StandIn(AtPath):
    """An answer in place of the exchange's own."""

    trouble: ClassVar[Trouble] = "broken"
    """Return the venue's answer, unless the fault has its own."""

    def response(self, voice: Voice) -> Response:
        """Return the answer to the client, in the venue's format."""
        return voice.trouble(self.trouble)

    @property
    def carried_out(self) -> bool:
        """Return True if the request is carried out before."""
        return bool(getattr(self, "handled", False))


@attrs.frozen
class AtTopic(Fault):
    """A fault at topics."""

    place: ClassVar[str] = "topic"
    topic: str = "*"
    """The pattern of topics."""
    times: int | None = 1
    """The number of hits until it ends; None: no end."""


@attrs.frozen
class AtConnection(Fault):
    """A fault at connections."""

    place: ClassVar[str] = "connection"
    connection: str = SOCKETS
    """The pattern of connections' kinds and numbers."""
    times: int | None = 1
    """The number of hits until it ends; None: no end."""


F = TypeVar("F", bound=Fault)


class HasEvents(Protocol):
    """Records the hits, as the exchange's event log does."""

    def write(self, kind: str, **fields: Json) -> None:
        """Add one event to the log."""


@attrs.define(eq=False)
class FaultHandle:
    """An added fault: its number of hits, whether it is active, and the function that removes it."""

    fault: Fault
    _faults: Faults = attrs.field(repr=False)
    id: int = 0
    """The fault's number among all faults ever added to the exchange, from 1."""
    hits: int = 0
    seen: int = 0
    """The number of occasions that matched, whether they were hits or not."""
    since: float | None = None
    active: bool = True
    memory: dict[str, str] = attrs.field(factory=dict, repr=False)
    """The fault's own state from one call to the next."""
    seen_pushes: dict[str, dict[str, str]] = attrs.field(factory=dict, repr=False)
    """The fault's state for pushes, by connection."""

    def remove(self) -> None:
        """End the fault; does nothing if it has ended."""
        self._faults.end(self)


class Faults:
    """The active faults of an exchange, in the order in which they were added."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        """The number of hits of each fault since the exchange was made, by name."""
        self.changed: trio.Event = trio.Event()
        """Set, and replaced by a new event, whenever a fault is added or ends."""
        self._handles: list[FaultHandle] = []
        self._added = 0
        self._watchers: list[Callable[[FaultHandle], None]] = []
        self._random = Random(0)
        self.salt: str = ""
        """The exchange's seed, for choices that depend on a record's content."""
        self.stage: Stage = Stage()
        """The parts of the exchange that faults may use."""
        self._log: HasEvents | None = None

    def bind(
        self, clock: HasSkew, random: Random, log: HasEvents | None = None, salt: str = "", past: HasPast | None = None
    ) -> None:
        """Bind the faults to their exchange's clock, random numbers and event log; called once, by the opener."""
        self.stage = Stage(clock, past)
        self._random = random
        self._log = log
        self.salt = salt

    @property
    def active(self) -> list[FaultHandle]:
        """Return the faults that can still hit."""
        self._expire()
        return list(self._handles)

    def add(self, fault: Fault) -> FaultHandle:
        """Make a fault active.

        Raises:
            FaultError: the fault needs an exchange, and the faults are not bound to one yet.
        """
        handle = FaultHandle(fault, self, self._added + 1, since=self._now())
        if fault.begin(self.stage):
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
            handle.fault.finish(self.stage)
            self._notify()

    def clear(self) -> int:
        """End all faults that can still hit; return their number."""
        active = self.active
        for handle in active:
            self.end(handle)
        return len(active)

    def find(self, kind: type[F], *subjects: str) -> F | None:
        """Return the first active fault of a kind at one of these places, without counting a hit."""
        for _, fault in self._matching(kind, subjects):
            return fault
        return None

    def take(self, kind: type[F], *subjects: str) -> F | None:
        """Return the fault of a kind that hits now at one of these places, if any.

        The hit is counted, and a fault without hits left ends.
        """
        for handle, fault in self.due(kind, subjects):
            self.count(handle, subjects[0])
            return fault
        return None

    def due(
        self, kind: type[F], subjects: tuple[str, ...], concerned: Callable[[F], bool] = lambda fault: True
    ) -> Iterable[tuple[FaultHandle, F]]:
        """Yield the matching faults that hit now, by ``after`` and by chance; each match is an occasion."""
        for handle, fault in self._matching(kind, subjects):
            if not concerned(fault):
                continue
            handle.seen += 1
            if handle.seen > fault.after and (fault.chance >= 1 or self._random.random() < fault.chance):
                yield handle, fault

    def count(self, handle: FaultHandle, where: str = "") -> None:
        """Count one hit; the fault ends when it has none left."""
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
        mortal = [(handle, handle.fault.lasting) for handle in self._handles if handle.fault.lasting is not None]
        if not mortal:
            return
        now = self._now()
        for handle, lasting in mortal:
            if handle.since is None:
                handle.since = now
            elif now is not None and now >= handle.since + lasting:
                self.end(handle)

    def _tell(self, kind: str, handle: FaultHandle, **fields: Json) -> None:
        if self._log is not None:
            self._log.write(kind, id=handle.id, fault=type(handle.fault).__name__, **fields)

    def _now(self) -> float | None:
        """Return seconds by the exchange's clock, or by Trio's before there is one; None outside Trio."""
        if self.stage.clock is not None:
            return self.stage.clock.steady_ms() / 1000
        try:
            return trio.current_time()
        except RuntimeError:
            return None

    def _notify(self) -> None:
        self.changed.set()
        self.changed = trio.Event()
