"""One connection and its supervision, from the first dial to giving up.

It connects, logs in again, puts back exactly the wanted topics, backs off, and knows when to give up. It owns no data:
pushes go straight from the socket to the router. It knows the topics that are wanted, who waits for which to be
acknowledged, and what must be said when the connection breaks.

Its states, and what takes one to another (`TRANSITIONS`; every other pair is illegal):

| state | means | takes topics |
| --- | --- | --- |
| OPENING | it was never up: its first failure goes to those who wait for it | yes |
| UP | connected, and logged in if it is private | yes |
| DOWN | it was up and is being put back, again and again | yes |
| LEAVING | it is empty, and not the only one of its kind: it is about to close | no |
| GIVEN_UP | over; what ended it is raised by all who wait | no |

* Once up, it is replaced for ever, unless `Backoff.attempts` says otherwise, the login is refused for good, nobody
  wants anything of it, or its topics fit onto connections that are up: then they go there.
* A topic that falls silent is probed, then the connection is replaced (`_core/silence.py`).
* An empty connection that is not the only one of its kind is closed after `LINGER` seconds.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import attrs
import trio

from .._core.backoff import Reconnects
from .._core.burst import Burst
from .._core.connection_events import Complaint, Event, Malformed, Ready, TopicHeld, TopicRefused
from .._core.connection_protocol import ConnectionProtocol, Waits
from .._core.dialect import SocketDialect, Topic
from .._core.machine import Machine
from .._core.silence import Pulse, Watch, pulse_of
from ..config import Config
from ..credentials import Credentials
from ..errors import ConfigurationError, ConnectionLost
from ..models import stream_events
from ..models.stream_events import AnyStreamEvent, Gap
from .connection_limits import ConnectionSlot, connect_permit
from .login_clock import LoginClock
from .router import Router
from .socket import Connect, LoginFailed, Socket

LINGER: Final = 30.0
"""Seconds that an empty connection is kept for topics to come."""
IDLE_LIMIT: Final = 20.0
"""Seconds after which the exchange drops a connection that has sent nothing."""
_TOGETHER: Final = 1.0
"""Seconds in which messages that cannot be read are one gap."""
_LATE: Final = 1.0
"""Seconds that what a push says may lie before its arrival."""


class ConnectionState(Enum):
    """See the table at the head of this file."""

    OPENING = auto()
    UP = auto()
    DOWN = auto()
    LEAVING = auto()
    GIVEN_UP = auto()


class ConnectionEvent(Enum):
    """What happens to a connection."""

    READY = auto()
    """It is connected, and logged in if it is private."""
    BROKE = auto()
    """An attempt failed, or what was connected is not any more."""
    LEAVES = auto()
    """It is not needed, and closes."""
    GAVE_UP = auto()
    """There will be no other attempt."""


TRANSITIONS: Final = MappingProxyType(
    {
        (ConnectionState.OPENING, ConnectionEvent.READY): ConnectionState.UP,
        (ConnectionState.OPENING, ConnectionEvent.BROKE): ConnectionState.OPENING,
        (ConnectionState.OPENING, ConnectionEvent.LEAVES): ConnectionState.LEAVING,
        (ConnectionState.OPENING, ConnectionEvent.GAVE_UP): ConnectionState.GIVEN_UP,
        (ConnectionState.UP, ConnectionEvent.BROKE): ConnectionState.DOWN,
        (ConnectionState.UP, ConnectionEvent.LEAVES): ConnectionState.LEAVING,
        (ConnectionState.DOWN, ConnectionEvent.READY): ConnectionState.UP,
        (ConnectionState.DOWN, ConnectionEvent.BROKE): ConnectionState.DOWN,
        (ConnectionState.DOWN, ConnectionEvent.LEAVES): ConnectionState.LEAVING,
        (ConnectionState.DOWN, ConnectionEvent.GAVE_UP): ConnectionState.GIVEN_UP,
        # The socket may have had its last word on the way before it closes.
        (ConnectionState.LEAVING, ConnectionEvent.READY): ConnectionState.LEAVING,
        (ConnectionState.LEAVING, ConnectionEvent.BROKE): ConnectionState.LEAVING,
        (ConnectionState.LEAVING, ConnectionEvent.GAVE_UP): ConnectionState.GIVEN_UP,
    }
)


@attrs.frozen
class TopicGap:
    """What a topic has missed since it was last held."""

    since: float
    reason: str
    connection: int | None
    """The number of the connection that broke; None if the topic was only subscribed to afresh."""
    epoch: int
    """Of the one after it."""


@attrs.define(eq=False)
class WantedTopic:
    """One wanted topic of a connection, and what has become of it."""

    topic: Topic
    settled: trio.Event = attrs.field(factory=trio.Event)
    """Acknowledged, refused, or the connection given up."""
    error: Exception | None = None
    gap: TopicGap | None = None
    """None while it is held, and before it ever was."""
    pulse: Pulse | None = None
    """None where quiet is normal."""


@attrs.frozen(kw_only=True)
class Target:
    """What a connection needs to know of where and who."""

    dialect: SocketDialect
    private: bool
    url: str
    connect: Connect
    config: Config
    credentials: Credentials | None
    clock: Callable[[], int]
    """The exchange's time in milliseconds, for the login."""
    resync: Callable[[], Awaitable[object]] | None
    """Corrects that clock; None where there is no REST to ask."""


