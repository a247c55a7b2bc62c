"""Define spot market data: currencies, pairs, tickers, klines, books and public trades."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, cast

import attrs

from ._enums import OpenInt, OpenStr, OrderSide
from ._fields import Millis, Seconds, wire
from ._model import Model
from ._rows import Level, Row


class SpotKlineStep(OpenInt):
    """The length of a spot kline in minutes."""

    ONE_MINUTE = 1
    FIVE_MINUTES = 5
    FIFTEEN_MINUTES = 15
    THIRTY_MINUTES = 30
    ONE_HOUR = 60
    TWO_HOURS = 120
    FOUR_HOURS = 240
    ONE_DAY = 1440
    ONE_WEEK = 10080
    ONE_MONTH = 43200


class TradeStatus(OpenStr):
    """The trading state of a pair."""

    TRADING = "trading"
    PRE_TRADE = "pre-trade"
    """Listed, but not open yet."""


@attrs.frozen
class Currency(Model):
    """A currency of the spot market."""

    id: str
    """Short code, such as BTC."""
    name: str
    """Full name."""
    withdraw_enabled: bool
    """True if it can be withdrawn now."""
    deposit_enabled: bool
    """True if it can be deposited now."""


@attrs.frozen
class SymbolDetails(Model):
    """The trading rules of a pair."""

    symbol: str
    """Such as BTC_USDT."""
    symbol_id: int
    """The exchange's number for it."""
    base_currency: str
    """The currency that is traded."""
    quote_currency: str
    """The currency of prices."""
    quote_increment: Decimal
    """Step of the order **size**, in base currency; the wire name misleads."""
    base_min_size: Decimal
    """Smallest order size, in base currency."""
    price_min_precision: int
    """Fewest price decimals; -1 has been seen."""
    price_max_precision: int
    """Most price decimals; the exchange silently truncates further digits of an order's price."""
    expiration: str
    """NA or blank if the pair has no expiry."""
    min_buy_amount: Decimal
    """Least value of a buy order, in quote currency."""
    min_sell_amount: Decimal
    """Least value of a sell order, in quote currency."""
    trade_status: TradeStatus
    """The trading state of the pair."""
    base_max_size: Decimal | None = None
    """Largest order size, in base currency; None if the exchange omits it."""
    planned_down_time: str | None = None
    """The time of the delisting, as the exchange writes it (the unit is not documented); None for never."""


# The columns of a ticker that travels as an array (all pairs); the object (one pair) has the same names.
_TICKER_COLUMNS = ("symbol", "last", "v_24h", "qv_24h", "open_24h", "high_24h", "low_24h", "fluctuation",
                   "bid_px", "bid_sz", "ask_px", "ask_sz", "ts")  # fmt: skip


@attrs.frozen(kw_only=True)
class Ticker(Model):
    """The last 24 hours of a pair and its best prices; a snapshot from a cache."""

    symbol: str
    """Such as BTC_USDT."""
    last_price: Decimal = wire("last")
    """Price of the latest trade."""
    volume_24h: Decimal = wire("v_24h")
    """Traded in 24 h, in base currency."""
    quote_volume_24h: Decimal = wire("qv_24h")
    """Traded in 24 h, in quote currency."""
    open_24h: Decimal
    """Price 24 h ago."""
    high_24h: Decimal
    """Highest price in 24 h."""
    low_24h: Decimal
    """Lowest price in 24 h."""
    fluctuation: Decimal
    """Change in 24 h as a fraction: 0.01 is one per cent."""
    bid_price: Decimal = wire("bid_px")
    """Best bid."""
    bid_size: Decimal = wire("bid_sz")
    """Size at the best bid, in base currency."""
    ask_price: Decimal = wire("ask_px")
    """Best ask."""
    ask_size: Decimal = wire("ask_sz")
    """Size at the best ask, in base currency."""
    timestamp: Millis = wire("ts")
    """The time of the snapshot."""

    _plain_is_exact_: ClassVar[bool] = True
    _columns_: ClassVar[tuple[str, ...]] = _TICKER_COLUMNS

    @classmethod
    def _shape_(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        columns = cast("list[object]", value)
        # Columns that the exchange adds keep their index as name, so that extras() can show them.
        added = {f"[{index}]": each for index, each in enumerate(columns) if index >= len(_TICKER_COLUMNS)}
        return {**dict(zip(_TICKER_COLUMNS, columns, strict=False)), **added}


class SpotKline(Row, array_like=True, frozen=True):
    """A candle of a spot pair."""

    open_time: Seconds
    """Start of the candle in seconds; it identifies the candle."""
    open: Decimal
    """First price."""
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    close: Decimal
    """Last price, so far if the candle is still running."""
    volume: Decimal
    """Traded, in base currency."""
    quote_volume: Decimal
    """Traded, in quote currency."""


@attrs.frozen(kw_only=True)
class SpotOrderBook(Model):
    """The best levels of both sides; a snapshot from a cache."""

    timestamp: Millis = wire("ts")
    """The time of the snapshot."""
    symbol: str
    """Such as BTC_USDT."""
    asks: list[Level]
    """Cheapest first."""
    bids: list[Level]
    """Dearest first."""


class SpotMarketTrade(Row, array_like=True, frozen=True):
    """A public trade of a pair."""

    symbol: str
    """Such as BTC_USDT."""
    timestamp: Millis
    """The time of the trade."""
    price: Decimal
    """In quote currency."""
    size: Decimal
    """In base currency."""
    side: OrderSide
    """Side of the taker."""


@attrs.frozen
class TickerV1(Model):
    """A ticker of the retired versions 1 and 2."""

    symbol: str
    """Such as BTC_USDT."""
    last_price: Decimal
    """Price of the latest trade."""
    quote_volume_24h: Decimal
    """Traded in 24 h, in quote currency."""
    base_volume_24h: Decimal
    """Traded in 24 h, in base currency."""
    high_24h: Decimal
    """Highest price in 24 h."""
    low_24h: Decimal
    """Lowest price in 24 h."""
    open_24h: Decimal
    """Price 24 h ago."""
    close_24h: Decimal
    """Price now."""
    best_ask: Decimal
    """Best ask."""
    best_ask_size: Decimal
    """Size at the best ask, in base currency."""
    best_bid: Decimal
    """Best bid."""
    best_bid_size: Decimal
    """Size at the best bid, in base currency."""
    fluctuation: Decimal
    """Change in 24 h as a fraction; came with a plus sign."""
    url: str
    """Link to the trading page."""
    timestamp: Millis | None = None
    """The time of the snapshot; None in the oldest replies."""


@attrs.frozen
class SpotKlineV1(Model):
    """A candle of the retired version 1."""

    timestamp: Seconds
    """Start of the candle in seconds."""
    open: Decimal
    """First price."""
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    close: Decimal
    """Last price."""
    last_price: Decimal
    """Price of the latest trade."""
    volume: Decimal
    """Traded, in base currency."""
    quote_volume: Decimal
    """Traded, in quote currency."""


@attrs.frozen
class BookLevelV1(Model):
    """A level of the retired version 1's book."""

    amount: Decimal
    """Size at this price, in base currency."""
    total: Decimal
    """Size from the best price down to this level, in base currency."""
    price: Decimal
    """In quote currency."""
    count: int
    """Orders at this level."""


@attrs.frozen
class OrderBookV1(Model):
    """A book of the retired version 1."""

    buys: list[BookLevelV1]
    """Dearest first."""
    sells: list[BookLevelV1]
    """Cheapest first."""
    timestamp: Millis | None = None
    """The time of the snapshot; None in the oldest replies."""
