"""The pushes of the futures market: frames as on the wire, paces, books that stay right, private news at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio
import trio.testing
from futures_kit import Venue


def test_topics_are_checked() -> None:
    """Known channels with known filters on the right socket, nothing else."""
    feed = Venue().exchange.feed
    good = [
        "futures/ticker",
        "futures/ticker:BTCUSDT",
        "futures/fundingRate:ETHUSDT",
        "futures/depth5:BTCUSDT",
        "futures/depth20:BTCUSDT@200ms",
        "futures/depthAll50:BTCUSD@100ms",
        "futures/depthIncrease20:BTCUSDT@100ms",
        "futures/v2/depthAll5:BTCUSDT@100ms",
        "futures/v2/depthIncrease50:BTCUSDT@200ms",
        "futures/bookticker:BTCUSDT",
        "futures/trade:BTCUSDT",
        "futures/klineBin1W:BTCUSDT",
        "futures/markPriceKlineBin1H:BTCUSDT",
    ]
    for topic in good:
        assert not isinstance(feed.find("futures/public", topic), str), topic
    bad = [
        "futures/depth10:BTCUSDT",
        "futures/klineBin1h:BTCUSDT",
        "futures/order",
        "futures/depth20",
        "futures/trade:NOPE",
        "futures/depth20:BTCUSDT@300ms",
        "futures/ticker:NOPE",
        "futures/trade",
        "futures/trade:BTCUSDT@100ms",
    ]
    for topic in bad:
        assert isinstance(feed.find("futures/public", topic), str), topic
    for topic in ("futures/order", "futures/position", "futures/asset:USDT"):
        assert not isinstance(feed.find("futures/private", topic), str), topic
    assert feed.find("futures/private", "futures/asset:DOGE") == "filter"


def test_tickers() -> None:
    """Once a second, per symbol or one frame per contract."""
    venue = Venue()
    with venue.heard("futures/ticker:BTCUSDT") as one, venue.heard("futures/ticker") as every:
        venue.tick(50)
    assert 5 <= len(one) <= 6
    assert {frame["data"]["symbol"] for frame in every} == {"BTCUSDT", "ETHUSDT", "BTCUSD"}
    assert set(one[0]["data"]) == {
        "symbol",
        "last_price",
        "volume_24",
        "range",
        "mark_price",
        "index_price",
        "ask_price",
        "ask_vol",
        "bid_price",
        "bid_vol",
    }
    assert all(isinstance(value, str) for value in one[0]["data"].values())
    assert (one[0]["group"], every[0]["group"]) == ("futures/ticker:BTCUSDT", "futures/ticker")
    assert len({frame["data"]["last_price"] for frame in one}) > 1


def test_funding_rate_comes_at_once_then_every_minute() -> None:
    """The state right after subscribing, then one push a minute; it takes the request verb."""
    venue = Venue()
    topic = "futures/fundingRate:BTCUSDT"
    with venue.heard(topic) as frames:
        assert len(frames) == 1
        venue.tick(1250)
    assert len(frames) == 3
    data = frames[0]["data"]
    assert isinstance(data["fundingTime"], int)
    assert isinstance(data["fundingRate"], str)
    assert data["nextFundingTime"] > data["ts"]
    found = venue.exchange.feed.find("futures/public", topic)
    assert not isinstance(found, str)
    assert found[0].asked is not None
    assert next(iter(found[0].asked("BTCUSDT", None)))["group"] == topic


def test_depth_sends_one_side_a_frame() -> None:
    """Both sides' frames together, bids as way 1, asks as way 2; the combined form has both in one."""
    venue = Venue()
    with venue.heard("futures/depth5:BTCUSDT@100ms") as sides, venue.heard("futures/depthAll5:BTCUSDT@100ms") as full:
        venue.tick(10)
    assert [frame["data"]["way"] for frame in sides[:4]] == [1, 2, 1, 2]
    assert len(sides) == 2 * len(full)
    assert [sides[0]["data"]["depths"], sides[1]["data"]["depths"]] == [
        full[0]["data"]["bids"],
        full[0]["data"]["asks"],
    ]
    assert set(full[0]["data"]["asks"][0]) == {"price", "vol"}
    assert len(full[0]["data"]["asks"]) == 5


def test_the_second_version_has_levels_as_arrays() -> None:
    """Price and size as two texts."""
    venue = Venue()
    with venue.heard("futures/v2/depthAll20:BTCUSDT@100ms") as full:
        venue.tick(2)
    price, size = full[0]["data"]["bids"][0]
    assert isinstance(price, str)
    assert isinstance(size, str)


def levels(rows: list[Any]) -> dict[Decimal, Decimal]:
    pairs = [row if isinstance(row, list) else (row["price"], row["vol"]) for row in rows]
    return {Decimal(price): Decimal(size) for price, size in pairs}


