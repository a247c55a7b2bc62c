"""Keep a journal: every intent is on the disk before it is sent, so that no crash makes an order forgotten.

The file is text, one entry per line, and is only appended to::

    8c2f0b1d {"what":"journal","version":1}
    5a01e9c4 {"what":"intent","id":"bt...","market":"spot","symbol":"BTC_USDT","kind":"order","side":"buy",...}
    d41f77a0 {"what":"end","id":"bt...","state":"filled","filled":"0.001"}

A line is eight hex digits (CRC-32 of the JSON's bytes), a blank, a JSON object in ASCII, and a line feed. ``price``,
``size`` and ``notional`` are strings, present if the order has them; ``extras`` holds the other arguments of its submit
(mode, leverage, ...), and ``at`` the exchange's time in milliseconds when it was written, if known. Lines without these
two are of an older version, and are read too.

An intent without an end may be open. A machine that stops in the middle of a write leaves a last line without its line
feed: it is dropped, for its order was not sent yet. Damage anywhere else is an error that names the intent it may
affect: nothing is guessed. Entries of an unknown kind are ignored.

An intent is fsynced before `append` returns. An end is noted, and written with the next intent or on close: losing one
costs a look-up at the next start. Finished intents are removed when the journal opens, and again once they are most of
the file, by writing a new file beside the old one and renaming it.

A worker thread writes; a cancellation does not abandon it, and the send waits for it. On Trio's virtual clock time
jumps while a thread works, so tests use `MemoryJournal`.

A journal has one writer: locks on ``<path>.lock`` and on the file itself are held while it is open, and the operating
system releases them when the process dies. Removing the lock file does not let a second writer in. Links are not
followed.

The lock file also keeps a block of the disk in reserve. On a full disk no new order can be recorded, so none is sent;
but the reserve is used for orders that close positions and for the ends of orders. A journal that cannot be rewritten
on opening because the disk is full still opens, so that orders left open can be cancelled.
"""

from __future__ import annotations

import errno
import io
import itertools
import json
import logging
import math
import os
import re
import reprlib
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Final, NoReturn, Protocol, TypeAlias, TypeVar, cast
from zlib import crc32

import trio

from .._scopes import finish, protected
from ..errors import JournalError, JournalLocked
from ._order import Intent

log = logging.getLogger(__name__)

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        _at_first_byte(file, msvcrt.LK_NBLCK)

    def _unlock(file: int) -> None:
        _at_first_byte(file, msvcrt.LK_UNLCK)

    def _at_first_byte(file: int, mode: int) -> None:
        os.lseek(file, 0, os.SEEK_SET)  # from where the file stands, is what is locked
        msvcrt.locking(file, mode, 1)

    def _sync_folder(folder: Path) -> None:
        """Do nothing: Windows cannot sync a folder, and need not."""

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)

    def _sync_folder(folder: Path) -> None:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


T = TypeVar("T")

Entry: TypeAlias = Mapping[str, object]
"""A JSON object: strings and numbers under the names above."""

HEAD: Final[Entry] = {"what": "journal", "version": 1}
_LONGEST: Final = 65_536
"""Bytes of a line, at most; an entry takes a few hundred."""
_RESERVE: Final = 65_536
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS: Final = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)
_AT_ONCE: Final = 100
"""The number of entries read before other tasks get a turn."""
_ID: Final = re.compile(rb'"id":"([A-Za-z0-9]{1,32})"')
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


class Written(Collection[Entry]):
    """Entries that stay lines until somebody reads them.

    Making a hundred thousand objects at once would make the garbage collector stop the whole program.
    """

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for line in self._lines if (entry := _entry(line[:-1])) is not None)

    def __contains__(self, entry: object) -> bool:
        return any(entry == each for each in self)

    def only(self, numbers: Iterable[int]) -> Written:
        """Return the entries of these numbers."""
        return Written([self._lines[number] for number in numbers])


