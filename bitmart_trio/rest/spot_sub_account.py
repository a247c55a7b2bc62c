"""Sub-accounts on the spot host: transfers and balances. Open to accounts with institution verification only."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, Kind, Param, Quota
from ..models.spot_sub_account import MoveType, SpotSubAccountBalance, SubAccount, SubTransferPage
from ._base import Amount, Chapter

_REQUEST_NO = Param("request_no", wire="requestNo", max_length=64, required=True)
_AMOUNT = Param("amount", Kind.DECIMAL, positive=True, required=True)
_CURRENCY = Param("currency", required=True)
_SUB_ACCOUNT = Param("sub_account", wire="subAccount", required=True)
_MOVE_TYPE = Param("move_type", wire="moveType", choices=MoveType, required=True)
_LIMIT = Param("limit", Kind.INT, wire="N", least=1, most=100, required=True)

submit_sub_to_main_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/sub-account/main/v1/sub-to-main",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY, _SUB_ACCOUNT),
)
submit_sub_to_main_transfer_as_sub: Endpoint[None] = Endpoint(
    "POST",
    "/account/sub-account/sub/v1/sub-to-main",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY),
)
submit_main_to_sub_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/sub-account/main/v1/main-to-sub",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY, _SUB_ACCOUNT),
)
submit_sub_to_sub_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/sub-account/main/v1/sub-to-sub",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(
        _REQUEST_NO,
        _AMOUNT,
        _CURRENCY,
        Param("from_account", wire="fromAccount", required=True),
        Param("to_account", wire="toAccount", required=True),
    ),
)
# Dropped from the docs on 2024-03-07, though the official rate table still lists it.
submit_sub_to_sub_transfer_as_sub: Endpoint[None] = Endpoint(
    "POST",
    "/account/sub-account/sub/v1/sub-to-sub",
    Auth.SIGNED,
    Quota(2, by="key"),
    returns=type(None),
    params=(_REQUEST_NO, _AMOUNT, _CURRENCY, _SUB_ACCOUNT),
    replaced_by="submit_sub_to_sub_transfer",
)
transfers: Endpoint[SubTransferPage] = Endpoint(
    "GET",
    "/account/sub-account/main/v1/transfer-list",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=SubTransferPage,
    params=(_MOVE_TYPE, _LIMIT, Param("account_name", wire="accountName")),
)
transfer_history: Endpoint[SubTransferPage] = Endpoint(
    "GET",
    "/account/sub-account/v1/transfer-history",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=SubTransferPage,
    params=(_MOVE_TYPE, _LIMIT),
)
balances: Endpoint[list[SpotSubAccountBalance]] = Endpoint(
    "GET",
    "/account/sub-account/main/v1/wallet",
    Auth.KEYED,
    Quota(12, by="key"),
    returns=list[SpotSubAccountBalance],
    params=(_SUB_ACCOUNT, Param("currency")),
    at=("wallet",),
)
accounts: Endpoint[list[SubAccount]] = Endpoint(
    "GET",
    "/account/sub-account/main/v1/subaccount-list",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=list[SubAccount],
    at=("subAccountList",),
)


class SpotSubAccount(Chapter):
    """The methods of ``client.spot.sub_account``.

    A transfer's ``request_no`` makes it safe to repeat: keep the number of one whose outcome is unknown and send it
    again. If the first had gone through, the second is refused with `DuplicateRequest` (61004).
    """

    __slots__ = ()

    async def submit_sub_to_main_transfer(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Pull spot funds from a sub-account, with the main account's key.

        POST /account/sub-account/main/v1/sub-to-main, signed (permission to transfer), 2 calls in 2 s by key.

        Args:
            request_no: up to 64 characters, unique.
            amount: in the currency.
            currency: short code.
            sub_account: name of the giving sub-account.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InsufficientBalance: not enough funds (61001).
            DuplicateRequest: the number was used before (61004).
            FundingRefused: the sub-account was not found, or transfers are not possible.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Sub-Account Spot Asset Transfer (For Main Account)")
        """
        await self._call(
            submit_sub_to_main_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    async def submit_sub_to_main_transfer_as_sub(
        self, request_no: str, *, amount: Amount, currency: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to the main account, with the sub-account's key.

        POST /account/sub-account/sub/v1/sub-to-main, signed (permission to transfer), 2 calls in 2 s by key.

        Args:
            request_no: up to 64 characters, unique.
            amount: in the currency.
            currency: short code.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InsufficientBalance: not enough funds (61001).
            DuplicateRequest: the number was used before (61004).
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Sub-Account Spot Asset Transfer (For Sub-Account)")
        """
        await self._call(
            submit_sub_to_main_transfer_as_sub,
            request_no=request_no,
            amount=amount,
            currency=currency,
            recv_window=recv_window,
        )

    async def submit_main_to_sub_transfer(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to a sub-account, with the main account's key.

        POST /account/sub-account/main/v1/main-to-sub, signed (permission to transfer), 2 calls in 2 s by key.

        Args:
            request_no: up to 64 characters, unique.
            amount: in the currency.
            currency: short code.
            sub_account: name of the receiving sub-account.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InsufficientBalance: not enough funds (61001).
            DuplicateRequest: the number was used before (61004).
            FundingRefused: the sub-account was not found, or transfers are not possible.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Main-Account Spot Asset Transfer (For Main Account)")
        """
        await self._call(
            submit_main_to_sub_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    async def submit_sub_to_sub_transfer(
        self,
        request_no: str,
        *,
        amount: Amount,
        currency: str,
        from_account: str,
        to_account: str,
        recv_window: int | None = None,
    ) -> None:
        """Move spot funds between two sub-accounts, with the main account's key.

        POST /account/sub-account/main/v1/sub-to-sub, signed (permission to transfer), 2 calls in 2 s by key.

        Args:
            request_no: up to 64 characters, unique.
            amount: in the currency.
            currency: short code.
            from_account: name of the giving sub-account.
            to_account: name of the receiving sub-account.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InsufficientBalance: not enough funds (61001).
            DuplicateRequest: the number was used before (61004).
            FundingRefused: a sub-account was not found (61002, 61003), or transfers are not possible.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Sub-account to Sub-Account Spot Asset Transfer (For Main Account)")
        """
        await self._call(
            submit_sub_to_sub_transfer,
            request_no=request_no,
            amount=amount,
            currency=currency,
            from_account=from_account,
            to_account=to_account,
            recv_window=recv_window,
        )

    async def submit_sub_to_sub_transfer_as_sub(
        self, request_no: str, *, amount: Amount, currency: str, sub_account: str, recv_window: int | None = None
    ) -> None:
        """Push spot funds to another sub-account, with a sub-account's key; retired, warns and sends.

        POST /account/sub-account/sub/v1/sub-to-sub, signed (permission to transfer), 2 calls in 2 s by key. Dropped
        from the documentation on 2024-03-07: use `submit_sub_to_sub_transfer`.

        Args:
            request_no: up to 64 characters, unique.
            amount: in the currency.
            currency: short code.
            sub_account: name of the receiving sub-account.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            EndpointRemoved: retired (30031).
        """
        await self._call(
            submit_sub_to_sub_transfer_as_sub,
            request_no=request_no,
            amount=amount,
            currency=currency,
            sub_account=sub_account,
            recv_window=recv_window,
        )

    async def transfers(
        self, limit: int, *, move_type: MoveType | str = MoveType.SPOT_TO_SPOT, account_name: str | None = None
    ) -> SubTransferPage:
        """List the transfers of the sub-accounts, with the main account's key.

        GET /account/sub-account/main/v1/transfer-list, keyed, 8 calls in 2 s by key.

        Args:
            limit: the newest 1 to 100.
            move_type: spot to spot is the only one.
            account_name: one sub-account; all if left out.

        Returns:
            Up to three months back.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Get Sub-account Transfer History (For Main Account)")
        """
        return await self._call(transfers, move_type=move_type, limit=limit, account_name=account_name)

    async def transfer_history(
        self, limit: int, *, move_type: MoveType | str = MoveType.SPOT_TO_SPOT
    ) -> SubTransferPage:
        """List the calling account's own spot transfers, main or sub.

        GET /account/sub-account/v1/transfer-history, keyed, 8 calls in 2 s by key.

        Args:
            limit: the newest 1 to 100.
            move_type: spot to spot is the only one.

        Returns:
            Up to three months back.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Get Account Spot Asset Transfer History (For Main/Sub Account)")
        """
        return await self._call(transfer_history, move_type=move_type, limit=limit)

    async def balances(self, sub_account: str, *, currency: str | None = None) -> list[SpotSubAccountBalance]:
        """Read a sub-account's spot wallet, with the main account's key.

        GET /account/sub-account/main/v1/wallet, keyed, 12 calls in 2 s by key.

        Args:
            sub_account: its name.
            currency: only this one.

        Returns:
            Only balances above zero.

        Source: https://developer-pro.bitmart.com/en/spot/
            (section "Get Sub-Account Spot Wallet Balance (For Main Account)")
        """
        return await self._call(balances, sub_account=sub_account, currency=currency)

    async def accounts(self) -> list[SubAccount]:
        """List the sub-accounts, with the main account's key.

        GET /account/sub-account/main/v1/subaccount-list, keyed, 8 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Sub-Account List (For Main Account)")
        """
        return await self._call(accounts)
