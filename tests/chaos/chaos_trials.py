"""What goes wrong in the chaos run: one trial a fault, each at all kinds of subscription at once, and how it is judged.

Five faults can, by their nature, not be told from the data where it has no versions, for the connection goes on: a push
that is lost (`Gap`), held back (`Reorder`) or repeated (`Duplicate`), a topic that is mute (`MuteTopic`), and a record
that no list shows yet when a gap is filled (`LateRecord`). The last is noticed if `Config.silence` bounds a topic's
silence, so its trial does so. For the others, lost or repeated messages are compared with the fault's own hits: there
are no more than those, and books and account views are right.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import attrs
import trio
from chaos_kit import CONFIG, KINDS, SILENCE, TICK, Default, Tally, Watch, World, clock, open_world
from chaos_watches import Account, Book, Filled, watches
from proof_sizes import FULL
from trio.testing import wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio.models.stream_events import Malformed, Reconnected
from bitmart_trio.sim.faults import (
    BlankIds,
    Cap,
    ClockSkew,
    Delay,
    Drop,
    DropDuringLogin,
    Duplicate,
    EdgePage,
    EmptyData,
    Fail5xx,
    Fault,
    Gap,
    Garbage,
    GarbageReply,
    GatewayJson,
    HalfReply,
    HangHandshake,
    Lag,
    LatePong,
    LatePush,
    LateRecord,
    LongerRow,
    LoseAck,
    LoseReply,
    LoseRequest,
    Maintenance,
    MuteTopic,
    OddRecord,
    OldPush,
    Refuse418,
    Refuse429,
    RefuseConnect,
    RefuseLogin,
    RefuseTopic,
    RefuseUpgrade,
    Reorder,
    Retention,
    RoundedBounds,
    SharedIds,
    SlowLink,
    SmallerCap,
    Stall,
    UnknownField,
    WrongUnit,
)
from bitmart_trio.testing import deterministic

Cause = Callable[[World], Awaitable[None]]
PRIVATE: Final = ("spot/private", "futures/private")
OF_REST: Final[set[Cause]] = set()
"""Causes that concern what asks REST: but in the full proof only those kinds of subscription are watched."""
BUSY: Final = "temporarily unavailable"
"""What the futures side says when it may work another time."""


@attrs.frozen
class Trial:
    """One row of the table.

    Args:
        name: the fault, and how it is used.
        cause: makes it happen.
        ends: what kind of error ends the subscriptions that it concerns; None where all go on.
        unseeable: it loses pushes of which nothing in the data tells.
        repeats: it repeats pushes.
        lagging: it holds pushes up.
        timed: the client was told how quiet each topic may be.
    """

    name: str
    cause: Cause
    ends: type[Exception] | None = attrs.field(default=None, kw_only=True)
    unseeable: bool = attrs.field(default=False, kw_only=True)
    repeats: bool = attrs.field(default=False, kw_only=True)
    lagging: bool = attrs.field(default=False, kw_only=True)
    timed: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Outcome:
    """What a run has come to."""

    trial: Trial
    rows: list[tuple[str, Tally]]
    """By kind of subscription."""
    hits: int
    unused: list[Fault]
    """Faults that never hit: a run that proves nothing of them."""
    reconnects: int
    malformed: int
    wrongly_ended: list[str]

    @property
    def total(self) -> Tally:
        """Of all kinds, each push counted once a subscription."""
        found = Tally()
        for _, tally in self.rows:
            found.add(tally)
        return found

    @property
    def survived(self) -> bool:
        """Nothing was lost in silence, and nothing ended that should have gone on."""
        return not self.total.undeclared and not self.wrongly_ended and not self.unused


# ---- causes ---------------------------------------------------------------------------------------------------------


def at_lines(make: Callable[[World, str], Fault], *, rounds: int = 2, least: float = 1, most: float = 5) -> Cause:
    """A fault at each kind of connection, some times."""

    async def cause(world: World) -> None:
        for _ in range(rounds):
            world.add(*(make(world, kind) for kind in KINDS))
            await world.pause(least, most)

    return cause


def at_reconnect(make: Callable[[World, str], Fault], kinds: Iterable[str] = KINDS, *, wait: float = 3) -> Cause:
    """A fault that shows when a connection is made: all are broken for it."""

    async def cause(world: World) -> None:
        world.add(*(make(world, kind) for kind in kinds))
        world.drop()
        await world.pause(wait, wait + 3)

    return cause


def at_topics(make: Callable[[World, str], Fault], *, drop: bool = False, wait: float = 5) -> Cause:
    """A fault at each topic."""

    async def cause(world: World) -> None:
        world.add(*(make(world, topic) for topic in world.tapes if topic not in SELDOM))
        if drop:
            world.drop()
        await trio.sleep(wait)
        with trio.move_on_after(40):  # some topics speak seldom
            while any(not handle.hits for handle in world.sure):  # noqa: ASYNC110  # the clock is virtual
                await trio.sleep(TICK)

    return cause


SELDOM: Final = ("spot/trade:ETH_USDT", "futures/ticker:ETHUSDT")
"""Topics that come and go, so that nothing may hit them."""


def at_requests(*make: Callable[[World], Fault], wait: float = 4, rounds: int = 1) -> Cause:
    """A fault of REST, which matters when gaps are filled and accounts are read: all connections are broken for it."""

    async def cause(world: World) -> None:
        for _ in range(rounds):
            world.add(*(each(world) for each in make))
            await world.pause(0.2, 1)
            world.drop()
            await world.pause(wait, wait + 3)

    OF_REST.add(cause)
    return cause


async def skew(world: World) -> None:
    """The exchange's clock leaps a minute and a half ahead, and later back."""
    world.add(ClockSkew(ms=90_000))
    await world.pause(0.5, 2)
    world.drop()
    await world.pause(4, 6)
    world.venue.faults.clear()
    await world.pause(0.5, 2)
    world.drop()
    await world.pause(4, 6)


