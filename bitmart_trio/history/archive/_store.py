"""Where an archive lives: one SQLite file and one file of replies, committed together, page after page.

``replies.jsonl`` has every reply as it came, one a line. ``archive.sqlite`` has the records, and of each line its place
and its hash. A commit appends the lines first, makes them durable, and then writes everything that belongs to them in
one transaction: records, window, cursor. Whenever the process dies, the lines beyond the last transaction are cut off
when the archive is opened again, and the walk goes on from the cursor: nothing is lost and nothing is twice there.

Everything here blocks; the archive calls it in a worker thread.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

import attrs

from .._plan import HistoryGap
from .._values import Plain, columns, plain
from ._folder import ArchiveError

DATABASE: Final = "archive.sqlite"
REPLIES: Final = "replies.jsonl"
FORMAT: Final = "1"

Column: TypeAlias = str | int | None

_SCHEMA: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE walks (
    walk INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, arguments TEXT NOT NULL,
    "table" TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL,
    cursor TEXT
);
CREATE TABLE windows (
    walk INTEGER NOT NULL REFERENCES walks, since INTEGER NOT NULL, until INTEGER NOT NULL, records INTEGER NOT NULL,
    gap_since INTEGER, gap_until INTEGER, gap_reason TEXT, PRIMARY KEY (walk, since, until)
);
CREATE TABLE replies (
    reply INTEGER PRIMARY KEY, walk INTEGER REFERENCES walks, snapshot TEXT, window_since INTEGER,
    used INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, sha256 TEXT NOT NULL
);
CREATE TABLE snapshots (
    name TEXT NOT NULL, page INTEGER NOT NULL, endpoint TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
    note TEXT NOT NULL, value TEXT, PRIMARY KEY (name, page)
);
"""


@attrs.frozen
class WalkRow:
    """One history of an archive."""

    walk: int
    name: str
    """The endpoint and its arguments."""
    endpoint: str
    """The endpoint's name, such as ``spot.trading.trades``."""
    arguments: Mapping[str, object]
    table: str
    """Where its records are."""
    since: int
    until: int
    state: str
    """``running``, ``done``, ``refused`` or ``failed``."""
    note: str
    """Why it was refused or failed."""
    cursor: Mapping[str, object] | None


@attrs.frozen
class WindowRow:
    """One window of a history that was read whole, or as whole as it is told."""

    since: int
    until: int
    records: int
    gap: HistoryGap | None


@attrs.frozen
class ReplyRow:
    """Where a reply is."""

    reply: int
    walk: int | None
    snapshot: str | None
    window_since: int | None
    used: bool
    offset: int
    length: int
    sha256: str


@attrs.frozen
class SnapshotRow:
    """One page of the account's present."""

    name: str
    page: int
    endpoint: str
    arguments: Mapping[str, object]
    state: str
    note: str
    value: object


@attrs.frozen
class Line:
    """A reply to be kept."""

    endpoint: str
    arguments: Mapping[str, Plain]
    status: int
    trace: str | None
    body: bytes
    used: bool = True

    def encoded(self, number: int, name: str) -> bytes:
        """As it is written."""
        try:
            body: dict[str, str] = {"body": self.body.decode()}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode()}
        row = {
            "reply": number,
            "of": name,
            "endpoint": self.endpoint,
            "arguments": self.arguments,
            "status": self.status,
            "trace": self.trace,
            "used": self.used,
            "sha256": hashlib.sha256(self.body).hexdigest(),
            **body,
        }
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@attrs.frozen
class WindowCommit:
    """All that one window brings."""

    since: int
    until: int
    records: Sequence[object]
    stamps: Sequence[tuple[int, str]]
    gap: HistoryGap | None
    lines: Sequence[Line]
    cursor: Mapping[str, object]


