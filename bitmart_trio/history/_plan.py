"""Which request comes next: windows and pages of one history, without any IO.

An endpoint lists the records of a window of time, at most so many, and most do not say that they have left some out.
So a reply that may have been cut is not used: its window is halved and asked again, down to the smallest window that
the endpoint's units allow. What is still cut then is a named gap. A reply may have been cut if it has as many records
as the documentation allows, a round number of them, or as many as the largest reply of the history so far: the cap may
be smaller than documented, and only a larger reply proves that a smaller one is whole.

Windows are half open, ``[since, until)``, and tile the range. Nobody knows whether an endpoint's own bounds are open
or closed, or rounded (``_bounds.py``); so each request asks for more at both ends, and a record belongs to the window
that its own time lies in: one on a boundary is neither lost nor doubled. Only a smallest window whose reply was cut is
asked once more as it is. What one reply of a history has and a later one for the same time has not is kept, and the
window is read again, with more at both ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Generic, Literal, TypeVar

import attrs

from ..models._model import Model
from ._bounds import Bounds
from ._units import DAY, HOUR, MINUTE, SECOND

R = TypeVar("R")

_PAGES: Final = 10
"""Pages of a window that are collected before narrower windows seem better: it bounds what is held in memory."""
_TRIES: Final = 3
_DOUBTS: Final = 2
"""How often a window is read again because a record that was there before is missing."""

ROUND: Final = frozenset({50, 100, 200, 500, 1000})
"""Counts that are a cap more likely than a coincidence."""
_FEW: Final = 9
"""No endpoint is taken to have a smaller cap than one more than this."""

_MARGINS: Final = (0, 2 * SECOND, MINUTE + SECOND)
"""How much more is asked at both ends of a window: next to nothing, more than a second, more than a minute."""
IN_FRONT: Final = _MARGINS[-1] + MINUTE
"""How much earlier than its window a request may begin."""


@attrs.frozen
class Rules:
    """How an endpoint lists its history.

    Args:
        span: the longest window that is asked, in milliseconds; 0: it knows no windows and lists the newest records.
        grain: the finest unit of its bounds and of its records' times, in milliseconds.
        most: records in one reply at most, or in one page; None: all there are.
        pages: pages at most; 0: it has none.
        reach: how far back it lists anything, in milliseconds; None: not known to end.
        sums: its records are sums over the range asked for, so the range is one window and its records have no time.
        even: its records lie evenly in time, so that how many a window has is known: candles.
        passing: its records come and go: a list of what is open now.
        stretches: no longest window is documented, so a longer one than ``span`` may do.
    """

    span: int
    grain: int = 1
    most: int | None = None
    pages: int = 0
    reach: int | None = None
    sums: bool = False
    even: bool = False
    passing: bool = False
    stretches: bool = False

    def cuts(self, count: int) -> bool:
        """Whether a reply of so many records may have left some out, whatever else is known."""
        return (self.most is not None and count >= self.most) or count in ROUND


@attrs.frozen
class Ask:
    """What to ask next: a window of milliseconds, both bounds included, and the page of it, from 1."""

    since: int
    until: int
    page: int


@attrs.frozen
class Stamped(Generic[R]):
    """A record with its time and its content.

    Args:
        time: in milliseconds; -1 for one that does not say when it was.
        key: what it is known by: equal for equal contents, and only for these.
        record: the record.
        rank: orders the records of one moment: an id, where there is one.
    """

    time: int
    key: str
    record: R
    rank: str = ""


@attrs.frozen
class HistoryGap(Model):
    """A stretch of a history that the exchange has not given, or not whole."""

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
    outside: int = 0
    """How many of the records lie outside the window that they were listed for."""


class Plan(Generic[R]):
    """The way through one range of time.

    Ask what `ask` says, hand the reply to `took`, until `ask` says None. Nothing changes in between, so a request that
    failed or was cancelled is simply asked again.

    Args:
        rules: of the endpoint.
        since, until: the range in milliseconds, ``until`` excluded.
        seen: keys of records of the moment ``since`` that are not wanted again.
        span: the width of the first window, where one is known to do.
        floor: what lies before this moment, in milliseconds, is not listed any more.
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
        whole = rules.even or rules.sums
        """Windows that nothing is lost between: of what lies evenly its number is known, and sums have one window."""
        longest = rules.grain if whole else min(rules.span, max(until - since, MINUTE))
        self._bounds = Bounds(rules.grain, longest)
        self._span = min(max(rules.span if span is None else self._aligned(span), self._bounds.unit), rules.span)
        self._floor = floor
        self._page = 1
        self._tries = 0
        self._doubts = 0
        self._margin = 0
        """Index of the least margin: it grows where a window has lacked what its neighbours had."""
        self._total: int | None = None
        self._rows: list[Stamped[R]] = []
        """Of the pages so far, or of the request that a tight one follows."""
        self._known: dict[str, Stamped[R]] = {}
        """What was listed of the time that no window has settled yet."""
        self._recent: dict[str, int] = {}
        """Keys and times of what was settled lately, and since when they are kept."""
        self._kept_since = since
        self._far = HOUR
        """How long keys are recent: the further outside of what was asked for records lie, the longer."""
        self._strays: set[str] = set()
        """Keys of what was settled in another window than its time lies in."""
        self._probe: tuple[int, int] | None = None
        """What is asked to know how finely bounds are heeded, before a window gets narrower than that."""
        self._pending: list[Stamped[R]] = []
        """The reply that may have been cut, and awaits that."""
        self._largest = 0
        """Records in the largest reply so far."""
        self._full: frozenset[str] = frozenset()
        """The keys of the last reply that may have been cut."""
        self._width: Literal["wide", "tight", "before", "behind"] = "wide"

    @property
    def span(self) -> int:
        """The width of the next window, in milliseconds."""
        return self._span

    @property
    def since(self) -> int:
        """Where the range begins, in milliseconds."""
        return self._since

    @property
    def window(self) -> tuple[int, int]:
        """The window that is asked next, its end excluded."""
        return (self._at, self._stop()) if self._rules.span else (self._since, self._end)

    @property
    def rest(self) -> tuple[int, int]:
        """What no window has settled yet, its end excluded."""
        return max(self._at, self._since), self._until

    def ask(self) -> Ask | None:
        """The next request; None when the range is done."""
        if self._at >= self._end:
            return None
        if not self._rules.span:
            return Ask(self._since, self._until - 1, 1)
        if self._probe is not None:
            return Ask(*self._probe, 1)
        since, until = self._at, self._stop()
        if self._rules.sums or self._width == "tight":
            return Ask(since, until - 1, self._page)
        before, behind = self._around()
        if self._width == "before":
            return Ask(before, until - 1, self._page)
        if self._width == "behind":
            return Ask(since, behind, self._page)
        return Ask(before, behind, self._page)

    def took(self, rows: Sequence[Stamped[R]], total: int | None = None) -> Settled[R] | None:
        """Take the reply to `ask` in: the window that it settles, None when more must be asked.

        Args:
            rows: in the order of the reply.
            total: how many records the window has, where the reply says so.
        """
        if not self._rules.span:
            return self._newest(rows, total)
        told = _numbered(rows)
        self._far = max(self._far, min(self._astray(told), DAY))
        if self._probe is not None:
            self._remember(told)
            self._bounds.learn(row.time for row in told)
            self._probe_next()
            return None
        if self._is_deaf(told):
            self._largest = max(self._largest, len(told))
            return self._settle(told, f"the same {len(told)} records are listed whatever time is asked for")
        whole = self._whole(told)
        if not whole and self._margin:
            # Too much lies around here to ask for more at both ends: what is missing then is a gap.
            self._margin, self._doubts = 0, _DOUBTS
            self._turn_back()
            return None
        self._largest = max(self._largest, len(told))
        self._remember(told)
        if total is not None and self._rules.pages:
            return self._paged(told, total)
        if not whole:
            self._learn_unit(told)
        if not whole and not self._smallest():
            self._narrow(told)
            return None
        if self._rules.pages:
            return self._turned(told)
        if self._width == "wide":
            if whole or self._rules.sums:
                return self._checked(told)
            if not self._bounds.exact:
                return self._settle(told, self._too_many(told))
            self._width, self._rows = "tight", told
            return None
        # What the wider request has listed and this one has not shows that its bounds are open.
        keys = {row.key for row in told}
        more = [row for row in self._rows if self._at <= row.time < self._stop() and row.key not in keys]
        if self._width == "tight" and not told and not more:
            # With an open bound nothing is listed of a single moment. A request that is wider on the side of that bound
            # lists it; which bound is closed is known by what the widest one has listed.
            self._width = "before" if any(row.time >= self._stop() for row in self._rows) else "behind"
            return None
        if whole and self._width != "tight":
            return self._settle(told, None)
        return self._settle([*told, *more], None if whole and not more else self._too_many(told))

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
        return self._width == "wide" and self._page == 1 and self._probe is None

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
        self._pass(until)
        return Settled(start, stop, (), HistoryGap(start, stop, reason))

    # The kinds of endpoint.

    def _newest(self, rows: Sequence[Stamped[R]], total: int | None) -> Settled[R]:
        told = _numbered(rows)
        cut = self._rules.cuts(len(told)) if total is None else total > len(told)
        start = self._since
        oldest = min((row.time for row in told if row.time >= 0), default=start)
        lost = min(oldest + self._rules.grain, self._until) if cut else start
        reason = f"only the newest {len(told)} records are listed"
        if self._floor > lost:
            lost, reason = min(self._floor, self._until), "it is longer ago than the exchange lists"
        gap = HistoryGap(start, lost, reason) if lost > start else None
        kept = [row for row in told if row.time < 0 or start <= row.time < self._until]
        self._at = self._end
        return Settled(start, self._until, self._fresh(kept), gap)

    def _paged(self, rows: list[Stamped[R]], total: int) -> Settled[R] | None:
        rules = self._rules
        if self._page == 1:
            self._total = total
        if total > (rules.most or len(rows) or 1) * min(_PAGES, rules.pages) and not self._smallest():
            self._narrow(rows)
            return None
        self._add(rows)
        # A page that is full may have a next one whatever the total says.
        ended = not rows or (len(self._rows) >= total and not rules.cuts(len(rows)))
        if total != self._total or (ended and len(self._rows) < total):
            # Something has come or gone while the pages were turned, or they overlap.
            if self._tries < _TRIES:
                self._tries += 1
                self._turn_back()
                return None
            if self._page > 1 and not self._smallest():
                # Windows of a single page cannot shift.
                self._tries = 0
                self._narrow(self._rows)
                return None
            return self._settle(self._rows, f"of {total} records {len(self._rows)} are shown")
        if ended:
            return self._checked(self._rows)
        return self._next_page()

    def _turned(self, rows: list[Stamped[R]]) -> Settled[R] | None:
        """Pages without a total: only a smallest window, or one of a single page, gets here."""
        self._add(rows)
        if self._page == 1 and self._whole(rows):
            return self._checked(self._rows)
        if not rows or (len(rows) < (self._rules.most or 1) and len(rows) not in ROUND):
            return self._settle(self._rows, None)
        return self._next_page()

    def _next_page(self) -> Settled[R] | None:
        rules = self._rules
        if self._page >= min(_PAGES, rules.pages) and not self._smallest():
            self._narrow(self._rows)
            return None
        if self._page >= rules.pages:
            return self._settle(self._rows, f"there are more than {rules.pages} pages within {rules.grain} ms")
        self._page += 1
        return None

    def _add(self, rows: list[Stamped[R]]) -> None:
        """One more page; what an earlier one has had too has only moved."""
        there = {row.key for row in self._rows}
        self._rows += [row for row in rows if row.key not in there]

    # Whether a reply is whole.

    def _whole(self, rows: list[Stamped[R]]) -> bool:
        count, rules = len(rows), self._rules
        if rules.sums or count <= _FEW:
            return rules.sums or rules.most is None or count < rules.most
        if count < self._largest:
            return (rules.most is None or count < rules.most) and (count not in ROUND or rules.even or self._smallest())
        if rules.cuts(count):
            return False
        if rules.even:
            return True
        # As many as ever, at no likely cap. Narrower windows prove it, unless all are of one moment within this one.
        times = {row.time - row.time % rules.grain for row in rows}
        apart = len(times) > 1 or any(not self._at <= time < self._stop() for time in times)
        if apart and not self._smallest():
            return False
        if not self._bounds.exact:
            return count > self._largest  # it is the narrowest window, and no narrower one can prove it
        return count > self._largest or {row.key for row in rows} <= self._full

    def _is_deaf(self, rows: list[Stamped[R]]) -> bool:
        """Whether the endpoint lists the same whatever time is asked for: narrower windows would never end."""
        asked = self.ask()
        if asked is None or self._rules.sums or not rows or frozenset(row.key for row in rows) != self._full:
            return False
        far = MINUTE + 2 * SECOND
        return any(
            row.key in self._strays if row.time < 0 else not asked.since - far <= row.time <= asked.until + far
            for row in rows
        )

    def _checked(self, rows: list[Stamped[R]]) -> Settled[R] | None:
        """Settle a window unless it lacks what was listed of its time before."""
        there = {row.key for row in rows}
        missing = [row for row in self._known.values() if self._at <= row.time < self._stop() and row.key not in there]
        if not missing or self._rules.passing or self._rules.sums:
            return self._settle([*rows, *missing], None)
        if self._doubts < _DOUBTS:
            self._doubts += 1
            self._margin = min(self._margin + 1, len(_MARGINS) - 1)
            self._turn_back()
            return None
        settled = self._settle(
            [*rows, *missing], f"{len(missing)} records that were listed before are not listed again"
        )
        self._margin = 0
        return settled

    def _learn_unit(self, rows: list[Stamped[R]]) -> None:
        """Records outside of what was asked for show that bounds are rounded: windows within one unit are all alike."""
        far = self._astray(rows)
        if 0 < far <= MINUTE and self._stop() - self._at <= far:
            self._bounds.raise_to(far)
            self._span = max(self._span, min(self._bounds.unit, self._rules.span))

    def _astray(self, rows: list[Stamped[R]]) -> int:
        """How far outside of what was asked for records lie, in milliseconds."""
        asked = self.ask()
        if asked is None or self._rules.sums:
            return 0
        times = [row.time for row in rows if row.time >= 0]
        return max((max(asked.since - time, time - asked.until, 0) for time in times), default=0)

    def _remember(self, rows: list[Stamped[R]]) -> None:
        asked = self.ask()
        if asked is not None and not self._rules.sums:
            self._known.update((row.key, row) for row in rows if max(self._at, asked.since) <= row.time <= asked.until)

    # What they share.

    def _around(self) -> tuple[int, int]:
        """What is asked for a window, both bounds included: whole units, and more at both ends."""
        since, until, more = self._at, self._stop(), self._more()
        return max(0, self._bounds.floor(since) - more), self._bounds.ceil(until) + more - self._rules.grain

    def _more(self) -> int:
        """How much more is asked at both ends."""
        rules = self._rules
        if rules.even or rules.sums:
            return rules.grain
        width = self._stop() - self._at
        usual = 2 if width >= HOUR else 1 if width >= MINUTE else 0
        return max(_MARGINS[max(usual, self._margin)], rules.grain)

    def _aligned(self, span: int) -> int:
        return span - span % self._rules.grain

    def _stop(self) -> int:
        return self._end if self._rules.sums else min(self._bounds.stop(self._at, self._span), self._end)

    def _smallest(self) -> bool:
        return self._rules.sums or (self._stop() - self._at <= self._bounds.unit and self._bounds.settled)

    def _turn_back(self) -> None:
        self._page, self._rows, self._width, self._probe = 1, [], "wide", None

    def _too_many(self, rows: Sequence[Stamped[R]]) -> str:
        return f"{len(rows)} records within {self._bounds.unit} ms may not be all: no window is narrower"

    def _narrow(self, rows: Sequence[Stamped[R]]) -> None:
        """A narrower window: up to the middle of what was listed, and half as wide at the most.

        One that is narrower than bounds are known to be heeded waits for a probe.
        """
        if self._stop() - self._at <= self._bounds.unit:
            self._turn_back()
            self._pending = list(rows)
            self._probe_next()
            return
        self._full = frozenset(row.key for row in rows)
        half = (self._stop() - self._at) // 2
        times = sorted(row.time for row in rows if self._at < row.time < self._stop())
        middle = times[len(times) // 2] - self._at if times else half
        self._span = max(self._aligned(min(half, max(middle, half // 8))), self._bounds.unit)
        self._turn_back()

    def _probe_next(self) -> None:
        """Ask for more about the bounds; once that is known, narrow the window, or ask for it again as the last."""
        before, behind = self._around()
        times = [row.time for row in self._pending if row.time >= 0]
        self._probe = self._bounds.probe([time for time in times if before <= time <= behind] or times)
        if self._probe is None and self._stop() - self._at > self._bounds.unit:
            self._narrow(self._pending)

    def _pass(self, until: int) -> None:
        """Go on behind a window."""
        self._at, self._left, self._tries, self._doubts = until, None, 0, 0
        self._known = {key: row for key, row in self._known.items() if row.time >= until}
        self._turn_back()

    def _settle(self, rows: Sequence[Stamped[R]], reason: str | None) -> Settled[R]:
        rules, since, until = self._rules, self._at, self._stop()
        room = None if rules.most is None else rules.most * max(min(_PAGES, rules.pages), 1)
        start, stop = max(since, self._since), min(until, self._until)
        kept, outside = self._kept(rows, since, until)
        if room is None or len(rows) * 4 < room:
            self._span = min(self._span * 2, rules.span)
        first = start if self._left is None else max(self._left, self._since)
        gap = None if reason is None else HistoryGap(start, stop, reason)
        self._pass(until)
        keep = until - 2 * max(self._far, self._bounds.unit)
        if keep > self._kept_since + HOUR:
            self._recent, self._kept_since = {key: time for key, time in self._recent.items() if time >= keep}, keep
        self._recent.update((row.key, row.time) for row in kept if row.time >= keep)
        return Settled(first, stop, kept, gap, outside)

    def _kept(self, rows: Sequence[Stamped[R]], since: int, until: int) -> tuple[tuple[Stamped[R], ...], int]:
        """The records that a window brings, and how many of them lie outside it."""
        before, behind = self._around()
        chosen: list[Stamped[R]] = []
        outside = 0
        for row in rows:
            if row.key in self._strays:
                continue
            if self._rules.sums or max(since, self._since) <= row.time < min(until, self._until):
                chosen.append(row)
                continue
            if row.time < 0:
                self._strays.add(row.key)
                chosen.append(row)
                continue
            outside += not before <= row.time <= behind
            if not self._since <= row.time < self._until or until <= row.time <= behind:
                continue  # it was asked for caution's sake, and is the neighbour's or nobody's
            if row.key in self._recent:
                continue
            # Nothing that the exchange lists is dropped, wherever its time lies.
            if not before <= row.time < since:
                self._strays.add(row.key)
            chosen.append(row)
        return self._fresh(chosen), outside

    def _fresh(self, rows: Sequence[Stamped[R]]) -> tuple[Stamped[R], ...]:
        """In order, each once, without those of the first moment that are not wanted again."""
        once = {row.key: row for row in rows if row.time > self._since or row.key not in self._seen}
        return tuple(sorted(once.values(), key=lambda row: (row.time, len(row.rank), row.rank)))


def _numbered(rows: Iterable[Stamped[R]]) -> list[Stamped[R]]:
    """The records of one reply, oldest first; equal ones are distinguished by their number."""
    arrived = list(rows)
    if arrived and arrived[0].time > arrived[-1].time:
        arrived.reverse()
    counts: Counter[str] = Counter()
    numbered: list[Stamped[R]] = []
    for row in arrived:
        counts[row.key] += 1
        count = counts[row.key]
        numbered.append(row if count == 1 else attrs.evolve(row, key=f"{row.key}.{count}"))
    return numbered
