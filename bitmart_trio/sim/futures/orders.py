"""What traders ask for: orders, conditional (plan, TP/SL, trailing) orders, and the fills they get; with REST forms."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from ..kernel.book import Side
from ..kernel.contracts import ZERO, Contract, Direction, OpenType, plain
from ..kernel.encoding import Json
from .positions import Position, Trader

OrderType: TypeAlias = Literal["limit", "market", "trailing", "liquidate"]
PlanKind: TypeAlias = Literal["plan", "take_profit", "stop_loss", "trailing"]

_OPPOSITE: dict[Direction, Direction] = {"long": "short", "short": "long"}
LIVE, DONE = 2, 4
GTC, FOK, IOC, MAKER_ONLY = 1, 2, 3, 4


@attrs.define
class Presets:
    """Take-profit and stop-loss prices attached to an opening order."""

    take_profit: Decimal | None = None
    take_profit_type: int = 1
    stop_loss: Decimal | None = None
    stop_loss_type: int = 1

    def rows(self) -> dict[str, Json]:
        """The four wire fields; 0 and blank for what is not set."""
        return {
            "preset_take_profit_price_type": 0 if self.take_profit is None else self.take_profit_type,
            "preset_stop_loss_price_type": 0 if self.stop_loss is None else self.stop_loss_type,
            "preset_take_profit_price": "" if self.take_profit is None else plain(self.take_profit),
            "preset_stop_loss_price": "" if self.stop_loss is None else plain(self.stop_loss),
        }


@attrs.frozen
class Fill:
    """One fill of one order."""

    trade_id: int
    order_id: str
    client_order_id: str
    symbol: str
    side: int
    price: Decimal
    size: Decimal
    maker: bool
    profit: Decimal
    closes: bool
    fee: Decimal
    currency: str
    time_ms: int

    def row(self) -> dict[str, Json]:
        """The form of the list of own trades."""
        return {
            "order_id": self.order_id,
            "trade_id": str(self.trade_id),
            "symbol": self.symbol,
            "side": self.side,
            "price": plain(self.price),
            "vol": plain(self.size),
            "exec_type": "Maker" if self.maker else "Taker",
            "profit": self.closes,
            "realised_profit": plain(self.profit),
            "paid_fees": plain(self.fee),
            "account": "futures",
            "create_time": self.time_ms,
        }


@attrs.define(eq=False)
class Order:
    """An order that trades or rests."""

    order_id: str
    client_order_id: str
    owner: Trader
    contract: Contract
    side: int
    """1 to 4 as on the wire: 1 and 2 buy, 3 and 4 sell; 2 and 3 only close."""
    type: OrderType
    price: Decimal | None
    size: Decimal
    leverage: Decimal
    open_type: OpenType
    created_ms: int
    mode: int = GTC
    stp_mode: int = 1
    presets: Presets = attrs.Factory(Presets)
    plan: Plan | None = None
    """The conditional order that made this one."""
    state: int = LIVE
    deal_size: Decimal = ZERO
    deal_value: Decimal = ZERO
    held: Decimal = ZERO
    """What of the wallet's frozen balance belongs to this order."""
    updated_ms: int = 0
    last_fill: Fill | None = None
    protective_price: Decimal | None = None
    """What a market order shows as its price."""

    @property
    def left(self) -> Decimal:
        """Contracts not filled."""
        return self.size - self.deal_size

    @property
    def book_side(self) -> Side:
        """Which side of the book it stands on."""
        return "buy" if self.side in (1, 2) else "sell"

    @property
    def closing(self) -> bool:
        """Whether it may only make a position smaller."""
        return self.side in (2, 3)

    @property
    def direction(self) -> Direction:
        """The position that it opens or closes (in one-way mode: beyond what it nets off)."""
        return "long" if self.side in (1, 3) else "short"

    def split(self, size: Decimal) -> tuple[Position | None, Decimal, Decimal]:
        """What ``size`` contracts of it would do now: the position they close, how many close, how many open."""
        if not self.closing and not self.owner.one_way:
            return None, ZERO, size
        direction = self.direction if self.closing else _OPPOSITE[self.direction]
        held = self.owner.position(self.contract.symbol, direction)
        closing = ZERO if held is None else min(size, held.size)
        return held, closing, size - closing

    @property
    def deal_average(self) -> Decimal:
        """The average price of its fills."""
        return self.contract.average(self.deal_size, self.deal_value)

    def row(self) -> dict[str, Json]:
        """The fields that all reads of orders have in common."""
        return {
            "order_id": self.order_id,
            "client_order_id": self.client_order_id,
            "price": plain(self.price or self.protective_price or ZERO),
            "size": plain(self.size),
            "symbol": self.contract.symbol,
            "state": self.state,
            "side": self.side,
            "type": self.type,
            "position_mode": mode_name(self.owner),
            "leverage": plain(self.leverage),
            "open_type": self.open_type,
            "deal_avg_price": plain(self.deal_average),
            "deal_size": plain(self.deal_size),
            "create_time": self.created_ms,
            "update_time": self.updated_ms,
        }

    def detail_row(self) -> dict[str, Json]:
        """The form of a look-up by id."""
        return {**self.row(), "account": "futures", **self._trail(), **self.presets.rows()}

    def history_row(self) -> dict[str, Json]:
        """The form of the order history."""
        return {
            **self.row(),
            "account": "futures",
            "trigger_price": "0",
            "execution_price": "0",
            **self._trail(),
            **self.presets.rows(),
        }

    def _trail(self) -> dict[str, Json]:
        trail = self.plan if self.plan is not None and self.plan.kind == "trailing" else None
        return {
            "activation_price_type": 0 if trail is None else trail.price_type,
            "activation_price": "0" if trail is None else plain(trail.trigger_price),
            "callback_rate": "0" if trail is None else plain(trail.callback_rate),
            "executive_order_id": "",
        }


