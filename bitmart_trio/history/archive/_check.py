"""Proving an archive offline: everything in it is made again from its replies, and compared.

The journal's lines are read once. Each is checked against the hash of the line before, and applied to new tables in the
same way as the archive's tables were made. Then the two sets of tables are compared row by row, and every decision is
checked against the replies that it rests on. Unreadable data is one more problem, and never ends the search.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from ..._version import __version__
from ...models._model import Model
from ._derive import Deriver, OutOfPlace
from ._entries import FORMAT, Begin, Entry, NotAnEntry, ReplyCame, RunBegan, decode
from ._evidence import Evidence, contradictions, omissions, weigh
from ._folder import ArchiveError, Folder
from ._journal import REPLIES, START, Place, places
from ._reader import Reader
from ._report import read_report, report_files
from ._schema import DATABASE, SIBLINGS, quote, schema_of, signature
from ._wire import NotReadable

_SHOWN: Final = 5
"""The most rows of one table that are named."""
_AT_ONCE: Final = 500
_MOST: Final = 200
"""The most problems that are named; a file of another archive would give one for each line."""

WITHOUT_DIGEST: Final = (
    "without its digest nothing tells an archive whose replies were all written anew, or cut off at their end, and "
    "whose other files were made again from them: keep the digest elsewhere, and give it to verify"
)
"""The changes that an archive alone cannot reveal."""


@attrs.frozen
class Verification(Model):
    """The result of a verification."""

    problems: tuple[str, ...]
    """The problems found; none means that the archive is proven."""
    unproven: tuple[str, ...]
    """The changes that the archive alone cannot reveal."""
    digest: str
    """The hash that stands for all replies and decisions, to be kept elsewhere."""
    replies: int
    windows: int
    records: int
    complete: bool
    """True if everything was answered, or is not offered to this account, and no doubt is left."""

    @property
    def proven(self) -> bool:
        """Return True if no problem was found."""
        return not self.problems


def verify(directory: Path | str, digest: str | None = None) -> Verification:
    """Check an archive against itself, without the network.

    The checks are: the chain of hashes over all lines is intact; tables and reports follow from the replies and
    decisions, value by value; the replies support the decision on each window and look; the windows of each history
    are contiguous from its beginning to its end. The function blocks, and writes nothing.

    Args:
        directory: the directory of the archive.
        digest: the digest that was printed when the archive was made: without it, an archive that was rewritten as a
            whole cannot be distinguished from the original.

    Raises:
        ArchiveError: there is no archive, a run is writing it, or ``digest`` is not a digest.
    """
    wanted = None if digest is None else digest.strip().lower()
    if wanted is not None and not re.fullmatch("[0-9a-f]{64}", wanted):
        raise ArchiveError("a digest is 64 hexadecimal digits")
    with Folder(directory) as folder:
        folder.lock_if_used()
        if all(folder.stat(name) is None for name in (REPLIES, DATABASE)):
            raise ArchiveError(f"there is no archive in {folder.path}")
        return _Verifier(folder, wanted).run()


class _Verifier:
    def __init__(self, folder: Folder, wanted: str | None) -> None:
        self._folder = folder
        self._wanted = wanted
        self._problems: list[str] = []
        self._more = 0
        self._evidence: dict[int, Evidence] = {}
        self._number = 0
        self._digest = START
        self._compared = False
        self._library = ""
        """The version of the last run."""

    def _problem(self, text: str) -> None:
        if len(self._problems) < _MOST:
            self._problems.append(text)
        else:
            self._more += 1

    def run(self) -> Verification:
        # A private file of SQLite's own, deleted when it is closed: memory does not grow with the archive.
        with closing(sqlite3.connect("", isolation_level=None)) as made:
            Deriver.prepare(made)
            made.execute("PRAGMA synchronous=OFF")
            there = self._tables()
            try:
                self._journal(made, there)
            finally:
                if there is not None:
                    there.close()
            reader = Reader(self._folder.path, made)
            for problem in contradictions(reader, self._evidence):
                self._problem(problem)
            if reader.meta.ended and self._library == __version__:
                for problem in omissions(reader):
                    self._problem(problem)
            complete = self._reports(reader)
            if self._wanted is not None and self._wanted != self._digest:
                self._problem(f"the digest is {self._digest}, not the one that was given: these are not those replies")
            windows = sum(len(reader.windows(row.name)) for row in reader.histories())
            records = sum(reader.count(kind, superseded=True) for kind in reader.kinds())
        if self._more:
            self._problems.append(f"... and {self._more} more problems")
        unproven = () if self._wanted is not None else (WITHOUT_DIGEST,)
        return Verification(
            tuple(self._problems), unproven, self._digest, len(self._evidence), windows, records, complete
        )

    # The journal, and the tables as they should be.

    def _journal(self, made: sqlite3.Connection, there: sqlite3.Connection | None) -> None:
        deriver, applied = Deriver(made), None if there is None else self._applied(there)
        try:
            if not self._folder.check(REPLIES):
                self._problem(f"{REPLIES} is missing: the archive is what is in it, and nothing can be proven without")
            for place in places(self._folder):
                if not place.whole:
                    self._problem(
                        f"{place.length} bytes of a line that was broken off are at the end of {REPLIES}: "
                        "the run was interrupted; resume it"
                    )
                    break
                self._line(deriver, place)
                if there is not None and applied == self._number:
                    self._compare(made, there)
        except ArchiveError as error:
            self._problem(str(error))
        if there is None:
            return
        if not self._compared:
            if applied is not None and applied > self._number:
                self._problem(
                    f"{REPLIES} has {self._number} lines, and {DATABASE} was made of {applied}: lines are missing"
                )
            self._compare(made, there)
        elif applied is not None and applied < self._number:
            self._problem(
                f"the last {self._number - applied} lines of {REPLIES} are not in {DATABASE}: the run was interrupted; "
                "resume it, or make the tables again with `bitmart-trio archive rebuild`"
            )

    def _line(self, deriver: Deriver, place: Place) -> None:
        self._number += 1
        number = self._number
        if not place.ours:
            what = (
                "is of format 1, of an earlier version" if place.line.startswith(b'{"reply":') else "is no line of ours"
            )
            self._problem(f"line {number} of {REPLIES} {what}")
            self._digest = place.hash
            return
        if place.number != number:
            self._problem(
                f"line {number} of {REPLIES} bears the number {place.number}: lines are missing, added or moved"
            )
            self._number = place.number
        if place.before != self._digest:
            self._problem(f"line {number} of {REPLIES} does not follow on the line before it: one of them was changed")
        self._digest = place.hash
        try:
            entry = decode(place.line)
            self._apply(deriver, place, entry)
        except NotAnEntry as error:
            self._problem(f"line {number} of {REPLIES} is {error}")
        except sqlite3.OperationalError as error:
            raise ArchiveError(f"there is no room for the tables that are made to compare with: {error}") from error
        except (OutOfPlace, NotReadable, sqlite3.Error, OverflowError) as error:
            self._problem(f"line {number} of {REPLIES} cannot be applied: {error}")

    def _apply(self, deriver: Deriver, place: Place, entry: Entry) -> None:
        if isinstance(entry, Begin) != (place.number == 1):
            self._problem(f"line {place.number} of {REPLIES}: an archive begins with its first line, and only there")
        if isinstance(entry, Begin) and entry.format != FORMAT:
            self._problem(f"{REPLIES} is of format {entry.format[:20]!r}, which this version does not read")
        if isinstance(entry, RunBegan):
            self._library = entry.library
        if isinstance(entry, ReplyCame):
            self._evidence[place.number] = weigh(entry)
        deriver.apply(place, entry)

    # The reports.

    def _reports(self, reader: Reader) -> bool:
        """Compare the reports with what they should be; whether the archive is complete."""
        try:
            report = read_report(reader)
            files = report_files(report)
        except Exception as error:  # noqa: BLE001  # lines may have been changed into anything
            self._problem(f"no report can be made of it ({type(error).__name__}: {error})")
            return False
        for name, wanted in files.items():
            try:
                found = self._folder.read(name)
            except ArchiveError as error:
                self._problem(str(error))
                continue
            if found is None:
                self._problem(f"{name} is missing: resume the archive, or make it with `bitmart-trio archive rebuild`")
            elif found != wanted:
                self._problem(
                    f"{name} is not what the replies say: it was edited, or the run was interrupted; resume it, or "
                    "make it again with `bitmart-trio archive rebuild`"
                )
        return report.complete

    # The tables as they are.

    def _tables(self) -> sqlite3.Connection | None:
        path = self._folder.path / DATABASE
        try:
            for name in SIBLINGS:
                self._folder.check(name)
            if not self._folder.check(DATABASE):
                self._problem(f"{DATABASE} is missing: `bitmart-trio archive rebuild` makes it from the replies")
                return None
        except ArchiveError as error:
            self._problem(str(error))
            return None
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=1)
        try:
            for row in db.execute("PRAGMA integrity_check(5)").fetchall():
                if row[0] != "ok":
                    self._problem(f"{DATABASE} is damaged: {str(row[0])[:200]}")
            found, expected = dict(schema_of(db)), dict(signature())
            for name in sorted(found.keys() | expected.keys()):
                if found.get(name) != expected.get(name):
                    what = (
                        "is missing"
                        if name not in found
                        else "is not of ours"
                        if name not in expected
                        else "was changed"
                    )
                    self._problem(f"{DATABASE}: {name} {what}")
        except (sqlite3.Error, ValueError) as error:
            self._problem(f"{DATABASE} cannot be read: {error}")
            db.close()
            return None
        return db

    def _applied(self, there: sqlite3.Connection) -> int | None:
        """How many lines the tables were made of."""
        try:
            found = there.execute("SELECT value FROM meta WHERE name = 'entries'").fetchone()
            return int(found[0])
        except (sqlite3.Error, TypeError, ValueError):
            return None

    def _compare(self, made: sqlite3.Connection, there: sqlite3.Connection) -> None:
        self._compared = True
        tables = [_table(made, name) for name, sql in signature() if sql.startswith("CREATE TABLE")]
        before = len(self._problems)
        made.text_factory = there.text_factory = _Text
        for table in tables:
            try:
                for problem in _differences(table, made, there):
                    self._problem(f"{DATABASE}: {problem}")
            except (sqlite3.Error, OverflowError, ValueError) as error:
                self._problem(f"{DATABASE}: {table.name} cannot be read: {error}")
        made.text_factory = there.text_factory = str
        if len(self._problems) > before:
            try:
                library = there.execute("SELECT value FROM meta WHERE name = 'library'").fetchone()
            except sqlite3.Error:
                return
            if library is None or library[0] != __version__:
                self._problem(
                    f"{DATABASE} was made by version {str(library and library[0])[:40]}, and this is {__version__}: "
                    "make it again with `bitmart-trio archive rebuild`, and verify that"
                )


class _Text(bytes):
    """A text as it is stored: one that is no UTF-8 is a difference, and nothing to stumble over."""


@attrs.frozen
class _Table:
    name: str
    columns: tuple[str, ...]
    keys: tuple[int, ...]
    """The positions of the columns of the table's key."""
    sql: str
    """The query that reads the whole table, in the order of its key."""


