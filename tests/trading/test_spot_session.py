"""Sessions as a bot uses them, on both markets: handles that tell the truth, and an exit that leaves nothing open."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest
import trio
from trading_kit import CANCEL, MARKETS, SUBMIT, SYMBOL, open_ids, opener, rest, take
from trio.testing import MockClock, assert_checkpoints

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Fail5xx, Gap, LoseReply, LoseRequest
from bitmart_trio.trading import Accepted, MemoryJournal, OrderState, Rejected

pytestmark = pytest.mark.parametrize("market", MARKETS)


async def test_a_resting_order(autojump_clock: MockClock, market: str) -> None:
    """Submitted, accepted, in the session's list; cancelled by its handle, and gone from both."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session)
        assert order.state is OrderState.OPEN
        assert isinstance(order.outcome, Accepted)
        assert order.outcome.order_id == order.order_id
        assert open_ids(venue, market) == [order.client_order_id]
        assert order.client_order_id.startswith(session.prefix)
        assert [each.client_order_id for each in session.orders] == [order.client_order_id]
        assert order.symbol == SYMBOL[market]
        ended = await order.cancel()
        assert ended.state is OrderState.CANCELLED
        assert ended.is_closed
        assert open_ids(venue, market) == []
        assert not session.orders
        assert await order.cancel() == ended, "cancelling what is over says how it ended"


async def test_a_filled_order_and_its_fills(autojump_clock: MockClock, market: str) -> None:
    """`wait_filled` returns what was filled, and the fills add up to it."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await take(session)
        status = await order.wait_filled()
        assert status.state is OrderState.FILLED
        assert status.filled_size == status.size
        fills = [fill async for fill in order.fills]
        assert sum(fill.size for fill in fills) == status.filled_size
        assert order.fills.complete
        assert list(order.fills) == fills
        assert fills[0] == order.fills[0]
        average = sum(fill.size * fill.price for fill in fills) / order.filled_size
        assert order.average_price is not None
        assert abs(order.average_price - average) < Decimal("0.1")


async def test_waiting_for_a_fill_that_does_not_come(autojump_clock: MockClock, market: str) -> None:
    """An order that is cancelled, by whomever, ends the wait with what became of it."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session)
        async with trio.open_nursery() as nursery:

            async def somebody_cancels() -> None:
                await trio.sleep(5)
                if market == "spot":
                    await client.spot.trading.cancel_order("BTC_USDT", order.order_id)
                else:
                    await client.futures.trading.cancel_order("BTCUSDT", order.order_id)

            nursery.start_soon(somebody_cancels)
            with pytest.raises(bm.errors.OrderNotFilled) as caught:
                await order.wait_filled()
        assert caught.value.status == order.status
        assert order.state is OrderState.CANCELLED
        assert [fill async for fill in order.fills] == []


async def test_a_refusal_is_raised_by_submit(autojump_clock: MockClock, market: str) -> None:
    """With the exchange's own error, and nothing is left of it."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        with pytest.raises(bm.ApiError) as caught:
            await rest(session, price="0.001")
        order = await rest(session, price="0.001", wait=False)
        with pytest.raises(type(caught.value)):
            await order.wait_accepted()
        assert isinstance(order.outcome, Rejected)
        assert (await order.wait_closed()).state is OrderState.REJECTED
        assert not session.orders


async def test_a_float_is_refused_before_anything_is_written(autojump_clock: MockClock, market: str) -> None:
    """Money is exact."""
    journal = MemoryJournal()
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, journal=journal) as session,
    ):
        with pytest.raises(TypeError, match="float"):
            await rest(session, price=30000.5)  # type: ignore[arg-type]
        with pytest.raises(bm.InvalidRequest, match="price"):
            await rest(session, price="a lot")
    assert journal.entries == []


async def test_replacing_never_asks_for_more_than_the_whole(autojump_clock: MockClock, market: str) -> None:
    """The first is closed before the second is sent; with nothing left to place, the first is given back."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        first = await rest(session)
        second = await first.replace(price="31000")
        assert first.state is OrderState.CANCELLED
        assert second.status.price == 31000
        assert second.status.size == first.status.size
        assert open_ids(venue, market) == [second.client_order_id]
        filled = await rest(session, price="90000") if market == "futures" else await rest(session, price="60500")
        await filled.wait_filled()
        assert await filled.replace(price="20000") is filled
        assert open_ids(venue, market) == [second.client_order_id]
        market_order = await take(session)
        with pytest.raises(TypeError):
            await market_order.replace(price="1")


