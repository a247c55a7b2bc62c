"""The market by hand: books that hold exactly what a test put there, trades at exact prices, prices that stand."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock

from bitmart_trio.sim import open_exchange

BTC = "BTC_USDT"
D = Decimal


Item = TypeVar("Item")


async def next_of(channel: trio.abc.ReceiveChannel[Item]) -> Item:
    """The next item; the exchange's clock never rests, so a test that waits in vain would wait for ever."""
    with trio.fail_after(60):
        return await channel.receive()


async def test_nothing_moves_by_itself(autojump_clock: MockClock) -> None:
    """A scripted exchange opens with empty books at round prices, and a minute and a half later nothing has changed."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        exchange.book.set(BTC, bids=[("59999", "1")], asks=[("60001", "2"), ("60002.5", "0.5")])
        await trio.sleep(90)
        book = await client.spot.market.order_book(BTC)
        assert [(level.price, level.size) for level in book.bids] == [(D(59999), D(1))]
        assert [(level.price, level.size) for level in book.asks] == [(D(60001), D(2)), (D("60002.5"), D("0.5"))]
        assert (await client.spot.market.order_book("ETH_USDT")).bids == []
        assert (await client.spot.market.ticker(BTC)).last_price == 60_000
        assert exchange.exchange.futures.listings["BTCUSDT"].mark == 60_000
        assert not [event for event in exchange.exchange.log.lines if event["kind"] == "match"]


async def test_users_trade_with_what_was_set(autojump_clock: MockClock) -> None:
    """A market order eats the set levels from the best on; what it took is gone, and it pays exactly that."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        exchange.book.set(BTC, bids=[("59990", "1")], asks=[("60000", "0.1"), ("60010", "0.1"), ("60020", "5")])
        order = await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.25", price="60015")
        state = await client.spot.trading.order(order_id=order.order_id)
        assert (state.filled_size, state.filled_notional) == (D("0.2"), D("12001"))
        assert exchange.book.asks(BTC) == [(D(60020), D(5))]
        assert exchange.book.bids(BTC)[0] == (D(60015), D("0.05"))


async def test_a_trade_is_pushed_and_fills_users_on_its_way(autojump_clock: MockClock) -> None:
    """Users' orders that the price reaches are filled first, at their price; strangers trade the rest at the price."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        async with client.streams.spot.trade(BTC) as trades, client.streams.spot.user_orders() as orders:
            exchange.book.set(BTC, bids=[("59980", "3")], asks=[("60001", "2")])
            await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.1", price="59995")
            await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.2", price="59990")
            await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.2", price="59900")
            exchange.market.trade(BTC, price="59980", size="1", side="sell")
            seen = [await next_of(trades) for _ in range(3)]
            assert [(trade.price, trade.size, trade.side) for trade in seen] == [
                (D(59995), D("0.1"), "sell"),
                (D(59990), D("0.2"), "sell"),
                (D(59980), D("0.7"), "sell"),
            ]
            assert exchange.book.bids(BTC) == [(D(59980), D("2.3")), (D(59900), D("0.2"))]
            states = [(await next_of(orders)).order_state for _ in range(5)]
            assert states == ["new", "new", "new", "filled", "filled"]
        assert (await client.spot.market.ticker(BTC)).last_price == 59_980
        bar = (await client.spot.market.klines(BTC, step=1, limit=1))[0]
        assert (bar.high, bar.low, bar.close, bar.volume) == (D(59995), D(59980), D(59980), D(1))


async def test_a_level_that_meets_a_user_trades(autojump_clock: MockClock) -> None:
    """New levels arrive like orders: the user's resting one is filled at its own price, the rest of the level stays."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        placed = await client.spot.trading.submit_order(symbol=BTC, side="buy", type="limit", size="0.4", price="60000")
        exchange.book.set(BTC, asks=[("59990", "1"), ("60010", "1")])
        assert (await client.spot.trading.order(order_id=placed.order_id)).state == "filled"
        assert exchange.book.asks(BTC) == [(D(59990), D("0.6")), (D(60010), D(1))]
        assert (await client.spot.trading.order(order_id=placed.order_id)).price_avg == 60_000


