"""Define what is archived: the account's past as histories, its present as looks, and data for reading both later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal, TypeAlias, cast

import attrs

from .._plan import Rules
from .._units import DAY, MINUTE, last_finished
from .._values import Plain
from .._walk import Walk
from ._judge import find_walk
from ._reader import Reader

Group: TypeAlias = Literal["account", "sub_accounts", "broker", "affiliate", "market"]
"""The accounts that have such records: any, one with sub-accounts, a broker's, an affiliate's; ``market``: candles."""

_DAILY: Final = 1440


@attrs.frozen
class History:
    """A history that is asked.

    Args:
        endpoint: the endpoint's name, such as ``spot.trading.trades``.
        arguments: the arguments of every request.
        group: the accounts that have such records.
        candles: the minutes of the finished candles that are its records; 0 if they are not candles.
    """

    endpoint: str
    arguments: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    group: Group = "account"
    candles: int = 0

    @property
    def name(self) -> str:
        """The endpoint and its arguments."""
        return title(self.endpoint, self.arguments)

    @property
    def walk(self) -> Walk[object, object]:
        """Return the row of its walk."""
        return find_walk(self.endpoint)

    @property
    def rules(self) -> Rules:
        """Return the rules of its listing."""
        rules = self.walk.rules
        if not self.candles:
            return rules
        # As many whole candles as fit the documented minutes.
        return attrs.evolve(rules, span=(rules.span // MINUTE - 1) * self.candles * MINUTE)

    def last(self, until: int, now: int) -> int:
        """Where it ends: what is not over yet would be given with other figures later."""
        if self.candles:
            return min(until, last_finished(self.candles, now))
        if self.endpoint == "spot.broker.rebates":
            return min(until, now - now % DAY)
        return until


@attrs.frozen
class Look:
    """One look at the account's present, or at what is needed to read its past."""

    endpoint: str
    arguments: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    paged: bool = False
    full: int = 0
    """The number of entries from which the list may be incomplete; 0 if the list has no limit."""
    group: Group = "account"
    moment: str = ""
    """``before`` or ``after`` the histories, for a look that is taken twice."""

    @property
    def name(self) -> str:
        """The endpoint, its arguments, and when it is taken."""
        name = title(self.endpoint, self.arguments)
        return f"{name} ({self.moment})" if self.moment else name


def title(endpoint: str, arguments: Mapping[str, Plain]) -> str:
    """The name of a history or look: the endpoint and its arguments."""
    return " ".join((endpoint, *(f"{name}={value}" for name, value in sorted(arguments.items()))))


# ---- the present ----------------------------------------------------------------------------------------------------

_PLAIN_LOOKS: Final = (
    "spot.account.info",
    "spot.account.balances",
    "spot.account.spot_balances",
    "spot.account.basic_fee_rate",
    "spot.account.withdraw_addresses",
    "spot.account.currencies",
    "spot.market.currencies",
    "spot.market.symbol_details",
    "spot.margin.accounts",
    "spot.earn.holdings",
    "futures.market.contracts",
    "futures.account.assets",
    "futures.position.positions_v2",
    "futures.position.mode",
)
"""Calls without arguments: the account's present state, and the exchange's data about its markets and coins."""

_OPEN: Final = 100
"""The most open orders of contracts in one reply."""


def present() -> Iterator[Look]:
    """The looks that need no discovery."""
    for name in _PLAIN_LOOKS:
        yield Look(name)
    yield Look("spot.sub_account.accounts", group="sub_accounts")
    for name in ("spot.earn.flexible_holdings", "spot.earn.fixed_holdings"):
        yield Look(name, paged=True)


def open_orders(moment: str) -> Iterator[Look]:
    """The open orders of contracts."""
    for name in ("futures.trading.open_orders", "futures.trading.plan_orders"):
        yield Look(name, {"limit": _OPEN}, full=_OPEN, moment=moment)


def present_of_sub_account(name: str) -> Iterator[Look]:
    """Return the looks at a sub-account's present state by its main account."""
    for endpoint in ("spot.sub_account.balances", "futures.sub_account.balances"):
        yield Look(endpoint, {"sub_account": name}, group="sub_accounts")


def fees_of_pair(symbol: str) -> Look:
    """Return the look at the account's fees for a pair."""
    return Look("spot.account.trade_fee_rate", {"symbol": symbol})


def fees_of_contract(symbol: str) -> Look:
    """Return the look at the account's fees for a contract."""
    return Look("futures.account.trade_fee_rate", {"symbol": symbol})


# ---- the past -------------------------------------------------------------------------------------------------------

SPOT_OPEN: Final = ("spot.trading.open_orders", "spot.algo.open_orders")
"""Lists of open orders that are read window by window, before and after the histories."""


def past() -> Iterator[History]:
    """The histories that need no discovery."""
    for name in ("spot.trading.order_history", "spot.trading.trades", "spot.algo.order_history"):
        yield History(name)
    for operation in ("deposit", "withdraw"):
        yield History("spot.account.deposit_withdraw_history", {"operation_type": operation})
    for kind in ("subscribe", "redeem", "interest"):
        yield History("spot.earn.flexible_records", {"type": kind})
        yield History("spot.earn.fixed_records", {"type": kind})
    for account in ("futures", "copy_trading"):
        yield History("futures.trading.trades", {"account": account})
        yield History("futures.account.transaction_history", {"account": account})
    yield History("futures.account.transfers")
    yield History("futures.account.auto_repayments")
    yield History("futures.account.cross_collateral_interest")
    for name in (
        "spot.sub_account.transfers",
        "spot.sub_account.transfer_history",
        "futures.sub_account.transfer_history",
    ):
        yield History(name, group="sub_accounts")
    yield History("spot.broker.rebates", group="broker")
    for currency in ("USDT", "BTC", "ETH"):
        yield History("futures.affiliate.rebates", {"currency": currency}, group="affiliate")


