"""What is archived: the account's present as snapshots, and its past as walks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias, TypeVar, cast

import attrs
import trio

from ... import endpoints
from ..._core.endpoint import Endpoint
from ..._core.reply import Reply
from ...models._fields import Millis
from ...models.system import SystemTime
from .. import futures, spot
from .._futures_table import WALKS as FUTURES_WALKS
from .._spot_table import OPEN
from .._spot_table import WALKS as SPOT_WALKS
from .._values import Plain
from .._walk import Cursor, Source, Walk, Walker
from ._store import Reader

P = TypeVar("P")

Made: TypeAlias = Walker[object]


@attrs.frozen
class Reach:
    """What every walk is made with: whose past, and how much of it."""

    spot: Source
    futures: Source
    since: int
    until: int


class At:
    """A market at a moment that has been asked for once: what each walk would ask again."""

    def __init__(self, source: Source, now: int) -> None:
        self._source = source
        self._now = Millis(now)

    @property
    def system(self) -> At:
        """The clock."""
        return self

    async def time(self) -> SystemTime:
        """The moment."""
        await trio.lowlevel.checkpoint()
        return SystemTime(self._now)

    async def call(self, endpoint: Endpoint[P], /, **arguments: object) -> Reply[P]:
        """As of the market."""
        return await self._source.call(endpoint, **arguments)


Make: TypeAlias = "Callable[[Reach, Cursor | None], Made]"
"""Makes one walker, from its beginning or from a cursor."""


@attrs.frozen
class Snapshot:
    """One look at the account's present."""

    name: str
    """The endpoint, and what tells it from other looks at the same."""
    endpoint: str
    arguments: Mapping[str, Plain] = attrs.field(factory=dict[str, Plain])
    paged: bool = False


def find_endpoint(name: str) -> Endpoint[object]:
    """The row of an endpoint by its name, such as ``spot.market.ticker``."""
    market, chapter, method = name.split(".")
    return cast("Endpoint[object]", getattr(getattr(getattr(endpoints, market), chapter), method))


def find_walk(name: str) -> Walk[object, object]:
    """The row of a history by its endpoint's name."""
    rows = (*SPOT_WALKS, *FUTURES_WALKS, *OPEN)
    return next(row for row in rows if row.name == name)


def title(endpoint: str, arguments: Mapping[str, Plain]) -> str:
    """The name of a walk or snapshot: the endpoint and its arguments."""
    return " ".join((endpoint, *(f"{name}={value}" for name, value in sorted(arguments.items()))))


_PLAIN_LOOKS: Final = (
    "spot.account.info",
    "spot.account.balances",
    "spot.account.spot_balances",
    "spot.account.basic_fee_rate",
    "spot.account.withdraw_addresses",
    "spot.margin.accounts",
    "spot.earn.holdings",
    "futures.account.assets",
    "futures.position.positions_v2",
    "futures.position.mode",
    "futures.trading.plan_orders",
    "spot.sub_account.accounts",
)
"""Calls without arguments that tell what the account has now."""


def present() -> Iterator[Snapshot]:
    """The looks at the account's present that need no discovery."""
    for name in _PLAIN_LOOKS:
        yield Snapshot(name, name)
    yield Snapshot("futures.trading.open_orders", "futures.trading.open_orders", {"limit": 100})
    for name in ("spot.earn.flexible_holdings", "spot.earn.fixed_holdings"):
        yield Snapshot(name, name, paged=True)


def present_of_sub_account(name: str) -> Iterator[Snapshot]:
    """What a main account sees of a sub-account's present."""
    for endpoint in ("spot.sub_account.balances", "futures.sub_account.balances"):
        arguments = {"sub_account": name}
        yield Snapshot(title(endpoint, arguments), endpoint, arguments)


def _made(make: Callable[[Reach, Cursor | None], object]) -> Make:
    # A walker of some records is one of objects to whoever only reads it.
    return cast("Make", make)


