"""Client order ids: in both markets' format, and never the same twice."""

from __future__ import annotations

import re

from bitmart_trio.trading._ids import OrderIds

NOW = 1_767_225_600_000


def test_both_markets_take_them() -> None:
    """1 to 32 ASCII letters and digits; the counter may grow for years."""
    ids = OrderIds(NOW)
    assert all(re.fullmatch("[0-9a-z]{1,32}", ids.next()) for _ in range(1000))
    ids._count = 36**6 + 5
    assert re.fullmatch("[0-9a-z]{1,32}", ids.next())


def test_no_two_are_the_same() -> None:
    """Within a session, and among sessions that began in the same millisecond."""
    sessions = [OrderIds(NOW) for _ in range(200)]
    found = [ids.next() for ids in sessions for _ in range(50)]
    assert len(set(found)) == len(found)


def test_the_prefix_tells_whose_they_are() -> None:
    """One session's ids begin alike, and nobody else's do."""
    one, other = OrderIds(NOW), OrderIds(NOW)
    assert one.owns(one.next())
    assert not one.owns(other.next())
    assert not one.owns(None)
    assert not one.owns("human1")


def test_the_counter_does_not_run_into_the_session() -> None:
    """A counter beyond its width makes the id longer, not ambiguous."""
    ids = OrderIds(NOW)
    ids._count = 36**6 - 1
    first = ids.next()
    assert len(first) == len(ids.prefix) + 7
    assert first != ids.next()