@pytest.mark.parametrize("topic", ["futures/depthIncrease20:BTCUSDT@100ms", "futures/v2/depthIncrease20:BTCUSDT@200ms"])
def test_increments_rebuild_the_book(topic: str) -> None:
    """Snapshot first, then updates whose version rises by one, for early and late listeners alike."""
    venue = Venue()
    book = venue.exchange.futures.listings["BTCUSDT"].book

    def check(frames: list[Any]) -> None:
        sides: dict[str, dict[Decimal, Decimal]] = {}
        version = 0
        for frame in frames:
            data = frame["data"]
            assert frame["group"] == topic
            if data["type"] == "snapshot":
                sides = {side: levels(data[side]) for side in ("bids", "asks")}
            else:
                assert data["version"] == version + 1
                for side in ("bids", "asks"):
                    sides[side].update(levels(data[side]))
                    sides[side] = {price: size for price, size in sides[side].items() if size}
            version = data["version"]
        assert sides["bids"] == dict(book.levels("buy", 20))
        assert sides["asks"] == dict(book.levels("sell", 20))

    with venue.heard(topic) as early:
        venue.tick(31)
        with venue.heard(topic) as late:
            venue.tick(29)
        assert [frames[0]["data"]["type"] for frames in (early, late)] == ["snapshot", "snapshot"]
        check(early)
        check(late)
    venue.tick(50)
    with venue.heard(topic) as again:
        venue.tick(20)
    assert again[0]["data"]["version"] > early[-1]["data"]["version"]
    check(again)


def test_a_quiet_book_still_counts() -> None:
    """Without changes an empty update comes every few seconds, with the next version."""
    venue = Venue()
    feed, listing = venue.exchange.futures.watchers[0], venue.exchange.futures.listings["BTCUSDT"]
    with venue.heard("futures/depthIncrease5:BTCUSDT@100ms") as frames:
        for _ in range(120):
            venue.exchange.clock.step(100)
            feed.ticked(venue.exchange.clock.steady_ms())
    assert [frame["data"]["type"] for frame in frames] == ["snapshot", "update", "update"]
    assert [frame["data"]["version"] - frames[0]["data"]["version"] for frame in frames] == [0, 1, 2]
    assert frames[1]["data"]["asks"] == frames[1]["data"]["bids"] == []
    assert listing.book.best("buy") is not None


def test_book_ticker_and_trades_follow_a_user_at_once() -> None:
    """A user's fill is pushed without waiting for the next tick."""
    venue = Venue()
    price = venue.inside()
    venue.order(4, 3, price, who="2")
    with venue.heard("futures/trade:BTCUSDT") as trades, venue.heard("futures/bookticker:BTCUSDT") as best:
        venue.order(1, 3, price)
        assert len(trades) == 1
        venue.tick(3)
    trade = trades[0]["data"][0]
    assert (Decimal(trade["deal_price"]), trade["deal_vol"], trade["m"], trade["way"]) == (price, "3", False, 1)
    assert isinstance(trade["trade_id"], int)
    assert trade["created_at"] == "2026-01-01T00:00:00.000000000Z"
    assert set(best[0]["data"]) == {
        "symbol",
        "best_bid_price",
        "best_bid_vol",
        "best_ask_price",
        "best_ask_vol",
        "ms_t",
    }


def test_trades_are_complete_and_newest_first() -> None:
    """Every trade comes once; inside a frame the newest is first."""
    venue = Venue()
    with venue.heard("futures/trade:BTCUSDT") as frames:
        venue.tick(200)
    seen = [row["trade_id"] for frame in frames for row in reversed(frame["data"])]
    made = [trade.trade_id for trade in venue.exchange.futures.listings["BTCUSDT"].prints]
    assert seen == made


@pytest.mark.parametrize("channel", ["klineBin1m", "klineBin1D", "markPriceKlineBin5m"])
def test_candles(channel: str) -> None:
    """The bar in progress as an item, on change, at most twice a second, equal to what REST says."""
    venue = Venue()
    with venue.heard(f"futures/{channel}:BTCUSDT") as frames:
        venue.tick(301)
    assert 10 < len(frames) <= 62
    data = frames[-1]["data"]
    assert (data["symbol"], len(data["items"])) == ("BTCUSDT", 1)
    item = data["items"][0]
    assert set(item) == {"o", "h", "l", "c", "v", "ts"}
    name, step = {"klineBin1m": ("kline", 1), "klineBin1D": ("kline", 1440)}.get(channel, ("markprice-kline", 5))
    now = venue.exchange.now_ms() // 1000
    rows = venue.ok(venue.public(name, symbol="BTCUSDT", step=step, start_time=now - now % (step * 60), end_time=now))
    assert [rows[-1][key] for key in ("open_price", "high_price", "low_price")] == [item["o"], item["h"], item["l"]]


