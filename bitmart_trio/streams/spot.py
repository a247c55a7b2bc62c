"""Open spot streams: channel rows and the openers of ``client.streams.spot``."""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from .._bitmart.channel import Channel
from .._io.pending_gap import Backfiller
from .._io.receivers import Gaps
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
from ..models.stream_events import Backfilled, Gap
from ..rest.spot import Spot
from ._account import VERIFY_AFTER
from ._account_spot import OpeningSpotAccount, open_spot_account
from ._base import Mark, MarketStreams, NoMark, Opening, Options
from ._book import OpeningBook, open_order_book

SpotInterval = Literal["1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W", "1M"]
"""The length of a bar. Letter case matters: 1m is a minute, 1M a month."""


def _bar(item: SpotKlineUpdate) -> object:
    return item.open_time


ticker: Channel[SpotTicker] = Channel("spot", "spot/ticker", SpotTicker, overflow="conflate")
kline: Channel[SpotKlineUpdate] = Channel(
    "spot",
    "spot/kline{interval}",
    SpotKlineUpdate,
    overflow="conflate",
    key=_bar,
    intervals=("1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W", "1M"),
)
kline_legacy: Channel[SpotKlineUpdate] = Channel(
    "spot",
    "spot/kline{interval}",
    SpotKlineUpdate,
    overflow="conflate",
    key=_bar,
    intervals=("3m", "45m", "3H"),
    status="deprecated",
)
depth: Channel[SpotDepth] = Channel("spot", "spot/depth{level}", SpotDepth, overflow="conflate", levels=(5, 20, 50))
depth100: Channel[SpotDepth] = Channel("spot", "spot/depth100", SpotDepth, overflow="conflate", status="removed")
depth_increase: Channel[SpotDepthIncrease] = Channel(
    "spot",
    "spot/depth/increase100",
    SpotDepthIncrease,
    overflow="fail",
    # A quiet book shows a sign of life "from time to time"; how often is not documented.
    silence=60.0,
    prompt=True,
    requests=True,
)
trade: Channel[SpotTrade] = Channel("spot", "spot/trade", SpotTrade, overflow="fail")
book_ticker: Channel[SpotBookTicker] = Channel("spot", "spot/bookTicker", SpotBookTicker, overflow="conflate")
user_order: Channel[SpotOrderUpdate] = Channel(
    "spot", "spot/user/order", SpotOrderUpdate, overflow="fail", private=True
)
user_orders: Channel[SpotOrderUpdate] = Channel(
    "spot", "spot/user/orders", SpotOrderUpdate, filter="ALL_SYMBOLS", overflow="fail", private=True
)
user_balance: Channel[SpotBalanceUpdate] = Channel(
    "spot", "spot/user/balance", SpotBalanceUpdate, filter="BALANCE_UPDATE", overflow="fail", private=True
)


