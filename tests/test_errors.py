"""What an error says: one printable line of a bounded length, whatever the peer's words were."""

from __future__ import annotations

import io
import logging
import traceback

import pytest

import bitmart_trio as bm
from bitmart_trio.errors import CODES

HOSTILE = "gone\x1b]0;owned\x07\x9b2J\u202e\r\n2026-01-01 CRITICAL forged\u2028" + "x" * 10_000_000 + "end"


def _errors() -> list[bm.BitMartError]:
    return [
        bm.BitMartError(HOSTILE),
        bm.ConnectionLost(HOSTILE),
        bm.MalformedReply(HOSTILE),
        bm.OutcomeUnknown(HOSTILE, endpoint="POST /x"),
        bm.AbsentMember(member="size", model="Trade", source="GET /x", raw=HOSTILE),
        bm.SubscriptionRefused(HOSTILE, topic=HOSTILE),
        *(kind(HOSTILE, code=50000, trace=HOSTILE) for kind in dict.fromkeys(row.error for row in CODES.values())),
    ]


@pytest.mark.parametrize("error", _errors(), ids=lambda error: type(error).__name__)
def test_hostile_words_do_nothing_to_a_terminal_or_a_log(error: bm.BitMartError) -> None:
    """Neither by ``str()``, nor in a traceback that nobody catches, nor in a line of a log."""
    assert str(error).isprintable()
    assert len(str(error)) < 20_000
    assert "\\x1b]0;owned\\x07" in str(error) or isinstance(error, bm.AbsentMember)
    shown = "".join(traceback.format_exception(error))
    assert all(line.isprintable() for line in shown.split("\n"))
    out = io.StringIO()
    logging.StreamHandler(out).emit(logging.LogRecord("x", 20, "x", 1, "no: %s", (error,), None))
    assert out.getvalue().count("\n") == 1


def test_the_words_of_the_exchange_are_kept_as_they_came() -> None:
    """For a program that compares them; only their length has a bound."""
    error = bm.ApiError("no\x1b[2J\nwhy", code=1, trace="t\x00")
    assert (error.message, error.trace) == ("no\x1b[2J\nwhy", "t\x00")
    assert str(error) == "1 no\\x1b[2J\\nwhy [trace t\\x00]"
    assert len(bm.ApiError(HOSTILE).message) < 5_000
