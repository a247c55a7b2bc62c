"""Futures orders of every kind, and the account's own fills."""

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
    """What an order is. Only limit and market orders can be submitted; the others are seen in replies."""

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
    """How long an order waits and whether it may take."""

    GTC = 1
    """Until it is filled or cancelled; the default."""
    FOK = 2
    """All at once or not at all."""
    IOC = 3
    """What can be filled at once; the rest is dropped."""
    MAKER_ONLY = 4
    """Refused if it would take liquidity; limit orders only."""


class FuturesOrderState(OpenInt):
    """How far an order is."""

    APPROVAL = 1
    """Being checked, not in the book yet."""
    CHECK = 2
    """Live, waiting to be filled."""
    FINISH = 4
    """Over: filled or cancelled. Compare ``deal_size`` with ``size``."""


class OrderStateFilter(OpenStr):
    """Which open orders to list."""

    ALL = "all"
    PARTIALLY_FILLED = "partially_filled"


class PlanOrderType(OpenStr):
    """What a plan order is."""

    LIMIT = "limit"
    """Sends a limit order (when submitting)."""
    MARKET = "market"
    """Sends a market order (when submitting)."""
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    PLAN = "plan"
    """An ordinary plan order (in replies)."""


class PlanTypeFilter(OpenStr):
    """Which plan orders to list."""

    PLAN = "plan"
    """Ordinary plan orders."""
    PROFIT_LOSS = "profit_loss"
    """Take-profit and stop-loss orders."""


class PlanCategory(OpenInt):
    """What a take-profit or stop-loss order closes."""

    TP_SL = 1
    """Part of the position."""
    POSITION_TP_SL = 2
    """The whole position; the default since 2024-10-10."""


class PriceType(OpenInt):
    """Which price is watched."""

    UNSET = 0
    """None (in replies only)."""
    LAST_PRICE = 1
    FAIR_PRICE = 2
    """The mark price."""


class PriceWay(OpenInt):
    """Which way the price must go to fire."""

    LONG = 1
    """Up to the trigger price."""
    SHORT = 2
    """Down to the trigger price."""


class FuturesStpMode(OpenInt):
    """What happens when an order would trade with one of the same account."""

    CANCEL_MAKER = 1
    """The default."""
    CANCEL_TAKER = 2
    CANCEL_BOTH = 3


class ExecType(OpenStr):
    """Role of a fill."""

    TAKER = "Taker"
    MAKER = "Maker"


@attrs.frozen(kw_only=True)
class FuturesOrder(Model):
    """An order, as detail, open order or history lists it; each fills another subset of the optional fields."""

    order_id: str
    """The exchange's id."""
    client_order_id: str | None = None
    """The caller's id; None without one. Ids such as ``PLAN_3000097492004577`` are the exchange's own."""
    price: Decimal
    """Quote currency; 0 for market orders."""
    size: Decimal
    """Contracts."""
    symbol: str
    """The contract."""
    state: FuturesOrderState
    """How far it is."""
    side: FuturesOrderSide
    """Which way."""
    type: FuturesOrderType
    """What it is."""
    position_mode: PositionMode | None = None
    """The account's mode when it was placed; None when the reply leaves it out."""
    account: FuturesAccountType | None = None
    """Which futures account; None among the open orders."""
    leverage: Decimal
    """Leverage of the position; 0 was seen on closing orders."""
    open_type: OpenType
    """Margin mode."""
    deal_avg_price: Decimal
    """Average price of what is filled; 0 while nothing is."""
    deal_size: Decimal
    """Filled contracts."""
    create_time: Millis
    """When it was placed."""
    update_time: Millis
    """When it last changed."""
    trigger_price: Decimal | None = None
    """Order history: trigger of the plan order behind it; 0 or None without one."""
    execution_price: str | None = None
    """Order history: price of the plan order behind it, or the word ``Market``; None without one."""
    activation_price: Decimal | None = None
    """Trailing orders: where trailing begins; 0 or None for others."""
    callback_rate: Decimal | None = None
    """Trailing orders: distance in percent (1 is 1 %); 0 or None for others."""
    activation_price_type: PriceType | None = None
    """Trailing orders: which price is watched; None when the reply leaves it out."""
    executive_order_id: str | None = None
    """Order that a plan order has made; None without one."""
    preset_take_profit_price_type: PriceType | None = None
    """Which price fires the attached take-profit; `PriceType.UNSET` or None without one."""
    preset_stop_loss_price_type: PriceType | None = None
    """Which price fires the attached stop-loss; `PriceType.UNSET` or None without one."""
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
    """Price of the order that is sent on the trigger; 0 for a market order, None when blank."""
    trigger_price: Decimal
    """Price that fires it."""
    size: Decimal
    """Contracts."""
    symbol: str
    """The contract."""
    state: FuturesOrderState
    """How far it is."""
    side: FuturesOrderSide
    """Which way."""
    mode: FuturesOrderMode
    """Of the order that is sent."""
    position_mode: PositionMode | None = None
    """The account's mode when it was placed; None when the reply leaves it out."""
    price_way: PriceWay
    """Which way the price must go to fire."""
    price_type: PriceType
    """Which price is watched."""
    plan_category: PlanCategory
    """Part of the position or all of it."""
    type: PlanOrderType
    """What it is."""
    leverage: Decimal
    """Leverage of the position; 0 was seen on closing orders."""
    open_type: OpenType
    """Margin mode."""
    create_time: Millis
    """When it was placed."""
    update_time: Millis
    """When it last changed."""
    preset_take_profit_price_type: PriceType | None = None
    """Which price fires the attached take-profit; None without one."""
    preset_stop_loss_price_type: PriceType | None = None
    """Which price fires the attached stop-loss; None without one."""
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
    """One fill of one of the account's own orders."""

    order_id: str
    """The order."""
    trade_id: str
    """The fill."""
    symbol: str
    """The contract."""
    side: FuturesOrderSide
    """Which way."""
    price: Decimal
    """Quote currency."""
    vol: Decimal
    """Contracts."""
    exec_type: ExecType
    """Maker or taker."""
    profit: bool
    """Whether the fill realised a profit or loss."""
    realised_profit: Decimal
    """What it realised; negative for a loss."""
    paid_fees: Decimal
    """Fee of the fill."""
    account: FuturesAccountType | None = None
    """Which futures account; None when the reply leaves it out."""
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
    """A dead man's switch that was set."""

    result: bool
    """Whether the setting took; treat False as a failure."""
    set_time: Seconds
    """When it was set, in seconds, by the exchange's clock."""
    cancel_time: Seconds
    """When it fires first, in seconds."""
