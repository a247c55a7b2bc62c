"""Walk one history, request by request, with an async iterator that can stop anywhere and resume later.

A `Walk`, one row of a table, describes an endpoint; the plan (``_plan.py``) chooses the next request; this module
connects both with the client. A walker need not be closed: it may be dropped at any time.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final, Generic, Literal, Protocol, TypeAlias, TypedDict, TypeVar, cast

import attrs
import trio

from .._core.endpoint import Endpoint
from .._core.reply import Reply
from .._scopes import protected
from ..errors import BitMartError, InvalidRequest, NoData
from ..models._model import Model
from ..models.system import SystemTime
from ._plan import Ask, HistoryGap, Plan, Rules, Settled, Stamped
from ._seek import Coarse, Look, Search
from ._units import scaled
from ._values import Plain, plain

_log: Final = logging.getLogger(__name__)

P = TypeVar("P")
T = TypeVar("T")

When: TypeAlias = int | datetime
"""A moment: milliseconds since 1970 UTC, or an aware datetime."""

OnGap: TypeAlias = Literal["raise", "note"]

Cursor: TypeAlias = Mapping[str, object]
"""The position of a walk: a small mapping that JSON can hold."""


class _Range(TypedDict, total=False):
    """``until``: the end, not included. ``cursor``: of an earlier walk. ``gaps``: what to do where one is missing."""

    until: When | None
    cursor: Cursor | None
    gaps: OnGap


class Range(_Range):
    """The keywords of nearly every walk: the range, its cursor, and the report of gaps."""

    since: When


class AnyRange(_Range, total=False):
    """The same of a history that can be walked from its start."""

    since: When | None


class _Since(_Range):
    since: When | None


def from_start(within: AnyRange) -> _Since:
    """Return the range; it begins where the history does, if it does not say since when."""
    return {"since": None, **within}


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = 100_000_000_000
"""A smaller time would be in 1973, so its caller means seconds."""


class IncompleteHistory(BitMartError):
    """The exchange does not list a period of a history, or only a part. The walk can continue after it.

    Attributes:
        gap: the period and the reason.
    """

    def __init__(self, name: str, gap: HistoryGap) -> None:
        super().__init__(f"{name}: {moment(gap.since)} to {moment(gap.until)} is incomplete: {gap.reason}")
        self.gap: HistoryGap = gap


class Clock(Protocol):
    """The part of ``client.spot.system`` that walkers use."""

    async def time(self) -> SystemTime:
        """Return the exchange's clock."""
        ...


class Source(Protocol):
    """The source of a walker: ``client.spot`` or ``client.futures``."""

    @property
    def system(self) -> Clock:
        """Return the exchange's clock."""
        ...

    async def call(self, endpoint: Endpoint[P], /, **arguments: object) -> Reply[P]:
        """Call an endpoint by its row."""
        ...


