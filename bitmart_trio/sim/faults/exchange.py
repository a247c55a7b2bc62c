"""Faults of the exchange itself: refusals, maintenance, shapes that no documentation shows, a wrong clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .base import AtConnection, AtPath, AtTopic, Fault, FaultError, HasSkew

if TYPE_CHECKING:
    from ..wire import Json


# --- requests ---


@attrs.frozen
class Refuse429(AtPath):
    """Too many requests (code 30013), nothing was done. A client must pause and may repeat."""


@attrs.frozen
class Refuse418(AtPath):
    """The address is banned for a while (code 30017), nothing was done.

    A client must stop sending everything for a good while.
    """


@attrs.frozen
class Maintenance(AtPath):
    """Maintenance: HTTP 200 with code 30016, nothing done.

    Sockets are refused with 503. A client must look at the code, not the status.
    """

    times: int | None = None


@attrs.frozen
class UnknownField(AtPath):
    """Objects in replies, or in pushes when ``path`` matches their topic, bear a field nobody has heard of.

    A client must not mind.
    """

    times: int | None = None
    name: str = "sim_unknown_field"


@attrs.frozen
class LongerRow(AtPath):
    """Rows in replies, or in pushes when ``path`` matches their topic, have one more column at their end.

    A client must not mind.
    """

    times: int | None = None


# --- logins and topics ---


@attrs.frozen
class RefuseLogin(AtConnection):
    """A correct login is refused with this code (spot) or text (futures), then the connection closes.

    A client must report it with the exchange's own words, and stop for good when the key is bad.
    """

    times: int | None = None
    code: str = "91002"
    text: str = ""
    """Blank: the documented text."""


@attrs.frozen
class RefuseTopic(AtTopic):
    """A subscription is refused with this code (spot) or text (futures).

    A client must say so where it was asked for.
    """

    code: str = "95000"
    text: str = ""
    """Blank: the documented text."""


# --- the whole exchange ---


@attrs.frozen
class ClockSkew(Fault):
    """The exchange's clock is off by so many milliseconds.

    A client must measure that, and sign with the exchange's time.
    """

    ms: int = 0

    def begin(self, clock: HasSkew | None) -> bool:
        """Turn the clock."""
        if clock is None:
            raise FaultError("a clock skew needs an open exchange")
        clock.skew_ms += self.ms
        return True

    def finish(self, clock: HasSkew | None) -> None:
        """Turn the clock back."""
        if clock is not None:
            clock.skew_ms -= self.ms


def stretch(value: Json, name: str | None, longer: bool) -> Json:
    """JSON with one more field in each object (`UnknownField`), one more column in each row (`LongerRow`), or both."""
    if isinstance(value, dict):
        members = {key: stretch(member, name, longer) for key, member in value.items()}
        return members if name is None else {**members, name: "new"}
    if isinstance(value, list):
        # A row is a list within a list; a list of plain values elsewhere is no table.
        return [
            [*item, "new"]
            if longer and isinstance(item, list) and item and not any(isinstance(cell, dict | list) for cell in item)
            else stretch(item, name, longer)
            for item in value
        ]
    return value
