"""What all faults have in common: when and how often they hit, and the pattern of where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

import attrs

from ..bitmart.wire import Refusal

if TYPE_CHECKING:
    from ..bitmart.wire import Call, Json, Onward, Response, Route
    from ..kernel.feed import Frame

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
    """The exchange's recent past, see ``past.py``."""

    def follow(self, ms: int) -> None:
        """Remember what was so many milliseconds ago."""

    def unfollow(self, ms: int) -> None:
        """Take one `follow` back."""

    def answer(self, call: Call, onward: Onward, age_ms: int, *, missing: bool) -> Json:
        """What a handler would have answered some time ago."""


@attrs.frozen
class Stage:
    """What a fault may turn or look at when it begins."""

    clock: HasSkew | None = None
    """None before the faults are bound to an exchange."""
    past: HasPast | None = None
    """None where the exchange keeps none."""


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
        """Where it happens."""
        return str(getattr(self, self.place)) if self.place else "*"

    @property
    def limit(self) -> int | None:
        """How many hits it has; None: no end."""
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
    """How many hits it has; None: no end."""


@attrs.frozen
class StandIn(AtPath):
    """An answer that stands in for the exchange's own."""

    def response(self, trace: str) -> Response:
        """What the client gets."""
        raise NotImplementedError

    @property
    def carried_out(self) -> bool:
        """Whether the request is carried out before."""
        return bool(getattr(self, "handled", False))


@attrs.frozen
class Asked:
    """One call that has passed the gate, as a fault in front of the handler sees it."""

    route: Route
    call: Call
    now_ms: int
    """Exchange time in milliseconds, without skew."""
    salt: str
    """Of the exchange's seed, for what is drawn from a record's content: the same record has the same fate again."""
    memory: dict[str, str]
    """What this fault remembers from one call to the next."""
    onward: Onward
    """The handler, or the fault in front of it."""

    past: HasPast | None = None
    """How accounts looked a while ago."""
    untouched: list[Json | Refusal] = attrs.field(factory=list)
    """What `plain` has given or raised: an answer or a refusal that is none of these is a hit."""

    def plain(self) -> Json:
        """The answer as it would be without the fault."""
        try:
            answer = self.onward(self.call)
        except Refusal as refusal:
            self.untouched.append(refusal)
            raise
        self.untouched.append(answer)
        return answer

    def with_params(self, params: Mapping[str, Json]) -> Json:
        """The answer as it would be if the client had asked with these parameters."""
        return self.onward(attrs.evolve(self.call, params=params))

    def earlier(self, seconds: float, *, missing: bool = False) -> Json:
        """The answer as it would have been so long ago, or of what was there then (``missing``) as it is now."""
        if self.past is None or self.call.account is None:
            return self.onward(self.call)
        return self.past.answer(self.call, self.onward, round(seconds * 1000), missing=missing)


@attrs.frozen
class AtAnswer(AtPath):
    """A fault in what the exchange answers to calls that pass the gate; reads only, unless it says otherwise.

    It is in use until it is removed: what an exchange shows wrongly it shows wrongly again.
    """

    times: int | None = attrs.field(default=None, kw_only=True)
    """How many hits it has; None: no end."""
    at_writes: ClassVar[bool] = False
    """Whether it concerns calls that change something too."""
    at_pushes: ClassVar[bool] = False
    """Whether it concerns pushes too, whose topics ``path`` matches."""

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
        """
        return asked.plain()


@attrs.frozen
class AtTopic(Fault):
    """A fault at topics."""

    place: ClassVar[str] = "topic"
    topic: str = "*"
    """The pattern of topics."""
    times: int | None = 1
    """How many hits it has; None: no end."""


@attrs.frozen
class AtConnection(Fault):
    """A fault at connections."""

    place: ClassVar[str] = "connection"
    connection: str = SOCKETS
    """The pattern of connections' kinds and numbers."""
    times: int | None = 1
    """How many hits it has; None: no end."""
