"""Spot transfers between a main account and its sub-accounts, and the main account's view of them."""

from __future__ import annotations

from collections.abc import Iterable

from ...kernel.accounts import Account
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...kernel.pairs import money
from ...treasury import FamilyTransfer, Treasury
from ..amounts import (
    check_status,
    main_account,
    pay,
    read_amount,
    read_count,
    register_transfers,
    request_number,
    sub_account,
)
from ..models import name_of
from ..wire import Chapter

routes: Chapter[Treasury] = Chapter()

LIST_MAX = 100
_STATUS = {"disabled": 0, "normal": 1, "frozen": 2}


def _transfer(treasury: Treasury, call: Call, giver: Account, taker: Account) -> Json:
    number = request_number(treasury, call)
    currency = call.need("currency", 60000)
    if currency not in treasury.spot.currencies:
        raise Refusal(60002, "Unknown currency")
    amount = read_amount(call, missing=60000, invalid=60000, zero=61000, places=60006)
    check_status(giver, taker)
    if giver is taker:
        raise Refusal(60065, "Sender and receiver are the same user", http=403)
    pay(giver.spot, taker.spot, currency, amount, 61001)
    treasury.family.note(
        call.owner.account_id, number, FamilyTransfer("spot", giver, taker, currency, amount, call.now_ms)
    )
    for account in (giver, taker):
        treasury.spot.balance_moved(account, currency, "ACCOUNT_TRANSFER")
    return {}


register_transfers(routes, "/account/sub-account", (2, 2, "key"), _transfer)


@routes.post("/account/sub-account/main/v1/sub-to-sub", limit=(2, 2, "key"))
def submit_sub_to_sub_transfer(treasury: Treasury, call: Call) -> Json:
    """Move money between two sub-accounts, by order of the main account."""
    main = main_account(call)
    giver = sub_account(treasury, main, call.need("fromAccount", 60000))
    return _transfer(treasury, call, giver, sub_account(treasury, main, call.need("toAccount", 60000), 61002))


def _check_move_type(call: Call) -> None:
    if call.need("moveType", 60000) != "spot to spot":
        raise Refusal(60000, "Invalid parameter moveType")


def _page(call: Call, transfers: Iterable[FamilyTransfer]) -> Json:
    count = read_count(call, "N", None, LIST_MAX, 60000)
    rows: list[Json] = [
        {
            "fromAccount": transfer.giver.name,
            "fromWalletType": "spot",
            "toAccount": transfer.taker.name,
            "toWalletType": "spot",
            "currency": transfer.currency,
            "amount": plain(transfer.amount),
            "submissionTime": transfer.time_ms // 1000,
        }
        for transfer in transfers
    ]
    return {"total": len(rows), "historyList": rows[:count]}


@routes.get("/account/sub-account/main/v1/transfer-list", auth="keyed", limit=(8, 2, "key"))
def transfers(treasury: Treasury, call: Call) -> Json:
    """Return every transfer of the caller's sub-accounts, or of one of them."""
    main, name = main_account(call), call.text("accountName")
    _check_move_type(call)
    one = None if name is None else sub_account(treasury, main, name)
    family = [account for account in treasury.accounts.all() if account.parent == main.account_id]
    wanted = family if one is None else [one]
    found = {
        id(transfer): transfer
        for account in wanted
        for transfer in treasury.family.newest("spot", account.account_id, call.now_ms)
    }
    return _page(call, sorted(found.values(), key=lambda transfer: transfer.time_ms, reverse=True))


@routes.get("/account/sub-account/v1/transfer-history", auth="keyed", limit=(8, 2, "key"))
def transfer_history(treasury: Treasury, call: Call) -> Json:
    """Return the transfers of the caller, main or sub, in either direction."""
    _check_move_type(call)
    return _page(call, treasury.family.newest("spot", call.owner.account_id, call.now_ms))


@routes.get("/account/sub-account/main/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def balances(treasury: Treasury, call: Call) -> Json:
    """Return the spot balances of a sub-account above zero."""
    account = sub_account(treasury, main_account(call), call.need("subAccount", 60000))
    wanted = call.text("currency")
    if wanted is not None and wanted not in treasury.spot.currencies:
        raise Refusal(60002, "Unknown currency")
    return {
        "wallet": [
            {
                "currency": currency,
                "name": name_of(currency),
                "available": money(available),
                "frozen": money(frozen),
            }
            for currency, available, frozen in account.spot.rows()
            if wanted in (None, currency) and available + frozen > 0
        ]
    }


@routes.get("/account/sub-account/main/v1/subaccount-list", auth="keyed", limit=(8, 2, "key"))
def accounts(treasury: Treasury, call: Call) -> Json:
    """Return the caller's sub-accounts."""
    main = main_account(call)
    return {
        "subAccountList": [
            {"accountName": account.name, "status": _STATUS[account.status]}
            for account in treasury.accounts.all()
            if account.parent == main.account_id
        ]
    }
