"""Leaving a session: close what is its own, confirm each, within a deadline, and report what is confirmed.

The guard works by look-ups alone where it must, for on the way out of a program that failed the client's sockets may be
gone. It runs in a shield with a deadline, and never replaces the error that the program is leaving with: what could not
be confirmed is raised when there is no error, or none but a cancellation, and is a note on any other error.
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
"""What becomes of a session's open orders, and on futures of its positions, when it is left."""


class PositionCloser(Protocol):
    """Closes what a session has opened."""

    async def close(self) -> None:
        """Close it, and return once that is certain."""
        ...

    def closing(self) -> list[Tracked]:
        """The orders that did it."""
        ...

    def still_open(self) -> list[str]:
        """The symbols where something may be left."""
        ...


@attrs.frozen(kw_only=True)
class ExitReport(Model):
    """What leaving a session achieved, and what of it is confirmed."""

    cancelled: tuple[OrderStatus, ...] = ()
    """Open before, closed now by our cancel or anybody's; ``filled_size`` says what was filled of each."""
    filled: tuple[OrderStatus, ...] = ()
    """Open before, and filled before the cancel came."""
    never_placed: tuple[OrderStatus, ...] = ()
    """In flight before, and proven not to exist."""
    left_open: tuple[OrderStatus, ...] = ()
    """Still open, as ``on_exit="leave"`` asked for; and what ``leftovers="leave"`` asked to leave, open or unknown."""
    unconfirmed: tuple[OrderStatus, ...] = ()
    """They may be open, or filled by more than is known. The journal remembers them for the next start."""
    closing: tuple[OrderStatus, ...] = ()
    """With ``on_exit="close"``: the orders that closed the session's positions."""
    positions_unconfirmed: tuple[str, ...] = ()
    """With ``on_exit="close"``: symbols with a position of the session that may not be closed."""
    sizes_unconfirmed: tuple[OrderStatus, ...] = ()
    """Orders that are over whose executed size was not proven by the deadline: late fills may add to it."""
    errors: tuple[str, ...] = ()
    """What kept the rest from being confirmed, as far as errors say it."""
    seconds: float
    """How long it took."""

    @property
    def confirmed(self) -> bool:
        """Whether everything is confirmed to be as was asked for, executed sizes too."""
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
    """Leaves one session.

    Args:
        engine: of the session.
        placer: of the session; settles orders that were cut off.
        on_exit: what to do with what is open.
        deadline: seconds.
        positions: for ``"close"``: closes them.
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
        """Do it. Never raises because of the exchange or the network; always within the deadline."""
        engine, began = self._engine, trio.current_time()
        engine.closing = True
        await trio.lowlevel.cancel_shielded_checkpoint()
        mine = [each for each in engine.orders.values() if not each.record.closed]
        ended = set[Tracked]()
        with trio.move_on_after(self._deadline, shield=True):
            # Again for what turns up meanwhile although it was said not to exist.
            while found := [each for each in engine.orders.values() if each not in ended and self._to_end(each)]:
                for tracked in found:
                    tracked.flight.abandon()  # what has not been sent yet is not
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
        """See the executed sizes proven of those that are over."""
        async with open_nursery() as nursery:
            for tracked in self._engine.orders.values():
                if tracked.record.closed and not tracked.record.settled:
                    start_soon(nursery, self._confirm_size, tracked)

    async def _confirm_size(self, tracked: Tracked) -> None:
        """Ask until it is proven; where the push of the end is missing, not again before an answer can prove it."""
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
        # Whom nobody holds (their submit was cancelled) are taken back, also where the others are left.
        return tracked.claim is Claim.SPARED or (self._on_exit == "leave" and tracked.claim is not Claim.ABANDONED)

    async def _end(self, tracked: Tracked) -> None:
        engine, record = self._engine, tracked.record
        await trio.lowlevel.checkpoint()
        try:
            # Its own task goes on looking for it; where that was ended by an error, it is up to us.
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
    """Log a report; to be called last, where what it raises joins the error that leaves.

    Args:
        report: of the exit.
        leaving: what the block is left with; None for nothing.

    Raises:
        ExitUnconfirmed: not everything is confirmed, and no error is leaving, or nothing but a cancellation.
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