class Store:
    """An archive that is open for writing. One process has it at a time.

    Args:
        directory: made when it is not there.
        resume: go on with an archive; else there must be none.

    Raises:
        ArchiveError: there is an archive already, or none, or another process is writing it.
    """

    def __init__(self, directory: Path, *, resume: bool) -> None:
        database, replies = directory / DATABASE, directory / REPLIES
        if database.exists() and not resume:
            raise ArchiveError(f"there is an archive in {directory} already; resume it, or choose another directory")
        if not database.exists() and replies.exists():
            raise ArchiveError(f"{replies} is there, but no {DATABASE}: this is not an archive of ours")
        directory.mkdir(parents=True, exist_ok=True)
        self.directory: Path = directory
        self._db = sqlite3.connect(database, check_same_thread=False, isolation_level=None, timeout=1)
        self._file: BinaryIO | None = None
        try:
            # Whoever has it keeps it: two writers would each cut off the other's lines.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            # The lines are made durable before each commit, so a commit that a power cut takes back is only read again.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("BEGIN EXCLUSIVE")
            if not self._db.execute("SELECT name FROM sqlite_master WHERE name = 'meta'").fetchone():
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
            self._db.execute("COMMIT")
            if self.meta("format") != FORMAT:
                raise ArchiveError(f"{database} was written by another version of this library")
            self._file = replies.open("r+b" if replies.exists() else "x+b")
            if self._file.seek(0, os.SEEK_END) < self._end():
                raise ArchiveError(f"{replies} is shorter than {DATABASE} says")
            self._file.truncate(self._end())
        except sqlite3.DatabaseError as error:
            self.close()
            if "locked" in str(error):
                raise ArchiveError(f"another process is writing {database}") from error
            raise ArchiveError(f"{database} cannot be used: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the files; what was committed is safe."""
        if self._file is not None:
            self._file.close()
            # One plain file, which can be read from where nothing can be written.
            self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.close()

    # What is there.

    def meta(self, name: str) -> str | None:
        """A fact about the whole archive."""
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, **facts: str) -> None:
        """Write such facts down."""
        with self._transaction():
            for name, value in facts.items():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def reader(self) -> Reader:
        """The same archive for reading."""
        return Reader(self.directory, self._db)

    # What is added.

    def begin_walk(
        self, name: str, endpoint: str, arguments: Mapping[str, Plain], table: str, since: int, until: int
    ) -> WalkRow:
        """The row of a history, made when it is not there yet."""
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO walks VALUES (NULL, ?, ?, ?, ?, ?, ?, 'running', '', NULL)",
                (name, endpoint, json.dumps(arguments), table, since, until),
            )
        return next(row for row in self.reader().walks() if row.name == name)

    def end_walk(self, walk: int, state: str, note: str = "") -> None:
        """Say how a history ended."""
        with self._transaction():
            self._db.execute("UPDATE walks SET state = ?, note = ? WHERE walk = ?", (state, note, walk))

    def add_window(self, row: WalkRow, window: WindowCommit) -> None:
        """Commit one window: its replies, records and cursor, all or nothing."""
        with self._appending(row.name, window.lines) as places:
            gap = window.gap
            self._db.execute(
                "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    row.walk,
                    window.since,
                    window.until,
                    len(window.records),
                    None if gap is None else gap.since,
                    None if gap is None else gap.until,
                    None if gap is None else gap.reason,
                ),
            )
            for line, (number, offset, length, digest) in zip(window.lines, places, strict=True):
                self._db.execute(
                    "INSERT INTO replies VALUES (?, ?, NULL, ?, ?, ?, ?, ?)",
                    (number, row.walk, window.since, int(line.used), offset, length, digest),
                )
            self._insert(row, window)
            self._db.execute("UPDATE walks SET cursor = ? WHERE walk = ?", (json.dumps(window.cursor), row.walk))

    def add_snapshot(
        self, name: str, endpoint: str, pages: Sequence[tuple[Mapping[str, Plain], object, Line]], note: str = ""
    ) -> None:
        """Commit a snapshot: its pages, or why there are none."""
        with self._appending(name, [line for _, _, line in pages]) as places:
            self._db.execute("DELETE FROM snapshots WHERE name = ?", (name,))
            if not pages:
                self._db.execute(
                    "INSERT INTO snapshots VALUES (?, 1, ?, '{}', 'refused', ?, NULL)", (name, endpoint, note)
                )
            for page, (arguments, value, _) in enumerate(pages, 1):
                self._db.execute(
                    "INSERT INTO snapshots VALUES (?, ?, ?, ?, 'done', ?, ?)",
                    (name, page, endpoint, json.dumps(arguments), note, json.dumps(plain(value))),
                )
            for number, offset, length, digest in places:
                self._db.execute(
                    "INSERT INTO replies VALUES (?, NULL, ?, NULL, 1, ?, ?, ?)", (number, name, offset, length, digest)
                )

    # Inside.

    def _end(self) -> int:
        row = self._db.execute("SELECT max(offset + length) FROM replies").fetchone()
        return int(row[0] or 0)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _appending(self, name: str, lines: Sequence[Line]) -> Generator[list[tuple[int, int, int, str]]]:
        """Append lines, make them durable, and open the transaction that makes them count."""
        assert self._file is not None
        end = self._end()
        # What a commit that failed has left behind is cut off first.
        self._file.truncate(end)
        self._file.seek(end)
        first = int(self._db.execute("SELECT coalesce(max(reply), 0) FROM replies").fetchone()[0]) + 1
        places: list[tuple[int, int, int, str]] = []
        for number, line in enumerate(lines, first):
            data = line.encoded(number, name)
            places.append((number, end, len(data), hashlib.sha256(data).hexdigest()))
            self._file.write(data)
            end += len(data)
        self._file.flush()
        os.fsync(self._file.fileno())
        with self._transaction():
            yield places

    def _insert(self, row: WalkRow, window: WindowCommit) -> None:
        if not window.records:
            return
        names = columns(type(window.records[0]))
        self._prepare(row.table, names)
        marks = ", ".join("?" * (len(names) + 4))
        quoted = ", ".join(quote(name) for name in ("walk_id", "record_key", "record_time", "window_since", *names))
        self._db.executemany(
            f"INSERT INTO {quote(row.table)} ({quoted}) VALUES ({marks})",  # noqa: S608  # quoted names of our own
            [
                (row.walk, key, time, window.since, *(cell(getattr(record, name)) for name in names))
                for record, (time, key) in zip(window.records, window.stamps, strict=True)
            ],
        )

    def _prepare(self, table: str, names: Sequence[str]) -> None:
        """Have a table with these columns; none has a type, so that text stays text to the last digit."""
        wanted = ", ".join(quote(name) for name in names)
        self._db.execute(
            f"CREATE TABLE IF NOT EXISTS {quote(table)} (walk_id INTEGER NOT NULL REFERENCES walks, "
            "record_key TEXT NOT NULL, record_time INTEGER NOT NULL, window_since INTEGER NOT NULL, "
            f"{wanted}, PRIMARY KEY (walk_id, record_key))"
        )
        there = {str(each[1]) for each in self._db.execute(f"PRAGMA table_info({quote(table)})")}
        for name in names:
            if name not in there:  # a later version of this library knows more of the record
                self._db.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {quote(name)}")


