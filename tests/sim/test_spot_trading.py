"""Spot orders of the simulated exchange over REST: placing, matching, fees, cancelling and looking up."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.models.fees import InBought

SUBMIT = "/spot/v2/submit_order"
CANCEL = "/spot/v3/cancel_order"
QUERY = "/spot/v4/query"


class Desk:
    """A user at work: each call takes a little time, so that quotas never matter."""

    def __init__(
        self, simulation: Simulation, key: str = "sim-key", secret: str = "sim-secret", memo: str = "sim-memo"
    ) -> None:
        self.exchange = simulation.exchange
        self.direct = Direct(simulation.bitmart, key, secret, memo)

    def call(self, path: str, **members: Any) -> Answer:
        self.exchange.clock.step(200)
        return self.direct.post(path, **members)

    def ok(self, path: str, **members: Any) -> Any:
        answer = self.call(path, **members)
        assert answer.code == 1000, answer.body
        return answer.data

    def submit(self, side: str, kind: str = "limit", **members: Any) -> str:
        order_id = self.ok(SUBMIT, **{"symbol": "BTC_USDT", "side": side, "type": kind} | members)["order_id"]
        assert isinstance(order_id, str)
        return order_id

    def order(self, order_id: str) -> Any:
        return self.ok(f"{QUERY}/order", orderId=order_id)

    def wallet(self) -> dict[str, tuple[Decimal, Decimal]]:
        self.exchange.clock.step(200)
        rows: Any = self.direct.get("/spot/v1/wallet").data
        return {row["id"]: (Decimal(row["available"]), Decimal(row["frozen"])) for row in rows["wallet"]}


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(seed=21)


@pytest.fixture
def desk(simulation: Simulation) -> Desk:
    return Desk(simulation)


def money(available: Decimal | int, frozen: Decimal | int) -> tuple[Decimal, Decimal]:
    """A row of the wallet."""
    return Decimal(available), Decimal(frozen)


def best(simulation: Simulation, side: str) -> Decimal:
    price = simulation.exchange.spot.markets["BTC_USDT"].book.best("buy" if side == "buy" else "sell")
    assert price is not None
    return price


def test_resting_order_holds_money_and_gives_it_back(desk: Desk) -> None:
    """A limit buy below the market rests, freezes its value and its fee, and cancelling frees both."""
    order_id = desk.submit("buy", size="0.01", price="50000.019", client_order_id="mine1", stpMode="cancel_maker")
    order = desk.order(order_id)
    created, updated = order.pop("createTime"), order.pop("updateTime")
    assert isinstance(created, int)
    assert updated == created
    assert order == {
        "orderId": order_id,
        "clientOrderId": "mine1",
        "symbol": "BTC_USDT",
        "side": "buy",
        "orderMode": "spot",
        "type": "limit",
        "state": "new",
        "cancelSource": "",
        "stpMode": "cancel_maker",
        "price": "50000.01",
        "priceAvg": "0.00",
        "size": "0.01000",
        "filledSize": "0.00000",
        "notional": "500.00010000",
        "filledNotional": "0.00000000",
    }
    assert desk.wallet()["USDT"] == (Decimal("99499.4998999"), Decimal("500.5001001"))
    assert desk.ok(CANCEL, symbol="BTC_USDT", order_id=order_id) == {"result": True}
    assert desk.wallet()["USDT"] == money(100_000, 0)
    order = desk.order(order_id)
    assert (order["state"], order["cancelSource"]) == ("canceled", "user")


def test_market_buy_spends_notional_and_pays_its_fee_on_top(simulation: Simulation, desk: Desk) -> None:
    """The fee of 0.1 % is in the quote coin, cut to 8 places; size and price are zero, and the rest buys no lot."""
    order_id = desk.submit("buy", "market", notional="1000")
    order = desk.order(order_id)
    assert (order["state"], order["cancelSource"]) == ("partially_canceled", "")
    assert (order["size"], order["price"], order["notional"]) == ("0.00000", "0.00", "1000.00000000")
    rest = 1000 - Decimal(order["filledNotional"])
    assert 0 < rest < best(simulation, "sell") * simulation.exchange.spot.markets["BTC_USDT"].pair.lot
    fills = desk.ok(f"{QUERY}/order-trades", orderId=order_id)
    assert {fill["feeCoinName"] for fill in fills} == {"USDT"}
    assert {fill["tradeRole"] for fill in fills} == {"taker"}
    got = sum((Decimal(fill["size"]) for fill in fills), Decimal(0))
    for fill in fills:
        assert Decimal(fill["fee"]) == (Decimal(fill["notional"]) / 1000).quantize(Decimal("1E-8"), ROUND_DOWN)
    fees = sum((Decimal(fill["fee"]) for fill in fills), Decimal(0))
    wallet = desk.wallet()
    assert wallet["BTC"] == money(10 + got, 0)
    assert wallet["USDT"] == money(100_000 - Decimal(order["filledNotional"]) - fees, 0)
    assert simulation.exchange.accounts.fees.available("USDT") == fees


def test_a_market_buy_that_spends_all_of_it_is_filled(simulation: Simulation, desk: Desk) -> None:
    """Nothing is left that could be cancelled."""
    ask = best(simulation, "sell")
    order = desk.order(desk.submit("buy", "market", notional=str(ask * Decimal("0.001"))))
    assert (order["state"], order["filledNotional"]) == ("filled", order["notional"])


def test_a_buy_needs_room_for_its_fee(desk: Desk) -> None:
    """All the money there is buys nothing; a thousandth less does."""
    assert desk.call(SUBMIT, symbol="BTC_USDT", side="buy", type="market", notional="100000").code == 50020
    order = desk.order(desk.submit("buy", "market", notional="99900"))
    assert order["state"] == "partially_canceled"


def test_another_fee_model_takes_it_out_of_what_is_bought(simulation: Simulation, desk: Desk) -> None:
    """As the exchange did in 2019; a maker's part too, and nothing more than the value is frozen."""
    simulation.exchange.spot.engine.fees = InBought(Decimal("0.0025"))
    order_id = desk.submit("buy", size="0.1", price=str(best(simulation, "sell") - 1000))
    assert desk.wallet()["USDT"][1] == Decimal(desk.order(order_id)["notional"])
    simulation.exchange.flow.push("BTC", best(simulation, "buy") - 1100)
    simulation.exchange.clock.step(100)
    simulation.exchange.tick()
    assert desk.order(order_id)["state"] == "filled"
    fills = desk.ok(f"{QUERY}/order-trades", orderId=order_id)
    assert {fill["feeCoinName"] for fill in fills} == {"BTC"}
    assert desk.wallet()["BTC"] == money(10 + sum(Decimal(fill["size"]) - Decimal(fill["fee"]) for fill in fills), 0)
    assert simulation.exchange.accounts.fees.available("BTC") == Decimal("0.00025")


