"""Walk the histories of the spot host, with one function each."""

from __future__ import annotations

from typing import TypeAlias, Unpack

from ..client import Client
from ..models.earn import (
    FixedSavingsRecord,
    FlexibleSavingsRecord,
    SavingsRecordType,
)
from ..models.margin import BorrowRecord, RepayRecord
from ..models.spot_account import DepositWithdrawRecord
from ..models.spot_market import SpotKline, SpotMarketTrade
from ..models.spot_sub_account import SubTransfer
from ..models.spot_trading import AlgoOrder, AlgoOrderType, SpotFill, SpotOrder, SpotOrderMode
from ._spot_table import (
    ALGO_ORDERS,
    BORROWS,
    DEPOSITS_WITHDRAWALS,
    FILLS,
    FIXED,
    FLEXIBLE,
    KLINES,
    MARKET_TRADES,
    OPEN_ALGO_ORDERS,
    OPEN_ORDERS,
    ORDERS,
    REBATES,
    REPAYS,
    SUB_TRANSFERS,
    TRANSFER_HISTORY,
    DailyRebate,
)
from ._units import DAY, MINUTE, last_finished
from ._walk import AnyRange, Cursor, Range, Source, Walker, When, from_start

SpotSource: TypeAlias = Client | Source
"""A client, or its ``spot`` alone."""


def source(client: SpotSource) -> Source:
    """Return the spot market of a client."""
    return client.spot if isinstance(client, Client) else client


def spot_klines(client: SpotSource, symbol: str, *, step: int = 1, **within: Unpack[AnyRange]) -> Walker[SpotKline]:
    """Walk the finished klines of a pair, without the one in progress, which would change.

    Args:
        client: the client, or its ``spot``.
        symbol: such as BTC_USDT.
        step: length in minutes, one of 1, 5, 15, 30, 60, 120, 240, 1440, 10080 (a week) and 43200 (a month).
        since: the start; milliseconds or an aware datetime; the first existing bar if left out.
        until: the end, exclusive; the exchange's present time if left out.
        cursor: the cursor of an earlier walk with the same arguments, to resume it.
        gaps: ``raise`` `IncompleteHistory` if the exchange omits something, or only ``note`` the gap.

    The time before the first bar costs a handful of requests, however long it is: bars of longer steps show where the
    first one is. So does `Walker.begins`, once the first bar has been delivered.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get History K-Line (V3)")
    """
    return Walker(
        KLINES,
        source(client),
        {"symbol": symbol, "step": step},
        # A reply holds 200 bars. Months count as short, so that no window has more.
        min(step, 40_320) * MINUTE * 197,
        lambda now: last_finished(step, now),
        **from_start(within),
    )


def spot_market_trades(client: SpotSource, symbol: str, **within: Unpack[AnyRange]) -> Walker[SpotMarketTrade]:
    """Walk the latest public trades of a pair: at most 50, which is all that the exchange lists.

    Args: see `spot_klines`; without ``since`` everything listed, and no gap is raised.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Recent Trades (V3)")
    """
    return Walker(MARKET_TRADES, source(client), {"symbol": symbol}, **from_start(within))


def spot_orders(
    client: SpotSource,
    symbol: str | None = None,
    *,
    order_mode: SpotOrderMode | str | None = None,
    **within: Unpack[Range],
) -> Walker[SpotOrder]:
    """Walk the account's finished orders by the time they were placed.

    Orders that were cancelled without a fill are missing after 20 minutes; an order appears once it is finished, so a
    walk that has passed its time misses an order that is open now.

    Args:
        client: the client, or its ``spot``.
        symbol: all pairs if left out.
        since, until, cursor, gaps: as of `spot_klines`.
        order_mode: spot or isolated margin; both if left out.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Orders")
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(ORDERS, source(client), given, **within)


def spot_fills(
    client: SpotSource,
    symbol: str | None = None,
    *,
    order_mode: SpotOrderMode | str | None = None,
    **within: Unpack[Range],
) -> Walker[SpotFill]:
    """Walk the account's fills.

    Args: see `spot_orders`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Account Trade List")
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(FILLS, source(client), given, **within)


def spot_algo_orders(
    client: SpotSource,
    symbol: str | None = None,
    *,
    order_mode: AlgoOrderType | str | None = None,
    **within: Unpack[Range],
) -> Walker[AlgoOrder]:
    """Walk the account's finished plan, take-profit and stop-loss orders.

    Args: see `spot_orders`; ``order_mode`` is trigger or tp/sl.

    Source: the exchange's own SDKs of 2026-06 (``/spot/v4/query/algo/history-orders``)
    """
    given = {"symbol": symbol, "order_mode": order_mode}
    return Walker(ALGO_ORDERS, source(client), given, **within)


