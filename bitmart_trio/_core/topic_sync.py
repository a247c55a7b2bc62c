"""One connection's topics: which are wanted, which are held, and the frame that turns the one into the other.

* At most one subscribe or unsubscribe frame is outstanding. A venue's errors may name neither topic nor request: with
  one outstanding frame they are unambiguous. Where errors do name them, the rule costs nothing.
* An error for a frame with several topics does not name the topic that failed. After a short wait for acknowledgements
  (`_SETTLE`), the topics that are still open are sent again, each alone; then an error has one possible meaning. A
  benign error (already subscribed) counts as an acknowledgement.
* A topic that is wanted again before it was released is still held: that is reported at once, since no frame is sent or
  answered for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from ..errors import ApiError, AuthenticationError, SubscriptionRefused
from .connection_events import Complaint, Event, TopicHeld, TopicRefused
from .dialect import Refused, SocketDialect, SocketLimits, Verb, pack

_SETTLE: Final = 0.5
_NEVER: Final = float("inf")


@attrs.define
class _Outstanding:
    """The one frame whose answers are awaited."""

    verb: Verb
    topics: list[str]
    sent: float
    duplicates: int = 0
    error: ApiError | None = None
    settle: float = _NEVER


class TopicSync:
    """See the head of this file.

    Args:
        dialect: how the market's sockets are spelled.
        limits: what the exchange allows this kind of connection.
        timeout: seconds that an acknowledgement may take.
    """

    def __init__(self, dialect: SocketDialect, limits: SocketLimits, timeout: float) -> None:
        self.held: dict[str, None] = {}
        """Topics that the server has acknowledged."""
        self._dialect = dialect
        self._limits = limits
        self._timeout = timeout
        self._wanted: dict[str, None] = {}
        self._renewing: set[str] = set()
        """Held topics that are to be subscribed to afresh."""
        self._alone: set[str] = set()
        """Wanted topics that are to be sent in frames of their own."""
        self._requests: dict[str, None] = {}
        self._outstanding: _Outstanding | None = None
        self._news: list[Event] = []

    # ---- what is wanted

    def want(self, topics: Iterable[str]) -> None:
        """Hold these topics as well."""
        for topic in topics:
            if topic not in self._wanted:
                self._wanted[topic] = None
                if topic in self.held and not self._is_being_given_up(topic):
                    self._news.append(TopicHeld(topic))

    def drop(self, topics: Iterable[str]) -> None:
        """No longer hold these topics."""
        for topic in topics:
            self._wanted.pop(topic, None)
            self._alone.discard(topic)
            self._requests.pop(topic, None)
            if self._news:
                self._news = [event for event in self._news if event != TopicHeld(topic)]

    def request(self, topic: str) -> None:
        """Ask for a topic's newest state once, if it is held."""
        if topic in self.held:
            self._requests[topic] = None

    def renew(self, topic: str) -> None:
        """Give a topic up at the server and subscribe to it again; it stays wanted throughout."""
        if topic in self.held and topic in self._wanted:
            self._renewing.add(topic)

    @property
    def has_news(self) -> bool:
        """True if `take_news` has something."""
        return bool(self._news)

    def take_news(self) -> list[Event]:
        """Return what is known without an answer of the server, once."""
        news, self._news = self._news, []
        return news

    # ---- frames out

    @property
    def has_work(self) -> bool:
        """True if there is something to send, as far as answers are concerned."""
        return bool(self._requests) or (self._outstanding is None and self._work() is not None)

    def next_request(self) -> str | None:
        """Return the next topic to ask the state of, once; None if there is none."""
        topic = next(iter(self._requests), None)
        if topic is not None:
            del self._requests[topic]
        return topic

    def next_frame(self, now: float) -> str | None:
        """Return the next subscribe or unsubscribe frame, which is outstanding from now on; None if none may go."""
        verb = self._work() if self._outstanding is None else None
        if verb is None:
            return None
        if verb == "subscribe":
            missing = [topic for topic in self._wanted if topic not in self.held]
            together = [topic for topic in missing if topic not in self._alone]
            topics = together or missing[:1]
        else:
            topics = self._surplus()
        text, taken = pack(self._dialect, verb, topics, self._limits)
        self._outstanding = _Outstanding(verb, taken, now)
        return text

    def sent(self, now: float) -> None:
        """Note that the outstanding frame was taken for sending: the time to answer it begins."""
        if self._outstanding is not None:
            self._outstanding.sent = now

    def _surplus(self) -> list[str]:
        """Return what is held and is to be given up, if only to be taken again."""
        return [topic for topic in self.held if topic not in self._wanted or topic in self._renewing]

    def _work(self) -> Verb | None:
        """Return what remains to be done to hold exactly what is wanted."""
        missing = sum(topic not in self.held for topic in self._wanted)
        # Subscribing before unsubscribing is quicker, but the exchange counts the topics held in between.
        if missing and len(self.held) + missing <= self._limits.topics:
            return "subscribe"
        return "unsubscribe" if self._surplus() else "subscribe" if missing else None

    # ---- answers in

    def acknowledged(self, verb: Verb, topic: str, now: float) -> list[Event]:
        """Take the acknowledgement of one topic."""
        frame = self._outstanding
        asked = self._asked(frame, topic) if frame is not None and frame.verb == verb else None
        if frame is not None and asked is not None:
            topic = asked
            frame.topics.remove(topic)
            self._wait_for_more(frame, now)
            if not frame.topics:
                self._outstanding = None
        elif verb == "unsubscribe":
            return []
        if verb == "subscribe":
            return self._hold(topic)
        self._release(topic)
        return []

    def refused(self, refused: Refused, now: float) -> list[Event]:
        """Take an error that leaves the connection as it is."""
        frame = self._outstanding
        if frame is None or (refused.about is not None and refused.about != frame.verb):
            return [Complaint(refused.error)]
        asked = None if refused.topic is None else self._asked(frame, refused.topic)
        if asked is not None:
            frame.topics.remove(asked)
        elif refused.topic is not None:
            return [Complaint(refused.error)]
        elif len(frame.topics) == 1:
            asked = frame.topics.pop()
        else:
            # Which topic failed? The acknowledgements of the others are in flight: wait a moment for them.
            if refused.benign:
                frame.duplicates += 1
            else:
                frame.error = refused.error
            frame.settle = now
            self._wait_for_more(frame, now)
            return []
        if not frame.topics:
            self._outstanding = None
        return self._settle_topic(frame, asked, refused)

    def _asked(self, frame: _Outstanding, topic: str) -> str | None:
        """Return which of the frame's topics an answer means: it may come back without a part of its name."""
        if topic in frame.topics:
            return topic
        bare = self._dialect.bare
        return next((asked for asked in frame.topics if bare(asked) == bare(topic)), None)

    def _is_being_given_up(self, topic: str) -> bool:
        """Return whether an unsubscribe for the topic is under way."""
        frame = self._outstanding
        return frame is not None and frame.verb == "unsubscribe" and topic in frame.topics

    def _wait_for_more(self, frame: _Outstanding, now: float) -> None:
        """Settle a frame that drew an error only when its answers have stopped coming.

        A late answer would be taken for an answer to the next frame.
        """
        if frame.settle is not _NEVER:
            frame.settle = min(now + _SETTLE, frame.sent + self._timeout)

    def _settle_topic(self, frame: _Outstanding, topic: str, refused: Refused) -> list[Event]:
        if frame.verb == "unsubscribe":
            self._release(topic)
            return []
        return self._hold(topic) if refused.benign else self._give_up(topic, refused.error)

    def _hold(self, topic: str) -> list[Event]:
        self._alone.discard(topic)
        if topic in self.held:
            return []
        self.held[topic] = None
        return [TopicHeld(topic)] if topic in self._wanted else []

    def _release(self, topic: str) -> None:
        self.held.pop(topic, None)
        self._renewing.discard(topic)

    def _give_up(self, topic: str, error: ApiError) -> list[Event]:
        self._alone.discard(topic)
        if topic not in self._wanted:
            return []
        del self._wanted[topic]
        if not isinstance(error, SubscriptionRefused | AuthenticationError):
            error = SubscriptionRefused(error.message, topic=topic, code=error.code)
        error.hint = error.hint or self._dialect.hint(topic)
        return [TopicRefused(topic, error)]

    # ---- time

    def due(self) -> float:
        """Return when `tick` must be called at the latest."""
        frame = self._outstanding
        return _NEVER if frame is None else min(frame.sent + self._timeout, frame.settle)

    def answer_due(self) -> float:
        """Return when the answer to the outstanding frame is late."""
        return _NEVER if self._outstanding is None else self._outstanding.sent + self._timeout

    def unanswered(self, now: float) -> str | None:
        """Return what was not acknowledged in time, which is the death of the connection; None if nothing was."""
        frame = self._outstanding
        if frame is None or frame.verb == "unsubscribe" or now < frame.sent + self._timeout or now >= frame.settle:
            return None
        return ", ".join(frame.topics[:3]) + (", ..." if len(frame.topics) > 3 else "")

    def tick(self, now: float) -> list[Event]:
        """Decide on a frame whose answers have stopped coming."""
        frame = self._outstanding
        if frame is None or now < self.due():
            return []
        self._outstanding = None
        if frame.verb == "unsubscribe":
            for topic in frame.topics:  # no subscriber is left; pushes that the server still sends do not matter
                self._release(topic)
        elif frame.error is None and frame.duplicates >= len(frame.topics):
            return [event for topic in frame.topics for event in self._hold(topic)]
        else:
            self._alone.update(topic for topic in frame.topics if topic in self._wanted)
        return []
