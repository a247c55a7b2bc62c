"""Bots on an exchange with latency: accepted is not in the book, a cancellation may lose, and nothing is doubled."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest
import trio
from trading_kit import MARKETS, SUBMIT, SYMBOL, open_ids, opener, requests, rest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Models
from bitmart_trio.sim.models import Fixed, Jittered, Ways
from bitmart_trio.sim.venue import Venue
from bitmart_trio.trading import MemoryJournal, OrderState, Session

pytestmark = pytest.mark.parametrize("market", MARKETS)


def placed(venue: Venue, market: str) -> Counter[str]:
    """How many orders the exchange has of each client order id, open and finished."""
    exchange = venue.exchange
    if market == "spot":
        return Counter(order.form.client_order_id for order in exchange.spot.engine.of_account("1"))
    account = exchange.accounts.get("1")
    assert account is not None
    trader = exchange.futures.engine.trader(account)
    return Counter(order.client_order_id for order in (*trader.orders.values(), *trader.finished))


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_doubled_under_latency(autojump_clock: MockClock, market: str, seed: int) -> None:
    """A bot that places, is cut off in the middle and cancels, for a while: each intent is one order at most.

    What its handles say in the end is what the exchange says, and leaving leaves nothing open. The journal is in
    memory: virtual time does not wait for the thread that writes a file.
    """
    dice, models = random.Random(seed), Models(latency=Jittered(20, 300))
    handles: list[bm.trading.Order] = []
    async with bm.sim.open_exchange(seed=seed, models=models) as venue, venue.open_client() as client:
        async with opener(client, market, journal=MemoryJournal()) as session:
            for _ in range(12):
                with trio.move_on_after(dice.choice((0.1, 0.5, 5))):
                    handles.append(await near(session, venue, market, dice))
                if handles and dice.random() < 0.6:
                    with trio.move_on_after(dice.choice((0.05, 5))):
                        await dice.choice(handles).cancel()
                await trio.sleep(dice.random())
        counts = placed(venue, market)
        assert counts
        assert set(counts.values()) == {1}, "an intent became two orders"
        assert requests(venue, SUBMIT[market]) == sum(counts.values())
        assert open_ids(venue, market) == []
        for handle in handles:
            assert handle.is_closed
            assert handle.filled_size == filled(venue, market, handle.client_order_id)


async def near(session: Session, venue: Venue, market: str, dice: random.Random) -> bm.trading.Order:
    """Submit a buy near the price, so that some fill at once, some later and some not at all."""
    exchange = venue.exchange
    last = exchange.spot.markets["BTC_USDT"].last if market == "spot" else exchange.futures.listings["BTCUSDT"].last
    price = (last * dice.randint(9995, 10005) / 10000).quantize(Decimal("0.1"))
    return await rest(session, price=format(price, "f"))


def filled(venue: Venue, market: str, client_order_id: str) -> Decimal:
    exchange = venue.exchange
    if market == "spot":
        found = exchange.spot.engine.find("1", client_order_id=client_order_id)
        assert found is not None
        return found.filled_size
    account = exchange.accounts.get("1")
    assert account is not None
    trader = exchange.futures.engine.trader(account)
    return next(
        order.deal_size
        for order in (*trader.orders.values(), *trader.finished)
        if order.client_order_id == client_order_id
    )


async def test_a_cancellation_that_loses_against_a_fill(autojump_clock: MockClock, market: str) -> None:
    """The exchange accepts the cancellation, the order fills before it arrives: the handle ends as filled."""
    models, symbol = Models(latency=Ways(order=Fixed(500), push=Fixed(100))), SYMBOL[market]
    async with (
        bm.sim.open_exchange(market="scripted", models=models) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session, price="30000")
        await trio.sleep(1)

        async def fill() -> None:
            await trio.sleep(0.2)
            venue.market.trade(symbol, price="30000", size="2", side="sell")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fill)
            status = await order.cancel()
        if not status.is_closed:
            status = await order.wait_closed()
        assert status.state is OrderState.FILLED
        assert status.filled_size == status.size


async def test_leaving_while_orders_are_on_their_way(autojump_clock: MockClock, market: str) -> None:
    """An order that is accepted and not yet in the book is cancelled like any other."""
    models = Models(latency=Ways(order=Fixed(800), push=Fixed(300)))
    async with bm.sim.open_exchange(market="scripted", models=models) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            order = await rest(session)
            assert venue.book.bids(SYMBOL[market]) == []
        assert open_ids(venue, market) == []
        assert order.is_closed
        await trio.sleep(5)
        assert venue.book.bids(SYMBOL[market]) == []
