"""Ordinary futures orders: placing, matching, changing, cancelling, listing, and the documented refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from futures_kit import Venue


def test_market_order_fills_at_the_book() -> None:
    """A market buy takes the best ask, pays the taker fee, and says 'market price'."""
    venue = Venue()
    ask = venue.exchange.futures.listings["BTCUSDT"].book.best("sell")
    assert ask is not None
    placed = venue.order(1, 10, leverage="10", open_type="isolated")
    assert placed["price"] == "market price"
    assert isinstance(placed["order_id"], int)
    order = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))
    assert (order["state"], order["deal_size"], order["type"]) == (4, "10", "market")
    assert Decimal(order["price"]) > Decimal(order["deal_avg_price"])  # the protective price, not the fills'
    assert Decimal(order["deal_avg_price"]) >= ask
    fill = venue.ok(venue.get("trades", symbol="BTCUSDT"))[0]
    assert fill["exec_type"] == "Taker"
    assert fill["order_id"] == str(placed["order_id"])
    fills = venue.ok(venue.get("trades"))
    value = sum((Decimal(f["price"]) * Decimal(f["vol"]) for f in fills), Decimal(0)) / 1000
    fees = sum((Decimal(f["paid_fees"]) for f in fills), Decimal(0))
    assert fees == value * Decimal("0.0006")
    asset = venue.asset()
    assert asset["position_deposit"] == value / 10
    assert asset["available_balance"] == 100_000 - value / 10 - fees


def test_limit_order_rests_holds_margin_and_gives_it_back() -> None:
    """Margin and fee are frozen while it rests; cancelling frees them to the last digit."""
    venue = Venue()
    placed = venue.order(1, 10, "50000", leverage="5", open_type="cross", client_order_id="rest1")
    assert placed["price"] == "50000"
    assert venue.asset()["frozen_balance"] == Decimal(500) / 5 + Decimal(500) * Decimal("0.0006")
    rows = venue.ok(venue.get("get-open-orders", symbol="BTCUSDT"))
    assert [(row["order_id"], row["client_order_id"], row["state"]) for row in rows] == [
        (str(placed["order_id"]), "rest1", 2)
    ]
    assert venue.ok(venue.post("cancel-order", symbol="BTCUSDT", order_id=str(placed["order_id"]))) == {}
    assert venue.asset()["frozen_balance"] == 0
    assert venue.asset()["available_balance"] == 100_000
    assert venue.ok(venue.get("get-open-orders")) == []
    assert venue.post("cancel-order", symbol="BTCUSDT", order_id=str(placed["order_id"]))[:2] == (400, 40036)
    assert venue.post("cancel-order", symbol="BTCUSDT", order_id="17")[:2] == (400, 40035)


def test_the_walk_fills_a_resting_order() -> None:
    """A bid is filled at its own price, as a maker, once the price has crossed it."""
    venue = Venue()
    placed = venue.order(1, 5, "59000")
    venue.move(58_900)
    order = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))
    assert (order["state"], order["deal_avg_price"]) == (4, "59000")
    fill = venue.ok(venue.get("trades"))[0]
    assert (fill["exec_type"], fill["paid_fees"]) == ("Maker", "0.059")


def test_users_trade_with_each_other() -> None:
    """One user's order inside the spread is met by another's."""
    venue = Venue()
    price = venue.inside()
    venue.order(4, 3, price)
    venue.order(1, 3, price, who="2")
    mine, theirs = venue.ok(venue.get("trades"))[0], venue.ok(venue.get("trades", "2"))[0]
    assert mine["trade_id"] == theirs["trade_id"]
    assert (mine["exec_type"], theirs["exec_type"]) == ("Maker", "Taker")
    assert mine["price"] == theirs["price"] == format(price.normalize(), "f")


def test_modes() -> None:
    """IOC drops its rest, FOK does all or nothing, maker-only never takes."""
    venue = Venue()
    price = venue.inside()
    venue.order(4, 5, price, who="2")
    ioc = venue.order(1, 8, price, mode=3)
    assert venue.ok(venue.get("order", symbol="BTCUSDT", order_id=ioc["order_id"]))["deal_size"] == "5"
    venue.order(4, 5, price, who="2")
    fok = venue.order(1, 8, price, mode=2)
    row = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=fok["order_id"]))
    assert (row["state"], row["deal_size"]) == (4, "0")
    fok = venue.order(1, 4, price, mode=2)
    assert venue.ok(venue.get("order", symbol="BTCUSDT", order_id=fok["order_id"]))["deal_size"] == "4"
    taking = venue.order(1, 1, price, mode=4)
    row = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=taking["order_id"]))
    assert (row["state"], row["deal_size"]) == (4, "0")
    resting = venue.order(1, 1, "50000", mode=4)
    assert venue.ok(venue.get("order", symbol="BTCUSDT", order_id=resting["order_id"]))["state"] == 2
    assert venue.asset()["frozen_balance"] > 0


@pytest.mark.parametrize(("stp_mode", "maker_state", "taker_deal"), [(1, 4, 2), (2, 2, 0), (3, 4, 0)])
def test_self_trade_prevention(stp_mode: int, maker_state: int, taker_deal: int) -> None:
    """Cancel maker lets the taker go on, cancel taker keeps the maker, cancel both ends both."""
    venue = Venue()
    price = venue.inside()
    maker = venue.order(4, 2, price)
    venue.order(4, 2, price, who="2")
    taker = venue.order(1, 2, price, stp_mode=stp_mode)
    rows = [venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"])) for placed in (maker, taker)]
    assert rows[0]["state"] == maker_state
    assert rows[0]["deal_size"] == "0"
    assert rows[1]["deal_size"] == str(taker_deal)
    assert rows[1]["state"] == 4


def test_modify() -> None:
    """Price and size change, the hold follows, and a better price may trade at once."""
    venue = Venue()
    placed = venue.order(1, 10, "50000", client_order_id="m1", leverage="10")
    answer = venue.ok(venue.post("modify-limit-order", symbol="BTCUSDT", order_id=placed["order_id"], size=20))
    assert answer == {"order_id": placed["order_id"], "client_order_id": "m1"}
    assert venue.asset()["frozen_balance"] == Decimal(1000) / 10 + Decimal("0.6")
    venue.ok(venue.post("modify-limit-order", symbol="BTCUSDT", client_order_id="m1", price="70000", size=1))
    row = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))
    assert (row["state"], row["deal_size"]) == (4, "1")
    assert Decimal(row["deal_avg_price"]) < 70_000
    again = {"symbol": "BTCUSDT", "client_order_id": "m1", "price": "70000"}
    assert venue.post("modify-limit-order", **again)[:2] == (400, 40036)
    assert venue.post("modify-limit-order", symbol="BTCUSDT", price="70000")[:2] == (400, 40011)
    assert venue.asset()["frozen_balance"] == 0


def test_a_modification_that_cannot_be_paid_leaves_the_order() -> None:
    """The old order still rests with its old hold, at its old place in the queue."""
    venue = Venue()
    placed = venue.order(1, 10, "50000", leverage="1")
    held = venue.asset()["frozen_balance"]
    refused = venue.post("modify-limit-order", symbol="BTCUSDT", order_id=placed["order_id"], size=100_000)
    assert refused[:2] == (400, 40027)
    assert venue.asset()["frozen_balance"] == held
    assert venue.ok(venue.get("get-open-orders"))[0]["size"] == "10"
    book = venue.exchange.futures.listings["BTCUSDT"].book
    venue.order(1, 10, "50000", who="2")
    assert [order.owner for order in book.candidates("sell", Decimal(50_000)) if order.owner] == ["1", "2"]


def test_cancel_without_an_id_cancels_the_symbol() -> None:
    """All orders of that contract go, those of others stay."""
    venue = Venue()
    for price in ("50000", "51000"):
        venue.order(1, 1, price)
    venue.order(1, 1, "2000", symbol="ETHUSDT")
    venue.ok(venue.post("cancel-order", symbol="BTCUSDT"))
    assert [row["symbol"] for row in venue.ok(venue.get("get-open-orders"))] == ["ETHUSDT"]
    venue.ok(venue.post("cancel-orders", symbol="ETHUSDT"))
    assert venue.ok(venue.get("get-open-orders")) == []
    venue.ok(venue.post("cancel-orders", symbol="ETHUSDT"))


def test_cancel_all_after() -> None:
    """The timer cancels one symbol's ordinary orders when it runs out; renewing defers it, 0 switches it off."""
    venue = Venue()
    venue.order(1, 1, "50000")
    venue.order(1, 1, "2000", symbol="ETHUSDT")
    data = venue.ok(venue.post("cancel-all-after", symbol="BTCUSDT", timeout=5))
    assert data["result"] is True
    assert data["cancel_time"] - data["set_time"] == 5
    venue.tick(30)
    venue.ok(venue.post("cancel-all-after", symbol="BTCUSDT", timeout=5))
    venue.tick(30)
    assert len(venue.ok(venue.get("get-open-orders"))) == 2
    venue.tick(20)
    assert [row["symbol"] for row in venue.ok(venue.get("get-open-orders"))] == ["ETHUSDT"]
    venue.ok(venue.post("cancel-all-after", symbol="ETHUSDT", timeout=5))
    venue.ok(venue.post("cancel-all-after", symbol="ETHUSDT", timeout=0))
    venue.tick(60)
    assert len(venue.ok(venue.get("get-open-orders"))) == 1
    assert venue.post("cancel-all-after", symbol="ETHUSDT", timeout=3)[:2] == (400, 40011)
    assert venue.post("cancel-all-after", symbol="ETHUSDT")[:2] == (400, 40011)


