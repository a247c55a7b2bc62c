"""Decide if a fill-or-kill order would fill completely, by a dry run of the match.

The run goes through the book as the match does: own orders are skipped or stop it, by the self-trade mode, and each
part must be paid for. The run ends at a maker whose own money is uncertain (part of its order nets off in one-way mode,
and its need of money then depends on earlier fills): such a taker is killed rather than filled in part.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from ..kernel.contracts import ZERO, cut
from .listing import Listing
from .orders import Order


def fills_whole(listing: Listing, order: Order, resting: Mapping[str, Order]) -> bool:
    """Return True if the whole rest of an order would trade now.

    Args:
        listing: the contract with its book.
        order: the taker.
        resting: the users' orders in the book, by id.
    """
    left, payer = order.left, _Payer.of(order)
    for maker in listing.book.candidates(order.book_side, order.price):
        if left <= 0:
            break
        other = resting.get(maker.order_id)
        if other is not None and other.owner is order.owner:
            if order.stp_mode != 1:
                return False
            continue
        part = min(left, maker.left)
        if other is not None and not _covered(other):
            return False
        if not payer.pays(part, maker.price):
            return False
        left -= part
    return left <= 0


def _covered(maker: Order) -> bool:
    """Return True if a resting order can be paid for, whatever else its owner does."""
    if maker.closing:
        return True
    assert maker.price is not None, "only limit orders rest"
    return maker.contract.cost(maker.left, maker.price, maker.leverage, maker.rates.taker) <= maker.held


@attrs.define
class _Payer:
    """The taker's money, and the position that it nets off, after each part."""

    order: Order
    free: Decimal
    size: Decimal
    """The size of the position that is closed."""
    cost: Decimal
    margin: Decimal

    @classmethod
    def of(cls, order: Order) -> _Payer:
        held, _, _ = order.split(order.left)
        free = order.owner.account.futures.available(order.contract.settle) + order.held
        if held is None:
            return cls(order, free, ZERO, ZERO, ZERO)
        return cls(order, free, held.size, held.cost, held.margin)

    def pays(self, part: Decimal, price: Decimal) -> bool:
        """Pay for the next part; return False if the money does not suffice."""
        order, contract, fee = self.order, self.order.contract, self.order.rates.taker
        closing = min(part, self.size)
        opening = part - closing
        if closing:
            direction = order.direction if order.closing else "short" if order.direction == "long" else "long"
            whole = closing == self.size
            cost = self.cost if whole else cut(self.cost * closing / self.size)
            margin = self.margin if whole else cut(self.margin * closing / self.size)
            self.free += margin + contract.profit(direction, cost, contract.value(closing, price))
            self.size, self.cost, self.margin = self.size - closing, self.cost - cost, self.margin - margin
        if opening and (order.closing or contract.cost(opening, price, order.leverage, fee) > self.free):
            return False
        self.free -= cut(contract.value(opening, price) / order.leverage)
        self.free -= cut(contract.value(part, price) * fee)
        return True
