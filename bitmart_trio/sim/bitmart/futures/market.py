"""REST chapter: public futures market data."""

from __future__ import annotations

from decimal import Decimal

from ...futures.listing import Listing
from ...futures.market import FuturesMarket
from ...kernel.calls import Call, Refusal
from ...kernel.candles import WEEK, Candles
from ...kernel.contracts import FUNDING_CAP, FUNDING_HOURS, ZERO, plain
from ...kernel.encoding import Json
from ..wire import Chapter
from . import params
from .streams import ratio

routes: Chapter[FuturesMarket] = Chapter()

STEPS = (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320, WEEK)
MAX_BARS = 500
MAX_LEVELS = 50


@routes.get("/contract/public/details", limit=(12, 2, "ip"))
def details(futures: FuturesMarket, call: Call) -> Json:
    """Return trading rules and latest figures of one contract or of all."""
    symbol = call.text("symbol")
    names = [*futures.listings] if symbol is None else [symbol]
    listings = [params.find(futures, name, 40012, "SYMBOL_NOT_EXIST") for name in names]
    rows: list[Json] = [_details(listing) for listing in listings]
    return {"symbols": rows}


def _details(listing: Listing) -> Json:
    terms, day, funding = listing.contract, listing.series.day(), listing.funding
    return {
        "symbol": terms.symbol,
        "product_type": 1,
        "open_timestamp": terms.opened_ms,
        "expire_timestamp": 0,
        "settle_timestamp": 0,
        "base_currency": terms.base,
        "quote_currency": terms.quote,
        "last_price": plain(listing.last),
        "volume_24h": plain(day.volume),
        "turnover_24h": plain(day.turnover),
        "index_price": plain(listing.index),
        "index_name": terms.symbol,
        "contract_size": plain(terms.contract_size),
        "min_leverage": str(terms.min_leverage),
        "max_leverage": str(terms.max_leverage),
        "price_precision": plain(terms.tick),
        "vol_precision": "1",
        "max_volume": str(terms.max_volume),
        "market_max_volume": str(terms.market_max_volume),
        "min_volume": str(terms.min_volume),
        "funding_rate": plain(funding.last),
        "expected_funding_rate": plain(funding.expected),
        "open_interest": plain(listing.open_interest),
        "open_interest_value": plain(_interest_value(listing)),
        "high_24h": plain(day.high),
        "low_24h": plain(day.low),
        "change_24h": ratio(listing.last / day.open - 1),
        "funding_interval_hours": FUNDING_HOURS,
        "funding_time": funding.next_ms,
        "status": "Trading",
        "delist_time": 0,
    }


def _interest_value(listing: Listing) -> Decimal:
    return listing.contract.quote_amount(listing.open_interest, listing.mark)


@routes.get("/contract/public/depth", limit=(12, 2, "ip"))
def depth(futures: FuturesMarket, call: Call) -> Json:
    """Return the best 50 levels per side, with running totals; an empty side is null."""
    listing = params.listing_of(futures, call)
    return {
        "asks": _levels(listing.book.levels("sell", MAX_LEVELS)),
        "bids": _levels(listing.book.levels("buy", MAX_LEVELS)),
        "timestamp": call.now_ms,
        "symbol": listing.contract.symbol,
    }


def _levels(levels: list[tuple[Decimal, Decimal]]) -> Json:
    rows: list[Json] = []
    total = ZERO
    for price, size in levels:
        total += size
        rows.append([plain(price), plain(size), plain(total)])
    return rows or None


@routes.get("/contract/public/market-trade", limit=(12, 2, "ip"))
def market_trade(futures: FuturesMarket, call: Call) -> Json:
    """Return the last public trades, newest first; quantities in base currency, times in seconds."""
    listing = params.listing_of(futures, call)
    count, terms = params.limit(call, 50, 100), listing.contract
    return [
        {
            "symbol": terms.symbol,
            "price": plain(trade.price),
            "qty": plain(terms.base_amount(trade.size, trade.price)),
            "quote_qty": plain(terms.quote_amount(trade.size, trade.price)),
            "time": trade.time_ms // 1000,
            "is_buyer_maker": trade.buyer_is_maker,
        }
        for trade in list(listing.prints)[: -count - 1 : -1]
    ]


