"""The rules that say where they come from: each is asked of the exchange, so table, page and behaviour agree."""

# flake8: noqa: ASYNC124  # probes have one shape, and some of them need not wait
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import pytest
import trio
from faces_support import open_floor
from futures_kit import Venue
from trio.testing import MockClock
from trio_websocket import ConnectionClosed

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart import models as rules
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.faces.websocket import Limits
from bitmart_trio.sim.kernel.feed import Frame, SocketKind

QUERY = "/spot/v4/query"
PROBES: dict[str, Callable[[], Awaitable[object]]] = {}
"""Rule -> what asks the exchange about it."""


def probe(rule: rules.Rule[object]) -> Callable[[Callable[[], Awaitable[object]]], Callable[[], Awaitable[object]]]:
    def keep(ask: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        PROBES[rule.name] = ask
        return ask

    return keep


class Desk:
    """The default account's calls, and what its order channel is pushed."""

    def __init__(self) -> None:
        simulation = Simulation(seed=3)
        self.exchange = simulation.exchange
        self.direct = Direct(simulation.bitmart)
        self.pushed: list[Any] = []

        def hear(frame: Frame) -> None:
            self.pushed.extend(json.loads(json.dumps(frame))["data"])

        self.exchange.feed.listen("spot/user/orders:ALL_SYMBOLS", "1", hear)

    def post(self, path: str, **members: Any) -> Any:
        answer = self.direct.post(path, **members)
        assert answer.code == 1000, answer.body
        self.exchange.clock.step(200)
        return answer.data

    def place(self, side: str, kind: str, **members: Any) -> str:
        placed: str = self.post("/spot/v2/submit_order", symbol="BTC_USDT", side=side, type=kind, **members)["order_id"]
        return placed

    def order(self, order_id: str) -> Any:
        return self.post(f"{QUERY}/order", orderId=order_id)

    def fills(self, order_id: str) -> Any:
        return self.post(f"{QUERY}/order-trades", orderId=order_id)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.direct.get(path, **query)
        assert answer.code == 1000, answer.body
        self.exchange.clock.step(2000)
        return answer.data

    @property
    def ask(self) -> Decimal:
        best = self.exchange.spot.markets["BTC_USDT"].book.best("sell")
        assert best is not None
        return best


# -- spot orders and fees --------------------------------------------------------------------------


@probe(rules.MARKET_BUY_ENDS)
async def _() -> object:
    desk = Desk()
    order = desk.order(desk.place("buy", "market", notional="1000"))
    assert (order["cancelSource"], desk.pushed[-1]["order_state"]) == ("", order["state"])
    return order["state"]


@probe(rules.MARKET_BUY_CODE)
async def _() -> object:
    desk = Desk()
    desk.place("buy", "market", notional="1000")
    return desk.pushed[-1]["state"]


@probe(rules.MARKET_BUY_EXACT)
async def _() -> object:
    desk = Desk()
    return desk.order(desk.place("buy", "market", notional=str(desk.ask * Decimal("0.001"))))["state"]


@probe(rules.CLIENT_ORDER_ID)
async def _() -> object:
    desk = Desk()
    order_id = desk.place("sell", "market", size="0.01")
    shown = {desk.order(order_id)["clientOrderId"], desk.fills(order_id)[0]["clientOrderId"]}
    shown |= {item["client_order_id"] for item in desk.pushed}
    named = desk.place("sell", "limit", size="0.01", price="90000", client_order_id="mine")
    assert desk.order(named)["clientOrderId"] == "mine"
    assert desk.direct.post(f"{QUERY}/client-order", clientOrderId=order_id).code == 50005
    return "the order id" if shown == {order_id} else shown


@probe(rules.MARKET_ORDER_ZERO)
async def _() -> object:
    desk = Desk()
    bought, sold = (
        desk.order(desk.place("buy", "market", notional="1000")),
        desk.order(desk.place("sell", "market", size="0.01")),
    )
    zeros = {Decimal(text) for text in (bought["price"], bought["size"], sold["price"], sold["notional"])}
    [value] = zeros
    return value


@probe(rules.PUSH_NOTIONAL)
async def _() -> object:
    desk = Desk()
    desk.place("sell", "limit", size="0.01", price="90000")
    assert desk.pushed[-1]["notional"] == ""
    desk.place("sell", "market", size="0.01")
    return desk.pushed[-1]["notional"]


@probe(rules.FEE_RATE)
async def _() -> object:
    desk = Desk()
    for side, members in (("buy", {"notional": "5000"}), ("sell", {"size": "0.01"})):
        for fill in desk.fills(desk.place(side, "market", **members)):
            share = Decimal(fill["notional"]) * rules.FEE_RATE.value
            assert Decimal(fill["fee"]) == share.quantize(Decimal("1E-8"), ROUND_DOWN)
    return Decimal(desk.get("/spot/v1/trade_fee", symbol="BTC_USDT")["buy_taker_fee_rate"])


@probe(rules.FEE_COIN)
async def _() -> object:
    desk = Desk()
    fills = desk.fills(desk.place("buy", "market", notional="5000"))
    fills += desk.fills(desk.place("sell", "market", size="0.01"))
    return "quote" if {fill["feeCoinName"] for fill in fills} == {"USDT"} else fills


@probe(rules.FEE_GRAIN)
async def _() -> object:
    desk = Desk()
    fills = [desk.fills(desk.place("buy", "market", notional=str(777 + more)))[0] for more in range(10)]
    # Cut, not rounded: never more than the exact share, and less than a grain away from it.
    exact = [Decimal(fill["notional"]) / 1000 for fill in fills]
    assert all(0 <= share - Decimal(fill["fee"]) < Decimal("1E-8") for share, fill in zip(exact, fills, strict=True))
    return Decimal(1).scaleb(-max(len(fill["fee"].rstrip("0").partition(".")[2]) for fill in fills))


@probe(rules.FEE_HELD)
async def _() -> object:
    desk = Desk()
    desk.place("buy", "limit", size="0.01", price="40000")
    [row] = [row for row in desk.get("/spot/v1/wallet")["wallet"] if row["id"] == "USDT"]
    return "frozen" if Decimal(row["frozen"]) == Decimal("400.4") else row


# -- spot shapes -----------------------------------------------------------------------------------


def _pairs() -> Any:
    return Desk().get("/spot/v1/symbols/details")["symbols"]


@probe(rules.MIN_AMOUNT_PLACES)
async def _() -> object:
    [places] = {len(row[name].partition(".")[2]) for row in _pairs() for name in ("min_buy_amount", "min_sell_amount")}
    return places


@probe(rules.PLANNED_DOWN_TIME)
async def _() -> object:
    return tuple(sorted({row["planned_down_time"] for row in _pairs()}, key=lambda each: each is None))


@probe(rules.WITHDRAW_MINFEE)
async def _() -> object:
    fees = {row["withdraw_minfee"] for row in Desk().get("/account/v1/currencies")["currencies"]}
    assert None in fees
    assert all(Decimal(fee) > 0 for fee in fees - {None})
    return (None, "a number as text") if len(fees) > 1 else fees


@probe(rules.UNIVERSAL_ADDRESS)
async def _() -> object:
    rows = Desk().get("/account/v1/withdraw/address/list")["list"]
    [currency] = {row["currency"] for row in rows if row["addressType"] != 0}
    return currency


@probe(rules.ISOLATED_LIQUIDATION)
async def _() -> object:
    desk = Desk()
    pair = {"symbol": "BTC_USDT"}
    desk.post("/spot/v1/margin/isolated/transfer", **pair, currency="USDT", amount="5000", side="in")
    desk.post("/spot/v1/margin/isolated/borrow", **pair, currency="USDT", amount="100")
    desk.post("/spot/v1/margin/submit_order", **pair, side="buy", type="market", notional="600")
    return desk.get("/spot/v1/margin/isolated/account", **pair)["symbols"][0]["liquidate_price"]


# -- futures ---------------------------------------------------------------------------------------


def _opened() -> tuple[Venue, Any]:
    venue = Venue()
    venue.order(1, 10, leverage="10", open_type="cross")
    [row] = venue.ok(venue.get("position", symbol="BTCUSDT"))
    return venue, row


@probe(rules.PROTECTIVE_PRICE)
async def _() -> object:
    venue = Venue()
    listing = venue.exchange.futures.listings["BTCUSDT"]
    for side, sign in ((1, 1), (4, -1)):
        last = listing.last
        placed = venue.order(side, 3, leverage="10", open_type="cross")
        price = Decimal(venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))["price"])
        assert abs(price - last * (1 + sign * rules.PROTECTIVE_PRICE.value)) <= listing.contract.tick / 2
    return rules.PROTECTIVE_PRICE.value


