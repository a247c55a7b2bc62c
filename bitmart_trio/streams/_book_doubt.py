"""When an order book that is right must be doubted although nothing has said that it is wrong.

Silence may mean that the market is quiet, or that the exchange has lost the subscription. So the library probes a book
that has received nothing for a while: it requests a snapshot, which the exchange sends as an ordinary push.

* The answer holds the same levels: the market is quiet. The next probe comes after twice the time.
* The answer holds different levels that no push had reported: the exchange no longer pushes the book. The levels count,
  not the version, which rises with each push on futures.
* No answer: the book may be wrong.

With ``max_age`` the book is too old when its newest push is older than that. Then it is probed every second.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final

from ..errors import InvalidRequest

PACE: Final = 1.0
"""Seconds between two questions, however often a book breaks: all topics share one allowance."""
QUIET: Final = 15.0
"""Seconds without a push after which a live book is probed. Futures books were seen to pause for 10 s at most."""
_LONGEST_QUIET: Final = 3600.0


class Finding(enum.Enum):
    """The action for a book without recent pushes."""

    ASK = enum.auto()
    UNANSWERED = enum.auto()
    """The last question was not answered in time."""
    TOO_OLD = enum.auto()
    """The newest push has just become older than ``max_age``."""


class Doubt:
    """The age of a book and its probes; see the head of this file.

    Args:
        patience: seconds that an answer may take.
        max_age: seconds without a push after which the book is too old; None has no such bound.

    Raises:
        InvalidRequest: ``max_age`` is not above 0.
    """

    def __init__(self, *, patience: float, max_age: float | None) -> None:
        if max_age is not None and not max_age > 0:
            raise InvalidRequest(f"max_age must be above 0 seconds, not {max_age!r}", argument="max_age")
        self.max_age = max_age
        self.last: float | None = None
        """The time of the newest push."""
        self._patience = patience
        self._asked = float("-inf")
        self.quiet: float = QUIET
        """Seconds without a push after which it is asked for; more than `QUIET` once it was, until it is pushed."""

    def too_old(self, now: float) -> bool:
        """True when the newest push is older than ``max_age``."""
        return self.max_age is not None and self.last is not None and now >= self.last + self.max_age

    def asked(self, now: float) -> None:
        """A question was sent, for whatever reason."""
        self._asked = now

    def may_ask(self) -> float:
        """When the next question may be sent."""
        return self._asked + PACE

    def due(self, *, old: bool) -> float:
        """When to `look`, should nothing come until then.

        Args:
            old: the book was found too old.
        """
        return min((when for when, _ in self._findings(old=old)), default=float("inf"))

    def look(self, now: float, *, old: bool) -> Finding | None:
        """Find what there is to do now."""
        found = next((finding for when, finding in self._findings(old=old) if now >= when), None)
        if found is Finding.ASK:
            self.quiet = min(2 * self.quiet, _LONGEST_QUIET)
        return found

    def _findings(self, *, old: bool) -> Iterator[tuple[float, Finding]]:
        if self.last is None:
            return
        if self.max_age is not None and not old:
            yield self.last + self.max_age, Finding.TOO_OLD
        if self._asked > self.last:
            yield self._asked + self._patience, Finding.UNANSWERED
        else:
            yield self.may_ask() if old else self.last + self.quiet, Finding.ASK
