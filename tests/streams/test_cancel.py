"""Cancelled at every pause of connect, login, subscribe, receive and close: nothing is left, and the next try works."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import trio
from proof_sizes import moments
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faults import Stall
from bitmart_trio.sim.venue import Venue, open_exchange
from bitmart_trio.testing import sweep

SYMBOLS = ["BTC_USDT", "ETH_USDT", "BMX_USDT", "BTCUSDT"]
"""Fewer than usual: every run of a sweep opens an exchange."""


@asynccontextmanager
async def exchange_around() -> AsyncGenerator[Venue]:
    """An exchange that has no socket left in the end."""
    async with open_exchange(seed=1, symbols=SYMBOLS) as exchange:
        yield exchange
        assert exchange.connections == []


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["public", "private"])
@pytest.mark.parametrize("tap", [True, False], ids=["tap", "get_message"])
def test_a_whole_life_of_a_client(kind: str, tap: bool) -> None:
    """open_client, subscribe, receive, add, leave: all in the cancelled scope."""

    async def body(exchange: Venue) -> None:
        async with exchange.open_client(config=bm.Config(tap=tap)) as client:
            if kind == "public":
                async with client.streams.spot.trade("BTC_USDT") as trades, client.streams.futures.ticker("BTCUSDT"):
                    await trades.receive()
                    await trades.add("ETH_USDT")
                    await trades.remove("BTC_USDT")
                    await trades.aclose()
            else:
                async with client.streams.spot.user_orders() as orders:
                    await client.spot.trading.submit_order(symbol="BTC_USDT", side="sell", type="market", size="0.001")
                    await orders.receive()

    assert sweep(body, around=exchange_around, moments=moments(tap is (kind == "public"))).checkpoints > 10


def test_one_subscription_of_a_client_that_lives_on() -> None:
    """The cancelled opener lets its topics go; the client's other subscription and a new try work."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[bm.Client]:
        async with open_exchange(seed=1, symbols=SYMBOLS) as exchange, exchange.open_client() as client:
            async with client.streams.spot.ticker("ETH_USDT") as tickers:
                yield client
                await trio.sleep(1)
                assert set(exchange.connections[0].topics) == {"spot/ticker:ETH_USDT"}
                async with client.streams.spot.trade("BTC_USDT", "BMX_USDT") as trades:
                    await trades.receive()
                assert tickers.statistics().gaps == 0

    async def body(client: bm.Client) -> None:
        async with client.streams.spot.trade("BTC_USDT") as trades:
            await trades.add("BMX_USDT")
            await trades.receive()

    assert sweep(body, around=around).checkpoints > 3


def test_a_private_connection_that_is_shared_by_a_cancelled_opener() -> None:
    """Two openers wait for one login; one is cancelled anywhere, the other gets its stream."""

    @asynccontextmanager
    async def around() -> AsyncGenerator[bm.Client]:
        async with open_exchange(seed=1, symbols=SYMBOLS) as exchange, exchange.open_client() as client:
            opened: list[bool] = []

            async def other() -> None:
                async with client.streams.spot.user_orders():
                    opened.append(True)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(other)
                yield client
            assert opened == [True]

    async def body(client: bm.Client) -> None:
        async with client.streams.spot.user_orders():
            pass

    assert sweep(body, around=around).checkpoints >= 2


async def test_leaving_takes_a_bounded_time_when_the_server_is_silent(autojump_clock: MockClock) -> None:
    """A polite close ends at Timeouts.close, also in a cancelled scope."""
    config = bm.Config(timeouts=bm.Timeouts(close=2))
    async with open_exchange(seed=1) as exchange:
        for cancelled in (False, True):
            with trio.CancelScope() as scope:
                async with exchange.open_client(config=config) as client, client.streams.spot.trade("BTC_USDT"):
                    exchange.faults.add(Stall())
                    if cancelled:
                        scope.cancel()
                    left = trio.current_time()
            assert trio.current_time() - left <= 2 + 0.1
            exchange.faults.clear()


async def test_streams_serve_a_block_that_is_being_cancelled(autojump_clock: MockClock) -> None:
    """Whoever has something to finish behind a shield still gets messages; nothing is left behind it."""
    async with open_exchange(seed=1) as exchange:
        with trio.move_on_after(3) as scope:
            async with exchange.open_client() as client, client.streams.spot.trade("BTC_USDT") as trades:
                try:
                    await trio.sleep_forever()
                finally:
                    with trio.move_on_after(30, shield=True):
                        received = [await trades.receive() for _ in range(5)]
        assert scope.cancelled_caught
        assert len(received) == 5
        await trio.testing.wait_all_tasks_blocked()
        assert exchange.connections == []
