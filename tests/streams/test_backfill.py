"""Gaps that are filled over REST: what a reader sees, what is counted, what fails, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Literal

import pytest
import trio
from stream_kit import Market, buy, drained, ready, wait_for
from tape_kit import Reader, check_counts, order_heard, reading
from trio.testing import MockClock, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.faults import BlankIds, Delay, Fail5xx, LoseReply, RefuseUpgrade, WrongUnit
from bitmart_trio.sim.venue import Venue, open_exchange
from bitmart_trio.testing import sweep

TRADES = "/spot/quotation/v3/trades"
QUICK = bm.Config(backoff=bm.Backoff(first=0.1, maximum=0.3))
"""A gap is as long as the test wants it."""


async def _break(exchange: Venue, client: bm.Client, kind: str = "spot/public", *, seconds: float = 0.0) -> None:
    """Break a kind of connection, for at least so long, and wait until it is back."""
    async with client.streams.events() as events:
        handle = exchange.faults.add(RefuseUpgrade(connection=kind, times=None)) if seconds else None
        exchange.drop_connections(kind)
        if handle is not None:
            await trio.sleep(seconds)
            handle.remove()
        await wait_for(events, models.Subscribed)


async def _drained(subscription: bm.Subscription[Any]) -> list[Any]:
    await wait_all_tasks_blocked()
    return drained(subscription)


async def _read_on(subscription: bm.Subscription[Any]) -> None:
    async for _ in subscription:
        pass


# ---- what a reader sees ---------------------------------------------------------------------------------------------


async def test_a_gap_that_is_filled_whole_leaves_no_gap(autojump_clock: MockClock) -> None:
    """The mark says how many, the items follow it in order, then comes what was pushed since; the others only count."""
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=QUICK) as client:
        trade = client.streams.spot.trade
        async with (
            trade("BTC_USDT", gaps="mark", backfill=True) as marked,
            trade("BTC_USDT", gaps="raise", backfill=True) as raising,
            trade("BTC_USDT", backfill=True) as skipping,
        ):
            await trio.sleep(5)
            await _break(exchange, client, seconds=2)
            await trio.sleep(5)
            items = await _drained(marked)
            marks = [item for item in items if not isinstance(item, models.SpotTrade)]
            assert [type(mark) for mark in marks] == [models.Backfilled]
            (mark,) = marks
            assert mark.count > 0
            assert (mark.epoch, mark.topic) == (1, "spot/trade:BTC_USDT")
            at = items.index(mark)
            start = exchange.exchange.clock.now_ms() - round(trio.current_time() * 1000)
            missed = items[at + 1 : at + 1 + mark.count]
            assert all(start + mark.since * 1000 <= item.time <= start + mark.until * 1000 + 100 for item in missed)
            times = [item.time or 0 for item in items if isinstance(item, models.SpotTrade)]
            assert times == sorted(times)
            for other in (raising, skipping):
                assert await _drained(other) == [item for item in items if item is not mark]
            for each in (marked, raising, skipping):
                counts = each.statistics()
                assert (counts.backfilled, counts.gaps, counts.reconnects) == (mark.count, 0, 1)


async def test_a_gap_in_which_nothing_happened_is_said_to_be_filled(autojump_clock: MockClock) -> None:
    """Backfilled(0): the reader knows that the line was down, and that it has everything."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.user_orders(gaps="mark", backfill=True) as orders:
            await trio.sleep(15)
            await _break(exchange, client, "spot/private", seconds=1)
            await trio.sleep(1)
            (mark,) = await _drained(orders)
            assert isinstance(mark, models.Backfilled)
            assert mark.count == 0
            assert orders.statistics().gaps == 0


