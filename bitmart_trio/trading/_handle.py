"""The handle of one order: what a bot holds, waits on and cancels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias, overload

import trio

from .._scopes import protected
from ..errors import OrderNotFilled, OrderNotPlaced
from ..models._numbers import EXACT
from ._engine import Engine
from ._evidence import CancelReply
from ._order import Intent, OrderFill, OrderState, OrderStatus, Outcome, amount
from ._tracked import Claim, Phase, Tracked

Again: TypeAlias = Callable[[Intent, Callable[[], None]], Awaitable["Order"]]
"""Submits an order like another one, unless a last look, with no pause behind it, raises."""


class Fills(Sequence[OrderFill]):
    """The fills of an order: a sequence of those known now, oldest first, and an async iterable of all of them.

    ``async for`` waits for each fill and ends when the order is over and every fill was told; fills that no push told
    of are read over REST then, as far as the exchange still has them (`complete` tells). Any number of tasks
    may iterate at once.

    After the session, ``async for`` gives those that are known of an order that is over, and ends.

    Raises:
        trio.ClosedResourceError: ``async for``, when the session is left before the order is over.
    """

    def __init__(self, tracked: Tracked) -> None:
        self._tracked = tracked

    @overload
    def __getitem__(self, index: int) -> OrderFill: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[OrderFill]: ...
    def __getitem__(self, index: int | slice) -> OrderFill | Sequence[OrderFill]:
        """One of those known now."""
        return list(self._tracked.record.executed.fills.values())[index]

    def __len__(self) -> int:
        """How many are known now."""
        return len(self._tracked.record.executed.fills)

    def __iter__(self) -> Iterator[OrderFill]:
        """Those known now."""
        return iter(list(self._tracked.record.executed.fills.values()))

    @property
    def complete(self) -> bool:
        """Whether the order is over and every one of its fills is known."""
        return self._tracked.record.whole

    def __aiter__(self) -> AsyncIterator[OrderFill]:
        """Wait for each of them."""
        return _FillIterator(self, self._tracked)


class _FillIterator:
    def __init__(self, fills: Fills, tracked: Tracked) -> None:
        self._fills = fills
        self._tracked = tracked
        self._given: set[str] = set()

    def __aiter__(self) -> _FillIterator:
        return self

    async def __anext__(self) -> OrderFill:
        fills, tracked = self._fills, self._tracked
        record, given = tracked.record, self._given

        def ready() -> bool:
            over = fills.complete or tracked.phase is Phase.OVER or (tracked.phase is Phase.GONE and record.closed)
            return over or not record.executed.fills.keys() <= given

        await tracked.until(ready)
        for name, fill in record.executed.fills.items():
            if name not in given:
                given.add(name)
                return fill
        raise StopAsyncIteration


@protected
class Order:
    """One order of a session. Made by ``session.submit``.

    Everything here is what is known now: kept up by the private stream, and by look-ups after its gaps and on a slow
    clock. The ``wait_...`` methods return when it has become so; cancelling one changes nothing about the order.
    """

    __slots__ = ("_again", "_engine", "_tracked", "fills")

    def __init__(self, engine: Engine, tracked: Tracked, again: Again) -> None:
        self._engine = engine
        self._tracked = tracked
        self._again = again
        self.fills: Fills = Fills(tracked)

    @property
    def client_order_id(self) -> str:
        """The id that the session chose for it."""
        return self._tracked.record.intent.client_order_id

    @property
    def symbol(self) -> str:
        """Such as BTC_USDT, or BTCUSDT for a contract."""
        return self._tracked.record.intent.symbol

    @property
    def status(self) -> OrderStatus:
        """All of it, frozen."""
        return self._tracked.record.status()

    @property
    def state(self) -> OrderState:
        """How far it is."""
        return self._tracked.record.state

    @property
    def outcome(self) -> Outcome:
        """What became of the intent: `Accepted`, `Rejected` or (not yet known) `Unknown`."""
        return self._tracked.record.outcome()

    @property
    def order_id(self) -> str | None:
        """The exchange's id; None before it is accepted."""
        return self._tracked.record.order_id

    @property
    def filled_size(self) -> Decimal:
        """What was filled: base currency (spot) or contracts."""
        return self._tracked.record.filled_size

    @property
    def average_price(self) -> Decimal | None:
        """Of what was filled; None before the first fill."""
        return self._tracked.record.executed.average_price

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self._tracked.record.closed

    async def wait_accepted(self) -> OrderStatus:
        """Wait until the exchange is known to have it, or to have had it.

        Raises:
            ApiError, InvalidRequest: it was refused.
            OrderNotPlaced: it is certain not to exist.
            trio.ClosedResourceError: the session was left before that was known.
        """
        record = self._tracked.record
        await self._tracked.until(lambda: record.decided)
        if record.state is OrderState.REJECTED and record.error is not None:
            raise record.error
        return record.status()

    async def wait_filled(self) -> OrderStatus:
        """Wait until it is filled whole.

        Raises:
            OrderNotFilled: it ended some other way; ``status`` says how, and how much was filled.
            ApiError, InvalidRequest, OrderNotPlaced, trio.ClosedResourceError: as of `wait_accepted`.
        """
        await self.wait_accepted()
        status = await self.wait_closed()
        if status.state is not OrderState.FILLED:
            raise OrderNotFilled(f"the order {self.client_order_id} ended as {status.state}", status=status)
        return status

    async def wait_closed(self) -> OrderStatus:
        """Wait until it is over, however it ended.

        Raises:
            trio.ClosedResourceError: the session was left before.
        """
        record = self._tracked.record
        await self._tracked.until(lambda: record.closed)
        return record.status()

    async def cancel(self) -> OrderStatus:
        """Cancel it, and wait until it is over for certain.

        Returns:
            How it ended; it may have been filled, whole or in part, before the cancel came.

        Raises:
            ApiError: the key may not cancel. What passes by itself (a broken connection, a busy exchange) is tried
                again until it works: bound it with ``trio.move_on_after``. A cancelled ``cancel`` leaves the order
                open or not; ask again, or leave it to the session's exit.
            trio.ClosedResourceError: the session was left, and had left it open.
        """
        self._tracked.recall()
        return await self._engine.cancel(self._tracked)

    async def replace(
        self, *, price: Decimal | int | str | None = None, size: Decimal | int | str | None = None
    ) -> Order:
        """Cancel it, and place another one of its kind in its stead.

        Not atomic: the first is confirmed to be closed before the second is sent, and what its trades say was filled of
        it is taken off the second's size, so the two together never fill more than was asked for. That size is
        confirmed at once where the push of the end, a look-up and the trades agree; else it takes as long as what the
        exchange did may take to show (``visible_after`` less a minute: 30 s). One order has one successor at most: no
        second is placed when anybody else has cancelled the first, or is replacing it.

        Args:
            price: the new one; the same if left out.
            size: the new whole size, what was already filled included; the same if left out.

        Returns:
            The new order, or this one when nothing was left to place.

        Raises:
            TypeError: it is a market order, or a take-profit or stop-loss, or of a journal that does not say all that
                it was submitted with.
            OrderNotPlaced: nothing was placed, since the order was cancelled by somebody else (another task, another
                program, the exchange), or is being replaced already; ``client_order_id`` is this order's.
            ApiError, InvalidRequest: as of ``submit``, like its OrderNotPlaced. The first order is closed then.
        """
        tracked, engine = self._tracked, self._engine
        intent, recalls = tracked.record.intent, engine.recalls
        if intent.kind != "order" or intent.size is None or intent.price is None:
            raise TypeError("only an order with a price and a size can be replaced")
        if not intent.whole:
            raise TypeError("an order of a journal that does not hold its leverage, mode and the like: cancel it")
        better, whole = amount(price, "price"), amount(size, "size")

        def last_look() -> None:
            if tracked.unwanted or engine.recalls != recalls:
                raise self._not_replaced("was cancelled by another task")

        await trio.lowlevel.checkpoint()
        if tracked.claim is Claim.REPLACING:
            raise self._not_replaced("is being replaced already, or has been")
        if tracked.record.state is OrderState.CANCELLED:
            raise self._not_replaced("is cancelled already")
        if tracked.claim is Claim.HELD:
            tracked.claim = Claim.REPLACING
        done = False
        try:
            ended = await engine.cancel(tracked)
            if ended.state is OrderState.CANCELLED and tracked.record.cancels in (CancelReply.NONE, CancelReply.MISSED):
                done = True
                raise self._not_replaced("was cancelled by somebody else")
            ended = await engine.confirm(tracked)
            done = True
        finally:
            if not done and tracked.claim is Claim.REPLACING:
                tracked.claim = Claim.HELD
        left = EXACT.subtract(intent.size if whole is None else whole, ended.filled_size)
        if left <= 0 or ended.state is OrderState.REJECTED:
            await trio.lowlevel.checkpoint()
            return self
        last_look()
        return await self._again(_changed(intent, intent.price if better is None else better, left), last_look)

    def _not_replaced(self, why: str) -> OrderNotPlaced:
        name = self.client_order_id
        return OrderNotPlaced(f"nothing was placed instead of {name}: it {why}", client_order_id=name)

    def __repr__(self) -> str:
        status = self.status
        return f"<Order {status.client_order_id} {status.symbol} {status.side} {status.type} {status.state}>"


def _changed(intent: Intent, price: Decimal, size: Decimal) -> Intent:
    return Intent(
        client_order_id="",
        market=intent.market,
        symbol=intent.symbol,
        side=intent.side,
        type=intent.type,
        price=price,
        size=size,
        extras=intent.extras,
    )
