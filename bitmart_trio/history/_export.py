"""Write a history to a CSV, JSON lines or Parquet file, exact to the last digit, and resumable.

    await export(
        lambda cursor: spot_klines(client, "BTC_USDT", step=60, since=since, cursor=cursor), SpotKline, "btc.csv"
    )

Beside the file, ``<file>.cursor`` records how far the file is complete. Rows written after that point are cut off when
the export is resumed, so that none is duplicated. Parquet cannot be appended to: rows are collected in ``<file>.rows``
first, and the file is made at the end of the history.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Generic, Literal, TypeAlias, TypeVar, cast

import attrs

from .._scopes import protected
from ..models._model import Model
from ..text import csv_line
from ._files import ExportError, open_again, open_new, replacing
from ._parquet import Decimals, check, load, write_lines
from ._plan import HistoryGap
from ._threads import Runner, Thread
from ._values import columns, plain
from ._walk import Cursor, Walker, Window

T = TypeVar("T")

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
FORMATS: Final[tuple[Format, ...]] = ("csv", "jsonl", "parquet")


@attrs.frozen
class Exported(Model):
    """The result of an export."""

    path: Path
    """The file."""
    records: int
    """The number of its records, including those of earlier runs."""
    since: int
    """The beginning of its range, in milliseconds."""
    until: int
    """The end of its range; the next run can continue from here."""
    gaps: tuple[HistoryGap, ...]
    """The gaps that this run found: records that the exchange does not list."""
    begins: int | None
    """The time of its first record, in milliseconds; None for an empty file."""


def format_of(path: Path) -> Format:
    """Return the format that a file name asks for.

    Raises:
        ExportError: the file name has another ending.
    """
    for known in FORMATS:
        if path.suffix == f".{known}":
            return known
    raise ExportError(f"{path.name}: the file name must end in .csv, .jsonl or .parquet")


@protected
async def export(
    walk: Callable[[Cursor | None], Walker[T]],
    kind: type[T],
    path: Path | str,
    *,
    resume: bool = False,
    progress: Callable[[int, float], None] | None = None,
    run: Runner | None = None,
    decimals: Decimals = "exact",
) -> Exported:
    """Write a history to a file, window by window.

    Each window is on the disk before the next is requested. After a cancellation or a kill the file holds the beginning
    of the history, and ``resume=True`` continues it. Amounts are written with every digit, times as the exchange gives
    them, in Parquet as timestamps in UTC.

    Args:
        walk: makes the walker, from the beginning (None) or from a cursor.
        kind: the class of its records, whose fields are the columns.
        path: ends in .csv, .jsonl or .parquet (which needs the ``parquet`` extra).
        resume: continue the file of an earlier run, or begin one. A finished CSV or JSON lines file is extended if the
            walker's range is longer now.
        progress: is called with the number of records and the fraction of the range that is done.
        run: runs blocking code; a worker thread if left out.
        decimals: the type of a Parquet file's amounts: ``"exact"`` decimals, or the nearest floats (``"float"``), which
            every program reads. In other formats amounts are text with every digit.

    Raises:
        ExportError: the file exists and ``resume`` is not given, or it cannot be continued; pyarrow is missing; floats
            are asked for in another format.
        ApiError, TransportError: as for any call; resume to continue.
    """
    runner = run or Thread()
    file = await runner(lambda: _File(Path(path), kind, resume=resume, decimals=decimals))
    try:
        walker = walk(file.cursor)
        tell = progress or _nobody
        async for window in walker.windows():
            await runner(partial(_add, file, window))
            tell(file.records, walker.fraction)
        await runner(file.finish)
    finally:
        # Closing a file neither waits nor fails in a way that matters: each window was flushed.
        file.close()
    return Exported(Path(path), file.records, walker.since, walker.position, walker.gaps, walker.begins)


def _add(file: _File[T], window: Window[T]) -> None:
    file.add(window.records, window.cursor)


def _nobody(records: int, fraction: float) -> None:
    """Ignore the progress."""


class _File(Generic[T]):
    """The open file or, for Parquet, the file of its rows."""

    def __init__(self, path: Path, kind: type[T], *, resume: bool, decimals: Decimals) -> None:
        self._path = path
        self._kind = kind
        self._format = format_of(path)
        self._names = columns(kind)
        self._decimals: Decimals = decimals
        check(decimals, parquet=self._format == "parquet")
        if self._format == "parquet":
            load()  # fails now, not after an hour of reading
        self._rows = path.with_name(f"{path.name}.rows") if self._format == "parquet" else path
        self._note = path.with_name(f"{path.name}.cursor")
        nothing: tuple[int | None, int, Cursor | None] = (None, 0, None)
        size, self.records, self.cursor = self._read_note() if self._note.exists() else nothing
        if self.cursor is not None and not resume:
            raise ExportError(f"{path} exists already; resume it, or choose another file")
        if size is None:
            if os.path.lexists(path) or os.path.lexists(self._rows):
                what = "there is no cursor beside it to resume from" if resume else "choose another file"
                raise ExportError(f"{path} exists already; {what}")
            # The note is written before the file: then the file's content is ours, and the next run cuts it off.
            self._write_note(0)
        self._file: BinaryIO = open_again(self._rows) if os.path.lexists(self._rows) else open_new(self._rows)
        if self._file.seek(0, os.SEEK_END) < (size or 0):
            self._file.close()
            raise ExportError(f"{self._rows} is shorter than its cursor says")
        self._file.truncate(size or 0)
        self._file.seek(size or 0)
        if not size and self._format == "csv":
            self._file.write(_csv([self._names]))

    def _read_note(self) -> tuple[int, int, Cursor | None]:
        """Return the complete length of the file, its number of records, and the cursor."""
        try:
            found: object = json.loads(self._note.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ExportError(f"{self._note} is not a cursor of this library; choose another file") from error
        note = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        size, records, cursor, done = (note.get(name) for name in ("size", "records", "cursor", "done"))
        counts = isinstance(size, int) and isinstance(records, int) and min(size, records) >= 0
        if not counts or not isinstance(cursor, dict | None) or not isinstance(done, bool):
            raise ExportError(f"{self._note} is not a cursor of this library; choose another file")
        if note.get("columns") != list(self._names):
            raise ExportError(f"{self._path} has other columns than {self._kind.__name__}")
        if done and self._format == "parquet":
            raise ExportError(f"{self._path} is finished, and Parquet cannot be extended; choose another file")
        return cast("int", size), cast("int", records), cast("Cursor | None", cursor)

    def add(self, records: Sequence[T], cursor: Cursor) -> None:
        """Write one window, then record it as complete."""
        if self._format == "csv":
            rows = [[_text(getattr(record, name)) for name in self._names] for record in records]
            self._file.write(_csv(rows))
        else:
            for record in records:
                row = {name: plain(getattr(record, name)) for name in self._names}
                self._file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.records += len(records)
        self.cursor = cursor
        self._write_note(self._file.tell())

    def _write_note(self, size: int, *, done: bool = False) -> None:
        note = {
            "size": size,
            "records": self.records,
            "columns": self._names,
            "cursor": self.cursor,
            "done": done,
        }
        with replacing(self._note) as file:
            file.write(json.dumps(note).encode())

    def finish(self) -> None:
        """Finish the file at the end of the history."""
        self._file.flush()
        if self._format == "parquet":
            write_lines(self._rows, self._path, self._kind, self._decimals)
        self._write_note(self._file.tell(), done=True)
        self.close()
        if self._format == "parquet":
            self._rows.unlink()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _text(value: object) -> str:
    shown = plain(value)
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    return str(shown) if isinstance(shown, str | int) else json.dumps(shown, separators=(",", ":"))


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Return lines of CSV. No text in them ends a line or is a formula, so each line has one end."""
    return "".join(csv_line(row).removesuffix("\r\n") + "\n" for row in rows).encode()
