"""Define account and funding on the spot host: balances, deposits, withdrawals, fees, keys."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis, wire
from ._model import Model


class OperationType(OpenStr):
    """The direction of funds: deposit or withdrawal."""

    DEPOSIT = "deposit"
    WITHDRAW = "withdraw"


class DepositWithdrawStatus(OpenInt):
    """The state of a deposit or withdrawal."""

    CREATED = 0
    SUBMITTED = 1
    """Waiting for review."""
    PROCESSING = 2
    DONE = 3
    CANCELLED = 4
    FAILED = 5


class WithdrawAccountType(OpenInt):
    """The way to name the receiver of an internal withdrawal."""

    ACCOUNT_ID = 1
    EMAIL = 2
    PHONE = 3


class WithdrawAddressType(OpenInt):
    """The use of a saved address."""

    STANDARD = 0
    """One currency on one network."""
    UNIVERSAL = 1
    """Any currency on one network."""
    EVM = 2
    """Any EVM network."""


class VerifyStatus(OpenInt):
    """The verification state of a saved address."""

    NOT_VERIFIED = 0
    VERIFIED = 1


class UserRateType(OpenInt):
    """The fee table of an account."""

    NORMAL = 0
    VIP = 1
    SPECIAL_VIP = 2


class SourceAccount(OpenStr):
    """A wallet of the account."""

    SPOT = "SPOT"
    FUND = "FUND"


class AccountTransferType(OpenStr):
    """The direction of a transfer between own wallets."""

    SPOT_TO_FUND = "spot_to_fund"
    FUND_TO_SPOT = "fund_to_spot"


class DepositAccountType(OpenStr):
    """The wallet that deposits are credited to."""

    SPOT = "SPOT"
    CONTRACT = "CONTRACT"
    FUND = "FUND"


class AccountType(OpenStr):
    """The kind of account: main or sub-account."""

    MAIN = "main"
    SUB = "sub"


class AccountStatus(OpenStr):
    """The state of an account."""

    ACTIVE = "active"
    FROZEN = "frozen"


class ApiKeyStatus(OpenStr):
    """The state of a key."""

    ACTIVE = "active"
    FROZEN = "frozen"
    EXPIRED = "expired"


@attrs.frozen(kw_only=True)
class AccountBalance(Model):
    """The account's balance of one currency, with the funding wallet if the exchange sends it."""

    currency: str
    """Short code, such as USDT."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""
    available_usd_valuation: Decimal | None = None
    """The value of the free part in USD; None unless the call asked for it."""
    unavailable: Decimal | None = wire("unAvailable", default=None)
    """Held by open orders and all other holds; since 2025-05-15."""
    fund_available: Decimal | None = wire("fundAvailable", default=None)
    """Free in the funding wallet; since 2026-06."""
    # Two other clients disagree on the spelling, and no official sample settles it.
    fund_frozen: Decimal | None = wire("fundFrozen", aliases=("fundFroze",), default=None)
    """Held in the funding wallet; since 2026-06."""


@attrs.frozen(kw_only=True)
class AccountCurrency(Model):
    """The deposit and withdrawal terms of a currency on one chain."""

    currency: str
    """With the chain for currencies on several, such as USDT-TRC20."""
    name: str
    """Full name."""
    network: str
    """The chain."""
    withdraw_enabled: bool
    """True if it can be withdrawn now."""
    deposit_enabled: bool
    """True if it can be deposited now."""
    contract_address: str | None = None
    """None for a chain's own coin."""
    withdraw_min_size: Decimal | None = wire("withdraw_minsize", default=None)
    """Least withdrawal, in the currency; None if there is none."""
    withdraw_min_fee: Decimal | None = wire("withdraw_minfee", default=None)
    """Fee in USD; announced to disappear after 2025-05-18, None since."""
    withdraw_fee: Decimal | None = None
    """Fee in the currency itself; since 2025-02-18."""
    withdraw_fee_estimate: Decimal | None = None
    """Fee in USD; since 2025-02-18."""
    deposit_min_size: Decimal | None = wire("recharge_minsize", default=None)
    """Least deposit, in the currency; sent, but not documented."""
    withdraw_max_size: Decimal | None = wire("withdraw_maxsize", default=None)
    """Largest withdrawal, in the currency; sent by some replies only."""


@attrs.frozen(kw_only=True)
class SpotBalance(Model):
    """The spot wallet's balance of one currency."""

    currency: str = wire("id")
    """Short code, such as BTC."""
    name: str
    """Full name."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""
    total: Decimal | None = None
    """Free and held; None if the exchange omits it."""


@attrs.frozen
class DepositAddress(Model):
    """An address to send a deposit to."""

    currency: str
    """With the chain for currencies on several."""
    chain: str
    """The chain."""
    address: str
    """On that chain."""
    address_memo: str | None = None
    """Tag, payment id or memo that must go with it; None if the chain needs none."""


@attrs.frozen(kw_only=True)
class WithdrawQuota(Model):
    """The limits and fee of withdrawing one currency."""

    today_available_withdraw_btc: Decimal = wire("today_available_withdraw_BTC")
    """The amount that may still leave the account today, valued in BTC."""
    min_withdraw: Decimal
    """Least amount."""
    withdraw_precision: int
    """The most decimals of an amount."""
    withdraw_fee: Decimal
    """In the currency itself."""
    withdraw_multiple_of: int | None = wire("withdraw_Precision_GeTen", default=None)
    """Amounts must be multiples of this; None if there is no such rule."""


@attrs.frozen
class WithdrawPlaced(Model):
    """A withdrawal that has been accepted; `deposit_withdraw_record` returns its state."""

    withdraw_id: str
    """The exchange's id for it."""

    _identity_: ClassVar[tuple[str, ...]] = ("withdraw_id",)


