"""Proving an archive offline: every reply is as it came, every record is in a reply, and no window is missing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

import attrs

from ..._core import reply as replies
from ...errors import BitMartError
from .._plan import Stamped, kept
from .._values import columns, plain
from .._walk import moment
from ._store import REPLIES, Reader, ReplyRow, WalkRow, WindowRow, cell
from ._tasks import find_endpoint, find_walk

_SHOWN = 3


@attrs.frozen
class Verification:
    """What came out."""

    problems: tuple[str, ...]
    """What is wrong; none means that the archive is proven."""
    replies: int
    windows: int
    records: int
    complete: bool
    """Whether every history is at its end, or was refused."""

    @property
    def proven(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(directory: Path | str) -> Verification:
    """Check an archive against itself, without the network.

    Hashes of all replies; that records and windows in SQLite are what the kept replies say, each value of each record;
    that the windows of each history follow on each other from its beginning to its end. It blocks.

    Raises:
        ArchiveError: there is no archive.
    """
    reader = Reader(Path(directory))
    try:
        return _Verifier(reader).run()
    finally:
        reader.close()


class _Verifier:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._problems: list[str] = []
        self._spoilt: set[int] = set()
        self._windows = self._records = 0

    def run(self) -> Verification:
        reader = self._reader
        self._problems += reader.check()
        rows = reader.replies()
        walks = reader.walks()
        try:
            file = (reader.directory / REPLIES).open("rb")
        except OSError as error:
            self._problems.append(f"{REPLIES} cannot be read: {error}")
        else:
            with file:
                self._places(file, rows)
                for walk in walks:
                    self._walk(file, walk)
                self._snapshots(file, rows)
        ended = reader.meta().get("ended") == "yes"
        complete = ended and all(walk.state in ("done", "refused") for walk in walks)
        return Verification(tuple(self._problems), len(rows), self._windows, self._records, complete)

    def _places(self, file: BinaryIO, rows: list[ReplyRow]) -> None:
        """The lines follow on each other from the first byte to the last, each as it was written."""
        end = 0
        for row in rows:
            if row.offset != end:
                self._problems.append(f"reply {row.reply} is at byte {row.offset}, not at {end}")
            end = row.offset + row.length
            if (wrong := _wrong(file, row)) is not None:
                self._spoilt.add(row.reply)
                self._problems.append(f"reply {row.reply} {wrong}")
        size = file.seek(0, 2)
        if size > end:
            self._problems.append(
                f"{size - end} bytes behind the last committed reply: the archive was cut off, resume it"
            )
        elif size < end:
            self._problems.append(f"{REPLIES} is {end - size} bytes short")

    def _body(self, file: BinaryIO, row: ReplyRow) -> tuple[int, bytes] | None:
        """Status and exact body of a reply; None when it is not what was committed, which has been said."""
        return None if row.reply in self._spoilt else _read(file, row)

    # Histories.

    def _walk(self, file: BinaryIO, walk: WalkRow) -> None:
        windows = self._reader.windows(walk.walk)
        self._tiles(walk, windows)
        by_window: dict[int, list[ReplyRow]] = {}
        for reply in self._reader.replies(walk.walk):
            by_window.setdefault(reply.window_since or 0, []).append(reply)
        for window in windows:
            self._window(file, walk, window, by_window.pop(window.since, []))
        for since, orphans in by_window.items():
            self._problems.append(
                f"{walk.name}: {len(orphans)} replies of a window at {moment(since)} that is not there"
            )
        total = sum(window.records for window in windows)
        if self._reader.count(walk) != total:
            self._problems.append(f"{walk.name}: {self._reader.count(walk)} records, its windows have {total}")
        self._windows += len(windows)
        self._records += total

    def _tiles(self, walk: WalkRow, windows: list[WindowRow]) -> None:
        """From the beginning of the range to where the walk stands, without hole or overlap."""
        at = walk.since
        for window in windows:
            if window.since != at:
                self._problems.append(f"{walk.name}: a window begins at {moment(window.since)}, not at {moment(at)}")
            at = window.until
        cursor = walk.cursor or {}
        stands = cursor.get("at", walk.since)
        if at != stands:
            self._problems.append(f"{walk.name}: the windows end at {moment(at)}, the cursor stands elsewhere")
        if walk.state == "done":
            # Days that are not over are left to the next archive, so an end may lie before the range's.
            end = cursor.get("until", walk.until)
            if at != end and windows:
                self._problems.append(f"{walk.name}: it is called done and stands at {moment(at)}")

    def _window(self, file: BinaryIO, walk: WalkRow, window: WindowRow, rows: list[ReplyRow]) -> None:
        table = find_walk(walk.endpoint)
        used: list[Stamped[object]] = []
        others: list[Stamped[object]] = []
        for row in rows:
            read = self._body(file, row)
            if read is None:
                return
            try:
                (used if row.used else others).extend(
                    table.stamped(replies.parse(table.endpoint, read[0], {}, read[1]).data)
                )
            except BitMartError as error:
                self._problems.append(f"{walk.name}: reply {row.reply} cannot be decoded: {error}")
                return
        bounds = (window.since, window.until), (walk.since, walk.until)
        wanted = kept(table.rules, used, *bounds)
        # A window with a gap may have records that only a reply which was cut has told.
        known = {row.key for row in (*wanted, *(kept(table.rules, others, *bounds) if window.gap else ()))}
        there = {str(each["record_key"]): each for each in self._reader.records(walk, window.since)}
        where = f"{walk.name}, window at {moment(window.since)}"
        if len(there) != window.records:
            self._problems.append(f"{where}: {len(there)} records, {window.records} were committed")
        if missing := [row.key for row in wanted if row.key not in there]:
            self._problems.append(f"{where}: {len(missing)} records of the replies are missing ({_some(missing)})")
        if foreign := sorted(set(there) - known):
            self._problems.append(f"{where}: {len(foreign)} records are in no reply ({_some(foreign)})")
        for each in wanted:
            found = there.get(each.key)
            if found is not None and (wrong := _differences(each.time, each.record, found)):
                self._problems.append(f"{where}: record {each.key} differs from its reply in {', '.join(wrong)}")

    # The present.

    def _snapshots(self, file: BinaryIO, rows: list[ReplyRow]) -> None:
        by_name: dict[str, list[ReplyRow]] = {}
        for row in rows:
            if row.snapshot is not None:
                by_name.setdefault(row.snapshot, []).append(row)
        pages: dict[str, list[tuple[str, object]]] = {}
        for look in self._reader.snapshots():
            if look.state == "done":
                pages.setdefault(look.name, []).append((look.endpoint, look.value))
        for name, values in pages.items():
            for row, (endpoint, value) in zip(by_name.get(name, []), values, strict=False):
                read = self._body(file, row)
                if read is not None:
                    data = replies.parse(find_endpoint(endpoint), read[0], {}, read[1]).data
                    if json.loads(json.dumps(plain(data))) != value:
                        self._problems.append(f"{name}: the snapshot differs from its reply")
            if len(by_name.get(name, [])) < len(values):
                self._problems.append(f"{name}: a reply is missing")


def _read(file: BinaryIO, row: ReplyRow) -> tuple[int, bytes]:
    """Status and exact body of a reply.

    Raises:
        ValueError, KeyError: the line is not one of ours.
    """
    file.seek(row.offset)
    told = cast("dict[str, object]", json.loads(file.read(row.length)))
    text = told.get("body")
    body = text.encode() if isinstance(text, str) else base64.b64decode(str(told["body_base64"]), validate=True)
    if told["reply"] != row.reply or hashlib.sha256(body).hexdigest() != told["sha256"]:
        raise ValueError("its body is not what its hash says")
    return int(str(told["status"])), body


def _wrong(file: BinaryIO, row: ReplyRow) -> str | None:
    """What is wrong with a line; None for nothing."""
    file.seek(row.offset)
    if hashlib.sha256(file.read(row.length)).hexdigest() != row.sha256:
        return "has been changed"
    try:
        _read(file, row)
    except (ValueError, KeyError) as error:
        return f"cannot be read: {error}"
    return None


def _differences(time: int, record: object, found: Mapping[str, object]) -> list[str]:
    def each() -> Iterator[str]:
        if found["record_time"] != time:
            yield "record_time"
        for name in columns(type(record)):
            if name not in found or found[name] != cell(getattr(record, name)):
                yield name

    return list(each())


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")
