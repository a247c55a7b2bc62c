"""Disks that stop and processes that are killed: one clear line, nothing lost, and the next run goes on.

As it stands it is quick; ``proof_sizes.py`` says how often each is done in full.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

import archive_kit as kit
import pytest
import trio
import trio.testing
from archive_kit import DEPOSITS, SINCE, UNTIL, deposit
from proof_sizes import ARCHIVE_STOPS

import bitmart_trio as bm
from bitmart_trio.history.archive import ArchiveError, archive
from bitmart_trio.history.archive import _journal as journals
from bitmart_trio.history.archive._check import verify
from bitmart_trio.history.archive._folder import Folder
from bitmart_trio.history.archive._schema import DATABASE
from bitmart_trio.history.archive._writer import Store, rebuild

T = TypeVar("T")

SEED: Final = 1
WRITER: Final = Path(__file__).parent / "archive_writer.py"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that nothing has interrupted."""
    directory = tmp_path_factory.mktemp("whole") / "archive"
    kit.write(directory, replies=20)
    return directory


def assert_sound(directory: Path) -> None:
    """What was written by hand has no reports yet."""
    rebuild(directory)
    assert verify(directory).problems == ()


def refuse(number: int) -> Callable[[int, bytes], None]:
    """A disk that takes half of a line, and then nothing."""

    def write(file: int, data: bytes) -> None:
        os.write(file, data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    return write


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, r"cannot write .*replies\.jsonl: the disk is full .*; make room, then go on with --resume"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "the disk is read-only .*; nothing was lost, go on with --resume where it can be written"),
        (errno.EACCES, "it is not allowed"),
        (errno.EIO, "what was saved is safe, go on with --resume"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_a_disk_that_takes_no_line_is_one_clear_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, line: str
) -> None:
    with Store(tmp_path / "archive", resume=False) as store:
        store.begin("42", SINCE, UNTIL)
        row = kit.plan(store)
        digest, size = store.digest, (tmp_path / "archive" / "replies.jsonl").stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr(journals, "write_all", refuse(number))
            with pytest.raises(ArchiveError, match=line) as caught:
                store.reply(kit.reply(row, [deposit(1)]))
        assert "\n" not in str(caught.value)
        assert (store.digest, (tmp_path / "archive" / "replies.jsonl").stat().st_size) == (digest, size)
        # Room was made: it goes on where it was.
        store.reply(kit.reply(row, [deposit(1)]))
        assert store.reader().count(DEPOSITS) == 1
    assert_sound(tmp_path / "archive")


def test_a_line_that_cannot_even_be_cut_off_is_cut_off_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_cut(file: int, size: int) -> None:
        raise OSError(errno.EIO, "no")

    with Store(tmp_path / "archive", resume=False) as store:
        store.begin("42", SINCE, UNTIL)
        row = kit.plan(store)
        with monkeypatch.context() as patch:
            patch.setattr(journals, "write_all", refuse(errno.ENOSPC))
            patch.setattr(os, "ftruncate", no_cut)
            with pytest.raises(ArchiveError, match="full"):
                store.reply(kit.reply(row, [deposit(1)]))
        store.reply(kit.reply(row, [deposit(2)]))
    assert_sound(tmp_path / "archive")
    # And when the process ended there.
    with (tmp_path / "archive" / "replies.jsonl").open("ab") as file:
        file.write(b'{"n":9,"bef')
    assert "broken off" in verify(tmp_path / "archive").problems[0]
    with Store(tmp_path / "archive", resume=True) as store:
        assert store.reader().count(DEPOSITS) == 1
    assert_sound(tmp_path / "archive")


def test_tables_that_grow_no_more_are_one_clear_line_and_are_made_up_for(tmp_path: Path) -> None:
    with Store(tmp_path / "archive", resume=False) as store:
        store.begin("42", SINCE, UNTIL)
        row = kit.plan(store)
        database = store.reader()._db  # pyright: ignore[reportPrivateUsage]
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        many = [deposit(number, address="x" * 500) for number in range(50)]
        with pytest.raises(ArchiveError, match="the disk is full; make room, then go on with --resume"):
            store.reply(kit.reply(row, many))
        with pytest.raises(ArchiveError, match="the disk is full"):
            store.reply(kit.reply(row, []))
    with Store(tmp_path / "archive", resume=True) as store:
        assert store.reader().count(DEPOSITS) == 50
    assert_sound(tmp_path / "archive")


