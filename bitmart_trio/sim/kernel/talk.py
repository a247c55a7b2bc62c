"""The contract between faces and venues: a face transports bytes, a venue knows their meaning.

A venue is passed to the faces when they are opened; neither imports the other.
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
    """One connection, as its dialect sees it."""

    kind: SocketKind
    address: str
    account: Account | None
    """The account whose login was accepted."""
    topics: dict[str, Callable[[], None]]
    """The subscribed topics, in the order of subscription, each with the function that ends the subscription."""
    subscribed: bool
    """True if the connection ever subscribed to a topic."""

    @property
    def most_topics(self) -> int | None:
        """Return the maximum number of topics on the connection; None for any number."""
        ...

    @property
    def most_args(self) -> int | None:
        """Return the maximum number of topics in one message."""
        ...

    def say(self, frame: Frame) -> None:
        """Send an acknowledgement, an answer or an error."""

    def pong(self, text: str) -> None:
        """Answer a client's ping."""

    def push(self, topic: str, frame: Frame) -> None:
        """Send a push to the client."""

    def deliver_to(self, topic: str) -> Deliver:
        """Return the function that receives a topic's frames."""
        ...

    def close(self) -> None:
        """Close the connection in order once everything queued is sent."""

    def drop(self) -> None:
        """Break the connection off at once."""

    # Injected faults.

    def breaks_at_login(self) -> bool:
        """Return True if the connection must break between a login and its reply."""
        ...

    def refused_login(self) -> tuple[str, str] | None:
        """Return the code and text with which a login must be refused, even a correct one."""
        ...

    def refused_topic(self, topic: str) -> tuple[str, str] | None:
        """Return the code and text with which a topic must be refused."""
        ...

    def loses_ack(self, topic: str) -> bool:
        """Return True if an acknowledgement must not be sent."""
        ...


def listen(feed: Feed, line: Line, topic: str, channel: FeedChannel, rest: str) -> None:
    """Subscribe a connection, and send the channel's first frames."""
    account = line.account if channel.private else None
    account_id = None if account is None else account.account_id
    line.topics[topic] = feed.listen(topic, account_id, line.deliver_to(topic))
    line.subscribed = True
    for frame in channel.first(rest, account):
        line.push(topic, frame)


class Dialect(Protocol):
    """The protocol of one connection."""

    def hear(self, text: str) -> None:
        """Act on one message of the client, without waiting."""

    def turn_away(self, why: str) -> None:
        """Report one message (``messages``), connection (``connections``) or attempt (``connects``) too many."""


class Spoiler(Protocol):
    """Faults in what is answered and pushed."""

    def answer(self, route: Endpoint, call: Call, handler: Onward) -> Json:
        """Return the answer to a call, changed by the faults that hit it."""
        ...

    def push(self, topic: str, connection: str, frame: Frame) -> Frame:
        """Return the push, changed by the faults that hit it."""
        ...


class Venue(Voice, Protocol):
    """An exchange as its clients see it."""

    kinds: tuple[SocketKind, ...]
    """The venue's sockets, each at ``/ws/KIND``."""

    endpoints: int
    """The number of REST endpoints."""
    spoiler: Spoiler | None = None
    """The faults in answers and pushes that pass through a face; `handle` applies none of them."""

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises."""
        ...

    def serve(self, request: Request) -> Response:
        """Answer one request, with the faults that concern answers."""
        ...

    def error(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer to a malformed request."""
        ...

    def spoil(self, topic: str, connection: str, frame: Frame) -> Frame:
        """Return a push with the faults that concern its content; the same frame if there are none."""
        return frame if self.spoiler is None else self.spoiler.push(topic, connection, frame)

    def dialect(self, line: Line) -> Dialect:
        """Return the dialect of a connection of this kind."""
        ...
