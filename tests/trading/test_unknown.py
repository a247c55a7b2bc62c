"""Orders that were cut off on their way: found, or proven absent, and never sent twice before that."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import trio
from trading_kit import MARKETS, SUBMIT, open_ids, opener, requests, rest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import (
    Delay,
    Fail5xx,
    Fault,
    GarbageReply,
    HalfReply,
    LoseReply,
    LoseRequest,
    MuteTopic,
    RefuseConnect,
    Venue,
)
from bitmart_trio.trading import MemoryJournal, OrderState, Rejected, Unknown

pytestmark = pytest.mark.parametrize("market", MARKETS)


def at(fault: Callable[..., Fault], market: str, **options: object) -> Fault:
    """A fault at the placing of an order."""
    return fault(path=SUBMIT[market], **options)


def deaf(venue: Venue, market: str) -> None:
    """Pushes do not help: what is found is found by looking."""
    venue.faults.add(MuteTopic(f"{market}/*"))


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        (LoseReply, {}),
        (HalfReply, {}),
        (GarbageReply, {}),
        (Fail5xx, {"handled": True}),
        (Fail5xx, {"handled": True, "html": True, "status": 502}),
        (Delay, {"seconds": 15.0, "before": False}),
        (Delay, {"seconds": 15.0, "before": True}),
        (Delay, {"seconds": 55.0, "before": True}),
    ],
)
async def test_an_order_whose_answer_was_cut_off_is_found(
    autojump_clock: MockClock, market: str, fault: type[Fault], options: dict[str, object]
) -> None:
    """`submit` returns its handle as if nothing had been, and it was sent once."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        deaf(venue, market)
        venue.faults.add(at(fault, market, **options))
        order = await rest(session)
        assert order.state is OrderState.OPEN
        assert open_ids(venue, market) == [order.client_order_id]
        assert requests(venue, SUBMIT[market]) == 1


async def test_a_push_is_as_good_as_an_answer(autojump_clock: MockClock, market: str) -> None:
    """An answer that is three seconds late holds nobody up: the private stream has told of the order."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(at(Delay, market, seconds=3.0, before=False))
        began = trio.current_time()
        order = await rest(session)
        assert trio.current_time() - began < 0.5
        assert order.state is OrderState.OPEN


@pytest.mark.parametrize("fault", [LoseRequest, Fail5xx])
async def test_an_order_that_never_arrived_is_proven_absent(
    autojump_clock: MockClock, market: str, fault: type[Fault]
) -> None:
    """Not before the exchange could only refuse it, a minute after its timestamp; then placing another is safe."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(at(fault, market))
        began = trio.current_time()
        order = await rest(session, wait=False)
        with pytest.raises(bm.errors.OrderNotPlaced) as caught:
            await order.wait_accepted()
        assert 90 <= trio.current_time() - began < 100
        assert caught.value.client_order_id == order.client_order_id
        assert isinstance(caught.value.__cause__, bm.OutcomeUnknown)
        assert order.outcome == Rejected(caught.value)
        assert open_ids(venue, market) == []


async def test_it_is_unknown_until_then(autojump_clock: MockClock, market: str) -> None:
    """The handle says so, and why."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(at(LoseRequest, market))
        order = await rest(session, wait=False)
        assert order.outcome == Unknown(None)
        assert str(order.state) == "pending"
        await trio.sleep(30)
        assert str(order.state) == "unknown"
        assert isinstance(order.outcome, Unknown)
        assert isinstance(order.outcome.error, bm.OutcomeUnknown)


async def test_a_resend_waits_for_the_proof(autojump_clock: MockClock, market: str) -> None:
    """With `resend` the order is placed in the end, once, and only after the first was proven absent."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(at(LoseRequest, market, times=2))
        began = trio.current_time()
        order = await rest(session, resend=2)
        assert 180 <= trio.current_time() - began < 200
        assert order.state is OrderState.OPEN
        assert open_ids(venue, market) == [order.client_order_id]


async def test_a_request_that_dawdles_is_not_doubled(autojump_clock: MockClock, market: str) -> None:
    """The exchange sits on the request until its timestamp is too old: refused then, and resent only after that."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        deaf(venue, market)
        venue.faults.add(at(Delay, market, seconds=62.0, before=True))
        order = await rest(session, resend=1)
        await trio.sleep(200)
        assert open_ids(venue, market) == [order.client_order_id]
        if market == "spot":
            assert len(list(venue.exchange.spot.engine.of_account("1"))) == 1


@pytest.mark.parametrize("skew", [-20_000, 20_000])
async def test_the_proof_goes_by_the_exchanges_clock(autojump_clock: MockClock, market: str, skew: int) -> None:
    """A clock that is wrong on either side changes nothing: stamp and horizon are both the exchange's time."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        venue.faults.add(bm.sim.ClockSkew(ms=skew))
        async with opener(client, market) as session:
            venue.faults.add(at(LoseRequest, market))
            began = trio.current_time()
            with pytest.raises(bm.errors.OrderNotPlaced):
                await rest(session)
            assert 90 <= trio.current_time() - began < 100


async def test_a_connection_that_cannot_be_made_is_no_riddle(autojump_clock: MockClock, market: str) -> None:
    """Nothing was sent, so the refusal is at once and final."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.drop_connections("http")
        venue.faults.add(RefuseConnect("http", times=None, lasting=10))
        began = trio.current_time()
        with pytest.raises(bm.TransportError):
            await rest(session)
        assert trio.current_time() - began < 5


async def test_the_exit_waits_for_the_proof(autojump_clock: MockClock, market: str) -> None:
    """Cancelled while an order is lost on its way: the exit is confirmed, and took the time that the proof takes."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with trio.move_on_after(5):
            async with opener(client, market) as session:
                venue.faults.add(at(LoseRequest, market))
                await rest(session)
        assert session.report is not None
        assert session.report.confirmed
        assert len(session.report.never_placed) == 1
        assert 80 < session.report.seconds < 100


async def test_a_late_order_is_caught_by_the_exit(autojump_clock: MockClock, market: str) -> None:
    """The exchange takes the order in long after the bot was cancelled: the exit is still there to cancel it."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with trio.move_on_after(1):
            async with opener(client, market) as session:
                venue.faults.add(at(Delay, market, seconds=45.0, before=True))
                await rest(session)
        assert session.report is not None
        assert len(session.report.cancelled) == 1
        await trio.sleep(100)
        assert open_ids(venue, market) == []


async def test_leftovers_that_arrive_late_are_caught(autojump_clock: MockClock, market: str) -> None:
    """A run that crashed with an order on its way: the next one watches for it until it can no longer come."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with opener(client, market, journal=journal, deadline=0.01) as session:
                venue.faults.add(at(Delay, market, seconds=30.0, before=True))
                await rest(session, wait=False)
                await trio.sleep(1)
        async with opener(client, market, journal=journal) as session:
            assert [status.state for status in session.leftovers] == [OrderState.UNKNOWN]
            await rest(session, price="29000")
            await trio.sleep(40)
            assert len(open_ids(venue, market)) == 1
        assert open_ids(venue, market) == []


async def test_what_was_filled_while_nobody_looked_is_known(autojump_clock: MockClock, market: str) -> None:
    """An order that was cut off and filled at once is found in the history, with its fills."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        deaf(venue, market)
        venue.faults.add(at(LoseReply, market))
        order = await rest(session, price="60500")
        status = await order.wait_filled()
        assert sum([fill.size async for fill in order.fills], Decimal(0)) == status.filled_size > 0
