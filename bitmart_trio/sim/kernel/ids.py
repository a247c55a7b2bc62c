"""Ids, and a stream of random numbers for each purpose."""

from __future__ import annotations

import random


class Ids:
    """Numeric texts that ascend.

    Args:
        before: The number before the first one.
    """

    def __init__(self, before: int) -> None:
        self._last = before

    def new(self) -> str:
        """Return the next id."""
        self._last += 1
        return str(self._last)


class Randoms:
    """A random stream of its own for each purpose, so that one more draw here changes nothing there.

    Args:
        seed: What all of them are derived from.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, purpose: str) -> random.Random:
        """The stream of a purpose, from its beginning."""
        return random.Random(f"{self.seed}/{purpose}")
