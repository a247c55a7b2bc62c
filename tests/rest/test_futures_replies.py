"""What the futures host really sends, beside what it documents, becomes the same models."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from futures_rest_kit import futures_over

from bitmart_trio.errors import ApiError, MalformedReply, PermissionDenied, RequestRefused
from bitmart_trio.models._futures_enums import FuturesOrderSide, OpenType, PositionMode, PositionSide
from bitmart_trio.models.futures_account import TransactionType
from bitmart_trio.models.futures_affiliate import AffiliateOpenType
from bitmart_trio.models.futures_market import ContractStatus, SessionStatus
from bitmart_trio.models.futures_trading import FuturesOrderState, PlanOrderType, PriceType

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts" / "rest"


def sample(name: str) -> Any:
    """The documented reply of an endpoint."""
    text = (TRANSCRIPTS / f"futures.{name}.txt").read_text()
    return json.loads(text.partition("\nreply: 200\n")[2], parse_float=str)


def as_bytes(reply: object) -> bytes:
    return json.dumps(reply).encode()


async def test_a_perpetual_has_no_end_and_an_unplanned_delisting_no_time() -> None:
    futures, _ = futures_over(as_bytes(sample("market.contracts")))
    bitcoin, gold = await futures.market.contracts()
    assert bitcoin.expire_timestamp is None
    assert bitcoin.settle_timestamp is None
    assert bitcoin.delist_time is None
    assert bitcoin.tradfi_info is None
    assert gold.delist_time == 1_745_830_379
    assert gold.expected_funding_rate is None  # blank on the wire
    assert gold.tradfi_info is not None
    assert gold.tradfi_info.next_session_switch_status is SessionStatus.LOW_LIQUIDITY
    assert gold.tradfi_info.low_liquidity_config is not None
    assert gold.tradfi_info.low_liquidity_config.mark_price_bound_ratio == Decimal("0.05")


async def test_a_contract_reads_by_the_documented_name_of_its_size_step_too() -> None:
    reply = sample("market.contracts")
    first = reply["data"]["symbols"][0]
    first["volume_precision"] = first.pop("vol_precision")
    first |= {"last_price": "", "high_24h": "", "low_24h": "", "status": "Paused", "tradfi_info": None, "new": 1}
    futures, _ = futures_over(as_bytes(reply))
    contract = (await futures.market.contracts())[0]
    assert contract.vol_precision == 1
    assert (contract.last_price, contract.high_24h, contract.low_24h) == (None, None, None)
    assert contract.status == "Paused"
    assert not contract.status.is_known
    assert ContractStatus("trading") is ContractStatus.TRADING


async def test_an_empty_side_of_the_book_is_an_empty_list() -> None:
    reply = sample("market.order_book")
    reply["data"]["asks"] = None
    reply["data"]["bids"][0].append("a new column")
    futures, _ = futures_over(as_bytes(reply))
    book = await futures.market.order_book("BTCUSDT")
    assert book.asks == []
    assert list(book.bids[0]) == [Decimal("23935.3"), 12, 12]
    assert book.bids[1].cumulative_size == 52


async def test_nothing_to_list_is_an_empty_list() -> None:
    for body in (b'{"code":1000,"data":null}', b'{"code":1000,"data":[]}'):
        futures, _ = futures_over(body)
        assert await futures.trading.open_orders() == []
    futures, _ = futures_over(b'{"code":1000,"data":{"records":null}}')
    assert await futures.account.transfers(page=1, limit=10) == []


async def test_a_list_that_is_missing_is_not_an_empty_one() -> None:
    """A good code without its list is how the exchange says that a service is down."""
    futures, recorder = futures_over(b'{"code":1000,"message":"This service is down"}')
    with pytest.raises(MalformedReply, match="no list at data"):
        await futures.trading.open_orders()
    recorder.body = b'{"code":1000,"message":"This service is down","data":{}}'
    with pytest.raises(MalformedReply, match=r"no list at data\.records"):
        await futures.account.transfers(page=1, limit=10)


async def test_order_ids_are_text_whatever_they_travel_as() -> None:
    for spelled in ('"3000101684062644123"', "3000101684062644123"):
        futures, _ = futures_over(b'{"code":1000,"data":{"order_id":%s,"price":"market price"}}' % spelled.encode())
        placed = await futures.trading.submit_order(symbol="BTCUSDT", side=1, size=1, type="market")
        assert placed.order_id == "3000101684062644123"
        assert placed.price == "market price"


async def test_an_order_without_presets_and_ids_has_none() -> None:
    futures, _ = futures_over(as_bytes(sample("trading.order_history")))
    [order] = await futures.trading.order_history("BTCUSDT")
    assert order.state is FuturesOrderState.FINISH
    assert order.side is FuturesOrderSide.BUY_CLOSE_SHORT
    assert order.executive_order_id is None
    assert order.preset_take_profit_price is None
    assert order.preset_take_profit_price_type is PriceType.UNSET
    assert order.position_mode is PositionMode.HEDGE


async def test_values_that_nobody_knows_yet_pass_through() -> None:
    reply = sample("trading.order")
    reply["data"] |= {"state": 8, "type": "iceberg", "side": "1", "size": 1000, "execution_price": "Market"}
    futures, _ = futures_over(as_bytes(reply))
    order = await futures.trading.order("BTCUSDT", "220906179895578")
    assert order.state.value == 8
    assert order.type.value == "iceberg"
    assert order.side is FuturesOrderSide.BUY_OPEN_LONG
    assert order.size == 1000
    assert not order.state.is_known
    assert not order.type.is_known
    assert order.execution_price == "Market"


async def test_a_plan_order_may_be_active_in_a_word() -> None:
    reply = sample("trading.plan_orders")
    reply["data"][0] |= {"state": "active", "type": "market", "executive_price": ""}
    futures, _ = futures_over(as_bytes(reply))
    first, second = await futures.trading.plan_orders("BTCUSDT")
    assert first.state is FuturesOrderState.CHECK
    assert first.type is PlanOrderType.MARKET
    assert first.executive_price is None
    assert second.state is FuturesOrderState.CHECK
    assert second.preset_stop_loss_price_type is PriceType.FAIR_PRICE


async def test_margin_mode_and_direction_read_alike_in_capitals() -> None:
    for margin, side in (("Cross", "Long"), ("cross", "long")):
        reply = sample("position.risk")
        reply["data"][0] |= {"margin_type": margin, "position_side": side, "liquidation_price": ""}
        futures, _ = futures_over(as_bytes(reply))
        [risk] = await futures.position.risk("BTCUSDT")
        assert risk.margin_type is OpenType.CROSS
        assert risk.position_side is PositionSide.LONG
        assert risk.liquidation_price is None


async def test_an_empty_position_was_never_opened() -> None:
    futures, _ = futures_over(as_bytes(sample("position.positions_v2")))
    long, short = await futures.position.positions_v2("BTCUSDT")
    assert long.open_timestamp == 1_709_942_400_000
    assert short.open_timestamp is None
    assert short.current_amount == 0


async def test_ledger_times_may_be_text_and_transfers_have_no_symbol() -> None:
    futures, _ = futures_over(as_bytes(sample("account.transaction_history")))
    transfer, fee = await futures.account.transaction_history()
    assert transfer.symbol is None
    assert transfer.type is TransactionType.TRANSFER
    assert transfer.amount == Decimal("-0.375")
    assert fee.time == 1_570_636_800_000


@pytest.mark.parametrize("wrapped", [True, False])
async def test_affiliate_pages_read_with_and_without_an_envelope(wrapped: bool) -> None:
    reply = sample("affiliate.trades")
    futures, _ = futures_over(as_bytes(reply if wrapped else reply["data"]))
    page = await futures.affiliate.trades(10_048_829, type=1, page=1, page_size=10)
    [trade] = page.items
    assert trade.side is FuturesOrderSide.BUY_OPEN_LONG
    assert trade.open_type is AffiliateOpenType.CROSS
    assert trade.fee == Decimal("0.57162048")


async def test_a_textual_code_is_an_error_like_any_other() -> None:
    futures, _ = futures_over(b'{"code":"30012","message":"no","success":false,"data":null,"requestId":"r1"}')
    with pytest.raises(PermissionDenied) as refusal:
        await futures.affiliate.invite_check(1)
    assert (refusal.value.code, refusal.value.trace) == (30012, "r1")


async def test_a_code_outweighs_an_errno_that_says_ok() -> None:
    futures, _ = futures_over(b'{"errno":"OK","message":"INVALID_PARAMETER","code":49998,"data":null}')
    with pytest.raises(RequestRefused) as refusal:
        await futures.account.auto_repayments()
    assert refusal.value.code == 49998


@pytest.mark.parametrize(
    "body",
    [
        b'{"errno":"ERROR","message":"no","data":null,"success":false}',
        b'{"errno":"OK","message":"no","data":null,"success":false}',
    ],
)
async def test_an_errno_refusal_is_an_error(body: bytes) -> None:
    futures, _ = futures_over(body)
    with pytest.raises(ApiError, match="no"):
        await futures.account.cross_collateral_interest()


async def test_cancelling_returns_nothing_with_and_without_data() -> None:
    for body in (b'{"code":1000,"message":"Ok","data":{},"trace":"t"}', b'{"code":1000,"message":"Ok","trace":"t"}'):
        futures, recorder = futures_over(body)
        await futures.trading.cancel_order("BTCUSDT", "1")
        assert len(recorder.sent) == 1
