"""Move money between markets, accounts and the outside world: deposits, withdrawals, transfers, the funding wallet.

There are no blockchains here. A withdrawal to a chain takes its money at once (the fee comes out of the amount) and
then changes its state by exchange time: waiting for review, processing after `REVIEW_MS`, done after `CHAIN_MS`. An
internal withdrawal is done at once and free. Deposits come from `Funding.deposit`; an account's opening balances are
listed as its first deposits. Every main account has the same kind of address book, generated from the seed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

from .futures.market import FuturesMarket
from .kernel.accounts import ZERO, Account, Accounts
from .kernel.clock import DAY_MS, Clock
from .kernel.coins import USUAL
from .kernel.ids import Randoms
from .kernel.refusal import Refused
from .spot.market import SpotMarket

LISTED_MS = 90 * DAY_MS
"""The age up to which transfers are listed."""
KEPT = 10_000
REVIEW_MS = 5_000
CHAIN_MS = 30_000
DAILY_BTC = Decimal(100)
"""The daily limit of withdrawals, in BTC."""

Kind: TypeAlias = Literal["spot", "future"]
Way: TypeAlias = Literal["spot_to_contract", "contract_to_spot"]
Operation: TypeAlias = Literal["deposit", "withdraw"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@attrs.frozen
class FamilyTransfer:
    """Money that went from one account to another of the same family."""

    kind: Kind
    giver: Account
    taker: Account
    currency: str
    amount: Decimal
    time_ms: int


class FamilyBook:
    """The transfers between main and sub-accounts, on spot and on futures."""

    def __init__(self) -> None:
        self._transfers: deque[FamilyTransfer] = deque(maxlen=KEPT)
        self._numbers: set[tuple[str, str]] = set()

    def used(self, account_id: str, number: str) -> bool:
        """Return True if a transfer of this account has already used a request number."""
        return (account_id, number) in self._numbers

    def note(self, account_id: str, number: str, transfer: FamilyTransfer) -> None:
        """Record a completed transfer; its request number is used up only now."""
        self._numbers.add((account_id, number))
        self._transfers.append(transfer)

    def newest(self, kind: Kind, account_id: str, now_ms: int) -> Iterator[FamilyTransfer]:
        """Return the transfers of an account in either direction, newest first, as far back as they are listed."""
        for transfer in reversed(self._transfers):
            if transfer.time_ms < now_ms - LISTED_MS:
                return
            if transfer.kind == kind and account_id in (transfer.giver.account_id, transfer.taker.account_id):
                yield transfer


@attrs.frozen
class SpotTransfer:
    """One transfer between spot and futures."""

    transfer_id: str
    kind: Way
    currency: str
    amount: Decimal
    time_ms: int


class SpotTransfers:
    """The transfers between spot and futures of all accounts."""

    def __init__(self) -> None:
        self._of_account: dict[str, deque[SpotTransfer]] = {}

    def of_account(self, account_id: str) -> deque[SpotTransfer]:
        """Return the transfers of an account, oldest first."""
        return self._of_account.setdefault(account_id, deque(maxlen=KEPT))


@attrs.frozen
class Chain:
    """The terms of one currency on one network."""

    name: str
    network: str
    contract: str | None
    least: str
    """The smallest withdrawal."""
    fee: str
    least_deposit: str

    @property
    def coin(self) -> str:
        """The currency, whatever the network."""
        return self.name.partition("-")[0]


CHAINS: dict[str, Chain] = {
    chain.name: chain
    for chain in (
        Chain("BTC", "BTC", None, "0.0005", "0.0002", "0.0001"),
        Chain("ETH", "ERC20", None, "0.01", "0.002", "0.001"),
        Chain("USDT-TRC20", "TRC20", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "10", "1.5", "0.01"),
        Chain("USDT-ERC20", "ERC20", "0xdac17f958d2ee523a2206206994597c13d831ec7", "20", "4", "0.01"),
        Chain("BMX", "ERC20", "0x986ee2b944c42d017f52af21c4c69b84dbea35d8", "50", "20", "1"),
    )
}


@attrs.frozen
class Record:
    """One deposit or withdrawal."""

    record_id: str
    operation: Operation
    currency: str
    amount: Decimal
    """The amount that arrived."""
    fee: Decimal
    time_ms: int
    address: str = ""
    memo: str = ""
    tx_id: str = ""

    def status(self, now_ms: int) -> int:
        """1 while waiting for review, 2 in processing, 3 when done."""
        on_chain = self.operation == "withdraw" and self.tx_id
        age = now_ms - self.time_ms
        return 3 if not on_chain or age >= CHAIN_MS else 2 if age >= REVIEW_MS else 1


@attrs.frozen
class Saved:
    """One address of an account's book."""

    currency: str | None
    network: str | None
    address: str
    memo: str
    remark: str
    kind: int
    """0 for one currency, 1 for all currencies of a network, 2 for all EVM networks."""
    verified: bool

    def serves(self, chain: Chain) -> bool:
        """Return True if the address accepts a currency."""
        if self.kind == 0:
            return self.currency in (chain.name, chain.coin) and self.network == chain.network
        return chain.network == ("ERC20" if self.kind == 2 else self.network)