async def test_what_rest_does_not_have_stays_a_gap_behind_what_it_has(autojump_clock: MockClock) -> None:
    """REST tells 50 trades: of a longer gap the newest are filled in, and the gap that follows says why."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades:
            await trio.sleep(5)
            await _break(exchange, client, seconds=60)
            await trio.sleep(5)
            items = await _drained(trades)
            marks = [item for item in items if not isinstance(item, models.SpotTrade)]
            assert [type(mark) for mark in marks] == [models.Backfilled, bm.Gap]
            filled, gap = marks
            assert 0 < filled.count <= 50
            assert items.index(gap) == items.index(filled) + filled.count + 1
            assert "50 trades" in gap.reason
            assert (gap.since, gap.epoch) == (filled.since, 1)
            assert (trades.statistics().gaps, trades.statistics().backfilled) == (1, filled.count)


async def test_in_a_quiet_market_nothing_waits_for_the_next_trade(autojump_clock: MockClock) -> None:
    """What was missed is delivered as soon as REST has told it; that it comes again by push is noticed."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:

        async def buy() -> None:
            await client.spot.trading.submit_order("BTC_USDT", side="buy", type="market", notional=100)

        for _ in range(5):
            exchange.exchange.tick()
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades:
            for _ in range(2):
                await buy()
                await trio.sleep(1)
            assert len(await _drained(trades)) == 2
            exchange.drop_connections("spot/public")
            await buy()
            await trio.sleep(2)
            mark, missed = await _drained(trades)
            assert (mark.count, missed.side) == (1, "buy")
            await trio.sleep(60)
            assert await _drained(trades) == []
            await buy()
            await trio.sleep(5)
            (live,) = await _drained(trades)
            assert live.time > missed.time
            assert trades.statistics().gaps == 0


