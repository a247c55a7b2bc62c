"""Define what streams report besides data: gaps, and events of their connections."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, TypedDict

import attrs

from ._model import Model


class Gap(NamedTuple):
    """A gap in a subscription: messages pushed between these times did not arrive."""

    since: float
    """The arrival of the connection's last message before the gap, by ``trio.current_time()``."""
    until: float
    """The time when the topics were acknowledged again."""
    reason: str
    """The reason why the connection broke."""
    epoch: int
    """The number of the connection after the gap; it rises with each reconnect."""
    topic: str
    """The subscription's topic that it concerns."""


@attrs.frozen
class Backfilled(Model):
    """A gap was filled, with ``backfill=True``: the next items of its topic were read over REST.

    If REST did not have everything, a `Gap` for the same gap follows them. A gap can be filled in several parts; the
    first part is reported even if nothing was missing.
    """

    count: int
    """The number of items; 0 if nothing was missing. With a policy that conflates or drops, fewer may be left."""
    since: float
    """The begin of the gap; see `Gap.since`."""
    until: float
    """The time when the topic was acknowledged again."""
    epoch: int
    """The number of the connection; see `Gap.epoch`."""
    topic: str
    """The subscription's topic that it concerns."""


class About(TypedDict):
    """The keywords that every event has."""

    market: str
    """The market of the connection: "spot" or "futures"."""
    private: bool
    """True for a connection with login."""
    connection: int
    """The number of the connection within the client."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class StreamEvent(Model):
    """The base of the events that ``streams.events()`` yields."""

    market: str
    """The market of the connection: "spot" or "futures"."""
    private: bool
    """True for a connection with login."""
    connection: int
    """The number of the connection within this client, from 1; a reconnect keeps it."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class Opened(StreamEvent):
    """A connection is open for the first time."""

    url: str
    """The URL of the connection."""


@attrs.frozen(kw_only=True)
class Authenticated(StreamEvent):
    """The exchange accepted the login, after each connect."""


@attrs.frozen(kw_only=True)
class Subscribed(StreamEvent):
    """The exchange acknowledged a topic."""

    topic: str


@attrs.frozen(kw_only=True)
class Refused(StreamEvent):
    """The exchange refused a topic, or the login (then the topic is None)."""

    topic: str | None
    error: Exception
    """The exchange's answer, as an exception."""


@attrs.frozen(kw_only=True)
class Lost(StreamEvent):
    """A connection broke; it will be replaced."""

    reason: str
    """The reason why it broke."""
    retry_in: float
    """Seconds until the next try."""


@attrs.frozen(kw_only=True)
class Reconnected(StreamEvent):
    """A broken connection was replaced; its topics follow as `Subscribed`."""

    epoch: int
    """The number of connections before this one."""
    attempts: int
    """The number of tries."""


@attrs.frozen(kw_only=True)
class Closed(StreamEvent):
    """A connection was closed for good: it was not needed, it was given up, or the client was left."""

    reason: str
    """The reason why it is not needed or not replaced."""


@attrs.frozen(kw_only=True)
class Silent(StreamEvent):
    """A topic of a living connection has been silent for too long, and is probed."""

    topic: str
    seconds: float
    """Seconds of silence."""
    action: Literal["request", "renew", "replace"]
    """The action: the topic's state is requested, it is subscribed again, or its connection is replaced."""


@attrs.frozen(kw_only=True)
class Stalled(StreamEvent):
    """The program kept the event loop busy, so that this connection read and sent nothing meanwhile.

    A computation or a blocking call between two ``await`` does that. Messages that arrived are in the socket and are
    read now; the connection is kept. The exchange drops a connection that sends nothing for 20 seconds.
    """

    seconds: float
    """Seconds, at least."""


@attrs.frozen(kw_only=True)
class Suspended(StreamEvent):
    """The machine was suspended: the wall clock advanced while Trio's clock stood still.

    The connection is replaced, or checked by a ping after a short suspension. Either way its topics have a gap, and
    books and account views are stale until confirmed. A wall clock that was set forward looks the same.
    """

    seconds: float
    """Seconds of the suspension."""


@attrs.frozen(kw_only=True)
class Malformed(StreamEvent):
    """A message that could not be read was skipped and counted."""

    reason: str
    """The topic and what is wrong with it."""
    excerpt: bytes
    """The first bytes of the message."""


@attrs.frozen(kw_only=True)
class ServerComplaint(StreamEvent):
    """An error of the server that answers no request of this client."""

    error: Exception


AnyStreamEvent: TypeAlias = (
    Opened
    | Authenticated
    | Subscribed
    | Refused
    | Lost
    | Reconnected
    | Closed
    | Silent
    | Stalled
    | Suspended
    | Malformed
    | ServerComplaint
)
"""An event that ``streams.events()`` yields and `Hooks.on_event` receives."""


@attrs.frozen
class RawPush(Model):
    """An undecoded push of a topic without a model in the library."""

    topic: str
    """The table or group as sent."""
    data: object
    """The payload as plain JSON values, fractions as Decimal."""
