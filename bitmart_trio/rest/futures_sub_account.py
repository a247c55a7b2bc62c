"""Sub-accounts on the futures host: transfers and balances. Open to accounts with institution verification only."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Param, Quota
from ..models.futures_sub_account import FuturesSubAccountBalance
from ..models.spot_sub_account import SubTransfer
from ._base import Amount, Chapter

_REQUEST_NO = Param("request_no", wire="requestNo", max_length=64, required=True)
_AMOUNT = Param("amount", Kind.DECIMAL, positive=True, required=True)
_CURRENCY = Param("currency", required=True)
_SUB_ACCOUNT = Param("sub_account", wire="subAccount", required=True)
_LIMIT = Param("limit", Kind.INT, least=1, most=100, required=True)

submit_sub_to_main_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/contract/sub-account/main/v1/sub-to-main",
    Auth.SIGNED,
    Quota(8, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY, _SUB_ACCOUNT),
    environment="live",
)
submit_main_to_sub_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/contract/sub-account/main/v1/main-to-sub",
    Auth.SIGNED,
    Quota(8, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY, _SUB_ACCOUNT),
    environment="live",
)
submit_sub_to_main_transfer_as_sub: Endpoint[None] = Endpoint(
    "POST",
    "/account/contract/sub-account/sub/v1/sub-to-main",
    Auth.SIGNED,
    Quota(8, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY),
    environment="live",
)
balances: Endpoint[list[FuturesSubAccountBalance]] = Endpoint(
    "GET",
    "/account/contract/sub-account/main/v1/wallet",
    Auth.KEYED,
    Quota(12, by="key"),
    returns=list[FuturesSubAccountBalance],
    params=(_SUB_ACCOUNT, Param("currency")),
    at=("wallet",),
)
transfers: Endpoint[list[SubTransfer]] = Endpoint(
    "GET",
    "/account/contract/sub-account/main/v1/transfer-list",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=list[SubTransfer],
    params=(_SUB_ACCOUNT, _LIMIT),
)
transfer_history: Endpoint[list[SubTransfer]] = Endpoint(
    "GET",
    "/account/contract/sub-account/v1/transfer-history",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=list[SubTransfer],
    params=(_LIMIT,),
)


class FuturesSubAccount(Chapter):
    """The methods of ``client.futures.sub_account``."""

    __slots__ = ()

    async def submit_sub_to_main_transfer(
        self, *, request_no: str, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """As main account, take futures money from a sub-account.

        POST /account/contract/sub-account/main/v1/sub-to-main, signed with the main account's key, 8 calls in 2 s by
        key. Not on the demo host.

        Args:
            request_no: unique text of the caller's, up to 64 characters, such as a UUID.
            amount: above 0.
            currency: USDT.
            sub_account: user name of the giving account.
            recv_window: milliseconds the request stays valid.

        Raises:
            OutcomeUnknown: the connection failed after sending; check `transfers`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Sub-Account to Main-Account (For Main Account)
        (SIGNED)")
        """
        return await self._call(
            submit_sub_to_main_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    async def submit_main_to_sub_transfer(
        self, *, request_no: str, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """As main account, give futures money to a sub-account.

        POST /account/contract/sub-account/main/v1/main-to-sub, signed with the main account's key, 8 calls in 2 s by
        key. Not on the demo host.

        Args:
            request_no: unique text of the caller's, up to 64 characters, such as a UUID.
            amount: above 0.
            currency: USDT.
            sub_account: user name of the receiving account.
            recv_window: milliseconds the request stays valid.

        Raises:
            OutcomeUnknown: the connection failed after sending; check `transfers`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Main-Account to Sub-Account (For Main Account)
        (SIGNED)")
        """
        return await self._call(
            submit_main_to_sub_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    async def submit_sub_to_main_transfer_as_sub(
        self, *, request_no: str, amount: Amount, currency: str, recv_window: int | None = None
    ) -> None:
        """As sub-account, send futures money to the main account.

        POST /account/contract/sub-account/sub/v1/sub-to-main, signed with the sub-account's key, which also names the
        giving account; 8 calls in 2 s by key. Not on the demo host.

        Args:
            request_no: unique text of the caller's, up to 64 characters, such as a UUID.
            amount: above 0.
            currency: USDT.
            recv_window: milliseconds the request stays valid.

        Raises:
            OutcomeUnknown: the connection failed after sending; check `transfer_history`.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Sub-Account to Main-Account (For Sub-Account)
        (SIGNED)")
        """
        return await self._call(
            submit_sub_to_main_transfer_as_sub,
            request_no=request_no,
            amount=amount,
            currency=currency,
            recv_window=recv_window,
        )

    async def balances(self, sub_account: str, *, currency: str | None = None) -> list[FuturesSubAccountBalance]:
        """As main account, read the futures balances of a sub-account.

        GET /account/contract/sub-account/main/v1/wallet, key, 12 calls in 2 s by key.

        Args:
            sub_account: its user name.
            currency: only this one.

        Returns:
            Balances above 0 only.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Sub-Account Futures Wallet Balance (For
        Main Account) (KEYED)")
        """
        return await self._call(balances, sub_account=sub_account, currency=currency)

    async def transfers(self, sub_account: str, *, limit: int) -> list[SubTransfer]:
        """As main account, list the newest futures transfers of a sub-account.

        GET /account/contract/sub-account/main/v1/transfer-list, key, 8 calls in 2 s by key.

        Args:
            sub_account: its user name.
            limit: 1 to 100. There are no pages.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Sub-Account Transfer History (For Main
        Account) (KEYED)")
        """
        return await self._call(transfers, sub_account=sub_account, limit=limit)

    async def transfer_history(self, *, limit: int) -> list[SubTransfer]:
        """List the newest futures transfers between main and sub-accounts that concern the calling account.

        GET /account/contract/sub-account/v1/transfer-history, key of a main or a sub-account, 8 calls in 2 s by key.

        Args:
            limit: 1 to 100. There are no pages.

        Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Get Account Futures Asset Transfer History
        (For Main/Sub Account) (KEYED)")
        """
        return await self._call(transfer_history, limit=limit)
