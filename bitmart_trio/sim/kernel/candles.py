"""Candles of one price: minute bars as they happen, the past before them, and longer bars built on demand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import attrs

from .prehistory import DAY, LEVELS, Prehistory

ZERO: Final = Decimal(0)
WEEK: Final = 10_080
MONTH: Final = 43_200
"""The step, in minutes, that stands for a calendar month of UTC."""
_WEEKDAYS: Final = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
"""1970 began on a Thursday."""
WEEK_BEGINS: Final = "Monday"
_WEEK_OFF: Final = _WEEKDAYS.index(WEEK_BEGINS) * DAY
_CENT: Final = Decimal("0.01")
_SETTLED: Final = (DAY, 60)
"""Lengths of live bars that are kept once they end, so that longer bars need not be built from minutes."""


@attrs.define
class Bar:
    """One candle; ``minute`` is its start in minutes since 1970."""

    minute: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    turnover: Decimal = ZERO
    """The turnover in the quote currency; whole cents once the minute is over."""

    def join(self, later: Bar) -> None:
        """Merge the following bar into this one."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover


def bucket(minute: int, step: int) -> int:
    """Return the start of the bar of ``step`` minutes that contains a minute."""
    if step == MONTH:
        moment = dt.datetime.fromtimestamp(minute * 60, dt.UTC)
        return int(moment.replace(day=1, hour=0, minute=0).timestamp()) // 60
    off = _WEEK_OFF if step == WEEK else 0
    return (minute - off) // step * step + off


def following(start: int, step: int) -> int:
    """Return the start of the next bar."""
    return bucket(start + 32 * DAY, step) if step == MONTH else start + step


@attrs.define
class _Running:
    """A bar in progress: its finished part, up to a minute."""

    bar: Bar | None
    upto: int


class Candles:
    """All bars of one price.

    Args:
        past: the bars before the opening.
        price: the opening price.
        opens_at_trade: True if a bar opens at its first trade, and not at the previous close.
    """

    def __init__(self, past: Prehistory, price: Decimal, *, opens_at_trade: bool) -> None:
        self._past = past
        self._opening = past.opening
        self._opens_at_trade = opens_at_trade
        self._bars = [Bar(past.opening, price, price, price, price)]
        """The minutes since the opening, without a gap."""
        self._settled: dict[tuple[int, int], Bar] = {}
        self._running: dict[int, _Running] = {}
        self._day: tuple[int, Bar] | None = None

    @property
    def current(self) -> Bar:
        """The minute in progress."""
        return self._bars[-1]

    def roll(self, now_ms: int) -> None:
        """Open the bars of the minutes that have begun; a minute without trades repeats the last price."""
        bar = self._bars[-1]
        while bar.minute < now_ms // 60_000:
            bar.turnover = bar.turnover.quantize(_CENT)
            close = bar.close
            bar = Bar(bar.minute + 1, close, close, close, close)
            self._bars.append(bar)

    def note(self, now_ms: int, price: Decimal, size: Decimal = ZERO, turnover: Decimal = ZERO) -> None:
        """Add a trade (or, with no size, a mere change of the price) to the minute in which it happened."""
        self.roll(now_ms)
        bar = self._bars[-1]
        if self._opens_at_trade and not bar.volume:
            bar.open = bar.high = bar.low = price
        elif price > bar.high:
            bar.high = price
        elif price < bar.low:
            bar.low = price
        bar.close = price
        if size:
            bar.volume += size
            bar.turnover += turnover

    def day(self) -> Bar:
        """Return the last 24 hours as one bar: the minute in progress and the 1439 before it."""
        last = self._bars[-1].minute
        if self._day is None or self._day[0] != last:
            self._day = last, self._span(max(last - DAY + 1, self._past.first), last)
        day = attrs.evolve(self._day[1])
        day.join(self._bars[-1])
        return day

    def latest(self, step: int) -> Bar:
        """Return the bar of a step in progress."""
        return self._bar(bucket(self._bars[-1].minute, step), step)

    def newest(self, step: int, count: int, first: int, last: int) -> list[Bar]:
        """Return the newest bars that begin in a span of minutes, both bounds included, newest first."""
        start = bucket(min(last, self._bars[-1].minute), step)
        lowest = max(first, bucket(self._past.first, step))
        found: list[Bar] = []
        while start >= lowest and len(found) < count:
            found.append(self._bar(start, step))
            start = bucket(start - 1, step)
        return found

    def oldest(self, step: int, count: int, first: int) -> list[Bar]:
        """Return the oldest bars that begin at a minute or later, newest first like all lists of bars."""
        start = bucket(max(first, self._past.first), step)
        if start < first:
            start = following(start, step)
        found: list[Bar] = []
        while start <= self._bars[-1].minute and len(found) < count:
            found.append(self._bar(start, step))
            start = following(start, step)
        return found[::-1]

    # -- building ------------------------------------------------------------------------------------

    def _bar(self, start: int, step: int) -> Bar:
        last, end = self._bars[-1].minute, following(start, step)
        if end <= last:
            return self._span(start, end)
        # The running bar holds only finished minutes; the minute in progress is merged into a copy.
        running = self._running.get(step)
        if running is None or running.bar is None or running.bar.minute != start:
            running = self._running[step] = _Running(None, max(start, self._past.first))
        if running.upto < last:
            more = self._span(running.upto, last)
            if running.bar is None:
                running.bar = more
                more.minute = start
            else:
                running.bar.join(more)
            running.upto = last
        if running.bar is None:
            return attrs.evolve(self._bars[-1])
        bar = attrs.evolve(running.bar)
        bar.join(self._bars[-1])
        return bar

    def _span(self, start: int, end: int) -> Bar:
        """Return one new bar of the finished minutes from one to another (not included)."""
        pieces = self._pieces(max(start, self._past.first), end)
        bar = attrs.evolve(next(pieces), minute=start)
        for piece in pieces:
            bar.join(piece)
        return bar

    def _pieces(self, at: int, end: int) -> Iterator[Bar]:
        """Yield as few bars as possible that cover a span."""
        opening = self._opening
        stop = min(end, opening)
        while at < stop:
            # A block that contains the opening ends there.
            level = next(
                level
                for level, length in enumerate(LEVELS)
                if at % length == 0 and (at + length <= stop or stop == opening < at + length)
            )
            yield Bar(at, *self._past.block(level, at))
            at = min(at + LEVELS[level], stop)
        while at < end:
            length = next((each for each in _SETTLED if at % each == 0 and at + each <= end), 1)
            yield self._bars[at - opening] if length == 1 else self._kept(length, at)
            at += length

    def _kept(self, length: int, start: int) -> Bar:
        """Return a finished live bar of a length."""
        found = self._settled.get((length, start))
        if found is None:
            at = start - self._opening
            hours = range(start, start + length, 60)
            first, *more = [self._kept(60, hour) for hour in hours] if length == DAY else self._bars[at : at + length]
            found = attrs.evolve(first)
            for bar in more:
                found.join(bar)
            self._settled[length, start] = found
        return found
