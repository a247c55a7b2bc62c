"""Track one order of a session: its record, the work in progress for it, and the tasks that wait for changes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum, auto

import attrs
import trio

from .._io.flight import Flight
from ._evidence import OrderRecord
from ._order import ZERO, OrderState


class Phase(Enum):
    """The stages of a session's work for an order."""

    PLACING = auto()
    """A task places the order, or looks for it after it was cut off."""
    FOLLOWED = auto()
    """Pushes and look-ups keep the order up to date."""
    READING = auto()
    """The order is reported over, and a task reads what was executed."""
    OVER = auto()
    """The order is over and read; late messages are still accepted for a while."""
    GONE = auto()
    """The session was left: no more messages arrive."""


class Claim(Enum):
    """The demands that others make on an order."""

    HELD = auto()
    """Somebody has its handle, and wants it kept."""
    REPLACING = auto()
    """Another order replaces it, or has replaced it."""
    RECALLED = auto()
    """Somebody asked to cancel it, so as to have it gone."""
    ABANDONED = auto()
    """Its submit was cancelled, so nobody has its handle: it must not stay open."""
    SPARED = auto()
    """It belongs to an earlier run, and the exit does not touch it."""


@attrs.define(eq=False)
class Tracked:
    """An order of a running session."""

    record: OrderRecord
    resend: int = 0
    """The number of times it may be sent again once it is proven never to have arrived."""
    flight: Flight = attrs.field(factory=Flight)
    """The state of the request that places it."""
    phase: Phase = Phase.FOLLOWED
    claim: Claim = Claim.HELD
    before: Decimal | None = ZERO
    """The size executed before this session; None until an order of an earlier run has been looked up."""
    noted: tuple[OrderState, Decimal] | None = None
    """Its end as recorded in the journal; None before that."""
    trouble: Exception | None = None
    """The last error of a look-up or a cancel of it."""
    changed: trio.Event = attrs.field(factory=trio.Event)

    def notify(self) -> None:
        """Wake the tasks that wait for a change."""
        self.changed.set()
        self.changed = trio.Event()

    @property
    def unwanted(self) -> bool:
        """Return True if somebody asked for the order's end."""
        return self.claim in (Claim.RECALLED, Claim.ABANDONED)

    def recall(self) -> None:
        """Record that somebody wants the order gone."""
        if self.claim is not Claim.ABANDONED:
            self.claim = Claim.RECALLED

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until a condition on the record is true.

        Raises:
            trio.ClosedResourceError: the session was left before.
        """
        await trio.lowlevel.checkpoint()
        while not true():
            self.require_session()
            await self.changed.wait()

    def require_session(self) -> None:
        """Raise `trio.ClosedResourceError` when the session was left."""
        if self.phase is Phase.GONE:
            raise trio.ClosedResourceError("the session of this order was left")

    async def pause(self, seconds: float) -> None:
        """Wait for a change, at most these seconds."""
        with trio.move_on_after(seconds):
            await self.changed.wait()
