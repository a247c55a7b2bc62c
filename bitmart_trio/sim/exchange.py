"""The simulated exchange itself: owner of clock, accounts, routes, feed and both markets.

It answers one request at a time; everything but `Exchange.run` is synchronous and deterministic: one seed and the same
requests at the same exchange times give the same answers. Sockets and HTTP live in the faces (``http.py``,
``sockets.py``); they call `Exchange.handle` and listen to `Exchange.feed`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias

import attrs
import trio

from .._scopes import protected
from .bitmart import system
from .bitmart.gate import Gate
from .bitmart.past import Past
from .bitmart.wire import Json, Request, Response, Routes
from .drivers.script import BookScript, MarketScript
from .drivers.synthetic import Flow, Market
from .drivers.tape import Player, Tape
from .faults import Faults
from .futures import FuturesMarket
from .kernel.accounts import SIM_KEY, SIM_MEMO, SIM_SECRET, SIM_SUB_KEYS, SUB_PERMISSIONS, Accounts
from .kernel.clock import Clock
from .kernel.eventlog import EventLog
from .kernel.feed import Feed
from .kernel.prehistory import Paths
from .kernel.symbols import Listed, Symbol, read_symbols
from .spot import SpotMarket
from .treasury import FamilyBook

START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC: where exchange time begins unless told otherwise."""
WALK_MS = 100
"""The walk of prices goes on by a move in so many milliseconds."""
MOST_MOVES = 10
TICK_SECONDS = 0.1
"""How often the market moves unless told otherwise; the walk of prices always counts in this step."""

Kind: TypeAlias = "Market | Tape | Literal['synthetic', 'scripted']"
"""What moves the market: the usual synthetic flow or one of one's own, a tape, or nothing but what a test says."""


@attrs.define
class Schedule:
    """How well `Exchange.run` keeps to its own pace; on virtual time it always does."""

    ticks: int = 0
    """Made so far."""
    skipped: int = 0
    """Left out, because the one before took too long or the machine was busy."""
    worst_ms: float = 0.0
    """The latest that a tick has been, in milliseconds."""


