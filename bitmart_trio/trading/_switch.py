"""Arm a dead man's switch: the exchange cancels a contract's orders unless this program renews a timer.

The timer runs on the exchange, so it works when this process, machine or line is dead. Each contract has one. It is
renewed every third of its time, so two renewals may fail before it fires; a renewal counts from the moment it was sent,
so latency errs on the safe side.

Trio's clock stands still while the machine is suspended, and the timer does not. So the elapsed time is the longer of
Trio's clock and the wall clock, and the exchange's own answers say whether the timer fired: each names the time when it
was set and when it will fire, and a renewal set after the previous timer was to fire came too late. Two answers must
agree on that: one reading of a clock proves nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncGenerator, Callable
from typing import Final
from weakref import WeakKeyDictionary

import trio

from .._scopes import closing_shield, finish, open_nursery, opener, protected, start, start_soon
from ..client import Client
from ..errors import AbsentMember, BitMartError, InvalidRequest, RateLimited, SwitchFailed
from ..models.futures_trading import CancelAllAfterResult
from ..rest.futures import Futures
from ._adapter import is_transient
from ._evidence import HORIZON

log = logging.getLogger(__name__)

_LEAST: Final = 5
_CLOSING: Final = 5.0
_A_SECOND: Final = 2.0
"""Calls per second that all timers of an account may take."""
_LOOK: Final = 1.0
"""Seconds between two readings of the clocks."""
_SHORTEST: Final = 0.001
"""A remainder below a float's precision would never elapse: the clock's next time would be this one."""
_HEALTHY: Final = 3.0
"""Seconds. A call that ends without an answer after more than these was abandoned, by us or by the client."""

_GUARDED: Final[WeakKeyDictionary[Futures, set[str]]] = WeakKeyDictionary()
"""The contracts that a client's switches guard."""


