"""The keeper of one connection.

Connects, logs in again, puts back exactly the wanted topics, backs off, and knows when to give up.

It owns no data: pushes go straight from the socket to the hub. It knows the topics that are wanted, who waits for
which to be acknowledged, and
what must be said when the connection breaks.

* A connection that was never up gives its first failure to those who wait for it.
* Once up, it is replaced for ever, unless `Backoff.attempts` says otherwise, the login is refused for good, or nobody
  wants anything of it.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable

import attrs
import trio

from .._core.backoff import delay
from .._core.session import Complaint, Event, Malformed, Ready, Session, TopicHeld, TopicRefused
from .._core.socket_dialect import LIMITS, dialect
from ..config import Config, Credentials, Market
from ..errors import BitMartError, ClockOutOfSync, ConfigurationError, ConnectionLost
from ..models import stream_events
from ..models.stream_events import AnyStreamEvent, Gap
from .hub import Hub
from .ledger import connect_permit, connection_slot
from .socket import Connect, LoginFailed, Socket


@attrs.define(eq=False)
class Wish:
    """One wanted topic of a connection, and what has become of it."""

    settled: trio.Event = attrs.field(factory=trio.Event)
    """Acknowledged, refused, or the connection given up."""
    error: Exception | None = None
    since: float | None = None
    """Since when it has been away, None while it is held or before it ever was."""


@attrs.frozen(kw_only=True)
class Place:
    """What a keeper needs to know of where and who."""

    market: Market
    private: bool
    url: str
    connect: Connect
    config: Config
    credentials: Credentials | None
    clock: Callable[[], int]
    """The exchange's time in milliseconds, for the login."""
    resync: Callable[[], Awaitable[object]] | None
    """Corrects that clock; None where there is no REST to ask."""


async def acknowledged(wishes: Iterable[Wish]) -> None:
    """Wait until the exchange has acknowledged topics.

    Raises:
        SubscriptionRefused: it refused one.
        ConnectionLost, AuthenticationError: the connection could not be made, or was given up.
    """
    await trio.lowlevel.checkpoint()
    for wish in wishes:
        await wish.settled.wait()
        if wish.error is not None:
            raise wish.error


