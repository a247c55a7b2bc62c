"""Define the chapter of simulated trading: play money."""

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
    """The balance afterwards according to the documentation; the claimed amount according to the agent reference."""
