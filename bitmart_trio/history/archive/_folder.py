"""The folder of an archive: closed to other users, and no link in it is ever followed.

The folder has mode 0700, its files 0600. A file is opened relative to the open folder with ``O_NOFOLLOW`` and must be a
regular file with one name; a replacement is written beside the file and renamed over it. Windows has no such modes;
there, links are refused by a check before opening.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Self

from ...errors import BitMartError

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _sync(folder: int) -> None:
        """Windows cannot, and need not."""

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _sync(folder: int) -> None:
        os.fsync(folder)


LOCK: Final = "archive.lock"
_POSIX: Final = os.open in os.supports_dir_fd
_BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0)
_BLOCK: Final = 1 << 20


class ArchiveError(BitMartError):
    """An archive cannot be written or read: not empty, in use, changed, not an archive, or its disk does not serve."""


@contextmanager
def clear_errors(deed: str, path: Path) -> Generator[None]:
    """Turn what a disk refuses into one line that says what to do.

    Raises:
        ArchiveError: in place of any `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"cannot {deed} {path}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    what = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG):
        return f"the disk is full ({what}); make room, then go on with --resume"
    if error.errno == errno.EROFS:
        return f"the disk is read-only ({what}); nothing was lost, go on with --resume where it can be written"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"it is not allowed ({what}); give yourself the right to write there, then go on with --resume"
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return "it is a link, and links are not followed; remove it"
    if error.errno == errno.EISDIR:
        return "it is not a file; move it away"
    return f"{what}; what was saved is safe, go on with --resume"


class Folder:
    """A folder whose files only their owner may read.

    Args:
        path: a folder, not a link to one.
        create: create the folder if it is missing, and close it to others if it exists.

    Attributes:
        notices: the changes to the folder, for the user.

    Raises:
        ArchiveError: the folder is missing, is a link, belongs to another user, or cannot be opened.
    """

    def __init__(self, path: Path | str, *, create: bool = False) -> None:
        self.path: Path = Path(path)
        self.notices: tuple[str, ...] = ()
        self._fd: int | None = None
        self._lock: int | None = None
        if self.path.is_symlink():
            raise ArchiveError(f"{self.path} is a link, and links are not followed; name the folder itself")
        with clear_errors("open", self.path):
            if create and not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):
                    self.path.mkdir(mode=0o700)
            if not self.path.is_dir():
                raise ArchiveError(f"there is no archive in {self.path}")
            if _POSIX:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | _BINARY | _NO_LINKS)
        if create and self._fd is not None:
            try:
                self._close_to_others(self._fd)
            except BaseException:
                self.close()
                raise

    def _close_to_others(self, folder: int) -> None:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid():
            raise ArchiveError(f"{self.path} belongs to another user; choose a folder of your own")
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            with clear_errors("protect", self.path):
                os.fchmod(folder, 0o700)
            self.notices = (f"{self.path} was open to others (mode {mode:04o}); only you can open it now (0700)",)

    def close(self) -> None:
        """Release the folder, and the lock if there is one."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # One writer.

    def lock(self) -> None:
        """Be the one who writes here until `close`, or until the process dies.

        Raises:
            ArchiveError: another process is writing here.
        """
        file = self.open(LOCK, os.O_RDWR | os.O_CREAT)
        self._take(file)

    def lock_if_used(self) -> None:
        """As `lock`, for whoever only reads: where nobody ever wrote, or nothing can be locked, nothing is."""
        try:
            file = self.open(LOCK, os.O_RDONLY)
        except (FileNotFoundError, ArchiveError):
            return
        self._take(file)

    def _take(self, file: int) -> None:
        try:
            _lock(file)
        except OSError as error:
            os.close(file)
            raise ArchiveError(
                f"a run is writing {self.path}; wait until it has ended, or stop it, and try again"
            ) from error
        self._lock = file

    # Files.

    def stat(self, name: str) -> os.stat_result | None:
        """Return the file status of a name, without following links; None if there is nothing."""
        try:
            if self._fd is None:
                return (self.path / name).lstat()
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def check(self, name: str) -> bool:
        """Check that a file of that name exists.

        Raises:
            ArchiveError: the name is not that of a regular file, or the file has a second name.
        """
        with clear_errors("look at", self.path / name):
            found = self.stat(name)
        if found is None:
            return False
        self._plain(name, found)
        return True

    def protect(self, name: str) -> None:
        """Close a file that is there to others, without opening it: that would drop the locks of SQLite on it."""
        if self._fd is not None and self.check(name):
            with clear_errors("protect", self.path / name):
                os.chmod(name, 0o600, dir_fd=self._fd)

    def _plain(self, name: str, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise ArchiveError(f"{self.path / name} is a link, and links are not followed; remove it")
        if not stat.S_ISREG(found.st_mode):
            raise ArchiveError(f"{self.path / name} is not a file; move it away")
        if found.st_nlink > 1:
            raise ArchiveError(f"{self.path / name} is known by a second name (a hard link); remove it")

    def open(self, name: str, flags: int) -> int:
        """Open a file; the caller closes it.

        Raises:
            FileNotFoundError: the file does not exist.
            ArchiveError: the file cannot be opened, or is not a regular file.
        """
        try:
            if self._fd is None:
                self.check(name)
                file = os.open(self.path / name, flags | _BINARY, 0o600)
            else:
                file = os.open(name, flags | _BINARY | _NO_LINKS | os.O_NONBLOCK, 0o600, dir_fd=self._fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ArchiveError(f"cannot open {self.path / name}: {_advice(error)}") from error
        try:
            found = os.fstat(file)
            self._plain(name, found)
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            if _POSIX and writes and found.st_mode & 0o077 and found.st_uid == os.geteuid():
                os.fchmod(file, 0o600)
        except BaseException:
            os.close(file)
            raise
        return file

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist.

        Raises:
            ArchiveError: the file cannot be read.
        """
        try:
            file = self.open(name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        with clear_errors("read", self.path / name), os.fdopen(file, "rb") as opened:
            return opened.read()

    def write(self, name: str, data: bytes) -> None:
        """Replace a file, whole or not at all.

        Raises:
            ArchiveError: it cannot be written.
        """
        with self.replacing(name) as file:
            file.write(data)

    @contextmanager
    def replacing(self, name: str) -> Generator[BinaryIO]:
        """A file to be written piece by piece, which takes its place when the block ends, and not when it raises.

        Raises:
            ArchiveError: it cannot be written.
        """
        beside = f"{name}.new"
        with clear_errors("write", self.path / name):
            self.remove(beside)
            file = os.fdopen(self.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")
            try:
                with file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                with contextlib.suppress(OSError):
                    self.remove(beside)
                raise
            if self._fd is None:
                (self.path / beside).replace(self.path / name)
            else:
                os.replace(beside, name, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def remove(self, name: str) -> None:
        """Remove a file, or a link in its place; do nothing if it does not exist."""
        with contextlib.suppress(FileNotFoundError):
            if self._fd is None:
                (self.path / name).unlink()
            else:
                os.unlink(name, dir_fd=self._fd)

    def sync(self) -> None:
        """Make the names of new files survive a power cut."""
        if self._fd is not None:
            with clear_errors("write", self.path):
                _sync(self._fd)


def write_all(file: int, data: bytes) -> None:
    """Write all of it; a disk may take it in pieces."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view[:_BLOCK]) :]
