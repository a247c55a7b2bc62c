# ruff: noqa: F401  # the asynchronous classes are named in texts, and imported for type checkers only
"""The classes of `bitmart_trio.blocking`: plain methods beside asynchronous ones of the same names.

Made by ``docs/make_blocking.py``; a test keeps it current. What a method takes, raises and leaves out says the
asynchronous one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, Unpack, overload

from ..models.spot_sub_account import MoveType
from ..streams._account import VERIFY_AFTER
from ._base import Iterating, Opened, Twin, step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from .._core.endpoint import Endpoint
    from .._core.reply import RawReply, Reply
    from .._io.connections import StreamsStatistics
    from .._io.counts import SubscriptionStatistics
    from .._io.receivers import Gaps
    from .._io.subscription import Subscription as AsyncSubscription
    from ..config import Market
    from ..models._enums import OrderSide
    from ..models._fields import Millis
    from ..models._futures_enums import (
        FuturesAccountType,
        FuturesOrderSide,
        FuturesSideWord,
        OpenType,
        PositionMode,
        PositionSide,
    )
    from ..models._rows import Level
    from ..models.account_views import (
        AccountPosition,
        AccountState,
        AccountStatistics,
        Balance,
        FuturesAccountChange,
        FuturesAccountOrder,
        SpotAccountChange,
        SpotAccountOrder,
    )
    from ..models.broker import BrokerRebates
    from ..models.earn import (
        AutoSavingsStatus,
        AutoSubscribeAction,
        EarnHolding,
        FixedAutoSubscribe,
        FixedSavingsHoldingPage,
        FixedSavingsProductPage,
        FixedSavingsRecordPage,
        FlexibleAutoSubscribeStatus,
        FlexibleSavingsHoldingPage,
        FlexibleSavingsProductPage,
        FlexibleSavingsRecordPage,
        SavingsRecordType,
    )
    from ..models.futures_account import (
        AutoRepaymentPage,
        FlowType,
        FundingTransferType,
        FuturesAsset,
        FuturesTradeFeeRate,
        FuturesTransfer,
        FuturesTransferResult,
        FuturesTransferType,
        InterestLogPage,
        Transaction,
    )
    from ..models.futures_affiliate import (
        AffiliateApiRebate,
        AffiliateCustomerInfo,
        AffiliateFundsRecordPage,
        AffiliateFundsType,
        AffiliateInviteCheck,
        AffiliateInvitedUserPage,
        AffiliateRebatePage,
        AffiliateTradePage,
        AffiliateUserRebate,
    )
    from ..models.futures_demo import DemoClaimResult
    from ..models.futures_market import (
        ContractDetails,
        FundingRate,
        FundingRateRecord,
        FuturesKline,
        FuturesKlineStep,
        FuturesMarketTrade,
        FuturesOrderBook,
        LeverageBracketRule,
        OpenInterest,
    )
    from ..models.futures_position import (
        ContractMargin,
        FuturesPosition,
        FuturesPositionV2,
        LeverageResult,
        PositionModeResult,
        PositionRisk,
    )
    from ..models.futures_streams import (
        FuturesAssetUpdate,
        FuturesBookTicker,
        FuturesDepth,
        FuturesDepthIncrease,
        FuturesDepthSide,
        FuturesFundingRateUpdate,
        FuturesKlineUpdate,
        FuturesMarkPriceKlineUpdate,
        FuturesOrderUpdate,
        FuturesPositionUpdate,
        FuturesTicker,
        FuturesTrade,
    )
    from ..models.futures_sub_account import FuturesSubAccountBalance
    from ..models.futures_trading import (
        CancelAllAfterResult,
        FuturesFill,
        FuturesOrder,
        FuturesOrderId,
        FuturesOrderIds,
        FuturesOrderMode,
        FuturesOrderPlaced,
        FuturesOrderType,
        FuturesStpMode,
        OrderStateFilter,
        PlanCategory,
        PlanOrder,
        PlanOrderType,
        PlanTypeFilter,
        PriceType,
        PriceWay,
    )
    from ..models.margin import (
        BorrowingRate,
        BorrowPlaced,
        BorrowRecord,
        MarginAccount,
        MarginTransferPlaced,
        MarginTransferSide,
        RepayPlaced,
        RepayRecord,
    )
    from ..models.rules import FuturesRules, SpotRules
    from ..models.spot_account import (
        AccountBalance,
        AccountCurrency,
        AccountInfo,
        AccountTransferType,
        BasicFeeRate,
        DepositAccountType,
        DepositAddress,
        DepositWithdrawRecord,
        OperationType,
        SourceAccount,
        SpotBalance,
        SpotTradeFeeRate,
        WithdrawAccountType,
        WithdrawAddress,
        WithdrawPlaced,
        WithdrawQuota,
    )
    from ..models.spot_market import (
        Currency,
        OrderBookV1,
        SpotKline,
        SpotKlineStep,
        SpotKlineV1,
        SpotMarketTrade,
        SpotOrderBook,
        SymbolDetails,
        Ticker,
        TickerV1,
    )
    from ..models.spot_streams import (
        SpotBalanceUpdate,
        SpotBookTicker,
        SpotDepth,
        SpotDepthIncrease,
        SpotKlineUpdate,
        SpotOrderUpdate,
        SpotTicker,
        SpotTrade,
    )
    from ..models.spot_sub_account import SpotSubAccountBalance, SubAccount, SubTransfer, SubTransferPage
    from ..models.spot_trading import (
        AlgoOrder,
        AlgoOrderType,
        AlgoTriggerType,
        BatchOrderIds,
        BatchOrderParam,
        BatchOrderParamV2,
        BatchOrderResultV2,
        CancelBatchResult,
        CancelResult,
        OrderPlaced,
        QueryState,
        SpotFill,
        SpotOrder,
        SpotOrderMode,
        SpotOrderType,
        SpotStpMode,
    )
    from ..models.stream_events import AnyStreamEvent, Backfilled, Gap, RawPush
    from ..models.system import Latency, ServiceStatus, SystemTime
    from ..rest._base import Amount, TimeMs, TimeS
    from ..rest.futures import Futures as AsyncFutures
    from ..rest.futures_account import FuturesAccount as AsyncFuturesAccount
    from ..rest.futures_affiliate import FuturesAffiliate as AsyncFuturesAffiliate
    from ..rest.futures_demo import FuturesDemo as AsyncFuturesDemo
    from ..rest.futures_market import FuturesMarket as AsyncFuturesMarket
    from ..rest.futures_position import FuturesPositions as AsyncFuturesPositions
    from ..rest.futures_sub_account import FuturesSubAccount as AsyncFuturesSubAccount
    from ..rest.futures_trading import FuturesTrading as AsyncFuturesTrading
    from ..rest.spot import Spot as AsyncSpot
    from ..rest.spot_account import SpotAccount as AsyncSpotAccount
    from ..rest.spot_algo import SpotAlgo as AsyncSpotAlgo
    from ..rest.spot_broker import SpotBroker as AsyncSpotBroker
    from ..rest.spot_earn import SpotEarn as AsyncSpotEarn
    from ..rest.spot_margin import SpotMargin as AsyncSpotMargin
    from ..rest.spot_market import SpotMarket as AsyncSpotMarket
    from ..rest.spot_sub_account import SpotSubAccount as AsyncSpotSubAccount
    from ..rest.spot_trading import SpotTrading as AsyncSpotTrading
    from ..rest.system import System as AsyncSystem
    from ..streams._account_futures import FuturesAccountView as AsyncFuturesAccountView
    from ..streams._account_spot import SpotAccountView as AsyncSpotAccountView
    from ..streams._base import Mark, NoMark, Options
    from ..streams._book import OrderBook as AsyncOrderBook
    from ..streams._book_views import BookChange, BookDepth, BookState, BookStatistics
    from ..streams._streams import Streams as AsyncStreams
    from ..streams.futures import FuturesInterval, Speed
    from ..streams.futures import FuturesStreams as AsyncFuturesStreams
    from ..streams.spot import SpotInterval
    from ..streams.spot import SpotStreams as AsyncSpotStreams

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Subscription(Twin["AsyncSubscription[T_co]"], Generic[T_co]):
    """A live stream of typed items."""

    __slots__ = ()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that it holds now, as spelled on the wire."""
        return self._now(lambda: self._it.topics)

    def receive_nowait(self) -> T_co:
        """The next item without waiting."""
        return self._now(self._it.receive_nowait)

    def receive(self) -> T_co:
        """Wait for the next item. Cancelling loses nothing: an item is either handed over or stays."""
        return self._call(self._it.receive)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        return step(self._portal, self._it)

    def batches(self) -> Iterating[list[T_co]]:
        """Iterate over lists of all that is ready, one checkpoint a list."""
        return Iterating(self._portal, self._it.batches())

    def statistics(self) -> SubscriptionStatistics:
        """Counts of what has become of its messages; shared by clones."""
        return self._now(self._it.statistics)

    def add(self, *subjects: str) -> None:
        """Add symbols (for a typed opener) or topics (for ``streams.subscribe``).

        Returns once they are acknowledged.
        """
        self._call(self._it.add, *subjects)

    def remove(self, *subjects: str) -> None:
        """Give up symbols or topics. Items of theirs that are already buffered are still delivered."""
        self._call(self._it.remove, *subjects)


class OrderBook(Twin["AsyncOrderBook"]):
    """An order book that is right or says that it is not."""

    __slots__ = ()

    @property
    def symbol(self) -> str:
        """Return the symbol of the book."""
        return self._now(lambda: self._it.symbol)

    @property
    def state(self) -> BookState:
        """Return the state of the book."""
        return self._now(lambda: self._it.state)

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest push of the book; None before the first."""
        return self._now(lambda: self._it.age)

    def statistics(self) -> BookStatistics:
        """Return the counts of messages and resyncs."""
        return self._now(self._it.statistics)

    @property
    def version(self) -> int:
        """Return the exchange's version of this book; versions of two connections are unrelated."""
        return self._now(lambda: self._it.version)

    @property
    def time(self) -> Millis | None:
        """Return the time when the exchange pushed the newest state; None if it has none."""
        return self._now(lambda: self._it.time)

    @property
    def best_bid(self) -> Level | None:
        """Return the highest bid; None if there is none."""
        return self._now(lambda: self._it.best_bid)

    @property
    def best_ask(self) -> Level | None:
        """Return the lowest ask; None if there is none."""
        return self._now(lambda: self._it.best_ask)

    @property
    def bids(self) -> tuple[Level, ...]:
        """Return all bids as a tuple, best first: at most 100 on spot, ``level`` on futures."""
        return self._now(lambda: self._it.bids)

    @property
    def asks(self) -> tuple[Level, ...]:
        """Return all asks as a tuple, best first; see `bids`."""
        return self._now(lambda: self._it.asks)

    @property
    def spread(self) -> Decimal | None:
        """Return best ask minus best bid, in quote currency; None if a side is empty."""
        return self._now(lambda: self._it.spread)

    @property
    def mid(self) -> Decimal | None:
        """Return the price halfway between best bid and best ask; None if a side is empty."""
        return self._now(lambda: self._it.mid)

    def depth(self, count: int) -> BookDepth:
        """Return the best ``count`` levels of each side, or all if there are fewer."""
        return self._now(lambda: self._it.depth(count))

    def vwap(self, side: Literal["buy", "sell"], size: Decimal | int | str) -> Decimal | None:
        """Return the average price at which this book would fill a market order."""
        return self._now(lambda: self._it.vwap(side, size))

    def wait_live(self) -> None:
        """Wait until the book is live."""
        self._call(self._it.wait_live)

    def wait_stale(self) -> None:
        """Wait until the book is not live; return at once if it is not."""
        self._call(self._it.wait_stale)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> BookChange:
        return step(self._portal, self._it)


