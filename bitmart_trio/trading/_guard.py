"""Leave a session: close its own orders, confirm each within a deadline, and report the result.

The guard can work by look-ups alone, for when a program fails the client's sockets may be gone. It runs in a shield
with a deadline, and never replaces the error that the program is leaving with: what could not be confirmed is raised if
there is no error, or only a cancellation, and is a note on any other error.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Literal, Protocol, TypeAlias, cast

import attrs
import trio

from .._scopes import open_nursery, protected, start_soon
from ..errors import BitMartError, ExitUnconfirmed
from ..models._model import Model
from ._echo import Kept
from ._engine import Engine
from ._order import OrderState, OrderStatus
from ._placing import Placer
from ._tracked import Claim, Phase, Tracked

log = logging.getLogger(__name__)

OnExit: TypeAlias = Literal["cancel", "leave", "close"]
"""The treatment of a session's open orders, and on futures of its positions, when it is left."""


class PositionCloser(Protocol):
    """Closes the positions that a session has opened."""

    async def close(self) -> None:
        """Close the positions, and return once that is confirmed."""
        ...

    def closing(self) -> list[Tracked]:
        """The orders that did it."""
        ...

    def still_open(self) -> list[str]:
        """The symbols where something may be left."""
        ...


@attrs.frozen(kw_only=True)
class ExitReport(Model):
    """The result of leaving a session, and how much of it is confirmed."""

    cancelled: tuple[OrderStatus, ...] = ()
    """Orders cancelled by us or anybody; ``filled_size`` is what was filled of each."""
    filled: tuple[OrderStatus, ...] = ()
    """Orders filled before the cancel arrived."""
    never_placed: tuple[OrderStatus, ...] = ()
    """Orders that were in flight and are proven not to exist."""
    left_open: tuple[OrderStatus, ...] = ()
    """Orders left open by ``on_exit="leave"``; and those left, open or unknown, by ``leftovers="leave"``."""
    unconfirmed: tuple[OrderStatus, ...] = ()
    """Orders that may be open, or filled by more than is known. The journal keeps them for the next start."""
    closing: tuple[OrderStatus, ...] = ()
    """The orders that closed the session's positions (``on_exit="close"``)."""
    positions_unconfirmed: tuple[str, ...] = ()
    """Symbols with a position of the session that may still be open (``on_exit="close"``)."""
    sizes_unconfirmed: tuple[OrderStatus, ...] = ()
    """Orders that are over, but whose executed size was not proven by the deadline: late fills may add to it."""
    errors: tuple[str, ...] = ()
    """The errors that kept the rest from being confirmed."""
    seconds: float
    """Seconds that leaving took."""

    @property
    def confirmed(self) -> bool:
        """Return True if everything is confirmed to be as asked for, executed sizes included."""
        return not (self.unconfirmed or self.positions_unconfirmed or self.sizes_unconfirmed)

    def __str__(self) -> str:
        parts = [
            f"{len(found)} {name}"
            for name, found in (
                ("cancelled", self.cancelled),
                ("filled", self.filled),
                ("never placed", self.never_placed),
                ("left open", self.left_open),
                ("to close positions", self.closing),
                ("UNCONFIRMED", self.unconfirmed),
            )
            if found
        ]
        if self.sizes_unconfirmed:
            parts.append(f"{len(self.sizes_unconfirmed)} with an UNCONFIRMED size")
        parts += [f"position in {symbol} UNCONFIRMED" for symbol in self.positions_unconfirmed]
        summary = f"{', '.join(parts) or 'nothing was open'} in {self.seconds:.1f} s"
        doubts = [
            f"{what}: {', '.join(each.client_order_id for each in found)}"
            for what, found in (("may be open", self.unconfirmed), ("may be filled by more", self.sizes_unconfirmed))
            if found
        ]
        return "; ".join([summary, *doubts, *self.errors])