def test_market_sell_walks_down_the_book(simulation: Simulation, desk: Desk) -> None:
    """A large sale takes several levels, best first, and pays its fee in the quote currency."""
    order_id = desk.submit("sell", "market", size="5")
    fills = desk.ok(f"{QUERY}/order-trades", orderId=order_id)[::-1]
    prices = [Decimal(fill["price"]) for fill in fills]
    assert len(prices) > 1
    assert prices == sorted(prices, reverse=True)
    order = desk.order(order_id)
    assert (order["state"], order["filledSize"]) == ("filled", "5.00000")
    assert Decimal(order["priceAvg"]) == (Decimal(order["filledNotional"]) / 5).quantize(Decimal("0.01"))
    assert {fill["feeCoinName"] for fill in fills} == {"USDT"}
    assert desk.wallet()["USDT"][0] == 100_000 + sum(Decimal(fill["notional"]) - Decimal(fill["fee"]) for fill in fills)


def test_taking_limit_order_gets_the_better_price(simulation: Simulation, desk: Desk) -> None:
    """A buy far above the market pays the market, and what it had held beyond that is free again."""
    ask = best(simulation, "sell")
    order_id = desk.submit("buy", size="0.001", price=str(ask + 1000))
    order = desk.order(order_id)
    assert (order["state"], Decimal(order["priceAvg"])) == ("filled", ask)
    assert desk.wallet()["USDT"] == money(100_000 - ask * Decimal("0.001") * Decimal("1.001"), 0)


