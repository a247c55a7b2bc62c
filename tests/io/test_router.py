"""Who gets which push: the router's routing, and what it does with what it cannot route."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
import trio

from bitmart_trio._bitmart.channel import find
from bitmart_trio._bitmart.venue import BitMart
from bitmart_trio._core.channel import Overflow
from bitmart_trio._io.gate import Gate
from bitmart_trio._io.router import Router, RouterStatistics
from bitmart_trio._io.sink import Sink
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.config import LIVE
from bitmart_trio.errors import SubscriberTooSlow, SubscriptionRefused
from bitmart_trio.models.spot_streams import SpotOrderUpdate
from bitmart_trio.models.stream_events import Gap, RawPush
from bitmart_trio.streams import futures as _futures  # noqa: F401  # the rows
from bitmart_trio.streams import spot as _spot  # noqa: F401

VENUE: Final = BitMart(LIVE)


class Desk:
    """A router, its readers, and what it complained about."""

    def __init__(self) -> None:
        self.complaints: list[tuple[str, bytes]] = []
        self.router = Router(lambda _, reason, excerpt: self.complaints.append((reason, excerpt)), VENUE.bare)

    def reader(self, *topics: str, overflow: Overflow = "fail", size: int = 100) -> Reader:
        reader = Reader(self.router, overflow, size)
        for topic in topics:
            reader.attach(topic)
        return reader

    def push(self, key: str, data: Any) -> None:
        self.router.push(key, json.dumps(data).encode(), 1.0)


class Reader:
    """A subscription on the router that lets go of its topics as the real owner does."""

    def __init__(self, router: Router, overflow: Overflow, size: int) -> None:
        self.router = router
        self.buffer: Gate[Any] = Gate(size=size, overflow=overflow, gaps="mark")
        self.buffer.owner = self
        self.subscription: Subscription[Any] = Subscription(self.buffer)

    def attach(self, topic: str) -> None:
        self.buffer.topics[topic] = None
        self.router.attach(VENUE.topic(topic), self.buffer)

    def detach(self, topic: str) -> None:
        del self.buffer.topics[topic]
        self.router.detach(VENUE.topic(topic), self.buffer)

    async def add(self, buffer: Sink, subjects: tuple[str, ...]) -> None:
        raise AssertionError("not in these tests")

    async def remove(self, buffer: Sink, subjects: tuple[str, ...]) -> None:
        raise AssertionError("not in these tests")

    def release(self, buffer: Sink) -> None:
        assert buffer is self.buffer
        for topic in list(buffer.topics):
            self.detach(topic)

    def got(self, what: Callable[[Any], object] = lambda item: item) -> list[object]:
        found: list[object] = []
        while True:
            try:
                found.append(what(self.subscription.receive_nowait()))
            except trio.WouldBlock:
                return found


def price(item: Any) -> object:
    return int(item.price)


def last_price(item: Any) -> object:
    return int(item.last_price)


def version(item: Any) -> object:
    return item.version


def order_id(item: Any) -> object:
    return item.order_id


def trade(symbol: str, at: int) -> dict[str, object]:
    return {"symbol": symbol, "price": str(at), "size": "1", "side": "buy", "ms_t": 1}


def book(at: int, symbol: str = "BTCUSDT") -> dict[str, object]:
    return {"symbol": symbol, "type": "update", "version": at, "asks": [], "bids": [], "ms_t": 1}


def ticker(symbol: str, at: int) -> dict[str, object]:
    names = ("volume_24", "range", "ask_price", "ask_vol", "bid_price", "bid_vol")
    return {"symbol": symbol, "last_price": str(at), **dict.fromkeys(names, "1")}


def order(number: int, symbol: str = "BTC_USDT", state: str = "new") -> dict[str, object]:
    zeros = ("price", "size", "filled_size", "filled_notional", "last_fill_price", "last_fill_count")
    words = {
        "symbol": symbol,
        "order_id": str(number),
        "side": "buy",
        "type": "limit",
        "ms_t": "1",
        "order_state": state,
    }
    return {**words, **dict.fromkeys(zeros, "0")}


# ---- spot -----------------------------------------------------------------------------------------------------------


def test_a_spot_frame_may_hold_several_symbols() -> None:
    """Each item goes to its symbol's readers, in order; what nobody asked for goes nowhere."""
    desk = Desk()
    btc, both = desk.reader("spot/trade:BTC_USDT"), desk.reader("spot/trade:BTC_USDT", "spot/trade:ETH_USDT")
    desk.push("spot/trade", [trade("ETH_USDT", 1), trade("BTC_USDT", 2), trade("XRP_USDT", 3), trade("ETH_USDT", 4)])
    assert (btc.got(price), both.got(price)) == ([2], [1, 2, 4])
    assert desk.router.statistics() == RouterStatistics(routed=1, unasked=0, malformed=0)


