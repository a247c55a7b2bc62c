"""What only contracts have: closing positions on exit, take-profit and stop-loss, a session's dead man's switch."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from trading_kit import open_ids
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.models._futures_enums import FuturesSideWord
from bitmart_trio.sim import Delay, Fail5xx, LoseReply, LoseRequest, Venue
from bitmart_trio.trading import FuturesSession, Order, OrderState


def position(venue: Venue, symbol: str = "BTCUSDT") -> tuple[int, int]:
    """Long and short of the default account."""
    account = venue.exchange.accounts.get("1")
    assert account is not None
    sizes = {"long": Decimal(0), "short": Decimal(0)}
    for held in venue.exchange.futures.engine.trader(account).open_positions():
        if held.contract.symbol == symbol:
            sizes[held.direction] += held.size
    return int(sizes["long"]), int(sizes["short"])


async def market(session: FuturesSession, side: FuturesSideWord | int, size: int) -> Order:
    """A market order, filled."""
    order = await session.submit(side=side, size=size, type="market", leverage=5, open_type="cross")
    await order.wait_filled()
    return order


async def test_sides_are_words_or_numbers(autojump_clock: MockClock) -> None:
    """And anything else is refused with what the numbers mean, before the journal or the wire."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="leave") as session:
            await market(session, "buy_open_long", 3)
            await market(session, "sell_close_long", 1)
            with pytest.raises(bm.InvalidRequest, match=r"1 \(buy_open_long\)") as refused:
                await session.submit(side=5, size=1, type="market")
            assert refused.value.argument == "side"
        assert position(venue) == (2, 0)


@pytest.mark.parametrize("mode", ["hedge_mode", "one_way_mode"])
async def test_closing_what_it_opened(autojump_clock: MockClock, mode: str) -> None:
    """Net of its own fills, in both directions; what was there before stays."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        await client.futures.position.set_mode(mode)
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="leave") as earlier:
            await market(earlier, 1, 10)
        before = position(venue)
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
            await market(session, 1, 7)
            if mode == "hedge_mode":
                await market(session, 4, 5)
                await market(session, 3, 2)
            else:
                await market(session, 4, 2)
            await session.submit(side=1, size=3, price="30000", leverage=5, open_type="cross")
            assert position(venue) != before
        assert session.report is not None
        assert session.report.confirmed
        assert session.report.closing
        assert position(venue) == before
        assert open_ids(venue, "futures") == []


async def test_closing_a_short_in_one_way_mode(autojump_clock: MockClock) -> None:
    """A net short is bought back."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        await client.futures.position.set_mode("one_way_mode")
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
            await market(session, 4, 6)
            assert position(venue) == (0, 6)
        assert position(venue) == (0, 0)


async def test_closing_never_closes_more_than_there_is(autojump_clock: MockClock) -> None:
    """Somebody else has closed the position, or a part of it: nothing is opened the other way round."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        for closed in (7, 4):
            async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
                await market(session, 1, 7)
                await client.futures.trading.submit_order(symbol="BTCUSDT", side=3, size=closed, type="market")
            assert session.report is not None
            assert session.report.confirmed
            assert position(venue) == (0, 0)


async def test_closing_through_a_storm(autojump_clock: MockClock) -> None:
    """Lost closing orders are found or proven absent, then sent anew: closed once, not twice."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close", deadline=200) as session:
            await market(session, 1, 7)
            await market(session, 4, 3)
            venue.faults.add(LoseRequest("/contract/private/submit-order"))
            venue.faults.add(LoseReply("/contract/private/submit-order", after=1))
            venue.faults.add(Fail5xx("/contract/private/position*", times=3))
        assert session.report is not None
        assert session.report.confirmed
        assert position(venue) == (0, 0)


async def test_a_position_that_cannot_be_closed_is_said(autojump_clock: MockClock) -> None:
    """In the report, and as an error."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.ExitUnconfirmed, match="position in BTCUSDT UNCONFIRMED"):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close", deadline=5) as session:
                await market(session, 1, 7)
                venue.faults.add(Fail5xx("/contract/private/position-v2", times=None))
        assert session.report is not None
        assert session.report.positions_unconfirmed == ("BTCUSDT",)


async def test_take_profit_and_stop_loss(autojump_clock: MockClock) -> None:
    """They are orders of the session: one is cancelled on exit, one that goes off ends as triggered."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
            await market(session, 1, 7)
            stop = await session.submit_tp_sl(type="stop_loss", side=3, trigger_price="20000", size=7)
            assert stop.state is OrderState.OPEN
            with pytest.raises(TypeError):
                await stop.replace(price="1")
            again = await session.submit_tp_sl(type="stop_loss", side=3, trigger_price="59705")
            with trio.fail_after(3600):
                assert (await again.wait_closed()).state is OrderState.TRIGGERED
            assert position(venue) == (0, 0)
        assert session.report is not None
        assert session.report.confirmed
        plans = await client.futures.trading.plan_orders("BTCUSDT")
        assert plans == []


