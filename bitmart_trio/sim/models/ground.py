"""The parts that both markets of an exchange share."""

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
    """Time, random streams, and the models that are the same for spot and futures."""

    clock: Clock
    log: EventLog
    random: Randoms
    """The random streams of the past, the fills and the makers."""
    model: MarketModel
    """The model that moves prices and quotes on the books."""
    paths: Paths
    """The prices before the opening."""
    fills: FillModel
    delays: Delays
    listened: Mapping[str, int]
    """The number of topics with listeners, by symbol."""
    tick_ms: int
    """The interval of ticks in milliseconds."""
