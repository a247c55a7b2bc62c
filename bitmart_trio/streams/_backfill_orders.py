"""Backfill gaps of your own order streams: each missed fill, and each order's last state.

Orders and fills have ids, so nothing need be joined: the known state of each order is remembered, REST provides the
rest, and a push with nothing new is omitted. The open orders are read when the subscription opens, since an order
placed long before a gap can be cancelled in it.

REST has no list of events: the acceptance of an order that was also filled or cancelled in the gap is lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Generic, NamedTuple, TypeVar

import attrs
import trio

from .._bitmart.channel import Channel
from .._io.pending_gap import PendingGap
from ..errors import BitMartError, OrderNotFound
from ..models._enums import OrderSide
from ..models.futures_streams import (
    FuturesOrderAction,
    FuturesOrderUpdate,
    FuturesPushedFill,
    FuturesPushedOrder,
    FuturesPushedOrderType,
)
from ..models.futures_trading import FuturesFill, FuturesOrder, FuturesOrderState, PlanOrder, PriceType
from ..models.spot_streams import FillRole, SpotOrderUpdate
from ..models.spot_trading import SpotFill, SpotOrder, SpotOrderState, SpotOrderType
from ..rest.futures import Futures
from ..rest.spot import Spot
from ._backfill import Clock, Fillable, subject

T = TypeVar("T")

# Milliseconds by which our clock may be ahead of the exchange's; known records are recognised by their ids.
_MARGIN: Final = 2000
# The number of finished orders that are remembered, for late pushes.
_REMEMBERED: Final = 1000
_ALL_PAIRS: Final = "ALL_SYMBOLS"
_SPOT_PAGE: Final = 200
_FUTURES_PAGE: Final = 100
_FUTURES_HISTORY: Final = 200
# Spot: the age up to which open orders are read; without a bound it would be a week.
_OLDEST: Final = 90 * 86_400_000
# Spot: the exchange forgets an order cancelled unfilled after 20 minutes.
_FORGOTTEN: Final = 19 * 60.0
# Seconds between two tries if REST's lists do not add up.
_WAITS: Final = (0.25, 0.5, 1.0, 2.0)
_ONE_ID: Final = "REST lists orders without an id, or several with one id"
_NO_TIME: Final = "REST lists orders or fills at impossible times"
# 2017-01-01, before the exchange opened.
_OPENED: Final = 1_483_228_800_000


class Rank(NamedTuple):
    """The progress of an order, which never goes back."""

    filled: Decimal
    closed: bool


@attrs.define
class Known(Generic[T]):
    """The known state of an order, from updates or the first read."""

    update: T
    trades: set[str] = attrs.field(factory=set[str])
    """The ids of its fills that the reader has."""
    from_rest: bool = False


class Missed(NamedTuple, Generic[T]):
    """An update to deliver, with its time."""

    time: int
    update: T


class OrderBackfiller(Fillable[T], ABC):
    """The memory of orders that both markets share."""

    def __init__(self, channel: Channel[T], clock: Clock) -> None:
        super().__init__(channel)
        self._clock = clock
        self._orders: dict[str, Known[T]] = {}
        self._begun: tuple[float, int] | None = None
        """The time when the open orders were read, by both clocks."""
        self._blind: set[str] = set()
        """Topics with a gap in which unknown orders may have come."""
        self._caught_up: set[str] = set()
        """Topics whose open orders have all been read for the gap being filled."""
        self._all_open = False
        """True if the last read had all open orders."""

    # Provided by each market.

    @abstractmethod
    def _id(self, item: T) -> str: ...

    @abstractmethod
    def _made(self, item: T) -> int: ...

    @abstractmethod
    def _rank(self, item: T) -> Rank: ...

    @abstractmethod
    def _trade(self, item: T) -> str | None: ...

    @abstractmethod
    def _terms(self, item: T) -> tuple[object, int]:
        """Return the members of an open order that can change, and its time."""

    @abstractmethod
    async def _open_now(self) -> Sequence[T]: ...

    @abstractmethod
    async def _try(self, pending: PendingGap[T]) -> str | None: ...

    # What they share.

    async def _tried(self, pending: PendingGap[T]) -> str | None:
        for seconds in _WAITS:
            try:
                async with self._slots:
                    reason = await self._try(pending)
            except Unmatched:  # a fill came between two reads, or one of them lags behind the stream
                await trio.sleep(seconds)
                continue
            if self._all_open:
                self._blind.discard(pending.topic)
                if reason is not None:
                    self._caught_up.add(pending.topic)
            return reason
        return "the fills of an order do not add up"  # noqa: ASYNC910  # part of a task of ours

    async def begin(self) -> None:
        """See `Backfiller.begin`."""
        try:
            found = await self._open_now()
        except BitMartError:
            return  # then no gap can be completely filled  # noqa: ASYNC910  # part of a task of ours
        if _unclear((self._id(item), self._made(item)) for item in found):
            return  # nor if they cannot be distinguished  # noqa: ASYNC910  # as above
        for item in found:
            self._orders.setdefault(self._id(item), Known(item))
        self._begun = trio.current_time(), self._clock()

    def notice(self, topic: str, item: T) -> bool:
        """See `Backfiller.notice`."""
        known = self._orders.get(self._id(item))
        if known is not None and known.from_rest and not self._beyond(item, known.update):
            return False
        self._note(item, from_rest=False)
        return True

    def missed(self, topic: str) -> None:
        """See `Backfiller.missed`. Known orders have ids, but an order that came in the gap is unknown."""
        if topic in self._caught_up:
            self._caught_up.discard(topic)
        else:
            self._blind.add(topic)

    def _beyond(self, item: T, than: T) -> bool:
        rank, before = self._rank(item), self._rank(than)
        if rank != before:
            return rank > before
        terms, known = self._terms(item), self._terms(than)
        return terms[0] != known[0] and terms[1] > known[1]

    def _note(self, item: T, *, from_rest: bool) -> None:
        name, trade = self._id(item), self._trade(item)
        known = self._orders.get(name)
        if known is None:
            known = self._orders[name] = Known(item)
        known.update, known.from_rest = item, from_rest
        if trade is not None:
            known.trades.add(trade)
        if self._rank(item).closed and len(self._orders) > _REMEMBERED:
            closed = [name for name, each in self._orders.items() if self._rank(each.update).closed]
            for name in closed[: len(closed) // 2]:
                del self._orders[name]

    def _still_open(self) -> list[T]:
        return [known.update for known in self._orders.values() if not self._rank(known.update).closed]

    def _since(self, pending: PendingGap[T]) -> int:
        """Return the time from which records may be missing, in the exchange's milliseconds."""
        since = self._clock() - round((trio.current_time() - pending.gap.since) * 1000) - _MARGIN
        return since if self._begun is None else max(since, self._begun[1] - _MARGIN)

    def _are_times(self, times: Iterable[int]) -> bool:
        """Return True if times of records are possible: after the exchange's opening, and not after now."""
        latest = self._clock() + 86_400_000
        return all(_OPENED <= time <= latest for time in times)

    def _not_whole(self, pending: PendingGap[T]) -> str | None:
        """Return why the beginning of the gap is uncertain."""
        if self._begun is None:
            return "the open orders before it are not known"
        if pending.gap.since <= self._begun[0]:
            return "no message had come since the open orders were read"
        if pending.topic in self._blind:
            return "orders of an earlier gap that was not filled may be unknown"
        return None

    def _deliver(self, pending: PendingGap[T], missed: Iterable[Missed[T]]) -> None:
        updates = [each.update for each in sorted(missed, key=lambda each: each.time)]
        pending.deliver(updates)
        for update in updates:
            self._note(update, from_rest=True)