async def test_leaving_cancels_its_own_and_nothing_else(autojump_clock: MockClock, market: str) -> None:
    """Another session of the same account, and orders without a session, stay as they are."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        venue.open_client() as other,
    ):
        async with opener(other, market) as theirs:
            kept = await rest(theirs)
            async with opener(client, market) as session:
                for _ in range(5):
                    await rest(session)
                assert not session.report
            assert session.report is not None
            assert len(session.report.cancelled) == 5
            assert session.report.confirmed
            assert str(session.report).startswith("5 cancelled in ")
            assert open_ids(venue, market) == [kept.client_order_id]


@pytest.mark.parametrize("way", ["cancel", "error", "group", "return"])
async def test_every_door_is_guarded(autojump_clock: MockClock, market: str, way: str) -> None:
    """Whatever leaves the block leaves as it was, and nothing of ours stays open."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:

        async def body() -> None:
            async with opener(client, market) as session:
                await rest(session)
                if way == "cancel":
                    await trio.sleep_forever()
                if way == "error":
                    raise KeyError("mine")
                if way == "group":
                    raise ExceptionGroup("mine", [KeyError("a"), ValueError("b")])

        with trio.move_on_after(3) as scope:
            if way == "error":
                with pytest.raises(KeyError, match="mine"):
                    await body()
            elif way == "group":
                with pytest.RaisesGroup(KeyError, ValueError):
                    await body()
            else:
                await body()
        assert scope.cancelled_caught is (way == "cancel")
        assert open_ids(venue, market) == []


async def test_leaving_open_on_purpose(autojump_clock: MockClock, market: str) -> None:
    """With "leave" the orders stay, the report says so, and the next run with the same journal adopts them."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market, journal=journal, on_exit="leave") as session:
            left = await rest(session)
        assert session.report is not None
        assert [each.client_order_id for each in session.report.left_open] == [left.client_order_id]
        assert open_ids(venue, market) == [left.client_order_id]
        with pytest.raises(trio.ClosedResourceError):
            await left.wait_closed()
        with pytest.raises(trio.ClosedResourceError):
            await left.cancel()
        async with opener(client, market, journal=journal, on_exit="leave") as session:
            (adopted,) = session.orders
            assert adopted.client_order_id == left.client_order_id
            assert adopted.status == left.status
            assert session.leftovers == (left.status,)
            await adopted.wait_accepted()
            await adopted.cancel()
        async with opener(client, market, journal=journal) as session:
            assert session.leftovers == ()


@pytest.mark.parametrize("mode", ["cancel", "leave"])
async def test_leftovers(autojump_clock: MockClock, market: str, mode: str) -> None:
    """What a crash left is cancelled at the next start, or left alone and remembered, as asked for."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market, journal=journal, on_exit="leave") as session:
            left = await rest(session)
        async with opener(client, market, journal=journal, leftovers=mode) as session:
            assert [each.client_order_id for each in session.leftovers] == [left.client_order_id]
            assert not session.orders
            assert (open_ids(venue, market) == []) is (mode == "cancel")
        assert (open_ids(venue, market) == []) is (mode == "cancel")
        async with opener(client, market, journal=journal) as session:
            assert len(session.leftovers) == (0 if mode == "cancel" else 1)
        assert open_ids(venue, market) == []


async def test_an_exit_that_cannot_be_confirmed_is_said(autojump_clock: MockClock, market: str) -> None:
    """It raises when nothing else does; the deadline is kept; the next start finds the order."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.ExitUnconfirmed, match="UNCONFIRMED") as caught:  # noqa: PT012
            async with opener(client, market, journal=journal, deadline=8) as session:
                order = await rest(session)
                broken = venue.faults.add(Fail5xx("*", times=None))
                began = trio.current_time()
        assert trio.current_time() - began < 9
        assert caught.value.report is session.report
        assert session.report is not None
        assert [each.client_order_id for each in session.report.unconfirmed] == [order.client_order_id]
        broken.remove()
        async with opener(client, market, journal=journal):
            assert open_ids(venue, market) == []


async def test_an_unconfirmed_exit_masks_nothing(autojump_clock: MockClock, market: str) -> None:
    """It is raised instead of a cancellation, bare, and is a note on any other error."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:

        async def body(error: bool) -> None:
            async with opener(client, market, deadline=1) as session:
                await rest(session)
                venue.faults.add(Fail5xx("*", times=None, lasting=20))
                if error:
                    raise KeyError("mine")
                await trio.sleep_forever()

        with pytest.raises(KeyError, match="mine") as caught:
            await body(error=True)
        assert any("UNCONFIRMED" in note for note in caught.value.__notes__)
        await trio.sleep(30)
        with pytest.raises(bm.errors.ExitUnconfirmed), trio.move_on_after(3) as scope:
            await body(error=False)
        assert scope.cancel_called


