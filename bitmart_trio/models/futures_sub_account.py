"""Sub-accounts as seen on the futures host. Transfers look as on the spot host: `SubTransfer`."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._model import Model


@attrs.frozen
class FuturesSubAccountBalance(Model):
    """What a sub-account's futures wallet holds of one currency."""

    currency: str
    """Such as ``USDT``."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held."""
