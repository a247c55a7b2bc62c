"""The journal: on the disk before `append` returns, whole after any crash, one writer."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import trio
from disk_kit import FullDisk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof_sizes import FUZZ, JOURNAL_ENTRIES
from spoiling import spoiled
from trading_kit import MARKETS, SUBMIT, opener, requests, rest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.errors import JournalError, JournalLocked
from bitmart_trio.trading import FileJournal, Journal, MemoryJournal, _journal
from bitmart_trio.trading._journal import HEAD, Entry, line_of, parse, pending

INTENTS: list[Entry] = [
    {"what": "intent", "id": f"bt{n}", "market": "spot", "symbol": "S", "kind": "order", "side": "buy", "type": "limit"}
    for n in range(6)
]
END: Entry = {"what": "end", "id": "bt0", "state": "filled", "filled": "1"}


def read(content: bytes) -> list[Entry]:
    """The entries of a journal's bytes."""
    return list(parse(content, "j")[0])


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
    """In order, notes included once the journal was closed; of what is over, nothing need be."""
    journal = make()
    assert list(await journal.open()) == []
    await journal.append(INTENTS[0])
    journal.note(END)
    await journal.append(INTENTS[1])
    journal.note(INTENTS[2])
    assert journal.length == 4
    await journal.close()
    again = make()
    mine, others = await pending(await again.open(), "spot", ["S"])
    assert (list(mine), list(others)) == (["bt1", "bt2"], [])
    assert again.length == 4
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
    assert list(await again.open()) == INTENTS[3:6]
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
        await journal.append({**INTENTS[0], "id": str(number)})
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
    assert read((tmp_path / "j").read_bytes()) == INTENTS[:1]
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.close()
    assert list(await FileJournal(tmp_path / "j").open()) == INTENTS[:1]


async def test_a_torn_last_line_is_dropped_at_every_byte(tmp_path: Path) -> None:
    """Power fails in the middle of a write: the entries before it are all there, and the next one is written whole."""
    path = tmp_path / "j"
    before = len(await written(path, *INTENTS[:2]))
    whole = await written(tmp_path / "k", *INTENTS[:3])
    for cut in range(before, len(whole)):
        assert read(whole[:cut]) == INTENTS[:2]
    path.write_bytes(whole[: before + 20])
    await written(path, INTENTS[4])
    assert read(path.read_bytes()) == [*INTENTS[:2], INTENTS[4]]


@given(st.data())
def test_a_changed_byte_is_an_error_wherever_it_is(data: st.DataObject) -> None:
    """Also in the last line, and in its line feed: an intent that was sent is never dropped."""
    whole = b"".join(map(line_of, (HEAD, *INTENTS)))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytes([whole[at] ^ data.draw(st.integers(1, 255))])
    with pytest.raises(JournalError):
        read(whole[:at] + changed + whole[at + 1 :])


def test_damage_names_the_intent_that_it_may_affect() -> None:
    """As far as it can be read."""
    whole = b"".join(map(line_of, (HEAD, *INTENTS[:2])))
    with pytest.raises(JournalError, match=r"line 3 .* the intent bt1"):
        read(whole[:-4] + b"x" + whole[-3:])


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
    with pytest.raises(JournalError, match="not a journal"):
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
    assert read((tmp_path / "j").read_bytes()) == INTENTS[:3]


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Rather than made."""
    with pytest.raises(JournalError):
        await FileJournal(tmp_path / "nowhere" / "j").open()


async def test_pending_are_those_without_an_end() -> None:
    """Oldest first; an entry of an unknown kind keeps its intent."""
    entries = [*INTENTS[:3], END, {"what": "end", "id": "never"}, {"what": "mark", "id": "bt1"}]
    mine, others = await pending(entries, "spot", ["S"])
    assert list(mine) == ["bt1", "bt2"]
    assert others == []
    assert await pending(entries, "futures", ["S"]) == ({}, INTENTS[1:3])


_FORGED: list[dict[str, Any]] = [
    {"size": "1e999999999"},
    {"size": "NaN"},
    {"price": "-1"},
    {"price": "1" * 5000},
    {"notional": 5},
    {"id": "x" * 1000},
    {"id": "\x1b[2J"},
    {"kind": "plan"},
    {"side": ""},
    {"at": -1},
    {"at": 10**400},
    {"at": "soon"},
    {"extras": {"mode": {"a": []}}},
    {"extras": {str(number): 1 for number in range(1000)}},
    {"extras": {"leverage": 1.5}},
]
ABSURD: list[dict[str, Any]] = [
    {},
    {"what": 1},
    {"what": "intent"},
    {"what": "end", "id": 7},
    {**INTENTS[0], "size": "one"},
    *({**INTENTS[0], **forged} for forged in _FORGED),
]


@pytest.mark.parametrize("entry", ABSURD)
async def test_forged_and_absurd_entries_are_damage(entry: dict[str, Any]) -> None:
    """A session does not start on what it does not understand, and does not crash on it."""
    with pytest.raises(JournalError, match="damaged"):
        await pending([entry], "spot", ["S"])


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"what":' + b"9" * 10_000 + b"}", b'{"a":"' + b"x" * 200_000 + b'"}']
)
def test_forged_lines_are_damage(body: bytes) -> None:
    """With a right checksum."""
    with pytest.raises(JournalError, match="damaged"):
        read(line_of(HEAD) + b"%08x %s\n" % (crc32(body), body))


@pytest.mark.parametrize("name", ["j", "j.lock", "j.new"])
async def test_links_are_not_followed(tmp_path: Path, name: str) -> None:
    """Whatever they lead to stays as it is."""
    (tmp_path / "other").write_text("mine")
    (tmp_path / name).symlink_to(tmp_path / "other")
    journal = FileJournal(tmp_path / "j")
    if name == "j.new":  # the scratch file is taken out of the way, not followed
        await journal.open()
        await journal.close()
    else:
        with pytest.raises(JournalError, match="link"):
            await journal.open()
    assert (tmp_path / "other").read_text() == "mine"


async def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    """A folder, here."""
    (tmp_path / "j").mkdir()
    with pytest.raises(JournalError):
        await FileJournal(tmp_path / "j").open()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
async def test_a_removed_lock_file_lets_no_second_writer_in(tmp_path: Path) -> None:
    """The file itself is locked as well, and stays so when it is cut back."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    for _ in range(2):
        (tmp_path / "j.lock").unlink()
        with pytest.raises(JournalLocked):
            await FileJournal(tmp_path / "j").open()
        await journal.append(INTENTS[0])
        await journal.compact(lambda: [INTENTS[0]])
    await journal.close()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