async def acknowledged(wanted_topics: Iterable[WantedTopic]) -> None:
    """Wait until the exchange has acknowledged topics.

    Raises:
        SubscriptionRefused: it refused one.
        ConnectionLost, AuthenticationError: the connection could not be made, or was given up.
    """
    await trio.lowlevel.checkpoint()
    for wanted in wanted_topics:
        await wanted.settled.wait()
        if wanted.error is not None:
            raise wanted.error


class Connection:
    """See the head of this file.

    Args:
        number: of the connection, for events.
        target: where to connect, and as whom.
        router: takes the pushes.
        slot: the connection, already counted.
        tell: takes lifecycle events.
        ended: called once, when the connection is through.
        rehome: gives its topics to other connections that are up, if they have room for all of them; says which.
        spare: whether it is not needed when it is empty.

    Attributes:
        load: how many topics are meant for it; `Connections` counts them.
    """

    def __init__(
        self,
        number: int,
        target: Target,
        router: Router,
        slot: ConnectionSlot,
        *,
        tell: Callable[[AnyStreamEvent], None],
        ended: Callable[[Connection], None],
        rehome: Callable[[Connection], Sequence[int]],
        spare: Callable[[Connection], bool],
    ) -> None:
        self.number = number
        self.load = 0
        self._target = target
        self._router = router
        self._tell = tell
        self._slot = slot
        self._ended = ended
        self._rehome = rehome
        self._spare = spare
        self._watch = Watch(self._spoke, self._retime)
        self._empty_since: float | None = None
        self._limits = target.dialect.limits(target.private)
        self._topics: dict[str, WantedTopic] = {}
        self._socket: Socket | None = None
        self._machine = Machine(TRANSITIONS, ConnectionState.OPENING)
        self._epoch = 0
        self._reconnects = Reconnects(target.config.backoff)
        self._last_message = 0.0
        self._slept = self._slept_at = 0.0
        self._unreadable = Burst(_TOGETHER)
        self._login_clock = LoginClock(target.clock, target.resync, names_clock=target.dialect.names_clock)
        self._settled = trio.Event()
        self._error: Exception | None = None

    # ---- the side of `Connections`
    # ---------------------------------------------------------------------------------------

    def want(self, topics: Iterable[Topic]) -> list[WantedTopic]:
        """Hold these topics from now on, across reconnects; what is given can be waited for with `acknowledged`."""
        wanted_topics: list[WantedTopic] = []
        fresh: list[str] = []
        for topic in topics:
            wanted = self._topics.get(topic.text)
            if wanted is None:
                wanted = WantedTopic(topic, error=self._error)
                if self._error is not None:
                    wanted.settled.set()
                else:
                    wanted.pulse = pulse_of(topic, self._target.config.silence, self._watch)
                    self._take(wanted)
                    fresh.append(topic.text)
            wanted_topics.append(wanted)
        if self._socket is not None and fresh:
            self._socket.want(fresh)
        return wanted_topics

    def adopt(self, wanted_topics: Mapping[str, WantedTopic]) -> None:
        """Hold topics that another connection has lost, with the gaps that they bring."""
        for wanted in wanted_topics.values():
            self._take(wanted)
        if self._socket is not None:
            self._socket.want(wanted_topics)

    def release(self) -> dict[str, WantedTopic]:
        """Give all topics away, for another to adopt."""
        return {topic: wanted for topic in list(self._topics) if (wanted := self._forget(topic)) is not None}

    def drop(self, topics: Iterable[str]) -> None:
        """Hold them no longer."""
        gone = [topic for topic in topics if self._forget(topic) is not None]
        if self._socket is not None and gone:
            self._socket.drop(gone)

    def holds(self, topic: str) -> bool:
        """Whether a topic is acknowledged, and has not been lost since."""
        wanted = self._topics.get(topic)
        return wanted is not None and wanted.settled.is_set() and wanted.error is None

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once; nothing happens while the connection is down."""
        wanted = self._topics.get(topic)
        if self._socket is not None:
            if wanted is not None and wanted.pulse is not None:
                wanted.pulse.asked()
            self._socket.request(topic)

    def renew(self, topic: str) -> None:
        """Subscribe to a topic afresh; nothing happens while the connection is down, since it will be anyway.

        What is pushed before the exchange has taken it up again is missed, by others who hold the topic too.
        """
        wanted = self._topics.get(topic)
        if self._socket is not None and wanted is not None and self.holds(topic):
            if wanted.gap is None:
                wanted.gap = TopicGap(trio.current_time(), "the topic was subscribed to afresh", None, self._epoch)
            self._socket.renew(topic)

    def stalled(self, seconds: float) -> None:
        """The program kept the loop busy: nothing was read or sent meanwhile."""
        if self.up:
            self._tell(stream_events.Stalled(**self._about(), seconds=seconds))
        if self._socket is not None and seconds >= self._target.config.pong_timeout:
            self._socket.prove()

    def suspended(self, seconds: float) -> None:
        """The machine slept: what is known is as old, and the exchange may have dropped the connection."""
        if not self.up or self._socket is None:
            return  # it is being put back, and what it missed is known
        self._tell(stream_events.Suspended(**self._about(), seconds=seconds))
        reason = f"the machine was suspended for {seconds:.0f} s"
        # By Trio's clock the sleep took no time; a gap says how much passed in the world.
        self._slept, self._slept_at = seconds, trio.current_time()
        if seconds >= IDLE_LIMIT:
            self._socket.fail(ConnectionLost(reason))
            return
        since = self._socket.last_message - seconds
        for topic in [topic for topic in self._topics if self.holds(topic)]:
            self._router.doubt(topic)
            self._router.gap(Gap(since, trio.current_time(), reason, self._epoch, topic), connection=None)
        self._socket.prove()

    def replace(self, reason: str) -> None:
        """Give the present connection up for a new one; nothing happens while it is down."""
        if self._socket is not None:
            self._socket.fail(ConnectionLost(reason))

    @property
    def up(self) -> bool:
        """True while it is connected, logged in if it is private, and means to stay."""
        return self._machine.state is ConnectionState.UP

    @property
    def open(self) -> bool:
        """True while it takes topics."""
        return self._machine.state not in (ConnectionState.LEAVING, ConnectionState.GIVEN_UP)

    async def ready(self) -> None:
        """Wait until the connection can subscribe (is logged in, if private); raises like `acknowledged`."""
        await trio.lowlevel.checkpoint()
        while not self.up and self._error is None:
            await self._settled.wait()
        if self._error is not None:
            raise self._error

    # ---- the task
    # -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:  # noqa: ASYNC910  # a task of ours, not an operation of the user's
        """Keep the connection until it is given up. Being cancelled closes it politely."""
        reason = "the client was left"
        try:
            with self._slot:
                reason = await self._keep()
        except ConfigurationError as error:
            self._give_up(error)
            reason = str(error)
        finally:
            self._tell(stream_events.Closed(**self._about(), reason=reason))
            self._ended(self)

    async def _keep(self) -> str:
        while True:
            await connect_permit(self._target.url, self._limits)
            self._reconnects.attempts += 1
            error = await self._attempt()
            self._lost(error)
            if await self._login_clock.corrected(error):
                continue
            if self._machine.state is ConnectionState.OPENING:
                self._give_up(error)
                return str(error)
            if isinstance(error, LoginFailed) and not error.retry:
                self._give_up(error)
                return str(error)
            if (reason := self._not_needed(error)) is not None:
                return reason
            if self._reconnects.exhausted:
                allowed = self._reconnects.policy.attempts
                self._give_up(ConnectionLost(f"given up after {allowed} failures in a row: {error}"), error)
                return str(error)
            seconds = self._reconnects.delay(random.random())  # noqa: S311  # jitter, not a secret
            self._tell(stream_events.Lost(**self._about(), reason=str(error), retry_in=seconds))
            await trio.sleep(seconds)
            if (reason := self._not_needed(error)) is not None:
                return reason

    def _not_needed(self, error: Exception) -> str | None:
        """Why the connection need not be put back; None if it must."""
        if not self._topics:
            # The exchange lets idle connections go; there is nothing to put back.
            reason = "nobody held a topic on it"
        elif others := self._rehome(self):
            reason = f"{error}; its topics went to connection {' and '.join(map(str, others))}"
        else:
            return None
        self._give_up(ConnectionLost(f"the connection was closed: {reason}"))
        return reason

    async def _attempt(self) -> ConnectionLost | LoginFailed:
        """One connection, from the first byte to its end; gives why it ended."""
        target, config = self._target, self._target.config
        protocol = ConnectionProtocol(
            target.dialect,
            self._limits,
            Waits(
                ping_interval=config.ping_interval,
                pong_timeout=config.pong_timeout,
                login_timeout=config.timeouts.login,
                acknowledge_timeout=config.timeouts.acknowledge,
            ),
            private=target.private,
            ceiling=config.max_frame_bytes,
        )
        self._socket = Socket(
            protocol,
            config,
            credentials=target.credentials,
            clock=target.clock,
            push=self._push,
            push_frame=self._router.push_frame,
            event=self._on_event,
            due=self._due,
            chores=self._chores,
        )
        self._socket.want(self._topics)
        try:
            await self._socket.run(target.url, target.connect)
        except (ConnectionLost, LoginFailed) as error:
            return error  # noqa: ASYNC910  # part of a task of ours
        finally:
            self._last_message = self._socket.last_message
            self._socket = None
            self._machine.step(ConnectionEvent.BROKE)

    def _lost(self, error: Exception) -> None:
        now = trio.current_time()
        self._reconnects.failed(now)
        for wanted in self._topics.values():
            heard = None if wanted.pulse is None else wanted.pulse.stop(now)
            if wanted.settled.is_set() and wanted.error is None:
                wanted.settled = trio.Event()
                # What was on its way when the connection fell silent is lost as well.
                since = self._last_message if heard is None else min(heard, self._last_message)
                if since <= self._slept_at:
                    since -= self._slept
                if wanted.gap is not None:  # it was being subscribed to afresh
                    since = min(since, wanted.gap.since)
                wanted.gap = TopicGap(since, str(error), self.number, self._epoch + 1)
        epoch = self._epoch + 1
        self._router.lost({topic: self._gap(topic, wanted.gap, epoch) for topic, wanted in self._topics.items()})
        if self._settled.is_set():
            self._settled = trio.Event()

    def _give_up(self, error: Exception, cause: Exception | None = None) -> None:
        """Tell all who wait or listen that there will be no more."""
        if isinstance(error, LoginFailed):
            error.error.hint = self._login_clock.hint or error.error.hint
            self._tell(stream_events.Refused(**self._about(), topic=None, error=error.error))
            error = error.error
        if cause is not None:
            error.__cause__ = cause
        was_up = self._machine.state is not ConnectionState.OPENING
        self._machine.step(ConnectionEvent.GAVE_UP)
        self._error = error
        self._settled.set()
        topics = self.release()
        for wanted in topics.values():
            if not wanted.settled.is_set():
                wanted.error = error
                wanted.settled.set()
        if was_up:
            self._router.end(topics, error)

    def _push(self, key: str, raw: bytes, now: float) -> None:
        for topic in self._router.push(key, raw, now):
            self._router.gap(Gap(now - _LATE, now, "a push could not be read", self._epoch, topic), connection=None)

    # ---- what the socket says
    # -----------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        match event:
            case Ready():
                self._on_ready()
            case TopicHeld(topic):
                self._on_held(topic)
            case TopicRefused(topic, error):
                self._tell(stream_events.Refused(**self._about(), topic=topic, error=error))
                wanted = self._forget(topic)
                if wanted is not None:
                    was_held = wanted.settled.is_set() or wanted.gap is not None
                    wanted.error = error
                    wanted.settled.set()
                    if was_held:
                        self._router.end([topic], error)
            case Malformed(reason, excerpt):
                self._tell(stream_events.Malformed(**self._about(), reason=reason, excerpt=excerpt))
                self._note_unreadable()
            case Complaint(error):
                self._tell(stream_events.ServerComplaint(**self._about(), error=error))
            case _:
                pass

    def _note_unreadable(self) -> None:
        """A message that names no topic could not be read: it may have been a push of any of them.

        Of a row of such messages the first is a gap at once, and those of a second after it are one more.
        """
        now = trio.current_time()
        if self._unreadable.add(now):
            self._report_unreadable(now)
            self._retime()

    def _report_unreadable(self, since: float) -> None:
        for topic in [topic for topic in self._topics if self.holds(topic)]:
            gap = Gap(since - _LATE, trio.current_time(), "a message could not be read", self._epoch, topic)
            self._router.gap(gap, connection=None)

    def _on_ready(self) -> None:
        about, first = self._about(), self._machine.state is ConnectionState.OPENING
        self._machine.step(ConnectionEvent.READY)
        if first:
            self._tell(stream_events.Opened(**about, url=self._target.url))
        else:
            self._epoch += 1
            attempts = self._reconnects.attempts
            self._tell(stream_events.Reconnected(**about, epoch=self._epoch, attempts=attempts))
        self._reconnects.up(trio.current_time())
        self._login_clock.accepted()
        if self._target.private:
            self._tell(stream_events.Authenticated(**about))
        self._settled.set()

    def _on_held(self, topic: str) -> None:
        self._tell(stream_events.Subscribed(**self._about(), topic=topic))
        wanted = self._topics.get(topic)
        if wanted is None:
            return
        begun, wanted.gap = wanted.gap, None
        if begun is not None and (gap := self._gap(topic, begun, self._epoch)) is not None:
            self._router.gap(gap, connection=begun.connection)
        if wanted.settled.is_set():
            self._router.renewed(topic)
        else:
            if wanted.pulse is not None:
                wanted.pulse.start(trio.current_time())
            wanted.settled.set()

    def _gap(self, topic: str, begun: TopicGap | None, epoch: int) -> Gap | None:
        """The gap as it is reported, up to now.

        The epoch is not the one noted then: there may have been several connections in between.
        """
        if begun is None:
            return None
        epoch = begun.epoch if begun.connection not in (None, self.number) else epoch
        return Gap(begun.since, trio.current_time(), begun.reason, epoch, topic)

    # ---- what happens without the socket saying anything
    # ----------------------------------------------------------------

    def _due(self) -> float:
        empty = float("inf") if self._empty_since is None else self._empty_since + LINGER
        return min(self._watch.due(), empty, self._unreadable.due())

    def _chores(self, now: float) -> None:
        for topic, seconds, action in self._watch.act(now):
            self._tell(stream_events.Silent(**self._about(), topic=topic, seconds=seconds, action=action))
            self._router.doubt(topic)
            match action:
                case "request":
                    if self._socket is not None:
                        self._socket.request(topic)
                case "renew":
                    # The quiet stretch is a gap already, reported when the topic speaks.
                    if self._socket is not None:
                        self._socket.renew(topic)
                case "replace":
                    self.replace(f"{topic} was silent for {seconds:.0f} s and did not answer")
        if (since := self._unreadable.end(now)) is not None:
            self._report_unreadable(since)
        if self._empty_since is not None and now >= self._empty_since + LINGER:
            self._empty_since = None
            if self._socket is not None and self._spare(self):
                self._machine.step(ConnectionEvent.LEAVES)
                self._socket.fail(ConnectionLost("nobody held a topic on it"), polite=True)

    def _retime(self) -> None:
        if self._socket is not None:
            self._socket.retime()

    def _spoke(self, topic: str, since: float, now: float) -> None:
        """A topic that had been silent speaks again: what it missed meanwhile, nobody knows."""
        self._router.gap(
            Gap(since, now, f"the topic was silent for {now - since:.0f} s", self._epoch, topic), connection=None
        )

    # ---- topics
    # -----------------------------------------------------------------------------------------------------

    def _take(self, wanted: WantedTopic) -> None:
        self._topics[wanted.topic.text] = wanted
        self._empty_since = None
        if wanted.pulse is not None:
            self._watch.add(wanted.pulse)
            self._router.watch(wanted.topic, wanted.pulse)

    def _forget(self, topic: str) -> WantedTopic | None:
        wanted = self._topics.pop(topic, None)
        if wanted is not None and wanted.pulse is not None:
            self._watch.discard(wanted.pulse)
            self._router.unwatch(wanted.topic, wanted.pulse)
        if wanted is not None and not self._topics:
            self._empty_since = trio.current_time()
        return wanted

    def _about(self) -> stream_events.About:
        return {
            "market": self._target.dialect.market,
            "private": self._target.private,
            "connection": self.number,
            "time": trio.current_time(),
        }
