"""Time that a program did not have: its loop was kept busy, or its machine was suspended. Numbers in, verdict out.

The caller sleeps until a planned moment and then passes in what two clocks show: Trio's (*mono*), which on most
machines stands still while the machine sleeps, and the wall clock, which does not.

* If mono is later than planned, the loop was kept busy by a computation or a blocking call.
* If the wall clock has gained on mono since the last check, the machine was suspended. A wall clock that is set forward
  looks the same, and the consequences are harmless.

Where mono runs on during sleep (Windows) a suspension looks like a loop that was kept busy for as long.
"""

from __future__ import annotations

from typing import NamedTuple


class Lapse(NamedTuple):
    """The result of a look at the clocks; 0 for nothing."""

    stalled: float
    """Seconds, at least, that the loop was kept busy."""
    suspended: float
    """Seconds that the machine was suspended."""


class Lapses:
    """Compares each look at the clocks with the one before.

    Args:
        mono, wall: the clocks now.
        stalled_after, suspended_after: seconds below which nothing is found.
    """

    def __init__(self, mono: float, wall: float, *, stalled_after: float, suspended_after: float) -> None:
        self._mono = mono
        self._wall = wall
        self._stalled_after = stalled_after
        self._suspended_after = suspended_after

    def look(self, mono: float, wall: float, *, planned: float) -> Lapse:
        """Compare the clocks with the last look; ``planned`` is when, by mono, this one was to be made."""
        late = mono - planned
        gained = (wall - self._wall) - (mono - self._mono)
        self._mono, self._wall = mono, wall
        return Lapse(
            late if late >= self._stalled_after else 0.0,
            gained if gained >= self._suspended_after else 0.0,
        )
