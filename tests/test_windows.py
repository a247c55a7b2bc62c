"""What differs on Windows, with the parts of Python that are only there imitated: nothing here has run on Windows."""

from __future__ import annotations

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
from bitmart_trio.cli._run import print_anything
from bitmart_trio.trading._signals import stopping

ROOT = Path(__file__).parent.parent


class Locks(types.ModuleType):
    """``msvcrt`` as far as it is used: one byte of a file is one holder's."""

    LK_NBLCK = 2
    LK_UNLCK = 0

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.held: set[tuple[int, int]] = set()

    def locking(self, file: int, mode: int, size: int) -> None:
        assert size == 1
        found = os.fstat(file)
        key = found.st_dev, found.st_ino
        if mode == self.LK_UNLCK:
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


async def test_a_journal_is_kept_without_fcntl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens, refuses a second session, and is replaced with its own file closed."""
    module, locks = on_windows("bitmart_trio.trading._journal", monkeypatch)
    journal = module.FileJournal(tmp_path / "bot.journal")
    await journal.open()
    with pytest.raises(bm.JournalLocked, match="in use by another session"):
        await module.FileJournal(tmp_path / "bot.journal").open()
    await journal.close()
    await journal.open()
    await journal.close()
    assert locks.held == set()


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
