"""One connection as a state machine.

Frames and the time go in, frames to send and events come out. No socket, no clock.

Theory of operation. The protocol has one of these states (`TRANSITIONS`; every other pair is illegal):

| state | means |
| --- | --- |
| OPENING | the driver has not yet opened the connection |
| LOGGING_IN | a private connection is open and awaits the reply to its login; nothing is subscribed before |
| READY | topics are subscribed and given up (``topic_sync.py``) |
| DEAD | the connection is of no use; nothing goes in or out any more |

* The connection is dead when a frame is not answered, a login gets no reply, or no message follows a ping in time.
* Everything sent keeps to the exchange's allowance of messages (``outbox.py``); frames beyond it wait for `tick`.
* The time to answer a frame begins when the driver takes the frame for sending, not when the protocol queues the frame:
  a program that keeps its loop busy in between has sent nothing yet.

The driver calls `receive` with every batch of messages and `tick` when `deadline` has come, sends what `take_outgoing`
returns, and acts on events. The driver must pass on everything that has arrived before it calls `tick`: the protocol
judges a deadline by what it has received.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection, Iterable, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import attrs

from . import codec
from .connection_events import Dead, Event, LoginRefused, Malformed, Ready
from .dialect import Acknowledged, Data, LoggedIn, Pong, Push, Refused, SocketDialect, SocketLimits, Unknown
from .inflate import InflateError
from .machine import Machine
from .outbox import Outbox
from .topic_sync import TopicSync

_NEVER: Final = float("inf")


class ProtocolState(Enum):
    """See the table at the head of this file."""

    OPENING = auto()
    LOGGING_IN = auto()
    READY = auto()
    DEAD = auto()


class ProtocolEvent(Enum):
    """The events of a protocol's state machine."""

    OPENED = auto()
    """The connection is open, and needs a login."""
    ACCEPTED = auto()
    """The login was accepted, or the connection is open and needs none."""
    DIED = auto()
    """A deadline has passed, or the server refused the login or the connection."""


TRANSITIONS: Final = MappingProxyType(
    {
        (ProtocolState.OPENING, ProtocolEvent.OPENED): ProtocolState.LOGGING_IN,
        (ProtocolState.OPENING, ProtocolEvent.ACCEPTED): ProtocolState.READY,
        (ProtocolState.OPENING, ProtocolEvent.DIED): ProtocolState.DEAD,
        (ProtocolState.LOGGING_IN, ProtocolEvent.ACCEPTED): ProtocolState.READY,
        (ProtocolState.LOGGING_IN, ProtocolEvent.DIED): ProtocolState.DEAD,
        (ProtocolState.READY, ProtocolEvent.DIED): ProtocolState.DEAD,
    }
)


@attrs.frozen(kw_only=True)
class Waits:
    """The waits of a connection, in seconds."""

    ping_interval: float
    pong_timeout: float
    login_timeout: float
    acknowledge_timeout: float


