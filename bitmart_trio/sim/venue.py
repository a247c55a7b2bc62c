"""Open a simulated exchange, in process over pipes or on loopback over TCP, and clients set up for it.

    async with open_exchange(seed=7) as exchange, exchange.open_client() as client:
        ...

This is the only module of the simulator that knows the client side.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, closing, nullcontext
from functools import partial
from typing import Final, Literal, TypeAlias, TypedDict
from urllib.parse import urlsplit

import attrs
import httpx
import trio

from .._scopes import close_now, open_service_nursery, opener, own_decimals, protected, start, start_soon
from ..client import Client, Connect, Futures, Spot, Streams, open_client, open_futures, open_spot, open_streams
from ..config import Config, Environment, is_loopback
from ..credentials import Credentials
from .bitmart.face import BitMart
from .drivers.player import Player
from .drivers.script import BookScript, MarketScript
from .drivers.synthetic import Flow, Market
from .drivers.tape import Tape
from .exchange import START_MS, TICK_SECONDS, Exchange
from .faces import http
from .faces.direct import DirectTransport
from .faces.link import Link
from .faces.pipe import Pipe, open_pipe
from .faces.transport import MemoryTransport
from .faces.websocket import Connection, Limits, Sockets
from .faults import Fault, Faults, RefuseConnect
from .faults.answers import Spoiler
from .generic.face import Generic
from .kernel.symbols import Symbol
from .models import RECORDED, Models, Moved, Still

IN_PROCESS_URL: Final = "http://simulated.invalid"
"""A name that never resolves: a client that misses the in-process transport cannot reach anybody by mistake."""
ADDRESS: Final = "127.0.0.1"
_CROWDED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
"""The errors of accepting a connection when too many are open."""
_PAUSE: Final = 0.1
"""Seconds until accepting is tried again."""

_log: Final = logging.getLogger(__name__)


Who: TypeAlias = "Credentials | Literal['default'] | None"
"""The account of a client: ``default`` always exists; None is a client without credentials."""


class _Options(TypedDict):
    environment: Environment
    config: Config
    http_transport: httpx.AsyncBaseTransport | None
    connect: Connect | None


Kind: TypeAlias = "Market | Tape | Moved | Literal['synthetic', 'scripted']"
"""The driver of the market.

The synthetic market as usual, or with other options; a tape; a function that makes a market model; or a market that
only a script moves.
"""


def _moved(market: Kind) -> Moved:
    """Make the model of a kind of market.

    Raises:
        ValueError: there is no such kind.
    """
    if isinstance(market, Market):
        return partial(Flow.of_market, market)
    if isinstance(market, Tape) or market == "scripted":
        return Still.of
    if market == "synthetic":
        return partial(Flow.of_market, Market())
    if not callable(market):
        raise ValueError(f"no such market: {market!r}")
    return market


FaceName: TypeAlias = Literal["bitmart", "generic"]
"""The protocol that clients see: BitMart's, or a plain one (``docs/generic_venue.md``)."""


class Simulation:
    """Combine an exchange, a venue's face on it, and the driver of its markets; nothing is open yet.

    Args:
        seed: the seed of every random choice.
        start: exchange time at creation, in milliseconds; None: the tape's start, or the beginning of 2026.
        symbols: the traded symbols, by name or as `SpotPair` and `Contract`; None: those on the tape, or the usual six.
        market: the driver of the market: ``"synthetic"``, a `Market` with options, a `Tape`, ``"scripted"``, or a
            function (such as a class) that makes a market model from the listed symbols, the clock and the random
            streams.
        tick_seconds: the interval at which the market moves and paced pushes are sent.
        models: the exchangeable rules.
        venue: the protocol that clients see: ``"bitmart"``, or ``"generic"`` for a plain one.
        held: True if the clock stands still from the beginning.

    Raises:
        ValueError: a symbol is invalid, the tape has other symbols, or a tick is too short or too long.
    """

    @own_decimals
    def __init__(
        self,
        *,
        seed: int = 0,
        start: int | None = None,
        symbols: Iterable[Symbol] | None = None,
        market: Kind = "synthetic",
        tick_seconds: float = TICK_SECONDS,
        models: Models = RECORDED,
        venue: FaceName = "bitmart",
        held: bool = False,
    ) -> None:
        if venue not in ("bitmart", "generic"):
            raise ValueError(f"no such venue: {venue!r}; there are bitmart and generic")
        moved, tape = _moved(market), market if isinstance(market, Tape) else None
        if tape is not None:
            symbols = tape.rules() if symbols is None else symbols
            start = tape.start_ms if start is None else start
        self.exchange: Exchange = Exchange(
            seed=seed,
            start=START_MS if start is None else start,
            symbols=symbols,
            moved=moved,
            models=models,
            tick_seconds=tick_seconds,
            held=held,
        )
        """The exchange itself: clock, accounts, markets, feed, event log."""
        exchange = self.exchange
        self.face: BitMart | Generic = BitMart(exchange) if venue == "bitmart" else Generic(exchange)
        """The face that clients see."""
        self.market: MarketScript = MarketScript(
            exchange.spot, exchange.futures, exchange.flow, exchange.clock, exchange.log
        )
        """Sets trades and prices from a script."""
        self.book: BookScript = BookScript(exchange.spot, exchange.futures, exchange.flow, exchange.clock, exchange.log)
        """Sets books from a script, on a scripted market."""
        self._player = None if tape is None else Player(exchange, tape, self.market, self.book)
        exchange.driver = self._player
        self._past = self.face.past if isinstance(self.face, BitMart) else None
        self.face.spoiler = Spoiler(exchange.faults, self._past)

    @property
    def bitmart(self) -> BitMart:
        """Return the face for BitMart's clients.

        Raises:
            ValueError: the venue has another face.
        """
        if not isinstance(self.face, BitMart):
            raise ValueError('this exchange speaks a plain protocol; open it with venue="bitmart" for BitMart\'s')
        return self.face

    def close(self) -> None:
        """Stop playing the tape, if any, and close its file."""
        if self._player is not None:
            self._player.close()

    def bind_faults(self) -> None:
        """Give the faults the exchange's clock, random numbers and log; called once, when the exchange is opened."""
        exchange = self.exchange
        exchange.faults.bind(
            exchange.clock, exchange.random("faults"), exchange.log, salt=str(exchange.seed), past=self._past
        )


