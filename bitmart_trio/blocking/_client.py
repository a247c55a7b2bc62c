"""Open a client for programs without Trio (`open_client`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, Self, TypeVar, cast

from .. import client as _asynchronous
from .._core.suggest import Helpful
from ..config import LIVE, Config, Environment
from ..credentials import Credentials
from ._base import Iterating, Opened
from ._methods import Futures, Spot, Streams
from ._portal import Portal

if TYPE_CHECKING:
    import httpx

    from ..client import Connect

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_DEFAULT: Final = Config()


class Held(Generic[T]):
    """An asynchronous context manager held open in a thread of its own, until `close` or the end of a block.

    ``with bm.blocking.hold(bm.sim.open_server(seed=7)) as server: print(server.url)``
    """

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    @property
    def value(self) -> T:
        """Return the object that it yielded. It belongs to Trio's thread: read it, but await nothing."""
        return cast("T", self._portal.value)

    def call(self, function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Await one of its methods in its thread; see `Client.call`."""
        return self._portal.call(function, *args, **kwargs)

    def close(self) -> None:
        """Leave the context manager and end the thread. Idempotent."""
        self._portal.close()

    def __enter__(self) -> T:
        return self.value

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def hold(opening: AbstractAsyncContextManager[T]) -> Held[T]:
    """Open an asynchronous context manager in a background thread, such as a simulated exchange.

    Args:
        opening: such as ``bm.sim.open_server(seed=7)``.

    Raises:
        BaseException: any error that opening raises.
    """
    return Held(Portal(opening, "bitmart_trio: held open"))


class Client(Helpful):
    """Both markets and all streams, for a program without Trio. Made by `open_client`.

    Its methods have the names, arguments, results and errors of the asynchronous client. Any number of threads may
    use it at once. It is closed by `close`, by the end of its ``with`` block, or by the exit of the interpreter.
    """

    _elsewhere = _asynchronous.Client._elsewhere

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    @property
    def trio(self) -> _asynchronous.Client:
        """Return the asynchronous client, for `call`, `open`, `iterate` and `collect`. It belongs to Trio's thread."""
        return cast("_asynchronous.Client", self._portal.value)

    @property
    def environment(self) -> Environment:
        """Return the exchange that the client talks to."""
        return self.trio.environment

    @property
    def spot(self) -> Spot:
        """Return the spot market's REST API.

        Raises:
            ConfigurationError: the environment has no spot market (`DEMO`).
        """
        return Spot(self._portal, self.trio.spot)

    @property
    def futures(self) -> Futures:
        """Return the futures market's REST API; raises like `spot`."""
        return Futures(self._portal, self.trio.futures)

    @property
    def streams(self) -> Streams:
        """Return market data and account pushes, as plain iterators."""
        return Streams(self._portal, self.trio.streams)

    def call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await any asynchronous function in the client's thread.

        In use::

            client.call(client.trio.spot.market.ticker, "BTC_USDT")

        Raises:
            KeyboardInterrupt: after Ctrl-C, once the cancelled call has ended. A note says whether it had begun, and
                how it ended.
            TimeoutError: see `fail_after`.
            trio.ClosedResourceError: the client is closed, or was closed meanwhile.
            RuntimeError: the client was opened in another process, before a fork; or a hook or signer of the client
                calls, and would wait for itself.
            BaseException: any error that the function raises.
        """
        return self._portal.call(function, *args, **kwargs)

    def open(self, opening: AbstractAsyncContextManager[T]) -> Opened[T]:
        """Open any asynchronous context manager in the client's thread, for a ``with`` block.

        In use::

            with client.open(bm.trading.open_spot_session(client.trio, "BTC_USDT", journal="bot.journal")) as session:
                order = client.call(session.submit, side="buy", type="limit", size="0.001", price="30000")

        An error that leaves the block also leaves the asynchronous one.
        """
        return Opened(self._portal, opening, _itself)

    def iterate(self, iterator: AsyncIterator[T]) -> Iterating[T]:
        """Iterate over an asynchronous iterator, such as a history, with a plain ``for``."""
        return Iterating(self._portal, iterator)

    def collect(self, iterator: AsyncIterator[T]) -> list[T]:
        """Return all items of an asynchronous iterator, in one call.

        In use::

            walk = bm.history.spot_klines(client.trio, "BTC_USDT", step=1440, since=datetime(2025, 1, 1, tzinfo=UTC))
            frame = bm.to_frame(client.collect(walk), decimals="float")
        """
        return self._portal.call(_all, iterator)

    def close(self) -> None:
        """End all calls and streams, close the connections, and wait for that. Idempotent, also after a fork."""
        self._portal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<blocking Client of {self.environment.name}{', closed' if self._portal.closed else ''}>"


def _itself(_: Portal, value: T) -> T:
    return value


async def _all(iterator: AsyncIterator[T]) -> list[T]:
    return [each async for each in iterator]


def open_client(
    credentials: Credentials | None = None,
    *,
    environment: Environment = LIVE,
    config: Config = _DEFAULT,
    http_transport: httpx.AsyncBaseTransport | None = None,
    connect: Connect | None = None,
) -> Client:
    """Open a client for a program without Trio: a script, a notebook, a thread beside asyncio.

    In use::

        with bm.blocking.open_client() as client:
            print(client.spot.market.ticker("BTC_USDT").last_price)
            with client.streams.spot.trade("BTC_USDT") as trades:
                for trade in trades:
                    print(trade.price)

    It is open at once; without a block (in a notebook) `Client.close` ends it. One background thread runs Trio. Ctrl-C
    cancels the call that it interrupts and waits for its end, so that nothing continues in the background.

    Args:
        credentials: see `bitmart_trio.open_client`, as for the others. Hooks and signers run in the background thread.
        environment: `LIVE`, `DEMO` (futures only) or ``Environment.at(url)``.
        config: the client's settings.
        http_transport: replaces our HTTP transport.
        connect: replaces our function that opens the byte stream for a socket URL.
    """
    opening = _asynchronous.open_client(
        credentials, environment=environment, config=config, http_transport=http_transport, connect=connect
    )
    return Client(Portal(cast("AbstractAsyncContextManager[Any]", opening), f"bitmart_trio: {environment.name}"))
