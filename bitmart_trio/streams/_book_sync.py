"""Synchronise an order book: the sink that the router feeds, and its states.

The router itself feeds a book, push by push, so a slow reader cannot break it.
What a push does to the levels is defined in ``_core/book.py``, and when a silent book is probed in ``_book_doubt.py``.
This module defines how a stale book becomes live again.

| state | means | after ``patience`` without a snapshot |
| --- | --- | --- |
| OPENING | the exchange has not acknowledged the topic | |
| DUE | acknowledged, or a snapshot was requested elsewhere: one comes without a request | WANTED |
| WANTED | no snapshot comes without a request: one is requested, at most once per second | |
| ASKED | a snapshot was requested | RENEWED |
| RENEWED | the topic is being subscribed again, and its snapshot follows | REPLACED, or WANTED |
| REPLACED | the connection is being replaced | WANTED |
| LIVE | the book is right | |
| OLD | the book is right, but its newest push is older than ``max_age`` | |
| DOWN | the connection is lost; the next one acknowledges the topic | |
| ENDED | final: the stream ended with an error | |
| CLOSED | final: the user left the block | |

A snapshot makes the book LIVE in every state that is not final. So does an update if the book still has its levels: a
book that was only doubted is confirmed by the next push. An update that reveals a gap makes the book WANTED, even while
an answer is awaited: that answer came too early. A connection is replaced only once, since it carries other topics too;
after that the requests begin again, each round with twice the patience.

`TRANSITIONS` is the whole table; every other pair is illegal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import trio

from .._core.book import Change, LocalBook, Step
from .._core.machine import Machine
from .._io.connections import Connections
from .._scopes import protected
from ..errors import AbsentMember, BookNotLive
from ..models._rows import Level
from ..models.futures_streams import FuturesDepthIncrease
from ..models.spot_streams import BookUpdateType, SpotDepthIncrease
from ..models.stream_events import Gap
from ._book_doubt import QUIET, Doubt, Finding
from ._book_views import BookChange, BookState, BookStatistics, Changes

_MOST_PATIENCE: Final = 60.0


class SyncState(Enum):
    """See the table at the head of this file."""

    OPENING = auto()
    DUE = auto()
    WANTED = auto()
    ASKED = auto()
    RENEWED = auto()
    REPLACED = auto()
    LIVE = auto()
    OLD = auto()
    DOWN = auto()
    ENDED = auto()
    CLOSED = auto()


class SyncEvent(Enum):
    """The events of a book's state machine."""

    OPENED = auto()
    """The topic was acknowledged for the first time."""
    OPENED_SHARED = auto()
    """The same of a topic that others held before: no snapshot follows."""
    ACKNOWLEDGED = auto()
    """The topic was acknowledged afresh, on the same connection or a new one."""
    CONFIRMED = auto()
    """A push has left the book right."""
    BROKE = auto()
    """A version is missing, or a push cannot be understood."""
    CROSSED = auto()
    """The best bid is not below the best ask."""
    DOUBTED = auto()
    """The topic fell silent or the machine slept, and somebody asks for a snapshot."""
    EXPIRED = auto()
    """The newest push is older than ``max_age``."""
    QUESTIONED = auto()
    """A snapshot was asked for."""
    UNANSWERED = auto()
    """None came in time."""
    UNANSWERED_AGAIN = auto()
    """The same, and the connection was replaced for that before."""
    LOST = auto()
    """Handle the loss of the connection, and with it of the versions."""
    ENDED = auto()
    CLOSED = auto()


_OVER: Final = (SyncState.ENDED, SyncState.CLOSED)
_LIVE: Final = SyncState.LIVE
_RIGHT: Final = (SyncState.LIVE, SyncState.OLD)
_WAITS_FOR_SNAPSHOT: Final = (SyncState.DUE, SyncState.ASKED, SyncState.RENEWED, SyncState.REPLACED)

