"""An archive's folder: only its owner may look into it, and nothing in it leads elsewhere."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

import archive_kit as kit
import pytest

from bitmart_trio.history.archive import ArchiveError
from bitmart_trio.history.archive._check import verify
from bitmart_trio.history.archive._folder import Folder
from bitmart_trio.history.archive._reader import Reader
from bitmart_trio.history.archive._writer import Store, rebuild

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither modes nor such links")

NAMES = ("replies.jsonl", "archive.sqlite", "archive.sqlite-wal", "archive.sqlite-shm", "archive.sqlite-journal",
         "archive.lock")  # fmt: skip


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_read_it_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        kit.write(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a" / "b") == 0o700
    assert {mode(path) for path in (tmp_path / "a" / "b").iterdir()} == {0o600}


def test_while_it_is_written_too(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    with Store(directory, resume=False) as store:
        store.begin("42", 0, 1)
        assert "archive.sqlite-wal" in {path.name for path in directory.iterdir()}
        assert {mode(path) for path in directory.iterdir()} == {0o600}


def test_a_folder_that_was_open_to_others_is_closed_and_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with Store(tmp_path, resume=False) as store:
        assert store.notices == (f"{tmp_path} was open to others (mode 0755); only you can open it now (0700)",)
    assert mode(tmp_path) == 0o700


def test_files_that_were_open_to_others_are_closed(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    kit.write(directory)
    for path in directory.iterdir():
        path.chmod(0o644)
    with Store(directory, resume=True):
        pass
    assert mode(directory / "replies.jsonl") == 0o600
    assert mode(directory / "archive.sqlite") == 0o600


def test_reading_changes_no_mode(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    kit.write(directory)
    directory.chmod(0o755)
    (directory / "replies.jsonl").chmod(0o644)
    verify(directory)
    Reader(directory).close()
    assert (mode(directory), mode(directory / "replies.jsonl")) == (0o755, 0o644)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "folder", "pipe"])
@pytest.mark.parametrize("there", [False, True], ids=["new", "resumed"])
def test_nothing_that_is_planted_is_written_to(tmp_path: Path, name: str, kind: str, there: bool) -> None:
    directory, victim = tmp_path / "archive", tmp_path / "victim"
    if there:
        kit.write(directory)
    else:
        directory.mkdir(mode=0o700)
    victim.write_bytes(b"precious")
    path = directory / name
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "made")
    elif kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ArchiveError, match=r"link|not a file"):
        Store(directory, resume=there)
    if name != "archive.lock":
        with pytest.raises(ArchiveError):
            rebuild(directory)
        with suppress(ArchiveError):
            assert verify(directory).problems
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", ["link", "file", "hard link"])
def test_what_is_planted_beside_a_report_is_replaced(tmp_path: Path, kind: str) -> None:
    directory, victim = tmp_path / "archive", tmp_path / "victim"
    directory.mkdir()
    victim.write_bytes(b"precious")
    for name in ("report.md", "report.md.new"):
        if kind == "link":
            (directory / name).symlink_to(victim)
        elif kind == "hard link":
            (directory / name).hardlink_to(victim)
        else:
            (directory / name).write_bytes(b"planted")
    with Folder(directory) as folder:
        folder.write("report.md", b"report")
    assert (directory / "report.md").read_bytes() == b"report"
    assert not (directory / "report.md").is_symlink()
    assert mode(directory / "report.md") == 0o600
    assert victim.read_bytes() == b"precious"
    assert [path.name for path in directory.iterdir()] == ["report.md"]


def test_a_link_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "archive").symlink_to(tmp_path / "elsewhere")
    for call in (lambda: Store(tmp_path / "archive", resume=False), lambda: verify(tmp_path / "archive")):
        with pytest.raises(ArchiveError, match="is a link"):
            call()
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_instead_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("x")
    with pytest.raises(ArchiveError, match="archive"):
        Store(tmp_path / "archive", resume=False)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    with Folder(tmp_path) as folder:
        folder.write("report.md", b"before")
        with suppress(RuntimeError), folder.replacing("report.md") as file:
            file.write(b"half")
            raise RuntimeError
        assert folder.read("report.md") == b"before"
        assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
        assert folder.read("nothing") is None


def test_one_process_writes_at_a_time_and_verify_says_that_a_run_is_on(tmp_path: Path) -> None:
    directory = tmp_path / "archive"
    with Store(directory, resume=False) as store:
        store.begin("42", 0, 1)
        for call in (lambda: Store(directory, resume=True), lambda: rebuild(directory), lambda: verify(directory)):
            with pytest.raises(ArchiveError, match="a run is writing"):
                call()
        with Reader(directory) as reader:
            assert reader.meta.account == "42"
    assert verify(directory).digest


def test_a_second_archive_in_one_folder_is_refused(tmp_path: Path) -> None:
    kit.write(tmp_path / "archive")
    with pytest.raises(ArchiveError, match="already; resume it"):
        Store(tmp_path / "archive", resume=False)


def test_tables_without_a_journal_are_not_ours(tmp_path: Path) -> None:
    kit.write(tmp_path / "archive")
    (tmp_path / "archive" / "replies.jsonl").unlink()
    with pytest.raises(ArchiveError, match="not an archive of ours"):
        Store(tmp_path / "archive", resume=True)
    with pytest.raises(ArchiveError, match=r"no replies\.jsonl"):
        rebuild(tmp_path / "archive")