async def test_a_removed_journal_takes_no_more(tmp_path: Path) -> None:
    """What would be written to it would be lost, so no order is sent on it."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    (tmp_path / "j").unlink()
    with pytest.raises(JournalError, match="removed"):
        await journal.append(INTENTS[0])
    with pytest.raises(JournalError, match="removed"):
        await journal.close()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
async def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """And not that another session uses the journal."""

    def no_locks(file: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_journal, "_lock", no_locks)
    with pytest.raises(JournalError, match="no locks") as caught:
        await FileJournal(tmp_path / "j").open()
    assert not isinstance(caught.value, JournalLocked)


async def test_a_full_disk_takes_closing_orders_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is kept for them; an order that opens something is not written, and so not sent."""
    journal = FileJournal(tmp_path / "j")
    await journal.open()
    await journal.append(INTENTS[0])
    with monkeypatch.context() as full:
        FullDisk(full)
        with pytest.raises(JournalError, match="no space"):
            await journal.append(INTENTS[1])
        await journal.append({**INTENTS[2], "closes": True})
        journal.note(END)
        await journal.close()
    again = FileJournal(tmp_path / "j")
    assert list(await again.open()) == [INTENTS[1], {**INTENTS[2], "closes": True}]
    assert (tmp_path / "j.lock").stat().st_size > 60_000, "the block is kept anew"
    await again.close()


