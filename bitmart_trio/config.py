"""Configure a client: the environment, and limits of time, retries and size. For keys see credentials.py.

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

from ._version import __version__
from .credentials import Proxy, Secret
from .errors import ConfigurationError

if TYPE_CHECKING:
    import ssl  # importing it takes 10 ms, and reading a configuration does not need it

    from .models.call_events import CallReplied, CallSent
    from .models.drift import Drift
    from .models.stream_events import AnyStreamEvent

USER_AGENT: Final = f"bitmart-trio/{__version__}"
"""The library's default name in requests; see `Config.user_agent`."""

Market: TypeAlias = Literal["spot", "futures"]
"""The names of the exchange's two markets."""


def is_loopback(host: str | None) -> bool:
    """Return True if a host name or address means this machine."""
    name = (host or "").rstrip(".").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


_LONGEST_URL: Final = 2_000
_LONGEST_HEADER: Final = 1_000


def _is_url(url: str, schemes: tuple[str, str]) -> bool:
    """Return True if the text is the URL of a host, in plain letters."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")  # as the look-up of its address will do
    except ValueError:  # a malformed port, address or name
        return False
    return fine and url.isascii() and url.isprintable() and " " not in url


def _check_user(url: Secret[str]) -> None:
    if "@" in url.reveal():
        raise ConfigurationError("the URL of an environment must not hold a user or a password")


def _check_url(url: Secret[str], schemes: tuple[str, str]) -> None:
    """Raise `ConfigurationError` unless the text is the URL of a host; a user and a password in it are never shown."""
    if len(url.reveal()) > _LONGEST_URL:
        raise ConfigurationError(f"the URL of an environment has at most {_LONGEST_URL:,} characters")
    _check_user(url)
    if not _is_url(url.reveal(), schemes):
        raise ConfigurationError(f"not a URL of {' or '.join(schemes)}: {url.reveal()!r}")


@attrs.frozen
class Environment:
    """The hosts of an exchange: two for REST and four socket URLs. None means that it lacks that part.

    Use `LIVE`, `DEMO` or `Environment.at`.
    """

    name: str
    """The name, for people and logs."""
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
    """True if credentials may go to one of its hosts without TLS, even if that is not this machine."""

    def __attrs_post_init__(self) -> None:
        for url in map(Secret, filter(None, (self.spot_rest, self.futures_rest))):
            _check_url(url, ("http", "https"))
        sockets = (self.spot_public, self.spot_private, self.futures_public, self.futures_private)
        for url in map(Secret, filter(None, sockets)):
            _check_url(url, ("ws", "wss"))

    @classmethod
    def at(cls, url: str, *, allow_plaintext: bool = False) -> Environment:
        """Return the environment of a simulated exchange: REST of both markets at the root, sockets below ``/ws``.

        Args:
            url: such as ``http://127.0.0.1:8080``; ``https`` gives ``wss`` sockets.
            allow_plaintext: allow credentials to go to another machine without TLS.

        Raises:
            ConfigurationError: the URL is not http or https, or has a user, a query or a fragment.
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
        """Raise `ConfigurationError` if a key would travel in plain text to another machine."""
        if self.allow_plaintext:
            return
        for url in (self.spot_rest, self.futures_rest, self.spot_private, self.futures_private):
            if url is not None and urlsplit(url).scheme in ("http", "ws") and not is_loopback(urlsplit(url).hostname):
                raise ConfigurationError(
                    f"credentials would go to {urlsplit(url).netloc} without TLS; use https, or "
                    "Environment.at(url, allow_plaintext=True)"
                )

    def rest_url(self, market: Market) -> str:
        """Return the REST host of a market.

        Raises:
            ConfigurationError: this environment does not have that market. Another host is never used instead.
        """
        url = self.spot_rest if market == "spot" else self.futures_rest
        return self._have(url, market)

    def socket_url(self, market: Market, private: bool) -> str:
        """Return the socket URL of a market; raises `ConfigurationError` like `rest_url`."""
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
    """Wrap ``Environment.__init__``, so that no variable of a traceback holds a URL with a user and a password."""

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
"""BitMart's simulated trading: futures only, same keys. Spot raises; live is never used instead."""


