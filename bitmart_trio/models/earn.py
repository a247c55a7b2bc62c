"""Define savings: flexible and fixed-term products, holdings and records.

The exchange added them in 2026-04 and 2026-06. Request fields come from its SDKs; reply fields are those of one
third-party SDK, so expect the wire to have more of them (``bm.extras`` shows them).
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from ._enums import OpenStr
from ._fields import Millis, wire
from ._model import Model


class SavingsRecordType(OpenStr):
    """The kind of a savings record."""

    SUBSCRIBE = "subscribe"
    REDEEM = "redeem"
    INTEREST = "interest"


class FixedAutoSubscribe(OpenStr):
    """The action for a fixed-term holding at maturity."""

    OFF = "OFF"
    """It is paid out."""
    REINVEST_FLEXIBLE = "REINVEST_FLEXIBLE"
    """It moves into the flexible product."""
    REINVEST_FIXED = "REINVEST_FIXED"
    """It starts another term."""


class AutoSubscribeAction(OpenStr):
    """A switch of automatic subscription."""

    OPEN = "open"
    CLOSE = "close"


class OnOff(OpenStr):
    """A switch that is on or off."""

    ON = "ON"
    OFF = "OFF"


@attrs.frozen(kw_only=True)
class EarnHolding(Model):
    """All savings in one coin, flexible and fixed."""

    coin_name: str = wire("coinName")
    """Short code."""
    total_user_sum: Decimal = wire("totalUserSum")
    """Held, in the coin."""
    total_profit: Decimal = wire("totalProfit")
    """Earned so far, in the coin."""
    previous_profit: Decimal = wire("previousProfit")
    """Earned on the previous day, in the coin."""


@attrs.frozen(kw_only=True)
class EarnTierRate(Model):
    """The rate for one slice of a holding."""

    min_purchase_amount: Decimal = wire("minPurchaseAmount")
    """Where the slice begins, in the coin."""
    max_purchase_amount: Decimal = wire("maxPurchaseAmount")
    """Where it ends, in the coin."""
    apy: Decimal
    """Fraction per year."""


@attrs.frozen(kw_only=True)
class FlexibleSavingsProduct(Model):
    """A savings product that can be redeemed any time."""

    product_id: str = wire("productId")
    """The id that `subscribe_flexible` takes."""
    coin_name: str = wire("coinName")
    """Short code."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    apy: Decimal
    """Fraction per year."""
    min_purchase_amount: Decimal = wire("minPurchaseAmount")
    """Least subscription, in the coin."""
    max_purchase_amount: Decimal = wire("maxPurchaseAmount")
    """Largest subscription, in the coin."""
    additional_apy: Decimal = wire("additionalApy")
    """Bonus, fraction per year."""
    has_tier_rate: bool = wire("hasTierRate")
    """True if slices of a holding earn different rates."""
    tier_rates: list[EarnTierRate] = wire("tierRate", default=attrs.Factory(list))
    """The slices, smallest first; empty without tiers."""


@attrs.frozen(kw_only=True)
class FlexibleSavingsProductPage(Model):
    """One page of flexible products."""

    total: int
    """All products."""
    items: list[FlexibleSavingsProduct] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class FlexibleSavingsHolding(Model):
    """A flexible holding. The only source has no amount, but the wire probably has: see ``bm.extras``."""

    earn_id: str = wire("earnId")
    """The id that `redeem_flexible` takes."""
    product_id: str = wire("productId")
    """The product."""
    coin_id: int = wire("coinId")
    """The exchange's number for the coin."""
    coin_name: str = wire("coinName")
    """Short code."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    apy: Decimal
    """Fraction per year."""
    total_profit: Decimal = wire("totalProfit")
    """Earned so far, in the coin."""
    auto_subscribe: bool = wire("autoSubscribe")
    """True if free funds are subscribed automatically."""
    additional_apy: Decimal = wire("additionalApy")
    """Bonus, fraction per year."""
    has_tier_rate: bool = wire("hasTierRate")
    """True if slices of the holding earn different rates."""
    tier_rates: list[EarnTierRate] = wire("tierRate", default=attrs.Factory(list))
    """The slices, smallest first; empty without tiers."""


@attrs.frozen(kw_only=True)
class FlexibleSavingsHoldingPage(Model):
    """One page of flexible holdings."""

    total: int
    """All holdings."""
    items: list[FlexibleSavingsHolding] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class FlexibleSavingsRecord(Model):
    """A subscription, redemption or interest payment of flexible savings."""

    type: SavingsRecordType
    """The kind of record."""
    record_id: str = wire("recordId")
    """The exchange's id."""
    product_id: str = wire("productId")
    """The product."""
    coin_name: str = wire("coinName")
    """Short code."""
    amount: Decimal
    """In the coin."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    time: Millis
    """The time of the record (the unit is not documented)."""
    subscribe_type: str | None = wire("subscribeType", default=None)
    """The origin of the record; the words are not documented."""
    request_no: str | None = wire("requestNo", default=None)
    """The caller's number; None if there was none."""
    status: str
    """The state of the record; the words are not documented."""


