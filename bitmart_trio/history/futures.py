"""Walk the histories of the futures host, with one function each."""

from __future__ import annotations

from typing import TypeAlias, Unpack

from ..client import Client
from ..models._futures_enums import FuturesAccountType
from ..models.futures_account import (
    AutoRepayment,
    FlowType,
    FuturesTransfer,
    InterestLogItem,
    Transaction,
)
from ..models.futures_affiliate import (
    AffiliateFundsRecord,
    AffiliateFundsType,
    AffiliateInvitedUser,
    AffiliateRebate,
    AffiliateTrade,
)
from ..models.futures_market import FundingRateRecord, FuturesKline, FuturesMarketTrade
from ..models.futures_trading import FuturesFill, FuturesOrder
from ..models.spot_sub_account import SubTransfer
from ._futures_table import (
    AFFILIATE_FUNDS,
    AFFILIATE_REBATES,
    AFFILIATE_TRADES,
    AFFILIATE_USERS,
    FILLS,
    FUNDING,
    INTEREST,
    KLINES,
    MARK_KLINES,
    MARKET_TRADES,
    ORDERS,
    REPAYMENTS,
    SUB_TRANSFERS,
    TRANSACTIONS,
    TRANSFER_HISTORY,
    TRANSFERS,
)
from ._units import MINUTE, last_finished, refuse_long
from ._walk import AnyRange, Cursor, Range, Source, Walk, Walker, When, from_start, millis

FuturesSource: TypeAlias = Client | Source
"""A client, or its ``futures`` alone."""


def source(client: FuturesSource) -> Source:
    """Return the futures market of a client."""
    return client.futures if isinstance(client, Client) else client


def _klines(
    walk: Walk[list[FuturesKline], FuturesKline], client: FuturesSource, symbol: str, step: int, within: AnyRange
) -> Walker[FuturesKline]:
    given = {"symbol": symbol, "step": step}
    span = step * MINUTE * 497
    return Walker(walk, source(client), given, span, lambda now: last_finished(step, now), **from_start(within))


def futures_klines(
    client: FuturesSource, symbol: str, *, step: int = 1, **within: Unpack[AnyRange]
) -> Walker[FuturesKline]:
    """Walk the finished klines of a contract, without the one in progress, which would change.

    Args:
        client: the client, or its ``futures``.
        symbol: such as BTCUSDT.
        step: length in minutes, one of 1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 4320 and 10080.
        since: the start; milliseconds or an aware datetime; the first existing bar if left out.
        until: the end, exclusive; the exchange's present time if left out.
        cursor: the cursor of an earlier walk with the same arguments, to resume it.
        gaps: ``raise`` `IncompleteHistory` if the exchange omits something, or only ``note`` the gap.

    The time before the first bar costs a handful of requests, however long it is: bars of longer steps show where the
    first one is. So does `Walker.begins`, once the first bar has been delivered.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get K-line")
    """
    return _klines(KLINES, client, symbol, step, within)


def futures_mark_price_klines(
    client: FuturesSource, symbol: str, *, step: int = 1, **within: Unpack[AnyRange]
) -> Walker[FuturesKline]:
    """Walk the finished klines of a contract's mark price.

    Args: see `futures_klines`.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Markprice K-line")
    """
    return _klines(MARK_KLINES, client, symbol, step, within)


def funding_rates(client: FuturesSource, symbol: str, **within: Unpack[AnyRange]) -> Walker[FundingRateRecord]:
    """Walk the settled funding rates of a contract: at most 100, which is all that the exchange lists.

    Args: see `futures_klines`; without ``since`` everything listed, and no gap is raised.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Funding Rate History")
    """
    return Walker(FUNDING, source(client), {"symbol": symbol}, **from_start(within))


def futures_market_trades(client: FuturesSource, symbol: str, **within: Unpack[AnyRange]) -> Walker[FuturesMarketTrade]:
    """Walk the latest public trades of a contract: at most 100, which is all that the exchange lists.

    Args: see `funding_rates`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Market Trade")
    """
    return Walker(MARKET_TRADES, source(client), {"symbol": symbol}, **from_start(within))


def futures_orders(
    client: FuturesSource, symbol: str, *, account: FuturesAccountType | str | None = None, **within: Unpack[Range]
) -> Walker[FuturesOrder]:
    """Walk the finished orders of a contract by the time they were placed.

    An order appears once it is finished, so a walk that has passed its time misses an order that is open now.

    Args:
        client: the client, or its ``futures``.
        symbol: the contract; all contracts cannot be requested at once.
        since, until, cursor, gaps: as of `futures_klines`.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order History (KEYED)")
    """
    given = {"symbol": symbol, "account": account}
    return Walker(ORDERS, source(client), given, **within)


def futures_fills(
    client: FuturesSource,
    symbol: str | None = None,
    *,
    account: FuturesAccountType | str | None = None,
    **within: Unpack[Range],
) -> Walker[FuturesFill]:
    """Walk the account's fills.

    Args:
        client: the client, or its ``futures``.
        symbol: all contracts if left out.
        since, until, cursor, gaps: as of `futures_klines`.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Order Trade (KEYED)")
    """
    given = {"symbol": symbol, "account": account}
    return Walker(FILLS, source(client), given, **within)


