"""A bot under a storm of refusals can still cancel; it signs with the exchange's time, whatever its own clock does."""

from __future__ import annotations

import pytest
import trio
from trading_kit import CANCEL, MARKETS, SUBMIT, open_ids, opener, rest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import ClockSkew, Refuse429, Request, Response, Venue

QUERIES = {"spot": "/spot/v4/query/*", "futures": "/contract/private/*order*s"}


def ages(venue: Venue) -> list[int]:
    """How old (ms) each signed request's timestamp was when it came in; grows with every request."""
    handle, found = venue.simulation.bitmart.serve, list[int]()

    def measuring(request: Request) -> Response:
        stamp = request.headers.get("x-bm-timestamp")
        if stamp is not None:
            found.append(venue.exchange.now_ms() - int(stamp))
        return handle(request)

    venue.simulation.bitmart.serve = measuring  # type: ignore[method-assign]
    return found


@pytest.mark.parametrize("market", MARKETS)
async def test_cancels_get_through_a_storm_of_429(autojump_clock: MockClock, market: str) -> None:
    """Every query and every new order is refused, fifty tasks ask all the same, and cancels go out at once."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client(config=bm.Config(max_connections=4)) as client,
        opener(client, market) as session,
        trio.open_nursery() as nursery,
    ):
        orders = [await rest(session) for _ in range(5)]

        async def ask() -> None:
            while True:
                try:
                    if market == "spot":
                        await client.spot.trading.open_orders()
                    else:
                        await client.futures.trading.open_orders()
                except bm.RateLimited:
                    await trio.lowlevel.checkpoint()

        for path in (QUERIES[market], SUBMIT[market]):
            venue.faults.add(Refuse429(path, times=None))
        for _ in range(50):
            nursery.start_soon(ask)
        await trio.sleep(5)
        for order in orders:
            began = trio.current_time()
            await order.cancel()
            assert trio.current_time() - began < 0.5
        assert open_ids(venue, market) == []
        venue.faults.clear()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("market", MARKETS)
async def test_the_exit_gets_through_a_storm_of_429(autojump_clock: MockClock, market: str) -> None:
    """Cancels too are refused for a while: the exit goes on until it is confirmed."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            for _ in range(5):
                await rest(session)
            venue.faults.add(Refuse429("*", times=None, lasting=15))
        assert session.report is not None
        assert session.report.confirmed
        assert session.report.seconds < 30
        assert open_ids(venue, market) == []


async def test_renewals_get_through_a_flood_of_their_own_kind(autojump_clock: MockClock) -> None:
    """The switch is renewed in time while ordinary calls wait in hundreds for every slot."""
    async with (
        bm.sim.open_exchange(seed=7) as venue,
        venue.open_client(config=bm.Config(max_connections=4)) as client,
        trio.open_nursery() as nursery,
    ):

        async def ask() -> None:
            while True:
                await client.futures.trading.open_orders()

        for _ in range(200):
            nursery.start_soon(ask)
        async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=6) as switch:
            for _ in range(20):
                await trio.sleep(1)
                assert switch.fires_in > 3
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("market", MARKETS)
async def test_it_signs_after_waiting(autojump_clock: MockClock, market: str) -> None:
    """Orders that wait seconds for their quota carry the time at which they go out, not when they were asked for."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, deadline=200) as session,
    ):
        found, began = ages(venue), trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(120):
                nursery.start_soon(rest, session)
        assert trio.current_time() - began > 4
        assert len(found) >= 120
        assert max(found) <= 1


@pytest.mark.parametrize("market", MARKETS)
async def test_it_signs_anew_on_every_try(autojump_clock: MockClock, market: str) -> None:
    """A try that was refused with 429 is repeated with a fresh timestamp."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        refusals = venue.faults.add(Refuse429(SUBMIT[market], times=2))
        found, began = ages(venue), trio.current_time()
        await rest(session)
        assert refusals.hits == 2
        assert trio.current_time() - began > 3
        assert max(found) <= 1


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("skew", [-90_000, -4_000, 4_000, 90_000])
async def test_a_wrong_clock_costs_one_question(autojump_clock: MockClock, market: str, skew: int) -> None:
    """The exchange's clock and ours differ: orders are placed and cancelled, and `latency` says by how much."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        venue.faults.add(ClockSkew(ms=skew))
        async with opener(client, market) as session:
            order = await rest(session)
            await order.cancel()
        latency = await (client.spot if market == "spot" else client.futures).system.latency()
        assert latency.offset == pytest.approx(skew, abs=2)
        assert latency.bound <= 2


@pytest.mark.parametrize("market", MARKETS)
async def test_a_suspended_machine_trades_on(autojump_clock: MockClock, market: str) -> None:
    """Our clock stands still for an hour of the exchange's: the first refusal sets it right, and nothing is lost."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session)
        venue.exchange.clock.step(3_600_000)
        after = await rest(session, price="29000")
        await order.cancel()
        assert open_ids(venue, market) == [after.client_order_id]


@pytest.mark.parametrize("market", MARKETS)
async def test_a_clock_that_drifts_is_kept_right(autojump_clock: MockClock, market: str) -> None:
    """Half a percent fast, for hours: every call is accepted, and the error stays within the stated bound."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        config = bm.Config(clock=lambda: 1_767_225_600 + trio.current_time() * 1.005)
        async with venue.open_client(config=config) as client, opener(client, market) as session:
            system = (client.spot if market == "spot" else client.futures).system
            for _ in range(5):
                order = await rest(session)
                await trio.sleep(600)
                await order.cancel()
                latency = await system.latency()
                assert latency.bound <= 5


@pytest.mark.parametrize("market", MARKETS)
async def test_a_storm_of_cancels_stays_within_the_quota(autojump_clock: MockClock, market: str) -> None:
    """A hundred orders are closed on exit without one refusal: 40 requests in 2 s, on spot for ten orders each."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            async with trio.open_nursery() as nursery:
                for _ in range(100):
                    nursery.start_soon(rest, session)
        assert session.report is not None
        assert len(session.report.cancelled) == 100
        path, least = ("/spot/v4/cancel_orders", 10) if market == "spot" else (CANCEL[market], 100)
        assert len([row for row in venue.exchange.log.lines if row.get("path") == path]) >= least
        assert 429 not in [row.get("status") for row in venue.exchange.log.lines]
