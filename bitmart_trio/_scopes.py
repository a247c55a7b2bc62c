"""Start tasks, and decide which error leaves an ``async with`` block. Knows Trio and nothing else.

**Ctrl-C.** Trio raises ``KeyboardInterrupt`` in whatever code runs when the signal arrives. If that code is protected,
the main task gets it at its next wait instead. An interrupt raised in one of our tasks would be wrapped in one group
per nursery, and one between two lines of an ``__aexit__`` would skip the rest of that method. So all our code is
protected:

- a task, by starting it with `start_soon` or `start` (Trio does not pass protection on);
- opening and leaving, by `opener` (the frames of ``contextlib.asynccontextmanager`` are not protected) and
  `open_nursery`;
- methods that change shared state, by `protected`.

A wait of the main task is interrupted even inside a shield. Code that must finish all the same runs in its own task:
see `finish`.

**Decimals.** The decimal context belongs to the user: a context of three digits rounds the user's results and must not
round ours. A task inherits the context of the task that started it, so our tasks calculate in `DECIMALS`. Our code in
users' tasks either uses exact operations only, or runs in `own_decimals`.

**Errors.** `_leaving` applies one rule at the end of every block:

1. The error of the block's body leaves unchanged, as the same object. A simultaneous error of ours is logged, and added
  to it as a note.
2. If the body raised nothing, a single error of ours leaves unchanged, and several leave as a group.
3. ``KeyboardInterrupt`` and ``SystemExit`` leave ungrouped, before all others.
4. A cancellation is Trio's: it leaves if nothing else does.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager
from decimal import ROUND_HALF_EVEN, Context, DivisionByZero, InvalidOperation, Overflow, localcontext, setcontext
from types import FunctionType, TracebackType
from typing import Any, Final, Generic, NoReturn, ParamSpec, TypeVar, TypeVarTuple, cast

import trio

_log = logging.getLogger(__name__)

_LATE: Final = 0.1
_TRIES: Final = 3
"""The number of tries of an operation that misses its deadline because this program was too busy."""

DECIMALS: Final = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])
"""The decimal context for calculations that a user's context must not affect: Python's default."""

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")
AnyCode = TypeVar("AnyCode", bound="Callable[..., object]")


def protected(item: AnyCode) -> AnyCode:
    """Keep ``KeyboardInterrupt`` out of a function, or of all functions of a class, until the next wait.

    This costs nothing at run time: Trio looks at the code only when a signal arrives.
    """
    for function in _functions(item):
        trio.lowlevel.enable_ki_protection(function)
    return item


def _functions(item: object) -> Iterator[FunctionType]:
    """Yield the Python functions behind an attribute or a class."""
    if isinstance(item, type):
        for each in vars(item).values():
            if not isinstance(each, type):
                yield from _functions(each)
    elif isinstance(item, FunctionType):
        yield item
        yield from _functions(getattr(item, "__wrapped__", None))
    elif isinstance(item, staticmethod | classmethod):
        yield from _functions(cast("object", item.__func__))
    elif isinstance(item, property):
        for each in (item.fget, item.fset):
            yield from _functions(each)
    elif isinstance(item, functools.cached_property):
        yield from _functions(cast("object", item.func))


def own_decimals(function: Callable[P, T]) -> Callable[P, T]:
    """Make a function calculate in `DECIMALS`, whoever calls it."""

    @functools.wraps(function)
    def calculated(*args: P.args, **keywords: P.kwargs) -> T:
        with localcontext(DECIMALS):
            return function(*args, **keywords)

    return calculated


# ---- tasks -----------------------------------------------------------------------------------------------------------


def start_soon(
    nursery: trio.Nursery, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: object = None
) -> None:
    """Start a task like ``nursery.start_soon``, protected from ``KeyboardInterrupt``."""
    nursery.start_soon(_task, async_fn, args, name=async_fn if name is None else name)


@trio.lowlevel.enable_ki_protection
async def _task(async_fn: Callable[[*Ts], Awaitable[object]], args: tuple[*Ts]) -> None:  # noqa: ASYNC910  # as the task does
    setcontext(DECIMALS.copy())
    await async_fn(*args)


async def start(nursery: trio.Nursery, async_fn: Callable[..., Awaitable[object]], *args: object) -> Any:  # noqa: ANN401  # as Trio's
    """Start a task like ``nursery.start``, protected from ``KeyboardInterrupt``.

    Returns:
        The value that the task passed to ``task_status.started``.

    Raises:
        Exception: any error that the task raised before that.
    """
    try:
        return await nursery.start(_starting, async_fn, args, name=async_fn)
    except trio.TrioInternalError as error:
        # Trio turns an interrupt of the main task that waits here in a cancelled scope into two errors.
        if isinstance(error.__cause__, BaseExceptionGroup):
            group = cast("BaseExceptionGroup[BaseException]", error.__cause__)
            _raise(_leaving(None, group) or group, None)
        raise


@trio.lowlevel.enable_ki_protection
async def _starting(  # noqa: ASYNC910, ASYNC128  # as the task does
    async_fn: Callable[..., Awaitable[object]], args: tuple[object, ...], *, task_status: trio.TaskStatus[Any]
) -> None:
    setcontext(DECIMALS.copy())
    await async_fn(*args, task_status=task_status)


class StartOnly:
    """A nursery for foreign code, whose tasks are then protected too.

    Args:
        nursery: the nursery that owns the tasks.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery

    def start_soon(self, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts, name: object = None) -> None:
        """Start a protected task; see ``trio.Nursery.start_soon``."""
        start_soon(self._nursery, async_fn, *args, name=name)