@protected
class Venue:
    """A simulated exchange that is open, and the ways to reach it."""

    def __init__(
        self, simulation: Simulation, nursery: trio.Nursery, limits: Limits | None, url: str, host: str = ""
    ) -> None:
        self.simulation = simulation
        """The exchange with its face and drivers."""
        self.exchange: Exchange = simulation.exchange
        """The exchange itself: clock, accounts, markets, feed, event log."""
        # Play money: its key may be sent there, wherever the server listens.
        elsewhere = not is_loopback(urlsplit(url).hostname)
        self.environment: Environment = Environment.at(url, allow_plaintext=elsewhere)
        self.credentials: Credentials = Credentials("sim-key", "sim-secret", "sim-memo")
        """The credentials of the default account."""
        self._nursery = nursery
        simulation.bind_faults()
        self._sockets = Sockets(self.exchange, simulation.face, limits, host)

    @property
    def faults(self) -> Faults:
        """The faults: add, remove and count them here."""
        return self.exchange.faults

    @property
    def market(self) -> MarketScript:
        """Set trades and prices: ``exchange.market.trade("BTC_USDT", price="60000", size="1")``."""
        return self.simulation.market

    @property
    def book(self) -> BookScript:
        """Set books, on a scripted market: ``exchange.book.set("BTC_USDT", bids=[("59999", "1")], asks=[])``."""
        return self.simulation.book

    def tick(self) -> None:
        """Run one step of the market now: quotes, triggers, liquidations, paced pushes; see ``live``."""
        self.exchange.tick()

    @property
    def limits(self) -> Limits:
        """The limits of the sockets, which may be changed at any time."""
        return self._sockets.limits

    @property
    def connections(self) -> list[Connection]:
        """The open sockets, oldest first; a live list."""
        return self._sockets.connections

    def drop_connections(self, kind: str | None = None) -> int:
        """Break connections off without a closing handshake.

        All sockets, or those that match a pattern (``spot/*``, ``ws-3``; ``http`` for REST).
        """
        return self._sockets.drop(kind)

    def clock(self) -> float:
        """Return the exchange's true time in seconds since 1970, without the skew that a fault adds."""
        return self.exchange.clock.steady_ms() / 1000

    def http_transport(self, *, address: str = ADDRESS, wire: bool = True) -> httpx.AsyncBaseTransport:
        """A transport that reaches this exchange in process, as a client at ``address``.

        Args:
            address: the client's address, for limits counted by address.
            wire: speak HTTP over a pipe, so that connections can break in every way; without it calls are handed over
                directly, at a fraction of the cost.
        """
        if not wire:
            return DirectTransport(self.exchange, self.simulation.face, self._nursery, address=address)
        return MemoryTransport(lambda: self._dial("http", address))

    async def connect(self, url: str, *, address: str = ADDRESS) -> trio.abc.Stream:
        """Open a stream to the exchange in process; the WebSocket handshake is up to the caller.

        Raises:
            ConnectionRefusedError: a fault refuses the connection, or the exchange is closed.
        """
        await trio.lowlevel.checkpoint()
        kind = urlsplit(url).path.removeprefix("/ws/")
        return self._dial(kind if kind in self.simulation.face.kinds else "http", address)

    def open_client(
        self, credentials: Who = "default", *, config: Config | None = None
    ) -> AbstractAsyncContextManager[Client]:
        """`bitmart_trio.open_client` for this exchange, as the default account unless another is given."""
        return open_client(self._credentials(credentials), **self._options(config))

    def open_spot(
        self, credentials: Who = "default", *, config: Config | None = None
    ) -> AbstractAsyncContextManager[Spot]:
        """`bitmart_trio.open_spot` for this exchange."""
        return open_spot(self._credentials(credentials), **self._options(config))

    def open_futures(
        self, credentials: Who = "default", *, config: Config | None = None
    ) -> AbstractAsyncContextManager[Futures]:
        """`bitmart_trio.open_futures` for this exchange."""
        return open_futures(self._credentials(credentials), **self._options(config))

    def open_streams(
        self, credentials: Who = "default", *, config: Config | None = None
    ) -> AbstractAsyncContextManager[Streams]:
        """`bitmart_trio.open_streams` for this exchange."""
        return open_streams(self._credentials(credentials), **self._options(config))

    def _credentials(self, credentials: Who) -> Credentials | None:
        return self.credentials if credentials == "default" else credentials

    def _options(self, config: Config | None) -> _Options:
        _ = self.simulation.bitmart  # no other venue has clients here
        config = Config() if config is None else config
        if config.clock is None:
            # A step of the exchange's clock does not mean that this machine was suspended.
            config = attrs.evolve(config, clock=self.clock, suspended_after=float("inf"))
        return _Options(
            environment=self.environment, config=config, http_transport=self.http_transport(), connect=self.connect
        )

    def _dial(self, kind: str, address: str) -> Pipe:
        if self._nursery.cancel_scope.cancel_called or self.faults.take(RefuseConnect, kind):
            raise ConnectionRefusedError("the simulated exchange refuses the connection")
        near, far = open_pipe()
        start_soon(self._nursery, self._serve, far, address)
        return near

    async def _serve(self, stream: trio.abc.Stream, address: str) -> None:
        await http.serve_stream(self._sockets, stream, address=address)