async def test_contracts_are_scripted_too(autojump_clock: MockClock) -> None:
    """Book, trades, depth pushes, and a price that liquidates at the next tick."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        exchange.book.set("BTCUSDT", bids=[("59999", 100)], asks=[("60001", 200)])
        async with client.streams.futures.trade("BTCUSDT") as trades, client.streams.futures.position() as positions:
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=1, type="market", size=50, leverage="50", open_type="isolated"
            )
            assert (await next_of(trades)).price == 60_001
            assert (await next_of(positions)).size == 50
            assert exchange.book.asks("BTCUSDT") == [(D(60001), D(150))]
            exchange.market.trade("BTCUSDT", price="60000.5", size=7, side="sell")
            trade = await next_of(trades)
            assert (trade.price, trade.size) == (D("60000.5"), D(7))
            exchange.market.price("BTCUSDT", "58000")
            assert exchange.exchange.futures.listings["BTCUSD"].mark == 58_000
            assert (await next_of(positions)).size == 0


async def test_without_a_life_of_its_own_a_tick_pushes(autojump_clock: MockClock) -> None:
    """With live=False paced pushes and triggers wait for `tick`; trades are told at once."""
    async with (
        open_exchange(market="scripted", live=False) as exchange,
        exchange.open_client() as client,
        client.streams.spot.depth(BTC, level=5) as depth,
        client.streams.spot.trade(BTC) as trades,
    ):
        first = await next_of(depth)
        assert first.bids == []
        exchange.market.trade(BTC, price=60_000, size=1)
        assert (await next_of(trades)).size == 1
        exchange.book.set(BTC, bids=[(59_999, 1)])
        exchange.exchange.clock.step(500)
        exchange.tick()
        assert (await next_of(depth)).bids[0].price == 59_999


async def test_a_price_alone_fires_triggers(autojump_clock: MockClock) -> None:
    """The last price moves without a trade; what waits for it goes off at the next tick."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        exchange.book.set(BTC, bids=[("61000", "1")], asks=[("61100", "1")])
        placed = await client.spot.algo.submit_order(
            BTC, side="sell", type="trigger", trigger_type="limit", trigger_price="60500", price="61000", size="0.1"
        )
        exchange.market.price(BTC, 61_000)
        await trio.sleep(0.2)
        assert placed.order_id
        assert exchange.book.bids(BTC) == [(D(61000), D("0.9"))]


def refusals() -> list[tuple[str, dict[str, object], type[Exception], str]]:
    """What cannot be set, and why."""
    return [
        ("XXX_USDT", {"bids": []}, ValueError, "not listed"),
        (BTC, {"bids": [("60000.001", "1")]}, ValueError, "no multiple"),
        (BTC, {"bids": [("60000", "0.000001")]}, ValueError, "no multiple"),
        (BTC, {"bids": [("-1", "1")]}, ValueError, "above zero"),
        (BTC, {"bids": [(60000.5, "1")]}, TypeError, "float"),
        (BTC, {"bids": [("60000", "1"), ("60000.00", "2")]}, ValueError, "two levels"),
        (BTC, {"bids": [("60001", "1")], "asks": [("60001", "1")]}, ValueError, "cross"),
        (BTC, {"asks": [("59000", "1")]}, ValueError, "cross"),
        ("BTCUSDT", {"asks": [("60000", "1.5")]}, ValueError, "no multiple"),
    ]


@pytest.mark.parametrize(("symbol", "sides", "kind", "reason"), refusals())
async def test_books_that_cannot_be_are_refused(
    symbol: str, sides: dict[str, object], kind: type[Exception], reason: str, autojump_clock: MockClock
) -> None:
    """With the reason, and the book is what it was."""
    async with open_exchange(market="scripted") as exchange:
        exchange.book.set(BTC, bids=[("59999", "1")])
        with pytest.raises(kind, match=reason):
            exchange.book.set(symbol, **sides)  # type: ignore[arg-type]
        assert exchange.book.bids(BTC) == [(D(59999), D(1))]
        assert exchange.book.asks(BTC) == []


async def test_makers_keep_their_books(autojump_clock: MockClock) -> None:
    """On a synthetic market a trade and a price can be made by hand, a book cannot."""
    async with open_exchange(seed=1, live=False) as exchange:
        with pytest.raises(RuntimeError, match="scripted"):
            exchange.book.set(BTC, bids=[])
        with pytest.raises(ValueError, match="side"):
            exchange.market.trade(BTC, price=1, size=1, side="both")  # type: ignore[arg-type]
        exchange.market.price(BTC, 50_000)
        exchange.tick()
        assert abs(exchange.exchange.spot.markets[BTC].last - 50_000) < 50
        exchange.market.trade(BTC, price=50_010, size=1)
        assert exchange.exchange.spot.markets[BTC].last == 50_010


async def test_money_is_conserved_by_scripts(autojump_clock: MockClock) -> None:
    """Whatever is set and traded, no currency appears or vanishes."""
    async with open_exchange(market="scripted") as exchange, exchange.open_client() as client:
        accounts = exchange.exchange.accounts

        def money(currency: str) -> Decimal:
            wallets = [*accounts.own, *(account.spot for account in accounts.all())]
            return sum((wallet.total(currency) for wallet in wallets), D(0))

        before = {currency: money(currency) for currency in ("BTC", "USDT")}
        for number in range(20):
            exchange.book.set(BTC, bids=[(59_990 - number, "0.3")], asks=[(60_010 - number, "0.2")])
            side = "buy" if number % 2 else "sell"
            await client.spot.trading.submit_order(symbol=BTC, side=side, type="limit", size="0.25", price="60000")
            exchange.market.trade(
                BTC, price=60_000 + 5 * (number % 3), size="0.1", side="sell" if number % 3 else "buy"
            )
        assert {currency: money(currency) for currency in before} == before
