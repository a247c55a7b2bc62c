"""What differs on Windows, with the parts of Python that are only there imitated: nothing here has run on Windows."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import io
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

import bitmart_trio as bm
from bitmart_trio.cli import _complete
from bitmart_trio.cli._run import print_anything
from bitmart_trio.history import _files
from bitmart_trio.sim.drivers import files as tapes
from bitmart_trio.trading._signals import stopping

ROOT = Path(__file__).parent.parent


class Locks(types.ModuleType):
    """``msvcrt`` as far as it is used: the byte at which a file stands is one holder's."""

    LK_NBLCK = 2
    LK_UNLCK = 0

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: set[tuple[int, int, int]] = set()

    def locking(self, file: int, mode: int, size: int) -> None:
        assert size == 1
        found = os.fstat(file)
        key = found.st_dev, found.st_ino, os.lseek(file, 0, os.SEEK_CUR)
        if mode == self.LK_UNLCK:
            if key not in self.held:
                raise OSError(errno.EACCES, "Permission denied")
            self.held.remove(key)
        elif key in self.held:
            raise OSError(errno.EACCES, "Permission denied")
        else:
            self.held.add(key)


def on_windows(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[types.ModuleType, Locks]:
    """A module of the package as Windows would load it, beside the real one."""
    locks = Locks()
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "msvcrt", locks)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(sys, "platform", "win32")
    spec.loader.exec_module(module)
    return module, locks


@pytest.fixture
def open_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file that is open is renamed, replaced or removed: Python opens files so on Windows."""
    replace, unlink = os.replace, os.unlink

    def refuse(*paths: os.PathLike[str] | str) -> None:
        for path in paths:
            for number in os.listdir("/dev/fd"):  # noqa: PTH208  # numbers are all that we want
                with contextlib.suppress(OSError):  # the one that lists them, and a path that is not there
                    if os.path.samestat(os.fstat(int(number)), os.lstat(path)):
                        raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))

    def replacing(source: Path, target: Path) -> Path:
        refuse(source, target)
        replace(source, target)
        return target

    def removing(path: Path, missing_ok: bool = False) -> None:
        refuse(path)
        with contextlib.suppress(*[FileNotFoundError] * missing_ok):
            unlink(path)

    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(Path, "unlink", removing)


@pytest.mark.parametrize("name", ["bitmart_trio.trading._journal", "bitmart_trio.history.archive._folder"])
def test_files_are_locked_without_fcntl(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second holder is refused, and a folder need not be synced."""
    module, locks = on_windows(name, monkeypatch)
    with (tmp_path / "one").open("wb") as first, (tmp_path / "one").open("ab") as second:
        module._lock(first.fileno())
        with pytest.raises(OSError, match="Permission denied"):
            module._lock(second.fileno())
    assert len(locks.held) == 1
    assert module._sync_folder(tmp_path) is None if hasattr(module, "_sync_folder") else module._sync(0) is None


@pytest.mark.usefixtures("open_files_stay")
async def test_a_journal_is_kept_without_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made, refuses a second session, is compacted and closed, and opened again with what it held."""
    module, locks = on_windows("bitmart_trio.trading._journal", monkeypatch)
    journal = module.FileJournal(tmp_path / "bot.journal")
    assert list(await journal.open()) == []
    with pytest.raises(bm.JournalLocked, match="in use by another session"):
        await module.FileJournal(tmp_path / "bot.journal").open()
    for entry in ({"what": "intent", "id": "bt1"}, {"what": "intent", "id": "bt2"}):
        await journal.append(entry)
        await journal.compact(lambda: [entry])  # noqa: B023  # called before the next turn
    await journal.close()
    assert [entry["id"] for entry in await journal.open()] == ["bt2"]
    await journal.close()
    assert locks.held == set()
    assert sorted(os.listdir(tmp_path)) == ["bot.journal", "bot.journal.lock"]  # noqa: PTH208  # names are all we want


@pytest.mark.usefixtures("open_files_stay")
def test_files_are_replaced_when_they_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of archives, exports, tapes and of the command line: new, and in the place of an old one."""
    monkeypatch.setattr(os, "supports_dir_fd", set[object]())
    folder, _ = on_windows("bitmart_trio.history.archive._folder", monkeypatch)
    for data in (b"1", b"2"):
        with folder.Folder(tmp_path) as archive:
            archive.write("report", data)
        with _files.replacing(tmp_path / "klines") as file:
            file.write(data)
        with tapes.writing(tmp_path / "tape.gz") as packed:
            packed.write(data)
        _complete._keep(tmp_path / "words", data.decode())
    assert (tmp_path / "report").read_bytes() == (tmp_path / "klines").read_bytes() == b"2"
    assert (tmp_path / "words").read_text(encoding="utf-8") == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["klines", "report", "tape.gz", "words"]


def test_ctrl_break_stops_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what Windows sends to ask a process to stop."""
    assert stopping() == (signal.SIGINT, signal.SIGTERM)
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    assert stopping() == (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def test_a_console_without_a_character_shows_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of the exchange must not end a command for want of a glyph."""
    raw = io.BytesIO()
    console = io.TextIOWrapper(raw, encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    print_anything()
    console.write("\u4ea4 costs \u20ac 5")
    console.flush()
    assert raw.getvalue().split() == [b"\\u4ea4", b"costs", b"\x80", b"5"]


def test_nothing_of_posix_is_imported_before_it_is_asked_for() -> None:
    """The package and its command line load where these modules do not exist."""
    program = (
        "import sys\n"
        "for name in ('fcntl', 'termios', 'pwd', 'grp', 'resource', 'tty', 'pty'): sys.modules.setdefault(name, None)\n"
        "import bitmart_trio as bm, bitmart_trio.cli\n"
        "bm.sim, bm.testing\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
