"""Futures calls with missing, contradictory or impossible arguments are refused before anything is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter

import pytest
from every_case import every_case
from futures_rest_kit import futures_over

from bitmart_trio.errors import InvalidRequest
from bitmart_trio.models._futures_enums import FuturesOrderSide, OpenType
from bitmart_trio.models.futures_trading import FuturesOrderType, PlanOrderType, PriceType
from bitmart_trio.rest import futures_account, futures_demo, futures_trading

ACCEPTED = b'{"code":1000,"data":{"order_id":1,"price":"1"}}'
LIMIT = {"symbol": "BTCUSDT", "side": 1, "size": 1, "price": "30000"}
MARKET = {"symbol": "BTCUSDT", "side": 1, "size": 1, "type": "market"}
PLAN = {
    "symbol": "BTCUSDT", "side": 1, "leverage": 5, "open_type": "cross", "size": 1, "trigger_price": "30000",
    "price_way": 1, "price_type": 1, "executive_price": "30001",
}  # fmt: skip
TP_SL = {
    "symbol": "BTCUSDT", "type": "take_profit", "side": 3, "trigger_price": "40000", "executive_price": "0",
    "price_type": 1,
}  # fmt: skip
TRAIL = {
    "symbol": "BTCUSDT", "side": 4, "leverage": 5, "open_type": "cross", "size": 1, "activation_price": "30000",
    "callback_rate": "1", "activation_price_type": 1,
}  # fmt: skip
MODIFY_TP_SL = {"symbol": "BTCUSDT", "trigger_price": "2", "price_type": 1}
MODIFY_PLAN = {"symbol": "BTCUSDT", "order_id": "1", "trigger_price": "2", "price_type": 1}
PAGE = {"page": 1, "limit": 10}
MOVE = {"currency": "USDT", "amount": "1", "type": "spot_to_contract"}
SUB_MOVE = {"request_no": "a", "amount": "1", "currency": "USDT", "sub_account": "s"}
PERIOD = {"start_time": 1_700_000_000, "end_time": 1_700_086_400}

REFUSED = [
    # An order's amounts.
    ("trading.submit_order", {**LIMIT, "price": None}, "price"),
    ("trading.submit_order", {**LIMIT, "type": "limit", "price": None}, "price"),
    ("trading.submit_order", {**MARKET, "price": "1"}, "price"),
    ("trading.submit_order", {**LIMIT, "price": "0"}, "price"),
    ("trading.submit_order", {**LIMIT, "price": "NaN"}, "price"),
    ("trading.submit_order", {**LIMIT, "size": 0}, "size"),
    ("trading.submit_order", {**LIMIT, "size": "1.5"}, "size"),
    ("trading.submit_order", {**LIMIT, "leverage": "0"}, "leverage"),
    # Words and numbers that stand for something.
    ("trading.submit_order", {**LIMIT, "side": 5}, "side"),
    ("trading.submit_order", {**LIMIT, "side": "1"}, "side"),
    ("trading.submit_order", {**LIMIT, "side": "buy"}, "side"),
    ("trading.submit_order", {**LIMIT, "side": PriceType.LAST_PRICE}, "side"),
    ("trading.submit_order", {**LIMIT, "type": "trailing"}, "type"),
    ("trading.submit_order", {**LIMIT, "type": FuturesOrderType.ADL}, "type"),
    ("trading.submit_order", {**LIMIT, "open_type": "Cross"}, "open_type"),
    ("trading.submit_order", {**MARKET, "mode": 4}, "mode"),
    ("trading.submit_order", {**LIMIT, "preset_stop_loss_price": "1", "preset_stop_loss_price_type": 0},
     "preset_stop_loss_price_type"),
    # A closing order would lose its presets without a word.
    ("trading.submit_order", {**LIMIT, "side": 3, "preset_stop_loss_price": "1"}, "preset_stop_loss_price"),
    ("trading.submit_order", {**LIMIT, "side": 2, "preset_take_profit_price": "1"}, "preset_take_profit_price"),
    # Client order ids.
    ("trading.submit_order", {**LIMIT, "client_order_id": "no-dash"}, "client_order_id"),
    ("trading.submit_order", {**LIMIT, "client_order_id": "x" * 33}, "client_order_id"),
    ("trading.submit_order", {**LIMIT, "client_order_id": ""}, "client_order_id"),
    ("trading.submit_tp_sl_order", {**TP_SL, "client_order_id": "no_underscore"}, "client_order_id"),
    # Changing an order.
    ("trading.modify_limit_order", {"symbol": "BTCUSDT", "price": "1"}, "order_id"),
    ("trading.modify_limit_order", {"symbol": "BTCUSDT", "order_id": "1"}, "price"),
    ("trading.modify_limit_order", {"symbol": "BTCUSDT", "order_id": "x1", "size": 1}, "order_id"),
    # Cancelling: no id must never mean "everything".
    ("trading.cancel_order", {"symbol": "BTCUSDT"}, "order_id"),
    ("trading.cancel_order", {"symbol": "BTCUSDT", "order_id": ""}, "order_id"),
    ("trading.cancel_order", {"symbol": "BTCUSDT", "order_id": "1", "client_order_id": "a"}, "client_order_id"),
    ("trading.cancel_plan_order", {"symbol": "BTCUSDT"}, "order_id"),
    ("trading.cancel_plan_order", {"symbol": "BTCUSDT", "order_id": "1", "client_order_id": "a"}, "client_order_id"),
    ("trading.cancel_trailing_order", {"symbol": "BTCUSDT", "order_id": None}, "order_id"),
    ("trading.cancel_trailing_order", {"symbol": "BTCUSDT", "order_id": ""}, "order_id"),
    ("trading.cancel_all_orders", {"symbol": ""}, "symbol"),
    # The timer: 0 or at least 5 seconds.
    *[("trading.cancel_all_after", {"symbol": "BTCUSDT", "timeout": after}, "timeout") for after in (-1, 1, 4, "3")],
    # Orders that wait for a price.
    ("trading.submit_plan_order", {**PLAN, "executive_price": None}, "executive_price"),
    ("trading.submit_plan_order", {**PLAN, "type": "market"}, "executive_price"),
    ("trading.submit_plan_order", {**PLAN, "type": PlanOrderType.PLAN}, "type"),
    ("trading.submit_plan_order", {**PLAN, "side": 3, "preset_stop_loss_price": 1}, "preset_stop_loss_price"),
    ("trading.modify_plan_order", {**MODIFY_PLAN, "type": "limit"}, "executive_price"),
    ("trading.modify_plan_order", {**MODIFY_PLAN, "type": "market", "executive_price": "1"}, "executive_price"),
    ("trading.submit_tp_sl_order", {**TP_SL, "side": 1}, "side"),
    ("trading.submit_tp_sl_order", {**TP_SL, "side": FuturesOrderSide.SELL_OPEN_SHORT}, "side"),
    ("trading.submit_tp_sl_order", {**TP_SL, "type": "limit"}, "type"),
    ("trading.modify_tp_sl_order", MODIFY_TP_SL, "order_id"),
    ("trading.modify_tp_sl_order", {**MODIFY_TP_SL, "order_id": "1", "plan_category": 1}, "executive_price"),
    ("trading.modify_tp_sl_order", {**MODIFY_TP_SL, "order_id": "1", "plan_category": 1, "executive_price": 0},
     "category"),
    ("trading.submit_trailing_order", {**TRAIL, "callback_rate": "0.09"}, "callback_rate"),
    ("trading.submit_trailing_order", {**TRAIL, "callback_rate": "5.01"}, "callback_rate"),
    # Positions.
    ("position.set_mode", {"position_mode": "hedge"}, "position_mode"),
    ("position.close_all", {"contract_type": 3}, "contract_type"),
    ("position.close_all", {"contract_type": 1, "position_side": "both"}, "position_side"),
    # Bounds of lists and amounts.
    ("market.trades", {"symbol": "BTCUSDT", "limit": 101}, "limit"),
    ("market.klines", {"symbol": "BTCUSDT", "step": 2, **PERIOD}, "step"),
    ("trading.open_orders", {"limit": 0}, "limit"),
    ("trading.open_orders", {"type": "adl"}, "type"),
    ("account.transaction_history", {"page_size": 1001}, "page_size"),
    ("account.transfers", {**PAGE, "limit": 9}, "limit"),
    ("account.transfers", {**PAGE, "page": 1001}, "page"),
    ("account.transfers", {**PAGE, "recv_window": 60_001}, "recv_window"),
    ("account.submit_transfer", {**MOVE, "amount": "0.009"}, "amount"),
    ("account.submit_transfer", {**MOVE, "amount": 10_000_000_001}, "amount"),
    ("account.submit_transfer", {**MOVE, "type": "fund_to_contract"}, "type"),
    ("account.submit_funding_transfer", {**MOVE, "type": "spot_to_contract"}, "type"),
    ("sub_account.submit_sub_to_main_transfer", {**SUB_MOVE, "request_no": "x" * 65}, "request_no"),
    ("sub_account.transfers", {"sub_account": "s", "limit": 101}, "limit"),
    ("affiliate.invited_users", {**PERIOD, "page": 1, "page_size": 51}, "page_size"),
    ("affiliate.trades", {"user_id": 1, "type": 3, "page": 1, "page_size": 1}, "type"),
    # Times: their unit and their order.
    ("market.klines", {"symbol": "BTCUSDT", "start_time": 1_700_000_000_000, "end_time": 1_700_086_400_000},
     "start_time"),
    ("account.transaction_history", {"start_time": 1_700_000_000}, "start_time"),
    ("trading.trades", {"start_time": 1_700_000_000, "end_time": 1_700_000_000}, "end_time"),
    ("trading.order_history", {"symbol": "BTCUSDT", "start_time": 1_700_000_001, "end_time": 1_700_000_000},
     "end_time"),
    ("account.transfers", {**PAGE, "start_time": datetime(2025, 1, 2, tzinfo=UTC), "end_time": 1_735_689_600_000},
     "end_time"),
    ("trading.trades", {"start_time": datetime(2025, 1, 2)}, "start_time"),  # noqa: DTZ001
    ("affiliate.user_rebate", {"cid": 1, "start_time": 2, "end_time": 1}, "end_time"),
]  # fmt: skip


def method(name: str, body: bytes = ACCEPTED) -> tuple[Callable[..., Awaitable[object]], list[object]]:
    futures, recorder = futures_over(body)
    found: Callable[..., Awaitable[object]] = attrgetter(name)(futures)
    sent: list[object] = recorder.sent  # type: ignore[assignment]
    return found, sent


@every_case("name, arguments, at_fault", REFUSED)
async def test_a_wrong_call_names_the_argument_and_sends_nothing(
    name: str, arguments: Mapping[str, object], at_fault: str
) -> None:
    call, sent = method(name)
    with pytest.raises(InvalidRequest) as refusal:
        await call(**arguments)
    assert refusal.value.argument == at_fault
    assert at_fault in str(refusal.value)
    assert sent == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("trading.submit_order", {**LIMIT, "price": 30000.5}),
        ("trading.submit_order", {**LIMIT, "size": 1.0}),
        ("trading.submit_plan_order", {**PLAN, "trigger_price": 1.5}),
        ("position.set_leverage", {"symbol": "BTCUSDT", "open_type": "cross", "leverage": 2.0}),
        ("account.submit_transfer", {**MOVE, "amount": 0.1}),
    ],
)
async def test_a_float_is_a_type_error(name: str, arguments: Mapping[str, object]) -> None:
    call, sent = method(name)
    with pytest.raises(TypeError, match="float is not exact"):
        await call(**arguments)
    assert sent == []


@pytest.mark.parametrize(
    ("name", "arguments", "body"),
    [
        # Amounts in plain notation, whatever type they come in.
        ("trading.submit_order", {**LIMIT, "price": Decimal("1E-8")},
         b'{"symbol":"BTCUSDT","side":1,"size":1,"price":"0.00000001"}'),
        ("trading.submit_order", {**LIMIT, "price": 30000, "size": "2"},
         b'{"symbol":"BTCUSDT","side":1,"size":2,"price":"30000"}'),
        # Members and wire values are the same; words of sibling enumerations too.
        ("trading.submit_order",
         {**LIMIT, "side": FuturesOrderSide.BUY_OPEN_LONG, "type": FuturesOrderType.LIMIT, "open_type": OpenType.CROSS},
         b'{"symbol":"BTCUSDT","side":1,"size":1,"type":"limit","price":"30000","open_type":"cross"}'),
        ("trading.submit_order", {**MARKET, "type": PlanOrderType.MARKET},
         b'{"symbol":"BTCUSDT","side":1,"size":1,"type":"market"}'),
        # Maker-only goes with limit orders, and limit is what an order is when nothing is said.
        ("trading.submit_order", {**LIMIT, "mode": 4},
         b'{"symbol":"BTCUSDT","side":1,"size":1,"price":"30000","mode":4}'),
        # An order id is a number here and text everywhere else.
        ("trading.modify_limit_order", {"symbol": "BTCUSDT", "order_id": "220906179559421", "price": 2},
         b'{"symbol":"BTCUSDT","order_id":220906179559421,"price":"2"}'),
        ("trading.cancel_order", {"symbol": "BTCUSDT", "client_order_id": "PLAN_3000097492004577"},
         b'{"symbol":"BTCUSDT","client_order_id":"PLAN_3000097492004577"}'),
        # Without an id, by name only.
        ("trading.cancel_all_orders", {"symbol": "BTCUSDT"}, b'{"symbol":"BTCUSDT"}'),
        ("trading.cancel_all_plan_orders", {"symbol": "BTCUSDT"}, b'{"symbol":"BTCUSDT"}'),
        ("trading.cancel_all_trailing_orders", {"symbol": "BTCUSDT"}, b'{"symbol":"BTCUSDT"}'),
        # 0 stands for a market order here.
        ("trading.submit_tp_sl_order", TP_SL,
         b'{"symbol":"BTCUSDT","type":"take_profit","side":3,"trigger_price":"40000","executive_price":"0","price_type":1}'),
        ("position.set_leverage", {"symbol": "BTCUSDT", "open_type": "isolated", "leverage": 20},
         b'{"symbol":"BTCUSDT","open_type":"isolated","leverage":"20"}'),
        ("account.transfers", {**PAGE, "start_time": datetime(2025, 1, 1, 0, 0, 0, 7000, tzinfo=UTC)},
         b'{"page":1,"limit":10,"time_start":1735689600007}'),
        # Accepted by every signed call, sent where the exchange lists it.
        ("trading.cancel_all_orders", {"symbol": "BTCUSDT", "recv_window": 10_000}, b'{"symbol":"BTCUSDT"}'),
        ("account.transfers", {**PAGE, "recv_window": 10_000}, b'{"page":1,"limit":10,"recvWindow":10000}'),
        ("demo.claim", {}, b"{}"),
    ],
)  # fmt: skip
async def test_what_goes_out(name: str, arguments: Mapping[str, object], body: bytes) -> None:
    futures, recorder = futures_over(
        b'{"code":1000,"data":{"order_id":1,"price":"1","symbol":"BTCUSDT","leverage":"1","open_type":"cross","max_value":"1",'
        b'"currency":"USDT","amount":"1","records":[]}}'
    )
    await attrgetter(name)(futures)(**arguments)
    [request] = recorder.sent
    assert request.body == body


@pytest.mark.parametrize("side", FuturesOrderSide)
async def test_a_side_may_be_a_word(side: FuturesOrderSide) -> None:
    """The member's name in small letters is the number on the wire, in the rules about sides too."""
    futures, recorder = futures_over(ACCEPTED)
    submit, order = attrgetter("trading.submit_order")(futures), {**MARKET, "side": side.name.lower()}
    await submit(**order)
    assert f'"side":{side.value},'.encode() in recorder.sent[-1].body
    if side in (FuturesOrderSide.BUY_CLOSE_SHORT, FuturesOrderSide.SELL_CLOSE_LONG):
        with pytest.raises(InvalidRequest, match="preset_take_profit_price"):
            await submit(**order, preset_take_profit_price="1")


