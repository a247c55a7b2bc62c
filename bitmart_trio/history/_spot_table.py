"""Define the histories of the spot host, one row each: windows, pages, limits, and the identity of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import attrs

from ..endpoints import spot as rows
from ..errors import MalformedReply
from ..models._model import Model
from ..models.broker import BrokerRebates
from ..models.spot_sub_account import SubTransfer, SubTransferPage
from ._plan import Rules
from ._seek import Coarse
from ._units import DAY, MINUTE, SECOND, items, same
from ._walk import Walk

_FORGOTTEN: Final = "orders that were cancelled without a fill are not listed after 20 minutes"

KLINES: Final = Walk(
    name="spot.market.klines",
    endpoint=rows.market.klines,
    rules=Rules(span=MINUTE * 198, grain=SECOND, most=200, even=True),
    pick=same,
    time=lambda row: row.open_time * SECOND,
    rank=lambda row: str(row.open_time),
    start="after",
    end="before",
    unit=SECOND,
    coarse=Coarse((60, 1440, 43_200), most=197),
)
MARKET_TRADES: Final = Walk(
    name="spot.market.trades",
    endpoint=rows.market.trades,
    rules=Rules(span=0, most=50),
    pick=same,
    time=lambda row: row.timestamp,
    start=None,
    end=None,
    omits=("only the newest 50 public trades are listed",),
)
# The documentation gives no longest window. By default the endpoint searches a week, so a week certainly works.
ORDERS: Final = Walk(
    name="spot.trading.order_history",
    endpoint=rows.trading.order_history,
    rules=Rules(span=7 * DAY, most=200, stretches=True),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.order_id,
    omits=(_FORGOTTEN, "open orders are not part of a history"),
)
FILLS: Final = Walk(
    name="spot.trading.trades",
    endpoint=rows.trading.trades,
    rules=Rules(span=7 * DAY, most=200, stretches=True),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.trade_id,
)
ALGO_ORDERS: Final = Walk(
    name="spot.algo.order_history",
    endpoint=rows.algo.order_history,
    rules=Rules(span=7 * DAY, most=200, stretches=True),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.order_id,
    omits=("waiting orders are not part of a history",),
)
OPEN_ORDERS: Final = Walk(
    name="spot.trading.open_orders",
    endpoint=rows.trading.open_orders,
    rules=Rules(span=7 * DAY, most=200, stretches=True, transient=True),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.order_id,
)
OPEN_ALGO_ORDERS: Final = Walk(
    name="spot.algo.open_orders",
    endpoint=rows.algo.open_orders,
    rules=Rules(span=7 * DAY, most=200, stretches=True, transient=True),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.order_id,
)
DEPOSITS_WITHDRAWALS: Final = Walk(
    name="spot.account.deposit_withdraw_history",
    endpoint=rows.account.deposit_withdraw_history,
    # Under 90 days. A thousand rows since 2025-02; older sources say 100, and more would be omitted silently.
    rules=Rules(span=89 * DAY, most=1000),
    pick=same,
    time=lambda row: row.apply_time,
    rank=lambda row: row.withdraw_id or row.deposit_id or row.tx_id or "",
)
BORROWS: Final = Walk(
    name="spot.margin.borrow_records",
    endpoint=rows.margin.borrow_records,
    # Requested in milliseconds, listed in seconds.
    rules=Rules(span=89 * DAY, grain=SECOND, most=100),
    pick=same,
    time=lambda row: row.create_time * SECOND,
    rank=lambda row: row.borrow_id,
)
REPAYS: Final = Walk(
    name="spot.margin.repay_records",
    endpoint=rows.margin.repay_records,
    rules=Rules(span=89 * DAY, grain=SECOND, most=100),
    pick=same,
    time=lambda row: row.repay_time * SECOND,
    rank=lambda row: row.repay_id,
)
_SUB_RULES: Final = Rules(span=0, grain=SECOND, most=100, reach=90 * DAY)
_SUB_OMITS: Final = ("only the newest 100 transfers of the last three months are listed",)


def _transfers(page: SubTransferPage) -> list[SubTransfer]:
    return page.transfers


SUB_TRANSFERS: Final = Walk(
    name="spot.sub_account.transfers",
    endpoint=rows.sub_account.transfers,
    rules=_SUB_RULES,
    pick=_transfers,
    time=lambda row: row.submission_time * SECOND,
    total=lambda page: page.total,
    start=None,
    end=None,
    always={"move_type": "spot to spot"},
    omits=_SUB_OMITS,
)
TRANSFER_HISTORY: Final = Walk(
    name="spot.sub_account.transfer_history",
    endpoint=rows.sub_account.transfer_history,
    rules=_SUB_RULES,
    pick=_transfers,
    time=lambda row: row.submission_time * SECOND,
    total=lambda page: page.total,
    start=None,
    end=None,
    always={"move_type": "spot to spot"},
    omits=_SUB_OMITS,
)


_SAVINGS_RULES: Final = Rules(span=89 * DAY, most=100, pages=1000)
FLEXIBLE: Final = Walk(
    name="spot.earn.flexible_records",
    endpoint=rows.earn.flexible_records,
    rules=_SAVINGS_RULES,
    pick=items,
    time=lambda row: row.time,
    rank=lambda row: row.record_id,
    total=lambda page: page.total,
    size="page_size",
    page="page",
)
FIXED: Final = Walk(
    name="spot.earn.fixed_records",
    endpoint=rows.earn.fixed_records,
    rules=_SAVINGS_RULES,
    pick=items,
    time=lambda row: row.time,
    rank=lambda row: row.record_id,
    total=lambda page: page.total,
    size="page_size",
    page="page",
)


@attrs.frozen
class DailyRebate(Model):
    """The rebate of a broker for one day in one currency."""

    day: date
    """The day, in UTC."""
    currency: str
    """Short code."""
    rebate_amount: Decimal
    """The rebate, in that currency."""

    @property
    def time(self) -> int:
        """Return the beginning of the day, in milliseconds."""
        return int(datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC).timestamp()) * SECOND


def _daily(rebates: BrokerRebates) -> list[DailyRebate]:
    def each() -> Iterator[DailyRebate]:
        for text, entries in rebates.rebates.items():
            try:
                day = date.fromisoformat(text)
            except ValueError:
                raise MalformedReply(f"{rows.broker.rebates} names a day {text!r}") from None
            for entry in entries:
                yield DailyRebate(day, entry.currency, entry.rebate_amount)

    return list(each())


REBATES: Final = Walk(
    name="spot.broker.rebates",
    endpoint=rows.broker.rebates,
    # Listed by days. Without a range 180 days are searched; a wider one is refused, but the limit is not documented.
    rules=Rules(span=177 * DAY, grain=DAY),
    pick=_daily,
    time=lambda row: row.time,
    rank=lambda row: f"{row.day.isoformat()} {row.currency}",
    unit=SECOND,
    size=None,
)

WALKS: Final[Sequence[Walk[object, object]]] = (  # type: ignore[assignment]  # a row is read, never given to
    KLINES,
    MARKET_TRADES,
    ORDERS,
    FILLS,
    ALGO_ORDERS,
    DEPOSITS_WITHDRAWALS,
    BORROWS,
    REPAYS,
    SUB_TRANSFERS,
    TRANSFER_HISTORY,
    FLEXIBLE,
    FIXED,
    REBATES,
)
"""The list of all histories of the spot host."""

OPEN: Final[Sequence[Walk[object, object]]] = (OPEN_ORDERS, OPEN_ALGO_ORDERS)  # type: ignore[assignment]  # as above
"""Lists of open orders, read window by window like histories."""
