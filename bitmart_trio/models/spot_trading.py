"""Define spot orders, fills and algo orders, and the entries of order batches."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, TypeAlias, cast

import attrs

from ._enums import OpenStr, OrderSide
from ._fields import Millis, drop_echo, wire
from ._model import Model

_Amount: TypeAlias = Decimal | int | str


class SpotOrderType(OpenStr):
    """The type of a spot order."""

    LIMIT = "limit"
    """Rests at its price until it fills or is cancelled."""
    MARKET = "market"
    """Trades with the book at once."""
    LIMIT_MAKER = "limit_maker"
    """Never takes: the exchange cancels it, without an error, if it would."""
    IOC = "ioc"
    """Fills what it can at its price at once; the rest is cancelled."""


class SpotOrderState(OpenStr):
    """The state of a spot order."""

    NEW = "new"
    """Accepted, nothing filled."""
    PARTIALLY_FILLED = "partially_filled"
    """Still open."""
    FILLED = "filled"
    CANCELED = "canceled"
    """Cancelled, nothing filled."""
    PARTIALLY_CANCELED = "partially_canceled"
    """Cancelled after it was partly filled."""
    FAILED = "failed"
    """Not accepted."""

    @property
    def is_final(self) -> bool:
        """Return True if the order is over. An unknown state does not end an order."""
        return self.is_known and self not in (SpotOrderState.NEW, SpotOrderState.PARTIALLY_FILLED)


class CancelSource(OpenStr):
    """The party that cancelled an order."""

    USER = "user"
    SYSTEM = "system"
    STP = "stp"
    """Self-trade prevention."""


class SpotStpMode(OpenStr):
    """The order to cancel if two of one account would trade with each other."""

    NONE = "none"
    """Neither is cancelled: they trade."""
    CANCEL_MAKER = "cancel_maker"
    """The resting order is cancelled."""
    CANCEL_TAKER = "cancel_taker"
    """The incoming order is cancelled."""
    CANCEL_BOTH = "cancel_both"


class SpotOrderMode(OpenStr):
    """The account that an order uses."""

    SPOT = "spot"
    ISO_MARGIN = "iso_margin"
    """Isolated margin."""


class QueryState(OpenStr):
    """The orders to search: open or finished."""

    OPEN = "open"
    """Among new and partially filled orders."""
    HISTORY = "history"
    """Among finished orders."""


class TradeRole(OpenStr):
    """The role of an order in a trade."""

    TAKER = "taker"
    MAKER = "maker"


class AlgoOrderType(OpenStr):
    """The trigger of an algo order."""

    TRIGGER = "trigger"
    """A price is reached: a plan order."""
    TP_SL = "tp/sl"
    """Take profit or stop loss, one way."""


class AlgoTriggerType(OpenStr):
    """The type of order that an algo order sends when it triggers."""

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
    """The result of a cancellation."""

    result: bool
    """False: the order had already been filled or cancelled."""

    _identity_: ClassVar[tuple[str, ...]] = ("result",)

    @classmethod
    def _shape_(cls, value: object) -> object:
        # Another client recorded the bare boolean.
        return {"result": value} if isinstance(value, bool) else value


@attrs.frozen(kw_only=True)
class BatchOrderParam(Model):
    """An order of a batch on one pair, for ``submit_orders``."""

    side: OrderSide | str
    """Buy or sell."""
    type: SpotOrderType | str
    """The type of the order."""
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
    """The result of a batch of cancellations."""

    success_ids: list[str] = wire("successIds")
    """The cancelled orders; client order ids if those were given."""
    fail_ids: list[str] = wire("failIds")
    """The orders that were not cancelled: filled, cancelled before or unknown."""
    total_count: int = wire("totalCount")
    """The number of requested cancellations."""
    success_count: int = wire("successCount")
    """The number of cancelled orders."""
    failed_count: int = wire("failedCount")
    """The number of orders that were not cancelled."""


@attrs.frozen(kw_only=True)
class BatchOrderParamV2(Model):
    """An order of a batch of the retired version 2, where each order names its pair."""

    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide | str
    """Buy or sell."""
    type: SpotOrderType | str
    """The type of the order."""
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
    """The result of one order of a version 2 batch."""

    code: int
    """0 if it was accepted."""
    msg: str
    """The exchange's text."""
    data: OrderPlaced | None = None
    """The exchange's id; None if it was refused."""


