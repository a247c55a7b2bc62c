"""Define what an affiliate sees of invited users: trades, fees, commission, deposits and withdrawals."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenInt
from ._fields import Millis, wire
from ._futures_enums import FuturesOrderSide
from ._model import Model


class AffiliateUserType(OpenInt):
    """The way in which the user was invited."""

    INDIRECT = 0
    DIRECT = 1


class AffiliateOpenType(OpenInt):
    """The margin mode as a number; in this chapter only."""

    ISOLATED = 1
    CROSS = 2


class AffiliateCategory(OpenInt):
    """The kind of order; in this chapter a number."""

    LIMIT = 1
    MARKET = 2


class AffiliateCopyTrade(OpenInt):
    """The copy-trading mark of a trade."""

    COPY_TRADING = 1
    NOT_COPY_TRADING = 2


class AffiliateRebateStatus(OpenInt):
    """The payment state of commission."""

    NOT_ISSUED = 0
    ISSUED = 1


class AffiliateFundsType(OpenInt):
    """The direction of a movement of funds."""

    DEPOSIT = 1
    WITHDRAWAL = 2


@attrs.frozen
class AffiliateRebate(Model):
    """Commission earned from one user."""

    rebate_coin: str
    """Currency of the commission."""
    trade_user_id: int
    """The user."""
    total_rebate_amount: Decimal
    """In that currency."""
    user_type: AffiliateUserType
    """The way in which the user was invited."""


@attrs.frozen(kw_only=True)
class AffiliateRebatePage(Model):
    """One page of commission, with totals."""

    total: int
    """The number of all entries."""
    btc_rebate_sum: Decimal
    """All commission in BTC."""
    size: int
    """The number of entries per page."""
    usdt_rebate_sum: Decimal
    """All commission in USDT."""
    page: int
    """Number of the page."""
    eth_rebate_sum: Decimal
    """All commission in ETH."""
    items: list[AffiliateRebate] = wire("rebate_detail_page_data")
    """The page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class AffiliateTrade(Model):
    """One trade of a user."""

    leverage: Decimal
    """Leverage of the position."""
    symbol: str
    """The contract."""
    create_time: Millis
    """When."""
    open_type: AffiliateOpenType
    """Margin mode."""
    fee: Decimal
    """The fee that the user paid."""
    deal_price: Decimal
    """Quote currency."""
    realised_profit: Decimal
    """The realised profit; negative for a loss."""
    side: FuturesOrderSide = wire("way")
    """The direction."""
    deal_vol: Decimal
    """Contracts."""
    copy_trade: AffiliateCopyTrade = wire("select_copy_trade")
    """The copy-trading mark of the trade."""
    user_type: AffiliateUserType
    """The way in which the user was invited."""
    user_id: int
    """The user."""
    category: AffiliateCategory
    """Limit or market."""


@attrs.frozen(kw_only=True)
class AffiliateTradePage(Model):
    """One page of trades."""

    total: int
    """The number of all entries."""
    size: int
    """The number of entries per page."""
    page: int
    """Number of the page."""
    items: list[AffiliateTrade] = wire("list")
    """The page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen
class AffiliateUserRebate(Model):
    """Volume, fees and commission of one user: in the requested period, and since the invitation."""

    trading_vol_total: Decimal
    """Volume since the invitation."""
    trading_fee: Decimal
    """Fees in the period."""
    back_rate: Decimal
    """The refunded share of the fees: percent in the documentation (90), a fraction elsewhere (0.3)."""
    trading_vol: Decimal
    """Volume in the period."""
    rebate: Decimal
    """Commission in the period."""
    trading_fee_total: Decimal
    """Fees since the invitation."""
    rebate_total: Decimal
    """Commission since the invitation."""
    cid: int
    """The user."""


@attrs.frozen
class AffiliateApiRebate(Model):
    """Fees and commission of one user's trading over the API, in the requested period."""

    api_trading_fee_total: Decimal
    """Fees."""
    api_rebate_total: Decimal
    """Commission."""


@attrs.frozen
class AffiliateInviteCheck(Model):
    """The answer to whether the caller invited a user."""

    is_invite_user: bool = wire("isInviteUser")
    """True if the caller did."""


@attrs.frozen(kw_only=True)
class AffiliateInvitedUser(Model):
    """Volume, fees and commission of one user; amounts in USDT."""

    rebate_total: Decimal = wire("rebateTotal")
    """Commission."""
    trading_vol_total: Decimal = wire("tradingVolTotal")
    """Volume."""
    cashback_rate: Decimal = wire("cashbackRate")
    """The share that is passed on to the user."""
    trading_fee_total: Decimal = wire("tradingFeeTotal")
    """Fees."""
    back_rate: Decimal = wire("backRate")
    """The refunded share of the fees."""
    cid: int
    """The user."""
    status: AffiliateRebateStatus
    """The payment state of the commission."""
    account_asset_total: Decimal | None = wire("accountAssetTotal", default=None)
    """The value of the user's account; None in replies before 2026-04-07."""


@attrs.frozen(kw_only=True)
class AffiliateInvitedUserPage(Model):
    """One page of users."""

    items: list[AffiliateInvitedUser] = wire("list")
    """The page."""
    page: int
    """Number of the page."""
    size: int
    """The number of entries per page."""
    total: int
    """The number of all entries."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class AffiliateFundsRecord(Model):
    """One deposit or withdrawal of a user."""

    date_time: int = wire("dateTime")
    """The time; the unit is not documented (ten digits are seconds)."""
    cid: int
    """The user."""
    remark: str | None = None
    """A note; None if blank."""
    parent_cid: int = wire("parentCid")
    """The id of the user's inviter."""
    user_type: int = wire("userType")
    """Not documented, probably like `AffiliateUserType`."""
    type: AffiliateFundsType
    """The direction."""
    method: int
    """Not documented."""
    amount: Decimal
    """In `coin`."""
    coin: str
    """Currency."""


@attrs.frozen(kw_only=True)
class AffiliateFundsRecordPage(Model):
    """One page of deposits and withdrawals."""

    total: int
    """The number of all entries."""
    size: int
    """The number of entries per page."""
    page: int
    """Number of the page."""
    items: list[AffiliateFundsRecord] = wire("list")
    """The page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen
class AffiliateCustomerInfo(Model):
    """The value of a user's futures account, in USDT."""

    futures_account_asset_total_usdt: Decimal = wire("futuresAccountAssetTotalUsdt")
    """Assets."""
    futures_account_right_usdt: Decimal = wire("futuresAccountRightUsdt")
    """Equity: assets and unrealised profit."""
