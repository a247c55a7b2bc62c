"""`Subscription`: what a user iterates.

A `Subscription` is a ``trio.abc.ReceiveChannel`` over a bounded queue with a policy for when the queue is full. Pushes
enter through a gate (``gate.py``), and reach the reader through the receivers that all clones share (``receivers.py``).

A subscription has the semantics of a memory channel's receive side (a conformance test runs the same cases on both):
several tasks may receive and compete for items, clones share one buffer, closing wakes waiting tasks with
``ClosedResourceError``. There is one difference, since a full checkpoint is most of the cost of an item: ``async for``
makes one by time (``pace.py``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Generic, TypeVar

import trio
from trio.lowlevel import Task

from .._scopes import protected
from .counts import SubscriptionStatistics
from .gate import Gate, Owner
from .pace import Pace

T_co = TypeVar("T_co", covariant=True)


@protected
class Subscription(trio.abc.ReceiveChannel[T_co]):
    """A live stream of typed items: ``async for item in subscription``.

    The openers of ``client.streams`` make subscriptions; leaving the opener's ``async with`` closes them. Items are
    delivered in the order of the wire. The opener's docstring states what may be missing; `statistics` counts gaps and
    dropped or conflated items.
    """

    def __init__(self, gate: Gate[Any]) -> None:
        self._gate = gate
        self._receivers = gate.receivers
        self._closed = False
        self._tasks: set[Task] = set()
        self._pace = Pace()
        self._receivers.handles += 1

    def __repr__(self) -> str:
        topics = ", ".join(list(self._gate.topics)[:3]) + (", ..." if len(self._gate.topics) > 3 else "")
        return f"<Subscription {topics}{' closed' if self._closed else ''}>"

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that it holds now, as spelled on the wire."""
        return tuple(self._gate.topics)

    def receive_nowait(self) -> T_co:
        """The next item without waiting.

        Raises:
            trio.WouldBlock: no item is ready.
            trio.ClosedResourceError: this handle is closed.
            StreamGap, SubscriberTooSlow, ConnectionLost, AuthenticationError, SubscriptionRefused: as `receive`.
        """
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        item: Any = self._receivers.take()
        return item  # type: ignore[no-any-return]  # a Gap only where the opener's overload says so

    async def receive(self) -> T_co:
        """Wait for the next item. Cancelling loses nothing: an item is either handed over or stays.

        Raises:
            trio.ClosedResourceError: this handle or its client was closed.
            StreamGap: with ``gaps="raise"``; the next call continues after the gap.
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

    async def __anext__(self) -> T_co:  # noqa: ASYNC910, ASYNC911  # a checkpoint by time
        """The next item of ``async for``. Raises what `receive` raises, and cancelling loses nothing.

        This is the one public async function that is not always a full checkpoint. While items are ready it checks for
        cancellation and Ctrl-C at each item, and lets other tasks run at the latest half a millisecond, or 64 items,
        after they last ran. `receive` is a full checkpoint.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            item = self.receive_nowait()
        except trio.WouldBlock:
            item = await self._wait(wants_batch=False)
            self._pace.begin()
        else:
            if self._pace.is_due():
                await trio.lowlevel.cancel_shielded_checkpoint()
                self._pace.begin()
        return item

    async def _receive_all(self) -> list[T_co]:
        """Wait for the next items: all that are ready. Cancelling loses nothing."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        batch: list[Any]
        try:
            batch = self._receivers.take_all()
        except trio.WouldBlock:
            batch = await self._wait(wants_batch=True)
            return batch
        await trio.lowlevel.cancel_shielded_checkpoint()
        return batch

    async def _wait(self, *, wants_batch: bool) -> Any:  # noqa: ANN401  # an item, or a list of items
        task = trio.lowlevel.current_task()
        self._tasks.add(task)
        try:
            return await self._receivers.wait(wants_batch=wants_batch)
        finally:
            self._tasks.discard(task)

    def batches(self) -> AsyncIterator[list[T_co]]:
        """Iterate over lists of all that is ready, one checkpoint a list.

        ``async for batch in subscription.batches()``.
        """
        return _Batches(self)

    def clone(self) -> Subscription[T_co]:
        """Another handle on the same buffer.

        Handles compete for items; the last handle to close releases the topics.
        """
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        return Subscription(self._gate)

    def statistics(self) -> SubscriptionStatistics:
        """Counts of what has become of its messages; shared by clones."""
        return self._gate.statistics()

    async def add(self, *subjects: str) -> None:
        """Add symbols (for a typed opener) or topics (for ``streams.subscribe``); returns once they are acknowledged.

        A cancelled call may have added some of them.

        Raises:
            SubscriptionRefused: the exchange refused a topic; then none of them is held.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._owner().add(self._gate, subjects)

    async def remove(self, *subjects: str) -> None:
        """Give up symbols or topics. Items of theirs that are already buffered are still delivered."""
        await trio.lowlevel.checkpoint()
        await self._owner().remove(self._gate, subjects)
        self._gate.prune()

    def _owner(self) -> Owner:
        if self._closed:
            raise trio.ClosedResourceError("this subscription is closed")
        return self._gate.holder()

    def close(self) -> None:
        """Close this handle of the subscription.

        Tasks that wait on this handle get ``ClosedResourceError``. The last handle releases the topics. Idempotent.
        """
        if self._closed:
            return
        self._closed = True
        for task in self._tasks:
            self._receivers.dismiss(task)
        self._receivers.handles -= 1
        if not self._receivers.handles:
            self._gate.release()

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
        else:  # a cancellation must not replace the error in flight
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
