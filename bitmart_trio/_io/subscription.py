"""`Subscription`: what a user iterates.

A ``trio.abc.ReceiveChannel`` over a bounded buffer that acts by policy when it is full.

It has the semantics of a memory channel's receive side (a conformance test runs the same cases on both): several tasks
may receive and compete
for items, clones share one buffer, closing wakes those who wait with ``ClosedResourceError``. It has its own buffer
because a memory channel can
neither replace an item by a newer one nor hand over a batch.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, get_args

import attrs
import trio
from trio.lowlevel import Abort, RaiseCancelT, Task

from .._core.channel import Overflow
from ..errors import InvalidRequest, StreamGap, SubscriberTooSlow
from ..models.stream_events import Gap

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

Gaps: TypeAlias = Literal["skip", "mark", "raise"]
"""What a hole in a stream is: only counted, an item of its own, or an exception."""


@attrs.frozen
class SubscriptionStatistics:
    """What has become of a subscription's messages. ``received == delivered + conflated + dropped + buffer_used``."""

    received: int
    """Items that arrived from the exchange."""
    delivered: int
    """Items handed to the user."""
    conflated: int
    """Items replaced by a newer one of the same state before they were read."""
    dropped: int
    """Items thrown away because the buffer was full."""
    gaps: int
    """Holes: one a topic and break of its connection."""
    reconnects: int
    """Breaks after which topics were acknowledged again."""
    buffer_used: int
    buffer_size: int
    last_message: float | None
    """``trio.current_time()`` of the newest item, None before the first."""
    open_receive_channels: int
    """This subscription and its clones."""
    tasks_waiting_receive: int


class Owner(Protocol):
    """Who holds the topics of a subscription on the wire."""

    async def add(self, buffer: SubscriptionBuffer[Any], subjects: tuple[str, ...]) -> None:
        """Add topics; returns once they are acknowledged."""
        ...

    async def remove(self, buffer: SubscriptionBuffer[Any], subjects: tuple[str, ...]) -> None:
        """Let go of topics."""
        ...

    def release(self, buffer: SubscriptionBuffer[Any]) -> None:
        """Let go of all topics: nobody reads any more."""
        ...


@attrs.define
class _Waiter:
    """A task in receive, and what it was woken with."""

    wants_batch: bool
    result: Any = None
    error: Exception | None = None


