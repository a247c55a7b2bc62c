"""How long to wait before trying again: pure functions of the policy, the attempt and a random number."""

from __future__ import annotations

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
