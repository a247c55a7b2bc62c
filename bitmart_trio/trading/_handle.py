"""The handle of one order, which a bot holds, waits on and cancels."""

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
"""Submits an order like another one, unless the last check, which no checkpoint follows, raises."""


class Fills(Sequence[OrderFill]):
    """The fills of an order: a sequence of those known now, oldest first, and an async iterable of all of them.

    ``async for`` waits for each fill and ends when the order is over and every fill was emitted. Fills that no push
    reported are then read over REST, as far as the exchange still has them; see `complete`. Any number of tasks may
    iterate at once.

    After the session, ``async for`` over the fills of an order that is over emits those that are known, and ends.

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
        """Return one of the fills known now."""
        return list(self._tracked.record.executed.fills.values())[index]

    def __len__(self) -> int:
        """Return the number of fills known now."""
        return len(self._tracked.record.executed.fills)

    def __iter__(self) -> Iterator[OrderFill]:
        """Iterate over the fills known now."""
        return iter(list(self._tracked.record.executed.fills.values()))

    @property
    def complete(self) -> bool:
        """Return True if the order is over and each of its fills is known."""
        return self._tracked.record.whole

    def __aiter__(self) -> AsyncIterator[OrderFill]:
        """Wait for each fill, and end with the order."""
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
    """The handle of one order of a session. Made by ``session.submit``.

    Its attributes hold what is known now: the private stream keeps them up to date, with look-ups after its gaps and at
    a slow interval. The ``wait_...`` methods wait for a state; cancelling one does not affect the order.
    """

    __slots__ = ("_again", "_engine", "_tracked", "fills")

    def __init__(self, engine: Engine, tracked: Tracked, again: Again) -> None:
        self._engine = engine
        self._tracked = tracked
        self._again = again
        self.fills: Fills = Fills(tracked)

    @property
    def client_order_id(self) -> str:
        """Return the client order id that the session chose."""
        return self._tracked.record.intent.client_order_id

    @property
    def symbol(self) -> str:
        """Return the order's symbol: BTC_USDT, or BTCUSDT for a contract."""
        return self._tracked.record.intent.symbol

    @property
    def status(self) -> OrderStatus:
        """Return everything that is known of the order, as a frozen object."""
        return self._tracked.record.status()

    @property
    def state(self) -> OrderState:
        """Return the state of the order."""
        return self._tracked.record.state

    @property
    def outcome(self) -> Outcome:
        """Return the outcome of the intent: `Accepted`, `Rejected` or (not yet known) `Unknown`."""
        return self._tracked.record.outcome()

    @property
    def order_id(self) -> str | None:
        """The exchange's order id; None before the order is accepted."""
        return self._tracked.record.order_id

    @property
    def filled_size(self) -> Decimal:
        """Return the filled size: base currency (spot) or contracts."""
        return self._tracked.record.filled_size

    @property
    def average_price(self) -> Decimal | None:
        """The average price of the fills; None before the first."""
        return self._tracked.record.executed.average_price

    @property
    def is_closed(self) -> bool:
        """Return True if the order is over."""
        return self._tracked.record.closed

    async def wait_accepted(self) -> OrderStatus:
        """Wait until the exchange is known to have the order, or to have had it.

        Raises:
            ApiError, InvalidRequest: the exchange, or a check before sending, refused the order.
            OrderNotPlaced: the order is proven not to exist.
            trio.ClosedResourceError: the session was left before this was known.
        """
        record = self._tracked.record
        await self._tracked.until(lambda: record.decided)
        if record.state is OrderState.REJECTED and record.error is not None:
            raise record.error
        return record.status()

    async def wait_filled(self) -> OrderStatus:
        """Wait until the order is completely filled.

        Raises:
            OrderNotFilled: the order ended in another way; ``status`` says how, and how much was filled.
            ApiError, InvalidRequest, OrderNotPlaced, trio.ClosedResourceError: see `wait_accepted`.
        """
        await self.wait_accepted()
        status = await self.wait_closed()
        if status.state is not OrderState.FILLED:
            raise OrderNotFilled(f"the order {self.client_order_id} ended as {status.state}", status=status)
        return status

    async def wait_closed(self) -> OrderStatus:
        """Wait until the order is over, however it ended.

        Raises:
            trio.ClosedResourceError: the session was left before the order was over.
        """
        record = self._tracked.record
        await self._tracked.until(lambda: record.closed)
        return record.status()

    async def cancel(self) -> OrderStatus:
        """Cancel the order, and wait until its end is confirmed.

        Returns:
            The status at the end; the order may have been filled, completely or partly, before the cancel arrived.

        Raises:
            ApiError: the key may not cancel. Transient errors (a broken connection, a busy exchange) are retried until
                the cancel works: bound it with ``trio.move_on_after``. After a cancelled ``cancel`` the order may be
                open or not; call it again, or leave the order to the session's exit.
            trio.ClosedResourceError: the session was left, and has left the order open.
        """
        self._tracked.recall()
        return await self._engine.cancel(self._tracked)

    async def replace(
        self, *, price: Decimal | int | str | None = None, size: Decimal | int | str | None = None
    ) -> Order:
        """Cancel the order, and place another one of its kind instead.

        Not atomic: the second order is sent once the first is confirmed closed, and its size is reduced by what the
        first one's trades filled, so the two together never fill more than was asked for. That size is confirmed at
        once if the push of the end, a look-up and the trades agree; else it takes ``visible_after`` less a minute (30
        s), the time in which the exchange must show it. An order has at most one successor: none is placed if anybody
        else has cancelled the order, or is replacing it.

        Args:
            price: the new price; unchanged if left out.
            size: the new whole size, including what is already filled; unchanged if left out.

        Returns:
            The new order, or this one if nothing was left to place.

        Raises:
            TypeError: the order is a market order, a take-profit or a stop-loss, or comes from a journal that lacks
                some of its arguments.
            OrderNotPlaced: no order was placed, since somebody else (another task, another program, the exchange) has
                cancelled this one, or is replacing it; ``client_order_id`` is that of this order.
            ApiError, InvalidRequest: see ``submit``, also for its OrderNotPlaced. The first order is then closed.
        """
        tracked, engine = self._tracked, self._engine
        intent, recalls = tracked.record.intent, engine.recalls
        if intent.kind != "order" or intent.size is None or intent.price is None:
            raise TypeError("only an order with a price and a size can be replaced")
        if not intent.whole:
            raise TypeError("the journal lacks the order's other arguments (leverage, mode): cancel it instead")
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
                raise self._not_replaced("was cancelled by another program or by the exchange")
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
        return OrderNotPlaced(f"no order was placed instead of {name}: it {why}", client_order_id=name)

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
