"""Faults of the way between client and exchange: what is lost, late, cut off, repeated or out of order."""

from __future__ import annotations

from typing import ClassVar

import attrs

from ..kernel.faults import SOCKETS, AtConnection, AtPath, AtTopic, Fault

__all__ = [
    "Delay", "Drop", "DropDuringLogin", "Duplicate", "Gap", "Garbage", "HalfReply", "HangHandshake", "LatePong",
    "LoseAck", "LoseReply", "LoseRequest", "MuteTopic", "RefuseConnect", "Reorder", "SlowLink", "Stall",
]  # fmt: skip

# --- requests ---


@attrs.frozen
class LoseRequest(AtPath):
    """The request never reaches the exchange.

    The connection breaks. A client must treat a write as unknown, look it up, and find nothing.
    """


@attrs.frozen
class LoseReply(AtPath):
    """The request is carried out and the connection breaks before any answer.

    A client must not repeat a write: look it up, and find it.
    """


@attrs.frozen
class HalfReply(AtPath):
    """The request is carried out and the connection ends in the middle of the reply's body.

    A client must treat it as `LoseReply`.
    """


@attrs.frozen
class Delay(AtPath):
    """The exchange sits on the request for so many seconds and then carries it out.

    A client that gave up waiting has still placed its order.
    """

    seconds: float = 1.0
    before: bool = True
    """Wait before carrying it out; else carry it out at once and answer late."""


# --- connections ---


@attrs.frozen
class RefuseConnect(AtConnection):
    """The connection is refused.

    Over TCP the kind of a connection is not known yet when it is refused, so any pattern refuses the next connection
    there. A client must back off and try again.
    """

    connection: str = "*"
    times: int | None = 1


@attrs.frozen
class HangHandshake(AtConnection):
    """The WebSocket handshake is never answered, and the connection stays open.

    A client must give up by its own deadline and try again.
    """


@attrs.frozen
class Drop(AtConnection):
    """The connection breaks without a closing handshake.

    Without ``after`` all connections that match are reset at once, unread data included, and the fault is used up. With
    ``after=n`` n more frames are sent and arrive, then the connection ends. A client must reconnect, log in anew, and
    subscribe to what is wanted now.
    """

    code: int | None = None
    """End with a close frame of this code instead, as a server does that is restarted."""


@attrs.frozen
class Stall(Fault):
    """Nothing more is sent, pongs included, while the connection stays open.

    It goes on when the fault is removed or has lasted its time. A client must notice the silence by its own deadline
    and replace the connection.
    """

    place: ClassVar[str] = "connection"
    connection: str = SOCKETS


@attrs.frozen
class SlowLink(AtConnection):
    """The exchange sends its bytes in a trickle.

    A client must stay alive as long as bytes come, and not hold up its other connections.
    """

    times: int | None = None
    bytes_per_second: int = 1000


@attrs.frozen
class LatePong(AtConnection):
    """Pongs come so many seconds late; all else is on time. A client must not drop a link on which data flows."""

    times: int | None = None
    seconds: float = 5.0


@attrs.frozen
class DropDuringLogin(AtConnection):
    """The connection breaks after the login was sent and before its reply.

    A client must log in again on the next connection.
    """


# --- pushes ---


@attrs.frozen
class LoseAck(AtTopic):
    """The subscription takes effect but is never acknowledged. A client must give up by its own deadline."""


@attrs.frozen
class MuteTopic(AtTopic):
    """The topic goes silent while the connection lives.

    A client must notice by the topic's cadence, for pongs still come.
    """

    times: int | None = None


@attrs.frozen
class Gap(AtTopic):
    """A push is lost. A client must notice the gap where versions allow it, and never show a wrong book."""


@attrs.frozen
class Duplicate(AtTopic):
    """A push is sent twice. A client must not apply it twice where it has a version or an id."""


@attrs.frozen
class Reorder(AtTopic):
    """A push is held back and sent after the topic's next one.

    A client must notice the gap, and never show a wrong book.
    """


@attrs.frozen
class Garbage(AtTopic):
    """A push is followed by a frame that cannot be read.

    Broken deflate or cut-off JSON. A client must count it and go on.
    """
