"""Candles of one price: minute bars as they happen, and an invented past for everything before the exchange was opened.

The past is a pure function of the seed and the time (hashed points at several distances, joined by straight lines),
tied to the price of the opening minute. Any bar of any age can so be asked for without storing it, and the same
question always has the same answer. Bars longer than a few minutes look at a limited number of points of the past, so
their extremes are plausible rather than exact sums of shorter bars; from one day before the opening on, every bar is
put together from real minute bars.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

import attrs

from .contracts import ZERO, Contract

_SCALE = 1 << 32
_OCTAVES = ((7, 4), (61, 14), (487, 50), (3_911, 150), (31_337, 500))
"""(distance of the points in minutes, swing in 1/10000 of the price)."""
_POINTS = 12
_DAY = 1440
_REMEMBERED = 5000


@attrs.define
class Bar:
    """One candle; ``minute`` is its start in minutes since 1970."""

    minute: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    """Contracts."""
    turnover: Decimal
    """Quote currency."""

    def add(self, price: Decimal, size: Decimal, turnover: Decimal) -> None:
        """Take one trade in."""
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += size
        self.turnover += turnover

    def join(self, later: Bar) -> None:
        """Take the following bar in."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.turnover += later.turnover


class Past:
    """The invented price before the opening minute."""

    def __init__(self, contract: Contract, seed: str, minute: int, price: Decimal, volume: bool) -> None:
        self._contract = contract
        self._key = seed.encode()
        self._minute = minute
        self._price = price
        self._volume = volume
        self._memo: dict[tuple[int, int], int] = {}
        self._zero = self._wave(minute)

    def price(self, minute: int) -> Decimal:
        """The price at the start of a minute; at the opening minute, exactly the opening price."""
        swing = self._wave(minute) - self._zero
        return self._contract.on_grid(self._price * (10_000 * _SCALE + swing) / (10_000 * _SCALE))

    def bar(self, start: int, end: int) -> Bar:
        """The bar from one minute to another (not included)."""
        first, last = self.price(start), self.price(end)
        step = max(1, (end - start) // _POINTS)
        points = [first, last, *(self.price(minute) for minute in range(start + step, end, step))]
        reach = self._contract.tick * (self._hash(start, 5) % 40)
        high, low = max(points) + reach, min(points) - reach
        size, turnover = ZERO, ZERO
        if self._volume:
            size = Decimal((end - start) * (200 + self._hash(start, 6) % 1600))
            turnover = self._contract.quote_amount(size, (high + low) / 2)
        return Bar(start, first, high, low, last, size, turnover)

    def _wave(self, minute: int) -> int:
        total = 0
        for distance, swing in _OCTAVES:
            at, part = divmod(minute, distance)
            left, right = self._hash(at, distance), self._hash(at + 1, distance)
            total += swing * (left + (right - left) * part // distance - _SCALE // 2)
        return total

    def _hash(self, at: int, salt: int) -> int:
        # Neighbouring minutes share nearly all their points.
        found = self._memo.get((at, salt))
        if found is None:
            if len(self._memo) >= _REMEMBERED:
                self._memo.clear()
            digest = blake2b(b"%d/%d" % (salt, at), key=self._key[:64], digest_size=4).digest()
            found = self._memo[at, salt] = int.from_bytes(digest, "big")
        return found


@attrs.define
class _Running:
    """A long bar under construction: what is settled of it, up to a minute."""

    bar: Bar | None
    upto: int


class Series:
    """All bars of one price."""

    def __init__(self, contract: Contract, seed: str, now_ms: int, price: Decimal, *, volume: bool) -> None:
        self._contract = contract
        opening = now_ms // 60_000
        self._past = Past(contract, seed, opening, price, volume)
        self._first = opening - _DAY
        self._bars = {opening: Bar(opening, price, price, price, price, ZERO, ZERO)}
        """Minute bars; those of the day before the opening are made when they are first looked at."""
        self._last = opening
        self._running: dict[int, _Running] = {}
        self._day_cache: tuple[int, Bar] | None = None

    def note(self, now_ms: int, price: Decimal, size: Decimal = ZERO) -> None:
        """Take a trade (or, with no size, a mere change of the price) into the minute it happened in."""
        self.roll(now_ms)
        self._bars[self._last].add(price, size, self._contract.quote_amount(size, price) if size else ZERO)

    def roll(self, now_ms: int) -> None:
        """Open the bars of the minutes that have begun; minutes without trades repeat the last price."""
        close = self._bars[self._last].close
        for minute in range(self._last + 1, now_ms // 60_000 + 1):
            self._bars[minute] = Bar(minute, close, close, close, close, ZERO, ZERO)
            self._last = minute

    def between(self, step: int, start_s: int, end_s: int, count: int) -> list[Bar]:
        """The bars of ``step`` minutes that begin in a span of seconds, oldest first, the newest ``count`` of them."""
        first, last = -(-start_s // (60 * step)), min(end_s // 60, self._last) // step
        return [self._bar(slot * step, step) for slot in range(max(first, last - count + 1, 0), last + 1)]

    def current(self, step: int) -> Bar:
        """The bar of ``step`` minutes in progress."""
        return self._bar(self._last // step * step, step)

    def day(self) -> Bar:
        """The last 24 hours as one bar."""
        if self._day_cache is None or self._day_cache[0] != self._last:
            start = max(self._last - _DAY + 1, self._first)
            whole = attrs.evolve(self._minute(start))
            for minute in range(start + 1, self._last):
                whole.join(self._minute(minute))
            self._day_cache = (self._last, whole)
        day = attrs.evolve(self._day_cache[1])
        day.join(self._bars[self._last])
        return day

    def _minute(self, minute: int) -> Bar:
        bar = self._bars.get(minute)
        if bar is None:
            bar = self._bars[minute] = self._past.bar(minute, minute + 1)
        return bar

    def _bar(self, start: int, step: int) -> Bar:
        end = min(start + step, self._last + 1)
        if end <= self._first:
            return self._past.bar(start, start + step)
        running = self._running.get(step)
        if running is None or running.bar is None or running.bar.minute != start:
            running = _Running(
                self._past.bar(start, self._first) if start < self._first else None, max(start, self._first)
            )
        # Only finished minutes are kept in the running bar; the one in progress is joined to a copy.
        for minute in range(running.upto, min(end, self._last)):
            _join(running, self._minute(minute))
            running.upto = minute + 1
        if end == self._last + 1:
            self._running[step] = running
            running = _Running(None if running.bar is None else attrs.evolve(running.bar), running.upto)
            _join(running, self._bars[self._last])
        assert running.bar is not None, "a bar has at least one minute"
        running.bar.minute = start
        return running.bar


def _join(running: _Running, bar: Bar) -> None:
    if running.bar is None:
        running.bar = attrs.evolve(bar)
    else:
        running.bar.join(bar)
