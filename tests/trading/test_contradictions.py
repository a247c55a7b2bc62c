"""Evidence that contradicts itself is never settled for "done": lists that lag, words beside old sizes, lost ids."""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
from shim_kit import LOOK_UPS, TRADES, Gone, missing, pushes, shimmed
from trading_kit import CANCEL, MARKETS, SUBMIT, open_ids, opener, requests, rest, take
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.models import SpotOrderState
from bitmart_trio.sim import Fail5xx, LoseReply, LoseRequest, MuteTopic, Request, Response, Venue
from bitmart_trio.trading import FuturesSession, OrderState, Session, SpotSession

both = pytest.mark.parametrize("market", MARKETS)


def held(venue: Venue) -> int:
    """Contracts of the default account, long and short together."""
    account = venue.exchange.accounts.get("1")
    assert account is not None
    return int(sum(each.size for each in venue.exchange.futures.engine.trader(account).open_positions()))


def mute(venue: Venue, market: str) -> None:
    """No push comes."""
    venue.faults.add(MuteTopic(f"{market}/*"))


# 1. Positions


@pytest.mark.parametrize("seconds", [0.2, 5.0, 25.0, 1000.0])
async def test_a_list_of_positions_that_lags_hides_nothing(autojump_clock: MockClock, seconds: float) -> None:
    """`close` asks again, and sends the reduce-only order all the same: nothing stays."""
    async with shimmed() as (venue, client, shim):
        async with opener(client, "futures", on_exit="close") as session:
            await (await take(session)).wait_filled()
            shim.late("/contract/private/position-v2", seconds, missing)
            assert held(venue) == 2
        assert held(venue) == 0
        assert session.report is not None
        assert session.report.confirmed


async def test_what_somebody_else_closed_is_gone_by_the_exchanges_word(autojump_clock: MockClock) -> None:
    """The reduce-only order is refused, and the list shows nothing when all must show."""
    async with shimmed() as (venue, client, _):
        async with opener(client, "futures", on_exit="close") as session:
            await (await take(session)).wait_filled()
            await client.futures.trading.submit_order(symbol="BTCUSDT", side=3, size=2, type="market")
        assert held(venue) == 0
        assert session.report is not None
        assert session.report.confirmed
        assert 30 < session.report.seconds < 60


# 2. An acceptance is never withdrawn


@both
async def test_an_accepted_order_that_no_look_up_shows_is_unconfirmed(autojump_clock: MockClock, market: str) -> None:
    """Not cancelled, not filled: the exit says that it does not know, within its deadline."""
    async with shimmed() as (venue, client, shim):
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with opener(client, market) as session:
                order = await rest(session)
                mute(venue, market)
                shim.change("*", LOOK_UPS[market], missing)
                await trio.sleep(2000)
                assert order.state is OrderState.OPEN
        assert session.report is not None
        assert [status.client_order_id for status in session.report.unconfirmed] == [order.client_order_id]
        assert session.report.seconds < 103
        assert open_ids(venue, market) == [], "its cancel was sent all the same"


@both
async def test_an_accepted_order_that_shows_late_is_confirmed(autojump_clock: MockClock, market: str) -> None:
    """Twenty seconds late, and the exit waits for it."""
    async with shimmed() as (venue, client, shim):
        async with opener(client, market) as session:
            await rest(session)
            mute(venue, market)
            shim.late(LOOK_UPS[market], 20, missing)
        assert session.report is not None
        assert len(session.report.cancelled) == 1


async def test_a_filled_one_is_not_told_as_cancelled_with_nothing(autojump_clock: MockClock) -> None:
    """On contracts "finished" beside an old size of 0 is no cancel: the trades say what it was."""
    async with shimmed() as (venue, client, shim):
        async with opener(client, "futures") as session:
            mute(venue, "futures")

            def old_size(data: Any) -> Any:
                return {**data, "deal_size": "0", "deal_avg_price": "0"} if isinstance(data, dict) else data

            shim.late("/contract/private/order", 20, old_size)
            order = await take(session)
            status = await order.wait_filled()
            assert status.filled_size == 2


# 3. What comes late on a closed order


