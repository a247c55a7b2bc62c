"""The base of all faults: when and how often they hit, the pattern of where, and the list of active ones."""

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
    """A fault that does not exist or makes no sense, with the reason."""


LEAST: dict[str, float] = {
    "after": 0, "chance": 0, "lasting": 0, "times": 1, "seconds": 0, "status": 400, "bytes_per_second": 1, "n": 1,
    "every": 1, "burnt": 1, "unit_ms": 1, "days": 0, "retry_after": 0,
}  # fmt: skip
"""The lowest value of each number a fault can have."""


class HasSkew(Protocol):
    """The exchange's clock: `exchange.ClockSkew` turns it, and ``lasting`` is counted by it."""

    skew_ms: int

    def steady_ms(self) -> int:
        """The time without the skew."""
        ...


class HasPast(Protocol):
    """The exchange's recent past: it is kept while somebody follows it."""

    def follow(self, ms: int) -> None:
        """Remember what was so many milliseconds ago."""

    def unfollow(self, ms: int) -> None:
        """Take one `follow` back."""


@attrs.frozen
class Stage:
    """The parts of the exchange that a fault may use when it begins."""

    clock: HasSkew | None = None
    """None before the faults are bound to an exchange."""
    past: HasPast | None = None
    """None where the exchange keeps none."""


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
    """The field that holds the pattern."""
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The values of those text fields that know only some."""

    def __attrs_post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        for name, least in LEAST.items():
            value = getattr(self, name, None)
            if value is not None and value < least:
                raise FaultError(f"{type(self).__name__}: {name} must be at least {least:g}")
        for name, known in self.words.items():
            if getattr(self, name) not in known:
                raise FaultError(f"{type(self).__name__}: {name} must be one of {', '.join(known)}")

    @property
    def pattern(self) -> str:
        """Return the pattern of where it happens."""
        return str(getattr(self, self.place)) if self.place else "*"

    @property
    def limit(self) -> int | None:
        """The number of hits until it ends; None: no end."""
        times: int | None = getattr(self, "times", None)
        return times

    def begin(self, stage: Stage) -> bool:
        """Do what the fault does at once when it is added; True when that is a hit.

        Raises:
            FaultError: The fault cannot be added, with the reason.
        """
        return False

    def finish(self, stage: Stage) -> None:
        """Undo what `begin` did, when the fault ends."""


@attrs.frozen
class AtPath(Fault):
    """A fault at requests."""

    place: ClassVar[str] = "path"
    path: str = "*"
    """The pattern of request paths."""
    times: int | None = 1
    """The number of hits until it ends; None: no end."""


Trouble: TypeAlias = Literal["too_many", "banned", "maintenance", "no_data", "unavailable", "broken"]
"""The answer of an exchange as a whole: too many requests; the address is banned; maintenance; success with nothing in
it; unavailable for now; an internal error."""


class Voice(Protocol):
    """The spelling of a venue's answers to any request."""

    def trace(self) -> str:
        """The next request id."""
        ...

    def trouble(self, what: Trouble, status: int | None = None) -> Response:
        """The answer of an exchange in trouble, with another HTTP status than the usual one if it is given."""
        ...


@attrs.frozen
class StandIn(AtPath):
    """An answer that stands in for the exchange's own."""

    trouble: ClassVar[Trouble] = "broken"
    """The venue's answer, unless the fault has one of its own."""

    def response(self, voice: Voice) -> Response:
        """The answer to the client, in the words of the venue."""
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
    """Records the hits: the exchange's event log."""

    def write(self, kind: str, **fields: Json) -> None:
        """Add one event to the log."""


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
    memory: dict[str, str] = attrs.field(factory=dict, repr=False)
    """The fault's own notes from one call to the next."""
    seen_pushes: dict[str, dict[str, str]] = attrs.field(factory=dict, repr=False)
    """Its notes about pushes, by connection."""

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
        self.salt: str = ""
        """Of the exchange's seed, for what is drawn from a record's content."""
        self.stage: Stage = Stage()
        """The parts of the exchange that faults may use."""
        self._log: HasEvents | None = None

    def bind(
        self, clock: HasSkew, random: Random, log: HasEvents | None = None, salt: str = "", past: HasPast | None = None
    ) -> None:
        """Give the faults their exchange's clock, random numbers and event log; done once, by whoever opens it."""
        self.stage = Stage(clock, past)
        self._random = random
        self._log = log
        self.salt = salt

    @property
    def active(self) -> list[FaultHandle]:
        """The faults that can still hit."""
        self._expire()
        return list(self._handles)

    def add(self, fault: Fault) -> FaultHandle:
        """Make a fault active.

        Raises:
            FaultError: the fault needs an exchange, and the faults are bound to none yet.
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
        """End all faults that can still hit; how many there were."""
        active = self.active
        for handle in active:
            self.end(handle)
        return len(active)

    def find(self, kind: type[F], *subjects: str) -> F | None:
        """The first active fault of a kind at one of these places, without counting a hit."""
        for _, fault in self._matching(kind, subjects):
            return fault
        return None

    def take(self, kind: type[F], *subjects: str) -> F | None:
        """The fault of a kind that hits now at one of these places, if any does.

        It is counted, and ended when used up.
        """
        for handle, fault in self.due(kind, subjects):
            self.count(handle, subjects[0])
            return fault
        return None

    def due(
        self, kind: type[F], subjects: tuple[str, ...], concerned: Callable[[F], bool] = lambda fault: True
    ) -> Iterable[tuple[FaultHandle, F]]:
        """Those that match and whose turn it is, by ``after`` and by chance; each match is an occasion."""
        for handle, fault in self._matching(kind, subjects):
            if not concerned(fault):
                continue
            handle.seen += 1
            if handle.seen > fault.after and (fault.chance >= 1 or self._random.random() < fault.chance):
                yield handle, fault

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
        """Seconds by the exchange's clock; by Trio's before there is one, None outside Trio."""
        if self.stage.clock is not None:
            return self.stage.clock.steady_ms() / 1000
        try:
            return trio.current_time()
        except RuntimeError:
            return None

    def _notify(self) -> None:
        self.changed.set()
        self.changed = trio.Event()
