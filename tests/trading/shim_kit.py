"""A shim between client and exchange, of the tests' own: replies are changed on their way, as a late replica would."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from typing import Any, TypeAlias

import attrs
import httpx
import trio

import bitmart_trio as bm
from bitmart_trio.sim.venue import Venue
from bitmart_trio.trading import Session

Change: TypeAlias = Callable[[Any], Any]
"""From the data of a reply to what the client gets instead; raises `Gone` for "no such order"."""

LOOK_UPS = {"spot": "/spot/v4/query/*order*", "futures": "/contract/private/*order*"}
TRADES = {"spot": "/spot/v4/query/*trades", "futures": "/contract/private/trades"}


class Gone(Exception):
    """What is asked for is not there, says the shim."""


@attrs.define
class Shim(httpx.AsyncBaseTransport):
    """The transport of a client, with changes."""

    inner: httpx.AsyncBaseTransport
    changes: list[tuple[str, str, Change]] = attrs.Factory(list)

    def change(self, method: str, path: str, change: Change) -> None:
        """Have the data of the replies of a path changed from now on; ``method`` and path are globs."""
        self.changes.append((method, path, change))

    def late(self, path: str, seconds: float, change: Change) -> None:
        """The same for some seconds only."""
        until = trio.current_time() + seconds
        self.change("*", path, lambda data: change(data) if trio.current_time() < until else data)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the exchange, and change what it says."""
        response = await self.inner.handle_async_request(request)
        path = request.url.path
        wanted = [
            each for method, glob, each in self.changes if fnmatch(request.method, method) and fnmatch(path, glob)
        ]
        if not wanted or path.startswith("/contract/private/submit") or "submit_order" in path or "cancel" in path:
            return response
        body = json.loads(await response.aread())
        await response.aclose()
        status = response.status_code
        try:
            for change in wanted:
                if body.get("code") == 1000:
                    body = {**body, "data": change(body["data"])}
        except Gone:
            status = 400
            code = 50005 if path.startswith("/spot") else 40035
            body = {"code": code, "message": "no such order", "trace": "shim", "data": {}}
        return httpx.Response(status, headers={"Content-Type": "application/json"}, content=json.dumps(body).encode())

    async def aclose(self) -> None:
        """Close the transport below."""
        await self.inner.aclose()


def missing(data: Any) -> Any:
    """Nothing of it is shown: an empty list, or no such order."""
    if isinstance(data, list):
        return []
    for name in ("orders", "trades", "list"):
        if isinstance(data.get(name), list):
            return {**data, name: []}
    raise Gone


@asynccontextmanager
async def shimmed(seed: int = 7) -> AsyncGenerator[tuple[Venue, bm.Client, Shim]]:
    """An exchange, a client on it, and the shim between them."""
    async with bm.sim.open_exchange(seed=seed, live=False) as venue:
        shim = Shim(venue.http_transport())
        async with bm.open_client(
            venue.credentials,
            environment=venue.environment,
            config=bm.Config(clock=venue.clock),
            http_transport=shim,
            connect=venue.connect,
        ) as client:
            yield venue, client, shim


def pushes(session: Session, change: Callable[[Any], Any]) -> None:
    """Have the order pushes of a session changed, before they are read."""
    adapter: Any = session._engine.adapter  # pyright: ignore[reportPrivateUsage]
    read = adapter.read
    adapter.read = lambda item: read(change(item))