def futures_transactions(
    client: FuturesSource,
    symbol: str | None = None,
    *,
    flow_type: FlowType | int | None = None,
    account: FuturesAccountType | str | None = None,
    **within: Unpack[Range],
) -> Walker[Transaction]:
    """Walk the ledger of the futures account: transfers, realised profit, funding, fees, liquidations.

    Args:
        client: the client, or its ``futures``.
        symbol: all contracts, and transfers, if left out.
        since, until, cursor, gaps: as of `futures_klines`.
        flow_type: one kind; all if left out.
        account: futures or copy trading.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transaction History (KEYED)")
    """
    given = {"symbol": symbol, "flow_type": flow_type, "account": account}
    return Walker(TRANSACTIONS, source(client), given, **within)


def futures_transfers(
    client: FuturesSource, *, currency: str | None = None, **within: Unpack[Range]
) -> Walker[FuturesTransfer]:
    """Walk the transfers between the spot and the futures wallet. The quota is one request in two seconds.

    Args:
        client: the client, or its ``futures``.
        since, until, cursor, gaps: as of `futures_klines`.
        currency: all if left out.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transfer List (SIGNED)")
    """
    given = {"currency": currency}
    return Walker(TRANSFERS, source(client), given, **within)


def auto_repayments(client: FuturesSource, **within: Unpack[Range]) -> Walker[AutoRepayment]:
    """Walk the automatic repayments of cross-collateral debt.

    Args: see `futures_transfers`; record times are whole seconds.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/auto_repayment``)
    """
    return Walker(REPAYMENTS, source(client), {}, **within)


def cross_collateral_interest(
    client: FuturesSource, *, coin_code: str | None = None, **within: Unpack[Range]
) -> Walker[InterestLogItem]:
    """Walk the interest charged on cross-collateral debt.

    Args: see `futures_transfers`; ``coin_code`` is the currency of the debt, all if left out.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/cross_collateral/interest_log``)
    """
    given = {"coin_code": coin_code}
    return Walker(INTEREST, source(client), given, **within)


def futures_sub_transfers(client: FuturesSource, sub_account: str, **within: Unpack[AnyRange]) -> Walker[SubTransfer]:
    """Walk the futures transfers of one sub-account, as its main account sees them: the newest 100.

    Args:
        client: the client, or its ``futures``.
        sub_account: its user name.
        since, until, cursor, gaps: as of `funding_rates`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Sub-Account Transfer History")
    """
    given = {"sub_account": sub_account}
    return Walker(SUB_TRANSFERS, source(client), given, **from_start(within))


def futures_transfer_history(client: FuturesSource, **within: Unpack[AnyRange]) -> Walker[SubTransfer]:
    """Walk the futures transfers between main and sub-accounts that involve the calling account: the newest 100.

    Args: see `futures_sub_transfers`.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Account Futures Asset Transfer History")
    """
    return Walker(TRANSFER_HISTORY, source(client), {}, **from_start(within))


def affiliate_rebates(
    client: FuturesSource,
    currency: str,
    *,
    since: When,
    until: When | None = None,
    cursor: Cursor | None = None,
) -> Walker[AffiliateRebate]:
    """Walk the commission per referred user in a range: one sum each, not ordered by time. Needs an affiliate's key.

    Args:
        client: the client, or its ``futures``.
        currency: of the commission.
        since: see `futures_klines`.
        until: see `since`.
        cursor: likewise.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Rebate List")
    """
    return Walker(
        AFFILIATE_REBATES,
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
    """Walk the referred users with their volume and commission in a range, not ordered by time.

    Args:
        client: the client, or its ``futures``.
        since: see `futures_klines`; the range may span at most 60 days.
        until: see `since`.
        cursor: likewise.

    Raises:
        InvalidRequest: at once, for a longer range.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Invited Users")
    """
    refuse_long(millis(since, "since"), millis(until, "until"), 60)
    return Walker(AFFILIATE_USERS, source(client), {}, since=since, until=until, cursor=cursor, gaps="raise")


def affiliate_trades(client: FuturesSource, user_id: int, type: int, **within: Unpack[Range]) -> Walker[AffiliateTrade]:
    """Walk the trades of one referred user.

    Args:
        client: the client, or its ``futures``.
        user_id: the user.
        type: 1 for USDT-margined contracts, 2 for coin-margined ones.
        since, until, cursor, gaps: as of `futures_klines`.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Affiliate Trade List")
    """
    given = {"user_id": user_id, "type": type}
    return Walker(AFFILIATE_TRADES, source(client), given, **within)


def affiliate_funds(
    client: FuturesSource, cid: int, *, type: AffiliateFundsType | int | None = None, **within: Unpack[Range]
) -> Walker[AffiliateFundsRecord]:
    """Walk the deposits and withdrawals of one referred user.

    Args:
        client: the client, or its ``futures``.
        cid: the user.
        since, until, cursor, gaps: as of `futures_klines`.
        type: deposits or withdrawals; both if left out.

    Source: the exchange's own SDKs of 2026-07 (``/contract/private/affiliate/deposit-withdrawal-list``)
    """
    given = {"cid": cid, "type": type}
    return Walker(AFFILIATE_FUNDS, source(client), given, **within)
