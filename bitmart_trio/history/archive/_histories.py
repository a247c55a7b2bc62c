"""Reading one history: its windows as the plan says, each decided and written down before the next is asked.

The next run requests again the windows that a run left undecided or decided as failed. When two neighbouring windows
fail in a row, the history ends for this run: the service is down, and waiting for each further window would be in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Final

import attrs

from .._plan import IN_FRONT, Ask, Plan, Rules, Settled, Stamped
from .._threads import Runner
from .._units import DAY
from .._walk import Walk, moment
from ._asking import PATIENCE, Asker, Judged, Progress, plain_arguments
from ._entries import Asked, HistoryEnded, Noted, State, WindowDecided
from ._judge import Judgement
from ._kinds import Kind, kinds
from ._reader import HistoryRow, WindowRow
from ._tasks import History, has_records
from ._together import Span, summed, undecided
from ._wire import Wire, canonical
from ._writer import Store

_EDGE: Final = 3_600_000
"""The precision, in milliseconds, of the moment before which an exchange refuses to answer."""
_NARROW: Final = (7 * DAY, DAY)
"""The widths of the windows in which a history is read again if wider windows listed nothing."""
_CONTRADICTED: Final = "the exchange has listed records of this account, and refuses this as if there were none"
_COARSE: Final = 89 * DAY
"""The width of the first windows of a history without a documented longest window."""


@attrs.define
class _Walked:
    """How far one history is, in this run."""

    records: int = 0
    gaps: int = 0
    requests: int = 0
    failures: int = 0
    """Consecutive failed windows."""
    refused: Span | None = None
    """The window before, if it was refused while others are not."""
    newest_refused: bool | None = None
    """True if the newest day is refused too; None before it was requested."""
    ended: State | None = None
    """The state for which no more is requested."""
    reason: str = ""
    code: int = 0


class Histories:
    """Reads the histories of one run.

    Args:
        store: keeps the histories.
        run: runs blocking code.
        asker: sends the requests.
        tell: is called with each step.
        now: the exchange's time when the run began.
    """

    def __init__(self, store: Store, run: Runner, asker: Asker, tell: Callable[[Progress], None], now: int) -> None:
        self._store = store
        self._run = run
        self._asker = asker
        self._tell = tell
        self._now = now
        self._empty: dict[str, tuple[Span, tuple[int, ...]]] = {}
        """Spans whose wide windows listed nothing, by history, with their replies."""
        self.listed: dict[str, set[str]] = {}
        """The ids in the last lists of open orders, by endpoint."""

    async def read(self, history: History, since: int, until: int, *, patience: int = PATIENCE) -> None:
        """Read what of a history is not there yet."""
        until = max(since, history.last(until, self._now))
        row = await self._run(
            partial(
                self._store.plan_history,
                history.name,
                history.endpoint,
                plain_arguments(history.arguments),
                since,
                until,
            )
        )
        since, until = row.since, row.until  # an earlier run may have fixed them
        if history.rules.transient:
            self.listed[history.endpoint] = set()
        todo = await self._run(partial(self._undecided, history, since, until))
        walked = _Walked()
        for span in todo:
            await self._stretch(history, span, walked, patience=patience)
            if walked.ended is not None:
                break
        await self._end(history, since, until, walked)

    async def again(self, history: History, spans: Sequence[Span]) -> int:
        """Read stretches that were read before once more; how many contents came that were not there."""

        def count() -> int:
            return self._store.reader().count(history.endpoint, history=history.name, superseded=True)

        known = await self._run(count)
        walked = _Walked()
        for span in spans:
            await self._stretch(history, span, walked, patience=PATIENCE, coarse=False)
        row = await self._run(partial(self._row, history))
        await self._end(history, row.since, row.until, walked)
        return await self._run(count) - known

    async def settle_empty(self, history: History, *, believed: bool) -> None:
        """Decide what the wide windows of a history say that have shown nothing.

        Args:
            history: the history.
            believed: True if nothing else in the account contradicts the empty windows; otherwise the usual windows are
                read.
        """
        found = self._empty.pop(history.name, None)
        if found is None:
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        span, replies = found
        walked = _Walked()
        if believed:
            await self._decide(history, WindowDecided(history.name, span.since, span.until, State.ANSWERED, replies))
        else:
            await self._stretch(history, span, walked, patience=PATIENCE, coarse=False)
        row = await self._run(partial(self._row, history))
        await self._end(history, row.since, row.until, walked)

    async def doubt_refused(self, history: History) -> None:
        """Call a history failed that is said not to be there, when others of its product have brought records since."""

        def contradicted() -> list[WindowRow]:
            if self._row(history).state is not State.NOT_OFFERED or not self._has_records(history):
                return []
            # A window without a reply is one that the documentation excludes.
            return [each for each in self._store.reader().windows(history.name) if each.replies]

        rows = await self._run(contradicted)
        for each in rows:
            reason = f"{_CONTRADICTED}: {each.reason}"
            entry = WindowDecided(history.name, each.since, each.until, State.FAILED, each.replies, reason, each.code)
            await self._decide(history, entry)
        if rows:
            row = await self._run(partial(self._row, history))
            await self._end(history, row.since, row.until, _Walked(reason=rows[0].reason))

    async def doubt_empty(self, history: History, moments: Sequence[int]) -> None:
        """Ask a history that has shown nothing in wide windows for narrow ones.

        It is not known what an exchange answers to a window that is wider than it searches: perhaps an empty list. A
        record in a narrow window proves that, and then everything is read again in narrow windows.

        Args:
            history: the history.
            moments: times at which the account was active, where a record is likely.
        """
        rules = history.rules
        row = await self._run(partial(self._row, history))
        if rules.span <= _NARROW[0] or rules.even or rules.sums or rules.transient or row.state is not State.ANSWERED:
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        if await self._run(lambda: self._store.reader().count(row.endpoint, history=row.name, superseded=True)):
            return
        for width in (each for each in _NARROW if each < row.until - row.since):
            starts = [max(row.since, min(time - width // 2, row.until - width)) for time in (*moments, row.until)]
            for since in sorted({start - start % rules.grain for start in starts}):
                judged = await self._ask(history, history.walk, Ask(since, min(since + width, row.until), 1), PATIENCE)
                if not any(since <= each.time <= since + width for each in self._stamped(history, judged.judgement)):
                    continue
                text = f"nothing was listed in windows of {rules.span // DAY} days, so all was read in shorter ones"
                note = Noted(history.name, "wide_empty", text, row.since, row.until, resolved=True)
                await self._run(partial(self._store.note, note))
                walked, plan = _Walked(), Plan[Wire](attrs.evolve(rules, span=width), row.since, row.until)
                await self._windows(history, plan, history.walk, walked, PATIENCE)
                await self._end(history, row.since, row.until, walked)
                return

    def _row(self, history: History) -> HistoryRow:
        return self._store.reader().histories(history.name)[0]

    def _has_records(self, history: History) -> bool:
        return has_records(self._store.reader(), history)

    def _undecided(self, history: History, since: int, until: int) -> list[Span]:
        """The stretches without a decision that stands."""
        rows = self._store.reader().windows(history.name)
        if history.rules.transient:
            return [Span(since, until)] if since < until else []
        return undecided(rows, since, until)

    # One stretch.

    async def _stretch(
        self, history: History, span: Span, walked: _Walked, *, patience: int, coarse: bool = True
    ) -> None:
        rules, walk = history.rules, history.walk
        floor = self._now - rules.reach if rules.reach is not None else 0
        if floor > span.since:
            # The documentation says that this span cannot be requested.
            until = min(floor, span.until)
            reason = f"documented: nothing before {moment(until)} is listed"
            await self._decide(history, WindowDecided(history.name, span.since, until, State.NOT_OFFERED, (), reason))
            if until >= span.until:
                return
            span = Span(until, span.until)
        if coarse and rules.stretches and span.until - span.since > _COARSE:
            found = await self._coarse(history, span)
            if found is None:
                return
            rules = found
        await self._windows(history, Plan[Wire](rules, span.since, span.until), walk, walked, patience)

    async def _windows(  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        self, history: History, plan: Plan[Wire], walk: Walk[object, object], walked: _Walked, patience: int
    ) -> None:
        judged: list[Judged] = []
        total: int | None = None
        while (ask := plan.ask()) is not None:
            window = plan.window
            one = await self._ask(history, walk, ask, patience)
            judged.append(one)
            walked.requests += 1
            found = one.judgement
            if found.state is State.ANSWERED:
                rows = self._stamped(history, found)
                total = found.total if found.total is not None else total
                settled = plan.took(rows, found.total if walk.total is not None else None)
                if settled is not None:
                    walked.failures = 0
                    await self._answered(history, settled, judged, total, walked)
                    if walked.refused is not None:
                        edge, walked.refused = walked.refused, None
                        await self._edge(history, edge, walk, walked, patience)
                elif plan.window == window:
                    continue  # another page, or the same window again
            elif not found.again and await self._refuses(history, walk, walked):
                state, reason = found.state, found.reason
                if state is State.NOT_OFFERED and await self._run(partial(self._has_records, history)):
                    state = State.FAILED
                    reason = f"{_CONTRADICTED}: {reason}"
                walked.ended, walked.reason, walked.code = state, reason, found.code
                await self._rest(history, plan, judged, state, reason, found.code)
                return
            else:
                settled = plan.skip(found.reason)
                state = found.state if found.state is State.UNREADABLE else State.FAILED
                await self._decide(
                    history,
                    WindowDecided(
                        history.name, settled.since, settled.until, state, _numbers(judged), found.reason, found.code,
                        gap=settled.gap,
                    ),
                )  # fmt: skip
                walked.gaps += 1
                if found.again:
                    walked.failures += 1
                else:
                    walked.refused = Span(settled.since, settled.until)
                if walked.failures >= 2:
                    walked.ended, walked.reason, walked.code = state, found.reason, found.code
                    reason = f"not asked, since the windows before it failed: {found.reason}"
                    await self._rest(history, plan, [], State.FAILED, reason, found.code)
                    return
            judged, total = [], None
            self._step(history, plan, walked)

    async def _ask(self, history: History, walk: Walk[object, object], ask: Ask, patience: int) -> Judged:
        arguments = walk.arguments(ask, history.arguments)
        asked = Asked(ask.since, ask.until, ask.page)
        return await self._asker.ask(history.name, history.endpoint, arguments, asked=asked, tries=patience)

    async def _answered(
        self, history: History, settled: Settled[Wire], judged: Sequence[Judged], total: int | None, walked: _Walked
    ) -> None:
        gap = settled.gap
        walked.records += len(settled.rows)
        walked.gaps += gap is not None
        await self._decide(
            history,
            WindowDecided(
                history.name, settled.since, settled.until, State.ANSWERED, _numbers(judged), total=total, gap=gap
            ),
        )
        if settled.outside:
            text = f"{settled.outside} records of another time came with this window; they are kept"
            note = Noted(history.name, "outside", text, settled.since, settled.until, resolved=True)
            await self._run(partial(self._store.note, note))

    async def _rest(  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        self, history: History, plan: Plan[Wire], judged: Sequence[Judged], state: State, reason: str, code: int
    ) -> None:
        """Decide everything that the plan has not reached."""
        span = plan.rest
        if span[0] < span[1]:
            entry = WindowDecided(history.name, span[0], span[1], state, _numbers(judged), reason, code)
            await self._decide(history, entry)

    async def _refuses(self, history: History, walk: Walk[object, object], walked: _Walked) -> bool:
        """Whether the exchange refuses even the newest day of a history: then it refuses all of it."""
        rules = history.rules
        row = await self._run(partial(self._row, history))
        if not rules.span or rules.sums or row.until - row.since <= DAY:
            return True
        if walked.newest_refused is None:
            ask = Ask(max(row.since, row.until - max(DAY, rules.grain)), row.until, 1)
            found = (await self._ask(history, walk, ask, PATIENCE)).judgement
            walked.newest_refused = found.state is not State.ANSWERED and not found.again
        return walked.newest_refused

    async def _edge(  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        self, history: History, span: Span, walk: Walk[object, object], walked: _Walked, patience: int
    ) -> None:
        """Read the newer part of a window that was refused for its age: up to an hour, half by half."""
        since, until, rules = span.since, span.until, history.rules
        while until - since > max(_EDGE, 2 * rules.grain):
            middle = since + (until - since) // 2
            middle -= middle % rules.grain
            # Leave room for the margin that the plan may request in front, so that the window is not refused for that.
            ask = Ask(middle - IN_FRONT, until, 1)
            found = (await self._ask(history, walk, ask, patience)).judgement
            if found.state is State.ANSWERED:
                await self._windows(history, Plan[Wire](rules, middle, until), walk, walked, patience)
                until = middle
            else:
                since = middle

    # A coarse look first.

    async def _coarse(self, history: History, span: Span) -> Rules | None:
        """Look at a long stretch in wide windows; the rules to read it by, or None when nothing is left to read.

        The greatest width of a window is not documented, so an empty window proves nothing by itself: an endpoint that
        searches only a part of the window would answer the same. A reply whose records lie further apart than the width
        of the usual window proves that windows of that width are searched completely.
        """
        rules, walk = history.rules, history.walk
        widest, empty, at = 0, list[int](), span.since
        while at < span.until:
            until = min(at + _COARSE, span.until)
            judged = await self._ask(history, walk, Ask(at, until, 1), PATIENCE)
            found = judged.judgement
            if found.state is not State.ANSWERED or judged.reply is None:
                return rules  # the usual windows determine the cause
            rows = self._stamped(history, found)
            times = [row.time for row in rows if at <= row.time <= until]
            widest = max(widest, max(times, default=0) - min(times, default=0))
            if widest > rules.span:
                return attrs.evolve(rules, span=min(widest, _COARSE))
            if rows:
                return rules
            empty.append(judged.reply)
            at = until
        self._empty[history.name] = (span, tuple(empty))
        return None  # noqa: ASYNC910  # a part of calls that wait for the network or the disk

    # What they share.

    def _stamped(self, history: History, found: Judgement) -> list[Stamped[Wire]]:
        rows = stamped(kinds()[history.endpoint], found.records)
        if history.rules.transient:
            self.listed.setdefault(history.endpoint, set()).update(row.rank for row in rows)
        return rows

    async def _decide(self, history: History, entry: WindowDecided) -> None:
        await self._run(partial(self._store.decide, entry))

    async def _end(self, history: History, since: int, until: int, walked: _Walked) -> None:
        """Say how a history ended, by the states of its windows."""

        def settle() -> tuple[State, str]:
            rows = self._store.reader().windows(history.name)
            state, reason, code = summed(rows, since, until)
            self._store.end_history(HistoryEnded(history.name, state, reason, code))
            return state, reason

        state, reason = await self._run(settle)
        fraction = 1.0 if state.complete else 0.0
        self._tell(Progress(history.name, state, fraction, walked.records, walked.requests, walked.gaps, reason))

    def _step(self, history: History, plan: Plan[Wire], walked: _Walked) -> None:
        at, until = plan.rest
        fraction = min(max(1 - (until - at) / max(until - plan.since, 1), 0.0), 1.0)
        self._tell(Progress(history.name, "running", fraction, walked.records, walked.requests, walked.gaps))


def stamped(kind: Kind, records: Sequence[Wire]) -> list[Stamped[Wire]]:
    """Records with their times and contents, in the order of the reply."""
    found: list[Stamped[Wire]] = []
    for record in records:
        time = kind.time_of(record)
        digest = blake2b(canonical(record).encode("ascii"), digest_size=12).hexdigest()
        found.append(Stamped(-1 if time is None else time, digest, record, kind.id_of(record)))
    return found


def _numbers(judged: Sequence[Judged]) -> tuple[int, ...]:
    return tuple(one.reply for one in judged if one.reply is not None)
