"""Summarise a tape's content per symbol in one pass, so that a tape of any length can be played from its file."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import attrs

from ..._scopes import own_decimals
from ..kernel.symbols import Contract, SpotPair, Symbol, read_symbols
from .moments import Moment, TapeBook

_ONE: Final = Decimal(1)
_DIGITS: Final = 26
"""The number of digits of a quotient, as many as decimal arithmetic has without rounding."""


@attrs.define
class TapePart:
    """The content of a tape for one symbol."""

    symbol: str
    start_ms: int
    """The time of the first moment."""
    end_ms: int
    """The time of the last moment."""
    trades: int = 0
    books: int = 0
    volume: Decimal = Decimal(0)
    """The sum of the sizes of all trades: base currency on spot, contracts on futures."""
    first: Decimal | None = None
    """The price of the first trade; None without trades."""
    last: Decimal | None = None
    """The price of the last trade."""
    high: Decimal | None = None
    low: Decimal | None = None
    longest_gap_ms: int = 0
    """The longest time between two moments."""
    gap_ms: int | None = None
    """The time when the longest gap began."""
    price_step: Decimal = _ONE
    """The greatest power of ten, at most 1, of which all prices are multiples."""
    size_step: Decimal = _ONE
    """The greatest power of ten, at most 1, of which all sizes are multiples."""
    opening: Decimal | None = None
    """The first price, of a trade or of a level; None if there are only empty books."""

    def take(self, moment: Moment) -> None:
        """Count one more moment."""
        if moment.ms - self.end_ms > self.longest_gap_ms:
            self.longest_gap_ms, self.gap_ms = moment.ms - self.end_ms, self.end_ms
        self.end_ms = moment.ms
        if isinstance(moment, TapeBook):
            self.books += 1
            for price, size in (*(moment.bids or ()), *(moment.asks or ())):
                self._fit(price, size)
            return
        price = self.last = moment.price
        self.trades += 1
        self.volume += moment.size
        if self.first is None or self.high is None or self.low is None:
            self.first = self.high = self.low = price
        self.high, self.low = max(self.high, price), min(self.low, price)
        self._fit(price, moment.size)

    @own_decimals
    def rule(self) -> Symbol:
        """Return the symbol, with steps fine enough for the tape, to list on an exchange."""
        # A side that is always empty restricts nothing.
        if self.opening is None:
            return self.symbol
        # No coarser than a usual symbol of that price: a tape of whole coins does not forbid smaller orders.
        if "_" not in self.symbol:
            terms = read_symbols([Contract(self.symbol, price=self.opening)]).contracts[0]
            return Contract(self.symbol, price=self.opening, tick=min(self.price_step, terms.tick))
        pair = read_symbols([SpotPair(self.symbol, price=self.opening)]).pairs[0]
        return SpotPair(
            self.symbol,
            price=self.opening,
            tick=min(self.price_step, pair.tick),
            step=min(self.size_step, pair.lot),
        )

    def _fit(self, price: Decimal, size: Decimal) -> None:
        if self.opening is None:
            self.opening = price
        self.price_step = _fitted(self.price_step, price)
        self.size_step = _fitted(self.size_step, size)


@attrs.define
class Outline:
    """The content of a tape: its times, and a summary per symbol."""

    start_ms: int = 0
    end_ms: int = 0
    moments: int = 0
    ordered: bool = True
    """True if no moment is earlier than the previous one."""
    parts: dict[str, TapePart] = attrs.field(factory=dict[str, TapePart])
    """The summaries by symbol, in order of appearance."""

    @classmethod
    @own_decimals
    def of(cls, moments: Iterable[Moment]) -> Outline:
        """Count all moments; stop at the first one that is out of order."""
        outline = cls()
        for moment in moments:
            outline.take(moment)
            if not outline.ordered:
                break
        return outline

    def take(self, moment: Moment) -> None:
        """Count one more moment."""
        if not self.moments:
            self.start_ms = self.end_ms = moment.ms
        elif moment.ms < self.end_ms:
            self.ordered = False
        self.moments += 1
        self.end_ms = max(self.end_ms, moment.ms)
        part = self.parts.get(moment.symbol)
        if part is None:
            part = self.parts[moment.symbol] = TapePart(moment.symbol, moment.ms, moment.ms)
        part.take(moment)


def _fitted(step: Decimal, number: Decimal) -> Decimal:
    """Return the step, or a finer one of which the number is a multiple."""
    # A number with too many digits for a remainder is measured directly.
    if number.adjusted() - step.adjusted() < _DIGITS and not number % step:
        return step
    exponent = number.normalize().as_tuple().exponent
    return min(step, _ONE.scaleb(min(0, exponent) if isinstance(exponent, int) else 0))
