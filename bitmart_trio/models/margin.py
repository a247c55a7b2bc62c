"""Define isolated margin: accounts, loans and their terms."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Final, cast

import attrs

from ._enums import OpenStr
from ._fields import Seconds, wire
from ._model import Model

# A time in seconds reaches this in the year 5138; one in milliseconds passed it in 1973.
_MILLIS_FROM: Final = 100_000_000_000


def _in_seconds(value: object, name: str) -> object:
    """Return the record with this time in seconds: the docs print ten digits, another client recorded thirteen."""
    if not isinstance(value, Mapping):
        return value
    members = cast("Mapping[str, object]", value)
    text = str(members.get(name, ""))
    if text.isdecimal() and int(text) >= _MILLIS_FROM:
        return {**members, name: int(text) // 1000}
    return members


class MarginTransferSide(OpenStr):
    """The direction of a transfer."""

    IN = "in"
    """From the spot wallet to the margin account."""
    OUT = "out"
    """Back."""


@attrs.frozen(kw_only=True)
class MarginAsset(Model):
    """One currency of an isolated-margin account; amounts are in it."""

    currency: str
    """Short code."""
    borrow_enabled: bool
    """True if more can be borrowed."""
    borrowed: Decimal
    """On loan."""
    borrow_unpaid: Decimal
    """Principal still owed."""
    interest_unpaid: Decimal
    """Interest still owed."""
    available: Decimal
    """Free."""
    frozen: Decimal
    """Held by open orders."""
    net_asset: Decimal
    """The amount left after repayment."""
    net_asset_btc: Decimal = wire("net_assetBTC")
    """The same in BTC."""
    total_asset: Decimal
    """Free and held."""


@attrs.frozen(kw_only=True)
class MarginAccount(Model):
    """The isolated-margin account of one pair."""

    symbol: str
    """Such as BTC_USDT."""
    risk_rate: Decimal | None = None
    """The distance from liquidation; None without a loan."""
    risk_level: str
    """1 low, 2 medium, 3 high."""
    buy_enabled: bool
    """True if buying is allowed."""
    sell_enabled: bool
    """True if selling is allowed."""
    liquidate_price: Decimal | None = None
    """Quote currency; None or negative if nothing can be liquidated."""
    liquidate_rate: Decimal | None = None
    """Risk rate at which it is liquidated; None without a loan."""
    base: MarginAsset
    """The base currency's side."""
    quote: MarginAsset
    """The quote currency's side."""


@attrs.frozen
class MarginTransferPlaced(Model):
    """A transfer that has been carried out."""

    transfer_id: str
    """The exchange's id."""

    _identity_: ClassVar[tuple[str, ...]] = ("transfer_id",)


@attrs.frozen
class BorrowPlaced(Model):
    """A loan that has been taken."""

    borrow_id: str
    """The exchange's id."""

    _identity_: ClassVar[tuple[str, ...]] = ("borrow_id",)


@attrs.frozen
class RepayPlaced(Model):
    """A repayment that has been made."""

    repay_id: str
    """The exchange's id."""

    _identity_: ClassVar[tuple[str, ...]] = ("repay_id",)


@attrs.frozen
class BorrowRecord(Model):
    """A loan on an isolated-margin pair."""

    borrow_id: str
    """The exchange's id."""
    symbol: str
    """The pair it was taken on."""
    currency: str
    """The borrowed currency."""
    borrow_amount: Decimal
    """The borrowed amount, in that currency."""
    daily_interest: Decimal
    """Fraction per day."""
    hourly_interest: Decimal
    """Fraction per hour."""
    interest_amount: Decimal
    """Interest so far, in that currency."""
    create_time: Seconds
    """The time of the loan, in seconds."""

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _in_seconds(value, "create_time")


@attrs.frozen
class RepayRecord(Model):
    """A repayment of an isolated-margin loan."""

    repay_id: str
    """The exchange's id."""
    repay_time: Seconds
    """The time of the repayment, in seconds."""
    symbol: str
    """The pair of the loan."""
    currency: str
    """The repaid currency."""
    repaid_amount: Decimal
    """Principal and interest, in that currency."""
    repaid_principal: Decimal
    """Principal."""
    repaid_interest: Decimal
    """Interest."""

    @classmethod
    def _shape_(cls, value: object) -> object:
        return _in_seconds(value, "repay_time")


@attrs.frozen
class BorrowTerms(Model):
    """The terms of borrowing one currency of a pair, with amounts in that currency."""

    currency: str
    """Short code."""
    daily_interest: Decimal
    """Fraction per day."""
    hourly_interest: Decimal
    """Fraction per hour."""
    max_borrow_amount: Decimal
    """The most that anybody may borrow."""
    min_borrow_amount: Decimal
    """Least."""
    borrowable_amount: Decimal
    """The amount that this account can borrow now."""


@attrs.frozen
class BorrowingRate(Model):
    """The terms of borrowing on one pair."""

    symbol: str
    """Such as BTC_USDT."""
    max_leverage: Decimal
    """Highest leverage."""
    symbol_enabled: bool
    """True if margin trading is open."""
    base: BorrowTerms
    """Borrowing the base currency."""
    quote: BorrowTerms
    """Borrowing the quote currency."""
