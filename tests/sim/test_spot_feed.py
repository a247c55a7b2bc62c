"""What the spot feed of the simulated exchange pushes, seen through a listener."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Direct

SUBMIT = "/spot/v2/submit_order"


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(seed=31)


def live(simulation: Simulation, ticks: int, *, flow: bool = True) -> None:
    """Ticks of a tenth of a second; without ``flow`` the market stands still."""
    for _ in range(ticks):
        simulation.exchange.clock.step(100)
        if flow:
            simulation.exchange.tick()
        else:
            spot = simulation.exchange.spot
            spot.watchers[0].pairs_ticked(spot.markets)


def listen(simulation: Simulation, topic: str, *, account: str | None = None) -> tuple[list[Any], Callable[[], None]]:
    """Subscribe as a socket does: the first frames, then what is published."""
    socket = "spot/public" if account is None else "spot/private"
    found = simulation.exchange.feed.find("spot/public" if socket == "spot/public" else "spot/private", topic)
    assert isinstance(found, tuple), found
    channel, rest = found
    owner = None if account is None else simulation.exchange.accounts.get(account)
    frames: list[Any] = list(channel.first(rest, owner))
    return frames, simulation.exchange.feed.listen(topic, account, frames.append)


def items(frames: list[Any]) -> list[Any]:
    return [item for frame in frames for item in frame["data"]]


def test_unknown_channels_and_symbols(simulation: Simulation) -> None:
    """Wrong names, wrong sockets and unknown pairs are told apart."""
    find = simulation.exchange.feed.find
    assert find("spot/public", "spot/nothing:BTC_USDT") == "channel"
    assert find("spot/private", "spot/ticker:BTC_USDT") == "channel"
    assert find("spot/public", "spot/ticker:BTCUSDT") == "filter"
    assert find("spot/private", "spot/user/orders:BTC_USDT") == "filter"
    assert find("spot/private", "spot/user/balance:BTC") == "filter"


def test_ticker_now_and_then_at_most_twice_a_second(simulation: Simulation) -> None:
    """The state at once, then only what changed, half a second apart."""
    frames, _ = listen(simulation, "spot/ticker:BTC_USDT")
    assert frames[0]["table"] == "spot/ticker"
    assert set(items(frames)[0]) == {
        "symbol",
        "last_price",
        "open_24h",
        "high_24h",
        "low_24h",
        "base_volume_24h",
        "quote_volume_24h",
        "fluctuation",
        "bid_px",
        "bid_sz",
        "ask_px",
        "ask_sz",
        "s_t",
        "ms_t",
    }
    live(simulation, 10, flow=False)
    assert len(frames) == 1
    live(simulation, 200)
    times = [item["ms_t"] for item in items(frames)]
    assert 10 < len(times) <= 41
    assert min(later - earlier for earlier, later in pairwise(times)) >= 500
    assert items(frames)[-1]["s_t"] == times[-1] // 1000


def test_trades_are_pushed_at_once_and_agree_with_rest(simulation: Simulation) -> None:
    """Oldest first, the taker's side, and nothing missing against the REST list."""
    frames, stop = listen(simulation, "spot/trade:BTC_USDT")
    assert frames == []
    Direct(simulation.bitmart).post(SUBMIT, symbol="BTC_USDT", side="sell", type="market", size="5")
    sold = items(frames)
    assert sum(Decimal(item["size"]) for item in sold) == 5
    assert {item["side"] for item in sold} == {"sell"}
    live(simulation, 50)
    pushed = [(item["ms_t"], item["price"], item["size"], item["side"]) for item in items(frames)][-50:]
    rest: Any = Direct(simulation.bitmart).get("/spot/quotation/v3/trades", symbol="BTC_USDT").data
    assert pushed[-30:] == [(int(row[1]), row[2], row[3], row[4]) for row in reversed(rest)][-30:]
    stop()
    before = len(frames)
    live(simulation, 50)
    assert len(frames) == before