def _unclear(listed: Iterable[tuple[str, int]]) -> set[str]:
    """Return the ids that do not identify an order: blank, or of several orders."""
    made: dict[str, int] = {}
    return {name for name, time in listed if not name or made.setdefault(name, time) != time}


class Unmatched(Exception):
    """An error: an order has more filled than the fills found."""


def _chosen(fills: Iterable[tuple[Decimal, T]], lacking: Decimal) -> list[T]:
    """Return the newest fills that add up to the missing size; older ones precede the subscription."""
    chosen: list[T] = []
    for size, fill in fills:
        if lacking <= 0:
            break
        lacking -= size
        chosen.append(fill)
    if lacking != 0:
        raise Unmatched
    return chosen[::-1]


# ---- spot -----------------------------------------------------------------------------------------------------------


class SpotOrderBackfiller(OrderBackfiller[SpotOrderUpdate]):
    """The backfiller of ``spot.user_order`` and ``spot.user_orders``."""

    def __init__(self, channel: Channel[SpotOrderUpdate], reads: Spot, clock: Clock) -> None:
        super().__init__(channel, clock)
        self._reads = reads

    def _id(self, item: SpotOrderUpdate) -> str:
        return item.order_id

    def _made(self, item: SpotOrderUpdate) -> int:
        return item.order_time

    def _rank(self, item: SpotOrderUpdate) -> Rank:
        return Rank(item.filled_size, item.current_state.is_final)

    def _trade(self, item: SpotOrderUpdate) -> str | None:
        return item.trade_id

    def _terms(self, item: SpotOrderUpdate) -> tuple[object, int]:
        return None, 0

    async def _open_now(self) -> list[SpotOrderUpdate]:
        rows = await self._reads.trading.open_orders(start_time=self._clock() - _OLDEST, limit=_SPOT_PAGE)
        return [_spot_state(row, None) for row in rows]

    async def fill(self, pending: PendingGap[SpotOrderUpdate]) -> str | None:
        """See `Backfiller.fill`."""
        return await self._tried(pending)

    async def _try(self, pending: PendingGap[SpotOrderUpdate]) -> str | None:
        reason = self._not_whole(pending)
        if trio.current_time() - pending.gap.since > _FORGOTTEN:
            reason = "the exchange forgets orders that were cancelled unfilled after 20 minutes"
        trading, since = self._reads.trading, self._since(pending)
        symbol = None if subject(pending.topic) == _ALL_PAIRS else subject(pending.topic)
        # Fills first: then no state can lack a fill, and a state ahead of the fills is noticed.
        fills = await trading.trades(symbol, start_time=since, limit=_SPOT_PAGE)
        live = await trading.open_orders(symbol, start_time=self._clock() - _OLDEST, limit=_SPOT_PAGE)
        self._all_open = len(live) < _SPOT_PAGE
        done = await trading.order_history(symbol, start_time=since, limit=_SPOT_PAGE)
        if max(len(fills), len(live), len(done)) >= _SPOT_PAGE:
            reason = f"there are more than the {_SPOT_PAGE} rows that REST lists at once"
        unclear = _unclear((row.order_id, row.create_time) for row in [*live, *done])
        if unclear:
            reason, self._all_open = _ONE_ID, False
        if not self._are_times([row.create_time for row in fills] + [row.update_time for row in [*live, *done]]):
            reason, self._all_open = _NO_TIME, False
        states = {row.order_id: row for row in [*live, *done] if row.order_id not in unclear}
        unknown = [fill.order_id for fill in fills if not self._has(fill)]
        unknown += [item.order_id for item in self._still_open() if symbol in (None, item.symbol)]
        for order_id in dict.fromkeys(unknown):
            if order_id not in states:
                try:
                    row = await trading.order(order_id)
                except OrderNotFound:
                    reason = f"order {order_id} is gone, and REST does not list its end"
                else:
                    if row.order_id == order_id:
                        states[order_id] = row
                    else:
                        reason = _ONE_ID
        missed: list[Missed[SpotOrderUpdate]] = []
        for order_id, state in states.items():
            missed += self._missed_of(state, [fill for fill in fills if fill.order_id == order_id], since)
        self._deliver(pending, missed)
        return reason

    def _has(self, fill: SpotFill) -> bool:
        known = self._orders.get(fill.order_id)
        return known is not None and fill.trade_id in known.trades

    def _missed_of(self, order: SpotOrder, fills: Sequence[SpotFill], since: int) -> list[Missed[SpotOrderUpdate]]:
        known = self._orders.get(order.order_id)
        fresh = sorted((fill for fill in fills if not self._has(fill)), key=_spot_fill_order)
        if known is not None:
            lacking = order.filled_size - known.update.filled_size
            fresh = _chosen(((fill.size, fill) for fill in reversed(fresh)), lacking)
        filled = order.filled_size - sum((fill.size for fill in fresh), Decimal(0))
        notional = order.filled_notional - sum((fill.notional for fill in fresh), Decimal(0))
        if filled < 0 or (known is None and filled > 0 and order.create_time >= since):
            raise Unmatched
        latest = known.update if known is not None else None
        missed: list[Missed[SpotOrderUpdate]] = []
        for fill in fresh:
            filled += fill.size
            notional += fill.notional
            latest = attrs.evolve(
                _spot_state(order, None),
                order_state=SpotOrderState.PARTIALLY_FILLED,
                filled_size=filled,
                filled_notional=notional,
                last_fill_price=fill.price,
                last_fill_size=fill.size,
                last_fill_time=fill.create_time,
                last_fill_role=FillRole.MAKER if fill.trade_role.value.casefold() == "maker" else FillRole.TAKER,
                trade_id=fill.trade_id,
                fee=fill.fee,
                fee_currency=fill.fee_coin_name,
                update_time=fill.create_time,
            )
            missed.append(Missed(fill.create_time, latest))
        if order.state == SpotOrderState.FILLED and fresh:
            # The last fill and the end of the order are one event.
            latest = attrs.evolve(missed[-1].update, order_state=order.state, update_time=order.update_time)
            missed[-1] = Missed(missed[-1].time, latest)
        end = _spot_state(order, latest)
        if latest is None or self._beyond(end, latest) or (known is None and not fresh):
            missed.append(Missed(order.update_time, end))
        return missed