@attrs.frozen(kw_only=True)
class WithdrawAddress(Model):
    """A saved withdrawal address."""

    address: str
    """On the chain."""
    address_type: WithdrawAddressType = wire("addressType")
    """The use of the address."""
    verify_status: VerifyStatus = wire("verifyStatus")
    """The verification state: the API withdraws to verified addresses only."""
    currency: str | None = None
    """None unless the address is a standard one."""
    network: str | None = None
    """None for an EVM address."""
    memo: str | None = None
    """Tag or payment id; None if the chain needs none."""
    remark: str | None = None
    """The owner's label; None if there is none."""


@attrs.frozen
class DepositWithdrawRecord(Model):
    """A deposit or withdrawal."""

    operation_type: OperationType
    """Deposit or withdrawal."""
    currency: str
    """Short code."""
    apply_time: Millis
    """The time of the request or of the deposit's arrival."""
    arrival_amount: Decimal
    """The amount that arrived, without the fee."""
    fee: Decimal
    """In the currency itself."""
    status: DepositWithdrawStatus
    """The state of the deposit or withdrawal."""
    withdraw_id: str | None = None
    """None for a deposit."""
    deposit_id: str | None = None
    """None for a withdrawal."""
    address: str | None = None
    """On the chain; None for internal ones."""
    address_memo: str | None = None
    """Tag or payment id; None if there is none."""
    tx_id: str | None = None
    """Hash of the chain's transaction; None until it is on the chain."""


@attrs.frozen(kw_only=True)
class BasicFeeRate(Model):
    """The account's fee rates by class of pair, as fractions."""

    user_rate_type: UserRateType
    """The fee table that applies."""
    level: str
    """Such as LV1."""
    taker_fee_rate_a: Decimal = wire("taker_fee_rate_A")
    """Taker, pairs of class A."""
    maker_fee_rate_a: Decimal = wire("maker_fee_rate_A")
    """Maker, pairs of class A."""
    taker_fee_rate_b: Decimal = wire("taker_fee_rate_B")
    """Taker, pairs of class B."""
    maker_fee_rate_b: Decimal = wire("maker_fee_rate_B")
    """Maker, pairs of class B."""
    taker_fee_rate_c: Decimal = wire("taker_fee_rate_C")
    """Taker, pairs of class C."""
    maker_fee_rate_c: Decimal = wire("maker_fee_rate_C")
    """Maker, pairs of class C."""
    taker_fee_rate_d: Decimal | None = wire("taker_fee_rate_D", default=None)
    """Taker, pairs of class D; since 2024-10-09. None if the reply omits it, as recorded ones do."""
    maker_fee_rate_d: Decimal | None = wire("maker_fee_rate_D", default=None)
    """Maker, pairs of class D; since 2024-10-09. None as for takers."""


@attrs.frozen(kw_only=True)
class SpotTradeFeeRate(Model):
    """The fee rates that apply to one pair, as fractions."""

    symbol: str
    """Such as BTC_USDT."""
    # An older reply, recorded by another client, had one taker and one maker rate for both sides.
    buy_taker_fee_rate: Decimal = wire(aliases=("taker_fee_rate",))
    """Buying as taker."""
    sell_taker_fee_rate: Decimal = wire(aliases=("taker_fee_rate",))
    """Selling as taker."""
    buy_maker_fee_rate: Decimal = wire(aliases=("maker_fee_rate",))
    """Buying as maker."""
    sell_maker_fee_rate: Decimal = wire(aliases=("maker_fee_rate",))
    """Selling as maker."""


@attrs.frozen
class ApiKeyInfo(Model):
    """An API key of the account."""

    access_key_masked: str
    """The key with its middle starred out."""
    is_current: bool
    """True for the key that made the call."""
    permissions: list[str]
    """The permissions of the key; the words are not documented."""
    ip_whitelist: list[str]
    """The addresses it works from; empty for any."""
    api_key_label: str
    """The owner's name for it."""
    api_key_created_time: Millis
    """The time of its creation (the unit is not documented)."""
    api_key_status: ApiKeyStatus
    """The state of the key."""
    api_key_expire_time: Millis | None = None
    """The time when it expires (the unit is not documented); None if it does not."""


@attrs.frozen
class AccountInfo(Model):
    """The account and its keys."""

    cid: str
    """The account's id."""
    account_type: AccountType
    """The kind of account: main or sub-account."""
    account_status: AccountStatus
    """The state of the account."""
    kyc_level: str
    """The owner's verification level; the values are not documented."""
    register_time: Millis
    """The time of its opening (the unit is not documented)."""
    api_keys: list[ApiKeyInfo]
    """All keys of the account."""
    parent_cid: str | None = None
    """The main account of a sub-account, else None."""
    broker_id: str | None = None
    """The broker it came through; None if there is none."""