def past() -> Iterator[Make]:
    """The histories that need no discovery."""
    yield _made(lambda to, at: spot.spot_orders(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.spot_fills(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.spot_algo_orders(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.open_spot_orders(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.open_algo_orders(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.deposits(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.withdrawals(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.spot_transfer_history(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.spot_sub_transfers(to.spot, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.broker_rebates(to.spot, since=to.since, until=to.until, cursor=at))
    for kind in ("subscribe", "redeem", "interest"):
        yield from _savings(kind)
    for account in ("futures", "copy_trading"):
        yield from _of_futures_account(account)
    yield _made(lambda to, at: futures.futures_transfers(to.futures, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: futures.auto_repayments(to.futures, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: futures.cross_collateral_interest(to.futures, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: futures.futures_transfer_history(to.futures, since=to.since, until=to.until, cursor=at))
    for currency in ("USDT", "BTC", "ETH"):
        yield _affiliate(currency)


def _savings(kind: str) -> Iterator[Make]:
    yield _made(lambda to, at: spot.flexible_savings(to.spot, kind, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.fixed_savings(to.spot, kind, since=to.since, until=to.until, cursor=at))


def _of_futures_account(account: str) -> Iterator[Make]:
    yield _made(
        lambda to, at: futures.futures_fills(to.futures, account=account, since=to.since, until=to.until, cursor=at)
    )
    yield _made(
        lambda to, at: futures.futures_transactions(
            to.futures, account=account, since=to.since, until=to.until, cursor=at
        )
    )


def _affiliate(currency: str) -> Make:
    return _made(
        lambda to, at: futures.affiliate_rebates(to.futures, currency, since=to.since, until=to.until, cursor=at)
    )


def past_of_contract(symbol: str) -> Iterator[Make]:
    """The histories of one contract."""
    for account in ("futures", "copy_trading"):
        yield _orders_of(symbol, account)


def _orders_of(symbol: str, account: str) -> Make:
    return _made(
        lambda to, at: futures.futures_orders(
            to.futures, symbol, account=account, since=to.since, until=to.until, cursor=at
        )
    )


def past_of_margin_pair(symbol: str) -> Iterator[Make]:
    """The histories of one pair's isolated margin."""
    yield _made(lambda to, at: spot.margin_borrows(to.spot, symbol, since=to.since, until=to.until, cursor=at))
    yield _made(lambda to, at: spot.margin_repays(to.spot, symbol, since=to.since, until=to.until, cursor=at))


def past_of_sub_account(name: str) -> Iterator[Make]:
    """What a main account sees of a sub-account's past."""
    yield _made(
        lambda to, at: futures.futures_sub_transfers(to.futures, name, since=to.since, until=to.until, cursor=at)
    )


# ---- what the account itself has left traces of ---------------------------------------------------------------------


def contracts(reader: Reader) -> set[str]:
    """Every contract in the fills, the ledger, the open orders and the positions, delisted ones included."""
    found = set[str]()
    for table in ("futures_trading_trades", "futures_account_transaction_history"):
        found |= reader.distinct(table, "symbol")
    for name in ("futures.trading.open_orders", "futures.trading.plan_orders", "futures.position.positions_v2"):
        found |= {str(row["symbol"]) for row in _entries(reader, name) if row.get("symbol")}
    return found


def margin_pairs(reader: Reader) -> set[str]:
    """Every pair with a margin account now, or with margin orders or fills in the past."""
    found = {str(row["symbol"]) for row in _entries(reader, "spot.margin.accounts") if row.get("symbol")}
    for table in ("spot_trading_order_history", "spot_trading_trades"):
        found |= reader.distinct(table, "symbol", order_mode="iso_margin")
    return found


def sub_accounts(reader: Reader) -> list[str]:
    """The names of the sub-accounts."""
    return [str(row["account_name"]) for row in _entries(reader, "spot.sub_account.accounts")]


def _entries(reader: Reader, name: str) -> Iterable[Mapping[str, object]]:
    for row in reader.snapshots():
        if row.name == name and isinstance(row.value, list):
            for each in cast("list[object]", row.value):
                if isinstance(each, dict):
                    yield cast("dict[str, object]", each)
