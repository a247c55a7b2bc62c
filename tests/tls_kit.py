"""TLS on loopback with a certificate authority of the tests' own."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio
import trustme


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server presents."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def roots_file(authority: trustme.CA, folder: Path) -> Path:
    """The authority's certificate as a file."""
    file = folder / "roots.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@asynccontextmanager
async def tls_server(
    context: ssl.SSLContext, handle: Callable[[trio.SSLStream[trio.SocketStream]], Awaitable[None]]
) -> AsyncIterator[int]:
    """Serves TLS connections, gives the port."""

    async def serve(plain: trio.SocketStream) -> None:
        stream = trio.SSLStream(plain, context, server_side=True, https_compatible=True)
        try:
            await handle(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client left, or refused us
        finally:
            await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(trio.serve_listeners, serve, listeners)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def tls_in_front_of(url: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A TLS door to a plain server on loopback, gives its port."""
    port = int(url.rpartition(":")[2])

    async def copy(source: trio.abc.Stream, target: trio.abc.Stream, scope: trio.CancelScope) -> None:
        try:
            while data := await source.receive_some(65536):
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # one side left
        scope.cancel()

    async def pipe(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.do_handshake()
        async with await trio.open_tcp_stream("127.0.0.1", port) as behind, trio.open_nursery() as nursery:
            nursery.start_soon(copy, stream, behind, nursery.cancel_scope)
            await copy(behind, stream, nursery.cancel_scope)

    async with tls_server(context, pipe) as door:
        yield door
