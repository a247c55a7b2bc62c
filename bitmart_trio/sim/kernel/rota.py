"""Choose the markets that move at a tick."""

from __future__ import annotations

from collections.abc import Callable, Iterable

FEW = 12
"""Up to this number, all markets move at every tick, if ticks are short."""
SHORT_MS = 500
A_ROUND = 30
"""With more markets or longer ticks: observed markets move at every tick, each of the others once in this many
ticks."""


class Rota:
    """The choice of markets that move at a tick, so that a hundred of them cost hardly more than ten.

    A market that nobody observes waits for its turn; anyone who reads it calls `behind` first.

    Args:
        names: the markets, in order.
        observed: returns True if a change would be noticed at once: by a listener, or by the owner of an order or
            position.
        tick_ms: the interval of ticks.
    """

    def __init__(self, names: Iterable[str], observed: Callable[[str], bool], tick_ms: int) -> None:
        self._names = list(names)
        self._observed = observed
        self._all = len(self._names) <= FEW and tick_ms < SHORT_MS
        self._ticks = 0
        self._lived = dict.fromkeys(self._names, 0)

    def turn(self) -> list[str]:
        """Return the markets of this tick."""
        names = self._names
        if self._all or not names:
            return names
        first = self._ticks * len(names) // A_ROUND
        self._ticks += 1
        due = {names[number % len(names)] for number in range(first, self._ticks * len(names) // A_ROUND)}
        found = [name for name in names if name in due or self._observed(name)]
        self._lived.update(dict.fromkeys(found, self._ticks))
        return found

    def behind(self, name: str) -> bool:
        """Return True if a market has skipped a tick; it counts as up to date from now on."""
        behind = self._lived[name] != self._ticks
        self._lived[name] = self._ticks
        return behind
