"""Cancel an async function at its first, second, ... k-th pause until it runs through, and look at what is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from trio.testing import MockClock


class _CancelAfter(trio.abc.Instrument):
    """Cancels a scope when its task has paused for the k-th time, so that the cancellation hits that very pause."""

    def __init__(self, pauses: int) -> None:
        self.left = pauses
        self.task: trio.lowlevel.Task | None = None
        self.scope: trio.CancelScope | None = None

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.scope is None or task is not self.task:
            return
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()


def sweep(
    around: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]],
    body: Callable[[], Awaitable[None]],
    *,
    most: int = 2000,
) -> int:
    """Run ``around(body)`` again and again in fresh event loops, cancelling ``body`` at each of its pauses in turn.

    Args:
        around: sets up, calls what it is given, and checks what is left; it is not cancelled itself.
        body: what is cancelled.
        most: a guard against a body that never completes.

    Returns:
        How many pauses ``body`` has.
    """
    for pauses in range(1, most):
        instrument = _CancelAfter(pauses)
        cancelled = False

        async def cancellable(instrument: _CancelAfter = instrument) -> None:
            nonlocal cancelled
            with trio.CancelScope() as scope:
                instrument.task, instrument.scope = trio.lowlevel.current_task(), scope
                try:
                    await body()
                finally:
                    instrument.scope = None
            cancelled = scope.cancelled_caught

        async def main() -> None:
            await around(cancellable)

        trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[instrument])
        if not cancelled:
            return pauses - 1
    raise AssertionError(f"not through after {most} pauses")
