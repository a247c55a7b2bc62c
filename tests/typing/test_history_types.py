"""What a user of the histories sees as types. Only type checkers run this: ``mypy --strict tests/typing``."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import bitmart_trio as bm
from bitmart_trio import history, models


async def walkers(client: bm.Client, since: int) -> None:
    """A walker gives its endpoint's records, from a client or from the market alone."""
    assert_type(history.spot_fills(client, since=since), history.Walker[models.SpotFill])
    assert_type(history.spot_klines(client.spot, "BTC_USDT", since=since), history.Walker[models.SpotKline])
    assert_type(history.futures_orders(client.futures, "BTCUSDT", since=since), history.Walker[models.FuturesOrder])
    assert_type(history.broker_rebates(client, since=since), history.Walker[history.DailyRebate])
    async for transaction in history.futures_transactions(client, since=since):
        assert_type(transaction, models.Transaction)
    async for batch in history.deposits(client, since=since).batches():
        assert_type(batch, list[models.DepositWithdrawRecord])
    async for window in history.funding_rates(client, "BTCUSDT").windows():
        assert_type(window, history.Window[models.FundingRateRecord])
        assert_type(window.records, tuple[models.FundingRateRecord, ...])
        assert_type(window.gap, history.HistoryGap | None)
    walker = history.spot_orders(client, since=since, cursor={})
    assert_type(await anext(walker), models.SpotOrder)
    assert_type(walker.cursor, history.Cursor)


async def files(client: bm.Client) -> None:
    """An archive gives its report, its proof what it found."""
    assert_type(await history.archive.archive(client, "somewhere"), history.archive.ArchiveReport)
    assert_type(history.archive.verify(Path("somewhere")), history.archive.Verification)
    exported = await history.export(
        lambda cursor: history.spot_fills(client, since=0, cursor=cursor), models.SpotFill, "fills.csv"
    )
    assert_type(exported, history.Exported)