class Journal(Protocol):
    """A record of what a session is about to do. Implement it to write elsewhere."""

    @property
    def length(self) -> int:
        """Return the number of entries."""
        ...

    async def open(self) -> Collection[Entry]:
        """Open the journal for writing, and return its entries, oldest first: at least all intents without an end.

        Raises:
            JournalLocked: another session writes to it.
            JournalError: the journal cannot be read.
        """
        ...

    async def append(self, entry: Entry) -> None:
        """Write an entry, which survives a crash of the machine once this returns.

        A write that has begun is finished, even when cancelled.

        Raises:
            JournalError: the entry could not be written.
        """
        ...

    def note(self, entry: Entry) -> None:
        """Write an entry later: with the next `append`, or on `close`."""
        ...

    async def compact(self, live: Callable[[], Iterable[Entry]]) -> None:
        """Replace the content by these entries, completely or not at all."""
        ...

    async def close(self) -> None:
        """Write what was noted, and release the journal; also when cancelled."""
        ...


@protected
class MemoryJournal:
    """A journal in memory: for tests, and for bots that need not remember orders after a crash.

    Attributes:
        entries: the content as it would be after a crash: noted entries come with the next `append`.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._noted: list[Entry] = []
        self._open = False

    @property
    def length(self) -> int:
        """Return the number of entries."""
        return len(self.entries) + len(self._noted)

    async def open(self) -> list[Entry]:
        """Open the journal for writing; see `Journal`."""
        await trio.lowlevel.checkpoint()
        if self._open:
            raise JournalLocked("this journal is in use by another session")
        self._open = True
        return list(self.entries)

    async def append(self, entry: Entry) -> None:
        """Write an entry; see `Journal`."""
        self.entries += [*self._noted, entry]
        self._noted.clear()
        await trio.lowlevel.checkpoint()

    def note(self, entry: Entry) -> None:
        """Write an entry later; see `Journal`."""
        self._noted.append(entry)

    async def compact(self, live: Callable[[], Iterable[Entry]]) -> None:
        """Replace the content; see `Journal`."""
        self.entries = list(live())
        self._noted.clear()
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Write what was noted, and release the journal; see `Journal`."""
        self.entries += self._noted
        self._noted.clear()
        self._open = False
        await trio.lowlevel.cancel_shielded_checkpoint()