@attrs.frozen(kw_only=True)
class SpotOrder(Model):
    """A spot or isolated-margin order."""

    order_id: str = wire("orderId")
    """The exchange's id."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id; None if none was given (the exchange then repeats the order id)."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: SpotOrderMode = wire("orderMode")
    """Spot or isolated margin."""
    type: SpotOrderType
    """The type of the order."""
    state: SpotOrderState
    """The state of the order."""
    cancel_source: CancelSource | None = wire("cancelSource", default=None)
    """The party that cancelled it; None if nobody did."""
    stp_mode: SpotStpMode | None = wire("stpMode", aliases=("stpmode",), default=None)
    """Self-trade prevention; None for orders before 2025-06."""
    price: Decimal | None = None
    """Limit price; None for a market order without one."""
    price_avg: Decimal | None = wire("priceAvg", default=None)
    """Average price of the fills; 0 or None before the first."""
    size: Decimal | None = None
    """Base currency; None for a market buy without one."""
    filled_size: Decimal = wire("filledSize")
    """Base currency."""
    notional: Decimal | None = None
    """Value in quote currency; None if the exchange leaves it blank."""
    filled_notional: Decimal = wire("filledNotional")
    """Value of the fills in quote currency."""
    create_time: Millis = wire("createTime")
    """The time when it was accepted."""
    update_time: Millis = wire("updateTime")
    """The time of its last change."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)

    @classmethod
    def _shape_(cls, value: object) -> object:
        # Amounts of market orders have been seen blank; a blank fill means no fill.
        if not isinstance(value, dict):
            return value
        members = cast("dict[str, object]", value)
        blank = {name: "0" for name in ("filledSize", "filledNotional") if members.get(name) in (None, "")}
        return {**members, **blank} if blank else members

    def __attrs_post_init__(self) -> None:
        """Remove a client order id that only repeats the exchange's id; see `drop_echo`."""
        drop_echo(self)


@attrs.frozen(kw_only=True)
class SpotFill(Model):
    """A fill of one of the account's own orders."""

    trade_id: str = wire("tradeId")
    """The exchange's id of the fill."""
    order_id: str = wire("orderId")
    """The order that was filled."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id of the order; None if none was given."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: SpotOrderMode = wire("orderMode")
    """Spot or isolated margin."""
    type: SpotOrderType
    """The type of the order."""
    stp_mode: SpotStpMode | None = wire("stpMode", aliases=("stpmode",), default=None)
    """Self-trade prevention; None for fills before 2025-06."""
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
    """The role of the order: taker or maker."""
    create_time: Millis = wire("createTime")
    """The time of the fill."""
    update_time: Millis | None = wire("updateTime", default=None)
    """The time of the record's last change; None if the exchange omits it."""

    def __attrs_post_init__(self) -> None:
        """Remove a client order id that only repeats the exchange's id; see `drop_echo`."""
        drop_echo(self)


@attrs.frozen(kw_only=True)
class AlgoOrder(Model):
    """A plan, take-profit or stop-loss order.

    No official sample has been seen: the fields are those of one third-party SDK of 2026-09, without a trigger price.
    """

    order_id: str = wire("orderId")
    """The exchange's id."""
    client_order_id: str | None = wire("clientOrderId", default=None)
    """The caller's id; None if there is none."""
    symbol: str
    """Such as BTC_USDT."""
    side: OrderSide
    """Buy or sell."""
    order_mode: AlgoOrderType = wire("orderMode")
    """The trigger of the order."""
    # The only source has snake case amid camel case, so the other spelling is accepted too.
    trigger_type: AlgoTriggerType | None = wire(aliases=("triggerType",), default=None)
    """The type of order it sends; None if the exchange omits it."""
    state: SpotOrderState
    """The state of the order."""
    cancel_source: CancelSource | None = wire("cancelSource", default=None)
    """The party that cancelled it; None if nobody did."""
    price: Decimal | None = None
    """Price of the order it sends; None for a market order."""
    size: Decimal | None = None
    """Base currency; None for a market buy."""
    notional: Decimal | None = None
    """Quote currency; None if the exchange leaves it blank."""
    create_time: Millis = wire("createTime")
    """The time when it was accepted."""
    update_time: Millis = wire("updateTime")
    """The time of its last change."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)