@protected
class DeadMansSwitch:
    """The timers of some contracts. Made by `dead_mans_switch`.

    Args:
        futures: sends the calls.
        symbols: of the contracts.
        after: seconds.
        clock: this machine's time in seconds.
    """

    def __init__(
        self, futures: Futures, symbols: tuple[str, ...], after: int, clock: Callable[[], float] = time.time
    ) -> None:
        if type(after) is not int or after < _LEAST:
            raise InvalidRequest(f"after must be whole seconds, at least {_LEAST}", argument="after")
        if not symbols:
            raise InvalidRequest("name at least one contract", argument="symbols")
        if len(symbols) / _A_SECOND > after / 3:
            raise InvalidRequest(
                f"{len(symbols)} timers cannot be renewed every {after / 3:.1f} s: the exchange takes "
                f"{_A_SECOND:g} calls a second for all of them",
                argument="after",
            )
        self.symbols: tuple[str, ...] = symbols
        self.after: int = after
        self._futures = futures
        self._clock = clock
        self._set_at: dict[str, float] = {}
        """The time when each timer was last set, by Trio's clock."""
        self._set_wall: dict[str, float] = {}
        """The time when each timer was last set, by the wall clock."""
        self._fires_at: dict[str, int] = {}
        """The time when each timer fires, in seconds by the exchange's clock."""
        self._touched: set[str] = set()
        """The contracts whose timer may run: a call cancelled in flight may have set it."""
        self._given_up: dict[str, float] = {}
        """The time when a call for a contract was last abandoned in flight: it may still arrive."""
        self._turns = {symbol: trio.Lock() for symbol in symbols}
        """Locks held by the call in flight for a contract: disarming must not overtake a renewal."""
        self._stopping = False

    @property
    def fires_in(self) -> float:
        """Return the least seconds until the first timer fires unless renewed; 0 or less if one may have fired."""
        if len(self._set_at) < len(self.symbols):
            return 0.0
        return self.after - max(self._elapsed(symbol) for symbol in self.symbols)

    def _elapsed(self, symbol: str) -> float:
        """Return the seconds since a timer was set, including those that the machine slept."""
        return max(trio.current_time() - self._set_at[symbol], self._clock() - self._set_wall[symbol])

    async def arm(self) -> None:
        """Set the timers of all contracts.

        Raises:
            SwitchFailed: a timer could not be set. Those that were set are switched off again if possible.
        """
        armed = False
        await trio.lowlevel.checkpoint()
        try:
            for symbol in self.symbols:
                await self._set(symbol, trio.current_time() + self.after)
            armed = True
        finally:
            if not armed:
                await self.disarm()  # noqa: ASYNC102  it shields itself

    async def keep(self) -> None:
        """Renew all timers until cancelled.

        Raises:
            SwitchFailed: a renewal was refused, or none got through before the timer may have fired.
        """
        async with open_nursery() as nursery:
            for symbol in self.symbols:
                start_soon(nursery, self._keep, symbol)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Arm all timers, then renew them (`arm`, then `keep`).

        Raises:
            SwitchFailed: also when another switch of this client guards one of the contracts.
        """
        guarded = _GUARDED.setdefault(self._futures, set())
        for symbol in self.symbols:
            if symbol in guarded:
                # There is one timer: the switch that ends first would switch it off for the other.
                raise SwitchFailed(f"another switch of this client guards {symbol}", symbol=symbol)
        guarded.update(self.symbols)
        try:
            await self.arm()
            task_status.started()
            await self.keep()
        finally:
            guarded.difference_update(self.symbols)

    async def disarm(self) -> list[str]:
        """Switch all timers off, also when cancelled.

        Returns:
            The contracts whose timer may still be running, or may be set again by a renewal that was abandoned less
            than a minute ago and may still arrive.
        """
        left = [symbol for symbol in self.symbols if symbol in self._touched]
        self._stopping = True
        await trio.lowlevel.cancel_shielded_checkpoint()
        with closing_shield(_CLOSING):
            for symbol in list(left):
                async with self._turns[symbol]:
                    while symbol in left:
                        try:
                            await self._futures.trading.cancel_all_after(symbol, 0)
                            left.remove(symbol)
                        except BitMartError as error:
                            log.info("the timer of %s could not be switched off: %s", symbol, error)
                            if not is_transient(error):
                                break
                            await trio.sleep(0.2)
        self._set_at = {symbol: at for symbol, at in self._set_at.items() if symbol in left}
        self._touched = set(left)
        self._fires_at.clear()
        late = trio.current_time() - HORIZON
        return [each for each in self.symbols if each in left or self._given_up.get(each, late) > late]

    async def _keep(self, symbol: str) -> None:
        await trio.lowlevel.checkpoint()
        while not self._stopping:
            while (left := self.after / 3 - self._elapsed(symbol)) > 0:  # noqa: ASYNC110  # a clock gives no signal
                await trio.sleep(min(max(left, _SHORTEST), _LOOK))
            async with self._turns[symbol]:
                if not self._stopping:
                    await self._set(symbol, self._set_at[symbol] + self.after)

    def _too_late(self, symbol: str, reply: CancelAllAfterResult) -> bool:
        """Return True if an answer proves that the previous timer fired; otherwise adopt its times."""
        try:
            if reply.set_time > self._fires_at.get(symbol, reply.set_time):
                return True
            self._fires_at[symbol] = reply.cancel_time
        except AbsentMember:  # it was set, but when is not known
            self._fires_at.pop(symbol, None)
        return False

    async def _set(self, symbol: str, until: float) -> None:
        """Set one timer, retrying until it is too late."""
        await trio.lowlevel.checkpoint()
        last: BitMartError | None = None
        late = False
        pause = 0.2
        while trio.current_time() < until and not self._stopping:
            sent, wall = trio.current_time(), self._clock()
            self._touched.add(symbol)
            with trio.move_on_at(min(until, sent + self.after / 3)) as patience:  # noqa: ASYNC912  every call checkpoints
                try:
                    reply = await self._futures.trading.cancel_all_after(symbol, self.after)
                except BitMartError as error:
                    last = error
                else:
                    if not reply.result:
                        raise SwitchFailed(f"the exchange did not set the timer of {symbol}", symbol=symbol)
                    late_before, late = late, self._too_late(symbol, reply)
                    if not late:
                        self._set_at[symbol], self._set_wall[symbol] = sent, wall
                        return  # noqa: ASYNC910  likewise
                    if late_before:
                        raise SwitchFailed(
                            f"the timer of {symbol} fired before it was renewed: the exchange has cancelled its orders",
                            symbol=symbol,
                        )
                    continue
            # Longer than an answer takes: the call was not refused or lost at once, and may still arrive.
            if patience.cancelled_caught or trio.current_time() - sent >= _HEALTHY:
                self._given_up[symbol] = trio.current_time()
            if last is not None and not is_transient(last):
                raise SwitchFailed(f"the timer of {symbol} was refused: {last}", symbol=symbol) from last
            log.info("the timer of %s could not be set yet: %s", symbol, last or "no answer in time")
            wait = max(pause, last.retry_after) if isinstance(last, RateLimited) else pause
            await trio.sleep(min(wait, max(0.0, until - trio.current_time())))
            pause = min(2 * pause, 2.0)
        if self._stopping:
            return
        raise SwitchFailed(
            f"the timer of {symbol} could not be renewed in time: the exchange cancels its orders", symbol=symbol
        ) from last


@opener
async def dead_mans_switch(client: Client, *symbols: str, after: int = 60) -> AsyncGenerator[DeadMansSwitch]:
    """Let the exchange cancel all ordinary open orders of these contracts if this program falls silent.

    The switch is armed when the block is entered and renewed every third of ``after``. A clean exit switches it off; an
    error or a cancellation leaves it armed, so that the exchange cleans up.

    It does not cover plan, take-profit, stop-loss and trailing orders, positions, or spot; and it cancels every
    ordinary order on the contract, those of other programs too.

    Args:
        client: with credentials that may trade.
        symbols: such as BTCUSDT. All timers of an account share two renewals per second.
        after: whole seconds, at least 5. Too short a time fires on a slow line: choose minutes rather than seconds.

    Raises:
        SwitchFailed: the switch could not be armed or renewed, or may not be switched off; it cancels what runs inside.
            Also raised if another switch of this client guards one of the contracts: there is only one timer.
        InvalidRequest: no symbol is named, or the timers cannot be renewed in time.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Timed Cancel All Orders (SIGNED)")
    """
    switch = DeadMansSwitch(client.futures, symbols, after, client.clock)
    left: list[str] = []
    async with open_nursery() as nursery:
        await start(nursery, switch.run)
        yield switch
        left = await finish(math.inf, switch.disarm) or []  # it has its own deadline
        nursery.cancel_scope.cancel()
    if left:
        raise SwitchFailed(f"the timers of {', '.join(left)} may still be running", symbol=left[0])