@protected
class Server(Venue):
    """A simulated exchange on loopback; its own clients reach it over TCP, like all others."""

    url: str
    """The server's URL, such as ``http://127.0.0.1:8765``."""
    port: int

    def __init__(
        self, simulation: Simulation, nursery: trio.Nursery, limits: Limits | None, host: str, port: int
    ) -> None:
        self.port = port
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        super().__init__(simulation, nursery, limits, self.url, host.lower())

    async def accept(self, stream: trio.SocketStream) -> None:
        """Serve one accepted connection."""
        await trio.lowlevel.checkpoint()
        if self.faults.take(RefuseConnect, *self.simulation.face.kinds, "http"):
            Link(stream, self.faults, ()).sever()
            return
        try:
            address = str(stream.socket.getpeername()[0])
        except OSError:
            return  # the peer is gone already
        await self._serve(stream, address)

    def _options(self, config: Config | None) -> _Options:
        return _Options(
            environment=self.environment, config=super()._options(config)["config"], http_transport=None, connect=None
        )


async def serve_stream(simulation: Simulation, stream: trio.abc.Stream, *, address: str) -> None:
    """Serve one connection to an exchange until it ends; the connection is always closed, and has its own limits.

    Args:
        simulation: answers the requests.
        stream: carries HTTP/1.1; a WebSocket handshake turns it into a WebSocket.
        address: the client's address, for limits counted by address.
    """
    await http.serve_stream(Sockets(simulation.exchange, simulation.face), stream, address=address)


