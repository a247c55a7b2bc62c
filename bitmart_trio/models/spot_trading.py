"""Spot orders, fills and algo orders, and the entries of order batches."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, TypeAlias, cast

import attrs

from ._enums import OpenStr, OrderSide
from ._fields import Millis, drop_echo, wire
from ._model import Model

_Amount: TypeAlias = Decimal | int | str


class SpotOrderType(OpenStr):
    """How a spot order executes."""

    LIMIT = "limit"
    """Rests at its price until it fills or is cancelled."""
    MARKET = "market"
    """Trades with the book at once."""
    LIMIT_MAKER = "limit_maker"
    """Never takes: the exchange cancels it, without an error, when it would."""
    IOC = "ioc"
    """Fills what it can at its price at once; the rest is cancelled."""


class SpotOrderState(OpenStr):
    """How far a spot order is."""

    NEW = "new"
    """Accepted, nothing filled."""
    PARTIALLY_FILLED = "partially_filled"
    """Still open."""
    FILLED = "filled"
    CANCELED = "canceled"
    """Cancelled, nothing filled."""
    PARTIALLY_CANCELED = "partially_canceled"
    """Cancelled after a part was filled."""
    FAILED = "failed"
    """Not accepted."""

    @property
    def is_final(self) -> bool:
        """Whether the order is over. A word that this library does not know ends no order."""
        return self.is_known and self not in (SpotOrderState.NEW, SpotOrderState.PARTIALLY_FILLED)


class CancelSource(OpenStr):
    """Who cancelled an order."""

    USER = "user"
    SYSTEM = "system"
    STP = "stp"
    """Self-trade prevention."""


class SpotStpMode(OpenStr):
    """Which order goes when two of one account would trade with each other."""

    NONE = "none"
    """Neither: they trade."""
    CANCEL_MAKER = "cancel_maker"
    """The resting one."""
    CANCEL_TAKER = "cancel_taker"
    """The incoming one."""
    CANCEL_BOTH = "cancel_both"


class SpotOrderMode(OpenStr):
    """Which account an order draws on."""

    SPOT = "spot"
    ISO_MARGIN = "iso_margin"
    """Isolated margin."""


class QueryState(OpenStr):
    """Where to look for an order."""

    OPEN = "open"
    """Among new and partially filled orders."""
    HISTORY = "history"
    """Among finished orders."""


class TradeRole(OpenStr):
    """Which side of a trade an order was."""

    TAKER = "taker"
    MAKER = "maker"


class AlgoOrderType(OpenStr):
    """What sets an algo order off."""

    TRIGGER = "trigger"
    """A price is reached: a plan order."""
    TP_SL = "tp/sl"
    """Take profit or stop loss, one way."""


class AlgoTriggerType(OpenStr):
    """The order that an algo order sends once it is set off."""

    LIMIT = "limit"
    MARKET = "market"


@attrs.frozen
class OrderPlaced(Model):
    """An order that the exchange has accepted; it may still be cancelled by the system at once."""

    order_id: str
    """The exchange's id: a 64-bit number, kept as text."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


@attrs.frozen
class CancelResult(Model):
    """What became of a cancellation."""

    result: bool
    """False: the order had already been filled or cancelled."""

    _identity_: ClassVar[tuple[str, ...]] = ("result",)

    @classmethod
    def _shape_(cls, value: object) -> object:
        # A peer has recorded the bare boolean.
        return {"result": value} if isinstance(value, bool) else value


@attrs.frozen(kw_only=True)
class BatchOrderParam(Model):
    """One order of a batch on one pair, for ``submit_orders``."""

    side: OrderSide | str
    """Buy or sell."""
    type: SpotOrderType | str
    """How it executes."""
    size: _Amount | None = None
    """Base currency: for everything but a market buy."""
    price: _Amount | None = None
    """Quote currency: for everything but a market order."""
    notional: _Amount | None = None
    """Quote currency to spend: for a market buy."""
    client_order_id: str | None = None
    """1 to 32 letters and digits, unique."""
    stp_mode: SpotStpMode | str | None = None
    """Self-trade prevention; none if left out."""


@attrs.frozen(kw_only=True)
class BatchOrderIds(Model):
    """The orders of an accepted batch."""

    order_ids: list[str] = wire("orderIds")
    """In the order of the batch."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_ids",)


@attrs.frozen(kw_only=True)
class CancelBatchResult(Model):
    """What became of a batch of cancellations."""

    success_ids: list[str] = wire("successIds")
    """Cancelled; client order ids when those were given."""
    fail_ids: list[str] = wire("failIds")
    """Not cancelled: filled, cancelled before or unknown."""
    total_count: int = wire("totalCount")
    """How many were asked for."""
    success_count: int = wire("successCount")
    """How many were cancelled."""
    failed_count: int = wire("failedCount")
    """How many were not."""


@attrs.frozen(kw_only=True)
class BatchOrderParamV2(Model):
    """One order of a batch of the retired version 2, where each names its pair."""

    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide | str
    """Buy or sell."""
    type: SpotOrderType | str
    """How it executes."""
    size: _Amount | None = None
    """Base currency: for everything but a market buy."""
    price: _Amount | None = None
    """Quote currency: for everything but a market order."""
    notional: _Amount | None = None
    """Quote currency to spend: for a market buy."""
    client_order_id: str | None = None
    """1 to 32 letters and digits, unique."""


@attrs.frozen
class BatchOrderResultV2(Model):
    """What became of one order of a version 2 batch."""

    code: int
    """0 when it was accepted."""
    msg: str
    """The exchange's words."""
    data: OrderPlaced | None = None
    """None when it was refused."""


