"""The journal: every intent is on the disk before it is sent, so that no crash can make an order forgotten.

The file is text, one entry a line, only ever appended to::

    8c2f0b1d {"what":"journal","version":1}
    5a01e9c4 {"what":"intent","id":"bt...","market":"spot","symbol":"BTC_USDT","kind":"order","side":"buy",...}
    d41f77a0 {"what":"end","id":"bt...","state":"filled","filled":"0.001"}

Eight hex digits (CRC-32 of the JSON's bytes), a blank, a JSON object in ASCII, a line feed. ``price``, ``size`` and
``notional`` are texts and stand where the order has them; ``extras`` holds the further arguments of its submit (mode,
leverage, ...), and ``at`` the exchange's time in milliseconds when it was written, as far as it was known: lines
without these two are of an older version, and are read too.

An intent without an end may be open. A machine that stops in the middle of a write leaves a torn last line: it is
dropped, for nothing was sent by it yet. Damage anywhere else is an error: nothing is guessed.

An intent is fsynced before `append` returns. An end is noted and written with the next intent or at the close: losing
one costs a look-up at the next start. Finished intents are cut out at the opening, and while running once they are most
of the file, by writing a new file beside the old one and renaming it into place.

Writing happens in a worker thread that a cancellation does not abandon: the send waits for it. On Trio's virtual clock
time jumps while a thread works, so tests use `MemoryJournal`.

A journal has one writer: a lock on ``<path>.lock`` is held while it is open, and the operating system drops it when the
process dies.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar, cast
from zlib import crc32

import trio

from ..errors import JournalError, JournalLocked
from ._order import Intent

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _unlock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

    def _sync_folder(folder: Path) -> None:
        """Windows cannot, and need not."""

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
"""A JSON object: texts and numbers under the names above."""

_HEAD: Final[Entry] = {"what": "journal", "version": 1}


class Journal(Protocol):
    """Where a session writes down what it is about to do. Bring your own to write elsewhere."""

    @property
    def length(self) -> int:
        """How many entries there are."""
        ...

    async def open(self) -> list[Entry]:
        """Take it for writing, and give all that is in it, oldest first.

        Raises:
            JournalLocked: somebody else writes to it.
            JournalError: it cannot be read.
        """
        ...

    async def append(self, entry: Entry) -> None:
        """Write an entry; when this returns, it survives a crash of the machine.

        It is finished once begun, also while being cancelled.

        Raises:
            JournalError: it could not be written.
        """
        ...

    def note(self, entry: Entry) -> None:
        """Write an entry some time: with the next `append`, or on `close`."""
        ...

    async def compact(self, live: Callable[[], list[Entry]]) -> None:
        """Replace everything by these entries, all or nothing."""
        ...

    async def close(self) -> None:
        """Write what was noted, and let go of it; also while being cancelled."""
        ...


class MemoryJournal:
    """A journal that lasts as long as the object: for tests, and for bots that need no memory of a crash.

    Attributes:
        entries: what is in it, as it would be after a crash: what was noted comes with the next `append`.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._noted: list[Entry] = []
        self._open = False

    @property
    def length(self) -> int:
        """How many entries there are."""
        return len(self.entries) + len(self._noted)

    async def open(self) -> list[Entry]:
        """Take it for writing; see `Journal`."""
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
        """Write an entry some time; see `Journal`."""
        self._noted.append(entry)

    async def compact(self, live: Callable[[], list[Entry]]) -> None:
        """Replace everything; see `Journal`."""
        self.entries = live()
        self._noted.clear()
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Write what was noted, and let go of it; see `Journal`."""
        self.entries += self._noted
        self._noted.clear()
        self._open = False
        await trio.lowlevel.cancel_shielded_checkpoint()


class FileJournal:
    """A journal in a file.

    Args:
        path: of the file; it is made if there is none, its folder is not. ``<path>.lock`` appears beside it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # Resolved now: neither a change of folder nor a link may lead to another file later, or past the lock.
        self.path: Path = Path(path).resolve()
        self._whole: int | None = None
        """How far the file is good, when half a line behind that could not be taken back yet."""
        self._file: int | None = None
        self._lock_file: int | None = None
        self._turn = trio.Lock()
        self._lines: list[bytes] = []
        self._added = 0
        """Lines handed in since the opening."""
        self._written = 0
        """Of those, how many are safe on the disk."""
        self._length = 0

    @property
    def length(self) -> int:
        """How many entries there are."""
        return self._length

    async def open(self) -> list[Entry]:
        """Take it for writing; see `Journal`."""
        await trio.lowlevel.checkpoint()
        async with self._turn:
            entries = await self._work(self._open)
        self._length = len(entries)
        return entries

    async def append(self, entry: Entry) -> None:
        """Write an entry; see `Journal`. Entries that are handed in together share one write."""
        mine = self._add(entry)
        with trio.CancelScope(shield=True):
            async with self._turn:
                if self._written < mine:
                    await self._flush()

    def note(self, entry: Entry) -> None:
        """Write an entry some time; see `Journal`."""
        self._add(entry)

    async def compact(self, live: Callable[[], list[Entry]]) -> None:
        """Replace everything; see `Journal`."""
        with trio.CancelScope(shield=True):
            async with self._turn:
                entries = live()
                # Whoever waits for one of these lines finds its entry among the live ones.
                lines, upto = self._lines, self._added
                self._lines = []
                try:
                    await self._work(lambda: self._replace(entries))
                except JournalError:
                    self._lines = lines + self._lines
                    raise
                self._written, self._length = upto, len(entries) + len(self._lines)

    async def close(self) -> None:
        """Write what was noted, and let go of it; see `Journal`."""
        with trio.CancelScope(shield=True):
            async with self._turn:
                try:
                    if self._lines:
                        await self._flush()
                finally:
                    await self._work(self._let_go)  # noqa: ASYNC102  shielded above, and as quick as a disk

    def _add(self, entry: Entry) -> int:
        self._lines.append(_line(entry))
        self._added += 1
        self._length += 1
        return self._added

    async def _flush(self) -> None:
        lines, upto = self._lines, self._added
        self._lines = []
        try:
            await self._work(lambda: self._write(b"".join(lines)))
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

    def _open(self) -> list[Entry]:
        self._take_lock()
        whole = False
        try:
            try:
                content = self.path.read_bytes()
            except FileNotFoundError:
                content = b""
            entries = parse(content, str(self.path))
            # A torn last line must not be written on, so what is whole is written anew.
            self._replace(entries)
            whole = True
        finally:
            if not whole:
                self._let_go()
        return entries

    def _take_lock(self) -> None:
        if self._lock_file is not None:
            raise JournalLocked(f"the journal {self.path} is in use by another session")
        held = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(held)
        except OSError as error:
            os.close(held)
            raise JournalLocked(f"the journal {self.path} is in use by another session") from error
        self._lock_file = held

    def _replace(self, entries: Iterable[Entry]) -> None:
        new = f"{self.path}.new"
        written = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            _write_all(written, b"".join(map(_line, (_HEAD, *entries))))
            os.fsync(written)
        finally:
            os.close(written)
        if self._file is not None:
            os.close(self._file)  # Windows renames over no open file
            self._file = None
        try:
            Path(new).replace(self.path)
            self._whole = None
            _sync_folder(self.path.parent)
        finally:
            # The new one, or, if it could not be put in place, the old one.
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise JournalError(f"the journal {self.path} is not open")
        if self._whole is not None:
            os.ftruncate(self._file, self._whole)
        before = self._whole = os.fstat(self._file).st_size
        try:
            _write_all(self._file, data)
            os.fsync(self._file)
        except OSError:
            # What was written of it may be half a line, and the next entry must not stand behind that. Where it cannot
            # be taken back either, nothing is written until it can be.
            os.ftruncate(self._file, before)
            self._whole = None
            raise
        self._whole = None

    def _let_go(self) -> None:
        if self._lock_file is not None:
            _unlock(self._lock_file)  # closing is not enough: a forked child may hold the same lock
        for held in (self._file, self._lock_file):
            if held is not None:
                os.close(held)
        self._file = self._lock_file = None


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _line(entry: Entry) -> bytes:
    body = json.dumps(entry, separators=(",", ":")).encode("ascii")
    return b"%08x %s\n" % (crc32(body), body)


