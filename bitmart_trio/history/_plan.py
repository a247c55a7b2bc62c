"""Plan the requests of one history, by windows and pages, without IO.

An endpoint lists the records of a time window, up to a limit, and most silently omit the rest. So a reply that may have
been cut off is not used: its window is halved and requested again, down to the smallest window that the endpoint's
units allow. If that is still cut off, it is a named gap. A reply may have been cut off if it has as many records as the
documentation allows, a round number of them, or as many as the largest reply of the history so far: the limit may be
smaller than documented, and only a larger reply proves that a smaller one is complete.

Windows are half open, ``[since, until)``, and tile the range. It is not known whether an endpoint's own bounds are
open, closed or rounded (``_bounds.py``); so each request covers more at both ends, and a record belongs to the window
that contains its own time: one on a boundary is neither lost nor doubled. Only a smallest window whose reply was cut
off is requested again without margins. A record that one reply has and a later one for the same time lacks is kept, and
the window is read again, with wider margins.
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
"""The most pages of a window before narrower windows are used, which bounds the memory."""
_TRIES: Final = 3
_DOUBTS: Final = 2
"""The number of times that a window is read again because a record listed before is missing."""

ROUND: Final = frozenset({50, 100, 200, 500, 1000})
"""Counts that are more likely a limit than a coincidence."""
_FEW: Final = 9
"""Limits are assumed to be larger than this."""

_MARGINS: Final = (0, 2 * SECOND, MINUTE + SECOND)
"""The margins requested at both ends of a window: almost nothing, above a second, above a minute."""
IN_FRONT: Final = _MARGINS[-1] + MINUTE
"""The most by which a request may begin before its window."""


@attrs.frozen
class Rules:
    """The rules by which an endpoint lists its history.

    Args:
        span: the longest window that is requested, in milliseconds; 0: it has no windows and lists the newest records.
        grain: the finest unit of its bounds and of its records' times, in milliseconds.
        most: the most records in one reply, or in one page; None: all.
        pages: the most pages; 0: it has none.
        reach: how far back it lists records, in milliseconds; None: no known end.
        sums: its records are sums over the requested range, so the range is one window and its records have no time.
        even: its records are evenly spaced in time, so that a window's number is known: candles.
        transient: its records come and go: a list of open orders.
        stretches: no longest window is documented, so one longer than ``span`` may work.
    """

    span: int
    grain: int = 1
    most: int | None = None
    pages: int = 0
    reach: int | None = None
    sums: bool = False
    even: bool = False
    transient: bool = False
    stretches: bool = False

    def cuts(self, count: int) -> bool:
        """Return True if a reply of so many records may have omitted some."""
        return (self.most is not None and count >= self.most) or count in ROUND


@attrs.frozen
class Ask:
    """The next request: a window in milliseconds, both bounds included, and its page, from 1."""

    since: int
    until: int
    page: int


@attrs.frozen
class Stamped(Generic[R]):
    """A record with its time and its content.

    Args:
        time: in milliseconds; -1 for a record without a time.
        key: its identity: equal for equal contents only.
        record: the record.
        rank: orders the records of one moment: an id, if there is one.
    """

    time: int
    key: str
    record: R
    rank: str = ""


@attrs.frozen
class HistoryGap(Model):
    """A period of a history that the exchange did not list, or not completely."""

    since: int
    """The beginning, in milliseconds."""
    until: int
    """The end, in milliseconds, exclusive."""
    reason: str
    """The reason, for the user."""


@attrs.frozen
class Settled(Generic[R]):
    """A settled window: its records, oldest first."""

    since: int
    until: int
    rows: tuple[Stamped[R], ...]
    gap: HistoryGap | None = None
    outside: int = 0
    """The number of records outside the window that they were listed for."""


class Plan(Generic[R]):
    """The way through one range of time.

    Send the request of `ask` and pass the reply to `took`, until `ask` returns None. Nothing changes in between, so a
    request that failed or was cancelled is simply repeated.

    Args:
        rules: the endpoint's rules.
        since, until: the range in milliseconds, ``until`` excluded.
        seen: keys of records of the moment ``since`` that were delivered already.
        span: the width of the first window, if known.
        floor: the moment, in milliseconds, before which nothing is listed any more.
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
        """The beginning of the next window to settle, if before `_at`: nothing lies in between."""
        self._end = -(-self._until // rules.grain) * rules.grain if until > since else self._at
        self._seen = frozenset(seen)
        whole = rules.even or rules.sums
        """True if windows need no margins: the number of evenly spaced records is known, and sums have one window."""
        longest = rules.grain if whole else min(rules.span, max(until - since, MINUTE))
        self._bounds = Bounds(rules.grain, longest)
        self._span = min(max(rules.span if span is None else self._aligned(span), self._bounds.unit), rules.span)
        self._floor = floor
        self._page = 1
        self._tries = 0
        self._doubts = 0
        self._margin = 0
        """The index of the least margin: it grows if a window lacked records that its neighbours had."""
        self._total: int | None = None
        self._rows: list[Stamped[R]] = []
        """The rows of the pages so far, or of the request before a tight one."""
        self._known: dict[str, Stamped[R]] = {}
        """Listed records of times that no window has settled yet."""
        self._recent: dict[str, int] = {}
        """Keys and times of recently settled records, and the time since which they are kept."""
        self._kept_since = since
        self._far = HOUR
        """The time for which keys are recent: longer, the further records lie outside of requests."""
        self._strays: set[str] = set()
        """Keys of records that were settled in another window than that of their time."""
        self._probe: tuple[int, int] | None = None
        """The probe of how finely bounds are honoured, before a window gets narrower than that."""
        self._pending: list[Stamped[R]] = []
        """The reply that may have been cut off, and waits for the probe."""
        self._largest = 0
        """The number of records in the largest reply so far."""
        self._full: frozenset[str] = frozenset()
        """The keys of the last reply that may have been cut off."""
        self._width: Literal["wide", "tight", "before", "behind"] = "wide"

    @property
    def span(self) -> int:
        """Return the width of the next window, in milliseconds."""
        return self._span

    @property
    def since(self) -> int:
        """Where the range begins, in milliseconds."""
        return self._since

    @property
    def window(self) -> tuple[int, int]:
        """Return the window to request next, its end excluded."""
        return (self._at, self._stop()) if self._rules.span else (self._since, self._end)

    @property
    def rest(self) -> tuple[int, int]:
        """Return the part that no window has settled yet, its end excluded."""
        return max(self._at, self._since), self._until

    def ask(self) -> Ask | None:
        """Return the next request; None once the range is done."""
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
        """Apply the reply to `ask`; return the window that it settles, or None if more must be requested.

        Args:
            rows: in the order of the reply.
            total: the window's number of records, if the reply has it.
        """
        if not self._rules.span:
            return self._newest(rows, total)
        listed = _numbered(rows)
        self._far = max(self._far, min(self._astray(listed), DAY))
        if self._probe is not None:
            self._remember(listed)
            self._bounds.learn(row.time for row in listed)
            self._probe_next()
            return None
        if self._is_deaf(listed):
            self._largest = max(self._largest, len(listed))
            return self._settle(listed, f"the same {len(listed)} records are listed for any time")
        whole = self._whole(listed)
        if not whole and self._margin:
            # There are too many records here for margins: missing ones are a gap.
            self._margin, self._doubts = 0, _DOUBTS
            self._turn_back()
            return None
        self._largest = max(self._largest, len(listed))
        self._remember(listed)
        if total is not None and self._rules.pages:
            return self._paged(listed, total)
        if not whole:
            self._learn_unit(listed)
        if not whole and not self._smallest():
            self._narrow(listed)
            return None
        if self._rules.pages:
            return self._turned(listed)
        if self._width == "wide":
            if whole or self._rules.sums:
                return self._checked(listed)
            if not self._bounds.exact:
                return self._settle(listed, self._too_many(listed))
            self._width, self._rows = "tight", listed
            return None
        # A record that the wider request listed and this one lacks shows that its bounds are open.
        keys = {row.key for row in listed}
        more = [row for row in self._rows if self._at <= row.time < self._stop() and row.key not in keys]
        if self._width == "tight" and not listed and not more:
            # With an open bound nothing of a single moment is listed. A request that is wider on the side of that bound
            # lists it; the widest request shows which bound is closed.
            self._width = "before" if any(row.time >= self._stop() for row in self._rows) else "behind"
            return None
        if whole and self._width != "tight":
            return self._settle(listed, None)
        return self._settle([*listed, *more], None if whole and not more else self._too_many(listed))

    @property
    def at(self) -> int:
        """Return the beginning of the requested window, in milliseconds."""
        return self._at

    @property
    def behind(self) -> int:
        """Return the end of the requested window."""
        return min(self._stop(), self._until)

    @property
    def until(self) -> int:
        """Return the end of the range."""
        return self._until

    @property
    def plain(self) -> bool:
        """Return True if an empty reply means an empty window: not while its bounds are probed."""
        return self._width == "wide" and self._page == 1 and self._probe is None

    def leap(self, to: int) -> Settled[R] | None:
        """Continue at a later moment, since nothing lies before it.

        The skipped part joins the next window, or a last one, settled here, if nothing follows.
        """
        if to < self._at:
            raise ValueError("a leap cannot go back")
        if self._left is None:
            self._left = self._at
        self._at = min(self._aligned(to), self._end)
        self._turn_back()
        return self._settle((), None) if self._at >= self._end else None

    def skip(self, reason: str) -> Settled[R]:
        """Give up the next window: all of it is a gap."""
        since, until = (self._at, self._stop()) if self._rules.span else (self._since, self._end)
        start, stop = max(since, self._since), min(until, self._until)
        self._pass(until)
        return Settled(start, stop, (), HistoryGap(start, stop, reason))

    # Kinds of endpoints.

    def _newest(self, rows: Sequence[Stamped[R]], total: int | None) -> Settled[R]:
        listed = _numbered(rows)
        cut = self._rules.cuts(len(listed)) if total is None else total > len(listed)
        start = self._since
        oldest = min((row.time for row in listed if row.time >= 0), default=start)
        lost = min(oldest + self._rules.grain, self._until) if cut else start
        reason = f"only the newest {len(listed)} records are listed"
        if self._floor > lost:
            lost, reason = min(self._floor, self._until), "it is longer ago than the exchange lists"
        gap = HistoryGap(start, lost, reason) if lost > start else None
        kept = [row for row in listed if row.time < 0 or start <= row.time < self._until]
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
        # A full page may have a next one, whatever the total says.
        ended = not rows or (len(self._rows) >= total and not rules.cuts(len(rows)))
        if total != self._total or (ended and len(self._rows) < total):
            # Records came or went between pages, or the pages overlap.
            if self._tries < _TRIES:
                self._tries += 1
                self._turn_back()
                return None
            if self._page > 1 and not self._smallest():
                # Windows of a single page cannot shift.
                self._tries = 0
                self._narrow(self._rows)
                return None
            return self._settle(self._rows, f"of {total} records {len(self._rows)} are listed")
        if ended:
            return self._checked(self._rows)
        return self._next_page()

    def _turned(self, rows: list[Stamped[R]]) -> Settled[R] | None:
        """Settle pages without a total: only a smallest window, or one of a single page, gets here."""
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
        """Add a page; a record that an earlier page had has only moved."""
        there = {row.key for row in self._rows}
        self._rows += [row for row in rows if row.key not in there]

    # Is a reply complete?

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
        # As many as before, at no likely limit. Narrower windows prove it, unless all records share one moment.
        times = {row.time - row.time % rules.grain for row in rows}
        apart = len(times) > 1 or any(not self._at <= time < self._stop() for time in times)
        if apart and not self._smallest():
            return False
        if not self._bounds.exact:
            return count > self._largest  # it is the narrowest window, so no narrower one can prove it
        return count > self._largest or {row.key for row in rows} <= self._full

    def _is_deaf(self, rows: list[Stamped[R]]) -> bool:
        """Return True if the endpoint lists the same for any time: narrower windows would never end."""
        asked = self.ask()
        if asked is None or self._rules.sums or not rows or frozenset(row.key for row in rows) != self._full:
            return False
        far = MINUTE + 2 * SECOND
        return any(
            row.key in self._strays if row.time < 0 else not asked.since - far <= row.time <= asked.until + far
            for row in rows
        )

    def _checked(self, rows: list[Stamped[R]]) -> Settled[R] | None:
        """Settle a window unless it lacks records of its time that were listed before."""
        there = {row.key for row in rows}
        missing = [row for row in self._known.values() if self._at <= row.time < self._stop() and row.key not in there]
        if not missing or self._rules.transient or self._rules.sums:
            return self._settle([*rows, *missing], None)
        if self._doubts < _DOUBTS:
            self._doubts += 1
            self._margin = min(self._margin + 1, len(_MARGINS) - 1)
            self._turn_back()
            return None
        settled = self._settle([*rows, *missing], f"{len(missing)} records that were listed before are missing now")
        self._margin = 0
        return settled

    def _learn_unit(self, rows: list[Stamped[R]]) -> None:
        """Learn from records outside of the request that bounds are rounded: windows within one unit are alike."""
        far = self._astray(rows)
        if 0 < far <= MINUTE and self._stop() - self._at <= far:
            self._bounds.raise_to(far)
            self._span = max(self._span, min(self._bounds.unit, self._rules.span))

    def _astray(self, rows: list[Stamped[R]]) -> int:
        """Return how far records lie outside of the request, in milliseconds."""
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
        """Return the request for a window, both bounds included: whole units, with margins at both ends."""
        since, until, more = self._at, self._stop(), self._more()
        return max(0, self._bounds.floor(since) - more), self._bounds.ceil(until) + more - self._rules.grain

    def _more(self) -> int:
        """Return the margin at both ends."""
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
        """Narrow the window: up to the middle of the listed records, and at most half as wide.

        A window narrower than the known precision of bounds waits for a probe.
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
        """Probe the bounds; once they are known, narrow the window, or request it again as the last."""
        before, behind = self._around()
        times = [row.time for row in self._pending if row.time >= 0]
        self._probe = self._bounds.probe([time for time in times if before <= time <= behind] or times)
        if self._probe is None and self._stop() - self._at > self._bounds.unit:
            self._narrow(self._pending)

    def _pass(self, until: int) -> None:
        """Continue after a window."""
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
        """Return the records of a window, and how many of them lie outside it."""
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
                continue  # it is in a margin, and belongs to a neighbour or to none
            if row.key in self._recent:
                continue
            # No listed record is dropped, whatever its time.
            if not before <= row.time < since:
                self._strays.add(row.key)
            chosen.append(row)
        return self._fresh(chosen), outside

    def _fresh(self, rows: Sequence[Stamped[R]]) -> tuple[Stamped[R], ...]:
        """Return the records in order, each once, without those of the first moment that were delivered already."""
        once = {row.key: row for row in rows if row.time > self._since or row.key not in self._seen}
        return tuple(sorted(once.values(), key=lambda row: (row.time, len(row.rank), row.rank)))


def _numbered(rows: Iterable[Stamped[R]]) -> list[Stamped[R]]:
    """Return the records of one reply, oldest first; equal ones are distinguished by their number."""
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