REFUSALS: list[tuple[dict[str, object], int, int]] = [
    ({"symbol": "NOPE"}, 400, 40034),
    ({"side": 5}, 400, 40041),
    ({"type": "stop"}, 400, 40042),
    ({"size": "1.5"}, 400, 40043),
    ({"size": 0}, 400, 40044),
    ({"size": 1_000_001}, 400, 40044),
    ({"size": None}, 400, 40011),
    ({"price": "50000.05"}, 400, 40043),
    ({"price": "-1"}, 400, 40044),
    ({"price": None}, 400, 40011),
    ({"price": "abc"}, 400, 40007),
    ({"leverage": "101"}, 400, 40029),
    ({"leverage": "0.5"}, 400, 40030),
    ({"open_type": "both"}, 400, 40045),
    ({"mode": 9}, 400, 40011),
    ({"client_order_id": "a_b"}, 403, 40048),
    ({"client_order_id": "a" * 33}, 403, 40049),
    ({"client_order_id": "used"}, 403, 40050),
    ({"size": 900_000, "price": "1000", "leverage": "1"}, 400, 40027),
    ({"size": 900_000, "leverage": "100"}, 400, 40029),
    ({"side": 3}, 400, 40021),
    ({"type": "market", "price": None, "mode": 4}, 400, 40011),
]


