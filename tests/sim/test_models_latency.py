"""Latency of the simulated exchange: orders that are accepted and not yet in the book, and pushes that come apart."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim import Models, Simulation, open_exchange
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.kernel.agenda import Agenda
from bitmart_trio.sim.kernel.clock import Clock
from bitmart_trio.sim.models import Fixed, Jittered, Ways

SLOW = Models(latency=Ways(order=Fixed(50)))
BID: dict[str, Any] = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.1", "price": "59000"}
LONG: dict[str, Any] = {"symbol": "BTCUSDT", "side": 1, "type": "limit", "size": 10, "price": "59000"}
TERMS: dict[str, Any] = {"leverage": "10", "open_type": "cross"}


def scripted(models: Models = SLOW) -> tuple[Simulation, Direct]:
    """A market on which only tests move anything, and somebody who trades there."""
    simulation = Simulation(market="scripted", models=models)
    for symbol in ("BTC_USDT", "BTCUSDT"):
        simulation.book.set(symbol, bids=[("58000", "10")], asks=[("60000", "10")])
    return simulation, Direct(simulation.bitmart)


def data(answer: Answer) -> Any:
    """The payload of a success."""
    assert answer.code == 1000, answer.body
    return answer.data


def open_spot(simulation: Simulation) -> list[str]:
    return [order.order_id for order in simulation.exchange.spot.engine.open_orders("1")]


def test_an_order_is_accepted_before_it_is_in_the_book() -> None:
    """It has an id, its money is held, it is among the open orders; the book gets it 50 ms later, no tick needed."""
    simulation, caller = scripted()
    order_id = data(caller.post("/spot/v2/submit_order", **BID))["order_id"]
    account = simulation.exchange.accounts.get("1")
    assert account is not None
    assert open_spot(simulation) == [order_id]
    assert account.spot.frozen("USDT") == Decimal("5905.9")
    simulation.exchange.step(49)
    assert simulation.book.bids("BTC_USDT")[0][0] == 58000
    simulation.exchange.step(1)
    assert simulation.book.bids("BTC_USDT")[0] == (Decimal(59000), Decimal("0.1"))


def test_futures_hold_money_on_the_way() -> None:
    """Margin and fee of an opening order are held from acceptance on, so that they cannot be spent twice."""
    simulation, caller = scripted()
    account = simulation.exchange.accounts.get("1")
    assert account is not None
    assert caller.post("/contract/private/submit-order", **LONG, **TERMS).code == 1000
    needed = Decimal("0.01") * 59000 / 10 + Decimal("0.01") * 59000 * Decimal("0.0006")
    assert account.futures.frozen("USDT") == needed
    assert simulation.book.bids("BTCUSDT")[0][0] == 58000
    simulation.exchange.step(50)
    assert simulation.book.bids("BTCUSDT")[0] == (Decimal(59000), Decimal(10))
    assert account.futures.frozen("USDT") == needed


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_fill_may_win_against_a_cancellation(market: str) -> None:
    """Accepted is not carried out: what trades before the cancellation arrives has traded, and it does nothing more."""
    simulation, caller = scripted()
    symbol = {"spot": "BTC_USDT", "futures": "BTCUSDT"}[market]
    if market == "spot":
        order_id = data(caller.post("/spot/v2/submit_order", **BID))["order_id"]
        cancel, size = ("/spot/v3/cancel_order", {"symbol": symbol, "order_id": order_id}), "0.1"
    else:
        order_id = data(caller.post("/contract/private/submit-order", **LONG, **TERMS))["order_id"]
        cancel, size = ("/contract/private/cancel-order", {"symbol": symbol, "order_id": str(order_id)}), "10"
    simulation.exchange.step(50)
    assert caller.post(cancel[0], **cancel[1]).code == 1000
    simulation.exchange.step(20)
    simulation.market.trade(symbol, price="59000", size=size, side="sell")
    simulation.exchange.step(100)
    if market == "spot":
        ended = data(caller.post("/spot/v4/query/order", orderId=order_id))
        assert ended["state"] == "filled"
    else:
        ended = data(caller.get("/contract/private/order", symbol=symbol, order_id=order_id))
        assert ended["deal_size"] == "10"


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_cancellation_arrives_behind_its_order(market: str) -> None:
    """What an account sends for a symbol keeps its order, however long each piece would take by itself."""
    for seed in range(20):
        simulation = Simulation(seed=seed, market="scripted", models=Models(latency=Ways(order=Jittered(0, 100))))
        caller = Direct(simulation.bitmart)
        if market == "spot":
            order_id = data(caller.post("/spot/v2/submit_order", **BID))["order_id"]
            assert caller.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=order_id).code == 1000
        else:
            form = LONG | TERMS
            order_id = data(caller.post("/contract/private/submit-order", **form))["order_id"]
            assert caller.post("/contract/private/cancel-order", symbol="BTCUSDT", order_id=str(order_id)).code == 1000
        simulation.exchange.step(200)
        for symbol in ("BTC_USDT", "BTCUSDT"):
            assert simulation.book.bids(symbol) == []
        account = simulation.exchange.accounts.get("1")
        assert account is not None
        assert account.spot.frozen("USDT") == account.futures.frozen("USDT") == 0


def test_a_closing_order_that_comes_too_late() -> None:
    """Of two that close one position, the second finds nothing left to close, and ends."""
    simulation, caller = scripted()
    caller.post("/contract/private/submit-order", **(LONG | TERMS | {"type": "market"}))
    simulation.exchange.step(50)
    close: dict[str, Any] = {"symbol": "BTCUSDT", "side": 3, "type": "market", "size": 10}
    assert caller.post("/contract/private/submit-order", **close).code == 1000
    account = simulation.exchange.accounts.get("1")
    assert account is not None
    engine = simulation.exchange.futures.engine
    held = next(engine.trader(account).open_positions())
    engine.close_at_market(engine.trader(account), held)
    simulation.exchange.step(50)
    assert not list(engine.trader(account).open_positions())
    assert not engine.trader(account).orders


def test_a_change_of_an_order_that_has_filled_meanwhile_does_nothing() -> None:
    """A modification is on its way like an order; what the order has become by then counts."""
    simulation, caller = scripted()
    order_id = data(caller.post("/contract/private/submit-order", **LONG, **TERMS))["order_id"]
    simulation.exchange.step(50)
    change: dict[str, Any] = {"symbol": "BTCUSDT", "order_id": str(order_id), "size": 4}
    assert caller.post("/contract/private/modify-limit-order", **change).code == 1000
    simulation.market.trade("BTCUSDT", price="59000", size="6", side="sell")
    simulation.exchange.step(50)
    assert simulation.book.bids("BTCUSDT")[0] == (Decimal(59000), Decimal(4))
    change |= {"size": 20, "price": "59100"}
    assert caller.post("/contract/private/modify-limit-order", **change).code == 1000
    assert simulation.book.bids("BTCUSDT")[0][0] == 59000
    simulation.exchange.step(50)
    assert simulation.book.bids("BTCUSDT")[0] == (Decimal(59100), Decimal(14))


async def test_pushes_and_replies_come_apart(autojump_clock: MockClock) -> None:
    """With slow pushes the reply comes first, with slow replies the push."""
    for way, first in (("push", "reply"), ("reply", "push")):
        models = Models(latency=Ways(**{way: Fixed(300)}))
        async with open_exchange(market="scripted", models=models, live=True) as venue, venue.open_client() as client:
            seen: list[str] = []
            async with client.streams.spot.user_orders() as orders, trio.open_nursery() as nursery:

                async def place(seen: list[str] = seen, client: bm.Client = client) -> None:
                    await client.spot.trading.submit_order(**BID)
                    seen.append("reply")

                nursery.start_soon(place)
                assert (await orders.receive()).order_state == "new"
                seen.append("push")
            assert seen[0] == first
            assert len(seen) == 2


async def test_times_of_an_order_with_latency(autojump_clock: MockClock) -> None:
    """50 ms everywhere: acceptance is pushed at 50, the fill (in the book at 50) at 100, to the millisecond."""
    async with (
        open_exchange(market="scripted", models=Models(latency=Fixed(50))) as venue,
        venue.open_client() as client,
    ):
        venue.book.set("BTC_USDT", asks=[("60000", "1")])
        order: dict[str, Any] = {**BID, "price": "60000"}
        async with client.streams.spot.user_orders() as orders:
            began = venue.exchange.now_ms()
            times: list[int] = []
            async with trio.open_nursery() as nursery:

                async def place() -> None:
                    await client.spot.trading.submit_order(**order)
                    times.append(venue.exchange.now_ms() - began)

                nursery.start_soon(place)
                for state in ("new", "filled"):
                    assert (await orders.receive()).order_state == state
                    times.append(venue.exchange.now_ms() - began)
    assert sorted(times) == [50, 50, 100]


def test_pushes_of_a_topic_keep_their_order() -> None:
    """However they are delayed; and whoever has left hears nothing more."""
    simulation = Simulation(seed=3, models=Models(latency=Jittered(0, 400)))
    heard: list[object] = []
    feed = simulation.exchange.feed
    stop = feed.listen("spot/trade:BTC_USDT", None, heard.append)
    gone: list[object] = []
    leave = feed.listen("spot/trade:BTC_USDT", None, gone.append)
    for number in range(200):
        feed.publish("spot/trade:BTC_USDT", {"number": number})
        if number == 100:
            leave()
        simulation.exchange.clock.step(5)
        simulation.exchange.play()
    simulation.exchange.clock.step(1000)
    simulation.exchange.play()
    stop()
    assert heard == [{"number": number} for number in range(200)]
    assert 0 < len(gone) < 101, "what was on its way when it left is not delivered"
    assert gone == heard[: len(gone)]


def test_the_same_seed_has_the_same_latencies() -> None:
    """Latency is drawn from the seed: two runs agree in every event."""

    def run(seed: int) -> bytes:
        simulation = Simulation(seed=seed, models=Models(latency=Jittered(10, 90)))
        caller = Direct(simulation.bitmart)
        for _ in range(10):
            caller.post("/spot/v2/submit_order", **(BID | {"type": "market", "notional": "100"}))
            simulation.exchange.step(30)
        return simulation.exchange.log.dump()

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_a_lane_of_the_agenda_lets_nobody_overtake() -> None:
    """Deeds of one lane keep their order, others go by time; without a wait they are done at once."""
    clock, done = Clock(0), list[str]()
    agenda = Agenda(clock)
    agenda.after(0, ("a",), lambda: done.append("at once"))
    assert done == ["at once"]
    agenda.after(30, ("a",), lambda: done.append("a30"))
    agenda.after(0, ("a",), lambda: done.append("a behind"))
    agenda.after(10, ("b",), lambda: done.append("b10"))
    assert agenda.next_ms == 10
    for _ in range(3):
        agenda.play()
    assert done == ["at once", "b10", "a30", "a behind"]


def test_bounds_of_models() -> None:
    """Times that make no sense are refused."""
    assert {Jittered(3, 5).ms("order", random.Random(seed)) for seed in range(50)} == {3, 4, 5}
    for wrong in (lambda: Fixed(-1), lambda: Jittered(5, 4), lambda: Jittered(-2, 4)):
        with pytest.raises(ValueError, match=r"\d ms|milliseconds"):
            wrong()
