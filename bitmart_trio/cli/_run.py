"""Start a command, handle interruption, and end it: one Trio run, one exit code.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage (nothing was sent), 3 outcome unknown (a write was cut off and
may have been carried out), 4 finished with gaps (an incomplete archive), 130 interrupted by Ctrl-C, 143 by SIGTERM. An
error is one line on standard error.

Trio is imported only when a command runs: ``--help`` and shell completion do not need it.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn, cast

from ..errors import BitMartError, InvalidRequest, OutcomeUnknown
from ..text import printable

if TYPE_CHECKING:
    import trio

FAILED: Final = 1
MISUSED: Final = 2
UNKNOWN: Final = 3
GAPS: Final = 4
INTERRUPTED: Final = 128 + signal.SIGINT

# Windows delivers no SIGTERM from outside; there Ctrl-Break arrives as SIGBREAK.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))


EXIT_CODES: Final = (
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage (nothing was sent), 3 outcome unknown (look it up), "
    "4 finished with gaps (archive), 130 interrupted, 143 terminated."
)


class Failure(Exception):
    """A command failed; the message is for the person at the terminal."""

    code: int = FAILED


class Refusal(Failure):
    """A command was used wrongly; nothing was sent."""

    code = MISUSED


class Incomplete(Failure):
    """A command finished, but its result is incomplete."""

    code = GAPS


def run(command: Callable[[], Awaitable[None]]) -> NoReturn:
    """Run a command to its end and leave the process with its exit code.

    The first Ctrl-C or SIGTERM cancels the command, which then closes what it opened. A second Ctrl-C does not wait for
    that.
    """
    import trio

    print_anything()
    try:
        ended_by = trio.run(_until_signalled, command)
    except BaseException as error:  # noqa: ASYNC103, BLE001 - the edge of the program; bugs are raised again
        sys.exit(_exit_code(error))
    sys.exit(0 if ended_by is None else 128 + ended_by)


def print_anything() -> None:
    """Let a console that lacks a character, as on Windows, print its code instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def exiting_on_failure() -> Generator[None]:
    """End the process as `run` would if the block refuses something before anything runs."""
    try:
        yield
    except (BitMartError, Failure, OSError) as error:
        sys.exit(_exit_code(error))


async def _until_signalled(command: Callable[[], Awaitable[None]]) -> int | None:
    """Run the command; return the number of the signal that ended it, or None if it finished."""
    import trio

    from .._scopes import open_nursery, start

    caught: int | None = None

    async def listen(task_status: trio.TaskStatus[None]) -> None:
        nonlocal caught
        with trio.open_signal_receiver(*_SIGNALS) as signals:
            task_status.started()
            caught = await anext(signals)
        # Trio's handlers are back: a second Ctrl-C raises KeyboardInterrupt in the main task.
        nursery.cancel_scope.cancel()

    async with open_nursery() as nursery:
        await start(nursery, listen)
        await command()
        nursery.cancel_scope.cancel()
    return caught


def _exit_code(error: BaseException) -> int:
    """Print what happened and return its exit code; re-raise an error that is a bug."""
    leaves = list(_leaves(error))
    if any(isinstance(each, KeyboardInterrupt) for each in leaves):
        return INTERRUPTED
    if any(isinstance(each, BrokenPipeError) for each in leaves):
        # The reader of our output has closed it (``| head``). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if not all(isinstance(each, BitMartError | Failure | OSError) for each in leaves):
        raise error
    first = leaves[0]
    print(f"bitmart-trio: {one_line(first)}", file=sys.stderr)
    if isinstance(first, Failure):
        return first.code
    if isinstance(first, OutcomeUnknown):
        return UNKNOWN
    return MISUSED if isinstance(first, InvalidRequest) else FAILED


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(each)
    else:
        yield error


def one_line(error: BaseException) -> str:
    """Return an error as one line for the user."""
    text = printable(" ".join(str(error).split()))
    name = type(error).__name__
    if isinstance(error, Failure):
        return text
    return f"{name}: {text}" if text else name