@protected
class ExitGuard:
    """The guard that leaves one session.

    Args:
        engine: the session's engine.
        placer: settles the session's orders that were cut off.
        on_exit: what to do with open orders.
        deadline: seconds.
        positions: closes positions, for ``"close"``.
    """

    def __init__(
        self,
        engine: Engine,
        placer: Placer,
        on_exit: OnExit,
        deadline: float,
        positions: PositionCloser | None = None,
    ) -> None:
        self._engine = engine
        self._placer = placer
        self._on_exit = on_exit
        self._deadline = deadline
        self._positions = positions
        self._errors: list[str] = []

    async def leave(self) -> ExitReport:  # noqa: ASYNC910  a cancellation must not keep it from its work
        """Leave the session within the deadline; never raise because of the exchange or the network."""
        engine, began = self._engine, trio.current_time()
        engine.closing = True
        await trio.lowlevel.cancel_shielded_checkpoint()
        mine = [each for each in engine.orders.values() if not each.record.closed]
        ended = set[Tracked]()
        with trio.move_on_after(self._deadline, shield=True):
            # Again for orders that turn up meanwhile although they were reported absent.
            while found := [each for each in engine.orders.values() if each not in ended and self._to_end(each)]:
                for tracked in found:
                    tracked.flight.abandon()  # what has not been sent yet is not sent
                async with open_nursery() as nursery:
                    for tracked in found:
                        start_soon(nursery, self._end, tracked)
                ended.update(each for each in found if not each.record.closed)
            await self._confirm_sizes()
            if self._positions is not None:
                # The engine's own tasks may have been ended by an error.
                async with open_nursery() as nursery:
                    engine.work = nursery
                    try:
                        await self._positions.close()
                    except BitMartError as error:
                        self._errors.append(f"positions: {error}")
                    nursery.cancel_scope.cancel()  # somebody may still be reading fills
        engine.work = None
        late = [each for each in engine.orders.values() if each not in mine and not each.record.closed]
        return self._report([*mine, *late], trio.current_time() - began)

    async def _confirm_sizes(self) -> None:
        """Wait until the executed sizes of the orders that are over are proven."""
        async with open_nursery() as nursery:
            for tracked in self._engine.orders.values():
                if tracked.record.closed and not tracked.record.settled:
                    start_soon(nursery, self._confirm_size, tracked)

    async def _confirm_size(self, tracked: Tracked) -> None:
        """Ask until the size is proven; if the push of the end is missing, not before an answer can prove it."""
        engine, record = self._engine, tracked.record
        await trio.lowlevel.checkpoint()
        try:
            await engine.refresh(tracked)
        except BitMartError as error:
            tracked.trouble = error
            log.debug("the size of %s is not confirmed yet: %s", record.intent.client_order_id, error)
        with suppress(trio.ClosedResourceError):
            if record.ended_at is not None:
                with trio.move_on_at(record.ended_at + engine.shows_within):
                    await tracked.until(lambda: record.settled or record.end_was_pushed)
            await engine.confirm(tracked)

    def _to_end(self, tracked: Tracked) -> bool:
        record = tracked.record
        spared = tracked.claim is Claim.SPARED or (self._left_open(tracked) and record.decided)
        return not record.closed and not spared

    def _left_open(self, tracked: Tracked) -> bool:
        # Orders whose handle nobody has (their submit was cancelled) are cancelled, even if the others are left.
        return tracked.claim is Claim.SPARED or (self._on_exit == "leave" and tracked.claim is not Claim.ABANDONED)

    async def _end(self, tracked: Tracked) -> None:
        engine, record = self._engine, tracked.record
        await trio.lowlevel.checkpoint()
        try:
            # The order's own task goes on looking for it; if an error ended that task, we do.
            await tracked.until(lambda: record.decided or tracked.phase is not Phase.PLACING)
            await self._placer.see_decided(tracked)
            if not self._left_open(tracked):
                await engine.cancel(tracked)
        except (BitMartError, trio.ClosedResourceError) as error:
            self._errors.append(f"{record.intent.client_order_id}: {error}")

    def _report(self, mine: list[Tracked], seconds: float) -> ExitReport:
        positions = self._positions
        closing = [] if positions is None else positions.closing()
        if self._engine.echo.kept is Kept.CHANGED:
            self._errors.append("the exchange does not show client order ids as they were sent")
        found: dict[str, list[OrderStatus]] = {"cancelled": [], "filled": [], "never": [], "left": [], "doubt": []}
        for tracked in mine:
            record = tracked.record
            match record.state:
                case OrderState.FILLED | OrderState.TRIGGERED:
                    name = "filled"
                case OrderState.CANCELLED:
                    name = "cancelled"
                case OrderState.REJECTED:
                    name = "never"
                case OrderState.OPEN if self._left_open(tracked):
                    name = "left"
                case _ if tracked.claim is Claim.SPARED:
                    name = "left"
                case _:
                    name = "doubt"
                    if tracked.trouble is not None:
                        self._errors.append(f"{record.intent.client_order_id}: {tracked.trouble}")
            found[name].append(record.status())
        over = [each.record for each in self._engine.orders.values() if each.record.closed]
        return ExitReport(
            sizes_unconfirmed=tuple(each.status() for each in over if not each.settled),
            cancelled=tuple(found["cancelled"]),
            filled=tuple(found["filled"]),
            never_placed=tuple(found["never"]),
            left_open=tuple(found["left"]),
            unconfirmed=tuple(found["doubt"]),
            closing=tuple(each.record.status() for each in closing),
            positions_unconfirmed=() if positions is None else tuple(positions.still_open()),
            errors=tuple(self._errors),
            seconds=seconds,
        )


def announce(report: ExitReport, leaving: BaseException | None) -> None:
    """Log a report, and raise if it is not confirmed; to be called last.

    Args:
        report: of the exit.
        leaving: the error that leaves the block; None for none.

    Raises:
        ExitUnconfirmed: not everything is confirmed, and no error but a cancellation is leaving.
    """
    if report.confirmed:
        log.info("left the session: %s", report)
        return
    log.error("left the session: %s", report)
    unconfirmed = ExitUnconfirmed(str(report), report=report)
    if leaving is None or _only_cancelled(leaving):
        raise unconfirmed
    leaving.add_note(f"left the session: {report}")


def _only_cancelled(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", error).split(trio.Cancelled)[1] is None
    return isinstance(error, trio.Cancelled)
