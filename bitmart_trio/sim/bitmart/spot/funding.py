"""Deposits, withdrawals, the funding wallet and the account itself over REST."""

from __future__ import annotations

from decimal import Decimal

from ...kernel.accounts import Account, ApiKey
from ...kernel.calls import Call, Refusal
from ...kernel.clock import DAY_MS
from ...kernel.encoding import Json
from ...kernel.pairs import money
from ...treasury import CHAINS, Chain, Record, Treasury
from ..amounts import pay, read_amount, read_count
from ..wire import Chapter

routes: Chapter[Treasury] = Chapter()


PRECISION = 8
HISTORY_MAX = 1000
SPAN_MS = 90 * DAY_MS
RECORD_GRAIN = Decimal("1E-12")


def chain_of(call: Call) -> Chain:
    """Return the chain of ``currency``; without a chain, a coin that has several uses the first."""
    name = call.need("currency", 60000)
    found = CHAINS.get(name) or next((chain for chain in CHAINS.values() if chain.coin == name), None)
    if found is None:
        raise Refusal(60002, "Unknown currency")
    return found


def _main_only(call: Call, code: int = 60026) -> Account:
    if call.owner.parent is not None:
        raise Refusal(code, "Sub-account does not have permission to operate", http=403)
    return call.owner


@routes.get("/account/v1/deposit/address", auth="keyed", limit=(2, 2, "key"))
def deposit_address(treasury: Treasury, call: Call) -> Json:
    """Return the deposit address of a currency."""
    account, chain = _main_only(call), chain_of(call)
    address = treasury.funding.address(account, chain)
    return {"currency": chain.name, "chain": chain.name, "address": address, "address_memo": ""}


@routes.get("/account/v1/withdraw/charge", auth="keyed", limit=(2, 2, "key"))
def withdraw_quota(treasury: Treasury, call: Call) -> Json:
    """Return limits and fee of withdrawals."""
    account, chain = _main_only(call, 60054), chain_of(call)
    return {
        "today_available_withdraw_BTC": f"{treasury.funding.left_today(account):.4f}",
        "min_withdraw": money(Decimal(chain.least)),
        "withdraw_precision": PRECISION,
        "withdraw_fee": money(Decimal(chain.fee)),
        "withdraw_Precision_GeTen": None,
    }


@routes.post("/account/v1/withdraw/apply", limit=(8, 2, "key"))
def submit_withdrawal(treasury: Treasury, call: Call) -> Json:
    """Withdraw to a saved address or, without one, to another account."""
    _main_only(call, 60054)
    chain = chain_of(call)
    amount = read_amount(call, missing=60000, invalid=60000, zero=60005, places=60006)
    if call.text("address") is not None:
        record = _to_chain(treasury, call, chain, amount)
    elif call.text("value") is not None:
        record = _to_account(treasury, call, chain, amount)
    else:
        raise Refusal(60000, "Either address or type and value are required")
    return {"withdraw_id": record.record_id}


def _to_chain(treasury: Treasury, call: Call, chain: Chain, amount: Decimal) -> Record:
    funding = treasury.funding
    address, memo = call.need("address", 60000), call.text("address_memo", "") or ""
    if not (address.isascii() and address.isalnum() and len(address) >= 20):
        raise Refusal(60011, "Invalid address")
    saved = next((saved for saved in funding.saved(call.owner) if saved.address == address), None)
    if saved is None or not saved.serves(chain):
        raise Refusal(60007, "Only addresses saved on the website are allowed")
    if not saved.verified:
        raise Refusal(60015, "The address has not been verified")
    if memo != saved.memo:
        raise Refusal(60014, "Missing or invalid memo")
    if amount < Decimal(chain.least):
        raise Refusal(60005, "The amount is below the minimum")
    return funding.to_chain(call.owner, _source(call), chain, amount, saved)


def _to_account(treasury: Treasury, call: Call, chain: Chain, amount: Decimal) -> Record:
    value, by = call.need("value", 60000), call.text("type")
    if by not in ("1", "2", "3") or (by == "3" and call.text("areaCode") is None):
        raise Refusal(60000, "Invalid parameter type")
    # No account here has a phone number, so 3 never finds one.
    target = treasury.accounts.get(value) if by == "1" else treasury.accounts.by_name(value) if by == "2" else None
    if target is None:
        raise Refusal(60053, "The target account is wrong", http=403)
    if target is call.owner:
        raise Refusal(60065, "Sender and receiver are the same user", http=403)
    return treasury.funding.to_account(call.owner, _source(call), chain, amount, target, value)


def _source(call: Call) -> str | None:
    """Return the wallet that a withdrawal is taken from; None for both."""
    source = call.text("sourceAccount")
    if source not in (None, "SPOT", "FUND"):
        raise Refusal(60001, "Unknown account type")
    return source


@routes.get("/account/v1/withdraw/address/list", auth="keyed", limit=(2, 2, "key"))
def withdraw_addresses(treasury: Treasury, call: Call) -> Json:
    """Return the saved withdrawal addresses."""
    return {
        "list": [
            {
                "currency": saved.currency,
                "network": saved.network,
                "address": saved.address,
                "memo": saved.memo,
                "remark": saved.remark,
                "addressType": saved.kind,
                "verifyStatus": int(saved.verified),
            }
            for saved in treasury.funding.saved(call.owner)
        ]
    }