class ConnectionProtocol:
    """See the head of this file.

    Args:
        dialect: how the market's sockets are spelled.
        limits: what the exchange allows this kind of connection.
        waits: its time-outs.
        private: True if a login comes first.
        ceiling: the largest message in bytes, as sent and inflated.
    """

    def __init__(
        self, dialect: SocketDialect, limits: SocketLimits, waits: Waits, *, private: bool, ceiling: int
    ) -> None:
        self._dialect = dialect
        self._waits = waits
        self._private = private
        self._ceiling = ceiling
        self._machine = Machine(TRANSITIONS, ProtocolState.OPENING)
        self._topics = TopicSync(dialect, limits, waits.acknowledge_timeout)
        self._outbox = Outbox(limits.messages, limits.messages_per)
        self._next_ping = _NEVER
        self._pong_due = _NEVER
        self._login_due = _NEVER
        self._stirred = False

    # ---- what the driver does ---------------------------------------------------------------------------------------

    def opened(self, now: float) -> list[Event]:
        """The connection is up. A private one now needs `login`."""
        self._next_ping = now + self._waits.ping_interval
        if not self._private:
            return self._become_ready(now)
        self._machine.step(ProtocolEvent.OPENED)
        self._login_due = now + self._waits.login_timeout
        return []

    def string_to_sign(self, timestamp: int, memo: str) -> bytes:
        """Return what the signature of the login covers."""
        return self._dialect.string_to_sign(timestamp, memo)

    def login(self, now: float, key: str, timestamp: int, signature: str) -> None:
        """Send the login frame."""
        self._outbox.put(now, self._dialect.login(key, timestamp, signature), "login")

    def want(self, now: float, topics: Iterable[str]) -> None:
        """Hold these topics as well."""
        self._topics.want(topics)
        self._pump(now)

    def drop(self, now: float, topics: Iterable[str]) -> None:
        """No longer hold these topics. What is pushed until the server has acted is for nobody."""
        self._topics.drop(topics)
        self._pump(now)

    def request(self, now: float, topic: str) -> None:
        """Ask for a topic's newest state once.

        The answer is an ordinary push. A request for a topic that is not held (yet) does nothing.
        """
        self._topics.request(topic)
        self._pump(now)

    def renew(self, now: float, topic: str) -> None:
        """Give a topic up at the server and subscribe to it again; it stays wanted throughout."""
        self._topics.renew(topic)
        self._pump(now)

    @property
    def held(self) -> Collection[str]:
        """The topics that the server has acknowledged."""
        return self._topics.held.keys()

    def prove(self, now: float) -> None:
        """Have the peer show that it is there: a ping goes out now, and its deadline runs."""
        if self._next_ping is not _NEVER:
            self._next_ping = now

    def overdue(self, now: float) -> bool:
        """Return whether an answer that must come has not come in time, by what was received so far."""
        return now >= min(self._pong_due, self._login_due, self._topics.answer_due())

    def take_outgoing(self, now: float) -> list[str]:
        """Return the frames to send now, in order; each is given once. The deadlines of their answers begin."""
        frames, answers = self._outbox.take(now)
        if "ping" in answers and self._pong_due is not _NEVER:
            self._pong_due = now + self._waits.pong_timeout
        if "login" in answers and self._login_due is not _NEVER:
            self._login_due = now + self._waits.login_timeout
        if "topics" in answers:
            self._topics.sent(now)
        return frames

    @property
    def stirred(self) -> bool:
        """True if the last `receive` held more than data.

        Something may have to be sent, and the next deadline may have moved.
        """
        return self._stirred

    def deadline(self) -> float:
        """Return when `tick` must be called at the latest."""
        if self._is_dead():
            return _NEVER
        if self._topics.has_news:
            return 0.0
        due = min(self._next_ping, self._pong_due, self._login_due, self._topics.due())
        if self._machine.state is ProtocolState.READY and self._topics.has_work:
            due = min(due, self._outbox.room_at())
        return due

    # ---- frames in --------------------------------------------------------------------------------------------------

    def receive(self, messages: Sequence[tuple[bool, bytes]], now: float) -> list[Event | Push]:
        """Take a batch of messages, each (binary, payload), in the order of arrival.

        A frame that looks like a push is returned undecoded. If it turns out to be something else, the caller passes
        it to `read`.
        """
        if self._is_dead():
            return []
        events: list[Event | Push] = [*self._topics.take_news()]
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
                if self._machine.state is ProtocolState.LOGGING_IN:
                    events += self._become_ready(now)
            case Acknowledged(verb, topic):
                events += self._topics.acknowledged(verb, topic, now)
                self._pump(now)
            case Refused():
                self._refused(spoken, now, events)
            case Unknown():
                events.append(spoken)
            case Data() | Pong():
                pass  # a heartbeat; `receive` takes the data

    def _become_ready(self, now: float) -> list[Event]:
        self._machine.step(ProtocolEvent.ACCEPTED)
        self._login_due = _NEVER
        self._pump(now)
        return [Ready()]

    def _refused(self, refused: Refused, now: float, events: list[Event]) -> None:
        logging_in = self._machine.state is ProtocolState.LOGGING_IN
        if refused.about == "login" or logging_in:
            if not refused.benign:
                self._die(events, LoginRefused(refused.error, retry=refused.fatal))
            elif logging_in:
                events += self._become_ready(now)
        elif refused.fatal:
            self._die(events, Dead(f"the exchange refused: {refused.error}", refused.error))
        else:
            events += self._topics.refused(refused, now)
            self._pump(now)

    def _is_dead(self) -> bool:
        return self._machine.state is ProtocolState.DEAD

    def _die(self, events: list[Event], why: Dead | LoginRefused) -> None:
        self._machine.step(ProtocolEvent.DIED)
        self._outbox.clear()
        events.append(why)

    # ---- time -------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what has become due."""
        if self._is_dead():
            return []
        events, waits = self._topics.take_news(), self._waits
        if now >= self._pong_due:
            self._die(events, Dead(f"no message within {waits.pong_timeout:g} s of a ping"))
            return events
        if now >= self._login_due:
            self._die(events, Dead(f"no reply to the login within {waits.login_timeout:g} s"))
            return events
        if now >= self._next_ping:
            self._next_ping = now + waits.ping_interval
            awaited = self._pong_due is not _NEVER
            if not awaited:
                self._pong_due = now + waits.pong_timeout
            self._outbox.put(now, self._dialect.ping, None if awaited else "ping")
        missing = self._topics.unanswered(now)
        if missing is not None:
            self._die(events, Dead(f"no acknowledgement of {missing} within {waits.acknowledge_timeout:g} s"))
            return events
        events += self._topics.tick(now)
        self._pump(now)
        return events

    def _pump(self, now: float) -> None:
        """Send the requests and the next subscribe or unsubscribe frame, as far as they are due and allowed."""
        if self._machine.state is not ProtocolState.READY:
            return
        while self._outbox.has_room(now) and (topic := self._topics.next_request()) is not None:
            self._outbox.put(now, self._dialect.spell("request", [topic]))
        if self._outbox.has_room(now) and (text := self._topics.next_frame(now)) is not None:
            self._outbox.put(now, text, "topics")
