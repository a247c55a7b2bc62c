"""Leaving a session: Ctrl-C, errors at the same time, its own stop-losses, and leftovers to be left."""

from __future__ import annotations

import signal
from decimal import Decimal

import pytest
import trio
from trading_kit import CANCEL, MARKETS, open_ids, opener, rest, take
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Delay, Fail5xx, LoseRequest, MuteTopic, Venue
from bitmart_trio.trading import FuturesSession, MemoryJournal, OrderState, Session
from bitmart_trio.trading._order import Intent


def position(venue: Venue) -> tuple[int, int]:
    """Long and short of the default account in BTCUSDT."""
    account = venue.exchange.accounts.get("1")
    assert account is not None
    sizes = {"long": Decimal(0), "short": Decimal(0)}
    for held in venue.exchange.futures.engine.trader(account).open_positions():
        sizes[held.direction] += held.size
    return int(sizes["long"]), int(sizes["short"])


async def buy(session: FuturesSession, size: int) -> None:
    """Go long."""
    order = await session.submit(side=1, size=size, type="market", leverage=5, open_type="cross")
    await order.wait_filled()


async def test_its_own_stop_loss_has_closed_already(autojump_clock: MockClock) -> None:
    """What it closed is not closed again out of somebody else's position."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="leave") as other:
            await buy(other, 10)
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close") as session:
            await buy(session, 7)
            stop = await session.submit_tp_sl(type="stop_loss", side=3, trigger_price="59705", size=5, plan_category=1)
            with trio.fail_after(3600):
                assert (await stop.wait_closed()).state is OrderState.TRIGGERED
            await trio.sleep(1)
            assert position(venue) == (12, 0)
        assert session.report is not None
        assert session.report.confirmed
        assert [status.filled_size for status in session.report.closing] == [2]
        assert position(venue) == (10, 0)


async def test_a_stop_loss_of_unknown_size_keeps_the_exit_from_closing(autojump_clock: MockClock) -> None:
    """Nothing is closed by guessing, and the report says so."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="leave") as other:
            await buy(other, 10)
        with pytest.raises(bm.errors.ExitUnconfirmed, match="position in BTCUSDT"):  # noqa: PT012
            async with bm.trading.open_futures_session(client, "BTCUSDT", on_exit="close", deadline=5) as session:
                await buy(session, 7)
                stop = await session.submit_tp_sl(
                    type="stop_loss", side=3, trigger_price="59705", size=7, plan_category=1
                )
                with trio.fail_after(3600):
                    await stop.wait_closed()
                await trio.sleep(1)
                venue.faults.add(Fail5xx("/contract/private/order*", times=None))
        assert session.report is not None
        assert session.report.positions_unconfirmed == ("BTCUSDT",)
        assert position(venue) == (10, 0)


@pytest.mark.parametrize("market", MARKETS)
def test_ctrl_c_during_the_exit_does_not_cut_it_short(market: str) -> None:
    """Under plain `trio.run`, which hands it to the main task: the exit is finished, then the interrupt is raised."""
    seen: list[Session] = []

    @trio.lowlevel.enable_ki_protection
    async def interrupt() -> None:
        await trio.sleep(3)
        signal.raise_signal(signal.SIGINT)

    async def main() -> None:
        async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
            async with trio.open_nursery() as nursery:
                with trio.CancelScope(shield=True):
                    try:
                        async with opener(client, market) as session:
                            seen.append(session)
                            await rest(session)
                            venue.faults.add(Delay(CANCEL[market], seconds=8, before=True))
                            nursery.start_soon(interrupt)
                            await trio.sleep(1)
                    except KeyboardInterrupt:
                        assert open_ids(venue, market) == []
                        raise

    with pytest.RaisesGroup(KeyboardInterrupt):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    assert seen[0].report is not None
    assert seen[0].report.confirmed
    assert len(seen[0].report.cancelled) == 1


async def test_an_unconfirmed_exit_is_raised_inside_an_except_block_too(autojump_clock: MockClock) -> None:
    """An error that is being handled around the session is not what the session is left with."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        try:
            raise KeyError
        except KeyError:
            with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
                async with opener(client, "spot", deadline=3) as session:
                    await rest(session)
                    venue.faults.add(LoseRequest("*", times=None, lasting=60))


@pytest.mark.parametrize("way", ["error", "cancel", "return"])
async def test_a_journal_that_fails_at_the_close_hides_nothing(autojump_clock: MockClock, way: str) -> None:
    """Only ends can be lost by it, so what the program is leaving with goes on, and the log tells."""

    class Full(MemoryJournal):
        async def close(self) -> None:
            await super().close()
            raise bm.errors.JournalError("no space left")

    async def body() -> None:
        async with opener(client, "spot", journal=Full()) as session:
            await rest(session)
            if way == "error":
                raise KeyError
            if way == "cancel":
                await trio.sleep_forever()

    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        if way == "error":
            with pytest.raises(KeyError):
                await body()
        else:
            with trio.move_on_after(1):
                await body()
        assert open_ids(venue, "spot") == []


@pytest.mark.parametrize("market", MARKETS)
async def test_leftovers_to_be_left_are_left(autojump_clock: MockClock, market: str) -> None:
    """Also one that turns up while the session runs, or after it: the exit neither waits for it nor cancels it."""
    intent = Intent(
        client_order_id="btold1",
        market="spot" if market == "spot" else "futures",
        symbol="BTC_USDT" if market == "spot" else "BTCUSDT",
        side="buy" if market == "spot" else "1",
        type="limit",
        price=Decimal(30000),
        size=Decimal(2),
    )
    journal = MemoryJournal()
    journal.entries = [intent.entry()]
    async with (
        bm.sim.open_exchange(seed=7, live=False) as venue,
        venue.open_client() as client,
        venue.open_client() as dead,
        opener(client, market, journal=journal, leftovers="leave") as session,
    ):
        assert [status.state for status in session.leftovers] == [OrderState.UNKNOWN]
        if market == "spot":
            await dead.spot.trading.submit_order(
                symbol="BTC_USDT", side="buy", type="limit", size="0.002", price="30000", client_order_id="btold1"
            )
        else:
            await dead.futures.trading.submit_order(
                symbol="BTCUSDT", side=1, size=2, price="30000", leverage=5, open_type="cross", client_order_id="btold1"
            )
        own = await rest(session)
        assert len(open_ids(venue, market)) == 2
        assert not own.is_closed
    assert open_ids(venue, market) == ["btold1"]
    assert session.report is not None
    assert session.report.confirmed
    assert session.report.seconds < 5
    assert next(entry["id"] for entry in journal.entries if entry["what"] == "intent") == "btold1"
    assert not any(entry["what"] == "end" and entry["id"] == "btold1" for entry in journal.entries)


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