@attrs.frozen(kw_only=True)
class FlexibleSavingsRecordPage(Model):
    """One page of flexible records."""

    total: int
    """The number of all records that fit the query."""
    items: list[FlexibleSavingsRecord] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class FixedSavingsProduct(Model):
    """A savings product with a term."""

    product_id: str = wire("productId")
    """The id that `subscribe_fixed` takes."""
    coin_name: str = wire("coinName")
    """Short code."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    lock_days: int = wire("lockDay")
    """The term in days."""
    apy: Decimal
    """Fraction per year."""
    min_purchase_amount: Decimal = wire("minPurchaseAmount")
    """Least subscription, in the coin."""
    max_purchase_amount: Decimal = wire("maxPurchaseAmount")
    """Largest subscription, in the coin."""
    additional_apy: Decimal = wire("additionalApy")
    """Bonus, fraction per year."""


@attrs.frozen(kw_only=True)
class FixedSavingsProductPage(Model):
    """One page of fixed-term products."""

    total: int
    """All products."""
    items: list[FixedSavingsProduct] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class FixedSavingsHolding(Model):
    """A holding of fixed-term savings."""

    earn_id: str = wire("earnId")
    """The id that `redeem_fixed` and `set_fixed_auto_renewal` take."""
    product_id: str = wire("productId")
    """The product."""
    coin_id: int = wire("coinId")
    """The exchange's number for the coin."""
    coin_name: str = wire("coinName")
    """Short code."""
    amount: Decimal
    """Held, in the coin."""
    estimated_interest: Decimal = wire("estimatedInterest")
    """The interest of the whole term, in the coin."""
    expires_at: Millis = wire("expiredDate")
    """The end of the term (the unit is not documented)."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    apy: Decimal
    """Fraction per year."""
    lock_days: int = wire("lockDay")
    """The term in days."""
    total_profit: Decimal = wire("totalProfit")
    """Earned so far, in the coin."""
    subscribe_type: str | None = wire("subscribeType", default=None)
    """Apparently the action at maturity; the words are not documented."""
    additional_apy: Decimal = wire("additionalApy")
    """Bonus, fraction per year."""


@attrs.frozen(kw_only=True)
class FixedSavingsHoldingPage(Model):
    """One page of fixed-term holdings."""

    total: int
    """All holdings."""
    items: list[FixedSavingsHolding] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class FixedSavingsRecord(Model):
    """A subscription, redemption or interest payment of fixed-term savings."""

    type: SavingsRecordType
    """The kind of record."""
    record_id: str = wire("recordId")
    """The exchange's id."""
    product_id: str = wire("productId")
    """The product."""
    lock_days: int = wire("lockDay")
    """The term in days."""
    coin_name: str = wire("coinName")
    """Short code."""
    amount: Decimal
    """In the coin."""
    product_tag: str | None = wire("productTag", default=None)
    """The exchange's label; None if there is none."""
    time: Millis
    """The time of the record (the unit is not documented)."""
    subscribe_type: str | None = wire("subscribeType", default=None)
    """The origin of the record; the words are not documented."""
    request_no: str | None = wire("requestNo", default=None)
    """The caller's number; None if there was none."""
    status: str
    """The state of the record; the words are not documented."""


@attrs.frozen(kw_only=True)
class FixedSavingsRecordPage(Model):
    """One page of fixed-term records."""

    total: int
    """The number of all records that fit the query."""
    items: list[FixedSavingsRecord] = wire("list")
    """The entries of this page."""

    _identity_: ClassVar[tuple[str, ...]] = ("items",)


@attrs.frozen(kw_only=True)
class AutoSavingsStatus(Model):
    """The automatic subscription of all flexible products."""

    batch_subscribe_status: OnOff = wire("batchSubscribeStatus")
    """On or off."""


@attrs.frozen(kw_only=True)
class FlexibleAutoSubscribeStatus(Model):
    """The automatic subscription of one flexible product."""

    subscribe_status: OnOff = wire("subscribeStatus")
    """On or off."""
