"""List the movements of an account: trades, deposits, profits and fees as one kind of row, oldest first.

The report's totals and the layouts of tax tools come from these rows, so both count alike. A superseded record does not
count. Transfers between wallets of the same account (spot, futures, savings) are not movements. Profit and fees of
contracts come from the ledger or, without one, from the fills.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Context, Decimal
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from ...models._model import Model
from ...models._numbers import BLANKS, exact
from ._reader import Reader, Record

Value: TypeAlias = "str | int | None"
Values: TypeAlias = "Mapping[str, Value]"

EXACT: Final = Context(prec=1_000)
"""The context that adds amounts without rounding: none has more than 400 digits on either side of the point."""
_LAST: Final = 253_402_300_800_000
"""The year 10000 in milliseconds."""


class Kind(StrEnum):
    """The kind of a movement."""

    TRADE = "trade"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    """A transfer to or from a sub-account or the main account."""
    REALISED = "realised profit"
    """Profit or loss of a contract, liquidations included."""
    FUNDING = "funding"
    FEE = "fee"
    """A fee of contracts or loans, or one that is charged separately."""
    INTEREST = "interest"
    """Interest earned with savings."""
    REBATE = "rebate"
    LOAN = "loan"
    REPAYMENT = "repayment"
    OTHER = "other"
    """An entry of the ledger whose kind is not documented."""


@attrs.frozen(kw_only=True)
class Movement:
    """Something received, something sent, or both; amounts are positive."""

    time: int
    """Milliseconds since 1970 UTC."""
    kind: Kind
    received: Decimal | None = None
    received_coin: str = ""
    sent: Decimal | None = None
    """The amount without the fee."""
    sent_coin: str = ""
    fee: Decimal | None = None
    """The fee, charged in addition to the amount sent or received."""
    fee_coin: str = ""
    id: str = ""
    """The exchange's id."""
    hash: str = ""
    """The hash of the transaction on its chain."""
    text: str = ""
    """The subject, for the user: the symbol, the kind of entry."""
    base: str = ""
    """The base currency of a trade's pair."""


@attrs.frozen
class LeftOut(Model):
    """Records of one kind that are no movement although they should be."""

    kind: str
    """The endpoint's name."""
    reason: str
    """The data that a movement lacks."""
    count: int
    """The number of records."""


class Unplaced(ValueError):
    """A record lacks what a movement needs; the message says what."""


@attrs.frozen
class _Context:
    """What is not in the record itself."""

    sub_accounts: frozenset[str]
    ledgers: frozenset[str]
    """The futures accounts that have a ledger."""
    settled_in: Mapping[str, str]
    """The settlement coin by contract."""
    transfers: Counter[tuple[str, ...]]
    """Sub-account transfers that another list contains."""


_Made: TypeAlias = "Iterable[Movement]"


def amount(values: Values, name: str) -> Decimal:
    """An amount of a record.

    Raises:
        Unplaced: the amount is missing, or is not a number of a sensible size.
    """
    value = values.get(name)
    if value is None or value == "":
        raise Unplaced(f"no {name}")
    try:
        return exact(value.strip(BLANKS) if isinstance(value, str) else value)
    except ValueError as error:
        raise Unplaced(f"{name} is {error}") from None


def _minus(number: Decimal) -> Decimal:
    """The negative, all digits kept: the minus sign of Python rounds to 28."""
    return number.copy_negate()


def _word(values: Values, name: str) -> str:
    value = values.get(name)
    if value is None or value == "":
        raise Unplaced(f"no {name}")
    return str(value)


