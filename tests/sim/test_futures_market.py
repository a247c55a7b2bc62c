"""The public futures endpoints: wire shapes, figures that agree with each other, documented refusals."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from futures_kit import Venue

DETAILS: dict[str, type] = {
    "symbol": str,
    "product_type": int,
    "open_timestamp": int,
    "expire_timestamp": int,
    "settle_timestamp": int,
    "base_currency": str,
    "quote_currency": str,
    "last_price": str,
    "volume_24h": str,
    "turnover_24h": str,
    "index_price": str,
    "index_name": str,
    "contract_size": str,
    "min_leverage": str,
    "max_leverage": str,
    "price_precision": str,
    "vol_precision": str,
    "max_volume": str,
    "market_max_volume": str,
    "min_volume": str,
    "funding_rate": str,
    "expected_funding_rate": str,
    "open_interest": str,
    "open_interest_value": str,
    "high_24h": str,
    "low_24h": str,
    "change_24h": str,
    "funding_interval_hours": int,
    "funding_time": int,
    "status": str,
    "delist_time": int,
}


def shape(row: dict[str, Any]) -> dict[str, type]:
    return {key: type(value) for key, value in row.items()}


def test_details_have_the_documented_shape() -> None:
    """One row per contract, every field with the JSON type of the documentation."""
    rows = Venue().ok(Venue().public("details"))["symbols"]
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT", "BTCUSD"]
    assert all(shape(row) == DETAILS for row in rows)
    assert rows[0]["price_precision"] == "0.1"
    assert rows[2]["contract_size"] == "100"


def test_unknown_symbols_are_refused_as_documented() -> None:
    """The list of contracts says 40012, everything else 40034."""
    venue = Venue()
    assert venue.public("details", symbol="NOPE")[:2] == (400, 40012)
    for name in ("depth", "market-trade", "open-interest", "funding-rate", "funding-rate-history", "leverage-bracket"):
        assert venue.public(name, symbol="NOPE")[:2] == (400, 40034)
    assert venue.public("depth")[:2] == (400, 40011)


def test_depth_is_sorted_and_adds_up() -> None:
    """At most 50 levels a side, best first, with running totals, and not crossed."""
    venue = Venue()
    venue.tick(20)
    data = venue.ok(venue.public("depth", symbol="BTCUSDT"))
    bids = [[Decimal(text) for text in row] for row in data["bids"]]
    asks = [[Decimal(text) for text in row] for row in data["asks"]]
    assert len(bids) == len(asks) == 50
    assert [row[0] for row in bids] == sorted((row[0] for row in bids), reverse=True)
    assert [row[0] for row in asks] == sorted(row[0] for row in asks)
    assert bids[0][0] < asks[0][0]
    for side in (bids, asks):
        assert [row[2] for row in side] == [sum(row[1] for row in side[: n + 1]) for n in range(50)]
    assert data["symbol"] == "BTCUSDT"
    assert isinstance(data["timestamp"], int)


def test_an_empty_side_is_null() -> None:
    """A book without bids says null, not an empty list."""
    venue = Venue()
    book = venue.exchange.futures.listings["BTCUSDT"].book
    for order in book.orders("buy", None):
        book.cancel(order.order_id)
    assert venue.ok(venue.public("depth", symbol="BTCUSDT"))["bids"] is None


def test_the_market_moves() -> None:
    """Over half a minute every contract trades several times and changes its price."""
    venue = Venue()
    before = {name: listing.last for name, listing in venue.exchange.futures.listings.items()}
    venue.tick(300)
    for name, listing in venue.exchange.futures.listings.items():
        assert len(listing.prints) > 60
        assert listing.last != before[name]


def test_trades_are_newest_first_in_base_units() -> None:
    """Quantities are in base currency and the quote quantity is their price."""
    venue = Venue()
    venue.tick(100)
    rows = venue.ok(venue.public("market-trade", symbol="BTCUSDT", limit=5))
    assert len(rows) == 5
    assert shape(rows[0]) == {
        "symbol": str,
        "price": str,
        "qty": str,
        "quote_qty": str,
        "time": int,
        "is_buyer_maker": bool,
    }
    assert all(Decimal(row["qty"]) * Decimal(row["price"]) == Decimal(row["quote_qty"]) for row in rows)
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert venue.public("market-trade", symbol="BTCUSDT", limit=101)[:2] == (400, 40011)


def test_same_seed_same_market() -> None:
    """Two exchanges with one seed trade alike; another seed trades otherwise."""
    books = []
    for seed in (5, 5, 6):
        venue = Venue(seed)
        venue.tick(50)
        books.append((venue.public("depth", symbol="ETHUSDT")[2], venue.public("market-trade", symbol="BTCUSD")[2]))
    assert books[0] == books[1]
    assert books[0] != books[2]


@pytest.mark.parametrize("step", [1, 3, 5, 15, 60, 1440, 10080])
def test_bars_follow_each_other(step: int) -> None:
    """Bars lie on the grid, without holes, each opening where the last one closed, extremes around the ends."""
    venue = Venue()
    venue.tick(30)
    now = venue.exchange.now_ms() // 1000
    rows = venue.ok(venue.public("kline", symbol="BTCUSDT", step=step, start_time=now - step * 60 * 20, end_time=now))
    times = [row["timestamp"] for row in rows]
    assert times == list(range(times[0], now + 1, step * 60))
    assert len(times) in (20, 21)
    for row, following in pairwise(rows):
        assert row["close_price"] == following["open_price"]
    for row in rows:
        prices = [Decimal(row[name]) for name in ("low_price", "open_price", "close_price", "high_price")]
        assert prices[0] == min(prices)
        assert prices[-1] == max(prices)
    assert shape(rows[0]) == {
        "timestamp": int,
        "open_price": str,
        "close_price": str,
        "high_price": str,
        "low_price": str,
        "volume": str,
    }


def test_at_most_500_bars_and_the_same_ones_every_time() -> None:
    """A long span gives its newest 500 bars; asking again gives the same bars, also once time has gone on."""
    venue = Venue()
    start = venue.exchange.now_ms() // 1000 - 40 * 86_400
    span = {"start_time": start, "end_time": start + 30 * 86_400}
    rows = venue.ok(venue.public("kline", symbol="ETHUSDT", step=5, **span))
    assert len(rows) == 500
    venue.tick(700)
    assert venue.ok(venue.public("kline", symbol="ETHUSDT", step=5, **span)) == rows
    assert venue.public("kline", symbol="ETHUSDT", step=7, **span)[:2] == (400, 40038)


def test_bars_are_what_was_traded() -> None:
    """The bar of the running minute has the volume and the extremes of the trades in it."""
    venue = Venue()
    venue.tick(100)
    listing = venue.exchange.futures.listings["BTCUSDT"]
    now = venue.exchange.now_ms() // 1000
    row = venue.ok(venue.public("kline", symbol="BTCUSDT", step=1, start_time=now // 60 * 60, end_time=now))[-1]
    assert Decimal(row["volume"]) == sum(trade.size for trade in listing.prints)
    assert Decimal(row["high_price"]) >= max(trade.price for trade in listing.prints)
    assert Decimal(row["close_price"]) == listing.last


def test_mark_price_bars_have_no_volume() -> None:
    """Same layout, volume 0."""
    venue = Venue()
    now = venue.exchange.now_ms() // 1000
    rows = venue.ok(venue.public("markprice-kline", symbol="BTCUSDT", start_time=now - 600, end_time=now))
    assert len(rows) == 11
    assert {row["volume"] for row in rows} == {"0"}


def test_funding_rates_agree() -> None:
    """The rate of one contract, the list of all, and the head of the history say the same."""
    venue = Venue()
    one = venue.ok(venue.public("funding-rate", symbol="BTCUSDT"))
    every = venue.ok(venue.public("funding-rate-v2"))["list"]
    history = venue.ok(venue.public("funding-rate-history", symbol="BTCUSDT"))["list"]
    assert every[0] == one
    assert [row["symbol"] for row in every] == ["BTCUSDT", "ETHUSDT"]
    assert len(history) == 100
    assert history[0]["funding_rate"] == one["rate_value"]
    assert int(history[0]["funding_time"]) + 8 * 3_600_000 == one["funding_time"]
    assert int(history[0]["funding_time"]) > int(history[1]["funding_time"])


def test_brackets_have_no_steps_in_margin() -> None:
    """At the edge of two tiers both ask for the same maintenance margin."""
    venue = Venue()
    rules = venue.ok(venue.public("leverage-bracket"))["rules"]
    assert len(rules) == 3
    for rule in rules:
        for low, high in pairwise(rule["brackets"]):
            edge = Decimal(low["notional_cap"])
            assert edge == Decimal(high["notional_floor"])
            margins = [edge * Decimal(t["maint_margin_ratio"]) - Decimal(t["cum"]) for t in (low, high)]
            assert margins[0] == margins[1]


def test_open_interest_counts_users() -> None:
    """A user's position is part of it."""
    venue = Venue()
    before = Decimal(venue.ok(venue.public("open-interest", symbol="BTCUSDT"))["open_interest"])
    venue.order(1, 7)
    after = Decimal(venue.ok(venue.public("open-interest", symbol="BTCUSDT"))["open_interest"])
    assert after == before + 7
