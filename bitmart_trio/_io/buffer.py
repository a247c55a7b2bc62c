"""The buffer between the hub and a subscription's readers: bounded, and acting by policy when it is full.

It has a memory channel's semantics for those who receive, but can replace an item by a newer one, hand over a batch,
and hold a topic's pushes back behind a hole. The hub's side never waits.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, get_args

import attrs
import trio
from trio.lowlevel import Task

from .._core.channel import Overflow
from .._scopes import protected
from ..errors import AbsentMember, BitMartError, InvalidRequest, StreamGap, SubscriberTooSlow
from ..models._model import Model
from ..models.stream_events import Backfilled, Gap
from .holes import Filler, Hole, NoRoom

logger = logging.getLogger(__name__)

T = TypeVar("T")

Mark: TypeAlias = Gap | Backfilled
"""What stands between items and is not one."""

Gaps: TypeAlias = Literal["skip", "mark", "raise"]
"""What a hole in a stream is: only counted, an item of its own, or an exception."""


@attrs.frozen
class SubscriptionStatistics(Model):
    """What has become of a subscription's messages.

    ``received + backfilled == delivered + conflated + dropped + repeated + buffer_used``.
    """

    received: int
    """Items that the exchange pushed."""
    backfilled: int
    """Items read over REST to fill holes."""
    delivered: int
    """Items handed to the user."""
    conflated: int
    """Items replaced by a newer one of the same state before they were read."""
    dropped: int
    """Items thrown away because the buffer was full, or because the stream ended while they waited behind a hole."""
    repeated: int
    """Pushes left out because the user had them already, over REST."""
    gaps: int
    """Holes that stayed: one a topic and break of its connection."""
    reconnects: int
    """Breaks after which topics were acknowledged again."""
    buffer_used: int
    """Items that can be read, and pushes held back until a hole is filled."""
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
class Waiter:
    """A task in receive, and what it was woken with."""

    wants_batch: bool
    result: Any = None
    error: Exception | None = None


@protected
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
        self.waiting: OrderedDict[Task, Waiter] = OrderedDict()
        """Tasks in receive, first come first served."""
        self.filler: Filler[T] | None = None
        """Fills holes; None leaves them."""
        self.start: Callable[[Callable[[], Awaitable[None]]], object] | None = None
        """Runs a task for as long as the client is open."""
        self._queue: deque[T | Mark] = deque()
        self._states: dict[Hashable, T | Mark] = {}
        self._holes: dict[str, Hole[T]] = {}
        self._early: dict[str, float] = {}
        """Topics that pushed too much before their acknowledgement to wait for it, and when they did last.

        Their gap has been told.
        """
        self._batch: list[T | Mark] | None = None
        """What a task in `batches` was woken with, until it runs: what arrives meanwhile goes along."""
        self._end: Exception | None = None
        self._received = 0
        self._delivered = 0
        self._conflated = 0
        self._dropped = 0
        self._gaps = 0
        self._reconnects = 0
        self._epochs: dict[int, int] = {}
        self._backfilled = 0
        self._repeated = 0
        self._held = 0
        """Pushes behind holes."""
        self._marks = 0
        """Gaps and the like among the items."""
        self._told = 0
        self._last: float | None = None

    # ---- the hub's side
    # -----------------------------------------------------------------------------------------------

    def put(self, item: T, key: Hashable, now: float) -> None:
        """Take a push: hand it to a waiting task, buffer it by policy, or hold it back behind a hole."""
        if self._end is not None or not self.open_handles:
            return
        self._received += 1
        self._last = now
        hole = self._holes.get(_topic(key)) if self._holes else None
        if hole is not None:
            # Half of the room stays free for the moment when they are all let through.
            if self._held < max(1, self.size // 2):
                hole.hold(item, key)
                self._held += 1
                return
            if hole.open:
                self._early[hole.topic] = now
            self._close(hole, f"{self._held} pushes were waiting for it")
        elif self._early and _topic(key) in self._early:
            self._early[_topic(key)] = now
        if self.filler is not None or self._end is not None:
            self._admit(item, key)
        elif self._batch is not None and not self.waiting:
            self._delivered += 1
            self._batch.append(item)
        else:
            self._store(item, key)

    def _admit(self, item: T, key: Hashable) -> None:
        if self._end is not None:
            self._dropped += 1
        elif self.filler is not None and not self._notice(self.filler, _topic(key), item):
            self._repeated += 1
        else:
            self._store(item, key)

    @staticmethod
    def _notice(filler: Filler[T], topic: str, item: T) -> bool:
        try:
            return filler.notice(topic, item)
        except AbsentMember:  # what follows cannot be joined on to an item that is not known whole
            filler.missed(topic)
            return True

    def _store(self, item: T, key: Hashable) -> None:
        if self.waiting:
            self._delivered += 1
            self._hand_over(item)
        elif self._batch is not None:
            self._delivered += 1
            self._batch.append(item)
        elif self.overflow == "conflate":
            if key in self._states:
                self._conflated += 1
                if self._marks:
                    del self._states[key]  # what arrived behind a hole is read behind it
            elif self._used() >= self.size:
                self._drop_oldest_state()
            self._states[key] = item
        elif len(self._queue) + self._held - self._marks < self.size:
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

    def lost(self, topic: str, gap: Gap | None) -> None:
        """The connection of a topic is gone: what is pushed from now on comes behind a hole.

        Args:
            topic: as on the wire.
            gap: the hole so far. None if the topic had not been acknowledged: there is nothing to have a hole in.
        """
        if gap is None or self._end is not None or not self.open_handles:
            return
        hole = self._holes.get(topic)
        if hole is not None and not hole.open and hole.held:
            self._close(hole, "the connection broke again before it was filled")
            hole = None
        if hole is None:
            # If the gap was told early, this one begins behind what has come since.
            hole = self._holes[topic] = Hole(self, gap, since=self._early.pop(topic, gap.since))
        else:  # it only becomes longer
            hole.stop()
            hole.torn = hole.torn or bool(hole.held)
        hole.grow(gap)

    def gap(self, gap: Gap, connection: int | None) -> None:
        """The topic is back: its hole is known now, and is told or filled."""
        if connection is not None and self._epochs.get(connection, 0) != gap.epoch:
            self._epochs[connection] = gap.epoch  # each of the connection's topics brings its own gap
            self._reconnects += 1
        if self._end is not None or not self.open_handles:
            self._gaps += 1
            return
        hole = self._holes.get(gap.topic)
        if hole is None:
            if connection is not None and self._early.pop(gap.topic, None) is not None:
                return
            hole = self._holes[gap.topic] = Hole(self, gap, since=gap.since)
        hole.stop()
        hole.end(gap)
        if self.filler is None or self.start is None:
            self._close(hole, "")
        elif hole.torn:
            self._close(hole, "the connection broke between the pushes behind it")
        else:
            hole.scope = trio.CancelScope()
            self.start(partial(self._fill, hole, hole.scope))

    async def _fill(self, hole: Hole[T], scope: trio.CancelScope) -> None:  # noqa: ASYNC910  # not an operation of the user's
        """A task: fill a hole, or say why not. Nothing but its cancellation leaves it."""
        assert self.filler is not None
        reason: str | None = None
        with scope:
            try:
                reason = await self.filler.fill(hole)
            except (BitMartError, NoRoom) as error:
                reason = f"{type(error).__name__}: {error}"
            except Exception as error:  # the stream must go on whatever REST has brought
                logger.exception("a hole in %s could not be filled", hole.topic)
                reason = repr(error)
        if hole.scope is scope:
            self._close(hole, reason)

    def fill_in(self, hole: Hole[T], items: Sequence[T]) -> None:
        """Take what was read for a hole.

        Raises:
            NoRoom: not all of it can be held.
        """
        if not items:
            return
        if self._used() + len(items) > self.size + len(self.waiting):
            raise NoRoom(f"{len(items)} items do not fit into the buffer")
        assert self.filler is not None
        self._tell_filled(hole, len(items))
        hole.filled += len(items)
        self._backfilled += len(items)
        for item in items:
            self._store(item, self.filler.state(hole.topic, item))

    def _close(self, hole: Hole[T], reason: str | None) -> None:
        """The hole is filled (None), or stays; either way what waits behind it goes on."""
        self._forget(hole)
        gap = hole.gap
        if reason is None:
            if not hole.told:
                self._tell_filled(hole, 0)
        else:
            if hole.open:
                gap = gap._replace(until=trio.current_time())
            if self.filler is not None:
                self.filler.missed(hole.topic)
                gap = gap._replace(reason=f"{gap.reason}; not filled: {reason}")
                if hole.filled:
                    # What was filled may go beyond the acknowledgement, and a push of the same may have been left out.
                    gap = gap._replace(until=trio.current_time())
            self._gaps += 1
            if self.gaps != "skip":
                self._mark(gap)
        for held in hole.held:
            self._held -= 1
            self._admit(held.item, held.key)

    def _forget(self, hole: Hole[T]) -> None:
        if self._holes.get(hole.topic) is hole:
            del self._holes[hole.topic]
        hole.stop()

    def _discard(self, hole: Hole[T]) -> None:
        """Nobody will read what waits behind it."""
        self._forget(hole)
        self._held -= len(hole.held)
        self._dropped += len(hole.held)

    def prune(self) -> None:
        """Let go of the holes of topics that are no longer held."""
        for topic, hole in list(self._holes.items()):
            if topic not in self.topics:
                self._close(hole, "the topic was let go")
        for topic in [topic for topic in self._early if topic not in self.topics]:
            del self._early[topic]

    def _tell_filled(self, hole: Hole[T], count: int) -> None:
        gap = hole.gap
        hole.told = True
        if self.gaps == "mark":
            self._mark(Backfilled(count, gap.since, gap.until, gap.epoch, gap.topic))

    def _mark(self, mark: Mark) -> None:
        if self._end is not None:
            return
        if self.waiting:
            self._hand_over(mark)
            return
        if self._batch is not None:
            if self.gaps != "raise":
                self._batch.append(mark)
                return
            self._batch = None  # what comes behind a hole that raises is read behind it
        if not self._widen(mark):
            self._marks += 1
            self._told += 1
            if self.overflow == "conflate":
                self._states["mark", self._told] = mark
            else:
                self._queue.append(mark)

    def _widen(self, mark: Mark) -> bool:
        """Make one of two marks for a topic that nothing was received between.

        So a bad line cannot fill the memory with holes.
        """
        for index in range(len(self._queue) - 1, -1, -1):
            item = self._queue[index]
            if not isinstance(item, Mark):
                break
            if _mergeable(item, mark):
                self._queue[index] = _since(mark, item.since)
                return True
        for key in reversed(self._states):
            item = self._states[key]
            if not isinstance(item, Mark):
                break
            if _mergeable(item, mark):
                self._states[key] = _since(mark, item.since)
                return True
        return False

    def doubt(self, topic: str) -> None:
        """A topic may be out of date: nothing follows from that here, for a subscription holds no state."""

    def renewed(self, topic: str) -> None:
        """A topic was acknowledged afresh: nothing follows, as with `doubt`."""

    def end(self, error: Exception) -> None:
        """The stream cannot go on: what is buffered can still be read, then the error is raised, every time."""
        for hole in list(self._holes.values()):
            if hole.open:
                self._discard(hole)
            else:
                self._close(hole, "the stream ended before it was filled")
        if self._end is None:
            self._end = error
            while self.waiting:
                self._wake(error=self._raised())
            self.let_go()

    def let_go(self) -> None:
        """Give the topics back."""
        for hole in list(self._holes.values()):
            self._discard(hole)
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
        return len(self._queue) + len(self._states) - self._marks + self._held

    def _drop_oldest(self) -> None:
        for index, item in enumerate(self._queue):
            if not isinstance(item, Mark):
                del self._queue[index]
                self._dropped += 1
                return

    def _drop_oldest_state(self) -> None:
        for key, item in self._states.items():
            if not isinstance(item, Mark):
                del self._states[key]
                self._dropped += 1
                return

    def _hand_over(self, item: T | Mark) -> None:
        if isinstance(item, Gap) and self.gaps == "raise":
            self._wake(error=_stream_gap(item))
        else:
            self._wake(item)

    def _wake(self, item: T | Mark | None = None, error: Exception | None = None) -> None:
        task, waiter = self.waiting.popitem(last=False)
        waiter.result, waiter.error = item, error
        if waiter.wants_batch:
            waiter.result = [item]
            # A state that is replaced in the meantime must not be in it twice.
            self._batch = None if self.overflow == "conflate" or error is not None else waiter.result
        trio.lowlevel.reschedule(task)

    # ---- the user's side
    # ----------------------------------------------------------------------------------------------

    def take(self) -> T | Mark:
        """The next item; raises ``WouldBlock``, `StreamGap` or what ended the stream."""
        if self._queue:
            item = self._queue.popleft()
        elif self._states:
            item = self._states.pop(next(iter(self._states)))
        elif self._end is not None:
            raise self._raised()
        else:
            raise trio.WouldBlock
        if isinstance(item, Mark):
            self._marks -= 1
            if isinstance(item, Gap) and self.gaps == "raise":
                raise _stream_gap(item)
        else:
            self._delivered += 1
        return item

    def take_all(self) -> list[T | Mark]:
        """All that is ready, at least one item; raises like `take`, and stops short of a gap that raises."""
        items = [self.take()]
        if self.gaps != "raise" or not self._marks:
            items += self._queue
            items += self._states.values()
            self._delivered += len(items) - 1 - self._marks
            self._marks = 0
            self._queue.clear()
            self._states.clear()
            return items
        while self._queue and not isinstance(self._queue[0], Gap):
            items.append(self.take())
        while self._states and not isinstance(next(iter(self._states.values())), Gap):
            items.append(self.take())
        return items

    def batch_taken(self, batch: object) -> None:
        """A task has got the batch that it was woken with."""
        if self._batch is batch:
            self._batch = None

    def _raised(self) -> Exception:
        # A fresh copy each time would lose attributes; the same object raised twice only grows its traceback.
        assert self._end is not None
        return self._end.with_traceback(None)

    def statistics(self) -> SubscriptionStatistics:
        """See `SubscriptionStatistics`."""
        return SubscriptionStatistics(
            received=self._received,
            backfilled=self._backfilled,
            delivered=self._delivered,
            conflated=self._conflated,
            dropped=self._dropped,
            repeated=self._repeated,
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


def _since(mark: Mark, since: float) -> Mark:
    return mark._replace(since=since) if isinstance(mark, Gap) else attrs.evolve(mark, since=since)


def _topic(key: Hashable) -> str:
    """The topic of a state key: the key itself, or the first of a pair."""
    first: object = key[0] if isinstance(key, tuple) else key  # pyright: ignore[reportUnknownVariableType]
    return first if isinstance(first, str) else ""


def _mergeable(old: Mark, new: Mark) -> bool:
    if old.topic != new.topic:
        return False
    if isinstance(old, Gap):
        return isinstance(new, Gap)
    return isinstance(new, Backfilled) and old.count == new.count == 0
