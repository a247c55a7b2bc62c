"""The plain methods are those of the asynchronous client, all of them, and do the same."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import bitmart_trio as bm
from bitmart_trio.blocking import _methods

NOBODY: Any = None
"""Calls nothing."""

PAIRS = [
    (bm.blocking.Spot, bm.Spot),
    (bm.blocking.Futures, bm.Futures),
    (bm.blocking.Streams, bm.Streams),
    (bm.blocking.Subscription, bm.Subscription),
    (bm.blocking.OrderBook, bm.OrderBook),
    (bm.blocking.SpotAccountView, bm.SpotAccountView),
    (bm.blocking.FuturesAccountView, bm.FuturesAccountView),
]


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, object, object]]:
    found = list(inspect.signature(function).parameters.values())
    return [(each.name, each.kind, each.default) for each in found]


@pytest.mark.parametrize(("plain", "asynchronous"), PAIRS)
def test_nothing_is_missing(plain: type, asynchronous: type) -> None:
    """By name; closing and handles for several tasks are the one exception."""
    assert public(asynchronous) - public(plain) <= {"aclose", "clone", "close"}


def test_every_endpoint_has_its_method() -> None:
    """With the same parameters in the same order."""
    count = 0
    apis: tuple[Any, ...] = (bm.Spot(NOBODY), bm.Futures(NOBODY))
    chapters = {type(getattr(api, name)) for api in apis for name in public(type(api)) - {"call", "request", "rules"}}
    for chapter in chapters:
        plain = getattr(_methods, chapter.__name__)
        for name in public(chapter):
            assert parameters(getattr(plain, name)) == parameters(getattr(chapter, name)), name
            assert not inspect.iscoroutinefunction(getattr(plain, name))
            assert getattr(plain, name).__doc__
            count += 1
    assert count >= 145


def test_every_opener_has_its_method() -> None:
    from bitmart_trio.streams.futures import FuturesStreams
    from bitmart_trio.streams.spot import SpotStreams

    for plain, asynchronous in (
        (bm.blocking.SpotStreams, SpotStreams),
        (bm.blocking.FuturesStreams, FuturesStreams),
    ):
        assert public(asynchronous) == public(plain)
        for name in public(asynchronous):
            assert parameters(getattr(plain, name)) == parameters(getattr(asynchronous, name)), name


def test_calls(client: bm.blocking.Client) -> None:
    """Of both markets, by method, by row, by path and by function; errors are those of the asynchronous client."""
    assert client.environment.name
    ticker = client.spot.market.ticker("BTC_USDT")
    assert isinstance(ticker.last_price, Decimal)
    assert len(client.spot.market.klines("BTC_USDT", step=60, limit=5)) == 5
    assert client.futures.account.assets()
    placed = client.spot.trading.submit_order(
        symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id="plain1"
    )
    assert [order.order_id for order in client.spot.trading.open_orders()] == [placed.order_id]
    client.spot.trading.cancel_order(symbol="BTC_USDT", order_id=placed.order_id)
    reply = client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT")
    assert reply.trace
    raw = client.spot.request("GET", "/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"})
    assert raw.http_status == 200
    assert client.call(client.trio.spot.market.ticker, "ETH_USDT").symbol == "ETH_USDT"
    assert client.spot.rules("BTC_USDT").symbol == "BTC_USDT"
    assert client.futures.system.latency().bound >= 0
    with pytest.raises(bm.InvalidRequest):
        client.spot.market.klines("BTC_USDT", limit=0)
    with pytest.raises(bm.ApiError):
        client.spot.market.ticker("NO_PAIR")


def test_streams(client: bm.blocking.Client) -> None:
    """Plain iterators, with what the asynchronous ones offer besides."""
    with client.streams.spot.trade("BTC_USDT") as trades:
        for trade in trades:
            assert trade.symbol == "BTC_USDT"
            break
        trades.add("ETH_USDT")
        assert trades.topics == ("spot/trade:BTC_USDT", "spot/trade:ETH_USDT")
        assert isinstance(trades.receive(), bm.models.SpotTrade)
        assert isinstance(next(trades.batches()), list)
        assert trades.statistics().received >= 2
    with pytest.raises(bm.SubscriptionRefused), client.streams.spot.trade("NO_PAIR"):
        pass
    with client.streams.subscribe("futures/klineBin1m:BTCUSDT") as klines:
        assert next(klines).symbol == "BTCUSDT"
    with client.streams.spot.order_book("BTC_USDT") as book:
        book.wait_live()
        assert book.best_bid is not None
        assert book.best_ask is not None
        assert book.best_bid.price < book.best_ask.price
        assert len(book.depth(3).bids) == 3
        assert next(book).symbol == "BTC_USDT"
    with client.streams.futures.account() as account:
        account.wait_live()
        assert account.balances["USDT"].available > 0
        assert type(account.balances) is dict  # a copy: the view goes on changing
        assert account.orders == {}
    events = client.streams.events().open()
    client.streams.connect("spot", private=True)
    assert type(events.receive()).__name__ == "Opened"


def test_histories(client: bm.blocking.Client) -> None:
    """Step by step, or all at once and into a table."""
    since = datetime.now(UTC) - timedelta(days=3)

    def walk() -> Any:
        return bm.history.spot_klines(client.trio, "BTC_USDT", step=60, since=since)

    klines = client.collect(walk())
    assert 71 <= len(klines) <= 73
    first = next(client.iterate(walk()))
    assert first.open_time == klines[0].open_time
    assert sum(1 for _ in client.iterate(walk())) == len(klines)
    assert len(bm.to_rows(klines)) == len(klines)


def test_sessions(client: bm.blocking.Client) -> None:
    """Everything asynchronous can be opened and called."""
    opening = bm.trading.open_spot_session(client.trio, "BTC_USDT", journal=bm.trading.MemoryJournal())
    with client.open(opening) as session:
        order = client.call(session.submit, side="buy", type="market", notional="100")
        filled = client.call(order.wait_filled)
        assert filled.state is bm.trading.OrderState.FILLED
