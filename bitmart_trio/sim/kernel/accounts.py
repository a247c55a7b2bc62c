"""Who trades on the simulated exchange: accounts, their wallets and their API keys.

Money moves only through `Wallet`, which refuses to go below zero. The exchange has wallets of its own on the other
side of every movement (``Accounts.own``); all of them but ``fees`` may go below zero. So once the accounts are open the
sum over all wallets of a currency never changes, and tests can check that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from .numbers import read_decimal

Amount: TypeAlias = "Decimal | int | str"

SIM_KEY = "sim-key"
SIM_SECRET = "sim-secret"
SIM_MEMO = "sim-memo"
"""The default account's key, secret and memo: play money, known to everybody."""

PERMISSIONS = frozenset({
    "read", "spot_trade", "margin_trade", "futures_trade", "withdraw", "sub_transfer", "finance", "broker",
    "contract_agent",
})  # fmt: skip

SUB_PERMISSIONS = PERMISSIONS - {"withdraw", "broker", "contract_agent"}
"""The permissions of the keys of the two default sub-accounts."""
SIM_SUB_KEYS = (
    ("sim-sub-key", "sim-sub-secret", "sim-sub-memo"),
    ("sim-sub2-key", "sim-sub2-secret", "sim-sub2-memo"),
)
"""Key, secret and memo of the default account's two sub-accounts."""

ZERO = Decimal(0)


class InsufficientFunds(Exception):
    """A wallet holds less than was asked of it."""

    def __init__(self, currency: str, wanted: Decimal, there: Decimal) -> None:
        super().__init__(f"{wanted:f} {currency} wanted, {there:f} there")
        self.currency = currency


class Wallet:
    """Free and held money per currency."""

    def __init__(self, balances: Mapping[str, Amount] | None = None, *, overdraft: bool = False) -> None:
        self._available = {currency: read_decimal(amount) for currency, amount in (balances or {}).items()}
        self._frozen: dict[str, Decimal] = {}
        self._overdraft = overdraft

    def copied(self) -> Wallet:
        """Another wallet with the same balances."""
        copy = Wallet(self._available, overdraft=self._overdraft)
        copy._frozen = dict(self._frozen)  # one of its own kind
        return copy

    def available(self, currency: str) -> Decimal:
        """The balance that can be spent or held."""
        return self._available.get(currency, ZERO)

    def frozen(self, currency: str) -> Decimal:
        """The balance that open orders hold."""
        return self._frozen.get(currency, ZERO)

    def total(self, currency: str) -> Decimal:
        """Free and held together."""
        return self.available(currency) + self.frozen(currency)

    def credit(self, currency: str, amount: Decimal) -> None:
        """Add free money to the wallet."""
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
    """Such as ``1`` for the default account."""
    spot: Wallet = attrs.Factory(Wallet)
    """Return the balances of the spot wallet."""
    fund: Wallet = attrs.Factory(Wallet)
    """The funding wallet."""
    futures: Wallet = attrs.Factory(Wallet)
    """The futures wallet."""
    parent: str | None = None
    permissions: frozenset[str] = PERMISSIONS
    """The permissions of the account as a whole; a key may have fewer."""
    name: str = ""
    """The user name, shaped like an email address."""
    opening: tuple[tuple[str, Decimal], ...] = ()
    """The opening balances of the spot and funding wallets: the account's first deposits."""
    status: Literal["normal", "disabled", "frozen"] = "normal"
    """The state of a sub-account, which decides if it may transfer; its main account sees and sets it."""

    def copied(self) -> Account:
        """The account with wallets of its own, as they are now."""
        return attrs.evolve(self, spot=self.spot.copied(), fund=self.fund.copied(), futures=self.futures.copied())


@attrs.define(eq=False)
class ApiKey:
    """One key of an account."""

    key: str
    secret: str = attrs.field(repr=False)
    """Signs."""
    memo: str = attrs.field(repr=False)
    """Part of what is signed."""
    account_id: str
    """Whose it is."""
    permissions: frozenset[str] = PERMISSIONS
    """Its permissions."""
    ips: frozenset[str] = frozenset()
    """Addresses the key may be used from; empty: any."""
    frozen: bool = False
    """Refused while it is."""
    expires_ms: int | None = None
    """When it ends, in milliseconds; None never."""


class Accounts:
    """All accounts and keys, and the exchange's own wallets."""

    def __init__(self) -> None:
        self.fees: Wallet = Wallet()
        """The fees of trades and withdrawals."""
        self.house: Wallet = Wallet(overdraft=True)
        """The synthetic market's pocket."""
        self.lender: Wallet = Wallet(overdraft=True)
        """Lends to margin accounts and takes the interest."""
        self.savings: Wallet = Wallet(overdraft=True)
        """Keeps what is in savings products and pays the interest."""
        self.outside: Wallet = Wallet(overdraft=True)
        """The world beyond the exchange: deposits come from there, withdrawals go there."""
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
        name: str | None = None,
    ) -> Account:
        """Open an account with one key; ``balances`` go into the spot wallet.

        Without a ``name`` the account is called ``user{account_id}@example.com``.

        Raises:
            ValueError: The id or the key is taken, or a permission is unknown.
        """
        if account_id in self._accounts:
            raise ValueError(f"account {account_id} exists")
        account = Account(
            account_id,
            Wallet(balances),
            Wallet(fund),
            Wallet(futures),
            parent,
            frozenset(permissions),
            f"user{account_id}@example.com" if name is None else name,
            tuple(
                (currency, read_decimal(amount))
                for wallet in (balances, fund)
                for currency, amount in (wallet or {}).items()
                if read_decimal(amount) > 0
            ),
        )
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

    def by_name(self, name: str) -> Account | None:
        """The account of that user name."""
        return next((account for account in self._accounts.values() if account.name == name), None)

    def keys_of(self, account: Account) -> list[ApiKey]:
        """The keys of an account, oldest first."""
        return [key for key in self._keys.values() if key.account_id == account.account_id]

    @property
    def own(self) -> tuple[Wallet, ...]:
        """The exchange's own wallets."""
        return self.fees, self.house, self.lender, self.savings, self.outside

    def get(self, account_id: str) -> Account | None:
        """The account of that id."""
        return self._accounts.get(account_id)

    def all(self) -> list[Account]:
        """Every account, oldest first."""
        return list(self._accounts.values())
