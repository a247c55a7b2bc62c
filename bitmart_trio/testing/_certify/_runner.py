"""Many days on any executor: each day counts once, whatever process dies, and Ctrl-C keeps the days already played.

With our own pool there are never more days in flight than workers. So when the pool breaks, the days in flight are the
suspects: each is played again alone in a new pool, and a day that breaks that pool too is a finding. With the user's
executor, a day whose work fails twice is a finding.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing import get_all_start_methods, get_context
from typing import Final, Generic, TypeVar

from ._job import Job
from ._outcome import Finding, Outcome

R = TypeVar("R")
Work = Callable[[Job, str], R]

DEATHS: Final = 2
"""The number of times that a day must kill its process to be a finding."""


class Died(Exception):
    """A day has killed its process `DEATHS` times; the text describes how."""


def _ignore_interrupts() -> None:
    # The terminal sends Ctrl-C to every process; only the parent handles it, and then ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def own_pool(workers: int) -> ProcessPoolExecutor:
    """Make a pool of processes, whose main threads do the work."""
    if "forkserver" not in get_all_start_methods():
        return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_ignore_interrupts)
    context = get_context("forkserver")
    # The server that all workers are forked from loads this module once, so a new pool is cheap.
    context.set_forkserver_preload([f"{__package__}._job"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts)


class Runner(Generic[R]):
    """Does one kind of work for each day.

    Args:
        work: a function of a module.
        job: the options that all days share.
        workers: the number of processes; 0: none, the work is done in this process.
        executor: the user's executor, in place of our own processes; it is not shut down.
        done: called in this process with each day's name and its result.
        died: makes the result of a day that kills its process.
    """

    def __init__(
        self,
        work: Work[R],
        job: Job,
        *,
        workers: int,
        executor: Executor | None,
        done: Callable[[str, R], None],
        died: Callable[[str, str], R],
    ) -> None:
        self._work = work
        self._job = job
        self._workers = workers
        self._executor = executor
        self._done = done
        self._died = died
        self._deaths: dict[str, int] = {}

    def run(self, names: Iterable[str]) -> bool:
        """Do the work for all days; False when Ctrl-C interrupted it."""
        try:
            if self._executor is not None:
                self._on_foreign(deque(names), self._executor)
            elif self._workers == 0:
                for name in names:
                    self._done(name, self._work(self._job, name))
            else:
                self._on_own(deque(names))
        except KeyboardInterrupt:
            return False
        return True

    def _on_foreign(self, names: deque[str], executor: Executor) -> None:
        flying: dict[Future[R], str] = {}
        try:
            while names or flying:
                # Enough to keep all workers busy; not all at once, so that an interrupt has few to cancel.
                while names and len(flying) < max(4 * self._workers, 32):
                    name = names.popleft()
                    flying[executor.submit(self._work, self._job, name)] = name
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    name = flying.pop(future)
                    error = future.exception()
                    if error is None:
                        self._done(name, future.result())
                    elif self._again(name):
                        names.append(name)
                    else:
                        self._done(name, self._died(name, f"{type(error).__name__}: {error}"))
        finally:
            for future in flying:
                future.cancel()

    def _on_own(self, names: deque[str]) -> None:
        while names:
            # A day in flight when a pool broke need not have broken it: only deaths of days played alone count.
            for name in self._in_pool(names, self._workers):
                alone = deque([name])
                while alone:
                    for again in self._in_pool(alone, 1):
                        if self._again(again):
                            alone.append(again)
                        else:
                            self._done(again, self._died(again, "the process died"))

    def _again(self, name: str) -> bool:
        """Count a death; True if the day may be tried once more."""
        self._deaths[name] = self._deaths.get(name, 0) + 1
        return self._deaths[name] < DEATHS

    def _in_pool(self, names: deque[str], workers: int) -> list[str]:
        """Work until all days are done or the pool breaks; return the days that may have broken it."""
        pool = own_pool(min(workers, len(names)))
        flying: dict[Future[R], str] = {}
        ended = False
        try:
            while names or flying:
                while names and len(flying) < workers:
                    name = names.popleft()
                    flying[pool.submit(self._work, self._job, name)] = name
                for future in wait(flying, return_when=FIRST_COMPLETED).done:
                    name = flying[future]
                    result = future.result()
                    del flying[future]
                    self._done(name, result)
            ended = True
        except BrokenExecutor:
            suspects = list[str]()
            for future, name in flying.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._done(name, future.result())
                else:
                    suspects.append(name)
            return suspects
        finally:
            # Only later versions of Python have a public way to end the processes of an executor. Here, processes that
            # still play a day end when their pipe closes.
            pool.shutdown(wait=ended, cancel_futures=True)
        return []


def dead_day(name: str, how: str) -> Outcome:
    """Make the outcome of a day whose process died."""
    return Outcome(name=name, verdict="failed", findings=(Finding("process_survives", how, 0.0),))
