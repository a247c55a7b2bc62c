"""The synthetic market: a seeded price per coin, makers that quote around it on every book, and takers that trade.

Both markets follow the same prices, so BTC costs the same on spot and on futures. `Flow` moves the prices ten times per
second. A `Quoter` follows them on each spot book, and `Makers` on each futures book. The walk consists of whole points
and seeded choices only, so one seed gives the same market on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal
from functools import partial

import attrs

from ..kernel.book import Book, Resting, Side
from ..kernel.clock import Clock
from ..kernel.coins import DOLLARS, Coin
from ..kernel.ids import Randoms
from ..kernel.pairs import Pair
from ..kernel.symbols import Listed
from ..models.market import Shown, Step, Still, Sweep, Take
from .makers import Makers

_QUIET, _NORMAL, _BURST = 0, 1, 2
_MOVES = (10, 35, 90)
"""The chance in percent, by mood, that a tick moves the price."""
_REACH = (1, 2, 6)
"""The greatest move of a tick by mood, in half units."""
_TRADES = (8, 30, 80)
"""The chance in percent, by mood, that a tick brings a taker."""
_HOUR_MS = 3_600_000
_MOVES_AN_HOUR = 36_000


def _not_negative(options: object, attribute: object, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise ValueError(f"every option of a market must be zero or more: {value}")


def _hours(hours: Iterable[int]) -> frozenset[int]:
    found = frozenset(hours)
    if not found <= frozenset(range(24)):
        raise ValueError("quiet_hours are hours of the day, 0 to 23")
    return found


@attrs.frozen(kw_only=True)
class Market:
    """The settings of the synthetic market; the usual ones by default.

    Raises:
        ValueError: a number is negative, or an hour is invalid.
    """

    volatility: float = attrs.field(default=1.0, validator=_not_negative)
    """The size of price moves, as a multiple of the usual one."""
    activity: float = attrs.field(default=1.0, validator=_not_negative)
    """The rate of takers' trades, as a multiple of the usual one; with 0, quotes move and trade only when crossed."""
    trend: float = 0.0
    """The gain of every coin per hour, as a share of its first price: 0.01 for one percent, negative for a fall."""
    bursts: int = attrs.field(default=1, validator=_not_negative)
    """The number of hectic periods (a few seconds each) per two ordinary ones (half a minute at most)."""
    quiet: int = attrs.field(default=1, validator=_not_negative)
    """The number of quiet periods per two ordinary ones."""
    quiet_hours: frozenset[int] = attrs.field(default=frozenset(), converter=_hours)
    """The hours of the UTC day in which hardly anything happens."""
    gaps: float = attrs.field(default=0.0, validator=_not_negative)
    """The average number of price jumps per hour, for each coin."""
    gap_size: float = attrs.field(default=0.02, validator=_not_negative)
    """The greatest jump, as a share of the price."""

    def moods(self) -> tuple[int, ...]:
        """Return the moods to choose from."""
        return (_QUIET,) * self.quiet + (_NORMAL, _NORMAL) + (_BURST,) * self.bursts


