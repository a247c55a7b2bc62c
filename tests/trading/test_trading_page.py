"""The code that the documentation promises runs as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.trading import MemoryJournal, _engine


async def test_a_session_in_five_lines(
    autojump_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path for the journal, an order, a wait, a cancel of what is over."""
    monkeypatch.chdir(tmp_path)
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        async with bm.trading.open_spot_session(client, "BTC_USDT", journal="bot.journal", on_exit="cancel") as session:
            order = await session.submit(side="buy", type="limit", size="0.001", price="60000")
            filled = await order.wait_filled()
            assert filled.is_closed
            await order.cancel()
    files = sorted(path.name for path in tmp_path.iterdir())  # noqa: ASYNC240
    assert files == ["bot.journal", "bot.journal.lock"]


async def test_nothing_grows_without_end(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of orders later the session holds only the open ones, and the journal was cut back."""
    monkeypatch.setattr(_engine, "_COMPACT_ABOVE", 100)
    journal = MemoryJournal()
    async with (
        bm.sim.open_exchange(seed=7, live=False) as exchange,
        exchange.open_client() as client,
        bm.trading.open_futures_session(client, "BTCUSDT", journal=journal, deadline=600) as session,
    ):
        for _ in range(20):
            async with trio.open_nursery() as nursery:
                for _ in range(10):
                    nursery.start_soon(_round, session)
        assert session.orders == []
        assert journal.length < 150
    assert session.report is not None
    assert session.report.confirmed


async def _round(session: bm.trading.FuturesSession) -> None:
    order = await session.submit(side=1, size=1, price="30000", leverage=5, open_type="cross")
    await order.cancel()
