"""Making an archive: check the key, look at the account, read all its histories, find out which more there are.

Every reply is on the disk before anything is derived from it, and every window is decided before the next is requested.
So whatever ends the process, the next run continues from there. Open orders are read before and after the histories,
and the newest hour is read again at the end: a record that changed state in the meantime is in at least one of these
reads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio

from ..._scopes import finish, open_nursery, protected, start_soon
from ...client import Client
from ...errors import (
    ConnectionLost,
    ExchangeFault,
    InvalidRequest,
    MalformedReply,
    RateLimited,
    ServiceUnavailable,
)
from ...models._numbers import BLANKS, exact
from .._threads import Runner, Thread
from .._units import DAY, MINUTE
from .._walk import When, millis
from . import _tasks
from ._asking import PATIENCE, Asker, Progress
from ._entries import Noted, State
from ._folder import ArchiveError
from ._histories import Histories
from ._journal import REPLIES
from ._key import KeyLook, UnsafeKey, look_at_key
from ._looks import Looks, ids_and_times
from ._reader import Reader
from ._report import ArchiveReport, write_reports
from ._tasks import History, Look
from ._together import Span
from ._writer import Store

T = TypeVar("T")

AT_ONCE: Final = 6
"""The number of histories that are read at the same time: each has a quota of its own."""
SETTLE: Final = 60.0
"""Seconds that the newest records may take to appear in a history. No source gives a time."""
GROUPS: Final = ("sub_accounts", "broker", "affiliate")
"""The parts that an owner without them can skip."""

_LONGEST_WAIT: Final = 60.0
_CLOSING: Final = 30.0
_QUIET: Final = 3.0
"""Seconds to wait: the longest window of a quota."""
_NEWEST: Final = 60 * MINUTE
_LAST_HOUR: Final = "the newest hour"
_SECOND_CHANCE: Final = 3
"""The most tries of a request that has already failed in this run."""
_FOLLOWED: Final = 500
"""The most orders that are followed up one by one."""
_SPOT_TRACES: Final = (
    "spot.trading.",
    "spot.algo.",
    "spot.account.",
    "spot.margin.",
    "spot.earn.",
    "futures.account.transfers",
)
"""Histories with records of any account that has ever had funds on the spot market."""
_PASSING: Final = (RateLimited, ServiceUnavailable, ExchangeFault, ConnectionLost, MalformedReply)
"""Transient errors: a later try may succeed."""


@protected
async def archive(
    client: Client,
    directory: Path | str,
    *,
    since: When | None = None,
    until: When | None = None,
    resume: bool = False,
    symbols: Iterable[str] = (),
    without: Iterable[str] = (),
    settle: float = SETTLE,
    allow_trading_key: bool = False,
    progress: Callable[[Progress], None] | None = None,
    run: Runner | None = None,
) -> ArchiveReport:
    """Read the whole account into a directory: the replies, tables made of them, and a completeness report.

    The archive only reads from the account. If the exchange refuses a part, the refusal is noted and the rest
    continues; transient failures are retried. However the run ends, everything written stays, and ``resume=True``
    continues from there. The range is fixed when the archive begins.

    Args:
        client: a client with the account's credentials. A signed read also needs secret and memo.
        directory: the directory; created if it is missing.
        since: the start; the opening of the account if left out.
        until: the end; the exchange's present time if left out.
        resume: continue the archive in the directory, or begin one.
        symbols: contracts to read in addition to those in the account's own records.
        without: the parts that the account does not have, to be skipped: ``sub_accounts``, ``broker``, ``affiliate``.
            The archive notes each skipped part.
        settle: the age, in seconds, of the end of the range before its newest hour is read a second time.
        allow_trading_key: also accept a key that can do more than read.
        progress: is called with each step, in the same task, so it must be quick.
        run: runs blocking code (SQLite and files); a worker thread if left out.

    Returns:
        The report that was written.

    Raises:
        UnsafeKey: the key can trade or withdraw, or the exchange does not report its permissions. Nothing was written.
        ArchiveError: the directory already has an archive, or one of another account, or the disk cannot be used.
        AuthenticationError: the key does not work.
    """
    tell, runner = progress or _nobody, run or Thread()
    left_out = frozenset(without)
    if unknown := left_out - set(GROUPS):
        raise InvalidRequest(f"without is of {', '.join(GROUPS)}, not {', '.join(sorted(unknown))}", argument="without")
    if resume and await runner((Path(directory) / REPLIES).exists):
        # The run before may have ended just now, and only the exchange knows how much of its quotas is left.
        await trio.sleep(_QUIET)
    key = await _patiently(partial(look_at_key, client), "spot.account.info", tell)
    if not key.harmless and not allow_trading_key:
        more = "" if key.permissions else "; allow trading keys to archive all the same"
        raise UnsafeKey("; ".join(key.problems) + more)
    now = int((await _patiently(client.spot.system.time, "spot.system.time", tell)).server_time)
    begin = key.opened if since is None else millis(since, "since")
    end = now if until is None else min(millis(until, "until"), now)
    async with AsyncExitStack() as stack:
        store = await runner(partial(Store, Path(directory), resume=resume))
        for notice in store.notices:
            tell(Progress(str(directory), "notice", 0.0, 0, 0, 0, notice))
        archivist = _Archivist(client, store, runner, tell, left_out, now)
        stack.push_async_callback(archivist.close)
        await archivist.begin(key, begin, max(begin, end))
        with _one_stopped_disk():
            await archivist.work(tuple(symbols), settle)
    assert archivist.report is not None
    return archivist.report


@contextmanager
def _one_stopped_disk() -> Generator[None]:
    """A disk that stops stops every history that is being read, with the same words: one of them will do."""
    try:
        yield
    except ExceptionGroup as group:
        stopped, others = group.split(ArchiveError)
        if stopped is None or others is not None:
            raise
        first: Exception = stopped
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        raise first from group  # noqa: ASYNC123  # the group is the cause


class _Archivist:
    """One run over one archive."""

    def __init__(
        self,
        client: Client,
        store: Store,
        run: Runner,
        tell: Callable[[Progress], None],
        left_out: frozenset[str],
        now: int,
    ) -> None:
        self._store = store
        self._run = run
        self._left_out = left_out
        self._now, self._began = now, trio.current_time()
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._tell = tell
        asker = Asker(client, store, run, tell)
        self._looks = Looks(store, run, asker, tell)
        self._histories = Histories(store, run, asker, tell, now)
        self._since = self._until = 0
        self._read: dict[str, History] = {}
        """The histories of this run, by name."""
        self.report: ArchiveReport | None = None

    async def close(self) -> None:
        """Write the report and release the files."""
        await finish(_CLOSING, self._run, self._finish)

    def _finish(self) -> None:
        try:
            self.report = write_reports(self._store.folder, self._store.reader())
        finally:
            self._store.close()

    async def begin(self, key: KeyLook, since: int, until: int) -> None:
        """Fix the range, or find the one that was fixed.

        Raises:
            ArchiveError: the archive is that of another account.
        """
        begun = await self._run(partial(self._store.begin, key.account, since, until))
        if begun.account != key.account:
            raise ArchiveError(
                f"this is an archive of account {begun.account or 'unknown'}, and the key is of {key.account}"
            )
        self._since, self._until = begun.since, begun.until
        await self._run(partial(self._store.run_began, self._present()))
        for group in sorted(self._left_out):
            text = f"{group.replace('_', '-')} were left out: the owner says that there are none"
            await self._run(partial(self._store.note, Noted(group, "left_out", text, resolved=True)))
        await self._looks.resume()

    def _present(self) -> int:
        """The exchange's time, in milliseconds."""
        return self._now + int((trio.current_time() - self._began) * 1000)

    async def work(self, symbols: Iterable[str], settle: float) -> None:
        """Everything that is not there yet."""
        lists = [History(name) for name in _tasks.SPOT_OPEN]
        await self._all(partial(self._looks.take, look) for look in self._wanted(_tasks.present()))
        await self._open_orders("before")
        await self._all(partial(self._read_one, each) for each in lists)
        await self._all(partial(self._read_one, each) for each in self._wanted(_tasks.past()))
        await self._found(symbols)
        await self._empty(lists)
        await self._all(partial(self._second_chance, each) for each in [*self._read.values()])
        await self._wait(settle)
        await self._all(partial(self._newest, each) for each in [*self._read.values()])
        await self._open_orders("after")
        await self._all(partial(self._read_one, each) for each in lists)
        await self._empty(lists)
        await self._vanished()
        await self._found(symbols)  # symbols found in the newest hour
        moments = await self._run(lambda: self._store.reader().active())
        await self._all(partial(self._histories.doubt_empty, each, moments) for each in [*self._read.values()])
        await self._found(symbols)  # symbols found in narrow windows
        await self._all(partial(self._histories.doubt_refused, each) for each in [*self._read.values()])
        await self._run(partial(self._store.run_ended, self._present()))

    def _wanted(self, tasks: Iterable[T]) -> Iterator[T]:
        for task in tasks:
            if getattr(task, "group", "account") not in self._left_out:
                yield task

    async def _all(self, jobs: Iterable[Callable[[], Awaitable[object]]]) -> None:
        async with open_nursery() as nursery:
            for job in jobs:
                start_soon(nursery, self._limited, job)

    async def _limited(self, job: Callable[[], Awaitable[object]]) -> None:
        async with self._limiter:
            await job()

    # Histories.

    async def _read_one(self, history: History) -> None:
        await self._histories.read(history, self._since, self._until)
        self._read[history.name] = history

    async def _second_chance(self, history: History) -> None:
        """Ask once more what has failed: the trouble may be over by now."""
        if await self._state(history) in (State.FAILED, State.UNREADABLE, State.RUNNING):
            await self._histories.read(history, self._since, self._until, patience=_SECOND_CHANCE)

    async def _state(self, history: History) -> State:
        def state() -> State:
            rows = self._store.reader().histories(history.name)
            return rows[0].state if rows else State.RUNNING

        return await self._run(state)

    async def _found(self, symbols: Iterable[str]) -> None:
        """Read what the account has left traces of, until nothing more is found."""
        while True:
            histories, looks = await self._run(partial(self._traced, frozenset(symbols)))
            fresh = [each for each in self._wanted(histories) if each.name not in self._read]
            unseen = [each for each in self._wanted(looks) if each.name not in self._looks.tried]
            if not fresh and not unseen:
                return
            await self._all(
                [
                    *(partial(self._looks.take, look) for look in unseen),
                    *(partial(self._read_one, each) for each in fresh),
                ]
            )

    def _traced(self, symbols: frozenset[str]) -> tuple[list[History], list[Look]]:
        return _tasks.traced(self._store.reader(), symbols)

    async def _empty(self, lists: Iterable[History]) -> None:
        """Decide what wide windows have shown to be empty: only an account without any trace is believed."""
        idle, held = await self._run(lambda: (never_traded(self._store.reader()), holds(self._store.reader())))
        spot_orders = next(iter(lists)).name
        # An open order holds the amount that it would spend.
        await self._all(
            partial(self._histories.settle_empty, each, believed=idle or (each.name == spot_orders and not held))
            for each in [*self._read.values()]
        )

    async def _wait(self, settle: float) -> None:
        """Wait until the end of the range is old enough for its last records to show."""
        seconds = max(0.0, settle - (self._present() - self._until) / 1000)
        if seconds >= 1:
            note = f"{seconds:.0f} s, until the newest records are listed"
            self._tell(Progress(_LAST_HOUR, "waiting", 0.0, 0, 0, 0, note))
        await trio.sleep(seconds)
        if seconds >= 1:
            self._tell(Progress(_LAST_HOUR, "answered", 1.0, 0, 0, 0))

    async def _newest(self, history: History) -> None:
        """Read the newest hour of a history again: its last records may have shown late."""
        rules = history.rules
        late = self._until < self._now - DAY
        if late or rules.sums or rules.even or rules.transient or await self._state(history) is not State.ANSWERED:
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        since = max(self._since, self._until - max(_NEWEST, rules.grain)) if rules.span else self._since
        found = await self._histories.again(history, [Span(since, history.last(self._until, self._now))])
        if found:
            text = f"{found} records of the newest hour showed late"
            note = Noted(history.name, "late", text, since, self._until, resolved=True)
            await self._run(partial(self._store.note, note))

    # What is open.

    async def _open_orders(self, moment: str) -> None:  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        """Look at the open orders of contracts; contract by contract where there are more than one list holds."""
        for look in _tasks.open_orders(moment):
            # The list of an earlier run stays the list "before": orders that are gone by now are followed up.
            seen = await self._looks.take(look, anew=moment == "after")
            if seen.full:
                await self._by_contract(look)

    async def _by_contract(self, look: Look) -> None:
        """Every contract's own list, where the common one is full."""
        symbols = await self._run(lambda: _tasks.all_contracts(self._store.reader()))
        if not symbols:
            return
        for symbol in symbols:
            own = Look(look.endpoint, {**look.arguments, "symbol": symbol}, full=look.full, moment=look.moment)
            seen = await self._looks.take(own, anew=True)
            if seen.full or seen.state is not State.ANSWERED:
                return
        text = f"the list was full; the lists of each of {len(symbols)} contracts were not"
        await self._looks.resolve(look, "full_list", text)

    async def _vanished(self) -> None:
        """Follow up the orders that were open at first and are not any more: they must be in a history now."""
        for opened, finished in (
            ("spot.trading.open_orders", "spot.trading.order_history"),
            ("spot.algo.open_orders", "spot.algo.order_history"),
        ):
            history = self._read.get(finished)
            if history is not None and await self._state(History(opened)) is State.ANSWERED:
                gone = await self._run(partial(self._gone_from_spot, opened, finished))
                await self._follow(history, gone, finished)
        by_contract: dict[str, dict[str, int]] = {}
        for order_id, (time, symbol) in (await self._run(self._gone_from_contracts)).items():
            by_contract.setdefault(symbol, {})[order_id] = time
        await self._found(by_contract)
        for symbol, orders in by_contract.items():
            name = _tasks.title("futures.trading.order_history", {"symbol": symbol, "account": "futures"})
            if name in self._read:
                await self._follow(self._read[name], orders, "futures.trading.order_history")

    def _gone_from_spot(self, opened: str, finished: str) -> dict[str, int]:
        reader = self._store.reader()
        there = reader.distinct(finished, "order_id") | self._histories.listed.get(opened, set())
        return {
            each.id: each.time
            for each in reader.records(opened, superseded=True)
            if each.id and each.time is not None and each.id not in there
        }

    def _gone_from_contracts(self) -> dict[str, tuple[int, str]]:
        reader, name = self._store.reader(), "futures.trading.open_orders"
        before = ids_and_times([*_tasks.entries(reader, name, "before")], "order_id", "create_time")
        there = {*ids_and_times([*_tasks.entries(reader, name, "after")], "order_id", "create_time")}
        there |= reader.distinct("futures.trading.order_history", "order_id")
        return {order_id: what for order_id, what in before.items() if order_id not in there and what[1]}

    async def _follow(self, history: History, orders: Mapping[str, int], kind: str) -> None:
        if not orders:
            return  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        spans: list[Span] = []
        for time in sorted(orders.values())[:_FOLLOWED]:
            since, until = max(self._since, time - 1000), min(self._until, time + 1001)
            if spans and since <= spans[-1].until:
                since = spans.pop().since
            if since < until:
                spans.append(Span(since, until))
        await self._histories.again(history, spans)

        def missing() -> tuple[list[str], list[str]]:
            reader = self._store.reader()
            gone = sorted(set(orders) - reader.distinct(kind, "order_id"))
            filled = set[str]()
            fills = {"spot.trading.order_history": "spot.trading.trades"}.get(kind, "futures.trading.trades")
            if gone and not kind.startswith("spot.algo"):
                filled = reader.distinct(fills, "order_id")
            return [each for each in gone if each in filled], [each for each in gone if each not in filled]

        filled, forgotten = await self._run(missing)
        for what, ids, resolved, text in (
            ("filled_in_no_history", filled, False, "orders with fills were open at first and are in no history now"),
            ("forgotten", forgotten, True, "orders were open at first and have left no trace: cancelled, it seems"),
        ):
            if ids:
                shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
                note = Noted(history.name, what, f"{len(ids)} {text} ({shown})", resolved=resolved)
                await self._run(partial(self._store.note, note))


