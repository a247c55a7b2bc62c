"""What a user may exchange of an exchange: how it takes fees, draws funding rates, and is moved."""

from __future__ import annotations

from typing import Final

import attrs

from .fees import Fees, FuturesFees, InBought, InQuote, OfValue, SpotFees
from .funding import FundingModel, Reverting
from .market import MarketModel, Still

__all__ = [
    "RECORDED", "Fees", "FundingModel", "FuturesFees", "InBought", "InQuote", "MarketModel", "Models", "OfValue",
    "Reverting", "SpotFees", "Still",
]  # fmt: skip


@attrs.frozen(kw_only=True)
class Models:
    """The rules of an exchange that are a matter of choice; as they are, those that were recorded.

    Any object with the right methods will do; nothing has to be derived from.
    """

    fees: Fees = Fees()
    """What fills cost."""
    funding: FundingModel = Reverting()
    """How funding rates come about."""


RECORDED: Final = Models()
"""Those of an exchange for which nothing else was chosen."""
