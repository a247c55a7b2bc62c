"""The topics of one connection, across reconnects: who waits for which, what each has missed, and which are silent.

No socket. A topic is wanted until it is dropped, refused, or adopted by another connection. While a wanted topic is not
held it has a gap: from the last message before the loss until the topic is acknowledged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import attrs
import trio

from .._core.burst import Burst
from .._core.dialect import Topic
from .._core.silence import Pulse, Quiet, Watch, pulse_of
from ..models.stream_events import Gap
from .router import Router

_TOGETHER: Final = 1.0
"""Seconds within which unreadable messages count as one gap."""
_LATE: Final = 1.0
"""The most seconds by which the event of a push may precede its arrival."""


@attrs.frozen
class TopicGap:
    """The gap of a topic since it was last held."""

    since: float
    reason: str
    connection: int | None
    """The number of the connection that broke; None if the topic was only subscribed to afresh."""
    epoch: int
    """The epoch of the connection after the break."""


@attrs.define(eq=False)
class WantedTopic:
    """One wanted topic of a connection, and what has become of it."""

    topic: Topic
    settled: trio.Event = attrs.field(factory=trio.Event)
    """Set once the topic is acknowledged or refused, or the connection is given up."""
    error: Exception | None = None
    gap: TopicGap | None = None
    """The current gap; None while the topic is held, and before it was ever held."""
    pulse: Pulse | None = None
    """The timing of its silence; None where silence is normal."""

    @property
    def held(self) -> bool:
        """True if it is acknowledged, and has not been lost since."""
        return self.settled.is_set() and self.error is None

    def settle(self, error: Exception | None = None) -> None:
        """Wake who waits for it."""
        self.error = error
        self.settled.set()


async def acknowledged(wanted_topics: Iterable[WantedTopic]) -> None:
    """Wait until the exchange has acknowledged topics.

    Raises:
        SubscriptionRefused: the exchange refused a topic.
        ConnectionLost, AuthenticationError: the connection could not be made, or was given up.
    """
    await trio.lowlevel.checkpoint()
    for wanted in wanted_topics:
        await wanted.settled.wait()
        if wanted.error is not None:
            raise wanted.error


class ConnectionTopics:
    """See the head of this file.

    Args:
        connection: the number of the connection, for gaps.
        router: takes the pushes, and handles gaps.
        silences: `Config.silence`.
        hastened: called when `due` has become earlier.

    Attributes:
        epoch: the number of reconnects.
        empty_since: since when there is no topic; None while there is one, and before the first.
    """

    def __init__(
        self,
        connection: int,
        router: Router,
        silences: Mapping[str, float | None],
        hastened: Callable[[], None],
    ) -> None:
        self.epoch = 0
        self.empty_since: float | None = None
        self._connection = connection
        self._router = router
        self._silences = silences
        self._hastened = hastened
        self._watch = Watch(self._spoke, hastened)
        self._wanted: dict[str, WantedTopic] = {}
        self._unreadable = Burst(_TOGETHER)
        self._slept = self._slept_at = 0.0

    def __iter__(self) -> Iterator[str]:
        return iter(self._wanted)

    def __len__(self) -> int:
        return len(self._wanted)

    def get(self, topic: str) -> WantedTopic | None:
        """Return a wanted topic, None for one that is not wanted here."""
        return self._wanted.get(topic)

    def holds(self, topic: str) -> bool:
        """Return whether a topic is acknowledged, and has not been lost since."""
        wanted = self._wanted.get(topic)
        return wanted is not None and wanted.held

    def _held(self) -> list[str]:
        return [topic for topic, wanted in self._wanted.items() if wanted.held]

    # ---- wanting and dropping

    def new(self, topic: Topic) -> WantedTopic:
        """Want a topic that was not wanted before."""
        wanted = WantedTopic(topic)
        wanted.pulse = pulse_of(topic, self._silences, self._watch)
        self.take(wanted)
        return wanted

    def take(self, wanted: WantedTopic) -> None:
        """Want a topic with what is known of it."""
        self._wanted[wanted.topic.text] = wanted
        self.empty_since = None
        if wanted.pulse is not None:
            self._watch.add(wanted.pulse)
            self._router.watch(wanted.topic, wanted.pulse)

    def forget(self, topic: str) -> WantedTopic | None:
        """Want a topic no longer; return what was known of it."""
        wanted = self._wanted.pop(topic, None)
        if wanted is not None and wanted.pulse is not None:
            self._watch.discard(wanted.pulse)
            self._router.unwatch(wanted.topic, wanted.pulse)
        if wanted is not None and not self._wanted:
            self.empty_since = trio.current_time()
        return wanted

    def release(self) -> dict[str, WantedTopic]:
        """Give all topics away, for another connection to adopt."""
        return {topic: wanted for topic in list(self._wanted) if (wanted := self.forget(topic)) is not None}

    def give_up(self, error: Exception, *, was_up: bool) -> None:
        """End them all, for those who wait and, if the connection was ever up, for those who listen."""
        topics = self.release()
        for wanted in topics.values():
            if not wanted.settled.is_set():
                wanted.settle(error)
        if was_up:
            self._router.end(topics, error)

    # ---- what the exchange says

    def push(self, key: str, raw: bytes, now: float) -> None:
        """Route a push that must be read in steps."""
        for topic in self._router.push(key, raw, now):
            self._report(now - _LATE, "a push could not be read", topic)

    def acknowledge(self, topic: str) -> None:
        """Note that a topic is held: its gap, if it has one, is over."""
        wanted = self._wanted.get(topic)
        if wanted is None:
            return
        begun, wanted.gap = wanted.gap, None
        if begun is not None:
            self._router.gap(self._gap(topic, begun, self.epoch), connection=begun.connection)
        if wanted.settled.is_set():
            self._router.renewed(topic)
        else:
            if wanted.pulse is not None:
                wanted.pulse.start(trio.current_time())
            wanted.settle()

    def refuse(self, topic: str, error: Exception) -> None:
        """Note that the exchange refused a topic; it is wanted no longer."""
        wanted = self.forget(topic)
        if wanted is not None:
            was_held = wanted.settled.is_set() or wanted.gap is not None
            wanted.settle(error)
            if was_held:
                self._router.end([topic], error)

    def unreadable(self) -> None:
        """Note a message that cannot be read and names no topic: it may have been a push of any of them.

        The first of a series of such messages is a gap at once; all further ones within a second are one more gap.
        """
        now = trio.current_time()
        if self._unreadable.add(now):
            self._report_unreadable(now)
            self._hastened()

    def _report_unreadable(self, since: float) -> None:
        for topic in self._held():
            self._report(since - _LATE, "a message could not be read", topic)

    # ---- gaps

    def renewing(self, topic: str) -> bool:
        """Note that a topic is about to be subscribed to afresh; False if it is not held, so that it need not be."""
        wanted = self._wanted.get(topic)
        if wanted is None or not wanted.held:
            return False
        if wanted.gap is None:
            wanted.gap = TopicGap(trio.current_time(), "the topic was subscribed to afresh", None, self.epoch)
        return True

    def slept(self, seconds: float) -> None:
        """Note that the machine was suspended: by Trio's clock that took no time, but a gap counts it."""
        self._slept, self._slept_at = seconds, trio.current_time()

    def doubt(self, since: float, reason: str) -> None:
        """Report a gap of every topic that is held, on a connection that has not broken."""
        for topic in self._held():
            self._router.doubt(topic)
            self._report(since, reason, topic)

    def lost(self, reason: str, last_message: float) -> None:
        """Note that the connection, or the attempt to put it back, has failed: what was held is not any more."""
        now, epoch = trio.current_time(), self.epoch + 1
        for wanted in self._wanted.values():
            heard = None if wanted.pulse is None else wanted.pulse.stop(now)
            if wanted.held:
                wanted.settled = trio.Event()
                # Pushes in flight when the connection fell silent are lost as well.
                since = last_message if heard is None else min(heard, last_message)
                if since <= self._slept_at:
                    since -= self._slept
                if wanted.gap is not None:  # the topic was being subscribed to afresh
                    since = min(since, wanted.gap.since)
                wanted.gap = TopicGap(since, reason, self._connection, epoch)
        gaps = {topic: wanted.gap for topic, wanted in self._wanted.items()}
        self._router.lost({topic: None if gap is None else self._gap(topic, gap, epoch) for topic, gap in gaps.items()})

    def _gap(self, topic: str, begun: TopicGap, epoch: int) -> Gap:
        """Return the gap as it is reported, up to now.

        The epoch differs from the one noted at the loss: there may have been several connections in between.
        """
        epoch = begun.epoch if begun.connection not in (None, self._connection) else epoch
        return Gap(begun.since, trio.current_time(), begun.reason, epoch, topic)

    def _report(self, since: float, reason: str, topic: str) -> None:
        """Report a gap of a connection that has not broken."""
        self._router.gap(Gap(since, trio.current_time(), reason, self.epoch, topic), connection=None)

    # ---- silence

    def due(self) -> float:
        """Return when `act` must be called at the latest."""
        return min(self._watch.due(), self._unreadable.due())

    def act(self, now: float) -> list[Quiet]:
        """Report what has become due; return the topics that are silent, and what is to be done about them."""
        silent = self._watch.act(now)
        for quiet in silent:
            self._router.doubt(quiet.topic)
        if (since := self._unreadable.end(now)) is not None:
            self._report_unreadable(since)
        return silent

    def _spoke(self, topic: str, since: float, now: float) -> None:
        """A topic that had been silent speaks again: what it missed meanwhile, nobody knows."""
        self._report(since, f"the topic was silent for {now - since:.0f} s", topic)
