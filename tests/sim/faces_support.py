"""A very small exchange and clients for it: what the tests of the simulator's faces talk to.

The faces know an exchange by a handful of attributes; with the real engines behind them every test would also be one of
the engines.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import httpx
import trio
from trio_websocket import WebSocketConnection, wrap_client_stream

from bitmart_trio.sim.bitmart.face import BitMart
from bitmart_trio.sim.bitmart.gate import Gate, signature
from bitmart_trio.sim.bitmart.wire import Route, Routes
from bitmart_trio.sim.exchange import Schedule
from bitmart_trio.sim.faces.http import serve_stream
from bitmart_trio.sim.faces.pipe import Pipe, open_pipe
from bitmart_trio.sim.faces.transport import MemoryTransport
from bitmart_trio.sim.faces.websocket import Connection, Limits, Sockets
from bitmart_trio.sim.faults import Faults
from bitmart_trio.sim.faults.answers import Spoiler
from bitmart_trio.sim.kernel.accounts import Account, Accounts
from bitmart_trio.sim.kernel.agenda import Agenda
from bitmart_trio.sim.kernel.calls import Call, Onward
from bitmart_trio.sim.kernel.clock import Clock
from bitmart_trio.sim.kernel.encoding import Json
from bitmart_trio.sim.kernel.eventlog import EventLog
from bitmart_trio.sim.kernel.feed import Feed, FeedChannel, Frame
from bitmart_trio.sim.models.latency import Delays, Instant

if TYPE_CHECKING:
    from bitmart_trio.sim.exchange import Exchange

START = 1_767_225_600_000
SPOT_SYMBOLS = ("BTC_USDT", "ETH_USDT")
TICKER = "/spot/quotation/v3/ticker"
SUBMIT = "/spot/v2/submit_order"


class SmallExchange(BitMart):
    """One ticker, one order path, a few channels; the exchange and its venue in one."""

    def __init__(self) -> None:
        self.seed = 0
        self.ticks = 0
        self.schedule = Schedule()
        self.clock = Clock(START)
        self.log = EventLog(self.clock)
        self.accounts = Accounts()
        self.accounts.add("1", key="sim-key", secret="sim-secret", memo="sim-memo", balances={"USDT": 100})
        self.routes = Routes()
        self.get(TICKER, lambda call: {"last": "1.5", "rows": [["1", "2"], ["3", "4"]]})
        self.routes.include([Route("POST", SUBMIT, "none", None, self._submit, writes=True)])
        self.feed = Feed()
        self.faults = Faults()
        self.delays = Delays(Instant(), Agenda(self.clock), self.random("latency"))
        self.orders: list[str] = []
        nothing = SimpleNamespace(open_orders=lambda account_id: [], of_account=lambda account_id: [], traders={})
        self.spot = SimpleNamespace(markets={}, engine=nothing, algo=nothing)
        self.futures = SimpleNamespace(listings={}, engine=nothing)
        self.exchange = as_exchange(self)
        self.gate = Gate(self.routes, self.accounts, self.clock, self.log, self.trace)
        self.spoiler = Spoiler(self.faults)
        self.endpoints = len(self.routes.table)
        self._asked = 0
        self._uuids = self.random("sockets")
        self._channels()

    def get(self, path: str, handler: Onward) -> None:
        """One more path."""
        self.routes.include([Route("GET", path, "none", None, handler)])

    def _submit(self, call: Call) -> Json:
        self.orders.append(call.need("id"))
        return {"order_id": self.orders[-1]}

    def _channels(self) -> None:
        def spot(rest: str) -> bool:
            return rest.endswith("_USDT")

        def snapshot(name: str) -> Frame:
            return {"table": name, "data": [{"type": "snapshot", "asks": [["2", "1"]]}]}

        self.feed.add(
            FeedChannel("spot/ticker", "spot/public", spot, lambda rest, account: [spot_frame(rest, "first")])
        )
        self.feed.add(
            FeedChannel(
                "spot/depth/increase100",
                "spot/public",
                spot,
                asked=lambda rest, account: [snapshot("spot/depth/increase100")],
            )
        )
        self.feed.add(FeedChannel("spot/user/orders", "spot/private", lambda rest: rest == "ALL_SYMBOLS"))
        self.feed.add(FeedChannel("spot/user/order", "spot/private", spot))
        self.feed.add(FeedChannel("futures/ticker", "futures/public", lambda rest: rest in ("", "BTCUSDT", "ETHUSDT")))
        self.feed.add(
            FeedChannel(
                "futures/fundingRate",
                "futures/public",
                lambda rest: rest == "BTCUSDT",
                asked=lambda rest, account: [{"group": f"futures/fundingRate:{rest}", "data": {"rate": "0.1"}}],
            )
        )
        self.feed.add(FeedChannel("futures/order", "futures/private", lambda rest: rest == ""))

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def tick(self) -> None:
        self.ticks += 1

    def live(self, ms: int, *, tick_ms: int | None = None) -> Iterator[int]:
        while ms > 0:
            piece = min(ms, tick_ms or 100)
            ms -= piece
            self.clock.step(piece)
            self.tick()
            yield self.clock.steady_ms()

    def random(self, purpose: str) -> random.Random:
        return random.Random(f"{self.seed}/{purpose}")

    def trace(self) -> str:
        self._asked += 1
        return f"trace-{self._asked}"


def as_exchange(small: SmallExchange) -> Exchange:
    """The small exchange where the real one is asked for."""
    return cast("Exchange", small)


def spot_frame(symbol: str, value: str) -> Frame:
    return {"table": "spot/ticker", "data": [{"symbol": symbol, "last_price": value}]}


class Socket:
    """A raw client socket with the words of both dialects."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self.raw = socket

    async def send(self, message: object) -> None:
        await self.raw.send_message(message if isinstance(message, str) else json.dumps(message))

    async def text(self) -> str:
        """The next frame as text, inflated when it is binary."""
        message = await self.raw.get_message()
        return message if isinstance(message, str) else zlib.decompress(message, wbits=-15).decode()

    async def get(self) -> dict[str, object]:
        return cast("dict[str, object]", json.loads(await self.text()))

    async def ask(self, message: object) -> dict[str, object]:
        await self.send(message)
        return await self.get()

    async def login(
        self, timestamp: object, *, key: str = "sim-key", secret: str = "sim-secret", futures: bool = False
    ) -> dict[str, object]:
        sign = signature(secret, str(timestamp), "sim-memo", "bitmart.WebSocket")
        return await self.ask(
            {"action": "access", "args": [key, timestamp, sign, "web"]}
            if futures
            else {"op": "login", "args": [key, timestamp, sign]}
        )