@attrs.define(eq=False)
class Plan:
    """A conditional order: waits for a price, then sends an `Order`."""

    order_id: str
    client_order_id: str
    owner: Trader
    contract: Contract
    kind: PlanKind
    side: int
    type: Literal["limit", "market"]
    size: Decimal
    trigger_price: Decimal
    """The activation price of a trailing order."""
    executive_price: Decimal | None
    price_type: int
    price_way: int
    """1 fires (or activates) on the way up, 2 on the way down."""
    leverage: Decimal
    open_type: OpenType
    created_ms: int
    mode: int = GTC
    plan_category: int = 1
    presets: Presets = attrs.Factory(Presets)
    callback_rate: Decimal = ZERO
    extreme: Decimal | None = None
    """The best price since activation; None before it."""
    state: int = LIVE
    updated_ms: int = 0
    executive_order_id: str = ""

    @property
    def closing(self) -> bool:
        """Whether it may only make a position smaller."""
        return self.side in (2, 3)

    @property
    def direction(self) -> Direction:
        """The position that it opens or closes."""
        return "long" if self.side in (1, 3) else "short"

    def row(self) -> dict[str, Json]:
        """The form of the list of waiting plan orders."""
        return {
            "order_id": self.order_id,
            "client_order_id": self.client_order_id,
            "executive_price": plain(self.executive_price or ZERO),
            "trigger_price": plain(self.trigger_price),
            "size": plain(self.size),
            "symbol": self.contract.symbol,
            "state": self.state,
            "side": self.side,
            "mode": self.mode,
            "position_mode": mode_name(self.owner),
            "price_way": self.price_way,
            "price_type": self.price_type,
            "plan_category": self.plan_category,
            "type": self.kind,
            "leverage": plain(self.leverage),
            "open_type": self.open_type,
            "create_time": self.created_ms,
            "update_time": self.updated_ms,
            **self.presets.rows(),
        }

    def _order_fields(self, type_name: str) -> dict[str, Json]:
        return {
            "order_id": self.order_id,
            "client_order_id": self.client_order_id,
            "price": plain(self.executive_price or ZERO),
            "size": plain(self.size),
            "symbol": self.contract.symbol,
            "state": self.state,
            "side": self.side,
            "type": type_name,
            "position_mode": mode_name(self.owner),
            "leverage": plain(self.leverage),
            "open_type": self.open_type,
            "deal_avg_price": "0",
            "deal_size": "0",
            "create_time": self.created_ms,
            "update_time": self.updated_ms,
        }

    def trailing_row(self) -> dict[str, Json]:
        """The form in which trailing orders are listed among the open orders."""
        return {
            **self._order_fields("trailing"),
            "activation_price_type": self.price_type,
            "activation_price": plain(self.trigger_price),
            "callback_rate": plain(self.callback_rate),
            **self.presets.rows(),
        }

    def detail_row(self) -> dict[str, Json]:
        """The form of a look-up of a trailing order by id."""
        return {**self.trailing_row(), "account": "futures", "executive_order_id": self.executive_order_id}

    def history_row(self) -> dict[str, Json]:
        """The form of the order history, where finished conditional orders are listed too."""
        trailing = self.kind == "trailing"
        return {
            **self._order_fields("trailing" if trailing else "planorder"),
            "account": "futures",
            "trigger_price": "0" if trailing else plain(self.trigger_price),
            "execution_price": "Market" if self.executive_price is None else plain(self.executive_price),
            "activation_price_type": self.price_type if trailing else 0,
            "activation_price": plain(self.trigger_price) if trailing else "0",
            "callback_rate": plain(self.callback_rate) if trailing else "0",
            "executive_order_id": self.executive_order_id,
            **self.presets.rows(),
        }


def mode_name(trader: Trader) -> str:
    """The wire word for an account's position mode."""
    return "one_way_mode" if trader.one_way else "hedge_mode"
