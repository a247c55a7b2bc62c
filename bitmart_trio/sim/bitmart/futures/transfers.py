"""REST chapter: money between the futures wallet and the spot or funding wallet."""

from __future__ import annotations

from decimal import Decimal

from ...kernel.accounts import Account, Wallet
from ...kernel.calls import Call, Refusal
from ...kernel.contracts import plain
from ...kernel.encoding import Json
from ...treasury import SpotTransfer, Treasury, Way
from ..amounts import pay, read_amount
from ..wire import Chapter
from . import params

routes: Chapter[Treasury] = Chapter()


SPOT_CURRENCY = "USDT"
CURRENCIES = ("USDT", "BTC", "ETH")
LEAST = Decimal("0.01")
MOST = Decimal(10_000_000_000)
_KINDS: dict[str, Way] = {"spot_to_contract": "spot_to_contract", "contract_to_spot": "contract_to_spot"}


def check_free(treasury: Treasury, account: Account, currency: str, amount: Decimal, code: int, http: int) -> None:
    """Refuse to transfer more out of a futures wallet than is free."""
    engine = treasury.futures.engine
    if amount > account.futures.available(currency):
        raise Refusal(code, "Balance not enough", http=http)
    if amount > engine.ledger.free(engine.trader(account), currency, engine.marks):
        raise Refusal(60058, "The transfer would exceed the margin-call risk of a position", http=403)


def _move(treasury: Treasury, account: Account, other: Wallet, currency: str, amount: Decimal, *, inward: bool) -> None:
    if inward:
        pay(other, account.futures, currency, amount, 42000, http=200)
    else:
        check_free(treasury, account, currency, amount, 42000, 200)
        pay(account.futures, other, currency, amount, 42000, http=200)
    treasury.futures.balance_moved(account, currency, amount if inward else -amount)
    if other is account.spot:
        treasury.spot.balance_moved(account, currency, "ACCOUNT_TRANSFER")


@routes.post("/account/v1/transfer-contract", limit=(1, 2, "key"), recv_window=True)
def submit_transfer(treasury: Treasury, call: Call) -> Json:
    """Move USDT between the spot and the futures wallet."""
    account, currency = call.owner, params.needed(call, "currency")
    kind = _KINDS.get(params.needed(call, "type"))
    if currency != SPOT_CURRENCY or kind is None:
        raise Refusal(40011, "Invalid request: currency or type")
    amount = read_amount(call, missing=40011, invalid=40007, zero=40011, places=40005)
    if not LEAST <= amount <= MOST:
        raise Refusal(40011, "The amount is out of range")
    _move(treasury, account, account.spot, currency, amount, inward=kind == "spot_to_contract")
    treasury.spot_transfers.of_account(account.account_id).append(
        SpotTransfer(treasury.new_id(), kind, currency, amount, call.now_ms)
    )
    return {"currency": currency, "amount": plain(amount)}


@routes.post("/account/v1/transfer-contract-list", limit=(1, 2, "key"), recv_window=True, writes=False)
def transfers(treasury: Treasury, call: Call) -> Json:
    """Return the transfers between spot and futures, newest first."""
    page = params.whole(call, "page", None, range(1, 1001))
    count = params.whole(call, "limit", None, range(10, 101))
    currency = call.text("currency")
    start = call.integer("time_start", 0, code=40039)
    end = call.integer("time_end", call.now_ms + 1, code=40039)
    if end <= start:
        raise Refusal(40039, "time_end must be later than time_start")
    rows: list[Json] = [
        {
            "transfer_id": item.transfer_id,
            "currency": item.currency,
            "amount": plain(item.amount),
            "type": item.kind,
            "state": "FINISHED",
            "timestamp": item.time_ms,
        }
        for item in reversed(treasury.spot_transfers.of_account(call.owner.account_id))
        if start <= item.time_ms <= end and currency in (None, item.currency)
    ]
    return {"records": rows[(page - 1) * count : page * count]}


@routes.post("/contract/private/account/v1/transfer")
def submit_funding_transfer(treasury: Treasury, call: Call) -> Json:
    """Move money between the funding and the futures wallet."""
    account, currency, kind = call.owner, params.needed(call, "currency"), params.needed(call, "type")
    if currency not in CURRENCIES or kind not in ("fund_to_contract", "contract_to_fund"):
        raise Refusal(40011, "Invalid request: currency or type")
    amount = read_amount(call, missing=40011, invalid=40007, zero=40011, places=40005)
    _move(treasury, account, account.fund, currency, amount, inward=kind == "fund_to_contract")
    return {}