@pytest.mark.parametrize("interval", ["1m", "5m", "1H", "1D", "1W", "1M"])
def test_klines_push_the_bar_in_progress(simulation: Simulation, interval: str) -> None:
    """Now and on change; the close is the last price."""
    frames, _ = listen(simulation, f"spot/kline{interval}:ETH_USDT")
    live(simulation, 100)
    assert frames[0]["table"] == f"spot/kline{interval}"
    assert len(frames) > 5
    time, opened, high, low, close, volume = items(frames)[-1]["candle"]
    assert isinstance(time, int)
    assert Decimal(low) <= min(Decimal(opened), Decimal(close)) <= max(Decimal(opened), Decimal(close)) <= Decimal(high)
    assert Decimal(volume) > 0


@pytest.mark.parametrize("level", [5, 20, 50])
def test_depth_is_a_whole_snapshot_every_time(simulation: Simulation, level: int) -> None:
    """So many levels a side, best first."""
    frames, _ = listen(simulation, f"spot/depth{level}:BTC_USDT")
    live(simulation, 30)
    assert 2 < len(frames) <= 7
    for item in items(frames):
        assert (len(item["asks"]), len(item["bids"])) == (level, level)
        assert Decimal(item["bids"][0][0]) < Decimal(item["asks"][0][0])


def test_book_ticker_follows_every_change_of_the_top(simulation: Simulation) -> None:
    """One item a frame, never twice the same."""
    frames, _ = listen(simulation, "spot/bookTicker:BTC_USDT")
    Direct(simulation.bitmart).post(SUBMIT, symbol="BTC_USDT", side="buy", type="market", notional="100")
    assert len(frames) == 2
    live(simulation, 100)
    tops = [(item["bid_px"], item["bid_sz"], item["ask_px"], item["ask_sz"]) for item in items(frames)]
    assert all(earlier != later for earlier, later in pairwise(tops))


class LocalBook:
    """A client's book, kept by the documented rules."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
        self.version = -1
        self.gaps = 0
        self.idle = 0

    def take(self, frame: Any) -> None:
        for item in frame["data"]:
            if item["type"] == "snapshot":
                self.sides = {
                    side: {Decimal(price): Decimal(size) for price, size in item[side]} for side in self.sides
                }
                self.version = item["version"]
            elif item["version"] <= self.version:
                assert item["asks"] == item["bids"] == []
                self.idle += 1
            else:
                self.gaps += item["version"] != self.version + 1
                self.version = item["version"]
                for side, levels in self.sides.items():
                    for price, size in item[side]:
                        if Decimal(size):
                            levels[Decimal(price)] = Decimal(size)
                        else:
                            del levels[Decimal(price)]


def test_increments_keep_a_book_exactly_right(simulation: Simulation) -> None:
    """Versions without gaps, every book equal to the exchange's, also for one who joins later or asks again."""
    topic = "spot/depth/increase100:BTC_USDT"
    market = simulation.exchange.spot.markets["BTC_USDT"]

    def join() -> LocalBook:
        frames, _ = listen(simulation, topic)
        book = LocalBook()
        book.take(frames[0])
        simulation.exchange.feed.listen(topic, None, book.take)
        return book

    books = [join()]
    for number in range(300):
        live(simulation, 1)
        if number in (50, 120):
            books.append(join())
        if number % 40 == 0:
            Direct(simulation.bitmart).post(SUBMIT, symbol="BTC_USDT", side="buy", type="market", notional="20000")
        if number == 150:
            channel = simulation.exchange.feed.channels["spot/depth/increase100"]
            assert channel.asked is not None
            books[0].take(next(iter(channel.asked("BTC_USDT", None))))
    live(simulation, 1)
    wanted = {"bids": dict(market.book.levels("buy", 100)), "asks": dict(market.book.levels("sell", 100))}
    assert [book.sides for book in books] == [wanted] * 3
    assert [book.gaps for book in books] == [0, 0, 0]


def test_a_quiet_book_repeats_its_version(simulation: Simulation) -> None:
    """An empty update now and then, with the version unchanged."""
    frames, _ = listen(simulation, "spot/depth/increase100:BTC_USDT")
    live(simulation, 120, flow=False)
    assert [(item["type"], item["version"], bool(item["asks"] or item["bids"])) for item in items(frames)] == [
        ("snapshot", items(frames)[0]["version"], True)
    ] + [("update", items(frames)[0]["version"], False)] * 2