def _spot_fill_order(fill: SpotFill) -> tuple[int, int, str]:
    return fill.create_time, len(fill.trade_id), fill.trade_id


def _spot_state(order: SpotOrder, last: SpotOrderUpdate | None) -> SpotOrderUpdate:
    """Return an order as a push has it; members that only pushes have come from the last update."""
    spends = order.type == SpotOrderType.MARKET and order.side == OrderSide.BUY
    return SpotOrderUpdate(
        symbol=order.symbol,
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        side=order.side,
        type=order.type,
        price=order.price,
        size=order.size,
        notional=order.notional if spends else None,
        filled_size=order.filled_size,
        filled_notional=order.filled_notional,
        order_state=order.state,
        order_mode=order.order_mode,
        last_fill_price=None if last is None else last.last_fill_price,
        last_fill_size=None if last is None else last.last_fill_size,
        last_fill_time=None if last is None else last.last_fill_time,
        last_fill_role=None if last is None else last.last_fill_role,
        trade_id=None if last is None else last.trade_id,
        fee=None if last is None else last.fee,
        fee_currency=None if last is None else last.fee_currency,
        order_time=order.create_time,
        create_time=order.create_time,
        update_time=order.update_time,
    )


# ---- futures --------------------------------------------------------------------------------------------------------


