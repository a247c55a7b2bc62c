"""The effects of a fill on money and positions: fee, profit, margin, and the entries of its owner's ledger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from ..kernel.contracts import ZERO, cut
from ..kernel.turnover import Turnover
from ..models.margin import MarginModel
from .ledger import Ledger
from .listing import Listing
from .orders import Fill, Order, Trader
from .positions import Position


@attrs.frozen
class Clearing:
    """The clearing, which carries fills out."""

    listings: Mapping[str, Listing]
    """The contracts, whose open interest changes."""
    ledger: Ledger
    margin: MarginModel
    turnover: Turnover

    def fill(self, order: Order, size: Decimal, price: Decimal, *, maker: bool, trade_id: int, now: int) -> None:
        """Fill part of an order that no longer holds money: first close, then open."""
        trader, contract = order.owner, order.contract
        currency, symbol = contract.settle, contract.symbol
        held, closing, opening = order.split(size)
        order.deal_size += size
        order.deal_value += contract.value(size, price)
        order.updated_ms = now
        fee = cut(contract.value(size, price) * (order.rates.maker if maker else order.rates.taker))
        self.turnover.add(trader.account.account_id, contract.quote_amount(size, price), now)
        profit = ZERO
        closing_fee = cut(fee * closing / size)
        if held is not None:
            profit = self._close_part(trader, held, closing, price, now)
            held.realized -= closing_fee
        if opening:
            self._open_part(order, opening, price, now).realized -= fee - closing_fee
        self.ledger.book(trader, symbol, currency, -fee, "fee", now)
        order.last_fill = Fill(
            trade_id,
            order.order_id,
            order.client_order_id,
            symbol,
            order.side,
            price,
            size,
            maker,
            profit,
            bool(closing),
            fee,
            currency,
            now,
        )
        trader.fills.append(order.last_fill)
        self.listings[symbol].user_interest += opening - closing

    def _open_part(self, order: Order, size: Decimal, price: Decimal, now: int) -> Position:
        trader, contract = order.owner, order.contract
        key = (contract.symbol, order.direction)
        held = trader.positions.get(key)
        if held is None or not held.size:
            held = trader.positions[key] = Position(
                contract, order.direction, order.open_type, order.leverage, opened_ms=now, needs=self.margin
            )
        value = contract.value(size, price)
        margin = cut(value / held.leverage)
        trader.account.futures.debit(contract.settle, margin)
        held.size += size
        held.cost += value
        held.margin += margin
        held.updated_ms = now
        return held

    def _close_part(self, trader: Trader, held: Position, size: Decimal, price: Decimal, now: int) -> Decimal:
        contract = held.contract
        cost, margin = held.share(size)
        value = contract.value(size, price)
        profit = contract.profit(held.direction, cost, value)
        held.size -= size
        held.cost -= cost
        held.closed_size += size
        held.closed_value += value
        held.realized += profit
        held.updated_ms = now
        if held.open_type == "isolated" and margin + profit < 0:
            # An isolated position can lose at most its own margin.
            self.ledger.book_margin(trader, held, profit, "pnl", now)
        else:
            held.margin -= margin
            trader.account.futures.credit(contract.settle, margin)
            self.ledger.book(trader, contract.symbol, contract.settle, profit, "pnl", now)
        return profit
