"""Define futures orders of every kind, and the account's own fills."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, cast

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis, Seconds
from ._futures_enums import FuturesAccountType, FuturesOrderSide, OpenType, PositionMode
from ._model import Model


class FuturesOrderType(OpenStr):
    """The type of an order. Only limit and market orders can be submitted; the others occur in replies."""

    LIMIT = "limit"
    MARKET = "market"
    LIQUIDATE = "liquidate"
    """Forced liquidation."""
    BANKRUPTCY = "bankruptcy"
    """Takeover of a liquidated position at its bankruptcy price."""
    ADL = "adl"
    """Auto-deleveraging: closed against a liquidated trader."""
    TRAILING = "trailing"
    PLAN_ORDER = "planorder"
    """Made by a plan order; in the order history only."""


class FuturesOrderMode(OpenInt):
    """The time in force of an order, and whether it may take liquidity."""

    GTC = 1
    """Until it is filled or cancelled; the default."""
    FOK = 2
    """Filled completely at once, or not at all."""
    IOC = 3
    """Fills what it can at once; the rest is cancelled."""
    MAKER_ONLY = 4
    """Refused if it would take liquidity; limit orders only."""


class FuturesOrderState(OpenInt):
    """The state of an order."""

    APPROVAL = 1
    """Being checked, not in the order book yet."""
    CHECK = 2
    """Live, waiting to be filled."""
    FINISH = 4
    """Over: filled or cancelled. Compare ``deal_size`` with ``size``."""


class OrderStateFilter(OpenStr):
    """The kind of open orders to list."""

    ALL = "all"
    PARTIALLY_FILLED = "partially_filled"


class PlanOrderType(OpenStr):
    """The type of a plan order."""

    LIMIT = "limit"
    """Sends a limit order (when submitting)."""
    MARKET = "market"
    """Sends a market order (when submitting)."""
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    PLAN = "plan"
    """An ordinary plan order (in replies)."""


class PlanTypeFilter(OpenStr):
    """The kind of plan orders to list."""

    PLAN = "plan"
    """Ordinary plan orders."""
    PROFIT_LOSS = "profit_loss"
    """Take-profit and stop-loss orders."""


class PlanCategory(OpenInt):
    """The part of a position that a take-profit or stop-loss order closes."""

    TP_SL = 1
    """Part of the position."""
    POSITION_TP_SL = 2
    """The whole position; the default since 2024-10-10."""


class PriceType(OpenInt):
    """The price that is compared with the trigger."""

    UNSET = 0
    """None (in replies only)."""
    LAST_PRICE = 1
    FAIR_PRICE = 2
    """The mark price."""


class PriceWay(OpenInt):
    """The direction of the price that triggers."""

    LONG = 1
    """Up to the trigger price."""
    SHORT = 2
    """Down to the trigger price."""


class FuturesStpMode(OpenInt):
    """The action if an order would trade with one of the same account."""

    CANCEL_MAKER = 1
    """The default."""
    CANCEL_TAKER = 2
    CANCEL_BOTH = 3


class ExecType(OpenStr):
    """The role of a fill: maker or taker."""

    TAKER = "Taker"
    MAKER = "Maker"


@attrs.frozen(kw_only=True)
class FuturesOrder(Model):
    """An order in a detail, open orders or history reply; each of them fills other optional fields."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """The caller's id; None without one. Ids such as ``PLAN_3000097492004577`` come from the exchange."""
    price: Decimal
    """Quote currency; 0 for market orders."""
    size: Decimal
    """Contracts."""
    symbol: str
    """The contract."""
    state: FuturesOrderState
    """The state of the order."""
    side: FuturesOrderSide
    """The side of the order."""
    type: FuturesOrderType
    """The type of the order."""
    position_mode: PositionMode | None = None
    """The account's mode when it was placed; None if the reply omits it."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None among the open orders."""
    leverage: Decimal
    """Leverage of the position; 0 was seen on closing orders."""
    open_type: OpenType
    """Margin mode."""
    deal_avg_price: Decimal
    """Average price of the fills; 0 before the first."""
    deal_size: Decimal
    """Filled contracts."""
    create_time: Millis
    """The time when it was placed."""
    update_time: Millis
    """The time of its last change."""
    trigger_price: Decimal | None = None
    """Order history: trigger of the plan order behind it; 0 or None without one."""
    execution_price: str | None = None
    """Order history: price of the plan order behind it, or the word ``Market``; None without one."""
    activation_price: Decimal | None = None
    """Trailing orders: the price at which trailing begins; 0 or None for others."""
    callback_rate: Decimal | None = None
    """Trailing orders: distance in percent (1 is 1 %); 0 or None for others."""
    activation_price_type: PriceType | None = None
    """Trailing orders: the price that is followed; None if the reply omits it."""
    executive_order_id: str | None = None
    """The id of the order that a plan order sent; None without one."""
    preset_take_profit_price_type: PriceType | None = None
    """The price that triggers the attached take-profit; `PriceType.UNSET` or None without one."""
    preset_stop_loss_price_type: PriceType | None = None
    """The price that triggers the attached stop-loss; `PriceType.UNSET` or None without one."""
    preset_take_profit_price: Decimal | None = None
    """Attached take-profit; None without one."""
    preset_stop_loss_price: Decimal | None = None
    """Attached stop-loss; None without one."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


@attrs.frozen(kw_only=True)
class PlanOrder(Model):
    """A waiting plan, take-profit or stop-loss order."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """The caller's id; None without one."""
    executive_price: Decimal | None = None
    """Price of the order that it sends; 0 for a market order, None if blank."""
    trigger_price: Decimal
    """The price that triggers it."""
    size: Decimal
    """Contracts."""
    symbol: str
    """The contract."""
    state: FuturesOrderState
    """The state of the order."""
    side: FuturesOrderSide
    """The side of the order."""
    mode: FuturesOrderMode
    """Of the order that it sends."""
    position_mode: PositionMode | None = None
    """The account's mode when it was placed; None if the reply omits it."""
    price_way: PriceWay
    """The direction of the price that triggers."""
    price_type: PriceType
    """The price that is compared with the trigger."""
    plan_category: PlanCategory
    """Part of the position, or all of it."""
    type: PlanOrderType
    """The type of the order."""
    leverage: Decimal
    """Leverage of the position; 0 was seen on closing orders."""
    open_type: OpenType
    """Margin mode."""
    create_time: Millis
    """The time when it was placed."""
    update_time: Millis
    """The time of its last change."""
    preset_take_profit_price_type: PriceType | None = None
    """The price that triggers the attached take-profit; None without one."""
    preset_stop_loss_price_type: PriceType | None = None
    """The price that triggers the attached stop-loss; None without one."""
    preset_take_profit_price: Decimal | None = None
    """Attached take-profit; None without one."""
    preset_stop_loss_price: Decimal | None = None
    """Attached stop-loss; None without one."""

    @classmethod
    def _shape_(cls, value: object) -> object:
        # The state is a number in the documentation; the exchange's own agent reference of 2026-03 shows the word.
        if not isinstance(value, Mapping):
            return value
        members = cast("Mapping[str, object]", value)
        return {**members, "state": FuturesOrderState.CHECK.value} if members.get("state") == "active" else members


