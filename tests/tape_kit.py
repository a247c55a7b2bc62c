"""What the tape tests share: a tape of all that the exchange published, a line that breaks at random, a reader."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

import attrs
import trio
from proof_sizes import BREAKS
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.models.stream_events import Backfilled, Gap
from bitmart_trio.sim.faults import RefuseUpgrade
from bitmart_trio.sim.venue import Venue

T = TypeVar("T")
Market = Literal["spot", "futures"]


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
        """The gaps that stayed."""
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
"""Gaps of some seconds, not minutes."""


def clock() -> MockClock:
    """A virtual clock of its own for each run."""
    return MockClock(autojump_threshold=0)


# ---- what is told of a trade and of an order, on the tape and to the reader ----


def trade_told(market: Market, row: dict[str, Any]) -> tuple[object, ...]:
    """A trade of the tape. A futures trade read over REST has whole seconds, so all are compared by these."""
    if market == "spot":
        return row["ms_t"], Decimal(row["price"]), Decimal(row["size"]), row["side"]
    side = "sell" if row["m"] else "buy"
    return row["created_at"][:19], Decimal(row["deal_price"]), Decimal(row["deal_vol"]), side


def trade_heard(item: models.SpotTrade | models.FuturesTrade) -> tuple[object, ...]:
    if isinstance(item, models.SpotTrade):
        return item.time, item.price, item.size, item.side.value
    return item.time[:19], item.price, item.size, "sell" if item.buyer_is_maker else "buy"


@attrs.frozen
class OrderState:
    """What both markets tell of an order."""

    order_id: str
    filled: Decimal
    closed: bool
    trade: str | None
    trade_size: Decimal | None


def order_told(market: Market, row: dict[str, Any]) -> OrderState:
    if market == "spot":
        closed = row["order_state"] not in ("new", "partially_filled")
        trade = row["detail_id"] or None
        return OrderState(row["order_id"], Decimal(row["filled_size"]), closed, trade, Decimal(row["last_fill_count"]))
    order = row["order"]
    last = order["last_trade"]
    return OrderState(
        order["order_id"],
        Decimal(order["deal_size"]),
        order["state"] == 4,
        None if last is None else str(last["lastTradeID"]),
        Decimal(0) if last is None else Decimal(last["fillQty"]),
    )


def order_heard(item: models.SpotOrderUpdate | models.FuturesOrderUpdate) -> OrderState:
    if isinstance(item, models.SpotOrderUpdate):
        assert item.order_state is not None
        closed = item.order_state.value not in ("new", "partially_filled")
        return OrderState(item.order_id, item.filled_size, closed, item.trade_id, item.last_fill_size)
    last = item.order.last_trade
    return OrderState(
        item.order.order_id,
        item.order.filled_size,
        item.order.state == 4,
        None if last is None else str(last.trade_id),
        Decimal(0) if last is None else last.size,
    )
