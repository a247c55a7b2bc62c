"""Open futures streams: channel rows and the openers of ``client.streams.futures``.

``_futures_private.py`` has the account's streams.
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
"""The length of a bar."""

Speed = Literal["", "100ms", "200ms"]
"""The interval of a book's pushes; the exchange chooses if left out."""


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
    # About a hundred contracts per second. A single contract may never come at all, so `ticker` has no deadline.
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
    # A quiet book was seen to pause for 10 s at most; an empty one sends nothing after its snapshot.
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
    """The openers of the futures market: ``async with client.streams.futures.trade("BTCUSDT") as trades: ...``.

    Every opener takes ``buffer=`` (items held for a slow reader), ``overflow=`` (``"conflate"``, ``"drop_oldest"`` or
    ``"fail"``) and ``gaps=``: ``"skip"`` only counts gaps, ``"mark"`` yields a `Gap` in their place, ``"raise"`` raises
    `StreamGap`. Some take ``backfill=True``: gaps are filled over REST before later pushes are delivered, a
    `Backfilled` (with ``gaps="mark"``) precedes the filled items, and a part that cannot be filled follows as a `Gap`.
    ``open_streams`` has no REST: `ConfigurationError`.

    Entering may raise `SubscriptionRefused`, `ConnectionLost` and, if a login is needed, `MissingCredentials` and
    `AuthenticationError`.
    """

    __slots__ = ()
    _market = "futures"

    def _backfiller(self, channel: Channel[Any], interval: str | None) -> Backfiller[Any]:
        from ._backfillers import futures_backfiller  # imports REST's models

        return futures_backfiller(channel, self._rest("backfill"), self._now, interval)

    @overload
    def ticker(self, *symbols: str, gaps: Mark, **options: Unpack[Options]) -> Opening[FuturesTicker | Gap]: ...
    @overload
    def ticker(self, *symbols: str, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[FuturesTicker]: ...
    def ticker(self, *symbols: str, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the state of contracts: last, mark, index and best prices.

        futures/ticker:{symbol}, public. Seen every 2 to 3 s. Always complete, so a slow reader gets only the newest per
        symbol.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Ticker Channel")
        """
        return self._open(ticker, symbols, gaps, options)

    @overload
    def tickers(self, *, gaps: Mark, **options: Unpack[Options]) -> Opening[FuturesTicker | Gap]: ...
    @overload
    def tickers(self, *, gaps: NoMark = "skip", **options: Unpack[Options]) -> Opening[FuturesTicker]: ...
    def tickers(self, *, gaps: Gaps = "skip", **options: Unpack[Options]) -> Opening[Any]:
        """Follow the state of every contract at once.

        futures/ticker, public. One contract per message, about a hundred messages per second in all; some quiet
        contracts never come. A slow reader gets only the newest per symbol.

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
        """Follow the top of books, one side per message.

        futures/depth{level}:{symbol}{@speed}, public. Each message replaces one side. Seen once per second whatever the
        speed. A slow reader gets only the newest of each side.

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
        """Follow the top of books, with both sides complete in each message.

        futures/depthAll{level}:{symbol}{@speed}, public. Seen once per second whatever the speed. A slow reader gets
        only the newest per symbol.

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

        futures/depthIncrease{level}:{symbol}{@speed}, public. A snapshot right after subscribing, then the levels that
        changed. Every message counts: if the reader falls too far behind, the subscription ends with
        `SubscriberTooSlow`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Depth-Increase Channel")
        """
        return self._open(depth_increase, symbols, gaps, options, level=level, speed=speed)

    def order_book(
        self, symbol: str, *, level: Literal[5, 20, 50] = 50, speed: Speed = "100ms", max_age: float | None = None
    ) -> OpeningBook:
        """Keep a contract's order book: ``level`` levels per side, live or known to be stale.

        futures/depthIncrease{level}:{symbol}{@speed}, public. See `OrderBook`; sizes are in contracts. A slow reader
        does not affect it.

        Args:
            symbol: such as BTCUSDT.
            level: levels per side.
            speed: the shortest interval of pushes.
            max_age: seconds; a book without a push for so long is ``STALE``, and reading it raises `BookNotLive`. None
                relies on the connection and the topic's silence.

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
        """Follow books like `depth_all`, with levels as arrays on the wire.

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
        """Follow changes like `depth_increase`, with levels as arrays on the wire.

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

        futures/bookticker:{symbol}, public. Documented on every change, seen once per second. A slow reader gets only
        the newest per symbol.

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

        futures/trade:{symbol}, public. Trades that come in one message were recorded newest first. If the reader falls
        too far behind, the subscription ends with `SubscriberTooSlow` rather than losing a trade.

        With ``backfill=True`` a gap is filled from REST's last 100 trades, if they join the trades received on both
        sides. Such trades have no id, and times in whole seconds.

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

        futures/klineBin{interval}:{symbol}, public. On change. A later message of the same bar replaces it. A slow
        reader gets only the newest state of each bar.

        With ``backfill=True`` the final states of bars that ended in a gap are read over REST.

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

        futures/markPriceKlineBin{interval}:{symbol}, public. See `kline`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Mark Price KlineBin Channel")
        """
        return self._open(mark_price_kline, symbols, gaps, options, interval=interval)
