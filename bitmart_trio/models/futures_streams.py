"""Define the pushes of the futures sockets."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, cast

import attrs

from ..errors import AbsentMember
from ._enums import OpenInt, OpenStr
from ._fields import Millis, Seconds, members, wire
from ._futures_enums import FuturesOrderSide, OpenType, PositionMode
from ._model import Model
from ._rows import Levels
from .futures_position import PositionType
from .futures_trading import FuturesOrderState
from .spot_streams import BookUpdateType


class BookSide(OpenInt):
    """The side of the book that a message replaces."""

    BIDS = 1
    ASKS = 2


class TradeWay(OpenInt):
    """The effect of a trade on both positions, the buyer's first."""

    BUY_OPEN_SELL_OPEN = 1
    BUY_OPEN_SELL_CLOSE = 2
    BUY_CLOSE_SELL_OPEN = 3
    BUY_CLOSE_SELL_CLOSE = 4
    SELL_OPEN_BUY_OPEN = 5
    SELL_OPEN_BUY_CLOSE = 6
    SELL_CLOSE_BUY_OPEN = 7
    SELL_CLOSE_BUY_CLOSE = 8


class MarginModeNumber(OpenInt):
    """The margin mode as position pushes spell it: a number here, a word in orders."""

    ISOLATED = 1
    CROSS = 2


class FuturesOrderAction(OpenInt):
    """The event of an order push."""

    MATCH = 1
    SUBMIT = 2
    CANCEL = 3
    LIQUIDATION_CANCEL = 4
    ADL_CANCEL = 5
    PART_LIQUIDATION = 6
    BANKRUPTCY = 7
    PASSIVE_ADL_MATCH = 8
    ACTIVE_ADL_MATCH = 9


class FuturesPushedOrderType(OpenStr):
    """The type of an order as pushes spell it; orders made by the exchange have other types."""

    LIMIT = "limit"
    MARKET = "market"
    PLAN_ORDER = "plan_order"
    TRAILING_ORDER = "trailing_order"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


def _levels(value: object) -> object:
    """Return levels as rows: the first version of the depth channels sends objects, the second arrays."""
    if not isinstance(value, list):
        return value
    rows = cast("list[object]", value)
    return [[known.get("price"), known.get("vol")] if (known := members(each)) else each for each in rows]


def _with_levels(value: object, *names: str) -> object:
    known = members(value)
    return {**known, **{name: _levels(known[name]) for name in names if name in known}} if known else value


@attrs.frozen(kw_only=True)
class FuturesTicker(Model):
    """The state of a contract: last, mark, index and best prices."""

    symbol: str
    """Such as BTCUSDT."""
    last_price: Decimal
    """Price of the latest trade."""
    volume_24h: Decimal = wire("volume_24")
    """The unit is not documented; the magnitudes fit contracts."""
    change_24h: Decimal = wire("range")
    """24 hour change as a signed fraction."""
    ask_price: Decimal
    """Best ask."""
    ask_size: Decimal = wire("ask_vol")
    """Contracts."""
    bid_price: Decimal
    """Best bid."""
    bid_size: Decimal = wire("bid_vol")
    """Contracts."""
    mark_price: Decimal | None = wire(aliases=("fair_price",), default=None)
    """The price for unrealised profit and liquidation."""
    index_price: Decimal | None = None
    """The spot price over several exchanges."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesFundingRateUpdate(Model):
    """The funding of a contract."""

    symbol: str
    """Such as BTCUSDT."""
    funding_rate: Decimal = wire("fundingRate")
    """Documented as the current rate; seen equal to the last settled one."""
    funding_time: Millis = wire("fundingTime")
    """Documented as the coming settlement; in every recorded frame it is about the push time."""
    next_funding_rate: Decimal = wire("nextFundingRate")
    """A forecast."""
    next_funding_time: Millis = wire("nextFundingTime")
    """The next settlement."""
    funding_upper_limit: Decimal
    """The upper bound of the rate."""
    funding_lower_limit: Decimal
    """The lower bound of the rate."""
    time: Millis = wire("ts")
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesDepthSide(Model):
    """A complete side of a book: it replaces that side and keeps the other."""

    symbol: str
    """Such as BTCUSDT."""
    side: BookSide = wire("way")
    levels: Levels = wire("depths")
    """Best first; sizes in contracts."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time; two messages with one time belong together."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol", "side")
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _with_levels(value, "depths")


