"""Cancels that tasks ask for at the same moment, as few requests.

Leaving a session, or cancelling all of its orders, runs one task per order. These tasks ask at the same moment, so up
to ten orders share a request. Each task gets the exchange's answer about its own order only. An order that the reply
lists as cancelled was cancelled. All other orders, and all orders of a refused request, are cancelled one by one, since
a batch gives no reasons. If a request was cut off, each of its orders may have been cancelled, and its task is
notified.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Final

import attrs
import trio

from ..errors import ApiError, BitMartError, OutcomeUnknown, RateLimited, ServiceUnavailable

_MOST: Final = 10
"""Orders in one request, as the exchange takes them."""


@attrs.define(eq=False)
class _Asked:
    """An order that is to be cancelled."""

    order_id: str
    taken: bool = False
    """Whether it is in a request."""
    answered: trio.Event = attrs.field(factory=trio.Event)
    cancelled: bool = False
    """Whether the exchange said so."""
    error: BitMartError | None = None
    """What kept the request from being answered."""


class Cancels:
    """The cancels of one pair.

    Args:
        many: cancels several orders, and returns the ids of those that the exchange reports as cancelled.
        one: cancels one order, and raises the reason if it cannot.
        endpoint: of ``many``, for errors.
    """

    def __init__(
        self,
        many: Callable[[list[str]], Awaitable[Collection[str]]],
        one: Callable[[str], Awaitable[object]],
        endpoint: str,
    ) -> None:
        self._many = many
        self._one = one
        self._endpoint = endpoint
        self._waiting: list[_Asked] = []

    async def __call__(self, order_id: str) -> None:
        """Cancel an order; raises what cancelling it alone raises."""
        asked = _Asked(order_id)
        self._waiting.append(asked)
        try:
            await trio.lowlevel.checkpoint()  # lets other cancels of this moment join
            if not asked.taken:
                await self._send(asked)
            await asked.answered.wait()
        finally:
            if asked in self._waiting:
                self._waiting.remove(asked)
        if asked.error is not None:
            raise asked.error.with_traceback(None)
        if not asked.cancelled:
            await self._one(order_id)

    async def _send(self, first: _Asked) -> None:  # noqa: ASYNC910  # its caller waits for the answer
        """Send a request for an order and those that wait with it, and tell each what came of it."""
        batch = {first.order_id: first}
        for each in self._waiting:
            if len(batch) < _MOST:
                batch.setdefault(each.order_id, each)
        for each in batch.values():
            each.taken = True
            self._waiting.remove(each)
        # The result if no answer arrives, for example because this task is cancelled.
        error: BitMartError | None = OutcomeUnknown(
            "a cancel of several orders was cut off: each of them may have been cancelled", endpoint=self._endpoint
        )
        done: Collection[str] = ()
        try:
            if len(batch) > 1:
                done = await self._many(list(batch))
            error = None
        except ApiError as refusal:
            error = refusal if isinstance(refusal, RateLimited | ServiceUnavailable) else None
        except BitMartError as failure:
            error = failure
        finally:
            for each in batch.values():
                each.error, each.cancelled = error, each.order_id in done
                each.answered.set()
