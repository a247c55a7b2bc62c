"""Provide the bases of the generated classes: an object of Trio's thread, and the portal to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar

from .._core.suggest import Helpful
from ..client import Client
from ._portal import Holding, Portal

P = ParamSpec("P")
A_co = TypeVar("A_co", covariant=True)
B = TypeVar("B")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Twin(Helpful, Generic[A_co]):
    """A plain object that wraps an asynchronous one.

    Args:
        portal: leads to its thread.
        it: the asynchronous object.
    """

    __slots__ = ("_it", "_portal")

    _elsewhere = Client._elsewhere

    def __init__(self, portal: Portal, it: A_co) -> None:
        self._portal = portal
        self._it = it

    def __repr__(self) -> str:
        return f"<blocking {type(self).__name__}>"

    def _call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(function, *args, **kwargs)

    def _now(self, function: Callable[[], T]) -> T:
        return self._portal.now(function)

    def _open(self, make: Callable[[], AbstractAsyncContextManager[B]], twin: Callable[[Portal, B], T]) -> Opened[T]:
        return Opened(self._portal, self._portal.now(make), twin)


class Opened(Generic[T]):
    """An object that is open within a ``with`` block, or from `open` to `close`.

    Made by the openers of `Streams`, and by `Client.open`.
    """

    __slots__ = ("_holding", "_portal", "_twin")

    def __init__(
        self,
        portal: Portal,
        opening: AbstractAsyncContextManager[Any],
        twin: Callable[[Portal, Any], T],
    ) -> None:
        self._portal = portal
        self._holding: Holding[Any] = Holding(portal, opening)
        self._twin = twin

    def open(self) -> T:
        """Open it without a block, for notebooks, until `close` or the end of its client."""
        return self._twin(self._portal, self._holding.enter())

    def close(self) -> None:
        """Close what `open` has opened."""
        self._holding.leave(None)

    def __enter__(self) -> T:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._holding.leave(error)


class Iterating(Generic[T_co]):
    """A plain iterator over an asynchronous one: each step waits in Trio's thread."""

    __slots__ = ("_it", "_portal")

    def __init__(self, portal: Portal, it: AsyncIterator[T_co]) -> None:
        self._portal = portal
        self._it = it

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        return step(self._portal, self._it)


def step(portal: Portal, it: AsyncIterator[T]) -> T:
    """Take one step of an asynchronous iterator."""
    try:
        return portal.call(it.__anext__)
    except StopAsyncIteration:
        raise StopIteration from None