class Floor:
    """A small exchange with its faces open, and ways to it."""

    def __init__(self, nursery: trio.Nursery, limits: Limits | None) -> None:
        self.small = SmallExchange()
        self.small.faults.bind(self.small.clock, self.small.random("faults"), self.small.log, salt="0")
        self.sockets = Sockets(as_exchange(self.small), self.small, limits)
        self.faults = self.small.faults
        self.nursery = nursery

    @property
    def connections(self) -> list[Connection]:
        return self.sockets.connections

    @property
    def account(self) -> Account:
        found = self.small.accounts.by_key("sim-key")
        assert found is not None
        return found[0]

    def dial(self, address: str = "127.0.0.1", capacity: int = 65536) -> Pipe:
        """A new connection to the HTTP face."""
        near, far = open_pipe(capacity)
        self.nursery.start_soon(self._serve, far, address)
        return near

    async def _serve(self, far: Pipe, address: str) -> None:
        await serve_stream(self.sockets, far, address=address)

    async def socket(self, kind: str, *, address: str = "127.0.0.1", query: str = "?protocol=1.1") -> Socket:
        """A client socket whose handshake has been accepted."""
        return Socket(
            await wrap_client_stream(
                self.nursery, cast("trio.SocketStream", self.dial(address)), "sim.invalid", f"/ws/{kind}{query}"
            )
        )

    @asynccontextmanager
    async def http(self) -> AsyncIterator[httpx.AsyncClient]:
        """An httpx client."""
        async with httpx.AsyncClient(transport=MemoryTransport(self.dial), base_url="http://sim.invalid") as client:
            yield client


@asynccontextmanager
async def open_floor(limits: Limits | None = None) -> AsyncIterator[Floor]:
    """Open the faces of a small exchange; everything ends with the block."""
    async with trio.open_nursery() as nursery:
        yield Floor(nursery, limits)
        nursery.cancel_scope.cancel()