class SubscriptionBuffer(Generic[T]):
    """The buffer that a subscription and its clones share, and the side on which the hub puts items. Never waits.

    Args:
        size: items it may hold.
        overflow: what happens above that.
        gaps: how holes are told.

    Raises:
        InvalidRequest: no room for a single item, or a word that is not a policy.
    """

    def __init__(self, *, size: int, overflow: Overflow, gaps: Gaps) -> None:
        if size < 1:
            raise InvalidRequest(f"buffer must be at least 1, not {size!r}", argument="buffer")
        for name, word, words in (("overflow", overflow, get_args(Overflow)), ("gaps", gaps, get_args(Gaps))):
            if word not in words:
                raise InvalidRequest(f"{name} must be one of {', '.join(words)}, not {word!r}", argument=name)
        self.size = size
        self.overflow: Overflow = overflow
        self.gaps: Gaps = gaps
        self.topics: dict[str, None] = {}
        self.owner: Owner | None = None
        self.open_handles = 0
        self.waiting: OrderedDict[Task, _Waiter] = OrderedDict()
        """Tasks in receive, first come first served."""
        self._queue: deque[T | Gap] = deque()
        self._states: dict[Hashable, T | Gap] = {}
        self._end: Exception | None = None
        self._received = 0
        self._delivered = 0
        self._conflated = 0
        self._dropped = 0
        self._gaps = 0
        self._reconnects = 0
        self._epochs: dict[int, int] = {}
        self._held_gaps = 0
        self._last: float | None = None

    # ---- the hub's side
    # -----------------------------------------------------------------------------------------------

    def put(self, item: T, key: Hashable, now: float) -> None:
        """Take an item; hands it to a waiting task, or buffers it by policy."""
        if self._end is not None or not self.open_handles:
            return
        self._received += 1
        self._last = now
        if self.waiting:
            self._delivered += 1
            self._hand_over(item)
        elif self.overflow == "conflate":
            if key in self._states:
                self._conflated += 1
                if self._held_gaps:
                    del self._states[key]  # what arrived behind a hole is read behind it
            elif self._used() >= self.size:
                self._drop_oldest_state()
            self._states[key] = item
        elif self._used() < self.size:
            self._queue.append(item)
        elif self.overflow == "drop_oldest":
            self._drop_oldest()
            self._queue.append(item)
        else:
            self._dropped += 1
            self.end(
                SubscriberTooSlow(
                    f"{self.size} items were waiting and another arrived (topics: {', '.join(list(self.topics)[:3])})",
                    buffered=self._used(),
                )
            )

    def lost(self, topic: str) -> None:
        """Nothing to note before it is known how long the hole is."""

    def gap(self, gap: Gap, connection: int) -> None:
        """Note a hole where it happened."""
        self._gaps += 1
        if self._epochs.get(connection) != gap.epoch:  # each of the connection's topics brings its own gap
            self._epochs[connection] = gap.epoch
            self._reconnects += 1
        if self.gaps == "skip" or self._end is not None or not self.open_handles:
            return
        if self.waiting:
            self._hand_over(gap)
        elif not self._widen(gap):
            self._held_gaps += 1
            if self.overflow == "conflate":
                self._states["gap", self._gaps] = gap
            else:
                self._queue.append(gap)

    def _widen(self, gap: Gap) -> bool:
        """Make one of two holes in a topic that nothing was received between.

        So a bad line cannot fill the memory with holes.
        """
        for index in range(len(self._queue) - 1, -1, -1):
            item = self._queue[index]
            if not isinstance(item, Gap):
                break
            if item.topic == gap.topic:
                self._queue[index] = gap._replace(since=item.since)
                return True
        for key in reversed(self._states):
            item = self._states[key]
            if not isinstance(item, Gap):
                break
            if item.topic == gap.topic:
                self._states[key] = gap._replace(since=item.since)
                return True
        return False

    def end(self, error: Exception) -> None:
        """The stream cannot go on: what is buffered can still be read, then the error is raised, every time."""
        if self._end is None:
            self._end = error
            while self.waiting:
                self._wake(error=self._raised())
            self.let_go()

    def let_go(self) -> None:
        """Give the topics back."""
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.release(self)

    def holder(self) -> Owner:
        """Who holds the topics; raises what ended the stream."""
        if self.owner is not None:
            return self.owner
        if self._end is not None:
            raise self._raised()
        raise InvalidRequest("this subscription has no topics that could be changed")

    def _used(self) -> int:
        return len(self._queue) + len(self._states) - self._held_gaps

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._queue):
            if not isinstance(item, Gap):
                del self._queue[index]
                self._dropped += 1
                return

    def _drop_oldest_state(self) -> None:
        for key, item in self._states.items():
            if not isinstance(item, Gap):
                del self._states[key]
                self._dropped += 1
                return

    def _hand_over(self, item: T | Gap) -> None:
        if isinstance(item, Gap) and self.gaps == "raise":
            self._wake(error=_stream_gap(item))
        else:
            self._wake(item)

    def _wake(self, item: T | Gap | None = None, error: Exception | None = None) -> None:
        task, waiter = self.waiting.popitem(last=False)
        waiter.result = [item] if waiter.wants_batch else item
        waiter.error = error
        trio.lowlevel.reschedule(task)

    # ---- the user's side
    # ----------------------------------------------------------------------------------------------

    def take(self) -> T | Gap:
        """The next item; raises ``WouldBlock``, `StreamGap` or what ended the stream."""
        if self._queue:
            item = self._queue.popleft()
        elif self._states:
            item = self._states.pop(next(iter(self._states)))
        elif self._end is not None:
            raise self._raised()
        else:
            raise trio.WouldBlock
        if isinstance(item, Gap):
            self._held_gaps -= 1
            if self.gaps == "raise":
                raise _stream_gap(item)
        else:
            self._delivered += 1
        return item

    def take_all(self) -> list[T | Gap]:
        """All that is ready, at least one item; raises like `take`, and stops short of a gap that raises."""
        items = [self.take()]
        if self.gaps != "raise" or not self._held_gaps:
            items += self._queue
            items += self._states.values()
            self._delivered += len(items) - 1 - self._held_gaps
            self._held_gaps = 0
            self._queue.clear()
            self._states.clear()
            return items
        while self._queue and not isinstance(self._queue[0], Gap):
            items.append(self.take())
        while self._states and not isinstance(next(iter(self._states.values())), Gap):
            items.append(self.take())
        return items

    def _raised(self) -> Exception:
        # A fresh copy each time would lose attributes; the same object raised twice only grows its traceback.
        assert self._end is not None
        return self._end.with_traceback(None)

    def statistics(self) -> SubscriptionStatistics:
        """See `SubscriptionStatistics`."""
        return SubscriptionStatistics(
            received=self._received,
            delivered=self._delivered,
            conflated=self._conflated,
            dropped=self._dropped,
            gaps=self._gaps,
            reconnects=self._reconnects,
            buffer_used=self._used(),
            buffer_size=self.size,
            last_message=self._last,
            open_receive_channels=self.open_handles,
            tasks_waiting_receive=len(self.waiting),
        )


def _stream_gap(gap: Gap) -> StreamGap:
    return StreamGap(f"messages were missed for {gap.until - gap.since:.3f} s: {gap.reason}", gap=gap)


