"""Read whole histories page by page, with an async iterator per history endpoint, and archive an account.

In use::

    async for fill in bm.history.spot_fills(client, since=datetime(2024, 1, 1, tzinfo=UTC)):
        ...

Each function returns a `Walker`: records oldest first, each once, window after window and page after page within the
quotas. If the exchange omits something, it raises `IncompleteHistory`, and the next step continues after the gap.
``walker.cursor`` is a small JSON value from which a later walk continues. `export` writes a history to a file, and
``bm.history.archive`` a whole account to a directory.
"""

from __future__ import annotations

from . import archive as archive
from ._export import Exported, export
from ._files import ExportError
from ._plan import HistoryGap
from ._spot_table import DailyRebate
from ._threads import Runner
from ._walk import Batches, Cursor, IncompleteHistory, Read, Source, Walker, When, Window, Windows, moment
from .futures import (
    FuturesSource,
    affiliate_funds,
    affiliate_rebates,
    affiliate_trades,
    affiliate_users,
    auto_repayments,
    cross_collateral_interest,
    funding_rates,
    futures_fills,
    futures_klines,
    futures_mark_price_klines,
    futures_market_trades,
    futures_orders,
    futures_sub_transfers,
    futures_transactions,
    futures_transfer_history,
    futures_transfers,
)
from .spot import (
    SpotSource,
    broker_rebates,
    deposits,
    fixed_savings,
    flexible_savings,
    margin_borrows,
    margin_repays,
    spot_algo_orders,
    spot_fills,
    spot_klines,
    spot_market_trades,
    spot_orders,
    spot_sub_transfers,
    spot_transfer_history,
    withdrawals,
)

__all__ = [
    "Batches",
    "Cursor",
    "DailyRebate",
    "ExportError",
    "Exported",
    "FuturesSource",
    "HistoryGap",
    "IncompleteHistory",
    "Read",
    "Runner",
    "Source",
    "SpotSource",
    "Walker",
    "When",
    "Window",
    "Windows",
    "affiliate_funds",
    "affiliate_rebates",
    "affiliate_trades",
    "affiliate_users",
    "archive",
    "auto_repayments",
    "broker_rebates",
    "cross_collateral_interest",
    "deposits",
    "export",
    "fixed_savings",
    "flexible_savings",
    "funding_rates",
    "futures_fills",
    "futures_klines",
    "futures_mark_price_klines",
    "futures_market_trades",
    "futures_orders",
    "futures_sub_transfers",
    "futures_transactions",
    "futures_transfer_history",
    "futures_transfers",
    "margin_borrows",
    "margin_repays",
    "moment",
    "spot_algo_orders",
    "spot_fills",
    "spot_klines",
    "spot_market_trades",
    "spot_orders",
    "spot_sub_transfers",
    "spot_transfer_history",
    "withdrawals",
]
