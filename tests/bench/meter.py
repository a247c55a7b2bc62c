"""What every Python peer shares: its plan, and the processor time of what counts."""

# ruff: noqa: T201  # a program: it prints
from __future__ import annotations

import gc
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

SETTLE: Final = 0.15
"""Seconds after warming up before the time is taken: within the server's silence."""


def plan() -> dict[str, Any]:
    """What the runner asked for."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def report(**found: object) -> None:
    """Tell the runner."""
    print(json.dumps(found), flush=True)


def memory() -> int:
    """Bytes of this process that are in memory."""
    gc.collect()
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # elsewhere only the most that ever was


def percentiles(units: list[int], scale: float) -> dict[str, float]:
    """The middle and the 99th percentile of what each unit took, in seconds; nothing if nothing was asked of each."""
    if not units:
        return {}
    units.sort()
    return {"p50": units[len(units) // 2] * scale, "p99": units[min(len(units) * 99 // 100, len(units) - 1)] * scale}


class Meter:
    """Processor and wall time from `start` to `stop`."""

    def __init__(self) -> None:
        self._cpu = self._wall = 0.0

    def start(self) -> None:
        """From now on it counts."""
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def stop(self, count: int, *, before: int = 0, took: list[int] | None = None, **more: object) -> None:
        """Report what so much work took, and how memory has grown: looking at that takes time, so it comes last.

        Args:
            count: units of work.
            before: bytes in memory before it.
            took: of each unit from the server to the user, in units of `work.now`.
            more: to be reported as it is.
        """
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        report(cpu=cpu, wall=wall, count=count, memory=memory() - before, **percentiles(took or [], 1e-7), **more)
