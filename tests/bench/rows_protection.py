"""The rows of what protection from Ctrl-C, the rule of errors and the judging of deadlines cost: ourselves without."""

from __future__ import annotations

from collections.abc import Iterator

from .scenario import Scenario


def protection() -> Iterator[Scenario]:
    """All of them. "bare" is `peer_bare`."""
    yield Scenario(
        name="protection: a message",
        server="sockets",
        plan={
            "do": "stream", "market": "futures", "kind": "trade", "encoding": "text", "topics": 1, "batches": False,
            "warm": 40_000, "count": 40_000,
        },
        peers=("bare",),
    )  # fmt: skip
    yield Scenario(
        name="protection: a REST call",
        server="rest",
        plan={"do": "rest", "verb": "GET", "warm": 1_000, "count": 1_000},
        peers=("bare",),
    )
    yield Scenario(
        name="protection: opening and leaving a subscription to a topic that is held",
        server="sockets",
        plan={"do": "opening", "market": "futures", "kind": "trade", "topics": 1, "warm": 500, "count": 2_000},
        peers=("bare",),
        server_plan={"topics": 0},
    )
