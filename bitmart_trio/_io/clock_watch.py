"""Looks at the clocks while a client has connections, and reports when program or machine stood still."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio

from .._core.lapse import Lapse, Lapses
from ..config import Config

log = logging.getLogger(__name__)

_MOST_OFTEN: Final = 0.05
_LEAST_OFTEN: Final = 0.5


async def watch_clocks(
    config: Config, wall: Callable[[], float], *, needed: Callable[[], bool], found: Callable[[Lapse], None]
) -> None:
    """Look at the clocks until nobody needs it.

    Args:
        config: sets the shortest lapse that is reported.
        wall: returns seconds since 1970 by this machine.
        needed: returns True to go on; called at each check.
        found: takes each lapse; must not wait.
    """
    stalled_after = config.stalled_after or config.pong_timeout / 5
    every = min(max(stalled_after / 2, _MOST_OFTEN), _LEAST_OFTEN)
    await trio.lowlevel.checkpoint()
    lapses = Lapses(
        trio.current_time(), _read(wall), stalled_after=stalled_after, suspended_after=config.suspended_after
    )
    while needed():
        planned = trio.current_time() + every
        await trio.sleep_until(planned)
        lapse = lapses.look(trio.current_time(), _read(wall), planned=planned)
        if lapse.stalled or lapse.suspended:
            log.info("the loop was kept busy for %.1f s, the machine suspended for %.1f s", *lapse)
            found(lapse)


def _read(wall: Callable[[], float]) -> float:
    try:
        return float(wall())
    except Exception:  # the user's clock failed: that must not end the connections
        log.exception("the clock of the configuration failed")
        return float("nan")  # compares as no gain
