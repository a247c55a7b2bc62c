"""Open clients: all of BitMart, one market's REST API, or the streams alone.

Each ``open_*`` owns a nursery with everything that runs, and closes all of it when its block is left.

Nothing else lives here: REST is in ``rest/`` over ``_io/http.py``, streams are in ``streams/`` over
``_io/connections.py``.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Final

import httpx
import trio

from ._bitmart.rest import REST
from ._bitmart.venue import BitMart
from ._core.suggest import Helpful
from ._io.connections import Connections
from ._io.dial import dialer
from ._io.http import Pipeline
from ._io.quota_queue import QuotaQueue
from ._io.socket import Connect
from ._io.transport import make_transport
from ._scopes import finish, open_service_nursery, opener
from .config import LIVE, Config, Environment
from .credentials import Credentials
from .errors import ConfigurationError
from .rest._base import method_names
from .rest.futures import Futures
from .rest.spot import Spot
from .streams import Streams
from .streams._base import opener_names

__all__ = [
    "Client",
    "Connect",
    "Futures",
    "Spot",
    "Streams",
    "open_client",
    "open_futures",
    "open_spot",
    "open_streams",
]

_DEFAULT: Final = Config()


class Client(Helpful):
    """Both markets and all streams. Made by `open_client`.

    Attributes:
        streams: market data and account pushes.
        environment: the exchange that the client talks to.
        clock: this machine's time in seconds since 1970, as configured.
    """

    __slots__ = ("_futures", "_spot", "clock", "environment", "streams")

    _elsewhere = (method_names, opener_names)

    def __init__(
        self,
        environment: Environment,
        spot: Spot | None,
        futures: Futures | None,
        streams: Streams,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.clock: Callable[[], float] = clock
        self.environment: Environment = environment
        self.streams: Streams = streams
        self._spot = spot
        self._futures = futures

    @property
    def spot(self) -> Spot:
        """Return the spot market's REST API.

        Raises:
            ConfigurationError: the environment has no spot market (`DEMO`).
        """
        if self._spot is None:
            raise ConfigurationError(f"the {self.environment.name} environment has no spot market")
        return self._spot

    @property
    def futures(self) -> Futures:
        """Return the futures market's REST API; raises like `spot`."""
        if self._futures is None:
            raise ConfigurationError(f"the {self.environment.name} environment has no futures market")
        return self._futures


class _Rest:
    """The REST pipelines of one client and their transports."""

    def __init__(
        self,
        stack: AsyncExitStack,
        credentials: Credentials | None,
        environment: Environment,
        config: Config,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        if credentials is not None:
            environment.require_safe_for_credentials()
        self._stack = stack
        self._credentials = credentials
        self.venue = BitMart(environment)
        self._config = config
        self._given = transport
        self._pipelines: dict[str, Pipeline] = {}
        self.quota_queue = QuotaQueue(config, REST.rows)
        if transport is not None:
            stack.push_async_callback(finish, config.timeouts.close, transport.aclose)

    def pipeline(self, market: str) -> Pipeline:
        """Return the pipeline of a market, made once; raise `ConfigurationError` if the market is missing."""
        if market not in self._pipelines:
            self._pipelines[market] = self._new_pipeline(market)
        return self._pipelines[market]

    def _new_pipeline(self, market: str) -> Pipeline:
        url = self.venue.rest_url(market)
        transport = self._given
        if transport is None:
            transport = make_transport(self._config)
            self._stack.push_async_callback(finish, self._config.timeouts.close, transport.aclose)
        return Pipeline(
            url,
            self._credentials,
            self._config,
            dialect=REST,
            transport=transport,
            quota_queue=self.quota_queue,
            environment=self.venue.environment,
        )

    async def resync(self, market: str) -> None:
        """Read the exchange's time, unsigned."""
        await self.pipeline(market).latency()

    def timestamp(self, market: str) -> int:
        """Return the exchange's estimated time in milliseconds."""
        return self.quota_queue.host(self.venue.rest_url(market)).timestamp()


@opener
async def _open_connections(
    rest: _Rest, credentials: Credentials | None, config: Config, connect: Connect | None
) -> AsyncGenerator[Connections]:
    """Open the streams of a client, in a nursery that serves the block."""
    async with open_service_nursery() as nursery:
        connections = Connections(
            nursery,
            rest.venue,
            credentials,
            config,
            connect=connect or dialer(config),
            clock=rest.timestamp,
            resync=rest.resync,
            slept=rest.quota_queue.slept,
            drift=rest.quota_queue.drift,
        )
        try:
            yield connections
        finally:
            connections.close()


@opener
async def open_client(
    credentials: Credentials | None = None,
    *,
    environment: Environment = LIVE,
    config: Config = _DEFAULT,
    http_transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect | None = None,
) -> AsyncGenerator[Client]:
    """Open REST of both markets, and streams, whose sockets open on the first subscription.

    Opening does no IO. Leaving ends every subscription (tasks that still iterate get ``trio.ClosedResourceError``),
    closes each socket politely within ``Config.timeouts.close``, even when cancelled, and then closes the REST
    connections. The sockets work until then: an outside cancellation first reaches the block's code, which may have
    something to finish. An error raised inside leaves unchanged, never wrapped in a group of ours.

    Args:
        credentials: for private calls and streams; None allows public ones only.
        environment: `LIVE`, `DEMO` (futures only) or ``Environment.at(url)``.
        config: the client's settings.
        http_transport: replaces our HTTP transport; closed on leaving.
        connect: replaces our function that opens the byte stream for a socket URL, TLS included.
    """
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        spot = None if environment.spot_rest is None else Spot(rest.pipeline("spot"))
        futures = None if environment.futures_rest is None else Futures(rest.pipeline("futures"))
        async with _open_connections(rest, credentials, config, connect) as connections:
            streams = Streams(connections, spot=spot, futures=futures)
            yield Client(environment, spot, futures, streams, config.clock or time.time)


@opener
async def open_spot(
    credentials: Credentials | None = None,
    *,
    environment: Environment = LIVE,
    config: Config = _DEFAULT,
    http_transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect | None = None,
) -> AsyncGenerator[Spot]:
    """Open the spot market's REST API alone. See `open_client` for the arguments.

    Raises:
        ConfigurationError: the environment has no spot market. Another environment is never used instead.
    """
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        yield Spot(rest.pipeline("spot"))


@opener
async def open_futures(
    credentials: Credentials | None = None,
    *,
    environment: Environment = LIVE,
    config: Config = _DEFAULT,
    http_transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect | None = None,
) -> AsyncGenerator[Futures]:
    """Open the futures market's REST API alone. See `open_client` for the arguments."""
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        yield Futures(rest.pipeline("futures"))


@opener
async def open_streams(
    credentials: Credentials | None = None,
    *,
    environment: Environment = LIVE,
    config: Config = _DEFAULT,
    http_transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect | None = None,
) -> AsyncGenerator[Streams]:
    """Open the streams alone. See `open_client` for the arguments and for leaving.

    One unsigned REST call, for the exchange's time, may be made: if a login is refused and this machine's clock may be
    the reason, or after the machine was suspended.
    """
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        async with _open_connections(rest, credentials, config, connect) as connections:
            yield Streams(connections)
