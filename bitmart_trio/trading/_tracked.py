"""An order while a session looks after it: its record, what is under way for it, and those who wait for news."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from .._io.flight import Flight
from ._order import OrderRecord


@attrs.define(eq=False)
class Tracked:
    """One order of a running session."""

    record: OrderRecord
    resend: int = 0
    """How often it may be sent again once it is proven never to have arrived."""
    flight: Flight = attrs.field(factory=Flight)
    """Of the request that places it."""
    placing: bool = False
    """A task is placing it, or looking for it after it was cut off."""
    abandoned: bool = False
    """Its submit was cancelled, so nobody has its handle."""
    recalled: bool = False
    """Somebody has asked for its cancel, for the sake of having it gone."""
    hit: bool = False
    """A cancel of ours may have ended it: not every one was answered that there is nothing to cancel."""
    replacing: bool = False
    """Another order takes its place, or has."""
    spared: bool = False
    """Of an earlier run, and to be left alone: the exit does not touch it."""
    misses: int = 0
    """Look-ups in a row that did not find it although the exchange had accepted it."""
    missed_since: float = 0.0
    """When the first of them was, by ``trio.current_time()``."""
    counts: bool = True
    """What it fills was filled in this session; False until an order of an earlier run has been looked at."""
    fills_told: bool = False
    """It is over, and no more fills will be heard of."""
    noted: bool = False
    """Its end is in the journal."""
    trouble: Exception | None = None
    """What last kept a look-up or a cancel of it from working."""
    gone: bool = False
    """The session is over: there will be no more news."""
    changed: trio.Event = attrs.field(factory=trio.Event)

    def notify(self) -> None:
        """There is news."""
        self.changed.set()
        self.changed = trio.Event()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true of the record.

        Raises:
            trio.ClosedResourceError: the session was left before.
        """
        await trio.lowlevel.checkpoint()
        while not true():
            if self.gone:
                raise trio.ClosedResourceError("the session of this order was left")
            await self.changed.wait()

    async def pause(self, seconds: float) -> None:
        """Wait for news, but no longer than this."""
        with trio.move_on_after(seconds):
            await self.changed.wait()
