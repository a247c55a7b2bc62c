"""Who owes what: positions, margin, and the ledger that every movement of futures money goes through.

The money of a user is in three places: free and held in the futures wallet (`Wallet`), and in the margin of open
positions. Whatever leaves these goes to the exchange's own account (``Ledger.house``, by currency and kind) and the
other way round, so that the sum of all users' money and the house's never changes; the house is the counterparty of
every position. A loss that exceeds what may be taken for it (the margin of an isolated position; for cross margin
everything free in that currency) is borne by the house under ``insurance``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from ..kernel.contracts import ZERO, Contract, Direction, OpenType, cut

if TYPE_CHECKING:
    from ..kernel.accounts import Account
    from .orders import Fill, Order, Plan

Flow: TypeAlias = Literal["transfer", "pnl", "funding", "fee", "clearance", "insurance"]
FLOW_TYPES: dict[Flow, tuple[int, str]] = {
    "transfer": (1, "Transfer"),
    "pnl": (2, "Realized PNL"),
    "funding": (3, "Funding Fee"),
    "fee": (4, "Commission Fee"),
    "clearance": (5, "Liquidation Clearance"),
    "insurance": (5, "Liquidation Clearance"),
}
KEPT = 10_000


@attrs.define(eq=False)
class Position:
    """One direction of one contract in one account; it stays, empty, after it was closed."""

    contract: Contract
    direction: Direction
    open_type: OpenType
    leverage: Decimal
    size: Decimal = ZERO
    cost: Decimal = ZERO
    """Value at entry of what is held, in the settlement currency."""
    margin: Decimal = ZERO
    realized: Decimal = ZERO
    """Profits of what was closed and fundings, less all fees."""
    closed_size: Decimal = ZERO
    closed_value: Decimal = ZERO
    opened_ms: int = 0
    updated_ms: int = 0

    @property
    def entry(self) -> Decimal:
        """The average price at which what is held was entered."""
        return self.contract.average(self.size, self.cost)

    @property
    def close_average(self) -> Decimal:
        """The average price of what was closed since the position was opened."""
        return self.contract.average(self.closed_size, self.closed_value)

    def value(self, price: Decimal) -> Decimal:
        """What the position is worth at a price."""
        return self.contract.value(self.size, price)

    def share(self, size: Decimal) -> tuple[Decimal, Decimal]:
        """The entry value and the margin of part of it; all that there is for the whole."""
        if size == self.size:
            return self.cost, self.margin
        return cut(self.cost * size / self.size), cut(self.margin * size / self.size)

    def profit(self, price: Decimal) -> Decimal:
        """The unrealised profit at a price."""
        return self.contract.profit(self.direction, self.cost, self.value(price))

    @property
    def maintenance(self) -> Decimal:
        """The margin below which it is liquidated: by its entry value."""
        return self.contract.maintenance(self.cost) if self.size else ZERO

    def liquidation_price(self, backing: Decimal) -> Decimal:
        """The price at which ``backing`` and unrealised profit are down to the maintenance margin; 0 for never."""
        if not self.size:
            return ZERO
        # What may be lost of the value at entry, and what the value is when it is lost.
        room = backing - self.maintenance
        below = self.cost - room if (self.direction == "long") != self.contract.inverse else self.cost + room
        if below <= 0:
            return ZERO
        worth = self.contract.contract_size * self.size
        return cut(worth / below if self.contract.inverse else below / worth)


@attrs.define
class Setting:
    """What an account has chosen for one contract."""

    leverage: Decimal = Decimal(10)
    open_type: OpenType = "cross"


@attrs.frozen
class Transaction:
    """One line of an account's futures ledger."""

    tran_id: str
    symbol: str
    flow: Flow
    amount: Decimal
    currency: str
    time_ms: int


