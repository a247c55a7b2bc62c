"""One connection as a state machine.

Frames and the time go in, frames to send and events come out. No socket, no clock.

Theory of operation. The protocol knows which topics are *wanted* and which are *held* (acknowledged); it sends what
turns the one into the other.

* A private connection logs in first; nothing is subscribed before the reply.
* At most one subscribe or unsubscribe frame is outstanding. A venue's errors may name neither topic nor request: this
  is what makes them mean something, and where they do it costs nothing.
* An error for a frame with several topics says nothing of the others. After a short wait for their acknowledgements
  (`_SETTLE`), those still open
  are sent again, each alone; then an error has one possible meaning. A benign one (already subscribed) counts as an
  acknowledgement.
* A frame that is never answered, a login without a reply and a ping without any message are the death of the
  connection.
* A topic that is wanted again before it was let go is still held: `tick` says so at once, since nothing will be sent
  or answered for it.
* All that is sent keeps to the exchange's allowance of messages; what is above it waits for `tick`.
* The time to answer a frame begins when the driver takes the frame for sending, not when the protocol wants it sent: a
  program that keeps its loop busy in between has not asked yet.

The driver calls `receive` with every batch of messages and `tick` when `deadline` has come, sends what `take_outgoing`
gives, and acts on events. It must have handed over all that has arrived before it calls `tick`: a deadline is judged by
what is known here.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import attrs

from ..errors import ApiError, AuthenticationError, SubscriptionRefused
from . import codec
from .dialect import (
    Acknowledged,
    Data,
    LoggedIn,
    Pong,
    Push,
    Refused,
    SocketDialect,
    SocketLimits,
    Unknown,
    Verb,
    pack,
)
from .inflate import InflateError

_SETTLE: Final = 0.5
# Of the allowance, so many messages stay free for pings.
_SPARE: Final = 5
_NEVER: Final = float("inf")


class Ready(NamedTuple):
    """The connection can subscribe now: it is open, and logged in if it is private."""


class TopicHeld(NamedTuple):
    """A wanted topic was acknowledged."""

    topic: str


class TopicRefused(NamedTuple):
    """A wanted topic was refused; it is no longer wanted here."""

    topic: str
    error: ApiError


class LoginRefused(NamedTuple):
    """The login was refused; the connection is of no use."""

    error: ApiError
    retry: bool
    """Whether it may work another time (a clock off, a fault inside the exchange)."""


class Malformed(NamedTuple):
    """A message that cannot be read; it was skipped."""

    reason: str
    excerpt: bytes


class Complaint(NamedTuple):
    """An error of the server that belongs to nothing we asked for."""

    error: ApiError


class Dead(NamedTuple):
    """The connection must be given up."""

    reason: str
    cause: ApiError | None = None


Event: TypeAlias = Data | Ready | TopicHeld | TopicRefused | LoginRefused | Malformed | Complaint | Unknown | Dead


@attrs.define
class _Outstanding:
    """The one subscribe or unsubscribe frame whose answers are awaited."""

    verb: Verb
    topics: list[str]
    sent: float
    duplicates: int = 0
    error: ApiError | None = None
    settle: float = _NEVER


class ConnectionProtocol:
    """See the head of this file.

    Args:
        dialect: how the market's sockets are spelled.
        limits: what the exchange allows this kind of connection.
        private: whether a login comes first.
        ping_interval, pong_timeout, login_timeout, acknowledge_timeout: seconds.
        ceiling: the largest message in bytes, as sent and inflated.
    """

    def __init__(
        self,
        dialect: SocketDialect,
        limits: SocketLimits,
        *,
        private: bool,
        ping_interval: float,
        pong_timeout: float,
        login_timeout: float,
        acknowledge_timeout: float,
        ceiling: int,
    ) -> None:
        self._dialect = dialect
        self._limits = limits
        self._private = private
        self._ping_interval = ping_interval
        self._pong_timeout = pong_timeout
        self._login_timeout = login_timeout
        self._acknowledge_timeout = acknowledge_timeout
        self._ceiling = ceiling

        self._wanted: dict[str, None] = {}
        self._held: dict[str, None] = {}
        self._renewing: set[str] = set()
        self._alone: set[str] = set()
        self._outstanding: _Outstanding | None = None
        self._requests: dict[str, None] = {}
        self._news: list[Event] = []
        self._outgoing: deque[str] = deque()
        self._sent: deque[float] = deque()
        self._ready = False
        self._dead = False
        self._login_due = _NEVER
        self._next_ping = _NEVER
        self._pong_due = _NEVER
        self._untaken: set[Literal["ping", "login", "frame"]] = set()
        """What waits in `_outgoing` and has a deadline for its answer."""
        self._stirred = False

    # ---- what the driver does ---------------------------------------------------------------------------------------

    def opened(self, now: float) -> list[Event]:
        """The connection is up. A private one now needs `login`."""
        self._next_ping = now + self._ping_interval
        if self._private:
            self._login_due = now + self._login_timeout
            return []
        return self._become_ready(now)

    def string_to_sign(self, timestamp: int, memo: str) -> bytes:
        """What the signature of the login covers."""
        return self._dialect.string_to_sign(timestamp, memo)

    def login(self, now: float, key: str, timestamp: int, signature: str) -> None:
        """Send the login."""
        self._send(now, self._dialect.login(key, timestamp, signature))
        self._untaken.add("login")

    def want(self, now: float, topics: Iterable[str]) -> None:
        """Hold these topics as well."""
        for topic in topics:
            if topic not in self._wanted:
                self._wanted[topic] = None
                if topic in self._held and not self._lets_go(topic):
                    self._news.append(TopicHeld(topic))
        self._pump(now)

    def drop(self, now: float, topics: Iterable[str]) -> None:
        """No longer hold these topics. What is pushed until the server has acted is for nobody."""
        for topic in topics:
            self._wanted.pop(topic, None)
            self._alone.discard(topic)
            self._requests.pop(topic, None)
            if self._news:
                self._news = [event for event in self._news if event != TopicHeld(topic)]
        self._pump(now)

    def request(self, now: float, topic: str) -> None:
        """Ask for a topic's newest state once.

        The answer is an ordinary push. For topics that are not held (yet) it does nothing.
        """
        if topic in self._held:
            self._requests[topic] = None
            self._pump(now)

    def renew(self, now: float, topic: str) -> None:
        """Let a topic go at the server and subscribe to it again; it stays wanted throughout."""
        if topic in self._held and topic in self._wanted:
            self._renewing.add(topic)
            self._pump(now)

    @property
    def held(self) -> Collection[str]:
        """The topics that the server has acknowledged."""
        return self._held.keys()

    def prove(self, now: float) -> None:
        """Have the peer show that it is there: a ping goes out now, and its deadline runs."""
        if self._next_ping is not _NEVER:
            self._next_ping = now

    def overdue(self, now: float) -> bool:
        """Whether an answer that must come has not come in time, by what was received so far."""
        frame = self._outstanding
        answer_due = _NEVER if frame is None else frame.sent + self._acknowledge_timeout
        return now >= min(self._pong_due, self._login_due, answer_due)

    def take_outgoing(self, now: float) -> list[str]:
        """The frames to send now, in order; each is given once. The deadlines of their answers begin."""
        frames = list(self._outgoing)
        self._outgoing.clear()
        for _ in frames:  # the exchange counts what it gets, when it gets it
            self._sent.pop()
        self._sent.extend([now] * len(frames))
        if self._untaken:
            if "ping" in self._untaken and self._pong_due is not _NEVER:
                self._pong_due = now + self._pong_timeout
            if "login" in self._untaken and self._login_due is not _NEVER:
                self._login_due = now + self._login_timeout
            if "frame" in self._untaken and self._outstanding is not None:
                self._outstanding.sent = now
            self._untaken.clear()
        return frames

    @property
    def stirred(self) -> bool:
        """Whether the last `receive` held more than data.

        Something may have to be sent, and the next deadline may have moved.
        """
        return self._stirred

    def deadline(self) -> float:
        """When `tick` must be called at the latest."""
        if self._dead:
            return _NEVER
        if self._news:
            return 0.0
        times = [self._next_ping, self._pong_due, self._login_due]
        if self._outstanding is not None:
            times += [self._outstanding.sent + self._acknowledge_timeout, self._outstanding.settle]
        if self._ready and (self._requests or (self._outstanding is None and self._work())):
            times.append(self._sent[0] + self._limits.messages_per if self._sent else 0.0)
        return min(times)

    # ---- frames in --------------------------------------------------------------------------------------------------

    def receive(self, messages: Sequence[tuple[bool, bytes]], now: float) -> list[Event | Push]:
        """Take a batch of messages, each (binary, payload), in the order of arrival.

        What looks like a push comes out undecoded. What turns out to be something else goes back to `read`.
        """
        if self._dead:
            return []
        events: list[Event | Push] = [*self._take_news()]
        self._pong_due = _NEVER
        self._stirred = False
        peek, unpack, ceiling = self._dialect.peek, self._dialect.unpack, self._ceiling
        for binary, payload in messages:
            try:
                if len(payload) > ceiling:
                    raise InflateError(f"larger than {ceiling} bytes")
                # Any frame may be text or packed, whatever it holds: login replies have been seen both ways.
                frame = unpack(payload, ceiling) if binary else payload
            except InflateError as error:
                events.append(Malformed(str(error), payload[:100]))
                continue
            key = peek(frame)
            if key is not None:
                events.append((key, frame))
            else:
                events += self.read(frame, now)
                if self._is_dead():
                    break
        return events

    def read(self, frame: bytes, now: float) -> list[Event]:
        """Take one frame, inflated, by all that it says."""
        try:
            spoken = self._dialect.read(frame.removeprefix(BOM_UTF8))
        except codec.DecodeError as error:
            return [Malformed(str(error), frame[:100])]
        if type(spoken) is Data:
            return [spoken]
        events: list[Event] = []
        self._stirred = True
        self._hear(spoken, now, events)
        return events

    def _hear(
        self, spoken: Data | Pong | LoggedIn | Acknowledged | Refused | Unknown, now: float, events: list[Event]
    ) -> None:
        match spoken:
            case LoggedIn():
                if self._private and not self._ready:
                    events += self._become_ready(now)
            case Acknowledged(verb, topic):
                self._acknowledged(verb, topic, now, events)
            case Refused():
                self._refused(spoken, now, events)
            case Unknown():
                events.append(spoken)
            case Data() | Pong():
                pass  # a sign of life; data is taken in `receive`

    def _become_ready(self, now: float) -> list[Event]:
        self._ready = True
        self._login_due = _NEVER
        self._pump(now)
        return [Ready()]

    def _acknowledged(self, verb: Verb, topic: str, now: float, events: list[Event]) -> None:
        frame = self._outstanding
        asked = self._asked(frame, topic) if frame is not None and frame.verb == verb else None
        if frame is not None and asked is not None:
            topic = asked
            frame.topics.remove(topic)
            self._wait_for_more(frame, now)
            if not frame.topics:
                self._outstanding = None
        elif verb == "unsubscribe":
            return
        if verb == "subscribe":
            self._hold(topic, events)
        else:
            self._release(topic)
        self._pump(now)

    def _asked(self, frame: _Outstanding, topic: str) -> str | None:
        """Which of the frame's topics an answer means: it may come back without a part of its name."""
        if topic in frame.topics:
            return topic
        bare = self._dialect.bare
        return next((asked for asked in frame.topics if bare(asked) == bare(topic)), None)

    def _lets_go(self, topic: str) -> bool:
        """Whether an unsubscribe for the topic is under way."""
        frame = self._outstanding
        return frame is not None and frame.verb == "unsubscribe" and topic in frame.topics

    def _take_news(self) -> list[Event]:
        news, self._news = self._news, []
        return news

    def _hold(self, topic: str, events: list[Event]) -> None:
        self._alone.discard(topic)
        if topic not in self._held:
            self._held[topic] = None
            if topic in self._wanted:
                events.append(TopicHeld(topic))

    def _refused(self, refused: Refused, now: float, events: list[Event]) -> None:
        if refused.about == "login" or (self._private and not self._ready):
            if not refused.benign:
                self._dead = True
                self._outgoing.clear()
                events.append(LoginRefused(refused.error, retry=refused.fatal))
            elif not self._ready:
                events += self._become_ready(now)
            return
        if refused.fatal:
            self._die(events, f"the exchange refused: {refused.error}", refused.error)
            return
        frame = self._outstanding
        if frame is None or (refused.about is not None and refused.about != frame.verb):
            events.append(Complaint(refused.error))
            return
        asked = None if refused.topic is None else self._asked(frame, refused.topic)
        if asked is not None:
            frame.topics.remove(asked)
            self._settle_topic(frame, asked, refused, events)
        elif refused.topic is not None:
            events.append(Complaint(refused.error))
            return
        elif len(frame.topics) == 1:
            self._settle_topic(frame, frame.topics.pop(), refused, events)
        else:
            # Which of them? The good ones' acknowledgements are on their way: wait a moment for those.
            if refused.benign:
                frame.duplicates += 1
            else:
                frame.error = refused.error
            frame.settle = now
            self._wait_for_more(frame, now)
            return
        if not frame.topics:
            self._outstanding = None
            self._pump(now)

    def _wait_for_more(self, frame: _Outstanding, now: float) -> None:
        """Settle a frame that drew an error only when its answers have stopped coming.

        A late one would be taken for the answer to the next.
        """
        if frame.settle is not _NEVER:
            frame.settle = min(now + _SETTLE, frame.sent + self._acknowledge_timeout)

    def _settle_topic(self, frame: _Outstanding, topic: str, refused: Refused, events: list[Event]) -> None:
        if frame.verb == "unsubscribe":
            self._release(topic)
        elif refused.benign:
            self._hold(topic, events)
        else:
            self._give_up(topic, refused.error, events)

    def _give_up(self, topic: str, error: ApiError, events: list[Event]) -> None:
        self._alone.discard(topic)
        if topic in self._wanted:
            del self._wanted[topic]
            if not isinstance(error, SubscriptionRefused | AuthenticationError):
                error = SubscriptionRefused(error.message, topic=topic, code=error.code)
            error.hint = error.hint or self._dialect.hint(topic)
            events.append(TopicRefused(topic, error))

    def _is_dead(self) -> bool:
        return self._dead

    def _die(self, events: list[Event], reason: str, cause: ApiError | None = None) -> None:
        self._dead = True
        self._outgoing.clear()
        events.append(Dead(reason, cause))

    # ---- time -------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what has become due."""
        if self._dead:
            return []
        events = self._take_news()
        if now >= self._pong_due:
            self._die(events, f"no message within {self._pong_timeout:g} s of a ping")
            return events
        if now >= self._login_due:
            self._die(events, f"no reply to the login within {self._login_timeout:g} s")
            return events
        if now >= self._next_ping:
            self._next_ping = now + self._ping_interval
            if self._pong_due is _NEVER:
                self._pong_due = now + self._pong_timeout
                self._untaken.add("ping")
            self._send(now, self._dialect.ping)
        frame = self._outstanding
        if frame is not None and now >= frame.settle:
            self._settle(frame, events)
        elif frame is not None and now >= frame.sent + self._acknowledge_timeout:
            if frame.verb == "unsubscribe":
                for topic in frame.topics:  # nobody listens any more; whether the server still sends is its own affair
                    self._release(topic)
                self._outstanding = None
            else:
                missing = ", ".join(frame.topics[:3]) + (", ..." if len(frame.topics) > 3 else "")
                self._die(events, f"no acknowledgement of {missing} within {self._acknowledge_timeout:g} s")
                return events
        self._pump(now)
        return events

    def _settle(self, frame: _Outstanding, events: list[Event]) -> None:
        """Decide on the topics of a frame that drew errors and were not acknowledged since."""
        self._outstanding = None
        if frame.verb == "unsubscribe":
            for topic in frame.topics:
                self._release(topic)
        elif frame.error is None and frame.duplicates >= len(frame.topics):
            for topic in frame.topics:
                self._hold(topic, events)
        else:
            self._alone.update(topic for topic in frame.topics if topic in self._wanted)

    # ---- frames out -------------------------------------------------------------------------------------------------

    def _release(self, topic: str) -> None:
        self._held.pop(topic, None)
        self._renewing.discard(topic)

    def _surplus(self) -> list[str]:
        """What is held and is to be let go, if only to be taken again."""
        return [topic for topic in self._held if topic not in self._wanted or topic in self._renewing]

    def _work(self) -> Verb | None:
        """What remains to be done to hold exactly what is wanted."""
        missing = sum(topic not in self._held for topic in self._wanted)
        # Taking before letting go is quicker, but the exchange counts what is held in between.
        if missing and len(self._held) + missing <= self._limits.topics:
            return "subscribe"
        return "unsubscribe" if self._surplus() else "subscribe" if missing else None

    def _pump(self, now: float) -> None:
        """Send the next subscribe or unsubscribe frame and the requests, as far as they are due and allowed."""
        if not self._ready or self._dead:
            return
        while self._requests and self._may_send(now):
            topic = next(iter(self._requests))
            del self._requests[topic]
            self._send(now, self._dialect.spell("request", [topic]))
        if self._outstanding is not None or not self._may_send(now):
            return
        verb = self._work()
        if verb is None:
            return
        if verb == "subscribe":
            missing = [topic for topic in self._wanted if topic not in self._held]
            together = [topic for topic in missing if topic not in self._alone]
            topics = together or missing[:1]
        else:
            topics = self._surplus()
        text, taken = pack(self._dialect, verb, topics, self._limits)
        self._outstanding = _Outstanding(verb, taken, now)
        self._untaken.add("frame")
        self._send(now, text)

    def _may_send(self, now: float) -> bool:
        # The same sum as in `deadline`: by subtraction, rounding could let that moment pass without effect.
        while self._sent and self._sent[0] + self._limits.messages_per <= now:
            self._sent.popleft()
        return len(self._sent) < self._limits.messages - _SPARE

    def _send(self, now: float, text: str) -> None:
        self._sent.append(now)
        self._outgoing.append(text)
