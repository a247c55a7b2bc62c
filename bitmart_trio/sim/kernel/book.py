"""A price-time matching book, on which every market of the simulated exchange trades.

The book knows prices, sizes and the order of arrival. Money, fees and order states belong to its users. All arithmetic
is exact.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator, KeysView, Mapping
from decimal import Decimal
from itertools import islice
from typing import Final, Literal, TypeAlias

import attrs

Side: TypeAlias = Literal["buy", "sell"]


@attrs.define(eq=False)
class Resting:
    """An order in the book; ``left`` shrinks as it fills."""

    order_id: str
    side: Side
    price: Decimal
    left: Decimal
    owner: str | None
    """Account id; None for the synthetic market's own orders."""
    ahead: Decimal = Decimal(0)
    """The size of strangers' orders assumed to stand before a user's order; their trades at its price reduce it."""


_NOBODY: Final[Mapping[str, Resting]] = {}


@attrs.frozen
class Match:
    """One match of a taker with a resting order, at the resting order's price."""

    maker: Resting
    price: Decimal
    size: Decimal


def difference(old: Mapping[Decimal, Decimal], new: Mapping[Decimal, Decimal]) -> dict[Decimal, Decimal]:
    """Return the levels that turn ``old`` into ``new``; size 0 removes a level."""
    gone = {price: Decimal(0) for price in old if price not in new}
    return gone | {price: size for price, size in new.items() if old.get(price) != size}


