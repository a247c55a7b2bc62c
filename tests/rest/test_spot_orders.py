"""Spot orders as a user places, cancels and reads them: what goes together, and what is refused before it is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_recorder import Recorder

from bitmart_trio.errors import InvalidRequest
from bitmart_trio.models._enums import OrderSide
from bitmart_trio.models.spot_trading import (
    AlgoOrderType,
    BatchOrderParam,
    CancelResult,
    CancelSource,
    OrderPlaced,
    QueryState,
    SpotOrderState,
    SpotOrderType,
    SpotStpMode,
    TradeRole,
)
from bitmart_trio.rest.spot import Spot

PLACED = b'{"code": 1000, "message": "OK", "data": {"order_id": 118100034543076010}}'
DONE = b'{"code": 1000, "message": "OK", "data": {"result": true}}'


def over(body: bytes = PLACED) -> tuple[Spot, Recorder]:
    """A spot API and its recorder."""
    recorder = Recorder(body)
    return Spot(recorder), recorder


def these(*values: object) -> tuple[object, ...]:
    """Values to compare at once: decimals equal whole numbers."""
    return values


GOOD_ORDERS: list[dict[str, Any]] = [
    {"side": "buy", "type": "limit", "size": "1", "price": "2"},
    {"side": "sell", "type": "limit_maker", "size": 1, "price": Decimal(2)},
    {"side": OrderSide.BUY, "type": SpotOrderType.IOC, "size": "1", "price": "2"},
    {"side": "buy", "type": "market", "notional": "50"},
    {"side": "sell", "type": SpotOrderType.MARKET, "size": "1"},
    {"side": "buy", "type": "limit", "size": "1", "price": "2", "client_order_id": "x" * 32},
]

BAD_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"side": "buy", "type": "limit", "size": "1"}, "price"),
    ({"side": "buy", "type": "limit", "price": "1"}, "size"),
    ({"side": "buy", "type": "limit", "size": "1", "price": "2", "notional": "2"}, "notional"),
    ({"side": "sell", "type": "limit_maker", "size": "1"}, "price"),
    ({"side": "sell", "type": "ioc", "notional": "1"}, "size"),
    ({"side": "buy", "type": "market", "size": "1"}, "notional"),
    ({"side": "buy", "type": "market", "notional": "1", "size": "1"}, "size"),
    ({"side": "buy", "type": "market", "notional": "1", "price": "1"}, "price"),
    ({"side": "sell", "type": "market", "notional": "1"}, "size"),
    ({"side": "sell", "type": "market", "size": "1", "notional": "1"}, "notional"),
    ({"side": OrderSide.SELL, "type": SpotOrderType.MARKET, "size": "1", "price": "1"}, "price"),
    ({"side": "hold", "type": "limit", "size": "1", "price": "2"}, "side"),
    ({"side": "buy", "type": "stop", "size": "1", "price": "2"}, "type"),
    ({"side": "buy", "type": "limit", "size": "0", "price": "2"}, "size"),
    ({"side": "buy", "type": "limit", "size": "1", "price": "-2"}, "price"),
    ({"side": "buy", "type": "market", "notional": "0.0"}, "notional"),
    ({"side": "buy", "type": "limit", "size": "1", "price": "2", "client_order_id": "x" * 33}, "client_order_id"),
    ({"side": "buy", "type": "limit", "size": "1", "price": "2", "client_order_id": "a-b"}, "client_order_id"),
]


@pytest.mark.parametrize("arguments", GOOD_ORDERS)
async def test_orders_that_make_sense(arguments: dict[str, Any]) -> None:
    """Each type takes exactly its amounts, on the spot and on margin, members and words alike."""
    spot, recorder = over()
    assert await spot.trading.submit_order("BTC_USDT", **arguments) == OrderPlaced("118100034543076010")
    assert await spot.margin.submit_order("BTC_USDT", **arguments) == OrderPlaced("118100034543076010")
    sent = [json.loads(request.body) for _, request in recorder.sent]
    for body, id_name in zip(sent, ("client_order_id", "clientOrderId"), strict=True):
        assert set(body) == {"symbol", *(id_name if name == "client_order_id" else name for name in arguments)}
        assert all(isinstance(value, str) for value in body.values())


@pytest.mark.parametrize(("arguments", "at_fault"), BAD_ORDERS)
async def test_orders_that_contradict_themselves(arguments: dict[str, Any], at_fault: str) -> None:
    """Nothing is sent, and the message names the argument; in a batch too."""
    spot, recorder = over()
    for call in (spot.trading.submit_order, spot.margin.submit_order):
        with pytest.raises(InvalidRequest) as caught:
            await call("BTC_USDT", **arguments)
        assert caught.value.argument == at_fault
    good = {"side": "sell", "type": "market", "size": "1"}
    with pytest.raises(InvalidRequest, match=at_fault):
        await spot.trading.submit_orders("BTC_USDT", [good, arguments])
    assert recorder.sent == []


async def test_a_float_never_becomes_an_order() -> None:
    """Neither alone nor in a batch."""
    spot, recorder = over()
    price: Any = 30000.1
    with pytest.raises(TypeError, match="price: a float is not exact"):
        await spot.trading.submit_order("BTC_USDT", side="buy", type="limit", size="1", price=price)
    entry = BatchOrderParam(side="buy", type="limit", size="1", price=price)
    with pytest.raises(TypeError, match="price: a float is not exact"):
        await spot.trading.submit_orders("BTC_USDT", [entry])
    assert recorder.sent == []


async def test_self_trade_prevention_is_spelled_as_the_exchange_reads_it() -> None:
    """stpMode, in camel case among snake case: any other spelling would be ignored without an error."""
    spot, recorder = over()
    await spot.trading.submit_order(
        "BTC_USDT", side="buy", type="limit", size="1", price="2", stp_mode=SpotStpMode.CANCEL_BOTH
    )
    assert json.loads(recorder.last.body)["stpMode"] == "cancel_both"


async def test_the_client_order_id_is_known_to_the_pipeline() -> None:
    """So that an unknown outcome can name it."""
    spot, recorder = over()
    await spot.margin.submit_order("BTC_USDT", side="sell", type="market", size=1, client_order_id="bot1")
    assert recorder.last.client_order_id == "bot1"


async def test_batches_hold_one_to_ten_orders() -> None:
    """As the exchange says with 50033, but before anything is sent."""
    spot, recorder = over(b'{"code": 1000, "data": {"code": 0, "data": {"orderIds": []}}}')
    order = BatchOrderParam(side=OrderSide.SELL, type="market", size="1", client_order_id="a1", stp_mode="none")
    for orders in ([], [order] * 11):
        with pytest.raises(InvalidRequest) as caught:
            await spot.trading.submit_orders("BTC_USDT", orders)
        assert caught.value.argument == "orders"
    assert recorder.sent == []
    await spot.trading.submit_orders("BTC_USDT", [order] * 10)
    entries = json.loads(recorder.last.body)["orderParams"]
    assert entries == [{"side": "sell", "type": "market", "size": "1", "clientOrderId": "a1", "stpMode": "none"}] * 10


async def test_cancelling_wants_exactly_one_id() -> None:
    """A cancellation without an id is refused here: it could be taken for all orders."""
    spot, recorder = over(DONE)
    with pytest.raises(InvalidRequest):
        await spot.trading.cancel_order("BTC_USDT")
    with pytest.raises(InvalidRequest):
        await spot.trading.cancel_order("BTC_USDT", "1", client_order_id="a")
    with pytest.raises(InvalidRequest):
        await spot.trading.cancel_order("BTC_USDT", "")
    assert recorder.sent == []
    assert await spot.trading.cancel_order("BTC_USDT", client_order_id="a") == CancelResult(result=True)


async def test_cancelling_a_batch_wants_exactly_one_list_of_ids() -> None:
    """Not none, not both, not empty, not eleven."""
    spot, recorder = over()
    cases: list[dict[str, Any]] = [
        {},
        {"order_ids": ["1"], "client_order_ids": ["a"]},
        {"order_ids": []},
        {"order_ids": [str(number) for number in range(11)]},
        {"order_ids": "123"},
    ]
    for arguments in cases:
        with pytest.raises(InvalidRequest):
            await spot.trading.cancel_orders("BTC_USDT", **arguments)
    assert recorder.sent == []


async def test_cancelling_all_is_a_method_of_its_own() -> None:
    """Without a filter it means the whole account."""
    spot, recorder = over(b'{"code": 1000, "data": {}}')
    await spot.trading.cancel_all_orders()
    assert recorder.last.body == b"{}"
    await spot.trading.cancel_all_orders("BTC_USDT", side=OrderSide.BUY)
    assert recorder.last.body == b'{"symbol":"BTC_USDT","side":"buy"}'


def test_cancels_are_urgent_and_queries_are_reads() -> None:
    """Cancels may use the reserve; what only reads may be repeated although it is a POST; orders never are."""
    from bitmart_trio.rest import spot_algo, spot_margin, spot_trading

    for module in (spot_trading, spot_algo):
        assert module.cancel_order.urgent
        assert module.cancel_all_orders.urgent
        assert not module.submit_order.urgent
        for query in (module.order, module.order_by_client_id, module.open_orders, module.order_history):
            assert query.reads
        assert not module.submit_order.reads
        assert not module.cancel_order.reads
    assert spot_trading.cancel_orders.urgent
    assert not spot_margin.borrow.reads


async def test_lists_take_times_in_any_form() -> None:
    """Milliseconds or aware datetimes, one of each if need be; seconds are refused."""
    spot, recorder = over(b'{"code": 1000, "data": []}')
    await spot.trading.order_history(
        "BTC_USDT", start_time=1767225600000, end_time=datetime(2026, 1, 2, tzinfo=UTC), recv_window=100
    )
    assert json.loads(recorder.last.body) == {
        "symbol": "BTC_USDT",
        "startTime": 1767225600000,
        "endTime": 1767312000000,
        "recvWindow": 100,
    }
    with pytest.raises(InvalidRequest, match="milliseconds"):
        await spot.trading.trades(start_time=1767225600)
    with pytest.raises(InvalidRequest, match="before"):
        await spot.trading.trades(start_time=1767225600001, end_time=1767225600000)
    # A window of one instant is what paging back ends with: the exchange takes it.
    await spot.trading.trades(start_time=1767225600000, end_time=1767225600000)
    for limit in (0, 201):
        with pytest.raises(InvalidRequest):
            await spot.trading.open_orders(limit=limit)


async def test_an_order_as_it_comes_back() -> None:
    """Amounts are decimals, words are members, blanks are None."""
    data = {
        "orderId": 118100034543076010,
        "clientOrderId": "",
        "symbol": "BTC_USDT",
        "side": "buy",
        "orderMode": "spot",
        "type": "market",
        "state": "partially_canceled",
        "cancelSource": "stp",
        "stpMode": "",
        "price": "",
        "priceAvg": "39999.00",
        "size": "",
        "filledSize": "",
        "notional": "50.0",
        "filledNotional": None,
        "createTime": "1767225600123",
        "updateTime": 1767225601456,
    }
    spot, _ = over(json.dumps({"code": 1000, "data": data}).encode())
    order = await spot.trading.order("118100034543076010", query_state=QueryState.HISTORY)
    assert order.order_id == "118100034543076010"
    assert order.client_order_id is None
    assert order.state is SpotOrderState.PARTIALLY_CANCELED
    assert order.cancel_source is CancelSource.STP
    assert order.stp_mode is None
    assert these(order.price, order.size, order.notional) == (None, None, Decimal(50))
    assert these(order.filled_size, order.filled_notional) == (0, 0)
    assert these(order.create_time, order.update_time) == (1767225600123, 1767225601456)


async def test_a_fill_as_it_comes_back() -> None:
    """With the fee and its currency."""
    data = [
        {
            "tradeId": "125277182593091639",
            "orderId": "125213058731346053",
            "clientOrderId": "desk0001",
            "symbol": "BTC_USDT",
            "side": "sell",
            "orderMode": "iso_margin",
            "type": "limit",
            "price": "39999.00",
            "size": "0.1",
            "notional": "3999.9",
            "fee": "9.99975000",
            "feeCoinName": "USDT",
            "tradeRole": "maker",
            "createTime": 1767225600569,
        }
    ]
    spot, _ = over(json.dumps({"code": 1000, "data": data}).encode())
    (fill,) = await spot.trading.order_trades("125213058731346053")
    assert these(fill.price, fill.size, fill.fee, fill.fee_coin_name) == (
        39999,
        Decimal("0.1"),
        Decimal("9.99975"),
        "USDT",
    )
    assert fill.trade_role is TradeRole.MAKER
    assert fill.update_time is None


async def test_algo_orders_need_what_the_triggered_order_needs() -> None:
    """A limit order price and size, a market order what its side spends."""
    spot, recorder = over()
    bad: list[tuple[dict[str, Any], str]] = [
        ({"side": "buy", "trigger_type": "limit", "size": "1"}, "price"),
        ({"side": "buy", "trigger_type": "market", "size": "1"}, "notional"),
        ({"side": "sell", "trigger_type": "market", "notional": "1"}, "size"),
    ]
    for arguments, at_fault in bad:
        with pytest.raises(InvalidRequest) as caught:
            await spot.algo.submit_order("BTC_USDT", type="trigger", trigger_price="5", **arguments)
        assert caught.value.argument == at_fault
    assert recorder.sent == []
    await spot.algo.submit_order(
        "BTC_USDT", side="sell", type=AlgoOrderType.TP_SL, trigger_price="5", trigger_type="market", size="1"
    )
    assert json.loads(recorder.last.body)["type"] == "tp/sl"


@pytest.mark.parametrize("given", ["1853070350745600001", "mine", "", None])
async def test_a_client_order_id_that_repeats_the_order_id_is_none(given: str | None) -> None:
    """The exchange does that where none was given, also in a reply that lacks other members."""
    row = {
        "orderId": "1853070350745600001", "clientOrderId": given, "symbol": "BTC_USDT", "side": "buy",
        "orderMode": "spot", "type": "market", "state": "partially_canceled", "cancelSource": "", "stpMode": "none",
        "price": "0.00", "priceAvg": "59713.00", "size": "0.00000", "filledSize": "0.00028", "notional": "17.00000000",
        "filledNotional": "16.71964000", "createTime": 1767225600000, "updateTime": 1767225600000,
    }  # fmt: skip
    for lacking in (None, "priceAvg"):
        shown = {name: value for name, value in row.items() if name != lacking}
        spot, _ = over(json.dumps({"code": 1000, "message": "OK", "data": shown}).encode())
        order = await spot.trading.order("1853070350745600001")
        assert order.client_order_id == ("mine" if given == "mine" else None)
        assert order.order_id == "1853070350745600001"