class Keeper:
    """See the head of this file.

    Args:
        number: of the connection, for events.
        place: where to connect, and as whom.
        hub: takes the pushes.
        tell: takes lifecycle events.
        ended: called once, when the keeper is through.
    """

    def __init__(
        self,
        number: int,
        place: Place,
        hub: Hub,
        *,
        tell: Callable[[AnyStreamEvent], None],
        ended: Callable[[Keeper], None],
    ) -> None:
        self.number = number
        self._place = place
        self._hub = hub
        self._tell = tell
        self._ended = ended
        self._limits = LIMITS[place.market, place.private]
        self._topics: dict[str, Wish] = {}
        self._socket: Socket | None = None
        self._ready = False
        self._was_ready = False
        self._epoch = 0
        self._attempts = 0
        self._failures = 0
        self._reason = ""
        self._resynced = False
        self._opened_at = 0.0
        self._settled = trio.Event()
        self._error: Exception | None = None

    # ---- the switchboard's side
    # ---------------------------------------------------------------------------------------

    def want(self, topics: Iterable[str]) -> list[Wish]:
        """Hold these topics from now on, across reconnects; what is given can be waited for with `acknowledged`."""
        wishes: list[Wish] = []
        fresh: list[str] = []
        for topic in topics:
            wish = self._topics.get(topic)
            if wish is None:
                wish = Wish(error=self._error)
                if self._error is not None:
                    wish.settled.set()
                else:
                    self._topics[topic] = wish
                    fresh.append(topic)
            wishes.append(wish)
        if self._socket is not None and fresh:
            self._socket.want(fresh)
        return wishes

    def drop(self, topics: Iterable[str]) -> None:
        """Hold them no longer."""
        gone = [topic for topic in topics if self._topics.pop(topic, None) is not None]
        if self._socket is not None and gone:
            self._socket.drop(gone)

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once; nothing happens while the connection is down."""
        if self._socket is not None:
            self._socket.request(topic)

    def renew(self, topic: str) -> None:
        """Subscribe to a topic afresh; nothing happens while the connection is down, since it will be anyway."""
        if self._socket is not None:
            self._socket.renew(topic)

    def replace(self, reason: str) -> None:
        """Give the present connection up for a new one; nothing happens while it is down."""
        if self._socket is not None:
            self._socket.fail(ConnectionLost(reason))

    async def ready(self) -> None:
        """Wait until the connection can subscribe (is logged in, if private); raises like `acknowledged`."""
        await trio.lowlevel.checkpoint()
        if not self._ready:
            await self._settled.wait()
        if self._error is not None:
            raise self._error

    # ---- the task
    # -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the connection until it is given up. Being cancelled closes it politely."""
        reason = "the client was left"
        try:
            with connection_slot(self._place.url, self._limits):
                reason = await self._keep()
        except ConfigurationError as error:
            self._give_up(error)
            reason = str(error)
        finally:
            self._tell(stream_events.Closed(**self._about(), reason=reason))
            self._ended(self)

    async def _keep(self) -> str:
        while True:
            await connect_permit(self._place.url, self._limits)
            self._attempts += 1
            error = await self._connection()
            self._lost(error)
            if await self._clock_was_off(error):
                continue
            if not self._was_ready:
                self._give_up(error)
                return str(error)
            if isinstance(error, LoginFailed) and not error.retry:
                self._give_up(error)
                return str(error)
            if not self._topics:
                # The exchange lets idle connections go; there is nothing to put back.
                self._give_up(ConnectionLost("the connection was let go: nobody held a topic on it"))
                return "nobody held a topic on it"
            backoff = self._place.config.backoff
            if backoff.attempts is not None and self._failures > backoff.attempts:
                self._give_up(ConnectionLost(f"given up after {backoff.attempts} failures in a row: {error}"), error)
                return str(error)
            seconds = delay(backoff, self._failures - 1, random.random())  # noqa: S311  # jitter, not a secret
            self._tell(stream_events.Lost(**self._about(), reason=str(error), retry_in=seconds))
            await trio.sleep(seconds)

    async def _clock_was_off(self, error: Exception) -> bool:
        """After a login that was refused for its timestamp.

        Whether the clock has been corrected, so that another try makes sense at once.
        """
        if not isinstance(error, LoginFailed) or not isinstance(error.error, ClockOutOfSync):
            self._resynced = False
            return False
        if self._resynced or self._place.resync is None:
            return False
        self._resynced = True
        try:
            await self._place.resync()
        except BitMartError:  # the refusal says more than this
            return False
        return True

    async def _connection(self) -> ConnectionLost | LoginFailed:
        """One connection, from the first byte to its end; gives why it ended."""
        place, config = self._place, self._place.config
        session = Session(
            dialect(place.market),
            self._limits,
            private=place.private,
            ping_interval=config.ping_interval,
            pong_timeout=config.pong_timeout,
            login_timeout=config.timeouts.login,
            acknowledge_timeout=config.timeouts.acknowledge,
            ceiling=config.max_frame_bytes,
        )
        self._socket = Socket(
            session, config, credentials=place.credentials, clock=place.clock, push=self._hub.push, event=self._on_event
        )
        self._socket.want(self._topics)
        try:
            await self._socket.run(place.url, place.connect)
        except (ConnectionLost, LoginFailed) as error:
            return error
        finally:
            self._socket = None
            self._ready = False

    def _lost(self, error: Exception) -> None:
        now = trio.current_time()
        self._reason = str(error)
        if self._opened_at and now - self._opened_at >= self._place.config.backoff.stable_after:
            self._failures = 0
        self._opened_at = 0.0
        self._failures += 1
        for topic in self._topics.values():
            if topic.settled.is_set() and topic.error is None:
                topic.settled = trio.Event()
                topic.since = now
        self._hub.lost(self._topics)

    def _give_up(self, error: Exception, cause: Exception | None = None) -> None:
        """Tell all who wait or listen that there will be no more."""
        if isinstance(error, LoginFailed):
            self._tell(stream_events.Refused(**self._about(), topic=None, error=error.error))
            error = error.error
        if cause is not None:
            error.__cause__ = cause
        self._error = error
        self._settled.set()
        topics, self._topics = self._topics, {}
        for topic in topics.values():
            if not topic.settled.is_set():
                topic.error = error
                topic.settled.set()
        if self._was_ready:
            self._hub.end(topics, error)

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
                state = self._topics.pop(topic, None)
                if state is not None:
                    was_held = state.since is not None
                    state.error = error
                    state.settled.set()
                    if was_held:
                        self._hub.end([topic], error)
            case Malformed(reason, excerpt):
                self._tell(stream_events.Malformed(**self._about(), reason=reason, excerpt=excerpt))
            case Complaint(error):
                self._tell(stream_events.ServerComplaint(**self._about(), error=error))
            case _:
                pass

    def _on_ready(self) -> None:
        self._ready = True
        self._opened_at = trio.current_time()
        about = self._about()
        if not self._was_ready:
            self._was_ready = True
            self._tell(stream_events.Opened(**about, url=self._place.url))
        else:
            self._epoch += 1
            self._tell(stream_events.Reconnected(**about, epoch=self._epoch, attempts=self._attempts))
        self._attempts = 0
        if self._place.private:
            self._tell(stream_events.Authenticated(**about))
        self._settled.set()

    def _on_held(self, topic: str) -> None:
        self._tell(stream_events.Subscribed(**self._about(), topic=topic))
        state = self._topics.get(topic)
        if state is None:
            return
        if state.since is not None:
            self._hub.gap(
                Gap(state.since, trio.current_time(), self._reason, self._epoch, topic), connection=self.number
            )
            state.since = None
        state.settled.set()

    def _about(self) -> stream_events.About:
        return {
            "market": self._place.market,
            "private": self._place.private,
            "connection": self.number,
            "time": trio.current_time(),
        }
