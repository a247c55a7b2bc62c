"""Ids, and a stream of random numbers for each purpose."""

from __future__ import annotations

import random


class Ids:
    """Ids in ascending order, as numeric texts.

    Args:
        before: the number before the first id.
    """

    def __init__(self, before: int) -> None:
        self._last = before

    def new(self) -> str:
        """Return the next id."""
        self._last += 1
        return str(self._last)


class Randoms:
    """Separate random streams for each purpose, so that another draw for one changes nothing for the others.

    Args:
        seed: the seed from which all streams are derived.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, purpose: str) -> random.Random:
        """Return a purpose's stream, from its beginning."""
        return random.Random(f"{self.seed}/{purpose}")
