"""Names that do not exist find those that were meant."""

from __future__ import annotations

import re
import traceback
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import pytest

import bitmart_trio as bm
from bitmart_trio._bitmart.channel import hint_for
from bitmart_trio._bitmart.hints import hint_for as hint_of
from bitmart_trio._core.request import build
from bitmart_trio._core.suggest import did_you_mean, suggest
from bitmart_trio.blocking._methods import SpotMarket
from bitmart_trio.cli.call import all_endpoints
from bitmart_trio.client import Streams
from bitmart_trio.rest.futures import Futures
from bitmart_trio.rest.spot import Spot
from bitmart_trio.streams import futures, spot

MIGRATION = Path(__file__).parents[2] / "docs" / "migration" / "npm.md"
_ROW = re.compile(r"\| `\w+` \| `(\w+)` \| `await client\.([\w.]+)\(")


def test_most_functions_of_the_npm_client_find_ours() -> None:
    """Ours is among three suggestions for at least three in four of its functions, and nearly all get one."""
    names = list(all_endpoints())
    pairs = [row.groups() for row in map(_ROW.match, MIGRATION.read_text(encoding="utf-8").splitlines()) if row]
    found = {theirs: suggest(theirs, names) for theirs, _ in pairs}
    assert len(pairs) > 150
    assert sum(ours in found[theirs] for theirs, ours in pairs) > 0.75 * len(pairs)
    assert sum(bool(near) for near in found.values()) > 0.9 * len(found)


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("getSpotKlinesV3", "spot.market.klines"),
        ("submitFuturesOrder", "futures.trading.submit_order"),
        ("spot.market.tikcer", "spot.market.ticker"),
    ],
)
def test_the_nearest_name_comes_first(name: str, best: str) -> None:
    assert suggest(name, all_endpoints())[0] == best


@pytest.mark.parametrize("name", ["", "zzz", "x" * 100_000, "получить"])
def test_nothing_near_is_no_suggestion(name: str) -> None:
    assert did_you_mean(name, all_endpoints()) == ""


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("futures/user/order:BTCUSDT", "Did you mean futures/order?"),
        ("futures/klineBin1h:ETHUSDT", "Did you mean futures/klineBin1H:ETHUSDT?"),
        ("futures/tickers:BTCUSDT", "Did you mean futures/ticker:BTCUSDT?"),
        (
            "futures/depth30:X@100ms",
            "Did you mean futures/depth5:X@100ms or futures/depth20:X@100ms or futures/depth50:X@100ms?",
        ),
        ("spot/ticker:BTC_USDT@100ms", "Did you mean spot/ticker:BTC_USDT?"),
        ("spot/trade", "Did you mean spot/trade:BTC_USDT?"),
        ("spot/user/balance:USDT", "Did you mean spot/user/balance:BALANCE_UPDATE?"),
        ("spot/trades:BTC_USDT", "Did you mean spot/trade:BTC_USDT?"),
        ("spot/order:BTC_USDT", "Did you mean spot/user/order:BTC_USDT or spot/user/orders:ALL_SYMBOLS?"),
        ("spot/trade:NO_SUCH", ""),
        ("futures/nonsense", ""),
    ],
)
def test_a_refused_topic_suggests_the_one_that_was_meant(topic: str, hint: str) -> None:
    """A topic of a channel that we know was refused for another reason."""
    assert spot.trade.market == "spot"
    assert futures.ticker.market == "futures"  # the rows of both markets are there
    assert hint_for(topic) == hint


def client() -> bm.Client:
    """A client that is not open: its objects are there, and nothing is sent."""
    none = cast("Any", None)
    spot, futures = Spot(none), Futures(none)
    return bm.Client(bm.LIVE, spot, futures, Streams(none, spot=spot, futures=futures))


