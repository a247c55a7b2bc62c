"""What the hooks of a `Config` are told of REST calls: plain facts, never a key, a signature or a body."""

from __future__ import annotations

import attrs

from ._model import Model


@attrs.frozen(kw_only=True)
class CallSent(Model):
    """A request is handed to the transport: after its wait for quota and a connection slot, once a try."""

    number: int
    """Counts the requests of this process."""
    endpoint: str
    """Verb and path, such as ``GET /spot/quotation/v3/ticker``."""
    attempt: int
    """1 for the first try of a call."""
    size: int
    """Bytes of the body."""
    client_order_id: str | None
    """Of an order that is being sent, where it has one."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class CallReplied(Model):
    """The end of one try, whatever it was; every `CallSent` is followed by exactly one."""

    request: CallSent
    """What this is the end of."""
    status: int | None
    """HTTP status; None when no whole reply came."""
    size: int
    """Bytes of the reply's body, decompressed."""
    seconds: float
    """From handing over the request to the whole reply, or to the failure."""
    error: Exception | None
    """What the try ended with. The call may be repeated and succeed all the same."""
    cancelled: bool
    """The caller was cancelled while the reply was awaited."""
    code: int | None
    """BitMart's error code, when it sent one."""
    quota_used: int | None
    """Calls made in the window, as the reply's headers say."""
    quota_limit: int | None
    """Calls allowed in the window."""
    quota_window: float | None
    """The window's length in seconds."""
