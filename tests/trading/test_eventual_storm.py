"""An exchange whose lists, look-ups, pushes and clock contradict each other: what a session calls done is done.

Each seed is one storm of `EventualStorm`: lags of every list, look-up, history and position reading of its own, states
beside older sizes, capped lists, blank and altered client ids, clock glitches, gateways with codes of their own, burnt
ids, late and old pushes, mixed with the troubles of the network. The referee knows the exchange's own books; see
``eventual_kit.EventualStorm._referee``.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from eventual_kit import KINDS, EventualStorm, Kind
from proof_sizes import EVENTUAL

BLOCK = 10
SLOWEST: Final = {("spot", "long"), ("futures", "beyond")}
"""Half of the time of all: with one seed the other market alone has the kind."""


def storms() -> list[tuple[str, Kind]]:
    """Each kind of storm in each market."""
    both = [(market, kind) for market in ("spot", "futures") for kind in KINDS]
    return [each for each in both if EVENTUAL > 1 or each not in SLOWEST]


@pytest.mark.proof
@pytest.mark.parametrize("first", range(0, EVENTUAL, BLOCK))
@pytest.mark.parametrize(("market", "kind"), storms())
def test_nothing_that_is_called_done_is_open_or_held(market: str, kind: Kind, first: int) -> None:
    """Accepted at most once; confirmed means so; sizes are the ledger's once they have come through; in time."""
    seen: Counter[str] = Counter()
    for seed in range(first, min(first + BLOCK, EVENTUAL)):
        try:
            seen.update(EventualStorm(market, seed, kind=kind).run())
        except BaseException as error:
            error.add_note(f"storm {kind} {market}/{seed}")
            raise
    print(f"\n{kind} {market} from {first}: {dict(seen)}")  # noqa: T201
    assert seen["contradictions"] > 0
    assert seen["accepted"] > 0
    assert kind != "beyond" or seen["unconfirmed"] > 0 or EVENTUAL < BLOCK
