"""How topics are spelled, recognised and decoded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitmart_trio._bitmart.channel import CHANNELS, Channel, find, is_private, market_of, without_speed
from bitmart_trio._core import codec
from bitmart_trio._core.channel import unique
from bitmart_trio.errors import InvalidRequest
from bitmart_trio.models import Seconds
from bitmart_trio.models.futures_streams import BookSide, FuturesKlineUpdate, FuturesTicker
from bitmart_trio.models.spot_streams import SpotBookTicker
from bitmart_trio.streams import _futures_private as private
from bitmart_trio.streams import futures, spot


@pytest.mark.parametrize(
    ("row", "subject", "variant", "topic"),
    [
        (spot.ticker, "BTC_USDT", {}, "spot/ticker:BTC_USDT"),
        (spot.kline, "BTC_USDT", {"interval": "1m"}, "spot/kline1m:BTC_USDT"),
        (spot.kline, "BTC_USDT", {"interval": "1M"}, "spot/kline1M:BTC_USDT"),
        (spot.kline_legacy, "BTC_USDT", {"interval": "45m"}, "spot/kline45m:BTC_USDT"),
        (spot.depth, "BTC_USDT", {"level": 50}, "spot/depth50:BTC_USDT"),
        (spot.depth_increase, "BTC_USDT", {}, "spot/depth/increase100:BTC_USDT"),
        (spot.user_orders, "", {}, "spot/user/orders:ALL_SYMBOLS"),
        (spot.user_balance, "", {}, "spot/user/balance:BALANCE_UPDATE"),
        (futures.tickers, "", {}, "futures/ticker"),
        (futures.depth, "BTCUSDT", {"level": 20}, "futures/depth20:BTCUSDT"),
        (futures.depth, "BTCUSDT", {"level": 20, "speed": "100ms"}, "futures/depth20:BTCUSDT@100ms"),
        (futures.depth, "BTCUSDT", {"level": 20, "speed": "@200ms"}, "futures/depth20:BTCUSDT@200ms"),
        (futures.depth_all_v2, "BTCUSDT", {"level": 5}, "futures/v2/depthAll5:BTCUSDT@100ms"),
        (
            futures.depth_increase_v2,
            "BTCUSDT",
            {"level": 5, "speed": "200ms"},
            "futures/v2/depthIncrease5:BTCUSDT@200ms",
        ),
        (futures.kline, "BTCUSDT", {"interval": "1W"}, "futures/klineBin1W:BTCUSDT"),
        (private.asset, "USDT", {}, "futures/asset:USDT"),
        (private.position, "", {}, "futures/position"),
    ],
)
def test_a_topic_is_spelled_as_the_exchange_wants_it(
    row: Channel[object], subject: str, variant: dict[str, Any], topic: str
) -> None:
    """Name, level or interval, filter and speed, in this order; and the row knows its own spelling."""
    assert row.spell(subject, **variant) == topic
    assert row.matches(topic)
    assert find(topic) is row


@pytest.mark.parametrize(
    ("row", "subject", "variant", "argument"),
    [
        (spot.ticker, "", {}, "symbol"),
        (spot.ticker, "BTC USDT", {}, "symbol"),
        (spot.ticker, "BTC_USDT,ETH_USDT", {}, "symbol"),
        (spot.ticker, "spot/ticker:BTC_USDT", {}, "symbol"),
        (spot.ticker, "BTC_USDT\n", {}, "symbol"),
        (spot.ticker, ["BTC_USDT"], {}, "symbol"),
        (spot.ticker, "BTC\ud800_USDT", {}, "symbol"),
        (spot.ticker, "BTC_USDT", {"speed": "100ms"}, "speed"),
        (spot.depth, "BTC_USDT", {}, "level"),
        (spot.depth, "BTC_USDT", {"level": 100}, "level"),
        (spot.depth, "BTC_USDT", {"level": "20"}, "level"),
        (spot.kline, "BTC_USDT", {}, "interval"),
        (spot.kline, "BTC_USDT", {"interval": "3m"}, "interval"),
        (spot.kline, "BTC_USDT", {"interval": "1h"}, "interval"),
        (futures.kline, "BTCUSDT", {"interval": "1M"}, "interval"),
        (futures.depth, "BTCUSDT@100ms", {"level": 5}, "symbol"),
        (futures.depth, "BTCUSDT", {"level": 5, "speed": "500ms"}, "speed"),
        (futures.depth_all_v2, "BTCUSDT", {"level": 5, "speed": "500ms"}, "speed"),
        (private.asset, "", {}, "currency"),
    ],
)
def test_what_cannot_be_spelled_is_refused_by_the_argument_at_fault(
    row: Channel[object], subject: Any, variant: dict[str, Any], argument: str
) -> None:
    """Nothing is sent that the exchange could only refuse, and the exception names the argument."""
    with pytest.raises(InvalidRequest) as caught:
        row.spell(subject, **variant)
    assert caught.value.argument == argument


@given(
    st.sampled_from([row for row in CHANNELS if row.filter in ("symbol", "currency")]),
    st.from_regex(r"[A-Z0-9]{1,12}(_[A-Z0-9]{2,5})?", fullmatch=True),
    st.data(),
)
def test_whatever_is_spelled_is_found_again(row: Channel[object], subject: str, data: st.DataObject) -> None:
    """For every row, symbol and variant: exactly one row claims the topic, with and without a speed."""
    topic = row.spell(
        subject,
        level=data.draw(st.sampled_from(row.levels or (None,))),
        interval=data.draw(st.sampled_from(row.intervals or (None,))),
        speed=data.draw(st.sampled_from(row.speeds or ("",))).removeprefix("@"),
    )
    assert [each for each in CHANNELS if each.matches(topic)] == [row]
    assert find(without_speed(topic)) is row
    assert market_of(topic) == row.market
    assert is_private(topic) == row.private


@pytest.mark.parametrize(
    "topic",
    [
        "spot/ticker",
        "spot/ticker:",
        "spot/ticker:BTC_USDT@100ms",
        "spot/depth:BTC_USDT",
        "spot/depth10:BTC_USDT",
        "spot/kline2m:BTC_USDT",
        "spot/user/orders:BTC_USDT",
        "spot/user/balance:BTC",
        "futures/depth20",
        "futures/depth20:BTCUSDT@500ms",
        "futures/Ticker:BTCUSDT",
        "futures/order:BTCUSDT",
        "sfutures/ticker",
        "xspot/ticker:BTC_USDT",
    ],
)
def test_what_only_resembles_a_channel_has_no_row(topic: str) -> None:
    """A topic that nobody documents is not taken for its neighbour."""
    assert find(topic) is None


def test_the_market_of_a_topic() -> None:
    """The first word says it; anything else is no topic."""
    assert market_of("spot/whatever/new:BTC_USDT") == "spot"
    assert market_of("futures/whatever") == "futures"
    for text in ("", "spot", "spot/", "ticker:BTC_USDT", "options/x", "spot/a b", "spot/x:y:z", "SPOT/ticker:BTC_USDT",
                 "spot/x:\ud800", "futures/\udfff"):  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            market_of(text)
        assert caught.value.argument == "topic"


def test_unknown_topics_are_private_where_every_source_says_so() -> None:
    """A row knows; for the rest the name decides."""
    for topic in ("spot/user/new:X", "futures/order:BTCUSDT", "futures/unicast:X", "futures/position", "futures/asset"):
        assert is_private(topic), topic
    for topic in ("spot/users:X", "futures/orderbook:BTCUSDT", "futures/positions_open", "spot/ticker:BTC_USDT"):
        assert not is_private(topic), topic


def test_without_speed_takes_only_the_suffix() -> None:
    """The suffix goes, and nothing that merely looks like one."""
    assert without_speed("futures/depth20:BTCUSDT@100ms") == "futures/depth20:BTCUSDT"
    for topic in ("futures/depth20:BTCUSDT", "futures/depth20@100ms:BTCUSDT", "futures/x:Y@fast"):
        assert without_speed(topic) == topic


def test_unique_keeps_the_order() -> None:
    """The first of each stays where it was."""
    assert unique(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_one_object_reads_like_a_list_of_one() -> None:
    """Futures pushes come as an object, spot pushes as a list."""
    one = b'{"symbol":"BTC_USDT","bid_px":"1","bid_sz":"2","ask_px":"3","ask_sz":"4","ms_t":5}'
    (item,) = spot.book_ticker.decode(one)
    assert item == SpotBookTicker(
        symbol="BTC_USDT",
        bid_price=Decimal(1),
        bid_size=Decimal(2),
        ask_price=Decimal(3),
        ask_size=Decimal(4),
        time=item.time,
    )
    assert spot.book_ticker.decode(b"[%b]" % one) == [item]
    assert spot.book_ticker.decode(b"[]") == []


@pytest.mark.parametrize("data", [b"null", b"1", b'"x"', b"[null]", b"[[]]", b"{}", b'[{"symbol":"X"}]'])
def test_what_is_no_item_is_refused(data: bytes) -> None:
    """A payload of another shape is an error that says so, never a half-filled item."""
    with pytest.raises(codec.DecodeError):
        spot.book_ticker.decode(data)


def test_bars_come_flat_or_in_a_list() -> None:
    """Each bar of a list becomes an item with the list's symbol, in order; an empty list none."""
    bar = '{"o":"1","h":"2","l":"0.5","c":"1.5","v":"7","ts":%d}'
    items = ",".join(bar % time for time in (1700000000, 1700000060))
    (flat,) = futures.kline.decode(b'{"symbol":"BTCUSDT",%b' % (bar % 1700000000).encode()[1:])
    bars = futures.kline.decode(b'{"symbol":"BTCUSDT","items":[%b]}' % items.encode())
    assert bars == [flat, attrs.evolve(flat, time=Seconds(1700000060))]
    assert futures.kline.decode(b'{"symbol":"BTCUSDT","items":[]}') == []
    assert isinstance(flat, FuturesKlineUpdate)


