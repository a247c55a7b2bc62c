"""What a client is set up with: where the exchange is, and how long, how often and how much. Who calls: credentials.py.

Everything here is frozen, does no IO and can be shared between clients.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import attrs

from .credentials import Proxy, Secret
from .errors import ConfigurationError

if TYPE_CHECKING:
    import ssl  # takes 10 ms, and who only reads a configuration needs none of it

    from .models.call_events import CallReplied, CallSent
    from .models.drift import Drift
    from .models.stream_events import AnyStreamEvent

Market: TypeAlias = Literal["spot", "futures"]
"""The two halves of the exchange."""


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is this machine itself."""
    name = (host or "").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


_LONGEST_URL: Final = 2_000
_LONGEST_HEADER: Final = 1_000


def _is_url(url: str, schemes: tuple[str, str]) -> bool:
    """Whether it is the URL of a host, in plain letters."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # as the look-up of its address will
    except ValueError:  # a malformed port, address or name
        return False
    return fine and url.isascii() and url.isprintable() and " " not in url


def _check_user(url: Secret[str]) -> None:
    if "@" in url.reveal():
        raise ConfigurationError("the URL of an environment holds no user and no password")


def _check_url(url: Secret[str], schemes: tuple[str, str]) -> None:
    """Raise `ConfigurationError` for what is no URL of a host; a user and a password in it are never shown."""
    if len(url.reveal()) > _LONGEST_URL:
        raise ConfigurationError(f"the URL of an environment has at most {_LONGEST_URL:,} characters")
    _check_user(url)
    if not _is_url(url.reveal(), schemes):
        raise ConfigurationError(f"not a URL of {' or '.join(schemes)}: {url.reveal()!r}")


@attrs.frozen
class Environment:
    """Where an exchange is: two REST hosts and four socket URLs. None means that it does not have it.

    Use `LIVE`, `DEMO` or `Environment.at`.
    """

    name: str
    """For people and logs."""
    spot_rest: str | None
    """REST host of the spot market."""
    futures_rest: str | None
    """REST host of the futures market."""
    spot_public: str | None
    """Socket for spot market data."""
    spot_private: str | None
    """Socket for spot account pushes."""
    futures_public: str | None
    """Socket for futures market data."""
    futures_private: str | None
    """Socket for futures account pushes."""
    allow_plaintext: bool = False
    """Whether credentials may go to a host of it without TLS, though it is not this machine."""

    def __attrs_post_init__(self) -> None:
        for url in map(Secret, filter(None, (self.spot_rest, self.futures_rest))):
            _check_url(url, ("http", "https"))
        sockets = (self.spot_public, self.spot_private, self.futures_public, self.futures_private)
        for url in map(Secret, filter(None, sockets)):
            _check_url(url, ("ws", "wss"))

    @classmethod
    def at(cls, url: str, *, allow_plaintext: bool = False) -> Environment:
        """A simulated exchange: REST of both markets at the root, sockets below ``/ws``.

        Args:
            url: such as ``http://127.0.0.1:8080``; ``https`` gives ``wss`` sockets.
            allow_plaintext: let credentials go to a host that is neither this machine nor spoken to by TLS.

        Raises:
            ConfigurationError: not an http or https URL, or one with a user, a query or a fragment.
        """
        given = Secret(url.strip().rstrip("/"))
        del url
        if "@" not in given.reveal():
            scheme, _, rest = given.reveal().partition("://")
            given = Secret(f"{scheme.lower()}://{rest}")
        _check_url(given, ("http", "https"))
        root = given.reveal()
        if urlsplit(root).query or urlsplit(root).fragment:
            raise ConfigurationError(f"not the URL of a simulated exchange: {root!r}")
        sockets = f"ws{root.removeprefix('http')}/ws"
        return cls(
            allow_plaintext=allow_plaintext,
            name=root,
            spot_rest=root,
            futures_rest=root,
            spot_public=f"{sockets}/spot/public?protocol=1.1",
            spot_private=f"{sockets}/spot/private?protocol=1.1",
            futures_public=f"{sockets}/futures/public?protocol=1.1",
            futures_private=f"{sockets}/futures/private?protocol=1.1",
        )

    def require_safe_for_credentials(self) -> None:
        """Raise `ConfigurationError` where a key would travel in plain text to another machine."""
        if self.allow_plaintext:
            return
        for url in (self.spot_rest, self.futures_rest, self.spot_private, self.futures_private):
            if url is not None and urlsplit(url).scheme in ("http", "ws") and not is_loopback(urlsplit(url).hostname):
                raise ConfigurationError(
                    f"credentials would go to {urlsplit(url).netloc} without TLS; use https, or say "
                    "Environment.at(url, allow_plaintext=True)"
                )

    def rest_url(self, market: Market) -> str:
        """The REST host of a market.

        Raises:
            ConfigurationError: this environment does not have that market. Nothing ever falls back to another host.
        """
        url = self.spot_rest if market == "spot" else self.futures_rest
        return self._have(url, market)

    def socket_url(self, market: Market, private: bool) -> str:
        """The socket URL of a market; raises `ConfigurationError` like `rest_url`."""
        if market == "spot":
            url = self.spot_private if private else self.spot_public
        else:
            url = self.futures_private if private else self.futures_public
        return self._have(url, market)

    def _have(self, url: str | None, market: Market) -> str:
        if url is None:
            raise ConfigurationError(f"the {self.name} environment has no {market} market")
        return url


def _refusing_passwords(init: Callable[..., None]) -> Callable[..., None]:
    """``Environment.__init__`` that takes no URL with a user and a password into a variable that could be shown."""

    @wraps(init)
    def wrapped(self: Environment, *args: object, **given: object) -> None:
        half_made, values = Secret(self), Secret((args, given))
        del self, args, given
        for each in map(Secret, (*values.reveal()[0], *values.reveal()[1].values())):
            if "://" in str(each.reveal()):
                _check_user(Secret(str(each.reveal())))
        init(half_made.reveal(), *values.reveal()[0], **values.reveal()[1])

    return wrapped


Environment.__init__ = _refusing_passwords(Environment.__init__)  # type: ignore[method-assign]


LIVE: Final = Environment(
    name="live",
    spot_rest="https://api-cloud.bitmart.com",
    futures_rest="https://api-cloud-v2.bitmart.com",
    spot_public="wss://ws-manager-compress.bitmart.com/api?protocol=1.1",
    spot_private="wss://ws-manager-compress.bitmart.com/user?protocol=1.1",
    futures_public="wss://openapi-ws-v2.bitmart.com/api?protocol=1.1",
    futures_private="wss://openapi-ws-v2.bitmart.com/user?protocol=1.1",
)
"""BitMart itself. Trading ended on 2026-08-26; the platform stops on 2027-01-31 15:59 UTC."""

DEMO: Final = Environment(
    name="demo",
    spot_rest=None,
    futures_rest="https://demo-api-cloud-v2.bitmart.com",
    spot_public=None,
    spot_private=None,
    futures_public="wss://openapi-wsdemo-v2.bitmart.com/api?protocol=1.1",
    futures_private="wss://openapi-wsdemo-v2.bitmart.com/user?protocol=1.1",
)
"""BitMart's simulated trading: futures only, same keys. Asking it for spot raises; it never falls back to live."""


