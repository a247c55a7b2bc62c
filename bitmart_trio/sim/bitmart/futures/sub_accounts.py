"""REST chapter: futures money between a main account and its sub-accounts, in USDT only."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ...kernel.accounts import Account
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
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
from ..wire import Chapter
from .transfers import check_free

routes: Chapter[Treasury] = Chapter()

CURRENCY = "USDT"
LIST_MAX = 100
_NAMES = {"USDT": "Tether USD", "BTC": "Bitcoin", "ETH": "Ethereum"}


def _transfer(treasury: Treasury, call: Call, giver: Account, taker: Account) -> Json:
    number = request_number(treasury, call)
    if call.need("currency", 60000) != CURRENCY:
        raise Refusal(60002, "Only USDT can be transferred")
    amount = read_amount(call, missing=60000, invalid=60000, zero=61000, places=60006)
    check_status(giver, taker)
    check_free(treasury, giver, CURRENCY, amount, 61001, 400)
    pay(giver.futures, taker.futures, CURRENCY, amount, 61001)
    treasury.family.note(
        call.owner.account_id, number, FamilyTransfer("future", giver, taker, CURRENCY, amount, call.now_ms)
    )
    treasury.futures.balance_moved(giver, CURRENCY, -amount)
    treasury.futures.balance_moved(taker, CURRENCY, amount)
    return {}


register_transfers(routes, "/account/contract/sub-account", (8, 2, "key"), _transfer)


@routes.get("/account/contract/sub-account/main/v1/wallet", auth="keyed", limit=(12, 2, "key"))
def balances(treasury: Treasury, call: Call) -> Json:
    """Return the futures balances of a sub-account above zero, without the margin of positions."""
    account = sub_account(treasury, main_account(call), call.need("subAccount", 60000))
    wanted = call.text("currency")
    if wanted is not None and wanted not in _NAMES:
        raise Refusal(60002, "Unknown currency")
    return {
        "wallet": [
            {
                "currency": currency,
                "name": _NAMES.get(currency, currency),
                "available": plain(available),
                "frozen": plain(frozen),
            }
            for currency, available, frozen in account.futures.rows()
            if wanted in (None, currency) and available + frozen > 0
        ]
    }


def _rows(call: Call, transfers: Iterable[FamilyTransfer]) -> Json:
    count = read_count(call, "limit", None, LIST_MAX, 60000)
    return [
        {
            "fromAccount": transfer.giver.name,
            "toAccount": transfer.taker.name,
            "toWalletType": "future",
            "fromWalletType": "future",
            "currency": transfer.currency,
            "amount": plain(transfer.amount),
            "submissionTime": transfer.time_ms // 1000,
        }
        for transfer in islice(transfers, count)
    ]


@routes.get("/account/contract/sub-account/main/v1/transfer-list", auth="keyed", limit=(8, 2, "key"))
def transfers(treasury: Treasury, call: Call) -> Json:
    """Return the newest transfers of one sub-account."""
    account = sub_account(treasury, main_account(call), call.need("subAccount", 60000))
    return _rows(call, treasury.family.newest("future", account.account_id, call.now_ms))


@routes.get("/account/contract/sub-account/v1/transfer-history", auth="keyed", limit=(8, 2, "key"))
def transfer_history(treasury: Treasury, call: Call) -> Json:
    """Return the newest transfers of the caller, main or sub, in either direction."""
    return _rows(call, treasury.family.newest("future", call.owner.account_id, call.now_ms))