def test_tables_do_not_mix() -> None:
    """The same symbol on two channels is two things."""
    desk = Desk()
    trades, books = desk.reader("spot/trade:BTC_USDT"), desk.reader("spot/depth5:BTC_USDT")
    desk.push("spot/trade", [trade("BTC_USDT", 1)])
    desk.push("spot/depth5", [{"symbol": "BTC_USDT", "asks": [["1", "2"]], "bids": [], "ms_t": 5}])
    desk.push("spot/depth20", [{"symbol": "BTC_USDT", "asks": [], "bids": [], "ms_t": 6}])
    assert (trades.got(price), books.got(lambda item: item.time)) == ([1], [5])
    assert desk.router.statistics().unasked == 1


def test_a_fixed_filter_takes_the_whole_table() -> None:
    """Balances name no symbol."""
    desk = Desk()
    reader = desk.reader("spot/user/balance:BALANCE_UPDATE")
    desk.push("spot/user/balance", [{"event_type": "ACCOUNT_TRANSFER", "event_time": "1", "balance_details": []}])
    assert len(reader.got()) == 1


@pytest.mark.parametrize("table", ["spot/user/order", "spot/user/orders"])
def test_orders_come_under_either_table(table: str) -> None:
    """For either kind of subscription, alone or side by side: each reader gets each order of his once."""
    desk = Desk()
    one = desk.reader("spot/user/order:BTC_USDT")
    desk.push(table, [order(1), order(2, "ETH_USDT")])
    assert one.got(order_id) == ["1"]
    every = desk.reader("spot/user/orders:ALL_SYMBOLS")
    desk.push(table, [order(3), order(4, "ETH_USDT")])
    assert (one.got(order_id), every.got(order_id)) == (["3"], ["3", "4"])
    one.detach("spot/user/order:BTC_USDT")
    desk.push(table, [order(5), order(6, "ETH_USDT")])
    assert every.got(order_id) == ["5", "6"]


@pytest.mark.parametrize("tables", [("spot/user/order", "spot/user/orders"), ("spot/user/orders", "spot/user/order")])
def test_orders_that_come_under_both_tables_come_once(tables: tuple[str, str]) -> None:
    """Who holds both kinds of subscription is pushed everything twice; each reader gets it once, change by change."""
    desk = Desk()
    one, every = desk.reader("spot/user/order:BTC_USDT"), desk.reader("spot/user/orders:ALL_SYMBOLS")
    both = desk.reader("spot/user/order:BTC_USDT", "spot/user/orders:ALL_SYMBOLS")
    for state in ("new", "filled"):
        for table in tables:
            desk.push(table, [order(1, state=state)])

    def state_of(item: SpotOrderUpdate) -> object:
        return item.order_state

    assert (one.got(state_of), every.got(state_of)) == (["new", "filled"], ["new", "filled"])
    assert both.got(state_of) == ["new", "new", "filled", "filled"]  # it asked for both, and has both


def test_an_order_said_twice_under_one_table_is_not_taken_for_a_copy() -> None:
    """The exchange says it twice, so does the router; and it does not remember for ever."""
    desk = Desk()
    one = desk.reader("spot/user/order:BTC_USDT", size=1000)
    every = desk.reader("spot/user/orders:ALL_SYMBOLS", size=1000)
    numbers = [1, 1, *range(2, 600)]
    for number in numbers:
        desk.push("spot/user/order", [order(number)])
    assert one.got(order_id) == every.got(order_id) == [str(number) for number in numbers]
    desk.push("spot/user/orders", [order(1), order(599)])
    assert one.got(order_id) == every.got(order_id) == ["1"]


# ---- futures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "key"),
    [
        ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDT"),
        ("futures/depthIncrease5:BTCUSDT", "futures/depthIncrease5:BTCUSDT@200ms"),
        ("futures/depthIncrease5:BTCUSDT@100ms", "futures/depthIncrease5:BTCUSDT@100ms"),
        ("futures/depthIncrease5:BTCUSDT@100ms", "futures/depthIncrease5:BTCUSDT"),
    ],
)
def test_a_speed_may_be_there_or_not(topic: str, key: str) -> None:
    """A push reaches its topic with the suffix that was asked for, with one that nobody asked for, or without."""
    desk = Desk()
    reader = desk.reader(topic)
    desk.push(key, book(1))
    assert reader.got(version) == [1]


