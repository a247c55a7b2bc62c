"""Compute the wait before a retry, and when to give up, from policy, failures and a random number; no clock."""

from __future__ import annotations

import attrs

from ..config import Backoff, Retry


def delay(policy: Backoff, attempt: int, random: float) -> float:
    """The wait after a failed connection.

    Args:
        policy: the limits.
        attempt: 0 for the first wait.
        random: from 0 up to but not including 1.

    Returns:
        Seconds: between half and all of ``min(maximum, first * factor ** attempt)``.
    """
    return _jittered(policy.first, policy.factor, policy.maximum, attempt, random)


def retry_delay(policy: Retry, attempt: int, random: float) -> float:
    """The wait before a REST call is repeated; as `delay`, doubling."""
    return _jittered(policy.first, 2.0, policy.maximum, attempt, random)


def _jittered(first: float, factor: float, maximum: float, attempt: int, random: float) -> float:
    try:
        most = min(maximum, first * factor**attempt)
    except OverflowError:  # a link that has been down for a thousand attempts
        most = maximum
    return most * (1 + random) / 2


@attrs.define
class Reconnects:
    """The consecutive failures of one connection."""

    policy: Backoff
    attempts: int = 0
    """Failed attempts since the connection was last up."""
    failures: int = 0
    """Consecutive failures; a connection that stayed up for ``Backoff.stable_after`` resets them."""
    _up_since: float | None = None

    def up(self, now: float) -> None:
        """Note that it is up."""
        self._up_since = now
        self.attempts = 0

    def failed(self, now: float) -> None:
        """Note that an attempt failed, or that it broke."""
        if self._up_since is not None and now - self._up_since >= self.policy.stable_after:
            self.failures = 0
        self._up_since = None
        self.failures += 1

    @property
    def exhausted(self) -> bool:
        """True once there were more failures in a row than the policy allows."""
        return self.policy.attempts is not None and self.failures > self.policy.attempts

    def delay(self, random: float) -> float:
        """Seconds to wait before the next attempt; ``random`` as for `delay`."""
        return delay(self.policy, self.failures - 1, random)
