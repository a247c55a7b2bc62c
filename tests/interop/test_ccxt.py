"""ccxt, unmodified, trades on the simulated exchange; what its parsers, made on real replies, see is what happened."""

from __future__ import annotations

import sys
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from foreign import HERE, Command, Foreign, started

import bitmart_trio as bm

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(find_spec("ccxt") is None, reason="ccxt is not installed: tests/interop/requirements.txt"),
]

PROGRAM: Command = [sys.executable, HERE / "ccxt_client.py"]
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


async def _call(ccxt: Foreign, name: str, /, *arguments: Any) -> Any:
    await ccxt.tell(call=name, arguments=arguments)
    answer = await ccxt.hear()
    assert "result" in answer, answer
    return answer["result"]


def _exact(number: float) -> Decimal:
    return Decimal(str(number))


async def test_it_reads_the_markets() -> None:
    """Its list of symbols is the exchange's, with its steps; candles years ago are there."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as ccxt:
        markets = await _call(ccxt, "load_markets")
        assert {row["id"] for row in markets.values()} == {
            *server.exchange.spot.markets,
            *server.exchange.futures.listings,
        }
        assert _exact(markets[SPOT]["limits"]["cost"]["min"]) == server.exchange.spot.markets["BTC_USDT"].pair.min_value
        since = server.exchange.clock.start - 400 * 86_400_000
        for symbol in (SPOT, SWAP):
            bars = await _call(ccxt, "fetch_ohlcv", symbol, "1d", since, 10)
            assert [bar[0] for bar in bars] == [bars[0][0] + 86_400_000 * number for number in range(len(bars))]
            assert len(bars) >= 9


async def test_spot_orders_fees_and_balances_are_what_happened() -> None:
    """A market buy and a sell: sizes, values, fees and balances to the last digit; then a resting order."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as ccxt:
        account = server.exchange.accounts.get("1")
        assert account is not None
        for side, amount, extra in (("buy", 100, {"createMarketBuyOrderRequiresPrice": False}), ("sell", 0.01, {})):
            placed = await _call(ccxt, "create_order", SPOT, "market", side, amount, None, extra)
            order = server.exchange.spot.engine.orders[placed["id"]]
            seen = await _call(ccxt, "fetch_order", placed["id"], SPOT)
            assert (seen["side"], seen["type"]) == (side, "market")
            assert (_exact(seen["filled"]), _exact(seen["cost"])) == (order.filled_size, order.filled_notional)
            assert seen["status"] == ("canceled" if side == "buy" else "closed")  # how it reads `partially_canceled`
            trades = await _call(ccxt, "fetch_order_trades", placed["id"], SPOT)
            assert {trade["fee"]["currency"] for trade in trades} == {"USDT"}
            assert sum(_exact(trade["fee"]["cost"]) for trade in trades) == sum(fill.fee for fill in order.fills)
        resting = await _call(ccxt, "create_order", SPOT, "limit", "buy", 0.01, 40_000)
        [shown] = await _call(ccxt, "fetch_open_orders", SPOT)
        assert (shown["id"], shown["status"], shown["price"], shown["amount"]) == (resting["id"], "open", 40_000, 0.01)
        balance = await _call(ccxt, "fetch_balance")
        for coin in ("USDT", "BTC"):
            free, used = account.spot.available(coin), account.spot.frozen(coin)
            assert (_exact(balance[coin]["free"]), _exact(balance[coin]["used"])) == (free, used)
        await _call(ccxt, "cancel_order", resting["id"], SPOT)
        assert await _call(ccxt, "fetch_open_orders", SPOT) == []


async def test_futures_orders_and_positions_are_what_happened() -> None:
    """A position is opened, read, closed in part and read again."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as ccxt:
        account = server.exchange.accounts.get("1")
        assert account is not None
        trader = server.exchange.futures.engine.trader(account)
        terms = {"leverage": 10, "marginMode": "cross"}
        placed = await _call(ccxt, "create_order", SWAP, "market", "buy", 10, None, terms)
        held = trader.position("BTCUSDT", "long")
        assert held is not None
        order = await _call(ccxt, "fetch_order", placed["id"], SWAP)
        assert (order["status"], order["filled"], order["remaining"]) == ("closed", 10, 0)
        assert _exact(order["average"]) == held.entry
        fee = held.cost * Decimal("0.0006")
        for left in (10, 6):
            rows = await _call(ccxt, "fetch_positions", [SWAP])
            [seen] = [row for row in rows if row["contracts"]]
            # Not its side: ccxt reads a member there that this version of the list is not documented to have.
            assert (seen["contracts"], _exact(seen["entryPrice"])) == (left, held.entry)
            assert _exact(seen["maintenanceMargin"]) == held.maintenance
            assert _exact(seen["realizedPnl"]) == held.realized
            assert left != 10 or held.realized == -fee
            if left == 10:
                await _call(ccxt, "create_order", SWAP, "market", "sell", 4, None, {"reduceOnly": True})
        balance = await _call(ccxt, "fetch_balance", {"type": "swap"})
        assert _exact(balance["USDT"]["free"]) == account.futures.available("USDT")