def test_two_speeds_of_one_book_are_kept_apart() -> None:
    """Exact names go to exact topics, each with its own versions; a suffix nobody asked for is the bare topic's."""
    desk = Desk()
    name = "futures/depthIncrease5:BTCUSDT"
    bare, fast, slow = (desk.reader(name + speed) for speed in ("", "@100ms", "@200ms"))
    desk.push(name, book(1))
    desk.push(name + "@100ms", book(2))
    desk.push(name + "@200ms", book(3))
    assert (bare.got(version), fast.got(version), slow.got(version)) == ([1], [2], [3])
    fast.detach(name + "@100ms")
    desk.push(name + "@100ms", book(4))
    assert (bare.got(version), slow.got(version)) == ([4], [])
    bare.detach(name)
    desk.push(name, book(5))
    assert slow.got(version) == [5]


def test_one_contract_and_all_contracts_are_different_topics() -> None:
    """Their names differ by the symbol alone."""
    desk = Desk()
    one, every = desk.reader("futures/ticker:BTCUSDT"), desk.reader("futures/ticker", overflow="conflate")
    desk.push("futures/ticker:BTCUSDT", ticker("BTCUSDT", 1))
    desk.push("futures/ticker", ticker("BTCUSDT", 2))
    desk.push("futures/ticker", ticker("ETHUSDT", 3))
    desk.push("futures/ticker", ticker("BTCUSDT", 4))
    desk.push("futures/ticker:BTCUSDT@100ms", ticker("BTCUSDT", 5))
    assert (one.got(last_price), every.got(last_price)) == ([1, 5], [4, 3])


def test_sides_and_symbols_are_conflated_apart() -> None:
    """A slow reader keeps the newest of each side of each book, and of each symbol."""
    desk = Desk()
    topics = ("futures/depth5:BTCUSDT", "futures/depth5:ETHUSDT")
    reader = desk.reader(*topics, overflow="conflate")
    for time in range(3):
        for topic in topics:
            for way in (1, 2):
                desk.push(topic, {"symbol": topic[-7:], "way": way, "depths": [], "ms_t": time})
    assert reader.got(lambda item: (item.symbol, int(item.side), item.time)) == [
        ("BTCUSDT", 1, 2),
        ("BTCUSDT", 2, 2),
        ("ETHUSDT", 1, 2),
        ("ETHUSDT", 2, 2),
    ]
    assert reader.subscription.statistics().conflated == 8


# ---- what has no model ----------------------------------------------------------------------------------------------


def test_topics_without_a_row_come_raw() -> None:
    """With the name that the push bore; exact speeds are kept apart as elsewhere."""
    desk = Desk()
    name = "futures/brandNew:BTCUSDT"
    assert find(name) is None
    bare, fast = desk.reader(name), desk.reader(name + "@100ms")
    desk.push(name + "@100ms", {"n": 1})
    desk.push(name, [2])
    assert (bare.got(), fast.got()) == ([RawPush(name, [2])], [RawPush(name + "@100ms", {"n": 1})])


def test_raw_spot_pushes_go_by_the_symbols_in_them() -> None:
    """Where they name any; else every topic of the table gets them."""
    desk = Desk()
    btc, eth, fixed = (desk.reader(f"spot/brandNew:{name}") for name in ("BTC_USDT", "ETH_USDT", "EVERYTHING"))
    desk.push("spot/brandNew", [{"symbol": "BTC_USDT"}])
    assert [len(reader.got()) for reader in (btc, eth, fixed)] == [1, 0, 1]
    desk.push("spot/brandNew", {"no": "list"})
    desk.push("spot/brandNew", [{"symbol": ["odd"]}, 5])
    assert [len(reader.got()) for reader in (btc, eth, fixed)] == [2, 2, 2]
    assert desk.complaints == []


@pytest.mark.parametrize("raw", [b"", b"1e", b"[" * 3000 + b"]" * 3000])
def test_raw_pushes_that_cannot_be_read_come_without_data(raw: bytes) -> None:
    """They are told all the same: somebody asked for whatever comes."""
    desk = Desk()
    reader = desk.reader("futures/brandNew")
    desk.router.push("futures/brandNew", raw, 1.0)
    assert reader.got() == [RawPush("futures/brandNew", None)]


def test_a_row_without_a_model_comes_raw() -> None:
    """Of one channel only the name is known."""
    desk = Desk()
    reader = desk.reader("futures/unicast")
    desk.push("futures/unicast", {"n": 1})
    assert reader.got() == [RawPush("futures/unicast", {"n": 1})]
    assert desk.complaints == []


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_what_nobody_asked_for_is_counted_and_not_decoded(caplog: pytest.LogCaptureFixture) -> None:
    """Malformed or not; said once each in the log."""
    desk = Desk()
    caplog.set_level("DEBUG", logger="bitmart_trio")
    for _ in range(3):
        desk.router.push("spot/trade", b"not JSON", 1.0)
        desk.router.push("futures/x:Y@100ms", b"not JSON", 1.0)
    assert desk.router.statistics() == RouterStatistics(routed=0, unasked=6, malformed=0)
    assert desk.complaints == []
    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "raw", [b"not JSON", b"[1]", b"null", b'[{"price":"1"}]', b'"\xff"', b"[" * 3000, b'{"price":"NaN"}']
)
def test_a_payload_that_does_not_decode_is_told_and_skipped(raw: bytes) -> None:
    """With its table and first bytes; the subscription goes on."""
    desk = Desk()
    reader = desk.reader("spot/trade:BTC_USDT")
    desk.router.push("spot/trade", raw, 1.0)
    ((reason, excerpt),) = desk.complaints
    assert reason.startswith("spot/trade: ")
    assert excerpt == raw[:200]
    assert desk.router.statistics().malformed == 1
    desk.push("spot/trade", [trade("BTC_USDT", 1)])
    assert reader.got(price) == [1]


