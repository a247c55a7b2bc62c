"""Reading an archive: its histories, windows and looks, and the records that came of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self, cast

import attrs

from ...models._model import Model
from .._plan import HistoryGap
from .._values import columns
from ._entries import FORMAT, State
from ._folder import ArchiveError, Folder
from ._kinds import Kind, kinds
from ._schema import DATABASE, SIBLINGS, Column, quote, typed_table
from ._wire import Wire, loads

_ROWS: Final = 500


@attrs.frozen
class Meta(Model):
    """The facts about a whole archive."""

    format: str
    library: str
    """The version of the library that made the tables."""
    account: str
    """The account's id; blank if the exchange did not report it."""
    since: int
    """The beginning of its range, in milliseconds."""
    until: int
    digest: str
    """The hash of the journal's last line: it stands for all of them."""
    entries: int
    """The number of lines in the journal."""
    runs: int
    ended: bool
    """True if the last run ended by itself; an interrupted run may not have begun some histories."""


@attrs.frozen
class HistoryRow(Model):
    """One history of an archive."""

    history: int
    name: str
    """The endpoint and its arguments."""
    endpoint: str
    """The endpoint's name, such as ``spot.trading.trades``."""
    arguments: Mapping[str, object]
    since: int
    until: int
    state: State
    reason: str
    """Why the history is not answered."""
    code: int
    """The code of the exchange's refusal; 0 for none."""
    requests: int
    """The number of replies."""
    records: int
    """The number of listed contents, including superseded ones."""
    position: int
    """The end of its last window."""
    cursor: Mapping[str, object] | None


@attrs.frozen
class WindowRow(Model):
    """One window of a history."""

    since: int
    until: int
    state: State
    reason: str
    code: int
    total: int | None
    """The number of records that the exchange reports."""
    gap: HistoryGap | None
    replies: tuple[int, ...]
    """The numbers of the replies on which the decision rests."""


@attrs.frozen
class LookRow(Model):
    """One look at the account's present."""

    name: str
    endpoint: str
    arguments: Mapping[str, object]
    state: State
    reason: str
    code: int
    replies: tuple[int, ...]


@attrs.frozen
class NoteRow(Model):
    """Something suspect, or what became of it."""

    of: str
    what: str
    text: str
    since: int
    until: int
    resolved: bool


@attrs.frozen
class Record(Model):
    """One content that the exchange listed."""

    number: int
    history: str
    """The name of its history."""
    kind: str
    """The endpoint's name."""
    id: str
    """The record's id; blank for none."""
    time: int | None
    """The record's time in milliseconds; None if it has none."""
    listed: int
    """1 for the first copy in a reply, 2 and more for further copies of the same content."""
    told: int
    """The number of replies that hold it."""
    current: bool
    """True if it is the present content."""
    superseded: str
    """Why it is not the present content."""
    odd: str
    """The part of it that could not be read."""
    outside: bool
    """True if its time lies outside of the request."""
    reply: int
    """The number of the reply that listed it first."""
    place: int
    """Its position in that reply, from 0."""
    content: str
    """The whole record as it was listed, as JSON."""
    values: Mapping[str, Column]
    """The values that the model reads in it; None for absent ones."""


@contextmanager
def sql_errors(path: Path) -> Generator[None]:
    """Turn what SQLite refuses into one line that says what to do.

    Raises:
        ArchiveError: in place of any `sqlite3.Error`.
    """
    try:
        yield
    except (sqlite3.Error, OverflowError) as error:
        text = str(error)
        if "locked" in text:
            advice = "another program holds it; close that program and try again"
        elif "full" in text:
            advice = "the disk is full; make room, then go on with --resume"
        elif "disk I/O" in text:
            advice = f"the disk does not take or give it ({text}), perhaps it is full; then go on with --resume"
        elif "readonly" in text or "unable to open" in text:
            advice = f"it cannot be opened or written ({text}); nothing was lost, go on with --resume where it can be"
        else:
            advice = f"{text}; `bitmart-trio archive rebuild` makes it again from the replies"
        raise ArchiveError(f"cannot use {path}: {advice}") from error


