"""A day as data: the state of the market, what goes wrong and when, and how the bot is asked to end.

A day is drawn from a seed by one generator, under one version of Trio and of this library. Its full name holds all
three, so that a full name always means the same day. The name of a smaller day includes what was kept.
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
"""The generator's version; increased whenever a seed gives a different day than before."""

Family: TypeAlias = Literal["network", "exchange", "edge", "eventual", "kill", "market"]
FAMILIES: Final[tuple[Family, ...]] = ("network", "exchange", "edge", "eventual", "kill", "market")
"""The families of trouble that a day may hold."""

Ending: TypeAlias = Literal["cancel", "SIGINT", "SIGTERM"]
ENDINGS: Final[tuple[Ending, ...]] = ("cancel", "SIGINT", "SIGTERM")
"""The ways in which a bot is asked to end."""

Weather: TypeAlias = Literal["calm", "trend", "gap", "crash", "thin", "tape"]
What: TypeAlias = Literal["fault", "drop", "skew", "jump", "kill", "stop"]

_NAME: Final = re.compile(r"(?:.*-)?(\d+)((?:~(?:k[\d.]*|e[\d.]+|calm))*)")


@attrs.frozen
class Deed:
    """One thing that happens in a day."""

    at: float
    """Seconds since the beginning of the day."""
    what: What
    """``fault``: one of `bitmart_trio.sim`; ``drop``: connections break; ``skew``: the exchange's clock steps;
    ``jump``: a price jumps; ``kill`` and ``stop``: the bot's process ends and is started again.
    """
    family: Family
    detail: Mapping[str, Json] = attrs.field(factory=dict[str, Json], hash=False)
    """The details of the deed, such as the fault with its fields."""

    @property
    def fault(self) -> Fault:
        """The fault that the deed adds."""
        return fault_from(self.detail)

    def __str__(self) -> str:
        """Return a readable text such as ``0:12 LoseReply path=/spot/*``."""
        name = str(self.detail.get("fault", self.what))
        rest = " ".join(
            f"{key}={value}" for key, value in self.detail.items() if key != "fault" and value not in (None, "", False)
        )
        return f"{int(self.at // 60)}:{self.at % 60:04.1f} {name} {rest}".rstrip()


@attrs.frozen(kw_only=True)
class Day:
    """One day of trouble for a bot, as data."""

    seed: int
    minutes: float
    asked: tuple[Family, ...]
    """The families that the day was drawn from."""
    families: tuple[Family, ...]
    """The families that the day holds trouble of."""
    symbols: tuple[str, ...]
    weather: Weather
    """The state of the market."""
    market: Mapping[str, float] = attrs.field(factory=dict[str, float], hash=False)
    """Options of the synthetic market."""
    tape: str | None = None
    """The path of a recording that is played in place of the synthetic market."""
    latency: str = "none"
    """The latency inside the exchange, in the form of the option ``--latency`` of ``bitmart-trio sim``."""
    deeds: tuple[Deed, ...]
    """The deeds in the order of their times."""
    ending: Ending
    """The way in which the bot is asked to end for the last time."""
    end: float
    """Seconds after which the bot is asked to end for the last time."""
    wire: bool
    """True if calls go through real HTTP; else they are passed on directly, which takes less time."""
    cut: str = ""
    """The part of the name that describes what was cut from the day as drawn."""

    @property
    def name(self) -> str:
        """The seed and what was cut: ``17``, ``17~k0.4~e212~calm``."""
        return f"{self.seed}{self.cut}"

    @property
    def full_name(self) -> str:
        """The name with everything that determines the day."""
        parts = (
            f"g{GENERATOR}", f"trio{version('trio')}", f"bitmart{__version__}", "+".join(self.symbols),
            f"{self.minutes:g}m", "+".join(self.asked), self.name,
        )  # fmt: skip
        return "-".join(parts)

    def smaller(self, *, keep: Iterable[int] | None = None, end: float | None = None, calm: bool = False) -> Day:
        """The same day with fewer deeds (by number), an earlier end, or a calm market.

        Call it on a whole day, as drawn, only: a day is not cut twice.
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
        """Return the day as plain data."""
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
    """Parse a day's name into its seed and the arguments of `Day.smaller` that cut it.

    Raises:
        ConfigurationError: the text is not the name of a day.
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
    """Return families by name, in the order of `FAMILIES`.

    Raises:
        ConfigurationError: no family has one of the names.
    """
    wanted = names.replace(",", " ").split() if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in FAMILIES:
            raise ConfigurationError(f"no family of days named {name!r}; there are {', '.join(FAMILIES)}")
    return cast("tuple[Family, ...]", tuple(name for name in FAMILIES if name in wanted))


def versions() -> dict[str, str]:
    """The versions that determine, together with a seed, what the day is."""
    return {
        "generator": str(GENERATOR),
        "bitmart_trio": __version__,
        "trio": version("trio"),
        "python": platform.python_version(),
    }
