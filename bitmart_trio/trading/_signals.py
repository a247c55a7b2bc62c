"""Turn SIGINT and SIGTERM into cancellation, so that a program that must stop leaves its blocks in order.

Plain ``trio.run`` turns Ctrl-C into a KeyboardInterrupt somewhere in the program, and lets SIGTERM, which service
managers send, kill it at once, without leaving any session. Here both cancel, and sessions close what is open.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio

from .._scopes import open_nursery, opener, start_soon

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def stopping() -> tuple[signal.Signals, ...]:
    """Return the signals that stop a program: SIGINT and SIGTERM, and on Windows SIGBREAK.

    Windows delivers no SIGTERM from outside: there Ctrl-Break arrives as SIGBREAK. Closing the console sends it as
    well, but Windows ends the process as soon as Python has noted the signal.
    """
    found = [signal.SIGINT, signal.SIGTERM]
    if (ctrl_break := getattr(signal, "SIGBREAK", None)) is not None:
        found.append(ctrl_break)
    return tuple(found)


class Stopped:
    """The signal, if any, that stopped a program.

    Attributes:
        signal: the first that arrived; None before that.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code that a shell expects: 130 after SIGINT, 143 after SIGTERM, 0 without a signal."""
        return 0 if self.signal is None else 128 + self.signal


@opener
async def cancel_on_signals(*signals: signal.Signals) -> AsyncGenerator[Stopped]:
    """Cancel the block when a signal asks the process to stop; only in the main thread.

    The first signal cancels the block, which ends without an error; ``signal`` of the object it yields says which. The
    second kills the process at once, as it would without this.

    Args:
        signals: SIGINT and SIGTERM, and SIGBREAK on Windows, if left out.
    """
    wanted = signals or stopping()
    stopped = Stopped()
    with trio.open_signal_receiver(*wanted) as received:
        async with open_nursery() as nursery:
            # Shielded, so that the second signal is handled while the block cleans up.
            watching = trio.CancelScope(shield=True)
            start_soon(nursery, _watch, received, watching, nursery.cancel_scope, stopped)
            try:
                yield stopped
            finally:
                watching.cancel()


async def _watch(
    received: AsyncIterator[int], watching: trio.CancelScope, block: trio.CancelScope, stopped: Stopped
) -> None:
    with watching:
        async for number in received:
            if stopped.signal is not None:
                log.warning("the second %s: ending at once", signal.Signals(number).name)
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            stopped.signal = signal.Signals(number)
            log.info("%s: leaving", stopped.signal.name)
            block.cancel()


def run(main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run a program that holds sessions like ``trio.run``: SIGINT and SIGTERM cancel, and sessions are left in order.

    Args:
        main: an async function.
        args: its arguments.

    Returns:
        The return value of ``main``.

    Raises:
        SystemExit: with 130 after SIGINT and 143 after SIGTERM, once ``main`` has ended.
        Exception: any error that leaves ``main``, such as an exit that could not be confirmed; also after a signal.
    """
    results: list[T] = []

    async def guarded() -> Stopped:
        async with cancel_on_signals() as stopped:
            await trio.lowlevel.checkpoint()  # an earlier signal ends the program here, not inside ``main``
            results.append(await main(*args))
        return stopped

    try:
        stopped = trio.run(guarded)
    except KeyboardInterrupt as early_or_late:  # before or after our handlers were in place
        raise SystemExit(128 + signal.SIGINT) from early_or_late
    if stopped.signal is not None:
        raise SystemExit(stopped.exit_code)
    return results[0]