def test_user_order_is_filled_when_the_walk_crosses_it(simulation: Simulation, desk: Desk) -> None:
    """A resting order becomes a maker fill as soon as the market comes by."""
    price = best(simulation, "buy") - 100
    order_id = desk.submit("buy", size="0.5", price=str(price))
    simulation.exchange.flow.push("BTC", price - 5)
    simulation.exchange.clock.step(100)
    simulation.exchange.tick()
    assert desk.order(order_id)["state"] == "filled"
    fills = desk.ok(f"{QUERY}/order-trades", orderId=order_id)
    assert {(Decimal(fill["price"]), fill["tradeRole"]) for fill in fills} == {(price, "maker")}


def test_ioc_cancels_what_does_not_fill(simulation: Simulation, desk: Desk) -> None:
    """Partly filled it ends partially_canceled, untouched it ends canceled, both by the system."""
    ask = best(simulation, "sell")
    there = simulation.exchange.spot.markets["BTC_USDT"].book.size_at("sell", ask)
    partly = desk.order(desk.submit("buy", "ioc", size=str(there + Decimal("0.1")), price=str(ask)))
    assert (partly["state"], partly["cancelSource"], Decimal(partly["filledSize"])) == (
        "partially_canceled",
        "system",
        there,
    )
    nothing = desk.order(desk.submit("buy", "ioc", size="0.1", price="1000"))
    assert (nothing["state"], nothing["cancelSource"]) == ("canceled", "system")
    assert desk.wallet()["USDT"][1] == 0


def test_limit_maker_never_takes(simulation: Simulation, desk: Desk) -> None:
    """Crossing or too small, it is accepted and silently cancelled; otherwise it rests."""
    crossing = desk.order(desk.submit("buy", "limit_maker", size="0.1", price=str(best(simulation, "sell"))))
    assert (crossing["state"], crossing["cancelSource"]) == ("canceled", "system")
    small = desk.order(desk.submit("buy", "limit_maker", size="0.00001", price="50000"))
    assert small["state"] == "canceled"
    resting = desk.order(desk.submit("buy", "limit_maker", size="0.1", price=str(best(simulation, "buy"))))
    assert resting["state"] == "new"


def test_users_trade_with_each_other_in_order_of_price_and_time(simulation: Simulation, desk: Desk) -> None:
    """The better price goes first, the older order first at one price."""
    simulation.exchange.accounts.add("2", key="k2", secret="s2", memo="m2", balances={"BTC": 5})
    other = Desk(simulation, "k2", "s2", "m2")
    bid, ask = best(simulation, "buy"), best(simulation, "sell")
    inside = bid + (ask - bid) / 2
    first = other.submit("sell", size="0.1", price=f"{inside:.2f}")
    second = desk.submit("sell", size="0.1", price=f"{inside:.2f}", stpMode="none")
    better = other.submit("sell", size="0.1", price=f"{inside - Decimal('0.01'):.2f}")
    taker = desk.submit("buy", "ioc", size="0.25", price=f"{inside:.2f}")
    assert [
        other.order(first)["filledSize"],
        other.order(better)["filledSize"],
        desk.order(second)["filledSize"],
        desk.order(taker)["filledSize"],
    ] == ["0.10000", "0.10000", "0.05000", "0.25000"]
    assert other.call(f"{QUERY}/order", orderId=taker).code == 50005


