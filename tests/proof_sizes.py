"""How large each heavy proof is: small when all tests run, in full with ``BITMART_PROOFS=full`` (`make proofs`).

A test that reads a size from here bears the marker ``proof``. A variable of the proof's own name says another size, and
``BITMART_SEEDS`` says that of all that are repeated by
seed: ``BITMART_STORMS=5000 python -m pytest -m proof tests/trading``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bitmart_trio.testing import Moment

FULL: Final = os.environ.get("BITMART_PROOFS") == "full"
"""Whether everything that a proof leaves out to be quick is in."""


def _size(name: str, default: int, full: int) -> int:
    return int(os.environ.get(f"BITMART_{name}", full if FULL else default))


def _seeds(name: str, default: int, full: int = 300) -> int:
    seeds = os.environ.get("BITMART_SEEDS")
    return _size(name, int(seeds or default), int(seeds or full))


# ---- repeated by seed ------------------------------------------------------------------------------------------------

STORMS: Final = _seeds("STORMS", 1, full=200)
"""Bots in a storm, a market: ``trading/test_storm.py``."""
EVENTUAL: Final = _seeds("EVENTUAL", 1, full=50)
"""Storms of contradictory evidence, a market and kind; of one, the two slowest are left out:
``trading/test_eventual_storm.py``.
"""
CHAOS: Final = _seeds("CHAOS", 1, full=30)
"""Runs of every fault against every kind of subscription: ``chaos/test_chaos.py``."""
TAPES: Final = _seeds("TAPES", 1, full=60)
"""Streams over a line that breaks, each kind: ``streams/test_tape.py``."""
REPLIES: Final = _size("REPLIES", 800, 50_000)
"""Replies drawn at random over a real connection: ``io/test_pipeline_fuzz.py``."""
JOINS: Final = _seeds("JOINS", 12, full=300)
"""Tapes on which REST's trades are joined to the stream's: ``streams/test_joining.py``."""
VIEWS: Final = _seeds("VIEWS", 1, full=100)
"""Account views under trouble, a market and kind of trouble: ``streams/test_account_chaos.py``."""
PACKINGS: Final = _seeds("PACKINGS", 1)
"""Orders of opening, closing and breaking: ``streams/test_packing.py``."""
SWEEPS: Final = _seeds("SWEEPS", 1, full=3)
"""Orders of events in which every operation is cancelled at each checkpoint: ``testing/test_sweep_everything.py``."""
INTERRUPTED_SEEDS: Final = _seeds("INTERRUPTED_SEEDS", 1, full=3)
"""Orders of events in which every operation is interrupted: ``testing/test_interrupt_everything.py``."""
VENUE_FUZZ: Final = _seeds("VENUE_FUZZ", 1)
"""Streams of junk, each kind: ``sim/test_fuzz_venue.py``."""
MONEY_MACHINE: Final = _seeds("MONEY_MACHINE", 5)
"""Examples of the state machine that moves money: ``sim/test_money_machine.py``."""
ARCHIVE_STORMS: Final = _seeds("ARCHIVE_STORMS", 0, full=60)
"""Archives of an account whose exchange misbehaves in several ways at once, besides one:
``history/test_archive_storm.py``.
"""
MODEL_MIXES: Final = _size("MODEL_MIXES", 12, 324)
"""Combinations of the stock models under which money is moved, of 324: ``sim/test_models_money.py``."""
MONEY_WALKS: Final = _seeds("MONEY_WALKS", 1, full=50)
"""Walks through all chapters that move money: ``sim/test_chapters_money.py``."""

WRONG_VALUES: Final = _size("WRONG_VALUES", 4, 14)
"""What each member of each documented reply is in turn instead of itself, of 14: ``test_absent_members.py``."""

PROPERTIES: Final = _size("PROPERTIES", 30, 500)
"""Examples of each property test that says no number of its own. All of them are proofs (``conftest.py``)."""

EXAMPLES: Final = _size("EXAMPLES", 40, 1_000)
"""Examples of each property test of frames, books, connection protocols and windows of histories: ``core``,
``io/test_websocket.py``, ``history/test_plan.py``.
"""

FRAMES: Final = _size("FRAMES", 150, 20_000)
"""Frames of a socket drawn at random, each kind: ``bitmart_venue/test_socket_dialect.py``."""

FUZZ: Final = _size("FUZZ", 60, 5_000)
"""Examples of each test that draws what a peer, a file or a shell may hold: models, journals, archives, arguments."""
FUZZ_ARCHIVES: Final = max(FUZZ // 50, 1)
"""Of archives, each of which takes seconds."""

ZOO: Final = _size("ZOO", 6, 12)
"""Broken bots that certificates must catch, of twelve: ``certify/test_zoo.py``."""

# ---- of a length -----------------------------------------------------------------------------------------------------

CANDLE_DAYS: Final = _size("CANDLE_DAYS", 2, 365)
"""Days of 1-minute candles that are walked through in both markets: ``sim/test_candles.py``."""
BREAKS: Final = _size("BREAKS", 2, 6)
"""How often the line breaks in each run of ``streams/test_tape.py``."""
BOOK_UPDATES: Final = _size("BOOK_UPDATES", 4_000, 1_000_000)
"""Updates that live order books are compared over: ``streams/test_order_book_proof.py``."""
FLOOD_SECONDS: Final = _size("FLOOD_SECONDS", 600, 3600)
"""Virtual seconds of an exchange that pushes more than a reader takes: ``chaos/test_flood.py``."""
QUIET_HOURS: Final = _size("QUIET_HOURS", 2, 24)
"""Virtual hours of a thin market, and of an empty one: ``streams/test_silence.py``."""
DAY_HOURS: Final = _size("DAY_HOURS", 1, 24)
"""Virtual hours that a bot and its exchange live in one process: ``sim/test_venue_day.py``."""
NPM_BOT_SECONDS: Final = _size("NPM_BOT_SECONDS", 600, 3600)
"""Virtual seconds that a bot in JavaScript trades: ``interop/test_npm_bot.py``."""
CANCELLED_CALLS: Final = _size("CANCELLED_CALLS", 2_000, 10_000)
"""Calls that are cancelled at random: ``io/test_http_cancel.py``."""

JOURNAL_ENTRIES: Final = _size("JOURNAL_ENTRIES", 4_000, 100_000)
"""Intents in a journal that is opened beside a task that looks at the clock: ``trading/test_journal.py``."""

# ---- interrupted -----------------------------------------------------------------------------------------------------

INTERRUPTED_OPERATIONS: Final = _size("INTERRUPTED_OPERATIONS", 14, 10_000)
"""Operations that are interrupted: ``testing/test_interrupt_everything.py``."""
INTERRUPTED_LINES: Final = _size("INTERRUPTED_LINES", 4, 100_000)
"""Checkpoints and lines of each at which it is."""
INTERRUPTS: Final = _size("INTERRUPTS", 5, 300)
"""Signals that come at any moment of a flood of messages."""

# ---- with processes --------------------------------------------------------------------------------------------------

KILLS: Final = _size("KILLS", 1, 50)
"""Processes of a bot that are killed, each way: ``trading/test_kill.py``."""
ARCHIVE_RECORDS: Final = _size("ARCHIVE_RECORDS", 400, 50_000)
"""Records of an archive that is killed while it reads them: ``history/test_archive_killed.py``."""
ARCHIVE_KILLS: Final = _size("ARCHIVE_KILLS", 1, 10)
"""How often it is killed, and orders of places at which one is that reads itself on: ``history/test_archive.py``."""
ARCHIVE_STOPS: Final = _size("ARCHIVE_STOPS", 1, 50)
"""How often an archive's writer is killed, its disk fills up, and its files are what a power cut left of them
(``history/test_archive_disk.py``), or an eighth of how often they are damaged (``history/test_archive_tampered.py``).
"""


ENLARGED: Final = FULL or any(
    name.startswith("BITMART_") and (name == "BITMART_SEEDS" or name.removeprefix("BITMART_") in globals())
    for name in os.environ
)
"""Whether somebody asked for more than the sizes above: then a test may take its time."""

# ---- sweeps ----------------------------------------------------------------------------------------------------------


def moments(turn: object) -> tuple[Moment, ...]:
    """When each checkpoint of a sweep is cancelled: both moments in full, else one, the second for a true ``turn``.

    For sweeps of one thing in several ways: take turns, so that both moments are met.
    """
    both: tuple[Moment, Moment] = ("waiting", "resuming")
    return both if FULL else (both[bool(turn)],)
