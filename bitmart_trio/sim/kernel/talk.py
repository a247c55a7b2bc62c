"""The contract between faces and venues: a face carries bytes, a venue knows their meaning.

A venue is given to the faces when it is opened; neither imports the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from .accounts import Account
from .calls import Call, Endpoint, Onward
from .encoding import Json
from .faults import Voice
from .feed import Deliver, Feed, FeedChannel, Frame, SocketKind
from .messages import Request, Response


class Line(Protocol):
    """One connection, as the dialect that is spoken on it sees it."""

    kind: SocketKind
    address: str
    account: Account | None
    """Whose login was accepted."""
    topics: dict[str, Callable[[], None]]
    """The subscribed topics, each with the function that ends it, in the order of subscription."""
    subscribed: bool
    """True if it ever subscribed to anything."""

    @property
    def most_topics(self) -> int | None:
        """Topics that it may hold; None for any number."""
        ...

    @property
    def most_args(self) -> int | None:
        """Topics that one message may name."""
        ...

    def say(self, frame: Frame) -> None:
        """Send an acknowledgement, an answer or an error."""

    def pong(self, text: str) -> None:
        """Answer a client's ping."""

    def push(self, topic: str, frame: Frame) -> None:
        """Send a push to the client."""

    def deliver_to(self, topic: str) -> Deliver:
        """The listener of a topic."""
        ...

    def close(self) -> None:
        """Close in order once everything queued is sent."""

    def drop(self) -> None:
        """Break the connection off at once."""

    # What goes wrong on purpose.

    def breaks_at_login(self) -> bool:
        """Return True if the connection must break between a login and its reply."""
        ...

    def refused_login(self) -> tuple[str, str] | None:
        """Code and text with which a login is to be refused, whatever is in it."""
        ...

    def refused_topic(self, topic: str) -> tuple[str, str] | None:
        """Code and text with which a topic is to be refused."""
        ...

    def loses_ack(self, topic: str) -> bool:
        """Return True if an acknowledgement must not be sent."""
        ...


def listen(feed: Feed, line: Line, topic: str, channel: FeedChannel, rest: str) -> None:
    """Subscribe a connection, and send what the channel says first."""
    account = line.account if channel.private else None
    account_id = None if account is None else account.account_id
    line.topics[topic] = feed.listen(topic, account_id, line.deliver_to(topic))
    line.subscribed = True
    for frame in channel.first(rest, account):
        line.push(topic, frame)


class Dialect(Protocol):
    """The protocol of one connection."""

    def hear(self, text: str) -> None:
        """Act on one message of the client; it never waits."""

    def turn_away(self, why: str) -> None:
        """Say that one message (``messages``), connection (``connections``) or attempt (``connects``) is too many."""


class Spoiler(Protocol):
    """Faults in what is answered and pushed."""

    def answer(self, route: Endpoint, call: Call, handler: Onward) -> Json:
        """The answer to a call, spoiled by the faults that hit it."""
        ...

    def push(self, topic: str, connection: str, frame: Frame) -> Frame:
        """The push, spoiled by the faults that hit it."""
        ...


class Venue(Voice, Protocol):
    """An exchange as its clients know it."""

    kinds: tuple[SocketKind, ...]
    """The sockets that it has, each at ``/ws/KIND``."""

    endpoints: int
    """The number of REST endpoints."""
    spoiler: Spoiler | None = None
    """The faults in answers to requests that come in by a face, and in pushes; `handle` has none of them."""

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        ...

    def serve(self, request: Request) -> Response:
        """The same, with the faults that concern answers."""
        ...

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Say that something is wrong with a request before it is one."""
        ...

    def spoil(self, topic: str, connection: str, frame: Frame) -> Frame:
        """A push with the faults that concern what is in it; the very frame where there are none."""
        return frame if self.spoiler is None else self.spoiler.push(topic, connection, frame)

    def dialect(self, line: Line) -> Dialect:
        """The dialect of a connection of this kind."""
        ...
