"""Candles as trades: a path from open over low and high, in whichever order, to close, that sums up to the volume.

How prices went inside a candle is not known from it. So the order of low and high is drawn: from the seed, the symbol
and the candle's time, so that it is the same for a candle wherever a file begins.
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
        seed: What the order of low and high is drawn from.
        trades: How many trades a candle becomes; those beyond four lie on the way between the four.
    """

    seed: int = 0
    trades: int = attrs.field(default=FEWEST)

    def __attrs_post_init__(self) -> None:
        """Refuse a path that cannot visit the four prices."""
        if not FEWEST <= self.trades <= 1000:
            raise TapeError(f"a candle becomes {FEWEST} to 1,000 trades, not {self.trades}")

    def corners(self, symbol: str, ms: int, opened: Decimal, high: Decimal, low: Decimal, closed: Decimal) -> Corners:
        """The four prices in the order in which they are visited."""
        draw = random.Random(f"{self.seed}/{symbol}/{ms}").random()
        return (opened, low, high, closed) if draw < 0.5 else (opened, high, low, closed)

    def prices(self, corners: Corners, most: int | None = None) -> list[Decimal]:
        """The whole way, corners and what lies between them, on the grid of the corners.

        Args:
            corners: The four prices in order.
            most: How many there may be; None: `trades`. Of fewer than four, the close is kept first, then the open,
                then the extreme that is farther from it.
        """
        count = self.trades if most is None else min(most, self.trades)
        if count < FEWEST:
            opened, *extremes, closed = corners
            far = max(extremes, key=lambda price: abs(price - opened))
            return [closed] if count == 1 else [opened, *[far][: count - 2], closed]
        grid = Decimal(1).scaleb(min(0, *(_exponent(price) for price in corners)))
        ways = [abs(after - before) for before, after in pairwise(corners)]
        free, whole = count - FEWEST, sum(ways)
        # Points go where the way is long; what rounding leaves over, to the last.
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
    """The length of a file's candles in milliseconds: the shortest distance of two of them; a minute for a single one.

    Rows that cannot be read are left to `read_candles`.
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
        layout: What the columns are.
        names: Whose candles they are.
        unit: What volumes are counted in; None: contracts in the candles of contracts that this package writes, else
            units of the base currency (contracts, for contracts that are worth dollars).
        length: Of a candle, in milliseconds.
        path: How it is walked.

    Raises:
        TapeError: A column is missing.
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
    """Parts above zero that add up to a volume, on its own grid or, if that is too coarse, on a finer one."""
    grid = Decimal(1) if whole else Decimal(1).scaleb(min(0, _exponent(volume)))
    while volume // grid < parts:
        grid = grid.scaleb(-1)
    each = (volume / parts // grid) * grid
    return [each] * (parts - 1) + [volume - each * (parts - 1)]


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
