"""Faults of an exchange that agrees with itself only after a while: the answers and pushes as they are on the wire."""

from __future__ import annotations

import random
import re
from typing import Any, cast

import pytest
import trio
from faces_support import Floor, open_floor
from trio.testing import MockClock

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.bitmart.past import SHOWN
from bitmart_trio.sim.faults import (
    BlankClientIds,
    BurntIds,
    Cap,
    ClockGlitch,
    Fault,
    FaultError,
    FaultHandle,
    Faults,
    Lag,
    LatePush,
    OldPush,
    StaleFields,
)
from bitmart_trio.sim.faults.answers import Spoiler
from bitmart_trio.sim.kernel.messages import Request

ORDER, OPEN = "/spot/v4/query/order", "/spot/v4/query/open-orders"
DONE, FILLS = "/spot/v4/query/history-orders", "/spot/v4/query/trades"
POSITIONS = "/contract/private/position-v2"


class Caller(Direct):
    """The default account behind the faults of an exchange without faces; time passes when it says so."""

    def __init__(self, *faults: Fault) -> None:
        self.simulation = Simulation(seed=7, market="scripted", held=True)
        self.exchange = self.simulation.exchange
        self.past = self.simulation.bitmart.past
        self.faults = self.exchange.faults
        super().__init__(self.simulation.bitmart, between=Spoiler(self.faults, self.past).answer)
        self.faults.bind(self.exchange.clock, self.exchange.random("faults"), salt="7", past=self.past)
        self.handles: list[FaultHandle] = [self.faults.add(fault) for fault in faults]

    def send(self, request: Request) -> Answer:
        self.simulation.bitmart.gate.quotas._windows.clear()
        return super().send(request)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The rows of a spot list or a futures list."""
        answer = self.get(path, **params) if path.startswith("/contract") else self.post(path, **params)
        assert answer.code == 1000, answer.body
        return cast("list[dict[str, Any]]", answer.data)

    def place(self, client_order_id: str = "", *, size: str = "0.01", price: str = "60000") -> str:
        answer = self.post(
            "/spot/v2/submit_order", symbol="BTC_USDT", side="buy", type="limit", size=size, price=price,
            client_order_id=client_order_id,
        )  # fmt: skip
        assert answer.code == 1000, answer.body
        return str(cast("dict[str, Any]", answer.data)["order_id"])

    def trade(self, size: str = "0.004") -> None:
        """Somebody sells to the resting orders."""
        self.simulation.market.trade("BTC_USDT", price="60000", size=size, side="sell")

    def open_position(self, size: int = 5) -> None:
        self.simulation.book.set("BTCUSDT", bids=[("59999", "100")], asks=[("60000", "100")])
        answer = self.post(
            "/contract/private/submit-order", symbol="BTCUSDT", side=1, type="market", size=size, leverage="5",
            open_type="cross",
        )  # fmt: skip
        assert answer.code == 1000, answer.body

    def held(self) -> list[str]:
        rows = self.rows(POSITIONS, symbol="BTCUSDT")
        return [row["current_amount"] for row in rows if row["current_amount"] != "0"]


def test_a_look_up_misses_an_order_until_the_lag_is_over() -> None:
    """The order is accepted, listed by another path, and not found by this one."""
    caller = Caller(Lag(ORDER, seconds=30))
    order_id = caller.place()
    assert caller.post(ORDER, orderId=order_id).code == 50005
    assert [row["orderId"] for row in caller.rows(OPEN)] == [order_id]
    caller.exchange.step(29_900)
    assert caller.post(ORDER, orderId=order_id).code == 50005
    caller.exchange.step(200)
    assert caller.post(ORDER, orderId=order_id).code == 1000
    assert caller.handles[0].hits == 2


def test_a_stale_look_up_shows_an_old_state() -> None:
    """Open and unfilled, although it is filled; each path has its own lag."""
    caller = Caller(Lag(ORDER, seconds=30), Lag(OPEN, seconds=60), Lag(DONE, seconds=10), Lag(FILLS, seconds=20))
    order_id = caller.place()
    caller.exchange.step(100_000)
    caller.trade("0.004")
    caller.exchange.step(100)
    caller.trade("0.006")
    seen: dict[int, tuple[str, int, int, int]] = {}
    for second in range(0, 70, 5):
        found = cast("dict[str, Any]", caller.post(ORDER, orderId=order_id).data)
        seen[second] = (
            f"{found['state']} {found['filledSize']}",
            len(caller.rows(OPEN)),
            len(caller.rows(DONE)),
            len(caller.rows(FILLS)),
        )
        caller.exchange.step(5000)
    assert seen[0] == seen[5] == ("new 0.00000", 1, 0, 0)
    assert seen[15] == ("new 0.00000", 1, 1, 0)
    assert seen[25] == ("new 0.00000", 1, 1, 2)
    assert seen[35] == ("filled 0.01000", 1, 1, 2)
    assert seen[65] == ("filled 0.01000", 0, 1, 2)


def test_missing_hides_what_is_new_and_shows_the_rest_as_it_is() -> None:
    """An old order with its new amounts, no new order, no new fill."""
    caller = Caller()
    old = caller.place()
    caller.exchange.step(5000)
    caller.faults.add(Lag("/spot/*", seconds=20, how="missing"))
    caller.trade()
    caller.place(price="50000")
    rows = caller.rows(OPEN)
    assert [(row["orderId"], row["filledSize"]) for row in rows] == [(old, "0.00400")]
    assert caller.rows(FILLS) == []
    caller.exchange.step(21_000)
    assert len(caller.rows(OPEN)) == 2
    assert len(caller.rows(FILLS)) == 1


@pytest.mark.parametrize("how", ["stale", "missing"])
def test_a_position_lags_behind_its_fill(how: str) -> None:
    """The list says that nothing is held; the fills say otherwise."""
    caller = Caller(Lag(POSITIONS, seconds=2, how=how))
    caller.open_position()
    assert caller.held() == []
    assert len(caller.rows("/contract/private/trades", symbol="BTCUSDT")) == 1
    caller.exchange.step(1900)
    assert caller.held() == []
    caller.exchange.step(200)
    assert caller.held() == ["5"]
    caller.open_position(2)
    assert caller.held() == (["5"] if how == "stale" else ["7"])


def test_balances_and_ledgers_lag() -> None:
    """Of both markets; what was held is still free."""
    caller = Caller()
    paths = {
        "/spot/v1/wallet": lambda data: next(row for row in data["wallet"] if row["id"] == "USDT")["available"],
        "/account/v1/wallet": lambda data: next(r for r in data["wallet"] if r["currency"] == "USDT")["available"],
        "/contract/private/assets-detail": lambda data: data[0]["available_balance"],
        "/contract/private/transaction-history": len,
    }

    def read() -> list[object]:
        return [pick(cast("Any", caller.get(path).data)) for path, pick in paths.items()]

    before = read()
    caller.faults.add(Lag("*", seconds=5))
    caller.place()
    caller.open_position()
    assert read() == before
    caller.exchange.step(5100)
    after = read()
    assert all(new != old for new, old in zip(after, before, strict=True))


READINGS: dict[str, dict[str, Any]] = {
    "/account/v1/wallet": {},
    "/spot/v1/wallet": {},
    ORDER: {"orderId": ""},
    "/spot/v4/query/client-order": {"clientOrderId": "c3"},
    OPEN: {},
    DONE: {},
    FILLS: {},
    "/spot/v4/query/order-trades": {"orderId": ""},
    "/contract/private/assets-detail": {},
    "/contract/private/transaction-history": {},
    "/contract/private/order": {"order_id": "", "symbol": "BTCUSDT"},
    "/contract/private/order-history": {"symbol": "BTCUSDT"},
    "/contract/private/get-open-orders": {},
    "/contract/private/current-plan-order": {},
    "/contract/private/trades": {},
    "/contract/private/position": {},
    POSITIONS: {},
    "/contract/private/position-risk": {},
}

LOOK_UPS = (ORDER, "/spot/v4/query/client-order", "/spot/v4/query/order-trades", "/contract/private/order")
"""Of one order, which may see no change."""


def day(seed: int, *faults: Fault) -> list[dict[str, str]]:
    """What every reading says after each of many steps of random trading on both markets."""
    dice, caller, said = random.Random(seed), Caller(*faults), list[dict[str, str]]()
    caller.simulation.book.set("BTCUSDT", bids=[("59999", "500")], asks=[("60000", "500")])
    spot, contract = "", ""
    for step in range(60):
        roll = dice.random()
        if roll < 0.4:
            placed = caller.place(f"c{step}", size="0.002", price=str(60_000 - dice.randrange(2) * 10_000))
            spot = spot or placed
        elif roll < 0.5 and spot:
            live = caller.exchange.spot.engine.open_orders("1")
            if live:
                caller.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=dice.choice(live).order_id)
        elif roll < 0.65:
            caller.trade("0.003")
        elif roll < 0.9:
            answer = caller.post(
                "/contract/private/submit-order", symbol="BTCUSDT", side=dice.choice((1, 4)), size=dice.randint(1, 5),
                leverage="5", open_type="cross", type=dice.choice(("market", "limit")), price="50000",
            )  # fmt: skip
            contract = contract or str(cast("Any", answer.data)["order_id"])
        else:
            caller.post(
                "/contract/private/submit-plan-order", symbol="BTCUSDT", side=1, type="limit", size=1, leverage="5",
                open_type="cross", mode=1, price_way=1, price_type=1, trigger_price="70000", executive_price="70000",
            )  # fmt: skip
        # What is traded by hand is written down with the next write or tick.
        caller.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id="1")
        caller.exchange.step(100)
        answers: dict[str, str] = {}
        for path, params in READINGS.items():
            asked = {name: value or (spot if "/spot" in path else contract) or "1" for name, value in params.items()}
            reply = caller.get(path, **asked) if "/query/" not in path else caller.post(path, **asked)
            answers[path] = re.sub(r"'timestamp': [^,}]*", "", repr(reply.data if reply.code == 1000 else reply.code))
        said.append(answers)
    return said


@pytest.mark.parametrize("seed", range(3))
def test_a_stale_answer_is_the_answer_of_then(seed: int) -> None:
    """Every reading that is written down, at every step of a random day: what it said before."""
    assert set(READINGS) == SHOWN
    plain = day(seed)
    lagging = day(seed, *(Lag(path, 1.55) for path in SHOWN))
    assert len({str(answers) for answers in plain}) > 40
    for path in sorted(SHOWN):
        changes = len({answers[path] for answers in plain})
        assert changes >= (1 if path in LOOK_UPS else 3), path
        for step in range(15, 60):
            assert lagging[step][path] == plain[step - 15][path], (path, step)


def test_the_exchange_itself_is_not_touched() -> None:
    """A stale answer leaves engines and wallets as they are, and a new order sees the present."""
    caller = Caller(Lag("*", seconds=60))
    first = caller.place("mine")
    assert caller.rows(OPEN) == []
    assert caller.post("/spot/v2/submit_order", symbol="BTC_USDT", side="buy", type="limit", size="0.01", price="50000",
                       client_order_id="mine").code == 50042  # fmt: skip
    assert caller.post("/spot/v3/cancel_order", symbol="BTC_USDT", order_id=first).code == 1000
    assert caller.exchange.spot.engine.open_orders("1") == []
    account = caller.exchange.accounts.get("1")
    assert account is not None
    assert account.spot.frozen("USDT") == 0


def test_other_lists_leave_out_what_is_newer() -> None:
    """Transfers are told by their own time."""
    caller = Caller(Lag("/account/v1/transfer-contract-list", seconds=10))
    caller.post("/account/v1/transfer-contract", currency="USDT", amount="5", type="spot_to_contract")
    listed = {"page": 1, "limit": 10}
    assert caller.post("/account/v1/transfer-contract-list", **listed).data == {"records": []}
    caller.exchange.step(10_000)
    assert len(cast("Any", caller.post("/account/v1/transfer-contract-list", **listed).data)["records"]) == 1


def test_nothing_is_written_down_when_nobody_follows() -> None:
    """The past begins with the fault and ends with it; without an exchange there is none."""
    caller = Caller(Lag(ORDER, seconds=5), StaleFields(ORDER, seconds=3))
    past = caller.past
    for _ in range(100):
        caller.place(size="0.0001")
        caller.exchange.step(100)
    assert 40 <= len(past._moments) <= 60
    caller.faults.clear()
    assert not past._moments
    caller.exchange.step(1000)
    assert not past._moments
    with pytest.raises(FaultError, match="open exchange"):
        Faults().add(Lag())


def test_stale_fields_are_older_than_the_state_beside_them() -> None:
    """Filled by the state's word, and nothing is filled by the amounts'."""
    caller = Caller(StaleFields(ORDER, seconds=10))
    order_id = caller.place()
    caller.trade("0.004")
    caller.exchange.step(10_100)
    caller.trade("0.006")
    found = cast("dict[str, Any]", caller.post(ORDER, orderId=order_id).data)
    assert (found["state"], found["filledSize"]) == ("filled", "0.00400")
    caller.exchange.step(10_100)
    found = cast("dict[str, Any]", caller.post(ORDER, orderId=order_id).data)
    assert (found["state"], found["filledSize"]) == ("filled", "0.01000")


def test_a_cap_hides_what_is_behind_it() -> None:
    """Not the newest only: no page shows the others."""
    caller = Caller(Cap(OPEN, 3))
    ids = [caller.place(size="0.0001", price=str(50_000 + number)) for number in range(5)]
    assert [row["orderId"] for row in caller.rows(OPEN)] == ids[:1:-1]
    caller.faults.clear()
    caller.faults.add(Cap("/account/v1/transfer-contract-list", 12))
    for _ in range(25):
        caller.post("/account/v1/transfer-contract", currency="USDT", amount="1", type="spot_to_contract")
    pages = [
        len(cast("Any", caller.post("/account/v1/transfer-contract-list", page=page, limit=10).data)["records"])
        for page in (1, 2, 3)
    ]
    assert pages == [10, 2, 0]


@pytest.mark.parametrize(("how", "shown"), [("blank", ""), ("altered", "xMINE1")])
def test_client_ids_are_blank_or_altered(how: str, shown: str) -> None:
    """In lists and look-ups; the exchange knows them all the same."""
    caller = Caller(BlankClientIds("/spot/*", how=how))
    caller.place("mine1")
    assert [row["clientOrderId"] for row in caller.rows(OPEN)] == [shown]
    found = caller.post("/spot/v4/query/client-order", clientOrderId="mine1")
    assert cast("Any", found.data)["clientOrderId"] == shown


def test_a_reading_of_the_clock_is_wrong_once() -> None:
    """Two minutes ahead, then right; the clock itself is."""
    caller = Caller(ClockGlitch())
    now = caller.exchange.now_ms()
    readings = [cast("Any", caller.get("/system/time").data)["server_time"] for _ in range(3)]
    assert readings == [now + 120_000, now, now]
    assert caller.exchange.now_ms() == now


@pytest.mark.parametrize(
    ("path", "name", "code", "more"),
    [
        ("/spot/v2/submit_order", "client_order_id", 50042, {"symbol": "BTC_USDT", "side": "buy", "price": "50000"}),
        (
            "/contract/private/submit-order", "client_order_id", 40050,
            {"symbol": "BTCUSDT", "side": 1, "leverage": "5", "open_type": "cross", "price": "50000"},
        ),
    ],
)  # fmt: skip
def test_a_burnt_id_is_refused_for_good(path: str, name: str, code: int, more: dict[str, Any]) -> None:
    """Nothing is placed under it, ever; other ids work."""
    caller = Caller(BurntIds())
    order = {"type": "limit", "size": 1 if "contract" in path else "0.01", **more}
    codes = [caller.post(path, **order, **{name: each}).code for each in ("a1", "a1", "b1", "a1")]
    assert codes == [code, code, 1000, code]
    assert caller.handles[0].hits == 3


class Orders:
    """One private topic of a small exchange, with somebody who listens."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.sent = 0

    def push(self, order_id: str, size: str, state: str = "partially_filled") -> None:
        self.floor.small.feed.publish(
            "spot/user/orders:ALL_SYMBOLS",
            {
                "table": "spot/user/orders:ALL_SYMBOLS",
                "data": [{"order_id": order_id, "client_order_id": "mine1", "filled_size": size, "order_state": state}],
            },
            "1",
        )


