"""Spot market data over REST, and the paths that have been retired.

Errors of the quotation endpoints come with HTTP 200; only the code shows them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from ...kernel.accounts import ZERO
from ...kernel.calls import Call, Refusal
from ...kernel.candles import MONTH, WEEK, Bar
from ...kernel.coins import USUAL
from ...kernel.encoding import Json
from ...kernel.numbers import NumberError, read_integer
from ...kernel.pairs import Pair, PairMarket
from ...spot.market import SpotMarket
from .. import models as rules
from ..models import name_of
from ..wire import Chapter

T = TypeVar("T", int, None)

routes: Chapter[SpotMarket] = Chapter()

STEPS = (1, 5, 15, 30, 60, 120, 240, 1440, WEEK, MONTH)
"""The lengths of candles over REST, in minutes."""
KLINES_MAX = 200
KLINES_DEFAULT = 100
LEVELS_MAX = 50
LEVELS_DEFAULT = 35
TRADES_MAX = 50

RETIRED = (
    ("GET", "/spot/v2/ticker"), ("GET", "/spot/v1/ticker_detail"), ("GET", "/spot/v1/steps"),
    ("GET", "/spot/v1/symbols/kline"), ("GET", "/spot/v1/symbols/book"), ("GET", "/spot/v1/ticker"),
    ("GET", "/spot/v1/symbols/trades"), ("POST", "/spot/v2/batch_orders"), ("POST", "/spot/v1/cancel_orders"),
    ("POST", "/spot/v1/submit_order"), ("POST", "/spot/v1/batch_orders"), ("POST", "/spot/v1/cancel_order"),
    ("POST", "/spot/v2/cancel_order"), ("GET", "/spot/v1/order_detail"), ("GET", "/spot/v2/order_detail"),
    ("GET", "/spot/v2/orders"), ("GET", "/spot/v3/orders"), ("GET", "/spot/v1/trades"), ("GET", "/spot/v2/trades"),
    ("GET", "/account/v1/deposit-withdraw/history"), ("GET", "/account/v1/recharge-withdraw/history"),
    ("POST", "/account/sub-account/sub/v1/sub-to-sub"),
)  # fmt: skip


def retired(spot: SpotMarket, call: Call) -> Json:
    """Refuse any call of a retired path, whatever its credentials."""
    raise Refusal(30031, "This endpoint is deprecated and no longer available", http=200)


for _method, _path in RETIRED:
    if _method == "GET":
        routes.get(_path)(retired)
    else:
        routes.post(_path, auth="none")(retired)


@routes.get("/spot/v1/currencies", limit=(8, 2, "ip"))
def currencies(spot: SpotMarket, call: Call) -> Json:
    """Return every currency of the spot market."""
    return {
        "currencies": [
            # Only the usual coins have chains.
            {"id": coin, "name": name_of(coin), "withdraw_enabled": coin in USUAL, "deposit_enabled": coin in USUAL}
            for coin in spot.currencies
        ]
    }


@routes.get("/spot/v1/symbols", limit=(8, 2, "ip"))
def symbols(spot: SpotMarket, call: Call) -> Json:
    """Return the names of all pairs."""
    return {"symbols": list(spot.markets)}


@routes.get("/spot/v1/symbols/details", limit=(12, 2, "ip"))
def symbol_details(spot: SpotMarket, call: Call) -> Json:
    """Return the trading rules of all pairs."""
    return {"symbols": [_details(market.pair) for market in spot.markets.values()]}


def _details(pair: Pair) -> Json:
    return {
        "symbol": pair.symbol,
        "symbol_id": pair.symbol_id,
        "base_currency": pair.base,
        "quote_currency": pair.quote,
        "quote_increment": format(pair.lot, "f"),
        "base_min_size": format(pair.lot, "f"),
        "base_max_size": format(pair.max_size, "f"),
        "price_min_precision": -1,
        "price_max_precision": pair.price_places,
        "expiration": "NA",
        "min_buy_amount": f"{pair.min_value:.{rules.MIN_AMOUNT_PLACES.value}f}",
        "min_sell_amount": f"{pair.min_value:.{rules.MIN_AMOUNT_PLACES.value}f}",
        "trade_status": "trading",
        "planned_down_time": rules.PLANNED_DOWN_TIME.value[pair.symbol_id // 2 % 2],
    }


@routes.get("/spot/quotation/v3/tickers", limit=(10, 2, "ip"))
def tickers(spot: SpotMarket, call: Call) -> Json:
    """Return one row of texts per pair."""
    found = [spot.look(symbol) for symbol in spot.markets]
    return [list(_ticker(market, call.now_ms).values()) for market in found if market is not None]


@routes.get("/spot/quotation/v3/ticker", limit=(15, 2, "ip"))
def ticker(spot: SpotMarket, call: Call) -> Json:
    """Return the last 24 hours of one pair."""
    return _ticker(_market(spot, call), call.now_ms)


def _ticker(market: PairMarket, now_ms: int) -> dict[str, Json]:
    pair, book, day = market.pair, market.book, market.candles.day()
    bid, ask = book.best("buy"), book.best("sell")
    return {
        "symbol": pair.symbol,
        "last": pair.price_text(market.last),
        "v_24h": pair.size_text(day.volume),
        "qv_24h": f"{day.turnover:.2f}",
        "open_24h": pair.price_text(day.open),
        "high_24h": pair.price_text(day.high),
        "low_24h": pair.price_text(day.low),
        "fluctuation": f"{market.last / day.open - 1:.5f}",
        "bid_px": pair.price_text(bid or ZERO),
        "bid_sz": pair.size_text(ZERO if bid is None else book.size_at("buy", bid)),
        "ask_px": pair.price_text(ask or ZERO),
        "ask_sz": pair.size_text(ZERO if ask is None else book.size_at("sell", ask)),
        "ts": str(now_ms),
    }


@routes.get("/spot/quotation/v3/klines", limit=(10, 2, "ip"))
def klines(spot: SpotMarket, call: Call) -> Json:
    """Return past candles, newest first."""
    market = _market(spot, call)
    step = _number(call, "step", 71005, 1)
    if step not in STEPS:
        raise _sorry(71005, "Parameter step is invalid")
    limit = _number(call, "limit", 71004, KLINES_DEFAULT)
    if not 1 <= limit <= KLINES_MAX:
        raise _sorry(71004, "The number of requested k-line exceeds the maximum")
    after, before = _number(call, "after", 71001, None), _number(call, "before", 71002, None)
    if after is not None and before is not None and after >= before:
        raise _sorry(71003, "The interval of after and before is invalid")
    # Both bounds are exclusive, and in seconds.
    first = 0 if after is None else after // 60 + 1
    if after is not None and before is None:
        found = market.candles.oldest(step, limit, first)
    else:
        found = market.candles.newest(
            step, limit, first, call.now_ms // 60_000 if before is None else (before - 1) // 60
        )
    return [_kline(market.pair, bar) for bar in found]


@routes.get("/spot/quotation/v3/lite-klines", limit=(15, 2, "ip"))
def latest_klines(spot: SpotMarket, call: Call) -> Json:
    """Return past candles, under the other path."""
    return klines(spot, call)


def _kline(pair: Pair, bar: Bar) -> Json:
    return [
        str(bar.minute * 60),
        pair.price_text(bar.open),
        pair.price_text(bar.high),
        pair.price_text(bar.low),
        pair.price_text(bar.close),
        pair.size_text(bar.volume),
        f"{bar.turnover:.2f}",
    ]


@routes.get("/spot/quotation/v3/books", limit=(15, 2, "ip"))
def order_book(spot: SpotMarket, call: Call) -> Json:
    """Return the best levels of both sides, best first."""
    market = _market(spot, call)
    limit = _limit(call, LEVELS_DEFAULT, LEVELS_MAX)
    pair = market.pair
    return {
        "ts": str(call.now_ms),
        "symbol": pair.symbol,
        "asks": _levels(pair, market.book.levels("sell", limit)),
        "bids": _levels(pair, market.book.levels("buy", limit)),
    }


def _levels(pair: Pair, levels: list[tuple[Decimal, Decimal]]) -> Json:
    return [[pair.price_text(price), pair.size_text(size)] for price, size in levels]


@routes.get("/spot/quotation/v3/trades", limit=(15, 2, "ip"))
def trades(spot: SpotMarket, call: Call) -> Json:
    """Return the latest trades, newest first."""
    market = _market(spot, call)
    pair = market.pair
    newest = list(reversed(market.trades))[: _limit(call, TRADES_MAX, TRADES_MAX)]
    return [
        [pair.symbol, str(trade.time_ms), pair.price_text(trade.price), pair.size_text(trade.size), trade.side]
        for trade in newest
    ]


def _market(spot: SpotMarket, call: Call) -> PairMarket:
    symbol = call.text("symbol")
    if symbol is None:
        raise _sorry(70001, "Parameter symbol is missing")
    market = spot.look(symbol)
    if market is None:
        raise _sorry(70002, "Invalid symbol")
    return market


def _limit(call: Call, default: int, most: int) -> int:
    """Return the limit, clipped to its range: no code is documented for a limit out of range."""
    text = call.text("limit", str(default)) or ""
    try:
        return min(max(read_integer(text), 1), most)
    except NumberError:
        return default


def _number(call: Call, name: str, code: int, default: T) -> int | T:
    text = call.text(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise _sorry(code, f"Parameter {name} is invalid")
    return int(text)


def _sorry(code: int, message: str) -> Refusal:
    return Refusal(code, message, http=200)
