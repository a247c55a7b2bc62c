"""What an environment does not have is refused before anything is sent; nothing ever falls back to another one."""

from __future__ import annotations

import attrs
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


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:1",
        "ftp://127.0.0.1",
        "http://",
        "http://h?x=1",
        "http://h:99999",
        "http://h:0",
        "http://h:-1",
        "http://h:" + "9" * 5000,
        "http://h:\u0661",
        "https://a..b",
        "https://.",
        f"https://{'a' * 64}.test",
        "https://\ud800",
        "http://[::1",
    ],
)
def test_a_simulated_exchange_is_named_by_its_url(url: str) -> None:
    with pytest.raises(bm.ConfigurationError):
        bm.Environment.at(url)


@pytest.mark.parametrize("url", ["http://a..b:1", f"http://{'a' * 64}", "http://h:99999", "http://u:p\ud800@h:1"])
def test_a_proxy_that_no_look_up_can_find_is_refused(url: str) -> None:
    """When the configuration is made, not by an exception of another kind at the first call."""
    with pytest.raises(bm.ConfigurationError, match="proxy must be"):
        bm.Config(proxy=url)


def test_sockets_of_a_simulated_exchange_lie_below_ws() -> None:
    environment = bm.Environment.at("https://sim.example:8443/")
    assert environment.spot_rest == environment.futures_rest == "https://sim.example:8443"
    assert environment.socket_url("futures", True) == "wss://sim.example:8443/ws/futures/private?protocol=1.1"


@pytest.mark.parametrize("url", ["http://exchange.test", "http://10.0.0.5:8765", "HTTP://exchange.test/"])
async def test_credentials_go_nowhere_in_plain_text(url: str) -> None:
    """Not without a word that it may be so; public calls need none."""
    environment = bm.Environment.at(url)
    for opener in (bm.open_client, bm.open_spot, bm.open_futures):
        with pytest.raises(bm.ConfigurationError, match="without TLS"):
            async with opener(KEYS, environment=environment, http_transport=_Nothing()):
                pytest.fail("it opened")
        async with opener(environment=environment, http_transport=_Nothing()):
            pass
    with pytest.raises(bm.ConfigurationError, match="without TLS"):
        async with bm.open_streams(KEYS, environment=environment):
            pytest.fail("it opened")
    allowed = bm.Environment.at(url, allow_plaintext=True)
    async with (
        bm.open_client(KEYS, environment=allowed, http_transport=_Nothing()),
        bm.open_streams(KEYS, environment=allowed),
    ):
        pass


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost", "http://[::1]:1", "https://exchange.test"])
async def test_credentials_may_go_to_this_machine_and_over_tls(url: str) -> None:
    async with bm.open_client(KEYS, environment=bm.Environment.at(url), http_transport=_Nothing()):
        pass


def test_the_scheme_may_be_in_capital_letters() -> None:
    """And never decides against TLS by its spelling."""
    environment = bm.Environment.at("HTTPS://Exchange.test/")
    assert environment.spot_rest == "https://Exchange.test"
    assert environment.spot_private == "wss://Exchange.test/ws/spot/private?protocol=1.1"


@pytest.mark.parametrize(
    "url",
    [
        "", "exchange.test", "ftp://exchange.test", "ws://exchange.test", "http://", "http:///x", "http://exchange.test:0",
        "http://exchange.test:99999", "http://exchange.test:port", "http://[::1", "http://exchange.test?x=1",
        "http://exchange.test#x", "http://ex change.test", "http://exchange.test/\r\nHost: evil", "http://\u0435xchange.test",
        "http://user@exchange.test", "http://user:pa55@exchange.test",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_host_is_refused_when_the_environment_is_made(url: str) -> None:
    with pytest.raises(bm.ConfigurationError) as caught:
        bm.Environment.at(url)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize("field", ["spot_rest", "spot_private", "futures_public"])
def test_every_url_of_an_environment_is_looked_at(field: str) -> None:
    """A socket URL that is not wss would otherwise be dialled as plain TCP, login included."""
    with pytest.raises(bm.ConfigurationError, match="not a URL of"):
        attrs.evolve(bm.LIVE, **{field: "WSS//ws.exchange.test"})  # type: ignore[arg-type]


@pytest.mark.parametrize("agent", ["", " x", "x\r\nHost: evil", "bot/1.0\u00e9"])
def test_a_header_that_cannot_be_sent_is_refused_by_the_configuration(agent: str) -> None:
    for name in ("user_agent", "broker_id"):
        with pytest.raises(bm.ConfigurationError, match=name):
            bm.Config(**{name: agent})  # type: ignore[arg-type]
