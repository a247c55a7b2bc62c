"""The exchange's own clock, which follows Trio's (virtual or real), can be held, and can be skewed on purpose."""

from __future__ import annotations

import trio

DAY_MS = 86_400_000


class Clock:
    """Milliseconds since 1970 as the exchange sees them.

    Outside a Trio run time stands still, so that plain functions can be tested against a frozen market; `step` advances
    it.
    """

    def __init__(self, start: int, *, held: bool = False) -> None:
        self.start = start
        """Exchange time at creation."""
        self.skew_ms = 0
        """The skew of the clock that users see; quotas and the market are not affected by it."""
        self._stepped = 0
        self._origin: float | None = None
        self._held_at: float | None = None
        self._held = held
        self.steady_ms()

    @property
    def held(self) -> bool:
        """Return True if only `step` advances the time."""
        return self._held

    def steady_ms(self) -> int:
        """Return the time without the skew, which never runs backwards."""
        try:
            now = trio.current_time()
        except RuntimeError:  # no Trio run around us
            return self.start + self._stepped
        if self._origin is None:
            self._origin = now
        if self._held:
            # Held before Trio ran: the clock continues from where Trio begins.
            self._held_at = now = now if self._held_at is None else self._held_at
        return self.start + self._stepped + round((now - self._origin) * 1000)

    def now_ms(self) -> int:
        """Return the time as the exchange reports and checks it."""
        return self.steady_ms() + self.skew_ms

    def when(self, ms: int) -> float:
        """Return Trio's time at which `steady_ms` will be ``ms`` if nobody steps or holds the clock."""
        self.steady_ms()
        origin = trio.current_time() if self._origin is None else self._origin
        return origin + (ms - self.start - self._stepped) / 1000

    def step(self, ms: int) -> None:
        """Advance the clock by ``ms`` milliseconds at once.

        Raises:
            ValueError: ``ms`` is negative; use ``skew_ms`` for a clock that is behind.
        """
        if ms < 0:
            raise ValueError("time does not run backwards")
        self._stepped += ms

    def hold(self) -> None:
        """Stop the clock; from now on only `step` advances it. Does nothing if it is held already."""
        if not self._held:
            self._held, self._held_at = True, None
            self.steady_ms()

    def release(self) -> None:
        """Let the clock run on from its present time. Does nothing if it is running."""
        if self._held:
            self.steady_ms()
            if self._origin is not None and self._held_at is not None:
                self._origin += trio.current_time() - self._held_at
            self._held, self._held_at = False, None
