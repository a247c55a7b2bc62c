"""What all faults have in common: when and how often they hit, and the pattern of where."""

from __future__ import annotations

from typing import ClassVar, Protocol

import attrs

SOCKETS = "*/*"
"""The pattern of every WebSocket connection."""


class FaultError(ValueError):
    """A fault that does not exist or makes no sense, with the reason."""


LEAST: dict[str, float] = {
    "after": 0, "chance": 0, "lasting": 0, "times": 1, "seconds": 0, "status": 400, "bytes_per_second": 1,
}  # fmt: skip
"""The lowest value of each number a fault can have."""


class HasSkew(Protocol):
    """The exchange's clock: `exchange.ClockSkew` turns it, and ``lasting`` is counted by it."""

    skew_ms: int

    def steady_ms(self) -> int:
        """The time without the skew."""
        ...


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

    def begin(self, clock: HasSkew | None) -> bool:
        """Do what the fault does at once when it is added; True when that is a hit.

        Raises:
            FaultError: The fault cannot be added, with the reason.
        """
        return False

    def finish(self, clock: HasSkew | None) -> None:
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
