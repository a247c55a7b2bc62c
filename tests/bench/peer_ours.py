"""bitmart_trio itself, by its public face: ``python -m tests.bench.peer_ours '{...}'``."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import trio

import bitmart_trio as bm

from . import meter, work

PLAN = meter.plan()


async def _dial(url: str) -> trio.abc.Stream:
    """A TLS stream that trusts the bench's own certificate."""
    parts = urlsplit(url)
    stream = trio.SSLStream(
        await trio.open_tcp_stream(str(parts.hostname), parts.port or 443),
        ssl.create_default_context(cafile=PLAN["certificate"]),
        server_hostname=parts.hostname,
        https_compatible=True,
    )
    await stream.do_handshake()
    return stream


def _opening(streams: bm.Streams) -> Any:
    market = streams.spot if PLAN["market"] == "spot" else streams.futures
    symbols = work.symbols(PLAN["market"], PLAN["topics"])
    options: Any = {}
    if PLAN.get("buffer", "all") == "all":
        # Nothing may be left out by conflating: the peers are given every message, too.
        options = {"buffer": 2_000_000, "overflow": "fail"}
    if PLAN.get("overflow"):
        options = {"overflow": PLAN["overflow"]}
    if PLAN["kind"] != "depth":
        return getattr(market, PLAN["kind"])(*symbols, **options)
    if PLAN["market"] == "spot":
        return streams.spot.depth(*symbols, level=50, **options)
    return streams.futures.depth_all_v2(*symbols, level=50, **options)


def _read(item: Any) -> object:
    """What a user looks at: the best price, or all of a book."""
    if PLAN.get("look") == "all":
        return sum(level.size for level in item.bids) + sum(level.size for level in item.asks)
    if PLAN["kind"] == "depth":
        return item.bids[0].price
    return item.price if PLAN["kind"] == "trade" else item.last_price


async def stream() -> None:
    """Read all messages, by ``async for`` or in batches."""
    warm, count, seen, read = PLAN["warm"], PLAN["count"], 0, None
    paced, took = bool(PLAN.get("rate")), list[int]()
    watch = meter.Meter()
    config = bm.Config(tap=PLAN.get("tap", True))
    connect = _dial if PLAN.get("certificate") else None
    environment = bm.Environment.at(PLAN["url"])
    async with bm.open_streams(environment=environment, config=config, connect=connect) as streams:
        before = meter.memory()
        async with _opening(streams) as items:
            if PLAN.get("batches"):
                async for batch in items.batches():
                    for item in batch:
                        read = _read(item)
                        if paced and seen >= warm:
                            took.append(work.now() - item.trade_id)
                    seen += len(batch)
                    if seen == warm:
                        await trio.sleep(meter.SETTLE)
                        watch.start()
                    if seen == warm + count:
                        break
            else:
                async for item in items:
                    read = _read(item)
                    if paced and seen >= warm:
                        took.append(work.now() - item.trade_id)
                    seen += 1
                    if seen == warm:
                        await trio.sleep(meter.SETTLE)
                        watch.start()
                    if seen == warm + count:
                        break
            watch.stop(count, before=before, read=str(read), took=took)


async def first() -> None:
    """From the start of the process to the first message."""
    async with bm.open_streams(environment=bm.Environment.at(PLAN["url"])) as streams:
        async with _opening(streams) as items:
            item = await items.receive()
            meter.report(cpu=time.process_time(), count=1, read=str(_read(item)), wall=None)


async def sleeper() -> None:
    """Subscribe and sleep while all messages come in."""
    async with bm.open_streams(environment=bm.Environment.at(PLAN["url"])) as streams:
        async with _opening(streams) as items:
            await items.receive()
            before, received = meter.memory(), 0
            while received < PLAN["warm"] + PLAN["count"]:
                await trio.sleep(0.1)
                received = items.statistics().received
            grown = meter.memory() - before
            meter.report(memory=grown, count=received, read=str(_read(await items.receive())))


async def topics() -> None:
    """What holding topics takes beyond the first one, before much has come."""
    symbols = work.symbols(PLAN["market"], PLAN["topics"])
    async with bm.open_streams(environment=bm.Environment.at(PLAN["url"])) as streams:
        async with streams.futures.trade(symbols[0]) as items:
            before = meter.memory()
            await items.add(*symbols[1:])
            meter.report(memory=meter.memory() - before, cpu=0.0, count=1, read="")