async def test_what_was_not_sent_yet_is_not_sent(autojump_clock: MockClock, market: str) -> None:
    """A submit that is cancelled while it waits for its quota is given up, and costs the exit nothing."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            with trio.move_on_after(0):
                async with trio.open_nursery() as nursery:
                    for _ in range(100):
                        nursery.start_soon(rest, session)
                    await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
        assert trio.current_time() - began < 5
        assert session.report is not None
        assert session.report.confirmed
        assert open_ids(venue, market) == []
        if market == "spot":
            placed = len(list(venue.exchange.spot.engine.of_account("1")))
            assert placed <= 40


@pytest.mark.parametrize("fault", [LoseRequest(), Delay(seconds=3), Delay(seconds=40)])
async def test_a_cancelled_submit_is_taken_back(
    autojump_clock: MockClock, market: str, fault: LoseRequest | Delay
) -> None:
    """Nobody has its handle, so it does not stay open while the session goes on."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        venue.faults.add(attrs.evolve(fault, path=SUBMIT[market]))
        with trio.move_on_after(0.05) as scope:
            await rest(session)
        assert scope.cancelled_caught
        assert len(session.orders) == 1
        await trio.sleep(100)
        assert session.orders == []
        assert open_ids(venue, market) == []


async def test_cancel_gets_through_in_the_end(autojump_clock: MockClock, market: str) -> None:
    """Lost cancels and failing look-ups are tried again until the end is certain."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market) as session,
    ):
        order = await rest(session)
        venue.faults.add(LoseRequest(CANCEL[market], times=2))
        venue.faults.add(LoseReply(CANCEL[market], times=2, after=2))
        venue.faults.add(Fail5xx("*quer*", times=3))
        assert (await order.cancel()).state is OrderState.CANCELLED
        assert open_ids(venue, market) == []


async def test_lost_pushes_are_made_up_for(autojump_clock: MockClock, market: str) -> None:
    """With every push lost, the slow clock still finds out what happened to an order, and its fills."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, reconcile=20) as session,
    ):
        venue.faults.add(Gap(f"{market}/*", times=None))
        order = await take(session)
        began = trio.current_time()
        status = await order.wait_filled()
        assert trio.current_time() - began <= 21
        assert sum([fill.size async for fill in order.fills]) == status.filled_size


async def test_a_broken_stream_is_made_up_for(autojump_clock: MockClock, market: str) -> None:
    """What happened while the connection was down is looked up when it is back."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, reconcile=10_000) as session,
    ):
        order = await rest(session)
        venue.drop_connections(f"{market}/private")
        if market == "spot":
            await client.spot.trading.cancel_order("BTC_USDT", order.order_id)
        else:
            await client.futures.trading.cancel_order("BTCUSDT", order.order_id)
        began = trio.current_time()
        assert (await order.wait_closed()).state is OrderState.CANCELLED
        # On contracts "finished" with nothing filled may also be a fill that does not show yet: 30 s settle it.
        assert trio.current_time() - began < 30 + (30 if market == "futures" else 0)


async def test_several_symbols(autojump_clock: MockClock, market: str) -> None:
    """One session trades several; which one must be said then, and no other."""
    one, two = ("BTC_USDT", "ETH_USDT") if market == "spot" else ("BTCUSDT", "ETHUSDT")
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, one, two) as session,
    ):
        with pytest.raises(bm.InvalidRequest, match="trades"):
            await rest(session)
        with pytest.raises(bm.InvalidRequest, match="BMX"):
            await rest(session, symbol="BMX")
        await rest(session, symbol=one)
        await rest(session, symbol=two, price="2900")
        assert session.symbols == (one, two)
        await session.reconcile()
        assert len(await session.cancel_all()) == 2
        assert open_ids(venue, market) == []


async def test_rules_are_held_against_orders(autojump_clock: MockClock, market: str) -> None:
    """With "check" one is refused before anything is sent; "round" brings prices onto the grid."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market, rules="check") as session:
            with pytest.raises(bm.InvalidRequest, match="tick"):
                await rest(session, price="30000.0001")
        async with opener(client, market, rules="round") as session:
            order = await rest(session, price="30000.0999")
            assert order.status.price in (Decimal("30000.09"), Decimal("30000.0"))
            with pytest.raises(bm.InvalidRequest, match=r"smallest|worth|largest"):
                await rest(session, size="1000000000")