async def storm(world: World) -> None:
    """Everything that can be noticed, at random."""
    draw = world.random
    topics = [topic for topic in world.tapes if topic not in SELDOM]
    for _ in range(14):
        kind, topic = draw.choice(KINDS), draw.choice(topics)
        faults: list[Fault] = [
            Stall(connection=kind, lasting=draw.uniform(1, 12)),
            SlowLink(connection=kind, lasting=draw.uniform(1, 4), bytes_per_second=draw.randint(2000, 9000)),
            LatePong(connection=kind, seconds=20, times=2),
            RefuseConnect(connection=kind, times=draw.randint(1, 3)),
            RefuseUpgrade(connection=kind, times=draw.randint(1, 3)),
            HangHandshake(connection=kind),
            DropDuringLogin(connection=draw.choice(PRIVATE)),
            LoseAck(topic=topic),
            Garbage(topic=topic, times=2),
            Drop(connection=kind, after=draw.randint(1, 30)),
            Fail5xx(times=draw.randint(1, 5)),
            EdgePage(times=draw.randint(1, 5), status=draw.choice((403, 404, 451, 520, 530))),
            GatewayJson(times=draw.randint(1, 5), status=504),
            EmptyData(times=draw.randint(1, 5)),
            LoseReply(times=draw.randint(1, 5)),
            HalfReply(times=draw.randint(1, 5)),
            Delay(seconds=draw.uniform(0.1, 4), times=draw.randint(1, 9)),
            Refuse429(times=3),
        ]
        world.add(draw.choice(faults), sure=False)
        if draw.random() < 0.6:
            world.venue.drop_connections(kind)
        await world.pause(0.2, 4)


async def mute(world: World) -> None:
    """Every topic for long, once it has been heard: one that never spoke may have nothing to say."""
    topics = [topic for topic in world.tapes if topic not in SELDOM]
    while any(not world.tapes[topic].frames for topic in topics):  # noqa: ASYNC110  # the clock is virtual
        await trio.sleep(TICK)
    await trio.sleep(TICK)
    world.add(*(MuteTopic(topic=topic, lasting=2.2 * SILENCE) for topic in topics))
    await trio.sleep(3.5 * SILENCE)


def _login(world: World, kind: str) -> Fault:
    return RefuseLogin(connection=kind, code="91022", text="" if kind.startswith("spot") else BUSY, times=2)


def _topic_busy(world: World, topic: str) -> Fault:
    # Each of these ends a connection, so few topics: connections are not made faster than the exchange allows.
    return RefuseTopic(topic=topic, code="95000", text=BUSY)


