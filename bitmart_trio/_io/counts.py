"""Count the messages of one subscription, for ``Subscription.statistics()``."""

from __future__ import annotations

import attrs

from ..models._model import Model


@attrs.define
class Counts:
    """The counters that a subscription's gate, receivers and queue share. See `SubscriptionStatistics`."""

    received: int = 0
    backfilled: int = 0
    delivered: int = 0
    conflated: int = 0
    dropped: int = 0
    repeated: int = 0
    gaps: int = 0
    reconnects: int = 0


@attrs.frozen
class SubscriptionStatistics(Model):
    """The counts of a subscription's messages.

    ``received + backfilled == delivered + conflated + dropped + repeated + buffer_used``.
    """

    received: int
    """Items that the exchange pushed."""
    backfilled: int
    """Items read over REST to fill gaps."""
    delivered: int
    """Items handed to the user."""
    conflated: int
    """Items replaced by a newer one of the same state before they were read."""
    dropped: int
    """Items discarded because the buffer was full, or because the stream ended while they waited behind a gap."""
    repeated: int
    """Pushes left out because the user already had them from REST."""
    gaps: int
    """Gaps that stayed: one per topic and break of its connection."""
    reconnects: int
    """Breaks after which topics were acknowledged again."""
    buffer_used: int
    """Items that can be read, and pushes held back until a gap is filled."""
    buffer_size: int
    last_message: float | None
    """``trio.current_time()`` of the newest item, None before the first."""
    open_receive_channels: int
    """The open handles: this subscription and its clones."""
    tasks_waiting_receive: int
