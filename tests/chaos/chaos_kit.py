"""What the chaos run watches: every kind of subscription, each compared with what the exchange published.

A `World` is one simulated exchange, one client, and a `Watch` for each kind. The exchange's own feed is recorded beside
the sockets, so it knows what was published while a line was down. `Watch.tally` says what became of it.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Literal

import attrs
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio._bitmart.channel import find
from bitmart_trio._scopes import open_nursery
from bitmart_trio.errors import StreamGap
from bitmart_trio.models.stream_events import Backfilled, Gap, RawPush
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.bitmart.futures.streams import funding_data
from bitmart_trio.sim.faults import Fault, FaultHandle
from bitmart_trio.sim.kernel.encoding import encode
from bitmart_trio.sim.kernel.feed import FeedChannel, Frame, SocketKind
from bitmart_trio.sim.venue import Venue, open_exchange

KINDS: Final[tuple[SocketKind, ...]] = ("spot/public", "spot/private", "futures/public", "futures/private")
TICK: Final = 0.75
"""Seconds between two steps of the market."""
CONFIG: Final = bm.Config(
    backoff=bm.Backoff(first=0.3, maximum=2),
    timeouts=bm.Timeouts(connect=3, login=3, acknowledge=3, snapshot=2, read=3),
    ping_interval=5,
    pong_timeout=3,
    ban_pause=4,
)
SILENCE: Final = 9.0
"""Seconds of quiet that mean trouble, in the trial that mutes topics."""
EXTRA: Final[dict[str, SocketKind]] = {
    "spot/depth100": "spot/public",
    "futures/unicast": "futures/private",
    "spot/brandNew": "spot/public",
    "futures/brandNew": "futures/public",
}
"""Channels that the exchange has given up, and some that nobody has heard of: they count."""


@attrs.define
class Tally:
    """What became of the pushes of a kind of subscription, or of all."""

    sent: int = 0
    received: int = 0
    declared: int = 0
    """Lost, and said so: behind a `Gap` or an error, or counted as conflated or dropped."""
    unseeable: int = 0
    """Lost on a connection that went on, by a fault that nothing in the data tells of."""
    undeclared: int = 0
    repeated: int = 0
    gaps: int = 0
    resynced: int = 0
    ended: int = 0

    def add(self, other: Tally) -> None:
        """Sum up."""
        for field in attrs.fields(Tally):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@attrs.define
class Tape:
    """All frames of a topic, and when they were published; and those that a new listener was sent first."""

    topic: str
    frames: list[tuple[float, Any]] = attrs.field(factory=list)
    first: list[Any] = attrs.field(factory=list)
    _decoded: dict[int, list[object]] = attrs.field(factory=dict)
    """Frame number -> its items."""

    def deliver(self, frame: Frame) -> None:
        """Listen to the exchange's feed."""
        self.frames.append((trio.current_time(), frame["data"]))

    def items(self, number: int) -> list[object]:
        """What a frame holds."""
        if number not in self._decoded:
            self._decoded[number] = self.decode(self.frames[number][1])
        return self._decoded[number]

    def decode(self, data: Any) -> list[object]:
        """A payload as what it should arrive as."""
        channel = find(self.topic)
        if channel is None or channel.payload is RawPush:
            return [name_of(RawPush("", data))]
        found = channel.decode(encode(data))
        assert len(found) == (len(data) if isinstance(data, list) else 1)
        return [name_of(item) for item in found]


def name_of(item: object) -> object:
    """What makes two items the same."""
    if isinstance(item, RawPush):
        data: Any = item.data
        return str((data[0] if isinstance(data, list) else data)["seq"])
    return repr(item)