def _positive(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{attribute.name} must be above 0, not {value!r}")


def _not_negative(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"{attribute.name} must not be negative, not {value!r}")


@attrs.frozen(kw_only=True)
class Timeouts:
    """The waits that have a default, in seconds. Everything else is the caller's ``trio.fail_after``."""

    connect: float = attrs.field(default=10.0, validator=_positive)
    """A connection: name look-up, TCP, TLS and, for sockets, the handshake."""
    read: float = attrs.field(default=10.0, validator=_positive)
    """Silence while a REST reply is awaited."""
    write: float = attrs.field(default=10.0, validator=_positive)
    """A REST request that cannot be sent."""
    login: float = attrs.field(default=10.0, validator=_positive)
    """The reply to a socket's login."""
    acknowledge: float = attrs.field(default=10.0, validator=_positive)
    """The acknowledgement of a subscription."""
    snapshot: float = attrs.field(default=5.0, validator=_positive)
    """The snapshot of an order book, before it is asked for in a stronger way."""
    reply: float = attrs.field(default=30.0, validator=_positive)
    """A whole REST exchange, from dialling to the last byte of the reply, however steadily bytes trickle in."""
    close: float = attrs.field(default=3.0, validator=_positive)
    """A polite close of a socket, also while being cancelled; after it the connection is cut."""


@attrs.frozen(kw_only=True)
class Backoff:
    """How long a broken connection waits before it tries again: doubling, with jitter.

    The n-th wait is drawn evenly between half and all of ``min(maximum, first * factor ** n)``.
    """

    first: float = attrs.field(default=0.5, validator=_positive)
    """Seconds."""
    factor: float = attrs.field(default=2.0, validator=attrs.validators.ge(1.0))
    maximum: float = attrs.field(default=30.0, validator=_positive)
    """Seconds."""
    attempts: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    """Give up after so many failures in a row; None never does."""
    stable_after: float = attrs.field(default=10.0, validator=_not_negative)
    """A connection that lived so many seconds starts the count anew."""


@attrs.frozen(kw_only=True)
class Retry:
    """How often a REST call is repeated.

    Only what cannot do harm is: reads, and writes that were refused before being acted on.
    """

    attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    """Tries in all; 1 never repeats."""
    first: float = attrs.field(default=0.25, validator=_not_negative)
    """Seconds before the second try; doubles, with jitter."""
    maximum: float = attrs.field(default=5.0, validator=_not_negative)
    """The longest wait between two tries, in seconds (a rate limit's own window may be longer)."""


@attrs.frozen(kw_only=True)
class Buffers:
    """How many messages a subscription holds for a consumer that is behind, by its overflow policy."""

    conflate: int = attrs.field(default=1024, validator=attrs.validators.ge(1))
    """Distinct symbols (or keys) of a state stream."""
    drop_oldest: int = attrs.field(default=1024, validator=attrs.validators.ge(1))
    """Messages."""
    fail: int = attrs.field(default=4096, validator=attrs.validators.ge(1))
    """Messages."""


@attrs.frozen(kw_only=True)
class Hooks:
    """Functions that are told what happens, for logs, metrics and traces; each is called at once and must not block.

    A hook is never told a key, a signature or a body. What it raises is logged and goes no further: it must not end a
    call whose order is on the way.
    """

    on_request: Callable[[CallSent], object] | None = None
    """Each try of a REST call, when it is handed to the transport, in the caller's task."""
    on_reply: Callable[[CallReplied], object] | None = None
    """The end of each try: answered, refused, broken off or cancelled; exactly one for each ``on_request``."""
    on_event: Callable[[AnyStreamEvent], object] | None = None
    """What ``streams.events()`` yields, without a buffer in between."""
    on_drift: Callable[[Drift], object] | None = None
    """A member of a reply or push that is missing or unreadable, when it is met first."""


def _to_proxy(given: str | Proxy | None) -> Proxy | None:
    return Proxy(given) if isinstance(given, str) else given


def _usable_proxy(_: object, __: attrs.Attribute[Proxy | None], value: Proxy | None) -> None:
    if value is not None and not value.usable:
        raise ConfigurationError("proxy must be an http:// URL of a proxy that serves CONNECT")


def _header_text(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None and len(value) > _LONGEST_HEADER:
        raise ConfigurationError(f"{attribute.name} has at most {_LONGEST_HEADER} characters, not {len(value):,}")
    if value is not None and (not value.isascii() or not value.isprintable() or value != value.strip() or not value):
        raise ConfigurationError(f"{attribute.name} must be printable ASCII without blanks around it, not {value!r}")


def _silences(given: Mapping[str, float | None]) -> Mapping[str, float | None]:
    for name, seconds in given.items():
        if not name.startswith(("spot/", "futures/")):
            raise ConfigurationError(f"silence: {name!r} is neither a topic nor a channel (such as spot/ticker)")
        if seconds is not None and not seconds > 0:
            raise ConfigurationError(f"silence: {name} must be above 0 or None, not {seconds!r}")
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class Config:
    """How a client behaves. Every field has a default that suits a bot on an ordinary line."""

    timeouts: Timeouts = attrs.field(factory=Timeouts)
    """The waits that have a default."""
    ping_interval: float = attrs.field(default=10.0, validator=_positive)
    """Seconds of silence on a socket before a ping is sent; the exchange drops a link after 20."""
    pong_timeout: float = attrs.field(default=5.0, validator=_positive)
    """Seconds after a ping without any message before the connection is replaced."""
    backoff: Backoff = attrs.field(factory=Backoff)
    """Between tries to connect a socket again."""
    retry: Retry = attrs.field(factory=Retry)
    """Of REST calls."""
    recv_window: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(1), attrs.validators.le(60_000)]),
    )
    """Milliseconds that a signed request stays valid, sent where the endpoint takes it; None leaves the exchange's
    5000.
    """
    rate_limit: Literal["wait", "raise"] = attrs.field(
        default="wait", validator=attrs.validators.in_(("wait", "raise"))
    )
    """A call above its quota waits for its turn, or raises `RateLimited` without being sent."""
    ban_pause: float = attrs.field(default=60.0, validator=_not_negative)
    """Seconds that everything pauses after the exchange banned the address (418); doubles with each further ban."""
    strict_reading: bool = False
    """Refuse a reply or push with any missing or unreadable member, instead of leaving that member absent."""
    max_retry_after: float = attrs.field(default=60.0, validator=_not_negative)
    """Seconds: the longest pause that a Retry-After header, which only the network in front of the exchange sends, can
    ask for.
    """
    max_connections: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    """REST connections to one host; a quarter of them, at least one, is kept for cancels and renewals."""
    keepalive: float = attrs.field(default=20.0, validator=_not_negative)
    """Seconds that an idle REST connection is kept for reuse; 0 closes each after its reply."""
    max_reply_bytes: int = attrs.field(default=16 * 1024 * 1024, validator=attrs.validators.ge(1024))
    """A larger REST reply raises `ReplyTooLarge`; the contract list alone is about 1 MB."""
    max_frame_bytes: int = attrs.field(default=4 * 1024 * 1024, validator=attrs.validators.ge(1024))
    """A larger socket frame, as sent or inflated, is counted as malformed."""
    proxy: Proxy | None = attrs.field(default=None, converter=_to_proxy, validator=_usable_proxy)
    """``http://[user:password@]host:port``: REST and sockets go through its CONNECT. User and password are never shown.
    """
    tls: ssl.SSLContext | str | os.PathLike[str] | None = None
    """What a server's certificate is judged by, of REST and sockets alike: a context of yours as it is, or a file of
    root certificates. None takes the roots of the system (``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are honoured), or
    those of certifi where it has none, at least TLS 1.2, and names from the certificate's list of names only.
    """
    user_agent: str | None = attrs.field(default=None, validator=_header_text)
    """None names this library and its version. The exchange's edge turns away the default agents of HTTP libraries."""
    broker_id: str | None = attrs.field(default=None, validator=_header_text)
    """Sent as X-BM-BROKER-ID, for partners of the broker programme."""
    silence: Mapping[str, float | None] = attrs.field(default=MappingProxyType({}), converter=_silences, hash=False)
    """Seconds of quiet on a topic, while its connection lives, after which the topic is probed and half as long again
    after which its connection is replaced; None lets it be quiet for ever.

    By topic (``spot/ticker:BTC_USDT``) or by channel, which is what stands before the colon (``spot/ticker``). Channels
    that have a cadence bring a deadline of their own: 60 for ``spot/depth/increase100``, ``futures/depthIncrease...``,
    ``futures/ticker`` without a symbol and ``futures/position``, 300 for ``futures/fundingRate``. The others speak on
    change only and have none.
    """
    buffers: Buffers = attrs.field(factory=Buffers)
    """Of subscriptions."""
    hooks: Hooks = attrs.field(factory=Hooks)
    """Functions that are told what happens."""
    clock: Callable[[], float] | None = None
    """Seconds since 1970 UTC; None is ``time.time``."""
    stalled_after: float | None = attrs.field(default=None, validator=attrs.validators.optional(_positive))
    """Seconds that the program may keep the event loop busy before `Stalled` is emitted; None is a fifth of
    `pong_timeout`, infinity never emits it.
    """
    suspended_after: float = attrs.field(default=5.0, validator=_positive)
    """Seconds that `clock` must gain on Trio's clock from one look to the next before the machine counts as suspended
    (`Suspended`); infinity never does.
    """
    tap: bool = True
    """Read sockets a batch at a time (fast); False uses trio-websocket's ``get_message`` for every message."""


def _wrapping_the_proxy(init: Callable[..., None]) -> Callable[..., None]:
    """``Config.__init__`` with the password of the proxy's URL out of sight before anything can be refused."""

    @wraps(init)
    def wrapped(self: Config, **given: object) -> None:
        given["proxy"] = _to_proxy(cast("str | None", given.get("proxy")))
        init(self, **given)

    return wrapped


Config.__init__ = _wrapping_the_proxy(Config.__init__)  # type: ignore[method-assign]