@attrs.frozen(eq=False)
class Walk(Generic[P, T]):
    """The description of one endpoint's history: a row of the table.

    Args:
        name: the endpoint's name, such as ``spot.trading.trades``.
        endpoint: its row.
        rules: its windows, pages and limits.
        pick: returns the records of a payload.
        time: returns the time of a record, in milliseconds.
        rank: returns what orders the records of one moment, such as an id; None if there is nothing.
        total: returns the window's number of records, for payloads that have it.
        start, end: the names of the window's parameters; ``unit`` is their unit in milliseconds.
        size: the name of the parameter for the number of records.
        page: the name of the parameter for the number of the page.
        always: arguments of every request.
        coarse: for candles, the longer steps with which a walk skips the time before the first one.
        omits: what the exchange is known to omit, for the user.
    """

    name: str
    endpoint: Endpoint[P]
    rules: Rules
    pick: Callable[[P], Sequence[T]]
    time: Callable[[T], int]
    rank: Callable[[T], str] | None = None
    total: Callable[[P], int] | None = None
    start: str | None = "start_time"
    end: str | None = "end_time"
    unit: int = 1
    size: str | None = "limit"
    page: str | None = None
    always: Mapping[str, object] = attrs.field(factory=dict[str, object])
    coarse: Coarse | None = None
    omits: tuple[str, ...] = ()

    def arguments(self, ask: Ask, given: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments of a call of the endpoint."""
        arguments = {**self.always, **given}
        if self.start is not None:
            arguments[self.start] = ask.since // self.unit
        if self.end is not None:
            arguments[self.end] = -(-ask.until // self.unit)
        if self.size is not None:
            arguments[self.size] = self.rules.most
        if self.page is not None:
            arguments[self.page] = ask.page
        return arguments

    def look(self, look: Look, given: Mapping[str, object]) -> dict[str, object]:
        """Return the arguments of a call for bars of a longer step."""
        assert self.coarse is not None
        return self.arguments(Ask(look.since, look.until, 1), {**given, self.coarse.argument: look.step})

    def stamped(self, payload: P) -> list[Stamped[T]]:
        """Return the records of a payload, each with its time and content, in the order of the reply."""
        return [self._stamp(row) for row in self.pick(payload)]

    def _stamp(self, row: T) -> Stamped[T]:
        try:
            time = scaled(self.time(row))
        except AttributeError:  # the exchange has omitted the member
            time = -1
        try:
            rank = "" if self.rank is None else self.rank(row)
        except AttributeError:
            rank = ""
        return Stamped(time, _content(row), row, rank)


def _content(record: object) -> str:
    """Return a record's identity, its whole content: no source promises that an id is unique."""
    return blake2b(json.dumps(plain(record)).encode(), digest_size=12).hexdigest()


@attrs.frozen
class Read:
    """A reply that a walk has read."""

    arguments: Mapping[str, object]
    """The arguments of the call."""
    reply: Reply[object]
    """The reply, including its exact bytes."""
    used: bool
    """False if it may have been cut off, and was read again in narrower windows."""


@attrs.frozen
class Window(Model, Generic[T]):
    """A settled window of a history."""

    since: int
    """The beginning, in milliseconds; the first window begins where the walk does."""
    until: int
    """The beginning of the next window."""
    records: tuple[T, ...]
    """Oldest first."""
    stamps: tuple[tuple[int, str], ...]
    """For each record its time in milliseconds, and its key within the walk."""
    gap: HistoryGap | None
    """The part of it that the exchange does not list."""
    reads: tuple[Read, ...]
    """The replies behind it, with exact bytes, preceded by those that had to be read again."""
    cursor: Cursor
    """The cursor that continues after it."""


@protected
class Walker(Generic[T]):
    """The records of one history, oldest first, each once: ``async for record in walker``.

    A step sends one request at a time, within the quotas. A step that fails or is cancelled loses nothing: the next one
    repeats the request. Records come as fast as the exchange lists them; nothing is read ahead.

    Attributes:
        name: the endpoint's name, such as ``spot.trading.trades``.
    """

    def __init__(
        self,
        walk: Walk[P, T],
        source: Source,
        given: Mapping[str, object],
        span: int | None = None,
        latest: Callable[[int], int] | None = None,
        /,  # what follows is what users may give
        *,
        since: When | None,
        until: When | None = None,
        cursor: Cursor | None = None,
        gaps: OnGap = "raise",
    ) -> None:
        if gaps not in ("raise", "note"):
            raise InvalidRequest("gaps must be 'raise' or 'note'", argument="gaps")
        self.name: str = walk.name
        self._walk = cast("Walk[object, T]", walk)
        self._source = source
        self._given = {name: value for name, value in given.items() if value is not None}
        self._plain: dict[str, Plain] = {name: plain(value) for name, value in self._given.items()}
        self._rules = walk.rules if span is None else attrs.evolve(walk.rules, span=span)
        self._latest = latest
        self._raises = gaps == "raise"
        self._whole = since is None and cursor is None
        self._since = 0 if since is None else millis(since, "since")
        self._until = None if until is None else millis(until, "until")
        self._at: int = self._since
        self._seen: frozenset[str] = frozenset()
        self._span: int | None = span
        self._begins: int | None = None
        if cursor is not None:
            self._resume(cursor)
        if self._until is not None and self._until < self._since:
            raise InvalidRequest("until must not lie before since", argument="until")
        self._plan: Plan[T] | None = None
        self._reads: list[Read] = []
        self._ready: deque[Stamped[T]] = deque()
        self._window: Settled[T] | None = None
        self._raised: HistoryGap | None = None
        self._gaps: list[HistoryGap] = []
        self._requests = 0
        self._now = 0
        self._busy = False

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._plain.items())
        return f"<Walker {self.name}({arguments}) at {moment(self._at)}>"

    # Its position.

    @property
    def since(self) -> int:
        """Return the beginning of the range, in milliseconds; 0 for "as far back as it goes"."""
        return self._since

    @property
    def until(self) -> int | None:
        """Return the end of the range, in milliseconds; None before the first request if it was left out."""
        return self._until

    @property
    def position(self) -> int:
        """Return the time up to which everything has been delivered, in milliseconds."""
        return self._at

    @property
    def fraction(self) -> float:
        """Return the delivered fraction of the range, from 0 to 1; it counts from the first record on."""
        start = self._since if self._begins is None else max(self._since, self._begins)
        reach = max((self._at if self._until is None else self._until) - start, 1)
        return min(max((self._at - start) / reach, 0.0), 1.0)

    @property
    def begins(self) -> int | None:
        """Return the time of the first record, in milliseconds; None until one is found.

        A walk that is resumed from a cursor keeps this time.
        """
        return self._begins

    @property
    def gaps(self) -> tuple[HistoryGap, ...]:
        """Return the gaps so far: periods that the exchange does not list."""
        return tuple(self._gaps)

    @property
    def requests(self) -> int:
        """Return the number of replies that have been read."""
        return self._requests

    @property
    def arguments(self) -> Mapping[str, Plain]:
        """Return the walker's arguments besides the range, as plain values."""
        return dict(self._plain)

    @property
    def cursor(self) -> Cursor:
        """Return the position behind the last delivered record, for JSON and for ``cursor=``."""
        return {
            "walk": self.name,
            "arguments": dict(self._plain),
            "since": self._since,
            "until": self._until,
            "at": self._at,
            "seen": sorted(self._seen),
            "span": self._span if self._plan is None else self._plan.span,
            "begins": self._begins,
        }

    def _resume(self, cursor: Cursor) -> None:
        if cursor.get("walk") != self.name or cursor.get("arguments") != self._plain:
            raise InvalidRequest(f"this cursor does not belong to {self.name} with these arguments", argument="cursor")
        at, seen, since, until, span = (cursor.get(name) for name in ("at", "seen", "since", "until", "span"))
        if not (
            isinstance(at, int)
            and isinstance(since, int)
            and isinstance(until, int | None)
            and isinstance(span, int | None)
            and isinstance(seen, list | tuple)
        ):
            raise InvalidRequest("not a cursor", argument="cursor")
        self._at, self._since, self._span = at, since, span
        begins = cursor.get("begins")
        self._begins = begins if isinstance(begins, int) else None
        self._seen = frozenset(str(key) for key in cast("Sequence[object]", seen))
        if self._until is None:
            self._until = until

    # Iterating.

    def __aiter__(self) -> Walker[T]:
        return self

    async def __anext__(self) -> T:
        """Return the next record of the history.

        Raises:
            StopAsyncIteration: the range is done.
            IncompleteHistory: the exchange omits something here (``gaps="raise"``); call again to continue after it.
            ApiError, TransportError: as for any call; call again to retry.
        """
        await trio.lowlevel.checkpoint()
        while not self._ready:
            if not await self._fill():
                raise StopAsyncIteration
        row = self._ready.popleft()
        self._deliver(row)
        return row.record

    def batches(self) -> Batches[T]:
        """Return an async iterator of non-empty lists of records, one list per window and step."""
        return Batches(self)

    def windows(self) -> Windows[T]:
        """Return an async iterator of windows, including empty ones, with the replies behind each.

        Gaps are in the windows, and are never raised.
        """
        return Windows(self)

    def skip(self, reason: str) -> HistoryGap:
        """Give up the window of the last failed call: it becomes a gap, and the next call continues after it.

        This is for windows that an endpoint always refuses, such as windows that are too old.

        Args:
            reason: the reason in the gap, for the user.

        Raises:
            RuntimeError: no call has failed.
        """
        if self._plan is None or self._window is not None or self._plan.ask() is None:
            raise RuntimeError("there is no failed window to skip")
        settled = self._plan.skip(reason)
        assert settled.gap is not None
        self._note(settled.gap)
        self._reads.clear()
        self._at, self._seen = settled.until, frozenset()
        return settled.gap

    async def _batch(self) -> list[T]:
        await trio.lowlevel.checkpoint()
        while not self._ready:
            if not await self._fill():
                raise StopAsyncIteration
        rows = [row.record for row in self._ready]
        self._ready.clear()
        self._close()
        return rows

    async def _next_window(self) -> Window[T]:
        await trio.lowlevel.checkpoint()
        settled = self._window
        if settled is None:
            settled = await self._settle()
        if settled is None:
            raise StopAsyncIteration
        if settled.gap is not None and self._raised is not settled.gap:
            self._note(settled.gap)
        rows = settled.rows if self._window is None else tuple(self._ready)
        self._window = None
        self._ready.clear()
        reads, self._reads = tuple(self._reads), []
        self._at, self._seen = settled.until, frozenset()
        return Window(
            settled.since,
            settled.until,
            tuple(row.record for row in rows),
            tuple((row.time, row.key) for row in rows),
            settled.gap,
            reads,
            self.cursor,
        )

    def _deliver(self, row: Stamped[T]) -> None:
        window = self._window
        assert window is not None
        if self._ready:
            # A record whose own time is outside its window belongs to the window that listed it.
            at = min(max(row.time, window.since), window.until - 1)
            self._seen = frozenset((row.key,)) if at != self._at else self._seen | {row.key}
            self._at = at
        else:
            self._close()

    def _close(self) -> None:
        """Record that the window is delivered."""
        assert self._window is not None
        self._at, self._seen, self._window = self._window.until, frozenset(), None
        self._reads.clear()

    def _note(self, gap: HistoryGap) -> bool:
        """Note a gap; return True if it counts: without ``since`` the beginning of a history is no gap."""
        self._raised = gap
        if self._whole and not self._rules.span:
            return False
        self._gaps.append(gap)
        return True

    async def _fill(self) -> bool:
        """Fetch records, or skip an empty window; return False at the end."""
        window = self._window
        if window is None:
            window = await self._settle()
            if window is None:
                return False
            self._window = window
            self._ready.extend(window.rows)
        if window.gap is not None and self._raised is not window.gap and self._note(window.gap) and self._raises:
            if not self._ready:
                self._close()
            raise IncompleteHistory(self.name, window.gap)
        if not self._ready:
            self._close()
        return True  # noqa: ASYNC910  # its callers have made a checkpoint

    async def _settle(self) -> Settled[T] | None:
        """Send requests until a window is settled; return None once the range is done."""
        if self._busy:
            raise trio.BusyResourceError("another task is using this walker")
        self._busy = True
        try:
            plan = self._plan
            if plan is None:
                plan = self._plan = await self._begin()
                if self._walk.coarse is not None and not self._at:
                    # The first bar may be anywhere, so the first request asks for the longest bars.
                    nothing = plan.leap(await self._first_bar(plan.at, deep=True))
                    if nothing is not None:
                        return nothing  # noqa: ASYNC910  # as above
            while (ask := plan.ask()) is not None:
                arguments = self._walk.arguments(ask, self._given)
                try:
                    reply = await self._source.call(self._walk.endpoint, **arguments)
                except NoData:
                    rows, total = list[Stamped[T]](), 0 if self._walk.total is not None else None
                else:
                    self._requests += 1
                    total = None if self._walk.total is None else self._walk.total(reply.data)
                    rows = self._walk.stamped(reply.data)
                    self._reads.append(Read(arguments, reply, used=True))
                if self._walk.coarse is not None and not rows and plan.plain and plan.behind < plan.until:
                    found = await self._first_bar(plan.behind)
                    settled = plan.leap(found) if found > plan.behind else plan.took(rows, total)
                else:
                    settled = plan.took(rows, total)
                if settled is not None:
                    settled = self._with_losses(settled)
                    if self._begins is None and settled.rows:
                        self._begins = settled.rows[0].time
                    return settled  # noqa: ASYNC910  # as above
                if (then := plan.ask()) is None or then.page == 1:
                    self._reads = [attrs.evolve(read, used=False) for read in self._reads]
            return None  # noqa: ASYNC910  # as above
        finally:
            self._busy = False

    def _with_losses(self, settled: Settled[T]) -> Settled[T]:
        """Return a window, with a gap if a reply held unreadable records."""
        lost = sum(len(read.reply.unreadable) for read in self._reads if read.used)
        if not lost or settled.gap is not None:
            return settled
        return attrs.evolve(settled, gap=HistoryGap(settled.since, settled.until, f"{lost} records cannot be read"))

    async def _first_bar(self, since: int, *, deep: bool = False) -> int:
        """Find a moment from ``since`` on before which there is no bar, with bars of longer steps."""
        coarse, until = self._walk.coarse, self._until
        assert coarse is not None
        assert until is not None
        step = self._given[coarse.argument]
        assert isinstance(step, int)
        search = Search(coarse, step, since=since, until=until, now=self._now, deep=deep)
        while (look := search.ask()) is not None:
            arguments = self._walk.look(look, self._given)
            try:
                reply = await self._source.call(self._walk.endpoint, **arguments)
            except NoData:
                search.took(())
            else:
                self._requests += 1
                search.took(row.time for row in self._walk.stamped(reply.data))
                self._reads.append(Read(arguments, reply, used=True))
        return search.found  # noqa: ASYNC910  # a part of calls that wait for the network or the disk

    async def _begin(self) -> Plan[T]:
        now = self._now = int((await self._source.system.time()).server_time)
        if self._since > now:
            # An in-process exchange has its own date: without a warning this would look like an empty history.
            _log.warning(
                "%s: nothing to read, since=%s is later than the exchange's clock (%s)",
                self.name,
                moment(self._since),
                moment(now),
            )
        latest = now if self._latest is None else self._latest(now)
        # Later records must be left for the next walk.
        until = self._until = latest if self._until is None else min(self._until, latest)
        floor = 0 if self._rules.reach is None else now - self._rules.reach
        return Plan(self._rules, self._at, until, seen=self._seen, span=self._span, floor=floor)


