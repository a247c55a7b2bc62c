"""Spot market data: currencies, pairs, tickers, klines, books and public trades. All public."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota
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
from ._base import Chapter, TimeS

_SYMBOL = Param("symbol", required=True)

_KLINE_PARAMS = (
    _SYMBOL,
    Param("before", Kind.SECONDS),
    Param("after", Kind.SECONDS),
    Param("step", Kind.INT, choices=SpotKlineStep),
    Param("limit", Kind.INT, least=1, most=200),
)

currencies: Endpoint[list[Currency]] = Endpoint(
    "GET", "/spot/v1/currencies", Auth.NONE, Quota(8), returns=list[Currency], at=("currencies",)
)
symbols: Endpoint[list[str]] = Endpoint(
    "GET", "/spot/v1/symbols", Auth.NONE, Quota(8), returns=list[str], at=("symbols",)
)
symbol_details: Endpoint[list[SymbolDetails]] = Endpoint(
    "GET", "/spot/v1/symbols/details", Auth.NONE, Quota(12), returns=list[SymbolDetails], at=("symbols",)
)
tickers: Endpoint[list[Ticker]] = Endpoint(
    "GET", "/spot/quotation/v3/tickers", Auth.NONE, Quota(10), returns=list[Ticker]
)
ticker: Endpoint[Ticker] = Endpoint(
    "GET", "/spot/quotation/v3/ticker", Auth.NONE, Quota(15), returns=Ticker, params=(_SYMBOL,)
)
latest_klines: Endpoint[list[SpotKline]] = Endpoint(
    "GET",
    "/spot/quotation/v3/lite-klines",
    Auth.NONE,
    Quota(15),
    returns=list[SpotKline],
    params=_KLINE_PARAMS,
    rules=(Ordered("after", "before", or_equal=True),),
)
klines: Endpoint[list[SpotKline]] = Endpoint(
    "GET",
    "/spot/quotation/v3/klines",
    Auth.NONE,
    Quota(10),
    returns=list[SpotKline],
    params=_KLINE_PARAMS,
    rules=(Ordered("after", "before", or_equal=True),),
)
order_book: Endpoint[SpotOrderBook] = Endpoint(
    "GET",
    "/spot/quotation/v3/books",
    Auth.NONE,
    Quota(15),
    returns=SpotOrderBook,
    params=(_SYMBOL, Param("limit", Kind.INT, least=1, most=50)),
)
trades: Endpoint[list[SpotMarketTrade]] = Endpoint(
    "GET",
    "/spot/quotation/v3/trades",
    Auth.NONE,
    Quota(15),
    returns=list[SpotMarketTrade],
    params=(_SYMBOL, Param("limit", Kind.INT, least=1, most=50)),
)

# Retired on 2024-06-30 and gone since the change log of 2025-01-01: they answer 30031.
tickers_v2: Endpoint[list[TickerV1]] = Endpoint(
    "GET", "/spot/v2/ticker", Auth.NONE, returns=list[TickerV1], at=("tickers",), replaced_by="tickers"
)
ticker_v1: Endpoint[TickerV1] = Endpoint(
    "GET", "/spot/v1/ticker_detail", Auth.NONE, returns=TickerV1, params=(_SYMBOL,), replaced_by="ticker"
)
kline_steps: Endpoint[list[int]] = Endpoint(
    "GET", "/spot/v1/steps", Auth.NONE, returns=list[int], at=("steps",), replaced_by="SpotKlineStep"
)
klines_v1: Endpoint[list[SpotKlineV1]] = Endpoint(
    "GET",
    "/spot/v1/symbols/kline",
    Auth.NONE,
    returns=list[SpotKlineV1],
    params=(
        _SYMBOL,
        Param("from_", Kind.SECONDS, wire="from", required=True),
        Param("to", Kind.SECONDS, required=True),
        Param("step", Kind.INT, least=1),
    ),
    rules=(Ordered("from_", "to"),),
    at=("klines",),
    replaced_by="klines",
)
order_book_v1: Endpoint[OrderBookV1] = Endpoint(
    "GET",
    "/spot/v1/symbols/book",
    Auth.NONE,
    returns=OrderBookV1,
    params=(_SYMBOL, Param("precision"), Param("size", Kind.INT, least=1, most=200)),
    replaced_by="order_book",
)


class SpotMarket(Chapter):
    """The methods of ``client.spot.market``."""

    __slots__ = ()

    async def currencies(self) -> list[Currency]:
        """List every currency of the spot market.

        GET /spot/v1/currencies, no key, 8 calls in 2 s by address.

        Returns:
            In no promised order. A currency that is missing has been delisted.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Currency List")
        """
        return await self._call(currencies)

    async def symbols(self) -> list[str]:
        """List the names of all pairs, such as BTC_USDT.

        GET /spot/v1/symbols, no key, 8 calls in 2 s by address.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get List of Trading Pairs")
        """
        return await self._call(symbols)

    async def symbol_details(self) -> list[SymbolDetails]:
        """Read the trading rules of all pairs: steps, smallest and largest sizes, least order values.

        GET /spot/v1/symbols/details, no key, 12 calls in 2 s by address.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Trading Pair Details")
        """
        return await self._call(symbol_details)

    async def tickers(self) -> list[Ticker]:
        """Read the last 24 hours of all pairs.

        GET /spot/quotation/v3/tickers, no key, 10 calls in 2 s by address.

        Returns:
            A snapshot from a cache. Pairs without a trade in 24 hours are missing.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Ticker of All Pairs")
        """
        return await self._call(tickers)

    async def ticker(self, symbol: str) -> Ticker:
        """Read the last 24 hours of one pair.

        GET /spot/quotation/v3/ticker, no key, 15 calls in 2 s by address.

        Args:
            symbol: such as BTC_USDT.

        Returns:
            A snapshot from a cache; the ticker stream is fresher.

        Raises:
            InvalidSymbol, NoData: an unknown or delisted pair (70002, 70000).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Ticker of a Trading Pair")
        """
        return await self._call(ticker, symbol=symbol)

    async def latest_klines(
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

        Args:
            symbol: such as BTC_USDT.
            before: upper bound in seconds; alone it reads backwards from there.
            after: lower bound in seconds; alone it reads forwards from there.
            step: minutes per candle; 1 if left out.
            limit: 1 to 200 candles; 100 if left out.

        Returns:
            Newest first if no bound is given.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Latest K-Line")
        """
        return await self._call(latest_klines, symbol=symbol, before=before, after=after, step=step, limit=limit)

    async def klines(
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

        Args:
            symbol: such as BTC_USDT.
            before: upper bound in seconds; alone it reads backwards from there.
            after: lower bound in seconds; alone it reads forwards from there.
            step: minutes per candle; 1 if left out.
            limit: 1 to 200 candles; 100 if left out.

        Returns:
            Newest first if no bound is given. To go further back, pass the oldest ``open_time`` as ``before``.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get History K-Line")
        """
        return await self._call(klines, symbol=symbol, before=before, after=after, step=step, limit=limit)

    async def order_book(self, symbol: str, *, limit: int | None = None) -> SpotOrderBook:
        """Read the best levels of a pair's book.

        GET /spot/quotation/v3/books, no key, 15 calls in 2 s by address.

        Args:
            symbol: such as BTC_USDT.
            limit: 1 to 50 levels per side; 35 if left out.

        Returns:
            A snapshot from a cache, best prices first; ``client.streams.spot.order_book`` keeps one up to date.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Depth")
        """
        return await self._call(order_book, symbol=symbol, limit=limit)

    async def trades(self, symbol: str, *, limit: int | None = None) -> list[SpotMarketTrade]:
        """Read the latest public trades of a pair.

        GET /spot/quotation/v3/trades, no key, 15 calls in 2 s by address.

        Args:
            symbol: such as BTC_USDT.
            limit: 1 to 50 trades; 50 if left out.

        Returns:
            A snapshot from a cache, newest first in the documented sample. Trades bear no id.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Recent Trades")
        """
        return await self._call(trades, symbol=symbol, limit=limit)

    async def tickers_v2(self) -> list[TickerV1]:
        """Read all tickers by the retired version 2; warns and sends. Use `tickers`.

        GET /spot/v2/ticker, no key.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(tickers_v2)

    async def ticker_v1(self, symbol: str) -> TickerV1:
        """Read one ticker by the retired version 1; warns and sends. Use `ticker`.

        GET /spot/v1/ticker_detail, no key.

        Args:
            symbol: such as BTC_USDT.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(ticker_v1, symbol=symbol)

    async def kline_steps(self) -> list[int]:
        """Read the kline widths in minutes; retired, warns and sends. They are fixed now: `SpotKlineStep`.

        GET /spot/v1/steps, no key.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(kline_steps)

    async def klines_v1(self, symbol: str, *, from_: TimeS, to: TimeS, step: int | None = None) -> list[SpotKlineV1]:
        """Read klines by the retired version 1; warns and sends. Use `klines`.

        GET /spot/v1/symbols/kline, no key.

        Args:
            symbol: such as BTC_USDT.
            from_: start in seconds.
            to: end in seconds, at most 500 candles later.
            step: minutes per candle; 1 if left out.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(klines_v1, symbol=symbol, from_=from_, to=to, step=step)

    async def order_book_v1(self, symbol: str, *, precision: str | None = None, size: int | None = None) -> OrderBookV1:
        """Read a book by the retired version 1; warns and sends. Use `order_book`.

        GET /spot/v1/symbols/book, no key.

        Args:
            symbol: such as BTC_USDT.
            precision: price decimals, within the pair's range.
            size: 1 to 200 levels per side; 50 if left out.

        Raises:
            EndpointRemoved: the exchange has answered so since 2025 (30031).
        """
        return await self._call(order_book_v1, symbol=symbol, precision=precision, size=size)
