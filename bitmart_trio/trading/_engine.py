"""The inside of a session: follows pushes, looks orders up, reconciles, cancels, and reads what was executed.

Everything that must outlive the user's code runs in tasks of the session, in a shield. The shield is bounded from
outside: the exit guard (``_guard.py``) ends it. Placing orders, and finding those that were cut off, is in
``_placing.py``; what is known of an order is decided in ``_evidence.py``.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import Final

import trio

from .._scopes import open_nursery, protected, start, start_soon
from ..errors import BitMartError, JournalError, OrderClosed, OrderNotFound, RateLimited
from ..models._numbers import total
from ..models.stream_events import Gap
from ._echo import Echo
from ._evidence import FORGOTTEN_AFTER, HORIZON, CancelReply, ExchangeClock, Known, OrderRecord, Sighting
from ._ids import OrderIds
from ._journal import Entry, Journal
from ._order import ZERO, Intent, OrderFill, OrderState, OrderStatus
from ._tracked import Claim, Phase, Tracked
from ._venue import Venue, passing

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
_READING: Final = 120.0
"""Seconds that the fills of an order that is over are asked for, at least."""
_PUSH_TAKES: Final = 0.1
"""Seconds that a push is given before a look-up is spent."""
_KEPT: Final = 180.0
"""Seconds, at least, that an order that is over takes late messages."""
_CHECKS: Final = 1000
_CHECK_EVERY: Final = 1.0
_COMPACT_ABOVE: Final = 4000


@protected
class Engine:
    """One running session.

    Args:
        venue: the market.
        journal: already open.
        ids: where client order ids come from.
        symbols: what the session trades.
        reconcile: seconds between two readings of all open orders, besides the pushes.
        visible_after: seconds from a request's timestamp after which what it did must show.
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
        visible_after: float = 90.0,
        keep: Collection[Entry] = (),
    ) -> None:
        self.venue: Venue = venue
        self.journal: Journal = journal
        self.ids: OrderIds = ids
        self.symbols: tuple[str, ...] = symbols
        self.orders: dict[str, Tracked] = {}
        """By client order id: those that are not over, and those that still take late messages."""
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
        self.exchange: ExchangeClock = ExchangeClock()
        self.echo: Echo = Echo(venue)
        self.shows_within: float = max(0.0, visible_after - HORIZON)
        """Seconds that what the exchange did may take to show."""
        self.lag: float = 0.0
        """The longest (seconds) that an order which the exchange had was missing from a look-up."""
        self._by_order_id: dict[str, Tracked] = {}
        self._over: deque[tuple[float, Tracked]] = deque()
        self._unchecked: deque[tuple[float, Tracked]] = deque(maxlen=_CHECKS)
        self._keep = keep
        self._released = list[Entry]()
        self._visible_after = visible_after
        self._reconcile = reconcile
        self._look_now = trio.Event()
        self._scope = trio.CancelScope()
        self._following = trio.CancelScope()
        self._compacting = False
        self._began = trio.current_time()

    @property
    def visible_after(self) -> float:
        """Seconds after which a look-up that finds nothing counts: more than asked for where more was seen to pass."""
        return max(self._visible_after, HORIZON + 2 * self.lag)

    def clock(self) -> int:
        """About the exchange's time in milliseconds, without asking for it."""
        return self.ids.began_ms + int((trio.current_time() - self._began) * 1000)

    # ----------------------------------------------------------------------------------------------------------------
    # Running
    # ----------------------------------------------------------------------------------------------------------------

    async def run(
        self,
        guards: Iterable[Callable[..., Awaitable[None]]] = (),
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run until `stop`; started once the order stream is acknowledged and the guards (tasks beside it) are up."""
        with self._scope:
            async with open_nursery() as nursery:
                await start(nursery, self._follow)
                for guard in guards:
                    await start(nursery, guard)
                start_soon(nursery, self._reconcile_regularly)
                start_soon(nursery, self._check_regularly)
                await trio.lowlevel.checkpoint_if_cancelled()  # the last chance: from here on it is shielded
                self.work = nursery
                # From here on a cancellation from outside reaches the user's code, and what is in flight is finished.
                self._scope.shield = True
                task_status.started()
                try:
                    await trio.sleep_forever()
                finally:
                    if self.work is nursery:
                        self.work = None

    def stop(self) -> None:
        """End all tasks, and all waits for a change."""
        self._scope.cancel()
        for tracked in self.orders.values():
            tracked.phase = Phase.GONE
            tracked.notify()

    def start(self, function: Callable[[Tracked], Awaitable[None]], tracked: Tracked) -> None:
        """Run a task for an order."""
        if self.work is None:
            raise trio.ClosedResourceError("the session was left")
        start_soon(self.work, function, tracked)

    # ----------------------------------------------------------------------------------------------------------------
    # Evidence
    # ----------------------------------------------------------------------------------------------------------------

    def adopt(self, intent: Intent, *, resend: int = 0) -> Tracked:
        """Look after an order from now on."""
        tracked = self.orders[intent.client_order_id] = Tracked(OrderRecord(intent, self.shows_within), resend)
        return tracked

    def update(self, tracked: Tracked, change: Callable[[OrderRecord], object]) -> None:
        """Change a record, and see to everything that follows from it."""
        record = tracked.record
        filled, contradiction, counted = record.filled_size, record.contradiction, tracked.before is not None
        change(record)
        self._count(tracked, filled)
        if record.order_id is not None and self._by_order_id.setdefault(record.order_id, tracked) is tracked:
            self._check_echo(record)
        if record.contradiction != contradiction:
            self._contradicted(tracked)
        if record.closed:
            self._note_end(tracked, counted)
        if record.known in (Known.ENDED, Known.SETTLED, Known.ABSENT):
            self._ended(tracked)
        tracked.notify()

    def _count(self, tracked: Tracked, filled: Decimal) -> None:
        record = tracked.record
        if tracked.before is None:
            tracked.before = record.filled_size if record.decided else None
        elif record.filled_size != filled:
            key = record.intent.symbol, record.intent.side
            self.net[key] = total((self.net.get(key, ZERO), record.filled_size, filled.copy_negate()))

    def _contradicted(self, tracked: Tracked) -> None:
        """It was said not to exist, and does: nobody expects it, so it is taken back."""
        log.error("%s; it is cancelled", tracked.record.contradiction)
        self.journal.note(tracked.record.intent.entry())
        tracked.noted, tracked.phase, tracked.claim = None, Phase.FOLLOWED, Claim.ABANDONED
        if self.work is not None:
            start_soon(self.work, self.take_back, tracked)

    def _note_end(self, tracked: Tracked, counted: bool) -> None:
        record = tracked.record
        end = record.state, record.filled_size
        if tracked.noted == end:
            return
        if tracked.noted is None and record.state is OrderState.TRIGGERED and counted:
            self.triggered.append(record)
        tracked.noted = end
        self.journal.note(record.end_entry())
        if (
            self.journal.length > max(_COMPACT_ABOVE, 4 * (len(self.orders) - len(self._over)))
            and self.work is not None
        ):
            start_soon(self.work, self._compact)

    def _ended(self, tracked: Tracked) -> None:
        """See to it that what was executed gets known, and forget those that have been over for long."""
        record = tracked.record
        if tracked.phase in (Phase.READING, Phase.GONE) or (tracked.phase is Phase.OVER and record.whole):
            return
        now = trio.current_time()
        if tracked.phase is not Phase.OVER:
            self._over.append((now, tracked))
        if record.whole or self.work is None:
            tracked.phase = Phase.OVER
            if not record.settled:
                self._unchecked.append((now + self.shows_within, tracked))
        else:
            tracked.phase = Phase.READING
            start_soon(self.work, self._read_out, tracked)
        kept = max(_KEPT, 2 * self.visible_after)
        while self._over and self._over[0][0] < now - kept:
            _, old = self._over.popleft()
            if old.phase is Phase.OVER and old.record.closed:
                self.drop(old)

    def drop(self, tracked: Tracked) -> None:
        """Look after an order no longer."""
        self.orders.pop(tracked.record.intent.client_order_id, None)
        self._by_order_id.pop(tracked.record.order_id or "", None)

    def _check_echo(self, record: OrderRecord) -> None:
        if not self.echo.checking and self.work is not None and record.intent.kind == "order":
            assert record.order_id is not None
            self.echo.checking = True
            start_soon(self.work, self.echo.check, record.intent, record.order_id)

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

    def live_entries(self) -> Iterable[Entry]:
        """The intents that are not over, for the journal."""
        mine = [each.record.intent.entry() for each in self.orders.values() if each.noted is None]
        return itertools.chain(self._keep, self._released, mine)

    def release(self, tracked: Tracked) -> None:
        """Look after an order no longer; if it is not over, the journal keeps it for the next start."""
        if not tracked.record.closed:
            self._released.append(tracked.record.intent.entry())
            self.drop(tracked)

    # ----------------------------------------------------------------------------------------------------------------
    # Following
    # ----------------------------------------------------------------------------------------------------------------

    async def _follow(self, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  the next one does
        """Follow the order stream, for ever."""
        with self._following:
            await self._follow_for_ever(task_status)

    async def _follow_for_ever(self, task_status: trio.TaskStatus[None]) -> None:
        started, pause = False, FIRST_PAUSE
        while True:
            try:
                async with self.venue.pushes() as pushes:
                    if not started:
                        started = True
                        task_status.started()
                    self._look_now.set()
                    async for item in pushes:
                        pause = FIRST_PAUSE
                        self._hear(item)
            except (BitMartError, trio.ClosedResourceError) as error:
                if not started:
                    raise
                if self.closing:  # of a client that failed the streams are gone
                    self._following.cancel()
                # Orders are looked up on the slow clock all the same.
                log.warning("the order stream ended (%s); it is opened again in %.1f s", error, pause)
            await trio.sleep(pause)
            pause = min(2 * pause, 30.0)

    def _hear(self, item: object) -> None:
        """Take an item of the order stream."""
        try:
            sighting = None if isinstance(item, Gap) else self.venue.read(item)
        except BitMartError as error:
            log.warning("a message of the order stream cannot be read (%s); the open orders are", error)
            sighting = None
            self._look_now.set()
        if isinstance(item, Gap):
            self._look_now.set()
        elif sighting is not None:
            self.take(sighting)

    def take(self, sighting: Sighting) -> Tracked | None:
        """Take what a push or a list says of an order; whose it is, None for none of ours."""
        tracked = self._by_order_id.get(sighting.order_id)
        if tracked is None:
            tracked = self.orders.get(sighting.client_order_id or "")
        elif sighting.client_order_id is not None:
            self.echo.compare(tracked.record.intent.client_order_id, sighting.client_order_id)
        if tracked is not None:
            self.update(tracked, partial(OrderRecord.see, sighting=sighting, now=trio.current_time()))
        return tracked

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
        """Read all own open orders: those in the list at once, and those that left it one by one."""
        await trio.lowlevel.checkpoint()
        mine = [each for each in self.orders.values() if each.record.decided and not each.record.closed]
        if not mine:
            return
        failed: BitMartError | None = None
        listed = [self.take(sighting) for sighting in await self.venue.open_orders(self.symbols)]
        for tracked in mine:
            if tracked not in listed and not tracked.record.closed:
                try:
                    await (self.refresh if tracked.record.known is Known.ENDED else self.look)(tracked)
                except BitMartError as error:
                    failed = error  # the others are looked up all the same
        if failed is not None:
            raise failed

    async def look(self, tracked: Tracked) -> bool:
        """Look one order up; whether the exchange shows it."""
        record = tracked.record
        asked, had = trio.current_time(), record.decided
        sighting = await self.venue.look_up(record.intent, record.order_id)
        if sighting is not None:
            self.update(tracked, partial(OrderRecord.see, sighting=sighting, now=trio.current_time(), asked=asked))
            return True
        shown = record.shown_at
        if had and not record.closed and shown is not None and 0 < asked - shown < FORGOTTEN_AFTER:
            # The exchange had it and the look-up does not: so long may everything be missing.
            self.lag = max(self.lag, asked - shown)
        return False

    # ----------------------------------------------------------------------------------------------------------------
    # Reading what was executed
    # ----------------------------------------------------------------------------------------------------------------

    async def refresh(self, tracked: Tracked) -> None:
        """Look an order that is over up, and read its trades. Raises what reading raises, once both were tried."""
        record, failed = tracked.record, list[BitMartError]()

        async def attempt(read: Callable[[Tracked], Awaitable[object]]) -> None:  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
            try:
                await read(tracked)
            except BitMartError as error:
                failed.append(error)

        async with open_nursery() as nursery:
            start_soon(nursery, attempt, self.look)
            if record.order_id is not None and record.intent.kind == "order":
                start_soon(nursery, attempt, self._read_trades)
        if failed:
            raise failed[0]

    async def _read_trades(self, tracked: Tracked) -> None:
        record, asked = tracked.record, trio.current_time()
        assert record.order_id is not None
        try:
            fills: list[OrderFill] = await self.venue.fills(record.intent, record.order_id, record.filled_size)
        except OrderNotFound:  # it is not shown yet, which says nothing
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        self.update(tracked, partial(OrderRecord.read, fills=fills, asked=asked))

    async def confirm(self, tracked: Tracked) -> OrderStatus:
        """See the executed size of an order that is over confirmed. Goes on until it is.

        Raises:
            ApiError: the exchange will never show it, such as to a key without permission.
            trio.ClosedResourceError: the session was left.
        """
        record, pause = tracked.record, FIRST_PAUSE
        await trio.lowlevel.checkpoint()
        while not record.settled:
            tracked.require_session()
            try:
                await self.refresh(tracked)
            except BitMartError as error:
                tracked.trouble = error
                if not passing(error) and not self.closing:
                    raise
                log.debug("what %s filled is not confirmed yet: %s", record.intent.client_order_id, error)
            await self._pause_unless_settled(tracked, pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return record.status()

    @staticmethod
    async def _pause_unless_settled(tracked: Tracked, pause: float) -> None:
        await trio.lowlevel.checkpoint()
        if not tracked.record.settled:
            await tracked.pause(pause)

    async def _read_out(self, tracked: Tracked) -> None:
        """Read what an order that is said to be over has filled, until it is over without doubt and fill by fill."""
        record, pause = tracked.record, FIRST_PAUSE
        await trio.lowlevel.checkpoint()
        until = trio.current_time() + max(_READING, 2 * self.visible_after)
        while True:
            try:
                await self.refresh(tracked)
            except BitMartError as error:
                if not passing(error):
                    log.warning("what %s filled cannot be read: %s", record.intent.client_order_id, error)
                    break
                log.debug("what %s filled is still unknown: %s", record.intent.client_order_id, error)
            if record.whole:
                break
            if trio.current_time() > until:
                log.warning("not all fills of %s can be had", record.intent.client_order_id)
                break
            await tracked.pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if tracked.phase is Phase.READING:
            tracked.phase = Phase.OVER
        if not record.settled:
            self._unchecked.append((trio.current_time() + self.shows_within, tracked))
        tracked.notify()

    async def _check_regularly(self) -> None:
        """Look once more, later and one by one, at orders that ended in part, or by one side's word only."""
        while True:
            await trio.sleep(_CHECK_EVERY)
            if not self._unchecked or self._unchecked[0][0] > trio.current_time():
                continue
            _, tracked = self._unchecked.popleft()
            if not tracked.record.settled and tracked.phase is Phase.OVER:
                try:
                    await self.refresh(tracked)
                except BitMartError as error:
                    log.debug("%s could not be checked: %s", tracked.record.intent.client_order_id, error)

    # ----------------------------------------------------------------------------------------------------------------
    # Cancelling
    # ----------------------------------------------------------------------------------------------------------------

    async def take_back(self, tracked: Tracked) -> None:
        """Cancel an order that nobody holds."""
        tracked.recall()
        await trio.lowlevel.checkpoint()
        try:
            await self.cancel(tracked)
        except BitMartError as error:
            log.warning("%s could not be taken back: %s", tracked.record.intent.client_order_id, error)

    async def cancel(self, tracked: Tracked) -> OrderStatus:
        """See an order closed: cancelled if it is open by then. Goes on until that is confirmed.

        Raises:
            ApiError: the exchange will never accept the cancel, such as for a key without permission.
            trio.ClosedResourceError: the session was left.
        """
        record = tracked.record
        await tracked.until(lambda: record.decided)
        pause = FIRST_PAUSE
        while not record.closed:
            tracked.require_session()
            wait = pause
            try:
                missing = record.known is Known.LIVE and not await self.send_cancel(tracked)
                await self._see_closed(tracked, missing=missing)
            except BitMartError as error:
                tracked.trouble = error
                if not passing(error):
                    if not self.closing:
                        raise
                    wait = LONGEST_PAUSE  # on the way out there is nothing better to do than to ask again
                if isinstance(error, RateLimited):
                    wait = max(pause, error.retry_after)
                log.debug("the cancel of %s is tried again: %s", record.intent.client_order_id, error)
            if not record.closed:
                await tracked.pause(wait)
                pause = min(2 * pause, LONGEST_PAUSE)
        return record.status()

    async def send_cancel(self, tracked: Tracked) -> bool:
        """Send one cancel and note the answer; False when the exchange knows no such order."""
        record = tracked.record
        try:
            await self.venue.cancel(record.intent, record.order_id)
        except OrderNotFound:
            self.update(tracked, partial(OrderRecord.cancelled, reply=CancelReply.MISSED))
            return False  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        except OrderClosed as error:
            log.debug("%s: %s", record.intent.client_order_id, error)
            self.update(tracked, OrderRecord.existed)
            self.update(tracked, partial(OrderRecord.cancelled, reply=CancelReply.MISSED))
            return True  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        except BitMartError:
            self.update(tracked, partial(OrderRecord.cancelled, reply=CancelReply.POSSIBLE))
            raise
        self.update(tracked, partial(OrderRecord.cancelled, reply=CancelReply.TAKEN))
        return True

    async def _see_closed(self, tracked: Tracked, *, missing: bool) -> None:
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

        shown = True  # by the push, where that ends the look-up
        async with open_nursery() as nursery:
            start_soon(nursery, hear, nursery.cancel_scope)
            shown = await self.look(tracked)
            if record.known is Known.ENDED and not record.closed:
                await self.refresh(tracked)
            nursery.cancel_scope.cancel()
        long_ago = trio.current_time() - FORGOTTEN_AFTER - self.shows_within
        if missing and not shown and self.venue.forgets and (record.shown_at or 0.0) < long_ago:
            log.info("%s is no longer known to the exchange", record.intent.client_order_id)
            self.update(tracked, OrderRecord.forget)
