"""Hold the accounts of the simulated exchange, their wallets and their API keys.

Money moves only through `Wallet`, which refuses to go below zero. Every movement has one of the exchange's own wallets
on the other side (``Accounts.own``); all of them but ``fees`` may go below zero. So once the accounts are open, the sum
of a currency over all wallets never changes, which tests can check.
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
"""The default account's key, secret and memo: play money, known to everyone."""

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
    """A wallet holds less than was requested."""

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
        """Return another wallet with the same balances."""
        copy = Wallet(self._available, overdraft=self._overdraft)
        copy._frozen = dict(self._frozen)  # one of its own kind
        return copy

    def available(self, currency: str) -> Decimal:
        """The balance that can be spent or held."""
        return self._available.get(currency, ZERO)

    def frozen(self, currency: str) -> Decimal:
        """Return the balance that open orders hold."""
        return self._frozen.get(currency, ZERO)

    def total(self, currency: str) -> Decimal:
        """Return the sum of free and held money."""
        return self.available(currency) + self.frozen(currency)

    def credit(self, currency: str, amount: Decimal) -> None:
        """Add free money to the wallet."""
        self._available[currency] = self.available(currency) + _positive(amount)

    def debit(self, currency: str, amount: Decimal) -> None:
        """Take free money out of the wallet; `InsufficientFunds` if there is too little."""
        there = self.available(currency)
        if _positive(amount) > there and not self._overdraft:
            raise InsufficientFunds(currency, amount, there)
        self._available[currency] = there - amount

    def hold(self, currency: str, amount: Decimal) -> None:
        """Hold free money; `InsufficientFunds` if there is too little."""
        self.debit(currency, amount)
        self._frozen[currency] = self.frozen(currency) + amount

    def release(self, currency: str, amount: Decimal) -> None:
        """Release held money, which becomes free."""
        self.spend_held(currency, amount)
        self.credit(currency, amount)

    def spend_held(self, currency: str, amount: Decimal) -> None:
        """Take held money out of the wallet; `InsufficientFunds` if less is held."""
        there = self.frozen(currency)
        if _positive(amount) > there:
            raise InsufficientFunds(currency, amount, there)
        self._frozen[currency] = there - amount

    def rows(self) -> list[tuple[str, Decimal, Decimal]]:
        """Return (currency, available, frozen) of every currency ever held, in the order of arrival."""
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
    """The account's id, such as ``1`` for the default account."""
    spot: Wallet = attrs.Factory(Wallet)
    """The spot wallet."""
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
    """The state of a sub-account, which decides if it may transfer; its main account reads and sets it."""

    def copied(self) -> Account:
        """Return a copy of the account with copies of its wallets."""
        return attrs.evolve(self, spot=self.spot.copied(), fund=self.fund.copied(), futures=self.futures.copied())


@attrs.define(eq=False)
class ApiKey:
    """One key of an account."""

    key: str
    secret: str = attrs.field(repr=False)
    """The secret, which signs requests."""
    memo: str = attrs.field(repr=False)
    """The memo, which is part of what is signed."""
    account_id: str
    """The owner of the key."""
    permissions: frozenset[str] = PERMISSIONS
    """The key's permissions."""
    ips: frozenset[str] = frozenset()
    """Addresses from which the key may be used; empty: any."""
    frozen: bool = False
    """True while the key is refused."""
    expires_ms: int | None = None
    """The time when the key expires, in milliseconds; None: never."""


class Accounts:
    """All accounts and keys, and the exchange's own wallets."""

    def __init__(self) -> None:
        self.fees: Wallet = Wallet()
        """The fees of trades and withdrawals."""
        self.house: Wallet = Wallet(overdraft=True)
        """The synthetic market's wallet."""
        self.lender: Wallet = Wallet(overdraft=True)
        """The wallet that lends to margin accounts and receives the interest."""
        self.savings: Wallet = Wallet(overdraft=True)
        """The wallet that holds the money in savings products and pays the interest."""
        self.outside: Wallet = Wallet(overdraft=True)
        """The outside world: deposits come from here, withdrawals go here."""
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
        """Add a key to an account."""
        allowed = frozenset(permissions)
        if key in self._keys:
            raise ValueError("that key exists")
        if not allowed <= PERMISSIONS:
            raise ValueError(f"unknown permissions: {sorted(allowed - PERMISSIONS)}")
        self._keys[key] = ApiKey(key, secret, memo, account.account_id, allowed, frozenset(ips))
        return self._keys[key]

    def by_key(self, key: str) -> tuple[Account, ApiKey] | None:
        """Return the account and the record of a key; None when there is no such key."""
        found = self._keys.get(key)
        return None if found is None else (self._accounts[found.account_id], found)

    def by_name(self, name: str) -> Account | None:
        """Return the account with a user name."""
        return next((account for account in self._accounts.values() if account.name == name), None)

    def keys_of(self, account: Account) -> list[ApiKey]:
        """Return the keys of an account, oldest first."""
        return [key for key in self._keys.values() if key.account_id == account.account_id]

    @property
    def own(self) -> tuple[Wallet, ...]:
        """The exchange's own wallets."""
        return self.fees, self.house, self.lender, self.savings, self.outside

    def get(self, account_id: str) -> Account | None:
        """Return the account with an id."""
        return self._accounts.get(account_id)

    def all(self) -> list[Account]:
        """Return every account, oldest first."""
        return list(self._accounts.values())