@opener
async def open_exchange(
    *,
    seed: int = 0,
    start: int | None = None,
    symbols: Iterable[Symbol] | None = None,
    market: Kind = "synthetic",
    tick_seconds: float = TICK_SECONDS,
    models: Models = RECORDED,
    venue: FaceName = "bitmart",
    limits: Limits | None = None,
    faults: Iterable[Fault] = (),
    live: bool = True,
    log: str | os.PathLike[str] | None = None,
) -> AsyncGenerator[Venue, None]:
    """Open a simulated exchange inside this process, without any socket; it also works on Trio's virtual clock.

    Args:
        seed: the seed of every random choice: the same seed and the same requests give the same events.
        start: exchange time at opening, in milliseconds; None: the tape's start, or 2026-01-01.
        symbols: the traded symbols, by name or as `SpotPair` and `Contract`; None: those on the tape, or the usual six.
        market: the driver of the market: ``"synthetic"``, a `Market` with options, a `Tape`, ``"scripted"`` (moved only
            by ``venue.market`` and ``venue.book``), or a function that makes a `sim.models.MarketModel`.
        tick_seconds: the interval at which the market moves and paced pushes are sent; longer ticks cost less.
        models: the exchangeable rules, such as fees and latency; see `sim.Models`.
        venue: the protocol that clients see: ``"bitmart"``, or ``"generic"`` for a plain one.
        limits: the limits of sockets; the documented ones when None.
        faults: active from the beginning.
        live: True if the market moves without a call; else ``venue.tick()`` moves it.
        log: a file for the whole event log, one JSON line per event; the exchange always keeps the last 20,000.

    Raises:
        ValueError: a symbol or an option is invalid.
        OSError: the log cannot be written.
    """
    simulation = Simulation(
        seed=seed, start=start, symbols=symbols, market=market, tick_seconds=tick_seconds, models=models, venue=venue
    )
    with closing(simulation), nullcontext() if log is None else simulation.exchange.log.to_file(log):
        async with open_service_nursery() as nursery:  # a session that is left may still need us
            opened = Venue(simulation, nursery, limits, IN_PROCESS_URL)
            await _begin(opened, nursery, faults, live)
            yield opened


@opener
async def open_server(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    seed: int = 0,
    start: int | None = None,
    symbols: Iterable[Symbol] | None = None,
    market: Kind = "synthetic",
    tick_seconds: float = TICK_SECONDS,
    models: Models = RECORDED,
    venue: FaceName = "bitmart",
    limits: Limits | None = None,
    faults: Iterable[Fault] = (),
    live: bool = True,
    log: str | os.PathLike[str] | None = None,
) -> AsyncGenerator[Server, None]:
    """Open a simulated exchange on TCP, HTTP and WebSocket on one port, ready when the block is entered.

    Args:
        host: a local address; anybody who reaches it may trade and use ``/sim/...``. Browsers may use this name, any
            address, and names without dots; other names must be listed in ``Limits.allowed_hosts``.
        port: 0 takes a free one; see ``Server.port``.
        seed: the seed of every random choice.
        start: exchange time at opening, in milliseconds; the real time when None (a tape then starts at that time).
        symbols: as for `open_exchange`.
        market: as for `open_exchange`.
        tick_seconds: as for `open_exchange`.
        models: as for `open_exchange`.
        venue: as for `open_exchange`.
        limits: the limits of sockets; the documented ones when None.
        faults: active from the beginning.
        live: True if time passes; else the clock is held, and only ``/sim/clock`` (or ``exchange.step``) moves it, and
            the market with it.
        log: as for `open_exchange`.

    Raises:
        ValueError: a symbol or an option is invalid.
        OSError: the port is taken, the address is not local, or the log cannot be written.
    """
    start = time.time_ns() // 1_000_000 if start is None else start
    simulation = Simulation(
        seed=seed,
        start=start,
        symbols=symbols,
        market=market,
        tick_seconds=tick_seconds,
        models=models,
        venue=venue,
        held=not live,
    )
    with closing(simulation), nullcontext() if log is None else simulation.exchange.log.to_file(log):
        async with open_service_nursery() as nursery:  # a session that is left may still need us
            try:
                listeners = await trio.open_tcp_listeners(port, host=host)
            except UnicodeError as error:  # before any look-up: a part of more than 63 letters, say
                raise OSError(f"{host[:100]!a} is no name of a host") from error
            try:
                server = Server(simulation, nursery, limits, host, int(listeners[0].socket.getsockname()[1]))
                # A held clock may be released later, and then the market must run.
                await _begin(server, nursery, faults, live=True)
                for listener in listeners:
                    start_soon(nursery, _listen, listener, server, nursery)
            except BaseException:
                for listener in listeners:  # nobody else closes them yet
                    listener.socket.close()
                raise
            yield server


async def _listen(listener: trio.SocketListener, server: Server, nursery: trio.Nursery) -> None:
    """Accept connections until cancelled."""

    async def serve(stream: trio.SocketStream) -> None:
        try:
            await server.accept(stream)
        finally:
            await close_now(stream)  # noqa: ASYNC102  # it shields itself

    try:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in _CROWDED:
                    raise
                _log.warning("no more connections for the moment: %s", error)
                await trio.sleep(_PAUSE)
            else:
                start_soon(nursery, serve, stream, name=server.accept)
    finally:
        listener.socket.close()


async def _begin(venue: Venue, nursery: trio.Nursery, faults: Iterable[Fault], live: bool) -> None:
    for fault in faults:
        venue.faults.add(fault)
    if live:
        await start(nursery, venue.exchange.run)
