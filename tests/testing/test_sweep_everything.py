"""Every public operation of the library is cancelled at each of its checkpoints, and leaves nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import pytest
import trio
from operation_table import (
    HISTORIES,
    OPENERS,
    READERS,
    REAL,
    REST,
    STREAMS,
    TABLE,
    TRADING,
    Operation,
    Scene,
    public_operations,
)
from proof_sizes import FULL, SWEEPS, moments
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio._io.quota_queue import Slots
from bitmart_trio.testing import SweepFailure, SweepReport, deterministic, sweep, sweep_here

ONE_OF_A_KIND: Final = {
    "SpotMarket.ticker",
    "SpotAccount.balances",
    "SpotTrading.submit_order",
    "FuturesTrading.submit_order",
    "spot_klines",
}
SAMPLE: Final = {*random.Random(6).sample(sorted(HISTORIES), 4), *random.Random(6).sample(sorted(REST), 20)}
ANOTHER_TIME: Final[set[str]] = set() if FULL else {*REST, *HISTORIES, "archive"} - ONE_OF_A_KIND - SAMPLE
"""Calls are all the same pipeline, histories the same walker: but in the full proof a sample of them.

A whole archive has hundreds of checkpoints; as it stands it is killed in `tests/history` instead.
"""

NEEDS_A_MARKET: Final = {*STREAMS, *READERS, *OPENERS}
"""For these the market moves."""


def _groups() -> dict[str, dict[str, Operation]]:
    """The operations, several names of one only once, by the class that they belong to."""
    found: defaultdict[str, dict[str, Operation]] = defaultdict(dict)
    seen: set[int] = set()
    for name, operation in TABLE.items():
        if id(operation) not in seen and name not in ANOTHER_TIME:
            seen.add(id(operation))
            found[name.rpartition(".")[0] or "functions"][name] = operation
    return found


GROUPS: Final = _groups()


def test_nothing_is_missing() -> None:
    """The table has every public operation, and none that does not exist."""
    have = {*TABLE, *REAL}
    assert sorted(public_operations() - have) == []
    assert sorted(have - public_operations()) == []


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(SWEEPS))
@pytest.mark.parametrize("group", GROUPS)
def test_cancelled_anywhere(group: str, seed: int, record_property: Callable[[str, object], None]) -> None:
    """With a client that lives on: after each cancellation what it holds is as after an undisturbed call."""

    async def main() -> dict[str, SweepReport]:
        reports: dict[str, SweepReport] = {}
        for live in (False, True):
            names = {name: run for name, run in GROUPS[group].items() if (name in NEEDS_A_MARKET) is live}
            if names:
                reports |= await _sweep_all(names, seed, live=live)
        return reports

    with deterministic(seed):
        reports = trio.run(main, clock=MockClock(autojump_threshold=0))
    record_property("checkpoints", {name: report.checkpoints for name, report in reports.items()})
    record_property("runs", sum(report.runs for report in reports.values()))
    assert all(report.checkpoints for report in reports.values())


async def _sweep_all(operations: dict[str, Operation], seed: int, *, live: bool) -> dict[str, SweepReport]:
    reports: dict[str, SweepReport] = {}
    async with bm.sim.open_exchange(seed=seed, live=live, tick_seconds=1) as exchange, exchange.open_client() as client:
        scene = Scene(exchange, client)
        if not live:
            for turn, (name, operation) in enumerate(operations.items()):
                holds = [partial(_no_open_orders, client)] if name in TRADING else []
                body = _named(name, operation, scene)
                reports[name] = await sweep_here(body, invariants=holds, moments=moments(turn % 2))
            return reports
        # Connections stay open all the time, as in a program; what comes and goes is the one that is swept.
        async with (
            client.streams.spot.ticker("ETH_USDT"),
            client.streams.spot.user_order("ETH_USDT"),
            client.streams.futures.ticker("ETHUSDT"),
            client.streams.futures.asset("ETH"),
        ):
            for turn, (name, operation) in enumerate(operations.items()):
                reports[name] = await sweep_here(_named(name, operation, scene), moments=moments(turn % 2))
    return reports


async def _no_open_orders(client: bm.Client) -> None:
    """A session leaves none, however it ends."""
    assert await client.spot.trading.open_orders() == []
    assert await client.futures.trading.open_orders() == []
    assert await client.futures.trading.plan_orders() == []


@pytest.mark.parametrize("body", [pytest.param(body, id=body.__name__) for body in dict.fromkeys(REAL.values())])
def test_cancelled_anywhere_in_real_time(body: Callable[[], Awaitable[None]]) -> None:
    """Sockets, files and threads."""
    assert sweep(body, real_time=True, grace=5).checkpoints


def _named(name: str, operation: Operation, scene: Scene) -> Callable[[], Awaitable[None]]:
    async def body() -> None:
        await operation(scene)

    body.__qualname__ = name
    return body


def test_a_leak_in_the_library_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep is not blind: a slot that is given back only when all goes well is missed at once."""

    @asynccontextmanager
    async def careless(self: Slots, urgent: bool) -> AsyncGenerator[None]:
        borrower = object()
        await self._all.acquire_on_behalf_of(borrower)
        yield
        self._all.release_on_behalf_of(borrower)

    async def main() -> None:
        async with bm.sim.open_exchange(live=False) as exchange, exchange.open_client() as client:
            with pytest.raises(SweepFailure, match="1 x slot: a token of a CapacityLimiter"):
                await sweep_here(_named("SpotMarket.ticker", TABLE["SpotMarket.ticker"], Scene(exchange, client)))

    monkeypatch.setattr(Slots, "take", careless)
    trio.run(main, clock=MockClock(autojump_threshold=0))
