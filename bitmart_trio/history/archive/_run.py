"""Making an archive: check the key, look at the account, walk all its histories, find out which more there are.

Every window is committed before the next is asked for, so whatever ends the process, the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import attrs
import trio

from ..._core.endpoint import Endpoint
from ..._core.reply import Reply
from ..._io.scopes import lone_error
from ...client import Client
from ...errors import (
    ApiError,
    AuthenticationError,
    ConnectionLost,
    EndpointRemoved,
    ExchangeFault,
    MalformedReply,
    PermissionDenied,
    RateLimited,
    ServiceUnavailable,
)
from ...models.spot_account import AccountInfo
from .._threads import Runner, Thread
from .._values import Plain, plain
from .._walk import Read, Source, When, Window, millis
from . import _tasks
from ._folder import ArchiveError
from ._report import ArchiveReport, read_report, write_report
from ._store import DATABASE, Line, Store, WalkRow, WindowCommit
from ._tasks import At, Made, Make, Reach, Snapshot

T = TypeVar("T")

AT_ONCE: Final = 6
"""Histories that are read at the same time: each has a quota of its own."""
_TRIES: Final = 8
_LONGEST_WAIT: Final = 60.0
_CLOSING: Final = 30.0
_QUIET: Final = 3.0
"""Seconds: as long as the longest window of a quota."""
_SECONDS: Final = 100_000_000_000
_OPENED: Final = 1_514_764_800_000
"""2018-01-01: the exchange opened that year."""
_PASSING: Final = (RateLimited, ServiceUnavailable, ExchangeFault, ConnectionLost, MalformedReply)
"""What may be over when one asks again later."""

_FINAL: Final = (PermissionDenied, EndpointRemoved)
"""What no other window changes."""
_DAY: Final = 86_400_000

_HARMLESS: Final = frozenset({"read", "read_only", "read-only", "readonly", "sub_transfer", "broker", "contract_agent"})
"""Words for what a key may do that cannot trade or withdraw. No source documents the words, so any other is suspect."""


class UnsafeKey(ArchiveError):
    """The key can, or may be able to, trade or withdraw. An archive needs a key that can only read."""


@attrs.frozen
class Progress:
    """How far one history of an archive is."""

    name: str
    """The endpoint and its arguments."""
    state: str
    """``running``, ``waiting`` (for the exchange), ``done``, ``refused`` or ``failed``."""
    fraction: float
    """How much of its range is done, from 0 to 1."""
    records: int
    """How many this run has got."""
    requests: int
    gaps: int
    note: str = ""
    """Why it waits, was refused or failed."""


async def archive(
    client: Client,
    directory: Path | str,
    *,
    since: When | None = None,
    until: When | None = None,
    resume: bool = False,
    symbols: Iterable[str] = (),
    allow_trading_key: bool = False,
    progress: Callable[[Progress], None] | None = None,
    run: Runner | None = None,
) -> ArchiveReport:
    """Read the whole account into a directory: ``archive.sqlite``, ``replies.jsonl`` and a completeness report.

    Only reads. What the exchange refuses is noted and the rest goes on; what fails for a while is tried again. However
    it ends, what was committed stays, and ``resume=True`` goes on from there. The range is fixed when it begins.

    Args:
        client: with the account's credentials. A signed read needs secret and memo too.
        directory: made when it is not there.
        since: the first moment; when the account was opened if left out.
        until: the end; the exchange's present if left out.
        resume: go on with the archive in the directory, or begin one.
        symbols: contracts to ask for beside those that the account has left traces of.
        allow_trading_key: archive with a key that can do more than read, too.
        progress: is told of each step; called in the same task, so it must be quick.
        run: runs what blocks (SQLite and files); a worker thread if left out.

    Returns:
        The report that was written.

    Raises:
        UnsafeKey: the key can trade or withdraw, or the exchange does not tell. Nothing was written.
        ArchiveError: the directory has an archive already, or one of another account.
        AuthenticationError: the key does not work.
    """
    tell, runner = progress or _nobody, run or Thread()
    if resume and await runner((Path(directory) / DATABASE).exists):
        # The run before may have ended this very moment, and nobody but the exchange knows what is left of its quotas.
        await trio.sleep(_QUIET)
    account = await _patiently(partial(_account, client, allow_trading_key), "spot.account.info", tell)
    now = int((await _patiently(client.spot.system.time, "spot.system.time", tell)).server_time)
    begin = _opened(account) if since is None else millis(since, "since")
    end = now if until is None else min(millis(until, "until"), now)
    async with AsyncExitStack() as stack:
        store = await runner(partial(Store, Path(directory), resume=resume))
        archivist = _Archivist(client, store, runner, tell)
        stack.push_async_callback(archivist.close)
        await archivist.begin("" if account is None else account.cid, begin, end)
        with lone_error():
            await archivist.work(tuple(symbols))
            await runner(partial(store.set_meta, ended="yes"))
    assert archivist.report is not None
    return archivist.report


async def _account(client: Client, allow_trading_key: bool) -> AccountInfo | None:
    """What the exchange says of the account and its key; refuses a key that can do harm."""
    try:
        info = await client.spot.account.info()
    except (AuthenticationError, *_PASSING):
        raise
    except ApiError as error:
        if allow_trading_key:
            return None  # noqa: ASYNC910  # the call above is a checkpoint
        raise UnsafeKey(
            f"the exchange does not tell what this key may do ({error}); allow trading keys to archive all the same"
        ) from error
    if allow_trading_key:
        return info
    current = [key for key in info.api_keys if key.is_current]
    if len(current) != 1:
        raise UnsafeKey("the exchange does not tell which of the account's keys this is")
    beyond = sorted({word for word in current[0].permissions if word.strip().lower() not in _HARMLESS})
    if beyond or not current[0].permissions:
        raise UnsafeKey(
            f"this key may do more than read: {', '.join(beyond) or 'its permissions are not told'}; "
            "make a key that can only read"
        )
    return info


def _opened(account: AccountInfo | None) -> int:
    """When the account was opened, in milliseconds, as far as that can be told."""
    told = 0 if account is None else int(account.register_time)
    # The unit is not documented.
    at = told * 1000 if 0 < told < _SECONDS else told
    return max(at, _OPENED)


class _Archivist:
    """One run over one archive."""

    def __init__(self, client: Client, store: Store, run: Runner, tell: Callable[[Progress], None]) -> None:
        self._client = client
        self._store = store
        self._run = run
        self._tell = tell
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._reach = Reach(client.spot, client.futures, 0, 0)
        self._seen: set[str] = set()
        """Looks that an earlier run has taken: the present is that of the beginning."""
        self.report: ArchiveReport | None = None

    async def close(self) -> None:
        """Write the report and let go of the files."""
        with trio.move_on_after(_CLOSING, shield=True):
            await self._run(self._finish)

    def _finish(self) -> None:
        try:
            self.report = read_report(self._store.reader())
            write_report(self._store.directory, self.report)
        finally:
            self._store.close()

    async def begin(self, account: str, since: int, until: int) -> None:
        """Fix the range, or find the one that was fixed."""

        def settle() -> tuple[str, int, int]:
            store = self._store
            if store.meta("until") is None:
                store.set_meta(account=account, since=str(since), until=str(until))
            store.set_meta(ended="no")
            return str(store.meta("account")), int(store.meta("since") or 0), int(store.meta("until") or 0)

        whose, first, last = await self._run(settle)
        self._seen = await self._run(
            lambda: {row.name for row in self._store.reader().snapshots() if row.state == "done"}
        )
        if whose != account:
            raise ArchiveError(f"this is an archive of account {whose or 'unknown'}, and the key is of {account}")
        self._reach = Reach(At(self._client.spot, last), At(self._client.futures, last), first, last)

    async def work(self, symbols: Iterable[str]) -> None:
        """Everything that is not done yet."""
        await self._together([partial(self._look, each) for each in _tasks.present()])
        await self._together([partial(self._walk, each) for each in _tasks.past()])
        contracts, pairs, subs = await self._run(self._found)
        more = [partial(self._look, look) for name in subs for look in _tasks.present_of_sub_account(name)]
        for symbol in sorted({*contracts, *symbols}):
            more += [partial(self._walk, each) for each in _tasks.past_of_contract(symbol)]
        for symbol in sorted(pairs):
            more += [partial(self._walk, each) for each in _tasks.past_of_margin_pair(symbol)]
        for name in subs:
            more += [partial(self._walk, each) for each in _tasks.past_of_sub_account(name)]
        await self._together(more)

    def _found(self) -> tuple[set[str], set[str], list[str]]:
        reader = self._store.reader()
        return _tasks.contracts(reader), _tasks.margin_pairs(reader), _tasks.sub_accounts(reader)

    async def _together(self, jobs: Iterable[Callable[[], Awaitable[None]]]) -> None:
        async with trio.open_nursery() as nursery:
            for job in jobs:
                nursery.start_soon(self._limited, job)

    async def _limited(self, job: Callable[[], Awaitable[None]]) -> None:
        async with self._limiter:
            await job()

    # The present.

    async def _look(self, look: Snapshot) -> None:
        if look.name in self._seen:
            await trio.lowlevel.checkpoint()
            return
        endpoint = _tasks.find_endpoint(look.endpoint)
        market = self._client.futures if look.endpoint.startswith("futures.") else self._client.spot
        pages: list[tuple[Mapping[str, Plain], object, Line]] = []
        note, entries = "", 0
        while True:
            arguments = dict(look.arguments)
            if look.paged:
                arguments |= {"page": len(pages) + 1, "page_size": 100}
            try:
                reply = await _patiently(partial(_call, market, endpoint, arguments), look.name, self._tell)
            except AuthenticationError:
                raise
            except (ApiError, *_PASSING) as error:
                pages, note = [], str(error)
                break
            pages.append((arguments, reply.data, _line(arguments, reply, used=True)))
            items: list[object] = list(getattr(reply.data, "items", ())) if look.paged else []
            entries += len(items)
            if not look.paged or not items or entries >= int(getattr(reply.data, "total", 0)):
                break
        await self._run(partial(self._store.add_snapshot, look.name, look.endpoint, pages, note))
        self._tell(Progress(look.name, "refused" if note else "done", 1.0, 0, len(pages), 0, note))

    # The past.

    async def _walk(self, make: Make) -> None:
        fresh = make(self._reach, None)
        arguments = fresh.arguments
        name = _tasks.title(fresh.name, arguments)
        row = await self._run(
            partial(
                self._store.begin_walk,
                name,
                fresh.name,
                arguments,
                fresh.name.replace(".", "_"),
                self._reach.since,
                self._reach.until,
            )
        )
        if row.state == "done":
            self._tell(Progress(name, "done", 1.0, 0, 0, 0))
            return
        state, note = "done", ""
        walker = make(self._reach, row.cursor)
        windows, records, gaps, too_old = walker.windows(), 0, 0, False
        while True:
            try:
                window = await _patiently(windows.__anext__, name, self._tell)
            except StopAsyncIteration:
                break
            except AuthenticationError:
                raise
            except _PASSING as error:
                state, note = "failed", str(error)
                break
            except ApiError as error:
                if not too_old:
                    if isinstance(error, _FINAL) or await self._refuses(make, name):
                        state, note = "refused", str(error)
                        break
                    # It tells what is newer: once more, and if it is refused again, it is this window.
                    too_old = True
                    continue
                window = _given_up(walker, f"{error.code} {error.message}")
            await self._run(partial(self._store.add_window, row, _commit(window)))
            records += len(window.records)
            gaps += window.gap is not None
            self._tell(Progress(name, "running", self._fraction(row, window.until), records, walker.requests, gaps))
        await self._run(partial(self._store.end_walk, row.walk, state, note))
        fraction = 1.0 if state == "done" else self._fraction(row, walker.position)
        self._tell(Progress(name, state, fraction, records, walker.requests, gaps, note))

    async def _refuses(self, make: Make, name: str) -> bool:
        """Whether the exchange refuses even the last day of a history."""
        last_day = attrs.evolve(self._reach, since=max(self._reach.since, self._reach.until - _DAY))
        try:
            await _patiently(make(last_day, None).windows().__anext__, name, self._tell)
        except StopAsyncIteration:
            return False  # noqa: ASYNC910  # the call above is a checkpoint
        except AuthenticationError:
            raise
        except (ApiError, *_PASSING):
            return True  # noqa: ASYNC910  # as above
        return False

    @staticmethod
    def _fraction(row: WalkRow, position: int) -> float:
        return min(max((position - row.since) / max(row.until - row.since, 1), 0.0), 1.0)


async def _patiently(call: Callable[[], Awaitable[T]], name: str, tell: Callable[[Progress], None]) -> T:
    """Call again, later and later, while the exchange or the network is out of order."""
    wait = 1.0
    for _ in range(_TRIES - 1):
        try:
            return await call()
        except _PASSING as error:
            tell(Progress(name, "waiting", 0.0, 0, 0, 0, str(error)))
        await trio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)
    return await call()


async def _call(market: Source, endpoint: Endpoint[object], arguments: Mapping[str, Plain]) -> Reply[object]:
    return await market.call(endpoint, **arguments)


def _nobody(progress: Progress) -> None:
    """Nobody wants to know."""


def _line(arguments: Mapping[str, Plain], reply: Reply[object], *, used: bool) -> Line:
    return Line(str(reply.endpoint), arguments, reply.http_status, reply.trace, reply.raw, used)


def _given_up(walker: Made, reason: str) -> Window[object]:
    """A window that the exchange refuses."""
    gap = walker.skip(f"the exchange refuses it: {reason}")
    return Window(gap.since, gap.until, (), (), gap, (), walker.cursor)


def _commit(window: Window[object]) -> WindowCommit:
    def line(read: Read) -> Line:
        return _line({name: plain(value) for name, value in read.arguments.items()}, read.reply, used=read.used)

    return WindowCommit(
        window.since,
        window.until,
        window.records,
        window.stamps,
        window.gap,
        [line(read) for read in window.reads],
        window.cursor,
    )