@pytest.mark.parametrize(
    ("path", "name", "meant"),
    [
        ("", "getSpotHistoryKlineV3", "client.spot.market.klines"),
        ("", "submitSpotOrderV2", "client.spot.trading.submit_order"),
        ("", "submitFuturesOrder", "client.futures.trading.submit_order"),
        ("", "getFuturesAccountAssets", "client.futures.account.assets"),
        ("", "getAccountBalancesV1", "client.spot.account.balances"),
        ("", "subscribe", "client.streams.subscribe"),
        ("", "sport", "spot"),
        ("spot", "getAccountBalancesV1", "client.spot.account.balances"),
        ("spot", "markets", "market"),
        ("spot.account", "ticker", "client.spot.market.ticker"),
        ("spot.trading", "open_order", "open_orders"),
        ("futures.trading", "submitFuturesOrder", "client.futures.trading.submit_order"),
        ("streams", "subscribeTopics", "subscribe"),
        ("streams.spot", "bookTicker", "book_ticker"),
        ("streams.futures", "user_balance", "client.streams.spot.user_balance"),
    ],
)
def test_a_name_that_an_object_does_not_have_finds_the_one_that_was_meant(path: str, name: str, meant: str) -> None:
    """The functions of the npm client, slips of the pen, methods of another chapter; on every object of the client."""
    owner = attrgetter(path)(client()) if path else client()
    with pytest.raises(
        AttributeError, match=f"has no attribute '{name}'; did you mean {re.escape(meant)}[ ?]"
    ) as caught:
        getattr(owner, name)
    assert caught.value.name == name
    told = "".join(traceback.format_exception(caught.value))
    assert told.lower().count("did you mean") == 1  # Python adds no guess of its own


@pytest.mark.parametrize("name", ["_private", "__deepcopy__", "_repr_html_"])
def test_private_names_get_no_hint(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that look an object over ask for many of them, and no chapter is imported for that."""
    monkeypatch.setattr("bitmart_trio._core.suggest._nearest", None)
    assert not hasattr(client(), name)
    assert not hasattr(client().spot.market, name)


def test_what_nothing_is_near_has_pythons_own_message() -> None:
    with pytest.raises(AttributeError, match=r"^'Spot' object has no attribute 'zzz'$") as caught:
        getattr(client().spot, "zzz")  # noqa: B009  # type checkers know that it is not there
    assert caught.value.obj is not None


def test_objects_of_the_blocking_client_say_the_same() -> None:
    market = SpotMarket(cast("Any", None), client().spot.market)
    with pytest.raises(AttributeError, match=r"did you mean client\.spot\.trading\.submit_order "):
        getattr(market, "submitSpotOrderV2")  # noqa: B009  # as above
    with pytest.raises(AttributeError, match="did you mean klines "):
        getattr(market, "kline")  # noqa: B009  # as above


@pytest.mark.parametrize(
    ("endpoint", "name", "message"),
    [
        (
            bm.endpoints.spot.market.klines,
            "from",
            r"takes no argument from; it takes symbol, before, after, step, limit$",
        ),
        (bm.endpoints.spot.market.klines, "symbols", r"it takes symbol, .*; did you mean symbol\?$"),
        (
            bm.endpoints.spot.account.balances,
            "recv_window",
            r"takes no recv_window: only signed calls have a time window",
        ),
        (
            bm.endpoints.spot.account.balances,
            "recvWindow",
            r"takes no recvWindow: only signed calls have a time window",
        ),
        (bm.endpoints.spot.trading.open_orders, "recvWindow", r"did you mean recv_window\?$"),
        (bm.endpoints.spot.account.submit_transfer, "recvWindow", r"did you mean recv_window\?$"),
        (bm.endpoints.futures.trading.submit_order, "clientOrderId", r"did you mean client_order_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value),
)
def test_a_wrong_argument_lists_the_right_ones(endpoint: Any, name: str, message: str) -> None:
    with pytest.raises(bm.InvalidRequest, match=message) as caught:
        build(endpoint, {name: 5000})
    assert caught.value.argument == name


def test_a_time_window_goes_with_every_signed_call_and_no_other() -> None:
    """The transfer does not list it: it is checked and not sent."""
    given = {"currency": "USDT", "amount": "1", "type": "spot_to_fund"}
    row = cast("Any", bm.endpoints.spot.account.submit_transfer)
    plain = build(row, given)
    assert build(row, {**given, "recv_window": 5000}) == plain


def test_the_hint_at_a_path_keeps_its_spelling() -> None:
    error = bm.ApiError("not found", code=30000)
    assert hint_of(error, {}, "/spot/v1/Currencies", 0.0, 0.0) == "Did you mean /spot/v1/currencies?"
