"""The chapters of BitMart's futures documentation, one file each, and the pushes of the futures market."""

from __future__ import annotations

from ...futures.market import FuturesMarket
from ...treasury import Treasury
from ..wire import Route
from . import account, affiliate, collateral, demo, market, plan_trading, position, sub_accounts, trading, transfers


def routes(futures: FuturesMarket, treasury: Treasury) -> list[Route]:
    """Return the routes of all chapters; each is bound to its market or to the treasury."""
    return [
        *market.routes.of(futures),
        *account.routes.of(futures),
        *transfers.routes.of(treasury),
        *collateral.routes.of(treasury),
        *trading.routes.of(futures),
        *plan_trading.routes.of(futures),
        *position.routes.of(futures),
        *sub_accounts.routes.of(treasury),
        *affiliate.routes.of(futures),
        *demo.routes.of(treasury),
    ]
