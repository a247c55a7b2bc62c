"""The journal: on the disk before `append` returns, whole after any crash, one writer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio.errors import JournalError, JournalLocked
from bitmart_trio.trading import FileJournal, Journal, MemoryJournal
from bitmart_trio.trading._journal import _HEAD, Entry, _line, parse, pending

INTENTS: list[Entry] = [
    {"what": "intent", "id": f"bt{n}", "market": "spot", "symbol": "S", "kind": "order", "side": "buy", "type": "limit"}
    for n in range(6)
]
END: Entry = {"what": "end", "id": "bt0", "state": "filled", "filled": "1"}


async def written(path: Path, *entries: Entry) -> bytes:
    """A journal of these entries, closed; its bytes."""
    journal = FileJournal(path)
    await journal.open()
    for entry in entries:
        await journal.append(entry)
    await journal.close()
    return path.read_bytes()  # noqa: ASYNC240


@pytest.fixture(params=["file", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Journal]:
    """Both kinds, made anew over the same storage."""
    memory = MemoryJournal()
    return lambda: FileJournal(tmp_path / "j") if request.param == "file" else memory


async def test_what_was_appended_is_there_at_the_next_opening(make: Callable[[], Journal]) -> None:
    """In order, notes included once the journal was closed."""
    journal = make()
    assert await journal.open() == []
    await journal.append(INTENTS[0])
    journal.note(END)
    await journal.append(INTENTS[1])
    journal.note(INTENTS[2])
    assert journal.length == 4
    await journal.close()
    again = make()
    assert await again.open() == [INTENTS[0], END, INTENTS[1], INTENTS[2]]
    await again.close()


async def test_one_writer_at_a_time(make: Callable[[], Journal]) -> None:
    """A second opening is refused while the first lasts, and not after."""
    one, two = make(), make()
    await one.open()
    with pytest.raises(JournalLocked):
        await two.open()
    await one.close()
    await two.open()
    await two.close()


async def test_compacting_keeps_exactly_what_is_live(make: Callable[[], Journal]) -> None:
    """Also what is handed in while it happens."""
    journal = make()
    await journal.open()
    for entry in INTENTS:
        await journal.append(entry)
    await journal.compact(lambda: INTENTS[3:5])
    await journal.append(INTENTS[5])
    await journal.close()
    again = make()
    assert await again.open() == INTENTS[3:6]
    await again.close()


async def test_appends_that_meet_share_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many at once cost few fsyncs, and each is on the disk when its append returns."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    synced = 0
    real = os.fsync

    def counting(file: int) -> None:
        nonlocal synced
        synced += 1
        real(file)

    monkeypatch.setattr(os, "fsync", counting)

    async def one(number: int) -> None:
        await journal.append({"what": "end", "id": str(number)})
        assert f'"{number}"'.encode() in (tmp_path / "j").read_bytes()

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(one, number)
    await journal.close()
    assert synced < 10


async def test_an_append_is_finished_although_it_is_cancelled(tmp_path: Path) -> None:
    """The send that waits for it is never left with an entry that may or may not be there."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.append(INTENTS[0])
    assert parse((tmp_path / "j").read_bytes(), "j") == INTENTS[:1]
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.close()
    assert await FileJournal(tmp_path / "j").open() == INTENTS[:1]


async def test_a_torn_last_line_is_dropped_at_every_byte(tmp_path: Path) -> None:
    """Power fails in the middle of a write: the entries before it are all there, and the next one is written whole."""
    path = tmp_path / "j"
    before = len(await written(path, *INTENTS[:2]))
    whole = await written(tmp_path / "k", *INTENTS[:3])
    for cut in range(before, len(whole)):
        assert parse(whole[:cut], "k") == INTENTS[:2]
    path.write_bytes(whole[: before + 20])
    await written(path, INTENTS[4])
    assert parse(path.read_bytes(), "j") == [*INTENTS[:2], INTENTS[4]]


@given(st.data())
def test_damage_is_never_read_as_something_else(data: st.DataObject) -> None:
    """A flipped byte is an error, or, in the last line, that line missing; what is read is a prefix of the truth."""
    whole = b"".join(map(_line, (_HEAD, *INTENTS)))
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytes([whole[at] ^ data.draw(st.integers(1, 255))])
    try:
        entries = parse(whole[:at] + flipped + whole[at + 1 :], "j")
    except JournalError:
        return
    assert entries == INTENTS[: len(entries)]
    assert len(entries) >= len(INTENTS) - 1


async def test_damage_in_the_middle_is_an_error(tmp_path: Path) -> None:
    """Nothing is guessed, and the file is left as it is."""
    path = tmp_path / "j"
    whole = await written(path, *INTENTS)
    lines = whole.split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], b"00000000 {}", *lines[2:]]))
    before = path.read_bytes()
    journal = FileJournal(path)
    with pytest.raises(JournalError, match="line 3"):
        await journal.open()
    assert path.read_bytes() == before
    with pytest.raises(JournalError, match="line 3"):  # and the lock was given back
        await journal.open()


@pytest.mark.parametrize("content", [b"hello", b"hello\n", b'{"what":"journal"}\n', b"\x00" * 40])
async def test_no_other_file_is_overwritten(tmp_path: Path, content: bytes) -> None:
    """A path to something else is an error, not a fresh journal."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="no journal"):
        await FileJournal(path).open()
    assert path.read_bytes() == content


async def test_a_disk_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry counts as not written, and once the disk works again everything is there."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    await journal.append(INTENTS[0])
    real = os.fsync

    def failing(file: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(JournalError, match="no space"):
        await journal.append(INTENTS[1])
    monkeypatch.setattr(os, "fsync", real)
    await journal.append(INTENTS[2])
    await journal.close()
    assert parse((tmp_path / "j").read_bytes(), "j") == INTENTS[:3]


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Rather than made."""
    with pytest.raises(JournalError):
        await FileJournal(tmp_path / "nowhere" / "j").open()


def test_pending_are_those_without_an_end() -> None:
    """Oldest first."""
    assert list(pending([*INTENTS[:3], END, {"what": "end", "id": "never heard of"}])) == ["bt1", "bt2"]


@pytest.mark.parametrize("entry", [{}, {"what": "intent"}, {"what": "intent", "id": "x", "size": "one"}])
def test_entries_of_another_version_are_an_error(entry: dict[str, Any]) -> None:
    """A session does not start on a journal that it does not understand."""
    with pytest.raises(JournalError):
        pending([entry])


async def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """Orders are private."""
    await written(tmp_path / "j", INTENTS[0])
    assert (tmp_path / "j").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["fsync", "replace"])
async def test_cutting_back_that_fails_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The old file stands, what was noted is still to be written, and appending goes on."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    await journal.append(INTENTS[0])
    journal.note(INTENTS[1])

    def failing(*_: object) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        home: object = os if where == "fsync" else Path
        patched.setattr(home, where, failing)
        with pytest.raises(JournalError, match="no space"):
            await journal.compact(lambda: [INTENTS[5]])
    await journal.append(INTENTS[2])
    await journal.close()
    assert parse((tmp_path / "j").read_bytes(), "j") == INTENTS[:3]
