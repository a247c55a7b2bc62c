"""The synthetic market of one contract: quotes around the moving price, and takers that trade against the book.

Every tick the ladder moves to the underlying price. First a taker trades against users' orders that the price has
crossed, at most a few hundred contracts per tick. So big orders fill in parts, and hold the quotes back while they
last.
"""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import count

from ..kernel.book import Resting, Side
from ..kernel.contracts import ZERO
from ..models.market import Shown, Sweep

LEVELS = 64
"""The number of levels kept per side; excess levels are removed once there are half as many again."""
_BASIS_STEP = Decimal("0.000005")
_BASIS_LIMIT = Decimal("0.0003")


class Makers:
    """Quotes and trades on one contract, from one random stream."""

    def __init__(self, listing: Shown, sweep: Sweep, dice: random.Random) -> None:
        self._listing = listing
        self._sweep = sweep
        self._dice = dice
        self._basis = ZERO
        self._ids = count(1)
        self._quotes: dict[Side, dict[int, str]] = {"buy": {}, "sell": {}}
        """Price in ticks -> id of the synthetic order there."""
        self._busy = False

    def tick(self, activity: float = 1.0) -> None:
        """Move the ladder to the present price, and let takers trade ``activity`` times as often as usual."""
        listing, dice = self._listing, self._dice
        tick = listing.contract.tick
        self._basis = max(-_BASIS_LIMIT, min(_BASIS_LIMIT, self._basis + _BASIS_STEP * dice.randint(-3, 3)))
        middle = listing.contract.on_grid(listing.index * (1 + self._basis))
        at, spread = int(middle / tick), dice.randint(1, 3)
        self._requote("buy", at - spread)
        self._requote("sell", at + spread)
        self._stir()
        if abs(middle - listing.last) > 8 * tick:
            # The price does not move without a trade.
            self._sweep("buy" if middle > listing.last else "sell", None, self._size(), opens=True)
        if dice.random() < 0.04:
            self._busy = not self._busy
        for _ in range(self._takers(activity)):
            side: Side = "buy" if dice.random() < 0.5 else "sell"
            self._sweep(side, None, self._size(), opens=dice.random() < 0.6)

    def _takers(self, activity: float) -> int:
        if not self._busy:
            return int(self._dice.random() < 0.35 * activity)
        return round(self._dice.randint(0, 3) * activity)

    def _requote(self, side: Side, best: int) -> None:
        listing, book = self._listing, self._listing.book
        other: Side = "sell" if side == "buy" else "buy"
        tick, sign = listing.contract.tick, -1 if side == "buy" else 1
        # First the other side's quotes that the price has crossed, then the users' orders there.
        for at in [at for at in self._quotes[other] if (at - best) * sign >= 0]:
            book.cancel(self._quotes[other].pop(at))
        if book.crosses(side, best * tick):
            self._sweep(side, best * tick, Decimal(self._dice.randint(100, 900)), opens=True)
            wall = book.best(other)
            if wall is not None and (wall - best * tick) * sign >= 0:
                best = int(wall / tick) + sign
        quotes, there = self._quotes[side], book.ids()
        for at in [at for at, order_id in quotes.items() if order_id not in there or (best - at) * sign > 0]:
            book.cancel(quotes.pop(at))
        if best > 0 and best not in quotes:
            self._quote(side, best)
        at, nearest = best, iter(sorted(quotes, reverse=side == "buy"))
        held = next(nearest, None)
        levels = 0
        while levels < LEVELS:
            if held is not None and (held - at) * sign <= 4:
                at, held = held, next(nearest, None)
            else:
                at += sign * self._dice.randint(1, 4)
                if at <= 0:
                    break
                if at not in quotes:
                    self._quote(side, at)
            levels += 1
        if len(quotes) > LEVELS * 3 // 2:
            for at in sorted(quotes, reverse=side == "buy")[LEVELS:]:
                book.cancel(quotes.pop(at))

    def _stir(self) -> None:
        """Change the sizes of a few levels, so that a book never stands still."""
        sides: tuple[Side, Side] = ("buy", "sell")
        tick = self._listing.contract.tick
        for side in sides:
            best = self._listing.book.prices(side, 12)
            for _ in range(self._dice.randint(0, 2) if best else 0):
                at = int(best[self._dice.randrange(len(best))] / tick)
                order_id = self._quotes[side].pop(at, None)
                if order_id is not None:
                    self._listing.book.cancel(order_id)
                    self._quote(side, at)

    def _quote(self, side: Side, at: int) -> None:
        order_id = f"m{next(self._ids)}"
        self._quotes[side][at] = order_id
        size = self._size() * 5 + self._dice.randint(50, 500)
        self._listing.book.add(Resting(order_id, side, at * self._listing.contract.tick, size, None))

    def _size(self) -> Decimal:
        """Return a size, mostly small, sometimes large."""
        return Decimal(self._dice.choice((1, 2, 5, 10, 20, 50, 100)) * self._dice.randint(1, 9))
