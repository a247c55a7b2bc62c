"""The prices before the exchange opened: years of them, generated from the seed when they are requested.

Each coin has one path, from which the candles of its pairs, its contracts and their mark prices are read, so they all
agree. The path is generated from the top down. A day begins and ends at points of a slow wave, which is a pure function
of seed and time and ends at the opening price. A day's bar is divided into hours, these into quarters, five minutes and
minutes. Each part begins where the previous one ends, none leaves the range of the whole, one touches its high and one
its low, and the volumes add up to the whole's. So a bar of any length and age costs a few divisions, only the last
results are stored, and long bars are exactly the sums of the short ones in them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from hashlib import shake_128
from math import isqrt
from typing import Final, TypeAlias

import attrs

from .coins import DOLLARS

Prices: TypeAlias = "tuple[int, int, int, int]"
"""Open, high, low and close, in units of a path."""
Amounts: TypeAlias = "tuple[int, int]"
"""Volume in units of a market, turnover in cents."""

Shown: TypeAlias = "tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]"
"""Open, high, low, close, volume and turnover of a market's bar."""

DAY: Final = 1440
PAST_BEGINS_S: Final = 1_594_080_000
"""The start of the past, unless the opening is less than a year later."""
LEVELS: Final = (DAY, 60, 15, 5, 1)
"""The lengths of blocks in minutes, each a divisor of the previous one."""
_WAVES: Final = ((DAY, 300), (3 * DAY, 250), (11 * DAY, 500), (47 * DAY, 900), (211 * DAY, 2_000), (797 * DAY, 5_000))
"""(distance of the points in minutes, swing in 1/10000 of the price)."""
_SCALE: Final = 1 << 16
_WHOLE: Final = 10_000 * _SCALE
_YEAR: Final = 365 * DAY
_REMEMBERED: Final = 20_000
_CENT: Final = Decimal("0.01")
_DIGITS: Final = 9
"""A path counts in units so small that the opening price has one digit more than this."""


