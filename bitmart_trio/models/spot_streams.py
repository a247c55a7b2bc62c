"""Define the pushes of the spot sockets."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final, cast

import attrs

from ._enums import OpenStr, OrderSide
from ._fields import Millis, Seconds, drop_echo, members, wire
from ._model import Model
from ._rows import Levels
from .spot_trading import SpotOrderMode, SpotOrderState, SpotOrderType


class BookUpdateType(OpenStr):
    """The kind of an incremental book message."""

    SNAPSHOT = "snapshot"
    """Replaces both sides."""
    UPDATE = "update"
    """Sets the listed levels; a size of 0 removes one."""


class FillRole(OpenStr):
    """The role of an order in its last fill."""

    MAKER = "M"
    TAKER = "T"


class SpotEntrustType(OpenStr):
    """The way an order was placed; the docs print it in both letter cases."""

    NORMAL = "normal"
    LIMIT_MAKER = "limit_maker"
    IOC = "ioc"


class BalanceEvent(OpenStr):
    """The reason of a balance change."""

    TRANSACTION_COMPLETED = "TRANSACTION_COMPLETED"
    ACCOUNT_RECHARGE = "ACCOUNT_RECHARGE"
    ACCOUNT_WITHDRAWAL = "ACCOUNT_WITHDRAWAL"
    ACCOUNT_TRANSFER = "ACCOUNT_TRANSFER"
    BMX_DEDUCTION = "BMX_DEDUCTION"
    SNAPSHOT = "SNAPSHOT"
    """Not a word of the exchange: the balance was read over REST after a gap."""


class CustodyType(OpenStr):
    """The custody of the account's funds."""

    BITMART = "BITMART"
    COPPER = "COPPER"
    COBO = "COBO"


@attrs.frozen(kw_only=True)
class SpotTicker(Model):
    """The state of a pair: last price, best prices, 24 hours."""

    symbol: str
    """Such as BTC_USDT."""
    last_price: Decimal
    """Price of the latest trade."""
    open_24h: Decimal
    """Price 24 hours ago."""
    high_24h: Decimal
    """Highest price in 24 hours."""
    low_24h: Decimal
    """Lowest price in 24 hours."""
    base_volume_24h: Decimal
    """Base currency."""
    quote_volume_24h: Decimal | None = None
    """Quote currency; None before 2024-02-29."""
    change_24h: Decimal | None = wire("fluctuation", default=None)
    """24 hour change as a fraction."""
    bid_price: Decimal | None = wire("bid_px", default=None)
    """Best bid."""
    bid_size: Decimal | None = wire("bid_sz", default=None)
    """Base currency."""
    ask_price: Decimal | None = wire("ask_px", default=None)
    """Best ask."""
    ask_size: Decimal | None = wire("ask_sz", default=None)
    """Base currency."""
    s_t: Seconds | None = None
    """Push time in seconds; announced for removal, use `time`."""
    time: Millis | None = wire("ms_t", default=None)
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen
class SpotKlineUpdate(Model):
    """The bar in progress. A later one with the same open time replaces it; no flag says that a bar is closed."""

    symbol: str
    """Such as BTC_USDT."""
    open_time: Seconds
    """Start of the bar (before 2024-02-29 the push time)."""
    open: Decimal
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    close: Decimal
    """Price of the latest trade, or of the last one of a finished bar."""
    volume: Decimal
    """Traded volume; the unit is not documented."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)
    _plain_is_exact_: ClassVar[bool] = True

    @classmethod
    def _shape_(cls, value: object) -> object:
        candle = members(value).get("candle")
        if not isinstance(candle, list):
            return value
        names = ("open_time", "open", "high", "low", "close", "volume")
        return {"symbol": members(value).get("symbol"), **dict(zip(names, cast("list[object]", candle), strict=False))}


@attrs.frozen
class SpotDepth(Model):
    """The top of a book, with both sides complete: it replaces the previous one."""

    symbol: str
    """Such as BTC_USDT."""
    asks: Levels
    """Best first."""
    bids: Levels
    """Best first."""
    time: Millis = wire("ms_t")
    """Push time; discard a message that is older than the last."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen
class SpotDepthIncrease(Model):
    """A snapshot of a book, or the levels that changed since the version before."""

    symbol: str
    """Such as BTC_USDT."""
    type: BookUpdateType
    """Snapshot or update."""
    version: int
    """Rises by one with each update; a quiet book repeats it with both sides empty as a sign of life."""
    asks: Levels
    """Best first."""
    bids: Levels
    """Best first."""
    time: Millis = wire("ms_t")
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class SpotTrade(Model):
    """A trade. It has no id: a repeated trade cannot be distinguished from a new one."""

    symbol: str
    """Such as BTC_USDT."""
    price: Decimal
    """Quote units for one base unit."""
    size: Decimal
    """Base currency."""
    side: OrderSide
    """The taker's."""
    s_t: Seconds | None = None
    """Execution time in seconds; announced for removal, use `time`."""
    time: Millis | None = wire("ms_t", default=None)
    """Execution time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


@attrs.frozen(kw_only=True)
class SpotBookTicker(Model):
    """The best bid and ask of a pair."""

    symbol: str
    """Such as BTC_USDT."""
    bid_price: Decimal = wire("bid_px")
    """Best bid."""
    bid_size: Decimal = wire("bid_sz")
    """Base currency."""
    ask_price: Decimal = wire("ask_px")
    """Best ask."""
    ask_size: Decimal = wire("ask_sz")
    """Base currency."""
    time: Millis = wire("ms_t", aliases=("ts",))
    """Push time."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol",)