@protected
class Batches(Generic[T]):
    """The lists of a walker's records; see `Walker.batches`."""

    def __init__(self, walker: Walker[T]) -> None:
        self._walker = walker

    def __aiter__(self) -> Batches[T]:
        return self

    async def __anext__(self) -> list[T]:
        """Return the next list; raises like the walker."""
        return await self._walker._batch()  # pyright: ignore[reportPrivateUsage]


@protected
class Windows(Generic[T]):
    """The windows of a walker; see `Walker.windows`."""

    def __init__(self, walker: Walker[T]) -> None:
        self._walker = walker

    def __aiter__(self) -> Windows[T]:
        return self

    async def __anext__(self) -> Window[T]:
        """Return the next window; raises like the walker, but never for a gap."""
        return await self._walker._next_window()  # pyright: ignore[reportPrivateUsage]


def millis(value: When, name: str) -> int:
    """Return a moment in milliseconds.

    Raises:
        InvalidRequest: the moment is a naive datetime, a time before 1970, or in seconds.
    """
    given = cast("object", value)
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise InvalidRequest(f"{name} has no time zone", argument=name)
        given = (given - _EPOCH) // timedelta(milliseconds=1)
    if isinstance(given, bool) or not isinstance(given, int):
        raise InvalidRequest(f"{name} must be milliseconds or an aware datetime", argument=name)
    if given < 0 or 0 < given < _EARLIEST:
        raise InvalidRequest(f"{name} must be in milliseconds since 1970, not {given}", argument=name)
    return given


def moment(value: int) -> str:
    """Return a time in milliseconds as text for the user."""
    if not value:
        return "the beginning"
    text = (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"
