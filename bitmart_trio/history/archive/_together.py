"""Sum up the windows of one history: its final state, and the part that is undecided. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ._entries import State
from ._reader import WindowRow


@attrs.frozen
class Span:
    """A stretch of time, ``[since, until)``, in milliseconds."""

    since: int
    until: int


def undecided(rows: Sequence[WindowRow], since: int, until: int) -> list[Span]:
    """Return the parts of a range without a standing decision, with neighbours joined."""
    spans: list[Span] = []
    at = since
    for row in rows:
        if not row.state.complete or row.gap is not None:
            continue
        if row.since > at:
            spans.append(Span(at, min(row.since, until)))
        at = max(at, row.until)
    if at < until:
        spans.append(Span(at, until))
    return [span for span in spans if span.since < span.until]


def summed(rows: Sequence[WindowRow], since: int, until: int) -> tuple[State, str, int]:
    """Return the final state of a history: that of its worst window, with reason and code."""
    at = since
    for row in rows:
        if row.since > at:
            break
        at = max(at, row.until)
    if at < until:
        return State.RUNNING, "", 0
    for state in (State.NOT_PERMITTED, State.FAILED, State.UNREADABLE):
        for row in rows:
            if row.state is state:
                return state, row.reason, row.code
    refused = [row for row in rows if row.state is State.NOT_OFFERED]
    if refused and len(refused) == len(rows):
        return State.NOT_OFFERED, refused[0].reason, refused[0].code
    return State.ANSWERED, "", 0
