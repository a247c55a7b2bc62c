"""A call that a venue has accepted, as its handlers and the faults before them see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar, Protocol, TypeAlias

import attrs

from .accounts import Account, ApiKey
from .encoding import Json
from .numbers import NumberError, read_decimal, read_integer


class Refusal(Exception):
    """The venue refuses: its own code, its text, and the HTTP status."""

    def __init__(self, code: int, message: str, *, http: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.http = http


@attrs.frozen
class Call:
    """A request that passed the gate.

    Its parameters (query text or JSON body members) and the account behind its key.
    """

    params: Mapping[str, Json]
    account: Account | None
    """None on public routes; use `owner` in private handlers."""
    now_ms: int
    key: ApiKey | None = None
    """The key of the call; None on public routes."""
    missing: ClassVar[int] = 400
    """The venue's code for a missing parameter, unless a handler has another."""
    unreadable: ClassVar[int] = 400
    """The venue's code for an invalid parameter."""

    @property
    def owner(self) -> Account:
        """Return the account of a private call."""
        assert self.account is not None, "a private route was reached without an account"
        return self.account

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return the parameter as text; ``default`` if missing, null or blank."""
        value = self.params.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    def need(self, name: str, code: int | None = None) -> str:
        """Return the parameter as text; `Refusal` with ``code`` if it is missing."""
        value = self.text(name)
        if value is None:
            raise Refusal(self.missing if code is None else code, f"Missing parameter {name}")
        return value

    def integer(self, name: str, default: int, *, code: int | None = None) -> int:
        """Return the parameter as a whole number."""
        value = self.text(name)
        if value is None:
            return default
        try:
            return read_integer(value)
        except NumberError:
            raise self._unreadable(name, code) from None

    def decimal(self, name: str, *, code: int | None = None) -> Decimal | None:
        """Return the parameter as an exact finite decimal, None if it is missing."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return read_decimal(value)
        except NumberError:
            raise self._unreadable(name, code) from None

    def _unreadable(self, name: str, code: int | None) -> Refusal:
        return Refusal(self.unreadable if code is None else code, f"Invalid parameter {name}")


Onward: TypeAlias = "Callable[[Call], Json]"
"""A handler bound to its market, or a function in front of it."""


class Endpoint(Protocol):
    """The endpoint of a call."""

    @property
    def path(self) -> str:
        """Return the endpoint's path."""
        ...

    @property
    def writes(self) -> bool:
        """Return True if a call of the endpoint changes anything."""
        ...
