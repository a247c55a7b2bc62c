"""The npm package ``bitmart-api``, unmodified, trades on the simulated exchange over REST."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from foreign import HERE, ForeignError, started
from node_functions import FUNCTIONS

import bitmart_trio as bm

pytest_plugins = ["npm_fixture"]
pytestmark = pytest.mark.interop

SPOT, FUTURES = "RestClient", "FuturesClientV2"

RETIRED = {
    "getSpotTickersV2", "getSpotTickerV1", "getSpotKLineStepsV1", "getSpotKlinesV1", "getSpotOrderBookDepthV1",
    "submitSpotBatchOrdersV2", "cancelSpotOrdersV1", "submitSubTransferSubToSubV1",
}  # fmt: skip
"""Functions that the package still offers for endpoints the exchange has shut off."""


async def test_spot_market_data(npm: Path) -> None:
    """It reads tickers, pairs, a book, trades and klines."""
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "rest.js"], server.url) as node:
        tickers = (await node.call(SPOT, "getSpotTickersV3"))["data"]
        assert [ticker[0] for ticker in tickers] == ["BTC_USDT", "ETH_USDT", "BMX_USDT"]
        ticker = (await node.call(SPOT, "getSpotTickerV3", {"symbol": "BTC_USDT"}))["data"]
        assert Decimal(ticker["bid_px"]) < Decimal(ticker["ask_px"])
        pairs = (await node.call(SPOT, "getSpotTradingPairDetailsV1"))["data"]["symbols"]
        assert {pair["symbol"] for pair in pairs} >= {"BTC_USDT", "ETH_USDT"}
        book = (await node.call(SPOT, "getSpotOrderBookDepthV3", {"symbol": "BTC_USDT", "limit": 5}))["data"]
        assert len(book["bids"]) == len(book["asks"]) == 5
        klines = {"symbol": "BTC_USDT", "step": 1, "limit": 10}
        assert len((await node.call(SPOT, "getSpotHistoryKlineV3", klines))["data"]) == 10
        assert (await node.call(SPOT, "getSpotRecentTrades", {"symbol": "BTC_USDT"}))["data"]
        summary = await node.call(SPOT, "fetchLatencySummary")
        assert abs(summary["timeDifference"]) < 500


async def test_spot_orders(npm: Path) -> None:
    """It places, finds and cancels an order, buys at the market, and sees its fill and its balances."""
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "rest.js"], server.url) as node:
        order = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "30000"}
        placed = (await node.call(SPOT, "submitSpotOrderV2", {**order, "client_order_id": "node1"}))["data"]
        (waiting,) = (await node.call(SPOT, "getSpotOpenOrdersV4", {"orderMode": "spot"}))["data"]
        assert (waiting["orderId"], waiting["state"]) == (placed["order_id"], "new")
        cancel = {"symbol": "BTC_USDT", "order_id": placed["order_id"]}
        assert (await node.call(SPOT, "cancelSpotOrderV3", cancel))["data"] == {"result": True}
        found = (await node.call(SPOT, "getSpotOrderByClientOrderIdV4", {"clientOrderId": "node1"}))["data"]
        assert (found["orderId"], found["state"]) == (placed["order_id"], "canceled")
        bought = {"symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "50"}
        bought_id = (await node.call(SPOT, "submitSpotOrderV2", bought))["data"]["order_id"]
        (fill,) = (await node.call(SPOT, "getSpotAccountOrderTradesV4", {"orderId": bought_id}))["data"]
        assert fill["tradeRole"] == "taker"
        wallet = (await node.call(SPOT, "getSpotWalletBalanceV1"))["data"]["wallet"]
        left = {each["id"]: Decimal(each["available"]) for each in wallet}
        assert left["USDT"] == 100_000 - Decimal(fill["notional"]) - Decimal(fill["fee"])
        assert left["BTC"] == 10 + Decimal(fill["size"])


async def test_futures(npm: Path) -> None:
    """It reads a contract, places and cancels an order, opens a position and closes it."""
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "rest.js"], server.url) as node:
        (contract,) = (await node.call(FUTURES, "getFuturesContractDetails", {"symbol": "BTCUSDT"}))["data"]["symbols"]
        assert Decimal(contract["last_price"]) > 0
        assert (await node.call(FUTURES, "getFuturesContractDepth", {"symbol": "BTCUSDT"}))["data"]["asks"]
        terms = {"symbol": "BTCUSDT", "side": 1, "size": 2, "leverage": "5", "open_type": "isolated"}
        placed = await node.call(FUTURES, "submitFuturesOrder", {**terms, "type": "limit", "price": "30000"})
        order_id = str(placed["data"]["order_id"])
        (waiting,) = (await node.call(FUTURES, "getFuturesAccountOpenOrders", {"symbol": "BTCUSDT"}))["data"]
        assert (waiting["order_id"], waiting["state"]) == (order_id, 2)
        await node.call(FUTURES, "cancelFuturesOrder", {"symbol": "BTCUSDT", "order_id": order_id})
        assert (await node.call(FUTURES, "getFuturesAccountOpenOrders"))["data"] == []
        await node.call(FUTURES, "submitFuturesOrder", {**terms, "type": "market"})
        positions = (await node.call(FUTURES, "getFuturesAccountPositionsV2", {"symbol": "BTCUSDT"}))["data"]
        assert sum(Decimal(position["current_amount"]) for position in positions) == 2
        await node.call(FUTURES, "submitFuturesOrder", {"symbol": "BTCUSDT", "side": 3, "size": 2, "type": "market"})
        trades = (await node.call(FUTURES, "getFuturesAccountTrades", {"symbol": "BTCUSDT"}))["data"]
        assert sorted(trade["side"] for trade in trades) == [1, 3]


async def test_refusals(npm: Path) -> None:
    """It gets the exchange's code for a wrong symbol, for too little money, and for a wrong secret."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        async with started([npm, HERE / "rest.js"], server.url) as node:
            with pytest.raises(ForeignError) as caught:
                await node.call(SPOT, "getSpotTickerV3", {"symbol": "NOPE_USDT"})
            assert caught.value.error["body"]["code"] == 70002
            sale = {"symbol": "BTC_USDT", "side": "sell", "type": "market", "size": "5000"}
            with pytest.raises(ForeignError) as caught:
                await node.call(SPOT, "submitSpotOrderV2", sale)
            assert caught.value.error["body"]["code"] == 50020
        async with started([npm, HERE / "rest.js"], server.url, ("sim-key", "not it", "sim-memo")) as node:
            with pytest.raises(ForeignError) as caught:
                await node.call(SPOT, "submitSpotOrderV2", sale)
            assert (caught.value.error["code"], caught.value.error["body"]["code"]) == (401, 30005)


async def test_every_function_finds_its_endpoint(npm: Path) -> None:
    """Behind each function is an endpoint: it answers, or refuses for a reason that lies in the sample's values."""
    retired: set[str] = set()
    lost: dict[str, int] = {}
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "rest.js"], server.url) as node:
        for client, row in FUNCTIONS:
            for sample in row.samples:
                try:
                    await node.call(client, row.name, sample or None)
                except ForeignError as refused:
                    if refused.error["body"]["code"] == 30031:
                        retired.add(row.name)
                    elif refused.error["code"] not in (200, 400, 403, 429):
                        lost[row.name] = refused.error["code"]
    assert retired == RETIRED
    assert lost == {"getFuturesTransfers": 405}  # the package reads with GET what is documented as a POST
