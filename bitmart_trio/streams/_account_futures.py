"""Adapt the futures account to a view: bring its lists and pushes into one shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs

from .._bitmart.account import AccountLedger, Change, Kind
from .._io.connections import Connections
from .._scopes import opener
from ..errors import NotFound
from ..models._fields import Millis
from ..models._futures_enums import OpenType, PositionSide
from ..models.account_views import (
    AccountOrderKind,
    AccountPosition,
    Balance,
    FuturesAccountChange,
    FuturesAccountOrder,
)
from ..models.futures_account import FuturesAsset
from ..models.futures_position import FuturesPositionV2, PositionType
from ..models.futures_streams import (
    FuturesAssetUpdate,
    FuturesOrderUpdate,
    FuturesPositionUpdate,
    FuturesPushedOrder,
    FuturesPushedOrderType,
    MarginModeNumber,
)
from ..models.futures_trading import FuturesOrder, FuturesOrderType, PlanOrder
from ..rest.futures import Futures
from ._account import AccountView, OrderList, as_far_as_listed, follow_account

_PAGE: Final = 100
_DAY: Final = 86_400

_KINDS: Final[Mapping[str, AccountOrderKind]] = {
    FuturesPushedOrderType.PLAN_ORDER: AccountOrderKind.PLAN,
    FuturesOrderType.PLAN_ORDER: AccountOrderKind.PLAN,
    FuturesPushedOrderType.TRAILING_ORDER: AccountOrderKind.TRAILING,
}
"""The words in which pushes and lists differ."""

_MARGINS: Final = {MarginModeNumber.ISOLATED: OpenType.ISOLATED, MarginModeNumber.CROSS: OpenType.CROSS}


class FuturesAccountView(AccountView[FuturesAccountOrder, FuturesAccountChange]):
    """A live view of the futures account: ``async with client.streams.futures.account() as account: ...``.

    Its orders are all waiting ones: ordinary, plan, take-profit, stop-loss and trailing. Begin with `wait_live`.
    """

    __slots__ = ()

    @property
    def positions(self) -> Mapping[tuple[str, str], AccountPosition]:
        """Return the open positions by symbol and side (``"long"`` or ``"short"``), as a live, read-only mapping."""
        positions: Mapping[tuple[str, PositionSide], AccountPosition] = self._sink.right().positions
        # A PositionSide is a str that equals its word: both find the entry.
        return MappingProxyType(positions)  # type: ignore[arg-type]  # a mapping's key type is invariant


OpeningFuturesAccount: TypeAlias = AbstractAsyncContextManager[FuturesAccountView]
"""The context manager that an opener returns."""


class FuturesAccountAdapter:
    """See `AccountAdapter`.

    Args:
        reads: the REST API.
        topics: the topics of orders, positions and balances.
    """

    kinds: Sequence[Kind] = ("orders", "positions", "balances")

    def __init__(self, reads: Futures, topics: Sequence[str]) -> None:
        self.topics = topics
        self._reads = reads

    def push(
        self, ledger: AccountLedger[FuturesAccountOrder], item: object, now: float
    ) -> Iterable[Change[FuturesAccountOrder]]:
        """Apply an item of one of the topics."""
        match item:
            case FuturesOrderUpdate():
                return ledger.push_order(_pushed_order(item.order), now)
            case FuturesAssetUpdate():
                balance = Balance(item.available, item.frozen, item.position_margin)
                return ledger.push_balance(item.currency, balance, None)
            case FuturesPositionUpdate():
                return ledger.push_position(_pushed_position(item))
            case _:
                return ()

    def time(self) -> int | None:
        """Return None: pushed balances have no time here."""
        return None

    async def orders(self, known: Collection[FuturesAccountOrder]) -> OrderList[FuturesAccountOrder]:
        """Read the open orders of both kinds.

        A list is cut off at 100 and has no pages: a full one is read again, contract by contract, as far as contracts
        are known.
        """
        trading = self._reads.trading
        ordinary = [await trading.open_orders(limit=_PAGE)]
        plans = [await trading.plan_orders(limit=_PAGE)]
        more_ordinary, more_plans = len(ordinary[0]) >= _PAGE, len(plans[0]) >= _PAGE
        rows: list[FuturesOrder | PlanOrder | FuturesAccountOrder] = [*ordinary[0], *plans[0], *known]
        for symbol in dict.fromkeys(row.symbol for row in rows if hasattr(row, "symbol")):
            if more_ordinary:
                ordinary.append(await trading.open_orders(symbol, limit=_PAGE))
            if more_plans:
                plans.append(await trading.plan_orders(symbol, limit=_PAGE))
        pages = [[*map(_listed_order, page)] for page in ordinary] + [[*map(_listed_plan, page)] for page in plans]
        return OrderList(pages, truncated=more_ordinary or more_plans)

    async def order(self, known: FuturesAccountOrder) -> FuturesAccountOrder | None:
        """Look up one order: the detail has ordinary orders, the history also has conditional ones."""
        trading = self._reads.trading
        try:
            return _looked_up(await trading.order(known.symbol, known.order_id))
        except NotFound:
            pass
        for row in await trading.order_history(known.symbol, order_id=known.order_id):
            if getattr(row, "order_id", "") == known.order_id:
                return _looked_up(row)
        time: Millis | None = getattr(known, "create_time", None)
        if time is None:
            return None
        # The history covers a week unless times are given.
        for row in await trading.order_history(
            known.symbol, order_id=known.order_id, start_time=time // 1000 - _DAY, end_time=time // 1000 + _DAY
        ):
            if getattr(row, "order_id", "") == known.order_id:
                return _looked_up(row)
        return None

    async def balances(self) -> list[tuple[str, Balance]]:
        """Read the futures wallet."""
        rows = await self._reads.account.assets()
        return [(row.currency, as_far_as_listed(Balance, row, _BALANCE)) for row in rows]

    async def positions(self) -> list[AccountPosition]:
        """Read the open positions."""
        rows = await self._reads.position.positions_v2()
        return [_listed_position(row) for row in rows if row.current_amount]


@opener
async def open_futures_account(
    connections: Connections,
    reads: Futures,
    topics: Sequence[str],
    *,
    verify_after: float,
    reconcile: float | None,
    buffer: int | None,
    max_age: float | None = None,
) -> AsyncGenerator[FuturesAccountView]:
    """Keep a view of the futures account while inside."""
    adapter = FuturesAccountAdapter(reads, topics)
    async with follow_account(
        connections, adapter, verify_after=verify_after, reconcile=reconcile, buffer=buffer, max_age=max_age
    ) as sink:
        yield FuturesAccountView(sink)


def _kind(word: str) -> AccountOrderKind:
    return _KINDS.get(word) or AccountOrderKind(word)


def _pushed_order(order: FuturesPushedOrder) -> FuturesAccountOrder:
    return FuturesAccountOrder(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        kind=_kind(order.type),
        price=order.price or None,
        size=order.size,
        filled_size=order.filled_size,
        average_price=order.average_price or None,
        state=order.state,
        leverage=order.leverage,
        margin_mode=order.margin_mode,
        trigger_price=order.trigger_price or order.activation_price or None,
        create_time=order.create_time,
        update_time=order.update_time,
    )


_LISTED: Final[Mapping[str, Callable[[FuturesOrder], object]]] = {
    # Without an id, the other members identify it.
    "order_id": lambda row: getattr(row, "order_id", ""),
    "client_order_id": lambda row: row.client_order_id,
    "symbol": lambda row: row.symbol,
    "side": lambda row: row.side,
    "kind": lambda row: _kind(row.type),
    "price": lambda row: row.price or None,
    "size": lambda row: row.size,
    "filled_size": lambda row: row.deal_size,
    "average_price": lambda row: row.deal_avg_price or None,
    "state": lambda row: row.state,
    "leverage": lambda row: row.leverage,
    "margin_mode": lambda row: row.open_type,
    "trigger_price": lambda row: row.activation_price or row.trigger_price or None,
    "create_time": lambda row: row.create_time,
    "update_time": lambda row: row.update_time,
}
_LISTED_PLAN: Final[Mapping[str, Callable[[PlanOrder], object]]] = {
    "order_id": lambda row: getattr(row, "order_id", ""),
    "client_order_id": lambda row: row.client_order_id,
    "symbol": lambda row: row.symbol,
    "side": lambda row: row.side,
    "kind": lambda row: _kind(row.type),
    "price": lambda row: row.executive_price or None,
    "size": lambda row: row.size,
    "filled_size": lambda row: Decimal(0),
    "average_price": lambda row: None,
    "state": lambda row: row.state,
    "leverage": lambda row: row.leverage,
    "margin_mode": lambda row: row.open_type,
    "trigger_price": lambda row: row.trigger_price,
    "create_time": lambda row: row.create_time,
    "update_time": lambda row: row.update_time,
}
_BALANCE: Final[Mapping[str, Callable[[FuturesAsset], object]]] = {
    "available": lambda row: row.available_balance,
    "frozen": lambda row: row.frozen_balance,
    "position_margin": lambda row: row.position_deposit,
}
_POSITION: Final[Mapping[str, Callable[[FuturesPositionV2], object]]] = {
    "entry_price": lambda row: row.entry_price,
    "margin_mode": lambda row: row.open_type,
    "liquidation_price": lambda row: row.liquidation_price or None,
    "create_time": lambda row: row.open_timestamp,
    "update_time": lambda row: None,
}
"""The members beside those that identify a position and its existence."""


def _listed_order(row: FuturesOrder) -> FuturesAccountOrder:
    return as_far_as_listed(FuturesAccountOrder, row, _LISTED)


def _listed_plan(row: PlanOrder) -> FuturesAccountOrder:
    return as_far_as_listed(FuturesAccountOrder, row, _LISTED_PLAN)


def _looked_up(row: FuturesOrder) -> FuturesAccountOrder:
    """Return the order of a look-up, with its state; an order of a list is open."""
    return attrs.evolve(_listed_order(row), state=row.state)


def _pushed_position(item: FuturesPositionUpdate) -> AccountPosition:
    return AccountPosition(
        symbol=item.symbol,
        side=PositionSide.SHORT if item.side == PositionType.SHORT else PositionSide.LONG,
        size=item.size,
        entry_price=item.hold_avg_price,
        margin_mode=_MARGINS.get(item.margin_mode) or OpenType(str(item.margin_mode)),
        liquidation_price=item.liquidation_price or None,
        create_time=item.create_time,
        update_time=item.update_time,
    )


def _listed_position(row: FuturesPositionV2) -> AccountPosition:
    # In one-way mode the sign is the side.
    short = row.position_side == PositionSide.SHORT or (row.position_amount is not None and row.position_amount < 0)
    symbol, side, size = row.symbol, PositionSide.SHORT if short else PositionSide.LONG, abs(row.current_amount)
    identity: dict[str, Callable[[FuturesPositionV2], object]] = {
        "symbol": lambda row: symbol, "side": lambda row: side, "size": lambda row: size,
    }  # fmt: skip
    return as_far_as_listed(AccountPosition, row, {**identity, **_POSITION})
