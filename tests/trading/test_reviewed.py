"""Defects that a review found, each with the scene that showed it: wrong 404s, replacing, the journal, old orders."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import trio
from trading_kit import CANCEL, MARKETS, SUBMIT, open_ids, opener, requests, rest, take
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Fail5xx, LoseReply, LoseRequest, MuteTopic, Request, Response, Venue
from bitmart_trio.trading import FileJournal, FuturesSession, MemoryJournal, OrderState

DAY_MS = 86_400_000
LOOK_UPS = {"spot": "/spot/v4/query/*", "futures": "/contract/private/*order*"}


def page(path: str, status: int, **options: object) -> Fail5xx:
    """A page of the edge network instead of an answer."""
    return Fail5xx(path, status=status, html=True, times=None, **options)  # type: ignore[arg-type]


# What is no answer to the question


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


# Replacing


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


# Orders of long ago


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


# The journal


async def test_a_journal_stays_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the program's folder becomes later."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    journal = FileJournal("bot.journal")
    await journal.open()
    monkeypatch.chdir(tmp_path / "there")
    await journal.compact(lambda: [{"what": "intent", "id": "a"}])
    await journal.close()
    again = FileJournal(tmp_path / "here" / "bot.journal")
    assert list(await again.open()) == [{"what": "intent", "id": "a"}]
    await again.close()
    assert list((tmp_path / "there").iterdir()) == []


async def test_a_link_lets_no_second_writer_in(tmp_path: Path) -> None:
    """A link is refused, and a second name of the same file meets the lock on the file."""
    journal = FileJournal(tmp_path / "real")
    await journal.open()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    (tmp_path / "twin").hardlink_to(tmp_path / "real")
    with pytest.raises(bm.errors.JournalError, match="link"):
        await FileJournal(tmp_path / "alias").open()
    with pytest.raises(bm.errors.JournalLocked):
        await FileJournal(tmp_path / "twin").open()
    await journal.close()


async def test_half_a_line_is_never_written_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that stops half-way and cannot be taken back: nothing is written until it can, and nothing is damaged."""
    journal = FileJournal(tmp_path / "bot.journal")
    await journal.open()
    await journal.append({"what": "intent", "id": "a"})
    write = os.write

    def half(file: int, data: bytes) -> int:
        write(file, data[:20])
        raise OSError(errno.EIO, "half of it")

    def not_now(file: int, length: int) -> None:
        raise OSError(errno.EIO, "not now")

    with monkeypatch.context() as broken:
        broken.setattr(os, "ftruncate", not_now)
        with broken.context() as worse:
            worse.setattr(os, "write", half)
            with pytest.raises(bm.errors.JournalError):
                await journal.append({"what": "intent", "id": "b"})
        with pytest.raises(bm.errors.JournalError):
            await journal.append({"what": "intent", "id": "c"})
    await journal.append({"what": "intent", "id": "d"})
    await journal.close()
    again = FileJournal(tmp_path / "bot.journal")
    assert [entry["id"] for entry in await again.open()] == ["a", "b", "c", "d"]
    await again.close()


@pytest.mark.parametrize("market", MARKETS)
async def test_a_journal_of_ones_own_fails_the_order_only(autojump_clock: MockClock, market: str) -> None:
    """Whatever it raises: the order was not sent, and the session goes on."""

    class Away(MemoryJournal):
        async def append(self, entry: object) -> None:
            await trio.lowlevel.checkpoint()
            raise OSError("the share is gone")

    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, journal=Away()) as session,
    ):
        with pytest.raises(bm.errors.JournalError, match="share"):
            await rest(session)
        await trio.sleep(1)
        assert requests(venue, SUBMIT[market]) == 0


# Others


@pytest.mark.parametrize("market", MARKETS)
async def test_cancel_all_finishes_the_others(
    autojump_clock: MockClock, market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is refused for good: the others are cancelled all the same, and then it is said."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            orders = [await rest(session) for _ in range(3)]
            adapter = session._engine.venue
            cancel = adapter.cancel

            async def refuse_one(intent: object, order_id: str | None) -> None:
                if order_id == orders[0].order_id:
                    await trio.lowlevel.checkpoint()
                    raise bm.InvalidOrder("never", code=50019)
                await cancel(intent, order_id)  # type: ignore[arg-type]

            with monkeypatch.context() as patched:
                patched.setattr(adapter, "cancel", refuse_one)
                with pytest.raises(bm.InvalidOrder):
                    await session.cancel_all()
            assert open_ids(venue, market) == [orders[0].client_order_id]


async def test_fills_of_an_order_that_is_over_end(autojump_clock: MockClock) -> None:
    """After the session they are what is known, and no error."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, "spot") as session:
            venue.faults.add(MuteTopic("spot/*", lasting=200))
            venue.faults.add(Fail5xx("/spot/v4/query/*trades", times=None))
            order = await take(session)
            await session.reconcile()
        assert order.state is OrderState.FILLED
        assert [fill async for fill in order.fills] == []
        assert not order.fills.complete


def timers(venue: Venue) -> list[str]:
    """The contracts with a running timer."""
    account = venue.exchange.accounts.get("1")
    assert account is not None
    return sorted(venue.exchange.futures.engine.trader(account).timers)


SWITCH = "/contract/private/cancel-all-after"


async def test_a_switch_that_is_cancelled_while_it_is_set_is_switched_off(autojump_clock: MockClock) -> None:
    """The exchange has set the timer, the answer never came: nobody was inside, so nobody is guarded."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        venue.faults.add(Delay(SWITCH, seconds=5, before=False, times=1))
        with trio.move_on_after(2):
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=30):
                raise AssertionError("entered")
        assert timers(venue) == []


async def test_a_renewal_that_may_still_come_is_said(autojump_clock: MockClock) -> None:
    """A clean exit that cannot promise the timer to stay off does not."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed, match="may still"):  # noqa: PT012
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60):
                venue.faults.add(Delay(SWITCH, seconds=50, before=True, times=1))
                await trio.sleep(45)


async def test_two_switches_on_one_contract_are_refused(autojump_clock: MockClock) -> None:
    """There is one timer: whoever leaves first would switch it off for the other. One after the other is fine."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        for _ in range(2):
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=60):
                with pytest.raises(bm.errors.SwitchFailed, match="another switch"):
                    async with bm.trading.dead_mans_switch(client, "ETHUSDT", "BTCUSDT", after=60):
                        raise AssertionError("entered")
                assert timers(venue) == ["BTCUSDT"]
            assert timers(venue) == []
