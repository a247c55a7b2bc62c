"""Two small habits: hand the user's own error back as it was, and clean up for a bounded time."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import trio


@contextmanager
def lone_error() -> Generator[None]:
    """Put around ``async with trio.open_nursery()`` inside an ``open_*`` function.

    A group of one error leaves as that error.

    Our tasks end expected failures through channels, so the only ordinary error that leaves the nursery is the user's
    own (which may itself be
    a group, and stays one). Two errors mean a bug of ours and stay a group.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) != 1:
            raise
        error = group.exceptions[0]
        cause, context = error.__cause__, error.__context__
        try:
            raise error  # noqa: ASYNC123  # its cause and context are put back below, its traceback goes on
        finally:
            # Raising it here has hung the group on it as its context: the user's error leaves as it came.
            error.__cause__, error.__context__ = cause, context
            del error, cause, context


def closing_shield(seconds: float) -> trio.CancelScope:
    """A scope for clean-up that awaits: finished even while being cancelled, but never for longer than this."""
    return trio.move_on_after(seconds, shield=True)
