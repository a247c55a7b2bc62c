"""What a fill on the spot market costs, and in which coin.

exchange.exchange.spot.engine.fees = InBought()
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Protocol

from ..bitmart import models as rules
from ..kernel.accounts import ZERO
from ..kernel.book import Side

RATE = rules.FEE_RATE.value
"""What maker and taker pay unless a model says otherwise."""
GRAIN = rules.FEE_GRAIN.value


class Fees(Protocol):
    """A fee model: each fill pays either in the base or in the quote coin."""

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """The fee in the quote coin of a fill, or of an order that is to be set aside for; ``value`` is in it, too."""
        ...

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """The fee in the base coin."""
        ...


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(GRAIN, ROUND_DOWN)


class InQuote:
    """Both sides pay in the quote coin, as recorded; a buyer on top of the value."""

    def __init__(self, rate: Decimal = RATE) -> None:
        self.rate = rate

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """A share of the value."""
        return _share(value, self.rate)

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """Nothing."""
        return ZERO


class InBought:
    """Each side pays out of what it receives, as the exchange did in 2019."""

    def __init__(self, rate: Decimal = RATE) -> None:
        self.rate = rate

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """A share of the value, from sellers."""
        return _share(value, self.rate) if side == "sell" else ZERO

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """A share of the size, from buyers."""
        return _share(size, self.rate) if side == "buy" else ZERO
