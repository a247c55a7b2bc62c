"""What the tests of the REST pipeline share: an exchange that answers from a script, and a pipeline in front of it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, TypeAlias

import attrs
import httpx
import trio

from bitmart_trio._bitmart.rest import REST
from bitmart_trio._core.endpoint import Endpoint
from bitmart_trio._io.http import Pipeline
from bitmart_trio._io.quota_queue import QuotaQueue
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials
from bitmart_trio.models.spot_market import Ticker
from bitmart_trio.models.spot_trading import OrderPlaced
from bitmart_trio.rest import spot_account, spot_market, spot_trading

ROOT: Final = "http://exchange.test"
CREDENTIALS: Final = Credentials("the-key", "the-secret", "the-memo")
EPOCH: Final = 1_700_000_000.0

TICKER: Final[Endpoint[Ticker]] = spot_market.ticker
"""A public read, 15 in 2 s."""
BALANCES: Final = spot_account.spot_balances
"""A read with the key alone."""
OPEN_ORDERS: Final = spot_trading.open_orders
"""A signed read by POST."""
SUBMIT: Final[Endpoint[OrderPlaced]] = spot_trading.submit_order
"""A write."""
CANCEL: Final = spot_trading.cancel_order
"""An urgent write."""
ORDER: Final[Mapping[str, object]] = {
    "symbol": "BTC_USDT",
    "side": "buy",
    "type": "limit",
    "size": "1",
    "price": "2",
    "client_order_id": "bot1",
}

TICKER_DATA: Final = {
    "symbol": "BTC_USDT",
    "last": "2.5",
    "v_24h": "1",
    "qv_24h": "1",
    "open_24h": "1",
    "high_24h": "1",
    "low_24h": "1",
    "fluctuation": "0",
    "bid_px": "1",
    "bid_sz": "1",
    "ask_px": "1",
    "ask_sz": "1",
    "ts": "1700000000000",
}


def good(data: object, **headers: str) -> httpx.Response:
    """A good reply."""
    return httpx.Response(200, json={"code": 1000, "message": "OK", "trace": "t", "data": data}, headers=headers)


def ticker(**headers: str) -> httpx.Response:
    return good(TICKER_DATA, **headers)


def placed() -> httpx.Response:
    return good({"order_id": "7"})


def refused(code: int, status: int, message: str = "no", **headers: str) -> httpx.Response:
    """The exchange says no."""
    return httpx.Response(status, json={"code": code, "message": message, "trace": "t", "data": {}}, headers=headers)


def page(status: int) -> httpx.Response:
    """A page from the network in front of the exchange."""
    return httpx.Response(status, html="<html><body>Bad Gateway</body></html>")


def server_time(seconds: float) -> httpx.Response:
    return good({"server_time": round(seconds * 1000)})


class Stream(httpx.AsyncByteStream):
    """A body that comes in pieces, and may end with an error."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self.pieces = deque(pieces)
        self.error = error
        self.closed = False
        self.read = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.closed:
            raise httpx.ReadError("closed")
        if self.pieces:
            self.read += 1
            return self.pieces.popleft()
        if self.error is not None:
            raise self.error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


Answer: TypeAlias = "httpx.Response | Exception | Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]"


@attrs.frozen
class Seen:
    """One request as it went out."""

    at: float
    method: str
    target: str
    headers: httpx.Headers
    body: bytes


class Script(httpx.AsyncBaseTransport):
    """Answers requests one after another from a script; after its end, with `after`.

    Args:
        answers: a reply, an exception to raise, or a function of the request.
        after: for all further requests.
        takes: seconds for each.
    """

    def __init__(self, *answers: Answer, after: Answer | None = None, takes: float = 0.0) -> None:
        self.answers = deque(answers)
        self.after = after
        self.takes = takes
        self.seen: list[Seen] = []
        self.inside = 0
        self.most_inside = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(
            Seen(
                trio.current_time(),
                request.method,
                request.url.raw_path.decode(),
                request.headers,
                await request.aread(),
            )
        )
        answer = self.answers.popleft() if self.answers else self.after
        assert answer is not None, f"nothing in the script for {request.method} {request.url}"
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await trio.sleep(self.takes)
        finally:
            self.inside -= 1
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        made = answer(request)
        return made if isinstance(made, httpx.Response) else await made

    @property
    def targets(self) -> list[str]:
        return [seen.target for seen in self.seen]


@attrs.frozen
class Bench:
    """A pipeline with everything around it in reach."""

    pipeline: Pipeline
    script: httpx.AsyncBaseTransport
    quota_queue: QuotaQueue
    root: str

    @property
    def free(self) -> int:
        return self.quota_queue.host(self.root).slots.free

    @property
    def total(self) -> int:
        return self.quota_queue.host(self.root).slots.total


def bench(
    transport: httpx.AsyncBaseTransport,
    config: Config | None = None,
    credentials: Credentials | None = CREDENTIALS,
    root: str = ROOT,
) -> Bench:
    """A pipeline in front of a transport; jitter is always the longest."""
    config = config or Config()
    quota_queue = QuotaQueue(config, REST.rows, random=lambda: 1.0)
    pipeline = Pipeline(root, credentials, config, dialect=REST, transport=transport, quota_queue=quota_queue)
    return Bench(pipeline, transport, quota_queue, root)


def virtual(offset: float = 0.0) -> Callable[[], float]:
    """A wall clock that follows Trio's, and differs from the exchange's by an offset."""
    start = trio.current_time()
    return lambda: EPOCH + offset + trio.current_time() - start


def body_of(seen: Seen) -> object:
    return json.loads(seen.body)


class CancelAt(trio.abc.Instrument):
    """Cancels a scope at the k-th stop of the task that made this.

    Args:
        scope: what to cancel.
        stop: which stop, from 1.
        late: cancel when it goes on again after that stop, so that the next checkpoint feels it; else while it waits.
    """

    def __init__(self, scope: trio.CancelScope, stop: int, *, late: bool) -> None:
        self._task = trio.lowlevel.current_task()
        self._scope = scope
        self._stop = stop
        self._late = late
        self._stops = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self._stops += 1
            if self._stops == self._stop and not self._late:
                self._scope.cancel()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task and self._stops == self._stop and self._late:
            self._scope.cancel()


async def cancelled_at(stop: int, call: Callable[[], Awaitable[object]], *, late: bool) -> bool:
    """Cancel a call at its k-th stop; whether it was cancelled, or was over before."""
    with trio.CancelScope() as scope:
        instrument = CancelAt(scope, stop, late=late)
        trio.lowlevel.add_instrument(instrument)
        try:
            await call()
        finally:
            trio.lowlevel.remove_instrument(instrument)
    return scope.cancelled_caught