async def test_a_late_push_on_a_closed_order_counts(autojump_clock: MockClock) -> None:
    """Cancelled with nothing filled by the first word, filled in part by a later one: the handle and `net` say so.

    No look-up and no trade ever bears that out, so the size is unconfirmed, and the exit with it.
    """
    async with shimmed() as (_, client, _):
        with pytest.raises(bm.errors.ExitUnconfirmed, match="may be filled by more: ") as caught:  # noqa: PT012
            async with opener(client, "spot") as session:
                order = await rest(session)
                seen = list[Any]()

                def keep(item: Any) -> Any:
                    seen.append(item)
                    return item

                pushes(session, keep)
                await order.cancel()
                assert order.filled_size == 0
                engine: Any = session._engine
                late = attrs.evolve(
                    seen[-1],
                    order_state=SpotOrderState("partially_filled"),
                    state="5",
                    filled_size=Decimal("0.0006"),
                    filled_notional=Decimal(18),
                    trade_id="t9",
                    last_fill_size=Decimal("0.0006"),
                    last_fill_price=Decimal(30000),
                )
                engine._hear(late)
                assert order.filled_size == Decimal("0.0006")
                assert order.state is OrderState.CANCELLED
                assert engine.net["BTC_USDT", "buy"] == Decimal("0.0006")
        report = caught.value.report
        assert isinstance(report, bm.trading.ExitReport)
        assert [each.client_order_id for each in report.sizes_unconfirmed] == [order.client_order_id]
        assert report.unconfirmed == ()


@pytest.mark.parametrize("market", MARKETS)
async def test_a_size_that_is_not_proven_makes_the_exit_unconfirmed(autojump_clock: MockClock, market: str) -> None:
    """Closed for certain, and no list of trades to be had until the deadline; with one, all is confirmed."""
    for trades in (False, True):
        async with shimmed() as (venue, client, _):
            session: Session | None = None
            with nullcontext() if trades else pytest.raises(bm.errors.ExitUnconfirmed, match="UNCONFIRMED size"):
                async with opener(client, market, deadline=5) as session:
                    order = await rest(session)
                    if not trades:
                        venue.faults.add(Fail5xx(TRADES[market], times=None))
            assert session is not None
            assert session.report is not None
            assert session.report.confirmed == trades
            assert [each.client_order_id for each in session.report.cancelled] == [order.client_order_id]
            assert session.report.sizes_unconfirmed == (() if trades else session.report.cancelled)
            assert session.report.unconfirmed == ()
            assert open_ids(venue, market) == []
            assert (session.report.seconds < 1) == trades


