"""A seed decides the order of events, also in a Trio of tomorrow, or a warning says that it does not."""

from __future__ import annotations

import random
import sys
from importlib import import_module

import pytest
import trio
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.testing import NotDeterministic, deterministic


def _interleaving(seed: int) -> list[int]:
    """The order in which twenty tasks, ready at the same moments, take their steps."""
    steps: list[int] = []

    async def main() -> None:
        async def walk(number: int) -> None:
            for _ in range(5):
                await trio.sleep(1)
                steps.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(walk, number)

    with deterministic(seed):
        trio.run(main, clock=MockClock(autojump_threshold=0))
    return steps


def test_one_seed_one_order() -> None:
    """The same seed gives the same interleaving of twenty tasks, different seeds different ones."""
    orders = [_interleaving(seed) for seed in range(10)]
    assert [_interleaving(seed) for seed in range(10)] == orders
    assert len({tuple(order) for order in orders}) == 10


def test_a_whole_program_repeats_itself() -> None:
    """An exchange, a client that loses its connection and comes back with jitter, a task that trades."""

    def run(seed: int) -> list[object]:
        seen: list[object] = []

        async def main() -> None:
            async with bm.sim.open_exchange(seed=5) as exchange, exchange.open_client() as client:

                async def watch(symbol: str) -> None:
                    async with client.streams.spot.trade(symbol, gaps="mark") as trades:
                        async for trade in trades:
                            seen.append((trio.current_time() - began, trade))  # noqa: PERF401

                began = trio.current_time()
                async with trio.open_nursery() as nursery:
                    for symbol in ("BTC_USDT", "ETH_USDT"):
                        nursery.start_soon(watch, symbol)
                    await trio.sleep(5)
                    exchange.drop_connections()
                    await trio.sleep(5)
                    nursery.cancel_scope.cancel()

        with deterministic(seed):
            trio.run(main, clock=MockClock(autojump_threshold=0))
        return seen

    first = run(1)
    assert len(first) > 20
    assert run(1) == first


def test_the_world_outside_is_not_disturbed() -> None:
    """Switch and random numbers are as they were, also after an error."""
    home = import_module("trio._core._run")
    switch, trios, pythons = home._ALLOW_DETERMINISTIC_SCHEDULING, home._r.getstate(), random.getstate()

    def fail() -> None:
        with deterministic(3):
            assert home._ALLOW_DETERMINISTIC_SCHEDULING
            random.random()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert switch == home._ALLOW_DETERMINISTIC_SCHEDULING
    assert trios == home._r.getstate()
    assert pythons == random.getstate()


def test_the_private_names_of_trio_are_still_there() -> None:
    """When this fails, a new Trio wants another way in ``testing/_schedule.py``."""
    home = sys.modules["trio._core._run"]
    assert isinstance(home.__dict__["_ALLOW_DETERMINISTIC_SCHEDULING"], bool)
    assert isinstance(home.__dict__["_r"], random.Random)


def test_without_them_users_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program runs, with a warning that says what is lost; Python's own chance is seeded all the same."""
    monkeypatch.delattr("trio._core._run._ALLOW_DETERMINISTIC_SCHEDULING")
    drawn: list[float] = []
    for _ in range(2):
        with pytest.warns(NotDeterministic, match="arbitrary order"), deterministic(3):
            drawn.append(random.random())
    assert drawn[0] == drawn[1]
