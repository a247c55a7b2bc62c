"""Cancelled at each of its checkpoints, a walk or an export leaves nothing behind and goes on without loss."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import attrs
import trio
from history_kit import Past, write_past

import bitmart_trio as bm
from bitmart_trio import history
from bitmart_trio.models import FuturesTransfer
from bitmart_trio.testing import sweep

T = TypeVar("T")

PAST = Past(
    spot_orders=0, algo_orders=0, deposits=0, withdrawals=0, loans=0, repayments=0, savings=0, family=0,
    futures_orders=0, transactions=0, transfers=4, days=30,
)  # fmt: skip


async def inline(call: Callable[[], T], /) -> T:
    await trio.lowlevel.checkpoint()
    return call()


@attrs.define
class World:
    """What each run is about."""

    client: bm.Client
    ledger: set[str]
    directory: Path
    walker: history.Walker[FuturesTransfer]
    told: list[str] = attrs.Factory(list[str])

    def walk(self, cursor: history.Cursor | None) -> history.Walker[FuturesTransfer]:
        return history.futures_transfers(self.client, since=PAST.since, cursor=cursor)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory() as directory:
        async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
            ledger = write_past(venue.exchange, PAST)["futures.account.transfers"]
            await client.futures.system.time()  # the connection is there in every run
            walker = history.futures_transfers(client, since=PAST.since)
            yield World(client, ledger, Path(directory), walker)


def test_a_walk_goes_on_from_any_checkpoint() -> None:
    """The same walker, asked again after the cancellation, tells exactly the rest."""

    async def body(world: World) -> None:
        async for transfer in world.walker:
            world.told.append(transfer.transfer_id)

    async def nothing_lost(world: World) -> None:
        await body(world)
        assert len(world.told) == len(set(world.told))
        assert set(world.told) == world.ledger

    report = sweep(body, around=world, invariants=[nothing_lost])
    assert report.checkpoints > 10


def test_an_export_goes_on_from_any_checkpoint() -> None:
    """The file, resumed after the cancellation, is that of an undisturbed run."""

    async def body(world: World) -> None:
        path = world.directory / "a.csv"
        await history.export(world.walk, FuturesTransfer, path, resume=True, run=inline)

    async def nothing_lost(world: World) -> None:
        await body(world)
        rows = (world.directory / "a.csv").read_text().splitlines()[1:]
        assert len(rows) == len(world.ledger)
        assert {row.partition(",")[0] for row in rows} == world.ledger

    report = sweep(body, around=world, invariants=[nothing_lost])
    assert report.checkpoints > 10
