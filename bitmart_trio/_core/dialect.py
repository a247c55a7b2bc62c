"""Define what the core needs of a venue: spelling, signing, envelopes, codes and pushes.

A `Pipeline` needs a `RestDialect`, a connection needs a `SocketDialect`, and a client of streams needs a `Venue`.
Whatever is needed at every message or call is fetched from them once, when the pipeline, connection or client is made.

These Protocols are provisional: names and signatures follow what the venues need (docs/guides/another_venue.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import attrs

from ..config import Config
from ..errors import AddressBanned, ApiError, ExchangeFault, RateLimited, ServiceUnavailable
from .channel import Channel
from .endpoint import Auth, Endpoint
from .inflate import inflate
from .quota import QuotaUse
from .request import WireRequest

# ---- REST -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Unwrapped:
    """A reply out of its envelope."""

    ok: bool
    code: int
    """0 when there is none."""
    message: str
    trace: str | None
    data: bytes
    """The payload as JSON, b"" when it is missing."""


HTTP_STATUSES: Final[Mapping[int, type[ApiError]]] = MappingProxyType({
    418: AddressBanned, 429: RateLimited, 500: ExchangeFault,
    **dict.fromkeys((501, 502, 503, 504, *range(520, 531)), ServiceUnavailable),
})  # fmt: skip
"""The exceptions of HTTP statuses, if the body carries no documented code. Other statuses then mean nothing: a gateway
that answers 403 or 404 has not forwarded the request to the exchange.
"""


@attrs.frozen(kw_only=True)
class Codes:
    """The meanings of the codes in a venue's replies."""

    documented: Collection[int]
    """The codes that refuse a write for good. After any other code the outcome of the write is unknown."""
    clock: Collection[int]
    """The timestamp was refused: the clock is set, and the call repeated once."""
    too_many: Collection[int]
    """Too many calls, whatever the HTTP status: a write was not done, and may be repeated."""
    named: Callable[[int, str], type[ApiError] | None]
    """The exception of a code and its message; None for one that is not documented."""

    def error_class(self, code: int, message: str = "", http_status: int | None = None) -> type[ApiError]:
        """Return the exception class of a refusal; unknown codes fall back to the HTTP status, then to `ApiError`."""
        named = self.named(code, message)
        if named is not None:
            return named
        status = http_status or 0
        otherwise = ServiceUnavailable if 300 <= status < 400 or status > 500 else ApiError
        return HTTP_STATUSES.get(status, otherwise)


class RestDialect(Protocol):
    """The spelling of a venue's REST API. Methods with a body here are defaults."""

    codes: Codes
    """The meanings of its codes."""
    rows: Collection[Endpoint[Any]]
    """Every endpoint that is known so far."""
    time_path: str
    """A GET of this path, without a signature, is answered with the venue's time."""

    def server_time(self, data: object) -> int | None:
        """Return the milliseconds that the payload of `time_path` says; None if it says none."""
        ...

    def common_headers(self, config: Config) -> Mapping[str, str]:
        """Return the headers that every request of a client carries, beside those of HTTP itself."""
        return {}

    def string_to_sign(self, request: WireRequest, timestamp: int, memo: str) -> bytes:
        """Return what the signature of a call covers."""
        ...

    def headers(self, auth: Auth, key: str, timestamp: int, signature: str) -> Mapping[str, str]:
        """Return the headers that prove who calls."""
        ...

    def unwrap(self, envelope: Enum | None, body: bytes) -> Unwrapped:
        """Take a reply out of its envelope.

        Args:
            envelope: the kind of envelope that the endpoint's row names; None for the usual one.
            body: the body of the reply.

        Raises:
            codec.DecodeError: the body is not a reply of the API.
        """
        ...

    def quota_use(self, headers: Mapping[str, str]) -> QuotaUse | None:
        """Return what the headers of a reply (in lower case) say of the quota, None if nothing."""
        return None

    def hint(self, error: ApiError, arguments: Mapping[str, object], path: str, offset: float, bound: float) -> str:
        """Return what a person can do about a refusal, as a sentence; "" when there is nothing to add.

        Args:
            error: the refusal.
            arguments: the arguments of the call, by Python keyword.
            path: the path of the call.
            offset: seconds by which the local clock is behind the venue's, as far as known.
            bound: how far `offset` may be off; infinite when it was never measured.
        """
        return ""


# ---- sockets --------------------------------------------------------------------------------------------------------

Verb: TypeAlias = Literal["subscribe", "unsubscribe"]


class Data(NamedTuple):
    """A push: its name, and its payload as JSON."""

    key: str
    raw: bytes


Push: TypeAlias = tuple[str, bytes]
"""An undecoded push: its name, and the whole frame. A bare tuple, because there are tens of thousands a second."""


class Pong(NamedTuple):
    """The answer to a ping."""


class LoggedIn(NamedTuple):
    """The login was accepted."""


class Acknowledged(NamedTuple):
    """One topic of a subscribe or unsubscribe took effect."""

    verb: Verb
    topic: str


