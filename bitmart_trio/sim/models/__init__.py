"""The exchangeable rules of an exchange: fees, fills, latency, funding rates, margins, and the moves of the market."""

from __future__ import annotations

from typing import Final

import attrs

from .fees import (
    FREE,
    TIERED,
    Fees,
    FuturesFees,
    FuturesRates,
    InBought,
    InQuote,
    OfValue,
    SpotFees,
    SpotRates,
    Tiered,
    parse_fees,
)
from .fills import Chance, FillModel, First, QueuePosition, parse_fills
from .funding import Constant, FundingModel, Reverting, parse_funding
from .latency import Fixed, Instant, Jittered, LatencyModel, Ways, parse_latency
from .margin import Flat, MarginModel, Tiers, parse_margin
from .market import MarketModel, Moved, Still
from .words import ModelError

__all__ = [
    "FREE", "RECORDED", "TIERED", "Chance", "Constant", "Fees", "FillModel", "First", "Fixed", "Flat", "FundingModel",
    "FuturesFees", "FuturesRates", "InBought", "InQuote", "Instant", "Jittered", "LatencyModel", "MarginModel",
    "MarketModel", "ModelError", "Models", "Moved", "OfValue", "QueuePosition", "Reverting", "SpotFees", "SpotRates",
    "Still", "Tiered", "Tiers", "Ways", "parse_fees", "parse_fills", "parse_funding", "parse_latency", "parse_margin",
]  # fmt: skip


@attrs.frozen(kw_only=True)
class Models:
    """The exchangeable rules of an exchange; by default the recorded ones.

    Any object with the right methods will do, without a base class. The model that moves the markets is chosen by
    ``open_exchange(market=...)``.
    """

    fees: Fees = Fees()
    """The fees of fills."""
    fills: FillModel = First()
    """The fill model: the share of resting orders in the trades of others."""
    latency: LatencyModel = Instant()
    """The model of latency inside the exchange, for orders, pushes and replies."""
    funding: FundingModel = Reverting()
    """The model of funding rates."""
    margin: MarginModel = Tiers()
    """The margin that positions in contracts need."""


RECORDED: Final = Models()
"""The default models of an exchange."""
