"""The faults that an exchange has been given: which of them hit, how often, and when they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs
import trio

from ..bitmart.wire import Refusal
from .base import Asked, AtAnswer, Fault, HasPast, HasSkew, Stage

if TYPE_CHECKING:
    from ..bitmart.wire import Call, Json, Onward, Route
    from ..kernel.feed import Frame

F = TypeVar("F", bound=Fault)


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
    memory: dict[str, str] = attrs.field(factory=dict, repr=False)
    """What the fault remembers from one call to the next."""
    seen_pushes: dict[str, dict[str, str]] = attrs.field(factory=dict, repr=False)
    """What it remembers of pushes, by connection."""

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
        self._salt = ""
        self._stage = Stage()
        self._log: HasEvents | None = None

    def bind(
        self,
        clock: HasSkew,
        random: Random,
        log: HasEvents | None = None,
        *,
        salt: str = "",
        past: HasPast | None = None,
    ) -> None:
        """Give the faults their exchange's clock, random numbers and event log; done once, by whoever opens it.

        Args:
            clock: counts how long faults last, and is what some of them turn.
            random: decides by chance.
            log: hears of every hit.
            salt: text of the seed, for what is drawn from a record's content.
            past: how accounts looked a while ago.
        """
        self._stage = Stage(clock, past)
        self._random = random
        self._log = log
        self._salt = salt

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
        if fault.begin(self._stage):
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
            handle.fault.finish(self._stage)
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
        for handle, fault in self._due(kind, subjects):
            self.count(handle, subjects[0])
            return fault
        return None

    def answer(self, route: Route, call: Call, handler: Onward) -> Json:
        """What the faults in front of the handlers make of a call; the first that was added is next to the handler."""
        onward = handler
        for handle, fault in self._due(AtAnswer, (route.path,), lambda fault: fault.at_writes or not route.writes):
            onward = partial(self._spoil, handle, fault, route, onward)
        return onward(call)

    def push(self, topic: str, connection: str, frame: Frame) -> Frame:
        """What the faults that concern answers make of a push to one connection."""
        for handle, fault in self._due(AtAnswer, (topic,), lambda fault: fault.at_pushes):
            spoiled = fault.push(frame, handle.seen_pushes.setdefault(connection, {}))
            if spoiled is not frame:
                self.count(handle, topic)
                frame = spoiled
        return frame

    def _spoil(self, handle: FaultHandle, fault: AtAnswer, route: Route, onward: Onward, call: Call) -> Json:
        clock = self._stage.clock
        now_ms = 0 if clock is None else clock.steady_ms()
        asked = Asked(route, call, now_ms, self._salt, handle.memory, onward, self._stage.past)
        try:
            answer = fault.answer(asked)
        except Refusal as refusal:
            if not any(refusal is each for each in asked.untouched):
                self.count(handle, route.path)
            raise
        if not any(answer is each for each in asked.untouched):
            self.count(handle, route.path)
        return answer

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

    def _due(
        self, kind: type[F], subjects: tuple[str, ...], concerned: Callable[[F], bool] = lambda fault: True
    ) -> Iterable[tuple[FaultHandle, F]]:
        """Those that match and whose turn it is, by ``after`` and by chance; each match is an occasion."""
        for handle, fault in self._matching(kind, subjects):
            if not concerned(fault):
                continue
            handle.seen += 1
            if handle.seen > fault.after and (fault.chance >= 1 or self._random.random() < fault.chance):
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
        if self._stage.clock is not None:
            return self._stage.clock.steady_ms() / 1000
        try:
            return trio.current_time()
        except RuntimeError:
            return None

    def _notify(self) -> None:
        self.changed.set()
        self.changed = trio.Event()
