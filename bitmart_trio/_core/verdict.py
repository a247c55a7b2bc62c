"""What becomes of a REST call that failed: raise, repeat, or own up that nobody knows.

The rule behind the table: a read may be repeated whenever that could help; a write only when it is certain that
nothing was done. If the exchange may have acted on a write and has not said so in words of its own, the outcome is
unknown, and only a look-up can tell.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from ..errors import (
    CODES,
    AddressBanned,
    ApiError,
    BitMartError,
    ConnectionLost,
    ExchangeFault,
    Maintenance,
    MalformedReply,
    RateLimited,
    ReplyTooLarge,
    ServiceUnavailable,
)

TIMESTAMP_REFUSED: Final = 30007
TOO_MANY_REQUESTS: Final = 30013


class Verdict(Enum):
    """What to do next."""

    RAISE = auto()
    """Tell the caller: trying again would not help, or the exchange has decided."""
    REPEAT = auto()
    """Try again, if tries are left."""
    RESYNC = auto()
    """Set the clock and try again, once."""
    UNKNOWN = auto()
    """A write that may or may not have been done."""


def judge(error: BitMartError, *, reads: bool, unsent: bool = False, genuine: bool = True) -> Verdict:
    """Decide on a failed attempt.

    Args:
        error: what it ended with.
        reads: whether the call changes nothing.
        unsent: whether no byte of the request can have left.
        genuine: whether the reply, if there was one, came from the API and not from the network in front of it.
    """
    match error:
        case ConnectionLost():
            return Verdict.REPEAT if reads or unsent else Verdict.UNKNOWN
        case ReplyTooLarge():
            return Verdict.RAISE if reads else Verdict.UNKNOWN  # it would be as large again
        case MalformedReply():
            if not reads:
                return Verdict.UNKNOWN
            return (
                Verdict.RAISE if genuine else Verdict.REPEAT
            )  # an unknown shape would come again, cut-off JSON need not
        case ApiError():
            return _judge_reply(error, reads, genuine)
        case _:
            return Verdict.RAISE


def _judge_reply(error: ApiError, reads: bool, genuine: bool) -> Verdict:
    status = error.http_status or 0
    match error:
        case AddressBanned():
            return Verdict.RAISE
        case RateLimited():
            nothing_done = status == 429 or error.code == TOO_MANY_REQUESTS
            return Verdict.REPEAT if reads or nothing_done else Verdict.RAISE
        case Maintenance() if status < 500:
            return Verdict.RAISE
        case ExchangeFault() | ServiceUnavailable():
            return Verdict.REPEAT if reads else Verdict.UNKNOWN
        case _ if error.code == TIMESTAMP_REFUSED:
            return Verdict.RESYNC
        case _ if status >= 500 and error.code not in CODES:
            return Verdict.REPEAT if reads else Verdict.UNKNOWN
        case _:
            # A page from the network in front of the exchange says nothing about what happened behind it.
            return Verdict.RAISE if genuine or reads else Verdict.UNKNOWN