@pytest.mark.parametrize(
    ("mode", "resting", "incoming"),
    [
        ("none", "filled", "filled"),
        ("cancel_maker", "canceled", "new"),
        ("cancel_taker", "new", "canceled"),
        ("cancel_both", "canceled", "canceled"),
    ],
)
def test_self_trade_prevention(simulation: Simulation, desk: Desk, mode: str, resting: str, incoming: str) -> None:
    """The incoming order's mode decides who goes; the source of the cancellation is stp."""
    price = f"{best(simulation, 'buy') + Decimal('0.2'):.2f}"
    maker = desk.submit("sell", size="0.1", price=price, stpMode="cancel_both")
    taker = desk.submit("buy", size="0.1", price=price, stpMode=mode)
    states = desk.order(maker), desk.order(taker)
    assert [order["state"] for order in states] == [resting, incoming]
    for order in states:
        assert order["cancelSource"] == ("stp" if order["state"] == "canceled" else "")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"symbol": None}, 50028),
        ({"symbol": "XYZ_USDT"}, 50001),
        ({"side": None}, 50028),
        ({"side": "hold"}, 52002),
        ({"type": None}, 50028),
        ({"type": "fok"}, 52001),
        ({"size": None}, 50010),
        ({"price": None}, 50011),
        ({"size": "x"}, 50021),
        ({"size": "0"}, 50006),
        ({"size": "-1"}, 50006),
        ({"size": "0.000011"}, 50021),
        ({"size": "100000001"}, 50007),
        ({"size": "NaN"}, 50021),
        ({"size": "1E+399"}, 50007),
        ({"size": "1E-400"}, 50006),
        ({"size": "1E+99999999"}, 50021),
        ({"size": "1E-99999999"}, 50021),
        ({"price": "0.001"}, 50008),
        ({"price": "-5"}, 50008),
        ({"price": "1E+30"}, 50025),
        ({"size": "0.0001", "price": "49999"}, 51011),
        ({"type": "market", "side": "buy"}, 50021),
        ({"type": "market", "side": "buy", "size": None}, 50012),
        ({"type": "market", "side": "buy", "notional": "4.99"}, 51012),
        ({"type": "market", "side": "sell", "size": "0.00001"}, 51014),
        ({"type": "market", "side": "buy", "notional": "1E+99"}, 50020),
        ({"stpMode": "cancel_me"}, 50021),
        ({"client_order_id": "a" * 33}, 50037),
        ({"client_order_id": "a-b"}, 50038),
        ({"client_order_id": "caf\u00e9"}, 50038),
        ({"size": "3"}, 50020),
        ({"side": "sell", "size": "10.00001"}, 50020),
        ({"type": "market", "side": "buy", "notional": "100001"}, 50020),
    ],
)
def test_refused_orders_name_the_reason_and_leave_nothing(desk: Desk, members: dict[str, Any], code: int) -> None:
    """Each rule has its code and HTTP 400; no money moves and no order is left."""
    asked = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.01", "price": "40000"} | members
    answer = desk.call(SUBMIT, **{name: value for name, value in asked.items() if value is not None})
    assert (answer.code, answer.status) == (code, 400), answer.body
    assert desk.wallet()["USDT"] == money(100_000, 0)
    assert desk.ok(f"{QUERY}/open-orders") == desk.ok(f"{QUERY}/history-orders") == []


def test_misspelt_stp_mode_does_nothing(desk: Desk) -> None:
    """The exchange ignores what it does not know, stpmode included."""
    assert desk.order(desk.submit("buy", size="0.01", price="40000", stpmode="cancel_both"))["stpMode"] == "none"


def test_numbers_may_travel_as_json_numbers(desk: Desk) -> None:
    """Sizes and prices are read from text and from numbers alike."""
    assert desk.order(desk.submit("buy", size=1, price=40000))["size"] == "1.00000"


def test_client_order_ids_are_unique_for_good(simulation: Simulation, desk: Desk) -> None:
    """A used id is refused even after its order is gone; another account has its own ids."""
    desk.submit("buy", size="0.01", price="40000", client_order_id="one")
    desk.ok(CANCEL, symbol="BTC_USDT", client_order_id="one")
    again = desk.call(
        SUBMIT, symbol="BTC_USDT", side="buy", type="limit", size="0.01", price="40000", client_order_id="one"
    )
    assert (again.code, again.status) == (50042, 400)
    simulation.exchange.accounts.add("2", key="k2", secret="s2", memo="m2", balances={"USDT": 5000})
    assert Desk(simulation, "k2", "s2", "m2").submit("buy", size="0.01", price="40000", client_order_id="one")
    assert desk.ok(f"{QUERY}/client-order", clientOrderId="one")["state"] == "canceled"


