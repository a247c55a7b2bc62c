"""Capture the exact bytes of every try of a call.

A user of the bytes (an account archive) sets `CAPTURE` in its own task. The pipeline then passes it every reply as it
arrived, including those of tries that it repeats, pages of the network in front of the exchange, and broken
connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Final, TypeAlias

import attrs


@attrs.frozen
class Captured:
    """One try of a call and what came back."""

    method: str
    """``GET`` or ``POST``."""
    target: str
    """Path and query, as sent. Keys and signatures travel in headers, so it holds no secret."""
    request: bytes = attrs.field(repr=False)
    """The exact body that was sent."""
    status: int | None
    """The HTTP status; None when no whole reply came."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Lower-case names; empty when no whole reply came."""
    body: bytes = attrs.field(repr=False)
    """The exact body of the reply, decompressed."""
    at: int
    """When the reply came, or the try failed: the local clock, in milliseconds."""
    error: str = ""
    """Why there is no whole reply."""


Capture: TypeAlias = Callable[[Captured], Awaitable[None]]

CAPTURE: Final[ContextVar[Capture | None]] = ContextVar("CAPTURE", default=None)
"""Awaited with each try of the current task's calls, once the reply is read and before it is decoded."""