def open_spot_orders(
    client: SpotSource, *, since: When, until: When | None = None, cursor: Cursor | None = None
) -> Walker[SpotOrder]:
    """Walk the open orders by the time they were placed. One ``open_orders`` call lists at most a week and 200."""
    return Walker(OPEN_ORDERS, source(client), {}, since=since, until=until, cursor=cursor)


def open_algo_orders(
    client: SpotSource, *, since: When, until: When | None = None, cursor: Cursor | None = None
) -> Walker[AlgoOrder]:
    """Walk the waiting plan, take-profit and stop-loss orders, like `spot_open_orders`."""
    return Walker(OPEN_ALGO_ORDERS, source(client), {}, since=since, until=until, cursor=cursor)


def deposits(
    client: SpotSource, *, currency: str | None = None, **within: Unpack[Range]
) -> Walker[DepositWithdrawRecord]:
    """Walk the account's deposits. Refused for sub-accounts.

    Args:
        client: the client, or its ``spot``.
        since, until, cursor, gaps: as of `spot_klines`.
        currency: all if left out.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Deposit And Withdraw History (V2)")
    """
    given = {"operation_type": "deposit", "currency": currency}
    return Walker(DEPOSITS_WITHDRAWALS, source(client), given, **within)


def withdrawals(
    client: SpotSource, *, currency: str | None = None, **within: Unpack[Range]
) -> Walker[DepositWithdrawRecord]:
    """Walk the account's withdrawals. Refused for sub-accounts.

    Args: see `deposits`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Deposit And Withdraw History (V2)")
    """
    given = {"operation_type": "withdraw", "currency": currency}
    return Walker(DEPOSITS_WITHDRAWALS, source(client), given, **within)


def margin_borrows(client: SpotSource, symbol: str, **within: Unpack[Range]) -> Walker[BorrowRecord]:
    """Walk the loans of an isolated-margin pair.

    Args: see `spot_klines`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Borrow Record (Isolated)")
    """
    return Walker(BORROWS, source(client), {"symbol": symbol}, **within)


def margin_repays(client: SpotSource, symbol: str, **within: Unpack[Range]) -> Walker[RepayRecord]:
    """Walk the repayments of an isolated-margin pair.

    Args: see `margin_borrows`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Repayment Record (Isolated)")
    """
    return Walker(REPAYS, source(client), {"symbol": symbol}, **within)


def spot_sub_transfers(
    client: SpotSource, account_name: str | None = None, **within: Unpack[AnyRange]
) -> Walker[SubTransfer]:
    """Walk the spot transfers of sub-accounts, as their main account sees them: the newest 100 of three months.

    Args:
        client: the client, or its ``spot``.
        account_name: one sub-account; all if left out.
        since, until, cursor, gaps: as of `spot_market_trades`; record times are whole seconds.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Sub-Account Transfer History")
    """
    given = {"account_name": account_name}
    return Walker(SUB_TRANSFERS, source(client), given, **from_start(within))


def spot_transfer_history(client: SpotSource, **within: Unpack[AnyRange]) -> Walker[SubTransfer]:
    """Walk the spot transfers between main and sub-accounts that involve the calling account.

    Args: see `spot_sub_transfers`.

    Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Account Spot Asset Transfer History")
    """
    return Walker(TRANSFER_HISTORY, source(client), {}, **from_start(within))


def flexible_savings(
    client: SpotSource, type: SavingsRecordType | str, *, coin_name: str | None = None, **within: Unpack[Range]
) -> Walker[FlexibleSavingsRecord]:
    """Walk the records of flexible savings.

    Args:
        client: the client, or its ``spot``.
        type: subscribe, redeem or interest.
        since, until, cursor, gaps: as of `spot_klines`.
        coin_name: all coins if left out.

    Source: the exchange's own SDKs of 2026-06 (``/newearn/cloud/v1/saving/record``)
    """
    given = {"type": type, "coin_name": coin_name}
    return Walker(FLEXIBLE, source(client), given, **within)


def fixed_savings(
    client: SpotSource, type: SavingsRecordType | str, *, coin_name: str | None = None, **within: Unpack[Range]
) -> Walker[FixedSavingsRecord]:
    """Walk the records of fixed-term savings.

    Args: see `flexible_savings`.

    Source: the exchange's own SDKs of 2026-06 (``/newearn/cloud/v1/saving/fixed/record``)
    """
    given = {"type": type, "coin_name": coin_name}
    return Walker(FIXED, source(client), given, **within)


def broker_rebates(client: SpotSource, **within: Unpack[Range]) -> Walker[DailyRebate]:
    """Walk an API broker's daily rebates. Needs the broker's own key.

    A day belongs to the walk when it begins in the range; the present day is omitted.

    Args: see `spot_klines`.

    Source: https://developer-pro.bitmart.com/en/broker/ (section "Get Rebate Records")
    """
    return Walker(
        REBATES,
        source(client),
        {},
        None,
        lambda now: now - now % DAY,
        **within,
    )
