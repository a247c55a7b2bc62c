"""One connection and its supervision, from the first dial to giving up.

A `Connection` connects, logs in again, restores exactly the wanted topics, backs off, and gives up when it must. It
owns no data: pushes go straight from the socket to the router. Its topics and what they missed are in
``connection_topics.py``.

The states of a connection and the events between them (`TRANSITIONS`; every other pair is illegal):

| state | means | takes topics |
| --- | --- | --- |
| OPENING | it was never up: its first failure goes to those who wait for it | yes |
| UP | connected, and logged in if it is private | yes |
| DOWN | it was up, and is being reconnected | yes |
| LEAVING | it is empty, and not the only one of its kind: it is about to close | no |
| GIVEN_UP | over; every waiter raises the error that ended it | no |

* Once up, a connection reconnects forever, unless `Backoff.attempts` sets a limit, the login is refused for good, no
  topic is wanted of it, or its topics fit onto connections that are up: then they move there.
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
from .._core.connection_events import Complaint, Event, Malformed, Ready, TopicHeld, TopicRefused
from .._core.connection_protocol import ConnectionProtocol, Waits
from .._core.dialect import SocketDialect, SocketLimits, Topic
from .._core.machine import Machine
from ..config import Config
from ..credentials import Credentials
from ..errors import ConfigurationError, ConnectionLost
from ..models import stream_events
from ..models.stream_events import AnyStreamEvent
from .connection_limits import ConnectionSlot, connect_permit
from .connection_topics import ConnectionTopics, WantedTopic
from .login_clock import LoginClock
from .router import Router
from .socket import Connect, LoginFailed, Socket

LINGER: Final = 30.0
"""Seconds that an empty connection is kept for topics to come."""


class ConnectionState(Enum):
    """See the table at the head of this file."""

    OPENING = auto()
    UP = auto()
    DOWN = auto()
    LEAVING = auto()
    GIVEN_UP = auto()


class ConnectionEvent(Enum):
    """The events of a connection's state machine."""

    READY = auto()
    """The connection is up, and logged in if it is private."""
    BROKE = auto()
    """An attempt failed, or the connection broke."""
    LEAVES = auto()
    """The connection is not needed, and closes."""
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
        # A last message of the socket may arrive before it closes.
        (ConnectionState.LEAVING, ConnectionEvent.READY): ConnectionState.LEAVING,
        (ConnectionState.LEAVING, ConnectionEvent.BROKE): ConnectionState.LEAVING,
        (ConnectionState.LEAVING, ConnectionEvent.GAVE_UP): ConnectionState.GIVEN_UP,
    }
)


@attrs.frozen(kw_only=True)
class Target:
    """The address and the credentials of a connection."""

    dialect: SocketDialect
    private: bool
    url: str
    connect: Connect
    config: Config
    credentials: Credentials | None
    clock: Callable[[], int]
    """The exchange's time in milliseconds, for the login."""
    resync: Callable[[], Awaitable[object]] | None
    """Corrects that clock over REST; None where there is no REST."""

    @property
    def limits(self) -> SocketLimits:
        """The limits of the venue for such a connection."""
        return self.dialect.limits(self.private)


