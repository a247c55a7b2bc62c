"""When a loop over items that are ready lets other tasks have their turn.

Trio's own functions are all checkpoints. A full one is three quarters of what an item of ``async for`` costs, since the
scheduler looks at every deadline and asks the operating system; and it is not an item that other tasks must not wait
for, but time. So an iterator of ours looks for a cancellation (and for Ctrl-C) at each item, and lets the scheduler run
by time: see `Pace.is_due`.
"""

from __future__ import annotations

from typing import Final

import trio

_SECONDS: Final = 0.0005
"""The longest that a loop goes on, beside what its body takes."""
_ITEMS: Final = 64
"""The most items, too: virtual time stands still while a task runs."""


class Pace:
    """The turns of one iterator.

    Attributes:
        strict: how many want every item to be a full checkpoint; `testing.cancel_sweep` strikes at each, then.
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