async def opening() -> None:
    """Open and leave a subscription again and again, to a topic that is held: nothing goes over the wire."""
    (symbol,) = work.symbols(PLAN["market"], 1)
    watch = meter.Meter()
    async with bm.open_streams(environment=bm.Environment.at(PLAN["url"])) as streams:
        async with streams.futures.trade(symbol):
            for count in (PLAN["warm"], PLAN["count"]):
                watch.start()
                for _ in range(count):
                    async with streams.futures.trade(symbol):
                        pass
            watch.stop(PLAN["count"], read="")


async def fan_out() -> None:
    """Many subscriptions to one topic, a task for each."""
    warm, count, at_work = PLAN["warm"], PLAN["count"], PLAN["subscribers"]
    watch, warmed = meter.Meter(), trio.Event()
    ready = 0

    async def follow(items: Any) -> None:
        nonlocal ready
        seen = 0
        async for batch in items.batches():
            seen += len(batch)
            if seen == warm:
                ready += 1
                if ready == at_work:
                    warmed.set()
            if seen == warm + count:
                return

    async with bm.open_streams(environment=bm.Environment.at(PLAN["url"])) as streams, AsyncExitStack() as stack:
        first = await stack.enter_async_context(_opening(streams))
        before = meter.memory()
        more = [await stack.enter_async_context(_opening(streams)) for _ in range(1, at_work)]
        grown = meter.memory() - before
        async with trio.open_nursery() as nursery:
            for items in (first, *more):
                nursery.start_soon(follow, items)
            await warmed.wait()
            await trio.sleep(meter.SETTLE)
            watch.start()
        watch.stop(count, held=grown, read="")


async def connections() -> None:
    """Hold connections with one topic each."""
    roots = [f"http://127.0.0.1:{port}" for port in PLAN["ports"]]

    async def hold(stack: AsyncExitStack, root: str) -> None:
        streams = await stack.enter_async_context(bm.open_streams(environment=bm.Environment.at(root)))
        items = await stack.enter_async_context(_opening(streams))
        await items.receive()

    async with AsyncExitStack() as stack:
        await hold(stack, roots[0])
        before, begun = meter.memory(), time.process_time()
        for number in range(1, PLAN["connections"]):
            await hold(stack, roots[number % len(roots)])
        cpu, grown = time.process_time() - begun, meter.memory() - before
        meter.report(memory=grown, cpu=cpu, count=PLAN["connections"] - 1, read="")


# The exchange's quotas would make a bench wait: the same rows, with others. (The strictest row of a path counts.)
_QUOTA = bm.Quota(1_000_000)
_TICKER = bm.endpoints.spot.market.ticker
_ORDER = bm.endpoints.spot.trading.submit_order
TICKER: bm.Endpoint[bm.models.Ticker] = bm.Endpoint(
    "GET", "/bench/v3/ticker", bm.Auth.NONE, _QUOTA, returns=_TICKER.returns, params=_TICKER.params
)
ORDER: bm.Endpoint[bm.models.OrderPlaced] = bm.Endpoint(
    "POST",
    "/bench/v2/submit_order",
    bm.Auth.SIGNED,
    _QUOTA,
    returns=_ORDER.returns,
    params=_ORDER.params,
    rules=_ORDER.rules,
)


async def rest() -> None:
    """Calls one after the other, or many at once."""
    credentials = bm.Credentials("key", "secret", "memo")
    at_once = PLAN.get("at_once", 1)
    # A quarter of the slots is kept for cancels.
    config = bm.Config(max_connections=max(20, math.ceil(at_once * 4 / 3) + 1))
    environment = bm.Environment.at(PLAN["url"])
    async with bm.open_spot(credentials, environment=environment, config=config) as spot:

        async def get() -> str:
            return str((await spot.call(TICKER, symbol="BTC_USDT")).data.last_price)

        async def post() -> str:
            placed = await spot.call(
                ORDER, symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="30000", client_order_id="b1"
            )
            return placed.data.order_id

        call: Callable[[], Awaitable[str]] = get if PLAN["verb"] == "GET" else post
        read: list[str] = []

        async def work_off(count: int) -> None:
            for _ in range(count):
                read[:] = [await call()]

        watch = meter.Meter()
        for count in (PLAN["warm"], PLAN["count"]):
            watch.start()
            async with trio.open_nursery() as nursery:
                for _ in range(at_once):
                    nursery.start_soon(work_off, count // at_once)
        watch.stop(PLAN["count"] // at_once * at_once, read=read[0])


JOBS: dict[str, Callable[[], Awaitable[None]]] = {
    job.__name__: job for job in (stream, first, sleeper, topics, opening, fan_out, connections, rest)
}


def main() -> None:
    """Do what the plan says."""
    trio.run(JOBS[PLAN["do"]])


if __name__ == "__main__":
    main()
