"""What one row of the bench is."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import attrs

Cost: TypeAlias = Literal["cpu", "rate", "memory", "wall", "elapsed", "p50", "p99", "requests"]
"""Seconds of the client's processor a unit, units a second (more is better), bytes, seconds of the whole process,
seconds that pass for the work, the middle and the 99th percentile of what each unit took, or requests that were sent.
"""

OURS: Final = "ours"


@attrs.frozen(kw_only=True)
class Scenario:
    """One piece of work, done by us and by others in turn."""

    name: str
    server: str
    """"sockets", "rest", "exchange" or "" for work within the process."""
    plan: dict[str, Any]
    peers: tuple[str, ...]
    """Us apart. "ours:x" is us again, with the options of `variants`."""
    goals: dict[str, float] = attrs.field(factory=dict)
    """The most that our cost may be of a peer's (for a rate: the least)."""
    counts: dict[str, int] = attrs.field(factory=dict)
    """Units of work by peer, where they differ: slow ones are given less."""
    cost: Cost = "cpu"
    variants: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    quick: bool = False
    """Part of a quick run."""
    most: float | None = None
    """The most that our cost may be by itself."""
    module: str = ""
    """The program that does it for everybody; left out, each peer has its own."""
    of: str = ""
    """The scenario whose runs give this cost, too."""
    server_plan: dict[str, Any] = attrs.field(factory=dict)
