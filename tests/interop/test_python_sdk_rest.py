"""The exchange's own client, PyPI's ``bitmart-python-sdk-api``, unmodified, trades on the simulated exchange."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import Any

import pytest
from foreign import HERE, Command, Foreign, ForeignError, started

import bitmart_trio as bm

pytestmark = pytest.mark.interop

PROGRAM: Command = [sys.executable, HERE / "official_rest.py"]
SPOT, FUTURES, ACCOUNT = "APISpot", "APIContract", "APIAccount"


async def _data(sdk: Foreign, client: str, function: str, /, **arguments: Any) -> Any:
    reply, limits = await sdk.call(client, function, arguments)
    assert reply["code"] == 1000
    assert set(limits) == {"Remaining", "Limit", "Reset", "Mode"}
    return reply["data"]


async def test_spot_market_data() -> None:
    """It reads tickers, pairs, a book, trades, klines, and the quota in the headers of each reply."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        assert [each[0] for each in await _data(sdk, SPOT, "get_v3_tickers")] == ["BTC_USDT", "ETH_USDT", "BMX_USDT"]
        ticker = await _data(sdk, SPOT, "get_v3_ticker", symbol="BTC_USDT")
        assert Decimal(ticker["bid_px"]) < Decimal(ticker["ask_px"])
        pairs = (await _data(sdk, SPOT, "get_symbol_detail"))["symbols"]
        assert {pair["symbol"] for pair in pairs} >= {"BTC_USDT", "ETH_USDT"}
        book = await _data(sdk, SPOT, "get_v3_depth", symbol="BTC_USDT", limit=5)
        assert len(book["bids"]) == len(book["asks"]) == 5
        assert len(await _data(sdk, SPOT, "get_v3_history_kline", symbol="BTC_USDT", step=1, limit=10)) == 10
        assert await _data(sdk, SPOT, "get_v3_trades", symbol="BTC_USDT")


async def test_spot_orders() -> None:
    """It places, finds and cancels an order, buys at the market, and sees its fill and its balances."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        order = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "30000"}
        placed = await _data(sdk, SPOT, "post_submit_order", **order, client_order_id="sdk1", stp_mode="none")
        (waiting,) = await _data(sdk, SPOT, "v4_query_open_orders", symbol="BTC_USDT")
        assert (waiting["orderId"], waiting["state"]) == (placed["order_id"], "new")
        cancelled = await _data(
            sdk, SPOT, "post_cancel_order_by_orderid", symbol="BTC_USDT", order_id=placed["order_id"]
        )
        assert cancelled == {"result": True}
        found = await _data(
            sdk, SPOT, "v4_query_order_by_order_client_id", client_order_id="sdk1", query_state="history"
        )
        assert (found["orderId"], found["state"]) == (placed["order_id"], "canceled")
        bought = {"symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "50"}
        bought_id = (await _data(sdk, SPOT, "post_submit_order", **bought))["order_id"]
        (fill,) = await _data(sdk, SPOT, "v4_query_order_trade_list", order_id=bought_id)
        wallet = (await _data(sdk, SPOT, "get_wallet"))["wallet"]
        left = {each["id"]: Decimal(each["available"]) for each in wallet}
        assert left["USDT"] == 100_000 - Decimal(fill["notional"]) - Decimal(fill["fee"])
        (usdt,) = (await _data(sdk, ACCOUNT, "get_wallet", currency="USDT"))["wallet"]
        assert Decimal(usdt["available"]) == left["USDT"]


async def test_futures() -> None:
    """It reads a contract, places and cancels an order, opens a position and closes it."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        (contract,) = (await _data(sdk, FUTURES, "get_details", contract_symbol="BTCUSDT"))["symbols"]
        assert Decimal(contract["last_price"]) > 0
        assert (await _data(sdk, FUTURES, "get_depth", contract_symbol="BTCUSDT"))["asks"]
        terms = {"contract_symbol": "BTCUSDT", "side": 1, "size": 2, "leverage": "5", "open_type": "isolated"}
        placed = await _data(sdk, FUTURES, "post_submit_order", **terms, type="limit", price="30000")
        order_id = str(placed["order_id"])
        (waiting,) = await _data(sdk, FUTURES, "get_open_order", contract_symbol="BTCUSDT")
        assert (waiting["order_id"], waiting["state"]) == (order_id, 2)
        await _data(sdk, FUTURES, "post_cancel_order", contract_symbol="BTCUSDT", order_id=order_id)
        assert await _data(sdk, FUTURES, "get_open_order") == []
        await _data(sdk, FUTURES, "post_submit_order", **terms, type="market")
        positions = await _data(sdk, FUTURES, "get_position_v2", contract_symbol="BTCUSDT")
        assert sum(Decimal(position["current_amount"]) for position in positions) == 2
        await _data(sdk, FUTURES, "post_submit_order", contract_symbol="BTCUSDT", side=3, size=2, type="market")
        trades = await _data(sdk, FUTURES, "get_trades", contract_symbol="BTCUSDT")
        assert sorted(trade["side"] for trade in trades) == [1, 3]


async def test_refusals() -> None:
    """It gets the exchange's code for a wrong symbol, for too little money, and for a wrong secret."""
    sale = {"symbol": "BTC_USDT", "side": "sell", "type": "market", "size": "5000"}
    async with bm.sim.open_server(port=0, seed=7) as server:
        async with started(PROGRAM, server.url) as sdk:
            # Refused with HTTP status 200: this client leaves the code to its caller.
            reply, _ = await sdk.call(SPOT, "get_v3_ticker", {"symbol": "NOPE_USDT"})
            assert reply["code"] == 70002
            with pytest.raises(ForeignError) as caught:
                await sdk.call(SPOT, "post_submit_order", sale)
            assert json.loads(caught.value.error["body"])["code"] == 50020
        async with started(PROGRAM, server.url, ("sim-key", "not it", "sim-memo")) as sdk:
            with pytest.raises(ForeignError) as caught:
                await sdk.call(SPOT, "post_submit_order", sale)
            assert caught.value.error["status"] == 401
            assert json.loads(caught.value.error["body"])["code"] == 30005
