"""Record every movement of futures money: users' balances, and the exchange's own account on the other side.

A user's money is in three places: free and held in the futures wallet (`Wallet`), and in the margin of open positions.
Money that leaves these goes to the exchange's own account (``Ledger.house``, by currency and kind), and the reverse, so
that the sum of all users' money and the house's never changes; the house is the counterparty of every position. A loss
that exceeds the money available for it (the margin of an isolated position; for cross margin everything free in that
currency) is borne by the house under ``insurance``.
"""

from __future__ import annotations

from decimal import Decimal

from ..kernel.contracts import ZERO
from .orders import Trader
from .positions import Flow, Position, Transaction


class Ledger:
    """The movements of futures money."""

    def __init__(self) -> None:
        self.house: dict[tuple[str, Flow], Decimal] = {}
        """The exchange's income (negative: payments), by currency and kind."""
        self._tran_ids = 9_689_322_392

    def free(self, trader: Trader, currency: str, marks: dict[str, Decimal]) -> Decimal:
        """Return the money for new orders: the free balance, less any unrealised loss of the cross positions."""
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
        """Return the backing of cross positions: balances, their margins, and the others' profit over maintenance."""
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
        """Give a user money (or, if negative, take it as far as possible; the house bears the rest)."""
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
        """Give or take money like `book`, but in the margin of a position."""
        if not amount:
            return
        paid = max(amount, -held.margin)
        held.margin += paid
        currency, symbol = held.contract.settle, held.contract.symbol
        if paid > amount:
            self._write(trader, symbol, currency, paid - amount, "insurance", now_ms)
        self._write(trader, symbol, currency, amount, flow, now_ms)

    def note_transfer(self, trader: Trader, currency: str, amount: Decimal, now_ms: int) -> None:
        """Record a transfer that has already been made on the wallet."""
        trader.transactions.append(Transaction(self._next_id(), "", "transfer", amount, currency, now_ms))

    def total(self, trader: Trader, currency: str) -> Decimal:
        """Return all futures money of a user in a currency, without unrealised profit."""
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
