"""Two clients trade at random while connections misbehave: once things settle, the view is the exchange's ledger."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import trio
from account_kit import Replica, Trading, contents, ledger_of
from proof_sizes import VIEWS
from trio.testing import MockClock

from bitmart_trio import models
from bitmart_trio.sim.faults import (
    Delay,
    DropDuringLogin,
    Duplicate,
    Fail5xx,
    Fault,
    Gap,
    HalfReply,
    HangHandshake,
    LatePong,
    LoseReply,
    LoseRequest,
    Refuse429,
    RefuseUpgrade,
    Reorder,
    SlowLink,
    Stall,
)
from bitmart_trio.sim.venue import Venue, open_exchange

SECONDS = 40
"""Of trading, in each."""


def _noticed(rng: random.Random, market: str) -> Iterator[Fault]:
    """Faults that a client can notice."""
    private = f"{market}/private"
    reads = "/spot/*" if market == "spot" else "/contract/private/*"
    while True:
        yield rng.choice(
            (
                Stall(connection=private, lasting=rng.uniform(1, 40)),
                SlowLink(connection=private, lasting=rng.uniform(2, 10), bytes_per_second=rng.randint(300, 3000)),
                LatePong(connection=private, seconds=30, times=2),
                Duplicate(times=rng.randint(1, 5)),
                RefuseUpgrade(connection=private),
                HangHandshake(connection=private),
                DropDuringLogin(connection=private),
                Fail5xx(path=reads, times=rng.randint(1, 4)),
                Refuse429(path=reads),
                LoseReply(path=reads, times=rng.randint(1, 3)),
                HalfReply(path=reads, times=rng.randint(1, 3)),
                LoseRequest(path=reads),
                Delay(path=reads, seconds=rng.uniform(0.1, 4), times=rng.randint(1, 4), before=rng.random() < 0.5),
            )
        )


def _unnoticed(rng: random.Random, market: str) -> Iterator[Fault]:
    """Pushes that are lost or out of order on a connection that goes on."""
    topics = f"{market}/*"
    while True:
        yield rng.choice((Gap(topic=topics, times=rng.randint(1, 6)), Reorder(topic=topics, times=2)))


async def _misbehave(venue: Venue, rng: random.Random, market: str, lossy: bool) -> None:
    noticed, unnoticed = _noticed(rng, market), _unnoticed(rng, market)
    while True:
        await trio.sleep(rng.uniform(0.5, 6))
        if lossy and rng.random() < 0.6:
            venue.faults.add(next(unnoticed))
        elif rng.random() < 0.35:
            venue.drop_connections(f"{market}/private")
        else:
            venue.faults.add(next(noticed))


async def _live_on(venue: Venue) -> None:
    while True:
        venue.exchange.tick()
        await trio.sleep(0.25)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(VIEWS))
@pytest.mark.parametrize("lossy", [False, True], ids=["noticed", "lossy"])
@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_the_view_is_the_ledger_once_things_settle(
    autojump_clock: MockClock, market: str, lossy: bool, seed: int
) -> None:
    """Balances, open orders, positions, exactly; the changes alone give the same; reconcile finds lost pushes."""
    rng = random.Random(f"{market}/{lossy}/{seed}")
    replica = Replica()
    async with (
        open_exchange(seed=seed, live=False) as venue,
        venue.open_client() as one,
        venue.open_client() as other,
    ):
        reconcile = 20.0 if lossy else None
        opening = (
            one.streams.spot.account(reconcile=reconcile)
            if market == "spot"
            else one.streams.futures.account(reconcile=reconcile)
        )
        trading = Trading(venue, [one, other], rng)
        act = trading.spot if market == "spot" else trading.futures
        for _ in range(10):
            await act()
        async with opening as account, trio.open_nursery() as nursery:
            nursery.start_soon(replica.follow, account, lambda: 0.0)
            with trio.move_on_after(SECONDS):
                async with trio.open_nursery() as chaos:
                    chaos.start_soon(_live_on, venue)
                    chaos.start_soon(_misbehave, venue, rng, market, lossy)
                    while True:
                        await act()
                        await trio.sleep(rng.choice((0, 0, 0.01, 0.2, 1.0)))
            venue.faults.clear()
            # A dead connection may go unnoticed so long, or be tried again, or a reconcile be away.
            await trio.sleep(90)
            await account.wait_settled()
            assert account.state is models.AccountState.LIVE
            assert contents(account) == ledger_of(venue, market)
            assert trading.done > 30
            replica.assert_equals(account)
            assert replica.resynced[0] == "opened"
            nursery.cancel_scope.cancel()
