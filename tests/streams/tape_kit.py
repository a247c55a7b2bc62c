"""What the tape tests share: a tape of all that the exchange published, a line that breaks at random, a reader."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import attrs
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.models.stream_events import Backfilled, Gap
from bitmart_trio.sim.faults import RefuseUpgrade
from bitmart_trio.sim.glue import Venue

T = TypeVar("T")

SEEDS = int(os.environ.get("BITMART_SEEDS", "1"))
"""How many runs of each kind. The full proof takes hundreds."""
BREAKS = 6 if "BITMART_SEEDS" in os.environ else 3
"""How often the line breaks in a run."""


@attrs.define
class Tape:
    """All frames of a topic, and when they were published."""

    frames: list[tuple[float, Any]] = attrs.field(factory=list)

    def deliver(self, frame: Any) -> None:
        """Listen to the exchange's feed."""
        self.frames.append((trio.current_time(), frame["data"]))

    def rows(self) -> Iterable[tuple[float, Any]]:
        """Its items, one by one."""
        for at, data in self.frames:
            for row in data if isinstance(data, list) else [data]:
                yield at, row


@attrs.define
class Reader(Generic[T]):
    """What a subscription gave."""

    got: list[tuple[float, T | Gap | Backfilled]] = attrs.field(factory=list)

    async def read(self, subscription: bm.Subscription[T | Gap | Backfilled]) -> None:
        """Read to the end."""
        async for item in subscription:
            self.got.append((trio.current_time(), item))

    @property
    def items(self) -> list[T]:
        """Without what stands between them."""
        return [item for _, item in self.got if not isinstance(item, Gap | Backfilled)]

    @property
    def gaps(self) -> list[Gap]:
        """The holes that stayed."""
        return [item for _, item in self.got if isinstance(item, Gap)]

    @property
    def filled(self) -> int:
        """How many items are said to have been filled in."""
        return sum(item.count for _, item in self.got if isinstance(item, Backfilled))

    def declared(self, at: float) -> bool:
        """Whether what was published then may be missing."""
        return any(gap.since <= at <= gap.until for gap in self.gaps)


def check_counts(subscription: bm.Subscription[Any], reader: Reader[Any]) -> None:
    """The sum of the statistics, and what the marks say."""
    counts = subscription.statistics()
    assert counts.received + counts.backfilled == (
        counts.delivered + counts.conflated + counts.dropped + counts.repeated + counts.buffer_used
    )
    assert counts.backfilled == reader.filled
    assert counts.gaps == len(reader.gaps)


async def break_often(exchange: Venue, kind: str, draw: random.Random) -> None:
    """Break the connections of a kind now and then, sometimes for long, and end with the line up."""
    for _ in range(BREAKS):
        await trio.sleep(draw.choice((0.5, 5, 20)) * draw.random())
        refusals = draw.choice((0, 0, 1, 3))
        handle = exchange.faults.add(RefuseUpgrade(connection=kind, times=refusals)) if refusals else None
        exchange.drop_connections(kind)
        if handle is not None:
            await trio.sleep(12 * draw.random())
            handle.remove()
    await trio.sleep(30)


def lost_in_silence(tape: Iterable[tuple[float, T]], received: Counter[T], reader: Reader[Any]) -> Counter[T]:
    """What was published and neither received nor declared missing."""
    tape = list(tape)
    lacking = Counter(item for _, item in tape)
    lacking.subtract(received)
    for at, item in tape:
        if lacking[item] > 0 and reader.declared(at):
            lacking[item] -= 1
    return +lacking


@asynccontextmanager
async def reading(*pairs: tuple[bm.Subscription[Any], Reader[Any]]) -> Any:
    """Read subscriptions while inside."""
    async with trio.open_nursery() as nursery:
        for subscription, reader in pairs:
            nursery.start_soon(reader.read, subscription)
        yield
        nursery.cancel_scope.cancel()


CONFIG = bm.Config(backoff=bm.Backoff(first=0.3, maximum=4))
"""Holes of some seconds, not minutes."""


def clock() -> MockClock:
    """A virtual clock of its own for each run."""
    return MockClock(autojump_threshold=0)
