"""The promised API, as its users will write it: opening, REST, streams, and the simulated exchange."""

from __future__ import annotations

from decimal import Decimal

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm


async def test_opening_things(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """One client with everything, or REST of one market, or the streams alone."""
    for name, text in (("KEY", "sim-key"), ("SECRET", "sim-secret"), ("MEMO", "sim-memo")):
        monkeypatch.setenv(f"BITMART_API_{name}", text)
    async with bm.sim.open_exchange(seed=7) as exchange:
        async with bm.open_client(
            bm.Credentials.from_env(),
            environment=exchange.environment,
            config=bm.Config(clock=exchange.clock),
            http_transport=exchange.http_transport(),
            connect=exchange.connect,
        ) as client:
            assert (await client.spot.account.balances())[0].available > 0
        async with exchange.open_spot(None) as spot:
            assert (await spot.market.ticker("BTC_USDT")).symbol == "BTC_USDT"
        async with exchange.open_futures() as futures:
            assert await futures.account.assets()
        async with exchange.open_streams() as streams, streams.futures.order() as orders:
            assert orders.topics == ("futures/order",)


async def test_rest(autojump_clock: MockClock) -> None:
    """Typed methods, rows with everything around the payload, fields nobody knows, and any path."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        ticker = await client.spot.market.ticker("BTC_USDT")
        assert isinstance(ticker.last_price, Decimal)
        klines = await client.spot.market.klines("BTC_USDT", step=60, limit=20)
        assert len(klines) == 20
        placed = await client.spot.trading.submit_order(
            symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id="bot1"
        )
        assert placed.order_id
        reply = await client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT")
        assert reply.data.symbol == "BTC_USDT"
        assert reply.trace
        assert reply.quota is not None
        assert reply.quota.limit == 15
        assert reply.raw.startswith(b"{")
        assert bm.extras(reply) == {}
        raw = await client.spot.request("GET", "/spot/quotation/v3/ticker", params={"symbol": "BTC_USDT"}, auth="none")
        assert isinstance(raw.data, dict)
        assert raw.data["symbol"] == "BTC_USDT"
        latency = await client.spot.system.latency()
        assert latency.bound >= 0


async def test_fields_that_no_model_knows(autojump_clock: MockClock) -> None:
    """They are kept, and computed when asked for."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        exchange.faults.add(bm.sim.UnknownField(name="novelty"))
        reply = await client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT")
        assert list(bm.extras(reply)) == ["novelty"]


async def test_streams(autojump_clock: MockClock) -> None:
    """Typed openers, any topic by name, private streams that are proven, and the connections' lives."""
    async with bm.sim.open_exchange(seed=7) as exchange, exchange.open_client() as client:
        async with client.streams.events() as events, client.streams.spot.trade("BTC_USDT") as trades:
            async for trade in trades:
                assert trade.symbol == "BTC_USDT"
                assert trade.side in ("buy", "sell")
                break
            assert type(await events.receive()).__name__ == "Opened"
        async with client.streams.subscribe("futures/klineBin1m:BTCUSDT", "futures/klineBin1m:ETHUSDT") as klines:
            symbols = {(await klines.receive()).symbol for _ in range(20)}
            assert symbols == {"BTCUSDT", "ETHUSDT"}
        async with client.streams.futures.order() as orders:
            await client.futures.trading.submit_order(symbol="BTCUSDT", side=1, size=1, type="limit", price="30000")
            assert (await orders.receive()).order.symbol == "BTCUSDT"


async def test_a_server_for_everybody() -> None:
    """On loopback: a URL, credentials and an environment that any client can use."""
    with trio.fail_after(20):
        async with bm.sim.open_server(port=0, seed=7) as server:
            assert server.environment == bm.Environment.at(server.url)
            async with bm.open_client(server.credentials, environment=server.environment) as client:
                assert await client.spot.trading.open_orders() == []
