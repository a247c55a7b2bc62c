"""Opening a client.

Each ``open_*`` owns a nursery with everything that runs in it, and closes all of it on the way out.

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

from ._core.suggest import Helpful
from ._io.connections import Connections
from ._io.dial import dialer
from ._io.http import Pipeline
from ._io.quota_queue import QuotaQueue
from ._io.socket import Connect
from ._io.transport import make_transport
from ._scopes import finish, open_service_nursery, opener
from .config import LIVE, Config, Environment, Market
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
    """Both markets and all streams: what `open_client` gives.

    Attributes:
        streams: market data and account pushes.
        environment: where it talks to.
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
        """The spot market's REST API.

        Raises:
            ConfigurationError: the environment has no spot market (`DEMO`).
        """
        if self._spot is None:
            raise ConfigurationError(f"the {self.environment.name} environment has no spot market")
        return self._spot

    @property
    def futures(self) -> Futures:
        """The futures market's REST API; raises like `spot`."""
        if self._futures is None:
            raise ConfigurationError(f"the {self.environment.name} environment has no futures market")
        return self._futures


class _Rest:
    """The pipelines of one client and the transports below them."""

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
        self._environment = environment
        self._config = config
        self._given = transport
        self._pipelines: dict[Market, Pipeline] = {}
        self.quota_queue = QuotaQueue(config)
        if transport is not None:
            stack.push_async_callback(finish, config.timeouts.close, transport.aclose)

    def pipeline(self, market: Market) -> Pipeline:
        """The pipeline of a market, made once; raises `ConfigurationError` where there is none."""
        if market not in self._pipelines:
            self._pipelines[market] = self._new_pipeline(market)
        return self._pipelines[market]

    def _new_pipeline(self, market: Market) -> Pipeline:
        url = self._environment.rest_url(market)
        transport = self._given
        if transport is None:
            transport = make_transport(self._config)
            self._stack.push_async_callback(finish, self._config.timeouts.close, transport.aclose)
        return Pipeline(
            url,
            self._credentials,
            self._config,
            transport=transport,
            quota_queue=self.quota_queue,
            venue=self._environment.name,
        )

    async def resync(self, market: Market) -> None:
        """Ask for the exchange's time, unsigned."""
        await self.pipeline(market).latency()

    def timestamp(self, market: Market) -> int:
        """The exchange's time in milliseconds, as well as it is known."""
        return self.quota_queue.host(self._environment.rest_url(market)).timestamp()


@opener
async def _open_connections(
    rest: _Rest, credentials: Credentials | None, environment: Environment, config: Config, connect: Connect | None
) -> AsyncGenerator[Connections]:
    """The streams of a client, in a nursery that serves the block."""
    async with open_service_nursery() as nursery:
        connections = Connections(
            nursery,
            environment,
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
    """Open everything: REST of both markets, and streams whose sockets open on the first subscription.

    Opening does no IO. Leaving ends every subscription (tasks that still iterate get ``trio.ClosedResourceError``),
    closes the sockets politely within ``Config.timeouts.close`` each, also while being cancelled, and then the REST
    connections. Until then the sockets live: a cancellation from outside reaches the block's code first, which may have
    something to finish. An error raised inside leaves as it is, never wrapped in a group of ours.

    Args:
        credentials: for private calls and streams; None serves public ones.
        environment: `LIVE`, `DEMO` (futures only) or ``Environment.at(url)``.
        config: how it behaves.
        http_transport: does the HTTP instead of ours; closed on leaving.
        connect: opens the byte stream for a socket URL instead of ours; TLS is its business too.
    """
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        spot = None if environment.spot_rest is None else Spot(rest.pipeline("spot"))
        futures = None if environment.futures_rest is None else Futures(rest.pipeline("futures"))
        async with _open_connections(rest, credentials, environment, config, connect) as connections:
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
    """Open the spot market's REST API alone. Arguments as of `open_client`; ``connect`` has nothing to do here.

    Raises:
        ConfigurationError: the environment has no spot market. It never falls back to another one.
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
    """Open the futures market's REST API alone. Arguments as of `open_client`; ``connect`` has nothing to do here."""
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
    """Open the streams alone. Arguments and leaving as of `open_client`.

    One REST call may be made, without a signature: for the exchange's time, when a login is refused and this machine's
    clock could be the reason, or when the machine was suspended.
    """
    async with AsyncExitStack() as stack:
        rest = _Rest(stack, credentials, environment, config, http_transport)
        await trio.lowlevel.checkpoint()
        async with _open_connections(rest, credentials, environment, config, connect) as connections:
            yield Streams(connections)
