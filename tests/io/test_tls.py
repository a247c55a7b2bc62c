"""Real TLS on loopback: what is trusted, what is refused and in which words, and bytes that nobody asked for."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
import trustme
from http_loopback import whole
from tls_kit import roots_file, server_context, tls_in_front_of, tls_server

import bitmart_trio as bm
from bitmart_trio._io.dial import tls_context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority.issue_cert("127.0.0.1", "localhost"))


def _client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("given", ["file", "context"])
async def test_rest_and_sockets_trust_what_the_configuration_says(
    authority: trustme.CA, context: ssl.SSLContext, tmp_path: Path, given: str
) -> None:
    """A file of roots or a context serves both."""
    tls = roots_file(authority, tmp_path) if given == "file" else _client_context(authority)
    config = bm.Config(tls=tls)
    with trio.fail_after(30):
        async with bm.sim.open_server(port=0, seed=1) as server, tls_in_front_of(server.url, context) as port:
            environment = bm.Environment.at(f"https://127.0.0.1:{port}")
            async with bm.open_client(server.credentials, environment=environment, config=config) as client:
                for _ in range(3):
                    assert await client.spot.account.spot_balances()
                async with client.streams.spot.trade("BTC_USDT") as trades:
                    assert (await trades.receive()).symbol == "BTC_USDT"


async def _refusals(port: int, config: bm.Config) -> Sequence[bm.ConnectionLost]:
    """What a call and a subscription raise."""
    environment = bm.Environment.at(f"https://127.0.0.1:{port}")
    async with bm.open_client(environment=environment, config=config) as client:
        with pytest.raises(bm.ConnectionLost) as rest:
            await client.spot.system.time()
        with pytest.raises(bm.ConnectionLost) as socket:
            async with client.streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
    return rest.value, socket.value


async def _nothing(stream: trio.SSLStream[trio.SocketStream]) -> None:
    await stream.do_handshake()
    await stream.receive_some(1)


async def test_a_certificate_of_an_unknown_authority_is_refused_in_the_words_of_openssl(
    context: ssl.SSLContext,
) -> None:
    config = bm.Config(retry=bm.Retry(attempts=1))
    with trio.fail_after(30):
        async with tls_server(context, _nothing) as port:
            for lost in await _refusals(port, config):
                assert "certificate verify failed" in str(lost)


async def test_a_name_counts_only_in_the_list_of_names(authority: trustme.CA, tmp_path: Path) -> None:
    """Not where certificates had it long ago, in the common name."""
    named = authority.issue_cert("other.test", common_name="127.0.0.1")
    config = bm.Config(tls=roots_file(authority, tmp_path), retry=bm.Retry(attempts=1))
    with trio.fail_after(30):
        async with tls_server(server_context(named), _nothing) as port:
            for lost in await _refusals(port, config):
                assert "mismatch" in str(lost)


def test_the_default_context() -> None:
    """One for all, at least TLS 1.2, checks names, no common names."""
    made = tls_context(bm.Config())
    assert made is tls_context(bm.Config())
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.check_hostname
    assert made.verify_mode is ssl.CERT_REQUIRED
    assert not made.hostname_checks_common_name


def test_a_system_without_roots_gets_those_of_certifi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bitmart_trio._io import dial

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    dial._context.cache_clear()
    try:
        assert tls_context(bm.Config()).cert_store_stats()["x509_ca"] > 50
    finally:
        dial._context.cache_clear()


async def test_a_file_without_roots_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    config = bm.Config(tls=tmp_path / "missing.pem")
    async with bm.open_spot(environment=bm.Environment.at("https://127.0.0.1:9"), config=config) as spot:
        with pytest.raises(bm.ConfigurationError, match=r"Config\.tls: no certificates .*missing\.pem"):
            await spot.system.time()


@pytest.mark.parametrize("how", ["same record", "second record", "half a record", "after a pause"])
async def test_bytes_that_nobody_asked_for_are_never_an_answer(
    context: ssl.SSLContext, authority: trustme.CA, tmp_path: Path, how: str
) -> None:
    """Whatever buffer they wait in, the next request goes out on another connection."""
    first, poison, good = (
        whole(b'{"code":1000,"message":"OK","trace":"t","data":{"from":"%s"}}' % each)
        for each in (b"first", b"poison", b"good")
    )
    accepted = 0

    async def answer(stream: trio.SSLStream[trio.SocketStream]) -> None:
        nonlocal accepted
        accepted += 1
        while request := bytes(await stream.receive_some(65536)):
            if b"/first" not in request:
                await stream.send_all(good)
            elif how == "same record":
                await stream.send_all(first + poison)
            elif how == "half a record":
                await stream.send_all(first)
                # The head of a record of 100 bytes, and one byte of it.
                await stream.transport_stream.send_all(b"\x17\x03\x03\x00\x64x")
            else:
                await stream.send_all(first)
                await stream.send_all(poison)
            if b"POST" not in request:
                poisoned.set()

    poisoned = trio.Event()
    config = bm.Config(tls=roots_file(authority, tmp_path))
    with trio.fail_after(30):
        async with tls_server(context, answer) as port:
            environment = bm.Environment.at(f"https://127.0.0.1:{port}")
            async with bm.open_spot(bm.Credentials("k", "s", "m"), environment=environment, config=config) as spot:
                assert (await spot.request("GET", "/first")).data == {"from": "first"}
                if how == "after a pause":
                    await poisoned.wait()
                second = await spot.request("POST", "/second", params={"size": "1"}, auth="signed")
                assert second.data == {"from": "good"}
                assert accepted == 2
                third = await spot.request("POST", "/second", params={"size": "1"}, auth="signed")
                assert third.data == {"from": "good"}
                assert accepted == 2  # a quiet connection is used again
