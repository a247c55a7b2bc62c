"""One life of a bot: its own client, its connections to the exchange, and the end of both.

A process that is killed can send nothing more: its connections are cut, it cannot open new ones, its journal stays as
it was last fsynced, and its ``finally`` blocks have no effect outside of it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Final, cast

import attrs
import httpx
import trio

from ...client import open_client
from ...config import Config
from ...sim.kernel.messages import Request
from ...streams._book import OrderBook
from ...streams._book_views import BookState
from ...trading._journal import DISK
from .._census import family
from .._shot import has_ended
from ._bot import JOURNAL, Bot, Main, arguments
from ._disk import Disk
from ._witness import CALL, Call, Witness
from ._world import World, tell

STALE_SECONDS: Final = 15.0
"""Seconds without a push or a query after which a bot is blind to a symbol that it used to follow."""
MOVED: Final = 0.0005
"""The share by which the price must have moved meanwhile to matter."""


@attrs.define(eq=False)
class Life:
    """One run of the bot's function."""

    number: int
    bot: Bot
    world: World
    witness: Witness
    disk: Disk
    wire: bool
    alive: bool = True
    """False once the life was killed."""
    told: bool = False
    """True once the life was asked to end."""
    error: BaseException | None = None
    """The exception that the life ended with."""
    done: trio.Event = attrs.Factory(trio.Event)
    began: float = 0.0
    ended: float | None = None
    scope: trio.CancelScope = attrs.Factory(trio.CancelScope)
    books: dict[OrderBook, float | None] = attrs.Factory(dict["OrderBook", "float | None"])
    """The order books that the life has open, each with the time since which it is not live (None: live)."""
    task: trio.lowlevel.Task | None = None
    looked_at: dict[str, float] = attrs.Factory(dict[str, float])
    """The time of the last query of the market of each symbol ("" for all)."""

    async def live(self, main: Main, symbols: tuple[str, ...]) -> None:  # noqa: ASYNC910  # as the bot does
        """Run the bot's function to its end, and keep its exception."""
        venue = self.witness.venue
        DISK.set(self.disk.mount(lambda: self.alive))
        config = Config(clock=venue.clock, suspended_after=float("inf"))
        self.began, self.task = self.witness.at, trio.lowlevel.current_task()
        try:
            async with open_client(
                venue.credentials,
                environment=venue.environment,
                config=config,
                http_transport=LifeTransport(self, venue.http_transport(wire=self.wire)),
                connect=self._connect,
            ) as client:
                with self.scope:
                    journal = self._journal(main)
                    await main(**arguments(main, client=client, journal=journal, symbols=symbols))
        except BaseException as error:  # noqa: BLE001, ASYNC103  # the referee judges whatever a bot ends with
            self.error = error
        finally:
            self.ended = self.witness.at
            self.books.clear()
            self.done.set()

    def line(self) -> str:
        """Return the line of the bot's code that its main task, or else its first other task, is at."""
        for task in family(self.task):
            found = ""
            for frame, number in () if has_ended(task) or task.coro.cr_running else task.iter_await_frames():
                found = self.bot.line_of(frame.f_code, number) or found
            if found:
                return found
        return ""

    def tell(self, how: str) -> None:
        """Ask the bot to end."""
        self.told = True
        tell(how, self.scope)

    def kill(self) -> None:
        """End the life as SIGKILL would, as far as that can be imitated."""
        self.alive = False
        self.witness.venue.drop_connections("*")
        self.disk.crash()
        self.scope.cancel()

    def stale_for(self, symbol: str) -> float:
        """Return the seconds for which no book of a symbol has been live."""
        now, since = self.witness.at, list[float]()
        for book, stale_since in self.books.items():
            if book.symbol == symbol and not book._sink.closed:  # pyright: ignore[reportPrivateUsage]
                if stale_since is None or book.state is BookState.LIVE:
                    return 0.0
                since.append(stale_since)
        return now - max(since) if since else 0.0

    def blind_for(self, symbol: str) -> float:
        """Return the seconds without data of a symbol that the bot used to follow and whose price has moved since."""
        seen, now = self.witness.seen_at.get(symbol), self.witness.at
        if seen is None or seen < self.began:
            return 0.0
        seen = max(seen, self.looked_at.get(symbol, 0.0), self.looked_at.get("", 0.0))
        then, price = self.witness.seen_price.get(symbol), self.witness.price(symbol)
        if now - seen < STALE_SECONDS or not then or price is None or abs(price / then - 1) < MOVED:
            return 0.0
        return now - seen

    def _journal(self, main: Main) -> object:
        """Return a journal object if the function's annotation asks for one, else a path."""
        parameter = inspect.signature(main).parameters.get("journal")
        wanted = "" if parameter is None else str(parameter.annotation)
        return self.disk.mount(lambda: self.alive)(JOURNAL) if "Journal" in wanted else JOURNAL

    async def _connect(self, url: str) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if not self.alive:
            raise ConnectionRefusedError("this process was killed")
        return await self.witness.venue.connect(url)


