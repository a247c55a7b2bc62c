"""A hole in one topic, and what waits behind it.

When a connection breaks, each of its topics has a hole. From then on the topic's pushes are held back in order: until
the hole's end is known, and, with a `Filler`, until it is filled or given up. So a `Gap` stands before whatever came
behind it, also when a push precedes the acknowledgement, and what is read over REST comes before later pushes.

The buffer (``subscription.py``) owns its holes; here is only what one is, and what a filler must offer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

import trio

from ..models.stream_events import Gap

if TYPE_CHECKING:
    from .buffer import SubscriptionBuffer

T = TypeVar("T")


class NoRoom(Exception):
    """The buffer cannot take what was read for a hole."""


class Held(NamedTuple, Generic[T]):
    """A push that waits behind a hole."""

    item: T
    key: Hashable


class Filler(Protocol[T]):
    """Knows how one channel's holes are filled. Only `begin` and `fill` wait; they run while the subscription lives."""

    async def begin(self) -> None:
        """Read what must be known before the first hole; called once, when the topics are acknowledged."""
        ...

    def notice(self, topic: str, item: T) -> bool:
        """Note an item on its way to the reader; False when the reader had it already, over REST."""
        ...

    def missed(self, topic: str) -> None:
        """A hole was left as it is: what follows does not join on to what was noticed before."""
        ...

    def state(self, topic: str, item: T) -> Hashable:
        """What makes two items the same state when conflating."""
        ...

    async def fill(self, hole: Hole[T]) -> str | None:
        """Read what is missing and `Hole.deliver` it.

        Returns:
            None when nothing is missing any more, else why something may be.

        Raises:
            BitMartError: REST failed.
        """
        ...


class Hole(Generic[T]):
    """One hole; see the head of this file."""

    def __init__(self, buffer: SubscriptionBuffer[T], gap: Gap, *, since: float) -> None:
        self.topic: str = gap.topic
        self.gap: Gap = gap._replace(since=since)
        """What is to be told of it; its end is known when it is no longer `open`."""
        self.open: bool = True
        """Whether the topic is not acknowledged yet."""
        self.held: list[Held[T]] = []
        self.torn: bool = False
        """Whether the connection broke once more between the pushes that are held."""
        self.filled: int = 0
        """Items delivered for it."""
        self.told: bool = False
        """Whether the reader was told of a fill, and of the hole as long as it is."""
        self.scope: trio.CancelScope | None = None
        """Of the task that fills it."""
        self._buffer = buffer
        self._arrived = trio.Event()

    @property
    def live(self) -> list[T]:
        """What has been pushed since the topic was taken up again, in order."""
        return [held.item for held in self.held]

    def hold(self, item: T, key: Hashable) -> None:
        """Keep a push back."""
        self.held.append(Held(item, key))
        self._arrived.set()

    def grow(self, gap: Gap) -> None:
        """The connection has broken (once more)."""
        self.gap = gap._replace(since=self.gap.since)
        self.open = True
        self.told = False

    def end(self, gap: Gap) -> None:
        """Its end is known."""
        self.gap = gap._replace(since=self.gap.since)
        self.open = False
        self.told = False

    def deliver(self, items: Sequence[T]) -> None:
        """Give the reader what was read for the hole, now.

        Raises:
            NoRoom: the buffer cannot hold it.
        """
        self._buffer.fill_in(self, items)

    async def more(self, seen: int) -> None:
        """Wait until more than ``seen`` pushes are held."""
        await trio.lowlevel.checkpoint()
        while len(self.held) <= seen:
            self._arrived = trio.Event()
            await self._arrived.wait()

    def stop(self) -> None:
        """Let the task that fills it end."""
        if self.scope is not None:
            self.scope.cancel()
            self.scope = None