class Funding:
    """Deposits and withdrawals of all accounts."""

    def __init__(self, treasury: Treasury) -> None:
        self.deposit_accounts: dict[str, str] = {}
        """Account id -> the wallet that receives its deposits, if one was chosen."""
        self._accounts, self._clock, self._new_id = treasury.accounts, treasury.clock, treasury.new_id
        self._spot, self._futures, self._random = treasury.spot, treasury.futures, treasury.random
        self._records: dict[str, list[Record]] = {}
        self._left: dict[tuple[str, int], Decimal] = {}

    def records(self, account: Account) -> list[Record]:
        """All deposits and withdrawals of an account, oldest first."""
        found = self._records.get(account.account_id)
        if found is None:
            found = self._records[account.account_id] = []
            for currency, amount in account.opening:
                if currency not in USUAL:
                    continue
                found.append(self._incoming(account, len(found), currency, amount, self._clock.start))
        return found

    def _incoming(self, account: Account, number: int, currency: str, amount: Decimal, time_ms: int) -> Record:
        chain = next(chain for chain in CHAINS.values() if chain.coin == currency)
        stream = self._random(f"deposit/{account.account_id}/{number}")
        return Record(
            self._new_id(),
            "deposit",
            chain.name,
            amount,
            ZERO,
            time_ms,
            self.address(account, chain),
            "",
            f"0x{stream.getrandbits(256):064x}",
        )

    def deposit(self, account: Account, currency: str, amount: Decimal) -> None:
        """Add a deposit, in the wallet that the account has chosen for its deposits.

        Raises:
            ValueError: there is no such currency, or ``amount`` is not above zero.
        """
        if currency not in USUAL or not amount > 0:
            raise ValueError(f"no deposit: {amount} {currency}")
        where = self.deposit_accounts.get(account.account_id, "SPOT")
        wallet = {"SPOT": account.spot, "FUND": account.fund, "CONTRACT": account.futures}[where]
        self._accounts.outside.debit(currency, amount)
        wallet.credit(currency, amount)
        self._arrived(account, currency, amount)
        if where == "CONTRACT":
            self._futures.balance_moved(account, currency, amount)
        elif where == "SPOT":
            self._spot.balance_moved(account, currency, "ACCOUNT_RECHARGE")

    def _arrived(self, account: Account, currency: str, amount: Decimal) -> None:
        """Add a deposit to the list."""
        records = self.records(account)
        records.append(self._incoming(account, len(records), currency, amount, self._clock.now_ms()))

    def address(self, account: Account, chain: Chain) -> str:
        """Return the deposit address of an account on a network; it never changes."""
        stream = self._random(f"address/{account.account_id}/{chain.network}")
        if chain.network == "ERC20":
            return f"0x{stream.getrandbits(160):040x}"
        return ("T" if chain.network == "TRC20" else "1") + "".join(stream.choice(_ALPHABET) for _ in range(33))

    def saved(self, account: Account) -> list[Saved]:
        """Return the account's address book; sub-accounts have none."""
        if account.parent is not None:
            return []
        stream = self._random(f"book/{account.account_id}")
        cold, warm, fresh = (f"0x{stream.getrandbits(160):040x}" for _ in range(3))
        bitcoin, tron = ("".join(stream.choice(_ALPHABET) for _ in range(33)) for _ in range(2))
        return [
            Saved("ETH", "ERC20", cold, "12", "cold wallet", 0, verified=True),
            Saved("BTC", "BTC", f"1{bitcoin}", "", "vault", 0, verified=True),
            Saved(None, "TRC20", f"T{tron}", "", "desk", 1, verified=True),
            Saved(None, None, warm, "", "any token", 2, verified=True),
            Saved(None, None, fresh, "", "new", 2, verified=False),
        ]

    def left_today(self, account: Account) -> Decimal:
        """Return the amount that may still be withdrawn today, in BTC."""
        return self._left.get((account.account_id, self._clock.now_ms() // DAY_MS), DAILY_BTC)

    def to_chain(self, account: Account, source: str | None, chain: Chain, amount: Decimal, to: Saved) -> Record:
        """Withdraw to a saved address, from the wallet ``SPOT`` or ``FUND``, or from both if none is named."""
        self._take(account, source, chain.coin, amount)
        fee = Decimal(chain.fee)
        self._accounts.fees.credit(chain.coin, fee)
        self._accounts.outside.credit(chain.coin, amount - fee)
        record_id = self._new_id()
        tx_id = f"0x{self._random(f'withdraw/{record_id}').getrandbits(256):064x}"
        now = self._clock.now_ms()
        record = Record(record_id, "withdraw", chain.name, amount - fee, fee, now, to.address, to.memo, tx_id)
        self.records(account).append(record)
        return record

    def to_account(
        self, account: Account, source: str | None, chain: Chain, amount: Decimal, target: Account, named: str
    ) -> Record:
        """Withdraw to another account, named by the caller."""
        self._take(account, source, chain.coin, amount)
        target.spot.credit(chain.coin, amount)
        self._arrived(target, chain.coin, amount)
        self._spot.balance_moved(target, chain.coin, "ACCOUNT_RECHARGE")
        record = Record(self._new_id(), "withdraw", chain.name, amount, ZERO, self._clock.now_ms(), named)
        self.records(account).append(record)
        return record

    def _take(self, account: Account, source: str | None, coin: str, amount: Decimal) -> None:
        """Take the money of a withdrawal out of its wallets; the caller decides where the money goes."""
        value = amount * (self._spot.price(coin) or ZERO) / (self._spot.price("BTC") or 1)
        if value > DAILY_BTC:
            raise Refused("amount")
        left = self.left_today(account)
        if value > left:
            raise Refused("daily")
        from_spot = (
            ZERO if source == "FUND" else amount if source == "SPOT" else min(amount, account.spot.available(coin))
        )
        if amount - from_spot > account.fund.available(coin) or from_spot > account.spot.available(coin):
            raise Refused("funds")
        account.spot.debit(coin, from_spot)
        account.fund.debit(coin, amount - from_spot)
        self._left[account.account_id, self._clock.now_ms() // DAY_MS] = left - value
        if from_spot:
            self._spot.balance_moved(account, coin, "ACCOUNT_WITHDRAWAL")


@attrs.define(eq=False)
class Treasury:
    """All movements between wallets of different markets and accounts."""

    accounts: Accounts
    spot: SpotMarket
    """Provides balances of spot wallets and prices of coins."""
    futures: FuturesMarket
    clock: Clock
    new_id: Callable[[], str]
    random: Randoms
    """The random stream of addresses and transaction numbers."""
    family: FamilyBook = attrs.field(factory=FamilyBook, init=False)
    spot_transfers: SpotTransfers = attrs.field(factory=SpotTransfers, init=False)
    funding: Funding = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Create the parts that share these members."""
        self.funding = Funding(self)
