"""Describe model fields on the wire: renamed fields, and integers that are times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NewType, cast

import attrs

from ..errors import InvalidRequest
from ._numbers import excerpt

Millis = NewType("Millis", int)
"""Milliseconds since 1970 UTC; `from_millis` returns the datetime."""

Seconds = NewType("Seconds", int)
"""Seconds since 1970 UTC; `from_seconds` returns the datetime."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

WIRE: Final = "bitmart_trio.wire"
ALIASES: Final = "bitmart_trio.aliases"
ZERO_IS_NONE: Final = "bitmart_trio.zero_is_none"


def _datetime(value: int, a_second: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=value // a_second, milliseconds=value % a_second)
    except OverflowError:
        raise InvalidRequest(f"not a time: {excerpt(value)}", argument="value") from None


def from_millis(value: Millis) -> datetime:
    """Return the aware UTC datetime of a time in milliseconds, exact to the millisecond.

    Raises:
        InvalidRequest: the time is beyond the calendar.
    """
    return _datetime(value, 1000)


def from_seconds(value: Seconds) -> datetime:
    """Return the aware UTC datetime of a time in seconds; raises like `from_millis`."""
    return _datetime(value, 1)


def members(value: object) -> dict[str, object]:
    """Return a JSON object's members; none for any other value. Models shape their input with it."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def wire(
    name: str | None = None,
    *,
    aliases: tuple[str, ...] = (),
    zero_is_none: bool = False,
    default: Any = attrs.NOTHING,  # noqa: ANN401  # a field of any type may have one
) -> Any:  # noqa: ANN401  # type checkers are to see the field's own type
    """Declare a field whose name on the wire differs from its Python name, or that needs a rule of its own.

    Args:
        name: the name on the wire; None keeps the Python name.
        aliases: further names to accept; the first present one wins.
        zero_is_none: a 0 means "no value" (times that have not come).
        default: the value of a missing field.
    """
    metadata = {WIRE: name, ALIASES: aliases, ZERO_IS_NONE: zero_is_none}
    return attrs.field(default=default, metadata={key: value for key, value in metadata.items() if value})


def drop_echo(order: object) -> None:
    """Set the client order id of an order, fill or push to None if it only repeats the exchange's id.

    The exchange repeats the order id if no client order id was given (seen in 2023 and 2024), and callers must be able
    to distinguish that from their own id.
    """
    given = getattr(order, "client_order_id", None)
    if given is not None and given == getattr(order, "order_id", None):
        object.__setattr__(order, "client_order_id", None)  # the models are frozen for all others
