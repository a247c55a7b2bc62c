"""Futures streams: channel rows, and right below the openers of ``client.streams.futures``.

Those of the account are in ``_futures_private.py``.
"""

from __future__ import annotations

from typing import Any, Literal, Unpack, overload

from .._bitmart.channel import Channel
from .._io.pending_gap import Backfiller
from .._io.receivers import Gaps
from ..models.futures_streams import (
    FuturesBookTicker,
    FuturesDepth,
    FuturesDepthIncrease,
    FuturesDepthSide,
    FuturesFundingRateUpdate,
    FuturesKlineUpdate,
    FuturesMarkPriceKlineUpdate,
    FuturesTicker,
    FuturesTrade,
)
from ..models.stream_events import Backfilled, Gap
from ._base import Mark, NoMark, Opening, Options
from ._book import OpeningBook, open_order_book
from ._futures_private import FuturesPrivateStreams

FuturesInterval = Literal["1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W"]
"""The width of a bar."""

Speed = Literal["", "100ms", "200ms"]
"""How often a book is pushed; left out, the exchange chooses."""


def _bar(item: FuturesKlineUpdate) -> object:
    # The time may lie a second past the bar's start.
    return item.time // 60


def _symbol(item: FuturesTicker) -> object:
    return item.symbol


def _side(item: FuturesDepthSide) -> object:
    return item.side


ticker: Channel[FuturesTicker] = Channel("futures", "futures/ticker", FuturesTicker, overflow="conflate")
tickers: Channel[FuturesTicker] = Channel(
    "futures",
    "futures/ticker",
    FuturesTicker,
    filter="",
    overflow="conflate",
    key=_symbol,
    # About a hundred contracts a second. One contract alone may never come at all, so `ticker` has no deadline.
    silence=60.0,
    prompt=True,
)
funding_rate: Channel[FuturesFundingRateUpdate] = Channel(
    "futures",
    "futures/fundingRate",
    FuturesFundingRateUpdate,
    overflow="conflate",
    # At once, then every minute.
    silence=300.0,
    prompt=True,
    requests=True,
)
depth: Channel[FuturesDepthSide] = Channel(
    "futures",
    "futures/depth{level}",
    FuturesDepthSide,
    overflow="conflate",
    key=_side,
    levels=(5, 20, 50),
    speeds=("", "@100ms", "@200ms"),
)
depth_all: Channel[FuturesDepth] = Channel(
    "futures",
    "futures/depthAll{level}",
    FuturesDepth,
    overflow="conflate",
    levels=(5, 20, 50),
    speeds=("", "@100ms", "@200ms"),
)
depth_increase: Channel[FuturesDepthIncrease] = Channel(
    "futures",
    "futures/depthIncrease{level}",
    FuturesDepthIncrease,
    overflow="fail",
    levels=(5, 20, 50),
    speeds=("", "@100ms", "@200ms"),
    # A quiet book was seen to pause for 10 s at the most; an empty one says nothing after its snapshot.
    silence=60.0,
    prompt=True,
    requests=True,
)
depth_all_v2: Channel[FuturesDepth] = Channel(
    "futures",
    "futures/v2/depthAll{level}",
    FuturesDepth,
    overflow="conflate",
    levels=(5, 20, 50),
    speeds=("@100ms", "@200ms"),
)
depth_increase_v2: Channel[FuturesDepthIncrease] = Channel(
    "futures",
    "futures/v2/depthIncrease{level}",
    FuturesDepthIncrease,
    overflow="fail",
    levels=(5, 20, 50),
    speeds=("@100ms", "@200ms"),
)
book_ticker: Channel[FuturesBookTicker] = Channel(
    "futures", "futures/bookticker", FuturesBookTicker, overflow="conflate"
)
trade: Channel[FuturesTrade] = Channel("futures", "futures/trade", FuturesTrade, overflow="fail")
kline: Channel[FuturesKlineUpdate] = Channel(
    "futures",
    "futures/klineBin{interval}",
    FuturesKlineUpdate,
    overflow="conflate",
    key=_bar,
    intervals=("1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W"),
)
mark_price_kline: Channel[FuturesMarkPriceKlineUpdate] = Channel(
    "futures",
    "futures/markPriceKlineBin{interval}",
    FuturesMarkPriceKlineUpdate,
    overflow="conflate",
    key=_bar,
    intervals=("1m", "5m", "15m", "30m", "1H", "2H", "4H", "1D", "1W"),
)


