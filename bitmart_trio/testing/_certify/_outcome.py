"""The outcome of one day, as plain data that can cross processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

import attrs

from ._witness import Happening

Verdict: TypeAlias = Literal["passed", "failed", "early"]
"""``early``: nothing was found, but the bot ended before it was asked to, so the rest of the day proved nothing."""


@attrs.frozen
class Finding:
    """One violation of an invariant that the referee found."""

    invariant: str
    """The name of the invariant; see the page on certificates."""
    text: str
    """A description of the violation."""
    at: float
    """Seconds since the beginning of the day."""
    line: str = ""
    """The line of the bot, if known: ``bot.py:12 in main``."""

    def __str__(self) -> str:
        where = f" ({self.line})" if self.line else ""
        return f"{self.invariant}: {self.text}{where}"


@attrs.frozen(kw_only=True)
class Outcome:
    """The outcome of one day that was played and judged."""

    name: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    families: tuple[str, ...] = ()
    lives: int = 1
    """The number of times that the bot was started."""
    counts: Mapping[str, int] = attrs.field(factory=dict[str, int], hash=False)
    """The numbers of calls, orders, fills, pushes and fault hits."""
    remarks: tuple[str, ...] = ()
    """Observations about the bot besides the findings."""
    virtual_seconds: float = 0.0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    series: tuple[tuple[float, float, float, float, int], ...] = ()
    """Time, value of the account, exposure, calls per minute, lives started."""
    moments: tuple[Happening, ...] = ()
    """The events of the day, if it failed."""
    prices: tuple[tuple[float, ...], ...] = ()
    """Time and the price of each symbol, if the day failed."""
    digest: str = ""
    """A digest of the exchange's event log: the same day gives the same digest in every process."""

    def to_json(self) -> dict[str, object]:
        """Return the outcome as plain data."""
        return cast("dict[str, object]", attrs.asdict(self))

    def core(self) -> dict[str, object]:
        """Return the part that must be the same each time the day is played."""
        whole = self.to_json()
        for name in ("cpu_seconds", "wall_seconds"):
            del whole[name]
        return whole

    @classmethod
    def from_json(cls, members: Mapping[str, object]) -> Outcome:
        """Make an outcome from the data that `to_json` returned.

        Raises:
            TypeError, KeyError, ValueError: the data are not of this version.
        """
        plain = dict(members)
        findings = tuple(Finding(**each) for each in cast("list[dict[str, str]]", plain.pop("findings")))  # type: ignore[arg-type]
        moments = tuple(Happening(**each) for each in cast("list[dict[str, str]]", plain.pop("moments")))  # type: ignore[arg-type]
        for name in ("series", "prices"):
            plain[name] = tuple(tuple(row) for row in cast("list[list[float]]", plain[name]))
        for name in ("families", "remarks"):
            plain[name] = tuple(cast("list[str]", plain[name]))
        return cls(findings=findings, moments=moments, **plain)  # type: ignore[arg-type]
