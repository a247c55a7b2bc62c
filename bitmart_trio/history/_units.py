"""Define lengths of time in milliseconds, and helpers that the tables of both hosts share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar

from ..errors import InvalidRequest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_SPOT_MONTH: Final = 43_200


_MILLIS: Final = 100_000_000_000
"""A smaller time must be in seconds: in milliseconds it would be in 1973."""
_MICROS: Final = 100_000_000_000_000
"""A greater time must be in microseconds or finer: in milliseconds it would be in 5138."""


class Page(Protocol[T_co]):
    """A payload that holds records beside other things."""

    @property
    def items(self) -> Sequence[T_co]:
        """Return the records of the page."""
        ...


def items(page: Page[T]) -> Sequence[T]:
    """Return the records of a page."""
    return page.items


def scaled(time: int) -> int:
    """Return a time in milliseconds, whatever unit the exchange used."""
    if 0 < time < _MILLIS:
        return time * SECOND
    while time >= _MICROS:
        time //= SECOND
    return time


def last_finished(step: int, now: int) -> int:
    """Return the moment before which bars of ``step`` minutes must begin to be over; in milliseconds.

    The bar in progress would be listed again, with other figures.
    """
    if step == _SPOT_MONTH:
        today = datetime.fromtimestamp(now / SECOND, UTC)
        return int(datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()) * SECOND
    return now - step * MINUTE + 1


def same(rows: list[T]) -> list[T]:
    """Return the payload, which is the list of records."""
    return rows


def refuse_long(since: int, until: int, days: int) -> None:
    """Refuse a range that an endpoint cannot list in one request.

    Raises:
        InvalidRequest: the range is longer than so many days.
    """
    if until - since > days * DAY:
        raise InvalidRequest(f"the range may span at most {days} days", argument="since")
