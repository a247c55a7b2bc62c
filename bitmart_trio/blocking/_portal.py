"""Connect threads without Trio to a thread that runs it.

A `Portal` owns one background thread with one ``trio.run``. A caller waits, so three things must be right:

* **Ctrl-C** ends a wait only together with its call: the call is cancelled, and the wait continues until it has ended.
  Otherwise an order could still be sent after the program believes to have stopped.
* **No wait outlives the thread.** Every call is registered before it is handed over, and when the thread ends, for any
  reason, it ends those that are left.
* **A fork** does not copy threads, so a child would wait for ever: it gets an error at once.

The thread is a daemon, because the interpreter joins all others before it runs `atexit`; and `atexit` closes the
portals, so that sessions end as they do on leaving a ``with`` block. The thread's object (`_Loop`) is separate from the
user's (`Portal`): a portal without references ends its thread.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast
from weakref import finalize

import trio

from .._scopes import open_nursery, start, start_soon

P = ParamSpec("P")
T = TypeVar("T")

_EXIT_SECONDS: Final = 30.0
"""Seconds that the interpreter's exit waits for a portal; closing has deadlines of its own, below this."""

_LOOK: Final = 0.2 if sys.platform == "win32" else None
"""Seconds between checks for a Ctrl-C, which interrupts no wait on Windows."""

_GLANCE: Final = 0.2
_SHOWN: Final = 200

_deadline: ContextVar[float] = ContextVar("bitmart_trio deadline of blocking calls")


def _wait(event: threading.Event) -> None:
    while not event.wait(_LOOK):
        pass


@contextmanager
def _one_interrupt_is_enough() -> Generator[None]:
    """Ignore further Ctrl-Cs while the first one is being handled."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    before = signal.signal(signal.SIGINT, _no_more)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _no_more(number: int, frame: object) -> None:
    """Ignore a Ctrl-C."""


class _Call(Generic[T]):
    """One call, from its thread to its end in Trio's thread."""

    def __init__(self, function: Callable[[], Awaitable[T]], name: str, until: float | None) -> None:
        self.name = name
        self.ended = threading.Event()
        self.value: list[T] = []
        """The returned value, in a tuple."""
        self.error: BaseException | None = None
        self.began = self.late = False
        self._function = function
        self._until = until
        self._scope = trio.CancelScope()
        self._dropped = False

    # In Trio's thread:

    def start(self, nursery: trio.Nursery) -> None:
        """Begin, unless it is already cancelled."""
        if not self._dropped:
            self.began = True
            start_soon(nursery, self._run, name=self.name)

    async def _run(self) -> None:  # noqa: ASYNC910  # a task: nobody waits for it
        try:
            if self._until is not None:
                self._scope.deadline = trio.current_time() + self._until - time.monotonic()
            with self._scope:
                self.value.append(await self._function())
            self.late = self._scope.cancelled_caught and trio.current_time() >= self._scope.deadline
        except trio.Cancelled:  # the portal closes
            raise
        except BaseException as error:  # noqa: ASYNC103, BLE001  # it belongs to the caller, whatever it is
            self.error = error
        finally:
            self.ended.set()

    def cancel(self) -> None:
        """Cancel the call; if it has not begun, it never will."""
        self._dropped = True
        self._scope.cancel()
        if not self.began:
            self.ended.set()

    # In the caller's:

    def result(self) -> T:
        """Return or raise what the call returned or raised."""
        if self.error is not None:
            raise self.error
        if self.value:
            return self.value[0]
        if self.late:
            raise TimeoutError(f"{self.name} took longer than fail_after allows, and was cancelled")
        raise trio.ClosedResourceError(f"the client was closed while {self.name} ran")

    def note(self) -> str:
        """Return what a user who interrupted the call should know."""
        if self.error is not None:
            return f"{self.name} ended with {type(self.error).__name__}: {self.error}"
        if self.value:
            return f"{self.name} ended before it could be cancelled; it returned {repr(self.value[0])[:_SHOWN]}"
        if not self.began:
            return f"{self.name} had not begun"
        return f"{self.name} was cancelled while it ran; what it sent may have taken effect"


