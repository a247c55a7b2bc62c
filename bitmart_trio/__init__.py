"""Talk to the BitMart exchange with Trio: typed REST, streams as ``async for``, and a simulated exchange.

    import bitmart_trio as bm

    async with bm.open_client(bm.Credentials.from_env()) as client:
        ticker = await client.spot.market.ticker("BTC_USDT")
        async with client.streams.spot.trade("BTC_USDT") as trades:
            async for trade in trades:
                ...

Every name loads on first access: importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from ._bitmart.rest import extras as extras
    from ._bitmart.rows import Endpoint as Endpoint
    from ._core.endpoint import Auth as Auth
    from ._core.endpoint import Quota as Quota
    from ._core.quota import QuotaUse as QuotaUse
    from ._core.reply import RawReply as RawReply
    from ._core.reply import Reply as Reply
    from ._core.tolerant import Unreadable as Unreadable
    from ._io.connections import StreamsStatistics as StreamsStatistics
    from ._io.counts import SubscriptionStatistics as SubscriptionStatistics
    from ._io.subscription import Subscription as Subscription
    from .client import Client as Client
    from .client import Futures as Futures
    from .client import Spot as Spot
    from .client import Streams as Streams
    from .client import open_client as open_client
    from .client import open_futures as open_futures
    from .client import open_spot as open_spot
    from .client import open_streams as open_streams
    from .config import DEMO as DEMO
    from .config import LIVE as LIVE
    from .config import Backoff as Backoff
    from .config import Buffers as Buffers
    from .config import Config as Config
    from .config import Environment as Environment
    from .config import Hooks as Hooks
    from .config import Retry as Retry
    from .config import Timeouts as Timeouts
    from .convert import to_builtins as to_builtins
    from .convert import to_dict as to_dict
    from .convert import to_frame as to_frame
    from .convert import to_json as to_json
    from .convert import to_rows as to_rows
    from .credentials import Credentials as Credentials
    from .errors import AbsentMember as AbsentMember
    from .errors import AccountNotLive as AccountNotLive
    from .errors import AddressBanned as AddressBanned
    from .errors import ApiError as ApiError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadSignature as BadSignature
    from .errors import BitMartError as BitMartError
    from .errors import BookNotLive as BookNotLive
    from .errors import ClockOutOfSync as ClockOutOfSync
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConnectionLost as ConnectionLost
    from .errors import DuplicateRequest as DuplicateRequest
    from .errors import EndpointRemoved as EndpointRemoved
    from .errors import ExchangeFault as ExchangeFault
    from .errors import ExitUnconfirmed as ExitUnconfirmed
    from .errors import FundingRefused as FundingRefused
    from .errors import InsufficientBalance as InsufficientBalance
    from .errors import InvalidOrder as InvalidOrder
    from .errors import InvalidRequest as InvalidRequest
    from .errors import InvalidSymbol as InvalidSymbol
    from .errors import JournalError as JournalError
    from .errors import JournalLocked as JournalLocked
    from .errors import Maintenance as Maintenance
    from .errors import MalformedReply as MalformedReply
    from .errors import MarginRefused as MarginRefused
    from .errors import MissingCredentials as MissingCredentials
    from .errors import NoData as NoData
    from .errors import NotFound as NotFound
    from .errors import OrderClosed as OrderClosed
    from .errors import OrderNotFilled as OrderNotFilled
    from .errors import OrderNotFound as OrderNotFound
    from .errors import OrderNotPlaced as OrderNotPlaced
    from .errors import OutcomeUnknown as OutcomeUnknown
    from .errors import PermissionDenied as PermissionDenied
    from .errors import PositionRefused as PositionRefused
    from .errors import RateLimited as RateLimited
    from .errors import ReplyTooLarge as ReplyTooLarge
    from .errors import RequestRefused as RequestRefused
    from .errors import ServiceUnavailable as ServiceUnavailable
    from .errors import StreamError as StreamError
    from .errors import StreamGap as StreamGap
    from .errors import SubscriberTooSlow as SubscriberTooSlow
    from .errors import SubscriptionRefused as SubscriptionRefused
    from .errors import SwitchFailed as SwitchFailed
    from .errors import TooManyOrders as TooManyOrders
    from .errors import TradingError as TradingError
    from .errors import TransportError as TransportError
    from .models._absent import absent as absent
    from .models._fields import Millis as Millis
    from .models._fields import Seconds as Seconds
    from .models._fields import from_millis as from_millis
    from .models._fields import from_seconds as from_seconds
    from .models.stream_events import Backfilled as Backfilled
    from .models.stream_events import Gap as Gap
    from .streams._account_futures import FuturesAccountView as FuturesAccountView
    from .streams._account_spot import SpotAccountView as SpotAccountView
    from .streams._book import OrderBook as OrderBook
    from .streams._book_views import BookChange as BookChange
    from .streams._book_views import BookDepth as BookDepth
    from .streams._book_views import BookState as BookState
    from .streams._book_views import BookStatistics as BookStatistics
else:
    from ._lazy import lazy

    __getattr__, __dir__, __all__ = lazy()