def test_order_events() -> None:
    """Submit, match with the fill, cancel; only to the order's owner."""
    venue = Venue()
    price = venue.inside()
    with venue.heard("futures/order", "1") as mine, venue.heard("futures/order", "2") as theirs:
        placed = venue.order(1, 5, price, client_order_id="ev1")
        venue.order(4, 2, price, who="2")
        venue.ok(venue.post("cancel-order", symbol="BTCUSDT", client_order_id="ev1"))
    events = [(frame["data"][0]["action"], frame["data"][0]["order"]) for frame in mine]
    assert [(action, order["state"], order["deal_size"]) for action, order in events] == [
        (2, 2, "0"),
        (1, 2, "2"),
        (3, 4, "2"),
    ]
    assert {order["order_id"] for _, order in events} == {str(placed["order_id"])}
    assert events[0][1]["last_trade"] is None
    last = events[1][1]["last_trade"]
    assert (last["fillQty"], Decimal(last["fillPrice"]), last["feeCcy"]) == ("2", price, "USDT")
    assert Decimal(last["fee"]) == -(price * 2 / 1000 * Decimal("0.0002"))
    assert isinstance(last["lastTradeID"], int)
    assert events[0][1]["trigger_price"] == "-"
    assert [frame["data"][0]["action"] for frame in theirs] == [2, 1]


def test_plan_events() -> None:
    """Conditional orders are told on the order channel with their own words."""
    venue = Venue()
    with venue.heard("futures/order", "1") as frames:
        params = {"symbol": "BTCUSDT", "side": 1, "leverage": "10", "open_type": "cross", "size": 5, "price_way": 1}
        venue.ok(venue.post("submit-plan-order", type="market", trigger_price="70000", price_type=2, **params))
        venue.ok(venue.post("cancel-plan-order", symbol="BTCUSDT"))
    orders = [frame["data"][0]["order"] for frame in frames]
    assert [frame["data"][0]["action"] for frame in frames] == [2, 3]
    assert (orders[0]["type"], orders[0]["trigger_price"], orders[0]["trigger_price_type"]) == (
        "plan_order",
        "70000",
        "fair_price",
    )
    assert (orders[0]["execution_price"], orders[0]["activation_price"]) == ("market", "-")


def test_assets_and_positions_are_told_when_a_call_is_over() -> None:
    """One frame a change, with the final figures; a closed position says 0; open ones come every ten seconds."""
    venue = Venue()
    with venue.heard("futures/asset:USDT", "1") as assets, venue.heard("futures/position", "1") as positions:
        venue.order(1, 5, leverage="10", open_type="isolated")
        assert len(assets) == len(positions) == 1
        row = venue.asset()
        assert Decimal(assets[0]["data"]["available_balance"]) == row["available_balance"]
        assert set(assets[0]["data"]) == {"currency", "available_balance", "position_deposit", "frozen_balance"}
        data = positions[0]["data"][0]
        assert (data["symbol"], data["hold_volume"], data["position_type"], data["open_type"]) == ("BTCUSDT", "5", 1, 1)
        assert data["position_mode"] == "hedge_mode"
        del positions[:]
        venue.tick(250)
        assert 2 <= len(positions) <= 3
        del positions[:]
        venue.ok(venue.post("close-all-position", contractType=1))
        assert positions[-1]["data"][0]["hold_volume"] == "0"
        del positions[:]
        venue.tick(250)
        assert positions == []


def test_a_transfer_is_told() -> None:
    """What other chapters move into the wallet is listed and pushed."""
    venue = Venue()
    trader = venue.trader()
    with venue.heard("futures/asset:USDT", "1") as assets:
        trader.account.futures.credit("USDT", Decimal(50))
        venue.exchange.futures.balance_moved(trader.account, "USDT", Decimal(50))
    assert assets[0]["data"]["available_balance"] == "100050"
    rows = venue.ok(venue.get("transaction-history", flow_type=1))
    assert [(row["type"], row["amount"], row["symbol"]) for row in rows] == [("Transfer", "50", "")]


async def test_the_market_lives_in_virtual_time(autojump_clock: trio.testing.MockClock) -> None:
    """Inside a Trio run the exchange ticks by itself: a minute of market is a minute of pushes, and orders fill."""
    venue = Venue()
    with venue.heard("futures/ticker:BTCUSDT") as tickers, venue.heard("futures/order", "1") as orders:
        async with trio.open_nursery() as nursery:
            await nursery.start(venue.exchange.run)
            mark = venue.exchange.futures.listings["BTCUSDT"].mark
            venue.order(1, 5, mark - mark % 1 - 3)
            await trio.sleep(60)
            nursery.cancel_scope.cancel()
    assert 59 <= len(tickers) <= 62
    assert orders[0]["data"][0]["action"] == 2
    assert venue.exchange.now_ms() - venue.exchange.clock.start >= 60_000
