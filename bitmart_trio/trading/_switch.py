"""A dead man's switch: the exchange cancels a contract's orders unless it hears from us.

The timer runs on the exchange, which is the point: it works when this process, machine or line is dead. Each contract
has one. It is renewed every third of its time, so two renewals may fail before it fires; a renewal counts from the
moment it was sent, so latency is on the safe side.

Trio's clock stands still while the machine is suspended, and the timer does not. So time is the longer of what Trio's
clock and the wall clock say, and whether the timer fired is judged by what the exchange says of itself: each answer
names the time when it was set and when it will fire, and a renewal that was set after the timer before it was to fire
came too late. Two answers must agree on that: one reading of a clock proves nothing.
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
from ._evidence import HORIZON
from ._venue import passing

log = logging.getLogger(__name__)

_LEAST: Final = 5
_CLOSING: Final = 5.0
_A_SECOND: Final = 2.0
"""Calls that all timers of an account may take in a second."""
_LOOK: Final = 1.0
"""Seconds between two looks at the clocks."""
_SHORTEST: Final = 0.001
"""A rest of a float's precision would never pass: the clock's next time would be this one."""
_HEALTHY: Final = 3.0
"""Seconds. A call that ends without an answer after more than these was given up, by us or by the client."""

_GUARDED: Final[WeakKeyDictionary[Futures, set[str]]] = WeakKeyDictionary()
"""The contracts that a switch of a client guards."""


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
        """When each timer was last set, by Trio's clock."""
        self._set_wall: dict[str, float] = {}
        """The same by the wall clock."""
        self._fires_at: dict[str, int] = {}
        """When each fires, in seconds by the exchange's clock."""
        self._touched: set[str] = set()
        """Those whose timer may run: a call that is cancelled on its way may have set it."""
        self._given_up: dict[str, float] = {}
        """When a call for a contract was last given up on its way: it may still arrive."""
        self._turns = {symbol: trio.Lock() for symbol in symbols}
        """Held by the call that is on its way for a contract: switching off must not overtake a renewal."""
        self._stopping = False

    @property
    def fires_in(self) -> float:
        """Seconds until the first timer fires unless it is renewed, at least; 0 or less when one may have fired."""
        if len(self._set_at) < len(self.symbols):
            return 0.0
        return self.after - max(self._elapsed(symbol) for symbol in self.symbols)

    def _elapsed(self, symbol: str) -> float:
        """Seconds since a timer was set, those included that the machine slept."""
        return max(trio.current_time() - self._set_at[symbol], self._clock() - self._set_wall[symbol])

    async def arm(self) -> None:
        """Set all timers.

        Raises:
            SwitchFailed: one could not be set. Those that were are switched off again as far as possible.
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
            SwitchFailed: a renewal was refused, or none got through before the timer had to be taken to have fired.
        """
        async with open_nursery() as nursery:
            for symbol in self.symbols:
                start_soon(nursery, self._keep, symbol)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """`arm`, then `keep`.

        Raises:
            SwitchFailed: also when another switch of this client guards one of the contracts.
        """
        guarded = _GUARDED.setdefault(self._futures, set())
        for symbol in self.symbols:
            if symbol in guarded:
                # There is one timer: whoever left first would switch it off for the other.
                raise SwitchFailed(f"another switch of this client guards {symbol}", symbol=symbol)
        guarded.update(self.symbols)
        try:
            await self.arm()
            task_status.started()
            await self.keep()
        finally:
            guarded.difference_update(self.symbols)

    async def disarm(self) -> list[str]:
        """Switch all timers off, also while being cancelled.

        Returns:
            The contracts whose timer may still be running, or may be set once more by a renewal that was given up less
            than a minute ago and is still on its way.
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
                            if not passing(error):
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
        """Whether an answer says that the timer before it has fired. If not, its own times are what counts next."""
        try:
            if reply.set_time > self._fires_at.get(symbol, reply.set_time):
                return True
            self._fires_at[symbol] = reply.cancel_time
        except AbsentMember:  # it was set; when, is not known
            self._fires_at.pop(symbol, None)
        return False

    async def _set(self, symbol: str, until: float) -> None:
        """Set one timer, trying again until it is too late."""
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
            # Longer than a healthy answer takes: it was not refused or lost at once, and may be on its way still.
            if patience.cancelled_caught or trio.current_time() - sent >= _HEALTHY:
                self._given_up[symbol] = trio.current_time()
            if last is not None and not passing(last):
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
    """Have the exchange cancel all ordinary open orders of these contracts when this program falls silent.

    Armed when the block is entered and renewed every third of ``after`` while inside. A clean exit switches it off; an
    error or a cancellation leaves it armed, so that the exchange cleans up after us.

    It does not cover plan, take-profit, stop-loss and trailing orders, positions, or spot; and it cancels every
    ordinary order on the contract, those of other programs too.

    Args:
        client: with credentials that may trade.
        symbols: such as BTCUSDT. The account's timers together take two renewals a second.
        after: whole seconds, at least 5. Too short a time fires on a slow line: choose minutes rather than seconds.

    Raises:
        SwitchFailed: it could not be set, kept renewed, or switched off for certain; it cancels what runs inside. Also
            when another switch of this client guards one of the contracts: there is only one timer.
        InvalidRequest: no symbol, or a time that cannot be kept.

    Source: https://developer-pro.bitmart.com/en/futuresv2/ (section "Timed Cancel All Orders (SIGNED)")
    """
    switch = DeadMansSwitch(client.futures, symbols, after, client.clock)
    left: list[str] = []
    async with open_nursery() as nursery:
        await start(nursery, switch.run)
        yield switch
        left = await finish(math.inf, switch.disarm) or []  # it bounds itself
        nursery.cancel_scope.cancel()
    if left:
        raise SwitchFailed(f"the timers of {', '.join(left)} may still be running", symbol=left[0])