class SpotStreams(MarketStreams[Spot]):
    """The openers of the spot market: ``async with client.streams.spot.trade("BTC_USDT") as trades: ...``.

    Every opener takes ``buffer=`` (items held for a slow reader), ``overflow=`` (``"conflate"``, ``"drop_oldest"`` or
    ``"fail"``) and ``gaps=``: ``"skip"`` only counts gaps, ``"mark"`` yields a `Gap` in their place, ``"raise"`` raises
    `StreamGap`. Some take ``backfill=True``: gaps are filled over REST before later pushes are delivered, a
    `Backfilled` (with ``gaps="mark"``) precedes the filled items, and a part that cannot be filled follows as a `Gap`.
    ``open_streams`` has no REST: `ConfigurationError`.

    Entering may raise `SubscriptionRefused`, `ConnectionLost` and, if a login is needed, `MissingCredentials` and
    `AuthenticationError`.
    """

    __slots__ = ()
    _market = "spot"

    def _backfiller(self, channel: Channel[Any], interval: str | None) -> Backfiller[Any]:
        from ._backfillers import spot_backfiller  # imports REST's models

        return spot_backfiller(channel, self._rest("backfill"), self._now, interval)

    @overload
    def ticker(self, *symbols: str, gaps: Mark, **options: Unpack[Options]) -> Opening[SpotTicker | Gap]: ...
    @overload
    def ticker(self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[SpotTicker]: ...
    def ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the state of pairs: last and best prices, 24 hour figures.

        spot/ticker:{symbol}, public. The current state right after subscribing, then on change, at most every
        500 ms. Always complete, so a slow reader gets only the newest per symbol.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Ticker Channel")
        """
        return self._open(ticker, symbols, gaps, options)

    @overload
    def kline(
        self, *symbols: str, interval: SpotInterval, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotKlineUpdate | Gap | Backfilled]: ...
    @overload
    def kline(
        self,
        *symbols: str,
        interval: SpotInterval,
        gaps: NoMark = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opening[SpotKlineUpdate]: ...
    def kline(
        self,
        *symbols: str,
        interval: SpotInterval,
        gaps: Gaps = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """Follow the bar in progress of pairs.

        spot/kline{interval}:{symbol}, public. The current bar right after subscribing, then on change, at most every
        500 ms. A later message with the same ``open_time`` replaces it. A slow reader gets only the newest state of
        each bar.

        With ``backfill=True`` the final states of bars that ended in a gap are read over REST.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "KLine Channel")
        """
        return self._open(kline, symbols, gaps, options, backfill=backfill, interval=interval)

    @overload
    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: Mark, **options: Unpack[Options]
    ) -> Opening[SpotKlineUpdate | Gap]: ...
    @overload
    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[SpotKlineUpdate]: ...
    def kline_legacy(
        self, *symbols: str, interval: Literal["3m", "45m", "3H"], gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow bars of lengths that the documentation no longer lists.

        spot/kline{interval}:{symbol}, public. See `kline`; the exchange may no longer serve them.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "KLine Channel")
        """
        return self._open(kline_legacy, symbols, gaps, options, interval=interval)

    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: Mark, **options: Unpack[Options]
    ) -> Opening[SpotDepth | Gap]: ...
    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[SpotDepth]: ...
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow the top of books, with both sides complete in each message.

        spot/depth{level}:{symbol}, public. The current book right after subscribing, then on change, at most
        every 500 ms. A slow reader gets only the newest per symbol.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Depth-All Channel")
        """
        return self._open(depth, symbols, gaps, options, level=level)

    @overload
    def depth100(self, *symbols: str, gaps: Mark, **options: Unpack[Options]) -> Opening[SpotDepth | Gap]: ...
    @overload
    def depth100(self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[SpotDepth]: ...
    def depth100(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the top 100 levels of books.

        spot/depth100:{symbol}, public. Undocumented since 2021: use `depth_increase`.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Depth-All Channel")
        """
        return self._open(depth100, symbols, gaps, options)

    @overload
    def depth_increase(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opening[SpotDepthIncrease | Gap]: ...
    @overload
    def depth_increase(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[SpotDepthIncrease]: ...
    def depth_increase(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the changes of books, 100 levels per side.

        spot/depth/increase100:{symbol}, public. A snapshot right after subscribing, then the levels that changed, at
        most every 100 ms. Every message counts: if the reader falls too far behind, the subscription ends with
        `SubscriberTooSlow`.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Depth-Increase Channel")
        """
        return self._open(depth_increase, symbols, gaps, options)

    def order_book(self, symbol: str, *, max_age: float | None = None) -> OpeningBook:
        """Keep a pair's order book: 100 levels per side, live or known to be stale.

        spot/depth/increase100:{symbol}, public. See `OrderBook`. A slow reader does not affect it.

        Args:
            symbol: such as BTC_USDT.
            max_age: seconds; a book without a push for so long is ``STALE``, and reading it raises `BookNotLive`. None
                relies on the connection and the topic's silence.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Depth-Increase Channel")
        """
        topic = depth_increase.spell(symbol)
        return open_order_book(self._connections, topic, symbol=symbol, level=100, max_age=max_age)

    @overload
    def trade(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotTrade | Gap | Backfilled]: ...
    @overload
    def trade(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotTrade]: ...
    def trade(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow the public trades of pairs, from the taker's view.

        spot/trade:{symbol}, public. Oldest first. Trades have no id. If the reader falls too far behind, the
        subscription ends with `SubscriberTooSlow` rather than losing a trade.

        With ``backfill=True`` a gap is filled from REST's last 50 trades, if they join the trades received on both
        sides. Until they do, pushes are held back.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Trade Channel")
        """
        return self._open(trade, symbols, gaps, options, backfill=backfill)

    @overload
    def book_ticker(self, *symbols: str, gaps: Mark, **options: Unpack[Options]) -> Opening[SpotBookTicker | Gap]: ...
    @overload
    def book_ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[SpotBookTicker]: ...
    def book_ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the best bid and ask of pairs.

        spot/bookTicker:{symbol}, public. On every change of a best price or its size. A slow reader gets only the
        newest per symbol.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "BookTicker Channel")
        """
        return self._open(book_ticker, symbols, gaps, options)

    @overload
    def user_order(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotOrderUpdate | Gap | Backfilled]: ...
    @overload
    def user_order(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotOrderUpdate]: ...
    def user_order(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow your orders on pairs.

        spot/user/order:{symbol}, private. Pushed when an order is accepted, partly filled, filled or cancelled, with
        its complete state; nothing right after subscribing. With ``backfill=True`` a gap is filled over REST: every
        fill, and the last state of every order, once. Intermediate states are lost, such as the acceptance of an order
        that was filled. Orders older than 90 days are not read.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Order Channel")
        """
        return self._open(user_order, symbols, gaps, options, backfill=backfill)

    @overload
    def user_orders(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotOrderUpdate | Gap | Backfilled]: ...
    @overload
    def user_orders(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotOrderUpdate]: ...
    def user_orders(self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]) -> Opening[Any]:
        """Follow your orders on every pair.

        spot/user/orders:ALL_SYMBOLS, private. See `user_order`.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "All Orders Channel")
        """
        return self._open(user_orders, ("",), gaps, options, backfill=backfill)

    @overload
    def user_balance(
        self, *, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotBalanceUpdate | Gap | Backfilled]: ...
    @overload
    def user_balance(
        self, *, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[SpotBalanceUpdate]: ...
    def user_balance(self, *, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]) -> Opening[Any]:
        """Follow your spot balances.

        spot/user/balance:BALANCE_UPDATE, private. Pushed on deposits, withdrawals, transfers, trades and fee
        deductions, with the new balances of the currencies that changed; nothing right after subscribing.

        With ``backfill=True`` the wallet is read again after a gap and delivered as one more update, with the event
        `BalanceEvent.SNAPSHOT`.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Balance Channel")
        """
        return self._open(user_balance, ("",), gaps, options, backfill=backfill)

    def account(
        self,
        *,
        verify_after: float = VERIFY_AFTER,
        reconcile: float | None = None,
        buffer: int | None = None,
        max_age: float | None = None,
    ) -> OpeningSpotAccount:
        """Keep a view of the spot account: open orders and balances, read over REST and updated by pushes.

        spot/user/orders:ALL_SYMBOLS and spot/user/balance:BALANCE_UPDATE, private. See `SpotAccountView`. A push that
        is lost on an unbroken connection cannot be noticed: ``reconcile`` bounds how long the view may then be wrong.

        Args:
            verify_after: seconds after which a read confirms a push. Reads are not more frequent. The exchange pushes
                no balance when an order is placed or cancelled: the view has it after that time.
            reconcile: seconds after which everything is read again, with or without pushes; only for a reason if left
                out.
            buffer: changes that wait for a reader (1024); beyond that a `ChangesMissed` replaces them.
            max_age: seconds; the view is read again before its newest complete read is so old, and is ``STALE`` if it
                gets older. With it, reading a view that is not ``LIVE`` raises `AccountNotLive`.

        Raises:
            ConfigurationError: at once under `open_streams`, which has no REST.

        Source: https://developer-pro.bitmart.com/en/spot/ (sections "All Orders Channel" and "Balance Channel")
        """
        reads = self._rest("account()")
        topics = (user_orders.spell(), user_balance.spell())
        return open_spot_account(
            self._connections,
            reads,
            topics,
            verify_after=verify_after,
            reconcile=reconcile,
            buffer=buffer,
            max_age=max_age,
        )
