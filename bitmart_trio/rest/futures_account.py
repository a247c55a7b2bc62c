"""Call the futures wallet: balances, fees, ledger, transfers and cross-collateral debt."""

from __future__ import annotations

from decimal import Decimal

from .._bitmart.rows import Endpoint, Envelope
from .._core.endpoint import Auth, Kind, Ordered, Param, Quota
from .._core.request import RECV_WINDOW
from ..models._futures_enums import FuturesAccountType
from ..models.futures_account import (
    AutoRepaymentPage,
    FlowType,
    FundingTransferType,
    FuturesAsset,
    FuturesTradeFeeRate,
    FuturesTransfer,
    FuturesTransferResult,
    FuturesTransferType,
    InterestLogPage,
    Transaction,
)
from ._base import Amount, Chapter, TimeMs, TimeS

_IN_ORDER = Ordered("start_time", "end_time")
_PAGE_OF_DEBT = (
    Param("start_time", Kind.SECONDS),
    Param("end_time", Kind.SECONDS),
    Param("page", Kind.INT, least=1),
    Param("page_size", Kind.INT, wire="size", least=1),
)

assets: Endpoint[list[FuturesAsset]] = Endpoint(
    "GET", "/contract/private/assets-detail", Auth.KEYED, Quota(12, by="key"), returns=list[FuturesAsset]
)
trade_fee_rate: Endpoint[FuturesTradeFeeRate] = Endpoint(
    "GET",
    "/contract/private/trade-fee-rate",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=FuturesTradeFeeRate,
    params=(Param("symbol", required=True),),
)
transaction_history: Endpoint[list[Transaction]] = Endpoint(
    "GET",
    "/contract/private/transaction-history",
    Auth.KEYED,
    Quota(6, by="key"),
    returns=list[Transaction],
    params=(
        Param("symbol"),
        Param("flow_type", Kind.INT, choices=FlowType),
        Param("account", choices=FuturesAccountType),
        Param("start_time", Kind.MILLIS),
        Param("end_time", Kind.MILLIS),
        Param("page_size", Kind.INT, least=1, most=1000),
    ),
    rules=(_IN_ORDER,),
)
# A read that must be POSTed and signed. Despite the path, the host is the futures one.
transfers: Endpoint[list[FuturesTransfer]] = Endpoint(
    "POST",
    "/account/v1/transfer-contract-list",
    Auth.SIGNED,
    Quota(1, by="key"),
    returns=list[FuturesTransfer],
    params=(
        Param("page", Kind.INT, required=True, least=1, most=1000),
        Param("limit", Kind.INT, required=True, least=10, most=100),
        Param("currency"),
        Param("start_time", Kind.MILLIS, wire="time_start"),
        Param("end_time", Kind.MILLIS, wire="time_end"),
        RECV_WINDOW,
    ),
    rules=(_IN_ORDER,),
    at=("records",),
    reads=True,
    environment="live",
)
submit_transfer: Endpoint[FuturesTransferResult] = Endpoint(
    "POST",
    "/account/v1/transfer-contract",
    Auth.SIGNED,
    Quota(1, by="key"),
    returns=FuturesTransferResult,
    params=(
        Param("currency", required=True),
        Param("amount", Kind.DECIMAL, required=True, least=Decimal("0.01"), most=10_000_000_000),
        Param("type", choices=FuturesTransferType, required=True),
        RECV_WINDOW,
    ),
    environment="live",
)
submit_funding_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/contract/private/account/v1/transfer",
    Auth.SIGNED,
    returns=type(None),
    params=(
        Param("currency", required=True),
        Param("amount", Kind.DECIMAL, required=True, positive=True),
        Param("type", choices=FundingTransferType, required=True),
    ),
    environment="live",
)
# The underscore in this path and in the next is real.
auto_repayments: Endpoint[AutoRepaymentPage] = Endpoint(
    "GET",
    "/contract/private/auto_repayment",
    Auth.KEYED,
    returns=AutoRepaymentPage,
    params=(*_PAGE_OF_DEBT, Param("from_coin_code"), Param("type")),
    rules=(_IN_ORDER,),
    envelope=Envelope.ERRNO,
)
cross_collateral_interest: Endpoint[InterestLogPage] = Endpoint(
    "GET",
    "/contract/private/cross_collateral/interest_log",
    Auth.KEYED,
    returns=InterestLogPage,
    params=(*_PAGE_OF_DEBT, Param("coin_code")),
    rules=(_IN_ORDER,),
    envelope=Envelope.ERRNO,
)


