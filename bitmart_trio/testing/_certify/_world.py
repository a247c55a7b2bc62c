"""The process of a bot in virtual time: clocks, threads, signals, and the detection of busy loops.

While a day runs, ``time.time``, ``time.monotonic`` and ``time.sleep`` use virtual time, and ``trio.to_thread`` does its
work immediately in the calling thread: virtual time would not wait for a real thread.
"""

from __future__ import annotations

import ctypes
import inspect
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from multiprocessing import parent_process
from types import FrameType
from typing import Any, Final, TypeVar, cast

import trio
from trio.testing import MockClock

from .._census import family
from .._schedule import deterministic
from ._bot import Bot

T = TypeVar("T")

AT_ONCE: Final = 8_000
"""Rounds of the event loop without any time in between after which a bot counts as spinning."""
_STUCK_CODE: Final = 70
STUCK_SECONDS: Final = 20.0
"""Seconds of CPU time without a round of the event loop after which a bot counts as stuck."""
_LIBRARY: Final = __name__.partition(".")[0]


class Abandoned(BaseException):
    """The day is over but the bot does not end."""


class Stuck(BaseException):
    """The bot keeps the processor busy and never waits."""


class World(trio.abc.Instrument):
    """The process of a bot for one day.

    Args:
        bot: the bot whose lines are reported.
        start: the time of day at the beginning, in seconds since 1970.
    """

    def __init__(self, bot: Bot, start: float) -> None:
        self.bot = bot
        self.start = start
        self.clock: MockClock = MockClock(autojump_threshold=0)
        self.remarks: dict[str, str] = {}
        """Observations about the bot besides the findings, by the place where each was made."""
        self.on_spin: Callable[[str, str], None] = lambda what, line: None
        """Called once, when the bot spins or is stuck, with a description and the line."""
        self.abandoned: bool = False
        self._abandoned_tasks: list[trio.lowlevel.Task] = []
        self._broken_into = 0
        self._rounds = 0
        self._all_rounds = 0
        self._last = -1.0
        self._spun = False
        self._checked = 0

    def run(self, main: Callable[[], Any], seed: int, release: Callable[[], None]) -> None:
        """Run an async function in this world; if it had to be abandoned, call ``release`` at the end."""
        with quiet(), deterministic(seed), self._in_place():
            try:
                trio.run(main, clock=self.clock, instruments=[self])
            except trio.TrioInternalError:
                if not self.abandoned:
                    raise
                self._keep_from_ending()
                release()

    def abandon(self) -> None:
        """Abort the run at the next round of the event loop, whatever the bot does."""
        if self.abandoned:
            return
        self.abandoned = True
        self._abandoned_tasks.extend(family(trio.lowlevel.current_root_task()))

    def _keep_from_ending(self) -> None:
        """Make sure that the bot's unfinished coroutines are never garbage-collected.

        When a coroutine is collected, Python closes it by raising an exception in it. A bot that catches everything
        would catch that exception too and run on for ever, with nothing to stop it.
        """
        for task in self._abandoned_tasks:
            awaited: object = task.coro
            while (frame := getattr(awaited, "cr_frame", None)) is not None:
                if self.bot.owns(frame.f_code.co_filename):
                    ctypes.pythonapi.Py_IncRef(ctypes.py_object(task.coro))
                    break
                awaited = getattr(awaited, "cr_await", None)
        self._abandoned_tasks.clear()

    def before_io_wait(self, timeout: float) -> None:
        """Count rounds of the event loop at one moment of virtual time."""
        self._all_rounds += 1
        now = self.clock.current_time()
        if now != self._last:
            self._last, self._rounds = now, 0
            return
        self._rounds += 1
        if self._rounds > AT_ONCE and not self._spun:
            self._spun = True
            self.on_spin(f"{AT_ONCE} rounds of the event loop, and no time passed", "")

    def where(self) -> str:
        """Return the line of the bot that is running."""
        return self.bot.line(inspect.currentframe())

    def _remark(self, text: str) -> None:
        line = self.bot.line(inspect.currentframe())
        if line:
            self.remarks.setdefault(f"{text} at {line}", text)

    @contextmanager
    def _in_place(self) -> Generator[None]:
        """Replace clocks, sleeps and threads with those of virtual time, and restore them after the block."""
        clock, right = self.clock, self.clock.current_time

        def now() -> float:
            if self.abandoned and not _in_a_task():
                raise Abandoned  # into the event loop, where no bot can catch it
            return right()

        def of_day() -> float:
            return self.start + right()

        def sleep(seconds: float) -> None:
            if seconds > 0:
                self._remark("time.sleep() stops the whole program, every task of it")
                clock.jump(seconds)

        async def in_thread(
            sync_fn: Callable[..., T], *args: object, thread_name: object = None, abandon_on_cancel: bool = False,
            limiter: object = None,
        ) -> T:  # fmt: skip
            self._remark("to_thread runs in no thread here: its work is done on the spot, and takes no virtual time")
            await trio.lowlevel.checkpoint()
            return sync_fn(*args)

        places: list[tuple[object, str, object]] = [
            (time, "time", of_day), (time, "time_ns", lambda: round(of_day() * 1e9)),
            (time, "monotonic", right), (time, "monotonic_ns", lambda: round(right() * 1e9)),
            (time, "sleep", sleep), (trio.to_thread, "run_sync", in_thread), (clock, "current_time", now),
        ]  # fmt: skip
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
        for owner, name, ours in places:
            setattr(owner, name, ours)
        try:
            with self._watchdog():
                yield
        finally:
            for owner, name, theirs in before:
                setattr(owner, name, theirs)

    @contextmanager
    def _watchdog(self) -> Generator[None]:
        """Interrupt a bot that never waits, if the system has a CPU timer and this is the main thread."""
        timer = getattr(signal, "setitimer", None)
        if timer is None or threading.current_thread() is not threading.main_thread():
            yield
            return

        def look(_: int, frame: FrameType | None) -> None:
            if self._checked != self._all_rounds:
                self._checked = self._all_rounds
                return
            line = self.bot.line(frame)
            if not line:
                return  # not in the bot: the simulated exchange may take long
            if not self._spun:
                self._spun = True
                self.on_spin(f"no checkpoint in {STUCK_SECONDS:g} s of CPU time", line)
            self._broken_into += 1
            if self._broken_into > 1 and parent_process() is not None:
                os._exit(_STUCK_CODE)  # the bot catches everything: only ending its process stops it
            raise Stuck(f"stuck at {line}")

        before = signal.signal(signal.SIGVTALRM, look)
        timer(signal.ITIMER_VIRTUAL, STUCK_SECONDS, STUCK_SECONDS)
        try:
            yield
        finally:
            timer(signal.ITIMER_VIRTUAL, 0, 0)
            signal.signal(signal.SIGVTALRM, before)


@contextmanager
def quiet() -> Generator[None]:
    """Keep log records and warnings of a bot in trouble off the terminal; the certificate holds what matters."""
    before, hook = logging.root.manager.disable, sys.unraisablehook
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        logging.disable(before)
        sys.unraisablehook = hook


def tell(name: str, scope: trio.CancelScope) -> None:
    """Ask a bot to end: by the signal if the bot handles it, else by cancellation, as `trading.run` would."""
    number = cast("signal.Signals | None", getattr(signal, name, None))
    heard = number is not None and threading.current_thread() is threading.main_thread()
    if heard and number is not None and _listened(number):
        signal.raise_signal(number)
    else:
        scope.cancel()


def _in_a_task() -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def _listened(number: signal.Signals) -> bool:
    """True if the bot has opened a signal receiver of Trio, whose handler is a function of Trio."""
    handler = signal.getsignal(number)
    return callable(handler) and getattr(handler, "__module__", "") == "trio._signals"
