"""The keeper of one connection.

Connects, logs in again, puts back exactly the wanted topics, backs off, and knows when to give up.

It owns no data: pushes go straight from the socket to the hub. It knows the topics that are wanted, who waits for
which to be acknowledged, and
what must be said when the connection breaks.

* A connection that was never up gives its first failure to those who wait for it.
* Once up, it is replaced for ever, unless `Backoff.attempts` says otherwise, the login is refused for good, nobody
  wants anything of it, or its topics fit onto connections that are up: then they go there.
* A topic that falls silent is probed, then the connection is replaced (`_core/silence.py`).
* An empty connection that is not the only one of its kind is closed after `LINGER` seconds.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs
import trio

from .._core.backoff import delay
from .._core.session import Complaint, Event, Malformed, Ready, Session, TopicHeld, TopicRefused
from .._core.silence import Pulse, Watch, pulse_of
from .._core.socket_dialect import LIMITS, dialect
from ..config import Config, Market
from ..credentials import Credentials
from ..errors import BitMartError, ClockOutOfSync, ConfigurationError, ConnectionLost
from ..models import stream_events
from ..models.stream_events import AnyStreamEvent, Gap
from .hub import Hub
from .ledger import ConnectionSlot, connect_permit
from .socket import Connect, LoginFailed, Socket

LINGER: Final = 30.0
"""Seconds that an empty connection is kept for topics to come."""
_CLOCK_OFF: Final = 5000
"""Milliseconds by which a clock must be wrong to have been the reason of a refusal; the exchange allows 60 s."""
IDLE_LIMIT: Final = 20.0
"""Seconds after which the exchange drops a connection that has sent nothing."""
_TOGETHER: Final = 1.0
"""Seconds in which messages that cannot be read are one gap."""
_LATE: Final = 1.0
"""Seconds that what a push says may lie before its arrival."""


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
class Wish:
    """One wanted topic of a connection, and what has become of it."""

    settled: trio.Event = attrs.field(factory=trio.Event)
    """Acknowledged, refused, or the connection given up."""
    error: Exception | None = None
    gap: TopicGap | None = None
    """None while it is held, and before it ever was."""
    pulse: Pulse | None = None
    """None where quiet is normal."""


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
        slot: the connection, already counted.
        tell: takes lifecycle events.
        ended: called once, when the keeper is through.
        rehome: gives its topics to other connections that are up, if they have room for all of them; says which.
        spare: whether it is not needed when it is empty.

    Attributes:
        load: how many topics are meant for it. The switchboard's own count.
        leaving: whether it is about to close and takes no more topics.
    """

    def __init__(
        self,
        number: int,
        place: Place,
        hub: Hub,
        slot: ConnectionSlot,
        *,
        tell: Callable[[AnyStreamEvent], None],
        ended: Callable[[Keeper], None],
        rehome: Callable[[Keeper], Sequence[int]],
        spare: Callable[[Keeper], bool],
    ) -> None:
        self.number = number
        self.load = 0
        self.leaving = False
        self._place = place
        self._hub = hub
        self._tell = tell
        self._slot = slot
        self._ended = ended
        self._rehome = rehome
        self._spare = spare
        self._watch = Watch(self._spoke, self._retime)
        self._empty_since: float | None = None
        self._limits = LIMITS[place.market, place.private]
        self._topics: dict[str, Wish] = {}
        self._socket: Socket | None = None
        self._ready = False
        self._was_ready = False
        self._epoch = 0
        self._attempts = 0
        self._failures = 0
        self._last_message = 0.0
        self._slept = self._slept_at = 0.0
        self._unreadable_since: float | None = None
        self._unreadable_more = False
        self._resynced = False
        self._clock_hint: str | None = None
        """What is to be known of the clock when a login stays refused."""
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
                    wish.pulse = pulse_of(topic, self._place.config.silence, self._watch)
                    self._take(topic, wish)
                    fresh.append(topic)
            wishes.append(wish)
        if self._socket is not None and fresh:
            self._socket.want(fresh)
        return wishes

    def adopt(self, wishes: Mapping[str, Wish]) -> None:
        """Hold topics that another connection has lost, with the gaps that they bring."""
        for topic, wish in wishes.items():
            self._take(topic, wish)
        if self._socket is not None:
            self._socket.want(wishes)

    def release(self) -> dict[str, Wish]:
        """Give all topics away, for another to adopt."""
        return {topic: wish for topic in list(self._topics) if (wish := self._forget(topic)) is not None}

    def drop(self, topics: Iterable[str]) -> None:
        """Hold them no longer."""
        gone = [topic for topic in topics if self._forget(topic) is not None]
        if self._socket is not None and gone:
            self._socket.drop(gone)

    def holds(self, topic: str) -> bool:
        """Whether a topic is acknowledged, and has not been lost since."""
        wish = self._topics.get(topic)
        return wish is not None and wish.settled.is_set() and wish.error is None

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once; nothing happens while the connection is down."""
        wish = self._topics.get(topic)
        if self._socket is not None:
            if wish is not None and wish.pulse is not None:
                wish.pulse.asked()
            self._socket.request(topic)

    def renew(self, topic: str) -> None:
        """Subscribe to a topic afresh; nothing happens while the connection is down, since it will be anyway.

        What is pushed before the exchange has taken it up again is missed, by others who hold the topic too.
        """
        wish = self._topics.get(topic)
        if self._socket is not None and wish is not None and self.holds(topic):
            if wish.gap is None:
                wish.gap = TopicGap(trio.current_time(), "the topic was subscribed to afresh", None, self._epoch)
            self._socket.renew(topic)

    def stalled(self, seconds: float) -> None:
        """The program kept the loop busy: nothing was read or sent meanwhile."""
        if self._ready:
            self._tell(stream_events.Stalled(**self._about(), seconds=seconds))
        if self._socket is not None and seconds >= self._place.config.pong_timeout:
            self._socket.prove()

    def suspended(self, seconds: float) -> None:
        """The machine slept: what is known is as old, and the exchange may have dropped the connection."""
        if not self._ready or self._socket is None:
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
            self._hub.doubt(topic)
            self._hub.gap(Gap(since, trio.current_time(), reason, self._epoch, topic), connection=None)
        self._socket.prove()

    def replace(self, reason: str) -> None:
        """Give the present connection up for a new one; nothing happens while it is down."""
        if self._socket is not None:
            self._socket.fail(ConnectionLost(reason))

    @property
    def up(self) -> bool:
        """Whether it is connected, logged in if it is private, and means to stay."""
        return self._ready and not self.leaving

    @property
    def open(self) -> bool:
        """Whether it takes topics."""
        return self._error is None and not self.leaving

    async def ready(self) -> None:
        """Wait until the connection can subscribe (is logged in, if private); raises like `acknowledged`."""
        await trio.lowlevel.checkpoint()
        while not self._ready and self._error is None:
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
            if (reason := self._not_needed(error)) is not None:
                return reason
            backoff = self._place.config.backoff
            if backoff.attempts is not None and self._failures > backoff.attempts:
                self._give_up(ConnectionLost(f"given up after {backoff.attempts} failures in a row: {error}"), error)
                return str(error)
            seconds = delay(backoff, self._failures - 1, random.random())  # noqa: S311  # jitter, not a secret
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
        self._give_up(ConnectionLost(f"the connection was let go: {reason}"))
        return reason

    async def _clock_was_off(self, error: Exception) -> bool:
        """After a login that was refused for its timestamp.

        Whether the clock has been corrected, so that another try makes sense at once. Futures does not say why it
        refuses: there the clock is looked at whatever the reason, and it was that if it turns out to be wrong.
        """
        told = isinstance(error, LoginFailed) and isinstance(error.error, ClockOutOfSync)
        if not told and not (isinstance(error, LoginFailed) and self._place.market == "futures"):
            self._resynced = False
            return False  # noqa: ASYNC910  # part of a task of ours
        if self._resynced or self._place.resync is None:
            return False  # noqa: ASYNC910  # part of a task of ours
        self._resynced = True
        clock, begun = self._place.clock(), trio.current_time()
        try:
            await self._place.resync()
        except BitMartError as failure:  # the refusal says more than this
            self._clock_hint = (
                "This machine's clock may be the reason: it could not be compared with the exchange's, "
                f"since asking for its time failed ({failure})"
            )
            return False  # noqa: ASYNC910  # part of a task of ours
        off = self._place.clock() - clock - (trio.current_time() - begun) * 1000
        if abs(off) <= _CLOCK_OFF and not told:
            return False
        self._clock_hint = (
            f"This machine's clock was {abs(off) / 1000:.1f} s {'behind' if off > 0 else 'ahead'}; the login was "
            "refused with the exchange's own time as well"
        )
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
            session,
            config,
            credentials=place.credentials,
            clock=place.clock,
            push=self._push,
            push_frame=self._hub.push_frame,
            event=self._on_event,
            due=self._due,
            chores=self._chores,
        )
        self._socket.want(self._topics)
        try:
            await self._socket.run(place.url, place.connect)
        except (ConnectionLost, LoginFailed) as error:
            return error  # noqa: ASYNC910  # part of a task of ours
        finally:
            self._last_message = self._socket.last_message
            self._socket = None
            self._ready = False

    def _lost(self, error: Exception) -> None:
        now = trio.current_time()
        if self._opened_at and now - self._opened_at >= self._place.config.backoff.stable_after:
            self._failures = 0
        self._opened_at = 0.0
        self._failures += 1
        for wish in self._topics.values():
            heard = None if wish.pulse is None else wish.pulse.stop(now)
            if wish.settled.is_set() and wish.error is None:
                wish.settled = trio.Event()
                # What was on its way when the connection fell silent is lost as well.
                since = self._last_message if heard is None else min(heard, self._last_message)
                if since <= self._slept_at:
                    since -= self._slept
                if wish.gap is not None:  # it was being subscribed to afresh
                    since = min(since, wish.gap.since)
                wish.gap = TopicGap(since, str(error), self.number, self._epoch + 1)
        self._hub.lost({topic: self._gap(topic, wish.gap, self._epoch + 1) for topic, wish in self._topics.items()})
        if self._settled.is_set():
            self._settled = trio.Event()

    def _give_up(self, error: Exception, cause: Exception | None = None) -> None:
        """Tell all who wait or listen that there will be no more."""
        if isinstance(error, LoginFailed):
            error.error.hint = self._clock_hint or error.error.hint
            self._tell(stream_events.Refused(**self._about(), topic=None, error=error.error))
            error = error.error
        if cause is not None:
            error.__cause__ = cause
        self._error = error
        self._settled.set()
        topics = self.release()
        for wish in topics.values():
            if not wish.settled.is_set():
                wish.error = error
                wish.settled.set()
        if self._was_ready:
            self._hub.end(topics, error)

    def _push(self, key: str, raw: bytes, now: float) -> None:
        for topic in self._hub.push(key, raw, now):
            self._hub.gap(Gap(now - _LATE, now, "a push could not be read", self._epoch, topic), connection=None)

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
                wish = self._forget(topic)
                if wish is not None:
                    was_held = wish.settled.is_set() or wish.gap is not None
                    wish.error = error
                    wish.settled.set()
                    if was_held:
                        self._hub.end([topic], error)
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
        if self._unreadable_since is None:
            self._unreadable_since, self._unreadable_more = now, False
            self._report_unreadable(now)
            self._retime()
        else:
            self._unreadable_more = True

    def _report_unreadable(self, since: float) -> None:
        for topic in [topic for topic in self._topics if self.holds(topic)]:
            gap = Gap(since - _LATE, trio.current_time(), "a message could not be read", self._epoch, topic)
            self._hub.gap(gap, connection=None)

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
        self._clock_hint = None
        if self._place.private:
            self._tell(stream_events.Authenticated(**about))
        self._settled.set()

    def _on_held(self, topic: str) -> None:
        self._tell(stream_events.Subscribed(**self._about(), topic=topic))
        wish = self._topics.get(topic)
        if wish is None:
            return
        begun, wish.gap = wish.gap, None
        if begun is not None and (gap := self._gap(topic, begun, self._epoch)) is not None:
            self._hub.gap(gap, connection=begun.connection)
        if wish.settled.is_set():
            self._hub.renewed(topic)
        else:
            if wish.pulse is not None:
                wish.pulse.start(trio.current_time())
            wish.settled.set()

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
        unreadable = float("inf") if self._unreadable_since is None else self._unreadable_since + _TOGETHER
        return min(self._watch.due(), empty, unreadable)

    def _chores(self, now: float) -> None:
        for topic, seconds, action in self._watch.act(now):
            self._tell(stream_events.Silent(**self._about(), topic=topic, seconds=seconds, action=action))
            self._hub.doubt(topic)
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
        since = self._unreadable_since
        if since is not None and now >= since + _TOGETHER:
            self._unreadable_since = None
            if self._unreadable_more:
                self._report_unreadable(since)
        if self._empty_since is not None and now >= self._empty_since + LINGER:
            self._empty_since = None
            if self._socket is not None and self._spare(self):
                self.leaving = True
                self._socket.fail(ConnectionLost("nobody held a topic on it"), polite=True)

    def _retime(self) -> None:
        if self._socket is not None:
            self._socket.retime()

    def _spoke(self, topic: str, since: float, now: float) -> None:
        """A topic that had been silent speaks again: what it missed meanwhile, nobody knows."""
        self._hub.gap(
            Gap(since, now, f"the topic was silent for {now - since:.0f} s", self._epoch, topic), connection=None
        )

    # ---- topics
    # -----------------------------------------------------------------------------------------------------

    def _take(self, topic: str, wish: Wish) -> None:
        self._topics[topic] = wish
        self._empty_since = None
        if wish.pulse is not None:
            self._watch.add(wish.pulse)
            self._hub.watch(wish.pulse)

    def _forget(self, topic: str) -> Wish | None:
        wish = self._topics.pop(topic, None)
        if wish is not None and wish.pulse is not None:
            self._watch.discard(wish.pulse)
            self._hub.unwatch(wish.pulse)
        if wish is not None and not self._topics:
            self._empty_since = trio.current_time()
        return wish

    def _about(self) -> stream_events.About:
        return {
            "market": self._place.market,
            "private": self._place.private,
            "connection": self.number,
            "time": trio.current_time(),
        }
