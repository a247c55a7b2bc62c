"""Turn candles into trades: a path from open over low and high, in either order, to close, that sums up to the volume.

A candle does not say how prices moved inside it. So the order of low and high is drawn from the seed, the symbol and
the candle's time: a candle has the same order wherever a file begins.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeAlias

import attrs

from ...kernel.book import Side
from ...kernel.numbers import read_decimal
from ..moments import TapeError, TapeTrade
from .cells import Names, Sizes, Unit, amount, read_time, unfloated
from .layouts import TIMES, Layout

Corners: TypeAlias = "tuple[Decimal, Decimal, Decimal, Decimal]"
"""Open, low and high in either order, close."""
FEWEST: Final = 4
"""Trades of a candle: open, low, high, close."""


@attrs.frozen
class Path:
    """The path through a candle.

    Args:
        seed: the seed of the order of low and high.
        trades: the number of trades per candle; those beyond four lie between the four prices.
    """

    seed: int = 0
    trades: int = attrs.field(default=FEWEST)

    def __attrs_post_init__(self) -> None:
        """Refuse a path that cannot visit the four prices."""
        if not FEWEST <= self.trades <= 1000:
            raise TapeError(f"a candle becomes {FEWEST} to 1,000 trades, not {self.trades}")

    def corners(self, symbol: str, ms: int, opened: Decimal, high: Decimal, low: Decimal, closed: Decimal) -> Corners:
        """Return the four prices in the order of the path."""
        draw = random.Random(f"{self.seed}/{symbol}/{ms}").random()
        return (opened, low, high, closed) if draw < 0.5 else (opened, high, low, closed)

    def prices(self, corners: Corners, most: int | None = None) -> list[Decimal]:
        """Return the whole path, corners and points between them, on the grid of the corners.

        Args:
            corners: the four prices in order.
            most: the maximum number of points; None: `trades`. With fewer than four, the close is kept first, then the
                open, then the extreme that is farther from it.
        """
        count = self.trades if most is None else min(most, self.trades)
        if count < FEWEST:
            opened, *extremes, closed = corners
            far = max(extremes, key=lambda price: abs(price - opened))
            return [closed] if count == 1 else [opened, *[far][: count - 2], closed]
        grid = Decimal(1).scaleb(min(0, *(_exponent(price) for price in corners)))
        ways = [abs(after - before) for before, after in pairwise(corners)]
        free, whole = count - FEWEST, sum(ways)
        # Long stretches get more points; the last one gets the remainder of rounding.
        shares = [int(free * way / whole) if whole else free // 3 for way in ways[:2]]
        shares.append(free - sum(shares))
        found = [corners[0]]
        for (before, after), between in zip(pairwise(corners), shares, strict=True):
            found += [
                (before + (after - before) * step / (between + 1)).quantize(grid) for step in range(1, between + 1)
            ]
            found.append(after)
        return found


def candle_length(layout: Layout, rows: Iterator[tuple[int, Sequence[str]]]) -> int:
    """Return the candle length in milliseconds: the shortest distance between two candles; a minute for a single one.

    Invalid rows are left to `read_candles`.
    """
    time = layout.needed(*TIMES)
    last: int | None = None
    apart: set[int] = set()
    for _, row in rows:
        try:
            ms = read_time(row[time].strip())
        except (ValueError, IndexError):
            continue
        if last is not None and ms != last:
            apart = {min(apart | {abs(ms - last)})}
        last = ms
    return min(apart, default=60_000)


def read_candles(
    layout: Layout, names: Names, unit: Unit | None, length: int, path: Path
) -> Callable[[Sequence[str]], Iterator[TapeTrade]]:
    """Return a function that makes the trades of a path from each row.

    Args:
        layout: the layout of the columns.
        names: the names of the markets.
        unit: the unit of volumes; None: contracts in candles of contracts that this package wrote, else units of the
            base currency (contracts, for contracts that are worth dollars).
        length: the length of a candle in milliseconds.
        path: the path through a candle.

    Raises:
        TapeError: a column is missing.
    """
    time = layout.needed(*TIMES)
    columns = [layout.needed(word, f"{word}price") for word in ("open", "high", "low", "close")]
    volume = layout.needed("volume", "basevolume")
    own = "openprice" in layout.names
    sizes: dict[str, Sizes] = {}

    def read(row: Sequence[str]) -> Iterator[TapeTrade]:
        symbol = names.of(row)
        if symbol is None:
            return
        traded = unfloated(read_decimal(row[volume].strip() or "0"))
        if traded < 0:
            raise ValueError(f"a volume below zero: {traded}")
        if not traded:
            return
        ms = read_time(row[time].strip())
        opened, high, low, closed = (unfloated(amount(row[column], "price")) for column in columns)
        if not low <= min(opened, closed) <= max(opened, closed) <= high:
            raise ValueError(f"open {opened} and close {closed} are not between low {low} and high {high}")
        if symbol not in sizes:
            sizes[symbol] = Sizes(symbol, "contracts" if own and unit is None and "_" not in symbol else unit)
        contracts = "_" not in symbol
        traded = sizes[symbol].of(traded, closed, least=0)
        if not traded:
            return
        corners = path.corners(symbol, ms, opened, high, low, closed)
        prices = path.prices(corners, int(traded) if contracts else None)
        parts = split(traded, len(prices), whole=contracts)
        side: Side = "buy" if closed >= opened else "sell"
        before = prices[0]
        last = max(1, len(prices) - 1)
        for number, (price, size) in enumerate(zip(prices, parts, strict=True)):
            side = "buy" if price > before else "sell" if price < before else side
            before = price
            # The first at the candle's beginning, the last in its last millisecond.
            yield TapeTrade(ms + number * (length - 1) // last, symbol, price, size, side)

    return read


def split(volume: Decimal, parts: int, *, whole: bool) -> list[Decimal]:
    """Return parts above zero that add up to a volume, on its own grid or, if that is too coarse, on a finer one."""
    grid = Decimal(1) if whole else Decimal(1).scaleb(min(0, _exponent(volume)))
    while volume // grid < parts:
        grid = grid.scaleb(-1)
    each = (volume / parts // grid) * grid
    return [each] * (parts - 1) + [volume - each * (parts - 1)]


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
