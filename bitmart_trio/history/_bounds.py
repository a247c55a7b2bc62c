"""Measure how finely an endpoint honours the bounds of a request, before anything depends on it.

An exchange may silently round the bounds of a request to seconds, minutes, hours or days. If it rounds inwards, records
near a bound are in no reply at all. So windows begin and end on whole units, which rounding does not move. Windows
narrower than a unit are requested only after a probe: a narrow window around a record that was listed before. If the
endpoint lists nothing there, it rounds its bounds to the unit, and no window may be narrower than that unit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ._units import DAY, HOUR, MINUTE, SECOND

_UNITS: Final = (SECOND, MINUTE, HOUR, DAY)
"""The units to which bounds may be rounded, in milliseconds: each is a multiple of those before it."""
_ROUNDNESS: Final = (DAY, HOUR, MINUTE, 10 * SECOND, SECOND, 100, 10)


class Bounds:
    """The knowledge of one endpoint's bounds.

    Args:
        grain: the finest unit of its bounds, in milliseconds.
        longest: the longest window that is requested.
    """

    def __init__(self, grain: int, longest: int) -> None:
        units = [grain, *(unit for unit in _UNITS if grain < unit <= longest)]
        self._grain = grain
        self._units = units
        self._untried = units[:-1]
        self._tried = 0
        self.unit: int = units[-1]
        """Return the least unit that is known to be honoured; the coarsest is assumed."""

    @property
    def exact(self) -> bool:
        """Return True if bounds are honoured in their finest unit."""
        return self.unit == self._grain

    @property
    def settled(self) -> bool:
        """Return True if nothing more can be learnt."""
        return not self._untried

    def floor(self, time: int) -> int:
        """Return the last whole unit before a moment; for the beginning of a range, the last minute."""
        return time - time % self._edge

    def ceil(self, time: int) -> int:
        """Return the first whole unit after a moment; for the end of a range, the first minute."""
        return -(-time // self._edge) * self._edge

    def stop(self, since: int, span: int) -> int:
        """Return the end of a window of about this width that begins at a moment, on a unit as coarse as the width."""
        step = max((unit for unit in self._units if self.unit <= unit <= span), default=self.unit)
        start = since - since % step
        return start + max(span, step) // step * step

    def probe(self, times: Iterable[int]) -> tuple[int, int] | None:
        """Return the window of the next probe, both bounds included; None if nothing more can be learnt.

        Args:
            times: the times of listed records, in milliseconds.
        """
        # A record at a whole unit is listed, however its window is rounded to that unit.
        time = min(times, key=_roundness, default=None)
        while self._untried and time is not None:
            unit, coarser = self._untried[0], self._coarser(self._untried[0])
            if time % coarser:
                self._tried = unit
                since = (time - 1) // unit * unit
                return since, (time // unit + 1) * unit
            self._untried.pop(0)
        self._untried = []
        return None

    def learn(self, times: Iterable[int]) -> None:
        """Apply the reply to a probe: the times of the listed records."""
        unit, coarser = self._tried, self._coarser(self._tried)
        self._untried.remove(unit)
        if any(time >= 0 and time % coarser and (unit == self._grain or time % unit) for time in times):
            self.unit, self._untried = unit, []

    def raise_to(self, distance: int) -> None:
        """Learn from records outside the requested window that bounds are rounded to a larger unit."""
        self.unit = max(self.unit, next((unit for unit in self._units if unit >= distance), self.unit))
        self._untried = []

    @property
    def _edge(self) -> int:
        # Windows within a range begin and end on units anyway. The range may begin at the oldest record that the
        # exchange keeps, and it ends at the present: times much earlier or later would be refused.
        return min(self.unit, max(MINUTE, self._grain))

    def _coarser(self, unit: int) -> int:
        return self._units[self._units.index(unit) + 1]


def _roundness(time: int) -> int:
    return next((unit for unit in _ROUNDNESS if time % unit == 0), 1)
