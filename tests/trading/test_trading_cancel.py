"""Cancelled at every checkpoint of a session's life, one after the other: nothing is left, at the exchange or here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from proof_sizes import moments
from trading_kit import MARKETS, open_ids, opener, rest, take

import bitmart_trio as bm
from bitmart_trio.sim import Venue
from bitmart_trio.testing import sweep


@asynccontextmanager
async def around() -> AsyncGenerator[Venue]:
    """An exchange that outlives the body."""
    async with bm.sim.open_exchange(seed=7, live=False, symbols=["BTC_USDT", "BTCUSDT"]) as venue:
        yield venue


def nothing_open(market: str) -> Callable[[Venue], None]:
    """The account has no open order."""

    def look(venue: Venue) -> None:
        assert open_ids(venue, market) == []

    return look


@pytest.mark.proof
@pytest.mark.parametrize("market", MARKETS)
def test_a_session_can_be_cancelled_anywhere(market: str) -> None:
    """Opening, submitting, waiting, cancelling, replacing, leaving."""

    async def body(venue: Venue) -> None:
        async with venue.open_client() as client, opener(client, market) as session:
            order = await rest(session)
            filled = await take(session)
            await filled.wait_filled()
            async for _ in filled.fills:
                pass
            await session.reconcile()
            other = await order.replace(price="31000")
            await other.cancel()
            await rest(session)

    report = sweep(body, around=around, invariants=[nothing_open(market)], moments=moments(market == "spot"))
    assert report.checkpoints > 20


def test_a_switch_can_be_cancelled_anywhere() -> None:
    """Its calls leave no slot and no task behind."""

    async def body(venue: Venue) -> None:
        async with venue.open_client() as client, bm.trading.dead_mans_switch(client, "BTCUSDT", after=9) as switch:
            assert switch.fires_in > 0

    assert sweep(body, around=around).checkpoints > 3


def test_closing_can_be_cancelled_anywhere() -> None:
    """Positions that the session opened are closed, wherever it was cancelled."""

    def flat(venue: Venue) -> None:
        account = venue.exchange.accounts.get("1")
        assert account is not None
        assert not list(venue.exchange.futures.engine.trader(account).open_positions())

    async def body(venue: Venue) -> None:
        async with (
            venue.open_client() as client,
            opener(client, "futures", on_exit="close", dead_mans_switch=9) as session,
        ):
            await (await take(session)).wait_filled()

    report = sweep(body, around=around, invariants=[flat, nothing_open("futures")], moments=["resuming"])
    assert report.checkpoints > 5
