"""Counts where replies and pushes deviate from their models, and reports each place once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from ..models.drift import Drift
from .hooks import tell

log = logging.getLogger(__name__)

_MOST_PLACES: Final = 4096
_KINDS: Final = {
    '"': "a text",
    "{": "an object",
    "[": "a list",
    "t": "a truth value",
    "f": "a truth value",
    "n": "null",
}


class DriftLog:
    """The deviations that one client has met, of REST and streams together.

    Args:
        hook: the hook of the `Config`; called once for each place.
    """

    def __init__(self, hook: Callable[[Drift], object] | None) -> None:
        self._hook = hook
        self._places: set[tuple[str, str]] = set()
        self._count = 0

    @property
    def count(self) -> int:
        """The number of missing or unreadable members; the elements of one list count once."""
        return self._count

    def note(self, source: str, members: Mapping[str, str | None]) -> None:
        """Take the deviations of one reply or push: paths, each with the JSON found there."""
        self._count += len(members)
        for path, raw in members.items():
            place = source, path
            if place in self._places or len(self._places) >= _MOST_PLACES:
                continue
            self._places.add(place)
            found = "nothing" if raw is None else _KINDS.get(raw[:1], "a number")
            log.warning("%s: %s is missing or unreadable (found: %s); reported once, counted always", *place, found)
            tell(self._hook, Drift(source=source, member=path, found=found))
