"""Where a subscription's pushes come in: let through to the receivers, or held back behind a gap of their topic.

The router's side (`Sink`) never waits. The states of a gap are a table in ``pending_gap.py``; the queue of items for
the reader is in ``receivers.py`` and ``item_queue.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import attrs
import trio

from .._core.channel import Overflow
from .._scopes import protected
from ..errors import AbsentMember, BitMartError, InvalidRequest, SubscriberTooSlow
from ..models.stream_events import Backfilled, Gap
from .counts import Counts, SubscriptionStatistics
from .item_queue import ItemQueue
from .pending_gap import Backfiller, GapEvent, GapState, NoRoom, PendingGap
from .receivers import Gaps, Receivers

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Owner(Protocol):
    """Who holds the topics of a subscription on the wire."""

    async def add(self, gate: Gate[Any], subjects: tuple[str, ...]) -> None:
        """Add topics; returns once they are acknowledged."""
        ...

    async def remove(self, gate: Gate[Any], subjects: tuple[str, ...]) -> None:
        """Release topics of the subscription."""
        ...

    def release(self, gate: Gate[Any]) -> None:
        """Give all topics up: nobody reads any more."""
        ...


@protected
class Gate(Generic[T]):
    """The sink of one subscription and its clones.

    Args:
        size: the most items that may wait for the reader, including those held back behind gaps.
        overflow: the policy beyond that.
        gaps: how gaps reach the reader.

    Raises:
        InvalidRequest: there is no room for a single item, or a policy does not exist.
    """

    def __init__(self, *, size: int, overflow: Overflow, gaps: Gaps) -> None:
        self.topics: dict[str, None] = {}
        self.owner: Owner | None = None
        self.backfiller: Backfiller[T] | None = None
        """Fills gaps; None leaves them."""
        self.start: Callable[[Callable[[], Awaitable[None]]], object] | None = None
        """Runs a task for as long as the client is open."""
        self._counts = Counts()
        self._queue: ItemQueue[T] = ItemQueue(size, overflow, self._counts)
        self.receivers: Receivers[T] = Receivers(self._queue, gaps, self._counts)
        self._gaps: dict[str, PendingGap[T]] = {}
        self._early: dict[str, float] = {}
        """Topics whose gap was reported before its end was known, with the time of their last push.

        They pushed more before their acknowledgement than can be held.
        """
        self._epochs: dict[int, int] = {}
        """The newest counted break of each connection."""
        self._last_message: float | None = None

    @property
    def _closed(self) -> bool:
        return self.receivers.ended is not None or not self.receivers.handles

    # ---- pushes -----------------------------------------------------------------------------------------------------

    def put(self, item: T, key: Hashable, now: float) -> None:
        """Take a push: let it through, or hold it back behind a gap of its topic."""
        receivers = self.receivers
        if receivers.ended is not None or not receivers.handles:
            return
        self._counts.received += 1
        self._last_message = now
        if self._gaps and (gap := self._gaps.get(_topic(key))) is not None:
            # Half of the room stays free for the moment when all held pushes are let through.
            if self._queue.reserved < max(1, self._queue.size // 2):
                gap.hold(item, key)
                self._queue.reserved += 1
                return
            if gap.open:
                self._early[gap.topic] = now
            self._leave(gap, GapEvent.FAILED, f"{self._queue.reserved} pushes were waiting for it")
        elif self._early and _topic(key) in self._early:
            self._early[_topic(key)] = now
        if self.backfiller is not None or receivers.ended is not None:
            self._admit(item, key)
        elif not receivers.deliver(item, key):
            self._end_slow()

    def _admit(self, item: T, key: Hashable) -> None:
        if self.receivers.ended is not None:
            self._counts.dropped += 1
        elif self.backfiller is not None and not self._notice(self.backfiller, _topic(key), item):
            self._counts.repeated += 1
        elif not self.receivers.deliver(item, key):
            self._end_slow()

    @staticmethod
    def _notice(backfiller: Backfiller[T], topic: str, item: T) -> bool:
        try:
            return backfiller.notice(topic, item)
        except AbsentMember:  # later items cannot be joined to an item with absent members
            backfiller.missed(topic)
            return True

    def _end_slow(self) -> None:
        size, topics = self._queue.size, ", ".join(list(self.topics)[:3])
        self.end(
            SubscriberTooSlow(
                f"{size} items were waiting and another arrived (topics: {topics})", buffered=self._queue.used
            )
        )

    # ---- gaps -------------------------------------------------------------------------------------------------------

    def lost(self, topic: str, gap: Gap | None) -> None:
        """Note that a topic's connection broke: what is pushed from now on comes behind a gap.

        Args:
            topic: as on the wire.
            gap: the gap so far. None if the topic had not been acknowledged: then there can be no gap.
        """
        if gap is None or self._closed:
            return
        pending = self._gaps.get(topic)
        if pending is not None:
            event = GapEvent.BROKE_BEHIND if pending.held else GapEvent.BROKE
            if pending.machine.state is GapState.FILLING and pending.held:
                self._leave(pending, event, "the connection broke again before it was filled")
                pending = None
            else:
                pending.stop()
                pending.machine.step(event)
        if pending is None:
            # If a gap was reported early, this one begins after the items received since.
            since = self._early.pop(topic, gap.since)
            pending = self._gaps[topic] = PendingGap(self, gap, since=since)
        pending.extend(gap)

    def gap(self, gap: Gap, connection: int | None) -> None:
        """Note that a topic is back: its gap is as long as ``gap`` says, and is shown or filled.

        Args:
            gap: the gap, beginning at the last message before it.
            connection: the connection that broke; None for a gap on a connection that did not break.
        """
        if connection is not None and self._epochs.get(connection, 0) != gap.epoch:
            self._epochs[connection] = gap.epoch  # each of the connection's topics brings its own gap
            self._counts.reconnects += 1
        if self._closed:
            self._counts.gaps += 1
            return
        pending = self._gaps.get(gap.topic)
        if pending is None:
            if connection is not None and self._early.pop(gap.topic, None) is not None:
                return
            pending = self._gaps[gap.topic] = PendingGap(self, gap, since=gap.since)
        pending.stop()
        pending.extend(gap)
        if self.backfiller is None or self.start is None:
            self._leave(pending, GapEvent.RETURNED_UNFILLED, "")
        elif pending.machine.state is GapState.UNFILLABLE:
            self._leave(pending, GapEvent.RETURNED, "the connection broke between the pushes behind it")
        else:
            pending.machine.step(GapEvent.RETURNED)
            pending.scope = trio.CancelScope()
            self.start(partial(self._fill, pending, pending.scope))

    async def _fill(self, gap: PendingGap[T], scope: trio.CancelScope) -> None:  # noqa: ASYNC910  # not an operation of the user's
        """A task: fill a gap, or say why not. Nothing but its cancellation leaves it."""
        assert self.backfiller is not None
        reason: str | None = None
        with scope:
            try:
                reason = await self.backfiller.fill(gap)
            except (BitMartError, NoRoom) as error:
                reason = f"{type(error).__name__}: {error}"
            except Exception as error:  # the stream must continue whatever REST has returned
                logger.exception("a gap in %s could not be filled", gap.topic)
                reason = repr(error)
        if gap.scope is scope:
            if reason is None:
                self._leave_filled(gap)
            else:
                self._leave(gap, GapEvent.FAILED, reason)

    def backfill(self, gap: PendingGap[T], items: Sequence[T]) -> None:
        """Take what was read for a gap.

        Raises:
            NoRoom: the buffer cannot hold all of the items.
        """
        if not items:
            return
        if self._queue.used + len(items) > self._queue.size + self.receivers.waiting:
            raise NoRoom(f"{len(items)} items do not fit into the buffer")
        assert self.backfiller is not None
        self._show_filled(gap, len(items))
        gap.filled += len(items)
        self._counts.backfilled += len(items)
        for item in items:
            self.receivers.deliver(item, self.backfiller.state(gap.topic, item))

    def _leave_filled(self, gap: PendingGap[T]) -> None:
        """The gap is filled: what waits behind it goes on."""
        gap.machine.step(GapEvent.READ)
        if not gap.shown:
            self._show_filled(gap, 0)
        self._let_through(gap)

    def _leave(self, pending: PendingGap[T], event: GapEvent, reason: str) -> None:
        """The gap stays: it is counted and shown, and what waits behind it goes on."""
        gap = pending.gap
        if pending.open and event is GapEvent.FAILED:
            gap = gap._replace(until=trio.current_time())
        pending.machine.step(event)
        if self.backfiller is not None:
            self.backfiller.missed(pending.topic)
            gap = gap._replace(reason=f"{gap.reason}; not filled: {reason}")
            if pending.filled:
                # The backfill may extend beyond the acknowledgement, and a push of the same item may have been omitted.
                gap = gap._replace(until=trio.current_time())
        self._counts.gaps += 1
        self.receivers.mark(gap)
        self._let_through(pending)

    def _let_through(self, gap: PendingGap[T]) -> None:
        self._forget(gap)
        for held in gap.held:
            self._queue.reserved -= 1
            self._admit(held.item, held.key)

    def _forget(self, gap: PendingGap[T]) -> None:
        if self._gaps.get(gap.topic) is gap:
            del self._gaps[gap.topic]
        gap.stop()

    def _discard(self, gap: PendingGap[T], event: GapEvent) -> None:
        """Nobody will read what waits behind the gap."""
        gap.machine.step(event)
        self._forget(gap)
        self._queue.reserved -= len(gap.held)
        self._counts.dropped += len(gap.held)

    def _show_filled(self, pending: PendingGap[T], count: int) -> None:
        gap = pending.gap
        pending.shown = True
        self.receivers.mark(Backfilled(count, gap.since, gap.until, gap.epoch, gap.topic))

    def prune(self) -> None:
        """Close the gaps of topics that are no longer held."""
        for topic, gap in list(self._gaps.items()):
            if topic not in self.topics:
                self._leave(gap, GapEvent.FAILED, "the topic was given up")
        for topic in [topic for topic in self._early if topic not in self.topics]:
            del self._early[topic]

    def doubt(self, topic: str) -> None:
        """A topic may be out of date: nothing follows from that here, for a subscription holds no state."""

    def renewed(self, topic: str) -> None:
        """A topic was acknowledged afresh: nothing follows, as with `doubt`."""

    # ---- the end ----------------------------------------------------------------------------------------------------

    def end(self, error: Exception) -> None:
        """The stream cannot go on: what is buffered can still be read, then the error is raised, every time."""
        for gap in list(self._gaps.values()):
            if gap.open:
                self._discard(gap, GapEvent.ENDED)
            else:
                self._leave(gap, GapEvent.ENDED, "the stream ended before it was filled")
        if self.receivers.ended is None:
            self.receivers.end(error)
            self.release()

    def release(self) -> None:
        """Give the topics back."""
        for gap in list(self._gaps.values()):
            self._discard(gap, GapEvent.CLOSED)
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.release(self)

    def holder(self) -> Owner:
        """Who holds the topics; raises what ended the stream."""
        if self.owner is not None:
            return self.owner
        if self.receivers.ended is not None:
            raise self.receivers.end_error()
        raise InvalidRequest("this subscription has no topics that could be changed")

    def statistics(self) -> SubscriptionStatistics:
        """See `SubscriptionStatistics`."""
        return SubscriptionStatistics(
            **attrs.asdict(self._counts),
            buffer_used=self._queue.used,
            buffer_size=self._queue.size,
            last_message=self._last_message,
            open_receive_channels=self.receivers.handles,
            tasks_waiting_receive=self.receivers.waiting,
        )


def _topic(key: Hashable) -> str:
    """The topic of a state key: the key itself, or the first of a pair."""
    first: object = key[0] if isinstance(key, tuple) else key  # pyright: ignore[reportUnknownVariableType]
    return first if isinstance(first, str) else ""