class FuturesOrderBackfiller(OrderBackfiller[FuturesOrderUpdate]):
    """The backfiller of ``futures.order``. A gap always stays: see `_try`."""

    def __init__(self, channel: Channel[FuturesOrderUpdate], reads: Futures, clock: Clock) -> None:
        super().__init__(channel, clock)
        self._reads = reads

    def _id(self, item: FuturesOrderUpdate) -> str:
        return item.order.order_id

    def _made(self, item: FuturesOrderUpdate) -> int:
        return item.order.create_time

    def _rank(self, item: FuturesOrderUpdate) -> Rank:
        return Rank(item.order.filled_size, item.order.state == FuturesOrderState.FINISH)

    def _trade(self, item: FuturesOrderUpdate) -> str | None:
        return None if item.order.last_trade is None else str(item.order.last_trade.trade_id)

    def _terms(self, item: FuturesOrderUpdate) -> tuple[object, int]:
        order = item.order
        return (order.price, order.size, order.trigger_price), order.update_time

    async def _open_now(self) -> list[FuturesOrderUpdate]:
        trading = self._reads.trading
        orders = await trading.open_orders(limit=_FUTURES_PAGE)
        plans = await trading.plan_orders(limit=_FUTURES_PAGE)
        return [*(_futures_state(row, None) for row in orders), *(_plan_state(row) for row in plans)]

    async def fill(self, pending: PendingGap[FuturesOrderUpdate]) -> str | None:
        """See `Backfiller.fill`."""
        return await self._tried(pending)

    async def _try(self, pending: PendingGap[FuturesOrderUpdate]) -> str | None:
        trading, since = self._reads.trading, self._since(pending) // 1000
        until = max(self._clock() // 1000 + 2, since + 1)
        fills = await trading.trades(start_time=since, end_time=until)
        live = await self._open_now()
        self._all_open = len(live) < _FUTURES_PAGE
        unclear = _unclear((self._id(item), self._made(item)) for item in live)
        states = {self._id(item): item for item in live if self._id(item) not in unclear}
        finished: dict[str, FuturesOrder] = {}
        # The history is listed per contract: an order that came and went unfilled on an unknown one is missed.
        reason = self._not_whole(pending) or "REST lists the history only of contracts with orders, fills or plans"
        if max(len(fills), len(live)) >= _FUTURES_PAGE:
            reason = f"there may be more than the {_FUTURES_PAGE} rows that REST lists at once"
        gone = [item.order for item in self._still_open() if self._id(item) not in states]
        oldest = {order.symbol: since for order in gone}
        for order in gone:
            oldest[order.symbol] = min(oldest[order.symbol], order.create_time // 1000 - 1)
        known = {item.order.symbol for item in [*live, *(each.update for each in self._orders.values())]}
        for symbol in sorted(known | {fill.symbol for fill in fills}):
            begin = max(oldest.get(symbol, since), until - 89 * 86_400)  # at most 90 days
            rows = await trading.order_history(symbol, start_time=begin, end_time=until)
            if len(rows) >= _FUTURES_HISTORY:
                reason = f"there may be more than the {_FUTURES_HISTORY} rows that REST lists at once"
            here = _unclear((row.order_id, row.create_time) for row in rows)
            unclear |= here
            finished |= {row.order_id: row for row in rows if row.order_id not in here}
        if unclear:
            reason, self._all_open = _ONE_ID, False
        times = [fill.create_time for fill in fills] + [item.order.update_time for item in live]
        if not self._are_times(times + [row.update_time for row in finished.values()]):
            reason, self._all_open = _NO_TIME, False
        wanted = {fill.order_id: fill.symbol for fill in fills if not self._has(fill)}
        wanted |= {order.order_id: order.symbol for order in gone}
        for order_id, symbol in wanted.items():
            if order_id not in states and order_id not in finished:
                try:
                    row = await trading.order(symbol, order_id)
                except OrderNotFound:
                    reason = f"order {order_id} is gone, and REST does not list its end"
                else:
                    if row.order_id == order_id:
                        finished[order_id] = row
                    else:
                        reason = _ONE_ID
        since_ms = since * 1000
        for order_id, row in finished.items():
            before = self._orders.get(order_id)
            if order_id not in states and (before is not None or row.update_time >= since_ms):
                states[order_id] = _futures_state(row, None if before is None else before.update.order)
        missed: list[Missed[FuturesOrderUpdate]] = []
        for order_id, state in states.items():
            missed += self._missed_of(state, [fill for fill in fills if fill.order_id == order_id], since_ms)
        self._deliver(pending, missed)
        return reason

    def _has(self, fill: FuturesFill) -> bool:
        known = self._orders.get(fill.order_id)
        return known is not None and fill.trade_id in known.trades

    def _missed_of(
        self, state: FuturesOrderUpdate, fills: Sequence[FuturesFill], since: int
    ) -> list[Missed[FuturesOrderUpdate]]:
        order = state.order
        known = self._orders.get(order.order_id)
        fresh = sorted(
            (fill for fill in fills if not self._has(fill)),
            key=lambda fill: (fill.create_time, len(fill.trade_id), fill.trade_id),
        )
        if known is not None:
            lacking = order.filled_size - known.update.order.filled_size
            fresh = _chosen(((fill.vol, fill) for fill in reversed(fresh)), lacking)
        filled = order.filled_size - sum((fill.vol for fill in fresh), Decimal(0))
        if filled < 0 or (known is None and filled > 0 and order.create_time >= since):
            raise Unmatched
        latest = known.update if known is not None else None
        missed: list[Missed[FuturesOrderUpdate]] = []
        for fill in fresh:
            filled += fill.vol
            ends = filled == order.filled_size == order.size and order.state == FuturesOrderState.FINISH
            latest = FuturesOrderUpdate(
                event=FuturesOrderAction.MATCH,
                order=attrs.evolve(
                    order,
                    state=order.state if ends else FuturesOrderState.CHECK,
                    filled_size=filled,
                    update_time=order.update_time if ends else fill.create_time,
                    last_trade=FuturesPushedFill(
                        trade_id=int(fill.trade_id), size=fill.vol, price=fill.price, fee=-fill.paid_fees
                    ),
                ),
            )
            missed.append(Missed(fill.create_time, latest))
        if latest is None or self._beyond(state, latest) or (known is None and not fresh):
            last = None if latest is None else latest.order.last_trade
            end = attrs.evolve(state, order=attrs.evolve(order, last_trade=last))
            missed.append(Missed(order.update_time, end))
        return missed


_PUSHED_TYPES: Final = {
    "planorder": FuturesPushedOrderType.PLAN_ORDER,
    "plan": FuturesPushedOrderType.PLAN_ORDER,
    "trailing": FuturesPushedOrderType.TRAILING_ORDER,
}


def _event(finished: bool, filled: bool) -> FuturesOrderAction:
    if not finished:
        return FuturesOrderAction.SUBMIT
    return FuturesOrderAction.MATCH if filled else FuturesOrderAction.CANCEL


def _futures_state(row: FuturesOrder, known: FuturesPushedOrder | None) -> FuturesOrderUpdate:
    """Return an order as a push has it. REST has no event, so it is inferred."""
    kind = _PUSHED_TYPES.get(row.type.value, FuturesPushedOrderType(row.type.value))
    finished = row.state == FuturesOrderState.FINISH
    order = FuturesPushedOrder(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        price=row.price,
        size=row.size,
        state=row.state,
        side=row.side,
        type=kind if known is None else known.type,
        leverage=row.leverage,
        margin_mode=row.open_type,
        average_price=row.deal_avg_price,
        filled_size=row.deal_size,
        create_time=row.create_time,
        update_time=row.update_time,
        position_mode=row.position_mode,
        trigger_price=row.trigger_price or None if known is None else known.trigger_price,
        trigger_price_type=None if known is None else known.trigger_price_type,
        execution_price=None if known is None else known.execution_price,
        activation_price=row.activation_price or None,
        callback_rate=row.callback_rate or None,
    )
    done = row.deal_size >= row.size or bool(row.executive_order_id)
    return FuturesOrderUpdate(event=_event(finished, done), order=order)


def _plan_state(row: PlanOrder) -> FuturesOrderUpdate:
    order = FuturesPushedOrder(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        price=row.executive_price or Decimal(0),
        size=row.size,
        state=row.state,
        side=row.side,
        type=_PUSHED_TYPES.get(row.type.value, FuturesPushedOrderType(row.type.value)),
        leverage=row.leverage,
        margin_mode=row.open_type,
        average_price=Decimal(0),
        filled_size=Decimal(0),
        create_time=row.create_time,
        update_time=row.update_time,
        trigger_price=row.trigger_price,
        trigger_price_type="fair_price" if row.price_type == PriceType.FAIR_PRICE else "last_price",
        execution_price="market" if not row.executive_price else format(row.executive_price, "f"),
        position_mode=row.position_mode,
    )
    return FuturesOrderUpdate(event=FuturesOrderAction.SUBMIT, order=order)
