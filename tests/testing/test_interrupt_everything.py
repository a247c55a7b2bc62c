"""Every public operation of the library is interrupted at checkpoints and lines, and ends as a plain Trio program."""

from __future__ import annotations

import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Final

import pytest
import trio
from operation_table import HISTORIES, OPENERS, READERS, REAL, REST, STREAMS, TABLE, TRADING, Operation, Scene
from proof_sizes import FULL, INTERRUPTED_LINES, INTERRUPTED_OPERATIONS, INTERRUPTED_SEEDS, INTERRUPTS
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio.testing import deterministic, interrupt_sweep, interrupt_sweep_here

ONE_WAY: Final = {*REST, *HISTORIES} - {"SpotMarket.ticker", "SpotTrading.submit_order", "spot_klines"}
"""Calls are all the same pipeline, histories the same walker: those are in the full proof only."""
LONG: Final = {"archive", "estimate"}
NEEDS_A_MARKET: Final = {*STREAMS, *READERS, *OPENERS}
STRUCK: Final[dict[int, set[str]]] = {}
"""Lines that were struck, of each seed: what hundreds of calls share is struck once in a run."""
HANDLED: Final = {"cancel_on_signals"}
"""They take the signal themselves."""


def _operations() -> dict[str, Operation]:
    """All in full, a sample of them otherwise; several names of one only once."""
    unique = {operation: name for name, operation in reversed(TABLE.items())}
    names = sorted(name for name in unique.values() if FULL or name not in ONE_WAY | LONG)
    if not FULL:
        names = sorted(random.Random(18).sample(names, min(INTERRUPTED_OPERATIONS, len(names))))
    return {name: TABLE[name] for name in names}


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(INTERRUPTED_SEEDS))
@pytest.mark.parametrize("name", _operations())
def test_interrupted_anywhere(name: str, seed: int, record_property: Callable[[str, object], None]) -> None:
    """With a client that lives on: it ends with a bare ``KeyboardInterrupt``, and leaves nothing."""

    async def main() -> None:
        live = name in NEEDS_A_MARKET
        async with (
            bm.sim.open_exchange(seed=seed, live=live, tick_seconds=1) as exchange,
            exchange.open_client() as client,
        ):
            scene = Scene(exchange, client)

            async def body() -> None:
                await TABLE[name](scene)

            async def no_open_orders() -> None:
                await trio.sleep(5)  # the quotas of hundreds of runs are one
                if name in TRADING:
                    assert await client.spot.trading.open_orders() == []
                    assert await client.futures.trading.open_orders() == []

            body.__qualname__ = name
            report = await interrupt_sweep_here(
                body,
                handled=name in HANDLED,
                invariants=[no_open_orders],
                struck=STRUCK.setdefault(seed, set()),
                sample=INTERRUPTED_LINES,
                seed=seed,
            )
            record_property("runs", report.runs)

    with deterministic(seed):
        trio.run(main, clock=MockClock(autojump_threshold=0))


@pytest.mark.proof
@pytest.mark.parametrize("body", [pytest.param(body, id=body.__name__) for body in dict.fromkeys(REAL.values())])
def test_interrupted_anywhere_in_real_time(body: Callable[[], Awaitable[None]]) -> None:
    """Sockets, files and threads."""
    assert interrupt_sweep(body, real_time=True, grace=5, sample=INTERRUPTED_LINES).runs > 2


# ---- under a flood ---------------------------------------------------------------------------------------------------

_PUSH: Final[dict[str, Any]] = {
    "table": "spot/trade",
    "data": [{"symbol": "BTC_USDT", "price": "60000.1", "size": "0.01", "side": "buy", "ms_t": 1767225600123}] * 20,
}


@asynccontextmanager
async def flooding() -> AsyncGenerator[bm.sim.Venue]:
    """An exchange that pushes as fast as it can."""

    async def flood() -> None:
        while True:
            for _ in range(20):
                exchange.exchange.feed.publish("spot/trade:BTC_USDT", _PUSH)
                await trio.lowlevel.checkpoint()
            await trio.sleep(0.001)

    async with bm.sim.open_exchange(live=False) as exchange:
        trio.lowlevel.spawn_system_task(flood, name="bitmart_trio.testing: flood")
        yield exchange


async def read(exchange: bm.sim.Venue, least: int = 2000) -> None:
    """A busy reader."""
    async with exchange.open_client() as client:
        async with client.streams.spot.trade("BTC_USDT", overflow="drop_oldest") as trades:
            count = 0
            async for batch in trades.batches():
                count += len(batch)
                if count > least:
                    break


@pytest.mark.proof
def test_interrupted_anywhere_under_a_flood() -> None:
    """At lines of the reader of the connection, of the router, of the buffers: all of them busy."""
    report = interrupt_sweep(read, around=flooding, sample=INTERRUPTED_LINES * 2, most=20_000)
    assert report.lines > 1000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers of processor time here")
@pytest.mark.proof
@pytest.mark.parametrize("run", [trio.run, bm.trading.run], ids=["trio.run", "trading.run"])
def test_a_signal_at_any_moment_of_a_flood(run: Callable[..., object], request: pytest.FixtureRequest) -> None:
    """After so much processor time, wherever the program is then: a bare ``KeyboardInterrupt``, or exit code 130."""

    async def main() -> None:
        async with flooding() as exchange:
            # From here on, so that it does not fall into the start of the event loop.
            signal.setitimer(signal.ITIMER_VIRTUAL, dice.uniform(0.001, 0.1))
            await read(exchange, least=10**9)

    def press(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGVTALRM, press)
    try:
        for seed in range(INTERRUPTS):
            dice = random.Random(seed)
            with pytest.raises((KeyboardInterrupt, SystemExit)) as caught:
                run(main)
            if run is trio.run:
                assert caught.type is KeyboardInterrupt, seed
            else:
                assert isinstance(caught.value, SystemExit), seed
                assert caught.value.code == 130
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGVTALRM, before[1])