class Subscription(trio.abc.ReceiveChannel[T_co]):
    """A live stream of typed items: ``async for item in subscription``.

    Made by the openers (``client.streams.spot.trade(...)``), closed by leaving their ``async with``. Delivery is in
    the order of the wire. What
    may be missing says the opener; what was missed, dropped or conflated is counted in `statistics`.
    """

    def __init__(self, buffer: SubscriptionBuffer[Any]) -> None:
        self._buffer = buffer
        self._closed = False
        self._tasks: set[Task] = set()
        buffer.open_handles += 1

    def __repr__(self) -> str:
        topics = ", ".join(list(self._buffer.topics)[:3]) + (", ..." if len(self._buffer.topics) > 3 else "")
        return f"<Subscription {topics}{' closed' if self._closed else ''}>"

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that it holds now, as spelled on the wire."""
        return tuple(self._buffer.topics)

    def receive_nowait(self) -> T_co:
        """The next item without waiting.

        Raises:
            trio.WouldBlock: nothing is ready.
            trio.ClosedResourceError: this handle is closed.
            StreamGap, SubscriberTooSlow, ConnectionLost, AuthenticationError, SubscriptionRefused: as `receive`.
        """
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        item: Any = self._buffer.take()
        return item  # type: ignore[no-any-return]  # a Gap only where the opener's overload says so

    @trio.lowlevel.enable_ki_protection
    async def receive(self) -> T_co:
        """Wait for the next item. Cancelling loses nothing: an item is either handed over or stays.

        Raises:
            trio.ClosedResourceError: this handle or its client was closed.
            StreamGap: with ``gaps="raise"``; the next call goes on behind the hole.
            SubscriberTooSlow: the buffer was full, with ``overflow="fail"``.
            ConnectionLost: reconnecting was given up (``Backoff.attempts``).
            AuthenticationError: the login was refused after a reconnect.
            SubscriptionRefused: the topic was refused after a reconnect.
        """
        item: T_co = await self._next(wants_batch=False)
        return item

    async def _next(self, wants_batch: bool) -> Any:  # noqa: ANN401
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        try:
            ready = self._buffer.take_all() if wants_batch else self._buffer.take()
        except trio.WouldBlock:
            pass
        else:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return ready
        task = trio.lowlevel.current_task()
        waiter = _Waiter(wants_batch)
        self._tasks.add(task)
        self._buffer.waiting[task] = waiter

        def abort(_: RaiseCancelT) -> Abort:
            del self._buffer.waiting[task]
            return Abort.SUCCEEDED

        try:
            await trio.lowlevel.wait_task_rescheduled(abort)
        finally:
            self._tasks.discard(task)
        if waiter.error is not None:
            raise waiter.error
        return waiter.result

    def batches(self) -> AsyncIterator[list[T_co]]:
        """Iterate over lists of all that is ready, one checkpoint a list.

        ``async for batch in subscription.batches()``.
        """
        return _Batches(self)

    def clone(self) -> Subscription[T_co]:
        """Another handle on the same buffer.

        Handles compete for items; the topics are let go when the last one closes.
        """
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        return Subscription(self._buffer)

    def statistics(self) -> SubscriptionStatistics:
        """Counts of what has become of its messages; shared by clones."""
        return self._buffer.statistics()

    async def add(self, *subjects: str) -> None:
        """Add symbols (for a typed opener) or topics (for ``streams.subscribe``); returns once they are acknowledged.

        Cancelling it may leave some of them added.

        Raises:
            SubscriptionRefused: the exchange refused one; none of them is held then.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._owner().add(self._buffer, subjects)

    async def remove(self, *subjects: str) -> None:
        """Let go of symbols or topics. Items of theirs that are already buffered are still delivered."""
        await trio.lowlevel.checkpoint()
        await self._owner().remove(self._buffer, subjects)

    def _owner(self) -> Owner:
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        return self._buffer.holder()

    def close(self) -> None:
        """Close this handle.

        Tasks that wait on it get ``ClosedResourceError``. The last handle lets the topics go. Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            # Not in the list any more: it was just handed an item, which it keeps.
            waiter = self._buffer.waiting.pop(task, None)
            if waiter is not None:
                waiter.error = trio.ClosedResourceError("this subscription was closed")
                trio.lowlevel.reschedule(task)
        self._buffer.open_handles -= 1
        if not self._buffer.open_handles:
            self._buffer.let_go()

    async def aclose(self) -> None:
        """`close`, then a checkpoint."""
        self.close()
        await trio.lowlevel.checkpoint()

    def __enter__(self) -> Subscription[T_co]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Batches(Generic[T_co]):
    """The iterator of `Subscription.batches`."""

    def __init__(self, subscription: Subscription[T_co]) -> None:
        self._subscription = subscription

    def __aiter__(self) -> _Batches[T_co]:
        return self

    @trio.lowlevel.enable_ki_protection
    async def __anext__(self) -> list[T_co]:
        batch: list[T_co] = await self._subscription._next(wants_batch=True)
        return batch