def parse(content: bytes, name: str) -> list[Entry]:
    """The entries of a journal's bytes, without the head.

    Raises:
        JournalError: a line that is not the last is damaged, or it is no journal of this version.
    """
    head = _line(_HEAD)
    if content[: len(head)] != head[: len(content)]:
        raise JournalError(f"{name} is no journal of version 1")
    lines = content.split(b"\n")
    torn = lines.pop()  # empty when the last line is whole
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry is None:
            if number == len(lines) and not torn:
                break  # the line feed made it to the disk before the rest
            raise JournalError(f"line {number} of the journal {name} is damaged")
        entries.append(entry)
    return entries[1:]


def _entry(line: bytes) -> Entry | None:
    check, _, body = line.partition(b" ")
    if check != b"%08x" % crc32(body):
        return None
    try:
        entry: object = json.loads(body)
    except ValueError:
        return None
    return cast("dict[str, object]", entry) if isinstance(entry, dict) else None


async def pending(entries: Iterable[Entry]) -> dict[str, tuple[Intent, Entry]]:
    """The intents without an end and their entries, by client order id, oldest first.

    Raises:
        JournalError: an entry is not one of ours.
    """
    found: dict[str, tuple[Intent, Entry]] = {}
    await trio.lowlevel.checkpoint()
    for entry in entries:
        try:
            if entry["what"] == "intent":
                intent = Intent.from_entry(entry)
                found[intent.client_order_id] = intent, entry
            else:
                found.pop(str(entry["id"]), None)
        except (KeyError, ArithmeticError) as error:
            raise JournalError(f"a journal entry that this version does not know: {dict(entry)!r}") from error
    return found
