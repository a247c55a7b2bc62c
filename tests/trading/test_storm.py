"""Whatever the network does and wherever the bot is cancelled: nothing doubled, nothing forgotten, nothing left open.

Each seed is one storm: an exchange that loses requests and replies, delays, repeats, disconnects, refuses and fails,
and a bot that trades on it with three workers and short patience until it is cancelled, fails, ends, or "crashes" (has
no time to leave; the next session with its journal cleans up). The exchange checks no client order id twice here, so an
order that is sent twice becomes two and shows. See ``storm_kit.Storm._check`` for what must hold afterwards.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from storm_kit import Storm

SEEDS = int(os.environ.get("BITMART_SEEDS", "24"))
"""How many storms a market."""
BLOCK = 8

seen: Counter[str] = Counter()


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_storm_leaves_nothing_behind(market: str, first: int) -> None:
    """Accepted at most once, local state is the exchange's, nothing of its own open, others' orders untouched."""
    for seed in range(first, min(first + BLOCK, SEEDS)):
        try:
            seen.update(Storm(market, seed).run())
        except BaseException as error:
            error.add_note(f"storm {market}/{seed}")
            raise


def test_the_storms_were_storms() -> None:
    """They met what they are about: a suite of calm runs would prove nothing."""
    for what in ("troubles", "submitted", "accepted", "cancel", "error", "crashes", "exits confirmed"):
        assert seen[what] > 0, what
    assert seen["intents"] > seen["accepted"], "no order was ever lost or refused"
