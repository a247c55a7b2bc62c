"""Deposits, withdrawals, the funding wallet, and what an account is told about itself.

There are no blockchains here. A chain withdrawal takes its money at once (the fee comes out of the amount) and then
passes through its states by exchange time: waiting for review, processing after `REVIEW_MS`, done after `CHAIN_MS`.
An internal withdrawal is done at once and free. Deposits come from `Funding.deposit`; what an account was opened with
is listed as its first ones. Every main account has the same kind of address book, made up from the seed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from ..bitmart.spot.account import CHAINS
from ..bitmart.wire import Call, Json, Refusal, Routes
from ..kernel.accounts import ZERO, Account, ApiKey
from ..kernel.pairs import COIN_NAMES, money
from ..treasury import DAY_MS, pay, read_amount, read_count

if TYPE_CHECKING:
    from ..exchange import Exchange

routes: Routes = Routes()

REVIEW_MS = 5_000
CHAIN_MS = 30_000
DAILY_BTC = Decimal(100)
"""What may leave in a day, valued in BTC."""
PRECISION = 8
HISTORY_MAX = 1000
SPAN_MS = 90 * DAY_MS
RECORD_GRAIN = Decimal("1E-12")

Operation: TypeAlias = Literal["deposit", "withdraw"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@attrs.frozen
class Chain:
    """How one currency travels on one network."""

    name: str
    coin: str
    network: str
    least: Decimal
    fee: Decimal


_CHAINS = {
    name: Chain(name, name.partition("-")[0], network, Decimal(least), Decimal(fee))
    for name, network, _, least, fee, _ in CHAINS
}


def chain_of(call: Call) -> Chain:
    """The chain of ``currency``; a coin with several may be named without one, which means the first."""
    name = call.need("currency", 60000)
    found = _CHAINS.get(name) or next((chain for chain in _CHAINS.values() if chain.coin == name), None)
    if found is None:
        raise Refusal(60002, "Unknown currency")
    return found


@attrs.frozen
class Record:
    """One deposit or withdrawal."""

    record_id: str
    operation: Operation
    currency: str
    amount: Decimal
    """What arrived."""
    fee: Decimal
    time_ms: int
    address: str = ""
    memo: str = ""
    tx_id: str = ""

    def row(self, now_ms: int) -> Json:
        """As the wire shows it at that time."""
        on_chain = self.operation == "withdraw" and self.tx_id
        age = now_ms - self.time_ms
        status = 3 if not on_chain or age >= CHAIN_MS else 2 if age >= REVIEW_MS else 1
        return {
            "withdraw_id": self.record_id if self.operation == "withdraw" else "",
            "deposit_id": self.record_id if self.operation == "deposit" else "",
            "operation_type": self.operation,
            "currency": self.currency,
            "apply_time": self.time_ms,
            "arrival_amount": format(self.amount.quantize(RECORD_GRAIN), "f"),
            "fee": format(self.fee.quantize(RECORD_GRAIN), "f"),
            "status": status,
            "address": self.address,
            "address_memo": self.memo,
            "tx_id": self.tx_id if status == 3 else "",
        }


@attrs.frozen
class Saved:
    """One address of an account's book."""

    currency: str | None
    network: str | None
    address: str
    memo: str
    remark: str
    kind: int
    """0 for one currency, 1 for all of a network, 2 for all EVM networks."""
    verified: bool

    def serves(self, chain: Chain) -> bool:
        """Whether a currency may be sent there."""
        if self.kind == 0:
            return self.currency in (chain.name, chain.coin) and self.network == chain.network
        return chain.network == ("ERC20" if self.kind == 2 else self.network)


