"""All connections of one client.

`Connections` packs topics onto connections within the exchange's limits and hands out subscriptions.

Connections are opened when a topic needs one, shared by all subscriptions, and owned by the client's nursery. Two
subscriptions to one topic share it on the wire; the last subscription to close releases it.

New topics fill the connections in the order of their opening. As topics close, an empty connection is closed after a
while unless it is the only one, and a connection that breaks is not reconnected if the others have room for its topics.

A live topic is never moved: pushes of two connections cannot be matched, so a move would repeat pushes, lose pushes, or
change their order.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Final, TypeAlias

import attrs
import trio

from .._core.channel import Overflow, unique
from .._core.dialect import SocketDialect, Topic, Venue
from .._core.lapse import Lapse
from .._scopes import opener, protected, start_soon
from ..config import Config
from ..credentials import Credentials
from ..errors import BitMartError, ConfigurationError, InvalidRequest, MissingCredentials
from ..models import stream_events
from ..models._model import Model
from ..models.stream_events import AnyStreamEvent
from .clock_watch import watch_clocks
from .connection import Connection, Target
from .connection_limits import ConnectionSlot, free_slots
from .connection_topics import acknowledged
from .drift import DriftLog
from .gate import Gate
from .hooks import tell
from .pending_gap import Backfiller
from .receivers import Gaps
from .router import Router
from .sink import Sink
from .socket import Connect
from .subscription import Subscription

log = logging.getLogger(__name__)

_Kind: TypeAlias = tuple[str, bool]
"""The market of a connection, and whether it is private."""

Spell: TypeAlias = Callable[[str], str]
"""A user's subject (a symbol, or a whole topic) as a topic."""


@attrs.frozen(kw_only=True)
class StreamsStatistics(Model):
    """The counts of a client's streams since its opening, including closed subscriptions."""

    routed: int
    """Pushes of topics that are subscribed to."""
    unasked: int
    """Pushes of topics without a subscriber; not decoded."""
    malformed: int
    """Pushes that could not be read; each is a gap of its topic."""
    deviations: int
    """Members that were missing or unreadable, in pushes and in this client's REST replies; see ``bm.absent``."""
    connections: int
    """Sockets now, including those that are reconnecting."""
    topics: int
    """Topics held now."""
    subscriptions: int
    """Subscriptions open now, including those of order books and account views."""
    received: int
    """Items pushed to subscriptions: one push counts once for each subscription to it."""
    backfilled: int
    """Items read over REST to fill gaps."""
    delivered: int
    """Items handed to users."""
    conflated: int
    """Items replaced by a newer one of the same state before they were read."""
    dropped: int
    """Items discarded because a buffer was full."""
    gaps: int
    """Gaps that stayed."""
    stalls: int
    """The number of times that the program kept the event loop busy for too long; see `Stalled`."""
    suspensions: int
    """The number of times that the machine was suspended; see `Suspended`."""


_SUMS: Final = ("received", "backfilled", "delivered", "conflated", "dropped", "gaps")


@attrs.define(eq=False)
class _Held:
    """A topic on the wire."""

    topic: Topic
    connection: Connection
    sinks: list[Sink]


