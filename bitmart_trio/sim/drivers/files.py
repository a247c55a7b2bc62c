"""Read files of market data as lines and rows: plain, gzipped or zipped text, and Parquet; never as a whole.

The kind of a file is detected from its first bytes, not from its name.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

from .moments import TapeError

AnyPath: TypeAlias = "str | os.PathLike[str]"
Row: TypeAlias = "tuple[int, Sequence[str]]"
"""The number of a line, from 1, and its cells."""

LONGEST_LINE: Final = 1 << 20
"""The maximum number of characters in a line; a book of a thousand levels has less than a tenth of them."""
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_PARQUET: Final = b"PAR1"
_DELIMITERS: Final = ",;\t|"
_DAMAGED: Final = (EOFError, UnicodeDecodeError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, csv.Error)


def lines(path: AnyPath) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file that is plain, gzipped, or alone in a zip file, with their numbers from 1.

    Raises:
        OSError: the file cannot be read.
        TapeError: the file is damaged or not text, or a line is too long.
    """
    name, number = Path(path).name, 0
    try:
        with _open_text(Path(path)) as file:
            while line := file.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise TapeError(f"{name}: line {number} has more than {LONGEST_LINE:,} characters")
                yield number, line
    except _DAMAGED as error:
        raise TapeError(f"{name}: the file is damaged or no text behind line {number}: {error}") from None


def rows(path: AnyPath) -> Iterator[Row]:
    """Yield the rows of a table in text or Parquet, starting with the column names if the file has them.

    Blank lines are skipped.

    Raises:
        OSError: the file cannot be read.
        TapeError: the file is damaged, or is Parquet and the package that reads it is missing.
    """
    with Path(path).open("rb") as file:
        is_parquet = file.read(4) == _PARQUET
    return _parquet_rows(Path(path)) if is_parquet else _text_rows(path)


def is_table(path: AnyPath) -> bool:
    """Return True if a file holds a table, in text or Parquet, rather than JSON lines.

    Raises:
        OSError: the file cannot be read.
        TapeError: the file is damaged.
    """
    with Path(path).open("rb") as file:
        if file.read(4) == _PARQUET:
            return True
    first = next((line for _, line in lines(path) if line.strip()), "{")
    return not first.lstrip().startswith(("{", "["))


@contextmanager
def writing(path: AnyPath) -> Generator[io.BufferedIOBase, None, None]:
    """Write a file, gzipped if its name ends in ``.gz``, that appears, or replaces an old one, only when complete.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as plain:
            if path.suffix == ".gz":
                # Without name and time: the same moments give the same bytes.
                with gzip.GzipFile("", "wb", 6, plain, 0) as packed:
                    yield packed
            else:
                yield plain
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _open_text(path: Path) -> Generator[TextIO, None, None]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(file, "rt", encoding="utf-8-sig") as text:
                assert isinstance(text, io.TextIOWrapper), "it was opened as text"
                yield text
        elif start.startswith(_ZIP):
            with zipfile.ZipFile(file) as archive:
                inside = [each.filename for each in archive.infolist() if not each.is_dir()]
                if len(inside) != 1:
                    raise TapeError(f"{path.name} holds {len(inside)} files, not one: unpack it first")
                try:
                    member = archive.open(inside[0])
                except (RuntimeError, NotImplementedError) as error:  # a password, an unusual compression
                    raise TapeError(f"{path.name}: {error}") from None
                with member, io.TextIOWrapper(member, encoding="utf-8-sig") as text:
                    yield text
        else:
            with io.TextIOWrapper(file, encoding="utf-8-sig") as text:
                yield text


def _text_rows(path: AnyPath) -> Iterator[Row]:
    delimiter = ""
    for number, line in lines(path):
        if not line.strip():
            continue
        if not delimiter:
            delimiter = max(_DELIMITERS, key=line.count)
        if '"' in line:
            yield number, next(csv.reader([line], delimiter=delimiter))
        else:
            yield number, line.rstrip("\r\n").split(delimiter)


def _parquet_rows(path: Path) -> Iterator[Row]:
    arrow, parquet = _arrow()
    try:
        table = parquet.ParquetFile(path)
        names = [str(name) for name in table.schema_arrow.names]
        yield 1, names
        number = 1
        for batch in table.iter_batches(batch_size=10_000):
            columns = [column.to_pylist() for column in batch.columns]
            for row in zip(*columns, strict=True):
                number += 1
                yield number, [_cell(value) for value in row]
    except arrow.lib.ArrowException as error:
        raise TapeError(f"{path.name}: the file is damaged: {error}") from None


def _arrow() -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise TapeError("Parquet needs pyarrow: pip install 'bitmart-trio[parquet]'") from None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # As many digits as a float preserves of its source: 0.1 + 0.2 is 0.3.
        return format(value, ".15g")
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
