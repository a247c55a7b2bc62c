"""An order while a session looks after it: its record, what is under way for it, and those who wait for changes."""

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
    """What the session does for an order."""

    PLACING = auto()
    """A task places it, or looks for it after it was cut off."""
    FOLLOWED = auto()
    """Pushes and look-ups keep it up to date."""
    READING = auto()
    """It is over by some side's word, and a task reads what was executed."""
    OVER = auto()
    """It is over and read; late messages are still taken for a while."""
    GONE = auto()
    """The session was left: nothing more will be heard."""


class Claim(Enum):
    """Who wants what of an order."""

    HELD = auto()
    """Somebody has its handle, and wants it as it is."""
    REPLACING = auto()
    """Another order takes its place, or has."""
    RECALLED = auto()
    """Somebody asked for its cancel, for the sake of having it gone."""
    ABANDONED = auto()
    """Its submit was cancelled, so nobody has its handle: it must not stay open."""
    SPARED = auto()
    """Of an earlier run, and to be left alone: the exit does not touch it."""


@attrs.define(eq=False)
class Tracked:
    """One order of a running session."""

    record: OrderRecord
    resend: int = 0
    """How often it may be sent again once it is proven never to have arrived."""
    flight: Flight = attrs.field(factory=Flight)
    """Of the request that places it."""
    phase: Phase = Phase.FOLLOWED
    claim: Claim = Claim.HELD
    before: Decimal | None = ZERO
    """What was executed of it before this session; None until an order of an earlier run has been looked at."""
    noted: tuple[OrderState, Decimal] | None = None
    """How its end stands in the journal; None while it has none."""
    trouble: Exception | None = None
    """What last kept a look-up or a cancel of it from working."""
    changed: trio.Event = attrs.field(factory=trio.Event)

    def notify(self) -> None:
        """Wake those who wait for a change."""
        self.changed.set()
        self.changed = trio.Event()

    @property
    def unwanted(self) -> bool:
        """Whether somebody asked for its end."""
        return self.claim in (Claim.RECALLED, Claim.ABANDONED)

    def recall(self) -> None:
        """Somebody wants it gone."""
        if self.claim is not Claim.ABANDONED:
            self.claim = Claim.RECALLED

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true of the record.

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
        """Wait for a change, but no longer than this."""
        with trio.move_on_after(seconds):
            await self.changed.wait()
