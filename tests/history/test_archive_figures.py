"""The report against the books of the exchange: what moved is what the wallets gained, to the last digit."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import trio
import trio.testing
from test_archive import inline

import bitmart_trio as bm
from bitmart_trio.history.archive import archive, export


async def test_the_net_of_each_coin_is_what_the_wallets_gained(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        before = {each.currency: each.available_balance for each in await client.futures.account.assets()}
        for notional in (50, 60, 70):
            await client.spot.trading.submit_order("BTC_USDT", side="buy", type="market", notional=notional)
        await client.spot.trading.submit_order("BTC_USDT", side="sell", type="market", size="0.0004")
        for side in (1, 3):
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=side, type="market", size=5, leverage="5", open_type="cross"
            )
        await trio.sleep(1)
        report = await archive(
            client,
            tmp_path / "archive",
            since=exchange.exchange.clock.start,
            allow_trading_key=True,
            settle=0,
            without=("broker", "affiliate"),
            run=inline,
        )
        spot = {each.currency: each.available + each.frozen for each in await client.spot.account.spot_balances()}
        futures = {each.currency: each.equity for each in await client.futures.account.assets()}
    assert report.complete
    net = {each.coin: each.net for each in report.totals}
    for coin in ("USDT", "BTC", "ETH"):
        # The exchange begins with a futures wallet that nothing was transferred to.
        gained = spot[coin] + futures.get(coin, Decimal(0)) - before.get(coin, Decimal(0))
        assert net[coin] == gained
    export(tmp_path / "archive", tmp_path / "tables", format="koinly")
    with (tmp_path / "tables" / "koinly.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sums = dict.fromkeys(net, Decimal(0))
    for row in rows:
        for amount, coin, sign in (("Received", "Received", 1), ("Sent", "Sent", -1), ("Fee", "Fee", -1)):
            if row[f"{amount} Amount"]:
                sums[row[f"{coin} Currency"]] += sign * Decimal(row[f"{amount} Amount"])
    assert sums == net
