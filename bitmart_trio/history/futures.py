"""The histories of the futures host: a row of the table for each, and the function that starts to walk it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from ..client import Client
from ..endpoints import futures as rows
from ..errors import MalformedReply
from ..models._futures_enums import FuturesAccountType
from ..models.futures_account import (
    AutoRepayment,
    AutoRepaymentPage,
    FlowType,
    FuturesTransfer,
    InterestLogItem,
    InterestLogPage,
    Transaction,
)
from ..models.futures_affiliate import (
    AffiliateFundsRecord,
    AffiliateFundsRecordPage,
    AffiliateFundsType,
    AffiliateInvitedUser,
    AffiliateInvitedUserPage,
    AffiliateRebate,
    AffiliateRebatePage,
    AffiliateTrade,
    AffiliateTradePage,
)
from ..models.futures_market import FundingRateRecord, FuturesKline, FuturesMarketTrade
from ..models.futures_trading import FuturesFill, FuturesOrder
from ..models.spot_sub_account import SubTransfer
from ._plan import Rules
from ._walk import Cursor, OnGap, Source, Walk, Walker, When, millis
from .spot import DAY, MINUTE, SECOND, last_finished, refuse_long, same

FuturesSource: TypeAlias = Client | Source
"""A client, or its ``futures`` alone."""


def source(client: FuturesSource) -> Source:
    """The futures market of a client."""
    return client.futures if isinstance(client, Client) else client


def loose_time(value: int | str) -> int:
    """A time of no documented form in milliseconds: Unix seconds or milliseconds, else a date and time in UTC."""
    text = str(value).strip()
    if text.isdecimal():
        number = int(text)
        return number if number >= 100_000_000_000 else number * SECOND
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedReply(f"not a time: {text!r}") from None
    return round((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() * SECOND)


# ---- the table ------------------------------------------------------------------------------------------------------

_KLINE_RULES: Final = Rules(span=MINUTE * 497, grain=SECOND, most=500)
_KLINES: Final = Walk(
    name="futures.market.klines",
    endpoint=rows.market.klines,
    rules=_KLINE_RULES,
    pick=same,
    time=lambda row: row.timestamp * SECOND,
    key=lambda row: str(row.timestamp),
    unit=SECOND,
    size=None,
)
_MARK_KLINES: Final = Walk(
    name="futures.market.mark_price_klines",
    endpoint=rows.market.mark_price_klines,
    rules=_KLINE_RULES,
    pick=same,
    time=lambda row: row.timestamp * SECOND,
    key=lambda row: str(row.timestamp),
    unit=SECOND,
    size=None,
)
_FUNDING: Final = Walk(
    name="futures.market.funding_rate_history",
    endpoint=rows.market.funding_rate_history,
    rules=Rules(span=0, most=100),
    pick=same,
    time=lambda row: row.funding_time,
    key=lambda row: str(row.funding_time),
    start=None,
    end=None,
    omits=("only the newest 100 settled rates are told",),
)
_MARKET_TRADES: Final = Walk(
    name="futures.market.trades",
    endpoint=rows.market.trades,
    rules=Rules(span=0, grain=SECOND, most=100, ids=False),
    pick=same,
    time=lambda row: row.time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 public trades are told",),
)
# At most 90 days; asked in seconds, told in milliseconds. More than 200 orders are cut without a word. For fills no
# source names the cut: so every round number may be one.
_ORDERS: Final = Walk(
    name="futures.trading.order_history",
    endpoint=rows.trading.order_history,
    rules=Rules(span=89 * DAY, grain=SECOND, most=200),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.order_id,
    unit=SECOND,
    size=None,
    omits=("open orders are no history yet", "orders are told by contract only"),
)
_FILLS: Final = Walk(
    name="futures.trading.trades",
    endpoint=rows.trading.trades,
    rules=Rules(span=89 * DAY, grain=SECOND, most=200, suspects=(50, 100)),
    pick=same,
    time=lambda row: row.create_time,
    key=lambda row: row.trade_id,
    unit=SECOND,
    size=None,
)
_TRANSACTIONS: Final = Walk(
    name="futures.account.transaction_history",
    endpoint=rows.account.transaction_history,
    # No longest window is documented; its neighbours' is 90 days.
    rules=Rules(span=89 * DAY, most=1000),
    pick=same,
    time=lambda row: row.time,
    key=lambda row: row.tran_id,
    size="page_size",
)
_TRANSFERS: Final = Walk(
    name="futures.account.transfers",
    endpoint=rows.account.transfers,
    rules=Rules(span=89 * DAY, most=100, pages=1000),
    pick=same,
    time=lambda row: row.timestamp,
    key=lambda row: row.transfer_id,
    page="page",
)


def _repayments(page: AutoRepaymentPage) -> list[AutoRepayment]:
    return page.items


def _interest(page: InterestLogPage) -> list[InterestLogItem]:
    return page.items


# At most 90 days and 20 rows, by one source; the rows say how many there are.
_DEBT_RULES: Final = Rules(span=89 * DAY, grain=SECOND, most=20, pages=100_000)
_REPAYMENTS: Final = Walk(
    name="futures.account.auto_repayments",
    endpoint=rows.account.auto_repayments,
    rules=Rules(span=89 * DAY, grain=SECOND, most=20, pages=100_000, ids=False),
    pick=_repayments,
    time=lambda row: loose_time(row.time),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
_INTEREST: Final = Walk(
    name="futures.account.cross_collateral_interest",
    endpoint=rows.account.cross_collateral_interest,
    rules=_DEBT_RULES,
    pick=_interest,
    time=lambda row: loose_time(row.interest_time),
    key=lambda row: str(row.record_id),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
_SUB_RULES: Final = Rules(span=0, grain=SECOND, most=100, ids=False)
_SUB_TRANSFERS: Final = Walk(
    name="futures.sub_account.transfers",
    endpoint=rows.sub_account.transfers,
    rules=_SUB_RULES,
    pick=same,
    time=lambda row: row.submission_time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 transfers of a sub-account are told",),
)
_TRANSFER_HISTORY: Final = Walk(
    name="futures.sub_account.transfer_history",
    endpoint=rows.sub_account.transfer_history,
    rules=_SUB_RULES,
    pick=same,
    time=lambda row: row.submission_time * SECOND,
    start=None,
    end=None,
    omits=("only the newest 100 transfers are told",),
)


def _rebates(page: AffiliateRebatePage) -> list[AffiliateRebate]:
    return page.items


def _trades(page: AffiliateTradePage) -> list[AffiliateTrade]:
    return page.items


def _users(page: AffiliateInvitedUserPage) -> list[AffiliateInvitedUser]:
    return page.items


def _funds(page: AffiliateFundsRecordPage) -> list[AffiliateFundsRecord]:
    return page.items


_AFFILIATE_REBATES: Final = Walk(
    name="futures.affiliate.rebates",
    endpoint=rows.affiliate.rebates,
    rules=Rules(span=DAY, grain=SECOND, most=50, pages=100_000, sums=True),
    pick=_rebates,
    time=lambda row: 0,
    key=lambda row: str(row.trade_user_id),
    total=lambda page: page.total,
    start="rebate_start_time",
    end="rebate_end_time",
    unit=SECOND,
    size="page_size",
    page="page",
)
_AFFILIATE_USERS: Final = Walk(
    name="futures.affiliate.invited_users",
    endpoint=rows.affiliate.invited_users,
    rules=Rules(span=DAY, grain=SECOND, most=50, pages=100_000, sums=True),
    pick=_users,
    time=lambda row: 0,
    key=lambda row: str(row.cid),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
_AFFILIATE_TRADES: Final = Walk(
    name="futures.affiliate.trades",
    endpoint=rows.affiliate.trades,
    rules=Rules(span=59 * DAY, grain=SECOND, most=50, pages=100_000, ids=False),
    pick=_trades,
    time=lambda row: row.create_time,
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)
_AFFILIATE_FUNDS: Final = Walk(
    name="futures.affiliate.funds_records",
    endpoint=rows.affiliate.funds_records,
    rules=Rules(span=59 * DAY, grain=SECOND, most=50, pages=100_000, ids=False),
    pick=_funds,
    time=lambda row: loose_time(row.date_time),
    total=lambda page: page.total,
    unit=SECOND,
    size="page_size",
    page="page",
)

WALKS: Final[Sequence[Walk[object, object]]] = (  # type: ignore[assignment]  # a row is read, never given to
    _KLINES,
    _MARK_KLINES,
    _FUNDING,
    _MARKET_TRADES,
    _ORDERS,
    _FILLS,
    _TRANSACTIONS,
    _TRANSFERS,
    _REPAYMENTS,
    _INTEREST,
    _SUB_TRANSFERS,
    _TRANSFER_HISTORY,
    _AFFILIATE_REBATES,
    _AFFILIATE_USERS,
    _AFFILIATE_TRADES,
    _AFFILIATE_FUNDS,
)
"""Every history of the futures host."""


# ---- walking --------------------------------------------------------------------------------------------------------


def futures_klines(
    client: FuturesSource,
    symbol: str,
    *,
    step: int = 1,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesKline]:
    """Walk the finished klines of a contract. The one in progress is left out: it would change.

    Args:
        client: the client, or its ``futures``.
        symbol: such as BTCUSDT.
        step: length in minutes, one of 1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320 and 10080.
        since: the first moment; milliseconds or an aware datetime.
        until: the end, not included; the exchange's present when left out.
        cursor: of an earlier walk with the same arguments, to go on behind it.
        gaps: ``raise`` `IncompleteHistory` where the exchange leaves something out, or only ``note`` it.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get K-line")
    """
    return Walker(
        _KLINES,
        source(client),
        {"symbol": symbol, "step": step},
        since=since,
        until=until,
        cursor=cursor,
        gaps=gaps,
        span=step * MINUTE * 497,
        latest=lambda now: last_finished(step, now),
    )


def futures_mark_price_klines(
    client: FuturesSource,
    symbol: str,
    *,
    step: int = 1,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesKline]:
    """Walk the finished klines of a contract's mark price.

    Args: as of `futures_klines`.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Markprice K-line")
    """
    return Walker(
        _MARK_KLINES,
        source(client),
        {"symbol": symbol, "step": step},
        since=since,
        until=until,
        cursor=cursor,
        gaps=gaps,
        span=step * MINUTE * 497,
        latest=lambda now: last_finished(step, now),
    )


def funding_rates(
    client: FuturesSource,
    symbol: str,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FundingRateRecord]:
    """Walk the settled funding rates of a contract: at most 100, which is all that the exchange tells.

    Args: as of `futures_klines`; without ``since`` whatever there is, and no gap is raised.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Funding Rate History")
    """
    return Walker(_FUNDING, source(client), {"symbol": symbol}, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_market_trades(
    client: FuturesSource,
    symbol: str,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesMarketTrade]:
    """Walk the latest public trades of a contract: at most 100, which is all that the exchange tells.

    Args: as of `funding_rates`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Market Trade")
    """
    return Walker(
        _MARKET_TRADES, source(client), {"symbol": symbol}, since=since, until=until, cursor=cursor, gaps=gaps
    )


def futures_orders(
    client: FuturesSource,
    symbol: str,
    *,
    since: When,
    until: When | None = None,
    account: FuturesAccountType | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesOrder]:
    """Walk the finished orders of a contract by the time they were placed.

    An order appears once it is finished, so one that is open now is in no walk that has already passed its time.

    Args:
        client: the client, or its ``futures``.
        symbol: the contract; there is no way to ask for all.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order History (KEYED)")
    """
    given = {"symbol": symbol, "account": account}
    return Walker(_ORDERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_fills(
    client: FuturesSource,
    symbol: str | None = None,
    *,
    since: When,
    until: When | None = None,
    account: FuturesAccountType | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesFill]:
    """Walk the account's fills.

    Args:
        client: the client, or its ``futures``.
        symbol: all contracts if left out.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order Trade (KEYED)")
    """
    given = {"symbol": symbol, "account": account}
    return Walker(_FILLS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_transactions(
    client: FuturesSource,
    symbol: str | None = None,
    *,
    since: When,
    until: When | None = None,
    flow_type: FlowType | int | None = None,
    account: FuturesAccountType | str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[Transaction]:
    """Walk the ledger of the futures account: transfers, realised profit, funding, fees, liquidations.

    Args:
        client: the client, or its ``futures``.
        symbol: all contracts, and transfers, if left out.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        flow_type: one kind; all if left out.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transaction History (KEYED)")
    """
    given = {"symbol": symbol, "flow_type": flow_type, "account": account}
    return Walker(_TRANSACTIONS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_transfers(
    client: FuturesSource,
    *,
    since: When,
    until: When | None = None,
    currency: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[FuturesTransfer]:
    """Walk the transfers between the spot and the futures wallet. One request in two seconds is allowed.

    Args:
        client: the client, or its ``futures``.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        currency: all if left out.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transfer List (SIGNED)")
    """
    given = {"currency": currency}
    return Walker(_TRANSFERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def auto_repayments(
    client: FuturesSource,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[AutoRepayment]:
    """Walk the automatic repayments of cross-collateral debt.

    Args: as of `futures_transfers`; record times are whole seconds.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/auto_repayment``)
    """
    return Walker(_REPAYMENTS, source(client), {}, since=since, until=until, cursor=cursor, gaps=gaps)


def cross_collateral_interest(
    client: FuturesSource,
    *,
    since: When,
    until: When | None = None,
    coin_code: str | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[InterestLogItem]:
    """Walk the interest charged on cross-collateral debt.

    Args: as of `futures_transfers`; ``coin_code`` is the currency of the debt, all if left out.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/cross_collateral/interest_log``)
    """
    given = {"coin_code": coin_code}
    return Walker(_INTEREST, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_sub_transfers(
    client: FuturesSource,
    sub_account: str,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SubTransfer]:
    """Walk the futures transfers of one sub-account, as its main account sees them: the newest 100.

    Args:
        client: the client, or its ``futures``.
        sub_account: its user name.
        since: as of `funding_rates`; record times are whole seconds.
        until: likewise.
        cursor: likewise.
        gaps: likewise.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Sub-Account Transfer History")
    """
    given = {"sub_account": sub_account}
    return Walker(_SUB_TRANSFERS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def futures_transfer_history(
    client: FuturesSource,
    *,
    since: When | None = None,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[SubTransfer]:
    """Walk the futures transfers between main and sub-accounts that the calling account had part in: the newest 100.

    Args: as of `futures_sub_transfers`.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Account Futures Asset Transfer History")
    """
    return Walker(_TRANSFER_HISTORY, source(client), {}, since=since, until=until, cursor=cursor, gaps=gaps)


def affiliate_rebates(
    client: FuturesSource,
    currency: str,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
) -> Walker[AffiliateRebate]:
    """Walk what each referred user brought in a range: one sum a user, in no order of time. Needs an affiliate's key.

    Args:
        client: the client, or its ``futures``.
        currency: of the commission.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Rebate List")
    """
    return Walker(
        _AFFILIATE_REBATES,
        source(client),
        {"currency": currency},
        since=since,
        until=until,
        cursor=cursor,
        gaps="raise",
    )


def affiliate_users(
    client: FuturesSource,
    *,
    since: When,
    until: When,
    cursor: Cursor | None = None,
) -> Walker[AffiliateInvitedUser]:
    """Walk the referred users with what each traded and brought in a range, in no order of time.

    Args:
        client: the client, or its ``futures``.
        since: as of `futures_klines`; the range may span at most 60 days.
        until: likewise.
        cursor: likewise.

    Raises:
        InvalidRequest: at once, for a longer range.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Invited Users")
    """
    refuse_long(millis(since, "since"), millis(until, "until"), 60)
    return Walker(_AFFILIATE_USERS, source(client), {}, since=since, until=until, cursor=cursor, gaps="raise")


def affiliate_trades(
    client: FuturesSource,
    user_id: int,
    type: int,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[AffiliateTrade]:
    """Walk the trades of one referred user.

    Args:
        client: the client, or its ``futures``.
        user_id: the user.
        type: 1 for USDT-margined contracts, 2 for coin-margined ones.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Trade List")
    """
    given = {"user_id": user_id, "type": type}
    return Walker(_AFFILIATE_TRADES, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)


def affiliate_funds(
    client: FuturesSource,
    cid: int,
    *,
    since: When,
    until: When | None = None,
    type: AffiliateFundsType | int | None = None,
    cursor: Cursor | None = None,
    gaps: OnGap = "raise",
) -> Walker[AffiliateFundsRecord]:
    """Walk the deposits and withdrawals of one referred user.

    Args:
        client: the client, or its ``futures``.
        cid: the user.
        since: as of `futures_klines`.
        until: likewise.
        cursor: likewise.
        gaps: likewise.
        type: one of the two; both if left out.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/affiliate/deposit-withdrawal-list``)
    """
    given = {"cid": cid, "type": type}
    return Walker(_AFFILIATE_FUNDS, source(client), given, since=since, until=until, cursor=cursor, gaps=gaps)
