"""Call futures market data: contracts, book, trades, candles, funding, open interest, risk tiers. All public."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota
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
from ._base import Chapter, TimeS

_SYMBOL = Param("symbol", required=True)
_ANY_SYMBOL = Param("symbol")
_LIMIT = Param("limit", Kind.INT, least=1, most=100)
_KLINE_PARAMS = (
    _SYMBOL,
    Param("step", Kind.INT, choices=FuturesKlineStep),
    Param("start_time", Kind.SECONDS, required=True),
    Param("end_time", Kind.SECONDS, required=True),
)
_KLINE_RULES = (Ordered("start_time", "end_time"),)

contracts: Endpoint[list[ContractDetails]] = Endpoint(
    "GET",
    "/contract/public/details",
    Auth.NONE,
    Quota(12),
    returns=list[ContractDetails],
    params=(_ANY_SYMBOL,),
    at=("symbols",),
)
order_book: Endpoint[FuturesOrderBook] = Endpoint(
    "GET", "/contract/public/depth", Auth.NONE, Quota(12), returns=FuturesOrderBook, params=(_SYMBOL,)
)
trades: Endpoint[list[FuturesMarketTrade]] = Endpoint(
    "GET",
    "/contract/public/market-trade",
    Auth.NONE,
    Quota(12),
    returns=list[FuturesMarketTrade],
    params=(_SYMBOL, _LIMIT),
)
open_interest: Endpoint[OpenInterest] = Endpoint(
    "GET", "/contract/public/open-interest", Auth.NONE, Quota(2), returns=OpenInterest, params=(_SYMBOL,)
)
funding_rate: Endpoint[FundingRate] = Endpoint(
    "GET", "/contract/public/funding-rate", Auth.NONE, Quota(12), returns=FundingRate, params=(_SYMBOL,)
)
funding_rates: Endpoint[list[FundingRate]] = Endpoint(
    "GET",
    "/contract/public/funding-rate-v2",
    Auth.NONE,
    Quota(12),
    returns=list[FundingRate],
    params=(_ANY_SYMBOL,),
    at=("list",),
)
funding_rate_history: Endpoint[list[FundingRateRecord]] = Endpoint(
    "GET",
    "/contract/public/funding-rate-history",
    Auth.NONE,
    Quota(12),
    returns=list[FundingRateRecord],
    params=(_SYMBOL, _LIMIT),
    at=("list",),
)
klines: Endpoint[list[FuturesKline]] = Endpoint(
    "GET",
    "/contract/public/kline",
    Auth.NONE,
    Quota(12),
    returns=list[FuturesKline],
    params=_KLINE_PARAMS,
    rules=_KLINE_RULES,
)
mark_price_klines: Endpoint[list[FuturesKline]] = Endpoint(
    "GET",
    "/contract/public/markprice-kline",
    Auth.NONE,
    Quota(12),
    returns=list[FuturesKline],
    params=_KLINE_PARAMS,
    rules=_KLINE_RULES,
)
leverage_brackets: Endpoint[list[LeverageBracketRule]] = Endpoint(
    "GET",
    "/contract/public/leverage-bracket",
    Auth.NONE,
    Quota(12),
    returns=list[LeverageBracketRule],
    params=(_ANY_SYMBOL,),
    at=("rules",),
)


class FuturesMarket(Chapter):
    """The methods of ``client.futures.market``."""

    __slots__ = ()

    async def contracts(self, symbol: str | None = None) -> list[ContractDetails]:
        """Read the trading rules, prices, funding and 24-hour figures of one contract or of all.

        GET /contract/public/details, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT; every contract, including delisted ones, if left out (about 1 MB).

        Raises:
            InvalidSymbol: the contract is unknown (40012 with the text SYMBOL_NOT_EXIST).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Contract Details")
        """
        return await self._call(contracts, symbol=symbol)

    async def order_book(self, symbol: str) -> FuturesOrderBook:
        """Read the best levels of a contract's book, at most 50 per side.

        GET /contract/public/depth, no key, 12 calls in 2 s by address. The depth cannot be chosen.

        Args:
            symbol: such as BTCUSDT.

        Returns:
            Best prices first; ``client.streams.futures.order_book`` keeps one up to date.

        Raises:
            InvalidSymbol: the contract is unknown or delisted (40034).

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Market Depth")
        """
        return await self._call(order_book, symbol=symbol)

    async def trades(self, symbol: str, *, limit: int | None = None) -> list[FuturesMarketTrade]:
        """Read the latest public trades of a contract.

        GET /contract/public/market-trade, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.
            limit: 1 to 100 trades; 50 if left out.

        Returns:
            Sizes in base currency (the trade stream counts contracts), times in seconds. Trades have no id.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Market Trade")
        """
        return await self._call(trades, symbol=symbol, limit=limit)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """Read the open interest of a contract.

        GET /contract/public/open-interest, no key, 2 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Futures Openinterest")
        """
        return await self._call(open_interest, symbol=symbol)

    async def funding_rate(self, symbol: str) -> FundingRate:
        """Read the last and the expected funding rate of one contract.

        GET /contract/public/funding-rate, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Current Funding Rate")
        """
        return await self._call(funding_rate, symbol=symbol)

    async def funding_rates(self, symbol: str | None = None) -> list[FundingRate]:
        """Read the last and the expected funding rate of all contracts in one call.

        GET /contract/public/funding-rate-v2, no key, 12 calls in 2 s by address. Known from the official SDKs.

        Args:
            symbol: such as BTCUSDT; all contracts if left out.

        Returns:
            Contracts without a trade in 24 hours and coin-margined ones were missing when last checked (2026-09).
        """
        return await self._call(funding_rates, symbol=symbol)

    async def funding_rate_history(self, symbol: str, *, limit: int | None = None) -> list[FundingRateRecord]:
        """Read the settled funding rates of a contract.

        GET /contract/public/funding-rate-history, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.
            limit: 1 to 100 settlements; 100 if left out.

        Returns:
            Newest first. Older ones cannot be requested.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Funding Rate History")
        """
        return await self._call(funding_rate_history, symbol=symbol, limit=limit)

    async def klines(
        self, symbol: str, *, start_time: TimeS, end_time: TimeS, step: FuturesKlineStep | int | None = None
    ) -> list[FuturesKline]:
        """Read candles of traded prices.

        GET /contract/public/kline, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.
            start_time: in seconds.
            end_time: in seconds; at most 500 candles later.
            step: minutes per candle; 1 if left out.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get K-line")
        """
        return await self._call(klines, symbol=symbol, step=step, start_time=start_time, end_time=end_time)

    async def mark_price_klines(
        self, symbol: str, *, start_time: TimeS, end_time: TimeS, step: FuturesKlineStep | int | None = None
    ) -> list[FuturesKline]:
        """Read candles of the mark price, which has no other public REST source.

        GET /contract/public/markprice-kline, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT.
            start_time: in seconds.
            end_time: in seconds; at most 500 candles later.
            step: minutes per candle; 1 if left out.

        Returns:
            Candles whose volume is usually 0.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get MarkPrice K-line")
        """
        return await self._call(mark_price_klines, symbol=symbol, step=step, start_time=start_time, end_time=end_time)

    async def leverage_brackets(self, symbol: str | None = None) -> list[LeverageBracketRule]:
        """Read the risk tiers: greatest leverage and maintenance margin by position value.

        GET /contract/public/leverage-bracket, no key, 12 calls in 2 s by address.

        Args:
            symbol: such as BTCUSDT; every contract if left out.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Current Leverage Risk Limit")
        """
        return await self._call(leverage_brackets, symbol=symbol)
