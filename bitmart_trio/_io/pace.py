"""When a loop over items that are ready lets other tasks have their turn.

All of Trio's own async functions are checkpoints. A full checkpoint is three quarters of the cost of an item of
``async for``, since the scheduler examines every deadline and calls the operating system. And fairness to other tasks
is a matter of time, not of items. So our iterators check for cancellation (and Ctrl-C) at each item, and let the
scheduler run by time: see `Pace.is_due`.
"""

from __future__ import annotations

from typing import Final

import trio

_SECONDS: Final = 0.0005
"""The longest time that a loop continues, not counting the time of its body."""
_ITEMS: Final = 64
"""The most items in that time: virtual time stands still while a task runs."""


class Pace:
    """The turns of one iterator.

    Attributes:
        strict: the number of callers that need a full checkpoint at every item; `testing.cancel_sweep` cancels at each.
    """

    strict: int = 0

    def __init__(self) -> None:
        self._until = float("-inf")
        self._left = 0

    def is_due(self) -> bool:
        """Return True if the scheduler must run before the next item, as before the first."""
        self._left -= 1
        return self._left < 0 or trio.current_time() >= self._until or Pace.strict > 0

    def begin(self) -> None:
        """The scheduler has run."""
        self._left = _ITEMS
        self._until = trio.current_time() + _SECONDS