@probe(rules.REALIZED_VALUE)
async def _() -> object:
    venue, row = _opened()
    fee = Decimal(row["position_value"]) * Decimal("0.0006")
    assert Decimal(row["realized_value"]) == -fee
    venue.move(61_000)
    venue.order(3, 4)
    closed = venue.ok(venue.get("trades", symbol="BTCUSDT"))
    profit = sum(Decimal(fill["realised_profit"]) - Decimal(fill["paid_fees"]) for fill in closed)
    [row] = venue.ok(venue.get("position", symbol="BTCUSDT"))
    assert Decimal(row["realized_value"]) == profit
    return "minus the opening fee"


@probe(rules.CURRENT_FEE)
async def _() -> object:
    venue, row = _opened()
    coming = Decimal(venue.ok(venue.public("funding-rate", symbol="BTCUSDT"))["expected_rate"])
    assert Decimal(row["current_fee"]) == Decimal(row["current_value"]) * coming
    venue.move(62_000)
    [later] = venue.ok(venue.get("position", symbol="BTCUSDT"))
    assert Decimal(later["current_fee"]) == Decimal(later["current_value"]) * coming != Decimal(row["current_fee"])
    return "current value x coming funding rate"


@probe(rules.MAINTENANCE)
async def _() -> object:
    venue, row = _opened()
    assert Decimal(row["maintenance_margin"]) == Decimal(row["position_value"]) * Decimal("0.004")
    venue.move(62_000)
    [later] = venue.ok(venue.get("position", symbol="BTCUSDT"))
    assert later["current_value"] != row["current_value"]
    return "entry value x rate of the tier" if later["maintenance_margin"] == row["maintenance_margin"] else later


