"""Run a session: follow pushes, look orders up, reconcile, cancel, and read what was executed.

Everything that must outlive the user's code runs in shielded tasks of the session. The exit guard (``_guard.py``)
bounds that shield. ``_placing.py`` places orders and finds those that were cut off; ``_evidence.py`` decides what is
known of an order.
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
from ._adapter import MarketAdapter, is_transient
from ._echo import Echo
from ._evidence import FORGOTTEN_AFTER, HORIZON, CancelReply, ExchangeClock, Known, OrderRecord, OrderReport
from ._ids import OrderIds
from ._journal import Entry, Journal
from ._order import ZERO, Intent, OrderFill, OrderState, OrderStatus
from ._tracked import Claim, Phase, Tracked

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
_READING: Final = 120.0
"""Seconds, at least, for which the fills of an order that is over are queried."""
_PUSH_TAKES: Final = 0.1
"""Seconds to wait for a push before a look-up is spent."""
_KEPT: Final = 180.0
"""Seconds, at least, for which an order that is over accepts late messages."""
_CHECKS: Final = 1000
_CHECK_EVERY: Final = 1.0
_COMPACT_ABOVE: Final = 4000


@protected
class Engine:
    """The engine of one running session.

    Args:
        adapter: translates for the market.
        journal: already open.
        ids: makes client order ids.
        symbols: the symbols that the session trades.
        reconcile: seconds between two readings of all open orders, besides the pushes.
        visible_after: seconds from a request's timestamp after which its effect must show.
        keep: entries of the journal that belong to other sessions.
    """

    def __init__(
        self,
        adapter: MarketAdapter,
        journal: Journal,
        ids: OrderIds,
        symbols: tuple[str, ...],
        reconcile: float,
        *,
        visible_after: float = 90.0,
        keep: Collection[Entry] = (),
    ) -> None:
        self.adapter: MarketAdapter = adapter
        self.journal: Journal = journal
        self.ids: OrderIds = ids
        self.symbols: tuple[str, ...] = symbols
        self.orders: dict[str, Tracked] = {}
        """Orders by client order id: open ones, and those that still accept late messages."""
        self.net: dict[tuple[str, str], Decimal] = {}
        """Sizes filled since the session began, by symbol and side."""
        self.triggered: list[OrderRecord] = []
        """The take-profits and stop-losses that triggered since it began: their fills are not in `net`."""
        self.closing: bool = False
        """True while the session is being left: no new order is accepted."""
        self.recalls: int = 0
        """The number of calls that asked to cancel all orders."""
        self.work: trio.Nursery | None = None
        """The nursery for new tasks; None once nothing runs."""
        self.exchange: ExchangeClock = ExchangeClock()
        self.echo: Echo = Echo(adapter)
        self.shows_within: float = max(0.0, visible_after - HORIZON)
        """Seconds until an action of the exchange must show."""
        self.lag: float = 0.0
        """The longest time (seconds) for which an existing order was missing from a look-up."""
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
        """Seconds after which a look-up that finds nothing counts; grows when the exchange is seen to be slower."""
        return max(self._visible_after, HORIZON + 2 * self.lag)

    def clock(self) -> int:
        """Return the exchange's estimated time in milliseconds, without a request."""
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
        """Run until `stop`; count as started once the order stream is acknowledged and the guards (other tasks) run."""
        with self._scope:
            async with open_nursery() as nursery:
                await start(nursery, self._follow)
                for guard in guards:
                    await start(nursery, guard)
                start_soon(nursery, self._reconcile_regularly)
                start_soon(nursery, self._check_regularly)
                await trio.lowlevel.checkpoint_if_cancelled()  # the last checkpoint before the shield
                self.work = nursery
                # From here on an outside cancellation reaches the user's code only, and what is in flight is finished.
                self._scope.shield = True
                task_status.started()
                try:
                    await trio.sleep_forever()
                finally:
                    if self.work is nursery:
                        self.work = None

    def stop(self) -> None:
        """End all tasks and all waits for a change."""
        self._scope.cancel()
        for tracked in self.orders.values():
            tracked.phase = Phase.GONE
            tracked.notify()

    def start(self, function: Callable[[Tracked], Awaitable[None]], tracked: Tracked) -> None:
        """Start a task for an order."""
        if self.work is None:
            raise trio.ClosedResourceError("the session was left")
        start_soon(self.work, function, tracked)

    # ----------------------------------------------------------------------------------------------------------------
    # Evidence
    # ----------------------------------------------------------------------------------------------------------------

    def adopt(self, intent: Intent, *, resend: int = 0) -> Tracked:
        """Track an order from now on."""
        tracked = self.orders[intent.client_order_id] = Tracked(OrderRecord(intent, self.shows_within), resend)
        return tracked

    def update(self, tracked: Tracked, change: Callable[[OrderRecord], object]) -> None:
        """Change a record and handle all consequences."""
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
        """Cancel an order that exists although it was reported absent: nobody expects it."""
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
        """Have the executed size read, and forget orders that ended long ago."""
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
        """Stop tracking an order."""
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
                log.warning("the journal could not be compacted and keeps growing: %s", error)
            finally:
                self._compacting = False

    def live_entries(self) -> Iterable[Entry]:
        """Return the journal entries of the intents that are not over."""
        mine = [each.record.intent.entry() for each in self.orders.values() if each.noted is None]
        return itertools.chain(self._keep, self._released, mine)

    def release(self, tracked: Tracked) -> None:
        """Stop tracking an order; if it is not over, the journal keeps it for the next start."""
        if not tracked.record.closed:
            self._released.append(tracked.record.intent.entry())
            self.drop(tracked)

    # ----------------------------------------------------------------------------------------------------------------
    # Following
    # ----------------------------------------------------------------------------------------------------------------

    async def _follow(self, *, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  the next one does
        """Follow the order stream and reopen it whenever it ends."""
        with self._following:
            await self._follow_for_ever(task_status)

    async def _follow_for_ever(self, task_status: trio.TaskStatus[None]) -> None:
        started, pause = False, FIRST_PAUSE
        while True:
            try:
                async with self.adapter.pushes() as pushes:
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
                if self.closing:  # a client that failed has no streams any more
                    self._following.cancel()
                # Orders are still looked up at the slow interval.
                log.warning("the order stream ended (%s); it reopens in %.1f s", error, pause)
            await trio.sleep(pause)
            pause = min(2 * pause, 30.0)

    def _hear(self, item: object) -> None:
        """Handle one item of the order stream."""
        try:
            report = None if isinstance(item, Gap) else self.adapter.read(item)
        except BitMartError as error:
            log.warning("a message of the order stream cannot be read (%s); reading the open orders instead", error)
            report = None
            self._look_now.set()
        if isinstance(item, Gap):
            self._look_now.set()
        elif report is not None:
            self.take(report)

    def take(self, report: OrderReport) -> Tracked | None:
        """Apply what a push or a list says of an order; return that order, or None if it is not ours."""
        tracked = self._by_order_id.get(report.order_id)
        if tracked is None:
            tracked = self.orders.get(report.client_order_id or "")
        elif report.client_order_id is not None:
            self.echo.compare(tracked.record.intent.client_order_id, report.client_order_id)
        if tracked is not None:
            self.update(tracked, partial(OrderRecord.see, report=report, now=trio.current_time()))
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
                if is_transient(error):
                    await trio.sleep(min(self._reconcile, 1.0))
                    self._look_now.set()

    async def reconcile(self) -> None:
        """Read all own open orders: those in the list at once, those that left it one by one."""
        await trio.lowlevel.checkpoint()
        mine = [each for each in self.orders.values() if each.record.decided and not each.record.closed]
        if not mine:
            return
        failed: BitMartError | None = None
        listed = [self.take(report) for report in await self.adapter.open_orders(self.symbols)]
        for tracked in mine:
            if tracked not in listed and not tracked.record.closed:
                try:
                    await (self.refresh if tracked.record.known is Known.ENDED else self.look)(tracked)
                except BitMartError as error:
                    failed = error  # the others are still looked up
        if failed is not None:
            raise failed

    async def look(self, tracked: Tracked) -> bool:
        """Look one order up; return True if the exchange shows it."""
        record = tracked.record
        asked, had = trio.current_time(), record.decided
        report = await self.adapter.look_up(record.intent, record.order_id)
        if report is not None:
            self.update(tracked, partial(OrderRecord.see, report=report, now=trio.current_time(), asked=asked))
            return True
        shown = record.shown_at
        if had and not record.closed and shown is not None and 0 < asked - shown < FORGOTTEN_AFTER:
            # The exchange had the order and the look-up lacks it: anything may be missing for as long.
            self.lag = max(self.lag, asked - shown)
        return False

    # ----------------------------------------------------------------------------------------------------------------
    # Reading what was executed
    # ----------------------------------------------------------------------------------------------------------------

    async def refresh(self, tracked: Tracked) -> None:
        """Look up an order that is over and read its trades; raise what reading raised, once both were tried."""
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
            fills: list[OrderFill] = await self.adapter.fills(record.intent, record.order_id, record.filled_size)
        except OrderNotFound:  # not shown yet, which proves nothing
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        self.update(tracked, partial(OrderRecord.read, fills=fills, asked=asked))

    async def confirm(self, tracked: Tracked) -> OrderStatus:
        """Read until the executed size of an order that is over is confirmed.

        Raises:
            ApiError: the exchange will never show it, for example because the key lacks the permission.
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
                if not is_transient(error) and not self.closing:
                    raise
                log.debug("the filled size of %s is not confirmed yet: %s", record.intent.client_order_id, error)
            await self._pause_unless_settled(tracked, pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return record.status()

    @staticmethod
    async def _pause_unless_settled(tracked: Tracked, pause: float) -> None:
        await trio.lowlevel.checkpoint()
        if not tracked.record.settled:
            await tracked.pause(pause)

    async def _read_out(self, tracked: Tracked) -> None:
        """Read the fills of an order that is reported over, until its end and each fill are confirmed."""
        record, pause = tracked.record, FIRST_PAUSE
        await trio.lowlevel.checkpoint()
        until = trio.current_time() + max(_READING, 2 * self.visible_after)
        while True:
            try:
                await self.refresh(tracked)
            except BitMartError as error:
                if not is_transient(error):
                    log.warning("the fills of %s cannot be read: %s", record.intent.client_order_id, error)
                    break
                log.debug("the fills of %s are still unknown: %s", record.intent.client_order_id, error)
            if record.whole:
                break
            if trio.current_time() > until:
                log.warning("the exchange does not return all fills of %s", record.intent.client_order_id)
                break
            await tracked.pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if tracked.phase is Phase.READING:
            tracked.phase = Phase.OVER
        if not record.settled:
            self._unchecked.append((trio.current_time() + self.shows_within, tracked))
        tracked.notify()

    async def _check_regularly(self) -> None:
        """Look up later, one by one, orders that ended partly filled, or whose end only one source reports."""
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
        """Cancel an order whose handle nobody has."""
        tracked.recall()
        await trio.lowlevel.checkpoint()
        try:
            await self.cancel(tracked)
        except BitMartError as error:
            log.warning("%s could not be cancelled: %s", tracked.record.intent.client_order_id, error)

    async def cancel(self, tracked: Tracked) -> OrderStatus:
        """Cancel an order if it is open, and return once its end is confirmed.

        Raises:
            ApiError: the exchange will never accept the cancel, for example because the key lacks the permission.
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
                if not is_transient(error):
                    if not self.closing:
                        raise
                    wait = LONGEST_PAUSE  # while leaving there is nothing better to do than to ask again
                if isinstance(error, RateLimited):
                    wait = max(pause, error.retry_after)
                log.debug("the cancel of %s is retried: %s", record.intent.client_order_id, error)
            if not record.closed:
                await tracked.pause(wait)
                pause = min(2 * pause, LONGEST_PAUSE)
        return record.status()

    async def send_cancel(self, tracked: Tracked) -> bool:
        """Send one cancel and record the answer; return False if the exchange knows no such order."""
        record = tracked.record
        try:
            await self.adapter.cancel(record.intent, record.order_id)
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
        """After a cancel, wait for a push or look the order up, whichever is first; look-ups may wait for quota."""
        record = tracked.record
        await trio.lowlevel.checkpoint()
        if not record.closed and not self._following.cancel_called:
            await tracked.pause(_PUSH_TAKES)
        if record.closed:
            return

        async def hear(scope: trio.CancelScope) -> None:
            await tracked.until(lambda: record.closed)
            scope.cancel()

        shown = True  # a push ends the look-up
        async with open_nursery() as nursery:
            start_soon(nursery, hear, nursery.cancel_scope)
            shown = await self.look(tracked)
            if record.known is Known.ENDED and not record.closed:
                await self.refresh(tracked)
            nursery.cancel_scope.cancel()
        long_ago = trio.current_time() - FORGOTTEN_AFTER - self.shows_within
        if missing and not shown and self.adapter.forgets and (record.shown_at or 0.0) < long_ago:
            log.info("%s is no longer known to the exchange", record.intent.client_order_id)
            self.update(tracked, OrderRecord.forget)