class Reader:
    """An archive for reading."""

    def __init__(self, directory: Path, db: sqlite3.Connection | None = None) -> None:
        self.directory: Path = directory
        if db is None:
            path = directory / DATABASE
            if not path.exists():
                raise ArchiveError(f"there is no archive in {directory}")
            db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        self._db = db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def meta(self) -> dict[str, str]:
        """All facts about the archive."""
        return {str(name): str(value) for name, value in self._db.execute("SELECT name, value FROM meta")}

    def walks(self) -> list[WalkRow]:
        """All histories, in the order in which they were begun."""
        rows = self._db.execute(
            'SELECT walk, name, endpoint, arguments, "table", since, until, state, note, cursor '
            "FROM walks ORDER BY walk"
        )
        return [
            WalkRow(
                row[0], row[1], row[2], json.loads(row[3]), row[4], row[5], row[6], row[7], row[8],
                None if row[9] is None else json.loads(row[9]),
            )
            for row in rows
        ]  # fmt: skip

    def windows(self, walk: int) -> list[WindowRow]:
        """The windows of a history, oldest first."""
        rows = self._db.execute(
            "SELECT since, until, records, gap_since, gap_until, gap_reason FROM windows "
            "WHERE walk = ? ORDER BY since, until",
            (walk,),
        )
        return [
            WindowRow(row[0], row[1], row[2], None if row[5] is None else HistoryGap(row[3], row[4], row[5]))
            for row in rows
        ]

    def replies(self, walk: int | None = None) -> list[ReplyRow]:
        """Where the replies of a history, or all, are."""
        where = "" if walk is None else "WHERE walk = ?"
        rows = self._db.execute(
            "SELECT reply, walk, snapshot, window_since, used, offset, length, sha256 "  # noqa: S608  # a constant
            f"FROM replies {where} ORDER BY reply",
            () if walk is None else (walk,),
        )
        return [ReplyRow(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6], row[7]) for row in rows]

    def snapshots(self) -> list[SnapshotRow]:
        """The account's present, as it was."""
        rows = self._db.execute(
            "SELECT name, page, endpoint, arguments, state, note, value FROM snapshots ORDER BY rowid"
        )
        return [
            SnapshotRow(
                row[0],
                row[1],
                row[2],
                json.loads(row[3]),
                row[4],
                row[5],
                None if row[6] is None else json.loads(row[6]),
            )
            for row in rows
        ]

    def records(self, row: WalkRow, window_since: int | None = None) -> list[dict[str, Column]]:
        """The records of a history, or of one window of it, oldest first, with ``record_key`` and ``record_time``."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (row.table,)).fetchone():
            return []
        where = "1" if window_since is None else "window_since = ?"
        found = self._db.execute(
            f"SELECT * FROM {quote(row.table)} WHERE walk_id = ? AND {where} "  # noqa: S608  # a name of our own
            "ORDER BY record_time, length(record_key), record_key",
            (row.walk,) if window_since is None else (row.walk, window_since),
        )
        names = [str(each[0]) for each in found.description]
        return [dict(zip(names, each, strict=True)) for each in found]

    def count(self, row: WalkRow) -> int:
        """How many records a history has."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (row.table,)).fetchone():
            return 0
        found = self._db.execute(
            f"SELECT count(*) FROM {quote(row.table)} WHERE walk_id = ?",  # noqa: S608  # a quoted name of our own
            (row.walk,),
        )
        return int(found.fetchone()[0])

    def distinct(self, table: str, column: str, *, order_mode: str | None = None) -> set[str]:
        """The different values of a column, perhaps of one order mode only; none when there is no such table."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
            return set()
        where = "1" if order_mode is None else "order_mode = ?"
        rows = self._db.execute(
            f"SELECT DISTINCT {quote(column)} FROM {quote(table)} "  # noqa: S608  # quoted names of our own
            f"WHERE {quote(column)} IS NOT NULL AND {where}",
            () if order_mode is None else (order_mode,),
        )
        return {str(row[0]) for row in rows}

    def check(self) -> list[str]:
        """What SQLite itself finds wrong with its file."""
        return [str(row[0]) for row in self._db.execute("PRAGMA integrity_check") if row[0] != "ok"]


def cell(value: object) -> Column:
    """A field as it is stored: numbers that count stay numbers, amounts and words are text, the rest is JSON."""
    told = plain(value)
    if isinstance(told, bool):
        return int(told)
    if told is None or isinstance(told, str | int):
        return told
    return json.dumps(cast("object", told), separators=(",", ":"))


def quote(name: str) -> str:
    """A name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'