async def pushed(*faults: Fault) -> list[tuple[str, str, str]]:
    """What a listener gets when one order fills in three steps, with a push about another one in between."""
    async with open_floor() as floor:
        socket = await floor.socket("spot/private")
        await socket.login(floor.small.now_ms())
        await socket.ask({"op": "subscribe", "args": ["spot/user/orders:ALL_SYMBOLS"]})
        for fault in faults:
            floor.faults.add(fault)
        orders = Orders(floor)
        orders.push("1", "0.1")
        orders.push("1", "0.2")
        orders.push("2", "5")
        orders.push("1", "0.3", "filled")
        found: list[tuple[str, str, str]] = []
        with trio.move_on_after(10):
            while True:
                row = cast("Any", await socket.get())["data"][0]
                found.append((row["order_id"], row["filled_size"], row["order_state"]))
        return found


PLAIN = [("1", "0.1", "partially_filled"), ("1", "0.2", "partially_filled"), ("2", "5", "partially_filled"),
         ("1", "0.3", "filled")]  # fmt: skip


async def test_old_pushes_come_after_newer_ones(autojump_clock: MockClock) -> None:
    """The state before, of the same order, once more."""
    first, second, other, last = PLAIN
    assert await pushed() == PLAIN
    assert await pushed(OldPush()) == [first, second, first, other, last, second]


async def test_pushes_have_stale_amounts(autojump_clock: MockClock) -> None:
    """The state is the new one."""
    assert await pushed(StaleFields("spot/*")) == [
        ("1", "0", "partially_filled"),
        ("1", "0.1", "partially_filled"),
        ("2", "0", "partially_filled"),
        ("1", "0.2", "filled"),
    ]


async def test_late_pushes_come_after_newer_ones(autojump_clock: MockClock) -> None:
    """The first one late: it arrives, as the last."""
    assert await pushed(LatePush(seconds=3, times=1)) == [*PLAIN[1:], PLAIN[0]]
    assert await pushed(LatePush(seconds=11)) == []
