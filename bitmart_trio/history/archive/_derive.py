"""From the journal's entries to the tables, one after the other: the one way in which tables are made.

The running archive, ``rebuild`` and ``verify`` all use this module, so they make the same tables of a journal. Applying
an entry reads only the entry and the tables.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ..._version import __version__
from .._values import columns
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
    State,
    WindowDecided,
)
from ._journal import START, Place
from ._kinds import Kind, find_endpoint, kinds, typed
from ._schema import cell, create, quote, typed_table
from ._wire import NotReadable, Wire, answer, canonical, loads, storable

_LATER: Final = "a later content of the same id"
_ELSEWHERE: Final = "the same in another history"
_BATCH: Final = 200


class OutOfPlace(ValueError):
    """An entry is about something that the journal did not begin."""


class Deriver:
    """Writes tables from entries.

    Args:
        db: an open file with the schema, in autocommit mode.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @staticmethod
    def prepare(db: sqlite3.Connection) -> None:
        """Make the schema in an empty file."""
        db.execute("BEGIN")
        create(db)
        _set(db, library=__version__, entries="0", digest=START, offset="0", runs="0", ended="no")
        db.execute("COMMIT")

    def check(self, entry: Entry) -> None:
        """Refuse an entry that cannot be applied.

        Raises:
            OutOfPlace: the entry is about a history that was not begun or is unknown, or a window that ends before it
                begins.
        """
        if isinstance(entry, WindowDecided | HistoryEnded):
            self._walk(entry.of)
        if isinstance(entry, HistoryPlanned) and entry.endpoint not in kinds():
            raise OutOfPlace(f"this version knows no history of {entry.endpoint[:80]!r}")
        if isinstance(entry, LookTaken):
            try:
                find_endpoint(entry.endpoint)
            except NotReadable as error:
                raise OutOfPlace(str(error)) from error
        if isinstance(entry, WindowDecided) and entry.until < entry.since:
            raise OutOfPlace(f"{entry.of[:80]}: a window ends before it begins")

    def apply_all(self, found: Iterable[tuple[Place, Entry]]) -> None:
        """Apply many entries, some hundreds in one transaction.

        Raises:
            OutOfPlace: an entry cannot be applied.
        """
        batch: list[tuple[Place, Entry]] = []
        for each in found:
            batch.append(each)
            if len(batch) >= _BATCH:
                self._commit(batch)
                batch = []
        if batch:
            self._commit(batch)

    def apply(self, place: Place, entry: Entry) -> None:
        """Apply one entry, all or nothing."""
        self._commit([(place, entry)])

    def _commit(self, batch: list[tuple[Place, Entry]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for place, entry in batch:
                self._apply(place, entry)
            last = batch[-1][0]
            _set(self._db, entries=str(last.number), digest=last.hash, offset=str(last.offset + last.length))
        except BaseException:
            if self._db.in_transaction:  # a full disk ends the transaction
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _apply(self, place: Place, entry: Entry) -> None:
        self.check(entry)
        match entry:
            case ReplyCame():
                self._reply(place, entry)
            case WindowDecided():
                self._window(place.number, entry)
            case LookTaken():
                self._look(place.number, entry)
            case Noted():
                self._db.execute(
                    "INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        storable(entry.of), storable(entry.what), entry.since, entry.until, storable(entry.text),
                        int(entry.resolved), place.number,
                    ),
                )  # fmt: skip
            case HistoryPlanned():
                self._db.execute(
                    "INSERT OR IGNORE INTO walks VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, NULL)",
                    (
                        place.number, storable(entry.name), storable(entry.endpoint),
                        json.dumps(entry.arguments, sort_keys=True), entry.since, entry.until, State.RUNNING,
                    ),
                )  # fmt: skip
            case HistoryEnded():
                self._db.execute(
                    "UPDATE walks SET state = ?, note = ?, code = ? WHERE walk = ?",
                    (entry.state, storable(entry.reason), entry.code, self._walk(entry.of)),
                )
            case Begin():
                _set(
                    self._db,
                    format=entry.format,
                    account=storable(entry.account),
                    since=str(entry.since),
                    until=str(entry.until),
                )
            case RunBegan():
                runs = self._db.execute("SELECT value FROM meta WHERE name = 'runs'").fetchone()
                _set(self._db, runs=str(int(runs[0]) + 1), ended="no")
            case RunEnded():
                _set(self._db, ended="yes")

    def _walk(self, name: str) -> int:
        row = self._db.execute("SELECT walk FROM walks WHERE name = ?", (storable(name),)).fetchone()
        if row is None:
            raise OutOfPlace(f"there is no history {name[:80]!r}")
        return int(row[0])

    # Replies and records.

    def _reply(self, place: Place, entry: ReplyCame) -> None:
        row = self._db.execute("SELECT walk FROM walks WHERE name = ?", (storable(entry.of),)).fetchone()
        walk = None if row is None else int(row[0])
        kind = None if walk is None else kinds().get(entry.endpoint)
        state, code, total = "answered", 0, None
        data: str | None = None
        found: list[tuple[Wire, str]] | None = None
        try:
            reply = answer(find_endpoint(entry.endpoint), entry.status, entry.body)
            code = reply.code
            if reply.empty:
                state, found = "empty", []
            elif not reply.good:
                state = "refused"
            elif kind is not None:
                if reply.missing:
                    raise NotReadable("there is no data in it")
                total = kind.said_total(reply.data)
                found = [(record, canonical(record)) for record in kind.records(reply.data)]
            else:
                data = canonical(reply.data)
        except NotReadable:
            state, found = "unreadable", None
        asked = entry.asked
        self._db.execute(
            "INSERT INTO replies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                place.number, storable(entry.of), walk, storable(entry.endpoint), entry.at,
                None if asked is None else asked.since, None if asked is None else asked.until,
                None if asked is None else asked.page, entry.status, code, state,
                None if found is None else len(found), total, place.offset, place.length, data,
            ),
        )  # fmt: skip
        if walk is not None and kind is not None and found:
            self._records(place.number, walk, kind, entry, found)

    def _records(self, reply: int, walk: int, kind: Kind, entry: ReplyCame, found: list[tuple[Wire, str]]) -> None:
        db, seen, touched = self._db, Counter[bytes](), dict[tuple[str, bytes | None], None]()
        names = columns(kind.record)
        insert = (
            f"INSERT INTO {typed_table(kind)} (record, {', '.join(map(quote, names))}) "  # noqa: S608  # names of our own
            f"VALUES (?{', ?' * len(names)})"
        )
        for position, (record, content) in enumerate(found):
            digest = _digest(content)
            seen[digest] += 1
            known = db.execute(
                "UPDATE records SET told = told + 1, last_reply = ? WHERE walk = ? AND digest = ? AND listed = ? "
                "RETURNING id, substance",
                (reply, walk, digest, seen[digest]),
            ).fetchall()
            if known:
                if known[0][0]:
                    touched[known[0][0], known[0][1]] = None
                continue
            read = typed(kind, record)
            time, id_, substance = kind.time_of(record), storable(kind.id_of(record)), _substance(kind, record)
            odd = read.odd
            if time is None and kind.time is not None and kind.time not in odd:
                odd = f"{odd}; {kind.time} is no time".removeprefix("; ")
            number = db.execute(
                "INSERT INTO records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, 1, 1, '', ?, ?, ?, ?, ?, ?)",
                (
                    walk, kind.name, id_, time, substance, digest, seen[digest], storable(odd),
                    int(_is_outside(entry, time)), reply, position, reply, content,
                ),
            ).lastrowid  # fmt: skip
            db.execute(insert, (number, *(cell(read.values[name]) for name in names)))
            if id_:
                touched[id_, substance] = None
        for id_, substance in touched:
            self._settle(kind, walk if kind.apart else None, id_, substance)

    def _settle(self, kind: Kind, only: int | None, id_: str, substance: bytes | None) -> None:
        """Decide which contents of an id count: the latest, and every one that tells of something else.

        Args:
            kind: the kind of the records.
            only: the history to which the decision is limited; None for all.
            id_: the id of the records.
            substance: the substance of the changed contents; None when an amount is missing in them.
        """
        if (
            substance is not None
            and self._db.execute(
                "SELECT 1 FROM records WHERE kind = ? AND id = ? AND id <> '' AND substance IS NULL LIMIT 1",
                (kind.name, id_),
            ).fetchone()
        ):
            substance = None  # a content without an amount may be a state of any of these records
        group = self._db.execute(
            "SELECT record, walk, last_reply, content, current, superseded FROM records WHERE kind = ? AND id = ? "
            "AND id <> '' AND (? IS NULL OR substance = ?) AND (? IS NULL OR walk = ?) ORDER BY record",
            (kind.name, id_, substance, substance, only, only),
        ).fetchall()
        if len(group) == 1:
            return
        first: dict[str, int] = {}
        latest: dict[str, int] = {}
        for _, walk, last_reply, content, _, _ in group:
            first.setdefault(content, walk)
            latest[content] = max(latest.get(content, 0), last_reply)
        values = {content: loads(content.encode("ascii")) for content in first}
        for record, walk, _, content, current, why in group:
            reason = ""
            if walk != first[content]:
                reason = _ELSEWHERE
            elif any(
                latest[content] < latest[other] and kind.is_same(values[content], values[other]) for other in values
            ):
                reason = _LATER
            if (current, why) != (int(not reason), reason):
                self._db.execute(
                    "UPDATE records SET current = ?, superseded = ? WHERE record = ?", (int(not reason), reason, record)
                )

    # Decisions.

    def _window(self, number: int, entry: WindowDecided) -> None:
        walk, gap = self._walk(entry.of), entry.gap
        covered = self._db.execute(
            "SELECT * FROM windows WHERE walk = ? AND since < ? AND until > ?", (walk, entry.until, entry.since)
        ).fetchall()
        self._db.execute(
            "DELETE FROM windows WHERE walk = ? AND ((since < ? AND until > ?) OR since = until)",
            (walk, entry.until, entry.since),
        )
        for row in covered:
            # The parts of older windows outside the new one keep their decisions.
            for since, until in ((row[1], entry.since), (entry.until, row[2])):
                if since < until:
                    self._insert_window((row[0], since, until, *row[3:]))
        self._insert_window(
            (
                walk, entry.since, entry.until, entry.state, storable(entry.reason), entry.code, entry.total,
                None if gap is None else gap.since, None if gap is None else gap.until,
                None if gap is None else storable(gap.reason), json.dumps(entry.replies), number,
            )
        )  # fmt: skip
        if entry.cursor is not None:
            self._db.execute("UPDATE walks SET cursor = ? WHERE walk = ?", (json.dumps(entry.cursor), walk))

    def _insert_window(self, row: tuple[object, ...]) -> None:
        self._db.execute("INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _look(self, number: int, entry: LookTaken) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                storable(entry.name), number, storable(entry.endpoint), json.dumps(entry.arguments, sort_keys=True),
                entry.state, storable(entry.reason), entry.code, json.dumps(entry.replies),
            ),
        )  # fmt: skip


def _set(db: sqlite3.Connection, **facts: str) -> None:
    db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))


def _substance(kind: Kind, record: Wire) -> bytes | None:
    text = kind.substance_of(record)
    return None if text is None else _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()[:16]


def _is_outside(entry: ReplyCame, time: int | None) -> bool:
    return time is not None and entry.asked is not None and not entry.asked.since <= time <= entry.asked.until