@attrs.define(eq=False)
class Trader:
    """One account's futures side."""

    account: Account
    one_way: bool = False
    positions: dict[tuple[str, Direction], Position] = attrs.field(factory=dict)
    settings: dict[str, Setting] = attrs.field(factory=dict)
    orders: dict[str, Order] = attrs.field(factory=dict)
    """Live orders by id, oldest first."""
    finished: deque[Order] = attrs.Factory(lambda: deque(maxlen=KEPT))
    plans: dict[str, Plan] = attrs.field(factory=dict)
    """Waiting plan, TP/SL and trailing orders by id."""
    finished_plans: deque[Plan] = attrs.Factory(lambda: deque(maxlen=KEPT))
    client_ids: dict[str, str] = attrs.field(factory=dict)
    """Client order ids in use or used, with the order's id."""
    fills: deque[Fill] = attrs.Factory(lambda: deque(maxlen=KEPT))
    transactions: deque[Transaction] = attrs.Factory(lambda: deque(maxlen=KEPT))
    timers: dict[str, int] = attrs.field(factory=dict)
    """Contract -> when its orders are due to be cancelled, in exchange milliseconds."""

    def copied(self, account: Account) -> Trader:
        """The account's futures side as it is now; finished orders change no more and are themselves."""
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
        """The account's futures side as it is now, but only those orders, positions and entries that were there."""
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
        """What the account has chosen for a contract."""
        return self.settings.setdefault(symbol, Setting())

    def position(self, symbol: str, direction: Direction) -> Position | None:
        """An open position."""
        held = self.positions.get((symbol, direction))
        return held if held is not None and held.size else None

    def open_positions(self, currency: str | None = None) -> Iterator[Position]:
        """The open positions, of one settlement currency or of all."""
        return (
            held
            for held in self.positions.values()
            if held.size and (currency is None or held.contract.settle == currency)
        )

    def live(self, symbol: str) -> list[Order]:
        """The live ordinary orders on a contract, oldest first."""
        return [order for order in self.orders.values() if order.contract.symbol == symbol]

    def frozen_size(self, held: Position) -> Decimal:
        """Contracts of a position that live closing orders have spoken for."""
        return sum(
            (
                order.left
                for order in self.orders.values()
                if order.contract is held.contract and order.closing and order.direction == held.direction
            ),
            ZERO,
        )


class Ledger:
    """The movements of futures money."""

    def __init__(self) -> None:
        self.house: dict[tuple[str, Flow], Decimal] = {}
        """What the exchange has taken in (or, negative, paid out), by currency and kind."""
        self._tran_ids = 9_689_322_392

    def free(self, trader: Trader, currency: str, marks: dict[str, Decimal]) -> Decimal:
        """What may back new orders: the free balance, less any unrealised loss of the cross positions."""
        loss = sum(
            (
                held.profit(marks[held.contract.symbol])
                for held in trader.open_positions(currency)
                if held.open_type == "cross"
            ),
            ZERO,
        )
        return trader.account.futures.available(currency) + min(loss, ZERO)

    def backing(
        self, trader: Trader, currency: str, marks: dict[str, Decimal], without: Position | None = None
    ) -> Decimal:
        """What stands behind cross positions: balances, their margins, and the others' profit over maintenance."""
        wallet = trader.account.futures
        total = wallet.available(currency) + wallet.frozen(currency)
        for held in trader.open_positions(currency):
            if held.open_type == "cross":
                total += held.margin
                if held is not without:
                    mark = marks[held.contract.symbol]
                    total += held.profit(mark) - held.maintenance
        return total

    def book(self, trader: Trader, symbol: str, currency: str, amount: Decimal, flow: Flow, now_ms: int) -> None:
        """Give a user money (or, negative, take it as far as it goes; the house bears the rest)."""
        if not amount:
            return
        wallet = trader.account.futures
        if amount > 0:
            wallet.credit(currency, amount)
        else:
            taken = min(-amount, wallet.available(currency))
            if taken:
                wallet.debit(currency, taken)
            if taken < -amount:
                self._write(trader, symbol, currency, -amount - taken, "insurance", now_ms)
        self._write(trader, symbol, currency, amount, flow, now_ms)

    def book_margin(self, trader: Trader, held: Position, amount: Decimal, flow: Flow, now_ms: int) -> None:
        """The same, but out of and into the margin of a position."""
        if not amount:
            return
        paid = max(amount, -held.margin)
        held.margin += paid
        currency, symbol = held.contract.settle, held.contract.symbol
        if paid > amount:
            self._write(trader, symbol, currency, paid - amount, "insurance", now_ms)
        self._write(trader, symbol, currency, amount, flow, now_ms)

    def note_transfer(self, trader: Trader, currency: str, amount: Decimal, now_ms: int) -> None:
        """List a transfer that has already been carried out on the wallet."""
        trader.transactions.append(Transaction(self._next_id(), "", "transfer", amount, currency, now_ms))

    def total(self, trader: Trader, currency: str) -> Decimal:
        """All the futures money of a user in a currency, without unrealised profit."""
        wallet = trader.account.futures
        margins = sum((held.margin for held in trader.open_positions(currency)), ZERO)
        return wallet.available(currency) + wallet.frozen(currency) + margins

    def _write(self, trader: Trader, symbol: str, currency: str, amount: Decimal, flow: Flow, now_ms: int) -> None:
        key = (currency, flow)
        self.house[key] = self.house.get(key, ZERO) - amount
        trader.transactions.append(Transaction(self._next_id(), symbol, flow, amount, currency, now_ms))

    def _next_id(self) -> str:
        self._tran_ids += 1
        return str(self._tran_ids)
