"""Sub-accounts as seen on the futures host. Transfers look as on the spot host: `SubTransfer`."""

from __future__ import annotations

from decimal import Decimal

import attrs


@attrs.frozen
class FuturesSubAccountBalance:
    """What a sub-account's futures wallet holds of one currency."""

    currency: str
    """Such as ``USDT``."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held."""
