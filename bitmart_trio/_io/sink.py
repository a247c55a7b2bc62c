"""Where the router puts a topic's items: a subscription's buffer, or something that keeps a state of its own.

A sink never waits, and receives everything at once, in the order of the wire.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

from ..models.stream_events import Gap


class Sink(Protocol):
    """A consumer that can be attached to topics."""

    topics: dict[str, None]
    """The topics that the sink holds now; the connections maintain them."""

    def put(self, item: Any, key: Hashable, now: float) -> None:  # noqa: ANN401  # the topic's model
        """Take an item of a topic."""
        ...

    def lost(self, topic: str, gap: Gap | None) -> None:
        """The topic's connection has broken: what follows comes from another one.

        Args:
            topic: as on the wire.
            gap: the gap so far. A `gap` follows when its end is known. None if the topic had not been acknowledged.
        """
        ...

    def gap(self, gap: Gap, connection: int | None) -> None:
        """A gap is over.

        Args:
            gap: the gap, beginning at the last message before it.
            connection: the connection that broke; its topic is acknowledged again. None for a gap on a connection that
                did not break.
        """
        ...

    def doubt(self, topic: str) -> None:
        """Handle a topic that may be stale: it was silent for too long, or the machine was suspended.

        The doubt ends when the topic sends again, is lost, or is `renewed`.
        """
        ...

    def renewed(self, topic: str) -> None:
        """The exchange has acknowledged a topic afresh, on the connection that carried it before."""
        ...

    def end(self, error: Exception) -> None:
        """There will be no more."""
        ...
