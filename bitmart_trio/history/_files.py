"""Open the files of an export, never following a link in the place of one."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, Final

from ..errors import BitMartError

_FLAGS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class ExportError(BitMartError):
    """A file cannot be written as asked: it exists already, is finished, is a link, or pyarrow is missing."""


def open_new(path: Path) -> BinaryIO:
    """Create a file for writing and reading.

    Raises:
        FileExistsError: something of that name exists, even a dangling link.
    """
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666), "w+b")


def open_again(path: Path) -> BinaryIO:
    """Open a file of an earlier run, for writing and reading.

    Raises:
        ExportError: the path is a link.
        FileNotFoundError: the file does not exist.
    """
    try:
        if path.is_symlink():  # Windows has no other way to check
            raise OSError(errno.ELOOP, "a link")
        return os.fdopen(os.open(path, os.O_RDWR | _FLAGS), "r+b")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ExportError(f"{path} is a link, and links are not followed; remove it") from error
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file beside another, which it replaces once written, completely or not at all."""
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with open_new(new) as file:
        yield file
    new.replace(path)