def test_cancelling_tells_what_became_of_the_order(simulation: Simulation, desk: Desk) -> None:
    """Cancelled, filled, unknown, foreign pair, no id: each has its code."""
    gone = desk.submit("buy", size="0.01", price="40000")
    desk.ok(CANCEL, symbol="BTC_USDT", order_id=gone)
    assert desk.call(CANCEL, symbol="BTC_USDT", order_id=gone).code == 50030
    filled = desk.submit("sell", "market", size="0.01")
    assert desk.call(CANCEL, symbol="BTC_USDT", order_id=filled).code == 50031
    bought = desk.submit("buy", "market", notional="100")
    assert desk.call(CANCEL, symbol="BTC_USDT", order_id=bought).code == 50030
    assert desk.call(CANCEL, symbol="BTC_USDT", order_id="12").code == 50005
    assert desk.call(CANCEL, symbol="ETH_USDT", order_id=filled).code == 50005
    assert desk.call(CANCEL, symbol="BTC_USDT").code == 50039
    assert desk.call(CANCEL, symbol="BTC_USDT", order_id=gone, client_order_id="x").code == 50029


def test_cancelled_unfilled_orders_are_forgotten_after_twenty_minutes(simulation: Simulation, desk: Desk) -> None:
    """By id they are gone then, while filled ones and the history stay."""
    filled = desk.submit("sell", "market", size="0.01")
    gone = desk.submit("buy", size="0.01", price="40000", client_order_id="gone1")
    desk.ok(CANCEL, symbol="BTC_USDT", order_id=gone)
    simulation.exchange.clock.step(20 * 60_000 - 1_000)
    assert desk.order(gone)["state"] == "canceled"
    simulation.exchange.clock.step(2_000)
    assert desk.call(f"{QUERY}/order", orderId=gone).code == 50005
    assert desk.call(f"{QUERY}/client-order", clientOrderId="gone1").code == 50005
    assert desk.order(filled)["state"] == "filled"
    assert [order["orderId"] for order in desk.ok(f"{QUERY}/history-orders")] == [gone, filled]


def test_batch_answers_inside_its_own_envelope(desk: Desk) -> None:
    """Ids come in the order of the entries; what cannot be paid for is there too, as failed."""
    entries = [
        {"side": "buy", "type": "limit", "size": "1", "price": "40000", "clientOrderId": "b1"},
        {"side": "buy", "type": "limit", "size": "2", "price": "40000", "clientOrderId": "b2"},
        {"side": "sell", "type": "limit", "size": "1", "price": "90000", "clientOrderId": "b3"},
    ]
    data = desk.ok("/spot/v4/batch_orders", symbol="BTC_USDT", orderParams=entries, recvWindow=5000)
    assert (data["code"], data["msg"]) == (0, "success")
    orders = [desk.order(order_id) for order_id in data["data"]["orderIds"]]
    assert [(order["clientOrderId"], order["state"]) for order in orders] == [
        ("b1", "new"),
        ("b2", "failed"),
        ("b3", "new"),
    ]


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([], 50033),
        ([{"side": "buy", "type": "limit", "size": "1", "price": "1"}] * 11, 50033),
        ("x", 50033),
        (None, 50033),
        ([1], 50000),
        ([{"side": "buy", "type": "limit", "size": "1", "price": "9", "clientOrderId": "a"}] * 2, 50042),
        (
            [
                {"side": "buy", "type": "limit", "size": "1", "price": "9"},
                {"side": "buy", "type": "limit", "size": "1"},
            ],
            50011,
        ),
    ],
)
def test_malformed_batch_places_nothing(desk: Desk, entries: Any, code: int) -> None:
    """One bad entry refuses them all."""
    assert desk.call("/spot/v4/batch_orders", symbol="BTC_USDT", orderParams=entries).code == code
    assert desk.ok(f"{QUERY}/open-orders") == []


def test_cancelling_several(desk: Desk) -> None:
    """The answer sorts the ids into done and not done, by either kind of id."""
    ids = [desk.submit("buy", size="0.01", price="40000", client_order_id=f"c{number}") for number in range(3)]
    data = desk.ok("/spot/v4/cancel_orders", symbol="BTC_USDT", orderIds=[ids[0], "99"])
    assert data == {"successIds": [ids[0]], "failIds": ["99"], "totalCount": 2, "successCount": 1, "failedCount": 1}
    data = desk.ok("/spot/v4/cancel_orders", symbol="BTC_USDT", clientOrderIds=["c0", "c1"])
    assert (data["successIds"], data["failIds"]) == (["c1"], ["c0"])
    assert desk.call("/spot/v4/cancel_orders", symbol="BTC_USDT").code == 50039
    assert desk.call("/spot/v4/cancel_orders", symbol="BTC_USDT", orderIds=["1"], clientOrderIds=["c2"]).code == 50029
    assert desk.call("/spot/v4/cancel_orders", symbol="BTC_USDT", orderIds=["1"] * 11).code == 50033