def test_one_slow_subscriber_does_not_affect_another() -> None:
    """It ends in the middle of a push; the others get every item, and no topic of its own is left behind."""
    desk = Desk()
    slow, other = desk.reader("spot/trade:BTC_USDT", size=2), desk.reader("spot/trade:BTC_USDT")
    late = desk.reader("spot/trade:BTC_USDT", overflow="drop_oldest", size=1)
    desk.push("spot/trade", [trade("BTC_USDT", at) for at in range(5)])
    assert (other.got(price), late.got(price)) == ([0, 1, 2, 3, 4], [4])
    assert slow.buffer.topics == {}
    assert [price(slow.subscription.receive_nowait()) for _ in range(2)] == [0, 1]
    with pytest.raises(SubscriberTooSlow):
        slow.subscription.receive_nowait()


@pytest.mark.parametrize(
    "topic", ["spot/trade:BTC_USDT", "spot/user/order:BTC_USDT", "futures/trade:BTCUSDT", "futures/new"]
)
def test_the_only_subscriber_may_end_inside_a_push(topic: str) -> None:
    """Its topic goes while the push is being handed out; the next push of it is unasked."""
    desk = Desk()
    reader = desk.reader(topic, size=1)
    deal = {"trade_id": 1, "symbol": "BTCUSDT", "deal_price": "1", "deal_vol": "1", "created_at": "x"}
    items = {"spot/trade": trade("BTC_USDT", 1), "spot/user/order": order(1), "futures/trade": deal, "futures/new": {}}
    item = items[topic.partition(":")[0]]
    key = topic if topic.startswith("futures/") else topic.partition(":")[0]
    desk.push(key, [item, item, item])
    desk.push(key, [item])
    desk.push(key, [item])
    assert reader.buffer.topics == {}
    assert desk.router.statistics().unasked >= 1


def test_attaching_twice_is_attaching_once() -> None:
    """And detaching what was never attached is nothing."""
    desk = Desk()
    reader = desk.reader("spot/trade:BTC_USDT")
    desk.router.attach(VENUE.topic("spot/trade:BTC_USDT"), reader.buffer)
    desk.push("spot/trade", [trade("BTC_USDT", 1)])
    assert reader.got(price) == [1]
    desk.router.detach(VENUE.topic("spot/trade:ETH_USDT"), reader.buffer)
    desk.router.detach(VENUE.topic("spot/ticker:ETH_USDT"), reader.buffer)
    reader.detach("spot/trade:BTC_USDT")
    desk.push("spot/trade", [trade("BTC_USDT", 2)])
    assert reader.got(price) == []
    assert desk.router.statistics().unasked == 1


# ---- gaps and ends --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "topic", ["spot/trade:BTC_USDT", "spot/user/orders:ALL_SYMBOLS", "futures/depth5:BTCUSDT@100ms"]
)
def test_a_gap_reaches_the_topics_subscribers_and_no_others(topic: str) -> None:
    """By the topic as it was asked for."""
    desk = Desk()
    reader, other = desk.reader(topic), desk.reader("spot/trade:ETH_USDT", "futures/depth5:BTCUSDT@200ms")
    gap = Gap(1.0, 2.0, "lost", 1, topic)
    desk.router.gap(gap, connection=1)
    assert (reader.got(), other.got()) == ([gap], [])


def test_an_end_reaches_the_topics_subscribers_and_no_others() -> None:
    """Each once, whatever of its topics ended; all its topics go."""
    desk = Desk()
    reader = desk.reader("spot/trade:BTC_USDT", "spot/trade:ETH_USDT")
    other = desk.reader("spot/trade:XRP_USDT")
    error = SubscriptionRefused("no", topic="spot/trade:BTC_USDT")
    desk.router.end(["spot/trade:BTC_USDT", "spot/trade:ETH_USDT", "spot/trade:NONE"], error)
    with pytest.raises(SubscriptionRefused):
        reader.subscription.receive_nowait()
    desk.push("spot/trade", [trade("ETH_USDT", 1), trade("XRP_USDT", 2)])
    assert other.got(price) == [2]
    assert reader.buffer.topics == {}
