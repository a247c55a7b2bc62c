"""Account and funding on the spot host: balances, deposits, withdrawals, transfers, fees, keys."""

from __future__ import annotations

from .._bitmart.rows import Endpoint
from .._core.endpoint import Auth, ExactlyOne, Kind, Ordered, Param, Quota, When
from ..models.spot_account import (
    AccountBalance,
    AccountCurrency,
    AccountInfo,
    AccountTransferType,
    BasicFeeRate,
    DepositAccountType,
    DepositAddress,
    DepositWithdrawRecord,
    OperationType,
    SourceAccount,
    SpotBalance,
    SpotTradeFeeRate,
    WithdrawAccountType,
    WithdrawAddress,
    WithdrawPlaced,
    WithdrawQuota,
)
from ._base import Amount, Chapter, TimeMs

_SOURCE_ACCOUNT = Param("source_account", wire="sourceAccount", choices=SourceAccount)

balances: Endpoint[list[AccountBalance]] = Endpoint(
    "GET",
    "/account/v1/wallet",
    Auth.KEYED,
    Quota(12, by="key"),
    returns=list[AccountBalance],
    params=(Param("currency"), Param("need_usd_valuation", Kind.BOOL, wire="needUsdValuation"), _SOURCE_ACCOUNT),
    at=("wallet",),
)
currencies: Endpoint[list[AccountCurrency]] = Endpoint(
    "GET",
    "/account/v1/currencies",
    Auth.NONE,
    Quota(2),
    returns=list[AccountCurrency],
    params=(Param("currencies", pattern=r"[^,]+(,[^,]+){0,19}"),),
    at=("currencies",),
)
_currencies_row = currencies  # the method's argument bears the row's name
spot_balances: Endpoint[list[SpotBalance]] = Endpoint(
    "GET", "/spot/v1/wallet", Auth.KEYED, Quota(12, by="key"), returns=list[SpotBalance], at=("wallet",)
)
deposit_address: Endpoint[DepositAddress] = Endpoint(
    "GET",
    "/account/v1/deposit/address",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=DepositAddress,
    params=(Param("currency", required=True),),
)
withdraw_quota: Endpoint[WithdrawQuota] = Endpoint(
    "GET",
    "/account/v1/withdraw/charge",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=WithdrawQuota,
    params=(Param("currency", required=True),),
)
submit_withdrawal: Endpoint[WithdrawPlaced] = Endpoint(
    "POST",
    "/account/v1/withdraw/apply",
    Auth.SIGNED,
    Quota(8, by="key"),
    returns=WithdrawPlaced,
    params=(
        Param("currency", required=True),
        Param("amount", Kind.DECIMAL, positive=True, required=True),
        Param("address"),
        Param("address_memo"),
        Param("destination"),
        Param("type", Kind.INT, choices=WithdrawAccountType),
        Param("value"),
        Param("area_code", wire="areaCode"),
        _SOURCE_ACCOUNT,
    ),
    # If both are given, the exchange silently uses the chain, so exactly one is allowed here.
    rules=(
        ExactlyOne(("address", "type")),
        When((("type", (None,)),), refuses=("value", "area_code")),
        When((("type", (1, 2, 3)),), needs=("value",), refuses=("address_memo", "destination")),
        When((("type", (3,)),), needs=("area_code",)),
    ),
)
withdraw_addresses: Endpoint[list[WithdrawAddress]] = Endpoint(
    "GET",
    "/account/v1/withdraw/address/list",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=list[WithdrawAddress],
    at=("list",),
)
deposit_withdraw_history: Endpoint[list[DepositWithdrawRecord]] = Endpoint(
    "GET",
    "/account/v2/deposit-withdraw/history",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=list[DepositWithdrawRecord],
    params=(
        Param("operation_type", choices=OperationType, required=True),
        Param("limit", Kind.INT, wire="N", least=1, most=1000, required=True),
        Param("currency"),
        Param("start_time", Kind.MILLIS, wire="startTime"),
        Param("end_time", Kind.MILLIS, wire="endTime"),
    ),
    rules=(Ordered("start_time", "end_time", or_equal=True),),
    at=("records",),
)
deposit_withdraw_record: Endpoint[DepositWithdrawRecord] = Endpoint(
    "GET",
    "/account/v1/deposit-withdraw/detail",
    Auth.KEYED,
    Quota(8, by="key"),
    returns=DepositWithdrawRecord,
    params=(Param("id", required=True),),
    at=("record",),
)
basic_fee_rate: Endpoint[BasicFeeRate] = Endpoint(
    "GET", "/spot/v1/user_fee", Auth.KEYED, Quota(2, by="key"), returns=BasicFeeRate
)
trade_fee_rate: Endpoint[SpotTradeFeeRate] = Endpoint(
    "GET",
    "/spot/v1/trade_fee",
    Auth.KEYED,
    Quota(2, by="key"),
    returns=SpotTradeFeeRate,
    params=(Param("symbol", required=True),),
)
info: Endpoint[AccountInfo] = Endpoint("GET", "/uapi-key/v1/account/info", Auth.KEYED, returns=AccountInfo)
submit_transfer: Endpoint[None] = Endpoint(
    "POST",
    "/account/v1/transfer",
    Auth.SIGNED,
    returns=type(None),
    params=(
        Param("currency", required=True),
        Param("amount", Kind.DECIMAL, positive=True, required=True),
        Param("type", choices=AccountTransferType, required=True),
    ),
)
# Only the official Python SDK 2.8.0 (2026-07) knows these two; no source shows an answer: it is handed on as it comes.
deposit_account: Endpoint[object] = Endpoint("GET", "/account/v1/get-deposit-account", Auth.KEYED, returns=object)
set_deposit_account: Endpoint[object] = Endpoint(
    "POST",
    "/account/v1/set-deposit-account",
    Auth.SIGNED,
    returns=object,
    params=(Param("account_type", choices=DepositAccountType, required=True),),
)


