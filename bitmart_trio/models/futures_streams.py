"""What the futures sockets push."""

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
    """Which side of the book a message replaces."""

    BIDS = 1
    ASKS = 2


class TradeWay(OpenInt):
    """What both sides of a trade did to their positions, the buyer's first."""

    BUY_OPEN_SELL_OPEN = 1
    BUY_OPEN_SELL_CLOSE = 2
    BUY_CLOSE_SELL_OPEN = 3
    BUY_CLOSE_SELL_CLOSE = 4
    SELL_OPEN_BUY_OPEN = 5
    SELL_OPEN_BUY_CLOSE = 6
    SELL_CLOSE_BUY_OPEN = 7
    SELL_CLOSE_BUY_CLOSE = 8


class MarginModeNumber(OpenInt):
    """Margin mode as position pushes spell it: a number here, a word in orders."""

    ISOLATED = 1
    CROSS = 2


class FuturesOrderAction(OpenInt):
    """What happened to an order."""

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
    """What an order is, in the words of the pushes; orders of the exchange's own making bear others."""

    LIMIT = "limit"
    MARKET = "market"
    PLAN_ORDER = "plan_order"
    TRAILING_ORDER = "trailing_order"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


def _levels(value: object) -> object:
    """Levels as rows: the first version of the depth channels sends objects, the second arrays."""
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
    """What unrealised profit and liquidation are counted at."""
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
    """The highest that the rate may become."""
    funding_lower_limit: Decimal
    """The lowest that the rate may become."""
    time: Millis = wire("ts")
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesDepthSide(Model):
    """One side of a book, whole: replaces that side and leaves the other."""

    symbol: str
    """Such as BTCUSDT."""
    side: BookSide = wire("way")
    levels: Levels = wire("depths")
    """Best first; sizes in contracts."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time; two messages of one time belong together."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol", "side")
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _with_levels(value, "depths")


@attrs.frozen
class FuturesDepth(Model):
    """The top of a book, both sides whole: replace what you had."""

    symbol: str
    """Such as BTCUSDT."""
    asks: Levels
    """Best first; sizes in contracts."""
    bids: Levels
    """Best first."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time; drop one that is older than the last."""

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
    """One trade. What fills a gap (``backfill=True``) was read over REST, which tells no id and whole seconds only."""

    trade_id: int | None = None
    """None when it was read over REST."""
    symbol: str
    """Such as BTCUSDT."""
    price: Decimal = wire("deal_price")
    """Quote units for one base unit."""
    size: Decimal = wire("deal_vol")
    """The unit is not documented; contracts, like the book."""
    time: str = wire("created_at")
    """RFC 3339 in UTC with nanoseconds; `datetime` is the same to the microsecond."""
    way: TradeWay | None = None
    """What both sides did; missing in the documented sample, present in recorded frames."""
    buyer_is_maker: bool | None = wire("m", default=None)
    """True when the taker sold; None before 2025-01-16."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)

    @property
    def datetime(self) -> datetime:
        """`time`, aware, nanoseconds cut to microseconds.

        Raises:
            AbsentMember: `time` is no time.
        """
        whole, dot, fraction = self.time.removesuffix("Z").partition(".")
        try:
            return datetime.fromisoformat(f"{whole}{dot}{fraction[:6]}+00:00")
        except ValueError:
            raise AbsentMember(member="datetime", model="FuturesTrade", raw=json.dumps(self.time[:1000])) from None


@attrs.frozen(kw_only=True)
class FuturesKlineUpdate(Model):
    """The bar in progress. There is no flag that says it is closed."""

    symbol: str
    """Such as BTCUSDT."""
    open: Decimal = wire("o")
    """Price of the first trade."""
    high: Decimal = wire("h")
    """Highest price."""
    low: Decimal = wire("l")
    """Lowest price."""
    close: Decimal = wire("c")
    """Price of the latest trade, or of the last one of a bar that is over."""
    volume: Decimal = wire("v")
    """Contracts in practice."""
    time: Seconds = wire("ts")
    """Of the bar, but recorded values are a second past the minute: floor it to the interval to get the open time."""

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
    """The whole state of one position; a closed one has size 0."""

    symbol: str
    """Such as BTCUSDT."""
    size: Decimal = wire("hold_volume")
    """Contracts, unsigned."""
    side: PositionType = wire("position_type")
    """Long or short."""
    margin_mode: MarginModeNumber = wire("open_type")
    """Cross or isolated."""
    frozen_size: Decimal | None = wire("frozen_volume", default=None)
    """Contracts held by closing orders; None when it was read over REST."""
    closed_size: Decimal = wire("close_volume")
    """Contracts closed so far."""
    hold_avg_price: Decimal
    """Average price of what is held."""
    close_avg_price: Decimal
    """Average price of what was closed."""
    open_avg_price: Decimal
    """Average price of what was opened."""
    liquidation_price: Decimal = wire("liquidate_price")
    """0 where there is none."""
    create_time: Millis
    """When it was made, in milliseconds."""
    update_time: Millis
    """When it last changed, in milliseconds."""
    position_mode: PositionMode | None = None
    """None before 2025-04-10."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class FuturesPushedFill(Model):
    """The last fill of an order."""

    trade_id: int = wire("lastTradeID")
    """The exchange's number of the fill."""
    size: Decimal = wire("fillQty")
    """Contracts."""
    price: Decimal = wire("fillPrice")
    """Quote units for one base unit."""
    fee: Decimal
    """Negative is a cost."""
    fee_currency: str | None = wire("feeCcy", default=None)
    """None when it was read over REST."""


@attrs.frozen(kw_only=True)
class FuturesPushedOrder(Model):
    """An order as pushes carry it. A dash on the wire stands for no value."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """None when the order has none; ids like PLAN_3000097492004577 are the exchange's own."""
    symbol: str
    """Such as BTCUSDT."""
    price: Decimal | None = None
    """None where the exchange leaves it blank, as it may for market orders."""
    size: Decimal
    """Contracts."""
    state: FuturesOrderState
    """Where it stands."""
    side: FuturesOrderSide
    """Buy or sell, opening or closing."""
    type: FuturesPushedOrderType
    """Limit, market, plan order, and so on."""
    leverage: Decimal | None = None
    """None where the exchange leaves it blank."""
    margin_mode: OpenType | None = wire("open_type", default=None)
    """None where the exchange leaves it blank."""
    average_price: Decimal | None = wire("deal_avg_price", default=None)
    """0 or None before the first fill."""
    filled_size: Decimal = wire("deal_size")
    """Contracts."""
    create_time: Millis
    """When it was made, in milliseconds."""
    update_time: Millis
    """Seen slightly before the creation time."""
    plan_order_id: str | None = None
    """Of the plan order that it came from; None for others."""
    last_trade: FuturesPushedFill | None = None
    """The newest fill; None when this push brings none."""
    trigger_price: Decimal | None = None
    """At which a plan order fires; None for others."""
    trigger_price_type: str | None = None
    """last_price or fair_price; other sources expect the digits 1 and 2."""
    execution_price: str | None = None
    """A price, or the word market."""
    activation_price: Decimal | None = None
    """At which a trailing order begins to trail; None for others."""
    activation_price_type: str | None = None
    """Which price that is compared with; None for others."""
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
    """What happened to one of your orders, and its whole state after it. Covers plan, trailing and TP/SL orders too."""

    event: FuturesOrderAction = wire("action")
    """What happened."""
    order: FuturesPushedOrder
    """Its state now."""

    _identity_: ClassVar[tuple[str, ...]] = ("order",)