async def test_a_session_that_was_left_takes_nothing_on(autojump_clock: MockClock, market: str) -> None:
    """Its handles tell what they knew, and nothing is sent any more."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            order = await rest(session)
        assert order.state is OrderState.CANCELLED
        assert (await order.wait_closed()).state is OrderState.CANCELLED
        with pytest.raises(trio.ClosedResourceError):
            await rest(session)


async def test_the_journal_refuses_a_second_session(autojump_clock: MockClock, market: str) -> None:
    """Two bots with one journal would cancel each other's orders."""
    journal = MemoryJournal()
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, journal=journal),
    ):
        with pytest.raises(bm.errors.JournalLocked):
            async with opener(client, market, journal=journal):
                raise AssertionError("opened twice")


async def test_a_journal_that_fails_keeps_orders_from_being_sent(autojump_clock: MockClock, market: str) -> None:
    """Nothing goes out that could not be written down."""

    class Full(MemoryJournal):
        async def append(self, entry: object) -> None:
            await trio.lowlevel.checkpoint()
            raise bm.errors.JournalError("no space left")

    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        opener(client, market, journal=Full()) as session,
    ):
        with pytest.raises(bm.errors.JournalError, match="no space"):
            await rest(session)
        assert open_ids(venue, market) == []


async def test_a_wrong_key_ends_the_opening(autojump_clock: MockClock, market: str) -> None:
    """At once, with the reason; the journal is free again."""
    journal = MemoryJournal()
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        bad = bm.Credentials("sim-key", "wrong", "sim-memo")
        async with venue.open_client(bad) as client:
            with pytest.raises(bm.AuthenticationError):
                async with opener(client, market, journal=journal):
                    raise AssertionError("opened")
        async with venue.open_client() as client, opener(client, market, journal=journal):
            pass


async def test_no_symbol_is_refused(autojump_clock: MockClock, market: str) -> None:
    """There is nothing to trade."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        opening = bm.trading.open_spot_session if market == "spot" else bm.trading.open_futures_session
        with pytest.raises(bm.InvalidRequest, match="symbol"):
            async with opening(client):
                raise AssertionError("opened")


async def test_a_key_that_may_no_longer_trade_is_asked_until_the_deadline(
    autojump_clock: MockClock, market: str
) -> None:
    """A cancel says so at once; the exit has nothing better to do than to ask on, and gives the reason."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        found = venue.exchange.accounts.by_key("sim-key")
        assert found is not None
        with pytest.raises(bm.errors.ExitUnconfirmed) as caught:  # noqa: PT012
            async with opener(client, market, deadline=20) as session:
                order = await rest(session)
                found[1].frozen = True
                with pytest.raises(bm.AuthenticationError):
                    await order.cancel()
                began = trio.current_time()
        assert 19 < trio.current_time() - began < 21
        assert session.report is not None
        assert "frozen" in str(caught.value)
        assert order.client_order_id in session.report.errors[0]


async def test_slots_and_tasks_are_given_back(autojump_clock: MockClock, market: str) -> None:
    """A hundred sessions in a row on one client, each cancelled somewhere, and the client works as on the first day."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client(config=bm.Config(max_connections=2)) as client,
    ):
        for number in range(100):
            with trio.move_on_after(number / 1000):
                async with opener(client, market) as session:
                    await rest(session)
                    await trio.sleep(1)
        async with opener(client, market) as session:
            await (await rest(session)).cancel()
        assert open_ids(venue, market) == []


async def test_every_call_checkpoints(autojump_clock: MockClock, market: str) -> None:
    """Also those that have nothing to wait for: a loop around one can always be cancelled."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            filled = await take(session)
            await filled.wait_closed()
            waits = (filled.wait_accepted, filled.wait_filled, filled.wait_closed, filled.cancel)
            for call in (*waits, session.cancel_all, session.reconcile):
                with assert_checkpoints():
                    await call()
            fills = aiter(filled.fills)
            with assert_checkpoints():
                await anext(fills)
            with assert_checkpoints():
                resting = await rest(session, wait=False)
            await resting.wait_accepted()
            await resting.cancel()
            with assert_checkpoints():
                await resting.cancel()
            with assert_checkpoints(), pytest.raises(bm.errors.OrderNotPlaced):
                await resting.replace(price=1)
        with assert_checkpoints(), pytest.raises(trio.ClosedResourceError):
            await rest(session)


async def test_cancel_all_finishes_the_others(
    autojump_clock: MockClock, market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is refused for good: the others are cancelled all the same, and then it is said."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with opener(client, market) as session:
            orders = [await rest(session) for _ in range(3)]
            adapter = session._engine.adapter
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
