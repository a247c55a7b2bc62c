"""What an environment does not have is refused before anything is sent; nothing ever falls back to another one."""

from __future__ import annotations

import httpx
import pytest

import bitmart_trio as bm


class _Nothing(httpx.AsyncBaseTransport):
    """A transport that must not be used."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"sent to {request.url}")


KEYS = bm.Credentials("k", "s", "m")


async def test_the_demo_environment_has_no_spot() -> None:
    async with bm.open_client(KEYS, environment=bm.DEMO, http_transport=_Nothing()) as client:
        with pytest.raises(bm.ConfigurationError, match="demo environment has no spot"):
            _ = client.spot
    with pytest.raises(bm.ConfigurationError, match="demo environment has no spot"):
        async with bm.open_spot(KEYS, environment=bm.DEMO, http_transport=_Nothing()):
            pytest.fail("it opened")


async def test_play_money_is_claimed_on_the_demo_environment_only() -> None:
    async with bm.open_futures(KEYS, environment=bm.LIVE, http_transport=_Nothing()) as futures:
        with pytest.raises(bm.ConfigurationError, match="demo environment only"):
            await futures.demo.claim(currency="USDT", amount=1)


async def test_real_money_is_moved_on_the_live_environment_only() -> None:
    async with bm.open_futures(KEYS, environment=bm.DEMO, http_transport=_Nothing()) as futures:
        with pytest.raises(bm.ConfigurationError, match="live environment only"):
            await futures.account.submit_transfer(currency="USDT", amount=1, type="spot_to_contract")


@pytest.mark.parametrize("url", ["127.0.0.1:1", "ftp://127.0.0.1", "http://", "http://h?x=1"])
def test_a_simulated_exchange_is_named_by_its_url(url: str) -> None:
    with pytest.raises(bm.ConfigurationError):
        bm.Environment.at(url)


def test_sockets_of_a_simulated_exchange_lie_below_ws() -> None:
    environment = bm.Environment.at("https://sim.example:8443/")
    assert environment.spot_rest == environment.futures_rest == "https://sim.example:8443"
    assert environment.socket_url("futures", True) == "wss://sim.example:8443/ws/futures/private?protocol=1.1"
