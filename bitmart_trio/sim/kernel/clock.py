"""The exchange's own clock: it follows Trio's, virtual or real, can be held, and can be wrong on purpose."""

from __future__ import annotations

import trio

DAY_MS = 86_400_000


class Clock:
    """Milliseconds since 1970 as the exchange sees them.

    Outside a Trio run time stands still, so that plain functions can be tested against a frozen market; `step` moves
    it by hand.
    """

    def __init__(self, start: int, *, held: bool = False) -> None:
        self.start = start
        """Exchange time at creation."""
        self.skew_ms = 0
        """How far the clock that users see is off; quotas and the market itself do not notice it."""
        self._stepped = 0
        self._origin: float | None = None
        self._held_at: float | None = None
        self._held = held
        self.steady_ms()

    @property
    def held(self) -> bool:
        """Return True if time passes by `step` alone."""
        return self._held

    def steady_ms(self) -> int:
        """The time without the skew: never runs backwards."""
        try:
            now = trio.current_time()
        except RuntimeError:  # no Trio run around us
            return self.start + self._stepped
        if self._origin is None:
            self._origin = now
        if self._held:
            # Held before Trio ran: it stands where Trio begins.
            self._held_at = now = now if self._held_at is None else self._held_at
        return self.start + self._stepped + round((now - self._origin) * 1000)

    def now_ms(self) -> int:
        """The time as the exchange states and checks it."""
        return self.steady_ms() + self.skew_ms

    def when(self, ms: int) -> float:
        """Trio's time at which `steady_ms` will have come to ``ms`` if nobody steps or holds the clock."""
        self.steady_ms()
        origin = trio.current_time() if self._origin is None else self._origin
        return origin + (ms - self.start - self._stepped) / 1000

    def step(self, ms: int) -> None:
        """Let ``ms`` milliseconds pass at once.

        Raises:
            ValueError: ``ms`` is negative; use ``skew_ms`` for a clock that is behind.
        """
        if ms < 0:
            raise ValueError("time does not run backwards")
        self._stepped += ms

    def hold(self) -> None:
        """Stop the clock; from now on only `step` moves it. Does nothing when it is held."""
        if not self._held:
            self._held, self._held_at = True, None
            self.steady_ms()

    def release(self) -> None:
        """Let the clock run on from where it stands. Does nothing when it runs."""
        if self._held:
            self.steady_ms()
            if self._origin is not None and self._held_at is not None:
                self._origin += trio.current_time() - self._held_at
            self._held, self._held_at = False, None
