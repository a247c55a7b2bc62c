"""Adapt the spot account to a view: bring its lists and pushes into one shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Final, TypeAlias

import attrs
import trio

from .._bitmart.account import AccountLedger, Change, Kind
from .._io.connections import Connections
from .._scopes import opener
from ..errors import NotFound
from ..models._fields import Millis
from ..models.account_views import AccountPosition, Balance, SpotAccountChange, SpotAccountOrder
from ..models.spot_account import SpotBalance
from ..models.spot_streams import SpotBalanceUpdate, SpotEntrustType, SpotOrderUpdate
from ..models.spot_trading import SpotOrder, SpotOrderType
from ..rest.spot import Spot
from ._account import AccountView, OrderList, as_far_as_listed, follow_account

_PAGE: Final = 200
_BEGINNING: Final = 1_483_228_800_000
"""2017-01-01, before the exchange opened. Without a start the list holds the orders of one week only."""

_TYPES: Final = {SpotEntrustType.LIMIT_MAKER: SpotOrderType.LIMIT_MAKER, SpotEntrustType.IOC: SpotOrderType.IOC}
"""Pushes call both a limit order; another member says how it was placed."""


class SpotAccountView(AccountView[SpotAccountOrder, SpotAccountChange]):
    """A live view of the spot account: ``async with client.streams.spot.account() as account: ...``.

    Its orders are those of the spot pairs, including isolated margin, but not algo orders that wait for their trigger.
    Its balances are the spot wallet's. Begin with `wait_live`.
    """

    __slots__ = ()


OpeningSpotAccount: TypeAlias = AbstractAsyncContextManager[SpotAccountView]
"""The context manager that an opener returns."""


class SpotAccountAdapter:
    """See `AccountAdapter`.

    Args:
        reads: the REST API.
        connections: knows the exchange's time.
        topics: the topics of orders and balances.
    """

    kinds: Sequence[Kind] = ("orders", "balances")

    def __init__(self, reads: Spot, connections: Connections, topics: Sequence[str]) -> None:
        self.topics = topics
        self._reads = reads
        self._connections = connections

    def push(
        self, ledger: AccountLedger[SpotAccountOrder], item: object, now: float
    ) -> Iterable[Change[SpotAccountOrder]]:
        """Apply an item of one of the topics."""
        match item:
            case SpotOrderUpdate():
                return ledger.push_order(_pushed(item), now)
            case SpotBalanceUpdate():
                changes: list[Change[SpotAccountOrder]] = []
                for row in item.balances:
                    changes += ledger.push_balance(row.currency, Balance(row.available, row.frozen), item.time)
                return changes
            case _:
                return ()

    def time(self) -> int | None:
        """A function that returns the exchange's time in milliseconds."""
        return self._connections.time("spot")

    async def orders(self, known: Collection[SpotAccountOrder]) -> OrderList[SpotAccountOrder]:
        """Read the open orders.

        The list is cut off at 200, newest first, so a full one is continued from its oldest entry.
        """
        pages: list[list[SpotAccountOrder]] = []
        until: Millis | None = None
        while True:
            rows = await self._reads.trading.open_orders(start_time=_BEGINNING, end_time=until, limit=_PAGE)
            pages.append([*map(_listed, rows)])
            if len(rows) < _PAGE:
                return OrderList(pages, truncated=False)
            oldest = min((row.create_time for row in rows if hasattr(row, "create_time")), default=until)
            if oldest == until:  # more than a page of orders has the same time, or none
                return OrderList(pages, truncated=True)
            until = oldest

    async def order(self, known: SpotAccountOrder) -> SpotAccountOrder | None:
        """Look up one order."""
        await trio.lowlevel.checkpoint()
        try:
            row = await self._reads.trading.order(known.order_id)
        except NotFound:
            return None
        return _looked_up(row)

    async def balances(self) -> list[tuple[str, Balance]]:
        """Read the spot wallet."""
        rows = await self._reads.account.spot_balances()
        return [(row.currency, as_far_as_listed(Balance, row, _BALANCE)) for row in rows]

    async def positions(self) -> list[AccountPosition]:
        """Raise: a spot account has no positions."""
        raise TypeError("a spot account has no positions")


@opener
async def open_spot_account(
    connections: Connections,
    reads: Spot,
    topics: Sequence[str],
    *,
    verify_after: float,
    reconcile: float | None,
    buffer: int | None,
    max_age: float | None = None,
) -> AsyncGenerator[SpotAccountView]:
    """Keep a view of the spot account while inside."""
    adapter = SpotAccountAdapter(reads, connections, topics)
    async with follow_account(
        connections, adapter, verify_after=verify_after, reconcile=reconcile, buffer=buffer, max_age=max_age
    ) as sink:
        yield SpotAccountView(sink)


def _own_id(client_order_id: str | None, order_id: str) -> str | None:
    """Return the caller's id; without one some replies repeat the order id."""
    return None if client_order_id in (None, "", order_id) else client_order_id


def _pushed(item: SpotOrderUpdate) -> SpotAccountOrder:
    entrust = item.entrust_type
    buys_for = item.notional if item.type == SpotOrderType.MARKET else None
    return SpotAccountOrder(
        order_id=item.order_id,
        client_order_id=_own_id(item.client_order_id, item.order_id),
        symbol=item.symbol,
        side=item.side,
        type=item.type if entrust is None else _TYPES.get(entrust, item.type),
        mode=item.order_mode,
        price=item.price or None,
        size=item.size or None,
        notional=buys_for or None,
        filled_size=item.filled_size,
        filled_notional=item.filled_notional,
        state=item.current_state,
        create_time=item.create_time if item.create_time is not None else item.order_time,
        update_time=item.update_time,
    )


_LISTED: Final[Mapping[str, Callable[[SpotOrder], object]]] = {
    # Without an id, the other members identify it.
    "order_id": lambda row: getattr(row, "order_id", ""),
    "client_order_id": lambda row: _own_id(row.client_order_id, getattr(row, "order_id", "")),
    "symbol": lambda row: row.symbol,
    "side": lambda row: row.side,
    "type": lambda row: row.type,
    "mode": lambda row: row.order_mode,
    "price": lambda row: row.price or None,
    "size": lambda row: row.size or None,
    # For a limit order the reply has its value here, the push has nothing.
    "notional": lambda row: (row.notional or None) if row.type == SpotOrderType.MARKET and not row.size else None,
    "filled_size": lambda row: row.filled_size,
    "filled_notional": lambda row: row.filled_notional,
    "state": lambda row: row.state,
    "create_time": lambda row: row.create_time,
    "update_time": lambda row: row.update_time,
}
_BALANCE: Final[Mapping[str, Callable[[SpotBalance], object]]] = {
    "available": lambda row: row.available,
    "frozen": lambda row: row.frozen,
    "position_margin": lambda row: Decimal(0),
}


def _listed(row: SpotOrder) -> SpotAccountOrder:
    return as_far_as_listed(SpotAccountOrder, row, _LISTED)


def _looked_up(row: SpotOrder) -> SpotAccountOrder:
    """Return the order of a look-up, with its state; an order of a list is open."""
    return attrs.evolve(_listed(row), state=row.state)