class _Loop:
    """The thread and its state."""

    def __init__(self, opening: AbstractAsyncContextManager[Any], name: str) -> None:
        self.process = os.getpid()
        self.running = threading.Event()
        """Set once the thread accepts calls, or has ended before that."""
        self.ended = threading.Event()
        self.value: Any = None
        self.failure: BaseException | None = None
        self.closing = False
        self.nursery: trio.Nursery | None = None
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._opening = opening
        self._lock = threading.Lock()
        self._calls = set[_Call[Any]]()
        self._token: trio.lowlevel.TrioToken | None = None
        self._scope = trio.CancelScope()
        self._stop = trio.Event()

    def _work(self) -> None:
        try:
            trio.run(self._main)
        except BaseException as error:  # noqa: ASYNC103, BLE001  # raised to the task that opens or closes it
            self.failure = error
        finally:
            with self._lock:
                self.closing = True
                left = list(self._calls)
            for call in left:
                call.ended.set()
            self.running.set()
            self.ended.set()
            _loops.discard(self)

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            if self.closing:
                self._scope.cancel()
            async with self._opening as self.value:
                async with open_nursery() as nursery:
                    self.nursery = nursery
                    self.running.set()
                    await self._stop.wait()
                    nursery.cancel_scope.cancel()

    def submit(self, call: _Call[Any], context: Context) -> None:
        """Hand over a call, which is certain to end."""
        nursery = self.nursery
        with self._lock:
            if self.closing or nursery is None:
                raise trio.ClosedResourceError("this client is closed") from self.failure
            self._calls.add(call)
        self.soon(lambda: context.run(call.start, nursery))

    def forget(self, call: _Call[Any]) -> None:
        """Remove a call that has ended."""
        with self._lock:
            self._calls.discard(call)

    def soon(self, function: Callable[[], object]) -> None:
        """Call a function in Trio's thread, unless that has ended."""
        if self._token is not None:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(function)

    def stop(self) -> None:
        """End everything, without waiting."""
        self.closing = True
        self.soon(self._end)

    def _end(self) -> None:
        self._stop.set()
        if not self.running.is_set():
            self._scope.cancel()


_loops: Final = set[_Loop]()


@atexit.register
def _close_all() -> None:
    mine = [loop for loop in list(_loops) if loop.process == os.getpid()]
    for loop in mine:
        loop.stop()
    for loop in mine:
        loop.ended.wait(_EXIT_SECONDS)


def _abandoned(loop: _Loop) -> None:
    if not loop.closing and loop.process == os.getpid():
        warnings.warn(f"{loop.thread.name} was not closed", ResourceWarning, stacklevel=2)
        loop.stop()


class Portal:
    """A background thread that runs Trio and holds something open in it, until `close`.

    Args:
        opening: the context manager to hold open.
        name: the thread's name.

    Raises:
        BaseException: any error that opening raises.
    """

    def __init__(self, opening: AbstractAsyncContextManager[Any], name: str) -> None:
        self._loop = loop = _Loop(opening, name)
        self._told = False
        _loops.add(loop)
        loop.thread.start()
        finalize(self, _abandoned, loop).atexit = False
        try:
            _wait(loop.running)
        except BaseException:  # an interrupt
            with _one_interrupt_is_enough():
                loop.stop()
                _wait(loop.ended)
            raise
        if loop.failure is not None:
            self._told = True
            raise loop.failure

    @property
    def value(self) -> Any:  # noqa: ANN401  # who has made the portal knows
        """Return the object held open. It belongs to Trio's thread."""
        return self._loop.value

    @property
    def closed(self) -> bool:
        """Return True if the portal was closed, or has ended by itself."""
        return self._loop.closing

    def call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Await a function in Trio's thread; any number of threads may do so at once.

        Raises:
            KeyboardInterrupt: once the call has ended; a note says how.
            TimeoutError: see `fail_after`.
            trio.ClosedResourceError: the portal is or was closed.
            RuntimeError: the call would wait for itself, or the portal belongs to another process.
            BaseException: what the function raises.
        """
        name = getattr(function, "__name__", None) or repr(function)
        return self._made(_Call(partial(function, *args, **kwargs), name, _deadline.get(None)))

    def finish(self, function: Callable[[], Awaitable[T]]) -> T:
        """Await a function that closes something; like `call`, but without a deadline."""
        return self._made(_Call(function, "closing", None))

    def _made(self, call: _Call[T]) -> T:
        self._check()
        loop = self._loop
        try:
            loop.submit(call, copy_context())
            _wait(call.ended)
        except trio.ClosedResourceError:
            raise
        except BaseException as interrupt:
            with _one_interrupt_is_enough():
                loop.soon(call.cancel)
                while not (call.ended.wait(_GLANCE) or loop.ended.is_set()):
                    pass  # a call that was never registered does not end with the thread
                interrupt.add_note(call.note())
            raise
        finally:
            loop.forget(call)
        return call.result()

    def now(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain function in Trio's thread; raises like `call`."""

        async def called() -> T:
            await trio.lowlevel.checkpoint_if_cancelled()
            return function(*args, **kwargs)

        called.__name__ = getattr(function, "__name__", "function")
        return self.call(called)

    def nursery(self) -> trio.Nursery:
        """Return the nursery for opened objects. For Trio's thread."""
        assert self._loop.nursery is not None
        return self._loop.nursery

    def close(self) -> None:
        """End all calls, leave the object held open, and wait for that. Idempotent.

        Raises:
            BaseException: any error that leaving raises, the first time.
        """
        loop = self._loop
        if loop.process != os.getpid():
            return  # the portal belongs to the parent process
        self._check_thread()
        loop.stop()
        try:
            _wait(loop.ended)
        except BaseException:
            with _one_interrupt_is_enough():
                _wait(loop.ended)  # it has deadlines of its own
            raise
        if loop.failure is not None and not self._told:
            self._told = True
            raise loop.failure

    def _check(self) -> None:
        if self._loop.process != os.getpid():
            raise RuntimeError(
                f"this client was opened in process {self._loop.process}, whose threads a fork does not copy: "
                "open one in this process"
            )
        self._check_thread()

    def _check_thread(self) -> None:
        if threading.current_thread() is self._loop.thread:
            raise RuntimeError(
                "a blocking call from the client's own thread (a hook, a signer) would wait for itself; "
                "there, use the asynchronous client"
            )