class SpotAccountView(Twin["AsyncSpotAccountView"]):
    """A view of the spot account."""

    __slots__ = ()

    @property
    def state(self) -> AccountState:
        """Return the state of the view."""
        return self._now(lambda: self._it.state)

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest complete read over REST began; None before the first."""
        return self._now(lambda: self._it.age)

    @property
    def settled(self) -> bool:
        """Return True if the view is live and a read has confirmed all pushes."""
        return self._now(lambda: self._it.settled)

    @property
    def balances(self) -> Mapping[str, Balance]:
        """Return the balances by currency, as a live, read-only mapping of currencies that the exchange has named."""
        return self._now(lambda: dict(self._it.balances))

    @property
    def orders(self) -> Mapping[str, SpotAccountOrder]:
        """Return the open orders by order id, as a live, read-only mapping."""
        return self._now(lambda: dict(self._it.orders))

    @property
    def unidentified(self) -> Sequence[SpotAccountOrder]:
        """Return open orders that the last read listed without a unique id: blank, or that of another order."""
        return self._now(lambda: list(self._it.unidentified))

    def order_by_client_id(self, client_order_id: str) -> SpotAccountOrder | None:
        """Return the open order with this client order id; None if there is none."""
        return self._now(lambda: self._it.order_by_client_id(client_order_id))

    def statistics(self) -> AccountStatistics:
        """Return the counts of pushes, reads and corrections."""
        return self._now(self._it.statistics)

    def wait_live(self) -> None:
        """Wait until the view is live."""
        self._call(self._it.wait_live)

    def wait_settled(self) -> None:
        """Wait until the view is live and a read has confirmed the last push; raises like `wait_live`."""
        self._call(self._it.wait_settled)

    def wait_stale(self) -> None:
        """Wait until the view is not live; return at once if it is not."""
        self._call(self._it.wait_stale)

    def refresh(self) -> None:
        """Read everything over REST now, and return once the view is live with it; raises like `wait_live`."""
        self._call(self._it.refresh)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SpotAccountChange:
        return step(self._portal, self._it)


class FuturesAccountView(Twin["AsyncFuturesAccountView"]):
    """A view of the futures account."""

    __slots__ = ()

    @property
    def positions(self) -> Mapping[tuple[str, str], AccountPosition]:
        """Return the open positions by symbol and side (``"long"`` or ``"short"``), as a live, read-only mapping."""
        return self._now(lambda: dict(self._it.positions))

    @property
    def state(self) -> AccountState:
        """Return the state of the view."""
        return self._now(lambda: self._it.state)

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest complete read over REST began; None before the first."""
        return self._now(lambda: self._it.age)

    @property
    def settled(self) -> bool:
        """Return True if the view is live and a read has confirmed all pushes."""
        return self._now(lambda: self._it.settled)

    @property
    def balances(self) -> Mapping[str, Balance]:
        """Return the balances by currency, as a live, read-only mapping of currencies that the exchange has named."""
        return self._now(lambda: dict(self._it.balances))

    @property
    def orders(self) -> Mapping[str, FuturesAccountOrder]:
        """Return the open orders by order id, as a live, read-only mapping."""
        return self._now(lambda: dict(self._it.orders))

    @property
    def unidentified(self) -> Sequence[FuturesAccountOrder]:
        """Return open orders that the last read listed without a unique id: blank, or that of another order."""
        return self._now(lambda: list(self._it.unidentified))

    def order_by_client_id(self, client_order_id: str) -> FuturesAccountOrder | None:
        """Return the open order with this client order id; None if there is none."""
        return self._now(lambda: self._it.order_by_client_id(client_order_id))

    def statistics(self) -> AccountStatistics:
        """Return the counts of pushes, reads and corrections."""
        return self._now(self._it.statistics)

    def wait_live(self) -> None:
        """Wait until the view is live."""
        self._call(self._it.wait_live)

    def wait_settled(self) -> None:
        """Wait until the view is live and a read has confirmed the last push; raises like `wait_live`."""
        self._call(self._it.wait_settled)

    def wait_stale(self) -> None:
        """Wait until the view is not live; return at once if it is not."""
        self._call(self._it.wait_stale)

    def refresh(self) -> None:
        """Read everything over REST now, and return once the view is live with it; raises like `wait_live`."""
        self._call(self._it.refresh)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> FuturesAccountChange:
        return step(self._portal, self._it)