async def test_a_stop_loss_whose_answer_was_lost(autojump_clock: MockClock) -> None:
    """Found among the waiting orders; and in the history when it is over."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
            await market(session, 1, 7)
            venue.faults.add(bm.sim.MuteTopic("futures/*"))
            venue.faults.add(LoseReply("/contract/private/submit-tp-sl-order"))
            stop = await session.submit_tp_sl(type="stop_loss", side=3, trigger_price="20000")
            assert stop.state is OrderState.OPEN
            assert (await stop.cancel()).state is OrderState.CANCELLED
        assert await client.futures.trading.plan_orders("BTCUSDT") == []


async def test_spot_has_no_positions_to_close(autojump_clock: MockClock) -> None:
    """Asking for it is refused, rather than ignored."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        with pytest.raises(bm.InvalidRequest, match="on_exit"):
            async with bm.trading.open_spot_session(client, "BTC_USDT", on_exit="close"):
                raise AssertionError("opened")


async def test_a_list_that_may_be_cut_off_proves_nothing(autojump_clock: MockClock) -> None:
    """With a hundred open orders on the contract a lost order cannot be proven absent, and is not sent again."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        venue.open_client() as other,
    ):
        for _ in range(100):
            await other.futures.trading.submit_order(
                symbol="BTCUSDT", side=1, size=1, price="20000", leverage=5, open_type="cross"
            )
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT") as session:
                venue.faults.add(LoseRequest("/contract/private/submit-order"))
                order = await session.submit(
                    side=1, size=1, price="30000", leverage=5, open_type="cross", resend=3, wait=False
                )
                await trio.sleep(200)
                assert order.state is OrderState.UNKNOWN


async def test_contracts_come_whole(autojump_clock: MockClock) -> None:
    """A fraction of a contract is a mistake."""
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        bm.trading.open_futures_session(client, "BTCUSDT") as session,
    ):
        with pytest.raises(TypeError, match="whole"):
            await session.submit(side=1, size="1.5", price="30000")


async def test_a_session_keeps_its_switch(autojump_clock: MockClock) -> None:
    """Armed while inside and renewed, off after a confirmed exit, armed after one that is not."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        account = venue.exchange.accounts.get("1")
        assert account is not None
        timers = venue.exchange.futures.engine.trader(account).timers
        async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=10) as session:
            order = await session.submit(side=1, size=1, price="30000", leverage=5, open_type="cross")
            assert session.dead_mans_switch is not None
            for _ in range(60):
                await trio.sleep(1)
                assert 6 < session.dead_mans_switch.fires_in <= 10
            assert not order.is_closed
        assert timers == {}
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=10, deadline=1) as session:
                await session.submit(side=1, size=1, price="30000", leverage=5, open_type="cross")
                venue.faults.add(Fail5xx("/contract/private/*order*", times=None))
        assert list(timers) == ["BTCUSDT"]
        venue.faults.clear()
        await trio.sleep(11)
        assert open_ids(venue, "futures") == []


async def test_a_switch_that_fails_ends_the_session(autojump_clock: MockClock) -> None:
    """With its own error, and the orders are cancelled all the same."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed, match="renewed"):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=10) as session:
                await session.submit(side=1, size=1, price="30000", leverage=5, open_type="cross")
                venue.faults.add(Fail5xx("/contract/private/cancel-all-after", times=None))
                await trio.sleep_forever()
        assert session.report is not None
        assert session.report.confirmed
        assert open_ids(venue, "futures") == []


async def test_a_switch_that_fails_leaves_no_riddle(autojump_clock: MockClock) -> None:
    """The failure has ended the session's own tasks; what they were looking for is settled by the exit all the same."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=10) as session:
                venue.faults.add(Delay("/contract/private/submit-order", seconds=40))
                await session.submit(side=1, size=1, price="30000", leverage=5, open_type="cross", wait=False)
                venue.faults.add(LoseRequest("/contract/private/submit-order"))
                await session.submit(side=1, size=1, price="31000", leverage=5, open_type="cross", wait=False)
                venue.faults.add(Fail5xx("/contract/private/cancel-all-after", times=None, lasting=20))
                await trio.sleep_forever()
        assert session.report is not None
        assert session.report.confirmed
        assert len(session.report.cancelled) == 1
        assert len(session.report.never_placed) == 1
        assert open_ids(venue, "futures") == []
