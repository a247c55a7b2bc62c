"""What leaves a block of ours, and what Ctrl-C meets in it."""

from __future__ import annotations

import ast
import inspect
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

import pytest
import trio
from every_case import every_case
from trio.lowlevel import currently_ki_protected
from trio.testing import MockClock

from bitmart_trio._scopes import (
    StartOnly,
    bare,
    close_now,
    finish,
    open_nursery,
    opener,
    protected,
    start,
    start_soon,
)

PACKAGE: Final = Path(__file__).parent.parent / "bitmart_trio"
Block: TypeAlias = Callable[[], AbstractAsyncContextManager[trio.Nursery]]


@opener
async def opening() -> AsyncGenerator[trio.Nursery]:
    """Hands out the nursery of a block, as openers of the library have one inside."""
    async with open_nursery() as nursery:
        yield nursery
        nursery.cancel_scope.cancel()


@opener
async def careless() -> AsyncGenerator[trio.Nursery]:
    """Its clean-up is a checkpoint that nothing shields."""
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        finally:
            await trio.lowlevel.checkpoint()  # noqa: ASYNC102  # it does not shield itself: that is what is tested
        nursery.cancel_scope.cancel()


BLOCKS: Final = (open_nursery, opening, careless)


@pytest.fixture(params=BLOCKS, ids=lambda each: each.__name__)
def block(request: pytest.FixtureRequest) -> Block:
    """Each kind of block."""
    made: Block = request.param
    return made


async def fail(error: BaseException) -> None:
    """A task of ours with a bug; a cancellation does not come before it."""
    await trio.lowlevel.cancel_shielded_checkpoint()
    raise error


async def stay() -> None:
    """A task of ours that lives until it is cancelled."""
    await trio.sleep_forever()


def traceback_lines(error: BaseException) -> list[str]:
    """The functions that an error has come through."""
    lines: list[str] = []
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        lines.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return lines


# ---- the rule for errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["plain", "past a deadline", "in clean-up", "with a task of ours"])
async def test_the_error_of_the_body_leaves_as_it_is(
    block: Block, how: str, caplog: pytest.LogCaptureFixture, mock_clock: MockClock
) -> None:
    """The same object, with the cause and the context that it had, wherever our own tasks are."""
    cause = OSError("why")
    mine = KeyError("mine")
    with pytest.raises(KeyError) as caught, trio.move_on_after(5 if how == "past a deadline" else 1000) as scope:  # noqa: PT012
        async with block() as nursery:
            start_soon(nursery, stay)
            await trio.lowlevel.checkpoint()
            if how == "past a deadline":
                mock_clock.jump(10)
            elif how == "in clean-up":
                scope.cancel()
                try:
                    await trio.sleep_forever()
                finally:
                    raise mine from cause
            elif how == "with a task of ours":
                start_soon(nursery, fail, ValueError("ours"))
            raise mine from cause
    assert caught.value is mine
    assert mine.__cause__ is cause
    assert isinstance(mine.__context__, trio.Cancelled if how == "in clean-up" else OSError | None)
    assert traceback_lines(mine) == [test_the_error_of_the_body_leaves_as_it_is.__name__]
    if how == "with a task of ours":
        assert mine.__notes__ == ["At the same time: ValueError: ours"]
        assert "ours" in caplog.text
    else:
        assert not hasattr(mine, "__notes__")


async def test_a_group_of_the_body_leaves_as_it_is(block: Block) -> None:
    """The very object, also with a cancellation inside that is not ours."""
    mine = ExceptionGroup("mine", [KeyError(), ExceptionGroup("inner", [ValueError()])])
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012, ASYNC401  # the very object is meant
        async with block() as nursery:
            start_soon(nursery, stay)
            raise mine
    assert caught.value is mine


async def test_what_of_a_group_was_cancelled_here_ends_here(block: Block) -> None:
    """The body's own nursery was cancelled with the block, beside an error of its own: only that error leaves."""
    with pytest.RaisesGroup(KeyError):
        async with block() as nursery, trio.open_nursery() as theirs:
            theirs.start_soon(stay)
            nursery.cancel_scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                raise KeyError("mine")


