"""The exchange's own client, PyPI's ``bitmart-python-sdk-api``, unmodified, on the simulated exchange's sockets."""

from __future__ import annotations

import sys

import pytest
from foreign import HERE, Command, Foreign, started
from stream_trials import hear_own_futures_orders, hear_own_spot_orders, hear_public, subscribe
from topics import PUBLIC, marked, verbs

import bitmart_trio as bm

pytestmark = pytest.mark.interop

PROGRAM: Command = [sys.executable, HERE / "official_sockets.py"]


async def _log_in(sdk: Foreign, socket: str) -> None:
    await sdk.tell(socket=socket, login=True)
    *_, report = await sdk.until(lambda report: bool({"login", "access"} & verbs(report["data"])))
    assert "errorCode" not in report["data"]
    assert report["data"].get("success", True)


@pytest.mark.parametrize("socket", PUBLIC)
async def test_public_topics(socket: str) -> None:
    """It gets what it asks for on every kind of public topic."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        await hear_public(sdk, socket)


async def test_own_spot_orders() -> None:
    """It logs in and hears of the account's orders and balances."""
    async with bm.sim.open_server(port=0, seed=7) as server, server.open_spot() as trader:
        async with started(PROGRAM, server.url) as sdk:
            await _log_in(sdk, "spot/private")
            await hear_own_spot_orders(sdk, trader)


async def test_own_futures_orders() -> None:
    """It logs in and hears of the account's orders, position and assets."""
    async with bm.sim.open_server(port=0, seed=7) as server, server.open_futures() as trader:
        async with started(PROGRAM, server.url) as sdk:
            await _log_in(sdk, "futures/private")
            await hear_own_futures_orders(sdk, trader)


async def test_a_ping_is_answered() -> None:
    """The ping that it sends on the futures side as soon as it is connected comes back as the documented pong."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        await sdk.tell(socket="futures/public", subscribe=["futures/ticker"])
        *_, pong = await sdk.until(lambda report: marked(report["data"]) == "System")
        assert pong["data"]["data"].startswith("pong")


async def test_unsubscribing() -> None:
    """Its unsubscribing takes the topic away and leaves the others."""
    async with bm.sim.open_server(port=0, seed=7) as server, started(PROGRAM, server.url) as sdk:
        await subscribe(sdk, "spot/public", ["spot/trade:BTC_USDT", "spot/ticker:BTC_USDT"])
        await sdk.tell(socket="spot/public", unsubscribe="spot/trade:BTC_USDT")
        await sdk.until(lambda report: "unsubscribe" in verbs(report["data"]))
        assert [*server.exchange.feed.topics()] == ["spot/ticker:BTC_USDT"]


@pytest.mark.parametrize(("socket", "refusal"), [("spot/private", "91011"), ("futures/private", "access")])
async def test_a_wrong_secret(socket: str, refusal: str) -> None:
    """Its login is refused with the documented code and text, which it takes as a reason to stop."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        async with started(PROGRAM, server.url, ("sim-key", "not it", "sim-memo")) as sdk:
            await sdk.tell(socket=socket, login=True)
            *_, report = await sdk.until(lambda report: marked(report["data"]) != "System")
            assert refusal in report["data"].values()
            assert "errorCode" in report["data"] or report["data"]["success"] is False
