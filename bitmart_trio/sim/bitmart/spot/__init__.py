"""The chapters of BitMart's spot documentation, one file each, and the pushes of the spot market."""

from __future__ import annotations

from ...spot.market import SpotMarket
from ...treasury import Treasury
from ..wire import Route
from . import account, algo, broker, funding, margin, market, savings, sub_accounts, trading


def routes(spot: SpotMarket, treasury: Treasury) -> list[Route]:
    """Return the routes of all chapters; each is bound to its market or to the treasury."""
    return [
        *market.routes.of(spot),
        *account.routes.of(spot),
        *funding.routes.of(treasury),
        *trading.routes.of(spot),
        *algo.routes.of(spot),
        *margin.routes.of(spot),
        *sub_accounts.routes.of(treasury),
        *broker.routes.of(treasury),
        *savings.routes.of(spot),
    ]