@attrs.frozen
class FuturesDepth(Model):
    """The top of a book, with both sides complete: it replaces the previous one."""

    symbol: str
    """Such as BTCUSDT."""
    asks: Levels
    """Best first; sizes in contracts."""
    bids: Levels
    """Best first."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time; discard a message that is older than the last."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _with_levels(value, "asks", "bids")


@attrs.frozen
class FuturesDepthIncrease(Model):
    """A snapshot of a book, or the levels that changed since the version before."""

    symbol: str
    """Such as BTCUSDT."""
    type: BookUpdateType
    """Snapshot or update."""
    version: int
    """Rises by one with each push, also when both sides are empty."""
    asks: Levels
    """Best first."""
    bids: Levels
    """Best first."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time, seen on a one-second grid."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _with_levels(value, "asks", "bids")


@attrs.frozen(kw_only=True)
class FuturesBookTicker(Model):
    """The best bid and ask of a contract."""

    symbol: str
    """Such as BTCUSDT."""
    bid_price: Decimal = wire("best_bid_price")
    """Best bid."""
    bid_size: Decimal = wire("best_bid_vol")
    """Contracts."""
    ask_price: Decimal = wire("best_ask_price")
    """Best ask."""
    ask_size: Decimal = wire("best_ask_vol")
    """Contracts."""
    time: Millis = wire("ms_t")
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesTrade(Model):
    """A trade. Trades that fill a gap (``backfill=True``) come from REST, without an id and in whole seconds."""

    trade_id: int | None = None
    """None if it was read over REST."""
    symbol: str
    """Such as BTCUSDT."""
    price: Decimal = wire("deal_price")
    """Quote units for one base unit."""
    size: Decimal = wire("deal_vol")
    """The unit is not documented; contracts, like the book."""
    time: str = wire("created_at")
    """RFC 3339 in UTC with nanoseconds; `datetime` is the same to the microsecond."""
    way: TradeWay | None = None
    """The effect on both positions; missing in the documented sample, present in recorded frames."""
    buyer_is_maker: bool | None = wire("m", default=None)
    """True if the taker sold; None before 2025-01-16."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)

    @property
    def datetime(self) -> datetime:
        """Return `time` as an aware datetime, truncated to microseconds.

        Raises:
            AbsentMember: `time` is not a time.
        """
        whole, dot, fraction = self.time.removesuffix("Z").partition(".")
        try:
            return datetime.fromisoformat(f"{whole}{dot}{fraction[:6]}+00:00")
        except ValueError:
            raise AbsentMember(member="datetime", model="FuturesTrade", raw=json.dumps(self.time[:1000])) from None


@attrs.frozen(kw_only=True)
class FuturesKlineUpdate(Model):
    """The bar in progress. No flag says that a bar is closed."""

    symbol: str
    """Such as BTCUSDT."""
    open: Decimal = wire("o")
    """Price of the first trade."""
    high: Decimal = wire("h")
    """Highest price."""
    low: Decimal = wire("l")
    """Lowest price."""
    close: Decimal = wire("c")
    """Price of the latest trade, or of the last one of a finished bar."""
    volume: Decimal = wire("v")
    """Contracts in practice."""
    time: Seconds = wire("ts")
    """The bar's time, but recorded values are a second past the minute: round down to get the open time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _spread_(cls, value: object) -> list[object]:
        # Documented as one flat bar; the live service was recorded to send an array of bars.
        bars = members(value).get("items")
        if not isinstance(bars, list):
            return [value]
        symbol = members(value).get("symbol")
        return [{"symbol": symbol, **members(bar)} for bar in cast("list[object]", bars)]


@attrs.frozen(kw_only=True)
class FuturesMarkPriceKlineUpdate(FuturesKlineUpdate):
    """The mark price's bar in progress; its `time` is documented as the push time."""


@attrs.frozen(kw_only=True)
class FuturesAssetUpdate(Model):
    """The new balances of one currency."""

    currency: str
    available: Decimal = wire("available_balance")
    """Free to use."""
    position_margin: Decimal = wire("position_deposit")
    """Tied up in positions."""
    frozen: Decimal = wire("frozen_balance")
    """Held by open orders."""

    _identity_: ClassVar[tuple[str, ...]] = ("currency",)


