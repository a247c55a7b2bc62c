"""Define what the hooks of a `Config` receive about REST calls: never a key, a signature or a body."""

from __future__ import annotations

import attrs

from ._model import Model


@attrs.frozen(kw_only=True)
class CallSent(Model):
    """A request is handed to the transport, after waiting for quota and a connection, once per try."""

    number: int
    """The number of the request in this process."""
    endpoint: str
    """Verb and path, such as ``GET /spot/quotation/v3/ticker``."""
    attempt: int
    """1 for the first try of a call."""
    size: int
    """Bytes of the body."""
    client_order_id: str | None
    """The client order id of the order being sent, if any."""
    time: float
    """``trio.current_time()``."""


@attrs.frozen(kw_only=True)
class CallReplied(Model):
    """The end of one try, of any kind; every `CallSent` is followed by exactly one."""

    request: CallSent
    """The request that ended."""
    status: int | None
    """HTTP status; None if no complete reply came."""
    size: int
    """Bytes of the reply's body, decompressed."""
    seconds: float
    """Seconds from handing over the request to the complete reply, or to the failure."""
    error: Exception | None
    """The error of the try. The call may be retried and succeed."""
    cancelled: bool
    """True if the caller was cancelled while waiting for the reply."""
    code: int | None
    """BitMart's error code, if it sent one."""
    quota_used: int | None
    """Calls made in the window, according to the reply's headers."""
    quota_limit: int | None
    """Calls allowed in the window."""
    quota_window: float | None
    """The window's length in seconds."""
