"""Received plus declared is the tape: the exchange's own record against what a subscriber got over a line that breaks.

Each run has its own seed: of the market, of the breaks, of what the account does. ``BITMART_TAPES`` asks for more runs.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
import trio
from proof_sizes import TAPES
from tape_kit import (
    CONFIG,
    Market,
    OrderState,
    Reader,
    Tape,
    break_often,
    check_counts,
    clock,
    lost_in_silence,
    order_heard,
    order_told,
    reading,
    trade_heard,
    trade_told,
)

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.venue import Venue, open_exchange

SYMBOL = {"spot": "BTC_USDT", "futures": "BTCUSDT"}
seeds = pytest.mark.parametrize("seed", range(TAPES))
pytestmark = pytest.mark.proof
markets = pytest.mark.parametrize("market", ["spot", "futures"])


# ---- trades ---------------------------------------------------------------------------------------------------------


class Stale:
    """The public market over REST, as a cache of unknown age would have it."""

    def __init__(self, market: Any, exchange: Venue, draw: random.Random) -> None:
        self._market = market
        self._draw = draw
        self._kept: dict[str, tuple[float, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    async def trades(self, symbol: str, *, limit: int | None = None) -> Any:
        """Up to two seconds old."""
        at, rows = self._kept.get(symbol, (float("-inf"), None))
        if trio.current_time() - at > 2 * self._draw.random():
            rows = await self._market.trades(symbol, limit=limit)
            self._kept[symbol] = trio.current_time(), rows
        else:
            await trio.lowlevel.checkpoint()
        return rows


@markets
@pytest.mark.parametrize("stale", [False, True], ids=["fresh", "stale"])
@seeds
def test_trades(seed: int, stale: bool, market: Market) -> None:
    """As multisets of time, price, size and side; nothing twice, and in the order of the exchange."""

    async def main() -> None:
        draw, tape = random.Random(seed), Tape()
        reader: Reader[Any] = Reader()
        symbol = SYMBOL[market]
        async with open_exchange(seed=seed) as exchange, exchange.open_client(config=CONFIG) as client:
            if stale:
                rest: Any = getattr(client, market)
                rest.__dict__["market"] = Stale(rest.market, exchange, draw)
            opener: Any = getattr(client.streams, market).trade
            async with opener(symbol, gaps="mark", backfill=True) as trades, reading((trades, reader)):
                exchange.exchange.feed.listen(f"{market}/trade:{symbol}", None, tape.deliver)
                await break_often(exchange, f"{market}/public", draw)
            check_counts(trades, reader)
        received = Counter(map(trade_heard, reader.items))
        published = [(at, trade_told(market, row)) for at, row in tape.rows()]
        assert not received - Counter(trade for _, trade in published)
        assert not lost_in_silence(published, received, reader)
        if not reader.gaps:
            times = [str(trade_heard(item)[0]) for item in reader.items]
            ordered = times if market == "spot" else [time[:19] for time in times]
            assert ordered == sorted(ordered)

    trio.run(main, clock=clock())


# ---- bars -----------------------------------------------------------------------------------------------------------


@markets
@seeds
def test_klines(seed: int, market: Market) -> None:
    """Each bar that has ended was received in its last state, or lies in a declared gap."""

    async def main() -> None:
        draw, tape = random.Random(seed), Tape()
        reader: Reader[Any] = Reader()
        symbol = SYMBOL[market]
        topic = f"{market}/kline{'1m' if market == 'spot' else 'Bin1m'}:{symbol}"
        async with open_exchange(seed=seed) as exchange, exchange.open_client(config=CONFIG) as client:
            streams: Any = getattr(client.streams, market)
            begin = exchange.exchange.clock.now_ms() // 1000
            offset = begin - trio.current_time()
            async with (
                streams.kline(symbol, interval="1m", gaps="mark", backfill=True, overflow="fail") as bars,
                reading((bars, reader)),
            ):
                exchange.exchange.feed.listen(topic, None, tape.deliver)
                await trio.sleep(draw.uniform(0, 100))
                await break_often(exchange, f"{market}/public", draw)
                await trio.sleep(60)
            check_counts(bars, reader)
            end = exchange.exchange.clock.now_ms() // 1000
            truth: dict[int, tuple[Decimal, ...]] = {}
            if market == "spot":
                for row in await client.spot.market.klines(symbol, step=1, limit=200):
                    truth[row.open_time] = row.open, row.high, row.low, row.close, row.volume
            else:
                rows = await client.futures.market.klines(symbol, start_time=begin - 60, end_time=end, step=1)
                for bar in rows:
                    figures = bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.volume
                    truth[bar.timestamp] = figures
        last: dict[int, tuple[Decimal, ...]] = {}
        for item in reader.items:
            time = item.open_time if market == "spot" else item.time // 60 * 60
            last[time] = item.open, item.high, item.low, item.close, item.volume
        # Bars are pushed twice a second, so a change just before a bar's end is never pushed.
        pushed: dict[int, tuple[Decimal, ...]] = {}
        for _, row in tape.rows():
            if market == "spot":
                time, *candle = row["candle"]
                pushed[time] = tuple(map(Decimal, candle))
            else:
                for item in row["items"]:
                    pushed[item["ts"] // 60 * 60] = tuple(Decimal(item[name]) for name in "ohlcv")
        assert len(truth) > 2
        for start, final in truth.items():
            if begin <= start and start + 60 < end and last.get(start) not in (final, pushed.get(start)):
                assert any(gap.since + offset < start + 61 and start < gap.until + offset for gap in reader.gaps)

    trio.run(main, clock=clock())


# ---- own orders and balances ----------------------------------------------------------------------------------------


async def _trade_spot(client: bm.Client, draw: random.Random) -> None:
    """One deed: an order that rests, one that fills, or a cancellation."""
    trading = client.spot.trading
    try:
        match draw.randrange(4):
            case 0 | 1:
                last = (await client.spot.market.ticker("BTC_USDT")).last_price
                price = (last * (10_000 + draw.randint(-20, 20)) / 10_000).quantize(Decimal("0.01"))
                size = Decimal(draw.randint(1, 300)) / 1000
                await trading.submit_order(
                    "BTC_USDT", side=draw.choice(("buy", "sell")), type="limit", size=size, price=price
                )
            case 2:
                await trading.submit_order("ETH_USDT", side="buy", type="market", notional=100)
            case _:
                for order in (await trading.open_orders("BTC_USDT"))[:3]:
                    await trading.cancel_order("BTC_USDT", order.order_id)
    except bm.ApiError:
        pass  # it was filled before it could be cancelled, or the money is gone


async def _trade_futures(client: bm.Client, draw: random.Random) -> None:
    trading = client.futures.trading
    try:
        match draw.randrange(4):
            case 0 | 1:
                last = (await client.futures.market.contracts("BTCUSDT"))[0].last_price or Decimal(0)
                price = (last * (10_000 + draw.randint(-20, 20)) / 10_000).quantize(Decimal("0.1"))
                side, size = draw.choice((1, 4)), draw.randint(1, 40)
                await trading.submit_order(symbol="BTCUSDT", side=side, size=size, type="limit", price=price)
            case 2:
                await trading.submit_order(symbol="ETHUSDT", side=draw.choice((1, 2, 3, 4)), size=5, type="market")
            case _:
                await trading.cancel_all_orders("BTCUSDT")
    except bm.ApiError:
        pass


def _deeds(market: Market) -> Any:
    return _trade_spot if market == "spot" else _trade_futures


async def _be_busy(client: bm.Client, market: Market, draw: random.Random) -> None:
    while True:
        await _deeds(market)(client, draw)
        await trio.sleep(1.5 * draw.random())


@markets
@seeds
def test_own_orders(seed: int, market: Market) -> None:
    """Every fill comes once, in order, and every order ends as it did at the exchange, unless a gap is declared."""

    async def main() -> None:
        draw, tape = random.Random(seed), Tape()
        reader: Reader[Any] = Reader()
        topic = "spot/user/orders:ALL_SYMBOLS" if market == "spot" else "futures/order"
        async with open_exchange(seed=seed) as exchange, exchange.open_client(config=CONFIG) as client:
            for _ in range(4):
                await _deeds(market)(client, draw)
            streams: Any = getattr(client.streams, market)
            opener = streams.user_orders if market == "spot" else streams.order
            async with opener(gaps="mark", backfill=True) as orders, reading((orders, reader)):
                exchange.exchange.feed.listen(topic, "1", tape.deliver)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_be_busy, client, market, draw)
                    await break_often(exchange, f"{market}/private", draw)
                    nursery.cancel_scope.cancel()
                await trio.sleep(5)
            check_counts(orders, reader)
        told = [(at, order_told(market, row)) for at, row in tape.rows()]
        heard = [order_heard(item) for item in reader.items]

        now: dict[str, OrderState] = {}
        for state in heard:
            before = now.get(state.order_id)
            if before is not None:
                assert (state.filled, state.closed) > (before.filled, before.closed), "repeated, or turned back"
                assert state.filled == before.filled or state.filled == before.filled + (state.trade_size or 0)
            now[state.order_id] = state
        fills = {(state.order_id, state.trade) for state in heard if state.trade is not None}
        ends: dict[str, tuple[float, OrderState]] = {state.order_id: (at, state) for at, state in told}
        pending_gap = [gap for gap in reader.gaps if "contracts with orders" not in gap.reason]
        for at, state in told:
            if state.trade is not None and not any(gap.since <= at <= gap.until for gap in pending_gap):
                assert (state.order_id, state.trade) in fills
        for name, (at, state) in ends.items():
            if not any(gap.since <= at <= gap.until for gap in pending_gap):
                assert name in now
                assert (now[name].filled, now[name].closed) == (state.filled, state.closed)

    trio.run(main, clock=clock())


@seeds
def test_spot_balances(seed: int) -> None:
    """After the last gap, what the subscriber believes is what the exchange has."""

    async def main() -> None:
        draw = random.Random(seed)
        reader: Reader[models.SpotBalanceUpdate] = Reader()
        async with open_exchange(seed=seed) as exchange, exchange.open_client(config=CONFIG) as client:
            async with (
                client.streams.spot.user_balance(gaps="mark", backfill=True) as balances,
                reading((balances, reader)),
            ):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_be_busy, client, "spot", draw)
                    await break_often(exchange, "spot/private", draw)
                    nursery.cancel_scope.cancel()
                await client.spot.trading.cancel_all_orders()  # of which balances are not told, but by a snapshot
                exchange.drop_connections("spot/private")
                await trio.sleep(40)
            check_counts(balances, reader)
            truth = {row.currency: (row.available, row.frozen) for row in await client.spot.account.spot_balances()}
        believed: dict[str, tuple[Decimal, Decimal]] = {}
        for update in reader.items:
            believed |= {each.currency: (each.available, each.frozen) for each in update.balances}
        assert believed == truth
        assert not reader.gaps

    trio.run(main, clock=clock())


@seeds
def test_futures_assets_and_positions(seed: int) -> None:
    """The same on futures."""

    async def main() -> None:
        draw = random.Random(seed)
        assets: Reader[models.FuturesAssetUpdate] = Reader()
        positions: Reader[models.FuturesPositionUpdate] = Reader()
        async with open_exchange(seed=seed) as exchange, exchange.open_client(config=CONFIG) as client:
            streams = client.streams.futures
            async with (
                streams.asset("USDT", gaps="mark", backfill=True, overflow="fail") as money,
                streams.position(gaps="mark", backfill=True, overflow="fail") as holdings,
                reading((money, assets), (holdings, positions)),
            ):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_be_busy, client, "futures", draw)
                    await break_often(exchange, "futures/private", draw)
                    nursery.cancel_scope.cancel()
                await client.futures.trading.cancel_all_orders("BTCUSDT")
                exchange.drop_connections("futures/private")
                await trio.sleep(40)
                row = next(row for row in await client.futures.account.assets() if row.currency == "USDT")
                held = {
                    (row.symbol, row.position_side.value): row.current_amount
                    for row in await client.futures.position.positions_v2()
                    if row.current_amount
                }
            check_counts(money, assets)
            check_counts(holdings, positions)
        last = assets.items[-1]
        assert (last.available, last.frozen, last.position_margin) == (
            row.available_balance, row.frozen_balance, row.position_deposit,
        )  # fmt: skip
        believed: dict[tuple[str, str], Decimal] = {}
        for update in positions.items:
            believed[update.symbol, "long" if update.side == 1 else "short"] = update.size
        assert {key: size for key, size in believed.items() if size} == held

    trio.run(main, clock=clock())
