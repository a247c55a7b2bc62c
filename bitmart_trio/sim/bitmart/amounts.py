"""Read the parameters of the chapters that move money: amounts, counts, sender and receiver.

Each chapter has its own codes for the same mistakes, so these functions take them as arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from ..kernel.accounts import Account, InsufficientFunds, Wallet
from ..kernel.calls import Call, Refusal
from ..kernel.encoding import Json
from ..treasury import Treasury
from .wire import Chapter, Scope

GRAIN = Decimal("1E-8")
LARGEST = Decimal(10) ** 12
"""An amount above any balance; beyond it arithmetic would no longer be exact."""
REQUEST_NO_MAX = 64


def read_amount(
    call: Call, name: str = "amount", *, missing: int, invalid: int, zero: int, places: int, grain: Decimal = GRAIN
) -> Decimal:
    """Return an amount above zero on the grain; `Refusal` with the chapter's code for each mistake."""
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
    """Return a number of rows from 1 to ``most``; required if ``default`` is None."""
    if default is None:
        call.need(name, code)
    count = call.integer(name, default or 0, code=code)
    if not 1 <= count <= most:
        raise Refusal(code, f"Parameter {name} must be between 1 and {most}")
    return count


def pay(giver: Wallet, taker: Wallet, currency: str, amount: Decimal, code: int, *, http: int = 400) -> None:
    """Move free money from one wallet to another; `Refusal` if there is too little."""
    try:
        giver.debit(currency, amount)
    except InsufficientFunds:
        raise Refusal(code, "Balance not enough", http=http) from None
    taker.credit(currency, amount)


def main_account(call: Call) -> Account:
    """Return the caller, which must be a main account."""
    if call.owner.parent is not None:
        raise Refusal(60026, "Sub-account does not have permission to operate", http=403)
    return call.owner


def main_of(treasury: Treasury, call: Call) -> Account:
    """Return the main account of the caller, which must be a sub-account."""
    main = None if call.owner.parent is None else treasury.accounts.get(call.owner.parent)
    if main is None:
        raise Refusal(60027, "Only supports sub-account calls", http=403)
    return main


def sub_account(treasury: Treasury, main: Account, name: str, code: int = 61003) -> Account:
    """Return a sub-account by its user name; `Refusal` if the main account has none with that name."""
    found = treasury.accounts.by_name(name)
    if found is None or found.parent != main.account_id:
        raise Refusal(code, "Sub-account not found")
    return found


def check_status(*accounts: Account) -> None:
    """Refuse (60028, 60029) disabled and frozen accounts."""
    for account in accounts:
        if account.status == "disabled":
            raise Refusal(60028, "The account is disabled", http=403)
        if account.status == "frozen":
            raise Refusal(60029, "The account is frozen by the main account", http=403)


def request_number(treasury: Treasury, call: Call) -> str:
    """Return the request number of a transfer between main and sub-account; `Refusal` 61004 if it is used up."""
    number = call.need("requestNo", 60000)
    if len(number) > REQUEST_NO_MAX:
        raise Refusal(60000, f"requestNo is longer than {REQUEST_NO_MAX} characters")
    if treasury.family.used(call.owner.account_id, number):
        raise Refusal(61004, "requestNo is duplicated")
    return number


Move: TypeAlias = "Callable[[Treasury, Call, Account, Account], Json]"


def register_transfers(routes: Chapter[Treasury], root: str, limit: tuple[int, float, Scope], move: Move) -> None:
    """Register the transfers between a main account and one sub-account; ``move`` carries them out."""

    def pull(treasury: Treasury, call: Call) -> Json:
        main = main_account(call)
        return move(treasury, call, sub_account(treasury, main, call.need("subAccount", 60000)), main)

    def push(treasury: Treasury, call: Call) -> Json:
        main = main_account(call)
        return move(treasury, call, main, sub_account(treasury, main, call.need("subAccount", 60000)))

    def push_as_sub(treasury: Treasury, call: Call) -> Json:
        return move(treasury, call, call.owner, main_of(treasury, call))

    routes.post(f"{root}/main/v1/sub-to-main", limit=limit)(pull)
    routes.post(f"{root}/main/v1/main-to-sub", limit=limit)(push)
    routes.post(f"{root}/sub/v1/sub-to-main", limit=limit)(push_as_sub)
