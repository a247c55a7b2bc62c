"""The join of REST's trades to the stream's, where it is hardest: trades of one moment alike, REST late, pushes late.

No sockets here: a tape is played into a subscription's buffer, with breaks, and a fake REST tells the last trades as
they were some time ago. ``BITMART_JOINS`` asks for more tapes.
"""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio
from proof_sizes import JOINS
from trio.testing import MockClock

from bitmart_trio import models
from bitmart_trio._io.gate import Gate
from bitmart_trio._io.subscription import Subscription
from bitmart_trio.models.stream_events import Backfilled, Gap
from bitmart_trio.streams._backfill import Row, Trade, TradeBackfiller
from bitmart_trio.streams.spot import trade as channel

TOPIC = "spot/trade:BTC_USDT"


@attrs.frozen
class World:
    """What is drawn for one tape."""

    random: random.Random
    grain: int
    """Milliseconds of a moment, as REST tells times."""
    limit: int
    """Trades that REST tells."""
    lag: float
    """How old REST's answer may be."""
    latency: float
    """How late a push may come."""
    pause: float
    """Seconds between trades, on average."""
    kinds: int
    """How many trades of one moment differ."""


def _world(seed: int) -> World:
    draw = random.Random(f"world {seed}")
    return World(
        draw,
        grain=draw.choice((1, 100, 1000)),
        limit=draw.choice((5, 20, 100)),
        lag=draw.choice((0.0, 0.0, 0.3, 2.0)),
        latency=draw.choice((0.0, 0.05, 0.4)),
        pause=draw.choice((0.05, 0.2, 2.0)),
        kinds=draw.choice((1, 2, 6)),
    )


class _Play:
    def __init__(self, world: World) -> None:
        self.world = world
        self.tape: list[tuple[float, models.SpotTrade]] = []
        self.due: list[float] = []
        """When each trade's push would have come."""
        self.got: list[tuple[float, Any]] = []
        self.up = False
        self.buffer: Gate[Any] = Gate(size=5000, overflow="fail", gaps="mark")
        self.buffer.topics[TOPIC] = None
        self.buffer.backfiller = TradeBackfiller(channel, self.key, self.read, coarse=world.grain > 1)

    def key(self, item: models.SpotTrade) -> Trade:
        assert item.time is not None
        return Trade(item.time // self.world.grain, item.price, item.size, item.side.value)

    async def read(self, symbol: str) -> list[Row[models.SpotTrade]]:
        world = self.world
        await trio.sleep(world.random.uniform(0, 0.2))
        seen = trio.current_time() - world.random.uniform(0, world.lag)
        await trio.sleep(world.random.uniform(0, 0.2))
        rows = [item for at, item in self.tape if at <= seen][-world.limit :]
        return [(self.key(item), item) for item in reversed(rows)]

    async def trades(self) -> None:
        """The market: its pushes come late, but in order."""
        draw, world = self.world.random, self.world
        due = 0.0
        send, receive = trio.open_memory_channel[tuple[models.SpotTrade, float, object]](10_000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.pushes, receive)
            while True:
                await trio.sleep(draw.expovariate(1 / world.pause))
                for _ in range(draw.choice((1, 1, 1, 3))):
                    item = models.SpotTrade(
                        symbol="BTC_USDT",
                        price=Decimal(draw.randrange(world.kinds)),
                        size=Decimal(1),
                        side=models.OrderSide.BUY,
                        time=models.Millis(int(trio.current_time() * 1000)),
                    )
                    now = trio.current_time()
                    due = max(due, now + draw.uniform(0, world.latency)) if self.up else now
                    self.tape.append((now, item))
                    self.due.append(due)
                    if self.up:
                        send.send_nowait((item, due, self.life))

    async def pushes(self, receive: trio.MemoryReceiveChannel[tuple[models.SpotTrade, float, object]]) -> None:
        async for item, due, life in receive:
            await trio.sleep_until(due)
            if self.life is life:  # else it was on a connection that is gone
                self.heard = trio.current_time()
                self.buffer.put(item, TOPIC, trio.current_time())

    async def line(self) -> None:
        """The connection: it breaks, and comes back."""
        draw = self.world.random
        self.life = object()
        self.up = True
        self.heard = trio.current_time()
        for epoch in range(1, 7):
            await trio.sleep(draw.choice((0.3, 3, 15)) * draw.random())
            since, self.up, self.life = self.heard, False, object()
            self.buffer.lost(TOPIC, Gap(trio.current_time(), trio.current_time(), "it broke", 0, TOPIC))
            await trio.sleep(draw.choice((0.1, 1, 5)) * draw.random())
            self.up = True
            self.heard = trio.current_time()
            self.buffer.gap(Gap(since, trio.current_time(), "it broke", epoch, TOPIC), connection=1)
        await trio.sleep(60)

    async def reader(self, subscription: Subscription[Any]) -> None:
        async for item in subscription:
            self.got.append((trio.current_time(), item))

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            self.buffer.start = nursery.start_soon
            with Subscription[Any](self.buffer) as subscription:
                nursery.start_soon(self.reader, subscription)  # noqa: ASYNC111  # cancelled below, inside
                nursery.start_soon(self.trades)
                await self.line()
                self.stopped = trio.current_time() - 10  # what was traded since may be on its way
                nursery.cancel_scope.cancel()


def _check(play: _Play) -> Counter[str]:
    items = [item for _, item in play.got if isinstance(item, models.SpotTrade)]
    gaps = [item for _, item in play.got if isinstance(item, Gap)]
    received = Counter(map(play.key, items))
    traded = Counter(play.key(item) for _, item in play.tape)
    assert not received - traded, "something was repeated"
    lacking = traded - received
    declared = 0
    for due, (at, item) in zip(play.due, play.tape, strict=True):
        trade = play.key(item)
        if lacking[trade] > 0 and any(gap.since <= due and at <= gap.until for gap in gaps):
            lacking[trade] -= 1
            declared += 1
        elif lacking[trade] > 0 and at > play.stopped:
            lacking[trade] -= 1
    assert not +lacking, "something was lost and not declared"
    statistics = play.buffer.statistics()
    assert statistics.received + statistics.backfilled == (
        statistics.delivered + statistics.conflated + statistics.dropped + statistics.repeated + statistics.buffer_used
    )
    filled = sum(item.count for _, item in play.got if isinstance(item, Backfilled))
    assert filled == statistics.backfilled
    return Counter(
        holes=6, gaps=len(gaps), traded=len(play.tape), filled=filled, repeated=statistics.repeated, declared=declared
    )


@pytest.mark.proof
@pytest.mark.parametrize("part", range(4))
def test_what_is_received_and_what_is_declared_missing_is_the_tape(part: int) -> None:
    """Whatever the moments, the lateness and the likeness of trades: nothing twice, and nothing lost in silence."""
    total: Counter[str] = Counter()
    for seed in range(part, JOINS, 4):
        play = _Play(_world(seed))
        try:
            trio.run(play.run, clock=MockClock(autojump_threshold=0))
            total += _check(play)
        except Exception as error:
            error.add_note(f"seed {seed}: {play.world}")
            raise
    assert total["filled"] > total["holes"] / 4, total
    assert total["gaps"] < total["holes"], total