class LifeTransport(httpx.AsyncBaseTransport):
    """The HTTP transport of one life: it records requests and answers, and fails once the life was killed."""

    def __init__(self, life: Life, below: httpx.AsyncBaseTransport) -> None:
        self._life = life
        self._below = below

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one call and record its answer."""
        await trio.lowlevel.checkpoint()  # also when killed, or a bot that catches everything would never wait
        call = self._begin(request, b"".join([part async for part in cast("httpx.AsyncByteStream", request.stream)]))
        try:
            response = await self._below.handle_async_request(request)
            content = await response.aread()
            await response.aclose()
        except (httpx.TransportError, httpx.StreamError):
            call.heard, call.heard_at = "lost", self._life.witness.at
            call.heard_before = len(self._life.witness.calls)
            raise
        self._check()
        self._heard(call, response.status_code, content)
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_BODY]
        return httpx.Response(response.status_code, headers=headers, content=content, request=request)

    async def aclose(self) -> None:
        """Close the transport below this one."""
        await self._below.aclose()

    def _check(self) -> None:
        if not self._life.alive:
            raise httpx.ConnectError("this process was killed")

    def _begin(self, request: httpx.Request, body: bytes) -> Call:
        self._check()
        life, witness = self._life, self._life.witness
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        told = life.told
        line = life.world.where() or life.line()
        call = witness.begin(life.number, Request(request.method, path, query, {}, body, ""), line, told)
        if call.submits:
            call.stale_for, call.blind_for = life.stale_for(call.symbol), life.blind_for(call.symbol)
        request.headers[CALL] = str(call.number)
        return call

    def _heard(self, call: Call, status: int, content: bytes) -> None:
        witness = self._life.witness
        call.heard, call.heard_at, call.status = "answered", witness.at, status
        if status != 200 or call.submits:
            try:
                found: object = json.loads(content)
            except ValueError:
                found = None
            code = cast("dict[str, object]", found).get("code", "") if isinstance(found, dict) else "unreadable"
            call.code = str(code)
            if call.code != "1000":
                witness.counts["refusals"] += 1
                witness.note("call", f"{call.method} {call.path} {status} {call.code}")
        if call.method == "GET" and ("/quotation/" in call.path or "/public/" in call.path):
            self._life.looked_at[call.symbol] = witness.at


_OF_BODY: Final = (b"content-encoding", b"content-length", b"transfer-encoding")


def watching_books(opened: Callable[[OrderBook], None]) -> Callable[[], None]:
    """Call ``opened`` with every new order book until the returned function is called."""
    made = OrderBook.__init__

    def watched(self: OrderBook, *args: object, **keywords: object) -> None:
        made(self, *args, **keywords)  # type: ignore[arg-type]  # passed through
        opened(self)

    OrderBook.__init__ = watched  # type: ignore[method-assign]

    def stop() -> None:
        OrderBook.__init__ = made  # type: ignore[method-assign]

    return stop
