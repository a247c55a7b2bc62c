"""The search for the smallest bad day: it removes everything that is not needed to break the bot.

First the end of the day is moved to just after the failure, then the market is made calm, then deeds are removed by
delta debugging (Zeller's ddmin): in halves, in quarters, and finally one by one. A smaller day breaks the bot in the
same way if it breaks the same invariant. The search stops after 60 replays or ten minutes and returns the smallest day
found by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from ._day import Day
from ._outcome import Outcome

MOST_REPLAYS: Final = 60
MOST_SECONDS: Final = 600.0
MARGIN: Final = 1.0
"""Seconds of the day that are kept after the failure."""


@attrs.frozen
class Smallest:
    """The smallest bad day that was found, and its outcome."""

    day: Day
    outcome: Outcome
    replays: int
    """The number of days that the search played."""
    whole: bool
    """True if the search was complete: nothing more can be left out."""


class _Search:
    """One search for the smallest bad day."""

    def __init__(self, play: Callable[[Day], Outcome], day: Day) -> None:
        self._play = play
        self._whole = day if not day.cut else attrs.evolve(day, cut="")
        self._until = time.monotonic() + MOST_SECONDS
        self.replays = 0
        self.keep: list[int] = list(range(len(day.deeds)))
        self.end = day.end
        self.calm = False
        self.best: tuple[Day, Outcome] | None = None
        self._broken = ""

    @property
    def over(self) -> bool:
        return self.replays >= MOST_REPLAYS or time.monotonic() > self._until

    def begin(self) -> Outcome:
        """Play the whole day once, to find the invariant that it breaks."""
        outcome = self._play(self._whole)
        self.replays += 1
        self.best = (self._whole, outcome)
        if outcome.findings:
            self._broken = outcome.findings[0].invariant
        return outcome

    def breaks(self, keep: Sequence[int], end: float, calm: bool) -> bool:
        """Play a smaller day; if it breaks the bot in the same way, it becomes the best one."""
        if self.over:
            return False
        day = self._whole.smaller(keep=keep, end=end, calm=calm)
        outcome = self._play(day)
        self.replays += 1
        if all(found.invariant != self._broken for found in outcome.findings):
            return False
        self.keep, self.end, self.calm, self.best = list(keep), end, calm, (day, outcome)
        return True

    def cut_end(self) -> None:
        """End the day just after the failure; if that is too early, half-way to the old end, and so on."""
        assert self.best is not None
        failed = min(found.at for found in self.best[1].findings if found.invariant == self._broken)
        low, high = min(failed + MARGIN, self.end), self.end
        for _ in range(4):
            end = round(low, 1)
            if end >= high - MARGIN or self.over:
                return
            keep = [number for number in self.keep if self._whole.deeds[number].at < end]
            if self.breaks(keep, end, self.calm):
                return
            low = (low + high) / 2

    def leave_out(self) -> None:
        """Remove deeds by delta debugging."""
        parts = 2
        if self.keep and self.breaks([], self.end, self.calm):
            return
        while len(self.keep) > 1 and not self.over:
            size = max(1, len(self.keep) // parts)
            pieces = [self.keep[begin : begin + size] for begin in range(0, len(self.keep), size)]
            for piece in pieces:
                if self.breaks([number for number in self.keep if number not in piece], self.end, self.calm):
                    parts = max(parts - 1, 2)
                    break
            else:
                if size == 1:
                    return
                parts = min(parts * 2, len(self.keep))

    def shorten(self) -> None:
        """Bisect the time that is left."""
        low = min((self._whole.deeds[number].at for number in self.keep), default=0.0) + MARGIN
        for _ in range(4):
            end = round((low + self.end) / 2, 1)
            if self.end - end < MARGIN or self.over:
                return
            keep = [number for number in self.keep if self._whole.deeds[number].at < end]
            if len(keep) < len(self.keep) or not self.breaks(keep, end, self.calm):
                low = end


def shrink(play: Callable[[Day], Outcome], day: Day) -> Smallest:
    """Find the smallest day that breaks a bot in the same way as a failing day.

    Args:
        play: plays a day.
        day: the failing day, as it was drawn.
    """
    search = _Search(play, day)
    outcome = search.begin()
    if outcome.findings:
        search.cut_end()
        if not search.calm and (day.market or day.latency != "none"):
            search.breaks(search.keep, search.end, True)
        search.leave_out()
        search.cut_end()
        search.shorten()
    assert search.best is not None
    return Smallest(*search.best, replays=search.replays, whole=not search.over)
