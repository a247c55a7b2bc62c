"""A history in a file: CSV, JSON lines or Parquet, exact to the last digit, and gone on with after an interruption.

    await export(
        lambda cursor: spot_klines(client, "BTC_USDT", step=60, since=since, cursor=cursor), SpotKline, "btc.csv"
    )

Beside the file, ``<file>.cursor`` says how far it is whole. Rows that were written after that are cut off when the
export is resumed, so that none is twice there. Parquet cannot be appended to: rows are gathered in ``<file>.rows``
first, and the file is made when the history is at its end.
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
    """What has been written."""

    path: Path
    """The file."""
    records: int
    """How many it has, those of earlier runs included."""
    since: int
    """Where its range begins, in milliseconds."""
    until: int
    """Where it ends; the next run can go on from here."""
    gaps: tuple[HistoryGap, ...]
    """What this run has passed that the exchange does not list."""
    begins: int | None
    """When its first record was, in milliseconds; None for an empty file."""


def format_of(path: Path) -> Format:
    """The format that a file's name asks for.

    Raises:
        ExportError: it ends otherwise.
    """
    for known in FORMATS:
        if path.suffix == f".{known}":
            return known
    raise ExportError(f"{path.name}: name a file that ends in .csv, .jsonl or .parquet")


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

    Each window is on the disk before the next is asked for. Cancelled or killed, the file has a beginning of the
    history, and ``resume=True`` goes on with it. Amounts are written digit for digit, times as the exchange gives them,
    in Parquet as timestamps in UTC.

    Args:
        walk: makes the walker, from its beginning (None) or from a cursor.
        kind: the class of its records; it gives the columns.
        path: ends in .csv, .jsonl or .parquet (which needs the ``parquet`` extra).
        resume: go on with the file of an earlier run, or begin one. A finished CSV or JSON lines file is extended when
            the walker's range is longer now.
        progress: is given the number of records and how much of the range is done, from 0 to 1.
        run: runs what blocks; a worker thread if left out.
        decimals: the amounts of a Parquet file: ``"exact"`` decimals, or the nearest floats (``"float"``), which every
            program reads. In the other formats they are text with every digit.

    Raises:
        ExportError: the file is there already and ``resume`` is not given, or it cannot be gone on with; pyarrow is
            missing; floats are asked for in another format.
        ApiError, TransportError: as of any call; resume to go on.
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
        # Closing a file neither waits nor fails in a way that matters: each window has been flushed.
        file.close()
    return Exported(Path(path), file.records, walker.since, walker.position, walker.gaps, walker.begins)


def _add(file: _File[T], window: Window[T]) -> None:
    file.add(window.records, window.cursor)


def _nobody(records: int, fraction: float) -> None:
    """Nobody wants to know."""


class _File(Generic[T]):
    """The file, or for Parquet the rows that it will be made of."""

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
            raise ExportError(f"{path} is there already; resume it, or choose another file")
        if size is None:
            if os.path.lexists(path) or os.path.lexists(self._rows):
                what = "there is no cursor beside it to go on from" if resume else "choose another file"
                raise ExportError(f"{path} is there already; {what}")
            # Before the file itself: whatever is in it is ours then, and cut off by the next run.
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
        """Up to where the file is whole, how many records that is, and where to go on."""
        try:
            found: object = json.loads(self._note.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ExportError(f"{self._note} is not a cursor of ours") from error
        told = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        size, records, cursor, done = (told.get(name) for name in ("size", "records", "cursor", "done"))
        counts = isinstance(size, int) and isinstance(records, int) and min(size, records) >= 0
        if not counts or not isinstance(cursor, dict | None) or not isinstance(done, bool):
            raise ExportError(f"{self._note} is not a cursor of ours")
        if told.get("columns") != list(self._names):
            raise ExportError(f"{self._path} has other columns than {self._kind.__name__}")
        if done and self._format == "parquet":
            raise ExportError(f"{self._path} is finished, and Parquet cannot be extended; choose another file")
        return cast("int", size), cast("int", records), cast("Cursor | None", cursor)

    def add(self, records: Sequence[T], cursor: Cursor) -> None:
        """Write one window, then say that it is whole."""
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
        """The history is at its end."""
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
    told = plain(value)
    if told is None:
        return ""
    if isinstance(told, bool):
        return "true" if told else "false"
    return str(told) if isinstance(told, str | int) else json.dumps(told, separators=(",", ":"))


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Lines of CSV. No text in them ends a line or is a formula, so each line has one end, and files keep theirs."""
    return "".join(csv_line(row).removesuffix("\r\n") + "\n" for row in rows).encode()