@routes.get("/account/v2/deposit-withdraw/history", auth="keyed", limit=(8, 2, "key"))
def deposit_withdraw_history(treasury: Treasury, call: Call) -> Json:
    """Return the newest deposits or withdrawals; ``currency`` may be the coin or the coin with its chain."""
    account, operation = _main_only(call), call.need("operation_type", 60000)
    if operation not in ("deposit", "withdraw"):
        raise Refusal(60000, "Invalid parameter operation_type")
    count = read_count(call, "N", None, HISTORY_MAX, 60000)
    start_text, end_text, currency = call.text("startTime"), call.text("endTime"), call.text("currency")
    end = call.integer("endTime", call.now_ms, code=60000)
    start = call.integer("startTime", end - SPAN_MS + 1, code=60000)
    if end < start:
        raise Refusal(60000, "The end time lies before the start time")
    if end - start >= SPAN_MS:
        if start_text and end_text:
            raise Refusal(60067, "The time span must be under 90 days")
        raise Refusal(60066, "Without a full range the query covers 0 to 90 days")
    rows = [
        _row(record, call.now_ms)
        for record in reversed(treasury.funding.records(account))
        if record.operation == operation
        and start <= record.time_ms <= end
        and currency in (None, record.currency, record.currency.partition("-")[0])
    ]
    return {"records": rows[:count]}


def _row(record: Record, now_ms: int) -> Json:
    status = record.status(now_ms)
    return {
        "withdraw_id": record.record_id if record.operation == "withdraw" else "",
        "deposit_id": record.record_id if record.operation == "deposit" else "",
        "operation_type": record.operation,
        "currency": record.currency,
        "apply_time": record.time_ms,
        "arrival_amount": format(record.amount.quantize(RECORD_GRAIN), "f"),
        "fee": format(record.fee.quantize(RECORD_GRAIN), "f"),
        "status": status,
        "address": record.address,
        "address_memo": record.memo,
        "tx_id": record.tx_id if status == 3 else "",
    }


@routes.get("/account/v1/deposit-withdraw/detail", auth="keyed", limit=(8, 2, "key"))
def deposit_withdraw_record(treasury: Treasury, call: Call) -> Json:
    """Return one deposit or withdrawal."""
    account, record_id = _main_only(call), call.need("id", 60000)
    for record in treasury.funding.records(account):
        if record.record_id == record_id:
            return {"record": _row(record, call.now_ms)}
    raise Refusal(60010, "No such deposit or withdrawal")


@routes.get("/uapi-key/v1/account/info", auth="keyed", envelope="info")
def info(treasury: Treasury, call: Call) -> Json:
    """Return the account and its keys; every account here is as old as the exchange."""
    account = call.owner
    return {
        "cid": account.account_id,
        "account_type": "main" if account.parent is None else "sub",
        "parent_cid": account.parent,
        "account_status": "active" if account.status == "normal" else "frozen",
        "kyc_level": "2",
        "register_time": treasury.clock.start,
        "broker_id": "",
        "api_keys": [
            _key_row(treasury, call, key, f"key {number}")
            for number, key in enumerate(treasury.accounts.keys_of(account), 1)
        ],
    }


def _key_row(treasury: Treasury, call: Call, key: ApiKey, label: str) -> Json:
    # The real label is the memo, which is part of signatures and must not be shown to everyone with the key.
    expired = key.expires_ms is not None and call.now_ms >= key.expires_ms
    return {
        "access_key_masked": f"{key.key[:2]}****{key.key[-2:]}",
        "is_current": key is call.key,
        "permissions": [*sorted(key.permissions)],
        "ip_whitelist": [*sorted(key.ips)],
        "api_key_label": label,
        "api_key_created_time": treasury.clock.start,
        "api_key_expire_time": key.expires_ms or 0,
        "api_key_status": "frozen" if key.frozen else "expired" if expired else "active",
    }


@routes.post("/account/v1/transfer")
def submit_transfer(treasury: Treasury, call: Call) -> Json:
    """Move money between the spot and the funding wallet."""
    account, currency = call.owner, call.need("currency", 60000)
    if currency not in treasury.spot.currencies:
        raise Refusal(60002, "Unknown currency")
    match call.need("type", 60000):
        case "spot_to_fund":
            giver, taker = account.spot, account.fund
        case "fund_to_spot":
            giver, taker = account.fund, account.spot
        case _:
            raise Refusal(60001, "Unknown transfer type")
    amount = read_amount(call, missing=60000, invalid=60000, zero=61000, places=60006)
    pay(giver, taker, currency, amount, 60008)
    treasury.spot.balance_moved(account, currency, "ACCOUNT_TRANSFER")
    return {}


@routes.get("/account/v1/get-deposit-account", auth="keyed")
def deposit_account(treasury: Treasury, call: Call) -> Json:
    """Return the wallet that receives deposits; the format of the answer is not documented."""
    return {"account_type": treasury.funding.deposit_accounts.get(call.owner.account_id, "SPOT")}


@routes.post("/account/v1/set-deposit-account")
def set_deposit_account(treasury: Treasury, call: Call) -> Json:
    """Set the wallet that receives deposits."""
    account, chosen = _main_only(call), call.need("account_type", 60000)
    if chosen not in ("SPOT", "CONTRACT", "FUND"):
        raise Refusal(60001, "Unknown account type")
    treasury.funding.deposit_accounts[account.account_id] = chosen
    return {"account_type": chosen}
