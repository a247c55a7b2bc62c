"""A gap in one topic whose end is not known or that is being filled, and the pushes that wait behind it.

When a connection breaks, each of its topics gets such a gap. From then on the topic's pushes are held back in order:
until the gap's end is known, and, with a `Backfiller`, until the gap is filled or given up. So a `Gap` always precedes
the items after it, even when a push precedes the acknowledgement, and items read over REST precede later pushes.

The states of a gap and the events between them (`TRANSITIONS`; every other pair is illegal):

| state | means | pushes that are held |
| --- | --- | --- |
| OPEN | the topic is not acknowledged; the end is not known | all of the newest connection |
| UNFILLABLE | as OPEN | of two connections: more may be missing between them, so it cannot be filled |
| FILLING | the end is known; a task reads what is missing | all since the topic came back |
| FILLED | over: nothing is missing any more | let through |
| STAYED | over: items are missing, and the gap is reported to the reader | let through |
| DISCARDED | over: nobody reads any more | dropped, counted |

If a topic breaks while its gap is open, the gap only grows. If it breaks while the gap is being filled, the gap reopens
if no push is held yet; otherwise the gap stays, and a second one begins after the held pushes.

The gate (``gate.py``) decides what happens to a gap; a backfiller fills it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeVar

import trio

from .._core.machine import Machine
from ..models.stream_events import Gap

if TYPE_CHECKING:
    from .gate import Gate

T = TypeVar("T")


class GapState(Enum):
    """See the table at the head of this file."""

    OPEN = auto()
    UNFILLABLE = auto()
    FILLING = auto()
    FILLED = auto()
    STAYED = auto()
    DISCARDED = auto()


class GapEvent(Enum):
    """The events of a gap's state machine."""

    BROKE = auto()
    """The topic's connection broke once more, with nothing held."""
    BROKE_BEHIND = auto()
    """The topic's connection broke after pushes that are held."""
    RETURNED = auto()
    """The topic was acknowledged, and a task can fill the gap."""
    RETURNED_UNFILLED = auto()
    """The topic was acknowledged, and nothing fills the gap."""
    READ = auto()
    """All missing items have been delivered."""
    FAILED = auto()
    """The gap cannot be read, or there is no room to hold more pushes, or the topic was released."""
    ENDED = auto()
    """The stream ends; received items can still be read."""
    CLOSED = auto()
    """The last reader has left."""


TRANSITIONS: Final = MappingProxyType(
    {
        (GapState.OPEN, GapEvent.BROKE): GapState.OPEN,
        (GapState.OPEN, GapEvent.BROKE_BEHIND): GapState.UNFILLABLE,
        (GapState.OPEN, GapEvent.RETURNED): GapState.FILLING,
        (GapState.OPEN, GapEvent.RETURNED_UNFILLED): GapState.STAYED,
        (GapState.OPEN, GapEvent.FAILED): GapState.STAYED,
        (GapState.OPEN, GapEvent.ENDED): GapState.DISCARDED,
        (GapState.OPEN, GapEvent.CLOSED): GapState.DISCARDED,
        (GapState.UNFILLABLE, GapEvent.BROKE): GapState.UNFILLABLE,
        (GapState.UNFILLABLE, GapEvent.BROKE_BEHIND): GapState.UNFILLABLE,
        (GapState.UNFILLABLE, GapEvent.RETURNED): GapState.STAYED,
        (GapState.UNFILLABLE, GapEvent.RETURNED_UNFILLED): GapState.STAYED,
        (GapState.UNFILLABLE, GapEvent.FAILED): GapState.STAYED,
        (GapState.UNFILLABLE, GapEvent.ENDED): GapState.DISCARDED,
        (GapState.UNFILLABLE, GapEvent.CLOSED): GapState.DISCARDED,
        (GapState.FILLING, GapEvent.BROKE): GapState.OPEN,
        (GapState.FILLING, GapEvent.BROKE_BEHIND): GapState.STAYED,
        (GapState.FILLING, GapEvent.RETURNED): GapState.FILLING,
        (GapState.FILLING, GapEvent.READ): GapState.FILLED,
        (GapState.FILLING, GapEvent.FAILED): GapState.STAYED,
        (GapState.FILLING, GapEvent.ENDED): GapState.STAYED,
        (GapState.FILLING, GapEvent.CLOSED): GapState.DISCARDED,
    }
)


class NoRoom(Exception):
    """The buffer cannot take what was read for a gap."""


class Held(NamedTuple, Generic[T]):
    """A push that waits behind a gap."""

    item: T
    key: Hashable


class Backfiller(Protocol[T]):
    """Fills one channel's gaps. Only `begin` and `fill` wait; they run while the subscription lives."""

    async def begin(self) -> None:
        """Read what must be known before the first gap; called once, when the topics are acknowledged."""
        ...

    def notice(self, topic: str, item: T) -> bool:
        """Note an item on its way to the reader; False when the reader had it already, over REST."""
        ...

    def missed(self, topic: str) -> None:
        """Note that a gap was left as it is: what follows does not join on to what was noticed before."""
        ...

    def state(self, topic: str, item: T) -> Hashable:
        """Return the key by which items are the same state when conflating."""
        ...

    async def fill(self, pending: PendingGap[T]) -> str | None:
        """Read what is missing and `PendingGap.deliver` it.

        Returns:
            None if nothing is missing any more, otherwise the reason why items may be missing.

        Raises:
            BitMartError: REST failed.
        """
        ...


class PendingGap(Generic[T]):
    """One such gap; see the head of this file."""

    def __init__(self, gate: Gate[T], gap: Gap, *, since: float) -> None:
        self.topic: str = gap.topic
        self.gap: Gap = gap._replace(since=since)
        """The gap as it would be reported to the reader now."""
        self.held: list[Held[T]] = []
        self.filled: int = 0
        """Items delivered for it."""
        self.shown: bool = False
        """True once the reader got a mark that the gap, at its present length, was filled in part or whole."""
        self.scope: trio.CancelScope | None = None
        """The cancel scope of the task that fills the gap."""
        self.machine: Machine[GapState, GapEvent] = Machine(TRANSITIONS, GapState.OPEN)
        self._gate = gate
        self._arrived = trio.Event()

    @property
    def open(self) -> bool:
        """True while the topic is not acknowledged: the gap's end is not known."""
        return self.machine.state in (GapState.OPEN, GapState.UNFILLABLE)

    @property
    def live(self) -> list[T]:
        """Return the pushes since the topic was acknowledged again, in order."""
        return [held.item for held in self.held]

    def hold(self, item: T, key: Hashable) -> None:
        """Keep a push back."""
        self.held.append(Held(item, key))
        self._arrived.set()

    def extend(self, gap: Gap) -> None:
        """Make it as long as a newer gap of the topic says; what was read for the shorter one does not close it."""
        self.gap = gap._replace(since=self.gap.since)
        self.shown = False

    def deliver(self, items: Sequence[T]) -> None:
        """Give the reader what was read for the gap, now.

        Raises:
            NoRoom: the buffer cannot hold the items.
        """
        self._gate.backfill(self, items)

    async def more(self, seen: int) -> None:
        """Wait until more than ``seen`` pushes are held."""
        await trio.lowlevel.checkpoint()
        while len(self.held) <= seen:
            self._arrived = trio.Event()
            await self._arrived.wait()

    def stop(self) -> None:
        """End the task that fills it."""
        if self.scope is not None:
            self.scope.cancel()
            self.scope = None
