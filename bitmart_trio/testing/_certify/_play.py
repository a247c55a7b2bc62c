"""One day of one bot, played in this process and in virtual time."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import attrs
import trio

from ..._scopes import open_nursery, start_soon
from ...sim import Market, Tape, open_exchange
from ...sim.exchange import START_MS
from ...sim.models import Models, parse_latency
from ...sim.venue import Venue
from ...streams._book import OrderBook
from .._census import OURS, Watch, complaining, more, remembering
from ._bot import Bot, Main
from ._day import Day, Deed
from ._disk import Disk
from ._life import Life, watching_books
from ._outcome import Finding, Outcome
from ._terms import Terms
from ._witness import Happening, Witness
from ._world import World, quiet

TICK: Final = 1.0
"""Seconds between two moves of the market."""
SETTLE: Final = 45.0
"""Seconds after the end in which requests and messages in flight may arrive."""
GIVEN_UP: Final = 5.0
"""Seconds until a bot that ended with a declared error is restarted, as by a supervisor."""
MOST_LIVES: Final = 30
SAMPLE: Final = 5.0
"""Seconds between two points of the curves."""


@attrs.define(eq=False)
class Played:
    """A day that was played, for the referee; it exists only in the process that played it."""

    day: Day
    terms: Terms
    witness: Witness
    lives: list[Life]
    money_before: dict[str, object]
    money_after: dict[str, object]
    left: list[str]
    """The objects that were still open after the end."""
    findings: list[Finding]
    """The findings made while the day was played."""
    early: bool = False
    """True if the bot ended before it was asked to."""
    unended: list[Life] = attrs.Factory(list[Life])
    """Lives that did not end in time."""
    end: float = 0.0
    """The time at which the last life was asked to end, or ended by itself."""


Referee = Callable[[Played], Sequence[Finding]]


class Onlooker(Protocol):
    """An observer of a single day."""

    def happened(self, moment: Happening) -> None:
        """Receive an event of the day as it happens."""

    def over(self, day: Played) -> None:
        """Receive the day after it was judged, while its objects still exist."""


def play(bot: Bot, day: Day, terms: Terms, referee: Referee, *, onlooker: Onlooker | None = None) -> Outcome:
    """Play a day and have the referee judge it; an onlooker receives its events as they happen."""
    began, cpu = time.monotonic(), time.process_time()
    with quiet():
        outcome = _played(_Game(bot, day, terms, referee, onlooker))
        # An aborted run may leave unfinished tasks. Collect them now, where their complaints are silenced, and not in
        # the middle of the next run.
        gc.collect()
    return attrs.evolve(
        outcome,
        cpu_seconds=round(time.process_time() - cpu, 3),
        wall_seconds=round(time.monotonic() - began, 3),
    )


def _played(game: _Game) -> Outcome:
    with remembering(), game.bot.loading() as load:
        game.run(load)
    return game.outcome()


class _Game:
    """One call of `play`."""

    def __init__(self, bot: Bot, day: Day, terms: Terms, referee: Referee, onlooker: Onlooker | None) -> None:
        self.onlooker = onlooker
        self.bot = bot
        self.day = day
        self.terms = terms
        self.referee = referee
        self.world = World(bot, START_MS / 1000)
        self.world.on_spin = self._spins
        self.lives: list[Life] = []
        self.findings: list[Finding] = []
        self.series: list[tuple[float, float, float, float, int]] = []
        self._prices: list[tuple[float, ...]] = []
        self._end = self._lasted = 0.0
        self._digest = ""
        self._money: dict[str, object] = {}
        self._load: Callable[[], Main] | None = None
        self._witness: Witness | None = None
        self._played: Played | None = None
        self._nursery: trio.Nursery | None = None

    def run(self, load: Callable[[], Main]) -> None:
        """Play the day."""
        self._load = load
        stop = watching_books(self._book_opened)
        try:
            with complaining():
                self.world.run(self._host, self.day.seed, self._release)
        finally:
            stop()

    def _release(self) -> None:
        """Judge an aborted run, and drop all references to it."""
        if self._played is None and self._witness is not None:
            self._judge(early=False, left=[])
        self._nursery = None
        for life in self.lives:
            life.task = None
        if self._witness is not None:
            # The bot's unfinished coroutines are kept for ever, and an exchange is large.
            self._witness.venue.exchange.__dict__.clear()

    def outcome(self) -> Outcome:
        """Return the outcome of the day."""
        played, witness = self._played, self._witness
        assert played is not None
        assert witness is not None
        found = tuple(sorted(self.findings, key=lambda each: each.at))
        return Outcome(
            name=self.day.name,
            verdict="failed" if found else "early" if played.early else "passed",
            findings=found,
            families=self.day.families,
            lives=len(self.lives),
            counts=dict(witness.counts),
            remarks=tuple(sorted(self.world.remarks)),
            virtual_seconds=round(self._lasted, 3),
            series=tuple(self.series),
            moments=tuple(witness.moments) if found else (),
            prices=tuple(self._prices) if found else (),
            digest=self._digest,
        )

    async def _host(self) -> None:
        day = self.day
        latency = Models(latency=parse_latency(day.latency))
        market = Tape.read(Path(day.tape)) if day.tape is not None else _market(day)
        async with open_exchange(
            seed=day.seed, symbols=day.symbols, market=market, tick_seconds=TICK, models=latency
        ) as venue:
            self._witness = witness = Witness(venue)
            if self.onlooker is not None:
                witness.on_moment = self.onlooker.happened
            disk = Disk(venue.exchange.random("certify"))
            self._money = dict(witness.money())
            async with open_nursery() as nursery:
                self._nursery = nursery
                start_soon(nursery, self._sample, name=f"{OURS}samples")
                start_soon(nursery, self._trouble, venue, name=f"{OURS}trouble")
                watch = Watch(old=False)
                before = watch.count()
                early = await self._lives(disk)
                venue.faults.clear()
                await trio.sleep(SETTLE)
                ended = await self._wound_up()
                left: list[str] = []
                if ended and all(life.alive for life in self.lives):
                    left = more(watch.count(), [before])
                self._judge(early=early, left=left)
                if not ended:
                    self.world.abandon()
                nursery.cancel_scope.cancel()

    async def _wound_up(self) -> bool:
        """Wait for all lives to end, killed ones too, which may take time; True if all have ended."""
        await trio.lowlevel.checkpoint()
        with trio.move_on_after(200):  # noqa: ASYNC912  # there is at least one life
            for life in self.lives:
                await life.done.wait()
        return all(life.done.is_set() for life in self.lives)

    def _judge(self, *, early: bool, left: list[str]) -> None:
        witness = self._witness
        assert witness is not None
        self._played = Played(
            day=self.day,
            terms=self.terms,
            witness=witness,
            lives=self.lives,
            money_before=self._money,
            money_after=dict(witness.money()),
            left=left,
            findings=self.findings,
            early=early,
            unended=[life for life in self.lives if life.alive and not life.done.is_set()],
            end=self._end,
        )
        self.findings += self.referee(self._played)
        if self.onlooker is not None:
            self.onlooker.over(self._played)
        self._digest = hashlib.sha256(witness.venue.exchange.log.dump()).hexdigest()[:16]
        self._lasted = witness.at if trio.lowlevel.in_trio_run() else self._end

    # ---- the lives of the bot ---------------------------------------------------------------------------------------

    async def _lives(self, disk: Disk) -> bool:
        """Run the bot through the day; True if it ended by itself, before it was asked to."""
        assert self._witness is not None
        life = self._begin(disk)
        turns = [deed for deed in self.day.deeds if deed.what in ("kill", "stop")]
        for deed in turns:
            life, gone = await self._until(deed.at, life, disk)
            if gone:
                return True
            if deed.what == "kill":
                self._note(f"life {life.number} is killed")
                life.kill()
            elif not await self._tell(life, str(deed.detail.get("how", "cancel"))):
                return False
            await trio.sleep(float(str(deed.detail.get("again", 1))))
            life = self._begin(disk)
        life, gone = await self._until(self.day.end, life, disk)
        if gone:
            return True
        await self._tell(life, self.day.ending)
        return False

    async def _until(self, at: float, life: Life, disk: Disk) -> tuple[Life, bool]:
        """Wait until a moment, restarting a bot that ended with a declared error; True if the bot ended for good."""
        assert self._witness is not None
        while True:
            with trio.move_on_after(max(0.0, at - self._witness.at)):
                await life.done.wait()
            if not life.done.is_set():
                return life, False
            self._end = self._witness.at
            if life.error is None or not self._declared(life) or len(self.lives) >= MOST_LIVES:
                return life, True
            await trio.sleep(GIVEN_UP)
            life = self._begin(disk)

    def _declared(self, life: Life) -> bool:
        from ._invariants import undeclared  # the referee's own check; that module imports this one

        return life.error is not None and not undeclared(life.error, self.terms.raises)

    def _begin(self, disk: Disk) -> Life:
        assert self._witness is not None
        assert self._load is not None
        assert self._nursery is not None
        life = Life(len(self.lives) + 1, self.bot, self.world, self._witness, disk, self.day.wire)
        self.lives.append(life)
        self._note(f"life {life.number} begins")
        start_soon(self._nursery, life.live, self._load(), self.day.symbols, name=f"{OURS}life {life.number}")
        return life

    async def _tell(self, life: Life, how: str) -> bool:
        """Ask a life to end and wait for it; False if it does not end in time."""
        assert self._witness is not None
        self._end = self._witness.at
        self._note(f"life {life.number} is asked to end: {how}")
        life.tell(how)
        with trio.move_on_after(self.terms.deadline):
            await life.done.wait()
        if life.done.is_set():
            self._note(f"life {life.number} has ended")
        return life.done.is_set()

    def _note(self, text: str) -> None:
        assert self._witness is not None
        self._witness.note("run", text)

    # ---- trouble and observation ------------------------------------------------------------------------------------

    async def _trouble(self, venue: Venue) -> None:
        assert self._witness is not None
        await trio.lowlevel.checkpoint()
        for deed in self.day.deeds:
            await trio.sleep(max(0.0, deed.at - self._witness.at))
            self._do(deed, venue)

    def _do(self, deed: Deed, venue: Venue) -> None:
        assert self._witness is not None
        detail = deed.detail
        match deed.what:
            case "fault":
                venue.faults.add(deed.fault)
            case "drop":
                venue.drop_connections(str(detail.get("connection", "*")))
            case "skew":
                venue.exchange.clock.skew_ms += int(str(detail.get("ms", 0)))
            case "jump":
                flow, coin = venue.exchange.flow, str(detail["coin"])
                flow.push(coin, flow.price(coin) * (1 + type(flow.price(coin))(str(detail["share"]))))
            case "kill" | "stop":
                return
        self._witness.note("fault", str(deed))

    async def _sample(self) -> None:
        witness = self._witness
        assert witness is not None
        calls = 0
        while True:
            now = witness.counts["calls"]
            self.series.append((
                round(witness.at, 1), float(witness.equity()), float(witness.exposure()),
                round((now - calls) * 60 / SAMPLE, 1), len(self.lives),
            ))  # fmt: skip
            self._prices.append((round(witness.at, 1), *(float(witness.price(name) or 0) for name in self.day.symbols)))
            calls = now
            await trio.sleep(SAMPLE)

    def _book_opened(self, book: OrderBook) -> None:
        life = self.lives[-1] if self.lives else None
        if life is None or self._nursery is None or self._witness is None:
            return
        life.books[book] = self._witness.at
        start_soon(self._nursery, self._follow, life, book, name=f"{OURS}book")

    async def _follow(self, life: Life, book: OrderBook) -> None:
        """Record the time since which a book has not been live."""
        assert self._witness is not None
        await trio.lowlevel.checkpoint()
        try:
            while book in life.books:
                await book.wait_live()
                life.books[book] = None
                await book.wait_stale()
                life.books[book] = self._witness.at
        except Exception:  # noqa: BLE001  # the book is closed, or its connection ended
            life.books.pop(book, None)

    def _spins(self, what: str, line: str) -> None:
        """Handle a bot that keeps the processor busy: the rest of the day cannot be played."""
        witness = self._witness
        if witness is None:
            return
        where = next((life for life in reversed(self.lives) if not life.done.is_set()), None)
        told = where is not None and where.told
        text = f"{what}{', after it was asked to end' if told else ''}"
        line = line or ("" if where is None else where.line())
        self.findings.append(Finding("no_busy_loop", text, round(witness.at, 3), line))
        self._end = self._end or witness.at
        self.world.abandon()


def _market(day: Day) -> Market:
    options = dict(day.market)
    whole = {name: int(options.pop(name)) for name in ("bursts", "quiet") if name in options}
    return Market(**options, **whole)  # type: ignore[arg-type]  # numbers by name
