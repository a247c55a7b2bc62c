"""A disk in memory for journals: fsynced bytes survive a kill; the rest survives whole, in part, or not at all.

A file journal works in a thread, which virtual time does not wait for. Here an fsync takes a random virtual time and no
thread. The bytes are those of `FileJournal`, read by the same code, so half a line at the end is handled as on a real
disk.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Collection, Iterable

import attrs
import trio

from ...errors import JournalLocked
from ...trading._journal import HEAD, Entry, Journal, line_of, parse


@attrs.define
class _File:
    """One file on the disk."""

    synced: bytes = b""
    """Bytes that are fsynced."""
    pending: bytes = b""
    """Bytes that are written but not fsynced yet."""
    holder: DiskJournal | None = None
    """The journal that holds the lock of the file."""


class Disk:
    """The files of one day.

    Args:
        dice: decides how long an fsync takes, and how much of the unsynced bytes survives a kill.
        slowest: the longest time that an fsync takes, in seconds.
    """

    def __init__(self, dice: random.Random, *, slowest: float = 0.005) -> None:
        self._dice = dice
        self._slowest = slowest
        self._files: dict[str, _File] = {}
        self.opened: int = 0
        """The number of journals that were ever opened."""
        self.torn: int = 0
        """The number of kills that left half a line."""

    def mount(self, alive: Callable[[], bool]) -> Callable[[str | os.PathLike[str]], Journal]:
        """Return the view of one process: a function that opens a path for as long as that process lives."""

        def journal(path: str | os.PathLike[str]) -> Journal:
            return DiskJournal(self, os.path.normpath(os.fspath(path)), alive)

        return journal

    def crash(self) -> None:
        """Kill the process that holds the files: its locks are released, and chance decides about unsynced bytes."""
        for file in self._files.values():
            file.holder = None
            if file.pending:
                kept = self._dice.randint(0, len(file.pending))
                survived, file.pending = file.pending[:kept], b""
                file.synced += survived
                self.torn += not file.synced.endswith(b"\n")

    def content(self, path: str) -> bytes:
        """The bytes of a file after a kill that loses all unsynced bytes."""
        return self._files.get(os.path.normpath(path), _File()).synced

    def file(self, path: str) -> _File:
        """Return a file, created if missing."""
        return self._files.setdefault(path, _File())

    async def sync(self) -> None:
        """Wait as long as an fsync takes."""
        await trio.sleep(self._dice.uniform(0, self._slowest))


class DiskJournal:
    """A `Journal` on a `Disk`; writes of a killed process are discarded."""

    def __init__(self, disk: Disk, path: str, alive: Callable[[], bool]) -> None:
        self._disk = disk
        self._alive = alive
        self._length = 0
        self._noted = b""
        self.path: str = path
        self._file = disk.file(path)

    @property
    def length(self) -> int:
        """The number of entries in the journal."""
        return self._length

    async def open(self) -> Collection[Entry]:
        """Lock the journal and read it; see `Journal`."""
        await trio.lowlevel.checkpoint()
        if self._alive():
            if self._file.holder is not None:
                raise JournalLocked(f"the journal {self.path} is in use by another session")
            self._file.holder = self
            self._disk.opened += 1
        entries, self._length, good = parse(self._file.synced, self.path)
        if self._mine():
            self._file.synced = self._file.synced[:good] or line_of(HEAD)
        return entries

    async def append(self, entry: Entry) -> None:
        """Write and sync an entry; see `Journal`."""
        self._write(self._noted + line_of(entry))
        self._noted = b""
        self._length += 1
        await self._synced()

    def note(self, entry: Entry) -> None:
        """Write an entry at a later time; see `Journal`."""
        self._noted += line_of(entry)
        self._length += 1

    async def compact(self, live: Callable[[], Iterable[Entry]]) -> None:
        """Replace all entries; see `Journal`."""
        lines = [line_of(each) for each in live()]
        with trio.CancelScope(shield=True):
            await self._disk.sync()
        if self._mine():
            # As a rename on a real disk: all or nothing. Bytes written meanwhile come after it.
            self._file.synced = line_of(HEAD) + b"".join(lines)
            self._length = len(lines)

    async def close(self) -> None:
        """Write the noted entries and release the file; see `Journal`."""
        self._write(self._noted)
        self._noted = b""
        await self._synced()
        if self._mine():
            self._file.holder = None

    def _mine(self) -> bool:
        return self._file.holder is self and self._alive()

    def _write(self, data: bytes) -> None:
        if self._mine():
            self._file.pending += data

    async def _synced(self) -> None:
        with trio.CancelScope(shield=True):
            await self._disk.sync()
        if self._mine():
            self._file.synced += self._file.pending
            self._file.pending = b""
