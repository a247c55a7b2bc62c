"""What a user of the streams sees as types. Only type checkers run this: ``mypy --strict tests/typing``."""

from __future__ import annotations

from typing import Any, assert_type

import bitmart_trio as bm
from bitmart_trio import models


async def spot(streams: bm.Streams) -> None:
    """An opener gives its channel's model; only ``gaps="mark"`` adds the gaps."""
    async with streams.spot.trade("BTC_USDT") as trades:
        assert_type(trades, bm.Subscription[models.SpotTrade])
        async for trade in trades:
            assert_type(trade, models.SpotTrade)
        async for batch in trades.batches():
            assert_type(batch, list[models.SpotTrade])
        assert_type(trades.receive_nowait(), models.SpotTrade)
        assert_type(trades.clone(), bm.Subscription[models.SpotTrade])
    async with streams.spot.trade("BTC_USDT", gaps="raise", buffer=5, overflow="drop_oldest") as trades:
        assert_type(await trades.receive(), models.SpotTrade)
    async with streams.spot.trade("BTC_USDT", gaps="raise", backfill=True) as trades:
        assert_type(await trades.receive(), models.SpotTrade)
    async with streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as whole:
        assert_type(await whole.receive(), models.SpotTrade | models.Gap | models.Backfilled)
    async with streams.spot.ticker("BTC_USDT", "ETH_USDT", gaps="mark") as tickers:
        assert_type(await tickers.receive(), models.SpotTicker | models.Gap)
    async with streams.spot.kline("BTC_USDT", interval="1M", gaps="mark") as bars:
        assert_type(await bars.receive(), models.SpotKlineUpdate | models.Gap | models.Backfilled)
    async with streams.spot.depth("BTC_USDT", level=50) as books:
        assert_type(await books.receive(), models.SpotDepth)
    async with streams.spot.depth_increase("BTC_USDT", gaps="skip") as changes:
        assert_type(await changes.receive(), models.SpotDepthIncrease)
    async with streams.spot.book_ticker("BTC_USDT") as best:
        assert_type(await best.receive(), models.SpotBookTicker)
    async with streams.spot.user_order("BTC_USDT") as orders, streams.spot.user_orders(gaps="mark") as every:
        assert_type(await orders.receive(), models.SpotOrderUpdate)
        assert_type(await every.receive(), models.SpotOrderUpdate | models.Gap | models.Backfilled)
    async with streams.spot.user_balance() as balances:
        assert_type(await balances.receive(), models.SpotBalanceUpdate)


async def futures(streams: bm.Streams) -> None:
    """The same on the other market."""
    async with streams.futures.ticker("BTCUSDT") as one, streams.futures.tickers(gaps="mark") as every:
        assert_type(await one.receive(), models.FuturesTicker)
        assert_type(await every.receive(), models.FuturesTicker | models.Gap)
    async with streams.futures.funding_rate("BTCUSDT") as rates:
        assert_type(await rates.receive(), models.FuturesFundingRateUpdate)
    async with streams.futures.depth("BTCUSDT", level=5, speed="100ms", gaps="mark") as sides:
        assert_type(await sides.receive(), models.FuturesDepthSide | models.Gap)
    async with streams.futures.depth_all("BTCUSDT", level=5) as books:
        assert_type(await books.receive(), models.FuturesDepth)
    async with streams.futures.depth_increase("BTCUSDT", level=5, speed="200ms") as changes:
        assert_type(await changes.receive(), models.FuturesDepthIncrease)
    async with streams.futures.depth_all_v2("BTCUSDT", level=5) as arrays:
        assert_type(await arrays.receive(), models.FuturesDepth)
    async with streams.futures.book_ticker("BTCUSDT") as best:
        assert_type(await best.receive(), models.FuturesBookTicker)
    async with streams.futures.trade("BTCUSDT") as trades:
        assert_type(await trades.receive(), models.FuturesTrade)
    async with streams.futures.trade("BTCUSDT", gaps="mark", backfill=True) as whole:
        assert_type(await whole.receive(), models.FuturesTrade | models.Gap | models.Backfilled)
    async with streams.futures.kline("BTCUSDT", interval="1W") as bars:
        assert_type(await bars.receive(), models.FuturesKlineUpdate)
    async with streams.futures.mark_price_kline("BTCUSDT", interval="1m", gaps="raise") as marks:
        assert_type(await marks.receive(), models.FuturesMarkPriceKlineUpdate)
    async with streams.futures.asset("USDT") as assets, streams.futures.position() as positions:
        assert_type(await assets.receive(), models.FuturesAssetUpdate)
        assert_type(await positions.receive(), models.FuturesPositionUpdate)
    async with streams.futures.order(gaps="mark") as orders:
        assert_type(await orders.receive(), models.FuturesOrderUpdate | models.Gap | models.Backfilled)


async def any_topic(streams: bm.Streams) -> None:
    """A topic by name has no type of its own; events have one."""
    async with streams.subscribe("futures/klineBin1m:BTCUSDT") as items:
        assert_type(items, bm.Subscription[Any])
    async with streams.events() as events:
        assert_type(await events.receive(), models.AnyStreamEvent)


async def mistakes(streams: bm.Streams) -> None:
    """What a checker refuses: an ignore that is not needed is an error."""
    streams.spot.ticker("BTC_USDT", backfill=True)  # type: ignore[call-overload]
    streams.spot.kline("BTC_USDT", interval="2m")  # type: ignore[call-overload]
    streams.spot.kline("BTC_USDT")  # type: ignore[call-overload]
    streams.spot.depth("BTC_USDT", level=100)  # type: ignore[call-overload]
    streams.futures.depth("BTCUSDT", level=5, speed="500ms")  # type: ignore[call-overload]
    streams.futures.depth_all_v2("BTCUSDT", level=5, speed="")  # type: ignore[call-overload]
    streams.spot.trade("BTC_USDT", gaps="ignore")  # type: ignore[call-overload]
    streams.spot.trade("BTC_USDT", overflow="oldest")  # type: ignore[call-overload]
    streams.spot.trade("BTC_USDT", bufer=5)  # type: ignore[call-overload]
    streams.spot.trade(5)  # type: ignore[call-overload]
    await streams.connect("options")  # type: ignore[arg-type]


def variance(trades: bm.Subscription[models.SpotTrade]) -> bm.Subscription[models.SpotTrade | models.Gap]:
    """A stream of trades is a stream of trades or gaps."""
    return trades