class Book:
    """Both sides of one market, with a version that rises by one with every change."""

    def __init__(self) -> None:
        self.version: int = 1
        self.takes: int = 0
        """The number of trades with orders of the book."""
        self.owned: int = 0
        """The number of users' orders in the book."""
        self.queued: bool = False
        """True if an order ever stood behind size that the book does not know; see `Resting.ahead`."""
        self._orders: dict[str, Resting] = {}
        self._levels: dict[Side, dict[Decimal, OrderedDict[str, Resting]]] = {"buy": {}, "sell": {}}
        self._keys: dict[Side, list[Decimal]] = {"buy": [], "sell": []}
        """Sort keys, best last, where a list is cheap to change: the price for bids, the negated price for asks."""

    def __contains__(self, order_id: str) -> bool:
        return order_id in self._orders

    def ids(self) -> KeysView[str]:
        """The ids of all orders, as a live view."""
        return self._orders.keys()

    def get(self, order_id: str) -> Resting | None:
        """Return the resting order with an id."""
        return self._orders.get(order_id)

    def best(self, side: Side) -> Decimal | None:
        """Return the best price of a side, None when it is empty."""
        keys = self._keys[side]
        return None if not keys else abs(keys[-1])

    def levels(self, side: Side, count: int) -> list[tuple[Decimal, Decimal]]:
        """The best ``count`` levels of a side as (price, total size), best first."""
        levels = self._levels[side]
        return [
            (abs(key), sum((order.left for order in levels[abs(key)].values()), Decimal(0)))
            for key in self._keys[side][: -count - 1 : -1]
        ]

    def prices(self, side: Side, count: int) -> list[Decimal]:
        """Return the best ``count`` prices of a side, best first."""
        return [abs(key) for key in self._keys[side][: -count - 1 : -1]]

    def size_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the size that rests at a price, 0 when there is none."""
        return sum((order.left for order in self._levels[side].get(price, _NOBODY).values()), Decimal(0))

    def strangers_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the size of strangers' orders at a price."""
        return sum(
            (order.left for order in self._levels[side].get(price, _NOBODY).values() if order.owner is None), Decimal(0)
        )

    def passed(self, side: Side, price: Decimal, size: Decimal) -> None:
        """Record that strangers traded a size with each other: the users' orders at that price move up."""
        for order in self._levels[side].get(price, _NOBODY).values():
            if order.ahead:
                order.ahead = max(Decimal(0), order.ahead - size)

    def bound_queues(self) -> None:
        """Limit the size before each user's order to what strangers have at its price; for books that were replaced."""
        for order in self._orders.values():
            if order.ahead:
                order.ahead = min(order.ahead, self.strangers_at(order.side, order.price))

    def orders(self, side: Side, owner: str | None) -> list[Resting]:
        """The resting orders of one owner, best price first, oldest first within a price."""
        taker: Side = "sell" if side == "buy" else "buy"
        return [order for order in self.candidates(taker, None) if order.owner == owner]

    def crosses(self, side: Side, price: Decimal | None) -> bool:
        """Return True if an order of this side and limit would trade at once; a limit of None accepts any price."""
        best = self.best("sell" if side == "buy" else "buy")
        if best is None:
            return False
        return price is None or (best <= price if side == "buy" else best >= price)

    def candidates(self, side: Side, price: Decimal | None) -> Iterator[Resting]:
        """Yield the resting orders that a taker of this side and limit meets, in that order.

        The caller may trade with them and cancel others meanwhile; an order that is gone by its turn is skipped. The
        book is read only as far as the caller iterates.
        """
        other: Side = "sell" if side == "buy" else "buy"
        keys, levels = self._keys[other], self._levels[other]
        place = len(keys)
        while place:
            key = keys[place - 1]
            level = abs(key)
            if price is not None and (level > price if side == "buy" else level < price):
                return
            kept: list[Resting] = []
            while some := tuple(islice(levels.get(level, _NOBODY).values(), len(kept), 2 * len(kept) + 16)):
                for order in some:
                    if order.order_id in self._orders:
                        yield order
                kept = [order for order in (*kept, *some) if order.order_id in self._orders]
            place = bisect_left(keys, key)

    def take(self, maker: Resting, size: Decimal) -> Match:
        """Trade ``size``, or what is left of the order if that is less, against one resting order."""
        if size <= 0 or size > maker.left:
            raise ValueError(f"cannot take {size} of {maker.left}")
        maker.left -= size
        self.takes += 1
        self.version += 1
        if not maker.left:
            self._drop(maker)
        return Match(maker, maker.price, size)

    def shrink(self, side: Side, price: Decimal, size: Decimal) -> None:
        """Remove up to ``size`` of strangers' orders at a price."""
        for order in tuple(self._levels[side].get(price, _NOBODY).values()):
            if order.owner is None and size > 0:
                size -= self.take(order, min(size, order.left)).size

    def match(self, side: Side, price: Decimal | None, size: Decimal) -> list[Match]:
        """Trade up to ``size`` against the other side within the limit; the caller handles the rest."""
        matches: list[Match] = []
        for maker in self.candidates(side, price):
            if size <= 0:
                break
            matches.append(self.take(maker, min(size, maker.left)))
            size -= matches[-1].size
        return matches

    def add(self, order: Resting) -> None:
        """Add an order behind those already at its price."""
        if order.order_id in self._orders or order.left <= 0:
            raise ValueError(f"order {order.order_id} cannot rest")
        level = self._levels[order.side].get(order.price)
        if level is None:
            level = self._levels[order.side][order.price] = OrderedDict()
            insort(self._keys[order.side], order.price if order.side == "buy" else -order.price)
        level[order.order_id] = order
        self._orders[order.order_id] = order
        self.owned += order.owner is not None
        self.queued = self.queued or bool(order.ahead)
        self.version += 1

    def cancel(self, order_id: str) -> Resting | None:
        """Remove an order; return None when it does not rest here."""
        order = self._orders.get(order_id)
        if order is not None:
            self.version += 1
            self._drop(order)
        return order

    def _drop(self, order: Resting) -> None:
        del self._orders[order.order_id]
        self.owned -= order.owner is not None
        level = self._levels[order.side][order.price]
        del level[order.order_id]
        if not level:
            del self._levels[order.side][order.price]
            keys = self._keys[order.side]
            del keys[bisect_left(keys, order.price if order.side == "buy" else -order.price)]
