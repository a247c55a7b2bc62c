"""What bots written on other people's clients have shown to be wrong with the simulated exchange, and no longer is."""

from __future__ import annotations

from typing import cast

import pytest
from futures_kit import Venue


def test_the_end_of_a_position_is_told_however_long_the_call_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real clock moves while an order is carried out; the push that says "nothing is held" comes all the same."""
    venue = Venue()
    steady, late = venue.exchange.clock.steady_ms, [0]

    def slow() -> int:
        late[0] += 1
        return steady() + late[0]

    monkeypatch.setattr(venue.exchange.futures.engine, "now", slow)
    with venue.heard("futures/position", "1") as frames:
        venue.order(1, 10, leverage="5", open_type="isolated")
        venue.order(3, 10)
    (held,) = cast("list[dict[str, object]]", frames[-1]["data"])
    assert (held["hold_volume"], held["close_volume"]) == ("0", "10")
