"""Define the histories of the futures host, one row each; see those of the spot host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ..endpoints import futures as rows
from ..errors import MalformedReply
from ._plan import Rules
from ._seek import Coarse
from ._units import DAY, MINUTE, SECOND, items, same, scaled
from ._walk import Walk


def loose_time(value: int | str) -> int:
    """Return a time of undocumented form in milliseconds: Unix seconds or milliseconds, else a date and time in UTC."""
    text = str(value).strip()
    if text.isdecimal():
        return scaled(int(text))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedReply(f"not a time: {text!r}") from None
    return round((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() * SECOND)


_KLINE_RULES: Final = Rules(span=MINUTE * 497, grain=SECOND, most=500, even=True)
_COARSE: Final = Coarse((60, 1440, 10_080), most=497)
KLINES: Final = Walk(
    name="futures.market.klines",
    endpoint=rows.market.klines,
    rules=_KLINE_RULES,
    pick=same,
    time=lambda row: row.timestamp * SECOND,
    rank=lambda row: str(row.timestamp),
    unit=SECOND,
    size=None,
    coarse=_COARSE,
)
MARK_KLINES: Final = Walk(
    name="futures.market.mark_price_klines",
    endpoint=rows.market.mark_price_klines,
    rules=_KLINE_RULES,
    pick=same,
    time=lambda row: row.timestamp * SECOND,
    rank=lambda row: str(row.timestamp),
    unit=SECOND,
    size=None,
    coarse=_COARSE,
)
FUNDING: Final = Walk(
    name="futures.market.funding_rate_history",
    endpoint=rows.market.funding_rate_history,
    rules=Rules(span=0, most=100),
    pick=same,
    time=lambda row: row.funding_time,
    rank=lambda row: str(row.funding_time),
    start=None,
    end=None,
    omits=("only the newest 100 settled rates are listed",),
)
MARKET_TRADES: Final = Walk(
    name="futures.market.trades",
    endpoint=rows.market.trades,
    rules=Rules(span=0, grain=SECOND, most=100),
    pick=same,
    time=lambda row: row.time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 public trades are listed",),
)
# At most 90 days; requested in seconds, listed in milliseconds. The exchange silently omits orders beyond 200. For
# fills no source gives the limit.
ORDERS: Final = Walk(
    name="futures.trading.order_history",
    endpoint=rows.trading.order_history,
    rules=Rules(span=89 * DAY, grain=SECOND, most=200),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.order_id,
    unit=SECOND,
    size=None,
    omits=("open orders are not part of a history", "orders are listed per contract only"),
)
FILLS: Final = Walk(
    name="futures.trading.trades",
    endpoint=rows.trading.trades,
    rules=Rules(span=89 * DAY, grain=SECOND, most=200),
    pick=same,
    time=lambda row: row.create_time,
    rank=lambda row: row.trade_id,
    unit=SECOND,
    size=None,
)
TRANSACTIONS: Final = Walk(
    name="futures.account.transaction_history",
    endpoint=rows.account.transaction_history,
    # No longest window is documented; that of similar endpoints is 90 days.
    rules=Rules(span=89 * DAY, most=1000),
    pick=same,
    time=lambda row: row.time,
    rank=lambda row: row.tran_id,
    size="page_size",
)
TRANSFERS: Final = Walk(
    name="futures.account.transfers",
    endpoint=rows.account.transfers,
    rules=Rules(span=89 * DAY, most=100, pages=1000),
    pick=same,
    time=lambda row: row.timestamp,
    rank=lambda row: row.transfer_id,
    page="page",
)


# At most 90 days and 20 rows, by one source; the rows contain their total.
_DEBT_RULES: Final = Rules(span=89 * DAY, grain=SECOND, most=20, pages=100_000)
REPAYMENTS: Final = Walk(
    name="futures.account.auto_repayments",
    endpoint=rows.account.auto_repayments,
    rules=_DEBT_RULES,
    pick=items,
    time=lambda row: loose_time(row.time),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
INTEREST: Final = Walk(
    name="futures.account.cross_collateral_interest",
    endpoint=rows.account.cross_collateral_interest,
    rules=_DEBT_RULES,
    pick=items,
    time=lambda row: loose_time(row.interest_time),
    rank=lambda row: str(row.record_id),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
_SUB_RULES: Final = Rules(span=0, grain=SECOND, most=100)
SUB_TRANSFERS: Final = Walk(
    name="futures.sub_account.transfers",
    endpoint=rows.sub_account.transfers,
    rules=_SUB_RULES,
    pick=same,
    time=lambda row: row.submission_time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 transfers of a sub-account are listed",),
)
TRANSFER_HISTORY: Final = Walk(
    name="futures.sub_account.transfer_history",
    endpoint=rows.sub_account.transfer_history,
    rules=_SUB_RULES,
    pick=same,
    time=lambda row: row.submission_time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 transfers are listed",),
)


AFFILIATE_REBATES: Final = Walk(
    name="futures.affiliate.rebates",
    endpoint=rows.affiliate.rebates,
    rules=Rules(span=DAY, grain=SECOND, most=50, pages=100_000, sums=True),
    pick=items,
    time=lambda row: 0,
    rank=lambda row: str(row.trade_user_id),
    total=lambda page: page.total,
    start="rebate_start_time",
    end="rebate_end_time",
    unit=SECOND,
    size="page_size",
    page="page",
)
AFFILIATE_USERS: Final = Walk(
    name="futures.affiliate.invited_users",
    endpoint=rows.affiliate.invited_users,
    rules=Rules(span=DAY, grain=SECOND, most=50, pages=100_000, sums=True),
    pick=items,
    time=lambda row: 0,
    rank=lambda row: str(row.cid),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
AFFILIATE_TRADES: Final = Walk(
    name="futures.affiliate.trades",
    endpoint=rows.affiliate.trades,
    rules=Rules(span=59 * DAY, grain=SECOND, most=50, pages=100_000),
    pick=items,
    time=lambda row: row.create_time,
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
AFFILIATE_FUNDS: Final = Walk(
    name="futures.affiliate.funds_records",
    endpoint=rows.affiliate.funds_records,
    rules=Rules(span=59 * DAY, grain=SECOND, most=50, pages=100_000),
    pick=items,
    time=lambda row: loose_time(row.date_time),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)

WALKS: Final[Sequence[Walk[object, object]]] = (  # type: ignore[assignment]  # a row is read, never given to
    KLINES,
    MARK_KLINES,
    FUNDING,
    MARKET_TRADES,
    ORDERS,
    FILLS,
    TRANSACTIONS,
    TRANSFERS,
    REPAYMENTS,
    INTEREST,
    SUB_TRANSFERS,
    TRANSFER_HISTORY,
    AFFILIATE_REBATES,
    AFFILIATE_USERS,
    AFFILIATE_TRADES,
    AFFILIATE_FUNDS,
)
"""The list of all histories of the futures host."""