def test_tables_that_another_program_holds_are_one_clear_line_and_are_made_up_for(tmp_path: Path) -> None:
    with Store(tmp_path / "archive", resume=False) as store:
        store.begin("42", SINCE, UNTIL)
        row = kit.plan(store)
        with closing(sqlite3.connect(tmp_path / "archive" / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(ArchiveError, match="another program holds it; close that program and try again"):
                store.reply(kit.reply(row, [deposit(1)]))
            other.execute("ROLLBACK")
    with Store(tmp_path / "archive", resume=True) as store:
        assert store.reader().count(DEPOSITS) == 1
    with closing(sqlite3.connect(tmp_path / "archive" / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ArchiveError, match="another program holds it"):
            Store(tmp_path / "archive", resume=True)


def test_a_report_that_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Folder(tmp_path) as folder:
        folder.write("report.md", b"before")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ArchiveError, match=r"cannot write .*report\.md: the disk is full"):
            folder.write("report.md", b"after")
        assert folder.read("report.md") == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]


class _Stop:
    """Ends the writing of an archive after so many entries, in good order."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            raise _Enough


class _Enough(Exception):
    """So it stops."""


# ---- a whole run -------------------------------------------------------------------------------------------------


async def to_its_end(call: Callable[[], T], /) -> T:
    """Like a worker thread: what has begun is not cancelled."""
    with trio.CancelScope(shield=True):
        await trio.sleep(0.01)
    return call()


@pytest.mark.parametrize("lines", [3, 30, 90])
async def test_a_disk_that_stops_amid_a_run_is_one_error_and_the_next_run_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock, lines: int
) -> None:
    """Six histories are read at once; all of them stop, and it is said once."""
    left = lines

    def write(file: int, data: bytes) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            refuse(errno.ENOSPC)(file, data)
        os.write(file, data)

    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        await trio.sleep(1)
        since = venue.exchange.clock.start
        async with venue.open_client() as client:
            with monkeypatch.context() as patch:
                patch.setattr(journals, "write_all", write)
                with pytest.raises(ArchiveError, match=r"the disk is full .*; make room, then go on with --resume"):
                    await archive(client, tmp_path / "a", since=since, allow_trading_key=True, run=to_its_end)
            report = await archive(
                client, tmp_path / "a", since=since, resume=True, allow_trading_key=True, run=to_its_end
            )
    assert report.complete
    assert verify(tmp_path / "a").problems == ()


# ---- processes ---------------------------------------------------------------------------------------------------


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(WRITER), str(directory), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.proof
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
@pytest.mark.parametrize("number", range(ARCHIVE_STOPS))
def test_a_full_disk_ends_the_run_with_one_line_and_the_next_goes_on(tmp_path: Path, whole: Path, number: int) -> None:
    """The files may be so large and no larger: now the journal is the one that is cut, now the tables."""
    dice = random.Random(SEED * 1000 + number)
    size = (whole / DATABASE).stat().st_size
    limit = dice.choice((dice.randrange(1, 60_000), dice.randrange(1, size)))
    with start(tmp_path / "archive", str(limit)) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, (limit, out, err)
    assert err == "", limit
    assert "--resume" in out.splitlines()[-1], limit
    kit.write(tmp_path / "archive", replies=20, resume=True)
    assert kit.contents(tmp_path / "archive") == kit.contents(whole), limit
    assert verify(tmp_path / "archive").problems == (), limit


@pytest.mark.proof
def test_kills_lose_nothing(tmp_path: Path, whole: Path) -> None:
    """Killed again and again, at any entry, and resumed each time."""
    dice = random.Random(SEED)
    for _ in range(ARCHIVE_STOPS):
        directory = tmp_path / "archive"
        for _ in range(2):
            with start(directory) as process:
                assert process.stdout is not None
                for _ in range(dice.randrange(1, 45)):
                    if not process.stdout.readline():
                        break
                process.kill()
                process.communicate(timeout=60)
            found = verify(directory)
            # What a kill leaves is no tampering: each problem says to resume.
            assert all("resume" in problem or "rebuild" in problem for problem in found.problems), found.problems
        kit.write(directory, replies=20, resume=True)
        assert kit.contents(directory) == kit.contents(whole)
        assert verify(directory).problems == ()
        shutil.rmtree(directory)


@pytest.mark.proof
@pytest.mark.parametrize("number", range(max(ARCHIVE_STOPS, 8)))
def test_whatever_a_power_cut_leaves_of_the_files_is_gone_on_with(tmp_path: Path, whole: Path, number: int) -> None:
    """A journal that ends anywhere, beside tables of any other moment, or half of them."""
    dice = random.Random(SEED * 1000 + number)
    directory = tmp_path / "archive"
    directory.mkdir()
    data = (whole / "replies.jsonl").read_bytes()
    (directory / "replies.jsonl").write_bytes(data[: dice.randrange(len(data))])
    kind = dice.choice(("none", "earlier", "later", "half", "blank"))
    if kind == "earlier":
        with suppress(_Enough):
            kit.write(tmp_path / "other", replies=20, step=_Stop(dice.randrange(1, 40)))
    if kind in ("earlier", "later", "half"):
        source = tmp_path / "other" if kind == "earlier" else whole
        tables = (source / DATABASE).read_bytes()
        (directory / DATABASE).write_bytes(tables[: len(tables) // 2] if kind == "half" else tables)
    elif kind == "blank":
        (directory / DATABASE).write_bytes(b"")
    kit.write(directory, replies=20, resume=True)
    assert kit.contents(directory) == kit.contents(whole), (number, kind)
    assert verify(directory).problems == (), (number, kind)
