"""Opens the byte stream below a socket: TCP, an HTTP proxy where one is configured, TLS."""

from __future__ import annotations

import ssl
from base64 import b64encode
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

import h11
import trio

from ..config import Config
from ..errors import ConfigurationError
from .socket import Connect

_READ_BYTES: Final = 16 * 1024


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The one TLS context of the process: making one costs 30 ms."""
    return ssl.create_default_context()


def dialer(config: Config) -> Connect:
    """What opens streams for socket URLs, directly or through ``Config.proxy``."""

    async def dial(url: str) -> trio.abc.Stream:
        parts = urlsplit(url)
        host = parts.hostname or ""
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        stream: trio.abc.Stream
        if config.proxy is None:
            stream = await trio.open_tcp_stream(host, port)
        else:
            stream = await _through_proxy(config.proxy, host, port)
        if not secure:
            return stream
        tls = trio.SSLStream(stream, tls_context(), server_hostname=host, https_compatible=True)
        try:
            await tls.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(tls)
            raise
        return tls

    return dial


async def _through_proxy(proxy: str, host: str, port: int) -> trio.abc.Stream:
    """A tunnel to host and port, asked for with CONNECT.

    Raises:
        ConfigurationError: the proxy refuses; that will not change by trying again.
        OSError: it cannot be reached, or breaks off.
    """
    parts = urlsplit(proxy)
    stream = await trio.open_tcp_stream(parts.hostname or "", parts.port or 80)
    try:
        await _connect(stream, f"{host}:{port}", _authorization(proxy))
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def _authorization(proxy: str) -> list[tuple[str, str]]:
    parts = urlsplit(proxy)
    if parts.username is None:
        return []
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return [("Proxy-Authorization", f"Basic {b64encode(user.encode()).decode()}")]


async def _connect(stream: trio.abc.Stream, target: str, authorization: list[tuple[str, str]]) -> None:
    http = h11.Connection(our_role=h11.CLIENT)
    request = h11.Request(method="CONNECT", target=target, headers=[("Host", target), *authorization])
    head = http.send(request)
    assert head is not None
    try:
        await stream.send_all(head)
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(bytes(await stream.receive_some(_READ_BYTES)))
            elif isinstance(event, h11.Response):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise OSError(f"the proxy closed the connection to {target}")
    except (h11.RemoteProtocolError, trio.BrokenResourceError) as error:
        raise OSError(f"the proxy broke off the connection to {target}: {error}") from error
    if not 200 <= event.status_code < 300:
        if event.status_code >= 500:
            raise OSError(f"the proxy could not reach {target}: HTTP {event.status_code}")
        raise ConfigurationError(f"the proxy refused a tunnel to {target}: HTTP {event.status_code}")
    if http.trailing_data[0]:
        raise OSError("the proxy sent bytes ahead of the server")
