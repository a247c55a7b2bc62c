"""Define the rebates of API brokers."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._model import Model


@attrs.frozen
class BrokerRebate(Model):
    """The rebate of one day in one currency."""

    currency: str
    """Short code."""
    rebate_amount: Decimal
    """In that currency."""


@attrs.frozen
class BrokerRebates(Model):
    """The rebates of a broker by day."""

    rebates: dict[str, list[BrokerRebate]]
    """Keyed by the day, ``YYYY-MM-DD``; days without a rebate are missing."""

    _identity_: ClassVar[tuple[str, ...]] = ("rebates",)
