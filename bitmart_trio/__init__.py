"""A Trio library for the BitMart exchange: typed REST, streams as ``async for``, and a simulated exchange to run it all against.

    import bitmart_trio as bm

    async with bm.open_client(bm.Credentials.from_env()) as client:
        ticker = await client.spot.market.ticker("BTC_USDT")
        async with client.streams.spot.trade("BTC_USDT") as trades:
            async for trade in trades:
                ...

The simulated exchange (``bm.sim``) loads on first access.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from . import endpoints as endpoints
from . import errors as errors
from . import models as models
from ._core.endpoint import Auth, Endpoint, Quota
from ._core.reply import QuotaUse, RawReply, Reply, extras
from ._io.subscription import Subscription, SubscriptionStatistics
from ._version import __version__ as __version__
from .client import Client, Futures, Spot, Streams, open_client, open_futures, open_spot, open_streams
from .config import DEMO, LIVE, Backoff, Buffers, Config, Credentials, Environment, Retry, Timeouts
from .errors import (
    AddressBanned,
    ApiError,
    AuthenticationError,
    BadSignature,
    BitMartError,
    ClockOutOfSync,
    ConfigurationError,
    ConnectionLost,
    DuplicateRequest,
    EndpointRemoved,
    ExchangeFault,
    FundingRefused,
    InsufficientBalance,
    InvalidOrder,
    InvalidRequest,
    InvalidSymbol,
    Maintenance,
    MalformedReply,
    MarginRefused,
    MissingCredentials,
    NoData,
    NotFound,
    OrderClosed,
    OrderNotFound,
    OutcomeUnknown,
    PermissionDenied,
    PositionRefused,
    RateLimited,
    ReplyTooLarge,
    RequestRefused,
    ServiceUnavailable,
    StreamError,
    StreamGap,
    SubscriberTooSlow,
    SubscriptionRefused,
    TooManyOrders,
    TransportError,
)
from .models import Gap, Millis, Seconds, from_millis, from_seconds

_LAZY: Final = frozenset({"sim"})

if TYPE_CHECKING:
    from . import sim as sim
else:

    def __getattr__(name: str) -> object:
        if name in _LAZY:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


__all__ = [
    "DEMO",
    "LIVE",
    "AddressBanned",
    "ApiError",
    "Auth",
    "AuthenticationError",
    "Backoff",
    "BadSignature",
    "BitMartError",
    "Buffers",
    "Client",
    "ClockOutOfSync",
    "Config",
    "ConfigurationError",
    "ConnectionLost",
    "Credentials",
    "DuplicateRequest",
    "Endpoint",
    "EndpointRemoved",
    "Environment",
    "ExchangeFault",
    "FundingRefused",
    "Futures",
    "Gap",
    "InsufficientBalance",
    "InvalidOrder",
    "InvalidRequest",
    "InvalidSymbol",
    "Maintenance",
    "MalformedReply",
    "MarginRefused",
    "Millis",
    "MissingCredentials",
    "NoData",
    "NotFound",
    "OrderClosed",
    "OrderNotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "PositionRefused",
    "Quota",
    "QuotaUse",
    "RateLimited",
    "RawReply",
    "Reply",
    "ReplyTooLarge",
    "RequestRefused",
    "Retry",
    "Seconds",
    "ServiceUnavailable",
    "Spot",
    "StreamError",
    "StreamGap",
    "Streams",
    "SubscriberTooSlow",
    "Subscription",
    "SubscriptionRefused",
    "SubscriptionStatistics",
    "Timeouts",
    "TooManyOrders",
    "TransportError",
    "endpoints",
    "errors",
    "extras",
    "from_millis",
    "from_seconds",
    "models",
    "open_client",
    "open_futures",
    "open_spot",
    "open_streams",
    "sim",
    "__version__",
]