def first_minute(opening: int) -> int:
    """Return the minute at which the past begins, for an exchange that opens at a minute."""
    return min(PAST_BEGINS_S // 60, (opening - _YEAR) // DAY * DAY)


class PricePath:
    """The prices of one coin before the opening, in whole units.

    Args:
        key: the seed and the name of the coin.
        opening: the minute at which the exchange opens.
        price: the price at that moment.
    """

    def __init__(self, key: str, opening: int, price: Decimal) -> None:
        self.opening: int = opening
        self.unit: Decimal = Decimal(1).scaleb(price.adjusted() - _DIGITS)
        self._key = key.encode()
        self._price = max(1, int(price / self.unit))
        self._points: dict[tuple[int, int], int] = {}
        self._days: dict[int, Prices] = {}
        self._parts: dict[tuple[int, int], tuple[Prices, ...]] = {}
        self._end = self._wave(opening)

    def at(self, day: int) -> int:
        """Return the price at the start of a day since 1970; from the opening on, the opening price."""
        minute = day * DAY
        if minute >= self.opening:
            return self._price
        swing = self._wave(minute) - self._end
        # Doubling and halving are equally distant, and the price never reaches zero.
        moved = self._price * (_WHOLE + swing) // _WHOLE if swing >= 0 else self._price * _WHOLE // (_WHOLE - swing)
        return max(1, moved)

    def block(self, level: int, start: int) -> Prices:
        """Return the bar of a level's block that begins at a minute; a block that contains the opening ends there."""
        if level == 0:
            found = self._days.get(start)
            if found is None:
                found = self._days[start] = self._day(start // DAY)
            return found
        whole = start // LEVELS[level - 1] * LEVELS[level - 1]
        return self._divided(level - 1, whole)[(start - whole) // LEVELS[level]]

    def _day(self, day: int) -> Prices:
        first, last = self.at(day), self.at(day + 1)
        up, down = self.dice(0, day * DAY, 2)
        high, low = max(first, last), min(first, last)
        minutes = min(DAY, self.opening - day * DAY)
        reach = high * minutes // DAY
        return first, high + reach * (20 + up) // 10_000, max(1, low - reach * (20 + down) // 10_000), last

    def _divided(self, level: int, start: int) -> tuple[Prices, ...]:
        found = self._parts.get((level, start))
        if found is None:
            if len(self._parts) >= _REMEMBERED:
                self._parts.clear()
            lengths = parts(level, start, self.opening)
            found = self._parts[level, start] = self._divide(self.block(level, start), level, start, lengths)
        return found

    def _divide(self, whole: Prices, level: int, start: int, lengths: list[int]) -> tuple[Prices, ...]:
        first, high, low, last = whole
        count, minutes, spread = len(lengths), sum(lengths), high - low
        dice = self.dice(level + 1, start, 3 * count)
        # A random walk, bent so that it ends where the whole block ends.
        steps = [2 * each - 255 for each in dice[:count]]
        drift, wander, passed, size = sum(steps), 0, 0, 384 * isqrt(count) + 1
        ends: list[int] = []
        for step, length in zip(steps, lengths, strict=True):
            wander += step
            passed += length
            bent = wander - drift * passed // minutes
            end = first + (last - first) * passed // minutes + spread * bent // size
            # Values beyond the range are reflected: clipped to its edge, the price would stand still.
            end = 2 * high - end if end > high else 2 * low - end if end < low else end
            ends.append(min(max(end, low), high))
        ends[-1] = last
        begins = [first, *ends[:-1]]
        tops = [max(pair) for pair in zip(begins, ends, strict=True)]
        bottoms = [min(pair) for pair in zip(begins, ends, strict=True)]
        peak, trough = tops.index(max(tops)), bottoms.index(min(bottoms))
        wick = spread // (4 * count) + 1
        return tuple(
            (
                begins[index],
                high if index == peak else min(high, tops[index] + wick * dice[count + index] // 256),
                low if index == trough else max(low, bottoms[index] - wick * dice[2 * count + index] // 256),
                ends[index],
            )
            for index in range(count)
        )

    def dice(self, kind: int, start: int, count: int) -> bytes:
        """Return so many random numbers from 0 to 255, always the same for the same place."""
        return shake_128(b"%s/%d/%d" % (self._key, kind, start)).digest(count)

    def _wave(self, minute: int) -> int:
        total = 0
        for distance, swing in _WAVES:
            at, part = divmod(minute, distance)
            left, right = self._point(distance, at), self._point(distance, at + 1)
            total += swing * (left + (right - left) * part // distance - _SCALE // 2)
        return total

    def _point(self, distance: int, at: int) -> int:
        # Neighbouring days share nearly all their points.
        found = self._points.get((distance, at))
        if found is None:
            found = self._points[distance, at] = int.from_bytes(self.dice(-distance, at, 2), "big")
        return found


class CrossPath(PricePath):
    """The price of one coin in another, where each day begins at the ratio of the two coins' own paths.

    Within a day the price has its own path.
    """

    def __init__(self, key: str, price: Decimal, base: PricePath, quote: PricePath) -> None:
        self._base, self._quote = base, quote
        super().__init__(key, base.opening, price)

    def at(self, day: int) -> int:
        """Return the ratio of the two prices."""
        if day * DAY >= self.opening:
            return self._price
        base, quote = self._base.at(day) * self._base.unit, self._quote.at(day) * self._quote.unit
        return max(1, int(base / quote / self.unit))


class Paths:
    """The paths of one exchange: one for each coin, and one for each coin that is priced in another.

    Args:
        seed: the seed of the exchange.
        opening_ms: the opening, in milliseconds.
        price: returns the price of a coin in US dollars at the opening; 1 for a dollar.
    """

    def __init__(self, seed: int, opening_ms: int, price: Callable[[str], Decimal]) -> None:
        self._seed = seed
        self._opening = opening_ms // 60_000
        self._price = price
        self._found: dict[tuple[str, str], PricePath] = {}

    def of(self, base: str, quote: str) -> PricePath:
        """Return the path of one currency's price in another."""
        found = self._found.get((base, quote))
        if found is None:
            found = self._found[base, quote] = self._made(base, quote)
        return found

    def _made(self, base: str, quote: str) -> PricePath:
        if not quote:
            return PricePath(f"{self._seed}/{base}", self._opening, self._price(base))
        if quote in DOLLARS:
            return self.of(base, "")  # all dollars are one
        price = self._price(base) / self._price(quote)
        return CrossPath(f"{self._seed}/{base}/{quote}", price, self.of(base, ""), self.of(quote, ""))


def parts(level: int, start: int, opening: int) -> list[int]:
    """Return the lengths of a block's parts in minutes, without those after the opening."""
    length = LEVELS[level + 1]
    end = min(start + LEVELS[level], opening)
    whole, rest = divmod(end - start, length)
    return [length] * whole + [rest] * (rest > 0)


@attrs.frozen
class Market:
    """The form of a path in one market.

    Args:
        name: the seed and the symbol, from which the volumes are generated.
        on_grid: returns the nearest price of the market's grid.
        unit: one unit of volume, as displayed; 0 for a price without volume.
        worth: returns the value of a unit in the quote currency at a price.
        pace: the approximate number of units per minute.
    """

    name: str
    on_grid: Callable[[Decimal], Decimal]
    unit: Decimal
    worth: Callable[[Decimal], Decimal]
    pace: int


class Prehistory:
    """The bars of one market before the opening."""

    def __init__(self, path: PricePath, market: Market) -> None:
        self.opening: int = path.opening
        self.first: int = first_minute(path.opening)
        """The minute of the first bar."""
        self._path = path
        self._market = market
        self._key = market.name.encode()
        self._days: dict[int, Shown] = {}
        self._parts: dict[tuple[int, int], tuple[Amounts, ...]] = {}

    def block(self, level: int, start: int) -> Shown:
        """Return the open, high, low, close, volume and turnover of a block."""
        found = self._days.get(start) if level == 0 else None
        if found is None:
            first, high, low, last = map(self._shown, self._path.block(level, start))
            volume, cents = self._amounts(level, start)
            found = first, high, low, last, volume * self._market.unit, cents * _CENT
            if level == 0:
                self._days[start] = found
        return found

    def _shown(self, price: int) -> Decimal:
        return self._market.on_grid(price * self._path.unit)

    def _amounts(self, level: int, start: int) -> Amounts:
        if not self._market.unit:
            return 0, 0
        if level == 0:
            minutes = min(DAY, self.opening - start)
            busy = shake_128(b"%s/%d" % (self._key, start)).digest(1)[0]
            volume = self._market.pace * minutes * (128 + busy) // 256
            return volume, self._cents(volume, self._path.block(0, start))
        whole = start // LEVELS[level - 1] * LEVELS[level - 1]
        return self._divided(level - 1, whole)[(start - whole) // LEVELS[level]]

    def _cents(self, volume: int, prices: Prices) -> int:
        return int(volume * self._market.worth(sum(prices) * self._path.unit / 4) / _CENT)

    def _divided(self, level: int, start: int) -> tuple[Amounts, ...]:
        found = self._parts.get((level, start))
        if found is None:
            if len(self._parts) >= _REMEMBERED:
                self._parts.clear()
            found = self._parts[level, start] = self._divide(level, start)
        return found

    def _divide(self, level: int, start: int) -> tuple[Amounts, ...]:
        volume, cents = self._amounts(level, start)
        lengths = parts(level, start, self.opening)
        dice = shake_128(b"%s/%d/%d" % (self._key, level, start)).digest(len(lengths))
        weights = [length * (64 + each) for length, each in zip(lengths, dice, strict=True)]
        volumes = _share(volume, weights)
        step = LEVELS[level + 1]
        blocks = [self._path.block(level + 1, start + index * step) for index in range(len(lengths))]
        values = [each * sum(block) for each, block in zip(volumes, blocks, strict=True)]
        return tuple(zip(volumes, _share(cents, values), strict=True))


def _share(whole: int, weights: list[int]) -> list[int]:
    """Return whole numbers in proportion to the weights that add up to the total."""
    total = sum(weights) or 1
    shares: list[int] = []
    weight = given = 0
    for each in weights:
        weight += each
        until = whole * weight // total
        shares.append(until - given)
        given = until
    if given < whole:
        shares[-1] += whole - given
    return shares