_ANY_TIME: Final[dict[tuple[SyncState, SyncEvent], SyncState]] = {
    (state, event): following
    for state in SyncState
    if state not in _OVER
    for event, following in (
        (SyncEvent.ACKNOWLEDGED, state),
        (SyncEvent.CONFIRMED, SyncState.LIVE),
        (SyncEvent.BROKE, SyncState.WANTED),
        (SyncEvent.CROSSED, state),
        (SyncEvent.DOUBTED, state),
        (SyncEvent.LOST, SyncState.DOWN),
        (SyncEvent.ENDED, SyncState.ENDED),
        (SyncEvent.CLOSED, SyncState.CLOSED),
    )
}
"""What the router and the user can bring about at any time, and where it leads unless `TRANSITIONS` says otherwise."""

TRANSITIONS: Final = MappingProxyType(
    {
        **_ANY_TIME,
        (SyncState.OPENING, SyncEvent.OPENED): SyncState.DUE,
        (SyncState.OPENING, SyncEvent.OPENED_SHARED): SyncState.WANTED,
        # Pushes can arrive before the acknowledgement, and the connection can break right after it.
        **{
            (state, event): state
            for state in (SyncState.DUE, SyncState.WANTED, SyncState.LIVE, SyncState.DOWN)
            for event in (SyncEvent.OPENED, SyncEvent.OPENED_SHARED)
        },
        (SyncState.DOWN, SyncEvent.BROKE): SyncState.DOWN,
        (SyncState.WANTED, SyncEvent.ACKNOWLEDGED): SyncState.DUE,
        (SyncState.DOWN, SyncEvent.ACKNOWLEDGED): SyncState.DUE,
        (SyncState.LIVE, SyncEvent.CROSSED): SyncState.WANTED,
        (SyncState.OLD, SyncEvent.CROSSED): SyncState.WANTED,
        (SyncState.LIVE, SyncEvent.DOUBTED): SyncState.DUE,
        (SyncState.OLD, SyncEvent.DOUBTED): SyncState.DUE,
        (SyncState.LIVE, SyncEvent.EXPIRED): SyncState.OLD,
        (SyncState.WANTED, SyncEvent.QUESTIONED): SyncState.ASKED,
        (SyncState.LIVE, SyncEvent.QUESTIONED): SyncState.LIVE,
        (SyncState.OLD, SyncEvent.QUESTIONED): SyncState.OLD,
        (SyncState.DUE, SyncEvent.UNANSWERED): SyncState.WANTED,
        (SyncState.ASKED, SyncEvent.UNANSWERED): SyncState.RENEWED,
        (SyncState.RENEWED, SyncEvent.UNANSWERED): SyncState.REPLACED,
        (SyncState.RENEWED, SyncEvent.UNANSWERED_AGAIN): SyncState.WANTED,
        (SyncState.REPLACED, SyncEvent.UNANSWERED): SyncState.WANTED,
        (SyncState.LIVE, SyncEvent.UNANSWERED): SyncState.WANTED,
        (SyncState.OLD, SyncEvent.UNANSWERED): SyncState.WANTED,
        (SyncState.ENDED, SyncEvent.CLOSED): SyncState.CLOSED,
    }
)

_NOTHING: Final = Change(0, (), ())


