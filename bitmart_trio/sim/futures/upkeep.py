"""The effects of time on positions: funding, cancel-all-after timers and liquidation.

Liquidation is simpler than the real one. Positions are checked after every tick, at the mark price, and are closed as a
whole, against the exchange itself at that price: no partial reduction, no auction, no auto-deleveraging. An isolated
position whose margin plus unrealised profit is down to its maintenance margin loses its margin. When the cross
positions of a currency together reach that point, all orders of that currency are cancelled, all its cross positions
are closed at the mark price, and their maintenance margin, as far as there is money, is taken as the clearance fee. The
house bears what a user cannot pay.
"""

from __future__ import annotations

from decimal import Decimal

from ..kernel.contracts import ZERO, cut
from .engine import BANKRUPT, CANCELLED_BY_LIQUIDATION, Engine
from .listing import Listing
from .orders import DONE, Fill, Order, Trader
from .positions import Position


class Upkeep:
    """Maintains the positions of all accounts, tick by tick."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def fund(self, listing: Listing, rate: Decimal, settled_ms: int) -> None:
        """Settle one funding: with a positive rate longs pay and shorts receive, by the value at the mark price."""
        for trader in self._engine.traders.values():
            for held in [p for p in trader.open_positions() if p.contract is listing.contract]:
                amount = cut(held.value(listing.mark) * rate) * (-1 if held.direction == "long" else 1)
                held.realized += amount
                currency = held.contract.settle
                # Cross positions pay from the wallet first, then, like isolated ones, from their margin.
                free = trader.account.futures.available(currency)
                by_wallet = max(amount, -free) if held.open_type == "cross" else ZERO
                self._engine.ledger.book(trader, held.contract.symbol, currency, by_wallet, "funding", settled_ms)
                self._engine.ledger.book_margin(trader, held, amount - by_wallet, "funding", settled_ms)
                self._engine.watcher.asset_changed(trader, currency)
                self._engine.watcher.position_changed(trader, held.contract)

    def expire(self) -> None:
        """Carry out the cancel-all-after timers that are due."""
        now = self._engine.now()
        for trader in self._engine.traders.values():
            for symbol in [symbol for symbol, due in trader.timers.items() if due <= now]:
                del trader.timers[symbol]
                for order in trader.live(symbol):
                    self._engine.cancel(order)

    def liquidate(self) -> None:
        """Liquidate positions whose backing is too low, as described above."""
        marks = self._engine.marks
        for trader in self._engine.traders.values():
            for held in list(trader.open_positions()):
                if held.open_type == "isolated":
                    mark = marks[held.contract.symbol]
                    if held.margin + held.profit(mark) <= held.maintenance:
                        self._liquidate_isolated(trader, held, mark)
            currencies = dict.fromkeys(p.contract.settle for p in trader.open_positions() if p.open_type == "cross")
            for currency in currencies:
                if self._engine.ledger.backing(trader, currency, marks) <= 0:
                    self._liquidate_cross(trader, currency, marks)

    def _liquidate_isolated(self, trader: Trader, held: Position, mark: Decimal) -> None:
        now = self._engine.now()
        for order in self._engine.closing_orders(trader, held):
            self._engine.cancel(order, CANCELLED_BY_LIQUIDATION)
        profit = held.profit(mark)
        self._engine.ledger.book_margin(trader, held, profit, "pnl", now)
        self._engine.ledger.book_margin(trader, held, -held.margin, "clearance", now)
        self._empty(trader, held, mark, profit)

    def _liquidate_cross(self, trader: Trader, currency: str, marks: dict[str, Decimal]) -> None:
        now = self._engine.now()
        for order in [o for o in trader.orders.values() if o.contract.settle == currency]:
            self._engine.cancel(order, CANCELLED_BY_LIQUIDATION)
        doomed = [held for held in trader.open_positions(currency) if held.open_type == "cross"]
        clearance = ZERO
        for held in doomed:
            trader.account.futures.credit(currency, held.margin)
            held.margin = ZERO
            clearance += held.maintenance
        # Positions with a profit first, so that the house does not bear a loss that another position's profit can pay.
        for held in sorted(doomed, key=lambda held: -held.profit(marks[held.contract.symbol])):
            mark = marks[held.contract.symbol]
            profit = held.profit(mark)
            self._engine.ledger.book(trader, held.contract.symbol, currency, profit, "pnl", now)
            self._empty(trader, held, mark, profit)
        clearance = min(clearance, trader.account.futures.available(currency))
        self._engine.ledger.book(trader, "", currency, -clearance, "clearance", now)
        self._engine.watcher.asset_changed(trader, currency)

    def _empty(self, trader: Trader, held: Position, mark: Decimal, profit: Decimal) -> None:
        """Remove a liquidated position, and record its order and fill."""
        now, contract, size = self._engine.now(), held.contract, held.size
        order = Order(
            self._engine.new_id(),
            "",
            trader,
            contract,
            3 if held.direction == "long" else 2,
            "liquidate",
            mark,
            size,
            held.leverage,
            held.open_type,
            now,
        )
        order.deal_size, order.deal_value, order.updated_ms = size, contract.value(size, mark), now
        held.closed_size += size
        held.closed_value += order.deal_value
        held.realized += profit
        held.size = held.cost = ZERO
        held.updated_ms = now
        self._engine.listings[contract.symbol].user_interest -= size
        order.last_fill = Fill(
            int(order.order_id),
            order.order_id,
            "",
            contract.symbol,
            order.side,
            mark,
            size,
            False,
            profit,
            True,
            ZERO,
            contract.settle,
            now,
        )
        trader.fills.append(order.last_fill)
        order.state = DONE
        trader.finished.append(order)
        self._engine.watcher.order_event(order, BANKRUPT)
        self._engine.prune(trader, held)
        self._engine.watcher.asset_changed(trader, contract.settle)
        self._engine.watcher.position_changed(trader, contract)