@probe(rules.MARK_PRICE_V1)
async def _() -> object:
    venue, row = _opened()
    second = venue.ok(venue.get("position-v2", symbol="BTCUSDT"))[0]
    assert Decimal(second["mark_price"]) == venue.exchange.futures.listings["BTCUSDT"].mark
    return "the value of the position at the mark price" if row["mark_price"] == row["current_value"] else row


@probe(rules.ORDER_FINDS_TRAILING)
async def _() -> object:
    venue = Venue()
    terms = {"leverage": "10", "open_type": "cross", "type": "trailing"}
    trail = {"activation_price": "90000", "callback_rate": "2", "activation_price_type": 1}
    venue.order(1, 10, leverage="10", open_type="cross")
    placed = venue.ok(venue.post("submit-trail-order", symbol="BTCUSDT", side=3, size=2, **terms, **trail))
    shown = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))
    assert (shown["activation_price"], shown["callback_rate"], shown["activation_price_type"]) == ("90000", "2", 1)
    assert shown["executive_order_id"] == ""
    assert {name for name in shown if name.startswith("preset_")} == {
        "preset_take_profit_price",
        "preset_take_profit_price_type",
        "preset_stop_loss_price",
        "preset_stop_loss_price_type",
    }
    venue.ok(venue.post("cancel-trail-order", symbol="BTCUSDT", order_id=str(placed["order_id"])))
    assert venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))["state"] == 4
    return shown["type"]


