"""The histories of the spot host: a row of the table for each, and the function that starts to walk it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar

import attrs

from ..client import Client
from ..endpoints import spot as rows
from ..errors import InvalidRequest, MalformedReply
from ..models.broker import BrokerRebates
from ..models.earn import (
    FixedSavingsRecord,
    FixedSavingsRecordPage,
    FlexibleSavingsRecord,
    FlexibleSavingsRecordPage,
    SavingsRecordType,
)
from ..models.margin import BorrowRecord, RepayRecord
from ..models.spot_account import DepositWithdrawRecord
from ..models.spot_market import SpotKline, SpotMarketTrade
from ..models.spot_sub_account import SubTransfer, SubTransferPage
from ..models.spot_trading import AlgoOrder, AlgoOrderType, SpotFill, SpotOrder, SpotOrderMode
from ._plan import Rules
from ._walk import Cursor, OnGap, Source, Walk, Walker, When

T = TypeVar("T")

SpotSource: TypeAlias = Client | Source
"""A client, or its ``spot`` alone."""

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND


def same(rows: list[T]) -> list[T]:
    """The payload is the list of records."""
    return rows


def source(client: SpotSource) -> Source:
    """The spot market of a client."""
    return client.spot if isinstance(client, Client) else client


# ---- the table ------------------------------------------------------------------------------------------------------

_FORGOTTEN: Final = "orders that were cancelled without a fill are not told after 20 minutes"

_KLINES: Final = Walk(
    name="spot.market.klines",
    endpoint=rows.market.klines,
    rules=Rules(span=MINUTE * 198, grain=SECOND, most=200),
    pick=same,
    time=lambda row: row.open_time * SECOND,
    key=lambda row: str(row.open_time),
    start="after",
    end="before",
    unit=SECOND,
)
_MARKET_TRADES: Final = Walk(
    name="spot.market.trades",
    endpoint=rows.market.trades,
    rules=Rules(span=0, most=50, ids=False),
    pick=same,
    time=lambda row: row.timestamp,
    start=None,
    end=None,
    omits=("only the newest 50 public trades are told",),
)
# The documentation names no longest window. A week is what it searches by itself, so a week is sure to be served.
_ORDERS: Final = Walk(
    name="spot.trading.order_history",
    endpoint=rows.trading.order_history,
    rules=Rules(span=7 * DAY, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.order_id,
    omits=(_FORGOTTEN, "open orders are no history yet"),
)
_FILLS: Final = Walk(
    name="spot.trading.trades",
    endpoint=rows.trading.trades,
    rules=Rules(span=7 * DAY, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.trade_id,
)
_ALGO_ORDERS: Final = Walk(
    name="spot.algo.order_history",
    endpoint=rows.algo.order_history,
    rules=Rules(span=7 * DAY, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.order_id,
    omits=("waiting orders are no history yet",),
)
OPEN_ORDERS: Final = Walk(
    name="spot.trading.open_orders",
    endpoint=rows.trading.open_orders,
    rules=Rules(span=7 * DAY, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.order_id,
)
OPEN_ALGO_ORDERS: Final = Walk(
    name="spot.algo.open_orders",
    endpoint=rows.algo.open_orders,
    rules=Rules(span=7 * DAY, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.order_id,
)
_DEPOSITS_WITHDRAWALS: Final = Walk(
    name="spot.account.deposit_withdraw_history",
    endpoint=rows.account.deposit_withdraw_history,
    # Under 90 days. A thousand since 2025-02; older sources say 100, which would be a silent cut.
    rules=Rules(span=89 * DAY, most=1000, suspects=(100,)),
    pick=same,
    time=lambda row: row.apply_time,
    key=lambda row: row.withdraw_id or row.deposit_id or row.tx_id or "",
)
_BORROWS: Final = Walk(
    name="spot.margin.borrow_records",
    endpoint=rows.margin.borrow_records,
    # Asked in milliseconds, told in seconds.
    rules=Rules(span=89 * DAY, grain=SECOND, most=100),
    pick=same,
    time=lambda row: row.create_time * SECOND,
    key=lambda row: row.borrow_id,
)
_REPAYS: Final = Walk(
    name="spot.margin.repay_records",
    endpoint=rows.margin.repay_records,
    rules=Rules(span=89 * DAY, grain=SECOND, most=100),
    pick=same,
    time=lambda row: row.repay_time * SECOND,
    key=lambda row: row.repay_id,
)
_SUB_RULES: Final = Rules(span=0, grain=SECOND, most=100, ids=False, reach=90 * DAY)
_SUB_OMITS: Final = ("only the newest 100 transfers of the last three months are told",)


def _transfers(page: SubTransferPage) -> list[SubTransfer]:
    return page.transfers


_SUB_TRANSFERS: Final = Walk(
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
_TRANSFER_HISTORY: Final = Walk(
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


def _flexible(page: FlexibleSavingsRecordPage) -> list[FlexibleSavingsRecord]:
    return page.items


def _fixed(page: FixedSavingsRecordPage) -> list[FixedSavingsRecord]:
    return page.items


_SAVINGS_RULES: Final = Rules(span=89 * DAY, most=100, pages=1000)
_FLEXIBLE: Final = Walk(
    name="spot.earn.flexible_records",
    endpoint=rows.earn.flexible_records,
    rules=_SAVINGS_RULES,
    pick=_flexible,
    time=lambda row: row.time,
    key=lambda row: row.record_id,
    total=lambda page: page.total,
    size="page_size",
    page="page",
)
_FIXED: Final = Walk(
    name="spot.earn.fixed_records",
    endpoint=rows.earn.fixed_records,
    rules=_SAVINGS_RULES,
    pick=_fixed,
    time=lambda row: row.time,
    key=lambda row: row.record_id,
    total=lambda page: page.total,
    size="page_size",
    page="page",
)


@attrs.frozen
class DailyRebate:
    """What one day brought a broker in one currency."""

    day: date
    """In UTC."""
    currency: str
    """Short code."""
    rebate_amount: Decimal
    """In that currency."""

    @property
    def time(self) -> int:
        """When the day began, in milliseconds."""
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


_REBATES: Final = Walk(
    name="spot.broker.rebates",
    endpoint=rows.broker.rebates,
    # Told by days. Without a range 180 days are searched; a wider one is refused, where the line is is not documented.
    rules=Rules(span=177 * DAY, grain=DAY),
    pick=_daily,
    time=lambda row: row.time,
    key=lambda row: f"{row.day.isoformat()} {row.currency}",
    unit=SECOND,
    size=None,
)

WALKS: Final[Sequence[Walk[object, object]]] = (  # type: ignore[assignment]  # a row is read, never given to
    _KLINES,
    _MARKET_TRADES,
    _ORDERS,
    _FILLS,
    _ALGO_ORDERS,
    _DEPOSITS_WITHDRAWALS,
    _BORROWS,
    _REPAYS,
    _SUB_TRANSFERS,
    _TRANSFER_HISTORY,
    _FLEXIBLE,
    _FIXED,
    _REBATES,
)
"""Every history of the spot host."""

OPEN: Final[Sequence[Walk[object, object]]] = (OPEN_ORDERS, OPEN_ALGO_ORDERS)  # type: ignore[assignment]  # as above
"""Lists of what is open now, told window by window like histories."""


# ---- walking --------------------------------------------------------------------------------------------------------

_SPOT_MONTH: Final = 43_200


def last_finished(step: int, now: int) -> int:
    """Bars of ``step`` minutes that begin before this moment are over; all in milliseconds.

    The bar in progress would be told once more, with other figures.
    """
    if step == _SPOT_MONTH:
        today = datetime.fromtimestamp(now / SECOND, UTC)
        return int(datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()) * SECOND
    return now - step * MINUTE + 1


def spot_klines(
    client: SpotSource,
    symbol: str,
    *,
    step: int = 1,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SpotKline]:
    """Walk the finished klines of a pair. The one in progress is left out: it would change.

    Args:
        client: the client, or its ``spot``.
        symbol: such as BTC_USDT.
        step: length in minutes, one of 1, 5, 15, 30, 60, 120, 240, 1440, 10080 (a week) and 43200 (a month).
        since: the first moment; milliseconds or an aware datetime.
        until: the end, not included; the exchange's present when left out.
        cursor: of an earlier walk with the same arguments, to go on behind it.
        gaps: ``raise`` `IncompleteHistory` where the exchange leaves something out, or only ``note`` it.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get History K-Line (V3)")
    """
    return Walker(
        _KLINES,
        source(client),
        {"symbol": symbol, "step": step},
        since=since,
        until=until,
        cursor=cursor,
        gaps=gaps,
        # A reply holds 200 bars. Months are counted short, so that no window has more.
        span=min(step, 40_320) * MINUTE * 197,
        latest=lambda now: last_finished(step, now),
    )


def spot_market_trades(
    client: SpotSource,
    symbol: str,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SpotMarketTrade]:
    """Walk the latest public trades of a pair: at most 50, which is all that the exchange tells.

    Args: as of `spot_klines`; without ``since`` whatever there is, and no gap is raised.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Recent Trades (V3)")
    """
    return Walker(
        _MARKET_TRADES, source(client), {"symbol": symbol}, since=since, until=until, cursor=cursor, gaps=gaps
    )


def spot_orders(
    client: SpotSource,
    symbol: str | None = None,
    *,
    since: When,
    until: When | None = None,
    order_mode: SpotOrderMode | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SpotOrder]:
    """Walk the account's finished orders by the time they were placed.

    Orders that were cancelled without a fill are missing after 20 minutes; an order appears once it is finished, so one
    that is open now is in no walk that has already passed its time.

    Args:
        client: the client, or its ``spot``.
        symbol: all pairs if left out.
        since: as of `spot_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        order_mode: spot or isolated margin; both if left out.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Orders")
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(_ORDERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def spot_fills(
    client: SpotSource,
    symbol: str | None = None,
    *,
    since: When,
    until: When | None = None,
    order_mode: SpotOrderMode | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SpotFill]:
    """Walk the account's fills.

    Args: as of `spot_orders`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Trade List")
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(_FILLS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def spot_algo_orders(
    client: SpotSource,
    symbol: str | None = None,
    *,
    since: When,
    until: When | None = None,
    order_mode: AlgoOrderType | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[AlgoOrder]:
    """Walk the account's finished plan, take-profit and stop-loss orders.

    Args: as of `spot_orders`; ``order_mode`` is trigger or tp/sl.

    Source: the exchange's own SDKs of 2026-06 (``/spot/v4/query/algo/history-orders``)
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(_ALGO_ORDERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def open_spot_orders(
    client: SpotSource, *, since: When, until: When | None = None, cursor: Cursor | None = None
) -> Walker[SpotOrder]:
    """Walk the open orders by the time they were placed. One call of ``open_orders`` tells a week and 200 of them."""
    return Walker(OPEN_ORDERS, source(client), {}, since=since, until=until, cursor=cursor)


def open_algo_orders(
    client: SpotSource, *, since: When, until: When | None = None, cursor: Cursor | None = None
) -> Walker[AlgoOrder]:
    """Walk the waiting plan, take-profit and stop-loss orders; likewise."""
    return Walker(OPEN_ALGO_ORDERS, source(client), {}, since=since, until=until, cursor=cursor)


def deposits(
    client: SpotSource,
    *,
    since: When,
    until: When | None = None,
    currency: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[DepositWithdrawRecord]:
    """Walk the account's deposits. Refused for sub-accounts.

    Args:
        client: the client, or its ``spot``.
        since: as of `spot_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        currency: all if left out.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Deposit And Withdraw History (V2)")
    """
    given = {"operation_type": "deposit", "currency": currency}
    return Walker(_DEPOSITS_WITHDRAWALS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def withdrawals(
    client: SpotSource,
    *,
    since: When,
    until: When | None = None,
    currency: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[DepositWithdrawRecord]:
    """Walk the account's withdrawals. Refused for sub-accounts.

    Args: as of `deposits`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Deposit And Withdraw History (V2)")
    """
    given = {"operation_type": "withdraw", "currency": currency}
    return Walker(_DEPOSITS_WITHDRAWALS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def margin_borrows(
    client: SpotSource,
    symbol: str,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[BorrowRecord]:
    """Walk the loans of an isolated-margin pair.

    Args: as of `spot_klines`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Borrow Record (Isolated)")
    """
    return Walker(_BORROWS, source(client), {"symbol": symbol}, since=since, until=until, cursor=cursor, gaps=gaps)


def margin_repays(
    client: SpotSource,
    symbol: str,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[RepayRecord]:
    """Walk the repayments of an isolated-margin pair.

    Args: as of `margin_borrows`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Repayment Record (Isolated)")
    """
    return Walker(_REPAYS, source(client), {"symbol": symbol}, since=since, until=until, cursor=cursor, gaps=gaps)


def spot_sub_transfers(
    client: SpotSource,
    account_name: str | None = None,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SubTransfer]:
    """Walk the spot transfers of sub-accounts, as their main account sees them: the newest 100 of three months.

    Args:
        client: the client, or its ``spot``.
        account_name: one sub-account; all if left out.
        since: as of `spot_market_trades`; record times are whole seconds.
        until: likewise.
        cursor: likewise.
        gaps: likewise.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Sub-Account Transfer History")
    """
    given = {"account_name": account_name}
    return Walker(_SUB_TRANSFERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def spot_transfer_history(
    client: SpotSource,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SubTransfer]:
    """Walk the spot transfers between main and sub-accounts that the calling account had part in, as above.

    Args: as of `spot_sub_transfers`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Account Spot Asset Transfer History")
    """
    return Walker(_TRANSFER_HISTORY, source(client), {}, since=since, until=until, cursor=cursor, gaps=gaps)


def flexible_savings(
    client: SpotSource,
    type: SavingsRecordType | str,
    *,
    since: When,
    until: When | None = None,
    coin_name: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FlexibleSavingsRecord]:
    """Walk the records of flexible savings.

    Args:
        client: the client, or its ``spot``.
        type: subscribe, redeem or interest.
        since: as of `spot_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        coin_name: all coins if left out.

    Source: the exchange's own SDKs of 2026-06 (``/newearn/cloud/v1/saving/record``)
    """
    given = {"type": type, "coin_name": coin_name}
    return Walker(_FLEXIBLE, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def fixed_savings(
    client: SpotSource,
    type: SavingsRecordType | str,
    *,
    since: When,
    until: When | None = None,
    coin_name: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FixedSavingsRecord]:
    """Walk the records of fixed-term savings.

    Args: as of `flexible_savings`.

    Source: the exchange's own SDKs of 2026-06 (``/newearn/cloud/v1/saving/fixed/record``)
    """
    given = {"type": type, "coin_name": coin_name}
    return Walker(_FIXED, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def broker_rebates(
    client: SpotSource,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[DailyRebate]:
    """Walk an API broker's daily rebates. Needs the broker's own key.

    A day belongs to the walk when it begins in the range; the day that is not over yet is left out.

    Args: as of `spot_klines`.

    Source: https://developer-pro.bitmart.com/en/broker/ (section "Get Rebate Records")
    """
    return Walker(
        _REBATES,
        source(client),
        {},
        since=since,
        until=until,
        cursor=cursor,
        gaps=gaps,
        latest=lambda now: now - now % DAY,
    )


def refuse_long(since: int, until: int, days: int) -> None:
    """Refuse a range that an endpoint cannot tell as one.

    Raises:
        InvalidRequest: it is longer than so many days.
    """
    if until - since > days * DAY:
        raise InvalidRequest(f"the range may span at most {days} days", argument="since")
