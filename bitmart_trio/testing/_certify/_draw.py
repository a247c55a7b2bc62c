"""The generator that turns a seed into a day.

Each family draws from its own random stream, named by generator, seed and family, so leaving a family out does not
change the others. All trouble ends: it lasts seconds, like the outages that a bot should survive.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from ...sim.faults import Fault
from ...sim.faults.edge import EdgePage, Fail5xx, GarbageReply, GatewayJson, RefuseUpgrade
from ...sim.faults.eventual import BlankClientIds, Cap, ClockGlitch, Lag, LatePush, OldPush, StaleFields
from ...sim.faults.exchange import EmptyData, LongerRow, Maintenance, Refuse418, Refuse429, UnknownField
from ...sim.faults.network import (
    Delay,
    Drop,
    DropDuringLogin,
    Duplicate,
    Gap,
    Garbage,
    HalfReply,
    HangHandshake,
    LatePong,
    LoseAck,
    LoseReply,
    LoseRequest,
    MuteTopic,
    RefuseConnect,
    Reorder,
    SlowLink,
    Stall,
)
from ...sim.faults.text import describe_fault
from ...sim.kernel.encoding import Json
from ._day import ENDINGS, FAMILIES, GENERATOR, Day, Deed, Family, Weather

Dice: TypeAlias = random.Random
Drawn: TypeAlias = Callable[[Dice, str], Fault]
"""Draws a fault for a market (spot or futures)."""

FIRST: Final = 3.0
"""Seconds without trouble at the beginning."""
LONGEST: Final = 20.0
"""The longest that trouble lasts, in seconds."""
LOOK_AGAIN: Final = 12.0
"""The longest lag of the data shown, in seconds: less than a session waits, with time for a second look-up."""

WRITES: Final = {"spot": "/spot/v*/*submit*order*", "futures": "/contract/private/submit*order*"}
CHANGES: Final = {"spot": "/spot/v*/*order*", "futures": "/contract/private/*order*"}
READS: Final = {"spot": "/spot/v4/query/*", "futures": "/contract/private/*"}
PUBLIC: Final = {"spot": "/spot/quotation/*", "futures": "/contract/public/*"}


def _path(dice: Dice, market: str) -> str:
    # Half of all trouble affects orders, where it does the most harm.
    return dice.choice((WRITES[market], WRITES[market], CHANGES[market], READS[market], PUBLIC[market], "*"))


def _seconds(dice: Dice, longest: float = LONGEST) -> float:
    return round(dice.uniform(0.5, longest), 1)


def _chance(dice: Dice) -> float:
    return dice.choice((1.0, 1.0, 0.5, 0.25))


def _socket(dice: Dice, market: str) -> str:
    return f"{market}/{dice.choice(('public', 'private', '*'))}"


NETWORK: Final[Sequence[Drawn]] = (
    lambda dice, market: LoseRequest(
        _path(dice, market), times=dice.randint(1, 4), chance=_chance(dice), lasting=_seconds(dice)
    ),
    lambda dice, market: LoseReply(
        _path(dice, market), times=dice.randint(1, 4), chance=_chance(dice), lasting=_seconds(dice)
    ),
    lambda dice, market: LoseReply(WRITES[market], times=dice.randint(1, 2), lasting=_seconds(dice)),
    lambda dice, market: HalfReply(_path(dice, market), times=dice.randint(1, 3), lasting=_seconds(dice)),
    lambda dice, market: Delay(
        _path(dice, market), seconds=_seconds(dice, 25), times=dice.randint(1, 3), before=dice.random() < 0.7,
        lasting=_seconds(dice),
    ),
    lambda dice, market: RefuseConnect("*", times=dice.randint(1, 4), lasting=_seconds(dice)),
    lambda dice, market: HangHandshake(_socket(dice, market), times=1, lasting=_seconds(dice)),
    lambda dice, market: Drop(_socket(dice, market), lasting=1.0),
    lambda dice, market: Drop(_socket(dice, market), code=1001, lasting=1.0),
    lambda dice, market: Stall(_socket(dice, market), lasting=_seconds(dice)),
    lambda dice, market: SlowLink(_socket(dice, market), bytes_per_second=2000, lasting=_seconds(dice, 8)),
    lambda dice, market: LatePong(_socket(dice, market), seconds=30, times=2, lasting=_seconds(dice)),
    lambda dice, market: DropDuringLogin(f"{market}/private", lasting=_seconds(dice)),
    lambda dice, market: LoseAck(f"{market}/*", lasting=_seconds(dice)),
    lambda dice, market: MuteTopic(f"{market}/*", lasting=_seconds(dice)),
    lambda dice, market: Gap(f"{market}/*", times=dice.randint(1, 4), lasting=_seconds(dice)),
    lambda dice, market: Duplicate(f"{market}/*", times=dice.randint(1, 4), lasting=_seconds(dice)),
    lambda dice, market: Reorder(f"{market}/*", times=dice.randint(1, 4), lasting=_seconds(dice)),
    lambda dice, market: Garbage(f"{market}/*", times=dice.randint(1, 2), lasting=_seconds(dice)),
)  # fmt: skip
EXCHANGE: Final[Sequence[Drawn]] = (
    lambda dice, market: Refuse429(
        _path(dice, market), times=dice.randint(1, 6), chance=_chance(dice), lasting=_seconds(dice)
    ),
    lambda dice, market: Refuse429(WRITES[market], times=None, lasting=_seconds(dice)),
    lambda dice, market: Refuse418(_path(dice, market), lasting=_seconds(dice)),
    lambda dice, market: Maintenance(_path(dice, market), lasting=_seconds(dice)),
    lambda dice, market: EmptyData(READS[market], times=dice.randint(1, 3), lasting=_seconds(dice)),
    lambda dice, market: UnknownField("*", lasting=_seconds(dice)),
    lambda dice, market: LongerRow("*", lasting=_seconds(dice)),
)
EDGE: Final[Sequence[Drawn]] = (
    lambda dice, market: Fail5xx(
        _path(dice, market), status=dice.choice((500, 502, 503, 504)), html=dice.random() < 0.5,
        handled=dice.random() < 0.5, times=dice.choice((1, 3, None)), lasting=_seconds(dice, 8),
    ),
    lambda dice, market: EdgePage(
        _path(dice, market), status=dice.choice((403, 404, 520, 521, 522, 524)), handled=dice.random() < 0.4,
        retry_after=dice.choice((None, 2)), times=dice.randint(1, 3), lasting=_seconds(dice),
    ),
    lambda dice, market: GatewayJson(
        WRITES[market], status=dice.choice((408, 500)), code=dice.choice((408, 500)), handled=dice.random() < 0.7,
        times=dice.randint(1, 2), lasting=_seconds(dice),
    ),
    lambda dice, market: GarbageReply(_path(dice, market), times=dice.randint(1, 3), lasting=_seconds(dice)),
    lambda dice, market: RefuseUpgrade(
        _socket(dice, market), status=dice.choice((403, 503)), times=dice.randint(1, 2), lasting=_seconds(dice)
    ),
)  # fmt: skip
EVENTUAL: Final[Sequence[Drawn]] = (
    lambda dice, market: Lag(
        READS[market], seconds=_seconds(dice, LOOK_AGAIN), how=dice.choice(("stale", "missing")), times=None,
        lasting=_seconds(dice),
    ),
    lambda dice, market: Lag(
        READS[market], seconds=LOOK_AGAIN, how="missing", times=None, lasting=_seconds(dice)
    ),
    lambda dice, market: StaleFields(
        READS[market], seconds=_seconds(dice, LOOK_AGAIN), times=None, lasting=_seconds(dice)
    ),
    lambda dice, market: StaleFields(f"{market}/*", times=None, lasting=_seconds(dice)),
    lambda dice, market: Cap(READS[market], n=dice.choice((1, 10)), times=None, lasting=_seconds(dice)),
    lambda dice, market: BlankClientIds(f"{market}/*", times=None, lasting=_seconds(dice)),
    lambda dice, market: ClockGlitch(ms=dice.choice((120_000, 600_000)), lasting=_seconds(dice)),
    lambda dice, market: LatePush(f"{market}/*", seconds=_seconds(dice, 6), chance=0.5, lasting=_seconds(dice)),
    lambda dice, market: OldPush(f"{market}/*", lasting=_seconds(dice)),
)  # fmt: skip
_FAULTS: Final[Mapping[Family, Sequence[Drawn]]] = {
    "network": NETWORK, "exchange": EXCHANGE, "edge": EDGE, "eventual": EVENTUAL,
}  # fmt: skip

_WEATHERS: Final[Mapping[Weather, Callable[[Dice], dict[str, float]]]] = {
    "calm": lambda dice: {},
    "trend": lambda dice: {"trend": dice.choice((-1, 1)) * round(dice.uniform(0.02, 0.2), 3), "volatility": 2.0},
    "gap": lambda dice: {"gaps": round(dice.uniform(10, 60)), "gap_size": round(dice.uniform(0.005, 0.03), 4)},
    "crash": lambda dice: {"volatility": 6.0, "bursts": 4.0, "activity": 2.0},
    "thin": lambda dice: {"activity": 0.1, "volatility": 0.5, "quiet": 6.0, "bursts": 0.0},
}


def draw(
    seed: int,
    *,
    minutes: float,
    families: Sequence[Family] = FAMILIES,
    symbols: Sequence[str],
    tape: str | None = None,
) -> Day:
    """Draw the day of a seed."""
    end = minutes * 60

    def stream(name: str) -> Dice:
        return random.Random(f"certify/{GENERATOR}/{seed}/{name}")  # noqa: S311  # a seed must draw the same day again

    dice, shared = {family: stream(family) for family in FAMILIES}, stream("day")
    weather: Weather = "calm"
    market: dict[str, float] = {}
    latency, deeds = "none", list[Deed]()
    # Each family takes part by its own chance, so that some days hold one kind of trouble and some hold all. A day
    # without any trouble proves nothing, so one family always takes part.
    joins = {family: shared.random() < 0.6 for family in FAMILIES}
    lead = FAMILIES[shared.randrange(len(FAMILIES))]
    chosen: list[Family] = [family for family in families if joins[family] or family == lead] or [
        families[shared.randrange(len(families))]
    ]
    if tape is not None:
        weather = "tape"
    if "market" in chosen:
        latency = dice["market"].choice(("none", "jitter:5ms-60ms", "fixed:50ms", "jitter:20ms-400ms"))
        if tape is None:
            weather = dice["market"].choice(("calm", "trend", "gap", "crash", "thin"))
            market = _WEATHERS[weather](dice["market"])
        if weather == "crash":
            deeds += _crash(dice["market"], end, symbols)
    for family in chosen:
        if family in _FAULTS:
            deeds += _troubles(family, dice[family], end, symbols)
    if "kill" in chosen:
        deeds += _ends(dice["kill"], end)
    ending = dice["kill"].choice(ENDINGS) if "kill" in chosen else "cancel"
    return Day(
        seed=seed,
        minutes=minutes,
        asked=(*families,),
        families=tuple(chosen),
        symbols=tuple(symbols),
        weather=weather,
        market=market,
        tape=tape,
        latency=latency,
        deeds=tuple(sorted(deeds, key=lambda deed: deed.at)),
        ending=ending,
        end=end,
        wire="network" in chosen,
    )


def _when(dice: Dice, end: float) -> float:
    return round(dice.uniform(min(FIRST, end / 2), max(end - 1, end / 2)), 2)


def _troubles(family: Family, dice: Dice, end: float, symbols: Sequence[str]) -> list[Deed]:
    markets = sorted({"spot" if "_" in symbol else "futures" for symbol in symbols})
    deeds: list[Deed] = []
    for _ in range(dice.randint(2, 4) + round(end / 120)):
        at, kind = _when(dice, end), dice.choice(_FAULTS[family])
        fault = kind(dice, dice.choice(markets))
        deeds.append(Deed(at, "fault", family, _plain(fault)))
    if family == "network" and dice.random() < 0.5:
        deeds.append(Deed(_when(dice, end), "drop", family, {"connection": dice.choice(("*", "http", "*/private"))}))
    if family == "exchange" and dice.random() < 0.4:
        deeds.append(Deed(_when(dice, end), "skew", family, {"ms": dice.choice((-8_000, 3_000, 20_000))}))
    return deeds


def _plain(fault: Fault) -> dict[str, Json]:
    """A fault with the fields that differ from their defaults."""
    usual = {field.name: field.default for field in attrs.fields(type(fault))}
    return {
        name: float(value) if isinstance(getattr(fault, name, None), float) and value is not None else value  # type: ignore[arg-type]
        for name, value in describe_fault(fault).items()
        if name == "fault" or getattr(fault, name) != usual[name]
    }


def _crash(dice: Dice, end: float, symbols: Sequence[str]) -> list[Deed]:
    """A fall of the price in several steps, and perhaps a rebound."""
    at, coin = _when(dice, end), dice.choice(symbols).removesuffix("USDT").removesuffix("_")
    deeds: list[Deed] = []
    for _ in range(dice.randint(3, 8)):
        deeds.append(
            Deed(round(at, 2), "jump", "market", {"coin": coin, "share": -round(dice.uniform(0.005, 0.04), 4)})
        )
        at += dice.uniform(0.2, 6)
    if dice.random() < 0.6:
        deeds.append(Deed(round(at, 2), "jump", "market", {"coin": coin, "share": round(dice.uniform(0.02, 0.1), 4)}))
    return [deed for deed in deeds if deed.at < end]


def _ends(dice: Dice, end: float) -> list[Deed]:
    """Ends of the bot's process before the final one, each followed by a restart."""
    deeds: list[Deed] = []
    for _ in range(dice.randint(1, 2)):
        again = round(dice.uniform(0.1, 10), 1)
        if dice.random() < 0.6:
            deeds.append(Deed(_when(dice, end), "kill", "kill", {"again": again}))
        else:
            deeds.append(Deed(_when(dice, end), "stop", "kill", {"how": dice.choice(ENDINGS), "again": again}))
    return deeds
