"""The one truth of an archive: a file of lines, each with the hash of the line before.

A line is appended and on the disk before anything is derived from it. Lines are never changed or removed, so the hash
of the last line stands for all of them: it is the archive's digest. A partial line left by a killed process or a full
disk is cut off when the file is opened for writing: nothing was derived from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Generator
from typing import Final

import attrs

from ._entries import FORMAT, Begin, Entry, NotAnEntry, decode, encode
from ._folder import ArchiveError, Folder, clear_errors, write_all

REPLIES: Final = "replies.jsonl"
START: Final = "0" * 64
"""The hash before the first line."""
_HEAD: Final = re.compile(rb'\{"n":([0-9]{1,15}),"before":"([0-9a-f]{64})","entry":"')
_LONGEST: Final = 1 << 28


@attrs.frozen
class Place:
    """A line and where it is."""

    number: int
    offset: int
    length: int
    """The length in bytes, including the newline."""
    before: str
    """The hash of the previous line, as this line gives it."""
    hash: str
    """The hash of this line."""
    line: bytes = attrs.field(repr=False)
    """The line without its newline; b"" if it is longer than any line of ours."""
    whole: bool
    """False for a line without a newline: the last line, if writing it was interrupted."""
    ours: bool
    """True if the line begins as our lines do."""


def places(folder: Folder, offset: int = 0) -> Generator[Place]:
    """Every line of the file from an offset on, whatever is in it; none when there is no file.

    Raises:
        ArchiveError: the file cannot be read.
    """
    try:
        file = folder.open(REPLIES, os.O_RDONLY)
    except FileNotFoundError:
        return
    path = folder.path / REPLIES
    with clear_errors("read", path), os.fdopen(file, "rb") as opened:
        opened.seek(offset)
        while line := opened.readline(_LONGEST):
            whole = line.endswith(b"\n")
            text = line.removesuffix(b"\n")
            head = _HEAD.match(text)
            yield Place(
                int(head[1]) if head else 0,
                offset,
                len(line),
                head[2].decode() if head else "",
                hashlib.sha256(text).hexdigest(),
                text,
                whole,
                head is not None,
            )
            offset += len(line)


def entries(folder: Folder, number: int = 0, digest: str = START, offset: int = 0) -> Generator[tuple[Place, Entry]]:
    """Yield the entries behind a line, which its number, its hash and its end identify.

    An incomplete last line is left out.

    Raises:
        ArchiveError: a line does not match the hash of the line before, or is not an entry; or the archive has another
            format.
    """
    path = folder.path / REPLIES
    for place in places(folder, offset):
        if not place.whole:
            return
        number += 1
        if not place.ours or place.number != number or place.before != digest:
            raise ArchiveError(f"{path} {_changed(place, number)}")
        digest = place.hash
        try:
            entry = decode(place.line)
        except NotAnEntry as error:
            raise ArchiveError(f"{path} has been changed: line {number} is {error}") from error
        if isinstance(entry, Begin) != (number == 1):
            raise ArchiveError(f"{path} has been changed: an archive begins with its first line and only there")
        if isinstance(entry, Begin) and entry.format != FORMAT:
            raise ArchiveError(f"{path} is of format {entry.format[:20]!r}, which this version does not read")
        yield place, entry


def _changed(place: Place, number: int) -> str:
    if number == 1 and place.line.startswith(b'{"reply":'):
        return "is of format 1, of an earlier version, which this one does not read; archive into another folder"
    return f"has been changed: line {number} does not follow on the line before it"


class Journal:
    """The file, open for writing.

    Args:
        folder: the folder, locked by the caller.

    Attributes:
        number: the number of lines.
        digest: the hash of the last line.
        size: the size in bytes.

    Raises:
        ArchiveError: a line was changed, or the file cannot be used.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._path = folder.path / REPLIES
        self.number: int = 0
        self.digest: str = START
        self.size: int = 0
        self._broken = False
        for place in places(folder):
            if not place.whole:
                break
            if not place.ours or place.number != self.number + 1 or place.before != self.digest:
                raise ArchiveError(f"{self._path} {_changed(place, self.number + 1)}; nothing is added to it")
            self.number, self.digest, self.size = place.number, place.hash, place.offset + place.length
        self._file: int = folder.open(REPLIES, os.O_WRONLY | os.O_CREAT)
        try:
            with clear_errors("write", self._path):
                os.ftruncate(self._file, self.size)
                os.lseek(self._file, self.size, os.SEEK_SET)
            folder.sync()
        except BaseException:
            self.close()
            raise

    def append(self, entry: Entry) -> Place:
        """Write an entry; when this returns it survives a crash of the machine.

        Raises:
            ArchiveError: the entry cannot be written to the disk. The existing lines and the file's end are unchanged.
        """
        line = encode(entry, self.number + 1, self.digest)
        place = Place(
            self.number + 1,
            self.size,
            len(line) + 1,
            self.digest,
            hashlib.sha256(line).hexdigest(),
            line,
            whole=True,
            ours=True,
        )
        with clear_errors("write", self._path):
            try:
                if self._broken:
                    self._cut()
                write_all(self._file, line + b"\n")
                os.fsync(self._file)
            except BaseException:
                self._broken = True
                with contextlib.suppress(OSError):
                    self._cut()
                raise
        self.number, self.digest, self.size = place.number, place.hash, place.offset + place.length
        return place

    def _cut(self) -> None:
        """Cut off what a write that failed has left."""
        os.ftruncate(self._file, self.size)
        os.lseek(self._file, self.size, os.SEEK_SET)
        self._broken = False

    def close(self) -> None:
        """Close and release the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