async def test_a_gap_before_the_first_trade_cannot_be_filled(autojump_clock: MockClock) -> None:
    """There is nothing to join on."""
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades:
            await _break(exchange, client)
            gap = await trades.receive()
            assert isinstance(gap, bm.Gap)
            assert "no trade had been received" in gap.reason


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_bars_that_ended_in_a_gap_are_read_over_rest(autojump_clock: MockClock, market: str) -> None:
    """Three minutes without a line: every bar's last state is there."""
    symbol = "BTC_USDT" if market == "spot" else "BTCUSDT"
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        opener: Any = getattr(client.streams, market).kline
        async with opener(symbol, interval="1m", gaps="mark", backfill=True) as bars:
            await trio.sleep(30)
            await _break(exchange, client, f"{market}/public", seconds=200)
            await trio.sleep(3)
            items = await _drained(bars)
            (mark,) = [item for item in items if isinstance(item, models.Backfilled)]
            assert mark.count >= 3
            assert not [item for item in items if isinstance(item, bm.Gap)]
            starts = {
                (item.open_time if market == "spot" else item.time // 60 * 60) for item in items if item is not mark
            }
            first = exchange.exchange.clock.start // 1000
            assert starts >= {first, first + 60, first + 120, first + 180}


async def test_what_became_of_orders_in_a_gap(autojump_clock: MockClock) -> None:
    """A fill, a cancellation of an order known before, and a new order: each is told, once."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trading = client.spot.trading
        old = await trading.submit_order("BTC_USDT", side="buy", type="limit", size="0.01", price="30000")
        async with client.streams.spot.user_order("BTC_USDT", gaps="mark", backfill=True) as orders:
            known = await trading.submit_order("BTC_USDT", side="buy", type="limit", size="0.01", price="31000")
            await trio.sleep(15)
            assert [item.order_id for item in await _drained(orders)] == [known.order_id]
            exchange.drop_connections("spot/private")
            await trading.cancel_order("BTC_USDT", old.order_id)
            await trading.cancel_order("BTC_USDT", known.order_id)
            bought = await trading.submit_order("BTC_USDT", side="buy", type="market", notional=500)
            resting = await trading.submit_order("BTC_USDT", side="buy", type="limit", size="0.01", price="32000")
            await trio.sleep(3)
            mark, *updates = await _drained(orders)
            assert isinstance(mark, models.Backfilled)
            assert mark.count == len(updates)
            ends = {update.order_id: update.order_state for update in updates}
            assert ends == {
                old.order_id: "canceled",
                known.order_id: "canceled",
                bought.order_id: "partially_canceled",
                resting.order_id: "new",
            }
            fills = [update for update in updates if update.order_id == bought.order_id]
            # Its end comes after its fills and shows the last of them once more, as every end of an order does.
            sizes = {update.trade_id: update.last_fill_size for update in fills}
            assert sum(sizes.values()) == fills[-1].filled_size
            assert [update.order_state for update in fills] == ["partially_filled"] * len(sizes) + [
                "partially_canceled"
            ]
            assert orders.statistics().gaps == 0


async def test_orders_that_rest_shows_without_an_id_are_in_the_gap(autojump_clock: MockClock) -> None:
    """They are neither told as an order that has no id nor taken for one another."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trading = client.spot.trading
        async with client.streams.spot.user_order("BTC_USDT", gaps="mark", backfill=True) as orders:
            for price in ("30000", "31000"):
                await trading.submit_order("BTC_USDT", side="buy", type="limit", size="0.01", price=price)
            await trio.sleep(15)
            assert len(await _drained(orders)) == 2
            exchange.faults.add(BlankIds())
            exchange.drop_connections("spot/private")
            await trading.submit_order("BTC_USDT", side="buy", type="limit", size="0.01", price="32000")
            await trio.sleep(5)
            (gap,) = await _drained(orders)
            assert isinstance(gap, models.Gap)
            assert "orders without an id" in gap.reason
            assert orders.statistics().backfilled == 0


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_records_at_times_that_cannot_be_leave_a_gap(
    autojump_clock: MockClock, market: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Seconds instead of milliseconds, or the other way round: an order that came in the gap is not left out of it."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        streams: Any = getattr(client.streams, market)
        opening = streams.user_orders if market == "spot" else streams.order
        symbol = "BTC_USDT" if market == "spot" else "BTCUSDT"
        async with (
            opening(gaps="mark", backfill=True) as orders,
            streams.trade(symbol, gaps="mark", backfill=True) as trades,
        ):
            await trio.sleep(15)
            await _drained(orders)
            await _drained(trades)
            exchange.faults.add(WrongUnit())
            exchange.drop_connections()
            if market == "spot":
                await client.spot.trading.submit_order(symbol, side="buy", type="market", notional="50")
            else:
                await client.futures.trading.submit_order(symbol=symbol, side=1, size=3, type="market")
            await trio.sleep(10)
            gaps = [item for item in await _drained(orders) if isinstance(item, models.Gap)]
            assert [gap.reason.partition("not filled: ")[2] for gap in gaps] == [
                "REST lists orders or fills at impossible times"
            ]
            if market == "futures":  # spot's trades are rows without named members, which the fault passes by
                assert any(isinstance(item, models.Gap) for item in await _drained(trades))
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_futures_orders_are_filled_as_far_as_rest_tells(autojump_clock: MockClock) -> None:
    """Fills and ends come; that a contract never heard of has no history leaves a gap behind them."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trading = client.futures.trading
        async with client.streams.futures.order(gaps="mark", backfill=True) as orders:
            resting = await trading.submit_order(
                symbol="BTCUSDT", side=1, size=3, type="limit", price="30000", leverage="5", open_type="cross"
            )
            plan = await trading.submit_plan_order(
                symbol="BTCUSDT", side=1, size=1, type="market", leverage="5", open_type="cross",
                mode=1, trigger_price="90000", price_way=1, price_type=1,
            )  # fmt: skip
            await trio.sleep(15)
            await _drained(orders)
            exchange.drop_connections("futures/private")
            await trading.cancel_order("BTCUSDT", resting.order_id)
            await trading.cancel_plan_order("BTCUSDT", order_id=plan.order_id)
            bought = await trading.submit_order(symbol="ETHUSDT", side=1, size=7, type="market")
            await trio.sleep(3)
            mark, *updates, gap = await _drained(orders)
            assert mark.count == len(updates)
            assert "contracts with orders" in gap.reason
            assert {update.order.order_id for update in updates} == {
                resting.order_id, str(plan.order_id), bought.order_id,
            }  # fmt: skip
            assert all(update.order.state == 4 for update in updates if update.order.order_id != bought.order_id)
            fills = [update.order for update in updates if update.order.order_id == bought.order_id]
            assert sum(fill.last_trade.size for fill in fills) == 7


async def test_balances_are_read_anew(autojump_clock: MockClock) -> None:
    """What a trade in the gap has changed is told as a snapshot."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with client.streams.spot.user_balance(gaps="mark", backfill=True) as balances:
            exchange.drop_connections("spot/private")
            await client.spot.trading.submit_order("BTC_USDT", side="buy", type="market", notional=500)
            await trio.sleep(3)
            mark, update = await _drained(balances)
            assert (mark.count, update.event_type) == (1, models.BalanceEvent.SNAPSHOT)
            truth = {row.currency: row.available for row in await client.spot.account.spot_balances()}
            assert {each.currency: each.available for each in update.balances} == truth


async def test_positions_and_assets_are_read_anew(autojump_clock: MockClock) -> None:
    """A position that was closed in the gap is told with size 0, a new one as it is."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trading, streams = client.futures.trading, client.streams.futures
        await trading.submit_order(symbol="BTCUSDT", side=1, size=3, type="market")
        async with (
            streams.position(gaps="mark", backfill=True) as positions,
            streams.asset("USDT", gaps="mark", backfill=True) as assets,
        ):
            await trio.sleep(12)
            assert [item.size for item in await _drained(positions)][-1:] == [3]
            await _drained(assets)
            exchange.drop_connections("futures/private")
            await trading.submit_order(symbol="BTCUSDT", side=3, size=3, type="market")
            await trading.submit_order(symbol="ETHUSDT", side=4, size=5, type="market")
            await trio.sleep(2)
            mark, *updates = await _drained(positions)
            assert mark.count >= 1
            assert {(each.symbol, each.side, each.size) for each in updates} == {
                ("BTCUSDT", 1, Decimal(0)), ("ETHUSDT", 2, Decimal(5)),
            }  # fmt: skip
            asset = (await _drained(assets))[-1]
            (row,) = [row for row in await client.futures.account.assets() if row.currency == "USDT"]
            assert (asset.available, asset.position_margin) == (row.available_balance, row.position_deposit)


# ---- what fails -----------------------------------------------------------------------------------------------------


async def test_when_rest_fails_the_gap_stays_and_the_stream_goes_on(autojump_clock: MockClock) -> None:
    """The reason is in the gap; with gaps="raise" the next receive goes on behind it."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        trade = client.streams.spot.trade
        async with (
            trade("BTC_USDT", gaps="mark", backfill=True) as marked,
            trade("BTC_USDT", gaps="raise", backfill=True) as raising,
        ):
            await trio.sleep(5)
            exchange.faults.add(Fail5xx(path=TRADES, times=None))
            await _break(exchange, client)
            await trio.sleep(60)
            items = await _drained(marked)
            (gap,) = [item for item in items if not isinstance(item, models.SpotTrade)]
            assert isinstance(gap, bm.Gap)
            assert "not filled" in gap.reason
            assert items[-1] is not gap
            before = items.index(gap)
            for item in items[:before]:
                assert await raising.receive() == item
            with pytest.raises(bm.StreamGap, match="not filled"):
                await raising.receive()
            assert await raising.receive() == items[before + 1]
            assert (marked.statistics().gaps, marked.statistics().backfilled) == (1, 0)


async def test_a_reader_is_not_kept_waiting_without_bound(autojump_clock: MockClock) -> None:
    """REST takes for ever: when half of the buffer is held back, the gap is given up and all goes on in order."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        reader: Reader[models.SpotTrade] = Reader()
        async with (
            client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True, buffer=20) as trades,
            reading((trades, reader)),
        ):
            await trio.sleep(5)
            exchange.faults.add(Delay(path=TRADES, seconds=300, times=None))
            await _break(exchange, client)
            await trio.sleep(60)
            check_counts(trades, reader)
        (gap,) = reader.gaps
        assert "10 pushes were waiting" in gap.reason
        assert reader.filled == 0
        times = [item.time or 0 for item in reader.items]
        assert times == sorted(times)


async def test_a_second_break_while_a_gap_is_filled(autojump_clock: MockClock) -> None:
    """What came between the two is delivered between two marks."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        reader: Reader[models.SpotTrade] = Reader()
        async with (
            client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades,
            reading((trades, reader)),
        ):
            await trio.sleep(5)
            exchange.faults.add(Delay(path=TRADES, seconds=30))
            await _break(exchange, client)
            await trio.sleep(3)
            await _break(exchange, client)
            await trio.sleep(5)
            check_counts(trades, reader)
        kinds = [type(item).__name__ for _, item in reader.got if not isinstance(item, models.SpotTrade)]
        assert kinds == ["Gap", "Backfilled"]
        assert "broke again" in reader.gaps[0].reason


async def test_a_buffer_without_room_keeps_the_gap(autojump_clock: MockClock) -> None:
    """Filling never ends a stream, nor does it push out what was received."""
    async with open_exchange(seed=1) as exchange, exchange.open_client(config=QUICK) as client:
        overflow: Literal["drop_oldest"] = "drop_oldest"
        async with client.streams.spot.trade(
            "BTC_USDT", gaps="mark", backfill=True, buffer=30, overflow=overflow
        ) as trades:
            await trio.sleep(10)
            await _break(exchange, client, seconds=3)
            await trio.sleep(1.5)
            items = await _drained(trades)
            (gap,) = [item for item in items if not isinstance(item, models.SpotTrade)]
            assert "do not fit" in gap.reason


async def test_streams_alone_cannot_read_over_rest() -> None:
    """The opener says so before anything is opened."""
    async with open_exchange(live=False) as exchange, exchange.open_streams() as streams:
        for opener in (streams.spot.trade("BTC_USDT"), streams.futures.order()):
            async with opener:
                pass
        with pytest.raises(bm.ConfigurationError, match="open_client"):
            streams.spot.trade("BTC_USDT", backfill=True)
        with pytest.raises(bm.ConfigurationError, match="open_client"):
            streams.futures.kline("BTCUSDT", interval="1m", backfill=True)


# ---- what is left ---------------------------------------------------------------------------------------------------


def _filling() -> int:
    """How many tasks fill a gap at this moment."""

    def count(task: trio.lowlevel.Task) -> int:
        children = [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return task.name.endswith("Gate._fill") + sum(map(count, children))

    root = trio.lowlevel.current_root_task()
    assert root is not None
    return count(root)


async def test_closing_while_a_gap_is_filled_ends_the_filling(autojump_clock: MockClock) -> None:
    """One subscription closes, another lets the topic go: no task stays, and the client is as before."""
    async with open_exchange(seed=1) as exchange, exchange.open_client() as client:
        async with (
            client.streams.spot.trade("BTC_USDT") as plain,
            client.streams.spot.trade("ETH_USDT", "BTC_USDT", gaps="mark", backfill=True) as other,
        ):
            async with client.streams.spot.trade("BTC_USDT", backfill=True):
                await trio.sleep(10)
                handle = exchange.faults.add(Delay(path=TRADES, seconds=60, times=None))
                await _break(exchange, client)
                await wait_all_tasks_blocked()
                assert _filling() == 3
            await wait_all_tasks_blocked()
            assert _filling() == 2
            await other.remove("BTC_USDT")
            await wait_all_tasks_blocked()
            assert _filling() == 1
            handle.remove()
            gap = next(item for item in await _drained(other) if isinstance(item, bm.Gap))
            assert "given up" in gap.reason
            await plain.receive()
        await wait_all_tasks_blocked()
        assert _filling() == 0
        assert (await client.spot.market.trades("BTC_USDT")) != []


def test_cancelled_anywhere_it_leaves_nothing() -> None:
    """A subscription is cancelled at each of its pauses around a gap: the client works on, and no task is left."""

    async def body(opened: tuple[Venue, bm.Client]) -> None:
        exchange, client = opened
        async with client.streams.spot.trade("BTC_USDT", gaps="mark", backfill=True) as trades:
            await trio.sleep(3)
            exchange.drop_connections("spot/public")
            async for item in trades:
                if isinstance(item, models.Backfilled):
                    return

    @asynccontextmanager
    async def around() -> AsyncGenerator[tuple[Venue, bm.Client]]:
        async with open_exchange(seed=3, symbols=["BTC_USDT"]) as exchange, exchange.open_client() as client:
            async with client.streams.spot.ticker("BTC_USDT"):
                yield exchange, client
                await wait_all_tasks_blocked()
                assert _filling() == 0
                assert await client.spot.market.trades("BTC_USDT")

    assert sweep(body, around=around).checkpoints > 5


async def test_leaving_the_client_while_a_gap_is_filled(autojump_clock: MockClock) -> None:
    """The reader is told as ever: its client is closed."""
    async with open_exchange(seed=1) as exchange:
        exchange.faults.add(LoseReply(path=TRADES, times=None))
        async with trio.open_nursery() as nursery:
            async with exchange.open_client() as client:
                opened = trio.Event()

                async def read() -> None:
                    async with client.streams.spot.trade("BTC_USDT", backfill=True) as trades:
                        opened.set()
                        with pytest.raises(trio.ClosedResourceError):
                            await _read_on(trades)

                nursery.start_soon(read)
                await opened.wait()
                await trio.sleep(5)
                await _break(exchange, client)
                await wait_all_tasks_blocked()


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_an_order_that_is_filled_between_two_reads_keeps_its_fill(
    autojump_clock: MockClock, market: Market
) -> None:
    """The fills had been read when it came, the orders had not: it was reported as closed, and its fill was lost."""
    slow = "/spot/v4/query/open-orders" if market == "spot" else "/contract/private/get-open-orders"
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for _ in range(3):
            exchange.exchange.tick()
        streams: Any = getattr(client.streams, market)
        opening = streams.user_orders if market == "spot" else streams.order
        async with opening(gaps="mark", backfill=True) as orders:
            await trio.sleep(15)  # a pong has been heard since the open orders were read
            handle = exchange.faults.add(Delay(slow, seconds=1.0))
            exchange.drop_connections(f"{market}/private")
            async with client.streams.events() as events:
                await wait_for(events, models.Subscribed)
            await trio.sleep(0.5)
            assert handle.hits
            buy(exchange, market)
            await trio.sleep(10)
            items = [item for item in await ready(orders) if not isinstance(item, bm.Gap | bm.Backfilled)]
            assert [order_heard(item).trade for item in items if order_heard(item).closed] != [None]
            assert any(order_heard(item).trade is not None for item in items)
            assert orders.statistics().gaps == (market == "futures")


async def test_an_order_placed_in_a_gap_that_was_not_filled_is_not_forgotten(autojump_clock: MockClock) -> None:
    """Cancelled in the next gap it leaves no trace: that one was said to be filled whole, and is no more."""
    reads = "/spot/v4/query/*"
    async with open_exchange(seed=1, live=False) as exchange, exchange.open_client() as client:
        for _ in range(3):
            exchange.exchange.tick()
        direct = Direct(exchange.simulation.bitmart, address="10.0.0.9")

        async def break_off() -> None:
            async with client.streams.events() as events:
                exchange.drop_connections("spot/private")
                await wait_for(events, models.Lost)

        async with client.streams.spot.user_orders(gaps="mark", backfill=True) as orders:
            await trio.sleep(15)
            failing = exchange.faults.add(Fail5xx(reads, times=None))
            await break_off()
            rest = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.01", "price": "30000"}
            answer: Any = direct.post("/spot/v2/submit_order", **rest).data
            await trio.sleep(30)
            failing.remove()
            assert [type(item) for item in await ready(orders)] == [bm.Gap]
            await break_off()
            direct.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=answer["order_id"])
            await trio.sleep(30)
            *_, gap = await ready(orders)
            assert isinstance(gap, bm.Gap)
            assert "earlier gap" in gap.reason
            await break_off()
            await trio.sleep(30)
            assert [type(item) for item in await ready(orders)] == [bm.Backfilled]