@protected
class BookSink:
    """The sink of an order book: the book, its state, and its waiters. See the head of this file.

    Args:
        connections: holds the topic.
        topic: as on the wire.
        symbol: its market.
        level: levels per side.
        patience: seconds that a snapshot may take.
        max_age: seconds without a push after which the book is stale; None has no such bound.
    """

    def __init__(
        self,
        connections: Connections,
        topic: str,
        *,
        symbol: str,
        level: int,
        patience: float,
        max_age: float | None = None,
    ) -> None:
        self.topics: dict[str, None] = {}
        self.symbol = symbol
        self.error: Exception | None = None
        self.changes: Changes = Changes(level)
        self.turns: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        """Tasks that wait for the book to become live or stale."""
        self.readers: trio.lowlevel.ParkingLot = trio.lowlevel.ParkingLot()
        self._connections = connections
        self._topic = topic
        self._local = LocalBook(level)
        self._takes: dict[BookUpdateType, Callable[[Change], Step]] = {
            BookUpdateType.UPDATE: self._local.update,
            BookUpdateType.SNAPSHOT: self._local.snapshot,
        }
        self._doubt = Doubt(patience=patience, max_age=max_age)
        self._machine: Machine[SyncState, SyncEvent] = Machine(TRANSITIONS, SyncState.OPENING)
        self._since = 0.0
        """The time of the last change of state."""
        self._turned = trio.Event()
        """Set by the next one."""
        self._first_patience = self._patience = patience
        self._rounds: int = 0
        """How often all that can be done to get a snapshot was done in vain since the book was right."""
        self._lives: int = 0
        """How often the book got right."""
        self._reconnects: int = 0

    # ---- the router's side -------------------------------------------------------------------------------------------

    def put(self, item: SpotDepthIncrease | FuturesDepthIncrease, key: Hashable, now: float) -> None:
        """Apply a push to the book."""
        state = self._machine.state
        if state in _OVER:
            return
        doubt = self._doubt
        doubt.last = now
        # For a book that was probed because it was quiet: the levels that the answer is compared with.
        shown = self._shown() if doubt.quiet > QUIET and state in _RIGHT else None
        try:
            take = self._takes.get(item.type)
            change = Change(item.version, item.bids, item.asks, getattr(item, "time", None))
        except AbsentMember:  # a book that continues without an unreadable change is wrong
            take, change = self._missed, _NOTHING
        if take is None:
            return  # an unknown word: if it meant anything, the next version is a gap
        match take(change):
            case Step.UPDATED:
                doubt.quiet = QUIET
                if state is _LIVE:
                    self.changes.add(change)
                    if self.readers:
                        self.readers.unpark_all()
            case Step.SNAPSHOT:
                differs = shown is not None and shown != self._shown()
                if state is _LIVE and (shown is None or differs):
                    self._show_whole()
                if differs:  # and no push had said so: the exchange has forgotten the subscription
                    doubt.quiet = QUIET
                    self._connections.renew(self._topic)
            case Step.GAP:
                self._step(SyncEvent.BROKE)
            case Step.CROSSED:
                self._step(SyncEvent.CROSSED)
            case Step.DROPPED:
                doubt.quiet = QUIET
            case Step.HELD:
                pass
        if self._local.synced and self._machine.state is not _LIVE:
            self._step(SyncEvent.CONFIRMED)

    def _shown(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        return self._local.bids(), self._local.asks()

    def _missed(self, _: Change) -> Step:
        return self._local.missed()

    def lost(self, topic: str, gap: Gap | None) -> None:
        """The connection is gone; without a gap the topic was not acknowledged on it."""
        self._local.reset()
        if gap is not None:
            self._happened(SyncEvent.LOST)

    def doubt(self, topic: str) -> None:
        """The topic fell silent, or the machine slept."""
        self._happened(SyncEvent.DOUBTED)

    def renewed(self, topic: str) -> None:
        """The topic was acknowledged afresh: its snapshot follows, and is no answer to a question."""
        self._doubt.quiet = QUIET
        self._happened(SyncEvent.ACKNOWLEDGED)

    def gap(self, gap: Gap, connection: int | None) -> None:
        """A new connection has taken the topic up; a gap in one that did not break shows in the versions."""
        if connection is not None:
            self._reconnects += 1
            self._happened(SyncEvent.ACKNOWLEDGED)

    def end(self, error: Exception) -> None:
        """Handle the end of the pushes."""
        if self._machine.state not in _OVER:
            self.error = error
            self._local.reset()
            self._step(SyncEvent.ENDED)
            self._connections.forget(self)

    # ---- states -----------------------------------------------------------------------------------------------------

    def _happened(self, event: SyncEvent) -> None:
        """Take what the router says; it may still speak to a book that is over."""
        if self._machine.state not in _OVER:
            self._step(event)

    def _step(self, event: SyncEvent) -> None:
        before = self._machine.state
        state = self._machine.step(event)
        if state is before:
            return
        self._since = trio.current_time()
        if state is _LIVE:
            self._lives += before is not SyncState.OLD
            self._rounds, self._patience = 0, self._first_patience
            self._show_whole()
        else:
            self.changes.clear()
        if state in _OVER:
            self.readers.unpark_all()
        self._turned.set()
        self.turns.unpark_all()

    def _show_whole(self) -> None:
        self.changes.replace()
        self.readers.unpark_all()

    @property
    def state(self) -> BookState:
        """Return the state of the book."""
        if self._machine.state is _LIVE and not self._doubt.too_old(trio.current_time()):
            return BookState.LIVE
        return BookState.STALE if self._lives else BookState.SYNCING

    @property
    def closed(self) -> bool:
        """True once its ``async with`` was left."""
        return self._machine.state is SyncState.CLOSED

    @property
    def age(self) -> float | None:
        """Return the seconds since the newest push; None before the first."""
        last = self._doubt.last
        return None if last is None else trio.current_time() - last

    def right(self) -> LocalBook:
        """Return the book, if it is live.

        Raises:
            BookNotLive: the book is not live.
        """
        self.raise_if_closed()
        if self.state is not BookState.LIVE:
            state, age = self.state.value, ""
            if self._machine.state in _RIGHT and self.age is not None:
                age = f", its newest push is {self.age:.1f} s old (max_age={self._doubt.max_age:g})"
            raise BookNotLive(
                f"the book of {self.symbol} is {state}{age}; wait_live() waits until it is live",
                symbol=self.symbol,
                state=state,
            ) from self.error
        return self._local

    def raise_if_over(self) -> None:
        """Raise the error that ended the book, if any."""
        self.raise_if_closed()
        if self.error is not None:
            raise self.error.with_traceback(None)

    def raise_if_closed(self) -> None:
        """Raise if the book's ``async with`` was left."""
        if self.closed:
            raise trio.ClosedResourceError("this order book is closed")

    def take(self) -> BookChange:
        """Return all that has changed since the last time as one change."""
        return self.changes.take(self.symbol, self._local)

    def statistics(self) -> BookStatistics:
        """See `BookStatistics`."""
        local = self._local
        return BookStatistics(
            updates=local.updates,
            snapshots=local.snapshots,
            gaps=local.gaps,
            stale_dropped=local.stale,
            crossed=local.crossed,
            resyncs=max(self._lives - 1, 0),
            reconnects=self._reconnects,
            conflated=self.changes.conflated,
            last_message=self._doubt.last,
        )

    # ---- the opener's side ------------------------------------------------------------------------------------------

    def opened(self, *, shared: bool) -> None:
        """Handle the acknowledgement; a topic that was already subscribed sends no snapshot by itself."""
        self._happened(SyncEvent.OPENED_SHARED if shared else SyncEvent.OPENED)

    def close(self) -> None:
        """Close the order book."""
        self._local.reset()
        self._step(SyncEvent.CLOSED)

    async def recover(self) -> None:
        """Resync the book whenever it is stale, until cancelled."""
        while True:
            self._turned = trio.Event()
            with trio.move_on_at(self._due()):
                await self._turned.wait()
                continue
            self._act(trio.current_time())

    def _due(self) -> float:
        """When something must be done, should nothing happen until then."""
        state = self._machine.state
        if state in _RIGHT:
            return self._doubt.due(old=state is SyncState.OLD)
        if state in _WAITS_FOR_SNAPSHOT:
            return self._since + self._patience
        return self._doubt.may_ask() if state is SyncState.WANTED else float("inf")

    def _act(self, now: float) -> None:
        """Do what is due."""
        state = self._machine.state
        if state in _RIGHT:
            match self._doubt.look(now, old=state is SyncState.OLD):
                case Finding.ASK:
                    self._ask(now)
                case Finding.UNANSWERED:
                    self._step(SyncEvent.UNANSWERED)
                case Finding.TOO_OLD:
                    self._step(SyncEvent.EXPIRED)
                case None:  # a push has just arrived: the task that found the book too old may check again
                    self.turns.unpark_all()
        elif state is SyncState.WANTED:
            self._ask(now)
        elif state is SyncState.RENEWED:
            self._step(SyncEvent.UNANSWERED_AGAIN if self._rounds else SyncEvent.UNANSWERED)
            if not self._rounds:
                self._connections.replace(self._topic, f"no snapshot of {self._topic} came")
            self._rounds += 1
            self._patience = min(2 * self._patience, max(_MOST_PATIENCE, self._first_patience))
        else:
            self._step(SyncEvent.UNANSWERED)
            if state is SyncState.ASKED:
                self._connections.renew(self._topic)

    def _ask(self, now: float) -> None:
        self._doubt.asked(now)
        self._step(SyncEvent.QUESTIONED)
        self._connections.request(self._topic)