@probe(rules.FILL_OR_KILL)
async def _() -> object:
    for stp_mode in (1, 2, 3):
        venue = Venue()
        price = venue.inside()
        venue.order(4, 5, price, who="2")
        venue.order(4, 5, price + Decimal("0.1"))
        placed = venue.order(1, 200, price + 5000, mode=2, stp_mode=stp_mode)
        order = venue.ok(venue.get("order", symbol="BTCUSDT", order_id=placed["order_id"]))
        assert order["deal_size"] == ("200" if stp_mode == 1 else "0")
    return "all or nothing"


# -- candles ---------------------------------------------------------------------------------------


@probe(rules.WEEK_BEGINS)
async def _() -> object:
    desk, days = Desk(), set[str]()
    for row in desk.get("/spot/quotation/v3/klines", symbol="BTC_USDT", step=10_080, limit=20):
        days.add(f"{datetime.fromtimestamp(int(row[0]), UTC):%A %H:%M}")
    span = {"start_time": 1_700_000_000, "end_time": 1_760_000_000}
    for row in desk.get("/contract/public/kline", symbol="BTCUSDT", step=10_080, **span):
        days.add(f"{datetime.fromtimestamp(row['timestamp'], UTC):%A %H:%M}")
    [day] = days
    return day.removesuffix(" 00:00")


@probe(rules.PAST_BEGINS)
async def _() -> object:
    desk = Desk()
    path = "/spot/quotation/v3/klines"
    [*_, first] = desk.get(path, symbol="BTC_USDT", step=1, after=1_400_000_000, limit=200)
    span = {"start_time": 1_593_900_000, "end_time": 1_594_100_000}
    row, *_ = desk.get("/contract/public/kline", symbol="BTCUSDT", step=60, **span)
    assert int(first[0]) == row["timestamp"]
    return row["timestamp"]


# -- sockets ---------------------------------------------------------------------------


async def _lives_on_pings(kind: SocketKind, topic: str, limits: Limits | None = None) -> bool:
    """Whether a connection on which nothing but the client's protocol pings is said is alive after a minute."""
    async with open_floor(limits) as floor:
        socket = await floor.socket(kind)
        await socket.ask({"op": "subscribe", "action": "subscribe", "args": [topic]})
        with trio.move_on_after(60):
            while floor.connections:
                with suppress(ConnectionClosed):
                    await socket.raw.ping()
                await trio.sleep(15)
        return bool(floor.connections)


@probe(rules.FUTURES_PROTOCOL_PING)
async def _() -> object:
    return await _lives_on_pings("futures/public", "futures/ticker:BTCUSDT")


@probe(rules.SPOT_PROTOCOL_PING)
async def _() -> object:
    topic = "spot/depth/increase100:BTC_USDT"
    assert not await _lives_on_pings("spot/public", topic, Limits(spot_protocol_pings=False))
    return await _lives_on_pings("spot/public", topic)


@pytest.mark.parametrize("name", list(rules.RULES))
async def test_the_exchange_goes_by_its_table(name: str, autojump_clock: MockClock) -> None:
    """Every rule is asked about, and the answer is its value."""
    assert await PROBES[name]() == rules.RULES[name].value


def test_every_rule_is_asked_about() -> None:
    """And no probe has outlived its rule."""
    assert set(PROBES) == set(rules.RULES)


def test_the_page_is_current() -> None:
    """It is made from the same table."""
    page = Path(__file__).parents[2] / "docs" / "make_rules.py"
    done = subprocess.run([sys.executable, page, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_rules_are_readable() -> None:
    """Each is one sentence with a source, and what is chosen says why."""
    for rule in rules.RULES.values():
        assert rule.text.endswith(".")
        assert "{" not in rule.text
        assert rule.source