@pytest.mark.parametrize("error", [StopIteration("mine"), StopAsyncIteration("mine"), SystemExit(3)])
async def test_errors_of_the_language_leave_as_they_are(block: Block, error: BaseException) -> None:
    """Those that Python would wrap on their way out of a generator, too."""
    with pytest.raises(type(error)) as caught:  # noqa: PT012
        async with block() as nursery:
            start_soon(nursery, stay)
            raise error
    assert caught.value is error
    assert not hasattr(error, "__notes__")


async def test_one_error_of_ours_leaves_bare(block: Block) -> None:
    """While the body waits, and when it has come to its end."""
    for waiting in (True, False):
        error = ValueError("ours")
        with pytest.raises(ValueError, match="ours") as caught:  # noqa: PT012
            async with block() as nursery:
                start_soon(nursery, fail, error)
                if waiting:
                    await trio.sleep_forever()
                else:
                    await trio.testing.wait_all_tasks_blocked()
                    await trio.lowlevel.cancel_shielded_checkpoint()
        assert caught.value is error


async def test_two_errors_of_ours_leave_as_a_group(block: Block) -> None:
    """A flat one, whatever nurseries there are between them."""

    async def inner() -> None:
        async with trio.open_nursery() as nursery:
            start_soon(nursery, fail, OSError("two"))
            await trio.sleep_forever()

    with pytest.RaisesGroup(ValueError, OSError):
        async with block() as nursery:
            start_soon(nursery, fail, ValueError("one"))
            start_soon(nursery, inner)
            await trio.sleep_forever()


async def test_a_cancellation_is_trios(block: Block, mock_clock: MockClock) -> None:
    """It ends in the scope that it belongs to; an error of ours beside it does not get lost."""
    with trio.CancelScope() as scope:
        async with block() as nursery:
            start_soon(nursery, stay)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    with pytest.raises(ValueError, match="ours"), trio.CancelScope() as scope:  # noqa: PT012
        async with block() as nursery:
            start_soon(nursery, fail, ValueError("ours"))
            await trio.lowlevel.checkpoint()
            scope.cancel()
            await trio.sleep_forever()
    with trio.CancelScope() as scope:
        async with block() as nursery:
            nursery.cancel_scope.cancel()
            await trio.sleep_forever()
    assert not scope.cancelled_caught


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_an_interrupt_of_ours_leaves_bare_before_all_others(block: Block, fatal: type[BaseException]) -> None:
    """With the error that it came in the way of as its context."""
    mine = KeyError("mine")
    with pytest.raises(fatal) as caught:  # noqa: PT012
        async with block() as nursery:
            start_soon(nursery, fail, fatal())
            start_soon(nursery, fail, ValueError("ours"))
            raise mine
    assert caught.value.__context__ is mine


async def test_an_opener_opens_once() -> None:
    """Each ``async with`` needs a call of its own."""
    manager = opening()
    async with manager:
        pass
    with pytest.raises(RuntimeError, match="opened before"):
        async with manager:
            pass


async def test_an_opener_that_does_not_give_exactly_one_thing_is_a_bug() -> None:
    """Both ways of that are named."""

    @opener
    async def nothing() -> AsyncGenerator[None]:
        await trio.lowlevel.checkpoint()
        for _ in ():
            yield

    @opener
    async def twice() -> AsyncGenerator[int]:  # noqa: ASYNC124  # what is tested
        yield 1
        yield 2

    with pytest.raises(RuntimeError, match="nothing"):
        async with nothing():
            pass
    with pytest.raises(RuntimeError, match="twice"):
        async with twice():
            pass


def test_an_opener_keeps_its_name_and_signature() -> None:
    """For people, type checkers and the documentation."""
    assert opening.__name__ == "opening"
    assert (opening.__doc__ or "").startswith("Hands out")
    assert str(inspect.signature(opening)).startswith("() -> ")