@contextmanager
def fail_after(seconds: float) -> Generator[None]:
    """Set a deadline for this thread's calls in the block: ``with bm.blocking.fail_after(5): trades.receive()``.

    A call that is not done by then is cancelled and raises `TimeoutError`; an order that it sent may have taken effect.
    In nested blocks the earlier deadline applies.
    """
    until = time.monotonic() + seconds
    token = _deadline.set(min(until, _deadline.get(until)))
    try:
        yield
    finally:
        _deadline.reset(token)


class Holding(Generic[T]):
    """An asynchronous context manager that is entered and left in Trio's thread.

    Args:
        portal: the portal of the thread.
        opening: the context manager.
    """

    def __init__(self, portal: Portal, opening: AbstractAsyncContextManager[T]) -> None:
        self._portal = portal
        self._opening = opening
        self._scope = trio.CancelScope()
        self._leave = trio.Event()
        self._left = trio.Event()
        self._inside = False
        self._given: BaseException | None = None
        self._raised: BaseException | None = None

    def enter(self) -> T:
        """Enter the context manager; raise what entering raises."""
        try:
            return self._portal.call(self._enter)
        except BaseException:
            if self._inside:  # interrupted when it was already open
                self.leave(None)
            raise

    def leave(self, error: BaseException | None) -> None:
        """Leave the context manager with this error, and wait until it has closed; do nothing after the portal's end.

        Raises:
            BaseException: an error other than the given one leaves.
        """
        if not self._portal.closed:
            self._given = error
            with suppress(trio.ClosedResourceError):
                self._portal.finish(self._close)
        if self._raised is not None and self._raised is not error:
            raise self._raised

    async def _enter(self) -> T:
        return cast("T", await start(self._portal.nursery(), self._hold))

    async def _close(self) -> None:
        self._leave.set()
        try:
            await self._left.wait()
        except trio.Cancelled:
            self._scope.cancel()
            with trio.CancelScope(shield=True):  # leaving has deadlines of its own
                await self._left.wait()
            raise

    async def _hold(self, task_status: trio.TaskStatus[T]) -> None:  # noqa: ASYNC910  # as above
        try:
            with self._scope:
                async with self._opening as value:
                    self._inside = True
                    task_status.started(value)
                    await self._leave.wait()
                    if self._given is not None:
                        raise self._given
        except trio.Cancelled:
            raise
        except BaseException as error:
            if not self._inside:
                raise
            self._raised = error
        finally:
            self._inside = False
            self._left.set()