def past_of_contract(symbol: str) -> Iterator[History]:
    """The histories of one contract, and its daily candles."""
    for account in ("futures", "copy_trading"):
        yield History("futures.trading.order_history", {"symbol": symbol, "account": account})
    yield History("futures.market.klines", {"symbol": symbol, "step": _DAILY}, group="market", candles=_DAILY)


def past_of_pair(symbol: str) -> Iterator[History]:
    """The daily candles of a pair."""
    yield History("spot.market.klines", {"symbol": symbol, "step": _DAILY}, group="market", candles=_DAILY)


def past_of_margin_pair(symbol: str) -> Iterator[History]:
    """The histories of one pair's isolated margin."""
    yield History("spot.margin.borrow_records", {"symbol": symbol})
    yield History("spot.margin.repay_records", {"symbol": symbol})


def past_of_sub_account(name: str) -> Iterator[History]:
    """Return the histories of a sub-account that its main account can read."""
    yield History("futures.sub_account.transfers", {"sub_account": name}, group="sub_accounts")


def has_records(reader: Reader, history: History) -> bool:
    """Return True if an archive has records of a history's product, and so the account exists."""
    product = _product(history.endpoint, history.arguments)
    return any(
        _product(row.endpoint, row.arguments) == product
        and reader.count(row.endpoint, history=row.name, superseded=True) > 0
        for row in reader.histories()
    )


def _product(endpoint: str, arguments: Mapping[str, object]) -> str:
    """What is offered as a whole or not at all: a chapter; contracts, and those of copy trading, are one each."""
    chapter = endpoint.rpartition(".")[0]
    if chapter in ("futures.trading", "futures.account"):
        return f"contracts {arguments.get('account', 'futures')}"
    return chapter


# ---- what the account itself has left traces of ---------------------------------------------------------------------


def contracts(reader: Reader) -> set[str]:
    """Every contract in the fills, the ledger, the open orders and the positions, delisted ones included."""
    found = set[str]()
    for kind in ("futures.trading.trades", "futures.account.transaction_history"):
        found |= reader.distinct(kind, "symbol")
    for endpoint in ("futures.trading.open_orders", "futures.trading.plan_orders"):
        found |= {str(row["symbol"]) for row in entries(reader, endpoint) if row.get("symbol")}
    # The list of positions has an entry for every contract; only entries that are not zero are the account's.
    for row in entries(reader, "futures.position.positions_v2"):
        amount = str(row.get("current_amount", row.get("position_amount", "1"))).strip()
        if row.get("symbol") and amount.strip("-0."):
            found.add(str(row["symbol"]))
    return found


def traced(reader: Reader, symbols: Collection[str] = ()) -> tuple[list[History], list[Look]]:
    """Return the histories that the account's own records lead to, and those of contracts that its owner names."""
    histories, looks = list[History](), list[Look]()
    for symbol in sorted(contracts(reader) | set(symbols)):
        histories += past_of_contract(symbol)
        looks.append(fees_of_contract(symbol))
    for symbol in sorted(pairs(reader)):
        histories += past_of_pair(symbol)
        looks.append(fees_of_pair(symbol))
    for symbol in sorted(margin_pairs(reader)):
        histories += past_of_margin_pair(symbol)
    for name in sub_accounts(reader):
        histories += past_of_sub_account(name)
        looks += present_of_sub_account(name)
    return histories, looks


def all_contracts(reader: Reader) -> list[str]:
    """Every contract that the exchange lists."""
    return sorted({str(row["symbol"]) for row in entries(reader, "futures.market.contracts") if row.get("symbol")})


def pairs(reader: Reader) -> set[str]:
    """Every pair of the spot market in the orders, the fills and the open orders."""
    found = set[str]()
    for kind in ("spot.trading.order_history", "spot.trading.trades", "spot.algo.order_history", *SPOT_OPEN):
        found |= reader.distinct(kind, "symbol")
    return found


def margin_pairs(reader: Reader) -> set[str]:
    """Every pair with a margin account now, or with margin orders or fills in the past."""
    found = {str(row["symbol"]) for row in entries(reader, "spot.margin.accounts") if row.get("symbol")}
    for kind in ("spot.trading.order_history", "spot.trading.trades"):
        found |= reader.distinct(kind, "symbol", order_mode="iso_margin")
    return found


def sub_accounts(reader: Reader) -> list[str]:
    """The names of the sub-accounts."""
    found = {str(row["accountName"]) for row in entries(reader, "spot.sub_account.accounts") if row.get("accountName")}
    return sorted(found)


def entries(reader: Reader, endpoint: str, moment: str = "") -> Iterator[Mapping[str, object]]:
    """The entries of the looks at an endpoint, as they came."""
    for look in reader.looks():
        if look.endpoint != endpoint or (moment and not look.name.endswith(f"({moment})")):
            continue
        for page in reader.look(look.name):
            yield from _objects(page)


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    """The objects of the list in a payload, wherever it is."""
    if isinstance(value, list):
        for each in cast("list[object]", value):
            if isinstance(each, Mapping):
                yield cast("Mapping[str, object]", each)
    elif isinstance(value, Mapping):
        for each in cast("Mapping[str, object]", value).values():
            if isinstance(each, list):
                yield from _objects(cast("list[object]", each))
