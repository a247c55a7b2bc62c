"""Limit calls by sliding windows that follow the exchange's own count. Time is a number passed in.

A call takes a place when it is reserved and frees the place one window after its reply has arrived (`Bucket.settle`).
That is deliberately longer than strictly needed: the exchange counts a request when it arrives, somewhere between
sending and reply, so counting from either end alone would occasionally put one call too many into a window. A place
that was never used is given back.

The exchange reports its count with each reply; where it has counted more calls than we have (another process behind
the same address), its number is taken over. When it answers 429, that bucket pauses for a window; when it bans the
address (418), everything pauses.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, TypeAlias

import attrs

from ..models._model import Model
from .endpoint import Quota

BucketKey: TypeAlias = tuple[str, str, str]
"""Host, ``"GET /path"``, and the address or key that the exchange counts by."""

GUARD: Final = 0.005
"""Seconds added to each window: the exchange measures its windows in whole milliseconds of its own clock."""

_FORGET_BANS: Final = 3600.0


@attrs.frozen
class QuotaUse(Model):
    """The use of a quota, from the reply's headers."""

    used: int
    """Calls already made in the window."""
    limit: int
    """Calls allowed in the window."""
    window: float
    """Length of the window in seconds, not the time left."""
    mode: str | None = None
    """The unit that is counted, such as IP."""


def kept_for_urgent(total: int) -> int:
    """Return how many places are reserved for urgent calls: a quarter, at least one, never all."""
    return max(1, total // 4) if total > 1 else 0


class Bucket:
    """One quota in use.

    Args:
        quota: what the documentation allows.
        keep: True to keep a part for urgent calls; useful only where urgent and other calls share a path.
    """

    def __init__(self, quota: Quota, *, keep: bool = False) -> None:
        self._documented = quota
        self._keep = keep
        self._limit = quota.count
        self._window = quota.per
        self._open = 0
        self._settled: deque[float] = deque()
        self._paused_until = -math.inf

    @property
    def window(self) -> float:
        """Seconds that a call counts after its reply."""
        return self._window

    def reserve(self, now: float, *, urgent: bool = False) -> float:
        """Reserve a place for a call.

        Returns:
            0 when the place is reserved; otherwise nothing was reserved, and no place can be free for this many
            seconds.
        """
        if now < self._paused_until:
            return self._paused_until - now
        lasts = self._window + GUARD
        while self._settled and self._settled[0] + lasts <= now:
            self._settled.popleft()
        room = self._limit
        if self._keep and not urgent:
            room -= kept_for_urgent(room)
        too_many = self._open + len(self._settled) - room + 1
        if too_many <= 0:
            self._open += 1
            return 0.0
        if too_many <= len(self._settled):
            return self._settled[too_many - 1] + lasts - now
        return lasts  # calls in flight keep their places for at least a window after their replies

    def give_back(self) -> None:
        """Return a reserved place: the call was never sent."""
        self._open -= 1

    def settle(self, now: float, use: QuotaUse | None = None) -> None:
        """A reserved call is over: its reply has come, or it was cut off after sending.

        Args:
            now: the time.
            use: the count that the exchange reported, if it did.
        """
        self._open -= 1
        self._settled.append(now)
        if use is None:
            return
        self._limit = min(self._documented.count, use.limit)
        self._window = max(self._documented.per, use.window)
        unseen = min(use.used, self._limit) - self._open - len(self._settled)
        self._settled.extend([now] * unseen)

    def refuse(self, now: float, *, least: float = 0.0) -> float:
        """The exchange refused a call as one too many (429): pause for a window.

        Args:
            now: when.
            least: seconds that the pause lasts at least, as the network in front of the exchange asks.

        Returns:
            Seconds of the pause.
        """
        self._paused_until = max(self._paused_until, now + max(self._window + GUARD, least))
        return self._paused_until - now


class Quotas:
    """All buckets of one client, and the ban that stops them all.

    Args:
        ban_pause: seconds of the first pause after a ban; doubles with each further one, and starts anew an hour
        after the last.
    """

    def __init__(self, ban_pause: float) -> None:
        self._ban_pause = ban_pause
        self._pause = 0.0
        self._banned_until = -math.inf
        self._buckets: dict[BucketKey, Bucket] = {}

    def bucket(self, key: BucketKey, quota: Quota, *, keep: bool = False) -> Bucket:
        """The bucket of a key; made with this quota when it is new."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(quota, keep=keep)
        return bucket

    def reserve(self, bucket: Bucket, now: float, *, urgent: bool = False) -> float:
        """As `Bucket.reserve`, and not before a ban is over."""
        return self.banned_for(now) or bucket.reserve(now, urgent=urgent)

    def banned_for(self, now: float) -> float:
        """Seconds until the pause after a ban ends, 0 when there is none."""
        return max(0.0, self._banned_until - now)

    def ban(self, now: float, *, least: float = 0.0) -> float:
        """The exchange banned the address (418): pause everything.

        Replies to calls that were in flight when the pause began do not prolong it.

        Args:
            now: when.
            least: seconds that the pause lasts at least, as the network in front of the exchange asks.

        Returns:
            Seconds until the pause ends.
        """
        if now >= self._banned_until:
            again = now - self._banned_until < _FORGET_BANS
            self._pause = self._pause * 2 if again else self._ban_pause
            self._banned_until = now + max(self._pause, least)
        return self._banned_until - now
