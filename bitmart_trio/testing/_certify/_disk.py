"""A disk in memory for journals: what was fsynced survives a kill, what was not may be there, in part, or not at all.

A file journal works in a thread, which virtual time does not wait for. Here an fsync takes a drawn virtual time and no
thread, and the bytes are those of `FileJournal`, read by the same code: so half a line at the end is read as it is on a
real disk.
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
    """One file."""

    synced: bytes = b""
    """Safe."""
    pending: bytes = b""
    """Written, and not safe yet."""
    holder: DiskJournal | None = None
    """Who has it locked."""


class Disk:
    """The files of one day.

    Args:
        dice: decides how long an fsync takes, and what a kill leaves of what was not safe yet.
        slowest: seconds that an fsync takes at most.
    """

    def __init__(self, dice: random.Random, *, slowest: float = 0.005) -> None:
        self._dice = dice
        self._slowest = slowest
        self._files: dict[str, _File] = {}
        self.opened: int = 0
        """How many journals were ever opened."""
        self.torn: int = 0
        """How many kills left half a line."""

    def mount(self, alive: Callable[[], bool]) -> Callable[[str | os.PathLike[str]], Journal]:
        """What one process sees of it: opens a path for as long as that process lives."""

        def journal(path: str | os.PathLike[str]) -> Journal:
            return DiskJournal(self, os.path.normpath(os.fspath(path)), alive)

        return journal

    def crash(self) -> None:
        """The process that holds the files is killed: its locks are gone, and what was not safe yet is up to chance."""
        for file in self._files.values():
            file.holder = None
            if file.pending:
                kept = self._dice.randint(0, len(file.pending))
                survived, file.pending = file.pending[:kept], b""
                file.synced += survived
                self.torn += not file.synced.endswith(b"\n")

    def content(self, path: str) -> bytes:
        """The bytes of a file as they would be after a kill that takes all that it may."""
        return self._files.get(os.path.normpath(path), _File()).synced

    def file(self, path: str) -> _File:
        """A file, made if there is none."""
        return self._files.setdefault(path, _File())

    async def sync(self) -> None:
        """Wait as long as an fsync takes."""
        await trio.sleep(self._dice.uniform(0, self._slowest))


class DiskJournal:
    """A `Journal` on a `Disk`; what a killed process still wants to write goes nowhere."""

    def __init__(self, disk: Disk, path: str, alive: Callable[[], bool]) -> None:
        self._disk = disk
        self._alive = alive
        self._length = 0
        self._noted = b""
        self.path: str = path
        self._file = disk.file(path)

    @property
    def length(self) -> int:
        """How many entries there are."""
        return self._length

    async def open(self) -> Collection[Entry]:
        """Take it for writing; see `Journal`."""
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
        """Write an entry; see `Journal`."""
        self._write(self._noted + line_of(entry))
        self._noted = b""
        self._length += 1
        await self._synced()

    def note(self, entry: Entry) -> None:
        """Write an entry some time; see `Journal`."""
        self._noted += line_of(entry)
        self._length += 1

    async def compact(self, live: Callable[[], Iterable[Entry]]) -> None:
        """Replace everything; see `Journal`."""
        lines = [line_of(each) for each in live()]
        with trio.CancelScope(shield=True):
            await self._disk.sync()
        if self._mine():
            # Renamed into place: whole or not at all. What was handed in meanwhile stands behind it.
            self._file.synced = line_of(HEAD) + b"".join(lines)
            self._length = len(lines)

    async def close(self) -> None:
        """Write what was noted, and let go of it; see `Journal`."""
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
