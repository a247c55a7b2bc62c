"""Calls handed over without HTTP: the same answers and faults, and carried out whatever becomes of the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

import bitmart_trio as bm
from bitmart_trio.sim.models import Models, parse_latency


async def order(client: bm.Client, symbol: str = "BTC_USDT") -> None:
    """Place one that rests."""
    await client.spot.trading.submit_order(symbol=symbol, side="buy", type="limit", size="0.001", price="30000")


def placed(venue: bm.sim.Venue) -> int:
    """How many orders the exchange took."""
    return len(list(venue.exchange.spot.engine.of_account("1")))


@asynccontextmanager
async def opened(wire: bool = False, latency: str = "none") -> AsyncIterator[tuple[bm.sim.Venue, bm.Client]]:
    """An exchange and a client that reaches it so."""
    models = Models(latency=parse_latency(latency))
    async with bm.sim.open_exchange(seed=1, symbols=["BTC_USDT"], tick_seconds=5, models=models) as venue:
        async with bm.open_client(
            venue.credentials,
            environment=venue.environment,
            config=bm.Config(clock=venue.clock, suspended_after=float("inf")),
            http_transport=venue.http_transport(wire=wire),
            connect=venue.connect,
        ) as client:
            yield venue, client


async def test_it_answers_as_over_http(autojump_clock: trio.testing.MockClock) -> None:
    seen = []
    for wire in (True, False):
        async with opened(wire) as (venue, client):
            ticker = await client.spot.market.ticker("BTC_USDT")
            await order(client)
            with pytest.raises(bm.ApiError) as refused:
                await order(client, "NO_SUCH")
            seen.append((ticker.last_price, refused.value.code, placed(venue)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("fault", ["LoseReply", "HalfReply", "Delay:seconds=15", "GarbageReply", "LoseRequest"])
async def test_a_write_that_is_cut_off_is_unknown(fault: str, autojump_clock: trio.testing.MockClock) -> None:
    """And it was carried out, unless it never arrived."""
    async with opened() as (venue, client):
        venue.faults.add(bm.sim.parse_fault(fault))
        with pytest.raises(bm.OutcomeUnknown):
            await order(client)
        await trio.sleep(20)
        assert placed(venue) == (fault != "LoseRequest")


async def test_a_cancelled_call_is_carried_out(autojump_clock: trio.testing.MockClock) -> None:
    """Where the exchange takes its time, the order comes about although nobody waits for it any more."""
    async with opened(latency="fixed:500ms") as (venue, client):
        with trio.move_on_after(0.1):
            await order(client)
        await trio.sleep(2)
        assert placed(venue) == 1


async def test_a_closed_exchange_refuses(autojump_clock: trio.testing.MockClock) -> None:
    async with bm.sim.open_exchange(seed=1) as venue:
        transport = venue.http_transport(wire=False)
    async with bm.open_client(environment=venue.environment, http_transport=transport) as client:
        with pytest.raises(bm.ConnectionLost):
            await client.spot.market.ticker("BTC_USDT")