class open_nursery:  # noqa: N801  # as Trio's
    """A ``trio.open_nursery`` whose errors leave by the rule at the head of this file."""

    def __init__(self) -> None:
        self._manager = trio.open_nursery()

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> trio.Nursery:
        return await self._manager.__aenter__()

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, own: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await _end(own, self._manager.__aexit__(kind, own, traceback))  # noqa: ASYNC102  # it shields itself


async def bare(async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:  # noqa: ASYNC910  # waits for what it is given
    """Await a function of Trio's that opens a nursery; its error leaves without a group."""
    try:
        return await async_fn(*args)
    except BaseExceptionGroup as group:
        _raise(_leaving(None, group) or group, None)


# ---- closing ---------------------------------------------------------------------------------------------------------


def closing_shield(seconds: float) -> trio.CancelScope:
    """Return a scope for clean-up that awaits: it finishes even when cancelled, within these seconds."""
    return trio.move_on_after(seconds, shield=True)


async def close_now(resource: trio.abc.AsyncResource) -> None:
    """Close like ``trio.aclose_forcefully``, but without replacing the error in flight of a cancelled scope."""
    with trio.CancelScope(shield=True) as scope:
        scope.cancel()
        await resource.aclose()


async def finish(seconds: float, async_fn: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T | None:  # noqa: ASYNC910  # waits as long as it takes
    """Clean up for a bounded time: cancellation and Ctrl-C wait until it is done.

    When the main task calls this, the function runs in its own task: an interrupt of the main task ignores shields.

    Returns:
        The function's result; None if it did not finish in time.
    """
    results: list[T] = []

    async def clean_up() -> None:
        with closing_shield(seconds):
            results.append(await async_fn(*args))

    if _gets_interrupts(trio.lowlevel.current_task()):
        async with open_nursery() as nursery:
            start_soon(nursery, clean_up, name=async_fn)
    else:
        await clean_up()
    return results[0] if results else None


def _gets_interrupts(task: trio.lowlevel.Task) -> bool:
    """Return True for the main task: the root task has it and the system tasks as children."""
    nursery = task.parent_nursery
    return nursery is not None and nursery.parent_task is trio.lowlevel.current_root_task()


# ---- opening ---------------------------------------------------------------------------------------------------------


def opener(function: Callable[P, AsyncGenerator[T]]) -> Callable[P, AbstractAsyncContextManager[T]]:
    """Make an ``async with`` of an async generator function that yields once.

    Like ``contextlib.asynccontextmanager``, but our code is protected from ``KeyboardInterrupt``, and errors leave by
    the rule at the head of this file.
    """

    @functools.wraps(function)
    def open_it(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _Opening(function(*args, **kwargs))

    open_it.__returns_acontextmanager__ = True  # type: ignore[attr-defined]  # for the documentation
    return open_it


class _Opening(AbstractAsyncContextManager[T], Generic[T]):
    """A context manager that drives the generator of an `opener`."""

    def __init__(self, generator: AsyncGenerator[T]) -> None:
        self._generator = generator
        self._used = False

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> T:  # noqa: ASYNC910  # waits for what it is given
        if self._used:
            raise RuntimeError("this was opened before: call the opener again for each async with")
        self._used = True
        try:
            return await anext(self._generator)
        except StopAsyncIteration:
            raise RuntimeError("an opener yielded nothing") from None
        except BaseExceptionGroup as group:
            _raise(_leaving(None, group) or group, None)

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(
        self, kind: type[BaseException] | None, own: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await _end(own, self._leave(own))  # noqa: ASYNC102  # it shields itself

    async def _leave(self, own: BaseException | None) -> bool:
        """Run the generator to its end; return True if it absorbed the error, as its own cancel scope does."""
        try:
            if own is None:
                await anext(self._generator)
            else:
                await self._generator.athrow(own)
        except StopAsyncIteration:
            return True  # noqa: ASYNC910  # waits for what it is given
        await self._generator.aclose()
        raise RuntimeError("an opener yielded twice")


@opener
async def open_service_nursery() -> AsyncGenerator[trio.Nursery]:
    """Open a nursery for tasks that serve the block: an outside cancellation reaches them once the block is left.

    So the block's objects work until its last line: a session that closes its orders in a cancelled program still
    receives the pushes of these orders.
    """

    async def serve(*, task_status: trio.TaskStatus[trio.Nursery]) -> None:
        async with open_nursery() as service:
            # This is the last checkpoint that may cancel: a cancelled start would wait for this task for ever.
            await trio.lowlevel.checkpoint_if_cancelled()
            service.cancel_scope.shield = True
            task_status.started(service)
            await trio.sleep_forever()

    async with open_nursery() as nursery:
        service: trio.Nursery = await start(nursery, serve)
        try:
            yield service
        finally:
            service.cancel_scope.cancel()


# ---- what leaves -----------------------------------------------------------------------------------------------------

_OF_THE_LANGUAGE: Final = (StopIteration, StopAsyncIteration)
"""The errors that Python wraps in a ``RuntimeError`` when they leave a generator."""


async def _end(own: BaseException | None, end: Awaitable[bool | None]) -> bool:  # noqa: ASYNC910  # waits for what it is given
    """Await the end of a block and raise what leaves it; return False for ``own``, which Python then re-raises."""
    before = None if own is None else (own.__traceback__, own.__cause__, own.__context__)
    raised: BaseException | None = None
    leaving: BaseException | None = None
    try:
        try:
            swallowed = await end
        except BaseException as error:  # noqa: ASYNC103, BLE001 - judged below
            raised = error
        else:
            raised = None if swallowed else own
        leaving = _leaving(own, raised)
        if own is not None and before is not None:
            # The error collected these notes while it passed through our blocks.
            own.__traceback__, own.__cause__, own.__context__ = before
        if leaving is None:
            return True  # noqa: ASYNC910  # waits for what it is given
        if leaving is own:
            return False  # noqa: ASYNC910  # waits for what it is given
        _raise(leaving, own)
    finally:
        del own, raised, leaving, before  # they would form a reference cycle with this frame


def _raise(error: BaseException, own: BaseException | None) -> NoReturn:
    """Raise an error unchanged, without the context that this raise would add."""
    cause, context = error.__cause__, error.__context__
    if context is None or isinstance(context, BaseExceptionGroup):
        context = None if own is error or isinstance(own, trio.Cancelled) else own
    try:
        raise error  # noqa: ASYNC123  # its cause and context are put back below, its traceback goes on
    finally:
        # Raising it here made the error being handled its context.
        error.__cause__, error.__context__ = cause, context
        del error, own, cause, context


def _leaving(own: BaseException | None, raised: BaseException | None) -> BaseException | None:
    """Return the error that leaves a block, by the rule at the head of this file.

    Args:
        own: the error that the body raised.
        raised: the error after our nurseries and clean-up; None if a scope absorbed it.
    """
    mine = list(_leaves(own))
    flat = list(_leaves(raised, own))
    mine_ids, flat_ids = set(map(id, mine)), set(map(id, flat))
    cancelled = {id(each) for each in mine if isinstance(each, trio.Cancelled)}
    ours = [each for each in flat if id(each) not in mine_ids and not isinstance(each, trio.Cancelled)]
    remaining = _without(own, cancelled - flat_ids)
    errors_of_body = _without(remaining, cancelled)
    fatal = next((each for each in ours if not isinstance(each, Exception)), None)
    if fatal is not None and (errors_of_body is None or isinstance(errors_of_body, Exception)):
        return fatal
    if errors_of_body is not None and remaining is not None:
        for error in ours:
            _log.error("while %r leaves, another error was raised", own, exc_info=error)
            remaining.add_note(f"At the same time: {type(error).__name__}: {error}")
        return remaining
    if ours:
        return ours[0] if len(ours) == 1 else BaseExceptionGroup("several tasks failed", ours)
    if remaining is not None:
        return remaining
    return next((each for each in flat if isinstance(each, trio.Cancelled)), None)


def _leaves(error: BaseException | None, own: BaseException | None = None) -> Iterator[BaseException]:
    """Yield the single errors of an error, with ``own`` in place of Python's wrapper of it."""
    if error is None:
        return
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(each, own)
    elif isinstance(own, _OF_THE_LANGUAGE) and isinstance(error, RuntimeError) and error.__cause__ is own:
        yield own
    else:
        yield error


def _without(error: BaseException | None, gone: AbstractSet[int]) -> BaseException | None:
    """Return an error without some of its parts; the same object if it has none of them."""
    if not gone or error is None:
        return error
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return group if gone.isdisjoint(map(id, _leaves(group))) else group.split(lambda each: id(each) in gone)[1]
    return None if id(error) in gone else error


# ---- deadlines -------------------------------------------------------------------------------------------------------


async def in_time(deadline: Callable[[], float], async_fn: Callable[[], Awaitable[T]]) -> T | None:  # noqa: ASYNC910  # waits for what it is given
    """Await something until a deadline; retry up to three times if the program was too busy to meet it.

    Args:
        deadline: returns the deadline of a try.
        async_fn: the operation.

    Returns:
        The function's result; None if it did not finish in time.
    """
    for _ in range(_TRIES):
        until = deadline()
        with trio.move_on_at(until):
            return await async_fn()
        if not _overslept(until):
            break
    return None  # noqa: ASYNC910  # as above


def _overslept(deadline: float) -> bool:
    """Return True if a deadline that has just ended a wait was noticed late.

    In that case the program kept the event loop busy, and the peer did not cause the delay.
    """
    return trio.current_time() > deadline + _LATE
