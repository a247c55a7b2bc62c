"""Put the simulated exchange together: kernel, both markets and the treasury.

Everything but `Exchange.run` is synchronous and deterministic: one seed and the same actions at the same exchange times
give the same events. The exchange does not know how users talk to it: a venue's face answers requests and listens to
`Exchange.feed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import attrs
import trio

from .._scopes import own_decimals, protected
from .futures.market import FuturesMarket
from .kernel.accounts import SIM_KEY, SIM_MEMO, SIM_SECRET, SIM_SUB_KEYS, SUB_PERMISSIONS, Accounts
from .kernel.agenda import Agenda
from .kernel.clock import Clock
from .kernel.eventlog import EventLog
from .kernel.faults import Faults
from .kernel.feed import Feed
from .kernel.ids import Ids, Randoms
from .kernel.prehistory import Paths
from .kernel.symbols import Listed, Symbol, read_symbols
from .models import RECORDED, Models
from .models.ground import Ground
from .models.latency import Delays
from .models.market import MarketModel, Moved, Still
from .spot.market import SpotMarket
from .treasury import Treasury

START_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC, the default start of exchange time."""
WALK_MS = 100
"""Milliseconds between two moves of the random walk of prices."""
MOST_MOVES = 10
TICK_SECONDS = 0.1
"""The default interval of market moves; the walk of prices always counts in this step."""


class Driver(Protocol):
    """A source of events that are not random, such as a tape."""

    @property
    def next_ms(self) -> int | None:
        """Return the time of the next event; None when there are no more."""
        ...

    def play(self, now_ms: int) -> None:
        """Produce the events that are due."""


@attrs.define
class Schedule:
    """The precision of `Exchange.run`'s ticks; on virtual time it is exact."""

    ticks: int = 0
    """The number of ticks so far."""
    skipped: int = 0
    """The number of ticks skipped because the previous one took too long or the machine was busy."""
    worst_ms: float = 0.0
    """The longest delay of a tick, in milliseconds."""