class Reader:
    """An archive for reading, also while it is written.

    Args:
        directory: the directory of the archive.

    Raises:
        ArchiveError: there is no archive, or it cannot be read.
    """

    def __init__(self, directory: Path | str, db: sqlite3.Connection | None = None) -> None:
        self.directory: Path = Path(directory)
        self._path = self.directory / DATABASE
        self._own = db is None
        self._db = self._open() if db is None else db

    def _open(self) -> sqlite3.Connection:
        with Folder(self.directory) as folder:
            there = folder.check(DATABASE)
            for name in SIBLINGS:
                folder.check(name)
        if not there:
            raise ArchiveError(f"there is no archive in {self.directory}")
        with sql_errors(self._path):
            db = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            try:
                found = db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
            except BaseException:
                db.close()
                raise
        if found is None or found[0] != FORMAT:
            db.close()
            raise ArchiveError(f"{self._path} is of another format, which this version does not read")
        return db

    def close(self) -> None:
        """Close and release the file."""
        if self._own:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        with sql_errors(self._path):
            return self._db.execute(sql, arguments).fetchall()

    def _stream(self, sql: str, *arguments: object) -> Iterator[tuple[Any, ...]]:
        with sql_errors(self._path):
            cursor = self._db.execute(sql, arguments)
        while True:
            with sql_errors(self._path):
                rows = cursor.fetchmany(_ROWS)
            if not rows:
                return
            yield from rows

    # The whole.

    @property
    def meta(self) -> Meta:
        """Return the facts about the whole archive."""
        found = {str(name): str(value) for name, value in self._rows("SELECT name, value FROM meta")}
        return Meta(
            found.get("format", ""),
            found.get("library", ""),
            found.get("account", ""),
            int(found.get("since", "0")),
            int(found.get("until", "0")),
            found.get("digest", ""),
            int(found.get("entries", "0")),
            int(found.get("runs", "0")),
            found.get("ended") == "yes",
        )

    @property
    def digest(self) -> str:
        """The hash that stands for everything: to be kept elsewhere, and given to `verify`."""
        return self.meta.digest

    # What was asked.

    def histories(self, name: str | None = None) -> list[HistoryRow]:
        """All histories, or those of one name, in the order in which they were begun."""
        rows = self._rows(
            "SELECT walk, name, endpoint, arguments, since, until, state, note, code, cursor, "
            "(SELECT count(*) FROM replies WHERE replies.name = walks.name), "
            "(SELECT count(*) FROM records WHERE records.walk = walks.walk), "
            "(SELECT max(until) FROM windows WHERE windows.walk = walks.walk) "
            "FROM walks WHERE ? IS NULL OR name = ? ORDER BY walk",
            name,
            name,
        )
        return [
            HistoryRow(
                row[0], row[1], row[2], json.loads(row[3]), row[4], row[5], State(row[6]), row[7], row[8], row[10],
                row[11], row[4] if row[12] is None else row[12], None if row[9] is None else json.loads(row[9]),
            )
            for row in rows
        ]  # fmt: skip

    def windows(self, history: str) -> list[WindowRow]:
        """The windows of a history as they were last decided, oldest first; none overlaps another."""
        rows = self._rows(
            "SELECT o.since, o.until, o.state, o.note, o.code, o.total, gap_since, gap_until, gap_reason, replies "
            "FROM windows AS o JOIN walks USING (walk) WHERE name = ? ORDER BY o.since",
            history,
        )
        return [
            WindowRow(
                row[0], row[1], State(row[2]), row[3], row[4], row[5],
                None if row[8] is None else HistoryGap(row[6], row[7], row[8]), tuple(json.loads(row[9])),
            )
            for row in rows
        ]  # fmt: skip

    def looks(self) -> list[LookRow]:
        """The looks at the account's present, the latest of each name, in the order in which they were taken."""
        rows = self._rows("SELECT name, endpoint, arguments, state, note, code, replies FROM looks ORDER BY look")
        return [
            LookRow(row[0], row[1], json.loads(row[2]), State(row[3]), row[4], row[5], tuple(json.loads(row[6])))
            for row in rows
        ]

    def look(self, name: str) -> list[Wire]:
        """Return the payload of each page of a look; none if it was not answered."""
        found = self._rows("SELECT state, replies FROM looks WHERE name = ?", name)
        if not found or found[0][0] != State.ANSWERED:
            return []
        pages: list[Wire] = []
        for reply in cast("Sequence[int]", json.loads(found[0][1])):
            rows = self._rows("SELECT data FROM replies WHERE reply = ?", reply)
            if rows and rows[0][0] is not None:
                pages.append(loads(str(rows[0][0]).encode()))
        return pages

    def notes(self, of: str | None = None) -> list[NoteRow]:
        """Return the suspicions, in the order in which they were noted."""
        rows = self._rows(
            "SELECT name, what, note, since, until, resolved FROM notes WHERE ? IS NULL OR name = ? ORDER BY noted",
            of,
            of,
        )
        return [NoteRow(row[0], row[1], row[2], row[3], row[4], bool(row[5])) for row in rows]

    # What came.

    def kinds(self) -> list[str]:
        """The endpoints that have records, by name."""
        return [str(row[0]) for row in self._rows("SELECT DISTINCT kind FROM records ORDER BY kind")]

    def records(self, kind: str, *, history: str | None = None, superseded: bool = False) -> Iterator[Record]:
        """The records of a kind, oldest first; those without a time come before all others.

        Args:
            kind: the endpoint's name.
            history: the name of the only history to include; None for all.
            superseded: True to include superseded records, too.
        """
        row = _kind(kind)
        names = columns(row.record)
        where = "r.kind = ?" + ("" if superseded else " AND r.current")
        arguments: list[object] = [kind]
        if history is not None:
            where += " AND w.name = ?"
            arguments.append(history)
        found = self._stream(
            "SELECT r.record, w.name, r.kind, r.id, r.time, r.listed, r.told, r.current, r.superseded, r.odd, "  # noqa: S608  # names of our own
            f"r.outside, r.reply, r.place, r.content, {', '.join(f'c.{quote(name)}' for name in names)} "
            f"FROM records AS r JOIN {typed_table(row)} AS c ON c.record = r.record JOIN walks AS w ON w.walk = r.walk "
            f"WHERE {where} ORDER BY r.time, r.record",
            *arguments,
        )
        for each in found:
            values = dict(zip(names, each[14:], strict=True))
            yield Record(
                each[0], each[1], each[2], each[3], each[4], each[5], each[6], bool(each[7]), each[8], each[9],
                bool(each[10]), each[11], each[12], each[13], values,
            )  # fmt: skip

    def count(self, kind: str, *, history: str | None = None, superseded: bool = False) -> int:
        """Return the number of records of a kind; the arguments are those of `records`."""
        return int(
            self._rows(
                "SELECT count(*) FROM records JOIN walks USING (walk) "
                "WHERE kind = ? AND (? IS NULL OR name = ?) AND (? OR current)",
                kind, history, history, superseded,
            )[0][0]
        )  # fmt: skip

    def months(self) -> dict[str, int]:
        """Return the number of present records per month, such as ``2025-03``, in UTC."""
        rows = self._rows(
            "SELECT strftime('%Y-%m', time / 1000, 'unixepoch') AS month, count(*) FROM records "
            "WHERE current AND time BETWEEN 1 AND 253402300799999 GROUP BY month ORDER BY month"
        )
        return {str(month): int(count) for month, count in rows}

    def active(self) -> list[int]:
        """When the account's first record, the one in the middle and the last one happened, in milliseconds."""
        count, first, last = self._rows(f"SELECT count(*), min(time), max(time) {_DATED}")[0]
        if not count:
            return []
        middle = self._rows(f"SELECT time {_DATED} ORDER BY time LIMIT 1 OFFSET ?", count // 2)[0][0]
        return sorted({int(first), int(middle), int(last)})

    def distinct(self, kind: str, column: str, **equal: str) -> set[str]:
        """The different values of one of a kind's columns, perhaps only where others have a value; blanks left out."""
        row = _kind(kind)
        for name in (column, *equal):
            if name not in columns(row.record):
                raise ValueError(f"{kind} has no column {name!r}")
        where = "".join(f" AND {quote(name)} = ?" for name in equal)
        rows = self._rows(
            f"SELECT DISTINCT {quote(column)} FROM {typed_table(row)} "  # noqa: S608  # names of our own
            f"WHERE {quote(column)} IS NOT NULL AND {quote(column)} <> ''{where}",
            *equal.values(),
        )
        return {str(each[0]) for each in rows}

    def oldest(self, history: str) -> int | None:
        """When the oldest record of a history happened, in milliseconds; None when there is none with a time."""
        found = self._rows("SELECT min(time) FROM records JOIN walks USING (walk) WHERE name = ?", history)[0][0]
        return None if found is None else int(found)


_DATED: Final = "FROM records WHERE current AND time > 0 AND kind NOT LIKE '%.market.%'"


def _kind(name: str) -> Kind:
    try:
        return kinds()[name]
    except KeyError:
        raise ValueError(f"there is no history of {name!r}") from None
