"""Define the futures wallet: balances, fees, ledger, transfers and cross-collateral debt."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis, wire
from ._futures_enums import FuturesAccountType
from ._model import Model


class FlowType(OpenInt):
    """The kind of a ledger entry, as a number."""

    ALL = 0
    """Every kind; only in requests."""
    TRANSFER = 1
    REALIZED_PNL = 2
    FUNDING_FEE = 3
    COMMISSION_FEE = 4
    LIQUIDATION_CLEARANCE = 5


class TransactionType(OpenStr):
    """The kind of a ledger entry, as words."""

    TRANSFER = "Transfer"
    REALIZED_PNL = "Realized PNL"
    FUNDING_FEE = "Funding Fee"
    COMMISSION_FEE = "Commission Fee"
    LIQUIDATION_CLEARANCE = "Liquidation Clearance"


class FuturesTransferType(OpenStr):
    """The direction of a transfer between the spot and the futures wallet."""

    SPOT_TO_CONTRACT = "spot_to_contract"
    CONTRACT_TO_SPOT = "contract_to_spot"


class FundingTransferType(OpenStr):
    """The direction of a transfer between the funding and the futures account."""

    FUND_TO_CONTRACT = "fund_to_contract"
    CONTRACT_TO_FUND = "contract_to_fund"


class TransferState(OpenStr):
    """The state of a transfer."""

    PROCESSING = "PROCESSING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@attrs.frozen
class FuturesAsset(Model):
    """One currency of the futures wallet."""

    currency: str
    """Such as ``USDT``."""
    position_deposit: Decimal
    """Margin of open positions."""
    frozen_balance: Decimal
    """Held by open orders."""
    available_balance: Decimal
    """Free to trade or to transfer."""
    equity: Decimal
    """Everything, unrealised profit included."""
    unrealized: Decimal
    """Unrealised profit of open positions."""


@attrs.frozen
class FuturesTradeFeeRate(Model):
    """The account's fee rates for one contract, as ratios: 0.0006 is 0.06 %."""

    symbol: str
    """The contract."""
    taker_fee_rate: Decimal
    """For taking liquidity."""
    maker_fee_rate: Decimal
    """For providing liquidity."""


@attrs.frozen(kw_only=True)
class Transaction(Model):
    """One entry of the ledger."""

    symbol: str | None = None
    """The contract; None for transfers (blank on the wire)."""
    flow_type: FlowType | None = None
    """`type` as a number; None in older replies."""
    type: TransactionType
    """The kind of entry."""
    amount: Decimal
    """In `asset`; negative when money left."""
    asset: str
    """Currency."""
    account: FuturesAccountType | None = None
    """The kind of futures account; None if the reply omits it."""
    time: Millis
    """When."""
    tran_id: str
    """Id of the entry."""


@attrs.frozen
class FuturesTransfer(Model):
    """One transfer between the spot and the futures wallet."""

    transfer_id: str
    """Id of the transfer."""
    currency: str
    """``USDT``."""
    amount: Decimal
    """In that currency."""
    type: FuturesTransferType
    """The direction of the transfer."""
    state: TransferState
    """The state of the transfer."""
    timestamp: Millis
    """When."""


@attrs.frozen
class FuturesTransferResult(Model):
    """A transfer that was accepted."""

    currency: str
    """``USDT``."""
    amount: Decimal
    """In that currency."""


@attrs.frozen
class AutoRepayment(Model):
    """One automatic repayment of cross-collateral debt."""

    to_coin_code: str
    """Currency of the debt."""
    to_amount: Decimal
    """The repaid part of the debt."""
    from_coin_code: str
    """Currency it was repaid with."""
    from_amount: Decimal
    """The amount of it that was used."""
    time: str
    """The time, as the exchange writes it: the form is not documented (Unix seconds in the only sample)."""
    type: str
    """Such as ``AUTO_REPAY``; the full list is not documented."""
    liquidation_fee: Decimal
    """Fee of the repayment."""


@attrs.frozen(kw_only=True)
class AutoRepaymentPage(Model):
    """One page of automatic repayments."""

    items: list[AutoRepayment] = wire("list")
    """The page."""
    total: int
    """The number of all entries."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class InterestLogItem(Model):
    """Interest charged once on cross-collateral debt."""

    record_id: int = wire("id")
    """Id of the record."""
    account_id: int
    """Id of the account."""
    coin_code: str
    """Currency of the debt."""
    rate: Decimal
    """Interest rate, a ratio."""
    interest: Decimal
    """The charged interest, in that currency."""
    liability: Decimal
    """The debt it was charged on."""
    interest_time: int
    """The time of the charge; the unit is not documented (ten digits are seconds)."""
    created_at: str
    """The time when the record was made, as the exchange writes it: form and time zone are not documented."""
    updated_at: str
    """The time of the record's last change, likewise."""
    interest_free_amount: Decimal
    """The part of the debt that bears no interest."""


@attrs.frozen
class InterestLogPage(Model):
    """One page of interest charges."""

    items: list[InterestLogItem]
    """The page."""
    total: int
    """The number of all entries."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)