class World:
    """One run: an exchange that publishes, a client that listens."""

    def __init__(self, venue: Venue, client: bm.Client, draw: random.Random) -> None:
        self.venue = venue
        self.client = client
        self.random = draw
        self.handles: list[FaultHandle] = []
        self.sure: list[FaultHandle] = []
        self.tapes: dict[str, Tape] = {}
        self.numbers: Counter[str] = Counter()
        self.unseeable = False
        """Whether the trial loses pushes without a trace."""
        self.repeats = False
        """Whether it repeats them."""
        self.lagging = False
        """Whether pushes may be on their way for long."""
        self._direct = Direct(venue.simulation.bitmart, address="10.0.0.9")
        for name, kind in EXTRA.items():
            venue.exchange.feed.add(FeedChannel(name, kind, lambda rest: True))
        for name, channel in list(venue.exchange.feed.channels.items()):
            asked = channel.asked
            venue.exchange.feed.channels[name] = attrs.evolve(
                channel,
                first=self._noting(name, channel.first),
                asked=None if asked is None else self._noting(name, asked),
            )

    def _noting(self, name: str, original: Callable[..., Iterable[Frame]]) -> Callable[..., list[Frame]]:
        def frames(rest: str, account: Any) -> list[Frame]:
            found = list(original(rest, account))
            tape = self.tapes.get(f"{name}:{rest}" if rest else name)
            if tape is not None:
                tape.first += [frame["data"] for frame in found]
            return found

        return frames

    def tape(self, topic: str) -> Tape:
        """The record of a topic from the first call on."""
        if topic not in self.tapes:
            tape = self.tapes[topic] = Tape(topic)
            private = topic.startswith(("spot/user", "futures/asset", "futures/position", "futures/order"))
            account = "1" if private or topic == "futures/unicast" else None
            self.venue.exchange.feed.listen(topic, account, tape.deliver)
        return self.tapes[topic]

    # ---- what goes wrong ----

    def add(self, *faults: Fault, sure: bool = True) -> None:
        """Make faults active, and remember them: each must hit, unless it is not sure to."""
        handles = [self.venue.faults.add(fault) for fault in faults]
        self.handles += handles
        self.sure += handles if sure else []

    def drop(self) -> None:
        """Break all sockets."""
        self.venue.drop_connections()

    async def pause(self, least: float, most: float) -> None:
        """Wait a while."""
        await trio.sleep(self.random.uniform(least, most))

    # ---- what goes on ----

    async def live(self) -> None:
        """Move the market, trade for the account, and publish what the exchange itself would not."""
        for step in range(1_000_000):
            self.venue.exchange.tick()
            if step % 2:
                self._act()
            for name, kind in EXTRA.items():
                self._publish(name, kind)
            if not step % 3:
                # Once a minute, by itself.
                listing, now = self.venue.exchange.futures.listings["BTCUSDT"], self.venue.exchange.now_ms()
                topic = "futures/fundingRate:BTCUSDT"
                self.venue.exchange.feed.publish(topic, {"group": topic, "data": funding_data(listing, now)})
            await trio.sleep(TICK)

    def _publish(self, name: str, kind: SocketKind) -> None:
        symbol = "BTC_USDT" if kind.startswith("spot") else "BTCUSDT"
        topic = name if name == "futures/unicast" else f"{name}:{symbol}"
        self.numbers[topic] += 1
        row: Any = {"symbol": symbol, "seq": self.numbers[topic]}
        if name == "spot/depth100":
            # Its model is the other depths': the number goes in as the time.
            row = {"symbol": symbol, "asks": [["2", "1"]], "bids": [["1", "1"]], "ms_t": self.numbers[topic]}
        frame: Frame = {"table": name, "data": [row]} if kind.startswith("spot") else {"group": topic, "data": row}
        self.venue.exchange.feed.publish(topic, frame, "1" if kind.endswith("private") else None)

    def _act(self) -> None:
        """One thing on each market: an order that rests, is filled, or goes."""
        draw, direct, exchange = self.random, self._direct, self.venue.exchange
        last = exchange.spot.markets["BTC_USDT"].last
        price = f"{float(last) * draw.uniform(0.995, 1.005):.2f}"
        resting = exchange.spot.engine.open_orders("1")
        if resting and draw.random() < 0.4:
            direct.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=draw.choice(resting).order_id)
        else:
            side, size = draw.choice(("buy", "sell")), f"{draw.randint(1, 9)}e-3"
            size = f"0.00{draw.randint(1, 9)}00"
            direct.post("/spot/v2/submit_order", symbol="BTC_USDT", side=side, type="limit", size=size, price=price)
        future = exchange.futures.listings["BTCUSDT"].last
        price = f"{float(future) * draw.uniform(0.995, 1.005):.1f}"
        account = exchange.accounts.get("1")
        assert account is not None
        orders = list(exchange.futures.engine.trader(account).orders.values())
        if orders and draw.random() < 0.4:
            direct.post("/contract/private/cancel-order", symbol="BTCUSDT", order_id=draw.choice(orders).order_id)
        else:
            direct.post(
                "/contract/private/submit-order",
                symbol="BTCUSDT", side=draw.randint(1, 4), type=draw.choice(("limit", "limit", "market")), price=price,
                size=draw.randint(1, 20), leverage="10", open_type="cross",
            )  # fmt: skip

    def lost_without_trace(self, topic: str) -> int:
        """How many pushes of a topic a fault took that nothing tells of."""
        if not self.unseeable:
            return 0
        return sum(handle.hits for handle in self.handles if getattr(handle.fault, "topic", "") == topic)


