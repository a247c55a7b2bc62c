"""The process that a bot lives in, in virtual time: clocks, threads, signals, and what a scheduler can notice.

While a day runs, ``time.time``, ``time.monotonic`` and ``time.sleep`` go by virtual time, and ``trio.to_thread`` does
its work on the spot: a thread would be real, and virtual time would run away from it.
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

from .._schedule import deterministic
from ._bot import Bot

T = TypeVar("T")

AT_ONCE: Final = 8_000
"""Rounds of the event loop without any time passing after which a bot is taken for spinning."""
_STUCK_CODE: Final = 70
STUCK_SECONDS: Final = 20.0
"""Seconds of CPU time without a round of the event loop after which a bot is taken for stuck."""
_LIBRARY: Final = __name__.partition(".")[0]


class Abandoned(BaseException):
    """The day is over, and the bot does not end."""


class Stuck(BaseException):
    """The bot keeps the processor and never waits."""


class World(trio.abc.Instrument):
    """One process, for one day.

    Args:
        bot: whose lines are named.
        start: the time of day at its beginning, in seconds since 1970.
    """

    def __init__(self, bot: Bot, start: float) -> None:
        self.bot = bot
        self.start = start
        self.clock: MockClock = MockClock(autojump_threshold=0)
        self.remarks: dict[str, str] = {}
        """What a certificate should say about the bot beside its findings, by where it was seen."""
        self.on_spin: Callable[[str, str], None] = lambda what, line: None
        """Called when the bot spins or is stuck, with what was seen and where; once."""
        self.abandoned: bool = False
        self._abandoned_tasks: list[trio.lowlevel.Task] = []
        self._broken_into = 0
        self._rounds = 0
        self._all_rounds = 0
        self._last = -1.0
        self._spun = False
        self._checked = 0

    def run(self, main: Callable[[], Any], seed: int, let_go: Callable[[], None]) -> None:
        """Run an async function in this world; where it had to be abandoned, ``let_go`` is called at last."""
        with quiet(), deterministic(seed), self._in_place():
            try:
                trio.run(main, clock=self.clock, instruments=[self])
            except trio.TrioInternalError:
                if not self.abandoned:
                    raise
                self._keep_from_ending()
                let_go()

    def abandon(self) -> None:
        """Break the run off at the next round, whatever the bot does."""
        if self.abandoned:
            return
        self.abandoned = True
        root = trio.lowlevel.current_root_task()
        queue = [] if root is None else [root]
        while queue:
            task = queue.pop()
            self._abandoned_tasks.append(task)
            queue += [child for nursery in task.child_nurseries for child in nursery.child_tasks]

    def _keep_from_ending(self) -> None:
        """See to it that what the bot was in the middle of is never collected.

        A coroutine is closed as it is collected: an exception is raised in it. A bot that catches everything would
        catch that one too, and go on for ever, where nobody could stop it.
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
        """Count rounds at one moment."""
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
        """The line of the bot that runs now."""
        return self.bot.line(inspect.currentframe())

    def _remark(self, text: str) -> None:
        line = self.bot.line(inspect.currentframe())
        if line:
            self.remarks.setdefault(f"{text} at {line}", text)

    @contextmanager
    def _in_place(self) -> Generator[None]:
        """Put our own in the place of clocks, sleeps and threads, and take them back."""
        clock, right = self.clock, self.clock.current_time

        def now() -> float:
            if self.abandoned and not _in_a_task():
                raise Abandoned  # to the event loop; a bot might catch it
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
        """Break into a bot that never waits, where the system has a timer of CPU time and this is the main thread."""
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
                return  # not in the bot: this exchange may take its time
            if not self._spun:
                self._spun = True
                self.on_spin(f"no checkpoint in {STUCK_SECONDS:g} s of CPU time", line)
            self._broken_into += 1
            if self._broken_into > 1 and parent_process() is not None:
                os._exit(_STUCK_CODE)  # it catches everything: only the end of its process ends it
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
    """Keep what a bot under trouble logs and complains about off the terminal; a certificate says what matters."""
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
    """Tell a bot to end: by the signal where it listens for it, else by cancellation, as `trading.run` would."""
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
    """Whether the bot has a receiver of its own: Trio's are functions of Trio."""
    handler = signal.getsignal(number)
    return callable(handler) and getattr(handler, "__module__", "") == "trio._signals"
