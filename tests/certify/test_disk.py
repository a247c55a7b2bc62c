"""The disk of a day: what was fsynced survives a kill; of the rest, any beginning may."""

from __future__ import annotations

import random

import pytest
import trio

import bitmart_trio as bm
from bitmart_trio.testing._certify._disk import Disk
from bitmart_trio.trading._journal import DISK
from bitmart_trio.trading._session import as_journal

INTENT = {"what": "intent", "id": "bt1", "market": "spot", "symbol": "BTC_USDT"}


async def test_what_was_written_is_there_after_a_kill(autojump_clock: trio.testing.MockClock) -> None:
    """And the lock of the killed process is gone."""
    disk, alive = Disk(random.Random(1), slowest=1.0), [True]
    first = disk.mount(lambda: alive[0])("bot.journal")
    assert not await first.open()
    await first.append(INTENT)
    assert trio.current_time() > 0, "an fsync takes virtual time"
    alive[0] = False
    disk.crash()
    second = disk.mount(lambda: True)("./bot.journal")
    assert [entry["id"] for entry in await second.open()] == ["bt1"]


async def test_what_was_on_its_way_may_be_half_there(autojump_clock: trio.testing.MockClock) -> None:
    """Over some kills: half a line, and the whole; each is read as what it is."""
    seen = set()
    for seed in range(60):
        disk, alive = Disk(random.Random(seed), slowest=1.0), [True]
        journal = disk.mount(lambda: alive[0])("j")  # noqa: B023
        await journal.open()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.append, INTENT)
            await trio.testing.wait_all_tasks_blocked()
            alive[0] = False
            disk.crash()
        found = await disk.mount(lambda: True)("j").open()
        seen.add((len(found), disk.torn > 0))
    assert seen >= {(0, True), (1, False)}


async def test_a_killed_process_writes_nothing_more(autojump_clock: trio.testing.MockClock) -> None:
    disk, alive = Disk(random.Random(1)), [True]
    journal = disk.mount(lambda: alive[0])("j")
    await journal.open()
    alive[0] = False
    disk.crash()
    before = disk.content("j")
    await journal.append(INTENT)
    journal.note(INTENT)
    await journal.compact(lambda: [INTENT])
    await journal.close()
    assert disk.content("j") == before


async def test_one_writer_at_a_time(autojump_clock: trio.testing.MockClock) -> None:
    disk = Disk(random.Random(1))
    open_journal = disk.mount(lambda: True)
    first = open_journal("j")
    await first.open()
    with pytest.raises(bm.errors.JournalLocked):
        await open_journal("j").open()
    first.note(INTENT)
    await first.close()
    assert len(await open_journal("j").open()) == 1


async def test_a_path_opens_it_while_a_day_lasts(autojump_clock: trio.testing.MockClock) -> None:
    """A path, and a `FileJournal` that the bot makes itself; a journal of another kind stays what it is."""
    disk, own = Disk(random.Random(1)), bm.trading.MemoryJournal()
    token = DISK.set(disk.mount(lambda: True))
    try:
        for journal in ("nowhere/bot.journal", bm.trading.FileJournal("nowhere/bot.journal")):
            opened = as_journal(journal)
            await opened.open()
            await opened.close()
        assert as_journal(own) is own
    finally:
        DISK.reset(token)
    assert disk.opened == 2