class SpotStreams(Twin["AsyncSpotStreams"]):
    """Openers: ``with client.streams.spot.trade("BTC_USDT") as trades: ...``."""

    __slots__ = ()

    @overload
    def ticker(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotTicker | Gap]]: ...

    @overload
    def ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotTicker]]: ...

    def ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the state of pairs: last and best prices, 24 hour figures.

        spot/ticker:{symbol}, public. The current state right after subscribing, then on change, at most every
        500 ms. Always complete, so a slow reader gets only the newest per symbol.
        """
        return self._open(lambda: self._it.ticker(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def kline(
        self, *symbols: str, interval: SpotInterval, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotKlineUpdate | Gap | Backfilled]]: ...

    @overload
    def kline(
        self,
        *symbols: str,
        interval: SpotInterval,
        gaps: NoMark = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opened[Subscription[SpotKlineUpdate]]: ...

    def kline(
        self,
        *symbols: str,
        interval: SpotInterval,
        gaps: Gaps = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow the bar in progress of pairs.

        spot/kline{interval}:{symbol}, public. The current bar right after subscribing, then on change, at most every
        500 ms. A later message with the same ``open_time`` replaces it. A slow reader gets only the newest state of
        each bar.
        """
        return self._open(
            lambda: self._it.kline(*symbols, interval=interval, gaps=gaps, backfill=backfill, **options), Subscription
        )

    @overload
    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotKlineUpdate | Gap]]: ...

    @overload
    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotKlineUpdate]]: ...

    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow bars of lengths that the documentation no longer lists.

        spot/kline{interval}:{symbol}, public. See `kline`; the exchange may no longer serve them.
        """
        return self._open(
            lambda: self._it.kline_legacy(*symbols, interval=interval, gaps=gaps, **options), Subscription
        )

    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepth | Gap]]: ...

    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepth]]: ...

    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow the top of books, with both sides complete in each message.

        spot/depth{level}:{symbol}, public. The current book right after subscribing, then on change, at most
        every 500 ms. A slow reader gets only the newest per symbol.
        """
        return self._open(lambda: self._it.depth(*symbols, level=level, gaps=gaps, **options), Subscription)

    @overload
    def depth100(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepth | Gap]]: ...

    @overload
    def depth100(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepth]]: ...

    def depth100(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the top 100 levels of books.

        spot/depth100:{symbol}, public. Undocumented since 2021: use `depth_increase`.
        """
        return self._open(lambda: self._it.depth100(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def depth_increase(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepthIncrease | Gap]]: ...

    @overload
    def depth_increase(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotDepthIncrease]]: ...

    def depth_increase(
        self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow the changes of books, 100 levels per side.

        spot/depth/increase100:{symbol}, public. A snapshot right after subscribing, then the levels that changed, at
        most every 100 ms. Every message counts: if the reader falls too far behind, the subscription ends with
        `SubscriberTooSlow`.
        """
        return self._open(lambda: self._it.depth_increase(*symbols, gaps=gaps, **options), Subscription)

    def order_book(self, symbol: str, *, max_age: float | None = None) -> Opened[OrderBook]:
        """Keep a pair's order book: 100 levels per side, live or known to be stale.

        spot/depth/increase100:{symbol}, public. See `OrderBook`. A slow reader does not affect it.
        """
        return self._open(lambda: self._it.order_book(symbol, max_age=max_age), OrderBook)

    @overload
    def trade(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotTrade | Gap | Backfilled]]: ...

    @overload
    def trade(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotTrade]]: ...

    def trade(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow the public trades of pairs, from the taker's view.

        spot/trade:{symbol}, public. Oldest first. Trades have no id. If the reader falls too far behind, the
        subscription ends with `SubscriberTooSlow` rather than losing a trade.
        """
        return self._open(lambda: self._it.trade(*symbols, gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def book_ticker(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotBookTicker | Gap]]: ...

    @overload
    def book_ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[SpotBookTicker]]: ...

    def book_ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the best bid and ask of pairs.

        spot/bookTicker:{symbol}, public. On every change of a best price or its size. A slow reader gets only the
        newest per symbol.
        """
        return self._open(lambda: self._it.book_ticker(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def user_order(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotOrderUpdate | Gap | Backfilled]]: ...

    @overload
    def user_order(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotOrderUpdate]]: ...

    def user_order(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your orders on pairs.

        spot/user/order:{symbol}, private. Pushed when an order is accepted, partly filled, filled or cancelled, with
        its complete state; nothing right after subscribing. With ``backfill=True`` a gap is filled over REST: every
        fill, and the last state of every order, once. Intermediate states are lost, such as the acceptance of an order
        that was filled. Orders older than 90 days are not read.
        """
        return self._open(lambda: self._it.user_order(*symbols, gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def user_orders(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotOrderUpdate | Gap | Backfilled]]: ...

    @overload
    def user_orders(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotOrderUpdate]]: ...

    def user_orders(
        self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your orders on every pair.

        spot/user/orders:ALL_SYMBOLS, private. See `user_order`.
        """
        return self._open(lambda: self._it.user_orders(gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def user_balance(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotBalanceUpdate | Gap | Backfilled]]: ...

    @overload
    def user_balance(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[SpotBalanceUpdate]]: ...

    def user_balance(
        self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your spot balances.

        spot/user/balance:BALANCE_UPDATE, private. Pushed on deposits, withdrawals, transfers, trades and fee
        deductions, with the new balances of the currencies that changed; nothing right after subscribing.
        """
        return self._open(lambda: self._it.user_balance(gaps=gaps, backfill=backfill, **options), Subscription)

    def account(
        self,
        *,
        verify_after: float = VERIFY_AFTER,
        reconcile: float | None = None,
        buffer: int | None = None,
        max_age: float | None = None,
    ) -> Opened[SpotAccountView]:
        """Keep a view of the spot account: open orders and balances, read over REST and updated by pushes.

        spot/user/orders:ALL_SYMBOLS and spot/user/balance:BALANCE_UPDATE, private. See `SpotAccountView`. A push that
        is lost on an unbroken connection cannot be noticed: ``reconcile`` bounds how long the view may then be wrong.
        """
        return self._open(
            lambda: self._it.account(verify_after=verify_after, reconcile=reconcile, buffer=buffer, max_age=max_age),
            SpotAccountView,
        )


class FuturesStreams(Twin["AsyncFuturesStreams"]):
    """Openers, as those of `SpotStreams`."""

    __slots__ = ()

    @overload
    def ticker(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesTicker | Gap]]: ...

    @overload
    def ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesTicker]]: ...

    def ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the state of contracts: last, mark, index and best prices.

        futures/ticker:{symbol}, public. Seen every 2 to 3 s. Always complete, so a slow reader gets only the newest per
        symbol.
        """
        return self._open(lambda: self._it.ticker(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def tickers(self, *, gaps: Mark, **options: Unpack[Options]) -> Opened[Subscription[FuturesTicker | Gap]]: ...

    @overload
    def tickers(self, *, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opened[Subscription[FuturesTicker]]: ...

    def tickers(self, *, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the state of every contract at once.

        futures/ticker, public. One contract per message, about a hundred messages per second in all; some quiet
        contracts never come. A slow reader gets only the newest per symbol.
        """
        return self._open(lambda: self._it.tickers(gaps=gaps, **options), Subscription)

    @overload
    def funding_rate(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesFundingRateUpdate | Gap]]: ...

    @overload
    def funding_rate(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesFundingRateUpdate]]: ...

    def funding_rate(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the funding of contracts.

        futures/fundingRate:{symbol}, public. The current state right after subscribing, then every minute.
        """
        return self._open(lambda: self._it.funding_rate(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesDepthSide | Gap]]: ...

    @overload
    def depth(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepthSide]]: ...

    def depth(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow the top of books, one side per message.

        futures/depth{level}:{symbol}{@speed}, public. Each message replaces one side. Seen once per second whatever the
        speed. A slow reader gets only the newest of each side.
        """
        return self._open(
            lambda: self._it.depth(*symbols, level=level, speed=speed, gaps=gaps, **options), Subscription
        )

    @overload
    def depth_all(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesDepth | Gap]]: ...

    @overload
    def depth_all(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepth]]: ...

    def depth_all(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow the top of books, with both sides complete in each message.

        futures/depthAll{level}:{symbol}{@speed}, public. Seen once per second whatever the speed. A slow reader gets
        only the newest per symbol.
        """
        return self._open(
            lambda: self._it.depth_all(*symbols, level=level, speed=speed, gaps=gaps, **options), Subscription
        )

    @overload
    def depth_increase(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesDepthIncrease | Gap]]: ...

    @overload
    def depth_increase(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepthIncrease]]: ...

    def depth_increase(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow the changes of books.

        futures/depthIncrease{level}:{symbol}{@speed}, public. A snapshot right after subscribing, then the levels that
        changed. Every message counts: if the reader falls too far behind, the subscription ends with
        `SubscriberTooSlow`.
        """
        return self._open(
            lambda: self._it.depth_increase(*symbols, level=level, speed=speed, gaps=gaps, **options), Subscription
        )

    def order_book(
        self, symbol: str, *, level: Literal[5, 20, 50] = 50, speed: Speed = "100ms", max_age: float | None = None
    ) -> Opened[OrderBook]:
        """Keep a contract's order book: ``level`` levels per side, live or known to be stale.

        futures/depthIncrease{level}:{symbol}{@speed}, public. See `OrderBook`; sizes are in contracts. A slow reader
        does not affect it.
        """
        return self._open(lambda: self._it.order_book(symbol, level=level, speed=speed, max_age=max_age), OrderBook)

    @overload
    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Mark,
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepth | Gap]]: ...

    @overload
    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepth]]: ...

    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow books like `depth_all`, with levels as arrays on the wire.

        futures/v2/depthAll{level}:{symbol}{@speed}, public. Seen to be acknowledged and then silent
        (2026-09-23).
        """
        return self._open(
            lambda: self._it.depth_all_v2(*symbols, level=level, speed=speed, gaps=gaps, **options), Subscription
        )

    @overload
    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Mark,
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepthIncrease | Gap]]: ...

    @overload
    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesDepthIncrease]]: ...

    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow changes like `depth_increase`, with levels as arrays on the wire.

        futures/v2/depthIncrease{level}:{symbol}{@speed}, public. Seen to send one empty snapshot and then
        nothing (2026-09-23).
        """
        return self._open(
            lambda: self._it.depth_increase_v2(*symbols, level=level, speed=speed, gaps=gaps, **options), Subscription
        )

    @overload
    def book_ticker(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesBookTicker | Gap]]: ...

    @overload
    def book_ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesBookTicker]]: ...

    def book_ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow the best bid and ask of contracts.

        futures/bookticker:{symbol}, public. Documented on every change, seen once per second. A slow reader gets only
        the newest per symbol.
        """
        return self._open(lambda: self._it.book_ticker(*symbols, gaps=gaps, **options), Subscription)

    @overload
    def trade(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesTrade | Gap | Backfilled]]: ...

    @overload
    def trade(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesTrade]]: ...

    def trade(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow the public trades of contracts.

        futures/trade:{symbol}, public. Trades that come in one message were recorded newest first. If the reader falls
        too far behind, the subscription ends with `SubscriberTooSlow` rather than losing a trade.
        """
        return self._open(lambda: self._it.trade(*symbols, gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesKlineUpdate | Gap | Backfilled]]: ...

    @overload
    def kline(
        self,
        *symbols: str,
        interval: FuturesInterval,
        gaps: NoMark = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opened[Subscription[FuturesKlineUpdate]]: ...

    def kline(
        self,
        *symbols: str,
        interval: FuturesInterval,
        gaps: Gaps = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opened[Subscription[Any]]:
        """Follow the bar in progress of contracts.

        futures/klineBin{interval}:{symbol}, public. On change. A later message of the same bar replaces it. A slow
        reader gets only the newest state of each bar.
        """
        return self._open(
            lambda: self._it.kline(*symbols, interval=interval, gaps=gaps, backfill=backfill, **options), Subscription
        )

    @overload
    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Mark, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesMarkPriceKlineUpdate | Gap]]: ...

    @overload
    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesMarkPriceKlineUpdate]]: ...

    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow the mark price's bar in progress.

        futures/markPriceKlineBin{interval}:{symbol}, public. See `kline`.
        """
        return self._open(
            lambda: self._it.mark_price_kline(*symbols, interval=interval, gaps=gaps, **options), Subscription
        )

    @overload
    def asset(
        self, *currencies: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesAssetUpdate | Gap | Backfilled]]: ...

    @overload
    def asset(
        self, *currencies: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesAssetUpdate]]: ...

    def asset(
        self, *currencies: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your futures balances.

        futures/asset:{currency}, private. Sent on change, always complete; nothing right after subscribing. The
        documentation names USDT, BTC and ETH.
        """
        return self._open(lambda: self._it.asset(*currencies, gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def position(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesPositionUpdate | Gap | Backfilled]]: ...

    @overload
    def position(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesPositionUpdate]]: ...

    def position(
        self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your positions on every contract.

        futures/position, private. Sent on change and every 10 s, with complete positions; a closed one has size 0. A
        slow reader gets only the newest of each.
        """
        return self._open(lambda: self._it.position(gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def order(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesOrderUpdate | Gap | Backfilled]]: ...

    @overload
    def order(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[FuturesOrderUpdate]]: ...

    def order(
        self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]:
        """Follow your orders on every contract, including plan, trailing and TP/SL orders.

        futures/order, private. Sent at once on every change, with the complete state; nothing right after subscribing.
        With ``backfill=True`` fills and last states of a gap are read over REST; the event is inferred. A `Gap` always
        follows them: REST lists the history per contract, so an order on an unknown contract may have come and gone.
        """
        return self._open(lambda: self._it.order(gaps=gaps, backfill=backfill, **options), Subscription)

    @overload
    def unicast(self, *, gaps: Mark, **options: Unpack[Options]) -> Opened[Subscription[RawPush | Gap]]: ...

    @overload
    def unicast(self, *, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opened[Subscription[RawPush]]: ...

    def unicast(self, *, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow a channel that is known only from a leftover constant of an SDK.

        futures/unicast, private. Undocumented.
        """
        return self._open(lambda: self._it.unicast(gaps=gaps, **options), Subscription)

    def account(
        self,
        *,
        currencies: Iterable[str] = ("USDT", "BTC", "ETH"),
        verify_after: float = VERIFY_AFTER,
        reconcile: float | None = None,
        buffer: int | None = None,
        max_age: float | None = None,
    ) -> Opened[FuturesAccountView]:
        """Keep a view of the futures account: open orders, positions, balances, read over REST and updated by pushes.

        futures/order, futures/position and futures/asset:{currency}, private. See `FuturesAccountView`. A push that is
        lost on an unbroken connection cannot be noticed: ``reconcile`` bounds how long the view may then be wrong.
        """
        return self._open(
            lambda: self._it.account(
                currencies=currencies, verify_after=verify_after, reconcile=reconcile, buffer=buffer, max_age=max_age
            ),
            FuturesAccountView,
        )


class Streams(Twin["AsyncStreams"]):
    """Everything that BitMart pushes."""

    __slots__ = ()

    @property
    def spot(self) -> SpotStreams:
        """Return the openers of the spot market, one per channel."""
        return SpotStreams(self._portal, self._it.spot)

    @property
    def futures(self) -> FuturesStreams:
        """Return the openers of the futures market, one per channel."""
        return FuturesStreams(self._portal, self._it.futures)

    @overload
    def subscribe(self, *topics: str, gaps: Mark, **options: Unpack[Options]) -> Opened[Subscription[Any | Gap]]: ...

    @overload
    def subscribe(
        self, *topics: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opened[Subscription[Any]]: ...

    def subscribe(self, *topics: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opened[Subscription[Any]]:
        """Follow any topics by name, of one market or both."""
        return self._open(lambda: self._it.subscribe(*topics, gaps=gaps, **options), Subscription)

    def events(self, *, buffer: int | None = None) -> Opened[Subscription[AnyStreamEvent]]:
        """Follow the events of this client's connections."""
        return self._open(lambda: self._it.events(buffer=buffer), Subscription)

    def connect(self, market: Market, *, private: bool = False) -> None:
        """Open a connection ahead of need, and return once it is open, and logged in if it is private."""
        self._call(self._it.connect, market, private=private)

    def statistics(self) -> StreamsStatistics:
        """Return the counts of all pushes and subscriptions of this client, including pushes without a subscription."""
        return self._now(self._it.statistics)


class System(Twin["AsyncSystem"]):
    """Return the chapter on the exchange's clock and maintenance notices."""

    __slots__ = ()

    def time(self) -> SystemTime:
        """Read the exchange's clock.

        GET /system/time, no key, 10 calls in 1 s by address.
        """
        return self._call(self._it.time)

    def latency(self) -> Latency:
        """Measure the round trip to the exchange and how far the local clock is off."""
        return self._call(self._it.latency)

    def status(self) -> list[ServiceStatus]:
        """Read the maintenance notices: done, under way and announced.

        GET /system/service, no key, 10 calls in 1 s by address.
        """
        return self._call(self._it.status)


class SpotMarket(Twin["AsyncSpotMarket"]):
    """Return the chapter on currencies, pairs, tickers, klines, books and public trades."""

    __slots__ = ()

    def currencies(self) -> list[Currency]:
        """List every currency of the spot market.

        GET /spot/v1/currencies, no key, 8 calls in 2 s by address.
        """
        return self._call(self._it.currencies)

    def symbols(self) -> list[str]:
        """List the names of all pairs, such as BTC_USDT.

        GET /spot/v1/symbols, no key, 8 calls in 2 s by address.
        """
        return self._call(self._it.symbols)

    def symbol_details(self) -> list[SymbolDetails]:
        """Read the trading rules of all pairs: steps, smallest and largest sizes, least order values.

        GET /spot/v1/symbols/details, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.symbol_details)

    def tickers(self) -> list[Ticker]:
        """Read the last 24 hours of all pairs.

        GET /spot/quotation/v3/tickers, no key, 10 calls in 2 s by address.
        """
        return self._call(self._it.tickers)

    def ticker(self, symbol: str) -> Ticker:
        """Read the last 24 hours of one pair.

        GET /spot/quotation/v3/ticker, no key, 15 calls in 2 s by address.
        """
        return self._call(self._it.ticker, symbol)

    def latest_klines(
        self,
        symbol: str,
        *,
        before: TimeS | None = None,
        after: TimeS | None = None,
        step: SpotKlineStep | int | None = None,
        limit: int | None = None,
    ) -> list[SpotKline]:
        """Read the most recent klines of a pair.

        GET /spot/quotation/v3/lite-klines, no key, 15 calls in 2 s by address. `klines` reaches further back.
        """
        return self._call(self._it.latest_klines, symbol, before=before, after=after, step=step, limit=limit)

    def klines(
        self,
        symbol: str,
        *,
        before: TimeS | None = None,
        after: TimeS | None = None,
        step: SpotKlineStep | int | None = None,
        limit: int | None = None,
    ) -> list[SpotKline]:
        """Read historical klines of a pair.

        GET /spot/quotation/v3/klines, no key, 10 calls in 2 s by address.
        """
        return self._call(self._it.klines, symbol, before=before, after=after, step=step, limit=limit)

    def order_book(self, symbol: str, *, limit: int | None = None) -> SpotOrderBook:
        """Read the best levels of a pair's book.

        GET /spot/quotation/v3/books, no key, 15 calls in 2 s by address.
        """
        return self._call(self._it.order_book, symbol, limit=limit)

    def trades(self, symbol: str, *, limit: int | None = None) -> list[SpotMarketTrade]:
        """Read the latest public trades of a pair.

        GET /spot/quotation/v3/trades, no key, 15 calls in 2 s by address.
        """
        return self._call(self._it.trades, symbol, limit=limit)

    def tickers_v2(self) -> list[TickerV1]:
        """Read all tickers by the retired version 2; warns and sends. Use `tickers`.

        GET /spot/v2/ticker, no key.
        """
        return self._call(self._it.tickers_v2)

    def ticker_v1(self, symbol: str) -> TickerV1:
        """Read one ticker by the retired version 1; warns and sends. Use `ticker`.

        GET /spot/v1/ticker_detail, no key.
        """
        return self._call(self._it.ticker_v1, symbol)

    def kline_steps(self) -> list[int]:
        """Read the kline widths in minutes; retired, warns and sends. They are fixed now: `SpotKlineStep`.

        GET /spot/v1/steps, no key.
        """
        return self._call(self._it.kline_steps)

    def klines_v1(self, symbol: str, *, from_: TimeS, to: TimeS, step: int | None = None) -> list[SpotKlineV1]:
        """Read klines by the retired version 1; warns and sends. Use `klines`.

        GET /spot/v1/symbols/kline, no key.
        """
        return self._call(self._it.klines_v1, symbol, from_=from_, to=to, step=step)

    def order_book_v1(self, symbol: str, *, precision: str | None = None, size: int | None = None) -> OrderBookV1:
        """Read a book by the retired version 1; warns and sends. Use `order_book`.

        GET /spot/v1/symbols/book, no key.
        """
        return self._call(self._it.order_book_v1, symbol, precision=precision, size=size)


class SpotAccount(Twin["AsyncSpotAccount"]):
    """Return the chapter on balances, deposits, withdrawals, transfers, fees and keys."""

    __slots__ = ()

    def balances(
        self,
        currency: str | None = None,
        *,
        need_usd_valuation: bool | None = None,
        source_account: SourceAccount | str | None = None,
    ) -> list[AccountBalance]:
        """Read the account's balances, including the funding wallet.

        GET /account/v1/wallet, keyed, 12 calls in 2 s by key.
        """
        return self._call(
            self._it.balances, currency, need_usd_valuation=need_usd_valuation, source_account=source_account
        )

    def currencies(self, currencies: str | None = None) -> list[AccountCurrency]:
        """Read the deposit and withdrawal terms of currencies, one record per chain.

        GET /account/v1/currencies, no key, 2 calls in 2 s by address.
        """
        return self._call(self._it.currencies, currencies)

    def spot_balances(self) -> list[SpotBalance]:
        """Read the spot wallet.

        GET /spot/v1/wallet, keyed, 12 calls in 2 s by key.
        """
        return self._call(self._it.spot_balances)

    def deposit_address(self, currency: str) -> DepositAddress:
        """Read the address to send a deposit to.

        GET /account/v1/deposit/address, keyed, 2 calls in 2 s by key. Refused to sub-accounts.
        """
        return self._call(self._it.deposit_address, currency)

    def withdraw_quota(self, currency: str) -> WithdrawQuota:
        """Read the limits and the fee of withdrawing a currency.

        GET /account/v1/withdraw/charge, keyed (permission to withdraw), 2 calls in 2 s by key. Refused to sub-accounts.
        """
        return self._call(self._it.withdraw_quota, currency)

    def submit_withdrawal(
        self,
        currency: str,
        amount: Amount,
        *,
        address: str | None = None,
        address_memo: str | None = None,
        destination: str | None = None,
        type: WithdrawAccountType | int | None = None,
        value: str | None = None,
        area_code: str | None = None,
        source_account: SourceAccount | str | None = None,
        recv_window: int | None = None,
    ) -> WithdrawPlaced:
        """Withdraw to a chain address, or to another BitMart account.

        POST /account/v1/withdraw/apply, signed (permission to withdraw), 8 calls in 2 s by key. Refused to
        sub-accounts. The call carries no id of the caller: if its outcome is unknown, check
        `deposit_withdraw_history` before repeating it.
        """
        return self._call(
            self._it.submit_withdrawal,
            currency,
            amount,
            address=address,
            address_memo=address_memo,
            destination=destination,
            type=type,
            value=value,
            area_code=area_code,
            source_account=source_account,
            recv_window=recv_window,
        )

    def withdraw_addresses(self) -> list[WithdrawAddress]:
        """List the saved withdrawal addresses.

        GET /account/v1/withdraw/address/list, keyed, 2 calls in 2 s by key.
        """
        return self._call(self._it.withdraw_addresses)

    def deposit_withdraw_history(
        self,
        operation_type: OperationType | str,
        limit: int,
        *,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
    ) -> list[DepositWithdrawRecord]:
        """List deposits or withdrawals.

        GET /account/v2/deposit-withdraw/history, keyed, 8 calls in 2 s by key. Refused to sub-accounts.
        """
        return self._call(
            self._it.deposit_withdraw_history,
            operation_type,
            limit,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
        )

    def deposit_withdraw_record(self, id: str) -> DepositWithdrawRecord:
        """Read one deposit or withdrawal.

        GET /account/v1/deposit-withdraw/detail, keyed, 8 calls in 2 s by key. Refused to sub-accounts.
        """
        return self._call(self._it.deposit_withdraw_record, id)

    def basic_fee_rate(self) -> BasicFeeRate:
        """Read the account's fee rates by class of pair.

        GET /spot/v1/user_fee, keyed, 2 calls in 2 s by key.
        """
        return self._call(self._it.basic_fee_rate)

    def trade_fee_rate(self, symbol: str) -> SpotTradeFeeRate:
        """Read the fee rates that apply to one pair.

        GET /spot/v1/trade_fee, keyed, 2 calls in 2 s by key.
        """
        return self._call(self._it.trade_fee_rate, symbol)

    def info(self) -> AccountInfo:
        """Read the account's status and all its API keys.

        GET /uapi-key/v1/account/info, keyed. Added by the exchange on 2026-06-25; its reply has no trace.
        """
        return self._call(self._it.info)

    def submit_transfer(
        self, currency: str, amount: Amount, *, type: AccountTransferType | str, recv_window: int | None = None
    ) -> None:
        """Move funds between the own spot and funding wallets.

        POST /account/v1/transfer, signed. Added by the exchange on 2026-06-29. The call carries no id of the caller: if
        its outcome is unknown, compare `balances` before repeating it.
        """
        self._call(self._it.submit_transfer, currency, amount, type=type, recv_window=recv_window)

    def deposit_account(self) -> object:
        """Read the wallet that deposits are credited to.

        GET /account/v1/get-deposit-account, keyed. Known from the official Python SDK 2.8.0 only.
        """
        return self._call(self._it.deposit_account)

    def set_deposit_account(self, account_type: DepositAccountType | str, *, recv_window: int | None = None) -> object:
        """Choose the wallet that deposits are credited to.

        POST /account/v1/set-deposit-account, signed. Known from the official Python SDK 2.8.0 only. Refused to
        sub-accounts.
        """
        return self._call(self._it.set_deposit_account, account_type, recv_window=recv_window)


class SpotTrading(Twin["AsyncSpotTrading"]):
    """Return the chapter on orders and fills."""

    __slots__ = ()

    def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: SpotOrderType | str,
        size: Amount | None = None,
        price: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        stp_mode: SpotStpMode | str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit one spot order.

        POST /spot/v2/submit_order, signed (permission to trade), 40 calls in 2 s by account. Cancelling while it waits
        leaves the outcome unknown: look the client order id up with `order_by_client_id`.
        """
        return self._call(
            self._it.submit_order,
            symbol,
            side=side,
            type=type,
            size=size,
            price=price,
            notional=notional,
            client_order_id=client_order_id,
            stp_mode=stp_mode,
            recv_window=recv_window,
        )

    def cancel_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> CancelResult:
        """Cancel one open order.

        POST /spot/v3/cancel_order, signed (permission to trade), 40 calls in 2 s by account.
        """
        return self._call(
            self._it.cancel_order, symbol, order_id, client_order_id=client_order_id, recv_window=recv_window
        )

    def submit_orders(
        self, symbol: str, orders: Iterable[BatchOrderParam | Mapping[str, object]], *, recv_window: int | None = None
    ) -> BatchOrderIds:
        """Submit up to ten orders on one pair.

        POST /spot/v4/batch_orders, signed (permission to trade), 40 calls in 2 s by account.
        """
        return self._call(self._it.submit_orders, symbol, orders, recv_window=recv_window)

    def cancel_orders(
        self,
        symbol: str,
        *,
        order_ids: Iterable[str] | None = None,
        client_order_ids: Iterable[str] | None = None,
        recv_window: int | None = None,
    ) -> CancelBatchResult:
        """Cancel up to ten orders of one pair.

        POST /spot/v4/cancel_orders, signed (permission to trade), 40 calls in 2 s by account.
        """
        return self._call(
            self._it.cancel_orders,
            symbol,
            order_ids=order_ids,
            client_order_ids=client_order_ids,
            recv_window=recv_window,
        )

    def cancel_all_orders(
        self, symbol: str | None = None, *, side: OrderSide | str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel every open order of the account, or those of one pair or side.

        POST /spot/v4/cancel_all, signed (permission to trade), 1 call in 3 s by account.
        """
        self._call(self._it.cancel_all_orders, symbol, side=side, recv_window=recv_window)

    def order(
        self, order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> SpotOrder:
        """Look up one order by the exchange's id.

        POST /spot/v4/query/order, signed, 50 calls in 2 s by key. It only reads.
        """
        return self._call(self._it.order, order_id, query_state=query_state, recv_window=recv_window)

    def order_by_client_id(
        self, client_order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> SpotOrder:
        """Look up one order by the caller's id.

        POST /spot/v4/query/client-order, signed, 50 calls in 2 s by key. It only reads.
        """
        return self._call(
            self._it.order_by_client_id, client_order_id, query_state=query_state, recv_window=recv_window
        )

    def open_orders(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotOrder]:
        """List the account's open orders.

        POST /spot/v4/query/open-orders, signed, 12 calls in 2 s by key. It only reads.
        """
        return self._call(
            self._it.open_orders,
            symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    def order_history(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotOrder]:
        """List the account's finished orders.

        POST /spot/v4/query/history-orders, signed, 12 calls in 2 s by key. It only reads. There is no cursor: step
        ``end_time`` back to the oldest ``create_time`` while full pages come, and drop repeats by order id.
        """
        return self._call(
            self._it.order_history,
            symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    def trades(
        self,
        symbol: str | None = None,
        *,
        order_mode: SpotOrderMode | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[SpotFill]:
        """List the account's fills.

        POST /spot/v4/query/trades, signed, 12 calls in 2 s by key. It only reads. Paged like `order_history`, by trade
        id.
        """
        return self._call(
            self._it.trades,
            symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    def order_trades(self, order_id: str, *, recv_window: int | None = None) -> list[SpotFill]:
        """List the fills of one order.

        POST /spot/v4/query/order-trades, signed, 12 calls in 2 s by key. It only reads.
        """
        return self._call(self._it.order_trades, order_id, recv_window=recv_window)

    def submit_orders_v2(
        self, order_params: Iterable[BatchOrderParamV2 | Mapping[str, object]], *, recv_window: int | None = None
    ) -> list[BatchOrderResultV2]:
        """Submit a batch across pairs by the retired version 2; warns and sends. Use `submit_orders`.

        POST /spot/v2/batch_orders, signed (permission to trade).
        """
        return self._call(self._it.submit_orders_v2, order_params, recv_window=recv_window)

    def cancel_orders_v1(
        self, symbol: str | None = None, *, side: OrderSide | str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel all orders on one side of a pair by the retired version 1; warns and sends. Use `cancel_all_orders`.

        POST /spot/v1/cancel_orders, signed (permission to trade).
        """
        self._call(self._it.cancel_orders_v1, symbol, side=side, recv_window=recv_window)


class SpotAlgo(Twin["AsyncSpotAlgo"]):
    """Return the chapter on plan, take-profit and stop-loss orders."""

    __slots__ = ()

    def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: AlgoOrderType | str,
        trigger_price: Amount | None = None,
        trigger_type: AlgoTriggerType | str | None = None,
        price: Amount | None = None,
        size: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit a plan order, or a one-way take-profit or stop-loss order.

        POST /spot/v4/algo/submit_order, signed (permission to trade), 10 calls in 2 s by key. Cancelling while it waits
        leaves the outcome unknown: look the client order id up with `order_by_client_id`.
        """
        return self._call(
            self._it.submit_order,
            symbol,
            side=side,
            type=type,
            trigger_price=trigger_price,
            trigger_type=trigger_type,
            price=price,
            size=size,
            notional=notional,
            client_order_id=client_order_id,
            recv_window=recv_window,
        )

    def cancel_order(
        self, symbol: str, order_id: str, *, type: AlgoOrderType | str, recv_window: int | None = None
    ) -> CancelResult:
        """Cancel one algo order.

        POST /spot/v4/algo/cancel_order, signed (permission to trade), 10 calls in 2 s by key.
        """
        return self._call(self._it.cancel_order, symbol, order_id, type=type, recv_window=recv_window)

    def cancel_all_orders(
        self, type: AlgoOrderType | str, *, symbol: str | None = None, recv_window: int | None = None
    ) -> None:
        """Cancel all algo orders of one type.

        POST /spot/v4/algo/cancel_all, signed (permission to trade), 5 calls in 2 s by key.
        """
        self._call(self._it.cancel_all_orders, type, symbol=symbol, recv_window=recv_window)

    def order(
        self, order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> AlgoOrder:
        """Look up one algo order by the exchange's id.

        POST /spot/v4/query/algo/order, signed, 40 calls in 2 s by key. It only reads.
        """
        return self._call(self._it.order, order_id, query_state=query_state, recv_window=recv_window)

    def order_by_client_id(
        self, client_order_id: str, *, query_state: QueryState | str | None = None, recv_window: int | None = None
    ) -> AlgoOrder:
        """Look up one algo order by the caller's id.

        POST /spot/v4/query/algo/client-order, signed, 40 calls in 2 s by key. It only reads.
        """
        return self._call(
            self._it.order_by_client_id, client_order_id, query_state=query_state, recv_window=recv_window
        )

    def open_orders(
        self,
        symbol: str | None = None,
        *,
        order_mode: AlgoOrderType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[AlgoOrder]:
        """List algo orders that wait for their trigger.

        POST /spot/v4/query/algo/open-orders, signed, 20 calls in 2 s by key. It only reads.
        """
        return self._call(
            self._it.open_orders,
            symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )

    def order_history(
        self,
        symbol: str | None = None,
        *,
        order_mode: AlgoOrderType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
        recv_window: int | None = None,
    ) -> list[AlgoOrder]:
        """List finished algo orders.

        POST /spot/v4/query/algo/history-orders, signed, 20 calls in 2 s by key. It only reads. There is no cursor: step
        ``end_time`` back to the oldest ``create_time`` while full pages come, and drop repeats by order id.
        """
        return self._call(
            self._it.order_history,
            symbol,
            order_mode=order_mode,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
            recv_window=recv_window,
        )


class SpotMargin(Twin["AsyncSpotMargin"]):
    """Return the chapter on isolated margin: accounts, orders, loans."""

    __slots__ = ()

    def accounts(self, symbol: str | None = None) -> list[MarginAccount]:
        """Read the account's isolated-margin accounts.

        GET /spot/v1/margin/isolated/account, keyed, 12 calls in 2 s by key.
        """
        return self._call(self._it.accounts, symbol)

    def submit_transfer(
        self,
        symbol: str,
        *,
        currency: str,
        amount: Amount,
        side: MarginTransferSide | str,
        recv_window: int | None = None,
    ) -> MarginTransferPlaced:
        """Move funds between the spot wallet and the margin account of a pair.

        POST /spot/v1/margin/isolated/transfer, signed (permission for margin), 2 calls in 2 s by key. The call carries
        no id of the caller: if its outcome is unknown, compare `accounts` before repeating it.
        """
        return self._call(
            self._it.submit_transfer, symbol, currency=currency, amount=amount, side=side, recv_window=recv_window
        )

    def submit_order(
        self,
        symbol: str,
        *,
        side: OrderSide | str,
        type: SpotOrderType | str,
        size: Amount | None = None,
        price: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> OrderPlaced:
        """Submit one isolated-margin order.

        POST /spot/v1/margin/submit_order, signed (permission for margin), 20 calls in 1 s by account. Query and cancel
        it through ``client.spot.trading``. Cancelling while it waits leaves the outcome unknown: look the client order
        id up there.
        """
        return self._call(
            self._it.submit_order,
            symbol,
            side=side,
            type=type,
            size=size,
            price=price,
            notional=notional,
            client_order_id=client_order_id,
            recv_window=recv_window,
        )

    def borrow(self, symbol: str, *, currency: str, amount: Amount, recv_window: int | None = None) -> BorrowPlaced:
        """Borrow on a pair.

        POST /spot/v1/margin/isolated/borrow, signed (permission for margin), 2 calls in 2 s by key. The call carries no
        id of the caller: if its outcome is unknown, check `borrow_records` before repeating it.
        """
        return self._call(self._it.borrow, symbol, currency=currency, amount=amount, recv_window=recv_window)

    def repay(self, symbol: str, *, currency: str, amount: Amount, recv_window: int | None = None) -> RepayPlaced:
        """Pay back a loan on a pair.

        POST /spot/v1/margin/isolated/repay, signed (permission for margin), 2 calls in 2 s by key. The call carries no
        id of the caller: if its outcome is unknown, check `repay_records` before repeating it.
        """
        return self._call(self._it.repay, symbol, currency=currency, amount=amount, recv_window=recv_window)

    def borrow_records(
        self,
        symbol: str,
        *,
        borrow_id: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
    ) -> list[BorrowRecord]:
        """List loans on a pair.

        GET /spot/v1/margin/isolated/borrow_record, keyed, 150 calls in 2 s by key.
        """
        return self._call(
            self._it.borrow_records, symbol, borrow_id=borrow_id, start_time=start_time, end_time=end_time, limit=limit
        )

    def repay_records(
        self,
        symbol: str,
        *,
        repay_id: str | None = None,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        limit: int | None = None,
    ) -> list[RepayRecord]:
        """List repayments on a pair.

        GET /spot/v1/margin/isolated/repay_record, keyed, 150 calls in 2 s by key.
        """
        return self._call(
            self._it.repay_records,
            symbol,
            repay_id=repay_id,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
            limit=limit,
        )

    def borrowing_rates(self, symbol: str | None = None) -> list[BorrowingRate]:
        """Read the costs and limits of borrowing, by pair.

        GET /spot/v1/margin/isolated/pairs, keyed, 2 calls in 2 s by key.
        """
        return self._call(self._it.borrowing_rates, symbol)


class SpotSubAccount(Twin["AsyncSpotSubAccount"]):
    """Return the chapter on transfers and balances of sub-accounts."""

    __slots__ = ()

    def submit_sub_to_main_transfer(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Pull spot funds from a sub-account, with the main account's key.

        POST /account/sub-account/main/v1/sub-to-main, signed (permission to transfer), 2 calls in 2 s by key.
        """
        self._call(
            self._it.submit_sub_to_main_transfer,
            request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    def submit_sub_to_main_transfer_as_sub(
        self, request_no: str, *, amount: Amount, currency: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to the main account, with the sub-account's key.

        POST /account/sub-account/sub/v1/sub-to-main, signed (permission to transfer), 2 calls in 2 s by key.
        """
        self._call(
            self._it.submit_sub_to_main_transfer_as_sub,
            request_no,
            amount=amount,
            currency=currency,
            recv_window=recv_window,
        )

    def submit_main_to_sub_transfer(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to a sub-account, with the main account's key.

        POST /account/sub-account/main/v1/main-to-sub, signed (permission to transfer), 2 calls in 2 s by key.
        """
        self._call(
            self._it.submit_main_to_sub_transfer,
            request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    def submit_sub_to_sub_transfer(
        self,
        request_no: str,
        *,
        amount: Amount,
        currency: str,
        from_account: str,
        to_account: str,
        recv_window: int | None = None,
    ) -> None:
        """Move spot funds between two sub-accounts, with the main account's key.

        POST /account/sub-account/main/v1/sub-to-sub, signed (permission to transfer), 2 calls in 2 s by key.
        """
        self._call(
            self._it.submit_sub_to_sub_transfer,
            request_no,
            amount=amount,
            currency=currency,
            from_account=from_account,
            to_account=to_account,
            recv_window=recv_window,
        )

    def submit_sub_to_sub_transfer_as_sub(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to another sub-account, with a sub-account's key; retired, warns and sends.

        POST /account/sub-account/sub/v1/sub-to-sub, signed (permission to transfer), 2 calls in 2 s by key. Dropped
        from the documentation on 2024-03-07: use `submit_sub_to_sub_transfer`.
        """
        self._call(
            self._it.submit_sub_to_sub_transfer_as_sub,
            request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    def transfers(
        self, limit: int, *, move_type: MoveType | str = MoveType.SPOT_TO_SPOT, account_name: str | None = None
    ) -> SubTransferPage:
        """List the transfers of the sub-accounts, with the main account's key.

        GET /account/sub-account/main/v1/transfer-list, keyed, 8 calls in 2 s by key.
        """
        return self._call(self._it.transfers, limit, move_type=move_type, account_name=account_name)

    def transfer_history(self, limit: int, *, move_type: MoveType | str = MoveType.SPOT_TO_SPOT) -> SubTransferPage:
        """List the calling account's own spot transfers, main or sub.

        GET /account/sub-account/v1/transfer-history, keyed, 8 calls in 2 s by key.
        """
        return self._call(self._it.transfer_history, limit, move_type=move_type)

    def balances(self, sub_account: str, *, currency: str | None = None) -> list[SpotSubAccountBalance]:
        """Read a sub-account's spot wallet, with the main account's key.

        GET /account/sub-account/main/v1/wallet, keyed, 12 calls in 2 s by key.
        """
        return self._call(self._it.balances, sub_account, currency=currency)

    def accounts(self) -> list[SubAccount]:
        """List the sub-accounts, with the main account's key.

        GET /account/sub-account/main/v1/subaccount-list, keyed, 8 calls in 2 s by key.
        """
        return self._call(self._it.accounts)


class SpotBroker(Twin["AsyncSpotBroker"]):
    """Return the chapter on rebates of API brokers."""

    __slots__ = ()

    def rebates(self, *, start_time: TimeS | None = None, end_time: TimeS | None = None) -> BrokerRebates:
        """Read rebates by day and currency.

        GET /spot/v1/broker/rebate, keyed (the broker's own key).
        """
        return self._call(self._it.rebates, start_time=start_time, end_time=end_time)


class SpotEarn(Twin["AsyncSpotEarn"]):
    """Return the chapter on flexible and fixed-term savings."""

    __slots__ = ()

    def holdings(self) -> list[EarnHolding]:
        """Read all savings by coin, flexible and fixed-term together.

        GET /newearn/cloud/v1/earn, keyed.
        """
        return self._call(self._it.holdings)

    def flexible_products(
        self, coin_name: str | None = None, *, page: int = 1, page_size: int = 100
    ) -> FlexibleSavingsProductPage:
        """List the flexible savings products.

        GET /newearn/cloud/v1/saving/product, keyed.
        """
        return self._call(self._it.flexible_products, coin_name, page=page, page_size=page_size)

    def subscribe_flexible(
        self, product_id: str, amount: Amount, *, request_no: str, recv_window: int | None = None
    ) -> bool:
        """Subscribe to a flexible product.

        POST /newearn/cloud/v1/saving/subscribe, signed (permission for finance).
        """
        return self._call(
            self._it.subscribe_flexible, product_id, amount, request_no=request_no, recv_window=recv_window
        )

    def redeem_flexible(self, earn_id: str, amount: Amount, *, request_no: str, recv_window: int | None = None) -> bool:
        """Redeem a flexible holding, in part or whole.

        POST /newearn/cloud/v1/saving/redeem, signed (permission for finance).
        """
        return self._call(self._it.redeem_flexible, earn_id, amount, request_no=request_no, recv_window=recv_window)

    def flexible_holdings(
        self, coin_name: str | None = None, *, product_id: str | None = None, page: int = 1, page_size: int = 100
    ) -> FlexibleSavingsHoldingPage:
        """List the account's flexible holdings.

        GET /newearn/cloud/v1/saving/earn, keyed.
        """
        return self._call(self._it.flexible_holdings, coin_name, product_id=product_id, page=page, page_size=page_size)

    def flexible_records(
        self,
        type: SavingsRecordType | str,
        *,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        coin_name: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FlexibleSavingsRecordPage:
        """List subscriptions, redemptions or interest payments of flexible savings.

        GET /newearn/cloud/v1/saving/record, keyed.
        """
        return self._call(
            self._it.flexible_records,
            type,
            start_time=start_time,
            end_time=end_time,
            coin_name=coin_name,
            page=page,
            page_size=page_size,
        )

    def fixed_products(
        self, coin_name: str | None = None, *, page: int = 1, page_size: int = 100
    ) -> FixedSavingsProductPage:
        """List the fixed-term savings products.

        GET /newearn/cloud/v1/saving/fixed/product, keyed.
        """
        return self._call(self._it.fixed_products, coin_name, page=page, page_size=page_size)

    def subscribe_fixed(
        self,
        product_id: str,
        amount: Amount,
        *,
        request_no: str,
        auto_subscribe: FixedAutoSubscribe | str,
        recv_window: int | None = None,
    ) -> bool:
        """Subscribe to a fixed-term product.

        POST /newearn/cloud/v1/saving/fixed/subscribe, signed (permission for finance).
        """
        return self._call(
            self._it.subscribe_fixed,
            product_id,
            amount,
            request_no=request_no,
            auto_subscribe=auto_subscribe,
            recv_window=recv_window,
        )

    def fixed_holdings(
        self, coin_name: str | None = None, *, product_id: str | None = None, page: int = 1, page_size: int = 100
    ) -> FixedSavingsHoldingPage:
        """List the account's fixed-term holdings.

        GET /newearn/cloud/v1/saving/fixed/earn, keyed.
        """
        return self._call(self._it.fixed_holdings, coin_name, product_id=product_id, page=page, page_size=page_size)

    def fixed_records(
        self,
        type: SavingsRecordType | str,
        *,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        coin_name: str | None = None,
        page: int = 1,
        page_size: int = 100,
    ) -> FixedSavingsRecordPage:
        """List subscriptions, redemptions or interest payments of fixed-term savings.

        GET /newearn/cloud/v1/saving/fixed/record, keyed.
        """
        return self._call(
            self._it.fixed_records,
            type,
            start_time=start_time,
            end_time=end_time,
            coin_name=coin_name,
            page=page,
            page_size=page_size,
        )

    def redeem_fixed(self, earn_id: str, *, request_no: str, recv_window: int | None = None) -> bool:
        """Redeem a fixed-term holding before it matures.

        POST /newearn/cloud/v1/saving/fixed/redeem, signed (permission for finance).
        """
        return self._call(self._it.redeem_fixed, earn_id, request_no=request_no, recv_window=recv_window)

    def set_fixed_auto_renewal(
        self, earn_id: str, auto_subscribe: FixedAutoSubscribe | str, *, recv_window: int | None = None
    ) -> bool:
        """Change the action for a fixed-term holding at maturity.

        POST /newearn/cloud/v1/saving/fixed/subscribe/operate, signed (permission for finance).
        """
        return self._call(self._it.set_fixed_auto_renewal, earn_id, auto_subscribe, recv_window=recv_window)

    def set_auto_savings(self, auto_subscribe: AutoSubscribeAction | str, *, recv_window: int | None = None) -> bool:
        """Switch automatic subscription on or off for all flexible products.

        POST /newearn/cloud/v1/saving/subscribe/batch/operate, signed (permission for finance).
        """
        return self._call(self._it.set_auto_savings, auto_subscribe, recv_window=recv_window)

    def auto_savings_status(self) -> AutoSavingsStatus:
        """Read whether automatic subscription is on for all flexible products.

        GET /newearn/cloud/v1/saving/subscribe/batch, keyed.
        """
        return self._call(self._it.auto_savings_status)

    def set_flexible_auto_subscribe(
        self, product_id: str, auto_subscribe: AutoSubscribeAction | str, *, recv_window: int | None = None
    ) -> bool:
        """Switch automatic subscription on or off for one flexible product.

        POST /newearn/cloud/v1/saving/subscribe/operate, signed (permission for finance).
        """
        return self._call(self._it.set_flexible_auto_subscribe, product_id, auto_subscribe, recv_window=recv_window)

    def flexible_auto_subscribe_status(self, product_id: str) -> FlexibleAutoSubscribeStatus:
        """Read the automatic subscription of one flexible product.

        GET /newearn/cloud/v1/saving/subscribe/status, keyed.
        """
        return self._call(self._it.flexible_auto_subscribe_status, product_id)


class Spot(Twin["AsyncSpot"]):
    """The spot market: one attribute a chapter of the documentation."""

    __slots__ = ()

    @property
    def system(self) -> System:
        """Return the chapter on the exchange's clock and maintenance notices."""
        return System(self._portal, self._it.system)

    @property
    def market(self) -> SpotMarket:
        """Return the chapter on currencies, pairs, tickers, klines, books and public trades."""
        return SpotMarket(self._portal, self._it.market)

    @property
    def account(self) -> SpotAccount:
        """Return the chapter on balances, deposits, withdrawals, transfers, fees and keys."""
        return SpotAccount(self._portal, self._it.account)

    @property
    def trading(self) -> SpotTrading:
        """Return the chapter on orders and fills."""
        return SpotTrading(self._portal, self._it.trading)

    @property
    def algo(self) -> SpotAlgo:
        """Return the chapter on plan, take-profit and stop-loss orders."""
        return SpotAlgo(self._portal, self._it.algo)

    @property
    def margin(self) -> SpotMargin:
        """Return the chapter on isolated margin: accounts, orders, loans."""
        return SpotMargin(self._portal, self._it.margin)

    @property
    def sub_account(self) -> SpotSubAccount:
        """Return the chapter on transfers and balances of sub-accounts."""
        return SpotSubAccount(self._portal, self._it.sub_account)

    @property
    def broker(self) -> SpotBroker:
        """Return the chapter on rebates of API brokers."""
        return SpotBroker(self._portal, self._it.broker)

    @property
    def earn(self) -> SpotEarn:
        """Return the chapter on flexible and fixed-term savings."""
        return SpotEarn(self._portal, self._it.earn)

    def rules(self, symbol: str, *, refresh: bool = False) -> SpotRules:
        """Return the tick, step and bounds for orders on a pair."""
        return self._call(self._it.rules, symbol, refresh=refresh)

    def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        """Call an endpoint by its row, and return the payload with trace id, headers, quota and exact bytes."""
        return self._call(self._it.call, endpoint, **arguments)

    def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        auth: Literal["none", "keyed", "signed"] = "none",
    ) -> RawReply:
        """Send a request to any path of this market's host, for endpoints that the library does not know."""
        return self._call(self._it.request, method, path, params=params, auth=auth)


class FuturesMarket(Twin["AsyncFuturesMarket"]):
    """Return the public chapter on contracts, book, trades, candles and funding."""

    __slots__ = ()

    def contracts(self, symbol: str | None = None) -> list[ContractDetails]:
        """Read the trading rules, prices, funding and 24-hour figures of one contract or of all.

        GET /contract/public/details, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.contracts, symbol)

    def order_book(self, symbol: str) -> FuturesOrderBook:
        """Read the best levels of a contract's book, at most 50 per side.

        GET /contract/public/depth, no key, 12 calls in 2 s by address. The depth cannot be chosen.
        """
        return self._call(self._it.order_book, symbol)

    def trades(self, symbol: str, *, limit: int | None = None) -> list[FuturesMarketTrade]:
        """Read the latest public trades of a contract.

        GET /contract/public/market-trade, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.trades, symbol, limit=limit)

    def open_interest(self, symbol: str) -> OpenInterest:
        """Read the open interest of a contract.

        GET /contract/public/open-interest, no key, 2 calls in 2 s by address.
        """
        return self._call(self._it.open_interest, symbol)

    def funding_rate(self, symbol: str) -> FundingRate:
        """Read the last and the expected funding rate of one contract.

        GET /contract/public/funding-rate, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.funding_rate, symbol)

    def funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        """Read the last and the expected funding rate of all contracts in one call.

        GET /contract/public/funding-rate-v2, no key, 12 calls in 2 s by address. Known from the official SDKs.
        """
        return self._call(self._it.funding_rates, symbol)

    def funding_rate_history(self, symbol: str, *, limit: int | None = None) -> list[FundingRateRecord]:
        """Read the settled funding rates of a contract.

        GET /contract/public/funding-rate-history, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.funding_rate_history, symbol, limit=limit)

    def klines(
        self, symbol: str, *, start_time: TimeS, end_time: TimeS, step: FuturesKlineStep | int | None = None
    ) -> list[FuturesKline]:
        """Read candles of traded prices.

        GET /contract/public/kline, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.klines, symbol, start_time=start_time, end_time=end_time, step=step)

    def mark_price_klines(
        self, symbol: str, *, start_time: TimeS, end_time: TimeS, step: FuturesKlineStep | int | None = None
    ) -> list[FuturesKline]:
        """Read candles of the mark price, which has no other public REST source.

        GET /contract/public/markprice-kline, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.mark_price_klines, symbol, start_time=start_time, end_time=end_time, step=step)

    def leverage_brackets(self, symbol: str | None = None) -> list[LeverageBracketRule]:
        """Read the risk tiers: greatest leverage and maintenance margin by position value.

        GET /contract/public/leverage-bracket, no key, 12 calls in 2 s by address.
        """
        return self._call(self._it.leverage_brackets, symbol)


class FuturesAccount(Twin["AsyncFuturesAccount"]):
    """Return the chapter on the futures wallet: balances, fees, ledger, transfers."""

    __slots__ = ()

    def assets(self) -> list[FuturesAsset]:
        """Read the balances of the futures wallet, one row per currency.

        GET /contract/private/assets-detail, key, 12 calls in 2 s by key.
        """
        return self._call(self._it.assets)

    def trade_fee_rate(self, symbol: str) -> FuturesTradeFeeRate:
        """Read the account's fee rates for one contract.

        GET /contract/private/trade-fee-rate, key, 2 calls in 2 s by key.
        """
        return self._call(self._it.trade_fee_rate, symbol)

    def transaction_history(
        self,
        symbol: str | None = None,
        *,
        flow_type: FlowType | int | None = None,
        account: FuturesAccountType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        page_size: int | None = None,
    ) -> list[Transaction]:
        """Read the ledger: transfers, realised profit, funding, fees and liquidations.

        GET /contract/private/transaction-history, key, 6 calls in 2 s by key. There are no pages: move the times to
        continue.
        """
        return self._call(
            self._it.transaction_history,
            symbol,
            flow_type=flow_type,
            account=account,
            start_time=start_time,
            end_time=end_time,
            page_size=page_size,
        )

    def transfers(
        self,
        *,
        page: int,
        limit: int,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        recv_window: int | None = None,
    ) -> list[FuturesTransfer]:
        """List transfers between the spot and the futures wallet.

        POST /account/v1/transfer-contract-list, signed, 1 call in 2 s by key. It changes nothing, so it is repeated
        like any read. Not on the demo host.
        """
        return self._call(
            self._it.transfers,
            page=page,
            limit=limit,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
            recv_window=recv_window,
        )

    def submit_transfer(
        self, *, currency: str, amount: Amount, type: FuturesTransferType | str, recv_window: int | None = None
    ) -> FuturesTransferResult:
        """Move USDT between the spot and the futures wallet.

        POST /account/v1/transfer-contract, signed, 1 call in 2 s by key. A sub-account's key is enough since
        2024-12-04. Not on the demo host. Transfers carry no id of the caller: if the outcome is unknown, check
        `transfers`.
        """
        return self._call(
            self._it.submit_transfer, currency=currency, amount=amount, type=type, recv_window=recv_window
        )

    def submit_funding_transfer(
        self, *, currency: str, amount: Amount, type: FundingTransferType | str, recv_window: int | None = None
    ) -> None:
        """Move money between the funding and the futures account.

        POST /contract/private/account/v1/transfer, signed, no documented quota. Since 2026-06-29; known from the
        official Python SDK 2.8.0. Not on the demo host.
        """
        self._call(
            self._it.submit_funding_transfer, currency=currency, amount=amount, type=type, recv_window=recv_window
        )

    def auto_repayments(
        self,
        *,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        page: int | None = None,
        page_size: int | None = None,
        from_coin_code: str | None = None,
        type: str | None = None,
    ) -> AutoRepaymentPage:
        """List automatic repayments of cross-collateral debt.

        GET /contract/private/auto_repayment, key, no documented quota. Known from the official SDKs.
        """
        return self._call(
            self._it.auto_repayments,
            start_time=start_time,
            end_time=end_time,
            page=page,
            page_size=page_size,
            from_coin_code=from_coin_code,
            type=type,
        )

    def cross_collateral_interest(
        self,
        *,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        page: int | None = None,
        page_size: int | None = None,
        coin_code: str | None = None,
    ) -> InterestLogPage:
        """List interest charged on cross-collateral debt.

        GET /contract/private/cross_collateral/interest_log, key, no documented quota. Known from the official SDKs.
        """
        return self._call(
            self._it.cross_collateral_interest,
            start_time=start_time,
            end_time=end_time,
            page=page,
            page_size=page_size,
            coin_code=coin_code,
        )


class FuturesTrading(Twin["AsyncFuturesTrading"]):
    """Return the chapter on orders of every kind and the account's own fills."""

    __slots__ = ()

    def order(self, symbol: str, order_id: str, *, account: FuturesAccountType | str | None = None) -> FuturesOrder:
        """Look up one order by the exchange's id. `order_history` also finds client order ids.

        GET /contract/private/order, key, 50 calls in 2 s by key.
        """
        return self._call(self._it.order, symbol, order_id, account=account)

    def order_history(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        account: FuturesAccountType | str | None = None,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
    ) -> list[FuturesOrder]:
        """List the finished orders of a contract, or look one up by either id.

        GET /contract/private/order-history, key, 6 calls in 2 s by key.
        """
        return self._call(
            self._it.order_history,
            symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            account=account,
            start_time=start_time,
            end_time=end_time,
        )

    def open_orders(
        self,
        symbol: str | None = None,
        *,
        type: FuturesOrderType | str | None = None,
        order_state: OrderStateFilter | str | None = None,
        limit: int | None = None,
    ) -> list[FuturesOrder]:
        """List the live ordinary and trailing orders. `plan_orders` has the others.

        GET /contract/private/get-open-orders, key, 50 calls in 2 s by key.
        """
        return self._call(self._it.open_orders, symbol, type=type, order_state=order_state, limit=limit)

    def plan_orders(
        self,
        symbol: str | None = None,
        *,
        type: FuturesOrderType | str | None = None,
        limit: int | None = None,
        plan_type: PlanTypeFilter | str | None = None,
    ) -> list[PlanOrder]:
        """List the waiting plan, take-profit and stop-loss orders.

        GET /contract/private/current-plan-order, key, 50 calls in 2 s by key.
        """
        return self._call(self._it.plan_orders, symbol, type=type, limit=limit, plan_type=plan_type)

    def trades(
        self,
        symbol: str | None = None,
        *,
        account: FuturesAccountType | str | None = None,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        order_id: str | None = None,
        client_order_id: str | None = None,
    ) -> list[FuturesFill]:
        """List the account's own fills.

        GET /contract/private/trades, key, 6 calls in 2 s by key.
        """
        return self._call(
            self._it.trades,
            symbol,
            account=account,
            start_time=start_time,
            end_time=end_time,
            order_id=order_id,
            client_order_id=client_order_id,
        )

    def submit_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        size: int,
        type: FuturesOrderType | str | None = None,
        price: Amount | None = None,
        mode: FuturesOrderMode | int | None = None,
        leverage: Amount | None = None,
        open_type: OpenType | str | None = None,
        client_order_id: str | None = None,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        stp_mode: FuturesStpMode | int | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderPlaced:
        """Submit one limit or market order.

        POST /contract/private/submit-order, signed, 24 calls in 2 s by key. Cancelling while it waits leaves the
        outcome unknown: look the client order id up in `open_orders` and `order_history`.
        """
        return self._call(
            self._it.submit_order,
            symbol=symbol,
            side=side,
            size=size,
            type=type,
            price=price,
            mode=mode,
            leverage=leverage,
            open_type=open_type,
            client_order_id=client_order_id,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            stp_mode=stp_mode,
            recv_window=recv_window,
        )

    def modify_limit_order(
        self,
        symbol: str,
        *,
        order_id: str | None = None,
        client_order_id: str | None = None,
        price: Amount | None = None,
        size: int | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderIds:
        """Change price or size of a live limit order.

        POST /contract/private/modify-limit-order, signed, 24 calls in 2 s by account.
        """
        return self._call(
            self._it.modify_limit_order,
            symbol,
            order_id=order_id,
            client_order_id=client_order_id,
            price=price,
            size=size,
            recv_window=recv_window,
        )

    def cancel_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Cancel one order. `cancel_all_orders` cancels all of a contract.

        POST /contract/private/cancel-order, signed, 40 calls in 2 s by key. A call without an id is refused here, since
        the exchange would cancel everything on the symbol.
        """
        self._call(self._it.cancel_order, symbol, order_id, client_order_id=client_order_id, recv_window=recv_window)

    def cancel_all_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every open ordinary order of one contract.

        POST /contract/private/cancel-orders, signed, 2 calls in 2 s by key. There is no form for all contracts.
        """
        self._call(self._it.cancel_all_orders, symbol, recv_window=recv_window)

    def cancel_all_after(self, symbol: str, timeout: int, *, recv_window: int | None = None) -> CancelAllAfterResult:
        """Arm, renew or switch off the timer after which the exchange cancels a contract's ordinary orders.

        POST /contract/private/cancel-all-after, signed, 4 calls in 2 s by account, all contracts together. Plan,
        take-profit, stop-loss and trailing orders are taken not to be covered, positions are not touched. The timer may
        go on firing: switch it off at the end. ``trading.dead_mans_switch`` does all that.
        """
        return self._call(self._it.cancel_all_after, symbol, timeout, recv_window=recv_window)

    def submit_plan_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        leverage: Amount,
        open_type: OpenType | str,
        size: int,
        trigger_price: Amount,
        price_way: PriceWay | int,
        price_type: PriceType | int,
        type: PlanOrderType | str | None = None,
        mode: FuturesOrderMode | int | None = None,
        executive_price: Amount | None = None,
        plan_category: PlanCategory | int | None = None,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Submit an order that the exchange sends when a price is reached.

        POST /contract/private/submit-plan-order, signed, 24 calls in 2 s by account. It takes no client order id: if
        the outcome is unknown, check `plan_orders`. To close a position, `submit_tp_sl_order` is the newer way.
        """
        return self._call(
            self._it.submit_plan_order,
            symbol=symbol,
            side=side,
            leverage=leverage,
            open_type=open_type,
            size=size,
            trigger_price=trigger_price,
            price_way=price_way,
            price_type=price_type,
            type=type,
            mode=mode,
            executive_price=executive_price,
            plan_category=plan_category,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            recv_window=recv_window,
        )

    def modify_plan_order(
        self,
        symbol: str,
        order_id: str,
        *,
        trigger_price: Amount,
        price_type: PriceType | int,
        type: FuturesOrderType | str,
        executive_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change the prices of a waiting plan order.

        POST /contract/private/modify-plan-order, signed, 24 calls in 2 s by account.
        """
        return self._call(
            self._it.modify_plan_order,
            symbol,
            order_id,
            trigger_price=trigger_price,
            price_type=price_type,
            type=type,
            executive_price=executive_price,
            recv_window=recv_window,
        )

    def modify_preset_plan_order(
        self,
        symbol: str,
        order_id: str,
        *,
        preset_take_profit_price_type: PriceType | int | None = None,
        preset_stop_loss_price_type: PriceType | int | None = None,
        preset_take_profit_price: Amount | None = None,
        preset_stop_loss_price: Amount | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change the take-profit and stop-loss attached to an order.

        POST /contract/private/modify-preset-plan-order, signed, 24 calls in 2 s by account.
        """
        return self._call(
            self._it.modify_preset_plan_order,
            symbol,
            order_id,
            preset_take_profit_price_type=preset_take_profit_price_type,
            preset_stop_loss_price_type=preset_stop_loss_price_type,
            preset_take_profit_price=preset_take_profit_price,
            preset_stop_loss_price=preset_stop_loss_price,
            recv_window=recv_window,
        )

    def cancel_plan_order(
        self,
        symbol: str,
        order_id: str | None = None,
        *,
        client_order_id: str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Cancel one plan, take-profit or stop-loss order. `cancel_all_plan_orders` cancels all of a contract.

        POST /contract/private/cancel-plan-order, signed, 40 calls in 2 s by account. A call without an id is refused
        here, since the exchange would cancel everything on the symbol.
        """
        self._call(
            self._it.cancel_plan_order, symbol, order_id, client_order_id=client_order_id, recv_window=recv_window
        )

    def cancel_all_plan_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every plan, take-profit and stop-loss order of one contract.

        POST /contract/private/cancel-plan-order without an id, signed, 40 calls in 2 s by account, together with
        `cancel_plan_order`.
        """
        self._call(self._it.cancel_all_plan_orders, symbol, recv_window=recv_window)

    def submit_tp_sl_order(
        self,
        *,
        symbol: str,
        type: PlanOrderType | str,
        side: FuturesOrderSide | FuturesSideWord | int,
        trigger_price: Amount,
        executive_price: Amount,
        price_type: PriceType | int,
        size: int | None = None,
        plan_category: PlanCategory | int | None = None,
        client_order_id: str | None = None,
        category: FuturesOrderType | str | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderIds:
        """Attach a take-profit or a stop-loss to an open position; for both, call twice.

        POST /contract/private/submit-tp-sl-order, signed, 24 calls in 2 s by account. Cancelling while it waits leaves
        the outcome unknown: look the client order id up in `plan_orders`.
        """
        return self._call(
            self._it.submit_tp_sl_order,
            symbol=symbol,
            type=type,
            side=side,
            trigger_price=trigger_price,
            executive_price=executive_price,
            price_type=price_type,
            size=size,
            plan_category=plan_category,
            client_order_id=client_order_id,
            category=category,
            recv_window=recv_window,
        )

    def modify_tp_sl_order(
        self,
        *,
        symbol: str,
        trigger_price: Amount,
        price_type: PriceType | int,
        order_id: str | None = None,
        client_order_id: str | None = None,
        executive_price: Amount | None = None,
        plan_category: PlanCategory | int | None = None,
        category: FuturesOrderType | str | None = None,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Change a waiting take-profit or stop-loss order.

        POST /contract/private/modify-tp-sl-order, signed, 24 calls in 2 s by account.
        """
        return self._call(
            self._it.modify_tp_sl_order,
            symbol=symbol,
            trigger_price=trigger_price,
            price_type=price_type,
            order_id=order_id,
            client_order_id=client_order_id,
            executive_price=executive_price,
            plan_category=plan_category,
            category=category,
            recv_window=recv_window,
        )

    def submit_trailing_order(
        self,
        *,
        symbol: str,
        side: FuturesOrderSide | FuturesSideWord | int,
        leverage: Amount,
        open_type: OpenType | str,
        size: int,
        activation_price: Amount,
        callback_rate: Amount,
        activation_price_type: PriceType | int,
        recv_window: int | None = None,
    ) -> FuturesOrderId:
        """Submit a trailing order, which follows the price and becomes a market order when it turns.

        POST /contract/private/submit-trail-order, signed, 24 calls in 2 s by account. It takes no client order id: when
        the outcome is unknown, compare with `open_orders`.
        """
        return self._call(
            self._it.submit_trailing_order,
            symbol=symbol,
            side=side,
            leverage=leverage,
            open_type=open_type,
            size=size,
            activation_price=activation_price,
            callback_rate=callback_rate,
            activation_price_type=activation_price_type,
            recv_window=recv_window,
        )

    def cancel_trailing_order(self, symbol: str, order_id: str, *, recv_window: int | None = None) -> None:
        """Cancel one trailing order. `cancel_all_trailing_orders` cancels all of a contract.

        POST /contract/private/cancel-trail-order, signed, 24 calls in 2 s by account.
        """
        self._call(self._it.cancel_trailing_order, symbol, order_id, recv_window=recv_window)

    def cancel_all_trailing_orders(self, symbol: str, *, recv_window: int | None = None) -> None:
        """Cancel every trailing order of one contract.

        POST /contract/private/cancel-trail-order without an id, signed, 24 calls in 2 s by account. No source spells
        this form out; the other cancel calls behave so. Look at `open_orders` afterwards.
        """
        self._call(self._it.cancel_all_trailing_orders, symbol, recv_window=recv_window)


class FuturesPositions(Twin["AsyncFuturesPositions"]):
    """Return the chapter on positions, leverage and position mode."""

    __slots__ = ()

    def positions(
        self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None
    ) -> list[FuturesPosition]:
        """Read the open positions, first version. `positions_v2` adds side, liquidation price and margin.

        GET /contract/private/position, key, 6 calls in 2 s by key.
        """
        return self._call(self._it.positions, symbol, account=account)

    def positions_v2(
        self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None
    ) -> list[FuturesPositionV2]:
        """Read the positions with side, liquidation price and margin.

        GET /contract/private/position-v2, key, 6 calls in 2 s by key.
        """
        return self._call(self._it.positions_v2, symbol, account=account)

    def risk(self, symbol: str | None = None, *, account: FuturesAccountType | str | None = None) -> list[PositionRisk]:
        """Read liquidation price, margin and value of the positions.

        GET /contract/private/position-risk, key, 24 calls in 2 s by key.
        """
        return self._call(self._it.risk, symbol, account=account)

    def mode(self) -> PositionModeResult:
        """Read whether the account is in hedge or one-way mode.

        GET /contract/private/get-position-mode, key, 2 calls in 2 s by key.
        """
        return self._call(self._it.mode)

    def set_mode(self, position_mode: PositionMode | str, *, recv_window: int | None = None) -> PositionModeResult:
        """Switch the whole account between hedge and one-way mode.

        POST /contract/private/set-position-mode, signed, 2 calls in 2 s by key.
        """
        return self._call(self._it.set_mode, position_mode, recv_window=recv_window)

    def set_leverage(
        self, symbol: str, *, open_type: OpenType | str, leverage: Amount | None = None, recv_window: int | None = None
    ) -> LeverageResult:
        """Set leverage and margin mode of one contract.

        POST /contract/private/submit-leverage, signed, 24 calls in 2 s by key.
        """
        return self._call(
            self._it.set_leverage, symbol, open_type=open_type, leverage=leverage, recv_window=recv_window
        )

    def close_all(
        self,
        contract_type: ContractMargin | int,
        *,
        symbol: str | None = None,
        position_side: PositionSide | str | None = None,
        recv_window: int | None = None,
    ) -> None:
        """Close positions at market: all of one margin currency, or those of one contract or direction.

        POST /contract/private/close-all-position, signed, no documented quota. Since 2026-06-16; known from the
        official Python SDK 2.8.0.
        """
        self._call(
            self._it.close_all, contract_type, symbol=symbol, position_side=position_side, recv_window=recv_window
        )


class FuturesSubAccount(Twin["AsyncFuturesSubAccount"]):
    """Return the chapter on sub-accounts: transfers and balances."""

    __slots__ = ()

    def submit_sub_to_main_transfer(
        self, *, request_no: str, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """As main account, take futures money from a sub-account.

        POST /account/contract/sub-account/main/v1/sub-to-main, signed with the main account's key, 8 calls in 2 s by
        key. Not on the demo host.
        """
        self._call(
            self._it.submit_sub_to_main_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    def submit_main_to_sub_transfer(
        self, *, request_no: str, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """As main account, give futures money to a sub-account.

        POST /account/contract/sub-account/main/v1/main-to-sub, signed with the main account's key, 8 calls in 2 s by
        key. Not on the demo host.
        """
        self._call(
            self._it.submit_main_to_sub_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    def submit_sub_to_main_transfer_as_sub(
        self, *, request_no: str, amount: Amount, currency: str, recv_window: int | None = None
    ) -> None:
        """As sub-account, send futures money to the main account.

        POST /account/contract/sub-account/sub/v1/sub-to-main, signed with the sub-account's key, which also names the
        giving account; 8 calls in 2 s by key. Not on the demo host.
        """
        self._call(
            self._it.submit_sub_to_main_transfer_as_sub,
            request_no=request_no,
            amount=amount,
            currency=currency,
            recv_window=recv_window,
        )

    def balances(self, sub_account: str, *, currency: str | None = None) -> list[FuturesSubAccountBalance]:
        """As main account, read the futures balances of a sub-account.

        GET /account/contract/sub-account/main/v1/wallet, key, 12 calls in 2 s by key.
        """
        return self._call(self._it.balances, sub_account, currency=currency)

    def transfers(self, sub_account: str, *, limit: int) -> list[SubTransfer]:
        """As main account, list the newest futures transfers of a sub-account.

        GET /account/contract/sub-account/main/v1/transfer-list, key, 8 calls in 2 s by key.
        """
        return self._call(self._it.transfers, sub_account, limit=limit)

    def transfer_history(self, *, limit: int) -> list[SubTransfer]:
        """List the newest futures transfers between main and sub-accounts that concern the calling account.

        GET /account/contract/sub-account/v1/transfer-history, key of a main or a sub-account, 8 calls in 2 s by key.
        """
        return self._call(self._it.transfer_history, limit=limit)


class FuturesAffiliate(Twin["AsyncFuturesAffiliate"]):
    """Return the chapter on users invited by an affiliate."""

    __slots__ = ()

    def rebates(
        self,
        *,
        page: int,
        page_size: int,
        currency: str,
        user_id: int | None = None,
        rebate_start_time: TimeS | None = None,
        rebate_end_time: TimeS | None = None,
        register_start_time: TimeS | None = None,
        register_end_time: TimeS | None = None,
    ) -> AffiliateRebatePage:
        """List the commission earned, with totals.

        GET /contract/private/affiliate/rebate-list, key, 24 calls in 2 s by key.
        """
        return self._call(
            self._it.rebates,
            page=page,
            page_size=page_size,
            currency=currency,
            user_id=user_id,
            rebate_start_time=rebate_start_time,
            rebate_end_time=rebate_end_time,
            register_start_time=register_start_time,
            register_end_time=register_end_time,
        )

    def trades(
        self,
        user_id: int,
        *,
        type: ContractMargin | int,
        page: int,
        page_size: int,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
    ) -> AffiliateTradePage:
        """List the trades of one user.

        GET /contract/private/affiliate/trade-list, key, 24 calls in 2 s by key.
        """
        return self._call(
            self._it.trades,
            user_id,
            type=type,
            page=page,
            page_size=page_size,
            start_time=start_time,
            end_time=end_time,
        )

    def user_rebate(self, cid: int, *, start_time: TimeS, end_time: TimeS) -> AffiliateUserRebate:
        """Read volume, fees and commission of one user, in a period and in total.

        GET /contract/private/affiliate/rebate-user, key, 24 calls in 2 s by key.
        """
        return self._call(self._it.user_rebate, cid, start_time=start_time, end_time=end_time)

    def api_rebate(self, cid: int, *, start_time: TimeS, end_time: TimeS) -> AffiliateApiRebate:
        """Read fees and commission of one user's trading over the API.

        GET /contract/private/affiliate/rebate-api, key, 24 calls in 2 s by key.
        """
        return self._call(self._it.api_rebate, cid, start_time=start_time, end_time=end_time)

    def invite_check(self, cid: int) -> AffiliateInviteCheck:
        """Check if a user was invited by the caller.

        GET /contract/private/affiliate/invite-check, key, 24 calls in 2 s by key.
        """
        return self._call(self._it.invite_check, cid)

    def invited_users(
        self, *, start_time: TimeS, end_time: TimeS, page: int, page_size: int, cid: int | None = None
    ) -> AffiliateInvitedUserPage:
        """List the invited users, with volume, fees and commission.

        GET /contract/private/affiliate/rebate-inviteUser, key, 24 calls in 2 s by key.
        """
        return self._call(
            self._it.invited_users, start_time=start_time, end_time=end_time, page=page, page_size=page_size, cid=cid
        )

    def funds_records(
        self,
        cid: int,
        *,
        start_time: TimeS,
        end_time: TimeS,
        page: int,
        page_size: int,
        type: AffiliateFundsType | int | None = None,
    ) -> AffiliateFundsRecordPage:
        """List deposits and withdrawals of one user.

        GET /contract/private/affiliate/deposit-withdrawal-list, key, no documented quota. Since 2026-04-07; known from
        the official SDKs.
        """
        return self._call(
            self._it.funds_records,
            cid,
            start_time=start_time,
            end_time=end_time,
            page=page,
            page_size=page_size,
            type=type,
        )

    def customer_info(self, user_id: int) -> AffiliateCustomerInfo:
        """Read the value of a user's futures account.

        GET /contract/private/affiliate/aff-customer-info, key, no documented quota. Known from the official SDKs.
        """
        return self._call(self._it.customer_info, user_id)


class FuturesDemo(Twin["AsyncFuturesDemo"]):
    """Return the chapter on the demo host's play money."""

    __slots__ = ()

    def claim(
        self, *, currency: str | None = None, amount: Amount | None = None, recv_window: int | None = None
    ) -> DemoClaimResult:
        """Refill the demo account with play money.

        POST /contract/private/claim, signed, no documented quota. Exists on the demo host only, since 2025-11-18.
        """
        return self._call(self._it.claim, currency=currency, amount=amount, recv_window=recv_window)


class Futures(Twin["AsyncFutures"]):
    """The futures market: one attribute a chapter of the documentation."""

    __slots__ = ()

    @property
    def system(self) -> System:
        """Return the chapter on the exchange's clock and maintenance notices."""
        return System(self._portal, self._it.system)

    @property
    def market(self) -> FuturesMarket:
        """Return the public chapter on contracts, book, trades, candles and funding."""
        return FuturesMarket(self._portal, self._it.market)

    @property
    def account(self) -> FuturesAccount:
        """Return the chapter on the futures wallet: balances, fees, ledger, transfers."""
        return FuturesAccount(self._portal, self._it.account)

    @property
    def trading(self) -> FuturesTrading:
        """Return the chapter on orders of every kind and the account's own fills."""
        return FuturesTrading(self._portal, self._it.trading)

    @property
    def position(self) -> FuturesPositions:
        """Return the chapter on positions, leverage and position mode."""
        return FuturesPositions(self._portal, self._it.position)

    @property
    def sub_account(self) -> FuturesSubAccount:
        """Return the chapter on sub-accounts: transfers and balances."""
        return FuturesSubAccount(self._portal, self._it.sub_account)

    @property
    def affiliate(self) -> FuturesAffiliate:
        """Return the chapter on users invited by an affiliate."""
        return FuturesAffiliate(self._portal, self._it.affiliate)

    @property
    def demo(self) -> FuturesDemo:
        """Return the chapter on the demo host's play money."""
        return FuturesDemo(self._portal, self._it.demo)

    def rules(self, symbol: str, *, refresh: bool = False) -> FuturesRules:
        """Return the tick, step and bounds for orders on a contract."""
        return self._call(self._it.rules, symbol, refresh=refresh)

    def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        """Call an endpoint by its row, and return the payload with trace id, headers, quota and exact bytes."""
        return self._call(self._it.call, endpoint, **arguments)

    def request(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        auth: Literal["none", "keyed", "signed"] = "none",
    ) -> RawReply:
        """Send a request to any path of this market's host, for endpoints that the library does not know."""
        return self._call(self._it.request, method, path, params=params, auth=auth)
