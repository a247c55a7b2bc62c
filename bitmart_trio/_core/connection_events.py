"""Define the events of a connection's state machine, beside those that the dialect reads."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ..errors import ApiError
from .dialect import Data, Unknown


class Ready(NamedTuple):
    """The connection can subscribe now: it is open, and logged in if it is private."""


class TopicHeld(NamedTuple):
    """A wanted topic was acknowledged."""

    topic: str


class TopicRefused(NamedTuple):
    """A wanted topic was refused; it is no longer wanted here."""

    topic: str
    error: ApiError


class LoginRefused(NamedTuple):
    """The login was refused; the connection is of no use."""

    error: ApiError
    retry: bool
    """True if a later login may work (after a wrong clock, or a fault inside the exchange)."""


class Malformed(NamedTuple):
    """A message that cannot be read; it was skipped."""

    reason: str
    excerpt: bytes


class Complaint(NamedTuple):
    """An error of the server that belongs to nothing we asked for."""

    error: ApiError


class Dead(NamedTuple):
    """The connection must be given up."""

    reason: str
    cause: ApiError | None = None


Event: TypeAlias = Data | Ready | TopicHeld | TopicRefused | LoginRefused | Malformed | Complaint | Unknown | Dead