class Watch(ABC):
    """One kind of subscription, followed through a run."""

    def __init__(self, name: str, *topics: str) -> None:
        self.name = name
        self.topics = topics
        self.error: Exception | None = None
        """What ended it, if anything did."""
        self.opened = 0.0

    def prepare(self, world: World) -> None:
        """Before it is opened."""
        for topic in self.topics:
            world.tape(topic)

    @abstractmethod
    async def follow(self, world: World, *, task_status: trio.TaskStatus[None]) -> None:
        """Open it, say so, and read."""

    @abstractmethod
    def tally(self, world: World) -> Tally:
        """What became of its pushes."""


Opening = Callable[[bm.Client], AbstractAsyncContextManager[Any]]
Reading = Literal["mark", "raise", "batches"]


class Exact(Watch):
    """A subscription that misses nothing but what lies behind a `Gap`: each push is accounted for.

    Args:
        name: of the row in the table.
        opening: opens it with a buffer that never drops.
        topics: as on the wire.
        reading: how gaps are told and items are read.
    """

    def __init__(self, name: str, opening: Opening, *topics: str, reading: Reading = "mark") -> None:
        super().__init__(name, *topics)
        self.opening = opening
        self.reading = reading
        self.got: list[Any] = []
        """Items, gaps and the like, as they came."""
        self.begun: dict[str, int] = {}
        self.sub: Any = None
        self.found: Tally | None = None

    async def follow(self, world: World, *, task_status: trio.TaskStatus[None]) -> None:
        """See `Watch.follow`."""
        try:
            async with self.opening(world.client) as self.sub:
                self.opened = trio.current_time()
                self.begun = {topic: len(world.tape(topic).frames) for topic in self.topics}
                task_status.started()
                async with open_nursery() as nursery:
                    nursery.start_soon(self.meddle, world)
                    await self._read()
        except bm.BitMartError as error:
            self.error = error

    async def meddle(self, world: World) -> None:
        """Something to do with the subscription while it is read."""

    async def _read(self) -> None:
        if self.reading == "batches":
            async for batch in self.sub.batches():
                assert batch
                self.got += batch
        while True:
            try:
                self.got.append(await self.sub.receive())
            except StreamGap as hole:
                assert self.reading == "raise"
                self.got.append(hole.gap)

    @property
    def items(self) -> list[Any]:
        """Without what stands between them."""
        return [item for item in self.got if not isinstance(item, Gap | Backfilled)]

    @property
    def gaps(self) -> list[Gap]:
        """The gaps that stayed."""
        return [item for item in self.got if isinstance(item, Gap)]

    def declared(self, topic: str, at: float) -> bool:
        """Whether what was published then may be missing."""
        if self.error is not None and at >= (self.sub.statistics().last_message or self.opened):
            return True
        return any(gap.topic == topic and gap.since <= at <= gap.until for gap in self.gaps)

    def due(self, topic: str, at: float) -> bool:
        """Whether the subscription should have had what was published then."""
        return True

    def tally(self, world: World) -> Tally:
        """See `Watch.tally`."""
        found = Tally(ended=self.error is not None, gaps=len(self.gaps))
        counts = self.sub.statistics()
        assert counts.received + counts.backfilled == (
            counts.delivered + counts.conflated + counts.dropped + counts.repeated + counts.buffer_used
        )
        assert counts.gaps == len(self.gaps)
        self._account(world, found, Counter(map(name_of, self.items)))
        found.received = counts.received
        self._check_places(world)
        self.found = found
        return found

    def _account(self, world: World, found: Tally, received: Counter[object]) -> None:
        published: Counter[object] = Counter()
        excused: list[object] = []
        for topic in self.topics:
            tape, lacking, most = world.tape(topic), 0, 0
            published.update(name for data in tape.first for name in tape.decode(data))
            for number, (at, _) in enumerate(tape.frames):
                names = tape.items(number)
                published.update(names)
                if number < self.begun[topic] or not self.due(topic, at):
                    continue
                found.sent += len(names)
                if self.declared(topic, at):
                    excused += names
                    continue
                most = max(most, len(names))
                for name in names:
                    if received[name] > 0:
                        received[name] -= 1
                    else:
                        lacking += 1
            # Which push it was cannot be told where several are equal, but not more than so many.
            unseeable = min(lacking, most * world.lost_without_trace(topic))
            found.unseeable += unseeable
            found.undeclared += lacking - unseeable
        # Equal ones may lie behind a gap and outside: what must have come goes first.
        for name in excused:
            if received[name] > 0:
                received[name] -= 1
            else:
                found.declared += 1
        # What is left came first, or before it was due; else it was repeated, and may only be by a fault.
        extra = Counter(map(name_of, self.items)) - published
        assert not set(extra) - set(published), f"{self.name}: never published"
        found.repeated = extra.total()
        assert world.repeats or not extra, f"{self.name}: came twice"

    def _check_places(self, world: World) -> None:
        """A gap stands where it happened: what was published before it does not come behind it, nor the reverse."""
        for topic in self.topics:
            tape = world.tape(topic)
            when: dict[object, float] = {}
            twice: set[object] = set(map(str, ())) | {name for data in tape.first for name in tape.decode(data)}
            for number, (at, _) in enumerate(tape.frames):
                for name in tape.items(number):
                    if name in when:
                        twice.add(name)
                    when[name] = at
            newest, oldest = float("-inf"), float("-inf")
            for item in self.got:
                if isinstance(item, Gap):
                    if item.topic == topic:
                        assert newest <= item.until, f"{self.name}: a push stands before the gap that it came behind"
                        oldest = max(oldest, item.since)
                elif not isinstance(item, Backfilled) and (name := name_of(item)) in when and name not in twice:
                    newest = max(newest, when[name])
                    late = self.allowed_late(world)
                    assert late or when[name] >= oldest, f"{self.name}: a push stands behind the gap that it preceded"

    def allowed_late(self, world: World) -> bool:
        """Whether pushes may come out of order."""
        return world.unseeable


