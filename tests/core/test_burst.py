"""Bursts and failures in a row, by numbers alone."""

from __future__ import annotations

from bitmart_trio import Backoff
from bitmart_trio._core.backoff import Reconnects
from bitmart_trio._core.burst import Burst


def test_a_burst_is_reported_at_its_beginning_and_once_more() -> None:
    burst = Burst(1.0)
    assert [burst.add(now) for now in (5.0, 5.2, 5.9)] == [True, False, False]
    assert burst.due() == 6.0
    assert burst.end(5.9) is None
    assert burst.end(6.0) == 5.0
    assert burst.due() == float("inf")
    assert burst.add(6.1)


def test_a_single_event_is_reported_once() -> None:
    burst = Burst(1.0)
    assert burst.end(9.0) is None
    assert burst.add(5.0)
    assert burst.end(6.0) is None
    assert burst.add(7.0)


def test_failures_in_a_row_grow_the_wait_and_exhaust_the_attempts() -> None:
    row = Reconnects(Backoff(first=1, factor=2, maximum=60, attempts=2, stable_after=10))
    waits = []
    for now in (0.0, 1.0, 2.0):
        assert not row.exhausted
        row.failed(now)
        waits.append(row.delay(0.5))
    assert row.exhausted
    assert waits[1:] == [2 * waits[0], 4 * waits[0]]


def test_a_connection_that_stayed_up_begins_a_new_row() -> None:
    row = Reconnects(Backoff(attempts=2, stable_after=10))
    for up, down, failures in [(0.0, 9.9, 1), (20.0, 29.9, 2), (40.0, 50.0, 1)]:
        row.attempts += 1
        row.up(up)
        assert row.attempts == 0
        row.failed(down)
        assert row.failures == failures
