"""What the stream tests share."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import trio
from trio.testing import wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.venue import Venue

Market = Literal["spot", "futures"]
E = TypeVar("E", bound=models.StreamEvent)
T = TypeVar("T")


def drained(subscription: bm.Subscription[T]) -> list[T]:
    """All items that are ready."""
    found: list[T] = []
    while True:
        try:
            found.append(subscription.receive_nowait())
        except trio.WouldBlock:
            return found


async def ready(subscription: bm.Subscription[T]) -> list[T]:
    """All items that are ready once every task waits."""
    await wait_all_tasks_blocked()
    return drained(subscription)


def buy(exchange: Venue, market: Market) -> None:
    """Place an order that is filled at once, past all faults of REST."""
    direct = Direct(exchange.simulation.bitmart, address="10.0.0.9")
    if market == "spot":
        answer = direct.post("/spot/v2/submit_order", symbol="BTC_USDT", side="buy", type="market", notional="100")
    else:
        answer = direct.post("/contract/private/submit-order", symbol="BTCUSDT", side=1, type="market", size=5)
    assert answer.code == 1000, answer.body


async def wait_for(events: bm.Subscription[models.AnyStreamEvent], kind: type[E]) -> E:
    """The next event of a kind."""
    async for event in events:
        if isinstance(event, kind):
            return event
    raise AssertionError("the events ended")


def names(events: list[Any]) -> list[str]:
    """The kinds of events, in order."""
    return [type(event).__name__ for event in events]
