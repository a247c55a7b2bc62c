"""Events that come in bursts: the first is reported at once, and those that follow it within a while as one more."""

from __future__ import annotations


class Burst:
    """One such burst after the other; no clock of its own.

    Args:
        seconds: how long one lasts.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._more = False

    def add(self, now: float) -> bool:
        """Count an event; True for the first of a burst, which is to be reported at once."""
        if self._since is None:
            self._since, self._more = now, False
            return True
        self._more = True
        return False

    def due(self) -> float:
        """When the burst ends: then call `end`."""
        return float("inf") if self._since is None else self._since + self._seconds

    def end(self, now: float) -> float | None:
        """End the burst if it is over; when it began if more than its first event is to be reported, else None."""
        if self._since is None or now < self.due():
            return None
        since, self._since = self._since, None
        return since if self._more else None
