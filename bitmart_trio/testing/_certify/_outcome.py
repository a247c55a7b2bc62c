"""What came of one day, as plain data that crosses processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

import attrs

from ._witness import Happening

Verdict: TypeAlias = Literal["passed", "failed", "early"]
"""``early``: nothing was found, but the bot ended before it was told to, so the rest of the day proved nothing."""


@attrs.frozen
class Finding:
    """One answer of the referee that no bot should get."""

    invariant: str
    """The name of the question; see the page on certificates."""
    text: str
    """What was seen."""
    at: float
    """Seconds after the beginning of the day."""
    line: str = ""
    """Where the bot was, where that is known: ``bot.py:12 in main``."""

    def __str__(self) -> str:
        where = f" ({self.line})" if self.line else ""
        return f"{self.invariant}: {self.text}{where}"


@attrs.frozen(kw_only=True)
class Outcome:
    """One day that was lived through and judged."""

    name: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    families: tuple[str, ...] = ()
    lives: int = 1
    """How often the bot was started."""
    counts: Mapping[str, int] = attrs.field(factory=dict[str, int], hash=False)
    """How many calls, orders, fills, pushes, fault hits."""
    remarks: tuple[str, ...] = ()
    """What a reader should know about the bot beside the findings."""
    virtual_seconds: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    series: tuple[tuple[float, float, float, float, int], ...] = ()
    """Time, worth of the account, exposure, calls a minute, lives begun."""
    moments: tuple[Happening, ...] = ()
    """What happened, of a day that failed."""
    prices: tuple[tuple[float, ...], ...] = ()
    """Time and the price of each symbol, of a day that failed."""
    digest: str = ""
    """Of everything that the exchange wrote down: the same for the same day, in every process."""

    def to_json(self) -> dict[str, object]:
        """As plain data."""
        return cast("dict[str, object]", attrs.asdict(self))

    def core(self) -> dict[str, object]:
        """What must be the same each time the day is played."""
        whole = self.to_json()
        for name in ("cpu_seconds", "wall_seconds"):
            del whole[name]
        return whole

    @classmethod
    def from_json(cls, members: Mapping[str, object]) -> Outcome:
        """An outcome from what `to_json` gave.

        Raises:
            TypeError, KeyError, ValueError: it is not of this version.
        """
        plain = dict(members)
        findings = tuple(Finding(**each) for each in cast("list[dict[str, str]]", plain.pop("findings")))  # type: ignore[arg-type]
        moments = tuple(Happening(**each) for each in cast("list[dict[str, str]]", plain.pop("moments")))  # type: ignore[arg-type]
        for name in ("series", "prices"):
            plain[name] = tuple(tuple(row) for row in cast("list[list[float]]", plain[name]))
        for name in ("families", "remarks"):
            plain[name] = tuple(cast("list[str]", plain[name]))
        return cls(findings=findings, moments=moments, **plain)  # type: ignore[arg-type]