@protected
class FileJournal:
    """A journal kept in a file.

    Args:
        path: of the file, which is created if missing (its folder is not). ``<path>.lock`` appears beside it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # The folder is resolved now, so that no later change of it leads to another file, or past the lock.
        named = Path(path)
        self.path: Path = named.parent.resolve() / named.name
        self._whole: int | None = None
        """The valid length of the file, if a partial line behind it could not be removed yet."""
        self._file: int | None = None
        self._lock_file: int | None = None
        self._turn = trio.Lock()
        self._lines: list[bytes] = []
        self._added = 0
        """The number of lines handed in since the opening."""
        self._written = 0
        """The number of those that are safe on the disk."""
        self._length = 0

    @property
    def length(self) -> int:
        """Return the number of entries."""
        return self._length

    async def open(self) -> Collection[Entry]:
        """Open the journal for writing; see `Journal`."""
        await trio.lowlevel.checkpoint()
        async with self._turn:
            entries, self._length = await self._work(self._open)
        return entries

    async def append(self, entry: Entry) -> None:
        """Write an entry; see `Journal`. Entries that are handed in together share one write."""
        mine = self._add(entry)
        with trio.CancelScope(shield=True):
            async with self._turn:
                if self._written < mine:
                    await self._flush(urgent=entry.get("closes") is True)

    def note(self, entry: Entry) -> None:
        """Write an entry later; see `Journal`."""
        self._add(entry)

    async def compact(self, live: Callable[[], Iterable[Entry]]) -> None:
        """Replace the content; see `Journal`."""
        with trio.CancelScope(shield=True):
            async with self._turn:
                entries, count = live(), 0
                # A task that waits for one of these lines finds its entry among the live ones.
                lines, upto = self._lines, self._added
                self._lines = []
                try:
                    count = await self._work(lambda: self._cut_back(entries))
                except JournalError:
                    self._lines = lines + self._lines
                    raise
                self._written, self._length = upto, count + len(self._lines)

    async def close(self) -> None:
        """Write what was noted, and release the journal; see `Journal`."""
        await finish(math.inf, self._close)  # takes as long as the disk does

    async def _close(self) -> None:
        async with self._turn:
            try:
                if self._lines:
                    await self._flush(urgent=True)
            finally:
                await self._work(self._let_go)  # noqa: ASYNC102  shielded by its caller

    def _add(self, entry: Entry) -> int:
        self._lines.append(line_of(entry))
        self._added += 1
        self._length += 1
        return self._added

    async def _flush(self, *, urgent: bool) -> None:
        """Write what was handed in; urgent lines may use the reserve of a full disk."""
        lines, upto = self._lines, self._added
        self._lines = []
        try:
            await self._work(lambda: self._write(b"".join(lines), urgent=urgent))
        except JournalError:
            self._lines = lines + self._lines
            raise
        self._written = upto

    async def _work(self, what: Callable[[], T]) -> T:
        try:
            return await trio.to_thread.run_sync(what, abandon_on_cancel=False)
        except OSError as error:
            raise JournalError(f"the journal {self.path} failed: {error}") from error

    # In the worker thread:

    def _open(self) -> tuple[Written, int]:
        self._take_lock()
        opened = False
        try:
            content = self._take_file()
            entries, count, good = parse(content, str(self.path))
            if good:
                # Nothing may be appended to a partial last line: the next write cuts it off.
                self._whole = good if good < len(content) else None
            else:
                self._replace(entries)
            self._keep_reserve()
            opened = True
        finally:
            if not opened:
                self._let_go()
        return entries, count

    def _take_lock(self) -> None:
        if self._lock_file is not None:
            self._refuse()
        held = self._open_plain(f"{self.path}.lock", os.O_RDWR | os.O_CREAT)
        try:
            self._lock(held)
        except BaseException:
            os.close(held)
            raise
        self._lock_file = held

    def _take_file(self) -> bytes:
        """Open the file, if there is one, for this writer alone, and return its content."""
        while True:
            try:
                held = self._open_plain(str(self.path), os.O_RDWR | os.O_APPEND)
            except FileNotFoundError:
                return b""
            kept = False
            try:
                self._check_rights(held)
                if sys.platform != "win32":
                    self._lock(held)
                    # The last owner may have put another file in its place meanwhile.
                    if not os.path.samestat(os.fstat(held), self.path.lstat()):
                        continue
                with open(held, "rb", closefd=False) as reader:
                    content = reader.read()
                self._file, kept = held, True
                return content
            finally:
                if not kept:
                    os.close(held)

    def _open_plain(self, path: str, flags: int) -> int:
        """Open an ordinary file, and not a link to one."""
        try:
            if stat.S_ISLNK(Path(path).lstat().st_mode):
                raise JournalError(f"{path} is a link, which a journal does not follow: name the file itself")
        except FileNotFoundError:
            pass
        found = os.open(path, flags | _NO_FOLLOW | _BINARY, 0o600)
        if not stat.S_ISREG(os.fstat(found).st_mode):
            os.close(found)
            raise JournalError(f"{path} is not an ordinary file")
        return found

    def _check_rights(self, file: int) -> None:
        """Refuse a journal that others may write to: the session would cancel its orders as its own."""
        mode = os.fstat(file).st_mode if os.name == "posix" else 0  # elsewhere the mode says nothing about other users
        if mode & 0o022:
            raise JournalError(f"other users may write to the journal {self.path}; run: chmod 600 {self.path}")
        if mode & 0o044:
            log.warning("other users of this machine may read the journal %s; run: chmod 600 %s", self.path, self.path)

    def _lock(self, file: int) -> None:
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise JournalError(
                    f"the file system of {self.path} has no locks ({error.strerror}), so a second writer could not be "
                    "kept out: put the journal on a local disk"
                ) from error
            self._refuse(error)

    def _refuse(self, cause: OSError | None = None) -> NoReturn:
        raise JournalLocked(f"the journal {self.path} is in use by another session") from cause

    def _replace(self, entries: Iterable[Entry]) -> int:
        """Replace the file by one with these entries, and return their number."""
        new = f"{self.path}.new"
        Path(new).unlink(missing_ok=True)
        written = self._open_plain(new, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        held: int | None = written
        placed = False
        try:
            if sys.platform != "win32":
                self._lock(written)
            count = 0
            for lines in _batches(itertools.chain((HEAD,), entries)):
                _write_all(written, b"".join(lines))
                count += len(lines)
            os.fsync(written)
            if sys.platform == "win32":  # it renames no open file, and over none
                os.close(written)
                held = None
                if self._file is not None:
                    os.close(self._file)
                    self._file = None
            Path(new).replace(self.path)
            placed = True
            _sync_folder(self.path.parent)
        finally:
            if placed:
                self._file, old = held, self._file
                self._whole = None
            else:
                old = held
            if old is not None:
                os.close(old)
            if not placed:
                Path(new).unlink(missing_ok=True)
            if self._file is None and self.path.exists():
                self._file = self._open_plain(str(self.path), os.O_RDWR | os.O_APPEND)
        return count - 1

    def _cut_back(self, entries: Iterable[Entry]) -> int:
        count = self._replace(entries)
        self._keep_reserve()
        return count

    def _keep_reserve(self) -> None:
        """Keep a block of the disk in the lock file, if there is room."""
        assert self._lock_file is not None
        try:
            if os.fstat(self._lock_file).st_size < _RESERVE:
                os.lseek(self._lock_file, 0, os.SEEK_SET)
                _write_all(self._lock_file, bytes(_RESERVE))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise

    def _write(self, data: bytes, *, urgent: bool) -> None:
        try:
            self._append(data)
        except OSError as error:
            if not urgent or error.errno not in _NO_ROOM or self._lock_file is None:
                raise
            os.ftruncate(self._lock_file, 0)
            self._append(data)

    def _append(self, data: bytes) -> None:
        if self._file is None:
            raise JournalError(f"the journal {self.path} is not open")
        if self._whole is not None:
            os.ftruncate(self._file, self._whole)
        now = os.fstat(self._file)
        if not now.st_nlink:
            raise JournalError(f"the journal {self.path} was removed: entries written now would be lost")
        before = self._whole = now.st_size
        try:
            _write_all(self._file, data)
            os.fsync(self._file)
        except OSError:
            # A partial line may have been written, and the next entry must not follow it. If it cannot be removed
            # either, nothing is written until it can.
            os.ftruncate(self._file, before)
            self._whole = None
            raise
        self._whole = None

    def _let_go(self) -> None:
        if self._lock_file is not None:
            _unlock(self._lock_file)  # closing is not enough: a forked child may hold the same lock
        if self._file is not None and sys.platform != "win32":
            _unlock(self._file)
        for held in (self._file, self._lock_file):
            if held is not None:
                os.close(held)
        self._file = self._lock_file = None


DISK: Final[ContextVar[Callable[[str | os.PathLike[str]], Journal] | None]] = ContextVar("journal_disk", default=None)
"""The function that opens a journal's path instead of `FileJournal`: a rehearsal in virtual time, which no thread may
delay, has a simulated disk.
"""


def no_room(error: JournalError) -> bool:
    """Return True if a journal failed because the disk is full."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_ROOM


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def line_of(entry: Entry) -> bytes:
    body = json.dumps(entry, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (crc32(body), body)


def _batches(entries: Iterable[Entry]) -> Iterator[list[bytes]]:
    """Yield lines in pieces; one piece of all would keep other threads waiting."""
    lines: list[bytes] = []
    for entry in entries:
        lines.append(line_of(entry))
        if len(lines) >= _AT_ONCE:
            yield lines
            lines = []
    yield lines


def parse(content: bytes, name: str) -> tuple[Written, int, int]:
    """Return a journal's intents without an end, its number of entries, and the number of its bytes that are valid.

    Raises:
        JournalError: a line is damaged, or the file is not a journal of this version.
    """
    head = line_of(HEAD)
    if content[: len(head)] != head[: len(content)]:
        raise JournalError(f"{name} is not a journal of version 1")
    open_ones: dict[str, bytes] = {}
    good = count = 0
    for number, line in enumerate(io.BytesIO(content), 1):
        if not line.endswith(b"\n") and _entry(line[:-1]) is None:
            break  # incomplete: the machine stopped before the line feed was written, so the order was not sent
        entry = _entry(line[:-1]) if line.endswith(b"\n") else None
        if entry is None:
            _damaged(line, number, name)
        good += len(line)
        if number % _AT_ONCE == 0:
            time.sleep(0)  # lets the event loop run: this is a worker thread
        if number > 1:
            count += 1
            _sort_in(open_ones, entry, line)
    return Written(list(open_ones.values())), count, good


def _sort_in(open_ones: dict[str, T], entry: Entry, kept: T) -> None:
    """Apply an entry to the intents without an end; ignore entries of an unknown kind."""
    what, name = entry.get("what"), entry.get("id")
    if not isinstance(what, str) or (what in ("intent", "end") and not isinstance(name, str)):
        raise JournalError(f"a journal entry is damaged: {reprlib.repr(dict(entry))}")
    if what == "intent":
        open_ones[str(name)] = kept
    elif what == "end":
        open_ones.pop(str(name), None)


def _damaged(line: bytes, number: int, name: str) -> NoReturn:
    found = _ID.search(line)
    whose = "an intent that cannot be read any more" if found is None else f"the intent {found[1].decode()}"
    raise JournalError(
        f"line {number} of the journal {name} is damaged; it may belong to {whose}: check the open orders of the "
        "account, then delete the line"
    )


def _entry(line: bytes) -> Entry | None:
    check, _, body = line.partition(b" ")
    if len(line) > _LONGEST or check != b"%08x" % crc32(body):
        return None
    try:
        entry: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", entry) if isinstance(entry, dict) else None


async def pending(
    entries: Collection[Entry], market: str, symbols: Iterable[str]
) -> tuple[dict[str, Intent], Collection[Entry]]:
    """Return the intents without an end of some symbols, by client order id, oldest first, and all other entries.

    Only the former become intents, and other tasks get turns in between.

    Raises:
        JournalError: an entry was not written by this library.
    """
    open_at: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if number % _AT_ONCE == 0:
            await trio.lowlevel.checkpoint()
        _sort_in(open_at, entry, number)
    mine, others, wanted = dict[str, Intent](), list[int](), {(market, symbol) for symbol in symbols}
    for number, entry in enumerate(entries):
        if number % _AT_ONCE == 0:
            await trio.lowlevel.checkpoint()
        name = str(entry.get("id"))
        if entry.get("what") != "intent" or open_at.get(name) != number:
            continue
        try:
            if (entry.get("market"), entry.get("symbol")) in wanted:
                mine[name] = Intent.from_entry(entry)
            else:
                others.append(number)
        except (ValueError, TypeError) as error:
            raise JournalError(f"the journal entry of {name[:40]!r} is damaged: {error}") from error
    if isinstance(entries, Written):
        return mine, entries.only(others)  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
    kept = set(others)
    return mine, [entry for number, entry in enumerate(entries) if number in kept]  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
