"""Simulated trading's own chapter: play money."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._model import Model


@attrs.frozen
class DemoClaimResult(Model):
    """Play money that was claimed."""

    currency: str
    """Such as ``USDT``."""
    amount: Decimal
    """The balance afterwards by the documentation, the claimed amount by the exchange's agent reference."""