@protected
class Exchange:
    """One simulated exchange with a default account (key ``sim-key``, secret ``sim-secret``, memo ``sim-memo``).

    That account has two sub-accounts: ``desk1@example.com`` (key ``sim-sub-key``, secret ``sim-sub-secret``, memo
    ``sim-sub-memo``) and ``desk2@example.com`` (the same with ``sub2``).

    Args:
        seed: What every random choice is derived from.
        start: Exchange time at creation, in milliseconds; None: that of the tape, or the beginning of 2026.
        symbols: What is traded, by name or as `SpotPair` and `Contract`; None: what is on the tape, or the usual six.
        market: What moves it: ``"synthetic"``, a `Market` with options of its own, a `Tape`, or ``"scripted"``.
        tick_seconds: How often the market moves and pushes are paced; longer ticks cost less, and the walk of prices is
            the same for all.
        held: Whether the clock stands still from the beginning, see `Clock.hold`.

    Raises:
        ValueError: A symbol makes no sense, the tape has others, or a tick is shorter than 0.01 s or longer than 60 s.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start: int | None = None,
        symbols: Iterable[Symbol] | None = None,
        market: Kind = "synthetic",
        tick_seconds: float = TICK_SECONDS,
        held: bool = False,
    ) -> None:
        tape = market if isinstance(market, Tape) else None
        if not (tape or isinstance(market, Market) or market in ("synthetic", "scripted")):
            raise ValueError(f"no such market: {market!r}")
        if not 0.01 <= tick_seconds <= 60:
            raise ValueError("tick_seconds must be between 0.01 and 60")
        if tape is not None:
            symbols = tape.rules() if symbols is None else symbols
            start = tape.start_ms if start is None else start
        self.seed = seed
        self.tick_ms: int = round(tick_seconds * 1000)
        """The market moves every so many milliseconds."""
        self.clock: Clock = Clock(START_MS if start is None else start, held=held)
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
        self.listed: Listed = read_symbols(symbols)
        """What is traded, with all its rules."""
        self.services: list[Json] = system.completed_services(self.clock.start)
        """What ``/system/service`` lists."""
        self.accounts.add(
            "1",
            key=SIM_KEY,
            secret=SIM_SECRET,
            memo=SIM_MEMO,
            futures={"USDT": 100_000, "BTC": 1},
            balances={"USDT": 100_000, "BTC": 10, "ETH": 100, "BMX": 10_000, **self.listed.gifts()},
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
        options = market if isinstance(market, Market) else Market() if market == "synthetic" else None
        self.schedule: Schedule = Schedule()
        """How well it keeps up."""
        self.flow: Flow = Flow(self, self.listed.coins, options, self.listed.traded())
        self.paths: Paths = Paths(seed, self.clock.start, self.flow.price)
        """What prices did before the opening."""
        self.routes.include(system.routes)
        self.spot: SpotMarket = SpotMarket(self)
        self.futures: FuturesMarket = FuturesMarket(self)
        self.past: Past = Past(self.spot, self.futures.engine, self.accounts, self.clock, self.log, self.after_tick)
        """How accounts looked a while ago, while a fault follows it."""
        self.gate: Gate = Gate(self)
        self.market: MarketScript = MarketScript(self)
        """Trades and prices by hand."""
        self.book: BookScript = BookScript(self)
        """Books by hand; on a scripted market."""
        self._walked_ms = self.clock.start
        self._after_tick: list[Callable[[int], None]] = []
        self._player = None if tape is None else Player(self, tape)

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
        self.play()
        self.flow.advance(self._moves(now))
        self.spot.tick(now)
        self.futures.tick(now)
        for watcher in tuple(self._after_tick):
            watcher(now)

    def _moves(self, now: int) -> int:
        """How far the walk of prices has to go: a move a tenth of a second, one at least, and no more than a tick's."""
        most = max(MOST_MOVES, self.tick_ms // WALK_MS)
        moves = max(1, min((now - self._walked_ms) // WALK_MS, most))
        # What is beyond the most is left out: a clock that leaps over a month brings no month of walking.
        self._walked_ms = min(max(self._walked_ms + moves * WALK_MS, now - WALK_MS), now)
        return moves

    def play(self) -> None:
        """Let happen what is due on the tape, if there is one."""
        if self._player is not None:
            self._player.play(self.clock.steady_ms())

    def after_tick(self, watcher: Callable[[int], None]) -> Callable[[], None]:
        """Call ``watcher`` with the time (ms) after every tick until the returned function is called."""
        self._after_tick.append(watcher)

        def stop() -> None:
            if watcher in self._after_tick:
                self._after_tick.remove(watcher)

        return stop

    def live(self, ms: int, *, tick_ms: int | None = None) -> Iterator[int]:
        """Move the clock on by ``ms`` milliseconds, piece by piece, and let the market live through them.

        It is done while the caller iterates, which gets the time (ms) after each piece and may let others run between
        two of them. Ticks fall on the same moments however a time is divided into calls.

        Args:
            ms: How far.
            tick_ms: The distance of ticks for this once; None: the exchange's own.

        Raises:
            ValueError: ``ms`` is negative.
        """
        if ms < 0:
            raise ValueError("time does not run backwards")
        step = self.tick_ms if tick_ms is None else max(1, tick_ms)
        self.play()
        while ms > 0:
            now = self.clock.steady_ms()
            piece = step - (now - self.clock.start) % step
            on_tape = None if self._player is None else self._player.next_ms
            if on_tape is not None and on_tape > now:
                piece = min(piece, on_tape - now)
            piece = min(piece, ms)
            ms -= piece
            self.clock.step(piece)
            now = self.clock.steady_ms()
            if (now - self.clock.start) % step:
                self.play()
            else:
                self.tick()
            yield now

    def step(self, ms: int) -> None:
        """`live` in one go: everything that happens in that time has happened when it returns.

        Raises:
            ValueError: ``ms`` is negative.
        """
        for _ in self.live(ms):
            pass

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the market moving until cancelled; while the clock is held it stands still."""
        began, tick, count = trio.current_time(), self.tick_ms / 1000, 0
        task_status.started()
        while True:
            now, held = trio.current_time(), self.clock.held
            if now >= began + count * tick:
                if not held:
                    self.schedule.ticks += 1
                    self.schedule.worst_ms = max(self.schedule.worst_ms, (now - began - count * tick) * 1000)
                    self.tick()
                # Counted from the start, not from the last tick, so that virtual time ticks at exact fractions of a
                # second; ticks missed by a busy machine are left out, not caught up on.
                due = max(count + 1, int((trio.current_time() - began) / tick))
                self.schedule.skipped += due - count - 1
                count = due
            elif not held:
                self.play()
            await trio.sleep_until(min(began + count * tick, self._when_on_tape()))

    def _when_on_tape(self) -> float:
        """Trio's time at which the tape goes on."""
        on_tape = None if self._player is None else self._player.next_ms
        return float("inf") if on_tape is None or self.clock.held else self.clock.when(on_tape)
