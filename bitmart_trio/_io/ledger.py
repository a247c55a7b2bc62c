"""What one address may do at an exchange's sockets, counted for all clients of a run.

Connections in all, and connects a minute.

Kept in a run-local variable: two ``trio.run`` in one process (tests, threads) have clocks of their own and do not
share a count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from .._core.socket_dialect import SocketLimits
from ..errors import ConfigurationError


@attrs.define
class _Count:
    open: int = 0
    connects: deque[float] = attrs.field(factory=deque)


_counts: trio.lowlevel.RunVar[dict[str, _Count]] = trio.lowlevel.RunVar("bitmart_trio socket connections")


def _count(url: str) -> _Count:
    try:
        counts = _counts.get()
    except LookupError:
        counts = {}
        _counts.set(counts)
    return counts.setdefault(url, _Count())


@contextmanager
def connection_slot(url: str, limits: SocketLimits) -> Iterator[None]:
    """Count one connection while inside.

    Raises:
        ConfigurationError: the exchange allows no more connections from one address.
    """
    count = _count(url)
    if count.open >= limits.connections:
        raise ConfigurationError(
            f"the exchange allows {limits.connections} such connections from one address, and all are in use"
        )
    count.open += 1
    try:
        yield
    finally:
        count.open -= 1


async def connect_permit(url: str, limits: SocketLimits) -> None:
    """Wait until another connect is allowed, and count it. Cancelling counts nothing."""
    await trio.lowlevel.checkpoint()
    connects = _count(url).connects
    while True:
        now = trio.current_time()
        while connects and connects[0] <= now - limits.connects_per:
            connects.popleft()
        if len(connects) < limits.connects:
            connects.append(now)
            return
        await trio.sleep_until(connects[0] + limits.connects_per + 0.001)