def _or_blank(values: Values, name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _signed(record: Record, time: int, kind: Kind, number: Decimal, coin: str, text: str) -> Iterator[Movement]:
    """One coin in or out, by the sign of the number; nothing for zero."""
    if number > 0:
        yield Movement(time=time, kind=kind, received=number, received_coin=coin, id=record.id, text=text)
    elif number < 0:
        yield Movement(time=time, kind=kind, sent=_minus(number), sent_coin=coin, id=record.id, text=text)


def _spot_fill(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    symbol, side = _word(values, "symbol"), _word(values, "side").lower()
    base, found, quote = symbol.rpartition("_")
    if not found or side not in ("buy", "sell"):
        raise Unplaced("no pair and side")
    size, notional = amount(values, "size"), amount(values, "notional")
    fee = amount(values, "fee") if values.get("fee") not in (None, "") else Decimal(0)
    fee_coin = _word(values, "fee_coin_name") if fee else ""
    text = symbol if _or_blank(values, "order_mode") != "iso_margin" else f"{symbol} isolated margin"
    bought = side == "buy"
    trade = Movement(
        time=time,
        kind=Kind.TRADE,
        received=size if bought else notional,
        received_coin=base if bought else quote,
        sent=notional if bought else size,
        sent_coin=quote if bought else base,
        id=record.id,
        text=text,
        base=base,
    )
    yield attrs.evolve(trade, fee=fee, fee_coin=fee_coin) if fee > 0 else trade
    if fee < 0:
        yield from _signed(record, time, Kind.REBATE, _minus(fee), fee_coin, text)


_DONE: Final = "3"


def _deposit_or_withdrawal(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    if _word(values, "status") != _DONE:
        return  # not executed yet, or never
    which, coin, arrived = (
        _word(values, "operation_type").lower(),
        _word(values, "currency"),
        amount(values, "arrival_amount"),
    )
    # Currencies on several chains are spelled with the chain after a hyphen.
    coin, _chain, network = coin.partition("-")
    moved = Movement(time=time, kind=Kind.DEPOSIT, id=record.id, hash=_or_blank(values, "tx_id"), text=network)
    if which == "deposit":
        yield attrs.evolve(moved, received=arrived, received_coin=coin)
    elif which == "withdraw":
        fee = amount(values, "fee") if values.get("fee") not in (None, "") else Decimal(0)
        moved = attrs.evolve(moved, kind=Kind.WITHDRAWAL, sent=arrived, sent_coin=coin)
        yield attrs.evolve(moved, fee=fee, fee_coin=coin) if fee else moved
    else:
        raise Unplaced("it is neither a deposit nor a withdrawal")


_LEDGER: Final = {
    "1": None,
    "transfer": None,
    "2": Kind.REALISED,
    "realized pnl": Kind.REALISED,
    "3": Kind.FUNDING,
    "funding fee": Kind.FUNDING,
    "4": Kind.FEE,
    "commission fee": Kind.FEE,
    "5": Kind.REALISED,
    "liquidation clearance": Kind.REALISED,
}
"""The kind of an entry by its number or its words; None for entries that stay within the account."""


def _ledger(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    words = _or_blank(values, "type") or _or_blank(values, "flow_type")
    known = next((each for each in (words.lower(), _or_blank(values, "flow_type")) if each in _LEDGER), None)
    kind = Kind.OTHER if known is None else _LEDGER[known]
    if kind is None:
        return
    text = f"{_or_blank(values, 'symbol')} {words}".strip()
    yield from _signed(record, time, kind, amount(values, "amount"), _word(values, "asset"), text)


def _account(record: Record) -> str:
    """Which futures account a record is of: not every reply says so, but the history was asked for one."""
    asked = "copy_trading" if "account=copy_trading" in record.history else "futures"
    return _or_blank(record.values, "account") or asked


def _futures_fill(record: Record, time: int, context: _Context) -> _Made:
    values = record.values
    if _account(record) in context.ledgers:
        return  # the ledger has this amount
    symbol = _word(values, "symbol")
    coin = context.settled_in.get(symbol) or next((each for each in ("USDT", "USDC", "USD") if each in symbol), "")
    if not coin:
        raise Unplaced("the coin in which its contract is settled is not known")
    profit = amount(values, "realised_profit") if values.get("realised_profit") not in (None, "") else Decimal(0)
    yield from _signed(record, time, Kind.REALISED, profit, coin, f"{symbol} realised by a fill")
    fee = amount(values, "paid_fees") if values.get("paid_fees") not in (None, "") else Decimal(0)
    yield from _signed(record, time, Kind.FEE, _minus(fee), coin, f"{symbol} fee of a fill")


def _sub_transfer(record: Record, time: int, context: _Context) -> _Made:
    values = record.values
    giver, taker = _word(values, "from_account"), _word(values, "to_account")
    coin, number = _word(values, "currency"), amount(values, "amount")
    key = (str(time), giver, taker, coin, format(number, "f"))
    if context.transfers[key] > 0:  # the other list has this transfer
        context.transfers[key] -= 1
        return
    inside = (giver in context.sub_accounts, taker in context.sub_accounts)
    if inside == (True, True):
        return  # a transfer between two other accounts
    if inside == (False, False):
        raise Unplaced("the list of sub-accounts does not say which of its two accounts this one is")
    text = f"from {giver} to {taker}"
    yield from _signed(record, time, Kind.TRANSFER, number if inside[0] else _minus(number), coin, text)


def _borrow(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    coin, symbol = _word(values, "currency"), _or_blank(values, "symbol")
    yield from _signed(record, time, Kind.LOAN, amount(values, "borrow_amount"), coin, symbol)


def _repay(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    coin, symbol = _word(values, "currency"), _or_blank(values, "symbol")
    principal = _minus(amount(values, "repaid_principal"))
    yield from _signed(record, time, Kind.REPAYMENT, principal, coin, symbol)
    interest = _minus(amount(values, "repaid_interest"))
    yield from _signed(record, time, Kind.FEE, interest, coin, f"{symbol} interest of a loan".strip())


def _savings(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    if _word(values, "type").lower() == "interest":
        yield from _signed(record, time, Kind.INTEREST, amount(values, "amount"), _word(values, "coin_name"), "savings")


def _rebate(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    coin = _word(values, "currency")
    yield from _signed(record, time, Kind.REBATE, amount(values, "rebate_amount"), coin, "broker")


def _debt_interest(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    coin = _word(values, "coin_code")
    yield from _signed(record, time, Kind.FEE, _minus(amount(values, "interest")), coin, "interest of cross collateral")


def _auto_repayment(record: Record, time: int, _: _Context) -> _Made:
    values = record.values
    given, used = _word(values, "to_coin_code"), _word(values, "from_coin_code")
    text = f"automatic, of {format(amount(values, 'to_amount'), 'f')} {given}"
    yield from _signed(record, time, Kind.REPAYMENT, _minus(amount(values, "from_amount")), used, text)
    fee = amount(values, "liquidation_fee") if values.get("liquidation_fee") not in (None, "") else Decimal(0)
    yield from _signed(record, time, Kind.FEE, _minus(fee), used, "fee of an automatic repayment")


MAKERS: Final[Mapping[str, Callable[[Record, int, _Context], _Made]]] = {
    "spot.trading.trades": _spot_fill,
    "spot.account.deposit_withdraw_history": _deposit_or_withdrawal,
    "spot.sub_account.transfers": _sub_transfer,
    "spot.sub_account.transfer_history": _sub_transfer,
    "spot.margin.borrow_records": _borrow,
    "spot.margin.repay_records": _repay,
    "spot.earn.flexible_records": _savings,
    "spot.earn.fixed_records": _savings,
    "spot.broker.rebates": _rebate,
    "futures.account.transaction_history": _ledger,
    "futures.trading.trades": _futures_fill,
    "futures.account.auto_repayments": _auto_repayment,
    "futures.account.cross_collateral_interest": _debt_interest,
    "futures.sub_account.transfers": _sub_transfer,
    "futures.sub_account.transfer_history": _sub_transfer,
}
"""The kinds of records that are movements. All others (orders, transfers between wallets, rebates that are sums of
others' trades) are in the plain exports only."""

_TWICE: Final = {
    "spot.sub_account.transfer_history": "spot.sub_account.transfers",
    "futures.sub_account.transfer_history": "futures.sub_account.transfers",
}
"""Lists that may contain the same transfers as another list."""


class Movements:
    """The movements of an account; iterating reads the archive.

    Args:
        reader: the reader of the archive.
        sub_accounts: the names of the account's sub-accounts.
        settled_in: the settlement coin by contract.
    """

    def __init__(
        self, reader: Reader, *, sub_accounts: Iterable[str] = (), settled_in: Mapping[str, str] | None = None
    ) -> None:
        self._reader = reader
        self._sub_accounts = frozenset(sub_accounts)
        self._settled_in = dict(settled_in or {})
        self._left_out: Counter[tuple[str, str]] = Counter()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Return the records that could not be placed, once the iteration has ended."""
        return tuple(LeftOut(kind, reason, count) for (kind, reason), count in sorted(self._left_out.items()))

    def __iter__(self) -> Iterator[Movement]:
        """All of them, oldest first."""
        self._left_out.clear()
        kinds = [kind for kind in self._reader.kinds() if kind in MAKERS]
        ledgers = set[str]()
        if "futures.account.transaction_history" in kinds:
            for record in self._reader.records("futures.account.transaction_history"):
                ledgers.add(_account(record))
        streams = [self._of(kind, frozenset(ledgers), kinds) for kind in kinds]
        yield from heapq.merge(*streams, key=lambda movement: movement.time)

    def _of(self, kind: str, ledgers: frozenset[str], kinds: list[str]) -> Iterator[Movement]:
        transfers = Counter[tuple[str, ...]]()
        other = _TWICE.get(kind)
        if other in kinds:
            transfers.update(self._transfers(str(other)))
        context = _Context(self._sub_accounts, ledgers, self._settled_in, transfers)
        make = MAKERS[kind]
        for record in self._reader.records(kind):
            if record.time is None or not 0 < record.time < _LAST:
                self._left_out[kind, "no time"] += 1
                continue
            try:
                yield from list(make(record, record.time, context))
            except Unplaced as why:
                self._left_out[kind, str(why)] += 1

    def _transfers(self, kind: str) -> Iterator[tuple[str, ...]]:
        for record in self._reader.records(kind):
            values = record.values
            try:
                names = (_word(values, "from_account"), _word(values, "to_account"), _word(values, "currency"))
                key = (str(record.time), *names, format(amount(values, "amount"), "f"))
            except Unplaced:
                continue
            yield key
