"""Delays: doubling, capped, jittered between half and all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._core.backoff import delay, retry_delay
from bitmart_trio.config import Backoff, Retry


@pytest.mark.parametrize(("attempt", "most"), [(0, 0.5), (1, 1.0), (2, 2.0), (5, 16.0), (6, 30.0), (100_000, 30.0)])
def test_a_wait_is_drawn_between_half_and_all_of_a_doubling_delay(attempt: int, most: float) -> None:
    """Up to the maximum, also after so many attempts that the power has no float."""
    policy = Backoff(first=0.5, factor=2.0, maximum=30.0)
    assert delay(policy, attempt, 0.0) == most / 2
    assert delay(policy, attempt, 0.999_999) == pytest.approx(most, rel=1e-5)


def test_a_retry_doubles_too() -> None:
    """From its own first wait to its own maximum."""
    policy = Retry(first=0.25, maximum=5.0)
    assert [retry_delay(policy, attempt, 0.0) for attempt in range(6)] == [0.125, 0.25, 0.5, 1.0, 2.0, 2.5]


def test_no_wait_at_all_can_be_asked_for() -> None:
    """First 0 means: at once."""
    assert retry_delay(Retry(first=0.0), 3, 0.7) == 0


@given(
    first=st.floats(0.001, 100),
    factor=st.floats(1, 1e300),
    maximum=st.floats(0.001, 1000),
    attempt=st.integers(0, 10_000),
    random=st.floats(0, 1, exclude_max=True),
)
def test_no_delay_leaves_its_bounds(first: float, factor: float, maximum: float, attempt: int, random: float) -> None:
    """Whatever the policy."""
    policy = Backoff(first=first, factor=factor, maximum=maximum)
    assert min(first, maximum) / 2 <= delay(policy, attempt, random) <= maximum
