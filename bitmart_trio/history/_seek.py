"""Where the bars of a symbol begin, found by bars of longer steps, without any IO.

A walk that starts years before the first bar would ask thousands of windows that hold nothing. A reply that holds
bars of an hour covers sixty times the time of one that holds minutes, one of days or months still more: where no long
bar is, no short one is either. So the search climbs from step to step while nothing is found, and once a bar is found
it descends again, until a single window of the walk's own step reaches it.

Two things are not taken for granted. A bar in progress may not be shown, so a reply proves nothing about the last bar
of its step before the present. And how bars of a step are aligned (weeks, months) is not used: each request begins
one whole bar early.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ._units import MINUTE

_MONTH = 43_200
"""The step that is no fixed number of minutes: calendar months."""


@attrs.frozen
class Coarse:
    """The longer steps of a candle endpoint.

    Args:
        steps: in minutes, ascending; each one's reply holds a whole bar of the next.
        most: how many bars are asked for at once; fewer than a reply holds, by two.
        argument: the name of the endpoint's parameter for the step.
    """

    steps: tuple[int, ...]
    most: int
    argument: str = "step"


@attrs.frozen
class Look:
    """One question of a search: the bars of a step, in minutes, in a window of milliseconds, both bounds included."""

    step: int
    since: int
    until: int


class Search:
    """Finds a moment before which there are no bars, as late as a few requests can say.

    Ask what `ask` says and hand the bars' times to `took`, until `ask` says None; then `found` is the moment.

    Args:
        coarse: the steps to choose from.
        step: of the walk, in minutes.
        since: nothing is known from here on, in milliseconds.
        until: the end of the walk.
        now: the present; bars that are not over by then may be missing from replies.
        deep: begin with the longest step: there is no telling how far away the first bar is.
    """

    def __init__(self, coarse: Coarse, step: int, *, since: int, until: int, now: int, deep: bool = False) -> None:
        self._most = coarse.most
        self._steps = [each for each in coarse.steps if each > step]
        self._window = step * MINUTE * coarse.most
        self._until = until
        self._now = now
        self._level = len(self._steps) - 1 if deep else 0
        self._bound: int | None = None
        """While it descends: a longer step has shown a bar that begins before this moment."""
        self.found: int = since
        """Before this moment there is no bar."""

    def ask(self) -> Look | None:
        """The next request; None when the search is over."""
        while 0 <= self._level < len(self._steps) and self.found < self._until:
            step = self._steps[self._level]
            if self.found < self._now - _length(step):
                return Look(step, max(0, self.found - _length(step)), self._end(step))
            self._level -= 1
        return None

    def took(self, times: Iterable[int]) -> None:
        """Take a reply in: the times at which its bars begin, in milliseconds."""
        step = self._steps[self._level]
        length, end = _length(step), self._end(step)
        first = min((time for time in times if self.found < time + length and time <= end), default=None)
        if first is not None:
            # A bar that began before may owe everything to what lies before.
            self._bound = first + length if first >= self.found else None
            self.found = max(self.found, first)
            # One window of the walk reaches to the end of the bar that was found: near enough.
            self._level = self._level - 1 if length > self._window else -1
        elif self._bound is not None and end >= self._bound:
            # A longer step has shown a bar and this one shows none: no proof, so the walk looks for itself from here.
            self._level = -1
        else:
            self.found = max(self.found, min(end, self._now - length))
            self._level = min(self._level + 1, len(self._steps) - 1)

    def _end(self, step: int) -> int:
        # A month is counted short here, so that no window has more than a reply holds.
        return min(self.found + min(step, 40_320) * MINUTE * (self._most - 1), self._until)


def _length(step: int) -> int:
    """How long a bar is at most, in milliseconds."""
    return (44_640 if step == _MONTH else step) * MINUTE
