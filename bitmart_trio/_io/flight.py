"""Report whether the bytes of a write in progress may be on the wire.

A cancelled call raises only ``trio.Cancelled``, which cannot say whether the request was sent. A caller that needs to
know (a trading session) sets `FLIGHT` in its own task, and the pipeline keeps it up to date at every moment.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

import attrs
import trio


@attrs.define(eq=False)
class Flight:
    """One write, through all its tries."""

    stamp: int | None = None
    """The exchange's time in milliseconds with which the try in flight was signed. None if no try is in flight: nothing
    was sent yet, or the exchange refused what was sent.
    """
    left_at: float = 0.0
    """When that try was signed, by ``trio.current_time()``."""
    abandoned: bool = False
    """True if nobody waits for the write any more: if it has not been sent, it must not be."""
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    """The cancel scope of the call."""

    async def leave(self, stamp: int) -> None:  # noqa: ASYNC910, ASYNC911  no pause between signing and sending
        """A try begins: its bytes may be on the wire from now on. A call that was given up before is cancelled."""
        await trio.lowlevel.checkpoint_if_cancelled()
        self.stamp, self.left_at = stamp, trio.current_time()

    def landed(self) -> None:
        """The last try is over and did nothing."""
        self.stamp = None
        if self.abandoned:
            self.scope.cancel()

    def abandon(self) -> None:
        """Give the call up if it is not on its way; one that is goes on, which is the best way to know its end."""
        self.abandoned = True
        if self.stamp is None:
            self.scope.cancel()


FLIGHT: Final[ContextVar[Flight | None]] = ContextVar("FLIGHT", default=None)
"""The write that the current task watches."""