@routes.get("/contract/public/open-interest", limit=(2, 2, "ip"))
def open_interest(futures: FuturesMarket, call: Call) -> Json:
    """Return the number of open contracts and their value."""
    listing = params.listing_of(futures, call)
    return {
        "timestamp": call.now_ms,
        "symbol": listing.contract.symbol,
        "open_interest": plain(listing.open_interest),
        "open_interest_value": plain(_interest_value(listing)),
    }


@routes.get("/contract/public/funding-rate", limit=(12, 2, "ip"))
def funding_rate(futures: FuturesMarket, call: Call) -> Json:
    """Return the last settled and the expected rate of one contract."""
    return _funding(params.listing_of(futures, call), call.now_ms)


@routes.get("/contract/public/funding-rate-v2", limit=(12, 2, "ip"))
def funding_rates(futures: FuturesMarket, call: Call) -> Json:
    """Return funding rates as a list; without a symbol it lacks coin-margined contracts, as on the real exchange."""
    symbol = call.text("symbol")
    listings = (
        [params.find(futures, symbol)]
        if symbol is not None
        else [listing for listing in futures.listings.values() if not listing.contract.inverse]
    )
    rows: list[Json] = [_funding(listing, call.now_ms) for listing in listings]
    return {"list": rows}


def _funding(listing: Listing, now_ms: int) -> Json:
    funding = listing.funding
    return {
        "timestamp": now_ms,
        "symbol": listing.contract.symbol,
        "rate_value": plain(funding.last),
        "expected_rate": plain(funding.expected),
        "funding_time": funding.next_ms,
        "funding_upper_limit": plain(FUNDING_CAP),
        "funding_lower_limit": plain(-FUNDING_CAP),
    }


@routes.get("/contract/public/funding-rate-history", limit=(12, 2, "ip"))
def funding_rate_history(futures: FuturesMarket, call: Call) -> Json:
    """Return settled rates, newest first."""
    listing = params.listing_of(futures, call)
    count = params.limit(call, 100, 100)
    rows: list[Json] = [
        {"symbol": listing.contract.symbol, "funding_rate": plain(rate), "funding_time": str(time_ms)}
        for time_ms, rate in list(listing.funding.settled)[: -count - 1 : -1]
    ]
    return {"list": rows}


@routes.get("/contract/public/kline", limit=(12, 2, "ip"))
def kline(futures: FuturesMarket, call: Call) -> Json:
    """Return bars of traded prices, oldest first, at most 500: of a longer span, the newest."""
    return _bars(call, params.listing_of(futures, call).series)


@routes.get("/contract/public/markprice-kline", limit=(12, 2, "ip"))
def mark_price_kline(futures: FuturesMarket, call: Call) -> Json:
    """Return bars of the mark price, without volume."""
    return _bars(call, params.listing_of(futures, call).mark_series)


def _bars(call: Call, series: Candles) -> Json:
    step = params.whole(call, "step", 1, STEPS, 40038)
    for name in ("start_time", "end_time"):
        params.needed(call, name)
    start, end = call.integer("start_time", 0, code=40039), call.integer("end_time", 0, code=40039)
    if start < 0 or end < start:
        raise Refusal(40039, "Invalid time range")
    return [
        {
            "timestamp": bar.minute * 60,
            "open_price": plain(bar.open),
            "close_price": plain(bar.close),
            "high_price": plain(bar.high),
            "low_price": plain(bar.low),
            "volume": plain(bar.volume),
        }
        for bar in reversed(series.newest(step, MAX_BARS, -(-start // 60), end // 60))
    ]


@routes.get("/contract/public/leverage-bracket", limit=(12, 2, "ip"))
def leverage_bracket(futures: FuturesMarket, call: Call) -> Json:
    """Return the risk tiers of one contract or of all."""
    symbol = params.optional_symbol(futures, call)
    rules: list[Json] = []
    for listing in futures.listings.values():
        if symbol in (None, listing.contract.symbol):
            tiers: list[Json] = [
                {
                    "bracket": tier.tier,
                    "initial_leverage": tier.leverage,
                    "notional_cap": plain(tier.cap),
                    "notional_floor": plain(tier.floor),
                    "maint_margin_ratio": plain(tier.ratio),
                    "cum": plain(tier.cum),
                }
                for tier in listing.contract.brackets
            ]
            rules.append({"symbol": listing.contract.symbol, "brackets": tiers})
    return {"rules": rules}