async def test_an_error_while_opening_leaves_bare() -> None:
    """Nobody has a block yet."""

    @opener
    async def refused() -> AsyncGenerator[None]:
        async with trio.open_nursery() as nursery:
            start_soon(nursery, fail, OSError("refused"))
            await trio.Event().wait()
            yield

    with pytest.raises(OSError, match="refused"):
        async with refused():
            pass


# ---- tasks -----------------------------------------------------------------------------------------------------------


async def test_tasks_are_protected_however_they_are_started() -> None:
    """Trio itself does not pass protection on; code in the block stays as it is."""
    found: list[bool] = []

    async def look(*, task_status: trio.TaskStatus[bool] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.lowlevel.checkpoint()
        found.append(currently_ki_protected())
        task_status.started(currently_ki_protected())

    async with opening() as nursery:
        assert not currently_ki_protected()
        start_soon(nursery, look)
        StartOnly(nursery).start_soon(look)
        assert await start(nursery, look)
        await trio.testing.wait_all_tasks_blocked()
    assert found == [True, True, True]
    assert not currently_ki_protected()


async def test_a_started_task_is_named_by_its_function() -> None:
    """A person who looks at the tasks of a program finds the library's functions, not its helper."""
    names: list[str] = []

    async def look(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.lowlevel.checkpoint()
        names.append(trio.lowlevel.current_task().name)
        task_status.started()

    async with open_nursery() as nursery:
        start_soon(nursery, look)
        await start(nursery, look)
        start_soon(nursery, stay, name="a name")
        assert "a name" in {task.name for task in nursery.child_tasks}
        nursery.cancel_scope.cancel()
        await trio.lowlevel.cancel_shielded_checkpoint()
    assert all(name.endswith("test_a_started_task_is_named_by_its_function.<locals>.look") for name in names)


async def test_starting_raises_what_the_task_raised() -> None:
    """As Trio's own."""

    async def refused(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  # it never comes so far
        await trio.lowlevel.checkpoint()
        raise OSError("refused")

    async with open_nursery() as nursery:
        with pytest.raises(OSError, match="refused"):
            await start(nursery, refused)


def test_protection_covers_all_that_a_class_defines() -> None:
    """Methods of each kind and properties; not the classes inside, and not what it inherits."""

    class Inherited:
        def plain(self) -> bool:
            return currently_ki_protected()

    @protected
    class Some(Inherited):
        def method(self) -> bool:
            return currently_ki_protected()

        @staticmethod
        def static() -> bool:
            return currently_ki_protected()

        @classmethod
        def of_class(cls) -> bool:
            return currently_ki_protected()

        @property
        def value(self) -> bool:
            return currently_ki_protected()

    async def main() -> list[bool]:
        await trio.lowlevel.checkpoint()
        some = Some()
        return [some.method(), some.static(), some.of_class(), some.value, some.plain()]

    assert trio.run(main) == [True, True, True, True, False]


# ---- Ctrl-C ----------------------------------------------------------------------------------------------------------


def interrupted(main: Callable[[], Awaitable[object]]) -> BaseException | None:
    """Run a program, and what left it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    except BaseException as error:  # noqa: BLE001, ASYNC103  # it is what is looked at
        return error  # noqa: ASYNC104  # what is tested
    finally:
        signal.signal(signal.SIGINT, before)
    return None


async def press() -> None:
    """Ctrl-C while the main task waits somewhere."""
    await trio.sleep(1)
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda each: each.__name__)
def test_an_interrupt_in_a_task_of_ours_leaves_bare(block: Block) -> None:
    """It is not raised there, but where the main task waits."""
    after: list[str] = []

    async def task() -> None:
        await press()
        after.append("the task went on")
        await trio.sleep_forever()

    async def main() -> None:
        async with block() as nursery:
            start_soon(nursery, task)
            await trio.sleep_forever()

    error = interrupted(main)
    assert type(error) is KeyboardInterrupt
    assert after == ["the task went on"]


def test_an_interrupt_while_starting_leaves_bare_in_a_cancelled_scope_too() -> None:
    """Trio's own ``start`` makes an internal error of that."""
    hurt: list[str] = []

    async def slow(*, task_status: trio.TaskStatus[None]) -> None:  # noqa: ASYNC128  # it never comes so far
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
            hurt.append("cancelled")
            raise

    async def main() -> None:
        trio.lowlevel.spawn_system_task(press)
        with trio.move_on_after(0.5):
            async with opening() as nursery:
                await start(nursery, slow)

    assert type(interrupted(main)) is KeyboardInterrupt
    assert hurt == ["cancelled"]


def test_what_must_be_finished_is_finished_first() -> None:
    """An interrupt pierces the shields of the main task; a cancellation waits too."""
    done: list[str] = []

    async def clean_up() -> str:
        await trio.sleep(3)
        done.append("clean")
        return "result"

    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            assert await finish(5, clean_up) == "result"
            assert await finish(1, clean_up) is None
        async with opening() as nursery:
            start_soon(nursery, press)
            await finish(10, clean_up)

    assert type(interrupted(main)) is KeyboardInterrupt
    assert done == ["clean", "clean"]


class Slow(trio.abc.AsyncResource):
    """Something whose closing is a checkpoint."""

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


async def test_closing_at_once_replaces_no_error() -> None:
    """``trio.aclose_forcefully`` does, inside a cancelled scope: the interrupt would be lost."""
    for close, leaves in ((trio.aclose_forcefully, False), (close_now, True)):
        caught: BaseException | None = None
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                try:
                    raise KeyError("mine")
                finally:
                    await close(Slow())  # noqa: ASYNC102  # what is tested
            except KeyError as error:
                caught = error
        assert (caught is not None) is leaves


async def test_a_group_of_trios_own_does_not_leave() -> None:
    """Functions of Trio's with a nursery inside, such as ``open_tcp_stream``."""

    async def like_open_tcp_stream(child: Callable[[], Awaitable[None]]) -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
            await trio.Event().wait()
        return 1

    async def fine() -> int:
        await trio.lowlevel.checkpoint()
        return 1

    assert await bare(fine) == 1
    with pytest.raises(KeyboardInterrupt):
        await bare(like_open_tcp_stream, partial(fail, KeyboardInterrupt()))
    with trio.move_on_after(0) as scope:
        await bare(like_open_tcp_stream, stay)
    assert scope.cancelled_caught


# ---- nothing goes past it --------------------------------------------------------------------------------------------

ELSEWHERE: Final = {
    "start_soon": "start_soon(nursery, ...)",
    "aclose_forcefully": "close_now",
    "open_nursery": "open_nursery",
    "asynccontextmanager": "opener",
}
"""What nothing but `_scopes` may use, and what is to be used instead."""


def past_it(source: str) -> list[str]:
    """What of a file does without `_scopes`."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ELSEWHERE:
            found.append(f"line {node.lineno}: use {ELSEWHERE[node.attr]} of _scopes")
        if isinstance(node, ast.Attribute) and node.attr == "start" and "nursery" in ast.unparse(node.value):
            found.append(f"line {node.lineno}: use start(nursery, ...) of _scopes")
        if isinstance(node, ast.ImportFrom) and node.module == "contextlib":
            found += [f"line {node.lineno}: use opener of _scopes" for each in node.names if each.name in ELSEWHERE]
    return found


@every_case("file", sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")))
def test_nothing_starts_tasks_or_opens_blocks_past_it(file: str) -> None:
    """One task that is started otherwise would turn Ctrl-C into a group again."""
    if file != "_scopes.py":
        assert past_it((PACKAGE / file).read_text(encoding="utf-8")) == []


def test_what_goes_past_it_is_found() -> None:
    """The reader above is not blind."""
    for line in (
        "self._nursery.start_soon(f)",
        "await nursery.start(f)",
        "await trio.aclose_forcefully(x)",
        "from contextlib import asynccontextmanager",
        "async def f():\n    async with trio.open_nursery() as n: pass",
    ):
        assert len(past_it(line)) == 1
