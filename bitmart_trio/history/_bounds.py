"""How finely an endpoint heeds the bounds that it is asked for: found out before anything depends on it.

An exchange may round the bounds of a request to seconds, minutes, hours or days before it looks, and none says so.
Rounded inwards, the records near a bound are in no reply at all. So windows begin and end on whole units: rounding does
not move such bounds. Windows narrower than a unit are asked only after a probe: a narrow window around a record that
was listed before. An endpoint that lists nothing there rounds its bounds, and no window may be narrower than that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ._units import DAY, HOUR, MINUTE, SECOND

_UNITS: Final = (SECOND, MINUTE, HOUR, DAY)
"""What bounds may be rounded to, in milliseconds: each is a multiple of those before it."""
_ROUNDNESS: Final = (DAY, HOUR, MINUTE, 10 * SECOND, SECOND, 100, 10)


class Bounds:
    """What is known of the bounds of one endpoint.

    Args:
        grain: the finest unit that its bounds can be given in, in milliseconds.
        longest: the longest window that will be asked.
    """

    def __init__(self, grain: int, longest: int) -> None:
        units = [grain, *(unit for unit in _UNITS if grain < unit <= longest)]
        self._grain = grain
        self._units = units
        self._untried = units[:-1]
        self._tried = 0
        self.unit: int = units[-1]
        """The least unit that is known to be heeded; of the coarsest one that is believed."""

    @property
    def exact(self) -> bool:
        """Whether bounds are heeded as finely as they can be given."""
        return self.unit == self._grain

    @property
    def settled(self) -> bool:
        """Whether nothing more can be known."""
        return not self._untried

    def floor(self, time: int) -> int:
        """The last whole unit before a moment: of the beginning of a range, the last minute."""
        return time - time % self._edge

    def ceil(self, time: int) -> int:
        """The first whole unit after a moment: of the end of a range, the first minute."""
        return -(-time // self._edge) * self._edge

    def stop(self, since: int, span: int) -> int:
        """Where a window ends that begins at a moment and is about so wide: on a unit as coarse as its width."""
        step = max((unit for unit in self._units if self.unit <= unit <= span), default=self.unit)
        start = since - since % step
        return start + max(span, step) // step * step

    def probe(self, times: Iterable[int]) -> tuple[int, int] | None:
        """The window to ask to know more, both bounds included; None when nothing more can be known.

        Args:
            times: of records that were listed, in milliseconds.
        """
        # A record at a whole unit is listed however its window is rounded to that unit.
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
        """Take the reply to a probe: the times of what it lists."""
        unit, coarser = self._tried, self._coarser(self._tried)
        self._untried.remove(unit)
        if any(time >= 0 and time % coarser and (unit == self._grain or time % unit) for time in times):
            self.unit, self._untried = unit, []

    def raise_to(self, distance: int) -> None:
        """Records so far outside of what was asked for show that bounds are rounded to a larger unit."""
        self.unit = max(self.unit, next((unit for unit in self._units if unit >= distance), self.unit))
        self._untried = []

    @property
    def _edge(self) -> int:
        # Windows within a range begin and end on units anyway. Its own beginning may lie where the exchange's memory
        # begins, and its end is the present: much earlier or later would be refused.
        return min(self.unit, max(MINUTE, self._grain))

    def _coarser(self, unit: int) -> int:
        return self._units[self._units.index(unit) + 1]


def _roundness(time: int) -> int:
    return next((unit for unit in _ROUNDNESS if time % unit == 0), 1)
