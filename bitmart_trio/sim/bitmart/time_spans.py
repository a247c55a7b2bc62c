"""Log the reason for an empty list: the requested span begins later than the exchange's clock.

An in-process exchange opens on a date of its own. So a client that requests "the last day" by the machine's clock gets
an empty list, as the real exchange would answer for a day in the future.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Final

from ..kernel.calls import Call
from ..kernel.encoding import Json
from ..kernel.numbers import NumberError, read_integer
from .wire import Route

logger: logging.Logger = logging.getLogger(__name__)

_BEGINNINGS: Final = ("start_time", "startTime", "after")
"""The parameters that hold the start of a time span."""
_MILLIS: Final = 100_000_000_000
"""A time from this number on is in milliseconds; smaller ones are in seconds."""
_LATEST: Final = 253_402_300_800_000
"""The year 10000, the end of datetimes."""
_GRACE_MS: Final = 60_000
"""The lead of a caller's clock that is not logged."""


class TimeSpans:
    """The time spans of one exchange's calls; each path is explained once."""

    def __init__(self) -> None:
        self._explained: set[str] = set()

    def explain(self, route: Route, call: Call, data: Json) -> None:
        """Log one line if the answer is empty because its span begins in the exchange's future."""
        begins = next(filter(None, map(call.text, _BEGINNINGS)), None)
        if begins is None or route.path in self._explained or not _is_empty(data):
            return
        try:
            begins_ms = read_integer(begins)
        except NumberError:
            return
        begins_ms *= 1 if begins_ms >= _MILLIS else 1000
        if call.now_ms + _GRACE_MS < begins_ms < _LATEST:
            self._explained.add(route.path)
            logger.warning(
                "%s %s is empty: it asks for times from %s on, and the clock of this simulated exchange shows %s; "
                "start= sets it",
                route.method,
                route.path,
                _moment(begins_ms),
                _moment(call.now_ms),
            )


def _is_empty(data: Json) -> bool:
    """Return True if an answer is an empty list, or holds lists of which none has an item."""
    if isinstance(data, list):
        return not data
    lists = [member for member in data.values() if isinstance(member, list)] if isinstance(data, dict) else []
    return bool(lists) and not any(lists)


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
