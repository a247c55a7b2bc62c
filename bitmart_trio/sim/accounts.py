"""Who trades on the simulated exchange: accounts, their wallets and their API keys.

Money moves only through `Wallet`, which refuses to go below zero. Two wallets have no owner: ``Accounts.fees``
collects what trades cost, and ``Accounts.house`` is the synthetic market's pocket, which alone may go below zero. So
the sum over all wallets of a currency changes by deposits only, and tests can check that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TypeAlias

import attrs

Amount: TypeAlias = "Decimal | int | str"

SIM_KEY = "sim-key"
SIM_SECRET = "sim-secret"
SIM_MEMO = "sim-memo"
"""The default account's key, secret and memo: play money, known to everybody."""

PERMISSIONS = frozenset({"read", "spot_trade", "margin_trade", "futures_trade", "withdraw", "sub_transfer", "finance"})

ZERO = Decimal(0)


class InsufficientFunds(Exception):
    """A wallet holds less than was asked of it."""

    def __init__(self, currency: str, wanted: Decimal, there: Decimal) -> None:
        super().__init__(f"{wanted:f} {currency} wanted, {there:f} there")
        self.currency = currency


class Wallet:
    """Free and held money per currency."""

    def __init__(self, balances: Mapping[str, Amount] | None = None, *, overdraft: bool = False) -> None:
        self._available = {currency: Decimal(amount) for currency, amount in (balances or {}).items()}
        self._frozen: dict[str, Decimal] = {}
        self._overdraft = overdraft

    def available(self, currency: str) -> Decimal:
        """What can be spent or held."""
        return self._available.get(currency, ZERO)

    def frozen(self, currency: str) -> Decimal:
        """What is held by open orders."""
        return self._frozen.get(currency, ZERO)

    def total(self, currency: str) -> Decimal:
        """Free and held together."""
        return self.available(currency) + self.frozen(currency)

    def credit(self, currency: str, amount: Decimal) -> None:
        """Add free money."""
        self._available[currency] = self.available(currency) + _positive(amount)

    def debit(self, currency: str, amount: Decimal) -> None:
        """Take free money out; `InsufficientFunds` when it is not there."""
        there = self.available(currency)
        if _positive(amount) > there and not self._overdraft:
            raise InsufficientFunds(currency, amount, there)
        self._available[currency] = there - amount

    def hold(self, currency: str, amount: Decimal) -> None:
        """Set free money aside; `InsufficientFunds` when it is not there."""
        self.debit(currency, amount)
        self._frozen[currency] = self.frozen(currency) + amount

    def release(self, currency: str, amount: Decimal) -> None:
        """Give held money back."""
        self.spend_held(currency, amount)
        self.credit(currency, amount)

    def spend_held(self, currency: str, amount: Decimal) -> None:
        """Take held money out for good; `InsufficientFunds` when less is held."""
        there = self.frozen(currency)
        if _positive(amount) > there:
            raise InsufficientFunds(currency, amount, there)
        self._frozen[currency] = there - amount

    def rows(self) -> list[tuple[str, Decimal, Decimal]]:
        """(currency, available, frozen) of every currency ever held, in the order of arrival."""
        currencies = dict.fromkeys((*self._available, *self._frozen))
        return [(currency, self.available(currency), self.frozen(currency)) for currency in currencies]


def _positive(amount: Decimal) -> Decimal:
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"no amount of money: {amount}")
    return amount


@attrs.define(eq=False)
class Account:
    """One account with its wallets; ``parent`` names the main account of a sub-account."""

    account_id: str
    spot: Wallet = attrs.Factory(Wallet)
    fund: Wallet = attrs.Factory(Wallet)
    futures: Wallet = attrs.Factory(Wallet)
    parent: str | None = None
    permissions: frozenset[str] = PERMISSIONS
    """What the account as a whole may do; a key may be allowed less."""


@attrs.define(eq=False)
class ApiKey:
    """One key of an account."""

    key: str
    secret: str = attrs.field(repr=False)
    memo: str = attrs.field(repr=False)
    account_id: str
    permissions: frozenset[str] = PERMISSIONS
    ips: frozenset[str] = frozenset()
    """Addresses the key may be used from; empty: any."""
    frozen: bool = False
    expires_ms: int | None = None


class Accounts:
    """All accounts and keys, and the two wallets without an owner."""

    def __init__(self) -> None:
        self.fees = Wallet()
        self.house = Wallet(overdraft=True)
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, ApiKey] = {}

    def add(
        self,
        account_id: str,
        *,
        key: str,
        secret: str,
        memo: str,
        permissions: Iterable[str] = PERMISSIONS,
        balances: Mapping[str, Amount] | None = None,
        fund: Mapping[str, Amount] | None = None,
        futures: Mapping[str, Amount] | None = None,
        parent: str | None = None,
    ) -> Account:
        """Open an account with one key; ``balances`` go into the spot wallet.

        Raises:
            ValueError: The id or the key is taken, or a permission is unknown.
        """
        if account_id in self._accounts:
            raise ValueError(f"account {account_id} exists")
        account = Account(account_id, Wallet(balances), Wallet(fund), Wallet(futures), parent, frozenset(permissions))
        self.add_key(account, key=key, secret=secret, memo=memo, permissions=permissions)
        self._accounts[account_id] = account
        return account

    def add_key(
        self,
        account: Account,
        *,
        key: str,
        secret: str,
        memo: str,
        permissions: Iterable[str] = PERMISSIONS,
        ips: Iterable[str] = (),
    ) -> ApiKey:
        """Give an account one more key."""
        allowed = frozenset(permissions)
        if key in self._keys:
            raise ValueError("that key exists")
        if not allowed <= PERMISSIONS:
            raise ValueError(f"unknown permissions: {sorted(allowed - PERMISSIONS)}")
        self._keys[key] = ApiKey(key, secret, memo, account.account_id, allowed, frozenset(ips))
        return self._keys[key]

    def by_key(self, key: str) -> tuple[Account, ApiKey] | None:
        """The account and the record of a key; None when there is no such key."""
        found = self._keys.get(key)
        return None if found is None else (self._accounts[found.account_id], found)

    def get(self, account_id: str) -> Account | None:
        """The account of that id."""
        return self._accounts.get(account_id)

    def all(self) -> list[Account]:
        """Every account, oldest first."""
        return list(self._accounts.values())