@attrs.define
class _Walk:
    """One coin's price, counted in points."""

    coin: Coin
    market: Market
    moods: tuple[int, ...]
    base: int
    points: int
    dice: random.Random
    gap_dice: random.Random
    mood: int = _NORMAL
    mood_left: int = 100
    carried: float = 0.0
    """The fraction of a point that the trend has not moved yet."""
    pinned: Decimal | None = None
    """The exact price that was set; it stands still."""

    def move(self, asleep: bool) -> None:
        """Advance the price by one tick."""
        self.mood_left -= 1
        if self.mood_left <= 0:
            self.mood = self.dice.choice(self.moods)
            self.mood_left = self.dice.randint(10, 40) if self.mood == _BURST else self.dice.randint(50, 300)
        if asleep:
            self.mood = _QUIET
        market = self.market
        if market.trend:
            self._drift(market.trend)
        if market.gaps and self.gap_dice.random() < market.gaps / _MOVES_AN_HOUR:
            self.points += round(self.points * market.gap_size * self.gap_dice.uniform(-1, 1))
        if self.dice.randrange(100) < _MOVES[self.mood]:
            unit = self.coin.unit
            reach = max(1, unit * _REACH[self.mood] // 2)
            # A weak spring: the walk may wander for hours, but months of walking do not end at zero.
            away = self.points - self.base
            pull = abs(away) * unit * 3 // (2 * self.base)
            if market.volatility != 1:
                reach, pull = round(reach * market.volatility), round(pull * market.volatility)
            self.points += self.dice.randint(-reach, reach) + (-pull if away > 0 else pull)
        self.points = max(self.points, self.coin.base // 10)

    def _drift(self, trend: float) -> None:
        self.carried += self.coin.base * trend / _MOVES_AN_HOUR
        whole = int(self.carried)
        self.carried -= whole
        # The spring's centre moves along, down to the lowest price.
        self.base = max(self.base + whole, self.coin.base // 10)
        self.points += whole


class Flow(Still):
    """The prices of all coins in US dollars, and the makers and takers that follow them.

    Args:
        coins: every coin with a price.
        traded: the names of the traded coins; the prices of others stand still.
        market: the settings of the walk.
        clock: provides the time, for the quiet hours.
        random: provides a separate stream for each coin and each book.
    """

    def __init__(
        self, coins: Iterable[Coin], traded: frozenset[str], market: Market, clock: Clock, random: Randoms
    ) -> None:
        super().__init__(coins)
        self.market: Market = market
        self._clock = clock
        self._random = random
        self._walks: dict[str, _Walk] = {}
        for coin in self._coins.values():
            stream = random(f"flow/{coin.name}")
            off = stream.randint(-coin.base // 100, coin.base // 100)
            gaps = random(f"gaps/{coin.name}")
            self._walks[coin.name] = _Walk(coin, market, market.moods(), coin.base, coin.base + off, stream, gaps)
        self._moving = [walk for name, walk in self._walks.items() if name in traded]

    @classmethod
    def of_market(cls, market: Market, listed: Listed, clock: Clock, random: Randoms) -> Flow:
        """Return a flow with these options, for an exchange."""
        return cls(listed.coins, listed.traded(), market, clock, random)

    @property
    def moves(self) -> bool:
        """Return True: the market always moves."""
        return True

    def price(self, coin: str) -> Decimal:
        """Return a coin's price now, on its grid of points or as pinned; 1 for a dollar."""
        if coin in DOLLARS:
            return Decimal(1)
        walk = self._walks[coin]
        return walk.points * walk.coin.point if walk.pinned is None else walk.pinned

    def advance(self, ticks: int = 1) -> None:
        """Advance every coin by so many ticks of a tenth of a second."""
        hours = self.market.quiet_hours
        asleep = bool(hours) and self._clock.steady_ms() // _HOUR_MS % 24 in hours
        for _ in range(ticks):
            for walk in self._moving:
                walk.move(asleep)

    def push(self, coin: str, price: Decimal) -> None:
        """Move a coin at once; the walk continues from there."""
        walk = self._walks[coin]
        walk.points = int(price / walk.coin.point)

    def pin(self, coin: str, price: Decimal) -> None:
        """Set a coin's exact price, which stays until the next call."""
        self._walks[coin].pinned = price

    def on_pair(self, pair: Pair, book: Book, last: Decimal, take: Take) -> Step:
        """Return a `Quoter` with quotes placed around the last price, which follows the walk."""
        quoter = Quoter(
            book,
            self._random(f"quotes/{pair.symbol}"),
            spacing=pair.spacing,
            lot=pair.lot,
            lots=pair.lots,
            take=take,
        )
        quoter.step(last)
        walk, activity = self._walks[pair.base], self.market.activity

        def step() -> None:
            # Takers are rare in quiet spells, and often come in bursts.
            quoter.step(self.rate(pair.base, pair.quote), round(_TRADES[walk.mood] * activity))

        return step

    def on_contract(self, shown: Shown, sweep: Sweep) -> Step:
        """Return `Makers` with quotes placed, which follow the contract's index."""
        makers = Makers(shown, sweep, self._random(f"futures/{shown.contract.symbol}"))
        makers.tick()
        return partial(makers.tick, self.market.activity)


class Quoter:
    """The synthetic makers and takers of one book.

    Makers keep ``levels`` prices per side, ``spacing`` apart. When the price moves through quotes, a taker clears the
    orders there, including users': a user's limit order is always filled once the walk has crossed it.

    Args:
        book: the book to quote on; orders are added and cancelled there directly, and never cross.
        random: the random stream of this book.
        spacing: the distance between quotes, a multiple of the market's tick.
        lot: the market's size step.
        lots: the smallest and the largest size of one quote, in lots.
        take: the function by which a synthetic taker trades on this market.
        levels: the number of quotes per side.
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
        self._takes = -1
        """The number of trades on the book when the quotes were last complete."""

    def step(self, price: Decimal, trade_chance: int = 0) -> None:
        """Follow the price: bids up to it, asks above it, and occasionally a trade."""
        centre = int(price / self._spacing)
        before, self._centre = self._centre, centre
        moved = before is None or before != centre
        if moved:
            if before is not None:
                self._cross(before, centre)
            self._trim(centre)
        if moved or self._book.takes != self._takes:
            self._refill(centre)
            self._takes = self._book.takes
        if before is not None:
            self._churn(centre)
            # A jump over all quotes ends with a trade at its target, or the last price would stay behind.
            if self._random.randrange(100) < trade_chance or abs(centre - before) > self._levels:
                self._trade()

    def _cross(self, before: int, centre: int) -> None:
        """Clear the side into which the price has moved."""
        side: Side = "buy" if centre > before else "sell"
        met: Side = "sell" if side == "buy" else "buy"
        last = centre if side == "buy" else centre + 1
        quotes = self._quotes[met]
        # Makers anticipate the move: only the outermost quote is sure to trade, and most others are withdrawn in time.
        for index in [index for index in quotes if (index < last if side == "buy" else index > last)]:
            if self._random.randrange(3):
                self._book.cancel(quotes.pop(index).order_id)
        limit = last * self._spacing
        if self._book.crosses(side, limit):
            self._take(side, limit, None)

    def _trim(self, centre: int) -> None:
        """Forget quotes that were traded, and withdraw those too far away."""
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
        """Change the sizes of a few quotes, mostly near the price."""
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
