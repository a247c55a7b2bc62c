"""The exchange's clock, known within a bound. No clock is read here: times are numbers passed in, all in seconds.

There are two local clocks: *wall*, the time of day, which may be set at any moment, and *mono*, which only runs
forward. A sample is one request for the time: when it was sent and received by mono, and the time in the reply. The
reply was written between the two, so their midpoint is off by at most half the round trip. The sample with the
smallest bound is kept. Its bound grows with age, since quartz drifts, so a worse but newer sample takes over in the
end.

Between samples time runs by mono, so setting the wall clock changes nothing. But when wall and mono diverge, mono may
have stood still (a suspended machine): then the bound grows by the divergence. Before the first sample only the wall
clock is available.
"""

from __future__ import annotations

import math
from typing import Final

import attrs

DRIFT: Final = 50e-6
"""The drift per second that two good clocks may have."""

_NOISE: Final = 0.001


@attrs.frozen
class Sample:
    """The reading of one answer."""

    shift: float
    """The exchange's time minus mono."""
    bound: float
    """The error bound of `shift` when it was measured."""
    mono: float
    """When the answer came."""
    wall_shift: float
    """The wall clock minus mono at that moment."""


class ServerClock:
    """The knowledge of the exchange's clock."""

    def __init__(self) -> None:
        self._sample: Sample | None = None
        self._doubted = False
        self._answers = 0

    @property
    def answers(self) -> int:
        """Return the number of answers, without hints, so that a caller can see if the time was read since."""
        return self._answers

    def now(self, mono: float, wall: float) -> float:
        """The exchange's time, in seconds since 1970 UTC."""
        return wall if self._sample is None else mono + self._sample.shift

    def offset(self, mono: float, wall: float) -> float:
        """Return the offset of the exchange's clock from the wall clock."""
        return self.now(mono, wall) - wall

    def bound(self, mono: float, wall: float) -> float:
        """Return the error bound of `now`; infinity before the first sample."""
        kept = self._sample
        if kept is None or self._doubted:
            return math.inf
        drifted = DRIFT * max(0.0, mono - kept.mono)
        parted = abs(wall - mono - kept.wall_shift) - drifted - _NOISE
        return kept.bound + drifted + max(0.0, parted)

    def doubt(self) -> None:
        """The exchange refused our time: the next sample replaces what is known, however coarse."""
        self._doubted = True

    def slept(self, seconds: float) -> None:
        """Mono stood still for about so long: what is known moves on by as much, until the next sample replaces it."""
        if self._sample is not None:
            shift, wall_shift = self._sample.shift + seconds, self._sample.wall_shift + seconds
            self._sample = attrs.evolve(self._sample, shift=shift, wall_shift=wall_shift)
            self._doubted = True

    def sample(self, *, sent: float, received: float, server: float, wall: float, resolution: float = 0.001) -> bool:
        """Learn from an answer to "what time is it".

        Args:
            sent: when the time was requested, by mono.
            received: when the whole answer had come, by mono.
            server: the time in the answer.
            wall: the wall clock when it came.
            resolution: the resolution of the time in the answer, in seconds.

        Returns:
            True if the sample replaced the one before.
        """
        self._answers += 1
        found = self._found(sent, received, server, wall, resolution)
        off = abs(received + found.shift - self.now(received, wall))
        known = self.bound(received, wall)
        # An answer that contradicts the current sample means that a clock has jumped.
        if found.bound > known and off <= found.bound + known:
            return False
        self._sample, self._doubted = found, False
        return True

    def hint(self, *, sent: float, received: float, server: float, wall: float, resolution: float) -> bool:
        """Look at a time that came with some reply: being coarse, it counts only when it proves us wrong.

        The arguments and the result are those of `sample`. ``server`` is the midpoint of the range that the coarse
        time stands for.
        """
        found = self._found(sent, received, server, wall, resolution)
        off = abs(received + found.shift - self.now(received, wall))
        if found.bound >= self.bound(received, wall) or off <= found.bound:
            return False
        self._sample, self._doubted = found, False
        return True

    @staticmethod
    def _found(sent: float, received: float, server: float, wall: float, resolution: float) -> Sample:
        return Sample(server - (sent + received) / 2, (received - sent) / 2 + resolution, received, wall - received)