_NUMBERED_STATES: Final = {
    "4": SpotOrderState.NEW,
    "5": SpotOrderState.PARTIALLY_FILLED,
    "6": SpotOrderState.FILLED,
    "8": SpotOrderState.CANCELED,
    "12": SpotOrderState.PARTIALLY_CANCELED,
}


@attrs.frozen(kw_only=True)
class SpotOrderUpdate(Model):
    """The complete state of one of your orders after a change."""

    symbol: str
    """Such as BTC_USDT."""
    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """None if the order has none."""
    side: OrderSide
    """Buy or sell."""
    type: SpotOrderType
    """Limit, market, and so on."""
    price: Decimal | None = None
    """None if the exchange leaves it blank, as it may for market orders."""
    size: Decimal | None = None
    """Base currency; may be 0 or None for a market order."""
    notional: Decimal | None = None
    """Quote currency that a market buy spends, else None."""
    filled_size: Decimal
    """Base currency."""
    filled_notional: Decimal
    """Quote currency."""
    state: str | None = None
    """Announced for removal; use `order_state`. 4 accepted, 5 partly filled, 6 filled, 8 cancelled, 12 partly filled
    and cancelled.
    """
    order_state: SpotOrderState | None = None
    """None before 2024-02-29."""
    order_type: str | None = None
    """Announced for removal: 0 regular, 1 post only, 2 fill or kill, 3 immediate or cancel."""
    entrust_type: SpotEntrustType | None = None
    """Ordinary or margin, as sent."""
    margin_trading: str | None = None
    """Announced for removal: 0 is spot."""
    order_mode: SpotOrderMode | None = None
    """The docs' sample has the digit 0 here, an unknown member."""
    last_fill_price: Decimal | None = None
    """0 or None before the first fill."""
    last_fill_size: Decimal | None = wire("last_fill_count", default=None)
    """0 or None before the first fill."""
    last_fill_time: Millis | None = wire(zero_is_none=True, default=None)
    """None before the first fill."""
    last_fill_role: FillRole | None = wire("exec_type", default=None)
    """Maker or taker in the newest fill; None before the first."""
    trade_id: str | None = wire("detail_id", default=None)
    """Of the last fill."""
    fee: Decimal | None = wire("dealFee", default=None)
    """Of the last fill."""
    fee_currency: str | None = wire("deal_fee_coin_name", default=None)
    """The currency of the fee."""
    order_time: Millis = wire("ms_t")
    """Documented as the creation time; other clients read it as the last update."""
    create_time: Millis | None = None
    """The time of its creation, in milliseconds."""
    update_time: Millis | None = None
    """The time of its last change, in milliseconds."""

    _identity_: ClassVar[tuple[str, ...]] = ("symbol", "order_id")

    @property
    def current_state(self) -> SpotOrderState:
        """Return the order's state: `order_state`, or the older `state` if that is not known."""
        word = self.order_state
        if word is not None and word.is_known:
            return word
        return _NUMBERED_STATES.get(self.state or "", SpotOrderState.NEW if word is None else word)

    def __attrs_post_init__(self) -> None:
        """Remove a client order id that only repeats the exchange's id; see `drop_echo`."""
        drop_echo(self)


@attrs.frozen(kw_only=True)
class SpotPushedBalance(Model):
    """The balance of a currency after a change."""

    currency: str = wire("ccy")
    available: Decimal = wire("av_bal")
    """Free to use."""
    frozen: Decimal = wire("fz_bal")
    """Held by open orders."""


@attrs.frozen(kw_only=True)
class SpotBalanceUpdate(Model):
    """The new balances of the currencies that changed; currencies that did not change are not listed."""

    event_type: BalanceEvent
    """The reason of the change."""
    time: Millis = wire("event_time")
    """The time of the push, in milliseconds."""
    account_type: CustodyType | None = None
    """The wallet of the balances."""
    balances: list[SpotPushedBalance] = wire("balance_details")

    _identity_: ClassVar[tuple[str, ...]] = ("balances",)

    @classmethod
    def _shape_(cls, value: object) -> object:
        # The documented sample pads the word with blanks.
        word = members(value).get("event_type")
        return {**members(value), "event_type": word.strip()} if isinstance(word, str) else value