def test_names_of_other_years_are_read() -> None:
    """The mark price was called fair price before 2025-02."""
    text = (
        b'{"symbol":"BTCUSDT","last_price":"1","volume_24":"2","range":"-0.1","fair_price":"4",'
        b'"ask_price":"5","ask_vol":"6","bid_price":"7","bid_vol":"8"}'
    )
    (item,) = futures.ticker.decode(text)
    assert isinstance(item, FuturesTicker)
    assert (item.mark_price, item.index_price) == (Decimal(4), None)


def test_what_makes_two_items_the_same_state() -> None:
    """Sides of a book, bars and positions are states of their own; an item without a key is its topic's."""
    assert futures.depth.key is not None
    assert futures.kline.key is not None
    assert spot.ticker.key is None
    book = b'{"symbol":"BTCUSDT","way":%d,"depths":[]}'
    (bids,), (asks,) = futures.depth.decode(book % 1), futures.depth.decode(book % 2)
    assert (futures.depth.key(bids), futures.depth.key(asks)) == (BookSide.BIDS, BookSide.ASKS)
    bar = b'{"symbol":"X","o":"1","h":"1","l":"1","c":"1","v":"1","ts":%d}'
    keys = [futures.kline.key(futures.kline.decode(bar % time)[0]) for time in (1700533800, 1700533801, 1700533860)]
    assert keys[0] == keys[1] != keys[2]


def test_every_policy_fits_the_kind_of_data() -> None:
    """What is whole every time may be conflated; what counts as an event may not."""
    events = {
        "depth_increase",
        "trade",
        "user_order",
        "user_orders",
        "user_balance",
        "order",
        "unicast",
        "depth_increase_v2",
    }
    for module in (spot, futures, private):
        for name, row in vars(module).items():
            if isinstance(row, Channel):
                assert row.overflow == ("fail" if name in events else "conflate"), name
