"""What resting orders get of the trades of others: first in line, by their place in the queue, or by chance."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest

from bitmart_trio.sim import Models, Simulation
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.models import Chance, FillModel, First, QueuePosition

SYMBOL = {"spot": "BTC_USDT", "futures": "BTCUSDT"}
MARKETS = ("spot", "futures")


class Desk:
    """A scripted exchange on which strangers bid 7 at 59,000, and a user who joins them."""

    def __init__(self, market: str, fills: FillModel, seed: int = 1) -> None:
        self.simulation = Simulation(seed=seed, market="scripted", models=Models(fills=fills))
        self.symbol, self.market = SYMBOL[market], market
        self.simulation.book.set(self.symbol, bids=[("59000", "7"), ("58000", "50")], asks=[("60000", "9")])
        self.caller = Direct(self.simulation.bitmart)
        account = self.simulation.exchange.accounts.get("1")
        assert account is not None
        account.spot.credit("USDT", Decimal(10**7))

    def bid(self, size: int) -> str:
        """Another bid of the user at 59,000; its id."""
        self.simulation.exchange.step(1000)  # quotas
        form = {"symbol": self.symbol, "type": "limit", "price": "59000"}
        if self.market == "spot":
            answer = self.caller.post("/spot/v2/submit_order", **form, side="buy", size=str(size))
        else:
            terms = {"leverage": "10", "open_type": "cross"}
            answer = self.caller.post("/contract/private/submit-order", **form, **terms, side=1, size=size)
        return str(cast("Any", answer.data)["order_id"])

    def filled(self, order_id: str) -> Decimal:
        if self.market == "spot":
            return self.simulation.exchange.spot.engine.orders[order_id].filled_size
        account = self.simulation.exchange.accounts.get("1")
        assert account is not None
        trader = self.simulation.exchange.futures.engine.trader(account)
        found = [order for order in (*trader.orders.values(), *trader.finished) if order.order_id == order_id]
        return found[0].deal_size

    def sell(self, size: str, price: str = "59000") -> None:
        """A stranger sells, at exactly this price."""
        self.simulation.market.trade(self.symbol, price=price, size=size, side="sell")

    def last_trades(self) -> list[tuple[Decimal, Decimal]]:
        """Price and size of all that has traded, oldest first."""
        exchange = self.simulation.exchange
        return [
            (Decimal(str(line["price"])), Decimal(str(line["size"])))
            for line in exchange.log.lines
            if line["kind"] == "match"
        ]


@pytest.mark.parametrize("market", MARKETS)
def test_first_in_line_is_the_default(market: str) -> None:
    """Every trade at the price reaches the order before the strangers who were there."""
    desk = Desk(market, First())
    order = desk.bid(1)
    desk.sell("1")
    assert desk.filled(order) == 1
    assert Models().fills == First()


@pytest.mark.parametrize("market", MARKETS)
def test_an_order_waits_for_those_before_it(market: str) -> None:
    """Seven stand before it: of 4 and 4 that are sold it gets the eighth; all of both are public trades."""
    desk = Desk(market, QueuePosition())
    order = desk.bid(1)
    desk.sell("4")
    assert desk.filled(order) == 0
    desk.sell("4")
    assert desk.filled(order) == 1
    assert sum(size for _, size in desk.last_trades()) == 8
    assert {price for price, _ in desk.last_trades()} == {Decimal(59000)}


@pytest.mark.parametrize("market", MARKETS)
def test_two_orders_keep_their_places(market: str) -> None:
    """Strangers who come between two orders of the user are between them."""
    desk = Desk(market, QueuePosition())
    first = desk.bid(2)
    desk.simulation.book.set(desk.symbol, bids=[("59000", "10"), ("58000", "50")])
    second = desk.bid(1)
    desk.sell("9")  # 7 strangers, then the first order
    assert [desk.filled(first), desk.filled(second)] == [2, 0]
    desk.sell("3")
    assert desk.filled(second) == 0
    desk.sell("1")
    assert desk.filled(second) == 1


@pytest.mark.parametrize("market", MARKETS)
def test_strangers_who_leave_are_not_waited_for(market: str) -> None:
    """No more can stand before an order than the book shows there."""
    desk = Desk(market, QueuePosition())
    order = desk.bid(1)
    desk.simulation.book.set(desk.symbol, bids=[("59000", "2"), ("58000", "50")])
    desk.sell("3")
    assert desk.filled(order) == 1


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("fills", [QueuePosition(), Chance(0)])
def test_a_price_beyond_the_order_fills_it(market: str, fills: FillModel) -> None:
    """A trade at a worse price, or a book that crosses it, has gone through the whole queue."""
    desk = Desk(market, fills)
    order = desk.bid(1)
    desk.sell("1", price="58500")
    assert desk.filled(order) == 1
    order = desk.bid(1)
    desk.simulation.book.set(desk.symbol, bids=[], asks=[("59000", "3")])
    assert desk.filled(order) == 1


@pytest.mark.parametrize("market", MARKETS)
def test_chance(market: str) -> None:
    """About as many trades reach the order as the probability says, each whole or not at all; a seed repeats them."""

    def run(seed: int, probability: float) -> list[Decimal]:
        desk = Desk(market, Chance(probability), seed)
        order, got = desk.bid(1), list[Decimal]()
        for _ in range(60):
            if desk.filled(order) == 1:
                order = desk.bid(1)
            desk.sell("1")
            got.append(desk.filled(order))
        return got

    hits = run(5, 0.3)
    assert 8 <= sum(hits) <= 30
    assert hits == run(5, 0.3)
    assert hits != run(6, 0.3)
    assert sum(run(5, 1)) == 60
    assert sum(run(5, 0)) == 0


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("fills", [First(), QueuePosition(), Chance(0.4)])
def test_users_trade_with_each_other_by_price_and_time(market: str, fills: FillModel) -> None:
    """A model is about strangers: the order of another user meets what rests, whatever the model."""
    desk = Desk(market, fills)
    order = desk.bid(1)
    exchange = desk.simulation.exchange
    exchange.accounts.add(
        "9", key="k", secret="s", memo="m", balances={"BTC": 50}, futures={"USDT": 500_000}, name="other@example.com"
    )
    other = Direct(desk.simulation.bitmart, "k", "s", "m")
    if market == "spot":
        sold = other.post(
            "/spot/v2/submit_order", symbol=desk.symbol, side="sell", type="limit", size="8", price="59000"
        )
    else:
        form: dict[str, Any] = {"symbol": desk.symbol, "side": 4, "type": "limit", "size": 8, "price": "59000"}
        sold = other.post("/contract/private/submit-order", **form, leverage="10", open_type="cross")
    assert sold.code == 1000
    assert desk.filled(order) == 1


@pytest.mark.parametrize("market", MARKETS)
def test_a_synthetic_market_fills_a_queued_order_later(market: str) -> None:
    """On a market that moves, the same order at the same seed is filled with every model, never sooner in a queue."""

    def when(fills: FillModel) -> int:
        simulation = Simulation(seed=11, models=Models(fills=fills))
        caller, exchange = Direct(simulation.bitmart), simulation.exchange
        book = simulation.book
        symbol = SYMBOL[market]
        price = format(book.bids(symbol)[0][0], "f")
        if market == "spot":
            form = {"symbol": symbol, "side": "buy", "type": "limit", "size": "0.01", "price": price}
            assert caller.post("/spot/v2/submit_order", **form).code == 1000
        else:
            futures: dict[str, Any] = {
                "symbol": symbol,
                "side": 1,
                "type": "limit",
                "size": 2,
                "price": price,
                "leverage": "10",
            }
            assert caller.post("/contract/private/submit-order", **futures, open_type="cross").code == 1000
        began = exchange.now_ms()
        account = exchange.accounts.get("1")
        assert account is not None
        for _ in range(6000):
            exchange.step(100)
            if not exchange.spot.engine.open_orders("1") and not exchange.futures.engine.trader(account).orders:
                return exchange.now_ms() - began
        return 10**9

    first, queued = when(First()), when(QueuePosition())
    assert first <= queued
    assert queued < 10**9


def test_probabilities() -> None:
    """Those that are none are refused."""
    with pytest.raises(ValueError, match="from 0 to 1"):
        Chance(1.5)
