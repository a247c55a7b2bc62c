"""Judge an archive's decisions again, from its replies, one by one.

The run records the replies on which each decision rests. This module judges each reply again, by the same rules and
from its bytes alone, and names every decision that the replies do not support.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from .._walk import moment
from ._entries import Asked, ReplyCame, State
from ._judge import find_walk, judge
from ._reader import HistoryRow, LookRow, Reader, WindowRow
from ._tasks import SPOT_OPEN, History, Look, open_orders, past, present, traced
from ._together import summed

_REFUSED = (State.NOT_OFFERED, State.NOT_PERMITTED)


@attrs.frozen
class Evidence:
    """The content of one reply."""

    of: str
    endpoint: str
    state: State
    code: int
    records: int
    total: int | None
    asked: Asked | None


def weigh(entry: ReplyCame) -> Evidence:
    """Judge a reply by its bytes."""
    found = judge(entry.endpoint, entry.status, entry.body)
    return Evidence(
        entry.of, entry.endpoint, State(found.state), found.code, len(found.records), found.total, entry.asked
    )


def contradictions(reader: Reader, evidence: Mapping[int, Evidence]) -> Iterator[str]:
    """Every decision that its replies do not bear, for a person."""
    histories = reader.histories()
    for row in histories:
        yield from _history(row, reader.windows(row.name), evidence)
    for look in reader.looks():
        yield from _look(look, evidence)
    if reader.meta.ended:
        for row in histories:
            if row.state is State.RUNNING:
                yield f"{row.name}: the last run ended, and this history did not"
                continue
            state, _, code = summed(reader.windows(row.name), row.since, row.until)
            if (row.state, row.code) != (state, code):
                said, found = (f"{each} with code {number}" for each, number in ((row.state, row.code), (state, code)))
                yield f"{row.name}: it is called {said}, and its windows together are {found}"


def omissions(reader: Reader) -> Iterator[str]:
    """Return the requests that a finished run must have made, by this version's rules, but that are missing."""
    left_out = {note.of for note in reader.notes() if note.what == "left_out"}
    histories, looks = traced(reader)
    there = {row.name for row in reader.histories()} | {look.name for look in reader.looks()}
    wanted: tuple[History | Look, ...] = (
        *past(), *(History(name) for name in SPOT_OPEN), *histories,
        *present(), *open_orders("before"), *open_orders("after"), *looks,
    )  # fmt: skip
    for each in wanted:
        if each.group not in left_out and each.name not in there:
            yield f"{each.name}: the last run ended, and this is not there"


def _history(row: HistoryRow, windows: list[WindowRow], evidence: Mapping[int, Evidence]) -> Iterator[str]:
    at = row.since
    for window in windows:
        if window.since != at:
            yield f"{row.name}: a window begins at {moment(window.since)}, not at {moment(at)}"
        at = window.until
        where = f"{row.name}, window at {moment(window.since)}"
        for problem in _window(row, window, evidence):
            yield f"{where}: {problem}"
        if row.state.complete and not window.state.complete:
            yield f"{where}: it is {window.state}, and its history is called {row.state}"
    if row.state is not State.RUNNING and at != row.until:
        yield f"{row.name}: it is called {row.state}, and its windows end at {moment(at)}, not at {moment(row.until)}"


def _window(row: HistoryRow, window: WindowRow, evidence: Mapping[int, Evidence]) -> Iterator[str]:
    found: list[Evidence] = []
    for number in window.replies:
        one = evidence.get(number)
        if one is None or one.of != row.name or one.endpoint != row.endpoint:
            yield f"it rests on line {number}, which is no reply of this history"
            return
        found.append(one)
    if window.state is State.ANSWERED:
        yield from _answered(row, window, found)
    elif window.state in _REFUSED:
        yield from _refused(row, window, found)


def _answered(row: HistoryRow, window: WindowRow, found: list[Evidence]) -> Iterator[str]:
    if not found:
        yield "it is called answered, and rests on no reply"
        return
    for one in found:
        if one.state is not State.ANSWERED:
            yield f"it is called answered, and a reply that it rests on is {one.state}"
            return
    rules, last = find_walk(row.endpoint).rules, found[-1]
    if rules.span and window.since < window.until:
        asked = [one.asked for one in found if one.asked is not None]
        since = min((each.since for each in asked), default=window.until)
        until = max((each.until for each in asked), default=window.since)
        if since > window.since or until < window.until - 1:
            yield "it is called answered, and its replies were asked for another time"
            return
    if window.gap is not None:
        return
    total = max((one.total for one in found if one.total is not None), default=None)
    listed = sum(one.records for one in found)
    if total is not None:
        if listed < total:
            yield f"its replies list {listed} of {total} records, and it names no gap"
    elif rules.most is not None and last.records >= rules.most and not rules.sums:
        yield f"its last reply lists {last.records} records, as many as a reply can hold, and it names no gap"


def _refused(row: HistoryRow, window: WindowRow, found: list[Evidence]) -> Iterator[str]:
    if found:
        if (found[-1].state, found[-1].code) != (window.state, window.code):
            yield f"it is called {window.state} with code {window.code}, and its last reply does not say so"
        return
    reach = find_walk(row.endpoint).rules.reach
    if window.state is State.NOT_PERMITTED or reach is None:
        yield f"it is called {window.state}, and rests on no reply"


def _look(look: LookRow, evidence: Mapping[int, Evidence]) -> Iterator[str]:
    found: list[Evidence] = []
    for number in look.replies:
        one = evidence.get(number)
        if one is None or one.of != look.name or one.endpoint != look.endpoint:
            yield f"{look.name}: it rests on line {number}, which is no reply of this look"
            return
        found.append(one)
    if look.state is State.ANSWERED:
        if not found or any(one.state is not State.ANSWERED for one in found):
            yield f"{look.name}: it is called answered, and its replies do not answer it"
    elif look.state in _REFUSED and (not found or (found[-1].state, found[-1].code) != (look.state, look.code)):
        yield f"{look.name}: it is called {look.state} with code {look.code}, and its last reply does not say so"