def test_orders_and_balances_are_pushed_to_their_owner_only(simulation: Simulation) -> None:
    """The whole life of an order on both order channels, and the new balances with every fill."""
    simulation.exchange.accounts.add("2", key="k2", secret="s2", memo="m2")
    orders, _ = listen(simulation, "spot/user/order:BTC_USDT", account="1")
    everything, _ = listen(simulation, "spot/user/orders:ALL_SYMBOLS", account="1")
    balances, _ = listen(simulation, "spot/user/balance:BALANCE_UPDATE", account="1")
    foreign, _ = listen(simulation, "spot/user/orders:ALL_SYMBOLS", account="2")
    direct = Direct(simulation.bitmart)
    placed: Any = direct.post(
        SUBMIT, symbol="BTC_USDT", side="buy", type="limit", size="0.01", price="40000", client_order_id="p1"
    ).data
    direct.post("/spot/v3/cancel_order", symbol="BTC_USDT", client_order_id="p1")
    assert balances == []
    assert [(item["order_state"], item["state"]) for item in items(orders)] == [("new", "4"), ("canceled", "8")]
    first = items(orders)[0]
    assert (first["order_id"], first["client_order_id"], first["last_fill_time"], first["exec_type"]) == (
        placed["order_id"],
        "p1",
        "0",
        "",
    )
    assert all(isinstance(value, str) for value in first.values())
    direct.post(SUBMIT, symbol="ETH_USDT", side="buy", type="market", notional="99900")
    assert len(items(orders)) == 2
    states = [item["order_state"] for item in items(everything)]
    assert states[:3] == ["new", "canceled", "new"]
    assert set(states[3:-1]) == {"partially_filled"}
    assert (states[-1], items(everything)[-1]["state"]) == ("partially_canceled", "12")
    assert {frame["table"] for frame in everything} == {"spot/user/orders"}
    last = items(everything)[-1]
    assert (last["notional"], last["exec_type"], last["deal_fee_coin_name"]) == ("99900.00000000", "T", "USDT")
    change = items(balances)[-1]
    assert change["event_type"].strip() == "TRANSACTION_COMPLETED"
    wallet = simulation.exchange.accounts.all()[0].spot
    assert {row["ccy"]: Decimal(row["av_bal"]) for row in change["balance_details"]} == {
        "ETH": wallet.available("ETH"),
        "USDT": wallet.available("USDT"),
    }
    assert foreign == []


def test_maker_fills_are_pushed(simulation: Simulation) -> None:
    """A resting order hears of its fills as maker."""
    orders, _ = listen(simulation, "spot/user/order:BTC_USDT", account="1")
    bid = simulation.exchange.spot.markets["BTC_USDT"].book.best("buy")
    assert bid is not None
    Direct(simulation.bitmart).post(
        SUBMIT, symbol="BTC_USDT", side="buy", type="limit", size="0.5", price=str(bid - 50)
    )
    simulation.exchange.flow.push("BTC", bid - 60)
    live(simulation, 1)
    last = items(orders)[-1]
    assert (last["order_state"], last["exec_type"], last["filled_size"], last["entrust_type"]) == (
        "filled",
        "M",
        "0.50000",
        "normal",
    )


def test_nothing_is_built_for_nobody(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without listeners a tick publishes nothing."""
    published: list[str] = []
    monkeypatch.setattr(simulation.exchange.feed, "publish", lambda topic, frame, account=None: published.append(topic))
    live(simulation, 50)
    assert published == []


def test_what_a_filled_market_buy_gives_back_is_told() -> None:
    """The last balance push agrees with the wallet, also when the order did not spend all it held."""
    simulation = Simulation(seed=3)
    pushed: list[Any] = []
    simulation.exchange.feed.listen("spot/user/balance:BALANCE_UPDATE", "1", pushed.append)
    Direct(simulation.bitmart).post(SUBMIT, symbol="BTC_USDT", side="buy", type="market", notional="1000.12")
    account = simulation.exchange.accounts.get("1")
    assert account is not None
    told = {each["ccy"]: each for each in pushed[-1]["data"][0]["balance_details"]}
    assert Decimal(told["USDT"]["fz_bal"]) == account.spot.frozen("USDT") == 0
    assert Decimal(told["USDT"]["av_bal"]) == account.spot.available("USDT")
