"""Twelve bots that are broken on purpose: each is caught, by the invariant that it breaks, on one of the first days."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from proof_sizes import ZOO

from bitmart_trio.testing._certify._certify import job_of
from bitmart_trio.testing._certify._shrink import shrink

HERE: Final = Path(__file__).parent
MINUTES: Final = 2
CAUGHT: Final = {
    # The bot, the invariant, and the first seed that catches it.
    "forgets_on_cancel": ("nothing_open", 0),
    "leaks_a_task": ("nothing_leaked", 0),
    "floats": ("within_bounds", 0),
    "partial_fills": ("no_undeclared_position", 0),
    "order_of_pushes": ("no_undeclared_position", 0),
    "busy_reconnect": ("no_busy_loop", 1),
    "no_backoff": ("keeps_to_quotas", 1),
    "resends": ("one_order_per_intent", 3),
    "double_start": ("nothing_open", 3),
    "stale_book": ("live_book_only", 2),
    "swallows_cancelled": ("no_busy_loop", 0),
    "first_positions": ("no_undeclared_position", 8),
}
"""What a certificate of each says first; the cheap ones come first."""


@pytest.mark.proof
@pytest.mark.parametrize("name", list(CAUGHT)[:ZOO])
def test_a_broken_bot_is_caught(name: str) -> None:
    """By the invariant that is about its mistake, and at a line of its own where a line is known."""
    invariant, seed = CAUGHT[name]
    job = job_of(f"{HERE / 'zoo' / name}.py:main", minutes=MINUTES)
    outcome = job.play(job.day(str(seed)))
    assert invariant in [found.invariant for found in outcome.findings], outcome.findings
    assert all(found.line.startswith(f"{name}.py:") for found in outcome.findings if found.line)


def test_a_bad_day_is_made_small() -> None:
    """Of all its deeds only those stay that the bot breaks on: here a reply that is lost."""
    job = job_of(f"{HERE / 'zoo' / 'resends.py'}:main", minutes=MINUTES)
    whole = job.day("3")
    small = shrink(job.play, whole)
    assert small.outcome.findings[0].invariant == "one_order_per_intent"
    assert len(small.day.deeds) <= 2 < len(whole.deeds)
    assert small.day.end < whole.end
    assert small.whole
    assert job.play(job.day(small.day.name)).findings == small.outcome.findings


def test_a_sound_bot_passes() -> None:
    """Over some days of all kinds of trouble."""
    job = job_of(f"{HERE / 'sound.py'}:main", minutes=1)
    for seed in range(3):
        outcome = job.play(job.day(str(seed)))
        assert (outcome.verdict, outcome.findings) == ("passed", ())
        assert outcome.counts["orders"]
