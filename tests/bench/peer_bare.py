"""Ourselves, started, opened and timed by Trio's own means: what `bitmart_trio._scopes` costs is the difference.

It takes away the protection from Ctrl-C, the rule of what leaves a block, and the judging of deadlines, before anything
that uses them is loaded. ``python -m tests.bench.peer_bare '{...}'``.
"""

from __future__ import annotations

import contextlib
from typing import Any

import trio

from bitmart_trio import _scopes


def _start_soon(nursery: Any, async_fn: Any, *args: Any, name: object = None) -> None:
    nursery.start_soon(async_fn, *args, name=name)


async def _start(nursery: trio.Nursery, async_fn: Any, *args: Any) -> Any:
    return await nursery.start(async_fn, *args)


async def _in_time(deadline: Any, async_fn: Any) -> Any:
    with trio.move_on_at(deadline()):
        return await async_fn()


def take_away() -> None:
    """Put Trio's means in the place of ours."""
    replaced: dict[str, Any] = {
        "protected": lambda item: item,
        "start_soon": _start_soon,
        "start": _start,
        "in_time": _in_time,
        "open_nursery": trio.open_nursery,
        "opener": contextlib.asynccontextmanager,
    }
    for name, bare in replaced.items():
        assert hasattr(_scopes, name), name
        setattr(_scopes, name, bare)
    _scopes.open_service_nursery = contextlib.asynccontextmanager(_scopes.open_service_nursery.__wrapped__)  # type: ignore[attr-defined]


if __name__ == "__main__":
    take_away()
    from .peer_ours import main

    main()
