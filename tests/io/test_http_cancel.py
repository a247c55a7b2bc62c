"""Cancelling a call anywhere leaves every slot, connection and quota place free, and the next call works."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

import httpx
import pytest
import trio
from http_kit import (
    CREDENTIALS,
    OPEN_ORDERS,
    ORDER,
    SUBMIT,
    TICKER,
    Script,
    Stream,
    bench,
    cancelled_at,
    good,
    refused,
    server_time,
    ticker,
    virtual,
)
from http_loopback import open_loopback, whole
from proof_sizes import CANCELLED_CALLS

from bitmart_trio._bitmart.rest import REST
from bitmart_trio._core.endpoint import Quota
from bitmart_trio._core.quota import Bucket
from bitmart_trio._io.http import Pipeline
from bitmart_trio._io.quota_queue import Line, QuotaQueue
from bitmart_trio._io.transport import LifoTransport, make_transport
from bitmart_trio.config import Config
from bitmart_trio.credentials import Credentials

GOOD = ticker().content
MOST_STOPS = 200


@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "as it goes on"])
async def test_cancelling_at_each_checkpoint_of_a_call(late: bool, autojump_clock: trio.testing.MockClock) -> None:
    """Through all that a call can go through: waiting for quota and slot, a slow signer, a refused time, a resync."""

    async def sign(message: bytes) -> str:
        await trio.sleep(0.1)
        return "ab"

    credentials = Credentials("k", memo="m", sign=sign)
    stops = 0
    for stop in range(1, MOST_STOPS):
        refusals = [refused(30007, 401)]

        def answer(request: httpx.Request, refusals: list[httpx.Response] = refusals) -> httpx.Response:
            if request.url.raw_path == b"/busy":
                return good({})
            if request.url.raw_path == b"/system/time":
                return server_time(0)
            if refusals:
                return refusals.pop()
            return httpx.Response(200, stream=Stream([b'{"code":1000,', b'"data":{"order_id":"7"}}']))

        script = Script(after=answer, takes=0.1)
        at = bench(script, Config(clock=virtual(), max_connections=1), credentials)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(at.pipeline.request, "GET", "/busy")  # holds the slot for a while
            await trio.testing.wait_all_tasks_blocked()
            cancelled = await cancelled_at(stop, lambda at=at: at.pipeline.call(SUBMIT, **ORDER), late=late)  # type: ignore[misc]
        assert at.free == at.total == 1
        assert script.inside == 0
        with trio.fail_after(10):
            await at.pipeline.call(SUBMIT, **ORDER)
        if not cancelled:
            stops = stop
            break
    await trio.lowlevel.checkpoint()
    assert stops > 8, "it must have gone through all of that"


@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "as it goes on"])
async def test_cancelling_at_each_checkpoint_over_a_real_connection(late: bool) -> None:
    """Connecting, sending, waiting, reading: the next call works, at once, on a connection of its own."""

    async def handler(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        reply = whole(b'{"code":1000,"data":{"order_id":"7"}}')
        await stream.send_all(reply[:60])
        await trio.testing.wait_all_tasks_blocked(0.001)
        await stream.send_all(reply[60:])
        return True

    for warm in (False, True):
        stops = 0
        for stop in range(1, MOST_STOPS):
            async with open_loopback(handler) as server, make_transport(Config()) as transport:
                at = bench(transport, Config(max_connections=1), root=server.url)
                if warm:
                    await at.pipeline.call(SUBMIT, **ORDER)
                cancelled = await cancelled_at(stop, lambda at=at: at.pipeline.call(SUBMIT, **ORDER), late=late)  # type: ignore[misc]
                assert at.free == at.total == 1
                assert transport.busy == 0
                with trio.fail_after(5):
                    await at.pipeline.call(SUBMIT, **ORDER)
                assert (transport.idle, transport.busy) == (1, 0)
            if not cancelled:
                stops = stop
                break
        assert stops > 2
    await trio.lowlevel.checkpoint()


async def test_cancelling_while_waiting_for_the_quota(autojump_clock: trio.testing.MockClock) -> None:
    """The line closes up."""
    at = bench(script := Script(after=good([])))
    for _ in range(12):
        await at.pipeline.call(OPEN_ORDERS)
    with trio.move_on_after(1):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(at.pipeline.call, OPEN_ORDERS)
    start = trio.current_time()
    await at.pipeline.call(OPEN_ORDERS)
    assert trio.current_time() - start == pytest.approx(1.005)
    assert len(script.seen) == 13


class Unlimited(QuotaQueue):
    """For measuring everything but the quota."""

    def line(self, root_url: str, verb_and_path: str, key: str | None) -> Line:
        return self._boundless

    _boundless = Line(Bucket(Quota(10**9, per=0.001)))


@pytest.mark.proof
async def test_calls_cancelled_at_random_by_the_thousand(record_property: Callable[[str, object], None]) -> None:
    """More tasks than connections, over real ones; then every slot is free and the next calls work."""
    calls, tasks, connections = CANCELLED_CALLS, 20, 10
    chance = random.Random(20261122)
    replies = (whole(GOOD), whole(b'{"code":1000,"data":[]}'))

    async def handler(head: bytes, body: bytes, stream: trio.SocketStream) -> bool:
        reply = replies[head.startswith(b"POST")]
        for _ in range(chance.randrange(4)):
            await trio.lowlevel.checkpoint()
        if chance.random() < 0.2:  # half a reply first
            await stream.send_all(reply[:70])
            await trio.lowlevel.checkpoint()
            await stream.send_all(reply[70:])
        else:
            await stream.send_all(reply)
        return True

    config = Config(max_connections=connections)
    counts = {"done": 0, "cancelled": 0}
    running: list[trio.CancelScope] = []

    async def caller(share: int) -> None:
        for number in range(share):
            with trio.CancelScope() as scope:
                running.append(scope)
                try:
                    if number % 3:
                        await pipeline.call(TICKER, symbol="BTC_USDT")
                    else:
                        await pipeline.call(OPEN_ORDERS)
                finally:
                    running.remove(scope)
            counts["cancelled" if scope.cancelled_caught else "done"] += 1
        await trio.lowlevel.checkpoint()

    async def canceller() -> None:
        while True:
            await trio.lowlevel.checkpoint()
            if running and chance.random() < 0.6:
                chance.choice(running).cancel()

    async with open_loopback(handler) as server, make_transport(config) as transport:
        assert isinstance(transport, LifoTransport)
        quota_queue = Unlimited(config, REST.rows)
        pipeline = Pipeline(server.url, CREDENTIALS, config, dialect=REST, transport=transport, quota_queue=quota_queue)
        slots = quota_queue.host(server.url).slots
        began = time.perf_counter()
        with trio.fail_after(180):
            async with trio.open_nursery() as background:
                background.start_soon(canceller)
                async with trio.open_nursery() as nursery:
                    for _ in range(tasks):
                        nursery.start_soon(caller, calls // tasks)
                background.cancel_scope.cancel()
        took = time.perf_counter() - began
        assert slots.free == slots.total == connections
        assert transport.busy == 0
        assert transport.idle <= connections
        assert server.most_open <= connections + 1, "a closed one may not have been noticed yet"
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                for _ in range(connections):
                    nursery.start_soon(lambda: pipeline.call(TICKER, symbol="BTC_USDT"))
        assert slots.free == connections
        figures = (
            f"{calls} calls by {tasks} tasks over {connections} connections in {took:.1f} s: {counts['done']} done, "
            f"{counts['cancelled']} cancelled, {server.accepted} connections opened, at most {server.most_open} at once"
        )
        record_property("figures", figures)
        sys.stdout.write(f"\n{figures}\n")
    assert counts["done"] + counts["cancelled"] == calls
    assert counts["cancelled"] > calls / 5
    assert counts["done"] > calls / 5
