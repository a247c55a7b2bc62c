"""REST and sockets through an HTTP proxy: here a small one of our own, which says where it makes tunnels to."""

from __future__ import annotations

import os
from functools import partial

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


async def copy(source: trio.abc.ReceiveStream, sink: trio.abc.SendStream) -> None:
    """Pass bytes on until there are no more."""
    async for data in source:
        await sink.send_all(data)
    await sink.aclose()


async def serve(client: trio.SocketStream) -> None:
    """One connection: a tunnel to where the client wants to go."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.receive_some()
    method, target, _ = head.decode().split(" ", 2)
    assert method == "CONNECT"
    print(f"a tunnel to {target}")
    host, _, port = target.rpartition(":")
    async with await trio.open_tcp_stream(host, int(port)) as server:
        await client.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(copy, client, server)
                nursery.start_soon(copy, server, client)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # one end has gone away


async def main() -> None:
    """The same client, and every byte of it goes through the proxy."""
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        config = bm.Config(proxy=f"http://127.0.0.1:{port}")
        async with bm.open_client(environment=ENVIRONMENT, config=config) as client:
            print((await client.spot.market.ticker("BTC_USDT")).symbol)
            async with client.streams.spot.ticker("ETH_USDT") as tickers:
                print((await tickers.receive()).symbol)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
