"""The ground that both markets of an exchange share."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..kernel.clock import Clock
from ..kernel.eventlog import EventLog
from ..kernel.ids import Randoms
from ..kernel.prehistory import Paths
from .fills import FillModel
from .latency import Delays
from .market import MarketModel


@attrs.frozen(kw_only=True)
class Ground:
    """Time, chance and the models that are the same for spot and futures."""

    clock: Clock
    log: EventLog
    random: Randoms
    """The past, the fills and the makers are drawn from it."""
    model: MarketModel
    """Moves the prices and quotes on the books."""
    paths: Paths
    """The prices before the opening."""
    fills: FillModel
    delays: Delays
    listened: Mapping[str, int]
    """The number of topics with listeners, by symbol."""
    tick_ms: int
    """The distance of two ticks."""
