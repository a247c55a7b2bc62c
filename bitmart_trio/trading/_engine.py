"""The inside of a session: places orders, finds those that were cut off, follows pushes, reconciles, cancels.

Everything that must outlive the user's code runs in tasks of the session, in a shield: a cancelled ``submit`` abandons
the wait for an answer, never the request that is on its way. Who sends, owns the knowledge. The shield is bounded from
outside: the exit guard (``_guard.py``) ends it.

How an order that was cut off is settled (`Engine.resolve`): it is looked for by its client order id until it is found,
here or in a push; or until the exchange's own clock is so far past the timestamp on the wire that it could only refuse
the request, and a look-up begun after that does not find it. Then, and only then, it is absent, and may be sent again.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Final

import trio

from .._io.flight import FLIGHT, Flight
from .._io.scopes import lone_error
from ..errors import (
    BitMartError,
    DuplicateRequest,
    JournalError,
    OrderClosed,
    OrderNotFound,
    OrderNotPlaced,
    RateLimited,
)
from ..models.stream_events import Gap
from ._ids import OrderIds
from ._journal import Entry, Journal
from ._order import ZERO, Intent, OrderRecord, OrderState, OrderStatus
from ._tracked import Tracked
from ._venue import HORIZON_MS, SETTLING_MS, Venue, passing

log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_MISSES: Final = 3
_FILL_READS: Final = 30
_PUSH_TAKES: Final = 0.1
"""Seconds that a push is given before a look-up is spent."""
_COMPACT_ABOVE: Final = 4000


class Engine:
    """One running session.

    Args:
        venue: the market.
        journal: already open.
        ids: where client order ids come from.
        symbols: what the session trades.
        reconcile: seconds between two looks at all open orders, besides the pushes.
        keep: entries of the journal that are not this session's business.
    """

    def __init__(
        self,
        venue: Venue,
        journal: Journal,
        ids: OrderIds,
        symbols: tuple[str, ...],
        reconcile: float,
        *,
        keep: Iterable[Entry] = (),
    ) -> None:
        self.venue: Venue = venue
        self.journal: Journal = journal
        self.ids: OrderIds = ids
        self.symbols: tuple[str, ...] = symbols
        self.orders: dict[str, Tracked] = {}
        """Those that are not over, by client order id."""
        self.net: dict[tuple[str, str], Decimal] = {}
        """What was filled since the session began, by symbol and side."""
        self.triggered: list[OrderRecord] = []
        """The take-profits and stop-losses that went off since it began: what they filled is not in `net`."""
        self.closing: bool = False
        """It is being left: nothing new is taken on."""
        self.recalls: int = 0
        """How often all orders were asked to be cancelled."""
        self.work: trio.Nursery | None = None
        """Where new tasks go; None when nothing runs any more."""
        self._keep = list(keep)
        self._reconcile = reconcile
        self._look_now = trio.Event()
        self._scope = trio.CancelScope()
        self._following = trio.CancelScope()
        self._compacting = False
        self._began = trio.current_time()

    # ----------------------------------------------------------------------------------------------------------------
    # Running
    # ----------------------------------------------------------------------------------------------------------------

    @trio.lowlevel.enable_ki_protection
    async def run(
        self,
        guards: Iterable[Callable[..., Awaitable[None]]] = (),
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run until `stop`; started once the order stream is acknowledged and the guards (tasks beside it) are up."""
        with self._scope, lone_error():
            async with trio.open_nursery() as nursery:
                await nursery.start(self._follow)
                for guard in guards:
                    await nursery.start(guard)
                nursery.start_soon(self._reconcile_regularly)
                await trio.lowlevel.checkpoint_if_cancelled()  # the last chance: from here on it is shielded
                self.work = nursery
                # From here on a cancellation from outside reaches the user's code, and what is on its way is finished.
                self._scope.shield = True
                task_status.started()
                try:
                    await trio.sleep_forever()
                finally:
                    if self.work is nursery:
                        self.work = None

    def stop_following(self) -> None:
        """Go on by look-ups alone: while a client is being cancelled, its streams are gone."""
        self._following.cancel()

    def stop(self) -> None:
        """End all tasks, and all waits for news."""
        self._scope.cancel()
        for tracked in self.orders.values():
            tracked.gone = True
            tracked.notify()

    def start(self, function: Callable[[Tracked], Awaitable[None]], tracked: Tracked) -> None:
        """Run a task for an order."""
        if self.work is None:
            raise trio.ClosedResourceError("the session was left")
        self.work.start_soon(function, tracked)

    def send(self, tracked: Tracked) -> None:
        """Have an order placed."""
        self.start(self.place, tracked)
        tracked.placing = True

    # ----------------------------------------------------------------------------------------------------------------
    # News
    # ----------------------------------------------------------------------------------------------------------------

    def tell(self, tracked: Tracked, change: Callable[[OrderRecord], object]) -> None:
        """Change a record, and see to everything that follows from it."""
        record = tracked.record
        filled = record.filled_size
        change(record)
        if record.filled_size != filled and tracked.counts:
            key = record.intent.symbol, record.intent.side
            self.net[key] = self.net.get(key, ZERO) + record.filled_size - filled
        counted = tracked.counts
        tracked.counts = tracked.counts or record.decided
        if record.closed and not tracked.noted:
            tracked.noted = True
            if record.state is OrderState.TRIGGERED and counted:
                self.triggered.append(record)
            self.journal.note(record.end_entry())
            if record.filled_known < record.filled_size and self.work is not None:
                self.work.start_soon(self._complete, tracked)
            else:
                tracked.fills_told = True
                self._drop(tracked)
            if self.journal.length > max(_COMPACT_ABOVE, 4 * len(self.orders)) and self.work is not None:
                self.work.start_soon(self._compact)
        tracked.notify()

    def _drop(self, tracked: Tracked) -> None:
        self.orders.pop(tracked.record.intent.client_order_id, None)

    @trio.lowlevel.enable_ki_protection
    async def _complete(self, tracked: Tracked) -> None:
        """Read the fills of a closed order that no push told of."""
        await trio.lowlevel.checkpoint()
        record = tracked.record
        assert record.order_id is not None
        pause = _FIRST_PAUSE
        for _ in range(_FILL_READS):
            try:
                record.add_fills(await self.venue.fills(record.intent, record.order_id))
            except BitMartError as error:
                if not passing(error):
                    log.warning("the fills of %s cannot be read: %s", record.intent.client_order_id, error)
                    break
                log.debug("the fills of %s are still unknown: %s", record.intent.client_order_id, error)
            if record.filled_known >= record.filled_size:
                break
            await trio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            log.warning("not all fills of %s can be had", record.intent.client_order_id)
        tracked.fills_told = True
        self._drop(tracked)
        tracked.notify()

    @trio.lowlevel.enable_ki_protection
    async def _compact(self) -> None:
        await trio.lowlevel.checkpoint()
        if not self._compacting:
            self._compacting = True
            try:
                await self.journal.compact(self.live_entries)
            except JournalError as error:
                log.warning("the journal could not be cut back, and goes on growing: %s", error)
            finally:
                self._compacting = False

    def live_entries(self) -> list[Entry]:
        """The intents that are not over, for the journal."""
        return [*self._keep, *(each.record.intent.entry() for each in self.orders.values() if not each.noted)]

    @trio.lowlevel.enable_ki_protection
    async def _follow(self, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  the next one does
        """Follow the order stream, for ever."""
        with self._following:
            await self._follow_for_ever(task_status)

    async def _follow_for_ever(self, task_status: trio.TaskStatus[None]) -> None:
        started, pause = False, _FIRST_PAUSE
        while True:
            try:
                async with self.venue.pushes() as pushes:
                    if not started:
                        started = True
                        task_status.started()
                    self._look_now.set()
                    async for item in pushes:
                        pause = _FIRST_PAUSE
                        if isinstance(item, Gap):
                            self._look_now.set()
                            continue
                        news = self.venue.read(item)
                        tracked = None if news is None else self.orders.get(news.client_order_id or "")
                        if tracked is not None and news is not None:
                            self.tell(tracked, partial(OrderRecord.see, news=news))
            except (BitMartError, trio.ClosedResourceError) as error:
                if not started:
                    raise
                # Orders are looked up on the slow clock all the same.
                log.warning("the order stream ended (%s); it is opened again in %.1f s", error, pause)
            await trio.sleep(pause)
            pause = min(2 * pause, 30.0)

    @trio.lowlevel.enable_ki_protection
    async def _reconcile_regularly(self) -> None:
        while True:
            with trio.move_on_after(self._reconcile):
                await self._look_now.wait()
            self._look_now = trio.Event()
            try:
                await self.reconcile()
            except BitMartError as error:
                log.info("the open orders could not be read: %s", error)
                if passing(error):
                    await trio.sleep(min(self._reconcile, 1.0))
                    self._look_now.set()

    async def reconcile(self) -> None:
        """Look at all own open orders: those in the list at once, and those that left it one by one."""
        await trio.lowlevel.checkpoint()
        mine = [each for each in self.orders.values() if each.record.decided and not each.record.closed]
        if not mine:
            return
        failed: BitMartError | None = None
        listed = {news.client_order_id: news for news in await self.venue.open_orders(self.symbols)}
        for tracked in mine:
            news = listed.get(tracked.record.intent.client_order_id)
            if news is not None:
                self.tell(tracked, partial(OrderRecord.see, news=news))
            elif not tracked.record.closed:
                try:
                    await self.look(tracked)
                except BitMartError as error:
                    failed = error  # the others are looked up all the same
        if failed is not None:
            raise failed

    async def look(self, tracked: Tracked) -> bool:
        """Look one order up; whether the exchange knows it."""
        record, known = tracked.record, tracked.record.decided
        news = await self.venue.look_up(record.intent, record.order_id)
        if news is None:
            if not known:
                # It may have been accepted after the look-up began: nothing is missing yet.
                return False
            if not tracked.misses:
                tracked.missed_since = trio.current_time()
            tracked.misses += 1
            long = trio.current_time() - tracked.missed_since >= SETTLING_MS / 1000
            if not record.closed and tracked.misses >= _MISSES and long:
                # Spot forgets orders that were cancelled unfilled after 20 minutes. One that was accepted a moment ago
                # may only not show yet.
                log.info("%s is no longer known to the exchange", record.intent.client_order_id)
                self.tell(tracked, OrderRecord.forget)
            return False
        tracked.misses = 0
        self.tell(tracked, partial(OrderRecord.see, news=news))
        return True

    # ----------------------------------------------------------------------------------------------------------------
    # Placing
    # ----------------------------------------------------------------------------------------------------------------

    def clock(self) -> int:
        """About the exchange's time in milliseconds, without asking for it."""
        return self.ids.began_ms + int((trio.current_time() - self._began) * 1000)

    def adopt(self, intent: Intent, *, resend: int = 0) -> Tracked:
        """Look after an order from now on."""
        tracked = self.orders[intent.client_order_id] = Tracked(OrderRecord(intent), resend)
        return tracked

    def abandon(self, tracked: Tracked) -> None:
        """Nobody waits for this order any more: it is not sent if it has not been, and taken back if it has."""
        tracked.abandoned = True
        tracked.flight.abandon()
        if self.work is not None:
            self.work.start_soon(self._take_back, tracked)

    @trio.lowlevel.enable_ki_protection
    async def _take_back(self, tracked: Tracked) -> None:
        tracked.recalled = True
        await trio.lowlevel.checkpoint()
        try:
            await self.cancel(tracked)
        except BitMartError as error:
            log.warning("%s could not be taken back: %s", tracked.record.intent.client_order_id, error)

    @trio.lowlevel.enable_ki_protection
    async def place(self, tracked: Tracked) -> None:
        """Write an order down, send it, and see it settled. Never raises for the order's sake: its record says it."""
        tracked.placing = True
        try:
            await self._place(tracked)
        finally:
            tracked.placing = False
            # Only when this task was ended from outside is it still pending here.
            if tracked.record.state is OrderState.PENDING:
                if tracked.flight.stamp is None:
                    self.tell(tracked, lambda record: record.reject(_not_sent(record)))
                else:
                    self.tell(tracked, lambda record: record.lose(tracked.flight.stamp, None))

    async def _place(self, tracked: Tracked) -> None:
        record, intent = tracked.record, tracked.record.intent
        await trio.lowlevel.checkpoint()
        try:
            await self.journal.append(intent.entry())
        except BitMartError as error:
            self.tell(tracked, partial(OrderRecord.reject, error=error))
            return
        except Exception as error:  # noqa: BLE001  a journal of somebody else's: it fails the order, not the session
            failed = JournalError(f"the journal failed: {error}")
            failed.__cause__ = error
            self.tell(tracked, partial(OrderRecord.reject, error=failed))
            return
        while True:
            flight = tracked.flight
            if tracked.abandoned:
                flight.abandon()
            watching = FLIGHT.set(flight)
            try:
                with flight.scope:
                    order_id = await self.venue.place(intent)
                    flight.stamp = None
                    self.tell(tracked, partial(OrderRecord.accept, order_id=order_id))
            except DuplicateRequest as error:
                # Ids are never used twice, so the exchange has this very order: without a stamp it is never absent.
                cut_off: Exception | None = error
            except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the order and not to the session
                cut_off = error
                if flight.stamp is None:
                    self.tell(tracked, partial(OrderRecord.reject, error=error))
                    return
            else:
                cut_off = None
                if flight.scope.cancelled_caught and flight.stamp is None:
                    self.tell(tracked, lambda record: record.reject(_not_sent(record)))
            finally:
                FLIGHT.reset(watching)
            if record.decided:
                return
            self.tell(tracked, partial(OrderRecord.lose, stamp=flight.stamp, error=cut_off))
            log.info("%s was cut off (%s); it is looked for", intent.client_order_id, cut_off)
            if not await self.resolve(tracked):
                return
            if tracked.resend <= 0 or tracked.abandoned or self.closing:
                self.tell(tracked, lambda record: record.reject(never_arrived(record)))
                return
            tracked.resend -= 1
            tracked.flight = Flight()
            log.info("%s never arrived; it is sent again", intent.client_order_id)

    @trio.lowlevel.enable_ki_protection
    async def settle(self, tracked: Tracked) -> None:
        """See to an order of an earlier run that may still be on its way; one that turns up abandoned is taken back."""
        tracked.placing = True
        try:
            if await self.resolve(tracked):
                self.tell(tracked, partial(OrderRecord.reject, error=never_arrived(tracked.record)))
        finally:
            tracked.placing = False
        if tracked.abandoned:
            await self._take_back(tracked)

    @trio.lowlevel.enable_ki_protection
    async def watch(self, tracked: Tracked) -> None:
        """As `settle`, for an order that is to be left alone once it turns up."""
        await self.settle(tracked)
        self.release(tracked)

    def release(self, tracked: Tracked) -> None:
        """Look after an order no longer; if it is not over, the journal keeps it for the next start."""
        if not tracked.record.closed:
            self._keep.append(tracked.record.intent.entry())
            self._drop(tracked)

    async def resolve(self, tracked: Tracked) -> bool:
        """Find an order that was cut off; True when it is proven that there is none, False once it is found."""
        record = tracked.record
        await trio.lowlevel.checkpoint()
        hopeless = math.inf if record.stamp is None else record.stamp + HORIZON_MS + SETTLING_MS
        pause = _FIRST_PAUSE
        while not record.decided:
            try:
                # The time first: what is missing from a look-up begun after the horizon can never come.
                now = await self.venue.now()
                if not await self.look(tracked) and now > hopeless:
                    return True
                ahead = (hopeless - now) / 1000 + _FIRST_PAUSE
            except BitMartError as error:
                tracked.trouble = error
                log.debug("%s could not be looked for: %s", record.intent.client_order_id, error)
                ahead = _LONGEST_PAUSE
            if not record.decided:
                await tracked.pause(min(pause, max(ahead, _FIRST_PAUSE)))
                pause = min(2 * pause, _LONGEST_PAUSE)
        return False

    # ----------------------------------------------------------------------------------------------------------------
    # Cancelling
    # ----------------------------------------------------------------------------------------------------------------

    async def cancel(self, tracked: Tracked) -> OrderStatus:
        """See an order closed: cancelled if it is open by then. Goes on until that is certain.

        Raises:
            ApiError: the exchange will never accept the cancel, such as for a key without permission.
            trio.ClosedResourceError: the session was left.
        """
        record = tracked.record
        await tracked.until(lambda: record.decided)
        pause = _FIRST_PAUSE
        while not record.closed:
            if tracked.gone:
                raise trio.ClosedResourceError("the session of this order was left")
            wait = pause
            try:
                try:
                    await self.venue.cancel(record.intent, record.order_id)
                    tracked.hit = True
                except (OrderNotFound, OrderClosed) as error:
                    log.debug("%s: %s", record.intent.client_order_id, error)
                await self._see_closed(tracked)
            except BitMartError as error:
                tracked.hit, tracked.trouble = True, error
                if not passing(error):
                    if not self.closing:
                        raise
                    wait = _LONGEST_PAUSE  # on the way out there is nothing better to do than to ask again
                if isinstance(error, RateLimited):
                    wait = max(pause, error.retry_after)
                log.debug("the cancel of %s is tried again: %s", record.intent.client_order_id, error)
            if not record.closed:
                await tracked.pause(wait)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return record.status()

    async def _see_closed(self, tracked: Tracked) -> None:
        """After a cancel: hear of it by a push, or look, whichever is first; look-ups may wait for their quota."""
        record = tracked.record
        await trio.lowlevel.checkpoint()
        if not record.closed and not self._following.cancel_called:
            await tracked.pause(_PUSH_TAKES)
        if record.closed:
            return

        async def hear(scope: trio.CancelScope) -> None:
            await tracked.until(lambda: record.closed)
            scope.cancel()

        with lone_error():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hear, nursery.cancel_scope)
                await self.look(tracked)
                nursery.cancel_scope.cancel()


def _not_sent(record: OrderRecord) -> OrderNotPlaced:
    return OrderNotPlaced("it was never sent", client_order_id=record.intent.client_order_id)


def never_arrived(record: OrderRecord) -> OrderNotPlaced:
    """The error of an order that is proven absent."""
    error = OrderNotPlaced(
        "it was cut off on its way and never arrived: the exchange can no longer accept it, and does not have it",
        client_order_id=record.intent.client_order_id,
    )
    error.__cause__ = record.error
    return error
