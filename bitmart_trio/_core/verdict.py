"""Decide on a failed REST call: raise, retry, or report its outcome as unknown.

The rule: a read may be repeated whenever that could help; a write only when it is certain that nothing was done. Only a
documented code in a JSON reply of the API refuses a write: gateways in front of the exchange answer with statuses,
pages and codes of their own, also after the exchange has accepted the order. Without such a code the outcome is
unknown, and only a look-up can determine it.
"""

from __future__ import annotations

from enum import Enum, auto

from ..errors import (
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
from .dialect import Codes


class Verdict(Enum):
    """The next step after a failed attempt."""

    RAISE = auto()
    """Raise the error: trying again would not help, or the exchange has decided."""
    REPEAT = auto()
    """Try again, if tries are left."""
    RESYNC = auto()
    """Set the clock and try again, once."""
    UNKNOWN = auto()
    """A write that may or may not have been done."""


def judge(error: BitMartError, codes: Codes, *, reads: bool, unsent: bool = False) -> Verdict:
    """Decide on a failed attempt.

    Args:
        error: the error that ended the attempt.
        codes: the codes of the venue.
        reads: True if the call changes nothing.
        unsent: True if no byte of the request can have been sent.
    """
    match error:
        case ConnectionLost():
            return Verdict.REPEAT if reads or unsent else Verdict.UNKNOWN
        case ReplyTooLarge():
            return Verdict.RAISE if reads else Verdict.UNKNOWN  # it would be as large again
        case MalformedReply():
            # Truncated JSON, and a good code without its data ("This service is down", seen live), may be transient.
            return Verdict.REPEAT if reads else Verdict.UNKNOWN
        case ApiError():
            return _judge_read(error, codes) if reads else _judge_write(error, codes)
        case _:
            return Verdict.RAISE


def _judge_read(error: ApiError, codes: Codes) -> Verdict:
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
        case _ if error.code in codes.clock:
            return Verdict.RESYNC
        case _:
            return Verdict.REPEAT if status >= 500 and error.code not in codes.documented else Verdict.RAISE


def _judge_write(error: ApiError, codes: Codes) -> Verdict:
    if error.code not in codes.documented:
        return Verdict.UNKNOWN
    status = error.http_status or 0
    match error:
        case AddressBanned():
            return Verdict.RAISE
        case RateLimited():
            return Verdict.REPEAT if status == 429 or error.code in codes.too_many else Verdict.RAISE
        case Maintenance() if status < 500:
            return Verdict.RAISE
        case ExchangeFault() | ServiceUnavailable():
            return Verdict.UNKNOWN
        case _:
            return Verdict.RESYNC if error.code in codes.clock else Verdict.RAISE