async def refuse_some(world: World) -> None:
    """Topics that are refused for a fault inside the exchange, on every kind of connection."""
    for topic in ("spot/ticker:BTC_USDT", "spot/user/orders:ALL_SYMBOLS", "futures/depth5:BTCUSDT", "futures/order"):
        world.add(_topic_busy(world, topic))
    world.drop()
    await world.pause(6, 9)


async def calm(world: World) -> None:
    """Nothing."""
    await trio.sleep(10)


TRIALS: Final = [
    Trial("nothing goes wrong", calm),
    Trial("Drop", at_lines(lambda world, kind: Drop(connection=kind), rounds=2)),
    Trial(
        "Drop after some frames",
        at_lines(lambda world, kind: Drop(connection=kind, after=world.random.randint(1, 6)), most=7, least=5),
    ),
    Trial("Drop with a close frame", at_lines(lambda world, kind: Drop(connection=kind, code=1012))),
    Trial(
        "Stall",
        at_lines(lambda world, kind: Stall(connection=kind, lasting=14), rounds=1, least=15, most=18),
        lagging=True,
    ),
    Trial(
        "SlowLink",
        at_lines(
            lambda world, kind: SlowLink(connection=kind, lasting=4, bytes_per_second=world.random.randint(4000, 9000)),
            rounds=1,
            least=9,
            most=12,
        ),
        lagging=True,
    ),
    Trial("LatePong", at_lines(lambda world, kind: LatePong(connection=kind, seconds=9), rounds=1, least=14, most=16)),
    Trial("RefuseConnect", at_reconnect(lambda world, kind: RefuseConnect(connection=kind, times=2))),
    Trial("RefuseUpgrade", at_reconnect(lambda world, kind: RefuseUpgrade(connection=kind, times=2))),
    Trial("HangHandshake", at_reconnect(lambda world, kind: HangHandshake(connection=kind))),
    Trial("DropDuringLogin", at_reconnect(lambda world, kind: DropDuringLogin(connection=kind, times=2), PRIVATE)),
    Trial("RefuseLogin, for a while", at_reconnect(_login, PRIVATE)),
    Trial(
        "RefuseLogin, for good",
        at_reconnect(lambda world, kind: RefuseLogin(connection=kind), PRIVATE),
        ends=bm.AuthenticationError,
    ),
    Trial("RefuseTopic, for a while", refuse_some),
    Trial(
        "RefuseTopic, for good",
        at_topics(lambda world, topic: RefuseTopic(topic=topic, code="90004", text="Invalid channel"), drop=True),
        ends=bm.SubscriptionRefused,
    ),
    Trial("LoseAck", at_topics(lambda world, topic: LoseAck(topic=topic), drop=True, wait=14)),
    Trial(
        "MuteTopic",
        mute,
        timed=True,
    ),
    Trial("Gap", at_topics(lambda world, topic: Gap(topic=topic, times=2)), unseeable=True),
    Trial("Reorder", at_topics(lambda world, topic: Reorder(topic=topic, times=2)), unseeable=True),
    Trial("Duplicate", at_topics(lambda world, topic: Duplicate(topic=topic, times=3)), repeats=True),
    Trial("Garbage", at_topics(lambda world, topic: Garbage(topic=topic, times=2))),
    Trial("UnknownField", at_requests(lambda world: UnknownField())),
    Trial("LongerRow", at_requests(lambda world: LongerRow())),
    Trial("LoseRequest", at_requests(lambda world: LoseRequest(times=4))),
    Trial("LoseReply", at_requests(lambda world: LoseReply(times=4))),
    Trial("HalfReply", at_requests(lambda world: HalfReply(times=4))),
    Trial(
        "Delay",
        at_requests(
            lambda world: Delay(seconds=world.random.uniform(0.5, 4), times=6, before=world.random.random() < 0.5)
        ),
    ),
    Trial("Refuse429", at_requests(lambda world: Refuse429(times=4))),
    Trial("Refuse418", at_requests(lambda world: Refuse418(), wait=9)),
    Trial("Fail5xx", at_requests(lambda world: Fail5xx(times=4), lambda world: Fail5xx(times=4, html=True))),
    Trial("Maintenance", at_requests(lambda world: Maintenance(times=6))),
    Trial("Maintenance of sockets", at_reconnect(lambda world, kind: Maintenance(path=f"/ws/{kind}", times=2))),
    Trial("EdgePage", at_requests(lambda world: EdgePage(times=4), lambda world: EdgePage(times=4, status=403))),
    Trial("GatewayJson", at_requests(lambda world: GatewayJson(times=4))),
    Trial("EmptyData", at_requests(lambda world: EmptyData(times=4))),
    Trial("SharedIds", at_requests(lambda world: SharedIds())),
    Trial("BlankIds", at_requests(lambda world: BlankIds())),
    Trial("RoundedBounds", at_requests(lambda world: RoundedBounds())),
    Trial("SmallerCap", at_requests(lambda world: SmallerCap(n=2))),
    Trial("OddRecord", at_requests(lambda world: OddRecord(every=2))),
    Trial("WrongUnit", at_requests(lambda world: WrongUnit())),
    Trial("Retention", at_requests(lambda world: Retention(days=3 / 86_400))),
    Trial("LateRecord", at_requests(lambda world: LateRecord(seconds=5)), unseeable=True),
    Trial("Lag", at_requests(lambda world: Lag(seconds=5)), unseeable=True),
    Trial("Lag of what is new", at_requests(lambda world: Lag(seconds=5, how="missing")), unseeable=True),
    Trial("Cap", at_requests(lambda world: Cap(n=2))),
    Trial("LatePush", at_topics(lambda world, topic: LatePush(topic=topic, seconds=1)), unseeable=True, lagging=True),
    Trial("OldPush", at_topics(lambda world, topic: OldPush(topic=topic, times=3)), repeats=True),
    Trial("GarbageReply", at_requests(lambda world: GarbageReply(times=4))),
    Trial("ClockSkew", skew),
    Trial("all that can be noticed", storm, lagging=True),
]
"""The rows of the table."""