@protected
class Exchange:
    """One simulated exchange with a default account (key ``sim-key``, secret ``sim-secret``, memo ``sim-memo``).

    That account has two sub-accounts: ``desk1@example.com`` (key ``sim-sub-key``, secret ``sim-sub-secret``, memo
    ``sim-sub-memo``) and ``desk2@example.com`` (the same with ``sub2``).

    Args:
        seed: the seed of every random choice.
        start: exchange time at creation, in milliseconds.
        symbols: the traded symbols, by name or as `SpotPair` and `Contract`; None: the usual six.
        moved: makes the model that moves the markets; by default nothing moves them.
        models: the exchangeable rules.
        tick_seconds: the interval at which the market moves and paced pushes are sent; longer ticks cost less, and the
            walk of prices is the same for all.
        held: True if the clock stands still from the beginning; see `Clock.hold`.

    Raises:
        ValueError: a symbol is invalid, or a tick is shorter than 0.01 s or longer than 60 s.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        start: int = START_MS,
        symbols: Iterable[Symbol] | None = None,
        moved: Moved = Still.of,
        models: Models = RECORDED,
        tick_seconds: float = TICK_SECONDS,
        held: bool = False,
    ) -> None:
        if not 0.01 <= tick_seconds <= 60:
            raise ValueError("tick_seconds must be between 0.01 and 60")
        self.seed = seed
        self.tick_ms: int = round(tick_seconds * 1000)
        """The interval of market moves, in milliseconds."""
        self.clock: Clock = Clock(start, held=held)
        self.log: EventLog = EventLog(self.clock)
        self.accounts: Accounts = Accounts()
        self.faults: Faults = Faults()
        self.random: Randoms = Randoms(seed)
        self.agenda: Agenda = Agenda(self.clock)
        """The events in flight inside the exchange."""
        self.delays: Delays = Delays(models.latency, self.agenda, self.random("latency"))
        """The latency inside the exchange."""
        self.feed: Feed = Feed(self.delays.push)
        # Above 2^53 on purpose, like real order ids: a client that reads ids as doubles fails here too.
        self.ids: Ids = Ids(start << 20)
        # Futures ids are documented with 15 and 16 digits and also come as JSON numbers: every client can represent
        # them.
        self.contract_ids: Ids = Ids(start << 10)
        self.listed: Listed = read_symbols(symbols)
        """The traded symbols, with all their rules."""
        self._open_accounts()
        self.schedule: Schedule = Schedule()
        """The precision of the ticks."""
        self.flow: MarketModel = moved(self.listed, self.clock, self.random)
        """The model that moves the markets."""
        ground = Ground(
            clock=self.clock,
            log=self.log,
            random=self.random,
            model=self.flow,
            paths=Paths(seed, start, self.flow.price),
            fills=models.fills,
            delays=self.delays,
            listened=self.feed.symbols,
            tick_ms=self.tick_ms,
        )
        self.spot: SpotMarket = SpotMarket(
            ground,
            self.listed.pairs,
            self.listed.currencies(),
            accounts=self.accounts,
            new_id=self.ids.new,
            fees=models.fees.spot,
        )
        self.futures: FuturesMarket = FuturesMarket(
            ground,
            self.listed.contracts,
            new_id=self.contract_ids.new,
            fees=models.fees.futures,
            margin=models.margin,
            funding=models.funding,
        )
        self.treasury: Treasury = Treasury(
            self.accounts, self.spot, self.futures, self.clock, self.ids.new, self.random
        )
        self.driver: Driver | None = None
        """The events that have fixed times, such as a tape's."""
        self._walked_ms = start
        self._after_tick: list[Callable[[int], None]] = []

    def _open_accounts(self) -> None:
        """Open the default account and its two sub-accounts."""
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

    def now_ms(self) -> int:
        """Exchange time in milliseconds, skew included."""
        return self.clock.now_ms()

    @own_decimals
    def tick(self) -> None:
        """Advance the market to the present moment; `run` does this ten times per second."""
        now = self.clock.steady_ms()
        self.play()
        self.flow.advance(self._moves(now))
        self.spot.tick(now)
        self.futures.tick(now)
        for watcher in tuple(self._after_tick):
            watcher(now)

    def _moves(self, now: int) -> int:
        """Return the number of moves of the price walk: one per tenth of a second, at least one, at most one tick's."""
        most = max(MOST_MOVES, self.tick_ms // WALK_MS)
        moves = max(1, min((now - self._walked_ms) // WALK_MS, most))
        # Moves beyond the maximum are dropped: a clock that jumps a month ahead does not cause a month of walking.
        self._walked_ms = min(max(self._walked_ms + moves * WALK_MS, now - WALK_MS), now)
        return moves

    @property
    def next_ms(self) -> int | None:
        """Return the time of the next event between ticks (an arrival, or one on the tape); None when there is none."""
        arrives, on_tape = self.agenda.next_ms, None if self.driver is None else self.driver.next_ms
        return min((ms for ms in (arrives, on_tape) if ms is not None), default=None)

    @own_decimals
    def play(self) -> None:
        """Produce the events that are due between ticks, in the order of their times."""
        now, arrived = self.clock.steady_ms(), False
        while (due := self.agenda.next_ms) is not None and due <= now:
            if self.driver is not None:
                self.driver.play(due)
            self.agenda.play()
            arrived = True
        if self.driver is not None:
            self.driver.play(now)
        if arrived:
            self.futures.settled()

    def after_tick(self, watcher: Callable[[int], None]) -> Callable[[], None]:
        """Call ``watcher`` with the time (ms) after every tick until the returned function is called."""
        self._after_tick.append(watcher)

        def stop() -> None:
            if watcher in self._after_tick:
                self._after_tick.remove(watcher)

        return stop

    def live(self, ms: int, *, tick_ms: int | None = None) -> Iterator[int]:
        """Advance the clock by ``ms`` milliseconds, in pieces, and run the market through them.

        This happens while the caller iterates: after each piece it gets the time (ms) and may let other tasks run.
        Ticks fall on the same moments however a time is divided into calls.

        Args:
            ms: the milliseconds to advance.
            tick_ms: the interval of ticks during this call; None: the exchange's own.

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
            due = self.next_ms
            if due is not None and due > now:
                piece = min(piece, due - now)
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
        """Run `live` to its end: every event of that time has happened when this returns.

        Raises:
            ValueError: ``ms`` is negative.
        """
        for _ in self.live(ms):
            pass

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the market moving until cancelled; while the clock is held the market stands still."""
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
            with trio.move_on_at(min(began + count * tick, self._when_next())):
                await self.agenda.wait_changed()

    def _when_next(self) -> float:
        """Return Trio's time of the next event between ticks."""
        due = self.next_ms
        return float("inf") if due is None or self.clock.held else self.clock.when(due)
