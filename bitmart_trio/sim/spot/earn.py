"""Savings: the products, and the movements of the money in them.

Money in a product is in ``Accounts.savings``, which also pays the interest. Flexible interest accrues every millisecond
and is paid into the spot wallet at midnight UTC and when a holding is redeemed completely. Fixed-term interest is paid
at maturity; an early redemption returns the principal alone. With automatic subscription, free spot money goes into the
product at midnight.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal
from typing import Literal, TypeAlias

import attrs

from ..kernel.accounts import ZERO, Account, Wallet
from ..kernel.clock import DAY_MS, Clock
from ..kernel.pairs import MONEY

YEAR_MS = 365 * DAY_MS

Event: TypeAlias = Literal["subscribe", "redeem", "interest"]
Renewal: TypeAlias = Literal["OFF", "REINVEST_FLEXIBLE", "REINVEST_FIXED"]

COIN_IDS = {"BTC": 1, "ETH": 2, "BMX": 3, "USDT": 4}


@attrs.frozen
class Tier:
    """The rate for the part of a holding between two amounts."""

    floor: Decimal
    cap: Decimal
    apy: Decimal


@attrs.frozen
class Product:
    """One savings product; ``days`` is 0 for a flexible one."""

    product_id: str
    coin: str
    apy: Decimal
    least: Decimal
    most: Decimal
    days: int = 0
    tiers: tuple[Tier, ...] = ()

    def yearly(self, amount: Decimal) -> Decimal:
        """Return the interest on an amount in a year."""
        if not self.tiers:
            return amount * self.apy
        return sum(
            (max(min(amount, tier.cap) - tier.floor, ZERO) * tier.apy for tier in self.tiers),
            max(amount - self.tiers[-1].cap, ZERO) * self.apy,
        )

    @property
    def term_ms(self) -> int:
        """Return the length of the term."""
        return self.days * DAY_MS


def _product(product_id: str, coin: str, apy: str, least: str, most: str, days: int = 0, *tiers: Tier) -> Product:
    return Product(product_id, coin, Decimal(apy), Decimal(least), Decimal(most), days, tiers)


PRODUCTS = {
    product.product_id: product
    for product in (
        _product(
            "1001",
            "USDT",
            "0.03",
            "1",
            "10000",
            0,
            Tier(ZERO, Decimal(200), Decimal("0.10")),
            Tier(Decimal(200), Decimal(10_000), Decimal("0.03")),
        ),
        _product("1002", "BTC", "0.008", "0.0001", "5"),
        _product("1003", "ETH", "0.012", "0.001", "50"),
        _product("2001", "USDT", "0.05", "10", "50000", 30),
        _product("2002", "USDT", "0.04", "10", "50000", 7),
        _product("2003", "BTC", "0.015", "0.001", "2", 30),
    )
}


@attrs.define(eq=False)
class Holding:
    """The money of one account in one product; each fixed-term subscription is a separate holding."""

    earn_id: str
    product: Product
    amount: Decimal
    since_ms: int
    """The time up to which interest has been counted, by the steady clock."""
    profit: Decimal = ZERO
    """The sum of all interest paid so far."""
    accrued: Decimal = ZERO
    """Interest counted and not yet paid, in finer units than money."""
    expires_ms: int = 0
    renewal: Renewal = "OFF"

    @property
    def term_interest(self) -> Decimal:
        """Return the interest of a fixed holding at maturity."""
        return (self.product.yearly(self.amount) * self.product.days / 365).quantize(MONEY, ROUND_DOWN)

    def accrue(self, now_ms: int) -> None:
        """Count flexible interest up to now."""
        self.accrued += self.product.yearly(self.amount) * (now_ms - self.since_ms) / YEAR_MS
        self.since_ms = now_ms


@attrs.frozen
class Entry:
    """One line of an account's savings history."""

    event: Event
    record_id: str
    product: Product
    amount: Decimal
    time_ms: int
    how: Literal["MANUAL", "AUTO"]
    request_no: str