@attrs.frozen(kw_only=True)
class FuturesPositionUpdate(Model):
    """The complete state of a position; a closed one has size 0."""

    symbol: str
    """Such as BTCUSDT."""
    size: Decimal = wire("hold_volume")
    """Contracts, unsigned."""
    side: PositionType = wire("position_type")
    """Long or short."""
    margin_mode: MarginModeNumber = wire("open_type")
    """Cross or isolated."""
    frozen_size: Decimal | None = wire("frozen_volume", default=None)
    """Contracts held by closing orders; None if it was read over REST."""
    closed_size: Decimal = wire("close_volume")
    """Contracts closed so far."""
    hold_avg_price: Decimal
    """Average entry price of the open position."""
    close_avg_price: Decimal
    """Average price of all closing fills."""
    open_avg_price: Decimal
    """Average price of all opening fills."""
    liquidation_price: Decimal = wire("liquidate_price")
    """The liquidation price; 0 if there is none."""
    create_time: Millis
    """The time of its creation, in milliseconds."""
    update_time: Millis
    """The time of its last change, in milliseconds."""
    position_mode: PositionMode | None = None
    """None before 2025-04-10."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesPushedFill(Model):
    """The last fill of an order."""

    trade_id: int = wire("lastTradeID")
    """The exchange's id of the fill."""
    size: Decimal = wire("fillQty")
    """Contracts."""
    price: Decimal = wire("fillPrice")
    """Quote units for one base unit."""
    fee: Decimal
    """Negative is a cost."""
    fee_currency: str | None = wire("feeCcy", default=None)
    """None if it was read over REST."""


@attrs.frozen(kw_only=True)
class FuturesPushedOrder(Model):
    """An order in a push. A dash on the wire means no value."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """None if the order has none; ids like PLAN_3000097492004577 come from the exchange."""
    symbol: str
    """Such as BTCUSDT."""
    price: Decimal | None = None
    """None if the exchange leaves it blank, as it may for market orders."""
    size: Decimal
    """Contracts."""
    state: FuturesOrderState
    """The state of the order."""
    side: FuturesOrderSide
    """Buy or sell, opening or closing."""
    type: FuturesPushedOrderType
    """Limit, market, plan order, and so on."""
    leverage: Decimal | None = None
    """None if the exchange leaves it blank."""
    margin_mode: OpenType | None = wire("open_type", default=None)
    """None if the exchange leaves it blank."""
    average_price: Decimal | None = wire("deal_avg_price", default=None)
    """0 or None before the first fill."""
    filled_size: Decimal = wire("deal_size")
    """Contracts."""
    create_time: Millis
    """The time of its creation, in milliseconds."""
    update_time: Millis
    """Seen slightly before the creation time."""
    plan_order_id: str | None = None
    """The id of the plan order that sent it; None for others."""
    last_trade: FuturesPushedFill | None = None
    """The newest fill; None if this push has none."""
    trigger_price: Decimal | None = None
    """The price that triggers a plan order; None for others."""
    trigger_price_type: str | None = None
    """last_price or fair_price; other sources expect the digits 1 and 2."""
    execution_price: str | None = None
    """A price, or the word market."""
    activation_price: Decimal | None = None
    """The price at which a trailing order begins to trail; None for others."""
    activation_price_type: str | None = None
    """The price compared with it; None for others."""
    callback_rate: Decimal | None = None
    """Percent."""
    position_mode: PositionMode | None = None
    """Hedge or one-way."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id", "symbol")

    @classmethod
    def _shape_(cls, value: object) -> object:
        known = members(value)
        return {name: None if each == "-" else each for name, each in known.items()} if known else value


@attrs.frozen(kw_only=True)
class FuturesOrderUpdate(Model):
    """An event of one of your orders, with the state after it. Includes plan, trailing and TP/SL orders."""

    event: FuturesOrderAction = wire("action")
    """The event of the order."""
    order: FuturesPushedOrder
    """The state of the order after the event."""

    _identity_: ClassVar[tuple[str, ...]] = ("order",)
