"""A model of an exchange's history endpoints: what the planner is tested against, with every rule a knob."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import attrs

from bitmart_trio.history._plan import Ask, HistoryGap, Plan, Rules, Settled, Stamped

Rounding: TypeAlias = Literal["down", "up", "nearest", "inward", "outward"]


@attrs.frozen
class Server:
    """Tells the records of a window, newest first, and cuts without saying so."""

    records: tuple[Stamped[str], ...]
    rules: Rules
    unit: int = 1
    """What one of its bounds is in milliseconds."""
    floor: int = 1
    """What one of its record's times is in milliseconds."""
    open_start: bool = False
    open_end: bool = False
    tells_total: bool = False
    keeps_oldest: bool = False
    cap: int = 100_000
    """Records in a reply at most, whatever is asked for."""
    rounds: int = 1
    """What its bounds are rounded to, in milliseconds."""
    how: Rounding = "down"
    """Both bounds down or up, to the nearest, or so that the window gets narrower or wider."""
    shifts: bool = False
    """Whether each page after the first begins one record too late."""

    def told(self, row: Stamped[str]) -> Stamped[str]:
        """A record as it is told: perhaps with a coarser time."""
        return attrs.evolve(row, time=row.time - row.time % self.floor)

    def answer(self, ask: Ask) -> tuple[list[Stamped[str]], int | None]:
        start, end = ask.since // self.unit * self.unit, -(-ask.until // self.unit) * self.unit
        start, end = (
            self._rounded(start, self.how in ("inward", "up")),
            self._rounded(end, self.how in ("outward", "up")),
        )
        found = [
            self.told(row)
            for row in self.records
            if (start < row.time or (start == row.time and not self.open_start))
            and (row.time < end or (row.time == end and not self.open_end))
        ]
        found.sort(key=lambda row: (row.time, len(row.key), row.key), reverse=not self.keeps_oldest)
        most = min(self.rules.most or len(found) or 1, self.cap)
        page = ask.page if self.rules.pages else 1
        first = (page - 1) * most + (self.shifts and page > 1)
        return found[first : first + most], len(found) if self.tells_total else None

    def _rounded(self, bound: int, up: bool) -> int:
        if self.how == "nearest":
            return (bound + self.rounds // 2) // self.rounds * self.rounds
        return -(-bound // self.rounds) * self.rounds if up else bound // self.rounds * self.rounds


def walked(server: Server, plan: Plan[str], most_requests: int = 25_000) -> tuple[list[Settled[str]], int]:
    """All windows of a plan, and how many requests they took."""
    windows: list[Settled[str]] = []
    for requests in range(most_requests):
        ask = plan.ask()
        if ask is None:
            return windows, requests
        rows, total = server.answer(ask)
        settled = plan.took(rows, total)
        if settled is not None:
            windows.append(settled)
    raise AssertionError("it does not end")


def rows_of(windows: Sequence[Settled[str]]) -> list[Stamped[str]]:
    return [row for window in windows for row in window.rows]


def gaps_of(windows: Sequence[Settled[str]]) -> list[HistoryGap]:
    return [window.gap for window in windows if window.gap is not None]