def _table(db: sqlite3.Connection, name: str) -> _Table:
    info = db.execute(f"PRAGMA table_info({quote(name)})").fetchall()
    keys = [str(row[1]) for row in sorted(info, key=lambda row: int(row[5])) if row[5]]
    columns = tuple(str(row[1]) for row in info)
    listed = ", ".join(f"t.{quote(column)}" for column in columns)
    order = ", ".join(f"t.{quote(key)}" for key in keys)
    at = tuple(columns.index(key) for key in keys)
    return _Table(name, columns, at, f"SELECT {listed} FROM {quote(name)} AS t ORDER BY {order}")  # noqa: S608  # own names


def _differences(table: _Table, made: sqlite3.Connection, there: sqlite3.Connection) -> Iterator[str]:
    """What differs in one table: both are read in the order of their keys, side by side."""
    name, columns = table.name, table.columns
    shown = more = 0
    for one, other in _paired(table, _rows(made, table.sql), _rows(there, table.sql)):
        if one is not None and other is not None and _same(one, other):
            continue
        if shown >= _SHOWN:
            more += 1
            continue
        shown += 1
        if other is None:
            assert one is not None
            yield f"a row of {name} is missing ({_shown(one, columns)})"
        elif one is None:
            yield f"a row of {name} is in no reply ({_shown(other, columns)})"
        else:
            wrong = [
                column for column, left, right in zip(columns, one, other, strict=True) if not _same((left,), (right,))
            ]
            yield f"a row of {name} is not what the replies say in {', '.join(wrong)} ({_shown(one, columns)})"
    if more:
        yield f"{more} more rows of {name} differ"


