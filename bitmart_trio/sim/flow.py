"""The synthetic market: a seeded price per coin, makers that quote around it on every book, and takers that trade.

Both markets follow the same prices, so that BTC costs the same on spot and on futures. `Flow` walks the prices on, ten
times a second; each market owns a `Quoter` a book and calls `Quoter.step` with the new price. The walk is made of
whole points and seeded choices only, so one seed gives the same market on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import attrs

from .book import Book, Resting, Side

if TYPE_CHECKING:
    from .exchange import Exchange

Take: TypeAlias = "Callable[[Side, Decimal, Decimal | None], None]"
"""A synthetic taker at work: side, limit price, size (None: all there is within the limit)."""

_QUIET, _NORMAL, _BURST = 0, 1, 2
_MOVES = (10, 35, 90)
"""Chance in percent, by mood, that a tick moves the price."""
_REACH = (1, 2, 6)
"""Greatest move of a tick by mood, in half units."""
_TRADES = (8, 30, 80)
"""Chance in percent, by mood, that a tick brings a taker."""


@attrs.define
class _Coin:
    """One coin's walk, counted in points."""

    point: Decimal
    base: int
    unit: int
    points: int
    random: random.Random
    mood: int = _NORMAL
    mood_left: int = 100

    def move(self) -> None:
        self.mood_left -= 1
        if self.mood_left <= 0:
            self.mood = self.random.choice((_QUIET, _NORMAL, _NORMAL, _BURST))
            self.mood_left = self.random.randint(10, 40) if self.mood == _BURST else self.random.randint(50, 300)
        if self.random.randrange(100) >= _MOVES[self.mood]:
            return
        reach = max(1, self.unit * _REACH[self.mood] // 2)
        # A weak spring: the walk may wander for hours, but a run of months does not end at zero.
        away = self.points - self.base
        pull = abs(away) * self.unit * 3 // (2 * self.base)
        self.points += self.random.randint(-reach, reach) + (-pull if away > 0 else pull)
        self.points = max(self.points, self.base // 10)


class Flow:
    """The prices of all coins in US dollars."""

    def __init__(self, exchange: Exchange) -> None:
        self._coins: dict[str, _Coin] = {}
        for name, point, base, unit in (
            ("BTC", "0.01", 6_000_000, 200),
            ("ETH", "0.01", 300_000, 12),
            ("BMX", "0.00001", 30_000, 2),
        ):
            stream = exchange.random(f"flow/{name}")
            first = base + stream.randint(-base // 100, base // 100)
            self._coins[name] = _Coin(Decimal(point), base, unit, first, stream)

    def price(self, coin: str) -> Decimal:
        """What a coin costs now, on its grid of points."""
        walk = self._coins[coin]
        return walk.points * walk.point

    def first(self, coin: str) -> Decimal:
        """What a coin cost, roughly, before the exchange opened."""
        walk = self._coins[coin]
        return walk.base * walk.point

    def trade_chance(self, coin: str) -> int:
        """How likely a tick brings a taker at the moment, in percent: low in quiet spells, high in bursts."""
        return _TRADES[self._coins[coin].mood]

    def advance(self) -> None:
        """Walk every coin on by one tick."""
        for coin in self._coins.values():
            coin.move()

    def push(self, coin: str, price: Decimal) -> None:
        """Move a coin at once, for tests that need a price; the walk goes on from there."""
        walk = self._coins[coin]
        walk.points = int(price / walk.point)


class Quoter:
    """The synthetic makers and takers of one book.

    Makers keep ``levels`` prices a side, ``spacing`` apart. When the price moves through quotes, a taker clears what
    rests there, users' orders included: a user's limit order is always filled once the walk has crossed it.

    Args:
        book: The book to quote on; orders are added and cancelled there directly, they never cross.
        random: The random stream of this book alone.
        spacing: Distance between quotes, a multiple of the market's tick.
        lot: The market's size step.
        lots: Least and greatest size of one quote, in lots.
        take: How a synthetic taker trades on this market.
        levels: Quotes a side.
    """

    def __init__(
        self,
        book: Book,
        random: random.Random,
        *,
        spacing: Decimal,
        lot: Decimal,
        lots: tuple[int, int],
        take: Take,
        levels: int = 60,
    ) -> None:
        self._book = book
        self._random = random
        self._spacing = spacing
        self._lot = lot
        self._lots = lots
        self._take = take
        self._levels = levels
        self._centre: int | None = None
        self._quotes: dict[Side, dict[int, Resting]] = {"buy": {}, "sell": {}}
        self._count = 0

    def step(self, price: Decimal, trade_chance: int = 0) -> None:
        """Follow the price: bids up to it, asks above it, and now and then a trade."""
        centre = int(price / self._spacing)
        before, self._centre = self._centre, centre
        if before is None or before != centre:
            if before is not None:
                self._cross(before, centre)
            self._trim(centre)
        self._refill(centre)
        if before is not None:
            self._churn(centre)
            # A leap over all quotes ends with a trade where it lands, or the last price would stay behind.
            if self._random.randrange(100) < trade_chance or abs(centre - before) > self._levels:
                self._trade()

    def _cross(self, before: int, centre: int) -> None:
        """Clear the side the price has moved into."""
        side: Side = "buy" if centre > before else "sell"
        met: Side = "sell" if side == "buy" else "buy"
        last = centre if side == "buy" else centre + 1
        quotes = self._quotes[met]
        # Makers see it coming: only the outermost quote is sure to be traded, most of the others are pulled in time.
        for index in [index for index in quotes if (index < last if side == "buy" else index > last)]:
            if self._random.randrange(3):
                self._book.cancel(quotes.pop(index).order_id)
        limit = last * self._spacing
        if self._book.crosses(side, limit):
            self._take(side, limit, None)

    def _trim(self, centre: int) -> None:
        """Forget quotes that were traded and pull those too far away."""
        for side, quotes in self._quotes.items():
            low, high = (centre - self._levels + 1, centre) if side == "buy" else (centre + 1, centre + self._levels)
            for index in [index for index in quotes if not low <= index <= high]:
                self._book.cancel(quotes.pop(index).order_id)

    def _refill(self, centre: int) -> None:
        for side, first, step in (("buy", centre, -1), ("sell", centre + 1, 1)):
            quotes = self._quotes["buy" if side == "buy" else "sell"]
            for index in range(first, first + step * self._levels, step):
                quote = quotes.get(index)
                if index > 0 and (quote is None or not quote.left):
                    self._quote("buy" if side == "buy" else "sell", index)

    def _quote(self, side: Side, index: int) -> None:
        self._count += 1
        quote = Resting(
            f"q{self._count}", side, index * self._spacing, self._random.randint(*self._lots) * self._lot, None
        )
        self._quotes[side][index] = quote
        self._book.add(quote)

    def _churn(self, centre: int) -> None:
        """Change the size of a few quotes, mostly near the price."""
        for _ in range(self._random.randrange(3)):
            side: Side = "buy" if self._random.randrange(2) else "sell"
            away = min(self._random.randrange(1, 12) ** 2 // 3, self._levels - 1)
            index = centre - away if side == "buy" else centre + 1 + away
            if index > 0:
                quote = self._quotes[side].get(index)
                if quote is not None:
                    self._book.cancel(quote.order_id)
                self._quote(side, index)

    def _trade(self) -> None:
        side: Side = "buy" if self._random.randrange(2) else "sell"
        best = self._book.best("sell" if side == "buy" else "buy")
        if best is None:
            return
        room = 2 * self._spacing
        size = max(1, self._random.randint(*self._lots) * self._random.randint(1, 10) // 10) * self._lot
        self._take(side, best + room if side == "buy" else best - room, size)
