"""The exchange's own clock: it follows Trio's, virtual or real, and can be wrong on purpose."""

from __future__ import annotations

import trio


class Clock:
    """Milliseconds since 1970 as the exchange sees them.

    Outside a Trio run time stands still, so that plain functions can be tested against a frozen market; `step` moves
    it by hand.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        """Exchange time at creation."""
        self.skew_ms = 0
        """How far the clock that users see is off; quotas and the market itself do not notice it."""
        self._stepped = 0
        self._origin: float | None = None
        self.steady_ms()

    def steady_ms(self) -> int:
        """The time without the skew: never runs backwards."""
        try:
            now = trio.current_time()
        except RuntimeError:  # no Trio run around us
            return self.start + self._stepped
        if self._origin is None:
            self._origin = now
        return self.start + self._stepped + round((now - self._origin) * 1000)

    def now_ms(self) -> int:
        """The time as the exchange states and checks it."""
        return self.steady_ms() + self.skew_ms

    def step(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass at once.

        Raises:
            ValueError: ``ms`` is negative; use ``skew_ms`` for a clock that is behind.
        """
        if ms < 0:
            raise ValueError("time does not run backwards")
        self._stepped += ms
