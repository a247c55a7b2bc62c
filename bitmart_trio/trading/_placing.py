"""Place orders, and settle those that were cut off: each is found, or proven absent.

A cancelled ``submit`` abandons the wait for an answer, never the request in flight: the task that sends it also learns
its outcome.

An order that was cut off is settled as follows (`Placer.resolve`): it is looked up by its client order id until it is
found, here or in a push, or until a look-up that finds nothing counts (``_evidence.py``). Even that is only a look-up,
and lists may lag. So finally a cancel by the client order id asks the order books themselves: if it is accepted, the
order was there and no longer is; "no such order" proves it absent, and only then may it be sent again.
"""

from __future__ import annotations

import logging
import math
from functools import partial

import trio

from .._io.flight import FLIGHT, Flight
from .._scopes import protected, start_soon
from ..errors import BitMartError, DuplicateRequest, JournalError, OrderNotPlaced, TradingError
from ._echo import Kept
from ._engine import FIRST_PAUSE, LONGEST_PAUSE, Engine
from ._evidence import Known, OrderRecord, Sent
from ._tracked import Claim, Phase, Tracked

log = logging.getLogger(__name__)


@protected
class Placer:
    """Places the orders of one session.

    Args:
        engine: of the session.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def send(self, tracked: Tracked) -> None:
        """Start placing an order."""
        self._engine.start(self.place, tracked)
        tracked.phase = Phase.PLACING

    def abandon(self, tracked: Tracked) -> None:
        """Give up an order that nobody waits for: do not send it, or cancel it if it was sent."""
        engine = self._engine
        tracked.claim = Claim.ABANDONED
        tracked.flight.abandon()
        if engine.work is not None:
            start_soon(engine.work, engine.take_back, tracked)

    async def place(self, tracked: Tracked) -> None:
        """Record an order, send it, and settle it. Errors of the order are in its record, not raised."""
        tracked.phase = Phase.PLACING
        update = self._engine.update
        try:
            await self._place(tracked)
        finally:
            # It still has no answer here only if this task was ended from outside.
            if tracked.record.known is Known.WRITTEN:
                sent = self._sent(tracked)
                if sent is None:
                    update(tracked, partial(OrderRecord.reject, error=_not_sent(tracked)))
                else:
                    update(tracked, partial(OrderRecord.lose, sent=sent, error=None))
            self._placed(tracked)

    @staticmethod
    def _placed(tracked: Tracked) -> None:
        if tracked.phase is Phase.PLACING:
            tracked.phase = Phase.FOLLOWED
            tracked.notify()

    @staticmethod
    def _sent(tracked: Tracked) -> Sent | None:
        """Return the request that is in flight, if any."""
        stamp = tracked.flight.stamp
        return None if stamp is None else Sent(stamp, tracked.flight.left_at)

    async def _place(self, tracked: Tracked) -> None:
        engine, record, intent = self._engine, tracked.record, tracked.record.intent
        update = engine.update
        await trio.lowlevel.checkpoint()
        try:
            await engine.journal.append(intent.entry())
        except BitMartError as error:
            update(tracked, partial(OrderRecord.reject, error=error))
            return
        except Exception as error:  # noqa: BLE001  a journal of somebody else's: it fails the order, not the session
            failed = JournalError(f"the journal failed: {error}")
            failed.__cause__ = error
            update(tracked, partial(OrderRecord.reject, error=failed))
            return
        while True:
            flight = tracked.flight
            if tracked.claim is Claim.ABANDONED:
                flight.abandon()
            cut_off, sent = await self._send(tracked, flight)
            if record.decided:
                return
            update(tracked, partial(OrderRecord.lose, sent=sent, error=cut_off))
            log.info("%s was cut off (%s); looking for it", intent.client_order_id, cut_off)
            if not await self.resolve(tracked):
                return
            burnt = isinstance(cut_off, DuplicateRequest)
            if burnt or tracked.resend <= 0 or tracked.claim is Claim.ABANDONED or engine.closing:
                update(tracked, partial(OrderRecord.reject, error=never_arrived(record)))
                return
            tracked.resend -= 1
            tracked.flight = Flight()
            log.info("%s never arrived; sending it again", intent.client_order_id)

    async def _send(self, tracked: Tracked, flight: Flight) -> tuple[Exception | None, Sent | None]:
        """Send an order once; return what cut it off, and the request that may still arrive."""
        engine, intent = self._engine, tracked.record.intent
        watching = FLIGHT.set(flight)
        try:
            with flight.scope:
                order_id = await engine.adapter.place(intent)
                flight.stamp = None
                engine.update(tracked, partial(OrderRecord.accept, order_id=order_id, now=trio.current_time()))
        except DuplicateRequest as error:
            # Ids are never reused, so the exchange may have this very order; or the id is burnt, and no order exists.
            return error, Sent(engine.clock(), trio.current_time())  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to the order and not to the session
            if flight.stamp is None:
                engine.update(tracked, partial(OrderRecord.reject, error=error))
            return error, self._sent(tracked)  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        else:
            if flight.scope.cancelled_caught and flight.stamp is None:
                engine.update(tracked, partial(OrderRecord.reject, error=_not_sent(tracked)))
            return None, self._sent(tracked)
        finally:
            FLIGHT.reset(watching)

    # ----------------------------------------------------------------------------------------------------------------
    # Orders that were cut off
    # ----------------------------------------------------------------------------------------------------------------

    async def settle(self, tracked: Tracked) -> None:
        """Settle an order of an earlier run that may still be in flight; cancel it if it turns up abandoned."""
        tracked.phase = Phase.PLACING
        try:
            await self.see_decided(tracked)
        finally:
            self._placed(tracked)
        if tracked.claim is Claim.ABANDONED:
            await self._engine.take_back(tracked)

    async def watch(self, tracked: Tracked) -> None:
        """Settle an order of an earlier run, but leave it open if it turns up."""
        await self.settle(tracked)
        self._engine.release(tracked)

    async def see_decided(self, tracked: Tracked) -> None:
        """Find an order that was cut off, or reject it once it is proven absent."""
        if await self.resolve(tracked):
            self._engine.update(tracked, partial(OrderRecord.reject, error=never_arrived(tracked.record)))

    async def resolve(self, tracked: Tracked) -> bool:
        """Find an order that was cut off; return True if it is proven absent, False once it is found."""
        engine, record = self._engine, tracked.record
        await trio.lowlevel.checkpoint()
        pause = FIRST_PAUSE
        while not record.decided:
            try:
                # The time first: an order missing from a look-up that began after the horizon can never arrive.
                engine.exchange.take(await engine.adapter.now(), trio.current_time())
                ahead = self._absent_in(record)
                if not await engine.look(tracked) and ahead <= 0 and await self._not_in_the_books(tracked):
                    return True
            except BitMartError as error:
                tracked.trouble = error
                log.debug("%s could not be looked up: %s", record.intent.client_order_id, error)
                ahead = LONGEST_PAUSE
            if not record.decided:
                await tracked.pause(min(pause, max(ahead, FIRST_PAUSE)))
                pause = min(2 * pause, LONGEST_PAUSE)
        return False

    def _absent_in(self, record: OrderRecord) -> float:
        """Return the seconds until a look-up that finds nothing counts."""
        engine = self._engine
        if record.sent is None:
            return math.inf
        return record.sent.absent_from(engine.exchange, engine.visible_after, trio.current_time())

    async def _not_in_the_books(self, tracked: Tracked) -> bool:
        """Ask the order books, by a cancel, for an order that no look-up finds."""
        engine, name = self._engine, tracked.record.intent.client_order_id
        if engine.echo.kept is Kept.CHANGED:
            raise TradingError(f"{name} cannot be proven absent: the exchange changes client order ids")
        had = await engine.send_cancel(tracked)
        if had:
            tracked.recall()
            log.error("%s was missing from look-ups, but a cancel found it: raise visible_after", name)
        return not had and not tracked.record.decided


def _not_sent(tracked: Tracked) -> OrderNotPlaced:
    return OrderNotPlaced("it was never sent", client_order_id=tracked.record.intent.client_order_id)


def never_arrived(record: OrderRecord) -> OrderNotPlaced:
    """Return the error of an order that is proven absent."""
    name = record.intent.client_order_id
    if isinstance(record.error, DuplicateRequest):
        why = (
            f"the exchange refuses the client order id {name} as used, and has no order under it: the id is burnt, "
            "and the next submit takes a fresh one"
        )
    else:
        why = "it was cut off in flight and never arrived: the exchange can no longer accept it, and does not have it"
    error = OrderNotPlaced(why, client_order_id=name)
    error.__cause__ = record.error
    return error
