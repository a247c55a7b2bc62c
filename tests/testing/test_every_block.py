"""Every public ``async with`` keeps the one rule for what leaves it."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial

import pytest
import trio
from operation_table import BLOCKS, Scene, public_blocks
from trio.testing import MockClock

import bitmart_trio as bm


class Ours(Exception):
    """A bug of the library's."""


async def _crash() -> None:
    await trio.lowlevel.cancel_shielded_checkpoint()
    raise Ours("ours")


async def _crash_at_once(nurseries: list[trio.Nursery], times: int) -> None:
    """Let tasks of the library fail."""
    await trio.lowlevel.cancel_shielded_checkpoint()
    for _ in range(times):
        nurseries[-1].start_soon(_crash)


def manager(name: str, scene: Scene) -> AbstractAsyncContextManager[object]:
    """One of them, not yet entered."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return BLOCKS[name](scene)


@pytest.fixture(params=sorted(BLOCKS))
def block(request: pytest.FixtureRequest) -> str:
    """The name of each."""
    name: str = request.param
    return name


def test_no_block_is_left_out() -> None:
    """A new opener cannot be forgotten."""
    assert public_blocks() == set(BLOCKS)


def ours(before: list[trio.Nursery]) -> list[trio.Nursery]:
    """The nurseries of the library around the code that asks."""
    return [each for each in trio.lowlevel.current_task().child_nurseries if each not in before]


async def test_the_rule(block: str, mock_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """What the body raises leaves as it is, however the block is left; an error of ours leaves only without one."""
    mock_clock.autojump_threshold = 0
    async with bm.sim.open_exchange(seed=7, live=False) as exchange, exchange.open_client() as client:
        scene = Scene(exchange, client)
        before = list(trio.lowlevel.current_task().child_nurseries)
        try:
            async with manager(block, scene):
                has_nursery = bool(ours(before))
        except bm.SubscriptionRefused:
            return  # the one channel that no source describes

        async def plain(_: trio.CancelScope) -> None:
            await trio.lowlevel.checkpoint()

        async def past_a_deadline(_: trio.CancelScope) -> None:  # noqa: ASYNC124  # like the others
            mock_clock.jump(30)

        async def in_clean_up(scope: trio.CancelScope) -> None:
            scope.cancel()
            with suppress(trio.Cancelled):
                await trio.sleep_forever()

        async def beside_an_error_of_ours(_: trio.CancelScope) -> None:
            await _crash_at_once(ours(before), 1 if has_nursery else 0)

        for happens in (plain, past_a_deadline, in_clean_up, beside_an_error_of_ours):
            for mine in (KeyError("mine"), ExceptionGroup("mine", [KeyError("mine"), ValueError("mine")])):
                cause, left = OSError("why"), None
                with trio.move_on_after(20) as scope:
                    try:
                        async with manager(block, scene):
                            await happens(scope)
                            raise mine from cause
                    except Exception as error:  # noqa: BLE001  # it is what is looked at
                        left = error
                assert left is mine, happens
                assert mine.__cause__ is cause
                if happens is beside_an_error_of_ours and has_nursery:
                    assert mine.__notes__ == ["At the same time: Ours: ours"]
                    assert "Ours: ours" in caplog.text
                    caplog.clear()
                else:
                    assert not hasattr(mine, "__notes__"), happens

        with trio.CancelScope() as scope:
            async with manager(block, scene):
                scope.cancel()
                await trio.sleep_forever()
        assert scope.cancelled_caught

        if has_nursery:
            with pytest.raises(Ours):  # noqa: PT012
                async with manager(block, scene):
                    await _crash_at_once(ours(before), 1)
                    await trio.sleep_forever()
            with pytest.RaisesGroup(Ours, Ours):
                async with manager(block, scene):
                    await _crash_at_once(ours(before), 2)
                    await trio.sleep_forever()


def _interrupted(main: Callable[[], object]) -> BaseException | None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        trio.run(main, clock=MockClock(autojump_threshold=0))  # type: ignore[arg-type]
    except BaseException as error:  # noqa: BLE001, ASYNC103  # it is what is looked at
        return error  # noqa: ASYNC104  # the same
    finally:
        signal.signal(signal.SIGINT, before)
    return None


@pytest.mark.parametrize("nurseries", [0, 1])
def test_ctrl_c_while_the_body_waits(block: str, nurseries: int) -> None:
    """A bare ``KeyboardInterrupt``, or one in the group of a nursery that is the user's own."""
    if block == "cancel_on_signals":
        return  # it takes the signal itself

    async def press() -> None:
        await trio.sleep(1)
        signal.raise_signal(signal.SIGINT)

    async def body(scene: Scene) -> None:
        try:
            async with manager(block, scene):
                trio.lowlevel.spawn_system_task(press)
                if nurseries:
                    async with trio.open_nursery() as nursery:  # noqa: ASYNC112  # the nursery is the point
                        nursery.start_soon(trio.sleep_forever)
                else:
                    await trio.sleep_forever()
        except bm.SubscriptionRefused:
            raise KeyboardInterrupt from None

    async def main() -> None:
        async with bm.sim.open_exchange(seed=7, live=False) as exchange, exchange.open_client() as client:
            await body(Scene(exchange, client))

    error = _interrupted(partial(main))
    for _ in range(nurseries):
        if isinstance(error, BaseExceptionGroup):
            assert len(error.exceptions) == 1
            error = error.exceptions[0]
    assert type(error) is KeyboardInterrupt
