"""Calls the hooks of a `Config`: what leaves, what comes back, what happens to connections.

A hook that raises must not end a call whose order is in flight, so its error is only logged.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

import trio

from .._core.quota import QuotaUse
from ..errors import ApiError
from ..models.call_events import CallReplied, CallSent

log = logging.getLogger(__name__)

E = TypeVar("E")

_numbers: Final = itertools.count(1)


def tell(hook: Callable[[E], object] | None, event: E) -> None:
    """Call a hook, if there is one."""
    if hook is None:
        return
    try:
        hook(event)
    except Exception:
        log.exception("the hook %r failed", hook)


class TryHooks:
    """One try of a call, as its hooks see it: as a context manager around the try, it tells the end of it."""

    def __init__(
        self,
        on_request: Callable[[CallSent], object] | None,
        on_reply: Callable[[CallReplied], object] | None,
        *,
        endpoint: str,
        attempt: int,
        client_order_id: str | None,
    ) -> None:
        self._on_request = on_request
        self._on_reply = on_reply
        self._endpoint = endpoint
        self._attempt = attempt
        self._client_order_id = client_order_id
        self._event: CallSent | None = None
        self._status: int | None = None
        self._size = 0
        self._use: QuotaUse | None = None

    def sent(self, size: int) -> None:
        """The request is handed to the transport now; ``size`` of its body in bytes."""
        self._event = CallSent(
            number=next(_numbers),
            endpoint=self._endpoint,
            attempt=self._attempt,
            size=size,
            client_order_id=self._client_order_id,
            time=trio.current_time(),
        )
        tell(self._on_request, self._event)

    def answered(self, status: int, size: int, use: QuotaUse | None) -> None:
        """A whole reply has come."""
        self._status, self._size, self._use = status, size, use

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._event is None:
            return
        # The pipeline wraps the failure in an exception of its own.
        cause = getattr(error, "error", error)
        tell(
            self._on_reply,
            CallReplied(
                request=self._event,
                status=self._status,
                size=self._size,
                seconds=trio.current_time() - self._event.time,
                error=cause if isinstance(cause, Exception) else None,
                cancelled=isinstance(error, trio.Cancelled),
                code=cause.code if isinstance(cause, ApiError) else None,
                quota_used=None if self._use is None else self._use.used,
                quota_limit=None if self._use is None else self._use.limit,
                quota_window=None if self._use is None else self._use.window,
            ),
        )


class _NoHooks(TryHooks):
    """For a configuration without hooks: costs next to nothing."""

    def __init__(self) -> None:
        super().__init__(None, None, endpoint="", attempt=0, client_order_id=None)

    def sent(self, size: int) -> None:
        pass

    def answered(self, status: int, size: int, use: QuotaUse | None) -> None:
        pass


NO_HOOKS: Final = _NoHooks()
