"""What becomes of a REST call that failed: raise, repeat, or own up that nobody knows.

The rule behind the table: a read may be repeated whenever that could help; a write only when it is certain that
nothing was done. A write is refused by a documented code in a JSON reply of the API and by nothing else: gateways in
front of the exchange answer with statuses, pages and codes of their own, also after the exchange has taken the order.
Without such a code the outcome is unknown, and only a look-up can tell.
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


def judge(error: BitMartError, *, reads: bool, unsent: bool = False) -> Verdict:
    """Decide on a failed attempt.

    Args:
        error: what it ended with.
        reads: whether the call changes nothing.
        unsent: whether no byte of the request can have left.
    """
    match error:
        case ConnectionLost():
            return Verdict.REPEAT if reads or unsent else Verdict.UNKNOWN
        case ReplyTooLarge():
            return Verdict.RAISE if reads else Verdict.UNKNOWN  # it would be as large again
        case MalformedReply():
            # Cut-off JSON, and a good code without its data ("This service is down", seen live), need not come again.
            return Verdict.REPEAT if reads else Verdict.UNKNOWN
        case ApiError():
            return _judge_read(error) if reads else _judge_write(error)
        case _:
            return Verdict.RAISE


def _judge_read(error: ApiError) -> Verdict:
    status = error.http_status or 0
    match error:
        case AddressBanned():
            return Verdict.RAISE
        case RateLimited():
            return Verdict.REPEAT
        case Maintenance() if status < 500:
            return Verdict.RAISE
        case ExchangeFault() | ServiceUnavailable():
            return Verdict.REPEAT
        case _ if error.code == TIMESTAMP_REFUSED:
            return Verdict.RESYNC
        case _:
            return Verdict.REPEAT if status >= 500 and error.code not in CODES else Verdict.RAISE


def _judge_write(error: ApiError) -> Verdict:
    if error.code not in CODES:
        return Verdict.UNKNOWN
    status = error.http_status or 0
    match error:
        case AddressBanned():
            return Verdict.RAISE
        case RateLimited():
            return Verdict.REPEAT if status == 429 or error.code == TOO_MANY_REQUESTS else Verdict.RAISE
        case Maintenance() if status < 500:
            return Verdict.RAISE
        case ExchangeFault() | ServiceUnavailable():
            return Verdict.UNKNOWN
        case _:
            return Verdict.RESYNC if error.code == TIMESTAMP_REFUSED else Verdict.RAISE