class Funding:
    """Deposits and withdrawals of all accounts."""

    def __init__(self, exchange: Exchange) -> None:
        self.deposit_accounts: dict[str, str] = {}
        """Account id -> the wallet that its deposits go into, where one was chosen."""
        self._exchange = exchange
        self._records: dict[str, list[Record]] = {}
        self._left: dict[tuple[str, int], Decimal] = {}

    def records(self, account: Account) -> list[Record]:
        """All deposits and withdrawals of an account, oldest first."""
        found = self._records.get(account.account_id)
        if found is None:
            found = self._records[account.account_id] = []
            for currency, amount in account.opening:
                if currency not in COIN_NAMES:
                    continue
                found.append(self._incoming(account, len(found), currency, amount, self._exchange.clock.start))
        return found

    def _incoming(self, account: Account, number: int, currency: str, amount: Decimal, time_ms: int) -> Record:
        exchange = self._exchange
        chain = next(chain for chain in _CHAINS.values() if chain.coin == currency)
        stream = exchange.random(f"deposit/{account.account_id}/{number}")
        return Record(
            exchange.new_id(),
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
        """Let a deposit arrive, in the wallet that the account has chosen for its deposits.

        Raises:
            ValueError: There is no such currency, or ``amount`` is not above zero.
        """
        if currency not in COIN_NAMES or not amount > 0:
            raise ValueError(f"no deposit: {amount} {currency}")
        own, where = self._exchange.accounts, self.deposit_accounts.get(account.account_id, "SPOT")
        wallet = {"SPOT": account.spot, "FUND": account.fund, "CONTRACT": account.futures}[where]
        own.outside.debit(currency, amount)
        wallet.credit(currency, amount)
        self.arrived(account, currency, amount)
        if where == "CONTRACT":
            self._exchange.futures.balance_moved(account, currency, amount)
        elif where == "SPOT":
            self.told(account, currency, "ACCOUNT_RECHARGE")

    def arrived(self, account: Account, currency: str, amount: Decimal) -> None:
        """List a deposit."""
        records = self.records(account)
        records.append(self._incoming(account, len(records), currency, amount, self._exchange.now_ms()))

    def told(self, account: Account, currency: str, event: str) -> None:
        """Push the spot balance of a currency."""
        self._exchange.spot.feed.balances(account.account_id, account.spot, (currency,), event)

    def address(self, account: Account, chain: Chain) -> str:
        """Where an account's deposits on a network go; always the same."""
        stream = self._exchange.random(f"address/{account.account_id}/{chain.network}")
        if chain.network == "ERC20":
            return f"0x{stream.getrandbits(160):040x}"
        return ("T" if chain.network == "TRC20" else "1") + "".join(stream.choice(_ALPHABET) for _ in range(33))

    def saved(self, account: Account) -> list[Saved]:
        """The account's address book; sub-accounts have none."""
        if account.parent is not None:
            return []
        stream = self._exchange.random(f"book/{account.account_id}")
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
        """What may still leave today, valued in BTC."""
        return self._left.get((account.account_id, self._exchange.now_ms() // DAY_MS), DAILY_BTC)

    def take(self, call: Call, chain: Chain, amount: Decimal) -> None:
        """Take the money of a withdrawal out of the wallets it is drawn on; where it goes is the caller's business."""
        account, coin, source = call.owner, chain.coin, call.text("sourceAccount")
        if source not in (None, "SPOT", "FUND"):
            raise Refusal(60001, "Unknown account type")
        value = amount * (self._exchange.spot.price(coin) or ZERO) / (self._exchange.spot.price("BTC") or 1)
        if value > DAILY_BTC:
            raise Refusal(60009, "The amount is above the limit")
        left = self.left_today(account)
        if value > left:
            raise Refusal(60064, "The daily quota is used up", http=403)
        from_spot = (
            ZERO if source == "FUND" else amount if source == "SPOT" else min(amount, account.spot.available(coin))
        )
        if amount - from_spot > account.fund.available(coin) or from_spot > account.spot.available(coin):
            raise Refusal(60008, "Balance not enough")
        account.spot.debit(coin, from_spot)
        account.fund.debit(coin, amount - from_spot)
        self._left[account.account_id, self._exchange.now_ms() // DAY_MS] = left - value
        if from_spot:
            self.told(account, coin, "ACCOUNT_WITHDRAWAL")


def _main_only(call: Call, code: int = 60026) -> Account:
    if call.owner.parent is not None:
        raise Refusal(code, "Sub-account does not have permission to operate", http=403)
    return call.owner


# -- deposits and withdrawals ----------------------------------------------------------------------


@routes.get("/account/v1/deposit/address", auth="keyed", limit=(2, 2, "key"))
def deposit_address(exchange: Exchange, call: Call) -> Json:
    """Where to send a currency."""
    account, chain = _main_only(call), chain_of(call)
    address = exchange.spot.funding.address(account, chain)
    return {"currency": chain.name, "chain": chain.name, "address": address, "address_memo": ""}


@routes.get("/account/v1/withdraw/charge", auth="keyed", limit=(2, 2, "key"))
def withdraw_quota(exchange: Exchange, call: Call) -> Json:
    """Limits and fee of withdrawals."""
    account, chain = _main_only(call, 60054), chain_of(call)
    return {
        "today_available_withdraw_BTC": f"{exchange.spot.funding.left_today(account):.4f}",
        "min_withdraw": money(chain.least),
        "withdraw_precision": PRECISION,
        "withdraw_fee": money(chain.fee),
        "withdraw_Precision_GeTen": None,
    }


@routes.post("/account/v1/withdraw/apply", limit=(8, 2, "key"))
def submit_withdrawal(exchange: Exchange, call: Call) -> Json:
    """Withdraw to a saved address, or, without one, to another account."""
    _main_only(call, 60054)
    chain = chain_of(call)
    amount = read_amount(call, missing=60000, invalid=60000, zero=60005, places=60006)
    if call.text("address") is not None:
        record = _to_chain(exchange, call, chain, amount)
    elif call.text("value") is not None:
        record = _to_account(exchange, call, chain, amount)
    else:
        raise Refusal(60000, "Either address or type and value are required")
    exchange.spot.funding.records(call.owner).append(record)
    return {"withdraw_id": record.record_id}


def _to_chain(exchange: Exchange, call: Call, chain: Chain, amount: Decimal) -> Record:
    funding, own = exchange.spot.funding, exchange.accounts
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
    if amount < chain.least:
        raise Refusal(60005, "The amount is below the minimum")
    funding.take(call, chain, amount)
    own.fees.credit(chain.coin, chain.fee)
    own.outside.credit(chain.coin, amount - chain.fee)
    record_id = exchange.new_id()
    tx_id = f"0x{exchange.random(f'withdraw/{record_id}').getrandbits(256):064x}"
    return Record(
        record_id, "withdraw", chain.name, amount - chain.fee, chain.fee, exchange.now_ms(), address, memo, tx_id
    )


def _to_account(exchange: Exchange, call: Call, chain: Chain, amount: Decimal) -> Record:
    funding = exchange.spot.funding
    value, by = call.need("value", 60000), call.text("type")
    if by not in ("1", "2", "3") or (by == "3" and call.text("areaCode") is None):
        raise Refusal(60000, "Invalid parameter type")
    # Nobody here has a phone, so 3 never finds anybody.
    target = exchange.accounts.get(value) if by == "1" else exchange.accounts.by_name(value) if by == "2" else None
    if target is None:
        raise Refusal(60053, "The target account is wrong", http=403)
    if target is call.owner:
        raise Refusal(60065, "Sender and receiver are the same user", http=403)
    funding.take(call, chain, amount)
    target.spot.credit(chain.coin, amount)
    funding.arrived(target, chain.coin, amount)
    funding.told(target, chain.coin, "ACCOUNT_RECHARGE")
    return Record(exchange.new_id(), "withdraw", chain.name, amount, ZERO, exchange.now_ms(), value)


@routes.get("/account/v1/withdraw/address/list", auth="keyed", limit=(2, 2, "key"))
def withdraw_addresses(exchange: Exchange, call: Call) -> Json:
    """The saved addresses."""
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
            for saved in exchange.spot.funding.saved(call.owner)
        ]
    }


@routes.get("/account/v2/deposit-withdraw/history", auth="keyed", limit=(8, 2, "key"))
def deposit_withdraw_history(exchange: Exchange, call: Call) -> Json:
    """The newest deposits or withdrawals; ``currency`` may name the coin or the coin with its chain."""
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
        record.row(call.now_ms)
        for record in reversed(exchange.spot.funding.records(account))
        if record.operation == operation
        and start <= record.time_ms <= end
        and currency in (None, record.currency, record.currency.partition("-")[0])
    ]
    return {"records": rows[:count]}


@routes.get("/account/v1/deposit-withdraw/detail", auth="keyed", limit=(8, 2, "key"))
def deposit_withdraw_record(exchange: Exchange, call: Call) -> Json:
    """One deposit or withdrawal."""
    account, record_id = _main_only(call), call.need("id", 60000)
    for record in exchange.spot.funding.records(account):
        if record.record_id == record_id:
            return {"record": record.row(call.now_ms)}
    raise Refusal(60010, "No such deposit or withdrawal")


# -- the account -----------------------------------------------------------------------------------


@routes.get("/uapi-key/v1/account/info", auth="keyed", envelope="info")
def info(exchange: Exchange, call: Call) -> Json:
    """The account and its keys; every account here is as old as the exchange."""
    account = call.owner
    return {
        "cid": account.account_id,
        "account_type": "main" if account.parent is None else "sub",
        "parent_cid": account.parent,
        "account_status": "active" if account.status == "normal" else "frozen",
        "kyc_level": "2",
        "register_time": exchange.clock.start,
        "broker_id": "",
        "api_keys": [
            _key_row(exchange, call, key, f"key {number}")
            for number, key in enumerate(exchange.accounts.keys_of(account), 1)
        ],
    }


def _key_row(exchange: Exchange, call: Call, key: ApiKey, label: str) -> Json:
    # The real label is the memo, which takes part in signatures: not something to hand out to whoever has the key.
    expired = key.expires_ms is not None and call.now_ms >= key.expires_ms
    return {
        "access_key_masked": f"{key.key[:2]}****{key.key[-2:]}",
        "is_current": key is call.key,
        "permissions": [*sorted(key.permissions)],
        "ip_whitelist": [*sorted(key.ips)],
        "api_key_label": label,
        "api_key_created_time": exchange.clock.start,
        "api_key_expire_time": key.expires_ms or 0,
        "api_key_status": "frozen" if key.frozen else "expired" if expired else "active",
    }


@routes.post("/account/v1/transfer")
def submit_transfer(exchange: Exchange, call: Call) -> Json:
    """Move money between the spot and the funding wallet."""
    account, currency = call.owner, call.need("currency", 60000)
    if currency not in exchange.spot.currencies:
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
    exchange.spot.funding.told(account, currency, "ACCOUNT_TRANSFER")
    return {}


@routes.get("/account/v1/get-deposit-account", auth="keyed")
def deposit_account(exchange: Exchange, call: Call) -> Json:
    """Which wallet deposits go into; the shape of the answer is not documented."""
    return {"account_type": exchange.spot.funding.deposit_accounts.get(call.owner.account_id, "SPOT")}


@routes.post("/account/v1/set-deposit-account")
def set_deposit_account(exchange: Exchange, call: Call) -> Json:
    """Choose that wallet."""
    account, chosen = _main_only(call), call.need("account_type", 60000)
    if chosen not in ("SPOT", "CONTRACT", "FUND"):
        raise Refusal(60001, "Unknown account type")
    exchange.spot.funding.deposit_accounts[account.account_id] = chosen
    return {"account_type": chosen}
