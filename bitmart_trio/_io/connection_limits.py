"""Limit what one address does at an exchange's sockets, counted over all clients of a run.

Both the number of connections and the connects per minute are limited.

The counts are in a run-local variable: two ``trio.run`` in one process (tests, threads) have their own clocks and do
not share counts.
"""

from __future__ import annotations

from collections import deque
from urllib.parse import urlsplit

import attrs
import trio

from .._core.dialect import SocketLimits
from ..errors import ConfigurationError


@attrs.define
class _Count:
    open: int = 0
    connects: deque[float] = attrs.field(factory=deque)


_counts: trio.lowlevel.RunVar[dict[str, _Count]] = trio.lowlevel.RunVar("socket connections")


def _count(url: str, limits: SocketLimits) -> _Count:
    try:
        counts = _counts.get()
    except LookupError:
        counts = dict[str, _Count]()
        _counts.set(counts)
    return counts.setdefault(url if limits.apart else urlsplit(url).netloc, _Count())


def free_slots(url: str, limits: SocketLimits) -> int:
    """Return how many more connections the exchange allows this address now."""
    return max(0, limits.connections - _count(url, limits).open)


class ConnectionSlot:
    """One connection, counted from when this is made until its ``with`` block ends.

    Raises:
        ConfigurationError: the exchange allows no further connection from one address.
    """

    def __init__(self, url: str, limits: SocketLimits) -> None:
        self._count = _count(url, limits)
        if self._count.open >= limits.connections:
            raise ConfigurationError(
                f"the exchange allows {limits.connections} such connections from one address, and all are in use"
            )
        self._count.open += 1

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._count.open -= 1


async def connect_permit(url: str, limits: SocketLimits) -> None:
    """Wait until another connect is allowed, and count it. Cancelling counts nothing."""
    await trio.lowlevel.checkpoint()
    connects = _count(url, limits).connects
    while True:
        now = trio.current_time()
        while connects and connects[0] <= now - limits.connects_per:
            connects.popleft()
        if len(connects) < limits.connects:
            connects.append(now)
            return
        await trio.sleep_until(connects[0] + limits.connects_per + 0.001)