def test_cancel_all_with_and_without_filters(simulation: Simulation, desk: Desk) -> None:
    """Of one pair, of one side, or everything; the answer is empty."""
    desk.submit("buy", size="0.01", price="40000")
    desk.submit("sell", size="0.01", price="90000")
    desk.submit("buy", symbol="ETH_USDT", size="1", price="1000")

    def left() -> list[tuple[str, str]]:
        simulation.exchange.clock.step(3_000)
        return sorted((order["symbol"], order["side"]) for order in desk.ok(f"{QUERY}/open-orders"))

    assert desk.ok("/spot/v4/cancel_all", symbol="BTC_USDT", side="sell") == {}
    assert left() == [("BTC_USDT", "buy"), ("ETH_USDT", "buy")]
    assert desk.ok("/spot/v4/cancel_all", symbol="ETH_USDT") == {}
    assert left() == [("BTC_USDT", "buy")]
    assert desk.ok("/spot/v4/cancel_all") == {}
    assert left() == []


def test_lists_filter_sort_and_limit(simulation: Simulation, desk: Desk) -> None:
    """Newest first, by pair, mode, time and number; a week back unless told."""
    old = desk.submit("buy", size="0.01", price="40000")
    simulation.exchange.clock.step(8 * 24 * 3_600_000)
    new = [desk.submit("buy", size="0.01", price="40000") for _ in range(3)]
    desk.submit("buy", symbol="ETH_USDT", size="1", price="1000")

    def ids(**members: Any) -> list[str]:
        return [order["orderId"] for order in desk.ok(f"{QUERY}/open-orders", **members)]

    assert ids(symbol="BTC_USDT") == new[::-1]
    assert ids(symbol="BTC_USDT", startTime=0) == [*new[::-1], old]
    assert ids(limit=2, symbol="BTC_USDT") == new[:0:-1]
    created = desk.order(new[1])["createTime"]
    assert ids(symbol="BTC_USDT", endTime=created) == [new[1], new[0]]
    assert ids(orderMode="iso_margin") == []
    assert ids(orderMode="spot", symbol="ETH_USDT") != []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"symbol": "X"}, 50001),
        ({"orderMode": "cash"}, 52000),
        ({"startTime": 9, "endTime": 8}, 52004),
        ({"limit": 0}, 50015),
        ({"limit": 201}, 50016),
        ({"limit": "x"}, 50021),
    ],
)
@pytest.mark.parametrize("path", ["open-orders", "history-orders", "trades"])
def test_lists_check_their_filters(desk: Desk, path: str, members: dict[str, Any], code: int) -> None:
    """Every list has the same rules."""
    assert desk.call(f"{QUERY}/{path}", **members).code == code


def test_look_ups_by_state(desk: Desk) -> None:
    """The state narrows the search, an unknown one is refused, and a missing id is a missing order."""
    order_id = desk.submit("buy", size="0.01", price="40000", client_order_id="q1")
    assert desk.ok(f"{QUERY}/order", orderId=order_id, queryState="open")["state"] == "new"
    assert desk.call(f"{QUERY}/order", orderId=order_id, queryState="history").code == 50005
    assert desk.call(f"{QUERY}/client-order", clientOrderId="q1", queryState="all").code == 52003
    assert desk.call(f"{QUERY}/order").code == 50005
    assert desk.call(f"{QUERY}/client-order", clientOrderId="Q1").code == 50005
    assert desk.call(f"{QUERY}/order-trades", orderId="1").code == 50005