async def test_a_wrong_side_says_what_each_number_means() -> None:
    futures, _ = futures_over(ACCEPTED)
    with pytest.raises(
        InvalidRequest, match=r"1 \(buy_open_long\), 2 \(buy_close_short\), 3 \(sell_close_long\), 4 \("
    ):
        await futures.trading.submit_order(symbol="BTCUSDT", side=5, size=1, type="market")


@pytest.mark.parametrize("seconds", [0, 5, 60, 86_400])
async def test_the_cancel_timer_takes_zero_and_five_seconds_upwards(seconds: int) -> None:
    futures, recorder = futures_over(b'{"code":1000,"data":{"result":true,"set_time":15,"cancel_time":25}}')
    armed = await futures.trading.cancel_all_after("BTCUSDT", seconds)
    assert recorder.sent[0].body == b'{"symbol":"BTCUSDT","timeout":%d}' % seconds
    assert armed.result is True
    assert armed.cancel_time - armed.set_time == 10


async def test_datetimes_and_numbers_mix_in_one_range() -> None:
    futures, recorder = futures_over(b'{"code":1000,"data":[]}')
    await futures.trading.trades("BTCUSDT", start_time=1_735_689_600, end_time=datetime(2025, 1, 2, tzinfo=UTC))
    await futures.account.transaction_history(start_time=1_735_689_600_000, end_time=datetime(2025, 1, 2, tzinfo=UTC))
    assert [request.target.partition("?")[2] for request in recorder.sent] == [
        "symbol=BTCUSDT&start_time=1735689600&end_time=1735776000",
        "start_time=1735689600000&end_time=1735776000000",
    ]


async def test_the_client_order_id_of_a_write_is_known_to_the_pipeline() -> None:
    futures, recorder = futures_over(ACCEPTED)
    await futures.trading.submit_order(symbol="BTCUSDT", side=1, size=1, type="market", client_order_id="bot1")
    assert recorder.sent[0].client_order_id == "bot1"


def test_cancels_may_use_the_reserve_and_posted_reads_are_reads() -> None:
    urgent = (
        futures_trading.cancel_order, futures_trading.cancel_all_orders, futures_trading.cancel_all_after,
        futures_trading.cancel_plan_order, futures_trading.cancel_all_plan_orders,
        futures_trading.cancel_trailing_order, futures_trading.cancel_all_trailing_orders,
    )  # fmt: skip
    assert all(row.urgent and not row.reads for row in urgent)
    assert futures_account.transfers.reads
    assert not futures_account.submit_transfer.reads
    assert not futures_trading.submit_order.urgent


def test_rows_say_which_host_has_them() -> None:
    assert futures_demo.claim.environment == "demo"
    assert futures_account.submit_transfer.environment == "live"
    assert futures_trading.submit_order.environment is None
