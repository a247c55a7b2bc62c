"""The futures account as a view: its lists, its pushes, and both brought to one shape."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Final, TypeAlias

from .._core.account import AccountLedger, Change, Kind
from .._io.switchboard import Switchboard
from ..errors import NotFound
from ..models._futures_enums import OpenType, PositionSide
from ..models.account_views import (
    AccountOrderKind,
    AccountPosition,
    Balance,
    FuturesAccountChange,
    FuturesAccountOrder,
)
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
from ._account import AccountView, OrderList, follow_account
from ._reads import FuturesReads

_PAGE: Final = 100
_DAY: Final = 86_400

_KINDS: Final[Mapping[str, AccountOrderKind]] = {
    FuturesPushedOrderType.PLAN_ORDER: AccountOrderKind.PLAN,
    FuturesOrderType.PLAN_ORDER: AccountOrderKind.PLAN,
    FuturesPushedOrderType.TRAILING_ORDER: AccountOrderKind.TRAILING,
}
"""Where pushes and lists have words of their own."""

_MARGINS: Final = {MarginModeNumber.ISOLATED: OpenType.ISOLATED, MarginModeNumber.CROSS: OpenType.CROSS}


class FuturesAccountView(AccountView[FuturesAccountOrder, FuturesAccountChange]):
    """A live view of the futures account: ``async with client.streams.futures.account() as account: ...``.

    Orders are all that wait: ordinary, plan, take-profit, stop-loss and trailing ones. Begin with `wait_live`.
    """

    __slots__ = ()

    @property
    def positions(self) -> Mapping[tuple[str, str], AccountPosition]:
        """The open positions by symbol and side (``"long"`` or ``"short"``); live and read-only."""
        positions: Mapping[tuple[str, PositionSide], AccountPosition] = self._sink.ledger.positions
        # A PositionSide is a str that equals its word: either finds the entry.
        return MappingProxyType(positions)  # type: ignore[arg-type]  # a mapping's key type is invariant


OpeningFuturesAccount: TypeAlias = AbstractAsyncContextManager[FuturesAccountView]
"""``async with`` it."""


class FuturesVenue:
    """See `Venue`.

    Args:
        reads: the REST API.
        topics: those of orders, positions and balances.
    """

    kinds: Sequence[Kind] = ("orders", "positions", "balances")

    def __init__(self, reads: FuturesReads, topics: Sequence[str]) -> None:
        self.topics = topics
        self._reads = reads

    def push(self, ledger: AccountLedger[FuturesAccountOrder], item: object) -> Iterable[Change[FuturesAccountOrder]]:
        """Take an item of one of the topics."""
        match item:
            case FuturesOrderUpdate():
                return ledger.push_order(_pushed_order(item.order))
            case FuturesAssetUpdate():
                balance = Balance(item.available, item.frozen, item.position_margin)
                return ledger.push_balance(item.currency, balance, None)
            case FuturesPositionUpdate():
                return ledger.push_position(_pushed_position(item))
            case _:
                return ()

    def time(self) -> int | None:
        """Pushed balances bear no time here."""
        return None

    async def orders(self, known: Collection[FuturesAccountOrder]) -> OrderList[FuturesAccountOrder]:
        """Read the open orders of both kinds.

        A list is cut off at 100 and has no pages: a full one is asked for again, contract by contract, as far as they
        are known.
        """
        trading = self._reads.trading
        ordinary: dict[str, FuturesOrder] = {row.order_id: row for row in await trading.open_orders(limit=_PAGE)}
        plans: dict[str, PlanOrder] = {row.order_id: row for row in await trading.plan_orders(limit=_PAGE)}
        more_ordinary, more_plans = len(ordinary) >= _PAGE, len(plans) >= _PAGE
        symbols = {
            **dict.fromkeys(row.symbol for row in ordinary.values()),
            **dict.fromkeys(row.symbol for row in plans.values()),
            **dict.fromkeys(order.symbol for order in known),
        }
        for symbol in symbols:
            if more_ordinary:
                ordinary.update((row.order_id, row) for row in await trading.open_orders(symbol, limit=_PAGE))
            if more_plans:
                plans.update((row.order_id, row) for row in await trading.plan_orders(symbol, limit=_PAGE))
        orders = [*map(_listed_order, ordinary.values()), *map(_listed_plan, plans.values())]
        return OrderList(orders, truncated=more_ordinary or more_plans)

    async def order(self, known: FuturesAccountOrder) -> FuturesAccountOrder | None:
        """Look up one order: the detail knows the ordinary ones, the history the conditional ones, too."""
        trading = self._reads.trading
        try:
            return _listed_order(await trading.order(known.symbol, known.order_id))
        except NotFound:
            pass
        for row in await trading.order_history(known.symbol, order_id=known.order_id):
            if row.order_id == known.order_id:
                return _listed_order(row)
        created = known.create_time // 1000
        # The history covers a week unless it is told where to look.
        for row in await trading.order_history(
            known.symbol, order_id=known.order_id, start_time=created - _DAY, end_time=created + _DAY
        ):
            if row.order_id == known.order_id:
                return _listed_order(row)
        return None

    async def balances(self) -> list[tuple[str, Balance]]:
        """Read the futures wallet."""
        rows = await self._reads.account.assets()
        return [
            (row.currency, Balance(row.available_balance, row.frozen_balance, row.position_deposit)) for row in rows
        ]

    async def positions(self) -> list[AccountPosition]:
        """Read the open positions."""
        rows = await self._reads.position.positions_v2()
        return [_listed_position(row) for row in rows if row.current_amount]


@asynccontextmanager
async def open_futures_account(
    switchboard: Switchboard,
    reads: FuturesReads,
    topics: Sequence[str],
    *,
    verify_after: float,
    reconcile: float | None,
    buffer: int | None,
) -> AsyncGenerator[FuturesAccountView]:
    """Keep a view of the futures account while inside."""
    venue = FuturesVenue(reads, topics)
    async with follow_account(
        switchboard, venue, verify_after=verify_after, reconcile=reconcile, buffer=buffer
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


def _listed_order(row: FuturesOrder) -> FuturesAccountOrder:
    return FuturesAccountOrder(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        kind=_kind(row.type),
        price=row.price or None,
        size=row.size,
        filled_size=row.deal_size,
        average_price=row.deal_avg_price or None,
        state=row.state,
        leverage=row.leverage,
        margin_mode=row.open_type,
        trigger_price=row.activation_price or row.trigger_price or None,
        create_time=row.create_time,
        update_time=row.update_time,
    )


def _listed_plan(row: PlanOrder) -> FuturesAccountOrder:
    zero = row.size * 0
    return FuturesAccountOrder(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=row.side,
        kind=_kind(row.type),
        price=row.executive_price or None,
        size=row.size,
        filled_size=zero,
        average_price=None,
        state=row.state,
        leverage=row.leverage,
        margin_mode=row.open_type,
        trigger_price=row.trigger_price,
        create_time=row.create_time,
        update_time=row.update_time,
    )


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
    # In one-way mode the side is the sign.
    short = row.position_side == PositionSide.SHORT or (row.position_amount is not None and row.position_amount < 0)
    return AccountPosition(
        symbol=row.symbol,
        side=PositionSide.SHORT if short else PositionSide.LONG,
        size=abs(row.current_amount),
        entry_price=row.entry_price,
        margin_mode=row.open_type,
        liquidation_price=row.liquidation_price or None,
        create_time=row.open_timestamp,
        update_time=None,
    )
