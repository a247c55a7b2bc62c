"""Orders, conditional (plan, TP/SL, trailing) orders, and their fills."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from ..kernel.accounts import Account
from ..kernel.book import Side
from ..kernel.contracts import ZERO, Direction, OpenType, Terms
from ..models.fees import FuturesRates, OfValue
from .positions import Position, Transaction

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


@attrs.define(eq=False)
class Order:
    """An order that trades or rests."""

    order_id: str
    client_order_id: str
    owner: Trader
    contract: Terms
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
    """The conditional order that sent this one."""
    state: int = LIVE
    deal_size: Decimal = ZERO
    deal_value: Decimal = ZERO
    held: Decimal = ZERO
    """The part of the wallet's frozen balance that belongs to this order."""
    updated_ms: int = 0
    last_fill: Fill | None = None
    protective_price: Decimal | None = None
    """The price that a market order shows."""
    rates: FuturesRates = attrs.Factory(OfValue)
    """The fee rates of the order's fills, fixed on acceptance."""

    @property
    def left(self) -> Decimal:
        """Return the number of unfilled contracts."""
        return self.size - self.deal_size

    @property
    def book_side(self) -> Side:
        """Return the side of the book on which the order rests."""
        return "buy" if self.side in (1, 2) else "sell"

    @property
    def closing(self) -> bool:
        """Return True if the order may only reduce a position."""
        return self.side in (2, 3)

    @property
    def direction(self) -> Direction:
        """Return the position that the order opens or closes (in one-way mode: beyond the part that it nets off)."""
        return "long" if self.side in (1, 3) else "short"

    def split(self, size: Decimal) -> tuple[Position | None, Decimal, Decimal]:
        """Return the position that ``size`` contracts would close now, and how many would close and open."""
        if not self.closing and not self.owner.one_way:
            return None, ZERO, size
        direction = self.direction if self.closing else _OPPOSITE[self.direction]
        held = self.owner.position(self.contract.symbol, direction)
        closing = ZERO if held is None else min(size, held.size)
        return held, closing, size - closing

    @property
    def deal_average(self) -> Decimal:
        """Return the average price of the order's fills."""
        return self.contract.average(self.deal_size, self.deal_value)


@attrs.define(eq=False)
class Plan:
    """A conditional order, which waits for a price, then sends an `Order`."""

    order_id: str
    client_order_id: str
    owner: Trader
    contract: Terms
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
        """Return True if the order may only reduce a position."""
        return self.side in (2, 3)

    @property
    def direction(self) -> Direction:
        """Return the position that the order opens or closes."""
        return "long" if self.side in (1, 3) else "short"


KEPT = 10_000


@attrs.define
class Setting:
    """An account's settings for one contract."""

    leverage: Decimal = Decimal(10)
    open_type: OpenType = "cross"


@attrs.define(eq=False)
class Trader:
    """One account's futures side."""

    account: Account
    one_way: bool = False
    positions: dict[tuple[str, Direction], Position] = attrs.field(factory=dict)
    settings: dict[str, Setting] = attrs.field(factory=dict)
    orders: dict[str, Order] = attrs.field(factory=dict)
    """The live orders by id, oldest first."""
    finished: deque[Order] = attrs.Factory(lambda: deque(maxlen=KEPT))
    plans: dict[str, Plan] = attrs.field(factory=dict)
    """Waiting plan, TP/SL and trailing orders by id."""
    finished_plans: deque[Plan] = attrs.Factory(lambda: deque(maxlen=KEPT))
    client_ids: dict[str, str] = attrs.field(factory=dict)
    """The client order ids ever used, with the order's id."""
    fills: deque[Fill] = attrs.Factory(lambda: deque(maxlen=KEPT))
    transactions: deque[Transaction] = attrs.Factory(lambda: deque(maxlen=KEPT))
    timers: dict[str, int] = attrs.field(factory=dict)
    """Contract -> the time when its orders are due to be cancelled, in exchange milliseconds."""

    def copied(self, account: Account) -> Trader:
        """Return a copy of the futures side; finished orders, which never change, are not copied."""
        return attrs.evolve(
            self,
            account=account,
            positions={key: attrs.evolve(held) for key, held in self.positions.items()},
            orders={order_id: attrs.evolve(order) for order_id, order in self.orders.items()},
            finished=self.finished.copy(),
            plans={order_id: attrs.evolve(plan) for order_id, plan in self.plans.items()},
            finished_plans=self.finished_plans.copy(),
            fills=self.fills.copy(),
            transactions=self.transactions.copy(),
        )

    def without_what_is_newer_than(self, then: Trader) -> Trader:
        """Return a copy of the futures side with only those orders, positions and entries that existed."""
        known = {*then.orders, *then.plans}
        known.update(done.order_id for done in then.finished)
        known.update(done.order_id for done in then.finished_plans)
        fills, entries = {fill.trade_id for fill in then.fills}, {entry.tran_id for entry in then.transactions}
        return attrs.evolve(
            self,
            positions={
                key: held for key, held in self.positions.items() if key in then.positions and then.positions[key].size
            },
            orders={order_id: order for order_id, order in self.orders.items() if order_id in known},
            finished=deque(done for done in self.finished if done.order_id in known),
            plans={order_id: plan for order_id, plan in self.plans.items() if order_id in known},
            finished_plans=deque(done for done in self.finished_plans if done.order_id in known),
            fills=deque(fill for fill in self.fills if fill.trade_id in fills),
            transactions=deque(entry for entry in self.transactions if entry.tran_id in entries),
        )

    def setting(self, symbol: str) -> Setting:
        """Return the account's settings for a contract."""
        return self.settings.setdefault(symbol, Setting())

    def position(self, symbol: str, direction: Direction) -> Position | None:
        """Return an open position, if any."""
        held = self.positions.get((symbol, direction))
        return held if held is not None and held.size else None

    def open_positions(self, currency: str | None = None) -> Iterator[Position]:
        """Return the open positions, of one settlement currency or of all."""
        return (
            held
            for held in self.positions.values()
            if held.size and (currency is None or held.contract.settle == currency)
        )

    def terms_in_use(self, contract: Terms) -> list[tuple[Decimal, OpenType]]:
        """Return leverage and margin mode of the positions and live opening orders on a contract; new ones must fit."""
        held: list[tuple[Decimal, OpenType]] = [
            (each.leverage, each.open_type) for each in self.open_positions() if each.contract is contract
        ]
        opening: list[tuple[Decimal, OpenType]] = [
            (each.leverage, each.open_type) for each in self.live(contract.symbol) if not each.closing
        ]
        return held + opening

    def live(self, symbol: str) -> list[Order]:
        """Return the live ordinary orders on a contract, oldest first."""
        return [order for order in self.orders.values() if order.contract.symbol == symbol]

    def frozen_size(self, held: Position) -> Decimal:
        """Return the number of contracts of a position that live closing orders reserve."""
        return sum(
            (
                order.left
                for order in self.orders.values()
                if order.contract is held.contract and order.closing and order.direction == held.direction
            ),
            ZERO,
        )
