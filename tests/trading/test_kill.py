"""A bot as a subprocess, killed at random moments: told to stop it leaves nothing; killed, it is cleaned up after.

The moment is the n-th request that reaches the exchange, so each run stops somewhere else in the middle of things.
"""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import trio
from proof_sizes import FULL, KILLS

import bitmart_trio as bm
from bitmart_trio.sim import Request, Response
from bitmart_trio.sim.venue import Server

pytestmark = [pytest.mark.proof, pytest.mark.skipif(sys.platform == "win32", reason="signals as on POSIX")]

BOT: Final = Path(__file__).with_name("bot_program.py")
AFTER: Final = 30
"""The bot's dead man's switch, seconds."""
MOMENTS: Final = 150 if FULL else 40
"""The last request at which it is stopped; it trades in real time."""
PATIENCE: Final = 20.0
"""Seconds in which it must be gone after SIGINT or SIGTERM: its exit deadline is longer, but nothing is lost here."""


def own_orders(server: Server, market: str) -> list[str]:
    """The open orders that a session has placed, by client order id."""
    exchange = server.exchange
    if market == "spot":
        names = [order.form.client_order_id for order in exchange.spot.engine.open_orders("1")]
    else:
        account = exchange.accounts.get("1")
        assert account is not None
        names = [order.client_order_id for order in exchange.futures.engine.trader(account).orders.values()]
    return [name for name in names if name.startswith("bt")]


def on_request(server: Server, number: int, then: Callable[[], None]) -> None:
    """Do something when so many signed orders and cancels have reached the exchange, before the last one is handled."""
    handle, left = server.simulation.bitmart.serve, number

    def counting(request: Request) -> Response:
        nonlocal left
        if request.method == "POST" and "order" in request.path:
            left -= 1
            if left == 0:
                then()
        return handle(request)

    server.simulation.bitmart.serve = counting  # type: ignore[method-assign]


async def killed(server: Server, folder: Path, number: signal.Signals, after: int, *words: str) -> int:
    """Run the bot, and send it a signal after so many requests; how it ended."""
    process = await trio.lowlevel.open_process(
        [sys.executable, "-W", "error", str(BOT), server.url, str(folder), *words]
    )
    try:
        on_request(server, after, lambda: process.send_signal(number))
        with trio.fail_after(60):
            return await process.wait()
    finally:
        process.kill()


@pytest.mark.parametrize("run", range(KILLS))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_told_to_stop_it_leaves_nothing_open(tmp_path: Path, number: signal.Signals, run: int) -> None:
    """It exits within the deadline, with the code of the signal, and none of its orders is open."""
    rng = random.Random(f"{number}/{run}")
    async with bm.sim.open_server(seed=run) as server:
        await server_foreign(server)
        began = trio.current_time()
        code = await killed(server, tmp_path, number, rng.randint(1, MOMENTS))
        assert trio.current_time() - began < 60
        assert code == 128 + number
        assert own_orders(server, "spot") == own_orders(server, "futures") == []
        assert len(server.exchange.spot.engine.open_orders("1")) == 1, "somebody else's order was touched"


@pytest.mark.parametrize("run", range(max(1, KILLS // 2)))
async def test_a_keyboard_interrupt_leaves_nothing_open(tmp_path: Path, run: int) -> None:
    """Ctrl-C under plain ``trio.run``, which raises KeyboardInterrupt somewhere in the program."""
    rng = random.Random(f"plain/{run}")
    async with bm.sim.open_server(seed=run) as server:
        await killed(server, tmp_path, signal.SIGINT, rng.randint(1, MOMENTS), "plain")
        assert own_orders(server, "spot") == own_orders(server, "futures") == []


@pytest.mark.parametrize("run", range(KILLS))
async def test_killed_outright_it_is_cleaned_up_after(tmp_path: Path, run: int) -> None:
    """The exchange cancels the contracts' orders when the switch fires; the next start cancels what spot has left."""
    rng = random.Random(f"kill/{run}")
    async with bm.sim.open_server(seed=run) as server:
        await server_foreign(server)
        code = await killed(server, tmp_path, signal.SIGKILL, rng.randint(20, MOMENTS))
        assert code == -signal.SIGKILL
        left = own_orders(server, "spot")
        server.exchange.clock.step((AFTER + 1) * 1000)
        server.exchange.tick()
        assert own_orders(server, "futures") == []
        async with server.open_client() as client:
            session: bm.trading.SpotSession | None = None
            # One that was written down and never sent, perhaps, is not proven absent in so short a time.
            with suppress(bm.errors.ExitUnconfirmed):
                async with bm.trading.open_spot_session(
                    client, "BTC_USDT", journal=tmp_path / "spot.journal", deadline=3.0
                ) as session:
                    assert {status.client_order_id for status in session.leftovers} >= set(left)
                    assert own_orders(server, "spot") == []
            assert session is not None
            assert session.report is not None
            known = {order.form.client_order_id for order in server.exchange.spot.engine.of_account("1")}
            assert not {status.client_order_id for status in session.report.unconfirmed} & known
        assert len(server.exchange.spot.engine.open_orders("1")) == 1, "somebody else's order was touched"


async def server_foreign(server: Server) -> None:
    """An order of another program on the same account."""
    async with server.open_client() as client:
        await client.spot.trading.submit_order(
            symbol="BTC_USDT", side="buy", type="limit", size="0.001", price="20000", client_order_id="human1"
        )