@attrs.define(eq=False)
class Saver:
    """The savings of one account."""

    owner: Account
    holdings: dict[str, Holding] = attrs.Factory(dict[str, Holding])
    """The open holdings, by earn id."""
    entries: list[Entry] = attrs.Factory(list[Entry])
    automatic: set[str] = attrs.Factory(set[str])
    """The flexible products with automatic subscription."""
    requests: dict[str, str] = attrs.Factory(dict[str, str])
    """Request number -> the arguments of the call."""

    def flexible(self, product: Product) -> Holding | None:
        """Return the open holding of a flexible product, of which there is at most one."""
        return next((held for held in self.holdings.values() if held.product is product), None)

    def in_product(self, product: Product) -> Decimal:
        """Return the sum of the holdings in a product."""
        return sum((held.amount for held in self.holdings.values() if held.product is product), ZERO)


class Earn:
    """The savings of all accounts.

    Args:
        savings: the wallet that holds the money in the products.
        moved: called with account, currency and cause when a spot balance changes.
    """

    def __init__(
        self, savings: Wallet, clock: Clock, new_id: Callable[[], str], moved: Callable[[Account, str, str], None]
    ) -> None:
        self._savings = savings
        self._clock = clock
        self._new_id = new_id
        self._moved = moved
        self._savers: dict[str, Saver] = {}
        self._due = _midnight_after(clock.steady_ms())

    def saver(self, owner: Account) -> Saver:
        """Return the savings of an account; created on first use."""
        found = self._savers.get(owner.account_id)
        if found is None:
            found = self._savers[owner.account_id] = Saver(owner)
        return found

    def shown_ms(self, at_ms: int) -> int:
        """Return a time of the steady clock as users see it."""
        return at_ms + self._clock.skew_ms

    def settle(self) -> None:
        """Carry out everything that has fallen due since the last call, in order."""
        now = self._clock.steady_ms()
        while self._due <= now:
            due = self._due
            # Collected before anything matures: a new term may begin now, and is not due yet.
            for saver in list(self._savers.values()):
                for held in [held for held in saver.holdings.values() if 0 < held.expires_ms <= due]:
                    self._mature(saver, held, due)
            if due % DAY_MS == 0:
                for saver in list(self._savers.values()):
                    self._midnight(saver, due)
            self._plan(due)

    def _plan(self, after_ms: int) -> None:
        ends = [held.expires_ms for saver in self._savers.values() for held in saver.holdings.values()]
        self._due = min(end for end in (*ends, _midnight_after(after_ms)) if end > after_ms)

    # -- actions of users -----------------------------------------------------------------------------

    def subscribe_flexible(self, saver: Saver, product: Product, amount: Decimal, request_no: str) -> None:
        """Put free spot money into a flexible product."""
        self._pay_in(saver, product, amount)
        self._add_flexible(saver, product, amount, self._clock.steady_ms(), "MANUAL", request_no)

    def redeem_flexible(self, saver: Saver, held: Holding, amount: Decimal, request_no: str) -> None:
        """Take money out; the last withdrawal also pays the interest so far."""
        now = self._clock.steady_ms()
        held.accrue(now)
        held.amount -= amount
        self._pay_out(saver, held.product, amount)
        self._write(saver, "redeem", held.product, amount, now, "MANUAL", request_no)
        if not held.amount:
            self._pay_interest(saver, held, now)
            del saver.holdings[held.earn_id]

    def subscribe_fixed(
        self, saver: Saver, product: Product, amount: Decimal, renewal: Renewal, request_no: str
    ) -> None:
        """Put free spot money into a fixed-term product."""
        self._pay_in(saver, product, amount)
        self._add_fixed(saver, product, amount, renewal, self._clock.steady_ms(), "MANUAL", request_no)

    def redeem_fixed(self, saver: Saver, held: Holding, request_no: str) -> None:
        """End a term early: return the principal, without interest."""
        del saver.holdings[held.earn_id]
        self._pay_out(saver, held.product, held.amount)
        now = self._clock.steady_ms()
        self._write(saver, "redeem", held.product, held.amount, now, "MANUAL", request_no)

    # -- effects of time -------------------------------------------------------------------------------

    def _midnight(self, saver: Saver, due: int) -> None:
        for held in saver.holdings.values():
            if not held.product.days:
                held.accrue(due)
                self._pay_interest(saver, held, due)
        for product_id in sorted(saver.automatic):
            product = PRODUCTS[product_id]
            free = saver.owner.spot.available(product.coin).quantize(MONEY, ROUND_DOWN)
            amount = min(free, product.most - saver.in_product(product))
            if amount >= product.least:
                self._pay_in(saver, product, amount)
                self._add_flexible(saver, product, amount, due, "AUTO", "")

    def _mature(self, saver: Saver, held: Holding, due: int) -> None:
        product, interest = held.product, held.term_interest
        del saver.holdings[held.earn_id]
        self._write(saver, "redeem", product, held.amount, due, "AUTO", "")
        if interest:
            self._pay_out(saver, product, interest)
            self._write(saver, "interest", product, interest, due, "AUTO", "")
        flexible = next(other for other in PRODUCTS.values() if other.coin == product.coin and not other.days)
        if held.renewal == "REINVEST_FIXED":
            self._add_fixed(saver, product, held.amount, held.renewal, due, "AUTO", "")
        elif held.renewal == "REINVEST_FLEXIBLE" and saver.in_product(flexible) + held.amount <= flexible.most:
            self._add_flexible(saver, flexible, held.amount, due, "AUTO", "")
        else:
            self._pay_out(saver, product, held.amount)

    # -- helpers ---------------------------------------------------------------------------------------

    def _add_flexible(
        self, saver: Saver, product: Product, amount: Decimal, at_ms: int, how: Literal["MANUAL", "AUTO"], number: str
    ) -> None:
        held = saver.flexible(product)
        if held is None:
            held = Holding(self._new_id(), product, ZERO, at_ms)
            saver.holdings[held.earn_id] = held
        held.accrue(at_ms)
        held.amount += amount
        self._write(saver, "subscribe", product, amount, at_ms, how, number)

    def _add_fixed(
        self,
        saver: Saver,
        product: Product,
        amount: Decimal,
        renewal: Renewal,
        at_ms: int,
        how: Literal["MANUAL", "AUTO"],
        number: str,
    ) -> None:
        held = Holding(self._new_id(), product, amount, at_ms)
        held.expires_ms, held.renewal = at_ms + product.term_ms, renewal
        saver.holdings[held.earn_id] = held
        self._due = min(self._due, held.expires_ms)
        self._write(saver, "subscribe", product, amount, at_ms, how, number)

    def _pay_in(self, saver: Saver, product: Product, amount: Decimal) -> None:
        saver.owner.spot.debit(product.coin, amount)
        self._savings.credit(product.coin, amount)
        self._moved(saver.owner, product.coin, "ACCOUNT_TRANSFER")

    def _pay_out(self, saver: Saver, product: Product, amount: Decimal) -> None:
        self._savings.debit(product.coin, amount)
        saver.owner.spot.credit(product.coin, amount)
        self._moved(saver.owner, product.coin, "ACCOUNT_TRANSFER")

    def _pay_interest(self, saver: Saver, held: Holding, at_ms: int) -> None:
        interest = held.accrued.quantize(MONEY, ROUND_DOWN)
        if interest:
            held.accrued -= interest
            held.profit += interest
            self._pay_out(saver, held.product, interest)
            self._write(saver, "interest", held.product, interest, at_ms, "AUTO", "")

    def _write(
        self,
        saver: Saver,
        event: Event,
        product: Product,
        amount: Decimal,
        at_ms: int,
        how: Literal["MANUAL", "AUTO"],
        number: str,
    ) -> None:
        shown = self.shown_ms(at_ms)
        saver.entries.append(Entry(event, self._new_id(), product, amount, shown, how, number))


def _midnight_after(now_ms: int) -> int:
    return (now_ms // DAY_MS + 1) * DAY_MS