@pytest.mark.parametrize(("changes", "status", "code"), REFUSALS)
def test_refusals(changes: dict[str, object], status: int, code: int) -> None:
    """Each mistake has its documented code and status, and leaves no order and no hold behind."""
    venue = Venue()
    venue.order(1, 1, "40000", who="1", client_order_id="used")
    venue.ok(venue.post("cancel-order", symbol="BTCUSDT"))
    params: dict[str, object] = {
        "symbol": "BTCUSDT",
        "side": 1,
        "size": 1,
        "type": "limit",
        "price": "50000",
        **changes,
    }
    reply = venue.post("submit-order", **params)
    assert reply[:2] == (status, code)
    assert venue.ok(venue.get("get-open-orders")) == []
    assert venue.asset()["frozen_balance"] == 0


def test_history_and_trades_filters() -> None:
    """Finished orders newest first, by id, by client id, by time; spans are checked."""
    venue = Venue()
    first = venue.order(1, 1, client_order_id="h1")
    venue.tick(20)
    second = venue.order(1, 2, client_order_id="h2")
    rows = venue.ok(venue.get("order-history", symbol="BTCUSDT"))
    assert [row["order_id"] for row in rows] == [str(second["order_id"]), str(first["order_id"])]
    assert rows[0]["account"] == "futures"
    assert rows[0]["preset_take_profit_price"] == ""
    by_id = venue.ok(venue.get("order-history", symbol="BTCUSDT", client_order_id="h1"))
    assert [row["client_order_id"] for row in by_id] == ["h1"]
    fills = venue.ok(venue.get("trades", client_order_id="h2"))
    assert {fill["order_id"] for fill in fills} == {str(second["order_id"])}
    now = venue.exchange.now_ms() // 1000
    assert venue.ok(venue.get("order-history", symbol="BTCUSDT", start_time=now - 100, end_time=now - 50)) == []
    assert venue.get("order-history", symbol="BTCUSDT", start_time=now, end_time=now - 1)[:2] == (400, 40039)
    assert venue.get("trades", start_time=now - 100 * 86_400, end_time=now)[:2] == (400, 40039)
    assert venue.get("order-history")[:2] == (400, 40011)
    assert venue.ok(venue.get("trades", account="copy_trading")) == []


def test_open_order_filters() -> None:
    """By symbol, by kind and by what is partly filled."""
    venue = Venue()
    price = venue.inside()
    venue.order(4, 3, price, who="2")
    partly = venue.order(1, 5, price)
    venue.order(1, 5, "50000")
    rows = venue.ok(venue.get("get-open-orders", order_state="partially_filled"))
    assert [(row["order_id"], row["deal_size"]) for row in rows] == [(str(partly["order_id"]), "3")]
    assert venue.ok(venue.get("get-open-orders", type="trailing")) == []
    assert len(venue.ok(venue.get("get-open-orders", type="limit", symbol="BTCUSDT"))) == 2
    assert len(venue.ok(venue.get("get-open-orders", limit=1))) == 1


def test_fee_rate() -> None:
    """0.06 % for takers, 0.02 % for makers."""
    venue = Venue()
    assert venue.ok(venue.get("trade-fee-rate", symbol="BTCUSD")) == {
        "symbol": "BTCUSD",
        "taker_fee_rate": "0.0006",
        "maker_fee_rate": "0.0002",
    }