class FuturesAccount(Chapter):
    """The methods of ``client.futures.account``."""

    __slots__ = ()

    async def assets(self) -> list[FuturesAsset]:
        """Read the balances of the futures wallet, one row per currency.

        GET /contract/private/assets-detail, key, 12 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Contract Assets (KEYED)")
        """
        return await self._call(assets)

    async def trade_fee_rate(self, symbol: str) -> FuturesTradeFeeRate:
        """Read the account's fee rates for one contract.

        GET /contract/private/trade-fee-rate, key, 2 calls in 2 s by key.

        Args:
            symbol: such as BTCUSDT.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Trade Fee Rate (KEYED)")
        """
        return await self._call(trade_fee_rate, symbol=symbol)

    async def transaction_history(
        self,
        symbol: str | None = None,
        *,
        flow_type: FlowType | int | None = None,
        account: FuturesAccountType | str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        page_size: int | None = None,
    ) -> list[Transaction]:
        """Read the ledger: transfers, realised profit, funding, fees and liquidations.

        GET /contract/private/transaction-history, key, 6 calls in 2 s by key. There are no pages: move the times to
        continue.

        Args:
            symbol: only this contract.
            flow_type: only this kind; all of them if left out.
            account: the ordinary futures account if left out.
            start_time: in milliseconds; the last 7 days if both are left out.
            end_time: in milliseconds.
            page_size: 1 to 1000 entries; 100 if left out.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transaction History (KEYED)")
        """
        return await self._call(
            transaction_history,
            symbol=symbol,
            flow_type=flow_type,
            account=account,
            start_time=start_time,
            end_time=end_time,
            page_size=page_size,
        )

    async def transfers(
        self,
        *,
        page: int,
        limit: int,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
        recv_window: int | None = None,
    ) -> list[FuturesTransfer]:
        """List transfers between the spot and the futures wallet.

        POST /account/v1/transfer-contract-list, signed, 1 call in 2 s by key. It changes nothing, so it is repeated
        like any read. Not on the demo host.

        Args:
            page: 1 to 1000.
            limit: 10 to 100 per page.
            currency: only this one.
            start_time: in milliseconds; everything if both are left out.
            end_time: in milliseconds, after ``start_time``.
            recv_window: milliseconds the request stays valid, up to 60000.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Transfer List (SIGNED)")
        """
        return await self._call(
            transfers,
            page=page,
            limit=limit,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
            recv_window=recv_window,
        )

    async def submit_transfer(
        self, *, currency: str, amount: Amount, type: FuturesTransferType | str, recv_window: int | None = None
    ) -> FuturesTransferResult:
        """Move USDT between the spot and the futures wallet.

        POST /account/v1/transfer-contract, signed, 1 call in 2 s by key. A sub-account's key is enough since
        2024-12-04. Not on the demo host. Transfers carry no id of the caller: if the outcome is unknown, check
        `transfers`.

        Args:
            currency: USDT.
            amount: 0.01 to 10000000000.
            type: the direction.
            recv_window: milliseconds the request stays valid, up to 60000.

        Returns:
            The accepted transfer.

        Raises:
            InsufficientBalance: the source wallet does not hold enough.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Transfer (SIGNED)")
        """
        return await self._call(submit_transfer, currency=currency, amount=amount, type=type, recv_window=recv_window)

    async def submit_funding_transfer(
        self, *, currency: str, amount: Amount, type: FundingTransferType | str, recv_window: int | None = None
    ) -> None:
        """Move money between the funding and the futures account.

        POST /contract/private/account/v1/transfer, signed, no documented quota. Since 2026-06-29; known from the
        official Python SDK 2.8.0. Not on the demo host.

        Args:
            currency: such as USDT.
            amount: above 0.
            type: the direction.
            recv_window: milliseconds the request stays valid.

        Raises:
            InsufficientBalance: the source account does not hold enough.
            OutcomeUnknown: the connection failed after sending.
        """
        return await self._call(
            submit_funding_transfer, currency=currency, amount=amount, type=type, recv_window=recv_window
        )

    async def auto_repayments(
        self,
        *,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        page: int | None = None,
        page_size: int | None = None,
        from_coin_code: str | None = None,
        type: str | None = None,
    ) -> AutoRepaymentPage:
        """List automatic repayments of cross-collateral debt.

        GET /contract/private/auto_repayment, key, no documented quota. Known from the official SDKs.

        Args:
            start_time: in seconds; the last 7 days if both are left out.
            end_time: in seconds, at most 90 days later.
            page: from 1.
            page_size: reportedly at most 20 are returned.
            from_coin_code: only debt repaid with this currency.
            type: only this kind, such as AUTO_REPAY; the list is not documented.
        """
        return await self._call(
            auto_repayments,
            start_time=start_time,
            end_time=end_time,
            page=page,
            page_size=page_size,
            from_coin_code=from_coin_code,
            type=type,
        )

    async def cross_collateral_interest(
        self,
        *,
        start_time: TimeS | None = None,
        end_time: TimeS | None = None,
        page: int | None = None,
        page_size: int | None = None,
        coin_code: str | None = None,
    ) -> InterestLogPage:
        """List interest charged on cross-collateral debt.

        GET /contract/private/cross_collateral/interest_log, key, no documented quota. Known from the official SDKs.

        Args:
            start_time: in seconds; the last 7 days if both are left out.
            end_time: in seconds, at most 90 days later.
            page: from 1.
            page_size: reportedly at most 20 are returned.
            coin_code: only this currency of debt.
        """
        return await self._call(
            cross_collateral_interest,
            start_time=start_time,
            end_time=end_time,
            page=page,
            page_size=page_size,
            coin_code=coin_code,
        )
