"""Find the beginning of a symbol's bars with bars of longer steps, without IO.

A walk that starts years before the first bar would request thousands of empty windows. A reply of hourly bars covers
sixty times the time of one of minute bars, and one of days or months still more; without a long bar there is no short
one. So the search climbs from step to step while nothing is found, and once a bar is found it descends again, until a
single window of the walk's own step reaches it.

Two things are not assumed. A bar in progress may not be listed, so a reply proves nothing about the last bar of its
step before the present. And the alignment of bars (weeks, months) is not used: each request begins one whole bar early.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ._units import MINUTE

_MONTH = 43_200
"""The step without a fixed number of minutes: calendar months."""


@attrs.frozen
class Coarse:
    """The longer steps of a candle endpoint.

    Args:
        steps: in minutes, ascending; a reply of each holds a whole bar of the next.
        most: the number of bars per request; two fewer than a reply holds.
        argument: the name of the endpoint's parameter for the step.
    """

    steps: tuple[int, ...]
    most: int
    argument: str = "step"


@attrs.frozen
class Look:
    """A request of a search: the bars of a step, in minutes, in a window of milliseconds, both bounds included."""

    step: int
    since: int
    until: int


class Search:
    """A search for the latest moment before which there are no bars, in a few requests.

    Send the request of `ask` and pass the bars' times to `took`, until `ask` returns None; then `found` is the moment.

    Args:
        coarse: the steps to choose from.
        step: the step of the walk, in minutes.
        since: the beginning of the search, in milliseconds.
        until: the end of the walk.
        now: the present; bars in progress then may be missing from replies.
        deep: begin with the longest step: the first bar may be far away.
    """

    def __init__(self, coarse: Coarse, step: int, *, since: int, until: int, now: int, deep: bool = False) -> None:
        self._most = coarse.most
        self._steps = [each for each in coarse.steps if each > step]
        self._window = step * MINUTE * coarse.most
        self._until = until
        self._now = now
        self._level = len(self._steps) - 1 if deep else 0
        self._bound: int | None = None
        """While descending: a longer step has a bar that begins before this moment."""
        self.found: int = since
        """There is no bar before this moment."""

    def ask(self) -> Look | None:
        """Return the next request; None once the search is over."""
        while 0 <= self._level < len(self._steps) and self.found < self._until:
            step = self._steps[self._level]
            if self.found < self._now - _length(step):
                return Look(step, max(0, self.found - _length(step)), self._end(step))
            self._level -= 1
        return None

    def took(self, times: Iterable[int]) -> None:
        """Apply a reply: the times at which its bars begin, in milliseconds."""
        step = self._steps[self._level]
        length, end = _length(step), self._end(step)
        first = min((time for time in times if self.found < time + length and time <= end), default=None)
        if first is not None:
            # A bar that began earlier may consist only of earlier trades.
            self._bound = first + length if first >= self.found else None
            self.found = max(self.found, first)
            # One window of the walk reaches the end of the found bar: near enough.
            self._level = self._level - 1 if length > self._window else -1
        elif self._bound is not None and end >= self._bound:
            # A longer step has a bar and this one has none: that proves nothing, so the walk starts here.
            self._level = -1
        else:
            self.found = max(self.found, min(end, self._now - length))
            self._level = min(self._level + 1, len(self._steps) - 1)

    def _end(self, step: int) -> int:
        # A month counts as short here, so that no window has more bars than a reply holds.
        return min(self.found + min(step, 40_320) * MINUTE * (self._most - 1), self._until)


def _length(step: int) -> int:
    """Return the greatest length of a bar, in milliseconds."""
    return (44_640 if step == _MONTH else step) * MINUTE
