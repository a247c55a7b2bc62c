"""Faults in the exchange's answers and pushes, and their insertion before handlers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Protocol

import attrs

from ..kernel.calls import Call, Endpoint, Onward, Refusal
from ..kernel.encoding import Json
from ..kernel.faults import AtPath, FaultHandle, Faults, Stage
from ..kernel.feed import Frame
from ..kernel.refusal import Refused


class Earlier(Protocol):
    """The past answers of an exchange."""

    def shows(self, path: str) -> bool:
        """Return True if a path can be answered from the past."""
        ...

    def answer(self, call: Call, onward: Onward, age_ms: int, *, missing: bool) -> Json:
        """Return the answer of a handler some time ago."""
        ...


@attrs.frozen
class Asked:
    """One call that has passed the gate, as a fault before the handler sees it."""

    route: Endpoint
    call: Call
    now_ms: int
    """Exchange time in milliseconds, without skew."""
    salt: str
    """The exchange's seed, for choices that depend on a record's content: the same record is always treated alike."""
    memory: dict[str, str]
    """The fault's own state from one call to the next."""
    onward: Onward
    """The handler, or the fault before it."""

    past: Earlier | None = None
    """The past states of accounts."""
    untouched: list[Json | Refusal] = attrs.field(factory=list)
    """The results of `plain`: an answer or a refusal that is not among them is a hit."""

    def plain(self) -> Json:
        """Return the answer as it would be without the fault."""
        try:
            answer = self.onward(self.call)
        except Refusal as refusal:
            self.untouched.append(refusal)
            raise
        self.untouched.append(answer)
        return answer

    def with_params(self, params: Mapping[str, Json]) -> Json:
        """Return the answer as it would be if the client had sent these parameters."""
        return self.onward(attrs.evolve(self.call, params=params))

    def earlier(self, seconds: float, *, missing: bool = False) -> Json:
        """Return the answer of so long ago, or (``missing``) the records of then in their present state."""
        if self.past is None or self.call.account is None:
            return self.onward(self.call)
        return self.past.answer(self.call, self.onward, round(seconds * 1000), missing=missing)


@attrs.frozen
class AtAnswer(AtPath):
    """A fault in what the exchange answers to calls that pass the gate; reads only, unless it says otherwise.

    It is in use until it is removed: what an exchange shows wrongly it shows wrongly again.
    """

    times: int | None = attrs.field(default=None, kw_only=True)
    """The number of hits until it ends; None: no end."""
    at_writes: ClassVar[bool] = False
    """True if it also concerns calls that change something."""
    at_pushes: ClassVar[bool] = False
    """True if it also concerns pushes, whose topics ``path`` matches."""

    def push(self, frame: Frame, memory: dict[str, str]) -> Frame:
        """A push on a topic that ``path`` matches; the very frame where nothing is spoiled.

        Args:
            frame: as the exchange sends it; it is not to be changed.
            memory: what the fault remembers of earlier pushes on the same connection.
        """
        return frame

    def answer(self, asked: Asked) -> Json:
        """The answer; the very object that ``asked.plain()`` gave when there is nothing to spoil.

        Raises:
            Refusal: Whatever the exchange would refuse.
            Refused: What the fault refuses in its place.
        """
        return asked.plain()


@attrs.frozen
class OfThePast(AtAnswer):
    """A fault in which what was a while ago shows up; while it is in use the past is written down."""

    seconds: float = 2.0

    def begin(self, stage: Stage) -> bool:
        """Let the past be written down, where there is one."""
        if stage.past is not None:
            stage.past.follow(round(self.seconds * 1000))
        return False

    def finish(self, stage: Stage) -> None:
        """Forget the past states."""
        if stage.past is not None:
            stage.past.unfollow(round(self.seconds * 1000))


class Spoiler:
    """Inserts the active faults that concern answers before handlers, and applies them to pushes.

    Args:
        faults: the faults of the exchange.
        past: the past states of accounts; None if none are recorded.
    """

    def __init__(self, faults: Faults, past: Earlier | None = None) -> None:
        self._faults = faults
        self._past = past

    def answer(self, route: Endpoint, call: Call, handler: Onward) -> Json:
        """Return the answer to a call after all faults; the fault added first is next to the handler."""
        onward = handler
        for handle, fault in self._faults.due(
            AtAnswer, (route.path,), lambda fault: fault.at_writes or not route.writes
        ):
            onward = partial(self._spoil, handle, fault, route, onward)
        return onward(call)

    def push(self, topic: str, connection: str, frame: Frame) -> Frame:
        """Return a push to one connection after all faults that concern answers."""
        for handle, fault in self._faults.due(AtAnswer, (topic,), lambda fault: fault.at_pushes):
            spoiled = fault.push(frame, handle.seen_pushes.setdefault(connection, {}))
            if spoiled is not frame:
                self._faults.count(handle, topic)
                frame = spoiled
        return frame

    def _spoil(self, handle: FaultHandle, fault: AtAnswer, route: Endpoint, onward: Onward, call: Call) -> Json:
        clock = self._faults.stage.clock
        now_ms = 0 if clock is None else clock.steady_ms()
        asked = Asked(route, call, now_ms, self._faults.salt, handle.memory, onward, self._past)
        try:
            answer = fault.answer(asked)
        except (Refusal, Refused) as refusal:
            if not any(refusal is each for each in asked.untouched):
                self._faults.count(handle, route.path)
            raise
        if not any(answer is each for each in asked.untouched):
            self._faults.count(handle, route.path)
        return answer