class Moving(Exact):
    """A subscription whose second topic comes and goes."""

    def __init__(self, name: str, opening: Opening, subject: str, *topics: str) -> None:
        super().__init__(name, opening, *topics)
        self._subject = subject
        self._spans: list[list[float]] = []

    async def meddle(self, world: World) -> None:
        """Add and remove the second topic, over and over."""
        while True:
            await trio.sleep(world.random.uniform(0.2, 2))
            try:
                await self.sub.add(self._subject)
            except bm.BitMartError:
                if self.sub.topics:
                    continue
                return
            span = [trio.current_time(), float("inf")]
            self._spans.append(span)
            await trio.sleep(world.random.uniform(1, 6))
            # Of what is still on its way then nobody can know.
            span[1] = self._newest(world) if world.lagging else trio.current_time()
            try:
                await self.sub.remove(self._subject)
            except bm.BitMartError:
                return

    def _newest(self, world: World) -> float:
        """When what was last heard of the second topic had been published."""
        heard, tape = set(map(name_of, self.items)), world.tape(self.topics[1])
        return max((at for number, (at, _) in enumerate(tape.frames) if heard & set(tape.items(number))), default=0)

    def due(self, topic: str, at: float) -> bool:
        """While it was held."""
        return topic == self.topics[0] or any(begin < at <= end for begin, end in self._spans)


