"""Replacing an order: at most one successor, of the same kind, and never more filled than was asked for."""

from __future__ import annotations

import json

import pytest
import trio
from trading_kit import CANCEL, MARKETS, SUBMIT, open_ids, opener, rest
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, MuteTopic, Request, Response
from bitmart_trio.trading import MemoryJournal, OrderState


@pytest.mark.parametrize("market", MARKETS)
async def test_an_order_has_one_successor(autojump_clock: MockClock, market: str) -> None:
    """Two tasks replace it at once: one succeeds, the other is told."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session)
        told: list[bm.errors.OrderNotPlaced] = []

        async def replace(price: str) -> None:
            try:
                await order.replace(price=price)
            except bm.errors.OrderNotPlaced as error:
                told.append(error)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(replace, "31000")
            nursery.start_soon(replace, "32000")
        assert len(told) == 1
        assert told[0].client_order_id == order.client_order_id
        assert len(open_ids(venue, market)) == 1


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("way", ["cancel_all", "cancel", "by hand", "before"])
async def test_what_somebody_else_cancelled_gets_no_successor(autojump_clock: MockClock, market: str, way: str) -> None:
    """Whoever cancels, in this program or another, wants it gone: a replace under way places nothing."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        venue.open_client() as other,
        opener(client, market) as session,
    ):
        order = await rest(session)
        if way == "before":
            await order.cancel()
        elif way == "by hand":
            venue.faults.add(MuteTopic(f"{market}/*"))
            if market == "spot":
                await other.spot.trading.cancel_order("BTC_USDT", order_id=order.order_id)
            else:
                await other.futures.trading.cancel_order("BTCUSDT", order.order_id)
        else:
            venue.faults.add(Delay(CANCEL[market], seconds=1, before=True, times=2))
        async with trio.open_nursery() as nursery:

            async def replace() -> None:
                with pytest.raises(bm.errors.OrderNotPlaced):
                    await order.replace(price="31000")

            nursery.start_soon(replace)
            await trio.sleep(0.1)
            if way == "cancel_all":
                await session.cancel_all()
            elif way == "cancel":
                await order.cancel()
        assert open_ids(venue, market) == []


async def test_an_adopted_order_is_replaced_by_its_like(autojump_clock: MockClock) -> None:
    """Mode, leverage and margin type are in the journal."""
    journal, sent = MemoryJournal(), list[dict[str, object]]()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", journal=journal, on_exit="leave") as session:
            await session.submit(side=1, size=2, price="30000", leverage=5, open_type="isolated", mode=4)
        handle = venue.simulation.bitmart.serve

        def spy(request: Request) -> Response:
            if request.path == SUBMIT["futures"]:
                sent.append(json.loads(request.body))
            return handle(request)

        venue.simulation.bitmart.serve = spy  # type: ignore[method-assign]
        async with bm.trading.open_futures_session(client, "BTCUSDT", journal=journal, on_exit="leave") as session:
            await session.orders[0].replace(price="31000")
        assert sent[0]["mode"] == 4
        assert (sent[0]["leverage"], sent[0]["open_type"]) == ("5", "isolated")
        journal.entries = [{k: v for k, v in entry.items() if k != "extras"} for entry in journal.entries]
        async with bm.trading.open_futures_session(client, "BTCUSDT", journal=journal) as session:
            assert session.leftovers[0].state is OrderState.CANCELLED
        assert open_ids(venue, "futures") == []


async def test_a_line_of_an_older_journal_is_read_and_not_replaced(autojump_clock: MockClock) -> None:
    """It does not say what the order was submitted with, so its like cannot be made."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, "futures", journal=journal, on_exit="leave") as session:
            await rest(session)
        journal.entries = [{k: v for k, v in entry.items() if k not in ("extras", "at")} for entry in journal.entries]
        async with opener(client, "futures", journal=journal, leftovers="adopt") as session:
            with pytest.raises(TypeError, match="journal"):
                await session.orders[0].replace(price="31000")
            assert len(open_ids(venue, "futures")) == 1
