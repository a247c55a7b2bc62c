"""What the stream tests share."""

from __future__ import annotations

from typing import Any, TypeVar

import trio

import bitmart_trio as bm
from bitmart_trio import models

E = TypeVar("E", bound=models.StreamEvent)
T = TypeVar("T")


def drained(subscription: bm.Subscription[T]) -> list[T]:
    """All items that are ready."""
    found: list[T] = []
    while True:
        try:
            found.append(subscription.receive_nowait())
        except trio.WouldBlock:
            return found


async def wait_for(events: bm.Subscription[models.AnyStreamEvent], kind: type[E]) -> E:
    """The next event of a kind."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError("the events ended")


def names(events: list[Any]) -> list[str]:
    """The kinds of events, in order."""
    return [type(event).__name__ for event in events]
