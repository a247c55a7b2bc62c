"""What streams report besides data: gaps, and the life of their connections."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, TypedDict

import attrs

from ._model import Model


class Gap(NamedTuple):
    """A gap in a subscription: what was pushed between these times did not arrive."""

    since: float
    """When the connection's last message before the gap had arrived, by ``trio.current_time()``."""
    until: float
    """When the topics were acknowledged again."""
    reason: str
    """What broke the connection."""
    epoch: int
    """The number of the connection after the gap; it rises with each reconnect."""
    topic: str
    """Which of the subscription's topics it concerns."""


@attrs.frozen
class Backfilled(Model):
    """A gap was filled, with ``backfill=True``: the next items of its topic were read over REST.

    Where REST did not have everything, a `Gap` for the same gap follows them. A gap can be filled in more than one
    part; the first part says so even when nothing had been missed.
    """

    count: int
    """How many items; 0 when nothing had been missed. With a policy that conflates or drops, fewer may be left."""
    since: float
    """When the gap began, as `Gap.since`."""
    until: float
    """When the topic was acknowledged again."""
    epoch: int
    """As `Gap.epoch`."""
    topic: str
    """Which of the subscription's topics it concerns."""


class About(TypedDict):
    """What every event says, as keywords."""

    market: Literal["spot", "futures"]
    """Which market's socket."""
    private: bool
    """Whether it is logged in."""
    connection: int
    """Its number within the client."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class StreamEvent(Model):
    """The base of what ``streams.events()`` yields."""

    market: Literal["spot", "futures"]
    """Which market's socket."""
    private: bool
    """Whether it is logged in."""
    connection: int
    """Which connection of this client, counted from 1; a reconnect keeps the number."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class Opened(StreamEvent):
    """A connection is up for the first time."""

    url: str
    """Where it leads."""


@attrs.frozen(kw_only=True)
class Authenticated(StreamEvent):
    """The exchange accepted the login, after every connect."""


@attrs.frozen(kw_only=True)
class Subscribed(StreamEvent):
    """The exchange acknowledged a topic."""

    topic: str


@attrs.frozen(kw_only=True)
class Refused(StreamEvent):
    """The exchange refused a topic, or the login (topic is None then)."""

    topic: str | None
    error: Exception
    """What the exchange said, as the exception that it means."""


@attrs.frozen(kw_only=True)
class Lost(StreamEvent):
    """A connection broke; it will be replaced."""

    reason: str
    """What broke it."""
    retry_in: float
    """Seconds until the next try."""


@attrs.frozen(kw_only=True)
class Reconnected(StreamEvent):
    """A broken connection was replaced; its topics follow as `Subscribed`."""

    epoch: int
    """How many connections there were before this one."""
    attempts: int
    """Tries that it took."""


@attrs.frozen(kw_only=True)
class Closed(StreamEvent):
    """A connection was closed for good: nobody needed it, it was given up, or the client was left."""

    reason: str
    """Why it is not needed or not put back."""


@attrs.frozen(kw_only=True)
class Silent(StreamEvent):
    """A topic has been quiet for too long while its connection lives, and something is done about it."""

    topic: str
    seconds: float
    """How long it has been quiet."""
    action: Literal["request", "renew", "replace"]
    """It is asked for its state, subscribed to afresh, or its connection is replaced."""


@attrs.frozen(kw_only=True)
class Stalled(StreamEvent):
    """The program kept the event loop busy, so that nothing of this connection was read, sent or judged meanwhile.

    A computation or a blocking call between two ``await`` does that. What arrived lies in the socket and is read now;
    the connection is not given up for it. The exchange drops one that has sent nothing for 20 seconds.
    """

    seconds: float
    """For how long, at least."""


@attrs.frozen(kw_only=True)
class Suspended(StreamEvent):
    """The machine was suspended: the wall clock has gained on Trio's, which stood still.

    The connection is replaced, or proved by a ping if it was short. Its topics have a gap either way, books and account
    views are stale until they are confirmed. A wall clock that was set forward looks the same.
    """

    seconds: float
    """For how long."""


@attrs.frozen(kw_only=True)
class Malformed(StreamEvent):
    """A message that could not be read was skipped and counted."""

    reason: str
    """The topic and what is wrong."""
    excerpt: bytes
    """The first bytes of it."""


@attrs.frozen(kw_only=True)
class ServerComplaint(StreamEvent):
    """An error of the server that belongs to nothing this client asked for."""

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
"""What ``streams.events()`` yields and `Hooks.on_event` is told."""


@attrs.frozen
class RawPush(Model):
    """An undecoded push of a topic that the library has no model for."""

    topic: str
    """Table or group as it came."""
    data: object
    """The payload as plain JSON values, fractions as Decimal."""
