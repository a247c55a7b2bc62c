"""BitMart's endpoint rows: how their replies are wrapped, and the list of them all.

Rows live in ``bitmart_trio/rest/<chapter>.py`` right above the methods that use them, and register themselves here so
that tests and documentation can walk them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, TypeVar

import attrs

from .._core import endpoint

T = TypeVar("T")


class Envelope(Enum):
    """The kind of a reply's envelope; ``rest.py`` unwraps it."""

    STANDARD = "standard"
    """``{code, message, trace, data}``."""
    NESTED = "nested"
    """A standard envelope whose data is ``{code, msg, data}`` with a code of its own (0 is good)."""
    AFFILIATE = "affiliate"
    """As standard with a textual code; some endpoints were seen without any envelope."""
    ERRNO = "errno"
    """``{errno, message, data, success}``."""


@attrs.frozen(eq=False)
class Endpoint(endpoint.Endpoint[T]):
    """One row of BitMart's API."""

    envelope: Envelope = attrs.field(default=Envelope.STANDARD, kw_only=True)

    def __attrs_post_init__(self) -> None:
        REGISTRY.append(self)


REGISTRY: Final[list[endpoint.Endpoint[Any]]] = []
"""Every row, in the order of import."""