@pytest.mark.parametrize("market", MARKETS)
async def test_a_cancelled_program_still_hears_of_its_orders(autojump_clock: MockClock, market: str) -> None:
    """A cancellation around the client itself: the pushes prove the sizes at once, and nothing is waited out."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue:
        session: Session | None = None
        with trio.move_on_after(5) as scope:
            async with venue.open_client() as client, opener(client, market) as session:
                await rest(session)
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert session is not None
        assert session.report is not None
        assert session.report.confirmed, session.report
        assert len(session.report.cancelled) == 1
        assert session.report.seconds < 1


@pytest.mark.parametrize("lag", [5.0, 25.0])
async def test_replace_goes_by_trades(autojump_clock: MockClock, lag: float) -> None:
    """Look-ups show an old size and trades lag, with no push: the two orders together fill no more than was asked."""
    async with shimmed() as (venue, client, shim):
        async with opener(client, "spot") as session:
            assert isinstance(session, SpotSession)
            # Takes what is offered below its limit, and rests with the remainder.
            book = await client.spot.market.order_book("BTC_USDT", limit=1)
            ask = book.asks[0]
            asked = ask.size + Decimal("0.01")
            mute(venue, "spot")

            def old_size(data: Any) -> Any:
                if not isinstance(data, dict) or data.get("filledSize") is None:
                    return data
                return {**data, "filledSize": "0", "filledNotional": "0", "priceAvg": "0"}

            shim.late("/spot/v4/query/*order", lag, old_size)
            shim.late(TRADES["spot"], lag, missing)
            first = await session.submit(side="buy", type="limit", size=asked, price=ask.price)
            assert first.filled_size == 0
            second = await first.replace(price=ask.price / 2)
            assert first.filled_size == ask.size
            assert second.status.size == asked - ask.size
            await second.cancel()


# 4. Clocks


@both
@pytest.mark.parametrize("times", [1, 2])
async def test_a_clock_reading_that_is_ahead_proves_nothing(autojump_clock: MockClock, market: str, times: int) -> None:
    """The exchange's time jumps two minutes for a reading or two: a lost order stays unknown, and nothing is resent."""
    async with shimmed() as (venue, client, shim), opener(client, market) as session:
        venue.faults.add(LoseRequest(SUBMIT[market]))
        left = [times]

        def ahead(data: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                return data
            return {name: value + 120_000 for name, value in data.items()}

        order = await rest(session, wait=False, resend=1)
        await trio.sleep(20)
        shim.change("*", "/system/time", ahead)
        await trio.sleep(35)
        assert str(order.state) == "unknown"
        assert requests(venue, SUBMIT[market]) <= 1
        await trio.sleep(60)
        assert str(order.state) == "open"
        assert len(open_ids(venue, market)) == 1


# 5. Codes in no table


@both
async def test_a_code_in_no_table_is_no_refusal(autojump_clock: MockClock, market: str) -> None:
    """A gateway says 408 after the exchange has taken the order: it is found."""
    async with shimmed() as (venue, client, _):
        handle, once = venue.simulation.bitmart.serve, [True]

        def gateway(request: Request) -> Response:
            answer = handle(request)
            if request.path == SUBMIT[market] and once.pop() if once else False:
                return Response(500, {"content-type": "application/json"}, b'{"code":408,"message":"timeout"}')
            return answer

        venue.simulation.bitmart.serve = gateway  # type: ignore[method-assign]
        async with opener(client, market) as session:
            order = await rest(session)
            assert order.state is OrderState.OPEN
        assert open_ids(venue, market) == []


# 6. A word beside an old size


@both
async def test_filled_pushed_with_an_old_size_is_waited_for(autojump_clock: MockClock, market: str) -> None:
    """`wait_filled` returns the whole size, and the fills are complete then."""
    async with shimmed() as (_, client, _), opener(client, market) as session:

        def old(item: Any) -> Any:
            if market == "spot":
                return attrs.evolve(item, filled_size=Decimal(0), filled_notional=Decimal(0), trade_id=None)
            return attrs.evolve(item, order=attrs.evolve(item.order, filled_size=Decimal(0), last_trade=None))

        pushes(session, old)
        order = await take(session)
        status = await order.wait_filled()
        assert status.filled_size == (Decimal("0.002") if market == "spot" else 2)
        assert sum([each.size async for each in order.fills], Decimal(0)) == status.filled_size
        assert order.fills.complete


# 7. Lists that do not show everything


@pytest.mark.parametrize("cap", [10, 50])
async def test_a_round_number_of_open_orders_is_no_list(autojump_clock: MockClock, cap: int) -> None:
    """An open order beyond the cap is not proven absent."""
    async with shimmed() as (venue, client, shim):
        mute(venue, "futures")
        for _ in range(cap):
            await client.futures.trading.submit_order(
                symbol="BTCUSDT", side=1, size=1, price="20000", leverage=5, open_type="cross"
            )
        shim.change("*", "/contract/private/get-open-orders", lambda data: [row for row in data if row["size"] == "1"])
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with opener(client, "futures") as session:
                venue.faults.add(LoseReply(SUBMIT["futures"]))
                order = await rest(session, wait=False)
                await trio.sleep(150)
                assert order.state is OrderState.UNKNOWN


@pytest.mark.parametrize("shown", [None, "", "SOMETHINGELSE"])
async def test_a_row_that_may_be_it_proves_no_absence(autojump_clock: MockClock, shown: str | None) -> None:
    """The list has the order under no id, or another."""
    async with shimmed() as (venue, client, shim):
        mute(venue, "futures")
        renamed = [True]

        def rename(data: Any) -> Any:
            return [{**row, "client_order_id": shown} for row in data] if renamed else data

        shim.change("*", "/contract/private/get-open-orders", rename)
        async with opener(client, "futures") as session:
            venue.faults.add(LoseReply(SUBMIT["futures"]))
            order = await rest(session, wait=False)
            await trio.sleep(150)
            assert order.state is OrderState.UNKNOWN
            renamed.clear()
        assert open_ids(venue, "futures") == []
        assert session.report is not None
        assert session.report.confirmed


@both
async def test_ids_that_do_not_come_back_are_said_loudly(
    autojump_clock: MockClock, market: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Orders are known by the exchange's ids then, and one that was cut off is not proven absent."""
    async with shimmed() as (venue, client, shim):

        def nameless(data: Any) -> Any:
            if isinstance(data, list):
                return [nameless(each) for each in data]
            return {name: "x" if "lient" in name else value for name, value in data.items()}

        def unnamed(item: Any) -> Any:
            if market == "spot":
                return attrs.evolve(item, client_order_id="x")
            return attrs.evolve(item, order=attrs.evolve(item.order, client_order_id="x"))

        shim.change("*", LOOK_UPS[market], nameless)
        with pytest.raises(bm.errors.ExitUnconfirmed, match="client order ids"):  # noqa: PT012
            async with opener(client, market) as session:
                pushes(session, unnamed)
                first = await rest(session)
                await trio.sleep(5)
                assert session.client_ids_kept is False
                assert "client order id" in caplog.text
                assert (await first.cancel()).state is OrderState.CANCELLED
                venue.faults.add(LoseRequest(SUBMIT[market]))
                await rest(session, wait=False)
                await trio.sleep(1)
        assert session.report is not None
        assert len(session.report.unconfirmed) == 1


@both
async def test_ids_that_come_back_are_checked_once(autojump_clock: MockClock, market: str) -> None:
    """One look-up a session."""
    async with shimmed() as (_, client, _), opener(client, market) as session:
        await rest(session)
        await trio.sleep(1)
        assert session.client_ids_kept is True


# 8. Burnt ids


@both
async def test_a_burnt_id_ends_in_order_not_placed(autojump_clock: MockClock, market: str) -> None:
    """Refused as used, with nothing there: said after the proof, and the next submit has a fresh id."""
    async with shimmed() as (venue, client, _), opener(client, market) as session:
        handle, once = venue.simulation.bitmart.serve, [True]

        def burnt(request: Request) -> Response:
            if request.path == SUBMIT[market] and once and once.pop():
                code = 50042 if market == "spot" else 40050
                body = b'{"code":%d,"message":"used before","trace":"x","data":{}}' % code
                return Response(400, {"content-type": "application/json"}, body)
            return handle(request)

        venue.simulation.bitmart.serve = burnt  # type: ignore[method-assign]
        with trio.fail_after(110), pytest.raises(bm.errors.OrderNotPlaced, match="burnt") as caught:
            await rest(session, resend=3)
        after = await rest(session)
        assert after.client_order_id != caught.value.client_order_id
        assert open_ids(venue, market) == [after.client_order_id]


# Absence


@both
async def test_an_order_that_no_look_up_ever_shows_does_not_stay_open(autojump_clock: MockClock, market: str) -> None:
    """Cut off, open, and shown nowhere for ten minutes: the books are asked, by a cancel, before it is absent."""
    async with shimmed() as (venue, client, shim):
        mute(venue, market)
        shim.late(LOOK_UPS[market], 600, missing)
        with pytest.raises(bm.errors.ExitUnconfirmed):  # noqa: PT012
            async with opener(client, market) as session:
                venue.faults.add(LoseReply(SUBMIT[market]))
                await rest(session, wait=False)
                await trio.sleep(1)
        assert open_ids(venue, market) == []
        assert session.report is not None
        assert not session.report.never_placed
        assert session.report.seconds < 103
        assert requests(venue, CANCEL[market]) > 0


@both
async def test_the_session_with_pushes_alone_is_never_slowed(autojump_clock: MockClock, market: str) -> None:
    """With healthy pushes no confirmation waits: submit, fill, cancel and replace take no virtual time to speak of."""
    async with shimmed() as (_, client, _), opener(client, market) as session:
        began = trio.current_time()
        await (await take(session)).wait_filled()
        order = await rest(session)
        order = await order.replace(price=31000)
        await order.cancel()
        assert trio.current_time() - began < 2
        assert isinstance(session, SpotSession | FuturesSession)


def test_the_shim_is_honest() -> None:
    """What it hides it hides: a list is empty, an order is not there."""
    assert missing([1]) == []
    assert missing({"orders": [1], "x": 1}) == {"orders": [], "x": 1}
    with pytest.raises(Gone):
        missing({"order_id": 1})
