"""Positions: profit and margin to the last digit, in both modes, both margin types; liquidation and funding."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from futures_kit import Venue


def row(venue: Venue, side: str = "long", symbol: str = "BTCUSDT") -> dict[str, Any]:
    rows = venue.ok(venue.get("position-v2", symbol=symbol))
    return next(r for r in rows if r["position_side"] == side)


def close_of(venue: Venue, placed: dict[str, Any]) -> dict[str, Any]:
    return dict(venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"])))


def test_profit_of_a_linear_long() -> None:
    """Realised profit is contracts times contract size times the price difference, fees apart."""
    venue = Venue()
    price = venue.inside()
    venue.order(4, 10, price, who="2")
    venue.order(1, 10, price, leverage="20", open_type="isolated")
    held = row(venue)
    assert (held["current_amount"], Decimal(held["entry_price"])) == ("10", price)
    assert Decimal(held["initial_margin"]) == price * 10 / 1000 / 20
    venue.move(price + 500)
    mark = Decimal(row(venue)["mark_price"])
    assert Decimal(row(venue)["unrealized_pnl"]) == (mark - price) * 10 / 1000
    out = venue.inside()
    venue.order(1, 4, out, who="3")
    venue.order(3, 4, out)
    fill = venue.ok(venue.get("trades"))[0]
    assert Decimal(fill["realised_profit"]) == (out - price) * 4 / 1000
    assert fill["profit"] is True
    held = row(venue)
    assert (held["current_amount"], held["close_vol"], Decimal(held["close_avg_price"])) == ("6", "4", out)
    venue.ok(venue.post("close-all-position", contractType=1))
    assert row(venue)["current_amount"] == "0"
    asset = venue.asset()
    assert asset["position_deposit"] == asset["frozen_balance"] == asset["unrealized"] == 0
    flows = venue.ok(venue.get("transaction-history"))
    assert sum(Decimal(flow["amount"]) for flow in flows) == asset["available_balance"] - 100_000


def test_profit_of_an_inverse_short() -> None:
    """A coin-margined short earns base currency: contracts times (1 / exit - 1 / entry)."""
    venue = Venue()
    price = venue.inside("BTCUSD")
    venue.order(1, 50, price, who="2", symbol="BTCUSD")
    venue.order(4, 50, price, symbol="BTCUSD", leverage="10", open_type="isolated")
    venue.move(price - 1000)
    out = venue.inside("BTCUSD")
    venue.order(4, 50, out, who="3", symbol="BTCUSD")
    venue.order(2, 50, out, symbol="BTCUSD")
    fill = venue.ok(venue.get("trades"))[0]
    exact = Decimal(5000) / out - Decimal(5000) / price
    assert abs(Decimal(fill["realised_profit"]) - exact) <= Decimal("2E-12")
    assert Decimal(fill["realised_profit"]) > 0
    assert venue.asset("BTC")["position_deposit"] == 0


def test_hedge_mode_holds_both_directions() -> None:
    """Long and short stand side by side; closing orders cannot exceed their own."""
    venue = Venue()
    venue.order(1, 10)
    venue.order(4, 7)
    assert (row(venue)["current_amount"], row(venue, "short")["current_amount"]) == ("10", "7")
    venue.order(3, 6, "70000")
    refused = venue.post("submit-order", symbol="BTCUSDT", side=3, size=5, type="market")
    assert refused[:2] == (400, 40020)
    venue.order(3, 4)
    assert row(venue)["current_amount"] == "6"
    rows = venue.ok(venue.get("position", symbol="BTCUSDT"))
    assert [(r["position_type"], r["margin_type"], r["position_mode"]) for r in rows] == [
        (1, "Cross", "hedge_mode"),
        (2, "Cross", "hedge_mode"),
    ]
    risk = venue.ok(venue.get("position-risk", symbol="BTCUSDT"))
    assert [(r["position_side"], r["isolated_margin"]) for r in risk] == [("Long", "0"), ("Short", "0")]


def test_closing_orders_go_when_their_position_is_gone() -> None:
    """Closing everything cancels what waited to close it."""
    venue = Venue()
    venue.order(1, 10)
    waiting = venue.order(3, 10, "70000")
    venue.ok(venue.post("close-all-position", contractType=1, symbol="BTCUSDT", position_side="long"))
    assert close_of(venue, waiting)["state"] == 4
    assert venue.ok(venue.get("get-open-orders")) == []
    assert venue.ok(venue.get("position")) == []
    assert venue.ok(venue.post("close-all-position", contractType=2)) == {}


def test_one_way_mode_nets_and_flips() -> None:
    """A sell first closes the long, then opens a short; reduce-only never opens."""
    venue = Venue()
    assert venue.ok(venue.get("get-position-mode")) == {"position_mode": "hedge_mode"}
    assert venue.ok(venue.post("set-position-mode", position_mode="one_way_mode")) == {"position_mode": "one_way_mode"}
    venue.order(1, 10, leverage="10", open_type="cross")
    assert row(venue, "both")["position_amount"] == "10"
    venue.order(4, 25)
    held = row(venue, "both")
    assert (held["position_amount"], held["current_amount"]) == ("-15", "15")
    assert venue.post("submit-order", symbol="BTCUSDT", side=3, size=1, type="market")[:2] == (400, 40021)
    assert venue.post("submit-order", symbol="BTCUSDT", side=2, size=16, type="market")[:2] == (400, 40020)
    venue.order(2, 15)
    assert row(venue, "both")["position_amount"] == "0"


def test_netting_in_one_way_mode_needs_no_margin() -> None:
    """With everything in one long, selling it again is possible without a free cent to speak of."""
    venue = Venue()
    venue.ok(venue.post("set-position-mode", position_mode="one_way_mode"))
    price = venue.inside()
    size = int(Decimal(100_000) / (price / 1000 * Decimal("1.0006")))
    venue.order(4, size, price, who="2", leverage="10")
    venue.order(1, size, price, leverage="1", open_type="isolated")
    assert venue.asset()["available_balance"] < price / 1000
    venue.order(4, size)
    assert row(venue, "both")["position_amount"] == "0"


def test_mode_cannot_be_switched_with_positions_or_orders() -> None:
    """40059 while anything is open; the same mode again is fine."""
    venue = Venue()
    venue.order(1, 1, "50000")
    assert venue.post("set-position-mode", position_mode="one_way_mode")[1] == 40059
    venue.ok(venue.post("set-position-mode", position_mode="hedge_mode"))
    venue.ok(venue.post("cancel-orders", symbol="BTCUSDT"))
    venue.ok(venue.post("set-position-mode", position_mode="one_way_mode"))


def test_leverage_setting() -> None:
    """It is used by orders that name none, shown in empty rows, and bound by an open position."""
    venue = Venue()
    set_to = venue.ok(venue.post("submit-leverage", symbol="BTCUSDT", leverage="25", open_type="isolated"))
    assert set_to == {"symbol": "BTCUSDT", "leverage": "25", "open_type": "isolated", "max_value": "100"}
    assert (row(venue)["leverage"], row(venue)["open_type"]) == ("25", "isolated")
    venue.order(1, 1)
    assert row(venue)["leverage"] == "25"
    assert venue.post("submit-leverage", symbol="BTCUSDT", leverage="5", open_type="isolated")[1] == 40040
    assert venue.post("submit-leverage", symbol="BTCUSDT", leverage="25", open_type="cross")[1] == 40012
    assert venue.post("submit-leverage", symbol="BTCUSDT", leverage="25")[:2] == (400, 40011)
    other = venue.post(
        "submit-order", symbol="BTCUSDT", side=1, size=1, type="market", leverage="5", open_type="isolated"
    )
    assert other[1] == 40040


def test_isolated_liquidation_costs_the_margin_and_no_more() -> None:
    """Past the liquidation price the position is gone, its margin with it, and the rest of the wallet untouched."""
    venue = Venue()
    venue.order(1, 100, leverage="50", open_type="isolated")
    margin, free = Decimal(row(venue)["initial_margin"]), venue.asset()["available_balance"]
    limit = Decimal(row(venue)["liquidation_price"])
    venue.move(limit + 2)
    assert row(venue)["current_amount"] == "100"
    venue.move(limit - 2)
    assert row(venue)["current_amount"] == "0"
    assert venue.asset()["available_balance"] == venue.asset()["equity"] == free
    done = venue.ok(venue.get("order-history", symbol="BTCUSDT"))[0]
    assert (done["type"], done["side"], done["deal_size"]) == ("liquidate", 3, "100")
    lost = venue.ok(venue.get("transaction-history"))
    kinds = {flow["type"]: Decimal(flow["amount"]) for flow in lost if flow["type"] != "Commission Fee"}
    assert sum(kinds.values()) == -margin
    assert set(kinds) == {"Realized PNL", "Liquidation Clearance"}


def test_liquidation_price_of_a_gap() -> None:
    """A price that jumps far beyond the margin still costs no more than the margin; the house bears the rest."""
    venue = Venue()
    before = venue.money("USDT")
    venue.order(4, 100, leverage="100", open_type="isolated")
    free = venue.asset()["available_balance"]
    venue.move(80_000)
    assert row(venue, "short")["current_amount"] == "0"
    assert venue.asset()["equity"] == free
    assert venue.exchange.futures.engine.ledger.house["USDT", "insurance"] < 0
    assert venue.money("USDT") == before


def test_cross_liquidation_takes_orders_and_all_cross_positions() -> None:
    """The whole wallet backs them; when it is used up, orders are cancelled and every cross position is closed."""
    venue = Venue()
    before = venue.money("USDT")
    venue.order(1, 8000, leverage="10", open_type="cross")
    venue.order(1, 100, symbol="ETHUSDT", leverage="10", open_type="cross")
    waiting = venue.order(1, 1, "30000")
    limit = Decimal(row(venue)["liquidation_price"])
    mark = Decimal(row(venue)["mark_price"])
    assert mark * Decimal("0.7") < limit < mark
    venue.move(limit + 10)
    assert row(venue)["current_amount"] == "8000"
    venue.move(limit - 10)
    assert venue.ok(venue.get("position")) == []
    assert close_of(venue, waiting)["state"] == 4
    asset = venue.asset()
    assert asset["frozen_balance"] == asset["position_deposit"] == 0
    assert 0 <= asset["equity"] < 1000
    assert venue.money("USDT") == before


def test_inverse_liquidation_price() -> None:
    """Coin-margined positions go at the stated price, too."""
    for side, name, beyond in ((1, "long", -1), (4, "short", 1)):
        venue = Venue()
        venue.order(side, 100, symbol="BTCUSD", leverage="20", open_type="isolated")
        limit = Decimal(row(venue, name, "BTCUSD")["liquidation_price"])
        venue.move(limit - beyond * 5)
        assert row(venue, name, "BTCUSD")["current_amount"] == "100"
        venue.move(limit + beyond * 5)
        assert row(venue, name, "BTCUSD")["current_amount"] == "0"


def test_unrealised_losses_of_cross_positions_block_new_orders() -> None:
    """What is free on paper cannot be spent while a cross position has eaten into it."""
    venue = Venue()
    venue.order(1, 8000, leverage="10", open_type="cross")
    venue.move(Decimal(row(venue)["entry_price"]) - 6000)
    free = venue.asset()
    assert free["available_balance"] > 45_000
    refused = venue.post("submit-order", symbol="ETHUSDT", side=1, size=1500, type="market", leverage="1")
    assert refused[:2] == (400, 40027)


def test_funding_is_paid_between_long_and_short() -> None:
    """At 08:00 the long pays the rate on its value at the mark price and the short receives it."""
    venue = Venue()
    before = venue.money("USDT")
    venue.order(1, 100, leverage="10", open_type="cross")
    venue.order(4, 100, who="2", leverage="10", open_type="isolated")
    margin = Decimal(venue.ok(venue.get("position-v2", "2", symbol="BTCUSDT"))[1]["initial_margin"])
    expected = Decimal(venue.ok(venue.public("funding-rate", symbol="BTCUSDT"))["expected_rate"])
    venue.tick(ms=8 * 3_600_000)
    mark = venue.exchange.futures.listings["BTCUSDT"].mark
    paid = venue.ok(venue.get("transaction-history", flow_type=3))
    amount = (mark / 10 * expected).quantize(Decimal("1E-12"), ROUND_DOWN)
    assert [Decimal(flow["amount"]) for flow in paid] == [-amount]
    got = venue.ok(venue.get("position-v2", "2", symbol="BTCUSDT"))[1]
    assert Decimal(got["initial_margin"]) == margin + amount
    assert venue.ok(venue.public("funding-rate", symbol="BTCUSDT"))["rate_value"] == format(expected.normalize(), "f")
    assert venue.money("USDT") == before


def test_assets_have_the_documented_shape() -> None:
    """USDT, BTC and ETH are always there; equity is the sum of its parts."""
    venue = Venue()
    venue.order(1, 5)
    venue.order(1, 5, "40000")
    rows = venue.ok(venue.get("assets-detail"))
    assert [r["currency"] for r in rows][:3] == ["USDT", "BTC", "ETH"]
    assert all(isinstance(value, str) for r in rows for value in r.values())
    asset = venue.asset()
    parts = ("available_balance", "frozen_balance", "position_deposit", "unrealized")
    assert asset["equity"] == sum(asset[part] for part in parts)


def test_transaction_filters() -> None:
    """By kind, by symbol, by time in milliseconds, by number of rows."""
    venue = Venue()
    venue.order(1, 5)
    venue.ok(venue.post("close-all-position", contractType=1))
    fees = venue.ok(venue.get("transaction-history", flow_type=4))
    assert {(f["type"], f["flow_type"], f["symbol"], f["asset"]) for f in fees} == {
        ("Commission Fee", 4, "BTCUSDT", "USDT")
    }
    assert isinstance(fees[0]["time"], str)
    assert len(venue.ok(venue.get("transaction-history", page_size=1))) == 1
    assert venue.ok(venue.get("transaction-history", symbol="ETHUSDT")) == []
    assert venue.ok(venue.get("transaction-history", end_time=1000, start_time=0)) == []
    assert venue.get("transaction-history", flow_type=6)[:2] == (400, 40011)


def test_an_isolated_position_closed_far_below_water_loses_its_margin_only() -> None:
    """Even before a liquidation could happen, closing at any price cannot cost more than the position's margin."""
    venue = Venue()
    before = venue.money("USDT")
    venue.order(1, 10, leverage="100", open_type="isolated")
    free = venue.asset()["available_balance"]
    book = venue.exchange.futures.listings["BTCUSDT"].book
    for order in book.orders("buy", None):
        book.cancel(order.order_id)
    venue.order(1, 10, "50000", who="2")
    venue.order(3, 10)
    fee = Decimal(venue.ok(venue.get("trades"))[0]["paid_fees"])
    assert venue.asset()["equity"] == free - fee
    assert venue.money("USDT") == before


def test_a_netting_order_that_can_no_longer_be_paid_is_cancelled() -> None:
    """A resting sell that was to close a long holds nothing; if the long is gone, it opens only what can be paid."""
    venue = Venue()
    venue.ok(venue.post("set-position-mode", position_mode="one_way_mode"))
    venue.order(1, 30_000, leverage="20", open_type="isolated")
    resting = venue.order(4, 30_000, "62000")
    assert venue.asset()["frozen_balance"] == 0
    venue.ok(venue.post("close-all-position", contractType=1))
    venue.ok(venue.post("submit-leverage", symbol="ETHUSDT", leverage="1", open_type="isolated"))
    spare = venue.asset()["available_balance"] - 100
    venue.order(1, int(spare / Decimal("30.5")), symbol="ETHUSDT")
    before = venue.money("USDT")
    venue.order(1, 10, "62000", who="2")
    for _ in range(30):
        venue.move(62_100)
    done = close_of(venue, resting)
    assert done["state"] == 4
    assert 10 <= int(done["deal_size"]) < 1000
    assert venue.money("USDT") == before
