"""The simulated exchange itself: owner of clock, accounts, routes, feed and both markets.

It answers one request at a time; everything but `Exchange.run` is synchronous and deterministic: one seed and the same
requests at the same exchange times give the same answers. Sockets and HTTP live in the faces (``http.py``,
``sockets.py``); they call `Exchange.handle` and listen to `Exchange.feed`.
"""

from __future__ import annotations

import random

import trio

from . import system
from .accounts import SIM_KEY, SIM_MEMO, SIM_SECRET, SIM_SUB_KEYS, SUB_PERMISSIONS, Accounts
from .clock import Clock
from .eventlog import EventLog
from .faults import Faults
from .feed import Feed
from .flow import Flow
from .futures import FuturesMarket
from .gate import Gate
from .spot import SpotMarket
from .transfers import FamilyBook
from .wire import Json, Request, Response, Routes

START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC: where exchange time begins unless told otherwise."""
TICK_SECONDS = 0.1


class Exchange:
    """One simulated exchange with a default account (key ``sim-key``, secret ``sim-secret``, memo ``sim-memo``).

    That account has two sub-accounts: ``desk1@example.com`` (key ``sim-sub-key``, secret ``sim-sub-secret``, memo
    ``sim-sub-memo``) and ``desk2@example.com`` (the same with ``sub2``).

    Args:
        seed: What every random choice is derived from.
        start: Exchange time at creation, in milliseconds.
    """

    def __init__(self, *, seed: int = 0, start: int | None = None) -> None:
        self.seed = seed
        self.clock: Clock = Clock(START_MS if start is None else start)
        self.log: EventLog = EventLog(self.clock)
        self.accounts: Accounts = Accounts()
        self.routes: Routes = Routes()
        self.feed: Feed = Feed()
        self.faults: Faults = Faults()
        # Above 2^53 on purpose, like the real ones: a client that reads ids as doubles fails here too.
        self._last_id = self.clock.start << 20
        # The futures side's are documented with 15 and 16 digits and come as JSON numbers too: every client can hold
        # them.
        self._last_contract_id = self.clock.start << 10
        self._traces = self.random("trace")
        self.services: list[Json] = system.completed_services(self.clock.start)
        """What ``/system/service`` lists."""
        self.accounts.add(
            "1",
            key=SIM_KEY,
            secret=SIM_SECRET,
            memo=SIM_MEMO,
            futures={"USDT": 100_000, "BTC": 1},
            balances={"USDT": 100_000, "BTC": 10, "ETH": 100, "BMX": 10_000},
            name="main@example.com",
        )
        for number, (key, secret, memo) in enumerate(SIM_SUB_KEYS, 1):
            self.accounts.add(
                f"100{number}",
                key=key,
                secret=secret,
                memo=memo,
                permissions=SUB_PERMISSIONS,
                balances={"USDT": 1_000},
                futures={"USDT": 1_000},
                parent="1",
                name=f"desk{number}@example.com",
            )
        self.family: FamilyBook = FamilyBook()
        self.flow: Flow = Flow(self)
        self.routes.include(system.routes)
        self.spot: SpotMarket = SpotMarket(self)
        self.futures: FuturesMarket = FuturesMarket(self)
        self.gate: Gate = Gate(self)

    def now_ms(self) -> int:
        """Exchange time in milliseconds, skew included."""
        return self.clock.now_ms()

    def random(self, purpose: str) -> random.Random:
        """A random stream of its own for each purpose, so that one more draw here changes nothing there."""
        return random.Random(f"{self.seed}/{purpose}")

    def new_id(self) -> str:
        """The next id: numeric text, ascending."""
        self._last_id += 1
        return str(self._last_id)

    def new_contract_id(self) -> str:
        """The futures side's next id: numeric text, ascending, below 2^53."""
        self._last_contract_id += 1
        return str(self._last_contract_id)

    def trace(self) -> str:
        """The next request id, shaped like a UUID."""
        text = f"{self._traces.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def handle(self, request: Request) -> Response:
        """Answer one REST request. Never raises: a bug inside comes out as HTTP 500, code 59002, and is logged."""
        return self.gate.answer(request)

    def tick(self) -> None:
        """Let the market live on to the present moment; `run` does this ten times a second."""
        now = self.clock.steady_ms()
        self.flow.advance()
        self.spot.tick(now)
        self.futures.tick(now)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the market moving until cancelled."""
        due = trio.current_time()
        task_status.started()
        while True:
            self.tick()
            # Counted from the start, not from the last tick, so that virtual time ticks at exact hundreds of
            # milliseconds; ticks missed by a busy machine are left out, not caught up on.
            due = max(due + TICK_SECONDS, trio.current_time())
            await trio.sleep_until(due)
