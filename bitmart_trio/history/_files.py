"""Files of an export: a link that somebody has put where one is expected is never followed."""

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
    """A file cannot be written as asked: it is there already, it is finished, it is a link, or pyarrow is missing."""


def open_new(path: Path) -> BinaryIO:
    """Open a file that is not there yet, for writing and reading.

    Raises:
        FileExistsError: something of that name is there, be it a link that leads nowhere.
    """
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666), "w+b")


def open_again(path: Path) -> BinaryIO:
    """Open a file of an earlier run, for writing and reading.

    Raises:
        ExportError: it is a link.
        FileNotFoundError: there is none.
    """
    try:
        if path.is_symlink():  # on Windows nothing else says so
            raise OSError(errno.ELOOP, "a link")
        return os.fdopen(os.open(path, os.O_RDWR | _FLAGS), "r+b")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ExportError(f"{path} is a link, and links are not followed; remove it") from error
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file beside another, whose place it takes once it is written: whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with open_new(new) as file:
        yield file
    new.replace(path)