class SpotAccount(Chapter):
    """The methods of ``client.spot.account``."""

    __slots__ = ()

    async def balances(
        self,
        currency: str | None = None,
        *,
        need_usd_valuation: bool | None = None,
        source_account: SourceAccount | str | None = None,
    ) -> list[AccountBalance]:
        """Read the account's balances, including the funding wallet.

        GET /account/v1/wallet, keyed, 12 calls in 2 s by key.

        Args:
            currency: one currency, such as BTC; all if left out.
            need_usd_valuation: whether to value the free part in USD; no if left out.
            source_account: only this wallet; known from one third-party SDK of 2026-09.

        Returns:
            Only balances above zero.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Account Balance")
        """
        return await self._call(
            balances, currency=currency, need_usd_valuation=need_usd_valuation, source_account=source_account
        )

    async def currencies(self, currencies: str | None = None) -> list[AccountCurrency]:
        """Read the deposit and withdrawal terms of currencies, one record per chain.

        GET /account/v1/currencies, no key, 2 calls in 2 s by address.

        Args:
            currencies: one code, or up to 20 joined by commas (``BTC,ETH``); all if left out.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Currencies")
        """
        return await self._call(_currencies_row, currencies=currencies)

    async def spot_balances(self) -> list[SpotBalance]:
        """Read the spot wallet.

        GET /spot/v1/wallet, keyed, 12 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Spot Wallet Balance")
        """
        return await self._call(spot_balances)

    async def deposit_address(self, currency: str) -> DepositAddress:
        """Read the address to send a deposit to.

        GET /account/v1/deposit/address, keyed, 2 calls in 2 s by key. Refused to sub-accounts.

        Args:
            currency: with the chain for currencies on several, such as USDT-TRC20.

        Raises:
            FundingRefused: deposits of the currency are closed (60003).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Deposit Address")
        """
        return await self._call(deposit_address, currency=currency)

    async def withdraw_quota(self, currency: str) -> WithdrawQuota:
        """Read the limits and the fee of withdrawing a currency.

        GET /account/v1/withdraw/charge, keyed (permission to withdraw), 2 calls in 2 s by key. Refused to sub-accounts.

        Args:
            currency: with the chain for currencies on several.

        Raises:
            FundingRefused: withdrawals of the currency are closed (60004).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Withdraw Quota")
        """
        return await self._call(withdraw_quota, currency=currency)

    async def submit_withdrawal(
        self,
        currency: str,
        amount: Amount,
        *,
        address: str | None = None,
        address_memo: str | None = None,
        destination: str | None = None,
        type: WithdrawAccountType | int | None = None,
        value: str | None = None,
        area_code: str | None = None,
        source_account: SourceAccount | str | None = None,
        recv_window: int | None = None,
    ) -> WithdrawPlaced:
        """Withdraw to a chain address, or to another BitMart account.

        POST /account/v1/withdraw/apply, signed (permission to withdraw), 8 calls in 2 s by key. Refused to
        sub-accounts. The call carries no id of the caller: if its outcome is unknown, check
        `deposit_withdraw_history` before repeating it.

        Args:
            currency: with the chain for currencies on several, such as USDT-TRX.
            amount: in that currency; `withdraw_quota` names its decimals and its multiple.
            address: for a chain; must be saved and verified on the website.
            address_memo: for a chain: tag, payment id or memo.
            destination: for a chain: a remark.
            type: for another account: the way it is named.
            value: for another account: its id, email or phone number.
            area_code: for another account by phone: the dialling code, such as 61.
            source_account: wallet to draw on; spot first, then funding, if left out.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InvalidRequest: neither or both of ``address`` and ``type``.
            OutcomeUnknown: the connection failed after sending.
            FundingRefused: a limit, the address or the other account forbids it.
            InsufficientBalance: not enough funds (60008).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Withdraw")
        """
        return await self._call(
            submit_withdrawal,
            currency=currency,
            amount=amount,
            address=address,
            address_memo=address_memo,
            destination=destination,
            type=type,
            value=value,
            area_code=area_code,
            source_account=source_account,
            recv_window=recv_window,
        )

    async def withdraw_addresses(self) -> list[WithdrawAddress]:
        """List the saved withdrawal addresses.

        GET /account/v1/withdraw/address/list, keyed, 2 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Withdraw Address")
        """
        return await self._call(withdraw_addresses)

    async def deposit_withdraw_history(
        self,
        operation_type: OperationType | str,
        limit: int,
        *,
        currency: str | None = None,
        start_time: TimeMs | None = None,
        end_time: TimeMs | None = None,
    ) -> list[DepositWithdrawRecord]:
        """List deposits or withdrawals.

        GET /account/v2/deposit-withdraw/history, keyed, 8 calls in 2 s by key. Refused to sub-accounts.

        Args:
            operation_type: deposits or withdrawals.
            limit: the newest 1 to 1000 of them.
            currency: all if left out.
            start_time: in milliseconds; 90 days ago if left out.
            end_time: in milliseconds; now if left out. The span must stay below 90 days.

        Raises:
            RequestRefused: the span is too wide (60066, 60067).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Deposit And Withdraw History")
        """
        return await self._call(
            deposit_withdraw_history,
            operation_type=operation_type,
            limit=limit,
            currency=currency,
            start_time=start_time,
            end_time=end_time,
        )

    async def deposit_withdraw_record(self, id: str) -> DepositWithdrawRecord:
        """Read one deposit or withdrawal.

        GET /account/v1/deposit-withdraw/detail, keyed, 8 calls in 2 s by key. Refused to sub-accounts.

        Args:
            id: a ``withdraw_id`` or a ``deposit_id``.

        Raises:
            NotFound: no such record (60010).

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get A Deposit Or Withdraw Detail")
        """
        return await self._call(deposit_withdraw_record, id=id)

    async def basic_fee_rate(self) -> BasicFeeRate:
        """Read the account's fee rates by class of pair.

        GET /spot/v1/user_fee, keyed, 2 calls in 2 s by key.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Basic Fee Rate")
        """
        return await self._call(basic_fee_rate)

    async def trade_fee_rate(self, symbol: str) -> SpotTradeFeeRate:
        """Read the fee rates that apply to one pair.

        GET /spot/v1/trade_fee, keyed, 2 calls in 2 s by key.

        Args:
            symbol: such as BTC_USDT.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Actual Trade Fee Rate")
        """
        return await self._call(trade_fee_rate, symbol=symbol)

    async def info(self) -> AccountInfo:
        """Read the account's status and all its API keys.

        GET /uapi-key/v1/account/info, keyed. Added by the exchange on 2026-06-25; its reply has no trace.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Get Account Info")
        """
        return await self._call(info)

    async def submit_transfer(
        self, currency: str, amount: Amount, *, type: AccountTransferType | str, recv_window: int | None = None
    ) -> None:
        """Move funds between the own spot and funding wallets.

        POST /account/v1/transfer, signed. Added by the exchange on 2026-06-29. The call carries no id of the caller: if
        its outcome is unknown, compare `balances` before repeating it.

        Args:
            currency: short code.
            amount: in that currency.
            type: the direction.
            recv_window: milliseconds; this endpoint does not send it.

        Raises:
            InsufficientBalance: not enough funds.
            OutcomeUnknown: the connection failed after sending.

        Source: https://developer-pro.bitmart.com/en/spot/ (section "Transfer")
        """
        await self._call(submit_transfer, currency=currency, amount=amount, type=type, recv_window=recv_window)

    async def deposit_account(self) -> object:
        """Read the wallet that deposits are credited to.

        GET /account/v1/get-deposit-account, keyed. Known from the official Python SDK 2.8.0 only.

        Returns:
            Plain JSON values as the exchange sends them; their shape is not documented.
        """
        return await self._call(deposit_account)

    async def set_deposit_account(
        self, account_type: DepositAccountType | str, *, recv_window: int | None = None
    ) -> object:
        """Choose the wallet that deposits are credited to.

        POST /account/v1/set-deposit-account, signed. Known from the official Python SDK 2.8.0 only. Refused to
        sub-accounts.

        Args:
            account_type: the wallet.
            recv_window: milliseconds; this endpoint does not send it.

        Returns:
            Plain JSON values as the exchange sends them; their shape is not documented.
        """
        return await self._call(set_deposit_account, account_type=account_type, recv_window=recv_window)
