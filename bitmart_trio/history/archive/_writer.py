"""An archive that is open for writing: journal first, tables second.

Every entry is on the disk before it is applied to SQLite. Entries that a killed process left unapplied are applied when
the archive is opened again; a SQLite file that is missing, damaged, or of another version is made again from the
journal.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ..._version import __version__
from .._values import Plain
from ._derive import Deriver, OutOfPlace
from ._entries import (
    Begin,
    Entry,
    HistoryEnded,
    HistoryPlanned,
    LookTaken,
    Noted,
    ReplyCame,
    RunBegan,
    RunEnded,
    WindowDecided,
)
from ._folder import ArchiveError, Folder
from ._journal import REPLIES, Journal, entries
from ._reader import HistoryRow, Reader, sql_errors
from ._report import ArchiveReport, write_reports
from ._schema import DATABASE, SIBLINGS, schema_of, signature


class Store:
    """An archive that is open for writing. One process has it at a time; everything here blocks.

    Args:
        directory: the directory; created if it is missing.
        resume: continue an archive; otherwise there must be none.
        anew: make the tables again from the journal.

    Attributes:
        folder: the folder of the archive and its reports.
        notices: the changes made on opening, for the user.

    Raises:
        ArchiveError: there is already an archive, another process is writing it, it has been changed, or the disk
            cannot be used.
    """

    def __init__(self, directory: Path | str, *, resume: bool, anew: bool = False) -> None:
        self.folder: Folder = Folder(directory, create=not anew)
        self._db: sqlite3.Connection | None = None
        self._journal: Journal | None = None
        self._failed: ArchiveError | None = None
        self.directory: Path = self.folder.path
        self.notices: tuple[str, ...] = self.folder.notices
        try:
            self.folder.lock()
            self._look_around(resume=resume, anew=anew)
            self._journal = Journal(self.folder)
            self._begun = self._first()
            self._open_tables(anew=anew)
        except BaseException:
            self.close()
            raise

    def _look_around(self, *, resume: bool, anew: bool) -> None:
        folder = self.folder
        journal = folder.stat(REPLIES) if folder.check(REPLIES) else None
        tables = folder.check(DATABASE)
        for name in SIBLINGS:
            folder.check(name)
        if anew and journal is None:
            raise ArchiveError(f"there is no {REPLIES} in {folder.path} to make anything of")
        if tables and journal is None:
            raise ArchiveError(f"{folder.path / DATABASE} is there, but no {REPLIES}: this is not an archive of ours")
        if journal is not None and journal.st_size and not resume:
            raise ArchiveError(f"there is an archive in {folder.path} already; resume it, or choose another folder")

    def _first(self) -> Begin | None:
        for _, entry in entries(self.folder):
            return entry if isinstance(entry, Begin) else None
        return None

    # The tables.

    def _open_tables(self, *, anew: bool) -> None:
        there = self.folder.check(DATABASE)
        self.folder.protect(DATABASE)
        if anew or not there:
            self._make_tables()
        else:
            reason = self._use_tables()
            if reason is not None:
                self._make_tables()
                self.notices = (*self.notices, f"{DATABASE} was made again from {REPLIES}: {reason}")
        assert self._db is not None
        number, digest, offset = self._applied(self._db)
        with sql_errors(self.directory / DATABASE):
            try:
                Deriver(self._db).apply_all(entries(self.folder, number, digest, offset))
            except OutOfPlace as error:
                raise ArchiveError(f"{self.directory / REPLIES} has been changed: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        db = self._db = sqlite3.connect(
            self.directory / DATABASE, check_same_thread=False, isolation_level=None, timeout=1
        )
        # A power cut can undo the last commits; their entries are then applied again.
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
        return db

    def _use_tables(self) -> str | None:
        """Open the tables that are there; why they do not serve, or None."""
        try:
            db = self._connect()
            if schema_of(db) != signature():
                return "its tables are not those of this version"
            library = db.execute("SELECT value FROM meta WHERE name = 'library'").fetchone()
            if library is None or library[0] != __version__:
                return "it was made by another version"
            number, digest, offset = self._applied(db)
        except (sqlite3.Error, TypeError, ValueError) as error:
            if "locked" in str(error) or "readonly" in str(error) or "full" in str(error):
                with sql_errors(self.directory / DATABASE):
                    raise
            return f"it cannot be read ({error})"
        try:
            # The line after the last applied line contains the hash of that line.
            following = next(entries(self.folder, number, digest, offset), None)
        except ArchiveError:
            return "it is not of these replies"
        assert self._journal is not None
        if following is None and (number, digest, offset) != (
            self._journal.number,
            self._journal.digest,
            self._journal.size,
        ):
            return "it is not of these replies"
        return None

    @staticmethod
    def _applied(db: sqlite3.Connection) -> tuple[int, str, int]:
        """Number, hash and end of the last line that was applied."""
        found = dict(db.execute("SELECT name, value FROM meta WHERE name IN ('entries', 'digest', 'offset')"))
        return int(found["entries"]), str(found["digest"]), int(found["offset"])

    def _make_tables(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        for name in (DATABASE, *SIBLINGS):
            self.folder.remove(name)
        os.close(self.folder.open(DATABASE, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        with sql_errors(self.directory / DATABASE):
            Deriver.prepare(self._connect())

    def close(self) -> None:
        """Release the files; what was written is safe."""
        if self._journal is not None:
            self._journal.close()
        if self._db is not None:
            # Leave one plain file, which can be read where nothing can be written. If the disk prevents that, the next
            # process to open the archive does it.
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.close()
            self._db = None
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What is there.

    @property
    def digest(self) -> str:
        """The hash that stands for everything that was written so far."""
        assert self._journal is not None
        return self._journal.digest

    @property
    def begun(self) -> Begin | None:
        """Whose archive it is, and of which time; None for one that was not begun yet."""
        return self._begun

    def reader(self) -> Reader:
        """The same archive for reading."""
        assert self._db is not None
        return Reader(self.directory, self._db)

    # What is added.

    def begin(self, account: str, since: int, until: int) -> Begin:
        """Fix account and range, or give those that were fixed when it was begun."""
        if self._begun is None:
            begin = Begin(account, since, until, __version__)
            self._add(begin)
            self._begun = begin
        return self._begun

    def run_began(self, at: int) -> None:
        """A run begins, at a moment in milliseconds."""
        self._add(RunBegan(at, __version__))

    def run_ended(self, at: int) -> None:
        """A run has asked everything."""
        self._add(RunEnded(at))

    def plan_history(
        self, name: str, endpoint: str, arguments: Mapping[str, Plain], since: int, until: int
    ) -> HistoryRow:
        """The row of a history, made when it is not there yet."""
        known = self.reader().histories(name)
        if not known:
            self._add(HistoryPlanned(name, endpoint, arguments, since, until))
            known = self.reader().histories(name)
        return known[0]

    def reply(self, entry: ReplyCame) -> int:
        """Keep a reply, and derive its records; its number."""
        return self._add(entry)

    def decide(self, entry: WindowDecided) -> None:
        """Write down what came of a window."""
        self._add(entry)

    def look(self, entry: LookTaken) -> None:
        """Write down what came of a look."""
        self._add(entry)

    def note(self, entry: Noted) -> None:
        """Write down something suspect, or what became of it."""
        self._add(entry)

    def end_history(self, entry: HistoryEnded) -> None:
        """Write down how a history ended."""
        self._add(entry)

    def _add(self, entry: Entry) -> int:
        """Journal an entry, then apply it.

        Raises:
            ArchiveError: the entry cannot be written. Once the tables lag behind the journal nothing more is added:
                opening the archive again applies the missing entries.
        """
        assert self._journal is not None
        assert self._db is not None
        if self._failed is not None:
            raise self._failed
        deriver = Deriver(self._db)
        with sql_errors(self.directory / DATABASE):
            deriver.check(entry)
        place = self._journal.append(entry)
        try:
            with sql_errors(self.directory / DATABASE):
                deriver.apply(place, entry)
        except ArchiveError as error:
            self._failed = error
            raise
        return place.number


def is_archive(directory: Path | str) -> bool:
    """Return True if there is an archive, or the beginning of one."""
    return (Path(directory) / REPLIES).exists()


def rebuild(directory: Path | str) -> ArchiveReport:
    """Make tables and reports of an archive again from its replies, without the network. It blocks.

    Raises:
        ArchiveError: there is no archive, it is being written, it has been changed, or the disk cannot be used.
    """
    with Store(directory, resume=True, anew=True) as store:
        return write_reports(store.folder, store.reader())
