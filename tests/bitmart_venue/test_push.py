"""Pushes read in one go: the same items as in steps, and only frames that are nothing but a push."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bitmart_trio._bitmart.channel import CHANNELS, Channel, find
from bitmart_trio._bitmart.sockets import FuturesDialect, SpotDialect, dialect
from bitmart_trio._core import codec
from bitmart_trio.models.futures_streams import FuturesTicker, FuturesTrade
from bitmart_trio.models.spot_streams import SpotBookTicker, SpotTicker, SpotTrade
from bitmart_trio.streams import futures as _futures  # noqa: F401  # the rows
from bitmart_trio.streams import spot as _spot  # noqa: F401  # the rows

TRADE = {"symbol": "ETH_USDT", "price": "162.12", "side": "buy", "size": "11.085", "s_t": 1542337219, "ms_t": 5}


def channel(topic: str) -> Channel[Any]:
    found = find(topic)
    assert found is not None
    return found


def _reader(row: Channel[Any]) -> Callable[[bytes], list[Any] | None] | None:
    return dialect("spot" if row.market == "spot" else "futures").push_reader(row)


def read(topic: str, frame: dict[str, Any] | bytes) -> list[Any] | None:
    row = channel(topic)
    reader = _reader(row)
    assert reader is not None
    return reader(frame if isinstance(frame, bytes) else json.dumps(frame).encode())


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (b'{"table":"spot/trade","data":[]}', "spot/trade"),
        (b'{"table": "spot/trade", "data": []}', "spot/trade"),
        (b'{"data":[{"table":"x"}],"table":"spot/trade"}', "spot/trade"),
        (b'{"data": [1], "table": "spot/trade"}', "spot/trade"),
        (b'{"data":["\\",\\"table\\":\\"spot/x\\"}"],"table":"spot/trade"}', "spot/trade"),
        (b'{"table":"spot/trade","event":"subscribe"}', None),
        (b'{"event":"subscribe","topic":"spot/trade:ETH_USDT"}', None),
        (b'{"data":"\\"table\\":\\"spot/trade\\"}', None),
        (b'{"data":{"table":"spot/trade"},"x":1}', None),
        (b'{"table":"spot/tr\\u0061de","data":[]}', None),
        (b'{"table":"futures/trade:X","data":[]}', None),
        (b'{"table":"spot/\xff","data":[]}', None),
        (b'{"table":"","data":[]}', None),
        (b"pong", None),
        (b"", None),
        (b"{", None),
    ],
)
def test_the_name_is_known_by_the_looks_of_a_frame(frame: bytes, key: str | None) -> None:
    """From its beginning or its end; any other frame is read by all that it says."""
    assert SpotDialect().peek(frame) == key


def test_futures_frames_have_groups() -> None:
    """Their names hold the whole topic."""
    peek = FuturesDialect().peek
    assert peek(b'{"group":"futures/trade:BTCUSDT","data":[]}') == "futures/trade:BTCUSDT"
    assert peek(b'{"data":{"a":1},"group":"futures/ticker:BTCUSDT@100ms"}') == "futures/ticker:BTCUSDT@100ms"
    assert peek(b'{"action":"subscribe","group":"futures/ticker:BTCUSDT","success":true}') is None


def test_one_item_or_several() -> None:
    """With or without the list around them."""
    expected = SpotTrade(
        symbol="ETH_USDT", price=Decimal("162.12"), size=Decimal("11.085"), side="buy", s_t=1542337219, time=5  # type: ignore[arg-type]
    )  # fmt: skip
    assert read("spot/trade:X_Y", {"table": "spot/trade", "data": TRADE}) == [expected]
    assert read("spot/trade:X_Y", {"data": [TRADE, TRADE], "table": "spot/trade"}) == [expected, expected]
    assert type((read("spot/trade:X_Y", {"table": "spot/trade", "data": TRADE}) or [None])[0]) is SpotTrade


@pytest.mark.parametrize(
    "frame",
    [
        {"table": "spot/trade", "data": [TRADE], "event": "subscribe"},
        {"table": "spot/trade", "data": [TRADE], "errorCode": 1},
        {"table": "spot/trade"},
        {"table": "spot/trade", "data": None},
        {"table": "spot/trade", "data": [TRADE | {"price": "NaN"}]},
        {"table": "spot/trade", "data": [TRADE | {"size": " -Infinity "}]},
        {"table": "spot/trade", "data": [TRADE | {"price": "twelve"}]},
        {"table": "spot/trade", "data": [{"symbol": "ETH_USDT"}]},
        b"not JSON",
        b'{"table":"spot/trade","data":[{"symbol":"\xff"}]}',
    ],
)
def test_what_is_more_or_less_than_a_push_is_read_in_steps(frame: dict[str, Any] | bytes) -> None:
    """Then whatever it is gets the judgement that it always got."""
    assert read("spot/trade:X_Y", frame) is None


def test_other_spellings_are_read_in_steps() -> None:
    """A name that only the slow way knows must not be lost on the quick one."""
    item = {"symbol": "B", "last_price": "1", "volume_24": "2", "range": "0", "ask_price": "1", "ask_vol": "1",
            "bid_price": "1", "bid_vol": "1"}  # fmt: skip
    quick = read("futures/ticker:B", {"data": item, "group": "futures/ticker:B"})
    assert quick is not None
    assert quick[0].mark_price is None
    assert read("futures/ticker:B", {"data": item | {"fair_price": "9"}, "group": "futures/ticker:B"}) is None
    assert channel("futures/ticker:B").decode(json.dumps(item | {"fair_price": "9"}).encode())[0].mark_price == 9


def test_the_busy_channels_are_read_straight_from_bytes() -> None:
    """Whoever changes their models learns here that it costs five times as much."""
    for model in (SpotTrade, SpotTicker, SpotBookTicker, FuturesTrade, FuturesTicker):
        assert codec.is_native(model)
    native = {each.name for each in CHANNELS if _reader(each) is not None}
    assert {"spot/depth{level}", "spot/depth/increase100", "futures/v2/depthAll{level}"} <= native


def test_the_quick_reader_and_the_hooks_agree_on_renamed_fields() -> None:
    """Whatever the exchange leaves out, blank or as a number."""
    base = {
        "symbol": "BTC_USDT", "last_price": "1.5", "open_24h": "1", "high_24h": "2", "low_24h": "1",
        "base_volume_24h": "3", "ms_t": 5, "bid_px": "1.4",
    }  # fmt: skip
    for change in ({}, {"bid_px": ""}, {"bid_px": "-"}, {"bid_px": None}, {"bid_px": 1.4}, {"ms_t": "5"}, {"s_t": ""},
                   {"s_t": "7.0"}, {"quote_volume_24h": "9"}, {"brandNew": {"a": [1]}}):  # fmt: skip
        data = json.dumps({**base, **change}).encode()
        assert codec.decoder(SpotTicker)(data) == codec.structure(codec.loads(data), SpotTicker)