@attrs.frozen(kw_only=True)
class SpotOrder(Model):
    """A spot or isolated-margin order."""

    order_id: str = wire("orderId")
    """The exchange's id."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id; None where none was given (the exchange repeats the order id there)."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: SpotOrderMode = wire("orderMode")
    """Spot or isolated margin."""
    type: SpotOrderType
    """How it executes."""
    state: SpotOrderState
    """How far it is."""
    cancel_source: CancelSource | None = wire("cancelSource", default=None)
    """Who cancelled it; None when nobody has."""
    stp_mode: SpotStpMode | None = wire("stpMode", aliases=("stpmode",), default=None)
    """Self-trade prevention; None for orders from before 2025-06."""
    price: Decimal | None = None
    """Limit price; None for a market order that has none."""
    price_avg: Decimal | None = wire("priceAvg", default=None)
    """Average price of the fills; 0 or None before the first."""
    size: Decimal | None = None
    """Base currency; None for a market buy that has none."""
    filled_size: Decimal = wire("filledSize")
    """Base currency."""
    notional: Decimal | None = None
    """Value in quote currency; None when the exchange leaves it blank."""
    filled_notional: Decimal = wire("filledNotional")
    """Value of the fills in quote currency."""
    create_time: Millis = wire("createTime")
    """When it was accepted."""
    update_time: Millis = wire("updateTime")
    """When it changed last."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)

    @classmethod
    def _shape_(cls, value: object) -> object:
        # Amounts of market orders have been seen blank; a blank fill is none.
        if not isinstance(value, dict):
            return value
        members = cast("dict[str, object]", value)
        blank = {name: "0" for name in ("filledSize", "filledNotional") if members.get(name) in (None, "")}
        return {**members, **blank} if blank else members

    def __attrs_post_init__(self) -> None:
        """Tell no client order id from one that was given: see `drop_echo`."""
        drop_echo(self)


@attrs.frozen(kw_only=True)
class SpotFill(Model):
    """One fill of the account's own order."""

    trade_id: str = wire("tradeId")
    """The exchange's id of the fill."""
    order_id: str = wire("orderId")
    """The order that was filled."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id of the order; None where none was given."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: SpotOrderMode = wire("orderMode")
    """Spot or isolated margin."""
    type: SpotOrderType
    """How the order executes."""
    stp_mode: SpotStpMode | None = wire("stpMode", aliases=("stpmode",), default=None)
    """Self-trade prevention; None for fills from before 2025-06."""
    price: Decimal
    """Quote currency."""
    size: Decimal
    """Base currency."""
    notional: Decimal
    """Quote currency."""
    fee: Decimal
    """In `fee_coin_name`."""
    fee_coin_name: str = wire("feeCoinName")
    """Currency of the fee."""
    trade_role: TradeRole = wire("tradeRole")
    """Whether the order took or made."""
    create_time: Millis = wire("createTime")
    """When it was filled."""
    update_time: Millis | None = wire("updateTime", default=None)
    """When the record changed last; None when the exchange leaves it out."""

    def __attrs_post_init__(self) -> None:
        """Tell no client order id from one that was given: see `drop_echo`."""
        drop_echo(self)


@attrs.frozen(kw_only=True)
class AlgoOrder(Model):
    """A plan, take-profit or stop-loss order.

    No official sample has been seen: the fields are those of one third-party SDK of 2026-09, without a trigger price.
    """

    order_id: str = wire("orderId")
    """The exchange's id."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id; None when there is none."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: AlgoOrderType = wire("orderMode")
    """What sets it off."""
    # Snake case amid camel case in the only source, so the other spelling is accepted too.
    trigger_type: AlgoTriggerType | None = wire(aliases=("triggerType",), default=None)
    """The order it sends; None when the exchange leaves it out."""
    state: SpotOrderState
    """How far it is."""
    cancel_source: CancelSource | None = wire("cancelSource", default=None)
    """Who cancelled it; None when nobody has."""
    price: Decimal | None = None
    """Price of the order it sends; None for a market order."""
    size: Decimal | None = None
    """Base currency; None for a market buy."""
    notional: Decimal | None = None
    """Quote currency; None when the exchange leaves it blank."""
    create_time: Millis = wire("createTime")
    """When it was accepted."""
    update_time: Millis = wire("updateTime")
    """When it changed last."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)