@attrs.frozen(kw_only=True)
class FuturesFill(Model):
    """A fill of one of the account's own orders."""

    order_id: str
    """The order."""
    trade_id: str
    """The fill."""
    symbol: str
    """The contract."""
    side: FuturesOrderSide
    """The side of the order."""
    price: Decimal
    """Quote currency."""
    vol: Decimal
    """Contracts."""
    exec_type: ExecType
    """Maker or taker."""
    profit: bool
    """True if the fill realised a profit or loss."""
    realised_profit: Decimal
    """The realised profit; negative for a loss."""
    paid_fees: Decimal
    """Fee of the fill."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None if the reply omits it."""
    create_time: Millis
    """When."""


@attrs.frozen
class FuturesOrderPlaced(Model):
    """An order that was accepted."""

    order_id: str
    """The exchange's id."""
    price: str
    """The price, or the words ``market price`` for market orders."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


@attrs.frozen
class FuturesOrderId(Model):
    """The id of an order that was accepted or changed."""

    order_id: str
    """The exchange's id."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


@attrs.frozen
class FuturesOrderIds(Model):
    """Both ids of an order that was accepted or changed."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """The caller's id; None without one."""

    _identity_: ClassVar[tuple[str, ...]] = ("order_id",)


@attrs.frozen
class CancelAllAfterResult(Model):
    """The result of setting a dead man's switch."""

    result: bool
    """True if it was set; treat False as a failure."""
    set_time: Seconds
    """The time when it was set, in seconds, by the exchange's clock."""
    cancel_time: Seconds
    """The earliest time when it fires, in seconds."""