def test_account_trades_list_all_fills_newest_first(desk: Desk) -> None:
    """Fills of all orders in one list, each id once."""
    for side, members in (("buy", {"notional": "50000"}), ("sell", {"size": "2"}), ("buy", {"notional": "300"})):
        desk.submit(side, "market", **members)
    fills = desk.ok(f"{QUERY}/trades", symbol="BTC_USDT")
    ids = [int(fill["tradeId"]) for fill in fills]
    assert ids == sorted(set(ids), reverse=True)
    assert set(fills[0]) == {
        "tradeId",
        "orderId",
        "clientOrderId",
        "symbol",
        "side",
        "orderMode",
        "type",
        "stpMode",
        "price",
        "size",
        "notional",
        "fee",
        "feeCoinName",
        "tradeRole",
        "createTime",
        "updateTime",
    }
    assert desk.ok(f"{QUERY}/trades", limit=1) == fills[:1]
    assert desk.ok(f"{QUERY}/trades", symbol="ETH_USDT") == []


def test_an_empty_book_leaves_a_market_order_cancelled(simulation: Simulation, desk: Desk) -> None:
    """What the book cannot give is cancelled by the system and its money freed."""
    book = simulation.exchange.spot.markets["BTC_USDT"].book
    for maker in book.orders("buy", None):
        book.cancel(maker.order_id)
    order = desk.order(desk.submit("sell", "market", size="1"))
    assert (order["state"], order["cancelSource"]) == ("canceled", "system")
    assert desk.wallet()["BTC"] == money(10, 0)


def test_wallets_and_fees(simulation: Simulation, desk: Desk) -> None:
    """The account's wallet, valued when asked to, and the fee rates."""
    desk.submit("sell", size="1", price="90000")
    rows: Any = desk.direct.get("/account/v1/wallet", currency="BTC").data
    assert rows["wallet"] == [
        {
            "currency": "BTC",
            "name": "Bitcoin",
            "available": "9.00000000",
            "available_usd_valuation": None,
            "frozen": "1.00000000",
            "unAvailable": "1.00000000",
            "fundAvailable": "0.00000000",
            "fundFrozen": "0.00000000",
        }
    ]
    valued: Any = desk.direct.get("/account/v1/wallet", currency="BTC", needUsdValuation="true").data
    last = simulation.exchange.spot.markets["BTC_USDT"].last
    assert Decimal(valued["wallet"][0]["available_usd_valuation"]) == 9 * last
    assert desk.direct.get("/account/v1/wallet", sourceAccount="FUND").data == {"wallet": []}
    assert desk.direct.get("/account/v1/wallet", currency="XYZ").code == 60002
    assert desk.direct.get("/account/v1/wallet", sourceAccount="BANK").code == 60001
    spot: Any = desk.direct.get("/spot/v1/wallet").data
    assert spot["wallet"][1] == {
        "id": "BTC",
        "name": "Bitcoin",
        "available": "9.00000000",
        "frozen": "1.00000000",
        "total": "10.00000000",
    }
    fee: Any = desk.direct.get("/spot/v1/trade_fee", symbol="BTC_USDT").data
    assert fee == {
        "symbol": "BTC_USDT",
        "buy_taker_fee_rate": "0.001",
        "sell_taker_fee_rate": "0.001",
        "buy_maker_fee_rate": "0.001",
        "sell_maker_fee_rate": "0.001",
    }
    assert desk.direct.get("/spot/v1/trade_fee", symbol="X").code == 50001
    base: Any = desk.direct.get("/spot/v1/user_fee").data
    assert (base["user_rate_type"], base["level"], base["taker_fee_rate_A"]) == (0, "LV1", "0.001")


def test_terms_of_currencies(simulation: Simulation) -> None:
    """Public, a row a chain, filtered by codes with or without the chain."""
    direct = Direct(simulation.bitmart)

    def rows(**params: str) -> list[Any]:
        simulation.exchange.clock.step(2_000)
        data: Any = direct.get("/account/v1/currencies", **params).data
        return [row["currency"] for row in data["currencies"]]

    assert rows() == ["BTC", "ETH", "USDT-TRC20", "USDT-ERC20", "BMX"]
    assert rows(currencies="USDT,BTC") == ["BTC", "USDT-TRC20", "USDT-ERC20"]
    assert rows(currencies="USDT-TRC20") == ["USDT-TRC20"]
    simulation.exchange.clock.step(2_000)
    assert direct.get("/account/v1/currencies", currencies="XYZ").code == 60002
    assert direct.get("/account/v1/currencies", currencies=",".join(f"C{n}" for n in range(21))).code == 60000