# ---- a run ----------------------------------------------------------------------------------------------------------


@attrs.define
class Life:
    """What the client's events tell of a run."""

    reconnects: int = 0
    malformed: int = 0

    async def listen(self, client: bm.Client, *, task_status: trio.TaskStatus[None]) -> None:
        """Count."""
        async with client.streams.events(buffer=100_000) as events:
            task_status.started()
            async for event in events:
                self.reconnects += isinstance(event, Reconnected)
                self.malformed += isinstance(event, Malformed)


def run(trial: Trial, seed: int) -> Outcome:
    """One trial, which a seed repeats."""
    with deterministic(zlib.crc32(f"{trial.name}/{seed}".encode())):
        return trio.run(_run, trial, seed, clock=clock())


async def _run(trial: Trial, seed: int) -> Outcome:
    found = [
        watch for watch in watches() if FULL or trial.cause not in OF_REST or isinstance(watch, Filled | Book | Account)
    ]
    channels = {topic.partition(":")[0] for watch in found for topic in watch.topics}
    config = attrs.evolve(CONFIG, silence=dict.fromkeys(channels, SILENCE) if trial.timed else {})
    life = Life()
    async with open_world(f"{trial.name}/{seed}", config=config) as world, trio.open_nursery() as nursery:
        world.unseeable, world.repeats, world.lagging = trial.unseeable, trial.repeats, trial.lagging
        for watch in found:
            watch.prepare(world)
        await nursery.start(life.listen, world.client)
        for watch in found:
            if isinstance(watch, Default):
                continue
            await nursery.start(watch.follow, world)
        await trio.sleep(1)
        for watch in found:
            if isinstance(watch, Default):
                await nursery.start(watch.follow, world)
        living = await nursery.start(_live, world)
        await trio.sleep(3)
        await trial.cause(world)
        world.venue.faults.clear()
        # Gaps are noticed, connections are back, and what was missed has been read.
        await trio.sleep(9)
        living.cancel()
        await trio.sleep(8)
        await wait_all_tasks_blocked()
        rows = [(watch.name, watch.tally(world)) for watch in found]
        nursery.cancel_scope.cancel()
    return Outcome(
        trial,
        rows,
        hits=sum(handle.hits for handle in world.handles),
        unused=[handle.fault for handle in world.sure if not handle.hits],
        reconnects=life.reconnects,
        malformed=life.malformed,
        wrongly_ended=[f"{watch.name}: {watch.error!r}" for watch in found if _wrongly(watch, trial)],
    )


async def _live(world: World, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await world.live()


def _wrongly(watch: Watch, trial: Trial) -> bool:
    return watch.error is not None and (trial.ends is None or not isinstance(watch.error, trial.ends))
