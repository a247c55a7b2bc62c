"""A Trio library for the BitMart exchange: typed REST, streams as ``async for``, and a simulated exchange to try it on.

    import bitmart_trio as bm

    async with bm.open_client(bm.Credentials.from_env()) as client:
        ticker = await client.spot.market.ticker("BTC_USDT")
        async with client.streams.spot.trade("BTC_USDT") as trades:
            async for trade in trades:
                ...

Everything loads when it is first named: importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from ._version import __version__ as __version__

if TYPE_CHECKING:
    from . import blocking as blocking
    from . import convert as convert
    from . import endpoints as endpoints
    from . import errors as errors
    from . import history as history
    from . import models as models
    from . import sim as sim
    from . import telemetry as telemetry
    from . import testing as testing
    from . import trading as trading
    from ._core.endpoint import Auth, Endpoint, Quota
    from ._core.reply import QuotaUse, RawReply, Reply, extras
    from ._core.tolerant import Unreadable
    from ._io.connections import StreamsStatistics
    from ._io.counts import SubscriptionStatistics
    from ._io.subscription import Subscription
    from .client import Client, Futures, Spot, Streams, open_client, open_futures, open_spot, open_streams
    from .config import DEMO, LIVE, Backoff, Buffers, Config, Environment, Hooks, Retry, Timeouts
    from .convert import to_builtins, to_dict, to_frame, to_json, to_rows
    from .credentials import Credentials
    from .errors import (
        AbsentMember,
        AccountNotLive,
        AddressBanned,
        ApiError,
        AuthenticationError,
        BadSignature,
        BitMartError,
        BookNotLive,
        ClockOutOfSync,
        ConfigurationError,
        ConnectionLost,
        DuplicateRequest,
        EndpointRemoved,
        ExchangeFault,
        ExitUnconfirmed,
        FundingRefused,
        InsufficientBalance,
        InvalidOrder,
        InvalidRequest,
        InvalidSymbol,
        JournalError,
        JournalLocked,
        Maintenance,
        MalformedReply,
        MarginRefused,
        MissingCredentials,
        NoData,
        NotFound,
        OrderClosed,
        OrderNotFilled,
        OrderNotFound,
        OrderNotPlaced,
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
        SwitchFailed,
        TooManyOrders,
        TradingError,
        TransportError,
    )
    from .models._absent import absent
    from .models._fields import Millis, Seconds, from_millis, from_seconds
    from .models.stream_events import Backfilled, Gap
    from .streams._account_futures import FuturesAccountView
    from .streams._account_spot import SpotAccountView
    from .streams._book import BookChange, BookDepth, BookState, BookStatistics, OrderBook
else:
    _HOMES: Final = {
        "._core.endpoint": ("Auth", "Endpoint", "Quota"),
        "._core.reply": ("QuotaUse", "RawReply", "Reply", "extras"),
        "._core.tolerant": ("Unreadable",),
        "._io.counts": ("SubscriptionStatistics",),
        "._io.subscription": ("Subscription",),
        "._io.connections": ("StreamsStatistics",),
        ".client": ("Client", "Futures", "Spot", "Streams", "open_client", "open_futures", "open_spot", "open_streams"),
        ".config": ("DEMO", "LIVE", "Backoff", "Buffers", "Config", "Environment", "Hooks", "Retry", "Timeouts"),
        ".convert": ("to_builtins", "to_dict", "to_frame", "to_json", "to_rows"),
        ".credentials": ("Credentials",),
        ".errors": (
            "AbsentMember",
            "AccountNotLive",
            "AddressBanned",
            "ApiError",
            "AuthenticationError",
            "BadSignature",
            "BitMartError",
            "BookNotLive",
            "ClockOutOfSync",
            "ConfigurationError",
            "ConnectionLost",
            "DuplicateRequest",
            "EndpointRemoved",
            "ExchangeFault",
            "ExitUnconfirmed",
            "FundingRefused",
            "InsufficientBalance",
            "InvalidOrder",
            "InvalidRequest",
            "InvalidSymbol",
            "JournalError",
            "JournalLocked",
            "Maintenance",
            "MalformedReply",
            "MarginRefused",
            "MissingCredentials",
            "NoData",
            "NotFound",
            "OrderClosed",
            "OrderNotFilled",
            "OrderNotFound",
            "OrderNotPlaced",
            "OutcomeUnknown",
            "PermissionDenied",
            "PositionRefused",
            "RateLimited",
            "ReplyTooLarge",
            "RequestRefused",
            "ServiceUnavailable",
            "StreamError",
            "StreamGap",
            "SubscriberTooSlow",
            "SubscriptionRefused",
            "SwitchFailed",
            "TooManyOrders",
            "TradingError",
            "TransportError",
        ),
        ".models._absent": ("absent",),
        ".models._fields": ("Millis", "Seconds", "from_millis", "from_seconds"),
        ".models.stream_events": ("Backfilled", "Gap"),
        ".streams._account_futures": ("FuturesAccountView",),
        ".streams._account_spot": ("SpotAccountView",),
        ".streams._book": ("BookChange", "BookDepth", "BookState", "BookStatistics", "OrderBook"),
    }
    _MODULES: Final = (
        "blocking",
        "convert",
        "endpoints",
        "errors",
        "history",
        "models",
        "sim",
        "telemetry",
        "testing",
        "trading",
    )
    _HOME: Final = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f".{name}", __name__)
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name], __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "DEMO",
    "LIVE",
    "AbsentMember",
    "AccountNotLive",
    "AddressBanned",
    "ApiError",
    "Auth",
    "AuthenticationError",
    "Backfilled",
    "Backoff",
    "BadSignature",
    "BitMartError",
    "BookChange",
    "BookDepth",
    "BookNotLive",
    "BookState",
    "BookStatistics",
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
    "ExitUnconfirmed",
    "FundingRefused",
    "Futures",
    "FuturesAccountView",
    "Gap",
    "Hooks",
    "InsufficientBalance",
    "InvalidOrder",
    "InvalidRequest",
    "InvalidSymbol",
    "JournalError",
    "JournalLocked",
    "Maintenance",
    "MalformedReply",
    "MarginRefused",
    "Millis",
    "MissingCredentials",
    "NoData",
    "NotFound",
    "OrderBook",
    "OrderClosed",
    "OrderNotFilled",
    "OrderNotFound",
    "OrderNotPlaced",
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
    "SpotAccountView",
    "StreamError",
    "StreamGap",
    "Streams",
    "StreamsStatistics",
    "SubscriberTooSlow",
    "Subscription",
    "SubscriptionRefused",
    "SubscriptionStatistics",
    "SwitchFailed",
    "Timeouts",
    "TooManyOrders",
    "TradingError",
    "TransportError",
    "Unreadable",
    "__version__",
    "absent",
    "blocking",
    "convert",
    "endpoints",
    "errors",
    "extras",
    "from_millis",
    "from_seconds",
    "history",
    "models",
    "open_client",
    "open_futures",
    "open_spot",
    "open_streams",
    "sim",
    "telemetry",
    "testing",
    "to_builtins",
    "to_dict",
    "to_frame",
    "to_json",
    "to_rows",
    "trading",
]
