"""Faults of the network in front of the exchange: answers that the exchange did not give."""

from __future__ import annotations

import attrs

from .base import AtConnection, AtPath


@attrs.frozen
class Fail5xx(AtPath):
    """The exchange fails with this status.

    A client may repeat a read; the outcome of a write is unknown and must be looked up.
    """

    status: int = 503
    html: bool = False
    """Answer with a page of the edge network instead of the JSON envelope."""
    handled: bool = False
    """Carry the request out before failing."""


@attrs.frozen
class GarbageReply(AtPath):
    """The request is carried out and answered with 200 and a body that is not JSON.

    A client must not take a write as failed.
    """


@attrs.frozen
class RefuseUpgrade(AtConnection):
    """The WebSocket handshake is answered with this status and a page.

    A client must read it, report it, back off and try again.
    """

    status: int = 403
