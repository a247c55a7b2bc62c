"""What an affiliate sees of the users that it has brought: trades, fees, commission, deposits and withdrawals."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenInt
from ._fields import Millis, wire
from ._futures_enums import FuturesOrderSide
from ._model import Model


class AffiliateUserType(OpenInt):
    """How the user came."""

    INDIRECT = 0
    DIRECT = 1


class AffiliateOpenType(OpenInt):
    """Margin mode as a number; in this chapter only."""

    ISOLATED = 1
    CROSS = 2


class AffiliateCategory(OpenInt):
    """Kind of order; in this chapter a number."""

    LIMIT = 1
    MARKET = 2


class AffiliateCopyTrade(OpenInt):
    """Whether a trade was a copy of another trader's."""

    COPY_TRADING = 1
    NOT_COPY_TRADING = 2


class AffiliateRebateStatus(OpenInt):
    """Whether commission was paid out."""

    NOT_ISSUED = 0
    ISSUED = 1


class AffiliateFundsType(OpenInt):
    """Which way money went."""

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
    """How the user came."""


@attrs.frozen(kw_only=True)
class AffiliateRebatePage(Model):
    """One page of commission, with totals."""

    total: int
    """How many there are in all."""
    btc_rebate_sum: Decimal
    """All commission in BTC."""
    size: int
    """Entries a page."""
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
    """What the user paid."""
    deal_price: Decimal
    """Quote currency."""
    realised_profit: Decimal
    """What the trade realised; negative for a loss."""
    side: FuturesOrderSide = wire("way")
    """Which way."""
    deal_vol: Decimal
    """Contracts."""
    copy_trade: AffiliateCopyTrade = wire("select_copy_trade")
    """Whether it was a copy."""
    user_type: AffiliateUserType
    """How the user came."""
    user_id: int
    """The user."""
    category: AffiliateCategory
    """Limit or market."""


@attrs.frozen(kw_only=True)
class AffiliateTradePage(Model):
    """One page of trades."""

    total: int
    """How many there are in all."""
    size: int
    """Entries a page."""
    page: int
    """Number of the page."""
    items: list[AffiliateTrade] = wire("list")
    """The page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen
class AffiliateUserRebate(Model):
    """Volume, fees and commission of one user: in the period asked for, and since the user came."""

    trading_vol_total: Decimal
    """Volume since the user came."""
    trading_fee: Decimal
    """Fees in the period."""
    back_rate: Decimal
    """Share of the fees that comes back: percent in the documentation (90), a fraction elsewhere (0.3)."""
    trading_vol: Decimal
    """Volume in the period."""
    rebate: Decimal
    """Commission in the period."""
    trading_fee_total: Decimal
    """Fees since the user came."""
    rebate_total: Decimal
    """Commission since the user came."""
    cid: int
    """The user."""


@attrs.frozen
class AffiliateApiRebate(Model):
    """Fees and commission of one user's trading over the API, in the period asked for."""

    api_trading_fee_total: Decimal
    """Fees."""
    api_rebate_total: Decimal
    """Commission."""


@attrs.frozen
class AffiliateInviteCheck(Model):
    """Whether a user was brought by the caller."""

    is_invite_user: bool = wire("isInviteUser")
    """True when so."""


@attrs.frozen(kw_only=True)
class AffiliateInvitedUser(Model):
    """Volume, fees and commission of one user; amounts in USDT."""

    rebate_total: Decimal = wire("rebateTotal")
    """Commission."""
    trading_vol_total: Decimal = wire("tradingVolTotal")
    """Volume."""
    cashback_rate: Decimal = wire("cashbackRate")
    """Share that is handed on to the user."""
    trading_fee_total: Decimal = wire("tradingFeeTotal")
    """Fees."""
    back_rate: Decimal = wire("backRate")
    """Share of the fees that comes back."""
    cid: int
    """The user."""
    status: AffiliateRebateStatus
    """Whether the commission was paid out."""
    account_asset_total: Decimal | None = wire("accountAssetTotal", default=None)
    """What the user's account is worth; None in replies from before 2026-04-07."""


@attrs.frozen(kw_only=True)
class AffiliateInvitedUserPage(Model):
    """One page of users."""

    items: list[AffiliateInvitedUser] = wire("list")
    """The page."""
    page: int
    """Number of the page."""
    size: int
    """Entries a page."""
    total: int
    """How many there are in all."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class AffiliateFundsRecord(Model):
    """One deposit or withdrawal of a user."""

    date_time: int = wire("dateTime")
    """When; the unit is not documented (ten digits are seconds)."""
    cid: int
    """The user."""
    remark: str | None = None
    """A note; None when blank."""
    parent_cid: int = wire("parentCid")
    """Who brought the user."""
    user_type: int = wire("userType")
    """Not documented, probably as `AffiliateUserType`."""
    type: AffiliateFundsType
    """Which way."""
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
    """How many there are in all."""
    size: int
    """Entries a page."""
    page: int
    """Number of the page."""
    items: list[AffiliateFundsRecord] = wire("list")
    """The page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen
class AffiliateCustomerInfo(Model):
    """What a user's futures account is worth, in USDT."""

    futures_account_asset_total_usdt: Decimal = wire("futuresAccountAssetTotalUsdt")
    """Assets."""
    futures_account_right_usdt: Decimal = wire("futuresAccountRightUsdt")
    """Equity: assets and unrealised profit."""
