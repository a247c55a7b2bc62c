"""Candles of one pair: a minute a bar, an invented past behind the live ones, longer steps put together on demand."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import attrs

ZERO = Decimal(0)
PAST_MINUTES = 48 * 60
STEPS = (1, 5, 15, 30, 60, 120, 240, 1440, 10080, 43200)
"""Lengths served over REST, in minutes."""
_MONDAY = 4 * 86_400
"""1970 began on a Thursday: weeks are counted from the first Monday."""


@attrs.define
class Candle:
    """One bar; ``time`` is its start in seconds."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO

    def trade(self, price: Decimal, size: Decimal) -> None:
        """Take one trade in."""
        if not self.volume:
            # A bar opens at its first trade; until then it repeats the close before it.
            self.open = self.high = self.low = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += size
        self.quote_volume += price * size


@attrs.frozen
class Day:
    """The last 24 hours of a pair."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal
    quote_volume: Decimal


def bucket(time: int, step: int) -> int:
    """The start, in seconds, of the bar of ``step`` minutes that a second belongs to; months are those of UTC."""
    if step == 43_200:
        moment = dt.datetime.fromtimestamp(time, dt.UTC)
        return int(moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp())
    if step == 10_080:
        return (time - _MONDAY) // 604_800 * 604_800 + _MONDAY
    return time - time % (step * 60)


@lru_cache(maxsize=16)
def _past(
    seed: str, minute: int, last: Decimal, point: Decimal, reach: int, lot: Decimal, lots: int
) -> tuple[Candle, ...]:
    """Bars that end at a price, walked backwards from it; shared between exchanges: never change them."""
    stream = random.Random(seed)
    bars: list[Candle] = []
    close = int(last / point)
    for number in range(1, PAST_MINUTES + 1):
        start = max(1, close + stream.randint(-reach, reach))
        high = max(start, close) + stream.randint(0, reach)
        low = max(1, min(start, close) - stream.randint(0, reach))
        volume = stream.randint(lots, 6 * lots) * lot
        bars.append(
            Candle(
                (minute - number) * 60,
                start * point,
                high * point,
                low * point,
                close * point,
                volume,
                volume * ((start + close) // 2 * point),
            )
        )
        close = start
    return tuple(reversed(bars))


class Candles:
    """The bars of one pair, one a minute without holes.

    Args:
        seed: Names the invented past.
        now: Exchange time in seconds.
        last: The price the past leads up to.
        point: The price step of the past.
        reach: How many points a past minute moves at most.
        lot: The size step.
        lots: Volume of a quiet minute, in lots.
    """

    def __init__(
        self, seed: str, now: int, last: Decimal, *, point: Decimal, reach: int, lot: Decimal, lots: int
    ) -> None:
        minute = now // 60
        self._bars = [Candle(minute * 60, last, last, last, last)]
        """Those of the past are in front once somebody has asked for them."""
        self._past: tuple[str, int, Decimal, Decimal, int, Decimal, int] | None = (
            seed, minute, last, point, reach, lot, lots,
        )  # fmt: skip
        self._day: tuple[int, Day] | None = None

    @property
    def current(self) -> Candle:
        """The minute in progress."""
        return self._bars[-1]

    def turn(self, now: int) -> None:
        """Open the bars up to the minute of ``now`` (seconds); minutes without trades repeat the last close."""
        while self._bars[-1].time + 60 <= now:
            close = self._bars[-1].close
            self._bars.append(Candle(self._bars[-1].time + 60, close, close, close, close))

    def trade(self, now: int, price: Decimal, size: Decimal) -> None:
        """Take one trade in."""
        self.turn(now)
        self._bars[-1].trade(price, size)

    def day(self) -> Day:
        """The last 24 hours: the minute in progress and the 1439 before it."""
        bar = self._bars[-1]
        if self._day is None or self._day[0] != bar.time:
            self._recall()
            past = self._bars[-1440:-1]
            self._day = (
                bar.time,
                Day(
                    past[0].open,
                    max(item.high for item in past),
                    min(item.low for item in past),
                    sum((item.volume for item in past), ZERO),
                    sum((item.quote_volume for item in past), ZERO),
                ),
            )
        base = self._day[1]
        return Day(
            base.open,
            max(base.high, bar.high),
            min(base.low, bar.low),
            base.volume + bar.volume,
            base.quote_volume + bar.quote_volume,
        )

    def latest(self, step: int) -> Candle:
        """The bar in progress of a step in minutes."""
        return next(self._backwards(step, None, None))

    def newest(self, step: int, limit: int, after: int | None, before: int | None) -> list[Candle]:
        """The newest bars that begin after and before the given seconds (both excluded), newest first."""
        found: list[Candle] = []
        for bar in self._backwards(step, after, before):
            found.append(bar)
            if len(found) == limit:
                break
        return found

    def oldest(self, step: int, limit: int, after: int) -> list[Candle]:
        """The oldest bars that begin after a second (excluded), newest first like all lists of bars."""
        return list(self._backwards(step, after, None))[-limit:]

    def _recall(self) -> None:
        """Make up the past, if that has not been done."""
        if self._past is not None:
            self._bars[:0] = _past(*self._past)
            self._past = None

    def _backwards(self, step: int, after: int | None, before: int | None) -> Iterator[Candle]:
        self._recall()
        first = self._bars[0].time
        # The oldest bar of a step may begin before the first minute kept: it is left out unless nothing else would be.
        oldest = bucket(first, step)
        if oldest < first and bucket(self._bars[-1].time, step) > oldest:
            oldest += 1
        lowest = oldest if after is None else max(oldest, after + 1)
        end = len(self._bars)
        while end > 0:
            start = bucket(self._bars[end - 1].time, step)
            begin = max(0, (start - first) // 60)
            if start < lowest:
                return
            if before is None or start < before:
                yield _join(start, self._bars[begin:end])
            end = begin


def _join(start: int, bars: list[Candle]) -> Candle:
    if len(bars) == 1:
        return attrs.evolve(bars[0], time=start)
    return Candle(
        start,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum((bar.volume for bar in bars), ZERO),
        sum((bar.quote_volume for bar in bars), ZERO),
    )