class Refused(NamedTuple):
    """The server said no; topic and verb only where it names them."""

    error: ApiError
    topic: str | None
    about: Literal["login", "subscribe", "unsubscribe"] | None
    benign: bool
    """True if the requested state already holds."""
    fatal: bool
    """True if the connection is of no more use: limits, faults, not logged in."""


class Unknown(NamedTuple):
    """A frame that is well formed and means nothing to us."""

    text: str


Spoken: TypeAlias = Data | Pong | LoggedIn | Acknowledged | Refused | Unknown


@attrs.frozen
class SocketLimits:
    """The limits of one kind of connection."""

    topics: int
    """The most topics on one connection."""
    connections: int
    """The most connections from one address."""
    topics_per_frame: int
    frame_bytes: int
    messages: int = 100
    """The most messages that we may send in `messages_per` seconds, pings included."""
    messages_per: float = 10.0
    connects: int = 30
    """The most connects from one address in `connects_per` seconds."""
    connects_per: float = 60.0
    apart: bool = True
    """True if public and private connections are counted separately."""
    idle: float = 20.0
    """Seconds after which the exchange drops a connection that has sent nothing."""


class SocketDialect(Protocol):
    """The spelling of the sockets of one market of a venue. Methods with a body here are defaults."""

    market: str
    """The market's name, for people and events."""
    ping: str
    """The frame that asks the peer for a pong."""
    names_clock: bool = True
    """True if a refused login names the timestamp as its cause. If False, any refusal may be due to the timestamp."""

    def peek(self, payload: bytes, /) -> str | None:
        """Return the name of a push from a few bytes of its frame; None if it does not look like one.

        A frame with a name goes to the `push_reader` of its channel before it is read in steps.
        """
        return None

    def unpack(self, data: bytes, ceiling: int, /) -> bytes:
        """Return the text of a binary frame.

        Raises:
            InflateError: the frame cannot be unpacked, or holds more than the ceiling allows.
        """
        return inflate(data, ceiling)

    def read(self, payload: bytes) -> Spoken:
        """Return what a frame says.

        Raises:
            codec.DecodeError: the frame cannot be read.
        """
        ...

    def spell(self, verb: str, topics: Iterable[str]) -> str:
        """Return the frame of a verb ("subscribe", "unsubscribe", "request") and topics."""
        ...

    def string_to_sign(self, timestamp: int, memo: str) -> bytes:
        """Return what the signature of a login covers."""
        ...

    def login(self, key: str, timestamp: int, signature: str) -> str:
        """Return the login frame."""
        ...

    def limits(self, private: bool) -> SocketLimits:
        """Return what the venue allows a connection of this market."""
        ...

    def push_reader(self, channel: Channel[Any]) -> Callable[[bytes], list[Any] | None] | None:
        """Return what reads the items of a whole push of a channel at once; see `codec.push_decoder`.

        The function may return None for a frame, and a channel may have no such function: then the frame is read in
        steps.
        """
        return None

    def bare(self, name: str, /) -> str:
        """Return a topic's text, or a push's name, without what one may have and the other lack."""
        return name

    def hint(self, topic: str, /) -> str:
        """Return what a person can do about a refused topic, as a sentence; "" when there is nothing to add."""
        return ""


@attrs.frozen(eq=False)
class Topic:
    """One topic: what is subscribed to, and how its pushes and their items are known."""

    text: str
    """The topic as on the wire."""
    dialect: SocketDialect
    """The dialect of the market whose socket serves the topic."""
    private: bool
    """True if the topic needs a login."""
    channel: Channel[Any] | None
    """None for a topic that the venue's rows do not know: then its pushes are handed out undecoded."""
    keys: tuple[str, ...]
    """The possible names of its pushes, the most exact one first."""
    name: str
    """The name of all topics of its kind in `Config.silence`."""
    subject: str | None = None
    """The ``symbol`` of the topic's items, where several topics share a push name; None if it takes all items."""
    shared: bool = False
    """True if its pushes serve topics with and without a subject, and may be repeated under another of `keys`."""

    @property
    def market(self) -> str:
        """The market whose socket serves it."""
        return self.dialect.market


class Venue(Protocol):
    """The streams of an exchange: its markets, its topics, and where its sockets are."""

    def topic(self, text: str) -> Topic:
        """Return the topic that a text names.

        Raises:
            InvalidRequest: the text is not spelled like a topic.
        """
        ...

    def sockets(self, market: str) -> SocketDialect:
        """Return how a market's sockets are spelled."""
        ...

    def socket_url(self, market: str, private: bool) -> str:
        """Return where they are; raises `ConfigurationError` where there are none."""
        ...

    def bare(self, push: str, /) -> str:
        """Return the name of a push without what its topic may lack."""
        return push


def pack(dialect: SocketDialect, verb: Verb, topics: Iterable[str], limits: SocketLimits) -> tuple[str, list[str]]:
    """One frame with as many of the topics as may go into it (at least one), and which those are."""
    taken: list[str] = []
    text = ""
    for topic in topics:
        if len(taken) == limits.topics_per_frame:
            break
        longer = dialect.spell(verb, [*taken, topic])
        if taken and len(longer.encode()) > limits.frame_bytes:
            break
        text = longer
        taken.append(topic)
    return text, taken