# ---- evidence for an account that was never used --------------------------------------------------------------------


def never_traded(reader: Reader) -> bool:
    """Return True if nothing in an archive shows that its account could ever trade on the spot market.

    That is: no funds, no record of funds that came in or went out, and no unread part that could hold such a record.
    """
    if any(kind.startswith(_SPOT_TRACES) for kind in reader.kinds()):
        return False
    for row in reader.histories():
        # Histories that were only read in wide windows are still running: this decision is about them.
        if row.endpoint.startswith(_SPOT_TRACES) and not row.state.complete and row.state is not State.RUNNING:
            return False
    for endpoint in ("spot.account.balances", "spot.account.spot_balances"):
        looks = [look for look in reader.looks() if look.endpoint == endpoint]
        if not looks or not all(look.state.complete for look in looks):
            return False
        if any(_amounts(entry) for entry in _tasks.entries(reader, endpoint)):
            return False
    return True


def holds(reader: Reader) -> bool:
    """Return True if open orders of the spot market may hold funds."""
    looks = [look for look in reader.looks() if look.endpoint == "spot.account.spot_balances"]
    if not looks or not all(look.state.complete for look in looks):
        return True
    return any(
        _amounts({"frozen": entry.get("frozen", "1")}) for entry in _tasks.entries(reader, "spot.account.spot_balances")
    )


def _amounts(entry: Mapping[str, object]) -> bool:
    """Whether one of the members is a number that is not zero."""
    for value in entry.values():
        with suppress(ValueError):
            if exact(value.strip(BLANKS) if isinstance(value, str) else value):
                return True
    return False


async def _patiently(call: Callable[[], Awaitable[T]], name: str, tell: Callable[[Progress], None]) -> T:
    """Call again, later and later, while the exchange or the network is out of order."""
    wait = 1.0
    for _ in range(PATIENCE - 1):
        try:
            return await call()
        except _PASSING as error:
            tell(Progress(name, "waiting", 0.0, 0, 0, 0, str(error)))
        await trio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
    return await call()


def _nobody(progress: Progress) -> None:
    """Ignore the progress."""
