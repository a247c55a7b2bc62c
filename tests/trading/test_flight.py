"""Whether the bytes of a write may be on the wire: known at every moment, whatever becomes of the call."""

from __future__ import annotations

import pytest
import trio
from trading_kit import MARKETS, SUBMIT
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio._io.flight import FLIGHT, Flight
from bitmart_trio.sim import Delay, Fail5xx, Fault, LoseReply, LoseRequest, Refuse429, RefuseConnect

pytestmark = pytest.mark.parametrize("market", MARKETS)


async def send(client: bm.Client, market: str, flight: Flight, *, price: str = "30000") -> None:
    """Place an order, watched."""
    FLIGHT.set(flight)
    with flight.scope:
        if market == "spot":
            await client.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.001", price=price
            )
        else:
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=1, size=1, price=price, leverage=5, open_type="cross"
            )


@pytest.mark.parametrize(
    ("fault", "may_arrive"),
    [
        (LoseRequest, True),
        (LoseReply, True),
        (Fail5xx, True),
        (Refuse429, False),
    ],
)
async def test_after_the_call(autojump_clock: MockClock, market: str, fault: type[Fault], may_arrive: bool) -> None:
    """A timestamp is left exactly when nobody knows what became of the request."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        venue.faults.add(fault(path=SUBMIT[market], times=None))  # type: ignore[call-arg]
        flight, before = Flight(), venue.exchange.now_ms()
        with pytest.raises(bm.OutcomeUnknown if may_arrive else bm.RateLimited):
            await send(client, market, flight)
        if may_arrive:
            assert flight.stamp is not None
            assert before <= flight.stamp <= venue.exchange.now_ms()
        else:
            assert flight.stamp is None


async def test_a_refusal_and_a_connection_that_was_never_made(autojump_clock: MockClock, market: str) -> None:
    """Nothing of either is on its way."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        flight = Flight()
        with pytest.raises(bm.ApiError):
            await send(client, market, flight, price="0.0000001")
        assert flight.stamp is None
        venue.drop_connections("http")
        venue.faults.add(RefuseConnect("http", times=None))
        flight = Flight()
        with pytest.raises(bm.ConnectionLost):
            await send(client, market, flight)
        assert flight.stamp is None


async def test_reads_on_the_way_change_nothing(autojump_clock: MockClock, market: str) -> None:
    """The question for the time that a refused timestamp causes is no write of ours."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        venue.faults.add(bm.sim.ClockSkew(ms=90_000))
        venue.faults.add(LoseReply(SUBMIT[market], after=1))
        flight = Flight()
        with pytest.raises(bm.OutcomeUnknown):
            await send(client, market, flight)
        assert flight.stamp is not None
        assert abs(flight.stamp - venue.exchange.now_ms()) < 1000


async def test_giving_up(autojump_clock: MockClock, market: str) -> None:
    """A call that waits for its quota is ended at once; one that is on its way goes on to its end."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        trio.open_nursery() as nursery,
    ):
        slow = Flight()
        venue.faults.add(Delay(SUBMIT[market], seconds=3))
        nursery.start_soon(send, client, market, slow)
        await trio.sleep(1)
        assert slow.stamp is not None
        slow.abandon()
        assert not slow.scope.cancel_called
        await trio.sleep(3)
        venue.faults.add(Refuse429(SUBMIT[market], times=None))
        waiting = Flight()
        nursery.start_soon(send, client, market, waiting)
        await trio.sleep(1)
        assert waiting.stamp is None
        waiting.abandon()
        assert waiting.scope.cancel_called
