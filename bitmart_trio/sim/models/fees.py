"""What fills cost: on spot each in one of two coins, on futures in the settlement currency.

open_exchange(models=Models(fees=Fees(spot=InBought(), futures=OfValue(taker=Decimal(0), maker=Decimal(0)))))
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final, Protocol

import attrs

from ..kernel.accounts import ZERO
from ..kernel.book import Side

RATE: Final = Decimal("0.001")
"""What maker and taker pay on spot unless a model says otherwise."""
TAKER: Final = Decimal("0.0006")
MAKER: Final = Decimal("0.0002")
"""What the two pay on futures."""
GRAIN: Final = Decimal("1E-8")


class SpotFees(Protocol):
    """A fee model of the spot market: each fill pays either in the base or in the quote coin."""

    @property
    def rate(self) -> Decimal:
        """The share that is shown as the rate of an account."""
        ...

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """The fee in the quote coin of a fill, or of an order that is to be set aside for; ``value`` is in it, too."""
        ...

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """The fee in the base coin."""
        ...


class FuturesFees(Protocol):
    """A fee model of the futures market: a share of the value of each fill."""

    @property
    def taker(self) -> Decimal:
        """The share that a taker pays; opening orders set it aside."""
        ...

    @property
    def maker(self) -> Decimal:
        """The share that a maker pays; not above the taker's."""
        ...


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(GRAIN, ROUND_DOWN)


@attrs.frozen
class InQuote:
    """Both sides pay in the quote coin, as recorded; a buyer on top of the value."""

    rate: Decimal = RATE
    """Share of the value; 0.001 is a tenth of a percent."""

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """A share of the value."""
        return _share(value, self.rate)

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """Nothing."""
        return ZERO


@attrs.frozen
class InBought:
    """Each side pays out of what it receives, as the exchange did in 2019."""

    rate: Decimal = RATE
    """Share of the value; 0.001 is a tenth of a percent."""

    def in_quote(self, side: Side, value: Decimal) -> Decimal:
        """A share of the value, from sellers."""
        return _share(value, self.rate) if side == "sell" else ZERO

    def in_base(self, side: Side, size: Decimal) -> Decimal:
        """A share of the size, from buyers."""
        return _share(size, self.rate) if side == "buy" else ZERO


@attrs.frozen
class OfValue:
    """Takers and makers of contracts each pay a share of the value, the same for every account and contract."""

    taker: Decimal = TAKER
    """Share of the value that whoever meets a resting order pays."""
    maker: Decimal = MAKER
    """Share of the value that whoever rested in the book pays."""


@attrs.frozen(kw_only=True)
class Fees:
    """The fee models of both markets."""

    spot: SpotFees = attrs.Factory(InQuote)
    """Of pairs."""
    futures: FuturesFees = attrs.Factory(OfValue)
    """Of contracts."""
