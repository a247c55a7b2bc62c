"""Which request comes next: windows and pages of one history, without any IO.

An endpoint tells the records of a window of time, at most so many, and most do not say that they have left some out.
So a reply that may have been cut is not used: its window is halved and asked again, down to the smallest window that
the endpoint's units allow. What is still cut then is a named gap.

Windows are half open, ``[since, until)``, and tile the range. Since sources do not tell whether an endpoint's own
bounds are open or closed, each request asks a little more at both ends, and a record belongs to the window that its
own time lies in: one on a boundary is neither lost nor doubled. Only a smallest window whose reply was cut is asked
once more as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Generic, Literal, TypeVar

import attrs

R = TypeVar("R")

_PAGES: Final = 10
"""Pages of a window that are collected before narrower windows seem better: it bounds what is held in memory."""
_TRIES: Final = 3


@attrs.frozen
class Rules:
    """How an endpoint tells its history.

    Args:
        span: the longest window that is asked, in milliseconds; 0: it knows no windows and tells the newest records.
        grain: the finest unit of its bounds and of its records' times, in milliseconds.
        most: records in one reply at most, or in one page; None: all there are.
        suspects: smaller counts that may be the cut of an endpoint whose limit the sources disagree on.
        pages: pages at most; 0: it has none.
        ids: its records have ids of their own.
        reach: how far back it tells anything, in milliseconds; None: not known to end.
        sums: its records are sums over the range asked for, so the range is one window and its records have no time.
    """

    span: int
    grain: int = 1
    most: int | None = None
    suspects: tuple[int, ...] = ()
    pages: int = 0
    ids: bool = True
    reach: int | None = None
    sums: bool = False

    def cuts(self, count: int) -> bool:
        """Whether a reply of so many records may have left some out."""
        return (self.most is not None and count >= self.most) or count in self.suspects


@attrs.frozen
class Ask:
    """What to ask next: a window of milliseconds, both bounds included, and the page of it, from 1."""

    since: int
    until: int
    page: int


@attrs.frozen
class Stamped(Generic[R]):
    """A record with its time in milliseconds and what tells it from others of that time."""

    time: int
    key: str
    record: R


@attrs.frozen
class HistoryGap:
    """A stretch of a history that the exchange did not tell, or not whole."""

    since: int
    """Where it begins, in milliseconds."""
    until: int
    """Where it ends, in milliseconds; this moment is not part of it."""
    reason: str
    """Why, for a person."""


@attrs.frozen
class Settled(Generic[R]):
    """A window that is done: its records, oldest first."""

    since: int
    until: int
    rows: tuple[Stamped[R], ...]
    gap: HistoryGap | None = None


class Plan(Generic[R]):
    """The way through one range of time.

    Ask what `ask` says, hand the reply to `took`, until `ask` says None. Nothing changes in between, so a request that
    failed or was cancelled is simply asked again.

    Args:
        rules: of the endpoint.
        since, until: the range in milliseconds, ``until`` excluded.
        seen: keys of records of the moment ``since`` that are not wanted again.
        span: the width of the first window, where one is known to do.
        floor: what lies before this moment, in milliseconds, is not told any more.
    """

    def __init__(
        self,
        rules: Rules,
        since: int,
        until: int,
        *,
        seen: Collection[str] = (),
        span: int | None = None,
        floor: int = 0,
    ) -> None:
        self._rules = rules
        self._since = since
        self._until = max(until, since)
        self._at = since - since % rules.grain
        self._left: int | None = None
        """Where the next window to settle begins, if that is before `_at`: nothing lies in between."""
        self._end = -(-self._until // rules.grain) * rules.grain if until > since else self._at
        self._seen = frozenset(seen)
        self._span = min(max(rules.span if span is None else self._aligned(span), rules.grain), rules.span)
        self._floor = floor
        self._page = 1
        self._tries = 0
        self._total: int | None = None
        self._rows: list[Stamped[R]] = []
        """Of the pages so far, or of the request that a tight one follows."""
        self._width: Literal["wide", "tight", "before", "behind"] = "wide"

    @property
    def span(self) -> int:
        """The width of the next window, in milliseconds."""
        return self._span

    def ask(self) -> Ask | None:
        """The next request; None when the range is done."""
        if self._at >= self._end:
            return None
        if not self._rules.span:
            return Ask(self._since, self._until - 1, 1)
        since, until = self._at, self._stop()
        before = max(0, since - self._rules.grain)
        if self._rules.sums or self._width == "tight":
            return Ask(since, until - 1, self._page)
        if self._width == "before":
            return Ask(before, until - 1, self._page)
        if self._width == "behind":
            return Ask(since, until, self._page)
        return Ask(before, until, self._page)

    def took(self, rows: Sequence[Stamped[R]], total: int | None = None) -> Settled[R] | None:
        """Take the reply to `ask` in: the window that it settles, None when more must be asked.

        Args:
            rows: in the order of the reply.
            total: how many records the window has, where the reply says so.
        """
        if not self._rules.span:
            return self._newest(rows, total)
        if self._rules.pages:
            return self._paged(rows, total)
        cut = self._rules.cuts(len(rows))
        if not cut and self._width == "wide":
            return self._settle(rows, None)
        if not self._smallest():
            self._narrow()
            return None
        if self._width == "wide":
            self._width, self._rows = "tight", list(rows)
            return None
        # What the wider request has told and this one has not shows that its bounds are open.
        told = {row.key for row in rows}
        more = [row for row in self._rows if self._at <= row.time < self._stop() and row.key not in told]
        if self._width == "tight" and not rows and not more:
            # With an open bound nothing is told of a single moment. A request that is wider on the side of such a bound
            # tells it; which bound is closed is known by what the widest one has told.
            self._width = "before" if any(row.time >= self._stop() for row in self._rows) else "behind"
            return None
        if not cut and self._width != "tight":
            return self._settle(rows, None)
        reason = f"{len(rows)} records within {self._rules.grain} ms may not be all: no window is narrower"
        return self._settle([*rows, *more], reason if cut or more else None)

    @property
    def at(self) -> int:
        """Where the window begins that is asked for, in milliseconds."""
        return self._at

    @property
    def behind(self) -> int:
        """Where it ends."""
        return min(self._stop(), self._until)

    @property
    def until(self) -> int:
        """The end of the range."""
        return self._until

    @property
    def plain(self) -> bool:
        """Whether an empty reply says that the window is empty: not where its bounds are being tried."""
        return self._width == "wide" and self._page == 1

    def leap(self, to: int) -> Settled[R] | None:
        """Go on at a later moment, since nothing lies before it.

        What is passed becomes part of the next window; of a last one, which is settled here, when nothing follows.
        """
        if to < self._at:
            raise ValueError("a leap does not go back")
        if self._left is None:
            self._left = self._at
        self._at = min(self._aligned(to), self._end)
        self._turn_back()
        return self._settle((), None) if self._at >= self._end else None

    def skip(self, reason: str) -> Settled[R]:
        """Give the next window up: all of it is a gap."""
        since, until = (self._at, self._stop()) if self._rules.span else (self._since, self._end)
        start, stop = max(since, self._since), min(until, self._until)
        self._at, self._left, self._tries = until, None, 0
        self._turn_back()
        return Settled(start, stop, (), HistoryGap(start, stop, reason))

    # The three kinds of endpoint.

    def _newest(self, rows: Sequence[Stamped[R]], total: int | None) -> Settled[R]:
        cut = self._rules.cuts(len(rows)) if total is None else total > len(rows)
        start = self._since
        lost = min(min((row.time for row in rows), default=start) + self._rules.grain, self._until) if cut else start
        reason = f"only the newest {len(rows)} records are told"
        if self._floor > lost:
            lost, reason = min(self._floor, self._until), "it is longer ago than the exchange tells"
        gap = HistoryGap(start, lost, reason) if lost > start else None
        kept = self._kept(rows, start, self._until)
        self._at = self._end
        return Settled(start, self._until, kept, gap)

    def _paged(self, rows: Sequence[Stamped[R]], total: int | None) -> Settled[R] | None:
        rules = self._rules
        most = rules.most or len(rows) or 1
        if self._page == 1:
            self._total = total
        if total is not None and total > most * min(_PAGES, rules.pages) and not self._smallest():
            self._narrow()
            return None
        self._rows += rows
        if total is not None:
            ended = len(self._rows) >= total or not rows
            if total != self._total or (ended and len(self._rows) != total):
                # Something has come or gone while we turned the pages.
                if self._tries < _TRIES:
                    self._tries += 1
                    self._turn_back()
                    return None
                return self._settle(self._rows, f"of {total} records {len(self._rows)} are shown")
        else:
            ended = len(rows) < most
        if ended:
            return self._settle(self._rows, None)
        if self._page >= min(_PAGES, rules.pages) and not self._smallest():
            self._narrow()
            return None
        if self._page >= rules.pages:
            return self._settle(self._rows, f"there are more than {rules.pages} pages within {rules.grain} ms")
        self._page += 1
        return None

    # What they share.

    def _aligned(self, span: int) -> int:
        return span - span % self._rules.grain

    def _stop(self) -> int:
        return self._end if self._rules.sums else min(self._at + self._span, self._end)

    def _smallest(self) -> bool:
        return self._rules.sums or self._stop() - self._at <= self._rules.grain

    def _turn_back(self) -> None:
        self._page, self._rows, self._width = 1, [], "wide"

    def _narrow(self) -> None:
        self._span = max(self._aligned((self._stop() - self._at) // 2), self._rules.grain)
        self._turn_back()

    def _settle(self, rows: Sequence[Stamped[R]], reason: str | None) -> Settled[R]:
        rules, since, until = self._rules, self._at, self._stop()
        room = None if rules.most is None else rules.most * max(min(_PAGES, rules.pages), 1)
        if room is None or len(rows) * 4 < room:
            self._span = min(self._span * 2, rules.span)
        start, stop = max(since, self._since), min(until, self._until)
        settled = Settled(
            start if self._left is None else max(self._left, self._since),
            stop,
            self._kept(rows, since, until),
            None if reason is None else HistoryGap(start, stop, reason),
        )
        self._at, self._left, self._tries = until, None, 0
        self._turn_back()
        return settled

    def _kept(self, rows: Iterable[Stamped[R]], since: int, until: int) -> tuple[Stamped[R], ...]:
        found = kept(self._rules, rows, (since, until), (self._since, self._until))
        if not self._seen:
            return found
        # Only records of the moment that the walk goes on from can have been told before; sums have no moment.
        return tuple(row for row in found if row.time > self._since or row.key not in self._seen)


def kept(
    rules: Rules, rows: Iterable[Stamped[R]], window: tuple[int, int], within: tuple[int, int]
) -> tuple[Stamped[R], ...]:
    """The records that belong to a window of a range, oldest first, each once.

    Records without ids get their keys numbered here: those that are equal in everything are as many as were told.
    """
    (since, until), (first, last), grain = window, within, rules.grain
    arrived = list(rows)
    if arrived and arrived[0].time > arrived[-1].time:
        arrived.reverse()
    chosen: dict[str, Stamped[R]] = {}
    counts: Counter[str] = Counter()
    for row in arrived:
        if not rules.sums:
            if not first <= row.time < last:
                continue
            if since - grain <= row.time < since or until <= row.time <= until + grain:
                continue  # it was asked for caution's sake, and belongs to the neighbour
        key = row.key
        if not rules.ids:
            counts[key] += 1
            key = f"{key}.{counts[key]}"
        chosen.setdefault(key, row if rules.ids else Stamped(row.time, key, row.record))
    # Ids count up, so they order the records of one moment; without them the order of the reply has to do.
    if rules.ids:
        return tuple(sorted(chosen.values(), key=lambda row: (row.time, len(row.key), row.key)))
    return tuple(sorted(chosen.values(), key=lambda row: row.time))
