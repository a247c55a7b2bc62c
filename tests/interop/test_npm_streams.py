"""The npm package ``bitmart-api``, unmodified, on the simulated exchange's sockets."""

from __future__ import annotations

from pathlib import Path

import pytest
from foreign import HERE, started
from stream_trials import hear_own_futures_orders, hear_own_spot_orders, hear_public, subscribe
from topics import PRIVATE, PUBLIC, acknowledged, verbs

import bitmart_trio as bm

pytest_plugins = ["npm_fixture"]
pytestmark = pytest.mark.interop


@pytest.mark.parametrize("socket", PUBLIC)
async def test_public_topics(npm: Path, socket: str) -> None:
    """It gets what it asks for on every kind of public topic."""
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "sockets.js"], server.url) as node:
        await hear_public(node, socket)


async def test_own_spot_orders(npm: Path) -> None:
    """It logs in by itself and hears of the account's orders and balances."""
    async with bm.sim.open_server(port=0, seed=7) as server, server.open_spot() as trader:
        async with started([npm, HERE / "sockets.js"], server.url) as node:
            await hear_own_spot_orders(node, trader)


async def test_own_futures_orders(npm: Path) -> None:
    """It logs in by itself and hears of the account's orders, position and assets."""
    async with bm.sim.open_server(port=0, seed=7) as server, server.open_futures() as trader:
        async with started([npm, HERE / "sockets.js"], server.url) as node:
            await hear_own_futures_orders(node, trader)


@pytest.mark.parametrize("socket", [*PUBLIC, *PRIVATE])
async def test_pings_are_answered(npm: Path, socket: str) -> None:
    """Its own form of ping for the market gets the pong that it takes for one."""
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "sockets.js"], server.url) as node:
        await node.tell(socket=socket, subscribe=_some(socket), options={"pingInterval": 20})
        await node.until(lambda report: report["event"] == "pong")


@pytest.mark.parametrize("socket", [*PUBLIC, *PRIVATE])
async def test_a_broken_connection(npm: Path, socket: str) -> None:
    """It comes back, logs in where that is needed, and its topics are acknowledged anew."""
    topics = _some(socket)
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "sockets.js"], server.url) as node:
        await node.tell(socket=socket, subscribe=topics, options={"reconnectTimeout": 20})
        await node.until(lambda report: acknowledged(report["data"]) == topics[0])
        assert server.drop_connections(socket) == 1
        await node.until(lambda report: report["event"] == "reconnected")
        if socket in PRIVATE:
            await node.until(lambda report: report["event"] == "authenticated")
        await node.until(lambda report: acknowledged(report["data"]) == topics[0])


@pytest.mark.parametrize("topic", ["spot/trade:BTC_USDT", "futures/trade:BTCUSDT"])
async def test_unsubscribing(npm: Path, topic: str) -> None:
    """Its unsubscribing takes the topic away and leaves the others."""
    socket = f"{topic.partition('/')[0]}/public"
    async with bm.sim.open_server(port=0, seed=7) as server, started([npm, HERE / "sockets.js"], server.url) as node:
        other = _some(socket)
        await subscribe(node, socket, [topic, *other])
        await node.tell(socket=socket, unsubscribe=[topic])
        await node.until(lambda report: "unsubscribe" in verbs(report["data"]))
        assert [*server.exchange.feed.topics()] == other


async def test_a_wrong_secret(npm: Path) -> None:
    """Its login is refused with the documented code and text, whatever it makes of that."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        account = ("sim-key", "not it", "sim-memo")
        async with started([npm, HERE / "sockets.js"], server.url, account) as node:
            await node.tell(socket="spot/private", subscribe=_some("spot/private"))
            # It reports even this as "authenticated".
            *_, refused = await node.until(lambda report: report["data"] is not None)
            assert refused["data"]["errorCode"] == "91011"
            await node.tell(socket="futures/private", subscribe=_some("futures/private"))
            *_, refused = await node.until(lambda report: report["event"] == "exception")
            assert refused["data"]["action"] == "access"
            assert refused["data"]["success"] is False


def _some(socket: str) -> list[str]:
    """A topic of the socket."""
    return [*PUBLIC[socket]][:1] if socket in PUBLIC else PRIVATE[socket][:1]
