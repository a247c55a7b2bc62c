"""`Subscription`: what a user iterates.

A ``trio.abc.ReceiveChannel`` over a bounded buffer that acts by policy when it is full (``buffer.py``).

It has the semantics of a memory channel's receive side (a conformance test runs the same cases on both): several tasks
may receive and compete for items, clones share one buffer, closing wakes those who wait with ``ClosedResourceError``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import trio
from trio.lowlevel import Abort, RaiseCancelT, Task

from .._scopes import protected
from .buffer import Gaps, Owner, SubscriptionBuffer, SubscriptionStatistics, Waiter

__all__ = ["Gaps", "Owner", "Subscription", "SubscriptionBuffer", "SubscriptionStatistics"]

T_co = TypeVar("T_co", covariant=True)


@protected
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
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            item = self.receive_nowait()
        except trio.WouldBlock:
            waited: T_co = await self._wait(wants_batch=False)
            return waited
        await trio.lowlevel.cancel_shielded_checkpoint()
        return item

    async def _receive_all(self) -> list[T_co]:
        """Wait for the next items: all that are ready. Cancelling loses nothing."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        batch: list[Any]
        try:
            batch = self._buffer.take_all()
        except trio.WouldBlock:
            batch = await self._wait(wants_batch=True)
            self._buffer.batch_taken(batch)
            return batch
        await trio.lowlevel.cancel_shielded_checkpoint()
        return batch

    async def _wait(self, wants_batch: bool) -> Any:  # noqa: ANN401
        task = trio.lowlevel.current_task()
        waiter = Waiter(wants_batch)
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
        """Give up symbols or topics. Items of theirs that are already buffered are still delivered."""
        await trio.lowlevel.checkpoint()
        await self._owner().remove(self._buffer, subjects)
        self._buffer.prune()

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

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            await trio.lowlevel.checkpoint()  # noqa: ASYNC102  # no error is in flight
        else:  # a cancellation must not replace it
            await trio.lowlevel.cancel_shielded_checkpoint()

    def __enter__(self) -> Subscription[T_co]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@protected
class _Batches(Generic[T_co]):
    """The iterator of `Subscription.batches`."""

    def __init__(self, subscription: Subscription[T_co]) -> None:
        self._subscription = subscription

    def __aiter__(self) -> _Batches[T_co]:
        return self

    async def __anext__(self) -> list[T_co]:
        return await self._subscription._receive_all()  # pyright: ignore[reportPrivateUsage]  # its other half
