"""Whatever the network does and wherever the bot is cancelled: nothing doubled, nothing forgotten, nothing left open.

Each seed is one storm: an exchange that loses requests and replies, delays, repeats, disconnects, refuses and fails,
and a bot that trades on it with three workers and short patience until it is cancelled, fails, ends, or "crashes" (has
no time to leave; the next session with its journal cleans up). The exchange checks no client order id twice here, so an
order that is sent twice becomes two and shows. See ``storm_kit.Storm._check`` for what must hold afterwards.
"""

from __future__ import annotations

from collections import Counter

import pytest
from proof_sizes import STORMS
from storm_kit import Storm

BLOCK = 25
ENOUGH = 6
"""So many storms together are known to meet everything that they are about."""


@pytest.mark.proof
@pytest.mark.parametrize("first", range(0, STORMS, BLOCK))
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_storm_leaves_nothing_behind(market: str, first: int) -> None:
    """Accepted at most once, local state is the exchange's, nothing of its own open, others' orders untouched."""
    seen: Counter[str] = Counter()
    seeds = range(first, min(first + BLOCK, STORMS))
    for seed in seeds:
        try:
            seen.update(Storm(market, seed).run())
        except BaseException as error:
            error.add_note(f"storm {market}/{seed}")
            raise
    # Calm runs would prove nothing.
    if len(seeds) >= ENOUGH:
        for what in ("troubles", "submitted", "accepted", "cancel", "error", "crashes", "exits confirmed"):
            assert seen[what] > 0, what
        assert seen["intents"] > seen["accepted"], "no order was ever lost or refused"
