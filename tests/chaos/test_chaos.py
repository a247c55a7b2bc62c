"""Every fault of the simulated exchange against every kind of subscription: nothing is lost in silence.

``python -m pytest tests/chaos -s`` prints what became of all messages, by fault and by kind of subscription;
``BITMART_CHAOS=20`` runs each fault twenty times.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest
from chaos_kit import Tally, summed
from chaos_trials import TRIALS, Outcome, Trial, run
from chaos_watches import CHANNELS
from proof_sizes import CHAOS

import bitmart_trio.streams.futures
import bitmart_trio.streams.spot  # noqa: F401  # both fill the registry of channels, which is loaded on first use
from bitmart_trio._bitmart import channel
from bitmart_trio.sim.faults import FAULTS

NOT_OF_STREAMS: Final = {
    "ShiftingPages": "history/test_archive_storm.py",
    "BurntIds": "trading/eventual_kit.py",
    "BlankClientIds": "trading/eventual_kit.py",
    "ClockGlitch": "trading/eventual_kit.py",
    "StaleFields": "trading/eventual_kit.py",
}
"""Streams turn no pages and place no orders; from client order ids, amounts and one reading of a clock follows nothing.

The storms of sessions and histories, in these files, meet them.
"""
FOUND: Final = {"SharedIds": (2,), "BlankIds": (2, 4), "WrongUnit": (4,), "Lag": (1,)}
"""Seeds of runs that have failed once."""
OUTCOMES: Final[list[Outcome]] = []


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    """Print what was found; pytest shows it with ``-s``."""
    yield
    sys.stdout.write(f"\n{table()}\n")


@pytest.mark.proof
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("trial", "seed"),
    [
        pytest.param(trial, seed, id=f"{trial.name}-{seed}")
        for trial in TRIALS
        for seed in (FOUND.get(trial.name, (0,)) if CHAOS == 1 else sorted({*range(CHAOS), *FOUND.get(trial.name, ())}))
    ],
)
def test_nothing_is_lost_in_silence(trial: Trial, seed: int) -> None:
    """What was published is received, or stands behind a Gap, an error or a count; and all streams go on."""
    outcome = run(trial, seed)
    OUTCOMES.append(outcome)
    assert not outcome.unused
    assert not outcome.wrongly_ended
    assert {name: tally.undeclared for name, tally in outcome.rows if tally.undeclared} == {}
    if trial.name == "Garbage":
        assert outcome.malformed == outcome.hits


def test_every_fault_and_every_channel_has_its_turn() -> None:
    """A new one of either fails here until the run knows it."""
    assert {trial.name.split(",")[0].split(" ")[0] for trial in TRIALS} | {*NOT_OF_STREAMS} == {
        *FAULTS,
        "nothing",
        "all",
    }
    for name, storm in NOT_OF_STREAMS.items():
        assert f"{name}(" in (Path(__file__).parent.parent / storm).read_text(encoding="utf-8")
    found = {id(channel.find(topics[0])) for *_, topics in CHANNELS}
    assert found == {id(row) for row in channel.CHANNELS}


def table() -> str:
    """All outcomes, by fault and by kind of subscription."""
    head = ["", "hits", "sent", "received", "declared", "unseeable", "undeclared", "repeated", "gaps", "ended"]
    by_fault = [[*head, "reconnects", "resynced", "survived"]]
    runs: dict[str, list[Outcome]] = {}
    for outcome in OUTCOMES:
        runs.setdefault(outcome.trial.name, []).append(outcome)
    for name, outcomes in runs.items():
        total = summed((name, outcome.total) for outcome in outcomes)[name]
        survived = sum(outcome.survived for outcome in outcomes)
        hits, reconnects = (sum(getattr(each, what) for each in outcomes) for what in ("hits", "reconnects"))
        answer = f"{survived} of {len(outcomes)}" if CHAOS > 1 else "yes" if survived else "NO"
        by_fault.append([*_row(name, hits, total), str(reconnects), str(total.resynced), answer])
    by_kind = [[*head[:1], *head[2:], "resynced"]]
    kinds = summed(row for outcome in OUTCOMES for row in outcome.rows)
    for name, tally in [*kinds.items(), ("all", _sum(kinds.values()))]:
        by_kind.append([*_row(name, None, tally), str(tally.resynced)])
    return f"{_format(by_fault)}\n\n{_format(by_kind)}"


def _sum(tallies: Iterable[Tally]) -> Tally:
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found


def _row(name: str, hits: int | None, tally: Tally) -> list[str]:
    figures = [tally.sent, tally.received, tally.declared, tally.unseeable, tally.undeclared, tally.repeated]
    return [name, *([] if hits is None else [str(hits)]), *map(str, [*figures, tally.gaps, tally.ended])]


def _format(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines: list[str] = []
    for name, *figures in rows:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *cells]))
    return "\n".join(lines)