_Row: TypeAlias = tuple[Any, ...]


def _paired(table: _Table, wanted: Iterator[_Row], found: Iterator[_Row]) -> Iterator[tuple[_Row | None, _Row | None]]:
    """The rows of the same key; None for one that has no counterpart."""
    one, other = next(wanted, None), next(found, None)
    while one is not None or other is not None:
        left = None if one is None else [_ranked(one[place]) for place in table.keys]
        right = None if other is None else [_ranked(other[place]) for place in table.keys]
        if left is None or (right is not None and right < left):
            yield None, other
            other = next(found, None)
        elif right is None or left < right:
            yield one, None
            one = next(wanted, None)
        else:
            yield one, other
            one, other = next(wanted, None), next(found, None)


def _ranked(value: Any) -> tuple[int, Any]:  # noqa: ANN401  # whatever a column holds
    """Orders values as SQLite does: nothing, numbers, texts, bytes."""
    if value is None:
        return 0, 0
    if isinstance(value, int | float):
        return 1, value
    return (2, value) if isinstance(value, _Text) else (3, value)


def _rows(db: sqlite3.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    cursor = db.execute(sql)
    while rows := cursor.fetchmany(_AT_ONCE):
        yield from rows


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return one == other and all(type(left) is type(right) for left, right in zip(one, other, strict=True))


def _shown(row: tuple[Any, ...], columns: tuple[str, ...]) -> str:
    def text(value: object) -> str:
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    return ", ".join(f"{column} {text(value)[:60]}" for column, value in zip(columns[:3], row[:3], strict=True))
