"""Two clocks and a plan: what was stalled, what was suspended, and what is only a clock that was set."""

from __future__ import annotations

import pytest

from bitmart_trio._core.clock import ServerClock
from bitmart_trio._core.lapse import Lapse, Lapses


@pytest.mark.parametrize(
    ("mono", "wall", "found"),
    [
        (0.5, 0.5, Lapse(0, 0)),
        (1.4, 1.4, Lapse(0, 0)),
        (3.5, 3.5, Lapse(3.0, 0)),
        (0.5, 3600.5, Lapse(0, 3600.0)),
        (4.5, 604.5, Lapse(4.0, 600.0)),
        (0.5, 5.4, Lapse(0, 0)),
        (0.5, -3600, Lapse(0, 0)),
        (600.5, 0.5, Lapse(600.0, 0)),
    ],
    ids=["in time", "a little late", "busy", "asleep", "both", "clock corrected", "clock set back", "virtual"],
)
def test_what_a_look_finds(mono: float, wall: float, found: Lapse) -> None:
    """Late by Trio's clock means a busy loop, a gain of the wall clock a suspended machine."""
    lapses = Lapses(100.0, 5000.0, stalled_after=1.0, suspended_after=5.0)
    assert lapses.look(100 + mono, 5000 + wall, planned=100.5) == pytest.approx(found)
    assert lapses.look(100 + mono + 0.5, 5000 + wall + 0.5, planned=100 + mono + 0.5) == (0, 0)


def test_a_clock_that_fails_finds_nothing() -> None:
    """What is no number is no gain."""
    lapses = Lapses(0.0, 5000.0, stalled_after=1.0, suspended_after=5.0)
    assert lapses.look(0.5, float("nan"), planned=0.5) == (0, 0)
    assert lapses.look(1.0, 9000.0, planned=1.0) == (0, 0)


def test_the_exchanges_time_goes_on_while_the_machine_sleeps() -> None:
    """What was measured before moves on by the sleep, and the next sample replaces it however coarse it is."""
    clock = ServerClock()
    clock.sample(sent=10.0, received=10.2, server=1000.1, wall=900.2)
    assert clock.now(10.2, 900.2) == pytest.approx(1000.1, abs=0.2)
    clock.slept(3600.0)
    assert clock.now(11.2, 4501.2) == pytest.approx(4601.1, abs=0.2)
    assert clock.bound(11.2, 4501.2) == float("inf")
    assert clock.sample(sent=12.0, received=14.0, server=4603.5, wall=4503.5)
    assert clock.now(14.0, 4504.0) == pytest.approx(4604.5)
