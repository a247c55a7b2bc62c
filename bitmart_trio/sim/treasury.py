"""Moving money between wallets: reading amounts, paying, and what main and sub-accounts have sent each other.

Each chapter has codes of its own for the same mistakes, so the helpers take them as arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from .bitmart.wire import Call, Refusal
from .kernel.accounts import Account, InsufficientFunds, Wallet

if TYPE_CHECKING:
    from .exchange import Exchange

LARGEST = Decimal(10) ** 12
"""More than anybody has; beyond it arithmetic would no longer be exact."""
GRAIN = Decimal("1E-8")
REQUEST_NO_MAX = 64
DAY_MS = 86_400_000
LISTED_MS = 90 * DAY_MS
"""How far back transfers are listed."""
KEPT = 10_000

Kind: TypeAlias = Literal["spot", "future"]


def plain(amount: Decimal) -> str:
    """An amount without exponent and trailing zeros."""
    return format(amount.normalize(), "f") if amount else "0"


def read_amount(
    call: Call, name: str = "amount", *, missing: int, invalid: int, zero: int, places: int, grain: Decimal = GRAIN
) -> Decimal:
    """An amount above zero on the grain; `Refusal` with the chapter's code for each mistake."""
    call.need(name, missing)
    amount = call.decimal(name, code=invalid)
    assert amount is not None, "need() has looked"
    if amount <= 0:
        raise Refusal(zero, "The amount must be greater than 0")
    if amount < grain:  # first: the remainder of something tiny cannot be had
        raise Refusal(places, "The amount has too many decimals")
    if amount > LARGEST:
        raise Refusal(invalid, f"Invalid parameter {name}")
    if amount % grain:
        raise Refusal(places, "The amount has too many decimals")
    return amount.quantize(GRAIN)


def read_count(call: Call, name: str, default: int | None, most: int, code: int) -> int:
    """A number of rows from 1 to ``most``; it has to be there when ``default`` is None."""
    if default is None:
        call.need(name, code)
    count = call.integer(name, default or 0, code=code)
    if not 1 <= count <= most:
        raise Refusal(code, f"Parameter {name} must be between 1 and {most}")
    return count


def pay(giver: Wallet, taker: Wallet, currency: str, amount: Decimal, code: int, *, http: int = 400) -> None:
    """Move free money from one wallet to another; `Refusal` when it is not there."""
    try:
        giver.debit(currency, amount)
    except InsufficientFunds:
        raise Refusal(code, "Balance not enough", http=http) from None
    taker.credit(currency, amount)


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
    """What main and sub-accounts have sent each other, on spot and on futures."""

    def __init__(self) -> None:
        self._transfers: deque[FamilyTransfer] = deque(maxlen=KEPT)
        self._numbers: set[tuple[str, str]] = set()

    def read_number(self, call: Call) -> str:
        """The request number of a transfer.

        Raises:
            Refusal: 61004 when a transfer of this account has had it already.
        """
        number = call.need("requestNo", 60000)
        if len(number) > REQUEST_NO_MAX:
            raise Refusal(60000, f"requestNo is longer than {REQUEST_NO_MAX} characters")
        if (call.owner.account_id, number) in self._numbers:
            raise Refusal(61004, "requestNo is duplicated")
        return number

    def note(self, call: Call, number: str, transfer: FamilyTransfer) -> None:
        """Write down a transfer that has been made; only now its number is used up."""
        self._numbers.add((call.owner.account_id, number))
        self._transfers.append(transfer)

    def newest(self, kind: Kind, account_id: str, now_ms: int) -> Iterator[FamilyTransfer]:
        """The transfers an account had part in, newest first, as far back as they are listed."""
        for transfer in reversed(self._transfers):
            if transfer.time_ms < now_ms - LISTED_MS:
                return
            if transfer.kind == kind and account_id in (transfer.giver.account_id, transfer.taker.account_id):
                yield transfer


def main_account(call: Call) -> Account:
    """The caller, who has to be a main account."""
    if call.owner.parent is not None:
        raise Refusal(60026, "Sub-account does not have permission to operate", http=403)
    return call.owner


def main_of(exchange: Exchange, call: Call) -> Account:
    """The main account of the caller, who has to be a sub-account."""
    main = None if call.owner.parent is None else exchange.accounts.get(call.owner.parent)
    if main is None:
        raise Refusal(60027, "Only supports sub-account calls", http=403)
    return main


def sub_account(exchange: Exchange, main: Account, name: str, code: int = 61003) -> Account:
    """A sub-account by its user name; `Refusal` when the main account has none of that name."""
    found = exchange.accounts.by_name(name)
    if found is None or found.parent != main.account_id:
        raise Refusal(code, "Sub-account not found")
    return found


def check_status(*accounts: Account) -> None:
    """Refuse (60028, 60029) what is disabled or frozen."""
    for account in accounts:
        if account.status == "disabled":
            raise Refusal(60028, "The account is disabled", http=403)
        if account.status == "frozen":
            raise Refusal(60029, "The account is frozen by the main account", http=403)