class FuturesStreams(FuturesPrivateStreams):
    """Openers: ``async with client.streams.futures.trade("BTCUSDT") as trades: ...``.

    Every opener takes ``buffer=`` (items held for a reader that is behind), ``overflow=`` (``"conflate"``,
    ``"drop_oldest"`` or ``"fail"``) and ``gaps=``: ``"skip"`` only counts gaps, ``"mark"`` yields a `Gap` in their
    place, ``"raise"`` raises `StreamGap`. Some take ``backfill=True``: gaps are filled over REST before what is pushed
    later is delivered, a `Backfilled` (with ``gaps="mark"``) stands before what was filled in, and what cannot be
    filled stays a `Gap` behind it. ``open_streams`` has no REST: `ConfigurationError`.

    Entering may raise `SubscriptionRefused`, `ConnectionLost` and, where a login is needed, `MissingCredentials` and
    `AuthenticationError`.
    """

    __slots__ = ()
    _market = "futures"

    def _backfiller(self, channel: Channel[Any], interval: str | None) -> Backfiller[Any]:
        from ._backfillers import futures_backfiller  # brings REST's models along

        return futures_backfiller(channel, self._rest("backfill"), self._now, interval)

    @overload
    def ticker(self, *symbols: str, gaps: Mark, **options: Unpack[Options]) -> Opening[FuturesTicker | Gap]: ...
    @overload
    def ticker(self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[FuturesTicker]: ...
    def ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the state of contracts: last, mark, index and best prices.

        futures/ticker:{symbol}, public. Seen every 2 to 3 s. Always whole, so a slow reader skips to the
        newest one a symbol.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Ticker Channel")
        """
        return self._open(ticker, symbols, gaps, options)

    @overload
    def tickers(self, *, gaps: Mark, **options: Unpack[Options]) -> Opening[FuturesTicker | Gap]: ...
    @overload
    def tickers(self, *, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[FuturesTicker]: ...
    def tickers(self, *, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the state of every contract at once.

        futures/ticker, public. One contract a message, about a hundred messages a second in all; some quiet
        contracts never come. A slow reader skips to the newest one a symbol.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Ticker Channel")
        """
        return self._open(tickers, ("",), gaps, options)

    @overload
    def funding_rate(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesFundingRateUpdate | Gap]: ...
    @overload
    def funding_rate(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[FuturesFundingRateUpdate]: ...
    def funding_rate(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the funding of contracts.

        futures/fundingRate:{symbol}, public. The current state right after subscribing, then every minute.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Funding Rate Channel")
        """
        return self._open(funding_rate, symbols, gaps, options)

    @overload
    def depth(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesDepthSide | Gap]: ...
    @overload
    def depth(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opening[FuturesDepthSide]: ...
    def depth(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """Follow the top of books, one side a message.

        futures/depth{level}:{symbol}{@speed}, public. Each message replaces one side whole. Seen once a
        second whatever the speed. A slow reader skips to the newest of each side.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth Channel")
        """
        return self._open(depth, symbols, gaps, options, level=level, speed=speed)

    @overload
    def depth_all(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesDepth | Gap]: ...
    @overload
    def depth_all(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opening[FuturesDepth]: ...
    def depth_all(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """Follow the top of books, both sides whole every time.

        futures/depthAll{level}:{symbol}{@speed}, public. Seen once a second whatever the speed. A slow reader
        skips to the newest one a symbol.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-All Channel")
        """
        return self._open(depth_all, symbols, gaps, options, level=level, speed=speed)

    @overload
    def depth_increase(
        self, *symbols: str, level: Literal[5, 20, 50], speed: Speed = "", gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesDepthIncrease | Gap]: ...
    @overload
    def depth_increase(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opening[FuturesDepthIncrease]: ...
    def depth_increase(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Speed = "",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """Follow the changes of books.

        futures/depthIncrease{level}:{symbol}{@speed}, public. A snapshot right after subscribing, then the
        levels that changed. Every message counts: a reader that falls too far behind is ended with
        `SubscriberTooSlow`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-Increase Channel")
        """
        return self._open(depth_increase, symbols, gaps, options, level=level, speed=speed)

    def order_book(
        self, symbol: str, *, level: Literal[5, 20, 50] = 50, speed: Speed = "100ms", max_age: float | None = None
    ) -> OpeningBook:
        """Keep a contract's order book: ``level`` levels a side, right or known not to be.

        futures/depthIncrease{level}:{symbol}{@speed}, public. See `OrderBook`; sizes are in contracts. It does not
        depend on how fast it is read.

        Args:
            symbol: such as BTCUSDT.
            level: levels a side.
            speed: how often changes are pushed, at most.
            max_age: seconds; a book of which nothing has come for so long is ``STALE`` and reading it raises
                `BookNotLive`. None leaves that to what is known of the connection and the topic.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-Increase Channel")
        """
        topic = depth_increase.spell(symbol, level=level, speed=speed)
        return open_order_book(self._connections, topic, symbol=symbol, level=level, max_age=max_age)

    @overload
    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Mark,
        **options: Unpack[Options],
    ) -> Opening[FuturesDepth | Gap]: ...
    @overload
    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opening[FuturesDepth]: ...
    def depth_all_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """As `depth_all`, with levels as arrays on the wire.

        futures/v2/depthAll{level}:{symbol}{@speed}, public. Seen to be acknowledged and then silent
        (2026-09-23).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-All Channel")
        """
        return self._open(depth_all_v2, symbols, gaps, options, level=level, speed=speed)

    @overload
    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Mark,
        **options: Unpack[Options],
    ) -> Opening[FuturesDepthIncrease | Gap]: ...
    @overload
    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: NoMark = "skip",
        **options: Unpack[Options],
    ) -> Opening[FuturesDepthIncrease]: ...
    def depth_increase_v2(
        self,
        *symbols: str,
        level: Literal[5, 20, 50],
        speed: Literal["100ms", "200ms"] = "100ms",
        gaps: Gaps = "skip",
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """As `depth_increase`, with levels as arrays on the wire.

        futures/v2/depthIncrease{level}:{symbol}{@speed}, public. Seen to send one empty snapshot and then
        nothing (2026-09-23).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-Increase Channel")
        """
        return self._open(depth_increase_v2, symbols, gaps, options, level=level, speed=speed)

    @overload
    def book_ticker(
        self, *symbols: str, gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesBookTicker | Gap]: ...
    @overload
    def book_ticker(
        self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[FuturesBookTicker]: ...
    def book_ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the best bid and ask of contracts.

        futures/bookticker:{symbol}, public. Documented on every change, seen once a second. A slow reader
        skips to the newest one a symbol.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "BookTicker Channel")
        """
        return self._open(book_ticker, symbols, gaps, options)

    @overload
    def trade(
        self, *symbols: str, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesTrade | Gap | Backfilled]: ...
    @overload
    def trade(
        self, *symbols: str, gaps: NoMark = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesTrade]: ...
    def trade(
        self, *symbols: str, gaps: Gaps = "skip", backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow the public trades of contracts.

        futures/trade:{symbol}, public. Trades that come in one message were recorded newest first. A reader
        that falls too far behind is ended with `SubscriberTooSlow` rather than to lose one silently.

        With ``backfill=True`` a gap is filled from the last 100 trades that REST tells, if they join on to what was
        received on both sides. Such trades have no id, and times in whole seconds.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Trade Channel")
        """
        return self._open(trade, symbols, gaps, options, backfill=backfill)

    @overload
    def kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Mark, backfill: bool = False, **options: Unpack[Options]
    ) -> Opening[FuturesKlineUpdate | Gap | Backfilled]: ...
    @overload
    def kline(
        self,
        *symbols: str,
        interval: FuturesInterval,
        gaps: NoMark = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opening[FuturesKlineUpdate]: ...
    def kline(
        self,
        *symbols: str,
        interval: FuturesInterval,
        gaps: Gaps = "skip",
        backfill: bool = False,
        **options: Unpack[Options],
    ) -> Opening[Any]:
        """Follow the bar in progress of contracts.

        futures/klineBin{interval}:{symbol}, public. On change. A later one of the same bar replaces it. A
        slow reader skips to the newest state of each bar.

        With ``backfill=True`` the bars that ended in a gap are read over REST in their last state.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "KlineBin Channel")
        """
        return self._open(kline, symbols, gaps, options, backfill=backfill, interval=interval)

    @overload
    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Mark, **options: Unpack[Options]
    ) -> Opening[FuturesMarkPriceKlineUpdate | Gap]: ...
    @overload
    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: NoMark = "skip", **options: Unpack[Options]
    ) -> Opening[FuturesMarkPriceKlineUpdate]: ...
    def mark_price_kline(
        self, *symbols: str, interval: FuturesInterval, gaps: Gaps = "skip", **options: Unpack[Options]
    ) -> Opening[Any]:
        """Follow the mark price's bar in progress.

        futures/markPriceKlineBin{interval}:{symbol}, public. As `kline`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Mark Price KlineBin Channel")
        """
        return self._open(mark_price_kline, symbols, gaps, options, interval=interval)
