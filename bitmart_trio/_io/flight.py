"""Report whether the bytes of a write in progress may be on the wire.

A cancelled call raises nothing but ``trio.Cancelled``, which cannot say whether the request had been sent. Who needs it
(a trading session) sets `FLIGHT` in its own task, and the pipeline keeps it true at every moment.
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
    """The exchange's time in milliseconds that a try was signed with whose end is not known; None: nothing of the call
    is on its way, because nothing was sent yet or because the exchange refused what was sent.
    """
    left_at: float = 0.0
    """When that try was signed, by ``trio.current_time()``."""
    abandoned: bool = False
    """Nobody waits for it any more: it must not be sent if it has not been yet."""
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
