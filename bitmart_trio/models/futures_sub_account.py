"""Define sub-accounts on the futures host. Transfers have the shape of the spot host: `SubTransfer`."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._model import Model


@attrs.frozen
class FuturesSubAccountBalance(Model):
    """The balance of one currency in a sub-account's futures wallet."""

    currency: str
    """Such as ``USDT``."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held."""
