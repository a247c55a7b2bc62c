"""The SQLite file of an archive: all of its tables, from the beginning.

The file is derived from the journal alone, so it may be deleted and made again at any time. Amounts are text, so that
nothing is rounded; no column has a type, so that text stays text to the last digit.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from functools import cache
from typing import Final, TypeAlias, cast

from .._values import columns, plain
from ._kinds import Kind, kinds
from ._wire import storable

DATABASE: Final = "archive.sqlite"
SIBLINGS: Final = tuple(f"{DATABASE}{end}" for end in ("-wal", "-shm", "-journal"))

Column: TypeAlias = str | int | None

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE walks (
    walk INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, arguments TEXT NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL, code INTEGER NOT NULL,
    cursor TEXT
);
CREATE TABLE replies (
    reply INTEGER PRIMARY KEY, name TEXT NOT NULL, walk INTEGER, endpoint TEXT NOT NULL, at INTEGER NOT NULL,
    since INTEGER, until INTEGER, page INTEGER, status INTEGER NOT NULL, code INTEGER NOT NULL, state TEXT NOT NULL,
    records INTEGER, total INTEGER, offset INTEGER NOT NULL, length INTEGER NOT NULL, data TEXT
);
CREATE INDEX replies_of ON replies (name);
CREATE TABLE windows (
    walk INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL,
    code INTEGER NOT NULL, total INTEGER, gap_since INTEGER, gap_until INTEGER, gap_reason TEXT, replies TEXT NOT NULL,
    decided INTEGER NOT NULL, PRIMARY KEY (walk, since)
);
CREATE TABLE looks (
    name TEXT PRIMARY KEY, look INTEGER NOT NULL, endpoint TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
    note TEXT NOT NULL, code INTEGER NOT NULL, replies TEXT NOT NULL
);
CREATE TABLE notes (
    name TEXT NOT NULL, what TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, note TEXT NOT NULL,
    resolved INTEGER NOT NULL, noted INTEGER NOT NULL, PRIMARY KEY (name, what, since, until)
);
CREATE TABLE records (
    record INTEGER PRIMARY KEY, walk INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, time INTEGER,
    substance BLOB, digest BLOB NOT NULL, listed INTEGER NOT NULL, told INTEGER NOT NULL, current INTEGER NOT NULL,
    superseded TEXT NOT NULL, odd TEXT NOT NULL, outside INTEGER NOT NULL, reply INTEGER NOT NULL,
    place INTEGER NOT NULL, last_reply INTEGER NOT NULL, content TEXT NOT NULL
);
CREATE UNIQUE INDEX records_by_content ON records (walk, digest, listed);
CREATE INDEX records_by_id ON records (kind, id, substance) WHERE id <> '';
CREATE INDEX records_by_time ON records (kind, time)
"""

_SHARED: Final = (
    "r.record, w.name AS history, r.time AS record_time, r.id AS record_id, r.current, r.superseded, r.listed, "
    "r.told, r.odd"
)


def typed_table(kind: Kind) -> str:
    """The name of the table that holds a kind's columns."""
    return f"columns_of_{kind.table}"


def statements() -> Iterator[str]:
    """Return the statements that create the whole schema."""
    yield from _TABLES.split(";")
    for kind in kinds().values():
        names = columns(kind.record)
        yield f"CREATE TABLE {typed_table(kind)} (record INTEGER PRIMARY KEY, {', '.join(map(quote, names))})"
        listed = ", ".join((_SHARED, *(f"c.{quote(name)}" for name in names)))
        joined = f"{typed_table(kind)} AS c JOIN records AS r ON r.record = c.record JOIN walks AS w ON w.walk = r.walk"
        yield f"CREATE VIEW {kind.table} AS SELECT {listed} FROM {joined}"  # noqa: S608  # names of our own


@cache
def signature() -> tuple[tuple[str, str], ...]:
    """Name and text of everything in the schema, as SQLite keeps it."""
    db = sqlite3.connect(":memory:")
    try:
        create(db)
        return schema_of(db)
    finally:
        db.close()


def create(db: sqlite3.Connection) -> None:
    """Make the schema in an empty file."""
    for statement in statements():
        db.execute(statement)


def schema_of(db: sqlite3.Connection) -> tuple[tuple[str, str], ...]:
    """Name and text of everything in a file's schema; indexes that SQLite makes by itself have none."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
    return tuple((str(name), str(sql)) for name, sql in rows)


def cell(value: object) -> Column:
    """A value as it is stored: numbers that count stay numbers, amounts and words are text, the rest is JSON."""
    found = plain(value)
    if isinstance(found, bool):
        return int(found)
    if isinstance(found, int):
        return found if -(1 << 63) <= found < 1 << 63 else str(found)
    if found is None:
        return None
    if isinstance(found, str):
        return storable(found)
    return json.dumps(cast("object", found), separators=(",", ":"))


def quote(name: str) -> str:
    """A name as SQL wants it."""
    return '"' + name.replace('"', '""') + '"'
