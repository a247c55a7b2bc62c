"""Opens the byte stream below a REST connection or a socket: TCP, an HTTP proxy where one is configured, TLS.

REST and sockets share this code, so that certificates, proxies and hosts are checked in the same way wherever the key
is sent.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from os import fspath
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import certifi
import h11
import trio

from .._scopes import bare, close_now
from ..config import Config
from ..credentials import Proxy, Secret
from ..errors import ConfigurationError
from .socket import Connect

_READ_BYTES: Final = 16 * 1024
_RECORD_HEAD: Final = 5
"""Bytes of a TLS record before its payload: kind, version, length."""


@lru_cache(maxsize=8)
def _context(ca_file: str | None) -> ssl.SSLContext:
    # Cached for each set of roots: reading the certificates takes 30 to 50 ms.
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"Config.tls: no certificates could be read from {ca_file}: {error}") from error
    if ca_file is None and not _has_roots(context):
        # A minimal container, or Python for macOS before its certificates were installed.
        context.load_verify_locations(cafile=certifi.where())
    context.hostname_checks_common_name = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _has_roots(context: ssl.SSLContext) -> bool:
    """Whether roots were read, or lie in the folder where OpenSSL looks for one when it needs it."""
    folder = cast("str | None", ssl.get_default_verify_paths().capath)  # None where there is no such folder
    return context.cert_store_stats()["x509_ca"] > 0 or (folder is not None and any(Path(folder).iterdir()))


def tls_context(config: Config) -> ssl.SSLContext:
    """The TLS context of REST and sockets alike: the one of ``Config.tls``, or the system's roots.

    Raises:
        ConfigurationError: ``Config.tls`` names a file without certificates.
    """
    if isinstance(config.tls, ssl.SSLContext):
        return config.tls
    return _context(None if config.tls is None else fspath(config.tls))


class OpenedStream:
    """An open byte stream to a host, and what is known of bytes on it that nobody has read.

    Attributes:
        stream: the byte stream.
    """

    def __init__(self, stream: trio.abc.Stream, socket: trio.socket.SocketType, below: _BelowTls | None) -> None:
        self.stream: trio.abc.Stream = stream
        self._socket = socket
        self._below = below

    async def is_quiet(self) -> bool:
        """Return True if no unread bytes have arrived in the socket or in TLS: only then is a reply an answer."""
        # Let bytes in flight within this machine arrive first. No wait comes between this check and the sending.
        await trio.lowlevel.checkpoint()
        if self._below is not None and not await self._below.is_quiet(self.stream):
            return False
        return not self._socket.is_readable()

    async def take_arrived(self, most: int) -> bytes | None:
        """Return the bytes that have arrived unread, without waiting; None if there are none, b"" at the end."""
        if self._below is not None:
            return await self._below.take_arrived(self.stream, most)
        await trio.lowlevel.checkpoint_if_cancelled()
        return bytes(await self.stream.receive_some(most)) if self._socket.is_readable() else None


class _NothingMore(Exception):
    """TLS wants another read, which would have to wait."""


class _BelowTls(trio.abc.Stream):
    """Between TLS and the bytes of the network: knows whether TLS still holds something that came in.

    TLS does not report what it has buffered. So this stream follows the length of each record, to detect a partial one,
    and finds whole records by a read that may not go to the network.
    """

    def __init__(self, inner: trio.SocketStream) -> None:
        self._inner = inner
        self._only_arrived = False
        self._head = bytearray()
        self._owed = 0
        self._dry = False

    async def is_quiet(self, tls: trio.abc.Stream) -> bool:
        """Whether TLS holds neither data nor a part of a record."""
        if self._owed or self._head:
            return False  # noqa: ASYNC910  # nothing was waited for
        self._dry = True
        try:
            await tls.receive_some(1)
        except _NothingMore:
            return True  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        finally:
            self._dry = False
        return False

    async def take_arrived(self, tls: trio.abc.Stream, most: int) -> bytes | None:
        """See `OpenedStream.take_arrived`."""
        self._only_arrived = True
        try:
            return bytes(await tls.receive_some(most))
        except _NothingMore:
            return None  # noqa: ASYNC910  # a part of calls that wait for the network or the disk
        finally:
            self._only_arrived = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if self._dry or (self._only_arrived and not self._inner.socket.is_readable()):
            raise _NothingMore
        data = await self._inner.receive_some(max_bytes)
        at = 0
        while at < len(data):
            if self._owed:
                step = min(self._owed, len(data) - at)
                self._owed -= step
            else:
                step = min(_RECORD_HEAD - len(self._head), len(data) - at)
                self._head += data[at : at + step]
                if len(self._head) == _RECORD_HEAD:
                    self._owed = int.from_bytes(self._head[3:], "big")
                    self._head.clear()
            at += step
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._inner.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._inner.aclose()


async def open_stream(host: str, port: int, config: Config, *, secure: bool) -> OpenedStream:
    """Connect, through ``Config.proxy`` where there is one, and do the TLS handshake. There is no deadline in here.

    Raises:
        OSError: no connection, or the certificate was refused; the text is that of the system or of OpenSSL.
        ConfigurationError: the proxy refuses, or `Config.tls` is unusable; a retry would not help.
    """
    tls = tls_context(config) if secure else None
    if config.proxy is None:
        plain = await bare(trio.open_tcp_stream, host, port)
    else:
        plain = await _through_proxy(config.proxy, host, port)
    if tls is None:
        return OpenedStream(plain, plain.socket, None)
    try:
        below = _BelowTls(plain)
        stream = trio.SSLStream(below, tls, server_hostname=host, https_compatible=True)
        await stream.do_handshake()
    except trio.BrokenResourceError as error:
        await close_now(plain)  # noqa: ASYNC120  # it shields itself
        raise OSError(f"TLS with {host} failed: {error.__cause__ or 'the connection broke'}") from error
    except BaseException:
        await close_now(plain)  # noqa: ASYNC102  # it shields itself
        raise
    return OpenedStream(stream, plain.socket, below)


def dialer(config: Config) -> Connect:
    """Return a function that opens streams for socket URLs."""

    async def dial(url: str) -> trio.abc.Stream:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss"):
            raise ConfigurationError(f"not a WebSocket URL: {parts.scheme}://...")
        secure = parts.scheme == "wss"
        return (
            await open_stream(parts.hostname or "", parts.port or (443 if secure else 80), config, secure=secure)
        ).stream

    return dial


async def _through_proxy(proxy: Proxy, host: str, port: int) -> trio.SocketStream:
    """A tunnel to host and port, asked for with CONNECT.

    Raises:
        ConfigurationError: the proxy refuses; a retry would not help.
        OSError: the proxy cannot be reached, or its connection breaks.
    """
    stream = await bare(trio.open_tcp_stream, proxy.host, proxy.port)
    try:
        await _connect(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", proxy)
    except BaseException:
        await close_now(stream)  # noqa: ASYNC102  # it shields itself
        raise
    return stream


def _headers(target: str, proxy: Proxy) -> list[tuple[str, str]]:
    authorization = proxy.authorization()
    return [("Host", target), *([("Proxy-Authorization", authorization)] if authorization is not None else [])]


async def _connect(stream: trio.abc.Stream, target: str, proxy: Proxy) -> None:
    http = h11.Connection(our_role=h11.CLIENT)
    head = Secret(http.send(h11.Request(method="CONNECT", target=target, headers=_headers(target, proxy))))
    try:
        await stream.send_all(head.reveal() or b"")
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
