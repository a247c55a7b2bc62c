"""Place orders that survive cancellation: each is recorded first, found when cut off, and never left open unknowingly.

In use::

    async with bm.trading.open_spot_session(client, "BTC_USDT", journal="bot.journal") as session:
        order = await session.submit(side="buy", type="limit", size="0.001", price="30000")
        filled = await order.wait_filled()

Sessions, their journals and their quotas belong to one process. A journal refuses a second writer. Two processes that
trade with one key share the exchange's limits, but do not know of each other's calls.
"""

from __future__ import annotations

from ._futures import FuturesSession, open_futures_session
from ._guard import ExitReport, OnExit
from ._handle import Fills, Order
from ._journal import Entry as JournalEntry
from ._journal import FileJournal, Journal, MemoryJournal
from ._order import Accepted, OrderFill, OrderState, OrderStatus, Outcome, Rejected, Unknown
from ._session import Leftovers, RulesMode, Session
from ._signals import Stopped, cancel_on_signals, run
from ._spot import SpotSession, open_spot_session
from ._switch import DeadMansSwitch, dead_mans_switch

__all__ = [
    "Accepted",
    "DeadMansSwitch",
    "ExitReport",
    "FileJournal",
    "Fills",
    "FuturesSession",
    "Journal",
    "JournalEntry",
    "Leftovers",
    "MemoryJournal",
    "OnExit",
    "Order",
    "OrderFill",
    "OrderState",
    "OrderStatus",
    "Outcome",
    "Rejected",
    "RulesMode",
    "Session",
    "SpotSession",
    "Stopped",
    "Unknown",
    "cancel_on_signals",
    "dead_mans_switch",
    "open_futures_session",
    "open_spot_session",
    "run",
]
