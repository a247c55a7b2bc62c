"""How funding rates come about."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Final, Protocol

import attrs

from ..kernel.contracts import FUNDING_CAP

USUAL: Final = Decimal("0.0001")
"""0.01 %: what rates return to."""
_GRAIN: Final = Decimal("1E-12")


class FundingModel(Protocol):
    """Draws the rate of each settlement."""

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        """The rate after this one; positive: longs pay. The exchange keeps it within `FUNDING_CAP`."""
        ...


@attrs.frozen
class Reverting:
    """Each rate goes half way back to the usual one, with a little noise."""

    usual: Decimal = USUAL

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        """Half way back, plus noise."""
        noise = Decimal(dice.randint(-40_000, 40_000)) / 1_000_000_000
        return (rate + self.usual) / 2 + noise


def capped(rate: Decimal) -> Decimal:
    """A rate within the bounds of every contract, on the grain that is shown."""
    return max(-FUNDING_CAP, min(FUNDING_CAP, rate)).quantize(_GRAIN)
