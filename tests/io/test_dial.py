"""The default way to open sockets, on loopback and the real clock.

TCP, TLS, and an HTTP proxy for both REST and sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

import bitmart_trio as bm
from bitmart_trio._io.dial import dialer
from bitmart_trio.sim.venue import open_server


async def _copy(source: trio.SocketStream, target: trio.SocketStream) -> None:
    try:
        async for data in source:
            await target.send_all(data)
        await target.send_eof()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass


@asynccontextmanager
async def _proxy(seen: list[bytes], status: int = 200) -> AsyncIterator[str]:
    """A proxy that knows CONNECT and nothing else."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += await stream.receive_some(1024)
            seen.append(head)
            if status != 200:
                await stream.send_all(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
                return
            host, _, port = head.split()[1].decode().partition(":")
            async with await trio.open_tcp_stream(host, int(port)) as target:
                await stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n")
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_copy, stream, target)
                    await _copy(target, stream)
                    nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, serve, listeners)
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_a_client_over_real_sockets() -> None:
    """REST, a public and a private stream over loopback."""
    with trio.fail_after(20):
        async with open_server(seed=1) as server, server.open_client() as client:
            async with client.streams.spot.trade("BTC_USDT") as trades, client.streams.futures.order() as orders:
                assert (await trades.receive()).symbol == "BTC_USDT"
                placed = await client.futures.trading.submit_order(
                    symbol="BTCUSDT", side=1, size=1, type="limit", price="30000"
                )
                assert (await orders.receive()).order.order_id == str(placed.order_id)


async def test_rest_and_sockets_go_through_the_proxy() -> None:
    """Both ask for tunnels, with the password of the URL."""
    seen: list[bytes] = []
    with trio.fail_after(20):
        async with _proxy(seen) as address, open_server(seed=1) as server:
            config = bm.Config(proxy=f"http://user:p%40ss@{address}")
            async with bm.open_client(server.credentials, environment=server.environment, config=config) as client:
                async with client.streams.spot.trade("BTC_USDT") as trades:
                    await trades.receive()
            assert len(seen) == 1
            assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in seen[0]


@pytest.mark.parametrize(("status", "error"), [(407, bm.ConfigurationError), (502, bm.ConnectionLost)])
async def test_a_proxy_that_refuses_says_why(status: int, error: type[Exception]) -> None:
    """A refusal is a matter of configuration, a target that cannot be reached one of the network."""
    seen: list[bytes] = []
    with trio.fail_after(20):
        async with _proxy(seen, status) as address:
            environment = bm.Environment.at("http://127.0.0.1:9")
            config = bm.Config(proxy=f"http://{address}")
            async with bm.open_streams(environment=environment, config=config) as streams:
                with pytest.raises(error, match=str(status)):
                    async with streams.spot.trade("BTC_USDT"):
                        pytest.fail("it opened")


async def test_nobody_listens() -> None:
    """A refused TCP connection is ConnectionLost, with the OSError as its cause."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    await listeners[0].aclose()
    async with bm.open_client(environment=bm.Environment.at(f"http://127.0.0.1:{port}")) as client:
        with pytest.raises(bm.ConnectionLost) as lost:
            async with client.streams.spot.trade("BTC_USDT"):
                pytest.fail("it opened")
        assert isinstance(lost.value.__cause__, OSError)


async def test_tls_that_cannot_be_trusted_is_refused() -> None:
    """A server that speaks no TLS at all: the stream is closed, the error is the network's."""
    accepted: list[trio.SocketStream] = []

    async def serve(stream: trio.SocketStream) -> None:
        accepted.append(stream)
        async with stream:
            await stream.receive_some(1024)
            await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, serve, listeners)
            port = listeners[0].socket.getsockname()[1]
            with pytest.raises(OSError, match=r"TLS with 127\.0\.0\.1 failed: .*WRONG_VERSION_NUMBER"):
                await dialer(bm.Config())(f"wss://127.0.0.1:{port}/api")
            nursery.cancel_scope.cancel()