async def test_a_journal_opens_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With half a line at its end, too: what is in it can be seen to."""
    whole = await written(tmp_path / "j", *INTENTS[:3])
    (tmp_path / "j").write_bytes(whole[:-20])
    (tmp_path / "j.lock").unlink()
    journal = FileJournal(tmp_path / "j")
    with monkeypatch.context() as full:
        FullDisk(full)
        assert list(await journal.open()) == INTENTS[:2]
        with pytest.raises(JournalError) as caught:
            await journal.compact(lambda: INTENTS[:2])
        assert _journal.no_room(caught.value)
    await journal.append(INTENTS[4])
    await journal.close()
    assert read((tmp_path / "j").read_bytes()) == [*INTENTS[:2], INTENTS[4]]
    assert not (tmp_path / "j.new").exists()


@pytest.mark.proof
@pytest.mark.parametrize("ended", [True, False])
async def test_a_long_journal_does_not_keep_other_tasks_waiting(tmp_path: Path, ended: bool) -> None:
    """Opened, sorted out and cut back while a task looks at the clock."""
    count = JOURNAL_ENTRIES
    entries = [{**INTENTS[0], "id": f"bt{number}", "extras": {"mode": 1}} for number in range(count)]
    lines = [HEAD, *entries, *({**END, "id": f"bt{number}"} for number in range(count if ended else 0))]
    (tmp_path / "j").write_bytes(b"".join(map(line_of, lines)))
    journal = FileJournal(tmp_path / "j")
    stalls = list[float]()

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await trio.lowlevel.checkpoint()
            stalls.append(time.perf_counter() - began)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.lowlevel.checkpoint()
        mine, others = await pending(await journal.open(), "futures", ["S"])
        await journal.compact(lambda: others)
        nursery.cancel_scope.cancel()
    await journal.close()
    assert (len(mine), len(others)) == (0, 0 if ended else count)
    print(f"longest stall {max(stalls) * 1000:.1f} ms")  # noqa: T201
    assert max(stalls) < 0.5, "several times what it takes, for a busy machine"


async def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """Orders are private."""
    await written(tmp_path / "j", INTENTS[0])
    assert (tmp_path / "j").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="a mode says nothing about others there")
@pytest.mark.parametrize(
    ("mode", "refused"), [(0o600, False), (0o640, False), (0o604, False), (0o660, True), (0o602, True)]
)
async def test_rights_of_others_are_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, refused: bool
) -> None:
    """What they could write would be taken for orders of the session; what they can read is said."""
    path = tmp_path / "j"
    await written(path, INTENTS[0])
    path.chmod(mode)
    if refused:
        with pytest.raises(JournalError, match=r"other users may write to the journal .*chmod 600"):
            await written(path, INTENTS[1])
        path.chmod(0o600)
        assert path.read_bytes().count(b'"intent"') == 1
    else:
        await written(path, INTENTS[1])
    assert ("may read the journal" in caplog.text) == (not refused and mode != 0o600)


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
    assert read((tmp_path / "j").read_bytes()) == INTENTS[:3]


ENTRIES = st.lists(st.sampled_from([*INTENTS, END]).flatmap(spoiled), max_size=4)
"""Entries that somebody has written by hand, nearly as they should be."""


@pytest.mark.proof
@settings(max_examples=FUZZ, suppress_health_check=[HealthCheck.too_slow])
@given(ENTRIES, st.binary(max_size=40))
def test_whatever_a_journal_holds_is_read_or_is_an_error_that_says_so(entries: list[Any], behind: bytes) -> None:
    """With checksums that are right, and with anything behind."""
    content = b"".join(map(line_of, (HEAD, *entries)))
    for text in (content, content + behind, behind):
        try:
            mine, _ = trio.run(pending, parse(text, "j")[0], "spot", ["S"])
            repr(mine)
        except JournalError as error:
            repr(error)


async def test_a_journal_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the program's folder becomes later."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    journal = FileJournal("bot.journal")
    await journal.open()
    monkeypatch.chdir(tmp_path / "there")
    await journal.compact(lambda: [{"what": "intent", "id": "a"}])
    await journal.close()
    again = FileJournal(tmp_path / "here" / "bot.journal")
    assert list(await again.open()) == [{"what": "intent", "id": "a"}]
    await again.close()
    assert list((tmp_path / "there").iterdir()) == []


async def test_a_link_lets_no_second_writer_in(tmp_path: Path) -> None:
    """A link is refused, and a second name of the same file meets the lock on the file."""
    journal = FileJournal(tmp_path / "real")
    await journal.open()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "twin").hardlink_to(tmp_path / "real")
    with pytest.raises(bm.errors.JournalError, match="link"):
        await FileJournal(tmp_path / "alias").open()
    with pytest.raises(bm.errors.JournalLocked):
        await FileJournal(tmp_path / "twin").open()
    await journal.close()


async def test_half_a_line_is_never_written_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that stops half-way and cannot be taken back: nothing is written until it can, and nothing is damaged."""
    journal = FileJournal(tmp_path / "bot.journal")
    await journal.open()
    await journal.append({"what": "intent", "id": "a"})
    write = os.write

    def half(file: int, data: bytes) -> int:
        write(file, data[:20])
        raise OSError(errno.EIO, "half of it")

    def not_now(file: int, length: int) -> None:
        raise OSError(errno.EIO, "not now")

    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", not_now)
        with broken.context() as worse:
            worse.setattr(os, "write", half)
            with pytest.raises(bm.errors.JournalError):
                await journal.append({"what": "intent", "id": "b"})
        with pytest.raises(bm.errors.JournalError):
            await journal.append({"what": "intent", "id": "c"})
    await journal.append({"what": "intent", "id": "d"})
    await journal.close()
    again = FileJournal(tmp_path / "bot.journal")
    assert [entry["id"] for entry in await again.open()] == ["a", "b", "c", "d"]
    await again.close()


@pytest.mark.parametrize("market", MARKETS)
async def test_a_journal_of_ones_own_fails_the_order_only(autojump_clock: MockClock, market: str) -> None:
    """Whatever it raises: the order was not sent, and the session goes on."""

    class Away(MemoryJournal):
        async def append(self, entry: object) -> None:
            await trio.lowlevel.checkpoint()
            raise OSError("the share is gone")

    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, journal=Away()) as session,
    ):
        with pytest.raises(bm.errors.JournalError, match="share"):
            await rest(session)
        await trio.sleep(1)
        assert requests(venue, SUBMIT[market]) == 0
