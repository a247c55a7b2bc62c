"""An empty list that comes of the exchange's own date says so in the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trio

import bitmart_trio as bm
from bitmart_trio.sim.exchange import START_MS

OPENED = datetime.fromtimestamp(START_MS / 1000, UTC)
LATER = OPENED + timedelta(days=300)


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


async def test_candles_of_a_time_to_come_are_explained_once(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    """One line a path, with the path, the time that was asked for and the exchange's."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        for _ in range(2):
            assert await client.spot.market.klines("BTC_USDT", step=60, after=LATER) == []
            assert (
                await client.futures.market.klines(
                    "BTCUSDT", step=60, start_time=LATER, end_time=LATER + timedelta(days=1)
                )
                == []
            )
            history = client.futures.account.transaction_history
            assert await history(start_time=LATER, end_time=LATER + timedelta(days=1)) == []
    lines = _lines(caplog)
    assert [line.partition(" is empty")[0] for line in lines] == [
        "GET /spot/quotation/v3/klines",
        "GET /contract/public/kline",
        "GET /contract/private/transaction-history",
    ]
    for line in lines:
        assert "from 2026-10-28T00:00:00Z on" in line
        assert "shows 2026-01-01T00:00:0" in line
        assert "start= sets it" in line


async def test_what_is_empty_for_another_reason_needs_no_word(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    """Nothing was traded yet; a caller's clock is some seconds ahead; there are candles."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        assert await client.spot.trading.order_history(start_time=OPENED - timedelta(days=1)) == []
        assert await client.spot.market.klines("BTC_USDT", step=60, after=OPENED + timedelta(seconds=30)) == []
        assert await client.spot.market.klines("BTC_USDT", step=60, after=OPENED - timedelta(days=1))
    assert _lines(caplog) == []


@pytest.mark.parametrize("start", ["", "soon", "99999999999999999999999", "-1"])
async def test_a_span_that_is_no_time_is_left_to_its_handler(
    start: str, caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    codes: list[object] = []
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        for path in ("/contract/public/kline", "/contract/private/transaction-history"):
            params = {"symbol": "BTCUSDT", "step": "60", "start_time": start, "end_time": start}
            try:
                await client.futures.request("GET", path, params=params, auth="keyed")
            except bm.ApiError as refused:
                codes.append(refused.code)
    assert 59002 not in codes  # the code of a bug in the simulated exchange
    assert _lines(caplog) == []