@protected
class Connections:
    """See the head of this file.

    Args:
        nursery: owns the connections.
        venue: defines the topics and the sockets.
        credentials: for private topics; None if there are none.
        config: the client's configuration.
        connect: opens streams.
        clock: returns a market's time at the exchange in milliseconds, for logins.
        resync: corrects that clock over REST; None where there is no REST.
        slept: takes how long Trio's clock stood still, for everything that is timed by it.
        drift: counts the deviations of pushes; None creates one.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        venue: Venue,
        credentials: Credentials | None,
        config: Config,
        *,
        connect: Connect,
        clock: Callable[[str], int],
        resync: Callable[[str], Awaitable[object]] | None = None,
        slept: Callable[[float], None] | None = None,
        drift: DriftLog | None = None,
    ) -> None:
        self._nursery = nursery
        self._venue = venue
        self._credentials = credentials
        self._config = config
        self._connect = connect
        self._clock = clock
        self._resync = resync
        self._slept = slept
        self._watching = False
        self._stalls = 0
        self._suspensions = 0
        self._connections: dict[_Kind, list[Connection]] = {}
        self._topics: dict[str, _Held] = {}
        self._numbers = itertools.count(1)
        self._listeners: list[Gate[AnyStreamEvent]] = []
        self._sinks: dict[Sink, None] = {}
        self._past: Counter[str] = Counter()
        self._closed = False
        self._drift = drift or DriftLog(config.hooks.on_drift)
        self._router = Router(self._malformed, venue.bare, drift=self._drift, strict=config.strict_reading)

    # ---- for users, through the openers -----------------------------------------------------------------------------

    @opener
    async def subscribe(  # noqa: ASYNC911  # leaving waits for nothing
        self,
        topics: Iterable[str],
        *,
        spell: Spell,
        buffer: int | None,
        overflow: Overflow | None,
        gaps: Gaps,
        backfiller: Backfiller[Any] | None = None,
    ) -> AsyncGenerator[Subscription[Any]]:
        """Subscribe while inside; returns once the exchange has acknowledged every topic.

        Args:
            topics: the topics as on the wire.
            spell: makes topics of the arguments of ``Subscription.add`` and ``remove``.
            buffer: the size of the buffer in items; None takes the configuration's.
            overflow: the policy of a full buffer; None takes the channel's.
            gaps: how gaps reach the reader.
            backfiller: fills gaps, in the client's nursery.
        """
        self._check_open()
        topics = unique(topics)
        if not topics:
            raise InvalidRequest("name at least one symbol or topic to subscribe to")
        if overflow is None:
            channel = self._venue.topic(topics[0]).channel
            overflow = channel.overflow if channel is not None else "fail"
        size = buffer if buffer is not None else getattr(self._config.buffers, overflow)
        gate: Gate[Any] = Gate(size=size, overflow=overflow, gaps=gaps)
        gate.owner = _Owner(self, spell)
        gate.backfiller, gate.start = backfiller, partial(start_soon, self._nursery)
        self._sinks[gate] = None
        with Subscription[Any](gate) as subscription:
            await self.add(gate, topics)
            if backfiller is not None:
                await backfiller.begin()
            yield subscription

    @property
    def config(self) -> Config:
        """Return the client's configuration."""
        return self._config

    def time(self, market: str) -> int:
        """A market's time at the exchange in milliseconds, as well as it is known."""
        return self._clock(market)

    def holds(self, topic: str) -> bool:
        """Return True if the exchange pushes a topic now: it is acknowledged, and its connection lives."""
        held = self._topics.get(topic)
        return held is not None and held.connection.holds(topic)

    async def follow(self, sink: Sink, topic: str) -> bool:
        """Hold a topic for a sink of the caller's own, who gives it back by `forget`; returns once it is acknowledged.

        Returns:
            True if the topic was already held: then the exchange does not send its first state again.
        """
        self._check_open()
        shared = self.holds(topic)
        self._sinks[sink] = None
        try:
            await self.add(sink, [topic])
        except BaseException:
            self.forget(sink)
            raise
        return shared

    @opener
    async def events(self, *, buffer: int | None) -> AsyncGenerator[Subscription[AnyStreamEvent]]:  # noqa: ASYNC911  # leaving waits for nothing
        """Listen to the connections' lives while inside; a slow listener loses the oldest, counted."""
        await trio.lowlevel.checkpoint()
        self._check_open()
        size = buffer if buffer is not None else self._config.buffers.drop_oldest
        gate: Gate[AnyStreamEvent] = Gate(size=size, overflow="drop_oldest", gaps="skip")
        self._listeners.append(gate)
        try:
            with Subscription[AnyStreamEvent](gate) as subscription:
                yield subscription
        finally:
            self._listeners.remove(gate)

    async def connect(self, market: str, *, private: bool) -> None:
        """Open (and prove) a connection ahead of need."""
        await trio.lowlevel.checkpoint()
        self._check_open()
        self._may(private, "a private connection")
        takers = (connection for connection in self._connections.get((market, private), ()) if connection.open)
        connection = next(takers, None)
        await (connection or self._open(self._venue.sockets(market), private)).ready()

    def statistics(self) -> StreamsStatistics:
        """Counts over all pushes and subscriptions of the client."""
        pushes, sums = self._router.statistics(), self._past.copy()
        for sink in self._sinks:
            _add_up(sums, sink)
        return StreamsStatistics(
            routed=pushes.routed,
            unasked=pushes.unasked,
            malformed=pushes.malformed,
            deviations=self._drift.count,
            connections=sum(len(connections) for connections in self._connections.values()),
            topics=len(self._topics),
            subscriptions=len(self._sinks),
            stalls=self._stalls,
            suspensions=self._suspensions,
            **{name: sums[name] for name in _SUMS},
        )

    def close(self) -> None:
        """End every subscription with ``ClosedResourceError``; the nursery's cancellation closes the connections."""
        self._closed = True
        for sink in [*self._sinks, *self._listeners]:
            sink.end(trio.ClosedResourceError("the client was closed"))

    # ---- topics -----------------------------------------------------------------------------------------------------

    async def add(self, sink: Sink, topics: Iterable[str]) -> None:
        """Hold topics for a sink; returns once they are acknowledged. When one is refused, none of them is held."""
        fresh = [self._venue.topic(text) for text in unique(topics) if text not in sink.topics]
        for topic in fresh:
            self._may(topic.private, topic.text)
        self._check_room(topic for topic in fresh if topic.text not in self._topics)
        wanted: dict[Connection, list[Topic]] = {}
        try:
            for topic in fresh:
                held = self._topics.get(topic.text)
                if held is None:
                    held = self._topics[topic.text] = _Held(topic, self._place(topic), [])
                    held.connection.load += 1
                held.sinks.append(sink)
                # Attach the sink before the subscribe: a push may precede the acknowledgement.
                self._router.attach(topic, sink)
                sink.topics[topic.text] = None
                wanted.setdefault(held.connection, []).append(topic)
            await acknowledged([wanted for connection, topics in wanted.items() for wanted in connection.want(topics)])
        except BaseException:
            self.remove(sink, [topic.text for topic in fresh])
            raise

    def remove(self, sink: Sink, topics: Iterable[str]) -> None:
        """Give up topics for a sink; those that nobody else holds are unsubscribed."""
        unwanted: dict[Connection, list[str]] = {}
        for topic in list(topics):
            if topic not in sink.topics:
                continue
            del sink.topics[topic]
            held = self._topics[topic]
            self._router.detach(held.topic, sink)
            held.sinks.remove(sink)
            if not held.sinks:
                del self._topics[topic]
                held.connection.load -= 1
                unwanted.setdefault(held.connection, []).append(topic)
        for connection, gone in unwanted.items():
            connection.drop(gone)

    def forget(self, sink: Sink) -> None:
        """Give up all topics of a sink that is closed or ended."""
        self.remove(sink, list(sink.topics))
        if sink in self._sinks:
            del self._sinks[sink]
            _add_up(self._past, sink)

    def request(self, topic: str) -> None:
        """Ask the exchange for a held topic's newest state; the answer is an ordinary push."""
        held = self._topics.get(topic)
        if held is not None:
            held.connection.request(topic)

    def renew(self, topic: str) -> None:
        """Unsubscribe from a held topic at the exchange and subscribe again, for all who hold it."""
        held = self._topics.get(topic)
        if held is not None:
            held.connection.renew(topic)

    def replace(self, topic: str, reason: str) -> None:
        """Replace the connection that carries a topic."""
        held = self._topics.get(topic)
        if held is not None:
            held.connection.replace(reason)

    # ---- connections ------------------------------------------------------------------------------------------------

    def _check_room(self, topics: Iterable[Topic]) -> None:
        """Raise unless the exchange allows this address the connections that so many more topics need."""
        kinds: Counter[_Kind] = Counter((topic.market, topic.private) for topic in topics)
        for (market, private), count in kinds.items():
            url, limits = self._venue.socket_url(market, private), self._venue.sockets(market).limits(private)
            connections = self._connections.get((market, private), ())
            room = sum(limits.topics - connection.load for connection in connections if connection.open)
            lacking, free = -(-(count - room) // limits.topics), free_slots(url, limits)
            if lacking > free:
                kind = f"{market} {'private' if private else 'public'}"
                raise ConfigurationError(
                    f"{count} more {kind} topics need {lacking} more connections of {limits.topics} topics each, but "
                    f"the exchange allows {limits.connections} from one address and {limits.connections - free} are "
                    f"in use: there is room for {room + free * limits.topics} more topics"
                )

    def _place(self, topic: Topic) -> Connection:
        """A connection with room for a topic, opened if there is none.

        The oldest connections are filled first, so that topics pack again as others close.
        """
        most = topic.dialect.limits(topic.private).topics
        for connection in self._connections.get((topic.market, topic.private), ()):
            if connection.open and connection.load < most:
                return connection
        return self._open(topic.dialect, topic.private)

    def _rehome(self, kind: _Kind, lost: Connection) -> list[int]:
        """Give the topics of a connection that is down to others that are up, if these have room for all of them."""
        most = self._venue.sockets(kind[0]).limits(kind[1]).topics
        connections = [connection for connection in self._connections[kind] if connection.up and connection.load < most]
        if sum(most - connection.load for connection in connections) < lost.load:
            return []
        wanted_topics = lost.release()
        numbers: list[int] = []
        for connection in connections:
            part = {topic: wanted_topics.pop(topic) for topic in list(wanted_topics)[: most - connection.load]}
            if part:
                for topic in part:
                    self._topics[topic].connection = connection
                connection.load += len(part)
                lost.load -= len(part)
                connection.adopt(part)
                numbers.append(connection.number)
        return numbers

    def _spare(self, kind: _Kind, empty: Connection) -> bool:
        """Whether an empty connection is one too many. The last one stays, for the topics to come."""
        return any(connection.open and connection is not empty for connection in self._connections[kind])

    def _open(self, dialect: SocketDialect, private: bool) -> Connection:
        market, kind = dialect.market, (dialect.market, private)
        url = self._venue.socket_url(market, private)
        target = Target(
            dialect=dialect,
            private=private,
            url=url,
            connect=self._connect,
            config=self._config,
            credentials=self._credentials if private else None,
            clock=partial(self._clock, market),
            resync=None if self._resync is None else partial(self._resync, market),
        )
        connection = Connection(
            next(self._numbers),
            target,
            self._router,
            # Counted here and not by the task: the next caller must see it.
            ConnectionSlot(url, dialect.limits(private)),
            tell=self._tell,
            ended=self._ended,
            rehome=partial(self._rehome, kind),
            spare=partial(self._spare, kind),
        )
        self._connections.setdefault(kind, []).append(connection)
        start_soon(self._nursery, connection.run)
        if not self._watching:
            self._watching = True
            start_soon(self._nursery, self._watch_clocks)
        return connection

    async def _watch_clocks(self) -> None:  # noqa: ASYNC910  # a task of ours
        await watch_clocks(
            self._config,
            self._config.clock or time.time,
            needed=lambda: any(self._connections.values()),
            found=self._lapsed,
        )
        self._watching = False

    def _lapsed(self, lapse: Lapse) -> None:
        """The program or the machine stood still."""
        connections = [connection for connections in self._connections.values() for connection in connections]
        if lapse.stalled:
            self._stalls += 1
            for connection in connections:
                connection.stalled(lapse.stalled)
        if lapse.suspended:
            self._suspensions += 1
            if self._slept is not None:
                self._slept(lapse.suspended)
            markets = {market for (market, _), connections in self._connections.items() if connections}
            for market in sorted(markets):
                start_soon(self._nursery, self._set_clock, market)
            for connection in connections:
                connection.suspended(lapse.suspended)

    async def _set_clock(self, market: str) -> None:
        await trio.lowlevel.checkpoint()
        if self._resync is not None:
            try:
                await self._resync(market)
            except BitMartError as error:
                log.info("the time of the %s market could not be asked for: %s", market, error)

    def _ended(self, connection: Connection) -> None:
        for connections in self._connections.values():
            if connection in connections:
                connections.remove(connection)

    def _may(self, private: bool, what: str) -> None:
        if private:
            if self._credentials is None:
                raise MissingCredentials(f"{what} is private and needs credentials")
            self._credentials.require_signing(f"the login for {what}")

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("the client was closed")

    # ---- events -----------------------------------------------------------------------------------------------------

    def _tell(self, event: AnyStreamEvent) -> None:
        for listener in self._listeners:
            listener.put(event, None, event.time)
        tell(self._config.hooks.on_event, event)

    def _malformed(self, topic: Topic, reason: str, excerpt: bytes) -> None:
        self._tell(
            stream_events.Malformed(
                market=topic.market,
                private=topic.private,
                connection=0,
                time=trio.current_time(),
                reason=reason,
                excerpt=excerpt,
            )
        )


def _add_up(sums: Counter[str], sink: Sink) -> None:
    if isinstance(sink, Gate):
        counts = sink.statistics()
        for name in _SUMS:
            sums[name] += getattr(counts, name)


@attrs.frozen(eq=False)
class _Owner:
    """The connections as one subscription sees them: it knows how the subscription's subjects are spelled."""

    connections: Connections
    spell: Spell

    async def add(self, gate: Gate[Any], subjects: tuple[str, ...]) -> None:
        await self.connections.add(gate, [self.spell(subject) for subject in subjects])

    async def remove(self, gate: Gate[Any], subjects: tuple[str, ...]) -> None:
        await trio.lowlevel.checkpoint()
        self.connections.remove(gate, [self.spell(subject) for subject in subjects])

    def release(self, gate: Gate[Any]) -> None:
        self.connections.forget(gate)
