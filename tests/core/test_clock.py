"""The exchange's clock: an estimate with a bound that is always honest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core.clock import DRIFT, ServerClock

EPOCH = 1_700_000_000.0


def _sampled(offset: float = 5.0, round_trip: float = 0.2) -> ServerClock:
    """A clock that was asked at mono 100, when the local wall clock was `offset` behind the exchange's."""
    clock = ServerClock()
    clock.sample(
        sent=100 - round_trip, received=100.0, server=EPOCH + offset - round_trip / 2, wall=EPOCH, resolution=0.001
    )
    return clock


def test_without_a_sample_the_wall_clock_is_followed() -> None:
    """There is nothing else, and nothing is known about its error."""
    clock = ServerClock()
    assert clock.now(1.0, EPOCH) == EPOCH
    assert clock.now(2.0, EPOCH + 50) == EPOCH + 50
    assert clock.offset(1.0, EPOCH) == 0
    assert clock.bound(1.0, EPOCH) == math.inf


def test_a_sample_gives_the_offset_and_half_the_round_trip_as_bound() -> None:
    """The answer was written somewhere between sending and receiving."""
    clock = _sampled(offset=5.0, round_trip=0.2)
    assert clock.now(100.0, EPOCH) == pytest.approx(EPOCH + 5)
    assert clock.offset(100.0, EPOCH) == pytest.approx(5)
    assert clock.bound(100.0, EPOCH) == pytest.approx(0.101)


def test_between_samples_time_runs_by_the_monotonic_clock() -> None:
    """Setting the wall clock changes the offset, not the exchange's time."""
    clock = _sampled(offset=5.0)
    assert clock.now(110.0, EPOCH + 10) == pytest.approx(EPOCH + 15)
    assert clock.now(110.0, EPOCH - 3590) == pytest.approx(EPOCH + 15)
    assert clock.offset(110.0, EPOCH - 3590) == pytest.approx(3605)


def test_the_bound_grows_with_age() -> None:
    """Quartz drifts."""
    clock = _sampled(round_trip=0.2)
    assert clock.bound(100 + 3600, EPOCH + 3600) == pytest.approx(0.101 + 3600 * DRIFT)


def test_a_step_of_the_wall_clock_is_noticed() -> None:
    """It may have been the monotonic clock that stood still (a suspended machine): the bound says so."""
    clock = _sampled()
    assert clock.bound(110.0, EPOCH + 10 + 30) == pytest.approx(30, abs=0.2)
    assert clock.bound(110.0, EPOCH + 10 - 30) == pytest.approx(30, abs=0.2)


def test_the_best_sample_is_kept() -> None:
    """A slower answer that agrees does not replace a quick one, until that one is old."""
    clock = _sampled(offset=5.0, round_trip=0.02)
    assert not clock.sample(sent=101.0, received=102.0, server=EPOCH + 6.7, wall=EPOCH + 2)
    assert clock.offset(102.0, EPOCH + 2) == pytest.approx(5)
    day = 86_400
    assert clock.sample(sent=day, received=day + 1.0, server=EPOCH + day - 100 + 0.5 + 6, wall=EPOCH + day - 99)
    assert clock.offset(day + 1.0, EPOCH + day - 99) == pytest.approx(6)


def test_a_sample_that_cannot_agree_replaces_even_a_better_one() -> None:
    """One of the clocks has jumped, so what was known is worth nothing."""
    clock = _sampled(offset=5.0, round_trip=0.02)
    assert clock.sample(sent=101.0, received=102.0, server=EPOCH + 100, wall=EPOCH + 2)
    assert clock.now(102.0, EPOCH + 2) == pytest.approx(EPOCH + 100.5)


def test_doubt_lets_the_next_sample_in() -> None:
    """After a refusal by the exchange, however coarse the new answer is."""
    clock = _sampled(offset=5.0, round_trip=0.02)
    clock.doubt()
    assert clock.bound(100.0, EPOCH) == math.inf
    assert clock.now(100.0, EPOCH) == pytest.approx(EPOCH + 5)
    assert clock.sample(sent=101.0, received=102.0, server=EPOCH + 6.7, wall=EPOCH + 2)
    assert clock.bound(102.0, EPOCH + 2) == pytest.approx(0.501)


def test_a_hint_counts_only_when_it_proves_the_clock_wrong() -> None:
    """A date in whole seconds would make a good clock worse."""
    clock = ServerClock()
    assert not clock.hint(sent=1.0, received=1.1, server=EPOCH + 0.3, wall=EPOCH, resolution=0.5)
    assert clock.bound(1.1, EPOCH) == math.inf
    assert clock.hint(sent=1.0, received=1.1, server=EPOCH + 30, wall=EPOCH, resolution=0.5)
    assert clock.now(1.1, EPOCH) == pytest.approx(EPOCH + 30.05)
    assert clock.bound(1.1, EPOCH) == pytest.approx(0.55)


def test_a_hint_never_replaces_a_better_sample() -> None:
    """The exchange's own answer is worth more than the date of the network in front of it."""
    clock = _sampled(round_trip=0.02)
    assert not clock.hint(sent=101.0, received=101.1, server=EPOCH + 99, wall=EPOCH + 1, resolution=0.5)


def test_every_answer_is_counted() -> None:
    """Also one that does not replace what is known; hints are no answers."""
    clock = _sampled(round_trip=0.02)
    assert clock.answers == 1
    clock.sample(sent=101.0, received=102.0, server=EPOCH + 6.7, wall=EPOCH + 2)
    clock.hint(sent=101.0, received=102.0, server=EPOCH + 99, wall=EPOCH + 2, resolution=0.5)
    assert clock.answers == 2


@given(
    st.lists(
        st.tuples(st.floats(0.01, 5000), st.floats(0, 3), st.floats(0, 3), st.floats(-DRIFT, DRIFT)),
        min_size=1,
        max_size=20,
    )
)
def test_the_true_time_is_always_within_the_bound(steps: list[tuple[float, float, float, float]]) -> None:
    """However uneven the two ways are, and while the clocks drift as fast as allowed."""
    clock = ServerClock()
    mono, ahead = 0.0, 12.5
    for idle, there, back, drift in steps:
        mono += idle
        ahead += idle * drift
        clock.sample(
            sent=mono,
            received=mono + there + back,
            server=EPOCH + mono + there + ahead,
            wall=EPOCH + mono + there + back,
        )
        mono += there + back
        error = abs(clock.now(mono, EPOCH + mono) - (EPOCH + mono + ahead))
        assert error <= clock.bound(mono, EPOCH + mono) + 1e-6