class Default(Watch):
    """A second subscription to a topic with the default policy that only counts gaps: an `Exact` is its measure."""

    def __init__(self, name: str, opening: Opening, twin: Exact) -> None:
        super().__init__(name, *twin.topics)
        self._opening = opening
        self._twin = twin
        self._base: Any = None
        self._last: dict[object, object] = {}
        self._sub: Any = None

    async def follow(self, world: World, *, task_status: trio.TaskStatus[None]) -> None:
        """See `Watch.follow`."""
        try:
            async with self._opening(world.client) as self._sub:
                self._base = self._twin.sub.statistics()
                task_status.started()
                async for item in self._sub:
                    self._last[_state(self.topics[0], item)] = name_of(item)
                    await trio.sleep(world.random.choice((0, 0, 0, 2)))
        except bm.BitMartError as error:
            self.error = error

    def tally(self, world: World) -> Tally:
        """See `Watch.tally`."""
        counts, twin, base = self._sub.statistics(), self._twin.sub.statistics(), self._base
        assert counts.received == counts.delivered + counts.conflated + counts.dropped + counts.buffer_used
        assert counts.gaps == twin.gaps - base.gaps
        assert counts.reconnects == twin.reconnects - base.reconnects
        assert type(self.error) is type(self._twin.error)
        behind = abs(counts.received - (twin.received - base.received))
        if not counts.buffer_used and self.error is None:
            # Whatever was conflated, what was read last of each state is the newest.
            newest = {_state(self.topics[0], item): name_of(item) for item in self._twin.items}
            behind += sum(newest[state] != name for state, name in self._last.items())
        whole = self._twin.found
        assert whole is not None
        return Tally(
            sent=whole.sent,
            received=counts.received,
            declared=whole.declared,
            unseeable=whole.unseeable,
            undeclared=whole.undeclared + behind,
            repeated=whole.repeated,
            gaps=counts.gaps,
            ended=self.error is not None,
        )


def _state(topic: str, item: Any) -> object:
    channel = find(topic)
    key = None if channel is None or channel.key is None else channel.key(item)
    return getattr(item, "symbol", None), key


@asynccontextmanager
async def open_world(seed: object, *, config: bm.Config = CONFIG) -> AsyncIterator[World]:
    """An exchange that stands still, and a client."""
    draw = random.Random(str(seed))
    async with open_exchange(seed=draw.randrange(1 << 30), live=False) as venue:
        venue.limits.connects_per_minute = None
        async with venue.open_client(config=config) as client:
            yield World(venue, client, draw)


def clock() -> MockClock:
    """A virtual clock of its own for each run."""
    return MockClock(autojump_threshold=0)


def summed(tallies: Iterable[tuple[str, Tally]]) -> dict[str, Tally]:
    """By name."""
    found: dict[str, Tally] = defaultdict(Tally)
    for name, tally in tallies:
        found[name].add(tally)
    return dict(found)
