"""The receiving end of a subscription and its clones: the tasks that wait, and the queue they read when none does.

The semantics are those of a memory channel: the first task to wait is served first, and an item is either handed over
or stays. A task in ``batches()`` that was woken and has not run yet also gets the items that arrive in the meantime.
The sending side never waits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args

import attrs
import trio
from trio.lowlevel import Abort, RaiseCancelT, Task

from .._scopes import protected
from ..errors import InvalidRequest, StreamGap
from ..models.stream_events import Backfilled, Gap
from .counts import Counts
from .item_queue import ItemQueue, Mark

T = TypeVar("T")

Gaps: TypeAlias = Literal["skip", "mark", "raise"]
"""The report of a gap in a stream: only counted, an item of its own, or an exception."""


@attrs.define
class _Waiter:
    """A task in receive, and what it is woken with."""

    wants_batch: bool
    result: Any = None
    error: Exception | None = None


@protected
class Receivers(Generic[T]):
    """The tasks that receive, the items that none of them has yet, and how the stream ended.

    Args:
        queue: holds items while no task waits.
        gaps: how gaps reach the reader.
        counts: the counters of delivered items.

    Raises:
        InvalidRequest: ``gaps`` is not one of the allowed words.
    """

    def __init__(self, queue: ItemQueue[T], gaps: Gaps, counts: Counts) -> None:
        if gaps not in get_args(Gaps):
            raise InvalidRequest(f"gaps must be one of {', '.join(get_args(Gaps))}, not {gaps!r}", argument="gaps")
        self.queue: ItemQueue[T] = queue
        self.handles: int = 0
        """The number of open handles: the subscription and its clones."""
        self.ended: Exception | None = None
        """The error that ended the stream, raised once everything in the queue has been read."""
        self._gaps: Gaps = gaps
        self._counts = counts
        self._waiting: OrderedDict[Task, _Waiter] = OrderedDict()
        self._batch: list[T | Mark] | None = None
        """The batch with which a task in ``batches()`` was woken, until the task runs."""

    @property
    def waiting(self) -> int:
        """Return the number of tasks in ``receive``."""
        return len(self._waiting)

    # ---- the sending side -------------------------------------------------------------------------------------------

    def deliver(self, item: T, key: Hashable) -> bool:
        """Hand an item to the first task that waits, or queue it; False if there is no room for it."""
        if self._waiting:
            self._counts.delivered += 1
            self._wake(item)
        elif self._batch is not None:
            self._counts.delivered += 1
            self._batch.append(item)
        else:
            return self.queue.put(item, key)
        return True

    def mark(self, mark: Mark) -> None:
        """Show the reader a gap, or that one was filled, in its place between the items."""
        if self.ended is not None or self._gaps == "skip" or (self._gaps == "raise" and isinstance(mark, Backfilled)):
            return
        if self._waiting:
            if self._raises(mark):
                self._wake(error=_stream_gap(mark))
            else:
                self._wake(mark)
            return
        if self._batch is not None:
            if not self._raises(mark):
                self._batch.append(mark)
                return
            self._batch = None  # items after a gap that raises are read after it
        self.queue.mark(mark)

    def end(self, error: Exception) -> None:
        """End the stream; the first error stays. Tasks that wait raise it at once, others behind what is queued."""
        if self.ended is None:
            self.ended = error
            while self._waiting:
                self._wake(error=self.end_error())

    def end_error(self) -> Exception:
        """Return the error that ended the stream."""
        # A fresh copy each time would lose attributes; the same object raised twice only grows its traceback.
        assert self.ended is not None
        return self.ended.with_traceback(None)

    def _raises(self, mark: object) -> bool:
        return self._gaps == "raise" and isinstance(mark, Gap)

    def _wake(self, item: T | Mark | None = None, error: Exception | None = None) -> None:
        task, waiter = self._waiting.popitem(last=False)
        waiter.result, waiter.error = item, error
        if waiter.wants_batch:
            waiter.result = [item]
            # A state that is replaced in the meantime must not be in the batch twice.
            self._batch = None if self.queue.overflow == "conflate" or error is not None else waiter.result
        trio.lowlevel.reschedule(task)

    # ---- the reading side -------------------------------------------------------------------------------------------

    def take(self) -> T | Mark:
        """Take the next item.

        Raises:
            trio.WouldBlock: no item is ready.
            StreamGap: a gap is next, with ``gaps="raise"``.
            Exception: the error that ended the stream.
        """
        try:
            item = self.queue.take()
        except trio.WouldBlock:
            if self.ended is not None:
                raise self.end_error() from None
            raise
        if isinstance(item, Mark):
            if self._raises(item):
                raise _stream_gap(item)
        else:
            self._counts.delivered += 1
        return item

    def take_all(self) -> list[T | Mark]:
        """All that is ready, at least one item, short of a gap that raises. Raises as `take`."""
        items = [self.take()]
        if self._gaps == "raise" and self.queue.marks:
            while (first := self.queue.first()) is not None and not isinstance(first, Gap):
                items.append(self.take())
        else:
            marks = self.queue.marks
            rest = self.queue.take_all()
            self._counts.delivered += len(rest) - marks
            items += rest
        return items

    async def wait(self, *, wants_batch: bool) -> Any:  # noqa: ANN401  # an item, or a list of items
        """Wait for the next item, or batch; cancelling loses nothing. For when `take` would block."""
        task = trio.lowlevel.current_task()
        waiter = self._waiting[task] = _Waiter(wants_batch)

        def abort(_: RaiseCancelT) -> Abort:
            del self._waiting[task]
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
        if wants_batch and self._batch is waiter.result:
            self._batch = None
        if waiter.error is not None:
            raise waiter.error
        return waiter.result

    def dismiss(self, task: Task) -> None:
        """The handle that a task waits on was closed. A task that was just handed an item keeps it."""
        waiter = self._waiting.pop(task, None)
        if waiter is not None:
            waiter.error = trio.ClosedResourceError("this subscription was closed")
            trio.lowlevel.reschedule(task)


def _stream_gap(gap: object) -> StreamGap:
    assert isinstance(gap, Gap)
    return StreamGap(f"messages were missed for {gap.until - gap.since:.3f} s: {gap.reason}", gap=gap)
