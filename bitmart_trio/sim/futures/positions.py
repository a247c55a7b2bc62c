"""Positions: their size, entry value and backing; and the entries of a ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from ..kernel.contracts import ZERO, Direction, OpenType, Terms, cut
from ..models.margin import MarginModel, Tiers

Flow: TypeAlias = Literal["transfer", "pnl", "funding", "fee", "clearance", "insurance"]


@attrs.define(eq=False)
class Position:
    """One direction of one contract in one account; the object stays, empty, after the position is closed."""

    contract: Terms
    direction: Direction
    open_type: OpenType
    leverage: Decimal
    size: Decimal = ZERO
    cost: Decimal = ZERO
    """The entry value of the open contracts, in the settlement currency."""
    margin: Decimal = ZERO
    realized: Decimal = ZERO
    """The profits of closed contracts and the fundings, less all fees."""
    closed_size: Decimal = ZERO
    closed_value: Decimal = ZERO
    opened_ms: int = 0
    updated_ms: int = 0
    needs: MarginModel = attrs.Factory(Tiers)
    """The margin model of the position."""

    @property
    def entry(self) -> Decimal:
        """Return the average entry price of the open contracts."""
        return self.contract.average(self.size, self.cost)

    @property
    def close_average(self) -> Decimal:
        """Return the average price of the contracts closed since the position was opened."""
        return self.contract.average(self.closed_size, self.closed_value)

    def value(self, price: Decimal) -> Decimal:
        """Return the value of the position at a price."""
        return self.contract.value(self.size, price)

    def share(self, size: Decimal) -> tuple[Decimal, Decimal]:
        """Return the entry value and the margin of part of the position; all of both for the whole."""
        if size == self.size:
            return self.cost, self.margin
        return cut(self.cost * size / self.size), cut(self.margin * size / self.size)

    def profit(self, price: Decimal) -> Decimal:
        """Return the unrealised profit at a price."""
        return self.contract.profit(self.direction, self.cost, self.value(price))

    @property
    def maintenance(self) -> Decimal:
        """Return the margin below which the position is liquidated, by its entry value."""
        return self.needs.maintenance(self.contract, self.cost) if self.size else ZERO

    def liquidation_price(self, backing: Decimal) -> Decimal:
        """Return the price at which ``backing`` and unrealised profit equal the maintenance margin; 0 for never."""
        if not self.size:
            return ZERO
        # The part of the entry value that may be lost, and the value after that loss.
        room = backing - self.maintenance
        below = self.cost - room if (self.direction == "long") != self.contract.inverse else self.cost + room
        if below <= 0:
            return ZERO
        worth = self.contract.contract_size * self.size
        return cut(worth / below if self.contract.inverse else below / worth)


@attrs.frozen
class Transaction:
    """One entry of an account's futures ledger."""

    tran_id: str
    symbol: str
    flow: Flow
    amount: Decimal
    currency: str
    time_ms: int
