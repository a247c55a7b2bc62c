"""A day as data: what the market is like, what goes wrong and when, and how the bot is told to end.

A day is drawn from a seed by one generator, under one version of Trio and of this library; all three are in its full
name, so that a name means one day for ever. A day that was made smaller says in its name what was kept.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Final, Literal, TypeAlias, cast

import attrs

from ..._version import __version__
from ...errors import ConfigurationError
from ...sim.faults import Fault
from ...sim.faults.text import fault_from
from ...sim.kernel.encoding import Json

GENERATOR: Final = 1
"""Raised whenever a seed becomes another day."""

Family: TypeAlias = Literal["network", "exchange", "edge", "eventual", "kill", "market"]
FAMILIES: Final[tuple[Family, ...]] = ("network", "exchange", "edge", "eventual", "kill", "market")
"""What a day may hold trouble of."""

Ending: TypeAlias = Literal["cancel", "SIGINT", "SIGTERM"]
ENDINGS: Final[tuple[Ending, ...]] = ("cancel", "SIGINT", "SIGTERM")
"""How a bot is told to end."""

Weather: TypeAlias = Literal["calm", "trend", "gap", "crash", "thin", "tape"]
What: TypeAlias = Literal["fault", "drop", "skew", "jump", "kill", "stop"]

_NAME: Final = re.compile(r"(?:.*-)?(\d+)((?:~(?:k[\d.]*|e[\d.]+|calm))*)")


@attrs.frozen
class Deed:
    """One thing that happens in a day."""

    at: float
    """Seconds after the beginning."""
    what: What
    """``fault``: one of `bitmart_trio.sim`; ``drop``: connections break; ``skew``: the exchange's clock steps;
    ``jump``: a price jumps; ``kill`` and ``stop``: the bot's process ends, and begins again.
    """
    family: Family
    detail: Mapping[str, Json] = attrs.field(factory=dict[str, Json], hash=False)
    """What kind of it, such as the fault with its fields."""

    @property
    def fault(self) -> Fault:
        """The fault that is added."""
        return fault_from(self.detail)

    def __str__(self) -> str:
        """For a person, such as ``0:12 LoseReply path=/spot/*``."""
        name = str(self.detail.get("fault", self.what))
        rest = " ".join(
            f"{key}={value}" for key, value in self.detail.items() if key != "fault" and value not in (None, "", False)
        )
        return f"{int(self.at // 60)}:{self.at % 60:04.1f} {name} {rest}".rstrip()


@attrs.frozen(kw_only=True)
class Day:
    """One day."""

    seed: int
    minutes: float
    asked: tuple[Family, ...]
    """The families that it was drawn from."""
    families: tuple[Family, ...]
    """Those that it holds trouble of."""
    symbols: tuple[str, ...]
    weather: Weather
    """What the market is like."""
    market: Mapping[str, float] = attrs.field(factory=dict[str, float], hash=False)
    """Options of the synthetic market."""
    tape: str | None = None
    """A recording that is played in place of it."""
    latency: str = "none"
    """How long things take inside the exchange, as the option ``--latency`` of ``bitmart-trio sim`` says it."""
    deeds: tuple[Deed, ...]
    """In the order of their times."""
    ending: Ending
    """How the bot is told to end at last."""
    end: float
    """Seconds after the beginning at which it is."""
    wire: bool
    """Whether calls go through HTTP; else they are handed over as they are, which costs less."""
    cut: str = ""
    """What was left out of the day as it was drawn, as its name says it."""

    @property
    def name(self) -> str:
        """The seed, and what was cut: ``17``, ``17~k0.4~e212~calm``."""
        return f"{self.seed}{self.cut}"

    @property
    def full_name(self) -> str:
        """The name with all that decides what the day is."""
        parts = (
            f"g{GENERATOR}", f"trio{version('trio')}", f"bitmart{__version__}", "+".join(self.symbols),
            f"{self.minutes:g}m", "+".join(self.asked), self.name,
        )  # fmt: skip
        return "-".join(parts)

    def smaller(self, *, keep: Iterable[int] | None = None, end: float | None = None, calm: bool = False) -> Day:
        """The same day with fewer deeds (by number), an earlier end, or a calm market.

        It is always cut from the day as it was drawn: this one must be whole.
        """
        kept = range(len(self.deeds)) if keep is None else sorted(keep)
        last = self.end if end is None else min(end, self.end)
        deeds = tuple(self.deeds[number] for number in kept)
        cut = "" if keep is None else "~k" + ".".join(str(number) for number in kept)
        if last < self.end:
            cut += f"~e{last:g}"
            deeds = tuple(deed for deed in deeds if deed.at < last)
        if calm:
            cut += "~calm"
        weather: Weather = "calm" if calm else self.weather
        return attrs.evolve(
            self,
            deeds=deeds,
            end=last,
            cut=cut,
            weather=weather,
            market={} if calm else self.market,
            latency="none" if calm else self.latency,
        )

    def to_json(self) -> dict[str, object]:
        """As plain data."""
        return {
            "name": self.name,
            "full_name": self.full_name,
            "families": list(self.families),
            "weather": self.weather,
            "market": dict(self.market),
            "latency": self.latency,
            "ending": self.ending,
            "end": self.end,
            "wire": self.wire,
            "deeds": [{"at": deed.at, "what": deed.what, "family": deed.family, **deed.detail} for deed in self.deeds],
        }


def named(name: str) -> tuple[int, dict[str, object]]:
    """The seed that a day's name begins with, and what `Day.smaller` takes to cut it so.

    Raises:
        ConfigurationError: it is no name of a day.
    """
    found = _NAME.fullmatch(name.strip())
    if found is None:
        raise ConfigurationError(f"{name!r} is no day: a seed such as 17, or a name from a certificate: 17~k0.4~e212")
    cuts: dict[str, object] = {}
    for part in filter(None, found[2].split("~")):
        if part == "calm":
            cuts["calm"] = True
        elif part.startswith("k"):
            cuts["keep"] = [int(number) for number in part[1:].split(".") if number]
        else:
            cuts["end"] = float(part[1:])
    return int(found[1]), cuts


def read_families(names: str | Iterable[str]) -> tuple[Family, ...]:
    """Families by name, in their own order.

    Raises:
        ConfigurationError: there is none of a name.
    """
    wanted = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in FAMILIES:
            raise ConfigurationError(f"no family of days named {name!r}; there are {', '.join(FAMILIES)}")
    return cast("tuple[Family, ...]", tuple(name for name in FAMILIES if name in wanted))


def versions() -> dict[str, str]:
    """What a seed means its day under."""
    return {
        "generator": str(GENERATOR),
        "bitmart_trio": __version__,
        "trio": version("trio"),
        "python": platform.python_version(),
    }