class Connection:
    """See the head of this file.

    Args:
        number: the number of the connection, for events.
        target: the address and the credentials.
        router: takes the pushes.
        slot: the slot in which the connection is already counted.
        tell: takes lifecycle events.
        ended: called once, when the connection has ended.
        rehome: moves the connection's topics to others that are up, if these have room for all of them, and returns the
            numbers of those connections.
        spare: returns True if the connection is not needed when it is empty.

    Attributes:
        load: the number of topics meant for the connection; `Connections` counts them.
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
        self._topics = ConnectionTopics(number, router, target.config.silence, self._retime)
        self._socket: Socket | None = None
        self._machine = Machine(TRANSITIONS, ConnectionState.OPENING)
        self._reconnects = Reconnects(target.config.backoff)
        self._last_message = 0.0
        self._login_clock = LoginClock(target.clock, target.resync, names_clock=target.dialect.names_clock)
        self._settled = trio.Event()
        self._error: Exception | None = None

    # ---- the side of `Connections` -----------------------------------------------------------------------------------

    def want(self, topics: Iterable[Topic]) -> list[WantedTopic]:
        """Hold these topics from now on, across reconnects; what is given can be waited for with `acknowledged`."""
        wanted_topics: list[WantedTopic] = []
        fresh: list[str] = []
        for topic in topics:
            wanted = self._topics.get(topic.text)
            if wanted is None and self._error is not None:
                wanted = WantedTopic(topic)
                wanted.settle(self._error)
            elif wanted is None:
                wanted = self._topics.new(topic)
                fresh.append(topic.text)
            wanted_topics.append(wanted)
        if self._socket is not None and fresh:
            self._socket.want(fresh)
        return wanted_topics

    def adopt(self, wanted_topics: Mapping[str, WantedTopic]) -> None:
        """Hold topics that another connection has lost, with the gaps that they bring."""
        for wanted in wanted_topics.values():
            self._topics.take(wanted)
        if self._socket is not None:
            self._socket.want(wanted_topics)

    def release(self) -> dict[str, WantedTopic]:
        """Give all topics away, for another to adopt."""
        return self._topics.release()

    def drop(self, topics: Iterable[str]) -> None:
        """Hold them no longer."""
        gone = [topic for topic in topics if self._topics.forget(topic) is not None]
        if self._socket is not None and gone:
            self._socket.drop(gone)

    def holds(self, topic: str) -> bool:
        """Return whether a topic is acknowledged, and has not been lost since."""
        return self._topics.holds(topic)

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once; nothing happens while the connection is down."""
        wanted = self._topics.get(topic)
        if self._socket is not None:
            if wanted is not None and wanted.pulse is not None:
                wanted.pulse.asked()
            self._socket.request(topic)

    def renew(self, topic: str) -> None:
        """Subscribe to a topic afresh; nothing happens while the connection is down, since it will be anyway.

        Pushes before the exchange acknowledges the topic again are missed, also by other holders of the topic.
        """
        if self._socket is not None and self._topics.renewing(topic):
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
            return  # it is reconnecting, and its gap is already known
        self._tell(stream_events.Suspended(**self._about(), seconds=seconds))
        reason = f"the machine was suspended for {seconds:.0f} s"
        self._topics.slept(seconds)
        if seconds >= self._target.limits.idle:
            self._socket.fail(ConnectionLost(reason))
            return
        self._topics.doubt(self._socket.last_message - seconds, reason)
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

    # ---- the task ----------------------------------------------------------------------------------------------------

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
            await connect_permit(self._target.url, self._target.limits)
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
            # The exchange closes idle connections; there is no topic to restore.
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
            target.limits,
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
            push=self._topics.push,
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
        self._reconnects.failed(trio.current_time())
        self._topics.lost(str(error), self._last_message)
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
        self._topics.give_up(error, was_up=was_up)

    # ---- what the socket says ----------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        match event:
            case Ready():
                self._on_ready()
            case TopicHeld(topic):
                self._tell(stream_events.Subscribed(**self._about(), topic=topic))
                self._topics.acknowledge(topic)
            case TopicRefused(topic, error):
                self._tell(stream_events.Refused(**self._about(), topic=topic, error=error))
                self._topics.refuse(topic, error)
            case Malformed(reason, excerpt):
                self._tell(stream_events.Malformed(**self._about(), reason=reason, excerpt=excerpt))
                self._topics.unreadable()
            case Complaint(error):
                self._tell(stream_events.ServerComplaint(**self._about(), error=error))
            case _:
                pass

    def _on_ready(self) -> None:
        about, first = self._about(), self._machine.state is ConnectionState.OPENING
        self._machine.step(ConnectionEvent.READY)
        if first:
            self._tell(stream_events.Opened(**about, url=self._target.url))
        else:
            self._topics.epoch += 1
            epoch, attempts = self._topics.epoch, self._reconnects.attempts
            self._tell(stream_events.Reconnected(**about, epoch=epoch, attempts=attempts))
        self._reconnects.up(trio.current_time())
        self._login_clock.accepted()
        if self._target.private:
            self._tell(stream_events.Authenticated(**about))
        self._settled.set()

    # ---- what happens without the socket saying anything -------------------------------------------------------------

    def _due(self) -> float:
        empty_since = self._topics.empty_since
        return min(self._topics.due(), float("inf") if empty_since is None else empty_since + LINGER)

    def _chores(self, now: float) -> None:
        for topic, seconds, action in self._topics.act(now):
            self._tell(stream_events.Silent(**self._about(), topic=topic, seconds=seconds, action=action))
            match action:
                case "request":
                    if self._socket is not None:
                        self._socket.request(topic)
                case "renew":
                    # The quiet period is already a gap, reported when the topic sends again.
                    if self._socket is not None:
                        self._socket.renew(topic)
                case "replace":
                    self.replace(f"{topic} was silent for {seconds:.0f} s and did not answer")
        empty_since = self._topics.empty_since
        if empty_since is not None and now >= empty_since + LINGER:
            self._topics.empty_since = None
            if self._socket is not None and self._spare(self):
                self._machine.step(ConnectionEvent.LEAVES)
                self._socket.fail(ConnectionLost("nobody held a topic on it"), polite=True)

    def _retime(self) -> None:
        if self._socket is not None:
            self._socket.retime()

    def _about(self) -> stream_events.About:
        return {
            "market": self._target.dialect.market,
            "private": self._target.private,
            "connection": self.number,
            "time": trio.current_time(),
        }
