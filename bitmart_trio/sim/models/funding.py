"""The model of funding rates."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Final, Protocol

import attrs

from ..kernel.contracts import FUNDING_CAP
from .words import ModelError, number, pick

USUAL: Final = Decimal("0.0001")
"""0.01 %, to which rates return."""
_GRAIN: Final = Decimal("1E-12")


class FundingModel(Protocol):
    """Draws the rate of each settlement."""

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        """Return the rate after this one; if positive, longs pay. The exchange keeps it within `FUNDING_CAP`."""
        ...


@attrs.frozen
class Reverting:
    """Each rate returns half way to the usual one, with a little noise."""

    usual: Decimal = USUAL

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        """Return a rate half way back, plus noise."""
        noise = Decimal(dice.randint(-40_000, 40_000)) / 1_000_000_000
        return (rate + self.usual) / 2 + noise


@attrs.frozen
class Constant:
    """The same rate at every settlement."""

    rate: Decimal = USUAL
    """The rate: if positive, longs pay shorts; kept within `FUNDING_CAP`."""

    def following(self, rate: Decimal, dice: random.Random) -> Decimal:
        """Return the same rate again."""
        return self.rate


def parse_funding(text: str) -> FundingModel:
    """Return the funding model that a word of the command line names: ``reverting``, ``none``, ``constant:0.0001``.

    Raises:
        ModelError: the text names none of these.
    """
    words: dict[str, FundingModel] = {"reverting": Reverting(), "none": Constant(Decimal(0))}
    return pick("fundings", text, words, {"constant:0.0001": lambda rest: Constant(_rate(rest))})


def _rate(text: str) -> Decimal:
    rate = number(text)
    if abs(rate) > FUNDING_CAP:
        raise ModelError(f"a rate is {FUNDING_CAP} at most, either way")
    return rate


def capped(rate: Decimal) -> Decimal:
    """Return a rate within the bounds of every contract, on the displayed grain."""
    return max(-FUNDING_CAP, min(FUNDING_CAP, rate)).quantize(_GRAIN)
