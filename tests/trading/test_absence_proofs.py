"""Orders that look-ups do not find: what proves their absence, and what does not."""

from __future__ import annotations

import json

import pytest
import trio
from trading_kit import CANCEL, MARKETS, SUBMIT, open_ids, opener, rest, take
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Fail5xx, LoseReply, LoseRequest, MuteTopic, Request, Response
from bitmart_trio.trading import FuturesSession, MemoryJournal, OrderState

DAY_MS = 86_400_000

LOOK_UPS = {"spot": "/spot/v4/query/*", "futures": "/contract/private/*order*"}


def page(path: str, status: int, **options: object) -> Fail5xx:
    """A page of the edge network instead of an answer."""
    return Fail5xx(path, status=status, html=True, times=None, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("status", [404, 403, 401, 400])
async def test_pages_of_the_edge_are_no_answer_on_the_way_out(
    autojump_clock: MockClock, market: str, status: int
) -> None:
    """They say neither that the order is gone nor that asking again is useless."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            await rest(session)
            venue.faults.add(page(CANCEL[market], status, lasting=8))
            venue.faults.add(page(LOOK_UPS[market], status, lasting=8))
        assert open_ids(venue, market) == []
        assert session.report is not None
        assert session.report.confirmed
        assert 8 < session.report.seconds < 30


@pytest.mark.parametrize("market", MARKETS)
async def test_pages_of_the_edge_prove_no_absence(autojump_clock: MockClock, market: str) -> None:
    """An order whose answer was lost is found once look-ups work again, and is not reported as never placed."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(MuteTopic(f"{market}/*", lasting=200))
        venue.faults.add(LoseReply(SUBMIT[market]))
        venue.faults.add(page(LOOK_UPS[market], 404, lasting=100, after=0 if market == "spot" else 1))
        order = await rest(session)
        assert order.state is OrderState.OPEN
        assert open_ids(venue, market) == [order.client_order_id]


@pytest.mark.parametrize("market", MARKETS)
async def test_a_missing_path_is_not_a_missing_order(autojump_clock: MockClock, market: str) -> None:
    """A gateway that does not know the path (30000) has not looked for the order."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        handle = venue.simulation.bitmart.serve

        def gateway(request: Request) -> Response:
            asked = request.path in ("/contract/private/order", "/spot/v4/query/client-order", CANCEL[market])
            if asked and trio.current_time() < 20:
                body = {"code": 30000, "trace": "x", "message": "Not found", "data": {}}
                return Response(404, {"content-type": "application/json"}, json.dumps(body).encode())
            return handle(request)

        async with opener(client, market) as session:
            await rest(session)
            venue.simulation.bitmart.serve = gateway  # type: ignore[method-assign]
        assert open_ids(venue, market) == []
        assert session.report is not None
        assert len(session.report.cancelled) == 1


@pytest.mark.parametrize("older", [False, True])
async def test_what_was_filled_weeks_ago_is_found(autojump_clock: MockClock, older: bool) -> None:
    """The history shows a week unless it is asked for more; by the time in the journal, or in the id of older lines."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        async with venue.open_client() as client, opener(client, "futures", journal=journal) as session:
            assert isinstance(session, FuturesSession)
            await (await take(session)).wait_filled()
        # As if it had been killed before the end was written.
        left_out = ("extras", "at") if older else ()
        intents = [entry for entry in journal.entries if entry["what"] == "intent"]
        journal.entries = [{k: v for k, v in entry.items() if k not in left_out} for entry in intents]
        venue.exchange.clock.step(20 * DAY_MS)
        async with venue.open_client() as client, opener(client, "futures", journal=journal) as session:
            assert [status.state for status in session.leftovers] == [OrderState.FILLED]


async def test_what_the_history_cannot_tell_stays_unknown(autojump_clock: MockClock) -> None:
    """Older than the longest span of the history, and not open: it is not said to have never been placed."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        async with venue.open_client() as client, opener(client, "futures", journal=journal) as session:
            await (await take(session)).wait_filled()
        journal.entries = [entry for entry in journal.entries if entry["what"] == "intent"]
        venue.exchange.clock.step(100 * DAY_MS)
        with pytest.raises(bm.errors.ExitUnconfirmed, match="too old"):
            async with venue.open_client() as client, opener(client, "futures", journal=journal) as session:
                await trio.sleep(100)
        assert [entry["what"] for entry in journal.entries] == ["intent"]


@pytest.mark.parametrize("market", MARKETS)
async def test_a_leftover_of_a_clock_ahead_is_waited_for(autojump_clock: MockClock, market: str) -> None:
    """It was signed with a later time than the exchange has now, so it may arrive for longer."""
    journal = MemoryJournal()
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        venue.open_client() as again,
    ):
        venue.exchange.clock.skew_ms = 50_000
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with opener(client, market, journal=journal, deadline=0.01) as session:
                venue.faults.add(Delay(SUBMIT[market], seconds=90, before=True))
                await rest(session, wait=False)
                await trio.sleep(1)
        venue.exchange.clock.skew_ms = 0  # the exchange sets its clock right
        async with opener(again, market, journal=journal) as session:
            await trio.sleep(120)
            assert open_ids(venue, market) == []


async def test_many_orders_that_were_cut_off_together_are_settled_in_time(autojump_clock: MockClock) -> None:
    """They are looked for in the same lists: the history takes three calls a second, too few for one each."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, "futures") as session:
            found = await rest(session, price="29000", wait=False)
            await found.wait_accepted()
            venue.faults.add(LoseRequest(SUBMIT["futures"], times=None, lasting=30))
            for _ in range(60):
                await rest(session, wait=False)
            await trio.sleep(10)
        assert session.report is not None
        assert len(session.report.never_placed) == 60
        assert len(session.report.cancelled) == 1
        assert open_ids(venue, "futures") == []
