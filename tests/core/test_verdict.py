"""What becomes of a failed call, as one table: reads on the left, writes on the right."""

from __future__ import annotations

import pytest

from bitmart_trio import errors as e
from bitmart_trio._core.verdict import Verdict, judge

RAISE, REPEAT, RESYNC, UNKNOWN = Verdict.RAISE, Verdict.REPEAT, Verdict.RESYNC, Verdict.UNKNOWN


def _api(code: int, status: int) -> e.ApiError:
    return e.error_class(code, "", status)(code=code, http_status=status)


@pytest.mark.parametrize(
    ("error", "genuine", "read", "write"),
    [
        (e.ConnectionLost("broke"), False, REPEAT, UNKNOWN),
        (e.ReplyTooLarge("big"), False, RAISE, UNKNOWN),
        (e.MalformedReply("cut off"), False, REPEAT, UNKNOWN),
        (e.MalformedReply("unknown shape"), True, RAISE, UNKNOWN),
        (_api(30013, 429), True, REPEAT, REPEAT),
        (_api(0, 429), False, REPEAT, REPEAT),
        (_api(40013, 400), True, REPEAT, RAISE),
        (_api(30017, 418), True, RAISE, RAISE),
        (_api(0, 418), False, RAISE, RAISE),
        (_api(30007, 401), True, RESYNC, RESYNC),
        (_api(30006, 401), True, RAISE, RAISE),
        (_api(0, 502), False, REPEAT, UNKNOWN),
        (_api(0, 500), False, REPEAT, UNKNOWN),
        (_api(0, 522), False, REPEAT, UNKNOWN),
        (_api(99999, 500), True, REPEAT, UNKNOWN),
        (_api(30014, 503), True, REPEAT, UNKNOWN),
        (_api(50022, 400), True, REPEAT, UNKNOWN),
        (_api(59002, 500), True, REPEAT, UNKNOWN),
        (_api(40012, 400), True, REPEAT, UNKNOWN),
        (_api(30016, 200), True, RAISE, RAISE),
        (_api(30016, 503), True, REPEAT, UNKNOWN),
        (_api(30018, 503), True, RAISE, RAISE),
        (_api(50020, 400), True, RAISE, RAISE),
        (_api(50020, 500), True, RAISE, RAISE),
        (_api(99999, 200), True, RAISE, RAISE),
        (_api(30005, 401), True, RAISE, RAISE),
        (_api(0, 403), False, RAISE, UNKNOWN),
        (e.InvalidRequest("wrong"), False, RAISE, RAISE),
    ],
    ids=lambda value: f"{type(value).__name__}-{value}" if isinstance(value, Exception) else None,
)
def test_the_table(error: e.BitMartError, genuine: bool, read: Verdict, write: Verdict) -> None:
    """A write is repeated only when it is certain that nothing was done."""
    assert judge(error, reads=True, genuine=genuine) is read
    assert judge(error, reads=False, genuine=genuine) is write


def test_what_never_left_may_be_sent_again() -> None:
    """No byte of it can have reached the exchange."""
    lost = e.ConnectionLost("no connection")
    assert judge(lost, reads=False, unsent=True) is REPEAT
    assert judge(lost, reads=True, unsent=True) is REPEAT


@pytest.mark.parametrize("code", sorted(e.CODES))
def test_no_write_is_repeated_on_a_code_that_does_not_say_that_nothing_was_done(code: int) -> None:
    """Only "too many requests" does, and a refused timestamp after setting the clock."""
    verdict = judge(_api(code, 400), reads=False)
    assert (verdict is REPEAT) == (code == 30013)
    assert (verdict is RESYNC) == (code == 30007)
