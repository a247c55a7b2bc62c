"""Find out if a login was refused because of this machine's clock, by reading the exchange's once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from ..errors import BitMartError, ClockOutOfSync
from .socket import LoginFailed

_CLOCK_OFF: Final = 5000
"""Milliseconds by which a clock must be wrong to have caused a refusal; exchanges allow more."""


class LoginClock:
    """The knowledge that one connection has of the clock for signing logins.

    Args:
        clock: returns the exchange's time in milliseconds, as well as it is known.
        resync: corrects that clock over REST; None where there is no REST.
        names_clock: True if a refusal names the timestamp as its cause. If False, any refusal may be due to it.
    """

    def __init__(
        self, clock: Callable[[], int], resync: Callable[[], Awaitable[object]] | None, *, names_clock: bool
    ) -> None:
        self.hint: str | None = None
        """What to say of the clock when a login stays refused."""
        self._clock = clock
        self._resync = resync
        self._names_clock = names_clock
        self._asked = False

    def accepted(self) -> None:
        """Note that a login was accepted."""
        self.hint = None

    async def corrected(self, error: Exception) -> bool:
        """Ask for the time after a login that was refused and could be the clock's fault, once in a row.

        Returns:
            True if the clock was wrong, so that another try makes sense at once.
        """
        if not isinstance(error, LoginFailed):
            self._asked = False
            return False  # noqa: ASYNC910  # part of a task of ours
        named = isinstance(error.error, ClockOutOfSync)
        if not named and self._names_clock:
            self._asked = False
            return False  # noqa: ASYNC910  # part of a task of ours
        if self._asked or self._resync is None:
            return False  # noqa: ASYNC910  # part of a task of ours
        self._asked = True
        clock, begun = self._clock(), trio.current_time()
        try:
            await self._resync()
        except BitMartError as failure:  # the refusal is more informative than this error
            self.hint = (
                "This machine's clock may be the reason: it could not be compared with the exchange's, "
                f"since asking for its time failed ({failure})"
            )
            return False  # noqa: ASYNC910  # part of a task of ours
        off = self._clock() - clock - (trio.current_time() - begun) * 1000
        if abs(off) <= _CLOCK_OFF and not named:
            return False
        self.hint = (
            f"This machine's clock was {abs(off) / 1000:.1f} s {'behind' if off > 0 else 'ahead'}; the login was "
            "refused with the exchange's own time as well"
        )
        return True
