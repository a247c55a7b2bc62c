"""A session on a full disk: it places nothing, cancels what was left, and closes what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from disk_kit import FullDisk
from trading_kit import MARKETS, open_ids, opener, rest, take

import bitmart_trio as bm


@pytest.mark.parametrize("market", MARKETS)
async def test_leftovers_are_cancelled_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, market: str
) -> None:
    """The session opens, sees to them, and refuses new orders until there is room."""
    path = tmp_path / "bot.journal"
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market, journal=path, on_exit="leave") as session:
            await rest(session)
            await (await take(session)).wait_filled()
        assert len(open_ids(venue, market)) == 1
        with monkeypatch.context() as full:
            FullDisk(full)
            async with opener(client, market, journal=path) as session:
                assert len(session.leftovers) == 1
                assert open_ids(venue, market) == []
                with pytest.raises(bm.errors.JournalError, match="no space"):
                    await rest(session)
        assert session.report is not None
        assert session.report.confirmed
        async with opener(client, market, journal=path) as session:
            assert session.leftovers == ()
            await rest(session)
        assert open_ids(venue, market) == []


async def test_positions_are_closed_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The closing order is written into the reserve, and sent."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with monkeypatch.context() as full:
            async with opener(client, "futures", journal=tmp_path / "j", on_exit="close") as session:
                await (await take(session)).wait_filled()
                FullDisk(full)
                with pytest.raises(bm.errors.JournalError, match="no space"):
                    await take(session)
                await trio.lowlevel.checkpoint()
            assert session.report is not None
            assert session.report.confirmed
            assert len(session.report.closing) == 1
        account = venue.exchange.accounts.get("1")
        assert account is not None
        assert list(venue.exchange.futures.engine.trader(account).open_positions()) == []