def _positive(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{attribute.name} must be above 0, not {value!r}")


def _not_negative(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"{attribute.name} must not be negative, not {value!r}")


@attrs.frozen(kw_only=True)
class Timeouts:
    """The deadlines that have a default, in seconds. For all others callers use ``trio.fail_after``."""

    connect: float = attrs.field(default=10.0, validator=_positive)
    """Opening a connection: name look-up, TCP, TLS and, for sockets, the handshake."""
    read: float = attrs.field(default=10.0, validator=_positive)
    """Silence while waiting for a REST reply."""
    write: float = attrs.field(default=10.0, validator=_positive)
    """Sending a REST request."""
    login: float = attrs.field(default=10.0, validator=_positive)
    """Waiting for the reply to a socket's login."""
    acknowledge: float = attrs.field(default=10.0, validator=_positive)
    """Waiting for the acknowledgement of a subscription."""
    snapshot: float = attrs.field(default=5.0, validator=_positive)
    """Waiting for the snapshot of an order book before it is requested more forcefully."""
    reply: float = attrs.field(default=30.0, validator=_positive)
    """A whole REST call, from connecting to the last byte of the reply, however steadily bytes trickle in."""
    close: float = attrs.field(default=3.0, validator=_positive)
    """Closing a socket politely, even when cancelled; after it the connection is cut."""


@attrs.frozen(kw_only=True)
class Backoff:
    """The waits of a broken connection between its retries: doubling, with jitter.

    The n-th wait is drawn uniformly between half and all of ``min(maximum, first * factor ** n)``.
    """

    first: float = attrs.field(default=0.5, validator=_positive)
    """Seconds."""
    factor: float = attrs.field(default=2.0, validator=attrs.validators.ge(1.0))
    maximum: float = attrs.field(default=30.0, validator=_positive)
    """Seconds."""
    attempts: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    """Give up after so many consecutive failures; None never does."""
    stable_after: float = attrs.field(default=10.0, validator=_not_negative)
    """Seconds after which a working connection resets the count."""


@attrs.frozen(kw_only=True)
class Retry:
    """The retries of a REST call.

    Only harmless calls are retried: reads, and writes that were refused without effect.
    """

    attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    """The number of tries in all; 1 never retries."""
    first: float = attrs.field(default=0.25, validator=_not_negative)
    """Seconds before the second try; doubles, with jitter."""
    maximum: float = attrs.field(default=5.0, validator=_not_negative)
    """The longest wait between two tries, in seconds (a rate limit's own window may be longer)."""


@attrs.frozen(kw_only=True)
class Buffers:
    """The sizes of a subscription's buffer, by its overflow policy."""

    conflate: int = attrs.field(default=1024, validator=attrs.validators.ge(1))
    """The number of distinct symbols (or keys) of a state stream."""
    drop_oldest: int = attrs.field(default=1024, validator=attrs.validators.ge(1))
    """Messages."""
    fail: int = attrs.field(default=4096, validator=attrs.validators.ge(1))
    """Messages."""


@attrs.frozen(kw_only=True)
class Hooks:
    """Functions called on events, for logs, metrics and traces; they are called synchronously and must not block.

    A hook never receives a key, a signature or a body. An error that it raises is only logged: it must not end a call
    whose order is in flight.
    """

    on_request: Callable[[CallSent], object] | None = None
    """Called for each try of a REST call when it is handed to the transport, in the caller's task."""
    on_reply: Callable[[CallReplied], object] | None = None
    """Called at the end of each try (answered, refused, broken off or cancelled), once per ``on_request``."""
    on_event: Callable[[AnyStreamEvent], object] | None = None
    """Called with each event that ``streams.events()`` yields, without a buffer."""
    on_drift: Callable[[Drift], object] | None = None
    """Called when a member of a reply or push is first found missing or unreadable."""


def _to_proxy(given: str | Proxy | None) -> Proxy | None:
    return Proxy(given) if isinstance(given, str) else given


def _usable_proxy(_: object, __: attrs.Attribute[Proxy | None], value: Proxy | None) -> None:
    if value is not None and not value.usable:
        raise ConfigurationError("proxy must be an http:// URL of a proxy that serves CONNECT")


def _header_text(_: object, attribute: attrs.Attribute[str | None], value: str | None) -> None:
    if value is not None and len(value) > _LONGEST_HEADER:
        raise ConfigurationError(f"{attribute.name} has at most {_LONGEST_HEADER} characters, not {len(value):,}")
    if value is not None and (not value.isascii() or not value.isprintable() or value != value.strip() or not value):
        raise ConfigurationError(f"{attribute.name} must be printable ASCII without surrounding blanks, not {value!r}")


def _silences(given: Mapping[str, float | None]) -> Mapping[str, float | None]:
    for name, seconds in given.items():
        if not name.startswith(("spot/", "futures/")):
            raise ConfigurationError(f"silence: {name!r} is neither a topic nor a channel (such as spot/ticker)")
        if seconds is not None and not seconds > 0:
            raise ConfigurationError(f"silence: {name} must be above 0 or None, not {seconds!r}")
    return MappingProxyType(dict(given))


@attrs.frozen(kw_only=True)
class Config:
    """The settings of a client. Every field has a default that suits a bot on an ordinary line."""

    timeouts: Timeouts = attrs.field(factory=Timeouts)
    """The deadlines that have a default."""
    ping_interval: float = attrs.field(default=10.0, validator=_positive)
    """Seconds of silence on a socket before a ping is sent; the exchange drops a link after 20."""
    pong_timeout: float = attrs.field(default=5.0, validator=_positive)
    """Seconds after a ping without any message before the connection is replaced."""
    backoff: Backoff = attrs.field(factory=Backoff)
    """The waits between tries to reconnect a socket."""
    retry: Retry = attrs.field(factory=Retry)
    """The retries of REST calls."""
    recv_window: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(1), attrs.validators.le(60_000)]),
    )
    """Milliseconds for which a signed request is valid, sent if the endpoint takes it; None keeps the exchange's 5000.
    """
    rate_limit: Literal["wait", "raise"] = attrs.field(
        default="wait", validator=attrs.validators.in_(("wait", "raise"))
    )
    """The treatment of a call above its quota: it waits for its turn, or raises `RateLimited` without being sent."""
    ban_pause: float = attrs.field(default=60.0, validator=_not_negative)
    """Seconds for which all calls pause after the exchange banned the address (418); doubles with each further ban."""
    strict_reading: bool = False
    """Refuse a reply or push with any missing or unreadable member, instead of leaving that member absent."""
    max_retry_after: float = attrs.field(default=60.0, validator=_not_negative)
    """The longest pause, in seconds, that a Retry-After header can ask for; only the network in front of the exchange
    sends it.
    """
    max_connections: int = attrs.field(default=20, validator=attrs.validators.ge(1))
    """REST connections to one host; a quarter of them, at least one, is reserved for cancels and renewals."""
    keepalive: float = attrs.field(default=20.0, validator=_not_negative)
    """Seconds for which an idle REST connection is kept for reuse; 0 closes each after its reply."""
    max_reply_bytes: int = attrs.field(default=16 * 1024 * 1024, validator=attrs.validators.ge(1024))
    """The largest REST reply; a larger one raises `ReplyTooLarge`. The contract list alone is about 1 MB."""
    max_frame_bytes: int = attrs.field(default=4 * 1024 * 1024, validator=attrs.validators.ge(1024))
    """The largest socket frame, as sent or inflated; a larger one is counted as malformed."""
    proxy: Proxy | None = attrs.field(default=None, converter=_to_proxy, validator=_usable_proxy)
    """``http://[user:password@]host:port``: REST and sockets go through its CONNECT. User and password are never shown.
    """
    tls: ssl.SSLContext | str | os.PathLike[str] | None = None
    """The check of server certificates, for REST and sockets: your own context, or a file of root certificates. None
    uses the system's roots (``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` are honoured), or those of certifi if there are
    none, requires TLS 1.2, and accepts names only from the certificate's list of names.
    """
    user_agent: str | None = attrs.field(default=None, validator=_header_text)
    """The User-Agent header; None names this library. The exchange's edge blocks the default ones of HTTP libraries."""
    broker_id: str | None = attrs.field(default=None, validator=_header_text)
    """The id sent as X-BM-BROKER-ID, for partners of the broker programme."""
    silence: Mapping[str, float | None] = attrs.field(default=MappingProxyType({}), converter=_silences, hash=False)
    """Seconds of silence on a topic of a living connection after which the topic is probed; after half as long again
    the connection is replaced. None allows silence for ever.

    Keyed by topic (``spot/ticker:BTC_USDT``) or by channel, the part before the colon (``spot/ticker``). Channels with
    a regular cadence have a default deadline: 60 for ``spot/depth/increase100``, ``futures/depthIncrease...``,
    ``futures/ticker`` without a symbol and ``futures/position``, 300 for ``futures/fundingRate``. The others send on
    change only and have none.
    """
    buffers: Buffers = attrs.field(factory=Buffers)
    """Of subscriptions."""
    hooks: Hooks = attrs.field(factory=Hooks)
    """Functions called on events."""
    clock: Callable[[], float] | None = None
    """The clock, in seconds since 1970 UTC; None is ``time.time``."""
    stalled_after: float | None = attrs.field(default=None, validator=attrs.validators.optional(_positive))
    """Seconds for which the program may keep the event loop busy before `Stalled` is emitted; None is a fifth of
    `pong_timeout`, infinity never emits it.
    """
    suspended_after: float = attrs.field(default=5.0, validator=_positive)
    """Seconds that `clock` must gain on Trio's clock between two readings for the machine to count as suspended
    (`Suspended`); infinity turns this off.
    """
    tap: bool = True
    """True reads sockets in batches (fast); False uses trio-websocket's ``get_message`` for every message."""


def _wrapping_the_proxy(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap ``Config.__init__``, to hide the password of the proxy's URL before anything can be refused."""

    @wraps(init)
    def wrapped(self: Config, **given: object) -> None:
        given["proxy"] = _to_proxy(cast("str | None", given.get("proxy")))
        init(self, **given)

    return wrapped


Config.__init__ = _wrapping_the_proxy(Config.__init__)  # type: ignore[method-assign]
