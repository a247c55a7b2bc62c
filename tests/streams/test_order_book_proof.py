"""While an order book is live it is the exchange's, whatever happens to its messages."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Final

import attrs
import pytest
import trio
from book_kit import Truth
from proof_sizes import BOOK_UPDATES
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.sim.faults import Drop, Duplicate, Gap, Garbage, MuteTopic, Reorder, SlowLink, Stall
from bitmart_trio.sim.venue import open_exchange

logger = logging.getLogger(__name__)

CLIENTS: Final = 4
"""Each with connections, and so with faults, of its own."""

BOOKS: Final = [
    *((f"spot/depth/increase100:{symbol}", symbol, 100, "") for symbol in ("BTC_USDT", "ETH_USDT", "BMX_USDT")),
    *(
        (f"futures/depthIncrease{level}:{symbol}@{speed}", symbol, level, speed)
        for level in (5, 20, 50)
        for speed in ("100ms", "200ms")
        for symbol in ("BTCUSDT", "ETHUSDT")
    ),
]


@pytest.mark.proof
async def test_a_live_book_is_the_exchanges_own(autojump_clock: MockClock) -> None:
    """Through drops, losses, repeats, disorder, garbage and delays: whenever live, level for level that of its version.

    The truth is what the exchange's matching engine held when it pushed that version. Readers look at all changes.
    """
    rnd = Random(BOOK_UPDATES)
    config = bm.Config(backoff=bm.Backoff(first=0.2, maximum=1))
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(open_exchange(seed=11))
        clients = [await stack.enter_async_context(exchange.open_client(config=config)) for _ in range(CLIENTS)]
        truths = [Truth(exchange, topic, symbol, level) for topic, symbol, level, _ in BOOKS]
        books: list[bm.OrderBook] = []
        opened = trio.Event()

        async def follow(streams: bm.Streams, truth: Truth, speed: Any) -> None:
            opening = (
                streams.spot.order_book(truth.symbol)
                if truth.topic.startswith("spot/")
                else streams.futures.order_book(truth.symbol, level=truth.level, speed=speed)  # type: ignore[arg-type]
            )
            async with opening as book:
                books.append(book)
                if len(books) == len(BOOKS) * CLIENTS:
                    opened.set()
                slow = Random(f"{len(books)} {truth.topic}")
                async for _ in book:
                    truth.check(book)
                    if slow.random() < 0.003:  # seldom enough to see most updates, often enough for a short run
                        await trio.sleep(slow.random() * 20)

        async def misbehave() -> None:
            faults = exchange.faults
            for pattern in ("spot/depth/increase100:*", "futures/depthIncrease*"):
                faults.add(Gap(topic=pattern, chance=0.01, times=None))
                faults.add(Duplicate(topic=pattern, chance=0.02, times=None))
                faults.add(Reorder(topic=pattern, chance=0.01, times=None))
                faults.add(Garbage(topic=pattern, chance=0.005, times=None))
            exchange.drop_connections("*/public")  # at least once, however short the run
            while True:
                await trio.sleep(rnd.uniform(2, 15))
                kind = rnd.choice(["spot/public", "futures/public", "*/public"])
                match rnd.randrange(5):
                    case 0:
                        exchange.drop_connections(kind)
                    case 1:
                        faults.add(Drop(connection=kind, after=rnd.randrange(1, 200)))
                    case 2:
                        faults.add(Stall(connection=kind, lasting=rnd.uniform(0.1, 20)))
                    case 3:
                        faults.add(SlowLink(connection=kind, bytes_per_second=3000, lasting=rnd.uniform(1, 10)))
                    case _:
                        faults.add(MuteTopic(topic=f"{rnd.choice(BOOKS)[0]}*", lasting=rnd.uniform(1, 30)))

        async with trio.open_nursery() as nursery:
            for client in clients:
                for truth, (_, _, _, speed) in zip(truths, BOOKS, strict=True):
                    nursery.start_soon(follow, client.streams, truth, speed)
            await opened.wait()
            chaos = trio.CancelScope()

            async def scoped() -> None:
                with chaos:
                    await misbehave()

            nursery.start_soon(scoped)
            live = samples = 0
            while sum(book.statistics().updates for book in books) < BOOK_UPDATES:
                await trio.sleep(1)
                samples += len(books)
                live += sum(book.state is bm.BookState.LIVE for book in books)
            chaos.cancel()
            exchange.faults.clear()
            with trio.fail_after(60):
                for book in books:
                    await book.wait_live()
            nursery.cancel_scope.cancel()

        totals = {
            field.name: sum(getattr(book.statistics(), field.name) or 0 for book in books)
            for field in attrs.fields(bm.BookStatistics)
        }
        checked = sum(truth.checked for truth in truths)
        logger.info("%s, %d comparisons, live %.1f %% of the time", totals, checked, 100 * live / samples)
        assert totals["updates"] >= BOOK_UPDATES
        assert checked > 0.7 * BOOK_UPDATES
        assert live > 0.7 * samples
        assert min(totals[name] for name in ("gaps", "stale_dropped", "resyncs", "reconnects", "conflated")) > 0
        assert totals["crossed"] == 0
